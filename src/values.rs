//! Values of administration as people write them, on the command line and in files: each reader
//! says what may be written.

use std::time::Duration;

use lienthong_model::{AgencyCode, Capacity, Day, DocumentType, Role, Signatory, Territory};

use crate::{routes, toml_tables};

/// How a person is written.
pub(crate) const PERSON: &str =
    "write AGENCY/ID, such as H36/chair: the agency and the id of the person's certificate";
/// The same in Vietnamese.
pub(crate) const PERSON_VI: &str =
    "ghi MÃ_CƠ_QUAN/ID, như H36/chair: cơ quan và id trong chứng thư của người đó";
/// How a capacity is written.
pub(crate) const CAPACITY: &str =
    "write head, on-behalf (TM.), deputy (KT.), by-order (TL.) or by-authorization (TUQ.)";
/// The same in Vietnamese.
pub(crate) const CAPACITY_VI: &str =
    "ghi head, on-behalf (TM.), deputy (KT.), by-order (TL.) hoặc by-authorization (TUQ.)";
/// How a day is written.
pub(crate) const DAY: &str = "write a day, such as 2020-11-16";
/// The same in Vietnamese.
pub(crate) const DAY_VI: &str = "ghi một ngày, như 2020-11-16";

/// Longest id of a person that a certificate may have, in characters.
const PERSON_CHARS_MAX: usize = 64;

/// For how long a late revocation list is waited for; none: without end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Grace(pub Option<Duration>);

/// Reads a person: `H36/chair`.
pub(crate) fn person(text: &str) -> Result<Signatory, String> {
    let (agency, person) = text.split_once('/').ok_or(PERSON)?;
    let agency = AgencyCode::parse(agency).map_err(|error| format!("{error}; {PERSON}"))?;
    let legal = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '.' | '_');
    if person.is_empty() || person.len() > PERSON_CHARS_MAX || !person.chars().all(legal) {
        return Err(PERSON.to_owned());
    }
    Ok(Signatory { agency, person: person.to_owned() })
}

/// Writes a person as it is read.
pub(crate) fn person_text(person: &Signatory) -> String {
    format!("{}/{}", person.agency, person.person)
}

/// Reads a capacity by its name, or by its abbreviation before a signature.
pub(crate) fn capacity(text: &str) -> Result<Capacity, String> {
    let abbreviated = |one: &Capacity| !one.abbreviation().is_empty() && one.abbreviation() == text;
    let found = Capacity::from_name(text).or_else(|| Capacity::ALL.into_iter().find(abbreviated));
    found.ok_or_else(|| CAPACITY.to_owned())
}

/// Reads a role.
pub(crate) fn role(text: &str) -> Result<Role, String> {
    Role::from_name(text).ok_or_else(|| "write viewer, operator or administrator".to_owned())
}

/// Reads a territory: `country`, `province:H36`, `agency:H36.05`.
pub(crate) fn territory(text: &str) -> Result<Territory, String> {
    let wrong = || "write country, province:CODE or agency:CODE".to_owned();
    let code = |code: &str| AgencyCode::parse(code).map_err(|error| error.to_string());
    match text.split_once(':') {
        None if text == "country" => Ok(Territory::Country),
        Some(("province", province)) => code(province).map(Territory::Province),
        Some(("agency", agency)) => code(agency).map(Territory::Agency),
        None | Some(_) => Err(wrong()),
    }
}

/// Writes a territory as it is read.
pub(crate) fn territory_text(territory: &Territory) -> String {
    match territory {
        Territory::Country => "country".to_owned(),
        Territory::Province(code) => format!("province:{code}"),
        Territory::Agency(code) => format!("agency:{code}"),
    }
}

/// Reads a day.
pub(crate) fn day(text: &str) -> Result<Day, String> {
    toml_tables::day(text).ok_or_else(|| DAY.to_owned())
}

/// Reads an administrative type.
pub(crate) fn document_type(text: &str) -> Result<DocumentType, String> {
    routes::document_type(text).ok_or_else(|| routes::TYPES.to_owned())
}

/// Writes an administrative type shortly: as it is read.
pub(crate) fn type_text(document_type: DocumentType) -> &'static str {
    match document_type {
        DocumentType::OFFICIAL_LETTER => "CV",
        other if other.abbreviation().is_empty() => other.name_vi(),
        other => other.abbreviation(),
    }
}

/// Reads a grace: a span, or `forever`.
pub(crate) fn grace(text: &str) -> Result<Grace, String> {
    if text == "forever" {
        return Ok(Grace(None));
    }
    humantime::parse_duration(text)
        .map(|span| Grace(Some(span)))
        .map_err(|error| format!("{error}; write a span, such as `72h`, or `forever`"))
}

/// Writes a grace as it is read.
pub(crate) fn grace_text(grace: Option<Duration>) -> String {
    grace.map_or_else(|| "forever".to_owned(), |span| humantime::format_duration(span).to_string())
}

/// Units of bytes, in the order in which they are tried.
const UNITS: [(&str, u32); 5] = [("TiB", 40), ("GiB", 30), ("MiB", 20), ("KiB", 10), ("B", 0)];

/// Reads a number of bytes: `10GiB`, `50MiB`, `4096`.
pub(crate) fn bytes(text: &str) -> Result<u64, String> {
    let unit = UNITS.into_iter().find_map(|(unit, shift)| Some((text.strip_suffix(unit)?, shift)));
    let (number, shift) = unit.unwrap_or((text, 0));
    let number: Option<u64> = number.trim().parse().ok();
    number
        .and_then(|number| number.checked_mul(1 << shift))
        .ok_or_else(|| "write a whole number and KiB, MiB, GiB or TiB, such as `50MiB`".to_owned())
}

/// Writes a number of bytes as it is read, in the largest unit that leaves no rest.
pub(crate) fn bytes_text(bytes: u64) -> String {
    let fits = |(_, shift): &(&str, u32)| bytes >= 1 << shift && bytes.is_multiple_of(1 << shift);
    let (unit, shift) = UNITS.into_iter().find(fits).unwrap_or(("B", 0));
    format!("{}{unit}", bytes >> shift)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_again() {
        for text in ["H36/chair", "000.00.12.H36/an.nguyen_1"] {
            assert_eq!(person_text(&person(text).unwrap()), text);
        }
        for text in ["country", "province:H36", "agency:H36.05"] {
            assert_eq!(territory_text(&territory(text).unwrap()), text);
        }
        for text in ["10GiB", "50MiB", "1025KiB", "7B", "1TiB"] {
            assert_eq!(bytes_text(bytes(text).unwrap()), text);
        }
        for text in ["QĐ", "CV", "TTr"] {
            assert_eq!(type_text(document_type(text).unwrap()), text);
        }
        for capacity_of in Capacity::ALL {
            assert_eq!(capacity(capacity_of.name()), Ok(capacity_of));
        }
        assert_eq!(capacity("TUQ."), Ok(Capacity::ByAuthorization));
        assert_eq!(grace("72h"), Ok(Grace(Some(Duration::from_secs(72 * 3600)))));
        assert_eq!(grace("forever"), Ok(Grace(None)));
        assert_eq!(bytes("4096"), Ok(4096));
    }

    #[test]
    fn what_is_wrong_says_what_may_be_written() {
        assert!(person("chair").unwrap_err().contains("AGENCY/ID"));
        assert!(person("H36/").unwrap_err().contains("AGENCY/ID"));
        assert!(person("H..36/an").unwrap_err().contains("group"));
        assert!(capacity("chief").unwrap_err().contains("deputy"));
        assert!(capacity("").unwrap_err().contains("head"));
        assert!(role("root").unwrap_err().contains("administrator"));
        assert!(territory("H36").unwrap_err().contains("province:CODE"));
        assert!(day("16/11/2020").unwrap_err().contains("2020-11-16"));
        assert!(grace("soon").unwrap_err().contains("forever"));
        for wrong in ["", "GiB", "1.5GiB", "-1", "99999999TiB"] {
            assert!(bytes(wrong).unwrap_err().contains("50MiB"), "{wrong}");
        }
    }
}
