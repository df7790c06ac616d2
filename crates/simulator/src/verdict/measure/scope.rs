//! What an expectation is about: a province, a level, some days.

use lienthong_core::statistics::{Area, LevelVolume, PlaceIndicators, Share};
use lienthong_core::{DeliveryRow, DocumentView, Place};
use lienthong_model::{Indicator, Level, Ordinal};

use crate::scenario::{Days, Expect};
use crate::verdict::records::{Records, within};
use crate::world::AccountError;

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
                }
            }
        }
        Ok(sum)
    }

    /// An indicator as the hub tells it, in parts that add up. Of the country it tells no levels:
    /// these are asked province by province.
    pub fn shares(
        &self,
        indicator: Indicator,
        records: &Records<'_>,
    ) -> Result<Vec<Share>, AccountError> {
        let ask = |province| records.hub.indicators(self.days, province);
        let mut places = match self.province {
            Some(None) => Vec::new(),
            Some(province) => ask(province)?,
            None => ask(None)?,
        };
        if self.province.is_none() && self.level.is_some() {
            let country = std::mem::take(&mut places);
            for place in country {
                match place.area {
                    Area::Country => {}
                    Area::Province(province) => places.extend(ask(Some(province))?),
                    // It has one level only.
                    Area::Centre => {
                        places.push(PlaceIndicators { level: Some(Level::Ministry), ..place });
                    }
                }
            }
        } else if self.province.is_none() {
            places.retain(|place| place.area == Area::Country);
        }
        let here = places.iter().filter(|place| place.level == self.level);
        let figures = here.flat_map(|place| &place.figures);
        let wanted = figures.filter(|figure| figure.indicator == indicator);
        Ok(wanted.map(|figure| figure.share).collect())
    }

    /// Whether a document was sent from here.
    pub fn holds_sender(&self, view: &DocumentView, records: &Records<'_>) -> bool {
        let (sender, at) = (view.document.sender, view.document.received_at);
        within(self.days, at) && (self.is_everywhere() || self.holds(records.place(sender, at)))
    }

    /// Returns the deliveries of a document made to here.
    pub fn deliveries<'v>(
        &self,
        view: &'v DocumentView,
        records: &Records<'_>,
    ) -> impl Iterator<Item = (Ordinal, &'v DeliveryRow)> {
        let at = view.document.received_at;
        let rows = view.deliveries.iter().filter(move |_| within(self.days, at));
        let here = rows.filter(move |one| {
            self.is_everywhere() || self.holds(records.place(one.recipient, at))
        });
        here.map(|one| (one.recipient, &one.delivery))
    }

    fn is_everywhere(&self) -> bool {
        self.province.is_none() && self.level.is_none()
    }
}
