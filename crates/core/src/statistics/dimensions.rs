//! What pages and cells of a cube say of dimensions, read from their numbers (see
//! [`super::cells`]) without making values of them.

use lienthong_model::{DocumentType, Level, Reason};

use super::cubes::CubeName;
use super::event::Direction;
use super::figures::Figure;
use super::vocabulary::Dimension;

impl CubeName {
    /// Whether a page is of one province; in the others a cell says of which it is.
    pub(super) const fn has_pages_of_provinces(self) -> bool {
        matches!(self, Self::Flow | Self::Kind | Self::Agency | Self::Work)
    }

    /// Whether the lowest bits of a page's part are its level.
    pub(super) const fn has_pages_of_levels(self) -> bool {
        matches!(
            self,
            Self::Kind | Self::Volume | Self::Type | Self::Country | Self::Progress | Self::Times
        )
    }

    /// Whether its cells count figures: the lowest eight bits of a number are the figure.
    pub(super) const fn counts_figures(self) -> bool {
        matches!(
            self,
            Self::Agency | Self::Work | Self::Progress | Self::Times | Self::CountryTimes
        )
    }

    /// How many bits of a cell's number say everything that is no ordinal.
    pub(super) const fn low_bits(self) -> u32 {
        match self {
            Self::Place => 4,
            Self::Flow | Self::Outflow | Self::Volume => 6,
            Self::Progress | Self::Times => 8,
            Self::Type => 9,
            Self::Agency | Self::Work | Self::CountryTimes => 11,
            Self::Kind | Self::Country => 14,
            Self::Refusals => 16,
        }
    }

    /// What the ordinal above those bits is; `None` where there is none.
    pub(super) const fn ordinal(self) -> Option<Dimension> {
        match self {
            Self::Flow => Some(Dimension::PartnerProvince),
            Self::Agency | Self::Work => Some(Dimension::Agency),
            Self::Kind | Self::Country | Self::CountryTimes => None,
            _ => Some(Dimension::Province),
        }
    }

    /// What the lowest bits of a cell's number say of a dimension; `None` when they do not.
    #[allow(clippy::cast_possible_truncation)] // Every part of a number is cut to its bits.
    pub(super) fn number_of_cell(self, dimension: Dimension, number: u64) -> Option<u32> {
        use Dimension as D;
        let bits = |shift: u32, count: u32| ((number >> shift) & ((1 << count) - 1)) as u32;
        // The bits of a volume, in a cube that has them.
        let volume = match self {
            Self::Volume => 0,
            _ => 8,
        };
        let has_volume = matches!(self, Self::Kind | Self::Country | Self::Volume);
        match (self, dimension) {
            (Self::Flow | Self::Outflow, D::Level) => Some(bits(3, 3)),
            (Self::Flow | Self::Outflow, D::PartnerLevel) => Some(bits(0, 3)),
            (Self::Place, D::Direction) => Some(bits(0, 1)),
            (Self::Place, D::Level) => Some(bits(1, 3)),
            (Self::Type, D::Direction) => Some(bits(8, 1)),
            (_, D::Direction) if has_volume => Some(bits(volume + 5, 1)),
            (_, D::Scope) if has_volume => Some(bits(volume + 3, 2)),
            (_, D::Signature) if has_volume => Some(bits(volume + 1, 2)),
            (_, D::PaperCopy) if has_volume => Some(bits(volume, 1)),
            (Self::Kind | Self::Country | Self::Type, D::DocumentType) => Some(bits(0, 8)),
            (Self::Agency | Self::Work | Self::CountryTimes, D::Level) => Some(bits(8, 3)),
            (Self::Agency, D::Direction) => {
                let sent = bits(0, 8) == u32::from(Figure::SENT.number());
                Some(if sent { Direction::Sent } else { Direction::Received } as u32)
            }
            (Self::Refusals, D::Reason) => Some(bits(0, 16)),
            _ => None,
        }
    }
}

impl Dimension {
    /// How many values there can be of a dimension that the lowest bits of cells' numbers say; of
    /// the others, one.
    pub(super) fn values_in_cell(self, cube: CubeName) -> usize {
        if cube.number_of_cell(self, 0).is_none() {
            return 1;
        }
        match self {
            Self::Level | Self::PartnerLevel => Level::ALL.len(),
            Self::Direction => Direction::ALL.len(),
            Self::Scope | Self::Signature => 4,
            Self::PaperCopy => 2,
            Self::DocumentType => DocumentType::all().count(),
            Self::Reason => Reason::ALL.len(),
            _ => 1,
        }
    }
}
