//! Business time: real, or that of a scenario.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use lienthong_model::Timestamp;
use lienthong_model::limits::{CLOCK_AHEAD_MACHINE_MIN, CLOCK_AHEAD_MAX};

/// Where business time comes from.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Clock {
    /// The machine's clock.
    Real,
    /// A scenario's: it starts at a moment when the hub starts, and runs at a rate. Only with a
    /// test PKI.
    Scenario {
        /// The first moment.
        start: Timestamp,
        /// How much faster than machine time it runs; above 0, at most 1,000,000.
        rate: f64,
    },
}

/// Business time that runs.
#[derive(Debug, Clone, Copy)]
pub struct BusinessClock {
    clock: Clock,
    began: Instant,
}

/// Why a text is not a clock.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("a clock is `real` or `start=2020-11-16T08:00+07:00,rate=600`; {0}")]
pub struct ClockError(String);

impl Clock {
    /// The fastest scenario clock.
    pub const RATE_MAX: f64 = 1_000_000.0;

    /// Parses `real` or `start=MOMENT[,rate=NUMBER]`.
    ///
    /// # Errors
    /// [`ClockError`] says what is wrong.
    pub fn parse(text: &str) -> Result<Self, ClockError> {
        if text == "real" {
            return Ok(Self::Real);
        }
        let (mut start, mut rate) = (None, 1.0);
        for part in text.split(',') {
            match part.split_once('=') {
                Some(("start", moment)) => {
                    let moment = Timestamp::parse(moment);
                    start =
                        Some(moment.ok_or_else(|| ClockError(format!("`{part}` is no moment")))?);
                }
                Some(("rate", number)) => {
                    let number = number.parse().ok();
                    let number = number.filter(|rate| *rate > 0.0 && *rate <= Self::RATE_MAX);
                    rate = number.ok_or_else(|| ClockError(format!("`{part}` is no rate")))?;
                }
                _ => return Err(ClockError(format!("`{part}` is neither"))),
            }
        }
        let start = start.ok_or_else(|| ClockError("`start` is missing".to_owned()))?;
        Ok(Self::Scenario { start, rate })
    }
}

impl BusinessClock {
    /// Starts a clock now.
    pub fn start(clock: Clock) -> Self {
        Self { clock, began: Instant::now() }
    }

    /// Returns the business time now.
    pub fn now(&self) -> Timestamp {
        match self.clock {
            Clock::Real => {
                let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
                Timestamp::from_millis(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
            }
            Clock::Scenario { start, rate } => {
                let elapsed = self.began.elapsed().as_secs_f64() * rate;
                start.plus(Duration::try_from_secs_f64(elapsed).unwrap_or(Duration::MAX))
            }
        }
    }

    /// Returns how much machine time passes until a moment; zero when it has come.
    pub fn until(&self, moment: Timestamp) -> Duration {
        let millis = moment.millis().saturating_sub(self.now().millis()).max(0);
        let business = Duration::from_millis(u64::try_from(millis).unwrap_or(0));
        Duration::try_from_secs_f64(business.as_secs_f64() / self.rate()).unwrap_or(Duration::MAX)
    }

    /// Returns how much faster than machine time it runs.
    pub fn rate(&self) -> f64 {
        match self.clock {
            Clock::Real => 1.0,
            Clock::Scenario { rate, .. } => rate,
        }
    }

    /// Returns how far ahead a sender's clock may be, in business time: five minutes, and on a
    /// scenario's clock at least what passes in five seconds.
    pub fn ahead(&self) -> Duration {
        CLOCK_AHEAD_MAX.max(CLOCK_AHEAD_MACHINE_MIN.mul_f64(self.rate()))
    }

    /// Returns whether it is a scenario's.
    pub fn is_scenario(&self) -> bool {
        matches!(self.clock, Clock::Scenario { .. })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_is_read_from_its_text() {
        assert_eq!(Clock::parse("real"), Ok(Clock::Real));
        let start = Timestamp::parse("2020-11-16T08:00+07:00").unwrap();
        let text = "start=2020-11-16T08:00+07:00,rate=600";
        assert_eq!(Clock::parse(text), Ok(Clock::Scenario { start, rate: 600.0 }));
        let text = "start=2020-11-16T08:00+07:00";
        assert_eq!(Clock::parse(text), Ok(Clock::Scenario { start, rate: 1.0 }));
    }

    #[test]
    fn a_text_that_is_no_clock_is_refused() {
        for text in [
            "",
            "now",
            "rate=3",
            "start=2020",
            "start=2020-11-16,rate=0",
            "start=2020-11-16,rate=x",
        ] {
            assert!(Clock::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_moment_of_business_time_is_as_much_sooner_as_the_clock_is_faster() {
        let start = Timestamp::parse("2020-11-16").unwrap();
        let clock = BusinessClock::start(Clock::Scenario { start, rate: 600.0 });
        let until = clock.until(start.plus(Duration::from_secs(6_000)));
        assert!(until <= Duration::from_secs(10) && until > Duration::from_secs(8), "{until:?}");
        assert_eq!(clock.until(start), Duration::ZERO);
    }

    #[test]
    fn a_scenario_clock_begins_at_its_start() {
        let start = Timestamp::parse("2020-11-16").unwrap();
        let clock = BusinessClock::start(Clock::Scenario { start, rate: 1.0 });
        let now = clock.now();
        assert!(now >= start && now < start.plus(Duration::from_secs(60)));
    }
}
