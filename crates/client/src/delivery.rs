//! Deliveries, and taking them one call at a time.

use std::time::Duration;

use lienthong_model::limits::PULL_MAX;
use lienthong_model::{AgencyCode, Position, Refusal, Revocation, SignedContent, Timestamp};
use lienthong_trust::SignatureKind;
use lienthong_wire::proto::{self, subscribe_request as asked, subscribe_response as said};
use lienthong_wire::{moment, signed};
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Status, Streaming};

use crate::change::{ChangeMessage, DeliveryMark};
use crate::client::Client;
use crate::error::CallError;
use crate::read;
use crate::subscription::{Feed, Heard};

/// Names a delivery: one document for one recipient.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct DeliveryKey {
    /// The recipient's code, as the hub writes it.
    pub recipient: AgencyCode,
    /// The document's place in the hub's log.
    pub position: Position,
}

/// A document for one recipient. At least once: the same key may come again.
///
/// Nothing in it is proven until [`DocumentCheck::check`](crate::DocumentCheck::check) has said so.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delivery {
    /// Which delivery it is.
    pub key: DeliveryKey,
    /// When the hub received the document, in business time.
    pub received_at: Timestamp,
    /// Which attempt this is, from 1; counted anew when nobody has read the mailbox for a while, or
    /// the hub was restarted.
    pub attempt: u32,
    /// Which signatures it bears, as the hub says.
    pub signature: SignatureKind,
    /// The signed document, byte for byte as it was sent.
    pub signed: SignedContent,
    /// Whether it is proven that none of its certificates was revoked when the hub received it, as
    /// the hub says; `None` from a hub of an older version.
    pub revocation: Option<Revocation>,
    /// What the document is to this recipient by now, as the hub says; `None` while it stands as it
    /// was sent.
    pub mark: Option<DeliveryMark>,
    /// What its sender asks and this recipient has not answered (15, 16).
    pub asked: Option<ChangeMessage>,
}

/// Says that a delivery could not be taken now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NegativeAcknowledgement {
    /// Which.
    pub key: DeliveryKey,
    /// Why; at most 500 characters.
    pub reason: String,
    /// When it shall come again; `None`: as the hub sees fit.
    pub delay: Option<Duration>,
}

impl DeliveryKey {
    pub(crate) fn read(key: proto::DeliveryKey) -> Result<Self, CallError> {
        let recipient = read::code("key.recipient", &key.recipient)?;
        Ok(Self { recipient, position: Position(key.position) })
    }

    pub(crate) fn to_proto(&self) -> proto::DeliveryKey {
        proto::DeliveryKey { recipient: self.recipient.to_string(), position: self.position.0 }
    }
}

impl Delivery {
    pub(crate) fn read(delivery: proto::Delivery) -> Result<Self, CallError> {
        let recipient = read::code("delivery.recipient", &delivery.recipient)?;
        let received_at = read::moment("delivery.received_at", delivery.received_at.as_ref())?;
        let signature = read::signature("delivery.signature", delivery.signature)?;
        let revocation = read::revocation("delivery.revocation", delivery.revocation)?;
        let signed = signed::document_from_proto(delivery.document, delivery.attachments)
            .map_err(|refusal| CallError::answer("delivery.document", refusal))?;
        let key = DeliveryKey { recipient, position: Position(delivery.position) };
        Ok(Self {
            key,
            received_at,
            attempt: delivery.attempt,
            signature,
            signed,
            revocation,
            mark: delivery.mark.map(DeliveryMark::read).transpose()?,
            asked: delivery.asked.map(ChangeMessage::read).transpose()?,
        })
    }
}

impl Feed for Delivery {
    type Key = DeliveryKey;
    type Later = NegativeAcknowledgement;
    type Request = proto::SubscribeRequest;
    type Answer = proto::SubscribeResponse;

    async fn call(
        client: &Client,
        requests: ReceiverStream<Self::Request>,
    ) -> Result<Streaming<Self::Answer>, Status> {
        Ok(client.shared.exchange().subscribe(requests).await?.into_inner())
    }

    fn open(agencies: Vec<String>, credit: u32) -> Self::Request {
        request(asked::Request::Open(asked::Open { agencies, credit }))
    }

    fn credit(more: u32) -> Self::Request {
        request(asked::Request::Credit(asked::Credit { more }))
    }

    fn acknowledge(keys: &[DeliveryKey]) -> Self::Request {
        let keys = keys.iter().map(DeliveryKey::to_proto).collect();
        request(asked::Request::Acknowledge(asked::Acknowledge { keys }))
    }

    fn later(later: NegativeAcknowledgement) -> (DeliveryKey, Self::Request) {
        let negative = asked::NegativeAcknowledge {
            key: Some(later.key.to_proto()),
            reason: later.reason,
            delay: later.delay.map(moment::duration_to_proto),
        };
        (later.key, request(asked::Request::NegativeAcknowledge(negative)))
    }

    fn heard(answer: Self::Answer) -> Result<Heard<Self>, CallError> {
        let keys = |keys: Vec<proto::DeliveryKey>| {
            keys.into_iter().map(DeliveryKey::read).collect::<Result<_, _>>()
        };
        Ok(match answer.response {
            Some(said::Response::Opened(opened)) => Heard::Opened(opened.agencies),
            Some(said::Response::Delivery(delivery)) => Heard::Arrived(Self::read(delivery)),
            Some(said::Response::Acknowledged(said)) => Heard::Acknowledged(keys(said.keys)?),
            Some(said::Response::RefusedAcknowledgement(said)) => {
                Heard::Refused(keys(said.keys)?, read::refusal(said.refusal)?)
            }
            None => Heard::Other,
        })
    }

    fn key(&self) -> &DeliveryKey {
        &self.key
    }
}

fn request(request: asked::Request) -> proto::SubscribeRequest {
    proto::SubscribeRequest { request: Some(request) }
}

impl Client {
    /// Takes up to `max` (1 to 256) documents out of one mailbox; none when it is empty. Each is
    /// kept from other consumers for 60 seconds; whatever is not acknowledged by then comes again.
    ///
    /// # Errors
    /// [`CallError`] as for every call.
    pub async fn pull(&self, agency: &AgencyCode, max: usize) -> Result<Vec<Delivery>, CallError> {
        let deliveries_max = u32::try_from(max.clamp(1, PULL_MAX)).unwrap_or(1);
        let request = proto::PullDocumentsRequest { agency: agency.to_string(), deliveries_max };
        let call = || {
            let (mut exchange, request) = (self.shared.exchange(), request.clone());
            async move { Ok(exchange.pull_documents(request).await?.into_inner()) }
        };
        let answer = self.shared.call(call).await?;
        answer.deliveries.into_iter().map(Delivery::read).collect()
    }

    /// Says that deliveries are on the recipients' own disks; on return the hub has that on its
    /// disk. To repeat it changes nothing. Returns those that the hub does not take, with the
    /// reason.
    ///
    /// # Errors
    /// [`CallError`] as for every call; of several hundred keys some may then be taken.
    pub async fn acknowledge(
        &self,
        keys: &[DeliveryKey],
    ) -> Result<Vec<(DeliveryKey, Refusal)>, CallError> {
        let mut refused = Vec::new();
        for some in keys.chunks(PULL_MAX) {
            let keys = some.iter().map(DeliveryKey::to_proto).collect();
            let request = proto::AcknowledgeDocumentsRequest { keys };
            let call = || {
                let (mut exchange, request) = (self.shared.exchange(), request.clone());
                async move { Ok(exchange.acknowledge_documents(request).await?.into_inner()) }
            };
            for one in self.shared.call(call).await?.refused {
                let key = DeliveryKey::read(read::present("refused.key", one.key)?)?;
                refused.push((key, read::refusal(one.refusal)?));
            }
        }
        Ok(refused)
    }
}
