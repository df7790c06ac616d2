//! What one node does on the network, a task each: sending something, receiving all day. What comes
//! of it is told to the world, which decides what the agency does next.

use std::sync::{Arc, mpsc};
use std::time::Duration;

use lienthong_client::{
    CallError, Delivery, DeliveryKey, DocumentCheck, Receipt, SubscriptionOptions,
};
use lienthong_core::Directory;
use lienthong_model::{AgencyCode, MessageId, Ordinal, Position, Reason, Timestamp};

use super::LiveError;
use super::station::{Station, verified};
use crate::world::{Bell, Outcome, Sent};

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
    pub sender: AgencyCode,
    pub id: MessageId,
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
    pub async fn run(self, sent: Sent, key: Option<DeliveryKey>) {
        match sent {
            Sent::Document(signed) => {
                let (number, caller) = (self.number, self.caller);
                let submitted = self.call(async |client| client.submit((*signed).clone()).await);
                if let Some(receipt) = submitted.await {
                    let receipt = Box::new(receipt);
                    self.mouth.tell(Heard::Accepted { number, caller, receipt });
                }
            }
            Sent::Report(signed) => {
                let reported = self.call(async |client| client.report((*signed).clone()).await);
                if let Some(receipt) = reported.await {
                    let outcome = match receipt.repeated {
                        true => Outcome::Repeated(receipt.position),
                        false => Outcome::Accepted(receipt.position),
                    };
                    self.mouth.tell(Heard::Answered { number: self.number, outcome });
                }
            }
            Sent::Acknowledge(position) => self.acknowledge(position, key).await,
        }
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

    /// What is not acknowledged comes again.
    async fn acknowledge(&self, position: Position, key: Option<DeliveryKey>) {
        let acknowledger = self.station.acknowledger.lock().clone();
        let (Some(key), Some(acknowledger)) = (key, acknowledger) else { return };
        if acknowledger.acknowledge(&[key]).await.is_ok() {
            self.mouth.tell(Heard::Acknowledged { key: (self.caller, position) });
        }
    }
}

/// A node that receives.
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

    fn received(&self, delivery: &Delivery) {
        let entry = |sender: &AgencyCode| {
            self.directory.find(sender).map(|sender| sender.entry(delivery.received_at))
        };
        match verified(&self.check, delivery, entry) {
            Ok(checked) => {
                let named = Named {
                    key: delivery.key.clone(),
                    attempt: delivery.attempt,
                    sender: checked.document.from.code,
                    id: checked.document.id,
                };
                self.mouth.tell(Heard::Arrived { recipient: self.agency, delivery: named });
            }
            Err(refusal) => {
                let position = delivery.key.position.0;
                let what = format!("position {position} → {}: {}", self.code, refusal.reason.code());
                self.mouth.tell(Heard::Distrusted(what));
            }
        }
    }
}
