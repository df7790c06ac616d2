//! The task that owns a subscription's stream.

use std::collections::{HashSet, VecDeque};
use std::sync::Arc;

use lienthong_model::limits::{CONSUMER_CREDIT_MAX, PULL_MAX};
use lienthong_wire::proto::subscribe_request::{Acknowledge, Credit, Open, Request};
use lienthong_wire::proto::subscribe_response::{Opened, Response};
use lienthong_wire::{moment, proto};
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep_until};
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Status, Streaming};

use super::SubscriptionOptions;
use super::book::{Book, Reply};
use super::inbox::Inbox;
use crate::client::Shared;
use crate::delivery::{Delivery, DeliveryKey, NegativeAcknowledgement};
use crate::error::{CallError, Setback, Verdict};
use crate::read;
use crate::retry::Backoff;
use crate::unreachable::{Cause, Step};

/// Messages to the hub that may wait for the network.
const REQUESTS_WAITING_MAX: usize = 64;
/// Acknowledgements that may be without an answer before further ones wait.
const UNANSWERED_MAX: usize = 16 * PULL_MAX;

/// What handles ask of the task.
#[derive(Debug)]
pub(super) enum Command {
    Acknowledge { keys: Vec<DeliveryKey>, reply: Option<Reply> },
    Later(NegativeAcknowledgement),
}

/// An open stream.
pub(super) struct Line {
    requests: mpsc::Sender<proto::SubscribeRequest>,
    answers: Streaming<proto::SubscribeResponse>,
}

/// The owner of a stream.
pub(super) struct Driver {
    shared: Arc<Shared>,
    wanted: Vec<String>,
    options: SubscriptionOptions,
    inbox: Arc<Inbox>,
    commands: mpsc::Receiver<Command>,
    book: Book,
    later: VecDeque<NegativeAcknowledgement>,
    /// Deliveries of this stream that hold credit.
    holding: HashSet<DeliveryKey>,
    /// Credit that is free and not yet given to the hub again.
    owed: u32,
    closed: bool,
    backoff: Backoff,
}

/// Why a stream is no longer served.
enum End {
    Done,
    Broken(Verdict),
}

impl Line {
    /// Opens a stream; with it, the agencies that the hub says it serves.
    pub(super) async fn open(
        shared: &Shared,
        agencies: &[String],
        credit: u32,
    ) -> Result<(Self, Vec<String>), Status> {
        let (requests, outgoing) = mpsc::channel(REQUESTS_WAITING_MAX);
        let open = Request::Open(Open { agencies: agencies.to_vec(), credit });
        // The queue is new: it has room.
        let _ = requests.try_send(proto::SubscribeRequest { request: Some(open) });
        let stream = shared.exchange().subscribe(ReceiverStream::new(outgoing)).await?;
        let mut answers = stream.into_inner();
        match answers.message().await?.and_then(|answer| answer.response) {
            Some(Response::Opened(Opened { agencies })) => {
                Ok((Self { requests, answers }, agencies))
            }
            Some(_) => Err(Status::internal("a subscription does not begin with `opened`")),
            None => Err(Status::unavailable("the hub ended the stream before it was opened")),
        }
    }
}

impl Driver {
    pub(super) fn new(
        shared: Arc<Shared>,
        wanted: Vec<String>,
        options: SubscriptionOptions,
        inbox: Arc<Inbox>,
        commands: mpsc::Receiver<Command>,
    ) -> Self {
        let backoff = Backoff::new(shared.retry);
        Self {
            shared,
            wanted,
            options,
            inbox,
            commands,
            book: Book::default(),
            later: VecDeque::new(),
            holding: HashSet::new(),
            owed: 0,
            closed: false,
            backoff,
        }
    }

    /// Serves the stream, and further ones when it breaks, until all handles are gone.
    pub(super) async fn run(mut self, line: Line) {
        let mut line = Some(line);
        let error = loop {
            let end = match line.take() {
                Some(open) => self.serve(open).await,
                None => match self.reopen().await {
                    Ok(open) => {
                        line = Some(open);
                        continue;
                    }
                    Err(verdict) => End::Broken(verdict),
                },
            };
            match end {
                End::Done => break None,
                End::Broken(Verdict::Final(error)) => break Some(error),
                End::Broken(Verdict::Again(last, told)) => {
                    if !self.options.reconnect {
                        let after = std::time::Duration::ZERO;
                        break Some(CallError::GaveUp { attempts: 1, after, last });
                    }
                    if !self.stand_by(&last, told).await {
                        break None;
                    }
                }
            }
        };
        self.book.fail(error.as_ref().unwrap_or(&CallError::Closed));
        if let Some(error) = error {
            self.inbox.put(Err(error));
        }
        self.inbox.finish();
    }

    async fn reopen(&mut self) -> Result<Line, Verdict> {
        let open = Line::open(&self.shared, &self.wanted, self.options.credit);
        match tokio::time::timeout(self.shared.call_max, open).await {
            Ok(Ok((line, _))) => {
                self.backoff.reset();
                self.book.again();
                Ok(line)
            }
            Ok(Err(status)) => Err(self.shared.reader.verdict(&status)),
            Err(_) => Err(self.shared.reader.unreachable(Cause::TimedOut(Step::Answer))),
        }
    }

    /// Waits before the next stream, taking up commands; `false` when nobody is left.
    async fn stand_by(&mut self, last: &Setback, told: Option<std::time::Duration>) -> bool {
        tracing::warn!(%last, "the subscription is broken and will be opened again");
        // What was not taken yet comes again with fresh credit.
        self.inbox.clear();
        self.holding.clear();
        self.later.clear();
        self.owed = 0;
        let until = Instant::now() + self.backoff.pause(told);
        loop {
            let room = !self.closed && self.has_room();
            tokio::select! {
                () = sleep_until(until) => return !(self.closed && self.book.is_empty()),
                command = self.commands.recv(), if room => self.take(command),
            }
        }
    }

    async fn serve(&mut self, mut line: Line) -> End {
        loop {
            if self.closed && self.book.is_empty() && self.later.is_empty() {
                return End::Done;
            }
            let room = !self.closed && self.has_room();
            let something = self.book.has_unsent() || !self.later.is_empty() || self.owed > 0;
            tokio::select! {
                answer = line.answers.message() => {
                    let answer = match answer {
                        Ok(Some(answer)) => answer,
                        Ok(None) => return self.broken("the hub ended the stream"),
                        Err(status) => return End::Broken(self.shared.reader.verdict(&status)),
                    };
                    if let Err(error) = self.heard(answer) {
                        return End::Broken(Verdict::Final(error));
                    }
                }
                command = self.commands.recv(), if room => {
                    self.take(command);
                    while self.has_room()
                        && let Ok(command) = self.commands.try_recv()
                    {
                        self.take(Some(command));
                    }
                }
                permit = line.requests.reserve(), if something => match permit {
                    Ok(permit) => {
                        if let Some(request) = self.say() {
                            permit.send(proto::SubscribeRequest { request: Some(request) });
                        }
                    }
                    Err(_) => return self.broken("the stream is closed"),
                },
            }
        }
    }

    fn take(&mut self, command: Option<Command>) {
        match command {
            Some(Command::Acknowledge { keys, reply }) => self.book.enter(keys, reply),
            Some(Command::Later(negative)) => self.later.push_back(negative),
            None => self.closed = true,
        }
    }

    /// Whether a further command is taken up; else it waits where the handles see it.
    fn has_room(&self) -> bool {
        self.book.len() + self.later.len() < UNANSWERED_MAX
    }

    /// The next message to the hub.
    fn say(&mut self) -> Option<Request> {
        if let Some(negative) = self.later.pop_front() {
            self.release(&negative.key);
            return Some(Request::NegativeAcknowledge(
                proto::subscribe_request::NegativeAcknowledge {
                    key: Some(negative.key.to_proto()),
                    reason: negative.reason,
                    delay: negative.delay.map(moment::duration_to_proto),
                },
            ));
        }
        if self.book.has_unsent() {
            let keys = self.book.batch();
            for key in &keys {
                self.release(key);
            }
            let keys = keys.iter().map(DeliveryKey::to_proto).collect();
            return Some(Request::Acknowledge(Acknowledge { keys }));
        }
        let more = std::mem::take(&mut self.owed).min(CONSUMER_CREDIT_MAX);
        (more > 0).then_some(Request::Credit(Credit { more }))
    }

    /// A delivery no longer holds credit.
    fn release(&mut self, key: &DeliveryKey) {
        if self.holding.remove(key) {
            self.owed += 1;
        }
    }

    fn heard(&mut self, answer: proto::SubscribeResponse) -> Result<(), CallError> {
        match answer.response {
            Some(Response::Delivery(delivery)) => self.arrived(delivery)?,
            Some(Response::Acknowledged(acknowledged)) => {
                for key in acknowledged.keys {
                    self.book.settle(&DeliveryKey::read(key)?, None);
                }
            }
            Some(Response::RefusedAcknowledgement(refused)) => {
                let refusal = read::refusal(refused.refusal)?;
                for key in refused.keys {
                    self.book.settle(&DeliveryKey::read(key)?, Some(&refusal));
                }
            }
            // A later version may say more.
            Some(Response::Opened(_)) | None => {}
        }
        Ok(())
    }

    fn arrived(&mut self, delivery: proto::Delivery) -> Result<(), CallError> {
        let delivery = match Delivery::read(delivery) {
            Ok(delivery) => delivery,
            Err(error) => {
                self.owed += 1;
                self.inbox.put(Err(error));
                return Ok(());
            }
        };
        // It came again because its acknowledgement has no answer yet: the caller has it.
        if self.book.holds(&delivery.key) {
            self.owed += 1;
            return Ok(());
        }
        if self.holding.len() >= self.options.credit as usize {
            return Err(CallError::answer("delivery", "more than the credit allows"));
        }
        if !self.holding.insert(delivery.key.clone()) {
            // The same twice on one stream holds credit once.
            self.owed += 1;
        }
        self.inbox.put(Ok(delivery));
        Ok(())
    }

    fn broken(&self, why: &str) -> End {
        End::Broken(self.shared.reader.unreachable(Cause::Interrupted(why.to_owned())))
    }
}
