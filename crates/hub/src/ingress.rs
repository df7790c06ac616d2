//! Ingress: from signed bytes to a proposal. Facts are worked out here, in parallel; judgement
//! happens in the sequencer.

use std::sync::Arc;

use bytes::Bytes;
use lienthong_core::engine::Payloads;
use lienthong_core::{Accepted, Decision, Proposal, Stored, StoredAttachment, StoredContent};
use lienthong_ledger::PayloadFiles;
use lienthong_model::limits::INLINE_PAYLOAD_BYTES_MAX;
use lienthong_model::{
    AgencyCode, Digest, MessageId, Ordinal, Position, Reason, Refusal, SignedContent, Timestamp,
};
use lienthong_trust::{Rejected, Signed, Verifier};
use lienthong_wire::DocumentContents;

use crate::caller::MayExchange;
use crate::gate::Declined;
use crate::present::unreadable;
use crate::reader::Reader;
use crate::sequencer::Sequencer;

/// Takes signed content in; cheap to clone.
#[derive(Clone)]
pub(crate) struct Ingress {
    verifier: Arc<Verifier<DocumentContents, Reader>>,
    payloads: Arc<PayloadFiles>,
    sequencer: Sequencer,
    reader: Reader,
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
    pub fn new(reader: Reader, payloads: Arc<PayloadFiles>, sequencer: Sequencer) -> Self {
        let verifier = Arc::new(Verifier::new(DocumentContents, reader.clone()));
        Self { verifier, payloads, sequencer, reader }
    }

    /// Takes a document; on return it is on disk.
    pub async fn document(
        &self,
        permit: MayExchange,
        content: SignedContent,
    ) -> Result<Taken, Refused> {
        let caller = permit.0.agency;
        let submission = match self.verifier.document(content) {
            Ok(submission) => submission,
            Err(rejected) => return Err(self.rejected(caller, rejected).await),
        };
        let named = Named::of(&submission.header.sender, submission.header.id, &submission.signed);
        let about = Refused::about(named.id);
        let stored = self.store(&submission.signed.content).await.map_err(about)?;
        let submission = Box::new(submission);
        let proposal = Proposal::Submit { caller, submission, stored };
        self.propose(named, proposal).await.map_err(about)
    }

    /// Takes a status report; on return it is on disk.
    pub async fn status(
        &self,
        permit: MayExchange,
        content: SignedContent,
    ) -> Result<Taken, Refused> {
        let caller = permit.0.agency;
        let submission = match self.verifier.status(content) {
            Ok(submission) => submission,
            Err(rejected) => return Err(self.rejected(caller, rejected).await),
        };
        let named = Named::of(&submission.header.from, submission.header.id, &submission.signed);
        let about = Refused::about(named.id);
        let stored = self.store(&submission.signed.content).await.map_err(about)?;
        let submission = Box::new(submission);
        let proposal = Proposal::Report { caller, submission, stored };
        let taken = self.propose(named, proposal).await.map_err(about)?;
        match taken.repeated {
            true => {
                let first = self.first_received(&taken.from, &taken.id).map_err(about)?;
                Ok(Taken { received_at: first.unwrap_or(taken.received_at), ..taken })
            }
            false => Ok(taken),
        }
    }

    /// When a report that came again was received first.
    fn first_received(
        &self,
        from: &AgencyCode,
        id: &MessageId,
    ) -> Result<Option<Timestamp>, Refusal> {
        let directory = self.reader.directory();
        let Some(reporter) = directory.find(from) else { return Ok(None) };
        let received = self.reader.query().reported_at(reporter.ordinal, id);
        received.map_err(|error| unreadable(&error))
    }

    async fn propose(&self, named: Named, proposal: Proposal) -> Result<Taken, Refusal> {
        let decided = self.sequencer.propose(proposal).await?;
        let (position, repeated, accepted) = match decided.decision {
            Decision::Accepted(accepted) => (accepted.position, false, Some(accepted)),
            Decision::Reported(reported) => (reported.position, false, None),
            Decision::Repeated(position) => (position, true, None),
            Decision::Refused(refusal) => return Err(refusal),
            Decision::Acknowledged(_) | Decision::Done | Decision::Settled(_) => {
                return Err(Refusal::new(Reason::Stopped));
            }
        };
        let Named { from, id, digest } = named;
        let received_at = decided.at;
        Ok(Taken { from, id, digest, position, received_at, repeated, accepted })
    }

    async fn rejected(&self, caller: Ordinal, rejected: Rejected) -> Refused {
        let Rejected { refusal, id, digest, size } = rejected;
        let declined = Declined { caller, id, digest, size, refusal: refusal.clone() };
        self.sequencer.declined(declined).await;
        Refused { refusal, id }
    }

    /// Puts what is too large for a record into payload files, on disk before the record is.
    async fn store(&self, content: &SignedContent) -> Result<StoredContent, Refusal> {
        let attachments: usize = content.attachments.iter().map(|a| a.bytes.len()).sum();
        if content.content.len() + attachments <= INLINE_PAYLOAD_BYTES_MAX {
            return Ok(inline(content));
        }
        let (payloads, content) = (self.payloads.clone(), content.clone());
        let stored = tokio::task::spawn_blocking(move || {
            let put = |bytes: &Bytes| {
                let digest = payloads.put(bytes)?;
                Ok(Stored::Payload { digest, size: bytes.len() as u64 })
            };
            let attachments = content.attachments.iter().map(|attachment| {
                let content_id = attachment.content_id.clone();
                Ok(StoredAttachment { content_id, bytes: put(&attachment.bytes)? })
            });
            Ok(StoredContent {
                content: put(&content.content)?,
                attachments: attachments.collect::<Result<_, _>>()?,
            })
        });
        let failed = |error: &dyn std::fmt::Display| {
            tracing::error!(%error, "cannot write a payload file");
            Refusal::new(Reason::StorageLow).retry_after(std::time::Duration::from_secs(10))
        };
        match stored.await {
            Ok(stored) => {
                stored.map_err(|error: lienthong_core::engine::EngineError| failed(&error))
            }
            Err(error) => Err(failed(&error)),
        }
    }
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
