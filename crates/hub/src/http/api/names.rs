//! Names of agencies in answers.

use lienthong_core::Directory;
use lienthong_model::{AgencyCode, Ordinal, Reason, Refusal, Signatory, Territory, Timestamp};
use serde::Serialize;

/// An agency as an answer names it.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Named {
    pub code: String,
    pub name: String,
}

impl Named {
    /// The agency with an ordinal at a moment.
    pub fn of(directory: &Directory, agency: Ordinal, at: Timestamp) -> Self {
        let name = directory.agency(agency).map(|found| found.entry(at).name.clone());
        Self { code: directory.code(agency, at), name: name.unwrap_or_default() }
    }
}

/// A person as signing in names one: `AGENCY/ID`.
pub(super) fn person(person: &Signatory) -> String {
    format!("{}/{}", person.agency, person.person)
}

/// Reads a person's name.
pub(super) fn read_person(text: &str) -> Result<Signatory, Refusal> {
    let invalid = |why: &dyn std::fmt::Display| Refusal::at(Reason::FieldInvalid, "person", why);
    let (agency, person) = text.trim().split_once('/').ok_or_else(|| invalid(&"not AGENCY/ID"))?;
    let agency = AgencyCode::parse(agency).map_err(|error| invalid(&error))?;
    let known = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '.' | '_');
    if person.is_empty() || person.len() > 64 || !person.chars().all(known) {
        return Err(invalid(&"an id is 1 to 64 letters, digits, `-`, `.`, `_`"));
    }
    Ok(Signatory { agency, person: person.to_owned() })
}

/// Reads the code of an agency.
pub(super) fn read_code(text: &str, field: &str) -> Result<AgencyCode, Refusal> {
    AgencyCode::parse(text).map_err(|error| Refusal::at(Reason::FieldInvalid, field, error))
}

/// A territory as answers write it.
#[derive(Debug, Serialize)]
pub(super) struct Place {
    /// country, province or agency.
    kind: &'static str,
    code: Option<String>,
}

impl Place {
    pub fn of(territory: &Territory) -> Self {
        let kind = match territory {
            Territory::Country => "country",
            Territory::Province(_) => "province",
            Territory::Agency(_) => "agency",
        };
        Self { kind, code: territory.agency().map(ToString::to_string) }
    }
}
