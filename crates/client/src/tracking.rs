//! Where a document is, why, and what it waits for.

use std::time::Duration;

use lienthong_model::{AgencyCode, MessageId, Position, Timestamp};
use lienthong_wire::{moment, proto};

use crate::client::Client;
use crate::error::CallError;
use crate::read;

/// A text in both languages.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Text {
    /// In Vietnamese.
    pub vi: String,
    /// In English.
    pub en: String,
}

/// How far a recipient is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Stage {
    /// In the mailbox; the recipient's node does not have it.
    Waiting,
    /// The node has it on its own disk; nothing was reported.
    Acknowledged,
    /// 01: the clerk has not handled it.
    Arrived,
    /// 03, 04 or 05: it is being dealt with.
    Accepted,
    /// 06.
    Finished,
    /// 02.
    Refused,
    /// Taken back, or replaced.
    Withdrawn,
}

/// Recipients by how far they are; the counts from `pending` to `withdrawn` add up to `recipients`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ProgressCounts {
    /// All recipients, lists resolved.
    pub recipients: u32,
    /// Not yet in their mailboxes: the fan-out is under way.
    pub pending: u32,
    /// In the mailbox.
    pub waiting: u32,
    /// On the recipient's disk; nothing was reported.
    pub acknowledged: u32,
    /// 01.
    pub arrived: u32,
    /// 03, 04 or 05.
    pub accepted: u32,
    /// 06.
    pub finished: u32,
    /// 02.
    pub refused: u32,
    /// Taken back, or replaced.
    pub withdrawn: u32,
    /// Of all these: not ended although the due date is over.
    pub overdue: u32,
}

/// How far one recipient is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecipientProgress {
    /// Its code.
    pub code: AgencyCode,
    /// How far it is.
    pub stage: Stage,
    /// Since when.
    pub since: Timestamp,
    /// The reason that it gave last.
    pub reason: String,
}

/// Where a document is and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Explanation {
    /// What happened, in order.
    pub events: Vec<ExplainedEvent>,
    /// Events that were left out because there were more.
    pub events_left_out: u32,
    /// What it waits for now.
    pub waits: Vec<Wait>,
    /// How far all recipients are; for the sender.
    pub progress: Option<ProgressCounts>,
    /// The document's subject; empty for one that was refused.
    pub subject: String,
    /// The place in the hub's log; `None` for one that was refused.
    pub position: Option<Position>,
}

/// Something that happened to a document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExplainedEvent {
    /// When, in business time.
    pub at: Timestamp,
    /// The stable name of what happened.
    pub kind: String,
    /// The recipient that it is about; `None` when it is about all.
    pub recipient: Option<AgencyCode>,
    /// What happened.
    pub what: Text,
    /// Why, or with what.
    pub why: Text,
}

/// What a document waits for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wait {
    /// The recipient; `None` when it waits for the hub itself.
    pub recipient: Option<AgencyCode>,
    /// Since when.
    pub since: Timestamp,
    /// The stable name of the cause.
    pub cause: String,
    /// For what, and why.
    pub why: Text,
    /// Who has to act; `None` when nobody has to.
    pub actor: Option<AgencyCode>,
    /// What it has to do.
    pub remedy: Text,
}

/// A case: documents that answer each other.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Thread {
    /// Its documents, in the order in which the hub accepted them.
    pub documents: Vec<ThreadDocument>,
    /// Whether there are more than can be shown.
    pub truncated: bool,
}

/// A document of a case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ThreadDocument {
    /// The sender's code.
    pub sender: AgencyCode,
    /// The message's id.
    pub id: MessageId,
    /// The place in the hub's log.
    pub position: Position,
    /// When the hub accepted it.
    pub received_at: Timestamp,
    /// Its reference as written.
    pub reference: String,
    /// What it is about.
    pub subject: String,
    /// Places of the documents of this case that it answers.
    pub answers: Vec<Position>,
    /// References that it answers and that are no document that the caller may see.
    pub unresolved: Vec<String>,
}

/// What waits, longest first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WaitingDocuments {
    /// In the agency's mailbox.
    pub received: Vec<WaitingDocument>,
    /// Sent by the agency, and not picked up by somebody.
    pub sent: Vec<WaitingDocument>,
    /// Whether more documents waited than were looked at.
    pub truncated: bool,
}

/// A document that waits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WaitingDocument {
    /// The sender's code.
    pub sender: AgencyCode,
    /// The message's id.
    pub id: MessageId,
    /// What it is about.
    pub subject: String,
    /// Recipients that have not picked it up.
    pub recipients: u32,
    /// What it waits for, for the recipient that waits longest.
    pub wait: Option<Wait>,
}

/// When enough recipients are far enough.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ProgressGoal {
    /// The stage that they must have reached: not waiting, not withdrawn.
    pub stage: Stage,
    /// How many of them.
    pub enough: Enough,
    /// How long to wait; at most 10 minutes.
    pub timeout: Duration,
}

/// How many recipients are enough.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Enough {
    /// A share, above 0 and at most 1.
    Share(f64),
    /// A number, from 1.
    Count(u32),
}

/// How a wait for recipients ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Waited {
    /// The counts at the end.
    pub progress: ProgressCounts,
    /// Whether enough of them have reached the stage; otherwise the time is over.
    pub reached: bool,
}

impl Client {
    /// Asks for everything that happened to a document and what it waits for; of one recipient
    /// only, when one is named.
    ///
    /// # Errors
    /// [`CallError`]; DOCUMENT_UNKNOWN when there is none or it is not the caller's to see.
    pub async fn explain(
        &self,
        sender: &AgencyCode,
        id: MessageId,
        recipient: Option<&AgencyCode>,
    ) -> Result<Explanation, CallError> {
        let request = proto::ExplainRequest {
            document: Some(name(sender, id)),
            recipient: recipient.map(ToString::to_string).unwrap_or_default(),
        };
        let call = || {
            let (mut tracking, request) = (self.shared.tracking(), request.clone());
            async move { Ok(tracking.explain(request).await?.into_inner()) }
        };
        Explanation::read(self.shared.call(call).await?)
    }

    /// Asks for the case that a document belongs to, as far as the caller is a party.
    ///
    /// # Errors
    /// [`CallError`]; DOCUMENT_UNKNOWN when there is none or it is not the caller's to see.
    pub async fn thread(&self, sender: &AgencyCode, id: MessageId) -> Result<Thread, CallError> {
        let request = proto::GetThreadRequest { document: Some(name(sender, id)) };
        let call = || {
            let (mut tracking, request) = (self.shared.tracking(), request.clone());
            async move { Ok(tracking.get_thread(request).await?.into_inner()) }
        };
        let answer = self.shared.call(call).await?;
        let documents = answer.documents.into_iter().map(ThreadDocument::read);
        Ok(Thread { documents: documents.collect::<Result<_, _>>()?, truncated: answer.truncated })
    }

    /// Asks how far a document's recipients are, and for those in some stages; reads all pages.
    ///
    /// # Errors
    /// [`CallError`]; DOCUMENT_UNKNOWN when there is none or the caller does not serve its sender.
    pub async fn progress(
        &self,
        sender: &AgencyCode,
        id: MessageId,
        stages: &[Stage],
    ) -> Result<(ProgressCounts, Vec<RecipientProgress>), CallError> {
        let mut request = proto::GetProgressRequest {
            document: Some(name(sender, id)),
            stages: stages.iter().map(|stage| stage.to_proto()).collect(),
            page_size: 1_000,
            page_token: String::new(),
        };
        let mut recipients = Vec::new();
        loop {
            let call = || {
                let (mut tracking, request) = (self.shared.tracking(), request.clone());
                async move { Ok(tracking.get_progress(request).await?.into_inner()) }
            };
            let page = self.shared.call(call).await?;
            for recipient in page.recipients {
                recipients.push(RecipientProgress::read(recipient)?);
            }
            if page.next_page_token.is_empty() {
                let counts = read::present("progress", page.progress)?;
                return Ok((ProgressCounts::of(&counts), recipients));
            }
            request.page_token = page.next_page_token;
        }
    }

    /// Waits until enough recipients are far enough, or the time is over; `tell` is given the
    /// counts whenever they change.
    ///
    /// # Errors
    /// [`CallError`]; DOCUMENT_UNKNOWN when there is none or the caller does not serve its sender.
    pub async fn wait_for_progress(
        &self,
        sender: &AgencyCode,
        id: MessageId,
        goal: ProgressGoal,
        mut tell: impl FnMut(ProgressCounts),
    ) -> Result<Waited, CallError> {
        use proto::wait_for_progress_request::Enough as Asked;
        let request = proto::WaitForProgressRequest {
            document: Some(name(sender, id)),
            stage: goal.stage.to_proto(),
            timeout: Some(moment::duration_to_proto(goal.timeout)),
            enough: Some(match goal.enough {
                Enough::Share(share) => Asked::Share(share),
                Enough::Count(count) => Asked::Count(count),
            }),
        };
        let call = || {
            let (mut tracking, request) = (self.shared.tracking(), request.clone());
            async move { Ok(tracking.wait_for_progress(request).await?.into_inner()) }
        };
        let mut counts = self.shared.call(call).await?;
        loop {
            let next = counts.message().await.map_err(|status| self.shared.broken_off(&status))?;
            let next = read::present("progress", next)?;
            let progress = read::present("progress", next.progress)?;
            let progress = ProgressCounts::of(&progress);
            if next.reached || next.timed_out {
                return Ok(Waited { progress, reached: next.reached });
            }
            tell(progress);
        }
    }

    /// Has every recipient told that has not reached a stage (acknowledged, accepted or finished);
    /// returns how many those are. At most once a day for each document.
    ///
    /// # Errors
    /// [`CallError`]; REMINDER_TOO_SOON, or DOCUMENT_UNKNOWN when there is none or the caller does
    /// not serve its sender.
    pub async fn remind(
        &self,
        sender: &AgencyCode,
        id: MessageId,
        stage: Stage,
    ) -> Result<u32, CallError> {
        let (document, stage) = (Some(name(sender, id)), stage.to_proto());
        let request = proto::RemindRecipientsRequest { document, stage };
        let call = || {
            let (mut tracking, request) = (self.shared.tracking(), request.clone());
            async move { Ok(tracking.remind_recipients(request).await?.into_inner()) }
        };
        Ok(self.shared.call(call).await?.reminded)
    }

    /// Asks what waits longest: in an agency's mailbox, and of what it sent.
    ///
    /// # Errors
    /// [`CallError`] as for every call.
    pub async fn waiting(
        &self,
        agency: &AgencyCode,
        limit: u32,
    ) -> Result<WaitingDocuments, CallError> {
        let page_size = i32::try_from(limit).unwrap_or(i32::MAX);
        let request = proto::ListWaitingRequest { agency: agency.to_string(), page_size };
        let call = || {
            let (mut tracking, request) = (self.shared.tracking(), request.clone());
            async move { Ok(tracking.list_waiting(request).await?.into_inner()) }
        };
        let answer = self.shared.call(call).await?;
        let read = |documents: Vec<proto::WaitingDocument>| {
            documents.into_iter().map(WaitingDocument::read).collect::<Result<_, _>>()
        };
        Ok(WaitingDocuments {
            received: read(answer.received)?,
            sent: read(answer.sent)?,
            truncated: answer.truncated,
        })
    }
}

fn name(sender: &AgencyCode, id: MessageId) -> proto::DocumentName {
    let id = bytes::Bytes::copy_from_slice(id.as_bytes());
    proto::DocumentName { sender: sender.to_string(), id }
}

impl Stage {
    fn to_proto(self) -> i32 {
        (match self {
            Self::Waiting => proto::Stage::Waiting,
            Self::Acknowledged => proto::Stage::Acknowledged,
            Self::Arrived => proto::Stage::Arrived,
            Self::Accepted => proto::Stage::Accepted,
            Self::Finished => proto::Stage::Finished,
            Self::Refused => proto::Stage::Refused,
            Self::Withdrawn => proto::Stage::Withdrawn,
        }) as i32
    }

    fn read(number: i32) -> Result<Self, CallError> {
        match proto::Stage::try_from(number) {
            Ok(proto::Stage::Waiting) => Ok(Self::Waiting),
            Ok(proto::Stage::Acknowledged) => Ok(Self::Acknowledged),
            Ok(proto::Stage::Arrived) => Ok(Self::Arrived),
            Ok(proto::Stage::Accepted) => Ok(Self::Accepted),
            Ok(proto::Stage::Finished) => Ok(Self::Finished),
            Ok(proto::Stage::Refused) => Ok(Self::Refused),
            Ok(proto::Stage::Withdrawn) => Ok(Self::Withdrawn),
            Ok(proto::Stage::Unspecified) | Err(_) => Err(CallError::answer("stage", number)),
        }
    }
}

impl ProgressCounts {
    fn of(counts: &proto::ProgressCounts) -> Self {
        Self {
            recipients: counts.recipients,
            pending: counts.pending,
            waiting: counts.waiting,
            acknowledged: counts.acknowledged,
            arrived: counts.arrived,
            accepted: counts.accepted,
            finished: counts.finished,
            refused: counts.refused,
            withdrawn: counts.withdrawn,
            overdue: counts.overdue,
        }
    }
}

impl Text {
    fn read(text: Option<proto::Text>) -> Self {
        text.map(|proto::Text { vi, en }| Self { vi, en }).unwrap_or_default()
    }
}

impl RecipientProgress {
    fn read(recipient: proto::RecipientProgress) -> Result<Self, CallError> {
        Ok(Self {
            code: read::code("recipients.code", &recipient.code)?,
            stage: Stage::read(recipient.stage)?,
            since: read::moment("recipients.since", recipient.since.as_ref())?,
            reason: recipient.reason,
        })
    }
}

impl Explanation {
    fn read(answer: proto::ExplainResponse) -> Result<Self, CallError> {
        let events = answer.events.into_iter().map(ExplainedEvent::read);
        Ok(Self {
            events: events.collect::<Result<_, _>>()?,
            events_left_out: answer.events_left_out,
            waits: answer.waits.into_iter().map(Wait::read).collect::<Result<_, _>>()?,
            progress: answer.progress.as_ref().map(ProgressCounts::of),
            subject: answer.subject,
            position: answer.position.map(Position),
        })
    }
}

impl ExplainedEvent {
    fn read(event: proto::ExplainedEvent) -> Result<Self, CallError> {
        Ok(Self {
            at: read::moment("events.at", event.at.as_ref())?,
            kind: event.kind,
            recipient: read::optional_code("events.recipient", &event.recipient)?,
            what: Text::read(event.what),
            why: Text::read(event.why),
        })
    }
}

impl Wait {
    fn read(wait: proto::Wait) -> Result<Self, CallError> {
        Ok(Self {
            recipient: read::optional_code("waits.recipient", &wait.recipient)?,
            since: read::moment("waits.since", wait.since.as_ref())?,
            cause: wait.cause,
            why: Text::read(wait.why),
            actor: read::optional_code("waits.actor", &wait.actor)?,
            remedy: Text::read(wait.remedy),
        })
    }
}

impl ThreadDocument {
    fn read(document: proto::ThreadDocument) -> Result<Self, CallError> {
        let (sender, id) = read_name(document.document)?;
        Ok(Self {
            sender,
            id,
            position: Position(document.position),
            received_at: read::moment("documents.received_at", document.received_at.as_ref())?,
            reference: document.reference,
            subject: document.subject,
            answers: document.answers.into_iter().map(Position).collect(),
            unresolved: document.unresolved,
        })
    }
}

impl WaitingDocument {
    fn read(document: proto::WaitingDocument) -> Result<Self, CallError> {
        let (sender, id) = read_name(document.document)?;
        Ok(Self {
            sender,
            id,
            subject: document.subject,
            recipients: document.recipients,
            wait: document.wait.map(Wait::read).transpose()?,
        })
    }
}

fn read_name(document: Option<proto::DocumentName>) -> Result<(AgencyCode, MessageId), CallError> {
    let document = read::present("document", document)?;
    Ok((read::code("document.sender", &document.sender)?, read::id("document.id", &document.id)?))
}
