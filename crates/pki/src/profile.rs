//! What a certificate says of its holder, as docs/CERTIFICATES.md lays down: subject and
//! extensions. The reading side of the same page is `lienthong_trust::Holder`.

use std::net::IpAddr;

use const_oid::ObjectIdentifier;
use const_oid::db::rfc4519::{COMMON_NAME, COUNTRY_NAME, ORGANIZATION_NAME, TITLE};
use const_oid::db::rfc5280::{ID_KP_CLIENT_AUTH, ID_KP_SERVER_AUTH};
use der::asn1::{Any, Ia5String, PrintableStringRef, SetOfVec, Utf8StringRef};
use der::flagset::FlagSet;
use lienthong_model::AgencyCode;
use lienthong_trust::Holder;
use x509_cert::attr::AttributeTypeAndValue;
use x509_cert::ext::pkix::name::GeneralName;
use x509_cert::ext::pkix::{
    BasicConstraints, ExtendedKeyUsage, KeyUsage, KeyUsages, SubjectAltName,
};
use x509_cert::ext::{Extension, ToExtension as _};
use x509_cert::name::{Name, RdnSequence, RelativeDistinguishedName};

/// documentSigning (RFC 9336).
const DOCUMENT_SIGNING: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.6.1.5.5.7.3.36");

/// Whom a certificate is made for.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Profile {
    /// A person who signs for an agency.
    Person {
        /// The agency.
        agency: AgencyCode,
        /// The person's id: 1 to 64 ASCII letters, digits, `-`, `.`, `_`.
        person: String,
        /// The full name.
        name: String,
        /// The position.
        title: String,
    },
    /// An agency's seal.
    Seal {
        /// The agency.
        agency: AgencyCode,
    },
    /// An agency's node (TLS client).
    Node {
        /// The agency.
        agency: AgencyCode,
    },
    /// A person who operates or administers the hub for an agency (TLS client).
    Operator {
        /// The agency.
        agency: AgencyCode,
        /// The person's id: 1 to 64 ASCII letters, digits, `-`, `.`, `_`.
        person: String,
        /// The full name.
        name: String,
        /// The position.
        title: String,
    },
    /// A hub (TLS server).
    Hub {
        /// The agency that runs it.
        agency: AgencyCode,
        /// DNS names and IP addresses under which it is reached; at least one.
        names: Vec<String>,
    },
}

impl Profile {
    /// The agency.
    pub fn agency(&self) -> &AgencyCode {
        match self {
            Self::Person { agency, .. }
            | Self::Seal { agency }
            | Self::Node { agency }
            | Self::Operator { agency, .. }
            | Self::Hub { agency, .. } => agency,
        }
    }

    /// What the files of this holder are called, without folder and ending: `node`, `seal`, `hub`,
    /// `person-<id>`, `operator-<id>`.
    pub fn stem(&self) -> String {
        match self {
            Self::Person { person, .. } => format!("person-{person}"),
            Self::Seal { .. } => "seal".to_owned(),
            Self::Node { .. } => "node".to_owned(),
            Self::Operator { person, .. } => format!("operator-{person}"),
            Self::Hub { .. } => "hub".to_owned(),
        }
    }

    /// The label under which a key is derived from a seed.
    pub fn key_label(&self) -> String {
        format!("{} {}", self.agency(), self.stem())
    }

    /// The subject: country, agency's code, name, for a person and an operator the title.
    pub(crate) fn subject(&self) -> der::Result<RdnSequence> {
        let code = self.agency().as_str();
        let parts = match self {
            Self::Person { name, title, .. } | Self::Operator { name, title, .. } => {
                vec![(ORGANIZATION_NAME, code), (COMMON_NAME, name), (TITLE, title)]
            }
            Self::Seal { .. } => vec![(ORGANIZATION_NAME, code), (COMMON_NAME, "seal")],
            Self::Node { .. } => vec![(ORGANIZATION_NAME, code), (COMMON_NAME, "node")],
            Self::Hub { .. } => vec![(ORGANIZATION_NAME, code), (COMMON_NAME, "hub")],
        };
        distinguished_name(&parts)
    }

    /// The extensions that say whom it is for; key identifiers are the issuer's business.
    pub(crate) fn extensions(&self) -> der::Result<Vec<Extension>> {
        let signature: FlagSet<KeyUsages> = KeyUsages::DigitalSignature.into();
        let (usage, purpose) = match self {
            Self::Person { .. } | Self::Seal { .. } => {
                (signature | KeyUsages::NonRepudiation, DOCUMENT_SIGNING)
            }
            Self::Node { .. } | Self::Operator { .. } => (signature, ID_KP_CLIENT_AUTH),
            Self::Hub { .. } => (signature, ID_KP_SERVER_AUTH),
        };
        let constraints = BasicConstraints { ca: false, path_len_constraint: None };
        extension_list(&[
            &|subject, all| (&constraints).to_extension(subject, all),
            &|subject, all| (&KeyUsage(usage)).to_extension(subject, all),
            &|subject, all| (&ExtendedKeyUsage(vec![purpose])).to_extension(subject, all),
            &|subject, all| (false, &SubjectAltName(self.names()?)).to_extension(subject, all),
        ])
    }

    /// The alternative names.
    pub(crate) fn names(&self) -> der::Result<Vec<GeneralName>> {
        let mut names = vec![uri(Holder::AGENCY_URN, self.agency().as_str())?];
        match self {
            Self::Person { person, .. } | Self::Operator { person, .. } => {
                names.push(uri(Holder::PERSON_URN, person)?);
            }
            Self::Hub { names: hosts, .. } => {
                for host in hosts {
                    names.push(match host.parse::<IpAddr>() {
                        Ok(address) => GeneralName::from(address),
                        Err(_) => GeneralName::DnsName(Ia5String::new(host)?),
                    });
                }
            }
            Self::Seal { .. } | Self::Node { .. } => {}
        }
        Ok(names)
    }
}

/// The extensions of an authority: any number of certificates, lists, at most `path_len`
/// authorities below it.
pub(crate) fn authority_extensions(path_len: Option<u8>) -> der::Result<Vec<Extension>> {
    let constraints = BasicConstraints { ca: true, path_len_constraint: path_len };
    let usage = KeyUsage(KeyUsages::KeyCertSign | KeyUsages::CRLSign);
    extension_list(&[&|subject, all| (&constraints).to_extension(subject, all), &|subject, all| {
        (&usage).to_extension(subject, all)
    }])
}

/// The subject of an authority.
pub(crate) fn authority_subject(name: &str) -> der::Result<RdnSequence> {
    distinguished_name(&[(COMMON_NAME, name)])
}

type MakeExtension<'a> = &'a dyn Fn(&Name, &[Extension]) -> der::Result<Extension>;

fn extension_list(makers: &[MakeExtension<'_>]) -> der::Result<Vec<Extension>> {
    // Which extensions are critical follows from their kind alone; the subject is never empty.
    let subject = Name::default();
    makers.iter().map(|make| make(&subject, &[])).collect()
}

fn uri(prefix: &str, id: &str) -> der::Result<GeneralName> {
    Ok(GeneralName::UniformResourceIdentifier(Ia5String::new(&format!("{prefix}{id}"))?))
}

/// A name of `C=VN` and the parts, one attribute each.
fn distinguished_name(parts: &[(ObjectIdentifier, &str)]) -> der::Result<RdnSequence> {
    let mut name = RdnSequence::default();
    let country = Any::encode_from(&PrintableStringRef::new("VN")?)?;
    name.push(single(COUNTRY_NAME, country)?);
    for (kind, text) in parts {
        name.push(single(*kind, Any::encode_from(&Utf8StringRef::new(text)?)?)?);
    }
    Ok(name)
}

fn single(oid: ObjectIdentifier, value: Any) -> der::Result<RelativeDistinguishedName> {
    Ok(SetOfVec::try_from(vec![AttributeTypeAndValue { oid, value }])?.into())
}
