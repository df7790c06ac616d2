//! The first page: how much, how fast, what waits, and whether the hub is well.

use axum::extract::State;
use lienthong_core::statistics::Period;
use lienthong_model::{AgencyState, Position, Timestamp};
use serde::Serialize;

use super::traffic::{self, Counts};
use super::{Answer, Declined};
use crate::http::Pages;
use crate::http::visitor::Visitor;
use crate::sight::Sight;
use crate::space::Level;
use axum::Json;

/// Everything on the first page.
#[derive(Debug, Serialize)]
pub(super) struct Overview {
    now: String,
    /// The last block on disk.
    block: u64,
    /// Documents and reports in the log.
    log_size: u64,
    /// Since midnight.
    today: Counts,
    /// The whole day before.
    yesterday: Counts,
    undelivered: Undelivered,
    agencies: Agencies,
    health: Health,
}

/// What lies in mailboxes.
#[derive(Debug, Default, Serialize)]
struct Undelivered {
    documents: u64,
    /// In how many mailboxes.
    agencies: u64,
    /// When the oldest was accepted.
    oldest: Option<String>,
}

#[derive(Debug, Default, Serialize)]
struct Agencies {
    all: u64,
    connected: u64,
    held: u64,
    suspended: u64,
}

#[derive(Debug, Serialize)]
struct Health {
    /// ready, draining, failed, ended.
    state: &'static str,
    /// enough, low, none.
    space: &'static str,
    connections: usize,
    /// Revocation lists that are overdue.
    lists_late: usize,
}

/// Answers the first page.
pub(super) async fn overview(State(pages): State<Pages>, visitor: Visitor) -> Answer<Overview> {
    of(&pages, &visitor.sight).await.map(Json)
}

/// What a sight shows of everything.
pub(super) async fn of(pages: &Pages, sight: &Sight) -> Result<Overview, Declined> {
    let shown = &pages.0;
    let now = shown.clock.now();
    let midnight = now.day().start();
    let before = lienthong_model::Day(now.day().0 - 1).start();
    let today = traffic::counts(pages, sight, Period { from: midnight, until: now })?;
    let is_late = |due: Timestamp| due < now;
    let trust = shown.reader.trust();
    let lists_late = trust.lists().filter(|one| one.next_update.is_some_and(is_late)).count();
    let yesterday = traffic::counts(pages, sight, Period { from: before, until: midnight })?;
    Ok(Overview {
        now: now.to_string(),
        block: shown.reader.last_block(),
        log_size: shown.evidence.newest().size,
        today,
        yesterday,
        undelivered: undelivered(pages, sight, now).await?,
        agencies: agencies(pages, sight, now),
        health: Health {
            state: pages.halted().unwrap_or("ready"),
            space: match shown.space.level() {
                Level::Enough => "enough",
                Level::Low => "low",
                Level::ReadOnly => "none",
            },
            connections: shown.meters.connections.count(),
            lists_late,
        },
    })
}

async fn undelivered(
    pages: &Pages,
    sight: &Sight,
    now: Timestamp,
) -> Result<Undelivered, Declined> {
    let backlogs = pages.0.survey.backlogs(&pages.0.reader).await?;
    let directory = pages.0.reader.directory();
    let mut found = Undelivered::default();
    let mut oldest: Option<Position> = None;
    for backlog in backlogs.iter() {
        if sight.has_ordinal(&directory, backlog.agency, now) {
            found.documents += backlog.waiting;
            found.agencies += 1;
            oldest = Some(oldest.map_or(backlog.oldest, |known| known.min(backlog.oldest)));
        }
    }
    if let Some(position) = oldest {
        let document = pages.0.reader.query().document(position)?;
        found.oldest = document.map(|document| document.received_at.to_string());
    }
    Ok(found)
}

fn agencies(pages: &Pages, sight: &Sight, now: Timestamp) -> Agencies {
    let directory = pages.0.reader.directory();
    let mut found = Agencies::default();
    let seen = directory.agencies().iter().filter(|agency| sight.has(&directory, agency, now));
    for entry in seen.filter_map(|agency| agency.entry_in_force(now)) {
        found.all += 1;
        match entry.state {
            AgencyState::Connected => found.connected += 1,
            AgencyState::Held => found.held += 1,
            AgencyState::Suspended => found.suspended += 1,
        }
    }
    found
}
