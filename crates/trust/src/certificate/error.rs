//! What can be wrong with a certificate, and which refusal it leads to.

use lienthong_model::limits::{CERTIFICATE_BYTES_MAX, TEXT_CHARS_MAX};
use lienthong_model::{CodeError, Reason, Timestamp};

use super::SERIAL_BYTES_MAX;
use crate::ed25519::{SIGNATURE_BYTES, WeakKey};

/// Which rule of the profile (docs/CERTIFICATES.md) a certificate breaks.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CertificateError {
    /// It is longer than the bound.
    #[error("a certificate has at most {CERTIFICATE_BYTES_MAX} bytes, this has {0}")]
    TooLarge(usize),
    /// The bytes are not a certificate in DER.
    #[error("the bytes are not a certificate in DER: {0}")]
    Undecodable(#[from] der::Error),
    /// The bytes can be read but are not in the one form that DER allows.
    #[error("the bytes are not in the one form that DER allows")]
    NotCanonical,
    /// It is not of version 3.
    #[error("the certificate is not of version 3")]
    Version,
    /// The serial number is not positive or too long.
    #[error("the serial number is not positive or has more than {SERIAL_BYTES_MAX} bytes")]
    Serial,
    /// It carries a unique identifier, which RFC 5280 forbids issuers to write.
    #[error("the certificate carries a unique identifier")]
    UniqueId,
    /// The issuer has no name.
    #[error("the issuer's name is empty")]
    IssuerEmpty,
    /// An authority has no name.
    #[error("the subject of an authority is empty")]
    SubjectEmpty,
    /// The two places that name the signature's algorithm disagree.
    #[error("the signature's algorithm differs inside and outside of what is signed")]
    AlgorithmsDiffer,
    /// It is signed with something else than Ed25519 without parameters.
    #[error("the certificate is signed with `{0}`, not with Ed25519")]
    SignatureAlgorithm(String),
    /// The signature has another length than an Ed25519 signature.
    #[error("an Ed25519 signature has {SIGNATURE_BYTES} bytes, this has {0}")]
    SignatureLength(usize),
    /// Its validity ends before it begins.
    #[error("the validity ends at {not_after}, before it begins at {not_before}")]
    Validity {
        /// Where it begins.
        not_before: Timestamp,
        /// Where it ends.
        not_after: Timestamp,
    },
    /// The key is for something else than Ed25519 without parameters.
    #[error("the key is for `{0}`, not for Ed25519")]
    KeyAlgorithm(String),
    /// The key is no sound Ed25519 key.
    #[error(transparent)]
    Key(#[from] WeakKey),
    /// An extension stands twice.
    #[error("the extension `{0}` stands twice")]
    DuplicateExtension(String),
    /// An extension must be understood and is not.
    #[error("the critical extension `{0}` is not known")]
    UnknownCritical(String),
    /// An extension limits the issuer in a way that is not supported.
    #[error("the extension `{0}` is not allowed")]
    ForbiddenExtension(String),
    /// An extension's value is not in its DER form, or of a length out of bounds.
    #[error("the extension `{0}` cannot be decoded")]
    BadExtension(String),
    /// An authority's basicConstraints is not critical.
    #[error("the basicConstraints of an authority are not critical")]
    ConstraintsNotCritical,
    /// A path length without the CA flag.
    #[error("the basicConstraints have a path length but not the CA flag")]
    PathLenWithoutAuthority,
    /// An authority names an agency or a person.
    #[error("an authority has the alternative name `{0}`")]
    AuthorityWithName(String),
    /// keyUsage is missing or does not fit.
    #[error("the key usage is not that of {expected}")]
    KeyUsage {
        /// For whom it was compared.
        expected: &'static str,
    },
    /// extendedKeyUsage is missing or does not fit.
    #[error("the extended key usage is not one of documentSigning, clientAuth and serverAuth")]
    ExtendedKeyUsage,
    /// An authority is limited by extendedKeyUsage.
    #[error("an authority has an extended key usage")]
    AuthorityWithExtendedKeyUsage,
    /// Not exactly one agency is named.
    #[error("an end entity names exactly one agency (`urn:lienthong:agency:<code>`), this {0}")]
    AgencyCount(usize),
    /// The agency named is not an agency code.
    #[error("the agency in the certificate: {0}")]
    Agency(#[from] CodeError),
    /// More than one person, or a person where none belongs.
    #[error("the certificate names {0} persons (`urn:lienthong:person:<id>`)")]
    PersonCount(usize),
    /// The person's id has a character or length that is not allowed.
    #[error("`{0}` is not a person's id (1 to 64 letters, digits, `-`, `.`, `_`)")]
    Person(String),
    /// An alternative name that does not belong there.
    #[error("the alternative name `{0}` is not allowed in this certificate")]
    AlternativeName(String),
    /// A hub has neither a DNS name nor an IP address.
    #[error("a hub's certificate has neither a DNS name nor an IP address")]
    HubWithoutName,
    /// A part of a person's name is missing, double, blank, too long or of another string type.
    #[error(
        "a person's subject has exactly one {0}, as UTF8String or PrintableString, \
         of 1 to {TEXT_CHARS_MAX} characters without control characters"
    )]
    SubjectPart(&'static str),
}

impl CertificateError {
    /// The code that a refusal for it gives.
    pub fn reason(&self) -> Reason {
        match self {
            Self::Key(_) | Self::KeyAlgorithm(_) => Reason::CertificateKeyWeak,
            Self::KeyUsage { .. }
            | Self::ExtendedKeyUsage
            | Self::AuthorityWithExtendedKeyUsage => Reason::CertificateUnsuitable,
            Self::TooLarge(_)
            | Self::Undecodable(_)
            | Self::NotCanonical
            | Self::Version
            | Self::Serial
            | Self::UniqueId
            | Self::IssuerEmpty
            | Self::SubjectEmpty
            | Self::AlgorithmsDiffer
            | Self::SignatureAlgorithm(_)
            | Self::SignatureLength(_)
            | Self::Validity { .. }
            | Self::DuplicateExtension(_)
            | Self::UnknownCritical(_)
            | Self::ForbiddenExtension(_)
            | Self::BadExtension(_)
            | Self::ConstraintsNotCritical
            | Self::PathLenWithoutAuthority
            | Self::AuthorityWithName(_)
            | Self::AgencyCount(_)
            | Self::Agency(_)
            | Self::PersonCount(_)
            | Self::Person(_)
            | Self::AlternativeName(_)
            | Self::HubWithoutName
            | Self::SubjectPart(_) => Reason::CertificateMalformed,
        }
    }
}
