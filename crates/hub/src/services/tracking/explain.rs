//! Why a document is where it is.

use lienthong_core::explain::{Event, Explained, Scope, Subject, What};
use lienthong_model::{AgencyCode, Ordinal, Reason, Refusal};
use lienthong_wire::{moment, proto};

use super::super::Rooms;
use super::{Asking, Found, Name, progress, text, wait};
use crate::caller::MayExchange;
use crate::present::unreadable;
use crate::signed_by::tell_signers;

pub(super) fn explain(
    rooms: &Rooms,
    permit: MayExchange,
    name: &Name,
    recipient: &str,
) -> Result<proto::ExplainResponse, Refusal> {
    let policy = rooms.reader.policy();
    let asking = Asking::of(rooms, &policy.directory, permit);
    let found = match name.find(&asking) {
        Ok(found) => found,
        Err(unknown) => return refused(&asking, name)?.ok_or(unknown),
    };
    let scope = scope(&asking, name, &found, recipient)?;
    let Found { position, document, .. } = &found;
    let accepted = rooms.reader.entry_of(*position, document);
    let (submit, accepted) = accepted.map_err(|error| unreadable(&error))?;
    let subject =
        Subject { position: *position, document, accepted: &accepted, caller: submit.caller };
    let explained = asking.query.explain(&policy, subject, &scope, asking.now);
    let mut explained = explained.map_err(|error| unreadable(&error))?;
    tell_signers(&rooms.reader, &submit, &mut explained);
    Ok(proto::ExplainResponse {
        progress: explained.progress.map(|counts| progress::counts(counts, document, asking.now)),
        subject: document.subject.clone(),
        position: Some(position.0),
        ..answer(&asking, &explained)
    })
}

/// Whose part of a document the caller may see, and asks for.
fn scope(
    asking: &Asking<'_>,
    name: &Name,
    found: &Found,
    recipient: &str,
) -> Result<Scope, Refusal> {
    let wanted = wanted(asking, recipient)?;
    if found.is_senders {
        return Ok(wanted.map_or(Scope::All, |wanted| Scope::Recipients(vec![wanted])));
    }
    let mut own = asking.own_recipients(found.position)?;
    own.retain(|own| wanted.is_none_or(|wanted| wanted == *own));
    if own.is_empty() { Err(name.unknown()) } else { Ok(Scope::Recipients(own)) }
}

fn wanted(asking: &Asking<'_>, recipient: &str) -> Result<Option<Ordinal>, Refusal> {
    if recipient.is_empty() {
        return Ok(None);
    }
    let code = AgencyCode::parse(recipient)
        .map_err(|error| Refusal::at(Reason::FieldInvalid, "recipient", error))?;
    let agency = asking.directory.find(&code);
    let agency = agency.ok_or_else(|| Refusal::at(Reason::RecipientUnknown, "recipient", code))?;
    Ok(Some(agency.ordinal))
}

/// The last refusal of an id, for whoever was refused.
fn refused(asking: &Asking<'_>, name: &Name) -> Result<Option<proto::ExplainResponse>, Refusal> {
    let refused = asking.query.refused(asking.permit.0.agency, &name.id);
    let Some(refused) = refused.map_err(|error| unreadable(&error))? else { return Ok(None) };
    let event = Event { at: refused.at, recipient: None, what: What::Refused(refused.refusal) };
    let explained = Explained { events: vec![event], ..Explained::default() };
    Ok(Some(answer(asking, &explained)))
}

fn answer(asking: &Asking<'_>, explained: &Explained) -> proto::ExplainResponse {
    let Asking { directory, now, .. } = *asking;
    let event = |event: &Event| proto::ExplainedEvent {
        at: Some(moment::to_proto(event.at)),
        kind: event.what.name().to_owned(),
        recipient: event.recipient.map(|one| directory.code(one, now)).unwrap_or_default(),
        what: Some(text(event.what.text())),
        why: Some(text(event.what.why())),
    };
    proto::ExplainResponse {
        events: explained.events.iter().map(event).collect(),
        events_left_out: u32::try_from(explained.events_left_out).unwrap_or(u32::MAX),
        waits: explained.waits.iter().map(|one| wait(one, directory, now)).collect(),
        progress: None,
        subject: String::new(),
        position: None,
    }
}
