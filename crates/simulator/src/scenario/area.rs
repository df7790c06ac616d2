//! Which agencies something is about.

use std::collections::BTreeMap;

use lienthong_model::{AgencyCode, AgencyEntry, Level};

/// The directory that a scenario is played in.
#[derive(Debug, Clone, Default)]
pub struct Country {
    /// Every agency, a superior before its subordinates.
    pub entries: Vec<AgencyEntry>,
    /// Provinces by region.
    pub regions: BTreeMap<String, Vec<AgencyCode>>,
}

impl Country {
    /// Returns whether an agency is a province of the directory.
    pub fn has_province(&self, code: &AgencyCode) -> bool {
        let key = code.key();
        let is_it = |province: &AgencyCode| province.key() == key;
        self.entries.iter().any(|entry| entry.province.as_ref().is_some_and(is_it))
    }
}

/// Agencies by province, region, level or code. What is not said does not restrict.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Area {
    /// Provinces.
    pub provinces: Vec<AgencyCode>,
    /// A region; its provinces.
    pub region: Option<String>,
    /// Levels.
    pub levels: Vec<Level>,
    /// Single agencies.
    pub agencies: Vec<AgencyCode>,
}

impl Area {
    /// Returns whether it holds an agency.
    pub fn holds(&self, entry: &AgencyEntry, country: &Country) -> bool {
        let same = |codes: &[AgencyCode], code: &AgencyCode| {
            codes.iter().any(|other| other.key() == code.key())
        };
        let in_provinces = |codes: &[AgencyCode]| {
            entry.province.as_ref().is_some_and(|province| same(codes, province))
        };
        (self.levels.is_empty() || self.levels.contains(&entry.level))
            && (self.agencies.is_empty() || same(&self.agencies, &entry.code))
            && (self.provinces.is_empty() || in_provinces(&self.provinces))
            && self.region.as_ref().is_none_or(|region| {
                country.regions.get(region).is_some_and(|codes| in_provinces(codes))
            })
    }

    /// Returns whether it restricts nothing.
    pub fn is_everybody(&self) -> bool {
        *self == Self::default()
    }

    /// Returns the codes and the region that the directory does not have.
    pub fn unknown(&self, country: &Country) -> Vec<String> {
        let has = |code: &AgencyCode| {
            let key = code.key();
            country.entries.iter().any(|entry| entry.code.key() == key)
        };
        let codes = self.provinces.iter().chain(&self.agencies);
        let unknown = codes.filter(|code| !has(code)).map(ToString::to_string);
        let region = self.region.iter().filter(|region| !country.regions.contains_key(*region));
        unknown.chain(region.cloned()).collect()
    }
}
