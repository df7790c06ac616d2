//! When offices work: hours, weekends, holidays, the end of a month.

use std::time::Duration;

use lienthong_model::{Day, Timestamp};

/// Days from a first to a last, both included.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Days {
    /// The first.
    pub first: Day,
    /// The last.
    pub last: Day,
}

impl Days {
    /// Returns whether a day is one of them.
    pub fn holds(&self, day: Day) -> bool {
        self.first <= day && day <= self.last
    }

    /// Returns whether some day is one of both.
    pub fn meets(&self, other: Self) -> bool {
        self.first <= other.last && other.first <= self.last
    }

    /// Returns how many there are.
    pub fn count(&self) -> u64 {
        u64::try_from(i64::from(self.last.0) - i64::from(self.first.0) + 1).unwrap_or(0)
    }

    /// Returns them in order.
    pub fn iter(&self) -> impl Iterator<Item = Day> + use<> {
        (self.first.0..=self.last.0).map(Day)
    }
}

/// When offices work.
#[derive(Debug, Clone, PartialEq)]
pub struct Calendar {
    /// Office hours in minutes since midnight, in order, not touching.
    pub hours: Vec<(u32, u32)>,
    /// How much is written on Saturdays and Sundays, as a share of a working day.
    pub weekend: f64,
    /// Days without work.
    pub holidays: Vec<Days>,
    /// How many working days at the end of a month are peak days.
    pub peak_days: u32,
    /// How much is written on a peak day, as a multiple of a working day.
    pub peak: f64,
}

impl Default for Calendar {
    /// 07:30 to 11:30 and 13:30 to 17:00 from Monday to Friday, no holidays, no peaks.
    fn default() -> Self {
        Self {
            hours: vec![(450, 690), (810, 1_020)],
            weekend: 0.0,
            holidays: Vec::new(),
            peak_days: 0,
            peak: 1.0,
        }
    }
}

/// Returns whether a day is a Saturday or a Sunday. 1970-01-01 was a Thursday.
fn is_weekend(day: Day) -> bool {
    matches!((day.0 + 3).rem_euclid(7), 5 | 6)
}

fn month(day: Day) -> String {
    day.to_string().chars().take(7).collect()
}

impl Calendar {
    /// Returns whether offices work on a day: on a weekend only where it is a working day like others.
    pub fn works(&self, day: Day) -> bool {
        (!is_weekend(day) || self.weekend >= 1.0) && !self.is_holiday(day)
    }

    fn is_holiday(&self, day: Day) -> bool {
        self.holidays.iter().any(|days| days.holds(day))
    }

    /// Returns how much is written on a day, as a multiple of a working day.
    pub fn load(&self, day: Day) -> f64 {
        if self.is_holiday(day) {
            0.0
        } else if is_weekend(day) {
            self.weekend
        } else if self.is_peak(day) {
            self.peak
        } else {
            1.0
        }
    }

    /// Whether fewer than `peak_days` working days of the month follow.
    fn is_peak(&self, day: Day) -> bool {
        let this = month(day);
        let rest =
            (1..).map(|ahead| Day(day.0 + ahead)).take_while(|next| month(next.to_owned()) == this);
        self.peak_days > 0
            && rest.filter(|next| self.works(*next)).count() < self.peak_days as usize
    }

    /// Returns minutes of work in a day.
    pub fn minutes(&self) -> u32 {
        self.hours.iter().map(|(from, to)| to - from).sum()
    }

    /// Returns the moment of a day at which a share (0 to 1) of its office hours has passed.
    pub fn moment(&self, day: Day, share: f64) -> Timestamp {
        let minutes = f64::from(self.minutes()) * 60_000.0;
        let mut rest = whole(minutes * share.clamp(0.0, 1.0));
        for (from, to) in &self.hours {
            let length = u64::from(to - from) * 60_000;
            if rest < length {
                return day.start().plus(Duration::from_millis(u64::from(*from) * 60_000 + rest));
            }
            rest -= length;
        }
        let end = self.hours.last().map_or(0, |(_, to)| *to);
        day.start().plus(Duration::from_secs(u64::from(end) * 60))
    }

    /// Returns the moment that is some working time after another.
    pub fn after(&self, at: Timestamp, work: Duration) -> Timestamp {
        let mut rest = u64::try_from(work.as_millis()).unwrap_or(u64::MAX);
        let mut now = at;
        // Work for a hundred years is never asked for; the bound is against a calendar of holidays.
        for _ in 0..36_600 {
            let day = now.day();
            if self.works(day) {
                for (from, to) in &self.hours {
                    let minute = |m: u32| day.start().plus(Duration::from_secs(u64::from(m) * 60));
                    let begin = now.max(minute(*from));
                    let left = u64::try_from(minute(*to).millis() - begin.millis()).unwrap_or(0);
                    if rest < left {
                        return begin.plus(Duration::from_millis(rest));
                    }
                    rest -= left;
                }
            }
            now = Day(day.0 + 1).start();
        }
        now
    }
}

/// Returns the whole part of a number; 0 for a negative one.
#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // Lengths of at most some years.
pub(crate) fn whole(length: f64) -> u64 {
    length.max(0.0) as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(text: &str) -> Day {
        Timestamp::parse(text).unwrap().day()
    }

    #[test]
    fn weekends_and_holidays_are_not_worked_and_the_months_end_is_a_peak() {
        let tet = Days { first: day("2020-01-23"), last: day("2020-01-29") };
        let calendar = Calendar {
            holidays: vec![tet],
            weekend: 0.1,
            peak_days: 2,
            peak: 1.5,
            ..Calendar::default()
        };
        let load = |text| calendar.load(day(text)).to_string();
        assert_eq!(load("2020-11-16"), "1"); // Monday
        assert_eq!(load("2020-11-14"), "0.1"); // Saturday
        assert_eq!(load("2020-01-25"), "0"); // Tết, a Saturday
        assert_eq!(load("2020-11-27"), "1.5"); // Friday; only Monday 30 follows
        assert_eq!(load("2020-11-26"), "1");
    }

    #[test]
    fn a_weekend_with_a_working_days_share_is_worked() {
        let (friday, saturday) = (day("2020-11-20"), day("2020-11-21"));
        for (weekend, works) in [(0.9, false), (1.0, true)] {
            let calendar = Calendar { weekend, ..Calendar::default() };
            assert_eq!((calendar.works(friday), calendar.works(saturday)), (true, works));
        }
    }

    #[test]
    fn working_time_stops_at_lunch_at_night_and_over_the_weekend() {
        let calendar = Calendar::default();
        let at = |text| Timestamp::parse(text).unwrap();
        let after = |from, minutes: u64| {
            calendar.after(at(from), Duration::from_secs(minutes * 60)).to_string()
        };
        assert_eq!(after("2020-11-16T11:00+07:00", 60), "2020-11-16T14:00:00+07:00");
        assert_eq!(after("2020-11-16T16:30+07:00", 60), "2020-11-17T08:00:00+07:00");
        assert_eq!(after("2020-11-14T10:00+07:00", 30), "2020-11-16T08:00:00+07:00");
        let noon = calendar.moment(day("2020-11-16"), 240.0 / 450.0);
        assert_eq!(noon.to_string(), "2020-11-16T13:30:00+07:00");
    }
}
