//! `EvidenceService`. The log's hashes are open to every node.

use lienthong_model::{Reason, Refusal};
use lienthong_wire::proto;
use lienthong_wire::proto::evidence_service_server::EvidenceService;
use tonic::{Request, Response, Status};

use super::{Services, refused};
use crate::caller::MayRead;
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
