//! Indicators with their targets, cut to what a caller may see; for gRPC and the operators' pages.

use lienthong_core::Directory;
use lienthong_core::statistics::{
    Area, Holder, IndicatorQuestion, PAGE_PRICE, Period, PlaceIndicators, View,
};
use lienthong_model::{Ordinal, Reason, Refusal, Timestamp};

use crate::present::unreadable;
use crate::reader::Reader;

/// What is wanted.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Wanted {
    pub period: Period,
    /// One province, with its levels; none: the country, province by province.
    pub province: Option<Ordinal>,
    /// What a page of paper costs, in đồng; 0: what is usual.
    pub page_price: u64,
}

impl Wanted {
    /// What a page of paper is reckoned at, in đồng.
    pub fn page_price(&self) -> u64 {
        if self.page_price == 0 { PAGE_PRICE } else { self.page_price }
    }

    /// Returns the indicators of the place and of its parts. Who holds a target back is named as far
    /// as the caller may see it: provinces are for everybody, single agencies are not.
    ///
    /// # Errors
    /// CALLER_NOT_ENTITLED when the place is not the caller's to see, or [`Refusal`] when a page
    /// cannot be read.
    pub fn look(
        &self,
        reader: &Reader,
        view: &View,
        now: Timestamp,
    ) -> Result<Vec<PlaceIndicators>, Refusal> {
        let directory = reader.directory();
        self.admit(view, &directory, now)?;
        let asked = IndicatorQuestion {
            period: self.period,
            province: self.province,
            now,
            page_price: self.page_price(),
        };
        let targets = reader.policy().targets;
        let found = reader.with_statistics(|source| source.indicators(&asked, &targets));
        let mut places = found.map_err(|error| unreadable(&error))?;
        for place in &mut places {
            let area = place.area;
            let is_shown = |one: &Holder| {
                let agency = directory.agency(one.agency);
                area == Area::Country
                    || agency
                        .is_some_and(|agency| view.shows(one.agency, directory.place(agency, now)))
            };
            let targets = place.figures.iter_mut().flat_map(|figure| &mut figure.targets);
            targets.for_each(|target| target.holders.retain(is_shown));
        }
        Ok(places)
    }

    fn admit(&self, view: &View, directory: &Directory, now: Timestamp) -> Result<(), Refusal> {
        let declined = |value| Err(Refusal::at(Reason::CallerNotEntitled, "province", value));
        match view {
            View::Provinces(own) if !own.contains(&self.province) => {
                let asked = self.province.map(|province| directory.code(province, now));
                declined(format!("`{}` is not yours to see", asked.unwrap_or_default()))
            }
            View::Agencies(_) => {
                declined("indicators are of provinces and their levels".to_owned())
            }
            View::Country | View::Node(_) | View::Provinces(_) => Ok(()),
        }
    }
}
