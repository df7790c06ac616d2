//! One province: its figures, its levels, its agencies that others wait for, its refusals.

use axum::extract::State;
use lienthong_core::engine::EngineError;
use lienthong_core::statistics::{BacklogOrder, Period};
use lienthong_model::{Ordinal, Reason, Refusal};
use serde::Serialize;

use super::period::{Asked, Span};
use super::refusals::Counted;
use super::traffic::{self, PlaceRow};
use super::waiting::{Mailbox, Wanted};
use super::{Answer, names, reading};
use crate::http::Pages;
use crate::http::asked::{Path, Query};
use crate::http::visitor::Visitor;
use crate::sight::Sight;

/// Mailboxes of a province that are listed, the oldest first.
const MAILBOXES_MAX: usize = 20;

#[derive(Debug, Serialize)]
pub(super) struct Province {
    #[serde(flatten)]
    span: Span,
    #[serde(flatten)]
    figures: PlaceRow,
    refusals: Vec<Counted>,
    waiting: Vec<Mailbox>,
}

/// Answers a province, or the part of it that may be seen.
pub(super) async fn province(
    State(pages): State<Pages>,
    visitor: Visitor,
    Path(code): Path<String>,
    Query(asked): Query<Asked>,
) -> Answer<Province> {
    let now = pages.0.clock.now();
    let period = asked.period(now)?;
    let code = names::read_code(&code, "province")?;
    let unknown = || Refusal::at(Reason::RecipientUnknown, "province", &code);
    let directory = pages.0.reader.directory();
    let found = directory.find(&code).ok_or_else(unknown)?.ordinal;
    let sight = visitor.sight.within(found);
    let backlogs = pages.0.survey.backlogs(&pages.0.reader).await?;
    reading(move || {
        let place = Some(found);
        let mut rows = traffic::rows(&pages, &sight, period, &backlogs, now)?;
        rows.retain(|row| row.is_of(&code));
        let unknown = || Refusal::at(Reason::RecipientUnknown, "province", &code);
        let figures = rows.pop().ok_or_else(unknown)?;
        Ok(Province {
            span: Span::of(period),
            figures,
            refusals: refusals(&pages, &sight, period, place)?,
            waiting: Wanted { place, order: BacklogOrder::Oldest, limit: MAILBOXES_MAX }
                .mailboxes(&pages, &sight, &backlogs)?,
        })
    })
    .await
}

fn refusals(
    pages: &Pages,
    sight: &Sight,
    period: Period,
    place: Option<Ordinal>,
) -> Result<Vec<Counted>, EngineError> {
    if !sight.has_province(place) {
        return Ok(Vec::new());
    }
    let found = pages.0.reader.refusals(period)?;
    let here = found.by_province.iter().filter(|((of, _), _)| *of == place);
    Ok(here.map(|((_, reason), count)| Counted::of(*reason, *count)).collect())
}
