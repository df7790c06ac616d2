//! Ed25519 public keys (RFC 8032), strictly: one answer for a key, a message and a signature,
//! whoever asks.
//!
//! Signatures are checked one by one with the equation without cofactor; the batch equation
//! accepts others and is never used. Keys that no honest maker produces are refused when they are
//! read, so nothing later has to ask. Making keys and signatures is not here but in `pki`.

use std::fmt;

use ed25519_dalek::{Signature, VerifyingKey};

/// Bytes of a public key.
pub const PUBLIC_KEY_BYTES: usize = 32;
/// Bytes of a signature.
pub const SIGNATURE_BYTES: usize = 64;

/// A sound Ed25519 public key, decoded once and kept so.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct PublicKey(VerifyingKey);

/// Why bytes are not a sound Ed25519 public key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
pub enum WeakKey {
    /// There are not 32 bytes.
    #[error("an Ed25519 key has {PUBLIC_KEY_BYTES} bytes, this has {0}")]
    Length(usize),
    /// The bytes are not a point of the curve.
    #[error("the key is not a point of the curve")]
    NotAPoint,
    /// The bytes are a second spelling of a point (RFC 8032, section 5.1.3, step 1).
    #[error("the key is not written in its one canonical form")]
    NotCanonical,
    /// The point is one of the eight of small order, for which signatures without a secret exist.
    #[error("the key's point is of small order")]
    SmallOrder,
}

impl PublicKey {
    /// Decodes a key and checks that it is canonical and not of small order.
    ///
    /// That it lies in the prime-order group itself is not asked: it would double the cost, and
    /// without cofactor every verifier gives the same answer for such a key too.
    ///
    /// # Errors
    /// [`WeakKey`] names what is wrong.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, WeakKey> {
        let array: &[u8; PUBLIC_KEY_BYTES] =
            bytes.try_into().map_err(|_| WeakKey::Length(bytes.len()))?;
        let key = VerifyingKey::from_bytes(array).map_err(|_| WeakKey::NotAPoint)?;
        if key.to_edwards().compress().as_bytes() != array {
            return Err(WeakKey::NotCanonical);
        }
        if key.is_weak() {
            return Err(WeakKey::SmallOrder);
        }
        Ok(Self(key))
    }

    /// Whether `signature` is a signature of this key over `message`.
    ///
    /// Strict (RFC 8032, section 5.1.7, without cofactor): 64 bytes, `s` below the group's order,
    /// `R` canonical and not of small order. Never an error: anything else is `false`.
    pub fn verify(&self, message: &[u8], signature: &[u8]) -> bool {
        Signature::from_slice(signature)
            .is_ok_and(|signature| self.0.verify_strict(message, &signature).is_ok())
    }

    /// The 32 bytes.
    pub fn as_bytes(&self) -> &[u8; PUBLIC_KEY_BYTES] {
        self.0.as_bytes()
    }
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.as_bytes().iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

#[cfg(test)]
mod tests;
