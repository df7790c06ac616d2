//! Who may sign for which agency, in memory: every agency's mandates, with their dates.

use std::collections::HashMap;

use lienthong_model::limits::{
    MANDATES_MAX, MANDATES_PER_AGENCY_MAX, MANDATES_PER_PERSON_MAX, TEXT_CHARS_MAX,
};
use lienthong_model::{AgencyCode, Mandate, Ordinal, Signatory};

use crate::directory::Directory;

/// Mandates by agency. Ended ones stay: yesterday's verdict rests on them.
#[derive(Debug, Clone, Default)]
pub struct Mandates {
    by_agency: HashMap<Ordinal, Vec<Mandate>>,
}

/// Why a mandate cannot be taken over.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MandateError {
    /// An agency is not in the directory.
    #[error("`{0}` is not in the directory")]
    AgencyUnknown(AgencyCode),
    /// A capacity that is delegated needs somebody who delegates it, any other has none.
    #[error("`{capacity}` {}", if *needed { "needs `delegated_by`" } else { "has no `delegated_by`" })]
    Delegation {
        /// The capacity's name.
        capacity: &'static str,
        /// Whether it needs one.
        needed: bool,
    },
    /// A person of another agency may sign only in a capacity that is delegated.
    #[error("`{person}` is of `{agency}`: only a delegated capacity goes to another agency")]
    OtherAgency {
        /// The person.
        person: String,
        /// Its agency.
        agency: AgencyCode,
    },
    /// It ends before it begins.
    #[error("the mandate of `{0}` ends before it begins")]
    EndsBeforeItBegins(String),
    /// A text is longer than the bound.
    #[error("the basis of the mandate of `{0}` has more than {TEXT_CHARS_MAX} characters")]
    TextTooLong(String),
    /// More mandates than a bound.
    #[error("{found} mandates {of}, at most {max}")]
    TooMany {
        /// Of what.
        of: &'static str,
        /// How many there would be.
        found: usize,
        /// The bound.
        max: usize,
    },
}

impl Mandates {
    /// Returns the mandates of an agency, by person, capacity and first day.
    pub fn of(&self, agency: Ordinal) -> &[Mandate] {
        self.by_agency.get(&agency).map(Vec::as_slice).unwrap_or_default()
    }

    /// Returns how many mandates there are.
    pub fn len(&self) -> usize {
        self.by_agency.values().map(Vec::len).sum()
    }

    /// Returns whether there are none.
    pub fn is_empty(&self) -> bool {
        self.by_agency.is_empty()
    }

    /// Checks that mandates can be taken over.
    ///
    /// # Errors
    /// [`MandateError`] for the first that cannot.
    pub fn check(&self, added: &[Mandate], directory: &Directory) -> Result<(), MandateError> {
        let mut after = Self::default();
        for mandate in added {
            check_one(mandate, directory)?;
            let agency = directory.find(&mandate.agency);
            let agency =
                agency.ok_or_else(|| MandateError::AgencyUnknown(mandate.agency.clone()))?.ordinal;
            let known = || self.of(agency).to_vec();
            after.by_agency.entry(agency).or_insert_with(known);
            after.put(agency, mandate.clone());
            let all = after.of(agency);
            let Signatory { agency: of, person } = &mandate.signatory;
            let theirs = all.iter().filter(|other| other.is_of(&of.key(), person)).count();
            at_most("of one person", theirs, MANDATES_PER_PERSON_MAX)?;
            at_most("of one agency", all.len(), MANDATES_PER_AGENCY_MAX)?;
        }
        let replaced: usize = after.by_agency.keys().map(|agency| self.of(*agency).len()).sum();
        at_most("in all", self.len() - replaced + after.len(), MANDATES_MAX)
    }

    /// Takes a mandate over; it takes the place of the one with its identity. Repeating it changes
    /// nothing.
    pub(crate) fn put(&mut self, agency: Ordinal, mandate: Mandate) {
        let known = self.by_agency.entry(agency).or_default();
        match known.binary_search_by(|other| other.identity().cmp(&mandate.identity())) {
            Ok(same) => known[same] = mandate,
            Err(place) => known.insert(place, mandate),
        }
    }

    /// Takes a stored row over.
    pub(crate) fn restore(&mut self, agency: Ordinal, mandates: Vec<Mandate>) {
        self.by_agency.insert(agency, mandates);
    }
}

fn check_one(mandate: &Mandate, directory: &Directory) -> Result<(), MandateError> {
    let person = || mandate.signatory.person.clone();
    let persons = std::iter::once(&mandate.signatory).chain(&mandate.delegated_by);
    if let Some(unknown) =
        persons.map(|who| &who.agency).find(|code| directory.find(code).is_none())
    {
        return Err(MandateError::AgencyUnknown(unknown.clone()));
    }
    let delegated = mandate.capacity.is_delegated();
    if delegated != mandate.delegated_by.is_some() {
        let capacity = mandate.capacity.name();
        return Err(MandateError::Delegation { capacity, needed: delegated });
    }
    if !delegated && mandate.signatory.agency.key() != mandate.agency.key() {
        let agency = mandate.signatory.agency.clone();
        return Err(MandateError::OtherAgency { person: person(), agency });
    }
    if mandate.until.is_some_and(|until| until <= mandate.from) {
        return Err(MandateError::EndsBeforeItBegins(person()));
    }
    if mandate.basis.chars().count() > TEXT_CHARS_MAX {
        return Err(MandateError::TextTooLong(person()));
    }
    Ok(())
}

fn at_most(of: &'static str, found: usize, max: usize) -> Result<(), MandateError> {
    if found > max { Err(MandateError::TooMany { of, found, max }) } else { Ok(()) }
}
