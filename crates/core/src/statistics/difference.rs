//! Where the statistics differ from a recount, in words.

use lienthong_model::{Ordinal, Reason, Timestamp};

use super::cells::{
    Address, AgencyCell, CellKey, FlowCell, InCountry, KindCell, OutflowCell, PlaceCell,
    ProgressCell, TypeCell, VolumeCell,
};
use super::cubes::CubeName;
use super::page::{Cell, PageKey};
use super::value::CENTRE;
use crate::directory::Directory;

/// Differences that are named; the others are counted.
const NAMED_MAX: usize = 100;

/// What a recount found.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Recounted {
    /// Blocks that were counted.
    pub blocks: u64,
    /// Cells that were compared.
    pub cells: u64,
    /// How many differ.
    pub differences_total: u64,
    /// The first of them, at most 100.
    pub differences: Vec<Difference>,
}

/// A cell that is not what the journal says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// The cube.
    pub cube: &'static str,
    /// The grain of its page.
    pub grain: &'static str,
    /// The first moment of its page.
    pub from: Timestamp,
    /// The province; none for the centre, and in cubes that add all up.
    pub province: Option<Ordinal>,
    /// What the cell stands for.
    pub cell: String,
    /// What the state has.
    pub kept: Cell,
    /// What the journal says.
    pub recounted: Cell,
}

impl Recounted {
    pub(super) fn compare(
        &mut self,
        cube: CubeName,
        page: PageKey,
        number: u64,
        (kept, recounted): (Cell, Cell),
        directory: &Directory,
    ) {
        if kept == recounted {
            return;
        }
        self.differences_total += 1;
        if self.differences.len() < NAMED_MAX {
            let address = Address { province: page.province, part: page.part, number };
            let told = cube.tell(address, directory);
            let (province, cell) = told.unwrap_or_else(|| (None, format!("cell {number}")));
            self.differences.push(Difference {
                cube: cube.name(),
                grain: page.grain.name(),
                from: page.grain.start(page.number),
                province,
                cell,
                kept,
                recounted,
            });
        }
    }
}

/// A province, and a cell for people.
type Told = Option<(Option<Ordinal>, String)>;

fn told<K: CellKey>(address: Address, text: impl FnOnce(K) -> String) -> Told {
    K::at(address).map(|(province, cell)| (province, text(cell)))
}

impl CubeName {
    fn tell(self, at: Address, directory: &Directory) -> Told {
        let code = |agency| directory.code(agency, Timestamp::from_millis(i64::MAX));
        match self {
            Self::Flow => told(at, |cell: FlowCell| {
                let to = cell.recipient_province.map_or_else(|| CENTRE.to_owned(), code);
                format!("{} to {to} {}", cell.sender_level, cell.recipient_level)
            }),
            Self::Outflow => told(at, |cell: OutflowCell| {
                format!("{} to {}", cell.sender_level, cell.recipient_level)
            }),
            Self::Kind => told(at, of_kind),
            Self::Country => told(at, |cell: InCountry<KindCell>| of_kind(cell.0)),
            Self::Place => {
                told(at, |cell: PlaceCell| format!("{} {}", cell.level, cell.direction.name()))
            }
            Self::Volume => told(at, of_volume),
            Self::Type => told(at, |cell: TypeCell| {
                let TypeCell { level, direction, signature, document_type } = cell;
                let (direction, document_type) = (direction.name(), document_type.name_en());
                format!("{level} {direction}, signature {signature}, {document_type}")
            }),
            Self::Agency | Self::Work => told(at, |cell: AgencyCell| {
                format!("{} {} {}", code(cell.agency), cell.level, cell.figure.name())
            }),
            Self::Progress | Self::Times => told(at, of_progress),
            Self::CountryTimes => told(at, |cell: InCountry<ProgressCell>| of_progress(cell.0)),
            Self::Refusals => told(at, |reason: Reason| reason.code().to_owned()),
        }
    }
}

fn of_kind(cell: KindCell) -> String {
    format!("{}, {}", of_volume(cell.volume()), cell.document_type.name_en())
}

fn of_volume(cell: VolumeCell) -> String {
    let VolumeCell { level, direction, scope, signature, paper_copy } = cell;
    let paper = if paper_copy { "with paper" } else { "without paper" };
    format!("{level} {} {scope}, signature {signature}, {paper}", direction.name())
}

fn of_progress(cell: ProgressCell) -> String {
    format!("{} {}", cell.level, cell.figure.name())
}
