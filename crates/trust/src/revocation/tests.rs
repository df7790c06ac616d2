use proptest::prelude::*;

use super::*;
use crate::certificate::sample::*;

/// What a list is made of, each part in DER.
#[derive(Clone)]
struct List {
    version: Vec<u8>,
    algorithm: Vec<u8>,
    outer_algorithm: Vec<u8>,
    issuer: Vec<u8>,
    next_update: Vec<u8>,
    entries: Vec<Vec<u8>>,
    extensions: Vec<Ext>,
}

const NUMBER: u8 = 20;
const REASON: u8 = 21;

fn entry(serial: &[u8], extensions: &[Ext]) -> Vec<u8> {
    let extensions: Vec<u8> = extensions.iter().flat_map(extension).collect();
    let extensions = match extensions.is_empty() {
        true => Vec::new(),
        false => tlv(SEQUENCE, &[&extensions]),
    };
    tlv(SEQUENCE, &[&tlv(2, &[serial]), &tlv(0x17, &[b"200301000000Z"]), &extensions])
}

impl List {
    fn new() -> Self {
        Self {
            version: vec![2, 1, 1],
            algorithm: ED25519.to_vec(),
            outer_algorithm: ED25519.to_vec(),
            issuer: name("Issuer"),
            next_update: tlv(0x17, &[b"200408000000Z"]),
            entries: vec![
                entry(&[0x22, 1], &[(REASON, false, vec![0x0a, 1, 1])]),
                entry(&[7], &[]),
            ],
            extensions: vec![(NUMBER, false, vec![2, 2, 1, 2])],
        }
    }

    fn sign(&self, number: u8) -> Vec<u8> {
        let entries: Vec<u8> = self.entries.concat();
        let entries = match entries.is_empty() {
            true => Vec::new(),
            false => tlv(SEQUENCE, &[&entries]),
        };
        let extensions: Vec<u8> = self.extensions.iter().flat_map(extension).collect();
        let extensions = tlv(0xa0, &[&tlv(SEQUENCE, &[&extensions])]);
        let this_update = tlv(0x17, &[b"200401000000Z"]);
        let tbs = tlv(
            SEQUENCE,
            &[
                &self.version,
                &self.algorithm,
                &self.issuer,
                &this_update,
                &self.next_update,
                &entries,
                &extensions,
            ],
        );
        signed(&tbs, &self.outer_algorithm, None, number).to_vec()
    }
}

fn authority(sample: &Sample) -> Arc<Certificate> {
    Arc::new(Certificate::parse(sample.sign(9)).unwrap())
}

fn issuers() -> Vec<Arc<Certificate>> {
    vec![
        authority(&Sample::authority("Other", 4, None)),
        authority(&Sample::authority("Issuer", 3, None)),
        authority(&Sample::authority("Issuer", 1, None)),
    ]
}

#[test]
fn a_list_is_read_as_it_stands_and_sorted() {
    let der = List::new().sign(1);
    let list = RevocationList::parse(&der, &issuers()).unwrap();
    assert_eq!(&list.issuer, issuers()[2].fingerprint());
    assert_eq!(list.number, 0x102);
    assert_eq!(Some(list.this_update), Timestamp::parse("2020-04-01T00:00:00Z"));
    assert_eq!(list.next_update, Timestamp::parse("2020-04-08T00:00:00Z"));
    assert_eq!(list.digest, Digest::of(&der));
    let serials: Vec<_> = list.revoked.iter().map(|entry| entry.serial.clone()).collect();
    assert_eq!(serials, [vec![7], vec![0x22, 1]]);
    let found = list.find(&[0x22, 1]).unwrap();
    assert_eq!(found.reason, 1);
    assert_eq!(Some(found.at), Timestamp::parse("2020-03-01T00:00:00Z"));
    assert_eq!(list.find(&[8]), None);
}

#[test]
fn a_list_without_entries_and_without_a_next_one_is_a_list() {
    let mut list = List::new();
    (list.entries, list.next_update) = (Vec::new(), Vec::new());
    let list = RevocationList::parse(&list.sign(1), &issuers()).unwrap();
    assert_eq!((list.revoked.len(), list.next_update), (0, None));
}

type Change = fn(&mut List);

#[test]
fn a_list_wrong_in_one_way_is_refused() {
    let cases: &[(&str, Change)] = &[
        ("version 2", |l| l.version = vec![2, 1, 2]),
        ("not with Ed25519", |l| l.algorithm = vec![0x30, 3, 6, 1, 0x2a]),
        ("not with Ed25519", |l| l.outer_algorithm = vec![0x30, 3, 6, 1, 0x2a]),
        ("not known or may not", |l| l.issuer = name("Stranger")),
        ("before this one", |l| l.next_update = tlv(0x17, &[b"200331000000Z"])),
        ("no number", |l| l.extensions.clear()),
        ("no number", |l| l.extensions = vec![(NUMBER, false, tlv(2, &[&[1; 9]]))]),
        ("no number", |l| l.extensions = vec![(NUMBER, false, vec![2, 2, 0, 1])]),
        ("stands twice", |l| l.extensions.push((NUMBER, false, vec![2, 1, 1]))),
        // Delta list; part of the certificates, or indirect; critical or not.
        ("complete lists", |l| l.extensions.push((27, true, vec![2, 1, 1]))),
        ("complete lists", |l| l.extensions.push((28, true, vec![0x30, 3, 0x84, 1, 0xff]))),
        ("complete lists", |l| l.extensions.push((28, false, vec![0x30, 0]))),
        ("critical extension", |l| l.extensions.push((99, true, vec![5, 0]))),
        ("cannot be decoded", |l| l.extensions.push((AUTHORITY_KEY_ID, false, vec![5, 0]))),
        ("entry 0", |l| l.entries = vec![entry(&[0], &[])]),
        ("entry 1", |l| l.entries[1] = entry(&[0x80], &[])),
        ("serial number stands twice", |l| l.entries[1] = l.entries[0].clone()),
        ("extension `2.5.29.21` cannot", |l| {
            l.entries = vec![entry(&[7], &[(REASON, false, vec![0x0a, 1, 7])])];
        }),
        ("removeFromCRL", |l| {
            l.entries = vec![entry(&[7], &[(REASON, false, vec![0x0a, 1, 8])])];
        }),
        // A certificateIssuer makes a list indirect.
        ("critical extension", |l| l.entries = vec![entry(&[7], &[(29, true, vec![0x30, 0])])]),
        ("DER", |l| l.entries = vec![tlv(SEQUENCE, &[&[2, 1, 7]])]),
    ];
    for (says, change) in cases {
        let mut list = List::new();
        change(&mut list);
        let error = RevocationList::parse(&list.sign(1), &issuers()).expect_err(says);
        assert!(error.to_string().contains(says), "expected `{says}`, got `{error}`");
    }
}

#[test]
fn only_the_key_of_an_authority_with_crl_sign_makes_a_list() {
    let der = List::new().sign(2);
    let refused = RevocationList::parse(&der, &issuers()).unwrap_err();
    assert_eq!(refused, RevocationListError::SignatureInvalid("CN=Issuer,C=VN".to_owned()));

    let mut without = Sample::authority("Issuer", 1, None);
    without.replace(key_usage(0x04));
    let refused = RevocationList::parse(&List::new().sign(1), &[authority(&without)]).unwrap_err();
    assert_eq!(refused, RevocationListError::IssuerUnknown("CN=Issuer,C=VN".to_owned()));
    assert!(RevocationList::parse(&List::new().sign(1), &[]).is_err());
}

#[test]
fn a_list_that_names_another_key_of_the_issuer_is_not_its() {
    let identified =
        Sample::authority("Issuer", 1, None).with((SUBJECT_KEY_ID, false, tlv(4, &[&key_id(1)])));
    let issuers = [authority(&identified)];
    let named = |number| {
        let mut list = List::new();
        let id = tlv(SEQUENCE, &[&tlv(0x80, &[&key_id(number)])]);
        list.extensions.push((AUTHORITY_KEY_ID, false, id));
        list.sign(1)
    };
    assert!(RevocationList::parse(&named(1), &issuers).is_ok());
    assert!(matches!(
        RevocationList::parse(&named(2), &issuers),
        Err(RevocationListError::IssuerUnknown(_))
    ));
}

#[test]
fn bytes_around_a_list_are_refused() {
    let der = List::new().sign(1);
    for end in 0..der.len() {
        RevocationList::parse(&der[..end], &issuers()).expect_err("cut");
    }
    RevocationList::parse(&[der.as_slice(), &[0]].concat(), &issuers()).expect_err("longer");
    let large = vec![0x30; REVOCATION_LIST_BYTES_MAX + 1];
    assert!(matches!(
        RevocationList::parse(&large, &issuers()),
        Err(RevocationListError::TooLarge(_))
    ));
}

proptest! {
    #[test]
    fn no_change_of_bytes_passes_or_panics(
        at in any::<prop::sample::Index>(),
        byte in any::<u8>(),
    ) {
        let der = List::new().sign(1);
        let mut changed = der.clone();
        let at = at.index(der.len());
        changed[at] = byte;
        prop_assert_eq!(RevocationList::parse(&changed, &issuers()).is_ok(), changed == der);
    }
}
