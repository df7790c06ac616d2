//! Latencies as they are shown.

use std::time::Duration;

use hdrhistogram::Histogram;
use serde::Serialize;

/// The longest latency that is told apart.
const MICROS_MAX: u64 = 600_000_000;
/// Digits that are kept.
const DIGITS: u8 = 3;

/// Collects latencies, to three digits, up to ten minutes; longer ones count as ten minutes.
#[derive(Debug, Clone)]
pub(crate) struct Latencies(Histogram<u64>);

/// What latencies were, in microseconds; all zero where there were none.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize)]
pub struct Latency {
    /// How many.
    pub count: u64,
    /// Half were as short.
    pub p50_us: u64,
    /// 99 of 100 were as short.
    pub p99_us: u64,
    /// 999 of 1,000 were as short.
    pub p999_us: u64,
    /// The longest.
    pub max_us: u64,
}

impl Latencies {
    pub(crate) fn new() -> Self {
        // One to six hundred million with three digits is a histogram that there is.
        let histogram = Histogram::new_with_bounds(1, MICROS_MAX, DIGITS);
        Self(histogram.unwrap_or_else(|_| unreachable!("the bounds are constants")))
    }

    pub(crate) fn note(&mut self, took: Duration) {
        let micros = u64::try_from(took.as_micros()).unwrap_or(MICROS_MAX);
        self.0.saturating_record(micros.clamp(1, MICROS_MAX));
    }

    pub(crate) fn summary(&self) -> Latency {
        Latency {
            count: self.0.len(),
            p50_us: self.0.value_at_quantile(0.5),
            p99_us: self.0.value_at_quantile(0.99),
            p999_us: self.0.value_at_quantile(0.999),
            max_us: self.0.max(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_are_of_what_was_noted_and_nothing_noted_is_zero() {
        let mut latencies = Latencies::new();
        assert_eq!(latencies.summary().count, 0);
        for micros in 1..=1000 {
            latencies.note(Duration::from_micros(micros));
        }
        let Latency { count, p50_us, p99_us, max_us, .. } = latencies.summary();
        assert_eq!((count, p50_us, p99_us, max_us), (1000, 500, 990, 1000));
    }
}
