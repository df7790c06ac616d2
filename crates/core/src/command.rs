//! Commands and decisions, in the form in which the journal keeps them, and proposals, in the form
//! in which they come in.
//!
//! Stable: variants and fields are numbered, new ones are added at the end, none is reused.

use std::collections::HashSet;

use bytes::Bytes;
use lienthong_model::{
    Actor, AgencyEntry, Appointment, AttachmentHeader, Digest, Fingerprint, Header, Mandate,
    MessageId, Ordinal, Position, Quota, Reason, Refusal, Signatory, StatusHeader,
};
use lienthong_trust::{
    AuthorityId, SignatureKind, StatusSubmission, Submission, Unproven, Verified,
};
use minicbor::{Decode, Encode};

use crate::directory::Place;
use crate::quotas::Used;
use crate::routing::{Route, RoutingRules};
use crate::trust_store::RevocationPolicy;

/// A command and what was decided on it.
#[derive(Debug, Clone, PartialEq, Encode, Decode)]
pub struct Entry {
    /// What was asked.
    #[n(0)]
    pub command: Command,
    /// What was decided; replay takes it over.
    #[n(1)]
    pub decision: Decision,
}

/// What the journal keeps of a request.
#[derive(Debug, Clone, PartialEq, Encode, Decode)]
pub enum Command {
    /// A document that was accepted.
    #[n(1)]
    Submit(#[n(0)] Box<Submit>),
    /// A status report that was accepted.
    #[n(2)]
    Report(#[n(0)] Box<Report>),
    /// Recipients' nodes have documents on their own disks.
    #[n(3)]
    Acknowledge(#[n(0)] Acknowledge),
    /// Refusals: of ingress and of judgement, one or several added up.
    #[n(4)]
    Refused {
        /// What was refused.
        #[n(0)]
        requests: RefusedRequests,
        /// The caller's province at the time; none for the centre.
        #[n(1)]
        province: Option<Ordinal>,
    },
    /// A whole directory, kept as a payload.
    #[n(5)]
    ImportDirectory(#[n(0)] ImportDirectory),
    /// Some entries of the directory.
    #[n(6)]
    ChangeDirectory(#[n(0)] Vec<AgencyEntry>),
    /// A root that is trusted from now on, or an authority below one that is known from now on.
    #[n(7)]
    AddAuthority(#[n(0)] AddAuthority),
    /// A revocation list, kept as a payload.
    #[n(8)]
    AddRevocationList(#[n(0)] AddRevocationList),
    /// The routing rules in force from now on.
    #[n(9)]
    SetRoutingRules(#[n(0)] RoutingRules),
    /// Who may sign for agencies, from one day until another.
    #[n(10)]
    ChangeMandates(#[n(0)] Vec<Mandate>),
    /// What is done while it is not known whether a certificate was revoked.
    #[n(11)]
    SetRevocationPolicy(#[n(0)] RevocationPolicy),
    /// A revocation list settles what was accepted before it was there.
    #[n(12)]
    SettleRevocation(#[n(0)] SettleRevocation),
    /// Who operates and administers the hub.
    #[n(13)]
    ChangeAppointments(#[n(0)] Vec<Appointment>),
    /// How much agencies may send.
    #[n(14)]
    ChangeQuotas(#[n(0)] Vec<Quota>),
    /// An act of administration by a person.
    #[n(15)]
    Act {
        /// Who.
        #[n(0)]
        by: Actor,
        /// What; not an act by a person again.
        #[n(1)]
        act: Box<Command>,
    },
}

/// An accepted document.
#[derive(Debug, Clone, PartialEq, Encode, Decode)]
pub struct Submit {
    /// Whose connection brought it: the sender's or its gateway's.
    #[n(0)]
    pub caller: Ordinal,
    /// What the signed bytes say.
    #[n(1)]
    pub header: Header,
    /// The bytes and who signed them.
    #[n(2)]
    pub signed: SignedRecord,
}

impl Submit {
    /// Returns the attachments that did not travel beside the content: each was uploaded before and
    /// is the payload of its digest.
    pub fn uploaded(&self) -> impl Iterator<Item = &AttachmentHeader> {
        let beside: HashSet<&str> = self
            .signed
            .attachments
            .iter()
            .map(|attachment| attachment.content_id.as_str())
            .collect();
        let named = self.header.attachments.iter();
        named.filter(move |header| !beside.contains(header.content_id.as_str()))
    }
}

impl SignedRecord {
    /// Returns the payload files that hold its bytes, those of uploaded attachments left out.
    pub fn payloads(&self) -> impl Iterator<Item = Digest> {
        let beside = self.attachments.iter().map(|attachment| &attachment.bytes);
        std::iter::once(&self.content).chain(beside).filter_map(|stored| match stored {
            Stored::Inline(_) => None,
            Stored::Payload { digest, .. } => Some(*digest),
        })
    }
}

/// An accepted status report.
#[derive(Debug, Clone, PartialEq, Encode, Decode)]
pub struct Report {
    /// Whose connection brought it: the reporter's or its gateway's.
    #[n(0)]
    pub caller: Ordinal,
    /// What the signed bytes say.
    #[n(1)]
    pub header: StatusHeader,
    /// The bytes and who signed them.
    #[n(2)]
    pub signed: SignedRecord,
}

/// Signed bytes as the journal keeps them. Certificates are kept once, by fingerprint.
#[derive(Debug, Clone, PartialEq, Encode, Decode)]
pub struct SignedRecord {
    /// The content type.
    #[n(0)]
    pub content_type: String,
    /// The content.
    #[n(1)]
    pub content: Stored,
    /// Attachments that travelled beside it.
    #[n(2)]
    pub attachments: Vec<StoredAttachment>,
    /// SHA-256 of the DSSE bytes.
    #[n(3)]
    pub digest: Digest,
    /// SHA-256 of the signatures.
    #[n(4)]
    pub signatures_digest: Digest,
    /// The signatures and their signers' chains.
    #[n(5)]
    pub signatures: Vec<SignatureRecord>,
    /// Certificates (DER) that the journal did not have yet.
    #[n(6)]
    pub new_certificates: Vec<CertificateBytes>,
}

/// A certificate's DER.
#[derive(Debug, Clone, PartialEq, Encode, Decode)]
#[cbor(transparent)]
pub struct CertificateBytes(#[cbor(n(0), with = "crate::rows::shared_bytes")] pub Bytes);

/// One signature.
#[derive(Debug, Clone, PartialEq, Encode, Decode)]
pub struct SignatureRecord {
    /// The signer's certificate first, the root last.
    #[n(0)]
    pub chain: Vec<Fingerprint>,
    /// The signature.
    #[cbor(n(1), with = "crate::rows::shared_bytes")]
    pub value: Bytes,
}

/// Bytes in the record itself or in a payload file.
#[derive(Debug, Clone, PartialEq, Encode, Decode)]
pub enum Stored {
    /// In the record.
    #[n(0)]
    Inline(#[cbor(n(0), with = "crate::rows::shared_bytes")] Bytes),
    /// In a payload file that was on disk before the record was.
    #[n(1)]
    Payload {
        /// Its name.
        #[n(0)]
        digest: Digest,
        /// Its length in bytes.
        #[n(1)]
        size: u64,
    },
}

/// An attachment that travelled beside the content.
#[derive(Debug, Clone, PartialEq, Encode, Decode)]
pub struct StoredAttachment {
    /// The content id by which the document names it.
    #[n(0)]
    pub content_id: String,
    /// The bytes.
    #[n(1)]
    pub bytes: Stored,
}

/// An acknowledgement of several deliveries.
#[derive(Debug, Clone, PartialEq, Encode, Decode)]
pub struct Acknowledge {
    /// Whose connection brought it.
    #[n(0)]
    pub caller: Ordinal,
    /// The deliveries.
    #[n(1)]
    pub deliveries: Vec<AcknowledgedDelivery>,
}

/// One delivery that its recipient has on its own disk.
#[derive(Debug, Clone, Copy, PartialEq, Encode, Decode)]
pub struct AcknowledgedDelivery {
    /// Which delivery.
    #[n(0)]
    pub key: DeliveryKey,
    /// How often the hub had pushed it.
    #[n(1)]
    pub attempts: u32,
}

/// One document for one recipient.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Encode, Decode)]
pub struct DeliveryKey {
    /// The recipient.
    #[n(0)]
    pub recipient: Ordinal,
    /// The document.
    #[n(1)]
    pub position: Position,
}

/// Refusals of one caller.
#[derive(Debug, Clone, PartialEq, Encode, Decode)]
pub struct RefusedRequests {
    /// Who asked.
    #[n(0)]
    pub caller: Ordinal,
    /// The id that was claimed, when it could be read.
    #[n(1)]
    pub id: Option<MessageId>,
    /// SHA-256 of the DSSE bytes of the last one.
    #[n(2)]
    pub digest: Digest,
    /// Bytes of the last one.
    #[n(3)]
    pub size: u64,
    /// Refusals of the same caller before it that were not journalled one by one, added up.
    #[n(4)]
    pub added_up: Vec<RefusalCount>,
}

/// How often a reason occurred.
#[derive(Debug, Clone, Copy, PartialEq, Encode, Decode)]
pub struct RefusalCount {
    /// The reason.
    #[n(0)]
    pub reason: Reason,
    /// How often.
    #[n(1)]
    pub count: u32,
}

/// A directory to take over as a whole.
#[derive(Debug, Clone, PartialEq, Encode, Decode)]
pub struct ImportDirectory {
    /// What the importer calls it.
    #[n(0)]
    pub source: String,
    /// The payload: entries in the encoding of [`crate::codec`].
    #[n(1)]
    pub payload: Digest,
}

/// An authority's certificate.
#[derive(Debug, Clone, PartialEq, Encode, Decode)]
pub struct AddAuthority {
    /// Its DER.
    #[n(0)]
    pub certificate: CertificateBytes,
    /// Whether it is a root to be trusted.
    #[n(1)]
    pub trusted: bool,
}

/// A revocation list.
#[derive(Debug, Clone, PartialEq, Encode, Decode)]
pub struct AddRevocationList {
    /// The payload: its DER.
    #[n(0)]
    pub payload: Digest,
    /// The issuer's certificate.
    #[n(1)]
    pub issuer: Fingerprint,
}

/// What a revocation list settles.
#[derive(Debug, Clone, PartialEq, Encode, Decode)]
pub struct SettleRevocation {
    /// The issuer.
    #[n(0)]
    pub issuer: AuthorityId,
    /// The list's payload.
    #[n(1)]
    pub list: Digest,
    /// Documents and reports that rest on the issuer's certificates, at most
    /// [`lienthong_model::limits::SETTLED_PER_ENTRY_MAX`], by position.
    #[n(2)]
    pub positions: Vec<Position>,
}

/// What was decided on a command.
#[derive(Debug, Clone, PartialEq, Encode, Decode)]
pub enum Decision {
    /// The document is accepted.
    #[n(1)]
    Accepted(#[n(0)] Accepted),
    /// The same content was accepted before: its place. Never journalled.
    #[n(2)]
    Repeated(#[n(0)] Position),
    /// Declined.
    #[n(3)]
    Refused(#[n(0)] Refusal),
    /// The report is accepted.
    #[n(4)]
    Reported(#[n(0)] Reported),
    /// What became of each acknowledgement.
    #[n(5)]
    Acknowledged(#[n(0)] Acknowledged),
    /// An administrator's command is carried out.
    #[n(6)]
    Done,
    /// What the list says of each document or report, in their order.
    #[n(10)]
    Settled(#[n(0)] Vec<Settlement>),
}

/// What a revocation list says of something that was accepted before it was there. Numbers are
/// stable.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
#[cbor(index_only)]
pub enum Settlement {
    /// Nothing was revoked before it was received.
    #[n(1)]
    Proven,
    /// A certificate had been revoked before it was received.
    #[n(2)]
    Revoked,
}

/// How a document was accepted.
#[derive(Debug, Clone, PartialEq, Encode, Decode)]
pub struct Accepted {
    /// Its place in the log.
    #[n(0)]
    pub position: Position,
    /// The sender.
    #[n(1)]
    pub sender: Ordinal,
    /// Which signatures count.
    #[n(2)]
    pub signature: SignatureKind,
    /// Where it goes, in the sender's order.
    #[n(3)]
    pub deliveries: Vec<Delivery>,
    /// Where the sender stood: replay counts by it, whatever the directory says by then.
    #[n(4)]
    pub place: Place,
    /// Certificates of which it was not proven that they were not revoked, by issuer; none when all
    /// was proven.
    #[cbor(n(5), with = "crate::codec::sparse", has_nil)]
    pub unproven: Vec<Unproven>,
    /// What the sender has used of its daily quota with this document; none without such a quota.
    #[n(6)]
    pub used: Option<Used>,
}

/// One recipient and how it is reached.
#[derive(Debug, Clone, Copy, PartialEq, Encode, Decode)]
pub struct Delivery {
    /// The recipient.
    #[n(0)]
    pub recipient: Ordinal,
    /// How it is reached.
    #[n(1)]
    pub route: Route,
    /// Where the recipient stood: replay counts by it, whatever the directory says by then.
    #[n(2)]
    pub place: Place,
}

/// How a report was accepted.
#[derive(Debug, Clone, PartialEq, Encode, Decode)]
pub struct Reported {
    /// Its place in the log.
    #[n(0)]
    pub position: Position,
    /// The delivery that it is about.
    #[n(1)]
    pub delivery: DeliveryKey,
    /// Certificates of which it was not proven that they were not revoked, by issuer.
    #[cbor(n(5), with = "crate::codec::sparse", has_nil)]
    pub unproven: Vec<Unproven>,
}

/// What became of acknowledgements, in the order in which they were asked.
#[derive(Debug, Clone, PartialEq, Encode, Decode)]
pub struct Acknowledged {
    /// One outcome a delivery.
    #[n(0)]
    pub outcomes: Vec<AcknowledgeOutcome>,
}

/// What became of one acknowledgement. Numbers are stable.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
#[cbor(index_only)]
pub enum AcknowledgeOutcome {
    /// It counts.
    #[n(1)]
    Counted,
    /// It had been acknowledged before.
    #[n(2)]
    Repeated,
    /// There is no such delivery for this caller.
    #[n(3)]
    Unknown,
}

/// What enters the sequencer. The caller's identity is proven; signed content is verified; bytes
/// above the inline bound are in payload files that are on disk.
#[derive(Debug)]
pub enum Proposal {
    /// A document.
    Submit {
        /// Whose connection brought it.
        caller: Ordinal,
        /// Its facts.
        submission: Box<Verified<Submission>>,
        /// Where its bytes are.
        stored: StoredContent,
    },
    /// A status report.
    Report {
        /// Whose connection brought it.
        caller: Ordinal,
        /// Its facts.
        submission: Box<Verified<StatusSubmission>>,
        /// Where its bytes are.
        stored: StoredContent,
    },
    /// Acknowledgements.
    Acknowledge(Acknowledge),
    /// An act of the hub's own start-up, or of whoever has the folder.
    Administer(Command),
    /// An act of administration by a person.
    Act {
        /// Who: its operator's certificate is proven.
        by: Signatory,
        /// What.
        act: Command,
    },
    /// Work that the hub owes itself: see [`crate::Machine::next_work`].
    Work(Work),
}

/// Where the bytes of a content are.
#[derive(Debug, Clone)]
pub struct StoredContent {
    /// The content.
    pub content: Stored,
    /// The attachments beside it, in the order of the submission.
    pub attachments: Vec<StoredAttachment>,
}

/// Work that the hub owes itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Work {
    /// Settles what an issuer's new revocation list decides.
    Settle(AuthorityId),
}
