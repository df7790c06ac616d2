//! What is measured, from statistics, records or answers.
//!
//! Everything that is an indicator stands in the two files below, each function by itself.

mod records;
mod scope;
mod statistics;
mod target;

use crate::world::AccountError;
use lienthong_core::DeliveryRow;
use lienthong_model::{Standing, StatusCode};

use super::NAMED_MAX;
use super::records::Records;
use crate::scenario::{Expect, Measure};
use scope::Scope;
pub(super) use target::standing;

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

    fn with(self, found: Found) -> Self {
        Self { documents: found.named, ..self }
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

pub(super) fn measure(expect: &Expect, records: &Records<'_>) -> Result<Measured, AccountError> {
    let scope = Scope::of(expect, records);
    let told = records.hub.told();
    match expect.measure {
        Measure::Sent => statistics::sent(&scope, records),
        Measure::Received => statistics::received(&scope, records),
        Measure::PersonalSignatureShare => statistics::personal_signatures(&scope, records),
        Measure::FullyElectronicShare => statistics::fully_electronic(&scope, records),
        Measure::LevelsConnected => statistics::levels_connected(&scope, records),
        Measure::Growth => statistics::growth(&scope, expect.base, records),
        Measure::Refusals => statistics::refusals(expect.reason, &scope, records),
        Measure::ProcessedShare => scope.share_of(records, is_processed),
        Measure::FinishedShare => scope.share_of(records, |row| has(row, StatusCode::Finished)),
        Measure::ReportedShare => {
            let status = expect.status;
            scope.share_of(records, |row| status.is_some_and(|code| has(row, code)))
        }
        Measure::OnTimeShare => records::on_time(&scope, records),
        Measure::Overdue => records::overdue(&scope, records),
        Measure::Waiting => scope.count_of(records, |_, row| {
            row.acknowledged_at.is_none() && row.state().closed().is_none()
        }),
        Measure::Redelivered => scope.count_of(records, |_, row| row.attempts > 1),
        Measure::Late => records::late(&scope, records),
        Measure::DeliveryMinutes | Measure::AcceptedHours | Measure::FinishedHours => {
            records::time(expect.measure, expect.percentile(), &scope, records)
        }
        Measure::Replies => records::replies(&scope, records),
        Measure::TakenBack => scope.count_of(records, |_, row| {
            matches!(standing_of(row), Standing::Withdrawn | Standing::Recalled)
        }),
        Measure::Updated => scope.count_of(records, |_, row| standing_of(row) == Standing::Updated),
        Measure::Replaced => {
            scope.count_of(records, |_, row| standing_of(row) == Standing::Replaced)
        }
        Measure::ChangeAgreedShare => records::change_agreed(&scope, records),
        Measure::Unproven => records::unproven(&scope, records),
        Measure::Overtaken => records::overtaken(&scope, records),
        Measure::RepeatedReceipts => Ok(Measured::count(told.repeated)),
        Measure::ResumedUploads => Ok(Measured::count(told.resumed_uploads)),
        Measure::LostBlocks => Ok(Measured::count(told.lost_blocks)),
        Measure::HubRestarts => Ok(Measured::count(told.restarts)),
    }
}

fn has(row: &DeliveryRow, code: StatusCode) -> bool {
    row.statuses.iter().any(|line| line.code == code)
}

/// 03 and at least one of 04, 05, 06.
fn is_processed(row: &DeliveryRow) -> bool {
    use StatusCode::{Accepted, Assigned, Finished, Processing};
    has(row, Accepted) && [Assigned, Processing, Finished].iter().any(|code| has(row, *code))
}

fn standing_of(row: &DeliveryRow) -> Standing {
    row.mark.as_ref().map_or(Standing::Stands, |mark| mark.standing)
}
