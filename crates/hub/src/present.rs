//! From what the hub knows to what it says: receipts, deliveries, tracked documents.

use lienthong_core::engine::EngineError;
use lienthong_core::{
    ChangeMade, ChangeMessage, DeliveryChange, Directory, DocumentView, LeftOut, Mark,
    NoticeNumber, ProgressCounts, Push, Route, TrustStore,
};
use lienthong_model::limits::RECEIPT_ROUTES_MAX;
use lienthong_model::{MessageId, Position, Reason, Refusal, Revocation, Timestamp};
use lienthong_trust::judge::Serial;
use lienthong_trust::{Anchors as _, Certificate, RevocationList, SignatureKind, Unproven};
use lienthong_wire::{moment, proto, signed};

use crate::evidence::Evidence;
use crate::ingress::Taken;
use crate::reader::{KeptDocument, Reader};

/// A read that failed: said to the caller without its inside, in the log as what it is.
pub(crate) fn unreadable(error: &EngineError) -> Refusal {
    if let EngineError::Expired(content) = error {
        return Refusal::at(Reason::ContentExpired, "content", content);
    }
    tracing::error!(%error, "cannot read what the hub has stored");
    Refusal::new(Reason::StorageDamaged)
}

pub(crate) fn revocation(state: Revocation) -> i32 {
    (match state {
        Revocation::Proven => proto::RevocationState::Proven,
        Revocation::NotProven => proto::RevocationState::NotProven,
        Revocation::FoundRevoked => proto::RevocationState::FoundRevoked,
    }) as i32
}

pub(crate) fn signature_kind(kind: SignatureKind) -> i32 {
    (match kind {
        SignatureKind::None => proto::SignatureKind::None,
        SignatureKind::Seal => proto::SignatureKind::Seal,
        SignatureKind::Personal => proto::SignatureKind::Personal,
        SignatureKind::PersonalAndSeal => proto::SignatureKind::PersonalAndSeal,
    }) as i32
}

/// The route's number and, for a gateway, its code.
pub(crate) fn route(route: Route, directory: &Directory, at: Timestamp) -> (i32, String) {
    match route {
        Route::OwnNode => (proto::Route::OwnNode as i32, String::new()),
        Route::Gateway(gateway) => (proto::Route::Gateway as i32, directory.code(gateway, at)),
        Route::Held => (proto::Route::Held as i32, String::new()),
    }
}

/// The receipt of a document: of one just accepted from its decision, of a repeated one from what
/// is on disk.
pub(crate) fn receipt(
    reader: &Reader,
    evidence: &Evidence,
    taken: &Taken,
) -> Result<proto::Receipt, Refusal> {
    let directory = reader.directory();
    let first;
    let (at, accepted) = match &taken.accepted {
        Some(accepted) => (taken.received_at, accepted),
        None => {
            let found = reader.accepted(taken.position).map_err(|error| unreadable(&error))?;
            first = found.ok_or_else(|| Refusal::new(Reason::DocumentUnknown))?;
            (first.0, &first.1)
        }
    };
    let routes = accepted.deliveries.iter().take(RECEIPT_ROUTES_MAX).map(|delivery| {
        let (route, gateway) = route(delivery.route, &directory, at);
        let code = directory.code(delivery.recipient, at);
        proto::RecipientRoute { code, route, gateway }
    });
    Ok(proto::Receipt {
        sender: taken.from.to_string(),
        id: bytes::Bytes::copy_from_slice(taken.id.as_bytes()),
        position: taken.position.0,
        received_at: Some(moment::to_proto(at)),
        sha256: bytes::Bytes::copy_from_slice(taken.digest.as_bytes()),
        repeated: taken.repeated,
        signature: signature_kind(accepted.signature),
        routes: routes.collect(),
        left_out: left_out(accepted.left_out().iter().take(RECEIPT_ROUTES_MAX), &directory, at),
        recipients: u32::try_from(accepted.recipients()).unwrap_or(u32::MAX),
        left_out_total: u32::try_from(accepted.left_out().len()).unwrap_or(u32::MAX),
        proof: Some(evidence.proof(taken.position).map_err(|error| unreadable(&error))?),
        same_reference: mention(reader, accepted.same_reference)?,
        changes: outcomes(accepted.change.as_deref(), &directory, at),
        revocation: revocation(match accepted.unproven.is_empty() {
            true => Revocation::Proven,
            false => Revocation::NotProven,
        }),
    })
}

/// Agencies of lists that do not get a document.
pub(crate) fn left_out<'l>(
    left_out: impl Iterator<Item = &'l LeftOut>,
    directory: &Directory,
    at: Timestamp,
) -> Vec<proto::LeftOut> {
    let left_out = left_out.map(|left| proto::LeftOut {
        code: directory.code(left.agency, at),
        reason: left.reason.code().to_owned(),
    });
    left_out.collect()
}

/// What a change means for each recipient.
pub(crate) fn outcomes(
    change: Option<&ChangeMade>,
    directory: &Directory,
    at: Timestamp,
) -> Vec<proto::ChangeOutcome> {
    let outcome = |one: &DeliveryChange| proto::ChangeOutcome {
        recipient: directory.code(one.recipient, at),
        kind: proto::ChangeKind::from(one.kind) as i32,
        effect: proto::ChangeEffect::from(one.effect) as i32,
    };
    change.map(|change| change.deliveries.iter().map(outcome).collect()).unwrap_or_default()
}

/// A document by its place, as it is mentioned.
fn mention(
    reader: &Reader,
    position: Option<Position>,
) -> Result<Option<proto::DocumentMention>, Refusal> {
    let Some(position) = position else { return Ok(None) };
    let row = reader.query().document(position).map_err(|error| unreadable(&error))?;
    Ok(row.map(|row| proto::DocumentMention { id: id_bytes(row.id), position: position.0 }))
}

fn change_message(message: &ChangeMessage) -> proto::ChangeMessage {
    proto::ChangeMessage {
        kind: proto::ChangeKind::from(message.kind) as i32,
        id: id_bytes(message.id),
        position: message.position.0,
        at: Some(moment::to_proto(message.at)),
        reason: message.reason.clone(),
    }
}

fn delivery_mark(mark: &Mark) -> proto::DeliveryMark {
    proto::DeliveryMark {
        standing: proto::Standing::from(mark.standing) as i32,
        by: Some(change_message(&mark.by)),
    }
}

/// A delivery with its bytes and its marks; `None` when the document is gone, or was taken out of
/// the mailbox while it was on its way.
pub(crate) fn delivery(reader: &Reader, push: Push) -> Result<Option<proto::Delivery>, Refusal> {
    let found = reader.content(push.position).map_err(|error| unreadable(&error))?;
    let Some(kept) = found else { return Ok(None) };
    let changed = kept.row.changed.is_some();
    let recipient = reader.directory().code(push.recipient, kept.row.received_at);
    let delivery = delivery_of(recipient, push, kept);
    if !changed {
        return Ok(Some(delivery));
    }
    let now = reader.query().delivery(push.position, push.recipient);
    let Some(now) = now.map_err(|error| unreadable(&error))? else { return Ok(None) };
    if now.state().closed().is_some() {
        return Ok(None);
    }
    let (mark, asked) = (now.mark.as_ref().map(delivery_mark), now.asked.as_ref());
    Ok(Some(proto::Delivery { mark, asked: asked.map(change_message), ..delivery }))
}

fn delivery_of(recipient: String, push: Push, kept: KeptDocument) -> proto::Delivery {
    let KeptDocument { row, content, uploaded } = kept;
    let (document, attachments) = signed::to_proto(content);
    let uploaded = uploaded.into_iter().map(|attachment| proto::UploadedAttachment {
        content_id: attachment.content_id,
        sha256: bytes::Bytes::copy_from_slice(attachment.sha256.as_bytes()),
        size: attachment.size,
    });
    proto::Delivery {
        recipient,
        position: push.position.0,
        received_at: Some(moment::to_proto(row.received_at)),
        attempt: push.attempt,
        document: Some(document),
        attachments,
        signature: signature_kind(row.signature),
        mark: None,
        asked: None,
        revocation: revocation(row.revocation()),
        uploaded: uploaded.collect(),
    }
}

/// A notice with the report that it follows from; `None` when it was acknowledged meanwhile.
pub(crate) fn notice(reader: &Reader, push: Push) -> Result<Option<proto::Notice>, Refusal> {
    load_notice(reader, push).map_err(|error| unreadable(&error))
}

fn load_notice(reader: &Reader, push: Push) -> Result<Option<proto::Notice>, EngineError> {
    let number = push.position.0;
    let Some(row) = reader.query().notice(NoticeNumber(number))? else { return Ok(None) };
    let Some(document) = reader.query().document(row.delivery.position)? else { return Ok(None) };
    let directory = reader.directory();
    let code = |agency| directory.code(agency, row.at);
    let notice = proto::Notice {
        key: Some(proto::NoticeKey { agency: code(row.to), number }),
        kind: row.kind as i32,
        at: Some(moment::to_proto(row.at)),
        attempt: push.attempt,
        sender: code(document.sender),
        document_id: id_bytes(document.id),
        position: row.delivery.position.0,
        recipient: code(row.delivery.recipient),
        ..Default::default()
    };
    let Some(cause) = row.cause else { return Ok(Some(notice)) };
    let content = reader.cause(&cause)?;
    Ok(Some(proto::Notice {
        status: cause.status.map_or(0, |code| proto::StatusCode::from(code) as i32),
        cause_id: id_bytes(content.id),
        cause_position: cause.position.0,
        report: content.report.map(|report| signed::to_proto(report).0),
        reason: cause.reason,
        ..notice
    }))
}

fn id_bytes(id: MessageId) -> bytes::Bytes {
    bytes::Bytes::copy_from_slice(id.as_bytes())
}

/// A document and what became of it; `progress` for whoever may see all recipients.
pub(crate) fn tracked(
    view: &DocumentView,
    progress: Option<ProgressCounts>,
    directory: &Directory,
) -> proto::TrackedDocument {
    let row = &view.document;
    let at = row.received_at;
    proto::TrackedDocument {
        sender: directory.code(row.sender, at),
        id: bytes::Bytes::copy_from_slice(row.id.as_bytes()),
        position: view.position.0,
        received_at: Some(moment::to_proto(at)),
        sha256: bytes::Bytes::copy_from_slice(row.digest.as_bytes()),
        signature: signature_kind(row.signature),
        subject: row.subject.clone(),
        reference: row.reference.text.clone(),
        urgency: proto::Urgency::from(row.urgency) as i32,
        document_type: u32::from(row.document_type.number()),
        signed_at: Some(moment::to_proto(row.signed_at)),
        due: row.due.map(moment::to_proto),
        deliveries: view
            .deliveries
            .iter()
            .map(|one| tracked_delivery(one, directory, at))
            .collect(),
        same_reference: view.same_reference.map(|(position, id)| proto::DocumentMention {
            id: id_bytes(id),
            position: position.0,
        }),
        acts_on: row.acts_on.as_ref().map(|acts| proto::ActsOn {
            kind: proto::ChangeKind::from(acts.kind) as i32,
            document: Some(proto::DocumentMention {
                id: id_bytes(acts.id),
                position: acts.position.0,
            }),
            reason: acts.reason.clone(),
        }),
        changed: row.changed.as_ref().map(|last| change_message(&last.by)),
        revocation: revocation(row.revocation()),
        recipients: progress.map_or(0, |progress| progress.recipients),
        recipients_pending: progress.map_or(0, |progress| progress.pending),
    }
}

fn tracked_delivery(
    tracked: &lienthong_core::TrackedDelivery,
    directory: &Directory,
    at: Timestamp,
) -> proto::TrackedDelivery {
    let (route, gateway) = route(tracked.delivery.route, directory, at);
    let statuses = tracked.delivery.statuses.iter().map(|line| proto::TrackedStatus {
        code: proto::StatusCode::from(line.code) as i32,
        at: Some(moment::to_proto(line.at)),
        reason: line.reason.clone(),
        position: line.position.0,
    });
    let open = tracked.delivery.open_statuses().into_iter();
    proto::TrackedDelivery {
        recipient: directory.code(tracked.recipient, at),
        route,
        gateway,
        acknowledged_at: tracked.delivery.acknowledged_at.map(moment::to_proto),
        attempts: tracked.delivery.attempts,
        statuses: statuses.collect(),
        mark: tracked.delivery.mark.as_ref().map(delivery_mark),
        asked: tracked.delivery.asked.as_ref().map(change_message),
        open_statuses: open.map(|code| proto::StatusCode::from(code) as i32).collect(),
        negative: tracked.delivery.negative.as_ref().map(|said| proto::NegativeAcknowledgements {
            count: said.count,
            last_at: Some(moment::to_proto(said.at)),
            last_reason: said.reason.clone(),
        }),
    }
}

/// An authority as it stands at a moment, and how much waits for its list.
pub(crate) fn authority(
    certificate: &Certificate,
    trust: &TrustStore,
    at: Timestamp,
    unproven: u64,
) -> proto::Authority {
    let id = certificate.authority();
    proto::Authority {
        certificate: certificate.der().clone(),
        trusted_from: trust.trusted_from(certificate.fingerprint()).map(moment::to_proto),
        known_from: trust.known_from(id).map(moment::to_proto),
        list: trust.list(id).map(|known| list(known)),
        list_due: trust.list_due(id, at).map(moment::to_proto),
        unproven,
    }
}

/// What a revocation list says, without its entries.
pub(crate) fn list(list: &RevocationList) -> proto::RevocationListSummary {
    proto::RevocationListSummary {
        number: list.number,
        this_update: Some(moment::to_proto(list.this_update)),
        next_update: list.next_update.map(moment::to_proto),
        revoked: list.revoked.len() as u64,
        sha256: bytes::Bytes::copy_from_slice(list.digest.as_bytes()),
    }
}

/// Certificates of an issuer that are not proven.
pub(crate) fn unproven(unproven: &Unproven) -> proto::UnprovenCertificates {
    let serial = |serial: &Serial| bytes::Bytes::copy_from_slice(&serial.0);
    proto::UnprovenCertificates {
        issuer: bytes::Bytes::copy_from_slice(unproven.issuer.as_bytes()),
        serials: unproven.serials.iter().map(serial).collect(),
    }
}
