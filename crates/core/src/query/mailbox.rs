//! What waits in mailboxes.

use lienthong_model::{Ordinal, Position};

use super::Query;
use crate::engine::{EngineError, Tables};
use crate::keys::{self, Lane, MAILBOX_PAGE};
use crate::notice::NoticeNumber;

/// Where waiting documents are read from.
pub trait Mailbox {
    /// Returns at most `limit` positions that wait in a lane, after a position, in order.
    ///
    /// # Errors
    /// [`EngineError`] when the rows cannot be read.
    fn waiting(
        &self,
        recipient: Ordinal,
        lane: Lane,
        after: Option<Position>,
        limit: usize,
    ) -> Result<Vec<Position>, EngineError>;
}

impl<T: Tables + ?Sized> Mailbox for Query<'_, T> {
    fn waiting(
        &self,
        recipient: Ordinal,
        lane: Lane,
        after: Option<Position>,
        limit: usize,
    ) -> Result<Vec<Position>, EngineError> {
        let prefix = keys::mailbox(recipient, lane);
        let from = match after {
            Some(after) => keys::mailbox_page(recipient, lane, after),
            None => prefix.clone(),
        };
        on_pages(self.0, (&prefix, &from), after, limit)
    }
}

/// The mailboxes of notices; numbers stand as positions, and all are ordinary.
#[derive(Debug, Clone, Copy)]
pub struct NoticeMailbox<'t, T: ?Sized>(pub &'t T);

impl<T: Tables + ?Sized> Mailbox for NoticeMailbox<'_, T> {
    fn waiting(
        &self,
        recipient: Ordinal,
        lane: Lane,
        after: Option<Position>,
        limit: usize,
    ) -> Result<Vec<Position>, EngineError> {
        if lane == Lane::Urgent {
            return Ok(Vec::new());
        }
        let prefix = keys::notice_pages(recipient);
        let from = match after {
            Some(after) => keys::notice_page(recipient, NoticeNumber(after.0)),
            None => prefix.clone(),
        };
        on_pages(self.0, (&prefix, &from), after, limit)
    }
}

/// At most `limit` positions after one, from pages with a prefix.
fn on_pages<T: Tables + ?Sized>(
    tables: &T,
    (prefix, from): (&[u8], &[u8]),
    after: Option<Position>,
    limit: usize,
) -> Result<Vec<Position>, EngineError> {
    let mut positions = Vec::new();
    tables.scan(prefix, from, &mut |key, page| {
        positions.extend(on_page(key, page).filter(|p| after.is_none_or(|after| *p > after)));
        positions.len() < limit
    })?;
    positions.truncate(limit);
    Ok(positions)
}

/// The positions on a page of a mailbox, in order.
pub(crate) fn on_page(key: &[u8], page: &[u8]) -> impl Iterator<Item = Position> {
    let first = keys::page_of(key).map(|number| number.saturating_mul(MAILBOX_PAGE));
    let on = move |slot: &u8| Some(Position(first?.saturating_add(u64::from(*slot))));
    page.iter().filter_map(on)
}
