//! Fan-out by slices: a document with more recipients than a slice is accepted at once, and goes to
//! them 256 by 256, a few slices a block beside other work, urgent documents first.
//!
//! ```text
//!  accepted ─▶ slices wait (rows `pq`) ─▶ FanOut, journalled ─▶ deliveries, mailboxes, a page of
//!                                                               progress; the slice waits no more
//! ```
//! That a recipient gets it was decided when the document was accepted; how it is reached is decided
//! with its slice. What waits is rows, so that a hub that was killed goes on where it stopped.

use lienthong_model::limits::SLICE_RECIPIENTS;
use lienthong_model::{Header, Position};

use super::Machine;
use super::apply::lane;
use super::changes::ActedOn;
use super::decide::Judged;
use crate::codec;
use crate::command::{
    Accepted, Command, Counted, Decision, Delivery, DeliveryKey, FanOut, FanOutPlan, Submit, Work,
};
use crate::engine::{EngineError, Payloads, State};
use crate::keys::{self, SliceKey};
use crate::progress;
use crate::routing;
use crate::rows::{DeliveryRow, SliceRow};
use crate::statistics::Traits;

impl<S: State, P: Payloads> Machine<S, P> {
    pub(super) fn slice_due(&self) -> Option<Work> {
        self.slices.first().copied().map(Work::Slice)
    }

    pub(super) fn judge_fan_out(&mut self, key: SliceKey) -> Result<Judged, EngineError> {
        // One that does not wait any more was delivered: there is nothing to do.
        let Some(row) = self.row(&keys::slice(key))? else {
            self.slices.remove(&key);
            return Ok(Err(Decision::Done));
        };
        let SliceRow { urgency, counted, recipients } = codec::decode(&row, "slice")?;
        let (directory, now) = (&self.policy.directory, self.now());
        let agencies = recipients.iter().filter_map(|recipient| directory.agency(*recipient));
        let deliveries = agencies.map(|agency| Delivery {
            recipient: agency.ordinal,
            route: routing::route(directory, agency, now),
            place: directory.place(agency, now),
        });
        let decision = Decision::FannedOut(deliveries.collect());
        let SliceKey { position, slice, .. } = key;
        Ok(Ok((Command::FanOut(FanOut { position, slice, urgency, counted }), decision)))
    }

    /// Puts the recipients of an accepted document into slices that wait.
    pub(super) fn plan_fan_out(
        &mut self,
        header: &Header,
        accepted: &Accepted,
        counted: Counted,
        plan: &FanOutPlan,
    ) {
        let lane = lane(header.urgency);
        for (slice, recipients) in (0..).zip(plan.recipients.chunks(SLICE_RECIPIENTS)) {
            let key = SliceKey { lane, position: accepted.position, slice };
            let recipients = recipients.to_vec();
            let row = SliceRow { urgency: header.urgency, counted, recipients };
            self.work.put(keys::slice(key), codec::encode(&row));
            self.slices.insert(key);
        }
    }

    pub(super) fn apply_fan_out(
        &mut self,
        fan_out: &FanOut,
        deliveries: &[Delivery],
    ) -> Result<(), EngineError> {
        let FanOut { position, slice, urgency, counted } = *fan_out;
        let lane = lane(urgency);
        let first = u32::from(slice) * SLICE_RECIPIENTS as u32;
        let due = self.document_row(position)?.and_then(|document| document.due);
        for (index, delivery) in (first..).zip(deliveries) {
            let row = DeliveryRow { index: Some(index), ..self.made(*delivery, due) };
            self.put_delivery(position, delivery.recipient, &row);
            self.enter_mailbox(delivery.recipient, lane, position)?;
            self.count_received(delivery.recipient, &row, counted);
        }
        let page = progress::new_page(deliveries.iter().map(|delivery| delivery.recipient));
        self.work.put(keys::progress(position, slice), page);
        let key = SliceKey { lane, position, slice };
        self.work.delete(keys::slice(key));
        self.slices.remove(&key);
        Ok(())
    }

    /// Whether some of a document's recipients do not have it in their mailboxes yet.
    pub(super) fn fan_out_is_under_way(&self, document: &ActedOn) -> bool {
        let first =
            SliceKey { lane: lane(document.row.urgency), position: document.position, slice: 0 };
        let last = SliceKey { slice: u16::MAX, ..first };
        document.row.slices.is_some() && self.slices.range(first..=last).next().is_some()
    }

    /// Which of a document's recipients the next one that is added will be; none when the document
    /// went to all at once. All its slices were delivered.
    pub(super) fn next_index(&self, document: &ActedOn) -> Result<Option<u32>, EngineError> {
        let Some(slices) = document.row.slices else { return Ok(None) };
        let last = slices.saturating_sub(1);
        let page = self.row(&keys::progress(document.position, last))?.unwrap_or_default();
        Ok(Some(progress::following(last, &page)))
    }

    /// Enters a recipient that was added to a document which went by slices: it waits.
    pub(super) fn enter_progress(
        &mut self,
        key: DeliveryKey,
        index: u32,
    ) -> Result<(), EngineError> {
        let (slice, place) = progress::place(index);
        let page_key = keys::progress(key.position, slice);
        let mut page = self.row(&page_key)?.unwrap_or_default().to_vec();
        progress::enter(&mut page, place, key.recipient);
        self.work.put(page_key, page);
        Ok(())
    }

    /// Notes how far a recipient is, after its delivery has changed.
    pub(super) fn note_progress(
        &mut self,
        position: Position,
        delivery: &DeliveryRow,
    ) -> Result<(), EngineError> {
        let Some(index) = delivery.index else { return Ok(()) };
        let (slice, place) = progress::place(index);
        let key = keys::progress(position, slice);
        let Some(row) = self.row(&key)? else { return Ok(()) };
        let mut page = row.to_vec();
        if progress::write(&mut page, place, progress::Stage::of(delivery)) {
            self.work.put(key, page);
        }
        Ok(())
    }
}

/// What the statistics count of a document.
pub(super) fn counted(submit: &Submit, accepted: &Accepted) -> Counted {
    let header = &submit.header;
    let traits = Traits {
        document_type: header.document_type,
        signature: accepted.signature,
        paper_copy: header.paper_copy,
        pages: header.pages,
    };
    Counted { sender: accepted.place, traits, bytes: submit.whole_size() }
}
