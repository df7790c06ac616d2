//! Deliveries that a recipient's node could not take: counted on the delivery, with the last word.

use lienthong_model::Ordinal;

use super::Machine;
use super::decide::Judged;
use crate::command::{Command, Decision, NegativeAcknowledge, NegativeDelivery};
use crate::delivery_state::Progress;
use crate::engine::{EngineError, Payloads, State};
use crate::rows::Negative;

impl<S: State, P: Payloads> Machine<S, P> {
    /// How often each delivery could not be taken so far. One that the caller does not serve, that
    /// was acknowledged, or that was taken back counts nothing, and is left out of the record.
    pub(super) fn judge_negatives(
        &self,
        negative: NegativeAcknowledge,
    ) -> Result<Judged, EngineError> {
        let NegativeAcknowledge { caller, deliveries: named } = negative;
        let (mut deliveries, mut counts) = (Vec::new(), Vec::new());
        for one in named {
            let count = self.negative_count(caller, &one)?;
            if count > 0 {
                deliveries.push(one);
                counts.push(count);
            }
        }
        let nothing = deliveries.is_empty();
        let decision = Decision::NegativelyAcknowledged(counts);
        let negative = NegativeAcknowledge { caller, deliveries };
        Ok(match nothing {
            true => Err(decision),
            false => Ok((Command::NegativeAcknowledge(negative), decision)),
        })
    }

    fn negative_count(&self, caller: Ordinal, one: &NegativeDelivery) -> Result<u32, EngineError> {
        if !self.serves(caller, one.key.recipient) {
            return Ok(0);
        }
        let Some(row) = self.delivery_row(one.key.position, one.key.recipient)? else {
            return Ok(0);
        };
        let state = row.state();
        let waits = state.progress == Progress::Waiting && state.closed().is_none();
        let before = row.negative.map_or(0, |negative| negative.count);
        Ok(if waits { before.saturating_add(one.times.max(1)) } else { 0 })
    }

    pub(super) fn apply_negatives(
        &mut self,
        negative: &NegativeAcknowledge,
        counts: &[u32],
    ) -> Result<(), EngineError> {
        let at = self.now();
        for (one, count) in negative.deliveries.iter().zip(counts) {
            if *count > 0 {
                let said = Negative { count: *count, at, reason: one.reason.clone() };
                self.change_delivery(one.key, |row| row.negative = Some(said))?;
            }
        }
        Ok(())
    }
}
