//! Refusals on the wire: as a message on streams, as a gRPC status with details for unary calls.
//!
//! The message of a status is English; its `google.rpc.LocalizedMessage` is Vietnamese until it is
//! put into the caller's language ([`in_language`]).
//!
//! A status travels in HTTP headers, whose size peers bound (16 KiB is common): its details hold
//! violations up to 3 KiB of text, and the last one counts the rest. The message form holds all.

use std::collections::HashMap;
use std::time::Duration;

use lienthong_model::{Category, MessageId, Reason, Refusal, Violation};
use tonic::{Code, Status};
use tonic_types::{ErrorDetails, FieldViolation, StatusExt as _};

use crate::language::Language;
use crate::{moment, proto};

/// The domain of `google.rpc.ErrorInfo`.
pub const DOMAIN: &str = "lienthong";
/// The key of `google.rpc.ErrorInfo` metadata that names the message concerned.
pub const DOCUMENT_ID: &str = "document_id";
/// The key of `google.rpc.ErrorInfo` metadata that says in English what to do.
pub const REMEDY: &str = "remedy";

/// Most bytes of violations in a status.
const STATUS_VIOLATION_BYTES_MAX: usize = 3 * 1024;
/// Longest message of a status, in characters.
const STATUS_MESSAGE_CHARS_MAX: usize = 300;

/// Returns the message form of a refusal.
pub fn to_proto(refusal: &Refusal) -> proto::Refusal {
    let reason = refusal.reason;
    let violation = |violation: &Violation| proto::Violation {
        code: violation.reason.code().to_owned(),
        field: violation.field.clone(),
        value: violation.value.clone(),
    };
    proto::Refusal {
        code: reason.code().to_owned(),
        violations: refusal.violations.iter().map(violation).collect(),
        meaning: reason.meaning().to_owned(),
        meaning_vi: reason.meaning_vi().to_owned(),
        remedy: reason.remedy().to_owned(),
        remedy_vi: reason.remedy_vi().to_owned(),
        retry_after: refusal
            .retry_after_ms
            .map(|ms| moment::duration_to_proto(Duration::from_millis(ms))),
    }
}

/// Returns the refusal of its message form; `None` when this version does not know the code.
/// A violation with an unknown code is kept under the refusal's own.
pub fn from_proto(message: proto::Refusal) -> Option<Refusal> {
    let reason = reason_of(&message.code)?;
    let violation = |violation: proto::Violation| {
        let own = reason_of(&violation.code).unwrap_or(reason);
        Violation::new(own, violation.field, violation.value)
    };
    let violations = message.violations.into_iter().take(Refusal::VIOLATIONS_MAX);
    Some(Refusal {
        reason,
        violations: violations.map(violation).collect(),
        retry_after_ms: message
            .retry_after
            .as_ref()
            .and_then(moment::duration_from_proto)
            .map(|span| u64::try_from(span.as_millis()).unwrap_or(u64::MAX)),
    })
}

/// Returns the gRPC code of a category.
pub const fn code(category: Category) -> Code {
    match category {
        Category::Unauthenticated => Code::Unauthenticated,
        Category::Malformed => Code::InvalidArgument,
        Category::Forbidden => Code::PermissionDenied,
        Category::Unknown => Code::NotFound,
        Category::Conflict => Code::AlreadyExists,
        Category::WrongState => Code::FailedPrecondition,
        Category::Exhausted => Code::ResourceExhausted,
        Category::Unavailable => Code::Unavailable,
        Category::Damaged => Code::DataLoss,
    }
}

/// Returns the gRPC status of a refusal, with `id` when it is about a message whose id is known.
pub fn to_status(refusal: &Refusal, id: Option<MessageId>) -> Status {
    let reason = refusal.reason;
    let mut metadata = HashMap::from([(REMEDY.to_owned(), reason.remedy().to_owned())]);
    if let Some(id) = id {
        metadata.insert(DOCUMENT_ID.to_owned(), id.to_string());
    }
    let mut details = ErrorDetails::with_error_info(reason.code(), DOMAIN, metadata);
    let violations = violations_within(&refusal.violations);
    if !violations.is_empty() {
        details.set_bad_request(violations);
    }
    if let Some(ms) = refusal.retry_after_ms {
        details.set_retry_info(Some(Duration::from_millis(ms)));
    }
    localize(&mut details, reason, Language::default());
    let message: String = refusal.to_string().chars().take(STATUS_MESSAGE_CHARS_MAX).collect();
    Status::with_error_details(code(reason.category()), message, details)
}

/// Returns the same status with its `google.rpc.LocalizedMessage` in a language; `None` when it
/// carries no refusal.
pub fn in_language(status: &Status, language: Language) -> Option<Status> {
    let mut details = status.check_error_details().ok()?;
    let info = details.error_info().filter(|info| info.domain == DOMAIN)?;
    let reason = reason_of(&info.reason)?;
    localize(&mut details, reason, language);
    Some(Status::with_error_details(status.code(), status.message(), details))
}

fn localize(details: &mut ErrorDetails, reason: Reason, language: Language) {
    let text = match language {
        Language::Vietnamese => format!("{}: {}", reason.meaning_vi(), reason.remedy_vi()),
        Language::English => format!("{}: {}", reason.meaning(), reason.remedy()),
    };
    details.set_localized_message(language.tag(), text);
}

/// Returns the refusal that a status carries; `None` when it carries none, or one whose code this
/// version does not know.
pub fn from_status(status: &Status) -> Option<Refusal> {
    let details = status.check_error_details().ok()?;
    let info = details.error_info().filter(|info| info.domain == DOMAIN)?;
    let reason = reason_of(&info.reason)?;
    let violation = |violation: &FieldViolation| {
        let (code, value) = violation.description.split_once(": ")?;
        Some(Violation::new(reason_of(code)?, violation.field.as_str(), value))
    };
    let violations = details.bad_request().map(|bad| bad.field_violations.as_slice());
    Some(Refusal {
        reason,
        violations: violations
            .unwrap_or_default()
            .iter()
            .take(Refusal::VIOLATIONS_MAX)
            .filter_map(violation)
            .collect(),
        retry_after_ms: details
            .retry_info()
            .and_then(|retry| retry.retry_delay)
            .map(|delay| u64::try_from(delay.as_millis()).unwrap_or(u64::MAX)),
    })
}

/// Returns the id of the message that a status is about, when it names one.
pub fn document_id(status: &Status) -> Option<MessageId> {
    let details = status.check_error_details().ok()?;
    details.error_info()?.metadata.get(DOCUMENT_ID)?.parse().ok()
}

fn violations_within(violations: &[Violation]) -> Vec<FieldViolation> {
    let mut fields = Vec::new();
    let mut bytes = 0;
    for (index, violation) in violations.iter().enumerate() {
        let description = format!("{}: {}", violation.reason.code(), violation.value);
        bytes += violation.field.len() + description.len();
        if bytes > STATUS_VIOLATION_BYTES_MAX {
            let code = violation.reason.code();
            let more = violations.len() - index;
            fields.push(FieldViolation::new("", format!("{code}: and {more} more")));
            break;
        }
        fields.push(FieldViolation::new(violation.field.as_str(), description));
    }
    fields
}

fn reason_of(code: &str) -> Option<Reason> {
    Reason::ALL.iter().copied().find(|reason| reason.code() == code)
}

#[cfg(test)]
mod tests;
