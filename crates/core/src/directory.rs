//! The directory in memory: every agency with its entries by date.
//!
//! About 12,000 agencies, a few megabytes. A reader holds an `Arc` of one version; a change makes
//! the next.

use std::collections::{HashMap, HashSet};

use lienthong_model::limits::{AGENCIES_MAX, TEXT_CHARS_MAX};
use lienthong_model::{
    AgencyCode, AgencyEntry, CodeKey, Day, Level, Ordinal, Timestamp, fold_diacritics,
};
use minicbor::{Decode, Encode};

/// Most entries of one agency: all of them are one row.
const ENTRIES_MAX: usize = 24;

/// An agency and what was, is and will be true of it. Kept as a row: field numbers are stable.
#[derive(Debug, Clone, PartialEq, Encode, Decode)]
pub struct AgencyRecord {
    /// Its number; never reused.
    #[n(0)]
    pub ordinal: Ordinal,
    /// Its identity.
    #[n(1)]
    pub key: CodeKey,
    /// Its entries by first day; at least one, no two from the same day.
    #[n(2)]
    pub entries: Vec<AgencyEntry>,
}

/// Where an agency stands, for statistics and routing. Journalled: field numbers are stable.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Encode, Decode)]
pub struct Place {
    /// The province's ordinal; none for the centre.
    #[n(0)]
    pub province: Option<Ordinal>,
    /// The level.
    #[n(1)]
    pub level: Level,
}

/// Every agency that the hub knows.
#[derive(Debug, Clone, Default)]
pub struct Directory {
    agencies: Vec<AgencyRecord>,
    by_key: HashMap<CodeKey, Ordinal>,
    /// Names without diacritics, beside `agencies`, for searching.
    folded: Vec<String>,
    version: u64,
}

/// Why entries cannot be taken over.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DirectoryError {
    /// A superior, province or gateway is neither in the directory nor among the entries.
    #[error("`{code}` names `{missing}` as its {role}, which the directory does not have")]
    Missing {
        /// The agency whose entry it is.
        code: AgencyCode,
        /// The code that is missing.
        missing: AgencyCode,
        /// superior, province or gateway.
        role: &'static str,
    },
    /// More agencies than the bound.
    #[error("the directory holds at most {AGENCIES_MAX} agencies, this would make {0}")]
    TooMany(usize),
    /// An agency would have more entries than fit a row.
    #[error("`{0}` would have more than {ENTRIES_MAX} entries")]
    TooManyEntries(AgencyCode),
    /// A name is longer than the bound.
    #[error("the name of `{0}` has more than {TEXT_CHARS_MAX} characters")]
    NameTooLong(AgencyCode),
    /// An agency ends before it begins.
    #[error("`{0}` ends before it begins")]
    EndsBeforeItBegins(AgencyCode),
}

impl AgencyRecord {
    /// Returns the entry in force at a moment; when none is, the latest that has begun, and before
    /// all of them the first.
    pub fn entry(&self, at: Timestamp) -> &AgencyEntry {
        let day = at.day();
        let begun = self.entries.iter().rposition(|entry| entry.from <= day).unwrap_or(0);
        // A record has at least one entry: `put` makes it with one, `restore` takes no other.
        &self.entries[begun]
    }

    /// Returns the entry in force at a moment, `None` when none is.
    pub fn entry_in_force(&self, at: Timestamp) -> Option<&AgencyEntry> {
        Some(self.entry(at)).filter(|entry| entry.in_force(at))
    }
}

impl Directory {
    /// Returns how many changes made it what it is.
    pub fn version(&self) -> u64 {
        self.version
    }

    /// Returns the number of agencies.
    pub fn len(&self) -> usize {
        self.agencies.len()
    }

    /// Returns whether there are no agencies.
    pub fn is_empty(&self) -> bool {
        self.agencies.is_empty()
    }

    /// Returns all agencies in the order of their ordinals.
    pub fn agencies(&self) -> &[AgencyRecord] {
        &self.agencies
    }

    /// Returns the agency with a code, however it is written.
    pub fn find(&self, code: &AgencyCode) -> Option<&AgencyRecord> {
        self.find_key(&code.filed_as())
    }

    /// Returns the agency with a normalised code: the text of a [`CodeKey`].
    pub fn find_key(&self, key: &str) -> Option<&AgencyRecord> {
        self.by_key.get(key).and_then(|ordinal| self.agency(*ordinal))
    }

    /// Returns the agency with an ordinal.
    pub fn agency(&self, ordinal: Ordinal) -> Option<&AgencyRecord> {
        self.agencies.get(ordinal.0 as usize)
    }

    /// Returns the code as the directory writes it at a moment; a placeholder for an ordinal that
    /// it does not have.
    pub fn code(&self, ordinal: Ordinal, at: Timestamp) -> String {
        match self.agency(ordinal) {
            Some(agency) => agency.entry(at).code.to_string(),
            None => format!("#{}", ordinal.0),
        }
    }

    /// Returns the ordinal of an agency's gateway at a moment.
    pub fn gateway(&self, agency: &AgencyRecord, at: Timestamp) -> Option<Ordinal> {
        let code = agency.entry(at).gateway.as_ref()?;
        self.find(code).map(|gateway| gateway.ordinal).filter(|own| *own != agency.ordinal)
    }

    /// Returns where an agency stands at a moment.
    pub fn place(&self, agency: &AgencyRecord, at: Timestamp) -> Place {
        let entry = agency.entry(at);
        let province = entry.province.as_ref().and_then(|code| self.find(code));
        Place { province: province.map(|province| province.ordinal), level: entry.level }
    }

    /// Returns where every agency stands at a moment, in the order of their ordinals.
    pub fn places(&self, at: Timestamp) -> Vec<Place> {
        let mut provinces: HashMap<&AgencyCode, Option<Ordinal>> = HashMap::new();
        let places = self.agencies.iter().map(|agency| {
            let entry = agency.entry(at);
            let province = entry.province.as_ref().and_then(|code| {
                let found = || self.find(code).map(|province| province.ordinal);
                *provinces.entry(code).or_insert_with(found)
            });
            Place { province, level: entry.level }
        });
        places.collect()
    }

    /// Returns whether `caller` may act for `agency`: it is the agency, or its gateway.
    pub fn serves(&self, caller: Ordinal, agency: &AgencyRecord, at: Timestamp) -> bool {
        caller == agency.ordinal || self.gateway(agency, at) == Some(caller)
    }

    /// Returns the agencies that a node serves at a moment: its own first, then those it is the
    /// gateway of, by ordinal.
    pub fn served_by(&self, caller: Ordinal, at: Timestamp) -> Vec<Ordinal> {
        let below = self
            .agencies
            .iter()
            .filter(|agency| agency.ordinal != caller && self.gateway(agency, at) == Some(caller))
            .map(|agency| agency.ordinal);
        std::iter::once(caller).chain(below).collect()
    }

    /// Returns agencies whose code or names have every word of `text`, without regard to
    /// diacritics and case: those of which one starts with the whole text first, then those of which
    /// one holds it, higher levels first, then by ordinal.
    pub fn search(&self, text: &str, limit: usize) -> Vec<&AgencyRecord> {
        let wanted = fold_diacritics(text);
        let words: Vec<&str> = wanted.split(' ').filter(|word| !word.is_empty()).collect();
        if words.is_empty() {
            return Vec::new();
        }
        let distance = |folded: &String| match folded.find(&wanted) {
            Some(_) if folded.split('\n').any(|text| text.starts_with(&wanted)) => 0,
            Some(_) => 1,
            None => 2,
        };
        let mut found: Vec<(u8, &AgencyRecord)> = self
            .agencies
            .iter()
            .zip(&self.folded)
            .filter(|(_, folded)| words.iter().all(|word| folded.contains(word)))
            .map(|(agency, folded)| (distance(folded), agency))
            .collect();
        found.sort_by_key(|(distance, agency)| {
            (*distance, agency.entries.last().map(|entry| entry.level), agency.ordinal)
        });
        found.into_iter().take(limit).map(|(_, agency)| agency).collect()
    }

    /// Checks that entries can be taken over: what they refer to exists, and the bound holds.
    ///
    /// # Errors
    /// [`DirectoryError`] for the first entry that cannot.
    pub fn check(&self, entries: &[AgencyEntry]) -> Result<(), DirectoryError> {
        let keys = self.first_days(entries)?;
        let added = keys.keys().filter(|key| !self.by_key.contains_key(*key)).count();
        if self.len() + added > AGENCIES_MAX {
            return Err(DirectoryError::TooMany(self.len() + added));
        }
        for entry in entries {
            if entry.until.is_some_and(|until| until <= entry.from) {
                return Err(DirectoryError::EndsBeforeItBegins(entry.code.clone()));
            }
            let references = [
                ("superior", &entry.parent),
                ("province", &entry.province),
                ("gateway", &entry.gateway),
            ];
            for (role, code) in references {
                if let Some(code) = code
                    && !keys.contains_key(&code.key())
                    && self.find(code).is_none()
                {
                    let (code, missing) = (entry.code.clone(), code.clone());
                    return Err(DirectoryError::Missing { code, missing, role });
                }
            }
        }
        Ok(())
    }

    /// The first days that the agencies of entries would have, within their bounds.
    fn first_days(
        &self,
        entries: &[AgencyEntry],
    ) -> Result<HashMap<CodeKey, HashSet<Day>>, DirectoryError> {
        let mut all: HashMap<CodeKey, HashSet<Day>> = HashMap::with_capacity(entries.len());
        for entry in entries {
            if entry.name.chars().count() > TEXT_CHARS_MAX {
                return Err(DirectoryError::NameTooLong(entry.code.clone()));
            }
            let key = entry.code.key();
            let known = self.find_key(key.as_str()).map(|agency| agency.entries.as_slice());
            let known = || known.unwrap_or_default().iter().map(|entry| entry.from).collect();
            let days = all.entry(key).or_insert_with(known);
            days.insert(entry.from);
            if days.len() > ENTRIES_MAX {
                return Err(DirectoryError::TooManyEntries(entry.code.clone()));
            }
        }
        Ok(all)
    }

    /// Takes an entry over and returns its agency: a new one, or the known one with the entry
    /// filed under its first day. Repeating it changes nothing.
    pub fn put(&mut self, entry: AgencyEntry) -> &AgencyRecord {
        let key = entry.code.key();
        let index = match self.by_key.get(&key) {
            Some(ordinal) => ordinal.0 as usize,
            None => {
                let ordinal = Ordinal(u32::try_from(self.agencies.len()).unwrap_or(u32::MAX));
                self.by_key.insert(key.clone(), ordinal);
                self.agencies.push(AgencyRecord { ordinal, key, entries: Vec::new() });
                self.folded.push(String::new());
                self.agencies.len() - 1
            }
        };
        let agency = &mut self.agencies[index];
        match agency.entries.binary_search_by_key(&entry.from, |known| known.from) {
            Ok(same) if agency.entries[same] == entry => return &self.agencies[index],
            Ok(same) => agency.entries[same] = entry,
            Err(place) => agency.entries.insert(place, entry),
        }
        self.version += 1;
        self.folded[index] = folded(agency);
        &self.agencies[index]
    }

    /// Takes a stored record over and returns whether it could: records must come in the order of
    /// their ordinals, without gaps. After a kill a row may be there and one before it missing;
    /// both belong to blocks that are about to be replayed.
    pub(crate) fn restore(&mut self, record: AgencyRecord) -> bool {
        if record.ordinal.0 as usize != self.agencies.len() || record.entries.is_empty() {
            return false;
        }
        self.by_key.insert(record.key.clone(), record.ordinal);
        self.folded.push(folded(&record));
        self.version += record.entries.len() as u64;
        self.agencies.push(record);
        true
    }
}

/// Code and names without diacritics, a line each.
fn folded(agency: &AgencyRecord) -> String {
    let mut text = agency.key.as_str().to_ascii_lowercase();
    for entry in &agency.entries {
        text.push('\n');
        text.push_str(&fold_diacritics(&entry.name));
    }
    text
}
