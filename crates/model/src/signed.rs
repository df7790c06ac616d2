//! Content with its signatures and certificates, as it travels: nothing in it is proven yet.

use bytes::Bytes;

use crate::contents::Attachment;
use crate::ids::Fingerprint;

/// Signed bytes as a sender hands them over (DSSE v1 with raw Ed25519 signatures).
///
/// `trust` turns it into facts; until then every part is a claim.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct SignedContent {
    /// The content type that is part of what is signed.
    pub content_type: String,
    /// The content, byte for byte as it was signed.
    pub content: Bytes,
    /// One entry a signer: persons and seals sign the same bytes.
    pub signatures: Vec<SignatureEntry>,
    /// Certificates in DER, in any order: signers' and issuers'. One that the hub has seen may be
    /// left out.
    pub certificates: Vec<Bytes>,
    /// Attachments that travel beside the content; their digests are in the content.
    pub attachments: Vec<Attachment>,
}

/// One signature and the name of the certificate that made it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct SignatureEntry {
    /// The signer's certificate.
    pub certificate: Fingerprint,
    /// The signature over the DSSE pre-authentication encoding: 64 bytes when it is Ed25519.
    pub value: Bytes,
}
