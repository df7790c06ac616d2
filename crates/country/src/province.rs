//! The 63 provinces and centrally run cities and the six regions that they lie in.

use lienthong_model::{AgencyCode, Region};

use crate::rows::{self, DataError, ProvinceRow};

/// A province or centrally run city before the reform of 1 July 2025.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Province {
    /// The agency code of its people's committee, `H01` to `H63`.
    pub code: AgencyCode,
    /// Whether a document confirms that code.
    pub evidence: CodeEvidence,
    /// The code of the General Statistics Office, two digits.
    pub gso_code: String,
    /// The name without its kind: `Lâm Đồng`.
    pub name: String,
    /// The name with its kind: `Tỉnh Lâm Đồng`.
    pub name_with_type: String,
    /// The socio-economic region.
    pub region: Region,
}

/// How well a province's agency code is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum CodeEvidence {
    /// A document states it.
    Sourced,
    /// It is the best that could be had.
    Unconfirmed,
}

/// Returns the 63 provinces in the order of their codes of the General Statistics Office, which
/// runs from north to south.
///
/// # Errors
/// [`DataError`] only when the compiled-in list was changed to something that is none.
pub fn provinces() -> Result<Vec<Province>, DataError> {
    rows::provinces()?.into_iter().map(province).collect()
}

fn province(row: ProvinceRow) -> Result<Province, DataError> {
    let value = |column, text: &str| DataError::Value {
        file: rows::PROVINCES,
        column,
        text: text.to_owned(),
    };
    let evidence = match row.agency_code_evidence.as_str() {
        "sourced" => CodeEvidence::Sourced,
        "unconfirmed" => CodeEvidence::Unconfirmed,
        other => return Err(value("kind of evidence", other)),
    };
    let region = Region::from_name(&row.region).ok_or_else(|| value("region", &row.region))?;
    Ok(Province {
        code: rows::code(rows::PROVINCES, &row.agency_code)?,
        evidence,
        gso_code: row.gso_code,
        name: row.name,
        name_with_type: row.name_with_type,
        region,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_are_63_provinces_and_ten_of_their_codes_are_confirmed() {
        let provinces = provinces().unwrap();
        assert_eq!(provinces.len(), 63);
        let sourced = provinces.iter().filter(|one| one.evidence == CodeEvidence::Sourced);
        assert_eq!(sourced.count(), 10);
        assert!(provinces.is_sorted_by(|a, b| a.gso_code < b.gso_code));
    }

    #[test]
    fn the_five_provinces_of_the_central_highlands_are_there() {
        let provinces = provinces().unwrap();
        let highlands: Vec<&str> = provinces
            .iter()
            .filter(|one| one.region == Region::CentralHighlands)
            .map(|one| one.name.as_str())
            .collect();
        assert_eq!(highlands, ["Kon Tum", "Gia Lai", "Đắk Lắk", "Đắk Nông", "Lâm Đồng"]);
    }

    #[test]
    fn every_region_has_provinces_and_is_found_by_its_name() {
        let provinces = provinces().unwrap();
        for region in Region::ALL {
            assert_eq!(Region::from_name(region.name()), Some(region));
            assert!(provinces.iter().any(|one| one.region == region), "{region}");
        }
        assert_eq!(Region::from_name("delta"), None);
    }
}
