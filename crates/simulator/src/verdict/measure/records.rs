//! What the hub's records say: rows of documents and deliveries.

use std::collections::HashMap;
use std::time::Duration;

use crate::world::AccountError;
use lienthong_core::{DeliveryRow, DocumentRow};
use lienthong_model::{MessageId, Ordinal, StatusCode, Timestamp};

use super::{Found, Measured, Scope, has};
use crate::scenario::Measure;
use crate::verdict::records::Records;

/// A delivery is late that was acknowledged later than this.
const LATE: Duration = Duration::from_secs(3_600);

type Result = std::result::Result<Measured, AccountError>;

fn at_of(row: &DeliveryRow, code: StatusCode) -> Option<Timestamp> {
    row.statuses.iter().find(|line| line.code == code).map(|line| line.at)
}

/// Deliveries with a due date: 06 before it.
pub(super) fn on_time(scope: &Scope, records: &Records<'_>) -> Result {
    let (mut all, mut against) = (0, Found::default());
    scope.each_delivery(records, |view, recipient, row| {
        let Some(due) = view.document.due else { return };
        all += 1;
        if at_of(row, StatusCode::Finished).is_none_or(|at| at > due) {
            against.add(|| records.delivery_shown(view, recipient));
        }
    })?;
    Ok(Measured::share(all - against.count, all).with(against))
}

pub(super) fn overdue(scope: &Scope, records: &Records<'_>) -> Result {
    let ended = records.played.ended;
    scope.count_of(records, |document, row| {
        let Some(due) = document.due else { return false };
        at_of(row, StatusCode::Finished).unwrap_or(ended) > due
    })
}

pub(super) fn late(scope: &Scope, records: &Records<'_>) -> Result {
    scope.count_of(records, |document, row| {
        let due = document.received_at.plus(LATE);
        row.acknowledged_at.is_some_and(|at| at > due)
    })
}

/// From acceptance until an event of a delivery, at a percentile; those that take longer are named.
pub(super) fn time(
    measure: Measure,
    percentile: f64,
    scope: &Scope,
    records: &Records<'_>,
) -> Result {
    let (unit, code) = match measure {
        Measure::AcceptedHours => (3_600_000.0, Some(StatusCode::Accepted)),
        Measure::FinishedHours => (3_600_000.0, Some(StatusCode::Finished)),
        _ => (60_000.0, None),
    };
    let took = |document: &DocumentRow, row: &DeliveryRow| {
        let at = code.map_or(row.acknowledged_at, |code| at_of(row, code))?;
        Some(at.millis() - document.received_at.millis())
    };
    let mut times = Vec::new();
    scope.each_delivery(records, |view, _, row| times.extend(took(&view.document, row)))?;
    if times.is_empty() {
        return Ok(Measured { value: f64::NAN, of: None, documents: Vec::new() });
    }
    times.sort_unstable();
    let rank = crate::scenario::whole(super::number(times.len() as u64) * percentile);
    let place = usize::try_from(rank).unwrap_or(usize::MAX).min(times.len() - 1);
    let at = times[place];
    let longer = scope
        .deliveries(records, |document, row| took(document, row).is_some_and(|time| time >= at))?;
    #[allow(clippy::cast_precision_loss)] // Milliseconds of some years.
    let value = at as f64 / unit;
    Ok(Measured { value, of: None, documents: longer.named })
}

pub(super) fn replies(scope: &Scope, records: &Records<'_>) -> Result {
    let found = scope.sent(records, |row| row.answers.as_ref().is_some_and(|a| !a.is_empty()))?;
    Ok(Measured::count(found.count).with(found))
}

pub(super) fn change_agreed(scope: &Scope, records: &Records<'_>) -> Result {
    let agreed = scope.deliveries(records, |_, row| has(row, StatusCode::ChangeAgreed))?;
    let refused = scope.deliveries(records, |_, row| has(row, StatusCode::ChangeRefused))?;
    Ok(Measured::share(agreed.count, agreed.count + refused.count).with(refused))
}

pub(super) fn unproven(scope: &Scope, records: &Records<'_>) -> Result {
    let mut found = Found::default();
    scope.each_sent(records, |view| {
        if records.unproven.binary_search(&view.position).is_ok() {
            found.add(|| records.shown(view));
        }
    })?;
    Ok(Measured::count(found.count).with(found))
}

/// An id carries the moment at which it was made: one accepted after a later one was overtaken.
pub(super) fn overtaken(scope: &Scope, records: &Records<'_>) -> Result {
    let mut latest: HashMap<Ordinal, MessageId> = HashMap::new();
    let mut found = Found::default();
    scope.each_sent(records, |view| {
        let (sender, id) = (view.document.sender, view.document.id);
        let last = latest.entry(sender).or_insert(id);
        if id < *last {
            found.add(|| records.shown(view));
        }
        *last = (*last).max(id);
    })?;
    Ok(Measured::count(found.count).with(found))
}
