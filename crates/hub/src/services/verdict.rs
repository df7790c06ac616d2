//! `VerdictService`: what the verdict on a document rested on, as it stood then.

use bytes::Bytes;
use lienthong_core::Accepted;
use lienthong_model::limits::{EVIDENCE_BUNDLE_BYTES_MAX, PIECE_BYTES_MAX};
use lienthong_model::{AgencyCode, Digest, MessageId, Ordinal, Position, Reason, Refusal};
use lienthong_trust::NOTE_BYTES_MAX;
use lienthong_wire::proto::verdict_service_server::VerdictService;
use lienthong_wire::{administration as read, directory, moment, proto, signed};
use prost::Message as _;
use tonic::{Request, Response, Status};

use super::streams::Outcomes;
use super::{Rooms, Services, refused, refused_about};
use crate::caller::MayExchange;
use crate::present::{self, unreadable};
use crate::verdict::Verdict;

#[tonic::async_trait]
impl VerdictService for Services {
    type GetEvidenceBundleStream = Outcomes<proto::GetEvidenceBundleResponse>;

    async fn get_evidence_bundle(
        &self,
        request: Request<proto::GetEvidenceBundleRequest>,
    ) -> Result<Response<Self::GetEvidenceBundleStream>, Status> {
        let permit = self.admit::<MayExchange, _>(&request)?;
        let proto::GetEvidenceBundleRequest { sender, id } = request.into_inner();
        let id = MessageId::from_bytes(&id)
            .map_err(|error| refused(Refusal::at(Reason::FieldInvalid, "id", error)))?;
        let rooms = self.0.clone();
        let made = tokio::task::spawn_blocking(move || bundle(&rooms, permit, &sender, &id)).await;
        let made = made.map_err(|_| refused(Refusal::new(Reason::Stopped)))?;
        let bundle = made.map_err(|refusal| refused_about(refusal, Some(id)))?;
        Ok(Response::new(pieces(bundle.encode_to_vec().into())))
    }
}

/// Cuts bytes into pieces that fit a message.
fn pieces(mut all: Bytes) -> Outcomes<proto::GetEvidenceBundleResponse> {
    let next = std::iter::from_fn(move || {
        let piece = all.split_to(all.len().min(PIECE_BYTES_MAX));
        (!piece.is_empty()).then_some(Ok(proto::GetEvidenceBundleResponse { piece }))
    });
    Box::pin(futures_util::stream::iter(next))
}

fn bundle(
    rooms: &Rooms,
    permit: MayExchange,
    sender: &str,
    id: &MessageId,
) -> Result<proto::EvidenceBundle, Refusal> {
    let position = position(rooms, permit, sender, id)?;
    let read = rooms.reader.verdict(position).map_err(|error| unreadable(&error))?;
    let verdict = read.ok_or_else(|| Refusal::at(Reason::DocumentUnknown, "id", id))?;
    let proof = rooms.evidence.proof(position).map_err(|error| unreadable(&error))?;
    let basis = basis(verdict, proof).encode_to_vec();
    if basis.len() > EVIDENCE_BUNDLE_BYTES_MAX - NOTE_BYTES_MAX {
        let value = format!("{} bytes, at most {EVIDENCE_BUNDLE_BYTES_MAX}", basis.len());
        return Err(Refusal::at(Reason::ContentTooLarge, "bundle", value));
    }
    let statement = rooms.evidence.state_bundle(&Digest::of(&basis));
    Ok(proto::EvidenceBundle { basis: basis.into(), statement })
}

/// The document's place, when the caller is one of its parties.
fn position(
    rooms: &Rooms,
    permit: MayExchange,
    sender: &str,
    id: &MessageId,
) -> Result<Position, Refusal> {
    let sender = AgencyCode::parse(sender)
        .map_err(|error| Refusal::at(Reason::FieldInvalid, "sender", error))?;
    let directory = rooms.reader.directory();
    let (caller, now) = (permit.0.agency, rooms.clock.now());
    let view = rooms.reader.query().track_as(&directory, caller, &sender, id, now);
    let view = view.map_err(|error| unreadable(&error))?;
    view.map(|view| view.position).ok_or_else(|| Refusal::at(Reason::DocumentUnknown, "id", id))
}

fn basis(verdict: Verdict, proof: proto::LogProof) -> proto::VerdictBasis {
    let Verdict { content, received_at, accepted, chains, rules, clock_ahead, policy, lists } =
        verdict;
    let Accepted { position, sender, signature, unproven, .. } = accepted;
    let agency = |ordinal: Ordinal| policy.directory.agency(ordinal);
    let sending = agency(sender);
    let gateway = sending.and_then(|sending| policy.directory.gateway(sending, received_at));
    let entries = sending.into_iter().chain(gateway.and_then(agency));
    let entries = entries.flat_map(|agency| agency.entries.iter().map(directory::to_proto));
    let authorities = policy.trust.authorities().iter();
    let authorities = authorities.filter(|known| chains.contains(known.fingerprint()));
    let (document, attachments) = signed::to_proto(content);
    proto::VerdictBasis {
        document: Some(document),
        attachments,
        verdict: Some(proto::Verdict {
            received_at: Some(moment::to_proto(received_at)),
            signature: present::signature_kind(signature),
            unproven: unproven.iter().map(present::unproven).collect(),
        }),
        agencies: entries.collect(),
        authorities: authorities
            .clone()
            .map(|known| present::authority(known, &policy.trust, received_at, 0))
            .collect(),
        revocation_lists: lists,
        mandates: policy.mandates.of(sender).iter().map(read::mandate_to_proto).collect(),
        grace: policy.revocation.grace().map(moment::duration_to_proto),
        clock_ahead: Some(moment::duration_to_proto(clock_ahead)),
        rules: u32::from(rules),
        position: position.0,
        proof: Some(proof),
    }
}
