//! Indicators of places with their targets, and examples of refusals.

use lienthong_model::{AgencyCode, Indicator, Level, MessageId, Target, Timestamp};
use lienthong_wire::{administration, moment, proto};

use crate::client::Client;
use crate::error::CallError;
use crate::read;
use crate::statistics::Period;

/// Indicators of a place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlaceIndicators {
    /// The code of a province, `TW` for the centre; empty for the country.
    pub code: String,
    /// The province's name.
    pub name: String,
    /// Only agencies of a level; `None`: all.
    pub level: Option<Level>,
    /// Every indicator that this version knows.
    pub figures: Vec<IndicatorFigure>,
}

/// An indicator's figure.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IndicatorFigure {
    /// The indicator.
    pub indicator: Indicator,
    /// In this period.
    pub share: Share,
    /// In the period before.
    pub before: Share,
    /// Its targets, by day.
    pub targets: Vec<TargetProgress>,
}

/// What an indicator is reckoned from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Share {
    /// What counts.
    pub numerator: u64,
    /// Of how many.
    pub denominator: u64,
    /// The indicator in its unit; `None` without a basis.
    pub value: Option<i64>,
}

/// How far a target is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TargetProgress {
    /// The target.
    pub target: Target,
    /// `met`, `on-course` or `late`.
    pub state: &'static str,
    /// Who holds it back, the one that costs most first.
    pub holders: Vec<TargetHolder>,
}

/// Who holds a target back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TargetHolder {
    /// Its code.
    pub code: String,
    /// Its name.
    pub name: String,
    /// Its own share.
    pub share: Share,
}

/// A refusal, as an example.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RefusalExample {
    /// Who was refused.
    pub caller: String,
    /// The id that was claimed.
    pub id: MessageId,
    /// When.
    pub at: Timestamp,
    /// The code of the reason.
    pub reason: String,
    /// The field of the first thing that was wrong; empty when none is named.
    pub field: String,
    /// What stood there.
    pub value: String,
}

impl Client {
    /// Returns the indicators of a province and its levels, or of the country and its provinces.
    /// `page_price` is what a page of paper costs in đồng; 0: 500.
    ///
    /// # Errors
    /// [`CallError`] as for every call.
    pub async fn indicators(
        &self,
        period: Period,
        province: Option<&AgencyCode>,
        page_price: u64,
    ) -> Result<Vec<PlaceIndicators>, CallError> {
        let request = proto::GetIndicatorsRequest {
            from: period.from.map(moment::to_proto),
            to: period.to.map(moment::to_proto),
            province: province.map(ToString::to_string).unwrap_or_default(),
            page_price,
        };
        let call = || {
            let (mut statistics, request) = (self.shared.statistics(), request.clone());
            async move { Ok(statistics.get_indicators(request).await?.into_inner()) }
        };
        let answer = self.shared.call(call).await?;
        answer.places.into_iter().map(place).collect()
    }

    /// Returns the last refusals with a reason, or any, the newest first; `province` may be `TW` or
    /// empty.
    ///
    /// # Errors
    /// [`CallError`] as for every call.
    pub async fn refusal_examples(
        &self,
        reason: &str,
        province: &str,
        limit: u16,
    ) -> Result<Vec<RefusalExample>, CallError> {
        let request = proto::ListRefusalExamplesRequest {
            reason: reason.to_owned(),
            province: province.to_owned(),
            limit: i32::from(limit),
        };
        let call = || {
            let (mut statistics, request) = (self.shared.statistics(), request.clone());
            async move { Ok(statistics.list_refusal_examples(request).await?.into_inner()) }
        };
        let answer = self.shared.call(call).await?;
        let read = |one: proto::RefusalExample| {
            Ok(RefusalExample {
                caller: one.caller,
                id: read::id("examples.id", &one.id)?,
                at: read::moment("examples.at", one.at.as_ref())?,
                reason: one.reason,
                field: one.field,
                value: one.value,
            })
        };
        answer.examples.into_iter().map(read).collect()
    }
}

fn place(place: proto::PlaceIndicators) -> Result<PlaceIndicators, CallError> {
    let level = match place.level {
        0 => None,
        number => Some(read::level("places.level", number)?),
    };
    let mut figures = Vec::new();
    for figure in place.figures {
        let known = u8::try_from(figure.indicator).ok().and_then(Indicator::from_number);
        let Some(indicator) = known else { continue };
        let targets = figure.targets.into_iter().map(progress);
        figures.push(IndicatorFigure {
            indicator,
            share: share(figure.share),
            before: share(figure.before),
            targets: targets.collect::<Result<_, _>>()?,
        });
    }
    Ok(PlaceIndicators { code: place.code, name: place.name, level, figures })
}

fn progress(progress: proto::TargetProgress) -> Result<TargetProgress, CallError> {
    let state = match progress.state() {
        proto::TargetState::Met => "met",
        proto::TargetState::OnCourse => "on-course",
        proto::TargetState::Late => "late",
        proto::TargetState::Unspecified => {
            return Err(CallError::answer("targets.state", progress.state));
        }
    };
    let target = read::present("targets.target", progress.target)?;
    let target = administration::target_from_proto(&target)
        .map_err(|why| CallError::answer("targets.target", why))?;
    let holders = progress.holders.into_iter().map(|holder| TargetHolder {
        code: holder.code,
        name: holder.name,
        share: share(holder.share),
    });
    Ok(TargetProgress { target, state, holders: holders.collect() })
}

fn share(share: Option<proto::Share>) -> Share {
    let proto::Share { numerator, denominator, value } = share.unwrap_or_default();
    Share { numerator, denominator, value }
}
