//! Document v1 between the model and its protobuf form.

mod check;
mod parts;

use bytes::Bytes;
use lienthong_model::{Document, Header, Reason, Recipient, Refusal, Timestamp, Written};
use prost::Message as _;

use crate::{contents, kind, lists, moment, proto};

pub(crate) use check::{check_correspondent, check_extensions, check_staff, checked_header};
pub(crate) use parts::{
    correspondent_from_proto, correspondent_to_proto, extension_from_proto, extension_to_proto,
    staff_from_proto, staff_to_proto, written_moment,
};

/// Returns the bytes of a document's content, ready to be signed. The same document gives the
/// same bytes. Bounds are not checked: whoever reads the bytes does.
pub fn encode_document(document: &Document) -> Bytes {
    to_proto(document).encode_to_vec().into()
}

/// Returns the document of a content of type [`lienthong_model::DOCUMENT_V1`].
///
/// # Errors
/// CONTENT_TOO_LARGE, CONTENT_MALFORMED, FIELD_MISSING or FIELD_INVALID, with the field's path.
pub fn decode_document(content: &[u8]) -> Result<Document, Refusal> {
    from_proto(contents::decode(content, lists::DOCUMENT)?)
}

/// Returns the protobuf form of a document.
pub fn to_proto(document: &Document) -> proto::Document {
    let Document { id, reference, from, recipients, .. } = document;
    proto::Document {
        id: Bytes::copy_from_slice(id.as_bytes()),
        reference: Some(parts::reference_to_proto(reference)),
        from: Some(correspondent_to_proto(from)),
        recipients: recipients.iter().map(parts::recipient_to_proto).collect(),
        number: document.number.clone(),
        notation: document.notation.clone(),
        place_of_issue: document.place_of_issue.clone(),
        issued_on_as_written: document.issued_on.text.clone(),
        issued_on: document.issued_on.value.map(moment::to_proto),
        type_code: document.type_code.clone(),
        type_detail: document.type_detail.clone(),
        type_name: document.type_name.clone(),
        subject: document.subject.clone(),
        abstract_text: document.abstract_text.clone(),
        signer: Some(parts::signer_to_proto(&document.signer)),
        signed_at: Some(moment::to_proto(document.signed_at)),
        due_as_written: document.due.text.clone(),
        due: document.due.value.map(moment::to_proto),
        places_to: document.places_to.clone(),
        answers: document.answers.iter().map(parts::answer_to_proto).collect(),
        task_codes: document.task_codes.clone(),
        steering_type: document.steering.map_or(0, |s| proto::SteeringType::from(s).into()),
        urgency: proto::Urgency::from(document.urgency).into(),
        deliver_by_as_written: document.deliver_by.text.clone(),
        deliver_by: document.deliver_by.value.map(moment::to_proto),
        sphere: document.sphere.clone(),
        typist_mark: document.typist_mark.clone(),
        copies: document.copies,
        pages: document.pages,
        direction: document.direction.clone(),
        appendixes: document.appendixes.clone(),
        business: Some(parts::business_to_proto(&document.business)),
        trace: document.trace.iter().map(parts::hop_to_proto).collect(),
        attachments: document.attachments.iter().map(parts::attachment_to_proto).collect(),
        extensions: document.extensions.iter().map(extension_to_proto).collect(),
    }
}

/// Returns the document of its protobuf form. Lists are taken to keep their bounds:
/// [`decode_document`] counts them before it decodes.
///
/// # Errors
/// FIELD_MISSING, FIELD_INVALID or CONTENT_TOO_LARGE, with the field's path.
pub fn from_proto(message: proto::Document) -> Result<Document, Refusal> {
    let header = checked_header(&message)?;
    let malformed = || Refusal::new(Reason::ContentMalformed);
    let from = message.from.ok_or_else(malformed)?;
    let Header { id, sender, recipients, reference, urgency, deliver_by, signed_at, due, .. } =
        header;
    let recipients: Vec<Recipient> = message
        .recipients
        .into_iter()
        .zip(recipients)
        .map(|(entry, addressee)| parts::recipient_from_proto(entry, addressee))
        .collect();
    Ok(Document {
        reference,
        number: message.number,
        notation: message.notation,
        place_of_issue: message.place_of_issue,
        issued_on: written_moment(message.issued_on_as_written, message.issued_on),
        type_code: message.type_code,
        type_detail: message.type_detail,
        type_name: message.type_name,
        abstract_text: message.abstract_text,
        signer: message.signer.map(parts::signer_from_proto).unwrap_or_default(),
        due: written(message.due_as_written, due),
        places_to: message.places_to,
        answers: message.answers.into_iter().map(parts::answer_from_proto).collect(),
        task_codes: message.task_codes,
        steering: known(kind::steering(message.steering_type)),
        urgency,
        deliver_by: written(message.deliver_by_as_written, deliver_by),
        sphere: message.sphere,
        typist_mark: message.typist_mark,
        copies: message.copies,
        pages: message.pages,
        direction: message.direction,
        appendixes: message.appendixes,
        business: message.business.map(parts::business_from_proto).unwrap_or_default(),
        trace: message.trace.into_iter().map(parts::hop_from_proto).collect(),
        attachments: message
            .attachments
            .into_iter()
            .zip(header.attachments)
            .map(|(entry, read)| parts::attachment_from_proto(entry, read))
            .collect(),
        extensions: message.extensions.into_iter().map(extension_from_proto).collect(),
        ..Document::new(
            id,
            correspondent_from_proto(from, sender),
            recipients,
            message.subject,
            signed_at,
        )
    })
}

fn written(text: String, value: Option<Timestamp>) -> Written<Timestamp> {
    Written { text, value }
}

/// The kind of a number that was checked before.
fn known<T>(read: kind::Read<T>) -> Option<T> {
    match read {
        kind::Read::Known(kind) => Some(kind),
        kind::Read::Unspecified | kind::Read::Unknown => None,
    }
}

#[cfg(test)]
mod tests;
