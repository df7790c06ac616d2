//! The extensions of a certificate (RFC 5280, section 4.2): which are read, which are left alone,
//! which are refused.

use std::collections::HashSet;

use const_oid::db::rfc5280::{
    ID_CE_AUTHORITY_KEY_IDENTIFIER, ID_CE_BASIC_CONSTRAINTS, ID_CE_EXT_KEY_USAGE,
    ID_CE_INHIBIT_ANY_POLICY, ID_CE_KEY_USAGE, ID_CE_NAME_CONSTRAINTS, ID_CE_POLICY_CONSTRAINTS,
    ID_CE_SUBJECT_ALT_NAME, ID_CE_SUBJECT_KEY_IDENTIFIER,
};
use const_oid::{AssociatedOid, ObjectIdentifier};
use der::asn1::OctetString;
use der::{Decode, Encode};
use x509_cert::TbsCertificate;
use x509_cert::ext::Extension;
use x509_cert::ext::pkix::name::GeneralName;
use x509_cert::ext::pkix::{
    AuthorityKeyIdentifier, BasicConstraints, ExtendedKeyUsage, KeyUsage, KeyUsages,
    SubjectAltName, SubjectKeyIdentifier,
};

use super::{CertificateError, Holder};

/// Longest key identifier, in bytes.
const KEY_ID_BYTES_MAX: usize = 64;

/// Extensions that are read here; they may be critical.
const READ: [ObjectIdentifier; 6] = [
    ID_CE_BASIC_CONSTRAINTS,
    ID_CE_KEY_USAGE,
    ID_CE_EXT_KEY_USAGE,
    ID_CE_SUBJECT_ALT_NAME,
    ID_CE_SUBJECT_KEY_IDENTIFIER,
    ID_CE_AUTHORITY_KEY_IDENTIFIER,
];

/// Extensions that bind the issuer in a way that is not checked here: refused even when they are
/// not marked critical, as RFC 5280 wants them to be.
const FORBIDDEN: [ObjectIdentifier; 3] =
    [ID_CE_NAME_CONSTRAINTS, ID_CE_POLICY_CONSTRAINTS, ID_CE_INHIBIT_ANY_POLICY];

/// What the extensions of a certificate say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Extensions {
    pub(super) holder: Holder,
    pub(super) signs_lists: bool,
    pub(super) subject_key_id: Option<Vec<u8>>,
    pub(super) authority_key_id: Option<Vec<u8>>,
}

/// The values from which the holder follows.
pub(super) struct Usage {
    pub(super) key: Option<KeyUsage>,
    pub(super) purposes: Option<Vec<ObjectIdentifier>>,
    pub(super) names: Vec<GeneralName>,
}

impl Extensions {
    /// Reads them and works out whom the certificate is for.
    pub(super) fn read(tbs: &TbsCertificate) -> Result<Self, CertificateError> {
        let all = tbs.extensions().map(Vec::as_slice).unwrap_or_default();
        reject_duplicates(all).map_err(CertificateError::DuplicateExtension)?;
        for extension in all {
            let id = extension.extn_id;
            if FORBIDDEN.contains(&id) {
                return Err(CertificateError::ForbiddenExtension(id.to_string()));
            }
            if extension.critical && !READ.contains(&id) {
                return Err(CertificateError::UnknownCritical(id.to_string()));
            }
        }
        let usage = Usage {
            key: value::<KeyUsage>(all)?.map(|(_, usage)| usage),
            purposes: value::<ExtendedKeyUsage>(all)?.map(|(_, usage)| usage.0),
            names: value::<SubjectAltName>(all)?.map(|(_, names)| names.0).unwrap_or_default(),
        };
        let holder = match authority(all)? {
            Some(path_len) => Holder::authority(path_len, &usage, tbs.subject())?,
            None => Holder::end_entity(&usage, tbs.subject())?,
        };
        let signs_lists = matches!(holder, Holder::Authority { .. })
            && usage.key.is_some_and(|key| key.0.contains(KeyUsages::CRLSign));
        Ok(Self {
            holder,
            signs_lists,
            subject_key_id: key_id::<SubjectKeyIdentifier>(
                value::<SubjectKeyIdentifier>(all)?.map(|(_, id)| id.0),
            )?,
            authority_key_id: key_id::<AuthorityKeyIdentifier>(
                value::<AuthorityKeyIdentifier>(all)?.and_then(|(_, id)| id.key_identifier),
            )?,
        })
    }
}

/// Whether an extension stands twice, and which.
pub(crate) fn reject_duplicates(all: &[Extension]) -> Result<(), String> {
    let mut seen = HashSet::with_capacity(all.len());
    match all.iter().find(|extension| !seen.insert(extension.extn_id)) {
        Some(twice) => Err(twice.extn_id.to_string()),
        None => Ok(()),
    }
}

/// Decodes a value that must be in the one form that DER gives it; `None` for any other.
pub(crate) fn decode_exactly<T>(bytes: &[u8]) -> Option<T>
where
    T: for<'a> Decode<'a> + Encode,
{
    let decoded = T::from_der(bytes).ok()?;
    (decoded.to_der().ok()? == bytes).then_some(decoded)
}

/// The one extension of a kind, and whether it is critical.
fn value<T>(all: &[Extension]) -> Result<Option<(bool, T)>, CertificateError>
where
    T: AssociatedOid + for<'a> Decode<'a> + Encode,
{
    let Some(extension) = all.iter().find(|extension| extension.extn_id == T::OID) else {
        return Ok(None);
    };
    match decode_exactly(extension.extn_value.as_bytes()) {
        Some(decoded) => Ok(Some((extension.critical, decoded))),
        None => Err(CertificateError::BadExtension(T::OID.to_string())),
    }
}

/// The path length of an authority (its own option inside); `None` for an end entity.
fn authority(all: &[Extension]) -> Result<Option<Option<u8>>, CertificateError> {
    let Some((critical, constraints)) = value::<BasicConstraints>(all)? else {
        return Ok(None);
    };
    match (constraints.ca, constraints.path_len_constraint) {
        (true, _) if !critical => Err(CertificateError::ConstraintsNotCritical),
        (true, path_len) => Ok(Some(path_len)),
        (false, Some(_)) => Err(CertificateError::PathLenWithoutAuthority),
        (false, None) => Ok(None),
    }
}

fn key_id<T: AssociatedOid>(id: Option<OctetString>) -> Result<Option<Vec<u8>>, CertificateError> {
    match id {
        None => Ok(None),
        Some(id) if (1..=KEY_ID_BYTES_MAX).contains(&id.as_bytes().len()) => {
            Ok(Some(id.into_bytes().into()))
        }
        Some(_) => Err(CertificateError::BadExtension(T::OID.to_string())),
    }
}
