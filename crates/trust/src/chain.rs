//! Chains of certificates, from a signer's up to a root that signed itself (RFC 5280, section 6,
//! without dates and without trust).
//!
//! ```text
//!   leaf ──issued by──▶ issuing authority ──issued by──▶ root ──issued by──▶ itself
//! ```
//! A chain says that signatures, names and path lengths hold. Whether its root is trusted, and
//! whether every certificate was in force, is judged in `judge`. Where several chains hold, those
//! to a root that is relied on go before one to a stranger's: an authority that two roots have
//! certified is good for whoever knows either. All of those are kept, since judgement takes one
//! that was in force: an authority that was renewed with the same key has two certificates, and
//! which of them is valid changes with the date (RFC 4158).

use std::sync::Arc;

use lienthong_model::Fingerprint;
use lienthong_model::limits::CHAIN_CERTIFICATES_MAX;

use crate::authorities::Authorities;
use crate::certificate::{Certificate, Holder};

/// Most signatures that are checked to find a leaf's chains. An honest chain of the greatest length
/// needs one a certificate; the rest is for authorities that share a name, as they do when a key
/// or a certificate is renewed.
const SIGNATURES_CHECKED_MAX: usize = 4 * CHAIN_CERTIFICATES_MAX;

/// A leaf and its issuers up to a root; every signature on the way holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Chain {
    leaf: Arc<Certificate>,
    root: Arc<Certificate>,
    certificates: Vec<Arc<Certificate>>,
    /// The leaf's further chains to roots that are relied on.
    others: Vec<Chain>,
}

/// Why no chain leads from a certificate to a root.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ChainError {
    /// No certificate at hand has the issuer's name and key identifier and is an authority's.
    #[error("the issuer `{issuer}` of `{subject}` is not among the certificates")]
    IssuerMissing {
        /// The certificate without an issuer.
        subject: String,
        /// The issuer that it names.
        issuer: String,
    },
    /// A certificate of the issuer's name is there, but its key did not sign.
    #[error("the signature of `{issuer}` on the certificate of `{subject}` does not hold")]
    SignatureInvalid {
        /// The certificate with the signature.
        subject: String,
        /// The issuer that it names.
        issuer: String,
    },
    /// More authorities stand below an authority than it may have.
    #[error("`{issuer}` may have {allowed} authorities below it, the chain has {found}")]
    PathTooLong {
        /// The authority with the path length.
        issuer: String,
        /// Its path length.
        allowed: u8,
        /// How many authorities stand below it.
        found: usize,
    },
    /// No root within the greatest length.
    #[error("no root within {CHAIN_CERTIFICATES_MAX} certificates")]
    TooLong,
    /// Too many certificates of the same names.
    #[error("no chain found within {SIGNATURES_CHECKED_MAX} signatures")]
    TooManyCandidates,
}

impl Chain {
    /// Finds the chains from `leaf` to any self-signed root with the certificates of `pool`, and
    /// returns the first; it keeps the others ([`Chain::all`]).
    ///
    /// Where several certificates have an issuer's name, they are tried in the order of the pool.
    /// The work is bounded whatever the pool holds: at most [`CHAIN_CERTIFICATES_MAX`] certificates
    /// in a chain, four times as many signatures checked for all of them. The same leaf and pool
    /// give the same chains. A self-signed authority is a chain of one.
    ///
    /// # Errors
    /// [`ChainError`]: of all attempts, what stopped the one that came farthest.
    pub fn build(leaf: Arc<Certificate>, pool: &[Arc<Certificate>]) -> Result<Self, ChainError> {
        Search::new(leaf, [pool, &[]], &|_| true).run()
    }

    /// Finds chains as [`Chain::build`] does, among the authorities that are known and then among
    /// those that were sent; only those to a root that is relied on count. When there is none
    /// within the bounds, the first chain to another root is the answer: it is for judgement to say
    /// that nobody trusts it.
    ///
    /// # Errors
    /// [`ChainError`] as for [`Chain::build`].
    pub fn among(
        leaf: Arc<Certificate>,
        known: &Authorities,
        sent: &[Arc<Certificate>],
    ) -> Result<Self, ChainError> {
        let relied_on = |root: &Certificate| known.is_root(root.fingerprint());
        Search::new(leaf, [known.certificates(), sent], &relied_on).run()
    }

    /// This chain, and the others of its leaf in the order in which they were found.
    pub fn all(&self) -> impl Iterator<Item = &Chain> {
        std::iter::once(self).chain(&self.others)
    }

    /// All certificates, the leaf first, the root last; at least one.
    pub fn certificates(&self) -> &[Arc<Certificate>] {
        &self.certificates
    }

    /// The certificate at the lower end: the signer's.
    pub fn leaf(&self) -> &Arc<Certificate> {
        &self.leaf
    }

    /// The leaf's issuers, the root last; empty when the leaf is the root.
    pub fn issuers(&self) -> &[Arc<Certificate>] {
        self.certificates.get(1..).unwrap_or_default()
    }

    /// The certificate at the upper end, which signed itself.
    pub fn root(&self) -> &Arc<Certificate> {
        &self.root
    }

    fn along(path: &[Arc<Certificate>]) -> Option<Self> {
        let (leaf, root) = (path.first()?.clone(), path.last()?.clone());
        Some(Self { leaf, root, certificates: path.to_vec(), others: Vec::new() })
    }
}

/// A depth-first search for every way to a root that is relied on.
struct Search<'p> {
    /// Where issuers are looked for, in this order.
    pools: [&'p [Arc<Certificate>]; 2],
    relied_on: &'p dyn Fn(&Certificate) -> bool,
    path: Vec<Arc<Certificate>>,
    signatures_left: usize,
    /// The chains to roots that are relied on, as they were found.
    found: Vec<Chain>,
    /// The first to a root that is not.
    otherwise: Option<Chain>,
    farthest: Option<(usize, ChainError)>,
}

impl<'p> Search<'p> {
    fn new(
        leaf: Arc<Certificate>,
        pools: [&'p [Arc<Certificate>]; 2],
        relied_on: &'p dyn Fn(&Certificate) -> bool,
    ) -> Self {
        Self {
            pools,
            relied_on,
            path: vec![leaf],
            signatures_left: SIGNATURES_CHECKED_MAX,
            found: Vec::new(),
            otherwise: None,
            farthest: None,
        }
    }

    fn run(mut self) -> Result<Chain, ChainError> {
        self.complete();
        let mut found = self.found.into_iter();
        if let Some(first) = found.next().or(self.otherwise) {
            return Ok(Chain { others: found.collect(), ..first });
        }
        match self.signatures_left {
            0 => Err(ChainError::TooManyCandidates),
            _ => Err(self.farthest.map_or(ChainError::TooLong, |(_, error)| error)),
        }
    }

    /// Goes on from the end of the path, every way up.
    fn complete(&mut self) {
        let Some(last) = self.path.last().cloned() else { return };
        if last.is_self_issued() && self.signed(&last, &last) {
            let chain = Chain::along(&self.path);
            if (self.relied_on)(&last) {
                self.found.extend(chain);
            } else if self.otherwise.is_none() {
                self.otherwise = chain;
            }
            return;
        }
        if self.path.len() >= CHAIN_CERTIFICATES_MAX {
            self.note(ChainError::TooLong);
            return;
        }
        let pools = self.pools;
        // One that is known may have been sent too.
        let mut tried: Vec<&Fingerprint> = Vec::new();
        let issuers = pools.into_iter().flatten();
        for candidate in issuers.filter(|candidate| candidate.may_have_issued(&last)) {
            let name = candidate.fingerprint();
            if tried.contains(&name) || self.path.iter().any(|part| part.fingerprint() == name) {
                continue;
            }
            tried.push(name);
            if !self.fits(candidate) || !self.signed(candidate, &last) {
                continue;
            }
            self.path.push(candidate.clone());
            self.complete();
            self.path.pop();
        }
        if tried.is_empty() {
            let (subject, issuer) = (last.subject().to_string(), last.issuer().to_string());
            self.note(ChainError::IssuerMissing { subject, issuer });
        }
    }

    /// Whether the candidate may stand above the path. Every authority of the path counts, also
    /// one that is self-issued, which is stricter than RFC 5280.
    fn fits(&mut self, candidate: &Certificate) -> bool {
        let found = self.path.len() - 1;
        match candidate.holder() {
            Holder::Authority { path_len: Some(allowed) } if usize::from(*allowed) < found => {
                let issuer = candidate.subject().to_string();
                self.note(ChainError::PathTooLong { issuer, allowed: *allowed, found });
                false
            }
            _ => true,
        }
    }

    fn signed(&mut self, issuer: &Certificate, child: &Certificate) -> bool {
        if self.signatures_left == 0 {
            return false;
        }
        if !issuer.may_have_issued(child) {
            return false;
        }
        self.signatures_left -= 1;
        let holds = issuer.verify_issued(child);
        if !holds {
            let (subject, issuer) = (child.subject().to_string(), issuer.subject().to_string());
            self.note(ChainError::SignatureInvalid { subject, issuer });
        }
        holds
    }

    /// Keeps the error of the attempt that came farthest; of equals, the first.
    fn note(&mut self, error: ChainError) {
        let depth = self.path.len();
        if self.farthest.as_ref().is_none_or(|(farthest, _)| depth > *farthest) {
            self.farthest = Some((depth, error));
        }
    }
}

#[cfg(test)]
mod tests;
