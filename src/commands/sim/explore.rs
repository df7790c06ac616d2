//! `lienthong sim explore`: random scenarios with random faults, against the laws.

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Instant;

use lienthong_simulator::explore::{self, Failure};
use serde::Serialize;

use super::telling::Telling;
use crate::cli::Output;
use crate::output::{self, ResultFile, thousands};

/// Play random scenarios with random faults against the laws / kịch bản ngẫu nhiên
///
/// Each seed gives one small scenario. A seed that breaks a law, or panics, is shrunk to a small
/// scenario that does so too, which is printed as a file. Exit code 1 when one does.
#[derive(Debug, clap::Args)]
pub(super) struct ExploreArgs {
    /// How many seeds / số lượng
    #[arg(long, value_name = "N", default_value_t = 200)]
    seeds: u64,
    /// The first one / hạt giống đầu tiên
    #[arg(long, value_name = "S", default_value_t = 0)]
    from: u64,
    /// Where to write the scenario of a failure / nơi ghi kịch bản lỗi
    #[arg(long, value_name = "FILE")]
    save: Option<PathBuf>,
}

#[derive(Debug, Serialize)]
struct Outcome {
    seeds: u64,
    faults: u64,
    documents: u64,
    events: u64,
    seconds: f64,
    failure: Option<FailureView>,
}

#[derive(Debug, Serialize)]
struct FailureView {
    seed: u64,
    broken: Vec<String>,
    /// Scenarios played to shrink it.
    played: u32,
    /// The small scenario, as a file.
    scenario: String,
    replay: String,
}

/// Runs the command; the first failure ends it.
pub(super) fn run(args: &ExploreArgs, output: Output) -> anyhow::Result<ExitCode> {
    let save = ResultFile::open(args.save.as_deref())?;
    let country = explore::sample(&super::country()?);
    let (mut telling, began) = (Telling::of(args.seeds), Instant::now());
    let seeds = args.from..args.from.saturating_add(args.seeds);
    let (explored, failure) = explore::seeds(seeds, &country, |explored, seed| {
        telling.at(explored.seeds, seed.to_string(), || {
            format!("{} sự kiện / events", thousands(explored.events))
        });
    });
    telling.finish();
    let passed = failure.is_none();
    let outcome = Outcome {
        seeds: explored.seeds,
        faults: explored.faults,
        documents: explored.documents,
        events: explored.events,
        seconds: began.elapsed().as_secs_f64(),
        failure: failure.map(FailureView::of),
    };
    // The seed is told whatever becomes of the file.
    let printed = output::one(output, &outcome, Outcome::to_table);
    let saved = match &outcome.failure {
        Some(failure) => save.write(|| failure.scenario.clone()),
        None => Ok(()),
    };
    output::all_of([printed, saved])?;
    Ok(if passed { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

impl FailureView {
    fn of(failure: Failure) -> Self {
        Self {
            replay: format!("lienthong sim explore --from {} --seeds 1", failure.seed),
            seed: failure.seed,
            broken: failure.broken,
            played: failure.played,
            scenario: failure.scenario.to_toml(),
        }
    }
}

impl Outcome {
    fn to_table(&self) -> String {
        let text = output::pairs(&[
            ("hạt giống / seeds", thousands(self.seeds)),
            ("sự cố / faults", thousands(self.faults)),
            ("văn bản / documents", thousands(self.documents)),
            (
                "sự kiện / events",
                format!("{} trong / in {:.1} s", thousands(self.events), self.seconds),
            ),
        ]);
        match &self.failure {
            None => text + "\nmọi luật đều đúng / every law holds\n",
            Some(failure) => format!(
                "{text}\nhạt giống / seed {} phá luật / breaks a law:\n  {}\n\n\
                 kịch bản nhỏ nhất / the smallest scenario ({} đã chạy / played):\n\n{}\n\
                 chạy lại / replay: {}\n",
                failure.seed,
                failure.broken.join("\n  "),
                failure.played,
                failure.scenario,
                failure.replay
            ),
        }
    }
}
