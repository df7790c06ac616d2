//! `lienthong sandbox invite`: certificates and a ready configuration for an agency under test.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context as _;
use clap::Args;
use lienthong_model::AgencyCode;
use lienthong_pki::{Folder, KeySource, Profile, Validity};
use serde::Serialize;

use super::folder::Sandbox;
use crate::cli::Output;
use crate::commands::node::init;
use crate::output;
use crate::own_hub::Time;
use crate::say::Usage;
use crate::source::machine_now;

#[derive(Debug, Args)]
pub(super) struct InviteArgs {
    /// The agency under test
    #[arg(long, value_name = "CODE")]
    agency: AgencyCode,
    /// The folder to write; new or empty
    #[arg(long, value_name = "FOLDER")]
    to: PathBuf,
    /// Where the local HTTP API of the connector shall listen, such as 127.0.0.1:7490
    #[arg(long, value_name = "ADDR")]
    http: Option<String>,
    /// The sandbox's folder
    #[arg(long, value_name = "DIR", default_value = super::FOLDER)]
    sandbox: PathBuf,
}

#[derive(Debug, Serialize)]
struct Invited {
    agency: String,
    hub: String,
    clock: String,
    /// Node, seal and person, with the root and its lists.
    keys: String,
    /// The connector's configuration.
    config: String,
}

/// Runs the command.
///
/// # Errors
/// [`Usage`] when the agency is not under test, or the folder is not empty.
pub(super) fn run(args: &InviteArgs, output: Output) -> anyhow::Result<ExitCode> {
    let sandbox = Sandbox::open(&args.sandbox)?;
    check(args, &sandbox)?;
    let keys = args.to.join("keys");
    write_keys(&sandbox.pki()?, sandbox.time(), &args.agency, &keys)?;
    let clock = sandbox.time().text();
    let line = line_of(&sandbox, &args.agency);
    let config = init::write_folder(&init::Wanted {
        dir: &args.to,
        keys: &keys,
        hub: Some(&line),
        http: args.http.as_deref(),
        clock: Some(&clock),
        gateway: false,
    })?;
    let invited = Invited {
        agency: args.agency.to_string(),
        hub: line,
        clock,
        keys: keys.display().to_string(),
        config: config.display().to_string(),
    };
    output::one(output, &invited, |invited| text(invited, &args.to))?;
    Ok(ExitCode::SUCCESS)
}

/// Where the agency reaches the hub.
fn line_of(sandbox: &Sandbox, agency: &AgencyCode) -> String {
    let line = sandbox.tested(agency).and_then(|code| sandbox.line(&code));
    line.map_or_else(|| sandbox.hub().to_owned(), |at| format!("https://localhost:{}", at.port()))
}

fn check(args: &InviteArgs, sandbox: &Sandbox) -> anyhow::Result<()> {
    if sandbox.tested(&args.agency).is_none() {
        let (agency, known) = (&args.agency, sandbox.under_test().join(", "));
        return Err(Usage::new(
            format!("`{agency}` không được kiểm tra trong sân tập này"),
            format!("`{agency}` is not under test in this sandbox"),
        )
        .remedy(
            format!("chọn một trong {known}, hoặc mở sân tập với --agency {agency}"),
            format!("take one of {known}, or start a sandbox with --agency {agency}"),
        )
        .into());
    }
    if args.to.read_dir().is_ok_and(|mut entries| entries.next().is_some()) {
        let shown = args.to.display();
        return Err(Usage::new(format!("`{shown}` không rỗng"), format!("`{shown}` is not empty"))
            .remedy(
                "nêu thư mục mới hoặc rỗng bằng --to",
                "name a new or an empty folder with --to",
            )
            .into());
    }
    Ok(())
}

/// Issues to the agency, or takes what it was issued before, and puts it into a folder that can be
/// carried away: keys, certificates, whom to trust.
fn write_keys(pki: &Folder, time: Time, agency: &AgencyCode, to: &Path) -> anyhow::Result<()> {
    let now = match time {
        Time::Real => machine_now(),
        Time::Scenario { start, .. } => start,
    };
    let year = std::time::Duration::from_secs(366 * 24 * 3_600);
    let day = std::time::Duration::from_secs(24 * 3_600);
    let begin = now.minus(day).day().start();
    let validity = Validity { not_before: begin, not_after: begin.plus(year) };
    let agency = agency.clone();
    let person = Profile::Person {
        agency: agency.clone(),
        person: format!("{agency}-01"),
        name: "Nguyễn Văn Thử".to_owned(),
        title: "Thủ trưởng cơ quan".to_owned(),
    };
    let profiles = [Profile::Node { agency: agency.clone() }, Profile::Seal { agency }, person];
    std::fs::create_dir_all(to.join("crl"))
        .with_context(|| format!("cannot make `{}`", to.display()))?;
    for profile in &profiles {
        let issued = pki.certificate_path(profile);
        if !issued.is_file() {
            pki.enrol(profile, &KeySource::System, validity)?;
        }
        for path in [issued.with_extension("key"), issued] {
            copy(&path, &to.join(path.file_name().unwrap_or_default()))?;
        }
    }
    let top = pki.agency_path(profiles[0].agency());
    let top = top.parent().and_then(Path::parent).unwrap_or(Path::new("."));
    for name in ["root.pem", "issuing.pem", "crl/root.crl", "crl/issuing.crl"] {
        copy(&top.join(name), &to.join(name))?;
    }
    Ok(())
}

/// Copies a file with its permissions: a key stays its owner's alone.
fn copy(from: &Path, to: &Path) -> anyhow::Result<()> {
    let shown = || format!("cannot copy `{}` to `{}`", from.display(), to.display());
    std::fs::copy(from, to).map(drop).with_context(shown)
}

fn text(invited: &Invited, to: &Path) -> String {
    let config = &invited.config;
    let to = to.display();
    let keys = format!("{} (nút, con dấu, cá nhân / node, seal, person)", invited.keys);
    output::pairs(&[
        ("cơ quan / agency", invited.agency.clone()),
        ("trục / hub", format!("{} ({})", invited.hub, invited.clock)),
        ("khóa, chứng thư / keys", keys),
        ("cấu hình / configuration", config.clone()),
    ]) + &format!(
        "\nBước tiếp / next:\n\
         \x20 1. kiểm tra / check    lienthong node doctor --config {config}\n\
         \x20 2. kết nối / connect   lienthong node --config {config}\n\
         \x20 3. nhận / receive      ls {to}/inbox\n\
         \x20 4. gửi / send          đặt thư mục có document.toml vào {to}/outbox / \
         put a folder with document.toml there\n\
         \x20 5. kiểm tra / examine  lienthong conformance run --agency {}\n\
         Hệ thống riêng: dùng các khóa trên, địa chỉ {}, và proto/ hoặc thư viện client / \
         a system of your own: the keys above, that address, and proto/ or the client crate.\n",
        invited.agency, invited.hub,
    )
}
