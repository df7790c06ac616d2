//! Business time as a client knows it: before it connects (for TLS) and after (the hub's).

use std::fmt;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use lienthong_model::Timestamp;
use rustls::time_provider::TimeProvider;
use rustls_pki_types::UnixTime;

/// How far this machine's clock may differ from the hub's real clock before it is said.
const DIFFERENCE_MAX: Duration = Duration::from_secs(60);

/// The clock by which the hub's TLS certificate is judged.
///
/// A client does not know the hub's clock before it is connected, so whoever runs a scenario in
/// another year says so here.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub enum ClockSource {
    /// This machine's clock.
    #[default]
    Real,
    /// A scenario's clock.
    Scenario(HubClock),
}

/// A running clock in business time.
#[derive(Clone, Copy, PartialEq)]
pub struct HubClock(Running);

#[derive(Debug, Clone, Copy, PartialEq)]
enum Running {
    Own {
        /// How far the hub's was ahead when it was asked for, in milliseconds.
        ahead_ms: i64,
    },
    Scenario {
        since: Instant,
        at: Timestamp,
        rate: f64,
    },
}

impl ClockSource {
    /// A scenario's clock that shows `start` now and runs `rate` times as fast as machine time.
    pub fn scenario(start: Timestamp, rate: f64) -> Self {
        Self::Scenario(HubClock::scenario(start, rate, Instant::now()))
    }

    /// Returns what it shows.
    pub fn now(&self) -> Timestamp {
        match self {
            Self::Real => own_clock(),
            Self::Scenario(clock) => clock.now(),
        }
    }
}

impl HubClock {
    pub(crate) const OWN: Self = Self(Running::Own { ahead_ms: 0 });

    /// A scenario's clock that showed `at` at a moment of the machine. A rate that is no positive
    /// number stands still.
    pub(crate) fn scenario(at: Timestamp, rate: f64, since: Instant) -> Self {
        let rate = if rate.is_finite() { rate.max(0.0) } else { 0.0 };
        Self(Running::Scenario { since, at, rate })
    }

    /// Returns business time.
    pub fn now(&self) -> Timestamp {
        match self.0 {
            Running::Own { .. } => own_clock(),
            Running::Scenario { since, at, rate } => {
                let elapsed = since.elapsed().as_secs_f64() * rate * 1000.0;
                // The conversion saturates.
                Timestamp::from_millis(at.millis().saturating_add(elapsed as i64))
            }
        }
    }

    /// Returns how much faster than machine time it runs: 1 on the real clock.
    pub fn rate(&self) -> f64 {
        match self.0 {
            Running::Own { .. } => 1.0,
            Running::Scenario { rate, .. } => rate,
        }
    }

    /// Returns how far the hub's real clock was ahead of this machine's when it was asked for, in
    /// milliseconds; `None` for a scenario's clock.
    pub fn ahead_ms(&self) -> Option<i64> {
        match self.0 {
            Running::Own { ahead_ms } => Some(ahead_ms),
            Running::Scenario { .. } => None,
        }
    }

    /// Returns whether it is a scenario's clock, not the real one.
    pub fn is_scenario(&self) -> bool {
        matches!(self.0, Running::Scenario { .. })
    }

    /// The clock to use with a hub that showed `at` between two moments of this machine; says
    /// when a hub on the real clock and this machine differ by more than a minute.
    pub(crate) fn of_hub(answer: HubTime, asked: Instant, answered: Instant) -> Self {
        let half = answered.saturating_duration_since(asked) / 2;
        if answer.scenario {
            return Self::scenario(answer.now, answer.rate, asked + half);
        }
        let own = own_clock().minus(half);
        let ahead_ms = answer.now.millis().saturating_sub(own.millis());
        if u128::from(ahead_ms.unsigned_abs()) > DIFFERENCE_MAX.as_millis() {
            tracing::warn!(hub = %answer.now, own = %own, "this machine's clock and the hub's differ");
        }
        Self(Running::Own { ahead_ms })
    }
}

impl fmt::Debug for HubClock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// What the hub said of its clock.
#[derive(Debug, Clone, Copy)]
pub(crate) struct HubTime {
    pub now: Timestamp,
    pub rate: f64,
    pub scenario: bool,
}

impl TimeProvider for ClockSource {
    fn current_time(&self) -> Option<UnixTime> {
        let seconds = u64::try_from(self.now().seconds()).ok()?;
        Some(UnixTime::since_unix_epoch(Duration::from_secs(seconds)))
    }
}

fn own_clock() -> Timestamp {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Timestamp::from_millis(0).plus(since)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scenario_clock_runs_at_its_rate_from_where_it_began() {
        let start = Timestamp::parse("2020-11-16T08:00+07:00").unwrap();
        let Some(since) = Instant::now().checked_sub(Duration::from_secs(2)) else { return };
        let clock = HubClock::scenario(start, 600.0, since);
        let shown = clock.now();
        assert!(shown >= start.plus(Duration::from_secs(1200)), "{shown}");
        assert!(shown < start.plus(Duration::from_secs(3600)), "{shown}");
        assert!(clock.is_scenario());
    }

    #[test]
    fn a_rate_that_is_no_number_stands_still() {
        let start = Timestamp::from_millis(5);
        for rate in [f64::NAN, f64::INFINITY, -1.0] {
            assert_eq!(HubClock::scenario(start, rate, Instant::now()).now(), start, "{rate}");
        }
    }
}
