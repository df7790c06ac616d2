//! Notices: what the hub tells an agency beside documents.

use std::convert::Infallible;
use std::fmt;

use lienthong_model::limits::PULL_MAX;
use lienthong_model::{AgencyCode, MessageId, Position, SignedContent, StatusCode, Timestamp};
use lienthong_wire::proto::{
    self, subscribe_notices_request as asked, subscribe_notices_response as said,
};
use lienthong_wire::signed;
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Status, Streaming};

use crate::client::Client;
use crate::error::CallError;
use crate::read;
use crate::subscription::{Feed, Heard, Subscription, SubscriptionOptions};

/// Notices of some agencies as they come.
pub type NoticeSubscription = Subscription<Notice>;

/// Names a notice.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct NoticeKey {
    /// The agency that is told, as the hub writes its code.
    pub agency: AgencyCode,
    /// The number, from 1; rises, with gaps.
    pub number: u64,
}

/// Something that an agency is told. At least once: the same key may come again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notice {
    /// Which notice it is.
    pub key: NoticeKey,
    /// What is told.
    pub kind: NoticeKind,
    /// When it was decided, in business time.
    pub at: Timestamp,
    /// Which attempt this is, from 1.
    pub attempt: u32,
    /// The sender of the document that it is about.
    pub sender: AgencyCode,
    /// The id of that document's message.
    pub document: MessageId,
    /// The place of that document in the hub's log.
    pub position: Position,
    /// The recipient whose delivery it is about.
    pub recipient: AgencyCode,
    /// The report or document that it follows from; `None` when time alone brought it.
    pub cause: Option<NoticeCause>,
}

/// The report or document that a notice follows from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NoticeCause {
    /// Its id.
    pub id: MessageId,
    /// Its place in the hub's log.
    pub position: Position,
    /// The reason given; at most 200 characters, the report has all of it.
    pub reason: String,
    /// What was reported; `None` when it is a document, which is delivered by itself.
    pub report: Option<ReportedStatus>,
}

/// A status report as the hub tells of it.
///
/// Nothing in it is proven until [`DocumentCheck::check_report`] has said so.
///
/// [`DocumentCheck::check_report`]: crate::DocumentCheck::check_report
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReportedStatus {
    /// What was reported, as the hub says.
    pub code: StatusCode,
    /// The report, byte for byte as it was signed.
    pub signed: SignedContent,
}

/// What is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum NoticeKind {
    /// To the sender: a recipient reported on its delivery.
    Reported,
    /// To a recipient that has the document: its sender asks to take it back.
    RecallRequested,
    /// To a recipient that has the document: its sender asks to update it.
    UpdateRequested,
    /// To a recipient that has the document: its sender asks to replace it.
    ReplacementRequested,
    /// To a recipient that had not acknowledged the document: it was taken back.
    Withdrawn,
    /// To a recipient that had not acknowledged the document: it is updated by another.
    Updated,
    /// To a recipient that had not acknowledged the document: it is replaced by another.
    Replaced,
    /// To the sender: recipients have not picked the document up in time.
    Undelivered,
    /// To the sender: recipients have neither accepted nor refused it in time.
    Unanswered,
    /// To the sender: recipients have not finished it by its due date.
    Overdue,
    /// To the sender: recipients did not have it at the hour to deliver it by.
    DeliverByMissed,
    /// To a recipient that has not finished it: its due date is over.
    OverdueHere,
    /// To a recipient that lags: its sender reminds it.
    Reminder,
    /// Something that this version does not know, by its number.
    Other(i32),
}

/// What an acknowledgement of notices did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NoticesAcknowledged {
    /// How many notices of those named had waited.
    pub acknowledged: usize,
}

impl NoticeKind {
    /// The name in JSON and in English.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Reported => "reported",
            Self::RecallRequested => "recall requested",
            Self::UpdateRequested => "update requested",
            Self::ReplacementRequested => "replacement requested",
            Self::Withdrawn => "withdrawn",
            Self::Updated => "updated",
            Self::Replaced => "replaced",
            Self::Undelivered => "undelivered",
            Self::Unanswered => "unanswered",
            Self::Overdue => "overdue",
            Self::DeliverByMissed => "deliver-by missed",
            Self::OverdueHere => "overdue here",
            Self::Reminder => "reminder",
            Self::Other(_) => "other",
        }
    }

    /// The Vietnamese name.
    pub const fn name_vi(self) -> &'static str {
        match self {
            Self::Reported => "báo trạng thái",
            Self::RecallRequested => "yêu cầu lấy lại",
            Self::UpdateRequested => "yêu cầu cập nhật",
            Self::ReplacementRequested => "yêu cầu thay thế",
            Self::Withdrawn => "đã rút",
            Self::Updated => "đã cập nhật",
            Self::Replaced => "đã thay thế",
            Self::Undelivered => "chưa được nhận",
            Self::Unanswered => "chưa được tiếp nhận hoặc từ chối",
            Self::Overdue => "quá hạn xử lý",
            Self::DeliverByMissed => "quá giờ hẹn giao",
            Self::OverdueHere => "đã quá hạn",
            Self::Reminder => "nhắc",
            Self::Other(_) => "khác",
        }
    }

    fn read(number: i32) -> Self {
        match proto::NoticeKind::try_from(number) {
            Ok(proto::NoticeKind::Reported) => Self::Reported,
            Ok(proto::NoticeKind::RecallRequested) => Self::RecallRequested,
            Ok(proto::NoticeKind::UpdateRequested) => Self::UpdateRequested,
            Ok(proto::NoticeKind::ReplacementRequested) => Self::ReplacementRequested,
            Ok(proto::NoticeKind::Withdrawn) => Self::Withdrawn,
            Ok(proto::NoticeKind::Updated) => Self::Updated,
            Ok(proto::NoticeKind::Replaced) => Self::Replaced,
            Ok(proto::NoticeKind::Undelivered) => Self::Undelivered,
            Ok(proto::NoticeKind::Unanswered) => Self::Unanswered,
            Ok(proto::NoticeKind::Overdue) => Self::Overdue,
            Ok(proto::NoticeKind::DeliverByMissed) => Self::DeliverByMissed,
            Ok(proto::NoticeKind::OverdueHere) => Self::OverdueHere,
            Ok(proto::NoticeKind::Reminder) => Self::Reminder,
            Ok(proto::NoticeKind::Unspecified) | Err(_) => Self::Other(number),
        }
    }
}

impl fmt::Display for NoticeKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl NoticeKey {
    fn read(key: proto::NoticeKey) -> Result<Self, CallError> {
        Ok(Self { agency: read::code("key.agency", &key.agency)?, number: key.number })
    }

    fn to_proto(&self) -> proto::NoticeKey {
        proto::NoticeKey { agency: self.agency.to_string(), number: self.number }
    }
}

impl Notice {
    fn read(notice: proto::Notice) -> Result<Self, CallError> {
        let cause = NoticeCause::read(&notice)?;
        Ok(Self {
            key: NoticeKey::read(read::present("notice.key", notice.key)?)?,
            kind: NoticeKind::read(notice.kind),
            at: read::moment("notice.at", notice.at.as_ref())?,
            attempt: notice.attempt,
            sender: read::code("notice.sender", &notice.sender)?,
            document: read::id("notice.document_id", &notice.document_id)?,
            position: Position(notice.position),
            recipient: read::code("notice.recipient", &notice.recipient)?,
            cause,
        })
    }
}

impl NoticeCause {
    fn read(notice: &proto::Notice) -> Result<Option<Self>, CallError> {
        if notice.cause_id.is_empty() {
            return Ok(None);
        }
        let report = match notice.report.clone() {
            Some(report) => Some(ReportedStatus {
                code: read::status("notice.status", notice.status)?,
                signed: signed::report_from_proto(Some(report))
                    .map_err(|refusal| CallError::answer("notice.report", refusal))?,
            }),
            None => None,
        };
        Ok(Some(Self {
            id: read::id("notice.cause_id", &notice.cause_id)?,
            position: Position(notice.cause_position),
            reason: notice.reason.clone(),
            report,
        }))
    }
}

impl Feed for Notice {
    type Key = NoticeKey;
    type Later = Infallible;
    type Request = proto::SubscribeNoticesRequest;
    type Answer = proto::SubscribeNoticesResponse;

    async fn call(
        client: &Client,
        requests: ReceiverStream<Self::Request>,
    ) -> Result<Streaming<Self::Answer>, Status> {
        Ok(client.shared.notices().subscribe_notices(requests).await?.into_inner())
    }

    fn open(agencies: Vec<String>, credit: u32) -> Self::Request {
        request(asked::Request::Open(asked::Open { agencies, credit }))
    }

    fn credit(more: u32) -> Self::Request {
        request(asked::Request::Credit(asked::Credit { more }))
    }

    fn acknowledge(keys: &[NoticeKey]) -> Self::Request {
        let keys = keys.iter().map(NoticeKey::to_proto).collect();
        request(asked::Request::Acknowledge(asked::Acknowledge { keys }))
    }

    fn later(later: Infallible) -> (NoticeKey, Self::Request) {
        match later {}
    }

    fn heard(answer: Self::Answer) -> Result<Heard<Self>, CallError> {
        let keys = |keys: Vec<proto::NoticeKey>| {
            keys.into_iter().map(NoticeKey::read).collect::<Result<_, _>>()
        };
        Ok(match answer.response {
            Some(said::Response::Opened(opened)) => Heard::Opened(opened.agencies),
            Some(said::Response::Notice(notice)) => Heard::Arrived(Self::read(notice)),
            Some(said::Response::Acknowledged(said)) => Heard::Acknowledged(keys(said.keys)?),
            Some(said::Response::RefusedAcknowledgement(said)) => {
                Heard::Refused(keys(said.keys)?, read::refusal(said.refusal)?)
            }
            None => Heard::Other,
        })
    }

    fn key(&self) -> &NoticeKey {
        &self.key
    }
}

fn request(request: asked::Request) -> proto::SubscribeNoticesRequest {
    proto::SubscribeNoticesRequest { request: Some(request) }
}

impl Client {
    /// Opens a subscription of the notices of `agencies`; none: of all that the caller serves. Up
    /// to `credit` notices (1 to 1,024) are unacknowledged at a time. On return the hub has opened
    /// it. Breaks are mended without a word.
    ///
    /// # Errors
    /// [`CallError`] when it cannot be opened.
    pub async fn subscribe_to_notices(
        &self,
        agencies: &[AgencyCode],
        credit: u32,
    ) -> Result<NoticeSubscription, CallError> {
        let options = SubscriptionOptions { credit, ..SubscriptionOptions::default() };
        self.subscribe_to(agencies, options).await
    }

    /// Takes up to `max` (1 to 256) notices of one agency; none when there is nothing to tell. Each
    /// is kept from other consumers for 60 seconds; whatever is not acknowledged by then comes
    /// again.
    ///
    /// # Errors
    /// [`CallError`] as for every call.
    pub async fn pull_notices(
        &self,
        agency: &AgencyCode,
        max: usize,
    ) -> Result<Vec<Notice>, CallError> {
        let notices_max = u32::try_from(max.clamp(1, PULL_MAX)).unwrap_or(1);
        let request = proto::PullNoticesRequest { agency: agency.to_string(), notices_max };
        let call = || {
            let (mut notices, request) = (self.shared.notices(), request.clone());
            async move { Ok(notices.pull_notices(request).await?.into_inner()) }
        };
        let answer = self.shared.call(call).await?;
        answer.notices.into_iter().map(Notice::read).collect()
    }

    /// Says that notices of one agency are known; on return the hub has that on its disk. To
    /// repeat it changes nothing.
    ///
    /// # Errors
    /// [`CallError`] as for every call; of several hundred numbers some may then be taken.
    pub async fn acknowledge_notices(
        &self,
        agency: &AgencyCode,
        numbers: &[u64],
    ) -> Result<NoticesAcknowledged, CallError> {
        let mut acknowledged = 0;
        for some in numbers.chunks(PULL_MAX) {
            let (taken, _) = self.acknowledge_some(agency, some, 0).await?;
            acknowledged += taken;
        }
        Ok(NoticesAcknowledged { acknowledged })
    }

    /// Says that all notices of one agency up to a number are known; on return the hub has that on
    /// its disk. To repeat it changes nothing.
    ///
    /// # Errors
    /// [`CallError`] as for every call; some may then be taken.
    pub async fn acknowledge_notices_through(
        &self,
        agency: &AgencyCode,
        number: u64,
    ) -> Result<NoticesAcknowledged, CallError> {
        let mut acknowledged = 0;
        loop {
            let (taken, more) = self.acknowledge_some(agency, &[], number).await?;
            acknowledged += taken;
            if !more {
                return Ok(NoticesAcknowledged { acknowledged });
            }
        }
    }

    async fn acknowledge_some(
        &self,
        agency: &AgencyCode,
        numbers: &[u64],
        through: u64,
    ) -> Result<(usize, bool), CallError> {
        let (agency, numbers) = (agency.to_string(), numbers.to_vec());
        let request = proto::AcknowledgeNoticesRequest { agency, numbers, through };
        let call = || {
            let (mut notices, request) = (self.shared.notices(), request.clone());
            async move { Ok(notices.acknowledge_notices(request).await?.into_inner()) }
        };
        let answer = self.shared.call(call).await?;
        Ok((answer.acknowledged as usize, answer.more))
    }
}
