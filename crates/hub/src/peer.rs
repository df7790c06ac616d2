//! Who is at the other end of a connection: from the certificates of a handshake to a proven peer.
//!
//! Whoever connects is judged like whoever signs, by the hub's own trust, as of business time
//! (`trust::judge::chain`): at the handshake, and again while the connection lives.

use std::fmt;
use std::sync::Arc;

use bytes::Bytes;
use lienthong_model::{AgencyCode, Fingerprint, Reason};
use lienthong_trust::{Certificate, Chain, Dates, Holder, Known as _, judge};
use rustls::pki_types::CertificateDer;

use crate::clock::BusinessClock;
use crate::reader::Reader;

/// Most certificates beside its own that are looked at of whoever connects.
const SENT_ISSUERS_MAX: usize = 8;

/// What the TLS handshake proved.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Peer {
    pub agency: AgencyCode,
    /// The person's id, when an operator connects; `None` for a node.
    pub person: Option<String>,
    /// The certificate that was shown.
    pub certificate: Fingerprint,
}

/// A peer with the chain that proves it.
#[derive(Debug, Clone)]
pub(crate) struct Proven {
    pub peer: Peer,
    pub chain: Arc<Chain>,
}

/// Why whoever connects is not let in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum PeerFault {
    /// The certificate cannot be read or breaks the profile.
    Unreadable,
    /// It is neither a node's nor an operator's.
    Purpose,
    /// No chain leads to a root.
    Chain,
    /// The chain is not to be relied on now.
    Judged(Reason),
}

/// Proves and judges peers; cheap to clone.
#[derive(Clone)]
pub(crate) struct PeerJudge {
    pub reader: Reader,
    pub clock: BusinessClock,
}

impl PeerJudge {
    /// Works out who shows these certificates, its own first, and judges its chain as of now.
    pub fn prove(&self, certificates: &[CertificateDer<'_>]) -> Result<Proven, PeerFault> {
        let Some((leaf, sent)) = certificates.split_first() else {
            return Err(PeerFault::Unreadable);
        };
        let leaf = parse(leaf).ok_or(PeerFault::Unreadable)?;
        let peer = peer(&leaf).ok_or(PeerFault::Purpose)?;
        let sent: Vec<_> = sent.iter().take(SENT_ISSUERS_MAX).filter_map(parse).collect();
        let known = self.reader.authorities();
        let chain = Chain::among(leaf, &known, &sent).map_err(|_| PeerFault::Chain)?;
        self.judge(&chain).map_err(PeerFault::Judged)?;
        Ok(Proven { peer, chain: Arc::new(chain) })
    }

    /// Judges a certificate's chains as of now: one must hold. No signature is checked.
    pub fn judge(&self, chain: &Chain) -> Result<(), Reason> {
        let dates = Dates::at(self.clock.now());
        let judged = judge::chain(chain, &*self.reader.trust(), dates);
        judged.map(|_| ()).map_err(|fault| fault.reason)
    }
}

fn parse(der: &CertificateDer<'_>) -> Option<Arc<Certificate>> {
    Certificate::parse(Bytes::copy_from_slice(der)).ok().map(Arc::new)
}

/// Whom a certificate lets connect.
fn peer(certificate: &Certificate) -> Option<Peer> {
    let (agency, person) = match certificate.holder() {
        Holder::Node { agency } => (agency, None),
        Holder::Operator { agency, person, .. } => (agency, Some(person)),
        Holder::Authority { .. }
        | Holder::Person { .. }
        | Holder::Seal { .. }
        | Holder::Hub { .. } => return None,
    };
    Some(Peer {
        agency: agency.clone(),
        person: person.cloned(),
        certificate: *certificate.fingerprint(),
    })
}

impl fmt::Display for PeerFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unreadable => f.write_str("the certificate cannot be read"),
            Self::Purpose => f.write_str("the certificate is neither a node's nor an operator's"),
            Self::Chain => f.write_str("no chain leads from the certificate to a root"),
            Self::Judged(reason) => write!(f, "{reason}: {}", reason.meaning()),
        }
    }
}

impl fmt::Display for Peer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.person {
            None => write!(f, "{}", self.agency),
            Some(person) => write!(f, "{} ({person})", self.agency),
        }
    }
}
