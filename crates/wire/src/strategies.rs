//! Strategies for property tests: any document and any status report that keeps its bounds.
//!
//! Every field takes every kind of value, lists stay short. Behind the feature `strategies`, so
//! that other crates' tests can use them.

use lienthong_model::{
    AgencyCode, Answer, AnsweredMessage, AttachmentEntry, Business, BusinessKind, Change,
    Correspondent, Digest, Document, Extension, MessageId, Reason, Recipient, RecipientChange,
    Reference, Refusal, Replacement, Signer, Staff, StatusCode, StatusReport, Steering, Timestamp,
    TraceHop, Urgency, Violation, Wrapping, Written,
};
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;

/// Any short text, often Vietnamese, sometimes empty.
pub fn text() -> impl Strategy<Value = String> {
    prop_oneof!["\\PC{0,12}", "[ăâđêôơưĂÂĐÊÔƠƯếộ/,. 0-9]{0,12}"]
}

/// Any agency code, in any way of writing it.
pub fn agency_code() -> impl Strategy<Value = AgencyCode> {
    "[0-9A-Za-z]{1,8}(\\.[0-9A-Za-z]{1,8}){0,3}"
        .prop_filter_map("a code", |code| AgencyCode::parse(&code).ok())
}

/// Any message id.
pub fn message_id() -> impl Strategy<Value = MessageId> {
    (0..=i64::MAX >> 16, any::<[u8; 10]>())
        .prop_map(|(millis, random)| MessageId::new(Timestamp::from_millis(millis), random))
}

/// Any moment of the years 1 to 9999.
pub fn timestamp() -> impl Strategy<Value = Timestamp> {
    prop_oneof![
        1_500_000_000_000..1_900_000_000_000i64,
        -62_135_596_800_000..=253_402_300_799_999i64,
    ]
    .prop_map(Timestamp::from_millis)
}

/// Any value as written and as read, which need not agree.
pub fn written<T: std::fmt::Debug>(
    value: impl Strategy<Value = T>,
) -> impl Strategy<Value = Written<T>> {
    (text(), option::of(value)).prop_map(|(text, value)| Written { text, value })
}

/// Any reference, with and without its parts.
pub fn reference() -> impl Strategy<Value = Reference> {
    let part = || option::of(text());
    (text(), part(), part(), part(), part()).prop_map(|(text, code, date, number, notation)| {
        Reference { text, code, date, number, notation }
    })
}

/// Any agency on a document.
pub fn correspondent() -> impl Strategy<Value = Correspondent> {
    let names = (text(), text(), text());
    (agency_code(), names, text(), text(), text(), text(), text()).prop_map(
        |(code, names, address, email, telephone, fax, website)| {
            let (code_as_written, name, in_charge) = names;
            Correspondent {
                code,
                code_as_written,
                name,
                in_charge,
                address,
                email,
                telephone,
                fax,
                website,
            }
        },
    )
}

/// Any entry of the recipients.
pub fn recipient() -> impl Strategy<Value = Recipient> {
    prop_oneof![
        4 => correspondent().prop_map(Recipient::from),
        1 => "\\PC{1,12}".prop_map(Recipient::List),
    ]
}

/// Any document that is answered.
pub fn answer() -> impl Strategy<Value = Answer> {
    (written(agency_code()), text(), text(), written(timestamp())).prop_map(
        |(code, document_code, reference, date)| Answer { code, document_code, reference, date },
    )
}

/// Anybody in charge.
pub fn staff() -> impl Strategy<Value = Staff> {
    (text(), text(), text(), text(), vec(text(), 0..3)).prop_map(
        |(department, name, email, mobile, ids)| Staff { department, name, email, mobile, ids },
    )
}

/// Any business.
pub fn business() -> impl Strategy<Value = Business> {
    let change = (written(agency_code()), select(Change::ALL.to_vec()))
        .prop_map(|(code, change)| RecipientChange { code, change });
    let codes = || vec(written(agency_code()), 0..3);
    let replacement = (text(), option::of(message_id()), codes())
        .prop_map(|(reference, message, agencies)| Replacement { reference, message, agencies });
    let kind = select(BusinessKind::ALL.to_vec());
    let acts_on = (text(), option::of(message_id()));
    let changes = (text(), text(), vec(change, 0..3), vec(replacement, 0..3));
    (kind, acts_on, text(), any::<bool>(), changes, staff()).prop_map(
        |(kind, acts_on, reason, paper_copy, changes, staff)| Business {
            kind,
            acts_on_reference: acts_on.0,
            acts_on: acts_on.1,
            reason,
            paper_copy,
            changed_document: changes.0,
            changed_recipients: changes.1,
            recipient_changes: changes.2,
            replacements: changes.3,
            staff,
        },
    )
}

/// Any attachments; content ids are unique.
pub fn attachments() -> impl Strategy<Value = Vec<AttachmentEntry>> {
    let size = 0..=lienthong_model::limits::ATTACHMENT_BYTES_MAX;
    let wrapping = select(Wrapping::ALL.to_vec());
    let texts = (text(), text(), text());
    let entry = (text(), texts, wrapping, size, any::<[u8; 32]>(), any::<bool>()).prop_map(
        |(id, (name, description, media_type), wrapping, size, sha256, is_document)| {
            let sha256 = Digest(sha256);
            let content_id = id;
            AttachmentEntry {
                content_id,
                name,
                description,
                media_type,
                wrapping,
                size,
                sha256,
                is_document,
            }
        },
    );
    vec(entry, 0..4).prop_map(|mut entries| {
        for (index, entry) in entries.iter_mut().enumerate() {
            entry.content_id = format!("cid:{index}{}", entry.content_id);
        }
        entries
    })
}

/// Any extensions.
pub fn extensions() -> impl Strategy<Value = Vec<Extension>> {
    vec((text(), text()).prop_map(|(path, text)| Extension { path, text }), 0..3)
}

prop_compose! {
    fn plain()(
        id in message_id(),
        from in correspondent(),
        recipients in vec(recipient(), 1..5),
        subject in "\\PC{1,20}",
        signed_at in timestamp(),
    ) -> Document {
        Document::new(id, from, recipients, subject, signed_at)
    }
}

prop_compose! {
    fn issued()(
        document in plain(),
        reference in reference(),
        texts in [text(), text(), text(), text(), text(), text(), text()],
        issued_on in written(timestamp()),
        type_name in prop_oneof![text(), Just("Quyết định".to_owned())],
        signer in [text(), text(), text()],
    ) -> Document {
        let [number, notation, place_of_issue, type_code, type_detail, abstract_text, sphere] =
            texts;
        let [competence, position, full_name] = signer;
        let signer = Signer { competence, position, full_name };
        Document {
            reference, number, notation, place_of_issue, issued_on, type_code, type_detail,
            type_name, abstract_text, sphere, signer, ..document
        }
    }
}

prop_compose! {
    fn handled()(
        document in issued(),
        due in written(timestamp()),
        lists in [vec(text(), 0..3), vec(text(), 0..3), vec(text(), 0..3)],
        answers in vec(answer(), 0..3),
        steering in option::of(select(Steering::ALL.to_vec())),
        urgency in select(Urgency::ALL.to_vec()),
        deliver_by in written(timestamp()),
        typist_mark in text(),
        direction in text(),
        numbers in any::<(u32, u32)>(),
    ) -> Document {
        let [places_to, task_codes, appendixes] = lists;
        let (copies, pages) = numbers;
        Document {
            due, places_to, task_codes, appendixes, answers, steering, urgency, deliver_by,
            typist_mark, direction, copies, pages, ..document
        }
    }
}

prop_compose! {
    /// Any document: every field takes every kind of value.
    pub fn document()(
        document in handled(),
        business in business(),
        trace in vec((written(agency_code()), written(timestamp())), 0..3),
        attachments in attachments(),
        extensions in extensions(),
    ) -> Document {
        let trace = trace.into_iter().map(|(code, time)| TraceHop { code, time }).collect();
        Document { business, trace, attachments, extensions, ..document }
    }
}

prop_compose! {
    /// Any status report: every field takes every kind of value.
    pub fn status_report()(
        id in message_id(),
        from in correspondent(),
        document in message_id(),
        code in agency_code(),
        texts in [text(), text(), text(), text()],
        times in (written(timestamp()), written(timestamp()), timestamp()),
        status in select(StatusCode::ALL.to_vec()),
        recipients in vec(agency_code(), 0..4),
        staff in staff(),
        extensions in extensions(),
    ) -> StatusReport {
        let [code_as_written, document_code, reference, reason] = texts;
        let (date, time, signed_at) = times;
        StatusReport {
            id, from, document, code: status, reason, recipients, staff, time, signed_at,
            extensions,
            answers: AnsweredMessage { code, code_as_written, document_code, reference, date },
        }
    }
}

prop_compose! {
    /// Any refusal that fits a gRPC status.
    pub fn refusal()(
        reason in select(Reason::ALL.to_vec()),
        violations in vec((select(Reason::ALL.to_vec()), "[a-z_.\\[\\]0-9]{0,20}", text()), 0..10),
        retry_after_ms in option::of(0..100_000_000_000u64),
    ) -> Refusal {
        let violation = |(reason, field, value): (Reason, String, String)| {
            Violation::new(reason, field, value)
        };
        Refusal { reason, violations: violations.into_iter().map(violation).collect(), retry_after_ms }
    }
}
