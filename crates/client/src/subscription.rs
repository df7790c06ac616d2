//! Receiving: deliveries as they come, by credit, with acknowledgements in batches.
//!
//! ```text
//!   hub ──delivery──▶ inbox ──next()──▶ caller ──acknowledge──▶ book ──batch, credit──▶ hub
//!                                          ▲                      │
//!                                          └──── acknowledged ◀───┘  (on the hub's disk)
//! ```
//! One task owns the stream ([`driver`]). When it breaks, a new one is opened: what was not
//! acknowledged comes again, acknowledgements without an answer are sent again.

mod book;
mod driver;
mod inbox;

use std::sync::Arc;
use std::time::Duration;

use lienthong_model::AgencyCode;
use lienthong_model::limits::CONSUMER_CREDIT_MAX;
use tokio::sync::{mpsc, oneshot};

use self::driver::{Command, Driver, Line};
use self::inbox::Inbox;
use crate::client::Client;
use crate::delivery::{Delivery, DeliveryKey, NegativeAcknowledgement};
use crate::error::CallError;

/// Commands that may wait for the task that owns the stream.
const COMMANDS_WAITING_MAX: usize = 1024;

/// How a subscription behaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SubscriptionOptions {
    /// Deliveries that may be unacknowledged at a time, 1 to 1,024. Default 256. Too low waits for
    /// every acknowledgement's way; too high brings more again after a break.
    pub credit: u32,
    /// Whether to open a new stream when one breaks, for as long as it takes. Default true.
    pub reconnect: bool,
}

impl Default for SubscriptionOptions {
    fn default() -> Self {
        Self { credit: 256, reconnect: true }
    }
}

/// Deliveries of some agencies' mailboxes. It ends when it and every [`Acknowledger`] are dropped,
/// after the acknowledgements under way have their answer.
#[derive(Debug)]
pub struct Subscription {
    agencies: Vec<AgencyCode>,
    inbox: Arc<Inbox>,
    acknowledger: Acknowledger,
}

/// Acknowledges deliveries of a subscription from any task. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Acknowledger {
    commands: mpsc::Sender<Command>,
}

impl Client {
    /// Opens a subscription of the mailboxes of `agencies`; none: of all that the caller serves.
    /// Up to `credit` deliveries (1 to 1,024) are unacknowledged at a time. On return the hub has
    /// opened it. Breaks are mended without a word.
    ///
    /// # Errors
    /// [`CallError`] when it cannot be opened.
    pub async fn subscribe(
        &self,
        agencies: &[AgencyCode],
        credit: u32,
    ) -> Result<Subscription, CallError> {
        let options = SubscriptionOptions { credit, ..SubscriptionOptions::default() };
        self.subscribe_with(agencies, options).await
    }

    /// Opens a subscription with options; see [`Client::subscribe`].
    ///
    /// # Errors
    /// [`CallError`] when it cannot be opened.
    pub async fn subscribe_with(
        &self,
        agencies: &[AgencyCode],
        options: SubscriptionOptions,
    ) -> Result<Subscription, CallError> {
        let credit = options.credit.clamp(1, CONSUMER_CREDIT_MAX);
        let options = SubscriptionOptions { credit, ..options };
        let wanted: Vec<String> = agencies.iter().map(ToString::to_string).collect();
        let open = || Line::open(&self.shared, &wanted, credit);
        let (line, agencies) = self.shared.call(open).await?;
        let (commands, waiting) = mpsc::channel(COMMANDS_WAITING_MAX);
        let inbox = Arc::new(Inbox::default());
        let driver = Driver::new(self.shared.clone(), wanted, options, inbox.clone(), waiting);
        tokio::spawn(driver.run(line));
        let agencies = agencies.iter().filter_map(|code| AgencyCode::parse(code).ok()).collect();
        Ok(Subscription { agencies, inbox, acknowledger: Acknowledger { commands } })
    }
}

impl Subscription {
    /// Returns the agencies whose mailboxes the hub said it serves here.
    pub fn agencies(&self) -> &[AgencyCode] {
        &self.agencies
    }

    /// Returns the next delivery; waits for one. The same may come again until it is acknowledged.
    /// `None` when the subscription has ended: the error before it says why.
    ///
    /// An error of kind [`CallError::Answer`] is about one delivery that cannot be read; those
    /// after it still come.
    pub async fn next(&mut self) -> Option<Result<Delivery, CallError>> {
        self.inbox.next().await
    }

    /// Returns a handle with which other tasks acknowledge.
    pub fn acknowledger(&self) -> Acknowledger {
        self.acknowledger.clone()
    }

    /// Acknowledges; see [`Acknowledger::acknowledge`].
    ///
    /// # Errors
    /// As there.
    pub async fn acknowledge(&self, keys: &[DeliveryKey]) -> Result<(), CallError> {
        self.acknowledger.acknowledge(keys).await
    }

    /// Acknowledges without waiting; see [`Acknowledger::post`].
    ///
    /// # Errors
    /// As there.
    pub async fn post(&self, keys: &[DeliveryKey]) -> Result<(), CallError> {
        self.acknowledger.post(keys).await
    }

    /// Says that a delivery could not be taken now; see [`Acknowledger::negative_acknowledge`].
    ///
    /// # Errors
    /// As there.
    pub async fn negative_acknowledge(
        &self,
        negative: NegativeAcknowledgement,
    ) -> Result<(), CallError> {
        self.acknowledger.negative_acknowledge(negative).await
    }

    /// Ends the subscription when every acknowledgement under way has its answer, waiting at most
    /// `patience`; returns whether all have. Other [`Acknowledger`]s keep it open.
    pub async fn close(self, patience: Duration) -> bool {
        let Self { inbox, acknowledger, .. } = self;
        drop(acknowledger);
        tokio::time::timeout(patience, inbox.ended()).await.is_ok()
    }
}

impl Acknowledger {
    /// Says that deliveries are on the recipients' own disks; on return the hub has that on its
    /// own. To repeat it changes nothing. Many calls at a time travel together.
    ///
    /// # Errors
    /// [`CallError::Refused`] when the hub does not take one of them, [`CallError::Closed`] when
    /// the subscription has ended first.
    pub async fn acknowledge(&self, keys: &[DeliveryKey]) -> Result<(), CallError> {
        if keys.is_empty() {
            return Ok(());
        }
        let (reply, answer) = oneshot::channel();
        self.command(Command::Acknowledge { keys: keys.to_vec(), reply: Some(reply) }).await?;
        answer.await.unwrap_or(Err(CallError::Closed))
    }

    /// Acknowledges without waiting for the hub: on return it is under way. Should it be lost, the
    /// delivery comes again; a refusal is logged.
    ///
    /// # Errors
    /// [`CallError::Closed`] when the subscription has ended.
    pub async fn post(&self, keys: &[DeliveryKey]) -> Result<(), CallError> {
        if keys.is_empty() {
            return Ok(());
        }
        self.command(Command::Acknowledge { keys: keys.to_vec(), reply: None }).await
    }

    /// Says that a delivery could not be taken now; it comes again. On return it is under way.
    ///
    /// # Errors
    /// [`CallError::Closed`] when the subscription has ended.
    pub async fn negative_acknowledge(
        &self,
        negative: NegativeAcknowledgement,
    ) -> Result<(), CallError> {
        self.command(Command::Later(negative)).await
    }

    async fn command(&self, command: Command) -> Result<(), CallError> {
        self.commands.send(command).await.map_err(|_| CallError::Closed)
    }
}
