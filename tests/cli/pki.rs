//! `lienthong pki` from the root to the revocation, read back by OpenSSL.

use std::path::Path;
use std::process::Command;

use crate::process::{fail, json, succeed, text};

/// Runs OpenSSL; returns what it printed and whether it was content.
fn openssl(arguments: &[&str]) -> (bool, String) {
    let output = Command::new("openssl").args(arguments).output().expect("openssl is installed");
    let text = [output.stdout, output.stderr].concat();
    (output.status.success(), String::from_utf8_lossy(&text).into_owned())
}

fn verify(pki: &Path, certificate: &Path, more: &[&str]) -> (bool, String) {
    let (root, issuing) = (pki.join("root.pem"), pki.join("issuing.pem"));
    let arguments = ["verify", "-CAfile", text(&root), "-untrusted", text(&issuing)];
    openssl(&[&arguments[..], more, &[text(certificate)]].concat())
}

#[test]
fn an_agency_that_makes_its_own_key_gets_a_certificate_that_openssl_verifies() {
    let folder = tempfile::tempdir().unwrap();
    let (pki, agency) = (folder.path().join("pki"), folder.path().join("agency"));
    succeed(&["pki", "init", text(&pki)]);
    succeed(&["pki", "request", text(&agency), "--agency", "H36", "--node"]);
    succeed(&["pki", "issue", text(&pki), "--csr", text(&agency.join("node.csr"))]);
    let certificate = pki.join("agencies/H36/node.pem");
    assert!(!certificate.with_extension("key").exists(), "the key stays at the agency");
    let (good, said) = verify(&pki, &certificate, &["-purpose", "sslclient"]);
    assert!(good, "{said}");
    let shown = json(&["pki", "show", text(&certificate)]);
    assert_eq!((&shown[0]["holder"], &shown[0]["agency"]), (&"node".into(), &"H36".into()));
    let (_, key) = openssl(&["pkey", "-in", text(&agency.join("node.key")), "-pubout"]);
    let (_, public) = openssl(&["x509", "-in", text(&certificate), "-noout", "-pubkey"]);
    assert_eq!(key, public);
}

#[test]
fn a_revoked_certificate_is_on_the_list_that_openssl_reads() {
    let folder = tempfile::tempdir().unwrap();
    let pki = folder.path();
    succeed(&["pki", "init", text(pki)]);
    succeed(&["pki", "issue", text(pki), "--agency", "H36", "--node", "--seal"]);
    let (node, seal) = (pki.join("agencies/H36/node.pem"), pki.join("agencies/H36/seal.pem"));
    succeed(&["pki", "revoke", text(pki), text(&node), "--reason", "key-compromise"]);
    let list = pki.join("crl/issuing.crl");
    let (good, said) = verify(pki, &node, &["-crl_check", "-CRLfile", text(&list)]);
    assert!(!good && said.contains("revoked"), "{said}");
    let (good, said) = verify(pki, &seal, &["-crl_check", "-CRLfile", text(&list)]);
    assert!(good, "{said}");
    let shown = json(&["pki", "show", text(&list)]);
    assert_eq!(shown[0]["revoked"].as_array().unwrap().len(), 1);
    succeed(&["pki", "lists", text(pki)]);
    let renewed = json(&["pki", "show", text(&list)]);
    assert!(renewed[0]["number"].as_u64() > shown[0]["number"].as_u64());
    assert_eq!(renewed[0]["revoked"], shown[0]["revoked"]);
    let said = fail(1, &["pki", "revoke", text(pki), text(&node)]);
    assert!(said.contains("revoked since"), "{said}");
    let said = fail(2, &["pki", "revoke", text(pki), "00ff"]);
    assert!(said.contains("lienthong pki register"), "{said}");
}

#[test]
fn an_operator_gets_a_certificate_of_their_own_beside_the_one_they_sign_with() {
    let folder = tempfile::tempdir().unwrap();
    let pki = folder.path();
    succeed(&["pki", "init", text(pki)]);
    let both = ["--person", "binh.tran", "--operator", "binh.tran"];
    let named = ["--name", "Trần Thị Bình", "--title", "Quản trị viên"];
    let issue = ["pki", "issue", text(pki), "--agency", "G22"];
    succeed(&[&issue[..], &both, &named].concat());
    let operator = pki.join("agencies/G22/operator-binh.tran.pem");
    assert!(operator.with_extension("key").is_file());
    let (good, said) = verify(pki, &operator, &["-purpose", "sslclient"]);
    assert!(good, "{said}");
    let shown = json(&["pki", "show", text(&operator)]);
    assert_eq!(
        (&shown[0]["holder"], &shown[0]["person"]),
        (&"operator".into(), &"binh.tran".into())
    );
    assert_eq!(shown[0]["names"], serde_json::json!(["Trần Thị Bình", "Quản trị viên"]));
    let register = json(&["pki", "register", text(pki)]);
    let profiles = register.as_array().unwrap().iter().map(|entry| entry["profile"].clone());
    assert!(profiles.eq(["authority", "person-binh.tran", "operator-binh.tran"]));
    let said = fail(2, &[&issue[..], &["--operator", "an.nguyen"]].concat());
    assert!(said.contains("--name"), "{said}");
    let folder = pki.join("agencies/G22");
    let said = fail(2, &["directory", "show", "G22", "--as", text(&folder), "--operator", "an"]);
    assert!(said.contains("operator-an.pem"), "{said}");
}

#[test]
fn the_same_seed_gives_the_same_keys_and_no_key_is_written_over() {
    let folder = tempfile::tempdir().unwrap();
    let (one, two) = (folder.path().join("one"), folder.path().join("two"));
    for pki in [&one, &two] {
        succeed(&["pki", "init", text(pki), "--seed", "7", "--from", "2020-01-01"]);
    }
    let root = |pki: &Path| std::fs::read(pki.join("root.pem")).unwrap();
    assert_eq!(root(&one), root(&two));
    let said = fail(1, &["pki", "init", text(&one)]);
    assert!(said.contains("never written over"), "{said}");
    succeed(&["pki", "issue", text(&one), "--agency", "H36", "--seal"]);
    let said = fail(2, &["pki", "issue", text(&one), "--agency", "H36", "--seal"]);
    assert!(said.contains("xử lý / remedy"), "{said}");
    let said = fail(2, &["pki", "issue", text(&one), "--agency", "H36"]);
    assert!(said.contains("--node"), "{said}");
    let said =
        fail(2, &["pki", "issue", text(&folder.path().join("none")), "--agency", "H36", "--node"]);
    assert!(said.contains("lienthong pki init"), "{said}");
}
