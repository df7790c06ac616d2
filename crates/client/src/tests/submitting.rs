//! Retries keep id and bytes; patience is kept; certificates travel once.

use std::time::Duration;

use lienthong_model::{Reason, Refusal, StatusCode, StatusReport};

use super::fake::{Fake, Reply, code, document, seal};
use crate::{CallError, Cause, Retry, Setback, sign_report};

fn refuse(reason: Reason) -> Reply {
    Reply::Refuse(Refusal::new(reason))
}

#[tokio::test]
async fn a_retry_keeps_id_and_bytes() {
    let hub = Fake::start();
    let (client, seal) = (hub.client().await, seal(&hub.pki, "H36"));
    hub.say([Reply::Break, refuse(Reason::Draining)]);
    let signed = document(&client, "Về việc kiểm tra", &[&seal]);
    let receipt = client.submit(signed.clone()).await.unwrap();
    let seen = hub.seen();
    assert_eq!(seen.len(), 3);
    for one in &seen {
        assert_eq!(one.document.content, signed.content);
        assert_eq!(one.document.signatures, seen[0].document.signatures);
    }
    assert_eq!(receipt.id, lienthong_wire::decode_document(&signed.content).unwrap().id);
}

#[tokio::test]
async fn a_refusal_is_returned_at_once_and_whole() {
    let hub = Fake::start();
    let (client, seal) = (hub.client().await, seal(&hub.pki, "H36"));
    let refusal = Refusal::at(Reason::RecipientUnknown, "recipients[0].code", "H36.12");
    hub.say([Reply::Refuse(refusal.clone())]);
    let outcome = client.submit(document(&client, "a", &[&seal])).await;
    assert_eq!(outcome, Err(CallError::Refused(refusal)));
    assert_eq!(hub.seen().len(), 1);
}

#[tokio::test]
async fn an_overloaded_hub_is_asked_again_no_sooner_than_it_said() {
    let hub = Fake::start();
    let (client, seal) = (hub.client().await, seal(&hub.pki, "H36"));
    let told = Duration::from_millis(150);
    hub.say([Reply::Refuse(Refusal::new(Reason::Overloaded).retry_after(told))]);
    client.submit(document(&client, "a", &[&seal])).await.unwrap();
    let seen = hub.seen();
    assert_eq!(seen.len(), 2);
    assert!(seen[1].at - seen[0].at >= told, "{:?}", seen[1].at - seen[0].at);
}

#[tokio::test]
async fn exhaustion_without_a_time_to_retry_is_a_refusal() {
    let hub = Fake::start();
    let (client, seal) = (hub.client().await, seal(&hub.pki, "H36"));
    hub.say([refuse(Reason::StatusLimit)]);
    let outcome = client.submit(document(&client, "a", &[&seal])).await;
    assert!(matches!(outcome, Err(CallError::Refused(_))), "{outcome:?}");
}

#[tokio::test]
async fn a_wait_that_is_longer_than_the_time_allowed_is_given_up_at_once() {
    let hub = Fake::start();
    let (client, seal) = (hub.client().await, seal(&hub.pki, "H36"));
    let refusal = Refusal::new(Reason::StorageLow).retry_after(Duration::from_secs(600));
    hub.say([Reply::Refuse(refusal.clone())]);
    let outcome = client.submit(document(&client, "a", &[&seal])).await;
    let Err(CallError::GaveUp { attempts: 1, last, .. }) = outcome else { panic!("{outcome:?}") };
    assert_eq!(last, Setback::Refused(refusal));
}

#[tokio::test]
async fn a_hub_that_is_gone_is_given_up_with_the_cause() {
    let mut hub = Fake::start();
    let brief = Retry { total: Duration::from_millis(200), ..super::fake::quick() };
    let client = crate::Client::connect(hub.endpoint().retry(brief)).await.unwrap();
    let signed = document(&client, "a", &[&seal(&hub.pki, "H36")]);
    hub.kill();
    let error = client.submit(signed).await.unwrap_err();
    assert!(error.may_pass());
    assert_eq!(error.unreachable().unwrap().cause, Cause::NothingListens);
}

#[tokio::test]
async fn a_client_goes_on_after_the_hub_was_restarted_on_its_port() {
    let mut hub = Fake::start();
    let (client, seal) = (hub.client().await, seal(&hub.pki, "H36"));
    client.submit(document(&client, "before", &[&seal])).await.unwrap();
    hub.restart();
    client.submit(document(&client, "after", &[&seal])).await.unwrap();
    assert_eq!(hub.seen().len(), 2);
}

#[tokio::test]
async fn certificates_are_sent_until_the_hub_has_accepted_one_document_with_them() {
    let hub = Fake::start();
    let (client, seal) = (hub.client().await, seal(&hub.pki, "H36"));
    hub.say([refuse(Reason::RecipientUnknown), Reply::Accept, Reply::Accept]);
    client.submit(document(&client, "a", &[&seal])).await.unwrap_err();
    client.submit(document(&client, "b", &[&seal])).await.unwrap();
    client.submit(document(&client, "c", &[&seal])).await.unwrap();
    let counts: Vec<_> = hub.seen().iter().map(|one| one.document.certificates.len()).collect();
    assert_eq!(counts, [2, 2, 0]);
}

#[tokio::test]
async fn certificates_are_sent_again_when_the_hub_does_not_know_them_after_all() {
    let hub = Fake::start();
    let (client, seal) = (hub.client().await, seal(&hub.pki, "H36"));
    hub.say([Reply::Accept, refuse(Reason::CertificateUnknown)]);
    client.submit(document(&client, "a", &[&seal])).await.unwrap();
    let again = document(&client, "b", &[&seal]);
    client.submit(again.clone()).await.unwrap();
    let seen = hub.seen();
    let counts: Vec<_> = seen.iter().map(|one| one.document.certificates.len()).collect();
    assert_eq!(counts, [2, 0, 2]);
    assert_eq!(seen[1].document.content, again.content);
    assert_eq!(seen[2].document.content, again.content);
}

#[tokio::test]
async fn an_unknown_certificate_that_was_sent_is_a_refusal() {
    let hub = Fake::start();
    let (client, seal) = (hub.client().await, seal(&hub.pki, "H36"));
    hub.say([refuse(Reason::CertificateUnknown)]);
    let error = client.submit(document(&client, "a", &[&seal])).await.unwrap_err();
    assert_eq!(error.refusal().unwrap().reason, Reason::CertificateUnknown);
    assert_eq!(hub.seen().len(), 1);
}

#[tokio::test]
async fn a_status_report_is_retried_like_a_document() {
    let hub = Fake::start();
    let (client, seal) = (hub.client().await, seal(&hub.pki, "H36.12"));
    hub.say([Reply::Break]);
    let of = (code("H36"), client.new_id());
    let report = StatusReport::new(client.new_id(), code("H36.12"), of, StatusCode::Accepted);
    let receipt = client.report(sign_report(&report, &[&seal])).await.unwrap();
    assert_eq!(receipt.id, report.id);
    let seen = hub.seen();
    assert_eq!(seen.len(), 2);
    assert_eq!(seen[0].document.content, seen[1].document.content);
}

#[tokio::test]
async fn an_unknown_document_is_a_refusal_with_its_reason() {
    let hub = Fake::start();
    let client = hub.client().await;
    let error = client.track(&code("H36"), client.new_id()).await.unwrap_err();
    assert_eq!(error.refusal().unwrap().reason, Reason::DocumentUnknown);
}
