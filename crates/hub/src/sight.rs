//! What an operator may see: as of statistics, and the documents that the agencies seen sent or
//! received.

use lienthong_core::engine::EngineError;
use lienthong_core::statistics::View;
use lienthong_core::{AgencyRecord, Appointments, Directory, DocumentRow, Policy, Query};
use lienthong_ledger::SledState;
use lienthong_model::{Appointment, Ordinal, Position, Role, Signatory, Timestamp};

/// What somebody may see. Deny by default: it is made of appointments in force, or says that all
/// may be seen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Sight(pub View);

impl Sight {
    /// All of the country: of whoever is at the machine itself while there are no accounts.
    pub fn country() -> Self {
        Self(View::Country)
    }

    /// What a person's appointments in force show; `None` when none is.
    pub fn of(policy: &Policy, person: &Signatory, at: Timestamp) -> Option<Self> {
        View::of_person(person, policy, at).map(Self)
    }

    /// Whether the whole country may be seen.
    pub fn is_country(&self) -> bool {
        self.0 == View::Country
    }

    /// Whether all of a province may be seen; of `None`, the centre.
    pub fn has_province(&self, province: Option<Ordinal>) -> bool {
        match &self.0 {
            View::Country => true,
            View::Provinces(all) => all.contains(&province),
            View::Node(_) | View::Agencies(_) => false,
        }
    }

    /// What of this lies in a province: the province itself, or agencies whoever asks may see.
    pub fn within(&self, province: Ordinal) -> Self {
        match self.has_province(Some(province)) {
            true => Self(View::Provinces([Some(province)].into())),
            false => self.clone(),
        }
    }

    /// Whether an agency may be seen.
    pub fn has(&self, directory: &Directory, agency: &AgencyRecord, at: Timestamp) -> bool {
        self.is_country() || self.0.shows(agency.ordinal, directory.place(agency, at))
    }

    /// Whether the agency with an ordinal may be seen.
    pub fn has_ordinal(&self, directory: &Directory, agency: Ordinal, at: Timestamp) -> bool {
        let found = directory.agency(agency);
        self.is_country() || found.is_some_and(|found| self.has(directory, found, at))
    }

    /// Which of a document's parties may be seen.
    pub fn of_document(
        &self,
        query: Query<'_, SledState>,
        directory: &Directory,
        position: Position,
        document: &DocumentRow,
    ) -> Result<Parties, EngineError> {
        let at = document.received_at;
        if self.has_ordinal(directory, document.sender, at) {
            return Ok(Parties::All);
        }
        let mut seen = Vec::new();
        query.deliveries(position, None, &mut |recipient, _| {
            if self.has_ordinal(directory, recipient, at) {
                seen.push(recipient);
            }
            true
        })?;
        Ok(if seen.is_empty() { Parties::None } else { Parties::Recipients(seen) })
    }
}

/// Which parties of a document may be seen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Parties {
    /// All: its sender may be seen.
    All,
    /// These recipients.
    Recipients(Vec<Ordinal>),
    /// Nobody: the document is not shown.
    None,
}

/// The appointments of a person that are in force.
pub(crate) fn in_force<'a>(
    appointments: &'a Appointments,
    person: &Signatory,
    at: Timestamp,
) -> impl Iterator<Item = &'a Appointment> {
    let held = appointments.of(&person.agency.key(), &person.person).iter();
    held.filter(move |one| one.in_force(at))
}

/// The highest role among appointments in force.
pub(crate) fn role(appointments: &Appointments, person: &Signatory, at: Timestamp) -> Option<Role> {
    in_force(appointments, person, at).map(|one| one.role).max()
}
