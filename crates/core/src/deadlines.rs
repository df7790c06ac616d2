//! Deadlines: what is due when. Kept to the minute, rounded up: nothing is due too early.
//!
//! | kind | when | what follows when it passes |
//! |---|---|---|
//! | pick up | 72 hours after acceptance, or as configured | the sender is told who has not picked it up |
//! | answer | as configured; none by default | the sender is told who has neither accepted nor refused |
//! | due | the document's due date | the sender is told who has not finished, and each of those |
//! | deliver by | the hour of *hỏa tốc hẹn giờ* | the sender is told who has not picked it up |
//! | remind | at once, when the sender asks | each laggard is told |
//! | look again | as long again after *pick up*, for 90 days | nobody is told; what was picked up waits no more |
//!
//! An index of pages of positions by minute and kind, like a mailbox: a block with many documents
//! of one minute writes one row. Time passes by a journalled command only ([`crate::Work::Tick`]).

use std::collections::BTreeSet;

use lienthong_model::{Position, Timestamp};
use minicbor::{Decode, Encode};

use crate::engine::{EngineError, Tables};
use crate::keys;

/// Deadlines kept in memory, the soonest first; the others are rows.
const SOONEST_MAX: usize = 1_024;
const MINUTE_MS: i64 = 60_000;

/// What a deadline is about. Numbers are stable.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Encode, Decode)]
#[cbor(index_only)]
pub enum DeadlineKind {
    /// Everybody should have picked it up.
    #[n(1)]
    PickUp = 1,
    /// Everybody should have accepted or refused it.
    #[n(2)]
    Answer = 2,
    /// Everybody should have finished it.
    #[n(3)]
    Due = 3,
    /// Everybody should have it: *hỏa tốc hẹn giờ*.
    #[n(4)]
    DeliverBy = 4,
    /// Its sender reminds the laggards.
    #[n(5)]
    Remind = 5,
    /// Whether everybody has picked it up meanwhile.
    #[n(6)]
    LookAgain = 6,
}

/// A page of the index: the documents, 256 positions a page, with a deadline of a kind in a minute.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct DeadlinePage {
    /// Minutes since the epoch.
    pub minute: i32,
    /// What about.
    pub kind: DeadlineKind,
    /// The page's number.
    pub page: u64,
}

impl DeadlineKind {
    /// All kinds, in numeric order.
    pub const ALL: [Self; 6] =
        [Self::PickUp, Self::Answer, Self::Due, Self::DeliverBy, Self::Remind, Self::LookAgain];

    pub(crate) fn from_number(number: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| *kind as u8 == number)
    }
}

impl DeadlinePage {
    /// Returns the page of a document's deadline.
    pub(crate) fn of(kind: DeadlineKind, at: Timestamp, position: Position) -> Self {
        let minute = at.millis().saturating_add(MINUTE_MS - 1).div_euclid(MINUTE_MS);
        let minute = i32::try_from(minute).unwrap_or(i32::MAX);
        Self { minute, kind, page: position.0 / keys::MAILBOX_PAGE }
    }

    /// Returns when it is due.
    pub fn at(&self) -> Timestamp {
        Timestamp::from_millis(i64::from(self.minute) * MINUTE_MS)
    }
}

/// The soonest deadlines: all that are kept are sooner than all that are not.
#[derive(Debug, Default)]
pub(crate) struct Soonest {
    pages: BTreeSet<DeadlinePage>,
    /// Whether there may be rows that are not kept.
    beyond: bool,
}

impl Soonest {
    /// Reads the soonest deadlines of the state.
    pub fn load(tables: &dyn Tables) -> Result<Self, EngineError> {
        let mut soonest = Self::default();
        tables.scan(keys::DEADLINES, keys::DEADLINES, &mut |key, _| {
            soonest.pages.extend(keys::deadline_page_of(key));
            soonest.beyond = soonest.pages.len() >= SOONEST_MAX;
            !soonest.beyond
        })?;
        Ok(soonest)
    }

    /// Whether they must be read again: rows may be there that are not kept, and none is kept.
    pub fn is_exhausted(&self) -> bool {
        self.beyond && self.pages.is_empty()
    }

    pub fn insert(&mut self, page: DeadlinePage) {
        if self.beyond && self.pages.last().is_none_or(|last| page > *last) {
            return;
        }
        self.pages.insert(page);
        if self.pages.len() > SOONEST_MAX {
            self.pages.pop_last();
            self.beyond = true;
        }
    }

    pub fn remove(&mut self, page: DeadlinePage) {
        self.pages.remove(&page);
    }

    pub fn first(&self) -> Option<DeadlinePage> {
        self.pages.first().copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page(minute: i32) -> DeadlinePage {
        DeadlinePage { minute, kind: DeadlineKind::Due, page: 7 }
    }

    #[test]
    fn a_deadline_is_never_due_too_early_and_at_most_a_minute_late() {
        for millis in [0, 1, 59_999, 60_000, 60_001, 1_605_488_400_123] {
            let at = Timestamp::from_millis(millis);
            let due = DeadlinePage::of(DeadlineKind::Due, at, Position(0)).at();
            assert!(at <= due && due.millis() - millis < MINUTE_MS, "{millis}");
        }
    }

    #[test]
    fn what_is_kept_is_sooner_than_what_is_not() {
        let mut soonest = Soonest::default();
        let count = i32::try_from(SOONEST_MAX).unwrap();
        (0..count + 10).for_each(|minute| soonest.insert(page(minute)));
        assert_eq!(soonest.pages.len(), SOONEST_MAX);
        soonest.insert(page(-1));
        assert_eq!(soonest.first(), Some(page(-1)));
        assert!(!soonest.pages.contains(&page(count - 1)));
        (-1..count).for_each(|minute| soonest.remove(page(minute)));
        assert!(soonest.is_exhausted());
        soonest.insert(page(3));
        assert!(soonest.is_exhausted(), "a row that is not kept may be sooner");
    }

    #[test]
    fn terms_out_of_bounds_are_refused() {
        assert_eq!(Terms::default().check(), Ok(()));
        for terms in [
            Terms { pick_up_ms: 0, ..Terms::default() },
            Terms { answer_ms: Some(u64::MAX), ..Terms::default() },
        ] {
            assert!(terms.check().is_err(), "{terms:?}");
        }
    }
}
