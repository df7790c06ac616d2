//! Identities: of messages, bytes, certificates, agencies in the directory, and places in the log.

use std::fmt;
use std::str::FromStr;

use minicbor::{Decode, Encode};
use uuid::Uuid;

use crate::time::Timestamp;

/// A message's identity: a UUIDv7 (RFC 9562, section 5.7) made by its sender.
///
/// Unique together with the sender; it carries the moment at which it was made.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Encode, Decode)]
#[cbor(transparent)]
pub struct MessageId(#[cbor(n(0), with = "minicbor::bytes")] [u8; 16]);

/// Why something is not a message id.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum IdError {
    /// The text or bytes are not a UUID.
    #[error("a message id is a UUID of 16 bytes")]
    NotAUuid,
    /// The UUID is of another version or variant than 7.
    #[error("a message id is a UUID of version 7 (RFC 9562)")]
    NotVersion7,
}

impl MessageId {
    /// Takes the 16 bytes of a UUIDv7.
    ///
    /// # Errors
    /// [`IdError`] when there are not 16 bytes or version and variant differ.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, IdError> {
        let bytes: [u8; 16] = bytes.try_into().map_err(|_| IdError::NotAUuid)?;
        Self::from_uuid(Uuid::from_bytes(bytes))
    }

    /// Makes the id for `at` from ten random bytes (six bits of them are overwritten).
    pub fn new(at: Timestamp, random: [u8; 10]) -> Self {
        let millis = u64::try_from(at.millis()).unwrap_or(0);
        Self(*uuid::Builder::from_unix_timestamp_millis(millis, &random).as_uuid().as_bytes())
    }

    fn from_uuid(uuid: Uuid) -> Result<Self, IdError> {
        let rfc = uuid.get_variant() == uuid::Variant::RFC4122;
        if !rfc || uuid.get_version_num() != 7 {
            return Err(IdError::NotVersion7);
        }
        Ok(Self(*uuid.as_bytes()))
    }

    /// The 16 bytes.
    pub fn as_bytes(&self) -> &[u8; 16] {
        &self.0
    }

    /// The moment that the id carries, to the millisecond.
    pub fn time(&self) -> Timestamp {
        let mut millis = [0u8; 8];
        millis[2..].copy_from_slice(&self.0[..6]);
        Timestamp::from_millis(i64::from_be_bytes(millis))
    }
}

impl FromStr for MessageId {
    type Err = IdError;
    fn from_str(text: &str) -> Result<Self, IdError> {
        Self::from_uuid(Uuid::from_str(text).map_err(|_| IdError::NotAUuid)?)
    }
}

impl fmt::Display for MessageId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        Uuid::from_bytes(self.0).hyphenated().fmt(f)
    }
}

impl fmt::Debug for MessageId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

macro_rules! sha256_newtype {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Encode, Decode)]
        #[cbor(transparent)]
        pub struct $name(#[cbor(n(0), with = "minicbor::bytes")] pub [u8; 32]);

        impl $name {
            /// The SHA-256 of `bytes`.
            pub fn of(bytes: &[u8]) -> Self {
                use sha2::Digest as _;
                Self(sha2::Sha256::digest(bytes).into())
            }

            /// Takes 32 bytes; `None` for any other length.
            pub fn from_slice(bytes: &[u8]) -> Option<Self> {
                bytes.try_into().ok().map(Self)
            }

            /// The 32 bytes.
            pub fn as_bytes(&self) -> &[u8; 32] {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(self, f)
            }
        }
    };
}

sha256_newtype! {
    /// A SHA-256 of bytes (FIPS 180-4).
    Digest
}
sha256_newtype! {
    /// A certificate's name: the SHA-256 of its DER bytes.
    Fingerprint
}

impl Digest {
    /// Reads 64 hexadecimal digits, small letters only: one spelling of a digest.
    pub fn parse(text: &str) -> Option<Self> {
        let digit = |digit: &u8| match digit {
            b'0'..=b'9' => Some(digit - b'0'),
            b'a'..=b'f' => Some(digit - b'a' + 10),
            _ => None,
        };
        let byte = |pair: &[u8]| match pair {
            [high, low] => Some(digit(high)? << 4 | digit(low)?),
            _ => None,
        };
        let bytes: Option<Vec<u8>> = text.as_bytes().chunks(2).map(byte).collect();
        Self::from_slice(&bytes?)
    }
}

/// Works a [`Digest`] out of bytes that come in pieces.
#[derive(Debug, Clone, Default)]
pub struct Digester(sha2::Sha256);

impl Digester {
    /// Takes the next piece.
    pub fn update(&mut self, bytes: &[u8]) {
        sha2::Digest::update(&mut self.0, bytes);
    }

    /// Returns the digest of all pieces, one after the other; of nothing when there was none.
    pub fn finish(self) -> Digest {
        Digest(sha2::Digest::finalize(self.0).into())
    }
}

/// An agency's number in this hub's directory: given once, in journal order, never reused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Encode, Decode)]
#[cbor(transparent)]
pub struct Ordinal(#[n(0)] pub u32);

/// The place of an accepted document or status in the hub's log, from 0 without gaps.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Encode, Decode)]
#[cbor(transparent)]
pub struct Position(#[n(0)] pub u64);

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_id_carries_its_moment() {
        let at = Timestamp::from_millis(1_605_488_400_123);
        let id = MessageId::new(at, [7; 10]);
        assert_eq!(id.time(), at);
        assert_eq!(id.to_string().parse(), Ok(id));
        assert_eq!(MessageId::from_bytes(id.as_bytes()), Ok(id));
    }

    #[test]
    fn only_version_7_is_a_message_id() {
        let v4 = "0e5b1c43-5d1c-4f0a-9a8e-0d9f6f7b2c11";
        assert_eq!(v4.parse::<MessageId>(), Err(IdError::NotVersion7));
        assert_eq!("nonsense".parse::<MessageId>(), Err(IdError::NotAUuid));
        assert_eq!(MessageId::from_bytes(&[0; 15]), Err(IdError::NotAUuid));
    }
}
