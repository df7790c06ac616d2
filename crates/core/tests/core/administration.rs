//! Acts of administration: quotas, appointments, who may do what, and the policy as it stood at an
//! earlier block.

use crate::harness::{
    BEGIN, DAY, Draft, HOUR, Hub, MemoryMachine, Signs, code, day, draft, reason,
};
use lienthong_core::{Command, Decision, Policy, Proposal, RevocationPolicy};
use lienthong_model::{
    AccountChange, AccountChangeKind, Actor, AgencyCode, Appointment, Level, Quota, Reason, Role,
    Territory,
};

use crate::mandates::{head, mandate, signatory};

// Quotas.

fn quota(agency: Option<&str>, documents: Option<u64>, bytes: Option<u64>) -> Command {
    Command::ChangeQuotas(vec![Quota {
        agency: agency.map(code),
        documents_per_day: documents,
        document_bytes_max: bytes,
        ..Quota::default()
    }])
}

#[test]
fn a_daily_quota_refuses_what_is_over_it_until_tomorrow_and_a_repetition_is_free() {
    let mut hub = Hub::new();
    assert_eq!(hub.administer(quota(Some("G22"), Some(2), None)), Decision::Done);
    let first = draft("G22", &["G01"]);
    let (id, position) = hub.accepted(&first);
    hub.accepted(&first);
    let Decision::Refused(refusal) = hub.submit(&first) else { panic!("over the quota") };
    assert_eq!(refusal.reason, Reason::QuotaExceeded);
    // From 8 in the morning until midnight.
    assert_eq!(refusal.retry_after_ms, Some(16 * 3_600_000));
    let again = Draft { id: Some(id), signed_at: Some(BEGIN), ..first.clone() };
    assert_eq!(hub.submit(&again), Decision::Repeated(position));
    hub.accepted(&draft("G01", &["G22"]));
    hub.now = BEGIN.plus(DAY);
    hub.accepted(&first);
}

#[test]
fn the_quota_of_all_others_holds_for_whoever_has_none_of_its_own() {
    let mut hub = Hub::new();
    assert_eq!(hub.administer(quota(None, None, Some(10))), Decision::Done);
    assert_eq!(hub.administer(quota(Some("G01"), Some(9), None)), Decision::Done);
    assert_eq!(reason(&hub.submit(&draft("G22", &["G01"]))), Reason::DocumentTooLarge);
    hub.accepted(&draft("G01", &["G22"]));
    assert_eq!(hub.administer(quota(None, None, None)), Decision::Done);
    hub.accepted(&draft("G22", &["G01"]));
}

// Appointments.

fn administrator(person: &str, until: Option<&str>) -> Appointment {
    Appointment {
        holder: signatory("G22", person),
        role: Role::Administrator,
        territory: Territory::Country,
        from: day("2020-11-01"),
        until: until.map(day),
    }
}

#[test]
fn the_last_administrator_of_the_country_stays() {
    let mut hub = Hub::new();
    let appoint =
        |hub: &mut Hub, one: Appointment| hub.administer(Command::ChangeAppointments(vec![one]));
    assert_eq!(appoint(&mut hub, administrator("a", None)), Decision::Done);
    let ended = administrator("a", Some("2020-11-10"));
    assert_eq!(reason(&appoint(&mut hub, ended.clone())), Reason::FieldInvalid);
    assert_eq!(appoint(&mut hub, administrator("b", None)), Decision::Done);
    assert_eq!(appoint(&mut hub, ended), Decision::Done);
}

#[test]
fn on_every_day_to_come_somebody_administers_the_country() {
    let mut hub = Hub::new();
    let mut appoint =
        |all: &[Appointment]| hub.administer(Command::ChangeAppointments(all.to_vec()));
    let ends = |until| administrator("a", Some(until));
    let begins = |person, from| Appointment { from: day(from), ..administrator(person, None) };
    let until = |until, one| Appointment { until: Some(day(until)), ..one };
    assert_eq!(appoint(&[administrator("a", None)]), Decision::Done);
    assert_eq!(reason(&appoint(&[ends("2020-11-17")])), Reason::FieldInvalid, "tomorrow nobody");
    assert_eq!(appoint(&[begins("b", "2099-01-01")]), Decision::Done);
    assert_eq!(reason(&appoint(&[ends("2020-11-17")])), Reason::FieldInvalid, "until 2099 nobody");
    let successor = begins("c", "2020-11-23");
    assert_eq!(appoint(&[ends("2020-11-23"), successor.clone()]), Decision::Done);
    let early = until("2098-12-31", successor.clone());
    assert_eq!(reason(&appoint(&[early])), Reason::FieldInvalid, "for a day nobody");
    assert_eq!(appoint(&[until("2099-01-01", successor)]), Decision::Done);
}

fn by(hub: &mut Hub, person: &str, act: Command) -> Decision {
    let by = signatory("G22", person);
    hub.decide(Proposal::Act { by, act })
}

#[test]
fn whoever_has_no_appointment_in_force_changes_nothing() {
    let mut hub = Hub::new();
    let act = || Command::ChangeMandates(vec![head("G22", "2020-11-01")]);
    assert_eq!(reason(&by(&mut hub, "a", act())), Reason::CallerNotEntitled);
    let operator = Appointment { role: Role::Operator, ..administrator("a", None) };
    let later = Appointment { from: day("2020-11-17"), ..administrator("a", None) };
    let appoint = Command::ChangeAppointments(vec![operator, later]);
    assert_eq!(hub.administer(appoint), Decision::Done);
    assert_eq!(reason(&by(&mut hub, "a", act())), Reason::CallerNotEntitled);
    hub.now = BEGIN.plus(DAY);
    assert_eq!(by(&mut hub, "a", act()), Decision::Done);
    assert_eq!(reason(&by(&mut hub, "b", act())), Reason::CallerNotEntitled);
}

#[test]
fn an_act_of_a_person_is_journalled_with_who_did_it_and_by_which_role() {
    let mut hub = Hub::new();
    let appoint = Command::ChangeAppointments(vec![administrator("a", None)]);
    assert_eq!(hub.administer(appoint), Decision::Done);
    let act = Command::ChangeMandates(vec![head("G22", "2020-11-01")]);
    assert_eq!(by(&mut hub, "a", act.clone()), Decision::Done);
    let last = hub.sealed().pop().unwrap();
    let by = Actor { person: signatory("G22", "a"), role: Role::Administrator };
    assert_eq!(last.block.entries[0].command, Command::Act { by, act: Box::new(act) });
}

#[test]
fn a_provinces_administrator_changes_its_province_and_nothing_else() {
    let mut hub = Hub::new();
    let territory = Territory::Province(code("H36"));
    let of_h36 = Appointment { territory, ..administrator("a", None) };
    let appoint = Command::ChangeAppointments(vec![of_h36, administrator("b", None)]);
    assert_eq!(hub.administer(appoint), Decision::Done);
    let own = || Command::ChangeMandates(vec![head("H36.01", "2020-11-01")]);
    let both = vec![head("H36.01", "2020-11-01"), head("H34", "2020-11-01")];
    let entry = |text, province| crate::harness::entry(text, Level::Commune, Some(province));
    let appointed = |territory| {
        let one = Appointment { territory, role: Role::Viewer, ..administrator("c", None) };
        Command::ChangeAppointments(vec![one])
    };
    let central = crate::harness::entry("H36.78", Level::Ministry, Some("H36"));
    let h36 = Territory::Agency(code("H36.01"));
    let allowed = [
        own(),
        Command::ChangeDirectory(vec![entry("H36.77", "H36"), entry("H36.01", "H36")]),
        appointed(h36),
    ];
    for act in allowed {
        assert_eq!(by(&mut hub, "a", act.clone()), Decision::Done, "{act:?}");
    }
    let refused = [
        Command::ChangeMandates(both),
        Command::ChangeDirectory(vec![entry("H36.01", "H34")]),
        Command::ChangeDirectory(vec![entry("H34.01", "H36")]),
        // Its own entry says whether it is suspended.
        Command::ChangeDirectory(vec![entry("H36", "H36")]),
        Command::ChangeDirectory(vec![central]),
        appointed(Territory::Country),
        appointed(Territory::Province(code("H34"))),
        appointed(Territory::Province(code("H36.01"))),
        Command::SetRevocationPolicy(RevocationPolicy { grace_ms: None }),
        quota(Some("H36"), Some(1), None),
    ];
    for act in refused {
        let decision = by(&mut hub, "a", act.clone());
        assert_eq!(reason(&decision), Reason::CallerNotEntitled, "{act:?}");
        assert_eq!(by(&mut hub, "b", act), Decision::Done, "the country's administrator may");
    }
}

#[test]
fn an_agencys_administrator_appoints_for_that_agency_and_not_for_the_province_named_after_it() {
    let mut hub = Hub::new();
    let of = |territory| Appointment { territory, ..administrator("a", None) };
    let agency = of(Territory::Agency(code("H36")));
    let appoint = Command::ChangeAppointments(vec![agency, administrator("b", None)]);
    assert_eq!(hub.administer(appoint), Decision::Done);
    let appointed = |territory| Command::ChangeAppointments(vec![of(territory)]);
    let widened = by(&mut hub, "a", appointed(Territory::Province(code("H36"))));
    assert_eq!(reason(&widened), Reason::CallerNotEntitled);
    let own = Territory::Agency(code("000.00.00.H36"));
    assert_eq!(by(&mut hub, "a", appointed(own)), Decision::Done, "in either order of writing");
    let mandates = Command::ChangeMandates(vec![head("H36.01", "2020-11-01")]);
    assert_eq!(reason(&by(&mut hub, "a", mandates)), Reason::CallerNotEntitled);
    let entry = crate::harness::entry("H36", Level::Province, Some("H36"));
    let entered = by(&mut hub, "a", Command::ChangeDirectory(vec![entry]));
    assert_eq!(reason(&entered), Reason::CallerNotEntitled);
}

#[test]
fn a_provinces_administrator_sets_no_password_of_whoever_administers_the_country_tomorrow() {
    let mut hub = Hub::new();
    let territory = Territory::Province(code("H36"));
    let of_h36 = Appointment { territory, ..administrator("a", None) };
    let tomorrow = Appointment {
        holder: signatory("H36", "x"),
        from: day("2020-11-17"),
        ..administrator("x", Some("2020-11-18"))
    };
    let appoint = Command::ChangeAppointments(vec![of_h36, tomorrow, administrator("b", None)]);
    assert_eq!(hub.administer(appoint), Decision::Done);
    let set = |person| {
        let (holder, kind) = (signatory("H36", person), AccountChangeKind::PasswordSet);
        Command::ChangeAccounts(vec![AccountChange { holder, kind }])
    };
    assert_eq!(reason(&by(&mut hub, "a", set("x"))), Reason::CallerNotEntitled);
    assert_eq!(by(&mut hub, "a", set("y")), Decision::Done);
    assert_eq!(by(&mut hub, "b", set("x")), Decision::Done);
    hub.now = BEGIN.plus(2 * DAY);
    assert_eq!(by(&mut hub, "a", set("x")), Decision::Done, "its appointment has ended");
}

#[test]
fn an_act_by_a_person_holds_no_other_act_by_a_person() {
    let mut hub = Hub::new();
    let appoint = Command::ChangeAppointments(vec![administrator("a", None)]);
    assert_eq!(hub.administer(appoint), Decision::Done);
    let actor = Actor { person: signatory("G22", "a"), role: Role::Administrator };
    let inner = Box::new(quota(None, Some(1), None));
    let nested = Command::Act { by: actor, act: inner };
    assert_eq!(reason(&by(&mut hub, "a", nested)), Reason::FieldInvalid);
}

// The policy as it stood.

/// The policy as of a block, folded from the acts in the journal.
fn policy_as_of(hub: &Hub, block: u64) -> Policy {
    let mut policy = Policy::default();
    for sealed in hub.sealed().iter().take_while(|sealed| sealed.marker.block <= block) {
        for entry in &sealed.block.entries {
            policy.take_over(&entry.command, sealed.block.time, &hub.payloads).unwrap();
        }
    }
    policy
}

fn last_block(machine: &MemoryMachine) -> u64 {
    machine.last().block
}

#[test]
fn the_policy_of_any_block_can_be_folded_again_from_the_journal() {
    let mut hub = Hub::new();
    let before = (last_block(&hub.machine), hub.machine.policy().clone());
    assert_eq!(mandate(&mut hub, &[head("G22", "2020-11-01")]), Decision::Done);
    hub.revoke(1, &[Signs::Person("G22")], BEGIN);
    let with_list = (last_block(&hub.machine), hub.machine.policy().clone());
    hub.now = BEGIN.plus(HOUR);
    hub.revoke(2, &[], BEGIN);
    assert_eq!(mandate(&mut hub, &[head("G22", "2020-11-05")]), Decision::Done);
    for (block, then) in [before, with_list] {
        let folded = policy_as_of(&hub, block);
        let agency = then.directory.find(&AgencyCode::parse("G22").unwrap()).unwrap().ordinal;
        assert_eq!(folded.mandates.of(agency), then.mandates.of(agency));
        assert_eq!(folded.directory.agencies(), then.directory.agencies());
        assert_eq!(folded.trust.revoked_len(), then.trust.revoked_len());
        assert_eq!(folded.revocation, then.revocation);
    }
}

#[test]
fn the_blocks_with_acts_of_administration_are_noted() {
    let mut hub = Hub::new();
    hub.accepted(&draft("G22", &["G01"]));
    let with_acts = last_block(&hub.machine);
    hub.accepted(&draft("G22", &["G01"]));
    assert_eq!(mandate(&mut hub, &[head("G22", "2020-11-01")]), Decision::Done);
    let newest = last_block(&hub.machine);
    let all: Vec<u64> = (1..with_acts).chain([newest]).collect();
    assert_eq!(hub.query().acts_until(u64::MAX).unwrap(), all);
    assert_eq!(hub.query().acts_until(newest - 1).unwrap(), all[..all.len() - 1]);
}
