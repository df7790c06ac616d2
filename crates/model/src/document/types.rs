//! The 29 administrative types of Decree 30/2020/NĐ-CP.

use std::fmt;

use minicbor::{Decode, Encode};

use crate::text::fold_diacritics;

/// An administrative type: 1 to 29 in the order of the decree, 0 for any other. Journalled and
/// counted by: the numbers are stable.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default, Encode, Decode)]
#[cbor(transparent)]
pub struct DocumentType(#[n(0)] u8);

/// What the decree says of a type.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AdministrativeType {
    /// The abbreviation in a notation (`QĐ`); empty where the decree gives none.
    pub abbreviation: &'static str,
    /// The Vietnamese name.
    pub name_vi: &'static str,
    /// An English name.
    pub name_en: &'static str,
}

const fn row(
    abbreviation: &'static str,
    name_vi: &'static str,
    name_en: &'static str,
) -> AdministrativeType {
    AdministrativeType { abbreviation, name_vi, name_en }
}

const UNLISTED: AdministrativeType = row("", "Khác", "Other");

impl DocumentType {
    /// Any type that the decree does not list.
    pub const OTHER: Self = Self(0);
    /// *Quyết định*: a decision.
    pub const DECISION: Self = Self(2);
    /// *Công văn*: an official letter, whose notation has no type part.
    pub const OFFICIAL_LETTER: Self = Self(18);

    /// The types of the decree; the first has number 1.
    pub const TABLE: [AdministrativeType; 29] = [
        row("NQ", "Nghị quyết", "Resolution"),
        row("QĐ", "Quyết định", "Decision"),
        row("CT", "Chỉ thị", "Directive"),
        row("QC", "Quy chế", "Regulation"),
        row("QyĐ", "Quy định", "Rules"),
        row("TC", "Thông cáo", "Communiqué"),
        row("TB", "Thông báo", "Notice"),
        row("HD", "Hướng dẫn", "Guidance"),
        row("CTr", "Chương trình", "Programme"),
        row("KH", "Kế hoạch", "Plan"),
        row("PA", "Phương án", "Option paper"),
        row("ĐA", "Đề án", "Scheme"),
        row("DA", "Dự án", "Project"),
        row("BC", "Báo cáo", "Report"),
        row("BB", "Biên bản", "Minutes"),
        row("TTr", "Tờ trình", "Submission"),
        row("HĐ", "Hợp đồng", "Contract"),
        row("", "Công văn", "Official letter"),
        row("CĐ", "Công điện", "Official telegram"),
        row("BGN", "Bản ghi nhớ", "Memorandum"),
        row("BTT", "Bản thỏa thuận", "Agreement"),
        row("GUQ", "Giấy ủy quyền", "Power of attorney"),
        row("GM", "Giấy mời", "Invitation"),
        row("GGT", "Giấy giới thiệu", "Letter of introduction"),
        row("GNP", "Giấy nghỉ phép", "Leave permit"),
        row("PG", "Phiếu gửi", "Transmittal slip"),
        row("PC", "Phiếu chuyển", "Forwarding slip"),
        row("PB", "Phiếu báo", "Notification slip"),
        row("", "Thư công", "Official correspondence"),
    ];

    /// All types, the unlisted one first.
    pub fn all() -> impl Iterator<Item = Self> {
        (0..=29).map(Self)
    }

    /// The stable number, 0 to 29.
    pub const fn number(self) -> u8 {
        self.0
    }

    /// The type with a stable number.
    pub const fn from_number(number: u8) -> Option<Self> {
        if number as usize <= Self::TABLE.len() { Some(Self(number)) } else { None }
    }

    /// The type with an abbreviation, exactly as the decree writes it: `HĐ` (*Hợp đồng*) is not
    /// `HD` (*Hướng dẫn*). Any normal form of Unicode is read. `None` when there is none.
    pub fn by_abbreviation(text: &str) -> Option<Self> {
        use unicode_normalization::UnicodeNormalization as _;
        if text.is_empty() {
            return None;
        }
        Self::position(|entry| entry.abbreviation == text).or_else(|| {
            let composed: String = text.nfc().collect();
            Self::position(|entry| entry.abbreviation == composed)
        })
    }

    /// The type with a Vietnamese name, whatever its case, normal form and diacritics. `None` when
    /// there is none.
    pub fn by_name(text: &str) -> Option<Self> {
        Self::position(|entry| entry.name_vi == text).or_else(|| {
            let folded = fold_diacritics(text);
            Self::position(|entry| fold_diacritics(entry.name_vi) == folded)
        })
    }

    /// The type of a document: by the name of its type, or by an abbreviation that stands there;
    /// when no name is given, by what stands before the first dash of its notation. Otherwise
    /// [`DocumentType::OTHER`].
    pub fn of(type_name: &str, notation: &str) -> Self {
        let type_name = type_name.trim();
        let found = if type_name.is_empty() {
            notation.split('-').next().and_then(|first| Self::by_abbreviation(first.trim()))
        } else {
            Self::by_abbreviation(type_name).or_else(|| Self::by_name(type_name))
        };
        found.unwrap_or(Self::OTHER)
    }

    /// The abbreviation in a notation; empty where there is none.
    pub fn abbreviation(self) -> &'static str {
        self.entry().abbreviation
    }

    /// The Vietnamese name.
    pub fn name_vi(self) -> &'static str {
        self.entry().name_vi
    }

    /// The English name.
    pub fn name_en(self) -> &'static str {
        self.entry().name_en
    }

    fn entry(self) -> &'static AdministrativeType {
        const TABLE: &[AdministrativeType] = &DocumentType::TABLE;
        let index = usize::from(self.0).checked_sub(1);
        index.and_then(|index| TABLE.get(index)).unwrap_or(&UNLISTED)
    }

    fn position(same: impl FnMut(&AdministrativeType) -> bool) -> Option<Self> {
        let index = Self::TABLE.iter().position(same)?;
        u8::try_from(index + 1).ok().map(Self)
    }
}

impl fmt::Display for DocumentType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name_vi())
    }
}
