//! Lists of recipients: what they stand for, who is left out, and who keeps them.

use crate::harness::{Draft, Hub, draft, entry, reason};
use lienthong_core::lists::SavedName;
use lienthong_core::{Accepted, Decision, Proposal, RemoveList, SaveList};
use lienthong_model::limits::SAVED_LISTS_MAX;
use lienthong_model::{AgencyState, Level, Reason};

fn to_lists(from: &'static str, to: &[&str], lists: &[&str]) -> Draft {
    Draft { lists: lists.iter().map(ToString::to_string).collect(), ..draft(from, to) }
}

fn accepted(hub: &mut Hub, draft: &Draft) -> Accepted {
    match hub.submit(draft) {
        Decision::Accepted(accepted) => accepted,
        other => panic!("{draft:?}: {other:?}"),
    }
}

fn codes(hub: &Hub, accepted: &Accepted) -> Vec<String> {
    let directory = &hub.machine.policy().directory;
    accepted.deliveries.iter().map(|one| directory.code(one.recipient, hub.now)).collect()
}

fn left_out(hub: &Hub, accepted: &Accepted) -> Vec<(String, Reason)> {
    let directory = &hub.machine.policy().directory;
    let left_out = accepted.left_out().iter();
    left_out.map(|left| (directory.code(left.agency, hub.now), left.reason)).collect()
}

fn save(hub: &Hub, caller: Option<&str>, owner: &str, name: &str, members: &[&str]) -> Proposal {
    Proposal::SaveList(SaveList {
        caller: caller.map(|caller| hub.ordinal(caller)),
        owner: hub.ordinal(owner),
        name: SavedName::parse(name).unwrap(),
        title: "Các cơ quan phối hợp".to_owned(),
        members: members.iter().map(|member| hub.ordinal(member)).collect(),
    })
}

#[test]
fn a_list_stands_for_the_agencies_that_the_directory_has_at_that_moment() {
    for (list, expected) in [
        ("ministries", &["G22", "G01"][..]),
        ("provinces", &["H36", "H34"]),
        ("communes", &["H36.01.01", "H34.01.01"]),
        ("districts-of:H36", &["H36.01", "H36.02"]),
        ("communes-of:H34", &["H34.01.01"]),
        ("departments-of:H34", &["H34.11", "H34.12"]),
        ("below:H34.01", &["H34.01.01"]),
        ("below:h34.01", &["H34.01.01"]),
    ] {
        let mut hub = Hub::new();
        hub.change(vec![
            entry("H34.11", Level::Province, Some("H34")),
            entry("H34.12", Level::Province, Some("H34")),
        ]);
        let accepted = accepted(&mut hub, &to_lists("H34.02", &[], &[list]));
        assert_eq!(codes(&hub, &accepted), expected, "{list}");
    }
}

#[test]
fn whoever_of_a_list_may_not_receive_is_left_out_and_named_with_the_reason() {
    let mut hub = Hub::new();
    let accepted = accepted(&mut hub, &to_lists("G22", &[], &["districts"]));
    assert_eq!(codes(&hub, &accepted), ["H36.01", "H36.02", "H34.01", "H34.02", "H34.03"]);
    let expected = [
        ("H36.03".to_owned(), Reason::RecipientSuspended),
        ("H34.09".to_owned(), Reason::RecipientNotInForce),
    ];
    assert_eq!(left_out(&hub, &accepted), expected);
    let lists = &accepted.resolution.as_ref().unwrap().lists;
    assert_eq!((lists[0].name.as_str(), lists[0].members), ("districts", 7));
}

#[test]
fn whoever_is_named_by_code_is_all_or_nothing_also_beside_a_list() {
    let mut hub = Hub::new();
    let decision = hub.submit(&to_lists("G22", &["H36.03"], &["districts"]));
    assert_eq!(reason(&decision), Reason::RecipientSuspended);
}

#[test]
fn a_recipient_named_by_code_and_on_two_lists_counts_once() {
    let mut hub = Hub::new();
    let draft = to_lists("G22", &["H36.01"], &["districts-of:H36", "below:H36"]);
    let accepted = accepted(&mut hub, &draft);
    assert_eq!(codes(&hub, &accepted), ["H36.01", "H36.02"]);
    assert_eq!(left_out(&hub, &accepted), [("H36.03".to_owned(), Reason::RecipientSuspended)]);
}

#[test]
fn the_sender_is_no_recipient_of_a_list_that_it_is_on() {
    let mut hub = Hub::new();
    let accepted = accepted(&mut hub, &to_lists("H36", &[], &["provinces"]));
    assert_eq!(codes(&hub, &accepted), ["H34"]);
    assert!(accepted.left_out().is_empty());
}

#[test]
fn a_list_of_which_nobody_is_left_is_refused() {
    let mut hub = Hub::new();
    hub.change(vec![lienthong_model::AgencyEntry {
        state: AgencyState::Suspended,
        ..entry("H34.01.01", Level::Commune, Some("H34"))
    }]);
    let decision = hub.submit(&to_lists("G22", &[], &["communes-of:H34"]));
    assert_eq!(reason(&decision), Reason::RecipientListEmpty);
}

#[test]
fn a_list_that_is_none_is_refused_with_its_field() {
    let mut hub = Hub::new();
    for list in ["wards", "communes-of:H99", "saved:none", "saved:H34/one"] {
        match hub.submit(&to_lists("G22", &["H36"], &[list])) {
            Decision::Refused(refusal) => {
                assert_eq!(refusal.reason, Reason::RecipientListUnknown, "{list}");
                assert_eq!(refusal.violations[0].field, "recipients[1].list");
                assert_eq!(refusal.violations[0].value, list);
            }
            other => panic!("{list}: {other:?}"),
        }
    }
}

#[test]
fn a_saved_list_is_its_owners_and_of_whoever_stands_below_it() {
    let mut hub = Hub::new();
    let list = save(&hub, Some("H36"), "H36", "phoi-hop", &["H34", "H36.01", "G01"]);
    assert_eq!(hub.decide(list), Decision::Done);
    for (from, expected) in [("H36", &["H34", "H36.01", "G01"][..]), ("H36.01", &["H34", "G01"])] {
        for name in ["saved:phoi-hop", "saved:H36/phoi-hop"] {
            let accepted = accepted(&mut hub, &to_lists(from, &[], &[name]));
            assert_eq!(codes(&hub, &accepted), expected);
            assert!(accepted.resolution.unwrap().lists[0].version.is_some());
        }
    }
    let decision = hub.submit(&to_lists("H34", &[], &["saved:H36/phoi-hop"]));
    assert_eq!(reason(&decision), Reason::RecipientListUnknown);
}

#[test]
fn the_nearest_superiors_list_goes_before_one_further_up() {
    let mut hub = Hub::new();
    for (owner, member) in [("H36", "G01"), ("H36.01", "G22")] {
        let list = save(&hub, None, owner, "chung", &[member]);
        assert_eq!(hub.decide(list), Decision::Done);
    }
    let accepted = accepted(&mut hub, &to_lists("H36.01.01", &[], &["saved:chung"]));
    assert_eq!(codes(&hub, &accepted), ["G22"]);
}

#[test]
fn saving_a_list_again_raises_its_version_and_documents_keep_what_they_were_given() {
    let mut hub = Hub::new();
    let first = save(&hub, Some("G22"), "G22", "a", &["H36"]);
    hub.decide(first);
    let before = accepted(&mut hub, &to_lists("G22", &[], &["saved:a"]));
    let second = save(&hub, Some("G22"), "G22", "a", &["H34"]);
    hub.decide(second);
    let after = accepted(&mut hub, &to_lists("G22", &[], &["saved:a"]));
    let version = |accepted: &Accepted| accepted.resolution.as_ref().unwrap().lists[0].version;
    assert!(version(&before) < version(&after));
    assert_eq!(codes(&hub, &before), ["H36"]);
    assert_eq!(codes(&hub, &after), ["H34"]);
    let remove = RemoveList {
        caller: None,
        owner: hub.ordinal("G22"),
        name: SavedName::parse("a").unwrap(),
    };
    assert_eq!(hub.decide(Proposal::RemoveList(remove.clone())), Decision::Done);
    let decision = hub.submit(&to_lists("G22", &[], &["saved:a"]));
    assert_eq!(reason(&decision), Reason::RecipientListUnknown);
    let again = hub.decide(Proposal::RemoveList(remove));
    assert_eq!(reason(&again), Reason::RecipientListUnknown);
}

#[test]
fn only_the_owner_its_gateway_and_an_administrator_keep_its_lists() {
    let mut hub = Hub::new();
    for caller in [Some("H36.01"), Some("H36"), None] {
        let list = save(&hub, caller, "H36.01", "a", &["G22"]);
        assert_eq!(hub.decide(list), Decision::Done, "{caller:?}");
    }
    for caller in ["H34", "H36.02"] {
        let list = save(&hub, Some(caller), "H36.01", "a", &["G22"]);
        assert_eq!(reason(&hub.decide(list)), Reason::CallerNotEntitled);
    }
}

#[test]
fn a_list_with_nobody_with_somebody_twice_or_unknown_is_refused() {
    let mut hub = Hub::new();
    for (members, expected) in [
        (&[][..], Reason::FieldMissing),
        (&["H36", "G01", "H36"], Reason::RecipientRepeated),
        (&["H36", "H99"], Reason::RecipientUnknown),
    ] {
        let list = save(&hub, None, "G22", "a", members);
        assert_eq!(reason(&hub.decide(list)), expected, "{members:?}");
    }
}

#[test]
fn an_agency_saves_so_many_lists_and_no_more_also_within_one_block() {
    let mut hub = Hub::new();
    let half = SAVED_LISTS_MAX / 2;
    let lists = |range: std::ops::Range<usize>, hub: &Hub| {
        range.map(|n| save(hub, None, "G22", &format!("l{n}"), &["H36"])).collect::<Vec<_>>()
    };
    let first = lists(0..half, &hub);
    assert!(hub.block(first).iter().all(|decision| *decision == Decision::Done));
    let rest = lists(half..SAVED_LISTS_MAX + 1, &hub);
    let decisions = hub.block(rest);
    let (last, before) = decisions.split_last().unwrap();
    assert!(before.iter().all(|decision| *decision == Decision::Done));
    assert_eq!(reason(last), Reason::ListLimit);
    // One that is there already may be saved again.
    let again = save(&hub, None, "G22", "l0", &["H34"]);
    assert_eq!(hub.decide(again), Decision::Done);
}
