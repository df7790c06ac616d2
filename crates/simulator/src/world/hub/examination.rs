//! Facts: of what a message's bytes say, worked out while it is under way or waits for its block, by
//! whichever thread has nothing else to do.
//!
//! A fact follows from the bytes alone, so nothing depends on who works it out: a message whose block
//! comes before its facts are there is verified on the spot.

use std::collections::VecDeque;
use std::sync::Arc;

use lienthong_client::DocumentContents;
use lienthong_model::SignedContent;
use lienthong_trust::{Rehearsal, Rejected, StatusSubmission, Submission, Verified};
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

/// Messages that may be verified ahead, those first that left first.
pub(super) struct Examining {
    facts: Arc<Facts>,
    waiting: Mutex<VecDeque<Examination>>,
}

impl Examining {
    pub fn new(facts: Arc<Facts>) -> Self {
        Self { facts, waiting: Mutex::default() }
    }

    /// A message has left; none when there is nothing to verify.
    pub fn begin(&self, sent: &Sent) -> Option<Examination> {
        let (Sent::Document(_) | Sent::Report(_)) = sent else { return None };
        let examination = Examination::of(sent);
        let mut waiting = self.waiting.lock();
        if waiting.len() < WAITING_MAX {
            waiting.push_back(examination.clone());
        }
        Some(examination)
    }

    /// Verifies the next message. Returns whether there was one.
    pub fn go_on(&self) -> bool {
        let Some(next) = self.waiting.lock().pop_front() else { return false };
        next.work_out(&self.facts);
        true
    }
}

impl Examination {
    /// The facts of a message, which are still to be worked out.
    pub(super) fn of(sent: &Sent) -> Self {
        Self(Arc::new(Mutex::new(Slot::Open(sent.clone()))))
    }

    fn work_out(&self, facts: &Facts) {
        let mut slot = self.0.lock();
        if let Slot::Open(sent) = &*slot {
            *slot = Slot::Done(examined(facts, sent));
        }
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

#[cfg(test)]
mod tests {
    use super::*;

    fn examining() -> (Examining, Arc<Facts>) {
        let nobody = Above(Arc::default());
        let facts = Arc::new(Facts::new(DocumentContents, nobody));
        (Examining::new(facts.clone()), facts)
    }

    /// A document of which no byte is right.
    fn document() -> Sent {
        Sent::Document(Arc::default())
    }

    fn is_rejected(examination: Examination, facts: &Facts) -> bool {
        matches!(examination.take(facts), Examined::Rejected(_))
    }

    #[test]
    fn a_message_is_verified_ahead_by_whoever_has_the_time() {
        let (examining, facts) = examining();
        let examination = examining.begin(&document()).unwrap();
        assert!(examining.go_on());
        assert!(matches!(*examination.0.lock(), Slot::Done(_)));
        assert!(!examining.go_on(), "there was one");
        assert!(is_rejected(examination, &facts));
    }

    #[test]
    fn a_message_whose_block_comes_first_is_verified_with_it_and_not_again() {
        let (examining, facts) = examining();
        let examination = examining.begin(&document()).unwrap();
        assert!(is_rejected(examination.clone(), &facts));
        assert!(examining.go_on());
        assert!(matches!(*examination.0.lock(), Slot::Taken));
    }

    #[test]
    fn what_has_nothing_to_verify_does_not_wait_for_it_and_what_waits_is_bounded() {
        let (examining, facts) = examining();
        assert!(examining.begin(&Sent::Acknowledge(lienthong_model::Position(0))).is_none());
        assert!(!examining.go_on());
        let begun: Vec<_> =
            (0..WAITING_MAX + 2).filter_map(|_| examining.begin(&document())).collect();
        assert_eq!(
            std::iter::repeat_with(|| examining.go_on()).take_while(|on| *on).count(),
            WAITING_MAX
        );
        assert!(begun.into_iter().all(|examination| is_rejected(examination, &facts)));
    }
}
