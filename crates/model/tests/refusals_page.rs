//! The page of refusals and the list in the code are one: the page is written from the list.

use std::fmt::Write as _;

use lienthong_model::{Category, Reason};

const PAGE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/REFUSALS.md");

fn grpc(category: Category) -> &'static str {
    match category {
        Category::Unauthenticated => "UNAUTHENTICATED",
        Category::Malformed => "INVALID_ARGUMENT",
        Category::Forbidden => "PERMISSION_DENIED",
        Category::Unknown => "NOT_FOUND",
        Category::Conflict => "ALREADY_EXISTS",
        Category::WrongState => "FAILED_PRECONDITION",
        Category::Exhausted => "RESOURCE_EXHAUSTED",
        Category::Unavailable => "UNAVAILABLE",
        Category::Damaged => "DATA_LOSS",
    }
}

fn page() -> String {
    let mut page = String::from(
        "# Refusals / từ chối\n\n\
         Every reason for which the hub declines something, in order of precedence: when several \
         apply, the first one is given. Code and number are stable. A refusal names the field and \
         the value found; a refused submission does not use up its id.\n\n\
         This page is written from `crates/model/src/refusal.rs`; a test holds the two together \
         (`LIENTHONG_WRITE_PAGES=1 cargo nextest run -p lienthong-model` writes it anew).\n",
    );
    for reason in Reason::ALL {
        // Writing into a string cannot fail.
        let _ = write!(
            page,
            "\n## {code}\n\n\
             Number {number}, gRPC {grpc}.\n\n\
             | | Tiếng Việt | English |\n|---|---|---|\n\
             | ý nghĩa / meaning | {vi} | {en} |\n\
             | cách xử lý / remedy | {remedy_vi} | {remedy} |\n",
            code = reason.code(),
            number = reason.number(),
            grpc = grpc(reason.category()),
            vi = reason.meaning_vi(),
            en = reason.meaning(),
            remedy_vi = reason.remedy_vi(),
            remedy = reason.remedy(),
        );
    }
    page
}

#[test]
fn every_refusal_is_on_its_page_with_meaning_and_remedy_in_both_languages() {
    if std::env::var_os("LIENTHONG_WRITE_PAGES").is_some() {
        std::fs::write(PAGE, page()).unwrap();
    }
    let (found, expected) = (std::fs::read_to_string(PAGE).unwrap_or_default(), page());
    let differs = found.lines().zip(expected.lines()).find(|(found, expected)| found != expected);
    assert_eq!(differs, None, "the first line that differs: as found, as expected");
    assert_eq!(found.lines().count(), expected.lines().count(), "lines of the page");
}

#[test]
fn no_refusal_lacks_a_text() {
    for reason in Reason::ALL {
        for text in [reason.meaning(), reason.meaning_vi(), reason.remedy(), reason.remedy_vi()] {
            assert!(text.chars().count() > 5, "{reason}: `{text}`");
        }
    }
}
