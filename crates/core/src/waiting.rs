//! What waits longest for an agency: in its own mailbox, and of what it sent.

use std::collections::BTreeMap;

use lienthong_model::limits::WAITING_LOOKED_AT_MAX;
use lienthong_model::{Ordinal, Position};

use crate::engine::{EngineError, Tables};
use crate::keys::{self, Lane, MAILBOX_PAGE};
use crate::progress::Stage;
use crate::query::{Mailbox as _, Query};
use crate::rows::DocumentRow;

/// Documents that wait, by their places in the log: longest first.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Waiting {
    /// The documents.
    pub documents: BTreeMap<Position, WaitingDocument>,
    /// Whether there were more than were looked at.
    pub truncated: bool,
}

/// A document that waits.
#[derive(Debug, Clone, PartialEq)]
pub struct WaitingDocument {
    /// What is known of it.
    pub document: DocumentRow,
    /// How many recipients have not picked it up.
    pub recipients: u32,
    /// The first of them.
    pub recipient: Ordinal,
}

impl<T: Tables + ?Sized> Query<'_, T> {
    /// Returns what lies in an agency's mailbox, at most `limit` documents.
    ///
    /// # Errors
    /// [`EngineError`] when a row cannot be read.
    pub fn received_waiting(&self, agency: Ordinal, limit: usize) -> Result<Waiting, EngineError> {
        let mut waiting = Waiting::default();
        for lane in [Lane::Urgent, Lane::Ordinary] {
            let positions = self.waiting(agency, lane, None, limit + 1)?;
            for position in positions {
                if let Some(document) = self.document(position)? {
                    let one = WaitingDocument { document, recipients: 1, recipient: agency };
                    waiting.documents.insert(position, one);
                }
            }
        }
        while waiting.documents.len() > limit {
            waiting.documents.pop_last();
            waiting.truncated = true;
        }
        Ok(waiting)
    }

    /// Returns what an agency sent and somebody has not picked up, at most `limit` documents; of
    /// its open documents the [`WAITING_LOOKED_AT_MAX`] oldest are looked at.
    ///
    /// # Errors
    /// [`EngineError`] when a row cannot be read.
    pub fn sent_waiting(&self, agency: Ordinal, limit: usize) -> Result<Waiting, EngineError> {
        let mut waiting = Waiting::default();
        let positions = self.open_sent(agency)?;
        waiting.truncated = positions.len() > WAITING_LOOKED_AT_MAX;
        for position in positions.into_iter().take(WAITING_LOOKED_AT_MAX) {
            let Some(document) = self.document(position)? else { continue };
            let (mut recipients, mut first) = (0, None);
            self.stages(position, &document, None, &mut |recipient, stage| {
                if stage == Stage::Waiting {
                    recipients += 1;
                    first = first.or(Some(recipient));
                }
                true
            })?;
            let Some(recipient) = first else { continue };
            if waiting.documents.len() >= limit {
                waiting.truncated = true;
                break;
            }
            waiting.documents.insert(position, WaitingDocument { document, recipients, recipient });
        }
        Ok(waiting)
    }

    /// The documents of an agency that may still wait for somebody, oldest first; one more than
    /// are looked at when there are more.
    fn open_sent(&self, agency: Ordinal) -> Result<Vec<Position>, EngineError> {
        let prefix = keys::sent(agency);
        let mut positions = Vec::new();
        self.0.scan(&prefix, &prefix, &mut |key, page| {
            let Some(number) = keys::page_number(key, prefix.len()) else { return true };
            let first = number * MAILBOX_PAGE;
            positions.extend(page.iter().map(|slot| Position(first + u64::from(*slot))));
            positions.len() <= WAITING_LOOKED_AT_MAX
        })?;
        positions.truncate(WAITING_LOOKED_AT_MAX + 1);
        Ok(positions)
    }
}
