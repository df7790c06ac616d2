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
pub(super) enum Examined {
    Document(Box<Verified<Submission>>),
    Report(Box<Verified<StatusSubmission>>),
    Rejected(Box<Rejected>),
    /// It was neither a document nor a report.
    Nothing,
}

/// The facts of one message on its way.
#[derive(Clone)]
pub(crate) struct Examination(Arc<Mutex<Slot>>);

enum Slot {
    Open(Sent),
    Done(Examined),
    Taken,
}

/// Verifies ahead.
pub(super) struct Examining(Option<(SyncSender<Examination>, JoinHandle<()>)>);

impl Examining {
    pub fn new(facts: Arc<Facts>) -> Self {
        let (sender, messages) = sync_channel(WAITING_MAX);
        Self(Some((sender, std::thread::spawn(move || work(&facts, &messages)))))
    }

    /// Begins to verify a message that has left; none when there is no signature to verify, or no
    /// room.
    pub fn begin(&self, sent: &Sent) -> Option<Examination> {
        let (Sent::Document(content) | Sent::Report(content)) = sent else { return None };
        let made = |entry: &lienthong_model::SignatureEntry| *entry.value != REHEARSED;
        if !content.signatures.iter().any(made) {
            return None;
        }
        let examination = Examination(Arc::new(Mutex::new(Slot::Open(sent.clone()))));
        let (sender, _) = self.0.as_ref()?;
        sender.try_send(examination.clone()).is_ok().then_some(examination)
    }
}

impl Drop for Examining {
    fn drop(&mut self) {
        if let Some((sender, thread)) = self.0.take() {
            drop(sender);
            // What a panic of it left undone was verified on arrival.
            let _ = thread.join();
        }
    }
}

impl Examination {
    /// Works out the facts of a message that has arrived.
    pub(super) fn of(facts: &Facts, sent: &Sent) -> Self {
        Self(Arc::new(Mutex::new(Slot::Done(examined(facts, sent)))))
    }

    /// Takes the facts; those that nobody has begun with are worked out here.
    pub(super) fn take(self, facts: &Facts) -> Examined {
        match std::mem::replace(&mut *self.0.lock(), Slot::Taken) {
            Slot::Done(examined) => examined,
            Slot::Open(sent) => examined(facts, &sent),
            // Nobody takes them twice.
            Slot::Taken => Examined::Nothing,
        }
    }
}

fn work(facts: &Facts, messages: &Receiver<Examination>) {
    for Examination(slot) in messages {
        let mut slot = slot.lock();
        if let Slot::Open(sent) = &*slot {
            *slot = Slot::Done(examined(facts, sent));
        }
    }
}

fn examined(facts: &Facts, sent: &Sent) -> Examined {
    let rejected = |rejected| Examined::Rejected(Box::new(rejected));
    let content = |content: &Arc<SignedContent>| (**content).clone();
    match sent {
        Sent::Document(sent) => {
            let facts = facts.document(content(sent));
            facts.map_or_else(rejected, |facts| Examined::Document(Box::new(facts)))
        }
        Sent::Report(sent) => {
            let facts = facts.status(content(sent));
            facts.map_or_else(rejected, |facts| Examined::Report(Box::new(facts)))
        }
        Sent::Acknowledge(_) | Sent::AcknowledgeNotices(_) | Sent::Piece(_) => Examined::Nothing,
    }
}
