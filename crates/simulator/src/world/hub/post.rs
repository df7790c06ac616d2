//! Delivery: one machine for documents, one for notices, and the streams that nodes keep open.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use lienthong_core::engine::EngineError;
use lienthong_core::{
    Arrival, ConsumerId, Courier, DeliveryKey, Mail, Mailbox, MailboxChanges, NoticeMailbox, Push,
    PushMarks, Query,
};
use lienthong_ledger::MemoryState;
use lienthong_model::{Ordinal, Position, Timestamp};

use super::Hub;

/// What a node has room for.
const CREDIT: u32 = 64;
/// Most pushes that are made at a time.
const PUSHES: usize = 1_024;

/// Both mailboxes' machines.
#[derive(Default)]
pub(super) struct Post {
    documents: Courier,
    notices: Courier,
    /// Each connected agency's stream.
    consumers: BTreeMap<Ordinal, ConsumerId>,
    connections: u64,
    marks: Option<Arc<PushMarks>>,
}

impl Post {
    pub fn new(marks: Arc<PushMarks>) -> Self {
        Self { marks: Some(marks), ..Self::default() }
    }

    /// What is on disk now: mail that came, and mail that is not to be pushed again.
    pub fn deliver(&mut self, mail: Mail) {
        hand_over(&mut self.documents, mail.documents);
        hand_over(&mut self.notices, mail.notices);
    }

    /// Chooses what is to be pushed, all that may be.
    pub fn poll(&mut self, now: Duration, state: &MemoryState) -> Result<Outgoing, EngineError> {
        let documents = poll(&mut self.documents, now, &Query(state))?;
        if let Some(marks) = &self.marks {
            marks.note(&documents);
        }
        Ok(Outgoing { documents, notices: poll(&mut self.notices, now, &NoticeMailbox(state))? })
    }

    pub fn attempts(&self, key: DeliveryKey) -> u32 {
        self.documents.attempts(key.recipient, key.position).max(1)
    }

    /// A node has a document: room for another.
    pub fn settled(&mut self, key: DeliveryKey) {
        self.documents.settle(key.recipient, key.position);
        if let Some(consumer) = self.consumers.get(&key.recipient) {
            self.documents.grant(*consumer, 1);
        }
    }

    /// A node knows all notices up to a number: room for as many.
    pub fn known(&mut self, agency: Ordinal, notices: impl Iterator<Item = Position>) {
        let mut count = 0;
        for number in notices {
            self.notices.settle(agency, number);
            count += 1;
        }
        if let Some(consumer) = self.consumers.get(&agency) {
            self.notices.grant(*consumer, count);
        }
    }

    pub fn open(&mut self, agency: Ordinal) {
        self.connections += 1;
        let consumer = ConsumerId(self.connections);
        let former = self.consumers.insert(agency, consumer);
        for courier in [&mut self.documents, &mut self.notices] {
            courier.open(consumer, vec![agency]);
            courier.grant(consumer, CREDIT);
            if let Some(former) = former {
                courier.close(former);
            }
        }
    }

    pub fn close(&mut self, agency: Ordinal) {
        if let Some(consumer) = self.consumers.remove(&agency) {
            self.documents.close(consumer);
            self.notices.close(consumer);
        }
    }
}

/// What leaves when a block is on disk.
#[derive(Default)]
pub(super) struct Outgoing {
    pub documents: Vec<Push>,
    pub notices: Vec<Push>,
}

impl Outgoing {
    fn is_empty(&self) -> bool {
        self.documents.is_empty() && self.notices.is_empty()
    }
}

fn hand_over(courier: &mut Courier, changes: MailboxChanges) {
    for Arrival { recipient, lane, position } in changes.arrived {
        courier.arrived(recipient, lane, position);
    }
    for DeliveryKey { recipient, position } in changes.settled {
        courier.settle(recipient, position);
    }
}

fn poll(
    courier: &mut Courier,
    now: Duration,
    mail: &dyn Mailbox,
) -> Result<Vec<Push>, EngineError> {
    let mut pushes = courier.poll(now, PUSHES, mail)?;
    while courier.has_work() {
        pushes.extend(courier.poll(now, PUSHES, mail)?);
    }
    Ok(pushes)
}

impl Hub {
    /// Returns what is to be pushed now: with the last block on disk, or after a stream was opened.
    /// While a block is being written, whose mail is in the mailboxes already, nothing more is chosen.
    pub(super) fn poll(&mut self, now: Timestamp) -> Result<Outgoing, EngineError> {
        let since = self.since(now);
        let mut outgoing = std::mem::take(&mut self.outgoing);
        if outgoing.is_empty() && !self.is_writing {
            let desk = self.desk();
            outgoing = desk.post.poll(since, &desk.state)?;
        }
        #[cfg(test)]
        self.forget(&mut outgoing);
        Ok(outgoing)
    }

    /// A flaw of a test: one push in sixteen does not leave.
    #[cfg(test)]
    fn forget(&self, outgoing: &mut Outgoing) {
        if self.flaw == Some(crate::world::Flaw::ForgetsMail) {
            outgoing.documents.retain(|push| push.position.0 % 16 != 5);
        }
    }

    /// A moment as the post counts time.
    pub(super) fn since(&self, now: Timestamp) -> Duration {
        Duration::from_millis(u64::try_from(now.millis() - self.begin.millis()).unwrap_or(0))
    }
}
