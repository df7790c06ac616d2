//! The rows of an answer, out of what was counted.

use std::cmp::Reverse;
use std::collections::BTreeSet;
use std::ops::Range;

use super::asked::{Key, NO_BUCKET, Slots};
use super::count::Sums;
use super::figures::{Figure, percentile};
use super::question::{Answer, Question, Row, Value};
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
    let first = question.bucket.map(|bucket| (bucket, bucket.number(question.period.from)));
    let last = first.map_or(0, |(bucket, first)| {
        bucket.number(question.period.last()).wrapping_sub(first).cast_unsigned()
    });
    let mut groups: Vec<(Key, &[u64])> = now.all().collect();
    if !compared.is_empty() {
        // A period compared with may be longer: what it has beyond the question's has no row.
        let has_row = |key: &Key| key[0] != NO_BUCKET && key[0] <= last;
        let others = compared.iter().flat_map(Sums::all).map(|(key, _)| key);
        let others = others.filter(|key| has_row(key) && now.of(key).is_empty());
        let others: BTreeSet<Key> = others.collect();
        groups.extend(others.into_iter().map(|key| (key, &[][..])));
        groups.sort_unstable();
    }
    let rows_total = groups.len();
    if let Some(top) = question.top {
        groups = largest(&groups, rows.end, |sums| value(top, sums, now.slots()));
    }
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
    let some = groups.into_iter().skip(rows.start).take(rows.len());
    Answer { rows: some.map(row).collect(), rows_total, total }
}

/// The first groups in the order of a value, the largest first; those alike in their own order.
fn largest<'s>(
    groups: &[(Key, &'s [u64])],
    first: usize,
    value: impl Fn(&[u64]) -> Option<u64>,
) -> Vec<(Key, &'s [u64])> {
    let values = groups.iter().map(|(_, sums)| Reverse(value(sums)));
    let mut order: Vec<(Reverse<Option<u64>>, usize)> = values.zip(0..).collect();
    if first < order.len() {
        order.select_nth_unstable(first);
        order.truncate(first);
    }
    order.sort_unstable();
    order.into_iter().map(|(_, at)| groups[at]).collect()
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
