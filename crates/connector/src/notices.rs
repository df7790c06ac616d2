//! What the hub tells an agency beside documents: above all what recipients report on documents
//! sent. Verified from the bytes, into `status/in`, then acknowledged; each once.
//!
//! The hub keeps a notice until it is acknowledged, so nothing is asked for here. A report that does
//! not verify goes to `status/rejected` and is acknowledged, too: the hub has it for good, and
//! others wait behind it.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use lienthong_client::{
    Acknowledger, CallError, Client, Notice, NoticeKind, Receipt, ReportedStatus,
};
use lienthong_model::limits::{INCOMING_CREDIT, NAMES_KEPT_FOR};
use lienthong_model::{AgencyCode, MessageId, Refusal, StatusReport};
use serde_json::{Value, json};

use crate::disk::{self, DiskError};
use crate::events::Event;
use crate::node::Shared;
use crate::outgoing::parcel::Parcel;
use crate::places::{Room, stamp};
use crate::receiving;
use crate::refused::Refused;
use crate::signed_files;

/// How long the last acknowledgements are waited for when the connector ends.
const CLOSE_MAX: Duration = Duration::from_secs(5);

/// Remembers how the agency's software called a document that the hub has accepted, so that what is
/// reported on it can be told under that name.
pub(crate) fn remember(
    shared: &Shared,
    receipt: &Receipt,
    parcel: &Parcel,
) -> Result<(), DiskError> {
    let path = note(shared, &receipt.sender, receipt.id);
    if let Some(folder) = path.parent() {
        disk::make_folder(folder)?;
    }
    disk::replace(&path, parcel.name.as_bytes())
}

fn note(shared: &Shared, sender: &AgencyCode, id: MessageId) -> PathBuf {
    shared.places.note("names").join(format!("{sender}_{id}"))
}

/// Forgets the names of documents on which nothing more is expected.
fn forget(shared: &Shared) -> Result<(), DiskError> {
    let oldest = shared.link.now().minus(NAMES_KEPT_FOR);
    for found in disk::complete(&shared.places.note("names"))? {
        let id = found.name.rsplit('_').next().and_then(|id| id.parse::<MessageId>().ok());
        if id.is_none_or(|id| id.time() < oldest) {
            disk::remove(&found.path)?;
        }
    }
    Ok(())
}

/// Receives notices until the connector ends.
pub(crate) async fn run(shared: Arc<Shared>) {
    receiving::again(&shared, "notices", receive).await;
}

async fn receive(shared: &Arc<Shared>, client: &Client) -> Result<(), CallError> {
    let owner = shared.clone();
    if let Err(error) = disk::aside(move || forget(&owner)).await {
        tracing::warn!(%error, "old names are not forgotten");
    }
    let mailboxes = shared.wanted();
    let mut subscription = client.subscribe_to_notices(&mailboxes, INCOMING_CREDIT).await?;
    let acknowledger = subscription.acknowledger();
    let ended = loop {
        let next = tokio::select! {
            next = subscription.next() => next,
            () = shared.stopped() => break Ok(()),
        };
        match next {
            Some(Ok(notice)) => {
                if !take(shared, client, &acknowledger, notice).await {
                    // It comes again with the next stream.
                    break Ok(());
                }
            }
            Some(Err(error @ CallError::Answer { .. })) => {
                tracing::error!(%error, "a notice cannot be read");
            }
            Some(Err(error)) => break Err(error),
            None => break Ok(()),
        }
    };
    drop(acknowledger);
    subscription.close(CLOSE_MAX).await;
    ended
}

/// Takes one notice; says whether it is kept. What is not, is not acknowledged either.
async fn take(
    shared: &Arc<Shared>,
    client: &Client,
    acknowledger: &Acknowledger<Notice>,
    notice: Notice,
) -> bool {
    let key = notice.key.clone();
    let judged = match judge(shared, client, &notice).await {
        Ok(judged) => judged,
        Err(error) => {
            tracing::warn!(%error, "a notice cannot be verified yet");
            return false;
        }
    };
    let mark = format!("notice_{}_{}", key.agency, key.number);
    let (owner, own) = (shared.clone(), mark.clone());
    let kept = disk::aside(move || keep(&owner, &notice, judged, &own)).await;
    if let Err(error) = kept {
        tracing::error!(%error, "a notice is not kept");
        return false;
    }
    shared.point("notice-acknowledging");
    if let Err(error) = acknowledger.acknowledge(std::slice::from_ref(&key)).await {
        tracing::debug!(%error, "a notice is not acknowledged yet");
        return true;
    }
    let owner = shared.clone();
    if let Err(error) = disk::aside(move || owner.intake.settle(&mark)).await {
        tracing::warn!(%error, "a mark is left behind");
    }
    true
}

/// What a notice says, verified where there is something to verify.
type Judged = Option<Result<StatusReport, Refusal>>;

async fn judge(shared: &Shared, client: &Client, notice: &Notice) -> Result<Judged, CallError> {
    let report = notice.cause.as_ref().and_then(|cause| cause.report.as_ref());
    let Some(report) = report else { return Ok(None) };
    shared.judge.report(client, report, notice.at).await.map(Some)
}

/// Puts a notice into its place; on return it is on the disk.
fn keep(shared: &Shared, notice: &Notice, judged: Judged, mark: &str) -> Result<(), DiskError> {
    let agency = &notice.key.agency;
    let (room, verified, refused) = match &judged {
        None => (Room::StatusIn, Value::Null, None),
        Some(Ok(_)) => (Room::StatusIn, json!(true), None),
        Some(Err(refusal)) => {
            tracing::error!(why = %refusal, "a report does not verify");
            (Room::StatusRejected, json!(false), Some(Refused::from(refusal)))
        }
    };
    let report = notice.cause.as_ref().and_then(|cause| cause.report.as_ref());
    let what = report
        .map_or_else(|| notice.kind.name().replace(' ', "-"), |report| report.code.to_string());
    let (recipient, number) = (&notice.recipient, notice.key.number);
    let name = format!("{}_{recipient}_{what}_{number}.json", stamp(notice.at));
    let about = about(shared, notice, judged.and_then(Result::ok).as_ref());
    let place = shared.places.of(room, agency).join(&name);
    shared.intake.take(mark, &place, |aside| {
        let mut whole = about.clone();
        whole["verified"] = verified;
        if let Some(refused) = &refused {
            whole["refused"] = json!(refused);
        }
        whole["report"] = json!(report.and_then(signed));
        disk::write(aside, &serde_json::to_vec_pretty(&whole).unwrap_or_default())
    })?;
    let mut told = about;
    told["file"] = json!(name);
    // The event has a kind of its own: a body with two would be read by the last.
    told.as_object_mut().and_then(|told| told.remove("kind"));
    let kind = match &refused {
        Some(refused) => {
            told["code"] = json!(refused.code);
            "report.rejected".to_owned()
        }
        None => event(notice.kind),
    };
    shared.events.tell(&Event::new(&kind, agency, &name, told))
}

/// What a notice says, for people and programs.
fn about(shared: &Shared, notice: &Notice, report: Option<&StatusReport>) -> Value {
    let (sender, id, recipient) = (&notice.sender, notice.document, &notice.recipient);
    let named = disk::read(&note(shared, sender, id), 4_096).ok().flatten();
    let named = named.and_then(|name| String::from_utf8(name).ok());
    let cause = notice.cause.as_ref();
    let status = cause.and_then(|cause| cause.report.as_ref()).map(|report| report.code);
    let directory = shared.directory();
    let called = |code: &AgencyCode| directory.find(code).map(|agency| agency.name.clone());
    let reason = report.map(|report| report.reason.clone());
    json!({
        "agency": notice.key.agency.to_string(), "number": notice.key.number,
        "kind": notice.kind.name(), "kind_vi": notice.kind.name_vi(),
        "at": notice.at.to_string(),
        "name": named, "sender": sender.to_string(), "id": id.to_string(),
        "recipient": recipient.to_string(), "recipient_name": called(recipient),
        "status": status.map(|code| code.to_string()),
        "status_vi": status.map(|code| code.name_vi()),
        "status_en": status.map(|code| code.name_en()),
        "reason": reason.or_else(|| cause.map(|cause| cause.reason.clone())),
        "cause": cause.map(|cause| cause.id.to_string()),
        "position": cause.map(|cause| cause.position.0),
    })
}

/// The report as it was signed.
fn signed(report: &ReportedStatus) -> Option<Value> {
    signed_files::to_json(&report.signed)
}

/// What the webhook calls it.
fn event(kind: NoticeKind) -> String {
    match kind {
        NoticeKind::Reported => "report.received".to_owned(),
        other => format!("notice.{}", other.name().replace(' ', "-")),
    }
}
