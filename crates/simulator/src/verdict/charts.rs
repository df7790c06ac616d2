//! What the charts of a report show, read once from the hub's records.

use std::collections::BTreeMap;

use lienthong_core::DocumentView;
use lienthong_model::{Day, Ordinal, Reason, Timestamp};

use super::records::Records;
use crate::scenario::{Days, Scenario};

/// Most columns of a chart over time: with more days, several days are one column.
const COLUMNS_MAX: u64 = 62;
/// Most provinces with a colour of their own.
const PROVINCES_MAX: usize = 7;
/// The upper ends of the classes of delivery times, in seconds; beyond is one class more.
const TIMES: [(i64, &str); 9] = [
    (1, "≤ 1 s"),
    (10, "≤ 10 s"),
    (60, "≤ 1 min"),
    (300, "≤ 5 min"),
    (900, "≤ 15 min"),
    (3_600, "≤ 1 h"),
    (4 * 3_600, "≤ 4 h"),
    (24 * 3_600, "≤ 1 d"),
    (i64::MAX, "> 1 d"),
];

/// What the charts show.
#[derive(Debug, Clone, PartialEq)]
pub struct Charts {
    /// The columns: the first and the last day of each.
    pub columns: Vec<Days>,
    /// Documents sent in each column, by place; the largest first, the others together last.
    pub sent: Vec<(String, Vec<u64>)>,
    /// Deliveries by the time from acceptance to acknowledgement.
    pub times: Vec<(&'static str, u64)>,
    /// Refusals in each column, by reason.
    pub refused: Vec<(Reason, Vec<u64>)>,
    /// Faults: the name in both languages, and when.
    pub faults: Vec<(String, Timestamp, Timestamp)>,
    /// The first moment, and the first after the last day.
    pub period: (Timestamp, Timestamp),
}

/// What is drawn so far.
pub(super) struct Drawing {
    columns: Vec<Days>,
    sent: BTreeMap<Option<Ordinal>, Vec<u64>>,
    times: Vec<(&'static str, u64)>,
}

impl Drawing {
    pub fn new(scenario: &Scenario) -> Self {
        let times = TIMES.map(|(_, name)| (name, 0)).to_vec();
        Self { columns: columns(scenario.days), sent: BTreeMap::new(), times }
    }

    /// Clerks go on after the last day: what comes then has no column.
    fn column(&self, at: Timestamp) -> Option<usize> {
        let width = self.columns.first()?.count();
        let since = u64::try_from(at.day().0 - self.columns.first()?.first.0).ok()?;
        let column = usize::try_from(since / width).ok()?;
        self.columns.get(column).filter(|days| days.holds(at.day())).map(|_| column)
    }

    /// Looks at the next document.
    pub fn see(&mut self, view: &DocumentView, records: &Records<'_>) {
        let at = view.document.received_at;
        let place = records.place(view.document.sender, at).and_then(|place| place.province);
        if let Some(column) = self.column(at) {
            let count = self.columns.len();
            self.sent.entry(place).or_insert_with(|| vec![0; count])[column] += 1;
        }
        for one in &view.deliveries {
            let Some(acknowledged) = one.delivery.acknowledged_at else { continue };
            let seconds = (acknowledged.millis() - at.millis()) / 1_000;
            let class = TIMES.iter().position(|(most, _)| seconds <= *most);
            self.times[class.unwrap_or(TIMES.len() - 1)].1 += 1;
        }
    }

    pub fn finish(self, scenario: &Scenario, records: &Records<'_>) -> Charts {
        let mut refused: BTreeMap<Reason, Vec<u64>> = BTreeMap::new();
        for one in &records.declined {
            if let Some(column) = self.column(one.at) {
                let count = self.columns.len();
                refused.entry(one.reason).or_insert_with(|| vec![0; count])[column] += 1;
            }
        }
        let faults = scenario.faults.iter().map(|fault| {
            let words = fault.area.words();
            let whose = if words == "*" { String::new() } else { format!(" ({words})") };
            (
                format!("{} / {}{whose}", fault.kind.name_vi(), fault.kind.name()),
                fault.from,
                fault.until,
            )
        });
        Charts {
            sent: largest(self.sent, records),
            times: self.times,
            refused: refused.into_iter().collect(),
            faults: faults.collect(),
            period: (scenario.begin(), scenario.end()),
            columns: self.columns,
        }
    }
}

/// The days of each column.
fn columns(days: Days) -> Vec<Days> {
    let width = i32::try_from(days.count().div_ceil(COLUMNS_MAX)).unwrap_or(i32::MAX).max(1);
    let firsts = (days.first.0..=days.last.0).step_by(width.unsigned_abs() as usize);
    let last = |first: i32| Day(first.saturating_add(width - 1).min(days.last.0));
    firsts.map(|first| Days { first: Day(first), last: last(first) }).collect()
}

/// The places that sent most, by name; the others are one.
fn largest(
    sent: BTreeMap<Option<Ordinal>, Vec<u64>>,
    records: &Records<'_>,
) -> Vec<(String, Vec<u64>)> {
    let ended = records.played.ended;
    let mut places: Vec<(String, Vec<u64>)> = sent
        .into_iter()
        .map(|(place, counts)| {
            let name = place.and_then(|place| records.directory.agency(place)).map_or_else(
                || "Trung ương / centre".to_owned(),
                |agency| {
                    let entry = agency.entry(ended);
                    format!("{} {}", entry.code, entry.name)
                },
            );
            (name, counts)
        })
        .collect();
    places.sort_by_key(|(_, counts)| std::cmp::Reverse(counts.iter().sum::<u64>()));
    if places.len() > PROVINCES_MAX + 1 {
        let others = places.split_off(PROVINCES_MAX);
        let mut sum = vec![0; others.first().map_or(0, |(_, counts)| counts.len())];
        for (_, counts) in &others {
            sum.iter_mut().zip(counts).for_each(|(sum, count)| *sum += count);
        }
        places.push((format!("{} nơi khác / others", others.len()), sum));
    }
    places
}
