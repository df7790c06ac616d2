//! What is asked of a hub.

use serde::Serialize;

use crate::pace::Pace;

/// How far a document goes before it counts as done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Work {
    /// Its sender has the receipt.
    Submit,
    /// Every recipient has it, and its acknowledgement is on the hub's disk.
    Deliver,
    /// Every recipient has also reported 03 and 06, with receipts.
    Statuses,
}

/// How documents are handed over.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Way {
    /// Many on one stream.
    Streaming,
    /// A call each.
    Unary,
}

/// What is asked of a hub.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Load {
    /// How far a document goes.
    pub work: Work,
    /// How it is handed over.
    pub way: Way,
    /// Recipients of a document.
    pub fan_out: usize,
    /// Bytes of its one attachment; none for 0. Above 1 MiB it is uploaded first.
    pub payload: u64,
    /// How many documents.
    pub documents: usize,
    /// How fast they come.
    pub pace: Pace,
}

impl Load {
    /// Documents before the clock starts: connections, certificates and caches are warm then.
    pub(crate) fn warm_up(&self) -> usize {
        (self.documents / 10).clamp(1, 1_000)
    }
}
