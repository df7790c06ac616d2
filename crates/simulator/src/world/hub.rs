//! The hub: its machine, its delivery machine and its journal, with a shell of its own.
//!
//! ```text
//!  take ─▶ waiting ─▶ begin_block ── disk ──▶ end_block ─▶ answers, mail
//!          (intake)    decide, propose         ordered, published        (post)
//! ```
//! Between the two the block is not on disk: a hub that is killed then loses it, and has answered
//! nobody.

mod ahead;
mod axis;
mod follower;
mod intake;
mod post;
mod uploads;

use std::collections::VecDeque;
use std::sync::Arc;

use bytes::Bytes;
use lienthong_client::DocumentContents;
use lienthong_core::engine::{EngineError, Journal as _, Payloads as _};
use lienthong_core::{
    AddAuthority, AddRevocationList, CertificateBytes, Command, Decision, ImportDirectory, Machine,
    Mail, Opening, Proposal, PushMarks, Query, codec,
};
use lienthong_ledger::{MemoryBlocks, MemoryJournal, MemoryPayloads, MemoryState};
use lienthong_model::limits::WORK_PER_BLOCK_MAX;
use lienthong_model::{AgencyCode, AgencyEntry, Fingerprint, Ordinal, Refusal, Timestamp};
use lienthong_pki::Authority;
use lienthong_trust::{Authorities, Known, Rehearsal};
use tempfile::TempDir;

use super::WorldError;
use super::axis::Journalled;
use super::keys::Keys;
pub(crate) use ahead::Ahead;
use ahead::Verifying;
use follower::Follower;
use intake::Asked;
pub(crate) use intake::{Outcome, Piece, Sent};
use post::Post;
use uploads::Uploads;

/// Most requests of a block.
const BLOCK_REQUESTS: usize = 256;
/// After how many rows those leave memory that were not written among them. Twice as many are a
/// good day of the whole country.
const ROWS_AT_HAND: usize = 400_000;

type MemoryMachine = Machine<MemoryState, MemoryPayloads>;

/// Both authorities are known beforehand; a signer's certificate comes with every content.
struct Above(Arc<Authorities>);

impl Known for Above {
    fn certificate(&self, _: &Fingerprint) -> Option<Bytes> {
        None
    }

    fn authorities(&self) -> Arc<Authorities> {
        self.0.clone()
    }
}

impl Above {
    fn of(keys: &Keys) -> Self {
        let authorities = [keys.root(), keys.issuing()];
        let certificates = authorities.map(|authority| authority.certificate().clone());
        let root = *keys.root().certificate().fingerprint();
        Self(Arc::new(Authorities::new(certificates, |one| *one.fingerprint() == root)))
    }
}

/// A block that is being written.
struct Writing {
    /// Whether the journal has something to order: a block without entries is none.
    proposed: bool,
    answers: Vec<(u64, Outcome)>,
    mail: Mail,
}

/// What the hub counts of its own doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Told {
    /// Receipts that were given again.
    pub repeated: u64,
    /// Starts after it was killed.
    pub restarts: u64,
    /// Blocks that were being written when it was killed.
    pub lost_blocks: u64,
    /// Uploads that went on where they were cut.
    pub resumed_uploads: u64,
}

/// The hub.
pub(crate) struct Hub {
    state: MemoryState,
    /// Where rows go that nothing has touched for a while.
    folder: TempDir,
    blocks: MemoryBlocks,
    /// Whether blocks are kept, so that it can be killed and start from them.
    keeps_blocks: bool,
    /// What was read of each block when it was on disk.
    journalled: Journalled,
    follower: Option<Follower>,
    payloads: MemoryPayloads,
    journal: MemoryJournal,
    /// None while it is down.
    machine: Option<MemoryMachine>,
    post: Post,
    uploads: Uploads,
    verifying: Verifying,
    waiting: VecDeque<(u64, Ordinal, Asked)>,
    writing: Option<Writing>,
    /// Whether its disk is nearly full.
    pub low: bool,
    begin: Timestamp,
    pub told: Told,
    /// An act of the world that was refused; kept until somebody asks.
    refused_act: Option<Refusal>,
    #[cfg(test)]
    pub flaw: Option<crate::world::Flaw>,
}

impl Hub {
    /// A hub without anything; one that is not killed within the scenario lets its blocks go.
    pub(super) fn new(
        keys: &Keys,
        begin: Timestamp,
        keeps_blocks: bool,
    ) -> Result<Self, WorldError> {
        let folder = TempDir::with_prefix("lienthong-sim-").map_err(WorldError::Folder)?;
        let payloads = MemoryPayloads::new();
        let (state, replayed) = (rows_in(&folder, "hub"), rows_in(&folder, "replayed"));
        let (journal, blocks) = MemoryJournal::new();
        let mut hub = Self {
            machine: Some(open(&state, &payloads)?),
            state,
            folder,
            blocks,
            keeps_blocks,
            journalled: Journalled::default(),
            follower: Some(Follower::start(&payloads, replayed)?),
            payloads,
            journal,
            post: Post::default(),
            uploads: Uploads::default(),
            verifying: Verifying::new(Rehearsal::new(DocumentContents, Above::of(keys))),
            waiting: VecDeque::new(),
            writing: None,
            low: false,
            begin,
            told: Told::default(),
            refused_act: None,
            #[cfg(test)]
            flaw: None,
        };
        hub.attend();
        Ok(hub)
    }

    /// The machine asks the post what may have been pushed.
    fn attend(&mut self) {
        let Some(machine) = &mut self.machine else { return };
        let marks = Arc::new(PushMarks::since(machine.log_size()));
        machine.attend(marks.clone());
        self.post = Post::new(marks);
    }

    /// Trusts the scenario's root, knows its revocation lists and its directory. The issuing
    /// authority's list is in date until `next_update`.
    pub(super) fn set_up(
        &mut self,
        keys: &Keys,
        entries: &[AgencyEntry],
        next_update: Timestamp,
    ) -> Result<(), WorldError> {
        let add = |authority: &Authority, trusted| {
            let certificate = CertificateBytes(authority.certificate().der().clone());
            Command::AddAuthority(AddAuthority { certificate, trusted })
        };
        let payload = self.payloads.put(&codec::encode(&entries.to_vec()))?;
        let source = "the scenario's agencies".to_owned();
        let mut acts = vec![
            add(keys.root(), true),
            add(keys.issuing(), false),
            Command::ImportDirectory(ImportDirectory { source, payload }),
        ];
        let root = keys.list(keys.root(), (1, self.begin, keys.last_update()), &[])?;
        acts.push(self.list(keys.root(), &root)?);
        let issuing = keys.list(keys.issuing(), (1, self.begin, next_update), &[])?;
        acts.push(self.list(keys.issuing(), &issuing)?);
        for act in acts {
            self.waiting.push_back((0, Ordinal(0), Asked::Act(Box::new(act))));
        }
        self.begin_block(self.begin)?;
        self.end_block()?;
        self.check_acts()
    }

    fn list(&self, authority: &Authority, list: &[u8]) -> Result<Command, EngineError> {
        let issuer = *authority.certificate().fingerprint();
        Ok(Command::AddRevocationList(AddRevocationList {
            payload: self.payloads.put(list)?,
            issuer,
        }))
    }

    /// Takes a new revocation list of the issuing authority, with the next block.
    pub(super) fn take_list(&mut self, keys: &Keys, list: &[u8]) -> Result<(), EngineError> {
        let act = self.list(keys.issuing(), list)?;
        self.waiting.push_back((0, Ordinal(0), Asked::Act(Box::new(act))));
        Ok(())
    }

    /// Returns why an act of the world was refused: a fault of the world itself.
    pub(super) fn check_acts(&mut self) -> Result<(), WorldError> {
        let refused = self.refused_act.take();
        refused.map_or(Ok(()), |refusal| Err(WorldError::SetUp(refusal.to_string())))
    }

    /// Returns the ordinal of an agency.
    pub fn ordinal(&self, code: &AgencyCode) -> Option<Ordinal> {
        let directory = &self.machine.as_ref()?.policy().directory;
        directory.find(code).map(|agency| agency.ordinal)
    }

    pub fn query(&self) -> Query<'_, MemoryState> {
        Query(&self.state)
    }

    /// Everything but the journal's synced blocks and the payloads is gone: what waited for its
    /// block, the block being written, uploads under way.
    pub fn kill(&mut self) {
        let lost = self.writing.take().is_some_and(|writing| writing.proposed);
        self.told.lost_blocks += u64::from(lost);
        self.machine = None;
        self.post = Post::default();
        self.uploads.forget();
        self.waiting.clear();
        self.state = rows_in(&self.folder, "hub");
    }

    /// Starts again: the state is rebuilt from the journal. Nobody is connected yet.
    pub fn start(&mut self) -> Result<(), EngineError> {
        let mut machine = open(&self.state, &self.payloads)?;
        for sealed in (1..).map_while(|number| self.blocks.sealed(number)) {
            machine.replay(&sealed)?;
        }
        self.journal = self.blocks.journal();
        self.machine = Some(machine);
        self.told.restarts += 1;
        self.attend();
        Ok(())
    }

    /// Decides what the hub owes itself and what waits, and hands the block to the journal. Nothing
    /// is on disk on return: see [`Hub::end_block`]. One block at a time.
    pub(super) fn begin_block(&mut self, now: Timestamp) -> Result<(), EngineError> {
        let Some(machine) = &mut self.machine else { return Ok(()) };
        machine.begin(now);
        for _ in 0..WORK_PER_BLOCK_MAX {
            let Some(work) = machine.next_work() else { break };
            machine.decide(Proposal::Work(work))?;
        }
        let mut answers = Vec::new();
        for _ in 0..BLOCK_REQUESTS {
            let Some((number, caller, asked)) = self.waiting.pop_front() else { break };
            answers.push((number, self.decide(caller, asked)?));
        }
        let Some(machine) = &mut self.machine else { return Ok(()) };
        let mail = machine.take_mail();
        let sealed = machine.seal();
        if let Some(sealed) = &sealed {
            self.journal.propose(sealed)?;
        }
        self.writing = Some(Writing { proposed: sealed.is_some(), answers, mail });
        Ok(())
    }

    /// The block is on disk: publishes it, and returns what became of each call.
    pub(super) fn end_block(&mut self) -> Result<Vec<(u64, Outcome)>, EngineError> {
        let (Some(writing), Some(machine)) = (self.writing.take(), &mut self.machine) else {
            return Ok(Vec::new());
        };
        if writing.proposed {
            machine.commit()?;
            if let Some(number) = self.journal.read_ordered()? {
                self.ordered(number);
            }
        }
        // The post hears of mail when it is in the mailboxes.
        self.post.deliver(writing.mail);
        Ok(writing.answers)
    }

    /// A block is on disk: it is read, replayed, and let go.
    fn ordered(&mut self, number: u64) {
        let Some(sealed) = self.blocks.sealed(number) else { return };
        if let Some(machine) = &self.machine {
            self.journalled.read(&sealed.block, &machine.policy().directory);
        }
        if let Some(follower) = &self.follower {
            follower.follow(sealed);
        }
        if !self.keeps_blocks {
            self.blocks.forget_through(number);
        }
    }

    /// A flaw of a test: answers that leave before the block is on disk.
    #[cfg(test)]
    pub(super) fn early_answers(&mut self) -> Vec<(u64, Outcome)> {
        let early = self.flaw == Some(crate::world::Flaw::AnswersBeforeTheDisk);
        let writing = self.writing.as_mut().filter(|_| early);
        writing.map(|writing| std::mem::take(&mut writing.answers)).unwrap_or_default()
    }

    /// Returns whether a block is due: requests wait, or the hub owes itself something now.
    pub fn has_waiting(&self) -> bool {
        let owes = self.machine.as_ref().is_some_and(|machine| machine.next_work().is_some());
        owes || !self.waiting.is_empty()
    }
}

fn open(state: &MemoryState, payloads: &MemoryPayloads) -> Result<MemoryMachine, EngineError> {
    Machine::open(Opening { state: Arc::new(state.clone()), payloads: payloads.clone() })
}

/// An empty state that keeps in memory what was touched lately.
fn rows_in(folder: &TempDir, name: &str) -> MemoryState {
    MemoryState::bounded(&folder.path().join(name), ROWS_AT_HAND)
}

/// What was decided on an act.
fn refusal_of(decision: Decision) -> Option<Refusal> {
    match decision {
        Decision::Refused(refusal) => Some(refusal),
        _ => None,
    }
}
