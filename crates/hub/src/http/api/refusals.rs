//! Refusals by reason, with what each means, what to do, and the last examples.

use axum::extract::State;
use lienthong_core::statistics::{RefusalExample, View};
use lienthong_model::Reason;
use lienthong_model::limits::REFUSALS_LOOKED_AT_MAX;
use serde::Serialize;
use std::collections::BTreeMap;

use super::names::Named;
use super::period::{Asked, Span};
use super::{Answer, Words, reading};
use crate::http::Pages;
use crate::http::asked::Query;
use crate::http::visitor::Visitor;

/// Examples of one reason.
const EXAMPLES_MAX: usize = 5;

/// How often a reason was given.
#[derive(Debug, Serialize)]
pub(super) struct Counted {
    code: &'static str,
    count: u64,
    meaning: Words,
    remedy: Words,
}

#[derive(Debug, Serialize)]
struct WithExamples {
    #[serde(flatten)]
    counted: Counted,
    examples: Vec<Example>,
}

/// A refusal that was given.
#[derive(Debug, Serialize)]
struct Example {
    at: String,
    /// Whose connection brought it.
    caller: Named,
    id: String,
    violations: Vec<Found>,
}

#[derive(Debug, Serialize)]
struct Found {
    field: String,
    value: String,
}

#[derive(Debug, Serialize)]
pub(super) struct Refusals {
    #[serde(flatten)]
    span: Span,
    total: u64,
    reasons: Vec<WithExamples>,
    /// Whether only refusals that are kept one by one were counted: of single agencies, by which
    /// they are not counted otherwise.
    partial: bool,
}

/// Answers refusals, the most frequent first.
pub(super) async fn refusals(
    State(pages): State<Pages>,
    visitor: Visitor,
    Query(asked): Query<Asked>,
) -> Answer<Refusals> {
    let now = pages.0.clock.now();
    let period = asked.period(now)?;
    reading(move || {
        let directory = pages.0.reader.directory();
        let mut by_reason: BTreeMap<Reason, u64> = BTreeMap::new();
        for ((place, reason), count) in pages.0.reader.refusals(period)?.by_province {
            if visitor.sight.has_province(place) {
                *by_reason.entry(reason).or_default() += count;
            }
        }
        let may_see = |caller| visitor.sight.has_ordinal(&directory, caller, now);
        let partial = matches!(visitor.sight.0, View::Agencies(_));
        let last = pages.0.reader.with_statistics(|source| {
            source.refusal_examples(None, &may_see, REFUSALS_LOOKED_AT_MAX)
        })?;
        if partial {
            for one in last.iter().filter(|one| period.holds(one.at)) {
                *by_reason.entry(one.refusal.reason).or_default() += 1;
            }
        }
        let with_examples = |(reason, count): (Reason, u64)| {
            let same = last.iter().filter(|one| one.refusal.reason == reason);
            let examples = same.take(EXAMPLES_MAX).map(|one| example(one, &directory, now));
            WithExamples { counted: Counted::of(reason, count), examples: examples.collect() }
        };
        let mut reasons: Vec<_> = by_reason.into_iter().map(with_examples).collect();
        reasons.sort_by_key(|one| std::cmp::Reverse(one.counted.count));
        let total = reasons.iter().map(|one| one.counted.count).sum();
        Ok(Refusals { span: Span::of(period), total, reasons, partial })
    })
    .await
}

fn example(
    one: &RefusalExample,
    directory: &lienthong_core::Directory,
    now: lienthong_model::Timestamp,
) -> Example {
    let violations = one.refusal.violations.iter();
    Example {
        at: one.at.to_string(),
        caller: Named::of(directory, one.caller, now),
        id: one.id.to_string(),
        violations: violations
            .map(|one| Found { field: one.field.clone(), value: one.value.clone() })
            .collect(),
    }
}

impl Counted {
    pub fn of(reason: Reason, count: u64) -> Self {
        let (meaning, remedy) = (Words::meaning(reason), Words::remedy(reason));
        Self { code: reason.code(), count, meaning, remedy }
    }
}
