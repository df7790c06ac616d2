//! Facts that are worked out ahead: while a message is under way, another thread verifies it.
//!
//! A fact follows from the bytes alone, so nothing depends on who works it out: a message that
//! arrives before its facts are there is verified on the spot.

use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::JoinHandle;

use lienthong_client::DocumentContents;
use lienthong_model::SignedContent;
use lienthong_trust::Rehearsal;
use parking_lot::Mutex;

use super::intake::Asked;
use super::{Above, Sent};

/// Messages that wait to be verified ahead; what comes on top is verified when it arrives.
const WAITING_MAX: usize = 1_024;

/// What works facts out.
pub(super) type Facts = Rehearsal<DocumentContents, Above>;

/// The facts of one message on its way.
#[derive(Clone)]
pub(crate) struct Ahead(Arc<Mutex<Slot>>);

enum Slot {
    Open(Sent),
    Done(Asked),
    Taken,
}

/// Verifies on arrival, and ahead.
pub(super) struct Verifying {
    facts: Arc<Facts>,
    ahead: Option<(SyncSender<Ahead>, JoinHandle<()>)>,
}

impl Verifying {
    pub fn new(facts: Facts) -> Self {
        let facts = Arc::new(facts);
        let (sender, messages) = sync_channel(WAITING_MAX);
        let shared = facts.clone();
        let thread = std::thread::spawn(move || work(&shared, &messages));
        Self { facts, ahead: Some((sender, thread)) }
    }

    /// Begins to verify a message that has left; none when there is nothing to verify, or no room.
    pub fn begin(&self, sent: &Sent) -> Option<Ahead> {
        if !matches!(sent, Sent::Document(_) | Sent::Report(_)) {
            return None;
        }
        let ahead = Ahead(Arc::new(Mutex::new(Slot::Open(sent.clone()))));
        let (sender, _) = self.ahead.as_ref()?;
        sender.try_send(ahead.clone()).is_ok().then_some(ahead)
    }

    /// The facts of a document that arrives.
    pub fn document(&self, content: &SignedContent, ahead: Option<Ahead>) -> Asked {
        take(ahead).unwrap_or_else(|| document(&self.facts, content))
    }

    /// The facts of a report that arrives.
    pub fn report(&self, content: &SignedContent, ahead: Option<Ahead>) -> Asked {
        take(ahead).unwrap_or_else(|| report(&self.facts, content))
    }
}

impl Drop for Verifying {
    fn drop(&mut self) {
        if let Some((sender, thread)) = self.ahead.take() {
            drop(sender);
            // What a panic of it left undone was verified on arrival.
            let _ = thread.join();
        }
    }
}

/// Waits for facts that are being worked out; none when nobody has begun.
fn take(ahead: Option<Ahead>) -> Option<Asked> {
    match std::mem::replace(&mut *ahead?.0.lock(), Slot::Taken) {
        Slot::Done(asked) => Some(asked),
        Slot::Open(_) | Slot::Taken => None,
    }
}

fn work(facts: &Facts, messages: &Receiver<Ahead>) {
    for Ahead(slot) in messages {
        let mut slot = slot.lock();
        let asked = match &*slot {
            Slot::Open(Sent::Document(content)) => document(facts, content),
            Slot::Open(Sent::Report(content)) => report(facts, content),
            _ => continue,
        };
        *slot = Slot::Done(asked);
    }
}

fn document(facts: &Facts, content: &SignedContent) -> Asked {
    match facts.document(content.clone()) {
        Ok(facts) => Asked::Document(Box::new(facts)),
        Err(rejected) => Asked::Rejected(Box::new(rejected)),
    }
}

fn report(facts: &Facts, content: &SignedContent) -> Asked {
    match facts.status(content.clone()) {
        Ok(facts) => Asked::Report(Box::new(facts)),
        Err(rejected) => Asked::Rejected(Box::new(rejected)),
    }
}
