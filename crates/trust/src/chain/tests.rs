use lienthong_model::{Reason, Timestamp};

use super::*;
use crate::certificate::AuthorityId;
use crate::certificate::sample::*;
use crate::judge::{self, Anchors, Dates};

fn parsed(sample: &Sample, signed_by: u8) -> Arc<Certificate> {
    Arc::new(Certificate::parse(sample.sign(signed_by)).unwrap())
}

/// An authority `subject` with the key `number`, issued by `issuer` with the key `signed_by`.
fn authority(
    (subject, number): (&str, u8),
    path_len: Option<u8>,
    (issuer, signed_by): (&str, u8),
) -> Arc<Certificate> {
    parsed(&Sample::authority(subject, number, path_len).by(issuer), signed_by)
}

fn root() -> Arc<Certificate> {
    authority(("Root", 9), None, ("Root", 9))
}

fn leaf() -> Arc<Certificate> {
    parsed(&Sample::person(), 1)
}

/// The root and `length - 2` authorities below it; the lowest is called `Issuer`, key 1.
fn ladder(length: usize, path_len: Option<u8>) -> Vec<Arc<Certificate>> {
    let mut pool = vec![root()];
    let mut above = ("Root".to_owned(), 9);
    for step in (1..=length - 2).rev() {
        let own = match step {
            1 => ("Issuer".to_owned(), 1),
            _ => (format!("Step {step}"), 100 + step as u8),
        };
        pool.push(authority((&own.0, own.1), path_len, (&above.0, above.1)));
        above = own;
    }
    pool
}

#[test]
fn a_chain_leads_from_the_leaf_to_the_root_whatever_the_order_of_the_pool() {
    let mut pool = ladder(4, None);
    pool.push(parsed(&Sample::seal(), 1));
    for _ in 0..pool.len() {
        pool.rotate_left(1);
        let chain = Chain::build(leaf(), &pool).unwrap();
        let names: Vec<_> =
            chain.certificates().iter().map(|part| part.subject().to_string()).collect();
        assert!(names[0].contains("CN=Nguyễn Văn An"), "{names:?}");
        assert_eq!(names[1..], ["CN=Issuer,C=VN", "CN=Step 2,C=VN", "CN=Root,C=VN"]);
        assert_eq!(chain.leaf(), &leaf());
        assert_eq!(chain.root(), &root());
        assert_eq!(chain.issuers(), &chain.certificates()[1..]);
    }
}

#[test]
fn a_self_signed_authority_is_a_chain_of_one() {
    let chain = Chain::build(root(), &[]).unwrap();
    assert_eq!(chain.certificates(), [root()]);
    assert_eq!(chain.issuers(), []);
}

#[test]
fn the_longest_chain_is_found_and_a_longer_one_is_not() {
    let chain = Chain::build(leaf(), &ladder(CHAIN_CERTIFICATES_MAX, None)).unwrap();
    assert_eq!(chain.certificates().len(), CHAIN_CERTIFICATES_MAX);
    let longer = ladder(CHAIN_CERTIFICATES_MAX + 1, None);
    assert_eq!(Chain::build(leaf(), &longer), Err(ChainError::TooLong));
}

#[test]
fn a_chain_without_one_of_its_parts_names_the_missing_issuer() {
    let pool = ladder(4, None);
    for missing in 0..pool.len() {
        let mut pool = pool.clone();
        let gone = pool.remove(missing);
        let Err(ChainError::IssuerMissing { issuer, .. }) = Chain::build(leaf(), &pool) else {
            panic!("a chain without {gone:?}");
        };
        assert_eq!(issuer, gone.subject().to_string());
    }
}

#[test]
fn a_signature_by_another_key_breaks_the_chain() {
    let forged_leaf = parsed(&Sample::person(), 3);
    let refused = Chain::build(forged_leaf, &ladder(3, None));
    assert!(matches!(refused, Err(ChainError::SignatureInvalid { .. })), "{refused:?}");
    let pool = [root(), authority(("Issuer", 1), None, ("Root", 3))];
    let refused = Chain::build(leaf(), &pool);
    assert!(matches!(refused, Err(ChainError::SignatureInvalid { .. })), "{refused:?}");
    let false_root = authority(("Root", 9), None, ("Root", 3));
    let pool = [false_root, authority(("Issuer", 1), None, ("Root", 9))];
    assert!(Chain::build(leaf(), &pool).is_err());
}

#[test]
fn an_end_entity_issues_nothing() {
    let mut seal = Sample::seal().by("Root");
    (seal.subject, seal.key) = (name("Issuer"), key(1).verifying_key().to_bytes().to_vec());
    let refused = Chain::build(leaf(), &[root(), parsed(&seal, 9)]);
    assert!(matches!(refused, Err(ChainError::IssuerMissing { .. })), "{refused:?}");
}

#[test]
fn a_path_length_bounds_the_authorities_below() {
    // Two authorities between leaf and root: the upper one needs a path length of at least 1.
    assert!(Chain::build(leaf(), &ladder(4, Some(1))).is_ok());
    let refused = Chain::build(leaf(), &ladder(4, Some(0)));
    let expected =
        ChainError::PathTooLong { issuer: "CN=Step 2,C=VN".to_owned(), allowed: 0, found: 1 };
    assert_eq!(refused, Err(expected));
    assert!(Chain::build(leaf(), &ladder(3, Some(0))).is_ok());
}

#[test]
fn of_two_authorities_of_one_name_the_one_that_signed_is_taken() {
    let mut pool = vec![authority(("Issuer", 3), None, ("Root", 9))];
    pool.extend(ladder(3, None));
    let chain = Chain::build(leaf(), &pool).unwrap();
    assert_eq!(chain.issuers()[0].key().as_bytes(), &key(1).verifying_key().to_bytes());
}

#[test]
fn a_dead_end_is_left_again() {
    // The same authority certified twice: by one that is not there, and by the root.
    let mut pool = vec![authority(("Issuer", 1), None, ("Elsewhere", 4))];
    pool.extend(ladder(3, None));
    assert_eq!(Chain::build(leaf(), &pool).unwrap().root(), &root());
}

/// An authority certified twice, by a stranger's root first, and both roots.
fn two_ways_up() -> Vec<Arc<Certificate>> {
    vec![
        authority(("Issuer", 1), None, ("Stranger", 8)),
        authority(("Stranger", 8), None, ("Stranger", 8)),
        authority(("Issuer", 1), None, ("Root", 9)),
    ]
}

#[test]
fn the_way_to_a_root_that_is_relied_on_goes_before_one_that_is_found_first() {
    let known = Authorities::new([root()], |_| true);
    for turn in 0..3 {
        let mut sent = two_ways_up();
        sent.rotate_left(turn);
        let chain = Chain::among(leaf(), &known, &sent).unwrap();
        assert_eq!(chain.root(), &root(), "turn {turn}");
        assert_eq!(chain.certificates().len(), 3);
    }
    // What is known but not relied on is no better than any other.
    let known = Authorities::new([root()], |_| false);
    let chain = Chain::among(leaf(), &known, &two_ways_up()).unwrap();
    assert_eq!(chain.root().subject().to_string(), "CN=Stranger,C=VN");
}

#[test]
fn without_a_root_that_is_relied_on_the_first_way_up_is_the_answer() {
    let nobody = Authorities::default();
    let chain = Chain::among(leaf(), &nobody, &two_ways_up()).unwrap();
    assert_eq!(chain.root().subject().to_string(), "CN=Stranger,C=VN");
    assert_eq!(chain.leaf(), &leaf());
}

#[test]
fn a_way_up_that_was_found_is_the_answer_when_the_work_runs_out() {
    // Many authorities of the issuer's name, all below a stranger's root: no other is found.
    let mut sent = vec![authority(("Stranger", 8), None, ("Stranger", 8))];
    for serial in 1..=100_u8 {
        let mut sample = Sample::authority("Issuer", 1, None).by("Stranger");
        sample.serial = vec![2, 1, serial];
        sent.push(parsed(&sample, 8));
    }
    let known = Authorities::new([root()], |_| true);
    let chain = Chain::among(leaf(), &known, &sent).unwrap();
    assert_eq!(chain.root().subject().to_string(), "CN=Stranger,C=VN");
}

#[test]
fn a_ring_of_authorities_has_no_root() {
    let pool = [
        authority(("Issuer", 1), None, ("A", 4)),
        authority(("A", 4), None, ("B", 5)),
        authority(("B", 5), None, ("Issuer", 1)),
    ];
    assert!(Chain::build(leaf(), &pool).is_err());
}

#[test]
fn a_renewed_root_key_is_a_step_and_not_a_loop() {
    // The new key certified by the old one under the same name, as RFC 4210 has it.
    let pool = [
        authority(("Issuer", 1), None, ("Root", 8)),
        authority(("Root", 8), None, ("Root", 9)),
        root(),
    ];
    let chain = Chain::build(leaf(), &pool).unwrap();
    assert_eq!(chain.certificates().len(), 4);
    assert_eq!(chain.root(), &root());
}

#[test]
fn the_work_on_a_hostile_pool_is_bounded() {
    // Many valid authorities of one name that certify each other: a search without a bound takes
    // the product of their numbers at every step.
    let mut pool = Vec::new();
    for serial in 1..=40_u8 {
        let mut sample = Sample::authority("Issuer", 1, None);
        sample.serial = vec![2, 1, serial];
        sample.issuer = name("Other");
        pool.push(parsed(&sample, 2));
        let mut sample = Sample::authority("Other", 2, None);
        sample.serial = vec![2, 1, serial];
        pool.push(parsed(&sample, 1));
    }
    assert_eq!(Chain::build(leaf(), &pool), Err(ChainError::TooManyCandidates));
}

// An authority that was renewed: one name and key, two certificates.

/// A time in a certificate: the year in two digits, the rest as it is.
fn time(text: &str) -> Vec<u8> {
    tlv(0x17, &[text.as_bytes()])
}

/// The issuing authority's certificate of a number, valid from 1 January to 31 December.
fn issuing(serial: u8, from: &str, until: &str) -> Arc<Certificate> {
    let mut sample = Sample::authority("Issuer", 1, None).by("Root");
    sample.serial = vec![2, 1, serial];
    sample.not_before = time(&format!("{from}0101000000Z"));
    sample.not_after = time(&format!("{until}1231235959Z"));
    parsed(&sample, 9)
}

/// The certificates of 2020 to 2022 and of 2022 to 2030, the one with the lower fingerprint first
/// or last, as a hub that sorts them finds them.
fn renewed(older_first: bool) -> (Arc<Certificate>, Arc<Certificate>) {
    let pair = |n: u8| (issuing(2 * n - 1, "20", "22"), issuing(2 * n, "22", "30"));
    let mut pairs = (1..=60).map(pair);
    let fits = |(older, newer): &(Arc<Certificate>, Arc<Certificate>)| {
        (older.fingerprint() < newer.fingerprint()) == older_first
    };
    pairs.find(fits).unwrap()
}

/// What the hub knows, by fingerprint.
fn known_with(authorities: [&Arc<Certificate>; 2]) -> Authorities {
    let mut known = vec![root(), authorities[0].clone(), authorities[1].clone()];
    known.sort_by_key(|one| *one.fingerprint());
    Authorities::new(known, |one| one.fingerprint() == root().fingerprint())
}

/// Trusts the root; the certificates of these serial numbers are revoked from the beginning.
struct Revokes(Vec<Vec<u8>>);

impl Anchors for Revokes {
    fn trusts(&self, fingerprint: &Fingerprint, _: Timestamp) -> bool {
        fingerprint == root().fingerprint()
    }

    fn revoked_at(&self, _: &AuthorityId, serial: &[u8]) -> Option<Timestamp> {
        self.0.iter().any(|revoked| revoked == serial).then_some(Timestamp::MIN)
    }
}

fn day(text: &str) -> Timestamp {
    Timestamp::parse(text).unwrap()
}

#[test]
fn of_a_renewed_authoritys_certificates_the_one_in_force_counts_whichever_is_found_first() {
    for older_first in [true, false] {
        let (older, newer) = renewed(older_first);
        let chain = Chain::among(leaf(), &known_with([&older, &newer]), &[]).unwrap();
        let first = if older_first { &older } else { &newer };
        assert_eq!(&chain.issuers()[0], first, "both orders are tried");
        assert_eq!(chain.all().count(), 2);
        let nobody = Revokes(Vec::new());
        let issuer = |at: &str| {
            let held = judge::chain(&chain, &nobody, Dates::at(day(at))).unwrap();
            held.issuers()[0].clone()
        };
        assert_eq!(issuer("2021-06-01"), older, "before the newer one begins");
        assert_eq!(&issuer("2022-06-01"), first, "both are in force");
        assert_eq!(issuer("2023-06-01"), newer, "after the older one has ended");
    }
}

#[test]
fn a_certificate_of_an_authority_that_is_revoked_leaves_the_other_one() {
    for older_first in [true, false] {
        let (older, newer) = renewed(older_first);
        let chain = Chain::among(leaf(), &known_with([&older, &newer]), &[]).unwrap();
        for (revoked, left) in [(&older, &newer), (&newer, &older)] {
            let anchors = Revokes(vec![revoked.serial().to_vec()]);
            let held = judge::chain(&chain, &anchors, Dates::at(day("2022-06-01"))).unwrap();
            assert_eq!(&held.issuers()[0], left);
        }
        let both = Revokes([&older, &newer].map(|one| one.serial().to_vec()).to_vec());
        let fault = judge::chain(&chain, &both, Dates::at(day("2022-06-01"))).unwrap_err();
        assert_eq!(fault.reason, Reason::CertificateRevoked);
    }
}

#[test]
fn where_no_chain_holds_the_fault_is_that_of_the_one_that_came_farthest() {
    // The signer is revoked, which is what it has to hear; that the older certificate of its
    // issuer has ended too is no news.
    let anchors = Revokes(vec![leaf().serial().to_vec()]);
    for older_first in [true, false] {
        let (older, newer) = renewed(older_first);
        let chain = Chain::among(leaf(), &known_with([&older, &newer]), &[]).unwrap();
        let fault = judge::chain(&chain, &anchors, Dates::at(day("2023-06-01"))).unwrap_err();
        assert_eq!(fault.reason, Reason::CertificateRevoked);
        assert_eq!(fault.certificate, &*leaf());
    }
}

#[test]
fn a_certificate_that_is_known_and_sent_makes_no_second_chain() {
    let (older, newer) = renewed(true);
    let known = known_with([&older, &newer]);
    let sent = [newer.clone(), root(), older.clone()];
    let chain = Chain::among(leaf(), &known, &sent).unwrap();
    assert_eq!(chain, Chain::among(leaf(), &known, &[]).unwrap());
    // One that is not known is found all the same.
    let known = Authorities::new([root(), older], Certificate::is_self_issued);
    assert_eq!(Chain::among(leaf(), &known, &sent).unwrap().all().count(), 2);
}
