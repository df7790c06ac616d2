//! The sequencer: one thread that owns the machine and the journal.
//!
//! ```text
//!   take what waits ─▶ decide each ─▶ propose the block ─▶ read it ordered (fdatasync)
//!        ▲                                                        │
//!        └── tell egress ◀── release the replies ◀── publish ◀────┘
//! ```
//! A reply, a refusal too, leaves only after the block before which it was decided is on disk. A
//! failed write stops the hub.

use std::sync::Arc;
use std::time::{Duration, Instant};

use lienthong_core::engine::{EngineError, Journal, State};
use lienthong_core::{AcknowledgeOutcome, Decision, DeliveryKey, MailboxLane, Proposal};
use lienthong_ledger::{FolderLock, JournalFiles, SledState, crash};
use lienthong_model::limits::{
    BLOCK_BYTES_TARGET, BLOCK_ENTRIES_MAX, CHUNK_DELAY, PROPOSALS_WAITING_MAX, WORK_PER_BLOCK_MAX,
};
use lienthong_model::{Ordinal, Reason, Refusal, Timestamp};
use tokio::runtime::Handle;
use tokio::sync::{mpsc, oneshot, watch};

use crate::clock::BusinessClock;
use crate::egress::{Arrival, Egress, Mail};
use crate::evidence::Evidence;
use crate::gate::{Declined, RefusalGate, WINDOW};
use crate::open_folder::{FolderMachine, OpenFolder};
use crate::reader::Reader;
use crate::space::{Level, Space, read_only};

/// A decision and the time of its block.
#[derive(Debug, Clone)]
pub(crate) struct Decided {
    pub decision: Decision,
    pub at: Timestamp,
}

enum Request {
    Propose { proposal: Box<Proposal>, reply: oneshot::Sender<Decided> },
    Declined(Box<Declined>),
}

/// Proposes to the sequencer; cheap to clone.
#[derive(Clone)]
pub(crate) struct Sequencer {
    requests: mpsc::Sender<Request>,
    running: watch::Receiver<Running>,
    space: Space,
}

/// Whether the sequencer runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Running {
    Yes,
    /// It has written everything and let the folder go.
    Ended,
    /// It failed.
    Failed(String),
}

struct Thread {
    machine: FolderMachine,
    journal: JournalFiles,
    state: Arc<SledState>,
    reader: Reader,
    egress: Egress,
    evidence: Arc<Evidence>,
    clock: BusinessClock,
    space: Space,
    gate: RefusalGate,
    began: Instant,
    /// When refusals that were held back were last asked for.
    released: Duration,
    uncut: bool,
    /// The folder is ours until the thread ends.
    _lock: FolderLock,
}

/// What the thread does next.
enum Next {
    Request(Box<Request>),
    /// Nobody asks, but the hub has work of its own.
    Work,
    Nothing,
    /// Every handle is dropped.
    Ended,
}

type Reply = (oneshot::Sender<Decided>, Decision);

impl Sequencer {
    /// Starts the thread. It ends, with everything written, when every handle is dropped.
    pub fn start(
        folder: OpenFolder,
        reader: Reader,
        egress: Egress,
        evidence: Arc<Evidence>,
        (clock, space): (BusinessClock, Space),
    ) -> std::io::Result<(Self, watch::Receiver<Running>)> {
        let (requests, waiting) = mpsc::channel(PROPOSALS_WAITING_MAX);
        let (told, running) = watch::channel(Running::Yes);
        let runtime = Handle::current();
        let thread = Thread {
            machine: folder.machine,
            journal: folder.journal,
            state: folder.state,
            reader,
            egress,
            evidence,
            clock,
            space: space.clone(),
            gate: RefusalGate::default(),
            began: Instant::now(),
            released: Duration::ZERO,
            uncut: false,
            _lock: folder.lock,
        };
        std::thread::Builder::new().name("sequencer".to_owned()).spawn(move || {
            let ended = thread.run(&runtime, waiting);
            let running = match ended {
                Ok(()) => Running::Ended,
                Err(error) => {
                    tracing::error!(%error, "the hub stops: a write or read failed");
                    Running::Failed(error.to_string())
                }
            };
            // Nobody listening is nobody to tell.
            let _ = told.send(running);
        })?;
        Ok((Self { requests, running: running.clone(), space }, running))
    }

    /// Proposes, and waits until the decision is on disk.
    ///
    /// # Errors
    /// A [`Refusal`] when the hub is stopping, has failed, or is read only.
    pub async fn propose(&self, proposal: Proposal) -> Result<Decided, Refusal> {
        let (reply, decided) = oneshot::channel();
        let request = Request::Propose { proposal: Box::new(proposal), reply };
        self.requests.send(request).await.map_err(|_| self.stopped())?;
        decided.await.map_err(|_| self.stopped())
    }

    /// Notes what ingress declined, so that it is counted; waits in the same queue as proposals.
    pub async fn declined(&self, declined: Declined) {
        // A hub that has stopped counts nothing any more.
        let _ = self.requests.send(Request::Declined(Box::new(declined))).await;
    }

    fn stopped(&self) -> Refusal {
        match &*self.running.borrow() {
            Running::Failed(_) => Refusal::new(Reason::Stopped),
            Running::Yes if self.space.level() == Level::ReadOnly => read_only(),
            Running::Yes | Running::Ended => {
                Refusal::new(Reason::Draining).retry_after(Duration::from_secs(1))
            }
        }
    }
}

impl Thread {
    fn run(
        mut self,
        runtime: &Handle,
        mut waiting: mpsc::Receiver<Request>,
    ) -> Result<(), EngineError> {
        loop {
            match self.next(runtime, &mut waiting) {
                Next::Request(first) => self.block(Some(*first), &mut waiting)?,
                Next::Work => self.block(None, &mut waiting)?,
                Next::Nothing => self.idle(self.began.elapsed())?,
                Next::Ended => break,
            }
        }
        self.idle(Duration::MAX)?;
        self.machine.cut()?;
        self.state.flush()
    }

    /// Waits for a request, unless the hub has work of its own.
    fn next(&self, runtime: &Handle, waiting: &mut mpsc::Receiver<Request>) -> Next {
        if self.machine.next_work().is_some() {
            return match waiting.try_recv() {
                Ok(request) => Next::Request(Box::new(request)),
                Err(mpsc::error::TryRecvError::Empty) => Next::Work,
                Err(mpsc::error::TryRecvError::Disconnected) => Next::Ended,
            };
        }
        let waited =
            runtime.block_on(async { tokio::time::timeout(CHUNK_DELAY, waiting.recv()).await });
        match waited {
            Ok(Some(request)) => Next::Request(Box::new(request)),
            Ok(None) => Next::Ended,
            Err(_) => Next::Nothing,
        }
    }

    /// Decides what the hub owes itself and what waits, in one block, and replies.
    fn block(
        &mut self,
        first: Option<Request>,
        waiting: &mut mpsc::Receiver<Request>,
    ) -> Result<(), EngineError> {
        if self.space.check() == Level::ReadOnly {
            // Nothing is decided: whoever waits for a reply learns why from the level.
            drop(first);
            while waiting.try_recv().is_ok() {}
            return Ok(());
        }
        self.machine.begin(self.clock.now());
        let mut replies: Vec<Reply> = Vec::new();
        let mut mail = Mail::default();
        for _ in 0..WORK_PER_BLOCK_MAX {
            let Some(work) = self.machine.next_work() else { break };
            self.machine.decide(Proposal::Work(work))?;
        }
        let mut next = first;
        let mut taken = 0;
        while let Some(request) = next {
            self.decide(request, &mut replies, &mut mail)?;
            taken += 1;
            let full = taken >= BLOCK_ENTRIES_MAX || self.machine.bytes() >= BLOCK_BYTES_TARGET;
            next = if full { None } else { waiting.try_recv().ok() };
        }
        let at = self.machine.begun_at();
        let now = self.began.elapsed();
        if now >= self.released.saturating_add(WINDOW) {
            self.release(now)?;
        }
        self.order()?;
        for (reply, decision) in replies {
            // A caller that has gone asks again with the same id.
            let _ = reply.send(Decided { decision, at });
        }
        crash::point("reply-sent");
        self.egress.ordered(mail);
        Ok(())
    }

    fn decide(
        &mut self,
        request: Request,
        replies: &mut Vec<Reply>,
        mail: &mut Mail,
    ) -> Result<(), EngineError> {
        match request {
            Request::Declined(declined) => self.refuse(*declined),
            Request::Propose { proposal, reply } => {
                let about = About::of(&proposal);
                let acknowledged = acknowledged(&proposal);
                let decision = self.machine.decide(*proposal)?;
                match &decision {
                    Decision::Accepted(accepted) => {
                        let lane = about.as_ref().map_or(MailboxLane::Ordinary, |about| about.lane);
                        mail.arrived.extend(accepted.deliveries.iter().map(|delivery| Arrival {
                            recipient: delivery.recipient,
                            lane,
                            position: accepted.position,
                        }));
                    }
                    Decision::Refused(refusal) => {
                        if let Some(about) = about {
                            self.refuse(about.declined(refusal.clone()))?;
                        }
                    }
                    // A report implies that the recipient has the document.
                    Decision::Reported(reported) => mail.settled.push(reported.delivery),
                    Decision::Acknowledged(decided) => {
                        let outcomes = acknowledged.into_iter().zip(&decided.outcomes);
                        let known = outcomes
                            .filter(|(_, outcome)| **outcome != AcknowledgeOutcome::Unknown);
                        mail.settled.extend(known.map(|(delivery, _)| delivery));
                    }
                    Decision::Repeated(_) | Decision::Done | Decision::Settled(_) => {}
                }
                replies.push((reply, decision));
                Ok(())
            }
        }
    }

    fn refuse(&mut self, declined: Declined) -> Result<(), EngineError> {
        match self.gate.admit(declined, self.began.elapsed()) {
            Some((request, refusal)) => self.machine.record_refusal(request, refusal),
            None => Ok(()),
        }
    }

    /// Journals what was held back, in the block under way and further ones when it is full.
    fn release(&mut self, now: Duration) -> Result<(), EngineError> {
        self.released = now;
        for (request, refusal) in self.gate.release(now) {
            if self.machine.bytes() >= BLOCK_BYTES_TARGET {
                self.order()?;
                self.machine.begin(self.clock.now());
            }
            self.machine.record_refusal(request, refusal)?;
        }
        Ok(())
    }

    /// Puts the block under way on disk and makes it visible.
    fn order(&mut self) -> Result<(), EngineError> {
        let Some(sealed) = self.machine.seal() else { return Ok(()) };
        self.journal.propose(&sealed)?;
        while self.journal.read_ordered()?.is_some_and(|block| block < sealed.marker.block) {}
        self.machine.commit()?;
        self.evidence.advance(self.machine.log_size())?;
        self.uncut = true;
        if !self.reader.policy().is_same(self.machine.policy()) {
            self.reader.set_policy(self.machine.policy());
        }
        Ok(())
    }

    /// Nothing waits: what was held back is journalled, and the state gets the last blocks.
    fn idle(&mut self, now: Duration) -> Result<(), EngineError> {
        if self.space.level() != Level::ReadOnly {
            self.machine.begin(self.clock.now());
            self.release(now)?;
            self.order()?;
        }
        if std::mem::take(&mut self.uncut) {
            self.machine.cut()?;
        }
        Ok(())
    }
}

/// The deliveries that an acknowledgement names, in its order.
fn acknowledged(proposal: &Proposal) -> Vec<DeliveryKey> {
    match proposal {
        Proposal::Acknowledge(asked) => asked.deliveries.iter().map(|one| one.key).collect(),
        Proposal::Submit { .. }
        | Proposal::Report { .. }
        | Proposal::Administer(_)
        | Proposal::Act { .. }
        | Proposal::Work(_) => Vec::new(),
    }
}

/// What must be known of a proposal after it was decided.
struct About {
    caller: Ordinal,
    id: lienthong_model::MessageId,
    digest: lienthong_model::Digest,
    size: u64,
    lane: MailboxLane,
}

impl About {
    fn of(proposal: &Proposal) -> Option<Self> {
        match proposal {
            Proposal::Submit { caller, submission, .. } => Some(Self {
                caller: *caller,
                id: submission.header.id,
                digest: submission.signed.digest,
                size: submission.signed.size(),
                lane: lienthong_core::lane(submission.header.urgency),
            }),
            Proposal::Report { caller, submission, .. } => Some(Self {
                caller: *caller,
                id: submission.header.id,
                digest: submission.signed.digest,
                size: submission.signed.size(),
                lane: MailboxLane::Ordinary,
            }),
            Proposal::Acknowledge(_)
            | Proposal::Administer(_)
            | Proposal::Act { .. }
            | Proposal::Work(_) => None,
        }
    }

    fn declined(self, refusal: Refusal) -> Declined {
        let Self { caller, id, digest, size, .. } = self;
        Declined { caller, id: Some(id), digest, size, refusal }
    }
}
