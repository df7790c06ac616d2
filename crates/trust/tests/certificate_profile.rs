//! Certificates wrong in each single way, through the door that documents come by
//! ([`Verifier::document`]): each way has one row, and each row its code of docs/CERTIFICATES.md.
//!
//! The document, its signature and every other certificate are right in each row.

#[path = "profile/bench.rs"]
mod bench;
// The same samples that the unit tests are made of: bytes put together one by one.
#[allow(dead_code)]
#[path = "../src/certificate/sample.rs"]
mod sample;

use std::time::Duration;

use bench::{Bench, Part, key_named};
use lienthong_model::Reason::{
    self, CertificateChainBroken, CertificateKeyWeak, CertificateMalformed, CertificateUnsuitable,
};
use sample::*;

/// What is wrong, how, and which code says so.
type Row = (&'static str, fn(&mut Sample), Reason);

/// Whose certificate is changed, how, and which code says so.
type Judged = (Part, fn(&mut Sample), Reason);

const RSA: [u8; 15] = [0x30, 13, 6, 9, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 11, 5, 0];
const RSA_KEY: [u8; 15] = [0x30, 13, 6, 9, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 1, 5, 0];
const ECDSA: [u8; 12] = [0x30, 10, 6, 8, 0x2a, 0x86, 0x48, 0xce, 0x3d, 4, 3, 2];
const ECDSA_KEY: [u8; 21] = [
    0x30, 19, 6, 7, 0x2a, 0x86, 0x48, 0xce, 0x3d, 2, 1, 6, 8, 0x2a, 0x86, 0x48, 0xce, 0x3d, 3, 1, 7,
];
const ED25519_WITH_NULL: [u8; 9] = [0x30, 7, 6, 3, 0x2b, 0x65, 0x70, 5, 0];
const ED448: [u8; 7] = [0x30, 5, 6, 3, 0x2b, 0x65, 0x71];
const CODE_SIGNING: [u8; 10] = [0x06, 8, 0x2b, 6, 1, 5, 5, 7, 3, 3];
const ANY_PURPOSE: [u8; 6] = [0x06, 4, 0x55, 0x1d, 0x25, 0];

fn agency() -> Vec<u8> {
    uri("urn:lienthong:agency:H36.12")
}

fn person() -> Vec<u8> {
    uri("urn:lienthong:person:an.nguyen")
}

/// Refuses the document whose certificate of `part` is changed as a row says, once a row.
fn refused(part: Part, rows: &[Row]) {
    let bench = Bench::new();
    bench.with(part, |_| ()).expect("the unchanged certificates are right");
    for (what, change, reason) in rows {
        let Err(refusal) = bench.with(part, *change) else { panic!("{what}: accepted") };
        assert_eq!(refusal.reason, *reason, "{what}: {refusal}");
        let [violation] = refusal.violations.as_slice() else { panic!("{what}: {refusal}") };
        assert_eq!(violation.field, "document.signatures[0]", "{what}");
    }
}

#[test]
fn a_signer_with_a_wrong_frame_is_refused() {
    refused(
        Part::Person,
        &[
            ("version 1, left out", |s| s.version.clear(), CertificateMalformed),
            ("version 1", |s| s.version = vec![0xa0, 3, 2, 1, 0], CertificateMalformed),
            ("version 2", |s| s.version = vec![0xa0, 3, 2, 1, 1], CertificateMalformed),
            ("version 4", |s| s.version = vec![0xa0, 3, 2, 1, 3], CertificateMalformed),
            ("serial zero", |s| s.serial = vec![2, 1, 0], CertificateMalformed),
            ("serial negative", |s| s.serial = vec![2, 1, 0x80], CertificateMalformed),
            ("serial of 21 bytes", |s| s.serial = tlv(2, &[&[1; 21]]), CertificateMalformed),
            ("serial padded", |s| s.serial = vec![2, 2, 0, 1], CertificateMalformed),
            ("serial without bytes", |s| s.serial = vec![2, 0], CertificateMalformed),
            ("inner RSA", |s| s.algorithm = RSA.to_vec(), CertificateMalformed),
            ("outer RSA", |s| s.outer_algorithm = RSA.to_vec(), CertificateMalformed),
            ("inner with NULL", |s| s.algorithm = ED25519_WITH_NULL.to_vec(), CertificateMalformed),
            ("signed with RSA", |s| both_algorithms(s, &RSA), CertificateMalformed),
            ("signed with ECDSA", |s| both_algorithms(s, &ECDSA), CertificateMalformed),
            ("signed with Ed448", |s| both_algorithms(s, &ED448), CertificateMalformed),
            ("NULL", |s| both_algorithms(s, &ED25519_WITH_NULL), CertificateMalformed),
            ("signature of 63", |s| s.signature = Some(vec![1; 63]), CertificateMalformed),
            ("signature of 65", |s| s.signature = Some(vec![1; 65]), CertificateMalformed),
            ("no signature", |s| s.signature = Some(Vec::new()), CertificateMalformed),
            ("issuer empty", |s| s.issuer = tlv(SEQUENCE, &[]), CertificateMalformed),
            ("issuer id", |s| s.unique_ids = vec![0x81, 2, 0, 1], CertificateMalformed),
            ("subject id", |s| s.unique_ids = vec![0x82, 2, 0, 1], CertificateMalformed),
        ],
    );
}

fn both_algorithms(sample: &mut Sample, algorithm: &[u8]) {
    (sample.algorithm, sample.outer_algorithm) = (algorithm.to_vec(), algorithm.to_vec());
}

#[test]
fn a_signer_with_wrong_dates_is_refused() {
    refused(
        Part::Person,
        &[
            (
                "ends before it begins",
                |s| s.not_after = tlv(0x17, &[b"191231235959Z"]),
                CertificateMalformed,
            ),
            (
                "dates reversed",
                |s| std::mem::swap(&mut s.not_before, &mut s.not_after),
                CertificateMalformed,
            ),
            (
                "GeneralizedTime before 2050",
                |s| s.not_after = tlv(0x18, &[b"20301231235959Z"]),
                CertificateMalformed,
            ),
            (
                "without seconds",
                |s| s.not_after = tlv(0x17, &[b"3012312359Z"]),
                CertificateMalformed,
            ),
            ("month 13", |s| s.not_after = tlv(0x17, &[b"301331235959Z"]), CertificateMalformed),
            (
                "local time",
                |s| s.not_after = tlv(0x17, &[b"301231235959+0700"]),
                CertificateMalformed,
            ),
            (
                "fraction of a second",
                |s| s.not_after = tlv(0x18, &[b"20501231235959.5Z"]),
                CertificateMalformed,
            ),
        ],
    );
}

#[test]
fn a_signer_with_a_weak_key_is_refused() {
    refused(
        Part::Person,
        &[
            ("an RSA key", |s| s.key_algorithm = RSA_KEY.to_vec(), CertificateKeyWeak),
            ("an ECDSA key", |s| s.key_algorithm = ECDSA_KEY.to_vec(), CertificateKeyWeak),
            ("an Ed448 key", |s| s.key_algorithm = ED448.to_vec(), CertificateKeyWeak),
            ("NULL", |s| s.key_algorithm = ED25519_WITH_NULL.to_vec(), CertificateKeyWeak),
            ("31 bytes", |s| s.key.truncate(31), CertificateKeyWeak),
            ("33 bytes", |s| s.key.push(0), CertificateKeyWeak),
            ("no key", |s| s.key.clear(), CertificateKeyWeak),
            ("not a point", |s| s.key = [&[2], [0; 31].as_slice()].concat(), CertificateKeyWeak),
            ("order 4", |s| s.key = vec![0; 32], CertificateKeyWeak),
            ("order 1", |s| s.key = [&[1], [0; 31].as_slice()].concat(), CertificateKeyWeak),
            (
                "a second spelling",
                |s| s.key = [&[0xee], [0xff; 30].as_slice(), &[0x7f]].concat(),
                CertificateKeyWeak,
            ),
        ],
    );
}

#[test]
fn a_signer_with_wrong_extensions_is_refused() {
    refused(
        Part::Person,
        &[
            ("no extension", |s| s.extensions.clear(), CertificateUnsuitable),
            ("twice", |s| s.extensions.push(key_usage(0xc0)), CertificateMalformed),
            (
                "an unknown one twice",
                |s| s.extensions.extend([(99, false, vec![5, 0]), (99, false, vec![5, 0])]),
                CertificateMalformed,
            ),
            (
                "unknown and critical",
                |s| s.extensions.push((99, true, vec![5, 0])),
                CertificateMalformed,
            ),
            (
                "certificate policies, critical",
                |s| s.extensions.push((32, true, vec![0x30, 0])),
                CertificateMalformed,
            ),
            (
                "name constraints",
                |s| s.extensions.push((30, false, vec![0x30, 0])),
                CertificateMalformed,
            ),
            (
                "policy constraints",
                |s| s.extensions.push((36, true, vec![0x30, 0])),
                CertificateMalformed,
            ),
            (
                "inhibitAnyPolicy",
                |s| s.extensions.push((54, true, vec![2, 1, 0])),
                CertificateMalformed,
            ),
            (
                "key usage not in DER",
                |s| s.replace((KEY_USAGE, true, vec![3, 3, 7, 0xc0, 0])),
                CertificateMalformed,
            ),
            (
                "key usage undecodable",
                |s| s.replace((KEY_USAGE, true, vec![5, 0])),
                CertificateMalformed,
            ),
            ("CA flag", |s| s.extensions.push(constraints(&[1, 1, 0xff])), CertificateMalformed),
            (
                "CA flag written false",
                |s| s.extensions.push(constraints(&[1, 1, 0])),
                CertificateMalformed,
            ),
            ("path length", |s| s.extensions.push(constraints(&[2, 1, 0])), CertificateMalformed),
            (
                "subject key identifier of 65 bytes",
                |s| s.extensions.push((SUBJECT_KEY_ID, false, tlv(4, &[&[1; 65]]))),
                CertificateMalformed,
            ),
            (
                "authority key identifier undecodable",
                |s| s.replace((AUTHORITY_KEY_ID, false, vec![0x30, 1])),
                CertificateMalformed,
            ),
        ],
    );
}

#[test]
fn a_signer_with_the_wrong_usage_is_refused() {
    refused(
        Part::Person,
        &[
            ("no key usage", |s| s.remove(KEY_USAGE), CertificateUnsuitable),
            ("no nonRepudiation", |s| s.replace(key_usage(0x80)), CertificateUnsuitable),
            ("no digitalSignature", |s| s.replace(key_usage(0x40)), CertificateUnsuitable),
            ("keyCertSign", |s| s.replace(key_usage(0xc4)), CertificateUnsuitable),
            ("no purpose", |s| s.remove(EXTENDED_KEY_USAGE), CertificateUnsuitable),
            ("clientAuth", |s| s.replace(purposes(&[&CLIENT_AUTH])), CertificateUnsuitable),
            ("serverAuth", |s| s.replace(purposes(&[&SERVER_AUTH])), CertificateUnsuitable),
            ("codeSigning", |s| s.replace(purposes(&[&CODE_SIGNING])), CertificateUnsuitable),
            (
                "anyExtendedKeyUsage",
                |s| s.replace(purposes(&[&ANY_PURPOSE])),
                CertificateUnsuitable,
            ),
            (
                "two purposes",
                |s| s.replace(purposes(&[&DOCUMENT_SIGNING, &CLIENT_AUTH])),
                CertificateUnsuitable,
            ),
            (
                "the same purpose twice",
                |s| s.replace(purposes(&[&DOCUMENT_SIGNING, &DOCUMENT_SIGNING])),
                CertificateUnsuitable,
            ),
            ("a node", |s| *s = Sample::node(), CertificateUnsuitable),
            ("an operator", |s| *s = Sample::operator(), CertificateUnsuitable),
            ("a hub", |s| *s = Sample::hub(), CertificateUnsuitable),
            ("an authority", |s| *s = Sample::authority("A", 2, None), CertificateUnsuitable),
        ],
    );
}

#[test]
fn a_signer_with_the_wrong_names_is_refused() {
    refused(
        Part::Person,
        &[
            ("no alternative name", |s| s.remove(ALT_NAME), CertificateMalformed),
            ("no agency", |s| s.replace(alt_names(&[person()])), CertificateMalformed),
            (
                "two agencies",
                |s| {
                    let other = uri("urn:lienthong:agency:H40");
                    s.replace(alt_names(&[agency(), other, person()]));
                },
                CertificateMalformed,
            ),
            (
                "the same agency twice",
                |s| s.replace(alt_names(&[agency(), agency(), person()])),
                CertificateMalformed,
            ),
            (
                "two persons",
                |s| s.replace(alt_names(&[agency(), person(), person()])),
                CertificateMalformed,
            ),
            ("an empty code", |s| named(s, "urn:lienthong:agency:"), CertificateMalformed),
            ("an empty group", |s| named(s, "urn:lienthong:agency:H36..1"), CertificateMalformed),
            (
                "a blank in the code",
                |s| named(s, "urn:lienthong:agency:H 36"),
                CertificateMalformed,
            ),
            (
                "a code of 36 characters",
                |s| named(s, "urn:lienthong:agency:123456789012345678901234567890123456"),
                CertificateMalformed,
            ),
            ("an unknown URN", |s| named(s, "urn:lienthong:role:chief"), CertificateMalformed),
            ("upper case", |s| named(s, "URN:LIENTHONG:AGENCY:H36"), CertificateMalformed),
            (
                "another URI beside",
                |s| s.replace(alt_names(&[agency(), person(), uri("https://example.vn")])),
                CertificateMalformed,
            ),
            (
                "a DNS name",
                |s| s.replace(alt_names(&[agency(), person(), tlv(0x82, &[b"example.vn"])])),
                CertificateMalformed,
            ),
            (
                "an IP address",
                |s| s.replace(alt_names(&[agency(), person(), tlv(0x87, &[&[127, 0, 0, 1]])])),
                CertificateMalformed,
            ),
            (
                "a registered id",
                |s| s.replace(alt_names(&[agency(), person(), vec![0x88, 1, 0x2a]])),
                CertificateMalformed,
            ),
            (
                "an empty person's id",
                |s| s.replace(alt_names(&[agency(), uri("urn:lienthong:person:")])),
                CertificateMalformed,
            ),
            (
                "a slash in the person's id",
                |s| s.replace(alt_names(&[agency(), uri("urn:lienthong:person:a/b")])),
                CertificateMalformed,
            ),
            ("no common name", |s| subject(s, &[part(12, 0x0c, b"T")]), CertificateMalformed),
            ("no title", |s| subject(s, &[part(3, 0x0c, b"An")]), CertificateMalformed),
            ("a blank name", |s| s.subject = person_name(" ", "T"), CertificateMalformed),
            ("a line break", |s| s.subject = person_name("A\nB", "T"), CertificateMalformed),
            (
                "a name of 501 characters",
                |s| s.subject = person_name(&"a".repeat(501), "T"),
                CertificateMalformed,
            ),
            (
                "two common names",
                |s| {
                    let name = part(3, 0x0c, b"An");
                    subject(s, &[name.clone(), name, part(12, 0x0c, b"T")]);
                },
                CertificateMalformed,
            ),
            (
                "a TeletexString",
                |s| subject(s, &[part(3, 0x14, b"An"), part(12, 0x0c, b"T")]),
                CertificateMalformed,
            ),
            (
                "bytes that are not UTF-8",
                |s| subject(s, &[part(3, 0x0c, &[0xff]), part(12, 0x0c, b"T")]),
                CertificateMalformed,
            ),
            (
                "a seal's with a DNS name",
                |s| {
                    *s = Sample::seal();
                    s.replace(alt_names(&[agency(), tlv(0x82, &[b"example.vn"])]));
                },
                CertificateMalformed,
            ),
        ],
    );
}

fn named(sample: &mut Sample, agency: &str) {
    sample.replace(alt_names(&[uri(agency), person()]));
}

fn subject(sample: &mut Sample, parts: &[Vec<u8>]) {
    let parts: Vec<&[u8]> = parts.iter().map(Vec::as_slice).collect();
    sample.subject = tlv(SEQUENCE, &parts);
}

#[test]
fn a_signer_that_does_not_fit_its_issuer_is_refused() {
    refused(
        Part::Person,
        &[
            ("another issuer's name", |s| s.issuer = name("Other"), CertificateChainBroken),
            ("the name in other letters", |s| s.issuer = name("issuer"), CertificateChainBroken),
            (
                "the name as another string type",
                |s| s.issuer = tlv(SEQUENCE, &[&part(6, 0x13, b"VN"), &part(3, 0x13, b"Issuer")]),
                CertificateChainBroken,
            ),
            ("another key's identifier", |s| s.replace(key_named(3)), CertificateChainBroken),
            ("a signature of zeros", |s| s.signature = Some(vec![0; 64]), CertificateChainBroken),
            ("issued by the root's name", |s| s.issuer = name("Root"), CertificateChainBroken),
            ("issued by itself", |s| s.issuer = s.subject.clone(), CertificateChainBroken),
        ],
    );
}

#[test]
fn an_issuing_authority_that_is_none_breaks_the_chain() {
    refused(
        Part::Issuing,
        &[
            ("no keyCertSign", |s| s.replace(key_usage(0x02)), CertificateChainBroken),
            ("keyAgreement", |s| s.replace(key_usage(0x0e)), CertificateChainBroken),
            ("no key usage", |s| s.remove(KEY_USAGE), CertificateChainBroken),
            ("no CA flag", |s| s.remove(CONSTRAINTS), CertificateChainBroken),
            (
                "constraints not critical",
                |s| {
                    let (id, _, value) = constraints(&[1, 1, 0xff]);
                    s.replace((id, false, value));
                },
                CertificateChainBroken,
            ),
            (
                "a purpose",
                |s| s.extensions.push(purposes(&[&DOCUMENT_SIGNING])),
                CertificateChainBroken,
            ),
            (
                "an alternative name",
                |s| s.extensions.push(alt_names(&[agency()])),
                CertificateChainBroken,
            ),
            (
                "name constraints",
                |s| s.extensions.push((30, true, vec![0x30, 0])),
                CertificateChainBroken,
            ),
            ("another subject", |s| s.subject = name("Other"), CertificateChainBroken),
            ("no subject", |s| s.subject = tlv(SEQUENCE, &[]), CertificateChainBroken),
            ("another issuer", |s| s.issuer = name("Other"), CertificateChainBroken),
            (
                "a key identifier that the root does not have",
                |s| s.replace(key_named(3)),
                CertificateChainBroken,
            ),
            ("not signed by the root", |s| s.signature = Some(vec![7; 64]), CertificateChainBroken),
            (
                "another key",
                |s| s.key = key(3).verifying_key().to_bytes().to_vec(),
                CertificateChainBroken,
            ),
            ("a weak key", |s| s.key = vec![0; 32], CertificateChainBroken),
            ("itself a signer", |s| seal_as_issuer(s), CertificateChainBroken),
        ],
    );
}

/// A seal's certificate with the name and the key of the issuing authority.
fn seal_as_issuer(sample: &mut Sample) {
    let mut seal = Sample::seal().by("Root");
    (seal.subject, seal.key) = (name("Issuer"), key(1).verifying_key().to_bytes().to_vec());
    *sample = seal;
}

#[test]
fn a_root_that_is_none_breaks_the_chain() {
    refused(
        Part::Root,
        &[
            ("no keyCertSign", |s| s.replace(key_usage(0x02)), CertificateChainBroken),
            (
                "a path length of 0",
                |s| *s = Sample::authority("Root", 9, Some(0)).by("Root"),
                CertificateChainBroken,
            ),
            ("not signed by itself", |s| s.signature = Some(vec![7; 64]), CertificateChainBroken),
            ("issued by another", |s| s.issuer = name("Above"), CertificateChainBroken),
            ("another name", |s| s.subject = name("Other"), CertificateChainBroken),
            (
                "another key",
                |s| s.key = key(8).verifying_key().to_bytes().to_vec(),
                CertificateChainBroken,
            ),
            (
                "the key's identifier of another",
                |s| s.replace((SUBJECT_KEY_ID, false, tlv(4, &[&key_id(3)]))),
                CertificateChainBroken,
            ),
        ],
    );
}

#[test]
fn a_chain_of_seven_certificates_is_refused_and_one_of_six_is_not() {
    let bench = Bench::new();
    assert!(bench.below(3).is_ok());
    let refusal = bench.below(4).unwrap_err();
    assert_eq!(refusal.reason, CertificateChainBroken);
}

#[test]
fn certificates_that_are_not_sent_and_not_known_are_named() {
    let bench = Bench::new();
    assert_eq!(bench.without(Part::Person).unwrap_err().reason, Reason::CertificateUnknown);
    assert_eq!(bench.without(Part::Issuing).unwrap_err().reason, CertificateChainBroken);
    assert_eq!(bench.without(Part::Root).unwrap_err().reason, CertificateChainBroken);
}

#[test]
fn a_chain_that_holds_is_judged_by_its_root_its_dates_and_its_revocation() {
    let bench = Bench::new();
    let judged = |part, change: fn(&mut Sample)| bench.judged(part, change).map_err(|r| r.reason);
    assert_eq!(judged(Part::Person, |_| ()), Ok(()));
    let rows: [Judged; 8] = [
        (Part::Root, |s| s.serial = vec![2, 1, 9], Reason::CertificateUntrusted),
        (
            Part::Person,
            |s| s.not_before = tlv(0x17, &[b"201117000000Z"]),
            Reason::CertificateNotYetValid,
        ),
        (
            Part::Issuing,
            |s| s.not_before = tlv(0x17, &[b"201117000000Z"]),
            Reason::CertificateNotYetValid,
        ),
        (
            Part::Person,
            |s| s.not_after = tlv(0x17, &[b"201115000000Z"]),
            Reason::CertificateExpired,
        ),
        (
            Part::Issuing,
            |s| s.not_after = tlv(0x17, &[b"201115000000Z"]),
            Reason::CertificateExpired,
        ),
        (Part::Person, |s| s.serial = vec![2, 1, bench::REVOKED], Reason::CertificateRevoked),
        (Part::Issuing, |s| s.serial = vec![2, 1, bench::REVOKED], Reason::CertificateRevoked),
        // Both: the first in the order of the list.
        (
            Part::Person,
            |s| {
                s.serial = vec![2, 1, bench::REVOKED];
                s.not_after = tlv(0x17, &[b"201115000000Z"]);
            },
            Reason::CertificateExpired,
        ),
    ];
    for (part, change, reason) in rows {
        assert_eq!(judged(part, change), Err(reason), "{part:?}");
    }
}

#[test]
fn a_certificate_that_is_not_valid_yet_at_receipt_is_refused_whatever_its_signers_clock_says() {
    let bench = Bench::new();
    let received = |at| {
        // Valid from the moment on at which the signer says that it signed.
        let begins = |s: &mut Sample| s.not_before = tlv(0x17, &[b"201116010000Z"]);
        bench.judged_at(at, Part::Person, begins).map_err(|refusal| refusal.reason)
    };
    assert_eq!(received(bench::NOW), Ok(()));
    let before = bench::NOW.minus(Duration::from_secs(1));
    assert_eq!(received(before), Err(Reason::CertificateNotYetValid));
}
