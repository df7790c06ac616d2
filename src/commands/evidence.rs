//! `lienthong evidence`: what the hub's log proves, and the audit of a data folder.

mod audit;
mod bundle;
mod checkpoint;
mod file;
mod receipt;
mod salvage;
mod verify;

use std::process::ExitCode;

use clap::{Args, Subcommand};

use crate::cli::Output;

pub(crate) use audit::view::{AuditView, text as audit_text};
pub(crate) use file::{key_of, write};

/// Checkpoints, proofs, their check offline, the audit of a data folder / bằng chứng
///
/// The hub keeps a Merkle log of what it accepted. A checkpoint is its signed statement of the
/// log's size and root; `lienthong send --evidence FILE` keeps what proves one document.
#[derive(Debug, Args)]
pub(crate) struct EvidenceArgs {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Print the newest checkpoint of the hub's log, and its key / mốc đã ký mới nhất
    Checkpoint(checkpoint::CheckpointArgs),
    Receipt(receipt::ReceiptArgs),
    /// Check a file of evidence; needs the log's key and no network / kiểm tra bằng chứng
    Verify(verify::VerifyArgs),
    Audit(audit::AuditArgs),
    Salvage(salvage::SalvageArgs),
    /// Keep what the verdict on a document rested on; `lienthong verify` derives it again / gói
    /// bằng chứng
    Bundle(bundle::BundleArgs),
}

/// Runs the command.
///
/// # Errors
/// When the hub cannot be asked, or something does not hold.
pub(crate) async fn run(args: EvidenceArgs, output: Output) -> anyhow::Result<ExitCode> {
    match args.what {
        What::Checkpoint(args) => checkpoint::run(&args, output).await,
        What::Receipt(args) => receipt::run(&args, output).await,
        What::Verify(args) => verify::run(&args, output),
        What::Audit(args) => audit::run(args, output),
        What::Salvage(args) => salvage::run(&args, output),
        What::Bundle(args) => bundle::run(&args, output).await,
    }
}
