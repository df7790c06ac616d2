//! The rows of the files in `data/`, as they stand there: compiled in, read, not interpreted.

use lienthong_model::{AgencyCode, CodeError};
use serde::Deserialize;
use serde::de::DeserializeOwned;

/// Why the compiled-in lists cannot be used: somebody changed a file in `data/`.
#[derive(Debug, thiserror::Error)]
pub enum DataError {
    /// A line is not what its header says.
    #[error("`data/{file}`: {source}")]
    Row {
        /// The file.
        file: &'static str,
        /// The line, and what is wrong with it.
        source: csv::Error,
    },
    /// A text is not an agency code.
    #[error("`data/{file}`: `{text}`: {source}")]
    Code {
        /// The file.
        file: &'static str,
        /// The text.
        text: String,
        /// What is wrong with it.
        source: CodeError,
    },
    /// A value is not one of those that its column may have.
    #[error("`data/{file}`: `{text}` is not a {column}")]
    Value {
        /// The file.
        file: &'static str,
        /// The column.
        column: &'static str,
        /// The text.
        text: String,
    },
    /// A row names a superior unit that no file has.
    #[error("`data/{file}`: `{gso_code}` lies in `{superior}`, which is in no list")]
    Orphan {
        /// The file.
        file: &'static str,
        /// The code of the row, of the General Statistics Office.
        gso_code: String,
        /// The code that it names.
        superior: String,
    },
}

pub const MINISTRIES: &str = "ministries.csv";
pub const PROVINCES: &str = "provinces.csv";
pub const DISTRICTS: &str = "districts.csv";
pub const COMMUNES: &str = "communes.csv";

#[derive(Deserialize)]
pub struct MinistryRow {
    pub agency_code: String,
    pub name: String,
}

#[derive(Deserialize)]
pub struct ProvinceRow {
    pub gso_code: String,
    pub agency_code: String,
    pub name: String,
    pub name_with_type: String,
    pub region: String,
    pub agency_code_evidence: String,
}

#[derive(Deserialize)]
pub struct DistrictRow {
    pub gso_code: String,
    pub province_gso_code: String,
    pub name_with_type: String,
}

#[derive(Deserialize)]
pub struct CommuneRow {
    pub gso_code: String,
    pub district_gso_code: String,
    pub name_with_type: String,
}

pub fn ministries() -> Result<Vec<MinistryRow>, DataError> {
    rows(MINISTRIES, include_str!("../../../data/ministries.csv"))
}

pub fn provinces() -> Result<Vec<ProvinceRow>, DataError> {
    rows(PROVINCES, include_str!("../../../data/provinces.csv"))
}

pub fn districts() -> Result<Vec<DistrictRow>, DataError> {
    rows(DISTRICTS, include_str!("../../../data/districts.csv"))
}

pub fn communes() -> Result<Vec<CommuneRow>, DataError> {
    rows(COMMUNES, include_str!("../../../data/communes.csv"))
}

pub fn code(file: &'static str, text: &str) -> Result<AgencyCode, DataError> {
    AgencyCode::parse(text).map_err(|source| DataError::Code {
        file,
        text: text.to_owned(),
        source,
    })
}

fn rows<R: DeserializeOwned>(file: &'static str, text: &str) -> Result<Vec<R>, DataError> {
    csv::Reader::from_reader(text.as_bytes())
        .deserialize()
        .collect::<Result<_, _>>()
        .map_err(|source| DataError::Row { file, source })
}
