//! Changes of signed content as a whole: what an attacker does who knows the protocol.

use bytes::Bytes;
use lienthong_model::{DOCUMENT_V1, STATUS_V1};
use lienthong_trust::dsse;
use lienthong_wire::proto;
use rand::RngExt as _;
use rand_chacha::ChaCha8Rng;
use sha2::Digest as _;

use crate::bytes_of::{self, index};
use crate::corpus::{Corpus, Original};
use crate::tree::{self, Der, Protobuf};

type Attachments = Vec<proto::Attachment>;

/// Something to draw from: a corpus, and the originals of the same kind.
pub struct Pool<'c> {
    pub corpus: &'c Corpus,
    pub originals: &'c [Original],
}

impl Pool<'_> {
    fn foreign(&self, rng: &mut ChaCha8Rng) -> &Original {
        let all = [&self.corpus.documents, &self.corpus.reports];
        match rng.random_range(0..4) {
            0 => pick(rng, all[0]),
            1 => pick(rng, all[1]),
            _ => pick(rng, self.originals),
        }
    }

    /// Makes one to three changes.
    pub fn change(
        &self,
        rng: &mut ChaCha8Rng,
        envelope: &mut proto::SignedDocument,
        attachments: &mut Attachments,
    ) {
        for _ in 0..rng.random_range(1..=3) {
            match rng.random_range(0..100) {
                0..30 => self.content(rng, envelope),
                30..50 => self.signatures(rng, envelope),
                50..80 => self.certificates(rng, envelope),
                80..88 => self.sign_again(rng, envelope),
                88..97 => change_attachments(rng, attachments),
                _ => many(rng, envelope, attachments),
            }
        }
    }

    fn content(&self, rng: &mut ChaCha8Rng, envelope: &mut proto::SignedDocument) {
        let foreign = self.foreign(rng);
        let mut content = envelope.content.to_vec();
        match rng.random_range(0..10) {
            0..5 => tree::change::<Protobuf>(rng, &mut content, &foreign.signed.content),
            5..7 => bytes_of::change(rng, &mut content, &foreign.signed.content),
            7 => content = foreign.signed.content.to_vec(),
            8 => envelope.content_type = foreign.signed.content_type.clone(),
            _ => {
                let types = [STATUS_V1, DOCUMENT_V1, "", "application/octet-stream"];
                envelope.content_type = types[index(rng, types.len())].to_owned();
                // What is signed is type and content in one: a part of one moved to the other.
                if rng.random_bool(0.5) {
                    envelope.content_type.push_str(&format!(" {} ", content.len()));
                    let cut = index(rng, content.len());
                    content.drain(..cut);
                }
            }
        }
        envelope.content = content.into();
    }

    fn signatures(&self, rng: &mut ChaCha8Rng, envelope: &mut proto::SignedDocument) {
        let foreign = self.foreign(rng);
        let signatures = &mut envelope.signatures;
        let (at, other) = (index(rng, signatures.len()), index(rng, signatures.len()));
        if signatures.is_empty() {
            return;
        }
        match rng.random_range(0..8) {
            0 => signatures.swap(at, other),
            1 => drop(signatures.remove(at)),
            2 => signatures.push(signatures[at].clone()),
            3 => {
                let (value, name) =
                    (signatures[other].value.clone(), signatures[at].certificate_sha256.clone());
                signatures[at].value = value;
                signatures[other].certificate_sha256 = name;
            }
            4 => signatures[at].value = pick(rng, &foreign.signed.signatures).value.clone(),
            5 => {
                let der: &Bytes = pick(rng, &self.corpus.certificates);
                let name = sha256(der);
                signatures[at].certificate_sha256 = name;
            }
            6 => {
                let mut value = signatures[at].value.to_vec();
                bytes_of::change(rng, &mut value, &foreign.signed.content);
                signatures[at].value = value.into();
            }
            _ => {
                let entry = pick(rng, &foreign.signed.signatures);
                let name = Bytes::copy_from_slice(entry.certificate.as_bytes());
                let value = entry.value.clone();
                signatures.push(proto::Signature { certificate_sha256: name, value });
            }
        }
    }

    fn certificates(&self, rng: &mut ChaCha8Rng, envelope: &mut proto::SignedDocument) {
        let certificates = &mut envelope.certificates;
        let at = index(rng, certificates.len());
        let foreign = pick(rng, &self.corpus.certificates).clone();
        if certificates.is_empty() {
            return certificates.push(foreign);
        }
        match rng.random_range(0..9) {
            0 => {
                let to = index(rng, certificates.len());
                certificates.swap(at, to);
            }
            1 => drop(certificates.remove(at)),
            2 => certificates.push(certificates[at].clone()),
            3 => certificates.push(foreign),
            4 => certificates[at] = foreign,
            5 => {
                // Another way up: false issuers in place of the true ones.
                let issuers = &self.corpus.authorities[rng.random_range(0..3)..];
                certificates.retain(|_| rng.random_bool(0.6));
                certificates.extend(issuers.iter().map(|issuer| issuer.der().clone()));
            }
            _ => {
                let mut der = certificates[at].to_vec();
                match rng.random_bool(0.7) {
                    true => tree::change::<Der>(rng, &mut der, &foreign),
                    false => bytes_of::change(rng, &mut der, &foreign),
                }
                let (old, new) = (sha256(&certificates[at]), sha256(&der));
                // Mostly the signature names the changed one, or nobody would look at it.
                if rng.random_bool(0.8) {
                    let named = envelope.signatures.iter_mut();
                    named
                        .filter(|one| one.certificate_sha256 == old)
                        .for_each(|one| one.certificate_sha256 = new.clone());
                }
                certificates[at] = der.into();
            }
        }
    }

    /// Signs what stands there with a key that the attacker has.
    fn sign_again(&self, rng: &mut ChaCha8Rng, envelope: &mut proto::SignedDocument) {
        let Corpus { insider, impostor, node, .. } = self.corpus;
        let signer = [insider, insider, impostor, node][index(rng, 4)];
        let message = dsse::pre_authentication_encoding(&envelope.content_type, &envelope.content);
        let signature = proto::Signature {
            certificate_sha256: sha256(signer.certificate.der()),
            value: Bytes::copy_from_slice(&signer.key.sign(&message)),
        };
        if rng.random_bool(0.7) {
            envelope.signatures.clear();
        }
        envelope.signatures.push(signature);
        envelope.certificates.push(signer.certificate.der().clone());
        let issuers = self.corpus.authorities.iter().map(|issuer| issuer.der().clone());
        envelope.certificates.extend(issuers);
    }
}

pub fn pick<'a, T>(rng: &mut ChaCha8Rng, all: &'a [T]) -> &'a T {
    &all[index(rng, all.len())]
}

fn sha256(der: &[u8]) -> Bytes {
    Bytes::copy_from_slice(&sha2::Sha256::digest(der))
}

fn change_attachments(rng: &mut ChaCha8Rng, attachments: &mut Attachments) {
    let at = index(rng, attachments.len());
    if attachments.is_empty() {
        return attachments.push(proto::Attachment::default());
    }
    match rng.random_range(0..5) {
        0 => attachments.swap(0, at),
        1 => drop(attachments.remove(at)),
        2 => attachments.push(attachments[at].clone()),
        3 => attachments[at].content_id.push('1'),
        _ => {
            let mut content = attachments[at].content.to_vec();
            bytes_of::change(rng, &mut content, &[]);
            attachments[at].content = content.into();
        }
    }
}

/// Counts and sizes at their bounds and beyond, as far as a message reaches.
fn many(rng: &mut ChaCha8Rng, envelope: &mut proto::SignedDocument, attachments: &mut Attachments) {
    let count = [16, 17, 64, 65, 256, 2_000][index(rng, 6)];
    match rng.random_range(0..6) {
        0 => envelope.signatures.resize(count, proto::Signature::default()),
        1 => envelope.certificates.resize(count, Bytes::new()),
        2 => attachments.resize(count, proto::Attachment::default()),
        3 => {
            let size = [8 * 1024, 8 * 1024 + 1, 60_000][index(rng, 3)];
            envelope.certificates.push(vec![0x30; size].into());
        }
        4 => {
            if let Some(last) = envelope.signatures.last().cloned() {
                envelope.signatures.resize(count, last);
            }
        }
        _ => {
            // Empty recipients, places, answers, attachments: two or three bytes each.
            let tag: &[u8] =
                [&[0x22, 0][..], &[0x9a, 1, 0], &[0xa2, 1, 0], &[0x92, 2, 0]][index(rng, 4)];
            let mut content = envelope.content.to_vec();
            content.extend(tag.repeat(count * index(rng, 12)));
            envelope.content = content.into();
        }
    }
}
