//! What a cell of each cube stands for, as a number.
//!
//! A page keeps its cells by such numbers, in order, so that a page is small and a question reads
//! it without making values of it. Stable: the numbers are kept.

use lienthong_model::{DocumentType, Level, Ordinal, Reason};
use lienthong_trust::SignatureKind;

use super::event::Direction;
use super::figures::Figure;
use crate::routing::Span;

/// Something that a cell can stand for.
pub trait CellKey: Copy {
    /// Returns its number.
    fn number(self) -> u64;

    /// Returns what has a number; `None` when nothing does.
    fn of_number(number: u64) -> Option<Self>;
}

/// A cell of *flow*; the page says the time and the sender's province.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct FlowCell {
    /// The sender's level.
    pub sender_level: Level,
    /// The recipient's province; none for the centre.
    pub recipient_province: Option<Ordinal>,
    /// The recipient's level.
    pub recipient_level: Level,
}

/// A cell of *kind*; the page says the time and the province.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct KindCell {
    /// The agency's level.
    pub level: Level,
    /// Sent or received.
    pub direction: Direction,
    /// How sender and recipient lie to each other.
    pub scope: Span,
    /// Which signatures count.
    pub signature: SignatureKind,
    /// Whether a paper copy follows.
    pub paper_copy: bool,
    /// The type.
    pub document_type: DocumentType,
}

/// A cell of *agency*; the page says the time, the province and the level.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct AgencyCell {
    /// The agency.
    pub agency: Ordinal,
    /// What is counted of it.
    pub figure: Figure,
}

/// A cell of *progress*; the page says when the deliveries were made, and the province.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct ProgressCell {
    /// The recipients' level.
    pub level: Level,
    /// What is counted of their deliveries.
    pub figure: Figure,
}

/// The number of the centre in a province's place.
pub(super) const CENTRE: u32 = u32::MAX;

/// A province, or the centre, as a number.
pub(super) fn province_number(province: Option<Ordinal>) -> u32 {
    province.map_or(CENTRE, |province| province.0)
}

/// The province with a number.
pub(super) fn province_of(number: u32) -> Option<Ordinal> {
    Some(number).filter(|number| *number != CENTRE).map(Ordinal)
}

/// The lowest bits of a number, `count` of them, and the rest.
const fn low(number: u64, count: u32) -> (u64, u64) {
    (number & ((1 << count) - 1), number >> count)
}

#[allow(clippy::cast_possible_truncation)] // At most eight bits are asked for.
fn level_of(bits: u64) -> Option<Level> {
    Level::from_number(bits as u8)
}

impl CellKey for FlowCell {
    fn number(self) -> u64 {
        let to = u64::from(province_number(self.recipient_province));
        (u64::from(self.sender_level.number()) << 35)
            | (to << 3)
            | u64::from(self.recipient_level.number())
    }

    fn of_number(number: u64) -> Option<Self> {
        let (recipient_level, rest) = low(number, 3);
        let (to, sender_level) = low(rest, 32);
        Some(Self {
            sender_level: level_of(sender_level)?,
            recipient_province: province_of(u32::try_from(to).ok()?),
            recipient_level: level_of(recipient_level)?,
        })
    }
}

impl CellKey for KindCell {
    fn number(self) -> u64 {
        (u64::from(self.level.number()) << 14)
            | ((self.direction as u64) << 13)
            | ((self.scope as u64) << 11)
            | ((self.signature as u64) << 9)
            | (u64::from(self.paper_copy) << 8)
            | u64::from(self.document_type.number())
    }

    fn of_number(number: u64) -> Option<Self> {
        let (document_type, rest) = low(number, 8);
        let (paper, rest) = low(rest, 1);
        let (signature, rest) = low(rest, 2);
        let (scope, rest) = low(rest, 2);
        let (direction, level) = low(rest, 1);
        Some(Self {
            level: level_of(level)?,
            direction: if direction == 0 { Direction::Sent } else { Direction::Received },
            scope: Span::ALL.into_iter().find(|span| *span as u64 == scope)?,
            signature: SignatureKind::ALL.into_iter().find(|kind| *kind as u64 == signature)?,
            paper_copy: paper == 1,
            document_type: DocumentType::from_number(u8::try_from(document_type).ok()?)?,
        })
    }
}

impl CellKey for AgencyCell {
    fn number(self) -> u64 {
        (u64::from(self.agency.0) << 8) | u64::from(self.figure.number())
    }

    fn of_number(number: u64) -> Option<Self> {
        let (figure, agency) = low(number, 8);
        let figure = Figure::of_number(u8::try_from(figure).ok()?)?;
        Some(Self { agency: Ordinal(u32::try_from(agency).ok()?), figure })
    }
}

impl CellKey for ProgressCell {
    fn number(self) -> u64 {
        (u64::from(self.level.number()) << 8) | u64::from(self.figure.number())
    }

    fn of_number(number: u64) -> Option<Self> {
        let (figure, level) = low(number, 8);
        Some(Self {
            level: level_of(level)?,
            figure: Figure::of_number(u8::try_from(figure).ok()?)?,
        })
    }
}

impl CellKey for Reason {
    fn number(self) -> u64 {
        u64::from(self.number())
    }

    fn of_number(number: u64) -> Option<Self> {
        Self::ALL.iter().copied().find(|reason| u64::from(reason.number()) == number)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn comes_back<K: CellKey + PartialEq + std::fmt::Debug>(key: K) {
        assert_eq!(K::of_number(key.number()), Some(key));
    }

    #[test]
    fn what_a_number_stands_for_is_read_back() {
        for level in Level::ALL {
            for figure in Figure::all() {
                comes_back(ProgressCell { level, figure });
                comes_back(AgencyCell { agency: Ordinal(u32::MAX), figure });
            }
            for province in [None, Some(Ordinal(0)), Some(Ordinal(70_000))] {
                let (sender_level, recipient_level) = (Level::Commune, level);
                comes_back(FlowCell {
                    sender_level,
                    recipient_province: province,
                    recipient_level,
                });
            }
            for signature in SignatureKind::ALL {
                for document_type in DocumentType::all() {
                    for (direction, scope) in
                        [(Direction::Sent, Span::Inside), (Direction::Received, Span::Centre)]
                    {
                        let paper_copy = signature == SignatureKind::Seal;
                        comes_back(KindCell {
                            level,
                            direction,
                            scope,
                            signature,
                            paper_copy,
                            document_type,
                        });
                    }
                }
            }
        }
        Reason::ALL.iter().copied().for_each(comes_back);
    }
}
