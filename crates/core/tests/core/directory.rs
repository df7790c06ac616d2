//! The directory: dates, both written forms, search, what cannot be taken over, ordinals.

use crate::harness::{Hub, at, code, country, day, draft, entry, reason, rows};
use lienthong_core::{Decision, Directory, DirectoryError};
use lienthong_model::{AgencyEntry, Level, Ordinal, Reason, SignaturePolicy};
use proptest::collection::vec;
use proptest::prelude::*;

fn directory(entries: Vec<AgencyEntry>) -> Directory {
    let mut directory = Directory::default();
    directory.check(&entries).unwrap();
    for entry in entries {
        directory.put(entry);
    }
    directory
}

fn named(text: &str, name: &str) -> AgencyEntry {
    AgencyEntry { name: name.to_owned(), parent: None, ..entry(text, Level::District, None) }
}

#[test]
fn the_entry_in_force_is_the_latest_that_has_begun() {
    let old = AgencyEntry { name: "Cũ".to_owned(), ..entry("H34", Level::Province, None) };
    let new = AgencyEntry { name: "Mới".to_owned(), from: day("2025-07-01"), ..old.clone() };
    let directory = directory(vec![new, old]);
    let agency = directory.find(&code("H34")).unwrap();
    let name = |moment: &str| agency.entry(at(moment)).name.clone();
    assert_eq!(name("2025-06-30T23:59:59.999+07:00"), "Cũ");
    assert_eq!(name("2025-07-01T00:00:00+07:00"), "Mới");
    assert_eq!(name("2019-01-01"), "Cũ", "before all of them the first is shown");
    assert_eq!(agency.entry_in_force(at("2019-01-01")), None, "but it is not in force");
}

#[test]
fn an_agency_ends_with_the_day_before_its_end() {
    let until = Some(day("2025-07-01"));
    let directory = directory(vec![AgencyEntry { until, ..entry("H34", Level::Province, None) }]);
    let agency = directory.find(&code("H34")).unwrap();
    assert!(agency.entry_in_force(at("2025-06-30T23:59:59+07:00")).is_some());
    assert!(agency.entry_in_force(at("2025-07-01")).is_none());
}

#[test]
fn both_written_forms_find_the_same_agency() {
    let directory = directory(country());
    for (written, ordinal) in [("H36.01.01", 4), ("000.01.01.H36", 4), ("000.00.00.H36", 2)] {
        assert_eq!(directory.find(&code(written)).unwrap().ordinal, Ordinal(ordinal), "{written}");
    }
    assert!(directory.find(&code("H36.99")).is_none());
}

#[test]
fn a_search_asks_for_every_word_without_diacritics_and_puts_beginnings_first() {
    let directory = directory(vec![
        named("H34.A", "Sở Y tế Đắk Lắk"),
        named("H34.B", "Đắk Lắk"),
        named("H34.C", "Đắk Nông"),
        named("H34.D", "Huyện Lắk, tỉnh Đắk Lắk"),
    ]);
    let found = |text: &str| -> Vec<u32> {
        directory.search(text, 10).iter().map(|agency| agency.ordinal.0).collect()
    };
    assert_eq!(found("đắk lắk"), [1, 0, 3], "the one that begins with it first");
    assert_eq!(found("DAK LAK"), [1, 0, 3]);
    assert_eq!(found("lak huyen"), [3]);
    assert_eq!(found("h34.c"), [2]);
    assert_eq!(found("h34"), [0, 1, 2, 3]);
    assert_eq!(found("y tế nông"), [] as [u32; 0], "no agency has all of them");
    assert_eq!(found("  "), [] as [u32; 0]);
    assert_eq!(directory.search("dak", 2).len(), 2);
}

#[test]
fn what_entries_name_must_be_known_and_their_dates_in_order() {
    let directory = directory(country());
    let missing = |change: fn(&mut AgencyEntry)| {
        let mut entry = entry("H34.77", Level::District, Some("H34"));
        change(&mut entry);
        directory.check(&[entry])
    };
    for (role, change) in [
        ("superior", (|entry| entry.parent = Some(code("H77"))) as fn(&mut AgencyEntry)),
        ("province", |entry| entry.province = Some(code("H77"))),
        ("gateway", |entry| entry.gateway = Some(code("H77"))),
    ] {
        let (code, missing_code) = (code("H34.77"), code("H77"));
        let expected = DirectoryError::Missing { code, missing: missing_code, role };
        assert_eq!(missing(change), Err(expected));
    }
    assert_eq!(missing(|entry| entry.gateway = Some(code("000.00.00.H34"))), Ok(()));
    let ends = missing(|entry| entry.until = Some(entry.from));
    assert_eq!(ends, Err(DirectoryError::EndsBeforeItBegins(code("H34.77"))));
    let together =
        [entry("H77.1", Level::District, Some("H77")), entry("H77", Level::Province, Some("H77"))];
    assert_eq!(directory.check(&together), Ok(()), "in any order");
}

#[test]
fn more_agencies_than_the_bound_are_refused() {
    let many: Vec<_> =
        (0..=65_536).map(|n| entry(&format!("X{n}"), Level::Commune, None)).collect();
    let directory = Directory::default();
    assert_eq!(directory.check(&many), Err(DirectoryError::TooMany(65_537)));
    assert_eq!(directory.check(&many[1..]), Ok(()));
}

#[test]
fn an_agency_has_no_more_entries_and_no_longer_name_than_a_row_holds() {
    let of = |year: u32| AgencyEntry {
        from: day(&format!("{year}-01-01")),
        name: "ế".repeat(500),
        ..entry("H34", Level::Province, None)
    };
    let mut hub = Hub::empty();
    for year in 2000..2024 {
        assert_eq!(hub.change(vec![of(year)]), Decision::Done);
    }
    assert_eq!(hub.change(vec![of(2001), of(2002)]), Decision::Done, "known days are not new");
    assert_eq!(reason(&hub.change(vec![of(2024)])), Reason::FieldInvalid);
    let long = AgencyEntry { name: "ế".repeat(501), ..of(2001) };
    assert_eq!(Directory::default().check(&[long]), Err(DirectoryError::NameTooLong(code("H34"))));
}

#[test]
fn a_refused_change_leaves_the_directory_as_it_was() {
    let mut hub = Hub::new();
    let before = rows(&hub.state);
    let bad = AgencyEntry { gateway: Some(code("H77")), ..entry("H34.77", Level::District, None) };
    let good = entry("H34.78", Level::District, Some("H34"));
    assert_eq!(reason(&hub.change(vec![good, bad])), Reason::FieldInvalid);
    assert_eq!(rows(&hub.state), before);
    assert!(hub.machine.policy().directory.find(&code("H34.78")).is_none());
}

#[test]
fn a_repeated_import_changes_nothing() {
    let mut hub = Hub::new();
    let agencies = |hub: &Hub| hub.machine.policy().directory.agencies().to_vec();
    let version = hub.machine.policy().directory.version();
    let before = agencies(&hub);
    hub.import(&country());
    assert_eq!(agencies(&hub), before);
    assert_eq!(hub.machine.policy().directory.version(), version);
}

#[test]
fn a_gateway_serves_from_the_day_on_which_it_is_named() {
    let mut hub = Hub::new();
    let named = AgencyEntry {
        gateway: Some(code("H34")),
        from: day("2020-11-20"),
        policy: SignaturePolicy::Transition,
        ..entry("H34.01", Level::District, Some("H34"))
    };
    assert_eq!(hub.change(vec![named]), Decision::Done);
    let by_gateway = crate::harness::Draft { caller: Some("H34"), ..draft("H34.01", &["G01"]) };
    assert_eq!(reason(&hub.submit(&by_gateway)), Reason::SenderNotEntitled);
    hub.now = at("2020-11-20");
    hub.accepted(&by_gateway);
    let directory = hub.machine.policy().directory.clone();
    let (gateway, served) = (hub.ordinal("H34"), hub.ordinal("H34.01"));
    assert_eq!(directory.served_by(gateway, at("2020-11-19")), [gateway]);
    assert_eq!(directory.served_by(gateway, at("2020-11-20")), [gateway, served]);
}

proptest! {
    #[test]
    fn ordinals_are_given_in_order_and_never_change(changes in vec((0..20u8, 0..4u8), 1..60)) {
        let mut directory = Directory::default();
        let mut given: Vec<String> = Vec::new();
        for (agency, year) in changes {
            let text = format!("H34.{agency}");
            let from = day(&format!("202{year}-01-01"));
            let key = directory.put(AgencyEntry { from, ..entry(&text, Level::Commune, None) }).key.clone();
            if !given.contains(&text) {
                given.push(text);
            }
            prop_assert_eq!(directory.find_key(key.as_str()).unwrap().key.as_str(), key.as_str());
            for (ordinal, text) in given.iter().enumerate() {
                let found = directory.find(&code(text)).unwrap();
                prop_assert_eq!(found.ordinal.0 as usize, ordinal);
                prop_assert!(found.entries.is_sorted_by_key(|entry| entry.from));
            }
            prop_assert_eq!(directory.len(), given.len());
        }
    }
}
