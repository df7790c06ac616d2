//! Lists of recipients: names that stand for many agencies.
//!
//! | name | stands for |
//! |---|---|
//! | `ministries` | all ministries and central bodies |
//! | `provinces` | all provinces' people's committees |
//! | `districts`, `communes` | all of the country |
//! | `districts-of:H36`, `communes-of:H36`, `departments-of:H36` | all of one province |
//! | `below:H36.30` | all agencies whose direct superior it is |
//! | `saved:NAME` | a list that the sender, or the nearest superior that has one, saved |
//! | `saved:H36/NAME` | the same of the sender itself or of a superior that is named |
//!
//! A list is resolved once, when a document that names it is accepted; the decision keeps what came
//! out of it. Who of a list may receive is judged there, not here.

use std::fmt;
use std::str::FromStr;

use lienthong_model::limits::{SAVED_LIST_NAME_CHARS_MAX, SUPERIORS_MAX};
use lienthong_model::{AgencyCode, AgencyEntry, CodeKey, DocumentType, Level, Ordinal, Timestamp};
use minicbor::{Decode, Encode};

use crate::codec;
use crate::command::LeftOut;
use crate::directory::{AgencyRecord, Directory};
use crate::engine::{EngineError, Tables};
use crate::keys;
use crate::policy::Policy;
use crate::query::Query;
use crate::routing::{Origin, Route};
use crate::rows::SavedList;

/// The name of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ListName {
    /// Agencies that the directory tells.
    BuiltIn(BuiltIn),
    /// Agencies that somebody has put together.
    Saved {
        /// Whose list it is; none: the sender's, or that of the nearest superior that has one.
        owner: Option<AgencyCode>,
        /// Its name there.
        name: SavedName,
    },
}

/// A list that the directory tells.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum BuiltIn {
    /// All ministries and central bodies.
    Ministries,
    /// All provinces' people's committees.
    Provinces,
    /// All districts of the country.
    Districts,
    /// All communes of the country.
    Communes,
    /// All districts of a province.
    DistrictsOf(AgencyCode),
    /// All communes of a province.
    CommunesOf(AgencyCode),
    /// All departments of a province.
    DepartmentsOf(AgencyCode),
    /// All agencies whose direct superior it is.
    Below(AgencyCode),
}

/// The name of a saved list among its owner's: 1 to 64 of `a-z`, `0-9` and `-`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode)]
#[cbor(transparent)]
pub struct SavedName(#[n(0)] String);

/// Why a text names no list.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ListNameError {
    /// It follows no form.
    #[error(
        "`{0}` names no list; lists are `ministries`, `provinces`, `districts`, `communes`, \
         `districts-of:CODE`, `communes-of:CODE`, `departments-of:CODE`, `below:CODE` and \
         `saved:NAME`"
    )]
    Unknown(String),
    /// The code in it is none.
    #[error("`{0}` is no agency's code")]
    Code(String),
    /// The name of a saved list has other characters, or too many.
    #[error(
        "`{0}` is no name of a saved list: 1 to {SAVED_LIST_NAME_CHARS_MAX} of `a-z`, `0-9`, `-`"
    )]
    SavedName(String),
}

impl SavedName {
    /// Reads the name of a saved list.
    ///
    /// # Errors
    /// [`ListNameError::SavedName`].
    pub fn parse(text: &str) -> Result<Self, ListNameError> {
        let allowed = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        let within = 1..=SAVED_LIST_NAME_CHARS_MAX;
        match within.contains(&text.len()) && text.chars().all(allowed) {
            true => Ok(Self(text.to_owned())),
            false => Err(ListNameError::SavedName(text.chars().take(100).collect())),
        }
    }

    /// Returns the name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl BuiltIn {
    /// Returns what the list is, in Vietnamese and in English.
    pub fn title(&self) -> (String, String) {
        let of = |vi: &str, en: &str, code: &AgencyCode| {
            (format!("{vi} {code}"), format!("{en} {code}"))
        };
        let all = |vi: &str, en: &str| (vi.to_owned(), en.to_owned());
        match self {
            Self::Ministries => {
                all("mọi bộ, ngành trung ương", "all ministries and central bodies")
            }
            Self::Provinces => all("mọi tỉnh, thành phố", "all provinces and cities"),
            Self::Districts => all("mọi huyện cả nước", "all districts of the country"),
            Self::Communes => all("mọi xã cả nước", "all communes of the country"),
            Self::DistrictsOf(code) => of("mọi huyện của", "all districts of", code),
            Self::CommunesOf(code) => of("mọi xã của", "all communes of", code),
            Self::DepartmentsOf(code) => of("mọi sở, ngành của", "all departments of", code),
            Self::Below(code) => of("mọi cơ quan trực thuộc", "all agencies directly below", code),
        }
    }

    /// The agency that the list is told of.
    fn agency(&self) -> Option<&AgencyCode> {
        match self {
            Self::Ministries | Self::Provinces | Self::Districts | Self::Communes => None,
            Self::DistrictsOf(code)
            | Self::CommunesOf(code)
            | Self::DepartmentsOf(code)
            | Self::Below(code) => Some(code),
        }
    }

    /// Whether an agency with an entry is on the list; `of` is the key of the list's agency.
    fn has(&self, key: &CodeKey, entry: &AgencyEntry, of: Option<&CodeKey>) -> bool {
        let is = |code: Option<&AgencyCode>| code.map(AgencyCode::key).as_ref() == of;
        let on = |level: Level| entry.level == level;
        let own = |code: &Option<AgencyCode>| code.as_ref().is_some_and(|code| code.key() == *key);
        match self {
            Self::Ministries => on(Level::Ministry) && entry.parent.is_none(),
            Self::Provinces => on(Level::Province) && own(&entry.province),
            Self::Districts => on(Level::District),
            Self::Communes => on(Level::Commune),
            Self::DistrictsOf(_) => on(Level::District) && is(entry.province.as_ref()),
            Self::CommunesOf(_) => on(Level::Commune) && is(entry.province.as_ref()),
            Self::DepartmentsOf(_) => {
                on(Level::Province) && is(entry.province.as_ref()) && Some(key) != of
            }
            Self::Below(_) => is(entry.parent.as_ref()),
        }
    }

    /// Returns the agencies of the list by ordinal, in force or not; none when the list is told of
    /// an agency that the directory does not have.
    pub fn members(&self, directory: &Directory, at: Timestamp) -> Option<Vec<Ordinal>> {
        let of = match self.agency() {
            Some(code) => Some(directory.find(code)?.key.clone()),
            None => None,
        };
        let agencies = directory.agencies().iter();
        let members =
            agencies.filter(|agency| self.has(&agency.key, agency.entry(at), of.as_ref()));
        Some(members.map(|agency| agency.ordinal).collect())
    }
}

impl ListName {
    /// The built-in lists that need no agency.
    pub const COUNTRY: [BuiltIn; 4] =
        [BuiltIn::Ministries, BuiltIn::Provinces, BuiltIn::Districts, BuiltIn::Communes];
}

/// The version of a saved list, and the agencies that a list names.
type Named = (Option<u64>, Vec<Ordinal>);

/// Returns the agencies of a list that a sender names, in force or not, and the version of a saved
/// one; none when the sender has no list of that name. `read` reads a row of the state.
pub(crate) fn members(
    directory: &Directory,
    sender: &AgencyRecord,
    name: &str,
    at: Timestamp,
    read: impl Fn(&[u8]) -> Result<Option<bytes::Bytes>, EngineError>,
) -> Result<Option<Named>, EngineError> {
    let (owner, name) = match name.parse() {
        Ok(ListName::BuiltIn(list)) => {
            return Ok(list.members(directory, at).map(|members| (None, members)));
        }
        Ok(ListName::Saved { owner, name }) => (owner.map(|owner| owner.key()), name),
        Err(_) => return Ok(None),
    };
    let line = line_of_superiors(directory, sender, at);
    for agency in line.filter(|agency| owner.as_ref().is_none_or(|key| agency.key == *key)) {
        if let Some(row) = read(&keys::saved_list(agency.ordinal, name.as_str()))? {
            let list: SavedList = codec::decode(&row, "saved list")?;
            return Ok(Some((Some(list.version), list.members)));
        }
    }
    Ok(None)
}

/// Who of a list would get a document.
#[derive(Debug, Clone, PartialEq)]
pub struct Resolved {
    /// For a saved list: its version.
    pub version: Option<u64>,
    /// Who would get it, and how, in the order of the list.
    pub recipients: Vec<(Ordinal, Route)>,
    /// Who would be left out.
    pub left_out: Vec<LeftOut>,
}

impl<T: Tables + ?Sized> Query<'_, T> {
    /// Returns who of a list would get a document of a type from a sender at a moment; none when
    /// the sender has no list of that name. The sender itself is not counted.
    ///
    /// # Errors
    /// [`EngineError`] when a row cannot be read.
    pub fn resolve_list(
        &self,
        policy: &Policy,
        sender: &AgencyRecord,
        name: &str,
        document_type: DocumentType,
        at: Timestamp,
    ) -> Result<Option<Resolved>, EngineError> {
        let directory = &*policy.directory;
        let found = members(directory, sender, name, at, |key| self.0.read(key))?;
        let Some((version, members)) = found else { return Ok(None) };
        let from = Origin { agency: sender, place: directory.place(sender, at), at };
        let mut resolved = Resolved { version, recipients: Vec::new(), left_out: Vec::new() };
        let members = members.into_iter().filter(|member| *member != sender.ordinal);
        for member in members.filter_map(|member| directory.agency(member)) {
            let agency = member.ordinal;
            match policy.rules.judge(directory, &from, member, document_type).outcome {
                Ok(route) => resolved.recipients.push((agency, route)),
                Err(reason) => resolved.left_out.push(LeftOut { agency, reason }),
            }
        }
        Ok(Some(resolved))
    }
}

/// Returns an agency and its superiors, nearest first; at most [`SUPERIORS_MAX`] of them.
pub fn line_of_superiors<'d>(
    directory: &'d Directory,
    agency: &'d AgencyRecord,
    at: Timestamp,
) -> impl Iterator<Item = &'d AgencyRecord> {
    let superior =
        move |agency: &&'d AgencyRecord| directory.find(agency.entry(at).parent.as_ref()?);
    std::iter::successors(Some(agency), superior).take(SUPERIORS_MAX + 1)
}

impl FromStr for ListName {
    type Err = ListNameError;

    fn from_str(text: &str) -> Result<Self, ListNameError> {
        let code = |code: &str| {
            AgencyCode::parse(code)
                .map_err(|_| ListNameError::Code(code.chars().take(100).collect()))
        };
        let built_in = match text.split_once(':') {
            None => match text {
                "ministries" => BuiltIn::Ministries,
                "provinces" => BuiltIn::Provinces,
                "districts" => BuiltIn::Districts,
                "communes" => BuiltIn::Communes,
                _ => return Err(ListNameError::Unknown(text.chars().take(100).collect())),
            },
            Some(("districts-of", of)) => BuiltIn::DistrictsOf(code(of)?),
            Some(("communes-of", of)) => BuiltIn::CommunesOf(code(of)?),
            Some(("departments-of", of)) => BuiltIn::DepartmentsOf(code(of)?),
            Some(("below", of)) => BuiltIn::Below(code(of)?),
            Some(("saved", name)) => {
                let (owner, name) = match name.split_once('/') {
                    Some((owner, name)) => (Some(code(owner)?), name),
                    None => (None, name),
                };
                return Ok(Self::Saved { owner, name: SavedName::parse(name)? });
            }
            Some(_) => return Err(ListNameError::Unknown(text.chars().take(100).collect())),
        };
        Ok(Self::BuiltIn(built_in))
    }
}

impl fmt::Display for BuiltIn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ministries => f.write_str("ministries"),
            Self::Provinces => f.write_str("provinces"),
            Self::Districts => f.write_str("districts"),
            Self::Communes => f.write_str("communes"),
            Self::DistrictsOf(code) => write!(f, "districts-of:{code}"),
            Self::CommunesOf(code) => write!(f, "communes-of:{code}"),
            Self::DepartmentsOf(code) => write!(f, "departments-of:{code}"),
            Self::Below(code) => write!(f, "below:{code}"),
        }
    }
}

impl fmt::Display for ListName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::BuiltIn(list) => list.fmt(f),
            Self::Saved { owner: Some(owner), name } => write!(f, "saved:{owner}/{}", name.0),
            Self::Saved { owner: None, name } => write!(f, "saved:{}", name.0),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn names() -> impl Strategy<Value = String> {
        let code = "[A-Z][0-9]{2}(\\.[0-9]{2}){0,2}";
        let of = "(districts-of|communes-of|departments-of|below):";
        prop_oneof![
            "(ministries|provinces|districts|communes)",
            (of, code).prop_map(|(of, code)| of + &code),
            "saved:[a-z0-9-]{1,64}",
            (code, "[a-z0-9-]{1,64}").prop_map(|(code, name)| format!("saved:{code}/{name}")),
        ]
    }

    proptest! {
        #[test]
        fn a_name_is_written_as_it_was_read(name in names()) {
            prop_assert_eq!(name.parse::<ListName>().unwrap().to_string(), name);
        }

        #[test]
        fn no_text_makes_reading_a_name_panic(text in any::<String>()) {
            let _ = text.parse::<ListName>();
        }
    }

    #[test]
    fn what_names_no_list_is_refused() {
        for text in ["", "wards", "below:", "below:!", "communes:H36", "saved:", "saved:Ủy ban"] {
            assert!(text.parse::<ListName>().is_err(), "{text}");
        }
    }
}
