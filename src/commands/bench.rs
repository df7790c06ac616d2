//! `lienthong bench`: how fast the hub is, on this machine, beside what its disk can do.

mod args;
mod beside;
mod compare;
mod overload;
mod series;
mod suite;
mod view;

use std::process::ExitCode;

use clap::{Args, Subcommand};

use self::args::{GroundArgs, LoadArgs};
use crate::cli::Output;
use crate::output;
use series::Series;

/// Measure a hub under load / đo tải
///
/// Starts a hub in a process of its own on a temporary folder, with a test PKI, everything on:
/// mutual TLS, strict verification, fdatasync before the reply, receipts with proof. Documents are
/// signed before the clock starts. Beside the hub's latencies stands what the disk does by itself
/// in the same minute; quote ratios, not figures.
#[derive(Debug, Args)]
pub(crate) struct BenchArgs {
    #[command(subcommand)]
    command: BenchCommand,
}

#[derive(Debug, Subcommand)]
enum BenchCommand {
    /// Carry out one load, round by round / một kiểu tải
    Run(RunArgs),
    /// Carry out the usual loads in turn / các kiểu tải thường dùng
    Suite(suite::SuiteArgs),
    Compare(compare::CompareArgs),
    Overload(overload::OverloadArgs),
    /// Measure others beside somebody who is a burden / đo bên cạnh bên gây tải
    Beside(beside::BesideArgs),
}

/// Carry out one load, round by round.
#[derive(Debug, Args)]
struct RunArgs {
    #[command(flatten)]
    load: LoadArgs,
    #[command(flatten)]
    ground: GroundArgs,
}

/// Runs the command.
///
/// # Errors
/// When the hub cannot be started or reached, or does not take what it is asked to.
pub(crate) async fn run(args: BenchArgs, output: Output) -> anyhow::Result<ExitCode> {
    match args.command {
        BenchCommand::Run(args) => {
            let series = Series::new(args.ground, vec![args.load.load()?])?;
            let rows = series.carry_out().await?;
            output::many(output, &rows, view::table)?;
        }
        BenchCommand::Suite(args) => suite::run(args, output).await?,
        BenchCommand::Compare(args) => compare::run(args, output).await?,
        BenchCommand::Overload(args) => overload::run(args, output).await?,
        BenchCommand::Beside(args) => beside::run(args, output).await?,
    }
    Ok(ExitCode::SUCCESS)
}
