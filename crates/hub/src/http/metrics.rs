//! Counters in the text form of Prometheus (version 0.0.4). Units are base units; labels are few and
//! bounded: province, level, reason, outcome, authority.

mod page;
mod surveyed;

use axum::Extension;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::response::{IntoResponse as _, Response};
use lienthong_model::limits::PROPOSALS_WAITING_MAX;
use lienthong_model::{Reason, Refusal};

use self::page::Page;
use super::api::Declined;
use super::visitor::{Caller, Visitor};
use super::{NOW_ONLY, Pages};
use crate::space::Level;

const FORM: &str = "text/plain; version=0.0.4; charset=utf-8";

/// Answers `/metrics`.
pub(super) async fn metrics(
    State(pages): State<Pages>,
    Extension(caller): Extension<Caller>,
    headers: HeaderMap,
) -> Result<Response, Declined> {
    if !caller.address.ip().is_loopback() {
        let visitor = Visitor::of(&pages, &headers, &caller)?;
        if !visitor.sight.is_country() {
            let value = "operators of the whole country only";
            return Err(Refusal::at(Reason::CallerNotEntitled, "territory", value).into());
        }
    }
    let mut page = Page::default();
    state(&pages, &mut page);
    work(&pages, &mut page);
    surveyed::write(&pages, &mut page).await?;
    Ok(([(CONTENT_TYPE, FORM), (CACHE_CONTROL, NOW_ONLY)], page.text()).into_response())
}

/// How the hub is.
fn state(pages: &Pages, page: &mut Page) {
    let shown = &pages.0;
    page.gauge("lienthong_info", "The version that runs.");
    page.labelled("lienthong_info", &[("version", env!("CARGO_PKG_VERSION"))], 1);
    page.gauge("lienthong_ready", "Whether the hub takes calls.");
    page.value("lienthong_ready", u64::from(pages.not_ready().is_none()));
    page.gauge("lienthong_business_time_seconds", "Business time, in Unix time.");
    page.seconds("lienthong_business_time_seconds", &[], shown.clock.now());
    page.counter("lienthong_journal_blocks_total", "Blocks in the journal.");
    page.value("lienthong_journal_blocks_total", shown.reader.last_block());
    journal(pages, page);
    // A page that cannot be read is told by whoever needs it.
    if let Ok(Some(time)) = shown.reader.query().last_block_time() {
        let name = "lienthong_last_block_timestamp_seconds";
        page.gauge(name, "Business time of the last block, in Unix time.");
        page.seconds(name, &[], time);
    }
    page.counter("lienthong_log_leaves_total", "Leaves of the log.");
    page.value("lienthong_log_leaves_total", shown.evidence.newest().size);
    page.gauge("lienthong_disk_level", "Disk space: 0 enough, 1 low, 2 read only.");
    let level = match shown.space.level() {
        Level::Enough => 0,
        Level::Low => 1,
        Level::ReadOnly => 2,
    };
    page.value("lienthong_disk_level", level);
}

/// What the journal took since the hub started.
fn journal(pages: &Pages, page: &mut Page) {
    let journalled = pages.0.meters.journalled();
    let name = "lienthong_journal_entries_total";
    page.counter(name, "Entries of blocks written since the start.");
    page.value(name, journalled.entries);
    let name = "lienthong_journal_bytes_total";
    page.counter(name, "Bytes of these blocks.");
    page.value(name, journalled.bytes);
    let name = "lienthong_journal_syncs_total";
    page.counter(name, "Syncs of the journal since the start.");
    page.value(name, journalled.syncs);
    let name = "lienthong_journal_sync_seconds_total";
    page.counter(name, "How long they took together.");
    page.value(name, format!("{:.6}", journalled.sync_seconds));
}

/// What the hub has done since it started, and what it is at.
fn work(pages: &Pages, page: &mut Page) {
    let meters = &pages.0.meters;
    page.gauge("lienthong_connections", "Open connections.");
    for (port, count) in
        [("grpc", meters.connections.count()), ("http", meters.http_connections.taken())]
    {
        page.labelled("lienthong_connections", &[("port", port)], count);
    }
    page.gauge("lienthong_live_pages", "Operators' pages that are kept up to date.");
    page.value("lienthong_live_pages", pages.0.live_pages.taken());
    let name = "lienthong_proposals_waiting";
    page.gauge(name, "Proposals that wait for the sequencer.");
    page.value(name, pages.0.administration.sequencer.waiting());
    let name = "lienthong_proposals_waiting_max";
    page.gauge(name, "How many may wait.");
    page.value(name, PROPOSALS_WAITING_MAX);
    let name = "lienthong_taken_total";
    page.counter(name, "Documents and reports taken since the start, and those handed in again.");
    for (outcome, count) in meters.outcomes() {
        page.labelled(name, &[("outcome", outcome)], count);
    }
    let name = "lienthong_refusals_total";
    page.counter(name, "Documents and reports refused since the start, by code.");
    for (code, count) in meters.refusals() {
        page.labelled(name, &[("code", code)], count);
    }
    let help = "From taking a document or report in until its decision is on disk.";
    page.histogram("lienthong_submit_to_durable_seconds", help, &meters.submit_to_durable);
    let help = "Checking the digests, certificates and signatures of a document or report.";
    page.histogram("lienthong_verification_seconds", help, &meters.verification);
}
