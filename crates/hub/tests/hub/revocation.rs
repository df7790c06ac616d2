//! Revocation while the hub runs: lists that come in, and connections that end by them.

use std::time::{Duration, Instant};

use crate::harness::raw::{Line, channel_as, exchange};
use crate::harness::{
    World, code, days, list, next, now, operator, reason, test_pki, until, within,
};
use lienthong_client::{Cause, Client};
use lienthong_hub::{ListFiles, ListOutcome};
use lienthong_model::Reason;
use lienthong_model::limits::REVOKED_CONNECTION_MAX;
use lienthong_pki::{Identity, Profile, Validity, pem};
use lienthong_wire::proto;
use lienthong_wire::proto::exchange_service_client::ExchangeServiceClient;

/// Why a client with a certificate does not get in.
async fn cause(world: &World, identity: &Identity) -> Cause {
    let connected = Client::connect(world.endpoint(identity)).await;
    connected.err().and_then(|error| Some(error.unreachable()?.cause.clone())).expect("unreachable")
}

/// Waits until a subscription ends; with it ends the connection that it is on.
async fn ended(line: &mut Line) {
    let ends = async { while let Ok(Some(_)) = line.answers.message().await {} };
    within("the end of the connection", ends).await;
}

#[tokio::test]
async fn a_connection_ends_within_the_bound_when_its_node_is_revoked_and_its_neighbours_stays() {
    let world = World::start().await;
    let mut revoked = exchange(&world, "H36").await;
    let mut line = Line::open(&mut revoked, &[], 8).await.unwrap();
    let mut neighbours = world.client("H34").await.subscribe(&[], 8).await.unwrap();

    let node = world.node("H36");
    let outcome = world.hub().add_revocation_list(list(&world.pki, 2, &[&node])).await.unwrap();
    let in_force = Instant::now();
    assert!(matches!(outcome, ListOutcome::InForce(_)), "{outcome:?}");
    ended(&mut line).await;
    assert!(in_force.elapsed() < REVOKED_CONNECTION_MAX, "{:?}", in_force.elapsed());

    assert_eq!(cause(&world, &node).await, Cause::OurCertificateRevoked);
    let receipt = world.client("G22").await.pull(&code("G22"), 1).await;
    receipt.unwrap();
    world.client("H36.12").await.submit(world.letter("H36.12", &["H34.05"])).await.unwrap();
    assert_eq!(next(&mut neighbours).await.key.recipient, code("H34.05"));
}

#[tokio::test]
async fn a_revoked_node_does_not_come_back_with_the_session_that_it_had() {
    let world = World::start().await;
    let node = world.node("H36");
    // One TLS configuration for every connection of this channel: it would resume a session.
    let mut raw = ExchangeServiceClient::new(channel_as(&world, &node).await);
    raw.get_clock(proto::GetClockRequest {}).await.unwrap();
    world.hub().add_revocation_list(list(&world.pki, 2, &[&node])).await.unwrap();
    until("no answer", async || raw.get_clock(proto::GetClockRequest {}).await.is_err()).await;
    for _ in 0..3 {
        raw.get_clock(proto::GetClockRequest {}).await.unwrap_err();
    }
}

#[tokio::test]
async fn an_operator_is_revoked_like_a_node() {
    let world = World::start().await;
    let identity = world.pki.identity(&operator("G22")).unwrap();
    let mut raw = ExchangeServiceClient::new(channel_as(&world, &identity).await);
    raw.get_clock(proto::GetClockRequest {}).await.unwrap();
    world.hub().add_revocation_list(list(&world.pki, 2, &[&identity])).await.unwrap();
    until("no answer", async || raw.get_clock(proto::GetClockRequest {}).await.is_err()).await;
    assert_eq!(cause(&world, &identity).await, Cause::OurCertificateRevoked);
    world.client("G22").await;
}

#[tokio::test]
async fn a_connection_whose_certificate_has_run_out_ends_when_it_is_judged_again() {
    let world = World::start().await;
    let node = Profile::Node { agency: code("H36") };
    let until_then = now().plus(Duration::from_secs(2));
    let short = Validity { not_before: now().minus(days(1)), not_after: until_then };
    let identity = world.pki.identity_within(&node, short).unwrap();
    let mut raw = ExchangeServiceClient::new(channel_as(&world, &identity).await);
    let mut line = Line::open(&mut raw, &[], 8).await.unwrap();
    until("the end of its validity", async || now() > until_then.plus(Duration::from_secs(1)))
        .await;
    // Nothing that is on the list concerns it.
    let other = world.node("H01");
    world.hub().add_revocation_list(list(&world.pki, 2, &[&other])).await.unwrap();
    ended(&mut line).await;
    assert_eq!(cause(&world, &identity).await, Cause::OurCertificateNotInForce);
}

#[tokio::test]
async fn what_is_signed_with_a_certificate_that_was_revoked_meanwhile_is_refused() {
    let world = World::start().await;
    let client = world.client("H36").await;
    client.submit(world.letter("H36", &["H36.12"])).await.unwrap();
    let seal = world.pki.seal(&code("H36")).unwrap();
    world.hub().add_revocation_list(list(&world.pki, 2, &[&seal])).await.unwrap();
    let refused = client.submit(world.letter("H36", &["H36.12"])).await;
    assert_eq!(reason(refused), Reason::CertificateRevoked);
}

#[tokio::test]
async fn a_list_that_is_not_newer_changes_nothing_and_one_of_a_stranger_is_refused() {
    let world = World::start().await;
    let hub = world.hub();
    let (first, node) = (list(&world.pki, 5, &[]), world.node("H36"));
    hub.add_revocation_list(first.clone()).await.unwrap();
    let block = hub.reader().last_block();
    for same_or_older in [first, list(&world.pki, 4, &[&node])] {
        let outcome = hub.add_revocation_list(same_or_older).await.unwrap();
        assert_eq!(outcome, ListOutcome::NotNewer);
    }
    let stranger = lienthong_pki::TestPki::new([12; 32], crate::harness::validity()).unwrap();
    let refusal = hub.add_revocation_list(list(&stranger, 6, &[&node])).await.unwrap_err();
    assert_eq!(refusal.reason, Reason::FieldInvalid);
    assert_eq!(hub.reader().last_block(), block, "nothing is journalled");
    world.client("H36").await;
}

#[tokio::test]
async fn lists_that_come_as_files_are_in_force_without_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let (lists, node) = (folder.path().to_owned(), test_pki().node(&code("H36")).unwrap());
    let first = pem::encode(pem::REVOCATION_LIST, &list(&test_pki(), 1, &[])).unwrap();
    std::fs::write(lists.join("issuing.pem"), first).unwrap();
    let files = ListFiles { paths: vec![lists.clone()], ..ListFiles::default() };
    let world = World::start_with(|settings| settings.list_files = files).await;
    let mut raw = exchange(&world, "H36").await;
    let mut line = Line::open(&mut raw, &[], 8).await.unwrap();

    let read = world.hub().read_revocation_lists().await;
    assert_eq!((read.entered.len(), read.unchanged, read.failed.len()), (0, 1, 0));
    let path = lists.join("issuing-2.crl");
    std::fs::write(&path, list(&world.pki, 2, &[&node])).unwrap();
    let read = world.hub().read_revocation_lists().await;
    assert_eq!((&read.entered[..], read.unchanged), (&[path][..], 1));
    ended(&mut line).await;
    assert_eq!(cause(&world, &node).await, Cause::OurCertificateRevoked);
    let read = world.hub().read_revocation_lists().await;
    assert_eq!((read.entered.len(), read.unchanged), (0, 2));
}

#[tokio::test]
async fn a_file_that_is_no_list_is_named_and_hinders_no_other() {
    let folder = tempfile::tempdir().unwrap();
    let (lists, bad) = (folder.path().to_owned(), folder.path().join("a-bad.crl"));
    let files = ListFiles { paths: vec![lists.clone()], ..ListFiles::default() };
    let world = World::start_with(|settings| settings.list_files = files).await;
    std::fs::write(&bad, b"no list").unwrap();
    let node = world.node("H36");
    std::fs::write(lists.join("issuing.crl"), list(&world.pki, 2, &[&node])).unwrap();
    for entered in [1, 0] {
        let read = world.hub().read_revocation_lists().await;
        assert_eq!(read.entered.len(), entered);
        let [(path, why)] = &read.failed[..] else { panic!("{read:?}") };
        assert_eq!(path, &bad);
        assert!(why.contains("not a revocation list in DER"), "{why}");
    }
    assert_eq!(cause(&world, &node).await, Cause::OurCertificateRevoked);
    // It is read again once it is right.
    std::fs::write(&bad, list(&world.pki, 3, &[])).unwrap();
    assert_eq!(world.hub().read_revocation_lists().await.entered, [bad]);
    world.client("H36").await;
}

#[tokio::test]
async fn the_hub_reads_the_files_again_by_itself() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("issuing.crl");
    std::fs::write(&path, list(&test_pki(), 1, &[])).unwrap();
    let every = Duration::from_millis(20);
    let files = ListFiles { paths: vec![path.clone()], every };
    let mut world = World::start_with(|settings| settings.list_files = files).await;
    let mut raw = exchange(&world, "H36").await;
    let mut line = Line::open(&mut raw, &[], 8).await.unwrap();
    let node = world.node("H36");
    // As `lienthong pki` does it: a whole new file in the place of the old one.
    let new = path.with_extension("new");
    std::fs::write(&new, list(&world.pki, 2, &[&node])).unwrap();
    std::fs::rename(new, path).unwrap();
    ended(&mut line).await;
    // The reading ends with the hub, which lets its folder go.
    world.stop().await.unwrap();
    lienthong_hub::OpenFolder::open(&world.data(), |_, _| {}).expect("the folder is let go");
}

#[tokio::test]
async fn a_list_that_keeps_a_hub_from_starting_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let (missing, early) = (folder.path().join("missing.crl"), folder.path().join("early.crl"));
    let tomorrow = now().plus(days(1));
    let list = test_pki().issuing().revocation_list(1, tomorrow, tomorrow.plus(days(30)), &[]);
    std::fs::write(&early, list.unwrap()).unwrap();
    for path in [missing, early] {
        let data = path.with_extension("data");
        let mut settings = crate::harness::settings(&test_pki(), &data, lienthong_hub::Clock::Real);
        settings.list_files.paths = vec![path.clone()];
        let started = lienthong_hub::Hub::start(settings, |_, _| {}).await;
        let why = started.err().expect("it does not start").to_string();
        assert!(why.contains(&path.display().to_string()), "{why}");
    }
}
