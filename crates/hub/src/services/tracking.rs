//! `TrackingService`.

mod explain;
mod progress;
mod thread;
mod waiting;

use lienthong_core::explain::texts;
use lienthong_core::{Directory, DocumentRow, Query};
use lienthong_ledger::SledState;
use lienthong_model::{AgencyCode, MessageId, Ordinal, Position, Reason, Refusal, Timestamp};
use lienthong_wire::proto;
use lienthong_wire::proto::tracking_service_server::TrackingService;
use tonic::{Request, Response, Status};

use super::streams::Outcomes;
use super::{Rooms, Services, refused, refused_about};
use crate::caller::MayExchange;
use crate::present::unreadable;

#[tonic::async_trait]
impl TrackingService for Services {
    async fn explain(
        &self,
        request: Request<proto::ExplainRequest>,
    ) -> Result<Response<proto::ExplainResponse>, Status> {
        let permit = self.admit::<MayExchange, _>(&request)?;
        let request = request.into_inner();
        let name = Name::read(request.document).map_err(refused)?;
        let explained = explain::explain(&self.0, permit, &name, &request.recipient);
        explained.map(Response::new).map_err(|no| refused_about(no, Some(name.id)))
    }

    async fn get_thread(
        &self,
        request: Request<proto::GetThreadRequest>,
    ) -> Result<Response<proto::GetThreadResponse>, Status> {
        let permit = self.admit::<MayExchange, _>(&request)?;
        let name = Name::read(request.into_inner().document).map_err(refused)?;
        let thread = thread::thread(&self.0, permit, &name);
        thread.map(Response::new).map_err(|no| refused_about(no, Some(name.id)))
    }

    async fn get_progress(
        &self,
        request: Request<proto::GetProgressRequest>,
    ) -> Result<Response<proto::GetProgressResponse>, Status> {
        let permit = self.admit::<MayExchange, _>(&request)?;
        let mut request = request.into_inner();
        let name = Name::read(request.document.take()).map_err(refused)?;
        let progress = progress::progress(&self.0, permit, &name, &request);
        progress.map(Response::new).map_err(|no| refused_about(no, Some(name.id)))
    }

    type WaitForProgressStream = Outcomes<proto::WaitForProgressResponse>;

    async fn wait_for_progress(
        &self,
        request: Request<proto::WaitForProgressRequest>,
    ) -> Result<Response<Self::WaitForProgressStream>, Status> {
        let permit = self.admit::<MayExchange, _>(&request)?;
        let mut request = request.into_inner();
        let name = Name::read(request.document.take()).map_err(refused)?;
        let waiting = progress::wait(self.0.clone(), permit, &name, &request);
        waiting.map(Response::new).map_err(|no| refused_about(no, Some(name.id)))
    }

    async fn remind_recipients(
        &self,
        request: Request<proto::RemindRecipientsRequest>,
    ) -> Result<Response<proto::RemindRecipientsResponse>, Status> {
        let permit = self.admit::<MayExchange, _>(&request)?;
        let mut request = request.into_inner();
        let name = Name::read(request.document.take()).map_err(refused)?;
        let reminded = progress::remind(&self.0, permit, &name, &request).await;
        reminded.map(Response::new).map_err(|no| refused_about(no, Some(name.id)))
    }

    async fn list_waiting(
        &self,
        request: Request<proto::ListWaitingRequest>,
    ) -> Result<Response<proto::ListWaitingResponse>, Status> {
        let permit = self.admit::<MayExchange, _>(&request)?;
        let waiting = waiting::waiting(&self.0, permit, &request.into_inner());
        waiting.map(Response::new).map_err(refused)
    }
}

/// A document as a request names it.
struct Name {
    sender: AgencyCode,
    id: MessageId,
}

impl Name {
    fn read(document: Option<proto::DocumentName>) -> Result<Self, Refusal> {
        let proto::DocumentName { sender, id } =
            document.ok_or_else(|| Refusal::at(Reason::FieldMissing, "document", ""))?;
        let sender = AgencyCode::parse(&sender)
            .map_err(|error| Refusal::at(Reason::FieldInvalid, "document.sender", error))?;
        let id = MessageId::from_bytes(&id)
            .map_err(|error| Refusal::at(Reason::FieldInvalid, "document.id", error))?;
        Ok(Self { sender, id })
    }

    fn unknown(&self) -> Refusal {
        Refusal::at(Reason::DocumentUnknown, "document.id", self.id)
    }

    /// The document, and whether the caller serves its sender.
    fn find(&self, asking: &Asking<'_>) -> Result<Found, Refusal> {
        let Asking { query, directory, permit, now } = *asking;
        let sender = directory.find(&self.sender).ok_or_else(|| self.unknown())?;
        let position = query.position(sender.ordinal, &self.id);
        let position = position.map_err(|error| unreadable(&error))?;
        let position = position.ok_or_else(|| self.unknown())?;
        let document = query.document(position).map_err(|error| unreadable(&error))?;
        let document = document.ok_or_else(|| self.unknown())?;
        let is_senders = directory.serves(permit.0.agency, sender, now);
        Ok(Found { position, document, is_senders })
    }

    /// The document, for whoever serves its sender.
    fn find_sent(&self, asking: &Asking<'_>) -> Result<Found, Refusal> {
        let found = self.find(asking)?;
        if found.is_senders { Ok(found) } else { Err(self.unknown()) }
    }
}

/// A document that was found.
struct Found {
    position: Position,
    document: DocumentRow,
    /// Whether the caller serves its sender.
    is_senders: bool,
}

/// Who asks, when, and what is read.
#[derive(Clone, Copy)]
struct Asking<'r> {
    query: Query<'r, SledState>,
    directory: &'r Directory,
    permit: MayExchange,
    now: Timestamp,
}

impl<'r> Asking<'r> {
    fn of(rooms: &'r Rooms, directory: &'r Directory, permit: MayExchange) -> Self {
        Self { query: rooms.reader.query(), directory, permit, now: rooms.clock.now() }
    }

    /// The agencies of which the caller may see a delivery of a document.
    fn own_recipients(&self, position: Position) -> Result<Vec<Ordinal>, Refusal> {
        let mut own = Vec::new();
        for agency in self.directory.served_by(self.permit.0.agency, self.now) {
            let delivery = self.query.delivery(position, agency);
            if delivery.map_err(|error| unreadable(&error))?.is_some() {
                own.push(agency);
            }
        }
        Ok(own)
    }

    fn name(&self, document: &DocumentRow) -> proto::DocumentName {
        proto::DocumentName {
            sender: self.directory.code(document.sender, document.received_at),
            id: bytes::Bytes::copy_from_slice(document.id.as_bytes()),
        }
    }
}

fn text(text: texts::Text) -> proto::Text {
    proto::Text { vi: text.vi, en: text.en }
}

fn wait(
    wait: &lienthong_core::explain::Wait,
    directory: &Directory,
    now: Timestamp,
) -> proto::Wait {
    let code = |ordinal: Option<Ordinal>| {
        ordinal.map(|ordinal| directory.code(ordinal, now)).unwrap_or_default()
    };
    proto::Wait {
        recipient: code(wait.recipient),
        since: Some(lienthong_wire::moment::to_proto(wait.since)),
        cause: wait.cause.name().to_owned(),
        why: Some(text(wait.text())),
        actor: code(wait.actor),
        remedy: Some(text(wait.remedy())),
    }
}
