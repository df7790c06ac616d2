//! What is bounded: messages, credit, answers under way, acknowledgements, evidence bundles.

use std::collections::HashSet;

use crate::harness::raw::{
    Line, channel, exchange, key, narrow_channel, narrow_exchange, refusal, request,
};
use crate::harness::web::page;
use crate::harness::{World, code, days, document, now, test_pki, until, within};
use bytes::Bytes;
use http_body_util::StreamBody;
use hyper::body::Frame;
use lienthong_client::Period;
use lienthong_model::Reason;
use lienthong_model::limits::{
    ARRIVING_BYTES_PER_AGENCY_MAX, CONSUMER_CREDIT_MAX, EVIDENCE_BUNDLES_PER_AGENCY_MAX,
    MESSAGE_BYTES_MAX, PIECE_BYTES_MAX, PULL_MAX, STREAM_IN_FLIGHT_MAX, SUBMISSIONS_UNDER_WAY_MAX,
};
use lienthong_trust::Revoked;
use lienthong_wire::proto;
use lienthong_wire::proto::submit_documents_response::Outcome;
use lienthong_wire::proto::subscribe_request::{Credit, Request};
use lienthong_wire::proto::subscribe_response::Response;
use lienthong_wire::proto::verdict_service_client::VerdictServiceClient;
use tokio::task::JoinSet;
use tokio_stream::StreamExt as _;
use tokio_stream::wrappers::ReceiverStream;
use tonic::body::Body;
use tonic::codegen::Service as _;
use tonic::codegen::http::{Request as Http, header};
use tonic::transport::Channel;
use tonic::{Code, Status};

#[tokio::test]
async fn a_message_over_the_bound_is_refused_with_both_sizes_and_the_connection_goes_on() {
    let world = World::start().await;
    let mut raw = exchange(&world, "H36").await;
    let mut large = request(world.letter("H36", &["H36.12"]));
    let attachment = proto::Attachment {
        content_id: "cid:1".to_owned(),
        content: crate::harness::noise(MESSAGE_BYTES_MAX),
    };
    large.attachments.push(attachment);
    let status = raw.submit_document(large).await.unwrap_err();
    assert_eq!(status.code(), Code::OutOfRange);
    assert!(status.message().contains(&MESSAGE_BYTES_MAX.to_string()), "{}", status.message());
    raw.submit_document(request(world.letter("H36", &["H36.12"]))).await.unwrap();
}

/// Submits the beginning of a message that announces a byte more, and says how that ends.
async fn unended(mut channel: Channel, bytes: usize) -> Status {
    let length = u32::try_from(bytes + 1).unwrap().to_be_bytes();
    let message = [&[0], length.as_slice(), &vec![0; bytes]].concat();
    let frame = Ok::<_, Status>(Frame::data(Bytes::from(message)));
    let frames = tokio_stream::once(frame).chain(tokio_stream::pending());
    let request = Http::post("/lienthong.v1.ExchangeService/SubmitDocument")
        .header(header::CONTENT_TYPE, "application/grpc")
        .header(header::TE, "trailers")
        .body(Body::new(StreamBody::new(frames)))
        .unwrap();
    std::future::poll_fn(|cx| channel.poll_ready(cx)).await.unwrap();
    let answer = channel.call(request).await.unwrap();
    Status::from_header_map(answer.headers()).expect("only a refusal ends it")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn messages_that_never_become_whole_take_their_agencys_share_and_no_more() {
    const TOO_MANY: usize = 4;
    let world = World::start().await;
    let bytes = MESSAGE_BYTES_MAX - 1;
    let mut calls = JoinSet::new();
    let line = channel(&world, "H36").await;
    for _ in 0..ARRIVING_BYTES_PER_AGENCY_MAX / bytes + TOO_MANY {
        calls.spawn(unended(line.clone(), bytes));
    }
    for _ in 0..TOO_MANY {
        let status = within("a refusal", calls.join_next()).await.unwrap().unwrap();
        let refusal = refusal(&status);
        assert_eq!(refusal.reason, Reason::Overloaded, "{refusal}");
        assert!(refusal.retry_after_ms.is_some(), "{refusal}");
    }
    let other = world.client("H34").await;
    within("a receipt", other.submit(world.letter("H34", &["H36.12"]))).await.unwrap();
    // Whoever lets go has room again.
    drop(calls);
    let own = world.client("H36").await;
    within("a receipt", own.submit(world.letter("H36", &["H36.12"]))).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_consumer_never_has_more_than_the_greatest_credit_unacknowledged() {
    const MORE: usize = 6;
    let max = CONSUMER_CREDIT_MAX as usize;
    let world = World::start().await;
    let stream = world.client("H36").await.submissions(512);
    let letters = (0..max + MORE).map(|_| stream.submit(world.letter("H36", &["H36.12"])));
    for receipt in futures_util::future::join_all(letters).await {
        receipt.unwrap();
    }
    let mut exchange = exchange(&world, "H36.12").await;
    let mut line = Line::open(&mut exchange, &[], 5_000).await.unwrap();
    let mut keys = Vec::new();
    for _ in 0..max {
        keys.push(key(&line.delivery().await));
    }
    line.say(Request::Credit(Credit { more: 5_000 })).await;
    // An acknowledgement of nothing is answered before anything else comes: there is no room.
    let nothing = proto::DeliveryKey { position: 1_000_000, ..keys[0].clone() };
    line.acknowledge(vec![nothing]).await;
    let answer = line.next().await.unwrap();
    assert!(matches!(answer, Response::RefusedAcknowledgement(_)), "{answer:?}");
    // Then as many come as are acknowledged, some perhaps before the answer: it is on disk by then.
    line.acknowledge(keys[..MORE].to_vec()).await;
    let mut answered = false;
    for _ in 0..=MORE {
        match line.next().await.unwrap() {
            Response::Delivery(delivery) => keys.push(key(&delivery)),
            Response::Acknowledged(acknowledged) => {
                assert_eq!(acknowledged.keys, keys[..MORE]);
                answered = true;
            }
            other => panic!("neither delivery nor acknowledgement: {other:?}"),
        }
    }
    assert!(answered);
    let positions: HashSet<u64> = keys.iter().map(|key| key.position).collect();
    assert_eq!(positions.len(), max + MORE);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn more_documents_on_one_stream_than_may_be_under_way_wait_and_are_all_answered() {
    let world = World::start().await;
    let mut raw = exchange(&world, "H36").await;
    let count = 2 * STREAM_IN_FLIGHT_MAX as u64;
    let requests: Vec<_> = (0..count)
        .map(|correlation| {
            let proto::SubmitDocumentRequest { document, attachments } =
                request(world.letter("H36", &["H36.12"]));
            proto::SubmitDocumentsRequest { correlation, document, attachments }
        })
        .collect();
    // All are said before the first answer is read.
    let (send, sending) = tokio::sync::mpsc::channel(1);
    let saying = tokio::spawn(async move {
        for request in requests {
            send.send(request).await.unwrap();
        }
    });
    let sending = ReceiverStream::new(sending);
    let mut answers = raw.submit_documents(sending).await.unwrap().into_inner();
    let mut answered = HashSet::new();
    while let Some(answer) = within("an answer", answers.message()).await.unwrap() {
        assert!(matches!(answer.outcome, Some(Outcome::Receipt(_))), "{answer:?}");
        assert!(answered.insert(answer.correlation), "{} twice", answer.correlation);
    }
    saying.await.unwrap();
    assert_eq!(answered.len() as u64, count);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn senders_that_read_no_answers_hold_no_place_and_hold_up_nobody_else() {
    // A window of 16 KiB takes a dozen answers: together they are more than there are places.
    const STREAMS: usize = 64;
    const ON_EACH: u64 = 40;
    let world = World::start().await;
    let before = world.hub().reader().volumes(lienthong_core::statistics::Period::ALL).unwrap();
    let mut silent = Vec::new();
    for _ in 0..STREAMS {
        let mut raw = narrow_exchange(&world, "H36", 16 << 10).await;
        let requests: Vec<_> = (0..ON_EACH)
            .map(|correlation| {
                let proto::SubmitDocumentRequest { document, attachments } =
                    request(world.letter("H36", &["H36.12"]));
                proto::SubmitDocumentsRequest { correlation, document, attachments }
            })
            .collect();
        let saying = tokio_stream::iter(requests);
        silent.push(raw.submit_documents(saying).await.unwrap().into_inner());
    }
    // More than there are places for has been taken in, and nobody has read an answer.
    until("more documents than places", async || {
        let now = world.hub().reader().volumes(lienthong_core::statistics::Period::ALL).unwrap();
        now.totals.sent - before.totals.sent > SUBMISSIONS_UNDER_WAY_MAX as u64
    })
    .await;
    let client = world.client("H34").await;
    for _ in 0..20 {
        within("a receipt", client.submit(world.letter("H34", &["H36.12"]))).await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn calls_that_find_no_place_in_time_are_told_when_to_come_again_and_nothing_is_lost() {
    const CALLS: usize = 3 * SUBMISSIONS_UNDER_WAY_MAX;
    let world = World::start().await;
    let mut calls = Vec::new();
    let mut callers = Vec::new();
    for _ in 0..CALLS / 128 {
        callers.push(exchange(&world, "H36").await);
    }
    for number in 0..CALLS {
        let mut raw = callers[number % callers.len()].clone();
        let letter = request(world.letter("H36", &["H36.12"]));
        calls.push(tokio::spawn(async move { raw.submit_document(letter).await }));
    }
    let mut accepted = 0;
    for call in calls {
        match within("an answer", call).await.unwrap() {
            Ok(_) => accepted += 1,
            Err(status) => {
                let refusal = refusal(&status);
                assert_eq!(refusal.reason, Reason::Overloaded, "{refusal}");
                assert!(refusal.retry_after_ms.is_some_and(|again| again > 0), "{refusal}");
                assert_eq!(status.code(), Code::ResourceExhausted);
            }
        }
    }
    assert!(accepted >= SUBMISSIONS_UNDER_WAY_MAX, "{accepted} of {CALLS}");
    let refused = CALLS - accepted;
    let line = format!("lienthong_refusals_total{{code=\"OVERLOADED\"}} {refused}");
    let shown = page(&world, "/metrics").await;
    assert!(refused == 0 || shown.text().lines().any(|found| found == line), "{}", shown.text());
    let sent = world.client("H36").await.volumes(Period::default()).await.unwrap().totals.sent;
    assert_eq!(sent, accepted as u64);
}

#[tokio::test]
async fn more_acknowledgements_in_one_call_than_the_bound_are_refused_as_one() {
    let world = World::start().await;
    let mut raw = exchange(&world, "H36").await;
    let key = proto::DeliveryKey { recipient: "H36".to_owned(), position: 0 };
    let request = proto::AcknowledgeDocumentsRequest { keys: vec![key; PULL_MAX + 1] };
    let status = raw.acknowledge_documents(request).await.unwrap_err();
    let refusal = refusal(&status);
    assert_eq!(refusal.reason, Reason::ContentTooLarge);
    assert!(refusal.violations[0].value.contains("256"), "{refusal}");
}

/// A list of 3 MiB: no bundle with it is short enough to be on its way as a whole.
fn long_list() -> Bytes {
    let at = now().minus(days(1));
    let serial = |number: u32| [[1_u8; 16].as_slice(), &number.to_be_bytes()].concat();
    let revoked = (0..60_000).map(|number| Revoked { serial: serial(number), at, reason: 1 });
    let revoked: Vec<Revoked> = revoked.collect();
    test_pki().issuing().revocation_list(1, at, now().plus(days(30)), &revoked).unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bundles_that_nobody_reads_take_their_agencys_share_until_they_are_let_go() {
    let world = World::start_with(|settings| settings.revocation_lists = vec![long_list()]).await;
    let (client, other) = (world.client("H36").await, world.client("H36.12").await);
    let letter = document("H36", &["H36.12"]);
    client.submit(world.sealed(&letter)).await.unwrap();
    let mut verdict = VerdictServiceClient::new(narrow_channel(&world, "H36", 16 << 10).await);
    let wanted = proto::GetEvidenceBundleRequest {
        sender: "H36".to_owned(),
        id: Bytes::copy_from_slice(letter.id.as_bytes()),
    };
    let mut unread = Vec::new();
    for _ in 0..EVIDENCE_BUNDLES_PER_AGENCY_MAX {
        unread.push(verdict.get_evidence_bundle(wanted.clone()).await.unwrap().into_inner());
    }
    let refusal = refusal(&verdict.get_evidence_bundle(wanted).await.unwrap_err());
    assert_eq!(refusal.reason, Reason::Overloaded, "{refusal}");
    assert!(refusal.retry_after_ms.is_some(), "{refusal}");
    let sender = code("H36");
    within("a bundle", other.evidence_bundle(&sender, letter.id)).await.unwrap();
    drop(unread);
    let bundle = client.evidence_bundle(&sender, letter.id);
    let bundle = within("a bundle", bundle).await.unwrap();
    assert!(bundle.len() > 3 * PIECE_BYTES_MAX, "{} bytes", bundle.len());
}
