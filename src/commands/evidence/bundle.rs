//! `lienthong evidence bundle`: keeps what the verdict on a document rested on, as a file.

use std::io::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context as _;
use clap::Args;
use lienthong_model::{AgencyCode, MessageId};
use serde::Serialize;

use crate::cli::Output;
use crate::connect::{HUB_DEFAULT, WhoArgs};
use crate::output;

#[derive(Debug, Args)]
pub(super) struct BundleArgs {
    /// The sender's code
    sender: AgencyCode,
    /// The message's id, as `lienthong send` printed it
    id: MessageId,
    /// The file to write; there must be none of that name
    #[arg(long, value_name = "FILE")]
    write: PathBuf,
    /// The hub to ask
    #[arg(long, value_name = "URL", env = "LIENTHONG_HUB", default_value = HUB_DEFAULT)]
    hub: String,
    #[command(flatten)]
    who: WhoArgs,
}

#[derive(Debug, Serialize)]
struct BundleView {
    /// The file.
    file: String,
    /// Its length.
    bytes: usize,
}

/// Runs the command.
pub(super) async fn run(args: &BundleArgs, output: Output) -> anyhow::Result<ExitCode> {
    output::one(output, &fetch(args).await?, |view| {
        output::pairs(&[
            ("tệp / file", view.file.clone()),
            ("byte / bytes", output::thousands(view.bytes as u64)),
        ])
    })?;
    Ok(ExitCode::SUCCESS)
}

/// Asks for the bundle and writes it.
async fn fetch(args: &BundleArgs) -> anyhow::Result<BundleView> {
    let client = args.who.connect(&args.hub).await?.client;
    let bundle = client.evidence_bundle(&args.sender, args.id).await?;
    let failed = || format!("cannot write `{}`", args.write.display());
    let mut file = std::fs::File::create_new(&args.write).with_context(failed)?;
    file.write_all(&bundle).and_then(|()| file.sync_all()).with_context(failed)?;
    Ok(BundleView { file: args.write.display().to_string(), bytes: bundle.len() })
}
