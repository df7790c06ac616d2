//! A small country on a hub in memory: real keys and signatures, virtual time.
//!
//! ```text
//!  centre  G22, G01
//!  H36     gateway of H36.01 and H36.01.01; H36.02 is held, H36.03 suspended
//!  H34     H34.01, H34.01.01 by their own nodes; H34.02 transition, H34.03 information,
//!          H34.09 not yet in force
//! ```

#![allow(dead_code)] // Every file of tests uses a part of it.

pub mod traffic;

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use lienthong_core::block::SealedBlock;
use lienthong_core::engine::{Change, Journal, Marker, Payloads as _, State as _, Tables};
use lienthong_core::{
    Acknowledge, AcknowledgeNotices, AcknowledgedDelivery, AddAuthority, AddRevocationList,
    CertificateBytes, Command, Decision, DeliveryKey, ImportDirectory, Machine, Mailbox as _,
    MailboxLane, NegativeAcknowledge, NegativeDelivery, NoticeKey, NoticeMailbox, NoticeNumber,
    Opening, Proposal, Query, RefusedRequests, RevocationPolicy, Stored, StoredAttachment,
    StoredContent, codec,
};
use lienthong_ledger::{MemoryBlocks, MemoryJournal, MemoryPayloads, MemoryState};
use lienthong_model::limits::WORK_PER_BLOCK_MAX;
use lienthong_model::{
    AgencyCode, AgencyEntry, AgencyState, AttachmentEntry, BusinessKind, DOCUMENT_V1, Day, Digest,
    Document, DocumentType, Fingerprint, Level, MessageId, Ordinal, Position, Reason, Recipient,
    Refusal, STATUS_V1, SignatureEntry, SignaturePolicy, SignedContent, StatusCode, StatusReport,
    Timestamp, Urgency,
};
use lienthong_pki::{Authority, Identity, Profile, Serial, TestPki, Validity};
use lienthong_trust::{
    Authorities, Known, Revoked, StatusSubmission, Submission, Verified, Verifier, dsse,
};
use lienthong_wire::{DocumentContents, encode_document, encode_status};

/// 2020-11-16 08:00 in Viet Nam, when the hub begins.
pub const BEGIN: Timestamp = Timestamp::from_millis(1_605_488_400_000);

pub const HOUR: Duration = Duration::from_secs(3_600);
pub const DAY: Duration = Duration::from_secs(24 * 3_600);

pub type Rows = BTreeMap<Vec<u8>, Bytes>;
pub type MemoryMachine = Machine<MemoryState, MemoryPayloads>;

/// Who signs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Signs {
    /// A person of an agency.
    Person(&'static str),
    /// The seal of an agency.
    Seal(&'static str),
    /// A person of an agency with a certificate of an authority that nobody trusts.
    Stranger(&'static str),
    /// A seal whose certificate is valid from 1 November to 30 November 2020 only.
    ShortSeal(&'static str),
}

/// A document to be.
#[derive(Debug, Clone)]
pub struct Draft {
    pub caller: Option<&'static str>,
    pub from: &'static str,
    pub to: Vec<String>,
    pub lists: Vec<String>,
    pub signs: Vec<Signs>,
    pub id: Option<MessageId>,
    pub signed_at: Option<Timestamp>,
    pub subject: String,
    pub urgency: Urgency,
    pub due: Option<Timestamp>,
    pub deliver_by: Option<Timestamp>,
    pub document_type: DocumentType,
    pub kind: BusinessKind,
    pub paper_copy: bool,
    pub pages: u32,
    pub acts_on: Option<MessageId>,
    pub reason: String,
    pub changes: Vec<(&'static str, lienthong_model::Change)>,
    pub number: u32,
    pub unit: String,
    /// Bytes of attachments that were uploaded before.
    pub uploaded: Vec<&'static [u8]>,
}

/// A report to be.
#[derive(Debug, Clone)]
pub struct ReportDraft {
    pub caller: Option<&'static str>,
    pub from: &'static str,
    pub sender: &'static str,
    pub document: MessageId,
    pub code: StatusCode,
    pub reason: &'static str,
    pub recipients: Vec<&'static str>,
    pub signs: Vec<Signs>,
    pub id: Option<MessageId>,
    pub signed_at: Option<Timestamp>,
}

pub fn draft(from: &'static str, to: &[&str]) -> Draft {
    Draft {
        caller: None,
        from,
        to: to.iter().map(ToString::to_string).collect(),
        lists: Vec::new(),
        signs: vec![Signs::Person(from)],
        id: None,
        signed_at: None,
        subject: "Về việc gửi văn bản".to_owned(),
        urgency: Urgency::Normal,
        due: None,
        deliver_by: None,
        document_type: DocumentType::DECISION,
        kind: BusinessKind::New,
        paper_copy: false,
        pages: 3,
        acts_on: None,
        reason: String::new(),
        changes: Vec::new(),
        number: 15,
        unit: "UBND".to_owned(),
        uploaded: Vec::new(),
    }
}

/// A document that acts on another.
pub fn acting(kind: BusinessKind, from: &'static str, on: MessageId, to: &[&str]) -> Draft {
    let reason = "Có sai sót".to_owned();
    Draft { kind, acts_on: Some(on), reason, ..draft(from, to) }
}

pub fn report(
    from: &'static str,
    sender: &'static str,
    document: MessageId,
    code: StatusCode,
) -> ReportDraft {
    let reason = if code.needs_reason() { "Không thuộc thẩm quyền" } else { "" };
    ReportDraft {
        caller: None,
        from,
        sender,
        document,
        code,
        reason,
        recipients: Vec::new(),
        signs: vec![Signs::Seal(from)],
        id: None,
        signed_at: None,
    }
}

pub fn code(text: &str) -> AgencyCode {
    AgencyCode::parse(text).unwrap()
}

pub fn day(text: &str) -> Day {
    Timestamp::parse(text).unwrap().day()
}

pub fn at(text: &str) -> Timestamp {
    Timestamp::parse(text).unwrap()
}

/// An entry of the directory, in force from the beginning of 2020.
pub fn entry(text: &str, level: Level, province: Option<&str>) -> AgencyEntry {
    let parent = text.rsplit_once('.').map(|(above, _)| code(above));
    AgencyEntry {
        code: code(text),
        name: format!("Cơ quan {text}"),
        level,
        parent,
        province: province.map(code),
        from: day("2020-01-01"),
        until: None,
        state: AgencyState::Connected,
        policy: SignaturePolicy::Required,
        gateway: None,
    }
}

/// The country, in the order of its ordinals.
pub fn country() -> Vec<AgencyEntry> {
    use Level::{Commune, District, Ministry, Province};
    let h36 = |text, level| entry(text, level, Some("H36"));
    let h34 = |text, level| entry(text, level, Some("H34"));
    let through = Some(code("H36"));
    vec![
        entry("G22", Ministry, None),
        entry("G01", Ministry, None),
        h36("H36", Province),
        AgencyEntry { gateway: through.clone(), ..h36("H36.01", District) },
        AgencyEntry { gateway: through, ..h36("H36.01.01", Commune) },
        AgencyEntry { state: AgencyState::Held, ..h36("H36.02", District) },
        AgencyEntry { state: AgencyState::Suspended, ..h36("H36.03", District) },
        h34("H34", Province),
        h34("H34.01", District),
        h34("H34.01.01", Commune),
        AgencyEntry { policy: SignaturePolicy::Transition, ..h34("H34.02", District) },
        AgencyEntry { policy: SignaturePolicy::Information, ..h34("H34.03", District) },
        AgencyEntry { from: day("2021-01-01"), ..h34("H34.09", District) },
    ]
}

/// Communes of H34, `H34.C0` and on: many recipients.
pub fn communes(count: usize) -> Vec<AgencyEntry> {
    (0..count).map(|n| entry(&format!("H34.C{n}"), Level::Commune, Some("H34"))).collect()
}

/// Certificates come with every content; nobody is known beforehand.
pub struct Nobody;

impl Known for Nobody {
    fn certificate(&self, _: &Fingerprint) -> Option<Bytes> {
        None
    }

    fn authorities(&self) -> Arc<Authorities> {
        Arc::default()
    }
}

/// Keys and the verifier; made once a hub.
pub struct Signers {
    pub pki: TestPki,
    pub stranger: TestPki,
    identities: HashMap<String, Identity>,
    verifier: Verifier<DocumentContents, Nobody>,
    made: u64,
}

impl Signers {
    pub fn new() -> Self {
        let validity = Validity { not_before: at("2019-01-01"), not_after: at("2030-01-01") };
        Self {
            pki: TestPki::new([1; 32], validity).unwrap(),
            stranger: TestPki::new([2; 32], validity).unwrap(),
            identities: HashMap::new(),
            verifier: Verifier::new(DocumentContents, Nobody),
            made: 0,
        }
    }

    pub fn identity(&mut self, signs: Signs) -> Identity {
        let key = format!("{signs:?}");
        if let Some(known) = self.identities.get(&key) {
            return known.clone();
        }
        let identity = match signs {
            Signs::Person(agency) => self.pki.identity(&person(agency)),
            Signs::Stranger(agency) => self.stranger.identity(&person(agency)),
            Signs::Seal(agency) => self.pki.seal(&code(agency)),
            Signs::ShortSeal(agency) => Ok(self.short_seal(agency)),
        };
        self.identities.insert(key, identity.clone().unwrap());
        identity.unwrap()
    }

    fn short_seal(&self, agency: &str) -> Identity {
        let key = self.pki.seal(&code(agency)).unwrap().key;
        let validity = Validity { not_before: at("2020-11-01"), not_after: at("2020-11-30") };
        let profile = Profile::Seal { agency: code(agency) };
        let public = key.public_key().unwrap();
        let certificate =
            self.pki.issuing().issue(&profile, &public, validity, Serial::Derived).unwrap();
        Identity { certificate: Arc::new(certificate), key }
    }

    /// A new id of a moment; no two are the same.
    pub fn new_id(&mut self, at: Timestamp) -> MessageId {
        self.made += 1;
        let mut random = [0; 10];
        random[2..].copy_from_slice(&self.made.to_be_bytes());
        MessageId::new(at, random)
    }

    pub fn sign(&mut self, content_type: &str, content: Bytes, signs: &[Signs]) -> SignedContent {
        let message = dsse::pre_authentication_encoding(content_type, &content);
        let mut signatures = Vec::new();
        let mut certificates = Vec::new();
        for signs in signs {
            let identity = self.identity(*signs);
            signatures.push(SignatureEntry {
                certificate: *identity.certificate.fingerprint(),
                value: Bytes::copy_from_slice(&identity.key.sign(&message)),
            });
            let pki = match signs {
                Signs::Stranger(_) => &self.stranger,
                Signs::Person(_) | Signs::Seal(_) | Signs::ShortSeal(_) => &self.pki,
            };
            let above = [pki.issuing(), pki.root()].map(Authority::certificate);
            certificates.push(identity.certificate.der().clone());
            certificates.extend(above.map(|certificate| certificate.der().clone()));
        }
        SignedContent {
            content_type: content_type.to_owned(),
            content,
            signatures,
            certificates,
            attachments: Vec::new(),
        }
    }

    pub fn document(&mut self, draft: &Draft, now: Timestamp) -> Verified<Submission> {
        let id = draft.id.unwrap_or_else(|| self.new_id(now));
        let signed_at = draft.signed_at.unwrap_or(now);
        let agencies = draft.to.iter().map(|to| Recipient::from(code(to)));
        let to: Vec<Recipient> =
            agencies.chain(draft.lists.iter().cloned().map(Recipient::List)).collect();
        let mut document = Document::new(id, code(draft.from), to, &*draft.subject, signed_at)
            .issued(draft.number, draft.document_type, &draft.unit);
        document.urgency = draft.urgency;
        document.due.value = draft.due;
        document.deliver_by.value = draft.deliver_by;
        document.pages = draft.pages;
        document.business.kind = draft.kind;
        document.business.paper_copy = draft.paper_copy;
        document.business.acts_on = draft.acts_on;
        document.business.reason = draft.reason.clone();
        let change =
            |(text, change): &(&str, lienthong_model::Change)| lienthong_model::RecipientChange {
                code: lienthong_model::Written::code(*text),
                change: *change,
            };
        document.business.recipient_changes = draft.changes.iter().map(change).collect();
        let entry = |(index, bytes): (usize, &&[u8])| {
            AttachmentEntry::of(format!("cid:{index}"), "tep.pdf", bytes)
        };
        document.attachments = draft.uploaded.iter().enumerate().map(entry).collect();
        let content = encode_document(&document);
        let signed = self.sign(DOCUMENT_V1, content, &draft.signs);
        self.verifier.document(signed).unwrap()
    }

    pub fn status(&mut self, draft: &ReportDraft, now: Timestamp) -> Verified<StatusSubmission> {
        let id = draft.id.unwrap_or_else(|| self.new_id(now));
        let about = (code(draft.sender), draft.document);
        let mut status = StatusReport::new(id, code(draft.from), about, draft.code);
        status.signed_at = draft.signed_at.unwrap_or(now);
        status.reason = draft.reason.to_owned();
        status.recipients = draft.recipients.iter().map(|to| code(to)).collect();
        let signed = self.sign(STATUS_V1, encode_status(&status), &draft.signs);
        self.verifier.status(signed).unwrap()
    }
}

fn person(agency: &str) -> Profile {
    Profile::Person {
        agency: code(agency),
        person: "chief".to_owned(),
        name: "Nguyễn Văn An".to_owned(),
        title: "Chủ tịch".to_owned(),
    }
}

fn stored(content: &SignedContent) -> StoredContent {
    let attachment = |attachment: &lienthong_model::Attachment| StoredAttachment {
        content_id: attachment.content_id.clone(),
        bytes: Stored::Inline(attachment.bytes.clone()),
    };
    StoredContent {
        content: Stored::Inline(content.content.clone()),
        attachments: content.attachments.iter().map(attachment).collect(),
    }
}

/// A machine with its engines, and the rows as they were at every cut.
pub struct Hub {
    pub machine: MemoryMachine,
    pub state: MemoryState,
    pub payloads: MemoryPayloads,
    pub blocks: MemoryBlocks,
    journal: MemoryJournal,
    pub now: Timestamp,
    pub signers: Signers,
    pub cuts: Vec<(Marker, Rows)>,
    /// Whether refusals are journalled, as the sequencer does.
    pub journals_refusals: bool,
}

impl Hub {
    /// A hub that knows the country and trusts the test root.
    pub fn new() -> Self {
        Self::on(MemoryState::new())
    }

    /// A hub as [`Hub::new`] makes one, on a state of one's own.
    pub fn on(state: MemoryState) -> Self {
        let mut hub = Self::empty_on(state);
        hub.trust(true);
        hub.grace(None);
        hub.import(&country());
        hub
    }

    pub fn empty() -> Self {
        Self::empty_on(MemoryState::new())
    }

    fn empty_on(state: MemoryState) -> Self {
        let payloads = MemoryPayloads::new();
        let (journal, blocks) = MemoryJournal::new();
        Self {
            machine: open(&state, &payloads),
            state,
            payloads,
            blocks,
            journal,
            now: BEGIN,
            signers: Signers::new(),
            cuts: Vec::new(),
            journals_refusals: false,
        }
    }

    pub fn trust(&mut self, trusted: bool) {
        let root = self.signers.pki.root().certificate().der().clone();
        let issuing = self.signers.pki.issuing().certificate().der().clone();
        let add = |der, trusted| {
            Command::AddAuthority(AddAuthority { certificate: CertificateBytes(der), trusted })
        };
        assert_eq!(self.administer(add(root, trusted)), Decision::Done);
        assert_eq!(self.administer(add(issuing, false)), Decision::Done);
    }

    /// Sets how long what is not proven is accepted; `None` is without end.
    pub fn grace(&mut self, grace: Option<Duration>) {
        let grace_ms = grace.map(|grace| u64::try_from(grace.as_millis()).unwrap());
        let set = Command::SetRevocationPolicy(RevocationPolicy { grace_ms });
        assert_eq!(self.administer(set), Decision::Done);
    }

    pub fn import(&mut self, entries: &[AgencyEntry]) {
        let payload = self.payloads.put(&codec::encode(&entries.to_vec())).unwrap();
        let import = ImportDirectory { source: "test".to_owned(), payload };
        assert_eq!(self.administer(Command::ImportDirectory(import)), Decision::Done);
    }

    pub fn change(&mut self, entries: Vec<AgencyEntry>) -> Decision {
        self.administer(Command::ChangeDirectory(entries))
    }

    /// Revokes signers' certificates as of a moment, with list `number`.
    pub fn revoke(&mut self, number: u64, signs: &[Signs], revoked_at: Timestamp) -> Decision {
        let command = self.revocation(number, signs, revoked_at);
        self.administer(command)
    }

    pub fn revocation(&mut self, number: u64, signs: &[Signs], at: Timestamp) -> Command {
        let revoked: Vec<Revoked> = signs
            .iter()
            .map(|signs| {
                let serial = self.signers.identity(*signs).certificate.serial().to_vec();
                Revoked { serial, at, reason: 1 }
            })
            .collect();
        let issuing = self.signers.pki.issuing();
        let list = issuing.revocation_list(number, self.now, self.now.plus(DAY), &revoked).unwrap();
        let issuer = *issuing.certificate().fingerprint();
        let payload = self.payloads.put(&list).unwrap();
        Command::AddRevocationList(AddRevocationList { payload, issuer })
    }

    /// Lists of root and issuing authority in which nothing is revoked, in date for a day.
    pub fn empty_lists(&mut self, number: u64) -> [Command; 2] {
        let pki = &self.signers.pki;
        let next = self.now.plus(DAY);
        [pki.root(), pki.issuing()].map(|authority| {
            let list = authority.revocation_list(number, self.now, next, &[]).unwrap();
            let payload = self.payloads.put(&list).unwrap();
            let issuer = *authority.certificate().fingerprint();
            Command::AddRevocationList(AddRevocationList { payload, issuer })
        })
    }

    pub fn administer(&mut self, command: Command) -> Decision {
        self.decide(Proposal::Administer(command))
    }

    /// Decides one proposal in a block of its own.
    pub fn decide(&mut self, proposal: Proposal) -> Decision {
        self.block(vec![proposal]).pop().unwrap()
    }

    /// Decides proposals in one block, and commits it.
    pub fn block(&mut self, proposals: Vec<Proposal>) -> Vec<Decision> {
        self.machine.begin(self.now);
        // The hub's own work stands at the beginning of a block, as in the sequencer.
        for _ in 0..WORK_PER_BLOCK_MAX {
            let Some(work) = self.machine.next_work() else { break };
            self.machine.decide(Proposal::Work(work)).unwrap();
        }
        let mut decisions = Vec::new();
        for proposal in proposals {
            let caller = caller_of(&proposal);
            let decision = self.machine.decide(proposal).unwrap();
            if let (Decision::Refused(refusal), Some(caller)) = (&decision, caller)
                && self.journals_refusals
            {
                self.machine.record_refusal(refused_request(caller), refusal.clone()).unwrap();
            }
            decisions.push(decision);
        }
        self.commit();
        decisions
    }

    /// Whether the machine has work of its own now.
    fn has_work(&self) -> bool {
        let due = self.machine.next_deadline().is_some_and(|deadline| deadline <= self.now);
        self.machine.next_work().is_some() || due
    }

    /// Makes blocks until the machine has no work of its own; returns how many.
    pub fn rest(&mut self) -> usize {
        let mut blocks = 0;
        while self.has_work() {
            self.block(Vec::new());
            blocks += 1;
        }
        blocks
    }

    /// Journals a refusal with others added up.
    pub fn refuse(&mut self, request: RefusedRequests, reason: Reason) {
        self.machine.begin(self.now);
        self.machine.record_refusal(request, Refusal::new(reason)).unwrap();
        self.commit();
    }

    pub fn commit(&mut self) {
        let Some(sealed) = self.machine.seal() else { return };
        self.journal.propose(&sealed).unwrap();
        assert_eq!(self.journal.read_ordered().unwrap(), Some(sealed.marker.block));
        let before = self.state.marker();
        self.machine.commit().unwrap();
        if self.state.marker() != before {
            self.cuts.push((self.state.marker().unwrap(), rows(&self.state)));
        }
    }

    pub fn state_marker(&self) -> Option<Marker> {
        self.state.marker()
    }

    pub fn cut(&mut self) {
        self.machine.cut().unwrap();
        self.cuts.push((self.state.marker().unwrap(), rows(&self.state)));
    }

    pub fn submission(&mut self, draft: &Draft) -> Proposal {
        let caller = self.ordinal(draft.caller.unwrap_or(draft.from));
        let submission = Box::new(self.signers.document(draft, self.now));
        let stored = stored(&submission.signed.content);
        Proposal::Submit { caller, submission, stored }
    }

    pub fn submit(&mut self, draft: &Draft) -> Decision {
        let proposal = self.submission(draft);
        self.decide(proposal)
    }

    /// Submits a document that must be accepted; its id and position.
    pub fn accepted(&mut self, draft: &Draft) -> (MessageId, Position) {
        let id = draft.id.unwrap_or_else(|| self.signers.new_id(self.now));
        match self.submit(&Draft { id: Some(id), ..draft.clone() }) {
            Decision::Accepted(accepted) => (id, accepted.position),
            other => panic!("{draft:?}: {other:?}"),
        }
    }

    pub fn report_proposal(&mut self, draft: &ReportDraft) -> Proposal {
        let caller = self.ordinal(draft.caller.unwrap_or(draft.from));
        let submission = Box::new(self.signers.status(draft, self.now));
        let stored = stored(&submission.signed.content);
        Proposal::Report { caller, submission, stored }
    }

    pub fn report(&mut self, draft: &ReportDraft) -> Decision {
        let proposal = self.report_proposal(draft);
        self.decide(proposal)
    }

    pub fn acknowledgement(&self, caller: &str, deliveries: &[(&str, Position)]) -> Proposal {
        let deliveries = deliveries
            .iter()
            .map(|(recipient, position)| AcknowledgedDelivery {
                key: DeliveryKey { recipient: self.ordinal(recipient), position: *position },
                attempts: 1,
            })
            .collect();
        Proposal::Acknowledge(Acknowledge { caller: self.ordinal(caller), deliveries })
    }

    pub fn acknowledge(&mut self, caller: &str, deliveries: &[(&str, Position)]) -> Decision {
        let proposal = self.acknowledgement(caller, deliveries);
        self.decide(proposal)
    }

    /// Says that a delivery could not be taken.
    pub fn negative(&self, recipient: &str, position: Position, times: u32) -> Proposal {
        let recipient = self.ordinal(recipient);
        let key = DeliveryKey { recipient, position };
        let deliveries = vec![NegativeDelivery { key, times, reason: "Hết chỗ".to_owned() }];
        Proposal::NegativeAcknowledge(NegativeAcknowledge { caller: recipient, deliveries })
    }

    pub fn notice_acknowledgement(
        &self,
        agency: &str,
        numbers: &[u64],
        through: Option<u64>,
    ) -> Proposal {
        let agency = self.ordinal(agency);
        let key = |number| NoticeKey { agency, number: NoticeNumber(number) };
        let keys = numbers.iter().map(|number| key(*number)).collect();
        let acknowledge = AcknowledgeNotices { caller: agency, keys, through: through.map(key) };
        Proposal::AcknowledgeNotices(acknowledge)
    }

    /// The numbers of the notices that wait for an agency.
    pub fn notices_of(&self, agency: &str) -> Vec<u64> {
        let mailbox = NoticeMailbox(&self.state);
        let agency = self.ordinal(agency);
        let waiting = mailbox.waiting(agency, MailboxLane::Ordinary, None, usize::MAX).unwrap();
        waiting.into_iter().map(|position| position.0).collect()
    }

    /// The ordinal of an agency; one that nobody has for a code that is not in the directory.
    pub fn ordinal(&self, text: &str) -> Ordinal {
        let directory = self.machine.policy().directory.clone();
        directory.find(&code(text)).map_or(Ordinal(60_000), |agency| agency.ordinal)
    }

    pub fn query(&self) -> Query<'_, MemoryState> {
        Query(&self.state)
    }

    pub fn sealed(&self) -> Vec<SealedBlock> {
        (1..).map_while(|number| self.blocks.sealed(number)).collect()
    }
}

fn caller_of(proposal: &Proposal) -> Option<Ordinal> {
    match proposal {
        Proposal::Submit { caller, .. } | Proposal::Report { caller, .. } => Some(*caller),
        Proposal::Acknowledge(_)
        | Proposal::NegativeAcknowledge(_)
        | Proposal::AcknowledgeNotices(_)
        | Proposal::Administer(_)
        | Proposal::SaveList(_)
        | Proposal::RemoveList(_)
        | Proposal::Remind(_)
        | Proposal::Act { .. }
        | Proposal::Work(_) => None,
    }
}

pub fn refused_request(caller: Ordinal) -> RefusedRequests {
    RefusedRequests { caller, id: None, digest: Digest([9; 32]), size: 7, added_up: Vec::new() }
}

pub fn open(state: &MemoryState, payloads: &MemoryPayloads) -> MemoryMachine {
    let opening = Opening { state: Arc::new(state.clone()), payloads: payloads.clone() };
    Machine::open(opening).unwrap()
}

/// Every row of a state.
pub fn rows(state: &MemoryState) -> Rows {
    let mut rows = Rows::new();
    let visit = &mut |key: &[u8], value: &[u8]| {
        rows.insert(key.to_vec(), Bytes::copy_from_slice(value));
        true
    };
    state.scan(b"", b"", visit).unwrap();
    rows
}

/// A state with these rows and this marker.
pub fn state_of(rows: Rows, marker: Option<Marker>) -> MemoryState {
    let state = MemoryState::new();
    let cut = marker.is_some();
    let marker = marker.unwrap_or(Marker { block: 0, hash: Digest([0; 32]) });
    let writes = rows.into_iter().map(|(key, value)| (key, Some(value))).collect();
    state.publish(Change { marker, writes, cut }).unwrap();
    state
}

/// The reason of a refusal; panics when it is something else.
pub fn reason(decision: &Decision) -> Reason {
    match decision {
        Decision::Refused(refusal) => refusal.reason,
        other => panic!("not refused: {other:?}"),
    }
}
