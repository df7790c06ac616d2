//! Mailboxes: sets of positions in pages of 256, so that entering and leaving can be repeated.

use lienthong_model::{Ordinal, Position};

use super::Machine;
use crate::command::DeliveryKey;
use crate::engine::{EngineError, Payloads, State};
use crate::keys::{self, Lane, MAILBOX_PAGE};
use crate::mail::Arrival;
use crate::notice::NoticeKey;

impl<S: State, P: Payloads> Machine<S, P> {
    pub(super) fn enter_mailbox(
        &mut self,
        recipient: Ordinal,
        lane: Lane,
        position: Position,
    ) -> Result<(), EngineError> {
        self.work.mail.documents.arrived.push(Arrival { recipient, lane, position });
        self.enter_page(keys::mailbox_page(recipient, lane, position), position)
    }

    /// Takes a document out of a mailbox, in whichever lane it waits.
    pub(super) fn leave_mailbox(&mut self, delivery: DeliveryKey) -> Result<(), EngineError> {
        let DeliveryKey { recipient, position } = delivery;
        self.work.mail.documents.settled.push(delivery);
        for lane in [Lane::Urgent, Lane::Ordinary] {
            self.leave_page(keys::mailbox_page(recipient, lane, position), position)?;
        }
        Ok(())
    }

    pub(super) fn enter_notices(&mut self, key: NoticeKey) -> Result<(), EngineError> {
        let DeliveryKey { recipient, position } = key.place();
        let arrival = Arrival { recipient, lane: Lane::Ordinary, position };
        self.work.mail.notices.arrived.push(arrival);
        self.enter_page(keys::notice_page(recipient, key.number), position)
    }

    pub(super) fn leave_notices(&mut self, key: NoticeKey) -> Result<(), EngineError> {
        let place = key.place();
        self.work.mail.notices.settled.push(place);
        self.leave_page(keys::notice_page(key.agency, key.number), place.position)
    }

    pub(super) fn enter_page(
        &mut self,
        key: Vec<u8>,
        position: Position,
    ) -> Result<(), EngineError> {
        let slot = slot(position);
        let mut page = self.row(&key)?.map(|row| row.to_vec()).unwrap_or_default();
        if let Err(place) = page.binary_search(&slot) {
            page.insert(place, slot);
            self.work.put(key, page);
        }
        Ok(())
    }

    pub(super) fn leave_page(
        &mut self,
        key: Vec<u8>,
        position: Position,
    ) -> Result<(), EngineError> {
        let Some(row) = self.row(&key)? else { return Ok(()) };
        let mut page = row.to_vec();
        if let Ok(place) = page.binary_search(&slot(position)) {
            page.remove(place);
            match page.is_empty() {
                true => self.work.delete(key),
                false => self.work.put(key, page),
            }
        }
        Ok(())
    }
}

#[allow(clippy::cast_possible_truncation)] // The remainder of a division by 256 fits a byte.
pub(super) fn slot(position: Position) -> u8 {
    (position.0 % MAILBOX_PAGE) as u8
}
