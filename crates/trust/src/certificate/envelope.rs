//! The frame that certificates and revocation lists share: what is signed, with what, and the
//! signature (RFC 5280, sections 4.1.1 and 5.1.1).
//!
//! It hands out the signed bytes as they are, so that a signature is never checked over bytes
//! that were decoded and encoded again.

use const_oid::ObjectIdentifier;
use const_oid::db::rfc8410::ID_ED_25519;
use der::asn1::{AnyRef, BitStringRef};
use der::{Reader as _, SliceReader};
use x509_cert::spki::AlgorithmIdentifier;

/// The three parts of a signed structure.
pub(crate) struct Envelope<'a> {
    /// The bytes that are signed, tag and length included.
    pub(crate) signed: &'a [u8],
    /// The bytes of the signature; empty when it is not whole bytes.
    pub(crate) signature: &'a [u8],
}

impl<'a> Envelope<'a> {
    /// Splits `SEQUENCE { SEQUENCE, AlgorithmIdentifier, BIT STRING }`; nothing may follow it.
    pub(crate) fn split(der: &'a [u8]) -> der::Result<Self> {
        let mut reader = SliceReader::new(der)?;
        let envelope = reader.sequence(|inner| -> der::Result<Self> {
            let signed = inner.tlv_bytes()?;
            let _: AlgorithmIdentifier<AnyRef<'_>> = inner.decode()?;
            let signature: BitStringRef<'_> = inner.decode()?;
            Ok(Self { signed, signature: signature.as_bytes().unwrap_or_default() })
        })?;
        reader.finish()?;
        Ok(envelope)
    }
}

/// Whether an algorithm is Ed25519, written as RFC 8410, section 3 demands: without parameters.
pub(crate) fn is_ed25519<P>(algorithm: &AlgorithmIdentifier<P>) -> bool {
    const ED25519: ObjectIdentifier = ID_ED_25519;
    algorithm.oid == ED25519 && algorithm.parameters.is_none()
}
