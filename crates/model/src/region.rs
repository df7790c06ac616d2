//! The six socio-economic regions, and which province lies in which.

use std::fmt;

use crate::code::CodeKey;

/// One of the six socio-economic regions. Numbers are stable.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Region {
    /// *Trung du và miền núi phía Bắc*.
    NorthernMidlandsMountains = 1,
    /// *Đồng bằng sông Hồng*.
    RedRiverDelta = 2,
    /// *Bắc Trung Bộ và duyên hải miền Trung*.
    NorthCentralCentralCoast = 3,
    /// *Tây Nguyên*.
    CentralHighlands = 4,
    /// *Đông Nam Bộ*.
    Southeast = 5,
    /// *Đồng bằng sông Cửu Long*.
    MekongDelta = 6,
}

impl Region {
    /// All regions, from north to south.
    pub const ALL: [Region; 6] = [
        Region::NorthernMidlandsMountains,
        Region::RedRiverDelta,
        Region::NorthCentralCentralCoast,
        Region::CentralHighlands,
        Region::Southeast,
        Region::MekongDelta,
    ];

    /// The regions of `H01` to `H63`, a letter each, in the order of [`Region::ALL`]: M, R, N, H, S, K.
    const OF_PROVINCES: &'static [u8; 63] =
        b"KMMKRSKNSSNKKMHHNMSKHMRRRRNMSKRNKHMHMMKRNRNMNNNNRNKMSRMNNKKMKRM";

    /// Returns the region of the province whose agency code has a key; `None` for any other agency.
    pub fn of_province(key: &CodeKey) -> Option<Self> {
        let number = key.as_str().strip_prefix(['H', 'h'])?;
        let number = number.parse::<usize>().ok().filter(|_| number.len() == 2)?;
        let letter = Self::OF_PROVINCES.get(number.checked_sub(1)?)?;
        let place = b"MRNHSK".iter().position(|known| known == letter)?;
        Self::ALL.get(place).copied()
    }

    /// Returns the stable number, 1 to 6.
    pub const fn number(self) -> u8 {
        self as u8
    }

    /// Returns the name in files, JSON and configuration.
    pub const fn name(self) -> &'static str {
        match self {
            Region::NorthernMidlandsMountains => "northern-midlands-mountains",
            Region::RedRiverDelta => "red-river-delta",
            Region::NorthCentralCentralCoast => "north-central-central-coast",
            Region::CentralHighlands => "central-highlands",
            Region::Southeast => "southeast",
            Region::MekongDelta => "mekong-delta",
        }
    }

    /// Returns the Vietnamese name.
    pub const fn name_vi(self) -> &'static str {
        match self {
            Region::NorthernMidlandsMountains => "Trung du và miền núi phía Bắc",
            Region::RedRiverDelta => "Đồng bằng sông Hồng",
            Region::NorthCentralCentralCoast => "Bắc Trung Bộ và duyên hải miền Trung",
            Region::CentralHighlands => "Tây Nguyên",
            Region::Southeast => "Đông Nam Bộ",
            Region::MekongDelta => "Đồng bằng sông Cửu Long",
        }
    }

    /// Returns the English name.
    pub const fn name_en(self) -> &'static str {
        match self {
            Region::NorthernMidlandsMountains => "Northern Midlands and Mountains",
            Region::RedRiverDelta => "Red River Delta",
            Region::NorthCentralCentralCoast => "North Central and Central Coast",
            Region::CentralHighlands => "Central Highlands",
            Region::Southeast => "Southeast",
            Region::MekongDelta => "Mekong Delta",
        }
    }

    /// Returns the region with a [`name`](Self::name), `None` when there is none.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|region| region.name() == name)
    }
}

impl fmt::Display for Region {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}
