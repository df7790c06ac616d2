//! What comes in: verified from the bytes, on the disk and synced, then acknowledged.
//!
//! What does not verify is kept in `inbox-rejected` and negatively acknowledged: it comes again,
//! since the cause may be here (a root or a revocation list that is missing). It is never reported
//! as 02, which is for people to say. When it verifies later, it goes into the inbox.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use lienthong_client::{
    Acknowledger, CallError, Checked, Client, Delivery, DeliveryKey, NegativeAcknowledgement,
    TransferError,
};
use lienthong_model::limits::{INCOMING_AT_A_TIME_MAX, INCOMING_CREDIT, REJECTED_AGAIN_AFTER};
use lienthong_model::{Category, Refusal};
use serde_json::json;
use tokio::task::JoinSet;

use crate::disk::{self, DiskError};
use crate::events::{Event, Events};
use crate::intake::Taken;
use crate::node::Shared;
use crate::places::{Places, Room, received_name, stamp};
use crate::received::{self, Received};
use crate::receiving;
use crate::refused::Refused;

/// How long the last acknowledgements are waited for when the connector ends.
const CLOSE_MAX: Duration = Duration::from_secs(5);
/// When a delivery that the disk or the hub did not let us take shall come again.
const AGAIN_SOON: Duration = Duration::from_secs(10);

/// Receives until the connector ends.
pub(crate) async fn run(shared: Arc<Shared>) {
    receiving::again(&shared, "documents", receive).await;
}

async fn receive(shared: &Arc<Shared>, client: &Client) -> Result<(), CallError> {
    let mut subscription = client.subscribe(&shared.wanted(), INCOMING_CREDIT).await?;
    shared.link.note(None);
    serve(shared, subscription.agencies());
    let acknowledger = subscription.acknowledger();
    let mut tasks = JoinSet::new();
    let ended = loop {
        let has_room = tasks.len() < INCOMING_AT_A_TIME_MAX;
        let next = tokio::select! {
            next = subscription.next(), if has_room => next,
            Some(_) = tasks.join_next(), if !tasks.is_empty() => continue,
            () = shared.stopped() => break Ok(()),
        };
        match next {
            Some(Ok(delivery)) => {
                let take = take(shared.clone(), client.clone(), acknowledger.clone(), delivery);
                tasks.spawn(take);
            }
            Some(Err(error @ CallError::Answer { .. })) => {
                tracing::error!(%error, "a delivery cannot be read");
            }
            Some(Err(error)) => break Err(error),
            None => break Ok(()),
        }
    };
    while tasks.join_next().await.is_some() {}
    drop(acknowledger);
    subscription.close(CLOSE_MAX).await;
    ended
}

/// Notes which mailboxes are served; a gateway gets a folder to write into for each.
fn serve(shared: &Shared, agencies: &[lienthong_model::AgencyCode]) {
    if shared.places.is_gateway() {
        for agency in agencies {
            if let Err(error) = shared.places.make_for(agency) {
                tracing::error!(%error, "no folder to write into");
            }
        }
    }
    tracing::info!(mailboxes = agencies.len(), "receiving");
    *shared.serving.lock() = agencies.to_vec();
}

/// Takes one delivery.
async fn take(shared: Arc<Shared>, client: Client, acknowledger: Acknowledger, delivery: Delivery) {
    let key = delivery.key.clone();
    let later = match shared.judge.judge(&client, &delivery).await {
        Ok(Ok(checked)) => match keep(&shared, &client, delivery, checked).await {
            Ok(name) => match acknowledge(&shared, &acknowledger, &key, name).await {
                Ok(()) => return,
                Err(error) => (AGAIN_SOON, error.to_string()),
            },
            Err(error) => {
                tracing::error!(%key.recipient, position = key.position.0, %error, "not kept");
                (AGAIN_SOON, error.to_string())
            }
        },
        Ok(Err(refusal)) => {
            tracing::error!(%key.recipient, position = key.position.0, why = %refusal,
                "a delivery does not verify");
            let why = refusal.to_string();
            match reject(&shared, delivery, refusal).await {
                Ok(()) => (REJECTED_AGAIN_AFTER, why),
                Err(error) => (AGAIN_SOON, error.to_string()),
            }
        }
        Err(error) => (AGAIN_SOON, error.to_string()),
    };
    let (delay, why) = later;
    let reason = why.chars().take(500).collect();
    let negative = NegativeAcknowledgement { key, reason, delay: Some(delay) };
    if let Err(error) = acknowledger.negative_acknowledge(negative).await {
        // It comes again anyway.
        tracing::debug!(%error, "not said");
    }
}

/// The names under which one delivery is kept.
#[derive(Debug, Clone)]
struct Name {
    folder: String,
    /// Among all agencies'.
    mark: String,
}

/// Why a delivery is not on the disk.
#[derive(Debug, thiserror::Error)]
enum NotKept {
    #[error(transparent)]
    Disk(#[from] DiskError),
    #[error(transparent)]
    Transfer(#[from] TransferError),
}

/// Keeps a delivery; on return it is on the disk, in its place, with every attachment.
async fn keep(
    shared: &Arc<Shared>,
    client: &Client,
    delivery: Delivery,
    checked: Checked,
) -> Result<Name, NotKept> {
    let (recipient, document) = (delivery.key.recipient.clone(), &checked.document);
    let folder = received_name(delivery.received_at, &document.from.code, document.id);
    let name = Name { mark: format!("{recipient}_{folder}"), folder };
    let place = shared.places.of(Room::Inbox, &recipient).join(&name.folder);
    let record = Received::of(&delivery, &checked);
    if let Some(aside) = shared.intake.wanted(&name.mark, &place) {
        let (folder, prepared) = (aside.clone(), record.clone());
        disk::aside(move || received::prepare(&folder, &prepared)).await?;
        received::download(client, &aside, &checked, &record, |_: &Path, _, _| {}).await?;
    }
    let (shared, kept) = (shared.clone(), name.clone());
    disk::aside(move || {
        let write = |aside: &Path| received::write(aside, &record, &delivery.signed);
        if shared.intake.take(&kept.mark, &place, write)? == Taken::Now {
            tracing::info!(%recipient, name = %kept.folder, "received");
        }
        let rejected = shared.places.of(Room::InboxRejected, &recipient).join(&kept.folder);
        disk::remove(&rejected)?;
        let about = json!({
            "agency": recipient.to_string(), "name": kept.folder, "sender": record.sender,
            "id": record.id, "position": record.position, "urgency": record.urgency,
        });
        shared.events.tell(&Event::new("document.received", &recipient, &kept.folder, about))
    })
    .await?;
    Ok(name)
}

/// Acknowledges what is kept, and forgets its mark.
///
/// # Errors
/// [`CallError`] when the hub could not take it now: the delivery comes again and is acknowledged
/// then, since the mark stays.
async fn acknowledge(
    shared: &Arc<Shared>,
    acknowledger: &Acknowledger,
    key: &DeliveryKey,
    name: Name,
) -> Result<(), CallError> {
    shared.point("acknowledging");
    match acknowledger.acknowledge(std::slice::from_ref(key)).await {
        Ok(()) => {}
        Err(CallError::Refused(refusal)) if !may_pass(&refusal) => {
            tracing::warn!(name = %name.folder, %refusal, "the acknowledgement was not taken");
        }
        Err(error) => {
            tracing::debug!(%error, "not acknowledged yet");
            return Err(error);
        }
    }
    shared.point("acknowledged");
    let shared = shared.clone();
    if let Err(error) = disk::aside(move || shared.intake.settle(&name.mark)).await {
        tracing::warn!(%error, "a mark is left behind");
    }
    Ok(())
}

/// Whether the hub may take the same a little later.
fn may_pass(refusal: &Refusal) -> bool {
    matches!(refusal.reason.category(), Category::Exhausted | Category::Unavailable)
}

/// Keeps a delivery that does not verify, for people to look at.
async fn reject(
    shared: &Arc<Shared>,
    delivery: Delivery,
    refusal: Refusal,
) -> Result<(), DiskError> {
    let shared = shared.clone();
    disk::aside(move || put_aside(&shared.places, &shared.events, &delivery, &refusal)).await
}

/// Puts it into `inbox-rejected` and tells of it; told first, so that a kill between the two tells
/// it twice rather than never.
fn put_aside(
    places: &Places,
    events: &Events,
    delivery: &Delivery,
    refusal: &Refusal,
) -> Result<(), DiskError> {
    let recipient = &delivery.key.recipient;
    let name = match lienthong_wire::decode_document(&delivery.signed.content) {
        Ok(document) => received_name(delivery.received_at, &document.from.code, document.id),
        Err(_) => format!("{}_{}", stamp(delivery.received_at), delivery.key.position),
    };
    let place = places.of(Room::InboxRejected, recipient).join(&name);
    if place.exists() {
        return Ok(());
    }
    let refused = Refused::from(refusal);
    let about = json!({ "agency": recipient.to_string(), "name": name, "code": refused.code });
    let record = Received::unverified(delivery, Some(refused));
    let unfinished = disk::beside(&place);
    if let Some(folder) = place.parent() {
        disk::make_folder(folder)?;
    }
    received::prepare(&unfinished, &record)?;
    received::write(&unfinished, &record, &delivery.signed)?;
    events.tell(&Event::new("document.rejected", recipient, &name, about))?;
    received::put(&unfinished, &place)
}

#[cfg(test)]
mod tests {
    use lienthong_model::{AgencyCode, Position, Reason, SignedContent, Timestamp};
    use lienthong_trust::SignatureKind;

    use super::*;

    #[test]
    fn a_rejected_delivery_that_nobody_was_told_of_is_not_in_its_place_yet() {
        let folder = tempfile::tempdir().unwrap();
        let own = AgencyCode::parse("H36").unwrap();
        let delivery = Delivery {
            key: DeliveryKey { recipient: own.clone(), position: Position(7) },
            received_at: Timestamp::parse("2020-11-16T08:00+07:00").unwrap(),
            attempt: 1,
            signature: SignatureKind::None,
            signed: SignedContent { content: "nothing".into(), ..SignedContent::default() },
            revocation: None,
            mark: None,
            asked: None,
        };
        let places = Places::new(folder.path(), own, false);
        let (waiting, refusal) = (places.note("webhook"), Refusal::new(Reason::ContentMalformed));
        let events = Events::new(waiting.clone(), true).unwrap();
        let rejected = || disk::complete(&places.room(Room::InboxRejected)).unwrap().len();
        // The disk does not take the event.
        std::fs::remove_dir(&waiting).unwrap();
        put_aside(&places, &events, &delivery, &refusal).unwrap_err();
        assert_eq!(rejected(), 0);
        std::fs::create_dir(&waiting).unwrap();
        put_aside(&places, &events, &delivery, &refusal).unwrap();
        assert_eq!((rejected(), events.waiting().unwrap().len()), (1, 1));
    }
}
