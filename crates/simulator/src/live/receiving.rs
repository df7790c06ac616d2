//! Receiving: verifies what comes from the bytes received, acknowledges, and reports what the
//! recipient does with it.

use std::sync::Arc;

use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use lienthong_client::{Acknowledger, Checked, Delivery, Subscription, sign_report};
use lienthong_model::{AgencyCode, Refusal, StatusCode, StatusReport};
use tokio::sync::Semaphore;
use tokio::task::JoinHandle;
use tokio_util::task::TaskTracker;

use super::station::verified;
use super::{LiveError, Round};
use crate::plan::Answer;
use crate::tally::Mismatch;

/// Deliveries that one node has unacknowledged.
const CREDIT: u32 = 64;
/// Subscriptions opened at a time.
const OPENING: usize = 16;
/// Deliveries being worked on at a time, by all agencies together.
const AT_WORK: usize = 384;

/// Opens every node's mailboxes. Returns the tasks that receive, and the tracker of the work that
/// they begin.
pub(super) async fn open(
    round: &Arc<Round>,
) -> Result<(Vec<JoinHandle<()>>, TaskTracker), LiveError> {
    let work = TaskTracker::new();
    let places = Arc::new(Semaphore::new(AT_WORK));
    let opened = stream::iter(round.crew.stations.values().map(|station| async {
        let subscription = station.client.subscribe(&[], CREDIT).await?;
        let receiving = receive(round.clone(), subscription, work.clone(), places.clone());
        Ok::<_, LiveError>(tokio::spawn(receiving))
    }));
    let receivers = opened.buffer_unordered(OPENING).try_collect().await?;
    Ok((receivers, work))
}

async fn receive(
    round: Arc<Round>,
    mut subscription: Subscription,
    work: TaskTracker,
    places: Arc<Semaphore>,
) {
    let acknowledger = subscription.acknowledger();
    while let Some(next) = subscription.next().await {
        let delivery = match next {
            Ok(delivery) => delivery,
            Err(error) => {
                let what = "a subscription".to_owned();
                let (expected, found) = ("deliveries".to_owned(), error.to_string());
                round.count(|tally| tally.mismatch(Mismatch { what, expected, found }));
                continue;
            }
        };
        let Ok(place) = places.clone().acquire_owned().await else { return };
        let (round, acknowledger) = (round.clone(), acknowledger.clone());
        work.spawn(async move {
            handle(&round, &acknowledger, delivery).await;
            drop(place);
        });
    }
}

async fn handle(round: &Round, acknowledger: &Acknowledger, delivery: Delivery) {
    let key = delivery.key.clone();
    let first = round.count(|tally| tally.saw(&key.recipient, key.position));
    let checked = check(round, &delivery);
    if let Err(error) = acknowledger.acknowledge(std::slice::from_ref(&key)).await {
        failed(round, format!("acknowledgement of {} by {}", key.position, key.recipient), error);
        return;
    }
    if !first {
        return;
    }
    round.count(|tally| tally.acknowledged += 1);
    match checked {
        Ok(checked) => report(round, &key.recipient, &checked).await,
        Err(refusal) => {
            failed(round, format!("delivery {} to {}", key.position, key.recipient), refusal);
        }
    }
}

/// Verifies a delivery.
fn check(round: &Round, delivery: &Delivery) -> Result<Checked, Refusal> {
    let crew = &round.crew;
    verified(&crew.check, delivery, |sender| {
        let member = crew.by_code.get(sender.as_str())?;
        Some(&crew.cast.members[*member].entry)
    })
}

/// Reports, one after the other, what the recipient does with the document.
async fn report(round: &Round, recipient: &AgencyCode, checked: &Checked) {
    let crew = &round.crew;
    let Some(member) = crew.by_code.get(recipient.as_str()).copied() else { return };
    let number = checked.document.number.parse::<u64>().unwrap_or_default();
    let answer = Answer::of(round.plan.seed, number, member);
    let station = crew.station(member);
    for code in answer.0 {
        let (sender, document) = (checked.document.from.code.clone(), checked.document.id);
        let from = recipient.clone();
        let mut report =
            StatusReport::new(station.client.new_id(), from, (sender, document), *code);
        if *code == StatusCode::Refused {
            report = report.because("Văn bản không thuộc thẩm quyền giải quyết");
        }
        let signed = sign_report(&report, &[crew.seal(member)]);
        match station.reports.report(signed).await {
            Ok(_) => round.count(|tally| *tally.statuses.entry(*code).or_default() += 1),
            Err(error) => {
                failed(round, format!("report {code} on {document} by {recipient}"), error);
                return;
            }
        }
    }
}

fn failed(round: &Round, what: String, found: impl std::fmt::Display) {
    let (expected, found) = ("accepted".to_owned(), found.to_string());
    round.count(|tally| tally.mismatch(Mismatch { what, expected, found }));
}
