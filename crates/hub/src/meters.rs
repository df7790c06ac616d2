//! What a hub counts of itself while it runs, for whoever watches it; nothing here is stored.

use std::sync::atomic::{AtomicU64, Ordering};

use lienthong_core::Decision;
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
    /// By the order of [`Reason::ALL`].
    refusals: Vec<AtomicU64>,
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
