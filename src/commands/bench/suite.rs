//! `bench suite`: the usual loads, in turn.

use clap::Args;
use lienthong_bench::{Load, Pace, Way, Work};

use super::args::{GroundArgs, within};
use super::series::Series;
use super::view;
use crate::cli::Output;
use crate::output;

/// Most documents that `--documents` may name.
const DOCUMENTS_MAX: usize = 500_000;

/// Carry out the usual loads in turn.
#[derive(Debug, Args)]
pub(crate) struct SuiteArgs {
    /// Documents of a round of the lightest load; heavier ones have fewer
    #[arg(long, value_name = "N", default_value_t = 20_000)]
    documents: usize,
    #[command(flatten)]
    ground: GroundArgs,
}

/// Carries it out and prints a row a load.
///
/// # Errors
/// When the hub cannot be started, or does not take what it is asked to.
pub(super) async fn run(args: SuiteArgs, output: Output) -> anyhow::Result<()> {
    within("--documents", args.documents as u64, DOCUMENTS_MAX as u64)?;
    let rows = Series::new(args.ground, loads(args.documents))?.carry_out().await?;
    output::many(output, &rows, view::table)
}

/// The usual loads; `documents` of the lightest.
fn loads(documents: usize) -> Vec<Load> {
    let part = |of: usize| (documents / of).max(4);
    let stream = Load {
        work: Work::Submit,
        way: Way::Streaming,
        fan_out: 1,
        payload: 0,
        documents,
        pace: Pace::InFlight(512),
    };
    let unary = Load { way: Way::Unary, pace: Pace::InFlight(128), ..stream };
    let deliver = Load { work: Work::Deliver, ..stream };
    vec![
        stream,
        Load { documents: part(2), ..unary },
        Load { documents: part(4), pace: Pace::PerSecond(1_000.0), ..unary },
        Load { documents: part(2), ..deliver },
        Load { documents: part(4), fan_out: 3, ..deliver },
        Load { documents: part(20), fan_out: 34, ..deliver },
        Load { documents: part(8), fan_out: 3, work: Work::Statuses, ..stream },
        Load { documents: part(2), payload: 1 << 10, ..stream },
        Load { documents: part(20), payload: 100 << 10, pace: Pace::InFlight(64), ..stream },
        Load { documents: part(1_000), payload: 10 << 20, pace: Pace::InFlight(8), ..stream },
    ]
}
