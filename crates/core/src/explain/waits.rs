//! What a delivery waits for, and who has to act.

use lienthong_model::{Ordinal, Timestamp};

use crate::directory::Directory;
use crate::progress::Stage;
use crate::routing::Route;
use crate::rows::{DeliveryRow, DocumentRow};

/// What a document waits for.
#[derive(Debug, Clone, PartialEq)]
pub struct Wait {
    /// Which recipient; none when it waits for the hub itself.
    pub recipient: Option<Ordinal>,
    /// Since when.
    pub since: Timestamp,
    /// Why.
    pub cause: Cause,
    /// Who has to act; none when nobody has to.
    pub actor: Option<Ordinal>,
    /// Whether the due date is over.
    pub is_overdue: bool,
}

/// Why something waits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Cause {
    /// The hub has still to put it into mailboxes.
    Slices {
        /// Of so many recipients.
        pending: u32,
    },
    /// The recipient is in the directory but not connected.
    NotConnected,
    /// The recipient is suspended: it can receive nothing now.
    Suspended,
    /// The recipient's own node has not picked it up.
    NotPickedUp,
    /// The gateway's node has not picked it up.
    NotPickedUpByGateway,
    /// The node was offered it and could not take it.
    PutOff {
        /// The node's reason.
        reason: String,
    },
    /// The node has it; nothing was reported.
    NotRegistered,
    /// 01 was reported: the clerk has not accepted or refused it.
    NotAccepted,
    /// It was accepted and is not finished.
    NotFinished,
}

/// What one delivery waits for; none when it has come to an end.
pub(super) fn of(
    directory: &Directory,
    document: &DocumentRow,
    recipient: Ordinal,
    delivery: &DeliveryRow,
    now: Timestamp,
) -> Option<Wait> {
    let last = delivery.statuses.last().map(|line| line.at);
    let since = last.or(delivery.acknowledged_at).unwrap_or(document.received_at);
    let (cause, actor) = match Stage::of(delivery) {
        Stage::Waiting => not_picked_up(directory, recipient, delivery, now),
        Stage::Acknowledged => (Cause::NotRegistered, recipient),
        Stage::Arrived => (Cause::NotAccepted, recipient),
        Stage::Accepted => (Cause::NotFinished, recipient),
        Stage::Finished | Stage::Refused | Stage::Withdrawn => return None,
    };
    let is_overdue = document.due.is_some_and(|due| due <= now);
    Some(Wait { recipient: Some(recipient), since, cause, actor: Some(actor), is_overdue })
}

/// Why nobody has picked a delivery up: by how the recipient would be reached now.
fn not_picked_up(
    directory: &Directory,
    recipient: Ordinal,
    delivery: &DeliveryRow,
    now: Timestamp,
) -> (Cause, Ordinal) {
    if let Some(negative) = &delivery.negative {
        let actor = match delivery.route {
            Route::Gateway(gateway) => gateway,
            Route::OwnNode | Route::Held => recipient,
        };
        return (Cause::PutOff { reason: negative.reason.clone() }, actor);
    }
    let Some(agency) = directory.agency(recipient) else { return (Cause::NotPickedUp, recipient) };
    if agency.entry(now).state == lienthong_model::AgencyState::Suspended {
        return (Cause::Suspended, recipient);
    }
    match crate::routing::route(directory, agency, now) {
        Route::OwnNode => (Cause::NotPickedUp, recipient),
        Route::Gateway(gateway) => (Cause::NotPickedUpByGateway, gateway),
        Route::Held => (Cause::NotConnected, recipient),
    }
}

/// What a document waits for that has not reached all mailboxes.
pub(super) fn of_slices(document: &DocumentRow, pending: u32) -> Option<Wait> {
    (pending > 0).then_some(Wait {
        recipient: None,
        since: document.received_at,
        cause: Cause::Slices { pending },
        actor: None,
        is_overdue: false,
    })
}

impl<T: crate::engine::Tables + ?Sized> crate::query::Query<'_, T> {
    /// Returns what one delivery of a document waits for; none when it has come to an end or is not
    /// in the mailbox yet.
    ///
    /// # Errors
    /// [`crate::engine::EngineError`] when the row cannot be read.
    pub fn wait_of(
        &self,
        directory: &Directory,
        position: lienthong_model::Position,
        document: &DocumentRow,
        recipient: Ordinal,
        now: Timestamp,
    ) -> Result<Option<Wait>, crate::engine::EngineError> {
        let delivery = self.delivery(position, recipient)?;
        Ok(delivery.and_then(|delivery| of(directory, document, recipient, &delivery, now)))
    }
}
