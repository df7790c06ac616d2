//! What a hub counts of itself while it runs, for whoever watches it; nothing here is stored.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use lienthong_core::Decision;
use lienthong_core::block::SealedBlock;
use lienthong_model::Reason;

use crate::connections::Connections;
use crate::histogram::Histogram;
use crate::places::Places;

/// The counters of a running hub.
pub(crate) struct Meters {
    /// Connections of nodes and operators.
    pub connections: Connections,
    /// Connections to the HTTP port.
    pub http_connections: Places,
    /// From taking a document or report in until its decision is on disk.
    pub submit_to_durable: Histogram,
    /// Working out what the bytes of a document or report say.
    pub verification: Histogram,
    documents: AtomicU64,
    reports: AtomicU64,
    repeated: AtomicU64,
    journal: JournalMeters,
    /// By the order of [`Reason::ALL`].
    refusals: Vec<AtomicU64>,
}

/// What the journal took since the start.
#[derive(Default)]
struct JournalMeters {
    entries: AtomicU64,
    bytes: AtomicU64,
    syncs: AtomicU64,
    sync_nanos: AtomicU64,
}

/// What the journal took since the start, as it is shown.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Journalled {
    pub entries: u64,
    /// Of blocks, without their frames.
    pub bytes: u64,
    pub syncs: u64,
    /// How long syncs took together.
    pub sync_seconds: f64,
}

impl Meters {
    pub fn new(connections: Connections, http_connections: Places) -> Self {
        Self {
            connections,
            http_connections,
            submit_to_durable: Histogram::default(),
            verification: Histogram::default(),
            documents: AtomicU64::new(0),
            reports: AtomicU64::new(0),
            repeated: AtomicU64::new(0),
            journal: JournalMeters::default(),
            refusals: Reason::ALL.iter().map(|_| AtomicU64::new(0)).collect(),
        }
    }

    /// Counts what was decided; refusals are counted by [`Meters::refused`].
    pub fn decided(&self, decision: &Decision) {
        let counter = match decision {
            Decision::Accepted(_) => &self.documents,
            Decision::Reported(_) => &self.reports,
            Decision::Repeated(_) => &self.repeated,
            Decision::Refused(_)
            | Decision::Acknowledged(_)
            | Decision::NoticesAcknowledged(_)
            | Decision::NegativelyAcknowledged(_)
            | Decision::Done
            | Decision::FannedOut(_)
            | Decision::Ticked(_)
            | Decision::Reminded(_)
            | Decision::Settled(_) => return,
        };
        counter.fetch_add(1, Ordering::Relaxed);
    }

    /// Counts a block that is on disk, and how long its sync took.
    pub fn synced(&self, block: &SealedBlock, took: Duration) {
        let count = |counter: &AtomicU64, more: usize| {
            counter.fetch_add(more as u64, Ordering::Relaxed);
        };
        count(&self.journal.entries, block.block.entries.len());
        count(&self.journal.bytes, block.bytes.len());
        count(&self.journal.syncs, 1);
        let nanos = u64::try_from(took.as_nanos()).unwrap_or(u64::MAX);
        self.journal.sync_nanos.fetch_add(nanos, Ordering::Relaxed);
    }

    /// What the journal took since the start.
    pub fn journalled(&self) -> Journalled {
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        Journalled {
            entries: read(&self.journal.entries),
            bytes: read(&self.journal.bytes),
            syncs: read(&self.journal.syncs),
            sync_seconds: read(&self.journal.sync_nanos) as f64 / 1e9,
        }
    }

    /// Counts a document or report that was refused.
    pub fn refused(&self, reason: Reason) {
        let place = Reason::ALL.iter().position(|known| *known == reason);
        if let Some(counter) = place.and_then(|place| self.refusals.get(place)) {
            counter.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Documents accepted, reports accepted, both that were handed in again.
    pub fn outcomes(&self) -> [(&'static str, u64); 3] {
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        [
            ("document", read(&self.documents)),
            ("report", read(&self.reports)),
            ("repeated", read(&self.repeated)),
        ]
    }

    /// Refusals by code; those that never happened are left out.
    pub fn refusals(&self) -> impl Iterator<Item = (&'static str, u64)> {
        let counted = Reason::ALL.iter().zip(&self.refusals);
        let counted = counted.map(|(reason, count)| (reason.code(), count.load(Ordering::Relaxed)));
        counted.filter(|(_, count)| *count > 0)
    }
}
