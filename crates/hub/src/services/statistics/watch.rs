//! Live questions: answered again when blocks came, at most once a second, told when the figures
//! changed.

use std::sync::Arc;

use lienthong_core::statistics::{Question, View};
use lienthong_model::limits::STATISTICS_LIVE_EVERY;
use lienthong_model::{Reason, Refusal};
use lienthong_wire::{moment, proto};
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;

use super::super::streams::Outcomes;
use super::{Caller, Rooms, aside, ask, page_size, question, refused};

type Say = mpsc::Sender<Result<proto::WatchStatisticsResponse, tonic::Status>>;

pub(super) fn watch(
    rooms: Arc<Rooms>,
    (caller, view): (Caller, &View),
    request: proto::WatchStatisticsRequest,
) -> Result<Outcomes<proto::WatchStatisticsResponse>, Refusal> {
    let asked = question::read(request.question, &rooms.reader.directory())?;
    let (asked, rows_max) = (view.cut(asked), page_size(request.rows_max));
    let place = rooms.live.take(caller.agency)?;
    let (say, said) = mpsc::channel(1);
    tokio::spawn(async move {
        let _place = place;
        tell(rooms, asked, rows_max, &say).await;
    });
    Ok(Box::pin(ReceiverStream::new(said)))
}

async fn tell(rooms: Arc<Rooms>, asked: Question, rows_max: usize, say: &Say) {
    let mut blocks = rooms.reader.blocks_ordered();
    let mut drained = std::pin::pin!(rooms.drained());
    let mut told: Option<proto::WatchStatisticsResponse> = None;
    loop {
        let (looking, asked) = (rooms.clone(), asked.clone());
        let now = aside(move || look(&looking, &asked, rows_max)).await;
        let changed = match (&now, &told) {
            (Ok(now), Some(told)) => (&now.rows, &now.total) != (&told.rows, &told.total),
            _ => true,
        };
        if changed {
            told = now.as_ref().ok().cloned();
            let failed = now.is_err();
            if say.send(now.map_err(refused)).await.is_err() || failed {
                return;
            }
        }
        // Before the wait for a block, so that none that comes meanwhile is passed over.
        tokio::select! {
            () = tokio::time::sleep(STATISTICS_LIVE_EVERY) => {}
            () = say.closed() => return,
        }
        tokio::select! {
            changed = blocks.changed() => if changed.is_err() { return },
            () = say.closed() => return,
            () = &mut drained => {
                let _ = say.send(Err(refused(Refusal::new(Reason::Draining)))).await;
                return;
            }
        }
    }
}

fn look(
    rooms: &Rooms,
    asked: &Question,
    rows_max: usize,
) -> Result<proto::WatchStatisticsResponse, Refusal> {
    let (directory, now) = (rooms.reader.directory(), rooms.clock.now());
    let answer = ask(&rooms.reader, asked, 0..rows_max)?;
    Ok(proto::WatchStatisticsResponse {
        at: Some(moment::to_proto(now)),
        rows: answer.rows.iter().map(|row| question::row(row, &directory, now)).collect(),
        total: Some(question::row(&answer.total, &directory, now)),
        rows_total: i32::try_from(answer.rows_total).unwrap_or(i32::MAX),
    })
}
