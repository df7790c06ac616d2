//! Authorities: what issues certificates and revocation lists.

use std::sync::Arc;

use bytes::Bytes;
use der::asn1::{Any, Uint};
use der::{Decode as _, Encode as _};
use lienthong_model::Timestamp;
use lienthong_trust::{Certificate, CertificateError, Holder, PublicKey, Revoked};
use sha2::{Digest as _, Sha256};
use x509_cert::Version;
use x509_cert::crl::{CertificateList, RevokedCert, TbsCertList};
use x509_cert::ext::Extension;
use x509_cert::ext::pkix::{CrlNumber, CrlReason};
use x509_cert::name::{Name, RdnSequence};
use x509_cert::serial_number::SerialNumber;

use crate::form::{self, date};
use crate::key::{self, KeyError, SecretKey};
use crate::pem::{self, PemError};
use crate::profile::{Profile, authority_extensions, authority_subject};

/// From when to when a certificate is valid, both ends included, in whole seconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Validity {
    /// The first moment.
    pub not_before: Timestamp,
    /// The last moment.
    pub not_after: Timestamp,
}

/// How a certificate gets its serial number: 16 bytes, of which the first is 0x40 to 0x7f.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Serial {
    /// From the hash of everything else in the certificate: the same certificate twice, and never
    /// the same number for two different ones.
    Derived,
    /// From these bytes; two bits of the first are overwritten.
    Of([u8; 16]),
}

/// A certificate of an authority and its secret key.
#[derive(Debug, Clone)]
pub struct Authority {
    certificate: Arc<Certificate>,
    key: SecretKey,
}

/// Why nothing was issued.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum IssueError {
    /// A date cannot be written in a certificate.
    #[error("the date {0} is not between 1970 and 9999")]
    Date(Timestamp),
    /// A text or number cannot be written.
    #[error("a value cannot be written: {0}")]
    Encode(#[from] der::Error),
    /// What was asked for breaks the profile.
    #[error("the certificate would break the profile: {0}")]
    Profile(#[from] CertificateError),
    /// A reason for a revocation that does not exist.
    #[error("{0} is not a reason for a revocation (RFC 5280, section 5.3.1)")]
    Reason(u8),
}

/// Why there is no authority in the texts given.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AuthorityError {
    /// The certificate's text is not PEM.
    #[error(transparent)]
    Pem(#[from] PemError),
    /// The certificate cannot be read.
    #[error(transparent)]
    Certificate(#[from] CertificateError),
    /// The key cannot be read.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// The certificate is not an authority's.
    #[error("the certificate is not an authority's")]
    NotAnAuthority,
    /// The key is not the certificate's.
    #[error("the secret key does not belong to the certificate")]
    KeyDiffers,
}

impl Serial {
    /// A random serial number.
    ///
    /// # Errors
    /// [`KeyError::Random`] when the operating system gives no random bytes.
    pub fn random() -> Result<Self, KeyError> {
        Ok(Self::Of(key::random()?))
    }
}

impl Authority {
    /// Makes a root: it signs itself. The same parameters give the same bytes.
    ///
    /// # Errors
    /// [`IssueError`] when the name or a date cannot be written.
    pub fn root(name: &str, validity: Validity, key: SecretKey) -> Result<Self, IssueError> {
        let subject = authority_subject(name)?;
        let issuer = Issuer { name: any(&subject)?, key_id: None, key: &key };
        let public = key.public_bytes();
        let extensions = authority_extensions(None)?;
        let der = issuer.issue(&subject, extensions, &public, validity, Serial::Derived)?;
        Ok(Self { certificate: Arc::new(Certificate::parse(der.into())?), key })
    }

    /// Makes an authority below this one; at most `path_len` authorities may stand below it.
    ///
    /// # Errors
    /// [`IssueError`] when the name or a date cannot be written.
    pub fn issuing_authority(
        &self,
        name: &str,
        validity: Validity,
        key: SecretKey,
        path_len: u8,
    ) -> Result<Self, IssueError> {
        let extensions = authority_extensions(Some(path_len))?;
        let subject = authority_subject(name)?;
        let public = key.public_bytes();
        let der = self.issuer()?.issue(&subject, extensions, &public, validity, Serial::Derived)?;
        Ok(Self { certificate: Arc::new(Certificate::parse(der.into())?), key })
    }

    /// Takes up an authority from its certificate and its key, both in PEM.
    ///
    /// # Errors
    /// [`AuthorityError`] when one cannot be read or they do not belong together.
    pub fn from_pem(certificate: &str, key: &str) -> Result<Self, AuthorityError> {
        let der = pem::decode(pem::CERTIFICATE, certificate)?;
        let certificate = Certificate::parse(der.into())?;
        let key = SecretKey::from_pkcs8_pem(key)?;
        if !matches!(certificate.holder(), Holder::Authority { .. }) {
            return Err(AuthorityError::NotAnAuthority);
        }
        if certificate.key().as_bytes() != &key.public_bytes() {
            return Err(AuthorityError::KeyDiffers);
        }
        Ok(Self { certificate: Arc::new(certificate), key })
    }

    /// The authority's certificate.
    pub fn certificate(&self) -> &Arc<Certificate> {
        &self.certificate
    }

    /// The authority's secret key.
    pub fn key(&self) -> &SecretKey {
        &self.key
    }

    /// Issues a certificate. What comes back was read by `trust`, which would have refused it
    /// otherwise.
    ///
    /// # Errors
    /// [`IssueError`] when the profile's texts or the dates are not what the page allows.
    pub fn issue(
        &self,
        profile: &Profile,
        key: &PublicKey,
        validity: Validity,
        serial: Serial,
    ) -> Result<Certificate, IssueError> {
        let subject = profile.subject()?;
        let extensions = profile.extensions()?;
        let der = self.issuer()?.issue(&subject, extensions, key.as_bytes(), validity, serial)?;
        Ok(Certificate::parse(der.into())?)
    }

    /// Issues a complete revocation list in DER (version 2). `number` must be higher than that of
    /// the last list; the order of `revoked` does not matter.
    ///
    /// # Errors
    /// [`IssueError`] when a date, serial number or reason cannot be written.
    pub fn revocation_list(
        &self,
        number: u64,
        this_update: Timestamp,
        next_update: Timestamp,
        revoked: &[Revoked],
    ) -> Result<Bytes, IssueError> {
        let mut sorted: Vec<&Revoked> = revoked.iter().collect();
        sorted.sort_by(|a, b| a.serial.cmp(&b.serial));
        let entries = sorted.into_iter().map(revoked_form).collect::<Result<Vec<_>, _>>()?;
        let tbs: TbsCertList = TbsCertList {
            version: Version::V2,
            signature: form::ed25519(),
            issuer: Name::from_der(self.certificate.subject().as_der())?,
            this_update: date(this_update)?,
            next_update: Some(date(next_update)?),
            revoked_certificates: (!entries.is_empty()).then_some(entries),
            crl_extensions: Some(vec![
                form::authority_key_id(self.key_id()?.as_bytes())?,
                form::extension(&CrlNumber::try_from(number)?)?,
            ]),
        };
        let der = form::signed(&tbs.to_der()?, &self.key)?;
        // Written and read by the same library: the check is that both sides of it agree.
        CertificateList::<x509_cert::certificate::Rfc5280>::from_der(&der)?;
        Ok(der.into())
    }

    fn key_id(&self) -> der::Result<der::asn1::OctetString> {
        match self.certificate.subject_key_id() {
            Some(id) => der::asn1::OctetString::new(id),
            None => form::key_id(self.certificate.key().as_bytes()),
        }
    }

    fn issuer(&self) -> Result<Issuer<'_>, IssueError> {
        let name = Any::from_der(self.certificate.subject().as_der())?;
        Ok(Issuer { name, key_id: self.certificate.subject_key_id(), key: &self.key })
    }
}

/// What of an issuer goes into the certificates that it signs.
struct Issuer<'a> {
    name: Any,
    /// `None` for a root, which names its own key.
    key_id: Option<&'a [u8]>,
    key: &'a SecretKey,
}

impl Issuer<'_> {
    /// Puts a certificate together and signs it.
    fn issue(
        self,
        subject: &RdnSequence,
        mut extensions: Vec<Extension>,
        public_key: &[u8; 32],
        validity: Validity,
        serial: Serial,
    ) -> Result<Vec<u8>, IssueError> {
        let own_id = form::key_id(public_key)?;
        extensions.push(form::subject_key_id(public_key)?);
        extensions.push(form::authority_key_id(self.key_id.unwrap_or(own_id.as_bytes()))?);
        let key = self.key;
        let mut tbs = form::tbs(self.name, any(subject)?, extensions, public_key, validity)?;
        let number = match serial {
            Serial::Of(bytes) => bytes,
            Serial::Derived => {
                let hash = Sha256::digest(tbs.to_der()?);
                std::array::from_fn(|at| hash.get(at).copied().unwrap_or_default())
            }
        };
        tbs.serial = positive(number)?;
        Ok(form::signed(&tbs.to_der()?, key)?)
    }
}

fn any(name: &RdnSequence) -> der::Result<Any> {
    Any::encode_from(name)
}

/// A number of 16 bytes that is positive and has no leading zeros.
fn positive(mut bytes: [u8; 16]) -> der::Result<Uint> {
    if let Some(first) = bytes.first_mut() {
        *first = *first & 0x3f | 0x40;
    }
    Uint::new(&bytes)
}

fn revoked_form(entry: &Revoked) -> Result<RevokedCert, IssueError> {
    let reason = match entry.reason {
        0 => None,
        number => Some(reason_form(number).ok_or(IssueError::Reason(number))?),
    };
    let extensions = reason.map(|reason| Ok::<_, der::Error>(vec![form::extension(&reason)?]));
    Ok(RevokedCert {
        serial_number: SerialNumber::new(&entry.serial)?,
        revocation_date: date(entry.at)?,
        crl_entry_extensions: extensions.transpose()?,
    })
}

fn reason_form(number: u8) -> Option<CrlReason> {
    Some(match number {
        1 => CrlReason::KeyCompromise,
        2 => CrlReason::CaCompromise,
        3 => CrlReason::AffiliationChanged,
        4 => CrlReason::Superseded,
        5 => CrlReason::CessationOfOperation,
        6 => CrlReason::CertificateHold,
        9 => CrlReason::PrivilegeWithdrawn,
        10 => CrlReason::AaCompromise,
        _ => return None,
    })
}

#[cfg(test)]
mod tests;
