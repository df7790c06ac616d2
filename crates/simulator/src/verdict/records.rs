//! What the hub has in the end, read once.

use std::sync::{Arc, RwLock};

use lienthong_core::engine::{Blocks as _, EngineError};
use lienthong_core::statistics::{self, Cubes, Period, Refusals};
use lienthong_core::{Command, Decision, Directory, DocumentView, Entry, Place};
use lienthong_model::{AgencyCode, Ordinal, Position, Reason, Timestamp};

use crate::scenario::Days;
use crate::world::{Hub, Played};

/// The hub's records.
pub(super) struct Records<'p> {
    pub hub: &'p Hub,
    pub directory: Arc<Directory>,
    pub cubes: Arc<RwLock<Cubes>>,
    /// How many documents were accepted.
    pub documents: u64,
    /// Documents of which it was not proven at acceptance that nothing was revoked.
    pub unproven: Vec<Position>,
    /// Every refusal that the journal has.
    pub declined: Vec<Declined>,
    pub blocks: u64,
    /// Places of the log.
    size: u64,
    pub played: &'p Played,
}

/// A refusal of the journal.
pub(super) struct Declined {
    pub at: Timestamp,
    pub reason: Reason,
    pub province: Option<Ordinal>,
    /// Caller and claimed id.
    pub shown: String,
}

impl<'p> Records<'p> {
    pub fn read(played: &'p Played) -> Result<Self, EngineError> {
        let hub = &played.hub;
        let (directory, cubes, size) = match hub.machine() {
            Some(machine) => {
                (machine.policy().directory.clone(), machine.cubes(), machine.log_size())
            }
            // A hub that is killed starts again before the end: the reader of scenarios says so.
            None => (Arc::default(), Arc::default(), 0),
        };
        let mut records = Self {
            hub,
            directory,
            cubes,
            documents: 0,
            unproven: Vec::new(),
            declined: Vec::new(),
            blocks: 0,
            size,
            played,
        };
        records.read_journal()?;
        Ok(records)
    }

    /// Visits every accepted document with its deliveries, by position.
    ///
    /// # Errors
    /// [`EngineError`] when a row cannot be read.
    pub fn each(&self, mut visit: impl FnMut(&DocumentView)) -> Result<(), EngineError> {
        for position in 0..self.size {
            if let Some(view) = self.hub.query().track(Position(position))? {
                visit(&view);
            }
        }
        Ok(())
    }

    fn read_journal(&mut self) -> Result<(), EngineError> {
        while let Some(block) = self.hub.blocks.block(self.blocks + 1)? {
            self.blocks += 1;
            for entry in &block.entries {
                self.note(entry, block.time);
            }
        }
        Ok(())
    }

    fn note(&mut self, entry: &Entry, at: Timestamp) {
        match (&entry.command, &entry.decision) {
            (Command::Submit(_), Decision::Accepted(accepted)) => {
                self.documents += 1;
                if !accepted.unproven.is_empty() {
                    self.unproven.push(accepted.position);
                }
            }
            (Command::Refused { requests, province }, Decision::Refused(refusal)) => {
                let id = requests.id.map_or_else(|| "?".to_owned(), |id| id.to_string());
                let caller = self.directory.code(requests.caller, at);
                self.declined.push(Declined {
                    at,
                    reason: refusal.reason,
                    province: *province,
                    shown: format!("{id} ({caller}): {}", refusal.reason.code()),
                });
            }
            _ => {}
        }
    }

    pub fn volumes(&self, days: Option<Days>) -> Result<statistics::Volumes, EngineError> {
        statistics::volumes(&self.cubes, &self.hub.state, period(days))
    }

    pub fn flows(&self, days: Option<Days>) -> Result<Vec<statistics::Flow>, EngineError> {
        statistics::flows(&self.cubes, &self.hub.state, period(days))
    }

    pub fn refusals(&self) -> Result<Refusals, EngineError> {
        self.refusals_in(None)
    }

    pub fn refusals_in(&self, days: Option<Days>) -> Result<Refusals, EngineError> {
        statistics::refusals(&self.cubes, &self.hub.state, period(days))
    }

    pub fn ordinal(&self, code: &AgencyCode) -> Option<Ordinal> {
        self.directory.find(code).map(|agency| agency.ordinal)
    }

    /// Where an agency stood at a moment.
    pub fn place(&self, agency: Ordinal, at: Timestamp) -> Option<Place> {
        let agency = self.directory.agency(agency)?;
        Some(self.directory.place(agency, at))
    }

    /// A document, for people.
    pub fn shown(&self, view: &DocumentView) -> String {
        let sender = self.directory.code(view.document.sender, view.document.received_at);
        format!("{} ({sender}, position {})", view.document.id, view.position.0)
    }

    /// A delivery, for people.
    pub fn delivery_shown(&self, view: &DocumentView, recipient: Ordinal) -> String {
        let recipient = self.directory.code(recipient, view.document.received_at);
        format!("{} → {recipient}", self.shown(view))
    }
}

/// Days as a period of the statistics.
pub(super) fn period(days: Option<Days>) -> Period {
    let end = |days: Days| lienthong_model::Day(days.last.0.saturating_add(1)).start();
    days.map_or(Period::ALL, |days| Period { from: days.first.start(), until: end(days) })
}

/// Whether a moment lies in some days.
pub(super) fn within(days: Option<Days>, at: Timestamp) -> bool {
    days.is_none_or(|days| days.holds(at.day()))
}
