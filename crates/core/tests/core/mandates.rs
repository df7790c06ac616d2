//! Mandates: who signs for an agency, for which types, from when until when.

use crate::harness::{BEGIN, DAY, Draft, Hub, Signs, at, code, day, draft, reason};
use lienthong_core::{Command, Decision};
use lienthong_model::{Capacity, DocumentType, Mandate, Reason, Signatory, Timestamp};
use lienthong_trust::SignatureKind;

pub fn signatory(agency: &str, person: &str) -> Signatory {
    Signatory { agency: code(agency), person: person.to_owned() }
}

pub fn head(agency: &str, from: &str) -> Mandate {
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

pub fn mandate(hub: &mut Hub, mandates: &[Mandate]) -> Decision {
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
    let Decision::Accepted(accepted) = hub.submit(&document) else { panic!("it is delegated") };
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
