//! The hub: its machine, its delivery machine and its journal, with a shell of its own.

mod axis;

use std::collections::{BTreeMap, VecDeque};
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use lienthong_client::DocumentContents;
use lienthong_core::engine::{EngineError, Journal as _, Payloads as _, Tables as _};
use lienthong_core::{
    Acknowledge, AcknowledgeOutcome, AcknowledgedDelivery, AddAuthority, AddRevocationList,
    Arrival, CertificateBytes, Command, ConsumerId, Courier, Decision, DeliveryKey,
    ImportDirectory, Machine, Opening, Proposal, Push, Query, RefusedRequests, Stored,
    StoredAttachment, StoredContent, codec,
};
use lienthong_ledger::{MemoryBlocks, MemoryJournal, MemoryPayloads, MemoryState};
use lienthong_model::limits::{INLINE_PAYLOAD_BYTES_MAX, WORK_PER_BLOCK_MAX};
use lienthong_model::{
    AgencyCode, AgencyEntry, Fingerprint, Ordinal, Position, Reason, SignedContent, Timestamp,
};
use lienthong_pki::Authority;
use lienthong_trust::{
    Authorities, Known, Rejected, Revoked, StatusSubmission, Submission, Verified, Verifier,
};

use super::WorldError;
use super::keys::Keys;
use super::sending::Sent;

/// Most requests of a block.
const BLOCK_REQUESTS: usize = 256;
/// What a node has room for.
const CREDIT: u32 = 64;
/// Most pushes that are made at a time.
const PUSHES: usize = 1_024;

type MemoryMachine = Machine<MemoryState, MemoryPayloads>;

/// Certificates come with every content; nobody is known beforehand.
struct Nobody;

impl Known for Nobody {
    fn certificate(&self, _: &Fingerprint) -> Option<Bytes> {
        None
    }

    fn authorities(&self) -> Arc<Authorities> {
        Arc::default()
    }
}

/// What waits for its block.
pub(super) enum Asked {
    Document(Box<Verified<Submission>>),
    Report(Box<Verified<StatusSubmission>>),
    Acknowledge(DeliveryKey),
    Rejected(Box<Rejected>),
}

/// What became of a call.
#[derive(Debug, Clone)]
pub(crate) enum Outcome {
    /// A document or a report is accepted.
    Accepted(Position),
    /// It had been accepted before.
    Repeated(Position),
    /// The acknowledgement is on disk.
    Acknowledged,
    /// There was no answer: whether it arrived is not known.
    Unanswered,
    Refused(Reason),
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Accepted(position) => write!(f, "accepted {}", position.0),
            Self::Repeated(position) => write!(f, "repeated {}", position.0),
            Self::Acknowledged => f.write_str("acknowledged"),
            Self::Unanswered => f.write_str("unanswered"),
            Self::Refused(reason) => f.write_str(reason.code()),
        }
    }
}

/// The hub.
pub(crate) struct Hub {
    state: MemoryState,
    blocks: MemoryBlocks,
    payloads: MemoryPayloads,
    journal: MemoryJournal,
    /// None while it is down.
    machine: Option<MemoryMachine>,
    courier: Courier,
    /// Each connected agency's stream.
    consumers: BTreeMap<Ordinal, ConsumerId>,
    connections: u64,
    verifier: Verifier<DocumentContents, Nobody>,
    waiting: VecDeque<(u64, Ordinal, Asked)>,
    begin: Timestamp,
    /// Receipts that were given again.
    repeated: u64,
    /// Starts after it was killed.
    restarts: u64,
    /// Why it could not be opened; kept until somebody asks.
    failed: Option<EngineError>,
}

impl Hub {
    pub fn new(begin: Timestamp) -> Self {
        let (state, payloads) = (MemoryState::new(), MemoryPayloads::new());
        let (journal, blocks) = MemoryJournal::new();
        let (machine, failed) = match open(&state, &payloads) {
            Ok(machine) => (Some(machine), None),
            Err(error) => (None, Some(error)),
        };
        Self {
            state,
            blocks,
            payloads,
            journal,
            machine,
            courier: Courier::default(),
            consumers: BTreeMap::new(),
            connections: 0,
            verifier: Verifier::new(DocumentContents, Nobody),
            waiting: VecDeque::new(),
            begin,
            repeated: 0,
            restarts: 0,
            failed,
        }
    }

    /// Trusts the scenario's root, knows its revocation lists and its directory.
    pub(super) fn set_up(
        &mut self,
        keys: &Keys,
        entries: &[AgencyEntry],
    ) -> Result<(), WorldError> {
        if let Some(error) = self.failed.take() {
            return Err(error.into());
        }
        let add = |authority: &Authority, trusted| {
            let certificate = CertificateBytes(authority.certificate().der().clone());
            Command::AddAuthority(AddAuthority { certificate, trusted })
        };
        let payload = self.payloads.put(&codec::encode(&entries.to_vec()))?;
        let source = "the scenario's agencies".to_owned();
        let mut acts = vec![
            add(keys.root(), true),
            add(keys.issuing(), false),
            Command::ImportDirectory(ImportDirectory { source, payload }),
        ];
        for authority in [keys.root(), keys.issuing()] {
            let list = keys.list(authority, 1, self.begin, &[])?;
            acts.push(self.list(authority, &list)?);
        }
        self.administer(self.begin, acts)
    }

    fn list(&self, authority: &Authority, list: &[u8]) -> Result<Command, EngineError> {
        let issuer = *authority.certificate().fingerprint();
        Ok(Command::AddRevocationList(AddRevocationList {
            payload: self.payloads.put(list)?,
            issuer,
        }))
    }

    /// Takes a new revocation list of the issuing authority.
    pub(super) fn revoke(
        &mut self,
        keys: &Keys,
        number: u64,
        at: Timestamp,
        revoked: &[Revoked],
    ) -> Result<(), WorldError> {
        let list = keys.list(keys.issuing(), number, at, revoked)?;
        let act = self.list(keys.issuing(), &list)?;
        self.administer(at, vec![act])
    }

    fn administer(&mut self, now: Timestamp, acts: Vec<Command>) -> Result<(), WorldError> {
        let Some(machine) = &mut self.machine else { return Ok(()) };
        machine.begin(now);
        for act in acts {
            if let Decision::Refused(refusal) = machine.decide(Proposal::Administer(act))? {
                return Err(WorldError::SetUp(refusal.to_string()));
            }
        }
        Ok(self.write()?)
    }

    /// Returns the ordinal of an agency.
    pub fn ordinal(&self, code: &AgencyCode) -> Option<Ordinal> {
        let directory = &self.machine.as_ref()?.policy().directory;
        directory.find(code).map(|agency| agency.ordinal)
    }

    pub fn query(&self) -> Query<'_, MemoryState> {
        Query(&self.state)
    }

    /// Everything but the journal and the payloads is gone, and what waited for its block.
    pub fn kill(&mut self) {
        self.machine = None;
        self.courier = Courier::default();
        self.consumers.clear();
        self.waiting.clear();
        self.state = MemoryState::new();
    }

    /// Starts again: the state is rebuilt from the journal. Nobody is connected yet.
    pub fn start(&mut self) -> Result<(), EngineError> {
        let (state, machine) = replayed(&self.blocks, &self.payloads)?;
        self.journal = self.blocks.journal();
        (self.state, self.machine) = (state, Some(machine));
        self.restarts += 1;
        Ok(())
    }

    /// Opens an agency's stream. A former one is closed after it: the hub notices late that a
    /// connection is gone, and counts on how often it had pushed.
    pub fn open(&mut self, agency: Ordinal) {
        self.connections += 1;
        let consumer = ConsumerId(self.connections);
        self.courier.open(consumer, vec![agency]);
        self.courier.grant(consumer, CREDIT);
        if let Some(former) = self.consumers.insert(agency, consumer) {
            self.courier.close(former);
        }
    }

    /// Closes an agency's stream.
    pub fn close(&mut self, agency: Ordinal) {
        if let Some(consumer) = self.consumers.remove(&agency) {
            self.courier.close(consumer);
        }
    }

    /// Ingress: works the facts out; what the bytes rule out waits as a refusal.
    pub(super) fn take(&mut self, number: u64, caller: Ordinal, sent: Sent) {
        let asked = match sent {
            Sent::Document(content) => match self.verifier.document((*content).clone()) {
                Ok(facts) => Asked::Document(Box::new(facts)),
                Err(rejected) => Asked::Rejected(Box::new(rejected)),
            },
            Sent::Report(content) => match self.verifier.status((*content).clone()) {
                Ok(facts) => Asked::Report(Box::new(facts)),
                Err(rejected) => Asked::Rejected(Box::new(rejected)),
            },
            Sent::Acknowledge(position) => {
                Asked::Acknowledge(DeliveryKey { recipient: caller, position })
            }
        };
        self.waiting.push_back((number, caller, asked));
    }

    /// Decides what the hub owes itself and what waits, writes the block, and returns what became
    /// of each call.
    pub(super) fn commit(&mut self, now: Timestamp) -> Result<Vec<(u64, Outcome)>, EngineError> {
        let Some(machine) = &mut self.machine else { return Ok(Vec::new()) };
        machine.begin(now);
        for _ in 0..WORK_PER_BLOCK_MAX {
            let Some(work) = machine.next_work() else { break };
            machine.decide(Proposal::Work(work))?;
        }
        let mut answers = Vec::new();
        for _ in 0..BLOCK_REQUESTS {
            let Some((number, caller, asked)) = self.waiting.pop_front() else { break };
            answers.push((number, self.decide(caller, asked)?));
        }
        let mail = self.machine.as_mut().map(Machine::take_mail).unwrap_or_default();
        self.write()?;
        // The courier hears of mail when it is in the mailboxes.
        for Arrival { recipient, lane, position } in mail.documents.arrived {
            self.courier.arrived(recipient, lane, position);
        }
        for DeliveryKey { recipient, position } in mail.documents.settled {
            self.courier.settle(recipient, position);
        }
        Ok(answers)
    }

    /// Returns whether a block is due: requests wait, or the hub owes itself something now.
    pub fn has_waiting(&self) -> bool {
        let owes = self.machine.as_ref().is_some_and(|machine| machine.next_work().is_some());
        owes || !self.waiting.is_empty()
    }

    /// Returns when the hub has something to do by itself next.
    pub fn next_deadline(&self) -> Option<Timestamp> {
        self.machine.as_ref()?.next_deadline()
    }

    fn decide(&mut self, caller: Ordinal, asked: Asked) -> Result<Outcome, EngineError> {
        let Some(machine) = &mut self.machine else { return Ok(Outcome::Refused(Reason::Stopped)) };
        let (proposal, about) = match asked {
            Asked::Rejected(rejected) => {
                let Rejected { refusal, id, digest, size } = *rejected;
                let reason = refusal.reason;
                let requests = RefusedRequests { caller, id, digest, size, added_up: Vec::new() };
                machine.record_refusal(requests, refusal)?;
                return Ok(Outcome::Refused(reason));
            }
            Asked::Document(submission) => {
                let signed = &submission.signed;
                let about = (submission.header.id, signed.digest, signed.size());
                let stored = store(&self.payloads, &signed.content)?;
                (Proposal::Submit { caller, submission, stored }, about)
            }
            Asked::Report(submission) => {
                let signed = &submission.signed;
                let about = (submission.header.id, signed.digest, signed.size());
                let stored = store(&self.payloads, &signed.content)?;
                (Proposal::Report { caller, submission, stored }, about)
            }
            Asked::Acknowledge(key) => {
                let attempts = self.courier.attempts(key.recipient, key.position).max(1);
                let deliveries = vec![AcknowledgedDelivery { key, attempts }];
                let proposal = Proposal::Acknowledge(Acknowledge { caller, deliveries });
                let decision = machine.decide(proposal)?;
                return Ok(self.acknowledged(key, &decision));
            }
        };
        let decision = machine.decide(proposal)?;
        Ok(match decision {
            Decision::Accepted(accepted) => Outcome::Accepted(accepted.position),
            Decision::Reported(reported) => Outcome::Accepted(reported.position),
            Decision::Repeated(position) => {
                self.repeated += 1;
                Outcome::Repeated(position)
            }
            Decision::Refused(refusal) => {
                let reason = refusal.reason;
                let (id, digest, size) = (Some(about.0), about.1, about.2);
                let requests = RefusedRequests { caller, id, digest, size, added_up: Vec::new() };
                machine.record_refusal(requests, refusal)?;
                Outcome::Refused(reason)
            }
            // Nothing else is decided on a document or a report.
            _ => Outcome::Refused(Reason::Stopped),
        })
    }

    fn acknowledged(&mut self, key: DeliveryKey, decision: &Decision) -> Outcome {
        let Decision::Acknowledged(acknowledged) = decision else {
            return Outcome::Refused(Reason::Stopped);
        };
        if acknowledged.outcomes.contains(&AcknowledgeOutcome::Unknown) {
            return Outcome::Refused(Reason::DocumentUnknown);
        }
        self.courier.settle(key.recipient, key.position);
        if let Some(consumer) = self.consumers.get(&key.recipient) {
            self.courier.grant(*consumer, 1);
        }
        Outcome::Acknowledged
    }

    fn write(&mut self) -> Result<(), EngineError> {
        let Some(machine) = &mut self.machine else { return Ok(()) };
        let Some(sealed) = machine.seal() else { return Ok(()) };
        self.journal.propose(&sealed)?;
        self.journal.read_ordered()?;
        machine.commit()
    }

    /// Returns what is to be pushed now.
    pub fn poll(&mut self, now: Timestamp) -> Result<Vec<Push>, EngineError> {
        let since = u64::try_from(now.millis() - self.begin.millis()).unwrap_or(0);
        let mail = Query(&self.state);
        self.courier.poll(Duration::from_millis(since), PUSHES, &mail)
    }

    pub fn has_pushes(&self) -> bool {
        self.courier.has_work()
    }

    /// Writes the open statistics out.
    pub fn finish(&mut self) -> Result<(), EngineError> {
        self.machine.as_mut().map_or(Ok(()), Machine::cut)
    }
}

fn open(state: &MemoryState, payloads: &MemoryPayloads) -> Result<MemoryMachine, EngineError> {
    Machine::open(Opening { state: Arc::new(state.clone()), payloads: payloads.clone() })
}

/// Builds state and machine from a journal alone.
fn replayed(
    blocks: &MemoryBlocks,
    payloads: &MemoryPayloads,
) -> Result<(MemoryState, MemoryMachine), EngineError> {
    let state = MemoryState::new();
    let mut machine = open(&state, payloads)?;
    for sealed in (1..).map_while(|number| blocks.sealed(number)) {
        machine.replay(&sealed)?;
    }
    Ok((state, machine))
}

/// Returns every row of a state.
fn rows(state: &MemoryState) -> Result<Vec<(Vec<u8>, Bytes)>, EngineError> {
    let mut rows = Vec::new();
    state.scan(b"", b"", &mut |key, value| {
        rows.push((key.to_vec(), Bytes::copy_from_slice(value)));
        true
    })?;
    Ok(rows)
}

/// What is too large for a record goes into a payload.
fn store(payloads: &MemoryPayloads, content: &SignedContent) -> Result<StoredContent, EngineError> {
    let put = |bytes: &Bytes| {
        Ok::<_, EngineError>(match bytes.len() <= INLINE_PAYLOAD_BYTES_MAX {
            true => Stored::Inline(bytes.clone()),
            false => Stored::Payload { digest: payloads.put(bytes)?, size: bytes.len() as u64 },
        })
    };
    let attachments = content.attachments.iter().map(|attachment| {
        let content_id = attachment.content_id.clone();
        Ok(StoredAttachment { content_id, bytes: put(&attachment.bytes)? })
    });
    Ok(StoredContent {
        content: put(&content.content)?,
        attachments: attachments.collect::<Result<_, EngineError>>()?,
    })
}
