//! A small country on a hub in memory: real keys and signatures, virtual time.
//!
//! ```text
//!  centre  G22, G01
//!  H36     gateway of H36.01 and H36.01.01; H36.02 is held, H36.03 suspended
//!  H34     H34.01, H34.01.01 by their own nodes; H34.02 transition, H34.03 information,
//!          H34.09 not yet in force
//! ```

#![allow(dead_code)] // Every file of tests uses a part of it.

mod country;
mod drafts;
mod signers;
pub mod traffic;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use lienthong_core::block::SealedBlock;
use lienthong_core::engine::{
    Change, Journal as _, Marker, Payloads as _, State as _, Tables as _,
};
use lienthong_core::{
    Acknowledge, AcknowledgeNotices, AcknowledgedDelivery, AddAuthority, AddRevocationList,
    CertificateBytes, Command, Decision, DeliveryKey, ImportDirectory, Machine, Mailbox as _,
    MailboxLane, NegativeAcknowledge, NegativeDelivery, NoticeKey, NoticeMailbox, NoticeNumber,
    Opening, Proposal, Query, RefusedRequests, RevocationPolicy, codec,
};
use lienthong_ledger::{MemoryBlocks, MemoryJournal, MemoryPayloads, MemoryState};
use lienthong_model::limits::WORK_PER_BLOCK_MAX;
use lienthong_model::{
    AgencyEntry, Digest, MessageId, Ordinal, Position, Reason, Refusal, Timestamp,
};
use lienthong_trust::Revoked;

pub use country::{at, code, communes, country, day, entry};
pub use drafts::{Draft, ReportDraft, acting, draft, report};
use signers::stored;
pub use signers::{Signers, Signs};

/// 2020-11-16 08:00 in Viet Nam, when the hub begins.
pub const BEGIN: Timestamp = Timestamp::from_millis(1_605_488_400_000);

pub const HOUR: Duration = Duration::from_secs(3_600);
pub const DAY: Duration = Duration::from_secs(24 * 3_600);

pub type Rows = BTreeMap<Vec<u8>, Bytes>;
pub type MemoryMachine = Machine<MemoryState, MemoryPayloads>;

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
