//! Entries of the directory: an agency as it is known for a span of days.

use minicbor::{Decode, Encode};

use crate::code::AgencyCode;
use crate::place::Level;
use crate::time::{Day, Timestamp};

/// What is true of an agency from one day until another. An agency has one entry a span; the
/// latest that has begun is in force. Journalled: field numbers are stable.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct AgencyEntry {
    /// The code as the directory writes it; its key is the agency's identity.
    #[n(0)]
    pub code: AgencyCode,
    /// The agency's name; at most 500 characters.
    #[n(1)]
    pub name: String,
    /// The administrative level.
    #[n(2)]
    pub level: Level,
    /// The superior agency; none for central bodies and for provinces.
    #[n(3)]
    pub parent: Option<AgencyCode>,
    /// The province that it belongs to (a province belongs to itself); none for the centre.
    #[n(4)]
    pub province: Option<AgencyCode>,
    /// The first day in force.
    #[n(5)]
    pub from: Day,
    /// The first day no longer in force; none while it is not known.
    #[n(6)]
    pub until: Option<Day>,
    /// Whether it takes part.
    #[n(7)]
    pub state: AgencyState,
    /// Which signatures its documents need.
    #[n(8)]
    pub policy: SignaturePolicy,
    /// The agency whose node serves it, when not its own.
    #[n(9)]
    pub gateway: Option<AgencyCode>,
}

impl AgencyEntry {
    /// Whether the entry is in force at a moment.
    pub fn in_force(&self, at: Timestamp) -> bool {
        let day = at.day();
        self.from <= day && self.until.is_none_or(|until| day < until)
    }
}

/// Whether an agency takes part in the exchange. Numbers are stable.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Encode, Decode)]
#[cbor(index_only)]
pub enum AgencyState {
    /// Its node, or its gateway's, exchanges documents.
    #[n(1)]
    Connected = 1,
    /// In the directory but not connected yet: its mailbox fills.
    #[n(2)]
    Held = 2,
    /// Neither sends nor receives.
    #[n(3)]
    Suspended = 3,
}

/// Which signatures the documents of an agency need. Numbers are stable.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Encode, Decode)]
#[cbor(index_only)]
pub enum SignaturePolicy {
    /// A person's signature; the seal is optional.
    #[n(1)]
    Required = 1,
    /// The seal is enough; such a document counts as without personal signature.
    #[n(2)]
    Transition = 2,
    /// Unsigned is accepted, for information only, without legal force.
    #[n(3)]
    Information = 3,
}

macro_rules! named {
    ($type:ident { $($variant:ident = $name:literal),+ }) => {
        impl $type {
            /// All values.
            pub const ALL: &'static [$type] = &[$($type::$variant),+];
            /// The name in files, JSON and configuration.
            pub const fn name(self) -> &'static str { match self { $($type::$variant => $name),+ } }
            /// The value with a name.
            pub fn from_name(name: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|value| value.name() == name)
            }
        }
        impl std::fmt::Display for $type {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result { f.pad(self.name()) }
        }
    };
}

named!(AgencyState { Connected = "connected", Held = "held", Suspended = "suspended" });
named!(SignaturePolicy { Required = "required", Transition = "transition", Information = "information" });
