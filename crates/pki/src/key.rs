//! Secret keys: where they come from and how they are written (PKCS#8, RFC 5958 and RFC 8410).

use std::fmt;

use ed25519_dalek::pkcs8::DecodePrivateKey as _;
use ed25519_dalek::{Signer as _, SigningKey};
use lienthong_trust::{PublicKey, WeakKey};
use rand::TryRng as _;
use rand::rngs::SysRng;
use sha2::{Digest as _, Sha256};

use crate::pem::{self, PemError};

/// PKCS#8 of version 1 around the 32 secret bytes (RFC 8410, section 7). Every reader knows this
/// form; OpenSSL 3.0 does not read version 2, which carries the public key as well.
const PKCS8_V1: [u8; 16] =
    [0x30, 0x2e, 0x02, 1, 0, 0x30, 5, 0x06, 3, 0x2b, 0x65, 0x70, 0x04, 0x22, 0x04, 0x20];

/// Stands before what a key is derived from, so that no other use of a seed gives the same bytes.
const KEY_DOMAIN: &[u8] = b"lienthong key v1\0";

/// An Ed25519 secret key. Its bytes are wiped when it is dropped and never shown.
#[derive(Clone, PartialEq, Eq)]
pub struct SecretKey(SigningKey);

/// Where new keys come from.
#[derive(Clone)]
pub enum KeySource {
    /// From 32 bytes and a label: the same key twice. Only for tests and simulations.
    Seed([u8; 32]),
    /// From the operating system.
    System,
}

/// Why there is no key.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// The operating system gives no random bytes.
    #[error("the operating system gives no random bytes: {0}")]
    Random(String),
    /// The text is not PEM.
    #[error(transparent)]
    Pem(#[from] PemError),
    /// The bytes are not an Ed25519 key in PKCS#8.
    #[error("the bytes are not an Ed25519 key in PKCS#8")]
    Pkcs8,
    /// The key has no sound public key.
    #[error(transparent)]
    Weak(#[from] WeakKey),
}

impl SecretKey {
    /// Takes the 32 secret bytes (RFC 8032, section 5.1.5).
    pub fn from_bytes(secret: &[u8; 32]) -> Self {
        Self(SigningKey::from_bytes(secret))
    }

    /// Derives a key from 32 bytes and a label: SHA-256 of a domain, the seed and the label.
    pub fn derive(seed: &[u8; 32], label: &str) -> Self {
        let hash = Sha256::new_with_prefix(KEY_DOMAIN).chain_update(seed).chain_update(label);
        Self::from_bytes(&hash.finalize().into())
    }

    /// Reads PKCS#8 in PEM, of version 1 or 2.
    ///
    /// # Errors
    /// [`KeyError`] when the text holds no `PRIVATE KEY`, or another kind of key, or one whose
    /// public part is not its own.
    pub fn from_pkcs8_pem(text: &str) -> Result<Self, KeyError> {
        let der = pem::decode(pem::SECRET_KEY, text)?;
        SigningKey::from_pkcs8_der(&der).map(Self).map_err(|_| KeyError::Pkcs8)
    }

    /// Writes PKCS#8 of version 1 in DER.
    pub fn to_pkcs8_der(&self) -> Vec<u8> {
        [PKCS8_V1.as_slice(), self.0.as_bytes()].concat()
    }

    /// Writes PKCS#8 of version 1 in PEM.
    pub fn to_pkcs8_pem(&self) -> String {
        // 48 bytes always fit.
        pem::encode(pem::SECRET_KEY, &self.to_pkcs8_der()).unwrap_or_default()
    }

    /// The key in the form that signs, for whoever signs by itself.
    pub fn to_signing_key(&self) -> SigningKey {
        self.0.clone()
    }

    /// The 32 bytes of the public key.
    pub fn public_bytes(&self) -> [u8; 32] {
        self.0.verifying_key().to_bytes()
    }

    /// The public key.
    ///
    /// # Errors
    /// [`WeakKey`], which no secret key leads to.
    pub fn public_key(&self) -> Result<PublicKey, WeakKey> {
        PublicKey::from_bytes(self.0.verifying_key().as_bytes())
    }

    /// Signs (RFC 8032, section 5.1.6): the same message twice gives the same 64 bytes.
    pub fn sign(&self, message: &[u8]) -> [u8; 64] {
        self.0.sign(message).to_bytes()
    }
}

impl fmt::Debug for SecretKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SecretKey(hidden)")
    }
}

impl KeySource {
    /// Makes the key for a label: [`SecretKey::derive`] from a seed, new random bytes from the
    /// operating system, for which the label means nothing.
    ///
    /// # Errors
    /// [`KeyError::Random`] when the operating system gives nothing.
    pub fn key(&self, label: &str) -> Result<SecretKey, KeyError> {
        match self {
            Self::Seed(seed) => Ok(SecretKey::derive(seed, label)),
            Self::System => Ok(SecretKey::from_bytes(&random()?)),
        }
    }
}

impl fmt::Debug for KeySource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Seed(_) => "Seed(hidden)",
            Self::System => "System",
        })
    }
}

/// Random bytes of the operating system.
pub(crate) fn random<const N: usize>() -> Result<[u8; N], KeyError> {
    let mut bytes = [0; N];
    SysRng.try_fill_bytes(&mut bytes).map_err(|error| KeyError::Random(error.to_string()))?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_gives_the_same_key_for_the_same_label_only() {
        let source = KeySource::Seed([7; 32]);
        let key = source.key("node H36.12").unwrap();
        assert_eq!(key, source.key("node H36.12").unwrap());
        assert_ne!(key, source.key("seal H36.12").unwrap());
        assert_ne!(key, KeySource::Seed([8; 32]).key("node H36.12").unwrap());
    }

    #[test]
    fn the_operating_system_never_gives_the_same_key_twice() {
        let source = KeySource::System;
        assert_ne!(source.key("a").unwrap(), source.key("a").unwrap());
    }

    #[test]
    fn a_key_is_written_as_version_1_and_both_versions_are_read() {
        // RFC 8410, section 10.3: the same key in both versions.
        let v1 = "-----BEGIN PRIVATE KEY-----\n\
                  MC4CAQAwBQYDK2VwBCIEINTuctv5E1hK1bbY8fdp+K06/nwoy/HU++CXqI9EdVhC\n\
                  -----END PRIVATE KEY-----\n";
        let v2 = "-----BEGIN PRIVATE KEY-----\n\
                  MHICAQEwBQYDK2VwBCIEINTuctv5E1hK1bbY8fdp+K06/nwoy/HU++CXqI9EdVhC\n\
                  oB8wHQYKKoZIhvcNAQkJFDEPDA1DdXJkbGUgQ2hhaXJzgSEAGb9ECWmEzf6FQbrB\n\
                  Z9w7lshQhqowtrbLDFw4rXAxZuE=\n\
                  -----END PRIVATE KEY-----\n";
        let key = SecretKey::from_pkcs8_pem(v1).unwrap();
        assert_eq!(SecretKey::from_pkcs8_pem(v2).unwrap(), key);
        assert_eq!(key.to_pkcs8_pem(), v1);
    }

    #[test]
    fn other_kinds_of_keys_are_refused_and_no_key_is_shown() {
        let p256 = pem::encode(pem::SECRET_KEY, &[0x30, 0x00]).unwrap();
        assert_eq!(SecretKey::from_pkcs8_pem(&p256), Err(KeyError::Pkcs8));
        let key = KeySource::Seed([7; 32]).key("a").unwrap();
        assert_eq!(format!("{key:?}"), "SecretKey(hidden)");
        assert_eq!(format!("{:?}", KeySource::Seed([7; 32])), "Seed(hidden)");
    }
}
