//! What is to happen, by moment; events of one moment in the order in which they were put.

use std::cmp::Ordering;
use std::collections::BinaryHeap;

use lienthong_model::Timestamp;

/// The queue. Events themselves need no order.
pub(super) struct Queue<E> {
    order: BinaryHeap<Entry<E>>,
    put: u64,
}

/// The largest comes first out of a heap: the earliest is the largest.
struct Entry<E> {
    at: Timestamp,
    number: u64,
    event: E,
}

impl<E> Entry<E> {
    fn key(&self) -> (Timestamp, u64) {
        (self.at, self.number)
    }
}

impl<E> PartialEq for Entry<E> {
    fn eq(&self, other: &Self) -> bool {
        self.key() == other.key()
    }
}

impl<E> Eq for Entry<E> {}

impl<E> PartialOrd for Entry<E> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl<E> Ord for Entry<E> {
    fn cmp(&self, other: &Self) -> Ordering {
        other.key().cmp(&self.key())
    }
}

impl<E> Default for Queue<E> {
    fn default() -> Self {
        Self { order: BinaryHeap::new(), put: 0 }
    }
}

impl<E> Queue<E> {
    /// Puts an event at a moment.
    pub fn put(&mut self, at: Timestamp, event: E) {
        self.order.push(Entry { at, number: self.put, event });
        self.put += 1;
    }

    /// Returns when the next event is; none when nothing is left to happen.
    pub fn next_at(&self) -> Option<Timestamp> {
        self.order.peek().map(|entry| entry.at)
    }

    /// Takes the next event; none when nothing is left to happen.
    pub fn take(&mut self) -> Option<(Timestamp, E)> {
        self.order.pop().map(|entry| (entry.at, entry.event))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_come_by_moment_and_then_in_the_order_in_which_they_were_put() {
        let mut queue = Queue::default();
        for (at, event) in [(2, 'c'), (1, 'a'), (2, 'd'), (1, 'b')] {
            queue.put(Timestamp::from_millis(at), event);
        }
        assert_eq!(queue.next_at(), Some(Timestamp::from_millis(1)));
        let order: String = std::iter::from_fn(|| queue.take()).map(|(_, event)| event).collect();
        assert_eq!(order, "abcd");
    }
}
