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
use lienthong_model::Refusal;
use lienthong_model::limits::{INCOMING_AT_A_TIME_MAX, INCOMING_CREDIT, REJECTED_AGAIN_AFTER};
use serde_json::json;
use tokio::task::JoinSet;

use crate::disk::{self, DiskError};
use crate::events::Event;
use crate::intake::Taken;
use crate::node::Shared;
use crate::places::{Room, received_name, stamp};
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
            Ok(name) => return acknowledge(&shared, &acknowledger, key, name).await,
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

async fn acknowledge(
    shared: &Arc<Shared>,
    acknowledger: &Acknowledger,
    key: DeliveryKey,
    name: Name,
) {
    shared.point("acknowledging");
    match acknowledger.acknowledge(std::slice::from_ref(&key)).await {
        Ok(()) => {}
        Err(CallError::Refused(refusal)) => {
            tracing::warn!(name = %name.folder, %refusal, "the acknowledgement was not taken");
        }
        // It comes again and is acknowledged then; the mark stays.
        Err(error) => return tracing::debug!(%error, "not acknowledged yet"),
    }
    shared.point("acknowledged");
    let shared = shared.clone();
    if let Err(error) = disk::aside(move || shared.intake.settle(&name.mark)).await {
        tracing::warn!(%error, "a mark is left behind");
    }
}

/// Keeps a delivery that does not verify, for people to look at.
async fn reject(
    shared: &Arc<Shared>,
    delivery: Delivery,
    refusal: Refusal,
) -> Result<(), DiskError> {
    let shared = shared.clone();
    disk::aside(move || {
        let recipient = &delivery.key.recipient;
        let name = match lienthong_wire::decode_document(&delivery.signed.content) {
            Ok(document) => received_name(delivery.received_at, &document.from.code, document.id),
            Err(_) => format!("{}_{}", stamp(delivery.received_at), delivery.key.position),
        };
        let place = shared.places.of(Room::InboxRejected, recipient).join(&name);
        if place.exists() {
            return Ok(());
        }
        let refused = Refused::from(&refusal);
        let about = json!({ "agency": recipient.to_string(), "name": name, "code": refused.code });
        let event = Event::new("document.rejected", recipient, &name, about);
        let record = Received::unverified(&delivery, Some(refused));
        let unfinished = disk::beside(&place);
        if let Some(folder) = place.parent() {
            disk::make_folder(folder)?;
        }
        received::prepare(&unfinished, &record)?;
        received::write(&unfinished, &record, &delivery.signed)?;
        received::put(&unfinished, &place)?;
        shared.events.tell(&event)
    })
    .await
}
