//! Judgement: every reason, their order, repetition, and signatures by date.

use std::time::Duration;

use crate::harness::{
    BEGIN, DAY, Draft, HOUR, Hub, ReportDraft, Signs, at, code, country, draft, reason, report,
};
use lienthong_core::{AcknowledgeOutcome, Acknowledged, AddAuthority, CertificateBytes, Command};
use lienthong_core::{Decision, Effect, RoutingRules, Rule, Span};
use lienthong_model::limits::{CLOCK_AHEAD_MAX, STATUSES_PER_DELIVERY_MAX};
use lienthong_model::{
    AgencyEntry, AgencyState, BusinessKind, Level, MessageId, Ordinal, Position, Reason, Refusal,
    SignaturePolicy, StatusCode,
};
use lienthong_trust::SignatureKind;

fn rule(to_level: Level, effect: Effect) -> Rule {
    Rule {
        name: "thử".to_owned(),
        from: None,
        until: None,
        from_level: None,
        to_level: Some(to_level),
        span: Span::Any,
        document_type: None,
        effect,
    }
}

fn set_rules(hub: &mut Hub, rules: Vec<Rule>) {
    let rules = Command::SetRoutingRules(RoutingRules { rules });
    assert_eq!(hub.administer(rules), Decision::Done);
}

/// A reason, and how a document comes by it.
type Fault = (Reason, fn(&mut Hub, &mut Draft));

/// A hub with refused and through-superior routes, and a fault of a document for every reason, in
/// the order in which judgement gives them.
fn faults() -> (Hub, Vec<Fault>) {
    let mut hub = Hub::new();
    let through = Rule { span: Span::Centre, ..rule(Level::Commune, Effect::ThroughSuperior) };
    let refuse = Rule { span: Span::Centre, ..rule(Level::Province, Effect::Refuse) };
    set_rules(&mut hub, vec![through, refuse]);
    hub.revoke(1, &[Signs::Seal("G22")], BEGIN);
    let faults: Vec<Fault> = vec![
        (Reason::FieldMissing, |_, draft| draft.kind = BusinessKind::Recall),
        (Reason::IdTimeOutOfRange, |hub, draft| {
            draft.id = Some(hub.signers.new_id(hub.now.plus(DAY)));
        }),
        (Reason::SignedAtOutOfRange, |hub, draft| draft.signed_at = Some(hub.now.plus(DAY))),
        (Reason::SenderSuspended, |hub, _| {
            let suspended = AgencyEntry { state: AgencyState::Suspended, ..country()[0].clone() };
            assert_eq!(hub.change(vec![suspended]), Decision::Done);
        }),
        (Reason::CertificateUntrusted, |_, draft| draft.signs.push(Signs::Stranger("G22"))),
        (Reason::CertificateNotYetValid, |_, draft| {
            draft.signs.push(Signs::ShortSeal("G22"));
            if draft.signed_at.is_none() {
                draft.signed_at = Some(at("2020-10-31"));
            }
        }),
        (Reason::CertificateRevoked, |_, draft| draft.signs.push(Signs::Seal("G22"))),
        (Reason::RevocationNotProven, |hub, draft| {
            if !draft.signs.contains(&Signs::ShortSeal("G22")) {
                draft.signs.push(Signs::ShortSeal("G22"));
            }
            hub.now = hub.now.plus(Duration::from_secs(1));
            hub.grace(Some(Duration::ZERO));
        }),
        (Reason::SignerOfOtherAgency, |_, draft| draft.signs.push(Signs::Person("G01"))),
        (Reason::PersonalSignatureRequired, |_, draft| {
            draft.signs.retain(|signs| *signs != Signs::Person("G22"));
        }),
        (Reason::RecipientUnknown, |_, draft| draft.to.push("H99".to_owned())),
        (Reason::RecipientNotInForce, |_, draft| draft.to.push("H34.09".to_owned())),
        (Reason::RecipientSuspended, |_, draft| draft.to.push("H36.03".to_owned())),
        (Reason::RecipientRepeated, |_, draft| draft.to.push("G01".to_owned())),
        (Reason::RouteRefused, |_, draft| draft.to.push("H34".to_owned())),
        (Reason::RouteThroughSuperior, |_, draft| draft.to.push("H34.01.01".to_owned())),
        (Reason::RecipientListUnknown, |_, draft| draft.lists.push("các tỉnh".to_owned())),
        (Reason::DocumentUnknown, |hub, draft| {
            if draft.kind == BusinessKind::New {
                draft.kind = BusinessKind::Recall;
                draft.acts_on = Some(hub.signers.new_id(hub.now));
            }
        }),
    ];
    (hub, faults)
}

#[test]
fn every_fault_of_a_document_is_refused_for_its_reason() {
    let (_, all) = faults();
    for (expected, fault) in all {
        let (mut hub, _) = faults();
        let mut draft = draft("G22", &["G01"]);
        fault(&mut hub, &mut draft);
        let decision = hub.submit(&draft);
        assert_eq!(reason(&decision), expected, "{decision:?}");
    }
}

#[test]
fn of_two_faults_the_first_in_the_order_of_the_list_is_the_reason() {
    let (_, all) = faults();
    assert!(all.is_sorted_by_key(|(reason, _)| *reason), "the faults stand in the list's order");
    for (first, (expected, one)) in all.iter().enumerate() {
        for (also, other) in &all[first + 1..] {
            let (mut hub, _) = faults();
            let mut draft = draft("G22", &["G01"]);
            one(&mut hub, &mut draft);
            other(&mut hub, &mut draft);
            let decision = hub.submit(&draft);
            assert_eq!(reason(&decision), *expected, "with {also}: {decision:?}");
        }
    }
}

#[test]
fn a_sender_must_be_known_in_force_and_served_by_the_caller() {
    let mut hub = Hub::new();
    let cases = [
        (Draft { caller: Some("G22"), ..draft("H99", &["G01"]) }, Reason::SenderUnknown),
        (Draft { caller: Some("H34"), ..draft("H34.01", &["G01"]) }, Reason::SenderNotEntitled),
        (Draft { caller: Some("H36.01"), ..draft("H36", &["G01"]) }, Reason::SenderNotEntitled),
        (draft("H34.09", &["G01"]), Reason::SenderNotInForce),
        (draft("H36.03", &["G01"]), Reason::SenderSuspended),
    ];
    for (draft, expected) in cases {
        assert_eq!(reason(&hub.submit(&draft)), expected, "{draft:?}");
    }
    hub.accepted(&Draft { caller: Some("H36"), ..draft("H36.01", &["G01"]) });
    hub.accepted(&draft("H36.01", &["G01"]));
    hub.accepted(&draft("H36.02", &["G01"]));
}

#[test]
fn ids_and_signatures_are_taken_from_thirty_days_before_to_five_minutes_after() {
    let minutes = |minutes: u64| Duration::from_secs(60 * minutes);
    let ms = Duration::from_millis(1);
    for (at, fits) in [
        (BEGIN.minus(30 * DAY), true),
        (BEGIN.minus(30 * DAY).minus(ms), false),
        (BEGIN.plus(minutes(5)), true),
        (BEGIN.plus(minutes(5)).plus(ms), false),
    ] {
        let mut hub = Hub::new();
        let id = Some(hub.signers.new_id(at));
        let by_id = hub.submit(&Draft { id, ..draft("G22", &["G01"]) });
        let by_date = hub.submit(&Draft { signed_at: Some(at), ..draft("G22", &["G01"]) });
        if fits {
            assert!(matches!(by_id, Decision::Accepted(_)), "{by_id:?}");
            assert!(matches!(by_date, Decision::Accepted(_)), "{by_date:?}");
        } else {
            assert_eq!(reason(&by_id), Reason::IdTimeOutOfRange);
            assert_eq!(reason(&by_date), Reason::SignedAtOutOfRange);
        }
    }
}

#[test]
fn on_a_fast_clock_a_sender_may_be_further_ahead_and_the_blocks_say_so() {
    let mut hub = Hub::new();
    hub.machine.allow_clock_ahead(Duration::from_secs(3_000));
    let ahead = Some(hub.signers.new_id(BEGIN.plus(Duration::from_secs(3_000))));
    hub.accepted(&Draft { id: ahead, ..draft("G22", &["G01"]) });
    assert_eq!(hub.sealed().last().unwrap().block.clock_ahead_ms, 3_000_000);
    hub.machine.allow_clock_ahead(Duration::ZERO);
    let ahead = Some(hub.signers.new_id(BEGIN.plus(Duration::from_secs(300))));
    hub.accepted(&Draft { id: ahead, ..draft("G22", &["G01"]) });
}

#[test]
fn a_refused_submission_does_not_use_up_its_id() {
    let mut hub = Hub::new();
    let mut draft = draft("G22", &["H36.03"]);
    draft.id = Some(hub.signers.new_id(BEGIN));
    assert_eq!(reason(&hub.submit(&draft)), Reason::RecipientSuspended);
    draft.to = vec!["G01".to_owned()];
    let first = hub.submit(&draft);
    let Decision::Accepted(accepted) = &first else { panic!("{first:?}") };
    assert_eq!(accepted.position, Position(0));
}

#[test]
fn an_id_used_for_other_content_is_refused_for_ever_and_another_sender_may_use_it() {
    let mut hub = Hub::new();
    let (id, _) = hub.accepted(&draft("G22", &["G01"]));
    let mut other = Draft { id: Some(id), subject: "Khác".to_owned(), ..draft("G22", &["G01"]) };
    assert_eq!(reason(&hub.submit(&other)), Reason::IdReused);
    hub.now = hub.now.plus(3_000 * DAY);
    other.kind = BusinessKind::Recall;
    assert_eq!(reason(&hub.submit(&other)), Reason::IdReused, "before everything else");
    let mut hub = Hub::new();
    let (id, _) = hub.accepted(&draft("G22", &["G01"]));
    hub.accepted(&Draft { id: Some(id), ..draft("G01", &["G22"]) });
}

#[test]
fn the_same_content_again_is_given_its_first_position_whatever_changed_since() {
    let mut hub = Hub::new();
    let seal = vec![Signs::Person("G22"), Signs::Seal("G22")];
    let mut draft = Draft { signs: seal, ..draft("G22", &["H36", "G01"]) };
    draft.signed_at = Some(BEGIN);
    let (id, position) = hub.accepted(&draft);
    draft.id = Some(id);
    hub.accepted(&Draft { id: None, ..draft.clone() });
    let suspended = AgencyEntry { state: AgencyState::Suspended, ..country()[0].clone() };
    assert_eq!(hub.change(vec![suspended]), Decision::Done);
    assert_eq!(hub.revoke(1, &[Signs::Seal("G22"), Signs::Person("G22")], BEGIN), Decision::Done);
    set_rules(&mut hub, vec![rule(Level::Province, Effect::Refuse)]);
    hub.now = hub.now.plus(400 * DAY);
    assert_eq!(hub.submit(&draft), Decision::Repeated(position));
    assert_eq!(reason(&hub.submit(&Draft { id: None, ..draft })), Reason::SignedAtOutOfRange);
}

#[test]
fn the_same_content_twice_in_one_block_is_one_document() {
    let mut hub = Hub::new();
    let id = Some(hub.signers.new_id(BEGIN));
    let draft = Draft { id, ..draft("G22", &["G01"]) };
    let proposals = vec![hub.submission(&draft), hub.submission(&draft)];
    let decisions = hub.block(proposals);
    assert!(matches!(decisions[0], Decision::Accepted(_)));
    assert_eq!(decisions[1], Decision::Repeated(Position(0)));
    assert_eq!(hub.sealed().last().unwrap().block.entries.len(), 1);
}

#[test]
fn a_certificate_is_journalled_once() {
    let mut hub = Hub::new();
    let new = |hub: &Hub| match &hub.sealed().last().unwrap().block.entries[0].command {
        Command::Submit(submit) => submit.signed.new_certificates.len(),
        other => panic!("{other:?}"),
    };
    let mut sealed = draft("G22", &["G01"]);
    sealed.signs.push(Signs::Seal("G22"));
    hub.accepted(&draft("G22", &["G01"]));
    assert_eq!(new(&hub), 3, "person, authority, root");
    hub.accepted(&sealed);
    assert_eq!(new(&hub), 1, "the seal's");
    hub.accepted(&sealed);
    assert_eq!(new(&hub), 0);
}

#[test]
fn the_bytes_of_a_block_under_way_are_those_that_it_will_have() {
    let mut hub = Hub::new();
    let submission = hub.submission(&draft("G22", &["G01", "H36", "H34"]));
    hub.machine.begin(hub.now);
    hub.machine.decide(submission).unwrap();
    let refusal = Refusal::at(Reason::FieldInvalid, "x".repeat(5_000), "");
    hub.machine.record_refusal(crate::harness::refused_request(Ordinal(0)), refusal).unwrap();
    let (bytes, entries) = (hub.machine.bytes(), hub.machine.entries());
    let sealed = hub.machine.seal().unwrap();
    assert_eq!(entries, 2);
    assert!(bytes > 5_000, "a refusal counts with what it says");
    let around = sealed.bytes.len() - bytes;
    assert!(around < 100, "{around} bytes beside the entries");
}

#[test]
fn a_policy_says_which_signatures_are_enough() {
    use SignatureKind::{None, Personal, PersonalAndSeal, Seal};
    let (required, transition, information) = ("H34.01", "H34.02", "H34.03");
    let sealed = |agency| vec![Signs::Seal(agency)];
    let signed = |agency| vec![Signs::Person(agency)];
    let both = |agency| vec![Signs::Person(agency), Signs::Seal(agency)];
    let cases = [
        (required, vec![], Err(Reason::PersonalSignatureRequired)),
        (required, sealed(required), Err(Reason::PersonalSignatureRequired)),
        (required, signed(required), Ok(Personal)),
        (required, both(required), Ok(PersonalAndSeal)),
        (transition, vec![], Err(Reason::SealRequired)),
        (transition, sealed(transition), Ok(Seal)),
        (transition, signed(transition), Ok(Personal)),
        (information, vec![], Ok(None)),
        (information, sealed(information), Ok(Seal)),
        (information, both(information), Ok(PersonalAndSeal)),
    ];
    let mut hub = Hub::new();
    for (from, signs, expected) in cases {
        let found = match hub.submit(&Draft { signs: signs.clone(), ..draft(from, &["G01"]) }) {
            Decision::Accepted(accepted) => Ok(accepted.signature),
            other => Err(reason(&other)),
        };
        assert_eq!(found, expected, "{from} signed {signs:?}");
    }
}

#[test]
fn a_gateways_seal_counts_for_those_it_serves_and_its_persons_do_not() {
    let transition = AgencyEntry { policy: SignaturePolicy::Transition, ..country()[3].clone() };
    let mut hub = Hub::new();
    assert_eq!(hub.change(vec![transition]), Decision::Done);
    let signed = |signs| Draft { signs, ..draft("H36.01", &["G01"]) };
    hub.accepted(&signed(vec![Signs::Seal("H36")]));
    for foreign in [Signs::Person("H36"), Signs::Seal("H34"), Signs::Person("H36.01.01")] {
        let decision = hub.submit(&signed(vec![Signs::Seal("H36.01"), foreign]));
        assert_eq!(reason(&decision), Reason::SignerOfOtherAgency, "{foreign:?}");
    }
}

#[test]
fn every_foreign_signature_of_several_is_named() {
    let mut hub = Hub::new();
    let signs = vec![Signs::Person("G01"), Signs::Person("G22"), Signs::Seal("H36")];
    let Decision::Refused(refusal) = hub.submit(&Draft { signs, ..draft("G22", &["G01"]) }) else {
        panic!("accepted")
    };
    let fields: Vec<_> = refusal.violations.iter().map(|violation| &*violation.field).collect();
    let field = |index| format!("document.signatures[{index}].certificate_sha256");
    assert_eq!(fields, [field(0), field(2)]);
}

#[test]
fn a_certificate_revoked_before_receipt_is_refused_whatever_the_signer_claims() {
    let mut hub = Hub::new();
    let signs = vec![Signs::Person("G22"), Signs::Seal("G22")];
    let draft = Draft { signs, ..draft("G22", &["G01"]) };
    let (id, _) = hub.accepted(&draft);
    hub.now = hub.now.plus(HOUR);
    assert_eq!(hub.revoke(1, &[Signs::Seal("G22")], hub.now), Decision::Done);
    let before = Draft { signed_at: Some(BEGIN.minus(DAY)), ..draft.clone() };
    assert_eq!(reason(&hub.submit(&before)), Reason::CertificateRevoked);
    assert!(hub.query().track(Position(0)).unwrap().is_some(), "what was accepted stays");
    let again = Draft { id: Some(id), signed_at: Some(BEGIN), ..draft };
    assert_eq!(hub.submit(&again), Decision::Repeated(Position(0)));
}

#[test]
fn a_revocation_of_a_later_day_counts_from_that_day_on() {
    let mut hub = Hub::new();
    let later = hub.now.plus(DAY);
    assert_eq!(hub.revoke(1, &[Signs::Person("G22")], later), Decision::Done);
    hub.accepted(&draft("G22", &["G01"]));
    hub.now = later;
    assert_eq!(reason(&hub.submit(&draft("G22", &["G01"]))), Reason::CertificateRevoked);
}

#[test]
fn only_a_newer_revocation_list_is_taken_over() {
    let mut hub = Hub::new();
    assert_eq!(hub.revoke(2, &[Signs::Person("G22")], BEGIN), Decision::Done);
    assert_eq!(reason(&hub.revoke(1, &[], BEGIN)), Reason::FieldInvalid);
    assert_eq!(reason(&hub.revoke(2, &[], BEGIN)), Reason::FieldInvalid);
    assert_eq!(reason(&hub.submit(&draft("G22", &["G01"]))), Reason::CertificateRevoked);
    assert_eq!(hub.revoke(3, &[], BEGIN), Decision::Done);
    hub.accepted(&draft("G22", &["G01"]));
}

#[test]
fn a_later_revocation_list_without_a_higher_number_is_not_taken_over() {
    let mut hub = Hub::new();
    assert_eq!(hub.revoke(5, &[Signs::Person("G22")], BEGIN), Decision::Done);
    hub.now = BEGIN.plus(HOUR);
    for number in [4, 5] {
        assert_eq!(reason(&hub.revoke(number, &[], BEGIN)), Reason::FieldInvalid, "{number}");
    }
    assert_eq!(hub.revoke(6, &[], BEGIN), Decision::Done);
}

#[test]
fn a_revocation_list_of_a_time_to_come_is_refused_and_keeps_no_correct_one_out() {
    let second = Duration::from_secs(1);
    let mut hub = Hub::new();
    hub.now = BEGIN.plus(CLOCK_AHEAD_MAX).plus(second);
    let ahead = hub.revocation(9, &[], BEGIN);
    hub.now = BEGIN;
    let Decision::Refused(refusal) = hub.administer(ahead.clone()) else { panic!("taken over") };
    let field = &*refusal.violations[0].field;
    assert_eq!((refusal.reason, field), (Reason::FieldInvalid, "revocation_list"));
    assert_eq!(hub.revoke(2, &[Signs::Person("G22")], BEGIN), Decision::Done);
    assert_eq!(reason(&hub.submit(&draft("G22", &["G01"]))), Reason::CertificateRevoked);
    hub.machine.allow_clock_ahead(CLOCK_AHEAD_MAX + second);
    assert_eq!(hub.administer(ahead), Decision::Done, "as far ahead as a clock may be");
}

#[test]
fn a_certificate_must_be_valid_when_it_signed_and_when_it_arrived() {
    let signed = |signed_at| Draft {
        signed_at: Some(at(signed_at)),
        signs: vec![Signs::ShortSeal("H34.02")],
        ..draft("H34.02", &["G01"])
    };
    let mut hub = Hub::new();
    assert_eq!(reason(&hub.submit(&signed("2020-10-31"))), Reason::CertificateNotYetValid);
    hub.accepted(&signed("2020-11-02"));
    hub.now = at("2020-12-02");
    assert_eq!(reason(&hub.submit(&signed("2020-11-29"))), Reason::CertificateExpired);
    assert_eq!(reason(&hub.submit(&signed("2020-12-01"))), Reason::CertificateExpired);
}

#[test]
fn a_root_is_trusted_from_the_block_that_adds_it() {
    let mut hub = Hub::empty();
    hub.import(&country());
    assert_eq!(reason(&hub.submit(&draft("G22", &["G01"]))), Reason::CertificateUntrusted);
    hub.trust(false);
    assert_eq!(reason(&hub.submit(&draft("G22", &["G01"]))), Reason::CertificateUntrusted);
    hub.trust(true);
    hub.accepted(&draft("G22", &["G01"]));
    let stranger = Draft { signs: vec![Signs::Stranger("G22")], ..draft("G22", &["G01"]) };
    assert_eq!(reason(&hub.submit(&stranger)), Reason::CertificateUntrusted);
}

#[test]
fn only_a_certificate_that_has_signed_itself_becomes_a_trusted_root() {
    let mut hub = Hub::new();
    let add = |der: &[u8], trusted| {
        let certificate = CertificateBytes(der.to_vec().into());
        Command::AddAuthority(AddAuthority { certificate, trusted })
    };
    let issuing = hub.signers.pki.issuing().certificate().der().clone();
    let stranger = hub.signers.stranger.root().certificate().der().clone();
    // Its own name, and not its own signature, which stands at the end.
    let mut forged = stranger.to_vec();
    *forged.last_mut().unwrap() ^= 1;
    for der in [&issuing[..], &forged] {
        let Decision::Refused(refusal) = hub.administer(add(der, true)) else { panic!("trusted") };
        let field = &*refusal.violations[0].field;
        assert_eq!((refusal.reason, field), (Reason::FieldInvalid, "authority"));
    }
    assert_eq!(hub.machine.policy().trust.roots().count(), 1);
    assert_eq!(hub.administer(add(&issuing, false)), Decision::Done);
    assert_eq!(hub.administer(add(&stranger, true)), Decision::Done);
}

#[test]
fn an_administrators_bytes_that_cannot_be_read_are_refused_and_stop_nothing() {
    let mut hub = Hub::new();
    let authority = |der: &[u8]| {
        let certificate = CertificateBytes(der.to_vec().into());
        Command::AddAuthority(AddAuthority { certificate, trusted: true })
    };
    let person = hub.signers.identity(Signs::Person("G22")).certificate.der().clone();
    assert_eq!(reason(&hub.administer(authority(b"no certificate"))), Reason::FieldInvalid);
    assert_eq!(reason(&hub.administer(authority(&person))), Reason::FieldInvalid);
    let mut list = hub.revocation(1, &[], BEGIN);
    if let Command::AddRevocationList(list) = &mut list {
        list.issuer = *hub.signers.stranger.root().certificate().fingerprint();
    }
    assert_eq!(reason(&hub.administer(list)), Reason::FieldInvalid);
    hub.accepted(&draft("G22", &["G01"]));
}

// Reports.

fn delivered(hub: &mut Hub) -> MessageId {
    hub.accepted(&draft("G22", &["H36.01", "H34", "H36.02"])).0
}

#[test]
fn every_fault_of_a_report_is_refused_for_its_reason() {
    use StatusCode::{Accepted, Arrived, ChangeAgreed, ChangeRefused, RecallRequested, Refused};
    let mut hub = Hub::new();
    let id = delivered(&mut hub);
    let nobody = MessageId::new(BEGIN, [7; 10]);
    let by = |from, code| report(from, "G22", id, code);
    let silent = |draft: ReportDraft| ReportDraft { reason: "  ", ..draft };
    let cases = [
        (report("H34", "G22", nobody, Arrived), Reason::DocumentUnknown),
        (report("H34", "G01", id, Arrived), Reason::DocumentUnknown),
        (report("H34", "H99", id, Arrived), Reason::DocumentUnknown),
        (by("G01", Arrived), Reason::DocumentUnknown),
        (by("G22", Accepted), Reason::ReporterNotEntitled),
        (by("H34", RecallRequested), Reason::ReporterNotEntitled),
        (silent(by("G22", RecallRequested)), Reason::ReasonMissing),
        (
            ReportDraft { recipients: vec!["G01"], ..by("G22", RecallRequested) },
            Reason::NotARecipient,
        ),
        (
            ReportDraft { recipients: vec!["H99"], ..by("G22", RecallRequested) },
            Reason::RecipientUnknown,
        ),
        (silent(by("H34", Refused)), Reason::ReasonMissing),
        (silent(by("H34", ChangeRefused)), Reason::ReasonMissing),
        (by("H34", ChangeRefused), Reason::StatusNotOpen),
        (by("H34", ChangeAgreed), Reason::StatusNotOpen),
        (ReportDraft { signs: vec![], ..by("H34", Arrived) }, Reason::SealRequired),
        (
            ReportDraft { signs: vec![Signs::Person("H34")], ..by("H34", Arrived) },
            Reason::SealRequired,
        ),
        (
            ReportDraft { signs: vec![Signs::Seal("G22")], ..by("H34", Arrived) },
            Reason::SignerOfOtherAgency,
        ),
        (ReportDraft { caller: Some("G22"), ..by("H34", Arrived) }, Reason::SenderNotEntitled),
        (
            ReportDraft { signed_at: Some(BEGIN.minus(31 * DAY)), ..by("H34", Arrived) },
            Reason::SignedAtOutOfRange,
        ),
    ];
    for (draft, expected) in cases {
        let decision = hub.report(&draft);
        assert_eq!(reason(&decision), expected, "{draft:?}: {decision:?}");
    }
    let gateways = ReportDraft { caller: Some("H36"), ..by("H36.01", Arrived) };
    let gateways = ReportDraft { signs: vec![Signs::Seal("H36")], ..gateways };
    assert!(matches!(hub.report(&gateways), Decision::Reported(_)));
}

#[test]
fn a_report_again_is_given_its_first_position_and_its_id_is_used_up() {
    let mut hub = Hub::new();
    let document = delivered(&mut hub);
    let id = Some(hub.signers.new_id(BEGIN));
    let first = ReportDraft { id, ..report("H34", "G22", document, StatusCode::Arrived) };
    let first = ReportDraft { signed_at: Some(BEGIN), ..first };
    let Decision::Reported(reported) = hub.report(&first) else { panic!("refused") };
    hub.report(&report("H34", "G22", document, StatusCode::Accepted));
    hub.now = hub.now.plus(DAY);
    assert_eq!(hub.report(&first), Decision::Repeated(reported.position));
    let other = ReportDraft { code: StatusCode::Finished, ..first };
    assert_eq!(reason(&hub.report(&other)), Reason::IdReused);
    let document = Draft { id, ..draft("H34", &["G01"]) };
    assert_eq!(reason(&hub.submit(&document)), Reason::IdReused, "documents share the ids");
}

#[test]
fn statuses_are_limited_and_the_last_place_is_kept_for_the_end() {
    let mut hub = Hub::new();
    let id = delivered(&mut hub);
    let by = |code| report("H34", "G22", id, code);
    assert!(matches!(hub.report(&by(StatusCode::Accepted)), Decision::Reported(_)));
    for _ in 0..STATUSES_PER_DELIVERY_MAX - 2 {
        assert!(matches!(hub.report(&by(StatusCode::Processing)), Decision::Reported(_)));
    }
    assert_eq!(reason(&hub.report(&by(StatusCode::Processing))), Reason::StatusLimit);
    assert!(matches!(hub.report(&by(StatusCode::Finished)), Decision::Reported(_)));
    assert_eq!(reason(&hub.report(&by(StatusCode::Processing))), Reason::StatusNotOpen);
    let delivery = hub.query().delivery(Position(0), hub.ordinal("H34")).unwrap().unwrap();
    assert_eq!(delivery.statuses.len(), STATUSES_PER_DELIVERY_MAX);
}

// Acknowledgements.

#[test]
fn each_acknowledgement_is_counted_once_and_only_for_ones_own() {
    use AcknowledgeOutcome::{Counted, Repeated, Unknown};
    let mut hub = Hub::new();
    let (_, position) = hub.accepted(&draft("G22", &["H36.01", "H36.02", "H34"]));
    let mine = ("H36.01", position);
    let asked = [mine, mine, ("H34", position), ("H36", position), ("H36.01", Position(9))];
    let outcomes = vec![Counted, Repeated, Unknown, Unknown, Unknown];
    let decided = hub.acknowledge("H36", &asked);
    assert_eq!(decided, Decision::Acknowledged(Acknowledged { outcomes }));
    let blocks = hub.sealed().len();
    let again = hub.acknowledge("H36.01", &[mine]);
    assert_eq!(again, Decision::Acknowledged(Acknowledged { outcomes: vec![Repeated] }));
    assert_eq!(hub.sealed().len(), blocks, "what counts nothing leaves no entry");
    assert_eq!(code("H36.01").key().as_str(), "H36.01");
}
