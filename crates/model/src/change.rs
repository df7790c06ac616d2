//! What becomes of a document after it was sent: recall, update, replacement.

use minicbor::{Decode, Encode};

use crate::document::BusinessKind;

/// What a document is to its recipient. Numbers are stored and stable; those on the wire are one
/// more.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default, Encode, Decode)]
#[cbor(index_only)]
pub enum Standing {
    /// *có hiệu lực*: it stands as it was sent.
    #[default]
    #[n(0)]
    Stands = 0,
    /// *đã cập nhật*: it stands as another document updates it.
    #[n(1)]
    Updated = 1,
    /// *đã rút*: it was taken back before the recipient had acknowledged it.
    #[n(2)]
    Withdrawn = 2,
    /// *đã thu hồi*: it was taken back with the recipient's consent.
    #[n(3)]
    Recalled = 3,
    /// *đã thay thế*: another document stands in its place.
    #[n(4)]
    Replaced = 4,
}

/// What a sender does to a document that it has sent. Numbers are stored, on the wire, and stable.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Encode, Decode)]
#[cbor(index_only)]
pub enum ChangeKind {
    /// *thu hồi*: it takes it back, by status 13, by a document of kind 1, or by an update that
    /// removes a recipient.
    #[n(1)]
    Recall = 1,
    /// *cập nhật*: it updates it by a document of kind 2.
    #[n(2)]
    Update = 2,
    /// *thay thế*: it replaces it by a document of kind 3.
    #[n(3)]
    Replace = 3,
}

/// What a change means for one delivery. Numbers are stored, on the wire, and stable.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Encode, Decode)]
#[cbor(index_only)]
pub enum ChangeEffect {
    /// It takes effect at once: the recipient had not acknowledged the document.
    #[n(1)]
    AtOnce = 1,
    /// The recipient has the document: it must agree (15) or refuse (16).
    #[n(2)]
    Asked = 2,
    /// The recipient has refused or finished it: nothing changes.
    #[n(3)]
    TooLate = 3,
    /// The recipient no longer has it: nothing changes.
    #[n(4)]
    Gone = 4,
}

impl Standing {
    /// All values, in numeric order.
    pub const ALL: [Self; 5] =
        [Self::Stands, Self::Updated, Self::Withdrawn, Self::Recalled, Self::Replaced];

    /// The Vietnamese name.
    pub const fn name_vi(self) -> &'static str {
        match self {
            Self::Stands => "có hiệu lực",
            Self::Updated => "đã cập nhật",
            Self::Withdrawn => "đã rút",
            Self::Recalled => "đã thu hồi",
            Self::Replaced => "đã thay thế",
        }
    }

    /// The English name, as it stands in JSON.
    pub const fn name_en(self) -> &'static str {
        match self {
            Self::Stands => "stands",
            Self::Updated => "updated",
            Self::Withdrawn => "withdrawn",
            Self::Recalled => "recalled",
            Self::Replaced => "replaced",
        }
    }
}

impl ChangeKind {
    /// All kinds, in numeric order.
    pub const ALL: [Self; 3] = [Self::Recall, Self::Update, Self::Replace];

    /// Returns what a document of a kind of business does; `None` for a new one.
    pub const fn of(kind: BusinessKind) -> Option<Self> {
        match kind {
            BusinessKind::New => None,
            BusinessKind::Recall => Some(Self::Recall),
            BusinessKind::Update => Some(Self::Update),
            BusinessKind::Replace => Some(Self::Replace),
        }
    }

    /// What the document is once the change took effect before the recipient had it.
    pub const fn at_once(self) -> Standing {
        match self {
            Self::Recall => Standing::Withdrawn,
            Self::Update => Standing::Updated,
            Self::Replace => Standing::Replaced,
        }
    }

    /// What the document is once the recipient has agreed.
    pub const fn agreed(self) -> Standing {
        match self {
            Self::Recall => Standing::Recalled,
            Self::Update => Standing::Updated,
            Self::Replace => Standing::Replaced,
        }
    }

    /// The Vietnamese name.
    pub const fn name_vi(self) -> &'static str {
        match self {
            Self::Recall => "thu hồi",
            Self::Update => "cập nhật",
            Self::Replace => "thay thế",
        }
    }

    /// The English name, as it stands in JSON.
    pub const fn name_en(self) -> &'static str {
        match self {
            Self::Recall => "recall",
            Self::Update => "update",
            Self::Replace => "replace",
        }
    }
}

impl ChangeEffect {
    /// All values, in numeric order.
    pub const ALL: [Self; 4] = [Self::AtOnce, Self::Asked, Self::TooLate, Self::Gone];

    /// The Vietnamese name.
    pub const fn name_vi(self) -> &'static str {
        match self {
            Self::AtOnce => "có hiệu lực ngay",
            Self::Asked => "chờ nơi nhận trả lời (15, 16)",
            Self::TooLate => "quá muộn: đã hoàn thành hoặc từ chối",
            Self::Gone => "nơi nhận không còn giữ văn bản",
        }
    }

    /// The English name, as it stands in JSON.
    pub const fn name_en(self) -> &'static str {
        match self {
            Self::AtOnce => "at once",
            Self::Asked => "asked",
            Self::TooLate => "too late",
            Self::Gone => "gone",
        }
    }
}
