//! Appointments: who operates and administers the hub, for which territory, from one day until
//! another.

use minicbor::{Decode, Encode};

use crate::code::AgencyCode;
use crate::mandate::Signatory;
use crate::time::{Day, Timestamp};

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

    /// The role with a number.
    pub fn from_number(number: u32) -> Option<Self> {
        Self::ALL.into_iter().find(|role| *role as u32 == number)
    }

    /// The role with a name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|role| role.name() == name)
    }
}

impl Territory {
    /// The agency that it is named after; none for the country.
    pub fn agency(&self) -> Option<&AgencyCode> {
        match self {
            Self::Country => None,
            Self::Province(code) | Self::Agency(code) => Some(code),
        }
    }
}

impl std::fmt::Display for Territory {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Country => f.pad("country"),
            Self::Province(code) => write!(f, "province {code}"),
            Self::Agency(code) => write!(f, "agency {code}"),
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
