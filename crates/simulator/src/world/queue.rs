//! What is to happen, by moment; events of one moment in the order in which they were put.
//!
//! Most of what is to happen is hours away. Only what is due within a short span lies in a heap, which
//! is small so; what comes later lies beside it, by span.

use std::cmp::Ordering;
use std::collections::{BTreeMap, BinaryHeap};

use lienthong_model::Timestamp;

/// How long a span is, in milliseconds.
const SPAN_MS: i64 = 60_000;

/// The queue. Events themselves need no order.
pub(super) struct Queue<E> {
    /// What is due before the end of the span at hand.
    near: BinaryHeap<Entry<E>>,
    /// The span at hand.
    span: i64,
    /// What is due in later spans.
    far: BTreeMap<i64, Vec<Entry<E>>>,
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
        Self { near: BinaryHeap::new(), span: i64::MIN, far: BTreeMap::new(), put: 0 }
    }
}

impl<E> Queue<E> {
    /// Puts an event at a moment.
    pub fn put(&mut self, at: Timestamp, event: E) {
        let entry = Entry { at, number: self.put, event };
        self.put += 1;
        match span_of(at) {
            span if span <= self.span => self.near.push(entry),
            span => self.far.entry(span).or_default().push(entry),
        }
        if self.near.is_empty() {
            self.go_on();
        }
    }

    /// Returns when the next event is; none when nothing is left to happen.
    pub fn next_at(&self) -> Option<Timestamp> {
        self.near.peek().map(|entry| entry.at)
    }

    /// Takes the next event; none when nothing is left to happen.
    pub fn take(&mut self) -> Option<(Timestamp, E)> {
        let next = self.near.pop();
        if self.near.is_empty() {
            self.go_on();
        }
        next.map(|entry| (entry.at, entry.event))
    }

    /// Takes up the next span in which something is due.
    fn go_on(&mut self) {
        if let Some((span, entries)) = self.far.pop_first() {
            (self.span, self.near) = (span, entries.into());
        }
    }
}

fn span_of(at: Timestamp) -> i64 {
    at.millis().div_euclid(SPAN_MS)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

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

    proptest! {
        #[test]
        fn the_earliest_comes_first_however_far_away_it_was_put(
            // Moments after that of the last event, within a span or some spans away; and how many are
            // taken then.
            puts in prop::collection::vec((0..5 * SPAN_MS, 0..3usize), 0..200),
        ) {
            let mut queue = Queue::default();
            let mut known = BTreeMap::new();
            let mut now = 0;
            for (number, (later, taken)) in puts.into_iter().enumerate() {
                queue.put(Timestamp::from_millis(now + later), number);
                known.insert((now + later, number), ());
                for _ in 0..taken {
                    let next = known.pop_first().map(|(key, ())| key);
                    prop_assert_eq!(queue.next_at().map(Timestamp::millis), next.map(|(at, _)| at));
                    let next_taken = queue.take().map(|(at, number)| (at.millis(), number));
                    prop_assert_eq!(next_taken, next);
                    now = next.map_or(now, |(at, _)| at);
                }
            }
            let rest = std::iter::from_fn(|| queue.take()).map(|(at, number)| (at.millis(), number));
            prop_assert_eq!(rest.collect::<Vec<_>>(), known.into_keys().collect::<Vec<_>>());
        }
    }
}
