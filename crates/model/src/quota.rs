//! Quotas: how much an agency may send in a day, how large a document may be, and how much may wait
//! for an agency.

use minicbor::{Decode, Encode};

use crate::code::AgencyCode;

/// Bounds of what one agency sends, and of what waits for it; none of them means no bound, but for
/// what waits: there it means [`MAILBOX_WAITING_MAX`](crate::limits::MAILBOX_WAITING_MAX). Journalled: field numbers are
/// stable.
#[derive(Debug, Clone, PartialEq, Eq, Default, Encode, Decode)]
pub struct Quota {
    /// Whose; none: of every agency without one of its own.
    #[n(0)]
    pub agency: Option<AgencyCode>,
    /// Documents in a day (UTC+07:00).
    #[n(1)]
    pub documents_per_day: Option<u64>,
    /// Bytes of contents and attachments in a day.
    #[n(2)]
    pub bytes_per_day: Option<u64>,
    /// Bytes of one document's content and attachments.
    #[n(3)]
    pub document_bytes_max: Option<u64>,
    /// Documents that may wait in its mailbox.
    #[n(4)]
    pub waiting_max: Option<u64>,
}

impl Quota {
    /// Whether a day's use has a bound.
    pub fn is_daily(&self) -> bool {
        self.documents_per_day.is_some() || self.bytes_per_day.is_some()
    }

    /// Whether it bounds nothing.
    pub fn is_empty(&self) -> bool {
        !self.is_daily() && self.document_bytes_max.is_none() && self.waiting_max.is_none()
    }
}
