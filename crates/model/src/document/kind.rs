//! The small numbered kinds of the field: business, urgency, steering, wrapping.

use std::fmt;

use minicbor::{Decode, Encode};

/// What kind of business a message is. The numbers are the field's (`BussinessDocType` of edXML)
/// and journalled: stable.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default, Encode, Decode)]
#[cbor(index_only)]
pub enum BusinessKind {
    /// 0 *mới*: a new document.
    #[default]
    #[n(0)]
    New = 0,
    /// 1 *thu hồi*: takes a document back.
    #[n(1)]
    Recall = 1,
    /// 2 *cập nhật*: updates a document.
    #[n(2)]
    Update = 2,
    /// 3 *thay thế*: replaces documents.
    #[n(3)]
    Replace = 3,
}

/// How urgent a document is. The numbers are the field's (`Priority` of edXML) and journalled:
/// stable. The later in the order, the more urgent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default, Encode, Decode)]
#[cbor(index_only)]
pub enum Urgency {
    /// 0 *thường*.
    #[default]
    #[n(0)]
    Normal = 0,
    /// 1 *khẩn*.
    #[n(1)]
    Urgent = 1,
    /// 2 *thượng khẩn*.
    #[n(2)]
    VeryUrgent = 2,
    /// 3 *hỏa tốc*.
    #[n(3)]
    Express = 3,
    /// 4 *hỏa tốc hẹn giờ*: with an hour to be delivered by.
    #[n(4)]
    ExpressTimed = 4,
}

/// Whether a document steers. The numbers are the field's (`SteeringType` of edXML): stable.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Steering {
    /// 1: no steering document.
    None = 1,
    /// 2: steers others (*văn bản chỉ đạo*).
    Steers = 2,
    /// 3: reports on what was steered.
    Reports = 3,
}

/// How an attachment's bytes are wrapped as they travel. The numbers are stable.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub enum Wrapping {
    /// As they are.
    #[default]
    None = 1,
    /// A ZIP with one file, as many producers of edXML do.
    Zip = 2,
}

impl BusinessKind {
    /// All kinds, in numeric order.
    pub const ALL: [Self; 4] = [Self::New, Self::Recall, Self::Update, Self::Replace];

    /// The field's number, 0 to 3.
    pub const fn number(self) -> u8 {
        self as u8
    }

    /// The kind with a number, `None` when the field has none.
    pub fn from_number(number: u32) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| u32::from(kind.number()) == number)
    }

    /// The Vietnamese name.
    pub const fn name_vi(self) -> &'static str {
        match self {
            Self::New => "mới",
            Self::Recall => "thu hồi",
            Self::Update => "cập nhật",
            Self::Replace => "thay thế",
        }
    }

    /// The English name, as it stands in JSON and configuration.
    pub const fn name_en(self) -> &'static str {
        match self {
            Self::New => "new",
            Self::Recall => "recall",
            Self::Update => "update",
            Self::Replace => "replace",
        }
    }
}

impl Urgency {
    /// All urgencies, least urgent first.
    pub const ALL: [Self; 5] =
        [Self::Normal, Self::Urgent, Self::VeryUrgent, Self::Express, Self::ExpressTimed];

    /// The field's number, 0 to 4.
    pub const fn number(self) -> u8 {
        self as u8
    }

    /// The urgency with a number, `None` when the field has none.
    pub fn from_number(number: u32) -> Option<Self> {
        Self::ALL.into_iter().find(|urgency| u32::from(urgency.number()) == number)
    }

    /// Whether it goes ahead of others in delivery: *hỏa tốc*, with or without an hour.
    pub const fn is_urgent(self) -> bool {
        matches!(self, Self::Express | Self::ExpressTimed)
    }

    /// The Vietnamese name, as it is stamped on the document.
    pub const fn name_vi(self) -> &'static str {
        match self {
            Self::Normal => "thường",
            Self::Urgent => "khẩn",
            Self::VeryUrgent => "thượng khẩn",
            Self::Express => "hỏa tốc",
            Self::ExpressTimed => "hỏa tốc hẹn giờ",
        }
    }

    /// The English name, as it stands in JSON and configuration.
    pub const fn name_en(self) -> &'static str {
        match self {
            Self::Normal => "normal",
            Self::Urgent => "urgent",
            Self::VeryUrgent => "very urgent",
            Self::Express => "express",
            Self::ExpressTimed => "express timed",
        }
    }
}

impl Steering {
    /// All values, in numeric order.
    pub const ALL: [Self; 3] = [Self::None, Self::Steers, Self::Reports];

    /// The field's number, 1 to 3.
    pub const fn number(self) -> u8 {
        self as u8
    }

    /// The value with a number, `None` when the field has none.
    pub fn from_number(number: u32) -> Option<Self> {
        Self::ALL.into_iter().find(|steering| u32::from(steering.number()) == number)
    }
}

impl Wrapping {
    /// All values, in numeric order.
    pub const ALL: [Self; 2] = [Self::None, Self::Zip];

    /// The stable number, 1 or 2.
    pub const fn number(self) -> u8 {
        self as u8
    }

    /// The value with a stable number.
    pub fn from_number(number: u32) -> Option<Self> {
        Self::ALL.into_iter().find(|wrapping| u32::from(wrapping.number()) == number)
    }
}

impl fmt::Display for BusinessKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name_en())
    }
}

impl fmt::Display for Urgency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name_en())
    }
}
