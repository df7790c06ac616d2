//! `ExchangeService`.

use lienthong_core::{
    Acknowledge, AcknowledgeOutcome, AcknowledgedDelivery, Decision, DeliveryKey, Proposal,
};
use lienthong_model::limits::PULL_MAX;
use lienthong_model::{AgencyCode, MessageId, Ordinal, Position, Reason, Refusal};
use lienthong_wire::proto::exchange_service_server::ExchangeService;
use lienthong_wire::{moment, proto, refusal, signed};
use prost::Message as _;
use tonic::{Request, Response, Status, Streaming};

use super::streams::{self, Outcomes};
use super::{Rooms, Services, refused, refused_about};
use crate::caller::{MayExchange, MayRead, served};
use crate::ingress::Refused;
use crate::present;

#[tonic::async_trait]
impl ExchangeService for Services {
    async fn submit_document(
        &self,
        request: Request<proto::SubmitDocumentRequest>,
    ) -> Result<Response<proto::SubmitDocumentResponse>, Status> {
        let permit = self.admit_content(&request)?;
        let request = request.into_inner();
        let _place = self.0.let_in(permit, request.encoded_len()).await.map_err(refused)?;
        let proto::SubmitDocumentRequest { document, attachments } = request;
        let receipt = submit(&self.0, permit, document, attachments).await;
        let receipt = receipt.map_err(Refused::into_status)?;
        Ok(Response::new(proto::SubmitDocumentResponse { receipt: Some(receipt) }))
    }

    type SubmitDocumentsStream = Outcomes<proto::SubmitDocumentsResponse>;

    async fn submit_documents(
        &self,
        request: Request<Streaming<proto::SubmitDocumentsRequest>>,
    ) -> Result<Response<Self::SubmitDocumentsStream>, Status> {
        let permit = self.admit::<MayExchange, _>(&request)?;
        let rooms = self.0.clone();
        let outcomes =
            streams::answer_each(&self.0, permit, request.into_inner(), move |request, let_in| {
                let rooms = rooms.clone();
                async move {
                    use proto::submit_documents_response::Outcome;
                    let proto::SubmitDocumentsRequest { correlation, document, attachments } =
                        request;
                    let outcome = match let_in {
                        Ok(()) => submit(&rooms, permit, document, attachments).await,
                        Err(refusal) => Err(refusal.into()),
                    };
                    let outcome = match outcome {
                        Ok(receipt) => Outcome::Receipt(receipt),
                        Err(declined) => Outcome::Refusal(refusal::to_proto(&declined.refusal)),
                    };
                    proto::SubmitDocumentsResponse { correlation, outcome: Some(outcome) }
                }
            });
        Ok(Response::new(outcomes))
    }

    type SubscribeStream = Outcomes<proto::SubscribeResponse>;

    async fn subscribe(
        &self,
        request: Request<Streaming<proto::SubscribeRequest>>,
    ) -> Result<Response<Self::SubscribeStream>, Status> {
        let permit = self.admit::<MayExchange, _>(&request)?;
        streams::subscribe(self.0.clone(), permit, request.into_inner()).await.map(Response::new)
    }

    async fn pull_documents(
        &self,
        request: Request<proto::PullDocumentsRequest>,
    ) -> Result<Response<proto::PullDocumentsResponse>, Status> {
        let permit = self.admit::<MayExchange, _>(&request)?;
        let proto::PullDocumentsRequest { agency, deliveries_max } = request.into_inner();
        let deliveries = pull(&self.0, permit, &agency, deliveries_max).await.map_err(refused)?;
        Ok(Response::new(proto::PullDocumentsResponse { deliveries }))
    }

    async fn acknowledge_documents(
        &self,
        request: Request<proto::AcknowledgeDocumentsRequest>,
    ) -> Result<Response<proto::AcknowledgeDocumentsResponse>, Status> {
        let permit = self.admit::<MayExchange, _>(&request)?;
        let keys = request.into_inner().keys;
        let settled = acknowledge(&self.0, permit, keys, |_| 1).await.map_err(refused)?;
        let refused = settled.refused.into_iter().map(|(key, declined)| {
            let refusal = Some(refusal::to_proto(&declined));
            proto::AcknowledgementRefusal { key: Some(key), refusal }
        });
        Ok(Response::new(proto::AcknowledgeDocumentsResponse {
            refused: refused.collect(),
            acknowledged: settled.acknowledged,
        }))
    }

    async fn report_status(
        &self,
        request: Request<proto::ReportStatusRequest>,
    ) -> Result<Response<proto::ReportStatusResponse>, Status> {
        let permit = self.admit_content(&request)?;
        let request = request.into_inner();
        let _place = self.0.let_in(permit, request.encoded_len()).await.map_err(refused)?;
        let receipt = report_status(&self.0, permit, request.report).await;
        let receipt = receipt.map_err(Refused::into_status)?;
        Ok(Response::new(proto::ReportStatusResponse { receipt: Some(receipt) }))
    }

    type ReportStatusesStream = Outcomes<proto::ReportStatusesResponse>;

    async fn report_statuses(
        &self,
        request: Request<Streaming<proto::ReportStatusesRequest>>,
    ) -> Result<Response<Self::ReportStatusesStream>, Status> {
        let permit = self.admit::<MayExchange, _>(&request)?;
        let rooms = self.0.clone();
        let outcomes =
            streams::answer_each(&self.0, permit, request.into_inner(), move |request, let_in| {
                let rooms = rooms.clone();
                async move {
                    use proto::report_statuses_response::Outcome;
                    let proto::ReportStatusesRequest { correlation, report } = request;
                    let outcome = match let_in {
                        Ok(()) => report_status(&rooms, permit, report).await,
                        Err(refusal) => Err(refusal.into()),
                    };
                    let outcome = match outcome {
                        Ok(receipt) => Outcome::Receipt(receipt),
                        Err(declined) => Outcome::Refusal(refusal::to_proto(&declined.refusal)),
                    };
                    proto::ReportStatusesResponse { correlation, outcome: Some(outcome) }
                }
            });
        Ok(Response::new(outcomes))
    }

    async fn track_document(
        &self,
        request: Request<proto::TrackDocumentRequest>,
    ) -> Result<Response<proto::TrackDocumentResponse>, Status> {
        let permit = self.admit::<MayExchange, _>(&request)?;
        let proto::TrackDocumentRequest { sender, id } = request.into_inner();
        let id = MessageId::from_bytes(&id)
            .map_err(|error| refused(Refusal::at(Reason::FieldInvalid, "id", error)))?;
        let document =
            track(&self.0, permit, &sender, id).map_err(|no| refused_about(no, Some(id)))?;
        Ok(Response::new(proto::TrackDocumentResponse { document: Some(document) }))
    }

    async fn get_clock(
        &self,
        request: Request<proto::GetClockRequest>,
    ) -> Result<Response<proto::GetClockResponse>, Status> {
        self.admit::<MayRead, _>(&request)?;
        let clock = &self.0.clock;
        Ok(Response::new(proto::GetClockResponse {
            now: Some(moment::to_proto(clock.now())),
            rate: clock.rate(),
            scenario: clock.is_scenario(),
        }))
    }
}

impl Refused {
    fn into_status(self) -> Status {
        refused_about(self.refusal, self.id)
    }
}

async fn submit(
    rooms: &Rooms,
    permit: MayExchange,
    document: Option<proto::SignedDocument>,
    attachments: Vec<proto::Attachment>,
) -> Result<proto::Receipt, Refused> {
    let content = signed::document_from_proto(document, attachments)?;
    #[cfg(feature = "measure")]
    if let Some(receipt) = rooms.ingress.verified(&content) {
        return Ok(receipt);
    }
    let taken = rooms.ingress.document(permit, content).await?;
    let receipt = present::receipt(&rooms.reader, &rooms.evidence, &taken);
    receipt.map_err(|refusal| Refused { refusal, id: Some(taken.id) })
}

async fn report_status(
    rooms: &Rooms,
    permit: MayExchange,
    report: Option<proto::SignedDocument>,
) -> Result<proto::StatusReceipt, Refused> {
    let content = signed::report_from_proto(report)?;
    let taken = rooms.ingress.status(permit, content).await?;
    let proof = rooms.evidence.proof(taken.position);
    let proof = proof
        .map_err(|error| Refused { refusal: present::unreadable(&error), id: Some(taken.id) })?;
    Ok(proto::StatusReceipt {
        reporter: taken.from.to_string(),
        id: bytes::Bytes::copy_from_slice(taken.id.as_bytes()),
        position: taken.position.0,
        received_at: Some(moment::to_proto(taken.received_at)),
        sha256: bytes::Bytes::copy_from_slice(taken.digest.as_bytes()),
        repeated: taken.repeated,
        proof: Some(proof),
        changes: present::outcomes(
            taken.change.as_deref(),
            &rooms.reader.directory(),
            taken.received_at,
        ),
    })
}

async fn pull(
    rooms: &Rooms,
    permit: MayExchange,
    agency: &str,
    max: u32,
) -> Result<Vec<proto::Delivery>, Refusal> {
    let directory = rooms.reader.directory();
    let recipient = served(permit, &directory, agency, "agency", rooms.clock.now())?;
    let max = if max == 0 { PULL_MAX } else { (max as usize).min(PULL_MAX) };
    let pushes = rooms.egress.pull(recipient, max).await?;
    let load = |push| present::delivery(&rooms.reader, push);
    Ok(streams::within_a_message(pushes, &rooms.egress, load).await)
}

fn track(
    rooms: &Rooms,
    permit: MayExchange,
    sender: &str,
    id: MessageId,
) -> Result<proto::TrackedDocument, Refusal> {
    let sender = AgencyCode::parse(sender)
        .map_err(|error| Refusal::at(Reason::FieldInvalid, "sender", error))?;
    let directory = rooms.reader.directory();
    let caller = permit.0.agency;
    let (query, now) = (rooms.reader.query(), rooms.clock.now());
    let unreadable = |error| present::unreadable(&error);
    let view = query
        .track_as(&directory, caller, &sender, &id, now)
        .map_err(unreadable)?
        .ok_or_else(|| Refusal::at(Reason::DocumentUnknown, "id", id))?;
    let sender = directory.agency(view.document.sender);
    let progress = match sender.is_some_and(|sender| directory.serves(caller, sender, now)) {
        true => Some(query.progress(view.position, &view.document).map_err(unreadable)?),
        false => None,
    };
    Ok(present::tracked(&view, progress, &directory))
}

/// What became of acknowledgements.
pub(super) struct Settled {
    pub acknowledged: Vec<proto::DeliveryKey>,
    pub refused: Vec<(proto::DeliveryKey, Refusal)>,
    /// Those that are no longer in flight, by ordinal: `acknowledged`, and what was taken back.
    pub keys: Vec<(Ordinal, Position)>,
}

impl Settled {
    fn refuse(&mut self, key: proto::DeliveryKey, reason: Reason) {
        let refusal = Refusal::at(reason, "key.position", key.position);
        self.refused.push((key, refusal));
    }
}

/// Acknowledges deliveries; on return that is on disk.
pub(super) async fn acknowledge(
    rooms: &Rooms,
    permit: MayExchange,
    keys: Vec<proto::DeliveryKey>,
    attempts: impl Fn(&DeliveryKey) -> u32,
) -> Result<Settled, Refusal> {
    if keys.len() > PULL_MAX {
        let value = format!("{}, at most {PULL_MAX}", keys.len());
        return Err(Refusal::at(Reason::ContentTooLarge, "keys", value));
    }
    let mut settled = Settled { acknowledged: Vec::new(), refused: Vec::new(), keys: Vec::new() };
    let (mut known, mut deliveries) = (Vec::new(), Vec::new());
    let directory = rooms.reader.directory();
    for key in keys {
        match served(permit, &directory, &key.recipient, "key.recipient", rooms.clock.now()) {
            Ok(recipient) => {
                let delivery = DeliveryKey { recipient, position: Position(key.position) };
                let attempts = attempts(&delivery);
                deliveries.push(AcknowledgedDelivery { key: delivery, attempts });
                known.push(key);
            }
            Err(refusal) => settled.refused.push((key, refusal)),
        }
    }
    if deliveries.is_empty() {
        return Ok(settled);
    }
    let acknowledge = Acknowledge { caller: permit.0.agency, deliveries: deliveries.clone() };
    let decided = rooms.sequencer.propose(Proposal::Acknowledge(acknowledge)).await?;
    let Decision::Acknowledged(decided) = decided.decision else {
        return Err(Refusal::new(Reason::Stopped));
    };
    for ((key, delivery), outcome) in known.into_iter().zip(deliveries).zip(decided.outcomes) {
        match outcome {
            AcknowledgeOutcome::Counted | AcknowledgeOutcome::Repeated => {
                settled.keys.push((delivery.key.recipient, delivery.key.position));
                settled.acknowledged.push(key);
            }
            AcknowledgeOutcome::Unknown => settled.refuse(key, Reason::DocumentUnknown),
            AcknowledgeOutcome::TakenBack => {
                settled.keys.push((delivery.key.recipient, delivery.key.position));
                settled.refuse(key, Reason::DocumentTakenBack);
            }
            AcknowledgeOutcome::Replaced => {
                settled.keys.push((delivery.key.recipient, delivery.key.position));
                settled.refuse(key, Reason::DocumentReplaced);
            }
        }
    }
    Ok(settled)
}
