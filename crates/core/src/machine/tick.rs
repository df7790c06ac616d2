//! Ticks: how time passes. When the soonest deadline is due, the hub proposes a tick; what follows
//! is decided then, journalled, and never judged again.
//!
//! One tick takes documents of one page of the index until it has told enough. A document with more
//! recipients than a slice is told about slice by slice; where it goes on is a row, so that a hub
//! that was killed goes on there.

use lienthong_model::limits::{LAPSES_PER_TICK_MAX, TOLD_PER_TICK_MAX};
use lienthong_model::{Ordinal, Position, Terms};

use super::Machine;
use super::decide::Judged;
use crate::codec;
use crate::command::{Command, Decision, DeliveryKey, Lapse, Ticked, Work};
use crate::deadlines::{DeadlineKind, DeadlinePage, Soonest};
use crate::engine::{EngineError, Payloads, State};
use crate::keys::{self, MAILBOX_PAGE};
use crate::notice::{NoticeKind, Told};
use crate::progress::{self, Stage};
use crate::rows::{DeliveryRow, DocumentRow, LapsedLine};

impl<S: State, P: Payloads> Machine<S, P> {
    /// Returns when the soonest deadline is due; none when there is none.
    pub fn next_deadline(&self) -> Option<lienthong_model::Timestamp> {
        self.soonest.first().map(|page| page.at())
    }

    /// The tick that is due at the time of the block under way.
    pub(super) fn tick_due(&self) -> Option<Work> {
        self.soonest.first().filter(|page| page.at() <= self.now()).map(Work::Tick)
    }

    /// Reads the soonest deadlines again when those in memory have run out.
    pub(super) fn refresh_deadlines(&mut self) -> Result<(), EngineError> {
        if self.soonest.is_exhausted() {
            self.soonest = Soonest::load(&*self.state)?;
        }
        Ok(())
    }

    /// Files an accepted document's deadlines.
    pub(super) fn file_deadlines(
        &mut self,
        position: Position,
        document: &DocumentRow,
        terms: Terms,
        deliver_by: Option<lienthong_model::Timestamp>,
    ) -> Result<(), EngineError> {
        let received = document.received_at;
        self.enter_deadline(DeadlineKind::PickUp, received.plus(terms.pick_up()), position)?;
        if let Some(answer) = terms.answer() {
            self.enter_deadline(DeadlineKind::Answer, received.plus(answer), position)?;
        }
        // One that had passed already is due at once.
        if let Some(due) = document.due {
            self.enter_deadline(DeadlineKind::Due, due.max(received), position)?;
        }
        if let Some(by) = deliver_by {
            self.enter_deadline(DeadlineKind::DeliverBy, by.max(received), position)?;
        }
        Ok(())
    }

    pub(super) fn enter_deadline(
        &mut self,
        kind: DeadlineKind,
        at: lienthong_model::Timestamp,
        position: Position,
    ) -> Result<(), EngineError> {
        let page = DeadlinePage::of(kind, at, position);
        self.soonest.insert(page);
        self.enter_page(keys::deadline(page), position)?;
        Ok(())
    }

    pub(super) fn judge_tick(&mut self, page: DeadlinePage) -> Result<Judged, EngineError> {
        let Some(row) = self.row(&keys::deadline(page))? else {
            self.soonest.remove(page);
            return Ok(Err(Decision::Done));
        };
        let (mut lapses, mut told) = (Vec::new(), Vec::new());
        for slot in row.iter() {
            if lapses.len() >= LAPSES_PER_TICK_MAX || told.len() >= TOLD_PER_TICK_MAX {
                break;
            }
            let position = Position(page.page * MAILBOX_PAGE + u64::from(*slot));
            lapses.push(self.lapse(page.kind, position, &mut told)?);
        }
        let decision = Decision::Ticked(Ticked { lapses, notices: self.notices(told) });
        Ok(Ok((Command::Tick(page.into()), decision)))
    }

    /// What follows for one document.
    fn lapse(
        &self,
        kind: DeadlineKind,
        position: Position,
        told: &mut Vec<Told>,
    ) -> Result<Lapse, EngineError> {
        let nothing = Lapse { position, laggards: 0, next_slice: None };
        let Some(row) = self.row(&keys::document(position))? else { return Ok(nothing) };
        let document: DocumentRow = codec::decode(&row, "document")?;
        let silent = document.received_at.plus(self.policy.terms.silent());
        if kind == DeadlineKind::LookAgain && silent <= self.now() {
            // Nobody is waited for without end.
            return Ok(nothing);
        }
        let slice = match self.row(&keys::lapse(kind, position))? {
            Some(row) => codec::decode(&row, "lapse")?,
            None => 0u16,
        };
        let lags = |stage| lags(kind, &document, stage);
        let (laggards, first) = self.laggards(position, &document, lags)?;
        if laggards == 0 {
            return Ok(nothing);
        }
        if let (0, Some(kind)) = (slice, to_sender(kind)) {
            // While the fan-out is under way there may be nobody to name: then the sender itself.
            let recipient = first.unwrap_or(document.sender);
            let delivery = DeliveryKey { recipient, position };
            told.push(Told { to: document.sender, kind, delivery });
        }
        let Some(kind) = to_recipient(kind) else {
            return Ok(Lapse { laggards, ..nothing });
        };
        self.stages_of_slice(position, &document, slice, &mut |recipient, stage| {
            if lags(stage) {
                let delivery = DeliveryKey { recipient, position };
                told.push(Told { to: recipient, kind, delivery });
            }
        })?;
        let next = slice + 1;
        let next_slice = (next < document.slices.unwrap_or(1)).then_some(next);
        Ok(Lapse { position, laggards, next_slice })
    }

    /// How many recipients lag, and the first of them that has the document in its mailbox.
    pub(super) fn laggards(
        &self,
        position: Position,
        document: &DocumentRow,
        lags: impl Fn(Stage) -> bool,
    ) -> Result<(u32, Option<Ordinal>), EngineError> {
        let (mut laggards, mut reached, mut first) = (0, 0, None);
        for slice in 0..document.slices.unwrap_or(1) {
            self.stages_of_slice(position, document, slice, &mut |recipient, stage| {
                reached += 1;
                if lags(stage) {
                    laggards += 1;
                    first = first.or(Some(recipient));
                }
            })?;
        }
        let pending = document.recipients.saturating_sub(reached);
        // Whoever does not have it in its mailbox yet waits, too.
        laggards += if lags(Stage::Waiting) { pending } else { 0 };
        Ok((laggards, first))
    }

    /// Visits the recipients of a slice as the block under way sees them; of a document that went
    /// to all at once, all.
    fn stages_of_slice(
        &self,
        position: Position,
        document: &DocumentRow,
        slice: u16,
        visit: &mut dyn FnMut(Ordinal, Stage),
    ) -> Result<(), EngineError> {
        if document.slices.is_some() {
            let page = self.row(&keys::progress(position, slice))?;
            let page = page.unwrap_or_default();
            progress::read(&page).for_each(|(recipient, stage)| visit(recipient, stage));
            return Ok(());
        }
        for (key, row) in self.rows_under(&keys::deliveries(position))? {
            let delivery: DeliveryRow = codec::decode(&row, "delivery")?;
            if let Some(recipient) = keys::recipient_of(&key) {
                visit(recipient, Stage::of(&delivery));
            }
        }
        Ok(())
    }

    /// The rows under a prefix as the block under way sees them. Only for few.
    fn rows_under(
        &self,
        prefix: &[u8],
    ) -> Result<std::collections::BTreeMap<Vec<u8>, bytes::Bytes>, EngineError> {
        let mut rows = std::collections::BTreeMap::new();
        self.state.scan(prefix, prefix, &mut |key, row| {
            rows.insert(key.to_vec(), bytes::Bytes::copy_from_slice(row));
            true
        })?;
        for (key, row) in self.work.rows_under(prefix) {
            match row {
                Some(row) => rows.insert(key.to_vec(), row.clone()),
                None => rows.remove(key),
            };
        }
        Ok(rows)
    }

    pub(super) fn apply_tick(
        &mut self,
        page: DeadlinePage,
        ticked: &Ticked,
    ) -> Result<(), EngineError> {
        let key = keys::deadline(page);
        for lapse in &ticked.lapses {
            let Lapse { position, laggards, next_slice } = *lapse;
            let goes_on = keys::lapse(page.kind, position);
            match next_slice {
                Some(next) => self.work.put(goes_on, codec::encode(&next)),
                None => {
                    if self.row(&goes_on)?.is_some() {
                        self.work.delete(goes_on);
                    }
                    self.leave_page(key.clone(), position)?;
                }
            }
            self.note_lapse(page.kind, position, laggards)?;
        }
        if self.row(&key)?.is_none() {
            self.soonest.remove(page);
        }
        if page.kind == DeadlineKind::Due {
            self.count_overdue(ticked)?;
        }
        self.tell(ticked.notices.as_ref(), None)
    }

    fn note_lapse(
        &mut self,
        kind: DeadlineKind,
        position: Position,
        laggards: u32,
    ) -> Result<(), EngineError> {
        let at = self.now();
        let key = keys::document(position);
        let Some(row) = self.row(&key)? else { return Ok(()) };
        let mut document: DocumentRow = codec::decode(&row, "document")?;
        if matches!(kind, DeadlineKind::PickUp | DeadlineKind::LookAgain) {
            match laggards {
                0 => {
                    self.leave_page(keys::sent_page(document.sender, position), position)?;
                }
                _ => {
                    let again = at.plus(Terms::default().pick_up());
                    self.enter_deadline(DeadlineKind::LookAgain, again, position)?;
                }
            }
        }
        if laggards > 0 && kind != DeadlineKind::LookAgain {
            let lines = document.lapsed.get_or_insert_default();
            match lines.iter_mut().find(|line| line.kind == kind) {
                // The slices after the first find fewer, and later.
                Some(known) if known.at <= at && kind != DeadlineKind::Remind => {}
                Some(known) => *known = LapsedLine { kind, at, laggards },
                None => lines.push(LapsedLine { kind, at, laggards }),
            }
            self.work.put(key, codec::encode(&document));
        }
        Ok(())
    }
}

/// Whether a recipient that is so far is meant by a deadline.
fn lags(kind: DeadlineKind, document: &DocumentRow, stage: Stage) -> bool {
    match kind {
        DeadlineKind::PickUp | DeadlineKind::DeliverBy | DeadlineKind::LookAgain => {
            stage == Stage::Waiting
        }
        DeadlineKind::Answer => {
            matches!(stage, Stage::Waiting | Stage::Acknowledged | Stage::Arrived)
        }
        DeadlineKind::Due => !stage.is_end(),
        DeadlineKind::Remind => {
            document.reminded.is_some_and(|reminded| reminded.to.is_before(stage))
        }
    }
}

/// What the sender is told when a deadline passes.
fn to_sender(kind: DeadlineKind) -> Option<NoticeKind> {
    match kind {
        DeadlineKind::PickUp => Some(NoticeKind::Undelivered),
        DeadlineKind::Answer => Some(NoticeKind::Unanswered),
        DeadlineKind::Due => Some(NoticeKind::Overdue),
        DeadlineKind::DeliverBy => Some(NoticeKind::DeliverByMissed),
        DeadlineKind::Remind | DeadlineKind::LookAgain => None,
    }
}

/// What each laggard is told.
fn to_recipient(kind: DeadlineKind) -> Option<NoticeKind> {
    match kind {
        DeadlineKind::Due => Some(NoticeKind::OverdueHere),
        DeadlineKind::Remind => Some(NoticeKind::Reminder),
        DeadlineKind::PickUp
        | DeadlineKind::Answer
        | DeadlineKind::DeliverBy
        | DeadlineKind::LookAgain => None,
    }
}
