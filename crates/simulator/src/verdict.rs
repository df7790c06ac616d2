//! The verdict on a run: the laws, which always hold, and what the scenario expects.
//!
//! Everything is read from the hub in the end: its statistics, its records, its journal. What was
//! generated is not asked. The records are walked once, whatever is asked of them.

mod charts;
mod html;
mod ids;
pub(crate) mod junit;
mod laws;
mod markup;
mod measure;
mod records;

use crate::world::AccountError;

use crate::scenario::Scenario;
use crate::world::Played;
pub use charts::Charts;
use charts::Drawing;
pub use html::Frame;
use laws::Laws;
pub use laws::REPLAY;
use measure::Watched;
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
    /// What a report draws.
    pub charts: Charts,
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
        let mut laws = Laws::new(&records)?;
        let mut drawing = Drawing::new(scenario);
        let watched = |expect| Watched::new(expect, scenario, &records);
        let mut expects: Vec<Watched<'_>> = scenario.expects.iter().map(watched).collect();
        let (mut deliveries, mut acknowledged, mut reports) = (0, 0, 0);
        records.each(|view| {
            for one in &view.deliveries {
                deliveries += 1;
                acknowledged += u64::from(one.delivery.acknowledged_at.is_some());
                reports += one.delivery.statuses.len() as u64;
            }
            laws.see(view);
            drawing.see(view, &records);
            expects.iter_mut().for_each(|expect| expect.see(view, &records));
        })?;
        let expects = expects.into_iter().map(|expect| expected(expect, &records));
        Ok(Self {
            scenario: scenario.name.clone(),
            seed,
            expects: expects.collect::<Result<_, AccountError>>()?,
            laws: laws.check()?,
            documents: records.documents,
            deliveries,
            acknowledged,
            reports,
            refusals: records.refusals()?.by_reason.values().sum(),
            blocks: records.blocks,
            charts: drawing.finish(scenario, &records),
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

    /// Writes it as one page of HTML that needs nothing beside it.
    pub fn html(&self, frame: &Frame<'_>) -> String {
        html::write(self, frame)
    }

    /// Writes it as JUnit XML; `replay` is the command that plays it again.
    pub fn junit(&self, replay: &str, seconds: f64) -> String {
        junit::write(self, replay, seconds)
    }
}

/// Measures what is expected, and compares.
fn expected(watched: Watched<'_>, records: &Records<'_>) -> Result<Check, AccountError> {
    let expect = watched.expect;
    let (measured, standing) = watched.finish(records)?;
    let mut found = measured.shown();
    let mut passed = expect.bound.holds(measured.value);
    if let Some(target) = expect.target {
        passed &= standing == Some(target.standing);
        let standing = standing.map_or("không đủ cơ sở / no basis".to_owned(), |standing| {
            format!("{} / {}", standing.name_vi(), standing.name())
        });
        found = format!("{found}: {standing}");
    }
    Ok(Check {
        name: format!("line {}: {}", expect.line, expect.subject()),
        passed,
        wanted: expect.wanted(),
        found,
        documents: if passed { Vec::new() } else { measured.documents },
    })
}
