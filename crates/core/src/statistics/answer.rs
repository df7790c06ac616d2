//! The rows of an answer, out of what was counted.

use std::cmp::Reverse;
use std::collections::BTreeSet;
use std::ops::Range;

use super::count::{Slots, Sums};
use super::figures::{Figure, percentile};
use super::question::{Answer, Question, Row, Value};
use super::shape::Key;
use super::vocabulary::Measure;

/// Makes some rows of the answer out of what was counted in the question's period, and in those it is
/// compared with.
pub(super) fn answer(question: &Question, counted: &[Sums], rows: Range<usize>) -> Answer {
    let Some((now, compared)) = counted.split_first() else { return Answer::default() };
    let values = |sums: &[u64], of: &Sums| -> Vec<Option<u64>> {
        question.measures.iter().map(|one| value(*one, sums, of.slots())).collect()
    };
    let total = Row {
        bucket: None,
        group: Vec::new(),
        values: values(&now.total(), now),
        compared: compared.iter().map(|one| values(&one.total(), one)).collect(),
    };
    let mut groups: Vec<(Key, &[u64])> = now.all().collect();
    if !compared.is_empty() {
        let others = compared.iter().flat_map(Sums::all).map(|(key, _)| key);
        let others: BTreeSet<Key> = others.filter(|key| now.of(key).is_empty()).collect();
        groups.extend(others.into_iter().map(|key| (key, &[][..])));
        groups.sort_unstable();
    }
    if let Some(top) = question.top {
        groups.sort_by_cached_key(|(_, sums)| Reverse(value(top, sums, now.slots())));
    }
    let first = question.bucket.map(|bucket| (bucket, bucket.number(question.period.from)));
    let row = |(key, sums): (Key, &[u64])| {
        let dimensions = question.group_by.iter().zip(&key[1..]);
        let group = dimensions.filter_map(|(one, number)| Value::of_number(*one, *number));
        Row {
            bucket: first
                .map(|(bucket, first)| bucket.start(first.wrapping_add(key[0].cast_signed()))),
            group: group.collect(),
            values: values(sums, now),
            compared: compared.iter().map(|one| values(one.of(&key), one)).collect(),
        }
    };
    let rows_total = groups.len();
    let some = groups.into_iter().skip(rows.start).take(rows.len());
    Answer { rows: some.map(row).collect(), rows_total, total }
}

fn value(measure: Measure, sums: &[u64], slots: &Slots) -> Option<u64> {
    if let Some((until, share)) = measure.percentile() {
        let buckets: Vec<u64> =
            Figure::buckets(until).map(|figure| slots.figure(sums, figure)).collect();
        let took = percentile(&buckets, share)?;
        return u64::try_from(took.as_millis()).ok();
    }
    Some(match measure.figure() {
        Some(figure) => slots.figure(sums, figure),
        None if matches!(measure, Measure::Pages | Measure::Bytes) => slots.measure(sums),
        None => slots.count(sums),
    })
}
