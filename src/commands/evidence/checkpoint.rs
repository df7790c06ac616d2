//! `lienthong evidence checkpoint`: the newest checkpoint, and that it continues an earlier one.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context as _;
use clap::Args;
use lienthong_trust::Checkpoint;
use lienthong_trust::merkle::verify_consistency;
use serde::Serialize;

use super::file::{Consistency, key_of, read_checkpoint, write_new};
use crate::cli::Output;
use crate::connect::{HUB_DEFAULT, WhoArgs};
use crate::output;

#[derive(Debug, Args)]
pub(super) struct CheckpointArgs {
    /// The hub to ask
    #[arg(long, value_name = "URL", env = "LIENTHONG_HUB", default_value = HUB_DEFAULT)]
    hub: String,
    /// An earlier checkpoint, or a file with one: ask for the proof that nothing before it was
    /// changed, and check it
    #[arg(long, value_name = "FILE", requires = "key")]
    since: Option<PathBuf>,
    /// The log's key, from elsewhere than this hub: name+id+key
    #[arg(long, value_name = "KEY")]
    key: Option<String>,
    /// Keep it in a new file: the checkpoint, with --since both checkpoints and the proof
    #[arg(long, value_name = "FILE")]
    write: Option<PathBuf>,
    #[command(flatten)]
    who: WhoArgs,
}

#[derive(Debug, Serialize)]
struct CheckpointView {
    key: String,
    checkpoint: String,
    /// The size of the earlier checkpoint that this one was shown to continue.
    continues: Option<u64>,
}

/// Runs the command.
pub(super) async fn run(args: &CheckpointArgs, output: Output) -> anyhow::Result<ExitCode> {
    let view = checkpoint(args).await?;
    output::one(output, &view, |view| {
        let mut lines = vec![("khóa / key", view.key.clone())];
        if let Some(size) = view.continues {
            let earlier = format!("mốc đã ký của {size} lá / the checkpoint of {size} leaves");
            lines.push(("tiếp nối / continues", earlier));
        }
        format!("{}\n{}", view.checkpoint.trim_end(), output::pairs(&lines))
    })?;
    Ok(ExitCode::SUCCESS)
}

async fn checkpoint(args: &CheckpointArgs) -> anyhow::Result<CheckpointView> {
    let key = args.key.as_deref().map(key_of).transpose()?;
    let client = args.who.connect(&args.hub).await?.client;
    let newest = client.checkpoint().await?;
    let mut view =
        CheckpointView { key: newest.key, checkpoint: newest.checkpoint, continues: None };
    if let Some(key) = &key {
        view.key = key.to_string();
        Checkpoint::open(&view.checkpoint, key).context("the hub's checkpoint")?;
    }
    let (Some(key), Some(since)) = (key, &args.since) else {
        if let Some(path) = &args.write {
            write_new(path, &view.checkpoint)?;
        }
        return Ok(view);
    };
    let earlier_note = read_checkpoint(since)?;
    let earlier = Checkpoint::open(&earlier_note, &key).context("the earlier checkpoint")?;
    let proof = client.consistency(earlier.size, None).await?;
    let now = Checkpoint::open(&proof.checkpoint, &key).context("the hub's checkpoint")?;
    let (first, second) = ((earlier.size, &earlier.root), (now.size, &now.root));
    verify_consistency(first, second, &proof.hashes)
        .context("the log was changed since the earlier checkpoint")?;
    if let Some(path) = &args.write {
        let kept = Consistency::new(earlier_note, &proof.hashes, proof.checkpoint.clone());
        kept.write(path)?;
    }
    (view.checkpoint, view.continues) = (proof.checkpoint, Some(earlier.size));
    Ok(view)
}
