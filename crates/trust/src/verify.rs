//! Facts of signed content, from the bytes alone.
//!
//! ```text
//!  SignedContent ─▶ bounds ─▶ content decodes ─▶ what is beside matches ─▶ for each signature:
//!                   whose certificate ─▶ profile ─▶ chain to a root ─▶ Ed25519, strictly
//!                                                              ─▶ Verified<Submission>
//! ```
//! No date is looked at and nobody is trusted here: that is judgement ([`crate::judge`]).
//! Certificates and chains seen before are kept, so that a document costs one Ed25519 verification
//! a signature. A chain is kept under all that it was found with: certificates that one sender adds
//! never change the answer that another one gets, and an authority that becomes known changes the
//! next answer.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use bytes::Bytes;
use lienthong_model::limits::{
    CERTIFICATE_BYTES_MAX, CERTIFICATES_CACHED, CERTIFICATES_MAX, CONTENT_BYTES_MAX,
    INLINE_ATTACHMENT_BYTES_MAX, SIGNATURES_MAX,
};
use lienthong_model::{
    AttachmentHeader, Contents, Digest, Fingerprint, Header, MessageId, Reason, Refusal,
    SignedContent, StatusHeader, Violation,
};
use quick_cache::sync::Cache;

use crate::authorities::Authorities;
use crate::certificate::{Certificate, Holder};
use crate::chain::Chain;
use crate::dsse;
use crate::ed25519::PublicKey;
use crate::verified::Verified;

/// A document whose facts are known.
#[derive(Debug, Clone)]
pub struct Submission {
    /// What the signed bytes say.
    pub header: Header,
    /// The bytes and who signed them.
    pub signed: Signed,
}

/// A status report whose facts are known.
#[derive(Debug, Clone)]
pub struct StatusSubmission {
    /// What the signed bytes say.
    pub header: StatusHeader,
    /// The bytes and who signed them.
    pub signed: Signed,
}

/// Signed bytes with their facts.
#[derive(Debug, Clone)]
pub struct Signed {
    /// As received.
    pub content: SignedContent,
    /// SHA-256 of the DSSE bytes that were signed.
    pub digest: Digest,
    /// SHA-256 of the signatures ([`dsse::signatures_digest`]).
    pub signatures_digest: Digest,
    /// For each signature, in order, the signer's chains; their signatures hold up to a root.
    pub signers: Vec<Arc<Chain>>,
}

/// Content that is refused for its bytes, with what could be read of it.
#[derive(Debug, Clone)]
pub struct Rejected {
    /// Why.
    pub refusal: Refusal,
    /// The id that the content claims, when it could be read.
    pub id: Option<MessageId>,
    /// SHA-256 of the DSSE bytes.
    pub digest: Digest,
    /// Bytes of content and attachments.
    pub size: u64,
}

/// Certificates that are known beside those that come with a content.
pub trait Known: Send + Sync {
    /// Returns the DER of a certificate that was seen before.
    fn certificate(&self, fingerprint: &Fingerprint) -> Option<Bytes>;

    /// Returns the authorities that are known, roots included.
    ///
    /// Asked for once a content: must be cheap.
    fn authorities(&self) -> Arc<Authorities>;
}

/// Works out facts. Cheap to share; every method takes `&self`.
pub struct Verifier<C, K> {
    contents: C,
    known: K,
    certificates: Cache<Fingerprint, Arc<Certificate>>,
    chains: Cache<ChainKey, Arc<Chain>>,
}

/// Whether a signature is a key's over a message.
pub(crate) type SignatureHolds = fn(&PublicKey, &[u8], &[u8]) -> bool;

/// What a chain was found with.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
struct ChainKey {
    leaf: Fingerprint,
    /// SHA-256 over the fingerprints of [`Sent::others`].
    others: Digest,
    /// [`Authorities::digest`] of those that were known.
    known: Digest,
}

/// The certificates that came with a content, and the authorities known when it came.
struct Sent<'c> {
    known: Arc<Authorities>,
    by_name: HashMap<Fingerprint, &'c Bytes>,
    /// Those that no signature names, sorted: issuers are looked for among them alone, so that
    /// the same certificates give the same chain.
    others: Vec<Fingerprint>,
    others_digest: Digest,
}

impl<C: Contents, K: Known> Verifier<C, K> {
    /// Makes a verifier that reads content with `contents` and looks certificates up in `known`.
    pub fn new(contents: C, known: K) -> Self {
        Self {
            contents,
            known,
            certificates: Cache::new(CERTIFICATES_CACHED),
            chains: Cache::new(CERTIFICATES_CACHED),
        }
    }

    /// Works out the facts of a document.
    ///
    /// # Errors
    /// [`Rejected`] when the bytes, an attachment, a certificate or a signature is wrong.
    pub fn document(&self, content: SignedContent) -> Result<Verified<Submission>, Rejected> {
        self.document_by(content, PublicKey::verify)
    }

    /// The same, with the arithmetic of one signature given.
    pub(crate) fn document_by(
        &self,
        content: SignedContent,
        holds: SignatureHolds,
    ) -> Result<Verified<Submission>, Rejected> {
        let mut id = None;
        let facts = (|| {
            within_bounds(&content)?;
            let header = self.contents.document(&content.content_type, &content.content)?;
            id = Some(header.id);
            attachments_match(&header.attachments, &content)?;
            Ok((header, self.signers(&content, holds)?))
        })();
        match facts {
            Ok((header, signers)) => {
                let signed = Signed::of(content, signers);
                Ok(Verified::new(Submission { header, signed }))
            }
            Err(refusal) => Err(Rejected::of(refusal, id, &content)),
        }
    }

    /// Works out the facts of a status report.
    ///
    /// # Errors
    /// [`Rejected`] when the bytes, a certificate or a signature is wrong.
    pub fn status(&self, content: SignedContent) -> Result<Verified<StatusSubmission>, Rejected> {
        self.status_by(content, PublicKey::verify)
    }

    /// The same, with the arithmetic of one signature given.
    pub(crate) fn status_by(
        &self,
        content: SignedContent,
        holds: SignatureHolds,
    ) -> Result<Verified<StatusSubmission>, Rejected> {
        let mut id = None;
        let facts = (|| {
            within_bounds(&content)?;
            let header = self.contents.status(&content.content_type, &content.content)?;
            id = Some(header.id);
            attachments_match(&[], &content)?;
            Ok((header, self.signers(&content, holds)?))
        })();
        match facts {
            Ok((header, signers)) => {
                let signed = Signed::of(content, signers);
                Ok(Verified::new(StatusSubmission { header, signed }))
            }
            Err(refusal) => Err(Rejected::of(refusal, id, &content)),
        }
    }

    fn signers(
        &self,
        content: &SignedContent,
        holds: SignatureHolds,
    ) -> Result<Vec<Arc<Chain>>, Refusal> {
        let sent = Sent::of(content, self.known.authorities());
        let message = dsse::pre_authentication_encoding(&content.content_type, &content.content);
        let mut signers = Vec::with_capacity(content.signatures.len());
        let mut violations = Vec::new();
        for (index, entry) in content.signatures.iter().enumerate() {
            let signer = self.chain(&entry.certificate, &sent).and_then(|chain| {
                if holds(chain.leaf().key(), &message, &entry.value) {
                    Ok(chain)
                } else {
                    Err((Reason::SignatureInvalid, entry.certificate.to_string()))
                }
            });
            match signer {
                Ok(chain) => signers.push(chain),
                Err((reason, value)) => {
                    let field = format!("document.signatures[{index}]");
                    violations.push(Violation::new(reason, field, value));
                }
            }
        }
        Refusal::of(violations).map_or(Ok(signers), Err)
    }

    fn chain(&self, leaf: &Fingerprint, sent: &Sent<'_>) -> Result<Arc<Chain>, (Reason, String)> {
        let known = *sent.known.digest();
        let key = ChainKey { leaf: *leaf, others: sent.others_digest, known };
        if let Some(chain) = self.chains.get(&key) {
            return Ok(chain);
        }
        let certificate = self.certificate(leaf, sent)?;
        if !certificate.holder().signs_documents() {
            return Err((Reason::CertificateUnsuitable, leaf.to_string()));
        }
        let mut pool = Vec::with_capacity(sent.others.len());
        for fingerprint in &sent.others {
            // A superfluous certificate that is malformed harms nobody: it is left out.
            if let Ok(candidate) = self.certificate(fingerprint, sent)
                && matches!(candidate.holder(), Holder::Authority { .. })
            {
                pool.push(candidate);
            }
        }
        let chain = Chain::among(certificate, &sent.known, &pool)
            .map_err(|error| (Reason::CertificateChainBroken, error.to_string()))?;
        let chain = Arc::new(chain);
        self.chains.insert(key, chain.clone());
        Ok(chain)
    }

    fn certificate(
        &self,
        fingerprint: &Fingerprint,
        sent: &Sent<'_>,
    ) -> Result<Arc<Certificate>, (Reason, String)> {
        if let Some(certificate) = self.certificates.get(fingerprint) {
            return Ok(certificate);
        }
        // A copy: what came with a message shares the message's memory, and would keep all of it
        // for as long as the certificate is kept.
        let der = sent
            .by_name
            .get(fingerprint)
            .map(|der| Bytes::copy_from_slice(der))
            .or_else(|| self.known.certificate(fingerprint))
            .ok_or_else(|| (Reason::CertificateUnknown, fingerprint.to_string()))?;
        let certificate = Certificate::parse(der)
            .map_err(|error| (error.reason(), format!("{fingerprint}: {error}")))?;
        let certificate = Arc::new(certificate);
        self.certificates.insert(*fingerprint, certificate.clone());
        Ok(certificate)
    }
}

impl<'c> Sent<'c> {
    fn of(content: &'c SignedContent, known: Arc<Authorities>) -> Self {
        let by_name: HashMap<Fingerprint, &Bytes> =
            content.certificates.iter().map(|der| (Fingerprint::of(der), der)).collect();
        let signers: HashSet<&Fingerprint> =
            content.signatures.iter().map(|entry| &entry.certificate).collect();
        let mut others: Vec<Fingerprint> =
            by_name.keys().filter(|name| !signers.contains(name)).copied().collect();
        others.sort_unstable();
        let names: Vec<u8> = others.iter().flat_map(|name| *name.as_bytes()).collect();
        Self { known, by_name, others, others_digest: Digest::of(&names) }
    }
}

impl Submission {
    /// Returns the attachments that the content names and that do not travel beside it, with their
    /// places among those that it names.
    pub fn not_beside(&self) -> impl Iterator<Item = (usize, &AttachmentHeader)> {
        self.signed.not_beside(&self.header.attachments)
    }
}

impl Signed {
    fn of(content: SignedContent, signers: Vec<Arc<Chain>>) -> Self {
        Self {
            digest: dsse::content_digest(&content.content_type, &content.content),
            signatures_digest: dsse::signatures_digest(&content.signatures),
            content,
            signers,
        }
    }

    /// Returns the bytes of the content and of the attachments beside it.
    pub fn size(&self) -> u64 {
        size(&self.content)
    }

    /// Returns the bytes of the content and of all attachments that it names, wherever they are.
    pub fn whole_size(&self, named: &[AttachmentHeader]) -> u64 {
        let elsewhere = self.not_beside(named).map(|(_, header)| header.size);
        elsewhere.fold(self.size(), u64::saturating_add)
    }

    /// Those of the attachments named that do not travel beside the content, with their places.
    fn not_beside<'a>(
        &self,
        named: &'a [AttachmentHeader],
    ) -> impl Iterator<Item = (usize, &'a AttachmentHeader)> + use<'a, '_> {
        let beside: HashSet<&str> = self
            .content
            .attachments
            .iter()
            .map(|attachment| attachment.content_id.as_str())
            .collect();
        let named = named.iter().enumerate();
        named.filter(move |(_, header)| !beside.contains(header.content_id.as_str()))
    }
}

impl Rejected {
    fn of(refusal: Refusal, id: Option<MessageId>, content: &SignedContent) -> Self {
        let digest = dsse::content_digest(&content.content_type, &content.content);
        Self { refusal, id, digest, size: size(content) }
    }
}

fn size(content: &SignedContent) -> u64 {
    let attachments: usize = content.attachments.iter().map(|a| a.bytes.len()).sum();
    (content.content.len() + attachments) as u64
}

fn within_bounds(content: &SignedContent) -> Result<(), Refusal> {
    let too_large = |field: &str, found: usize, max: usize| {
        let value = format!("{found}, at most {max}");
        Err(Refusal::at(Reason::ContentTooLarge, field, value))
    };
    if content.content.len() > CONTENT_BYTES_MAX {
        return too_large("document.content", content.content.len(), CONTENT_BYTES_MAX);
    }
    let attachments: usize = content.attachments.iter().map(|a| a.bytes.len()).sum();
    if attachments > INLINE_ATTACHMENT_BYTES_MAX {
        return too_large("attachments", attachments, INLINE_ATTACHMENT_BYTES_MAX);
    }
    if content.signatures.len() > SIGNATURES_MAX {
        return too_large("document.signatures", content.signatures.len(), SIGNATURES_MAX);
    }
    if content.certificates.len() > CERTIFICATES_MAX {
        return too_large("document.certificates", content.certificates.len(), CERTIFICATES_MAX);
    }
    for (index, der) in content.certificates.iter().enumerate() {
        if der.len() > CERTIFICATE_BYTES_MAX {
            let field = format!("document.certificates[{index}]");
            return too_large(&field, der.len(), CERTIFICATE_BYTES_MAX);
        }
    }
    let mut signers = HashSet::new();
    for (index, entry) in content.signatures.iter().enumerate() {
        if entry.value.len() != 64 || !signers.insert(entry.certificate) {
            let field = format!("document.signatures[{index}]");
            return Err(Refusal::at(Reason::SignatureMalformed, field, entry.certificate));
        }
    }
    Ok(())
}

/// Whether the attachments beside a content are ones that it names, byte for byte. One that it
/// names and that is not beside is looked up elsewhere: that is no fact of the bytes.
fn attachments_match(named: &[AttachmentHeader], content: &SignedContent) -> Result<(), Refusal> {
    let mismatch = |index: usize, value: &str| {
        Refusal::at(Reason::AttachmentMismatch, format!("attachments[{index}]"), value)
    };
    let mut beside: HashMap<&str, &Bytes> = HashMap::new();
    for (index, attachment) in content.attachments.iter().enumerate() {
        if beside.insert(&attachment.content_id, &attachment.bytes).is_some() {
            return Err(mismatch(index, &attachment.content_id));
        }
    }
    for (index, header) in named.iter().enumerate() {
        let Some(bytes) = beside.remove(header.content_id.as_str()) else { continue };
        if bytes.len() as u64 != header.size || Digest::of(bytes) != header.sha256 {
            return Err(mismatch(index, &header.content_id));
        }
    }
    match beside.keys().min() {
        Some(superfluous) => Err(mismatch(named.len(), superfluous)),
        None => Ok(()),
    }
}
