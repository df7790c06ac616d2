//! The audit of a data folder at rest: everything in it read and checked against everything else,
//! nothing changed. It goes on behind damage, and says of each place what is wrong there.
//!
//! ```text
//!  journal files ─▶ frames, numbers, hash chain ─▶ entries ─▶ payload files
//!                                                     └─▶ leaves ─▶ the log made anew
//!                                                  state's tiles and marker ┘ └ signed checkpoints
//! ```
//! The state is opened in a copy, since sled writes when it opens.

mod at_rest;
mod findings;
mod log;
mod payloads;
mod redecide;
mod salvage;
mod state;

use std::path::Path;

use lienthong_core::audit::JournalCheck;
use lienthong_core::engine::{EngineError, State as _};
use lienthong_ledger::{FolderLock, FoundBlock, JournalAudit, SledState, Step, check_data_folder};
use lienthong_model::Digest;
use lienthong_trust::Checkpoint;

pub use findings::{Finding, FindingKind};
use findings::{Findings, Place};
use log::LogCheck;
pub use log::{CheckpointOutcome, Verdict};
use payloads::PayloadCheck;
pub use redecide::Redecided;
pub use salvage::{Salvage, Salvaged, SalvagedDocument};
pub use state::StateOutcome;

/// What is audited, and against what.
#[derive(Debug)]
pub struct Audit<'a> {
    /// The data folder. No hub may use it meanwhile.
    pub data: &'a Path,
    /// An empty folder for a copy of the state, and for a second state when everything is judged
    /// again; `None` leaves both out.
    pub scratch: Option<&'a Path>,
    /// Checkpoints whose signatures were checked, with what they are called.
    pub checkpoints: Vec<(String, Checkpoint)>,
    /// Whether every signature is verified and every decision made again.
    pub redecide: bool,
}

/// What an audit found.
#[derive(Debug)]
pub struct AuditReport {
    /// Bytes of the journal's files.
    pub journal_bytes: u64,
    /// Blocks that were read.
    pub blocks: u64,
    /// The number of the last block.
    pub last_block: u64,
    /// Entries in them.
    pub entries: u64,
    /// Leaves of the log.
    pub leaves: u64,
    /// How many of them were taken from the state, since their blocks cannot be read.
    pub leaves_from_state: u64,
    /// The log's root, when all leaves are known.
    pub root: Option<Digest>,
    /// Certificates in the journal.
    pub certificates: u64,
    /// Payload files that the journal names.
    pub payloads: u64,
    /// Their bytes.
    pub payload_bytes: u64,
    /// How many contents have expired and are not there: files, and what was taken out of blocks.
    pub contents_expired: u64,
    /// What became of the comparison with the state.
    pub state: StateOutcome,
    /// What became of each checkpoint.
    pub checkpoints: Vec<CheckpointOutcome>,
    /// What came of judging again, when that was asked for.
    pub redecided: Option<Redecided>,
    /// What is wrong, in the order of the files; at most
    /// [`lienthong_model::limits::AUDIT_FINDINGS_MAX`].
    pub findings: Vec<Finding>,
    /// How many things are wrong.
    pub findings_total: u64,
}

impl Audit<'_> {
    /// Audits; `progress` is told the bytes read and how many there are.
    ///
    /// # Errors
    /// [`EngineError`] when the folder is in use, was written by a newer version, or the operating
    /// system does not give its bytes. What is wrong with them is a finding.
    pub fn run(self, mut progress: impl FnMut(u64, u64)) -> Result<AuditReport, EngineError> {
        let _lock = FolderLock::take_existing(self.data)?;
        let mut findings = Findings::default();
        if let Err(error) = check_data_folder(self.data) {
            findings.add_damage(FindingKind::Format, error)?;
        }
        let (state, mut outcome) = state::open(self.data, self.scratch, &mut findings)?;
        let mut journal = JournalAudit::open(&self.data.join("journal"))?;
        let mut walk = Walk {
            check: JournalCheck::default(),
            log: LogCheck::new(state.as_ref(), self.checkpoints),
            payloads: PayloadCheck::new(self.data.join("payloads")),
            state: state.as_ref(),
            findings,
            blocks: 0,
            entries: 0,
        };
        while let Some(step) = journal.next() {
            match step? {
                Step::Block(found) => walk.block(&found)?,
                Step::Damage(damage) => walk.findings.add(Finding::of_damage(damage)),
            }
            progress(journal.bytes_read(), journal.bytes());
        }
        let last_block = journal.last_block();
        state::compare_ends(&mut outcome, last_block, &mut walk.findings);
        walk.log.finish(&mut walk.findings)?;
        walk.payloads.finish(&mut walk.findings);
        let mut report = walk.report(outcome);
        (report.journal_bytes, report.last_block) = (journal.bytes(), last_block);
        drop(state);
        if self.redecide
            && let Some(scratch) = self.scratch
        {
            report.redecide(self.data, scratch, &mut progress)?;
        }
        Ok(report)
    }
}

/// The journal being walked through.
struct Walk<'s> {
    check: JournalCheck,
    log: LogCheck<'s>,
    payloads: PayloadCheck,
    state: Option<&'s SledState>,
    findings: Findings,
    blocks: u64,
    entries: u64,
}

impl Walk<'_> {
    fn block(&mut self, found: &FoundBlock) -> Result<(), EngineError> {
        let block = &found.block;
        self.blocks += 1;
        self.entries += block.block.entries.len() as u64;
        let marker = self.state.and_then(SledState::marker);
        if marker.is_some_and(|at| at.block == block.marker.block && at.hash != block.marker.hash) {
            let why = "the state knows a block of this number and another hash".to_owned();
            self.findings.add(Finding::at(FindingKind::Marker, Place::of(found, None), why));
        }
        let checked = self.check.block(&block.block);
        for flaw in checked.flaws {
            let place = Place::of(found, flaw.entry);
            self.findings.add(Finding::at(flaw.kind.into(), place, flaw.why));
        }
        for named in &checked.payloads {
            self.payloads.look(named, found, &mut self.findings)?;
        }
        self.payloads.taken_out(&checked.taken_out, found);
        self.payloads.end_block(&block.block);
        for leaf in &checked.leaves {
            self.log.leaf(leaf.position.0, leaf.leaf.hash(), &mut self.findings)?;
        }
        Ok(())
    }

    fn report(self, state: StateOutcome) -> AuditReport {
        let (findings, findings_total) = self.findings.sorted();
        AuditReport {
            journal_bytes: 0,
            blocks: self.blocks,
            last_block: 0,
            entries: self.entries,
            leaves: self.log.size(),
            leaves_from_state: self.log.taken_from_state(),
            root: self.log.root(),
            certificates: self.check.certificates() as u64,
            payloads: self.payloads.files(),
            payload_bytes: self.payloads.bytes(),
            contents_expired: self.payloads.expired(),
            state,
            checkpoints: self.log.outcomes(),
            redecided: None,
            findings,
            findings_total,
        }
    }
}
