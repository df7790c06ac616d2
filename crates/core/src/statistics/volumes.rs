//! Sums that are used together: volumes per province and level, flows, refusals.

use std::cmp::Reverse;
use std::collections::{BTreeMap, HashMap};
use std::sync::RwLock;

use lienthong_model::{Level, Ordinal, Reason};

use super::cubes::Cubes;
use super::event::Direction;
use super::period::Period;
use super::quick::Quick;
use super::visit::{visit_flow, visit_refusals, visit_volume};
use crate::engine::{EngineError, Tables};

/// Documents of one province, or of the centre.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Volume {
    /// Documents sent, each counted once.
    pub sent: u64,
    /// Deliveries received.
    pub received: u64,
    /// Documents sent with a person's signature.
    pub personally_signed: u64,
    /// The same by level; a level without traffic is left out.
    pub by_level: BTreeMap<Level, LevelVolume>,
}

/// Documents of one level.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct LevelVolume {
    /// Documents sent.
    pub sent: u64,
    /// Deliveries received.
    pub received: u64,
    /// Documents sent with a person's signature.
    pub personally_signed: u64,
}

/// Sums over provinces and centre.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Totals {
    /// Documents sent.
    pub sent: u64,
    /// Deliveries received.
    pub received: u64,
}

/// Documents of a period by province.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Volumes {
    /// Provinces with traffic.
    pub provinces: BTreeMap<Ordinal, Volume>,
    /// The central bodies.
    pub centre: Volume,
    /// Their sums.
    pub totals: Totals,
}

/// Deliveries from one place to another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Flow {
    /// The senders' province; none for the centre.
    pub from_province: Option<Ordinal>,
    /// The senders' level.
    pub from_level: Level,
    /// The recipients' province; none for the centre.
    pub to_province: Option<Ordinal>,
    /// The recipients' level.
    pub to_level: Level,
    /// How many.
    pub deliveries: u64,
    /// Bytes of content and attachments.
    pub bytes: u64,
}

/// Refusals of a period.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Refusals {
    /// By the caller's province (none: the centre) and reason.
    pub by_province: BTreeMap<(Option<Ordinal>, Reason), u64>,
    /// By reason, in the order of the list.
    pub by_reason: BTreeMap<Reason, u64>,
}

/// Returns documents by province and level in the days that a period touches.
///
/// # Errors
/// [`EngineError`] when a page cannot be read.
pub fn volumes(
    cubes: &RwLock<Cubes>,
    tables: &dyn Tables,
    period: Period,
) -> Result<Volumes, EngineError> {
    let mut places: HashMap<(Option<Ordinal>, Level), LevelVolume, Quick> = HashMap::default();
    visit_volume(cubes, tables, period, &mut |found| {
        let (cell, count) = (found.key, found.cell.count);
        let place = places.entry((found.province, cell.level)).or_default();
        match cell.direction {
            Direction::Sent => {
                place.sent += count;
                place.personally_signed += if cell.signature.is_personal() { count } else { 0 };
            }
            Direction::Received => place.received += count,
        }
    })?;
    let mut volumes = Volumes::default();
    for ((province, level), place) in places {
        let volume = match province {
            Some(province) => volumes.provinces.entry(province).or_default(),
            None => &mut volumes.centre,
        };
        volume.sent += place.sent;
        volume.received += place.received;
        volume.personally_signed += place.personally_signed;
        volume.by_level.insert(level, place);
        volumes.totals.sent += place.sent;
        volumes.totals.received += place.received;
    }
    Ok(volumes)
}

/// Returns deliveries between places in the hours that a period touches, largest first.
///
/// # Errors
/// [`EngineError`] when a page cannot be read.
pub fn flows(
    cubes: &RwLock<Cubes>,
    tables: &dyn Tables,
    period: Period,
) -> Result<Vec<Flow>, EngineError> {
    let mut cells: HashMap<_, (u64, u64), Quick> = HashMap::default();
    visit_flow(cubes, tables, period, &mut |found| {
        let total = cells.entry((found.province, found.key)).or_default();
        total.0 += found.cell.count;
        total.1 += found.cell.measure;
    })?;
    let mut flows: Vec<Flow> = cells
        .into_iter()
        .map(|((from_province, cell), (deliveries, bytes))| Flow {
            from_province,
            from_level: cell.sender_level,
            to_province: cell.recipient_province,
            to_level: cell.recipient_level,
            deliveries,
            bytes,
        })
        .collect();
    flows.sort_unstable_by_key(|flow| {
        let place = (flow.from_province, flow.from_level, flow.to_province, flow.to_level);
        (Reverse(flow.deliveries), place)
    });
    Ok(flows)
}

/// Returns refusals by province and reason in the hours that a period touches.
///
/// # Errors
/// [`EngineError`] when a page cannot be read.
pub fn refusals(
    cubes: &RwLock<Cubes>,
    tables: &dyn Tables,
    period: Period,
) -> Result<Refusals, EngineError> {
    let mut refusals = Refusals::default();
    visit_refusals(cubes, tables, period, &mut |found| {
        let (reason, count) = (found.key, found.cell.count);
        *refusals.by_province.entry((found.province, reason)).or_default() += count;
        *refusals.by_reason.entry(reason).or_default() += count;
    })?;
    Ok(refusals)
}
