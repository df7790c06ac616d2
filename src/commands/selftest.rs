//! `lienthong selftest`: the program tries itself out on the user's own machine and disk.

mod report;

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Instant;

use anyhow::Context as _;
use clap::{Args, Subcommand};
use indicatif::{ProgressBar, ProgressStyle};
use lienthong_simulator::crash::{Campaign, Round};

use crate::cli::Output;
use crate::output;
use crate::say::Usage;
use crate::stop::Stop;
use report::Report;

/// Communes of one province in the campaign's directory: more than one slice of a fan-out.
const COMMUNES: usize = 300;
/// Seeds that are made up here have at most so many digits, so that a person can copy one.
const SEEDS: u64 = 1_000_000;

/// Try the program out on this machine and its disk / tự kiểm tra
#[derive(Debug, Args)]
pub(crate) struct SelftestArgs {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Kill a hub under load, again and again, and look for anything lost / thử giết trục
    ///
    /// Starts a hub of its own, with a test PKI, on a free loopback port; four agencies exchange
    /// documents, attachments, statuses, recalls, notices and fan-outs with it. Every round the hub is
    /// killed, at a moment or at a named point of its code, and started again. Then whatever it had
    /// acknowledged must be there, once: receipts, tracking, deliveries, statistics, and the log with
    /// every checkpoint that it ever gave out. Exit code 1 when anything is not; the command that plays
    /// it again is printed. docs/DURABILITY.md says what is promised.
    Crash(CrashArgs),
}

#[derive(Debug, Args)]
struct CrashArgs {
    /// How often the hub is killed under load / số lượt
    #[arg(long, value_name = "N", default_value_t = 20, value_parser = clap::value_parser!(u64).range(1..=100_000))]
    rounds: u64,
    /// Everything that is drawn follows from it; made up and printed when it is left out / số hạt giống
    #[arg(long, value_name = "N")]
    seed: Option<u64>,
    /// Where the campaign is played, a new or empty folder on the disk to be tried; without it a
    /// temporary one / thư mục
    #[arg(long, value_name = "DIR")]
    dir: Option<PathBuf>,
}

/// Runs the command.
///
/// # Errors
/// When the campaign cannot be carried on.
pub(crate) async fn run(args: SelftestArgs, output: Output) -> anyhow::Result<ExitCode> {
    let What::Crash(args) = args.what;
    let seed = args.seed.unwrap_or_else(made_up);
    let replay = format!("lienthong selftest crash --rounds {} --seed {seed}", args.rounds);
    if output == Output::Table {
        eprintln!("số hạt giống / seed {seed}; chạy lại / replay: {replay}");
    }
    let temporary = tempfile::tempdir().context("cannot make a temporary folder")?;
    let folder = match &args.dir {
        Some(folder) => prepared(folder)?,
        None => temporary.path(),
    };
    let program = std::env::current_exe().context("cannot find this program's own file")?;
    let began = Instant::now();
    let mut campaign = Campaign::new(folder, &program, seed, COMMUNES)?;
    let mut report = Report::new(seed, replay.clone());
    let played = play(&mut campaign, args.rounds, &mut report, output).await;
    // What was played so far is told, whatever ended it.
    report.close(campaign.outcome(), began.elapsed());
    output::one(output, &report, Report::text)?;
    played.with_context(|| format!("the campaign ended early; play it again with `{replay}`"))?;
    Ok(if report.passed() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

async fn play(
    campaign: &mut Campaign,
    rounds: u64,
    report: &mut Report,
    output: Output,
) -> anyhow::Result<()> {
    let mut stop = Stop::new()?;
    let bar = bar(rounds, output);
    for _ in 0..rounds {
        let round = tokio::select! {
            round = campaign.round() => round?,
            () = stop.asked() => break,
        };
        bar.inc(1);
        bar.set_message(round.end.name());
        if tell(&bar, &round) {
            report.round(round);
            break;
        }
        report.round(round);
    }
    bar.set_message("kiểm tra tất cả / checking everything");
    report.last_check(campaign.check_everything().await?);
    bar.finish_and_clear();
    Ok(())
}

/// Says at once what a round found; returns whether it found anything.
fn tell(bar: &ProgressBar, round: &Round) -> bool {
    for found in round.found.iter().take(3) {
        bar.suspend(|| eprintln!("lượt / round {}: {found}", round.number));
    }
    !round.found.is_empty()
}

fn bar(rounds: u64, output: Output) -> ProgressBar {
    if output != Output::Table {
        return ProgressBar::hidden();
    }
    let bar = ProgressBar::new(rounds);
    let template = "lượt / round {pos}/{len} {wide_bar} {msg} {elapsed} (còn / left {eta})";
    match ProgressStyle::with_template(template) {
        Ok(style) => bar.with_style(style),
        Err(_) => bar,
    }
}

/// The folder, which is made; it must have nothing in it.
fn prepared(folder: &Path) -> anyhow::Result<&Path> {
    std::fs::create_dir_all(folder)
        .with_context(|| format!("cannot make `{}`", folder.display()))?;
    let mut entries = folder.read_dir().with_context(|| format!("`{}`", folder.display()))?;
    if entries.next().is_some() {
        let shown = folder.display();
        return Err(Usage::new(format!("`{shown}` không rỗng"), format!("`{shown}` is not empty"))
            .remedy("chọn thư mục mới hoặc rỗng", "name a new or an empty folder")
            .into());
    }
    Ok(folder)
}

/// A seed from the machine's clock.
fn made_up() -> u64 {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    since.map_or(1, |since| u64::from(since.subsec_nanos())) % SEEDS
}
