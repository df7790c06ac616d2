//! `lienthong sim run`: plays a scenario, judges it, writes the reports.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Instant;

use lienthong_simulator::scenario::{Place, Scenario};
use lienthong_simulator::verdict::Verdict;
use lienthong_simulator::world::{Played, Progress, World};

use super::live::LiveArgs;
use super::report::Report;
use super::telling::Telling;
use crate::cli::Output;
use crate::output::{self, ResultFile, thousands};
use crate::say::Usage;

/// Steps of the progress bar.
const STEPS: u64 = 1_000;

/// Play a scenario and judge what came of it / chạy và kết luận
///
/// Exit code 0 when every law and every expectation holds, 1 when one does not.
#[derive(Debug, clap::Args)]
pub(super) struct RunArgs {
    /// A name (`lienthong sim list`) or a file
    #[arg(value_name = "NAME|FILE")]
    scenario: String,
    /// In virtual time on the hub's own core, or live: real clients against a running hub
    #[arg(long, value_enum, default_value_t)]
    world: WorldKind,
    #[command(flatten)]
    live: LiveArgs,
    /// Everything random follows from it; default: the scenario's / số hạt giống
    #[arg(long, value_name = "N")]
    seed: Option<u64>,
    /// Where to write what agencies do, what the hub decides and which faults happen, a line each
    /// (docs/SCENARIOS.md) / nhật ký sự kiện
    #[arg(long, value_name = "FILE")]
    trace: Option<PathBuf>,
    /// Where to write the report as JSON
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// Where to write the report as JUnit XML
    #[arg(long, value_name = "FILE")]
    junit: Option<PathBuf>,
    /// Where to write the report as one page of HTML with charts
    #[arg(long, value_name = "FILE")]
    html: Option<PathBuf>,
    /// Share of signatures that are really made and verified; default: the scenario's
    #[arg(long, value_name = "SHARE", value_parser = share)]
    signatures: Option<f64>,
}

fn share(text: &str) -> Result<f64, String> {
    let share = text.parse().ok().filter(|share| (0.0..=1.0).contains(share));
    share.ok_or_else(|| "write a share from 0 to 1, such as 0.01".to_owned())
}

/// Where a scenario is played.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, clap::ValueEnum)]
pub(super) enum WorldKind {
    /// In virtual time, on the hub's own core: the same bytes each time
    #[default]
    Virtual,
    /// With real clients over real TLS against a running hub, on its clock
    Live,
}

impl WorldKind {
    /// Returns what world that is for the scenario.
    pub(super) fn place(self, running_hub: bool) -> Place {
        match (self, running_hub) {
            (Self::Virtual, _) => Place::Virtual,
            (Self::Live, false) => Place::OwnHub,
            (Self::Live, true) => Place::RunningHub,
        }
    }
}

impl RunArgs {
    /// What the chosen world does not heed is not given.
    fn are_heeded(&self) -> Result<(), Usage> {
        match (self.world, self.live.given(), self.signatures) {
            (WorldKind::Virtual, Some(option), _) => Err(Usage::new(
                format!("`{option}` chỉ dùng với trục thật"),
                format!("`{option}` is for the live world"),
            )
            .remedy("thêm --world live, hoặc bỏ đi", "add --world live, or leave it out")),
            (WorldKind::Live, _, Some(_)) => Err(Usage::new(
                "với trục thật mọi chữ ký đều được ký thật",
                "every signature is really made in the live world",
            )
            .remedy("bỏ --signatures", "leave --signatures out")),
            _ => Ok(()),
        }
    }

    /// Opens the files that are named: a year takes hours.
    fn open_files(&self) -> Result<Files, Usage> {
        Ok(Files {
            json: ResultFile::open(self.json.as_deref())?,
            junit: ResultFile::open(self.junit.as_deref())?,
            html: ResultFile::open(self.html.as_deref())?,
        })
    }

    /// The command that plays it again.
    fn replay(&self, seed: u64) -> String {
        let asked = output::shell_word(&self.scenario);
        let mut text = format!("lienthong sim run {asked} --seed {seed}");
        if let Some(share) = self.signatures {
            text += &format!(" --signatures {share}");
        }
        if self.world == WorldKind::Live {
            text += &self.live.replay();
        }
        text
    }
}

/// Where the report is written to.
struct Files {
    json: ResultFile,
    junit: ResultFile,
    html: ResultFile,
}

/// Runs the command.
pub(super) fn run(args: &RunArgs, output: Output) -> anyhow::Result<ExitCode> {
    args.are_heeded()?;
    let mut scenario = super::load(&args.scenario)?;
    scenario.signatures = args.signatures.unwrap_or(scenario.signatures);
    if args.world == WorldKind::Live {
        // A hub takes no signature that was not really made.
        scenario.signatures = 1.0;
    }
    let place = args.world.place(args.live.is_on_a_running_hub());
    super::has_all(&scenario, &args.scenario, place)?;
    let files = args.open_files()?;
    let seed = args.seed.unwrap_or(scenario.seed);
    let began = Instant::now();
    let (played, verdict) = play(args, &scenario, seed)?;
    let played_for = began.elapsed().as_secs_f64();
    let replay = args.replay(seed);
    let report = Report::new((replay, &scenario), &verdict, &played, played_for);
    let json = serde_json::to_string_pretty(&report)? + "\n";
    // The verdict is told whatever becomes of the files.
    output::all_of([
        output::one(output, &report, Report::to_table),
        files.json.write(|| json),
        files.junit.write(|| verdict.junit(&report.replay, played_for)),
        files.html.write(|| report.to_html(&scenario, &verdict)),
    ])?;
    Ok(if verdict.passed() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn play(args: &RunArgs, scenario: &Scenario, seed: u64) -> anyhow::Result<(Played, Verdict)> {
    let create = |path| File::create(path).map_err(|error| output::cannot_write(path, &error));
    let created = args.trace.as_deref().map(create).transpose()?;
    let mut trace = created.map(BufWriter::new);
    let writer = trace.as_mut().map(|file| file as &mut dyn Write);
    let country = super::country()?;
    let (mut telling, began) = (Telling::of(STEPS), Instant::now());
    let told = |progress: Progress| {
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // A share of 1,000.
        let step = (progress.share * STEPS as f64) as u64;
        telling.at(step, progress.now.day().to_string(), || {
            let events = thousands(progress.events);
            let seconds = began.elapsed().as_secs_f64();
            #[allow(clippy::cast_precision_loss)] // A line on a screen.
            let speed = progress.events as f64 / seconds;
            format!("{events} sự kiện / events trong / in {seconds:.0} s: {speed:.0}/s")
        });
    };
    let played = match args.world {
        WorldKind::Virtual => {
            let world = World::new(scenario, &country, Some(seed), writer)
                .map_err(|error| super::not_played(&args.scenario, error, &country))?;
            let played = world
                .play(told)
                .map_err(|error| super::not_played(&args.scenario, error, &country))?;
            let verdict = Verdict::of(scenario, seed, &played)?;
            Ok((played, verdict))
        }
        WorldKind::Live => args.live.run(&args.scenario, (scenario, &country, seed), writer, told),
    };
    telling.finish();
    played
}
