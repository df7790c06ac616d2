//! Trust: who may sign, what is done while revocation is not proven, quotas, appointments, and the
//! policy as it stood at an earlier block.

use std::sync::Arc;
use std::time::Duration;

use crate::harness::{
    BEGIN, DAY, Draft, HOUR, Hub, MemoryMachine, Signs, at, code, day, draft, reason,
};
use lienthong_core::{Accepted, Command, Decision, Policy, Proposal, RevocationPolicy};
use lienthong_model::{
    AccountChange, AccountChangeKind, Actor, AgencyCode, Appointment, Capacity, DocumentType,
    Fingerprint, Level, Mandate, Position, Quota, Reason, Revocation, Role, Signatory, Territory,
    Timestamp,
};
use lienthong_pki::Validity;
use lienthong_trust::{Authorities, Certificate, Known, SignatureKind, Verifier};
use lienthong_wire::DocumentContents;

fn accepted(decision: Decision) -> Accepted {
    match decision {
        Decision::Accepted(accepted) => accepted,
        other => panic!("{other:?}"),
    }
}

fn revocation(hub: &Hub, position: Position) -> Revocation {
    hub.query().document(position).unwrap().unwrap().revocation()
}

/// Lets the hub do what it owes itself until nothing is left; how many blocks that took.
fn settle(hub: &mut Hub) -> usize {
    let mut blocks = 0;
    while hub.machine.next_work().is_some() {
        hub.block(Vec::new());
        blocks += 1;
        assert!(blocks < 100, "the work does not come to an end");
    }
    blocks
}

fn prove(hub: &mut Hub, number: u64) {
    for list in hub.empty_lists(number) {
        assert_eq!(hub.administer(list), Decision::Done);
    }
}

// Revocation that is not proven.

#[test]
fn with_lists_in_date_everything_is_proven() {
    let mut hub = Hub::new();
    hub.grace(Some(Duration::ZERO));
    prove(&mut hub, 1);
    let accepted = accepted(hub.submit(&draft("G22", &["G01"])));
    assert_eq!(accepted.unproven, []);
    assert_eq!(revocation(&hub, accepted.position), Revocation::Proven);
}

#[test]
fn without_a_list_a_document_is_accepted_in_the_grace_and_marked_and_refused_after_it() {
    let mut hub = Hub::new();
    hub.grace(Some(HOUR));
    hub.now = BEGIN.plus(HOUR);
    let accepted = accepted(hub.submit(&draft("G22", &["G01"])));
    let issuers: Vec<_> = accepted.unproven.iter().map(|unproven| unproven.issuer).collect();
    let pki = &hub.signers.pki;
    let expected =
        [pki.issuing(), pki.root()].map(|authority| *authority.certificate().authority());
    assert_eq!(issuers, expected, "the issuer of the person and the issuer of that");
    assert_eq!(revocation(&hub, accepted.position), Revocation::NotProven);
    hub.now = BEGIN.plus(HOUR).plus(Duration::from_millis(1));
    let refused = hub.submit(&draft("G22", &["G01"]));
    assert_eq!(reason(&refused), Reason::RevocationNotProven);
}

#[test]
fn a_list_is_due_when_its_next_one_was_announced() {
    let mut hub = Hub::new();
    hub.grace(Some(HOUR));
    prove(&mut hub, 1);
    hub.now = BEGIN.plus(DAY).minus(HOUR);
    assert_eq!(accepted(hub.submit(&draft("G22", &["G01"]))).unproven, []);
    hub.now = BEGIN.plus(DAY).plus(HOUR);
    assert_eq!(accepted(hub.submit(&draft("G22", &["G01"]))).unproven.len(), 2);
    hub.now = BEGIN.plus(DAY).plus(2 * HOUR);
    assert_eq!(reason(&hub.submit(&draft("G22", &["G01"]))), Reason::RevocationNotProven);
    prove(&mut hub, 2);
    assert_eq!(accepted(hub.submit(&draft("G22", &["G01"]))).unproven, []);
}

#[test]
fn without_an_end_of_the_grace_nothing_is_refused_and_everything_is_marked() {
    let mut hub = Hub::new();
    hub.now = BEGIN.plus(400 * DAY);
    let position = accepted(hub.submit(&draft("G22", &["G01"]))).position;
    assert_eq!(revocation(&hub, position), Revocation::NotProven);
}

#[test]
fn a_list_that_comes_later_settles_what_was_accepted_before_it() {
    let mut hub = Hub::new();
    let position = accepted(hub.submit(&draft("G22", &["G01"]))).position;
    hub.now = BEGIN.plus(HOUR);
    let [root, issuing] = hub.empty_lists(1);
    assert_eq!(hub.administer(root), Decision::Done);
    settle(&mut hub);
    assert_eq!(revocation(&hub, position), Revocation::NotProven, "one issuer is still awaited");
    assert_eq!(hub.administer(issuing), Decision::Done);
    settle(&mut hub);
    assert_eq!(revocation(&hub, position), Revocation::Proven);
}

#[test]
fn a_list_that_comes_later_finds_what_had_been_revoked_before_receipt() {
    let mut hub = Hub::new();
    hub.now = BEGIN.plus(2 * HOUR);
    let position = accepted(hub.submit(&draft("G22", &["G01"]))).position;
    let after = accepted(hub.submit(&draft("G01", &["G22"]))).position;
    hub.now = BEGIN.plus(3 * HOUR);
    let [root, _] = hub.empty_lists(1);
    assert_eq!(hub.administer(root), Decision::Done);
    assert_eq!(hub.revoke(2, &[Signs::Person("G22")], BEGIN.plus(HOUR)), Decision::Done);
    settle(&mut hub);
    assert_eq!(revocation(&hub, position), Revocation::FoundRevoked);
    assert_eq!(revocation(&hub, after), Revocation::Proven);
}

#[test]
fn a_revocation_after_receipt_leaves_a_document_proven() {
    let mut hub = Hub::new();
    let position = accepted(hub.submit(&draft("G22", &["G01"]))).position;
    hub.now = BEGIN.plus(HOUR);
    let [root, _] = hub.empty_lists(1);
    assert_eq!(hub.administer(root), Decision::Done);
    assert_eq!(hub.revoke(2, &[Signs::Person("G22")], hub.now), Decision::Done);
    settle(&mut hub);
    assert_eq!(revocation(&hub, position), Revocation::Proven);
}

#[test]
fn a_list_that_was_out_of_date_by_then_settles_nothing_received_after_it() {
    let mut hub = Hub::new();
    prove(&mut hub, 1);
    hub.now = BEGIN.plus(DAY).plus(HOUR);
    let position = accepted(hub.submit(&draft("G22", &["G01"]))).position;
    settle(&mut hub);
    assert_eq!(revocation(&hub, position), Revocation::NotProven);
    prove(&mut hub, 2);
    settle(&mut hub);
    assert_eq!(revocation(&hub, position), Revocation::Proven);
}

#[test]
fn a_list_settles_in_slices_also_what_came_in_its_own_block() {
    let mut hub = Hub::new();
    let mut proposals: Vec<_> = (0..300).map(|_| hub.submission(&draft("G22", &["G01"]))).collect();
    let decided = hub.block(std::mem::take(&mut proposals));
    let last = hub.submission(&draft("G22", &["G01"]));
    let [root, issuing] = hub.empty_lists(1);
    let administer = Proposal::Administer;
    let with_list = hub.block(vec![last, administer(root), administer(issuing)]);
    assert!(settle(&mut hub) >= 3, "256 in a slice");
    for decision in decided.into_iter().chain(with_list.into_iter().take(1)) {
        assert_eq!(revocation(&hub, accepted(decision).position), Revocation::Proven);
    }
}

#[test]
fn an_issuer_that_came_with_a_document_is_known_so_that_its_list_can_be_read() {
    let mut hub = Hub::empty();
    let root = hub.signers.pki.root().certificate().der().clone();
    let certificate = lienthong_core::CertificateBytes(root);
    let add = lienthong_core::AddAuthority { certificate, trusted: true };
    assert_eq!(hub.administer(Command::AddAuthority(add)), Decision::Done);
    hub.import(&crate::harness::country());
    let [_, issuing] = hub.empty_lists(1);
    assert_eq!(reason(&hub.administer(issuing.clone())), Reason::FieldInvalid, "not known yet");
    let position = accepted(hub.submit(&draft("G22", &["G01"]))).position;
    assert_eq!(hub.administer(issuing), Decision::Done);
    settle(&mut hub);
    assert_eq!(revocation(&hub, position), Revocation::NotProven, "the root's list is awaited");
}

// An authority that was renewed.

/// Authorities that are known; of them those that signed themselves are relied on.
struct Knows(Arc<Authorities>);

impl Known for Knows {
    fn certificate(&self, _: &Fingerprint) -> Option<bytes::Bytes> {
        None
    }

    fn authorities(&self) -> Arc<Authorities> {
        self.0.clone()
    }
}

/// Submits a document that was verified with these authorities, and returns the chain that the
/// journal names.
fn journalled_chain(hub: &mut Hub, known: &[Arc<Certificate>]) -> Vec<Fingerprint> {
    let submission = hub.submission(&draft("G22", &["G01"]));
    let Proposal::Submit { caller, submission, stored } = submission else { unreachable!() };
    let known = Authorities::new(known.iter().cloned(), Certificate::is_self_issued);
    let verifier = Verifier::new(DocumentContents, Knows(Arc::new(known)));
    let submission = Box::new(verifier.document(submission.signed.content.clone()).unwrap());
    accepted(hub.decide(Proposal::Submit { caller, submission, stored }));
    let block = hub.sealed().pop().unwrap().block;
    let chain = block.entries.iter().find_map(|entry| match &entry.command {
        Command::Submit(submit) => submit.signed.signatures.first().map(|one| one.chain.clone()),
        _ => None,
    });
    chain.unwrap()
}

#[test]
fn the_journal_names_the_chain_that_holds_where_an_authority_has_been_renewed() {
    let mut hub = Hub::new();
    let (root, issuing) = (hub.signers.pki.root().clone(), hub.signers.pki.issuing().clone());
    let later = Validity { not_before: BEGIN.plus(DAY), not_after: at("2030-01-01") };
    let (name, key) = ("Lienthong test authority", issuing.key().clone());
    let renewed = root.issuing_authority(name, later, key, 0).unwrap();
    let [root, issuing, renewed] = [root, issuing, renewed].map(|one| one.certificate().clone());
    let name = |one: &Arc<Certificate>| *one.fingerprint();
    for known in [[&root, &renewed, &issuing], [&root, &issuing, &renewed]] {
        let chain = journalled_chain(&mut hub, &known.map(Arc::clone));
        assert_eq!(chain[1..], [name(&issuing), name(&root)], "the renewed one is not valid yet");
    }
}

// Mandates.

fn signatory(agency: &str, person: &str) -> Signatory {
    Signatory { agency: code(agency), person: person.to_owned() }
}

fn head(agency: &str, from: &str) -> Mandate {
    Mandate {
        agency: code(agency),
        signatory: signatory(agency, "chief"),
        capacity: Capacity::Head,
        delegated_by: None,
        document_types: Vec::new(),
        from: day(from),
        until: None,
        basis: "Quyết định bổ nhiệm".to_owned(),
    }
}

fn mandate(hub: &mut Hub, mandates: &[Mandate]) -> Decision {
    hub.administer(Command::ChangeMandates(mandates.to_vec()))
}

#[test]
fn where_mandates_are_in_force_only_whoever_has_one_signs() {
    let mut hub = Hub::new();
    let other = Mandate { signatory: signatory("G22", "other"), ..head("G22", "2020-11-17") };
    assert_eq!(mandate(&mut hub, &[other]), Decision::Done);
    hub.accepted(&draft("G22", &["G01"]));
    hub.now = BEGIN.plus(DAY);
    let refused = hub.submit(&draft("G22", &["G01"]));
    assert_eq!(reason(&refused), Reason::SignerWithoutAuthority);
    hub.accepted(&draft("G01", &["G22"]));
    assert_eq!(mandate(&mut hub, &[head("G22", "2020-11-01")]), Decision::Done);
    hub.accepted(&draft("G22", &["G01"]));
}

#[test]
fn a_mandate_counts_at_signing_and_at_receipt() {
    let mut hub = Hub::new();
    let until = Some(day("2020-11-18"));
    let ended = Mandate { until, ..head("G22", "2020-11-16") };
    assert_eq!(mandate(&mut hub, &[ended]), Decision::Done);
    let signed = |at: Timestamp| Draft { signed_at: Some(at), ..draft("G22", &["G01"]) };
    hub.accepted(&signed(BEGIN));
    let before = hub.submit(&signed(at("2020-11-15")));
    assert_eq!(reason(&before), Reason::SignerWithoutAuthority);
    hub.now = at("2020-11-18T08:00+07:00");
    let after = hub.submit(&signed(BEGIN));
    assert_eq!(reason(&after), Reason::SignerWithoutAuthority, "no signing back in time");
}

#[test]
fn what_was_signed_the_day_before_a_mandate_was_renewed_is_accepted() {
    let mut hub = Hub::new();
    let ended = Mandate { until: Some(day("2020-11-17")), ..head("G22", "2020-11-01") };
    assert_eq!(mandate(&mut hub, &[ended, head("G22", "2020-11-17")]), Decision::Done);
    hub.now = BEGIN.plus(DAY);
    hub.accepted(&Draft { signed_at: Some(BEGIN), ..draft("G22", &["G01"]) });
}

#[test]
fn a_mandate_is_for_the_types_that_it_names() {
    let mut hub = Hub::new();
    let letters = vec![DocumentType::OFFICIAL_LETTER];
    let letters = Mandate { document_types: letters, ..head("G22", "2020-11-01") };
    assert_eq!(mandate(&mut hub, &[letters]), Decision::Done);
    let decision = hub.submit(&draft("G22", &["G01"]));
    assert_eq!(reason(&decision), Reason::SignerWithoutAuthority);
    let letter = DocumentType::OFFICIAL_LETTER;
    hub.accepted(&Draft { document_type: letter, ..draft("G22", &["G01"]) });
}

#[test]
fn a_person_of_another_agency_signs_by_delegation_only() {
    let mut hub = Hub::new();
    let signs = vec![Signs::Person("H34.01")];
    let document = Draft { signs, ..draft("H34", &["G01"]) };
    assert_eq!(reason(&hub.submit(&document)), Reason::SignerOfOtherAgency);
    let delegated = Mandate {
        signatory: signatory("H34.01", "chief"),
        capacity: Capacity::ByAuthorization,
        delegated_by: Some(signatory("H34", "chief")),
        ..head("H34", "2020-11-01")
    };
    let both = [head("H34", "2020-11-01"), delegated];
    assert_eq!(mandate(&mut hub, &both), Decision::Done);
    let accepted = accepted(hub.submit(&document));
    assert_eq!(accepted.signature, SignatureKind::Personal);
    let ended = Mandate { until: Some(day("2020-11-17")), ..head("H34", "2020-11-01") };
    assert_eq!(mandate(&mut hub, &[ended]), Decision::Done);
    hub.now = BEGIN.plus(DAY);
    let refused = hub.submit(&document);
    assert_eq!(reason(&refused), Reason::SignerOfOtherAgency, "the delegator has none any more");
}

#[test]
fn mandates_that_make_no_sense_are_refused() {
    let mut hub = Hub::new();
    let good = head("G22", "2020-11-01");
    let delegator = Some(signatory("G22", "chief"));
    let bad = [
        Mandate { agency: code("G99"), ..good.clone() },
        Mandate { signatory: signatory("G99", "chief"), ..good.clone() },
        Mandate { signatory: signatory("G01", "chief"), ..good.clone() },
        Mandate { capacity: Capacity::Deputy, ..good.clone() },
        Mandate { delegated_by: delegator, ..good.clone() },
        Mandate { until: Some(day("2020-11-01")), ..good.clone() },
        Mandate { basis: "x".repeat(501), ..good.clone() },
    ];
    for mandate_of in bad {
        let decision = mandate(&mut hub, std::slice::from_ref(&mandate_of));
        assert_eq!(reason(&decision), Reason::FieldInvalid, "{mandate_of:?}");
    }
    let days = (1..=17).map(|n| head("G22", &format!("2020-10-{n:02}")));
    let mut days: Vec<_> = days.collect();
    assert_eq!(reason(&mandate(&mut hub, &days)), Reason::FieldInvalid);
    // The same person, however the agency is written.
    days[0].signatory.agency = code("000.00.00.G22");
    assert_eq!(reason(&mandate(&mut hub, &days)), Reason::FieldInvalid);
    assert_eq!(mandate(&mut hub, &[good]), Decision::Done);
}

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
