//! Trust: what is done while revocation is not proven, and which chain a signature is judged by.

use std::sync::Arc;
use std::time::Duration;

use crate::harness::{BEGIN, DAY, HOUR, Hub, Signs, at, draft, reason};
use lienthong_core::{Accepted, Command, Decision, Proposal};
use lienthong_model::{Fingerprint, Position, Reason, Revocation};
use lienthong_pki::Validity;
use lienthong_trust::{Authorities, Certificate, Known, Verifier};
use lienthong_wire::DocumentContents;

fn accepted(decision: Decision) -> Accepted {
    match decision {
        Decision::Accepted(accepted) => accepted,
        other => panic!("{other:?}"),
    }
}

fn revocation(hub: &Hub, position: Position) -> Revocation {
    hub.query().document(position).unwrap().unwrap().revocation()
}

/// Lets the hub do what it owes itself until nothing is left; how many blocks that took.
fn settle(hub: &mut Hub) -> usize {
    let mut blocks = 0;
    while hub.machine.next_work().is_some() {
        hub.block(Vec::new());
        blocks += 1;
        assert!(blocks < 100, "the work does not come to an end");
    }
    blocks
}

fn prove(hub: &mut Hub, number: u64) {
    for list in hub.empty_lists(number) {
        assert_eq!(hub.administer(list), Decision::Done);
    }
}

// Revocation that is not proven.

#[test]
fn with_lists_in_date_everything_is_proven() {
    let mut hub = Hub::new();
    hub.grace(Some(Duration::ZERO));
    prove(&mut hub, 1);
    let accepted = accepted(hub.submit(&draft("G22", &["G01"])));
    assert_eq!(accepted.unproven, []);
    assert_eq!(revocation(&hub, accepted.position), Revocation::Proven);
}

#[test]
fn without_a_list_a_document_is_accepted_in_the_grace_and_marked_and_refused_after_it() {
    let mut hub = Hub::new();
    hub.grace(Some(HOUR));
    hub.now = BEGIN.plus(HOUR);
    let accepted = accepted(hub.submit(&draft("G22", &["G01"])));
    let issuers: Vec<_> = accepted.unproven.iter().map(|unproven| unproven.issuer).collect();
    let pki = &hub.signers.pki;
    let expected =
        [pki.issuing(), pki.root()].map(|authority| *authority.certificate().authority());
    assert_eq!(issuers, expected, "the issuer of the person and the issuer of that");
    assert_eq!(revocation(&hub, accepted.position), Revocation::NotProven);
    hub.now = BEGIN.plus(HOUR).plus(Duration::from_millis(1));
    let refused = hub.submit(&draft("G22", &["G01"]));
    assert_eq!(reason(&refused), Reason::RevocationNotProven);
}

#[test]
fn a_list_is_due_when_its_next_one_was_announced() {
    let mut hub = Hub::new();
    hub.grace(Some(HOUR));
    prove(&mut hub, 1);
    hub.now = BEGIN.plus(DAY).minus(HOUR);
    assert_eq!(accepted(hub.submit(&draft("G22", &["G01"]))).unproven, []);
    hub.now = BEGIN.plus(DAY).plus(HOUR);
    assert_eq!(accepted(hub.submit(&draft("G22", &["G01"]))).unproven.len(), 2);
    hub.now = BEGIN.plus(DAY).plus(2 * HOUR);
    assert_eq!(reason(&hub.submit(&draft("G22", &["G01"]))), Reason::RevocationNotProven);
    prove(&mut hub, 2);
    assert_eq!(accepted(hub.submit(&draft("G22", &["G01"]))).unproven, []);
}

#[test]
fn without_an_end_of_the_grace_nothing_is_refused_and_everything_is_marked() {
    let mut hub = Hub::new();
    hub.now = BEGIN.plus(400 * DAY);
    let position = accepted(hub.submit(&draft("G22", &["G01"]))).position;
    assert_eq!(revocation(&hub, position), Revocation::NotProven);
}

#[test]
fn a_list_that_comes_later_settles_what_was_accepted_before_it() {
    let mut hub = Hub::new();
    let position = accepted(hub.submit(&draft("G22", &["G01"]))).position;
    hub.now = BEGIN.plus(HOUR);
    let [root, issuing] = hub.empty_lists(1);
    assert_eq!(hub.administer(root), Decision::Done);
    settle(&mut hub);
    assert_eq!(revocation(&hub, position), Revocation::NotProven, "one issuer is still awaited");
    assert_eq!(hub.administer(issuing), Decision::Done);
    settle(&mut hub);
    assert_eq!(revocation(&hub, position), Revocation::Proven);
}

#[test]
fn a_list_that_comes_later_finds_what_had_been_revoked_before_receipt() {
    let mut hub = Hub::new();
    hub.now = BEGIN.plus(2 * HOUR);
    let position = accepted(hub.submit(&draft("G22", &["G01"]))).position;
    let after = accepted(hub.submit(&draft("G01", &["G22"]))).position;
    hub.now = BEGIN.plus(3 * HOUR);
    let [root, _] = hub.empty_lists(1);
    assert_eq!(hub.administer(root), Decision::Done);
    assert_eq!(hub.revoke(2, &[Signs::Person("G22")], BEGIN.plus(HOUR)), Decision::Done);
    settle(&mut hub);
    assert_eq!(revocation(&hub, position), Revocation::FoundRevoked);
    assert_eq!(revocation(&hub, after), Revocation::Proven);
}

#[test]
fn a_revocation_after_receipt_leaves_a_document_proven() {
    let mut hub = Hub::new();
    let position = accepted(hub.submit(&draft("G22", &["G01"]))).position;
    hub.now = BEGIN.plus(HOUR);
    let [root, _] = hub.empty_lists(1);
    assert_eq!(hub.administer(root), Decision::Done);
    assert_eq!(hub.revoke(2, &[Signs::Person("G22")], hub.now), Decision::Done);
    settle(&mut hub);
    assert_eq!(revocation(&hub, position), Revocation::Proven);
}

#[test]
fn a_list_that_was_out_of_date_by_then_settles_nothing_received_after_it() {
    let mut hub = Hub::new();
    prove(&mut hub, 1);
    hub.now = BEGIN.plus(DAY).plus(HOUR);
    let position = accepted(hub.submit(&draft("G22", &["G01"]))).position;
    settle(&mut hub);
    assert_eq!(revocation(&hub, position), Revocation::NotProven);
    prove(&mut hub, 2);
    settle(&mut hub);
    assert_eq!(revocation(&hub, position), Revocation::Proven);
}

#[test]
fn a_list_settles_in_slices_also_what_came_in_its_own_block() {
    let mut hub = Hub::new();
    let mut proposals: Vec<_> = (0..300).map(|_| hub.submission(&draft("G22", &["G01"]))).collect();
    let decided = hub.block(std::mem::take(&mut proposals));
    let last = hub.submission(&draft("G22", &["G01"]));
    let [root, issuing] = hub.empty_lists(1);
    let administer = Proposal::Administer;
    let with_list = hub.block(vec![last, administer(root), administer(issuing)]);
    assert!(settle(&mut hub) >= 3, "256 in a slice");
    for decision in decided.into_iter().chain(with_list.into_iter().take(1)) {
        assert_eq!(revocation(&hub, accepted(decision).position), Revocation::Proven);
    }
}

#[test]
fn an_issuer_that_came_with_a_document_is_known_so_that_its_list_can_be_read() {
    let mut hub = Hub::empty();
    let root = hub.signers.pki.root().certificate().der().clone();
    let certificate = lienthong_core::CertificateBytes(root);
    let add = lienthong_core::AddAuthority { certificate, trusted: true };
    assert_eq!(hub.administer(Command::AddAuthority(add)), Decision::Done);
    hub.import(&crate::harness::country());
    let [_, issuing] = hub.empty_lists(1);
    assert_eq!(reason(&hub.administer(issuing.clone())), Reason::FieldInvalid, "not known yet");
    let position = accepted(hub.submit(&draft("G22", &["G01"]))).position;
    assert_eq!(hub.administer(issuing), Decision::Done);
    settle(&mut hub);
    assert_eq!(revocation(&hub, position), Revocation::NotProven, "the root's list is awaited");
}

// An authority that was renewed.

/// Authorities that are known; of them those that signed themselves are relied on.
struct Knows(Arc<Authorities>);

impl Known for Knows {
    fn certificate(&self, _: &Fingerprint) -> Option<bytes::Bytes> {
        None
    }

    fn authorities(&self) -> Arc<Authorities> {
        self.0.clone()
    }
}

/// Submits a document that was verified with these authorities, and returns the chain that the
/// journal names.
fn journalled_chain(hub: &mut Hub, known: &[Arc<Certificate>]) -> Vec<Fingerprint> {
    let submission = hub.submission(&draft("G22", &["G01"]));
    let Proposal::Submit { caller, submission, stored } = submission else { unreachable!() };
    let known = Authorities::new(known.iter().cloned(), Certificate::is_self_issued);
    let verifier = Verifier::new(DocumentContents, Knows(Arc::new(known)));
    let submission = Box::new(verifier.document(submission.signed.content.clone()).unwrap());
    accepted(hub.decide(Proposal::Submit { caller, submission, stored }));
    let block = hub.sealed().pop().unwrap().block;
    let chain = block.entries.iter().find_map(|entry| match &entry.command {
        Command::Submit(submit) => submit.signed.signatures.first().map(|one| one.chain.clone()),
        _ => None,
    });
    chain.unwrap()
}

#[test]
fn the_journal_names_the_chain_that_holds_where_an_authority_has_been_renewed() {
    let mut hub = Hub::new();
    let (root, issuing) = (hub.signers.pki.root().clone(), hub.signers.pki.issuing().clone());
    let later = Validity { not_before: BEGIN.plus(DAY), not_after: at("2030-01-01") };
    let (name, key) = ("Lienthong test authority", issuing.key().clone());
    let renewed = root.issuing_authority(name, later, key, 0).unwrap();
    let [root, issuing, renewed] = [root, issuing, renewed].map(|one| one.certificate().clone());
    let name = |one: &Arc<Certificate>| *one.fingerprint();
    for known in [[&root, &renewed, &issuing], [&root, &issuing, &renewed]] {
        let chain = journalled_chain(&mut hub, &known.map(Arc::clone));
        assert_eq!(chain[1..], [name(&issuing), name(&root)], "the renewed one is not valid yet");
    }
}
