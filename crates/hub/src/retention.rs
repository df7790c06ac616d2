//! Removing contents whose term has passed. What has expired `core` says; here files go.
//!
//! Files are looked at shelf by shelf, some at a time, so that a look costs the same however many
//! there are, and what is gone is not looked at again.

use lienthong_core::Retention;
use lienthong_core::engine::EngineError;
use lienthong_ledger::PayloadFiles;
use lienthong_model::Timestamp;
use lienthong_model::limits::{CONTENT_REMOVED_AFTER, PAYLOADS_LOOKED_AT_MAX};

use crate::reader::Reader;

/// Where the next look begins.
#[derive(Debug, Default)]
pub(crate) struct Sweep {
    shelf: u8,
}

impl Sweep {
    /// Looks at the next shelves and removes what has expired; returns how many files went.
    ///
    /// # Errors
    /// [`EngineError`] when a row cannot be read or a file cannot be removed.
    pub fn look(&mut self, reader: &Reader, payloads: &PayloadFiles) -> Result<usize, EngineError> {
        let Some(kept_from) = reader.contents_kept_from()? else { return Ok(0) };
        let kept_from = kept_from.minus(CONTENT_REMOVED_AFTER);
        let (mut looked_at, mut removed) = (0, 0);
        for _shelf in 0..=u8::MAX {
            for digest in payloads.shelf(self.shelf)? {
                let expired = || reader.query().content_expired(&digest, kept_from);
                // Without the lock first: nearly all of them stay.
                if expired()? && payloads.remove_expired(&digest, expired)? {
                    removed += 1;
                }
                looked_at += 1;
            }
            self.shelf = self.shelf.wrapping_add(1);
            if looked_at >= PAYLOADS_LOOKED_AT_MAX {
                break;
            }
        }
        Ok(removed)
    }
}

/// Files that were missing where they were looked for, as far as it matters whether they have
/// expired: with the newest of them all have.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Missing<T> {
    /// How many.
    pub files: u64,
    /// The one that was named last, and when.
    pub newest: Option<(Timestamp, T)>,
}

impl<T> Missing<T> {
    /// Adds a file that is named at a moment.
    pub fn add(&mut self, at: Timestamp, what: T) {
        self.files += 1;
        if self.newest.as_ref().is_none_or(|(newest, _)| *newest <= at) {
            self.newest = Some((at, what));
        }
    }

    /// Returns one that has not expired, when there is one.
    pub fn lost(&self, retention: Retention, now: Timestamp) -> Option<&T> {
        let kept_from = retention.kept_from(now);
        let (at, what) = self.newest.as_ref()?;
        kept_from.is_none_or(|kept_from| *at >= kept_from).then_some(what)
    }
}
