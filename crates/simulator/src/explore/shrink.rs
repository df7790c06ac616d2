//! Makes a scenario that breaks something as small as it gets.

use lienthong_model::Day;

use crate::scenario::{Area, Calendar, Changes, Scenario, Urgencies};

/// Most scenarios that are played to shrink one.
const PLAYED_MAX: u32 = 300;

/// Tries smaller scenarios as long as one of them breaks too. Returns the smallest, and how many
/// were played.
pub(super) fn shrink(
    mut scenario: Scenario,
    mut breaks: impl FnMut(&Scenario) -> bool,
) -> (Scenario, u32) {
    let mut played = 0;
    'smaller: loop {
        for candidate in smaller(&scenario) {
            if played >= PLAYED_MAX {
                return (scenario, played);
            }
            played += 1;
            if breaks(&candidate) {
                scenario = candidate;
                continue 'smaller;
            }
        }
        return (scenario, played);
    }
}

/// Scenarios that are a little smaller, the much smaller ones first.
fn smaller(scenario: &Scenario) -> Vec<Scenario> {
    let mut found = Vec::new();
    let mut offer = |change: &dyn Fn(&mut Scenario)| {
        let mut candidate = scenario.clone();
        change(&mut candidate);
        if candidate != *scenario {
            found.push(candidate);
        }
    };
    for index in 0..scenario.faults.len() {
        offer(&|s| drop(s.faults.remove(index)));
    }
    for index in (0..scenario.traffic.len()).filter(|_| scenario.traffic.len() > 1) {
        offer(&|s| drop(s.traffic.remove(index)));
    }
    for index in (0..scenario.agencies.len()).filter(|_| scenario.agencies.len() > 1) {
        offer(&|s| drop(s.agencies.remove(index)));
    }
    for index in 0..scenario.answers.len() {
        offer(&|s| drop(s.answers.remove(index)));
    }
    if scenario.days.count() > 1 {
        offer(&|s| {
            s.days.last = Day(s.days.last.0 - 1);
            let end = s.end();
            s.faults.retain(|fault| fault.from < end);
            s.faults.iter_mut().for_each(|fault| fault.until = fault.until.min(end));
        });
    }
    offer(&|s| s.calendar = Calendar { weekend: s.calendar.weekend, ..Calendar::default() });
    for index in 0..scenario.traffic.len() {
        offer(&|s| s.traffic[index].per_day = (s.traffic[index].per_day / 2.0).floor().max(1.0));
        offer(&|s| s.traffic[index].fan_out = (1, (s.traffic[index].fan_out.1 / 2).max(1)));
        offer(&|s| s.traffic[index].changes = Changes::default());
        offer(&|s| s.traffic[index].urgencies = Urgencies::default());
        offer(&|s| s.traffic[index].attachment_kib = (0, 0));
        offer(&|s| s.traffic[index].due_days = None);
        offer(&|s| s.traffic[index].paper = 0.0);
    }
    for index in 0..scenario.agencies.len() {
        offer(&|s| s.agencies[index].take = s.agencies[index].take.map(|take| take.div_ceil(2)));
    }
    for index in 0..scenario.faults.len() {
        offer(&|s| s.faults[index].with = Area::default());
        offer(&|s| s.faults[index].share = 1.0);
    }
    found
}
