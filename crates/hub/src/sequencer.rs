//! The sequencer: one thread that owns the machine and the journal.
//!
//! ```text
//!   take what waits ─▶ decide each ─▶ propose the block ─▶ read it ordered (fdatasync)
//!        ▲                                                        │
//!        └── tell egress ◀── release the replies ◀── publish ◀────┘
//! ```
//! A reply, a refusal too, leaves only after the block before which it was decided is on disk. A
//! failed write stops the hub, one of a payload too.

use std::sync::Arc;
use std::time::{Duration, Instant};

use lienthong_core::engine::{EngineError, Journal, State};
use lienthong_core::{
    AcknowledgeOutcome, Acknowledged, Decision, DeliveryKey, Mail, NegativeAcknowledge, Proposal,
};
use lienthong_ledger::{Claim, FolderLock, JournalFiles, SledState, crash};
use lienthong_model::limits::{
    BLOCK_BYTES_TARGET, BLOCK_ENTRIES_MAX, BLOCK_GATHER_FROM, BLOCK_GATHER_MAX, CHUNK_DELAY,
    PROPOSALS_WAITING_MAX, WORK_PER_BLOCK_MAX,
};
use lienthong_model::{Ordinal, Reason, Refusal, Timestamp};
use tokio::runtime::Handle;
use tokio::sync::{mpsc, oneshot, watch};

use crate::admission::Admission;
use crate::clock::BusinessClock;
use crate::egress::Egress;
use crate::evidence::Evidence;
use crate::gate::{Declined, RefusalGate, WINDOW};
use crate::meters::Meters;
use crate::negatives::{NegativeGate, NotTaken};
use crate::open_folder::{FolderMachine, OpenFolder};
use crate::reader::Reader;
use crate::space::{Level, Space, read_only};

/// How long it may take a thread that has let go of what waits to say how it ended.
const LAST_WORD_MAX: Duration = Duration::from_secs(1);

/// A decision and the time of its block.
#[derive(Debug, Clone)]
pub(crate) struct Decided {
    pub decision: Decision,
    pub at: Timestamp,
}

/// Who is told of mail.
#[derive(Clone)]
pub(crate) struct Couriers {
    pub documents: Egress,
    pub notices: Egress,
}

enum Request {
    Propose(Proposed),
    Declined(Box<Declined>),
    NotTaken(Box<NotTaken>),
}

struct Proposed {
    proposal: Box<Proposal>,
    reply: oneshot::Sender<Decided>,
    /// Payloads that must stay until it is decided and its rows can be read.
    held: Vec<Claim>,
}

/// Proposes to the sequencer; cheap to clone.
#[derive(Clone)]
pub(crate) struct Sequencer {
    requests: mpsc::Sender<Request>,
    running: watch::Receiver<Running>,
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
    egress: Couriers,
    evidence: Arc<Evidence>,
    meters: Arc<Meters>,
    clock: BusinessClock,
    space: Space,
    admission: Arc<Admission>,
    gate: RefusalGate,
    negatives: NegativeGate,
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

/// A decision whose block is not on disk yet.
struct Reply {
    reply: oneshot::Sender<Decided>,
    decision: Decision,
    held: Vec<Claim>,
}

impl Sequencer {
    /// Starts the thread. It ends, with everything written, when every handle is dropped.
    pub fn start(
        folder: OpenFolder,
        reader: Reader,
        egress: Couriers,
        evidence: Arc<Evidence>,
        meters: Arc<Meters>,
        (clock, space): (BusinessClock, Space),
        admission: Arc<Admission>,
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
            meters,
            clock,
            space,
            admission,
            gate: RefusalGate::default(),
            negatives: NegativeGate::default(),
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
        Ok((Self { requests, running: running.clone() }, running))
    }

    /// Proposes, and waits until the decision is on disk.
    ///
    /// # Errors
    /// A [`Refusal`] when the hub is stopping, has failed, or is read only.
    pub async fn propose(&self, proposal: Proposal) -> Result<Decided, Refusal> {
        self.propose_holding(proposal, Vec::new()).await
    }

    /// Proposes what names payloads. They are held until the decision is on disk and its rows can
    /// be read, whether the caller waits for it or not.
    ///
    /// # Errors
    /// As for [`Sequencer::propose`].
    pub async fn propose_holding(
        &self,
        proposal: Proposal,
        held: Vec<Claim>,
    ) -> Result<Decided, Refusal> {
        let (reply, decided) = oneshot::channel();
        let request = Request::Propose(Proposed { proposal: Box::new(proposal), reply, held });
        if self.requests.send(request).await.is_err() {
            return Err(self.stopped().await);
        }
        let Ok(decided) = decided.await else { return Err(self.stopped().await) };
        match decided.decision {
            Decision::Refused(refusal) if refusal.reason == Reason::ReadOnly => Err(refusal),
            _ => Ok(decided),
        }
    }

    /// Notes what ingress declined, so that it is counted; waits in the same queue as proposals.
    pub async fn declined(&self, declined: Declined) {
        // A hub that has stopped counts nothing any more.
        let _ = self.requests.send(Request::Declined(Box::new(declined))).await;
    }

    /// Notes that a delivery could not be taken; waits in the same queue as proposals.
    pub async fn not_taken(&self, not_taken: NotTaken) {
        // A hub that has stopped notes nothing any more; the delivery comes again.
        let _ = self.requests.send(Request::NotTaken(Box::new(not_taken))).await;
    }

    /// How many proposals wait.
    pub fn waiting(&self) -> usize {
        self.requests.max_capacity() - self.requests.capacity()
    }

    /// Why nobody answers. A thread that ends lets go of what waits first and says then how it
    /// ended: that is waited for, so that a failure is not taken for a drain.
    async fn stopped(&self) -> Refusal {
        let mut running = self.running.clone();
        let ended = running.wait_for(|running| *running != Running::Yes);
        match tokio::time::timeout(LAST_WORD_MAX, ended).await {
            Ok(Ok(running)) if matches!(*running, Running::Failed(_)) => {
                Refusal::new(Reason::Stopped)
            }
            // It ended without a word.
            Ok(Err(_)) => Refusal::new(Reason::Stopped),
            Ok(Ok(_)) | Err(_) => {
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
            let next = self.next(runtime, &mut waiting);
            self.space.broken()?;
            match next {
                Next::Request(first) => {
                    self.gather(&waiting);
                    self.block(Some(*first), &mut waiting)?;
                }
                Next::Work => self.block(None, &mut waiting)?,
                Next::Nothing => self.idle(self.began.elapsed())?,
                Next::Ended => break,
            }
        }
        self.idle(Duration::MAX)?;
        self.machine.cut()?;
        self.state.flush()
    }

    /// Waits for a request, unless the hub has work of its own, until a deadline is due.
    fn next(&self, runtime: &Handle, waiting: &mut mpsc::Receiver<Request>) -> Next {
        if self.has_work() {
            return match waiting.try_recv() {
                Ok(request) => Next::Request(Box::new(request)),
                Err(mpsc::error::TryRecvError::Empty) => Next::Work,
                Err(mpsc::error::TryRecvError::Disconnected) => Next::Ended,
            };
        }
        let patience = match self.until_deadline() {
            // Due, and read only.
            Duration::ZERO => CHUNK_DELAY,
            until => CHUNK_DELAY.min(until),
        };
        let waited =
            runtime.block_on(async { tokio::time::timeout(patience, waiting.recv()).await });
        match waited {
            Ok(Some(request)) => Next::Request(Box::new(request)),
            Ok(None) => Next::Ended,
            Err(_) if self.has_work() => Next::Work,
            Err(_) => Next::Nothing,
        }
    }

    /// Lets company come while most of what was let in is still on its way here: a block costs the
    /// same whatever is in it. Few are not waited for: they wait for their answers themselves.
    fn gather(&self, waiting: &mpsc::Receiver<Request>) {
        let began = Instant::now();
        while began.elapsed() < BLOCK_GATHER_MAX {
            let (under_way, here) = (self.admission.under_way(), waiting.len() + 1);
            if under_way < BLOCK_GATHER_FROM || here * 2 >= under_way {
                break;
            }
            // Not woken by each that comes.
            std::thread::sleep(BLOCK_GATHER_MAX / 8);
        }
    }

    /// Whether the hub has work of its own now; a hub that is read only leaves it for later.
    fn has_work(&self) -> bool {
        let is_due = self.machine.next_work().is_some() || self.until_deadline().is_zero();
        is_due && self.space.level() != Level::ReadOnly
    }

    /// Machine time until the soonest deadline; zero when it is due.
    fn until_deadline(&self) -> Duration {
        let deadline = self.machine.next_deadline();
        deadline.map_or(Duration::MAX, |deadline| self.clock.until(deadline))
    }

    /// Decides what the hub owes itself and what waits, in one block, and replies.
    fn block(
        &mut self,
        first: Option<Request>,
        waiting: &mut mpsc::Receiver<Request>,
    ) -> Result<(), EngineError> {
        let mut replies = Vec::new();
        if self.space.check() == Level::ReadOnly {
            return self.decline_all(first, waiting);
        }
        let ordered = self.fill(first, waiting, &mut replies);
        let (mail, at) = match ordered {
            Ok(ordered) => ordered,
            Err(error) => {
                // The block may be on disk with rows that nobody can read: what it names must stay.
                replies.into_iter().for_each(|reply| std::mem::forget(reply.held));
                return Err(error);
            }
        };
        for Reply { reply, decision, held } in replies {
            // A caller that has gone asks again with the same id.
            let _ = reply.send(Decided { decision, at });
            drop(held);
        }
        crash::point("reply-sent");
        self.egress.documents.ordered(mail.documents);
        self.egress.notices.ordered(mail.notices);
        Ok(())
    }

    /// Fills a block and puts it on disk; returns what it changes in mailboxes, and its time.
    fn fill(
        &mut self,
        first: Option<Request>,
        waiting: &mut mpsc::Receiver<Request>,
        replies: &mut Vec<Reply>,
    ) -> Result<(Mail, Timestamp), EngineError> {
        self.machine.begin(self.clock.now());
        let mut known = Vec::new();
        for _ in 0..WORK_PER_BLOCK_MAX {
            let Some(work) = self.machine.next_work() else { break };
            self.machine.decide(Proposal::Work(work))?;
        }
        let mut next = first;
        let mut taken = 0;
        while let Some(request) = next {
            self.decide(request, replies, &mut known)?;
            taken += 1;
            let full = taken >= BLOCK_ENTRIES_MAX || self.machine.bytes() >= BLOCK_BYTES_TARGET;
            next = if full { None } else { waiting.try_recv().ok() };
        }
        let at = self.machine.begun_at();
        let mut mail = self.machine.take_mail();
        mail.documents.settled.append(&mut known);
        let now = self.began.elapsed();
        if now >= self.released.saturating_add(WINDOW) {
            self.release(now)?;
        }
        self.order()?;
        Ok((mail, at))
    }

    /// Nothing is decided while there is no room to write it.
    fn decline_all(
        &mut self,
        first: Option<Request>,
        waiting: &mut mpsc::Receiver<Request>,
    ) -> Result<(), EngineError> {
        let at = self.machine.begun_at();
        let mut next = first;
        while let Some(request) = next {
            if let Request::Propose(Proposed { reply, .. }) = request {
                let _ = reply.send(Decided { decision: Decision::Refused(read_only()), at });
            }
            next = waiting.try_recv().ok();
        }
        Ok(())
    }

    /// Decides one request; `known` gets the deliveries that were acknowledged before.
    fn decide(
        &mut self,
        request: Request,
        replies: &mut Vec<Reply>,
        known: &mut Vec<DeliveryKey>,
    ) -> Result<(), EngineError> {
        match request {
            Request::Declined(declined) => self.refuse(*declined),
            Request::NotTaken(not_taken) => {
                match self.negatives.admit(*not_taken, self.began.elapsed()) {
                    Some(negative) => self.note(negative),
                    None => Ok(()),
                }
            }
            Request::Propose(Proposed { proposal, reply, held }) => {
                let about = About::of(&proposal);
                let acknowledged = acknowledged(&proposal);
                let decision = self.machine.decide(*proposal)?;
                self.meters.decided(&decision);
                match (&decision, about) {
                    (Decision::Refused(refusal), Some(about)) => {
                        self.refuse(about.declined(refusal.clone()))?;
                    }
                    (Decision::Acknowledged(decided), _) => {
                        known.extend(no_longer_waiting(acknowledged, decided));
                    }
                    _ => {}
                }
                replies.push(Reply { reply, decision, held });
                Ok(())
            }
        }
    }

    fn refuse(&mut self, declined: Declined) -> Result<(), EngineError> {
        self.meters.refused(declined.refusal.reason);
        match self.gate.admit(declined, self.began.elapsed()) {
            Some((request, refusal)) => self.machine.record_refusal(request, refusal),
            None => Ok(()),
        }
    }

    fn note(&mut self, negative: NegativeAcknowledge) -> Result<(), EngineError> {
        self.machine.decide(Proposal::NegativeAcknowledge(negative)).map(|_| ())
    }

    /// Journals what was held back, in the block under way and further ones when it is full.
    fn release(&mut self, now: Duration) -> Result<(), EngineError> {
        self.released = now;
        for negative in self.negatives.release(now) {
            self.note(negative)?;
        }
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
        let began = Instant::now();
        while self.journal.read_ordered()?.is_some_and(|block| block < sealed.marker.block) {}
        self.meters.synced(&sealed, began.elapsed());
        self.machine.commit()?;
        self.evidence.advance(self.machine.log_size())?;
        self.reader.note_ordered(sealed.marker.block);
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

/// Of the deliveries that an acknowledgement names, those that are not to be pushed again.
fn no_longer_waiting(
    named: Vec<DeliveryKey>,
    decided: &Acknowledged,
) -> impl Iterator<Item = DeliveryKey> {
    let outcomes = named.into_iter().zip(&decided.outcomes);
    let known = outcomes.filter(|(_, outcome)| **outcome != AcknowledgeOutcome::Unknown);
    known.map(|(key, _)| key)
}

/// The deliveries that an acknowledgement names, in its order.
fn acknowledged(proposal: &Proposal) -> Vec<DeliveryKey> {
    match proposal {
        Proposal::Acknowledge(asked) => asked.deliveries.iter().map(|one| one.key).collect(),
        Proposal::Submit { .. }
        | Proposal::Report { .. }
        | Proposal::NegativeAcknowledge(_)
        | Proposal::AcknowledgeNotices(_)
        | Proposal::Administer(_)
        | Proposal::SaveList(_)
        | Proposal::RemoveList(_)
        | Proposal::Remind(_)
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
}

impl About {
    fn of(proposal: &Proposal) -> Option<Self> {
        match proposal {
            Proposal::Submit { caller, submission, .. } => Some(Self {
                caller: *caller,
                id: submission.header.id,
                digest: submission.signed.digest,
                size: submission.signed.size(),
            }),
            Proposal::Report { caller, submission, .. } => Some(Self {
                caller: *caller,
                id: submission.header.id,
                digest: submission.signed.digest,
                size: submission.signed.size(),
            }),
            Proposal::Acknowledge(_)
            | Proposal::NegativeAcknowledge(_)
            | Proposal::AcknowledgeNotices(_)
            | Proposal::Administer(_)
            | Proposal::SaveList(_)
            | Proposal::RemoveList(_)
            | Proposal::Remind(_)
            | Proposal::Act { .. }
            | Proposal::Work(_) => None,
        }
    }

    fn declined(self, refusal: Refusal) -> Declined {
        let Self { caller, id, digest, size } = self;
        Declined { caller, id: Some(id), digest, size, refusal }
    }
}
