//! Examples of what was refused: the last refusals of ids, as far as they are kept.

use lienthong_model::{MessageId, Ordinal, Reason, Refusal, Timestamp};

use super::ask::Source;
use crate::codec;
use crate::engine::EngineError;
use crate::keys;
use crate::rows::RefusedId;

/// A refusal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RefusalExample {
    /// Who was refused.
    pub caller: Ordinal,
    /// The id that was claimed.
    pub id: MessageId,
    /// When.
    pub at: Timestamp,
    /// Why.
    pub refusal: Refusal,
}

impl Source<'_> {
    /// Returns the last refusals of callers that `wanted` admits, with a reason or any, the newest
    /// first, at most `limit`. Of an agency at most 256 are kept: of the ids that end in the same
    /// byte, which chance decides, the last.
    ///
    /// # Errors
    /// [`EngineError`] when a row cannot be read.
    pub fn refusal_examples(
        &self,
        reason: Option<Reason>,
        wanted: &dyn Fn(Ordinal) -> bool,
        limit: usize,
    ) -> Result<Vec<RefusalExample>, EngineError> {
        let mut newest = std::collections::BTreeMap::new();
        let mut outcome = Ok(());
        self.tables.scan(keys::REFUSED, keys::REFUSED, &mut |key, row| {
            let Some(caller) = keys::ordinal_of(keys::REFUSED, key) else { return true };
            if !wanted(caller) {
                return true;
            }
            match codec::decode::<RefusedId>(row, "refusal") {
                Ok(row) if reason.is_none_or(|reason| reason == row.refusal.reason) => {
                    let RefusedId { id, at, refusal, .. } = row;
                    newest.insert((at, id), RefusalExample { caller, id, at, refusal });
                    if newest.len() > limit {
                        newest.pop_first();
                    }
                }
                Ok(_) => {}
                Err(error) => outcome = Err(error),
            }
            outcome.is_ok()
        })?;
        outcome.map(|()| newest.into_values().rev().collect())
    }
}
