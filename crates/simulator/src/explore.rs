//! Random scenarios with random faults, against the laws.
//!
//! ```text
//!  seed ─▶ draw ─▶ Scenario ─▶ World ─▶ laws ── hold ─▶ next seed
//!                                        └── broken ─▶ shrink ─▶ a small scenario that breaks too
//! ```
//! A scenario follows from its seed and the country alone, so a seed that failed fails again.

mod draw;
mod shrink;

use crate::scenario::{Country, Scenario};
use crate::verdict::{Check, Verdict};
use crate::world::{World, WorldError};
pub use draw::scenario;

/// A seed whose scenario breaks a law, or stops the hub.
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

/// Plays the scenario of one seed; a failure is shrunk.
pub fn seed(seed: u64, country: &Country, explored: &mut Explored) -> Option<Failure> {
    explore(seed, country, explored, |world| world)
}

fn explore(
    seed: u64,
    country: &Country,
    explored: &mut Explored,
    prepare: impl for<'w> Fn(World<'w>) -> World<'w>,
) -> Option<Failure> {
    let scenario = draw::scenario(seed, country);
    explored.seeds += 1;
    explored.faults += scenario.faults.len() as u64;
    let broken = |scenario: &Scenario| match laws(scenario, country, &prepare) {
        Ok((verdict, _)) => named(&verdict.laws),
        Err(error) => vec![error],
    };
    if let Ok((verdict, events)) = laws(&scenario, country, &prepare) {
        explored.events += events;
        explored.documents += verdict.documents;
        if verdict.laws.iter().all(|law| law.passed) {
            return None;
        }
    }
    let (scenario, played) = shrink::shrink(scenario, |scenario| !broken(scenario).is_empty());
    Some(Failure { seed, broken: broken(&scenario), scenario, played })
}

/// Plays a scenario; returns the verdict and the events. A world or a hub that stops is told in
/// words.
fn laws(
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

fn named(laws: &[Check]) -> Vec<String> {
    let broken = laws.iter().filter(|law| !law.passed);
    broken.map(|law| format!("{}: {} {:?}", law.name, law.found, law.documents)).collect()
}

#[cfg(test)]
mod tests;
