//! Indicators with their targets: the fields that `lienthong report --output json` has, and what each
//! indicator is called.

use axum::extract::State;
use lienthong_core::Directory;
use lienthong_core::statistics::{
    Area, CENTRE, Holder, IndicatorFigure, PlaceIndicators, Share, TargetProgress,
};
use lienthong_model::{IndicatorUnit, Reason, Refusal, Timestamp};
use serde::{Deserialize, Serialize};

use super::names::{self, Named};
use super::period::{self, Span};
use super::{Answer, Words, reading};
use crate::http::Pages;
use crate::http::asked::Query;
use crate::http::visitor::Visitor;
use crate::indicators::Wanted;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Asked {
    from: Option<String>,
    until: Option<String>,
    /// The code of a province; without it, the country.
    province: Option<String>,
    /// What a page of paper costs, in đồng.
    #[serde(default)]
    page_price: u64,
}

#[derive(Debug, Serialize)]
pub(super) struct Report {
    #[serde(flatten)]
    span: Span,
    province: Option<Named>,
    made_at: String,
    page_price: u64,
    /// The place asked for first, then its levels, or its provinces and the centre, each with the
    /// levels that have targets.
    places: Vec<Place>,
}

#[derive(Debug, Serialize)]
struct Place {
    /// The code of a province, `TW` for the centre; empty for the country.
    code: String,
    name: String,
    level: Option<&'static str>,
    figures: Vec<Figure>,
}

#[derive(Debug, Serialize)]
struct Figure {
    indicator: &'static str,
    name: Words,
    /// per-mille, count or dong.
    unit: &'static str,
    share: Basis,
    before: Basis,
    targets: Vec<Target>,
}

/// What an indicator is reckoned from.
#[derive(Debug, Serialize)]
struct Basis {
    numerator: u64,
    denominator: u64,
    value: Option<i64>,
}

#[derive(Debug, Serialize)]
struct Target {
    /// None of a target that was taken away.
    value: Option<u64>,
    by: String,
    /// met, on-course, late.
    state: &'static str,
    holders: Vec<HeldBack>,
}

#[derive(Debug, Serialize)]
struct HeldBack {
    #[serde(flatten)]
    named: Named,
    share: Basis,
}

/// Answers the indicators of the country or of a province.
pub(super) async fn indicators(
    State(pages): State<Pages>,
    visitor: Visitor,
    Query(asked): Query<Asked>,
) -> Answer<Report> {
    let now = pages.0.clock.now();
    let period = period::Asked::new(asked.from, asked.until).period(now)?;
    let province = asked.province.as_deref().filter(|code| !code.is_empty());
    let province = province.map(|code| names::read_code(code, "province")).transpose()?;
    reading(move || {
        let directory = pages.0.reader.directory();
        let unknown = |code| Refusal::at(Reason::RecipientUnknown, "province", code);
        let found = province.as_ref().map(|code| directory.find(code).ok_or_else(|| unknown(code)));
        let province = found.transpose()?.map(|found| found.ordinal);
        let wanted = Wanted { period, province, page_price: asked.page_price };
        let found = wanted.look(&pages.0.reader, &visitor.sight.0, now)?;
        let named = Names { directory: &directory, now };
        Ok(Report {
            span: Span::of(period),
            province: province.map(|one| Named::of(&directory, one, now)),
            made_at: now.to_string(),
            page_price: wanted.page_price(),
            places: found.iter().map(|place| named.place(place)).collect(),
        })
    })
    .await
}

struct Names<'a> {
    directory: &'a Directory,
    now: Timestamp,
}

impl Names<'_> {
    fn place(&self, place: &PlaceIndicators) -> Place {
        let Named { code, name } = match place.area {
            Area::Country => Named { code: String::new(), name: String::new() },
            Area::Centre => Named { code: CENTRE.to_owned(), name: String::new() },
            Area::Province(province) => Named::of(self.directory, province, self.now),
        };
        let figures = place.figures.iter().map(|figure| self.figure(figure));
        Place {
            code,
            name,
            level: place.level.map(|level| level.name()),
            figures: figures.collect(),
        }
    }

    fn figure(&self, figure: &IndicatorFigure) -> Figure {
        let indicator = figure.indicator;
        let (vi, en) = (indicator.name_vi().to_owned(), indicator.name_en().to_owned());
        Figure {
            indicator: indicator.name(),
            name: Words { vi, en },
            unit: match indicator.unit() {
                IndicatorUnit::PerMille => "per-mille",
                IndicatorUnit::Count => "count",
                IndicatorUnit::Dong => "dong",
            },
            share: figure.share.into(),
            before: figure.before.into(),
            targets: figure.targets.iter().map(|target| self.target(target)).collect(),
        }
    }

    fn target(&self, target: &TargetProgress) -> Target {
        let holder = |one: &Holder| HeldBack {
            named: Named::of(self.directory, one.agency, self.now),
            share: one.share.into(),
        };
        Target {
            value: target.target.value,
            by: target.target.by.to_string(),
            state: target.state.name(),
            holders: target.holders.iter().map(holder).collect(),
        }
    }
}

impl From<Share> for Basis {
    fn from(share: Share) -> Self {
        let Share { numerator, denominator, value } = share;
        Self { numerator, denominator, value }
    }
}
