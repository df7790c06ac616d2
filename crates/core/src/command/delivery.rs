//! What moves deliveries: acknowledgements, slices, deadlines, reminders.
//!
//! Stable: fields are numbered, new ones are added at the end, none is reused.

use lienthong_model::{Ordinal, Position, Urgency};
use minicbor::{Decode, Encode};

use crate::deadlines::{DeadlineKind, DeadlinePage};
use crate::directory::Place;
use crate::keys::SliceKey;
use crate::notice::NoticeKey;
use crate::rows::RemindTo;
use crate::statistics::Traits;

/// An acknowledgement of several deliveries.
#[derive(Debug, Clone, PartialEq, Encode, Decode)]
pub struct Acknowledge {
    /// Whose connection brought it.
    #[n(0)]
    pub caller: Ordinal,
    /// The deliveries.
    #[n(1)]
    pub deliveries: Vec<AcknowledgedDelivery>,
}

/// One delivery that its recipient has on its own disk.
#[derive(Debug, Clone, Copy, PartialEq, Encode, Decode)]
pub struct AcknowledgedDelivery {
    /// Which delivery.
    #[n(0)]
    pub key: DeliveryKey,
    /// How often the hub had pushed it.
    #[n(1)]
    pub attempts: u32,
}

/// One document for one recipient.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Encode, Decode)]
pub struct DeliveryKey {
    /// The recipient.
    #[n(0)]
    pub recipient: Ordinal,
    /// The document.
    #[n(1)]
    pub position: Position,
}

/// That a caller's nodes could not take deliveries.
#[derive(Debug, Clone, PartialEq, Encode, Decode)]
pub struct NegativeAcknowledge {
    /// Whose connection brought it.
    #[n(0)]
    pub caller: Ordinal,
    /// Which.
    #[n(1)]
    pub deliveries: Vec<NegativeDelivery>,
}

/// A delivery that its recipient's node could not take.
#[derive(Debug, Clone, PartialEq, Encode, Decode)]
pub struct NegativeDelivery {
    /// Which delivery.
    #[n(0)]
    pub key: DeliveryKey,
    /// How often since it was journalled last; at least 1.
    #[n(1)]
    pub times: u32,
    /// Why, as it was said last; at most 300 bytes; up to rules 2, 200 characters.
    #[n(2)]
    pub reason: String,
}

/// An acknowledgement of notices.
#[derive(Debug, Clone, PartialEq, Encode, Decode)]
pub struct AcknowledgeNotices {
    /// Whose connection brought it.
    #[n(0)]
    pub caller: Ordinal,
    /// Notices one by one.
    #[n(1)]
    pub keys: Vec<NoticeKey>,
    /// All of one agency's up to a number.
    #[n(2)]
    pub through: Option<NoticeKey>,
}

/// A slice of a document's recipients gets it.
#[derive(Debug, Clone, PartialEq, Encode, Decode)]
pub struct FanOut {
    /// The document.
    #[n(0)]
    pub position: Position,
    /// Which slice, from 0.
    #[n(1)]
    pub slice: u16,
    /// How urgent the document is.
    #[n(2)]
    pub urgency: Urgency,
    /// What the statistics count of each delivery.
    #[n(3)]
    pub counted: Counted,
}

impl FanOut {
    /// Returns which slice it is of those that waited.
    pub fn key(&self) -> SliceKey {
        let lane = crate::machine::apply::lane(self.urgency);
        SliceKey { lane, position: self.position, slice: self.slice }
    }
}

/// What the statistics count of a delivery, beside its recipient.
#[derive(Debug, Clone, Copy, PartialEq, Encode, Decode)]
pub struct Counted {
    /// Where the sender stood.
    #[n(0)]
    pub sender: Place,
    /// What is counted of the document.
    #[n(1)]
    pub traits: Traits,
    /// Bytes of content and attachments.
    #[n(2)]
    pub bytes: u64,
}

/// Deadlines of a kind in one minute are due.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
pub struct Tick {
    /// Minutes since the epoch.
    #[n(0)]
    pub minute: i32,
    /// What about.
    #[n(1)]
    pub kind: DeadlineKind,
    /// Which page of documents of that minute.
    #[n(2)]
    pub page: u64,
}

impl From<DeadlinePage> for Tick {
    fn from(DeadlinePage { minute, kind, page }: DeadlinePage) -> Self {
        Self { minute, kind, page }
    }
}

impl From<Tick> for DeadlinePage {
    fn from(Tick { minute, kind, page }: Tick) -> Self {
        Self { minute, kind, page }
    }
}

/// A sender reminds the laggards of a document.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
pub struct Remind {
    /// Whose connection brought it: the sender's or its gateway's.
    #[n(0)]
    pub caller: Ordinal,
    /// The document.
    #[n(1)]
    pub position: Position,
    /// What is wanted of them.
    #[n(2)]
    pub to: RemindTo,
}
