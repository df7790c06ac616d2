//! Moments, and the hours and days of Viet Nam (UTC+07:00, without summer time).

use std::fmt;
use std::time::Duration;

use minicbor::{Decode, Encode};

const OFFSET_MS: i64 = 7 * 3_600_000;
const HOUR_MS: i64 = 3_600_000;
const DAY_MS: i64 = 24 * HOUR_MS;

/// A moment of business time: milliseconds since 1970-01-01T00:00:00Z.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Encode, Decode)]
#[cbor(transparent)]
pub struct Timestamp(#[n(0)] i64);

/// An hour in UTC+07:00, counted from 1970-01-01T00:00+07:00.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Encode, Decode)]
#[cbor(transparent)]
pub struct Hour(#[n(0)] pub i32);

/// A day in UTC+07:00, counted from 1970-01-01.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Encode, Decode)]
#[cbor(transparent)]
pub struct Day(#[n(0)] pub i32);

/// A month in UTC+07:00, counted from January 1970.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Month(pub i32);

impl Timestamp {
    /// The earliest moment that can be written.
    pub const MIN: Self = Self(i64::MIN);

    /// A moment from milliseconds since the epoch.
    pub const fn from_millis(millis: i64) -> Self {
        Self(millis)
    }

    /// Milliseconds since the epoch.
    pub const fn millis(self) -> i64 {
        self.0
    }

    /// Whole seconds since the epoch, rounded down.
    pub const fn seconds(self) -> i64 {
        self.0.div_euclid(1000)
    }

    /// Parses RFC 3339 (`2020-11-16T08:00:00+07:00`; seconds may be left out); a plain date is
    /// its first moment in UTC+07:00.
    pub fn parse(text: &str) -> Option<Self> {
        if let Ok(date) = text.parse::<jiff::civil::Date>()
            && text.len() == 10
        {
            let days = jiff::civil::date(1970, 1, 1).until(date).ok()?.get_days();
            return Some(Day(days).start());
        }
        text.parse::<jiff::Timestamp>().ok().map(|at| Self(at.as_millisecond()))
    }

    /// This moment and `duration`, held at the ends of what can be written.
    pub fn plus(self, duration: Duration) -> Self {
        Self(self.0.saturating_add(i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)))
    }

    /// This moment less `duration`, held at the ends of what can be written.
    pub fn minus(self, duration: Duration) -> Self {
        Self(self.0.saturating_sub(i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)))
    }

    /// The hour in UTC+07:00 that holds this moment.
    pub fn hour(self) -> Hour {
        let hour = self.0.saturating_add(OFFSET_MS).div_euclid(HOUR_MS);
        Hour(i32::try_from(hour).unwrap_or(if hour < 0 { i32::MIN } else { i32::MAX }))
    }

    /// The day in UTC+07:00 that holds this moment.
    pub fn day(self) -> Day {
        let day = self.0.saturating_add(OFFSET_MS).div_euclid(DAY_MS);
        Day(i32::try_from(day).unwrap_or(if day < 0 { i32::MIN } else { i32::MAX }))
    }
}

impl Hour {
    /// The first moment of the hour.
    pub fn start(self) -> Timestamp {
        Timestamp(i64::from(self.0) * HOUR_MS - OFFSET_MS)
    }
}

impl Day {
    /// The first moment of the day.
    pub fn start(self) -> Timestamp {
        Timestamp(i64::from(self.0) * DAY_MS - OFFSET_MS)
    }
}

impl Day {
    /// The month that holds this day.
    pub fn month(self) -> Month {
        let (year, month, _) = self.civil();
        Month(year.saturating_sub(1970).saturating_mul(12) + month - 1)
    }

    /// Year, month (1 to 12) and day of the month in the proleptic Gregorian calendar, counted by
    /// eras of 400 years, which begin in March.
    fn civil(self) -> (i32, i32, i32) {
        let days = i64::from(self.0) + 719_468;
        let era = days.div_euclid(146_097);
        let of_era = days.rem_euclid(146_097);
        let year = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
        let of_year = of_era - (365 * year + year / 4 - year / 100);
        let shifted = (5 * of_year + 2) / 153;
        let day = of_year - (153 * shifted + 2) / 5 + 1;
        let month = if shifted < 10 { shifted + 3 } else { shifted - 9 };
        let year = year + era * 400 + i64::from(month <= 2);
        let narrow = |number: i64| i32::try_from(number).unwrap_or_default();
        (narrow(year), narrow(month), narrow(day))
    }
}

impl Month {
    /// The first day of the month.
    pub fn first_day(self) -> Day {
        let (years, month) = (i64::from(self.0).div_euclid(12), i64::from(self.0).rem_euclid(12));
        let year = 1970 + years - i64::from(month < 2);
        let of_year = (153 * ((month + 10) % 12) + 2) / 5;
        let (era, of_era) = (year.div_euclid(400), year.rem_euclid(400));
        let days = of_era * 365 + of_era / 4 - of_era / 100 + of_year;
        let number = era * 146_097 + days - 719_468;
        Day(i32::try_from(number).unwrap_or(if number < 0 { i32::MIN } else { i32::MAX }))
    }

    /// The first moment of the month.
    pub fn start(self) -> Timestamp {
        self.first_day().start()
    }
}

impl fmt::Display for Timestamp {
    /// RFC 3339 in UTC+07:00, with milliseconds when there are any.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match jiff::Timestamp::from_millisecond(self.0) {
            Ok(at) => {
                let digits = if self.0.rem_euclid(1000) == 0 { 0 } else { 3 };
                write!(f, "{:.digits$}", at.display_with_offset(jiff::tz::offset(7)))
            }
            Err(_) => write!(f, "{} ms", self.0),
        }
    }
}

impl fmt::Debug for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl fmt::Display for Day {
    /// `yyyy-MM-dd`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.start().to_string().get(..10).unwrap_or("?"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_and_hours_turn_at_midnight_in_viet_nam() {
        let before = Timestamp::parse("2020-11-15T23:59:59.999+07:00").unwrap();
        let after = Timestamp::parse("2020-11-16T00:00:00+07:00").unwrap();
        assert_eq!(before.day().0 + 1, after.day().0);
        assert_eq!(before.hour().0 + 1, after.hour().0);
        assert_eq!(after.day().start(), after);
        assert_eq!(after.day().to_string(), "2020-11-16");
        assert_eq!(Timestamp::parse("2020-11-16"), Some(after));
    }

    #[test]
    fn months_begin_where_the_calendar_says() {
        let mut month = 0;
        for day in -200_000..200_000 {
            let first = Day(day).to_string().ends_with("-01");
            let counted = Day(day).month();
            assert_eq!(counted.first_day() == Day(day), first, "{}", Day(day));
            assert!(day == -200_000 || counted.0 == month + i32::from(first), "{}", Day(day));
            month = counted.0;
        }
        assert_eq!(Timestamp::parse("2020-11-16").unwrap().day().month().0, 50 * 12 + 10);
        assert_eq!(Month(610).start(), Timestamp::parse("2020-11-01").unwrap());
    }

    #[test]
    fn a_moment_is_shown_in_local_time_and_read_back() {
        let at = Timestamp::from_millis(1_605_488_400_000);
        assert_eq!(at.to_string(), "2020-11-16T08:00:00+07:00");
        assert_eq!(Timestamp::parse(&at.to_string()), Some(at));
        let odd = Timestamp::from_millis(1_605_488_400_007);
        assert_eq!(Timestamp::parse(&odd.to_string()), Some(odd));
        assert_eq!(Timestamp::parse("yesterday"), None);
        assert_eq!(Timestamp::parse("2020-11-16T08:00+07:00"), Some(at));
    }
}
