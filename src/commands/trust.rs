//! `lienthong trust`: whom the hub relies on, until when its revocation lists are in date, who may
//! sign; and the acts that change it.

mod lists;
mod mandates;
mod status;

use std::process::ExitCode;

use clap::{Args, Subcommand};

use crate::cli::Output;
use crate::source::SourceArgs;

/// Show and change what signatures are judged by / tin cậy: gốc, danh sách thu hồi, thẩm quyền ký
///
/// Without a subcommand: authorities and their revocation lists, what is late, what waits for
/// proof. Changes are made by an operator (--operator) with an appointment as administrator, or in a
/// data folder that no hub uses (--data). docs/TRUST.md has the rules.
#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(crate) struct TrustArgs {
    #[command(subcommand)]
    command: Option<TrustCommand>,
    #[command(flatten)]
    source: SourceArgs,
}

#[derive(Debug, Subcommand)]
enum TrustCommand {
    /// Put revocation lists in force, without a restart / đưa danh sách thu hồi vào hiệu lực
    AddList(lists::AddListArgs),
    /// Make an authority known, as a trusted root or not / thêm nơi cấp chứng thư
    AddAuthority(lists::AddAuthorityArgs),
    /// Say for how long a late revocation list is waited for / thời gian chờ danh sách thu hồi
    Grace(lists::GraceArgs),
    /// List who may sign for an agency / ai có thẩm quyền ký
    Mandates(mandates::ListArgs),
    /// Enter or end mandates, from a file or one by flags / đăng ký, chấm dứt thẩm quyền ký
    Mandate(Box<mandates::EnterArgs>),
}

/// Runs the command.
///
/// # Errors
/// When the source cannot be read, or an act is refused.
pub(crate) async fn run(args: TrustArgs, output: Output) -> anyhow::Result<ExitCode> {
    match args.command {
        None => status::show(&args.source, output).await?,
        Some(TrustCommand::AddList(args)) => lists::add_list(&args, output).await?,
        Some(TrustCommand::AddAuthority(args)) => lists::add_authority(&args, output).await?,
        Some(TrustCommand::Grace(args)) => lists::grace(&args, output).await?,
        Some(TrustCommand::Mandates(args)) => mandates::list(&args, output).await?,
        Some(TrustCommand::Mandate(args)) => mandates::enter(*args, output).await?,
    }
    Ok(ExitCode::SUCCESS)
}
