//! Checks every field of Document v1 and reads its header, in one pass.

use std::collections::HashSet;
use std::fmt::Arguments;

use lienthong_model::limits::{ATTACHMENT_BYTES_MAX, LIST_ENTRIES_MAX, PLACE_CHARS_MAX};
use lienthong_model::{
    Addressee, AgencyCode, AttachmentHeader, BusinessKind, Digest, DocumentType, Header, MessageId,
    Reason, RecipientChangeHeader, Reference, Refusal, Urgency,
};

use super::parts;
use crate::check::Check;
use crate::{kind, proto};

/// Returns the header of a document whose every field keeps its bounds.
pub(crate) fn checked_header(message: &proto::Document) -> Result<Header, Refusal> {
    let mut check = Check::default();
    let id = check.id(format_args!("id"), &message.id);
    let sender = check_sender(&mut check, message.from.as_ref());
    let recipients = check_recipients(&mut check, &message.recipients);
    let reference = check_reference(&mut check, message.reference.as_ref());
    check_texts(&mut check, message);
    let signed_at = check.moment(format_args!("signed_at"), message.signed_at.as_ref());
    let due = check.optional_moment(format_args!("due"), message.due.as_ref());
    let deliver_by = check.optional_moment(format_args!("deliver_by"), message.deliver_by.as_ref());
    check.optional_moment(format_args!("issued_on"), message.issued_on.as_ref());
    check.kind(format_args!("steering_type"), message.steering_type, kind::steering);
    let urgency = check.kind(format_args!("urgency"), message.urgency, kind::urgency);
    let answers = check_answers(&mut check, &message.answers);
    let business = message.business.as_ref();
    let acts = business.map(|business| check_business(&mut check, business)).unwrap_or_default();
    check_trace(&mut check, &message.trace);
    let attachments = check_attachments(&mut check, &message.attachments);
    check_extensions(&mut check, &message.extensions);

    let header = id.zip(sender).zip(signed_at).map(|((id, sender), signed_at)| Header {
        id,
        sender,
        recipients,
        reference,
        subject: message.subject.clone(),
        document_type: DocumentType::of(&message.type_name, &message.notation),
        urgency: urgency.unwrap_or(Urgency::Normal),
        deliver_by,
        signed_at,
        due,
        pages: message.pages,
        paper_copy: business.is_some_and(|business| business.paper_copy),
        kind: acts.kind,
        acts_on: acts.on,
        attachments,
        answers,
        reason: business.map(|business| business.reason.clone()).unwrap_or_default(),
        recipient_changes: acts.recipient_changes,
    });
    check.finish(header)
}

fn check_sender(check: &mut Check, from: Option<&proto::Correspondent>) -> Option<AgencyCode> {
    let Some(from) = from else {
        check.missing(format_args!("from.code"));
        return None;
    };
    check_correspondent(check, format_args!("from"), from)
}

/// Checks the fields of an agency on a document and returns its code.
pub(crate) fn check_correspondent(
    check: &mut Check,
    path: Arguments<'_>,
    agency: &proto::Correspondent,
) -> Option<AgencyCode> {
    check.name(format_args!("{path}.name"), &agency.name);
    check.name(format_args!("{path}.in_charge"), &agency.in_charge);
    check.text(format_args!("{path}.code_as_written"), &agency.code_as_written);
    check.text(format_args!("{path}.address"), &agency.address);
    check.text(format_args!("{path}.email"), &agency.email);
    check.text(format_args!("{path}.telephone"), &agency.telephone);
    check.text(format_args!("{path}.fax"), &agency.fax);
    check.text(format_args!("{path}.website"), &agency.website);
    check.code(format_args!("{path}.code"), &agency.code)
}

fn check_recipients(check: &mut Check, recipients: &[proto::Recipient]) -> Vec<Addressee> {
    if recipients.is_empty() {
        check.missing(format_args!("recipients"));
    }
    let mut addressees = Vec::with_capacity(recipients.len());
    for (index, recipient) in recipients.iter().enumerate() {
        addressees.extend(check_recipient(check, index, recipient));
    }
    addressees
}

fn check_recipient(
    check: &mut Check,
    index: usize,
    recipient: &proto::Recipient,
) -> Option<Addressee> {
    let proto::Recipient {
        code,
        code_as_written,
        name,
        in_charge,
        address,
        email,
        telephone,
        fax,
        website,
        list,
    } = recipient;
    let texts = [
        ("code_as_written", code_as_written),
        ("address", address),
        ("email", email),
        ("telephone", telephone),
        ("fax", fax),
        ("website", website),
    ];
    if !list.is_empty() {
        let names = [("code", code), ("name", name), ("in_charge", in_charge)];
        for (field, text) in names.into_iter().chain(texts) {
            if !text.is_empty() {
                check.invalid(format_args!("recipients[{index}].{field}"), "stands beside a list");
            }
        }
        check.name(format_args!("recipients[{index}].list"), list);
        return Some(Addressee::List(list.clone()));
    }
    check.name(format_args!("recipients[{index}].name"), name);
    check.name(format_args!("recipients[{index}].in_charge"), in_charge);
    for (field, text) in texts {
        check.text(format_args!("recipients[{index}].{field}"), text);
    }
    check.code(format_args!("recipients[{index}].code"), code).map(Addressee::Agency)
}

fn check_reference(check: &mut Check, reference: Option<&proto::Reference>) -> Reference {
    let Some(reference) = reference else { return Reference::default() };
    let proto::Reference { text, code, date, number, notation } = reference;
    check.text(format_args!("reference.text"), text);
    let parts = [("code", code), ("date", date), ("number", number), ("notation", notation)];
    for (field, part) in parts {
        if let Some(part) = part {
            check.text(format_args!("reference.{field}"), part);
        }
    }
    Reference {
        text: text.clone(),
        code: code.clone(),
        date: date.clone(),
        number: number.clone(),
        notation: notation.clone(),
    }
}

fn check_texts(check: &mut Check, message: &proto::Document) {
    if message.subject.is_empty() {
        check.missing(format_args!("subject"));
    }
    check.name(format_args!("subject"), &message.subject);
    check.name(format_args!("abstract_text"), &message.abstract_text);
    let texts = [
        ("number", &message.number),
        ("notation", &message.notation),
        ("place_of_issue", &message.place_of_issue),
        ("issued_on_as_written", &message.issued_on_as_written),
        ("type_code", &message.type_code),
        ("type_detail", &message.type_detail),
        ("type_name", &message.type_name),
        ("due_as_written", &message.due_as_written),
        ("deliver_by_as_written", &message.deliver_by_as_written),
        ("sphere", &message.sphere),
        ("typist_mark", &message.typist_mark),
        ("direction", &message.direction),
    ];
    for (field, text) in texts {
        check.text(format_args!("{field}"), text);
    }
    if let Some(signer) = &message.signer {
        check.text(format_args!("signer.competence"), &signer.competence);
        check.text(format_args!("signer.position"), &signer.position);
        check.text(format_args!("signer.full_name"), &signer.full_name);
    }
    for (index, place) in message.places_to.iter().enumerate() {
        check.text_within(format_args!("places_to[{index}]"), place, PLACE_CHARS_MAX);
    }
    check.texts(format_args!("task_codes"), &message.task_codes);
    check.texts(format_args!("appendixes"), &message.appendixes);
}

fn check_answers(check: &mut Check, answers: &[proto::Answer]) -> Vec<Reference> {
    let mut references = Vec::with_capacity(answers.len().min(LIST_ENTRIES_MAX));
    for (index, answer) in answers.iter().enumerate() {
        let path = format_args!("answers[{index}]");
        check.written_code(path, &answer.code, &answer.code_as_written);
        check.text(format_args!("{path}.document_code"), &answer.document_code);
        check.text(format_args!("{path}.reference"), &answer.reference);
        check.text(format_args!("{path}.date_as_written"), &answer.date_as_written);
        check.optional_moment(format_args!("{path}.date"), answer.date.as_ref());
        references.push(parts::answer_from_proto(answer.clone()).into_reference());
    }
    references
}

/// What a document does to one sent before it.
#[derive(Default)]
struct Acts {
    kind: BusinessKind,
    on: Option<MessageId>,
    recipient_changes: Vec<RecipientChangeHeader>,
}

fn check_business(check: &mut Check, business: &proto::Business) -> Acts {
    let kind = check.kind(format_args!("business.kind"), business.kind, kind::business_kind);
    let acts_on = check.optional_id(format_args!("business.acts_on"), &business.acts_on);
    check.text(format_args!("business.acts_on_reference"), &business.acts_on_reference);
    check.text(format_args!("business.reason"), &business.reason);
    check.text(format_args!("business.changed_document"), &business.changed_document);
    check.text(format_args!("business.changed_recipients"), &business.changed_recipients);
    let mut recipient_changes = Vec::with_capacity(business.recipient_changes.len());
    for (index, change) in business.recipient_changes.iter().enumerate() {
        let path = format_args!("business.recipient_changes[{index}]");
        check.written_code(path, &change.code, &change.code_as_written);
        let path = format_args!("{path}.change");
        let what = check.mandatory_kind(path, change.change, kind::change);
        let code = AgencyCode::parse(&change.code).ok();
        recipient_changes.extend(what.map(|change| RecipientChangeHeader { code, change }));
    }
    for (index, replacement) in business.replacements.iter().enumerate() {
        let path = format_args!("business.replacements[{index}]");
        check.text(format_args!("{path}.reference"), &replacement.reference);
        check.optional_id(format_args!("{path}.message"), &replacement.message);
        for (at, agency) in replacement.agencies.iter().enumerate() {
            let path = format_args!("{path}.agencies[{at}]");
            check.written_code(path, &agency.code, &agency.code_as_written);
        }
    }
    if let Some(staff) = &business.staff {
        check_staff(check, format_args!("business.staff"), staff);
    }
    Acts { kind: kind.unwrap_or_default(), on: acts_on, recipient_changes }
}

/// Checks who is in charge.
pub(crate) fn check_staff(check: &mut Check, path: Arguments<'_>, staff: &proto::Staff) {
    check.text(format_args!("{path}.department"), &staff.department);
    check.text(format_args!("{path}.name"), &staff.name);
    check.text(format_args!("{path}.email"), &staff.email);
    check.text(format_args!("{path}.mobile"), &staff.mobile);
    check.texts(format_args!("{path}.ids"), &staff.ids);
}

fn check_trace(check: &mut Check, trace: &[proto::TraceHop]) {
    for (index, hop) in trace.iter().enumerate() {
        let path = format_args!("trace[{index}]");
        check.written_code(path, &hop.code, &hop.code_as_written);
        check.text(format_args!("{path}.time_as_written"), &hop.time_as_written);
        check.optional_moment(format_args!("{path}.time"), hop.time.as_ref());
    }
}

fn check_attachments(
    check: &mut Check,
    attachments: &[proto::AttachmentEntry],
) -> Vec<AttachmentHeader> {
    let mut seen = HashSet::new();
    let mut headers = Vec::with_capacity(attachments.len());
    for (index, entry) in attachments.iter().enumerate() {
        let path = format_args!("attachments[{index}]");
        if entry.content_id.is_empty() {
            check.missing(format_args!("{path}.content_id"));
        } else if !seen.insert(entry.content_id.as_str()) {
            let value = format_args!("`{}` is named twice", entry.content_id);
            check.invalid(format_args!("{path}.content_id"), value);
        }
        check.text(format_args!("{path}.content_id"), &entry.content_id);
        check.name(format_args!("{path}.name"), &entry.name);
        check.text(format_args!("{path}.description"), &entry.description);
        check.text(format_args!("{path}.media_type"), &entry.media_type);
        check.kind(format_args!("{path}.wrapping"), entry.wrapping, kind::wrapping);
        if entry.size > ATTACHMENT_BYTES_MAX {
            let value = format_args!("{} bytes, at most {ATTACHMENT_BYTES_MAX}", entry.size);
            check.note(Reason::ContentTooLarge, format_args!("{path}.size"), value);
        }
        let sha256 = Digest::from_slice(&entry.sha256);
        match (&sha256, entry.sha256.len()) {
            (Some(_), _) => {}
            (None, 0) => check.missing(format_args!("{path}.sha256")),
            (None, found) => {
                check.invalid(format_args!("{path}.sha256"), format_args!("{found} bytes, not 32"));
            }
        }
        headers.extend(sha256.map(|sha256| AttachmentHeader {
            content_id: entry.content_id.clone(),
            sha256,
            size: entry.size,
        }));
    }
    headers
}

/// Checks what a source has more.
pub(crate) fn check_extensions(check: &mut Check, extensions: &[proto::Extension]) {
    for (index, extension) in extensions.iter().enumerate() {
        check.text(format_args!("extensions[{index}].path"), &extension.path);
        check.text(format_args!("extensions[{index}].text"), &extension.text);
    }
}
