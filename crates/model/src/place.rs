//! The administrative levels.

use std::fmt;
use std::str::FromStr;

use minicbor::{Decode, Encode};

/// The level of an agency. The numbers are stable: they are journalled and sent.
///
/// Which agencies stand on which level is data with dates in the directory:
/// after the reform of 2025 no entry in force is on the district level.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Encode, Decode)]
#[cbor(index_only)]
pub enum Level {
    /// A ministry or another central body (*bộ, cơ quan ngang bộ*).
    #[n(1)]
    Ministry = 1,
    /// A province or centrally run city, and its departments (*tỉnh, sở*).
    #[n(2)]
    Province = 2,
    /// A district (*huyện, quận, thị xã, thành phố thuộc tỉnh*).
    #[n(3)]
    District = 3,
    /// A commune (*xã, phường, thị trấn*).
    #[n(4)]
    Commune = 4,
}

/// A text or number that names no level.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("a level is one of ministry, province, district, commune; this is `{0}`")]
pub struct LevelError(pub String);

impl Level {
    /// All levels, highest first.
    pub const ALL: [Level; 4] = [Level::Ministry, Level::Province, Level::District, Level::Commune];

    /// The stable number, 1 to 4.
    pub const fn number(self) -> u8 {
        self as u8
    }

    /// The level of a stable number.
    pub const fn from_number(number: u8) -> Option<Self> {
        match number {
            1 => Some(Level::Ministry),
            2 => Some(Level::Province),
            3 => Some(Level::District),
            4 => Some(Level::Commune),
            _ => None,
        }
    }

    /// The English name, as it stands in JSON and configuration.
    pub const fn name(self) -> &'static str {
        match self {
            Level::Ministry => "ministry",
            Level::Province => "province",
            Level::District => "district",
            Level::Commune => "commune",
        }
    }

    /// The Vietnamese name.
    pub const fn name_vi(self) -> &'static str {
        match self {
            Level::Ministry => "bộ, ngành",
            Level::Province => "tỉnh",
            Level::District => "huyện",
            Level::Commune => "xã",
        }
    }
}

impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl FromStr for Level {
    type Err = LevelError;
    fn from_str(text: &str) -> Result<Self, LevelError> {
        Level::ALL
            .into_iter()
            .find(|level| level.name() == text)
            .ok_or_else(|| LevelError(text.to_owned()))
    }
}
