//! What is stuck, and why: mailboxes by their oldest document or by how many wait, and what the
//! oldest waits for.

use axum::extract::State;
use lienthong_core::engine::EngineError;
use lienthong_core::statistics::{AgencyBacklog, BacklogOrder};
use lienthong_model::limits::PAGE_SIZE_DEFAULT;
use lienthong_model::{Ordinal, Position, Reason, Refusal};
use serde::{Deserialize, Serialize};

use super::documents::DocumentName;
use super::names::{self, Named};
use super::{Answer, Words, reading};
use crate::http::Pages;
use crate::http::asked::Query;
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
    /// How many documents wait in them.
    documents: u64,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Asked {
    /// The code of a province.
    province: Option<String>,
    /// oldest: those whose first waits longest; most: those with the most.
    order: Option<String>,
}

/// Which mailboxes are wanted.
pub(super) struct Wanted {
    /// Of one province; of all that may be seen.
    pub place: Option<Ordinal>,
    pub order: BacklogOrder,
    pub limit: usize,
}

/// Answers the mailboxes that wait longest, or those with the most.
pub(super) async fn waiting(
    State(pages): State<Pages>,
    visitor: Visitor,
    Query(asked): Query<Asked>,
) -> Answer<Waiting> {
    let order = match asked.order.as_deref() {
        None | Some("" | "oldest") => BacklogOrder::Oldest,
        Some("most") => BacklogOrder::Most,
        Some(other) => {
            let why = format!("`{other}` is not one of oldest, most");
            return Err(Refusal::at(Reason::FieldInvalid, "order", why).into());
        }
    };
    let province = asked.province.as_deref().filter(|code| !code.is_empty());
    let province = province.map(|code| names::read_code(code, "province")).transpose()?;
    let backlogs = pages.0.survey.backlogs(&pages.0.reader).await?;
    reading(move || {
        let directory = pages.0.reader.directory();
        let unknown = |code| Refusal::at(Reason::RecipientUnknown, "province", code);
        let place = province.as_ref().map(|code| directory.find(code).ok_or_else(|| unknown(code)));
        let place = place.transpose()?.map(|found| found.ordinal);
        let wanted = Wanted { place, order, limit: PAGE_SIZE_DEFAULT };
        let seen = wanted.seen(&pages, &visitor.sight, &backlogs);
        let documents = seen.iter().map(|one| one.waiting).sum();
        let mailboxes = wanted.mailboxes(&pages, &visitor.sight, &backlogs)?;
        Ok(Waiting { mailboxes, total: seen.len() as u64, documents })
    })
    .await
}

impl Wanted {
    /// The mailboxes that are wanted and may be seen, the first ones.
    pub fn mailboxes(
        &self,
        pages: &Pages,
        sight: &Sight,
        backlogs: &[AgencyBacklog],
    ) -> Result<Vec<Mailbox>, EngineError> {
        let mut seen = self.seen(pages, sight, backlogs);
        seen.sort_by_key(|one| match self.order {
            BacklogOrder::Most => (u64::MAX - one.waiting, one.oldest),
            BacklogOrder::Oldest => (one.oldest.0, one.oldest),
        });
        let mut found = Vec::new();
        for backlog in seen.into_iter().take(self.limit) {
            found.extend(mailbox(pages, backlog, backlog.oldest)?);
        }
        Ok(found)
    }

    fn seen<'b>(
        &self,
        pages: &Pages,
        sight: &Sight,
        backlogs: &'b [AgencyBacklog],
    ) -> Vec<&'b AgencyBacklog> {
        let (directory, now) = (pages.0.reader.directory(), pages.0.clock.now());
        let is_here = |one: &&AgencyBacklog| {
            let found = directory.agency(one.agency);
            found.is_some_and(|found| {
                let here =
                    self.place.is_none() || directory.place(found, now).province == self.place;
                here && sight.has(&directory, found, now)
            })
        };
        backlogs.iter().filter(is_here).collect()
    }
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
