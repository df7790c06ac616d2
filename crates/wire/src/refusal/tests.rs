use proptest::prelude::*;

use super::*;
use crate::strategies;

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn a_refusal_comes_back_from_a_status_and_from_a_message(refusal in strategies::refusal()) {
        prop_assert_eq!(from_status(&to_status(&refusal, None)), Some(refusal.clone()));
        prop_assert_eq!(from_proto(to_proto(&refusal)), Some(refusal));
    }

    #[test]
    fn any_details_are_read_or_not_and_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..100)) {
        let status = Status::with_details(Code::Internal, "", bytes.into());
        prop_assert_eq!(from_status(&status), None);
    }
}

#[test]
fn every_reason_has_the_code_of_its_category() {
    for reason in Reason::ALL.iter().copied() {
        let refusal = Refusal::at(reason, "recipients[3].code", "H99");
        let status = to_status(&refusal, None);
        assert_eq!(status.code(), code(reason.category()));
        assert_eq!(from_status(&status), Some(refusal));
    }
    assert_eq!(code(Category::Conflict), Code::AlreadyExists);
    assert_eq!(code(Category::WrongState), Code::FailedPrecondition);
}

#[test]
fn a_status_says_what_happened_to_which_message_in_both_languages() {
    let id = MessageId::new(lienthong_model::Timestamp::from_millis(1_605_488_400_000), [4; 10]);
    let refusal = Refusal::at(Reason::RecipientUnknown, "recipients[0].code", "H99");
    let status = to_status(&refusal, Some(id));
    assert_eq!(document_id(&status), Some(id));
    assert!(status.message().contains("RECIPIENT_UNKNOWN"));
    let details = status.get_error_details();
    let localized = details.localized_message().unwrap();
    assert_eq!(localized.locale, "vi");
    assert!(localized.message.contains("danh bạ"));
    let metadata = &details.error_info().unwrap().metadata;
    assert_eq!(metadata[REMEDY], Reason::RecipientUnknown.remedy());
}

#[test]
fn a_status_in_another_language_differs_in_its_localized_message_only() {
    for reason in Reason::ALL.iter().copied() {
        let refusal = Refusal::at(reason, "caller", "H99").retry_after(Duration::from_secs(3));
        let status = to_status(&refusal, None);
        let english = in_language(&status, Language::English).unwrap();
        let details = english.get_error_details();
        let localized = details.localized_message().unwrap();
        assert_eq!(localized.locale, "en");
        assert_eq!(localized.message, format!("{}: {}", reason.meaning(), reason.remedy()));
        assert_eq!(from_status(&english), Some(refusal));
        let back = in_language(&english, Language::Vietnamese).unwrap();
        assert_eq!((back.code(), back.message()), (status.code(), status.message()));
        assert_eq!(from_status(&back), from_status(&status));
    }
    assert!(in_language(&Status::unavailable("gone"), Language::English).is_none());
}

#[test]
fn the_largest_refusal_fits_the_headers_of_a_status() {
    let violation = |n: usize| {
        let field = format!("recipients[{n}].code");
        Violation::new(Reason::RecipientUnknown, field, "ệ".repeat(300))
    };
    let refusal = Refusal::of((0..500).map(violation).collect()).unwrap();
    let status = to_status(&refusal.clone(), None);
    let mut headers = tonic::codegen::http::HeaderMap::new();
    status.add_header(&mut headers).unwrap();
    let bytes: usize = headers.iter().map(|(name, value)| name.as_str().len() + value.len()).sum();
    assert!(bytes < 14 * 1024, "{bytes}");
    let read = from_status(&status).unwrap();
    let last = read.violations.last().unwrap();
    assert_eq!(last.value, format!("and {} more", 100 - (read.violations.len() - 1)));
    assert_eq!(from_proto(to_proto(&refusal)), Some(refusal));
}

#[test]
fn a_status_of_somebody_else_carries_no_refusal() {
    assert_eq!(from_status(&Status::unavailable("gone")), None);
    let details = ErrorDetails::with_error_info("OVERLOADED", "example.org", HashMap::new());
    let other = Status::with_error_details(Code::Unavailable, "", details);
    assert_eq!(from_status(&other), None);
    let details = ErrorDetails::with_error_info("OF_A_LATER_VERSION", DOMAIN, HashMap::new());
    let later = Status::with_error_details(Code::Unavailable, "", details);
    assert_eq!(from_status(&later), None);
}

#[test]
fn a_time_to_retry_comes_back() {
    let refusal = Refusal::new(Reason::Overloaded).retry_after(Duration::from_millis(1500));
    assert_eq!(from_status(&to_status(&refusal, None)), Some(refusal.clone()));
    let endless = Refusal::new(Reason::Overloaded).retry_after(Duration::MAX);
    assert!(from_status(&to_status(&endless, None)).unwrap().retry_after_ms.is_some());
}
