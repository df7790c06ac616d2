//! What may have been pushed: a fact that the shell knows and a decision depends on.
//!
//! Live, marks say how far each mailbox's queues were read. A queue is pushed in the order of
//! positions, so one mark a queue says it all: what lies beyond was never pushed. It errs on one
//! side only: before the hub's start, everything may have been. Whoever judges a journal again
//! takes the fact over from the decision that was made of it.

use std::collections::{BTreeSet, HashMap};
use std::sync::{PoisonError, RwLock};

use lienthong_model::{Ordinal, Position};

use super::Push;
use crate::command::{Decision, DeliveryKey};
use crate::keys::Lane;

/// Knows what may have been pushed.
pub trait Pushes: Send + Sync {
    /// Returns whether a delivery was pushed, or may have been.
    fn may_have_been(&self, recipient: Ordinal, lane: Lane, position: Position) -> bool;
}

/// The marks; two a mailbox. Written by whoever pushes, read by whoever judges.
#[derive(Debug)]
pub struct PushMarks {
    /// Everything before was there when the hub started.
    started: Position,
    marks: RwLock<HashMap<Ordinal, [Option<Position>; 2]>>,
}

impl PushMarks {
    /// Makes marks for a hub that starts with a log of so many leaves.
    pub fn since(log_size: u64) -> Self {
        Self { started: Position(log_size), marks: RwLock::default() }
    }

    /// Notes pushes. To be called before their bytes leave.
    pub fn note(&self, pushes: &[Push]) {
        if pushes.is_empty() {
            return;
        }
        // A poisoned lock means that a reader panicked; marks only ever rise.
        let mut marks = self.marks.write().unwrap_or_else(PoisonError::into_inner);
        for push in pushes {
            let mark = &mut marks.entry(push.recipient).or_default()[push.lane as usize];
            *mark = (*mark).max(Some(push.position));
        }
    }
}

impl Pushes for PushMarks {
    fn may_have_been(&self, recipient: Ordinal, lane: Lane, position: Position) -> bool {
        if position < self.started {
            return true;
        }
        let marks = self.marks.read().unwrap_or_else(PoisonError::into_inner);
        let mark = marks.get(&recipient).and_then(|marks| marks[lane as usize]);
        mark.is_some_and(|mark| position <= mark)
    }
}

/// The deliveries that a decision of the journal took for pushed.
#[derive(Debug, Default)]
pub struct TakenForPushed(BTreeSet<DeliveryKey>);

impl TakenForPushed {
    /// Reads them from a decision: who was told of a change that took effect at once.
    pub fn of(decision: &Decision) -> Self {
        let notices = match decision {
            Decision::Accepted(accepted) => accepted.notices.as_ref(),
            Decision::Reported(reported) => reported.notices.as_ref(),
            Decision::Repeated(_)
            | Decision::Refused(_)
            | Decision::Acknowledged(_)
            | Decision::NoticesAcknowledged(_)
            | Decision::NegativelyAcknowledged(_)
            | Decision::Settled(_)
            | Decision::FannedOut(_)
            | Decision::Ticked(_)
            | Decision::Reminded(_)
            | Decision::Done => None,
        };
        let told = notices.map(|notices| notices.told.iter()).into_iter().flatten();
        Self(told.map(|told| told.delivery).collect())
    }
}

impl Pushes for TakenForPushed {
    fn may_have_been(&self, recipient: Ordinal, _: Lane, position: Position) -> bool {
        self.0.contains(&DeliveryKey { recipient, position })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_lies_beyond_the_last_push_of_its_queue_was_never_pushed() {
        let marks = PushMarks::since(10);
        let (one, other) = (Ordinal(1), Ordinal(2));
        let push = |lane, position| Push {
            consumer: None,
            recipient: one,
            lane,
            position: Position(position),
            attempt: 1,
        };
        marks.note(&[push(Lane::Urgent, 30), push(Lane::Ordinary, 20), push(Lane::Ordinary, 15)]);
        let maybe = |of, lane, position| marks.may_have_been(of, lane, Position(position));
        assert!(maybe(one, Lane::Ordinary, 20) && maybe(one, Lane::Ordinary, 12));
        assert!(!maybe(one, Lane::Ordinary, 21), "the urgent queue's mark is its own");
        assert!(maybe(one, Lane::Urgent, 30) && !maybe(one, Lane::Urgent, 31));
        assert!(!maybe(other, Lane::Ordinary, 10));
        assert!(maybe(other, Lane::Ordinary, 9), "from before the start");
    }
}
