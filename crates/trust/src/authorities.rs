//! The authorities that somebody knows, and which of them are roots that they rely on.

use std::collections::HashSet;
use std::sync::Arc;

use lienthong_model::{Digest, Fingerprint};

use crate::certificate::Certificate;

/// Authorities that are known, roots among them. Made once for every change of what is known;
/// whoever keeps an answer that rests on them keeps it under [`Authorities::digest`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Authorities {
    certificates: Vec<Arc<Certificate>>,
    roots: HashSet<Fingerprint>,
    digest: Digest,
}

impl Authorities {
    /// Takes the certificates in the order in which issuers are to be looked for among them;
    /// `is_root` says which are roots that are relied on.
    pub fn new(
        certificates: impl IntoIterator<Item = Arc<Certificate>>,
        is_root: impl Fn(&Certificate) -> bool,
    ) -> Self {
        let certificates: Vec<_> = certificates.into_iter().collect();
        let roots: HashSet<_> = certificates
            .iter()
            .filter(|certificate| is_root(certificate))
            .map(|certificate| *certificate.fingerprint())
            .collect();
        let mut names = Vec::with_capacity(certificates.len() * 33);
        for certificate in &certificates {
            names.extend_from_slice(certificate.fingerprint().as_bytes());
            names.push(u8::from(roots.contains(certificate.fingerprint())));
        }
        Self { digest: Digest::of(&names), certificates, roots }
    }

    /// Returns the certificates, in the order in which they were taken.
    pub fn certificates(&self) -> &[Arc<Certificate>] {
        &self.certificates
    }

    /// Returns whether a certificate is a root that is relied on.
    pub fn is_root(&self, fingerprint: &Fingerprint) -> bool {
        self.roots.contains(fingerprint)
    }

    /// Returns what stands for this version of what is known: other certificates, another order or
    /// other roots give another digest.
    pub fn digest(&self) -> &Digest {
        &self.digest
    }
}

impl Default for Authorities {
    /// Nobody is known.
    fn default() -> Self {
        Self::new([], |_| false)
    }
}
