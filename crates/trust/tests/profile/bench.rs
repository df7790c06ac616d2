//! One document, signed by one person below an issuing authority below a root, of which one
//! certificate at a time is changed.

use std::sync::Arc;

use bytes::Bytes;
use lienthong_model::{
    AgencyCode, DOCUMENT_V1, Document, Fingerprint, MessageId, Refusal, SignatureEntry,
    SignedContent, Timestamp,
};
use lienthong_trust::judge::{self, Anchors, Dates};
use lienthong_trust::{Authorities, AuthorityId, Known, Submission, Verified, Verifier, dsse};
use lienthong_wire::{DocumentContents, encode_document};

use crate::sample::{AUTHORITY_KEY_ID, Ext, SEQUENCE, SUBJECT_KEY_ID, Sample, key, key_id, tlv};

/// The serial number that is revoked, whoever issued it.
pub(crate) const REVOKED: u8 = 0x66;

/// 2020-11-16 08:00 in Viet Nam.
pub(crate) const NOW: Timestamp = Timestamp::from_millis(1_605_488_400_000);

/// Which certificate is changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Part {
    Person,
    Issuing,
    Root,
}

pub(crate) struct Bench {
    content: Bytes,
}

struct Nobody;

impl Known for Nobody {
    fn certificate(&self, _: &Fingerprint) -> Option<Bytes> {
        None
    }

    fn authorities(&self) -> Arc<Authorities> {
        Arc::default()
    }
}

struct Trusted(Fingerprint);

impl Anchors for Trusted {
    fn trusts(&self, root: &Fingerprint, _: Timestamp) -> bool {
        *root == self.0
    }

    fn revoked_at(&self, _: &AuthorityId, serial: &[u8]) -> Option<Timestamp> {
        (serial == [REVOKED]).then_some(NOW)
    }
}

impl Part {
    fn sample(self) -> Sample {
        match self {
            Self::Person => Sample::person().with(key_named(1)),
            Self::Issuing => {
                Sample::authority("Issuer", 1, None).by("Root").with(own_key(1)).with(key_named(9))
            }
            Self::Root => Sample::authority("Root", 9, None).by("Root").with(own_key(9)),
        }
    }

    fn sign(self, sample: &Sample) -> Bytes {
        sample.sign(if self == Self::Person { 1 } else { 9 })
    }
}

/// The authority key identifier for the key of `number`.
pub(crate) fn key_named(number: u8) -> Ext {
    (AUTHORITY_KEY_ID, false, tlv(SEQUENCE, &[&tlv(0x80, &[&key_id(number)])]))
}

fn own_key(number: u8) -> Ext {
    (SUBJECT_KEY_ID, false, tlv(4, &[&key_id(number)]))
}

impl Bench {
    pub(crate) fn new() -> Self {
        let code = |text| AgencyCode::parse(text).unwrap();
        let id = MessageId::new(NOW, [5; 10]);
        let document = Document::new(id, code("H36.12"), [code("H40")], "Về việc họp", NOW);
        Self { content: encode_document(&document) }
    }

    /// The facts of the document when the certificate of `part` is changed.
    pub(crate) fn with(
        &self,
        part: Part,
        change: impl FnOnce(&mut Sample),
    ) -> Result<Verified<Submission>, Refusal> {
        let mut change = Some(change);
        let mut certificate = |own: Part| {
            let mut sample = own.sample();
            if own == part
                && let Some(change) = change.take()
            {
                change(&mut sample);
            }
            own.sign(&sample)
        };
        let all = [Part::Person, Part::Issuing, Part::Root].map(&mut certificate);
        self.submit(Fingerprint::of(&all[0]), all.to_vec())
    }

    /// The judgement of the document when the certificate of `part` is changed.
    pub(crate) fn judged(&self, part: Part, change: fn(&mut Sample)) -> Result<(), Refusal> {
        self.judged_at(NOW, part, change)
    }

    /// The judgement of the document, signed [`NOW`], when it is received at a moment.
    pub(crate) fn judged_at(
        &self,
        received_at: Timestamp,
        part: Part,
        change: fn(&mut Sample),
    ) -> Result<(), Refusal> {
        let facts = self.with(part, change)?;
        let root = Part::Root.sign(&Part::Root.sample());
        let dates = Dates { signed_at: facts.header.signed_at, received_at };
        judge::certificates(&facts.signed.signers, &Trusted(Fingerprint::of(&root)), dates)
    }

    /// The facts of the document when one certificate is not sent.
    pub(crate) fn without(&self, part: Part) -> Result<Verified<Submission>, Refusal> {
        let sign = |own: Part| own.sign(&own.sample());
        let parts = [Part::Person, Part::Issuing, Part::Root];
        let kept = parts.into_iter().filter(|own| *own != part).map(sign).collect();
        self.submit(Fingerprint::of(&sign(Part::Person)), kept)
    }

    /// The facts of the document with `more` authorities between the issuing one and the root.
    pub(crate) fn below(&self, more: u8) -> Result<Verified<Submission>, Refusal> {
        let sign = |own: Part| own.sign(&own.sample());
        let mut certificates = vec![sign(Part::Person), sign(Part::Root)];
        let mut below = ("Issuer".to_owned(), 1);
        for step in 0..more {
            let above = (format!("Step {step}"), 100 + step);
            let sample = Sample::authority(&below.0, below.1, None).by(&above.0);
            certificates.push(sample.sign(above.1));
            below = above;
        }
        certificates.push(Sample::authority(&below.0, below.1, None).by("Root").sign(9));
        self.submit(Fingerprint::of(&certificates[0]), certificates)
    }

    fn submit(
        &self,
        signer: Fingerprint,
        certificates: Vec<Bytes>,
    ) -> Result<Verified<Submission>, Refusal> {
        use ed25519_dalek::Signer as _;
        let message = dsse::pre_authentication_encoding(DOCUMENT_V1, &self.content);
        let value = Bytes::copy_from_slice(&key(2).sign(&message).to_bytes());
        let signed = SignedContent {
            content_type: DOCUMENT_V1.to_owned(),
            content: self.content.clone(),
            signatures: vec![SignatureEntry { certificate: signer, value }],
            certificates,
            attachments: Vec::new(),
        };
        let verifier = Verifier::new(DocumentContents, Nobody);
        verifier.document(signed).map_err(|rejected| rejected.refusal)
    }
}
