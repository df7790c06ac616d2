//! A copy of the directory on this machine: checks recipients and names agencies while the hub is
//! away. It is that of one version and one day (entries come into force by days), and is asked for
//! anew when either has changed.

use std::collections::HashMap;
use std::path::Path;

use futures_util::TryStreamExt as _;
use lienthong_client::{AgencyFilter, CallError, Client};
use lienthong_model::limits::DIRECTORY_COPY_BYTES_MAX;
use lienthong_model::{AgencyCode, AgencyEntry, AgencyState, CodeKey, Timestamp, fold_diacritics};
use serde::{Deserialize, Serialize};

use crate::disk::{self, DiskError};

/// An agency as the copy has it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Agency {
    /// Its code.
    pub code: String,
    /// Its name.
    pub name: String,
    /// Its administrative level, 1 to 4.
    pub level: u8,
    /// The superior agency; empty for none.
    pub parent: String,
    /// Its province; empty for the centre.
    pub province: String,
    /// `connected`, `held` or `suspended`.
    pub state: String,
    /// The first day in force.
    pub from: String,
    /// The first day no longer in force; empty while it is not known.
    pub until: String,
}

/// The directory of one version and day.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct DirectoryCopy {
    /// The directory's version; 0 for none.
    pub version: u64,
    /// When it was asked for, in business time.
    pub asked_at: String,
    agencies: Vec<Agency>,
    #[serde(skip)]
    by_key: HashMap<CodeKey, usize>,
    #[serde(skip)]
    folded: Vec<String>,
}

impl DirectoryCopy {
    /// Reads the copy kept in a file; an empty one when it is not there or cannot be used.
    pub(crate) fn read(path: &Path) -> Self {
        let bytes = match disk::read(path, DIRECTORY_COPY_BYTES_MAX as u64) {
            Ok(Some(bytes)) => bytes,
            Ok(None) => return Self::default(),
            Err(error) => {
                tracing::warn!(%error, "the copy of the directory is asked for anew");
                return Self::default();
            }
        };
        match serde_json::from_slice::<Self>(&bytes) {
            Ok(copy) => copy.indexed(),
            Err(error) => {
                tracing::warn!(%error, "the copy of the directory is asked for anew");
                Self::default()
            }
        }
    }

    /// Keeps the copy in a file.
    pub(crate) fn keep(&self, path: &Path) -> Result<(), DiskError> {
        let json = serde_json::to_vec(self)
            .map_err(|why| DiskError::of("write", path)(std::io::Error::other(why)))?;
        disk::replace(path, &json)
    }

    /// Asks whether there is a newer one; `None` when this one is it.
    pub(crate) async fn newer(
        &self,
        client: &Client,
        now: Timestamp,
    ) -> Result<Option<Self>, CallError> {
        let version = client.directory_version().await?;
        let today = now.day().to_string();
        if version == self.version && self.asked_at.starts_with(&today) {
            return Ok(None);
        }
        let agencies: Vec<AgencyEntry> =
            client.agencies(AgencyFilter::default()).try_collect().await?;
        let agencies = agencies.iter().map(Agency::from).collect();
        let copy = Self { version, asked_at: now.to_string(), agencies, ..Self::default() };
        // A change between two pages shows in the version: the next time asks again.
        let version = client.directory_version().await?.min(version);
        Ok(Some(Self { version, ..copy }.indexed()))
    }

    /// Makes a copy of entries, for tests and for whoever has them from elsewhere.
    pub fn of(version: u64, asked_at: Timestamp, entries: &[AgencyEntry]) -> Self {
        let agencies = entries.iter().map(Agency::from).collect();
        Self { version, asked_at: asked_at.to_string(), agencies, ..Self::default() }.indexed()
    }

    fn indexed(mut self) -> Self {
        let key = |(index, agency): (usize, &Agency)| {
            AgencyCode::parse(&agency.code).ok().map(|code| (code.key(), index))
        };
        self.by_key = self.agencies.iter().enumerate().filter_map(key).collect();
        let folded = |agency: &Agency| fold_diacritics(&format!("{} {}", agency.code, agency.name));
        self.folded = self.agencies.iter().map(folded).collect();
        self
    }

    /// Returns the number of agencies.
    pub fn len(&self) -> usize {
        self.agencies.len()
    }

    /// Returns whether there is none: the hub was never reached.
    pub fn is_empty(&self) -> bool {
        self.agencies.is_empty()
    }

    /// Returns the agency with a code, in either order of writing.
    pub fn find(&self, code: &AgencyCode) -> Option<&Agency> {
        self.by_key.get(&code.key()).and_then(|index| self.agencies.get(*index))
    }

    /// Returns agencies whose code and name have every word of a text; diacritics and case do not
    /// matter.
    pub fn search(&self, text: &str, limit: usize) -> Vec<&Agency> {
        let wanted = fold_diacritics(text);
        let words: Vec<&str> = wanted.split_whitespace().collect();
        let has_all = |folded: &String| words.iter().all(|word| folded.contains(word));
        let found = self.agencies.iter().zip(&self.folded).filter(|(_, folded)| has_all(folded));
        found.map(|(agency, _)| agency).take(limit).collect()
    }
}

impl From<&AgencyEntry> for Agency {
    fn from(entry: &AgencyEntry) -> Self {
        let code = |code: &Option<AgencyCode>| code.as_ref().map(ToString::to_string);
        Self {
            code: entry.code.to_string(),
            name: entry.name.clone(),
            level: entry.level.number(),
            parent: code(&entry.parent).unwrap_or_default(),
            province: code(&entry.province).unwrap_or_default(),
            state: entry.state.name().to_owned(),
            from: entry.from.to_string(),
            until: entry.until.map(|day| day.to_string()).unwrap_or_default(),
        }
    }
}

impl Agency {
    /// Returns whether documents may be addressed to it on a day.
    pub fn takes_documents(&self, on: Timestamp) -> bool {
        let today = on.day().to_string();
        let begun = self.from.as_str() <= today.as_str();
        let ended = !self.until.is_empty() && self.until.as_str() <= today.as_str();
        begun && !ended && self.state != AgencyState::Suspended.name()
    }
}

#[cfg(test)]
mod tests {
    use lienthong_model::{Day, Level, SignaturePolicy};

    use super::*;

    fn entry(code: &str, name: &str) -> AgencyEntry {
        AgencyEntry {
            code: AgencyCode::parse(code).unwrap(),
            name: name.to_owned(),
            level: Level::Province,
            parent: None,
            province: None,
            from: Day(0),
            until: None,
            state: AgencyState::Connected,
            policy: SignaturePolicy::Required,
            gateway: None,
        }
    }

    #[test]
    fn a_copy_is_kept_and_finds_again_what_it_had() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("directory.json");
        assert!(DirectoryCopy::read(&path).is_empty());
        let now = Timestamp::parse("2020-11-16T08:00+07:00").unwrap();
        let entries = [entry("H36.12", "Sở Nội vụ Lâm Đồng"), entry("H34", "Kon Tum")];
        DirectoryCopy::of(3, now, &entries).keep(&path).unwrap();
        let copy = DirectoryCopy::read(&path);
        assert_eq!((copy.version, copy.len()), (3, 2));
        let found = copy.find(&AgencyCode::parse("000.00.12.H36").unwrap()).unwrap();
        assert_eq!(found.name, "Sở Nội vụ Lâm Đồng");
        assert_eq!(copy.search("noi vu lam", 9).len(), 1);
        assert_eq!(copy.search("h34", 9)[0].name, "Kon Tum");
        std::fs::write(&path, "{").unwrap();
        assert!(DirectoryCopy::read(&path).is_empty(), "what cannot be read is asked for anew");
    }

    #[test]
    fn an_agency_that_has_ended_or_is_suspended_takes_nothing() {
        let now = Timestamp::parse("2025-07-01").unwrap();
        let mut agency = Agency::from(&entry("H34", "x"));
        assert!(agency.takes_documents(now));
        agency.until = "2025-07-01".to_owned();
        assert!(!agency.takes_documents(now));
        agency.until.clear();
        agency.state = "suspended".to_owned();
        assert!(!agency.takes_documents(now));
    }
}
