//! Negative acknowledgements: they are journalled, so that it can be said why a delivery waits.
//!
//! A node that cannot take anything says so again and again: the same reason for the same delivery
//! is journalled at most once a minute.

use lienthong_model::limits::{PUT_OFF_JOURNALLED_EVERY, PUT_OFF_REASON_CHARS_MAX};
use lienthong_model::{Reason, Refusal};

use super::Machine;
use super::apply::REASON_CHARS;
use super::decide::Judged;
use crate::codec;
use crate::command::{Command, Decision, DeliveryKey, PutOffDelivery};
use crate::engine::{EngineError, Payloads, State};
use crate::keys;
use crate::rows::{DeliveryRow, PutOff};

impl<S: State, P: Payloads> Machine<S, P> {
    pub(super) fn judge_put_off(&self, mut asked: PutOffDelivery) -> Result<Judged, EngineError> {
        let DeliveryKey { recipient, position } = asked.key;
        let directory = &self.policy.directory;
        let entitled = directory
            .agency(recipient)
            .is_some_and(|agency| directory.serves(asked.caller, agency, self.now()));
        let row = self.row(&keys::delivery(position, recipient))?.filter(|_| entitled);
        let Some(row) = row else {
            let refusal = Refusal::at(Reason::DocumentUnknown, "key.position", position);
            return Ok(Err(Decision::Refused(refusal)));
        };
        let row: DeliveryRow = codec::decode(&row, "delivery")?;
        asked.reason = asked.reason.chars().take(PUT_OFF_REASON_CHARS_MAX).collect();
        let said_lately = row.put_off.is_some_and(|last| {
            last.reason == kept(&asked.reason)
                && self.now() < last.at.plus(PUT_OFF_JOURNALLED_EVERY)
        });
        if said_lately || row.acknowledged_at.is_some() {
            return Ok(Err(Decision::Done));
        }
        Ok(Ok((Command::PutOff(asked), Decision::Done)))
    }

    pub(super) fn apply_put_off(&mut self, asked: &PutOffDelivery) -> Result<(), EngineError> {
        let (at, attempts, reason) = (self.now(), asked.attempts, kept(&asked.reason));
        self.change_delivery(asked.key, |row| row.put_off = Some(PutOff { at, attempts, reason }))
    }
}

/// What a delivery's row keeps of a reason.
fn kept(reason: &str) -> String {
    reason.chars().take(REASON_CHARS).collect()
}
