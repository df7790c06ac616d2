//! Values of dimensions as numbers within, and as texts outside.

use lienthong_model::{AgencyCode, DocumentType, Level, Ordinal, Reason, Region, Timestamp};
use lienthong_trust::SignatureKind;

use super::cells::{province_number, province_of};
use super::event::Direction;
use super::question::Value;
use super::vocabulary::Dimension;
use crate::directory::Directory;
use crate::routing::Span;

/// What stands for the centre in a province's place.
pub const CENTRE: &str = "TW";

impl Value {
    /// Its number among the values of a dimension; `None` when it is of another.
    pub(super) fn number_in(self, dimension: Dimension) -> Option<u32> {
        use Dimension as D;
        Some(match (dimension, self) {
            (D::Province | D::PartnerProvince, Self::Province(province)) => {
                province_number(province)
            }
            (D::Region | D::PartnerRegion, Self::Region(region)) => {
                region.map_or(0, |region| u32::from(region.number()))
            }
            (D::Level | D::PartnerLevel, Self::Level(level)) => u32::from(level.number()),
            (D::Agency, Self::Agency(agency)) => agency.0,
            (D::DocumentType, Self::DocumentType(document_type)) => {
                u32::from(document_type.number())
            }
            (D::Direction, Self::Direction(direction)) => direction as u32,
            (D::Scope, Self::Scope(scope)) => scope as u32,
            (D::Signature, Self::Signature(signature)) => signature as u32,
            (D::PaperCopy, Self::PaperCopy(paper)) => u32::from(paper),
            (D::Reason, Self::Reason(reason)) => u32::from(reason.number()),
            _ => return None,
        })
    }

    /// The value of a dimension with a number.
    pub(super) fn of_number(dimension: Dimension, number: u32) -> Option<Self> {
        use Dimension as D;
        let byte = || u8::try_from(number).ok();
        Some(match dimension {
            D::Province | D::PartnerProvince => Self::Province(province_of(number)),
            D::Region | D::PartnerRegion => {
                let same = |region: &Region| u32::from(region.number()) == number;
                Self::Region(Region::ALL.into_iter().find(same))
            }
            D::Level | D::PartnerLevel => Self::Level(Level::from_number(byte()?)?),
            D::Agency => Self::Agency(Ordinal(number)),
            D::DocumentType => Self::DocumentType(DocumentType::from_number(byte()?)?),
            D::Direction => {
                Self::Direction(Direction::ALL.into_iter().find(|one| *one as u32 == number)?)
            }
            D::Scope => Self::Scope(Span::ALL.into_iter().find(|one| *one as u32 == number)?),
            D::Signature => {
                Self::Signature(SignatureKind::ALL.into_iter().find(|one| *one as u32 == number)?)
            }
            D::PaperCopy => Self::PaperCopy(number == 1),
            D::Reason => {
                let same = |reason: &Reason| u32::from(reason.number()) == number;
                Self::Reason(Reason::ALL.iter().copied().find(same)?)
            }
        })
    }

    /// Returns the value of a dimension that a text names: codes of agencies, `TW` for the centre,
    /// names of regions, levels, directions, scopes and signatures, the number or abbreviation of a
    /// type, `yes` and `no`, codes of reasons. `None` when it names none.
    pub fn parse(dimension: Dimension, text: &str, directory: &Directory) -> Option<Self> {
        use Dimension as D;
        let agency = || Some(directory.find(&AgencyCode::parse(text).ok()?)?.ordinal);
        Some(match dimension {
            D::Province | D::PartnerProvince if text == CENTRE => Self::Province(None),
            D::Province | D::PartnerProvince => Self::Province(Some(agency()?)),
            D::Region | D::PartnerRegion if text == CENTRE => Self::Region(None),
            D::Region | D::PartnerRegion => Self::Region(Some(Region::from_name(text)?)),
            D::Level | D::PartnerLevel => Self::Level(text.parse().ok()?),
            D::Agency => Self::Agency(agency()?),
            D::DocumentType => Self::DocumentType(match text.parse::<u8>() {
                Ok(number) => DocumentType::from_number(number)?,
                Err(_) => {
                    DocumentType::by_abbreviation(text).or_else(|| DocumentType::by_name(text))?
                }
            }),
            D::Direction => Self::Direction(named(Direction::ALL, Direction::name, text)?),
            D::Scope => Self::Scope(named(Span::ALL, scope_name, text)?),
            D::Signature => Self::Signature(named(SignatureKind::ALL, signature_name, text)?),
            D::PaperCopy => Self::PaperCopy(match text {
                "yes" => true,
                "no" => false,
                _ => return None,
            }),
            D::Reason => {
                let mut reasons = Reason::ALL.iter().copied();
                Self::Reason(reasons.find(|reason| reason.code() == text)?)
            }
        })
    }

    /// Returns the text that [`Value::parse`] reads.
    pub fn text(self, directory: &Directory, at: Timestamp) -> String {
        match self {
            Self::Province(None) | Self::Region(None) => CENTRE.to_owned(),
            Self::Province(Some(agency)) | Self::Agency(agency) => directory.code(agency, at),
            Self::Region(Some(region)) => region.name().to_owned(),
            Self::Level(level) => level.name().to_owned(),
            Self::DocumentType(document_type) => document_type.number().to_string(),
            Self::Direction(direction) => direction.name().to_owned(),
            Self::Scope(scope) => scope_name(scope).to_owned(),
            Self::Signature(signature) => signature_name(signature).to_owned(),
            Self::PaperCopy(paper) => if paper { "yes" } else { "no" }.to_owned(),
            Self::Reason(reason) => reason.code().to_owned(),
        }
    }

    /// Returns its names for people, Vietnamese and English. Agencies have the one that the directory
    /// has at a moment.
    pub fn names(self, directory: &Directory, at: Timestamp) -> [String; 2] {
        let same = |name: &str| [name.to_owned(), name.to_owned()];
        let both = |vi: &str, en: &str| [vi.to_owned(), en.to_owned()];
        match self {
            Self::Province(None) | Self::Region(None) => both("Trung ương", "Centre"),
            Self::Province(Some(agency)) | Self::Agency(agency) => {
                let name = directory.agency(agency).map(|agency| agency.entry(at).name.as_str());
                same(name.unwrap_or_default())
            }
            Self::Region(Some(region)) => both(region.name_vi(), region.name_en()),
            Self::Level(level) => both(level.name_vi(), level.name()),
            Self::DocumentType(document_type) => {
                both(document_type.name_vi(), document_type.name_en())
            }
            Self::Direction(Direction::Sent) => both("gửi", "sent"),
            Self::Direction(Direction::Received) => both("nhận", "received"),
            Self::Scope(scope) => match scope {
                Span::Any => both("mọi phạm vi", "any"),
                Span::Inside => both("trong tỉnh", "inside the province"),
                Span::Between => both("giữa các tỉnh", "between provinces"),
                Span::Centre => both("với trung ương", "with the centre"),
            },
            Self::Signature(signature) => match signature {
                SignatureKind::None => both("không ký số", "none"),
                SignatureKind::Seal => both("chỉ chữ ký cơ quan", "seal alone"),
                SignatureKind::Personal => both("ký số cá nhân", "personal"),
                SignatureKind::PersonalAndSeal => {
                    both("ký số cá nhân và cơ quan", "personal and seal")
                }
            },
            Self::PaperCopy(true) => both("có bản giấy", "with a paper copy"),
            Self::PaperCopy(false) => both("không bản giấy", "without paper"),
            Self::Reason(reason) => both(reason.meaning_vi(), reason.meaning()),
        }
    }
}

fn named<T: Copy, const N: usize>(
    all: [T; N],
    name: impl Fn(T) -> &'static str,
    text: &str,
) -> Option<T> {
    all.into_iter().find(|one| name(*one) == text)
}

/// The name of a scope in JSON and on the command line.
const fn scope_name(scope: Span) -> &'static str {
    match scope {
        Span::Any => "any",
        Span::Inside => "inside",
        Span::Between => "between",
        Span::Centre => "centre",
    }
}

/// The name of signatures in JSON and on the command line.
const fn signature_name(signature: SignatureKind) -> &'static str {
    match signature {
        SignatureKind::None => "none",
        SignatureKind::Seal => "seal",
        SignatureKind::Personal => "personal",
        SignatureKind::PersonalAndSeal => "personal-and-seal",
    }
}
