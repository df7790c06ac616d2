//! A scenario played with real clients against a running hub.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use lienthong_model::{AgencyCode, Timestamp};

use super::axis::{Ground, LiveAxis};
use super::link::Disturbance;
use super::remembered::Remembers;
use crate::scenario::{Country, Scenario};
use crate::world::{
    Axis as _, Bell, Keys, Pace, Played, Population, Progress, Set, World, WorldError,
};

/// What is played live beside the scenario.
pub struct Live<'c> {
    /// The directory.
    pub country: &'c Country,
    /// Who takes part.
    pub population: Population,
    /// The PKI below which they have their certificates; the hub trusts it.
    pub keys: Keys,
    /// Everything random follows from it.
    pub seed: u64,
    /// Where the hub is.
    pub ground: Ground,
    /// When it begins: what was due before does not happen. What is due later and is missed, since
    /// the clock runs fast, happens late.
    pub from: Timestamp,
    /// Whether to stop before the scenario is over.
    pub stop: Arc<AtomicBool>,
    /// What it remembers; without everything it cannot be judged.
    pub remembers: Remembers,
}

/// Plays it to its end, or until it is stopped. Must be called on a thread that may block, inside a
/// tokio runtime.
///
/// # Errors
/// [`WorldError`] when the hub cannot be reached, or nobody can write.
pub fn play<'s>(
    scenario: &'s Scenario,
    live: Live<'_>,
    trace: Option<&'s mut dyn std::io::Write>,
    told: impl FnMut(Progress),
) -> Result<Played, WorldError> {
    let Live { country, population, keys, seed, ground, from, stop, remembers } = live;
    let bell = Bell::default();
    let played: Vec<AgencyCode> = population
        .iter()
        .filter(|member| !member.outside)
        .map(|member| member.entry.code.clone())
        .collect();
    let entries = population.directory(country);
    let ours = ground.control.is_some();
    let mut axis = LiveAxis::new(ground, &keys, entries, &played, &bell, remembers)?;
    if !ours {
        axis.take_baseline(scenario)?;
    }
    for fault in &scenario.faults {
        if Disturbance::of(fault.kind).is_none() {
            continue;
        }
        let members = population.iter().filter(|one| fault.area.holds(&one.entry, country));
        let hit: Vec<_> = members.filter_map(|member| axis.ordinal(&member.entry.code)).collect();
        axis.put_links(&hit)?;
    }
    let pace = Pace { clock: axis.clock(), bell, stop };
    let set = Set { country, population, keys, seed, trace, now: from };
    World::on(scenario, set, Box::new(axis))?.play_paced(&pace, told)
}
