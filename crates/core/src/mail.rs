//! What a block changes in mailboxes, gathered while it is applied: whoever delivers is told of it
//! when the block is on disk.

use lienthong_model::{Ordinal, Position};

use crate::command::DeliveryKey;
use crate::keys::Lane;

/// What a block changes in the mailboxes of documents and in those of notices.
#[derive(Debug, Default, PartialEq)]
pub struct Mail {
    /// Documents.
    pub documents: MailboxChanges,
    /// Notices; their numbers stand as positions.
    pub notices: MailboxChanges,
}

/// What entered mailboxes and left them.
#[derive(Debug, Default, PartialEq)]
pub struct MailboxChanges {
    /// What entered, in order.
    pub arrived: Vec<Arrival>,
    /// What left: not to be pushed again. Something may have entered and left in one block.
    pub settled: Vec<DeliveryKey>,
}

/// Something that entered a mailbox.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Arrival {
    /// Whose mailbox.
    pub recipient: Ordinal,
    /// Which of its queues.
    pub lane: Lane,
    /// What: a document's position, a notice's number.
    pub position: Position,
}

impl MailboxChanges {
    /// Returns whether nothing changed.
    pub fn is_empty(&self) -> bool {
        self.arrived.is_empty() && self.settled.is_empty()
    }
}
