//! The first page's figures again and again, as server-sent events: one event a second at most, and
//! only when something has changed. Bounded in number; the page falls back to asking.

use std::convert::Infallible;
use std::time::Duration;

use axum::Extension;
use axum::body::Body;
use axum::extract::State;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::http::{HeaderMap, HeaderValue};
use axum::response::{IntoResponse as _, Response};
use bytes::Bytes;
use futures_util::stream;
use lienthong_model::{Reason, Refusal};

use super::{Declined, overview};
use crate::http::Pages;
use crate::http::visitor::{self, Caller, Visitor};

/// How often a page is told at most.
const EVERY: Duration = Duration::from_secs(1);
/// How often it is told although nothing has changed, so that whoever is gone is noticed.
const AT_LEAST_EVERY: u32 = 2;

/// Streams overviews; each looks again at who asks.
pub(super) async fn live(
    State(pages): State<Pages>,
    Extension(caller): Extension<Caller>,
    mut headers: HeaderMap,
) -> Result<Response, Declined> {
    headers.insert(visitor::BY_ITSELF, HeaderValue::from_static("1"));
    Visitor::of(&pages, &headers, &caller)?;
    let busy = || Refusal::new(Reason::Overloaded).retry_after(Duration::from_secs(5));
    let place = pages.0.live_pages.take().ok_or_else(busy)?;
    let told = Told { pages, caller, headers, last: None, _place: place };
    let events = stream::unfold(told, |mut told| async move {
        let event = told.next().await?;
        Some((Ok::<_, Infallible>(event), told))
    });
    let head = [(CONTENT_TYPE, "text/event-stream"), (CACHE_CONTROL, "no-store")];
    Ok((head, Body::from_stream(events)).into_response())
}

struct Told {
    pages: Pages,
    caller: Caller,
    headers: HeaderMap,
    /// The block and the second that were told last.
    last: Option<u64>,
    _place: tokio::sync::OwnedSemaphorePermit,
}

impl Told {
    /// The next event; none when the visitor may see nothing more, or the hub drains.
    async fn next(&mut self) -> Option<Bytes> {
        let mut stopping = self.pages.0.stopping.clone();
        if self.last.is_some() {
            for _ in 0..AT_LEAST_EVERY {
                tokio::select! {
                    () = tokio::time::sleep(EVERY) => {}
                    _ = stopping.wait_for(|stopping| *stopping) => return None,
                }
                if self.last != Some(self.pages.0.reader.last_block()) {
                    break;
                }
            }
        }
        let visitor = Visitor::of(&self.pages, &self.headers, &self.caller).ok()?;
        self.last = Some(self.pages.0.reader.last_block());
        let overview = overview::of(&self.pages, &visitor.sight).await.ok()?;
        let json = serde_json::to_string(&overview).ok()?;
        Some(Bytes::from(format!("event: overview\ndata: {json}\n\n")))
    }
}
