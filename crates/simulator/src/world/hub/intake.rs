//! What comes in waits for its block, and is judged with it.

use std::fmt;
use std::sync::Arc;

use bytes::Bytes;
use lienthong_core::engine::{EngineError, Payloads as _};
use lienthong_core::{
    Acknowledge, AcknowledgeNotices, AcknowledgeOutcome, AcknowledgedDelivery, Command, Decision,
    DeliveryKey, NoticeKey, NoticeNumber, Proposal, Query, RefusedRequests, Stored,
    StoredAttachment, StoredContent,
};
use lienthong_ledger::MemoryPayloads;
use lienthong_model::limits::INLINE_PAYLOAD_BYTES_MAX;
use lienthong_model::{Digest, MessageId, Ordinal, Position, Reason, Refusal, SignedContent};
use lienthong_trust::{Rejected, Submission, Verified};

use super::desk::Desk;
use super::examination::Examined;
pub(crate) use super::uploads::Piece;
use super::{Examination, Hub, refusal_of};

/// What is sent to the hub.
#[derive(Clone)]
pub(crate) enum Sent {
    Document(Arc<SignedContent>),
    Report(Arc<SignedContent>),
    Acknowledge(Position),
    /// All notices up to a number are known.
    AcknowledgeNotices(NoticeNumber),
    Piece(Box<Piece>),
}

/// What waits for its block.
pub(super) struct Request {
    /// 0: nobody waits for the outcome.
    pub number: u64,
    pub caller: Ordinal,
    pub asked: Asked,
}

/// What is asked.
pub(super) enum Asked {
    /// A document or a report, by its facts.
    Content(Examination),
    Acknowledge(DeliveryKey),
    AcknowledgeNotices(NoticeNumber),
    /// An act of whoever has the hub's folder.
    Act(Box<Command>),
}

/// What became of a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// A document or a report is accepted.
    Accepted(Position),
    /// It had been accepted before.
    Repeated(Position),
    /// The acknowledgement is on disk.
    Acknowledged,
    /// So many bytes of an upload are there.
    Stored(u64),
    Refused(Reason),
    /// There was no answer: whether it arrived is not known.
    Unanswered,
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Accepted(position) => write!(f, "accepted {}", position.0),
            Self::Repeated(position) => write!(f, "repeated {}", position.0),
            Self::Acknowledged => f.write_str("acknowledged"),
            Self::Stored(bytes) => write!(f, "stored {bytes}"),
            Self::Refused(reason) => f.write_str(reason.code()),
            Self::Unanswered => f.write_str("unanswered"),
        }
    }
}

/// What a refusal is about.
struct About(MessageId, Digest, u64);

impl Hub {
    /// A message of a node waits for its block; a piece of an upload is answered at once.
    pub(in crate::world) fn take(
        &mut self,
        number: u64,
        caller: Ordinal,
        sent: &Sent,
        examination: Option<Examination>,
    ) -> Result<Option<Outcome>, EngineError> {
        let asked = match sent {
            Sent::Document(_) | Sent::Report(_) => {
                Asked::Content(examination.unwrap_or_else(|| Examination::of(sent)))
            }
            Sent::Acknowledge(position) => {
                Asked::Acknowledge(DeliveryKey { recipient: caller, position: *position })
            }
            Sent::AcknowledgeNotices(through) => Asked::AcknowledgeNotices(*through),
            Sent::Piece(piece) => return self.take_piece(caller, piece).map(Some),
        };
        self.waiting.push_back(Request { number, caller, asked });
        Ok(None)
    }

    fn take_piece(&mut self, caller: Ordinal, piece: &Piece) -> Result<Outcome, EngineError> {
        let desk = self.desk();
        if desk.low {
            return Ok(Outcome::Refused(Reason::StorageLow));
        }
        let stored = desk.uploads.take(caller, piece, &desk.payloads)?;
        let asks = piece.bytes.is_empty();
        self.told.resumed_uploads += u64::from(asks && 0 < stored && stored < piece.size);
        Ok(Outcome::Stored(stored))
    }
}

impl Desk {
    pub(super) fn decide(&mut self, caller: Ordinal, asked: Asked) -> Result<Outcome, EngineError> {
        match asked {
            Asked::Content(facts) => self.decide_content(caller, facts),
            Asked::Acknowledge(key) => self.acknowledge(caller, key),
            Asked::AcknowledgeNotices(through) => self.acknowledge_notices(caller, through),
            Asked::Act(act) => {
                let Some(machine) = &mut self.machine else { return Ok(STOPPED) };
                let decision = machine.decide(Proposal::Administer(*act))?;
                if let Some(refusal) = refusal_of(decision) {
                    self.refused_act.get_or_insert(refusal);
                }
                Ok(Outcome::Acknowledged)
            }
        }
    }

    fn decide_content(
        &mut self,
        caller: Ordinal,
        facts: Examination,
    ) -> Result<Outcome, EngineError> {
        match facts.take(&self.facts) {
            Examined::Document(submission) => self.decide_document(caller, submission),
            Examined::Report(submission) => {
                let signed = &submission.signed;
                let about = About(submission.header.id, signed.digest, signed.size());
                let stored = store(&self.payloads, &signed.content)?;
                self.judge(caller, about, Proposal::Report { caller, submission, stored })
            }
            Examined::Rejected(rejected) => {
                let Rejected { refusal, id, digest, size } = *rejected;
                self.refuse(
                    RefusedRequests { caller, id, digest, size, added_up: Vec::new() },
                    refusal,
                )
            }
            Examined::Nothing => Ok(Outcome::Unanswered),
        }
    }

    /// What is new needs room on the disk, and its attachments; what is known does not.
    fn decide_document(
        &mut self,
        caller: Ordinal,
        submission: Box<Verified<Submission>>,
    ) -> Result<Outcome, EngineError> {
        let signed = &submission.signed;
        let about = About(submission.header.id, signed.digest, signed.size());
        let missing: Vec<String> = submission
            .not_beside()
            .filter(|(_, header)| !self.uploads.has(caller, &header.sha256))
            .map(|(index, header)| format!("attachments[{index}] {}", header.content_id))
            .collect();
        let refusal = match (self.low, missing.first()) {
            (true, _) => Some(Refusal::new(Reason::StorageLow)),
            (false, Some(what)) => {
                Some(Refusal::at(Reason::AttachmentNotUploaded, "attachments", what))
            }
            (false, None) => None,
        };
        if let Some(refusal) = refusal
            && !self.is_known(&submission)?
        {
            let About(id, digest, size) = about;
            let requests =
                RefusedRequests { caller, id: Some(id), digest, size, added_up: Vec::new() };
            return self.refuse(requests, refusal);
        }
        let stored = store(&self.payloads, &signed.content)?;
        self.judge(caller, about, Proposal::Submit { caller, submission, stored })
    }

    fn is_known(&self, submission: &Submission) -> Result<bool, EngineError> {
        let Some(sender) = self.ordinal(&submission.header.sender) else { return Ok(false) };
        Ok(Query(&self.state).position(sender, &submission.header.id)?.is_some())
    }

    fn refuse(
        &mut self,
        requests: RefusedRequests,
        refusal: Refusal,
    ) -> Result<Outcome, EngineError> {
        let Some(machine) = &mut self.machine else { return Ok(STOPPED) };
        let reason = refusal.reason;
        machine.record_refusal(requests, refusal)?;
        Ok(Outcome::Refused(reason))
    }

    fn judge(
        &mut self,
        caller: Ordinal,
        About(id, digest, size): About,
        proposal: Proposal,
    ) -> Result<Outcome, EngineError> {
        let Some(machine) = &mut self.machine else { return Ok(STOPPED) };
        let is_document = matches!(&proposal, Proposal::Submit { .. });
        Ok(match machine.decide(proposal)? {
            Decision::Accepted(accepted) => Outcome::Accepted(accepted.position),
            Decision::Reported(reported) => Outcome::Accepted(reported.position),
            Decision::Repeated(position) => {
                self.repeated += u64::from(is_document);
                Outcome::Repeated(position)
            }
            Decision::Refused(refusal) => {
                let requests =
                    RefusedRequests { caller, id: Some(id), digest, size, added_up: Vec::new() };
                return self.refuse(requests, refusal);
            }
            // Nothing else is decided on a document or a report.
            _ => STOPPED,
        })
    }

    fn acknowledge(&mut self, caller: Ordinal, key: DeliveryKey) -> Result<Outcome, EngineError> {
        let attempts = self.post.attempts(key);
        let Some(machine) = &mut self.machine else { return Ok(STOPPED) };
        let deliveries = vec![AcknowledgedDelivery { key, attempts }];
        let proposal = Proposal::Acknowledge(Acknowledge { caller, deliveries });
        let Decision::Acknowledged(acknowledged) = machine.decide(proposal)? else {
            return Ok(STOPPED);
        };
        if acknowledged.outcomes.contains(&AcknowledgeOutcome::Unknown) {
            return Ok(Outcome::Refused(Reason::DocumentUnknown));
        }
        self.post.settled(key);
        Ok(Outcome::Acknowledged)
    }

    fn acknowledge_notices(
        &mut self,
        caller: Ordinal,
        number: NoticeNumber,
    ) -> Result<Outcome, EngineError> {
        let Some(machine) = &mut self.machine else { return Ok(STOPPED) };
        let through = Some(NoticeKey { agency: caller, number });
        let asked = AcknowledgeNotices { caller, keys: Vec::new(), through };
        if let Decision::NoticesAcknowledged(known) =
            machine.decide(Proposal::AcknowledgeNotices(asked))?
        {
            let numbers = known.left.iter().map(|key| Position(key.number.0));
            self.post.known(caller, numbers);
        }
        Ok(Outcome::Acknowledged)
    }
}

/// The hub is down.
const STOPPED: Outcome = Outcome::Refused(Reason::Stopped);

/// What is too large for a record goes into a payload.
fn store(payloads: &MemoryPayloads, content: &SignedContent) -> Result<StoredContent, EngineError> {
    let put = |bytes: &Bytes| {
        Ok::<_, EngineError>(match bytes.len() <= INLINE_PAYLOAD_BYTES_MAX {
            true => Stored::Inline(bytes.clone()),
            false => Stored::Payload { digest: payloads.put(bytes)?, size: bytes.len() as u64 },
        })
    };
    let attachments = content.attachments.iter().map(|attachment| {
        let content_id = attachment.content_id.clone();
        Ok(StoredAttachment { content_id, bytes: put(&attachment.bytes)? })
    });
    Ok(StoredContent {
        content: put(&content.content)?,
        attachments: attachments.collect::<Result<_, EngineError>>()?,
    })
}
