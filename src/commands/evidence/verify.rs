//! `lienthong evidence verify`: a file of evidence, checked with the log's key and nothing else.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context as _;
use clap::Args;
use lienthong_connector::Evidence;
use lienthong_trust::merkle::entry::{LeafEntry, LeafKind};
use lienthong_trust::merkle::{verify_consistency, verify_inclusion};
use lienthong_trust::{Checkpoint, NoteKey};
use serde::Serialize;

use super::file::{Consistency, EvidenceFile, inclusion, key_of, malformed};
use crate::cli::Output;
use crate::output;

#[derive(Debug, Args)]
pub(super) struct VerifyArgs {
    /// The file: of one document or report, or of two checkpoints
    file: PathBuf,
    /// The log's key, from elsewhere than this file: name+id+key
    #[arg(long, value_name = "KEY")]
    key: String,
}

/// What evidence of a leaf proves.
#[derive(Debug, Serialize)]
pub(super) struct Proven {
    log: String,
    size: u64,
    position: u64,
    kind: &'static str,
    received_at: String,
    sha256: String,
    signatures_sha256: String,
}

/// What evidence of two checkpoints proves.
#[derive(Debug, Serialize)]
struct Continued {
    log: String,
    earlier_size: u64,
    size: u64,
}

/// Runs the command.
pub(super) fn run(args: &VerifyArgs, output: Output) -> anyhow::Result<ExitCode> {
    let key = key_of(&args.key)?;
    match EvidenceFile::read(&args.file)? {
        EvidenceFile::Inclusion(evidence) => {
            output::one(output, &included(args, &evidence, &key)?, proven_text)?;
        }
        EvidenceFile::Consistency(consistency) => {
            let continued = continued(args, &consistency, &key)?;
            output::one(output, &continued, |continued| {
                let Continued { log, earlier_size, size } = continued;
                let holds = format!(
                    "nhật ký băm {size} lá tiếp nối {earlier_size} lá / \
                     the log of {size} leaves goes on from that of {earlier_size}"
                );
                output::pairs(&[("đúng / holds", holds), ("nhật ký băm / log", log.clone())])
            })?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn included(args: &VerifyArgs, evidence: &Evidence, key: &NoteKey) -> anyhow::Result<Proven> {
    let read = inclusion(evidence).map_err(|why| malformed(&args.file, &why))?;
    let checkpoint = Checkpoint::open(&read.proof.checkpoint, key).context("the checkpoint")?;
    let Checkpoint { size, root, .. } = &checkpoint;
    verify_inclusion(&read.entry.hash(), read.position, &read.proof.hashes, *size, root)
        .context("the log does not have it")?;
    Ok(Proven::new(&read.entry, read.position, checkpoint))
}

fn continued(
    args: &VerifyArgs,
    consistency: &Consistency,
    key: &NoteKey,
) -> anyhow::Result<Continued> {
    let hashes = consistency.hashes().map_err(|why| malformed(&args.file, &why))?;
    let earlier = Checkpoint::open(&consistency.earlier, key).context("the earlier checkpoint")?;
    let later = Checkpoint::open(&consistency.checkpoint, key).context("the later checkpoint")?;
    verify_consistency((earlier.size, &earlier.root), (later.size, &later.root), &hashes)
        .context("the log of the later checkpoint does not go on from that of the earlier one")?;
    Ok(Continued { log: later.origin, earlier_size: earlier.size, size: later.size })
}

impl Proven {
    pub(super) fn new(entry: &LeafEntry, position: u64, checkpoint: Checkpoint) -> Self {
        Self {
            log: checkpoint.origin,
            size: checkpoint.size,
            position,
            kind: match entry.kind {
                LeafKind::Document => "document",
                LeafKind::Report => "status report",
            },
            received_at: entry.time.to_string(),
            sha256: entry.content.to_string(),
            signatures_sha256: entry.signatures.to_string(),
        }
    }
}

/// Writes for people what is proven.
pub(super) fn proven_text(proven: &Proven) -> String {
    output::pairs(&[
        ("đúng / holds", format!("#{} trong / of {}", proven.position, proven.size)),
        ("nhật ký băm / log", proven.log.clone()),
        ("loại / kind", proven.kind.to_owned()),
        ("lúc / at", proven.received_at.clone()),
        ("SHA-256", proven.sha256.clone()),
        ("chữ ký / signatures SHA-256", proven.signatures_sha256.clone()),
    ])
}
