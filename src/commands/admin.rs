//! `lienthong admin`: who operates and administers the hub, how much agencies may send, how
//! long recipients may take, and what indicators should reach.

mod appointments;
mod quotas;
mod targets;
mod terms;

use std::process::ExitCode;

use clap::{Args, Subcommand};

use crate::cli::Output;
use crate::source::SourceArgs;

/// Appoint operators and administrators, set quotas and targets / quản trị viên, hạn mức, mục tiêu
///
/// There is no default account: the first administrator is appointed in the data folder (--data)
/// while no hub uses it, every other by an administrator through the hub (--operator).
#[derive(Debug, Args)]
pub(crate) struct AdminArgs {
    #[command(subcommand)]
    command: AdminCommand,
}

#[derive(Debug, Subcommand)]
enum AdminCommand {
    /// Appoint a person, or end an appointment / bổ nhiệm, chấm dứt
    Appoint(Box<appointments::AppointArgs>),
    /// List every appointment / danh sách bổ nhiệm
    Appointments(SourceArgs),
    /// Set what an agency, or every other one, may send in a day / đặt hạn mức
    Quota(Box<quotas::QuotaArgs>),
    /// List every quota / danh sách hạn mức
    Quotas(SourceArgs),
    /// Show or set how long recipients may take and contents are kept / thời hạn
    Terms(Box<terms::TermsArgs>),
    /// Set what an indicator should reach by a day / đặt mục tiêu
    Target(Box<targets::TargetArgs>),
    /// List every target / danh sách mục tiêu
    Targets(SourceArgs),
}

/// Runs the command.
///
/// # Errors
/// When the source cannot be read, or an act is refused.
pub(crate) async fn run(args: AdminArgs, output: Output) -> anyhow::Result<ExitCode> {
    match args.command {
        AdminCommand::Appoint(args) => appointments::appoint(&args, output).await?,
        AdminCommand::Appointments(source) => appointments::list(&source, output).await?,
        AdminCommand::Quota(args) => quotas::set(&args, output).await?,
        AdminCommand::Quotas(source) => quotas::list(&source, output).await?,
        AdminCommand::Terms(args) => terms::run(&args, output).await?,
        AdminCommand::Target(args) => targets::set(&args, output).await?,
        AdminCommand::Targets(source) => targets::list(&source, output).await?,
    }
    Ok(ExitCode::SUCCESS)
}
