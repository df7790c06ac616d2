//! Settling: which rows nothing is expected to happen to any more. They may leave the part of the
//! state that is kept at hand for files that are never changed.
//!
//! It is about *where* a row lies, never about what it says: whoever asks for a row gets it, and a
//! late report on a settled document writes its rows anew, at hand. So nothing of it is journalled,
//! and no decision can depend on it.
//!
//! A document is settled when every recipient has finished or refused, or the document was taken
//! back from it, or nothing was heard of it for a long time (90 days unless the terms say
//! otherwise); when its fan-out is done; and not within a day of its acceptance. With it go its ids,
//! its reports' ids and its references.
//!
//! Full tiles of the log, names of payload files and references of long ago are settled by
//! themselves.

use std::time::Duration;

use lienthong_model::limits::{REFERENCES_AT_HAND, SETTLED_AFTER};
use lienthong_model::{Position, Terms, Timestamp};

use crate::codec;
use crate::engine::{EngineError, Tables};
use crate::keys;
use crate::log::{HASH_BYTES, TILE_HASHES};
use crate::progress::Stage;
use crate::rows::{DeliveryRow, DocumentRow, HeadRow, IdRow};

/// What is open in a state, so that each row can be told to be settled or not.
#[derive(Debug)]
pub struct Settling {
    now: Timestamp,
    silent: Duration,
    /// Documents that are not settled, rising.
    open: Vec<Position>,
}

impl Settling {
    /// Looks through the rows at hand. Rows of a document that were settled before need not be
    /// among them: what is settled stays so until it is written anew. Takes 8 bytes a document that
    /// is open.
    ///
    /// # Errors
    /// [`EngineError`] when a row cannot be read.
    pub fn survey(at_hand: &dyn Tables) -> Result<Self, EngineError> {
        let head = at_hand.read(keys::HEAD)?.map(|row| codec::decode::<HeadRow>(&row, "head"));
        let terms = at_hand.read(keys::TERMS)?.map(|row| codec::decode::<Terms>(&row, "terms"));
        let mut survey = Self {
            now: head.transpose()?.map_or(Timestamp::MIN, |head| head.time),
            silent: terms.transpose()?.unwrap_or_default().silent(),
            open: Vec::new(),
        };
        // Both come in the order of positions: sorting what is nearly sorted is cheap.
        survey.add_slices(at_hand)?;
        let received = survey.add_documents(at_hand)?;
        survey.add_deliveries(at_hand, &received)?;
        survey.open.sort_unstable();
        survey.open.dedup();
        Ok(survey)
    }

    /// Returns how many documents are open.
    pub fn open_documents(&self) -> usize {
        self.open.len()
    }

    /// Returns whether a row is settled.
    ///
    /// # Errors
    /// [`EngineError::Damaged`] when the row is not what its key says.
    pub fn is_settled(&self, key: &[u8], value: &[u8]) -> Result<bool, EngineError> {
        Ok(match (Family::of(key), key.len()) {
            (Some(Family::Document), 9) | (Some(Family::Delivery), 13) => self.has_settled(key, 1),
            (Some(Family::Progress), 12) => self.has_settled(key, 2),
            (Some(Family::Reference), 22) => self.has_settled(key, 14),
            (Some(Family::Id), 21) => {
                let row: IdRow = codec::decode(value, "id")?;
                let on = row.report_on.map_or(row.position, |delivery| delivery.position);
                !self.is_open(on)
            }
            (Some(Family::Tile), 10) => value.len() as u64 == TILE_HASHES * HASH_BYTES as u64,
            (Some(Family::Payload), 33) => true,
            (Some(Family::Issue), 13 | 21) => self.is_old_issue(key),
            _ => false,
        })
    }

    /// Returns whether rows with such keys are settled at all: then a deletion must be kept beside
    /// what was settled before.
    pub fn may_settle(key: &[u8]) -> bool {
        Family::of(key).is_some()
    }

    /// Returns whether a row with such a key may be there for long without being written. What waits in
    /// a mailbox, notices and slices of fan-outs come and go.
    pub fn may_rest(key: &[u8]) -> bool {
        !matches!(key, [b'm' | b'n' | b'e', ..] | [b'p', b'q', ..])
    }

    fn has_settled(&self, key: &[u8], at: usize) -> bool {
        keys::page_number(key, at).is_some_and(|position| !self.is_open(Position(position)))
    }

    fn is_open(&self, position: Position) -> bool {
        self.open.binary_search(&position).is_ok()
    }

    /// A page of references whose documents could not be sent any more, or a reference alone.
    fn is_old_issue(&self, key: &[u8]) -> bool {
        let day = key.get(1..5).and_then(|day| day.try_into().ok()).map(u32::from_be_bytes);
        let oldest = self.now.minus(REFERENCES_AT_HAND).day().to_string();
        let oldest = oldest.replace('-', "").parse::<u32>().unwrap_or(0);
        // A reference alone is looked at only when its page is full.
        day.is_some_and(|day| key.len() == 21 || (day != 0 && day < oldest))
    }

    /// Documents whose fan-out is under way.
    fn add_slices(&mut self, at_hand: &dyn Tables) -> Result<(), EngineError> {
        at_hand.scan(keys::SLICES, keys::SLICES, &mut |key, _| {
            self.open.extend(keys::slice_of(key).map(|slice| slice.position));
            true
        })
    }

    /// Documents that are recent; returns when each was received.
    fn add_documents(
        &mut self,
        at_hand: &dyn Tables,
    ) -> Result<Vec<(Position, Timestamp)>, EngineError> {
        let (mut received, mut outcome) = (Vec::new(), Ok(()));
        let recent = self.now.minus(SETTLED_AFTER);
        at_hand.scan(DOCUMENTS, DOCUMENTS, &mut |key, row| {
            let Some(position) = keys::page_number(key, 1).filter(|_| key.len() == 9) else {
                return true;
            };
            let position = Position(position);
            match codec::decode::<DocumentRow>(row, "document") {
                Ok(document) => {
                    received.push((position, document.received_at));
                    if document.received_at > recent {
                        self.open.push(position);
                    }
                }
                Err(error) => outcome = Err(error),
            }
            outcome.is_ok()
        })?;
        outcome.map(|()| received)
    }

    /// Documents of which something is expected of a recipient.
    fn add_deliveries(
        &mut self,
        at_hand: &dyn Tables,
        received: &[(Position, Timestamp)],
    ) -> Result<(), EngineError> {
        let (now, silent) = (self.now, self.silent);
        let mut outcome = Ok(());
        at_hand.scan(DELIVERIES, DELIVERIES, &mut |key, row| {
            let Some(position) = keys::page_number(key, 1).filter(|_| key.len() == 13) else {
                return true;
            };
            let position = Position(position);
            match codec::decode::<DeliveryRow>(row, "delivery") {
                Ok(delivery) if Stage::of(&delivery).is_end() => {}
                Ok(delivery) => {
                    let known = received.binary_search_by_key(&position, |(known, _)| *known);
                    let known = known.ok().and_then(|at| received.get(at));
                    let since = known.map_or(Timestamp::MIN, |(_, at)| *at);
                    if heard(&delivery, since).plus(silent) > now {
                        self.open.push(position);
                    }
                }
                Err(error) => outcome = Err(error),
            }
            outcome.is_ok()
        })?;
        outcome
    }
}

const DOCUMENTS: &[u8] = b"d";
const DELIVERIES: &[u8] = b"v";

/// Rows that are settled, by their keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Family {
    Document,
    Delivery,
    Id,
    Progress,
    Reference,
    Tile,
    Payload,
    Issue,
}

impl Family {
    fn of(key: &[u8]) -> Option<Self> {
        match key {
            [b'd', ..] => Some(Self::Document),
            [b'v', ..] => Some(Self::Delivery),
            [b'i', ..] => Some(Self::Id),
            [b'p', b'p', ..] => Some(Self::Progress),
            [b'j', b'r' | b'a', ..] => Some(Self::Reference),
            [b'y', ..] => Some(Self::Tile),
            [b's', ..] => Some(Self::Payload),
            [b'b', ..] => Some(Self::Issue),
            _ => None,
        }
    }
}

/// When something was heard of a delivery last.
fn heard(delivery: &DeliveryRow, received: Timestamp) -> Timestamp {
    let reported = delivery.statuses.last().map(|line| line.at);
    let negative = delivery.negative.as_ref().map(|negative| negative.at);
    let marked = delivery.mark.as_ref().map(|mark| mark.by.at);
    let asked = delivery.asked.as_ref().map(|message| message.at);
    let heard = [delivery.acknowledged_at, reported, negative, marked, asked];
    heard.into_iter().flatten().fold(received, Timestamp::max)
}

#[cfg(test)]
mod tests {
    use lienthong_model::Ordinal;

    use super::*;

    fn at_day(day: i64) -> Settling {
        let now = Timestamp::from_millis(day * 86_400_000);
        Settling { now, silent: Duration::from_secs(90 * 86_400), open: vec![Position(7)] }
    }

    #[test]
    fn a_full_tile_is_settled_and_one_that_grows_is_not() {
        let key = keys::tile(0, 9);
        let settling = at_day(18_000);
        assert!(settling.is_settled(&key, &[0; 8_192]).unwrap());
        assert!(!settling.is_settled(&key, &[0; 8_160]).unwrap());
    }

    #[test]
    fn rows_of_an_open_document_stay_at_hand() {
        let settling = at_day(18_000);
        for (position, settled) in [(7, false), (8, true)] {
            let position = Position(position);
            for key in [
                keys::document(position),
                keys::delivery(position, Ordinal(3)),
                keys::progress(position, 2),
                keys::at(
                    keys::referred(crate::threads::ThreadKey { day: 18_000, rest: 5 }),
                    position,
                ),
            ] {
                assert_eq!(settling.is_settled(&key, b"").unwrap(), settled, "{key:?}");
                assert!(Settling::may_settle(&key));
            }
        }
    }

    #[test]
    fn what_changes_for_ever_is_never_settled() {
        let settling = at_day(18_000);
        for key in [
            keys::HEAD.to_vec(),
            keys::agency(Ordinal(1)),
            keys::mailbox_page(Ordinal(1), keys::Lane::Urgent, Position(8)),
            keys::sent_page(Ordinal(1), Position(8)),
            keys::slice(keys::SliceKey {
                lane: keys::Lane::Urgent,
                position: Position(8),
                slice: 0,
            }),
            keys::act(3),
        ] {
            assert!(!settling.is_settled(&key, b"").unwrap(), "{key:?}");
            assert!(!Settling::may_settle(&key), "{key:?}");
        }
    }

    #[test]
    fn pages_of_references_are_settled_when_they_are_old() {
        // 2019-04-14.
        let settling = at_day(18_000);
        let page = |day| keys::references(day, Ordinal(1), 4);
        assert!(settling.is_settled(&page(20_190_101), b"").unwrap());
        assert!(!settling.is_settled(&page(20_190_401), b"").unwrap());
        assert!(!settling.is_settled(&page(0), b"").unwrap());
    }
}
