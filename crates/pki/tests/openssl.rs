//! OpenSSL reads what is written here, and what OpenSSL makes is read here: the commands on the
//! page docs/CERTIFICATES.md are run as they stand there.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;

use bytes::Bytes;
use lienthong_model::{AgencyCode, Fingerprint, Timestamp};
use lienthong_pki::{
    Folder, KeySource, Profile, Request, SecretKey, Serial, Validity, Withdrawal, pem, request,
};
use lienthong_trust::{Certificate, Chain, Holder, RevocationList};

const PAGE: &str = include_str!("../../../docs/CERTIFICATES.md");

/// Runs a command in a folder and returns what it said; a failure is a failed test.
fn run(folder: &Path, program: &str, arguments: &[&str]) -> String {
    let output = Command::new(program)
        .args(arguments)
        .current_dir(folder)
        .output()
        .unwrap_or_else(|error| panic!("`{program}` is needed for this test: {error}"));
    let said = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
    assert!(output.status.success(), "{program} {arguments:?}: {said}");
    said
}

fn openssl(folder: &Path, command: &str) -> String {
    run(folder, "openssl", &command.split(' ').collect::<Vec<_>>())
}

fn at(text: &str) -> Timestamp {
    Timestamp::parse(text).unwrap()
}

fn validity() -> Validity {
    Validity { not_before: at("2020-01-01"), not_after: at("2059-12-31") }
}

fn profiles() -> Vec<Profile> {
    let agency = AgencyCode::parse("H36.12").unwrap();
    let (person, name, title) =
        ("an.nguyen".to_owned(), "Nguyễn Văn An".to_owned(), "Giám đốc".to_owned());
    vec![
        Profile::Node { agency: agency.clone() },
        Profile::Seal { agency: agency.clone() },
        Profile::Person {
            agency: agency.clone(),
            person: person.clone(),
            name: name.clone(),
            title: title.clone(),
        },
        Profile::Operator { agency: agency.clone(), person, name, title },
        Profile::Hub { agency, names: vec!["localhost".to_owned(), "127.0.0.1".to_owned()] },
    ]
}

fn certificate(path: &Path) -> Arc<Certificate> {
    let der = pem::decode(pem::CERTIFICATE, &fs::read_to_string(path).unwrap()).unwrap();
    Arc::new(Certificate::parse(Bytes::from(der)).unwrap())
}

/// The code blocks of a language on the page.
fn blocks(language: &str) -> Vec<&'static str> {
    let begin = format!("```{language}\n");
    PAGE.split(begin.as_str()).skip(1).map(|rest| rest.split("```").next().unwrap()).collect()
}

#[test]
fn openssl_reads_every_file_of_the_folder() {
    let place = tempfile::tempdir().unwrap();
    let path = place.path();
    let keys = KeySource::Seed([5; 32]);
    let folder = Folder::create(path, &keys, validity(), at("2020-01-08")).unwrap();
    for name in ["root", "issuing"] {
        assert!(openssl(path, &format!("x509 -in {name}.pem -noout -text")).contains("CA:TRUE"));
        openssl(path, &format!("pkey -in {name}.key -noout"));
        let said = openssl(path, &format!("crl -in crl/{name}.crl -CAfile {name}.pem -noout"));
        assert!(said.contains("verify OK"), "{said}");
    }
    for profile in profiles() {
        let identity = folder.enrol(&profile, &keys, validity()).unwrap();
        let stem = format!("agencies/H36.12/{}", profile.stem());
        let text = openssl(path, &format!("x509 -in {stem}.pem -noout -text -nameopt utf8"));
        assert!(text.contains("URI:urn:lienthong:agency:H36.12"), "{text}");
        assert!(openssl(path, &format!("pkey -in {stem}.key -text -noout")).contains("ED25519"));
        let own = openssl(path, &format!("pkey -in {stem}.key -pubout"));
        assert_eq!(own, openssl(path, &format!("x509 -in {stem}.pem -noout -pubkey")));
        openssl(
            path,
            &format!("verify -x509_strict -CAfile root.pem -untrusted issuing.pem {stem}.pem"),
        );
        let sha256 = openssl(path, &format!("x509 -in {stem}.pem -noout -fingerprint -sha256"));
        let expected = identity.certificate.fingerprint().to_string().to_uppercase();
        assert!(sha256.replace(':', "").contains(&expected));
    }
}

#[test]
fn openssl_finds_a_revoked_certificate_in_the_list() {
    let place = tempfile::tempdir().unwrap();
    let path = place.path();
    let keys = KeySource::System;
    let folder = Folder::create(path, &keys, validity(), at("2059-12-31")).unwrap();
    let node = folder.enrol(&profiles()[0], &keys, validity()).unwrap();
    let check = "verify -crl_check_all -CRLfile crl/issuing.crl -CRLfile crl/root.crl \
                 -CAfile root.pem -untrusted issuing.pem agencies/H36.12/node.pem";
    openssl(path, check);
    let fingerprint: &Fingerprint = node.certificate.fingerprint();
    let withdrawal = Withdrawal { at: at("2020-02-01"), reason: 1 };
    folder.revoke(fingerprint, withdrawal, at("2020-02-01"), at("2059-12-31")).unwrap();
    let output =
        Command::new("openssl").args(check.split_whitespace()).current_dir(path).output().unwrap();
    let said = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
    assert!(!output.status.success() && said.contains("revoked"), "{said}");
    let text = openssl(path, "crl -in crl/issuing.crl -noout -text");
    assert!(text.contains("Key Compromise"), "{text}");
}

#[test]
fn openssl_verifies_a_request_and_a_signature_made_here() {
    let place = tempfile::tempdir().unwrap();
    let path = place.path();
    for profile in profiles() {
        let key = KeySource::Seed([5; 32]).key(&profile.key_label()).unwrap();
        fs::write(path.join("a.csr"), request(&profile, &key).unwrap()).unwrap();
        let said = openssl(path, "req -in a.csr -noout -verify -text");
        assert!(said.contains("OK") && said.contains("urn:lienthong:agency:H36.12"), "{said}");
        fs::write(path.join("a.key"), key.to_pkcs8_pem()).unwrap();
        fs::write(path.join("content"), b"content").unwrap();
        fs::write(path.join("signature"), key.sign(b"content")).unwrap();
        let verify = "pkeyutl -verify -rawin -inkey a.key -in content -sigfile signature";
        assert!(openssl(path, verify).contains("Verified Successfully"));
    }
}

#[test]
fn the_commands_on_the_page_make_every_kind_of_certificate() {
    let place = tempfile::tempdir().unwrap();
    let path = place.path();
    fs::write(path.join("lienthong.cnf"), blocks("ini")[0]).unwrap();
    run(path, "sh", &["-e", "-c", &blocks("sh").join("\n")]);

    let read = |name: &str| certificate(&path.join(name));
    let pool = [read("root.pem"), read("issuing.pem")];
    let agency = AgencyCode::parse("H36.12").unwrap();
    let person = Holder::Person {
        agency: agency.clone(),
        person: "an.nguyen".to_owned(),
        name: "Nguyễn Văn An".to_owned(),
        title: "Giám đốc".to_owned(),
    };
    let operator = Holder::Operator {
        agency: agency.clone(),
        person: "an.nguyen".to_owned(),
        name: "Nguyễn Văn An".to_owned(),
        title: "Giám đốc".to_owned(),
    };
    assert_eq!(pool[1].holder(), &Holder::Authority { path_len: Some(0) });
    assert_eq!(read("person.pem").holder(), &person);
    assert_eq!(read("seal.pem").holder(), &Holder::Seal { agency: agency.clone() });
    assert_eq!(read("node.pem").holder(), &Holder::Node { agency });
    assert_eq!(read("operator.pem").holder(), &operator);
    assert_eq!(
        read("hub.pem").holder(),
        &Holder::Hub { agency: AgencyCode::parse("G22").unwrap() }
    );
    for name in ["person.pem", "seal.pem", "node.pem", "operator.pem", "hub.pem"] {
        assert_eq!(Chain::build(read(name), &pool).unwrap().certificates().len(), 3);
    }

    let list = fs::read_to_string(path.join("issuing.crl")).unwrap();
    let list = pem::decode(pem::REVOCATION_LIST, &list).unwrap();
    let list = RevocationList::parse(&list, &pool).unwrap();
    assert_eq!(list.find(read("seal.pem").serial()).unwrap().reason, 1);
    assert_eq!(list.find(read("node.pem").serial()), None);

    let key = fs::read_to_string(path.join("person.key")).unwrap();
    let key = SecretKey::from_pkcs8_pem(&key).unwrap();
    assert_eq!(&key.public_bytes(), read("person.pem").key().as_bytes());
    assert_eq!(key.to_pkcs8_pem(), fs::read_to_string(path.join("person.key")).unwrap());

    requests_of_openssl_are_issued(path);
}

/// The requests that the page's commands made are issued by an authority of ours.
fn requests_of_openssl_are_issued(path: &Path) {
    let keys = KeySource::Seed([6; 32]);
    let pki = path.join("pki");
    let folder = Folder::create(&pki, &keys, validity(), at("2020-01-08")).unwrap();
    for holder in ["person", "seal", "node", "operator", "hub"] {
        let text = fs::read_to_string(path.join(format!("{holder}.csr"))).unwrap();
        let request = Request::parse(&text).unwrap();
        let by_openssl = certificate(&path.join(format!("{holder}.pem")));
        let issued = folder.certify(&request, validity()).unwrap();
        assert_eq!(issued.holder(), by_openssl.holder());
        assert_eq!(issued.key(), by_openssl.key());
        let again = folder.issuing().issue_request(&request, validity(), Serial::Derived).unwrap();
        assert_eq!(again.holder(), issued.holder());
    }
    let text = fs::read_to_string(path.join("issuing.csr")).unwrap();
    assert!(Request::parse(&text).is_err(), "an authority is not made by request");
}
