//! The HTTP port: the log in the form of c2sp.org/tlog-tiles, the hub's health, its counters.
//!
//! | path | is |
//! |---|---|
//! | `/checkpoint` | the newest checkpoint |
//! | `/tile/L/N[.p/W]` | hashes of the log |
//! | `/tile/entries/N[.p/W]` | entries of its leaves |
//! | `/healthz`, `/readyz` | whether the hub lives; whether it takes calls |
//! | `/metrics` | counters, for Prometheus |
//!
//! Nobody proves here who he is, so only what is public or harmless is here, and the port is bound
//! to loopback. Pages of the web that a browser on this machine shows could still reach it under a
//! name of their own; so a request must name a loopback host.

mod connections;
mod metrics;
mod tile_path;
mod tiles;

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use axum::Router;
use axum::extract::{Request, State};
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE, HOST};
use axum::http::uri::Authority;
use axum::http::{HeaderName, HeaderValue, StatusCode};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use lienthong_model::limits::{HTTP_BLOCK_READS_MAX, HTTP_REQUEST_MAX};
use tokio::net::TcpListener;
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinHandle;

use crate::evidence::Evidence;
use crate::meters::Meters;
use crate::reader::Reader;
use crate::sequencer::Running;

const TEXT: &str = "text/plain; charset=utf-8";
/// For what may be another moment later.
const NOW_ONLY: &str = "no-cache";

/// What the pages show.
#[derive(Clone)]
pub(crate) struct Pages(Arc<Shown>);

struct Shown {
    reader: Reader,
    evidence: Arc<Evidence>,
    meters: Arc<Meters>,
    running: watch::Receiver<Running>,
    stopping: watch::Receiver<bool>,
    /// Places for requests that read blocks of the journal.
    block_reads: Semaphore,
}

/// The running port.
pub(crate) struct Http {
    pub address: SocketAddr,
    stop: watch::Sender<bool>,
    serving: JoinHandle<()>,
}

impl Pages {
    pub fn new(
        reader: Reader,
        evidence: Arc<Evidence>,
        meters: Arc<Meters>,
        running: watch::Receiver<Running>,
        stopping: watch::Receiver<bool>,
    ) -> Self {
        let block_reads = Semaphore::new(HTTP_BLOCK_READS_MAX);
        Self(Arc::new(Shown { reader, evidence, meters, running, stopping, block_reads }))
    }

    fn router(self) -> Router {
        Router::new()
            .route("/checkpoint", get(checkpoint))
            .route("/tile/{*path}", get(tiles::tile))
            .route("/healthz", get(healthz))
            .route("/readyz", get(readyz))
            .route("/metrics", get(metrics::metrics))
            .fallback(nothing)
            .layer(middleware::from_fn(in_time))
            .layer(middleware::from_fn(for_this_host))
            .with_state(self)
    }

    /// What keeps the hub from taking calls.
    fn not_ready(&self) -> Option<&'static str> {
        match &*self.0.running.borrow() {
            Running::Failed(_) => Some("failed"),
            Running::Ended => Some("ended"),
            Running::Yes if *self.0.stopping.borrow() => Some("draining"),
            Running::Yes => None,
        }
    }
}

impl Http {
    /// Serves pages on a listener until [`Http::stop`].
    pub fn serve(listener: TcpListener, pages: Pages) -> std::io::Result<Self> {
        let address = listener.local_addr()?;
        let (stop, stopping) = watch::channel(false);
        let places = pages.0.meters.http_connections.clone();
        let serving = connections::serve(listener, pages.router(), places, stopping);
        Ok(Self { address, stop, serving: tokio::spawn(serving) })
    }

    /// Ends it; requests under way are answered.
    pub async fn stop(self) {
        self.stop.send_replace(true);
        // It bounds its own end.
        let _ = self.serving.await;
    }
}

async fn checkpoint(State(pages): State<Pages>) -> Response {
    let checkpoint = pages.0.evidence.newest().checkpoint.clone();
    text(StatusCode::OK, checkpoint)
}

async fn healthz(State(pages): State<Pages>) -> Response {
    match &*pages.0.running.borrow() {
        Running::Failed(_) => text(StatusCode::SERVICE_UNAVAILABLE, "failed\n"),
        Running::Yes | Running::Ended => text(StatusCode::OK, "ok\n"),
    }
}

async fn readyz(State(pages): State<Pages>) -> Response {
    match pages.not_ready() {
        Some(why) => text(StatusCode::SERVICE_UNAVAILABLE, format!("{why}\n")),
        None => text(StatusCode::OK, "ready\n"),
    }
}

async fn nothing() -> Response {
    text(StatusCode::NOT_FOUND, "nothing here\n")
}

fn text(status: StatusCode, body: impl Into<axum::body::Body>) -> Response {
    let headers = [(CONTENT_TYPE, TEXT), (CACHE_CONTROL, NOW_ONLY)];
    (status, headers, body.into()).into_response()
}

/// Bounds the time of a request.
async fn in_time(request: Request, next: Next) -> Response {
    let answered = tokio::time::timeout(HTTP_REQUEST_MAX, next.run(request)).await;
    answered.unwrap_or_else(|_| text(StatusCode::SERVICE_UNAVAILABLE, "it took too long\n"))
}

/// Lets requests pass that name a loopback host.
async fn for_this_host(request: Request, next: Next) -> Response {
    const NO_SNIFF: (HeaderName, HeaderValue) =
        (HeaderName::from_static("x-content-type-options"), HeaderValue::from_static("nosniff"));
    let named = request.headers().get(HOST).and_then(|host| host.to_str().ok());
    if !named.is_some_and(is_loopback) {
        let said = "this port answers to loopback hosts only, such as 127.0.0.1 or localhost\n";
        return text(StatusCode::MISDIRECTED_REQUEST, said);
    }
    let mut response = next.run(request).await;
    response.headers_mut().insert(NO_SNIFF.0, NO_SNIFF.1);
    response
}

fn is_loopback(host: &str) -> bool {
    let Ok(authority) = host.parse::<Authority>() else { return false };
    let name = authority.host();
    let address = name.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>();
    name.eq_ignore_ascii_case("localhost") || address.is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_loopback_hosts_are_answered() {
        for host in ["127.0.0.1", "127.0.0.1:7480", "localhost:1", "LOCALHOST", "[::1]:7480"] {
            assert!(is_loopback(host), "{host}");
        }
        for host in
            ["", "example.vn", "127.0.0.1.example.vn", "localhost.example", "10.0.0.1", "[::2]"]
        {
            assert!(!is_loopback(host), "{host}");
        }
    }
}
