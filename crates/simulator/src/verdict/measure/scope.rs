//! What an expectation is about: a province, a level, some days.

use crate::world::AccountError;
use lienthong_core::statistics::LevelVolume;
use lienthong_core::{DeliveryRow, DocumentRow, DocumentView, Place};
use lienthong_model::{Level, Ordinal};

use super::{Found, Measured};
use crate::scenario::{Days, Expect};
use crate::verdict::records::{Records, within};

/// What an expectation is about.
pub(super) struct Scope {
    /// None for all; a province that the directory does not have holds nothing.
    province: Option<Option<Ordinal>>,
    level: Option<Level>,
    pub days: Option<Days>,
}

impl Scope {
    pub fn of(expect: &Expect, records: &Records<'_>) -> Self {
        let province = expect.province.as_ref().map(|code| records.ordinal(code));
        Self { province, level: expect.level, days: expect.days }
    }

    pub fn holds_province(&self, province: Option<Ordinal>) -> bool {
        self.province.is_none_or(|wanted| wanted.is_some() && wanted == province)
    }

    pub fn holds(&self, place: Option<Place>) -> bool {
        place.is_some_and(|place| {
            self.holds_province(place.province) && self.level.is_none_or(|l| l == place.level)
        })
    }

    /// Sums of the statistics.
    pub fn volume(
        &self,
        records: &Records<'_>,
        days: Option<Days>,
    ) -> Result<LevelVolume, AccountError> {
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

    /// Visits the documents sent from here.
    pub fn each_sent(
        &self,
        records: &Records<'_>,
        mut visit: impl FnMut(&DocumentView),
    ) -> Result<(), AccountError> {
        records.each(|view| {
            let document = &view.document;
            let here = within(self.days, document.received_at)
                && self.holds(records.place(document.sender, document.received_at));
            if here {
                visit(view);
            }
        })
    }

    /// Counts documents sent from here.
    pub fn sent(
        &self,
        records: &Records<'_>,
        counts: impl Fn(&DocumentRow) -> bool,
    ) -> Result<Found, AccountError> {
        let mut found = Found::default();
        self.each_sent(records, |view| {
            if counts(&view.document) {
                found.add(|| records.shown(view));
            }
        })?;
        Ok(found)
    }

    /// Visits the deliveries made to here.
    pub fn each_delivery(
        &self,
        records: &Records<'_>,
        mut visit: impl FnMut(&DocumentView, Ordinal, &DeliveryRow),
    ) -> Result<(), AccountError> {
        records.each(|view| {
            let at = view.document.received_at;
            for one in view.deliveries.iter().filter(|_| within(self.days, at)) {
                if self.holds(records.place(one.recipient, at)) {
                    visit(view, one.recipient, &one.delivery);
                }
            }
        })
    }

    /// Counts deliveries made to here.
    pub fn deliveries(
        &self,
        records: &Records<'_>,
        counts: impl Fn(&DocumentRow, &DeliveryRow) -> bool,
    ) -> Result<Found, AccountError> {
        let mut found = Found::default();
        self.each_delivery(records, |view, recipient, row| {
            if counts(&view.document, row) {
                found.add(|| records.delivery_shown(view, recipient));
            }
        })?;
        Ok(found)
    }

    /// How many deliveries made to here count; they are named.
    pub fn count_of(
        &self,
        records: &Records<'_>,
        counts: impl Fn(&DocumentRow, &DeliveryRow) -> bool,
    ) -> Result<Measured, AccountError> {
        let found = self.deliveries(records, counts)?;
        Ok(Measured::count(found.count).with(found))
    }

    /// The share of deliveries made to here that count; those that do not are named.
    pub fn share_of(
        &self,
        records: &Records<'_>,
        counts: impl Fn(&DeliveryRow) -> bool,
    ) -> Result<Measured, AccountError> {
        let (mut all, mut against) = (0, Found::default());
        self.each_delivery(records, |view, recipient, row| {
            all += 1;
            if !counts(row) {
                against.add(|| records.delivery_shown(view, recipient));
            }
        })?;
        Ok(Measured::share(all - against.count, all).with(against))
    }
}
