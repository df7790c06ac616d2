//! `lienthong node doctor`: what is wrong, and what to do about it.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Args;
use lienthong_client::Roots;
use lienthong_connector::Places;
use lienthong_connector::doctor::{self, Finding, Grade, Holding, Presented, Role, Trust};
use lienthong_model::AgencyCode;

use super::{NodeFlags, settings};
use crate::cli::Output;
use crate::config::Effective;
use crate::output;

#[derive(Debug, Args)]
pub(super) struct DoctorArgs {
    #[command(flatten)]
    flags: NodeFlags,
}

/// Looks at everything; exit code 1 when something is wrong.
///
/// # Errors
/// When the configuration cannot be read: nothing can be looked at then.
pub(super) async fn run(args: &DoctorArgs, output: Output) -> anyhow::Result<ExitCode> {
    let effective = args.flags.effective(|name| std::env::var(name).ok())?;
    let findings = examine(&effective).await?;
    output::many(output, &findings, text)?;
    let has_problem = findings.iter().any(|finding| finding.grade == Grade::Problem);
    Ok(ExitCode::from(u8::from(has_problem)))
}

async fn examine(effective: &Effective) -> anyhow::Result<Vec<Finding>> {
    let who = settings::who(effective);
    let folder = who.agency()?;
    let roots = who.roots(&folder)?;
    let agency = folder.code()?;
    let now = who.clock()?.now();
    let places = Places::new(
        settings::root(effective),
        agency.clone(),
        settings::is_on(effective, "gateway"),
    );
    let trust = Trust { roots: &roots, now };
    let mut findings = certificates(folder.path(), &agency, trust);
    findings.extend(served(effective, &roots, now));
    findings.extend(doctor::folders(&places));
    findings.extend(secrets(effective, folder.path()));
    // Where key and certificate do not fit, that was said above.
    if let Ok(endpoint) = who.endpoint(settings::hub(effective), &folder, &roots) {
        let mailboxes = settings::mailboxes(effective)?;
        let hub = settings::hub(effective);
        findings.extend(doctor::hub(endpoint, hub, &agency, &mailboxes).await.0);
    }
    Ok(findings)
}

/// The node, the seal, the persons of an agency's folder.
fn certificates(folder: &Path, agency: &AgencyCode, trust: Trust<'_>) -> Vec<Finding> {
    let mut findings = one(&folder.join("node.pem"), Holding { role: Role::Node, agency }, trust);
    findings.extend(signers(folder, agency, trust));
    findings
}

fn signers(folder: &Path, agency: &AgencyCode, trust: Trust<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    let seal = folder.join("seal.pem");
    if seal.is_file() {
        findings.extend(one(&seal, Holding { role: Role::Seal, agency }, trust));
    }
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let is_person = |path: &PathBuf| {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        name.starts_with("person-") && name.ends_with(".pem")
    };
    let mut persons: Vec<PathBuf> = entries.map(|entry| entry.path()).filter(is_person).collect();
    persons.sort();
    for person in persons {
        findings.extend(one(&person, Holding { role: Role::Person, agency }, trust));
    }
    findings
}

/// The keys of the agencies that a gateway serves.
fn served(effective: &Effective, roots: &Roots, now: lienthong_model::Timestamp) -> Vec<Finding> {
    let Some(keys) = effective.one("keys") else { return Vec::new() };
    let mut findings = Vec::new();
    for entry in std::fs::read_dir(keys).into_iter().flatten().flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        if let Ok(agency) = AgencyCode::parse(&name) {
            findings.extend(signers(&entry.path(), &agency, Trust { roots, now }));
        }
    }
    findings
}

fn one(path: &Path, holding: Holding<'_>, trust: Trust<'_>) -> Vec<Finding> {
    let (chain, key) = (
        std::fs::read_to_string(path).ok(),
        std::fs::read_to_string(path.with_extension("key")).ok(),
    );
    let shown = path.display().to_string();
    let presented = Presented { chain: chain.as_deref(), key: key.as_deref(), file: &shown };
    doctor::certificate(&presented, holding, trust)
}

/// Keys, token and secret must be readable by this user alone.
fn secrets(effective: &Effective, folder: &Path) -> Vec<Finding> {
    let mut files = vec![
        settings::file(effective, "http-token", "http.token"),
        settings::file(effective, "webhook-secret", "webhook.secret"),
    ];
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let keys = entries.map(|entry| entry.path());
    files.extend(keys.filter(|path| path.extension().is_some_and(|ending| ending == "key")));
    files.sort();
    doctor::secrets(&files.iter().map(PathBuf::as_path).collect::<Vec<_>>())
}

fn text(findings: &[Finding]) -> String {
    let mut text = String::new();
    for finding in findings {
        let grade = match finding.grade {
            Grade::Ok => "tốt / ok",
            Grade::Warning => "lưu ý / warning",
            Grade::Problem => "LỖI / PROBLEM",
        };
        let _ = writeln!(text, "{grade:<16} {} {}", finding.check, finding.about);
        let _ = writeln!(text, "{:<16} {}\n{:<16} {}", "", finding.meaning_vi, "", finding.meaning);
        if !finding.remedy.is_empty() {
            let remedy = "xử lý / remedy:";
            let _ = writeln!(text, "{remedy:<16} {}", finding.remedy_vi);
            let _ = writeln!(text, "{:<16} {}", "", finding.remedy);
        }
    }
    let wrong = findings.iter().filter(|finding| finding.grade == Grade::Problem).count();
    let _ = writeln!(text, "{wrong} lỗi / problems, {} mục / checks", findings.len());
    text
}
