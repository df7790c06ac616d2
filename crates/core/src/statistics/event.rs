//! What is counted, as the machine reports it block by block.

use lienthong_model::{DocumentType, Ordinal, Reason, Timestamp};
use lienthong_trust::SignatureKind;
use minicbor::{Decode, Encode};

use super::figures::Figure;
use crate::directory::Place;
use crate::routing::Span;

/// Something that is counted. It follows from a command and its decision, and from what a row says
/// of that command, never from whether a row changed: a replay meets rows that are ahead of it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Event {
    /// A document was accepted.
    Sent {
        /// Its sender.
        agency: Ordinal,
        /// Where its sender stands.
        sender: Place,
        /// Its widest scope: centre before between before inside.
        scope: Span,
        /// What is counted of it.
        traits: Traits,
    },
    /// A document entered a mailbox.
    Received {
        /// Whose.
        agency: Ordinal,
        /// Where its sender stands.
        sender: Place,
        /// Where and when the delivery was made.
        made: Made,
        /// Bytes of content and attachments.
        bytes: u64,
        /// What is counted of it.
        traits: Traits,
    },
    /// A delivery came further.
    Progressed {
        /// Whose.
        agency: Ordinal,
        /// Where and when the delivery was made: it counts there.
        made: Made,
        /// What is to be counted.
        figure: Figure,
    },
    /// Requests were refused.
    Refused {
        /// The caller's province; none for the centre.
        province: Option<Ordinal>,
        /// Why.
        reason: Reason,
        /// How many.
        count: u32,
    },
}

/// Where and when a delivery was made. Kept in its row: field numbers are stable.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
pub struct Made {
    /// When it entered the mailbox.
    #[n(0)]
    pub at: Timestamp,
    /// Where the recipient stood.
    #[n(1)]
    pub place: Place,
    /// When an answer is due.
    #[n(2)]
    pub due: Option<Timestamp>,
}

/// What the cube *kind* counts of a document. Journalled: field numbers are stable.
#[derive(Debug, Clone, Copy, PartialEq, Encode, Decode)]
pub struct Traits {
    /// Its type.
    #[n(0)]
    pub document_type: DocumentType,
    /// Which signatures count.
    #[n(1)]
    pub signature: SignatureKind,
    /// Whether a paper copy follows.
    #[n(2)]
    pub paper_copy: bool,
    /// Its pages.
    #[n(3)]
    pub pages: u32,
}

/// Whether a document was sent or received. Numbers are stable.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Direction {
    /// Counted once, at acceptance.
    Sent = 0,
    /// Counted for each delivery, when it enters the mailbox.
    Received = 1,
}

impl Direction {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Sent, Self::Received];

    /// Returns the name in JSON and on the command line.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Sent => "sent",
            Self::Received => "received",
        }
    }
}
