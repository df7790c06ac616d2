//! A report as it is shown, whatever it comes from, and its table.

use lienthong_client as client;
use lienthong_core::Directory;
use lienthong_core::statistics::{self, Area, CENTRE, Holder, PlaceIndicators, TargetProgress};
use lienthong_model::{AgencyCode, Indicator, IndicatorUnit, Timestamp};
use serde::Serialize;

use crate::output::{self, thousands};
use crate::tables::short_name;

/// A report.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(super) struct ReportView {
    /// The province; none for the country.
    pub province: Option<String>,
    /// The first moment of the period.
    pub from: String,
    /// The first moment after it.
    pub until: String,
    /// As of when, in business time.
    pub made_at: String,
    /// What a page of paper is reckoned at, in đồng.
    pub page_price: u64,
    /// The place asked for first, then its levels, or its provinces and the centre, each with the
    /// levels that have targets.
    pub places: Vec<PlaceView>,
}

/// A place.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(super) struct PlaceView {
    /// The code of a province, `TW` for the centre; empty for the country.
    pub code: String,
    /// Its name.
    pub name: String,
    /// Only agencies of a level.
    pub level: Option<&'static str>,
    /// What the level is called in Vietnamese.
    #[serde(skip)]
    pub level_vi: Option<&'static str>,
    /// Every indicator.
    pub figures: Vec<FigureView>,
}

/// An indicator.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(super) struct FigureView {
    /// Which; as JSON by its name.
    #[serde(serialize_with = "indicator_name")]
    pub indicator: Indicator,
    /// In this period.
    pub share: ShareView,
    /// In the period before.
    pub before: ShareView,
    /// Its targets.
    pub targets: Vec<TargetView>,
}

/// What an indicator is reckoned from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub(super) struct ShareView {
    /// What counts.
    pub numerator: u64,
    /// Of how many.
    pub denominator: u64,
    /// Tenths of a per cent, levels, or đồng; none without a basis.
    pub value: Option<i64>,
}

/// A target.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(super) struct TargetView {
    /// At least this.
    pub value: Option<u64>,
    /// By when.
    pub by: String,
    /// `met`, `on-course`, `late`.
    pub state: &'static str,
    /// Who holds it back.
    pub holders: Vec<HolderView>,
}

/// Who holds a target back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(super) struct HolderView {
    /// Its code.
    pub code: String,
    /// Its name.
    pub name: String,
    /// Its own share.
    pub share: ShareView,
}

fn indicator_name<S: serde::Serializer>(one: &Indicator, to: S) -> Result<S::Ok, S::Error> {
    to.serialize_str(one.name())
}

impl ReportView {
    /// Makes a report of places.
    pub(super) fn new(
        province: Option<&AgencyCode>,
        (from, until): (Timestamp, Timestamp),
        made_at: Timestamp,
        page_price: u64,
        places: Vec<PlaceView>,
    ) -> Self {
        Self {
            province: province.map(ToString::to_string),
            from: from.to_string(),
            until: until.to_string(),
            made_at: made_at.to_string(),
            page_price,
            places,
        }
    }
}

impl PlaceView {
    /// What the place is called, Vietnamese and English.
    pub(super) fn title(&self) -> [String; 2] {
        let (vi, en) = match self.code.as_str() {
            "" => ("Cả nước".to_owned(), "The country".to_owned()),
            CENTRE => ("Trung ương".to_owned(), "The centre".to_owned()),
            _ => (short_name(&self.name), short_name(&self.name)),
        };
        match (self.level_vi, self.level) {
            (Some(level_vi), Some(level)) => {
                [format!("{vi}, cấp {level_vi}"), format!("{en}, {level} level")]
            }
            _ => [vi, en],
        }
    }

    /// Makes it of what the hub's own reader returns.
    pub(super) fn of_core(place: &PlaceIndicators, directory: &Directory, at: Timestamp) -> Self {
        let named = |agency| {
            let known = directory.agency(agency);
            let name = known.map(|agency| agency.entry(at).name.clone()).unwrap_or_default();
            (directory.code(agency, at), name)
        };
        let (code, name) = match place.area {
            Area::Country => (String::new(), String::new()),
            Area::Centre => (CENTRE.to_owned(), String::new()),
            Area::Province(province) => named(province),
        };
        let holder = |one: &Holder| {
            let (code, name) = named(one.agency);
            HolderView { code, name, share: share(one.share) }
        };
        let target = |one: &TargetProgress| TargetView {
            value: one.target.value,
            by: one.target.by.to_string(),
            state: one.state.name(),
            holders: one.holders.iter().map(holder).collect(),
        };
        let figures = place.figures.iter().map(|figure| FigureView {
            indicator: figure.indicator,
            share: share(figure.share),
            before: share(figure.before),
            targets: figure.targets.iter().map(target).collect(),
        });
        Self {
            code,
            name,
            level: place.level.map(|level| level.name()),
            level_vi: place.level.map(|level| level.name_vi()),
            figures: figures.collect(),
        }
    }
}

impl From<client::PlaceIndicators> for PlaceView {
    fn from(place: client::PlaceIndicators) -> Self {
        let share = |share: client::Share| {
            let client::Share { numerator, denominator, value } = share;
            ShareView { numerator, denominator, value }
        };
        let holder = |one: client::TargetHolder| HolderView {
            code: one.code,
            name: one.name,
            share: share(one.share),
        };
        let target = |one: client::TargetProgress| TargetView {
            value: one.target.value,
            by: one.target.by.to_string(),
            state: one.state,
            holders: one.holders.into_iter().map(holder).collect(),
        };
        let figures = place.figures.into_iter().map(|figure| FigureView {
            indicator: figure.indicator,
            share: share(figure.share),
            before: share(figure.before),
            targets: figure.targets.into_iter().map(target).collect(),
        });
        Self {
            code: place.code,
            name: place.name,
            level: place.level.map(|level| level.name()),
            level_vi: place.level.map(|level| level.name_vi()),
            figures: figures.collect(),
        }
    }
}

fn share(share: statistics::Share) -> ShareView {
    let statistics::Share { numerator, denominator, value } = share;
    ShareView { numerator, denominator, value }
}

/// An indicator's value in its unit.
pub(super) fn shown(indicator: Indicator, value: Option<i64>) -> String {
    let Some(value) = value else { return "–".to_owned() };
    let sign = if value < 0 { "-" } else { "" };
    let size = value.unsigned_abs();
    match indicator.unit() {
        IndicatorUnit::PerMille => format!("{sign}{}.{} %", size / 10, size % 10),
        IndicatorUnit::Count => thousands(size),
        IndicatorUnit::Dong => format!("{sign}{} đ", thousands(size)),
    }
}

/// What stands beside the value: how many of how many.
pub(super) fn of_how_many(indicator: Indicator, share: ShareView) -> String {
    match indicator {
        Indicator::PaperSaved => format!("{} trang / pages", thousands(share.numerator)),
        _ => format!("{} / {}", thousands(share.numerator), thousands(share.denominator)),
    }
}

/// A state for people, Vietnamese and English.
pub(super) fn state_text(state: &str) -> [&'static str; 2] {
    match state {
        "met" => ["đạt", "met"],
        "on-course" => ["đúng tiến độ", "on course"],
        _ => ["chậm", "late"],
    }
}

/// A report line by line: an indicator and target of a place each.
pub(super) struct Lines(pub Vec<Line>);

/// One line.
#[derive(Debug, Serialize)]
pub(super) struct Line {
    place: String,
    name: String,
    level: Option<&'static str>,
    indicator: &'static str,
    indicator_vi: &'static str,
    indicator_en: &'static str,
    /// Of value, before and target: tenths of a per cent, a number, đồng.
    unit: &'static str,
    numerator: u64,
    denominator: u64,
    value: Option<i64>,
    before: Option<i64>,
    target: Option<u64>,
    by: Option<String>,
    state: Option<&'static str>,
    held_back_by: Vec<String>,
    #[serde(skip)]
    shown: [String; 5],
}

impl Lines {
    /// Puts every indicator of every place on a line, and one for each further target.
    pub(super) fn of(report: &ReportView) -> Self {
        let mut lines = Vec::new();
        for place in &report.places {
            for figure in &place.figures {
                let targets: Vec<Option<&TargetView>> = match figure.targets.is_empty() {
                    true => vec![None],
                    false => figure.targets.iter().map(Some).collect(),
                };
                lines.extend(targets.into_iter().map(|target| Line::of(place, figure, target)));
            }
        }
        Self(lines)
    }

    /// Writes the lines as a table.
    pub(super) fn table(&self) -> String {
        let mut table = output::table([
            "Nơi\nplace",
            "Chỉ tiêu\nindicator",
            "Kỳ này\nnow",
            "Kỳ trước\nbefore",
            "Mục tiêu\ntarget",
            "Tình trạng\nstate",
            "Còn chậm\nheld back by",
        ]);
        output::right(&mut table, 2..5);
        output::narrow(&mut table);
        let mut last = "";
        for line in &self.0 {
            let [place, now, before, target, state] = &line.shown;
            let first = if place == last { String::new() } else { place.clone() };
            last = place;
            table.add_row([
                first,
                format!("{}\n{}", line.indicator_vi, line.indicator_en),
                now.clone(),
                before.clone(),
                target.clone(),
                state.clone(),
                line.held_back_by.join("\n"),
            ]);
        }
        output::text_of(&table)
    }
}

impl Line {
    fn of(place: &PlaceView, figure: &FigureView, target: Option<&TargetView>) -> Self {
        let indicator = figure.indicator;
        let [title, _] = place.title();
        let wanted = target.map(|target| {
            let value = target.value.and_then(|value| i64::try_from(value).ok());
            format!("{}\n{}", shown(indicator, value), target.by)
        });
        let holder =
            |one: &HolderView| format!("{} {}", one.code, shown(indicator, one.share.value));
        Self {
            place: place.code.clone(),
            name: place.name.clone(),
            level: place.level,
            indicator: indicator.name(),
            indicator_vi: indicator.name_vi(),
            indicator_en: indicator.name_en(),
            unit: match indicator.unit() {
                IndicatorUnit::PerMille => "per-mille",
                IndicatorUnit::Count => "count",
                IndicatorUnit::Dong => "dong",
            },
            numerator: figure.share.numerator,
            denominator: figure.share.denominator,
            value: figure.share.value,
            before: figure.before.value,
            target: target.and_then(|target| target.value),
            by: target.map(|target| target.by.clone()),
            state: target.map(|target| target.state),
            held_back_by: target
                .map_or_else(Vec::new, |target| target.holders.iter().map(holder).collect()),
            shown: [
                title,
                shown(indicator, figure.share.value),
                shown(indicator, figure.before.value),
                wanted.unwrap_or_default(),
                target.map_or_else(String::new, |target| state_text(target.state).join("\n")),
            ],
        }
    }
}
