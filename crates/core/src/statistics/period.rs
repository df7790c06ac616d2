//! Spans of time, and the pages of hours, days, ten days and months that make one up.

use std::time::Duration;

use lienthong_model::{Day, Hour, Month, Timestamp};

/// How long a bucket of time is. Numbers are stable.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Grain {
    /// An hour.
    Hour = 1,
    /// A day in UTC+07:00.
    Day = 2,
    /// A calendar month.
    Month = 3,
    /// A calendar year.
    Year = 4,
}

/// How long a page is. Numbers are stable: they stand in the keys of rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum PageGrain {
    /// An hour. Pages of hours are kept for [`lienthong_model::limits::HOURS_KEPT`].
    Hour = 1,
    /// A day in UTC+07:00.
    Day = 2,
    /// The first ten days of a calendar month, the second ten, or what is left of it: a month of
    /// which a part is asked for is made up of few pages.
    TenDays = 3,
    /// A calendar month.
    Month = 4,
}

/// A span of time: from a moment (included) until another (not included).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Period {
    /// The first moment.
    pub from: Timestamp,
    /// The first moment after it.
    pub until: Timestamp,
}

/// Pages of one grain that follow each other, by number: first and last.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Stretch {
    pub grain: PageGrain,
    pub first: i32,
    pub last: i32,
}

/// Hours of one day.
const DAY_HOURS: i32 = 24;
/// Months of one year.
const YEAR_MONTHS: i32 = 12;
/// Parts of a month that have pages of ten days; the last has what is left of it.
const MONTH_PARTS: i32 = 3;
/// The first day of the year 1 and of the year 10,000: what lies beyond is no date.
const DAYS: (Day, Day) = (Day(-719_162), Day(2_932_897));

impl Grain {
    /// All grains, the shortest first.
    pub const ALL: [Self; 4] = [Self::Hour, Self::Day, Self::Month, Self::Year];

    /// Returns the grain with a stable number.
    pub fn from_number(number: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|grain| *grain as u8 == number)
    }

    /// Returns the name in JSON and on the command line.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Hour => "hour",
            Self::Day => "day",
            Self::Month => "month",
            Self::Year => "year",
        }
    }

    /// Returns the number of the hour, day, month or year (counted from 1970) that holds a moment.
    pub fn number(self, at: Timestamp) -> i32 {
        match self {
            Self::Hour => at.hour().0,
            Self::Day => at.day().0,
            Self::Month => at.day().month().0,
            Self::Year => at.day().month().0.div_euclid(YEAR_MONTHS),
        }
    }

    /// Returns the first moment of the one with a number.
    pub fn start(self, number: i32) -> Timestamp {
        match self {
            Self::Hour => Hour(number).start(),
            Self::Day => Day(number).start(),
            Self::Month => Month(number).start(),
            Self::Year => Month(number.saturating_mul(YEAR_MONTHS)).start(),
        }
    }

    /// Returns the number of the same hour, day, month or year a year after the one that holds a
    /// moment; none for 29 February and its hours, which the year after does not have.
    pub(super) fn number_a_year_later(self, at: Timestamp) -> Option<i32> {
        match self {
            Self::Hour | Self::Day => {
                let day = same_day(at.day(), YEAR_MONTHS)?;
                Some(self.number(on_day(day, at)))
            }
            Self::Month => Some(self.number(at).saturating_add(YEAR_MONTHS)),
            Self::Year => Some(self.number(at).saturating_add(1)),
        }
    }

    /// The longest page that lies in one of them.
    pub(super) const fn longest_page(self) -> PageGrain {
        match self {
            Self::Hour => PageGrain::Hour,
            Self::Day => PageGrain::Day,
            Self::Month | Self::Year => PageGrain::Month,
        }
    }
}

impl PageGrain {
    /// All grains, the shortest first.
    pub const ALL: [Self; 4] = [Self::Hour, Self::Day, Self::TenDays, Self::Month];

    /// Returns the grain with a stable number.
    pub fn from_number(number: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|grain| *grain as u8 == number)
    }

    /// Returns its name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Hour => "hour",
            Self::Day => "day",
            Self::TenDays => "ten-days",
            Self::Month => "month",
        }
    }

    /// Returns the number of the page (counted from 1970) that holds a moment.
    pub fn number(self, at: Timestamp) -> i32 {
        match self {
            Self::Hour => at.hour().0,
            _ => self.number_of_day(at.day()),
        }
    }

    fn number_of_day(self, day: Day) -> i32 {
        match self {
            Self::Hour => day.0.saturating_mul(DAY_HOURS),
            Self::Day => day.0,
            Self::TenDays => {
                let month = day.month();
                let part = (day.0 - month.first_day().0) / 10;
                month.0.saturating_mul(MONTH_PARTS).saturating_add(part.min(MONTH_PARTS - 1))
            }
            Self::Month => day.month().0,
        }
    }

    /// Returns the first moment of the page with a number.
    pub fn start(self, number: i32) -> Timestamp {
        match self {
            Self::Hour => Hour(number).start(),
            _ => self.first_day(number).start(),
        }
    }

    fn first_day(self, number: i32) -> Day {
        match self {
            Self::Hour => Day(number.div_euclid(DAY_HOURS)),
            Self::Day => Day(number),
            Self::TenDays => {
                let first = Month(number.div_euclid(MONTH_PARTS)).first_day();
                Day(first.0.saturating_add(10 * number.rem_euclid(MONTH_PARTS)))
            }
            Self::Month => Month(number).first_day(),
        }
    }

    /// The hour, as a number, in which the page with a number begins.
    fn first_hour(self, number: i64) -> i64 {
        match self {
            Self::Hour => number,
            _ => i64::from(self.first_day(narrow(number)).0) * i64::from(DAY_HOURS),
        }
    }

    /// The one that holds an hour.
    fn floor(self, hour: i64) -> i64 {
        match self {
            Self::Hour => hour,
            _ => i64::from(self.number_of_day(Day(narrow(hour.div_euclid(i64::from(DAY_HOURS)))))),
        }
    }

    /// The first one that does not begin before an hour.
    fn ceil(self, hour: i64) -> i64 {
        let floor = self.floor(hour);
        if self.first_hour(floor) == hour { floor } else { floor + 1 }
    }
}

fn narrow(number: i64) -> i32 {
    i32::try_from(number).unwrap_or(i32::MAX)
}

impl Period {
    /// All of time.
    pub const ALL: Self =
        Self { from: Timestamp::from_millis(i64::MIN), until: Timestamp::from_millis(i64::MAX) };

    /// Returns the period of the same length right before: of whole calendar months, as many months.
    pub fn before(self) -> Self {
        let Self { from, until } = self;
        let (first, last) = (Grain::Month.number(from), Grain::Month.number(until));
        let whole = Month(first).start() == from && Month(last).start() == until;
        let begin = match whole {
            true => Month(first - (last - first)).start(),
            false => {
                let length = until.millis().saturating_sub(from.millis());
                Timestamp::from_millis(from.millis().saturating_sub(length))
            }
        };
        Self { from: begin, until: from }
    }

    /// Returns the same days of the year before, up to the last one that it holds; 29 February is
    /// 28 February there. One that ends with a month ends with that month there.
    pub fn year_before(self) -> Self {
        let last = self.last();
        let month = last.day().month().0;
        let ends_month = Month(month.saturating_add(1)).start() == self.until;
        let day = same_day(last.day(), -YEAR_MONTHS).filter(|_| !ends_month);
        let until = match day {
            Some(day) => on_day(day, last).plus(Duration::from_millis(1)),
            None => Month(month.saturating_sub(YEAR_MONTHS - 1)).start(),
        };
        Self { from: year_before(self.from), until }
    }

    /// The last moment that it holds.
    pub(super) fn last(self) -> Timestamp {
        Timestamp::from_millis(self.until.millis().saturating_sub(1))
    }

    /// Whether a moment lies in it.
    pub fn holds(self, at: Timestamp) -> bool {
        self.from <= at && at < self.until
    }

    /// The hours that it touches, by number: the first, and the first after the last.
    fn hours(self) -> (i64, i64) {
        let (first, last) = (DAYS.0.start(), DAYS.1.start());
        let from = self.from.clamp(first, last);
        let until = self.until.clamp(first, last);
        let end = i64::from(until.hour().0);
        let end = if Hour(until.hour().0).start() == until { end } else { end + 1 };
        (i64::from(from.hour().0), end)
    }

    /// Returns the pages of some grains (the shortest first) that make it up: each hour once, the
    /// fewest pages. Where hours are not kept any more (before `hours_since`), and what is finer than
    /// the shortest grain, is rounded to whole pages that the period touches.
    pub(super) fn pages(self, grains: &[PageGrain], hours_since: Hour) -> Vec<Stretch> {
        let mut stretches = Vec::new();
        split(self.hours(), grains, hours_since, &mut stretches);
        stretches
    }
}

fn split((from, until): (i64, i64), grains: &[PageGrain], since: Hour, into: &mut Vec<Stretch>) {
    let Some((coarse, finer)) = grains.split_last() else { return };
    if from >= until {
        return;
    }
    if finer.is_empty() {
        let gone = *coarse == PageGrain::Hour && from < i64::from(since.0);
        let grain = if gone { PageGrain::Day } else { *coarse };
        let (first, end) = (grain.floor(from), grain.ceil(until));
        into.push(Stretch { grain, first: narrow(first), last: narrow(end - 1) });
        return;
    }
    let (first, end) = (coarse.ceil(from), coarse.floor(until));
    if first >= end {
        return split((from, until), finer, since, into);
    }
    split((from, coarse.first_hour(first)), finer, since, into);
    into.push(Stretch { grain: *coarse, first: narrow(first), last: narrow(end - 1) });
    split((coarse.first_hour(end), until), finer, since, into);
}

fn year_before(at: Timestamp) -> Timestamp {
    let day = at.day();
    let of = |day| same_day(day, -YEAR_MONTHS);
    // What lies beyond any date stays where it is.
    let there = of(day).or_else(|| of(Day(day.0.saturating_sub(1)))).unwrap_or(day);
    on_day(there, at)
}

/// The day with the same number in a month so many months later; none where that month has no such
/// day.
fn same_day(day: Day, months: i32) -> Option<Day> {
    let month = day.month();
    let there = Month(month.0.saturating_add(months));
    let of_month = day.0 - month.first_day().0;
    let moved = Day(there.first_day().0.saturating_add(of_month));
    (moved.month() == there).then_some(moved)
}

/// The same time on another day.
fn on_day(day: Day, at: Timestamp) -> Timestamp {
    let of_day = at.millis().saturating_sub(at.day().start().millis());
    Timestamp::from_millis(day.start().millis().saturating_add(of_day))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        Timestamp::parse(text).unwrap()
    }

    fn period(from: &str, until: &str) -> Period {
        Period { from: at(from), until: at(until) }
    }

    /// Which days or hours a period is made of when its pages are of some grains.
    fn hours_of(period: Period, grains: &[PageGrain], kept: Hour) -> (Vec<i64>, Vec<Stretch>) {
        let stretches = period.pages(grains, kept);
        let hours = stretches.iter().flat_map(|stretch| {
            let first = stretch.grain.first_hour(i64::from(stretch.first));
            first..stretch.grain.first_hour(i64::from(stretch.last) + 1)
        });
        (hours.collect(), stretches)
    }

    #[test]
    fn the_pages_of_a_period_hold_each_of_its_hours_once() {
        let kept = Hour(i32::MIN);
        for (from, until) in [
            ("2019-11-16", "2020-11-16"),
            ("2020-01-31T13:00+07:00", "2020-02-01T01:00+07:00"),
            ("2020-02-01", "2020-03-01"),
            ("2020-02-01T05:30+07:00", "2020-02-01T05:40+07:00"),
            ("2019-12-31T23:00+07:00", "2021-01-01T01:00+07:00"),
            ("2020-02-20", "2020-02-29T01:00+07:00"),
            ("1969-02-10T23:00+07:00", "1970-01-22"),
        ] {
            let period = period(from, until);
            let (hours, _) = hours_of(period, &PageGrain::ALL, kept);
            let (first, end) = period.hours();
            assert_eq!(hours, (first..end).collect::<Vec<_>>(), "{from} to {until}");
        }
        let whole = period("2020-01-01", "2021-01-01").pages(&PageGrain::ALL, kept);
        assert_eq!(whole.len(), 1, "{whole:?}");
    }

    #[test]
    fn ten_days_are_three_parts_of_every_month() {
        let parts = |from: &str, until: &str| {
            let first = PageGrain::TenDays.number(at(from));
            let starts = (first..).map(|number| PageGrain::TenDays.start(number).day().to_string());
            starts.take_while(|day| day.as_str() < until).collect::<Vec<_>>()
        };
        let leap = ["2020-02-01", "2020-02-11", "2020-02-21", "2020-03-01", "2020-03-11"];
        assert_eq!(parts("2020-02-09", "2020-03-15"), leap);
        let long_ago = ["1969-12-21", "1970-01-01", "1970-01-11", "1970-01-21"];
        assert_eq!(parts("1969-12-31T23:59+07:00", "1970-02-01"), long_ago);
        for day in -1_000..20_000 {
            let start = Day(day).start();
            let number = PageGrain::TenDays.number(start);
            let (begin, end) = (number, number + 1);
            let [begin, end] = [begin, end].map(|number| PageGrain::TenDays.start(number));
            assert!(begin <= start && start < end, "{start}");
            assert_eq!(begin.day().month(), start.day().month(), "{start}");
        }
    }

    #[test]
    fn an_odd_year_is_made_up_of_few_pages() {
        let odd = period("2020-01-02", "2020-12-30");
        let days_to_months = [PageGrain::Day, PageGrain::TenDays, PageGrain::Month];
        let (hours, stretches) = hours_of(odd, &days_to_months, Hour(i32::MIN));
        assert_eq!(hours.len(), 363 * 24);
        let pages = |grain: PageGrain| -> i32 {
            let of_grain = stretches.iter().filter(|stretch| stretch.grain == grain);
            of_grain.map(|stretch| stretch.last - stretch.first + 1).sum()
        };
        let found = [PageGrain::Month, PageGrain::TenDays, PageGrain::Day].map(pages);
        assert_eq!(found, [10, 4, 18]);
    }

    #[test]
    fn hours_that_are_not_kept_become_the_days_that_they_touch() {
        let since = at("2020-06-01").hour();
        let pages = period("2020-02-01T05:00+07:00", "2020-07-01T03:00+07:00")
            .pages(&[PageGrain::Hour, PageGrain::Day], since);
        let grains: Vec<_> = pages.iter().map(|stretch| stretch.grain).collect();
        assert_eq!(grains, [PageGrain::Day, PageGrain::Day, PageGrain::Hour]);
        assert_eq!(pages[0].first, at("2020-02-01").day().0);
        assert_eq!((pages[1].first, pages[2].last - pages[2].first), (pages[0].last + 1, 2));
    }

    #[test]
    fn periods_before_keep_months_and_days() {
        let february = period("2020-02-01", "2020-03-01");
        assert_eq!(february.before(), period("2020-01-01", "2020-02-01"));
        assert_eq!(february.year_before(), period("2019-02-01", "2019-03-01"));
        let week = period("2020-11-09", "2020-11-16");
        assert_eq!(week.before(), period("2020-11-02", "2020-11-09"));
        let leap = period("2020-02-29", "2020-03-01");
        assert_eq!(leap.year_before(), period("2019-02-28", "2019-03-01"));
    }

    #[test]
    fn a_year_before_ends_with_the_same_last_day() {
        for (from, until, before) in [
            // The day behind the last one is the 29th, which the year before does not have.
            ("2020-02-01", "2020-02-29", ("2019-02-01", "2019-03-01")),
            ("2020-02-28", "2020-02-29", ("2019-02-28", "2019-03-01")),
            ("2020-02-29", "2020-03-08", ("2019-02-28", "2019-03-08")),
            ("2020-01-01", "2021-01-01", ("2019-01-01", "2020-01-01")),
            // Months are compared with months, however long they are.
            ("2021-02-01", "2021-03-01", ("2020-02-01", "2020-03-01")),
            ("2021-02-01", "2021-02-28", ("2020-02-01", "2020-02-28")),
            ("2021-03-01", "2021-03-02", ("2020-03-01", "2020-03-02")),
        ] {
            let (begin, end) = before;
            assert_eq!(period(from, until).year_before(), period(begin, end), "{from} to {until}");
        }
        let hours = period("2020-02-28T22:00+07:00", "2020-02-29T05:00+07:00").year_before();
        assert_eq!(hours, period("2019-02-28T22:00+07:00", "2019-03-01"));
        let Period { from, until } = Period::ALL.year_before();
        assert!(from < at("0001-01-01") && at("9999-12-31") < until, "{from} to {until}");
    }
}
