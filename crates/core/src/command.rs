//! Commands and decisions, in the form in which the journal keeps them, and proposals, in the form
//! in which they come in.
//!
//! Stable: variants and fields are numbered, new ones are added at the end, none is reused.

mod administration;
mod content;
mod decision;
mod delivery;
mod proposal;

pub use administration::*;
pub use content::*;
pub use decision::*;
pub use delivery::*;
pub use proposal::*;

use lienthong_model::{
    AccountChange, Actor, AgencyEntry, Appointment, Mandate, Ordinal, Quota, Target, Terms,
};
use minicbor::{Decode, Encode};

use crate::routing::RoutingRules;
use crate::trust_store::RevocationPolicy;

/// A command and what was decided on it.
#[derive(Debug, Clone, PartialEq, Encode, Decode)]
pub struct Entry {
    /// What was asked.
    #[n(0)]
    pub command: Command,
    /// What was decided; replay takes it over.
    #[n(1)]
    pub decision: Decision,
}

/// What the journal keeps of a request.
#[derive(Debug, Clone, PartialEq, Encode, Decode)]
pub enum Command {
    /// A document that was accepted.
    #[n(1)]
    Submit(#[n(0)] Box<Submit>),
    /// A status report that was accepted.
    #[n(2)]
    Report(#[n(0)] Box<Report>),
    /// Recipients' nodes have documents on their own disks.
    #[n(3)]
    Acknowledge(#[n(0)] Acknowledge),
    /// Refusals: of ingress and of judgement, one or several added up.
    #[n(4)]
    Refused {
        /// What was refused.
        #[n(0)]
        requests: RefusedRequests,
        /// The caller's province at the time; none for the centre.
        #[n(1)]
        province: Option<Ordinal>,
    },
    /// A whole directory, kept as a payload.
    #[n(5)]
    ImportDirectory(#[n(0)] ImportDirectory),
    /// Some entries of the directory.
    #[n(6)]
    ChangeDirectory(#[n(0)] Vec<AgencyEntry>),
    /// A root that is trusted from now on, or an authority below one that is known from now on.
    #[n(7)]
    AddAuthority(#[n(0)] AddAuthority),
    /// A revocation list, kept as a payload.
    #[n(8)]
    AddRevocationList(#[n(0)] AddRevocationList),
    /// The routing rules in force from now on.
    #[n(9)]
    SetRoutingRules(#[n(0)] RoutingRules),
    /// Who may sign for agencies, from one day until another.
    #[n(10)]
    ChangeMandates(#[n(0)] Vec<Mandate>),
    /// What is done while it is not known whether a certificate was revoked.
    #[n(11)]
    SetRevocationPolicy(#[n(0)] RevocationPolicy),
    /// A revocation list settles what was accepted before it was there.
    #[n(12)]
    SettleRevocation(#[n(0)] SettleRevocation),
    /// Who operates and administers the hub.
    #[n(13)]
    ChangeAppointments(#[n(0)] Vec<Appointment>),
    /// How much agencies may send.
    #[n(14)]
    ChangeQuotas(#[n(0)] Vec<Quota>),
    /// An act of administration by a person.
    #[n(15)]
    Act {
        /// Who.
        #[n(0)]
        by: Actor,
        /// What; not an act by a person again.
        #[n(1)]
        act: Box<Command>,
    },
    /// Agencies know what they were told.
    #[n(20)]
    AcknowledgeNotices(#[n(0)] AcknowledgeNotices),
    /// Recipients' nodes could not take deliveries.
    #[n(21)]
    NegativeAcknowledge(#[n(0)] NegativeAcknowledge),
    /// A slice of a document's recipients gets it. The machine's own work.
    #[n(30)]
    FanOut(#[n(0)] FanOut),
    /// A list of recipients is saved, anew or instead of the one before.
    #[n(31)]
    SaveList(#[n(0)] SaveList),
    /// A saved list is removed.
    #[n(32)]
    RemoveList(#[n(0)] RemoveList),
    /// Time passes: deadlines are due. The machine's own work.
    #[n(34)]
    Tick(#[n(0)] Tick),
    /// How long recipients may take, for documents from now on.
    #[n(35)]
    SetTerms(#[n(0)] Terms),
    /// A sender reminds the laggards of a document.
    #[n(36)]
    Remind(#[n(0)] Remind),
    /// Who may sign in with a password.
    #[n(40)]
    ChangeAccounts(#[n(0)] Vec<AccountChange>),
    /// What indicators should reach.
    #[n(41)]
    ChangeTargets(#[n(0)] Vec<Target>),
}
