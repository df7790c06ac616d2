//! Random scenarios with random faults, against the laws.
//!
//! ```text
//!  seed ─▶ draw ─▶ Scenario ─▶ World ─▶ laws ── hold ─▶ next seed
//!                                        └── broken ─▶ shrink ─▶ a small scenario that breaks too
//! ```
//! A scenario follows from its seed and the country alone, so a seed that failed fails again. A
//! panic is a failure as others are: it loses neither its seed nor what it can be shrunk to.

mod draw;
mod shrink;

use std::any::Any;
use std::num::NonZero;
use std::ops::Range;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicU64, Ordering};

use parking_lot::Mutex;

use crate::scenario::{Country, Scenario};
use crate::verdict::{Check, Verdict};
use crate::world::{World, WorldError};
pub use draw::scenario;

/// A seed whose scenario breaks a law, stops the hub, or makes it panic.
#[derive(Debug, Clone)]
pub struct Failure {
    /// The seed.
    pub seed: u64,
    /// What is broken, in words.
    pub broken: Vec<String>,
    /// A scenario that breaks it, as small as could be found.
    pub scenario: Scenario,
    /// How many scenarios were played to find it.
    pub played: u32,
}

/// What was explored.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Explored {
    /// Seeds.
    pub seeds: u64,
    /// Events of all of them.
    pub events: u64,
    /// Documents that their hubs accepted.
    pub documents: u64,
    /// Faults that they had.
    pub faults: u64,
}

/// Returns the small country in which scenarios are drawn: the first agencies of each level of the
/// centre and of a few provinces.
pub fn sample(country: &Country) -> Country {
    draw::sample(country)
}

/// Plays the scenarios of some seeds, on all processors, until one fails; what is found is the same
/// on each machine: the first of them that fails, shrunk. `told` hears what was explored so far after
/// each seed.
pub fn seeds(
    seeds: Range<u64>,
    country: &Country,
    told: impl FnMut(&Explored, u64) + Send,
) -> (Explored, Option<Failure>) {
    let next = AtomicU64::new(seeds.start);
    // Seeds are taken in order: all before the first that fails are played to their end.
    let end = AtomicU64::new(seeds.end);
    let all = Mutex::new((Explored::default(), None::<u64>, told));
    let work = || loop {
        let number = next.fetch_add(1, Ordering::Relaxed);
        if number >= end.load(Ordering::Relaxed) {
            return;
        }
        let mut explored = Explored::default();
        let passed = passes(number, country, &mut explored, &|world| world);
        if !passed {
            end.fetch_min(number, Ordering::Relaxed);
        }
        let mut all = all.lock();
        let (sum, failed, told) = &mut *all;
        sum.add(explored);
        if !passed {
            *failed = Some(failed.map_or(number, |failed| failed.min(number)));
        }
        told(sum, number);
    };
    let workers = std::thread::available_parallelism().map_or(1, NonZero::get);
    std::thread::scope(|scope| (0..workers).for_each(|_| drop(scope.spawn(work))));
    let (explored, failed, _) = all.into_inner();
    (explored, failed.map(|seed| shrunk(seed, country, |world| world)))
}

/// Plays the scenario of one seed on a prepared world; a failure is shrunk.
#[cfg(test)]
fn explore(
    seed: u64,
    country: &Country,
    explored: &mut Explored,
    prepare: impl for<'w> Fn(World<'w>) -> World<'w>,
) -> Option<Failure> {
    let passed = passes(seed, country, explored, &prepare);
    (!passed).then(|| shrunk(seed, country, prepare))
}

/// Whether the scenario of a seed keeps every law.
fn passes(
    seed: u64,
    country: &Country,
    explored: &mut Explored,
    prepare: &impl for<'w> Fn(World<'w>) -> World<'w>,
) -> bool {
    let scenario = draw::scenario(seed, country);
    explored.seeds += 1;
    explored.faults += scenario.faults.len() as u64;
    let Ok((verdict, events)) = laws(&scenario, country, prepare) else { return false };
    explored.events += events;
    explored.documents += verdict.documents;
    verdict.laws.iter().all(|law| law.passed)
}

/// A seed that fails, as small as it gets.
fn shrunk(
    seed: u64,
    country: &Country,
    prepare: impl for<'w> Fn(World<'w>) -> World<'w>,
) -> Failure {
    let broken = |scenario: &Scenario| match laws(scenario, country, &prepare) {
        Ok((verdict, _)) => named(&verdict.laws),
        Err(error) => vec![error],
    };
    let (scenario, played) = smallest(draw::scenario(seed, country), country, broken);
    Failure { seed, broken: broken(&scenario), scenario, played }
}

/// The smallest scenario that breaks something. One that cannot be set up shows nothing; a panic
/// does.
fn smallest(
    scenario: Scenario,
    country: &Country,
    broken: impl Fn(&Scenario) -> Vec<String>,
) -> (Scenario, u32) {
    let can_be_set_up = |scenario: &Scenario| {
        caught(|| World::new(scenario, country, None, None).is_ok()).unwrap_or(true)
    };
    shrink::shrink(scenario, |scenario| can_be_set_up(scenario) && !broken(scenario).is_empty())
}

impl Explored {
    fn add(&mut self, more: Self) {
        self.seeds += more.seeds;
        self.events += more.events;
        self.documents += more.documents;
        self.faults += more.faults;
    }
}

/// Plays a scenario; returns the verdict and the events. A world or a hub that stops, or panics, is
/// told in words.
fn laws(
    scenario: &Scenario,
    country: &Country,
    prepare: impl for<'w> Fn(World<'w>) -> World<'w>,
) -> Result<(Verdict, u64), String> {
    caught(|| judged(scenario, country, prepare))?
}

fn judged(
    scenario: &Scenario,
    country: &Country,
    prepare: impl for<'w> Fn(World<'w>) -> World<'w>,
) -> Result<(Verdict, u64), String> {
    let world = World::new(scenario, country, None, None).map_err(|e: WorldError| e.to_string())?;
    let played = prepare(world).play(|_| {}).map_err(|error| error.to_string())?;
    let verdict = Verdict::of(scenario, scenario.seed, &played)
        .map_err(|error: crate::world::AccountError| error.to_string())?;
    Ok((verdict, played.events))
}

/// Runs something; a panic is told in words. What it left half done is thrown away with it.
fn caught<T>(run: impl FnOnce() -> T) -> Result<T, String> {
    catch_unwind(AssertUnwindSafe(run)).map_err(|panic| format!("panicked: {}", said(&*panic)))
}

/// What a panic says.
fn said(panic: &(dyn Any + Send)) -> &str {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    text.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("without words")
}

fn named(laws: &[Check]) -> Vec<String> {
    let broken = laws.iter().filter(|law| !law.passed);
    broken.map(|law| format!("{}: {} {:?}", law.name, law.found, law.documents)).collect()
}

#[cfg(test)]
mod tests;
