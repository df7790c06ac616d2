//! Calls to the hub: what is sent, what is sent again, what follows the answer.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use lienthong_model::{Digest, MessageId, Position, Reason, SignedContent, Timestamp};

use super::hub::{Examination, Outcome, Piece, Sent};
use super::{Event, PATIENCE, Receipt, World, WorldError};
use crate::scenario::FaultKind;

/// Bytes of a piece of an upload.
const PIECE: usize = 256 * 1_024;
/// How long a document is held back at most, until another one overtakes it.
const HELD_MAX: Duration = Duration::from_secs(3_600);
/// From a document's leaving until one that it overtakes follows.
const OVERTAKEN_BY: Duration = Duration::from_secs(1);

/// A message to the hub.
pub(super) struct Call {
    pub number: u64,
    pub node: usize,
    pub sent: Sent,
    /// What the hub works out while it is under way.
    pub examination: Option<Examination>,
}

/// A call without an answer yet.
pub(super) struct Pending {
    pub node: usize,
    pub sent: Sent,
    pub then: Then,
    /// When it is sent again.
    due: Timestamp,
}

/// What follows the answer.
pub(super) enum Then {
    /// A document.
    Document(Box<Sheet>),
    /// The next piece of its attachment, or the document itself.
    Upload(Box<Sheet>, Arc<SignedContent>),
    /// The next report on a delivery.
    Report(Position),
    /// Nothing; it is about a document that is exchanged with these.
    Nothing(Vec<usize>),
}

/// A document on its way.
pub(super) struct Sheet {
    pub sender: usize,
    pub recipients: Vec<usize>,
    /// The traffic that it is of; none for a reply or a change.
    pub traffic: Option<usize>,
    pub id: Option<MessageId>,
    /// The right bytes, when they are changed on their way.
    pub right: Option<Arc<SignedContent>>,
    /// An attachment that is uploaded first.
    pub upload: Option<Bytes>,
}

impl Sheet {
    pub fn new(sender: usize, recipients: Vec<usize>, traffic: Option<usize>) -> Self {
        Self { sender, recipients, traffic, id: None, right: None, upload: None }
    }
}

impl World<'_> {
    /// Submits a document, after its upload when it has one.
    pub(super) fn hand_over(
        &mut self,
        signed: Arc<SignedContent>,
        sheet: Sheet,
    ) -> Result<(), WorldError> {
        let node = sheet.sender;
        match &sheet.upload {
            Some(bytes) => {
                let sent = piece(bytes, None);
                self.call(node, sent, Then::Upload(Box::new(sheet), signed))
            }
            None => self.submit(signed, sheet),
        }
    }

    /// Submits a document; one that a fault holds back leaves after the next one.
    fn submit(&mut self, signed: Arc<SignedContent>, sheet: Sheet) -> Result<(), WorldError> {
        let (node, others) = (sheet.sender, sheet.recipients.clone());
        let number = self.keep(node, Sent::Document(signed), Then::Document(Box::new(sheet)));
        if self.nodes[node].held.is_none()
            && self.strikes(FaultKind::Reorder, node, &others).is_some()
        {
            self.nodes[node].held = Some(number);
            self.queue.put(self.now.plus(HELD_MAX), Event::Again(number));
            let code = &self.nodes[node].member.entry.code;
            return self.trace.line(self.now, "held", &[code, &number]);
        }
        if let Some(held) = self.nodes[node].held.take() {
            self.queue.put(self.now.plus(OVERTAKEN_BY), Event::Again(held));
        }
        self.send(number)
    }

    /// Sends something that needs an answer.
    pub(super) fn call(&mut self, node: usize, sent: Sent, then: Then) -> Result<(), WorldError> {
        let number = self.keep(node, sent, then);
        self.send(number)
    }

    fn keep(&mut self, node: usize, sent: Sent, then: Then) -> u64 {
        self.calls += 1;
        self.pending.insert(self.calls, Pending { node, sent, then, due: self.now });
        self.calls
    }

    /// Sends something without waiting for an answer, about a document that is exchanged with others.
    pub(super) fn tell(&mut self, node: usize, sent: Sent, others: &[usize]) {
        let added = self.delay(FaultKind::Delay, node, others);
        self.calls += 1;
        let number = self.calls;
        let examination = self.hub.examine(&sent);
        self.later(Event::Arrive(Call { number, node, sent, examination }), added);
    }

    /// Sends a call, or keeps it until the node is back.
    pub(super) fn send(&mut self, number: u64) -> Result<(), WorldError> {
        let due = self.now.plus(self.hub.patience());
        let others = self.others_of(number)?;
        let Some(pending) = self.pending.get_mut(&number) else { return Ok(()) };
        let (node, sent) = (pending.node, pending.sent.clone());
        pending.due = due;
        if self.nodes[node].held == Some(number) {
            self.nodes[node].held = None;
        }
        if !self.nodes[node].is_on() {
            self.nodes[node].outbox.insert(number);
            return Ok(());
        }
        let code = &self.nodes[node].member.entry.code;
        self.trace.line(self.now, "sent", &[code, &number])?;
        self.patience.push_back((due, number));
        let is_piece = matches!(&sent, Sent::Piece(piece) if !piece.bytes.is_empty());
        let cuts = is_piece && !self.hub.disturbs(FaultKind::UploadCut);
        if cuts && self.strikes(FaultKind::UploadCut, node, &others).is_some() {
            return self.trace.line(self.now, "cut", &[&number]);
        }
        let added = self.delay(FaultKind::Delay, node, &others);
        let examination = self.hub.examine(&sent);
        self.later(Event::Arrive(Call { number, node, sent, examination }), added);
        Ok(())
    }

    /// With whom the document is exchanged that a call is about.
    fn others_of(&self, number: u64) -> Result<Vec<usize>, WorldError> {
        match self.pending.get(&number).map(|pending| &pending.then) {
            Some(Then::Document(sheet) | Then::Upload(sheet, _)) => Ok(sheet.recipients.clone()),
            Some(Then::Report(position)) => self.sender_when(FaultKind::Delay, *position),
            Some(Then::Nothing(others)) => Ok(others.clone()),
            None => Ok(Vec::new()),
        }
    }

    /// The hub's answer to a call is under way.
    pub(super) fn answer(&mut self, number: u64, outcome: Outcome) -> Result<(), WorldError> {
        let mut added = Duration::ZERO;
        if self.hits.is_under_way(FaultKind::Delay)
            && let Some(node) = self.pending.get(&number).map(|pending| pending.node)
        {
            let others = self.others_of(number)?;
            added = self.delay(FaultKind::Delay, node, &others);
        }
        self.later(Event::Answered { number, outcome }, added);
        Ok(())
    }

    /// No answer for a minute: the same bytes again. Whoever uploads asks how much is there.
    pub(super) fn overdue(&mut self, number: u64) -> Result<(), WorldError> {
        self.overdue_by(number, self.now)
    }

    /// The same, where the clock has run on since it was due.
    pub(super) fn overdue_by(&mut self, number: u64, due: Timestamp) -> Result<(), WorldError> {
        let Some(pending) = self.pending.get_mut(&number) else { return Ok(()) };
        if pending.due != due {
            return Ok(());
        }
        if let Then::Upload(sheet, _) = &pending.then
            && let Some(bytes) = &sheet.upload
        {
            pending.sent = piece(bytes, None);
        }
        self.send(number)
    }

    pub(super) fn answered(&mut self, number: u64, outcome: Outcome) -> Result<(), WorldError> {
        if outcome == Outcome::Unanswered {
            return self.send(number);
        }
        let Some(Pending { node, sent, then, .. }) = self.pending.remove(&number) else {
            return Ok(());
        };
        match (then, outcome) {
            // A little later there may be room.
            (
                then @ (Then::Document(_) | Then::Upload(..)),
                Outcome::Refused(Reason::StorageLow),
            ) => {
                let number = self.keep(node, sent, then);
                self.queue.put(self.now.plus(PATIENCE), Event::Again(number));
                Ok(())
            }
            (Then::Document(sheet), outcome) => self.submitted(*sheet, sent, outcome),
            (Then::Upload(sheet, signed), Outcome::Stored(there)) => {
                let bytes = sheet.upload.clone().unwrap_or_default();
                if there >= bytes.len() as u64 {
                    return self.submit(signed, *sheet);
                }
                self.call(node, piece(&bytes, Some(there)), Then::Upload(sheet, signed))
            }
            (Then::Report(position), Outcome::Accepted(_) | Outcome::Repeated(_)) => {
                self.reported(node, position)
            }
            (Then::Report(position), _) => {
                self.nodes[node].tasks.remove(&position);
                Ok(())
            }
            (Then::Upload(..) | Then::Nothing(_), _) => Ok(()),
        }
    }

    /// What follows the answer to a document.
    fn submitted(&mut self, sheet: Sheet, sent: Sent, outcome: Outcome) -> Result<(), WorldError> {
        match outcome {
            Outcome::Accepted(position) | Outcome::Repeated(position) => {
                self.receipts.extend(sheet.id.map(|id| Receipt::of(&id, position)));
                if matches!(outcome, Outcome::Accepted(_)) {
                    self.perhaps_again(&sheet, sent);
                    self.perhaps_change(&sheet);
                }
                Ok(())
            }
            Outcome::Refused(Reason::AttachmentNotUploaded) => match (&sheet.upload, sent) {
                (Some(_), Sent::Document(signed)) => self.hand_over(signed, sheet),
                _ => Ok(()),
            },
            Outcome::Refused(_) => match sheet.right.clone() {
                Some(right) => self.submit(right, Sheet { right: None, ..sheet }),
                None => Ok(()),
            },
            Outcome::Acknowledged | Outcome::Stored(_) | Outcome::Unanswered => Ok(()),
        }
    }

    /// A node that forgets that it has the receipt.
    fn perhaps_again(&mut self, sheet: &Sheet, sent: Sent) {
        let (node, others) = (sheet.sender, &sheet.recipients);
        if self.strikes(FaultKind::DuplicateSubmission, node, others).is_some() {
            self.tell(node, sent, others);
        }
    }
}

/// A piece from where the hub has what came before it; none only asks how much is there.
fn piece(bytes: &Bytes, there: Option<u64>) -> Sent {
    let offset = usize::try_from(there.unwrap_or(0)).unwrap_or(bytes.len()).min(bytes.len());
    let end = match there {
        Some(_) => bytes.len().min(offset + PIECE),
        None => offset,
    };
    Sent::Piece(Box::new(Piece {
        digest: Digest::of(bytes),
        size: bytes.len() as u64,
        offset: offset as u64,
        bytes: bytes.slice(offset..end),
    }))
}
