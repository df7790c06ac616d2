//! Revocation lists (CRL version 2, RFC 5280, section 5): complete lists that an authority signs
//! about the certificates that it issued itself.
//!
//! Delta lists, indirect lists and lists of one part of the certificates are refused: a list that
//! was read says of every certificate of its issuer whether it is revoked. Whether the list is
//! recent enough is not asked here.

use std::sync::Arc;

use const_oid::ObjectIdentifier;
use const_oid::db::rfc5280::{
    ID_CE_AUTHORITY_KEY_IDENTIFIER, ID_CE_CRL_NUMBER, ID_CE_CRL_REASONS, ID_CE_DELTA_CRL_INDICATOR,
    ID_CE_ISSUING_DISTRIBUTION_POINT,
};
use der::Decode as _;
use lienthong_model::limits::{REVOCATION_LIST_BYTES_MAX, REVOKED_MAX};
use lienthong_model::{Digest, Fingerprint, Timestamp};
use x509_cert::Version;
use x509_cert::crl::{CertificateList, RevokedCert};
use x509_cert::ext::Extension;
use x509_cert::ext::pkix::{AuthorityKeyIdentifier, CrlNumber, CrlReason};

use crate::certificate::{
    AuthorityId, Certificate, Envelope, Name, decode_exactly, is_ed25519, moment,
    reject_duplicates, serial,
};

/// A revocation list whose signature holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RevocationList {
    /// The certificate of the authority that signed it.
    pub issuer: Fingerprint,
    /// The issuer, whatever its certificate: whom the list counts for.
    pub authority: AuthorityId,
    /// Its number: a later list of the same issuer has a higher one.
    pub number: u64,
    /// When it was made.
    pub this_update: Timestamp,
    /// By when the next one is made; without it, the issuer promises nothing.
    pub next_update: Option<Timestamp>,
    /// The revoked certificates, sorted by serial number, each once.
    pub revoked: Vec<Revoked>,
    /// The SHA-256 of its DER bytes.
    pub digest: Digest,
}

/// One revoked certificate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Revoked {
    /// The serial number: 1 to 20 bytes, big endian, the first not zero.
    pub serial: Vec<u8>,
    /// From when on it is revoked.
    pub at: Timestamp,
    /// The reason's number (RFC 5280, section 5.3.1); 0 when the list gives none.
    pub reason: u8,
}

/// Why bytes are not a revocation list to rely on.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RevocationListError {
    /// It is longer than the bound.
    #[error("a revocation list has at most {REVOCATION_LIST_BYTES_MAX} bytes, this has {0}")]
    TooLarge(usize),
    /// It has more entries than the bound.
    #[error("a revocation list has at most {REVOKED_MAX} entries, this has {0}")]
    TooMany(usize),
    /// The bytes are not a revocation list in DER.
    #[error("the bytes are not a revocation list in DER: {0}")]
    Undecodable(#[from] der::Error),
    /// It is not of version 2.
    #[error("the revocation list is not of version 2")]
    Version,
    /// It is signed with something else than Ed25519 without parameters.
    #[error("the revocation list is signed with `{0}`, not with Ed25519")]
    SignatureAlgorithm(String),
    /// None of the authorities at hand has the issuer's name and may sign lists.
    #[error("the issuer `{0}` is not known or may not sign revocation lists")]
    IssuerUnknown(String),
    /// An authority of that name is known, but its key did not sign.
    #[error("the signature of `{0}` on the revocation list does not hold")]
    SignatureInvalid(String),
    /// An extension stands twice.
    #[error("the extension `{0}` stands twice")]
    DuplicateExtension(String),
    /// The list is a delta list, an indirect list or a list of a part of the certificates.
    #[error("only complete lists of an issuer's own certificates are read, this has `{0}`")]
    Partial(String),
    /// An extension must be understood and is not.
    #[error("the critical extension `{0}` is not known")]
    UnknownCritical(String),
    /// An extension's value is not in its DER form.
    #[error("the extension `{0}` cannot be decoded")]
    BadExtension(String),
    /// It has no number, or one of more than 64 bits.
    #[error("the revocation list has no number of at most 64 bits")]
    Number,
    /// The next list is announced for a time before this one.
    #[error("the next list is announced for {next_update}, before this one of {this_update}")]
    Dates {
        /// When it was made.
        this_update: Timestamp,
        /// When the next one should be.
        next_update: Timestamp,
    },
    /// An entry's serial number is not positive or too long.
    #[error("the entry {0} has a serial number that is not positive or too long")]
    Serial(usize),
    /// A serial number stands twice.
    #[error("a serial number stands twice")]
    DuplicateSerial,
}

impl RevocationList {
    /// Parses DER bytes, finds the issuer by name and key identifier among `issuers`, and checks
    /// its signature strictly.
    ///
    /// The work is bounded by [`REVOCATION_LIST_BYTES_MAX`] and [`REVOKED_MAX`], and one
    /// signature for each issuer of the same name.
    ///
    /// # Errors
    /// [`RevocationListError`] names the first thing that is wrong.
    pub fn parse(der: &[u8], issuers: &[Arc<Certificate>]) -> Result<Self, RevocationListError> {
        if der.len() > REVOCATION_LIST_BYTES_MAX {
            return Err(RevocationListError::TooLarge(der.len()));
        }
        let envelope = Envelope::split(der)?;
        let list = CertificateList::<x509_cert::certificate::Rfc5280>::from_der(der)?;
        let tbs = &list.tbs_cert_list;
        if tbs.version != Version::V2 {
            return Err(RevocationListError::Version);
        }
        if !is_ed25519(&tbs.signature) || !is_ed25519(&list.signature_algorithm) {
            let named = list.signature_algorithm.oid.to_string();
            return Err(RevocationListError::SignatureAlgorithm(named));
        }
        let extensions = ListExtensions::read(tbs.crl_extensions.as_deref().unwrap_or_default())?;
        let issuer = signed_by(&Name::encode(&tbs.issuer)?, &extensions, &envelope, issuers)?;
        let this_update = moment(&tbs.this_update);
        let next_update = tbs.next_update.as_ref().map(moment);
        if let Some(next_update) = next_update.filter(|next| *next < this_update) {
            return Err(RevocationListError::Dates { this_update, next_update });
        }
        Ok(Self {
            issuer: *issuer.fingerprint(),
            authority: *issuer.authority(),
            number: extensions.number,
            this_update,
            next_update,
            revoked: entries(tbs.revoked_certificates.as_deref().unwrap_or_default())?,
            digest: Digest::of(der),
        })
    }

    /// Whether `other`, of the same issuer, was made later.
    pub fn is_older_than(&self, other: &Self) -> bool {
        (self.this_update, self.number) < (other.this_update, other.number)
    }

    /// The entry for a serial number (as [`Certificate::serial`] gives it); `None` when that
    /// certificate is not revoked.
    pub fn find(&self, serial: &[u8]) -> Option<&Revoked> {
        let at = self.revoked.binary_search_by(|entry| entry.serial.as_slice().cmp(serial)).ok()?;
        self.revoked.get(at)
    }
}

/// What the extensions of a list say.
struct ListExtensions {
    number: u64,
    authority_key_id: Option<Vec<u8>>,
}

impl ListExtensions {
    fn read(all: &[Extension]) -> Result<Self, RevocationListError> {
        reject_duplicates(all).map_err(RevocationListError::DuplicateExtension)?;
        let (mut number, mut authority_key_id) = (None, None);
        for extension in all {
            let value = extension.extn_value.as_bytes();
            match extension.extn_id {
                ID_CE_CRL_NUMBER => number = number_of(value),
                ID_CE_AUTHORITY_KEY_IDENTIFIER => {
                    let id: AuthorityKeyIdentifier =
                        decode_exactly(value).ok_or_else(|| bad(extension.extn_id))?;
                    authority_key_id = id.key_identifier.map(|id| id.as_bytes().to_vec());
                }
                partial @ (ID_CE_DELTA_CRL_INDICATOR | ID_CE_ISSUING_DISTRIBUTION_POINT) => {
                    return Err(RevocationListError::Partial(partial.to_string()));
                }
                unknown if extension.critical => {
                    return Err(RevocationListError::UnknownCritical(unknown.to_string()));
                }
                _ => {}
            }
        }
        let number = number.ok_or(RevocationListError::Number)?;
        Ok(Self { number, authority_key_id })
    }
}

fn bad(id: ObjectIdentifier) -> RevocationListError {
    RevocationListError::BadExtension(id.to_string())
}

/// A list's number, when it is written in DER and has at most 64 bits.
fn number_of(value: &[u8]) -> Option<u64> {
    let number: CrlNumber = decode_exactly(value)?;
    let bytes = number.0.as_bytes();
    let mut padded = [0; 8];
    let start = padded.len().checked_sub(bytes.len())?;
    padded.get_mut(start..)?.copy_from_slice(bytes);
    Some(u64::from_be_bytes(padded))
}

/// The issuer whose key signed the list.
fn signed_by<'i>(
    name: &Name,
    extensions: &ListExtensions,
    envelope: &Envelope<'_>,
    issuers: &'i [Arc<Certificate>],
) -> Result<&'i Certificate, RevocationListError> {
    let mut named = issuers
        .iter()
        .filter(|issuer| issuer.signs_revocation_lists())
        .filter(|issuer| issuer.answers_to(name, extensions.authority_key_id.as_deref()))
        .peekable();
    if named.peek().is_none() {
        return Err(RevocationListError::IssuerUnknown(name.to_string()));
    }
    named
        .find(|issuer| issuer.key().verify(envelope.signed, envelope.signature))
        .map(|issuer| &**issuer)
        .ok_or_else(|| RevocationListError::SignatureInvalid(name.to_string()))
}

fn entries(listed: &[RevokedCert]) -> Result<Vec<Revoked>, RevocationListError> {
    if listed.len() > REVOKED_MAX {
        return Err(RevocationListError::TooMany(listed.len()));
    }
    let mut revoked = Vec::with_capacity(listed.len());
    for (index, entry) in listed.iter().enumerate() {
        revoked.push(Revoked {
            serial: serial(entry.serial_number.as_bytes())
                .ok_or(RevocationListError::Serial(index))?,
            at: moment(&entry.revocation_date),
            reason: reason_of(entry.crl_entry_extensions.as_deref().unwrap_or_default())?,
        });
    }
    revoked.sort_by(|a, b| a.serial.cmp(&b.serial));
    if revoked.windows(2).any(|pair| matches!(pair, [a, b] if a.serial == b.serial)) {
        return Err(RevocationListError::DuplicateSerial);
    }
    Ok(revoked)
}

/// The reason of an entry. A certificateIssuer, which makes a list indirect, is critical and so
/// refused here.
fn reason_of(all: &[Extension]) -> Result<u8, RevocationListError> {
    reject_duplicates(all).map_err(RevocationListError::DuplicateExtension)?;
    let mut reason = 0;
    for extension in all {
        if extension.extn_id == ID_CE_CRL_REASONS {
            let read: CrlReason = decode_exactly(extension.extn_value.as_bytes())
                .ok_or_else(|| bad(extension.extn_id))?;
            if read == CrlReason::RemoveFromCRL {
                return Err(RevocationListError::Partial("removeFromCRL".to_owned()));
            }
            reason = read as u8;
        } else if extension.critical {
            return Err(RevocationListError::UnknownCritical(extension.extn_id.to_string()));
        }
    }
    Ok(reason)
}

#[cfg(test)]
mod tests;
