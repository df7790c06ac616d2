//! Status reports: what a recipient did with a document, and what its sender asks back.

use std::fmt;

use minicbor::{Decode, Encode};

use crate::code::AgencyCode;
use crate::document::{Correspondent, Extension, Staff, Written};
use crate::header::StatusHeader;
use crate::ids::MessageId;
use crate::time::Timestamp;

/// What is reported. The numbers are the field's (`StatusCode` of edXML); 07-12 and 14 have not
/// been seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Encode, Decode)]
#[cbor(index_only)]
pub enum StatusCode {
    /// 01 *đã đến*: arrived; the clerk has not handled it.
    #[n(1)]
    Arrived = 1,
    /// 02 *từ chối tiếp nhận*: refused, with a reason.
    #[n(2)]
    Refused = 2,
    /// 03 *đã tiếp nhận*: accepted and registered.
    #[n(3)]
    Accepted = 3,
    /// 04 *phân công*: assigned.
    #[n(4)]
    Assigned = 4,
    /// 05 *đang xử lý*: being processed; may be repeated.
    #[n(5)]
    Processing = 5,
    /// 06 *hoàn thành*: finished.
    #[n(6)]
    Finished = 6,
    /// 13 *yêu cầu lấy lại*: the sender asks to take it back, with a reason.
    #[n(13)]
    RecallRequested = 13,
    /// 15 *đồng ý cập nhật / lấy lại*: change agreed.
    #[n(15)]
    ChangeAgreed = 15,
    /// 16 *từ chối cập nhật / lấy lại*: change refused, with a reason.
    #[n(16)]
    ChangeRefused = 16,
}

impl StatusCode {
    /// All codes, in numeric order.
    pub const ALL: [StatusCode; 9] = [
        StatusCode::Arrived,
        StatusCode::Refused,
        StatusCode::Accepted,
        StatusCode::Assigned,
        StatusCode::Processing,
        StatusCode::Finished,
        StatusCode::RecallRequested,
        StatusCode::ChangeAgreed,
        StatusCode::ChangeRefused,
    ];

    /// The field's number.
    pub const fn number(self) -> u8 {
        self as u8
    }

    /// The code with a number, `None` when the field has none.
    pub fn from_number(number: u32) -> Option<Self> {
        Self::ALL.into_iter().find(|code| u32::from(code.number()) == number)
    }

    /// Whether a report with this code must give a reason.
    pub const fn needs_reason(self) -> bool {
        matches!(self, Self::Refused | Self::RecallRequested | Self::ChangeRefused)
    }

    /// Whether the recipient reports it; otherwise the original sender does.
    pub const fn by_recipient(self) -> bool {
        !matches!(self, Self::RecallRequested)
    }

    /// The Vietnamese name.
    pub const fn name_vi(self) -> &'static str {
        match self {
            Self::Arrived => "đã đến",
            Self::Refused => "từ chối tiếp nhận",
            Self::Accepted => "đã tiếp nhận",
            Self::Assigned => "phân công",
            Self::Processing => "đang xử lý",
            Self::Finished => "hoàn thành",
            Self::RecallRequested => "yêu cầu lấy lại",
            Self::ChangeAgreed => "đồng ý cập nhật / lấy lại",
            Self::ChangeRefused => "từ chối cập nhật / lấy lại",
        }
    }

    /// The English name.
    pub const fn name_en(self) -> &'static str {
        match self {
            Self::Arrived => "arrived",
            Self::Refused => "refused",
            Self::Accepted => "accepted",
            Self::Assigned => "assigned",
            Self::Processing => "being processed",
            Self::Finished => "finished",
            Self::RecallRequested => "recall requested",
            Self::ChangeAgreed => "change agreed",
            Self::ChangeRefused => "change refused",
        }
    }
}

impl fmt::Display for StatusCode {
    /// Two digits, as the field writes it: `01`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:02}", self.number())
    }
}

/// A status report as its maker signs it (Status v1). As final as a document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StatusReport {
    /// Identity of the report, made by the reporter.
    pub id: MessageId,
    /// The reporting agency.
    pub from: Correspondent,
    /// The message acted on.
    pub document: MessageId,
    /// What it answers: whose message, and which document that carried.
    pub answers: AnsweredMessage,
    /// What is reported.
    pub code: StatusCode,
    /// Why, or what is being done. Mandatory for 02, 13 and 16.
    pub reason: String,
    /// For 13: the recipients meant; none means all.
    pub recipients: Vec<AgencyCode>,
    /// Who is in charge of it.
    pub staff: Staff,
    /// The time of the report, as written.
    pub time: Written<Timestamp>,
    /// When the signer says it was signed.
    pub signed_at: Timestamp,
    /// Whatever more a source has.
    pub extensions: Vec<Extension>,
}

/// What a report answers (`ResponseFor` of edXML). Unlike a document's answers it must name the
/// agency: message ids are unique together with their sender.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AnsweredMessage {
    /// The sender of the message acted on.
    pub code: AgencyCode,
    /// The code exactly as a source wrote it, when that differs; empty otherwise.
    pub code_as_written: String,
    /// Number and notation of its document as written.
    pub document_code: String,
    /// The reference of its document as written.
    pub reference: String,
    /// The day of issue of its document.
    pub date: Written<Timestamp>,
}

impl AnsweredMessage {
    /// A message by its sender alone.
    pub fn of(code: AgencyCode) -> Self {
        Self {
            code,
            code_as_written: String::new(),
            document_code: String::new(),
            reference: String::new(),
            date: Written::default(),
        }
    }
}

impl StatusReport {
    /// A report on the message `document` of `sender`, signed at the moment that its own id
    /// carries, everything else empty.
    pub fn new(
        id: MessageId,
        from: impl Into<Correspondent>,
        (sender, document): (AgencyCode, MessageId),
        code: StatusCode,
    ) -> Self {
        Self {
            id,
            from: from.into(),
            document,
            answers: AnsweredMessage::of(sender),
            code,
            reason: String::new(),
            recipients: Vec::new(),
            staff: Staff::default(),
            time: Written::default(),
            signed_at: id.time(),
            extensions: Vec::new(),
        }
    }

    /// The same report with a reason.
    pub fn because(mut self, reason: impl Into<String>) -> Self {
        self.reason = reason.into();
        self
    }

    /// What judgement reads of the report.
    pub fn header(&self) -> StatusHeader {
        StatusHeader {
            id: self.id,
            from: self.from.code.clone(),
            document_sender: self.answers.code.clone(),
            document: self.document,
            code: self.code,
            reason: self.reason.clone(),
            recipients: self.recipients.clone(),
            signed_at: self.signed_at,
        }
    }
}
