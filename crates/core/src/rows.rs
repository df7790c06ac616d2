//! The rows of the state. Field numbers are stable; see [`crate::keys`] for where each stands.

use lienthong_model::{
    Digest, DocumentType, MessageId, Ordinal, Position, Reference, StatusCode, Timestamp, Urgency,
};
use lienthong_trust::judge::Serial;
use lienthong_trust::{AuthorityId, SignatureKind};
use minicbor::{Decode, Encode};

use crate::routing::Route;

/// `bytes::Bytes` as a CBOR byte string.
pub(crate) mod shared_bytes {
    use bytes::Bytes;
    use minicbor::decode::{Decoder, Error};
    use minicbor::encode::{Encoder, Write};

    pub fn encode<C, W: Write>(
        value: &Bytes,
        encoder: &mut Encoder<W>,
        _: &mut C,
    ) -> Result<(), minicbor::encode::Error<W::Error>> {
        encoder.bytes(value)?.ok()
    }

    pub fn decode<C>(decoder: &mut Decoder<'_>, _: &mut C) -> Result<Bytes, Error> {
        decoder.bytes().map(Bytes::copy_from_slice)
    }
}

/// The head: where the log stands.
#[derive(Debug, Clone, PartialEq, Encode, Decode)]
pub(crate) struct HeadRow {
    #[n(0)]
    pub block: u64,
    #[n(1)]
    pub hash: Digest,
    #[n(2)]
    pub time: Timestamp,
    #[n(3)]
    pub next_position: Position,
}

/// Who has used an id, and for what.
#[derive(Debug, Clone, PartialEq, Encode, Decode)]
pub(crate) struct IdRow {
    #[n(0)]
    pub position: Position,
    #[n(1)]
    pub digest: Digest,
    /// For a report: the delivery that it is about.
    #[n(2)]
    pub report_on: Option<crate::command::DeliveryKey>,
}

/// An accepted document: what is asked of it without reading its content.
#[derive(Debug, Clone, PartialEq, Encode, Decode)]
pub struct DocumentRow {
    /// Its id.
    #[n(0)]
    pub id: MessageId,
    /// Its sender.
    #[n(1)]
    pub sender: Ordinal,
    /// When the hub accepted it.
    #[n(2)]
    pub received_at: Timestamp,
    /// SHA-256 of the DSSE bytes.
    #[n(3)]
    pub digest: Digest,
    /// The journal's block that holds it.
    #[n(4)]
    pub block: u64,
    /// Its entry in that block, from 0.
    #[n(5)]
    pub entry: u32,
    /// Which signatures count.
    #[n(6)]
    pub signature: SignatureKind,
    /// Identity of the document.
    #[n(7)]
    pub reference: Reference,
    /// What it is about.
    #[n(8)]
    pub subject: String,
    /// Its type.
    #[n(9)]
    pub document_type: DocumentType,
    /// How urgent it is.
    #[n(10)]
    pub urgency: Urgency,
    /// When its signer says it was signed.
    #[n(11)]
    pub signed_at: Timestamp,
    /// When an answer is due.
    #[n(12)]
    pub due: Option<Timestamp>,
    /// How many recipients it has.
    #[n(13)]
    pub recipients: u32,
    /// Issuers whose revocation lists have not proven yet that nothing was revoked.
    #[cbor(n(14), with = "crate::codec::sparse", has_nil)]
    pub unproven: Vec<AuthorityId>,
    /// When a revocation list that came later said that a certificate had been revoked before
    /// receipt.
    #[n(15)]
    pub found_revoked: Option<Timestamp>,
}

/// Something accepted whose revocation is not proven by one issuer.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub(crate) struct UnprovenRow {
    #[n(0)]
    pub received_at: Timestamp,
    /// The certificates of the issuer.
    #[n(1)]
    pub serials: Vec<Serial>,
}

impl DocumentRow {
    /// Returns what is known of its certificates' revocation.
    pub fn revocation(&self) -> Revocation {
        match (self.found_revoked.is_some(), self.unproven.is_empty()) {
            (true, _) => Revocation::FoundRevoked,
            (false, false) => Revocation::NotProven,
            (false, true) => Revocation::Proven,
        }
    }
}

/// What is known of the revocation of a document's certificates.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Revocation {
    /// None was revoked before receipt.
    Proven,
    /// It was accepted in the grace; a revocation list is awaited.
    NotProven,
    /// It was accepted in the grace, and a list that came later says that one had been revoked.
    FoundRevoked,
}

/// One document for one recipient.
#[derive(Debug, Clone, PartialEq, Encode, Decode)]
pub struct DeliveryRow {
    /// How the recipient is reached.
    #[n(0)]
    pub route: Route,
    /// When its node had it on its own disk.
    #[n(1)]
    pub acknowledged_at: Option<Timestamp>,
    /// How often the hub had pushed it by then.
    #[n(2)]
    pub attempts: u32,
    /// What was reported on it, in order; at most
    /// [`lienthong_model::limits::STATUSES_PER_DELIVERY_MAX`].
    #[n(3)]
    pub statuses: Vec<StatusLine>,
}

/// One report on a delivery.
#[derive(Debug, Clone, PartialEq, Encode, Decode)]
pub struct StatusLine {
    /// What was reported.
    #[n(0)]
    pub code: StatusCode,
    /// When the hub accepted the report.
    #[n(1)]
    pub at: Timestamp,
    /// The report's place in the log.
    #[n(2)]
    pub position: Position,
    /// Why, or what is being done; cut at 200 characters (the whole is in the journal).
    #[n(3)]
    pub reason: String,
}

impl DeliveryRow {
    /// Returns a delivery that nothing was heard of.
    pub(crate) fn new(route: Route) -> Self {
        Self { route, acknowledged_at: None, attempts: 0, statuses: Vec::new() }
    }

    /// Returns the statuses that the recipient may report next; none once it has refused or
    /// finished.
    ///
    /// ```text
    ///   (nothing) ──▶ 01 ──▶ 02 refused, end
    ///       │          └───▶ 03 ──▶ 04 ──▶ 05 ⟲ ──▶ 06 finished, end
    ///       └──▶ 02 or 03 without 01; 04 and 05 may be left out, 04 may follow 05
    /// ```
    pub fn open_statuses(&self) -> &'static [StatusCode] {
        use StatusCode::{Accepted, Arrived, Assigned, Finished, Processing, Refused};
        match self.statuses.last().map(|line| line.code) {
            None => &[Arrived, Refused, Accepted],
            Some(Arrived) => &[Refused, Accepted],
            Some(Accepted | Assigned | Processing) => &[Assigned, Processing, Finished],
            Some(Refused | Finished) => &[],
            Some(
                StatusCode::RecallRequested | StatusCode::ChangeAgreed | StatusCode::ChangeRefused,
            ) => &[],
        }
    }
}
