//! The words of a question: what is counted, and by what it can be cut.

use super::figures::{Figure, Until};

macro_rules! numbered {
    ($(#[$doc:meta])* $type:ident { $($(#[$vdoc:meta])* $variant:ident = $number:literal, $name:literal, $vi:literal, $en:literal;)+ }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum $type { $($(#[$vdoc])* $variant = $number,)+ }

        impl $type {
            /// All values, in the order of their numbers.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];
            /// Returns the stable number.
            pub const fn number(self) -> u8 { self as u8 }
            /// Returns the value with a stable number.
            pub fn from_number(number: u8) -> Option<Self> {
                Self::ALL.iter().copied().find(|value| value.number() == number)
            }
            /// Returns the name in JSON and on the command line.
            pub const fn name(self) -> &'static str { match self { $(Self::$variant => $name),+ } }
            /// Returns the value with a name.
            pub fn from_name(name: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|value| value.name() == name)
            }
            /// Returns the Vietnamese name.
            pub const fn name_vi(self) -> &'static str { match self { $(Self::$variant => $vi),+ } }
            /// Returns the English name.
            pub const fn name_en(self) -> &'static str { match self { $(Self::$variant => $en),+ } }
        }

        impl std::fmt::Display for $type {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result { f.pad(self.name()) }
        }
    };
}

numbered! {
    /// What figures can be grouped and filtered by. Numbers are stable.
    Dimension {
        /// The province of the agency whose figures they are; of exchange: the sender's.
        Province = 1, "province", "địa phương", "province";
        /// The region of that province.
        Region = 2, "region", "vùng", "region";
        /// The agency's level; of exchange: the sender's.
        Level = 3, "level", "cấp", "level";
        /// The agency.
        Agency = 4, "agency", "cơ quan", "agency";
        /// The type of the document.
        DocumentType = 5, "type", "loại văn bản", "type";
        /// Sent or received.
        Direction = 6, "direction", "chiều", "direction";
        /// How sender and recipient lie to each other.
        Scope = 7, "scope", "phạm vi", "scope";
        /// Which signatures count.
        Signature = 8, "signature", "chữ ký", "signature";
        /// Whether a paper copy follows.
        PaperCopy = 9, "paper", "bản giấy", "paper copy";
        /// Of exchange: the recipient's province.
        PartnerProvince = 10, "to-province", "địa phương nhận", "to province";
        /// Of exchange: the region of the recipient's province.
        PartnerRegion = 11, "to-region", "vùng nhận", "to region";
        /// Of exchange: the recipient's level.
        PartnerLevel = 12, "to-level", "cấp nhận", "to level";
        /// Why something was refused by the hub.
        Reason = 13, "reason", "lý do", "reason";
    }
}

numbered! {
    /// What is counted. Numbers are stable.
    Measure {
        /// Documents sent (each once) and deliveries received: tell them apart by direction.
        Documents = 1, "documents", "văn bản", "documents";
        /// Their pages.
        Pages = 2, "pages", "trang", "pages";
        /// Deliveries between places.
        Deliveries = 3, "deliveries", "lượt phát", "deliveries";
        /// Bytes of their content and attachments.
        Bytes = 4, "bytes", "byte", "bytes";
        /// Deliveries made.
        Delivered = 5, "delivered", "đã chuyển", "delivered";
        /// Deliveries that the recipient's node has on its own disk.
        Acknowledged = 6, "acknowledged", "đã nhận", "acknowledged";
        /// Deliveries taken back or replaced before they were picked up.
        TakenBack = 7, "taken-back", "lấy lại", "taken back";
        /// 03.
        Accepted = 8, "accepted", "đã tiếp nhận", "accepted";
        /// 02.
        Refused = 9, "refused", "bị từ chối", "refused";
        /// 03 and at least one of 04, 05, 06.
        Processed = 10, "processed", "xử lý điện tử", "processed";
        /// 06.
        Finished = 11, "finished", "hoàn thành", "finished";
        /// Deliveries with a due date.
        WithDueDate = 12, "with-due-date", "có hạn", "with due date";
        /// Finished by the due date.
        OnTime = 13, "on-time", "đúng hạn", "on time";
        /// Not ended when the due date passed.
        Overdue = 14, "overdue", "quá hạn", "overdue";
        /// Requests refused by the hub.
        Refusals = 15, "refusals", "lượt bị từ chối", "refusals";
        /// Milliseconds within which half arrived on the recipient's disk.
        ArriveHalf = 20, "arrive-p50", "đến, 50 %", "arrive, 50 %";
        /// Milliseconds within which 90 % did.
        ArriveMost = 21, "arrive-p90", "đến, 90 %", "arrive, 90 %";
        /// Milliseconds within which 99 % did.
        ArriveAll = 22, "arrive-p99", "đến, 99 %", "arrive, 99 %";
        /// Milliseconds within which half were accepted, of those that were.
        AcceptHalf = 23, "accept-p50", "tiếp nhận, 50 %", "accept, 50 %";
        /// Milliseconds within which 90 % were.
        AcceptMost = 24, "accept-p90", "tiếp nhận, 90 %", "accept, 90 %";
        /// Milliseconds within which 99 % were.
        AcceptAll = 25, "accept-p99", "tiếp nhận, 99 %", "accept, 99 %";
        /// Milliseconds within which half were finished, of those that were.
        FinishHalf = 26, "finish-p50", "hoàn thành, 50 %", "finish, 50 %";
        /// Milliseconds within which 90 % were.
        FinishMost = 27, "finish-p90", "hoàn thành, 90 %", "finish, 90 %";
        /// Milliseconds within which 99 % were.
        FinishAll = 28, "finish-p99", "hoàn thành, 99 %", "finish, 99 %";
    }
}

/// What measures are asked of together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Family {
    /// Documents by what they are.
    Documents,
    /// Deliveries between places.
    Exchange,
    /// How far deliveries came, by the day on which they were made.
    Progress,
    /// What the hub refused.
    Refusals,
}

impl Measure {
    /// Returns what it is asked together with.
    pub fn family(self) -> Family {
        match self {
            Self::Documents | Self::Pages => Family::Documents,
            Self::Deliveries | Self::Bytes => Family::Exchange,
            Self::Refusals => Family::Refusals,
            Self::Delivered
            | Self::Acknowledged
            | Self::TakenBack
            | Self::Accepted
            | Self::Refused
            | Self::Processed
            | Self::Finished
            | Self::WithDueDate
            | Self::OnTime
            | Self::Overdue
            | Self::ArriveHalf
            | Self::ArriveMost
            | Self::ArriveAll
            | Self::AcceptHalf
            | Self::AcceptMost
            | Self::AcceptAll
            | Self::FinishHalf
            | Self::FinishMost
            | Self::FinishAll => Family::Progress,
        }
    }

    /// Returns, for a measure of time, until what and the share in per cent.
    pub fn percentile(self) -> Option<(Until, u64)> {
        Some(match self {
            Self::ArriveHalf => (Until::Arrived, 50),
            Self::ArriveMost => (Until::Arrived, 90),
            Self::ArriveAll => (Until::Arrived, 99),
            Self::AcceptHalf => (Until::Accepted, 50),
            Self::AcceptMost => (Until::Accepted, 90),
            Self::AcceptAll => (Until::Accepted, 99),
            Self::FinishHalf => (Until::Finished, 50),
            Self::FinishMost => (Until::Finished, 90),
            Self::FinishAll => (Until::Finished, 99),
            _ => return None,
        })
    }

    /// The figure that it is, for a count of progress.
    pub(super) fn figure(self) -> Option<Figure> {
        Some(match self {
            Self::Delivered => Figure::DELIVERED,
            Self::Acknowledged => Figure::ACKNOWLEDGED,
            Self::TakenBack => Figure::TAKEN_BACK,
            Self::Accepted => Figure::ACCEPTED,
            Self::Refused => Figure::REFUSED,
            Self::Processed => Figure::PROCESSED,
            Self::Finished => Figure::FINISHED,
            Self::WithDueDate => Figure::WITH_DUE_DATE,
            Self::OnTime => Figure::ON_TIME,
            Self::Overdue => Figure::OVERDUE,
            _ => return None,
        })
    }
}
