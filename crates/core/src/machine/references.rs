//! The index of references: which document of a sender was the first with a reference.
//!
//! A page holds the references of one sender, one day of issue and a run of numbers, so that the
//! keys of a day's documents lie together and a document costs one small row. An entry is 16 bytes:
//! the first 8 of the reference's SHA-256, the position. A page is bounded; what comes after is
//! filed one by one.

use lienthong_model::limits::REFERENCES_PAGE_MAX;
use lienthong_model::{Digest, Ordinal, Position, Reference};

use super::Machine;
use crate::engine::{EngineError, Payloads, State};
use crate::keys;

/// Bytes of an entry.
const ENTRY_BYTES: usize = 16;
/// Numbers in one run.
const RUN: u32 = 64;

/// Where a reference is filed.
pub(super) struct Place {
    page: Vec<u8>,
    alone: Vec<u8>,
    digest: [u8; 8],
}

impl Place {
    /// `None` for a document without a reference.
    pub fn of(sender: Ordinal, reference: &Reference) -> Option<Self> {
        if reference.text.is_empty() {
            return None;
        }
        let digest = Digest::of(reference.text.as_bytes());
        let (digest, _) = digest.0.split_first_chunk::<8>()?;
        let number = reference.number.as_deref().and_then(|number| number.parse::<u32>().ok());
        // References without a number are spread over as many pages.
        let run = number.map_or(u32::from(digest[0]), |number| number / RUN);
        let page = keys::references(day(reference), sender, run);
        let alone = [page.as_slice(), digest].concat();
        Some(Self { page, alone, digest: *digest })
    }
}

/// The day of issue as a number that rises (20201116); 0 when it cannot be read.
fn day(reference: &Reference) -> u32 {
    let mut parts = reference.date.as_deref().unwrap_or_default().splitn(3, '/');
    let mut part = |digits: usize| {
        let part = parts.next().filter(|part| part.len() == digits)?;
        part.parse::<u32>().ok()
    };
    let day = part(4).zip(part(2)).zip(part(2));
    day.map_or(0, |((year, month), day)| year * 10_000 + month * 100 + day)
}

fn position(bytes: &[u8]) -> Option<Position> {
    Some(Position(u64::from_be_bytes(bytes.try_into().ok()?)))
}

impl<S: State, P: Payloads> Machine<S, P> {
    /// The first document of a sender with a reference.
    pub(super) fn first_with(
        &self,
        sender: Ordinal,
        reference: &Reference,
    ) -> Result<Option<Position>, EngineError> {
        let Some(place) = Place::of(sender, reference) else { return Ok(None) };
        let page = self.row(&place.page)?.unwrap_or_default();
        let (entries, _) = page.as_chunks::<ENTRY_BYTES>();
        match entries.binary_search_by(|entry| entry[..8].cmp(&place.digest)) {
            Ok(at) => Ok(entries.get(at).and_then(|entry| position(&entry[8..]))),
            Err(_) if entries.len() < REFERENCES_PAGE_MAX => Ok(None),
            Err(_) => Ok(self.row(&place.alone)?.and_then(|row| position(&row))),
        }
    }

    /// Files a new document's reference; a document with the same that was filed before stays.
    pub(super) fn file_reference(
        &mut self,
        sender: Ordinal,
        reference: &Reference,
        first: Position,
    ) -> Result<(), EngineError> {
        let Some(place) = Place::of(sender, reference) else { return Ok(()) };
        let mut page = self.row(&place.page)?.map(|row| row.to_vec()).unwrap_or_default();
        let (entries, _) = page.as_chunks::<ENTRY_BYTES>();
        let Err(at) = entries.binary_search_by(|entry| entry[..8].cmp(&place.digest)) else {
            return Ok(());
        };
        let first = first.0.to_be_bytes();
        if entries.len() >= REFERENCES_PAGE_MAX {
            self.work.put(place.alone, first.to_vec());
            return Ok(());
        }
        let at = at * ENTRY_BYTES;
        page.splice(at..at, place.digest.into_iter().chain(first));
        self.work.put(place.page, page);
        Ok(())
    }
}
