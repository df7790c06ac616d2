//! What the clients know: what they handed over, and what they were told of it.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use lienthong_client::{DeliveryKey, Receipt, StatusReceipt};
use lienthong_model::{AgencyCode, MessageId, Position, SignedContent, StatusCode};

/// A document or report is named by who made it and its id.
pub type Name = (AgencyCode, MessageId);

/// A document that was handed over.
#[derive(Debug, Clone)]
pub struct Sent {
    pub signed: SignedContent,
    pub recipients: Vec<AgencyCode>,
    /// What the hub said first; `None` while that is in doubt.
    pub receipt: Option<Receipt>,
}

/// An accepted status report.
#[derive(Debug, Clone)]
pub struct Reported {
    pub code: StatusCode,
    pub receipt: StatusReceipt,
}

/// The clients' books.
#[derive(Debug, Clone, Default)]
pub struct Books {
    pub sent: BTreeMap<Name, Sent>,
    /// Deliveries that came, and how often.
    pub received: BTreeMap<DeliveryKey, usize>,
    /// Acknowledgements that the hub has on disk, and in which of its lives it said so.
    pub acknowledged: BTreeMap<DeliveryKey, usize>,
    /// Which of the hub's lives this is.
    pub life: usize,
    /// Accepted reports by delivery, in the order in which they were made.
    pub reported: BTreeMap<DeliveryKey, Vec<Reported>>,
    /// Deliveries that a recipient has begun to work on.
    pub taken: BTreeSet<DeliveryKey>,
    /// Deliveries on which the recipient has reported everything it wants to.
    pub done: BTreeSet<DeliveryKey>,
    /// Outcomes that must not be.
    pub wrong: Vec<String>,
    /// Documents whose outcome was in doubt and had to be asked for.
    pub doubts: usize,
    /// Receipts that were a first receipt again.
    pub repeated: usize,
}

impl Books {
    /// Enters a receipt; a second one must be the first again, but for its proof, which is made
    /// anew for the log as it has grown.
    pub fn accepted(&mut self, name: &Name, receipt: Receipt) {
        self.repeated += usize::from(receipt.repeated);
        let Some(sent) = self.sent.get_mut(name) else { return };
        let receipt = Receipt { repeated: false, proof: None, ..receipt };
        match &sent.receipt {
            None => sent.receipt = Some(receipt),
            Some(first) if *first == receipt => {}
            Some(first) => self.wrong.push(format!("two receipts: {first:?} and {receipt:?}")),
        }
    }

    /// Enters a delivery; returns how often it has come.
    pub fn came(&mut self, key: &DeliveryKey) -> usize {
        // One that crossed its own acknowledgement may be looked at late, but not a life later.
        if self.acknowledged.get(key).is_some_and(|life| life + 1 < self.life) {
            self.wrong.push(format!("{key:?} came although it was acknowledged long ago"));
        }
        let times = self.received.entry(key.clone()).or_default();
        *times += 1;
        *times
    }

    /// Deliveries that receipts promise.
    pub fn promised(&self) -> impl Iterator<Item = (DeliveryKey, &Name)> {
        self.sent.iter().flat_map(|(name, sent)| {
            let position = sent.receipt.as_ref().map(|receipt| receipt.position);
            sent.recipients.iter().filter_map(move |recipient| {
                let (recipient, position) = (recipient.clone(), position?);
                Some((DeliveryKey { recipient, position }, name))
            })
        })
    }

    /// Every position that a client was told, with what is said to be there.
    pub fn positions(&self) -> Vec<(Position, String)> {
        let documents = self.sent.iter().filter_map(|((sender, id), sent)| {
            Some((sent.receipt.as_ref()?.position, format!("document {id} of {sender}")))
        });
        let reports = self.reported.values().flatten().map(|reported| {
            let StatusReceipt { position, id, reporter, .. } = &reported.receipt;
            (*position, format!("report {id} of {reporter}"))
        });
        documents.chain(reports).collect()
    }
}

impl fmt::Display for Books {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let again = self.received.values().map(|times| times - 1).sum::<usize>();
        write!(
            f,
            "{} documents ({} asked for in doubt, {} first receipts again), {} deliveries \
             ({again} came again), {} acknowledged, {} reports",
            self.sent.len(),
            self.doubts,
            self.repeated,
            self.received.len(),
            self.acknowledged.len(),
            self.reported.values().map(Vec::len).sum::<usize>(),
        )
    }
}
