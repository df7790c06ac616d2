//! The machine: it decides on proposals and applies what was decided.
//!
//! One owner, one thread. [`Machine::begin`] opens a block at a moment, [`Machine::decide`] and
//! [`Machine::record_refusal`] fill it, [`Machine::seal`] closes it; when the journal has it on
//! disk, [`Machine::commit`] makes it visible. On start-up [`Machine::replay`] takes sealed blocks
//! over with the decisions that they hold.

mod act;
pub(crate) mod apply;
mod changes;
mod decide;
mod fan_out;
mod leaves;
mod mailboxes;
mod negatives;
mod notices;
mod overlay;
mod quota;
mod recipients;
mod references;
mod remind;
mod report;
mod revocation;
mod saved_lists;
mod tally;
mod tick;

use std::collections::BTreeSet;
use std::sync::{Arc, RwLock};
use std::time::Duration;

use lienthong_model::limits::{CLOCK_AHEAD_MAX, RECORD_BYTES_MAX};
use lienthong_model::{Fingerprint, Position, Reason, Refusal, Timestamp};
use lienthong_trust::AuthorityId;

use crate::block::{Block, SealedBlock};
use crate::codec;
use crate::command::{Command, Decision, Entry, Proposal, RefusedRequests, Work};
use crate::deadlines::Soonest;
use crate::delivery::Pushes;
use crate::engine::{Change, EngineError, Marker, Payloads, State};
use crate::keys;
use crate::mail::Mail;
use crate::notice::NoticeNumber;
use crate::policy::Policy;
use crate::rows::HeadRow;
use crate::statistics::{Cubes, Event, Fold};
use mailboxes::Waiting;
use overlay::Working;

/// The version of the rules of judgement. Raised when judgement changes; blocks carry it.
pub const RULES_VERSION: u16 = 3;

/// Fingerprints of certificates that the journal is known to have, kept to spare look-ups.
const CERTIFICATES_REMEMBERED: usize = 65_536;

/// The hub's state and judgement.
pub struct Machine<S, P> {
    state: Arc<S>,
    payloads: P,
    policy: Policy,
    cubes: Arc<RwLock<Cubes>>,
    certificates: std::collections::HashSet<Fingerprint>,
    head: HeadRow,
    /// How many agencies the state had rows of when it was opened. Rows behind a gap are left out
    /// and come back with the replay; until then nothing may be decided.
    agencies_awaited: usize,
    /// Issuers whose newest list may settle what was accepted before it.
    settling: BTreeSet<AuthorityId>,
    clock_ahead: Duration,
    /// Slices of fan-outs that wait; at most [`lienthong_model::limits::SLICES_WAITING_MAX`].
    slices: BTreeSet<keys::SliceKey>,
    /// The soonest deadlines.
    soonest: Soonest,
    /// How many documents wait in each mailbox.
    waiting: Waiting,
    pushes: Option<Arc<dyn Pushes>>,
    /// False only where the cost of the log is measured.
    keeps_log: bool,
    /// False where another machine folds the statistics of the same blocks.
    folds: bool,
    work: Working,
}

/// What a machine was opened with and what remains to be replayed.
pub struct Opening<S, P> {
    /// The state as its engine found it.
    pub state: Arc<S>,
    /// The payload files.
    pub payloads: P,
}

impl<S: State, P: Payloads> Machine<S, P> {
    /// Loads what the machine keeps in memory. Blocks after the state's marker must then be
    /// replayed, and may be from before it.
    ///
    /// # Errors
    /// [`EngineError`] when a row or payload cannot be read.
    pub fn open(opening: Opening<S, P>) -> Result<Self, EngineError> {
        let Opening { state, payloads } = opening;
        let (policy, agencies_awaited) = Policy::load(&*state, &payloads)?;
        let mut slices = BTreeSet::new();
        state.scan(keys::SLICES, keys::SLICES, &mut |key, _| {
            slices.extend(keys::slice_of(key));
            true
        })?;
        let soonest = Soonest::load(&*state)?;
        let waiting = Waiting::load(&*state)?;
        let head = match state.read(keys::HEAD)? {
            Some(row) => codec::decode(&row, "head")?,
            None => HeadRow {
                block: 0,
                hash: lienthong_model::Digest([0; 32]),
                time: Timestamp::MIN,
                next_position: Position(0),
                last_notice: NoticeNumber(0),
            },
        };
        let mut machine = Self {
            state,
            payloads,
            policy,
            cubes: Arc::new(RwLock::new(Cubes::at(head.time))),
            certificates: std::collections::HashSet::new(),
            head,
            agencies_awaited,
            settling: BTreeSet::new(),
            clock_ahead: CLOCK_AHEAD_MAX,
            slices,
            soonest,
            waiting,
            pushes: None,
            keeps_log: true,
            folds: true,
            work: Working::none(),
        };
        machine.find_unsettled()?;
        Ok(machine)
    }

    /// Returns work that the hub owes itself and that can be done now: propose it, beside what
    /// comes from outside. One call's work fits a block; what remains is returned by the next call.
    pub fn next_work(&self) -> Option<Work> {
        self.settlement_due().or_else(|| self.slice_due()).or_else(|| self.tick_due())
    }

    /// Returns what judgement reads, as of the last decision.
    pub fn policy(&self) -> &Policy {
        &self.policy
    }

    /// Returns the open statistics, shared with readers.
    pub fn cubes(&self) -> Arc<RwLock<Cubes>> {
        self.cubes.clone()
    }

    /// Returns the last block's number and hash; block 0 when there is none.
    pub fn last(&self) -> Marker {
        Marker { block: self.head.block, hash: self.head.hash }
    }

    /// Returns the last block's time; `None` when there is none.
    pub fn last_time(&self) -> Option<Timestamp> {
        (self.head.block > 0).then_some(self.head.time)
    }

    /// Returns how many leaves the log has: one a document or report that was accepted.
    pub fn log_size(&self) -> u64 {
        self.head.next_position.0
    }

    /// Keeps no log from now on, so that its cost can be measured. Such a folder is of no use
    /// afterwards.
    #[cfg(feature = "measure")]
    pub fn keep_no_log(&mut self) {
        self.keeps_log = false;
    }

    /// Folds no statistics from now on. They are those of another machine, which replays the same
    /// blocks.
    pub fn leave_statistics(&mut self) {
        self.folds = false;
    }

    /// Folds statistics of many blocks together from now on: they are complete after a cut only.
    pub fn gather_statistics(&mut self) {
        self.cubes.write().unwrap_or_else(std::sync::PoisonError::into_inner).gather();
    }

    /// Folds a piece of the statistics that were gathered, between blocks. Returns whether enough were
    /// gathered for one; without it a block takes long now and then.
    ///
    /// # Errors
    /// [`EngineError`] when a row cannot be read.
    pub fn fold_gathered(&mut self) -> Result<bool, EngineError> {
        let mut cubes = self.cubes.write().unwrap_or_else(std::sync::PoisonError::into_inner);
        cubes.go_on(&*self.state)
    }

    /// The time of the block under way.
    fn now(&self) -> Timestamp {
        self.work.time
    }

    /// Sets how far ahead of the block's time a sender's clock may be, for the blocks to come; they
    /// carry it. Not less than [`CLOCK_AHEAD_MAX`].
    pub fn allow_clock_ahead(&mut self, ahead: Duration) {
        self.clock_ahead = ahead.max(CLOCK_AHEAD_MAX);
    }

    /// Lets the machine know what may have been pushed, for the decisions to come. Without it
    /// everything may have been.
    pub fn attend(&mut self, pushes: Arc<dyn Pushes>) {
        self.pushes = Some(pushes);
    }

    /// Opens the next block at a moment: the later of `now` and the last block's time.
    pub fn begin(&mut self, now: Timestamp) {
        // A block that stayed empty leaves no time behind in the head, which is a row; but an
        // answer may have told of it.
        let time = now.max(self.head.time).max(self.work.time);
        self.work.begin(self.head.block + 1, time);
    }

    /// Returns the time of the block under way.
    pub fn begun_at(&self) -> Timestamp {
        self.now()
    }

    /// Decides on a proposal and applies it to the block under way.
    ///
    /// A refusal leaves no trace in the block: [`Machine::record_refusal`] journals it. What would
    /// make a record of more than [`RECORD_BYTES_MAX`] is refused.
    ///
    /// # Errors
    /// [`EngineError`] when a row cannot be read; the block must then be abandoned and the hub
    /// stopped.
    pub fn decide(&mut self, proposal: Proposal) -> Result<Decision, EngineError> {
        self.check_complete()?;
        // The machine's own work has bounds of its own, and stays due until it is done.
        let is_own = matches!(proposal, Proposal::Work(_));
        let (command, decision) = match self.judge(proposal)? {
            Ok(judged) => judged,
            Err(decision) => return Ok(decision),
        };
        let entry = Entry { command, decision };
        let bytes = codec::encoded_len(&entry);
        if bytes > RECORD_BYTES_MAX && !is_own {
            let value = format!("{bytes} bytes, at most {RECORD_BYTES_MAX}");
            return Ok(Decision::Refused(Refusal::at(Reason::ContentTooLarge, "record", value)));
        }
        let answer = entry.decision.clone();
        self.enter(entry, bytes)?;
        Ok(answer)
    }

    /// Whether the directory is as large as the state said it was.
    fn check_complete(&self) -> Result<(), EngineError> {
        if self.policy.directory.len() >= self.agencies_awaited {
            return Ok(());
        }
        Err(EngineError::Damaged {
            what: "the directory in the state".to_owned(),
            why: format!(
                "row {} is missing, rows up to {} are there, and no replayed block brought it",
                self.policy.directory.len(),
                self.agencies_awaited - 1
            ),
        })
    }

    /// Journals a refusal, with those of the same caller that were added up before it.
    ///
    /// # Errors
    /// [`EngineError`] when a row cannot be read.
    pub fn record_refusal(
        &mut self,
        requests: RefusedRequests,
        refusal: Refusal,
    ) -> Result<(), EngineError> {
        let caller = self.policy.directory.agency(requests.caller);
        let province =
            caller.and_then(|caller| self.policy.directory.place(caller, self.now()).province);
        let command = Command::Refused { requests, province };
        let entry = Entry { command, decision: Decision::Refused(refusal) };
        let bytes = codec::encoded_len(&entry);
        self.enter(entry, bytes)
    }

    /// Applies an entry of so many bytes and adds it to the block under way.
    fn enter(&mut self, entry: Entry, bytes: usize) -> Result<(), EngineError> {
        self.apply(&entry)?;
        self.work.push(entry, bytes);
        Ok(())
    }

    /// Takes what the block under way has changed in mailboxes so far. Whoever delivers may be told
    /// of it when the block is on disk.
    pub fn take_mail(&mut self) -> Mail {
        std::mem::take(&mut self.work.mail)
    }

    /// Returns the entries of the block under way.
    pub fn entries(&self) -> usize {
        self.work.entries.len()
    }

    /// Returns how many bytes the entries of the block under way have.
    pub fn bytes(&self) -> usize {
        self.work.bytes
    }

    /// Closes the block under way; `None` when nothing was entered.
    pub fn seal(&mut self) -> Option<SealedBlock> {
        if self.work.entries.is_empty() {
            return None;
        }
        let block = Block {
            number: self.work.block,
            time: self.now(),
            previous: self.head.hash,
            rules: RULES_VERSION,
            entries: std::mem::take(&mut self.work.entries),
            clock_ahead_ms: u64::try_from(self.clock_ahead.as_millis()).unwrap_or(u64::MAX),
        };
        let sealed = block.seal_within(self.work.bytes);
        self.stand_at(&sealed);
        Some(sealed)
    }

    /// Makes the sealed block visible: its rows, and its events in the statistics. Call it when the
    /// journal has the block on disk.
    ///
    /// # Errors
    /// [`EngineError`] when the state cannot take it.
    pub fn commit(&mut self) -> Result<(), EngineError> {
        let cut = self.state.cut_due();
        self.publish(cut)
    }

    /// Ends a chunk of the state at the last block, with all open statistics.
    ///
    /// # Errors
    /// [`EngineError`] when the state cannot take it.
    pub fn cut(&mut self) -> Result<(), EngineError> {
        if self.head.block == 0 {
            return Ok(());
        }
        self.publish(true)
    }

    fn publish(&mut self, cut: bool) -> Result<(), EngineError> {
        self.write_leaves()?;
        let fold = Fold { block: self.head.block, time: self.head.time };
        let (mut writes, events) = self.work.take();
        let row = codec::encode(&self.head);
        writes.push((keys::HEAD.to_vec(), Some(row.into())));
        {
            // A poisoned lock means that a reader panicked; the cubes are only ever added to here.
            let mut cubes = self.cubes.write().unwrap_or_else(std::sync::PoisonError::into_inner);
            if self.folds {
                cubes.fold(&*self.state, fold, &events)?;
            }
            let cut = cut || cubes.is_full();
            if cut {
                cubes.cut(&*self.state, self.head.time, &mut writes)?;
            }
            // Published under the lock: a page that leaves memory is already among the rows.
            self.state.publish(Change { marker: self.last(), writes, cut })?;
        }
        self.refresh_deadlines()
    }

    /// Takes over a block that the journal has: its decisions, without judging again. Replaying
    /// blocks that the state already has changes nothing once the last one is replayed.
    ///
    /// # Errors
    /// [`EngineError`] when a row or payload cannot be read, or an entry holds a decision that its
    /// command cannot have.
    pub fn replay(&mut self, sealed: &SealedBlock) -> Result<(), EngineError> {
        self.begin_replay(&sealed.block);
        sealed.block.entries.iter().try_for_each(|entry| self.replay_entry(entry))?;
        self.end_replay(sealed)
    }

    /// [`Machine::replay`] in pieces: the block's entries follow, in their order, and its end.
    pub fn begin_replay(&mut self, block: &Block) {
        self.work.begin(block.number, block.time);
    }

    /// Takes over the next entry of a block.
    ///
    /// # Errors
    /// As [`Machine::replay`].
    pub fn replay_entry(&mut self, entry: &Entry) -> Result<(), EngineError> {
        self.apply(entry)?;
        self.work.count_entry();
        Ok(())
    }

    /// Takes over the end of a block whose entries were all taken over.
    ///
    /// # Errors
    /// [`EngineError`] when the state cannot take it.
    pub fn end_replay(&mut self, sealed: &SealedBlock) -> Result<(), EngineError> {
        self.stand_at(sealed);
        self.commit()
    }

    /// The head stands at a block whose entries were applied.
    fn stand_at(&mut self, sealed: &SealedBlock) {
        self.head.block = sealed.marker.block;
        self.head.hash = sealed.marker.hash;
        self.head.time = sealed.block.time;
    }

    fn count(&mut self, event: Event) {
        self.work.events.push(event);
    }
}
