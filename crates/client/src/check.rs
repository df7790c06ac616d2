//! The recipient's own check of what it receives, from the bytes: nothing that the hub says about
//! signatures is believed.

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

use bytes::Bytes;
use lienthong_model::{
    AgencyCode, AttachmentHeader, CodeKey, Document, Fingerprint, Mandate, Reason, Refusal,
    SignaturePolicy, StatusReport, Timestamp,
};
use lienthong_trust::{
    Anchors, AuthorityId, Certificate, Dates, RevocationList, RevocationListError, SignatureKind,
    judge,
};
use lienthong_trust::{Authorities, Known, Verifier};
use lienthong_wire::{DocumentContents, decode_document, decode_status};

use crate::delivery::Delivery;
use crate::identity::Roots;
use crate::notice::ReportedStatus;

/// Verifies deliveries against roots and revocation lists. Cheap to clone: the certificates that
/// were read and proven are shared, so a further document of a known signer costs one Ed25519
/// verification a signature.
#[derive(Clone)]
pub struct DocumentCheck {
    shared: Arc<Shared>,
}

/// Why there is no check.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DocumentCheckError {
    /// A revocation list cannot be relied on.
    #[error("a revocation list cannot be relied on: {0}")]
    RevocationList(#[from] RevocationListError),
}

/// What the recipient asks of a sender's signatures.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SenderPolicy {
    /// Which signatures are needed.
    pub policy: SignaturePolicy,
    /// The agency whose seal is accepted for the sender's, beside its own: its gateway.
    pub gateway: Option<CodeKey>,
    /// The sender's mandates, whatever their dates; without them every person of the sender is
    /// taken, and no person of another agency.
    pub mandates: Vec<Mandate>,
}

/// A delivery whose signatures hold.
#[derive(Debug, Clone)]
pub struct Checked {
    /// The document that was signed.
    pub document: Document,
    /// Which signatures it bears, from its certificates; none: for information only, without legal
    /// force.
    pub signature: SignatureKind,
    /// The signers' certificates, in the order of the signatures.
    pub signers: Vec<Arc<Certificate>>,
    /// The attachments that did not come with the delivery: the document is whole when each is
    /// downloaded ([`Client::download`](crate::Client::download)), which checks its SHA-256.
    pub to_download: Vec<AttachmentHeader>,
}

struct Shared {
    verifier: Verifier<DocumentContents, Given>,
    trusted: Trusted,
}

/// The authorities that were given.
struct Given(Arc<Authorities>);

/// The roots that are trusted and the certificates that are revoked.
struct Trusted {
    roots: Vec<Fingerprint>,
    lists: HashMap<AuthorityId, RevocationList>,
}

impl Default for SenderPolicy {
    /// At least the sender's own seal.
    fn default() -> Self {
        Self { policy: SignaturePolicy::Transition, gateway: None, mandates: Vec::new() }
    }
}

impl DocumentCheck {
    /// Makes a check that trusts `roots` and honours their revocation lists. A list needs its
    /// issuer among the roots or their authorities; of several lists of one issuer the one with
    /// the latest counts.
    ///
    /// # Errors
    /// [`DocumentCheckError`] when a revocation list cannot be relied on.
    pub fn new(roots: &Roots) -> Result<Self, DocumentCheckError> {
        let trusted: Vec<Fingerprint> =
            roots.roots.iter().map(|root| *root.fingerprint()).collect();
        let authorities =
            Authorities::new(roots.roots.iter().chain(&roots.authorities).cloned(), |known| {
                trusted.contains(known.fingerprint())
            });
        let mut lists: HashMap<AuthorityId, RevocationList> = HashMap::new();
        for der in &roots.revocation_lists {
            let list = RevocationList::parse(der, authorities.certificates())?;
            if lists.get(&list.authority).is_none_or(|known| known.is_older_than(&list)) {
                lists.insert(list.authority, list);
            }
        }
        let verifier = Verifier::new(DocumentContents, Given(Arc::new(authorities)));
        let trusted = Trusted { roots: trusted, lists };
        Ok(Self { shared: Arc::new(Shared { verifier, trusted }) })
    }

    /// Checks a delivery: the content decodes, what came with it is what it names, every signature
    /// holds, every certificate leads to a trusted root and was in force when it was signed and
    /// received, the signers belong to the sender that the content names, and they are enough.
    ///
    /// The time of receipt is the one that the hub says.
    ///
    /// # Errors
    /// The [`Refusal`] with the first reason in the order of the list, as the hub would give it.
    pub fn check(&self, delivery: &Delivery, policy: &SenderPolicy) -> Result<Checked, Refusal> {
        self.check_with(delivery, |_| policy.clone())
    }

    /// Checks a delivery like [`DocumentCheck::check`]; `policy` is asked once the facts hold, with
    /// the sender that the content names.
    ///
    /// # Errors
    /// As there.
    pub fn check_with(
        &self,
        delivery: &Delivery,
        policy: impl FnOnce(&AgencyCode) -> SenderPolicy,
    ) -> Result<Checked, Refusal> {
        let verified = self
            .shared
            .verifier
            .document(delivery.signed.clone())
            .map_err(|rejected| rejected.refusal)?
            .into_inner();
        let signers = &verified.signed.signers;
        let dates =
            Dates { signed_at: verified.header.signed_at, received_at: delivery.received_at };
        judge::certificates(signers, &self.shared.trusted, dates)?;
        let policy = policy(&verified.header.sender);
        let sender = judge::Sender {
            agency: &verified.header.sender.key(),
            gateway: policy.gateway.as_ref(),
            policy: policy.policy,
            mandates: &policy.mandates,
        };
        let signature = judge::holders(signers, sender, verified.header.document_type, dates)?;
        if signature != delivery.signature {
            let value = format_args!("{}, the bytes say {signature}", delivery.signature);
            return Err(Refusal::at(Reason::FieldInvalid, "delivery.signature", value));
        }
        Ok(Checked {
            document: decode_document(&delivery.signed.content)?,
            to_download: verified.not_beside().map(|(_, header)| header.clone()).collect(),
            signature,
            signers: signers.iter().map(|chain| chain.leaf().clone()).collect(),
        })
    }
}

impl DocumentCheck {
    /// Checks a report that the hub tells of: the content decodes, every signature holds, every
    /// certificate leads to a trusted root and was in force when it was signed and received, and
    /// the seal is the reporter's or its `gateway`'s.
    ///
    /// # Errors
    /// The [`Refusal`] with the first reason in the order of the list, as the hub would give it.
    pub fn check_report(
        &self,
        report: &ReportedStatus,
        received_at: Timestamp,
        gateway: Option<&CodeKey>,
    ) -> Result<StatusReport, Refusal> {
        let verified = self
            .shared
            .verifier
            .status(report.signed.clone())
            .map_err(|rejected| rejected.refusal)?
            .into_inner();
        let (header, signers) = (&verified.header, &verified.signed.signers);
        let dates = Dates { signed_at: header.signed_at, received_at };
        judge::certificates(signers, &self.shared.trusted, dates)?;
        judge::report_holders(signers, &header.from.key(), gateway)?;
        if header.code != report.code {
            let value = format_args!("{}, the bytes say {}", report.code, header.code);
            return Err(Refusal::at(Reason::FieldInvalid, "notice.status", value));
        }
        decode_status(&report.signed.content)
    }
}

impl fmt::Debug for DocumentCheck {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DocumentCheck")
            .field("roots", &self.shared.trusted.roots)
            .field("revocation_lists", &self.shared.trusted.lists.len())
            .finish_non_exhaustive()
    }
}

impl Known for Given {
    fn certificate(&self, _: &Fingerprint) -> Option<Bytes> {
        None
    }

    fn authorities(&self) -> Arc<Authorities> {
        self.0.clone()
    }
}

impl Anchors for Trusted {
    fn trusts(&self, root: &Fingerprint, _: Timestamp) -> bool {
        self.roots.contains(root)
    }

    fn revoked_at(&self, issuer: &AuthorityId, serial: &[u8]) -> Option<Timestamp> {
        let revoked = &self.lists.get(issuer)?.revoked;
        let index = revoked.binary_search_by(|entry| entry.serial.as_slice().cmp(serial)).ok()?;
        revoked.get(index).map(|entry| entry.at)
    }
}
