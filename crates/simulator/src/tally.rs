//! What came back: counted by the clients, compared with what the plan provoked.

use std::collections::{BTreeMap, HashSet};

use lienthong_model::{AgencyCode, Position, Reason, StatusCode};

/// Mismatches that are kept; more are counted.
const MISMATCHES_KEPT: usize = 20;

/// The clients' counts.
#[derive(Debug, Clone, Default)]
pub struct Tally {
    /// Submissions made; what the client library retries by itself is not counted.
    pub submitted: u64,
    /// Documents accepted.
    pub accepted: u64,
    /// First receipts that came again.
    pub deduplicated: u64,
    /// Refusals by reason.
    pub refused: BTreeMap<Reason, u64>,
    /// Recipients of the accepted documents.
    pub deliveries: u64,
    /// Deliveries that reached their recipient, each counted once.
    pub delivered: u64,
    /// Deliveries whose acknowledgement the hub has on disk.
    pub acknowledged: u64,
    /// Reports that the hub accepted.
    pub statuses: BTreeMap<StatusCode, u64>,
    /// What was not as it had to be; the first twenty.
    pub mismatches: Vec<Mismatch>,
    /// How many mismatches there were.
    pub mismatched: u64,
    seen: HashSet<(AgencyCode, Position)>,
}

/// Something that was not as it had to be.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{what}: expected {expected}, found {found}")]
pub struct Mismatch {
    /// Which submission, delivery or report.
    pub what: String,
    /// What the plan asks for.
    pub expected: String,
    /// What happened.
    pub found: String,
}

impl Tally {
    /// Notes a delivery; returns whether it is the first time.
    pub(crate) fn saw(&mut self, recipient: &AgencyCode, position: Position) -> bool {
        let first = self.seen.insert((recipient.clone(), position));
        self.delivered += u64::from(first);
        first
    }

    pub(crate) fn mismatch(&mut self, mismatch: Mismatch) {
        self.mismatched += 1;
        if self.mismatches.len() < MISMATCHES_KEPT {
            self.mismatches.push(mismatch);
        }
    }

    /// Compares the sums with each other and with the number of deliveries that the plan makes.
    pub(crate) fn close(&mut self, planned: u64) {
        let refused: u64 = self.refused.values().sum();
        let sums = [
            (
                "accepted + deduplicated + refused",
                self.submitted,
                self.accepted + self.deduplicated + refused,
            ),
            ("recipients of accepted documents", planned, self.deliveries),
            ("deliveries received", self.deliveries, self.delivered),
            ("deliveries acknowledged", self.deliveries, self.acknowledged),
        ];
        for (what, expected, found) in sums {
            if expected != found {
                self.mismatch(Mismatch {
                    what: what.to_owned(),
                    expected: expected.to_string(),
                    found: found.to_string(),
                });
            }
        }
    }
}
