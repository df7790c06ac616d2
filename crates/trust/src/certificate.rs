//! Certificates (X.509 v3 of RFC 5280, Ed25519 of RFC 8410), held to the profile that
//! docs/CERTIFICATES.md describes.
//!
//! Parsing tells what the bytes say and refuses whatever the profile does not know: a certificate
//! with a doubt in it is no certificate. Nothing here depends on a date, and a certificate that
//! parses is not thereby trusted: chains are in `chain`, dates and roots are judged in `judge`.

mod envelope;
mod error;
mod extensions;
mod holder;

use std::fmt;

use bytes::Bytes;
use der::{Decode as _, Encode as _};
use lienthong_model::limits::CERTIFICATE_BYTES_MAX;
use lienthong_model::{AgencyCode, Digest, Fingerprint, Timestamp};
use minicbor::{Decode as CborDecode, Encode as CborEncode};
use x509_cert::certificate::Version;
use x509_cert::time::Time;

pub(crate) use self::envelope::{Envelope, is_ed25519};
pub use self::error::CertificateError;
use self::extensions::Extensions;
pub(crate) use self::extensions::{decode_exactly, reject_duplicates};
pub use self::holder::Holder;
use crate::ed25519::{PublicKey, SIGNATURE_BYTES};

/// Longest serial number, in bytes without the sign (RFC 5280, section 4.1.2.2).
pub(crate) const SERIAL_BYTES_MAX: usize = 20;

/// A certificate that keeps the profile of docs/CERTIFICATES.md.
///
/// Its own signature is not checked yet: that takes the issuer ([`Certificate::verify_issued`]).
#[derive(Clone, PartialEq, Eq)]
pub struct Certificate {
    der: Bytes,
    signed: Bytes,
    signature: [u8; SIGNATURE_BYTES],
    fingerprint: Fingerprint,
    authority: AuthorityId,
    serial: Vec<u8>,
    subject: Name,
    issuer: Name,
    not_before: Timestamp,
    not_after: Timestamp,
    key: PublicKey,
    extensions: Extensions,
}

/// Who an authority is, whatever its certificate: the SHA-256 of its key and its name. Revocation
/// lists count for it, so that a renewed or cross-signed certificate of an issuer evades none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, CborEncode, CborDecode)]
#[cbor(transparent)]
pub struct AuthorityId(#[n(0)] Digest);

impl AuthorityId {
    /// Returns the 32 bytes.
    pub fn as_bytes(&self) -> &[u8; 32] {
        self.0.as_bytes()
    }

    /// Takes 32 bytes.
    pub fn from_slice(bytes: &[u8]) -> Option<Self> {
        Digest::from_slice(bytes).map(Self)
    }
}

/// A distinguished name. Two names are the same when their bytes are.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Name(Box<[u8]>);

impl Certificate {
    /// Parses DER bytes and checks every rule of the profile that needs no other certificate.
    ///
    /// The work is bounded by [`CERTIFICATE_BYTES_MAX`].
    ///
    /// # Errors
    /// [`CertificateError`] names the first rule that is broken; its
    /// [`reason`](CertificateError::reason) is the code of the refusal.
    pub fn parse(der: Bytes) -> Result<Self, CertificateError> {
        if der.len() > CERTIFICATE_BYTES_MAX {
            return Err(CertificateError::TooLarge(der.len()));
        }
        let envelope = Envelope::split(&der)?;
        let decoded = x509_cert::Certificate::from_der(&der)?;
        if decoded.to_der()? != der.as_ref() {
            return Err(CertificateError::NotCanonical);
        }
        let tbs = decoded.tbs_certificate();
        check_frame(tbs)?;
        if tbs.signature() != decoded.signature_algorithm() {
            return Err(CertificateError::AlgorithmsDiffer);
        }
        if !is_ed25519(tbs.signature()) {
            return Err(CertificateError::SignatureAlgorithm(tbs.signature().oid.to_string()));
        }
        let signature = envelope
            .signature
            .try_into()
            .map_err(|_| CertificateError::SignatureLength(envelope.signature.len()))?;
        let (not_before, not_after) = validity(tbs)?;
        let key = subject_key(tbs)?;
        let extensions = Extensions::read(tbs)?;
        let subject = Name::encode(tbs.subject())?;
        let authority =
            AuthorityId(Digest::of(&[key.as_bytes().as_slice(), subject.as_der()].concat()));
        Ok(Self {
            authority,
            signed: der.slice_ref(envelope.signed),
            fingerprint: Fingerprint::of(&der),
            serial: serial(tbs.serial_number().as_bytes()).ok_or(CertificateError::Serial)?,
            subject,
            issuer: Name::encode(tbs.issuer())?,
            der,
            signature,
            not_before,
            not_after,
            key,
            extensions,
        })
    }

    /// Who the holder is as an issuer: the same for every certificate of its name and key.
    pub fn authority(&self) -> &AuthorityId {
        &self.authority
    }

    /// Whether this certificate issued `child`: it is an authority's, its subject is the child's
    /// issuer byte for byte, the key identifiers agree where both are there, and its key signed
    /// the child (strictly).
    ///
    /// Costs one Ed25519 verification when the names agree. Dates and path lengths are not looked
    /// at.
    pub fn verify_issued(&self, child: &Certificate) -> bool {
        self.may_have_issued(child) && self.key.verify(&child.signed, &child.signature)
    }

    /// Whether everything but the signature says that this certificate issued `child`.
    pub(crate) fn may_have_issued(&self, child: &Certificate) -> bool {
        matches!(self.holder(), Holder::Authority { .. })
            && self.answers_to(&child.issuer, child.authority_key_id())
    }

    /// Whether the subject is `name` and the subject key identifier is `key_id`, where both are
    /// there.
    pub(crate) fn answers_to(&self, name: &Name, key_id: Option<&[u8]>) -> bool {
        let ids_agree = match (self.subject_key_id(), key_id) {
            (Some(own), Some(named)) => own == named,
            _ => true,
        };
        self.subject == *name && ids_agree
    }

    /// Whether subject and issuer are the same name. Says nothing about who signed.
    pub fn is_self_issued(&self) -> bool {
        self.subject == self.issuer
    }

    /// Whether its holder may sign revocation lists (an authority with cRLSign).
    pub fn signs_revocation_lists(&self) -> bool {
        self.extensions.signs_lists
    }

    /// Whether `at` lies in its validity, both ends included.
    pub fn valid_at(&self, at: Timestamp) -> bool {
        self.not_before <= at && at <= self.not_after
    }

    /// The DER bytes.
    pub fn der(&self) -> &Bytes {
        &self.der
    }

    /// The SHA-256 of the DER bytes: the certificate's name everywhere else.
    pub fn fingerprint(&self) -> &Fingerprint {
        &self.fingerprint
    }

    /// The serial number: 1 to 20 bytes, big endian, the first not zero.
    pub fn serial(&self) -> &[u8] {
        &self.serial
    }

    /// The name of whom it is for; may be empty for a node, a hub and a seal.
    pub fn subject(&self) -> &Name {
        &self.subject
    }

    /// The name of the authority that issued it; never empty.
    pub fn issuer(&self) -> &Name {
        &self.issuer
    }

    /// The first moment of its validity, in whole seconds.
    pub fn not_before(&self) -> Timestamp {
        self.not_before
    }

    /// The last moment of its validity, in whole seconds; still valid at it.
    pub fn not_after(&self) -> Timestamp {
        self.not_after
    }

    /// Whom it is for: the only source of a signature's role.
    pub fn holder(&self) -> &Holder {
        &self.extensions.holder
    }

    /// The agency it belongs to; `None` for an authority.
    pub fn agency(&self) -> Option<&AgencyCode> {
        self.holder().agency()
    }

    /// The holder's public key.
    pub fn key(&self) -> &PublicKey {
        &self.key
    }

    /// The subject key identifier, where there is one.
    pub fn subject_key_id(&self) -> Option<&[u8]> {
        self.extensions.subject_key_id.as_deref()
    }

    /// The authority key identifier, where there is one.
    pub fn authority_key_id(&self) -> Option<&[u8]> {
        self.extensions.authority_key_id.as_deref()
    }
}

impl fmt::Debug for Certificate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Certificate")
            .field("fingerprint", &self.fingerprint)
            .field("subject", &self.subject)
            .field("issuer", &self.issuer)
            .field("not_before", &self.not_before)
            .field("not_after", &self.not_after)
            .field("holder", self.holder())
            .finish_non_exhaustive()
    }
}

impl Name {
    /// Takes a decoded name; the bytes are those of its one DER form.
    pub(crate) fn encode(name: &x509_cert::name::Name) -> der::Result<Self> {
        Ok(Self(name.to_der()?.into()))
    }

    /// The DER bytes, by which names are compared.
    pub fn as_der(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Display for Name {
    /// As RFC 4514 writes it, the most particular part first: `CN=…,O=…,C=VN`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match x509_cert::name::Name::from_der(&self.0) {
            Ok(name) => name.fmt(f),
            Err(_) => f.write_str("?"),
        }
    }
}

impl fmt::Debug for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{self}`")
    }
}

/// The moment that an ASN.1 time writes, to the second.
pub(crate) fn moment(time: &Time) -> Timestamp {
    Timestamp::from_millis(0).plus(time.to_unix_duration())
}

/// A positive serial number of at most 20 bytes without its sign byte; `None` for any other.
pub(crate) fn serial(integer: &[u8]) -> Option<Vec<u8>> {
    let magnitude = match integer {
        [0, rest @ ..] => rest,
        [first, ..] if *first >= 0x80 => return None,
        other => other,
    };
    let fits = !magnitude.is_empty() && magnitude.len() <= SERIAL_BYTES_MAX;
    fits.then(|| magnitude.to_vec())
}

/// The parts of the frame that carry no fact of their own: version, unique ids, issuer's name.
fn check_frame(tbs: &x509_cert::TbsCertificate) -> Result<(), CertificateError> {
    if tbs.version() != Version::V3 {
        return Err(CertificateError::Version);
    }
    if tbs.issuer_unique_id().is_some() || tbs.subject_unique_id().is_some() {
        return Err(CertificateError::UniqueId);
    }
    if tbs.issuer().is_empty() {
        return Err(CertificateError::IssuerEmpty);
    }
    Ok(())
}

fn validity(tbs: &x509_cert::TbsCertificate) -> Result<(Timestamp, Timestamp), CertificateError> {
    let validity = tbs.validity();
    let (not_before, not_after) = (moment(&validity.not_before), moment(&validity.not_after));
    if not_before > not_after {
        return Err(CertificateError::Validity { not_before, not_after });
    }
    Ok((not_before, not_after))
}

fn subject_key(tbs: &x509_cert::TbsCertificate) -> Result<PublicKey, CertificateError> {
    let info = tbs.subject_public_key_info();
    if !is_ed25519(&info.algorithm) {
        return Err(CertificateError::KeyAlgorithm(info.algorithm.oid.to_string()));
    }
    let bits = info.subject_public_key.as_bytes().unwrap_or_default();
    Ok(PublicKey::from_bytes(bits)?)
}

#[cfg(test)]
pub(crate) mod sample;
#[cfg(test)]
mod tests;
