//! How signed bytes are read: the door between the verifier and the form of the content.

use bytes::Bytes;

use crate::header::{Header, StatusHeader};
use crate::refusal::Refusal;

/// Bytes of an attachment that travel beside the content which names them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attachment {
    /// The content id by which the document names it.
    pub content_id: String,
    /// The bytes as they travel (wrapping included).
    pub bytes: Bytes,
}

/// Reads signed content. The verifier takes it as a parameter, so that the header in a
/// `Verified<T>` always comes from the bytes that were signed.
pub trait Contents: Send + Sync {
    /// The header of a document's content.
    ///
    /// # Errors
    /// A [`Refusal`] of category *malformed* that names the field.
    fn document(&self, content_type: &str, content: &[u8]) -> Result<Header, Refusal>;

    /// The header of a status report's content.
    ///
    /// # Errors
    /// A [`Refusal`] of category *malformed* that names the field.
    fn status(&self, content_type: &str, content: &[u8]) -> Result<StatusHeader, Refusal>;
}
