use lienthong_model::{MessageId, StatusCode, Timestamp};
use proptest::prelude::*;

use super::*;
use crate::strategies;

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn every_field_of_a_report_comes_back(report in strategies::status_report()) {
        let bytes = encode_status(&report);
        prop_assert_eq!(decode_status(&bytes), Ok(report.clone()));
        prop_assert_eq!(encode_status(&report), bytes);
    }
}

fn report() -> proto::StatusReport {
    let code = |text: &str| AgencyCode::parse(text).unwrap();
    let id = |n| MessageId::new(Timestamp::from_millis(1_605_488_400_000), [n; 10]);
    let answered = (code("G22"), id(1));
    to_proto(&StatusReport::new(id(2), code("H36"), answered, StatusCode::Accepted))
}

#[test]
fn every_mandatory_field_of_a_report_is_asked_for() {
    let refusal = from_proto(proto::StatusReport::default()).unwrap_err();
    assert_eq!(refusal.reason, Reason::FieldMissing);
    let fields: Vec<_> = refusal.violations.iter().map(|v| v.field.as_str()).collect();
    assert_eq!(fields, ["id", "from.code", "document", "answers.code", "code", "signed_at"]);
}

#[test]
fn a_wrong_field_of_a_report_is_named() {
    let wrong = |change: fn(&mut proto::StatusReport)| {
        let mut message = report();
        change(&mut message);
        let refusal = from_proto(message).unwrap_err();
        assert_eq!(refusal.reason, Reason::FieldInvalid);
        let [violation] = refusal.violations.try_into().unwrap();
        violation.field
    };
    assert_eq!(wrong(|m| m.code = 7), "code");
    assert_eq!(wrong(|m| m.code = -1), "code");
    assert_eq!(wrong(|m| m.recipients = vec!["H36".into(), "a b".into()]), "recipients[1]");
    assert_eq!(wrong(|m| m.reason = "ă".repeat(2001)), "reason");
    assert_eq!(wrong(|m| m.document = vec![0; 16].into()), "document");
    let nanos = prost_types::Timestamp { seconds: 0, nanos: -5 };
    assert_eq!(moment::from_proto(&nanos), None);
    assert_eq!(wrong(|m| m.signed_at.as_mut().unwrap().nanos = -5), "signed_at");
    assert_eq!(wrong(|m| m.answers.as_mut().unwrap().code = "?".into()), "answers.code");
}
