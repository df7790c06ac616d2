//! Mandates: which person may sign for an agency, in which capacity, from one day until another.
//!
//! The capacities are those of Decree 30/2020/NĐ-CP, article 13.

use minicbor::{Decode, Encode};

use crate::code::{AgencyCode, CodeKey};
use crate::document::DocumentType;
use crate::time::{Day, Timestamp};

/// A person as certificates name one.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Encode, Decode)]
pub struct Signatory {
    /// The agency of the person's certificate, as written.
    #[n(0)]
    pub agency: AgencyCode,
    /// The person's id (`urn:lienthong:person:<id>`).
    #[n(1)]
    pub person: String,
}

/// The right of a person to sign documents of an agency. Journalled: field numbers are stable.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct Mandate {
    /// The agency that is signed for.
    #[n(0)]
    pub agency: AgencyCode,
    /// Who may sign; of another agency only in a capacity that is delegated.
    #[n(1)]
    pub signatory: Signatory,
    /// In which capacity.
    #[n(2)]
    pub capacity: Capacity,
    /// Who has delegated it; exactly where the capacity is a delegated one.
    #[n(3)]
    pub delegated_by: Option<Signatory>,
    /// The types of documents that may be signed; none means all.
    #[n(4)]
    pub document_types: Vec<DocumentType>,
    /// The first day in force.
    #[n(5)]
    pub from: Day,
    /// The first day no longer in force; none while it is not known.
    #[n(6)]
    pub until: Option<Day>,
    /// The decision or regulation that it rests on, as text; at most 500 characters.
    #[n(7)]
    pub basis: String,
}

/// In which capacity a person signs (Decree 30/2020/NĐ-CP, article 13). Numbers are stable.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Encode, Decode)]
#[cbor(index_only)]
pub enum Capacity {
    /// The head of the agency, by own competence.
    #[n(1)]
    Head = 1,
    /// *Thay mặt* (TM.): on behalf of a body that decides together.
    #[n(2)]
    OnBehalf = 2,
    /// *Ký thay* (KT.): a deputy in the place of the head.
    #[n(3)]
    Deputy = 3,
    /// *Thừa lệnh* (TL.): the head of a unit, by order of the head of the agency.
    #[n(4)]
    ByOrder = 4,
    /// *Thừa ủy quyền* (TUQ.): by authorization, for a time; it cannot be delegated on.
    #[n(5)]
    ByAuthorization = 5,
}

impl Capacity {
    /// All capacities, in the order of their numbers.
    pub const ALL: [Self; 5] =
        [Self::Head, Self::OnBehalf, Self::Deputy, Self::ByOrder, Self::ByAuthorization];

    /// Whether somebody else must have delegated it.
    pub const fn is_delegated(self) -> bool {
        match self {
            Self::Head | Self::OnBehalf => false,
            Self::Deputy | Self::ByOrder | Self::ByAuthorization => true,
        }
    }

    /// Whether whoever holds it may delegate it on as `to`: a head and a body may delegate anything,
    /// whoever signs by order only to a deputy, everybody else nothing.
    pub const fn may_delegate(self, to: Self) -> bool {
        match self {
            Self::Head | Self::OnBehalf => to.is_delegated(),
            Self::ByOrder => matches!(to, Self::Deputy),
            Self::Deputy | Self::ByAuthorization => false,
        }
    }

    /// The abbreviation that stands before the signature; empty for a head.
    pub const fn abbreviation(self) -> &'static str {
        match self {
            Self::Head => "",
            Self::OnBehalf => "TM.",
            Self::Deputy => "KT.",
            Self::ByOrder => "TL.",
            Self::ByAuthorization => "TUQ.",
        }
    }

    /// The name in files and JSON.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Head => "head",
            Self::OnBehalf => "on-behalf",
            Self::Deputy => "deputy",
            Self::ByOrder => "by-order",
            Self::ByAuthorization => "by-authorization",
        }
    }

    /// The capacity with a name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|capacity| capacity.name() == name)
    }

    /// The capacity with a number.
    pub fn from_number(number: u32) -> Option<Self> {
        Self::ALL.into_iter().find(|capacity| *capacity as u32 == number)
    }
}

impl Mandate {
    /// Returns what tells it from others of the same agency: a mandate with the same identity takes
    /// its place.
    pub fn identity(&self) -> (CodeKey, &str, Capacity, Day) {
        (self.signatory.agency.key(), &self.signatory.person, self.capacity, self.from)
    }

    /// Whether it is in force at a moment.
    pub fn in_force(&self, at: Timestamp) -> bool {
        let day = at.day();
        self.from <= day && self.until.is_none_or(|until| day < until)
    }

    /// Whether it covers a type of documents.
    pub fn covers(&self, document_type: DocumentType) -> bool {
        self.document_types.is_empty() || self.document_types.contains(&document_type)
    }

    /// Whether it is the mandate of a person of an agency.
    pub fn is_of(&self, agency: &CodeKey, person: &str) -> bool {
        self.signatory.person == person && self.signatory.agency.key() == *agency
    }
}

/// Returns the mandate by which a person of an agency may sign a type of documents at the last of
/// some moments: the first of the agency's mandates that stands then. `None` when at one of the
/// moments none stands, and without moments. It need not be the same at all of them: one that is
/// renewed ends where the next begins. Delegated ones are followed up to a head or a body, at each
/// moment by itself, over at most three delegations.
pub fn mandate_of<'m>(
    mandates: &'m [Mandate],
    (agency, person): (&CodeKey, &str),
    document_type: DocumentType,
    moments: &[Timestamp],
) -> Option<&'m Mandate> {
    let standing_at = |at: Timestamp| {
        mandates.iter().find(|mandate| {
            mandate.is_of(agency, person) && stands(mandates, mandate, document_type, at, 0)
        })
    };
    let mut last = None;
    for moment in moments {
        last = Some(standing_at(*moment)?);
    }
    last
}

/// Most delegations from a signer up to a head.
const DELEGATIONS_MAX: usize = 3;

fn stands(
    mandates: &[Mandate],
    mandate: &Mandate,
    document_type: DocumentType,
    at: Timestamp,
    depth: usize,
) -> bool {
    let holds = mandate.covers(document_type) && mandate.in_force(at);
    if !holds || !mandate.capacity.is_delegated() {
        return holds;
    }
    let Some(delegator) = &mandate.delegated_by else { return false };
    depth < DELEGATIONS_MAX
        && mandates.iter().any(|above| {
            above.is_of(&delegator.agency.key(), &delegator.person)
                && above.capacity.may_delegate(mandate.capacity)
                && stands(mandates, above, document_type, at, depth + 1)
        })
}

#[cfg(test)]
mod tests;
