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
mod write;

pub use area::{Area, Country};
pub(crate) use calendar::whole;
pub use calendar::{Calendar, Days};
pub use error::{ScenarioError, Words};
pub use expect::{Bound, Expect, Measure, Standing, Target};
pub use fault::{Fault, FaultKind};
pub use library::{builtin, names};
pub use read::VOCABULARY;
pub use worlds::{Missing, Place};

use std::time::Duration;

use lienthong_core::Span;
use lienthong_model::{Day, DocumentType, Timestamp};

/// How long a block takes to the disk unless a scenario says otherwise.
pub const DISK: Duration = Duration::from_millis(5);

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
    /// Share of documents and reports that are really signed and verified; of the others only the
    /// Ed25519 arithmetic is left out.
    pub signatures: f64,
    /// From the first request of a block until it is on the hub's disk.
    pub disk: Duration,
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
    /// The line of the file that it stands on.
    pub line: usize,
}

/// Documents that one kind of agency writes to another.
#[derive(Debug, Clone, PartialEq)]
pub struct Traffic {
    /// Who writes.
    pub area: Area,
    /// Who is written to.
    pub to: Area,
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
    /// How many of the documents are urgent.
    pub urgencies: Urgencies,
    /// Share of documents that a paper copy follows.
    pub paper: f64,
    /// Pages, from and to.
    pub pages: (u32, u32),
    /// KiB of the attachment, a PDF, from and to; 0: none.
    pub attachment_kib: (u32, u32),
    /// Days until an answer is due, from and to; none: no due date.
    pub due_days: Option<(u32, u32)>,
    /// Shares of documents that their sender changes later.
    pub changes: Changes,
    /// The line of the file that it stands on.
    pub line: usize,
}

/// Shares of urgent documents; the rest is ordinary.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Urgencies {
    /// *khẩn*.
    pub urgent: f64,
    /// *thượng khẩn*.
    pub very_urgent: f64,
    /// *hỏa tốc*.
    pub express: f64,
    /// *hỏa tốc hẹn giờ*: to be delivered within an hour or two.
    pub timed: f64,
}

/// What senders do to what they have sent.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Changes {
    /// Share taken back (13).
    pub recall: f64,
    /// Share updated by another document.
    pub update: f64,
    /// Share replaced by another document.
    pub replace: f64,
    /// Working hours after the receipt, from and to.
    pub hours: (f64, f64),
}

/// How clerks answer. Shares are of all deliveries that are not refused; whoever finishes or
/// processes has accepted, and whoever is among both has processed before.
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
    /// Whether all recipients of a document come as far with it.
    pub by_document: bool,
    /// Working hours until 03 or 02, from and to.
    pub accepted_hours: (f64, f64),
    /// Working hours from 03 until 04 and 05, from and to.
    pub processed_hours: (f64, f64),
    /// Working hours from 05 until 06, from and to.
    pub finished_hours: (f64, f64),
    /// Share handled late.
    pub late: f64,
    /// Working hours by which the first answer is late then, from and to.
    pub late_hours: (f64, f64),
    /// Share of those finished that are answered by a document of its own.
    pub reply: f64,
    /// Share of asked changes that are agreed to (15); the others are refused (16).
    pub change_agreed: f64,
    /// Working hours until 15 or 16, from and to.
    pub change_hours: (f64, f64),
    /// The line of the file that it stands on.
    pub line: usize,
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

impl Default for Urgencies {
    /// One document in fifty is *hỏa tốc*.
    fn default() -> Self {
        Self { urgent: 0.0, very_urgent: 0.0, express: 0.02, timed: 0.0 }
    }
}

impl Default for Changes {
    /// Nothing is changed.
    fn default() -> Self {
        Self { recall: 0.0, update: 0.0, replace: 0.0, hours: (0.2, 4.0) }
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
