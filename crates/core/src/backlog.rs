//! What lies in mailboxes, over all agencies: how much, and the oldest of it.
//!
//! One pass over the pages of mailboxes, which hold 256 positions each: a question for every few
//! seconds, not for every request.

use lienthong_model::{Ordinal, Position};

use crate::engine::{EngineError, Tables};
use crate::keys;
use crate::query::{Query, on_page};

/// What lies in one agency's mailbox.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Backlog {
    /// Whose mailbox.
    pub agency: Ordinal,
    /// How many documents.
    pub documents: u64,
    /// The one that was sent first.
    pub oldest: Position,
}

impl<T: Tables + ?Sized> Query<'_, T> {
    /// Returns what lies in every mailbox that is not empty, by ordinal.
    ///
    /// # Errors
    /// [`EngineError`] when the rows cannot be read.
    pub fn backlogs(&self) -> Result<Vec<Backlog>, EngineError> {
        let mut backlogs: Vec<Backlog> = Vec::new();
        self.0.scan(keys::MAILBOXES, keys::MAILBOXES, &mut |key, page| {
            let Some(agency) = keys::ordinal_of(keys::MAILBOXES, key) else { return true };
            let Some(oldest) = on_page(key, page).min() else { return true };
            let documents = page.len() as u64;
            match backlogs.last_mut().filter(|last| last.agency == agency) {
                Some(last) => {
                    last.documents += documents;
                    last.oldest = last.oldest.min(oldest);
                }
                None => backlogs.push(Backlog { agency, documents, oldest }),
            }
            true
        })?;
        Ok(backlogs)
    }
}
