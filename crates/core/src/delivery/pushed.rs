//! What may have been pushed: how far each mailbox's queues were read.
//!
//! A queue is pushed in the order of positions, so one mark a queue says it all: what lies beyond
//! was never pushed. It errs on one side only: before the hub's start, everything may have been.

use std::collections::HashMap;
use std::sync::{PoisonError, RwLock};

use lienthong_model::{Ordinal, Position};

use super::Push;
use crate::keys::Lane;

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

    /// Returns whether a delivery was pushed, or may have been.
    pub fn may_have_been(&self, recipient: Ordinal, lane: Lane, position: Position) -> bool {
        if position < self.started {
            return true;
        }
        let marks = self.marks.read().unwrap_or_else(PoisonError::into_inner);
        let mark = marks.get(&recipient).and_then(|marks| marks[lane as usize]);
        mark.is_some_and(|mark| position <= mark)
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
