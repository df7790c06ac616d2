//! The sequencer's thread: which requests make a block, and what is done before and after it is on
//! disk.

use std::sync::Arc;
use std::time::{Duration, Instant};

use lienthong_core::engine::{EngineError, Journal, State};
use lienthong_core::{
    AcknowledgeOutcome, Acknowledged, Decision, DeliveryKey, Mail, NegativeAcknowledge, Proposal,
};
use lienthong_ledger::{Claim, FolderLock, JournalFiles, SledState, crash};
use lienthong_model::limits::{
    BLOCK_BYTES_TARGET, BLOCK_ENTRIES_MAX, BLOCK_GATHER_FROM, BLOCK_GATHER_MAX, CHUNK_DELAY,
    WORK_PER_BLOCK_MAX,
};
use lienthong_model::{Ordinal, Reason, Refusal, Timestamp};
use tokio::runtime::Handle;
use tokio::sync::{mpsc, oneshot};

use super::{Decided, Proposed, Request, Surroundings};
use crate::gate::{Declined, RefusalGate, WINDOW};
use crate::negatives::NegativeGate;
use crate::open_folder::{FolderMachine, OpenFolder};
use crate::space::{Level, read_only};

/// The thread, with what it owns.
pub(super) struct Thread {
    machine: FolderMachine,
    journal: JournalFiles,
    state: Arc<SledState>,
    around: Surroundings,
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

impl Thread {
    pub fn new(folder: OpenFolder, around: Surroundings) -> Self {
        Self {
            machine: folder.machine,
            journal: folder.journal,
            state: folder.state,
            around,
            gate: RefusalGate::default(),
            negatives: NegativeGate::default(),
            began: Instant::now(),
            released: Duration::ZERO,
            uncut: false,
            _lock: folder.lock,
        }
    }

    /// Decides and orders until every handle is dropped.
    ///
    /// # Errors
    /// [`EngineError`] when a write or read has failed: the hub stops.
    pub fn run(
        mut self,
        runtime: &Handle,
        mut waiting: mpsc::Receiver<Request>,
    ) -> Result<(), EngineError> {
        loop {
            let next = self.next(runtime, &mut waiting);
            self.around.space.broken()?;
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
            if !is_company_coming(self.around.admission.under_way(), waiting.len() + 1) {
                break;
            }
            // Not woken by each that comes.
            std::thread::sleep(BLOCK_GATHER_MAX / 8);
        }
    }

    /// Whether the hub has work of its own now; a hub that is read only leaves it for later.
    fn has_work(&self) -> bool {
        let is_due = self.machine.next_work().is_some() || self.until_deadline().is_zero();
        is_due && self.around.space.level() != Level::ReadOnly
    }

    /// Machine time until the soonest deadline; zero when it is due.
    fn until_deadline(&self) -> Duration {
        let deadline = self.machine.next_deadline();
        deadline.map_or(Duration::MAX, |deadline| self.around.clock.until(deadline))
    }

    /// Decides what the hub owes itself and what waits, in one block, and replies.
    fn block(
        &mut self,
        first: Option<Request>,
        waiting: &mut mpsc::Receiver<Request>,
    ) -> Result<(), EngineError> {
        let mut replies = Vec::new();
        if self.around.space.check() == Level::ReadOnly {
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
        self.around.couriers.documents.ordered(mail.documents);
        self.around.couriers.notices.ordered(mail.notices);
        Ok(())
    }

    /// Fills a block and puts it on disk; returns what it changes in mailboxes, and its time.
    fn fill(
        &mut self,
        first: Option<Request>,
        waiting: &mut mpsc::Receiver<Request>,
        replies: &mut Vec<Reply>,
    ) -> Result<(Mail, Timestamp), EngineError> {
        self.machine.begin(self.around.clock.now());
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
            match request {
                Request::Propose(Proposed { proposal, reply, .. }) => {
                    if About::of(&proposal).is_some() {
                        self.around.meters.refused(Reason::ReadOnly);
                    }
                    let _ = reply.send(Decided { decision: Decision::Refused(read_only()), at });
                }
                // It cannot be journalled, but it is counted.
                Request::Declined(declined) => self.around.meters.refused(declined.refusal.reason),
                Request::NotTaken(_) => {}
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
                self.around.meters.decided(&decision);
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
        self.around.meters.refused(declined.refusal.reason);
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
            self.make_room()?;
            self.note(negative)?;
        }
        for (request, refusal) in self.gate.release(now) {
            self.make_room()?;
            self.machine.record_refusal(request, refusal)?;
        }
        Ok(())
    }

    /// Goes on with another block when the one under way is full.
    fn make_room(&mut self) -> Result<(), EngineError> {
        let (entries, bytes) = (self.machine.entries(), self.machine.bytes());
        if entries >= BLOCK_ENTRIES_MAX || bytes >= BLOCK_BYTES_TARGET {
            self.order()?;
            self.machine.begin(self.around.clock.now());
        }
        Ok(())
    }

    /// Puts the block under way on disk and makes it visible.
    fn order(&mut self) -> Result<(), EngineError> {
        let Some(sealed) = self.machine.seal() else { return Ok(()) };
        self.journal.propose(&sealed)?;
        let began = Instant::now();
        while self.journal.read_ordered()?.is_some_and(|block| block < sealed.marker.block) {}
        self.around.meters.synced(&sealed, began.elapsed());
        self.machine.commit()?;
        self.around.evidence.advance(self.machine.log_size())?;
        self.around.reader.note_ordered(sealed.marker.block);
        self.uncut = true;
        if !self.around.reader.policy().is_same(self.machine.policy()) {
            self.around.reader.set_policy(self.machine.policy());
        }
        Ok(())
    }

    /// Nothing waits: what was held back is journalled, and the state gets the last blocks.
    fn idle(&mut self, now: Duration) -> Result<(), EngineError> {
        if self.around.space.level() != Level::ReadOnly {
            self.machine.begin(self.around.clock.now());
            self.release(now)?;
            self.order()?;
        }
        if std::mem::take(&mut self.uncut) {
            self.machine.cut()?;
        }
        Ok(())
    }
}

/// Whether most of what is under way is not here yet, and it is enough to wait for.
fn is_company_coming(under_way: usize, here: usize) -> bool {
    under_way >= BLOCK_GATHER_FROM && here * 2 < under_way
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_block_waits_for_most_of_many_and_never_for_few() {
        assert!(!is_company_coming(BLOCK_GATHER_FROM - 1, 1));
        assert!(is_company_coming(BLOCK_GATHER_FROM, 1));
        assert!(is_company_coming(512, 255));
        assert!(!is_company_coming(512, 256), "half of them are here");
        assert!(!is_company_coming(0, 40), "what needs no place is not waited for");
    }
}
