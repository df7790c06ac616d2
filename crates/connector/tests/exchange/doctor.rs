//! What the doctor finds.

use lienthong_client::Roots;
use lienthong_connector::Places;
use lienthong_connector::doctor::{self, Finding, Grade, Holding, Presented, Role, Trust};
use lienthong_model::AgencyCode;
use lienthong_pki::{Identity, Profile, TestPki, Validity, pem};
use lienthong_trust::Revoked;

use crate::harness::{World, code, days, now, test_pki, validity};
use crate::stage::roots;

fn text(identity: &Identity, pki: &TestPki) -> (String, String) {
    let certificate = |der: &[u8]| pem::encode(pem::CERTIFICATE, der).unwrap();
    let issuing = pki.issuing().certificate();
    let chain = certificate(identity.certificate.der()) + &certificate(issuing.der());
    (chain, identity.key.to_pkcs8_pem())
}

/// Examines a certificate of H36; `change` may spoil its texts.
fn examine(
    identity: &Identity,
    role: Role,
    agency: &str,
    roots: &Roots,
    change: impl FnOnce(&mut (String, String)),
) -> Vec<Finding> {
    let mut texts = text(identity, &test_pki());
    change(&mut texts);
    let presented = Presented { chain: Some(&texts.0), key: Some(&texts.1), file: "x.pem" };
    let agency: AgencyCode = code(agency);
    let holding = Holding { role, agency: &agency };
    doctor::certificate(&presented, holding, Trust { roots, now: now() })
}

fn problem(findings: &[Finding], part: &str) {
    let of = |finding: &&Finding| finding.meaning.contains(part);
    let found = findings.iter().find(of).unwrap_or_else(|| panic!("`{part}` in {findings:?}"));
    assert_eq!(found.grade, Grade::Problem, "{found:?}");
    assert!(!found.remedy.is_empty() && !found.remedy_vi.is_empty(), "{found:?}");
    assert!(!found.meaning_vi.is_empty(), "{found:?}");
}

#[test]
fn a_sound_certificate_is_said_to_be_sound() {
    let pki = test_pki();
    let node = pki.node(&code("H36")).unwrap();
    let findings = examine(&node, Role::Node, "H36", &roots(&pki), |_| {});
    assert_eq!(findings.len(), 1, "{findings:?}");
    assert_eq!(findings[0].grade, Grade::Ok);
}

#[test]
fn everything_that_is_wrong_with_a_certificate_is_found() {
    let pki = test_pki();
    let (trusted, node) = (roots(&pki), pki.node(&code("H36")).unwrap());
    let seal = pki.seal(&code("H36")).unwrap();
    problem(&examine(&seal, Role::Node, "H36", &trusted, |_| {}), "not a certificate of a node");
    problem(&examine(&node, Role::Node, "H35", &trusted, |_| {}), "belongs to H36, not to H35");
    let foreign = text(&seal, &pki).1;
    let swapped = examine(&node, Role::Node, "H36", &trusted, |texts| texts.1 = foreign);
    problem(&swapped, "does not belong to the certificate");
    let broken = examine(&node, Role::Node, "H36", &trusted, |texts| texts.1.clear());
    problem(&broken, "not an Ed25519 key");
    let broken = examine(&node, Role::Node, "H36", &trusted, |texts| texts.0.clear());
    problem(&broken, "no certificate");
    let other = TestPki::new([5; 32], validity()).unwrap();
    problem(&examine(&node, Role::Node, "H36", &roots(&other), |_| {}), "does not lead to a root");
    let revoked =
        Revoked { serial: node.certificate.serial().to_vec(), at: now().minus(days(1)), reason: 1 };
    let (this, next) = (now().minus(days(2)), now().plus(days(30)));
    let list = pki.issuing().revocation_list(1, this, next, &[revoked]).unwrap();
    let listed = trusted.clone().with_revocation_list(list);
    problem(&examine(&node, Role::Node, "H36", &listed, |_| {}), "was revoked");
    let stale = pki.issuing().revocation_list(1, this, now().minus(days(1)), &[]).unwrap();
    let listed = trusted.with_revocation_list(stale);
    let findings = examine(&node, Role::Node, "H36", &listed, |_| {});
    assert!(findings.iter().any(|found| found.grade == Grade::Warning), "{findings:?}");
}

#[test]
fn a_certificate_out_of_its_dates_is_found_and_one_near_its_end_is_warned_of() {
    let pki = test_pki();
    let grade = |not_before, not_after| {
        let validity = Validity { not_before, not_after };
        let profile = Profile::Node { agency: code("H36") };
        let node = pki.identity_within(&profile, validity).unwrap();
        let findings = examine(&node, Role::Node, "H36", &roots(&pki), |_| {});
        findings.iter().map(|finding| finding.grade).max().unwrap()
    };
    let (past, future) = (now().minus(days(100)), now().plus(days(100)));
    assert_eq!(grade(past, future), Grade::Ok);
    assert_eq!(grade(past, now().minus(days(1))), Grade::Problem);
    assert_eq!(grade(now().plus(days(1)), future), Grade::Problem);
    assert_eq!(grade(past, now().plus(days(10))), Grade::Warning);
}

#[test]
fn folders_that_are_missing_or_hold_what_nobody_takes_are_found() {
    let folder = tempfile::tempdir().unwrap();
    let places = Places::new(folder.path().join("none"), code("H36"), false);
    problem(&doctor::folders(&places), "not there");
    let places = Places::new(folder.path(), code("H36"), false);
    places.make().unwrap();
    let findings = doctor::folders(&places);
    assert!(findings.iter().all(|finding| finding.grade != Grade::Problem), "{findings:?}");
    std::fs::write(folder.path().join("outbox/stray.pdf"), "x").unwrap();
    std::fs::create_dir(folder.path().join("status/out/stray")).unwrap();
    std::fs::create_dir(folder.path().join("inbox-rejected/a")).unwrap();
    let findings = doctor::folders(&places);
    let warnings = findings.iter().filter(|finding| finding.grade == Grade::Warning).count();
    assert!(warnings >= 3, "{findings:?}");
    std::fs::remove_dir_all(folder.path().join("sent")).unwrap();
    std::fs::write(folder.path().join("sent"), "").unwrap();
    problem(&doctor::folders(&places), "not there");
}

#[tokio::test]
async fn a_hub_that_is_away_untrusted_or_does_not_know_us_is_found() {
    let world = World::start().await;
    let ask = async |world: &World, agency: &str, mailboxes: &[AgencyCode]| {
        let endpoint = world.endpoint(&world.node(agency));
        doctor::hub(endpoint, "hub", &code(agency), mailboxes).await.0
    };
    let findings = ask(&world, "H34", &[code("H34.05")]).await;
    assert!(findings.iter().all(|finding| finding.grade == Grade::Ok), "{findings:?}");
    assert_eq!(findings.len(), 4, "network, clock, agency, mailbox: {findings:?}");
    problem(&ask(&world, "H34", &[code("H36.12")]).await, "does not say that H34 is its gateway");
    let stranger = ask(&world, "H77", &[]).await;
    problem(&stranger, "names no agency of the directory");
    let suspended = ask(&world, "H02", &[]).await;
    assert!(suspended.iter().any(|found| found.grade == Grade::Problem), "{suspended:?}");
    let other = TestPki::new([5; 32], validity()).unwrap();
    let node = other.node(&code("H36")).unwrap();
    let endpoint = crate::harness::endpoint(&other, world.address, &node);
    let untrusted = doctor::hub(endpoint, "hub", &code("H36"), &[]).await.0;
    problem(&untrusted, "not trusted here");
    let mut world = world;
    world.stop().await.unwrap();
    problem(&ask(&world, "H36", &[]).await, "nothing listens");
}
