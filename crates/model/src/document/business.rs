//! What a message does to documents sent before it, and who is in charge of it.

use minicbor::{Decode, Encode};

use crate::code::AgencyCode;
use crate::document::{BusinessKind, Written};
use crate::ids::MessageId;

/// The business of a message (`Bussiness` of edXML).
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Business {
    /// New, recall, update or replace.
    pub kind: BusinessKind,
    /// The reference of the document acted on, as written.
    pub acts_on_reference: String,
    /// The message acted on.
    pub acts_on: Option<MessageId>,
    /// Why.
    pub reason: String,
    /// Whether a paper copy follows.
    pub paper_copy: bool,
    /// What changed in the document, as written (`DocumentInfo` of edXML).
    pub changed_document: String,
    /// What changed in its recipients, as written (`DocumentReceiver` of edXML).
    pub changed_recipients: String,
    /// Recipients added and removed, in order.
    pub recipient_changes: Vec<RecipientChange>,
    /// The documents that this one replaces.
    pub replacements: Vec<Replacement>,
    /// Who is in charge of it.
    pub staff: Staff,
}

/// A recipient added or removed by an update.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecipientChange {
    /// The recipient's code.
    pub code: Written<AgencyCode>,
    /// What happens to it.
    pub change: Change,
}

/// What an update does to a recipient. The numbers on the wire are these plus one: edXML's
/// `ReceiverType` has 0 for removed and 1 for added. Stable.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Encode, Decode)]
#[cbor(index_only)]
pub enum Change {
    /// 0: no longer a recipient.
    #[n(0)]
    Removed = 0,
    /// 1: a recipient from now on.
    #[n(1)]
    Added = 1,
}

impl Change {
    /// Both values, in numeric order.
    pub const ALL: [Self; 2] = [Self::Removed, Self::Added];

    /// The field's number, 0 or 1.
    pub const fn number(self) -> u8 {
        self as u8
    }

    /// The value with a number, `None` when the field has none.
    pub fn from_number(number: u32) -> Option<Self> {
        Self::ALL.into_iter().find(|change| u32::from(change.number()) == number)
    }
}

/// A document that is replaced, and for whom.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Replacement {
    /// The reference of the document replaced, as written.
    pub reference: String,
    /// The message that carried it, when it is known.
    pub message: Option<MessageId>,
    /// The agencies for which it is replaced.
    pub agencies: Vec<Written<AgencyCode>>,
}

/// Who is in charge of a message or report (`StaffInfo` of edXML).
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Staff {
    /// The department.
    pub department: String,
    /// The person's name.
    pub name: String,
    /// The e-mail address.
    pub email: String,
    /// The mobile telephone.
    pub mobile: String,
    /// The person's ids in the systems concerned.
    pub ids: Vec<String>,
}
