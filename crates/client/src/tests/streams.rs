//! Many in flight: outcomes find their callers, a break repeats only what has no outcome.

use std::time::Duration;

use futures_util::future::join_all;
use lienthong_model::{Reason, Refusal, StatusCode, StatusReport};

use super::fake::{Fake, Reply, code, document, seal};
use crate::{CallError, Retry, Setback, sign_report};

#[tokio::test]
async fn outcomes_find_their_callers() {
    let hub = Fake::start();
    let (client, seal) = (hub.client().await, seal(&hub.pki, "H36"));
    let stream = client.submissions(8);
    let documents: Vec<_> = (0..50).map(|n| document(&client, &n.to_string(), &[&seal])).collect();
    let outcomes = join_all(documents.iter().map(|one| stream.submit(one.clone()))).await;
    for (outcome, signed) in outcomes.into_iter().zip(&documents) {
        let id = lienthong_wire::decode_document(&signed.content).unwrap().id;
        assert_eq!(outcome.unwrap().id, id);
    }
    assert_eq!(hub.seen().len(), 50);
}

#[tokio::test]
async fn a_broken_stream_repeats_only_what_has_no_outcome() {
    let hub = Fake::start();
    let (client, seal) = (hub.client().await, seal(&hub.pki, "H36"));
    let stream = client.submissions(16);
    hub.say([Reply::Accept, Reply::Silence, Reply::Break]);
    let signed: Vec<_> = ["a", "b", "c"].map(|text| document(&client, text, &[&seal])).into();
    stream.submit(signed[0].clone()).await.unwrap();
    let (b, c) = tokio::join!(stream.submit(signed[1].clone()), stream.submit(signed[2].clone()));
    b.unwrap();
    c.unwrap();
    let contents = |number| {
        let of_stream = hub.seen().into_iter().filter(move |one| one.stream == number);
        of_stream.map(|one| one.document.content).collect::<Vec<_>>()
    };
    let expect = |range: std::ops::Range<usize>| {
        signed[range].iter().map(|one| one.content.clone()).collect::<Vec<_>>()
    };
    assert_eq!(contents(1), expect(0..3));
    assert_eq!(contents(2), expect(1..3));
}

#[tokio::test]
async fn a_stream_goes_on_after_the_hub_was_restarted() {
    let mut hub = Fake::start();
    let (client, seal) = (hub.client().await, seal(&hub.pki, "H36"));
    let stream = client.submissions(16);
    stream.submit(document(&client, "before", &[&seal])).await.unwrap();
    hub.say([Reply::Silence]);
    let unanswered = document(&client, "unanswered", &[&seal]);
    let waiting = tokio::spawn({
        let (stream, signed) = (stream.clone(), unanswered.clone());
        async move { stream.submit(signed).await }
    });
    hub.until(|script| script.seen.len() == 2).await;
    hub.restart();
    waiting.await.unwrap().unwrap();
    let seen = hub.seen();
    assert_eq!(seen.len(), 3);
    assert_eq!(seen[2].document.content, unanswered.content);
}

#[tokio::test]
async fn a_refused_document_leaves_the_stream_and_the_others_alone() {
    let hub = Fake::start();
    let (client, seal) = (hub.client().await, seal(&hub.pki, "H36"));
    let stream = client.submissions(4);
    hub.say([Reply::Refuse(Refusal::new(Reason::SenderSuspended))]);
    let error = stream.submit(document(&client, "a", &[&seal])).await.unwrap_err();
    assert_eq!(error.refusal().unwrap().reason, Reason::SenderSuspended);
    stream.submit(document(&client, "b", &[&seal])).await.unwrap();
    assert_eq!(hub.script.lock().streams, 1);
}

#[tokio::test]
async fn patience_asked_for_on_a_stream_is_kept_for_that_document_alone() {
    let hub = Fake::start();
    let (client, seal) = (hub.client().await, seal(&hub.pki, "H36"));
    let stream = client.submissions(4);
    let told = Duration::from_millis(200);
    hub.say([Reply::Refuse(Refusal::new(Reason::Overloaded).retry_after(told))]);
    let (a, b) = (document(&client, "a", &[&seal]), document(&client, "b", &[&seal]));
    let (first, second) = tokio::join!(stream.submit(a.clone()), stream.submit(b.clone()));
    first.unwrap();
    second.unwrap();
    let seen = hub.seen();
    let order: Vec<_> = seen.iter().map(|one| one.document.content.clone()).collect();
    assert_eq!(order, [a.content.clone(), b.content, a.content]);
    assert!(seen[2].at - seen[0].at >= told);
}

#[tokio::test]
async fn a_wait_beyond_the_time_allowed_is_given_up_at_once() {
    let hub = Fake::start();
    let (client, seal) = (hub.client().await, seal(&hub.pki, "H36"));
    let refusal = Refusal::new(Reason::StorageLow).retry_after(Duration::from_secs(600));
    hub.say([Reply::Refuse(refusal.clone())]);
    let outcome = client.submissions(4).submit(document(&client, "a", &[&seal])).await;
    let Err(CallError::GaveUp { last, .. }) = outcome else { panic!("{outcome:?}") };
    assert_eq!(last, Setback::Refused(refusal));
}

#[tokio::test]
async fn a_stream_to_a_hub_that_is_gone_gives_up_in_time() {
    let mut hub = Fake::start();
    let brief = Retry { total: Duration::from_millis(200), ..super::fake::quick() };
    let client = crate::Client::connect(hub.endpoint().retry(brief)).await.unwrap();
    let signed = document(&client, "a", &[&seal(&hub.pki, "H36")]);
    hub.kill();
    let error = client.submissions(4).submit(signed).await.unwrap_err();
    assert!(matches!(error, CallError::GaveUp { .. }), "{error:?}");
}

#[tokio::test]
async fn certificates_follow_on_a_stream_when_the_hub_wants_them() {
    let hub = Fake::start();
    let (client, seal) = (hub.client().await, seal(&hub.pki, "H36"));
    let stream = client.submissions(4);
    hub.say([Reply::Accept, Reply::Refuse(Refusal::new(Reason::CertificateUnknown))]);
    stream.submit(document(&client, "a", &[&seal])).await.unwrap();
    stream.submit(document(&client, "b", &[&seal])).await.unwrap();
    let counts: Vec<_> = hub.seen().iter().map(|one| one.document.certificates.len()).collect();
    assert_eq!(counts, [2, 0, 2]);
}

#[tokio::test]
async fn reports_travel_on_a_stream_too() {
    let hub = Fake::start();
    let (client, seal) = (hub.client().await, seal(&hub.pki, "H36.12"));
    let stream = client.reports(4);
    let of = (code("H36"), client.new_id());
    let report = StatusReport::new(client.new_id(), code("H36.12"), of, StatusCode::Arrived);
    let receipt = stream.report(sign_report(&report, &[&seal])).await.unwrap();
    assert_eq!(receipt.id, report.id);
}
