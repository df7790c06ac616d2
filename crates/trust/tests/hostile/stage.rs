//! Where the cases are played, and what may never happen there.

use std::collections::HashSet;
use std::sync::Arc;

use bytes::Bytes;
use lienthong_model::limits::MESSAGE_BYTES_MAX;
use lienthong_model::{
    AgencyCode, Attachment, CodeKey, Fingerprint, Reason, SignaturePolicy, SignedContent, Timestamp,
};
use lienthong_trust::judge::{self, Anchors, Dates};
use lienthong_trust::{
    Authorities, AuthorityId, Certificate, Chain, Holder, Known, RevocationList, Signed, Verifier,
};
use lienthong_wire::{DocumentContents, decode_message, proto, signed};
use prost::Message as _;
use rand::RngExt as _;
use rand_chacha::ChaCha8Rng;

use crate::bytes_of;
use crate::changes::{Pool, pick};
use crate::corpus::{Corpus, NOW, Original};
use crate::tree::{self, Der, Form as _, Node, Protobuf};

pub struct Stage {
    corpus: Corpus,
    /// One for all cases, as a hub has it: what a case leaves behind must harm no later one.
    verifier: Verifier<DocumentContents, Roots>,
    trusted: Trusted,
}

/// Something changed, and how it is handed in.
#[derive(Clone)]
pub enum Case {
    Submission(Bytes),
    Report(Bytes),
    Certificate { der: Bytes, signed_again: bool },
    RevocationList { der: Bytes, signed_again: bool },
}

impl Case {
    /// How many bytes are handed in.
    pub fn size(&self) -> usize {
        match self {
            Self::Submission(bytes) | Self::Report(bytes) => bytes.len(),
            Self::Certificate { der, .. } | Self::RevocationList { der, .. } => der.len(),
        }
    }

    pub fn kind(&self) -> &'static str {
        match self {
            Self::Submission(_) => "submission",
            Self::Report(_) => "report",
            Self::Certificate { .. } => "certificate",
            Self::RevocationList { .. } => "list",
        }
    }
}

/// The root is known beforehand; the issuing authority comes with each content.
struct Roots(Arc<Authorities>);

impl Roots {
    fn of(root: Arc<Certificate>) -> Self {
        Self(Arc::new(Authorities::new([root], |_| true)))
    }
}

impl Known for Roots {
    fn certificate(&self, _: &Fingerprint) -> Option<Bytes> {
        None
    }

    fn authorities(&self) -> Arc<Authorities> {
        self.0.clone()
    }
}

struct Trusted(Fingerprint);

impl Anchors for Trusted {
    fn trusts(&self, root: &Fingerprint, _: Timestamp) -> bool {
        *root == self.0
    }

    fn revoked_at(&self, _: &AuthorityId, _: &[u8]) -> Option<Timestamp> {
        None
    }
}

const DATES: Dates = Dates { signed_at: NOW, received_at: NOW };

impl Stage {
    pub fn new() -> Self {
        let corpus = Corpus::new();
        let root = corpus.pki.root().certificate().clone();
        let trusted = Trusted(*root.fingerprint());
        let verifier = Verifier::new(DocumentContents, Roots::of(root));
        Self { corpus, verifier, trusted }
    }

    /// Forgets what was seen, as a hub does that starts.
    pub fn renew(&mut self) {
        let root = self.corpus.pki.root().certificate().clone();
        self.verifier = Verifier::new(DocumentContents, Roots::of(root));
    }

    /// Hands in an original: it passes, whatever came before.
    pub fn honest(&self, number: u64) {
        let Corpus { documents, reports, .. } = &self.corpus;
        let number = number as usize;
        let document = &documents[number % documents.len()];
        let request = submit_request(document).encode_to_vec();
        assert_eq!(self.submitted(request.into()), "ACCEPTED", "original document");
        let report = &reports[number % reports.len()];
        let request = report_request(report).encode_to_vec();
        assert_eq!(self.reported(request.into()), "ACCEPTED", "original report");
    }

    /// Makes a case; what reads it is not asked yet.
    pub fn case(&self, rng: &mut ChaCha8Rng) -> Case {
        match rng.random_range(0..100) {
            0..55 => Case::Submission(self.submission(rng)),
            55..70 => Case::Report(self.report(rng)),
            70..88 => {
                let (der, signed_again) = self.changed_der(rng, &self.corpus.certificates);
                Case::Certificate { der, signed_again }
            }
            _ => {
                let (der, signed_again) = self.changed_der(rng, &self.corpus.lists);
                Case::RevocationList { der, signed_again }
            }
        }
    }

    /// Reads a case as a hub does, and says what came of it.
    pub fn play(&self, case: Case) -> &'static str {
        match case {
            // The transport does not let it in.
            Case::Submission(request) | Case::Report(request)
                if request.len() > MESSAGE_BYTES_MAX =>
            {
                "MESSAGE TOO LARGE"
            }
            Case::Submission(request) => self.submitted(request),
            Case::Report(request) => self.reported(request),
            Case::Certificate { der, signed_again } => self.certificate(der, signed_again),
            Case::RevocationList { der, signed_again } => self.revocation_list(&der, signed_again),
        }
    }

    fn submission(&self, rng: &mut ChaCha8Rng) -> Bytes {
        let pool = Pool { corpus: &self.corpus, originals: &self.corpus.documents };
        let mut request = submit_request(pick(rng, pool.originals));
        let raw = rng.random_range(0..10);
        if raw < 7
            && let Some(envelope) = &mut request.document
        {
            pool.change(rng, envelope, &mut request.attachments);
        }
        let other = submit_request(pick(rng, pool.originals)).encode_to_vec();
        scrambled(rng, raw, request.encode_to_vec(), &other)
    }

    fn report(&self, rng: &mut ChaCha8Rng) -> Bytes {
        let pool = Pool { corpus: &self.corpus, originals: &self.corpus.reports };
        let mut request = report_request(pick(rng, pool.originals));
        let raw = rng.random_range(0..10);
        if raw < 7
            && let Some(envelope) = &mut request.report
        {
            pool.change(rng, envelope, &mut Vec::new());
        }
        let other = report_request(pick(rng, pool.originals)).encode_to_vec();
        scrambled(rng, raw, request.encode_to_vec(), &other)
    }

    fn submitted(&self, request: Bytes) -> &'static str {
        let request: proto::SubmitDocumentRequest = match decode_message(request) {
            Ok(request) => request,
            Err(_) => return "MESSAGE REFUSED",
        };
        let facts = signed::document_from_proto(request.document, request.attachments).and_then(
            |content| self.verifier.document(content).map_err(|rejected| rejected.refusal),
        );
        let facts = match facts {
            Ok(facts) => facts,
            Err(refusal) => return told(&refusal),
        };
        let key = facts.header.sender.key();
        let policy = SignaturePolicy::Required;
        let sender = judge::Sender { agency: &key, gateway: None, policy, mandates: &[] };
        let kind =
            judge::certificates(&facts.signed.signers, &self.trusted, DATES).and_then(|()| {
                judge::holders(&facts.signed.signers, sender, facts.header.document_type, DATES)
            });
        match kind {
            Err(refusal) => told(&refusal),
            Ok(_) => self.accepted(&self.corpus.documents, &facts.header.sender, &facts.signed),
        }
    }

    fn reported(&self, request: Bytes) -> &'static str {
        let request: proto::ReportStatusRequest = match decode_message(request) {
            Ok(request) => request,
            Err(_) => return "MESSAGE REFUSED",
        };
        let facts = signed::report_from_proto(request.report)
            .and_then(|content| self.verifier.status(content).map_err(|rejected| rejected.refusal));
        let facts = match facts {
            Ok(facts) => facts,
            Err(refusal) => return told(&refusal),
        };
        let reporter = facts.header.from.key();
        let kind = judge::certificates(&facts.signed.signers, &self.trusted, DATES)
            .and_then(|()| judge::report_holders(&facts.signed.signers, &reporter, None));
        match kind {
            Err(refusal) => told(&refusal),
            Ok(_) => self.accepted(&self.corpus.reports, &facts.header.from, &facts.signed),
        }
    }

    /// Demands that what passed is an original, byte for byte, by those who signed it; or what an
    /// insider signed for its own agency. Signatures stand side by side, so that one may be
    /// missing: the others hold all the same.
    fn accepted(
        &self,
        originals: &[Original],
        sender: &AgencyCode,
        signed: &Signed,
    ) -> &'static str {
        let signers: HashSet<Fingerprint> =
            signed.signers.iter().map(|chain| *chain.leaf().fingerprint()).collect();
        for chain in &signed.signers {
            assert_eq!(chain.root().fingerprint(), &self.trusted.0, "another root");
            assert_eq!(agency(chain), Some(sender.key()), "signed by another agency");
        }
        let insider = self.corpus.insider.certificate.fingerprint();
        let Some(original) = originals.iter().find(|one| one.digest == signed.digest) else {
            assert_eq!(signers, HashSet::from([*insider]), "what nobody signed was accepted");
            return "ACCEPTED OF AN INSIDER";
        };
        let SignedContent { content_type, content, attachments, .. } = &original.signed;
        assert_eq!(&signed.content.content_type, content_type);
        assert_eq!(&signed.content.content, content);
        assert_eq!(sender, &original.sender);
        // One that is not beside is looked up elsewhere; whatever is beside is what was signed.
        let signed_for = by_name(attachments);
        let beside = by_name(&signed.content.attachments);
        assert!(beside.iter().all(|one| signed_for.contains(one)), "{beside:?}");
        let added = signers.difference(&original.signers).collect::<Vec<_>>();
        assert!(added.iter().all(|name| *name == insider), "signers that did not sign: {added:?}");
        match (added.is_empty(), signers.len() == original.signers.len()) {
            (false, _) => "ACCEPTED, ONE ADDED ITS OWN",
            (true, false) => "ACCEPTED, ONE LEFT OUT",
            (true, true) => "ACCEPTED",
        }
    }

    fn certificate(&self, der: Bytes, signed_again: bool) -> &'static str {
        let certificate = match Certificate::parse(der.clone()) {
            Ok(certificate) => Arc::new(certificate),
            Err(error) => return error.reason().code(),
        };
        assert_eq!(certificate.der(), &der);
        assert_eq!(certificate.fingerprint(), &Fingerprint::of(&der));
        assert!((1..=20).contains(&certificate.serial().len()));
        assert!(certificate.not_before() <= certificate.not_after());
        let _ = (format!("{certificate:?}"), certificate.holder().clone());
        let mut pool = vec![certificate.clone()];
        pool.extend(self.corpus.authorities.iter().cloned());
        // A changed authority in the pool stands in nobody's way.
        let insider = self.corpus.insider.certificate.clone();
        assert!(Chain::build(insider, &pool).is_ok());
        match Chain::build(certificate, &pool) {
            Err(_) => Reason::CertificateChainBroken.code(),
            Ok(_) if self.corpus.certificates.contains(&der) => "ACCEPTED",
            Ok(_) if signed_again => "ACCEPTED, SIGNED AGAIN",
            Ok(chain) => panic!("a certificate that nobody issued has a chain: {chain:?}"),
        }
    }

    fn revocation_list(&self, der: &Bytes, signed_again: bool) -> &'static str {
        let list = match RevocationList::parse(der, &self.corpus.authorities) {
            Ok(list) => list,
            Err(error) => return kind_of(&error),
        };
        assert!(list.revoked.is_sorted_by(|a, b| a.serial < b.serial));
        for entry in &list.revoked {
            assert_eq!(list.find(&entry.serial), Some(entry));
        }
        match (self.corpus.lists.contains(der), signed_again) {
            (true, _) => "ACCEPTED",
            (false, true) => "ACCEPTED, SIGNED AGAIN",
            (false, false) => panic!("a list that nobody signed is read: {list:?}"),
        }
    }

    /// Changes a certificate or list; in one of three cases the true authority signs the change.
    fn changed_der(&self, rng: &mut ChaCha8Rng, all: &[Bytes]) -> (Bytes, bool) {
        let (original, other) = (pick(rng, all), pick(rng, all));
        let mut der = original.to_vec();
        match rng.random_range(0..9) {
            0..2 => bytes_of::change(rng, &mut der, other),
            2..6 => {
                for _ in 0..rng.random_range(1..=3) {
                    tree::change::<Der>(rng, &mut der, other);
                }
            }
            _ => return (self.signed_again(rng, original, other), true),
        }
        (der.into(), false)
    }

    fn signed_again(&self, rng: &mut ChaCha8Rng, original: &[u8], other: &[u8]) -> Bytes {
        let parts = |der: &[u8]| Der::split(&Der::split(der).unwrap()[0].inside).unwrap();
        let (mut parts, foreign) = (parts(original), parts(other));
        for _ in 0..rng.random_range(1..=3) {
            tree::change::<Der>(rng, &mut parts[0].inside, &foreign[0].inside);
        }
        let signature = self.corpus.pki.issuing().key().sign(&whole(&parts[0]));
        parts[2].inside = [&[0], signature.as_slice()].concat();
        let inside = parts.iter().flat_map(whole).collect();
        whole(&Node { head: 0x30, inside }).into()
    }
}

fn whole(node: &Node) -> Vec<u8> {
    let mut out = Vec::new();
    Der::write(node, node.inside.len() as u64, &mut out);
    out
}

fn told(refusal: &lienthong_model::Refusal) -> &'static str {
    assert!(refusal.violations.len() <= lienthong_model::Refusal::VIOLATIONS_MAX);
    assert!(refusal.violations.iter().all(|violation| violation.value.chars().count() <= 200));
    refusal.reason.code()
}

fn kind_of(error: &lienthong_trust::RevocationListError) -> &'static str {
    use lienthong_trust::RevocationListError::{IssuerUnknown, SignatureInvalid, Undecodable};
    let _ = error.to_string();
    match error {
        Undecodable(_) => "not DER",
        IssuerUnknown(_) => "issuer unknown",
        SignatureInvalid(_) => "signature invalid",
        _ => "breaks the profile",
    }
}

fn agency(chain: &Chain) -> Option<CodeKey> {
    match chain.leaf().holder() {
        Holder::Person { agency, .. } | Holder::Seal { agency } => Some(agency.key()),
        Holder::Authority { .. }
        | Holder::Node { .. }
        | Holder::Operator { .. }
        | Holder::Hub { .. } => None,
    }
}

fn by_name(attachments: &[Attachment]) -> Vec<(&str, &Bytes)> {
    let mut all: Vec<_> =
        attachments.iter().map(|one| (one.content_id.as_str(), &one.bytes)).collect();
    all.sort();
    all
}

fn submit_request(original: &Original) -> proto::SubmitDocumentRequest {
    let (document, attachments) = signed::to_proto(original.signed.clone());
    proto::SubmitDocumentRequest { document: Some(document), attachments }
}

fn report_request(original: &Original) -> proto::ReportStatusRequest {
    let (report, _) = signed::to_proto(original.signed.clone());
    proto::ReportStatusRequest { report: Some(report) }
}

/// Changes the message that travels: as a message, or as bytes.
fn scrambled(rng: &mut ChaCha8Rng, raw: u8, mut request: Vec<u8>, other: &[u8]) -> Bytes {
    match raw {
        // Changed before, and left as it is now.
        0..6 => {}
        6..9 => tree::change::<Protobuf>(rng, &mut request, other),
        _ => bytes_of::change(rng, &mut request, other),
    }
    request.into()
}
