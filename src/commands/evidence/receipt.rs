//! `lienthong evidence receipt`: what proves that something was accepted, fetched anew.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context as _;
use clap::Args;
use lienthong_connector::Evidence;
use lienthong_model::{AgencyCode, MessageId};

use super::file::{self, key_of};
use super::verify::{Proven, proven_text};
use crate::cli::Output;
use crate::connect::{HUB_DEFAULT, WhoArgs};
use crate::output;

/// Fetch what proves that a document or report was accepted, also long after / lấy bằng chứng
///
/// The sender, its gateway and the recipients of a document can ask, for a report whoever reported.
#[derive(Debug, Args)]
pub(super) struct ReceiptArgs {
    /// The code of the sender, or of the agency that reported
    sender: AgencyCode,
    /// The message's id, as `lienthong send` printed it
    id: MessageId,
    /// The hub to ask
    #[arg(long, value_name = "URL", env = "LIENTHONG_HUB", default_value = HUB_DEFAULT)]
    hub: String,
    /// The log's key, from elsewhere than this hub: name+id+key
    #[arg(long, value_name = "KEY")]
    key: String,
    /// Keep it in a new file, which `lienthong evidence verify` checks
    #[arg(long, value_name = "FILE")]
    write: Option<PathBuf>,
    #[command(flatten)]
    who: WhoArgs,
}

/// Runs the command.
pub(super) async fn run(args: &ReceiptArgs, output: Output) -> anyhow::Result<ExitCode> {
    let key = key_of(&args.key)?;
    let client = args.who.connect(&args.hub).await?.client;
    let leaf = client.leaf(&args.sender, args.id).await?;
    let checkpoint = leaf
        .proof
        .check(&leaf.entry.hash(), leaf.position, &key)
        .context("what the hub answered proves nothing")?;
    if let Some(path) = &args.write {
        file::write(&Evidence::of_leaf(&leaf), path)?;
    }
    output::one(output, &Proven::new(&leaf.entry, leaf.position, checkpoint), proven_text)?;
    Ok(ExitCode::SUCCESS)
}
