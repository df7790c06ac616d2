//! Scenarios: what a country of agencies does, what goes wrong, and what the hub must then show.
//!
//! A scenario is a file of TOML with a fixed vocabulary ([`Scenario::parse`]; `docs/SCENARIOS.md`
//! lists every key). It sets *behaviour*; what is expected is read from the hub's statistics and
//! records, never from what was generated. Everything random follows from its seed.

mod area;
mod calendar;
mod describe;
mod error;
mod expect;
mod fault;
mod library;
mod read;
mod worlds;

pub use area::{Area, Country};
pub(crate) use calendar::whole;
pub use calendar::{Calendar, Days};
pub use error::ScenarioError;
pub use expect::{Bound, Expect, Measure};
pub use fault::{Fault, FaultKind};
pub use library::{builtin, names};
pub use read::VOCABULARY;
pub use worlds::{Missing, Place};

use lienthong_core::Span;
use lienthong_model::{Day, DocumentType, Level, Timestamp};

/// A scenario as its file says it.
#[derive(Debug, Clone, PartialEq)]
pub struct Scenario {
    /// Its name: lower-case letters, digits and hyphens.
    pub name: String,
    /// What it is, in Vietnamese.
    pub title: String,
    /// What it is, in English.
    pub title_en: String,
    /// Which sources it follows and which of their figures it shows.
    pub about: String,
    /// Everything random follows from it.
    pub seed: u64,
    /// The days that it covers.
    pub days: Days,
    /// When offices work.
    pub calendar: Calendar,
    /// Who takes part; of an agency's entries the first that holds it decides.
    pub agencies: Vec<Participation>,
    /// Who writes to whom.
    pub traffic: Vec<Traffic>,
    /// How clerks answer; the first that holds the recipient decides, without one nobody answers.
    pub answers: Vec<Answers>,
    /// What goes wrong.
    pub faults: Vec<Fault>,
    /// What the hub must show in the end.
    pub expects: Vec<Expect>,
}

/// Since when something is so.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Since {
    /// Before the scenario begins.
    Always,
    /// From a day on.
    Day(Day),
    /// Not within the scenario.
    Never,
}

/// Agencies that take part.
#[derive(Debug, Clone, PartialEq)]
pub struct Participation {
    /// Which.
    pub area: Area,
    /// At most so many of each province and level, in the directory's order; none: all.
    pub take: Option<usize>,
    /// Since when they are connected; until then their mailboxes fill.
    pub connected: Since,
    /// Since when a person's signature is required; until then the seal is enough.
    pub personal: Since,
}

/// Documents that one kind of agency writes to another.
#[derive(Debug, Clone, PartialEq)]
pub struct Traffic {
    /// Who writes.
    pub area: Area,
    /// The level written to; none: any.
    pub to_level: Option<Level>,
    /// How sender and recipient lie to each other.
    pub span: Span,
    /// The type; none: mixed as in the field, official letters most.
    pub document_type: Option<DocumentType>,
    /// Documents a working day, all senders together.
    pub per_day: f64,
    /// The days on which they write; none: all of the scenario's.
    pub days: Option<Days>,
    /// Recipients of a document, from and to.
    pub fan_out: (u32, u32),
    /// Share of documents that are *hỏa tốc*.
    pub urgent: f64,
    /// Share of documents that a paper copy follows.
    pub paper: f64,
    /// Pages, from and to.
    pub pages: (u32, u32),
    /// KiB of the attachment, from and to; 0: none.
    pub attachment_kib: (u32, u32),
    /// The line of the file that it stands on.
    pub line: usize,
}

/// How clerks answer. Shares are of all deliveries that are not refused; whoever finishes has
/// processed before, whoever processes has accepted.
#[derive(Debug, Clone, PartialEq)]
pub struct Answers {
    /// Whose clerks.
    pub area: Area,
    /// Share refused (02).
    pub refused: f64,
    /// Share accepted (03).
    pub accepted: f64,
    /// Share of those accepted that are assigned (04).
    pub assigned: f64,
    /// Share being processed (05).
    pub processed: f64,
    /// Share finished (06).
    pub finished: f64,
    /// Working hours until 03 or 02, from and to.
    pub accepted_hours: (f64, f64),
    /// Working hours from 03 until 04 and 05, from and to.
    pub processed_hours: (f64, f64),
    /// Working hours from 05 until 06, from and to.
    pub finished_hours: (f64, f64),
}

impl Scenario {
    /// Returns the first moment of the scenario.
    pub fn begin(&self) -> Timestamp {
        self.days.first.start()
    }

    /// Returns the first moment after its last day.
    pub fn end(&self) -> Timestamp {
        Day(self.days.last.0.saturating_add(1)).start()
    }

    /// Reads a scenario; `shown` names the file in errors.
    ///
    /// # Errors
    /// [`ScenarioError`] with file, line, key and remedy.
    pub fn parse(shown: &str, text: &str) -> Result<Self, ScenarioError> {
        read::scenario(shown, text)
    }
}

impl Traffic {
    /// Returns whether they write on a day.
    pub fn active(&self, day: Day) -> bool {
        self.days.is_none_or(|days| days.holds(day))
    }
}

#[cfg(test)]
mod tests;
