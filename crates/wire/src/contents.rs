//! The reader of signed contents that the verifier is given.

use lienthong_model::limits::CONTENT_BYTES_MAX;
use lienthong_model::{Contents, DOCUMENT_V1, Header, Reason, Refusal, STATUS_V1, StatusHeader};
use prost::Message;

use crate::document::checked_header;
use crate::lists::{self, Bound};
use crate::proto;
use crate::status::checked_status_header;

/// Reads Document v1 and Status v1. Every bound and every field is checked; of what is read only
/// the header is built.
#[derive(Debug, Clone, Copy, Default)]
pub struct DocumentContents;

impl Contents for DocumentContents {
    fn document(&self, content_type: &str, content: &[u8]) -> Result<Header, Refusal> {
        expect_type(content_type, DOCUMENT_V1)?;
        checked_header(&decode::<proto::Document>(content, lists::DOCUMENT)?)
    }

    fn status(&self, content_type: &str, content: &[u8]) -> Result<StatusHeader, Refusal> {
        expect_type(content_type, STATUS_V1)?;
        checked_status_header(&decode::<proto::StatusReport>(content, lists::STATUS)?)
    }
}

fn expect_type(found: &str, expected: &str) -> Result<(), Refusal> {
    if found == expected {
        return Ok(());
    }
    Err(Refusal::at(Reason::ContentTypeUnknown, "content_type", found))
}

/// Decodes a message whose size and lists keep their bounds.
pub(crate) fn decode<M: Message + Default>(content: &[u8], lists: &[Bound]) -> Result<M, Refusal> {
    if content.len() > CONTENT_BYTES_MAX {
        let value = format_args!("{} bytes, at most {CONTENT_BYTES_MAX}", content.len());
        return Err(Refusal::at(Reason::ContentTooLarge, "content", value));
    }
    lists::count(content, lists)?;
    M::decode(content).map_err(|error| Refusal::at(Reason::ContentMalformed, "content", error))
}

#[cfg(test)]
mod tests;
