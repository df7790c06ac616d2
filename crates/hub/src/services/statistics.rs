//! `StatisticsService`. Statistics down to province are open to every node.

use lienthong_core::Directory;
use lienthong_core::statistics::{Period, Volume};
use lienthong_model::{Ordinal, Timestamp};
use lienthong_wire::proto::statistics_service_server::StatisticsService;
use lienthong_wire::{moment, proto};
use tonic::{Request, Response, Status};

use super::{Services, refused};
use crate::caller::MayRead;
use crate::present::unreadable;

#[tonic::async_trait]
impl StatisticsService for Services {
    async fn get_volumes(
        &self,
        request: Request<proto::GetVolumesRequest>,
    ) -> Result<Response<proto::GetVolumesResponse>, Status> {
        self.admit::<MayRead, _>(&request)?;
        let proto::GetVolumesRequest { from, to } = request.into_inner();
        let volumes = self.0.reader.volumes(period(from, to));
        let volumes = volumes.map_err(|error| refused(unreadable(&error)))?;
        let directory = self.0.reader.directory();
        let now = self.0.clock.now();
        let named = |(province, volume): (&Ordinal, &Volume)| {
            let (code, name) = names(&directory, Some(*province), now);
            proto::ProvinceVolume { code, name, ..volume_of(volume) }
        };
        let personally_signed = volumes.centre.personally_signed
            + volumes.provinces.values().map(|volume| volume.personally_signed).sum::<u64>();
        Ok(Response::new(proto::GetVolumesResponse {
            provinces: volumes.provinces.iter().map(named).collect(),
            centre: Some(volume_of(&volumes.centre)),
            totals: Some(proto::TotalVolume {
                sent: volumes.totals.sent,
                received: volumes.totals.received,
                personally_signed,
            }),
        }))
    }

    async fn get_flows(
        &self,
        request: Request<proto::GetFlowsRequest>,
    ) -> Result<Response<proto::GetFlowsResponse>, Status> {
        self.admit::<MayRead, _>(&request)?;
        let proto::GetFlowsRequest { from, to } = request.into_inner();
        let flows = self.0.reader.flows(period(from, to));
        let flows = flows.map_err(|error| refused(unreadable(&error)))?;
        let directory = self.0.reader.directory();
        let now = self.0.clock.now();
        let cells = flows.iter().map(|flow| proto::FlowCell {
            sender_province: names(&directory, flow.from_province, now).0,
            sender_level: proto::Level::from(flow.from_level) as i32,
            recipient_province: names(&directory, flow.to_province, now).0,
            recipient_level: proto::Level::from(flow.to_level) as i32,
            deliveries: flow.deliveries,
            content_bytes: flow.bytes,
        });
        Ok(Response::new(proto::GetFlowsResponse { cells: cells.collect() }))
    }

    async fn get_refusals(
        &self,
        request: Request<proto::GetRefusalsRequest>,
    ) -> Result<Response<proto::GetRefusalsResponse>, Status> {
        self.admit::<MayRead, _>(&request)?;
        let proto::GetRefusalsRequest { from, to } = request.into_inner();
        let found = self.0.reader.refusals(period(from, to));
        let found = found.map_err(|error| refused(unreadable(&error)))?;
        let directory = self.0.reader.directory();
        let now = self.0.clock.now();
        let mut places: Vec<Option<Ordinal>> =
            found.by_province.keys().map(|(province, _)| *province).collect();
        places.dedup();
        let of = |place: Option<Ordinal>| {
            let (code, name) = names(&directory, place, now);
            let here = found.by_province.iter().filter(|((province, _), _)| *province == place);
            let refusals = here.map(|((_, reason), count)| count_of(*reason, *count)).collect();
            proto::ProvinceRefusals { code, name, refusals }
        };
        Ok(Response::new(proto::GetRefusalsResponse {
            refusals: found.by_reason.iter().map(|(why, count)| count_of(*why, *count)).collect(),
            provinces: places.iter().filter(|place| place.is_some()).map(|p| of(*p)).collect(),
            centre: Some(of(None)),
        }))
    }
}

fn period(from: Option<prost_types::Timestamp>, to: Option<prost_types::Timestamp>) -> Period {
    let moment = |at: Option<prost_types::Timestamp>, open: Timestamp| {
        at.as_ref().and_then(moment::from_proto).unwrap_or(open)
    };
    Period { from: moment(from, Period::ALL.from), until: moment(to, Period::ALL.until) }
}

fn names(directory: &Directory, province: Option<Ordinal>, at: Timestamp) -> (String, String) {
    match province.and_then(|province| directory.agency(province)) {
        Some(province) => {
            let entry = province.entry(at);
            (entry.code.to_string(), entry.name.clone())
        }
        None => (String::new(), String::new()),
    }
}

fn volume_of(volume: &Volume) -> proto::ProvinceVolume {
    let levels = volume.by_level.iter().map(|(level, volume)| proto::LevelVolume {
        level: proto::Level::from(*level) as i32,
        sent: volume.sent,
        received: volume.received,
    });
    proto::ProvinceVolume {
        code: String::new(),
        name: String::new(),
        sent: volume.sent,
        received: volume.received,
        personally_signed: volume.personally_signed,
        levels: levels.collect(),
    }
}

fn count_of(reason: lienthong_model::Reason, count: u64) -> proto::RefusalCount {
    proto::RefusalCount { code: reason.code().to_owned(), count }
}
