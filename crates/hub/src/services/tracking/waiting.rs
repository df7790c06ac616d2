//! What waits longest for an agency.

use lienthong_core::Waiting;
use lienthong_model::Refusal;
use lienthong_model::limits::{PAGE_SIZE_DEFAULT, PAGE_SIZE_MAX};
use lienthong_wire::proto;

use super::super::Rooms;
use super::{Asking, wait};
use crate::caller::{MayExchange, served};
use crate::present::unreadable;

pub(super) fn waiting(
    rooms: &Rooms,
    permit: MayExchange,
    request: &proto::ListWaitingRequest,
) -> Result<proto::ListWaitingResponse, Refusal> {
    let directory = rooms.reader.directory();
    let asking = Asking::of(rooms, &directory, permit);
    let agency = served(permit, &directory, &request.agency, "agency", asking.now)?;
    let limit = match usize::try_from(request.page_size) {
        Ok(0) | Err(_) => PAGE_SIZE_DEFAULT,
        Ok(asked) => asked.min(PAGE_SIZE_MAX),
    };
    let received = asking.query.received_waiting(agency, limit);
    let received = received.map_err(|error| unreadable(&error))?;
    let sent = asking.query.sent_waiting(agency, limit).map_err(|error| unreadable(&error))?;
    Ok(proto::ListWaitingResponse {
        truncated: received.truncated || sent.truncated,
        received: shown(&asking, received)?,
        sent: shown(&asking, sent)?,
    })
}

fn shown(asking: &Asking<'_>, waiting: Waiting) -> Result<Vec<proto::WaitingDocument>, Refusal> {
    let Asking { query, directory, now, .. } = *asking;
    let mut shown = Vec::with_capacity(waiting.documents.len());
    for (position, one) in waiting.documents {
        let found = query.wait_of(directory, position, &one.document, one.recipient, now);
        let found = found.map_err(|error| unreadable(&error))?;
        shown.push(proto::WaitingDocument {
            document: Some(asking.name(&one.document)),
            recipients: one.recipients,
            wait: found.map(|found| wait(&found, directory, now)),
            subject: one.document.subject,
        });
    }
    Ok(shown)
}
