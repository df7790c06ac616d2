//! The hub: its machine, its delivery machine and its journal, with a shell of its own.
//!
//! ```text
//!  take ─▶ waiting ─▶ begin_block ── disk ──▶ end_block ─▶ answers, pushes
//!          (intake)    decide, propose         ordered     leave
//!                      publish (desk)          mail (post)
//! ```
//! Between the two the block is not on disk: a hub that is killed then loses it, and has answered
//! nobody. While the world goes on meanwhile, it is decided in another thread; and the next block is
//! begun before the world takes up what follows from this one.

mod axis;
mod desk;
mod examination;
mod follower;
mod intake;
mod post;
mod replayed;
mod uploads;

use std::collections::VecDeque;
use std::sync::Arc;

use bytes::Bytes;
use lienthong_client::DocumentContents;
use lienthong_core::engine::{EngineError, Journal as _, Payloads as _};
use lienthong_core::{
    AddAuthority, AddRevocationList, CertificateBytes, Command, Decision, ImportDirectory, Machine,
    Opening, Query, codec,
};
use lienthong_ledger::{MemoryBlocks, MemoryJournal, MemoryPayloads, MemoryState};
use lienthong_model::{AgencyEntry, Fingerprint, Ordinal, Refusal, Timestamp};
use lienthong_pki::Authority;
use lienthong_trust::{Authorities, Known, Rehearsal};
use tempfile::TempDir;

use super::WorldError;
use super::axis::{Journalled, Meanwhile};
use super::keys::Keys;
use desk::{Decided, Desk, Elsewhere, Spare};
pub(crate) use examination::Examination;
use examination::Examining;
use follower::Follower;
use intake::{Asked, Request};
pub(crate) use intake::{Outcome, Piece, Sent};
use post::{Outgoing, Post};
use uploads::Uploads;

/// Most requests of a block.
const BLOCK_REQUESTS: usize = 256;
/// Requests of a block that is decided elsewhere, at least: handing over costs as much as one.
const REQUESTS_ELSEWHERE: usize = 2;
/// After how many rows written those leave memory that were not among them. So many are written in two
/// good days of the whole country: hardly any answer comes later.
const ROWS_AT_HAND: usize = 4_000_000;

/// The same of pages of the statistics.
const PAGES_AT_HAND: usize = 32_768;

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

/// What is counted of the hub's doing. Starts and lost blocks are counted by whoever kills it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Told {
    /// Receipts of documents that were given again.
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
    /// None while a block is decided elsewhere.
    desk: Option<Box<Desk>>,
    elsewhere: Elsewhere,
    /// What is read of it. While it is down that is what it had: agencies have what they were sent.
    state: MemoryState,
    /// Where rows go that nothing has touched for a while.
    folder: TempDir,
    blocks: MemoryBlocks,
    /// Whether blocks are kept, so that it can be killed and start from them.
    keeps_blocks: bool,
    /// What was read of each block when it was on disk.
    journalled: Journalled,
    follower: Follower,
    payloads: MemoryPayloads,
    examining: Arc<Examining>,
    waiting: VecDeque<Request>,
    /// What leaves with the last block that is on disk.
    outgoing: Outgoing,
    is_up: bool,
    is_writing: bool,
    begin: Timestamp,
    told: Told,
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
        let state = rows_in(&folder, "hub", ROWS_AT_HAND);
        let statistics = rows_in(&folder, "statistics", PAGES_AT_HAND);
        let (journal, blocks) = MemoryJournal::new();
        let facts = Arc::new(Rehearsal::new(DocumentContents, Above::of(keys)));
        let examining = Arc::new(Examining::new(facts.clone()));
        let mut desk = Desk {
            machine: Some(deciding(&state, &payloads)?),
            state: state.clone(),
            payloads: payloads.clone(),
            journal,
            post: Post::default(),
            uploads: Uploads::default(),
            facts,
            low: false,
            repeated: 0,
            refused_act: None,
            decided: None,
        };
        desk.attend();
        let follower = Follower::start(&payloads, &state, statistics)?;
        let spare = Spare { examining: examining.clone(), replay: follower.replay() };
        Ok(Self {
            desk: Some(Box::new(desk)),
            elsewhere: Elsewhere::start(spare),
            state,
            folder,
            blocks,
            keeps_blocks,
            journalled: Journalled::default(),
            follower,
            payloads,
            examining,
            waiting: VecDeque::new(),
            outgoing: Outgoing::default(),
            is_up: true,
            is_writing: false,
            begin,
            told: Told::default(),
            #[cfg(test)]
            flaw: None,
        })
    }

    /// The desk; a block that is decided elsewhere is waited for.
    fn desk(&mut self) -> &mut Desk {
        let elsewhere = &mut self.elsewhere;
        self.desk.get_or_insert_with(|| elsewhere.back())
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
            self.ask(act);
        }
        let at = self.begin;
        self.begin_block(at, Meanwhile::Nothing);
        self.end_block(at)?;
        self.check_acts()
    }

    /// An act of the world waits for its block.
    fn ask(&mut self, act: Command) {
        let asked = Asked::Act(Box::new(act));
        self.waiting.push_back(Request { number: 0, caller: Ordinal(0), asked });
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
        self.ask(act);
        Ok(())
    }

    /// Returns why an act of the world was refused: a fault of the world itself.
    pub(super) fn check_acts(&mut self) -> Result<(), WorldError> {
        let refused = self.desk().refused_act.take();
        refused.map_or(Ok(()), |refusal| Err(WorldError::SetUp(refusal.to_string())))
    }

    pub fn query(&self) -> Query<'_, MemoryState> {
        Query(&self.state)
    }

    /// Everything but the journal's synced blocks and the payloads is gone: what waited for its
    /// block, the block being written, uploads under way.
    pub fn kill(&mut self) -> Result<(), EngineError> {
        #[cfg(test)]
        assert!(self.flaw != Some(crate::world::Flaw::PanicsWhenKilled), "a flaw of the hub");
        let state = rows_in(&self.folder, "hub", ROWS_AT_HAND);
        let desk = self.desk();
        let decided = desk.decided.take().transpose();
        desk.machine = None;
        desk.state = state;
        desk.post = Post::default();
        desk.uploads.forget();
        (self.is_up, self.is_writing) = (false, false);
        self.waiting.clear();
        self.outgoing = Outgoing::default();
        let lost = decided?.is_some_and(|decided| decided.sealed.is_some());
        self.told.lost_blocks += u64::from(lost);
        self.follower.catch_up();
        Ok(())
    }

    /// Starts again: the state is rebuilt from the journal. Nobody is connected yet.
    pub fn start(&mut self) -> Result<(), EngineError> {
        self.state = self.desk().state.clone();
        let mut machine = deciding(&self.state, &self.payloads)?;
        for sealed in (1..).map_while(|number| self.blocks.sealed(number)) {
            machine.replay(&sealed)?;
        }
        self.follower.change_over(&self.state)?;
        let journal = self.blocks.journal();
        let desk = self.desk();
        desk.journal = journal;
        desk.machine = Some(machine);
        desk.attend();
        self.is_up = true;
        self.told.restarts += 1;
        Ok(())
    }

    /// Decides what the hub owes itself and what waits, and hands the block to the journal. Nothing
    /// is on disk on return: see [`Hub::end_block`]. One block at a time.
    pub(super) fn begin_block(&mut self, now: Timestamp, meanwhile: Meanwhile) {
        let count = self.waiting.len().min(BLOCK_REQUESTS);
        let requests: Vec<Request> = self.waiting.drain(..count).collect();
        self.is_writing = true;
        if meanwhile == Meanwhile::Nothing || count < REQUESTS_ELSEWHERE {
            return self.desk().decide_block(now, requests);
        }
        self.desk();
        if let Some(desk) = self.desk.take() {
            self.desk = self.elsewhere.decide(desk, now, requests);
        }
    }

    /// The block is on disk: returns what became of each call. What is to be pushed is there for
    /// [`Hub::poll`].
    pub(super) fn end_block(&mut self, now: Timestamp) -> Result<Vec<(u64, Outcome)>, EngineError> {
        self.is_writing = false;
        let since = self.since(now);
        let desk = self.desk();
        let Some(Decided { sealed, answers, mail }) = desk.decided.take().transpose()? else {
            return Ok(Vec::new());
        };
        let ordered = match sealed {
            Some(_) => desk.journal.read_ordered()?,
            None => None,
        };
        desk.post.deliver(mail);
        self.outgoing = desk.post.poll(since, &desk.state)?;
        if let Some(number) = ordered {
            self.ordered(number);
        }
        Ok(answers)
    }

    /// A block is on disk: it is read, replayed, and let go.
    fn ordered(&mut self, number: u64) {
        let Some(sealed) = self.blocks.sealed(number) else { return };
        let desk = self.desk.as_ref();
        if let Some(machine) = desk.and_then(|desk| desk.machine.as_ref()) {
            self.journalled.read(&sealed.block, &machine.policy().directory);
        }
        self.follower.follow(sealed);
        if !self.keeps_blocks {
            self.blocks.forget_through(number);
        }
    }

    /// A flaw of a test: answers that leave before the block is on disk.
    #[cfg(test)]
    pub(super) fn early_answers(&mut self) -> Vec<(u64, Outcome)> {
        if self.flaw != Some(crate::world::Flaw::AnswersBeforeTheDisk) {
            return Vec::new();
        }
        let decided = self.desk().decided.as_mut().and_then(|decided| decided.as_mut().ok());
        decided.map(|decided| std::mem::take(&mut decided.answers)).unwrap_or_default()
    }

    /// Returns whether a block is due: requests wait, or the hub owes itself something now.
    pub fn has_waiting(&mut self) -> bool {
        !self.waiting.is_empty() || self.desk().owes()
    }
}

fn open(state: &MemoryState, payloads: &MemoryPayloads) -> Result<MemoryMachine, EngineError> {
    Machine::open(Opening { state: Arc::new(state.clone()), payloads: payloads.clone() })
}

/// A machine that decides. The follower folds the statistics of its blocks.
fn deciding(state: &MemoryState, payloads: &MemoryPayloads) -> Result<MemoryMachine, EngineError> {
    let mut machine = open(state, payloads)?;
    machine.leave_statistics();
    Ok(machine)
}

/// An empty state that keeps in memory what was touched lately.
fn rows_in(folder: &TempDir, name: &str, at_hand: usize) -> MemoryState {
    MemoryState::bounded(&folder.path().join(name), at_hand)
}

/// What was decided on an act.
fn refusal_of(decision: Decision) -> Option<Refusal> {
    match decision {
        Decision::Refused(refusal) => Some(refusal),
        _ => None,
    }
}
