//! Who operates and administers the hub, for which territory, from one day until another.

use std::collections::BTreeMap;

use lienthong_model::limits::APPOINTMENTS_MAX;
use lienthong_model::{AgencyCode, CodeKey, Day, Signatory, Timestamp};
use minicbor::{Decode, Encode};

use crate::directory::{AgencyRecord, Directory};

/// A person's role. Journalled: field numbers are stable.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct Appointment {
    /// Who, as the operator's certificate names it.
    #[n(0)]
    pub holder: Signatory,
    /// The role.
    #[n(1)]
    pub role: Role,
    /// For which agencies.
    #[n(2)]
    pub territory: Territory,
    /// The first day in force.
    #[n(3)]
    pub from: Day,
    /// The first day no longer in force; none while it is not known.
    #[n(4)]
    pub until: Option<Day>,
}

/// What a person may do. Numbers are stable; a higher one may do whatever a lower one may.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Encode, Decode)]
#[cbor(index_only)]
pub enum Role {
    /// Reads statistics and what waits.
    #[n(1)]
    Viewer = 1,
    /// Runs the hub from day to day.
    #[n(2)]
    Operator = 2,
    /// Changes what judgement reads.
    #[n(3)]
    Administrator = 3,
}

/// For which agencies a role holds. Journalled: numbers are stable.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub enum Territory {
    /// The whole country.
    #[n(1)]
    Country,
    /// A province and everything in it.
    #[n(2)]
    Province(#[n(0)] AgencyCode),
    /// One agency.
    #[n(3)]
    Agency(#[n(0)] AgencyCode),
}

/// Who did something: a person by an operator's certificate. Journalled: field numbers are stable.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct Actor {
    /// The person.
    #[n(0)]
    pub person: Signatory,
    /// The role by which it was allowed.
    #[n(1)]
    pub role: Role,
}

/// All appointments. Ended ones stay.
#[derive(Debug, Clone, Default)]
pub struct Appointments {
    by_person: BTreeMap<(CodeKey, String), Vec<Appointment>>,
}

/// Why an appointment cannot be taken over.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AppointmentError {
    /// An agency is not in the directory.
    #[error("`{0}` is not in the directory")]
    AgencyUnknown(AgencyCode),
    /// It ends before it begins.
    #[error("the appointment of `{0}` ends before it begins")]
    EndsBeforeItBegins(String),
    /// More appointments than the bound.
    #[error("{0} appointments, at most {APPOINTMENTS_MAX}")]
    TooMany(usize),
    /// Nobody would be left who administers the country.
    #[error("no administrator of the country would be left")]
    LastAdministrator,
}

impl Role {
    /// All roles, in the order of their numbers.
    pub const ALL: [Self; 3] = [Self::Viewer, Self::Operator, Self::Administrator];

    /// The name in files and JSON.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Viewer => "viewer",
            Self::Operator => "operator",
            Self::Administrator => "administrator",
        }
    }

    /// The role with a name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|role| role.name() == name)
    }
}

impl Territory {
    /// Returns whether an agency lies in it at a moment.
    pub fn holds(&self, agency: &AgencyRecord, at: Timestamp) -> bool {
        match self {
            Self::Country => true,
            Self::Province(code) => {
                let province = agency.entry(at).province.as_ref().map(AgencyCode::key);
                province.as_ref() == Some(&code.key())
            }
            Self::Agency(code) => code.key() == agency.key,
        }
    }

    fn agency(&self) -> Option<&AgencyCode> {
        match self {
            Self::Country => None,
            Self::Province(code) | Self::Agency(code) => Some(code),
        }
    }
}

impl Appointment {
    /// Returns whether it is in force at a moment.
    pub fn in_force(&self, at: Timestamp) -> bool {
        let day = at.day();
        self.from <= day && self.until.is_none_or(|until| day < until)
    }
}

impl Appointments {
    /// Returns the appointments of a person, ended ones too.
    pub fn of(&self, agency: &CodeKey, person: &str) -> &[Appointment] {
        let found = self.by_person.get(&(agency.clone(), person.to_owned()));
        found.map(Vec::as_slice).unwrap_or_default()
    }

    /// Returns all appointments, by agency and person.
    pub fn all(&self) -> impl Iterator<Item = &Appointment> {
        self.by_person.values().flatten()
    }

    /// Checks that appointments can be taken over at a moment: somebody who administers the country
    /// stays, if there was one.
    ///
    /// # Errors
    /// [`AppointmentError`] for the first that cannot.
    pub fn check(
        &self,
        added: &[Appointment],
        directory: &Directory,
        at: Timestamp,
    ) -> Result<(), AppointmentError> {
        let mut after = self.clone();
        for appointment in added {
            let named = [Some(&appointment.holder.agency), appointment.territory.agency()];
            for code in named.into_iter().flatten() {
                if directory.find(code).is_none() {
                    return Err(AppointmentError::AgencyUnknown(code.clone()));
                }
            }
            if appointment.until.is_some_and(|until| until <= appointment.from) {
                return Err(AppointmentError::EndsBeforeItBegins(
                    appointment.holder.person.clone(),
                ));
            }
            after.put(appointment.clone());
        }
        if after.all().count() > APPOINTMENTS_MAX {
            return Err(AppointmentError::TooMany(after.all().count()));
        }
        match self.administered(at) && !after.administered(at) {
            true => Err(AppointmentError::LastAdministrator),
            false => Ok(()),
        }
    }

    /// Whether somebody administers the country at a moment, or will.
    fn administered(&self, at: Timestamp) -> bool {
        let day = at.day();
        self.all().any(|one| {
            one.role == Role::Administrator
                && one.territory == Territory::Country
                && one.until.is_none_or(|until| day < until)
        })
    }

    /// Takes an appointment over; it takes the place of the person's with the same first day, role
    /// and territory. Returns all of the person's. Repeating it changes nothing.
    pub(crate) fn put(&mut self, appointment: Appointment) -> &[Appointment] {
        let key = (appointment.holder.agency.key(), appointment.holder.person.clone());
        let known = self.by_person.entry(key).or_default();
        let same = known.iter_mut().find(|other| {
            (other.from, other.role) == (appointment.from, appointment.role)
                && other.territory == appointment.territory
        });
        match same {
            Some(same) => *same = appointment,
            None => known.push(appointment),
        }
        known
    }

    /// Takes a stored row over.
    pub(crate) fn restore(&mut self, appointments: Vec<Appointment>) {
        for appointment in appointments {
            self.put(appointment);
        }
    }
}
