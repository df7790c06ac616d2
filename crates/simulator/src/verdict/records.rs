//! What the hub has in the end, read once.

use std::sync::Arc;

use lienthong_core::statistics::{self, Refusals};
use lienthong_core::{Directory, DocumentView, Place};
use lienthong_model::{AgencyCode, Ordinal, Position, Timestamp};

use crate::scenario::Days;
use crate::world::{Account, AccountError, Declined, Journalled, Played};

/// The hub's records.
pub(super) struct Records<'p> {
    pub hub: &'p dyn Account,
    pub directory: Arc<Directory>,
    /// How many documents were accepted.
    pub documents: u64,
    /// Documents of which it was not proven at acceptance that nothing was revoked.
    pub unproven: Vec<Position>,
    /// Every refusal that is told of one by one.
    pub declined: Vec<Declined>,
    pub blocks: u64,
    pub played: &'p Played,
}

impl<'p> Records<'p> {
    pub fn read(played: &'p Played) -> Result<Self, AccountError> {
        let hub = played.account();
        let Journalled { documents, unproven, declined, blocks } = hub.journal()?;
        Ok(Self { hub, directory: hub.directory(), documents, unproven, declined, blocks, played })
    }

    /// Visits every accepted document with its deliveries, by position.
    ///
    /// # Errors
    /// [`AccountError`] when the hub does not tell.
    pub fn each(&self, mut visit: impl FnMut(&DocumentView)) -> Result<(), AccountError> {
        self.hub.each(&mut visit)
    }

    pub fn volumes(&self, days: Option<Days>) -> Result<statistics::Volumes, AccountError> {
        self.hub.volumes(days)
    }

    pub fn flows(&self, days: Option<Days>) -> Result<Vec<statistics::Flow>, AccountError> {
        self.hub.flows(days)
    }

    pub fn refusals(&self) -> Result<Refusals, AccountError> {
        self.refusals_in(None)
    }

    pub fn refusals_in(&self, days: Option<Days>) -> Result<Refusals, AccountError> {
        self.hub.refusals(days)
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

/// Whether a moment lies in some days.
pub(super) fn within(days: Option<Days>, at: Timestamp) -> bool {
    days.is_none_or(|days| days.holds(at.day()))
}
