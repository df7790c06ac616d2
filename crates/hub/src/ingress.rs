//! Ingress: from signed bytes to a proposal. Facts are worked out here, in parallel; judgement
//! happens in the sequencer.
//!
//! Bytes that a record cannot hold are on disk, and claimed, before the record that names them is
//! proposed: those beside the content are written, those uploaded before are linked.

use std::sync::Arc;
use std::time::Instant;

use bytes::Bytes;
use lienthong_core::engine::EngineError;
use lienthong_core::{
    Accepted, ChangeMade, Decision, Proposal, Stored, StoredAttachment, StoredContent,
};
use lienthong_ledger::{Claim, PayloadFiles, UploadKey};
use lienthong_model::limits::INLINE_PAYLOAD_BYTES_MAX;
use lienthong_model::{
    AgencyCode, Digest, MessageId, Ordinal, Position, Reason, Refusal, SignedContent, Timestamp,
    Violation,
};
use lienthong_trust::{Rejected, Signed, Submission, Verifier};
use lienthong_wire::DocumentContents;
#[cfg(feature = "measure")]
use lienthong_wire::{moment, proto};

use crate::caller::MayExchange;
use crate::gate::Declined;
use crate::meters::Meters;
use crate::present::unreadable;
use crate::reader::Reader;
use crate::sequencer::Sequencer;
use crate::space::{Level, Space, read_only};

/// Takes signed content in; cheap to clone.
#[derive(Clone)]
pub(crate) struct Ingress {
    verifier: Arc<Verifier<DocumentContents, Reader>>,
    payloads: Arc<PayloadFiles>,
    sequencer: Sequencer,
    reader: Reader,
    space: Space,
    meters: Arc<Meters>,
    #[cfg(feature = "measure")]
    verifies_only: bool,
}

/// A refusal, and the id that the content names, when it could be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Refused {
    pub refusal: Refusal,
    pub id: Option<MessageId>,
}

/// An accepted document or status report: what its receipt says.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Taken {
    /// Sender or reporter, as written.
    pub from: AgencyCode,
    pub id: MessageId,
    /// SHA-256 of the DSSE bytes.
    pub digest: Digest,
    pub position: Position,
    pub received_at: Timestamp,
    /// It was accepted before: this is the first receipt again.
    pub repeated: bool,
    /// How a document was accepted just now; `None` for a repeated one and for a report.
    pub accepted: Option<Accepted>,
    /// What a request to take a document back does.
    pub change: Option<Box<ChangeMade>>,
}

/// What a content says of itself.
struct Named {
    from: AgencyCode,
    id: MessageId,
    digest: Digest,
}

impl Named {
    fn of(from: &AgencyCode, id: MessageId, signed: &Signed) -> Self {
        Self { from: from.clone(), id, digest: signed.digest }
    }
}

impl Ingress {
    pub fn new(
        reader: Reader,
        payloads: Arc<PayloadFiles>,
        sequencer: Sequencer,
        space: Space,
        meters: Arc<Meters>,
    ) -> Self {
        let verifier = Arc::new(Verifier::new(DocumentContents, reader.clone()));
        Self {
            verifier,
            payloads,
            sequencer,
            reader,
            space,
            meters,
            #[cfg(feature = "measure")]
            verifies_only: false,
        }
    }

    /// Takes nothing in from now on: what is submitted is verified and answered.
    #[cfg(feature = "measure")]
    pub fn verifying_only(self) -> Self {
        Self { verifies_only: true, ..self }
    }

    /// The answer of an ingress that takes nothing in, to content that verifies: a receipt of
    /// nothing. `None` from every other.
    #[cfg(feature = "measure")]
    pub fn verified(&self, content: &SignedContent) -> Option<proto::Receipt> {
        let verified = self.verifies_only.then(|| self.verifier.document(content.clone()))?.ok()?;
        Some(proto::Receipt {
            sender: verified.header.sender.to_string(),
            id: Bytes::copy_from_slice(verified.header.id.as_bytes()),
            received_at: Some(moment::to_proto(verified.header.id.time())),
            sha256: Bytes::copy_from_slice(verified.signed.digest.as_bytes()),
            signature: proto::SignatureKind::Seal.into(),
            proof: Some(proto::LogProof::default()),
            ..proto::Receipt::default()
        })
    }

    /// Takes a document; on return it is on disk.
    pub async fn document(
        &self,
        permit: MayExchange,
        content: SignedContent,
    ) -> Result<Taken, Refused> {
        let caller = permit.0.agency;
        let submission = match self.timed(|| self.verifier.document(content)) {
            Ok(submission) => submission,
            Err(rejected) => return Err(self.rejected(caller, rejected).await),
        };
        let named = Named::of(&submission.header.sender, submission.header.id, &submission.signed);
        let about = Refused::about(named.id);
        let kept = match self.keep_document(caller, &submission).await {
            Ok(kept) => kept,
            Err(refusal) => {
                let (digest, size) = (named.digest, submission.signed.size());
                let rejected = Rejected { refusal, id: Some(named.id), digest, size };
                return Err(self.rejected(caller, rejected).await);
            }
        };
        let Kept { stored, held } = kept;
        let submission = Box::new(submission);
        let proposal = Proposal::Submit { caller, submission, stored };
        self.propose(named, proposal, held).await.map_err(about)
    }

    /// Takes a status report; on return it is on disk.
    pub async fn status(
        &self,
        permit: MayExchange,
        content: SignedContent,
    ) -> Result<Taken, Refused> {
        let caller = permit.0.agency;
        let submission = match self.timed(|| self.verifier.status(content)) {
            Ok(submission) => submission,
            Err(rejected) => return Err(self.rejected(caller, rejected).await),
        };
        let named = Named::of(&submission.header.from, submission.header.id, &submission.signed);
        let about = Refused::about(named.id);
        let content = &submission.signed.content;
        let Kept { stored, held } = match is_small(content) {
            true => Kept::inline(content),
            false => {
                let kept = self.store(content, Vec::new()).await;
                kept.inspect_err(|refusal| self.meters.refused(refusal.reason)).map_err(about)?
            }
        };
        let submission = Box::new(submission);
        let proposal = Proposal::Report { caller, submission, stored };
        let taken = self.propose(named, proposal, held).await.map_err(about)?;
        match taken.repeated {
            true => self.first_report(taken).map_err(about),
            false => Ok(taken),
        }
    }

    /// What was said of a report that came again, when it came first.
    fn first_report(&self, taken: Taken) -> Result<Taken, Refusal> {
        let directory = self.reader.directory();
        let Some(reporter) = directory.find(&taken.from) else { return Ok(taken) };
        let first = self.reader.first_report(reporter.ordinal, &taken.id);
        let (received_at, change) = first.map_err(|error| unreadable(&error))?;
        let received_at = received_at.unwrap_or(taken.received_at);
        Ok(Taken { received_at, change, ..taken })
    }

    async fn propose(
        &self,
        named: Named,
        proposal: Proposal,
        held: Held,
    ) -> Result<Taken, Refusal> {
        let Held { claims, uploads } = held;
        let began = Instant::now();
        let decided = self.sequencer.propose_holding(proposal, claims).await?;
        self.meters.submit_to_durable.observe(began.elapsed());
        if matches!(decided.decision, Decision::Accepted(_)) && !uploads.is_empty() {
            self.served(uploads).await;
        }
        let mut change = None;
        let (position, repeated, accepted) = match decided.decision {
            Decision::Accepted(accepted) => (accepted.position, false, Some(accepted)),
            Decision::Reported(reported) => {
                change = reported.change;
                (reported.position, false, None)
            }
            Decision::Repeated(position) => (position, true, None),
            Decision::Refused(refusal) => return Err(refusal),
            Decision::Acknowledged(_)
            | Decision::NoticesAcknowledged(_)
            | Decision::NegativelyAcknowledged(_)
            | Decision::Done
            | Decision::Settled(_)
            | Decision::FannedOut(_)
            | Decision::Ticked(_)
            | Decision::Reminded(_) => {
                return Err(Refusal::new(Reason::Stopped));
            }
        };
        let Named { from, id, digest } = named;
        let received_at = decided.at;
        Ok(Taken { from, id, digest, position, received_at, repeated, accepted, change })
    }

    /// Works out facts, and counts how long it took.
    fn timed<T>(&self, work: impl FnOnce() -> T) -> T {
        let began = Instant::now();
        let worked = work();
        self.meters.verification.observe(began.elapsed());
        worked
    }

    async fn rejected(&self, caller: Ordinal, rejected: Rejected) -> Refused {
        let Rejected { refusal, id, digest, size } = rejected;
        let declined = Declined { caller, id, digest, size, refusal: refusal.clone() };
        self.sequencer.declined(declined).await;
        Refused { refusal, id }
    }

    /// Removes uploads that have served. One of a caller that has gone meanwhile expires.
    async fn served(&self, uploads: Vec<UploadKey>) {
        let payloads = self.payloads.clone();
        let removed = tokio::task::spawn_blocking(move || payloads.uploads().served(&uploads));
        if let Ok(Err(error)) = removed.await {
            tracing::warn!(%error, "cannot remove an upload that has served");
        }
    }

    /// Keeps what is too large for a record of a document, and holds its uploaded attachments.
    ///
    /// # Errors
    /// ATTACHMENT_NOT_UPLOADED with every one that is missing; STORAGE_LOW or READ_ONLY. A document
    /// that is known is not refused: it is not taken in again, but brings its first receipt.
    async fn keep_document(
        &self,
        caller: Ordinal,
        submission: &Submission,
    ) -> Result<Kept, Refusal> {
        let content = &submission.signed.content;
        let uploads: Vec<(usize, UploadKey, String)> = submission
            .not_beside()
            .map(|(index, header)| {
                let (sha256, size) = (header.sha256, header.size);
                let key = UploadKey { agency: caller, sha256, size };
                (index, key, header.content_id.clone())
            })
            .collect();
        let room = self.space.takes_new();
        let small = is_small(content) && uploads.is_empty();
        if room.is_ok() && small {
            return Ok(Kept::inline(content));
        }
        if self.is_known(&submission.header.sender, &submission.header.id)? {
            return Ok(Kept::inline(content));
        }
        room?;
        self.store(content, uploads).await
    }

    /// Whether a sender has used an id.
    fn is_known(&self, sender: &AgencyCode, id: &MessageId) -> Result<bool, Refusal> {
        let directory = self.reader.directory();
        let Some(sender) = directory.find(sender) else { return Ok(false) };
        let known = self.reader.query().position(sender.ordinal, id);
        Ok(known.map_err(|error| unreadable(&error))?.is_some())
    }

    /// Puts content and attachments into payload files, and links those that were uploaded.
    async fn store(
        &self,
        content: &SignedContent,
        uploads: Vec<(usize, UploadKey, String)>,
    ) -> Result<Kept, Refusal> {
        if self.space.level() == Level::ReadOnly {
            return Err(read_only());
        }
        let (payloads, content) = (self.payloads.clone(), content.clone());
        let stored = tokio::task::spawn_blocking(move || store(&payloads, &content, uploads));
        match stored.await {
            Ok(Ok(stored)) => stored,
            Ok(Err(error)) => Err(self.space.write_failed(error)),
            Err(error) => {
                tracing::error!(%error, "a write of payload files ended without a word");
                Err(Refusal::new(Reason::Stopped))
            }
        }
    }
}

/// What a proposal's bytes are, and what keeps them there.
struct Kept {
    stored: StoredContent,
    held: Held,
}

/// Keeps payloads on the disk until it is dropped.
#[derive(Default)]
struct Held {
    claims: Vec<Claim>,
    /// The uploads among them: they have served when the document is accepted.
    uploads: Vec<UploadKey>,
}

impl Kept {
    fn inline(content: &SignedContent) -> Self {
        Self { stored: inline(content), held: Held::default() }
    }
}

/// Whether a record holds content and attachments themselves.
fn is_small(content: &SignedContent) -> bool {
    let attachments: usize = content.attachments.iter().map(|a| a.bytes.len()).sum();
    content.content.len() + attachments <= INLINE_PAYLOAD_BYTES_MAX
}

fn store(
    payloads: &PayloadFiles,
    content: &SignedContent,
    uploads: Vec<(usize, UploadKey, String)>,
) -> Result<Result<Kept, Refusal>, EngineError> {
    let (mut held, mut missing) = (Held::default(), Vec::new());
    for (index, key, content_id) in uploads {
        match payloads.propose_upload(&key)? {
            Some(claim) => {
                held.claims.push(claim);
                held.uploads.push(key);
            }
            None => {
                let field = format!("attachments[{index}]");
                missing.push(Violation::new(Reason::AttachmentNotUploaded, field, content_id));
            }
        }
    }
    if let Some(refusal) = Refusal::of(missing) {
        return Ok(Err(refusal));
    }
    if is_small(content) {
        return Ok(Ok(Kept { stored: inline(content), held }));
    }
    let mut put = |bytes: &Bytes| {
        let claim = payloads.propose(bytes)?;
        let stored = Stored::Payload { digest: claim.digest(), size: bytes.len() as u64 };
        held.claims.push(claim);
        Ok::<_, EngineError>(stored)
    };
    let main = put(&content.content)?;
    let mut attachments = Vec::with_capacity(content.attachments.len());
    for attachment in &content.attachments {
        let content_id = attachment.content_id.clone();
        attachments.push(StoredAttachment { content_id, bytes: put(&attachment.bytes)? });
    }
    Ok(Ok(Kept { stored: StoredContent { content: main, attachments }, held }))
}

impl Refused {
    /// Makes refusals of the content with an id.
    fn about(id: MessageId) -> impl Fn(Refusal) -> Self + Copy {
        move |refusal| Self { refusal, id: Some(id) }
    }
}

impl From<Refusal> for Refused {
    fn from(refusal: Refusal) -> Self {
        Self { refusal, id: None }
    }
}

/// Copies what goes into the record: a slice would keep the whole message alive in memory, with
/// whatever else its sender put into it.
fn inline(content: &SignedContent) -> StoredContent {
    let copy = |bytes: &Bytes| Stored::Inline(Bytes::copy_from_slice(bytes));
    let attachments = content.attachments.iter().map(|attachment| StoredAttachment {
        content_id: attachment.content_id.clone(),
        bytes: copy(&attachment.bytes),
    });
    StoredContent { content: copy(&content.content), attachments: attachments.collect() }
}
