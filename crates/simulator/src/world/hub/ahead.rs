//! Facts: of what a message's bytes say, worked out when it arrives, or ahead: while a message is under
//! way, another thread verifies the signatures that were really made.
//!
//! A fact follows from the bytes alone, so nothing depends on who works it out: a message whose block
//! comes before its facts are there is verified on the spot.

use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::JoinHandle;

use lienthong_client::DocumentContents;
use lienthong_model::SignedContent;
use lienthong_trust::{REHEARSED, Rehearsal, Rejected, StatusSubmission, Submission, Verified};
use parking_lot::Mutex;

use super::{Above, Sent};

/// Messages that wait to be verified ahead; what comes on top is verified with its block.
const WAITING_MAX: usize = 1_024;

/// What works facts out.
pub(super) type Facts = Rehearsal<DocumentContents, Above>;

/// What was worked out.
pub(super) enum Worked {
    Document(Box<Verified<Submission>>),
    Report(Box<Verified<StatusSubmission>>),
    Rejected(Box<Rejected>),
    /// It was neither a document nor a report.
    Nothing,
}

/// The facts of one message on its way.
#[derive(Clone)]
pub(crate) struct Ahead(Arc<Mutex<Slot>>);

enum Slot {
    Open(Sent),
    Done(Worked),
    Taken,
}

/// Verifies ahead.
pub(super) struct Verifying(Option<(SyncSender<Ahead>, JoinHandle<()>)>);

impl Verifying {
    pub fn new(facts: Arc<Facts>) -> Self {
        let (sender, messages) = sync_channel(WAITING_MAX);
        Self(Some((sender, std::thread::spawn(move || work(&facts, &messages)))))
    }

    /// Begins to verify a message that has left; none when there is no signature to verify, or no
    /// room.
    pub fn begin(&self, sent: &Sent) -> Option<Ahead> {
        let (Sent::Document(content) | Sent::Report(content)) = sent else { return None };
        let made = |entry: &lienthong_model::SignatureEntry| *entry.value != REHEARSED;
        if !content.signatures.iter().any(made) {
            return None;
        }
        let ahead = Ahead(Arc::new(Mutex::new(Slot::Open(sent.clone()))));
        let (sender, _) = self.0.as_ref()?;
        sender.try_send(ahead.clone()).is_ok().then_some(ahead)
    }
}

impl Drop for Verifying {
    fn drop(&mut self) {
        if let Some((sender, thread)) = self.0.take() {
            drop(sender);
            // What a panic of it left undone was verified on arrival.
            let _ = thread.join();
        }
    }
}

impl Ahead {
    /// Works out the facts of a message that has arrived.
    pub(super) fn of(facts: &Facts, sent: &Sent) -> Self {
        Self(Arc::new(Mutex::new(Slot::Done(worked(facts, sent)))))
    }

    /// Takes the facts; those that nobody has begun with are worked out here.
    pub(super) fn take(self, facts: &Facts) -> Worked {
        match std::mem::replace(&mut *self.0.lock(), Slot::Taken) {
            Slot::Done(worked) => worked,
            Slot::Open(sent) => worked(facts, &sent),
            // Nobody takes them twice.
            Slot::Taken => Worked::Nothing,
        }
    }
}

fn work(facts: &Facts, messages: &Receiver<Ahead>) {
    for Ahead(slot) in messages {
        let mut slot = slot.lock();
        if let Slot::Open(sent) = &*slot {
            *slot = Slot::Done(worked(facts, sent));
        }
    }
}

fn worked(facts: &Facts, sent: &Sent) -> Worked {
    let rejected = |rejected| Worked::Rejected(Box::new(rejected));
    let content = |content: &Arc<SignedContent>| (**content).clone();
    match sent {
        Sent::Document(sent) => {
            let facts = facts.document(content(sent));
            facts.map_or_else(rejected, |facts| Worked::Document(Box::new(facts)))
        }
        Sent::Report(sent) => {
            let facts = facts.status(content(sent));
            facts.map_or_else(rejected, |facts| Worked::Report(Box::new(facts)))
        }
        Sent::Acknowledge(_) | Sent::AcknowledgeNotices(_) | Sent::Piece(_) => Worked::Nothing,
    }
}
