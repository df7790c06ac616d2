//! Mailboxes: sets of positions in pages of 256, so that entering and leaving can be repeated.
//!
//! How many wait in each is kept beside them in memory, since a count in a row could not be repeated:
//! it begins as what the pages hold, and follows what really changes in them.

use std::collections::HashMap;

use lienthong_model::limits::{MAILBOX_FULL_AGAIN, MAILBOX_WAITING_MAX};
use lienthong_model::{Ordinal, Position, Reason, Refusal};

use super::Machine;
use crate::command::DeliveryKey;
use crate::engine::{EngineError, Payloads, State, Tables};
use crate::keys::{self, Lane, MAILBOX_PAGE};
use crate::mail::Arrival;
use crate::notice::NoticeKey;

/// How many documents wait in each mailbox; those in which none does are left out.
#[derive(Debug, Default)]
pub(super) struct Waiting(HashMap<Ordinal, u32>);

impl Waiting {
    /// Counts what the rows hold.
    pub fn load<T: Tables + ?Sized>(tables: &T) -> Result<Self, EngineError> {
        let mut waiting = Self::default();
        tables.scan(keys::MAILBOXES, keys::MAILBOXES, &mut |key, page| {
            if let Some(recipient) = keys::ordinal_of(keys::MAILBOXES, key) {
                let count = u32::try_from(page.len()).unwrap_or(u32::MAX);
                *waiting.0.entry(recipient).or_default() += count;
            }
            true
        })?;
        Ok(waiting)
    }

    /// Returns how many wait for an agency.
    pub fn of(&self, recipient: Ordinal) -> u32 {
        self.0.get(&recipient).copied().unwrap_or(0)
    }

    fn entered(&mut self, recipient: Ordinal) {
        *self.0.entry(recipient).or_default() += 1;
    }

    fn left(&mut self, recipient: Ordinal) {
        if let Some(count) = self.0.get_mut(&recipient) {
            *count = count.saturating_sub(1);
            if *count == 0 {
                self.0.remove(&recipient);
            }
        }
    }
}

/// Says when to write again to a mailbox that is full.
pub(super) fn with_patience(refusal: Refusal) -> Refusal {
    match refusal.reason {
        Reason::MailboxFull => refusal.retry_after(MAILBOX_FULL_AGAIN),
        _ => refusal,
    }
}

impl<S: State, P: Payloads> Machine<S, P> {
    /// How many documents wait for a recipient, when no more may.
    pub(super) fn mailbox_full(&self, recipient: Ordinal) -> Option<u32> {
        let waiting = self.waiting.of(recipient);
        let quota = self.policy.quotas.of(recipient).and_then(|quota| quota.waiting_max);
        (u64::from(waiting) >= quota.unwrap_or(u64::from(MAILBOX_WAITING_MAX))).then_some(waiting)
    }

    pub(super) fn enter_mailbox(
        &mut self,
        recipient: Ordinal,
        lane: Lane,
        position: Position,
    ) -> Result<(), EngineError> {
        self.work.mail.documents.arrived.push(Arrival { recipient, lane, position });
        if self.enter_page(keys::mailbox_page(recipient, lane, position), position)? {
            self.waiting.entered(recipient);
        }
        Ok(())
    }

    /// Takes a document out of a mailbox, in whichever lane it waits.
    pub(super) fn leave_mailbox(&mut self, delivery: DeliveryKey) -> Result<(), EngineError> {
        let DeliveryKey { recipient, position } = delivery;
        self.work.mail.documents.settled.push(delivery);
        for lane in [Lane::Urgent, Lane::Ordinary] {
            if self.leave_page(keys::mailbox_page(recipient, lane, position), position)? {
                self.waiting.left(recipient);
            }
        }
        Ok(())
    }

    pub(super) fn enter_notices(&mut self, key: NoticeKey) -> Result<(), EngineError> {
        let DeliveryKey { recipient, position } = key.place();
        let arrival = Arrival { recipient, lane: Lane::Ordinary, position };
        self.work.mail.notices.arrived.push(arrival);
        self.enter_page(keys::notice_page(recipient, key.number), position)?;
        Ok(())
    }

    pub(super) fn leave_notices(&mut self, key: NoticeKey) -> Result<(), EngineError> {
        let place = key.place();
        self.work.mail.notices.settled.push(place);
        self.leave_page(keys::notice_page(key.agency, key.number), place.position)?;
        Ok(())
    }

    /// Enters a position on a page; false when it stood there.
    pub(super) fn enter_page(
        &mut self,
        key: Vec<u8>,
        position: Position,
    ) -> Result<bool, EngineError> {
        let slot = slot(position);
        let mut page = self.row(&key)?.map(|row| row.to_vec()).unwrap_or_default();
        let Err(place) = page.binary_search(&slot) else { return Ok(false) };
        page.insert(place, slot);
        self.work.put(key, page);
        Ok(true)
    }

    /// Takes a position off a page; false when it did not stand there.
    pub(super) fn leave_page(
        &mut self,
        key: Vec<u8>,
        position: Position,
    ) -> Result<bool, EngineError> {
        let Some(row) = self.row(&key)? else { return Ok(false) };
        let mut page = row.to_vec();
        let Ok(place) = page.binary_search(&slot(position)) else { return Ok(false) };
        page.remove(place);
        match page.is_empty() {
            true => self.work.delete(key),
            false => self.work.put(key, page),
        }
        Ok(true)
    }
}

#[allow(clippy::cast_possible_truncation)] // The remainder of a division by 256 fits a byte.
pub(super) fn slot(position: Position) -> u8 {
    (position.0 % MAILBOX_PAGE) as u8
}
