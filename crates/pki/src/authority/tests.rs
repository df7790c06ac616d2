use lienthong_model::AgencyCode;
use lienthong_trust::{Chain, RevocationList};

use super::*;
use crate::key::KeySource;

fn at(text: &str) -> Timestamp {
    Timestamp::parse(text).unwrap()
}

fn years() -> Validity {
    Validity { not_before: at("2020-01-01"), not_after: at("2059-12-31") }
}

fn key(label: &str) -> SecretKey {
    KeySource::Seed([1; 32]).key(label).unwrap()
}

fn root() -> Authority {
    Authority::root("Root", years(), key("root")).unwrap()
}

fn issuing() -> Authority {
    root().issuing_authority("Issuing", years(), key("issuing"), 0).unwrap()
}

fn code() -> AgencyCode {
    AgencyCode::parse("000.00.12.H36").unwrap()
}

fn every_profile() -> Vec<Profile> {
    let (person, name, title) =
        ("an.nguyen".to_owned(), "Nguyễn Văn An".to_owned(), "Giám đốc".to_owned());
    let names = vec!["hub.example".to_owned(), "127.0.0.1".to_owned(), "::1".to_owned()];
    vec![
        Profile::Person {
            agency: code(),
            person: person.clone(),
            name: name.clone(),
            title: title.clone(),
        },
        Profile::Seal { agency: code() },
        Profile::Node { agency: code() },
        Profile::Operator { agency: code(), person, name, title },
        Profile::Hub { agency: code(), names },
    ]
}

fn expected(profile: &Profile) -> Holder {
    match profile.clone() {
        Profile::Person { agency, person, name, title } => {
            Holder::Person { agency, person, name, title }
        }
        Profile::Seal { agency } => Holder::Seal { agency },
        Profile::Node { agency } => Holder::Node { agency },
        Profile::Operator { agency, person, name, title } => {
            Holder::Operator { agency, person, name, title }
        }
        Profile::Hub { agency, .. } => Holder::Hub { agency },
    }
}

#[test]
fn what_is_issued_is_what_trust_reads_and_chains_to_the_root() {
    let (root, issuing) = (root(), issuing());
    let pool = [root.certificate().clone(), issuing.certificate().clone()];
    for profile in every_profile() {
        let secret = key(&profile.key_label());
        let public = secret.public_key().unwrap();
        let issued = issuing.issue(&profile, &public, years(), Serial::Derived).unwrap();
        assert_eq!(issued.holder(), &expected(&profile));
        assert_eq!(issued.key(), &public);
        assert_eq!((issued.not_before(), issued.not_after()), (at("2020-01-01"), at("2059-12-31")));
        assert_eq!(issued.serial().len(), 16);
        assert_eq!(issued.authority_key_id(), issuing.certificate().subject_key_id());
        let chain = Chain::build(Arc::new(issued), &pool).unwrap();
        assert_eq!((chain.certificates().len(), chain.root()), (3, root.certificate()));
    }
    assert_eq!(root.certificate().holder(), &Holder::Authority { path_len: None });
    assert_eq!(issuing.certificate().holder(), &Holder::Authority { path_len: Some(0) });
}

#[test]
fn the_same_seed_gives_the_same_bytes_and_another_certificate_another_serial_number() {
    assert_eq!(issuing().certificate().der(), issuing().certificate().der());
    let public = key("a").public_key().unwrap();
    let mut serials = std::collections::HashSet::new();
    for profile in every_profile() {
        for not_after in ["2030-01-01", "2031-01-01"] {
            let validity = Validity { not_after: at(not_after), ..years() };
            let issue = || issuing().issue(&profile, &public, validity, Serial::Derived).unwrap();
            assert_eq!(issue().der(), issue().der());
            assert!(serials.insert(issue().serial().to_vec()));
        }
    }
}

#[test]
fn a_serial_number_is_positive_and_never_short_whatever_the_bytes() {
    let public = key("a").public_key().unwrap();
    for bytes in [[0; 16], [0xff; 16], [0x80; 16]] {
        let profile = Profile::Seal { agency: code() };
        let issued = issuing().issue(&profile, &public, years(), Serial::Of(bytes)).unwrap();
        assert_eq!(issued.serial().len(), 16);
        assert_eq!(issued.serial()[1..], bytes[1..]);
        assert!((0x40..=0x7f).contains(&issued.serial()[0]));
    }
    assert_ne!(Serial::random().unwrap(), Serial::random().unwrap());
}

#[test]
fn a_profile_that_trust_would_refuse_is_not_issued() {
    let public = key("a").public_key().unwrap();
    let person = |person: &str, name: &str, title: &str| Profile::Person {
        agency: code(),
        person: person.to_owned(),
        name: name.to_owned(),
        title: title.to_owned(),
    };
    for profile in [
        person("a b", "An", "Giám đốc"),
        person("", "An", "Giám đốc"),
        person("an", "", "Giám đốc"),
        person("an", "An", ""),
        Profile::Hub { agency: code(), names: Vec::new() },
        Profile::Hub { agency: code(), names: vec!["hộp.vn".to_owned()] },
    ] {
        let refused = issuing().issue(&profile, &public, years(), Serial::Derived);
        assert!(refused.is_err(), "{profile:?}");
    }
    let early = Validity { not_before: at("1969-12-31"), ..years() };
    let refused = issuing().issue(&every_profile()[1], &public, early, Serial::Derived);
    assert_eq!(refused, Err(IssueError::Date(at("1969-12-31"))));
    let backwards = Validity { not_before: years().not_after, not_after: years().not_before };
    let refused = issuing().issue(&every_profile()[1], &public, backwards, Serial::Derived);
    assert!(matches!(refused, Err(IssueError::Profile(CertificateError::Validity { .. }))));
}

#[test]
fn a_revocation_list_comes_back_as_it_went_in() {
    let revoked: Vec<Revoked> = [(9, 0), (3, 1), (5, 10)]
        .map(|(serial, reason)| Revoked { serial: vec![serial], at: at("2020-05-01"), reason })
        .to_vec();
    let (this, next) = (at("2020-06-01"), at("2020-06-08"));
    let der = issuing().revocation_list(7, this, next, &revoked).unwrap();
    let issuers = [root().certificate().clone(), issuing().certificate().clone()];
    let list = RevocationList::parse(&der, &issuers).unwrap();
    assert_eq!(&list.issuer, issuing().certificate().fingerprint());
    assert_eq!((list.number, list.this_update, list.next_update), (7, this, Some(next)));
    let mut sorted = revoked;
    sorted.sort_by(|a, b| a.serial.cmp(&b.serial));
    assert_eq!(list.revoked, sorted);
    assert_eq!(der, issuing().revocation_list(7, this, next, &list.revoked).unwrap());
}

#[test]
fn reasons_that_rfc_5280_does_not_have_are_not_written() {
    for reason in [7, 8, 11, 255] {
        let entry = Revoked { serial: vec![1], at: at("2020-05-01"), reason };
        let refused = issuing().revocation_list(1, at("2020-06-01"), at("2020-06-08"), &[entry]);
        assert_eq!(refused, Err(IssueError::Reason(reason)));
    }
}

#[test]
fn an_authority_is_taken_up_with_its_own_key_only() {
    let text = |authority: &Authority| {
        pem::encode(pem::CERTIFICATE, authority.certificate().der()).unwrap()
    };
    let (root, issuing) = (root(), issuing());
    let loaded = Authority::from_pem(&text(&issuing), &issuing.key().to_pkcs8_pem()).unwrap();
    assert_eq!(loaded.certificate(), issuing.certificate());
    let refused = Authority::from_pem(&text(&issuing), &root.key().to_pkcs8_pem()).unwrap_err();
    assert_eq!(refused, AuthorityError::KeyDiffers);
    let seal = every_profile().remove(1);
    let public = root.key().public_key().unwrap();
    let seal = issuing.issue(&seal, &public, years(), Serial::Derived).unwrap();
    let seal = pem::encode(pem::CERTIFICATE, seal.der()).unwrap();
    let refused = Authority::from_pem(&seal, &root.key().to_pkcs8_pem()).unwrap_err();
    assert_eq!(refused, AuthorityError::NotAnAuthority);
}
