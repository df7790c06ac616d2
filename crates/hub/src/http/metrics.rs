//! Counters in the text form of Prometheus (version 0.0.4). Labels are few and bounded.

use std::fmt::Write as _;

use axum::extract::State;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::response::{IntoResponse as _, Response};

use super::{NOW_ONLY, Pages};

const FORM: &str = "text/plain; version=0.0.4; charset=utf-8";

/// Answers `/metrics`.
pub(super) async fn metrics(State(pages): State<Pages>) -> Response {
    ([(CONTENT_TYPE, FORM), (CACHE_CONTROL, NOW_ONLY)], written(&pages)).into_response()
}

fn written(pages: &Pages) -> String {
    let shown = &pages.0;
    let mut page = Page(String::new());
    page.metric("lienthong_info", "gauge", "The version that runs.");
    page.labelled("lienthong_info", "version", env!("CARGO_PKG_VERSION"), 1);
    page.metric("lienthong_ready", "gauge", "Whether the hub takes calls.");
    page.value("lienthong_ready", u64::from(pages.not_ready().is_none()));
    page.metric("lienthong_journal_blocks_total", "counter", "Blocks in the journal.");
    page.value("lienthong_journal_blocks_total", shown.reader.last_block());
    let journalled = shown.meters.journalled();
    let help = "Entries of blocks written since the start.";
    page.metric("lienthong_journal_entries_total", "counter", help);
    page.value("lienthong_journal_entries_total", journalled.entries);
    page.metric("lienthong_journal_bytes_total", "counter", "Bytes of these blocks.");
    page.value("lienthong_journal_bytes_total", journalled.bytes);
    page.metric(
        "lienthong_journal_syncs_total",
        "counter",
        "Syncs of the journal since the start.",
    );
    page.value("lienthong_journal_syncs_total", journalled.syncs);
    page.metric("lienthong_journal_sync_seconds_total", "counter", "How long they took together.");
    page.value("lienthong_journal_sync_seconds_total", format!("{:.6}", journalled.sync_seconds));
    // A page that cannot be read is told by whoever needs it.
    if let Ok(Some(time)) = shown.reader.query().last_block_time() {
        let help = "Business time of the last block, in Unix time.";
        page.metric("lienthong_last_block_timestamp_seconds", "gauge", help);
        let seconds = format!("{:.3}", time.millis() as f64 / 1000.0);
        page.value("lienthong_last_block_timestamp_seconds", seconds);
    }
    page.metric("lienthong_log_leaves_total", "counter", "Leaves of the log.");
    page.value("lienthong_log_leaves_total", shown.evidence.newest().size);
    let meters = &shown.meters;
    page.metric("lienthong_connections", "gauge", "Open connections.");
    page.labelled("lienthong_connections", "port", "grpc", meters.connections.count());
    page.labelled("lienthong_connections", "port", "http", meters.http_connections.taken());
    let help = "Documents and reports taken since the start, and those handed in again.";
    page.metric("lienthong_taken_total", "counter", help);
    for (outcome, count) in meters.outcomes() {
        page.labelled("lienthong_taken_total", "outcome", outcome, count);
    }
    let help = "Documents and reports refused since the start, by code.";
    page.metric("lienthong_refusals_total", "counter", help);
    for (code, count) in meters.refusals() {
        page.labelled("lienthong_refusals_total", "code", code, count);
    }
    page.0
}

/// The text so far. Names, labels and codes are ours and need no escaping.
struct Page(String);

impl Page {
    fn metric(&mut self, name: &str, kind: &str, help: &str) {
        let _ = writeln!(self.0, "# HELP {name} {help}\n# TYPE {name} {kind}");
    }

    fn value(&mut self, name: &str, value: impl std::fmt::Display) {
        let _ = writeln!(self.0, "{name} {value}");
    }

    fn labelled(&mut self, name: &str, label: &str, of: &str, value: impl std::fmt::Display) {
        let _ = writeln!(self.0, "{name}{{{label}=\"{of}\"}} {value}");
    }
}
