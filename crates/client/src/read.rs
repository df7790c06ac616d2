//! Reads fields of the hub's answers: each is checked, none is believed.

use lienthong_model::{
    AgencyCode, Digest, Level, MessageId, Refusal, Revocation, StatusCode, Timestamp,
};
use lienthong_trust::SignatureKind;
use lienthong_wire::{moment, proto, refusal};
use tonic::Code;

use crate::error::CallError;

pub(crate) fn code(field: &'static str, text: &str) -> Result<AgencyCode, CallError> {
    AgencyCode::parse(text).map_err(|why| CallError::answer(field, format_args!("`{text}`: {why}")))
}

pub(crate) fn optional_code(
    field: &'static str,
    text: &str,
) -> Result<Option<AgencyCode>, CallError> {
    if text.is_empty() { Ok(None) } else { code(field, text).map(Some) }
}

pub(crate) fn id(field: &'static str, bytes: &[u8]) -> Result<MessageId, CallError> {
    MessageId::from_bytes(bytes).map_err(|why| CallError::answer(field, why))
}

pub(crate) fn moment(
    field: &'static str,
    at: Option<&prost_types::Timestamp>,
) -> Result<Timestamp, CallError> {
    at.and_then(moment::from_proto).ok_or_else(|| CallError::answer(field, "no moment"))
}

pub(crate) fn optional_moment(
    field: &'static str,
    at: Option<&prost_types::Timestamp>,
) -> Result<Option<Timestamp>, CallError> {
    at.map(|at| moment(field, Some(at))).transpose()
}

pub(crate) fn digest(field: &'static str, bytes: &[u8]) -> Result<Digest, CallError> {
    Digest::from_slice(bytes).ok_or_else(|| CallError::answer(field, "not 32 bytes"))
}

pub(crate) fn level(field: &'static str, number: i32) -> Result<Level, CallError> {
    u8::try_from(number)
        .ok()
        .and_then(Level::from_number)
        .ok_or_else(|| CallError::answer(field, number))
}

pub(crate) fn signature(field: &'static str, number: i32) -> Result<SignatureKind, CallError> {
    match proto::SignatureKind::try_from(number) {
        Ok(proto::SignatureKind::None) => Ok(SignatureKind::None),
        Ok(proto::SignatureKind::Seal) => Ok(SignatureKind::Seal),
        Ok(proto::SignatureKind::Personal) => Ok(SignatureKind::Personal),
        Ok(proto::SignatureKind::PersonalAndSeal) => Ok(SignatureKind::PersonalAndSeal),
        Ok(proto::SignatureKind::Unspecified) | Err(_) => Err(CallError::answer(field, number)),
    }
}

/// `None` from a hub of an older version, which does not say.
pub(crate) fn revocation(
    field: &'static str,
    number: i32,
) -> Result<Option<Revocation>, CallError> {
    match proto::RevocationState::try_from(number) {
        Ok(proto::RevocationState::Proven) => Ok(Some(Revocation::Proven)),
        Ok(proto::RevocationState::NotProven) => Ok(Some(Revocation::NotProven)),
        Ok(proto::RevocationState::FoundRevoked) => Ok(Some(Revocation::FoundRevoked)),
        Ok(proto::RevocationState::Unspecified) => Ok(None),
        Err(_) => Err(CallError::answer(field, number)),
    }
}

pub(crate) fn status(field: &'static str, number: i32) -> Result<StatusCode, CallError> {
    let code = u32::try_from(number).ok().and_then(StatusCode::from_number);
    code.ok_or_else(|| CallError::answer(field, number))
}

/// A part of an answer that must be there.
pub(crate) fn present<T>(field: &'static str, part: Option<T>) -> Result<T, CallError> {
    part.ok_or_else(|| CallError::answer(field, "nothing"))
}

/// A refusal in a message; one whose code is newer than this version is kept as a text.
pub(crate) fn refused(message: proto::Refusal) -> CallError {
    let text = format!("{}: {}; {}", message.code, message.meaning, message.remedy);
    match refusal::from_proto(message) {
        Some(refusal) => CallError::Refused(refusal),
        None => CallError::Unexpected { code: Code::Unknown, message: text },
    }
}

/// The refusal in a message, where only a refusal can stand.
pub(crate) fn refusal(message: Option<proto::Refusal>) -> Result<Refusal, CallError> {
    match refused(present("refusal", message)?) {
        CallError::Refused(refusal) => Ok(refusal),
        other => Err(other),
    }
}
