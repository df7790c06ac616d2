//! Handing over what is signed, and what follows from the outcome.

use std::path::Path;
use std::sync::Arc;

use lienthong_client::{CallError, Client, Receipt, StatusReceipt, TransferError};
use lienthong_model::{Category, MessageId, Reason, Refusal, SignedContent};
use lienthong_wire::{decode_document, decode_status};
use serde_json::json;

use super::Kind;
use super::compose::{Declined, compose};
use super::parcel::{Parcel, State, WAITING};
use super::queue::Lane;
use crate::disk::{self, DiskError};
use crate::events::Event;
use crate::files::Files;
use crate::link::Away;
use crate::node::Shared;
use crate::notices;
use crate::places;
use crate::receipts::{Evidence, ReceiptRecord, ReportReceiptRecord};
use crate::refused::{Fault, LocalReason, Refused};

/// How far a step came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Outcome {
    /// It is in `sent` or `refused`.
    Done,
    /// It waits for something of its own.
    Waits,
    /// The hub is away: others need not try now.
    Away,
    /// It belongs with those that may have something to upload: nothing was done.
    Large,
}

/// Goes on from where a folder stands until it has its outcome or must wait: for the disk, too.
pub(super) async fn go_on(shared: &Arc<Shared>, parcel: &Parcel, lane: Lane) -> Outcome {
    let error = match step(shared, parcel, lane).await {
        Ok(outcome) => return outcome,
        Err(error) => error,
    };
    tracing::error!(name = %parcel.name, %error, "tried again later");
    if let Err(error) = wait(parcel, Away::of_disk(&error), Outcome::Waits).await {
        tracing::warn!(name = %parcel.name, %error, "why it waits is not noted");
    }
    Outcome::Waits
}

/// Goes on as far as the disk does.
///
/// # Errors
/// When it does not; the folder stays where it is.
async fn step(shared: &Arc<Shared>, parcel: &Parcel, lane: Lane) -> Result<Outcome, DiskError> {
    let own = parcel.clone();
    let (state, is_large) = disk::aside(move || Ok((own.state()?, own.is_large()?))).await?;
    if is_large && lane == Lane::Small && matches!(state, State::Taken | State::Signed(_)) {
        return Ok(Outcome::Large);
    }
    let signed = match state {
        State::Accepted => return finish(shared, parcel, Ending::Sent).await,
        State::Declined => return finish(shared, parcel, Ending::Refused).await,
        State::Signed(signed) => signed,
        State::Taken => match compose(shared, parcel).await {
            Ok(signed) => signed,
            Err(Declined::Refused(refused)) => return decline(shared, parcel, *refused).await,
            Err(Declined::Disk(error)) => return Err(error),
        },
    };
    let client = match shared.link.client().await {
        Ok(client) => client,
        Err(away) => return wait(parcel, away, Outcome::Away).await,
    };
    match parcel.kind {
        Kind::Document => document(shared, &client, parcel, signed).await,
        Kind::Report => match client.report(signed.clone()).await {
            Ok(receipt) => {
                accept(shared, parcel, Accepted::Report(Box::new(receipt)), signed).await
            }
            Err(error) => failed(shared, &client, parcel, &signed, error).await,
        },
    }
}

/// The hub's receipt for either kind.
enum Accepted {
    Document(Box<Receipt>),
    Report(Box<StatusReceipt>),
}

/// Hands a document over. What does not travel beside it is uploaded when the hub misses it: a
/// document that it has accepted before needs no upload again.
async fn document(
    shared: &Arc<Shared>,
    client: &Client,
    parcel: &Parcel,
    mut signed: SignedContent,
) -> Result<Outcome, DiskError> {
    let entries = match decode_document(&signed.content) {
        Ok(document) => document.attachments,
        Err(refusal) => return decline(shared, parcel, Refused::from(&refusal)).await,
    };
    let files = Files::named(entries, &parcel.folder).await?;
    signed.attachments.clone_from(&files.beside);
    let uploads = files.uploads.iter().map(|(_, whole)| whole.sha256);
    let _turn = shared.turns.take(uploads.collect()).await;
    let mut outcome = client.submit(signed.clone()).await;
    if misses_uploads(&outcome) && !files.uploads.is_empty() {
        shared.point("uploading");
        match files.upload(client, |_: &Path, _, _| {}).await {
            Ok(()) => {}
            Err(TransferError::Call(error)) => {
                return failed(shared, client, parcel, &signed, error).await;
            }
            Err(TransferError::Changed(path)) => {
                let name = path.file_name().unwrap_or_default().to_string_lossy();
                let fault = Fault::new(LocalReason::FileChanged, name);
                return decline(shared, parcel, fault.into()).await;
            }
            Err(TransferError::File { path, source }) => {
                return Err(DiskError { what: "read", path, source });
            }
            // That is said of downloads.
            Err(error @ TransferError::Damaged { .. }) => {
                return wait(parcel, Away::plain(error), Outcome::Waits).await;
            }
        }
        shared.point("uploaded");
        outcome = client.submit(signed.clone()).await;
    }
    if misses_uploads(&outcome) {
        // Another program of the agency has used it, or it has expired.
        let refusal = Refusal::new(Reason::AttachmentNotUploaded);
        return wait(parcel, Away::of_refusal(&refusal), Outcome::Waits).await;
    }
    match outcome {
        Ok(receipt) => accept(shared, parcel, Accepted::Document(Box::new(receipt)), signed).await,
        Err(error) => failed(shared, client, parcel, &signed, error).await,
    }
}

fn misses_uploads(outcome: &Result<Receipt, CallError>) -> bool {
    matches!(outcome, Err(CallError::Refused(refusal))
        if refusal.reason == Reason::AttachmentNotUploaded)
}

async fn accept(
    shared: &Arc<Shared>,
    parcel: &Parcel,
    receipt: Accepted,
    signed: SignedContent,
) -> Result<Outcome, DiskError> {
    shared.link.note(None);
    shared.point("accepted");
    let (owner, own) = (shared.clone(), parcel.clone());
    disk::aside(move || match receipt {
        Accepted::Document(receipt) => {
            // The client has compared the receipt with what was sent.
            let evidence = Evidence::of(&receipt, &signed).ok().flatten();
            let record = ReceiptRecord { evidence: None, ..ReceiptRecord::of(&receipt) };
            notices::remember(&owner, &receipt, &own)?;
            own.keep_receipt(&record, evidence.as_ref())
        }
        Accepted::Report(receipt) => {
            let mut record = ReportReceiptRecord::of(&receipt, &signed);
            let evidence = record.evidence.take();
            own.keep_receipt(&record, evidence.as_ref())
        }
    })
    .await?;
    shared.point("receipt-kept");
    finish(shared, parcel, Ending::Sent).await
}

async fn failed(
    shared: &Arc<Shared>,
    client: &Client,
    parcel: &Parcel,
    signed: &SignedContent,
    error: CallError,
) -> Result<Outcome, DiskError> {
    if let Some(unreachable) = error.unreachable() {
        let away = Away::of(unreachable);
        shared.link.note(Some(away.clone()));
        return wait(parcel, away, Outcome::Away).await;
    }
    match error {
        CallError::Refused(refusal) if is_out_of_time(&refusal) => {
            sign_anew(shared, client, parcel, signed, &refusal).await
        }
        CallError::Refused(refusal) if refusal.reason.category() == Category::Unauthenticated => {
            // It is our certificate that is not known: nobody's document is at fault.
            wait(parcel, Away::of_refusal(&refusal), Outcome::Away).await
        }
        CallError::Refused(refusal) => decline(shared, parcel, Refused::from(&refusal)).await,
        CallError::GaveUp { .. } | CallError::Closed => {
            // The hub is on its way down, or asks for patience: that may be about this one only.
            let refusal = error.refusal();
            let asks = refusal.is_some_and(|why| why.reason.category() == Category::Exhausted);
            let outcome = if asks { Outcome::Waits } else { Outcome::Away };
            wait(parcel, waits_for(&error), outcome).await
        }
        CallError::Unreachable(_) | CallError::Unexpected { .. } | CallError::Answer { .. } => {
            tracing::error!(name = %parcel.name, %error, "the outcome is not known");
            wait(parcel, Away::plain(error), Outcome::Waits).await
        }
    }
}

fn waits_for(error: &CallError) -> Away {
    error.refusal().map_or_else(|| Away::plain(error), Away::of_refusal)
}

fn is_out_of_time(refusal: &Refusal) -> bool {
    matches!(refusal.reason, Reason::IdTimeOutOfRange | Reason::SignedAtOutOfRange)
}

/// The hub does not know the id and takes it no more: it waited for too long, or this machine's
/// clock is wrong. Signed anew with a new id, once the hub has said that it never accepted the old
/// one.
async fn sign_anew(
    shared: &Arc<Shared>,
    client: &Client,
    parcel: &Parcel,
    signed: &SignedContent,
    refusal: &Refusal,
) -> Result<Outcome, DiskError> {
    let (kind, content) = (parcel.kind, signed.content.clone());
    let id = match kind {
        Kind::Document => decode_document(&content).map(|document| document.id),
        Kind::Report => decode_status(&content).map(|report| report.id),
    };
    let Ok(id) = id else { return decline(shared, parcel, Refused::from(refusal)).await };
    if kind == Kind::Document && is_known(client, parcel, id).await != Some(false) {
        return wait(parcel, Away::of_refusal(refusal), Outcome::Waits).await;
    }
    // A hub on a scenario's clock may have been started again.
    let _ = client.clock().await;
    tracing::warn!(name = %parcel.name, %id, "the hub takes this id no more: signed anew; if this \
        repeats, this machine's clock is wrong: see `lienthong node doctor`");
    let own = parcel.clone();
    disk::aside(move || own.forget_signed()).await?;
    wait(parcel, Away::of_refusal(refusal), Outcome::Waits).await
}

/// Whether the hub has accepted a document; `None` when it does not say.
async fn is_known(client: &Client, parcel: &Parcel, id: MessageId) -> Option<bool> {
    match client.track(&parcel.agency, id).await {
        Ok(_) => Some(true),
        Err(CallError::Refused(refusal)) if refusal.reason == Reason::DocumentUnknown => {
            Some(false)
        }
        Err(_) => None,
    }
}

async fn wait(parcel: &Parcel, away: Away, outcome: Outcome) -> Result<Outcome, DiskError> {
    let own = parcel.clone();
    disk::aside(move || own.note_waiting(&away)).await?;
    Ok(outcome)
}

async fn decline(
    shared: &Arc<Shared>,
    parcel: &Parcel,
    refused: Refused,
) -> Result<Outcome, DiskError> {
    tracing::warn!(name = %parcel.name, why = %refused.line(), "refused");
    let own = parcel.clone();
    disk::aside(move || own.keep_refusal(&refused)).await?;
    shared.point("refusal-kept");
    finish(shared, parcel, Ending::Refused).await
}

/// How it ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Ending {
    Sent,
    Refused,
}

/// Moves a folder that has its outcome; who wants to hear of it is told first, so that a kill
/// between the two tells it twice rather than never. What was refused has its name: an older one
/// of that name makes room for it.
async fn finish(
    shared: &Arc<Shared>,
    parcel: &Parcel,
    ending: Ending,
) -> Result<Outcome, DiskError> {
    let (shared, parcel) = (shared.clone(), parcel.clone());
    disk::aside(move || {
        let rooms = parcel.kind.rooms();
        let (room, what) = match ending {
            Ending::Sent => (rooms.sent, "sent"),
            Ending::Refused => (rooms.refused, "refused"),
        };
        let folder = shared.places.of(room, &parcel.agency);
        disk::make_folder(&folder)?;
        let free = places::free(&folder, &parcel.name);
        let place = match ending {
            Ending::Sent => free.clone(),
            Ending::Refused => folder.join(&parcel.name),
        };
        let name =
            |place: &Path| place.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let kind = format!("{}.{what}", parcel.kind.name());
        let about = json!({ "agency": parcel.agency.to_string(), "name": name(&place) });
        // Another refusal of a name is another happening.
        shared.events.tell(&Event::new(&kind, &parcel.agency, &name(&free), about))?;
        disk::remove(&parcel.own().join(WAITING))?;
        if place != free {
            disk::rename(&place, &free)?;
        }
        disk::rename(&parcel.folder, &place)?;
        shared.point("moved");
        Ok(Outcome::Done)
    })
    .await
}
