//! What the block under way has changed so far.

use std::collections::BTreeMap;

use bytes::Bytes;
use lienthong_model::{Digest, Timestamp};

use crate::command::Entry;
use crate::engine::Writes;
use crate::mail::Mail;
use crate::statistics::Event;

/// Rows, entries and events of the block under way.
#[derive(Debug)]
pub(super) struct Working {
    pub block: u64,
    pub time: Timestamp,
    pub entries: Vec<Entry>,
    pub events: Vec<Event>,
    /// Leaves of the log: positions and hashes.
    pub leaves: Vec<(u64, Digest)>,
    pub bytes: usize,
    /// What changes in mailboxes.
    pub mail: Mail,
    applied: u32,
    rows: BTreeMap<Vec<u8>, Option<Bytes>>,
}

impl Working {
    /// No block.
    pub fn none() -> Self {
        Self {
            block: 0,
            time: Timestamp::MIN,
            entries: Vec::new(),
            events: Vec::new(),
            leaves: Vec::new(),
            bytes: 0,
            mail: Mail::default(),
            applied: 0,
            rows: BTreeMap::new(),
        }
    }

    pub fn begin(&mut self, block: u64, time: Timestamp) {
        debug_assert!(self.entries.is_empty() && self.rows.is_empty());
        *self = Self { block, time, ..Self::none() };
    }

    /// The number of the entry that is being applied, from 0.
    pub fn entry(&self) -> u32 {
        self.applied
    }

    /// Adds an entry of so many bytes.
    pub fn push(&mut self, entry: Entry, bytes: usize) {
        self.bytes += bytes;
        self.entries.push(entry);
        self.applied += 1;
    }

    /// Counts an entry of a replayed block, which is not kept.
    pub fn count_entry(&mut self) {
        self.applied += 1;
    }

    pub fn put(&mut self, key: Vec<u8>, row: Vec<u8>) {
        // Of just its size: rows stay in memory for some time, and there are many.
        self.rows.insert(key, Some(row.into_boxed_slice().into()));
    }

    /// Puts rows; keys are distinct.
    pub fn write(&mut self, writes: Writes) {
        self.rows.extend(writes);
    }

    pub fn delete(&mut self, key: Vec<u8>) {
        self.rows.insert(key, None);
    }

    /// The keys with a prefix that this block has written.
    pub fn keys_with<'k>(&'k self, prefix: &'k [u8]) -> impl Iterator<Item = &'k [u8]> {
        let from = self.rows.range(prefix.to_vec()..);
        let written = from.take_while(move |(key, _)| key.starts_with(prefix));
        written.filter(|(_, row)| row.is_some()).map(|(key, _)| key.as_slice())
    }

    /// The row as this block has left it; `None` when this block has not touched it.
    pub fn row(&self, key: &[u8]) -> Option<&Option<Bytes>> {
        self.rows.get(key)
    }

    /// The rows under a prefix as this block has left them, in key order; `None` for one that it
    /// deleted.
    pub fn rows_under<'w>(
        &'w self,
        prefix: &'w [u8],
    ) -> impl Iterator<Item = (&'w [u8], Option<&'w Bytes>)> {
        let from = (std::ops::Bound::Included(prefix), std::ops::Bound::Unbounded);
        let rows = self.rows.range::<[u8], _>(from);
        rows.take_while(|(key, _)| key.starts_with(prefix))
            .map(|(key, row)| (key.as_slice(), row.as_ref()))
    }

    pub fn take(&mut self) -> (Writes, Vec<Event>) {
        let rows = std::mem::take(&mut self.rows);
        (rows.into_iter().collect(), std::mem::take(&mut self.events))
    }
}
