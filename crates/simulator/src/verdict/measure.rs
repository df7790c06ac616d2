//! What is measured, from statistics, records or answers.

use std::collections::BTreeSet;
use std::time::Duration;

use lienthong_core::engine::EngineError;
use lienthong_core::statistics::{self, Direction, LevelVolume};
use lienthong_core::{DeliveryRow, DocumentRow, Place, Span};
use lienthong_model::{Level, Ordinal, StatusCode};

use super::records::{Records, period, within};
use crate::scenario::{Days, Expect, Measure};

/// A delivery is late that was acknowledged later than this.
const LATE: Duration = Duration::from_secs(3_600);
/// Growth has no basis below so many documents.
const BASIS_MIN: u64 = 100;

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

    fn with(self, documents: Vec<String>) -> Self {
        Self { documents, ..self }
    }

    pub fn shown(&self) -> String {
        match self.of {
            Some((part, whole)) if self.value.is_nan() => {
                format!("không có cơ sở / no basis ({part} / {whole})")
            }
            Some((part, whole)) => format!("{:.4} ({part} / {whole})", self.value),
            None => self.value.to_string(),
        }
    }
}

#[allow(clippy::cast_precision_loss)] // Counts of at most some thousand million.
fn number(count: u64) -> f64 {
    count as f64
}

pub(super) fn measure(expect: &Expect, records: &Records<'_>) -> Result<Measured, EngineError> {
    let scope = Scope::of(expect, records);
    match expect.measure {
        Measure::Sent => {
            let sent = scope.volume(records, expect.days)?.sent;
            Ok(Measured::count(sent).with(scope.sent(records, |_| true)))
        }
        Measure::Received => {
            let received = scope.volume(records, expect.days)?.received;
            Ok(Measured::count(received).with(scope.deliveries(records, |_| true).1))
        }
        Measure::PersonalSignatureShare => {
            let volume = scope.volume(records, expect.days)?;
            let against = scope.sent(records, |signature| !signature.is_personal());
            Ok(Measured::share(volume.personally_signed, volume.sent).with(against))
        }
        Measure::FullyElectronicShare => fully_electronic(&scope, records),
        Measure::LevelsConnected => levels_connected(&scope, records),
        Measure::Growth => {
            let now = scope.volume(records, expect.days)?.sent;
            let base = scope.volume(records, expect.base)?.sent;
            let share = Measured::share(now, base);
            let value = if base < BASIS_MIN { f64::NAN } else { share.value };
            Ok(Measured { value, ..share }.with(scope.sent(records, |_| true)))
        }
        Measure::Refusals => refusals(expect, &scope, records),
        Measure::ProcessedShare => Ok(scope.share_of(records, is_processed)),
        Measure::FinishedShare => Ok(scope.share_of(records, |row| has(row, StatusCode::Finished))),
        Measure::ReportedShare => {
            let status = expect.status;
            Ok(scope.share_of(records, |row| status.is_some_and(|code| has(row, code))))
        }
        Measure::Waiting => {
            let (count, waiting) = scope.deliveries(records, |row| row.acknowledged_at.is_none());
            Ok(Measured::count(count).with(waiting))
        }
        Measure::Redelivered => {
            let (count, again) = scope.deliveries(records, |row| row.attempts > 1);
            Ok(Measured::count(count).with(again))
        }
        Measure::Late => Ok(scope.late(records)),
        Measure::RepeatedReceipts => Ok(Measured::count(records.hub.repeated)),
        Measure::HubRestarts => Ok(Measured::count(records.hub.restarts)),
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

/// What an expectation is about.
struct Scope {
    /// None for all; a province that the directory does not have holds nothing.
    province: Option<Option<Ordinal>>,
    level: Option<Level>,
    days: Option<Days>,
}

impl Scope {
    fn of(expect: &Expect, records: &Records<'_>) -> Self {
        let province = expect.province.as_ref().map(|code| records.ordinal(code));
        Self { province, level: expect.level, days: expect.days }
    }

    fn holds_province(&self, province: Option<Ordinal>) -> bool {
        self.province.is_none_or(|wanted| wanted.is_some() && wanted == province)
    }

    fn holds(&self, place: Option<Place>) -> bool {
        place.is_some_and(|place| {
            self.holds_province(place.province) && self.level.is_none_or(|l| l == place.level)
        })
    }

    /// Sums of the statistics.
    fn volume(
        &self,
        records: &Records<'_>,
        days: Option<Days>,
    ) -> Result<LevelVolume, EngineError> {
        let volumes = records.volumes(days)?;
        let provinces =
            volumes.provinces.iter().map(|(province, volume)| (Some(*province), volume));
        let mut sum = LevelVolume::default();
        for (province, volume) in provinces.chain([(None, &volumes.centre)]) {
            for (level, volume) in &volume.by_level {
                if self.holds(Some(Place { province, level: *level })) {
                    sum.sent += volume.sent;
                    sum.received += volume.received;
                    sum.personally_signed += volume.personally_signed;
                }
            }
        }
        Ok(sum)
    }

    /// Documents sent from here, by their signature.
    fn sent(
        &self,
        records: &Records<'_>,
        counts: impl Fn(lienthong_trust::SignatureKind) -> bool,
    ) -> Vec<String> {
        let here = records.documents.iter().filter(|view| {
            let document = &view.document;
            within(self.days, document.received_at)
                && self.holds(records.place(document.sender, document.received_at))
                && counts(document.signature)
        });
        here.map(|view| records.shown(view)).collect()
    }

    /// Deliveries made to here that count: how many, and which.
    fn deliveries(
        &self,
        records: &Records<'_>,
        counts: impl Fn(&DeliveryRow) -> bool,
    ) -> (u64, Vec<String>) {
        self.deliveries_of(records, |_, row| counts(row))
    }

    fn deliveries_of(
        &self,
        records: &Records<'_>,
        counts: impl Fn(&DocumentRow, &DeliveryRow) -> bool,
    ) -> (u64, Vec<String>) {
        let mut found = Vec::new();
        for view in &records.documents {
            let at = view.document.received_at;
            for one in view.deliveries.iter().filter(|_| within(self.days, at)) {
                let here = self.holds(records.place(one.recipient, at));
                if here && counts(&view.document, &one.delivery) {
                    found.push(records.delivery_shown(view, one.recipient));
                }
            }
        }
        (found.len() as u64, found)
    }

    fn late(&self, records: &Records<'_>) -> Measured {
        let (count, late) = self.deliveries_of(records, |document, row| {
            let due = document.received_at.plus(LATE);
            row.acknowledged_at.is_some_and(|at| at > due)
        });
        Measured::count(count).with(late)
    }

    /// The share of deliveries made to here that count; those that do not are named.
    fn share_of(&self, records: &Records<'_>, counts: impl Fn(&DeliveryRow) -> bool) -> Measured {
        let (all, _) = self.deliveries(records, |_| true);
        let (against, named) = self.deliveries(records, |row| !counts(row));
        Measured::share(all - against, all).with(named)
    }
}

fn fully_electronic(scope: &Scope, records: &Records<'_>) -> Result<Measured, EngineError> {
    let (mut electronic, mut all) = (0, 0);
    let days = period(scope.days);
    statistics::visit_kind(&records.cubes, &records.hub.state, days, &mut |found| {
        let (province, cell, sum) = (found.province, found.key, found.cell);
        let inside = cell.direction == Direction::Received && cell.scope == Span::Inside;
        if inside && scope.holds(Some(Place { province, level: cell.level })) {
            all += sum.count;
            electronic += if cell.paper_copy { 0 } else { sum.count };
        }
    })?;
    Ok(Measured::share(electronic, all))
}

/// Levels of a province where something was sent and something received, and the centre when it
/// wrote to the province and the province to it.
fn levels_connected(scope: &Scope, records: &Records<'_>) -> Result<Measured, EngineError> {
    let (mut sending, mut receiving) = (BTreeSet::new(), BTreeSet::new());
    for flow in records.flows(scope.days)? {
        let from_centre = flow.from_province.is_none();
        let to_centre = flow.to_province.is_none();
        let from_here = scope.holds_province(flow.from_province);
        let to_here = scope.holds_province(flow.to_province);
        if from_here || (from_centre && to_here) {
            sending.insert(flow.from_level);
        }
        if to_here || (to_centre && from_here) {
            receiving.insert(flow.to_level);
        }
    }
    Ok(Measured::count(sending.intersection(&receiving).count() as u64))
}

fn refusals(
    expect: &Expect,
    scope: &Scope,
    records: &Records<'_>,
) -> Result<Measured, EngineError> {
    let wanted = |reason| expect.reason.is_none_or(|only| only == reason);
    let counted = records.refusals_in(scope.days)?;
    let here = counted
        .by_province
        .iter()
        .filter(|((province, reason), _)| scope.holds_province(*province) && wanted(*reason));
    let count = here.map(|(_, count)| count).sum();
    let named = records.declined.iter().filter(|one| {
        within(scope.days, one.at) && scope.holds_province(one.province) && wanted(one.reason)
    });
    Ok(Measured::count(count).with(named.map(|one| one.shown.clone()).collect()))
}
