use lienthong_model::AgencyCode;
use x509_cert::ext::pkix::{BasicConstraints, SubjectAltName};

use super::*;
use crate::key::KeySource;

fn key(label: &str) -> SecretKey {
    KeySource::Seed([1; 32]).key(label).unwrap()
}

fn every_profile() -> Vec<Profile> {
    let agency = AgencyCode::parse("H36.12").unwrap();
    let (person, name, title) =
        ("an.nguyen".to_owned(), "Nguyễn Văn An".to_owned(), "Giám đốc".to_owned());
    let names = vec!["hub.example".to_owned(), "10.0.0.1".to_owned(), "2001:db8::1".to_owned()];
    vec![
        Profile::Person {
            agency: agency.clone(),
            person: person.clone(),
            name: name.clone(),
            title: title.clone(),
        },
        Profile::Seal { agency: agency.clone() },
        Profile::Node { agency: agency.clone() },
        Profile::Operator { agency: agency.clone(), person, name, title },
        Profile::Hub { agency, names },
    ]
}

/// A request of a seal with other extensions, signed with `signer`.
fn made(extensions: Vec<Extension>, signer: &SecretKey) -> String {
    let profile = &every_profile()[1];
    let info = CertReqInfo {
        version: x509_cert::request::Version::V1,
        subject: Name::from_der(&profile.subject().unwrap().to_der().unwrap()).unwrap(),
        public_key: form::key_form(&key("seal").public_bytes()).unwrap(),
        attributes: SetOfVec::try_from(vec![
            Attribute::try_from(ExtensionReq(extensions)).unwrap(),
        ])
        .unwrap(),
    };
    pem::encode(pem::REQUEST, &form::signed(&info.to_der().unwrap(), signer).unwrap()).unwrap()
}

#[test]
fn a_request_comes_back_as_the_profile_that_it_was_made_from() {
    for profile in every_profile() {
        let key = key(&profile.key_label());
        let text = request(&profile, &key).unwrap();
        assert_eq!(text, request(&profile, &key).unwrap());
        let read = Request::parse(&text).unwrap();
        assert_eq!(read.profile(), &profile);
        assert_eq!(read.key().as_bytes(), &key.public_bytes());
    }
}

#[test]
fn a_request_is_issued_as_if_the_profile_had_been_given() {
    let at = |text| Timestamp::parse(text).unwrap();
    let validity = Validity { not_before: at("2020-01-01"), not_after: at("2025-12-31") };
    let root = Authority::root("Root", validity, key("root")).unwrap();
    for profile in every_profile() {
        let key = key("a");
        let read = Request::parse(&request(&profile, &key).unwrap()).unwrap();
        let asked = root.issue_request(&read, validity, Serial::Derived).unwrap();
        let public = key.public_key().unwrap();
        let given = root.issue(&profile, &public, validity, Serial::Derived).unwrap();
        assert_eq!(asked.der(), given.der());
    }
}

#[test]
fn a_request_that_its_own_key_did_not_sign_is_refused() {
    let extensions = every_profile()[1].extensions().unwrap();
    assert!(Request::parse(&made(extensions.clone(), &key("seal"))).is_ok());
    let refused = Request::parse(&made(extensions, &key("another")));
    assert_eq!(refused, Err(RequestError::SignatureInvalid));
}

#[test]
fn a_request_for_more_than_its_profile_is_refused() {
    let own = every_profile()[1].extensions().unwrap();
    let with = |extension: Extension| {
        let mut all = own.clone();
        all.push(extension);
        Request::parse(&made(all, &key("seal")))
    };
    // Certificate policies: not critical, so that the certificate itself could have them.
    let policies = Extension {
        extn_id: const_oid::db::rfc5280::ID_CE_CERTIFICATE_POLICIES,
        critical: false,
        extn_value: der::asn1::OctetString::new([0x30, 0]).unwrap(),
    };
    assert!(matches!(with(policies), Err(RequestError::Beyond(_))));

    let mut names = every_profile()[1].names().unwrap();
    names.push(GeneralName::Rfc822Name(der::asn1::Ia5String::new("a@example.vn").unwrap()));
    let mut all = own.clone();
    all.retain(|extension| extension.extn_id != const_oid::db::rfc5280::ID_CE_SUBJECT_ALT_NAME);
    all.push(form::extension(&SubjectAltName(names)).unwrap());
    let refused = Request::parse(&made(all, &key("seal")));
    assert!(matches!(refused, Err(RequestError::Beyond(_))), "{refused:?}");
}

#[test]
fn a_request_for_an_authority_or_for_no_profile_is_refused() {
    let authority = crate::profile::authority_extensions(Some(0)).unwrap();
    let refused = Request::parse(&made(authority, &key("seal")));
    assert_eq!(refused, Err(RequestError::Authority));

    let mut flagged = every_profile()[1].extensions().unwrap();
    let mut constraints =
        form::extension(&BasicConstraints { ca: true, path_len_constraint: None }).unwrap();
    constraints.critical = true;
    flagged[0] = constraints;
    let refused = Request::parse(&made(flagged, &key("seal")));
    assert!(matches!(refused, Err(RequestError::Profile(_))), "{refused:?}");

    let refused = Request::parse(&made(Vec::new(), &key("seal")));
    assert!(matches!(refused, Err(RequestError::Profile(_))), "{refused:?}");
}

#[test]
fn no_changed_byte_of_a_request_passes() {
    let text = request(&every_profile()[0], &key("a")).unwrap();
    let der = pem::decode(pem::REQUEST, &text).unwrap();
    for at in 0..der.len() {
        let mut changed = der.clone();
        changed[at] ^= 0x01;
        let changed = pem::encode(pem::REQUEST, &changed).unwrap();
        assert!(Request::parse(&changed).is_err(), "byte {at}");
    }
}
