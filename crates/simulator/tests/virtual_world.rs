//! Scenarios in the virtual world: they come out as they say, the same each time, and what goes
//! wrong on purpose is noticed.

use std::collections::BTreeMap;

use lienthong_model::Digest;
use lienthong_simulator::scenario::{Country, Scenario, builtin};
use lienthong_simulator::verdict::Verdict;
use lienthong_simulator::world::{Played, Role, World, WorldError};

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
    println!("{name}, seed {}: {} events", scenario.seed, played.events);
    for check in verdict.checks() {
        println!("  {} {} (wanted {})", check.name, check.found, check.wanted);
    }
    assert_eq!(failures(&verdict), Vec::<String>::new());
    assert!(verdict.documents >= 20, "{} documents are too few", verdict.documents);
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
fn slow_lines_make_messages_go_twice_and_documents_be_there_once() {
    comes_out_as_it_says_only_with_its_fault("fault-delay");
}

#[test]
fn a_duplicate_submission_gets_the_first_receipt_and_makes_no_second_document() {
    comes_out_as_it_says_only_with_its_fault("fault-duplicate-submission");
}

#[test]
fn a_document_that_is_overtaken_is_taken_all_the_same() {
    comes_out_as_it_says_only_with_its_fault("fault-reorder");
}

#[test]
fn an_upload_that_is_cut_goes_on_where_it_was_and_arrives_whole() {
    comes_out_as_it_says_only_with_its_fault("fault-upload-cut");
}

#[test]
fn changed_content_is_refused_and_the_right_bytes_are_accepted_after_it() {
    comes_out_as_it_says_only_with_its_fault("fault-content-changed");
}

#[test]
fn what_another_agencys_certificate_signs_is_refused_by_code() {
    comes_out_as_it_says_only_with_its_fault("fault-certificate-wrong");
}

#[test]
fn what_an_expired_certificate_signs_is_refused_by_code() {
    comes_out_as_it_says_only_with_its_fault("fault-certificate-expired");
}

#[test]
fn what_a_revoked_certificate_signs_is_refused_by_code() {
    comes_out_as_it_says_only_with_its_fault("fault-certificate-revoked");
}

#[test]
fn a_clock_that_is_ahead_is_refused_and_one_that_is_behind_is_not() {
    comes_out_as_it_says_only_with_its_fault("fault-clock-off");
}

#[test]
fn a_slow_reader_is_slow_alone() {
    comes_out_as_it_says_only_with_its_fault("fault-slow-reader");
}

#[test]
fn a_node_that_was_off_has_everything_once_it_is_back() {
    comes_out_as_it_says_only_with_its_fault("fault-node-off");
}

#[test]
fn a_bad_line_between_two_provinces_hurts_no_other() {
    comes_out_as_it_says_only_with_its_fault("fault-link");
}

#[test]
fn a_hub_that_is_killed_loses_the_block_it_wrote_and_comes_back_from_its_journal_alone() {
    comes_out_as_it_says_only_with_its_fault("fault-hub-killed");
}

#[test]
fn a_full_disk_takes_nothing_new_and_nothing_is_lost() {
    comes_out_as_it_says_only_with_its_fault("fault-disk-full");
}

#[test]
fn a_late_revocation_list_is_marked_then_refused_then_settled() {
    comes_out_as_it_says_only_with_its_fault("fault-revocation-list-late");
}

#[test]
fn every_scenario_of_a_fault_is_played_here() {
    let text = include_str!("virtual_world.rs");
    for name in lienthong_simulator::scenario::names().filter(|name| name.starts_with("fault-")) {
        assert!(text.contains(&format!("only_with_its_fault(\"{name}\")")), "{name}");
    }
}

#[test]
fn recalls_updates_replacements_and_replies_come_out_as_it_says() {
    comes_out_as_it_says("recall-update-replace");
}

/// The day and the year of the whole country, cut to a slice: their behaviour and their first day,
/// with a share of their documents.
#[test]
fn a_slice_of_the_whole_country_keeps_the_laws() {
    for name in ["country-day", "country-year"] {
        let mut scenario = builtin(name).unwrap();
        let first = scenario.days.first;
        let begin = if name == "country-year" { lienthong_model::Day(first.0 + 1) } else { first };
        scenario.days = lienthong_simulator::scenario::Days { first: begin, last: begin };
        for traffic in &mut scenario.traffic {
            (traffic.per_day, traffic.days) = (traffic.per_day / 200.0, None);
        }
        for participation in &mut scenario.agencies {
            participation.take = Some(4);
        }
        scenario.expects.retain(|expect| {
            use lienthong_simulator::scenario::Measure;
            !matches!(expect.measure, Measure::Sent | Measure::Received | Measure::FinishedShare)
        });
        let (verdict, played) = play(&scenario, None);
        println!("{name}: {} agencies, {} events", played.agencies, played.events);
        assert_eq!(failures(&verdict), Vec::<String>::new(), "{name}");
        assert!(verdict.documents > 100, "{name}: {}", verdict.documents);
    }
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

/// Blocks of many requests are decided in another thread.
#[test]
fn a_world_that_goes_on_while_blocks_are_decided_gives_the_same_trace_each_time() {
    let mut scenario = builtin("country-day").unwrap();
    scenario.disk = std::time::Duration::from_secs(30);
    scenario.signatures = 0.1;
    for traffic in &mut scenario.traffic {
        traffic.per_day /= 40.0;
    }
    for participation in &mut scenario.agencies {
        participation.take = Some(4);
    }
    let traces: Vec<_> = (0..3).map(|_| play(&scenario, None).1).collect();
    assert!(traces[0].events > 10_000, "{} events", traces[0].events);
    assert!(traces.iter().all(|played| played.trace == traces[0].trace));
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
fn the_page_of_a_run_has_its_charts_its_checks_and_needs_nothing_beside_it() {
    use lienthong_simulator::verdict::Frame;
    let scenario = builtin("fault-disk-full").unwrap();
    let (verdict, _) = play(&scenario, None);
    let figures = [("văn bản / documents", verdict.documents.to_string())];
    let frame = Frame {
        titles: (&scenario.title, &scenario.title_en),
        about: &scenario.about,
        replay: "lienthong sim run fault-disk-full --seed 7",
        figures: &figures,
    };
    let page = verdict.html(&frame);
    for part in
        ["Đạt / Passed", "STORAGE_LOW", "đĩa của trục gần đầy / disk-full", "--seed 7", "180"]
    {
        assert!(page.contains(part), "{part}");
    }
    assert_eq!(page.matches("<figure>").count(), 4);
    for outside in ["http://", "https://", "<script", "<link", "src="] {
        assert!(!page.contains(outside), "{outside}");
    }
}

#[test]
fn signatures_that_are_left_out_change_no_decision_only_the_time_that_playing_takes() {
    let scenario = builtin("fault-content-changed").unwrap();
    let (signed, played) = play(&scenario, None);
    assert!(signed.refusals > 0, "changed content is refused");
    for signatures in [0.0, 0.5] {
        let rehearsed = Scenario { signatures, ..scenario.clone() };
        let (verdict, again) = play(&rehearsed, None);
        assert_eq!(verdict.refusals, signed.refusals, "signatures = {signatures}");
        assert_eq!(verdict, signed, "signatures = {signatures}");
        assert_eq!(again.trace, played.trace, "signatures = {signatures}");
    }
}

#[test]
fn a_sender_that_may_write_to_nobody_takes_no_document_away() {
    // A ministry, which is inside no province, is among the senders.
    let text = "[scenario]\nname = \"x\"\ntitle = \"X\"\nfrom = 2020-11-16\nuntil = 2020-11-17\n\
                [[agencies]]\nagencies = [\"G22\", \"H36.01\", \"H36.02\"]\n\
                [[traffic]]\nspan = \"inside\"\ndocuments-per-day = 60\n\
                [[expect]]\nmeasure = \"sent\"\nequals = 120\n";
    let (verdict, _) = play(&Scenario::parse("x.toml", text).unwrap(), None);
    assert_eq!(failures(&verdict), Vec::<String>::new());
}

#[test]
fn a_part_that_nobody_who_takes_part_has_is_named_with_its_line() {
    let text = "[scenario]\nname = \"x\"\ntitle = \"X\"\nfrom = 2020-11-16\nuntil = 2020-11-17\n\
                [[agencies]]\nprovinces = [\"H36\"]\ntake = 2\n\
                [[traffic]]\ndocuments-per-day = 3\n";
    for (rest, part) in [
        ("[[fault]]\nkind = \"node-off\"\nlevels = [\"ministry\"]\n", Role::Struck),
        ("[[fault]]\nkind = \"node-off\"\nagencies = [\"H36.09\"]\n", Role::Struck),
        ("[[fault]]\nkind = \"delay\"\nwith-provinces = [\"H34\"]\n", Role::OtherEnd),
        ("[[answers]]\nprovinces = [\"H34\"]\n", Role::Clerk),
    ] {
        let scenario = Scenario::parse("x.toml", &format!("{text}{rest}")).unwrap();
        match World::new(&scenario, &country(), None, None) {
            Err(WorldError::NobodyIn { line: 11, role }) => assert_eq!(role, part),
            other => panic!("{rest}: {:?}", other.map(|_| ())),
        }
    }
    let behind = format!("{text}[[answers]]\n[[answers]]\nlevels = [\"district\"]\n");
    let scenario = Scenario::parse("x.toml", &behind).unwrap();
    match World::new(&scenario, &country(), None, None) {
        Err(WorldError::NobodyIn { line: 12, role }) => assert_eq!(role, Role::Clerk),
        other => panic!("{:?}", other.map(|_| ())),
    }
}

#[test]
fn an_agency_that_stands_where_a_province_must_is_named_with_its_table_and_line() {
    let text = |takes_part: &str, struck: &str| {
        format!(
            "[scenario]\nname = \"x\"\ntitle = \"X\"\nfrom = 2020-11-16\nuntil = 2020-11-17\n\
             [[agencies]]\nprovinces = [\"{takes_part}\"]\ntake = 2\n\
             [[traffic]]\ndocuments-per-day = 3\n\
             [[fault]]\nkind = \"node-off\"\nprovinces = [\"{struck}\"]\n"
        )
    };
    for (text, named, on) in
        [(text("H36.01", "H36"), "agencies", 6), (text("H36", "H36.01"), "fault", 11)]
    {
        let scenario = Scenario::parse("x.toml", &text).unwrap();
        match World::new(&scenario, &country(), None, None) {
            Err(WorldError::NoProvince { table, line, code }) => {
                assert_eq!((table, line, code.as_str()), (named, on, "H36.01"));
            }
            other => panic!("{:?}", other.map(|_| ())),
        }
    }
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
    for other in ["H98", "H36.01"] {
        let expected = text.replace("H99", "H36")
            + &format!("[[expect]]\nmeasure = \"refusals\"\nprovince = \"{other}\"\nequals = 0\n");
        let scenario = Scenario::parse("x.toml", &expected).unwrap();
        match World::new(&scenario, &country(), None, None) {
            Err(WorldError::NoProvince { line: 10, code, .. }) => assert_eq!(code.as_str(), other),
            other => panic!("{:?}", other.map(|_| ())),
        }
    }
    let alone = text.replace("[\"H99\"]", "[\"H36\"]\ntake = 1\nlevels = [\"province\"]");
    let scenario = Scenario::parse("x.toml", &alone).unwrap();
    match World::new(&scenario, &country(), None, None) {
        Err(WorldError::NobodyIn { line: 10, role }) => assert_eq!(role, Role::Addressee),
        other => panic!("{:?}", other.map(|_| ())),
    }
}
