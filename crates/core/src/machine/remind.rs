//! Reminders: a sender has the laggards of a document told, at most once a day for each document.

use lienthong_model::limits::REMIND_EVERY;
use lienthong_model::{Reason, Refusal};

use super::Machine;
use super::decide::Judged;
use crate::codec;
use crate::command::{Command, Decision, Remind};
use crate::deadlines::DeadlineKind;
use crate::engine::{EngineError, Payloads, State};
use crate::keys;
use crate::rows::{DocumentRow, Reminded};

/// What a moment is at most past the beginning of its minute.
const UNDER_A_MINUTE: std::time::Duration = std::time::Duration::from_millis(59_999);

impl<S: State, P: Payloads> Machine<S, P> {
    pub(super) fn judge_remind(&self, remind: Remind) -> Result<Judged, EngineError> {
        let refused = |refusal| Ok(Err(Decision::Refused(refusal)));
        let unknown = Refusal::at(Reason::DocumentUnknown, "document.id", remind.position);
        let Some(row) = self.row(&keys::document(remind.position))? else {
            return refused(unknown);
        };
        let document: DocumentRow = codec::decode(&row, "document")?;
        let (directory, now) = (&self.policy.directory, self.now());
        let sender = directory.agency(document.sender);
        if !sender.is_some_and(|sender| directory.serves(remind.caller, sender, now)) {
            return refused(unknown);
        }
        if let Some(last) = document.reminded
            && now < last.at.plus(REMIND_EVERY)
        {
            let value = format!("reminded {}", last.at);
            return refused(Refusal::at(Reason::ReminderTooSoon, "document.id", value));
        }
        let lags = |stage| remind.to.is_before(stage);
        let (laggards, _) = self.laggards(remind.position, &document, lags)?;
        let decision = Decision::Reminded(laggards);
        Ok(match laggards {
            0 => Err(decision),
            _ => Ok((Command::Remind(remind), decision)),
        })
    }

    /// The laggards are told by ticks, slice by slice, beside other work.
    pub(super) fn apply_remind(&mut self, remind: &Remind) -> Result<(), EngineError> {
        let (at, position) = (self.now(), remind.position);
        let key = keys::document(position);
        let Some(row) = self.row(&key)? else { return Ok(()) };
        let mut document: DocumentRow = codec::decode(&row, "document")?;
        document.reminded = Some(Reminded { at, to: remind.to });
        self.work.put(key, codec::encode(&document));
        // Due at once: in the minute that has begun, not in the next.
        self.enter_deadline(DeadlineKind::Remind, at.minus(UNDER_A_MINUTE), position)
    }
}
