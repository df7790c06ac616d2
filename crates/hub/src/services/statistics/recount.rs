//! A recount of the statistics of this hub, while it goes on: how far it is once a second, and at the
//! end what it found. It ends with its caller, or when the hub drains.

use std::ops::ControlFlow;
use std::sync::Arc;
use std::time::{Duration, Instant};

use lienthong_core::Directory;
use lienthong_core::statistics::{CENTRE, Cell, Difference, Recounted};
use lienthong_model::{Reason, Refusal, Timestamp};
use lienthong_wire::{moment, proto};
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;

use super::super::streams::Outcomes;
use super::{Rooms, refused};
use crate::present::unreadable;

type Say = mpsc::Sender<Result<proto::VerifyStatisticsResponse, tonic::Status>>;

/// How often the caller is told how far it is.
const EVERY: Duration = Duration::from_secs(1);

pub(super) fn verify(
    rooms: Arc<Rooms>,
) -> Result<Outcomes<proto::VerifyStatisticsResponse>, Refusal> {
    let place = rooms.recounts.clone().try_acquire_owned().map_err(|_| {
        let refusal = Refusal::at(Reason::Overloaded, "statistics", "another recount is under way");
        refusal.retry_after(Duration::from_secs(30))
    })?;
    let (say, said) = mpsc::channel(1);
    tokio::task::spawn_blocking(move || {
        let told = count(&rooms, &say);
        // Before the answer: whoever has it may ask again.
        drop(place);
        // Whoever is gone is not told.
        let _ = told.map(|told| say.blocking_send(told.map_err(refused)));
    });
    Ok(Box::pin(ReceiverStream::new(said)))
}

/// Counts; returns what is said at the end, nothing to a caller who is gone.
fn count(rooms: &Rooms, say: &Say) -> Option<Result<proto::VerifyStatisticsResponse, Refusal>> {
    let (mut last, mut reached) = (Instant::now(), 0);
    let found = rooms.reader.recount_statistics(&mut |block, end| {
        reached = block;
        if last.elapsed() >= EVERY {
            last = Instant::now();
            // A caller who reads slowly is told less often.
            let _ = say.try_send(Ok(at(block, end, None)));
        }
        match say.is_closed() || *rooms.stopping.borrow() {
            true => ControlFlow::Break(()),
            false => ControlFlow::Continue(()),
        }
    });
    match found {
        Ok(Some(found)) => {
            let (directory, now) = (rooms.reader.directory(), rooms.clock.now());
            Some(Ok(at(reached, reached, Some(recounted(&found, &directory, now)))))
        }
        Ok(None) if say.is_closed() => None,
        Ok(None) => Some(Err(Refusal::new(Reason::Draining))),
        Err(error) => Some(Err(unreadable(&error))),
    }
}

fn at(
    block: u64,
    blocks_total: u64,
    found: Option<proto::RecountedStatistics>,
) -> proto::VerifyStatisticsResponse {
    proto::VerifyStatisticsResponse { block, blocks_total, found }
}

fn recounted(
    found: &Recounted,
    directory: &Directory,
    now: Timestamp,
) -> proto::RecountedStatistics {
    let cell = |cell: Cell| {
        let Cell { count, measure } = cell;
        Some(proto::StatisticsCell { count, measure })
    };
    let province = |one: &Difference| match one.province {
        Some(province) => directory.code(province, now),
        None => CENTRE.to_owned(),
    };
    let difference = |one: &Difference| proto::StatisticsDifference {
        cube: one.cube.to_owned(),
        grain: one.grain.to_owned(),
        from: Some(moment::to_proto(one.from)),
        province: province(one),
        cell: one.cell.clone(),
        kept: cell(one.kept),
        recounted: cell(one.recounted),
    };
    proto::RecountedStatistics {
        cells: found.cells,
        differences_total: found.differences_total,
        differences: found.differences.iter().map(difference).collect(),
    }
}
