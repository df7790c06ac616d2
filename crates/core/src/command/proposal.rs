//! What enters the sequencer. Not kept: the journal has commands and decisions.

use lienthong_model::{Ordinal, Signatory};
use lienthong_trust::{AuthorityId, StatusSubmission, Submission, Verified};

use super::{
    Acknowledge, AcknowledgeNotices, Command, NegativeAcknowledge, Remind, RemoveList, SaveList,
    StoredContent,
};
use crate::deadlines::DeadlinePage;
use crate::keys::SliceKey;

/// What enters the sequencer. The caller's identity is proven; signed content is verified; bytes
/// above the inline bound are in payload files that are on disk.
#[derive(Debug)]
pub enum Proposal {
    /// A document.
    Submit {
        /// Whose connection brought it.
        caller: Ordinal,
        /// Its facts.
        submission: Box<Verified<Submission>>,
        /// Where its bytes are.
        stored: StoredContent,
    },
    /// A status report.
    Report {
        /// Whose connection brought it.
        caller: Ordinal,
        /// Its facts.
        submission: Box<Verified<StatusSubmission>>,
        /// Where its bytes are.
        stored: StoredContent,
    },
    /// Acknowledgements.
    Acknowledge(Acknowledge),
    /// Deliveries that could not be taken.
    NegativeAcknowledge(NegativeAcknowledge),
    /// Acknowledgements of notices.
    AcknowledgeNotices(AcknowledgeNotices),
    /// An act of the hub's own start-up, or of whoever has the folder.
    Administer(Command),
    /// A list is saved.
    SaveList(SaveList),
    /// A list is removed.
    RemoveList(RemoveList),
    /// Laggards are reminded.
    Remind(Remind),
    /// An act of administration by a person.
    Act {
        /// Who: its operator's certificate is proven.
        by: Signatory,
        /// What.
        act: Command,
    },
    /// Work that the hub owes itself: see [`crate::Machine::next_work`].
    Work(Work),
}

/// Work that the hub owes itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Work {
    /// Settles what an issuer's new revocation list decides.
    Settle(AuthorityId),
    /// Delivers to a slice of a document's recipients.
    Slice(SliceKey),
    /// Does what is due.
    Tick(DeadlinePage),
}
