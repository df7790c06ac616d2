//! Where the hub decides: its machine, its post and its uploads, in one place that is handed on as a
//! whole.
//!
//! Between a block's beginning and its end on disk nobody needs what was decided. So a block may be
//! decided in another thread while the world goes on: the desk goes there with the requests and comes
//! back with the decisions. Whoever needs it earlier waits for it. What is decided follows from the
//! desk and the requests alone, wherever that is done.
//!
//! The block's rows are published there, too, before it is on disk: a hub that is killed loses its
//! state in any case, and what the world reads of it meanwhile is what never changes. Nothing is
//! answered or pushed before the block is on disk.

use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, TryRecvError, sync_channel};
use std::thread::JoinHandle;

use lienthong_core::engine::{EngineError, Journal as _};
use lienthong_core::{Mail, Proposal, PushMarks, SealedBlock};
use lienthong_ledger::{MemoryJournal, MemoryPayloads, MemoryState};
use lienthong_model::limits::WORK_PER_BLOCK_MAX;
use lienthong_model::{AgencyCode, Ordinal, Refusal, Timestamp};

use super::MemoryMachine;
use super::examination::{Examining, Facts};
use super::follower::Replay;
use super::intake::{Outcome, Request};
use super::post::Post;
use super::uploads::Uploads;

/// How often a thread that has nothing to do meanwhile looks for what it waits for before it sleeps, a
/// millisecond or two in all: being woken takes longer than most blocks do.
const LOOKS: u32 = 2_000;

/// What decides.
pub(super) struct Desk {
    /// None while the hub is down.
    pub machine: Option<MemoryMachine>,
    pub state: MemoryState,
    pub payloads: MemoryPayloads,
    pub journal: MemoryJournal,
    pub post: Post,
    pub uploads: Uploads,
    pub facts: Arc<Facts>,
    /// Whether its disk is nearly full.
    pub low: bool,
    /// Receipts of documents that were given again.
    pub repeated: u64,
    /// An act of the world that was refused; kept until somebody asks.
    pub refused_act: Option<Refusal>,
    /// The block that is being written.
    pub decided: Option<Result<Decided, EngineError>>,
}

/// A block that is decided and proposed.
pub(super) struct Decided {
    /// None when nothing was entered: a block without entries is none.
    pub sealed: Option<SealedBlock>,
    pub answers: Vec<(u64, Outcome)>,
    pub mail: Mail,
}

impl Desk {
    /// Decides what the hub owes itself and what is asked, hands the block to the journal, and
    /// publishes its rows. Nothing is on disk on return.
    pub fn decide_block(&mut self, now: Timestamp, requests: Vec<Request>) {
        self.decided = self.block(now, requests).transpose();
    }

    fn block(
        &mut self,
        now: Timestamp,
        requests: Vec<Request>,
    ) -> Result<Option<Decided>, EngineError> {
        let Some(machine) = &mut self.machine else { return Ok(None) };
        machine.begin(now);
        for _ in 0..WORK_PER_BLOCK_MAX {
            let Some(work) = machine.next_work() else { break };
            machine.decide(Proposal::Work(work))?;
        }
        let mut answers = Vec::with_capacity(requests.len());
        for Request { number, caller, asked } in requests {
            answers.push((number, self.decide(caller, asked)?));
        }
        let Some(machine) = &mut self.machine else { return Ok(None) };
        let mail = machine.take_mail();
        let sealed = machine.seal();
        if let Some(sealed) = &sealed {
            self.journal.propose(sealed)?;
            machine.commit()?;
        }
        Ok(Some(Decided { sealed, answers, mail }))
    }

    /// The machine asks the post what may have been pushed.
    pub fn attend(&mut self) {
        let Some(machine) = &mut self.machine else { return };
        let marks = Arc::new(PushMarks::since(machine.log_size()));
        machine.attend(marks.clone());
        self.post = Post::new(marks);
    }

    /// Returns the ordinal of an agency.
    pub fn ordinal(&self, code: &AgencyCode) -> Option<Ordinal> {
        let directory = &self.machine.as_ref()?.policy().directory;
        directory.find(code).map(|agency| agency.ordinal)
    }

    /// Returns whether the hub owes itself something now.
    pub fn owes(&self) -> bool {
        self.machine.as_ref().is_some_and(|machine| machine.next_work().is_some())
    }
}

/// Another thread that decides.
pub(super) struct Elsewhere {
    blocks: Option<SyncSender<Block>>,
    back: Receiver<Box<Desk>>,
    thread: Option<JoinHandle<()>>,
    spare: Spare,
}

/// What a thread does that waits for another one.
#[derive(Clone)]
pub(super) struct Spare {
    pub examining: Arc<Examining>,
    pub replay: Arc<Replay>,
}

/// A block that is to be decided.
struct Block {
    desk: Box<Desk>,
    now: Timestamp,
    requests: Vec<Request>,
}

impl Elsewhere {
    pub fn start(spare: Spare) -> Self {
        let (blocks, asked) = sync_channel::<Block>(1);
        let (done, back) = sync_channel(1);
        let meanwhile = spare.clone();
        let thread = std::thread::spawn(move || {
            while let Some(Block { mut desk, now, requests }) = awaited(&asked, &meanwhile) {
                desk.decide_block(now, requests);
                if done.send(desk).is_err() {
                    return;
                }
            }
        });
        Self { blocks: Some(blocks), back, thread: Some(thread), spare }
    }

    /// Decides a block there. Returns the desk when nobody is there.
    pub fn decide(
        &self,
        desk: Box<Desk>,
        now: Timestamp,
        requests: Vec<Request>,
    ) -> Option<Box<Desk>> {
        let block = Block { desk, now, requests };
        let sent = self.blocks.as_ref().map(|blocks| blocks.send(block));
        sent.and_then(Result::err).map(|unsent| unsent.0.desk)
    }

    /// Waits for the desk. A panic there goes on here.
    pub fn back(&mut self) -> Box<Desk> {
        if let Some(desk) = awaited(&self.back, &self.spare) {
            return desk;
        }
        std::panic::resume_unwind(match self.thread.take().map(JoinHandle::join) {
            Some(Err(panic)) => panic,
            Some(Ok(())) | None => Box::new("nobody decides"),
        })
    }
}

impl Spare {
    /// Verifies a message or replays a piece of the journal. Returns whether there was any.
    fn go_on(&self) -> bool {
        self.examining.go_on() || self.replay.go_on()
    }
}

/// What comes next; none when nobody sends any more. The time until then is put to use.
fn awaited<T>(from: &Receiver<T>, spare: &Spare) -> Option<T> {
    let mut looks = 0;
    while looks < LOOKS {
        match from.try_recv() {
            Ok(next) => return Some(next),
            Err(TryRecvError::Empty) if spare.go_on() => looks = 0,
            Err(TryRecvError::Empty) => {
                std::thread::yield_now();
                looks += 1;
            }
            Err(TryRecvError::Disconnected) => return None,
        }
    }
    from.recv().ok()
}

impl Drop for Elsewhere {
    fn drop(&mut self) {
        drop(self.blocks.take());
        if let Some(thread) = self.thread.take() {
            // A panic of it was met where the desk was waited for.
            let _ = thread.join();
        }
    }
}
