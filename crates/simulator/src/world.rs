//! The virtual world: agencies as small state machines around the hub's own core, in virtual time.
//!
//! ```text
//!   Population (who takes part) ─▶ World ─▶ Played (the hub's records) ─▶ verdict
//!
//!   day ─▶ write ─▶ sign ─▶ (network) ─▶ verify ─▶ block ─▶ receipt          sending
//!                                                    │
//!                              acknowledge, report ◀─┴─ push (Courier)        receiving
//! ```
//! Real: `core`'s machine and delivery machine, the journal's blocks, every signature and its
//! verification. Modelled: the network (a delay for each message), the disk (a delay for each
//! block; a hub that is killed keeps its journal only), and agencies. A recipient does not verify
//! again what the hub verified, and refusals are journalled one by one however many there are.
//!
//! Deterministic: time moves from event to event, events of one moment keep the order in which they
//! were made, and everything random comes from the scenario's seed. The same scenario and seed give
//! the same trace, byte for byte.

mod axis;
mod faults;
mod hub;
mod keys;
mod paced;
mod population;
mod queue;
mod receiving;
mod sending;
mod trace;

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write;
use std::sync::Arc;
use std::time::Duration;

use lienthong_client::Signer;
use lienthong_core::engine::EngineError;
use lienthong_model::{Day, Digest, Level, Ordinal, Position, SignedContent, Timestamp};
use lienthong_pki::IssueError;
use rand::{RngExt as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;

use crate::scenario::{Country, Scenario, Since};
use faults::Hits;
pub use axis::AccountError;
pub(crate) use axis::{Account, Arrived, Axis, Declined};
use hub::Hub;
pub(crate) use hub::Outcome;
pub use keys::Keys;
pub(crate) use paced::{Bell, Pace};
pub use population::{Member, Population};
use queue::Queue;
use receiving::Task;
use sending::{Call, Pending};
pub(crate) use sending::Sent;
use trace::Trace;

/// What a message needs through the network, in milliseconds: least and most.
const NETWORK_MS: (u64, u64) = (20, 200);
/// From the first request of a block until it is on disk.
const DISK: Duration = Duration::from_millis(5);
/// After how long a node that has no answer sends the same bytes again, and a node whose
/// acknowledgement got lost connects anew.
const PATIENCE: Duration = Duration::from_secs(60);
/// Most events of a run.
const EVENTS_MAX: u64 = 1_000_000_000;
/// Progress is told every so many events.
const TOLD_EVERY: u64 = 4_096;

/// Why a scenario cannot be played.
#[derive(Debug, thiserror::Error)]
pub enum WorldError {
    /// The directory lacks codes or regions that the scenario names.
    #[error("the directory does not have {}", .0.join(", "))]
    Unknown(Vec<String>),
    /// Nobody takes part.
    #[error("no agency of the directory takes part")]
    Nobody,
    /// Traffic without a sender or a recipient.
    #[error("the [[traffic]] on line {line} has nobody {role}")]
    NobodyIn {
        /// Its line.
        line: usize,
        /// "to write" or "to write to".
        role: &'static str,
    },
    /// A certificate cannot be made.
    #[error("cannot make a certificate: {0}")]
    Issue(#[from] IssueError),
    /// A signer cannot be made.
    #[error("cannot sign: {0}")]
    Signer(#[from] lienthong_client::SignerError),
    /// The hub's engine failed.
    #[error(transparent)]
    Engine(#[from] EngineError),
    /// An act of administration was refused.
    #[error("the hub refuses what it is set up with: {0}")]
    SetUp(String),
    /// The trace cannot be written.
    #[error("cannot write the trace: {0}")]
    Trace(#[from] std::io::Error),
    /// The hub of a live world cannot be reached, started or stopped.
    #[error(transparent)]
    Live(#[from] crate::live::LiveError),
    /// It does not come to an end.
    #[error("more than {EVENTS_MAX} events")]
    Endless,
}

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

/// What was played: the hub as it stands in the end.
pub struct Played {
    pub(crate) hub: Box<dyn Axis>,
    /// Agencies whose nodes are not there in the end.
    pub(crate) offline: BTreeSet<Ordinal>,
    taking_part: BTreeSet<Ordinal>,
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

    /// Whether an agency has a node at all.
    pub(crate) fn takes_part(&self, agency: Ordinal) -> bool {
        self.taking_part.contains(&agency)
    }
}

/// One agency's system.
struct Node {
    member: Member,
    ordinal: Ordinal,
    /// Its province; none for the centre.
    province: Option<Ordinal>,
    seal: Signer,
    /// The leader's certificates, one after the other.
    leaders: BTreeMap<u32, Signer>,
    expired: Option<Signer>,
    /// Whether it has a connection that it keeps up.
    connected: bool,
    /// Faults under way that keep it off.
    off: u32,
    reconnecting: bool,
    /// What it has on its own disk.
    seen: BTreeSet<Position>,
    tasks: BTreeMap<Position, Task>,
    /// Calls that wait until it is back.
    outbox: BTreeSet<u64>,
    written: u32,
}

/// Something that happens.
enum Event {
    Day(Day),
    Write(usize),
    Arrive(Call),
    Commit,
    Answered {
        number: u64,
        outcome: Outcome,
    },
    Pushed {
        node: usize,
        position: Position,
        attempt: u32,
    },
    Report {
        node: usize,
        position: Position,
    },
    Overdue(u64),
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
}

/// The world while it is played.
pub struct World<'s> {
    scenario: &'s Scenario,
    nodes: Vec<Node>,
    by_ordinal: BTreeMap<Ordinal, usize>,
    /// Recipients by province (none: the centre) and level.
    places: BTreeMap<(Option<Ordinal>, Level), Vec<usize>>,
    /// Senders of each traffic.
    senders: Vec<Vec<usize>>,
    /// Which of the answers each node's clerks follow.
    clerks: Vec<Option<usize>>,
    hits: Hits,
    hub: Box<dyn Axis>,
    keys: Keys,
    queue: Queue<Event>,
    trace: Trace<'s>,
    dice: Dice,
    pending: BTreeMap<u64, Pending>,
    calls: u64,
    ids: u64,
    commit_due: bool,
    deadline: Option<Timestamp>,
    lists: u64,
    now: Timestamp,
}

/// What a world is set up with beside its scenario and its axis.
pub(crate) struct Set<'c, 's> {
    pub country: &'c Country,
    pub population: Population,
    pub keys: Keys,
    pub seed: u64,
    pub trace: Option<&'s mut dyn Write>,
    /// When it begins: what was due before does not happen.
    pub now: Timestamp,
}

impl<'s> World<'s> {
    /// Sets a scenario up in the virtual world; `seed` instead of its own, `trace` takes one line
    /// an event.
    ///
    /// # Errors
    /// [`WorldError`] when the directory does not have who is named, or nobody can write.
    pub fn new(
        scenario: &'s Scenario,
        country: &Country,
        seed: Option<u64>,
        trace: Option<&'s mut dyn Write>,
    ) -> Result<Self, WorldError> {
        let population = Population::of(scenario, country)?;
        let seed = seed.unwrap_or(scenario.seed);
        let keys = Keys::new(seed, scenario.begin(), scenario.end())?;
        let mut hub = Hub::new(scenario.begin());
        hub.set_up(&keys, &population.directory(country))?;
        let now = scenario.begin();
        let set = Set { country, population, keys, seed, trace, now };
        Self::on(scenario, set, Box::new(hub))
    }

    /// Sets a scenario up on an axis.
    pub(crate) fn on(
        scenario: &'s Scenario,
        Set { country, population, keys, seed, trace, now }: Set<'_, 's>,
        hub: Box<dyn Axis>,
    ) -> Result<Self, WorldError> {
        let mut nodes = Vec::new();
        for member in population {
            let agency = hub.ordinal(&member.entry.code);
            let ordinal = agency.ok_or_else(|| WorldError::SetUp(member.entry.code.to_string()))?;
            let province = member.entry.province.as_ref().and_then(|code| hub.ordinal(code));
            nodes.push(Node::new(member, (ordinal, province), &keys)?);
        }
        let area_nodes = |area: &crate::scenario::Area| -> Vec<usize> {
            let held = nodes.iter().enumerate();
            let held = held.filter(|(_, node)| area.holds(&node.member.entry, country));
            held.map(|(index, _)| index).collect()
        };
        let senders = scenario.traffic.iter().map(|traffic| area_nodes(&traffic.area)).collect();
        let hits = Hits::new(scenario, area_nodes);
        let clerks = nodes.iter().map(|node| {
            scenario.answers.iter().position(|one| one.area.holds(&node.member.entry, country))
        });
        let clerks = clerks.collect();
        let stream = |stream| {
            let mut rng = ChaCha8Rng::seed_from_u64(seed);
            rng.set_stream(stream);
            rng
        };
        let mut world = Self {
            scenario,
            by_ordinal: nodes.iter().enumerate().map(|(i, node)| (node.ordinal, i)).collect(),
            places: BTreeMap::new(),
            senders,
            clerks,
            hits,
            hub,
            keys,
            queue: Queue::default(),
            trace: Trace::new(trace),
            dice: Dice {
                writing: stream(0),
                network: stream(1),
                clerks: stream(2),
                faults: stream(3),
            },
            pending: BTreeMap::new(),
            calls: 0,
            ids: 0,
            commit_due: false,
            deadline: None,
            lists: 1,
            now,
            nodes,
        };
        world.place_nodes();
        world.check_traffic()?;
        world.schedule();
        Ok(world)
    }

    fn place_nodes(&mut self) {
        for (index, node) in self.nodes.iter().enumerate() {
            let place = (node.province, node.member.entry.level);
            self.places.entry(place).or_default().push(index);
        }
    }

    /// What is known beforehand: days, connections, faults.
    fn schedule(&mut self) {
        self.queue.put(self.now, Event::Day(self.now.day()));
        for index in 0..self.nodes.len() {
            let at = match self.nodes[index].member.connected {
                Since::Always => self.now,
                Since::Day(day) => day.start().max(self.now),
                Since::Never => continue,
            };
            if self.nodes[index].member.outside {
                continue;
            }
            if at < self.scenario.end() {
                self.queue.put(at, Event::Connect(index));
            }
        }
        for (index, fault) in self.scenario.faults.iter().enumerate() {
            self.queue.put(fault.from, Event::FaultBegins(index));
            self.queue.put(fault.until, Event::FaultEnds(index));
        }
    }

    /// Plays it to its end: until nothing is left to happen.
    ///
    /// # Errors
    /// [`WorldError`] when the hub's engine fails or the trace cannot be written.
    pub fn play(mut self, mut told: impl FnMut(Progress)) -> Result<Played, WorldError> {
        let mut events = 0;
        while let Some((at, event)) = self.queue.take() {
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
        let offline =
            self.nodes.iter().filter(|node| !node.is_on() || node.member.outside);
        Ok(Played {
            offline: offline.map(|node| node.ordinal).collect(),
            taking_part: self.by_ordinal.keys().copied().collect(),
            agencies: self.nodes.len(),
            events,
            trace: self.trace.finish()?,
            ended: self.now,
            hub: self.hub,
        })
    }

    fn happens(&mut self, event: Event) -> Result<(), WorldError> {
        match event {
            Event::Day(day) => self.day(day),
            Event::Write(traffic) => self.write(traffic),
            Event::Arrive(call) => self.arrive(call),
            Event::Commit => self.commit(),
            Event::Answered { number, outcome } => self.answered(number, outcome),
            Event::Pushed { node, position, attempt } => self.pushed(node, position, attempt),
            Event::Report { node, position } => self.report(node, position),
            Event::Overdue(number) => self.overdue(number),
            Event::Deadline => self.commit(),
            Event::Connect(node) => self.connect(node),
            Event::Reconnect(node) => self.reconnect(node),
            Event::FaultBegins(fault) => self.fault_begins(fault),
            Event::FaultEnds(fault) => self.fault_ends(fault),
        }
    }

    /// A message is under way.
    fn later(&mut self, event: Event) {
        let (least, most) = NETWORK_MS;
        let delay = Duration::from_millis(self.dice.network.random_range(least..=most));
        self.queue.put(self.now.plus(delay), event);
    }

    /// What waits at the hub becomes a block; answers and pushes leave.
    fn commit(&mut self) -> Result<(), WorldError> {
        self.commit_due = false;
        if !self.hub.is_up() {
            return Ok(());
        }
        let answers = self.hub.commit(self.now)?;
        for (number, outcome) in answers {
            let told = outcome.to_string();
            self.trace.line(self.now, "decided", &[&number, &told])?;
            self.later(Event::Answered { number, outcome });
        }
        if self.hub.has_waiting() {
            self.commit_soon();
        }
        self.await_deadline();
        self.push()
    }

    /// Wakes the hub at its next deadline within the scenario.
    fn await_deadline(&mut self) {
        let next =
            self.hub.next_deadline().filter(|at| *at > self.now && *at < self.scenario.end());
        let Some(at) = next else { return };
        // One that was set and has not come yet stands for all later ones.
        if self.deadline.is_none_or(|set| set <= self.now || at < set) {
            self.deadline = Some(at);
            self.queue.put(at, Event::Deadline);
        }
    }

    fn commit_soon(&mut self) {
        if !self.commit_due {
            self.commit_due = true;
            self.queue.put(self.now.plus(DISK), Event::Commit);
        }
    }

    /// Verified, or refused for its bytes; either way it waits for its block.
    fn arrive(&mut self, call: Call) -> Result<(), WorldError> {
        if !self.hub.is_up() {
            return self.trace.line(self.now, "lost", &[&call.number]);
        }
        let caller = self.nodes[call.node].ordinal;
        self.hub.take(call.number, caller, call.sent);
        self.commit_soon();
        Ok(())
    }

    fn connect(&mut self, node: usize) -> Result<(), WorldError> {
        self.nodes[node].connected = true;
        if self.nodes[node].off > 0 || !self.hub.is_up() {
            return Ok(());
        }
        self.hub.open(self.nodes[node].ordinal);
        let code = self.nodes[node].member.entry.code.clone();
        self.trace.line(self.now, "connected", &[&code])?;
        self.push()
    }

    fn reconnect(&mut self, node: usize) -> Result<(), WorldError> {
        self.nodes[node].reconnecting = false;
        self.connect(node)
    }
}

impl Node {
    fn new(
        member: Member,
        (ordinal, province): (Ordinal, Option<Ordinal>),
        keys: &Keys,
    ) -> Result<Self, WorldError> {
        Ok(Self {
            seal: keys.seal(&member.entry.code)?,
            member,
            ordinal,
            province,
            leaders: BTreeMap::new(),
            expired: None,
            connected: false,
            off: 0,
            reconnecting: false,
            seen: BTreeSet::new(),
            tasks: BTreeMap::new(),
            outbox: BTreeSet::new(),
            written: 0,
        })
    }

    /// Whether its system runs and has been connected.
    fn is_on(&self) -> bool {
        self.connected && self.off == 0
    }
}

/// Signed bytes, shared by all their sendings.
type Signed = Arc<SignedContent>;
