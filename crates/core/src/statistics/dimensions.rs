//! What pages and cells of a cube say of dimensions, read from their numbers (see
//! [`super::cells`]) without making values of them.

use super::cubes::CubeName;
use super::event::Direction;
use super::figures::Figure;
use super::vocabulary::Dimension;

impl CubeName {
    /// Whether the lowest bits of a page's part are its level.
    pub(super) const fn has_pages_of_levels(self) -> bool {
        matches!(
            self,
            Self::Kind | Self::Volume | Self::Type | Self::Country | Self::Progress | Self::Times
        )
    }

    /// The province of which a cell says that it is; of *flow* the recipient's.
    pub(super) fn province_of_cell(self, number: u64) -> Option<u32> {
        let shift = match self {
            Self::Flow => 3,
            Self::Place => 4,
            Self::Outflow | Self::Volume => 6,
            Self::Type => 9,
            Self::Progress | Self::Times => 8,
            Self::Refusals => 16,
            Self::Kind | Self::Country | Self::Agency | Self::Work | Self::CountryTimes => {
                return None;
            }
        };
        u32::try_from((number >> shift) & u64::from(u32::MAX)).ok()
    }

    /// What a cell says of a dimension that is no place; `None` when its page does.
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
            (Self::Flow, D::Level) => Some(bits(35, 3)),
            (Self::Outflow, D::Level) => Some(bits(3, 3)),
            (Self::Flow | Self::Outflow, D::PartnerLevel) => Some(bits(0, 3)),
            (Self::Place, D::Direction) => Some(bits(0, 1)),
            (Self::Place, D::Level) => Some(bits(1, 3)),
            (Self::Type, D::Direction) => Some(bits(8, 1)),
            (_, D::Direction) if has_volume => Some(bits(volume + 5, 1)),
            (_, D::Scope) if has_volume => Some(bits(volume + 3, 2)),
            (_, D::Signature) if has_volume => Some(bits(volume + 1, 2)),
            (_, D::PaperCopy) if has_volume => Some(bits(volume, 1)),
            (Self::Kind | Self::Country | Self::Type, D::DocumentType) => Some(bits(0, 8)),
            (Self::Agency | Self::Work, D::Agency) => Some(bits(11, 32)),
            (Self::Agency | Self::Work, D::Level) => Some(bits(8, 3)),
            (Self::Agency, D::Direction) => {
                let sent = bits(0, 8) == u32::from(Figure::SENT.number());
                Some(if sent { Direction::Sent } else { Direction::Received } as u32)
            }
            (Self::CountryTimes, D::Level) => Some(bits(8, 3)),
            (Self::Refusals, D::Reason) => Some(bits(0, 16)),
            _ => None,
        }
    }
}
