use lienthong_trust::{Chain, Revoked};

use super::*;

fn at(text: &str) -> Timestamp {
    Timestamp::parse(text).unwrap()
}

fn validity() -> Validity {
    Validity { not_before: at("2020-01-01"), not_after: at("2035-12-31") }
}

const SEED: KeySource = KeySource::Seed([3; 32]);

fn create(path: &Path) -> Folder {
    Folder::create(path, &SEED, validity(), at("2020-01-08")).unwrap()
}

fn agency() -> AgencyCode {
    AgencyCode::parse("000.00.12.H36").unwrap()
}

fn profiles() -> Vec<Profile> {
    let (person, name, title) =
        ("an.nguyen".to_owned(), "Nguyễn Văn An".to_owned(), "Giám đốc".to_owned());
    vec![
        Profile::Node { agency: agency() },
        Profile::Seal { agency: agency() },
        Profile::Person {
            agency: agency(),
            person: person.clone(),
            name: name.clone(),
            title: title.clone(),
        },
        Profile::Operator { agency: agency(), person, name, title },
        Profile::Hub { agency: agency(), names: vec!["localhost".to_owned()] },
    ]
}

/// Every file below a folder, with its bytes.
fn files(path: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let mut found = Vec::new();
    for entry in fs::read_dir(path).unwrap() {
        let entry = entry.unwrap().path();
        match entry.is_dir() {
            true => found.extend(files(&entry)),
            false => found.push((entry.clone(), fs::read(&entry).unwrap())),
        }
    }
    found.sort();
    found
}

#[test]
fn a_folder_has_the_files_that_the_page_names_and_opens_again() {
    let place = tempfile::tempdir().unwrap();
    let folder = create(place.path());
    for profile in profiles() {
        folder.enrol(&profile, &SEED, validity()).unwrap();
    }
    let names: Vec<String> = files(place.path())
        .iter()
        .map(|(path, _)| path.strip_prefix(place.path()).unwrap().display().to_string())
        .collect();
    assert_eq!(
        names,
        [
            "agencies/000.00.12.H36/hub.key",
            "agencies/000.00.12.H36/hub.pem",
            "agencies/000.00.12.H36/node.key",
            "agencies/000.00.12.H36/node.pem",
            "agencies/000.00.12.H36/operator-an.nguyen.key",
            "agencies/000.00.12.H36/operator-an.nguyen.pem",
            "agencies/000.00.12.H36/person-an.nguyen.key",
            "agencies/000.00.12.H36/person-an.nguyen.pem",
            "agencies/000.00.12.H36/seal.key",
            "agencies/000.00.12.H36/seal.pem",
            "crl/issuing.crl",
            "crl/root.crl",
            "issued.csv",
            "issuing.key",
            "issuing.pem",
            "root.key",
            "root.pem",
        ]
    );
    let opened = Folder::open(place.path()).unwrap();
    assert_eq!(opened.root().certificate(), folder.root().certificate());
    assert_eq!(opened.issuing().certificate(), folder.issuing().certificate());
}

#[test]
fn a_seed_writes_the_same_folder_twice() {
    let (first, second) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    for place in [&first, &second] {
        let folder = create(place.path());
        for profile in profiles() {
            folder.enrol(&profile, &SEED, validity()).unwrap();
        }
    }
    let bytes = |place: &tempfile::TempDir| -> Vec<_> {
        files(place.path()).into_iter().map(|(_, bytes)| bytes).collect()
    };
    assert_eq!(bytes(&first), bytes(&second));
}

#[test]
fn a_holders_file_has_the_whole_chain_below_the_root() {
    let place = tempfile::tempdir().unwrap();
    let folder = create(place.path());
    let identity = folder.enrol(&profiles()[2], &SEED, validity()).unwrap();
    let text = read(&folder.certificate_path(&profiles()[2])).unwrap();
    let read: Vec<_> = pem::decode_all(pem::CERTIFICATE, &text)
        .unwrap()
        .into_iter()
        .map(|der| Arc::new(Certificate::parse(der.into()).unwrap()))
        .collect();
    assert_eq!(read, [identity.certificate.clone(), folder.issuing().certificate().clone()]);
    let pool = [read[1].clone(), folder.root().certificate().clone()];
    Chain::build(read[0].clone(), &pool).unwrap();
}

#[cfg(unix)]
#[test]
fn keys_are_for_their_owner_only() {
    use std::os::unix::fs::PermissionsExt as _;
    let place = tempfile::tempdir().unwrap();
    create(place.path()).enrol(&profiles()[0], &SEED, validity()).unwrap();
    for (path, _) in files(place.path()) {
        if path.extension().is_some_and(|ending| ending == "key") {
            let mode = fs::metadata(&path).unwrap().permissions().mode() & 0o777;
            assert_eq!(mode, 0o600, "{}", path.display());
        }
    }
}

#[test]
fn nothing_writes_over_a_key() {
    let place = tempfile::tempdir().unwrap();
    let folder = create(place.path());
    folder.enrol(&profiles()[0], &SEED, validity()).unwrap();
    let before = files(place.path());
    let other = KeySource::Seed([4; 32]);
    let again = Folder::create(place.path(), &other, validity(), at("2020-01-08"));
    assert!(matches!(again, Err(FolderError::KeyExists(_))));
    let again = folder.enrol(&profiles()[0], &other, validity());
    assert!(matches!(again, Err(FolderError::KeyExists(_))));
    let key = SEED.key("request").unwrap();
    let request = Request::parse(&crate::request(&profiles()[0], &key).unwrap()).unwrap();
    let again = folder.certify(&request, validity());
    assert!(matches!(again, Err(FolderError::CertificateExists(_))));
    assert_eq!(files(place.path()), before);
}

#[test]
fn a_revoked_certificate_is_in_the_register_and_in_the_list_with_the_next_number() {
    let place = tempfile::tempdir().unwrap();
    let folder = create(place.path());
    let seal = folder.enrol(&profiles()[1], &SEED, validity()).unwrap();
    let fingerprint = *seal.certificate.fingerprint();
    let withdrawal = Withdrawal { at: at("2020-03-01"), reason: 1 };
    let (this, next) = (at("2020-03-02"), at("2020-03-09"));
    folder.revoke(&fingerprint, withdrawal, this, next).unwrap();

    let list = folder.list(Listed::EndEntities).unwrap();
    let serial = seal.certificate.serial().to_vec();
    let expected = Revoked { serial: serial.clone(), at: withdrawal.at, reason: 1 };
    assert_eq!((list.number, list.revoked), (2, vec![expected]));
    assert_eq!((list.this_update, list.next_update), (this, Some(next)));
    assert_eq!(folder.list(Listed::Authorities).unwrap().revoked, []);

    let register = folder.register().unwrap();
    let entry = register.entries().iter().find(|entry| entry.serial == serial).unwrap();
    assert_eq!(entry.withdrawn, Some(withdrawal));
    assert_eq!((entry.profile.as_str(), entry.agency.as_ref()), ("seal", Some(&agency())));

    let again = folder.revoke(&fingerprint, withdrawal, this, next);
    assert!(matches!(again, Err(FolderError::Register(RegisterError::Withdrawn { .. }))));
    let unknown = folder.revoke(&Fingerprint([0; 32]), withdrawal, this, next);
    assert!(matches!(unknown, Err(FolderError::Register(RegisterError::Unknown(_)))));
    assert_eq!(folder.list(Listed::EndEntities).unwrap().number, 2);
    folder.renew_lists(at("2020-03-09"), at("2020-03-16")).unwrap();
    let list = folder.list(Listed::EndEntities).unwrap();
    assert_eq!((list.number, list.revoked.len()), (3, 1));
}

#[test]
fn the_issuing_authority_itself_is_revoked_in_the_roots_list() {
    let place = tempfile::tempdir().unwrap();
    let folder = create(place.path());
    let fingerprint = *folder.issuing().certificate().fingerprint();
    let withdrawal = Withdrawal { at: at("2020-03-01"), reason: 2 };
    folder.revoke(&fingerprint, withdrawal, at("2020-03-02"), at("2020-03-09")).unwrap();
    let list = folder.list(Listed::Authorities).unwrap();
    assert_eq!(list.revoked[0].serial, folder.issuing().certificate().serial());
    assert_eq!(&list.issuer, folder.root().certificate().fingerprint());
    assert_eq!(folder.list(Listed::EndEntities).unwrap().revoked, []);
}

#[test]
fn a_damaged_register_names_line_and_column() {
    let place = tempfile::tempdir().unwrap();
    let folder = create(place.path());
    let text = folder.register().unwrap().to_csv();
    assert_eq!(Register::parse(&text).unwrap(), folder.register().unwrap());
    let damaged = text.replacen("authority", "authority,", 1);
    let refused = Register::parse(&damaged).unwrap_err();
    assert_eq!(refused, RegisterError::Line { line: 2, field: "number of columns" });
    assert_eq!(Register::parse("serial\n"), Err(RegisterError::Header));
}
