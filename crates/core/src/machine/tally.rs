//! What a block adds to the statistics, beside the rows that it changes.
//!
//! A replay meets rows that are ahead of it: a chunk of the state may have been half written. So an
//! event never follows from a row that changed, but from the decision, from the entry that a row
//! names as the first, and from reports filed before the one at hand.

use lienthong_model::{Ordinal, Position, Reason, StatusCode, Timestamp};

use super::Machine;
use crate::codec;
use crate::command::{Accepted, Counted, Delivery, DeliveryKey, RefusedRequests, Ticked};
use crate::engine::{EngineError, Payloads, State};
use crate::keys;
use crate::notice::NoticeKind;
use crate::routing::{Span, span};
use crate::rows::{DeliveryRow, EntryPlace};
use crate::statistics::{Event, Figure, Made};

impl<S: State, P: Payloads> Machine<S, P> {
    /// The entry that is being applied.
    pub(super) fn here(&self) -> EntryPlace {
        EntryPlace { block: self.work.block, entry: self.work.entry() }
    }

    /// A delivery made now.
    pub(super) fn made(&self, delivery: Delivery, due: Option<Timestamp>) -> DeliveryRow {
        let Delivery { route, place, .. } = delivery;
        DeliveryRow::new(route, Made { at: self.now(), place, due })
    }

    pub(super) fn put_delivery(
        &mut self,
        position: Position,
        recipient: Ordinal,
        row: &DeliveryRow,
    ) {
        self.work.put(keys::delivery(position, recipient), codec::encode(row));
    }

    /// A document counts as sent once, in its widest scope.
    pub(super) fn count_sent(&mut self, accepted: &Accepted, counted: Counted) {
        let Counted { sender, traits, .. } = counted;
        let planned = accepted.fan_out().map_or(Span::Inside, |plan| plan.scope);
        let scopes = accepted.deliveries.iter().map(|to| span(sender.province, to.place.province));
        let scope = scopes.fold(planned, Span::max);
        self.count(Event::Sent { agency: accepted.sender, sender, scope, traits });
    }

    pub(super) fn count_received(
        &mut self,
        agency: Ordinal,
        delivery: &DeliveryRow,
        counted: Counted,
    ) {
        let Some(made) = delivery.made else { return };
        let Counted { sender, traits, bytes } = counted;
        self.count(Event::Received { agency, sender, made, bytes, traits });
    }

    pub(super) fn count_progress(
        &mut self,
        agency: Ordinal,
        delivery: Option<&DeliveryRow>,
        figure: Figure,
    ) {
        if let Some(made) = delivery.and_then(|row| row.made) {
            self.count(Event::Progressed { agency, made, figure });
        }
    }

    /// Counts what a recipient's report says, after its delivery has it.
    pub(super) fn count_report(
        &mut self,
        key: DeliveryKey,
        delivery: Option<&DeliveryRow>,
        code: StatusCode,
        position: Position,
    ) -> Result<(), EngineError> {
        let Some(row) = delivery else { return Ok(()) };
        let Some(made) = row.made else { return Ok(()) };
        let worked_on = |code| {
            matches!(code, StatusCode::Assigned | StatusCode::Processing | StatusCode::Finished)
        };
        let before = row.statuses.iter().take_while(|line| line.position < position);
        let first = worked_on(code) && !before.into_iter().any(|line| worked_on(line.code));
        let in_time = made.due.is_some_and(|due| self.now() <= due);
        let figures = [
            (code == StatusCode::Accepted).then_some(Figure::ACCEPTED),
            (code == StatusCode::Refused).then_some(Figure::REFUSED),
            first.then_some(Figure::PROCESSED),
            (code == StatusCode::Finished).then_some(Figure::FINISHED),
            (code == StatusCode::Finished && in_time).then_some(Figure::ON_TIME),
        ];
        for figure in figures.into_iter().flatten() {
            self.count_progress(key.recipient, delivery, figure);
        }
        let is_end = matches!(code, StatusCode::Refused | StatusCode::Finished);
        match made.due {
            Some(due) if is_end && self.now() > due => self.note_overdue(key),
            _ => Ok(()),
        }
    }

    /// Counts the deliveries whose due date passed while they were not ended.
    pub(super) fn count_overdue(&mut self, ticked: &Ticked) -> Result<(), EngineError> {
        let told = ticked.notices.iter().flat_map(|notices| &notices.told);
        let overdue = told.filter(|told| told.kind == NoticeKind::OverdueHere);
        overdue.map(|told| told.delivery).try_for_each(|key| self.note_overdue(key))
    }

    fn note_overdue(&mut self, key: DeliveryKey) -> Result<(), EngineError> {
        let here = self.here();
        let changed = self.change_delivery(key, |row| {
            row.overdue_by.get_or_insert(here);
        })?;
        let first = changed.filter(|row| row.overdue_by == Some(here));
        self.count_progress(key.recipient, first.as_ref(), Figure::OVERDUE);
        Ok(())
    }

    pub(super) fn count_refused(
        &mut self,
        requests: &RefusedRequests,
        province: Option<Ordinal>,
        reason: Reason,
    ) {
        self.count(Event::Refused { province, reason, count: 1 });
        for added in &requests.added_up {
            let (reason, count) = (added.reason, added.count);
            self.count(Event::Refused { province, reason, count });
        }
    }
}
