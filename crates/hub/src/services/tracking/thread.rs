//! The case that a document belongs to.

use lienthong_core::engine::EngineError;
use lienthong_core::{DocumentRow, ThreadDocument};
use lienthong_model::{Position, Refusal};
use lienthong_wire::{moment, proto};

use super::super::Rooms;
use super::{Asking, Name};
use crate::caller::MayExchange;
use crate::present::unreadable;

pub(super) fn thread(
    rooms: &Rooms,
    permit: MayExchange,
    name: &Name,
) -> Result<proto::GetThreadResponse, Refusal> {
    let directory = rooms.reader.directory();
    let asking = Asking::of(rooms, &directory, permit);
    let found = name.find(&asking)?;
    let served = directory.served_by(permit.0.agency, asking.now);
    // Only as far as the caller is a party.
    let may_see = |position: Position, document: &DocumentRow| -> Result<bool, EngineError> {
        if served.contains(&document.sender) {
            return Ok(true);
        }
        for agency in &served {
            if asking.query.delivery(position, *agency)?.is_some() {
                return Ok(true);
            }
        }
        Ok(false)
    };
    let thread = asking.query.thread(found.position, may_see);
    let thread = thread.map_err(|error| unreadable(&error))?;
    if thread.documents.is_empty() {
        return Err(name.unknown());
    }
    let documents = thread.documents.into_iter();
    Ok(proto::GetThreadResponse {
        documents: documents.map(|(position, one)| shown(&asking, position, one)).collect(),
        truncated: thread.truncated,
    })
}

fn shown(asking: &Asking<'_>, position: Position, one: ThreadDocument) -> proto::ThreadDocument {
    let ThreadDocument { document, answers, unresolved } = one;
    proto::ThreadDocument {
        document: Some(asking.name(&document)),
        position: position.0,
        received_at: Some(moment::to_proto(document.received_at)),
        reference: document.reference.text,
        subject: document.subject,
        answers: answers.into_iter().map(|position| position.0).collect(),
        unresolved,
    }
}
