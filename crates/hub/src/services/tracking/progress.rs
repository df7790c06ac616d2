//! How far recipients are: counts, the laggards page by page, waiting for them, reminding them.

use std::sync::Arc;
use std::time::Duration;

use lienthong_core::{
    Decision, DeliveryRow, DocumentRow, ProgressCounts, Proposal, Remind, RemindTo, Stage,
};
use lienthong_model::limits::{PAGE_SIZE_DEFAULT, PAGE_SIZE_MAX, WAIT_FOR_PROGRESS_MAX};
use lienthong_model::{AgencyCode, Ordinal, Reason, Refusal, Timestamp};
use lienthong_wire::{moment, proto};
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;

use super::super::streams::Outcomes;
use super::super::{Rooms, refused};
use super::{Asking, Found, Name};
use crate::caller::MayExchange;
use crate::present::unreadable;

/// How often counts are looked at again when blocks come without a pause.
const LOOK_EVERY: Duration = Duration::from_millis(100);

pub(super) fn progress(
    rooms: &Rooms,
    permit: MayExchange,
    name: &Name,
    request: &proto::GetProgressRequest,
) -> Result<proto::GetProgressResponse, Refusal> {
    let directory = rooms.reader.directory();
    let asking = Asking::of(rooms, &directory, permit);
    let Found { position, document, .. } = name.find_sent(&asking)?;
    let progress = asking.query.progress(position, &document);
    let progress = progress.map_err(|error| unreadable(&error))?;
    let (listed, next_page_token) = list(&asking, position, &document, request)?;
    Ok(proto::GetProgressResponse {
        progress: Some(counts(progress, &document, asking.now)),
        recipients: listed,
        next_page_token,
    })
}

/// Counts as they are told; overdue is what has not ended although the due date is over.
pub(super) fn counts(
    progress: ProgressCounts,
    document: &DocumentRow,
    now: Timestamp,
) -> proto::ProgressCounts {
    let is_over = document.due.is_some_and(|due| due <= now);
    let ProgressCounts {
        recipients,
        pending,
        waiting,
        acknowledged,
        arrived,
        accepted,
        finished,
        refused,
        withdrawn,
    } = progress;
    proto::ProgressCounts {
        recipients,
        pending,
        waiting,
        acknowledged,
        arrived,
        accepted,
        finished,
        refused,
        withdrawn,
        overdue: if is_over { recipients - progress.ended() } else { 0 },
    }
}

fn stage_to_proto(stage: Stage) -> i32 {
    (match stage {
        Stage::Waiting => proto::Stage::Waiting,
        Stage::Acknowledged => proto::Stage::Acknowledged,
        Stage::Arrived => proto::Stage::Arrived,
        Stage::Accepted => proto::Stage::Accepted,
        Stage::Finished => proto::Stage::Finished,
        Stage::Refused => proto::Stage::Refused,
        Stage::Withdrawn => proto::Stage::Withdrawn,
    }) as i32
}

fn stage_from_proto(number: i32, field: &str) -> Result<Option<Stage>, Refusal> {
    match proto::Stage::try_from(number) {
        Ok(proto::Stage::Unspecified) => Ok(None),
        Ok(proto::Stage::Waiting) => Ok(Some(Stage::Waiting)),
        Ok(proto::Stage::Acknowledged) => Ok(Some(Stage::Acknowledged)),
        Ok(proto::Stage::Arrived) => Ok(Some(Stage::Arrived)),
        Ok(proto::Stage::Accepted) => Ok(Some(Stage::Accepted)),
        Ok(proto::Stage::Finished) => Ok(Some(Stage::Finished)),
        Ok(proto::Stage::Refused) => Ok(Some(Stage::Refused)),
        Ok(proto::Stage::Withdrawn) => Ok(Some(Stage::Withdrawn)),
        Err(_) => Err(Refusal::at(Reason::FieldInvalid, field, number)),
    }
}

/// Recipients of a page, and the token of the next.
fn list(
    asking: &Asking<'_>,
    position: lienthong_model::Position,
    document: &DocumentRow,
    request: &proto::GetProgressRequest,
) -> Result<(Vec<proto::RecipientProgress>, String), Refusal> {
    let mut wanted = Vec::new();
    for stage in &request.stages {
        wanted.extend(stage_from_proto(*stage, "stages")?);
    }
    if wanted.is_empty() {
        return Ok((Vec::new(), String::new()));
    }
    let after = after(asking, &request.page_token)?;
    let size = match usize::try_from(request.page_size) {
        Ok(0) | Err(_) => PAGE_SIZE_DEFAULT,
        Ok(asked) => asked.min(PAGE_SIZE_MAX),
    };
    let mut found: Vec<(Ordinal, Stage)> = Vec::new();
    let visited = asking.query.stages(position, document, after, &mut |recipient, stage| {
        if wanted.contains(&stage) {
            found.push((recipient, stage));
        }
        found.len() <= size
    });
    visited.map_err(|error| unreadable(&error))?;
    let is_last = found.len() <= size;
    found.truncate(size);
    let token = match found.last() {
        Some((last, _)) if !is_last => asking.directory.code(*last, asking.now),
        _ => String::new(),
    };
    let mut listed = Vec::with_capacity(found.len());
    for (recipient, stage) in found {
        let delivery = asking.query.delivery(position, recipient);
        let delivery = delivery.map_err(|error| unreadable(&error))?;
        let (since, reason) = last_act(document, delivery);
        listed.push(proto::RecipientProgress {
            code: asking.directory.code(recipient, asking.now),
            stage: stage_to_proto(stage),
            since: Some(moment::to_proto(since)),
            reason,
        });
    }
    Ok((listed, token))
}

/// The recipient after which a page begins: the token is its code.
fn after(asking: &Asking<'_>, token: &str) -> Result<Option<Ordinal>, Refusal> {
    if token.is_empty() {
        return Ok(None);
    }
    let known = AgencyCode::parse(token).ok();
    let known = known.as_ref().and_then(|code| asking.directory.find(code));
    let invalid = || Refusal::at(Reason::FieldInvalid, "page_token", token);
    known.map(|agency| Some(agency.ordinal)).ok_or_else(invalid)
}

/// When a delivery changed last, and the reason given then.
fn last_act(document: &DocumentRow, delivery: Option<DeliveryRow>) -> (Timestamp, String) {
    let Some(mut delivery) = delivery else { return (document.received_at, String::new()) };
    if let Some(line) = delivery.statuses.pop() {
        return (line.at, line.reason);
    }
    match (delivery.acknowledged_at, delivery.negative) {
        (Some(at), _) => (at, String::new()),
        (None, Some(negative)) => (document.received_at, negative.reason),
        (None, None) => (document.received_at, String::new()),
    }
}

/// Has the laggards told; returns how many they are.
pub(super) async fn remind(
    rooms: &Rooms,
    permit: MayExchange,
    name: &Name,
    request: &proto::RemindRecipientsRequest,
) -> Result<proto::RemindRecipientsResponse, Refusal> {
    let to = match stage_from_proto(request.stage, "stage")? {
        Some(Stage::Acknowledged) => RemindTo::PickUp,
        Some(Stage::Accepted) => RemindTo::Answer,
        None | Some(Stage::Finished) => RemindTo::Finish,
        Some(_) => return Err(Refusal::at(Reason::FieldInvalid, "stage", request.stage)),
    };
    let position = {
        let directory = rooms.reader.directory();
        name.find_sent(&Asking::of(rooms, &directory, permit))?.position
    };
    let remind = Remind { caller: permit.0.agency, position, to };
    match rooms.sequencer.propose(Proposal::Remind(remind)).await?.decision {
        Decision::Reminded(reminded) => Ok(proto::RemindRecipientsResponse { reminded }),
        Decision::Refused(refusal) => Err(refusal),
        _ => Err(Refusal::new(Reason::Stopped)),
    }
}

/// When recipients are far enough.
struct Goal {
    stage: Stage,
    enough: Enough,
}

enum Enough {
    Share(f64),
    Count(u32),
}

impl Goal {
    fn read(request: &proto::WaitForProgressRequest) -> Result<Self, Refusal> {
        use proto::wait_for_progress_request::Enough as Asked;
        let stage = stage_from_proto(request.stage, "stage")?;
        let stage = stage.filter(|stage| !matches!(stage, Stage::Waiting | Stage::Withdrawn));
        let stage =
            stage.ok_or_else(|| Refusal::at(Reason::FieldInvalid, "stage", request.stage))?;
        let enough = match request.enough {
            Some(Asked::Share(share)) if share > 0.0 && share <= 1.0 => Enough::Share(share),
            Some(Asked::Count(count)) if count > 0 => Enough::Count(count),
            Some(Asked::Share(share)) => {
                return Err(Refusal::at(Reason::FieldInvalid, "share", share));
            }
            Some(Asked::Count(count)) => {
                return Err(Refusal::at(Reason::FieldInvalid, "count", count));
            }
            None => Enough::Share(1.0),
        };
        Ok(Self { stage, enough })
    }

    fn is_reached(&self, progress: &ProgressCounts) -> bool {
        let reached = progress.reached(self.stage);
        match self.enough {
            Enough::Share(share) => f64::from(reached) >= share * f64::from(progress.recipients),
            Enough::Count(count) => reached >= count,
        }
    }
}

/// Tells counts until the goal is reached or the time is over.
pub(super) fn wait(
    rooms: Arc<Rooms>,
    permit: MayExchange,
    name: &Name,
    request: &proto::WaitForProgressRequest,
) -> Result<Outcomes<proto::WaitForProgressResponse>, Refusal> {
    let goal = Goal::read(request)?;
    let timeout = request.timeout.as_ref().and_then(moment::duration_from_proto);
    let timeout = timeout.unwrap_or(WAIT_FOR_PROGRESS_MAX).min(WAIT_FOR_PROGRESS_MAX);
    let found = {
        let directory = rooms.reader.directory();
        name.find_sent(&Asking::of(&rooms, &directory, permit))?
    };
    let place = rooms.waits.take(permit.0.agency)?;
    let (say, said) = mpsc::channel(1);
    tokio::spawn(async move {
        let _place = place;
        let waited = tokio::time::timeout(timeout, tell(&rooms, &found, &goal, &say)).await;
        if waited.is_err() {
            let last = look(&rooms, &found, &goal)
                .map(|now| proto::WaitForProgressResponse { timed_out: !now.reached, ..now });
            // Whoever has gone does not want to know.
            let _ = say.send(last.map_err(refused)).await;
        }
    });
    Ok(Box::pin(ReceiverStream::new(said)))
}

type Say = mpsc::Sender<Result<proto::WaitForProgressResponse, tonic::Status>>;

/// Tells counts whenever they change, until the goal is reached.
async fn tell(rooms: &Rooms, found: &Found, goal: &Goal, say: &Say) {
    let mut blocks = rooms.reader.blocks_ordered();
    let mut drained = std::pin::pin!(rooms.drained());
    let mut told: Option<proto::WaitForProgressResponse> = None;
    loop {
        let now = look(rooms, found, goal);
        let end = now.as_ref().map_or(true, |now| now.reached);
        if now.as_ref().ok() != told.as_ref() {
            told = now.as_ref().ok().cloned();
            if say.send(now.map_err(refused)).await.is_err() {
                return;
            }
        }
        if end {
            return;
        }
        tokio::select! {
            changed = blocks.changed() => if changed.is_err() { return },
            () = say.closed() => return,
            () = &mut drained => {
                let _ = say.send(Err(refused(Refusal::new(Reason::Draining)))).await;
                return;
            }
        }
        tokio::time::sleep(LOOK_EVERY).await;
    }
}

fn look(
    rooms: &Rooms,
    found: &Found,
    goal: &Goal,
) -> Result<proto::WaitForProgressResponse, Refusal> {
    let progress = rooms.reader.query().progress(found.position, &found.document);
    let progress = progress.map_err(|error| unreadable(&error))?;
    Ok(proto::WaitForProgressResponse {
        progress: Some(counts(progress, &found.document, rooms.clock.now())),
        reached: goal.is_reached(&progress),
        timed_out: false,
    })
}
