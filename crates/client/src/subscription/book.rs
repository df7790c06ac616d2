//! Acknowledgements without an answer, and who waits for them.

use std::collections::{HashMap, VecDeque};
use std::fmt;
use std::hash::Hash;

use lienthong_model::Refusal;
use lienthong_model::limits::PULL_MAX;
use tokio::sync::oneshot;

use crate::error::CallError;

/// Whoever waits for an answer.
pub(super) type Reply = oneshot::Sender<Result<(), CallError>>;

/// Acknowledgements that the hub has not answered.
#[derive(Debug)]
pub(super) struct Book<K> {
    /// By key, those who wait for it; without any, nobody does.
    open: HashMap<K, Vec<u64>>,
    unsent: VecDeque<K>,
    waiting: HashMap<u64, Waiting>,
    next: u64,
}

impl<K> Default for Book<K> {
    fn default() -> Self {
        let (open, unsent, waiting) = (HashMap::new(), VecDeque::new(), HashMap::new());
        Self { open, unsent, waiting, next: 0 }
    }
}

#[derive(Debug)]
struct Waiting {
    left: usize,
    refusal: Option<Refusal>,
    reply: Reply,
}

impl<K: Clone + Eq + Hash + fmt::Debug> Book<K> {
    pub(super) fn len(&self) -> usize {
        self.open.len()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.open.is_empty()
    }

    pub(super) fn holds(&self, key: &K) -> bool {
        self.open.contains_key(key)
    }

    pub(super) fn has_unsent(&self) -> bool {
        !self.unsent.is_empty()
    }

    /// Enters keys; one that is open already is not sent twice.
    pub(super) fn enter(&mut self, keys: Vec<K>, reply: Option<Reply>) {
        let number = self.next;
        self.next += 1;
        let left = keys.len();
        for key in keys {
            let waiters = self.open.entry(key.clone()).or_insert_with(|| {
                self.unsent.push_back(key);
                Vec::new()
            });
            if reply.is_some() {
                waiters.push(number);
            }
        }
        if let Some(reply) = reply {
            self.waiting.insert(number, Waiting { left, refusal: None, reply });
        }
    }

    /// The next keys to send, at most as many as one message takes.
    pub(super) fn batch(&mut self) -> Vec<K> {
        let some = self.unsent.len().min(PULL_MAX);
        self.unsent.drain(..some).collect()
    }

    /// The stream broke: everything open is sent again.
    pub(super) fn again(&mut self) {
        self.unsent = self.open.keys().cloned().collect();
    }

    /// The hub answered for a key.
    pub(super) fn settle(&mut self, key: &K, refusal: Option<&Refusal>) {
        let Some(waiters) = self.open.remove(key) else { return };
        if let (Some(refusal), true) = (refusal, waiters.is_empty()) {
            tracing::warn!(?key, %refusal, "an acknowledgement was not taken");
        }
        for number in waiters {
            let Some(waiting) = self.waiting.get_mut(&number) else { continue };
            waiting.left = waiting.left.saturating_sub(1);
            if waiting.refusal.is_none() {
                waiting.refusal = refusal.cloned();
            }
            if waiting.left == 0
                && let Some(done) = self.waiting.remove(&number)
            {
                let answer = done.refusal.map_or(Ok(()), |why| Err(CallError::Refused(why)));
                // Whoever went away does not wait for it.
                let _ = done.reply.send(answer);
            }
        }
    }

    /// Nothing more will be answered.
    pub(super) fn fail(&mut self, error: &CallError) {
        for (_, waiting) in self.waiting.drain() {
            // Whoever went away does not wait for it.
            let _ = waiting.reply.send(Err(error.clone()));
        }
        self.open.clear();
        self.unsent.clear();
    }
}

#[cfg(test)]
mod tests {
    use lienthong_model::{AgencyCode, Position, Reason};

    use super::*;
    use crate::delivery::DeliveryKey;

    fn key(position: u64) -> DeliveryKey {
        let recipient = AgencyCode::parse("H36").unwrap();
        DeliveryKey { recipient, position: Position(position) }
    }

    #[test]
    fn a_batch_is_bounded_and_a_key_is_sent_once() {
        let mut book = Book::default();
        book.enter((0..300).map(key).collect(), None);
        book.enter(vec![key(7)], None);
        assert_eq!(book.batch().len(), PULL_MAX);
        assert_eq!(book.batch().len(), 300 - PULL_MAX);
        assert!(!book.has_unsent());
        assert_eq!(book.len(), 300);
    }

    #[test]
    fn a_caller_is_answered_when_its_last_key_is() {
        let mut book = Book::default();
        let (reply, mut answer) = oneshot::channel();
        book.enter(vec![key(1), key(2)], Some(reply));
        book.settle(&key(1), Some(&Refusal::new(Reason::DocumentUnknown)));
        assert!(answer.try_recv().is_err());
        book.settle(&key(2), None);
        let refused = Err(CallError::Refused(Refusal::new(Reason::DocumentUnknown)));
        assert_eq!(answer.try_recv().unwrap(), refused);
        assert!(book.is_empty());
    }

    #[test]
    fn after_a_break_only_what_has_no_answer_is_sent_again() {
        let mut book = Book::default();
        book.enter(vec![key(1), key(2)], None);
        assert_eq!(book.batch().len(), 2);
        book.settle(&key(1), None);
        book.again();
        assert_eq!(book.batch(), vec![key(2)]);
    }
}
