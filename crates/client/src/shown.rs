//! Which certificates the hub has: those are named, not sent again.

use std::collections::HashSet;

use lienthong_model::limits::CERTIFICATES_CACHED;
use lienthong_model::{Fingerprint, Reason, Refusal, SignedContent};
use parking_lot::Mutex;

/// Signers whose certificates (and issuers') the hub has accepted from this client.
#[derive(Debug, Default)]
pub(crate) struct Shown(Mutex<HashSet<Fingerprint>>);

impl Shown {
    /// The content without its certificates when the hub has those of all its signers.
    pub(crate) fn lean(&self, signed: &SignedContent) -> Option<SignedContent> {
        if signed.certificates.is_empty() || signed.signatures.is_empty() {
            return None;
        }
        let shown = self.0.lock();
        if !signed.signatures.iter().all(|entry| shown.contains(&entry.certificate)) {
            return None;
        }
        Some(SignedContent { certificates: Vec::new(), ..signed.clone() })
    }

    /// The hub has accepted the content with its certificates.
    pub(crate) fn accepted(&self, signed: &SignedContent) {
        if signed.certificates.is_empty() {
            return;
        }
        let mut shown = self.0.lock();
        if shown.len() >= CERTIFICATES_CACHED {
            shown.clear();
        }
        shown.extend(signed.signatures.iter().map(|entry| entry.certificate));
    }

    /// The hub does not have them after all.
    pub(crate) fn forget(&self, signed: &SignedContent) {
        let mut shown = self.0.lock();
        for entry in &signed.signatures {
            shown.remove(&entry.certificate);
        }
    }
}

/// Whether a refusal may come from certificates that were left out.
pub(crate) fn misses_certificates(refusal: &Refusal) -> bool {
    matches!(refusal.reason, Reason::CertificateUnknown | Reason::CertificateChainBroken)
}
