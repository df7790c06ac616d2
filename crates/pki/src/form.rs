//! The ASN.1 forms that are written: a certificate's frame, dates, keys (RFC 5280, section 4.1).

use std::time::Duration;

use const_oid::db::rfc8410::ID_ED_25519;
use der::asn1::{Any, BitString, OctetString, Uint};
use der::{DateTime, Encode as _, Sequence};
use lienthong_model::Timestamp;
use sha2::{Digest as _, Sha256};
use x509_cert::Version;
use x509_cert::ext::Extension;
use x509_cert::ext::pkix::{AuthorityKeyIdentifier, SubjectKeyIdentifier};
use x509_cert::spki::{AlgorithmIdentifierOwned, SubjectPublicKeyInfoOwned};
use x509_cert::time::Time;

use crate::authority::{IssueError, Validity};
use crate::key::SecretKey;
use crate::profile::authority_subject;

/// What is signed in a certificate. `x509_cert` keeps the fields of its own form to itself.
#[derive(Debug, Sequence)]
pub(crate) struct Tbs {
    #[asn1(context_specific = "0", tag_mode = "EXPLICIT")]
    pub(crate) version: Version,
    pub(crate) serial: Uint,
    pub(crate) algorithm: AlgorithmIdentifierOwned,
    pub(crate) issuer: Any,
    pub(crate) validity: Dates,
    pub(crate) subject: Any,
    pub(crate) key: SubjectPublicKeyInfoOwned,
    #[asn1(context_specific = "3", tag_mode = "EXPLICIT")]
    pub(crate) extensions: Vec<Extension>,
}

/// From when to when a certificate is valid.
#[derive(Debug, Sequence)]
pub(crate) struct Dates {
    pub(crate) not_before: Time,
    pub(crate) not_after: Time,
}

/// Anything signed: its bytes as they were signed, the algorithm, the signature.
#[derive(Debug, Sequence)]
struct Signed {
    content: Any,
    algorithm: AlgorithmIdentifierOwned,
    signature: BitString,
}

/// Ed25519 without parameters (RFC 8410, section 3).
pub(crate) fn ed25519() -> AlgorithmIdentifierOwned {
    AlgorithmIdentifierOwned { oid: ID_ED_25519, parameters: None }
}

/// A public key as it stands in a certificate.
pub(crate) fn key_form(public_key: &[u8; 32]) -> der::Result<SubjectPublicKeyInfoOwned> {
    let subject_public_key = BitString::from_bytes(public_key)?;
    Ok(SubjectPublicKeyInfoOwned { algorithm: ed25519(), subject_public_key })
}

/// A moment as UTCTime until 2049 and GeneralizedTime after it, to the second, rounded down.
pub(crate) fn date(at: Timestamp) -> Result<Time, IssueError> {
    let seconds = u64::try_from(at.seconds()).map_err(|_| IssueError::Date(at))?;
    let date = DateTime::from_unix_duration(Duration::from_secs(seconds));
    Ok(date.map_err(|_| IssueError::Date(at))?.into())
}

/// What is to be signed in a certificate, with 1 as its serial number.
pub(crate) fn tbs(
    issuer: Any,
    subject: Any,
    extensions: Vec<Extension>,
    public_key: &[u8; 32],
    validity: Validity,
) -> Result<Tbs, IssueError> {
    Ok(Tbs {
        version: Version::V3,
        serial: Uint::new(&[1])?,
        algorithm: ed25519(),
        issuer,
        validity: Dates {
            not_before: date(validity.not_before)?,
            not_after: date(validity.not_after)?,
        },
        subject,
        key: key_form(public_key)?,
        extensions,
    })
}

/// The issuer's name in a draft.
pub(crate) fn draft_issuer() -> der::Result<Any> {
    Any::encode_from(&authority_subject("draft")?)
}

/// Puts a signature over `content` (DER of a SEQUENCE) beside it.
pub(crate) fn signed(content: &[u8], key: &SecretKey) -> der::Result<Vec<u8>> {
    with_signature(content, &key.sign(content))
}

/// Puts any 64 bytes where the signature stands: for a draft that nobody gets to see.
pub(crate) fn with_signature(content: &[u8], signature: &[u8; 64]) -> der::Result<Vec<u8>> {
    let content = <Any as der::Decode>::from_der(content)?;
    let signature = BitString::from_bytes(signature)?;
    Signed { content, algorithm: ed25519(), signature }.to_der()
}

/// The identifier of a key: the first 20 bytes of its SHA-256 (RFC 7093, section 2, method 1).
pub(crate) fn key_id(public_key: &[u8; 32]) -> der::Result<OctetString> {
    let hash = Sha256::digest(public_key);
    OctetString::new(hash.get(..20).unwrap_or_default())
}

/// The extension that names the holder's key.
pub(crate) fn subject_key_id(public_key: &[u8; 32]) -> der::Result<Extension> {
    extension(&SubjectKeyIdentifier(key_id(public_key)?))
}

/// The extension that names the issuer's key.
pub(crate) fn authority_key_id(key_id: &[u8]) -> der::Result<Extension> {
    let key_identifier = Some(OctetString::new(key_id)?);
    extension(&AuthorityKeyIdentifier { key_identifier, ..AuthorityKeyIdentifier::default() })
}

/// A value as an extension that is not critical.
pub(crate) fn extension<T>(value: &T) -> der::Result<Extension>
where
    T: der::Encode + const_oid::AssociatedOid,
{
    let extn_value = OctetString::new(value.to_der()?)?;
    Ok(Extension { extn_id: T::OID, critical: false, extn_value })
}
