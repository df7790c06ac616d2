use lienthong_model::{AgencyCode, Document, MessageId, Reason, Timestamp};
use proptest::prelude::*;

use super::*;
use crate::{document, encode_document, encode_status, strategies};

fn message() -> proto::Document {
    let at = Timestamp::from_millis(1_605_488_400_000);
    let code = |text: &str| AgencyCode::parse(text).unwrap();
    let id = MessageId::new(at, [1; 10]);
    let mut document = Document::new(id, code("H36"), [code("G22"), code("H40")], "họp", at);
    let entry = lienthong_model::AttachmentEntry::of("cid:1", "a.pdf", b"bytes");
    document.attachments.push(entry);
    document::to_proto(&document)
}

fn read(message: &proto::Document) -> Result<Header, Refusal> {
    DocumentContents.document(DOCUMENT_V1, &message.encode_to_vec())
}

/// The reason and the field for which a changed document is refused.
fn refused(change: impl FnOnce(&mut proto::Document)) -> (Reason, String) {
    let mut message = message();
    change(&mut message);
    let refusal = read(&message).unwrap_err();
    let [violation] = refusal.violations.try_into().unwrap();
    assert_eq!(violation.reason, refusal.reason);
    (violation.reason, violation.field)
}

fn missing(change: impl FnOnce(&mut proto::Document)) -> String {
    let (reason, field) = refused(change);
    assert_eq!(reason, Reason::FieldMissing);
    field
}

fn invalid(change: impl FnOnce(&mut proto::Document)) -> String {
    let (reason, field) = refused(change);
    assert_eq!(reason, Reason::FieldInvalid);
    field
}

fn too_large(change: impl FnOnce(&mut proto::Document)) -> String {
    let (reason, field) = refused(change);
    assert_eq!(reason, Reason::ContentTooLarge);
    field
}

fn business(message: &mut proto::Document) -> &mut proto::Business {
    message.business.get_or_insert_default()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn the_header_read_is_the_documents_own(document in strategies::document()) {
        let header = DocumentContents.document(DOCUMENT_V1, &encode_document(&document));
        prop_assert_eq!(header, Ok(document.header()));
    }

    #[test]
    fn the_status_header_read_is_the_reports_own(report in strategies::status_report()) {
        let header = DocumentContents.status(STATUS_V1, &encode_status(&report));
        prop_assert_eq!(header, Ok(report.header()));
    }

    #[test]
    fn changed_bytes_are_read_or_refused_and_never_panic(
        document in strategies::document(),
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..8),
        cut in any::<prop::sample::Index>(),
    ) {
        let mut bytes = encode_document(&document).to_vec();
        for (index, byte) in changes {
            let at = index.index(bytes.len());
            bytes[at] = byte;
        }
        for bytes in [&bytes[..], &bytes[..cut.index(bytes.len())]] {
            let header = DocumentContents.document(DOCUMENT_V1, bytes);
            let whole = crate::decode_document(bytes);
            prop_assert_eq!(header, whole.map(|document| document.header()));
            let _ = DocumentContents.status(STATUS_V1, bytes);
        }
    }

    #[test]
    fn random_bytes_are_read_or_refused_and_never_panic(
        bytes in prop::collection::vec(any::<u8>(), 0..200),
    ) {
        let _ = DocumentContents.document(DOCUMENT_V1, &bytes);
        let _ = crate::decode_status(&bytes);
    }
}

#[test]
fn other_content_types_are_not_read() {
    let bytes = message().encode_to_vec();
    for found in ["", "application/json", STATUS_V1] {
        let refusal = DocumentContents.document(found, &bytes).unwrap_err();
        assert_eq!(refusal, Refusal::at(Reason::ContentTypeUnknown, "content_type", found));
    }
    let refusal = DocumentContents.status(DOCUMENT_V1, &bytes).unwrap_err();
    assert_eq!(refusal.reason, Reason::ContentTypeUnknown);
}

#[test]
fn a_content_above_one_mebibyte_is_not_decoded() {
    let bytes = vec![0xff; CONTENT_BYTES_MAX + 1];
    let refusal = DocumentContents.document(DOCUMENT_V1, &bytes).unwrap_err();
    assert_eq!(refusal.reason, Reason::ContentTooLarge);
    let refusal = DocumentContents.document(DOCUMENT_V1, &bytes[1..]).unwrap_err();
    assert_eq!(refusal.reason, Reason::ContentMalformed);
    assert_eq!(refusal.violations[0].field, "content");
}

#[test]
fn a_text_that_is_no_utf8_is_malformed() {
    let mut bytes = message().encode_to_vec();
    prost::encoding::bytes::encode(13, &vec![0xc3u8, 0x28], &mut bytes);
    let refusal = DocumentContents.document(DOCUMENT_V1, &bytes).unwrap_err();
    assert_eq!(refusal.reason, Reason::ContentMalformed);
}

#[test]
fn every_mandatory_field_is_asked_for() {
    let refusal = read(&proto::Document::default()).unwrap_err();
    assert_eq!(refusal.reason, Reason::FieldMissing);
    let fields: Vec<_> = refusal.violations.iter().map(|v| v.field.as_str()).collect();
    assert_eq!(fields, ["id", "from.code", "recipients", "subject", "signed_at"]);
    assert_eq!(missing(|m| m.recipients[1].code.clear()), "recipients[1].code");
    assert_eq!(missing(|m| m.attachments[0].content_id.clear()), "attachments[0].content_id");
    assert_eq!(missing(|m| m.attachments[0].sha256.clear()), "attachments[0].sha256");
    let change = proto::RecipientChange::default();
    let field = missing(|m| business(m).recipient_changes.push(change));
    assert_eq!(field, "business.recipient_changes[0].change");
}

#[test]
fn an_id_must_be_a_uuid_of_version_7() {
    assert_eq!(invalid(|m| m.id = vec![1; 15].into()), "id");
    assert_eq!(invalid(|m| m.id = vec![1; 16].into()), "id");
    assert_eq!(invalid(|m| business(m).acts_on = vec![1; 16].into()), "business.acts_on");
}

#[test]
fn codes_must_be_codes_wherever_they_are_given() {
    let bad = || "H 36".to_owned();
    assert_eq!(invalid(|m| m.from.as_mut().unwrap().code = bad()), "from.code");
    assert_eq!(invalid(|m| m.recipients[0].code = "H".repeat(36)), "recipients[0].code");
    let answer = proto::Answer { code: bad(), ..Default::default() };
    assert_eq!(invalid(|m| m.answers.push(answer)), "answers[0].code");
    let hop = proto::TraceHop { code: bad(), ..Default::default() };
    assert_eq!(invalid(|m| m.trace.push(hop)), "trace[0].code");
    let agencies = vec![proto::AgencyMention { code: bad(), ..Default::default() }];
    let replacement = proto::Replacement { agencies, ..Default::default() };
    let field = invalid(|m| business(m).replacements.push(replacement));
    assert_eq!(field, "business.replacements[0].agencies[0].code");
}

#[test]
fn numbers_that_the_field_does_not_know_are_refused() {
    for unknown in [-1, 6, i32::MAX] {
        assert_eq!(invalid(|m| m.urgency = unknown), "urgency");
        assert_eq!(invalid(|m| m.steering_type = unknown), "steering_type");
        assert_eq!(invalid(|m| business(m).kind = unknown), "business.kind");
        assert_eq!(invalid(|m| m.attachments[0].wrapping = unknown), "attachments[0].wrapping");
        let change = proto::RecipientChange { change: unknown, ..Default::default() };
        let field = invalid(|m| business(m).recipient_changes.push(change));
        assert_eq!(field, "business.recipient_changes[0].change");
    }
}

#[test]
fn moments_must_lie_in_the_years_1_to_9999() {
    let never = Some(prost_types::Timestamp { seconds: i64::MAX, nanos: 0 });
    assert_eq!(invalid(|m| m.signed_at = never), "signed_at");
    assert_eq!(invalid(|m| m.due = never), "due");
    assert_eq!(invalid(|m| m.deliver_by = never), "deliver_by");
    assert_eq!(invalid(|m| m.issued_on = never), "issued_on");
    let hop = proto::TraceHop { time: never, ..Default::default() };
    assert_eq!(invalid(|m| m.trace.push(hop)), "trace[0].time");
    let answer = proto::Answer { date: never, ..Default::default() };
    assert_eq!(invalid(|m| m.answers.push(answer)), "answers[0].date");
}

#[test]
fn texts_are_counted_in_characters_up_to_their_bounds() {
    let mut longest = message();
    longest.subject = "ệ".repeat(500);
    longest.places_to = vec!["ệ".repeat(150)];
    longest.direction = "ệ".repeat(2000);
    assert!(read(&longest).is_ok());
    assert_eq!(invalid(|m| m.subject = "ệ".repeat(501)), "subject");
    assert_eq!(invalid(|m| m.abstract_text = "a".repeat(501)), "abstract_text");
    assert_eq!(invalid(|m| m.places_to = vec!["a".repeat(151)]), "places_to[0]");
    assert_eq!(invalid(|m| m.direction = "a".repeat(2001)), "direction");
    assert_eq!(invalid(|m| m.recipients[1].name = "a".repeat(501)), "recipients[1].name");
    assert_eq!(invalid(|m| m.attachments[0].name = "a".repeat(501)), "attachments[0].name");
    let notation = Some("a".repeat(2001));
    let reference = proto::Reference { notation, ..Default::default() };
    assert_eq!(invalid(|m| m.reference = Some(reference)), "reference.notation");
    let staff = proto::Staff { ids: vec!["a".repeat(2001)], ..Default::default() };
    assert_eq!(invalid(|m| business(m).staff = Some(staff)), "business.staff.ids[0]");
}

#[test]
fn attachments_are_named_once_and_keep_their_bounds() {
    let again = |m: &mut proto::Document| m.attachments.push(m.attachments[0].clone());
    assert_eq!(invalid(again), "attachments[1].content_id");
    assert_eq!(invalid(|m| m.attachments[0].sha256 = vec![0; 31].into()), "attachments[0].sha256");
    assert_eq!(too_large(|m| m.attachments[0].size = u64::MAX), "attachments[0].size");
    let many = |m: &mut proto::Document| m.attachments = vec![m.attachments[0].clone(); 65];
    assert_eq!(too_large(many), "attachments");
}

#[test]
fn lists_keep_their_bounds() {
    let recipients = |m: &mut proto::Document| m.recipients = vec![m.recipients[0].clone(); 16_385];
    assert_eq!(too_large(recipients), "recipients");
    assert_eq!(too_large(|m| m.answers = vec![Default::default(); 257]), "answers");
    assert_eq!(too_large(|m| m.extensions = vec![Default::default(); 257]), "extensions");
}

#[test]
fn an_entry_is_an_agency_or_a_list_but_not_both() {
    assert_eq!(invalid(|m| m.recipients[1].list = "all".into()), "recipients[1].code");
    let mut listed = message();
    listed.recipients[1] = proto::Recipient { list: "all".into(), ..Default::default() };
    let header = read(&listed).unwrap();
    assert_eq!(header.recipients[1], lienthong_model::Addressee::List("all".into()));
}
