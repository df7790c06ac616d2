//! What the hub must show in the end.

use lienthong_model::{AgencyCode, Level, Reason, StatusCode};

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
    /// What it must be.
    pub bound: Bound,
    /// The line of the file that it stands on.
    pub line: usize,
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

/// What is measured, from the hub's statistics (S), its records (R), or its answers (A).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Measure {
    /// S: documents sent, each counted once.
    Sent,
    /// S: deliveries received.
    Received,
    /// S: documents sent with a person's signature / documents sent.
    PersonalSignatureShare,
    /// S: deliveries inside a province without a paper copy / all inside.
    FullyElectronicShare,
    /// S: levels at which something was sent and something received.
    LevelsConnected,
    /// S: documents sent in the days / documents sent in the base days.
    Growth,
    /// S: refusals by the hub.
    Refusals,
    /// R: deliveries with 03 and at least one of 04, 05, 06 / deliveries.
    ProcessedShare,
    /// R: deliveries with 06 / deliveries.
    FinishedShare,
    /// R: deliveries with a status / deliveries.
    ReportedShare,
    /// R: deliveries that are not acknowledged.
    Waiting,
    /// R: deliveries that were pushed more than once.
    Redelivered,
    /// R: deliveries acknowledged more than an hour after the hub accepted the document.
    Late,
    /// A: receipts that the hub gave again for the same content.
    RepeatedReceipts,
    /// A: starts of the hub after it was killed, each by a replay of its journal.
    HubRestarts,
}

impl Measure {
    /// All measures.
    pub const ALL: [Self; 15] = [
        Self::Sent,
        Self::Received,
        Self::PersonalSignatureShare,
        Self::FullyElectronicShare,
        Self::LevelsConnected,
        Self::Growth,
        Self::Refusals,
        Self::ProcessedShare,
        Self::FinishedShare,
        Self::ReportedShare,
        Self::Waiting,
        Self::Redelivered,
        Self::Late,
        Self::RepeatedReceipts,
        Self::HubRestarts,
    ];

    /// Returns the name in files.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Sent => "sent",
            Self::Received => "received",
            Self::PersonalSignatureShare => "personal-signature-share",
            Self::FullyElectronicShare => "fully-electronic-share",
            Self::LevelsConnected => "levels-connected",
            Self::Growth => "growth",
            Self::Refusals => "refusals",
            Self::ProcessedShare => "processed-share",
            Self::FinishedShare => "finished-share",
            Self::ReportedShare => "reported-share",
            Self::Waiting => "waiting",
            Self::Redelivered => "redelivered",
            Self::Late => "late",
            Self::RepeatedReceipts => "repeated-receipts",
            Self::HubRestarts => "hub-restarts",
        }
    }

    /// Returns what it is called in Vietnamese.
    pub const fn name_vi(self) -> &'static str {
        match self {
            Self::Sent => "văn bản gửi",
            Self::Received => "lượt nhận",
            Self::PersonalSignatureShare => "tỷ lệ ký số cá nhân",
            Self::FullyElectronicShare => "tỷ lệ điện tử hoàn toàn trong tỉnh",
            Self::LevelsConnected => "số cấp liên thông",
            Self::Growth => "tăng trưởng",
            Self::Refusals => "lượt bị từ chối",
            Self::ProcessedShare => "tỷ lệ xử lý điện tử",
            Self::FinishedShare => "tỷ lệ hoàn thành",
            Self::ReportedShare => "tỷ lệ có trạng thái",
            Self::Waiting => "lượt đang chờ",
            Self::Redelivered => "lượt phát lại",
            Self::Late => "lượt phát chậm",
            Self::RepeatedReceipts => "biên nhận cấp lại",
            Self::HubRestarts => "số lần trục khởi động lại",
        }
    }
}
