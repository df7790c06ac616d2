//! What a caller is given of the hub: its language, its rate, its share.

use std::time::{Duration, Instant};

use crate::harness::raw::{Line, channel, exchange, key, refusal, request};
use crate::harness::{World, document, until, within};
use lienthong_hub::Rates;
use lienthong_model::Reason;
use lienthong_model::limits::{CONSUMERS_PER_AGENCY_MAX, STREAMS_PER_CONNECTION_MAX};
use lienthong_wire::proto;
use lienthong_wire::proto::exchange_service_client::ExchangeServiceClient;
use lienthong_wire::proto::notice_service_client::NoticeServiceClient;
use lienthong_wire::proto::submit_documents_response::Outcome;
use lienthong_wire::proto::subscribe_notices_request as of_notices;
use lienthong_wire::proto::subscribe_request::{
    Credit, NegativeAcknowledge, Open, Request as Asked,
};
use tokio_stream::StreamExt as _;
use tonic::{Code, Request, Status};
use tonic_types::StatusExt as _;

/// The locale and the text of a status.
fn localized(status: &Status) -> (String, String) {
    let details = status.get_error_details();
    let localized = details.localized_message().expect("it is localized");
    (localized.locale.clone(), localized.message.clone())
}

fn asking<T>(message: T, accept_language: &str) -> Request<T> {
    let mut request = Request::new(message);
    request.metadata_mut().insert("accept-language", accept_language.parse().unwrap());
    request
}

#[tokio::test]
async fn a_refusal_is_in_the_language_that_the_caller_asks_for() {
    let world = World::start().await;
    let mut raw = exchange(&world, "H36").await;
    let pull = || proto::PullDocumentsRequest { agency: "H34".to_owned(), deliveries_max: 1 };
    let reason = Reason::CallerNotEntitled;
    let vietnamese = ("vi".to_owned(), format!("{}: {}", reason.meaning_vi(), reason.remedy_vi()));
    let english = ("en".to_owned(), format!("{}: {}", reason.meaning(), reason.remedy()));
    let plain = raw.pull_documents(pull()).await.unwrap_err();
    assert_eq!(localized(&plain), vietnamese);
    for (asked, expected) in [
        ("vi-VN, en;q=0.5", &vietnamese),
        ("en-GB, vi;q=0.5", &english),
        ("fr, en;q=0.1", &english),
        ("fr", &vietnamese),
        ("nonsense;;q=2", &vietnamese),
    ] {
        let status = raw.pull_documents(asking(pull(), asked)).await.unwrap_err();
        assert_eq!(&localized(&status), expected, "{asked}");
        // Nothing else of it differs.
        assert_eq!((status.code(), status.message()), (plain.code(), plain.message()));
        assert_eq!(refusal(&status), refusal(&plain));
    }
}

#[tokio::test]
async fn a_refusal_at_the_end_of_a_stream_is_in_the_callers_language_too() {
    let world = World::start().await;
    let mut raw = exchange(&world, "H36").await;
    let open = || proto::SubscribeRequest {
        request: Some(Asked::Open(Open { agencies: Vec::new(), credit: 1 })),
    };
    // Opening twice ends the stream: the status comes in its trailers.
    for (asked, locale) in [("en", "en"), ("vi", "vi")] {
        let twice = tokio_stream::iter([open(), open()]).chain(tokio_stream::pending());
        let mut answers = raw.subscribe(asking(twice, asked)).await.unwrap().into_inner();
        let status = loop {
            match within("the end", answers.message()).await {
                Ok(Some(_)) => {}
                Ok(None) => panic!("it ends without a status"),
                Err(status) => break status,
            }
        };
        assert_eq!(refusal(&status).reason, Reason::FieldInvalid);
        assert_eq!(localized(&status).0, locale);
    }
}

fn slow(requests_per_second: u32) -> Rates {
    Rates { requests_per_second, ..Rates::default() }
}

#[tokio::test]
async fn an_agency_that_asks_too_fast_is_told_when_to_try_again_and_its_neighbour_is_not() {
    let world = World::start_with(|settings| settings.rates = slow(5)).await;
    let (mut fast, mut other) = (exchange(&world, "H36").await, exchange(&world, "G22").await);
    let clock = proto::GetClockRequest {};
    let status = loop {
        if let Err(status) = fast.get_clock(clock).await {
            break status;
        }
    };
    assert_eq!(status.code(), Code::ResourceExhausted);
    let refused = refusal(&status);
    assert_eq!(refused.reason, Reason::RateLimited);
    let wait = Duration::from_millis(refused.retry_after_ms.expect("a time to retry"));
    assert!(!wait.is_zero() && wait <= Duration::from_millis(200), "{wait:?}");
    other.get_clock(clock).await.unwrap();
    // A connection of its own does not give it more.
    let mut second = exchange(&world, "H36").await;
    let begun = Instant::now();
    while second.get_clock(clock).await.is_err() {
        assert!(begun.elapsed() < crate::harness::PATIENCE);
        tokio::time::sleep(wait).await;
    }
}

#[tokio::test]
async fn a_stream_is_slowed_down_to_its_agencys_rate_and_nothing_of_it_is_refused() {
    // Two seconds' worth at once, the rest at the rate.
    const RATE: u32 = 20;
    const COUNT: u64 = 60;
    let world = World::start_with(|settings| settings.rates = slow(RATE)).await;
    let mut raw = exchange(&world, "H36").await;
    let letters: Vec<_> = (0..COUNT)
        .map(|correlation| {
            let proto::SubmitDocumentRequest { document, attachments } =
                request(world.letter("H36", &["H36.12"]));
            proto::SubmitDocumentsRequest { correlation, document, attachments }
        })
        .collect();
    let begun = Instant::now();
    let answers = raw.submit_documents(tokio_stream::iter(letters)).await.unwrap().into_inner();
    let answers: Vec<_> = within("all answers", answers.collect()).await;
    assert_eq!(answers.len() as u64, COUNT);
    for answer in answers {
        assert!(matches!(answer.unwrap().outcome, Some(Outcome::Receipt(_))));
    }
    // One request opened the stream.
    let beyond = COUNT + 1 - 2 * u64::from(RATE);
    let least = Duration::from_millis(1000 * beyond / u64::from(RATE)) - Duration::from_millis(60);
    assert!(begun.elapsed() >= least, "{:?} < {least:?}", begun.elapsed());
}

/// The least time that so many messages take at a rate, beyond two seconds' worth.
fn least(messages: u32, rate: u32) -> Duration {
    Duration::from_secs(1) * (messages - 2 * rate) / rate - Duration::from_millis(60)
}

#[tokio::test]
async fn what_a_consumer_says_is_slowed_down_to_its_agencys_rate_and_none_of_it_is_declined() {
    const RATE: u32 = 20;
    const COUNT: u32 = 64;
    let world = World::start_with(|settings| settings.rates = slow(RATE)).await;
    let (sender, letter) = (world.client("H36").await, document("H36", &["H36.12"]));
    sender.submit(world.sealed(&letter)).await.unwrap();
    let mut raw = exchange(&world, "H36.12").await;
    let mut line = Line::open(&mut raw, &[], 1).await.unwrap();
    let delivery = key(&line.delivery().await);
    let nothing = proto::DeliveryKey { position: 1_000_000, ..delivery.clone() };
    let begun = Instant::now();
    for _ in 0..COUNT {
        line.say(Asked::NegativeAcknowledge(NegativeAcknowledge {
            key: Some(delivery.clone()),
            reason: "Hết chỗ".to_owned(),
            delay: Some(prost_types::Duration { seconds: 3600, nanos: 0 }),
        }))
        .await;
    }
    // What is said behind them is answered behind them.
    line.acknowledge(vec![nothing.clone()]).await;
    line.refused().await;
    assert!(begun.elapsed() >= least(COUNT + 1, RATE), "{:?}", begun.elapsed());
    let said = async || {
        let tracked = sender.track(&letter.from.code, letter.id).await.unwrap();
        tracked.deliveries[0].negative.as_ref().map_or(0, |negative| negative.count)
    };
    until("all are counted", async || said().await == COUNT).await;

    // And so is credit, though the bucket may be full again.
    let begun = Instant::now();
    for _ in 0..COUNT {
        line.say(Asked::Credit(Credit { more: 1 })).await;
    }
    line.acknowledge(vec![nothing]).await;
    line.refused().await;
    assert!(begun.elapsed() >= least(COUNT + 1, RATE), "{:?}", begun.elapsed());
}

#[tokio::test]
async fn what_a_consumer_of_notices_says_is_slowed_down_like_anything_else() {
    const RATE: u32 = 20;
    const COUNT: u32 = 64;
    let world = World::start_with(|settings| settings.rates = slow(RATE)).await;
    let mut raw = NoticeServiceClient::new(channel(&world, "H36").await);
    let request = |request| proto::SubscribeNoticesRequest { request: Some(request) };
    let open = of_notices::Open { agencies: Vec::new(), credit: 1 };
    let keys = vec![proto::NoticeKey { agency: "H36".to_owned(), number: 1 }];
    let credit = (0..COUNT).map(|_| of_notices::Request::Credit(of_notices::Credit { more: 1 }));
    let acknowledge = of_notices::Request::Acknowledge(of_notices::Acknowledge { keys });
    let said = std::iter::once(of_notices::Request::Open(open)).chain(credit).chain([acknowledge]);
    let said = tokio_stream::iter(said.map(request).collect::<Vec<_>>());
    let begun = Instant::now();
    let answers = raw.subscribe_notices(said.chain(tokio_stream::pending())).await;
    let mut answers = answers.unwrap().into_inner();
    for _ in ["opened", "acknowledged"] {
        within("an answer", answers.message()).await.unwrap().unwrap();
    }
    assert!(begun.elapsed() >= least(COUNT + 2, RATE), "{:?}", begun.elapsed());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_agency_with_its_share_of_consumers_leaves_room_for_others() {
    let world = World::start().await;
    let mut lines = Vec::new();
    let per_connection = STREAMS_PER_CONNECTION_MAX as usize;
    let mut raw = exchange(&world, "H36").await;
    while lines.len() < CONSUMERS_PER_AGENCY_MAX {
        if lines.len() % per_connection == 0 {
            raw = ExchangeServiceClient::new(channel(&world, "H36").await);
        }
        lines.push(Line::open(&mut raw, &[], 0).await.unwrap());
    }
    let mut one_more = exchange(&world, "H36").await;
    let status = Line::open(&mut one_more, &[], 0).await.err().expect("it has its share");
    assert_eq!(refusal(&status).reason, Reason::Overloaded);
    assert!(refusal(&status).retry_after_ms.is_some());
    let mut other = exchange(&world, "H34").await;
    Line::open(&mut other, &[], 0).await.unwrap();
    // One that ends makes room.
    lines.pop();
    until("room", async || Line::open(&mut one_more, &[], 0).await.is_ok()).await;
}
