//! Egress: a task that owns one of core's delivery machines and hands each consumer what is to be
//! pushed. There is one for documents and one for notices.
//!
//! It moves places (positions, numbers), not bytes: the consumer's own stream reads the content.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use lienthong_core::engine::EngineError;
use lienthong_core::{
    Arrival, ConsumerId, Courier, DeliveryKey, Mailbox, MailboxChanges, Push, PushMarks,
};
use lienthong_model::limits::{
    CONSUMER_CREDIT_MAX, CONSUMERS_MAX, CONSUMERS_PER_AGENCY_MAX, PROPOSALS_WAITING_MAX,
};
use lienthong_model::{Ordinal, Position, Reason, Refusal};
use tokio::sync::{mpsc, oneshot};

use crate::places::{SharedPlace, SharedPlaces};
use crate::present::unreadable;
use crate::reader::Reader;

/// Consumers of a task, and one caller's share of them.
const CONSUMERS: (usize, usize) = (CONSUMERS_MAX, CONSUMERS_PER_AGENCY_MAX);
/// Pushes decided before requests are looked at again.
const ROUND: usize = 256;
/// Arrivals that may wait; a full queue makes the sequencer wait, never lose one.
const ARRIVALS_WAITING_MAX: usize = PROPOSALS_WAITING_MAX;

/// Which mailboxes a task delivers from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Source {
    Documents,
    Notices,
}

enum Request {
    Ordered(MailboxChanges),
    Open { opening: Opening, reply: oneshot::Sender<Result<Consumer, Refusal>> },
    Grant { consumer: ConsumerId, more: u32 },
    Close(ConsumerId),
    Defer { recipient: Ordinal, position: Position, delay: Duration },
    Pull { recipient: Ordinal, max: usize, reply: oneshot::Sender<Result<Vec<Push>, EngineError>> },
}

/// A consumer that is to be opened.
#[derive(Debug)]
pub(crate) struct Opening {
    /// Who calls: of one agency's consumers there is a bounded number.
    pub caller: Ordinal,
    /// Whose mailboxes are read.
    pub agencies: Vec<Ordinal>,
    /// How much may be pushed before it says more.
    pub credit: u32,
}

/// A handle on the task; cheap to clone.
#[derive(Clone)]
pub(crate) struct Egress {
    requests: mpsc::Sender<Request>,
}

/// A consumer's end: what is pushed to it. Dropping it closes the consumer.
pub(crate) struct Consumer {
    pub id: ConsumerId,
    pub pushes: mpsc::Receiver<Push>,
    egress: Egress,
}

/// A consumer that is open.
struct Open {
    pushes: mpsc::Sender<Push>,
    _place: SharedPlace,
}

struct Task {
    courier: Courier,
    consumers: HashMap<ConsumerId, Open>,
    places: Arc<SharedPlaces>,
    opened: u64,
    source: Source,
    /// Where pushes of documents are marked.
    marks: Option<Arc<PushMarks>>,
    reader: Reader,
    began: Instant,
    /// Weak, so that the task ends with the last handle outside.
    requests: mpsc::WeakSender<Request>,
}

impl Source {
    /// Lets somebody read the mailboxes.
    fn read<R>(self, reader: &Reader, read: impl FnOnce(&dyn Mailbox) -> R) -> R {
        match self {
            Self::Documents => read(&reader.query()),
            Self::Notices => read(&reader.notice_mailbox()),
        }
    }
}

impl Egress {
    /// Starts the task; it ends when every handle is dropped. What it pushes is marked
    /// before, where marks are given.
    pub fn start(source: Source, marks: Option<Arc<PushMarks>>, reader: Reader) -> Self {
        let (requests, waiting) = mpsc::channel(ARRIVALS_WAITING_MAX);
        let egress = Self { requests };
        let task = Task {
            courier: Courier::default(),
            consumers: HashMap::new(),
            places: SharedPlaces::new(CONSUMERS, "open", Duration::from_secs(5)),
            opened: 0,
            source,
            marks,
            reader,
            began: Instant::now(),
            requests: egress.requests.downgrade(),
        };
        tokio::spawn(task.run(waiting));
        egress
    }

    /// Tells what entered and left mailboxes. Called by the sequencer's thread; waits when too much
    /// is untold.
    pub fn ordered(&self, changes: MailboxChanges) {
        if !changes.is_empty() {
            // The task ends last; without it there is nobody to push to.
            let _ = self.requests.blocking_send(Request::Ordered(changes));
        }
    }

    /// Opens a consumer.
    ///
    /// # Errors
    /// A [`Refusal`] when there are too many, or the hub is stopping.
    pub async fn open(&self, opening: Opening) -> Result<Consumer, Refusal> {
        let (reply, opened) = oneshot::channel();
        let draining = || Refusal::new(Reason::Draining).retry_after(Duration::from_secs(1));
        let request = Request::Open { opening, reply };
        self.requests.send(request).await.map_err(|_| draining())?;
        opened.await.map_err(|_| draining())?
    }

    /// Waits until the task has ended: while there is a handle, only a panic ends it.
    pub async fn ended(&self) {
        self.requests.closed().await;
    }

    /// Gives a consumer room for more.
    pub async fn grant(&self, consumer: ConsumerId, more: u32) {
        let _ = self.requests.send(Request::Grant { consumer, more }).await;
    }

    /// Takes a delivery back, to be pushed again after a delay.
    pub async fn defer(&self, recipient: Ordinal, position: Position, delay: Duration) {
        let _ = self.requests.send(Request::Defer { recipient, position, delay }).await;
    }

    /// Takes deliveries out of a mailbox for a caller without a stream.
    ///
    /// # Errors
    /// A [`Refusal`]: STORAGE_DAMAGED when the mailbox cannot be read, or the hub is stopping.
    pub async fn pull(&self, recipient: Ordinal, max: usize) -> Result<Vec<Push>, Refusal> {
        let (reply, pulled) = oneshot::channel();
        let draining = |_| Refusal::new(Reason::Draining).retry_after(Duration::from_secs(1));
        let request = Request::Pull { recipient, max, reply };
        self.requests.send(request).await.map_err(|_| draining(()))?;
        pulled.await.map_err(|_| draining(()))?.map_err(|error| unreadable(&error))
    }
}

impl Drop for Consumer {
    fn drop(&mut self) {
        let close = Request::Close(self.id);
        if let Err(mpsc::error::TrySendError::Full(close)) = self.egress.requests.try_send(close) {
            let requests = self.egress.requests.clone();
            tokio::spawn(async move { requests.send(close).await });
        }
    }
}

impl Task {
    async fn run(mut self, mut waiting: mpsc::Receiver<Request>) {
        loop {
            let more = self.courier.has_work();
            let due = self.courier.next_return().map(|at| self.began + at);
            tokio::select! {
                biased;
                request = waiting.recv() => match request {
                    Some(request) => self.take(request),
                    None => return,
                },
                () = std::future::ready(()), if more => {}
                () = until(due), if !more => {}
            }
            // What else waits comes first: a settled delivery makes room.
            for _ in 0..ROUND {
                let Ok(request) = waiting.try_recv() else { break };
                self.take(request);
            }
            if let Err(error) = self.push() {
                // It is looked at again later; the others go on.
                tracing::error!(%error, "cannot read a mailbox");
            }
            tokio::task::yield_now().await;
        }
    }

    fn take(&mut self, request: Request) {
        match request {
            Request::Ordered(changes) => {
                for Arrival { recipient, lane, position } in changes.arrived {
                    self.courier.arrived(recipient, lane, position);
                }
                for DeliveryKey { recipient, position } in changes.settled {
                    self.courier.settle(recipient, position);
                }
            }
            Request::Open { opening, reply } => {
                let consumer = self.open(opening);
                // Whoever has gone meanwhile drops the consumer, which closes it.
                let _ = reply.send(consumer);
            }
            Request::Grant { consumer, more } => self.courier.grant(consumer, more),
            Request::Close(consumer) => self.close(consumer),
            Request::Defer { recipient, position, delay } => {
                let until = self.began.elapsed() + delay;
                self.courier.defer(recipient, position, until);
            }
            Request::Pull { recipient, max, reply } => {
                let now = self.began.elapsed();
                let courier = &mut self.courier;
                let pull = |mail: &dyn Mailbox| courier.pull(recipient, max, now, mail);
                let pulled = self.source.read(&self.reader, pull);
                self.mark(pulled.as_deref().unwrap_or_default());
                let _ = reply.send(pulled);
            }
        }
    }

    fn open(&mut self, opening: Opening) -> Result<Consumer, Refusal> {
        let Opening { caller, agencies, credit } = opening;
        let place = self.places.take(caller)?;
        let Some(requests) = self.requests.upgrade() else {
            return Err(Refusal::new(Reason::Draining));
        };
        let egress = Egress { requests };
        self.opened += 1;
        let id = ConsumerId(self.opened);
        // A consumer never has more pushes waiting than its credit: sending never fails for room.
        let (pushes, pushed) = mpsc::channel(CONSUMER_CREDIT_MAX as usize);
        self.consumers.insert(id, Open { pushes, _place: place });
        self.courier.open(id, agencies);
        self.courier.grant(id, credit);
        Ok(Consumer { id, pushes: pushed, egress })
    }

    fn close(&mut self, id: ConsumerId) {
        self.consumers.remove(&id);
        self.courier.close(id);
    }

    fn mark(&self, pushes: &[Push]) {
        if let Some(marks) = &self.marks {
            marks.note(pushes);
        }
    }

    fn push(&mut self) -> Result<(), EngineError> {
        let now = self.began.elapsed();
        let courier = &mut self.courier;
        let pushes = self.source.read(&self.reader, |mail| courier.poll(now, ROUND, mail))?;
        self.mark(&pushes);
        for push in pushes {
            let consumer = push.consumer.and_then(|id| self.consumers.get(&id));
            let pushed = consumer.is_some_and(|open| open.pushes.try_send(push).is_ok());
            if !pushed && let Some(id) = push.consumer {
                // It has gone without a word; its deliveries go to others.
                self.close(id);
            }
        }
        Ok(())
    }
}

async fn until(due: Option<Instant>) {
    match due {
        Some(due) => tokio::time::sleep_until(due.into()).await,
        None => std::future::pending().await,
    }
}
