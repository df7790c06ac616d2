//! `lienthong evidence`: checkpoints of the hub's log, and the check of what they prove.

mod bundle;

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context as _;
use clap::{Args, Subcommand};
use lienthong_connector::Evidence;
use lienthong_model::Digest;
use lienthong_trust::merkle::entry::{LeafEntry, LeafKind};
use lienthong_trust::merkle::{PROOF_HASHES_MAX, verify_consistency, verify_inclusion};
use lienthong_trust::{Checkpoint, NoteKey};
use serde::Serialize;

use crate::cli::Output;
use crate::connect::{HUB_DEFAULT, WhoArgs};
use crate::output;
use crate::say::Usage;

/// Ask for the log's checkpoints, check evidence offline / bằng chứng
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
    /// Print the newest checkpoint of the hub's log, and its key
    Checkpoint(CheckpointArgs),
    /// Check a file of evidence; needs the log's key and no network
    Verify(VerifyArgs),
    /// Keep what the verdict on a document rested on; `lienthong verify` derives it again
    Bundle(bundle::BundleArgs),
}

#[derive(Debug, Args)]
struct CheckpointArgs {
    /// The hub to ask
    #[arg(long, value_name = "URL", env = "LIENTHONG_HUB", default_value = HUB_DEFAULT)]
    hub: String,
    /// An earlier checkpoint: ask for the proof that nothing before it was changed, and check it
    #[arg(long, value_name = "FILE", requires = "key")]
    since: Option<PathBuf>,
    /// The log's key, from elsewhere than this hub: name+id+key
    #[arg(long, value_name = "KEY")]
    key: Option<String>,
    #[command(flatten)]
    who: WhoArgs,
}

#[derive(Debug, Args)]
struct VerifyArgs {
    /// The file that `lienthong send --evidence` wrote
    file: PathBuf,
    /// The log's key, from elsewhere than this file: name+id+key
    #[arg(long, value_name = "KEY")]
    key: String,
}

#[derive(Debug, Serialize)]
struct CheckpointView {
    key: String,
    checkpoint: String,
    /// The size of the earlier checkpoint that this one was shown to continue.
    continues: Option<u64>,
}

#[derive(Debug, Serialize)]
struct Proven {
    log: String,
    size: u64,
    position: u64,
    kind: &'static str,
    received_at: String,
    sha256: String,
    signatures_sha256: String,
}

/// Runs the command.
///
/// # Errors
/// When the hub cannot be asked, or something does not hold.
pub(crate) async fn run(args: EvidenceArgs, output: Output) -> anyhow::Result<ExitCode> {
    match args.what {
        What::Checkpoint(args) => output::one(output, &checkpoint(&args).await?, |view| {
            let mut lines = vec![("khóa / key", view.key.clone())];
            if let Some(size) = view.continues {
                lines.push(("tiếp nối / continues", format!("the checkpoint of {size} leaves")));
            }
            format!("{}\n{}", view.checkpoint.trim_end(), output::pairs(&lines))
        })?,
        What::Bundle(args) => output::one(output, &bundle::fetch(&args).await?, |view| {
            output::pairs(&[
                ("tệp / file", view.file.clone()),
                ("byte / bytes", output::thousands(view.bytes as u64)),
            ])
        })?,
        What::Verify(args) => output::one(output, &verify(&args)?, |proven| {
            output::pairs(&[
                ("đúng / holds", format!("#{} of {}", proven.position, proven.size)),
                ("nhật ký / log", proven.log.clone()),
                ("loại / kind", proven.kind.to_owned()),
                ("lúc / at", proven.received_at.clone()),
                ("SHA-256", proven.sha256.clone()),
                ("chữ ký / signatures SHA-256", proven.signatures_sha256.clone()),
            ])
        })?,
    }
    Ok(ExitCode::SUCCESS)
}

async fn checkpoint(args: &CheckpointArgs) -> anyhow::Result<CheckpointView> {
    let key = args.key.as_deref().map(key_of).transpose()?;
    let client = args.who.connect(&args.hub).await?.client;
    let newest = client.checkpoint().await?;
    let mut view =
        CheckpointView { key: newest.key, checkpoint: newest.checkpoint, continues: None };
    let Some(key) = key else { return Ok(view) };
    view.key = key.to_string();
    Checkpoint::open(&view.checkpoint, &key).context("the hub's checkpoint")?;
    if let Some(path) = &args.since {
        let earlier = Checkpoint::open(&read(path)?, &key).context("the earlier checkpoint")?;
        let proof = client.consistency(earlier.size, None).await?;
        let now = Checkpoint::open(&proof.checkpoint, &key).context("the hub's checkpoint")?;
        let (first, second) = ((earlier.size, &earlier.root), (now.size, &now.root));
        verify_consistency(first, second, &proof.hashes)
            .context("the log was changed since the earlier checkpoint")?;
        (view.checkpoint, view.continues) = (proof.checkpoint, Some(earlier.size));
    }
    Ok(view)
}

fn verify(args: &VerifyArgs) -> anyhow::Result<Proven> {
    let key = key_of(&args.key)?;
    let text = read(&args.file)?;
    let malformed = |why: &str| {
        Usage::new(format!("`{}` is no evidence: {why}", args.file.display()))
            .remedy("give the file that `lienthong send --evidence FILE` wrote")
    };
    let evidence: Evidence =
        serde_json::from_str(&text).map_err(|error| malformed(&error.to_string()))?;
    let bytes = hex::decode(&evidence.entry).map_err(|error| malformed(&error.to_string()))?;
    let entry = LeafEntry::from_bytes(&bytes).ok_or_else(|| malformed("the entry is malformed"))?;
    if evidence.proof.len() > PROOF_HASHES_MAX {
        return Err(malformed("the proof is too long").into());
    }
    let hash = |text: &String| hex::decode(text).ok().and_then(|hash| Digest::from_slice(&hash));
    let proof: Option<Vec<Digest>> = evidence.proof.iter().map(hash).collect();
    let proof = proof.ok_or_else(|| malformed("a hash of the proof is malformed"))?;
    let checkpoint = Checkpoint::open(&evidence.checkpoint, &key).context("the checkpoint")?;
    let (position, size) = (evidence.position, checkpoint.size);
    verify_inclusion(&entry.hash(), position, &proof, size, &checkpoint.root)
        .context("the log does not have it")?;
    Ok(Proven {
        log: checkpoint.origin,
        size,
        position,
        kind: match entry.kind {
            LeafKind::Document => "document",
            LeafKind::Report => "status report",
        },
        received_at: entry.time.to_string(),
        sha256: entry.content.to_string(),
        signatures_sha256: entry.signatures.to_string(),
    })
}

fn key_of(text: &str) -> anyhow::Result<NoteKey> {
    let parsed = NoteKey::parse(text);
    parsed.map_err(|error| {
        Usage::new(format!("`{text}` is no key of a log: {error}"))
            .remedy(
                "ask the hub's operator for the key that `lienthong evidence checkpoint` prints",
            )
            .into()
    })
}

fn read(path: &Path) -> anyhow::Result<String> {
    std::fs::read_to_string(path).with_context(|| format!("cannot read `{}`", path.display()))
}

/// Writes what proves a document into a new file.
///
/// # Errors
/// When there is one already, or it cannot be written.
pub(crate) fn write(evidence: &Evidence, path: &Path) -> anyhow::Result<()> {
    let failed = || format!("the document is accepted, but `{}` was not written", path.display());
    let mut file = std::fs::File::create_new(path).with_context(failed)?;
    let mut text = serde_json::to_string_pretty(evidence)?;
    text.push('\n');
    file.write_all(text.as_bytes()).and_then(|()| file.sync_all()).with_context(failed)
}
