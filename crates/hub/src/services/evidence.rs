//! `EvidenceService`. The log's hashes are open to every node; which leaf is whose is not.

use bytes::Bytes;
use lienthong_core::engine::EngineError;
use lienthong_model::{AgencyCode, MessageId, Position, Reason, Refusal};
use lienthong_wire::proto;
use lienthong_wire::proto::evidence_service_server::EvidenceService;
use tonic::{Request, Response, Status};

use super::{Rooms, Services, refused, refused_about};
use crate::caller::{MayExchange, MayRead};
use crate::evidence::to_bytes;
use crate::present::unreadable;

#[tonic::async_trait]
impl EvidenceService for Services {
    async fn get_checkpoint(
        &self,
        request: Request<proto::GetCheckpointRequest>,
    ) -> Result<Response<proto::GetCheckpointResponse>, Status> {
        self.admit::<MayRead, _>(&request)?;
        let evidence = &self.0.evidence;
        let checkpoint = evidence.newest().checkpoint.clone();
        Ok(Response::new(proto::GetCheckpointResponse { checkpoint, key: evidence.key() }))
    }

    async fn get_inclusion(
        &self,
        request: Request<proto::GetInclusionRequest>,
    ) -> Result<Response<proto::GetInclusionResponse>, Status> {
        self.admit::<MayRead, _>(&request)?;
        let proto::GetInclusionRequest { position, size } = request.into_inner();
        let evidence = &self.0.evidence;
        let newest = evidence.newest();
        let size = within("size", size, newest.size).map_err(refused)?;
        if position >= size {
            let value = format!("{position}, the log has {size} leaves");
            return Err(refused(Refusal::at(Reason::FieldInvalid, "position", value)));
        }
        let hashes = evidence.at(size).inclusion(position);
        let hashes = to_bytes(&hashes.map_err(|error| refused(unreadable(&error)))?);
        let checkpoint = newest.checkpoint.clone();
        Ok(Response::new(proto::GetInclusionResponse { size, hashes, checkpoint }))
    }

    async fn get_leaf(
        &self,
        request: Request<proto::GetLeafRequest>,
    ) -> Result<Response<proto::GetLeafResponse>, Status> {
        let permit = self.admit::<MayExchange, _>(&request)?;
        let proto::GetLeafRequest { sender, id } = request.into_inner();
        let id = MessageId::from_bytes(&id)
            .map_err(|error| refused(Refusal::at(Reason::FieldInvalid, "id", error)))?;
        let leaf = leaf(&self.0, permit, &sender, id).map_err(|no| refused_about(no, Some(id)))?;
        Ok(Response::new(leaf))
    }

    async fn get_consistency(
        &self,
        request: Request<proto::GetConsistencyRequest>,
    ) -> Result<Response<proto::GetConsistencyResponse>, Status> {
        self.admit::<MayRead, _>(&request)?;
        let proto::GetConsistencyRequest { first, second } = request.into_inner();
        let evidence = &self.0.evidence;
        let newest = evidence.newest();
        let second = within("second", second, newest.size).map_err(refused)?;
        if first > second {
            let value = format!("{first}, above {second}");
            return Err(refused(Refusal::at(Reason::FieldInvalid, "first", value)));
        }
        let hashes = evidence.at(second).consistency(first);
        let hashes = to_bytes(&hashes.map_err(|error| refused(unreadable(&error)))?);
        let checkpoint = newest.checkpoint.clone();
        Ok(Response::new(proto::GetConsistencyResponse { second, hashes, checkpoint }))
    }
}

fn leaf(
    rooms: &Rooms,
    permit: MayExchange,
    sender: &str,
    id: MessageId,
) -> Result<proto::GetLeafResponse, Refusal> {
    let sender = AgencyCode::parse(sender)
        .map_err(|error| Refusal::at(Reason::FieldInvalid, "sender", error))?;
    let position = position(rooms, permit, &sender, &id).map_err(|error| unreadable(&error))?;
    let unknown = || Refusal::at(Reason::DocumentUnknown, "id", id);
    let position = position.ok_or_else(unknown)?;
    let leaves = rooms.reader.leaves(position.0..position.0 + 1);
    let leaves = leaves.map_err(|error| unreadable(&error))?;
    let entry = leaves.first().ok_or_else(unknown)?.to_bytes();
    let proof = rooms.evidence.proof(position).map_err(|error| unreadable(&error))?;
    Ok(proto::GetLeafResponse {
        position: position.0,
        entry: Bytes::copy_from_slice(&entry),
        proof: Some(proof),
    })
}

/// Where something stands that the caller may see: a document that it may track, or a report of an
/// agency that it serves.
fn position(
    rooms: &Rooms,
    permit: MayExchange,
    sender: &AgencyCode,
    id: &MessageId,
) -> Result<Option<Position>, EngineError> {
    let (directory, now) = (rooms.reader.directory(), rooms.clock.now());
    let (query, caller) = (rooms.reader.query(), permit.0.agency);
    if let Some(view) = query.track_as(&directory, caller, sender, id, now)? {
        return Ok(Some(view.position));
    }
    let reporter = directory.find(sender);
    let Some(reporter) = reporter.filter(|agency| directory.serves(caller, agency, now)) else {
        return Ok(None);
    };
    query.position(reporter.ordinal, id)
}

/// A size that was asked for; 0 asks for the newest.
fn within(field: &'static str, size: u64, newest: u64) -> Result<u64, Refusal> {
    match size {
        0 => Ok(newest),
        _ if size <= newest => Ok(size),
        _ => {
            let value = format!("{size}, the log has {newest} leaves");
            Err(Refusal::at(Reason::FieldInvalid, field, value))
        }
    }
}
