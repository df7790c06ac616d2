//! What one node does on the network, a task each: sending something, receiving all day. What comes
//! of it is told to the world, which decides what the agency does next.

use std::sync::{Arc, mpsc};
use std::time::Duration;

use bytes::Bytes;
use lienthong_client::{
    self as client, CallError, Delivery, DeliveryKey, DocumentCheck, FileDigest, Receipt,
    SubscriptionOptions,
};
use lienthong_core::{Directory, NoticeKind, NoticeNumber};
use lienthong_model::{
    AgencyCode, Digest, MessageId, Ordinal, Position, Reason, Reference, SignedContent, Timestamp,
};

use super::LiveError;
use super::station::{Station, verified};
use crate::world::{Bell, Outcome};

/// Deliveries that one node has unacknowledged.
const CREDIT: u32 = 64;
/// Before a stream that could not be opened is tried again.
const PAUSE: Duration = Duration::from_millis(300);

/// What the world is told.
pub(super) enum Heard {
    /// What became of a call.
    Answered { number: u64, outcome: Outcome },
    /// A document is accepted, or its first receipt came again.
    Accepted { number: u64, caller: Ordinal, receipt: Box<Receipt> },
    /// A document or report is refused.
    Declined { number: u64, caller: Ordinal, declined: Declined },
    /// The hub has an acknowledgement on its disk.
    Acknowledged { key: (Ordinal, Position) },
    /// A delivery whose signatures hold.
    Arrived { recipient: Ordinal, delivery: Named },
    /// Something that an agency is told, with what is told of the document that it is about.
    Noticed {
        agency: Ordinal,
        number: NoticeNumber,
        kind: NoticeKind,
        position: Position,
        heading: Heading,
    },
    /// A delivery that was taken back or replaced before it was picked up.
    Withdrawn { recipient: Ordinal, position: Position },
    /// A delivery whose signatures do not.
    Distrusted(String),
    /// A node cannot connect.
    Failed(LiveError),
}

/// A refusal, with what it is about.
pub(super) struct Declined {
    pub at: Timestamp,
    pub reason: Reason,
}

/// What a delivery is.
pub(super) struct Named {
    pub key: DeliveryKey,
    pub attempt: u32,
    pub heading: Heading,
}

/// What a document says of itself.
pub(super) struct Heading {
    pub sender: AgencyCode,
    pub id: MessageId,
    pub reference: Reference,
    pub subject: String,
}

/// What is sent.
pub(super) enum Work {
    Submit(Arc<SignedContent>),
    Report(Arc<SignedContent>),
    Acknowledge(DeliveryKey),
    /// All notices up to a number are known.
    KnowNotices(u64),
    /// An attachment.
    Upload(Bytes),
}

/// Tells the world.
#[derive(Clone)]
pub(super) struct Mouth {
    heard: mpsc::Sender<Heard>,
    bell: Bell,
}

impl Mouth {
    pub fn new(bell: Bell) -> (Self, mpsc::Receiver<Heard>) {
        let (heard, ears) = mpsc::channel();
        (Self { heard, bell }, ears)
    }

    fn tell(&self, heard: Heard) {
        // A world that is gone needs to know nothing.
        let _ = self.heard.send(heard);
        self.bell.ring();
    }
}

/// A message to the hub.
pub(super) struct Sending {
    pub number: u64,
    pub caller: Ordinal,
    pub code: AgencyCode,
    pub station: Arc<Station>,
    pub mouth: Mouth,
}

impl Sending {
    /// Sends it and tells what became of it.
    pub async fn run(self, work: Work) {
        let number = self.number;
        match work {
            Work::Submit(signed) => {
                let submitted = self.call(async |client| client.submit((*signed).clone()).await);
                if let Some(receipt) = submitted.await {
                    let (caller, receipt) = (self.caller, Box::new(receipt));
                    self.mouth.tell(Heard::Accepted { number, caller, receipt });
                }
            }
            Work::Report(signed) => {
                let reported = self.call(async |client| client.report((*signed).clone()).await);
                if let Some(receipt) = reported.await {
                    let outcome = match receipt.repeated {
                        true => Outcome::Repeated(receipt.position),
                        false => Outcome::Accepted(receipt.position),
                    };
                    self.mouth.tell(Heard::Answered { number, outcome });
                }
            }
            Work::Acknowledge(key) => self.acknowledge(key).await,
            Work::KnowNotices(through) => {
                let agency = self.code.clone();
                self.call(async |client| {
                    client.acknowledge_notices_through(&agency, through).await
                })
                .await;
            }
            Work::Upload(bytes) => {
                let outcome = match self.upload(&bytes).await {
                    Ok(()) => Outcome::Stored(bytes.len() as u64),
                    Err(error) => {
                        tracing::debug!(agency = %self.code, %error, "not uploaded");
                        Outcome::Unanswered
                    }
                };
                self.mouth.tell(Heard::Answered { number, outcome });
            }
        }
    }

    /// A file is uploaded, so the bytes become one for a while.
    async fn upload(&self, bytes: &Bytes) -> Result<(), UploadError> {
        let client = self.station.client(self.code.as_str()).await?;
        let name = format!("lienthong-{}-{}.part", std::process::id(), self.number);
        let path = std::env::temp_dir().join(name);
        tokio::fs::write(&path, bytes).await?;
        let whole = FileDigest { size: bytes.len() as u64, sha256: Digest::of(bytes) };
        let uploaded = client.upload(&path, &whole, |_| {}).await;
        tokio::fs::remove_file(&path).await?;
        Ok(uploaded?)
    }

    /// Makes a call; what is no success is told.
    async fn call<T>(
        &self,
        call: impl AsyncFnOnce(&lienthong_client::Client) -> Result<T, CallError>,
    ) -> Option<T> {
        let (number, caller) = (self.number, self.caller);
        let client = match self.station.client(self.code.as_str()).await {
            Ok(client) => client,
            Err(error) => {
                self.mouth.tell(Heard::Failed(error));
                return None;
            }
        };
        match call(client).await {
            Ok(done) => return Some(done),
            Err(CallError::Refused(refusal)) => {
                let declined = Declined { at: client.now(), reason: refusal.reason };
                self.mouth.tell(Heard::Declined { number, caller, declined });
            }
            Err(error) => {
                tracing::debug!(agency = %self.code, %error, "no answer");
                self.mouth.tell(Heard::Answered { number, outcome: Outcome::Unanswered });
            }
        }
        None
    }

    /// What is not acknowledged comes again; what was taken back meanwhile does not.
    async fn acknowledge(&self, key: DeliveryKey) {
        let Some(acknowledger) = self.station.acknowledger.lock().clone() else { return };
        let (recipient, position) = (self.caller, key.position);
        match acknowledger.acknowledge(&[key]).await {
            Ok(()) => self.mouth.tell(Heard::Acknowledged { key: (recipient, position) }),
            Err(CallError::Refused(_)) => {
                self.mouth.tell(Heard::Withdrawn { recipient, position });
            }
            Err(error) => tracing::debug!(agency = %self.code, %error, "not acknowledged"),
        }
    }
}

/// Why an attachment is not there.
#[derive(Debug, thiserror::Error)]
enum UploadError {
    #[error(transparent)]
    Live(#[from] LiveError),
    #[error(transparent)]
    File(#[from] std::io::Error),
    #[error(transparent)]
    Transfer(#[from] lienthong_client::TransferError),
}

/// A node that receives.
#[derive(Clone)]
pub(super) struct Receiving {
    pub agency: Ordinal,
    pub code: AgencyCode,
    pub station: Arc<Station>,
    pub check: DocumentCheck,
    pub directory: Arc<Directory>,
    pub mouth: Mouth,
}

impl Receiving {
    /// Opens the mailbox and tells of all that comes, until it is aborted.
    pub async fn run(self) {
        let client = match self.station.client(self.code.as_str()).await {
            Ok(client) => client,
            Err(error) => return self.mouth.tell(Heard::Failed(error)),
        };
        let options = SubscriptionOptions { credit: CREDIT, ..SubscriptionOptions::default() };
        let mut subscription = loop {
            match client.subscribe_with(&[], options).await {
                Ok(subscription) => break subscription,
                Err(error) => tracing::debug!(agency = %self.code, %error, "cannot subscribe"),
            }
            tokio::time::sleep(PAUSE).await;
        };
        *self.station.acknowledger.lock() = Some(subscription.acknowledger());
        while let Some(next) = subscription.next().await {
            match next {
                Ok(delivery) => self.received(&delivery),
                Err(error) => tracing::debug!(agency = %self.code, %error, "while receiving"),
            }
        }
    }

    /// Hears what the agency is told, until it is aborted.
    pub async fn hear(self) {
        let Ok(client) = self.station.client(self.code.as_str()).await else { return };
        let mut notices = loop {
            match client.subscribe_to_notices(&[], CREDIT).await {
                Ok(notices) => break notices,
                Err(error) => tracing::debug!(agency = %self.code, %error, "cannot hear notices"),
            }
            tokio::time::sleep(PAUSE).await;
        };
        while let Some(next) = notices.next().await {
            let Ok(notice) = next else { continue };
            let (agency, position) = (self.agency, notice.position);
            let Some(kind) = kind_of(notice.kind) else { continue };
            if matches!(kind, NoticeKind::Withdrawn | NoticeKind::Replaced) {
                self.mouth.tell(Heard::Withdrawn { recipient: agency, position });
            }
            let number = NoticeNumber(notice.key.number);
            let heading = Heading {
                sender: notice.sender,
                id: notice.document,
                reference: Reference::default(),
                subject: String::new(),
            };
            self.mouth.tell(Heard::Noticed { agency, number, kind, position, heading });
        }
    }

    fn received(&self, delivery: &Delivery) {
        let entry = |sender: &AgencyCode| {
            self.directory.find(sender).map(|sender| sender.entry(delivery.received_at))
        };
        match verified(&self.check, delivery, entry) {
            Ok(checked) => {
                let named = Named {
                    key: delivery.key.clone(),
                    attempt: delivery.attempt,
                    heading: Heading {
                        sender: checked.document.from.code,
                        id: checked.document.id,
                        reference: checked.document.reference,
                        subject: checked.document.subject,
                    },
                };
                self.mouth.tell(Heard::Arrived { recipient: self.agency, delivery: named });
            }
            Err(refusal) => {
                let position = delivery.key.position.0;
                let what =
                    format!("position {position} → {}: {}", self.code, refusal.reason.code());
                self.mouth.tell(Heard::Distrusted(what));
            }
        }
    }
}

/// A kind as `core` has it; `None` for one that this version does not know.
fn kind_of(kind: client::NoticeKind) -> Option<NoticeKind> {
    Some(match kind {
        client::NoticeKind::Reported => NoticeKind::Reported,
        client::NoticeKind::RecallRequested => NoticeKind::RecallRequested,
        client::NoticeKind::UpdateRequested => NoticeKind::UpdateRequested,
        client::NoticeKind::ReplacementRequested => NoticeKind::ReplacementRequested,
        client::NoticeKind::Withdrawn => NoticeKind::Withdrawn,
        client::NoticeKind::Updated => NoticeKind::Updated,
        client::NoticeKind::Replaced => NoticeKind::Replaced,
        client::NoticeKind::Undelivered => NoticeKind::Undelivered,
        client::NoticeKind::Unanswered => NoticeKind::Unanswered,
        client::NoticeKind::Overdue => NoticeKind::Overdue,
        client::NoticeKind::DeliverByMissed => NoticeKind::DeliverByMissed,
        client::NoticeKind::OverdueHere => NoticeKind::OverdueHere,
        client::NoticeKind::Reminder => NoticeKind::Reminder,
        _ => return None,
    })
}
