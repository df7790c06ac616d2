//! What a cell of each cube stands for, and where it is kept: in which part of which page, and by
//! which number.
//!
//! A page keeps its cells by such numbers, in order, so that a page is small and a question reads
//! it without making values of it. Above the lowest bits of a number ([`CubeName::low_bits`]) is the
//! ordinal of a province or an agency, or nothing. A part is the level, or a shard of agencies, so
//! that a page has some thousands of cells at most. Stable: pages and numbers are kept.

use lienthong_model::{DocumentType, Level, Ordinal, Reason};
use lienthong_trust::SignatureKind;

use super::cubes::CubeName;
use super::event::Direction;
use super::figures::{Figure, Until};
use crate::routing::Span;

/// Where a cell of a cube is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Address {
    /// The page's province, in a cube that has pages for each.
    pub province: Option<Ordinal>,
    /// The page's part.
    pub part: u32,
    /// The cell's number in the page.
    pub number: u64,
}

/// Something that a cell can stand for, in a province or the centre.
pub(super) trait CellKey: Copy {
    /// The cube that has it.
    fn cube(self) -> CubeName;

    /// Where it is kept, of a province or the centre.
    fn address(self, province: Option<Ordinal>) -> Address;

    /// What is kept there; `None` when nothing can be.
    fn at(address: Address) -> Option<(Option<Ordinal>, Self)>;
}

/// A cell of *flow*; its province is the sender's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FlowCell {
    /// The sender's level.
    pub sender_level: Level,
    /// The recipient's province; none for the centre.
    pub recipient_province: Option<Ordinal>,
    /// The recipient's level.
    pub recipient_level: Level,
}

/// A cell of *outflow*; its province is the sender's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct OutflowCell {
    /// The sender's level.
    pub sender_level: Level,
    /// The recipient's level.
    pub recipient_level: Level,
}

/// A cell of *kind*.
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

/// A cell of *place*.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct PlaceCell {
    /// The agency's level.
    pub level: Level,
    /// Sent or received.
    pub direction: Direction,
}

/// A cell of *volume*: all of a kind's but the type.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct VolumeCell {
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
}

/// A cell of *type*.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct TypeCell {
    /// The agency's level.
    pub level: Level,
    /// Sent or received.
    pub direction: Direction,
    /// Which signatures count.
    pub signature: SignatureKind,
    /// The type.
    pub document_type: DocumentType,
}

/// A cell of *agency* (documents sent and received) or *work* (every other figure).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct AgencyCell {
    /// The agency.
    pub agency: Ordinal,
    /// Its level.
    pub level: Level,
    /// What is counted of it.
    pub figure: Figure,
}

/// A cell of *progress*, or of *times* when the figure is a bucket of a histogram; its time is when
/// the deliveries were made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct ProgressCell {
    /// The recipients' level.
    pub level: Level,
    /// What is counted of their deliveries.
    pub figure: Figure,
}

/// A cell of a cube that adds all provinces and the centre up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct InCountry<K>(pub K);

/// The number of the centre in a province's place.
pub(super) const CENTRE: u32 = u32::MAX;
/// Levels have numbers below this: where a part is a level and something else, that comes above.
pub(super) const LEVELS: u32 = 16;
/// Agencies whose cells are in one page of *agency*, by the bits of their ordinals below it.
const AGENCY_SHARD_BITS: u32 = 10;
/// The same of *work*, which has more figures of each.
const WORK_SHARD_BITS: u32 = 8;

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

/// A number with a province above its `count` lowest bits.
fn of_province(province: Option<Ordinal>, count: u32, number: u64) -> u64 {
    (u64::from(province_number(province)) << count) | number
}

fn province_at(bits: u64) -> Option<Option<Ordinal>> {
    Some(province_of(u32::try_from(bits).ok()?))
}

fn level_of(bits: u64) -> Option<Level> {
    Level::from_number(u8::try_from(bits).ok()?)
}

fn level_of_part(part: u32) -> Option<Level> {
    level_of(u64::from(part % LEVELS))
}

fn figure_of(bits: u64) -> Option<Figure> {
    Figure::of_number(u8::try_from(bits).ok()?)
}

fn direction_of(bits: u64) -> Direction {
    if bits == 0 { Direction::Sent } else { Direction::Received }
}

fn scope_of(bits: u64) -> Option<Span> {
    Span::ALL.into_iter().find(|span| *span as u64 == bits)
}

fn signature_of(bits: u64) -> Option<SignatureKind> {
    SignatureKind::ALL.into_iter().find(|kind| *kind as u64 == bits)
}

fn part_of(level: Level) -> u32 {
    u32::from(level.number())
}

impl CellKey for FlowCell {
    fn cube(self) -> CubeName {
        CubeName::Flow
    }

    fn address(self, province: Option<Ordinal>) -> Address {
        let levels =
            (u64::from(self.sender_level.number()) << 3) | u64::from(self.recipient_level.number());
        Address { province, part: 0, number: of_province(self.recipient_province, 6, levels) }
    }

    fn at(address: Address) -> Option<(Option<Ordinal>, Self)> {
        let (recipient_level, rest) = low(address.number, 3);
        let (sender_level, to) = low(rest, 3);
        let cell = Self {
            sender_level: level_of(sender_level)?,
            recipient_province: province_at(to)?,
            recipient_level: level_of(recipient_level)?,
        };
        Some((address.province, cell))
    }
}

impl CellKey for OutflowCell {
    fn cube(self) -> CubeName {
        CubeName::Outflow
    }

    fn address(self, province: Option<Ordinal>) -> Address {
        let levels =
            (u64::from(self.sender_level.number()) << 3) | u64::from(self.recipient_level.number());
        Address { province: None, part: 0, number: of_province(province, 6, levels) }
    }

    fn at(address: Address) -> Option<(Option<Ordinal>, Self)> {
        let (recipient_level, rest) = low(address.number, 3);
        let (sender_level, province) = low(rest, 3);
        let (sender_level, recipient_level) = (level_of(sender_level)?, level_of(recipient_level)?);
        Some((province_at(province)?, Self { sender_level, recipient_level }))
    }
}

impl CellKey for PlaceCell {
    fn cube(self) -> CubeName {
        CubeName::Place
    }

    fn address(self, province: Option<Ordinal>) -> Address {
        let bits = (u64::from(self.level.number()) << 1) | self.direction as u64;
        Address { province: None, part: 0, number: of_province(province, 4, bits) }
    }

    fn at(address: Address) -> Option<(Option<Ordinal>, Self)> {
        let (direction, rest) = low(address.number, 1);
        let (level, province) = low(rest, 3);
        let (level, direction) = (level_of(level)?, direction_of(direction));
        Some((province_at(province)?, Self { level, direction }))
    }
}

impl KindCell {
    /// The same with place and direction alone.
    pub(super) fn place(self) -> PlaceCell {
        let Self { level, direction, .. } = self;
        PlaceCell { level, direction }
    }

    /// The same without the type.
    pub(super) fn volume(self) -> VolumeCell {
        let Self { level, direction, scope, signature, paper_copy, .. } = self;
        VolumeCell { level, direction, scope, signature, paper_copy }
    }

    /// The same without scope and paper copy.
    pub(super) fn of_type(self) -> TypeCell {
        let Self { level, direction, signature, document_type, .. } = self;
        TypeCell { level, direction, signature, document_type }
    }
}

impl CellKey for KindCell {
    fn cube(self) -> CubeName {
        CubeName::Kind
    }

    fn address(self, province: Option<Ordinal>) -> Address {
        let volume = self.volume().bits() << 8;
        let number = volume | u64::from(self.document_type.number());
        Address { province, part: part_of(self.level), number }
    }

    fn at(address: Address) -> Option<(Option<Ordinal>, Self)> {
        let (document_type, volume) = low(address.number, 8);
        let document_type = DocumentType::from_number(u8::try_from(document_type).ok()?)?;
        let volume = VolumeCell::of_bits(level_of_part(address.part)?, volume)?;
        let VolumeCell { level, direction, scope, signature, paper_copy } = volume;
        let cell = Self { level, direction, scope, signature, paper_copy, document_type };
        Some((address.province, cell))
    }
}

impl CellKey for InCountry<KindCell> {
    fn cube(self) -> CubeName {
        CubeName::Country
    }

    fn address(self, _: Option<Ordinal>) -> Address {
        self.0.address(None)
    }

    fn at(address: Address) -> Option<(Option<Ordinal>, Self)> {
        KindCell::at(address).map(|(_, cell)| (None, Self(cell)))
    }
}

impl VolumeCell {
    /// Bits of [`VolumeCell::bits`].
    const BITS: u32 = 6;

    fn bits(self) -> u64 {
        ((self.direction as u64) << 5)
            | ((self.scope as u64) << 3)
            | ((self.signature as u64) << 1)
            | u64::from(self.paper_copy)
    }

    fn of_bits(level: Level, bits: u64) -> Option<Self> {
        let (paper, rest) = low(bits, 1);
        let (signature, rest) = low(rest, 2);
        let (scope, direction) = low(rest, 2);
        let (scope, signature) = (scope_of(scope)?, signature_of(signature)?);
        let direction = direction_of(direction);
        Some(Self { level, direction, scope, signature, paper_copy: paper == 1 })
    }
}

impl CellKey for VolumeCell {
    fn cube(self) -> CubeName {
        CubeName::Volume
    }

    fn address(self, province: Option<Ordinal>) -> Address {
        let number = of_province(province, Self::BITS, self.bits());
        Address { province: None, part: part_of(self.level), number }
    }

    fn at(address: Address) -> Option<(Option<Ordinal>, Self)> {
        let (bits, province) = low(address.number, Self::BITS);
        Some((province_at(province)?, Self::of_bits(level_of_part(address.part)?, bits)?))
    }
}

impl CellKey for TypeCell {
    fn cube(self) -> CubeName {
        CubeName::Type
    }

    fn address(self, province: Option<Ordinal>) -> Address {
        let bits = ((self.direction as u64) << 8) | u64::from(self.document_type.number());
        let number = of_province(province, 9, bits);
        let part = self.signature as u32 * LEVELS + part_of(self.level);
        Address { province: None, part, number }
    }

    fn at(address: Address) -> Option<(Option<Ordinal>, Self)> {
        let (document_type, rest) = low(address.number, 8);
        let (direction, province) = low(rest, 1);
        let cell = Self {
            level: level_of_part(address.part)?,
            direction: direction_of(direction),
            signature: signature_of(u64::from(address.part / LEVELS))?,
            document_type: DocumentType::from_number(u8::try_from(document_type).ok()?)?,
        };
        Some((province_at(province)?, cell))
    }
}

impl CellKey for AgencyCell {
    fn cube(self) -> CubeName {
        match self.figure {
            Figure::SENT | Figure::RECEIVED => CubeName::Agency,
            _ => CubeName::Work,
        }
    }

    fn address(self, province: Option<Ordinal>) -> Address {
        let agency = self.agency.0;
        let shard_bits = match self.cube() {
            CubeName::Agency => AGENCY_SHARD_BITS,
            _ => WORK_SHARD_BITS,
        };
        let number = (u64::from(agency) << 11)
            | (u64::from(self.level.number()) << 8)
            | u64::from(self.figure.number());
        Address { province, part: agency >> shard_bits, number }
    }

    fn at(address: Address) -> Option<(Option<Ordinal>, Self)> {
        let (figure, rest) = low(address.number, 8);
        let (level, agency) = low(rest, 3);
        let agency = Ordinal(u32::try_from(agency).ok()?);
        let cell = Self { agency, level: level_of(level)?, figure: figure_of(figure)? };
        Some((address.province, cell))
    }
}

impl CellKey for ProgressCell {
    fn cube(self) -> CubeName {
        match Until::of_bucket(self.figure) {
            None => CubeName::Progress,
            Some(_) => CubeName::Times,
        }
    }

    fn address(self, province: Option<Ordinal>) -> Address {
        let histogram = Until::of_bucket(self.figure).map_or(0, |until| until as u32);
        let number = of_province(province, 8, u64::from(self.figure.number()));
        Address { province: None, part: histogram * LEVELS + part_of(self.level), number }
    }

    fn at(address: Address) -> Option<(Option<Ordinal>, Self)> {
        let (figure, province) = low(address.number, 8);
        let cell = Self { level: level_of_part(address.part)?, figure: figure_of(figure)? };
        Some((province_at(province)?, cell))
    }
}

impl CellKey for InCountry<ProgressCell> {
    fn cube(self) -> CubeName {
        CubeName::CountryTimes
    }

    fn address(self, _: Option<Ordinal>) -> Address {
        let level = u64::from(self.0.level.number());
        let number = (level << 8) | u64::from(self.0.figure.number());
        Address { province: None, part: 0, number }
    }

    fn at(address: Address) -> Option<(Option<Ordinal>, Self)> {
        let (figure, level) = low(address.number, 8);
        let cell = ProgressCell { level: level_of(level)?, figure: figure_of(figure)? };
        Some((None, Self(cell)))
    }
}

impl CellKey for Reason {
    fn cube(self) -> CubeName {
        CubeName::Refusals
    }

    fn address(self, province: Option<Ordinal>) -> Address {
        let number = of_province(province, 16, u64::from(self.number()));
        Address { province: None, part: 0, number }
    }

    fn at(address: Address) -> Option<(Option<Ordinal>, Self)> {
        let (reason, province) = low(address.number, 16);
        let mut reasons = Self::ALL.iter().copied();
        let reason = reasons.find(|one| u64::from(one.number()) == reason)?;
        Some((province_at(province)?, reason))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn comes_back<K: CellKey + PartialEq + std::fmt::Debug>(key: K) {
        for province in [None, Some(Ordinal(0)), Some(Ordinal(70_000))] {
            let (kept, found) = K::at(key.address(province)).unwrap();
            assert_eq!(found, key);
            let adds_up = matches!(key.cube(), CubeName::Country | CubeName::CountryTimes);
            assert_eq!(kept, if adds_up { None } else { province });
        }
    }

    #[test]
    fn what_an_address_stands_for_is_read_back() {
        for level in Level::ALL {
            for figure in Figure::all() {
                comes_back(ProgressCell { level, figure });
                comes_back(InCountry(ProgressCell { level, figure }));
                comes_back(AgencyCell { agency: Ordinal(u32::MAX), level, figure });
            }
            comes_back(OutflowCell { sender_level: Level::Commune, recipient_level: level });
            for recipient_province in [None, Some(Ordinal(0)), Some(Ordinal(70_000))] {
                let (sender_level, recipient_level) = (Level::Commune, level);
                comes_back(FlowCell { sender_level, recipient_province, recipient_level });
            }
            for signature in SignatureKind::ALL {
                for document_type in DocumentType::all() {
                    for (direction, scope) in
                        [(Direction::Sent, Span::Inside), (Direction::Received, Span::Centre)]
                    {
                        let paper_copy = signature == SignatureKind::Seal;
                        let cell = KindCell {
                            level,
                            direction,
                            scope,
                            signature,
                            paper_copy,
                            document_type,
                        };
                        comes_back(cell);
                        comes_back(InCountry(cell));
                        comes_back(cell.place());
                        comes_back(cell.volume());
                        comes_back(cell.of_type());
                    }
                }
            }
        }
        Reason::ALL.iter().copied().for_each(comes_back);
    }
}
