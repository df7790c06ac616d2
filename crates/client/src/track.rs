//! What became of a document.

use lienthong_model::{
    AgencyCode, Digest, DocumentType, MessageId, Position, Revocation, StatusCode, Timestamp,
    Urgency,
};
use lienthong_trust::SignatureKind;
use lienthong_wire::{proto, urgency_from_proto};

use crate::change::{
    ActsOn, ChangeMessage, DeliveryMark, DocumentMention, NegativeAcknowledgements,
};
use crate::client::Client;
use crate::error::CallError;
use crate::read;
use crate::receipt::Route;

/// A document and its deliveries.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TrackedDocument {
    /// The sender's code as written in the document.
    pub sender: AgencyCode,
    /// The message's id.
    pub id: MessageId,
    /// The place in the hub's log.
    pub position: Position,
    /// When the hub received it, in business time.
    pub received_at: Timestamp,
    /// SHA-256 of the DSSE bytes that were signed.
    pub sha256: Digest,
    /// Which signatures it bears.
    pub signature: SignatureKind,
    /// What the document is about.
    pub subject: String,
    /// The document's reference as written.
    pub reference: String,
    /// How urgent it is.
    pub urgency: Urgency,
    /// The administrative type.
    pub document_type: DocumentType,
    /// When the signer says it was signed.
    pub signed_at: Timestamp,
    /// When an answer is due.
    pub due: Option<Timestamp>,
    /// The deliveries that the caller may see, in the order of the recipients; at most 1,000.
    pub deliveries: Vec<TrackedDelivery>,
    /// Whether it is proven that none of its certificates was revoked when the hub received it;
    /// `None` from a hub of an older version.
    pub revocation: Option<Revocation>,
    /// For a new document whose reference its sender had used before: the first document with it.
    pub same_reference: Option<DocumentMention>,
    /// For a recall, an update or a replacement: what it acts on.
    pub acts_on: Option<ActsOn>,
    /// The last recall, update or replacement of it.
    pub changed: Option<ChangeMessage>,
    /// How many recipients it has, lists resolved; 0 when the caller may not see all of them.
    pub recipients: u32,
    /// How many of them do not have it in their mailboxes yet: the fan-out is under way.
    pub recipients_pending: u32,
}

/// One delivery and what was reported on it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TrackedDelivery {
    /// The recipient's code.
    pub recipient: AgencyCode,
    /// How it is reached.
    pub route: Route,
    /// When the recipient acknowledged it; `None` while it has not: queued is not delivered.
    pub acknowledged_at: Option<Timestamp>,
    /// Attempts that the acknowledgement records; 0 before it.
    pub attempts: u32,
    /// What was reported, in the order of receipt.
    pub statuses: Vec<TrackedStatus>,
    /// What the document is to this recipient; `None` while it stands as it was sent.
    pub mark: Option<DeliveryMark>,
    /// What its sender asks and this recipient has not answered.
    pub asked: Option<ChangeMessage>,
    /// What the recipient may report next.
    pub open: Vec<StatusCode>,
    /// That the recipient's node could not take it; `None` when it never said so.
    pub negative: Option<NegativeAcknowledgements>,
}

/// One status that was reported.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TrackedStatus {
    /// What was reported.
    pub code: StatusCode,
    /// When the hub received the report, in business time.
    pub at: Timestamp,
    /// The reason or description given.
    pub reason: String,
    /// The report's place in the hub's log.
    pub position: Position,
}

impl Client {
    /// Asks what became of a document. Its sender sees every delivery, a recipient its own.
    ///
    /// # Errors
    /// [`CallError`]; DOCUMENT_UNKNOWN when there is none or it is not the caller's to see.
    pub async fn track(
        &self,
        sender: &AgencyCode,
        id: MessageId,
    ) -> Result<TrackedDocument, CallError> {
        let request = proto::TrackDocumentRequest {
            sender: sender.to_string(),
            id: bytes::Bytes::copy_from_slice(id.as_bytes()),
        };
        let call = || {
            let (mut exchange, request) = (self.shared.exchange(), request.clone());
            async move { Ok(exchange.track_document(request).await?.into_inner()) }
        };
        let answer = self.shared.call(call).await?;
        TrackedDocument::read(read::present("document", answer.document)?)
    }
}

impl TrackedDocument {
    fn read(document: proto::TrackedDocument) -> Result<Self, CallError> {
        let deliveries = document.deliveries.into_iter().map(TrackedDelivery::read);
        Ok(Self {
            sender: read::code("document.sender", &document.sender)?,
            id: read::id("document.id", &document.id)?,
            position: Position(document.position),
            received_at: read::moment("document.received_at", document.received_at.as_ref())?,
            sha256: read::digest("document.sha256", &document.sha256)?,
            signature: read::signature("document.signature", document.signature)?,
            subject: document.subject,
            reference: document.reference,
            urgency: urgency_from_proto(document.urgency, "document.urgency")
                .map_err(|refusal| CallError::answer("document.urgency", refusal))?,
            document_type: document_type(document.document_type)?,
            signed_at: read::moment("document.signed_at", document.signed_at.as_ref())?,
            due: read::optional_moment("document.due", document.due.as_ref())?,
            deliveries: deliveries.collect::<Result<_, _>>()?,
            revocation: read::revocation("document.revocation", document.revocation)?,
            same_reference: document.same_reference.map(DocumentMention::read).transpose()?,
            acts_on: document.acts_on.map(ActsOn::read).transpose()?,
            changed: document.changed.map(ChangeMessage::read).transpose()?,
            recipients: document.recipients,
            recipients_pending: document.recipients_pending,
        })
    }
}

impl TrackedDelivery {
    fn read(delivery: proto::TrackedDelivery) -> Result<Self, CallError> {
        let at = delivery.acknowledged_at.as_ref();
        let statuses = delivery.statuses.into_iter().map(TrackedStatus::read);
        let open = delivery.open_statuses.into_iter();
        let open = open.map(|number| read::status("deliveries.open_statuses", number));
        Ok(Self {
            recipient: read::code("deliveries.recipient", &delivery.recipient)?,
            route: Route::read("deliveries.route", delivery.route, &delivery.gateway)?,
            acknowledged_at: read::optional_moment("deliveries.acknowledged_at", at)?,
            attempts: delivery.attempts,
            statuses: statuses.collect::<Result<_, _>>()?,
            mark: delivery.mark.map(DeliveryMark::read).transpose()?,
            asked: delivery.asked.map(ChangeMessage::read).transpose()?,
            open: open.collect::<Result<_, _>>()?,
            negative: delivery.negative.map(NegativeAcknowledgements::read).transpose()?,
        })
    }
}

impl TrackedStatus {
    fn read(status: proto::TrackedStatus) -> Result<Self, CallError> {
        Ok(Self {
            code: read::status("statuses.code", status.code)?,
            at: read::moment("statuses.at", status.at.as_ref())?,
            reason: status.reason,
            position: Position(status.position),
        })
    }
}

fn document_type(number: u32) -> Result<DocumentType, CallError> {
    u8::try_from(number)
        .ok()
        .and_then(DocumentType::from_number)
        .ok_or_else(|| CallError::answer("document.document_type", number))
}
