use lienthong_model::Timestamp;
use lienthong_trust::{Chain, Holder};

use super::*;

fn pki(seed: u8) -> TestPki {
    let at = |text| Timestamp::parse(text).unwrap();
    let validity = Validity { not_before: at("2020-01-01"), not_after: at("2035-12-31") };
    TestPki::new([seed; 32], validity).unwrap()
}

fn code(number: usize) -> AgencyCode {
    AgencyCode::parse(&format!("H36.{number}")).unwrap()
}

fn person(agency: &AgencyCode) -> Profile {
    let (person, name, title) =
        ("chief".to_owned(), "Trần Thị Bình".to_owned(), "Chủ tịch".to_owned());
    Profile::Person { agency: agency.clone(), person, name, title }
}

#[test]
fn a_seed_gives_the_same_country_twice_in_any_order() {
    let (first, second) = (pki(7), pki(7));
    let forwards: Vec<_> = (0..5).map(|n| first.node(&code(n)).unwrap()).collect();
    let backwards: Vec<_> = (0..5).rev().map(|n| second.node(&code(n)).unwrap()).collect();
    for (a, b) in forwards.iter().zip(backwards.iter().rev()) {
        assert_eq!((a.certificate.der(), &a.key), (b.certificate.der(), &b.key));
    }
    assert_eq!(first.root().certificate(), second.root().certificate());
    let other = pki(8);
    assert_ne!(first.root().certificate(), other.root().certificate());
    assert_ne!(first.node(&code(1)).unwrap().key, other.node(&code(1)).unwrap().key);
}

#[test]
fn every_identity_has_its_own_key_and_a_chain_to_the_root() {
    let pki = pki(7);
    let pool = [pki.issuing().certificate().clone(), pki.root().certificate().clone()];
    let mut keys = std::collections::HashSet::new();
    for number in 0..20 {
        let code = code(number);
        let identities = [
            pki.node(&code).unwrap(),
            pki.seal(&code).unwrap(),
            pki.identity(&person(&code)).unwrap(),
        ];
        assert!(matches!(identities[0].certificate.holder(), Holder::Node { .. }));
        assert!(matches!(identities[1].certificate.holder(), Holder::Seal { .. }));
        assert!(matches!(identities[2].certificate.holder(), Holder::Person { .. }));
        for identity in identities {
            assert_eq!(identity.certificate.agency(), Some(&code));
            assert_eq!(identity.certificate.key().as_bytes(), &identity.key.public_bytes());
            assert!(keys.insert(identity.key.public_bytes()));
            Chain::build(identity.certificate, &pool).unwrap();
        }
    }
}
