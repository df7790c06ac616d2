//! What goes wrong on purpose.

use lienthong_model::Timestamp;

use super::Area;

/// A fault, where and when.
#[derive(Debug, Clone, PartialEq)]
pub struct Fault {
    /// What goes wrong.
    pub kind: FaultKind,
    /// For whom; the hub's own faults concern everybody.
    pub area: Area,
    /// Share of the messages that it hits.
    pub share: f64,
    /// The first moment.
    pub from: Timestamp,
    /// The first moment after it.
    pub until: Timestamp,
    /// The line of the file that it stands on.
    pub line: usize,
}

/// What goes wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FaultKind {
    /// A node's acknowledgement does not reach the hub; the node connects anew after a minute.
    AcknowledgementLost,
    /// A node submits a document again, the same bytes, though it has the receipt.
    DuplicateSubmission,
    /// A node is off.
    NodeOff,
    /// The person's certificate is revoked at the beginning; a new one is in use at the end.
    CertificateRevoked,
    /// A person signs with a certificate that has expired.
    CertificateExpired,
    /// The content is changed on its way; the node submits the right one after the refusal.
    ContentChanged,
    /// The hub is killed, loses all but its journal, and starts at the end.
    HubKilled,
}

impl FaultKind {
    /// All kinds.
    pub const ALL: [Self; 7] = [
        Self::AcknowledgementLost,
        Self::DuplicateSubmission,
        Self::NodeOff,
        Self::CertificateRevoked,
        Self::CertificateExpired,
        Self::ContentChanged,
        Self::HubKilled,
    ];

    /// Returns the name in files.
    pub const fn name(self) -> &'static str {
        match self {
            Self::AcknowledgementLost => "acknowledgement-lost",
            Self::DuplicateSubmission => "duplicate-submission",
            Self::NodeOff => "node-off",
            Self::CertificateRevoked => "certificate-revoked",
            Self::CertificateExpired => "certificate-expired",
            Self::ContentChanged => "content-changed",
            Self::HubKilled => "hub-killed",
        }
    }

    /// Returns what it is called in Vietnamese.
    pub const fn name_vi(self) -> &'static str {
        match self {
            Self::AcknowledgementLost => "mất xác nhận đã nhận",
            Self::DuplicateSubmission => "gửi lặp",
            Self::NodeOff => "nút ngừng hoạt động",
            Self::CertificateRevoked => "chứng thư bị thu hồi",
            Self::CertificateExpired => "chứng thư hết hạn",
            Self::ContentChanged => "nội dung bị sửa",
            Self::HubKilled => "trục bị dừng đột ngột và khởi động lại",
        }
    }
}
