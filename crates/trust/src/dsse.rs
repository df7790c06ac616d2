//! The envelope that is signed: DSSE v1 (Dead Simple Signing Envelope, protocol version 1.0.2).
//!
//! Signed is `"DSSEv1" SP len(type) SP type SP len(content) SP content`, lengths in decimal bytes,
//! over the content as it was sent: nothing is encoded again.

use lienthong_model::{Digest, SignatureEntry};

/// Returns the bytes that a signer signs (DSSE's pre-authentication encoding).
pub fn pre_authentication_encoding(content_type: &str, content: &[u8]) -> Vec<u8> {
    let head = format!("DSSEv1 {} {content_type} {} ", content_type.len(), content.len());
    let mut bytes = Vec::with_capacity(head.len() + content.len());
    bytes.extend_from_slice(head.as_bytes());
    bytes.extend_from_slice(content);
    bytes
}

/// Returns the SHA-256 of the bytes that a signer signs: the identity of a content together with
/// its type.
pub fn content_digest(content_type: &str, content: &[u8]) -> Digest {
    Digest::of(&pre_authentication_encoding(content_type, content))
}

/// Returns the SHA-256 over all signatures in their order: for each the certificate's fingerprint
/// (32 bytes), the length of the signature (2 bytes, big-endian) and the signature. Stable: it is
/// part of what the log commits to.
pub fn signatures_digest(signatures: &[SignatureEntry]) -> Digest {
    let mut bytes = Vec::with_capacity(signatures.len() * 98);
    for SignatureEntry { certificate, value } in signatures {
        bytes.extend_from_slice(certificate.as_bytes());
        let length = u16::try_from(value.len()).unwrap_or(u16::MAX);
        bytes.extend_from_slice(&length.to_be_bytes());
        bytes.extend_from_slice(value);
    }
    Digest::of(&bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_encoding_is_that_of_the_dsse_test_vector() {
        // github.com/secure-systems-lab/dsse, protocol.md, "Test Vectors".
        let encoded = pre_authentication_encoding("http://example.com/HelloWorld", b"hello world");
        assert_eq!(encoded, b"DSSEv1 29 http://example.com/HelloWorld 11 hello world");
    }

    #[test]
    fn lengths_are_counted_in_bytes_and_an_empty_content_is_encoded() {
        assert_eq!(pre_authentication_encoding("đ", b""), "DSSEv1 2 đ 0 ".as_bytes());
    }

    #[test]
    fn the_type_is_part_of_what_is_signed() {
        assert_ne!(content_digest("a", b"x"), content_digest("b", b"x"));
        assert_ne!(content_digest("a", b" x"), content_digest("a ", b"x"));
    }
}
