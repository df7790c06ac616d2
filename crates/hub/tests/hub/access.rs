//! Who gets in, and what each may do and see.

use crate::harness::raw::{Line, alert, exchange, refusal};
use crate::harness::{
    World, code, days, document, endpoint, new_id, next, now, operator, reason, test_pki, within,
};
use lienthong_client::{Cause, Client};
use lienthong_model::{Reason, StatusCode};
use lienthong_pki::{Profile, TestPki, Validity};
use lienthong_wire::proto;
use rustls::AlertDescription;
use tonic::Code;

fn person() -> Profile {
    let title = "Chủ tịch".to_owned();
    let (name, person) = ("Nguyễn Văn An".to_owned(), "H36-chu-tich".to_owned());
    Profile::Person { agency: code("H36"), person, name, title }
}

/// Why a client with a certificate of the world's PKI does not get in.
async fn cause(world: &World, identity: &lienthong_pki::Identity) -> Cause {
    let connected = Client::connect(world.endpoint(identity)).await;
    connected.err().and_then(|error| Some(error.unreachable()?.cause.clone())).expect("unreachable")
}

#[tokio::test]
async fn a_client_without_a_certificate_is_told_that_one_is_required() {
    let world = World::start().await;
    assert_eq!(alert(&world, None).await, Some(AlertDescription::CertificateRequired));
    assert_eq!(alert(&world, Some(&world.node("H36"))).await, None);
}

#[tokio::test]
async fn the_certificate_of_a_seal_a_person_or_a_hub_opens_no_connection() {
    let world = World::start().await;
    let seal = world.pki.seal(&code("H36")).unwrap();
    let person = world.pki.identity(&person()).unwrap();
    let names = vec!["localhost".to_owned()];
    let hub = world.pki.identity(&Profile::Hub { agency: code("H36"), names }).unwrap();
    for identity in [seal, person, hub] {
        let cause = cause(&world, &identity).await;
        assert!(matches!(cause, Cause::OurCertificateRefused(_)), "{cause:?}");
    }
}

#[tokio::test]
async fn an_operator_reads_and_exchanges_nothing() {
    let world = World::start().await;
    let identity = world.pki.identity(&operator("G22")).unwrap();
    let client = Client::connect(world.endpoint(&identity)).await.unwrap();
    assert_eq!(client.agency(&code("H36")).await.unwrap().unwrap().code, code("H36"));
    let own = code("G22");
    let letter = world.letter("G22", &["H36"]);
    assert_eq!(reason(client.submit(letter).await), Reason::CallerNotEntitled);
    assert_eq!(reason(client.subscribe(&[], 1).await), Reason::CallerNotEntitled);
    assert_eq!(reason(client.pull(&own, 1).await), Reason::CallerNotEntitled);
    assert_eq!(reason(client.track(&own, new_id()).await), Reason::CallerNotEntitled);
    // An operator of an agency that nobody knows is nobody.
    let stranger = world.pki.identity(&operator("H63")).unwrap();
    let unknown = Client::connect(world.endpoint(&stranger)).await.unwrap_err();
    let lienthong_client::ConnectError::Call(error) = unknown else { panic!("{unknown}") };
    assert_eq!(reason::<()>(Err(error)), Reason::CallerUnknown);
}

#[tokio::test]
async fn the_certificate_of_an_operator_signs_nothing() {
    let world = World::start().await;
    let operator = world.pki.identity(&operator("H36")).unwrap();
    let document = document("H36", &["H36.12"]);
    let mut signed = world.sealed(&document);
    // The signature is right, the certificate is for something else.
    let message =
        lienthong_trust::dsse::pre_authentication_encoding(&signed.content_type, &signed.content);
    let value = operator.key.sign(&message).to_vec().into();
    let certificate = *operator.certificate.fingerprint();
    signed.signatures = vec![lienthong_model::SignatureEntry { certificate, value }];
    signed.certificates.push(operator.certificate.der().clone());
    let refused = world.client("H36").await.submit(signed).await;
    assert_eq!(reason(refused), Reason::CertificateUnsuitable);
}

#[tokio::test]
async fn a_certificate_out_of_its_dates_is_told_so() {
    let world = World::start().await;
    let node = Profile::Node { agency: code("H36") };
    let over = Validity { not_before: now().minus(days(30)), not_after: now().minus(days(1)) };
    let to_come = Validity { not_before: now().plus(days(1)), not_after: now().plus(days(30)) };
    for validity in [over, to_come] {
        let identity = world.pki.identity_within(&node, validity).unwrap();
        assert_eq!(cause(&world, &identity).await, Cause::OurCertificateNotInForce);
    }
}

#[tokio::test]
async fn a_revoked_node_is_told_that_it_is_revoked_and_its_neighbour_gets_in() {
    let revoked = test_pki().node(&code("H36")).unwrap();
    let world = World::start_revoking(&[&revoked]).await;
    assert_eq!(cause(&world, &revoked).await, Cause::OurCertificateRevoked);
    world.client("H34").await;
}

#[tokio::test]
async fn a_certificate_of_another_root_is_of_an_unknown_authority() {
    let world = World::start().await;
    let stranger = TestPki::new([12; 32], crate::harness::validity()).unwrap();
    let node = stranger.node(&code("H36")).unwrap();
    // The stranger trusts this hub, and shows its own issuing authority.
    let chain = vec![
        node.certificate.der().clone(),
        stranger.issuing().certificate().der().clone(),
        stranger.root().certificate().der().clone(),
    ];
    let identity = lienthong_client::Identity::new(chain, &node.key.to_pkcs8_der()).unwrap();
    let root = world.pki.root().certificate().der().clone();
    let roots = lienthong_client::Roots::new([root]).unwrap();
    let url = format!("https://{}", world.address);
    let endpoint = lienthong_client::Endpoint::new(&url, identity, roots).unwrap();
    let error = Client::connect(endpoint).await.unwrap_err();
    assert_eq!(error.unreachable().unwrap().cause, Cause::OurAuthorityUnknown);
}

#[tokio::test]
async fn a_node_of_an_agency_that_the_directory_does_not_have_is_unauthenticated() {
    let world = World::start().await;
    let unknown = Client::connect(world.endpoint(&world.node("H63"))).await.unwrap_err();
    let lienthong_client::ConnectError::Call(error) = unknown else { panic!("{unknown}") };
    assert_eq!(reason::<()>(Err(error)), Reason::CallerUnknown);
    let mut raw = exchange(&world, "H63").await;
    let status = raw.get_clock(proto::GetClockRequest {}).await.unwrap_err();
    assert_eq!(status.code(), Code::Unauthenticated);
}

#[tokio::test]
async fn a_node_acts_only_for_itself_and_for_those_it_is_the_gateway_of() {
    let world = World::start().await;
    let (h36, h34) = (world.client("H36").await, world.client("H34").await);
    // A superior is no gateway, and neither is a neighbour.
    for other in ["H36.12", "H34.05", "G22"] {
        let letter = world.letter(other, &["H01"]);
        assert_eq!(reason(h36.submit(letter).await), Reason::SenderNotEntitled, "{other}");
        let codes = [code(other)];
        assert_eq!(reason(h36.subscribe(&codes, 1).await), Reason::CallerNotEntitled, "{other}");
        assert_eq!(reason(h36.pull(&codes[0], 1).await), Reason::CallerNotEntitled, "{other}");
    }
    // One code that is not the caller's spoils the whole subscription.
    let both = [code("H36"), code("H36.12")];
    assert_eq!(reason(h36.subscribe(&both, 1).await), Reason::CallerNotEntitled);
    h34.submit(world.letter("H34.40.01", &["H36"])).await.unwrap();
    // The gateway's seal is as good as the agency's own.
    let document = document("H34.05", &["H36"]);
    let gateways = lienthong_client::sign_document(&document, Vec::new(), &[&world.seal("H34")]);
    h34.submit(gateways).await.unwrap();
}

#[tokio::test]
async fn somebody_elses_delivery_can_be_neither_acknowledged_nor_reported_on() {
    let world = World::start().await;
    let (h36, h34) = (world.client("H36").await, world.client("H34").await);
    let document = document("H36", &["H36.12"]);
    let receipt = h36.submit(world.sealed(&document)).await.unwrap();
    // Under the recipient's name, and under one's own.
    for (recipient, reason) in
        [("H36.12", Reason::CallerNotEntitled), ("H34", Reason::DocumentUnknown)]
    {
        let recipient = code(recipient);
        let key = lienthong_client::DeliveryKey { recipient, position: receipt.position };
        let refused = h34.acknowledge(&[key]).await.unwrap();
        assert_eq!(refused[0].1.reason, reason);
    }
    let on = ("H36", document.id);
    let report = world.report("H36.12", on, StatusCode::Accepted, "");
    assert_eq!(reason(h34.report(report).await), Reason::SenderNotEntitled);
    let report = world.report("H34", on, StatusCode::Accepted, "");
    assert_eq!(reason(h34.report(report).await), Reason::DocumentUnknown);
    let tracked = h36.track(&code("H36"), document.id).await.unwrap();
    assert_eq!(tracked.deliveries[0].acknowledged_at, None);
    assert!(tracked.deliveries[0].statuses.is_empty());
}

#[tokio::test]
async fn whoever_may_not_see_a_document_cannot_tell_it_from_one_that_does_not_exist() {
    let world = World::start().await;
    let h36 = world.client("H36").await;
    let document = document("H36", &["H36.12"]);
    h36.submit(world.sealed(&document)).await.unwrap();
    let mut stranger = exchange(&world, "H34").await;
    let mut answers = Vec::new();
    let nothing = new_id();
    for (sender, id) in [("H36", document.id), ("H36", nothing), ("H63", document.id)] {
        let id_bytes = bytes::Bytes::copy_from_slice(id.as_bytes());
        let request = proto::TrackDocumentRequest { sender: sender.to_owned(), id: id_bytes };
        let status = stranger.track_document(request).await.unwrap_err();
        assert_eq!(status.code(), Code::NotFound);
        let mut refusal = refusal(&status);
        // It names what was asked for; nothing else may differ.
        assert_eq!(refusal.violations.pop().unwrap().value, id.to_string());
        answers.push((refusal, status.message().replace(&id.to_string(), "ID")));
    }
    assert!(answers.iter().all(|answer| *answer == answers[0]), "{answers:?}");
}

#[tokio::test]
async fn the_sender_sees_every_delivery_and_a_recipient_its_own() {
    let world = World::start().await;
    let h36 = world.client("H36").await;
    let document = document("H36", &["H36.12", "H34.05", "H34.40", "G22"]);
    h36.submit(world.sealed(&document)).await.unwrap();
    let seen = async |agency: &str| {
        let tracked = world.client(agency).await.track(&code("H36"), document.id).await.unwrap();
        let codes = tracked.deliveries.into_iter().map(|one| one.recipient.to_string());
        let mut codes: Vec<String> = codes.collect();
        codes.sort();
        codes
    };
    assert_eq!(seen("H36").await, ["G22", "H34.05", "H34.40", "H36.12"]);
    assert_eq!(seen("H36.12").await, ["H36.12"]);
    assert_eq!(seen("H34").await, ["H34.05", "H34.40"], "a gateway sees those it serves");
    let stranger = world.client("H36.30").await.track(&code("H36"), document.id).await;
    assert_eq!(reason(stranger), Reason::DocumentUnknown);
}

#[tokio::test]
async fn a_suspended_agency_neither_sends_nor_receives_nor_is_sent_to() {
    let world = World::start().await;
    let mut suspended = exchange(&world, "H02").await;
    let request = crate::harness::raw::request(world.letter("H02", &["H36"]));
    let status = suspended.submit_document(request).await.unwrap_err();
    assert_eq!(status.code(), Code::PermissionDenied);
    assert_eq!(refusal(&status).reason, Reason::SenderSuspended);
    let opened = Line::open(&mut suspended, &[], 1).await;
    assert_eq!(refusal(&opened.err().unwrap()).reason, Reason::SenderSuspended);
    let h36 = world.client("H36").await;
    let letter = world.letter("H36", &["H02"]);
    assert_eq!(reason(h36.submit(letter).await), Reason::RecipientSuspended);
}

#[tokio::test]
async fn what_a_gateway_receives_is_what_its_agencies_were_sent_and_nothing_else() {
    let world = World::start().await;
    let h36 = world.client("H36").await;
    h36.submit(world.letter("H36", &["H36.12"])).await.unwrap();
    let hers = h36.submit(world.letter("H36", &["H34.40.01"])).await.unwrap();
    let mut subscription = world.client("H34").await.subscribe(&[], 8).await.unwrap();
    let delivery = next(&mut subscription).await;
    assert_eq!((delivery.key.position, delivery.key.recipient), (hers.position, code("H34.40.01")));
}

#[tokio::test]
async fn the_hub_is_known_by_its_own_root_only() {
    let world = World::start().await;
    let stranger = TestPki::new([13; 32], crate::harness::validity()).unwrap();
    let endpoint = endpoint(&stranger, world.address, &stranger.node(&code("H36")).unwrap());
    let error = within("an answer", Client::connect(endpoint)).await.unwrap_err();
    assert_eq!(error.unreachable().unwrap().cause, Cause::HubUntrusted);
}
