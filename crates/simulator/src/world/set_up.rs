//! Setting a scenario up: who takes part, what the hub knows beforehand, what is known to happen.

use std::collections::{HashMap, VecDeque};
use std::io::Write;

use lienthong_model::Timestamp;
use rand::SeedableRng as _;
use rand_chacha::ChaCha8Rng;

use super::faults::Hits;
use super::hub::Hub;
use super::keys::Keys;
use super::lanes::{Lane, Nodes};
use super::population::Population;
use super::queue::Queue;
use super::trace::Trace;
use super::{Axis, DOCUMENTS_MAX, Dice, Event, Node, Role, World, WorldError};
use crate::scenario::{Area, Country, FaultKind, Scenario, Since};

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
    /// Sets a scenario up; `seed` instead of its own, `trace` takes the lines of the trace.
    ///
    /// # Errors
    /// [`WorldError`] when the directory does not have who is named, nobody is there for what the
    /// scenario says of somebody, or it writes more than can be played to the end.
    pub fn new(
        scenario: &'s Scenario,
        country: &Country,
        seed: Option<u64>,
        trace: Option<&'s mut dyn Write>,
    ) -> Result<Self, WorldError> {
        check_volume(scenario)?;
        let population = Population::of(scenario, country)?;
        let seed = seed.unwrap_or(scenario.seed);
        let keys = Keys::new(seed, scenario.begin(), scenario.end())?;
        let is_killed = scenario.faults.iter().any(|f| f.kind == FaultKind::HubKilled);
        let mut hub = Hub::new(&keys, scenario.begin(), is_killed)?;
        let late = scenario.faults.iter().filter(|f| f.kind == FaultKind::RevocationListLate);
        let in_date = late.map(|fault| fault.from).min().unwrap_or(keys.last_update());
        hub.set_up(&keys, &population.directory(country), in_date)?;
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
            nodes.push(Node::new(member, ordinal, province));
        }
        let holds = |area: &Area| -> Nodes {
            let held = nodes.iter().enumerate();
            let held = held.filter(|(_, node)| area.holds(&node.member.entry, country));
            held.map(|(index, _)| index).collect()
        };
        let lanes = scenario.traffic.iter().map(|traffic| {
            let lane = Lane::new(traffic, &nodes, holds);
            lane.map_err(|role| WorldError::NobodyIn { line: traffic.line, role })
        });
        let clerks = nodes.iter().map(|node| {
            scenario.answers.iter().position(|one| one.area.holds(&node.member.entry, country))
        });
        let mut world = Self {
            scenario,
            by_ordinal: nodes.iter().enumerate().map(|(i, node)| (node.ordinal, i)).collect(),
            lanes: lanes.collect::<Result<_, _>>()?,
            clerks: clerks.collect(),
            hits: Hits::new(scenario, holds),
            hub,
            dying: false,
            keys,
            queue: Queue::default(),
            trace: Trace::new(trace),
            dice: Dice::new(seed),
            pending: HashMap::new(),
            patience: VecDeque::new(),
            receipts: Vec::new(),
            calls: 0,
            ids: 0,
            commit_due: false,
            deadline: None,
            lists: 1,
            began: now,
            now,
            nodes,
        };
        world.check_answers()?;
        world.hits.check(scenario)?;
        world.schedule();
        Ok(world)
    }

    /// The same world with a flaw in its hub.
    #[cfg(test)]
    pub(crate) fn flawed(mut self, flaw: super::Flaw) -> Self {
        self.hub.set_flaw(flaw);
        self
    }

    /// Somebody's clerks follow each of the answers.
    fn check_answers(&self) -> Result<(), WorldError> {
        let mut answers = self.scenario.answers.iter().enumerate();
        match answers.find(|(index, _)| !self.clerks.contains(&Some(*index))) {
            None => Ok(()),
            Some((_, one)) => Err(WorldError::NobodyIn { line: one.line, role: Role::Clerk }),
        }
    }

    /// What is known beforehand: days, connections, faults.
    fn schedule(&mut self) {
        self.queue.put(self.now, Event::Day(self.now.day()));
        for index in 0..self.nodes.len() {
            if self.nodes[index].member.outside {
                continue;
            }
            let at = match self.nodes[index].member.connected {
                Since::Always => self.now,
                Since::Day(day) => day.start().max(self.now),
                Since::Never => continue,
            };
            if at < self.scenario.end() {
                self.queue.put(at, Event::Connect(index));
            }
        }
        for (index, fault) in self.scenario.faults.iter().enumerate() {
            self.queue.put(fault.from, Event::FaultBegins(index));
            self.queue.put(fault.until, Event::FaultEnds(index));
        }
    }
}

/// What cannot be played to its end is not begun.
fn check_volume(scenario: &Scenario) -> Result<(), WorldError> {
    let documents = scenario.documents();
    if documents <= DOCUMENTS_MAX {
        return Ok(());
    }
    let traffic = scenario.traffic.iter();
    let most = traffic.max_by_key(|traffic| scenario.documents_of(traffic));
    Err(WorldError::TooMany { documents, line: most.map_or(0, |traffic| traffic.line) })
}

impl Dice {
    fn new(seed: u64) -> Self {
        let stream = |stream| {
            let mut rng = ChaCha8Rng::seed_from_u64(seed);
            rng.set_stream(stream);
            rng
        };
        Self {
            writing: stream(0),
            network: stream(1),
            clerks: stream(2),
            faults: stream(3),
            signing: stream(4),
        }
    }
}
