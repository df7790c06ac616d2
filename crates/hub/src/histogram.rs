//! Counting how long things take, in fixed buckets, for whoever watches the hub: a few atomic
//! additions an observation.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// Upper ends of the buckets, in seconds; what takes longer is counted above them.
pub(crate) const BUCKETS: [f64; 16] = [
    0.00005, 0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0,
    2.5, 10.0,
];

/// How long something takes.
#[derive(Debug, Default)]
pub(crate) struct Histogram {
    /// By bucket; the last one is for what takes longer than all.
    counts: [AtomicU64; BUCKETS.len() + 1],
    micros: AtomicU64,
}

/// A histogram as it was at a moment.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Counted {
    /// How many took at most as long as each bucket's end.
    pub up_to: Vec<(f64, u64)>,
    /// How many there were.
    pub count: u64,
    /// How long all of them took together, in seconds.
    pub seconds: f64,
}

impl Histogram {
    /// Counts one that took so long.
    pub fn observe(&self, took: Duration) {
        let seconds = took.as_secs_f64();
        let bucket = BUCKETS.iter().position(|end| seconds <= *end).unwrap_or(BUCKETS.len());
        if let Some(count) = self.counts.get(bucket) {
            count.fetch_add(1, Ordering::Relaxed);
        }
        let micros = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
        self.micros.fetch_add(micros, Ordering::Relaxed);
    }

    /// Returns what was counted so far.
    pub fn counted(&self) -> Counted {
        let mut count = 0;
        let mut up_to = Vec::with_capacity(BUCKETS.len());
        let mut counts = self.counts.iter().map(|count| count.load(Ordering::Relaxed));
        for (end, here) in BUCKETS.iter().zip(counts.by_ref()) {
            count += here;
            up_to.push((*end, count));
        }
        count += counts.sum::<u64>();
        let seconds = self.micros.load(Ordering::Relaxed) as f64 / 1e6;
        Counted { up_to, count, seconds }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_is_counted_in_every_bucket_that_it_fits_and_all_of_them_in_the_count() {
        let histogram = Histogram::default();
        for millis in [0, 1, 3, 40, 20_000] {
            histogram.observe(Duration::from_millis(millis));
        }
        let counted = histogram.counted();
        let up_to = |end: f64| counted.up_to.iter().find(|(at, _)| *at == end).unwrap().1;
        assert_eq!((up_to(0.00005), up_to(0.001), up_to(0.005), up_to(10.0)), (1, 2, 3, 4));
        assert_eq!(counted.count, 5);
        assert!((counted.seconds - 20.044).abs() < 1e-9, "{}", counted.seconds);
    }
}
