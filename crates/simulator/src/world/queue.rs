//! What is to happen, by moment; events of one moment in the order in which they were put.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap};

use lienthong_model::Timestamp;

/// The queue. Events themselves need no order.
pub(super) struct Queue<E> {
    order: BinaryHeap<Reverse<(Timestamp, u64)>>,
    events: BTreeMap<u64, E>,
    put: u64,
}

impl<E> Default for Queue<E> {
    fn default() -> Self {
        Self { order: BinaryHeap::new(), events: BTreeMap::new(), put: 0 }
    }
}

impl<E> Queue<E> {
    /// Puts an event at a moment.
    pub fn put(&mut self, at: Timestamp, event: E) {
        self.order.push(Reverse((at, self.put)));
        self.events.insert(self.put, event);
        self.put += 1;
    }

    /// Returns the moment of the next event; none when nothing is left to happen.
    pub fn next(&self) -> Option<Timestamp> {
        self.order.peek().map(|Reverse((at, _))| *at)
    }

    /// Takes the next event; none when nothing is left to happen.
    pub fn take(&mut self) -> Option<(Timestamp, E)> {
        let Reverse((at, number)) = self.order.pop()?;
        // Every number in the order has its event.
        self.events.remove(&number).map(|event| (at, event))
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
        let order: String = std::iter::from_fn(|| queue.take()).map(|(_, event)| event).collect();
        assert_eq!(order, "abcd");
    }
}
