//! Files of evidence: JSON that is stable, in text that anybody can read.

use std::io::Write as _;
use std::path::Path;

use anyhow::Context as _;
use lienthong_client::LogProof;
use lienthong_connector::Evidence;
use lienthong_model::Digest;
use lienthong_trust::NoteKey;
use lienthong_trust::merkle::PROOF_HASHES_MAX;
use lienthong_trust::merkle::entry::LeafEntry;
use serde::{Deserialize, Serialize};

use crate::say::Usage;

/// What proves that the log of one checkpoint is the beginning of that of another.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Consistency {
    pub earlier: String,
    /// The consistency proof, in hex, lowest first.
    proof: Vec<String>,
    pub checkpoint: String,
}

/// A file of evidence.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
pub(super) enum EvidenceFile {
    Inclusion(Evidence),
    Consistency(Consistency),
}

/// Evidence of a leaf, as values.
pub(super) struct Inclusion {
    pub position: u64,
    pub entry: LeafEntry,
    pub proof: LogProof,
}

/// Writes what proves a document or report into a new file.
///
/// # Errors
/// When there is one already, or it cannot be written.
pub(crate) fn write(evidence: &Evidence, path: &Path) -> anyhow::Result<()> {
    write_json(path, evidence)
}

/// The values in evidence, or why there are none.
pub(super) fn inclusion(evidence: &Evidence) -> Result<Inclusion, String> {
    let bytes = hex::decode(&evidence.entry).map_err(|error| error.to_string())?;
    let entry = LeafEntry::from_bytes(&bytes).ok_or("the entry is malformed")?;
    let hashes = from_hex(&evidence.proof)?;
    let proof = LogProof { checkpoint: evidence.checkpoint.clone(), hashes };
    Ok(Inclusion { position: evidence.position, entry, proof })
}

impl Consistency {
    pub(super) fn new(earlier: String, proof: &[Digest], checkpoint: String) -> Self {
        Self { earlier, proof: in_hex(proof), checkpoint }
    }

    /// Writes it into a new file.
    pub(super) fn write(&self, path: &Path) -> anyhow::Result<()> {
        write_json(path, self)
    }

    /// The proof, or why there is none.
    pub(super) fn hashes(&self) -> Result<Vec<Digest>, String> {
        from_hex(&self.proof)
    }
}

impl EvidenceFile {
    /// Reads a file.
    ///
    /// # Errors
    /// [`Usage`] when it is none.
    pub(super) fn read(path: &Path) -> anyhow::Result<Self> {
        let text = read(path)?;
        serde_json::from_str(&text).map_err(|error| malformed(path, &error.to_string()).into())
    }

    /// The checkpoint in it: of two the later one.
    fn checkpoint(self) -> String {
        match self {
            Self::Inclusion(evidence) => evidence.checkpoint,
            Self::Consistency(consistency) => consistency.checkpoint,
        }
    }
}

/// Reads a checkpoint: a signed note as it is, or the newest one in a file of evidence.
pub(super) fn read_checkpoint(path: &Path) -> anyhow::Result<String> {
    let text = read(path)?;
    match serde_json::from_str::<EvidenceFile>(&text) {
        Ok(evidence) => Ok(evidence.checkpoint()),
        Err(_) => Ok(text),
    }
}

/// Says that a file is no evidence.
pub(super) fn malformed(path: &Path, why: &str) -> Usage {
    let shown = path.display();
    Usage::new(
        format!("`{shown}` không phải tệp bằng chứng"),
        format!("`{shown}` is no evidence: {why}"),
    )
    .remedy(
        "chỉ tệp mà `lienthong send --evidence`, `lienthong evidence receipt --write` hoặc \
         `lienthong evidence checkpoint --since … --write` đã ghi",
        "give a file that `lienthong send --evidence`, `lienthong evidence receipt --write` or \
         `lienthong evidence checkpoint --since … --write` wrote",
    )
}

/// Reads a log's key as users give it.
pub(crate) fn key_of(text: &str) -> anyhow::Result<NoteKey> {
    let parsed = NoteKey::parse(text);
    parsed.map_err(|error| {
        let vi = format!("`{text}` không phải khóa của nhật ký băm");
        Usage::new(vi, format!("`{text}` is no key of a log: {error}"))
            .remedy(
                "hỏi đơn vị vận hành trục khóa mà `lienthong evidence checkpoint` in ra",
                "ask the hub's operator for the key that `lienthong evidence checkpoint` prints",
            )
            .into()
    })
}

/// Writes text into a new file, on disk on return.
pub(super) fn write_new(path: &Path, text: &str) -> anyhow::Result<()> {
    let failed = || format!("`{}` was not written", path.display());
    let mut file = std::fs::File::create_new(path).with_context(failed)?;
    file.write_all(text.as_bytes()).and_then(|()| file.sync_all()).with_context(failed)
}

fn write_json(path: &Path, value: &impl Serialize) -> anyhow::Result<()> {
    write_new(path, &(serde_json::to_string_pretty(value)? + "\n"))
}

fn read(path: &Path) -> anyhow::Result<String> {
    std::fs::read_to_string(path).with_context(|| format!("cannot read `{}`", path.display()))
}

fn in_hex(hashes: &[Digest]) -> Vec<String> {
    hashes.iter().map(|hash| hex::encode(hash.as_bytes())).collect()
}

fn from_hex(hashes: &[String]) -> Result<Vec<Digest>, String> {
    if hashes.len() > PROOF_HASHES_MAX {
        return Err("the proof is too long".to_owned());
    }
    let hash = |text: &String| hex::decode(text).ok().and_then(|hash| Digest::from_slice(&hash));
    let hashes: Option<Vec<Digest>> = hashes.iter().map(hash).collect();
    hashes.ok_or_else(|| "a hash of the proof is malformed".to_owned())
}
