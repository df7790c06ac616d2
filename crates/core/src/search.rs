//! Finding what somebody asks for without knowing its sender: by id, by what is written on it, and
//! the last refusals.

use lienthong_model::limits::{DOCUMENTS_LOOKED_AT_MAX, REFUSALS_LOOKED_AT_MAX};
use lienthong_model::{MessageId, Ordinal, Position, Reason, fold_diacritics};

use crate::codec;
use crate::engine::{EngineError, Tables};
use crate::keys;
use crate::query::Query;
use crate::rows::{DocumentRow, IdRow, RefusedId};

/// A refusal, and whose it was.
#[derive(Debug, Clone, PartialEq)]
pub struct RefusedOf {
    /// Whose connection brought it.
    pub caller: Ordinal,
    /// What was refused, and why.
    pub refused: RefusedId,
}

impl<T: Tables + ?Sized> Query<'_, T> {
    /// Returns the documents with an id: one, unless several senders chose the same.
    ///
    /// # Errors
    /// [`EngineError`] when a row cannot be read.
    pub fn with_id(&self, id: &MessageId) -> Result<Vec<Position>, EngineError> {
        let prefix = keys::ids(id);
        let (mut found, mut outcome) = (Vec::new(), Ok(()));
        self.0.scan(&prefix, &prefix, &mut |_, row| {
            match codec::decode::<IdRow>(row, "id") {
                Ok(row) => found.push(row.position),
                Err(error) => outcome = Err(error),
            }
            outcome.is_ok() && found.len() < DOCUMENTS_LOOKED_AT_MAX
        })?;
        outcome.map(|()| found)
    }

    /// Returns documents whose reference or subject holds a text, without regard to case and
    /// diacritics, newest first; of the log's end below a size the last
    /// [`DOCUMENTS_LOOKED_AT_MAX`] are looked at. An empty text is in all of them.
    ///
    /// # Errors
    /// [`EngineError`] when a row cannot be read.
    pub fn newest_with(
        &self,
        text: &str,
        log_size: u64,
        mut may_see: impl FnMut(Position, &DocumentRow) -> Result<bool, EngineError>,
        limit: usize,
    ) -> Result<Vec<(Position, DocumentRow)>, EngineError> {
        let wanted = fold_diacritics(text.trim());
        let mut found = Vec::new();
        for position in (0..log_size).rev().take(DOCUMENTS_LOOKED_AT_MAX).map(Position) {
            if found.len() >= limit {
                break;
            }
            // A report has a place in the log, too.
            let Some(row) = self.document(position)? else { continue };
            let matches = wanted.is_empty()
                || fold_diacritics(&row.subject).contains(&wanted)
                || fold_diacritics(&row.reference.text).contains(&wanted);
            if matches && may_see(position, &row)? {
                found.push((position, row));
            }
        }
        Ok(found)
    }

    /// Returns the last refusals that are kept, for one reason or for all, newest first; of callers
    /// that may be seen, and of those the [`REFUSALS_LOOKED_AT_MAX`] first.
    ///
    /// # Errors
    /// [`EngineError`] when a row cannot be read.
    pub fn last_refusals(
        &self,
        reason: Option<Reason>,
        may_see: impl Fn(Ordinal) -> bool,
        limit: usize,
    ) -> Result<Vec<RefusedOf>, EngineError> {
        let (mut found, mut outcome) = (Vec::new(), Ok(()));
        self.0.scan(keys::REFUSALS, keys::REFUSALS, &mut |key, row| {
            let Some(caller) = keys::ordinal_of(keys::REFUSALS, key) else { return true };
            if !may_see(caller) {
                return true;
            }
            match codec::decode::<RefusedId>(row, "refusal") {
                Ok(refused) if reason.is_none_or(|reason| refused.refusal.reason == reason) => {
                    found.push(RefusedOf { caller, refused });
                }
                Ok(_) => {}
                Err(error) => outcome = Err(error),
            }
            outcome.is_ok() && found.len() < REFUSALS_LOOKED_AT_MAX
        })?;
        outcome?;
        found.sort_by_key(|one| std::cmp::Reverse(one.refused.at));
        found.truncate(limit);
        Ok(found)
    }
}
