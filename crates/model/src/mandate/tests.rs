use proptest::prelude::*;

use super::*;

fn code(text: &str) -> AgencyCode {
    AgencyCode::parse(text).unwrap()
}

fn signatory(text: &str) -> Signatory {
    let (agency, person) = text.split_once('/').unwrap();
    Signatory { agency: code(agency), person: person.to_owned() }
}

fn mandate(who: &str, capacity: Capacity, delegated_by: Option<&str>) -> Mandate {
    Mandate {
        agency: code("H36"),
        signatory: signatory(who),
        capacity,
        delegated_by: delegated_by.map(signatory),
        document_types: Vec::new(),
        from: Day(100),
        until: None,
        basis: String::new(),
    }
}

fn on(day: i32) -> Timestamp {
    Timestamp::from_millis((i64::from(day) * 24 - 7) * 3_600_000)
}

fn may(mandates: &[Mandate], who: &str, days: &[i32]) -> bool {
    let Signatory { agency, person } = signatory(who);
    let moments: Vec<Timestamp> = days.iter().map(|day| on(*day)).collect();
    let key = agency.key();
    mandate_of(mandates, (&key, &person), DocumentType::DECISION, &moments).is_some()
}

#[test]
fn a_head_signs_from_the_first_day_until_before_the_last() {
    let mut head = mandate("H36/chair", Capacity::Head, None);
    head.until = Some(Day(200));
    let mandates = [head];
    assert!(may(&mandates, "H36/chair", &[100, 199]));
    assert!(!may(&mandates, "H36/chair", &[99]));
    assert!(!may(&mandates, "H36/chair", &[200]));
    assert!(!may(&mandates, "H36/chair", &[150, 200]), "every moment counts");
    assert!(
        !may(&mandates, "H34/chair", &[150]),
        "the same id at another agency is another person"
    );
}

#[test]
fn a_mandate_for_some_types_covers_no_other() {
    let mut head = mandate("H36/chair", Capacity::Head, None);
    head.document_types = vec![DocumentType::OFFICIAL_LETTER];
    assert!(!may(&[head], "H36/chair", &[150]));
}

#[test]
fn a_delegated_mandate_stands_only_while_the_delegator_has_one() {
    let mut head = mandate("H36/chair", Capacity::Head, None);
    head.until = Some(Day(200));
    let deputy = mandate("H36/deputy", Capacity::Deputy, Some("H36/chair"));
    assert!(may(&[head.clone(), deputy.clone()], "H36/deputy", &[150]));
    assert!(!may(&[head, deputy.clone()], "H36/deputy", &[200]));
    assert!(!may(&[deputy], "H36/deputy", &[150]));
}

/// A head whose mandate ends on a day, and the one that follows from another on.
fn renewed(until: i32, from: i32) -> [Mandate; 2] {
    let head = || mandate("H36/chair", Capacity::Head, None);
    [Mandate { until: Some(Day(until)), ..head() }, Mandate { from: Day(from), ..head() }]
}

#[test]
fn a_renewed_mandate_stands_on_both_sides_of_its_renewal_and_not_between() {
    let mandates = renewed(200, 200);
    assert!(may(&mandates, "H36/chair", &[199, 200]));
    let chair = (&code("H36").key(), "chair");
    let moments = [on(199), on(200)];
    let named = mandate_of(&mandates, chair, DocumentType::DECISION, &moments).unwrap();
    assert_eq!(named.from, Day(200), "the one at the last moment");
    let apart = renewed(200, 201);
    assert!(may(&apart, "H36/chair", &[199, 201]));
    assert!(!may(&apart, "H36/chair", &[199, 200]));
}

#[test]
fn a_delegated_mandate_outlasts_the_renewal_of_its_delegators() {
    let with_deputy = |[ended, follows]: [Mandate; 2]| {
        [ended, follows, mandate("H36/deputy", Capacity::Deputy, Some("H36/chair"))]
    };
    assert!(may(&with_deputy(renewed(200, 200)), "H36/deputy", &[199, 200]));
    assert!(!may(&with_deputy(renewed(200, 201)), "H36/deputy", &[199, 200]));
}

#[test]
fn a_delegated_mandate_without_its_delegator_never_stands() {
    assert!(!may(&[mandate("H36/deputy", Capacity::Deputy, None)], "H36/deputy", &[150]));
}

#[test]
fn whoever_signs_by_order_may_let_a_deputy_sign_and_nobody_else() {
    let head = mandate("H36/chair", Capacity::Head, None);
    let office = mandate("H36/office", Capacity::ByOrder, Some("H36/chair"));
    let its_deputy = mandate("H36/second", Capacity::Deputy, Some("H36/office"));
    let other = mandate("H36/other", Capacity::ByOrder, Some("H36/office"));
    let mandates = [head, office, its_deputy, other];
    assert!(may(&mandates, "H36/second", &[150]));
    assert!(!may(&mandates, "H36/other", &[150]));
}

#[test]
fn an_authorization_is_not_delegated_on_and_may_go_to_another_agency() {
    let head = mandate("H36/chair", Capacity::Head, None);
    let director = mandate("H36.05/director", Capacity::ByAuthorization, Some("H36/chair"));
    let below = mandate("H36.05/deputy", Capacity::Deputy, Some("H36.05/director"));
    let mandates = [head, director, below];
    assert!(may(&mandates, "H36.05/director", &[150]));
    assert!(!may(&mandates, "H36.05/deputy", &[150]));
}

#[test]
fn delegations_in_a_circle_come_to_an_end() {
    let one = mandate("H36/a", Capacity::Deputy, Some("H36/b"));
    let other = mandate("H36/b", Capacity::ByOrder, Some("H36/a"));
    assert!(!may(&[one, other], "H36/a", &[150]));
}

proptest! {
    #[test]
    fn a_mandate_is_read_back_as_it_was_written(
        who in "[A-Z][0-9]{2}/[a-z]{1,8}", number in 1u32..=5, from: i32, until: Option<i32>,
    ) {
        let capacity = Capacity::from_number(number).unwrap();
        let written = Mandate {
            from: Day(from), until: until.map(Day), document_types: vec![DocumentType::DECISION],
            ..mandate(&who, capacity, Some("H36/chair"))
        };
        let bytes = minicbor::to_vec(&written).unwrap();
        prop_assert_eq!(minicbor::decode::<Mandate>(&bytes).unwrap(), written);
    }
}
