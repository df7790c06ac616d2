//! What a delivery's record says: each question by itself.

use lienthong_core::DeliveryRow;
use lienthong_model::{Standing, StatusCode, Timestamp};

pub(super) fn has(row: &DeliveryRow, code: StatusCode) -> bool {
    at_of(row, code).is_some()
}

/// When a status was reported first.
pub(super) fn at_of(row: &DeliveryRow, code: StatusCode) -> Option<Timestamp> {
    row.statuses.iter().find(|line| line.code == code).map(|line| line.at)
}

/// 03 and at least one of 04, 05, 06.
pub(super) fn is_processed(row: &DeliveryRow) -> bool {
    use StatusCode::{Accepted, Assigned, Finished, Processing};
    has(row, Accepted) && [Assigned, Processing, Finished].iter().any(|code| has(row, *code))
}

/// Whether it waits to be picked up.
pub(super) fn waits(row: &DeliveryRow) -> bool {
    row.acknowledged_at.is_none() && row.state().closed().is_none()
}

pub(super) fn standing(row: &DeliveryRow) -> Standing {
    row.mark.as_ref().map_or(Standing::Stands, |mark| mark.standing)
}
