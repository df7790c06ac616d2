//! Scenarios in the virtual world: they come out as they say, the same each time, and what goes
//! wrong on purpose is noticed.

use std::collections::BTreeMap;

use lienthong_model::Digest;
use lienthong_simulator::scenario::{Country, Scenario, builtin};
use lienthong_simulator::verdict::Verdict;
use lienthong_simulator::world::{Played, World, WorldError};

fn country() -> Country {
    let mut regions: BTreeMap<String, Vec<_>> = BTreeMap::new();
    for province in lienthong_country::provinces().unwrap() {
        regions.entry(province.region.name().to_owned()).or_default().push(province.code);
    }
    Country { entries: lienthong_country::entries().unwrap(), regions }
}

fn play<'a>(
    scenario: &'a Scenario,
    trace: Option<&'a mut dyn std::io::Write>,
) -> (Verdict, Played) {
    let world = World::new(scenario, &country(), None, trace).unwrap();
    let played = world.play(|_| {}).unwrap();
    (Verdict::of(scenario, scenario.seed, &played).unwrap(), played)
}

fn failures(verdict: &Verdict) -> Vec<String> {
    let failed = verdict.checks().filter(|check| !check.passed);
    failed.map(|one| format!("{}: found {} {:?}", one.name, one.found, one.documents)).collect()
}

fn comes_out_as_it_says(name: &str) {
    let scenario = builtin(name).unwrap();
    let (verdict, played) = play(&scenario, None);
    println!("{name}, seed {}: {} events, {verdict:#?}", scenario.seed, played.events);
    assert_eq!(failures(&verdict), Vec::<String>::new());
    assert!(verdict.documents > 100, "{} documents are too few", verdict.documents);
}

/// Without its fault the scenario must not come out as it says: the fault happens and is noticed.
fn comes_out_as_it_says_only_with_its_fault(name: &str) {
    comes_out_as_it_says(name);
    let harmless = Scenario { faults: Vec::new(), ..builtin(name).unwrap() };
    let (verdict, _) = play(&harmless, None);
    assert!(verdict.laws.iter().all(|law| law.passed), "{:#?}", verdict.laws);
    assert!(!verdict.passed(), "`{name}` passes without its fault");
}

#[test]
fn the_central_highlands_of_november_2020_come_out_as_the_sources_say() {
    comes_out_as_it_says("central-highlands-2020-11");
}

#[test]
fn the_northern_provinces_of_september_2020_come_out_as_the_sources_say() {
    comes_out_as_it_says("northern-provinces-2020-09");
}

#[test]
fn quang_ninh_2019_comes_out_as_the_sources_say() {
    comes_out_as_it_says("quang-ninh-2019");
}

#[test]
fn lost_acknowledgements_are_delivered_again_and_counted_once() {
    comes_out_as_it_says_only_with_its_fault("fault-acknowledgement-lost");
}

#[test]
fn a_duplicate_submission_gets_the_first_receipt_and_makes_no_second_document() {
    comes_out_as_it_says_only_with_its_fault("fault-duplicate-submission");
}

#[test]
fn a_node_that_was_off_has_everything_once_it_is_back() {
    comes_out_as_it_says_only_with_its_fault("fault-node-off");
}

#[test]
fn what_a_revoked_certificate_signs_is_refused_by_code() {
    comes_out_as_it_says_only_with_its_fault("fault-certificate-revoked");
}

#[test]
fn what_an_expired_certificate_signs_is_refused_by_code() {
    comes_out_as_it_says_only_with_its_fault("fault-certificate-expired");
}

#[test]
fn changed_content_is_refused_and_the_right_bytes_are_accepted_after_it() {
    comes_out_as_it_says_only_with_its_fault("fault-content-changed");
}

#[test]
fn a_hub_that_is_killed_comes_back_from_its_journal_alone() {
    comes_out_as_it_says_only_with_its_fault("fault-hub-killed");
}

#[test]
fn the_same_scenario_and_seed_give_the_same_trace_byte_for_byte() {
    for name in ["fault-hub-killed", "fault-acknowledgement-lost"] {
        let scenario = builtin(name).unwrap();
        let (mut one, mut other) = (Vec::new(), Vec::new());
        let (verdict, played) = play(&scenario, Some(&mut one));
        let (again, _) = play(&scenario, Some(&mut other));
        assert!(one == other, "the traces of `{name}` differ");
        assert_eq!(verdict, again);
        assert_eq!(played.trace, Digest::of(&one), "the digest is that of the lines");
        let lines = String::from_utf8(one).unwrap();
        assert!(lines.lines().count() > 1_000, "{} lines", lines.lines().count());
    }
}

#[test]
fn another_seed_gives_another_trace_and_the_laws_still_hold() {
    let scenario = builtin("fault-hub-killed").unwrap();
    let first = World::new(&scenario, &country(), None, None).unwrap().play(|_| {}).unwrap();
    for seed in 100..103 {
        let world = World::new(&scenario, &country(), Some(seed), None).unwrap();
        let played = world.play(|_| {}).unwrap();
        assert_ne!(played.trace, first.trace, "seed {seed}");
        let verdict = Verdict::of(&scenario, seed, &played).unwrap();
        assert!(verdict.laws.iter().all(|law| law.passed), "seed {seed}: {:#?}", verdict.laws);
    }
}

#[test]
fn an_expectation_that_fails_names_documents_and_the_report_the_command() {
    let mut scenario = builtin("fault-node-off").unwrap();
    for expect in &mut scenario.expects {
        (expect.bound.at_least, expect.bound.at_most) = (None, Some(-1.0));
    }
    let (verdict, _) = play(&scenario, None);
    let sent = verdict.expects.iter().find(|check| check.name.contains("/ sent")).unwrap();
    assert!(!sent.passed);
    assert_eq!(sent.documents.len(), 10);
    assert!(sent.documents[0].contains("(H36"), "{:?}", sent.documents);
    let xml = verdict.junit("lienthong sim run fault-node-off --seed 7", 1.0);
    assert!(xml.contains(&sent.documents[9]), "{xml}");
    assert!(xml.contains("--seed 7</failure>"), "{xml}");
}

#[test]
fn who_is_not_in_the_directory_is_named_before_anything_is_played() {
    let text = "[scenario]\nname = \"x\"\ntitle = \"X\"\nfrom = 2020-11-16\nuntil = 2020-11-17\n\
                [[agencies]]\nprovinces = [\"H99\"]\n[[traffic]]\ndocuments-per-day = 3\n";
    let scenario = Scenario::parse("x.toml", text).unwrap();
    match World::new(&scenario, &country(), None, None) {
        Err(WorldError::Unknown(unknown)) => assert_eq!(unknown, ["H99"]),
        other => panic!("{:?}", other.map(|_| ())),
    }
    let alone = text.replace("[\"H99\"]", "[\"H36\"]\ntake = 1\nlevels = [\"province\"]");
    let scenario = Scenario::parse("x.toml", &alone).unwrap();
    match World::new(&scenario, &country(), None, None) {
        Err(WorldError::NobodyIn { line: 10, role }) => assert_eq!(role, "to write to"),
        other => panic!("{:?}", other.map(|_| ())),
    }
}
