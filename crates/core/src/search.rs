//! Finding what somebody asks for without knowing its sender: by id, or by what is written on it.

use lienthong_model::limits::DOCUMENTS_LOOKED_AT_MAX;
use lienthong_model::{MessageId, Position, fold_diacritics};

use crate::codec;
use crate::engine::{EngineError, Tables};
use crate::keys;
use crate::query::Query;
use crate::rows::{DocumentRow, IdRow};

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
}
