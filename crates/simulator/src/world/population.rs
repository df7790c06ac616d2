//! Who takes part, and what the directory says of them.

use std::collections::{BTreeMap, BTreeSet};

use lienthong_model::{AgencyCode, AgencyEntry, AgencyState, Day, Level, SignaturePolicy};

use super::WorldError;
use crate::scenario::{Area, Country, Scenario, Since};

/// One agency that takes part.
#[derive(Debug, Clone)]
pub struct Member {
    /// Its entry as the country has it.
    pub entry: AgencyEntry,
    /// Since when it is connected.
    pub connected: Since,
    /// Since when its documents need a person's signature.
    pub personal: Since,
    /// Whether its system is somebody else's: it is written to, and nothing is done for it here.
    pub outside: bool,
}

/// Everybody who takes part, in the directory's order.
#[derive(Debug, Clone, Default)]
pub struct Population(Vec<Member>);

/// Returns every area that a scenario names, with its table and line.
fn areas(scenario: &Scenario) -> impl Iterator<Item = (&'static str, usize, &Area)> {
    let agencies = scenario.agencies.iter().map(|one| ("agencies", one.line, &one.area));
    let traffic = scenario.traffic.iter();
    let traffic =
        traffic.flat_map(|one| [&one.area, &one.to].map(|area| ("traffic", one.line, area)));
    let answers = scenario.answers.iter().map(|one| ("answers", one.line, &one.area));
    let faults = scenario.faults.iter();
    let faults =
        faults.flat_map(|one| [&one.area, &one.with].map(|area| ("fault", one.line, area)));
    agencies.chain(traffic).chain(answers).chain(faults)
}

impl Population {
    /// Chooses who takes part, when everybody who is named is in the country, and provinces are
    /// provinces.
    ///
    /// # Errors
    /// [`WorldError`] with the codes and regions that there are not, or when nobody takes part.
    pub fn of(scenario: &Scenario, country: &Country) -> Result<Self, WorldError> {
        let unknown: Vec<String> =
            areas(scenario).flat_map(|(.., area)| area.unknown(country)).collect();
        if !unknown.is_empty() {
            return Err(WorldError::Unknown(unknown));
        }
        let named = areas(scenario).flat_map(|(table, line, area)| {
            area.provinces.iter().map(move |code| (table, line, code))
        });
        let expected = scenario.expects.iter().filter_map(|expect| {
            let code = expect.province.as_ref()?;
            Some(("expect", expect.line, code))
        });
        let is_none = |(.., code): &(_, _, &AgencyCode)| !country.has_province(code);
        if let Some((table, line, code)) = named.chain(expected).find(is_none) {
            return Err(WorldError::NoProvince { table, line, code: code.clone() });
        }
        let population = Self::choose(scenario, country);
        if population.is_empty() { Err(WorldError::Nobody) } else { Ok(population) }
    }

    /// Keeps at most `count` agencies: of every province and level as long as there is room, in the
    /// directory's order.
    pub fn keep(&mut self, count: usize) {
        let mut places: BTreeMap<(Option<String>, Level), usize> = BTreeMap::new();
        let mut ranked: Vec<(usize, usize)> = Vec::new();
        for (index, member) in self.0.iter().enumerate() {
            let province = member.entry.province.as_ref().map(ToString::to_string);
            let rank = places.entry((province, member.entry.level)).or_default();
            ranked.push((*rank, index));
            *rank += 1;
        }
        ranked.sort_unstable();
        let kept: BTreeSet<usize> =
            ranked.into_iter().take(count).map(|(_, index)| index).collect();
        let mut index = 0;
        self.0.retain(|_| {
            index += 1;
            kept.contains(&(index - 1))
        });
    }

    /// Leaves agencies to systems outside: they are written to, and nothing is done for them here.
    pub fn leave(&mut self, outside: &[AgencyCode]) {
        for member in &mut self.0 {
            member.outside |= outside.iter().any(|code| code.key() == member.entry.code.key());
        }
    }

    /// Chooses who takes part: of the entries the first that holds an agency decides.
    pub fn choose(scenario: &Scenario, country: &Country) -> Self {
        let mut taken: BTreeMap<(usize, Option<String>, Level), usize> = BTreeMap::new();
        let mut members = Vec::new();
        for entry in &country.entries {
            let holds = scenario.agencies.iter().position(|one| one.area.holds(entry, country));
            let Some(index) = holds else { continue };
            let participation = &scenario.agencies[index];
            let province = entry.province.as_ref().map(ToString::to_string);
            let count = taken.entry((index, province, entry.level)).or_default();
            *count += 1;
            if participation.take.is_some_and(|take| *count > take) {
                continue;
            }
            let (connected, personal) = (participation.connected, participation.personal);
            members.push(Member { entry: entry.clone(), connected, personal, outside: false });
        }
        Self(members)
    }

    /// Returns how many they are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Returns whether nobody takes part.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Returns them in order.
    pub fn iter(&self) -> impl Iterator<Item = &Member> {
        self.0.iter()
    }

    /// Returns the directory: their entries by date, and their superiors, held.
    pub fn directory(&self, country: &Country) -> Vec<AgencyEntry> {
        let members: BTreeMap<String, &Member> =
            self.iter().map(|member| (key(&member.entry.code), member)).collect();
        let needed = self.superiors(country);
        let mut entries = Vec::new();
        for entry in &country.entries {
            let code = key(&entry.code);
            if let Some(member) = members.get(&code) {
                entries.extend(member.by_date());
            } else if needed.contains(&code) {
                let state = AgencyState::Held;
                entries.push(AgencyEntry { state, gateway: None, ..entry.clone() });
            }
        }
        entries
    }

    /// The codes of all superiors and provinces, up to the top.
    fn superiors(&self, country: &Country) -> BTreeSet<String> {
        let by_code: BTreeMap<String, &AgencyEntry> =
            country.entries.iter().map(|entry| (key(&entry.code), entry)).collect();
        let mut needed = BTreeSet::new();
        let mut above: Vec<&AgencyEntry> = self.iter().map(|member| &member.entry).collect();
        while let Some(entry) = above.pop() {
            for code in entry.parent.iter().chain(&entry.province) {
                let code = key(code);
                if let Some(superior) = by_code.get(&code)
                    && needed.insert(code)
                {
                    above.push(superior);
                }
            }
        }
        needed
    }
}

fn key(code: &lienthong_model::AgencyCode) -> String {
    code.key().as_str().to_owned()
}

impl IntoIterator for Population {
    type Item = Member;
    type IntoIter = std::vec::IntoIter<Member>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}

impl Since {
    /// Whether it is so on a day.
    pub(crate) fn holds(self, day: Day) -> bool {
        match self {
            Self::Always => true,
            Self::Never => false,
            Self::Day(first) => day >= first,
        }
    }
}

impl Member {
    /// Its entries: one from its first day, one more for each day on which something changes.
    fn by_date(&self) -> Vec<AgencyEntry> {
        let mut days = BTreeSet::from([self.entry.from]);
        for since in [self.connected, self.personal] {
            if let Since::Day(day) = since
                && day > self.entry.from
            {
                days.insert(day);
            }
        }
        let entry = |day: Day| AgencyEntry {
            from: day,
            state: match self.connected.holds(day) {
                true => AgencyState::Connected,
                false => AgencyState::Held,
            },
            policy: match self.personal.holds(day) {
                true => SignaturePolicy::Required,
                false => SignaturePolicy::Transition,
            },
            gateway: None,
            ..self.entry.clone()
        };
        days.into_iter().map(entry).collect()
    }
}
