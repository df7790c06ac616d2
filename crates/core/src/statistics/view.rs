//! What a caller may see: everything down to provinces, or the territory of a person.

use std::collections::BTreeSet;

use lienthong_model::{AgencyCode, Ordinal, Signatory, Territory, Timestamp};

use super::question::{Condition, Question, Value};
use super::vocabulary::Dimension;
use crate::directory::{Directory, Place};
use crate::policy::Policy;

/// What a caller may see of the statistics.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum View {
    /// Everything.
    Country,
    /// Everything down to provinces; single agencies of one province, or of the centre.
    Node(Option<Ordinal>),
    /// Nothing but these provinces.
    Provinces(BTreeSet<Option<Ordinal>>),
    /// Nothing but these agencies.
    Agencies(BTreeSet<Ordinal>),
}

impl View {
    /// Returns what the node of an agency sees.
    pub fn of_node(agency: Ordinal, directory: &Directory, now: Timestamp) -> Self {
        let agency = directory.agency(agency);
        Self::Node(agency.and_then(|agency| directory.place(agency, now).province))
    }

    /// Returns what a person sees: the territory of its appointments in force, provinces before
    /// single agencies; `None` when it has none.
    pub fn of_person(person: &Signatory, policy: &Policy, now: Timestamp) -> Option<Self> {
        let (mut provinces, mut agencies) = (BTreeSet::new(), BTreeSet::new());
        let ordinal = |code: &AgencyCode| policy.directory.find(code).map(|found| found.ordinal);
        let held = policy.appointments.of(&person.agency.key(), &person.person);
        for appointment in held.iter().filter(|one| one.in_force(now)) {
            match &appointment.territory {
                Territory::Country => return Some(Self::Country),
                Territory::Province(code) => provinces.extend(ordinal(code).map(Some)),
                Territory::Agency(code) => agencies.extend(ordinal(code)),
            }
        }
        match (provinces.is_empty(), agencies.is_empty()) {
            (false, _) => Some(Self::Provinces(provinces)),
            (true, false) => Some(Self::Agencies(agencies)),
            (true, true) => None,
        }
    }

    /// Cuts a question to what may be seen: conditions are added, none is taken away.
    #[must_use]
    pub fn cut(&self, mut question: Question) -> Question {
        let provinces = |all: &mut dyn Iterator<Item = Option<Ordinal>>| Condition {
            dimension: Dimension::Province,
            values: all.map(Value::Province).collect(),
        };
        let condition = match self {
            Self::Country => return question,
            Self::Node(_) if !question.names_agencies() => return question,
            Self::Node(province) => provinces(&mut std::iter::once(*province)),
            Self::Provinces(all) => provinces(&mut all.iter().copied()),
            Self::Agencies(all) => Condition {
                dimension: Dimension::Agency,
                values: all.iter().copied().map(Value::Agency).collect(),
            },
        };
        question.filter.push(condition);
        question
    }

    /// Returns whether what an agency did by itself may be seen.
    pub fn shows(&self, agency: Ordinal, place: Place) -> bool {
        match self {
            Self::Country => true,
            Self::Node(province) => *province == place.province,
            Self::Provinces(all) => all.contains(&place.province),
            Self::Agencies(all) => all.contains(&agency),
        }
    }
}
