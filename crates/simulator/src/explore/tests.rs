//! Seeds hold, the same seed gives the same scenario, and a hub with a flaw is found and the
//! scenario that finds it is small.

use super::*;
use crate::world::Flaw;

fn country() -> Country {
    let entries = lienthong_country::entries().unwrap();
    sample(&Country { entries, regions: std::collections::BTreeMap::new() })
}

/// Seeds that the tests play. `LIENTHONG_SEEDS` has more or fewer.
fn seeds() -> u64 {
    std::env::var("LIENTHONG_SEEDS").ok().and_then(|seeds| seeds.parse().ok()).unwrap_or(200)
}

#[test]
fn random_scenarios_with_random_faults_keep_every_law() {
    let (explored, failure) = super::seeds(0..seeds(), &country(), |_, _| {});
    if let Some(Failure { seed, broken, scenario, .. }) = failure {
        panic!(
            "seed {seed}: {broken:#?}\nreplay: lienthong sim explore --from {seed} --seeds 1\n{}",
            scenario.to_toml()
        );
    }
    println!("{explored:?}");
    assert!(explored.documents > explored.seeds, "hardly anything was written: {explored:?}");
    assert!(explored.faults > explored.seeds, "hardly anything went wrong: {explored:?}");
}

/// Explores until a flaw is found; returns the failure.
fn found(flaw: Flaw) -> Failure {
    let (country, mut explored) = (country(), Explored::default());
    (0..100)
        .find_map(|number| explore(number, &country, &mut explored, |world| world.flawed(flaw)))
        .unwrap_or_else(|| panic!("{flaw:?} is not found in 100 seeds"))
}

#[test]
fn a_hub_that_answers_before_the_disk_is_found_and_shrunk_to_its_kill() {
    let failure = found(Flaw::AnswersBeforeTheDisk);
    let scenario = &failure.scenario;
    println!("seed {}, {} played:\n{}", failure.seed, failure.played, scenario.to_toml());
    let receipts = failure.broken.iter().any(|broken| broken.contains("receipt"));
    assert!(receipts, "{:?}", failure.broken);
    let kinds: Vec<_> = scenario.faults.iter().map(|fault| fault.kind).collect();
    assert!(kinds.contains(&crate::scenario::FaultKind::HubKilled), "{kinds:?}");
    let drawn = super::scenario(failure.seed, &country());
    assert!(kinds.len() <= 2 && kinds.len() <= drawn.faults.len(), "{kinds:?}");
    assert_eq!(scenario.traffic.len(), 1, "nothing more is needed");
}

#[test]
fn a_hub_that_forgets_mail_is_found_without_any_fault_and_the_file_replays_it() {
    let failure = found(Flaw::ForgetsMail);
    assert_eq!(failure.scenario.faults, [], "{}", failure.scenario.to_toml());
    let text = failure.scenario.to_toml();
    let again = Scenario::parse("again.toml", &text).unwrap();
    let (verdict, _) = laws(&again, &country(), |w| w.flawed(Flaw::ForgetsMail)).unwrap();
    assert_eq!(named(&verdict.laws), failure.broken, "{text}");
    let (sound, _) = laws(&again, &country(), |world| world).unwrap();
    assert_eq!(named(&sound.laws), Vec::<String>::new(), "a hub without the flaw keeps the laws");
}

#[test]
fn a_panic_keeps_its_seed_and_is_shrunk_as_a_broken_law_is() {
    let failure = found(Flaw::PanicsWhenKilled);
    assert_eq!(failure.broken, ["panicked: a flaw of the hub"]);
    let kinds: Vec<_> = failure.scenario.faults.iter().map(|fault| fault.kind).collect();
    assert_eq!(kinds, [crate::scenario::FaultKind::HubKilled], "nothing more is needed");
    let again = super::scenario(failure.seed, &country());
    let played = laws(&again, &country(), |world| world.flawed(Flaw::PanicsWhenKilled));
    assert_eq!(played.map(|_| ()), Err(failure.broken.concat()), "the seed plays it again");
}

#[test]
fn what_cannot_be_set_up_is_not_taken_for_a_smaller_scenario() {
    // Without its ministries nobody can write.
    let text = "[scenario]\nname = \"centre\"\ntitle = \"X\"\nfrom = 2020-11-16\nuntil = 2020-11-16\n\
                [[agencies]]\nlevels = [\"ministry\"]\n[[agencies]]\nprovinces = [\"H36\"]\ntake = 2\n\
                [[traffic]]\nspan = \"centre\"\ndocuments-per-day = 40\n";
    let scenario = Scenario::parse("centre.toml", text).unwrap();
    let entries = lienthong_country::entries().unwrap();
    let country = Country { entries, regions: std::collections::BTreeMap::new() };
    let broken = |scenario: &Scenario| {
        let played = laws(scenario, &country, |world| world.flawed(Flaw::ForgetsMail));
        played.map_or_else(|error| vec![error], |(verdict, _)| named(&verdict.laws))
    };
    let alone = Scenario { agencies: scenario.agencies[1..].to_vec(), ..scenario.clone() };
    assert!(broken(&alone)[0].contains("nobody to write"), "{:?}", broken(&alone));
    let (small, _) = smallest(scenario, &country, broken);
    assert!(World::new(&small, &country, None, None).is_ok(), "{}", small.to_toml());
    assert!(!broken(&small)[0].contains("nobody to write"), "{:?}", broken(&small));
}

#[test]
fn a_seed_gives_the_same_scenario_and_another_one_another() {
    let country = country();
    assert_eq!(scenario(7, &country), scenario(7, &country));
    assert_ne!(scenario(7, &country), scenario(8, &country));
    for number in 0..50 {
        let drawn = scenario(number, &country);
        let text = drawn.to_toml();
        let read = Scenario::parse("x.toml", &text).unwrap_or_else(|e| panic!("{e}\n{text}"));
        assert_eq!(
            (read.seed, read.days, read.faults.len()),
            (drawn.seed, drawn.days, drawn.faults.len())
        );
    }
}
