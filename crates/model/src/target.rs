//! Indicators and their targets: what a place should reach by a day.

use std::fmt;

use minicbor::{Decode, Encode};

use crate::appointment::Territory;
use crate::place::Level;
use crate::time::Day;

/// What is measured of a place. Journalled: numbers are stable.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Encode, Decode)]
#[cbor(index_only)]
pub enum Indicator {
    /// Deliveries inside the province whose document has no paper copy, of all inside.
    #[n(1)]
    ElectronicInside = 1,
    /// Documents sent with a person's signature, of all sent.
    #[n(2)]
    PersonalSignature = 2,
    /// Levels where at least one agency sent and one received.
    #[n(3)]
    LevelsConnected = 3,
    /// Agencies that sent and received, of all in the directory.
    #[n(4)]
    AgenciesConnected = 4,
    /// Deliveries accepted (03) and worked on (04, 05 or 06), of those older than the term.
    #[n(5)]
    Processed = 5,
    /// Deliveries finished (06), of all made.
    #[n(6)]
    Finished = 6,
    /// Deliveries finished by the due date, of those with one.
    #[n(7)]
    OnTime = 7,
    /// Documents sent, against the same days of the year before.
    #[n(8)]
    Growth = 8,
    /// Pages of deliveries without a paper copy, at a price a page.
    #[n(9)]
    PaperSaved = 9,
}

/// What an indicator is counted in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum IndicatorUnit {
    /// Tenths of a per cent.
    PerMille,
    /// A number.
    Count,
    /// Đồng.
    Dong,
}

/// What an indicator should reach. Journalled: field numbers are stable.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct Target {
    /// Of what.
    #[n(0)]
    pub indicator: Indicator,
    /// Where.
    #[n(1)]
    pub territory: Territory,
    /// Only agencies of a level; none: all.
    #[n(2)]
    pub level: Option<Level>,
    /// By when: the last day before it counts.
    #[n(3)]
    pub by: Day,
    /// At least this, in the indicator's unit; none takes the target away.
    #[n(4)]
    pub value: Option<u64>,
}

impl Indicator {
    /// All indicators, in the order of their numbers.
    pub const ALL: [Self; 9] = [
        Self::ElectronicInside,
        Self::PersonalSignature,
        Self::LevelsConnected,
        Self::AgenciesConnected,
        Self::Processed,
        Self::Finished,
        Self::OnTime,
        Self::Growth,
        Self::PaperSaved,
    ];

    /// Returns the stable number.
    pub const fn number(self) -> u8 {
        self as u8
    }

    /// Returns the indicator with a stable number.
    pub fn from_number(number: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|indicator| indicator.number() == number)
    }

    /// Returns the name in files, JSON and on the command line.
    pub const fn name(self) -> &'static str {
        match self {
            Self::ElectronicInside => "electronic-inside",
            Self::PersonalSignature => "personal-signature",
            Self::LevelsConnected => "levels-connected",
            Self::AgenciesConnected => "agencies-connected",
            Self::Processed => "processed",
            Self::Finished => "finished",
            Self::OnTime => "on-time",
            Self::Growth => "growth",
            Self::PaperSaved => "paper-saved",
        }
    }

    /// Returns the indicator with a name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|indicator| indicator.name() == name)
    }

    /// Returns the Vietnamese name.
    pub const fn name_vi(self) -> &'static str {
        match self {
            Self::ElectronicInside => "Văn bản trong tỉnh gửi hoàn toàn điện tử",
            Self::PersonalSignature => "Văn bản có chữ ký số cá nhân",
            Self::LevelsConnected => "Số cấp đã kết nối",
            Self::AgenciesConnected => "Cơ quan có gửi và nhận văn bản",
            Self::Processed => "Xử lý văn bản trên môi trường điện tử",
            Self::Finished => "Văn bản đến đã xử lý xong",
            Self::OnTime => "Văn bản xử lý xong đúng hạn",
            Self::Growth => "Văn bản gửi so với cùng kỳ năm trước",
            Self::PaperSaved => "Chi phí giấy tiết kiệm",
        }
    }

    /// Returns the English name.
    pub const fn name_en(self) -> &'static str {
        match self {
            Self::ElectronicInside => "Fully electronic inside the province",
            Self::PersonalSignature => "Personal signature",
            Self::LevelsConnected => "Levels connected",
            Self::AgenciesConnected => "Agencies that send and receive",
            Self::Processed => "Processed electronically",
            Self::Finished => "Finished",
            Self::OnTime => "Finished on time",
            Self::Growth => "Growth against the year before",
            Self::PaperSaved => "Paper saved",
        }
    }

    /// Returns what it is counted in.
    pub const fn unit(self) -> IndicatorUnit {
        match self {
            Self::LevelsConnected => IndicatorUnit::Count,
            Self::PaperSaved => IndicatorUnit::Dong,
            _ => IndicatorUnit::PerMille,
        }
    }

    /// Returns the most that it can be; `None` without a bound.
    pub const fn most(self) -> Option<u64> {
        match self {
            Self::LevelsConnected => Some(4),
            Self::Growth | Self::PaperSaved => None,
            _ => Some(1_000),
        }
    }
}

impl fmt::Display for Indicator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}
