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
    /// The other end: only messages about documents exchanged with these.
    pub with: Area,
    /// Share of the messages that it hits.
    pub share: f64,
    /// The first moment.
    pub from: Timestamp,
    /// The first moment after it.
    pub until: Timestamp,
    /// Seconds by which something is late, from and to.
    pub delay_seconds: (f64, f64),
    /// Minutes by which a clock is ahead; negative: behind.
    pub clock_minutes: i32,
    /// The line of the file that it stands on.
    pub line: usize,
}

macro_rules! kinds {
    ($($(#[$doc:meta])* $kind:ident, $name:literal, $vi:literal;)*) => {
        /// What goes wrong.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
        pub enum FaultKind {
            $($(#[$doc])* $kind,)*
        }

        impl FaultKind {
            /// All kinds.
            pub const ALL: [Self; 15] = [$(Self::$kind,)*];

            /// Returns the name in files.
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$kind => $name,)*
                }
            }

            /// Returns what it is called in Vietnamese.
            pub const fn name_vi(self) -> &'static str {
                match self {
                    $(Self::$kind => $vi,)*
                }
            }
        }
    };
}

kinds! {
    /// A node's acknowledgement does not reach the hub; the node connects anew after a minute.
    AcknowledgementLost, "acknowledgement-lost", "mất xác nhận đã nhận";
    /// Messages to and from a node are late.
    Delay, "delay", "đường truyền chậm";
    /// A node submits a document again, the same bytes, though it has the receipt.
    DuplicateSubmission, "duplicate-submission", "gửi lặp";
    /// A document is overtaken by the next one of its sender.
    Reorder, "reorder", "đến sai thứ tự";
    /// The connection is cut while an attachment is uploaded; the node goes on after a minute.
    UploadCut, "upload-cut", "đứt kết nối khi đang tải tệp";
    /// The content is changed on its way; the node submits the right one after the refusal.
    ContentChanged, "content-changed", "nội dung bị sửa";
    /// A document is signed with another agency's certificate.
    CertificateWrong, "certificate-wrong", "ký bằng chứng thư của cơ quan khác";
    /// A person signs with a certificate that has expired.
    CertificateExpired, "certificate-expired", "chứng thư hết hạn";
    /// The person's certificate is revoked at the beginning; a new one is in use at the end.
    CertificateRevoked, "certificate-revoked", "chứng thư bị thu hồi";
    /// A node's clock is off when it writes.
    ClockOff, "clock-off", "đồng hồ sai";
    /// A node takes long to acknowledge.
    SlowReader, "slow-reader", "nút nhận chậm";
    /// A node is off.
    NodeOff, "node-off", "nút ngừng hoạt động";
    /// The hub is killed while it writes a block, loses what was not synced, and starts at the end.
    HubKilled, "hub-killed", "trục bị dừng đột ngột và khởi động lại";
    /// The hub's disk is nearly full: nothing new is taken in, all else goes on.
    DiskFull, "disk-full", "đĩa của trục gần đầy";
    /// The issuing authority's revocation list is out of date until the end.
    RevocationListLate, "revocation-list-late", "danh sách thu hồi đến chậm";
}

impl FaultKind {
    /// Returns whether it is the hub's or the authority's own: nobody's node is named for it.
    pub const fn is_the_hubs(self) -> bool {
        matches!(self, Self::HubKilled | Self::DiskFull | Self::RevocationListLate)
    }
}
