//! The task that owns a subscription's stream.

use std::collections::{HashSet, VecDeque};
use std::sync::Arc;

use lienthong_model::limits::{CONSUMER_CREDIT_MAX, PULL_MAX};
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep_until};
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Status, Streaming};

use super::SubscriptionOptions;
use super::book::{Book, Reply};
use super::feed::{Feed, Heard};
use super::inbox::Inbox;
use crate::client::{Client, Shared};
use crate::error::{CallError, Setback, Verdict};
use crate::retry::Backoff;
use crate::unreachable::{Cause, Step};

/// Messages to the hub that may wait for the network.
const REQUESTS_WAITING_MAX: usize = 64;
/// Acknowledgements that may be without an answer before further ones wait.
const UNANSWERED_MAX: usize = 16 * PULL_MAX;

/// What handles ask of the task.
#[derive(Debug)]
pub(super) enum Command<F: Feed> {
    Acknowledge { keys: Vec<F::Key>, reply: Option<Reply> },
    Later(F::Later),
}

/// An open stream.
pub(super) struct Line<F: Feed> {
    requests: mpsc::Sender<F::Request>,
    answers: Streaming<F::Answer>,
}

/// The owner of a stream.
pub(super) struct Driver<F: Feed> {
    shared: Arc<Shared>,
    wanted: Vec<String>,
    options: SubscriptionOptions,
    inbox: Arc<Inbox<F>>,
    commands: mpsc::Receiver<Command<F>>,
    book: Book<F::Key>,
    /// What the caller could not take, and how that is said.
    later: VecDeque<(F::Key, F::Request)>,
    /// What came on this stream and holds credit.
    holding: HashSet<F::Key>,
    /// What the caller had when the last stream broke and has not come again: it will, unless its
    /// acknowledgement is quicker.
    awaited: HashSet<F::Key>,
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

impl<F: Feed> Line<F> {
    /// Opens a stream; with it, the agencies that the hub says it serves.
    pub(super) async fn open(
        client: &Client,
        agencies: &[String],
        credit: u32,
    ) -> Result<(Self, Vec<String>), Status> {
        let (requests, outgoing) = mpsc::channel(REQUESTS_WAITING_MAX);
        // The queue is new: it has room.
        let _ = requests.try_send(F::open(agencies.to_vec(), credit));
        let mut answers = F::call(client, ReceiverStream::new(outgoing)).await?;
        match answers.message().await?.map(F::heard) {
            Some(Ok(Heard::Opened(agencies))) => Ok((Self { requests, answers }, agencies)),
            Some(_) => Err(Status::internal("a subscription does not begin with `opened`")),
            None => Err(Status::unavailable("the hub ended the stream before it was opened")),
        }
    }
}

impl<F: Feed> Driver<F> {
    pub(super) fn new(
        shared: Arc<Shared>,
        wanted: Vec<String>,
        options: SubscriptionOptions,
        inbox: Arc<Inbox<F>>,
        commands: mpsc::Receiver<Command<F>>,
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
            awaited: HashSet::new(),
            owed: 0,
            closed: false,
            backoff,
        }
    }

    /// Serves the stream, and further ones when it breaks, until all handles are gone.
    pub(super) async fn run(mut self, line: Line<F>) {
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

    async fn reopen(&mut self) -> Result<Line<F>, Verdict> {
        let client = Client { shared: self.shared.clone() };
        let open = Line::open(&client, &self.wanted, self.options.credit);
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
        self.awaited = self.inbox.clear();
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

    async fn serve(&mut self, mut line: Line<F>) -> End {
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
                            permit.send(request);
                        }
                    }
                    Err(_) => return self.broken("the stream is closed"),
                },
            }
        }
    }

    fn take(&mut self, command: Option<Command<F>>) {
        match command {
            Some(Command::Acknowledge { keys, reply }) => self.book.enter(keys, reply),
            Some(Command::Later(negative)) => {
                let (key, request) = F::later(negative);
                self.give_back(&key);
                self.later.push_back((key, request));
            }
            None => self.closed = true,
        }
    }

    /// Whether a further command is taken up; else it waits where the handles see it.
    fn has_room(&self) -> bool {
        self.book.len() + self.later.len() < UNANSWERED_MAX
    }

    /// The next message to the hub.
    fn say(&mut self) -> Option<F::Request> {
        if let Some((key, request)) = self.later.pop_front() {
            self.release(&key);
            return Some(request);
        }
        if self.book.has_unsent() {
            let keys = self.book.batch();
            for key in &keys {
                self.release(key);
            }
            return Some(F::acknowledge(&keys));
        }
        let more = std::mem::take(&mut self.owed).min(CONSUMER_CREDIT_MAX);
        (more > 0).then(|| F::credit(more))
    }

    /// The caller no longer has it, and the hub still does: it may be handed out again.
    fn give_back(&mut self, key: &F::Key) {
        self.inbox.release(key);
        self.awaited.remove(key);
    }

    /// Something no longer holds credit.
    fn release(&mut self, key: &F::Key) {
        if self.holding.remove(key) {
            self.owed += 1;
        }
    }

    fn heard(&mut self, answer: F::Answer) -> Result<(), CallError> {
        match F::heard(answer)? {
            Heard::Arrived(Ok(item)) => self.arrived(item)?,
            Heard::Arrived(Err(error)) => {
                self.owed += 1;
                self.inbox.put(Err(error));
            }
            Heard::Acknowledged(keys) => {
                for key in keys {
                    self.book.settle(&key, None);
                    self.inbox.release(&key);
                }
            }
            Heard::Refused(keys, refusal) => {
                for key in keys {
                    self.book.settle(&key, Some(&refusal));
                    self.give_back(&key);
                }
            }
            Heard::Opened(_) | Heard::Other => {}
        }
        Ok(())
    }

    fn arrived(&mut self, item: F) -> Result<(), CallError> {
        let key = item.key();
        // It came again while its acknowledgement is on its way, or was on its way when the hub took
        // that: the caller had it.
        let came_late = self.awaited.remove(key) && !self.inbox.is_taken(key);
        if came_late || self.book.holds(key) {
            self.owed += 1;
            return Ok(());
        }
        if self.holding.len() >= self.options.credit as usize {
            return Err(CallError::answer("subscription", "more than the credit allows"));
        }
        if !self.holding.insert(key.clone()) {
            // The same twice on one stream holds credit once.
            self.owed += 1;
        }
        self.inbox.put(Ok(item));
        Ok(())
    }

    fn broken(&self, why: &str) -> End {
        End::Broken(self.shared.reader.unreachable(Cause::Interrupted(why.to_owned())))
    }
}
