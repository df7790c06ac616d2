//! Each way in which a connection fails is said in plain words.

use std::time::Duration;

use lienthong_model::Timestamp;

use super::fake::{Fake, TlsSetup, node, pki, roots, scenario};
use crate::{Cause, ClockSource, Endpoint, Step};

async fn cause(endpoint: Endpoint) -> Cause {
    let error = Fake::refused(endpoint).await;
    let unreachable = error.unreachable().unwrap_or_else(|| panic!("{error:?}")).clone();
    let words = unreachable.cause.words();
    let text = unreachable.to_string();
    assert!(text.contains(&words.meaning) && text.contains(words.remedy), "{text}");
    assert!(!words.meaning_vi.is_empty() && !words.remedy_vi.is_empty());
    unreachable.cause
}

#[tokio::test]
async fn a_client_that_is_accepted_runs_in_the_hubs_business_time() {
    let hub = Fake::start();
    let client = hub.client().await;
    let start = Timestamp::parse(super::fake::START).unwrap();
    assert!(client.hub_clock().is_scenario());
    assert!(client.new_id().time() >= start);
    assert!(client.now() < start.plus(Duration::from_secs(3600)));
}

#[tokio::test]
async fn an_expired_hub_certificate_is_called_expired_with_both_dates() {
    let hub = Fake::start();
    let cause = cause(hub.endpoint().clock(ClockSource::Real)).await;
    assert!(matches!(cause, Cause::HubExpired { now: Some(_), not_after: Some(_) }), "{cause:?}");
    assert!(cause.words().meaning.contains("expired: its date is 2021-01-01"));
    assert!(cause.words().remedy.contains("clock"));
}

#[tokio::test]
async fn a_hub_certificate_of_the_future_is_called_not_valid_yet() {
    let hub = Fake::start();
    let past = ClockSource::scenario(Timestamp::parse("2019-06-01").unwrap(), 1.0);
    let cause = cause(hub.endpoint().clock(past)).await;
    assert!(matches!(cause, Cause::HubNotYetValid { .. }), "{cause:?}");
}

#[tokio::test]
async fn a_hub_of_another_axis_is_called_untrusted() {
    let hub = Fake::start();
    let address = format!("https://{}", hub.address);
    let endpoint = Endpoint::new(&address, node(&hub.pki), roots(&pki(9))).unwrap();
    assert_eq!(cause(endpoint.clock(scenario())).await, Cause::HubUntrusted);
}

#[tokio::test]
async fn a_hub_that_does_not_trust_our_authority_is_understood() {
    let hub = Fake::with(TlsSetup { clients: pki(9), ..TlsSetup::default() });
    assert_eq!(cause(hub.endpoint()).await, Cause::OurAuthorityUnknown);
}

#[tokio::test]
async fn a_hub_by_whose_clock_our_certificate_is_over_is_understood() {
    let hub = Fake::with(TlsSetup { clock: ClockSource::Real, ..TlsSetup::default() });
    assert_eq!(cause(hub.endpoint()).await, Cause::OurCertificateNotInForce);
}

#[tokio::test]
async fn a_wrong_name_is_said_with_the_names_of_the_certificate() {
    let hub = Fake::start();
    let cause = cause(hub.endpoint().server_name("other.test").unwrap()).await;
    let Cause::HubNameDiffers { expected, presented } = &cause else { panic!("{cause:?}") };
    assert_eq!(expected, "other.test");
    assert!(presented.iter().any(|name| name.contains("hub.test")), "{presented:?}");
}

#[tokio::test]
async fn the_name_to_expect_can_be_set() {
    let hub = Fake::start();
    let endpoint = hub.endpoint().server_name("hub.test").unwrap();
    assert!(crate::Client::connect(endpoint).await.is_ok());
}

#[tokio::test]
async fn a_port_where_nothing_listens_is_called_so() {
    let mut hub = Fake::start();
    let endpoint = hub.endpoint();
    hub.kill();
    assert_eq!(cause(endpoint).await, Cause::NothingListens);
}

#[tokio::test]
async fn a_service_that_does_not_speak_tls_is_called_so() {
    let socket = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("https://{}", socket.local_addr().unwrap());
    tokio::spawn(async move {
        use tokio::io::AsyncWriteExt as _;
        while let Ok((mut tcp, _)) = socket.accept().await {
            let _ = tcp.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n").await;
            std::mem::forget(tcp);
        }
    });
    let endpoint = Endpoint::new(&address, node(&pki(1)), roots(&pki(1))).unwrap();
    assert_eq!(cause(endpoint).await, Cause::NotTls);
}

#[tokio::test]
async fn a_port_that_never_answers_is_said_to_take_too_long() {
    let socket = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("https://{}", socket.local_addr().unwrap());
    let endpoint = Endpoint::new(&address, node(&pki(1)), roots(&pki(1))).unwrap();
    let endpoint = endpoint.connect_max(Duration::from_millis(200));
    assert_eq!(cause(endpoint).await, Cause::TimedOut(Step::Handshake));
}

#[tokio::test]
async fn a_hub_that_is_starting_is_waited_for_when_asked() {
    let mut hub = Fake::start();
    let endpoint = hub.endpoint().wait_for_hub(Duration::from_secs(20));
    hub.kill();
    let connecting = tokio::spawn(crate::Client::connect(endpoint));
    hub.restart();
    assert!(connecting.await.unwrap().is_ok());
}
