//! What a measure asks of the records, gathered document by document.

use std::collections::HashMap;
use std::time::Duration;

use lienthong_core::{DeliveryRow, DocumentRow, DocumentView};
use lienthong_model::{MessageId, Ordinal, Standing, StatusCode};

use super::records::{at_of, has, is_processed, standing, waits};
use super::{Found, Measured, Scope, number};
use crate::scenario::{Expect, Measure};
use crate::verdict::NAMED_MAX;
use crate::verdict::records::Records;

/// A delivery is late that was acknowledged later than this.
const LATE: Duration = Duration::from_secs(3_600);

/// Whether a document counts.
type Counts = Box<dyn Fn(&DocumentView, &Records<'_>) -> bool>;
/// Whether a delivery counts; none: it is not asked about.
type CountsDelivery = Box<dyn Fn(&DocumentRow, &DeliveryRow) -> Option<bool>>;
/// How many milliseconds a delivery took.
type Took = Box<dyn Fn(&DocumentRow, &DeliveryRow) -> Option<i64>>;

/// What was gathered so far.
pub(super) enum Gathered {
    /// The records are not asked.
    Nothing,
    /// Documents that count.
    Documents { counts: Counts, found: Found },
    /// Deliveries asked about, and those that count.
    Deliveries { counts: CountsDelivery, all: u64, found: Found },
    /// Times that deliveries took, and those that took longest.
    Times { took: Took, times: Vec<i64>, longest: Vec<(i64, String)> },
    /// Documents accepted after a later one of their sender.
    Overtaken { latest: HashMap<Ordinal, MessageId>, found: Found },
}

impl Gathered {
    pub fn of(expect: &Expect, records: &Records<'_>) -> Self {
        let (ended, status) = (records.played.ended, expect.status);
        match expect.measure {
            Measure::Sent | Measure::Growth => documents(|_, _| true),
            Measure::PersonalSignatureShare => {
                documents(|view, _| !view.document.signature.is_personal())
            }
            Measure::FullyElectronicShare => {
                documents(|view, _| view.document.extent.is_some_and(|extent| extent.paper_copy))
            }
            Measure::Replies => documents(|view, _| {
                view.document.answers.as_ref().is_some_and(|answers| !answers.is_empty())
            }),
            Measure::Unproven => {
                documents(|view, records| records.unproven.binary_search(&view.position).is_ok())
            }
            Measure::Overtaken => {
                Self::Overtaken { latest: HashMap::new(), found: Found::default() }
            }
            Measure::Received => deliveries(|_, _| true),
            // Of shares those are found that do not count for it.
            Measure::ProcessedShare => deliveries(|_, row| !is_processed(row)),
            Measure::FinishedShare => deliveries(|_, row| !has(row, StatusCode::Finished)),
            Measure::ReportedShare => {
                deliveries(move |_, row| !status.is_some_and(|code| has(row, code)))
            }
            Measure::OnTimeShare => some_deliveries(|document, row| {
                let due = document.due?;
                Some(at_of(row, StatusCode::Finished).is_none_or(|at| at > due))
            }),
            Measure::ChangeAgreedShare => some_deliveries(|_, row| {
                let agreed = has(row, StatusCode::ChangeAgreed);
                (agreed || has(row, StatusCode::ChangeRefused)).then_some(!agreed)
            }),
            Measure::Overdue => deliveries(move |document, row| {
                let finished = at_of(row, StatusCode::Finished).unwrap_or(ended);
                document.due.is_some_and(|due| finished > due)
            }),
            Measure::Waiting => deliveries(|_, row| waits(row)),
            Measure::Redelivered => deliveries(|_, row| row.attempts > 1),
            Measure::Late => deliveries(|document, row| {
                let due = document.received_at.plus(LATE);
                row.acknowledged_at.is_some_and(|at| at > due)
            }),
            Measure::TakenBack => deliveries(|_, row| {
                matches!(standing(row), Standing::Withdrawn | Standing::Recalled)
            }),
            Measure::Updated => deliveries(|_, row| standing(row) == Standing::Updated),
            Measure::Replaced => deliveries(|_, row| standing(row) == Standing::Replaced),
            Measure::DeliveryMinutes => times(None),
            Measure::AcceptedHours => times(Some(StatusCode::Accepted)),
            Measure::FinishedHours => times(Some(StatusCode::Finished)),
            Measure::LevelsConnected
            | Measure::Refusals
            | Measure::RepeatedReceipts
            | Measure::ResumedUploads
            | Measure::LostBlocks
            | Measure::HubRestarts => Self::Nothing,
        }
    }

    /// Looks at the next document: whether it, or its deliveries, lie in the scope and count.
    pub fn see(&mut self, scope: &Scope, view: &DocumentView, records: &Records<'_>) {
        match self {
            Self::Nothing => {}
            Self::Documents { counts, found } => {
                if scope.holds_sender(view, records) && counts(view, records) {
                    found.add(|| records.shown(view));
                }
            }
            Self::Deliveries { counts, all, found } => {
                for (recipient, row) in scope.deliveries(view, records) {
                    let Some(counted) = counts(&view.document, row) else { continue };
                    *all += 1;
                    if counted {
                        found.add(|| records.delivery_shown(view, recipient));
                    }
                }
            }
            Self::Times { took, times, longest } => {
                for (recipient, row) in scope.deliveries(view, records) {
                    let Some(time) = took(&view.document, row) else { continue };
                    times.push(time);
                    keep_longest(longest, time, || records.delivery_shown(view, recipient));
                }
            }
            Self::Overtaken { latest, found } => {
                if !scope.holds_sender(view, records) {
                    return;
                }
                // An id carries the moment at which it was made.
                let (sender, id) = (view.document.sender, view.document.id);
                let last = latest.entry(sender).or_insert(id);
                if id < *last {
                    found.add(|| records.shown(view));
                }
                *last = (*last).max(id);
            }
        }
    }

    fn found(self) -> Found {
        match self {
            Self::Documents { found, .. }
            | Self::Deliveries { found, .. }
            | Self::Overtaken { found, .. } => found,
            Self::Nothing | Self::Times { .. } => Found::default(),
        }
    }

    /// Some of what was found, by name.
    pub fn named(self) -> Vec<String> {
        self.found().named
    }

    /// How many count.
    pub fn count(self) -> Measured {
        let found = self.found();
        Measured::count(found.count).with(found.named)
    }

    /// The share of deliveries asked about that were not found.
    pub fn share(self) -> Measured {
        let all = if let Self::Deliveries { all, .. } = &self { *all } else { 0 };
        let against = self.found();
        Measured::share(all - against.count, all).with(against.named)
    }

    /// The time at a percentile, in a unit of so many milliseconds.
    pub fn time(self, percentile: f64, unit: f64) -> Measured {
        let Self::Times { mut times, longest, .. } = self else { return Measured::none() };
        if times.is_empty() {
            return Measured::none();
        }
        let rank = crate::scenario::whole(number(times.len() as u64) * percentile);
        let place = usize::try_from(rank).unwrap_or(usize::MAX).min(times.len() - 1);
        let (_, at, _) = times.select_nth_unstable(place);
        #[allow(clippy::cast_precision_loss)] // Milliseconds of some years.
        let value = *at as f64 / unit;
        let documents = longest.into_iter().map(|(_, shown)| shown).collect();
        Measured { value, of: None, documents }
    }
}

fn documents(counts: impl Fn(&DocumentView, &Records<'_>) -> bool + 'static) -> Gathered {
    Gathered::Documents { counts: Box::new(counts), found: Found::default() }
}

fn deliveries(counts: impl Fn(&DocumentRow, &DeliveryRow) -> bool + 'static) -> Gathered {
    some_deliveries(move |document, row| Some(counts(document, row)))
}

fn some_deliveries(
    counts: impl Fn(&DocumentRow, &DeliveryRow) -> Option<bool> + 'static,
) -> Gathered {
    Gathered::Deliveries { counts: Box::new(counts), all: 0, found: Found::default() }
}

/// From acceptance until a status, or until the acknowledgement.
fn times(code: Option<StatusCode>) -> Gathered {
    let took = move |document: &DocumentRow, row: &DeliveryRow| {
        let at = code.map_or(row.acknowledged_at, |code| at_of(row, code))?;
        Some(at.millis() - document.received_at.millis())
    };
    Gathered::Times { took: Box::new(took), times: Vec::new(), longest: Vec::new() }
}

/// Keeps what took longest, the longest first.
fn keep_longest(longest: &mut Vec<(i64, String)>, time: i64, shown: impl FnOnce() -> String) {
    let place = longest.partition_point(|(other, _)| *other >= time);
    if place < NAMED_MAX {
        longest.insert(place, (time, shown()));
        longest.truncate(NAMED_MAX);
    }
}
