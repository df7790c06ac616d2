//! Whom a certificate is for, from its key usages, alternative names and subject.

use const_oid::ObjectIdentifier;
use const_oid::db::rfc4519::{COMMON_NAME, TITLE};
use const_oid::db::rfc5280::{ID_KP_CLIENT_AUTH, ID_KP_SERVER_AUTH};
use der::asn1::{Any, PrintableStringRef, Utf8StringRef};
use der::flagset::FlagSet;
use der::{Tag, Tagged as _};
use lienthong_model::AgencyCode;
use lienthong_model::limits::TEXT_CHARS_MAX;
use x509_cert::ext::pkix::KeyUsages;
use x509_cert::ext::pkix::name::GeneralName;
use x509_cert::name::Name;

use super::CertificateError;
use super::extensions::Usage;

/// Longest id of a person, in characters.
const PERSON_CHARS_MAX: usize = 64;
/// documentSigning (RFC 9336).
const DOCUMENT_SIGNING: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.6.1.5.5.7.3.36");

/// Whom a certificate is for: the only source of a signature's role.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Holder {
    /// An authority that issues certificates.
    Authority {
        /// How many authorities may stand below it in a chain; without it, any number.
        path_len: Option<u8>,
    },
    /// A person who signs for an agency.
    Person {
        /// The agency.
        agency: AgencyCode,
        /// The person's id: 1 to 64 ASCII letters, digits, `-`, `.`, `_`.
        person: String,
        /// The full name (common name of the subject).
        name: String,
        /// The position (title of the subject).
        title: String,
    },
    /// An agency's seal.
    Seal {
        /// The agency.
        agency: AgencyCode,
    },
    /// An agency's node, which connects to the hub (TLS client).
    Node {
        /// The agency.
        agency: AgencyCode,
    },
    /// A person who operates or administers the hub for an agency (TLS client). What the person
    /// may do there is an appointment in the journal, not in the certificate.
    Operator {
        /// The agency.
        agency: AgencyCode,
        /// The person's id, as for [`Holder::Person`].
        person: String,
        /// The full name (common name of the subject).
        name: String,
        /// The position (title of the subject).
        title: String,
    },
    /// A hub (TLS server).
    Hub {
        /// The agency that runs it.
        agency: AgencyCode,
    },
}

/// What the alternative names of an end entity say.
#[derive(Default)]
struct Named<'a> {
    agencies: Vec<&'a str>,
    persons: Vec<&'a str>,
    hosts: usize,
    mailboxes: usize,
}

impl Holder {
    /// Stands before the agency's code in an alternative name. Stable.
    pub const AGENCY_URN: &str = "urn:lienthong:agency:";
    /// Stands before the person's id in an alternative name. Stable.
    pub const PERSON_URN: &str = "urn:lienthong:person:";

    /// The agency; `None` for an authority.
    pub fn agency(&self) -> Option<&AgencyCode> {
        match self {
            Self::Authority { .. } => None,
            Self::Person { agency, .. }
            | Self::Seal { agency }
            | Self::Node { agency }
            | Self::Operator { agency, .. }
            | Self::Hub { agency } => Some(agency),
        }
    }

    /// The kind, as `lienthong pki` names it in its output and register.
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Authority { .. } => "authority",
            Self::Person { .. } => "person",
            Self::Seal { .. } => "seal",
            Self::Node { .. } => "node",
            Self::Operator { .. } => "operator",
            Self::Hub { .. } => "hub",
        }
    }

    /// Whether documents may be signed with it: a person's or a seal's.
    pub const fn signs_documents(&self) -> bool {
        match self {
            Self::Person { .. } | Self::Seal { .. } => true,
            Self::Authority { .. }
            | Self::Node { .. }
            | Self::Operator { .. }
            | Self::Hub { .. } => false,
        }
    }

    /// An authority: keyCertSign, beside it at most cRLSign and digitalSignature, no purpose, no
    /// alternative name.
    pub(super) fn authority(
        path_len: Option<u8>,
        usage: &Usage,
        subject: &Name,
    ) -> Result<Self, CertificateError> {
        if subject.is_empty() {
            return Err(CertificateError::SubjectEmpty);
        }
        if let Some(name) = usage.names.first() {
            return Err(CertificateError::AuthorityWithName(shown(name)));
        }
        let allowed = KeyUsages::KeyCertSign | KeyUsages::CRLSign | KeyUsages::DigitalSignature;
        let fits = usage
            .key
            .is_some_and(|key| key.0.contains(KeyUsages::KeyCertSign) && allowed.contains(key.0));
        if !fits {
            return Err(CertificateError::KeyUsage { expected: "an authority" });
        }
        if usage.purposes.is_some() {
            return Err(CertificateError::AuthorityWithExtendedKeyUsage);
        }
        Ok(Self::Authority { path_len })
    }

    /// An end entity: exactly one purpose, the key usages that belong to it, one agency.
    pub(super) fn end_entity(usage: &Usage, subject: &Name) -> Result<Self, CertificateError> {
        let purpose = match usage.purposes.as_deref() {
            Some([only]) => *only,
            _ => return Err(CertificateError::ExtendedKeyUsage),
        };
        if purpose == DOCUMENT_SIGNING {
            let both = KeyUsages::DigitalSignature | KeyUsages::NonRepudiation;
            expect_key_usage(usage, both, "a signer of documents")?;
            Self::signer(Named::read(&usage.names)?, subject)
        } else if purpose == ID_KP_CLIENT_AUTH {
            expect_key_usage(usage, KeyUsages::DigitalSignature.into(), "a node or an operator")?;
            Self::caller(Named::read(&usage.names)?, subject)
        } else if purpose == ID_KP_SERVER_AUTH {
            expect_key_usage(usage, KeyUsages::DigitalSignature.into(), "a hub")?;
            Self::hub(Named::read(&usage.names)?)
        } else {
            Err(CertificateError::ExtendedKeyUsage)
        }
    }

    fn signer(named: Named<'_>, subject: &Name) -> Result<Self, CertificateError> {
        let agency = named.agency()?;
        named.no_host()?;
        Ok(match named.person(subject)? {
            None => Self::Seal { agency },
            Some((person, name, title)) => Self::Person { agency, person, name, title },
        })
    }

    /// A TLS client: with a person's id it is an operator's, without one a node's.
    fn caller(named: Named<'_>, subject: &Name) -> Result<Self, CertificateError> {
        let agency = named.agency()?;
        named.no_host()?;
        match named.person(subject)? {
            None => {
                named.no_person()?;
                Ok(Self::Node { agency })
            }
            Some((person, name, title)) => Ok(Self::Operator { agency, person, name, title }),
        }
    }

    fn hub(named: Named<'_>) -> Result<Self, CertificateError> {
        named.no_person()?;
        if named.hosts == 0 {
            return Err(CertificateError::HubWithoutName);
        }
        Ok(Self::Hub { agency: named.agency()? })
    }
}

impl<'a> Named<'a> {
    /// Sorts the alternative names; URIs other than the two of the profile and kinds other than
    /// DNS, IP and e-mail are refused.
    fn read(names: &'a [GeneralName]) -> Result<Self, CertificateError> {
        let mut named = Self::default();
        for name in names {
            match name {
                GeneralName::UniformResourceIdentifier(uri) => {
                    let uri: &str = uri.as_ref();
                    if let Some(code) = uri.strip_prefix(Holder::AGENCY_URN) {
                        named.agencies.push(code);
                    } else if let Some(id) = uri.strip_prefix(Holder::PERSON_URN) {
                        named.persons.push(id);
                    } else {
                        return Err(CertificateError::AlternativeName(uri.to_owned()));
                    }
                }
                GeneralName::DnsName(host) => {
                    let allowed =
                        |c: u8| c.is_ascii_alphanumeric() || matches!(c, b'-' | b'.' | b'*');
                    if host.as_bytes().is_empty() || !host.as_bytes().iter().copied().all(allowed) {
                        return Err(CertificateError::AlternativeName(shown(name)));
                    }
                    named.hosts += 1;
                }
                GeneralName::IpAddress(address) => {
                    if !matches!(address.as_bytes().len(), 4 | 16) {
                        return Err(CertificateError::AlternativeName(shown(name)));
                    }
                    named.hosts += 1;
                }
                GeneralName::Rfc822Name(_) => named.mailboxes += 1,
                GeneralName::OtherName(_)
                | GeneralName::DirectoryName(_)
                | GeneralName::EdiPartyName(_)
                | GeneralName::RegisteredId(_) => {
                    return Err(CertificateError::AlternativeName(shown(name)));
                }
            }
        }
        Ok(named)
    }

    fn agency(&self) -> Result<AgencyCode, CertificateError> {
        match self.agencies.as_slice() {
            [code] => Ok(AgencyCode::parse(code)?),
            other => Err(CertificateError::AgencyCount(other.len())),
        }
    }

    /// The id, full name and position of the one person that is named; `None` without one.
    fn person(&self, subject: &Name) -> Result<Option<(String, String, String)>, CertificateError> {
        match self.persons.as_slice() {
            [] => Ok(None),
            [person] => Ok(Some((
                person_id(person)?,
                subject_part(subject, COMMON_NAME, "common name")?,
                subject_part(subject, TITLE, "title")?,
            ))),
            several => Err(CertificateError::PersonCount(several.len())),
        }
    }

    /// Refuses the name of a machine.
    fn no_host(&self) -> Result<(), CertificateError> {
        if self.hosts > 0 {
            return Err(CertificateError::AlternativeName("DNS or IP".to_owned()));
        }
        Ok(())
    }

    /// Refuses what belongs to people only: a person's id, an e-mail address.
    fn no_person(&self) -> Result<(), CertificateError> {
        if !self.persons.is_empty() {
            return Err(CertificateError::PersonCount(self.persons.len()));
        }
        if self.mailboxes > 0 {
            return Err(CertificateError::AlternativeName("e-mail".to_owned()));
        }
        Ok(())
    }
}

fn expect_key_usage(
    usage: &Usage,
    exactly: FlagSet<KeyUsages>,
    expected: &'static str,
) -> Result<(), CertificateError> {
    if usage.key.is_some_and(|key| key.0 == exactly) {
        return Ok(());
    }
    Err(CertificateError::KeyUsage { expected })
}

fn person_id(text: &str) -> Result<String, CertificateError> {
    let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '.' | '_');
    if text.is_empty() || text.len() > PERSON_CHARS_MAX || !text.chars().all(allowed) {
        return Err(CertificateError::Person(text.to_owned()));
    }
    Ok(text.to_owned())
}

/// The only attribute of a kind in a name.
fn subject_part(
    subject: &Name,
    kind: ObjectIdentifier,
    called: &'static str,
) -> Result<String, CertificateError> {
    let mut found = subject.iter().filter(|part| part.oid == kind);
    let (Some(part), None) = (found.next(), found.next()) else {
        return Err(CertificateError::SubjectPart(called));
    };
    match text(&part.value) {
        Some(text)
            if !text.trim().is_empty()
                && text.chars().count() <= TEXT_CHARS_MAX
                && !text.chars().any(char::is_control) =>
        {
            Ok(text.to_owned())
        }
        _ => Err(CertificateError::SubjectPart(called)),
    }
}

fn text(value: &Any) -> Option<&str> {
    match value.tag() {
        Tag::Utf8String => Utf8StringRef::try_from(value).ok().map(|text| text.as_str()),
        Tag::PrintableString => PrintableStringRef::try_from(value).ok().map(|text| text.as_str()),
        _ => None,
    }
}

/// An alternative name for an error message.
fn shown(name: &GeneralName) -> String {
    match name {
        GeneralName::Rfc822Name(text)
        | GeneralName::DnsName(text)
        | GeneralName::UniformResourceIdentifier(text) => text.to_string(),
        GeneralName::DirectoryName(name) => name.to_string(),
        GeneralName::IpAddress(_) => "IP address".to_owned(),
        GeneralName::OtherName(_) => "other name".to_owned(),
        GeneralName::EdiPartyName(_) => "EDI party name".to_owned(),
        GeneralName::RegisteredId(id) => id.to_string(),
    }
}
