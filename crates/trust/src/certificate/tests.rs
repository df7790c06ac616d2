use lienthong_model::Reason::{
    self, CertificateKeyWeak, CertificateMalformed, CertificateUnsuitable,
};
use proptest::prelude::*;

use super::sample::*;
use super::*;

fn parse(sample: &Sample) -> Result<Certificate, CertificateError> {
    Certificate::parse(sample.sign(1))
}

fn code(text: &str) -> AgencyCode {
    AgencyCode::parse(text).unwrap()
}

#[test]
fn each_kind_of_holder_is_read_from_the_certificate() {
    let person = Holder::Person {
        agency: code("H36.12"),
        person: "an.nguyen".to_owned(),
        name: "Nguyễn Văn An".to_owned(),
        title: "Giám đốc".to_owned(),
    };
    let operator = Holder::Operator {
        agency: code("H36.12"),
        person: "an.nguyen".to_owned(),
        name: "Nguyễn Văn An".to_owned(),
        title: "Giám đốc".to_owned(),
    };
    let cases = [
        (Sample::person(), person),
        (Sample::seal(), Holder::Seal { agency: code("H36.12") }),
        (Sample::node(), Holder::Node { agency: code("000.00.12.H36") }),
        (Sample::operator(), operator),
        (Sample::hub(), Holder::Hub { agency: code("G22") }),
        (Sample::authority("Issuer", 1, None), Holder::Authority { path_len: None }),
        (Sample::authority("Issuer", 1, Some(3)), Holder::Authority { path_len: Some(3) }),
    ];
    for (sample, holder) in cases {
        assert_eq!(parse(&sample).unwrap().holder(), &holder);
    }
}

#[test]
fn every_field_is_read_as_it_stands() {
    let sample = Sample::person().with((SUBJECT_KEY_ID, false, tlv(4, &[&key_id(2)]))).with((
        AUTHORITY_KEY_ID,
        false,
        tlv(SEQUENCE, &[&tlv(0x80, &[&key_id(1)])]),
    ));
    let der = sample.sign(1);
    let certificate = Certificate::parse(der.clone()).unwrap();
    assert_eq!(certificate.der(), &der);
    assert_eq!(certificate.fingerprint(), &Fingerprint::of(&der));
    assert_eq!(certificate.serial(), [0x11, 0x22]);
    assert_eq!(certificate.subject().as_der(), sample.subject);
    assert_eq!(certificate.issuer().as_der(), sample.issuer);
    assert_eq!(certificate.issuer().to_string(), "CN=Issuer,C=VN");
    assert_eq!(Some(certificate.not_before()), Timestamp::parse("2020-01-01T00:00:00Z"));
    assert_eq!(Some(certificate.not_after()), Timestamp::parse("2030-12-31T23:59:59Z"));
    assert!(certificate.valid_at(certificate.not_after()));
    assert!(!certificate.valid_at(Timestamp::from_millis(certificate.not_after().millis() + 1)));
    assert_eq!(certificate.key().as_bytes(), &key(2).verifying_key().to_bytes());
    assert_eq!(certificate.subject_key_id(), Some(key_id(2).as_slice()));
    assert_eq!(certificate.authority_key_id(), Some(key_id(1).as_slice()));
    assert_eq!(certificate.agency(), Some(&code("H36.12")));
    assert!(!certificate.is_self_issued() && !certificate.signs_revocation_lists());
}

type Change = fn(&mut Sample);

/// Refuses `base` with one change each, and says why.
fn refused(base: fn() -> Sample, cases: &[(&str, Change, Reason)]) {
    assert!(parse(&base()).is_ok(), "the unchanged certificate is right");
    for (says, change, reason) in cases {
        let mut sample = base();
        change(&mut sample);
        let error = parse(&sample).expect_err(says);
        assert!(error.to_string().contains(says), "expected `{says}`, got `{error}`");
        assert_eq!(error.reason(), *reason, "{says}");
    }
}

#[test]
fn a_frame_wrong_in_one_way_is_refused() {
    const RSA: [u8; 15] = [0x30, 13, 6, 9, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 11, 5, 0];
    const WITH_NULL: [u8; 9] = [0x30, 7, 6, 3, 0x2b, 0x65, 0x70, 5, 0];
    refused(
        Sample::person,
        &[
            ("version 3", |s| s.version = vec![0xa0, 3, 2, 1, 1], CertificateMalformed),
            ("one form", |s| s.version = vec![0xa0, 3, 2, 1, 0], CertificateMalformed),
            ("serial number", |s| s.serial = vec![2, 1, 0], CertificateMalformed),
            ("serial number", |s| s.serial = vec![2, 1, 0x80], CertificateMalformed),
            ("serial number", |s| s.serial = tlv(2, &[&[0x01; 21]]), CertificateMalformed),
            ("DER", |s| s.serial = vec![2, 2, 0, 1], CertificateMalformed),
            ("differs", |s| s.algorithm = RSA.to_vec(), CertificateMalformed),
            ("differs", |s| s.outer_algorithm = RSA.to_vec(), CertificateMalformed),
            (
                "not with Ed25519",
                |s| {
                    (s.algorithm, s.outer_algorithm) = (RSA.to_vec(), RSA.to_vec());
                },
                CertificateMalformed,
            ),
            (
                "not with Ed25519",
                |s| {
                    (s.algorithm, s.outer_algorithm) = (WITH_NULL.to_vec(), WITH_NULL.to_vec());
                },
                CertificateMalformed,
            ),
            ("64 bytes", |s| s.signature = Some(vec![1; 63]), CertificateMalformed),
            ("64 bytes", |s| s.signature = Some(Vec::new()), CertificateMalformed),
            ("issuer's name", |s| s.issuer = tlv(SEQUENCE, &[]), CertificateMalformed),
            (
                "before it begins",
                |s| {
                    s.not_after = tlv(0x17, &[b"191231235959Z"]);
                },
                CertificateMalformed,
            ),
            ("one form", |s| s.not_after = tlv(0x18, &[b"20301231235959Z"]), CertificateMalformed),
            ("DER", |s| s.not_after = tlv(0x17, &[b"3012312359Z"]), CertificateMalformed),
            ("DER", |s| s.not_after = tlv(0x17, &[b"301331235959Z"]), CertificateMalformed),
            ("unique", |s| s.unique_ids = vec![0x82, 2, 0, 1], CertificateMalformed),
            ("unique", |s| s.unique_ids = vec![0x81, 2, 0, 1], CertificateMalformed),
            ("not for Ed25519", |s| s.key_algorithm = RSA.to_vec(), CertificateKeyWeak),
            ("not for Ed25519", |s| s.key_algorithm = WITH_NULL.to_vec(), CertificateKeyWeak),
            ("32 bytes", |s| s.key.push(0), CertificateKeyWeak),
            ("small order", |s| s.key = vec![0; 32], CertificateKeyWeak),
            (
                "canonical",
                |s| {
                    s.key = [&[0xee], [0xff; 30].as_slice(), &[0x7f]].concat();
                },
                CertificateKeyWeak,
            ),
            ("DER", |s| s.unique_ids = vec![5, 0], CertificateMalformed),
        ],
    );
}

#[test]
fn extensions_wrong_in_one_way_are_refused() {
    refused(
        Sample::person,
        &[
            ("extended key usage", |s| s.extensions.clear(), CertificateUnsuitable),
            ("stands twice", |s| s.extensions.push(key_usage(0xc0)), CertificateMalformed),
            (
                "critical extension",
                |s| {
                    s.extensions.push((99, true, vec![5, 0]));
                },
                CertificateMalformed,
            ),
            // Name constraints, policy constraints, inhibitAnyPolicy; critical or not.
            (
                "not allowed",
                |s| {
                    s.extensions.push((30, true, vec![0x30, 0]));
                },
                CertificateMalformed,
            ),
            (
                "not allowed",
                |s| {
                    s.extensions.push((30, false, vec![0x30, 0]));
                },
                CertificateMalformed,
            ),
            (
                "not allowed",
                |s| {
                    s.extensions.push((36, false, vec![0x30, 0]));
                },
                CertificateMalformed,
            ),
            (
                "not allowed",
                |s| {
                    s.extensions.push((54, false, vec![2, 1, 0]));
                },
                CertificateMalformed,
            ),
            (
                "cannot be decoded",
                |s| {
                    s.replace((KEY_USAGE, true, vec![5, 0]));
                },
                CertificateMalformed,
            ),
            // A bit string with a superfluous byte, and one with trailing zero bits.
            (
                "cannot be decoded",
                |s| {
                    s.replace((KEY_USAGE, true, vec![3, 3, 7, 0xc0, 0]));
                },
                CertificateMalformed,
            ),
            (
                "cannot be decoded",
                |s| {
                    s.replace((KEY_USAGE, true, vec![3, 2, 0, 0xc0]));
                },
                CertificateMalformed,
            ),
            (
                "cannot be decoded",
                |s| {
                    s.extensions.push((SUBJECT_KEY_ID, false, vec![4, 0]));
                },
                CertificateMalformed,
            ),
            (
                "cannot be decoded",
                |s| {
                    s.extensions.push((SUBJECT_KEY_ID, false, tlv(4, &[&[1; 65]])));
                },
                CertificateMalformed,
            ),
            (
                "cannot be decoded",
                |s| {
                    s.extensions.push((AUTHORITY_KEY_ID, false, vec![0x30, 1]));
                },
                CertificateMalformed,
            ),
            (
                "path length but not",
                |s| {
                    s.extensions.push(constraints(&[2, 1, 0]));
                },
                CertificateMalformed,
            ),
            (
                "cannot be decoded",
                |s| {
                    s.extensions.push(constraints(&[1, 1, 0]));
                },
                CertificateMalformed,
            ),
        ],
    );
}

#[test]
fn a_persons_certificate_wrong_in_one_way_is_refused() {
    refused(
        Sample::person,
        &[
            ("key usage", |s| s.remove(KEY_USAGE), CertificateUnsuitable),
            ("key usage", |s| s.replace(key_usage(0x80)), CertificateUnsuitable),
            ("key usage", |s| s.replace(key_usage(0x40)), CertificateUnsuitable),
            ("key usage", |s| s.replace(key_usage(0xc4)), CertificateUnsuitable),
            ("extended key usage", |s| s.remove(EXTENDED_KEY_USAGE), CertificateUnsuitable),
            (
                "extended key usage",
                |s| {
                    s.replace(purposes(&[&DOCUMENT_SIGNING, &CLIENT_AUTH]));
                },
                CertificateUnsuitable,
            ),
            (
                "extended key usage",
                |s| {
                    s.replace(purposes(&[&[6, 8, 0x2b, 6, 1, 5, 5, 7, 3, 4]]));
                },
                CertificateUnsuitable,
            ),
            (
                "key usage",
                |s| {
                    s.extensions.push(constraints(&[1, 1, 0xff]));
                    s.remove(ALT_NAME);
                },
                CertificateUnsuitable,
            ),
            (
                "an authority has the alternative name",
                |s| {
                    s.extensions.push(constraints(&[1, 1, 0xff]));
                },
                CertificateMalformed,
            ),
            ("this 0", |s| s.remove(ALT_NAME), CertificateMalformed),
            (
                "this 0",
                |s| {
                    s.replace(alt_names(&[uri("urn:lienthong:person:an")]));
                },
                CertificateMalformed,
            ),
            (
                "this 2",
                |s| {
                    let agency = uri("urn:lienthong:agency:H36.12");
                    s.replace(alt_names(&[agency.clone(), agency, uri("urn:lienthong:person:an")]));
                },
                CertificateMalformed,
            ),
            (
                "names 2 persons",
                |s| {
                    let (agency, person) =
                        (uri("urn:lienthong:agency:H36.12"), uri("urn:lienthong:person:an"));
                    s.replace(alt_names(&[agency, person.clone(), person]));
                },
                CertificateMalformed,
            ),
            (
                "agency",
                |s| {
                    s.replace(alt_names(&[uri("urn:lienthong:agency:H36..1")]));
                },
                CertificateMalformed,
            ),
            (
                "agency",
                |s| {
                    s.replace(alt_names(&[uri("urn:lienthong:agency:")]));
                },
                CertificateMalformed,
            ),
            (
                "not a person's id",
                |s| {
                    let agency = uri("urn:lienthong:agency:H36");
                    s.replace(alt_names(&[agency, uri("urn:lienthong:person:a/b")]));
                },
                CertificateMalformed,
            ),
            (
                "not a person's id",
                |s| {
                    let agency = uri("urn:lienthong:agency:H36");
                    s.replace(alt_names(&[agency, uri("urn:lienthong:person:")]));
                },
                CertificateMalformed,
            ),
            (
                "`https://example.vn`",
                |s| {
                    let agency = uri("urn:lienthong:agency:H36");
                    s.replace(alt_names(&[agency, uri("https://example.vn")]));
                },
                CertificateMalformed,
            ),
            (
                "`URN:lienthong:agency:H36`",
                |s| {
                    s.replace(alt_names(&[uri("URN:lienthong:agency:H36")]));
                },
                CertificateMalformed,
            ),
            (
                "DNS or IP",
                |s| {
                    let agency = uri("urn:lienthong:agency:H36");
                    s.replace(alt_names(&[agency, tlv(0x82, &[b"a.example"])]));
                },
                CertificateMalformed,
            ),
            (
                "is not allowed in this",
                |s| {
                    let agency = uri("urn:lienthong:agency:H36");
                    s.replace(alt_names(&[agency, vec![0x88, 1, 0x2a]]));
                },
                CertificateMalformed,
            ),
            ("one title", |s| s.subject = name("An"), CertificateMalformed),
            ("one title", |s| s.subject = person_name("An", " "), CertificateMalformed),
            (
                "one common name",
                |s| {
                    s.subject = person_name(&"a".repeat(501), "b");
                },
                CertificateMalformed,
            ),
            ("one common name", |s| s.subject = person_name("A\nB", "b"), CertificateMalformed),
            (
                "one common name",
                |s| {
                    let (name, title) = (part(3, 0x0c, b"An"), part(12, 0x0c, b"b"));
                    s.subject = tlv(SEQUENCE, &[&name, &name, &title]);
                },
                CertificateMalformed,
            ),
            (
                "one common name",
                |s| {
                    // Latin-1 in a TeletexString: which letters those are is a guess.
                    s.subject = tlv(SEQUENCE, &[&part(3, 0x14, b"An"), &part(12, 0x0c, b"b")]);
                },
                CertificateMalformed,
            ),
            (
                "one common name",
                |s| {
                    s.subject = tlv(SEQUENCE, &[&part(3, 0x0c, &[0xff]), &part(12, 0x0c, b"b")]);
                },
                CertificateMalformed,
            ),
        ],
    );
}

#[test]
fn an_operator_wrong_in_one_way_is_refused() {
    refused(
        Sample::operator,
        &[
            ("key usage", |s| s.replace(key_usage(0xc0)), CertificateUnsuitable),
            ("key usage", |s| s.remove(KEY_USAGE), CertificateUnsuitable),
            (
                "extended key usage",
                |s| s.replace(purposes(&[&CLIENT_AUTH, &DOCUMENT_SIGNING])),
                CertificateUnsuitable,
            ),
            (
                "this 0",
                |s| s.replace(alt_names(&[uri("urn:lienthong:person:an")])),
                CertificateMalformed,
            ),
            (
                "names 2 persons",
                |s| {
                    let agency = uri("urn:lienthong:agency:H36");
                    let both = ["urn:lienthong:person:an", "urn:lienthong:person:binh"].map(uri);
                    s.replace(alt_names(&[&[agency], &both[..]].concat()));
                },
                CertificateMalformed,
            ),
            (
                "`an nguyen` is not a person's id",
                |s| {
                    let agency = uri("urn:lienthong:agency:H36");
                    s.replace(alt_names(&[agency, uri("urn:lienthong:person:an nguyen")]));
                },
                CertificateMalformed,
            ),
            (
                "DNS or IP",
                |s| {
                    let agency = uri("urn:lienthong:agency:H36");
                    let person = uri("urn:lienthong:person:an");
                    s.replace(alt_names(&[agency, person, tlv(0x82, &[b"example.vn"])]));
                },
                CertificateMalformed,
            ),
            ("exactly one title", |s| s.subject = name("Nguyễn Văn An"), CertificateMalformed),
            (
                "exactly one common name",
                |s| s.subject = tlv(SEQUENCE, &[&part(12, 0x0c, "Giám đốc".as_bytes())]),
                CertificateMalformed,
            ),
        ],
    );
}

#[test]
fn a_node_or_hub_wrong_in_one_way_is_refused() {
    refused(
        Sample::node,
        &[
            ("key usage", |s| s.replace(key_usage(0xc0)), CertificateUnsuitable),
            ("this 0", |s| s.remove(ALT_NAME), CertificateMalformed),
            (
                // It would be an operator's then, who has a position.
                "exactly one title",
                |s| {
                    let agency = uri("urn:lienthong:agency:H36");
                    s.replace(alt_names(&[agency, uri("urn:lienthong:person:an")]));
                },
                CertificateMalformed,
            ),
            (
                "DNS or IP",
                |s| {
                    let agency = uri("urn:lienthong:agency:H36");
                    s.replace(alt_names(&[agency, tlv(0x87, &[&[127, 0, 0, 1]])]));
                },
                CertificateMalformed,
            ),
            (
                "e-mail",
                |s| {
                    let agency = uri("urn:lienthong:agency:H36");
                    s.replace(alt_names(&[agency, tlv(0x81, &[b"a@example.vn"])]));
                },
                CertificateMalformed,
            ),
        ],
    );
    refused(
        Sample::hub,
        &[
            ("key usage", |s| s.replace(key_usage(0xa0)), CertificateUnsuitable),
            (
                "neither a DNS name",
                |s| {
                    s.replace(alt_names(&[uri("urn:lienthong:agency:G22")]));
                },
                CertificateMalformed,
            ),
            (
                "this 0",
                |s| {
                    s.replace(alt_names(&[tlv(0x82, &[b"hub.example"])]));
                },
                CertificateMalformed,
            ),
            (
                "`hub example`",
                |s| {
                    let agency = uri("urn:lienthong:agency:G22");
                    s.replace(alt_names(&[agency, tlv(0x82, &[b"hub example"])]));
                },
                CertificateMalformed,
            ),
            (
                "IP address",
                |s| {
                    let agency = uri("urn:lienthong:agency:G22");
                    s.replace(alt_names(&[agency, tlv(0x87, &[&[127, 0, 1]])]));
                },
                CertificateMalformed,
            ),
        ],
    );
}

#[test]
fn an_authority_wrong_in_one_way_is_refused() {
    refused(
        || Sample::authority("Issuer", 1, Some(0)),
        &[
            (
                "not critical",
                |s| {
                    let (id, _, value) = constraints(&[1, 1, 0xff]);
                    s.replace((id, false, value));
                },
                CertificateMalformed,
            ),
            ("key usage", |s| s.replace(key_usage(0x02)), CertificateUnsuitable),
            ("key usage", |s| s.replace(key_usage(0x26)), CertificateUnsuitable),
            ("key usage", |s| s.remove(KEY_USAGE), CertificateUnsuitable),
            (
                "extended key usage",
                |s| {
                    s.extensions.push(purposes(&[&DOCUMENT_SIGNING]));
                },
                CertificateUnsuitable,
            ),
            (
                "subject of an authority",
                |s| {
                    s.subject = tlv(SEQUENCE, &[]);
                },
                CertificateMalformed,
            ),
            (
                "cannot be decoded",
                |s| {
                    s.replace(constraints(&[1, 1, 0xff, 2, 1, 0xff]));
                },
                CertificateMalformed,
            ),
        ],
    );
    let mut without_lists = Sample::authority("Issuer", 1, None);
    assert!(parse(&without_lists).unwrap().signs_revocation_lists());
    without_lists.replace(key_usage(0x04));
    assert!(!parse(&without_lists).unwrap().signs_revocation_lists());
}

#[test]
fn what_the_profile_does_not_speak_of_is_left_alone_when_it_is_not_critical() {
    let mut names = Sample::person();
    let (agency, person) =
        (uri("urn:lienthong:agency:H36.12"), uri("urn:lienthong:person:an.nguyen"));
    names.replace(alt_names(&[tlv(0x81, &[b"an@example.vn"]), person, agency]));
    let samples = [
        Sample::person().with((99, false, vec![5, 0])),
        Sample::person().with(constraints(&[])),
        Sample::seal().with((32, false, vec![0x30, 0])),
        names,
    ];
    for sample in samples {
        parse(&sample).unwrap();
    }
}

#[test]
fn bytes_around_a_certificate_are_refused() {
    let der = Sample::person().sign(1);
    for end in 0..der.len() {
        Certificate::parse(der.slice(..end)).expect_err("cut");
    }
    Certificate::parse([der.as_ref(), &[0]].concat().into()).expect_err("longer");
    let large = Certificate::parse(vec![0x30; CERTIFICATE_BYTES_MAX + 1].into());
    assert_eq!(large, Err(CertificateError::TooLarge(CERTIFICATE_BYTES_MAX + 1)));
}

#[test]
fn only_an_authority_with_the_name_and_the_key_has_issued_a_certificate() {
    let authority = |subject, number| parse(&Sample::authority(subject, number, None)).unwrap();
    let child = parse(&Sample::person()).unwrap();
    assert!(authority("Issuer", 1).verify_issued(&child));
    assert!(!authority("Issuer", 3).verify_issued(&child), "another key");
    assert!(!authority("Other", 1).verify_issued(&child), "another name");
    let mut seal = Sample::seal();
    (seal.subject, seal.key) = (name("Issuer"), key(1).verifying_key().to_bytes().to_vec());
    assert!(!parse(&seal).unwrap().verify_issued(&child), "no authority");
    let id = |number| (SUBJECT_KEY_ID, false, tlv(4, &[&key_id(number)]));
    let named = (AUTHORITY_KEY_ID, false, tlv(SEQUENCE, &[&tlv(0x80, &[&key_id(1)])]));
    let child = parse(&Sample::person().with(named)).unwrap();
    let right = Sample::authority("Issuer", 1, None).with(id(1));
    assert!(parse(&right).unwrap().verify_issued(&child));
    let wrong = Sample::authority("Issuer", 1, None).with(id(3));
    assert!(!parse(&wrong).unwrap().verify_issued(&child), "another key identifier");
}

proptest! {
    #[test]
    fn no_change_of_bytes_makes_the_parser_panic_or_the_signature_hold(
        kind in 0usize..6,
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6),
    ) {
        let samples = [
            Sample::person(),
            Sample::seal(),
            Sample::node(),
            Sample::operator(),
            Sample::hub(),
            Sample::authority("Issuer", 1, Some(1)),
        ];
        let der = samples[kind].sign(1);
        let mut changed = der.to_vec();
        for (at, byte) in changes {
            let at = at.index(changed.len());
            changed[at] = byte;
        }
        let issuer = parse(&Sample::authority("Issuer", 1, None)).unwrap();
        if let Ok(read) = Certificate::parse(changed.into()) {
            prop_assert_eq!(issuer.verify_issued(&read), read.der() == &der);
            let _ = (read.subject().to_string(), read.issuer().to_string());
        }
    }

    #[test]
    fn no_bytes_make_the_parser_panic(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        prop_assert!(Certificate::parse(bytes.into()).is_err());
    }
}
