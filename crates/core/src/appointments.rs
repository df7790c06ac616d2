//! All appointments, in memory.

use std::collections::BTreeMap;

use lienthong_model::limits::APPOINTMENTS_MAX;
use lienthong_model::{AgencyCode, Appointment, CodeKey, Day, Role, Territory, Timestamp};

use crate::directory::{AgencyRecord, Directory};

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
    #[error("no administrator of the country would be left on {0}")]
    LastAdministrator(Day),
}

/// Returns whether an agency lies in a territory at a moment.
pub fn holds(territory: &Territory, agency: &AgencyRecord, at: Timestamp) -> bool {
    match territory {
        Territory::Country => true,
        Territory::Province(code) => {
            let province = agency.entry(at).province.as_ref().map(AgencyCode::key);
            province.as_ref() == Some(&code.key())
        }
        Territory::Agency(code) => code.key() == agency.key,
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

    /// Checks that appointments can be taken over at a moment: on that day and on every later one,
    /// somebody administers the country if somebody did before.
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
        match self.abandoned(&after, at.day()) {
            Some(day) => Err(AppointmentError::LastAdministrator(day)),
            None => Ok(()),
        }
    }

    /// The first day, not before `today`, on which somebody administers the country, and `after` a
    /// change nobody would. It is today, or a day on which an appointment of now begins, or one on
    /// which an appointment of then has ended.
    fn abandoned(&self, after: &Self, today: Day) -> Option<Day> {
        let begins = self.administrators().map(|one| one.from);
        let ends = after.administrators().filter_map(|one| one.until);
        let days = begins.chain(ends).filter(|day| *day > today).chain([today]);
        days.filter(|day| self.is_administered(*day) && !after.is_administered(*day)).min()
    }

    /// Whether somebody administers the country on a day.
    fn is_administered(&self, day: Day) -> bool {
        self.administrators().any(|one| one.in_force(day.start()))
    }

    /// The appointments of the country's administrators, ended ones too.
    fn administrators(&self) -> impl Iterator<Item = &Appointment> {
        let country = |one: &&Appointment| one.territory == Territory::Country;
        self.all().filter(|one| one.role == Role::Administrator).filter(country)
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
