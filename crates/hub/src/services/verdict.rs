//! `VerdictService`: what the verdict on a document rested on, as it stood then.

use bytes::Bytes;
use lienthong_core::Accepted;
use lienthong_model::limits::{EVIDENCE_BUNDLE_BYTES_MAX, PIECE_BYTES_MAX, TRANSFER_SILENCE_MAX};
use lienthong_model::{AgencyCode, Digest, MessageId, Ordinal, Position, Reason, Refusal};
use lienthong_trust::NOTE_BYTES_MAX;
use lienthong_wire::proto::verdict_service_server::VerdictService;
use lienthong_wire::{administration as read, directory, moment, proto, signed};
use prost::Message as _;
use tokio::sync::mpsc;
use tokio::time::timeout;
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Request, Response, Status};

use super::streams::Outcomes;
use super::{Rooms, Services, refused, refused_about};
use crate::caller::MayExchange;
use crate::present::{self, unreadable};
use crate::transfer::silent;
use crate::verdict::Verdict;

/// A piece that waits to be taken, and room for a refusal.
const WAITING_MAX: usize = 2;

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
        let place = self.0.bundles.take(permit.0.agency).map_err(refused)?;
        let rooms = self.0.clone();
        // The place goes with the work, which goes on when its caller has gone.
        let made = tokio::task::spawn_blocking(move || {
            let bundle = bundle(&rooms, permit, &sender, &id);
            bundle.map(|bundle| (Bytes::from(bundle.encode_to_vec()), place))
        });
        let made = made.await.map_err(|_| refused(Refusal::new(Reason::Stopped)))?;
        let (bundle, place) = made.map_err(|refusal| refused_about(refusal, Some(id)))?;
        Ok(Response::new(pieces(bundle, place)))
    }
}

/// Hands a bundle out in pieces that fit a message. Its place comes back at the end, and when its
/// caller has gone or takes nothing for too long.
fn pieces(bundle: Bytes, place: impl Send + 'static) -> Outcomes<proto::GetEvidenceBundleResponse> {
    let (say, said) = mpsc::channel(WAITING_MAX);
    tokio::spawn(give(bundle, place, say));
    Box::pin(ReceiverStream::new(said))
}

async fn give(
    mut rest: Bytes,
    _place: impl Send,
    say: mpsc::Sender<Result<proto::GetEvidenceBundleResponse, Status>>,
) {
    // A bundle that ends early never looks like a whole one.
    let Ok(last_word) = say.clone().reserve_owned().await else { return };
    while !rest.is_empty() {
        let piece = rest.split_to(rest.len().min(PIECE_BYTES_MAX));
        // A part of the bundle's own memory would keep all of it until it is taken.
        let piece = Bytes::copy_from_slice(&piece);
        let taken = say.send(Ok(proto::GetEvidenceBundleResponse { piece }));
        match timeout(TRANSFER_SILENCE_MAX, taken).await {
            Ok(Ok(())) => {}
            // Its caller has gone.
            Ok(Err(_)) => return,
            Err(_) => {
                drop(last_word.send(Err(refused(silent()))));
                return;
            }
        }
    }
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

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::time::Duration;

    use tokio::sync::Semaphore;
    use tokio_stream::StreamExt as _;

    use super::*;

    /// A bundle that is handed out, and the only place for one.
    fn handed_out(bundle: &[u8]) -> (Arc<Semaphore>, Outcomes<proto::GetEvidenceBundleResponse>) {
        let places = Arc::new(Semaphore::new(1));
        let place = places.clone().try_acquire_owned().unwrap();
        (places, pieces(Bytes::copy_from_slice(bundle), place))
    }

    #[tokio::test(start_paused = true)]
    async fn a_bundle_arrives_whole_and_its_place_is_taken_until_then() {
        let bundle: Vec<u8> = (0..5 * PIECE_BYTES_MAX / 2).map(|at| (at % 251) as u8).collect();
        let (places, mut told) = handed_out(&bundle);
        let first = told.next().await.unwrap().unwrap().piece;
        assert_eq!(places.available_permits(), 0);
        let mut arrived = first.to_vec();
        while let Some(piece) = told.next().await {
            arrived.extend_from_slice(&piece.unwrap().piece);
        }
        assert!(arrived == bundle, "{} of {} bytes", arrived.len(), bundle.len());
        assert_eq!(places.available_permits(), 1);
    }

    #[tokio::test(start_paused = true)]
    async fn a_bundle_that_nobody_takes_gives_its_place_back_and_is_not_taken_for_a_whole_one() {
        let (places, mut told) = handed_out(&[7; 3 * PIECE_BYTES_MAX]);
        drop(places.acquire().await.unwrap());
        assert_eq!(told.next().await.unwrap().unwrap().piece.len(), PIECE_BYTES_MAX);
        let status = told.next().await.unwrap().unwrap_err();
        let refusal = lienthong_wire::from_status(&status).unwrap();
        assert_eq!(refusal.reason, Reason::Overloaded);
        assert!(told.next().await.is_none());
    }

    #[tokio::test(start_paused = true)]
    async fn a_bundle_whose_caller_has_gone_gives_its_place_back_at_once() {
        let (places, mut told) = handed_out(&[7; 3 * PIECE_BYTES_MAX]);
        told.next().await.unwrap().unwrap();
        let gone = tokio::time::Instant::now();
        drop(told);
        drop(places.acquire().await.unwrap());
        assert_eq!(gone.elapsed(), Duration::ZERO);
    }
}
