//! Which cubes answer a question: of those that have all its dimensions, the one with the fewest
//! cells.

use lienthong_model::limits::{
    STATISTICS_DIMENSIONS_MAX, STATISTICS_MEASURES_MAX, STATISTICS_VALUES_MAX,
};

use super::cubes::CubeName;
use super::period::{Grain, PageGrain};
use super::question::{Condition, Question, Unanswerable};
use super::vocabulary::{Dimension, Family, Measure};

impl Question {
    /// Returns the cubes that have the answer together, each a part of the measures.
    pub(super) fn cubes(&self) -> Result<Vec<CubeName>, Unanswerable> {
        self.check_counts()?;
        let asked = || self.measures.iter().chain(&self.top).copied();
        let family = self.measures[0].family();
        if let Some(other) = asked().find(|other| other.family() != family) {
            return Err(Unanswerable::Mixed(self.measures[0], other));
        }
        for Condition { dimension, values } in &self.filter {
            if values.iter().any(|value| value.number_in(*dimension).is_none()) {
                return Err(Unanswerable::OtherDimension(*dimension));
            }
        }
        asked().try_for_each(|measure| self.check_dimensions(measure))?;
        let named = self.names_agencies();
        let timed = asked().any(|measure| measure.percentile().is_some());
        let mut cubes = vec![self.smallest(family.cubes(named))];
        if timed {
            cubes.push(self.smallest(&[CubeName::CountryTimes, CubeName::Times]));
        }
        if self.bucket == Some(Grain::Hour) && cubes[0].grains()[0] != PageGrain::Hour {
            return Err(Unanswerable::NotByHour(self.measures[0]));
        }
        Ok(cubes)
    }

    fn check_counts(&self) -> Result<(), Unanswerable> {
        let Self { period, group_by, filter, measures, compare, .. } = self;
        if period.from >= period.until {
            return Err(Unanswerable::Period);
        }
        let counted = [
            ("measures", measures.len(), 1, STATISTICS_MEASURES_MAX),
            ("group_by", group_by.len(), 0, STATISTICS_DIMENSIONS_MAX),
            ("filter", filter.len(), 0, Dimension::ALL.len() + 1),
            ("compare", compare.len(), 0, 2),
        ];
        let values =
            filter.iter().map(|one| ("filter", one.values.len(), 1, STATISTICS_VALUES_MAX));
        for (what, found, least, most) in counted.into_iter().chain(values) {
            if !(least..=most).contains(&found) {
                return Err(Unanswerable::Count { what, found, least, most });
            }
        }
        Ok(())
    }

    fn check_dimensions(&self, measure: Measure) -> Result<(), Unanswerable> {
        let named = self.names_agencies();
        let dimensions = measure.family().dimensions(named);
        let missing = self.dimensions().find(|dimension| !dimensions.contains(dimension));
        let timed = measure.percentile().is_some() && named;
        if let Some(dimension) = missing.or(timed.then_some(Dimension::Agency)) {
            let known: Vec<_> = dimensions.iter().map(|one| one.name()).collect();
            let known = known.join(", ");
            return Err(Unanswerable::NotCountedBy { measure, dimension, known });
        }
        if measure == Measure::Pages && named {
            let known = "every other dimension".to_owned();
            return Err(Unanswerable::NotCountedBy {
                measure,
                dimension: Dimension::Agency,
                known,
            });
        }
        Ok(())
    }

    /// The first of some cubes that has every dimension; they come with the fewest cells first, and
    /// the last has all.
    fn smallest(&self, cubes: &[CubeName]) -> CubeName {
        let has_all =
            |cube: &CubeName| self.dimensions().all(|one| cube.dimensions().contains(&one));
        let last = cubes[cubes.len() - 1];
        cubes.iter().copied().find(has_all).unwrap_or(last)
    }
}

impl Family {
    /// The cubes that count it, the one with the fewest cells first.
    fn cubes(self, names_agencies: bool) -> &'static [CubeName] {
        use CubeName as C;
        match (self, names_agencies) {
            (Self::Documents, true) => &[C::Agency],
            (Self::Documents, false) => &[C::Place, C::Country, C::Volume, C::Type, C::Kind],
            (Self::Exchange, _) => &[C::Outflow, C::Flow],
            (Self::Progress, true) => &[C::Work],
            (Self::Progress, false) => &[C::Progress],
            (Self::Refusals, _) => &[C::Refusals],
        }
    }

    /// The dimensions by which it is counted.
    fn dimensions(self, names_agencies: bool) -> &'static [Dimension] {
        use Dimension as D;
        match (self, names_agencies) {
            (Self::Documents, false) => &[
                D::Province,
                D::Region,
                D::Level,
                D::Direction,
                D::Scope,
                D::DocumentType,
                D::Signature,
                D::PaperCopy,
                D::Agency,
            ],
            (Self::Progress, false) => CubeName::Work.dimensions(),
            _ => self.cubes(names_agencies).last().map_or(&[], |cube| cube.dimensions()),
        }
    }
}

impl CubeName {
    fn dimensions(self) -> &'static [Dimension] {
        use Dimension as D;
        match self {
            Self::Flow => &[
                D::Province,
                D::Region,
                D::Level,
                D::PartnerProvince,
                D::PartnerRegion,
                D::PartnerLevel,
            ],
            Self::Outflow => &[D::Province, D::Region, D::Level, D::PartnerLevel],
            Self::Kind => &[
                D::Province,
                D::Region,
                D::Level,
                D::Direction,
                D::Scope,
                D::DocumentType,
                D::Signature,
                D::PaperCopy,
            ],
            Self::Place => &[D::Province, D::Region, D::Level, D::Direction],
            Self::Volume => &[
                D::Province,
                D::Region,
                D::Level,
                D::Direction,
                D::Scope,
                D::Signature,
                D::PaperCopy,
            ],
            Self::Type => {
                &[D::Province, D::Region, D::Level, D::Direction, D::Signature, D::DocumentType]
            }
            Self::Country => {
                &[D::Level, D::Direction, D::Scope, D::DocumentType, D::Signature, D::PaperCopy]
            }
            Self::Agency => &[D::Province, D::Region, D::Level, D::Agency, D::Direction],
            Self::Work => &[D::Province, D::Region, D::Level, D::Agency],
            Self::Progress | Self::Times => &[D::Province, D::Region, D::Level],
            Self::CountryTimes => &[D::Level],
            Self::Refusals => &[D::Province, D::Region, D::Reason],
        }
    }
}
