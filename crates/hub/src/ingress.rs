//! Ingress: from signed bytes to a proposal. Facts are worked out here, in parallel; judgement
//! happens in the sequencer.

use std::sync::Arc;

use lienthong_core::engine::Payloads;
use lienthong_core::{Decision, Proposal, Stored, StoredAttachment, StoredContent};
use lienthong_ledger::PayloadFiles;
use lienthong_model::limits::INLINE_PAYLOAD_BYTES_MAX;
use lienthong_model::{
    AgencyCode, Digest, MessageId, Ordinal, Position, Reason, Refusal, SignedContent, Timestamp,
};
use lienthong_trust::{Rejected, Verifier};
use lienthong_wire::DocumentContents;

use crate::caller::MayExchange;
use crate::egress::Egress;
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
    egress: Egress,
    reader: Reader,
}

/// Where an accepted content stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Taken {
    pub position: Position,
    /// It was accepted before: this is the first receipt again.
    pub repeated: bool,
}

/// An accepted status report.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct TakenReport {
    pub from: AgencyCode,
    pub id: MessageId,
    pub digest: Digest,
    pub position: Position,
    pub received_at: Timestamp,
    pub repeated: bool,
}

impl Ingress {
    pub fn new(
        reader: Reader,
        payloads: Arc<PayloadFiles>,
        sequencer: Sequencer,
        egress: Egress,
    ) -> Self {
        let verifier = Arc::new(Verifier::new(DocumentContents, reader.clone()));
        Self { verifier, payloads, sequencer, egress, reader }
    }

    /// Takes a document; on return it is on disk.
    pub async fn document(
        &self,
        permit: MayExchange,
        content: SignedContent,
    ) -> Result<Taken, Refusal> {
        let caller = permit.0.agency;
        let submission =
            self.verifier.document(content).map_err(|rejected| self.rejected(caller, rejected))?;
        let stored = self.store(&submission.signed.content).await?;
        let submission = Box::new(submission);
        let proposed = self.propose(Proposal::Submit { caller, submission, stored }).await?;
        Ok(proposed.0)
    }

    /// Takes a status report; on return it is on disk.
    pub async fn status(
        &self,
        permit: MayExchange,
        content: SignedContent,
    ) -> Result<TakenReport, Refusal> {
        let caller = permit.0.agency;
        let submission =
            self.verifier.status(content).map_err(|rejected| self.rejected(caller, rejected))?;
        let stored = self.store(&submission.signed.content).await?;
        let submission = Box::new(submission);
        let (from, id) = (submission.header.from.clone(), submission.header.id);
        let digest = submission.signed.digest;
        let proposed = self.propose(Proposal::Report { caller, submission, stored }).await?;
        let (Taken { position, repeated }, mut received_at) = proposed;
        if repeated {
            received_at = self.first_received(&from, &id)?.unwrap_or(received_at);
        }
        Ok(TakenReport { from, id, digest, position, received_at, repeated })
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

    async fn propose(&self, proposal: Proposal) -> Result<(Taken, Timestamp), Refusal> {
        let decided = self.sequencer.propose(proposal).await?;
        let taken = match decided.decision {
            Decision::Accepted(accepted) => Taken { position: accepted.position, repeated: false },
            Decision::Reported(reported) => {
                // A report implies that the recipient has the document: nothing to push again.
                let settled = (reported.delivery.recipient, reported.delivery.position);
                self.egress.settle(vec![settled]).await;
                Taken { position: reported.position, repeated: false }
            }
            Decision::Repeated(position) => Taken { position, repeated: true },
            Decision::Refused(refusal) => return Err(refusal),
            Decision::Acknowledged(_) | Decision::Done => {
                return Err(Refusal::new(Reason::Stopped));
            }
        };
        Ok((taken, decided.at))
    }

    fn rejected(&self, caller: Ordinal, rejected: Rejected) -> Refusal {
        let Rejected { refusal, id, digest, size } = rejected;
        self.sequencer.declined(Declined { caller, id, digest, size, refusal: refusal.clone() });
        refusal
    }

    /// Puts what is too large for a record into payload files, on disk before the record is.
    async fn store(&self, content: &SignedContent) -> Result<StoredContent, Refusal> {
        let attachments: usize = content.attachments.iter().map(|a| a.bytes.len()).sum();
        if content.content.len() + attachments <= INLINE_PAYLOAD_BYTES_MAX {
            return Ok(inline(content));
        }
        let (payloads, content) = (self.payloads.clone(), content.clone());
        let stored = tokio::task::spawn_blocking(move || {
            let put = |bytes: &bytes::Bytes| {
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

fn inline(content: &SignedContent) -> StoredContent {
    let attachments = content.attachments.iter().map(|attachment| StoredAttachment {
        content_id: attachment.content_id.clone(),
        bytes: Stored::Inline(attachment.bytes.clone()),
    });
    StoredContent {
        content: Stored::Inline(content.content.clone()),
        attachments: attachments.collect(),
    }
}
