//! Receipts as they are kept and printed, and the evidence that anybody can check with the hub's
//! public key (docs/EVIDENCE.md).

use lienthong_client::{
    LeftOut, LogProof, ProvenLeaf, Receipt, RecipientRoute, StatusReceipt, Unproven,
};
use lienthong_model::{Revocation, SignedContent};
use lienthong_trust::dsse;
use lienthong_trust::merkle::entry::{LeafEntry, LeafKind};
use serde::{Deserialize, Serialize};

/// What proves that one document or report is in the hub's log; a file of it is stable.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Evidence {
    /// The place in the log.
    pub position: u64,
    /// The leaf's entry, in hex.
    pub entry: String,
    /// The inclusion proof, in hex, lowest first.
    pub proof: Vec<String>,
    /// The signed checkpoint that the proof leads to.
    pub checkpoint: String,
}

impl Evidence {
    /// What a receipt proves about the document sent; `None` from a hub of an older version.
    ///
    /// # Errors
    /// [`Unproven::Content`] when the receipt is about other bytes.
    pub fn of(receipt: &Receipt, sent: &SignedContent) -> Result<Option<Self>, Unproven> {
        let Some(proof) = &receipt.proof else { return Ok(None) };
        Ok(Some(Self::new(receipt.position.0, &receipt.entry(sent)?, proof)))
    }

    /// What a receipt proves about the report sent; `None` from a hub of an older version.
    pub fn of_report(receipt: &StatusReceipt, sent: &SignedContent) -> Option<Self> {
        let entry = LeafEntry {
            kind: LeafKind::Report,
            time: receipt.received_at,
            // The client has compared it with what was sent.
            content: receipt.sha256,
            signatures: dsse::signatures_digest(&sent.signatures),
        };
        Some(Self::new(receipt.position.0, &entry, receipt.proof.as_ref()?))
    }

    /// What was fetched.
    pub fn of_leaf(leaf: &ProvenLeaf) -> Self {
        Self::new(leaf.position, &leaf.entry, &leaf.proof)
    }

    fn new(position: u64, entry: &LeafEntry, proof: &LogProof) -> Self {
        Self {
            position,
            entry: hex::encode(entry.to_bytes()),
            proof: proof.hashes.iter().map(|hash| hex::encode(hash.as_bytes())).collect(),
            checkpoint: proof.checkpoint.clone(),
        }
    }
}

/// The receipt of a document, for programs.
#[derive(Debug, Clone, Serialize)]
pub struct ReceiptRecord {
    /// The sender.
    pub sender: String,
    /// The message's id.
    pub id: String,
    /// The place in the hub's log.
    pub position: u64,
    /// When the hub received it.
    pub received_at: String,
    /// SHA-256 of the DSSE bytes that were signed.
    pub sha256: String,
    /// Whether it is the first receipt again.
    pub repeated: bool,
    /// Which signatures it bears.
    pub signature: &'static str,
    /// `proven` or `not-proven`: whether it was proven, when it was accepted, that no certificate
    /// was revoked; none from an older hub.
    pub revocation: Option<&'static str>,
    /// How many recipients it has, lists resolved.
    pub recipients: u32,
    /// How each recipient is reached; empty when there are more than 256.
    pub routes: Vec<RouteRecord>,
    /// Agencies of lists that were left out; the first 256.
    pub left_out: Vec<LeftOutRecord>,
    /// How many agencies of lists were left out.
    pub left_out_total: u32,
    /// What `lienthong evidence verify` and others check; none from an older hub.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub evidence: Option<Evidence>,
}

/// How a recipient is reached.
#[derive(Debug, Clone, Serialize)]
pub struct RouteRecord {
    /// The recipient.
    pub code: String,
    /// `own-node`, `gateway` or `held`.
    pub route: &'static str,
    /// The agency whose node serves it.
    pub gateway: Option<String>,
}

/// An agency of a list that does not get the document.
#[derive(Debug, Clone, Serialize)]
pub struct LeftOutRecord {
    /// The agency.
    pub code: String,
    /// The stable code of why.
    pub reason: String,
}

/// The receipt of a status report, for programs.
#[derive(Debug, Clone, Serialize)]
pub struct ReportReceiptRecord {
    /// The reporting agency.
    pub reporter: String,
    /// The report's id.
    pub id: String,
    /// The place in the hub's log.
    pub position: u64,
    /// When the hub received it.
    pub received_at: String,
    /// SHA-256 of the DSSE bytes that were signed.
    pub sha256: String,
    /// Whether it is the first receipt again.
    pub repeated: bool,
    /// What `lienthong evidence verify` and others check; none from an older hub.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub evidence: Option<Evidence>,
}

impl ReceiptRecord {
    /// Makes the record of a receipt, without evidence.
    pub fn of(receipt: &Receipt) -> Self {
        let route = |route: &RecipientRoute| RouteRecord {
            code: route.code.to_string(),
            route: route.route.name(),
            gateway: route.route.gateway().map(ToString::to_string),
        };
        let left_out = |left: &LeftOut| LeftOutRecord {
            code: left.code.to_string(),
            reason: left.reason.clone(),
        };
        Self {
            sender: receipt.sender.to_string(),
            id: receipt.id.to_string(),
            position: receipt.position.0,
            received_at: receipt.received_at.to_string(),
            sha256: receipt.sha256.to_string(),
            repeated: receipt.repeated,
            signature: receipt.signature.name(),
            revocation: receipt.revocation.map(Revocation::name),
            recipients: receipt.recipients,
            routes: receipt.routes.iter().map(route).collect(),
            left_out: receipt.left_out.iter().map(left_out).collect(),
            left_out_total: receipt.left_out_total,
            evidence: None,
        }
    }
}

impl ReportReceiptRecord {
    /// Makes the record of a receipt with its evidence.
    pub fn of(receipt: &StatusReceipt, sent: &SignedContent) -> Self {
        Self {
            reporter: receipt.reporter.to_string(),
            id: receipt.id.to_string(),
            position: receipt.position.0,
            received_at: receipt.received_at.to_string(),
            sha256: receipt.sha256.to_string(),
            repeated: receipt.repeated,
            evidence: Evidence::of_report(receipt, sent),
        }
    }
}
