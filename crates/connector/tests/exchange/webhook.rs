//! The webhook: told, repeated, authenticated.

use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Bytes;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use lienthong_connector::{WebhookSettings, signature};
use serde_json::Value;
use tokio::net::TcpListener;

use crate::harness::{World, until};
use crate::stage::{Desk, entries};

/// What was posted, and how many times it is not taken first.
#[derive(Default)]
struct Posted {
    refuse: usize,
    requests: Vec<(HeaderMap, Bytes)>,
    taken: Vec<Value>,
}

async fn server(posted: Arc<Mutex<Posted>>) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/hook", listener.local_addr().unwrap());
    let take = move |headers: HeaderMap, body: Bytes| {
        let posted = posted.clone();
        async move {
            let mut posted = posted.lock().unwrap();
            posted.requests.push((headers, body.clone()));
            if posted.refuse > 0 {
                posted.refuse -= 1;
                return StatusCode::SERVICE_UNAVAILABLE;
            }
            posted.taken.push(serde_json::from_slice(&body).unwrap());
            StatusCode::NO_CONTENT
        }
    };
    let router = Router::new().route("/hook", post(take));
    tokio::spawn(async move { axum::serve(listener, router).await });
    url
}

#[tokio::test]
async fn an_arrival_is_posted_until_it_is_taken_and_its_body_is_authenticated() {
    let world = World::start().await;
    let posted = Arc::new(Mutex::new(Posted { refuse: 2, ..Posted::default() }));
    let mut desk = Desk::prepare(&world, "H36");
    let secret = desk.path("webhook.secret");
    let url = server(posted.clone()).await;
    desk.settings.webhook =
        Some(WebhookSettings { url, secret: secret.clone(), roots: String::new() });
    desk.start().await;
    world.client("H34").await.submit(world.letter("H34", &["H36"])).await.unwrap();
    until("it is taken", async || !posted.lock().unwrap().taken.is_empty()).await;
    let (told, requests) = {
        let posted = posted.lock().unwrap();
        (posted.taken[0].clone(), posted.requests.clone())
    };
    assert_eq!((&told["kind"], &told["sender"]), (&"document.received".into(), &"H34".into()));
    let name = entries(&desk.path("inbox")).remove(0);
    assert_eq!(told["name"], name.file_name().unwrap().to_str().unwrap());
    assert_eq!(requests.len(), 3, "twice not taken");
    let secret = std::fs::read_to_string(secret).unwrap();
    for (headers, body) in &requests {
        let text = |name: &str| headers.get(name).unwrap().to_str().unwrap();
        let at = text("x-lienthong-timestamp").parse().unwrap();
        assert_eq!(text("x-lienthong-signature"), signature(secret.trim(), at, body));
        assert_eq!(text("x-lienthong-event"), told["event"].as_str().unwrap());
    }
    until("nothing waits", async || entries(&desk.path(".node/webhook")).is_empty()).await;
}

#[tokio::test]
async fn what_nobody_took_is_told_after_a_restart() {
    let world = World::start().await;
    let mut desk = Desk::prepare(&world, "H36");
    let secret = desk.path("webhook.secret");
    let nobody = "http://127.0.0.1:1/".to_owned();
    desk.settings.webhook = Some(WebhookSettings { url: nobody, secret, roots: String::new() });
    desk.start().await;
    desk.put("outbox/a", "to = [\"H34\"]\nsubject = \"x\"\n", &[]);
    desk.note("sent/a", "receipt.json").await;
    desk.stop().await;
    let posted = Arc::new(Mutex::new(Posted::default()));
    desk.settings.webhook.as_mut().unwrap().url = server(posted.clone()).await;
    desk.start().await;
    until("it is taken", async || !posted.lock().unwrap().taken.is_empty()).await;
    let told = posted.lock().unwrap().taken[0].clone();
    assert_eq!((&told["kind"], &told["name"]), (&"document.sent".into(), &"a".into()));
}
