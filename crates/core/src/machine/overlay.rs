//! What the block under way has changed so far.

use std::collections::BTreeMap;

use bytes::Bytes;
use lienthong_model::Timestamp;

use crate::command::{Command, Entry, Stored};
use crate::engine::Writes;
use crate::statistics::Event;

/// Rows, entries and events of the block under way.
#[derive(Debug)]
pub(super) struct Working {
    pub block: u64,
    pub time: Timestamp,
    pub entries: Vec<Entry>,
    pub events: Vec<Event>,
    pub bytes: usize,
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
            bytes: 0,
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

    pub fn push(&mut self, entry: Entry) {
        self.bytes += size(&entry);
        self.entries.push(entry);
        self.applied += 1;
    }

    /// Counts an entry of a replayed block, which is not kept.
    pub fn count_entry(&mut self) {
        self.applied += 1;
    }

    pub fn put(&mut self, key: Vec<u8>, row: Vec<u8>) {
        self.rows.insert(key, Some(row.into()));
    }

    pub fn delete(&mut self, key: Vec<u8>) {
        self.rows.insert(key, None);
    }

    /// The row as this block has left it; `None` when this block has not touched it.
    pub fn row(&self, key: &[u8]) -> Option<&Option<Bytes>> {
        self.rows.get(key)
    }

    pub fn take(&mut self) -> (Writes, Vec<Event>) {
        let rows = std::mem::take(&mut self.rows);
        (rows.into_iter().collect(), std::mem::take(&mut self.events))
    }
}

/// About how many bytes an entry takes in the block; the block's bound is a target.
fn size(entry: &Entry) -> usize {
    const HEADER: usize = 512;
    let signed = |signed: &crate::command::SignedRecord| {
        let attachments: usize = signed.attachments.iter().map(|a| inline(&a.bytes)).sum();
        let certificates: usize = signed.new_certificates.iter().map(|c| c.0.len()).sum();
        inline(&signed.content) + attachments + certificates + signed.signatures.len() * 170
    };
    HEADER
        + match &entry.command {
            Command::Submit(submit) => signed(&submit.signed) + submit.header.recipients.len() * 24,
            Command::Report(report) => signed(&report.signed),
            Command::Acknowledge(acknowledge) => acknowledge.deliveries.len() * 16,
            Command::ChangeDirectory(entries) => entries.len() * 200,
            Command::AddAuthority(authority) => authority.certificate.0.len(),
            Command::Refused { .. }
            | Command::ImportDirectory(_)
            | Command::AddRevocationList(_)
            | Command::SetRoutingRules(_) => 0,
        }
}

fn inline(stored: &Stored) -> usize {
    match stored {
        Stored::Inline(bytes) => bytes.len(),
        Stored::Payload { .. } => 48,
    }
}
