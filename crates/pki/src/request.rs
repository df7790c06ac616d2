//! Certification requests (PKCS#10, RFC 2986): an agency keeps its key and asks for a
//! certificate.
//!
//! A request is read for what it asks, not obeyed: what comes of it is one of the profiles or a
//! refusal. Whether the one who sent it may have that profile is for people to decide.

use std::net::{Ipv4Addr, Ipv6Addr};

use der::asn1::{AnyRef, BitStringRef, SetOfVec};
use der::{Decode as _, Encode as _, Reader as _, SliceReader};
use lienthong_model::Timestamp;
use lienthong_trust::{Certificate, CertificateError, Holder, PublicKey, WeakKey};
use x509_cert::attr::Attribute;
use x509_cert::ext::Extension;
use x509_cert::ext::pkix::name::{GeneralName, GeneralNames};
use x509_cert::name::Name;
use x509_cert::request::{CertReq, CertReqInfo, ExtensionReq};
use x509_cert::spki::AlgorithmIdentifierRef;

use crate::authority::{Authority, IssueError, Serial, Validity};
use crate::form;
use crate::key::SecretKey;
use crate::pem::{self, PemError};
use crate::profile::Profile;

/// Largest request, in bytes of DER.
const REQUEST_BYTES_MAX: usize = 8 * 1024;

/// A request whose own signature holds and that asks for one of the profiles.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    profile: Profile,
    key: PublicKey,
}

/// Why a request is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RequestError {
    /// The text is not PEM.
    #[error(transparent)]
    Pem(#[from] PemError),
    /// It is longer than the bound.
    #[error("a request has at most {REQUEST_BYTES_MAX} bytes, this has {0}")]
    TooLarge(usize),
    /// The bytes are not a request in DER.
    #[error("the bytes are not a request in DER: {0}")]
    Undecodable(#[from] der::Error),
    /// The key is not a sound Ed25519 key.
    #[error(transparent)]
    Key(#[from] WeakKey),
    /// The key or the signature is for something else than Ed25519.
    #[error("the request uses `{0}`, not Ed25519")]
    Algorithm(String),
    /// The request is not signed with the key that it shows.
    #[error("the request is not signed with its own key")]
    SignatureInvalid,
    /// It asks for something that no profile allows.
    #[error("the request fits no profile: {0}")]
    Profile(#[from] CertificateError),
    /// It asks for an authority's certificate.
    #[error("a request cannot ask for an authority's certificate")]
    Authority,
    /// It asks for something that its profile does not have.
    #[error("the request asks for `{0}` beyond its profile")]
    Beyond(String),
}

/// Makes a request for a profile, signed with the key, in PEM. The same parameters give the same
/// text.
///
/// # Errors
/// [`IssueError::Encode`] when a text cannot be written.
pub fn request(profile: &Profile, key: &SecretKey) -> Result<String, IssueError> {
    let asked = ExtensionReq(profile.extensions()?);
    let info = CertReqInfo {
        version: x509_cert::request::Version::V1,
        subject: Name::from_der(&profile.subject()?.to_der()?)?,
        public_key: form::key_form(&key.public_bytes())?,
        attributes: SetOfVec::try_from(vec![Attribute::try_from(asked)?])?,
    };
    let der = form::signed(&info.to_der()?, key)?;
    pem::encode(pem::REQUEST, &der)
        .map_err(|_| IssueError::Encode(der::ErrorKind::Overlength.into()))
}

impl Request {
    /// Reads a request in PEM, checks that its own key signed it, and works out which profile it
    /// asks for. Attributes of the subject other than name and title are not taken over.
    ///
    /// # Errors
    /// [`RequestError`] names what is wrong or goes beyond the profile.
    pub fn parse(text: &str) -> Result<Self, RequestError> {
        let der = pem::decode(pem::REQUEST, text)?;
        if der.len() > REQUEST_BYTES_MAX {
            return Err(RequestError::TooLarge(der.len()));
        }
        let asked = CertReq::from_der(&der)?;
        let key = proven_key(&der, &asked)?;
        let extensions = asked_extensions(&asked)?;
        let holder = Self::judge(&asked, extensions.clone(), &key)?;
        let names = alternative_names(&extensions)?;
        let profile = profile_of(holder, &names)?;
        reject_beyond(&profile, &extensions, names)?;
        Ok(Self { profile, key })
    }

    /// What it asks for.
    pub fn profile(&self) -> &Profile {
        &self.profile
    }

    /// The key to be certified; the request proves that its sender has the secret part.
    pub fn key(&self) -> &PublicKey {
        &self.key
    }

    /// Lets `trust`, the only judge of profiles, read the certificate that was asked for. The
    /// draft has no signature and does not leave this function.
    fn judge(
        asked: &CertReq,
        extensions: Vec<Extension>,
        key: &PublicKey,
    ) -> Result<Holder, RequestError> {
        let epoch = Timestamp::from_millis(0);
        let validity = Validity { not_before: epoch, not_after: epoch };
        let subject = der::asn1::Any::encode_from(&asked.info.subject)?;
        let draft = form::tbs(form::draft_issuer()?, subject, extensions, key.as_bytes(), validity)
            .map_err(|_| RequestError::Undecodable(der::ErrorKind::Failed.into()))?;
        let der = form::with_signature(&draft.to_der()?, &[0; 64])?;
        Ok(Certificate::parse(der.into())?.holder().clone())
    }
}

impl Authority {
    /// Issues what a request asks for.
    ///
    /// # Errors
    /// [`IssueError`] when a date cannot be written.
    pub fn issue_request(
        &self,
        request: &Request,
        validity: Validity,
        serial: Serial,
    ) -> Result<Certificate, IssueError> {
        self.issue(&request.profile, &request.key, validity, serial)
    }
}

/// The key of a request that was signed with it, over the bytes as they came.
fn proven_key(der: &[u8], asked: &CertReq) -> Result<PublicKey, RequestError> {
    for algorithm in [&asked.info.public_key.algorithm, &asked.algorithm] {
        if *algorithm != form::ed25519() {
            return Err(RequestError::Algorithm(algorithm.oid.to_string()));
        }
    }
    let key = asked.info.public_key.subject_public_key.as_bytes().unwrap_or_default();
    let key = PublicKey::from_bytes(key)?;
    let mut reader = SliceReader::new(der)?;
    let (signed, signature) = reader.sequence(|inner| -> der::Result<_> {
        let signed = inner.tlv_bytes()?;
        let _: AlgorithmIdentifierRef<'_> = inner.decode()?;
        let signature: BitStringRef<'_> = inner.decode()?;
        Ok((signed, signature.as_bytes().unwrap_or_default()))
    })?;
    if key.verify(signed, signature) { Ok(key) } else { Err(RequestError::SignatureInvalid) }
}

/// The extensions that a request asks for; other attributes (a challenge password, say) are
/// passed over, two lists of extensions are refused.
fn asked_extensions(asked: &CertReq) -> Result<Vec<Extension>, RequestError> {
    let id = <ExtensionReq as const_oid::AssociatedOid>::OID;
    let mut lists = asked
        .info
        .attributes
        .iter()
        .filter(|attribute| attribute.oid == id)
        .flat_map(|attribute| attribute.values.iter());
    let Some(list) = lists.next() else { return Ok(Vec::new()) };
    if lists.next().is_some() {
        return Err(RequestError::Beyond("a second list of extensions".to_owned()));
    }
    Ok(AnyRef::from(list).decode_as::<ExtensionReq>()?.0)
}

fn alternative_names(extensions: &[Extension]) -> Result<GeneralNames, RequestError> {
    use const_oid::db::rfc5280::ID_CE_SUBJECT_ALT_NAME;
    match extensions.iter().find(|extension| extension.extn_id == ID_CE_SUBJECT_ALT_NAME) {
        Some(extension) => Ok(GeneralNames::from_der(extension.extn_value.as_bytes())?),
        None => Ok(GeneralNames::new()),
    }
}

fn profile_of(holder: Holder, names: &[GeneralName]) -> Result<Profile, RequestError> {
    Ok(match holder {
        Holder::Authority { .. } => return Err(RequestError::Authority),
        Holder::Person { agency, person, name, title } => {
            Profile::Person { agency, person, name, title }
        }
        Holder::Seal { agency } => Profile::Seal { agency },
        Holder::Node { agency } => Profile::Node { agency },
        Holder::Operator { agency, person, name, title } => {
            Profile::Operator { agency, person, name, title }
        }
        Holder::Hub { agency } => {
            let names = names.iter().filter_map(host).collect();
            Profile::Hub { agency, names }
        }
    })
}

fn host(name: &GeneralName) -> Option<String> {
    match name {
        GeneralName::DnsName(name) => Some(name.to_string()),
        GeneralName::IpAddress(address) => {
            let octets = address.as_bytes();
            match (<[u8; 4]>::try_from(octets), <[u8; 16]>::try_from(octets)) {
                (Ok(v4), _) => Some(Ipv4Addr::from(v4).to_string()),
                (_, Ok(v6)) => Some(Ipv6Addr::from(v6).to_string()),
                _ => None,
            }
        }
        _ => None,
    }
}

/// Refuses names and kinds of extensions that the certificate will not have, so that nobody
/// believes to have got them.
fn reject_beyond(
    profile: &Profile,
    extensions: &[Extension],
    asked: GeneralNames,
) -> Result<(), RequestError> {
    let given = profile.names()?;
    if let Some(name) = asked.iter().find(|name| !given.contains(name)) {
        return Err(RequestError::Beyond(format!("{name:?}")));
    }
    let mut kinds: Vec<_> = profile.extensions()?.iter().map(|own| own.extn_id).collect();
    kinds.push(const_oid::db::rfc5280::ID_CE_SUBJECT_KEY_IDENTIFIER);
    match extensions.iter().find(|extension| !kinds.contains(&extension.extn_id)) {
        Some(extension) => Err(RequestError::Beyond(extension.extn_id.to_string())),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests;
