//! What the hub must show in the end.

use lienthong_model::{AgencyCode, Day, Level, Reason, StatusCode};

use super::Days;

/// One expectation: a measure, of what, and its bounds.
#[derive(Debug, Clone, PartialEq)]
pub struct Expect {
    /// What is measured.
    pub measure: Measure,
    /// Only of a province; none: of all and the centre.
    pub province: Option<AgencyCode>,
    /// Only of a level.
    pub level: Option<Level>,
    /// Only of some days; none: of all.
    pub days: Option<Days>,
    /// For growth: the days that it is compared with.
    pub base: Option<Days>,
    /// For refusals: only with this code.
    pub reason: Option<Reason>,
    /// For reported: which status.
    pub status: Option<StatusCode>,
    /// For times: which percentile, 0 to 1.
    pub percentile: Option<f64>,
    /// What it must be.
    pub bound: Bound,
    /// How it must stand to a target.
    pub target: Option<Target>,
    /// The line of the file that it stands on.
    pub line: usize,
}

impl Expect {
    /// Returns the percentile at which a time is read: the middle, unless it says otherwise.
    pub fn percentile(&self) -> f64 {
        self.percentile.unwrap_or(0.5)
    }
}

/// What a value must be.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Bound {
    /// At least.
    pub at_least: Option<f64>,
    /// At most.
    pub at_most: Option<f64>,
}

impl Bound {
    /// Returns whether a value keeps it.
    pub fn holds(&self, value: f64) -> bool {
        self.at_least.is_none_or(|least| value >= least)
            && self.at_most.is_none_or(|most| value <= most)
    }
}

impl std::fmt::Display for Bound {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match (self.at_least, self.at_most) {
            (Some(least), Some(most)) if least.total_cmp(&most).is_eq() => write!(f, "= {least}"),
            (Some(least), Some(most)) => write!(f, "{least} … {most}"),
            (Some(least), None) => write!(f, "≥ {least}"),
            (None, Some(most)) => write!(f, "≤ {most}"),
            (None, None) => f.write_str("–"),
        }
    }
}

/// What an indicator is to become, by when.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Target {
    /// At least.
    pub value: f64,
    /// The last day for it.
    pub by: Day,
    /// What must be said of it in the end.
    pub standing: Standing,
}

/// How an indicator stands to its target.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// It is reached.
    Met,
    /// It is not reached, the day has not passed, and it will be if it goes on rising so.
    OnCourse,
    /// It was not reached by the day, or will not be.
    Late,
}

impl Standing {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Met, Self::OnCourse, Self::Late];

    /// Returns the name in files.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Met => "met",
            Self::OnCourse => "on-course",
            Self::Late => "late",
        }
    }

    /// Returns what it is called in Vietnamese.
    pub const fn name_vi(self) -> &'static str {
        match self {
            Self::Met => "đạt",
            Self::OnCourse => "đúng tiến độ",
            Self::Late => "chậm",
        }
    }
}

macro_rules! measures {
    ($count:literal: $($(#[$doc:meta])* $measure:ident, $name:literal, $vi:literal;)*) => {
        /// What is measured, from the hub's statistics (S), its records (R), its answers (A), or by
        /// the world that kills it and starts it again (W).
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum Measure {
            $($(#[$doc])* $measure,)*
        }

        impl Measure {
            /// All measures.
            pub const ALL: [Self; $count] = [$(Self::$measure,)*];

            /// Returns the name in files.
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$measure => $name,)*
                }
            }

            /// Returns what it is called in Vietnamese.
            pub const fn name_vi(self) -> &'static str {
                match self {
                    $(Self::$measure => $vi,)*
                }
            }
        }
    };
}

measures! { 29:
    /// S: documents sent, each counted once.
    Sent, "sent", "văn bản gửi";
    /// S: deliveries received.
    Received, "received", "lượt nhận";
    /// S: documents sent with a person's signature / documents sent.
    PersonalSignatureShare, "personal-signature-share", "tỷ lệ ký số cá nhân";
    /// S: deliveries inside a province without a paper copy / all inside.
    FullyElectronicShare, "fully-electronic-share", "tỷ lệ điện tử hoàn toàn trong tỉnh";
    /// S: levels at which something was sent and something received.
    LevelsConnected, "levels-connected", "số cấp liên thông";
    /// S: documents sent in the days / documents sent in the base days.
    Growth, "growth", "tăng trưởng";
    /// S: refusals by the hub.
    Refusals, "refusals", "lượt bị từ chối";
    /// R: deliveries with 03 and at least one of 04, 05, 06 / deliveries.
    ProcessedShare, "processed-share", "tỷ lệ xử lý điện tử";
    /// R: deliveries with 06 / deliveries.
    FinishedShare, "finished-share", "tỷ lệ hoàn thành";
    /// R: deliveries with a status / deliveries.
    ReportedShare, "reported-share", "tỷ lệ có trạng thái";
    /// R: deliveries with 06 before the due date / those with a due date.
    OnTimeShare, "on-time-share", "tỷ lệ đúng hạn";
    /// R: deliveries whose due date passed before 06.
    Overdue, "overdue", "lượt quá hạn";
    /// R: deliveries that are not acknowledged.
    Waiting, "waiting", "lượt đang chờ";
    /// R: deliveries that were pushed more than once.
    Redelivered, "redelivered", "lượt phát lại";
    /// R: deliveries acknowledged more than an hour after the hub accepted the document.
    Late, "late", "lượt phát chậm";
    /// R: minutes from acceptance until acknowledgement, at a percentile.
    DeliveryMinutes, "delivery-minutes", "số phút phát";
    /// R: hours from acceptance until 03, at a percentile.
    AcceptedHours, "accepted-hours", "số giờ đến khi tiếp nhận";
    /// R: hours from acceptance until 06, at a percentile.
    FinishedHours, "finished-hours", "số giờ đến khi hoàn thành";
    /// R: documents that answer another one.
    Replies, "replies", "văn bản trả lời";
    /// R: deliveries that were taken back.
    TakenBack, "taken-back", "lượt thu hồi";
    /// R: deliveries that another document updates.
    Updated, "updated", "lượt cập nhật";
    /// R: deliveries that another document replaces.
    Replaced, "replaced", "lượt thay thế";
    /// R: deliveries with 15 / deliveries with 15 or 16.
    ChangeAgreedShare, "change-agreed-share", "tỷ lệ đồng ý thay đổi";
    /// R: documents whose revocation was not proven at acceptance.
    Unproven, "unproven", "văn bản chưa xác minh thu hồi";
    /// R: documents accepted after a later one of the same sender.
    Overtaken, "overtaken", "văn bản bị vượt";
    /// A: receipts of documents that the hub gave again for the same content.
    RepeatedReceipts, "repeated-receipts", "biên nhận cấp lại";
    /// A: uploads that went on where they were cut.
    ResumedUploads, "resumed-uploads", "lượt tải tiếp";
    /// W: blocks that were being written when the hub was killed, and are gone.
    LostBlocks, "lost-blocks", "khối chưa ghi kịp";
    /// W: starts of the hub after it was killed, each by a replay of its journal.
    HubRestarts, "hub-restarts", "số lần trục khởi động lại";
}

impl Measure {
    /// Returns whether it is told by the hub's answers or the world: of no province, level or day.
    pub const fn is_of_answers(self) -> bool {
        matches!(
            self,
            Self::RepeatedReceipts | Self::ResumedUploads | Self::LostBlocks | Self::HubRestarts
        )
    }

    /// Returns whether it is a time, read at a percentile.
    pub const fn is_a_time(self) -> bool {
        matches!(self, Self::DeliveryMinutes | Self::AcceptedHours | Self::FinishedHours)
    }

    /// Returns whether it is a share of 1, of which a target can be set.
    pub const fn is_a_share(self) -> bool {
        matches!(
            self,
            Self::PersonalSignatureShare
                | Self::FullyElectronicShare
                | Self::ProcessedShare
                | Self::FinishedShare
                | Self::ReportedShare
                | Self::OnTimeShare
                | Self::ChangeAgreedShare
        )
    }
}
