//! `lienthong conformance`: ten cases against a system that is connected to a sandbox.

mod statement;

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::atomic::AtomicU32;
use std::time::{Duration, Instant};

use anyhow::Context as _;
use clap::{Args, Subcommand};
use lienthong_client::{Client, Endpoint, Signer};
use lienthong_model::AgencyCode;
use lienthong_pki::{Folder, KeySource, Profile, Validity};
use lienthong_simulator::conformance::{CASES, Case, Examination, Examiner};

use crate::agency::AgencyFolder;
use crate::cli::Output;
use crate::commands::sandbox::{self, Sandbox};
use crate::connect::span;
use crate::output::{self, ResultFile};
use crate::own_hub::Time;
use crate::say::Usage;
use crate::source::machine_now;
use statement::StatementView;

/// Examine a system that is connected to a sandbox / kiểm tra sự phù hợp
#[derive(Debug, Args)]
pub(crate) struct ConformanceArgs {
    #[command(subcommand)]
    command: ConformanceCommand,
}

#[derive(Debug, Subcommand)]
enum ConformanceCommand {
    /// List the ten cases / danh sách trường hợp
    List,
    Run(RunArgs),
}

/// Run the ten cases and write a statement / chạy và lập biên bản
///
/// They are judged by the hub's records. Exit code 0 when all pass, 1 when one does not.
#[derive(Debug, Args)]
struct RunArgs {
    /// The agency whose system is examined; it is connected by the address of its invitation
    #[arg(long, value_name = "CODE")]
    agency: AgencyCode,
    /// The folder of a sandbox that runs
    #[arg(long, value_name = "DIR", default_value = sandbox::FOLDER)]
    sandbox: PathBuf,
    /// How long the system may take for what is asked of it
    #[arg(long, value_name = "SPAN", default_value = "2min", value_parser = span)]
    patience: Duration,
    /// Where to write the statement as one HTML page
    #[arg(long, value_name = "FILE")]
    html: Option<PathBuf>,
    /// Where to write the statement as JSON
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// Where to write the outcomes as JUnit XML
    #[arg(long, value_name = "FILE")]
    junit: Option<PathBuf>,
}

/// Runs the command.
///
/// # Errors
/// When the sandbox does not run, or fails the examiner.
pub(crate) async fn run(args: ConformanceArgs, output: Output) -> anyhow::Result<ExitCode> {
    match args.command {
        ConformanceCommand::List => list(output),
        ConformanceCommand::Run(args) => examine(&args, output).await,
    }
}

fn list(output: Output) -> anyhow::Result<ExitCode> {
    let cases: Vec<statement::Listed> = CASES.iter().map(statement::Listed::of).collect();
    output::many(output, &cases, statement::listed)?;
    Ok(ExitCode::SUCCESS)
}

/// Where a statement is written to.
struct Files {
    json: ResultFile,
    html: ResultFile,
    junit: ResultFile,
}

impl RunArgs {
    /// Opens the files that are named: an examination takes minutes.
    fn open_files(&self) -> Result<Files, Usage> {
        Ok(Files {
            json: ResultFile::open(self.json.as_deref())?,
            html: ResultFile::open(self.html.as_deref())?,
            junit: ResultFile::open(self.junit.as_deref())?,
        })
    }

    /// The command that examines it again.
    fn replay(&self) -> String {
        let mut text = format!("lienthong conformance run --agency {}", self.agency);
        if self.sandbox != Path::new(sandbox::FOLDER) {
            let folder = output::shell_word(&self.sandbox.display().to_string());
            text += &format!(" --sandbox {folder}");
        }
        let patience = humantime::format_duration(self.patience).to_string();
        text + &format!(" --patience {}", output::shell_word(&patience))
    }
}

async fn examine(args: &RunArgs, output: Output) -> anyhow::Result<ExitCode> {
    let sandbox = Sandbox::open(&args.sandbox)?;
    let Some(under_test) = sandbox.tested(&args.agency) else {
        let (agency, known) = (&args.agency, sandbox.under_test().join(", "));
        return Err(Usage::new(
            format!("`{agency}` không được kiểm tra trong sân tập này"),
            format!("`{agency}` is not under test in this sandbox"),
        )
        .remedy(format!("chọn một trong {known}"), format!("take one of {known}"))
        .into());
    };
    let files = args.open_files()?;
    let folder = args.sandbox.clone();
    let examination = Examination {
        examiner: examiner(&sandbox).await?,
        agency: args.agency.clone(),
        line: Box::new(move |mode| {
            tokio::task::block_in_place(|| sandbox::wish(&folder, &under_test, mode))
        }),
        patience: args.patience,
    };
    let began = Instant::now();
    let told = |case: Case| {
        if output == Output::Table {
            anstream::eprintln!("… {}: {} / {}", case.name, case.vi, case.en);
        }
    };
    let statement = examination.run(told).await?;
    let seconds = began.elapsed().as_secs_f64();
    let view = StatementView::of(&statement);
    let json = serde_json::to_string_pretty(&view)? + "\n";
    // What took so long is on the screen, whatever becomes of the files.
    output::all_of([
        output::one(output, &view, StatementView::to_table),
        files.json.write(|| json),
        files.html.write(|| view.to_html()),
        files.junit.write(|| statement.junit(&args.replay(), seconds)),
    ])?;
    Ok(if statement.passed() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// A living agency examines: with a node, a seal and a person of its own from the sandbox's PKI, and
/// a person below the root that nobody was given.
async fn examiner(sandbox: &Sandbox) -> anyhow::Result<Examiner> {
    let agency = sandbox.living().first().context("nobody lives in the sandbox")?;
    let agency = AgencyCode::parse(agency)?;
    let (pki, stranger) = (sandbox.pki()?, sandbox.stranger()?);
    let validity = validity(sandbox.time());
    let person = Profile::Person {
        agency: agency.clone(),
        person: format!("{agency}-khao-thi"),
        name: "Lê Thị Khảo".to_owned(),
        title: "Cán bộ kiểm tra".to_owned(),
    };
    let node = Profile::Node { agency: agency.clone() };
    let seal = Profile::Seal { agency: agency.clone() };
    for profile in [&node, &seal, &person] {
        issue(&pki, profile, validity)?;
    }
    issue(&stranger, &person, validity)?;
    let folder = AgencyFolder::open(&pki.agency_path(&agency), None)?;
    let roots = folder.roots()?.context("the sandbox's PKI has no root")?;
    let endpoint = Endpoint::new(sandbox.hub(), folder.identity()?, roots)?;
    let client = Client::connect(endpoint.clock(sandbox.time().source())).await?;
    Ok(Examiner {
        client,
        person: signer(&pki, &person)?,
        seal: signer(&pki, &seal)?,
        stranger: signer(&stranger, &person)?,
        agency,
        written: AtomicU32::new(0),
    })
}

fn validity(time: Time) -> Validity {
    let day = Duration::from_secs(24 * 3_600);
    let now = match time {
        Time::Real => machine_now(),
        Time::Scenario { start, .. } => start,
    };
    let begin = now.minus(day).day().start();
    Validity { not_before: begin, not_after: begin.plus(day * 366) }
}

/// Issues, unless it was issued before.
fn issue(pki: &Folder, profile: &Profile, validity: Validity) -> anyhow::Result<()> {
    if !pki.certificate_path(profile).is_file() {
        pki.enrol(profile, &KeySource::System, validity)?;
    }
    Ok(())
}

fn signer(pki: &Folder, profile: &Profile) -> anyhow::Result<Signer> {
    let path = pki.certificate_path(profile);
    let chain = crate::agency::read(&path)?;
    let key = crate::agency::read(&path.with_extension("key"))?;
    Signer::from_pem(&chain, &key).with_context(|| format!("`{}`", path.display()))
}
