//! The verdict on a run: the laws, which always hold, and what the scenario expects.
//!
//! Everything is read from the hub in the end: its statistics, its records, its journal. What was
//! generated is not asked.

pub(crate) mod junit;
mod laws;
mod measure;
mod records;

use crate::scenario::Scenario;
use crate::world::{AccountError, Played};
pub use laws::REPLAY;
use records::Records;

/// Documents that are named where something does not hold.
const NAMED_MAX: usize = 10;

/// What came of a run.
#[derive(Debug, Clone, PartialEq)]
pub struct Verdict {
    /// The scenario's name.
    pub scenario: String,
    /// The seed that it was played with.
    pub seed: u64,
    /// The laws of the hub.
    pub laws: Vec<Check>,
    /// What the scenario expects.
    pub expects: Vec<Check>,
    /// Documents that the hub accepted.
    pub documents: u64,
    /// Their deliveries.
    pub deliveries: u64,
    /// Deliveries that were acknowledged.
    pub acknowledged: u64,
    /// Reports on deliveries.
    pub reports: u64,
    /// Refusals.
    pub refusals: u64,
    /// Blocks of the journal.
    pub blocks: u64,
}

/// One thing that was checked.
#[derive(Debug, Clone, PartialEq)]
pub struct Check {
    /// What.
    pub name: String,
    /// Whether it holds.
    pub passed: bool,
    /// What must be.
    pub wanted: String,
    /// What is.
    pub found: String,
    /// Where it does not hold: some of the documents that broke it, the first ten.
    pub documents: Vec<String>,
}

impl Verdict {
    /// Judges a run.
    ///
    /// # Errors
    /// [`AccountError`] when the hub's records cannot be read.
    pub fn of(scenario: &Scenario, seed: u64, played: &Played) -> Result<Self, AccountError> {
        let records = Records::read(played)?;
        let expects = scenario.expects.iter().map(|expect| {
            let measured = measure::measure(expect, &records)?;
            let passed = expect.bound.holds(measured.value);
            Ok(Check {
                name: format!("line {}: {}", expect.line, expect.subject()),
                passed,
                wanted: expect.bound.to_string(),
                found: measured.shown(),
                documents: if passed { Vec::new() } else { named(measured.documents) },
            })
        });
        let deliveries = || records.documents.iter().flat_map(|document| &document.deliveries);
        let acknowledged = deliveries().filter(|one| one.delivery.acknowledged_at.is_some());
        let reports = deliveries().map(|one| one.delivery.statuses.len() as u64);
        Ok(Self {
            scenario: scenario.name.clone(),
            seed,
            expects: expects.collect::<Result<_, AccountError>>()?,
            laws: laws::check(&records)?,
            documents: records.documents.len() as u64,
            deliveries: deliveries().count() as u64,
            acknowledged: acknowledged.count() as u64,
            reports: reports.sum(),
            refusals: records.refusals()?.by_reason.values().sum(),
            blocks: records.blocks,
        })
    }

    /// Returns whether everything holds.
    pub fn passed(&self) -> bool {
        self.checks().all(|check| check.passed)
    }

    /// Returns all checks: the laws first.
    pub fn checks(&self) -> impl Iterator<Item = &Check> {
        self.laws.iter().chain(&self.expects)
    }

    /// Writes it as JUnit XML; `replay` is the command that plays it again.
    pub fn junit(&self, replay: &str, seconds: f64) -> String {
        junit::write(self, replay, seconds)
    }
}

fn named(mut documents: Vec<String>) -> Vec<String> {
    documents.truncate(NAMED_MAX);
    documents
}
