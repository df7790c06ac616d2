//! How often and how long something is tried again.

use std::time::Duration;

/// The rule by which a call is repeated, with the same id and the same bytes, while the hub cannot
/// be reached or asks for patience.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Retry {
    /// How long one call may take in all, attempts and pauses together. Default 60 s. Too low gives
    /// up on a hub that restarts; too high keeps a caller waiting for one that is gone. Zero: one
    /// attempt.
    pub total: Duration,
    /// The longest first pause; it doubles from attempt to attempt. Default 100 ms. Too low loads
    /// a hub that is starting; too high delays the recovery from a short break.
    pub first: Duration,
    /// The longest pause, except where the hub names one. Default 5 s. Too low loads a hub that is
    /// down; too high finds out late that it is back.
    pub pause_max: Duration,
}

impl Default for Retry {
    fn default() -> Self {
        Self {
            total: Duration::from_secs(60),
            first: Duration::from_millis(100),
            pause_max: Duration::from_secs(5),
        }
    }
}

/// The pauses of one series of attempts.
#[derive(Debug, Clone)]
pub(crate) struct Backoff {
    rule: Retry,
    next: Duration,
}

impl Backoff {
    pub(crate) fn new(rule: Retry) -> Self {
        Self { rule, next: rule.first.min(rule.pause_max) }
    }

    /// The pause before the next attempt: at least what the hub told, else between half and all of
    /// a doubling span, so that many callers do not come back at once.
    pub(crate) fn pause(&mut self, told: Option<Duration>) -> Duration {
        if let Some(told) = told {
            return told.saturating_add(told.mul_f64(rand::random_range(0.0..0.1)));
        }
        let pause = self.next.mul_f64(rand::random_range(0.5..=1.0));
        self.next = self.next.saturating_mul(2).min(self.rule.pause_max);
        pause
    }

    pub(crate) fn reset(&mut self) {
        self.next = self.rule.first.min(self.rule.pause_max);
    }
}

/// The longest pause that a hub may ask for.
pub(crate) const TOLD_MAX: Duration = Duration::from_secs(3600);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_up_to_the_bound_and_never_fall_below_what_the_hub_told() {
        let rule = Retry::default();
        let mut backoff = Backoff::new(rule);
        let mut span = rule.first;
        for _ in 0..12 {
            let pause = backoff.pause(None);
            assert!(pause >= span / 2 && pause <= span, "{pause:?} of {span:?}");
            span = (span * 2).min(rule.pause_max);
        }
        let told = Duration::from_secs(7);
        assert!(backoff.pause(Some(told)) >= told);
        backoff.reset();
        assert!(backoff.pause(None) <= rule.first);
    }
}
