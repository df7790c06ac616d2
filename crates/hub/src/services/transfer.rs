//! `TransferService`.

use futures_util::{Stream, StreamExt as _, future};
use lienthong_ledger::Progress;
use lienthong_model::limits::{ATTACHMENT_BYTES_MAX, TRANSFER_CHUNK_BYTES_MAX};
use lienthong_model::{AgencyCode, Digest, MessageId, Reason, Refusal};
use lienthong_wire::proto;
use lienthong_wire::proto::transfer_service_server::TransferService;
use lienthong_wire::proto::upload_request as asked;
use tonic::{Request, Response, Status, Streaming};

use super::streams::Outcomes;
use super::{Services, refused, refused_about};
use crate::caller::MayExchange;
use crate::transfer::{Piece, Wanted};

#[tonic::async_trait]
impl TransferService for Services {
    async fn get_upload(
        &self,
        request: Request<proto::GetUploadRequest>,
    ) -> Result<Response<proto::GetUploadResponse>, Status> {
        let permit = self.admit::<MayExchange, _>(&request)?;
        let proto::GetUploadRequest { sha256, size } = request.into_inner();
        let (sha256, size) = announced("", &sha256, size).map_err(refused)?;
        let Progress { stored, complete } = self.0.transfers.progress(permit, sha256, size);
        Ok(Response::new(proto::GetUploadResponse { stored, complete }))
    }

    type UploadStream = Outcomes<proto::UploadResponse>;

    async fn upload(
        &self,
        request: Request<Streaming<proto::UploadRequest>>,
    ) -> Result<Response<Self::UploadStream>, Status> {
        let permit = self.admit::<MayExchange, _>(&request)?;
        let mut requests = request.into_inner();
        let first = requests.message().await?.and_then(|request| request.request);
        let Some(asked::Request::Open(open)) = first else {
            let refusal = Refusal::at(Reason::FieldMissing, "open", "the first message opens");
            return Err(refused(refusal));
        };
        let announced = announced("open.", &open.sha256, open.size).map_err(refused)?;
        let rooms = self.0.clone();
        let pieces = pieces(requests).then(move |piece| {
            let rooms = rooms.clone();
            async move {
                let piece = piece?;
                rooms.pace(permit, piece.bytes.len()).await?;
                Ok(piece)
            }
        });
        let told = self.0.transfers.upload(permit, announced, pieces, self.0.drained());
        let told = told.map_err(refused)?.map(|told| match told {
            Ok(Progress { stored, complete }) => Ok(proto::UploadResponse { stored, complete }),
            Err(refusal) => Err(refused(refusal)),
        });
        Ok(Response::new(Box::pin(told)))
    }

    type DownloadStream = Outcomes<proto::DownloadResponse>;

    async fn download(
        &self,
        request: Request<proto::DownloadRequest>,
    ) -> Result<Response<Self::DownloadStream>, Status> {
        let permit = self.admit::<MayExchange, _>(&request)?;
        let wanted = wanted(request.into_inner()).map_err(refused)?;
        let given =
            self.0.transfers.download(permit, &wanted, self.0.clock.now(), self.0.drained());
        let id = Some(wanted.id);
        let given =
            given.map_err(|refusal| refused_about(refusal, id))?.map(move |piece| match piece {
                Ok(Piece { offset, bytes }) => {
                    let chunk = proto::AttachmentChunk { offset, content: bytes };
                    Ok(proto::DownloadResponse { chunk: Some(chunk) })
                }
                Err(refusal) => Err(refused_about(refusal, id)),
            });
        Ok(Response::new(Box::pin(given)))
    }
}

/// The pieces of an upload. A stream that breaks ends them: what came stays.
fn pieces(
    requests: Streaming<proto::UploadRequest>,
) -> impl Stream<Item = Result<Piece, Refusal>> + Send {
    requests.take_while(|request| future::ready(request.is_ok())).filter_map(|request| {
        let asked = request.ok().and_then(|request| request.request);
        future::ready(match asked {
            None => None,
            Some(asked::Request::Open(_)) => {
                Some(Err(Refusal::at(Reason::FieldInvalid, "open", "opened already")))
            }
            Some(asked::Request::Chunk(chunk)) => Some(piece(chunk)),
        })
    })
}

fn piece(chunk: proto::AttachmentChunk) -> Result<Piece, Refusal> {
    let proto::AttachmentChunk { offset, content } = chunk;
    if content.len() > TRANSFER_CHUNK_BYTES_MAX {
        let value = format!("{} bytes, at most {TRANSFER_CHUNK_BYTES_MAX}", content.len());
        return Err(Refusal::at(Reason::ContentTooLarge, "chunk.content", value));
    }
    Ok(Piece { offset, bytes: content })
}

fn announced(path: &str, sha256: &[u8], size: u64) -> Result<(Digest, u64), Refusal> {
    let Some(sha256) = Digest::from_slice(sha256) else {
        let value = format!("{} bytes, not 32", sha256.len());
        return Err(Refusal::at(Reason::FieldInvalid, format!("{path}sha256"), value));
    };
    if size > ATTACHMENT_BYTES_MAX {
        let value = format!("{size} bytes, at most {ATTACHMENT_BYTES_MAX}");
        return Err(Refusal::at(Reason::ContentTooLarge, format!("{path}size"), value));
    }
    Ok((sha256, size))
}

fn wanted(request: proto::DownloadRequest) -> Result<Wanted, Refusal> {
    let proto::DownloadRequest { sender, id, content_id, offset } = request;
    let sender = AgencyCode::parse(&sender)
        .map_err(|error| Refusal::at(Reason::FieldInvalid, "sender", error))?;
    let id = MessageId::from_bytes(&id)
        .map_err(|error| Refusal::at(Reason::FieldInvalid, "id", error))?;
    Ok(Wanted { sender, id, content_id, offset })
}
