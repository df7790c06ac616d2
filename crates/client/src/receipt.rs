//! Receipts: what the hub says of something that it accepted, checked against what was sent.

use lienthong_model::{
    AgencyCode, Digest, MessageId, Position, Reason, Revocation, SignedContent, Timestamp,
};
use lienthong_trust::{SignatureKind, dsse};
use lienthong_wire::proto;

use crate::change::{ChangeOutcome, DocumentMention};
use crate::error::CallError;
use crate::evidence::LogProof;
use crate::read;

/// An accepted document. It is on the hub's disk.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Receipt {
    /// The sender's code as written in the document.
    pub sender: AgencyCode,
    /// The message's id.
    pub id: MessageId,
    /// The place in the hub's log.
    pub position: Position,
    /// When the hub received it, in business time.
    pub received_at: Timestamp,
    /// SHA-256 of the DSSE bytes that were signed; it was compared with what was sent.
    pub sha256: Digest,
    /// Whether this is the first receipt again.
    pub repeated: bool,
    /// Which signatures it bears.
    pub signature: SignatureKind,
    /// How each recipient is reached, lists resolved; empty when there are more than 256.
    pub routes: Vec<RecipientRoute>,
    /// Agencies of lists that were left out; the first 256.
    pub left_out: Vec<LeftOut>,
    /// How many recipients it has, lists resolved.
    pub recipients: u32,
    /// How many agencies of lists were left out.
    pub left_out_total: u32,
    /// What shows anybody that it was accepted; `None` from a hub of an older version. Made anew in a
    /// repeated receipt.
    pub proof: Option<LogProof>,
    /// Whether it was proven, when it was accepted, that none of its certificates was revoked;
    /// `None` from a hub of an older version.
    pub revocation: Option<Revocation>,
    /// For a new document whose reference its sender had used before: the first document with it.
    pub same_reference: Option<DocumentMention>,
    /// For a recall, an update or a replacement: what it means for each recipient of the document
    /// acted on.
    pub changes: Vec<ChangeOutcome>,
}

/// How a recipient is reached.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecipientRoute {
    /// The recipient's code.
    pub code: AgencyCode,
    /// How.
    pub route: Route,
}

/// How an agency is reached.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Route {
    /// By its own node.
    OwnNode,
    /// By the node of another agency, which serves it.
    Gateway(AgencyCode),
    /// Not connected yet: its mailbox fills.
    Held,
}

/// An agency of a list that does not get the document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LeftOut {
    /// The agency's code.
    pub code: AgencyCode,
    /// The stable code of why.
    pub reason: String,
}

/// An accepted status report. It is on the hub's disk.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StatusReceipt {
    /// The reporting agency's code as written in the report.
    pub reporter: AgencyCode,
    /// The report's id.
    pub id: MessageId,
    /// The place in the hub's log.
    pub position: Position,
    /// When the hub received it, in business time.
    pub received_at: Timestamp,
    /// SHA-256 of the DSSE bytes that were signed; it was compared with what was sent.
    pub sha256: Digest,
    /// Whether this is the first receipt again.
    pub repeated: bool,
    /// What shows anybody that it was accepted; `None` from a hub of an older version. Made anew in a
    /// repeated receipt.
    pub proof: Option<LogProof>,
    /// For a request to take a document back (13): what it means for each recipient.
    pub changes: Vec<ChangeOutcome>,
}

fn changes(outcomes: Vec<proto::ChangeOutcome>) -> Result<Vec<ChangeOutcome>, CallError> {
    outcomes.into_iter().map(ChangeOutcome::read).collect()
}

impl RecipientRoute {
    pub(crate) fn read(route: proto::RecipientRoute) -> Result<Self, CallError> {
        Ok(Self {
            code: read::code("routes.code", &route.code)?,
            route: Route::read("routes.route", route.route, &route.gateway)?,
        })
    }
}

impl LeftOut {
    pub(crate) fn read(left: proto::LeftOut) -> Result<Self, CallError> {
        Ok(Self { code: read::code("left_out.code", &left.code)?, reason: left.reason })
    }

    /// Returns the reason, when this version knows it.
    pub fn known_reason(&self) -> Option<Reason> {
        Reason::ALL.iter().copied().find(|reason| reason.code() == self.reason)
    }
}

impl Route {
    /// Returns the name for programs.
    pub fn name(&self) -> &'static str {
        match self {
            Self::OwnNode => "own-node",
            Self::Gateway(_) => "gateway",
            Self::Held => "held",
        }
    }

    /// Returns the agency whose node serves it, when another's does.
    pub fn gateway(&self) -> Option<&AgencyCode> {
        match self {
            Self::Gateway(gateway) => Some(gateway),
            Self::OwnNode | Self::Held => None,
        }
    }

    pub(crate) fn read(field: &'static str, number: i32, gateway: &str) -> Result<Self, CallError> {
        match proto::Route::try_from(number) {
            Ok(proto::Route::OwnNode) => Ok(Self::OwnNode),
            Ok(proto::Route::Gateway) => read::code(field, gateway).map(Self::Gateway),
            Ok(proto::Route::Held) => Ok(Self::Held),
            Ok(proto::Route::Unspecified) | Err(_) => Err(CallError::answer(field, number)),
        }
    }
}

impl Receipt {
    pub(crate) fn read(receipt: proto::Receipt) -> Result<Self, CallError> {
        // An older hub only names them.
        let named = u32::try_from(receipt.routes.len()).unwrap_or(u32::MAX);
        Ok(Self {
            sender: read::code("receipt.sender", &receipt.sender)?,
            id: read::id("receipt.id", &receipt.id)?,
            position: Position(receipt.position),
            received_at: read::moment("receipt.received_at", receipt.received_at.as_ref())?,
            sha256: read::digest("receipt.sha256", &receipt.sha256)?,
            repeated: receipt.repeated,
            recipients: receipt.recipients.max(named),
            left_out_total: receipt.left_out_total,
            signature: read::signature("receipt.signature", receipt.signature)?,
            routes: receipt
                .routes
                .into_iter()
                .map(RecipientRoute::read)
                .collect::<Result<_, _>>()?,
            left_out: receipt.left_out.into_iter().map(LeftOut::read).collect::<Result<_, _>>()?,
            proof: receipt.proof.map(LogProof::read).transpose()?,
            revocation: read::revocation("receipt.revocation", receipt.revocation)?,
            same_reference: receipt.same_reference.map(DocumentMention::read).transpose()?,
            changes: changes(receipt.changes)?,
        })
    }
}

impl StatusReceipt {
    pub(crate) fn read(receipt: proto::StatusReceipt) -> Result<Self, CallError> {
        Ok(Self {
            reporter: read::code("receipt.reporter", &receipt.reporter)?,
            id: read::id("receipt.id", &receipt.id)?,
            position: Position(receipt.position),
            received_at: read::moment("receipt.received_at", receipt.received_at.as_ref())?,
            sha256: read::digest("receipt.sha256", &receipt.sha256)?,
            repeated: receipt.repeated,
            proof: receipt.proof.map(LogProof::read).transpose()?,
            changes: changes(receipt.changes)?,
        })
    }
}

/// Whether a receipt is about what was sent.
///
/// # Errors
/// [`CallError::Answer`] when the digests differ.
pub(crate) fn matches(sha256: Digest, sent: &SignedContent) -> Result<(), CallError> {
    let own = dsse::content_digest(&sent.content_type, &sent.content);
    if own == sha256 {
        return Ok(());
    }
    Err(CallError::answer("receipt.sha256", format_args!("{sha256}, sent was {own}")))
}
