//! Asking for statistics: how much flows where, and what is refused.

use lienthong_model::{AgencyCode, Level, Reason, Timestamp};
use lienthong_wire::{moment, proto};

use crate::client::Client;
use crate::error::CallError;
use crate::read;

/// A period of whole hours in UTC+07:00; a bound is rounded down to its hour. The default is all
/// time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Period {
    /// The first moment; `None`: since the beginning.
    pub from: Option<Timestamp>,
    /// The first moment after it; `None`: until now.
    pub to: Option<Timestamp>,
}

/// Volumes in a period. Over provinces and centre they add up to the totals.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Volumes {
    /// One entry a province, in the order of codes.
    pub provinces: Vec<ProvinceVolume>,
    /// The central bodies.
    pub centre: ProvinceVolume,
    /// The whole country.
    pub totals: TotalVolume,
}

/// Volumes of one province, or of the centre.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProvinceVolume {
    /// The province; `None` for the centre.
    pub code: Option<AgencyCode>,
    /// Its name; empty for the centre.
    pub name: String,
    /// Documents sent: each counts once.
    pub sent: u64,
    /// Documents received: each delivery counts.
    pub received: u64,
    /// Documents sent that bear a person's signature.
    pub personally_signed: u64,
    /// The same by level.
    pub levels: Vec<LevelVolume>,
}

/// Volumes of one level.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LevelVolume {
    /// The level.
    pub level: Level,
    /// Documents sent: each counts once.
    pub sent: u64,
    /// Documents received: each delivery counts.
    pub received: u64,
}

/// Volumes of the whole country.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct TotalVolume {
    /// Documents sent: each counts once.
    pub sent: u64,
    /// Documents received: each delivery counts.
    pub received: u64,
    /// Documents sent that bear a person's signature.
    pub personally_signed: u64,
}

/// Deliveries from one province and level to another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FlowCell {
    /// The sender's province; `None` for the centre.
    pub sender_province: Option<AgencyCode>,
    /// The sender's level.
    pub sender_level: Level,
    /// The recipient's province; `None` for the centre.
    pub recipient_province: Option<AgencyCode>,
    /// The recipient's level.
    pub recipient_level: Level,
    /// Deliveries made to mailboxes.
    pub deliveries: u64,
    /// Bytes of signed content delivered.
    pub content_bytes: u64,
}

/// Refusals in a period.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusals {
    /// In all, by code.
    pub total: Vec<RefusalCount>,
    /// By province, in the order of codes.
    pub provinces: Vec<ProvinceRefusals>,
    /// Of the central bodies.
    pub centre: ProvinceRefusals,
}

/// Refusals with one code.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RefusalCount {
    /// The stable code.
    pub code: String,
    /// How many.
    pub count: u64,
}

/// Refusals of what one province's agencies handed over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProvinceRefusals {
    /// The province; `None` for the centre.
    pub code: Option<AgencyCode>,
    /// Its name; empty for the centre.
    pub name: String,
    /// By code.
    pub refusals: Vec<RefusalCount>,
}

impl RefusalCount {
    /// Returns the reason, when this version knows it.
    pub fn known_reason(&self) -> Option<Reason> {
        Reason::ALL.iter().copied().find(|reason| reason.code() == self.code)
    }
}

impl Client {
    /// Returns documents sent and received in a period, by province and level.
    ///
    /// # Errors
    /// [`CallError`] as for every call.
    pub async fn volumes(&self, period: Period) -> Result<Volumes, CallError> {
        let (from, to) = period.bounds();
        let request = proto::GetVolumesRequest { from, to };
        let call = || {
            let mut statistics = self.shared.statistics();
            async move { Ok(statistics.get_volumes(request).await?.into_inner()) }
        };
        let answer = self.shared.call(call).await?;
        let totals = answer.totals.unwrap_or_default();
        let provinces = answer.provinces.into_iter().map(province);
        Ok(Volumes {
            provinces: provinces.collect::<Result<_, _>>()?,
            centre: province(answer.centre.unwrap_or_default())?,
            totals: TotalVolume {
                sent: totals.sent,
                received: totals.received,
                personally_signed: totals.personally_signed,
            },
        })
    }

    /// Returns deliveries in a period from each province and level to each; cells without any are
    /// left out.
    ///
    /// # Errors
    /// [`CallError`] as for every call.
    pub async fn flows(&self, period: Period) -> Result<Vec<FlowCell>, CallError> {
        let (from, to) = period.bounds();
        let request = proto::GetFlowsRequest { from, to };
        let call = || {
            let mut statistics = self.shared.statistics();
            async move { Ok(statistics.get_flows(request).await?.into_inner()) }
        };
        let answer = self.shared.call(call).await?;
        answer.cells.into_iter().map(cell).collect()
    }

    /// Returns refusals in a period by code, in all and by province.
    ///
    /// # Errors
    /// [`CallError`] as for every call.
    pub async fn refusals(&self, period: Period) -> Result<Refusals, CallError> {
        let (from, to) = period.bounds();
        let request = proto::GetRefusalsRequest { from, to };
        let call = || {
            let mut statistics = self.shared.statistics();
            async move { Ok(statistics.get_refusals(request).await?.into_inner()) }
        };
        let answer = self.shared.call(call).await?;
        let provinces = answer.provinces.into_iter().map(province_refusals);
        Ok(Refusals {
            total: counts(answer.refusals),
            provinces: provinces.collect::<Result<_, _>>()?,
            centre: province_refusals(answer.centre.unwrap_or_default())?,
        })
    }
}

impl Period {
    fn bounds(self) -> (Option<prost_types::Timestamp>, Option<prost_types::Timestamp>) {
        (self.from.map(moment::to_proto), self.to.map(moment::to_proto))
    }
}

fn province(volume: proto::ProvinceVolume) -> Result<ProvinceVolume, CallError> {
    let level = |volume: proto::LevelVolume| {
        let level = read::level("levels.level", volume.level)?;
        Ok(LevelVolume { level, sent: volume.sent, received: volume.received })
    };
    Ok(ProvinceVolume {
        code: read::optional_code("provinces.code", &volume.code)?,
        name: volume.name,
        sent: volume.sent,
        received: volume.received,
        personally_signed: volume.personally_signed,
        levels: volume.levels.into_iter().map(level).collect::<Result<_, CallError>>()?,
    })
}

fn cell(cell: proto::FlowCell) -> Result<FlowCell, CallError> {
    Ok(FlowCell {
        sender_province: read::optional_code("cells.sender_province", &cell.sender_province)?,
        sender_level: read::level("cells.sender_level", cell.sender_level)?,
        recipient_province: read::optional_code(
            "cells.recipient_province",
            &cell.recipient_province,
        )?,
        recipient_level: read::level("cells.recipient_level", cell.recipient_level)?,
        deliveries: cell.deliveries,
        content_bytes: cell.content_bytes,
    })
}

fn province_refusals(refusals: proto::ProvinceRefusals) -> Result<ProvinceRefusals, CallError> {
    Ok(ProvinceRefusals {
        code: read::optional_code("provinces.code", &refusals.code)?,
        name: refusals.name,
        refusals: counts(refusals.refusals),
    })
}

fn counts(counts: Vec<proto::RefusalCount>) -> Vec<RefusalCount> {
    let count = |entry: proto::RefusalCount| RefusalCount { code: entry.code, count: entry.count };
    counts.into_iter().map(count).collect()
}
