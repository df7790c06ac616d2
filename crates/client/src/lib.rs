//! The SDK for agencies' systems: hands signed documents to a hub, receives one's own, verifies
//! them, reports what was done.
//!
//! ```text
//!  Endpoint ─▶ Client::connect ─▶ Client ─┬─ submit, report            one at a time
//!   address    (mTLS, hub's clock)        ├─ submissions, reports      many in flight
//!   identity                              ├─ subscribe, pull           receive, acknowledge
//!                                         ├─ subscribe_to_notices …    learn what others did
//!                                         ├─ upload, download          large attachments
//!   roots                                 ├─ track, explain, agency …  ask
//!                                         └─ administration            change what judgement reads
//! ```
//! Whatever changes something is retried with the same id and the same bytes, so that a retry never
//! makes a second document. Signing and verifying are done here, from the bytes; nothing here
//! judges for the hub, keeps anything on disk, or makes keys. A delivery is on nobody's disk before
//! the caller has put it there: acknowledge it then, not before.

// Bytes from outside must never lead to a panic: whoever wants one writes why it cannot happen.
#![cfg_attr(not(test), warn(clippy::unwrap_used, clippy::expect_used, clippy::panic))]

mod administration;
mod change;
mod check;
mod client;
mod clock;
mod delivery;
mod dial;
mod directory;
mod endpoint;
mod error;
mod evidence;
mod fault;
mod identity;
mod indicators;
mod lists;
mod notice;
mod read;
mod receipt;
mod recount;
mod retry;
mod shown;
mod signer;
mod statistics;
mod stream;
mod submit;
mod subscription;
mod track;
mod tracking;
mod transfer;
mod trust;
mod unreachable;
mod volumes;

pub use administration::Administration;
pub use change::{
    ActsOn, ChangeMessage, ChangeOutcome, DeliveryMark, DocumentMention, NegativeAcknowledgements,
};
pub use check::{Checked, DocumentCheck, DocumentCheckError, SenderPolicy};
pub use client::Client;
pub use clock::{ClockSource, HubClock};
pub use delivery::{Delivery, DeliveryKey, NegativeAcknowledgement};
pub use directory::{AgencyFilter, RouteExplanation, RouteQuestion};
pub use endpoint::{Endpoint, EndpointError};
pub use error::{CallError, ConnectError, Setback};
pub use evidence::{ConsistencyProof, LogProof, NewestCheckpoint, ProvenLeaf, Unproven};
pub use identity::{Identity, IdentityError, Roots, RootsError};
pub use indicators::{
    IndicatorFigure, PlaceIndicators, RefusalExample, Share, TargetHolder, TargetProgress,
};
pub use lienthong_wire::Language;
pub use lists::{ListToSave, RecipientList, ResolvedList, SavedBy};
pub use notice::{
    Notice, NoticeCause, NoticeKey, NoticeKind, NoticeSubscription, NoticesAcknowledged,
    ReportedStatus,
};
pub use receipt::{LeftOut, Receipt, RecipientRoute, Route, StatusReceipt};
pub use recount::{RecountDifference, Recounted};
pub use retry::Retry;
pub use signer::{Signer, SignerError, sign, sign_document, sign_report};
pub use statistics::{
    AgencyBacklog, Answer, Backlog, BacklogFilter, Bucket, Comparison, Dimension, GroupValue,
    LiveAnswers, Measure, Period, Question, Row,
};
pub use stream::{Reports, Submissions};
pub use subscription::{Acknowledger, Subscription, SubscriptionOptions};
pub use track::{TrackedDelivery, TrackedDocument, TrackedStatus};
pub use tracking::{
    Enough, ExplainedEvent, Explanation, ProgressCounts, ProgressGoal, RecipientProgress, Stage,
    Text, Thread, ThreadDocument, Wait, Waited, WaitingDocument, WaitingDocuments,
};
pub use transfer::{AttachmentPlace, FileDigest, TransferError};
pub use trust::{KnownAuthority, RevocationListSummary, Trust};
pub use unreachable::{Cause, Step, Unreachable, Words};
pub use volumes::{
    FlowCell, LevelVolume, ProvinceRefusals, ProvinceVolume, RefusalCount, Refusals, TotalVolume,
    Volumes,
};

/// Reads Document v1 and Status v1 for a verifier: whoever checks signatures without a hub needs it.
pub use lienthong_wire::DocumentContents;

/// Why a document or report was not accepted; the same as for every other call.
pub type SubmitError = CallError;

#[cfg(test)]
mod tests;
