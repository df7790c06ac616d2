//! How far the recipients of a document are: counts, without a look at every delivery.
//!
//! A document that went by slices has a page of 256 recipients for each, five bytes a recipient
//! (ordinal and stage), beside its deliveries; whom an update adds stands behind them, on the last
//! page or on further ones. A page is a function of the deliveries' rows, so that writing it is
//! repeatable; counting 12,000 recipients reads 47 rows. A document with fewer recipients than a
//! slice has none: its deliveries are counted.

use lienthong_model::limits::SLICE_RECIPIENTS;
use lienthong_model::{Ordinal, Position, Standing};

use crate::delivery_state::Progress;
use crate::engine::{EngineError, Tables};
use crate::keys;
use crate::query::Query;
use crate::rows::{DeliveryRow, DocumentRow};

/// How far one recipient is. Kept in pages: numbers are stable.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Stage {
    /// In the mailbox; the recipient's node does not have it.
    Waiting = 0,
    /// The node has it on its own disk; nothing was reported.
    Acknowledged = 1,
    /// 01: the clerk has not handled it.
    Arrived = 2,
    /// 03, 04 or 05: it is being dealt with.
    Accepted = 3,
    /// 06.
    Finished = 4,
    /// 02.
    Refused = 5,
    /// Taken back, or replaced.
    Withdrawn = 6,
}

/// Recipients by how far they are; the counts add up to `recipients`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ProgressCounts {
    /// All recipients.
    pub recipients: u32,
    /// Not yet in their mailboxes: the fan-out is under way.
    pub pending: u32,
    /// In the mailbox.
    pub waiting: u32,
    /// On the recipient's disk; nothing was reported.
    pub acknowledged: u32,
    /// 01.
    pub arrived: u32,
    /// 03, 04 or 05.
    pub accepted: u32,
    /// 06.
    pub finished: u32,
    /// 02.
    pub refused: u32,
    /// Taken back, or replaced.
    pub withdrawn: u32,
}

impl Stage {
    /// All stages, in the order of their numbers.
    pub const ALL: [Self; 7] = [
        Self::Waiting,
        Self::Acknowledged,
        Self::Arrived,
        Self::Accepted,
        Self::Finished,
        Self::Refused,
        Self::Withdrawn,
    ];

    /// Returns how far a delivery is.
    pub fn of(delivery: &DeliveryRow) -> Self {
        let state = delivery.state();
        match state.standing {
            Standing::Withdrawn | Standing::Recalled | Standing::Replaced => Self::Withdrawn,
            Standing::Stands | Standing::Updated => match state.progress {
                Progress::Waiting => Self::Waiting,
                Progress::PickedUp => Self::Acknowledged,
                Progress::Arrived => Self::Arrived,
                Progress::Accepted | Progress::Assigned | Progress::Processing => Self::Accepted,
                Progress::Finished => Self::Finished,
                Progress::Refused => Self::Refused,
            },
        }
    }

    /// Returns whether nothing more is expected of the recipient.
    pub fn is_end(self) -> bool {
        match self {
            Self::Finished | Self::Refused | Self::Withdrawn => true,
            Self::Waiting | Self::Acknowledged | Self::Arrived | Self::Accepted => false,
        }
    }

    fn from_number(number: u8) -> Option<Self> {
        Self::ALL.get(usize::from(number)).copied()
    }
}

impl ProgressCounts {
    /// Counts a recipient in a stage.
    pub(crate) fn count(&mut self, stage: Stage) {
        self.recipients += 1;
        match stage {
            Stage::Waiting => self.waiting += 1,
            Stage::Acknowledged => self.acknowledged += 1,
            Stage::Arrived => self.arrived += 1,
            Stage::Accepted => self.accepted += 1,
            Stage::Finished => self.finished += 1,
            Stage::Refused => self.refused += 1,
            Stage::Withdrawn => self.withdrawn += 1,
        }
    }

    /// Returns how many are at least as far as a stage on the way from waiting to finished; whoever
    /// refused has it on its disk. For [`Stage::Refused`] and [`Stage::Withdrawn`]: how many are
    /// there.
    pub fn reached(&self, stage: Stage) -> u32 {
        match stage {
            Stage::Waiting => self.recipients - self.pending,
            Stage::Acknowledged => self.recipients - self.pending - self.waiting - self.withdrawn,
            Stage::Arrived => self.arrived + self.accepted + self.finished + self.refused,
            Stage::Accepted => self.accepted + self.finished,
            Stage::Finished => self.finished,
            Stage::Refused => self.refused,
            Stage::Withdrawn => self.withdrawn,
        }
    }

    /// Returns how many have come to an end: finished, refused or withdrawn.
    pub fn ended(&self) -> u32 {
        self.finished + self.refused + self.withdrawn
    }
}

/// Bytes of a recipient on a page.
const ENTRY_BYTES: usize = 5;

/// Makes the page of a slice whose recipients all wait.
pub(crate) fn new_page(recipients: impl Iterator<Item = Ordinal>) -> Vec<u8> {
    recipients.flat_map(|recipient| entry(recipient, Stage::Waiting)).collect()
}

fn entry(recipient: Ordinal, stage: Stage) -> [u8; ENTRY_BYTES] {
    let [a, b, c, d] = recipient.0.to_be_bytes();
    [a, b, c, d, stage as u8]
}

/// Which slice a recipient is in, and its place there.
pub(crate) fn place(index: u32) -> (u16, usize) {
    let slice = index as usize / SLICE_RECIPIENTS;
    (u16::try_from(slice).unwrap_or(u16::MAX), index as usize % SLICE_RECIPIENTS)
}

/// Which of a document's recipients follows those up to the end of a page.
pub(crate) fn following(slice: u16, page: &[u8]) -> u32 {
    let before = usize::from(slice) * SLICE_RECIPIENTS;
    u32::try_from(before + page.len() / ENTRY_BYTES).unwrap_or(u32::MAX)
}

/// How many pages a document has whose last recipient this is.
pub(crate) fn pages(last: u32) -> u16 {
    place(last).0.saturating_add(1)
}

/// Enters a recipient that waits at a place, behind the others when the page does not reach so far.
pub(crate) fn enter(page: &mut Vec<u8>, place: usize, recipient: Ordinal) {
    let (at, waiting) = (place * ENTRY_BYTES, entry(recipient, Stage::Waiting));
    match page.get_mut(at..at + ENTRY_BYTES) {
        Some(known) => known.copy_from_slice(&waiting),
        None => page.extend(waiting),
    }
}

/// Writes a recipient's stage; `false` when that changes nothing, or the page has no such place.
pub(crate) fn write(page: &mut [u8], place: usize, stage: Stage) -> bool {
    let Some(slot) = page.get_mut(place * ENTRY_BYTES + ENTRY_BYTES - 1) else { return false };
    let changes = *slot != stage as u8;
    *slot = stage as u8;
    changes
}

/// Reads a page.
pub(crate) fn read(page: &[u8]) -> impl Iterator<Item = (Ordinal, Stage)> {
    page.as_chunks::<ENTRY_BYTES>().0.iter().filter_map(|[a, b, c, d, stage]| {
        let ordinal = Ordinal(u32::from_be_bytes([*a, *b, *c, *d]));
        Some((ordinal, Stage::from_number(*stage)?))
    })
}

impl<T: Tables + ?Sized> Query<'_, T> {
    /// Counts how far a document's recipients are.
    ///
    /// # Errors
    /// [`EngineError`] when a row cannot be read.
    pub fn progress(
        &self,
        position: Position,
        document: &DocumentRow,
    ) -> Result<ProgressCounts, EngineError> {
        let mut progress = ProgressCounts::default();
        self.stages(position, document, None, &mut |_, stage| {
            progress.count(stage);
            true
        })?;
        progress.pending = document.recipients.saturating_sub(progress.recipients);
        progress.recipients += progress.pending;
        Ok(progress)
    }

    /// Visits the recipients that have the document in their mailboxes, after one of them, until
    /// `visit` returns `false`: by slices in the sender's order, else by ordinal.
    ///
    /// # Errors
    /// [`EngineError`] when a row cannot be read.
    pub fn stages(
        &self,
        position: Position,
        document: &DocumentRow,
        after: Option<Ordinal>,
        visit: &mut dyn FnMut(Ordinal, Stage) -> bool,
    ) -> Result<(), EngineError> {
        let Some(slices) = document.slices else {
            return self.deliveries(position, after, &mut |recipient, row| {
                visit(recipient, Stage::of(&row))
            });
        };
        let mut passed = after.is_none();
        let first = match after {
            Some(after) => self.slice_of(position, after)?.unwrap_or(0),
            None => 0,
        };
        for slice in first..slices {
            let Some(page) = self.0.read(&keys::progress(position, slice))? else { continue };
            for (recipient, stage) in read(&page) {
                if !passed {
                    passed = after == Some(recipient);
                } else if !visit(recipient, stage) {
                    return Ok(());
                }
            }
        }
        Ok(())
    }

    fn slice_of(&self, position: Position, recipient: Ordinal) -> Result<Option<u16>, EngineError> {
        let delivery = self.delivery(position, recipient)?;
        Ok(delivery.and_then(|delivery| delivery.index).map(|index| place(index).0))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_page_is_read_as_it_was_written(
            stages in proptest::collection::vec((any::<u32>(), 0..7u8), 0..256),
        ) {
            let stages: Vec<_> = stages
                .into_iter()
                .map(|(ordinal, stage)| (Ordinal(ordinal), Stage::from_number(stage).unwrap()))
                .collect();
            let mut page = new_page(stages.iter().map(|(ordinal, _)| *ordinal));
            for (place, (_, stage)) in stages.iter().enumerate() {
                prop_assert_eq!(write(&mut page, place, *stage), *stage != Stage::Waiting);
            }
            prop_assert!(!write(&mut page, stages.len(), Stage::Finished));
            prop_assert_eq!(read(&page).collect::<Vec<_>>(), stages);
        }

        #[test]
        fn whoever_is_entered_again_stands_where_it_stood_and_waits(
            known in 0..200u32, added in 1..50u32,
        ) {
            let mut page = new_page((0..known).map(Ordinal));
            for again in [false, true] {
                for (nth, ordinal) in (0..added).map(|nth| (nth, Ordinal(1_000 + nth))) {
                    let (slice, place) = place(known + nth);
                    prop_assert!(again || following(slice, &page) == known + nth);
                    enter(&mut page, place, ordinal);
                    prop_assert_eq!(read(&page).nth(place), Some((ordinal, Stage::Waiting)));
                    prop_assert!(write(&mut page, place, Stage::Finished));
                }
                prop_assert_eq!(read(&page).count(), (known + added) as usize);
            }
        }
    }

    #[test]
    fn the_last_recipient_of_a_slice_and_the_first_of_the_next_lie_on_two_pages() {
        assert_eq!((place(0), place(255)), ((0, 0), (0, 255)));
        assert_eq!((place(256), place(16_383)), ((1, 0), (63, 255)));
        assert_eq!((pages(255), pages(256)), (1, 2));
        let full = new_page((0..256).map(Ordinal));
        assert_eq!(place(following(1, &full)), (2, 0), "behind a full page a new one begins");
    }
}
