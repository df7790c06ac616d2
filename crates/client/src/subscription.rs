//! Receiving: deliveries, or notices, as they come, by credit, with acknowledgements in batches.
//!
//! ```text
//!   hub ──delivery──▶ inbox ──next()──▶ caller ──acknowledge──▶ book ──batch, credit──▶ hub
//!                                          ▲                      │
//!                                          └──── acknowledged ◀───┘  (on the hub's disk)
//! ```
//! One task owns the stream ([`driver`]). When it breaks, a new one is opened: acknowledgements
//! without an answer are sent again, what the caller has not taken comes again, and what it has is
//! not handed out a second time.

mod book;
mod driver;
mod feed;
mod inbox;

use std::sync::Arc;
use std::time::Duration;

use lienthong_model::AgencyCode;
use lienthong_model::limits::CONSUMER_CREDIT_MAX;
use tokio::sync::{mpsc, oneshot};

use self::driver::{Command, Driver, Line};
pub(crate) use self::feed::{Feed, Heard};
use self::inbox::Inbox;
use crate::client::Client;
use crate::delivery::{Delivery, NegativeAcknowledgement};
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

/// Deliveries of some agencies' mailboxes, or their notices ([`NoticeSubscription`]). It ends when it
/// and every [`Acknowledger`] are dropped, after the acknowledgements under way have their answer.
///
/// [`NoticeSubscription`]: crate::NoticeSubscription
#[derive(Debug)]
pub struct Subscription<F: Feed = Delivery> {
    agencies: Vec<AgencyCode>,
    inbox: Arc<Inbox<F>>,
    acknowledger: Acknowledger<F>,
}

/// Acknowledges what came on a subscription from any task. Cheap to clone.
#[derive(Debug)]
pub struct Acknowledger<F: Feed = Delivery> {
    commands: mpsc::Sender<Command<F>>,
}

impl<F: Feed> Clone for Acknowledger<F> {
    fn clone(&self) -> Self {
        Self { commands: self.commands.clone() }
    }
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
        self.subscribe_to(agencies, options).await
    }

    pub(crate) async fn subscribe_to<F: Feed>(
        &self,
        agencies: &[AgencyCode],
        options: SubscriptionOptions,
    ) -> Result<Subscription<F>, CallError> {
        let credit = options.credit.clamp(1, CONSUMER_CREDIT_MAX);
        let options = SubscriptionOptions { credit, ..options };
        let wanted: Vec<String> = agencies.iter().map(ToString::to_string).collect();
        let open = || Line::<F>::open(self, &wanted, credit);
        let (line, agencies) = self.shared.call(open).await?;
        let (commands, waiting) = mpsc::channel(COMMANDS_WAITING_MAX);
        let inbox = Arc::new(Inbox::default());
        let driver = Driver::new(self.shared.clone(), wanted, options, inbox.clone(), waiting);
        tokio::spawn(driver.run(line));
        let agencies = agencies.iter().filter_map(|code| AgencyCode::parse(code).ok()).collect();
        Ok(Subscription { agencies, inbox, acknowledger: Acknowledger { commands } })
    }
}

impl<F: Feed> Subscription<F> {
    /// Returns the agencies whose mailboxes the hub said it serves here.
    pub fn agencies(&self) -> &[AgencyCode] {
        &self.agencies
    }

    /// Returns the next delivery or notice; waits for one. It is the caller's until it is
    /// acknowledged, or negatively: only then may the same come again here, whatever happens to the
    /// stream meanwhile. What is dropped without a word comes again on another subscription.
    /// `None` when the subscription has ended: the error before it says why.
    ///
    /// An error of kind [`CallError::Answer`] is about one that cannot be read; those
    /// after it still come.
    pub async fn next(&mut self) -> Option<Result<F, CallError>> {
        self.inbox.next().await
    }

    /// Returns a handle with which other tasks acknowledge.
    pub fn acknowledger(&self) -> Acknowledger<F> {
        self.acknowledger.clone()
    }

    /// Acknowledges; see [`Acknowledger::acknowledge`].
    ///
    /// # Errors
    /// As there.
    pub async fn acknowledge(&self, keys: &[F::Key]) -> Result<(), CallError> {
        self.acknowledger.acknowledge(keys).await
    }

    /// Acknowledges without waiting; see [`Acknowledger::post`].
    ///
    /// # Errors
    /// As there.
    pub async fn post(&self, keys: &[F::Key]) -> Result<(), CallError> {
        self.acknowledger.post(keys).await
    }

    /// Ends the subscription when every acknowledgement under way has its answer, waiting at most
    /// `patience`; returns whether all have. Other [`Acknowledger`]s keep it open.
    pub async fn close(self, patience: Duration) -> bool {
        let Self { inbox, acknowledger, .. } = self;
        drop(acknowledger);
        tokio::time::timeout(patience, inbox.ended()).await.is_ok()
    }
}

impl<F: Feed> Acknowledger<F> {
    /// Says that deliveries are on the recipients' own disks, or that notices are known; on return
    /// the hub has that on its own disk. To repeat it changes nothing. Many calls at a time travel together.
    ///
    /// # Errors
    /// [`CallError::Refused`] when the hub does not take one of them, [`CallError::Closed`] when
    /// the subscription has ended first.
    pub async fn acknowledge(&self, keys: &[F::Key]) -> Result<(), CallError> {
        if keys.is_empty() {
            return Ok(());
        }
        let (reply, answer) = oneshot::channel();
        self.command(Command::Acknowledge { keys: keys.to_vec(), reply: Some(reply) }).await?;
        answer.await.unwrap_or(Err(CallError::Closed))
    }

    /// Acknowledges without waiting for the hub: on return it is under way. Should it be lost, the
    /// same comes again; a refusal is logged.
    ///
    /// # Errors
    /// [`CallError::Closed`] when the subscription has ended.
    pub async fn post(&self, keys: &[F::Key]) -> Result<(), CallError> {
        if keys.is_empty() {
            return Ok(());
        }
        self.command(Command::Acknowledge { keys: keys.to_vec(), reply: None }).await
    }

    async fn command(&self, command: Command<F>) -> Result<(), CallError> {
        self.commands.send(command).await.map_err(|_| CallError::Closed)
    }
}

impl Subscription {
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
}

impl Acknowledger {
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
}
