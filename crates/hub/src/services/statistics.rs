//! `StatisticsService`. Statistics down to province are open to every caller.

mod indicators;
mod question;
mod recount;
mod watch;

use std::ops::Range;

use lienthong_core::Directory;
use lienthong_core::statistics::{AgencyBacklog, Answer, BacklogOrder, CENTRE, Question, View};
use lienthong_model::limits::{BACKLOG_AGENCIES_MAX, PAGE_SIZE_DEFAULT, STATISTICS_PAGE_MAX};
use lienthong_model::{AgencyCode, Ordinal, Reason, Refusal, Timestamp};
use lienthong_wire::proto::statistics_service_server::StatisticsService;
use lienthong_wire::{level_from_proto, moment, proto};
use tonic::{Request, Response, Status};

use super::streams::Outcomes;
use super::{Rooms, Services, refused};
use crate::caller::{Caller, MayOperate, MaySee};
use crate::present::unreadable;
use crate::reader::Reader;

/// Rows of an answer on one page when nothing is said.
const PAGE_DEFAULT: usize = 1_000;

#[tonic::async_trait]
impl StatisticsService for Services {
    async fn query_statistics(
        &self,
        request: Request<proto::QueryStatisticsRequest>,
    ) -> Result<Response<proto::QueryStatisticsResponse>, Status> {
        let MaySee(view, _) = self.admit::<MaySee, _>(&request)?;
        let request = request.into_inner();
        let (reader, now) = (self.0.reader.clone(), self.0.clock.now());
        let answered = aside(move || query(&reader, &view, request, now)).await;
        answered.map(Response::new).map_err(refused)
    }

    type WatchStatisticsStream = Outcomes<proto::WatchStatisticsResponse>;

    async fn watch_statistics(
        &self,
        request: Request<proto::WatchStatisticsRequest>,
    ) -> Result<Response<Self::WatchStatisticsStream>, Status> {
        let MaySee(view, caller) = self.admit::<MaySee, _>(&request)?;
        let watched = watch::watch(self.0.clone(), (caller, &view), request.into_inner());
        watched.map(Response::new).map_err(refused)
    }

    async fn list_backlog(
        &self,
        request: Request<proto::ListBacklogRequest>,
    ) -> Result<Response<proto::ListBacklogResponse>, Status> {
        let MaySee(view, _) = self.admit::<MaySee, _>(&request)?;
        let request = request.into_inner();
        let (reader, now) = (self.0.reader.clone(), self.0.clock.now());
        let listed = aside(move || backlog(&reader, &view, &request, now)).await;
        listed.map(Response::new).map_err(refused)
    }

    async fn get_indicators(
        &self,
        request: Request<proto::GetIndicatorsRequest>,
    ) -> Result<Response<proto::GetIndicatorsResponse>, Status> {
        let MaySee(view, _) = self.admit::<MaySee, _>(&request)?;
        let request = request.into_inner();
        let (reader, now) = (self.0.reader.clone(), self.0.clock.now());
        let told = aside(move || indicators::indicators(&reader, &view, &request, now)).await;
        told.map(Response::new).map_err(refused)
    }

    async fn list_refusal_examples(
        &self,
        request: Request<proto::ListRefusalExamplesRequest>,
    ) -> Result<Response<proto::ListRefusalExamplesResponse>, Status> {
        let MaySee(view, _) = self.admit::<MaySee, _>(&request)?;
        let request = request.into_inner();
        let (reader, now) = (self.0.reader.clone(), self.0.clock.now());
        let listed = aside(move || indicators::examples(&reader, &view, &request, now)).await;
        listed.map(Response::new).map_err(refused)
    }

    type VerifyStatisticsStream = Outcomes<proto::VerifyStatisticsResponse>;

    async fn verify_statistics(
        &self,
        request: Request<proto::VerifyStatisticsRequest>,
    ) -> Result<Response<Self::VerifyStatisticsStream>, Status> {
        self.admit::<MayOperate, _>(&request)?;
        recount::verify(self.0.clone()).map(Response::new).map_err(refused)
    }
}

/// Does what takes some milliseconds where it keeps nobody waiting.
async fn aside<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, Refusal> + Send + 'static,
) -> Result<T, Refusal> {
    match tokio::task::spawn_blocking(work).await {
        Ok(done) => done,
        Err(_) => Err(Refusal::new(Reason::Stopped)),
    }
}

fn ask(reader: &Reader, question: &Question, rows: Range<usize>) -> Result<Answer, Refusal> {
    let answer = reader.ask_rows(question, rows).map_err(|error| unreadable(&error))?;
    answer.map_err(|why| why.refusal())
}

fn query(
    reader: &Reader,
    view: &View,
    request: proto::QueryStatisticsRequest,
    now: Timestamp,
) -> Result<proto::QueryStatisticsResponse, Refusal> {
    let directory = reader.directory();
    let asked = question::read(request.question, &directory)?;
    let first: usize = match request.page_token.as_str() {
        "" => 0,
        token => {
            token.parse().map_err(|_| Refusal::at(Reason::FieldInvalid, "page_token", token))?
        }
    };
    let size = page_size(request.page_size);
    let next = first.saturating_add(size);
    let answer = ask(reader, &view.cut(asked), first..next)?;
    let more = next < answer.rows_total;
    Ok(proto::QueryStatisticsResponse {
        rows: answer.rows.iter().map(|row| question::row(row, &directory, now)).collect(),
        total: Some(question::row(&answer.total, &directory, now)),
        rows_total: i32::try_from(answer.rows_total).unwrap_or(i32::MAX),
        next_page_token: if more { next.to_string() } else { String::new() },
    })
}

fn page_size(asked: i32) -> usize {
    match usize::try_from(asked) {
        Ok(0) | Err(_) => PAGE_DEFAULT,
        Ok(asked) => asked.min(STATISTICS_PAGE_MAX),
    }
}

fn backlog(
    reader: &Reader,
    view: &View,
    request: &proto::ListBacklogRequest,
    now: Timestamp,
) -> Result<proto::ListBacklogResponse, Refusal> {
    let directory = reader.directory();
    let province = province(&request.province, &directory)?;
    let level = level_from_proto(request.level, "level")?;
    let order = match proto::BacklogOrder::try_from(request.order) {
        Ok(proto::BacklogOrder::Oldest) => BacklogOrder::Oldest,
        Ok(proto::BacklogOrder::Unspecified) => BacklogOrder::Most,
        Err(_) => return Err(Refusal::at(Reason::FieldInvalid, "order", request.order)),
    };
    let limit = match usize::try_from(request.limit) {
        Ok(0) | Err(_) => PAGE_SIZE_DEFAULT,
        Ok(asked) => asked.min(BACKLOG_AGENCIES_MAX),
    };
    let wanted = |agency: Ordinal| {
        directory.agency(agency).is_some_and(|agency| {
            let place = directory.place(agency, now);
            view.shows(agency.ordinal, place)
                && level.is_none_or(|level| place.level == level)
                && province.is_none_or(|province| place.province == province)
        })
    };
    let found = reader.with_statistics(|source| source.backlog(&wanted, order, limit));
    let found = found.map_err(|error| unreadable(&error))?;
    let agencies = found.agencies.iter().map(|one| waiting(reader, &directory, one, now));
    Ok(proto::ListBacklogResponse {
        agencies: agencies.collect::<Result<_, _>>()?,
        waiting: found.waiting,
        agencies_waiting: found.agencies_waiting,
        partial: found.partial,
    })
}

/// The province that a code names; `TW` is the centre, nothing is everywhere.
#[allow(clippy::option_option)] // Everywhere, the centre, or a province.
fn province(code: &str, directory: &Directory) -> Result<Option<Option<Ordinal>>, Refusal> {
    match code {
        "" => Ok(None),
        CENTRE => Ok(Some(None)),
        code => {
            let found = AgencyCode::parse(code).ok();
            let found = found.as_ref().and_then(|code| directory.find(code));
            let unknown = || Refusal::at(Reason::FieldInvalid, "province", code);
            found.map(|province| Some(Some(province.ordinal))).ok_or_else(unknown)
        }
    }
}

fn waiting(
    reader: &Reader,
    directory: &Directory,
    one: &AgencyBacklog,
    now: Timestamp,
) -> Result<proto::AgencyBacklog, Refusal> {
    let oldest = reader.query().document(one.oldest).map_err(|error| unreadable(&error))?;
    let entry = directory.agency(one.agency).map(|agency| agency.entry(now));
    Ok(proto::AgencyBacklog {
        code: directory.code(one.agency, now),
        name: entry.map(|entry| entry.name.clone()).unwrap_or_default(),
        level: entry.map_or(0, |entry| proto::Level::from(entry.level) as i32),
        state: entry.map_or(0, |entry| proto::AgencyState::from(entry.state) as i32),
        waiting: one.waiting,
        since: one.since.map(moment::to_proto),
        oldest_sender: oldest
            .as_ref()
            .map(|oldest| directory.code(oldest.sender, now))
            .unwrap_or_default(),
        oldest_id: oldest
            .map(|oldest| bytes::Bytes::copy_from_slice(oldest.id.as_bytes()))
            .unwrap_or_default(),
    })
}
