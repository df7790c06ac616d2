//! What recipients report on documents sent: into `status/in`, each report once.
//!
//! A document sent is followed until every recipient has finished or refused it, or for 90 days. A
//! note of each says up to where its reports are known; it is written before the document is moved
//! to `sent`, so that none is forgotten.

use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use lienthong_client::{
    CallError, Client, Receipt, TrackedDelivery, TrackedDocument, TrackedStatus,
};
use lienthong_model::limits::{FOLLOWED_AT_A_TIME_MAX, FOLLOWED_FOR, FOLLOWED_PAUSE_MAX};
use lienthong_model::{AgencyCode, MessageId, Position, StatusCode, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::disk::{self, DiskError};
use crate::events::Event;
use crate::link::Away;
use crate::node::Shared;
use crate::outgoing::parcel::Parcel;
use crate::places::{Room, stamp};

/// A document sent whose recipients are not done.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Followed {
    sender: String,
    id: String,
    /// The name that the agency's software gave it.
    name: String,
    /// The place of the last report known, by recipient.
    known: BTreeMap<String, u64>,
}

/// Begins to follow a document that the hub has accepted.
pub(crate) fn follow(shared: &Shared, receipt: &Receipt, parcel: &Parcel) -> Result<(), DiskError> {
    let path = note(shared, &receipt.sender, receipt.id);
    if path.exists() {
        return Ok(());
    }
    let followed = Followed {
        sender: receipt.sender.to_string(),
        id: receipt.id.to_string(),
        name: parcel.name.clone(),
        known: BTreeMap::new(),
    };
    keep(&path, &followed)
}

fn note(shared: &Shared, sender: &AgencyCode, id: MessageId) -> PathBuf {
    shared.places.note("following").join(format!("{sender}_{id}.json"))
}

fn keep(path: &Path, followed: &Followed) -> Result<(), DiskError> {
    if let Some(folder) = path.parent() {
        disk::make_folder(folder)?;
    }
    let json = serde_json::to_vec(followed)
        .map_err(|why| DiskError::of("write", path)(std::io::Error::other(why)))?;
    disk::replace(path, &json)
}

/// Asks what became of the documents followed until the connector ends.
pub(crate) async fn run(shared: Arc<Shared>) {
    let mut asked: HashMap<PathBuf, Instant> = HashMap::new();
    loop {
        if let Err(error) = round(&shared, &mut asked).await {
            tracing::error!(%error, "documents sent are not followed");
        }
        if shared.pause(shared.track).await {
            return;
        }
    }
}

/// Asks for those that are due, the longest not asked for first.
async fn round(
    shared: &Arc<Shared>,
    asked: &mut HashMap<PathBuf, Instant>,
) -> Result<(), DiskError> {
    let folder = shared.places.note("following");
    let found = disk::aside(move || disk::complete(&folder)).await?;
    asked.retain(|path, _| found.iter().any(|one| one.path == *path));
    let now = shared.link.now();
    let mut due: Vec<(Option<Instant>, PathBuf)> = Vec::new();
    for one in found {
        let last = asked.get(&one.path).copied();
        if last.is_none_or(|last| last.elapsed() >= pause(shared.track, &one.name, now)) {
            due.push((last, one.path));
        }
    }
    due.sort();
    due.truncate(FOLLOWED_AT_A_TIME_MAX);
    if due.is_empty() {
        return Ok(());
    }
    // The link has said why not.
    let Ok(client) = shared.link.client().await else { return Ok(()) };
    for (_, path) in due {
        if shared.is_stopping() {
            return Ok(());
        }
        match ask(shared, &client, &path).await? {
            Asked::Answered => {
                asked.insert(path, Instant::now());
            }
            Asked::Away => return Ok(()),
        }
    }
    Ok(())
}

/// How long a document is not asked for again: the older, the longer.
fn pause(least: Duration, name: &str, now: Timestamp) -> Duration {
    let id = name.trim_end_matches(".json").rsplit('_').next();
    let Some(id) = id.and_then(|id| id.parse::<MessageId>().ok()) else { return least };
    let age = u64::try_from(now.millis().saturating_sub(id.time().millis())).unwrap_or(0);
    (Duration::from_millis(age) / 100).clamp(least, FOLLOWED_PAUSE_MAX.max(least))
}

enum Asked {
    Answered,
    Away,
}

async fn ask(shared: &Arc<Shared>, client: &Client, path: &Path) -> Result<Asked, DiskError> {
    let own = path.to_owned();
    let bytes = disk::aside(move || disk::read(&own, 16 * 1024 * 1024)).await?;
    let followed = bytes.and_then(|bytes| serde_json::from_slice::<Followed>(&bytes).ok());
    let known = followed.as_ref().and_then(|followed| {
        Some((AgencyCode::parse(&followed.sender).ok()?, followed.id.parse().ok()?))
    });
    let (Some(followed), Some((sender, id))) = (followed, known) else {
        tracing::error!(path = %path.display(), "a note cannot be read and is passed over");
        return Ok(Asked::Answered);
    };
    match client.track(&sender, id).await {
        Ok(tracked) => {
            let (shared, path) = (shared.clone(), path.to_owned());
            disk::aside(move || learn(&shared, &path, followed, &tracked)).await?;
            Ok(Asked::Answered)
        }
        Err(CallError::Refused(refusal)) => {
            tracing::warn!(%sender, %id, %refusal, "a document sent cannot be followed");
            Ok(Asked::Answered)
        }
        Err(error) => {
            if let Some(unreachable) = error.unreachable() {
                shared.link.note(Some(Away::of(unreachable)));
            }
            Ok(Asked::Away)
        }
    }
}

/// Takes what is new; ends the following when everybody is done.
fn learn(
    shared: &Shared,
    path: &Path,
    mut followed: Followed,
    tracked: &TrackedDocument,
) -> Result<(), DiskError> {
    let mut fresh = Vec::new();
    for delivery in &tracked.deliveries {
        let known = followed.known.get(delivery.recipient.as_str()).copied();
        // 13 is our own asking back.
        let new = |status: &&TrackedStatus| {
            status.code.by_recipient() && known.is_none_or(|known| status.position.0 > known)
        };
        for status in delivery.statuses.iter().filter(new) {
            fresh.push((delivery, status));
        }
    }
    let mut marks = Vec::new();
    for (delivery, status) in fresh {
        let mark = put(shared, &followed, tracked, delivery, status)?;
        marks.push(mark);
        followed.known.insert(delivery.recipient.to_string(), status.position.0);
    }
    if is_over(shared.link.now(), tracked) {
        disk::remove(path)?;
    } else if !marks.is_empty() {
        keep(path, &followed)?;
    }
    marks.iter().try_for_each(|mark| shared.intake.settle(mark))
}

/// Whether nothing more is expected.
fn is_over(now: Timestamp, tracked: &TrackedDocument) -> bool {
    let is_last =
        |status: &TrackedStatus| matches!(status.code, StatusCode::Finished | StatusCode::Refused);
    let done = |delivery: &TrackedDelivery| delivery.statuses.iter().any(is_last);
    tracked.deliveries.iter().all(done) || tracked.received_at.plus(FOLLOWED_FOR) < now
}

/// Puts one report into `status/in`; returns its mark.
fn put(
    shared: &Shared,
    followed: &Followed,
    tracked: &TrackedDocument,
    delivery: &TrackedDelivery,
    status: &TrackedStatus,
) -> Result<String, DiskError> {
    let Position(position) = status.position;
    let recipient = &delivery.recipient;
    let name = format!("{}_{recipient}_{}_{position}.json", stamp(status.at), status.code);
    let about = json!({
        "agency": tracked.sender.to_string(), "name": followed.name,
        "id": tracked.id.to_string(), "subject": tracked.subject,
        "reference": tracked.reference, "recipient": recipient.to_string(),
        "recipient_name": shared.directory().find(recipient).map(|agency| agency.name.clone()),
        "status": status.code.to_string(), "status_vi": status.code.name_vi(),
        "status_en": status.code.name_en(), "reason": status.reason,
        "at": status.at.to_string(), "position": position,
    });
    let mark = format!("status_{position}");
    let place = shared.places.of(Room::StatusIn, &tracked.sender).join(&name);
    shared.intake.take(&mark, &place, |aside| {
        disk::write(aside, &serde_json::to_vec_pretty(&about).unwrap_or_default())
    })?;
    let mut told = about;
    told["file"] = json!(name);
    let event = Event::new("report.received", &tracked.sender, &name, told);
    shared.events.tell(&event)?;
    Ok(mark)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_old_document_is_asked_for_less_often() {
        let least = Duration::from_secs(30);
        let now = Timestamp::parse("2020-11-16T08:00+07:00").unwrap();
        let name = |age: Duration| format!("H36_{}.json", MessageId::new(now.minus(age), [0; 10]));
        let days = |days: u64| Duration::from_secs(days * 24 * 3600);
        assert_eq!(pause(least, &name(Duration::from_secs(60)), now), least);
        assert!(pause(least, &name(days(1)), now) > least);
        assert_eq!(pause(least, &name(days(60)), now), FOLLOWED_PAUSE_MAX);
        assert_eq!(pause(least, "nonsense", now), least);
    }
}
