//! Telling agencies, and taking their word that they know.

use std::collections::BTreeSet;

use lienthong_model::limits::NOTICES_ACKNOWLEDGED_MAX;
use lienthong_model::{Ordinal, Position, StatusCode};

use super::Machine;
use super::decide::Judged;
use super::mailboxes::slot;
use crate::codec;
use crate::command::{AcknowledgeNotices, Command, Decision, NoticesAcknowledged};
use crate::engine::{EngineError, Payloads, State};
use crate::keys;
use crate::notice::{NoticeCause, NoticeKey, NoticeNumber, NoticeRow, Notices, Told};
use crate::query::on_page;

impl<S: State, P: Payloads> Machine<S, P> {
    /// Gives numbers to what is told; `None` when there is nothing to tell.
    pub(super) fn notices(&self, told: Vec<Told>) -> Option<Notices> {
        let first = NoticeNumber(self.head.last_notice.0 + 1);
        (!told.is_empty()).then_some(Notices { first, told })
    }

    /// What the entry that is being applied tells of itself.
    pub(super) fn cause(
        &self,
        position: Position,
        status: Option<StatusCode>,
        reason: String,
    ) -> NoticeCause {
        let (block, entry) = (self.work.block, self.work.entry());
        NoticeCause { position, block, entry, status, reason }
    }

    /// Puts notices into their mailboxes.
    pub(super) fn tell(
        &mut self,
        notices: Option<&Notices>,
        cause: Option<&NoticeCause>,
    ) -> Result<(), EngineError> {
        let Some(notices) = notices else { return Ok(()) };
        self.head.last_notice = notices.last();
        let at = self.now();
        for (key, told) in notices.keyed() {
            let Told { to, kind, delivery } = *told;
            let row = NoticeRow { to, kind, delivery, at, cause: cause.cloned() };
            self.work.put(keys::notice(key.number), codec::encode(&row));
            self.enter_notices(key)?;
        }
        Ok(())
    }

    /// Which of the notices named wait in a mailbox that the caller serves.
    pub(super) fn judge_acknowledge_notices(
        &self,
        acknowledge: AcknowledgeNotices,
    ) -> Result<Judged, EngineError> {
        let mut left = BTreeSet::new();
        for key in &acknowledge.keys {
            if self.serves(acknowledge.caller, key.agency) && self.notice_waits(key)? {
                left.insert(*key);
            }
        }
        let mut more = false;
        if let Some(through) = acknowledge.through
            && self.serves(acknowledge.caller, through.agency)
        {
            let waiting = self.waiting_notices(through)?;
            more = waiting.len() > NOTICES_ACKNOWLEDGED_MAX;
            left.extend(waiting.into_iter().take(NOTICES_ACKNOWLEDGED_MAX));
        }
        let nothing = left.is_empty();
        let left = left.into_iter().collect();
        let decision = Decision::NoticesAcknowledged(NoticesAcknowledged { left, more });
        Ok(match nothing {
            true => Err(decision),
            false => Ok((Command::AcknowledgeNotices(acknowledge), decision)),
        })
    }

    pub(super) fn apply_acknowledge_notices(
        &mut self,
        acknowledged: &NoticesAcknowledged,
    ) -> Result<(), EngineError> {
        for key in &acknowledged.left {
            self.leave_notices(*key)?;
            self.work.delete(keys::notice(key.number));
        }
        Ok(())
    }

    pub(super) fn serves(&self, caller: Ordinal, agency: Ordinal) -> bool {
        let directory = &self.policy.directory;
        directory.agency(agency).is_some_and(|agency| directory.serves(caller, agency, self.now()))
    }

    fn notice_waits(&self, key: &NoticeKey) -> Result<bool, EngineError> {
        let page = self.row(&keys::notice_page(key.agency, key.number))?;
        let slot = slot(Position(key.number.0));
        Ok(page.is_some_and(|page| page.binary_search(&slot).is_ok()))
    }

    /// What waits up to a number, in order; at most one more than may leave at a time. Pages that
    /// the block under way began are left out: nobody can know their numbers yet.
    fn waiting_notices(&self, through: NoticeKey) -> Result<Vec<NoticeKey>, EngineError> {
        let prefix = keys::notice_pages(through.agency);
        let mut waiting = Vec::new();
        let mut outcome = Ok(());
        self.state.scan(&prefix, &prefix, &mut |key, _| {
            let page = match self.row(key) {
                Ok(page) => page.unwrap_or_default(),
                Err(error) => {
                    outcome = Err(error);
                    return false;
                }
            };
            let numbers = on_page(key, &page).map(|position| NoticeNumber(position.0));
            let known = numbers.take_while(|number| *number <= through.number);
            waiting.extend(known.map(|number| NoticeKey { agency: through.agency, number }));
            let passed = keys::page_of(key)
                .is_some_and(|page| page.saturating_mul(keys::MAILBOX_PAGE) > through.number.0);
            !passed && waiting.len() <= NOTICES_ACKNOWLEDGED_MAX
        })?;
        outcome.map(|()| waiting)
    }
}
