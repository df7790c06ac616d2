//! One thing taken for another: types, lengths, counts at their bounds, and certificates that one
//! sender adds to what another one signed.

#[allow(dead_code)]
#[path = "hostile/corpus.rs"]
mod corpus;

use std::sync::{Arc, Mutex};

use bytes::Bytes;
use corpus::{Corpus, NOW, code, sign};
use lienthong_model::limits::{
    CERTIFICATE_BYTES_MAX, CERTIFICATES_MAX, CONTENT_BYTES_MAX, SIGNATURES_MAX,
};
use lienthong_model::{
    DOCUMENT_V1, Document, Fingerprint, MessageId, Reason, STATUS_V1, SignatureEntry, SignedContent,
};
use lienthong_trust::{Authorities, Certificate, Chain, Known, Verifier, dsse};
use lienthong_wire::{DocumentContents, encode_document};

/// Authorities that are known; of them those that signed themselves are relied on.
struct Knows(Mutex<Arc<Authorities>>);

impl Knows {
    fn new(certificates: Vec<Arc<Certificate>>) -> Self {
        let knows = Self(Mutex::default());
        knows.learn(certificates);
        knows
    }

    fn learn(&self, certificates: Vec<Arc<Certificate>>) {
        let authorities = Authorities::new(certificates, Certificate::is_self_issued);
        *self.0.lock().unwrap() = Arc::new(authorities);
    }
}

impl Known for Knows {
    fn certificate(&self, _: &Fingerprint) -> Option<Bytes> {
        None
    }

    fn authorities(&self) -> Arc<Authorities> {
        self.0.lock().unwrap().clone()
    }
}

/// The same, seen from outside the verifier.
impl Known for &'static Knows {
    fn certificate(&self, fingerprint: &Fingerprint) -> Option<Bytes> {
        (*self).certificate(fingerprint)
    }

    fn authorities(&self) -> Arc<Authorities> {
        (*self).authorities()
    }
}

fn verifier() -> Verifier<DocumentContents, Knows> {
    Verifier::new(DocumentContents, Knows::new(Vec::new()))
}

fn refused(content: SignedContent) -> (Reason, String) {
    let rejected = verifier().document(content).expect_err("refused");
    (rejected.refusal.reason, rejected.refusal.violations[0].field.clone())
}

#[test]
fn a_report_is_no_document_and_a_document_no_report() {
    let Corpus { documents, reports, .. } = Corpus::new();
    let (document, report) = (&documents[0].signed, &reports[0].signed);
    let reason = |rejected: lienthong_trust::Rejected| rejected.refusal.reason;
    let as_document = verifier().document(report.clone()).map_err(reason);
    assert_eq!(as_document.err(), Some(Reason::ContentTypeUnknown));
    let as_report = verifier().status(document.clone()).map_err(reason);
    assert_eq!(as_report.err(), Some(Reason::ContentTypeUnknown));
    // The bytes of one under the type of the other: what decodes was not signed as that.
    let renamed = SignedContent { content_type: DOCUMENT_V1.to_owned(), ..report.clone() };
    assert!(verifier().document(renamed).is_err());
    let renamed = SignedContent { content_type: STATUS_V1.to_owned(), ..document.clone() };
    assert!(verifier().status(renamed).is_err());
}

#[test]
fn a_signature_under_one_type_does_not_hold_under_another() {
    let Corpus { documents, pki, insider, .. } = Corpus::new();
    let content = documents[2].signed.content.clone();
    let mut other_type = sign(&pki, STATUS_V1, content, &[&insider]);
    other_type.content_type = DOCUMENT_V1.to_owned();
    let (reason, field) = refused(other_type);
    assert_eq!((reason, field.as_str()), (Reason::SignatureInvalid, "document.signatures[0]"));
}

#[test]
fn no_byte_can_move_between_the_type_and_the_content() {
    // Without the lengths, these would be the same bytes to sign.
    let pairs = [("a", "b c"), ("a b", "c"), ("a 3 b", "c"), ("a", "3 b c"), ("", "a b c")];
    for (at, (kind, content)) in pairs.iter().enumerate() {
        for (other_kind, other) in &pairs[at + 1..] {
            assert_ne!(
                dsse::pre_authentication_encoding(kind, content.as_bytes()),
                dsse::pre_authentication_encoding(other_kind, other.as_bytes()),
            );
        }
    }
    // A type that holds the whole head of another encoding: the text is the same but for the
    // lengths, and so is no signature of it.
    let Corpus { documents, .. } = Corpus::new();
    let original = &documents[0].signed;
    for cut in [1, 10, original.content.len() - 1] {
        let mut moved = original.clone();
        let (head, rest) = original.content.split_at(cut);
        let length = original.content.len();
        moved.content_type = format!("{DOCUMENT_V1} {length} {}", String::from_utf8_lossy(head));
        moved.content = Bytes::copy_from_slice(rest);
        assert_eq!(refused(moved).0, Reason::ContentTypeUnknown);
        let shorter = SignedContent { content: original.content.slice(cut..), ..original.clone() };
        assert!(verifier().document(shorter).is_err());
    }
}

#[test]
fn a_signer_signs_once() {
    let Corpus { documents, .. } = Corpus::new();
    let mut twice = documents[0].signed.clone();
    twice.signatures.push(twice.signatures[0].clone());
    let (reason, field) = refused(twice.clone());
    assert_eq!((reason, field.as_str()), (Reason::SignatureMalformed, "document.signatures[2]"));
    // The same signer with another value is the same signer.
    twice.signatures[2].value = Bytes::from(vec![1; 64]);
    assert_eq!(refused(twice).0, Reason::SignatureMalformed);
}

#[test]
fn a_signature_of_another_length_is_malformed() {
    let Corpus { documents, .. } = Corpus::new();
    for length in [0, 63, 65, 128] {
        let mut changed = documents[0].signed.clone();
        changed.signatures[1].value = Bytes::from(vec![1; length]);
        let (reason, field) = refused(changed);
        assert_eq!(
            (reason, field.as_str()),
            (Reason::SignatureMalformed, "document.signatures[1]")
        );
    }
}

#[test]
fn seventeen_signatures_are_too_many_and_sixteen_are_looked_at() {
    let Corpus { documents, .. } = Corpus::new();
    let with = |count: usize| {
        let mut many = documents[0].signed.clone();
        let entry = |n: usize| SignatureEntry {
            certificate: Fingerprint([n as u8; 32]),
            value: Bytes::from(vec![1; 64]),
        };
        many.signatures = (0..count).map(entry).collect();
        many
    };
    assert_eq!(refused(with(SIGNATURES_MAX)).0, Reason::CertificateUnknown);
    let (reason, field) = refused(with(SIGNATURES_MAX + 1));
    assert_eq!((reason, field.as_str()), (Reason::ContentTooLarge, "document.signatures"));
}

#[test]
fn sixty_five_certificates_are_too_many_and_sixty_four_are_not() {
    let Corpus { documents, .. } = Corpus::new();
    let with = |count: usize| {
        let mut many = documents[0].signed.clone();
        many.certificates.resize(count, Bytes::from_static(b"no certificate"));
        many
    };
    // Superfluous ones are not read.
    assert!(verifier().document(with(CERTIFICATES_MAX)).is_ok());
    let (reason, field) = refused(with(CERTIFICATES_MAX + 1));
    assert_eq!((reason, field.as_str()), (Reason::ContentTooLarge, "document.certificates"));
}

#[test]
fn a_certificate_above_its_bound_is_refused_also_when_nobody_needs_it() {
    let Corpus { documents, .. } = Corpus::new();
    let with = |bytes: usize| {
        let mut large = documents[0].signed.clone();
        large.certificates.push(vec![0x30; bytes].into());
        large
    };
    assert!(verifier().document(with(CERTIFICATE_BYTES_MAX)).is_ok());
    let (reason, field) = refused(with(CERTIFICATE_BYTES_MAX + 1));
    assert_eq!((reason, field.as_str()), (Reason::ContentTooLarge, "document.certificates[4]"));
}

#[test]
fn an_empty_content_is_no_document_whoever_signed_it() {
    let Corpus { pki, insider, .. } = Corpus::new();
    let (reason, field) = refused(sign(&pki, DOCUMENT_V1, Bytes::new(), &[&insider]));
    assert_eq!(reason, Reason::FieldMissing);
    assert_eq!(field, "id");
}

#[test]
fn a_content_of_exactly_the_bound_passes_and_one_byte_more_does_not() {
    let Corpus { pki, insider, .. } = Corpus::new();
    let id = MessageId::new(NOW, [9; 10]);
    let document = Document::new(id, code("H40"), [code("H36")], "họp", NOW);
    let plain = encode_document(&document);
    // An unknown field fills it up: number 1000, wire type 2, length of three bytes.
    let filled = |size: usize| {
        let filler = size - plain.len() - 5;
        let length = [filler as u8 | 0x80, (filler >> 7) as u8 | 0x80, (filler >> 14) as u8];
        let mut content = plain.to_vec();
        content.extend([0xc2, 0x3e]);
        content.extend(length);
        content.resize(size, 0);
        sign(&pki, DOCUMENT_V1, content.into(), &[&insider])
    };
    let verified = verifier().document(filled(CONTENT_BYTES_MAX)).unwrap();
    assert_eq!(verified.signed.content.content.len(), CONTENT_BYTES_MAX);
    let (reason, field) = refused(filled(CONTENT_BYTES_MAX + 1));
    assert_eq!((reason, field.as_str()), (Reason::ContentTooLarge, "document.content"));
}

/// The fingerprints of the first signer's issuers.
fn issuers(chain: &Chain) -> Vec<Fingerprint> {
    chain.issuers().iter().map(|issuer| *issuer.fingerprint()).collect()
}

#[test]
fn certificates_that_one_sender_adds_do_not_change_the_chain_that_another_one_gets() {
    // A recipient sends on what it received, with a certificate of the true issuing authority by
    // a root of its own in place of the true ones. The signature holds, the chain holds, and
    // nobody trusts its root; but the sender's own chain must stay what it is.
    let Corpus { documents, authorities, .. } = Corpus::new();
    let honest = &documents[0].signed;
    let [issuing, root, crossed, false_root, ..] = authorities.as_slice() else { panic!() };
    let mut hostile = honest.clone();
    let signers = honest.signatures.len();
    hostile.certificates.truncate(signers);
    hostile.certificates.extend([crossed.der().clone(), false_root.der().clone()]);

    // Also as signers, so that they might be taken for something else than issuers.
    let mut named = hostile.clone();
    let entry = |certificate: &Arc<Certificate>| SignatureEntry {
        certificate: *certificate.fingerprint(),
        value: Bytes::from(vec![1; 64]),
    };
    named.signatures.extend([entry(crossed), entry(false_root)]);

    for known in [vec![], vec![root.clone()], vec![root.clone(), issuing.clone()]] {
        let verifier = Verifier::new(DocumentContents, Knows::new(known));
        assert!(verifier.document(named.clone()).is_err());
        assert!(verifier.document(hostile.clone()).is_ok());
        for _ in 0..2 {
            let verified = verifier.document(honest.clone()).unwrap();
            let expected = [*issuing.fingerprint(), *root.fingerprint()];
            assert_eq!(issuers(&verified.signed.signers[0]), expected);
        }
    }
}

#[test]
fn of_two_ways_up_the_one_to_a_root_that_is_known_is_taken() {
    // The issuing authority is certified by the true root and by another one; neither certificate
    // is known, both come with the document.
    let Corpus { documents, authorities, .. } = Corpus::new();
    let [issuing, root, crossed, false_root, ..] = authorities.as_slice() else { panic!() };
    let mut both = documents[0].signed.clone();
    both.certificates.extend([crossed, false_root].map(|issuer| issuer.der().clone()));
    for (relied_on, way) in [(root, [issuing, root]), (false_root, [crossed, false_root])] {
        let verifier = Verifier::new(DocumentContents, Knows::new(vec![relied_on.clone()]));
        let verified = verifier.document(both.clone()).unwrap();
        assert_eq!(issuers(&verified.signed.signers[0]), way.map(|issuer| *issuer.fingerprint()));
    }
}

#[test]
fn an_authority_that_becomes_known_counts_for_what_was_seen_before() {
    let Corpus { documents, authorities, .. } = Corpus::new();
    let [issuing, root, crossed, false_root, ..] = authorities.as_slice() else { panic!() };
    let mut strange = documents[0].signed.clone();
    strange.certificates.truncate(strange.signatures.len());
    strange.certificates.extend([crossed, false_root].map(|issuer| issuer.der().clone()));

    let knows: &'static Knows = Box::leak(Box::new(Knows::new(Vec::new())));
    let verifier = Verifier::new(DocumentContents, knows);
    let way = || issuers(&verifier.document(strange.clone()).unwrap().signed.signers[0]);
    assert_eq!(way(), [crossed, false_root].map(|issuer| *issuer.fingerprint()));
    knows.learn(vec![root.clone(), issuing.clone()]);
    assert_eq!(way(), [issuing, root].map(|issuer| *issuer.fingerprint()));
}

#[test]
fn the_same_certificates_in_any_order_give_the_same_chain() {
    let Corpus { documents, authorities, .. } = Corpus::new();
    let mut both = documents[0].signed.clone();
    both.certificates.extend(authorities.iter().map(|issuer| issuer.der().clone()));
    let mut first = None;
    for turn in 0..both.certificates.len() {
        both.certificates.rotate_left(1);
        let verified = verifier().document(both.clone()).unwrap();
        let chain = issuers(&verified.signed.signers[0]);
        assert_eq!(*first.get_or_insert_with(|| chain.clone()), chain, "turn {turn}");
    }
}

#[test]
fn a_certificate_that_is_kept_does_not_keep_the_message_that_it_came_in() {
    let Corpus { documents, .. } = Corpus::new();
    let mut content = documents[0].signed.clone();
    let mut message = Vec::new();
    let starts: Vec<usize> = content
        .certificates
        .iter()
        .map(|der| {
            message.extend_from_slice(der);
            message.len() - der.len()
        })
        .collect();
    message.resize(1 << 20, 0);
    let message = Bytes::from(message);
    for (der, start) in content.certificates.iter_mut().zip(starts) {
        *der = message.slice(start..start + der.len());
    }
    let verifier = verifier();
    drop(verifier.document(content).unwrap());
    assert!(message.is_unique(), "the verifier holds on to the message");
}
