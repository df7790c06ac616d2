//! Removing contents whose term has passed. What has expired `core` says; here bytes go: payload files,
//! and what lies in the journal's closed files.
//!
//! Payload files are looked at shelf by shelf, some at a time, and journal files one after the other, so
//! that a look costs the same however many there are, and what is gone is not looked at again.

use std::time::Instant;

use lienthong_core::Retention;
use lienthong_core::engine::EngineError;
use lienthong_ledger::{PayloadFiles, Taking};
use lienthong_model::Timestamp;
use lienthong_model::limits::{
    CONTENT_LOOKED_FOR_AGAIN, CONTENT_REMOVED_AFTER, PAYLOADS_LOOKED_AT_MAX,
};

use crate::reader::Reader;

/// Where among the payload files the next look begins.
#[derive(Debug, Default)]
pub(crate) struct Sweep {
    shelf: u8,
}

/// Where in the journal the next look begins.
#[derive(Debug)]
pub(crate) struct JournalSweep {
    /// A block of the file that is looked at next.
    block: u64,
    /// When the first file was looked at.
    since: Instant,
}

impl Sweep {
    /// Looks at the next shelves and removes what has expired; returns how many files went.
    ///
    /// # Errors
    /// [`EngineError`] when a row cannot be read or a file cannot be removed.
    pub fn look(&mut self, reader: &Reader, payloads: &PayloadFiles) -> Result<usize, EngineError> {
        let Some(kept_from) = removed_before(reader)? else { return Ok(0) };
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

impl JournalSweep {
    /// Begins with the first file.
    pub fn begin() -> Self {
        Self { block: 1, since: Instant::now() }
    }

    /// Takes what has expired out of the next file that may hold something, one at most; returns how
    /// many contents went. A file that is not closed, or not old enough, ends the look.
    ///
    /// # Errors
    /// [`EngineError`] when a row cannot be read, or a file cannot be read or replaced: the next look
    /// begins behind that file.
    pub fn look(&mut self, reader: &Reader) -> Result<u64, EngineError> {
        let Some(kept_from) = removed_before(reader)? else { return Ok(0) };
        if self.since.elapsed() >= CONTENT_LOOKED_FOR_AGAIN {
            *self = Self::begin();
        }
        while let Some(file) = reader.blocks().closed_file(self.block) {
            let here = std::mem::replace(&mut self.block, file.last + 1);
            let is_old = reader.block(file.last)?.time < kept_from;
            let mut expired = |document| reader.query().document_expired(document, kept_from);
            let taking = match is_old {
                true => reader.blocks().take_out(file.first, &mut expired)?,
                false => Taking::NotNow,
            };
            match taking {
                Taking::Empty => {}
                Taking::NotNow => {
                    self.block = here;
                    break;
                }
                Taking::Done(taken) => return Ok(taken.gone),
            }
        }
        Ok(0)
    }
}

/// Before which acceptance contents are removed; none while all are kept.
fn removed_before(reader: &Reader) -> Result<Option<Timestamp>, EngineError> {
    let kept_from = reader.contents_kept_from()?;
    Ok(kept_from.map(|kept_from| kept_from.minus(CONTENT_REMOVED_AFTER)))
}

/// Contents that were missing where they were looked for, as far as it matters whether they have
/// expired: with the newest of them all have.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Missing<T> {
    /// How many.
    pub contents: u64,
    /// The one that was named last, and when.
    pub newest: Option<(Timestamp, T)>,
}

impl<T> Missing<T> {
    /// Nothing is missing.
    pub fn none() -> Self {
        Self { contents: 0, newest: None }
    }

    /// Adds a content that is named at a moment.
    pub fn add(&mut self, at: Timestamp, what: T) {
        self.contents += 1;
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
