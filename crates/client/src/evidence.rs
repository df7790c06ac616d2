//! Evidence: what shows, without trust in the hub's word, that it accepted something and rewrote
//! nothing. Checked here from the bytes and the key of the hub's log, which the caller has from
//! elsewhere.

use bytes::{Bytes, BytesMut};
use lienthong_model::limits::EVIDENCE_BUNDLE_BYTES_MAX;
use lienthong_model::{AgencyCode, Digest, MessageId, SignedContent, Timestamp};
use lienthong_trust::merkle::entry::{LeafEntry, LeafKind};
use lienthong_trust::merkle::{self, PROOF_HASHES_MAX, ProofError};
use lienthong_trust::{Checkpoint, CheckpointError, NoteKey, dsse};
use lienthong_wire::proto;

use crate::client::Client;
use crate::error::CallError;
use crate::read;
use crate::receipt::{Receipt, StatusReceipt};

/// What proves that a leaf is in the hub's log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogProof {
    /// A checkpoint, as the hub signed it.
    pub checkpoint: String,
    /// The inclusion proof for the size in the checkpoint, lowest first.
    pub hashes: Vec<Digest>,
}

/// A leaf of the hub's log with its proof, unchecked: see [`LogProof::check`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProvenLeaf {
    /// Its place.
    pub position: u64,
    /// What was hashed.
    pub entry: LeafEntry,
    /// That it is in the log, by the newest checkpoint.
    pub proof: LogProof,
}

/// The newest checkpoint of a hub, unchecked: see [`Checkpoint::open`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewestCheckpoint {
    /// The signed note.
    pub checkpoint: String,
    /// The key that the hub says it is signed with; [`NoteKey::parse`] reads it. Rely on one that
    /// you have from elsewhere.
    pub key: String,
}

/// The proof that the log of one size is the beginning of the log of another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConsistencyProof {
    /// The larger size.
    pub second: u64,
    /// The proof, lowest first.
    pub hashes: Vec<Digest>,
    /// The newest checkpoint, as the hub signed it; its size is at least the larger one.
    pub checkpoint: String,
}

/// Why a receipt proves nothing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unproven {
    /// It has no proof: the hub is of an older version.
    #[error("the receipt has no proof")]
    Missing,
    /// It is about other bytes than these.
    #[error("the receipt is about {receipt}, these bytes are {found}")]
    Content {
        /// SHA-256 in the receipt.
        receipt: Digest,
        /// SHA-256 of the DSSE bytes given.
        found: Digest,
    },
    /// The checkpoint does not hold.
    #[error("the checkpoint: {0}")]
    Checkpoint(#[from] CheckpointError),
    /// The proof does not lead to the checkpoint's root.
    #[error(transparent)]
    Proof(#[from] ProofError),
}

impl Receipt {
    /// Checks that the hub's log has this document with this time: whoever has the signed document,
    /// the receipt and the key of the log needs nothing else. Returns the checkpoint that shows it.
    ///
    /// # Errors
    /// [`Unproven`].
    pub fn prove(&self, sent: &SignedContent, key: &NoteKey) -> Result<Checkpoint, Unproven> {
        let leaf = self.entry(sent)?.hash();
        self.proof.as_ref().ok_or(Unproven::Missing)?.check(&leaf, self.position.0, key)
    }

    /// Returns the entry of the document's leaf in the hub's log.
    ///
    /// # Errors
    /// [`Unproven::Content`] when the receipt is about other bytes.
    pub fn entry(&self, sent: &SignedContent) -> Result<LeafEntry, Unproven> {
        entry(LeafKind::Document, self.received_at, self.sha256, sent)
    }
}

impl StatusReceipt {
    /// Checks that the hub's log has this report with this time, as [`Receipt::prove`] does.
    ///
    /// # Errors
    /// [`Unproven`].
    pub fn prove(&self, sent: &SignedContent, key: &NoteKey) -> Result<Checkpoint, Unproven> {
        let leaf = entry(LeafKind::Report, self.received_at, self.sha256, sent)?.hash();
        self.proof.as_ref().ok_or(Unproven::Missing)?.check(&leaf, self.position.0, key)
    }
}

impl LogProof {
    pub(crate) fn read(proof: proto::LogProof) -> Result<Self, CallError> {
        let hashes = hashes("receipt.proof.hashes", &proof.hashes)?;
        Ok(Self { checkpoint: proof.checkpoint, hashes })
    }

    /// Checks that the leaf with a hash stands at a position of the log whose checkpoint this is.
    ///
    /// # Errors
    /// [`Unproven`].
    pub fn check(
        &self,
        leaf: &Digest,
        position: u64,
        key: &NoteKey,
    ) -> Result<Checkpoint, Unproven> {
        let checkpoint = Checkpoint::open(&self.checkpoint, key)?;
        let Checkpoint { size, root, .. } = &checkpoint;
        merkle::verify_inclusion(leaf, position, &self.hashes, *size, root)?;
        Ok(checkpoint)
    }
}

impl Client {
    /// Asks for the newest checkpoint of the hub's log.
    ///
    /// # Errors
    /// [`CallError`] as for every call.
    pub async fn checkpoint(&self) -> Result<NewestCheckpoint, CallError> {
        let answer = self.shared.call(|| async {
            let request = proto::GetCheckpointRequest {};
            Ok(self.shared.evidence().get_checkpoint(request).await?.into_inner())
        });
        let proto::GetCheckpointResponse { checkpoint, key } = answer.await?;
        Ok(NewestCheckpoint { checkpoint, key })
    }

    /// Asks for the proof that the leaf at a position is in the log of the newest checkpoint.
    ///
    /// # Errors
    /// [`CallError`]; refused when the log has no such position.
    pub async fn inclusion(&self, position: u64) -> Result<LogProof, CallError> {
        let answer = self.shared.call(|| async {
            let request = proto::GetInclusionRequest { position, size: 0 };
            Ok(self.shared.evidence().get_inclusion(request).await?.into_inner())
        });
        let proto::GetInclusionResponse { hashes, checkpoint, .. } = answer.await?;
        LogProof::read(proto::LogProof { checkpoint, hashes })
    }

    /// Asks for the leaf of a document or status report, by its sender or reporter and its id, with a
    /// new proof.
    ///
    /// # Errors
    /// [`CallError`]; refused when there is none that the caller may see.
    pub async fn leaf(&self, sender: &AgencyCode, id: MessageId) -> Result<ProvenLeaf, CallError> {
        let answer = self.shared.call(|| async {
            let (sender, id) = (sender.to_string(), Bytes::copy_from_slice(id.as_bytes()));
            let request = proto::GetLeafRequest { sender, id };
            Ok(self.shared.evidence().get_leaf(request).await?.into_inner())
        });
        let proto::GetLeafResponse { position, entry, proof } = answer.await?;
        let missing = || CallError::answer("proof", "none");
        let malformed = || CallError::answer("entry", format_args!("{} bytes", entry.len()));
        Ok(ProvenLeaf {
            position,
            entry: LeafEntry::from_bytes(&entry).ok_or_else(malformed)?,
            proof: LogProof::read(proof.ok_or_else(missing)?)?,
        })
    }

    /// Asks for what the verdict on a document rested on: an `EvidenceBundle`, encoded, as
    /// `lienthong verify` reads it from a file; at most 64 MiB.
    ///
    /// # Errors
    /// [`CallError`]; refused when the caller is no party to the document.
    pub async fn evidence_bundle(
        &self,
        sender: &AgencyCode,
        id: MessageId,
    ) -> Result<Bytes, CallError> {
        let id = Bytes::copy_from_slice(id.as_bytes());
        let request = proto::GetEvidenceBundleRequest { sender: sender.to_string(), id };
        let answer = self.shared.call(|| async {
            let request = request.clone();
            let mut pieces = self.shared.verdict().get_evidence_bundle(request).await?.into_inner();
            let mut bundle = BytesMut::new();
            while let Some(proto::GetEvidenceBundleResponse { piece }) = pieces.message().await? {
                if bundle.len() + piece.len() > EVIDENCE_BUNDLE_BYTES_MAX {
                    return Err(tonic::Status::out_of_range("the bundle is larger than 64 MiB"));
                }
                bundle.extend_from_slice(&piece);
            }
            Ok(bundle.freeze())
        });
        answer.await
    }

    /// Asks for the proof that the log of a size is the beginning of the log of another; `None`: of
    /// the newest checkpoint's.
    ///
    /// # Errors
    /// [`CallError`]; refused when the log is not as large, or `first` is above `second`.
    pub async fn consistency(
        &self,
        first: u64,
        second: Option<u64>,
    ) -> Result<ConsistencyProof, CallError> {
        let answer = self.shared.call(|| async {
            let request = proto::GetConsistencyRequest { first, second: second.unwrap_or(0) };
            Ok(self.shared.evidence().get_consistency(request).await?.into_inner())
        });
        let answer = answer.await?;
        let hashes = hashes("hashes", &answer.hashes)?;
        Ok(ConsistencyProof { second: answer.second, hashes, checkpoint: answer.checkpoint })
    }
}

/// The entry of the leaf of what was sent.
fn entry(
    kind: LeafKind,
    time: Timestamp,
    receipt: Digest,
    sent: &SignedContent,
) -> Result<LeafEntry, Unproven> {
    let content = dsse::content_digest(&sent.content_type, &sent.content);
    if content != receipt {
        return Err(Unproven::Content { receipt, found: content });
    }
    let signatures = dsse::signatures_digest(&sent.signatures);
    Ok(LeafEntry { kind, time, content, signatures })
}

fn hashes(field: &'static str, hashes: &[bytes::Bytes]) -> Result<Vec<Digest>, CallError> {
    if hashes.len() > PROOF_HASHES_MAX {
        let value = format_args!("{} hashes, at most {PROOF_HASHES_MAX}", hashes.len());
        return Err(CallError::answer(field, value));
    }
    hashes.iter().map(|hash| read::digest(field, hash)).collect()
}
