//! What the clients know: what they handed over, and what they were told of it.

use std::collections::{BTreeMap, BTreeSet};

use lienthong_client::{DeliveryKey, Notice, NoticeKey, Receipt, StatusReceipt};
use lienthong_model::{
    AgencyCode, ChangeEffect, Digest, MessageId, Position, SignedContent, StatusCode,
};

/// A document or report is named by who made it and its id.
pub type Name = (AgencyCode, MessageId);

/// A document that was handed over.
#[derive(Debug, Clone)]
pub(super) struct Sent {
    pub signed: SignedContent,
    pub recipients: Vec<AgencyCode>,
    /// Bytes of content and attachments.
    pub bytes: u64,
    /// What the hub said first; `None` while that is in doubt.
    pub receipt: Option<Receipt>,
}

/// An accepted status report.
#[derive(Debug, Clone)]
pub(super) struct Reported {
    pub code: StatusCode,
    pub signed: SignedContent,
    pub receipt: StatusReceipt,
}

/// A notice as it came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Noticed {
    /// What it follows from.
    pub told: Told,
    /// In which life of the hub it was acknowledged.
    pub acknowledged: Option<usize>,
}

/// What an agency is told: who, of which report, about whose delivery.
pub(super) type Told = (AgencyCode, Position, AgencyCode);

/// The clients' books.
#[derive(Debug, Clone, Default)]
pub struct Books {
    pub(super) sent: BTreeMap<Name, Sent>,
    /// Deliveries that came, and how often.
    pub(super) received: BTreeMap<DeliveryKey, usize>,
    /// Acknowledgements that the hub has on disk, and in which of its lives it said so.
    pub(super) acknowledged: BTreeMap<DeliveryKey, usize>,
    /// Which of the hub's lives this is.
    pub(super) life: usize,
    /// Accepted reports by delivery, in the order in which they were made.
    pub(super) reported: BTreeMap<DeliveryKey, Vec<Reported>>,
    /// Accepted requests to take a document back, by document.
    pub(super) recalled: BTreeMap<Name, Reported>,
    /// Deliveries that a recipient has begun to work on.
    pub(super) taken: BTreeSet<DeliveryKey>,
    /// Deliveries on which the recipient has reported everything it wants to.
    pub(super) done: BTreeSet<DeliveryKey>,
    /// Deliveries on which a report was refused, since the document was taken back.
    pub(super) closed: BTreeSet<DeliveryKey>,
    /// Deliveries whose attachment could not be fetched, and why: only what was taken back has none.
    pub(super) without: BTreeMap<DeliveryKey, String>,
    /// Notices by their names.
    pub(super) notices: BTreeMap<NoticeKey, Noticed>,
    /// What was told, and how many notices said so.
    pub(super) told: BTreeMap<Told, usize>,
    /// Roots of the log by size, as checkpoints stated them.
    pub(super) checkpoints: BTreeMap<u64, Digest>,
    /// Documents with something new since the last check.
    pub(super) touched: BTreeSet<Name>,
    /// Steps of clients under way.
    pub(super) busy: usize,
    /// Outcomes that must not be.
    pub(super) wrong: Vec<String>,
    /// Figures for people.
    pub(super) figures: Figures,
}

/// What there was, beside what can be counted in the books.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Figures {
    /// Documents whose outcome was in doubt and had to be asked for.
    pub doubts: u64,
    /// Receipts that were a first receipt again.
    pub repeated: u64,
    /// Attachments uploaded beside their document.
    pub uploads: u64,
    /// Attachments that a recipient downloaded whole.
    pub downloads: u64,
    /// Documents to a list of communes.
    pub fan_outs: u64,
    /// Requests to take back that came too late.
    pub recalls_refused: u64,
}

impl Books {
    /// Enters a receipt; a second one must be the first again, but for its proof, which is made
    /// anew for the log as it has grown.
    pub(super) fn accepted(&mut self, name: &Name, receipt: Receipt) {
        self.figures.repeated += u64::from(receipt.repeated);
        self.touched.insert(name.clone());
        let Some(sent) = self.sent.get_mut(name) else { return };
        let receipt = Receipt { repeated: false, proof: None, ..receipt };
        match &sent.receipt {
            None => sent.receipt = Some(receipt),
            Some(first) if *first == receipt => {}
            Some(first) => self.wrong.push(format!("two receipts: {first:?} and {receipt:?}")),
        }
    }

    /// Enters a checkpoint; a log has one root at a size.
    pub(super) fn stated(&mut self, size: u64, root: Digest) {
        match self.checkpoints.insert(size, root) {
            Some(other) if other != root => {
                self.wrong.push(format!("two roots of {size} leaves: {other} and {root}"));
            }
            _ => {}
        }
    }

    /// Enters a delivery; returns how often it has come.
    pub(super) fn came(&mut self, key: &DeliveryKey) -> usize {
        // One that crossed its own acknowledgement may be looked at late, but not a life later.
        if self.acknowledged.get(key).is_some_and(|life| life + 1 < self.life) {
            self.wrong.push(format!("{key:?} came although it was acknowledged long ago"));
        }
        let times = self.received.entry(key.clone()).or_default();
        *times += 1;
        *times
    }

    /// Enters a notice; returns whether it is new.
    pub(super) fn noticed(&mut self, notice: &Notice) -> bool {
        let position = notice.cause.as_ref().map_or(notice.position, |cause| cause.position);
        let told = (notice.key.agency.clone(), position, notice.recipient.clone());
        if let Some(known) = self.notices.get(&notice.key) {
            if known.acknowledged.is_some_and(|life| life + 1 < self.life) {
                self.wrong.push(format!("{:?} came although it was acknowledged", notice.key));
            }
            return false;
        }
        *self.told.entry(told.clone()).or_default() += 1;
        self.touched.insert((notice.sender.clone(), notice.document));
        self.notices.insert(notice.key.clone(), Noticed { told, acknowledged: None });
        true
    }

    /// Deliveries that receipts promise, of one document.
    pub(super) fn promised_by<'b>(
        &'b self,
        name: &'b Name,
    ) -> impl Iterator<Item = DeliveryKey> + 'b {
        let sent = self.sent.get(name);
        let position = sent.and_then(|sent| Some(sent.receipt.as_ref()?.position));
        let recipients = sent.into_iter().flat_map(|sent| &sent.recipients);
        recipients.filter_map(move |recipient| {
            Some(DeliveryKey { recipient: recipient.clone(), position: position? })
        })
    }

    /// Whether a recall took a delivery back before it was picked up.
    pub(super) fn withdrawn(&self, name: &Name, recipient: &AgencyCode) -> bool {
        self.recalled.get(name).is_some_and(|recall| {
            let at_once = |effect| effect == ChangeEffect::AtOnce;
            recall.receipt.changes.iter().any(|c| c.recipient == *recipient && at_once(c.effect))
        })
    }

    /// What must have been told because of one document: of each report, of each request to take it
    /// back.
    pub(super) fn to_be_told(&self, name: &Name) -> Vec<Told> {
        let mut told = Vec::new();
        for key in self.promised_by(name) {
            for reported in self.reported.get(&key).into_iter().flatten() {
                told.push((name.0.clone(), reported.receipt.position, key.recipient.clone()));
            }
        }
        if let Some(recall) = self.recalled.get(name) {
            for outcome in &recall.receipt.changes {
                // Who never saw it need not know that it was taken back.
                if outcome.effect == ChangeEffect::Asked {
                    let recipient = outcome.recipient.clone();
                    told.push((recipient.clone(), recall.receipt.position, recipient));
                }
            }
        }
        told
    }

    /// Deliveries of a document with which their recipients are not at their end.
    pub(super) fn undone<'b>(&'b self, name: &'b Name) -> impl Iterator<Item = DeliveryKey> + 'b {
        let withdrawn = |key: &DeliveryKey| self.withdrawn(name, &key.recipient);
        self.promised_by(name).filter(move |key| !self.done.contains(key) && !withdrawn(key))
    }

    /// What is not at its end yet: documents in doubt, deliveries undone, notices that did not come,
    /// steps under way.
    pub(super) fn open(&self) -> [usize; 4] {
        let (mut doubtful, mut undone, mut untold) = (0, 0, 0);
        for name in &self.touched {
            let in_doubt = self.sent.get(name).is_some_and(|sent| sent.receipt.is_none());
            doubtful += usize::from(in_doubt);
            undone += self.undone(name).count();
            untold += self.to_be_told(name).iter().filter(|t| !self.told.contains_key(t)).count();
        }
        [doubtful, undone, untold, self.busy]
    }

    /// Every position that a client was told, with what is said to be there.
    pub(super) fn positions(&self) -> Vec<(Position, String)> {
        let documents = self.sent.iter().filter_map(|((sender, id), sent)| {
            Some((sent.receipt.as_ref()?.position, format!("document {id} of {sender}")))
        });
        let reports = self.reported.values().flatten().chain(self.recalled.values());
        let reports = reports.map(|reported| {
            let StatusReceipt { position, id, reporter, .. } = &reported.receipt;
            (*position, format!("report {id} of {reporter}"))
        });
        documents.chain(reports).collect()
    }
}
