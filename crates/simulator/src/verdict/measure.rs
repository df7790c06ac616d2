//! What is measured, from statistics, records or answers.
//!
//! What is asked of the records is gathered while they are walked ([`gather`]); what the statistics
//! say is asked in the end ([`statistics`]).

mod gather;
mod records;
mod scope;
mod statistics;
mod target;

use lienthong_core::DocumentView;
use lienthong_model::Indicator;

use super::NAMED_MAX;
use super::records::Records;
use crate::scenario::{Days, Expect, Measure, Scenario, Standing};
use crate::world::AccountError;
use gather::Gathered;
use scope::Scope;

/// A value, what it was reckoned from, and documents that count against it.
pub(super) struct Measured {
    pub value: f64,
    of: Option<(u64, u64)>,
    pub documents: Vec<String>,
}

impl Measured {
    fn count(count: u64) -> Self {
        Self { value: number(count), of: None, documents: Vec::new() }
    }

    /// A share; nothing to share is no number, which keeps no bound.
    fn share(part: u64, whole: u64) -> Self {
        let value = if whole == 0 { f64::NAN } else { number(part) / number(whole) };
        Self { value, of: Some((part, whole)), documents: Vec::new() }
    }

    /// Nothing to measure.
    fn none() -> Self {
        Self { value: f64::NAN, of: None, documents: Vec::new() }
    }

    fn with(self, documents: Vec<String>) -> Self {
        Self { documents, ..self }
    }

    pub fn shown(&self) -> String {
        match self.of {
            Some((part, whole)) if self.value.is_nan() => {
                format!("không có cơ sở / no basis ({part} / {whole})")
            }
            Some((part, whole)) => format!("{:.4} ({part} / {whole})", self.value),
            None if self.value.is_nan() => "không có cơ sở / no basis".to_owned(),
            None if self.value.fract() == 0.0 => self.value.to_string(),
            None => format!("{:.3}", self.value),
        }
    }
}

/// How many, and the first of them by name.
#[derive(Default)]
pub(super) struct Found {
    pub count: u64,
    pub named: Vec<String>,
}

impl Found {
    /// Counts one; it is named while there is room.
    pub fn add(&mut self, name: impl FnOnce() -> String) {
        self.count += 1;
        if self.named.len() < NAMED_MAX {
            self.named.push(name());
        }
    }
}

#[allow(clippy::cast_precision_loss)] // Counts of at most some thousand million.
fn number(count: u64) -> f64 {
    count as f64
}

/// An expectation while the records are walked.
pub(super) struct Watched<'e> {
    pub expect: &'e Expect,
    days: Days,
    whole: Watch,
    /// Both halves of its days, where it has a target to come to.
    halves: Option<(Watch, Watch)>,
}

impl<'e> Watched<'e> {
    pub fn new(expect: &'e Expect, scenario: &Scenario, records: &Records<'_>) -> Self {
        let days = expect.days.unwrap_or(scenario.days);
        let watch = |days| Watch::new(Expect { days, ..expect.clone() }, records);
        let (first, second) = target::halves(days);
        let halves = expect.target.map(|_| (watch(Some(first)), watch(Some(second))));
        Self { expect, days, whole: watch(expect.days), halves }
    }

    /// Looks at the next document.
    pub fn see(&mut self, view: &DocumentView, records: &Records<'_>) {
        self.whole.see(view, records);
        if let Some((first, second)) = &mut self.halves {
            first.see(view, records);
            second.see(view, records);
        }
    }

    /// Returns what was measured, and how it stands to its target where it has one and there is a
    /// basis.
    pub fn finish(
        self,
        records: &Records<'_>,
    ) -> Result<(Measured, Option<Standing>), AccountError> {
        let measured = self.whole.finish(records)?;
        let (Some(target), Some((first, second))) = (self.expect.target, self.halves) else {
            return Ok((measured, None));
        };
        let halves = (first.finish(records)?.value, second.finish(records)?.value);
        let standing = target::standing(target, measured.value, halves, self.days);
        Ok((measured, standing))
    }
}

/// One measure over some days.
struct Watch {
    expect: Expect,
    scope: Scope,
    gathered: Gathered,
}

impl Watch {
    fn new(expect: Expect, records: &Records<'_>) -> Self {
        let scope = Scope::of(&expect, records);
        Self { gathered: Gathered::of(&expect, records), scope, expect }
    }

    fn see(&mut self, view: &DocumentView, records: &Records<'_>) {
        self.gathered.see(&self.scope, view, records);
    }

    fn finish(self, records: &Records<'_>) -> Result<Measured, AccountError> {
        let Self { expect, scope, gathered } = self;
        let told = records.hub.told();
        let indicator = |one| statistics::indicator(one, &scope, records);
        Ok(match expect.measure {
            Measure::Sent => statistics::sent(&scope, records)?.with(gathered.named()),
            Measure::Received => statistics::received(&scope, records)?.with(gathered.named()),
            Measure::PersonalSignatureShare => {
                indicator(Indicator::PersonalSignature)?.with(gathered.named())
            }
            Measure::FullyElectronicShare => {
                indicator(Indicator::ElectronicInside)?.with(gathered.named())
            }
            Measure::LevelsConnected => statistics::levels_connected(&scope, records)?,
            Measure::Growth => {
                statistics::growth(&scope, expect.base, records)?.with(gathered.named())
            }
            Measure::Refusals => statistics::refusals(expect.reason, &scope, records)?,
            Measure::FinishedShare => indicator(Indicator::Finished)?.with(gathered.named()),
            Measure::OnTimeShare => indicator(Indicator::OnTime)?.with(gathered.named()),
            Measure::ProcessedShare | Measure::ReportedShare | Measure::ChangeAgreedShare => {
                gathered.share()
            }
            Measure::Overdue
            | Measure::Waiting
            | Measure::Redelivered
            | Measure::Late
            | Measure::Replies
            | Measure::TakenBack
            | Measure::Updated
            | Measure::Replaced
            | Measure::Unproven
            | Measure::Overtaken => gathered.count(),
            Measure::DeliveryMinutes => gathered.time(expect.percentile(), 60_000.0),
            Measure::AcceptedHours | Measure::FinishedHours => {
                gathered.time(expect.percentile(), 3_600_000.0)
            }
            Measure::RepeatedReceipts => Measured::count(told.repeated),
            Measure::ResumedUploads => Measured::count(told.resumed_uploads),
            Measure::LostBlocks => Measured::count(told.lost_blocks),
            Measure::HubRestarts => Measured::count(told.restarts),
        })
    }
}
