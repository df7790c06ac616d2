//! Signing: DSSE v1 with Ed25519, by persons and seals, over bytes that are encoded once.

use std::collections::HashSet;
use std::fmt;
use std::sync::Arc;

use bytes::Bytes;
use ed25519_dalek::pkcs8::DecodePrivateKey as _;
use ed25519_dalek::{Signer as _, SigningKey};
use lienthong_model::{
    Attachment, DOCUMENT_V1, Document, STATUS_V1, SignatureEntry, SignedContent, StatusReport,
};
use lienthong_trust::{Certificate, CertificateError, dsse};
use lienthong_wire::{encode_document, encode_status};
use rustls_pki_types::PrivatePkcs8KeyDer;
use rustls_pki_types::pem::PemObject as _;

use crate::identity::certificates;

/// A person or a seal: a certificate, its issuers, and the key.
#[derive(Clone)]
pub struct Signer {
    certificate: Arc<Certificate>,
    issuers: Vec<Bytes>,
    key: SigningKey,
}

/// Why there is no signer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SignerError {
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
    /// The certificate breaks the profile.
    #[error(transparent)]
    Certificate(#[from] CertificateError),
    /// The key is not an Ed25519 key in PKCS#8.
    #[error("the key is not an Ed25519 key in PKCS#8")]
    Key,
    /// The key is not the certificate's.
    #[error("the key does not belong to the certificate")]
    KeyDiffers,
    /// The certificate is a node's, an operator's, a hub's or an authority's.
    #[error("the certificate is not a person's or a seal's")]
    NotASigner,
}

impl Signer {
    /// Takes a person's or seal's certificate, the certificates of its issuers in DER, and its key.
    ///
    /// # Errors
    /// [`SignerError::NotASigner`] and [`SignerError::KeyDiffers`].
    pub fn new(
        certificate: Arc<Certificate>,
        issuers: Vec<Bytes>,
        key: SigningKey,
    ) -> Result<Self, SignerError> {
        if !certificate.holder().signs_documents() {
            return Err(SignerError::NotASigner);
        }
        if key.verifying_key().as_bytes() != certificate.key().as_bytes() {
            return Err(SignerError::KeyDiffers);
        }
        Ok(Self { certificate, issuers, key })
    }

    /// Reads a certificate followed by its issuers', and a PKCS#8 key, all in PEM.
    ///
    /// # Errors
    /// [`SignerError`] when one of them is not there, cannot be read, or does not fit.
    pub fn from_pem(chain: &str, key: &str) -> Result<Self, SignerError> {
        let pem = |what| {
            move |why: rustls_pki_types::pem::Error| SignerError::Pem { what, why: why.to_string() }
        };
        let mut chain = certificates(chain).map_err(pem("certificate"))?.into_iter();
        let leaf = chain.next().ok_or(SignerError::NoCertificate)?;
        let key = PrivatePkcs8KeyDer::from_pem_slice(key.as_bytes()).map_err(pem("key"))?;
        let key =
            SigningKey::from_pkcs8_der(key.secret_pkcs8_der()).map_err(|_| SignerError::Key)?;
        Self::new(Arc::new(Certificate::parse(leaf)?), chain.collect(), key)
    }

    /// Returns the certificate.
    pub fn certificate(&self) -> &Arc<Certificate> {
        &self.certificate
    }
}

impl fmt::Debug for Signer {
    /// Never shows the key.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Signer").field("certificate", &self.certificate).finish_non_exhaustive()
    }
}

/// Signs content of a type, in the order of the signers; every certificate is put beside it once.
/// Signing the same content again gives the same bytes.
pub fn sign(
    content_type: &str,
    content: Bytes,
    attachments: Vec<Attachment>,
    signers: &[&Signer],
) -> SignedContent {
    let message = dsse::pre_authentication_encoding(content_type, &content);
    let signature = |signer: &&Signer| SignatureEntry {
        certificate: *signer.certificate.fingerprint(),
        value: Bytes::copy_from_slice(&signer.key.sign(&message).to_bytes()),
    };
    let mut seen = HashSet::new();
    let certificates = signers
        .iter()
        .flat_map(|signer| std::iter::once(signer.certificate.der()).chain(&signer.issuers))
        .filter(|der| seen.insert(Bytes::clone(der)))
        .cloned()
        .collect();
    SignedContent {
        content_type: content_type.to_owned(),
        content,
        signatures: signers.iter().map(signature).collect(),
        certificates,
        attachments,
    }
}

/// Encodes a document once and signs it.
pub fn sign_document(
    document: &Document,
    attachments: Vec<Attachment>,
    signers: &[&Signer],
) -> SignedContent {
    sign(DOCUMENT_V1, encode_document(document), attachments, signers)
}

/// Encodes a status report once and signs it.
pub fn sign_report(report: &StatusReport, signers: &[&Signer]) -> SignedContent {
    sign(STATUS_V1, encode_status(report), Vec::new(), signers)
}
