//! Status v1 between the model and its protobuf form.

use bytes::Bytes;
use lienthong_model::{AgencyCode, AnsweredMessage, Reason, Refusal, StatusHeader, StatusReport};
use prost::Message as _;

use crate::check::Check;
use crate::document::{
    check_correspondent, check_extensions, check_staff, correspondent_from_proto,
    correspondent_to_proto, extension_from_proto, extension_to_proto, staff_from_proto,
    staff_to_proto, written_moment,
};
use crate::{contents, kind, lists, moment, proto};

/// Returns the bytes of a report's content, ready to be signed. The same report gives the same
/// bytes. Bounds are not checked: whoever reads the bytes does.
pub fn encode_status(report: &StatusReport) -> Bytes {
    to_proto(report).encode_to_vec().into()
}

/// Returns the report of a content of type [`lienthong_model::STATUS_V1`].
///
/// # Errors
/// CONTENT_TOO_LARGE, CONTENT_MALFORMED, FIELD_MISSING or FIELD_INVALID, with the field's path.
pub fn decode_status(content: &[u8]) -> Result<StatusReport, Refusal> {
    from_proto(contents::decode(content, lists::STATUS)?)
}

/// Returns the protobuf form of a report.
pub fn to_proto(report: &StatusReport) -> proto::StatusReport {
    let answers = &report.answers;
    proto::StatusReport {
        id: Bytes::copy_from_slice(report.id.as_bytes()),
        from: Some(correspondent_to_proto(&report.from)),
        document: Bytes::copy_from_slice(report.document.as_bytes()),
        answers: Some(proto::Answer {
            code: answers.code.to_string(),
            code_as_written: answers.code_as_written.clone(),
            document_code: answers.document_code.clone(),
            reference: answers.reference.clone(),
            date_as_written: answers.date.text.clone(),
            date: answers.date.value.map(moment::to_proto),
        }),
        code: proto::StatusCode::from(report.code).into(),
        reason: report.reason.clone(),
        recipients: report.recipients.iter().map(ToString::to_string).collect(),
        staff: Some(staff_to_proto(&report.staff)),
        time_as_written: report.time.text.clone(),
        time: report.time.value.map(moment::to_proto),
        signed_at: Some(moment::to_proto(report.signed_at)),
        extensions: report.extensions.iter().map(extension_to_proto).collect(),
    }
}

/// Returns the report of its protobuf form. Lists are taken to keep their bounds:
/// [`decode_status`] counts them before it decodes.
///
/// # Errors
/// FIELD_MISSING or FIELD_INVALID, with the field's path.
pub fn from_proto(message: proto::StatusReport) -> Result<StatusReport, Refusal> {
    let header = checked_status_header(&message)?;
    let malformed = || Refusal::new(Reason::ContentMalformed);
    let from = message.from.ok_or_else(malformed)?;
    let answers = message.answers.ok_or_else(malformed)?;
    Ok(StatusReport {
        id: header.id,
        from: correspondent_from_proto(from, header.from),
        document: header.document,
        answers: AnsweredMessage {
            code: header.document_sender,
            code_as_written: answers.code_as_written,
            document_code: answers.document_code,
            reference: answers.reference,
            date: written_moment(answers.date_as_written, answers.date),
        },
        code: header.code,
        reason: header.reason,
        recipients: header.recipients,
        staff: message.staff.map(staff_from_proto).unwrap_or_default(),
        time: written_moment(message.time_as_written, message.time),
        signed_at: header.signed_at,
        extensions: message.extensions.into_iter().map(extension_from_proto).collect(),
    })
}

/// Returns the header of a report whose every field keeps its bounds. Whether a reason must be
/// given is judged elsewhere.
pub(crate) fn checked_status_header(
    message: &proto::StatusReport,
) -> Result<StatusHeader, Refusal> {
    let mut check = Check::default();
    let id = check.id(format_args!("id"), &message.id);
    let from = match &message.from {
        Some(from) => check_correspondent(&mut check, format_args!("from"), from),
        None => check.code(format_args!("from.code"), ""),
    };
    let document = check.id(format_args!("document"), &message.document);
    let document_sender = check_answers(&mut check, message.answers.as_ref());
    let code = check.mandatory_kind(format_args!("code"), message.code, kind::status_code);
    check.text(format_args!("reason"), &message.reason);
    let mut recipients = Vec::with_capacity(message.recipients.len());
    for (index, recipient) in message.recipients.iter().enumerate() {
        recipients.extend(check.code(format_args!("recipients[{index}]"), recipient));
    }
    if let Some(staff) = &message.staff {
        check_staff(&mut check, format_args!("staff"), staff);
    }
    check.text(format_args!("time_as_written"), &message.time_as_written);
    check.optional_moment(format_args!("time"), message.time.as_ref());
    let signed_at = check.moment(format_args!("signed_at"), message.signed_at.as_ref());
    check_extensions(&mut check, &message.extensions);

    let who = id.zip(from);
    let what = document_sender.zip(document).zip(code);
    let header = who.zip(what).zip(signed_at).map(|((who, what), signed_at)| StatusHeader {
        id: who.0,
        from: who.1,
        document_sender: what.0.0,
        document: what.0.1,
        code: what.1,
        reason: message.reason.clone(),
        recipients,
        signed_at,
    });
    check.finish(header)
}

fn check_answers(check: &mut Check, answers: Option<&proto::Answer>) -> Option<AgencyCode> {
    let Some(answers) = answers else { return check.code(format_args!("answers.code"), "") };
    check.text(format_args!("answers.code_as_written"), &answers.code_as_written);
    check.text(format_args!("answers.document_code"), &answers.document_code);
    check.text(format_args!("answers.reference"), &answers.reference);
    check.text(format_args!("answers.date_as_written"), &answers.date_as_written);
    check.optional_moment(format_args!("answers.date"), answers.date.as_ref());
    check.code(format_args!("answers.code"), &answers.code)
}

#[cfg(test)]
mod tests;
