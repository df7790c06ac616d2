//! Whether an id is there twice, in eight bytes a document.

use std::collections::HashSet;
use std::hash::{BuildHasher as _, BuildHasherDefault, DefaultHasher};

use lienthong_model::{MessageId, Ordinal};

use super::measure::Found;
use super::records::Records;
use crate::world::AccountError;

/// Hashes of senders with their ids.
#[derive(Default)]
pub(super) struct Ids(Vec<u64>);

impl Ids {
    pub fn add(&mut self, sender: Ordinal, id: &MessageId) {
        self.0.push(hash(sender, id));
    }

    /// The documents whose sender used their id before. Two ids may have one hash: only where there
    /// are such, the records are walked again.
    pub fn twice(mut self, records: &Records<'_>) -> Result<Found, AccountError> {
        self.0.sort_unstable();
        let pairs = self.0.windows(2).filter(|pair| pair[0] == pair[1]);
        let suspect: HashSet<u64> = pairs.map(|pair| pair[0]).collect();
        let (mut seen, mut found) = (HashSet::new(), Found::default());
        if suspect.is_empty() {
            return Ok(found);
        }
        records.each(|view| {
            let (sender, id) = (view.document.sender, view.document.id);
            if suspect.contains(&hash(sender, &id)) && !seen.insert((sender, *id.as_bytes())) {
                found.add(|| records.shown(view));
            }
        })?;
        Ok(found)
    }
}

fn hash(sender: Ordinal, id: &MessageId) -> u64 {
    BuildHasherDefault::<DefaultHasher>::default().hash_one((sender.0, id.as_bytes()))
}
