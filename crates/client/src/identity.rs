//! Who connects, and whom it trusts: the certificate and key of a node or an operator, and the
//! roots of the axis.
//!
//! Only bytes are kept here; they are read by `rustls` for TLS and by `trust` for documents.

use std::fmt;
use std::sync::Arc;

use bytes::Bytes;
use lienthong_trust::{Certificate, CertificateError};
use rustls_pki_types::pem::PemObject as _;
use rustls_pki_types::{CertificateDer, CertificateRevocationListDer, PrivatePkcs8KeyDer};

/// The certificate chain and key of a node or an operator, with which it proves to the hub who it
/// is.
#[derive(Clone)]
pub struct Identity {
    chain: Vec<Bytes>,
    key: Arc<PrivatePkcs8KeyDer<'static>>,
}

/// Why there is no identity.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum IdentityError {
    /// A text is not PEM.
    #[error("the {what} cannot be read as PEM: {why}")]
    Pem {
        /// What was looked for.
        what: &'static str,
        /// What is wrong.
        why: String,
    },
    /// There is no certificate.
    #[error("there is no certificate")]
    NoCertificate,
}

/// What is trusted: root certificates, both for the hub's TLS certificate and for the signers of
/// documents. Authorities below the roots and revocation lists may be added.
#[derive(Debug, Clone, Default)]
pub struct Roots {
    pub(crate) roots: Vec<Arc<Certificate>>,
    pub(crate) authorities: Vec<Arc<Certificate>>,
    pub(crate) revocation_lists: Vec<Bytes>,
}

/// Why bytes are no root, authority or revocation list.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RootsError {
    /// A text is not PEM.
    #[error("the text cannot be read as PEM: {0}")]
    Pem(String),
    /// There is no certificate in the text.
    #[error("there is no certificate in the text")]
    Empty,
    /// A certificate breaks the profile.
    #[error(transparent)]
    Certificate(#[from] CertificateError),
    /// A root is not self-issued.
    #[error("`{0}` is no root: another authority issued it")]
    NotARoot(String),
}

impl Identity {
    /// Takes a chain in DER, the caller's certificate first, then its issuing authorities (the root
    /// may be left out), and its key in PKCS#8 DER.
    ///
    /// # Errors
    /// [`IdentityError::NoCertificate`] when the chain is empty. Whether key and certificate belong
    /// together shows when an endpoint is connected.
    pub fn new(chain: Vec<Bytes>, key_pkcs8: &[u8]) -> Result<Self, IdentityError> {
        if chain.is_empty() {
            return Err(IdentityError::NoCertificate);
        }
        Ok(Self { chain, key: Arc::new(PrivatePkcs8KeyDer::from(key_pkcs8.to_vec())) })
    }

    /// Reads a chain and a PKCS#8 key in PEM.
    ///
    /// # Errors
    /// [`IdentityError`] when one of them is not there or cannot be read.
    pub fn from_pem(chain: &str, key: &str) -> Result<Self, IdentityError> {
        let pem = |what| {
            move |why: rustls_pki_types::pem::Error| IdentityError::Pem {
                what,
                why: why.to_string(),
            }
        };
        let chain = certificates(chain).map_err(pem("certificate"))?;
        let key = PrivatePkcs8KeyDer::from_pem_slice(key.as_bytes()).map_err(pem("key"))?;
        Self::new(chain, key.secret_pkcs8_der())
    }

    pub(crate) fn chain(&self) -> Vec<CertificateDer<'static>> {
        self.chain.iter().map(|der| CertificateDer::from(der.to_vec())).collect()
    }

    pub(crate) fn key(&self) -> PrivatePkcs8KeyDer<'static> {
        self.key.clone_key()
    }
}

impl fmt::Debug for Identity {
    /// Never shows the key.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Identity").field("certificates", &self.chain.len()).finish_non_exhaustive()
    }
}

impl Roots {
    /// Takes root certificates in DER.
    ///
    /// # Errors
    /// [`RootsError`] when one breaks the profile or is no root, or when there is none.
    pub fn new(roots: impl IntoIterator<Item = Bytes>) -> Result<Self, RootsError> {
        let roots = roots.into_iter().map(parse).collect::<Result<Vec<_>, _>>()?;
        if roots.is_empty() {
            return Err(RootsError::Empty);
        }
        if let Some(other) = roots.iter().find(|root| !root.is_self_issued()) {
            return Err(RootsError::NotARoot(other.subject().to_string()));
        }
        Ok(Self { roots, ..Self::default() })
    }

    /// Reads root certificates in PEM.
    ///
    /// # Errors
    /// [`RootsError`] when a certificate cannot be read or is no root, or when there is none.
    pub fn from_pem(text: &str) -> Result<Self, RootsError> {
        Self::new(certificates(text).map_err(|why| RootsError::Pem(why.to_string()))?)
    }

    /// Adds an authority below the roots, in DER: needed to read its revocation lists, and for
    /// documents that come without it. It is not trusted by itself.
    ///
    /// # Errors
    /// [`RootsError::Certificate`] when it breaks the profile.
    pub fn with_authority(mut self, der: Bytes) -> Result<Self, RootsError> {
        self.authorities.push(parse(der)?);
        Ok(self)
    }

    /// Adds a revocation list in DER. It is read when an endpoint is connected and when a
    /// [`DocumentCheck`](crate::DocumentCheck) is made.
    pub fn with_revocation_list(mut self, der: Bytes) -> Self {
        self.revocation_lists.push(der);
        self
    }

    /// Returns the roots that are trusted.
    pub fn roots(&self) -> &[Arc<Certificate>] {
        &self.roots
    }

    /// Returns the authorities below the roots that were added.
    pub fn authorities(&self) -> &[Arc<Certificate>] {
        &self.authorities
    }

    /// Returns the revocation lists that were added, in DER.
    pub fn revocation_lists(&self) -> &[Bytes] {
        &self.revocation_lists
    }

    pub(crate) fn anchors(&self) -> impl Iterator<Item = CertificateDer<'static>> {
        self.roots.iter().map(|root| CertificateDer::from(root.der().to_vec()))
    }

    pub(crate) fn tls_revocation_lists(&self) -> Vec<CertificateRevocationListDer<'static>> {
        let owned = |der: &Bytes| CertificateRevocationListDer::from(der.to_vec());
        self.revocation_lists.iter().map(owned).collect()
    }
}

fn parse(der: Bytes) -> Result<Arc<Certificate>, CertificateError> {
    Certificate::parse(der).map(Arc::new)
}

/// Every certificate of a PEM text, in order.
pub(crate) fn certificates(text: &str) -> Result<Vec<Bytes>, rustls_pki_types::pem::Error> {
    CertificateDer::pem_slice_iter(text.as_bytes())
        .map(|der| der.map(|der| Bytes::copy_from_slice(&der)))
        .collect()
}
