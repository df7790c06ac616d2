//! The virtual world: agencies as small state machines around the hub's own core, in virtual time.
//!
//! ```text
//!   Population (who takes part) ─▶ World ─▶ Played (the hub's records) ─▶ verdict
//!
//!   day ─▶ write ─▶ sign ─▶ (network) ─▶ verify ─▶ block ─▶ receipt          sending
//!                                                    │
//!                              acknowledge, report ◀─┴─ push (Courier)        receiving
//! ```
//! Real: `core`'s machine and delivery machines (documents and notices), the journal's blocks, every
//! signature and its verification unless a scenario asks for a share only. Modelled: the network (a
//! delay for each message), the disk (a delay for each block; a hub that is killed keeps what was
//! synced), uploads, and agencies. A recipient does not verify again what the hub verified, and
//! refusals are journalled one by one however many there are.
//!
//! Deterministic: time moves from event to event, events of one moment keep the order in which they
//! were made, and everything random comes from the scenario's seed. The same scenario and seed give
//! the same trace, byte for byte.

mod axis;
mod changes;
mod clerks;
mod error;
mod faults;
mod hub;
mod keys;
mod lanes;
mod node;
mod paced;
mod population;
mod queue;
mod receiving;
mod seen;
mod sending;
mod set_up;
#[cfg(test)]
mod tests;
mod trace;
mod writing;

use std::collections::{HashMap, VecDeque};
use std::time::Duration;

use lienthong_core::NoticeNumber;
use lienthong_model::{Day, Digest, Ordinal, Position, Timestamp};
use rand::RngExt as _;
use rand_chacha::ChaCha8Rng;

use crate::scenario::Scenario;
pub use axis::AccountError;
pub(crate) use axis::{Account, Arrived, Axis, Declined, Journalled, Leaving, Meanwhile, Named};
use changes::Change;
pub use error::{Role, WorldError};
use faults::Hits;
pub(crate) use hub::{Examination, Outcome, Piece, Sent, Told};
pub use keys::Keys;
use lanes::Lane;
use node::Node;
pub(crate) use paced::{Bell, Pace};
pub use population::{Member, Population};
use queue::Queue;
pub(crate) use seen::Receipt;
use sending::{Call, Pending};
pub(crate) use set_up::Set;
use trace::Trace;

/// What a message needs through the network, in milliseconds: least and most.
const NETWORK_MS: (u64, u64) = (20, 200);
/// After how long a node that has no answer sends the same bytes again, and a node whose
/// acknowledgement got lost connects anew.
const PATIENCE: Duration = Duration::from_secs(60);
/// Most events of a run.
const EVENTS_MAX: u64 = 1_000_000_000;
/// Most documents of a run. One that is delivered is written, arrives, is answered, pushed and
/// acknowledged: five events at least.
const DOCUMENTS_MAX: u64 = EVENTS_MAX / 5;
/// Progress is told every so many events.
const TOLD_EVERY: u64 = 4_096;

/// How far a run is.
#[derive(Debug, Clone, Copy)]
pub struct Progress {
    /// Virtual time.
    pub now: Timestamp,
    /// Share of the scenario's time, 0 to 1.
    pub share: f64,
    /// Events so far.
    pub events: u64,
}

/// What was played: the hub as it stands in the end, and what nodes hold.
pub struct Played {
    hub: Box<dyn Axis>,
    nodes: HashMap<Ordinal, Node>,
    receipts: Vec<Receipt>,
    /// Agencies that took part.
    pub agencies: usize,
    /// Events.
    pub events: u64,
    /// SHA-256 of the trace.
    pub trace: Digest,
    /// Virtual time at the end.
    pub ended: Timestamp,
}

impl Played {
    /// What the axis says in the end.
    pub(crate) fn account(&self) -> &dyn Account {
        &*self.hub
    }

    /// Ends a hub of the scenario's own, so that its folder can be read; does nothing in the virtual
    /// world. Nothing can be asked of it after that.
    ///
    /// # Errors
    /// When it does not end well.
    pub fn stop_hub(&mut self) -> Result<(), WorldError> {
        self.hub.stop()
    }

    /// Returns how many connections faults of the network have cut; 0 in the virtual world, which has
    /// none.
    pub fn cut_connections(&self) -> u64 {
        self.hub.cut_connections()
    }

    /// Whether nothing can be delivered to an agency in the end: it has no node, or it is off.
    pub(crate) fn is_absent(&self, agency: Ordinal) -> bool {
        self.nodes.get(&agency).is_none_or(|node| !node.is_on() || node.member.outside)
    }

    /// Whether an agency's node has a document on its own disk.
    pub(crate) fn has(&self, agency: Ordinal, position: Position) -> bool {
        self.nodes.get(&agency).is_some_and(|node| node.seen.holds(position))
    }

    /// Every receipt that a node holds.
    pub(crate) fn receipts(&self) -> &[Receipt] {
        &self.receipts
    }
}

/// A flaw that a test puts into the hub, to see that it is found.
#[cfg(test)]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Flaw {
    /// Answers leave before the block is on disk.
    AnswersBeforeTheDisk,
    /// One push in sixteen does not leave.
    ForgetsMail,
    /// It does not only die when it is killed.
    PanicsWhenKilled,
}

/// Something that happens.
enum Event {
    Day(Day),
    Write(usize),
    Arrive(Call),
    Commit,
    /// The block is on disk, unless the hub was killed and started since.
    Synced(u64),
    Answered {
        number: u64,
        outcome: Outcome,
    },
    /// A call is made again, or a held one at last.
    Again(u64),
    Pushed {
        node: usize,
        position: Position,
        attempt: u32,
    },
    Acknowledge {
        node: usize,
        position: Position,
    },
    Noticed {
        node: usize,
        number: NoticeNumber,
    },
    /// A node tells the hub which notices it knows.
    KnowsNotices(usize),
    Report {
        node: usize,
        position: Position,
    },
    /// A clerk agrees to a change, or refuses it.
    Decide {
        node: usize,
        position: Position,
    },
    Change(Box<Change>),
    /// The hub has something to do by itself.
    Deadline,
    Connect(usize),
    Reconnect(usize),
    FaultBegins(usize),
    FaultEnds(usize),
}

/// Everything random, apart by purpose: more faults do not change who writes what.
struct Dice {
    writing: ChaCha8Rng,
    network: ChaCha8Rng,
    clerks: ChaCha8Rng,
    faults: ChaCha8Rng,
    signing: ChaCha8Rng,
}

/// The world while it is played.
pub struct World<'s> {
    scenario: &'s Scenario,
    nodes: Vec<Node>,
    by_ordinal: HashMap<Ordinal, usize>,
    /// One of each traffic.
    lanes: Vec<Lane>,
    /// Which of the answers each node's clerks follow.
    clerks: Vec<Option<usize>>,
    hits: Hits,
    hub: Box<dyn Axis>,
    /// Whether the hub dies with the next block that it writes.
    dying: bool,
    keys: Keys,
    queue: Queue<Event>,
    trace: Trace<'s>,
    dice: Dice,
    pending: HashMap<u64, Pending>,
    /// Calls by when they are sent again, in order: patience is the same for all.
    patience: VecDeque<(Timestamp, u64)>,
    receipts: Vec<Receipt>,
    calls: u64,
    ids: u64,
    commit_due: bool,
    deadline: Option<Timestamp>,
    lists: u64,
    /// What was due before does not happen.
    began: Timestamp,
    now: Timestamp,
}

impl World<'_> {
    /// Plays it to its end: until nothing is left to happen.
    ///
    /// # Errors
    /// [`WorldError`] when the hub's engine fails or the trace cannot be written.
    pub fn play(mut self, mut told: impl FnMut(Progress)) -> Result<Played, WorldError> {
        let mut events = 0;
        while let Some((at, event)) = self.next_event()? {
            self.now = at;
            self.happens(event)?;
            events += 1;
            if events % TOLD_EVERY == 0 {
                told(self.progress(events));
            }
            if events > EVENTS_MAX {
                return Err(WorldError::Endless);
            }
        }
        self.end(events)
    }

    fn progress(&self, events: u64) -> Progress {
        let length = self.scenario.end().millis() - self.scenario.begin().millis();
        let gone = self.now.millis() - self.scenario.begin().millis();
        #[allow(clippy::cast_precision_loss)] // A bar on a screen.
        let share = gone as f64 / length as f64;
        Progress { now: self.now, share: share.min(1.0), events }
    }

    /// What there is in the end.
    fn end(mut self, events: u64) -> Result<Played, WorldError> {
        self.hub.finish()?;
        Ok(Played {
            agencies: self.nodes.len(),
            nodes: self.nodes.into_iter().map(|node| (node.ordinal, node)).collect(),
            receipts: self.receipts,
            events,
            trace: self.trace.finish()?,
            ended: self.now,
            hub: self.hub,
        })
    }

    /// The next event; calls whose patience ends before it are sent again first.
    fn next_event(&mut self) -> Result<Option<(Timestamp, Event)>, WorldError> {
        while let Some((at, number)) = self.patience.front().copied() {
            if self.pending.contains_key(&number) {
                if self.queue.next_at().is_some_and(|next| next < at) {
                    break;
                }
                self.now = at;
                self.overdue(number)?;
            }
            self.patience.pop_front();
        }
        Ok(self.queue.take())
    }

    fn happens(&mut self, event: Event) -> Result<(), WorldError> {
        match event {
            Event::Day(day) => self.day(day),
            Event::Write(traffic) => self.write(traffic),
            Event::Arrive(call) => self.arrive(call),
            Event::Commit | Event::Deadline => self.commit(),
            Event::Synced(life) => self.synced(life),
            Event::Answered { number, outcome } => self.answered(number, outcome),
            Event::Again(number) => self.send(number),
            Event::Pushed { node, position, attempt } => self.pushed(node, position, attempt),
            Event::Acknowledge { node, position } => self.acknowledge(node, position),
            Event::Noticed { node, number } => self.noticed(node, number),
            Event::KnowsNotices(node) => self.acknowledge_notices(node),
            Event::Report { node, position } => self.report(node, position),
            Event::Decide { node, position } => self.decide_change(node, position),
            Event::Change(change) => self.change(*change),
            Event::Connect(node) => self.connect(node),
            Event::Reconnect(node) => self.reconnect(node),
            Event::FaultBegins(fault) => self.fault_begins(fault),
            Event::FaultEnds(fault) => self.fault_ends(fault),
        }
    }

    /// A message is under way, later by what a fault adds.
    fn later(&mut self, event: Event, added: Duration) {
        let at = self.now.plus(self.network() + added);
        self.queue.put(at, event);
    }

    /// What a message needs through the network.
    fn network(&mut self) -> Duration {
        let (least, most) = NETWORK_MS;
        Duration::from_millis(self.dice.network.random_range(least..=most))
    }

    /// What waits at the hub becomes a block, which goes to the disk.
    fn commit(&mut self) -> Result<(), WorldError> {
        self.commit_due = false;
        if !self.hub.is_up() || self.hub.is_writing() {
            return Ok(());
        }
        let on_disk = self.begin_block(Meanwhile::Nothing)?;
        self.block_begun(on_disk)
    }

    /// The hub begins a block; returns when it is on disk. `meanwhile` is what there is to do at once.
    fn begin_block(&mut self, mut meanwhile: Meanwhile) -> Result<Timestamp, WorldError> {
        let on_disk = self.now.plus(self.scenario.disk);
        if self.queue.next_at().is_some_and(|next| next < on_disk) {
            meanwhile = Meanwhile::Something;
        }
        self.hub.begin_block(self.now, meanwhile)?;
        Ok(on_disk)
    }

    /// The block goes to the disk, or the hub dies with it.
    fn block_begun(&mut self, on_disk: Timestamp) -> Result<(), WorldError> {
        #[cfg(test)]
        for (number, outcome) in self.hub.early_answers() {
            self.later(Event::Answered { number, outcome }, Duration::ZERO);
        }
        if self.dying {
            return self.hub_dies();
        }
        self.queue.put(on_disk, Event::Synced(self.hub.life()));
        Ok(())
    }

    /// The block is on disk: the next one is begun, and answers and pushes leave while it is decided.
    fn synced(&mut self, life: u64) -> Result<(), WorldError> {
        if !self.hub.is_up() || life != self.hub.life() {
            return Ok(());
        }
        let answers = self.hub.end_block(self.now)?;
        self.await_deadline();
        let next = match self.hub.has_waiting() {
            true => Some(self.begin_block(Meanwhile::Something)?),
            false => None,
        };
        for (number, outcome) in answers {
            // Nobody waits for what has no number.
            if number > 0 {
                self.trace.line(self.now, "decided", &[&number, &outcome])?;
                self.answer(number, outcome)?;
            }
        }
        self.push()?;
        next.map_or(Ok(()), |on_disk| self.block_begun(on_disk))
    }

    /// Wakes the hub at its next deadline within the scenario; at once when it came while a block was
    /// being written, or while the hub was down.
    fn await_deadline(&mut self) {
        let next = self.hub.next_deadline().filter(|at| *at < self.scenario.end());
        let Some(at) = next.map(|at| at.max(self.now)) else { return };
        // One that was set and has not come yet stands for all later ones.
        if self.deadline.is_none_or(|set| set <= self.now || at < set) {
            self.deadline = Some(at);
            self.queue.put(at, Event::Deadline);
        }
    }

    /// A block as soon as the one before is on disk.
    fn commit_soon(&mut self) {
        if !self.commit_due && !self.hub.is_writing() {
            self.commit_due = true;
            self.queue.put(self.now, Event::Commit);
        }
    }

    /// Verified, or refused for its bytes; either way it waits for its block.
    fn arrive(&mut self, call: Call) -> Result<(), WorldError> {
        let Call { number, node, sent, examination } = call;
        if !self.hub.is_up() {
            return self.trace.line(self.now, "lost", &[&number]);
        }
        let caller = self.nodes[node].ordinal;
        match self.hub.take(number, caller, &sent, examination)? {
            Some(outcome) => self.answer(number, outcome),
            None => {
                self.commit_soon();
                Ok(())
            }
        }
    }
}
