//! What is stuck, and why: mailboxes by their oldest document, and what it waits for.

use axum::extract::State;
use lienthong_core::engine::EngineError;
use lienthong_core::statistics::AgencyBacklog;
use lienthong_model::limits::PAGE_SIZE_DEFAULT;
use lienthong_model::{Ordinal, Position};
use serde::Serialize;

use super::documents::DocumentName;
use super::names::Named;
use super::{Answer, Words, reading};
use crate::http::Pages;
use crate::http::visitor::Visitor;
use crate::sight::Sight;

/// A mailbox that is not empty.
#[derive(Debug, Serialize)]
pub(super) struct Mailbox {
    agency: Named,
    /// How many documents wait.
    documents: u64,
    /// The first of them.
    oldest: DocumentName,
    subject: String,
    since: String,
    /// The stable name of the cause.
    cause: Option<&'static str>,
    why: Option<Words>,
    remedy: Option<Words>,
    /// Who has to act.
    actor: Option<Named>,
}

#[derive(Debug, Serialize)]
pub(super) struct Waiting {
    mailboxes: Vec<Mailbox>,
    /// How many mailboxes are not empty.
    total: u64,
}

/// Answers the mailboxes that wait longest.
pub(super) async fn waiting(State(pages): State<Pages>, visitor: Visitor) -> Answer<Waiting> {
    let backlogs = pages.0.survey.backlogs(&pages.0.reader).await?;
    reading(move || {
        let sight = &visitor.sight;
        let (directory, now) = (pages.0.reader.directory(), pages.0.clock.now());
        let seen = backlogs.iter().filter(|one| sight.has_ordinal(&directory, one.agency, now));
        let total = seen.count() as u64;
        let mailboxes = mailboxes(&pages, sight, &backlogs, None, PAGE_SIZE_DEFAULT)?;
        Ok(Waiting { mailboxes, total })
    })
    .await
}

/// The mailboxes that wait longest, of one province or of all that may be seen.
pub(super) fn mailboxes(
    pages: &Pages,
    sight: &Sight,
    backlogs: &[AgencyBacklog],
    place: Option<Ordinal>,
    limit: usize,
) -> Result<Vec<Mailbox>, EngineError> {
    let (directory, now) = (pages.0.reader.directory(), pages.0.clock.now());
    let is_here = |agency: Ordinal| {
        let found = directory.agency(agency);
        found.is_some_and(|found| {
            let here = place.is_none() || directory.place(found, now).province == place;
            here && sight.has(&directory, found, now)
        })
    };
    let mut seen: Vec<&AgencyBacklog> = backlogs.iter().filter(|one| is_here(one.agency)).collect();
    seen.sort_by_key(|one| one.oldest);
    let mut found = Vec::new();
    for backlog in seen.into_iter().take(limit) {
        found.extend(mailbox(pages, backlog, backlog.oldest)?);
    }
    Ok(found)
}

fn mailbox(
    pages: &Pages,
    backlog: &AgencyBacklog,
    oldest: Position,
) -> Result<Option<Mailbox>, EngineError> {
    let (directory, now) = (pages.0.reader.directory(), pages.0.clock.now());
    let query = pages.0.reader.query();
    let Some(document) = query.document(oldest)? else { return Ok(None) };
    let wait = query.wait_of(&directory, oldest, &document, backlog.agency, now)?;
    Ok(Some(Mailbox {
        agency: Named::of(&directory, backlog.agency, now),
        documents: backlog.waiting,
        oldest: DocumentName::of(&directory, &document),
        since: document.received_at.to_string(),
        subject: document.subject,
        cause: wait.as_ref().map(|wait| wait.cause.name()),
        why: wait.as_ref().map(|wait| wait.text().into()),
        remedy: wait.as_ref().map(|wait| wait.remedy().into()),
        actor: wait.and_then(|wait| wait.actor).map(|one| Named::of(&directory, one, now)),
    }))
}
