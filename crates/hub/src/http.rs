//! The HTTP port: the operators' pages and their JSON API, the log in the form of
//! c2sp.org/tlog-tiles, the hub's health, its counters.
//!
//! | path | is | open to |
//! |---|---|---|
//! | `/`, `/assets/…` | the pages, without anything in them | whoever reaches the port |
//! | `/api/v1/…` | what they show | who has signed in; without accounts this machine |
//! | `/checkpoint`, `/tile/…` | the log, public by design | whoever reaches the port |
//! | `/healthz`, `/readyz` | whether the hub lives; whether it takes calls | whoever reaches the port |
//! | `/metrics` | counters, for Prometheus | this machine; elsewhere operators of the country |
//!
//! On loopback it speaks HTTP, and pages of the web that a browser on this machine shows could reach
//! it under a name of their own: so a request must name a loopback host. Elsewhere it speaks TLS and
//! needs accounts.

mod api;
mod asked;
mod attempts;
mod connections;
mod door;
mod headers;
mod metrics;
mod sessions;
mod tile_path;
mod tiles;
mod visitor;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

use axum::Router;
use axum::extract::{Path, Request, State};
use axum::http::StatusCode;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use lienthong_model::limits::{HTTP_BLOCK_READS_MAX, HTTP_REQUEST_MAX, LIVE_PAGES_MAX};
use lienthong_model::{Reason, Refusal};
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinHandle;

pub(crate) use self::door::HttpDoor;
use crate::accounts::Accounts;
use crate::administration::Administration;
use crate::clock::BusinessClock;
use crate::evidence::Evidence;
use crate::meters::Meters;
use crate::places::Places;
use crate::reader::Reader;
use crate::sequencer::Running;
use crate::space::{Level, Space};
use crate::survey::Survey;

const TEXT: &str = "text/plain; charset=utf-8";
/// For what may be another moment later.
const NOW_ONLY: &str = "no-cache";
const FOR_EVER: &str = "public, max-age=31536000, immutable";

/// What the pages show.
#[derive(Clone)]
pub(crate) struct Pages(Arc<Shown>);

/// What is shown.
pub(crate) struct Sources {
    pub reader: Reader,
    pub evidence: Arc<Evidence>,
    pub meters: Arc<Meters>,
    pub running: watch::Receiver<Running>,
    pub stopping: watch::Receiver<bool>,
    pub clock: BusinessClock,
    pub space: Space,
    pub accounts: Arc<Accounts>,
    pub administration: Administration,
    /// The data folder.
    pub folder: PathBuf,
}

struct Shown {
    sources: Sources,
    sessions: sessions::Sessions,
    attempts: attempts::Attempts,
    survey: Survey,
    /// Places for requests that read blocks of the journal.
    block_reads: Arc<Semaphore>,
    /// Places for pages that are kept up to date.
    live_pages: Places,
}

impl std::ops::Deref for Shown {
    type Target = Sources;

    fn deref(&self) -> &Sources {
        &self.sources
    }
}

/// The running port.
pub(crate) struct Http {
    pub address: SocketAddr,
    pub is_tls: bool,
    stop: watch::Sender<bool>,
    serving: JoinHandle<()>,
    /// The first look at what takes long.
    looking: JoinHandle<()>,
}

impl Pages {
    pub fn new(sources: Sources) -> Self {
        Self(Arc::new(Shown {
            sources,
            sessions: sessions::Sessions::default(),
            attempts: attempts::Attempts::default(),
            survey: Survey::default(),
            block_reads: Arc::new(Semaphore::new(HTTP_BLOCK_READS_MAX)),
            live_pages: Places::new(LIVE_PAGES_MAX),
        }))
    }

    fn router(self) -> Router {
        let api = api::router(self.clone()).layer(middleware::map_response(api::not_kept));
        Router::new()
            .route("/", get(async || page("index.html")))
            .route("/assets/{*path}", get(asset))
            .nest("/api/v1", api)
            .route("/checkpoint", get(checkpoint))
            .route("/tile/{*path}", get(tiles::tile))
            .route("/healthz", get(healthz))
            .route("/readyz", get(readyz))
            .route("/metrics", get(metrics::metrics))
            .fallback(nothing)
            .layer(middleware::from_fn(in_time))
            .layer(middleware::from_fn(headers::secured))
            .with_state(self)
    }

    /// Looks through a country's certificates once, so that whoever asks first does not wait for it.
    async fn look_ahead(self) {
        // Whoever asks is told of a failure.
        let _ = self.0.survey.certificates(&self.0.reader, &self.0.meters.connections).await;
    }

    /// What keeps the hub from taking calls.
    fn not_ready(&self) -> Option<&'static str> {
        let is_read_only = self.0.space.level() == Level::ReadOnly;
        self.halted().or(is_read_only.then_some("read only"))
    }

    /// Why the hub does not run, or not for long any more.
    fn halted(&self) -> Option<&'static str> {
        match &*self.0.running.borrow() {
            Running::Failed(_) => Some("failed"),
            Running::Ended => Some("ended"),
            Running::Yes if *self.0.stopping.borrow() => Some("draining"),
            Running::Yes => None,
        }
    }

    /// Who carries changes out; a hub that drains takes none.
    fn administration(&self) -> Result<&Administration, Refusal> {
        match *self.0.stopping.borrow() {
            true => Err(Refusal::new(Reason::Draining)),
            false => Ok(&self.0.administration),
        }
    }
}

impl Http {
    /// Serves pages behind a door until [`Http::stop`].
    pub fn serve(door: HttpDoor, pages: Pages) -> std::io::Result<Self> {
        let (address, is_tls) = (door.socket.local_addr()?, door.tls.is_some());
        let (stop, stopping) = watch::channel(false);
        let places = pages.0.meters.http_connections.clone();
        let looking = tokio::spawn(pages.clone().look_ahead());
        let serving = connections::serve(door, pages.router(), places, stopping);
        Ok(Self { address, is_tls, stop, serving: tokio::spawn(serving), looking })
    }

    /// Ends it; requests under way are answered.
    pub async fn stop(self) {
        self.stop.send_replace(true);
        // They bound their own ends.
        let _ = self.serving.await;
        let _ = self.looking.await;
    }
}

/// A file of the pages.
async fn asset(Path(path): Path<String>) -> Response {
    page(&path)
}

fn page(path: &str) -> Response {
    let Some(file) = lienthong_console::file(path) else {
        return text(StatusCode::NOT_FOUND, "nothing here\n");
    };
    ([(CONTENT_TYPE, file.media_type), (CACHE_CONTROL, NOW_ONLY)], file.bytes).into_response()
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
