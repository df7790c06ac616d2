//! The machine: it decides on proposals and applies what was decided.
//!
//! One owner, one thread. [`Machine::begin`] opens a block at a moment, [`Machine::decide`] and
//! [`Machine::record_refusal`] fill it, [`Machine::seal`] closes it; when the journal has it on
//! disk, [`Machine::commit`] makes it visible. On start-up [`Machine::replay`] takes sealed blocks
//! over with the decisions that they hold.

pub(crate) mod apply;
mod decide;
mod overlay;

use std::sync::{Arc, RwLock};
use std::time::Duration;

use lienthong_model::limits::CLOCK_AHEAD_MAX;
use lienthong_model::{Fingerprint, Position, Refusal, Timestamp};
use lienthong_trust::{Certificate, RevocationList};

use crate::block::{Block, SealedBlock};
use crate::codec;
use crate::command::{Command, Decision, Entry, Proposal, RefusedRequests};
use crate::directory::{AgencyRecord, Directory};
use crate::engine::{Change, EngineError, Marker, Payloads, State, Tables};
use crate::keys;
use crate::routing::RoutingRules;
use crate::rows::HeadRow;
use crate::statistics::{Cubes, Event};
use crate::trust_store::{AuthorityRow, RevocationRow, TrustStore};
use overlay::Working;

/// The version of the rules of judgement. Raised when judgement changes; blocks carry it.
const RULES_VERSION: u16 = 1;

/// Fingerprints of certificates that the journal is known to have, kept to spare look-ups.
const CERTIFICATES_REMEMBERED: usize = 65_536;

/// The hub's state and judgement.
pub struct Machine<S, P> {
    state: Arc<S>,
    payloads: P,
    directory: Arc<Directory>,
    trust: Arc<TrustStore>,
    rules: Arc<RoutingRules>,
    cubes: Arc<RwLock<Cubes>>,
    certificates: std::collections::HashSet<Fingerprint>,
    head: HeadRow,
    /// The last block whose events the statistics have, as the state was found. Replaying blocks
    /// up to it must not count them again, not even in pages that they never touched: an agency's
    /// place may have changed since.
    counted_to: u64,
    clock_ahead: Duration,
    work: Working,
}

/// What a machine was opened with and what remains to be replayed.
pub struct Opening<S, P> {
    /// The state as its engine found it.
    pub state: Arc<S>,
    /// The payload files.
    pub payloads: P,
}

impl<S: State, P: Payloads> Machine<S, P> {
    /// Loads what the machine keeps in memory. Blocks after the state's marker must then be
    /// replayed, and may be from before it.
    ///
    /// # Errors
    /// [`EngineError`] when a row or payload cannot be read.
    pub fn open(opening: Opening<S, P>) -> Result<Self, EngineError> {
        let Opening { state, payloads } = opening;
        let counted_to = state.marker().map_or(0, |marker| marker.block);
        let directory = load_directory(&*state)?;
        let trust = load_trust(&*state, &payloads)?;
        let rules = match state.read(keys::RULES)? {
            Some(row) => codec::decode(&row, "routing rules")?,
            None => RoutingRules::default(),
        };
        let head = match state.read(keys::HEAD)? {
            Some(row) => codec::decode(&row, "head")?,
            None => HeadRow {
                block: 0,
                hash: lienthong_model::Digest([0; 32]),
                time: Timestamp::MIN,
                next_position: Position(0),
            },
        };
        Ok(Self {
            state,
            payloads,
            directory: Arc::new(directory),
            trust: Arc::new(trust),
            rules: Arc::new(rules),
            cubes: Arc::default(),
            certificates: std::collections::HashSet::new(),
            head,
            counted_to,
            clock_ahead: CLOCK_AHEAD_MAX,
            work: Working::default(),
        })
    }

    /// Returns the directory as of the last decision.
    pub fn directory(&self) -> Arc<Directory> {
        self.directory.clone()
    }

    /// Returns what is trusted as of the last decision.
    pub fn trust(&self) -> Arc<TrustStore> {
        self.trust.clone()
    }

    /// Returns the routing rules as of the last decision.
    pub fn rules(&self) -> Arc<RoutingRules> {
        self.rules.clone()
    }

    /// Returns the open statistics, shared with readers.
    pub fn cubes(&self) -> Arc<RwLock<Cubes>> {
        self.cubes.clone()
    }

    /// Returns the last block's number and hash; block 0 when there is none.
    pub fn last(&self) -> Marker {
        Marker { block: self.head.block, hash: self.head.hash }
    }

    /// Returns the last block's time; `None` when there is none.
    pub fn last_time(&self) -> Option<Timestamp> {
        (self.head.block > 0).then_some(self.head.time)
    }

    /// Sets how far ahead of the block's time a sender's clock may be, for the blocks to come; they
    /// carry it. Not less than [`CLOCK_AHEAD_MAX`].
    pub fn allow_clock_ahead(&mut self, ahead: Duration) {
        self.clock_ahead = ahead.max(CLOCK_AHEAD_MAX);
    }

    /// Opens the next block at a moment: the later of `now` and the last block's time.
    pub fn begin(&mut self, now: Timestamp) {
        self.head.time = self.head.time.max(now);
        self.work.begin(self.head.block + 1);
    }

    /// Returns the time of the block under way.
    pub fn begun_at(&self) -> Timestamp {
        self.head.time
    }

    /// Decides on a proposal and applies it to the block under way.
    ///
    /// A refusal leaves no trace in the block: [`Machine::record_refusal`] journals it.
    ///
    /// # Errors
    /// [`EngineError`] when a row cannot be read; the block must then be abandoned and the hub
    /// stopped.
    pub fn decide(&mut self, proposal: Proposal) -> Result<Decision, EngineError> {
        let (command, decision) = match self.judge(proposal)? {
            Ok(judged) => judged,
            Err(decision) => return Ok(decision),
        };
        let answer = decision.clone();
        self.enter(Entry { command, decision })?;
        Ok(answer)
    }

    /// Journals a refusal, with those of the same caller that were added up before it.
    ///
    /// # Errors
    /// [`EngineError`] when a row cannot be read.
    pub fn record_refusal(
        &mut self,
        request: RefusedRequests,
        refusal: Refusal,
    ) -> Result<(), EngineError> {
        let (command, decision) = (Command::Refused(request), Decision::Refused(refusal));
        self.enter(Entry { command, decision })
    }

    fn enter(&mut self, entry: Entry) -> Result<(), EngineError> {
        self.apply(&entry)?;
        self.work.push(entry);
        Ok(())
    }

    /// Returns the entries of the block under way.
    pub fn entries(&self) -> usize {
        self.work.entries.len()
    }

    /// Returns about how many bytes the block under way has.
    pub fn bytes(&self) -> usize {
        self.work.bytes
    }

    /// Closes the block under way; `None` when nothing was entered.
    pub fn seal(&mut self) -> Option<SealedBlock> {
        if self.work.entries.is_empty() {
            return None;
        }
        let block = Block {
            number: self.head.block + 1,
            time: self.head.time,
            previous: self.head.hash,
            rules: RULES_VERSION,
            entries: std::mem::take(&mut self.work.entries),
            clock_ahead_ms: u64::try_from(self.clock_ahead.as_millis()).unwrap_or(u64::MAX),
        };
        let sealed = block.seal();
        self.head.block = sealed.marker.block;
        self.head.hash = sealed.marker.hash;
        Some(sealed)
    }

    /// Makes the sealed block visible: its rows, and its events in the statistics. Call it when the
    /// journal has the block on disk.
    ///
    /// # Errors
    /// [`EngineError`] when the state cannot take it.
    pub fn commit(&mut self) -> Result<(), EngineError> {
        let cut = self.state.cut_due();
        self.publish(cut)
    }

    /// Ends a chunk of the state at the last block, with all open statistics.
    ///
    /// # Errors
    /// [`EngineError`] when the state cannot take it.
    pub fn cut(&mut self) -> Result<(), EngineError> {
        if self.head.block == 0 {
            return Ok(());
        }
        self.publish(true)
    }

    fn publish(&mut self, cut: bool) -> Result<(), EngineError> {
        let fold = crate::statistics::fold_of(self.head.block, self.head.time);
        let (mut writes, events) = self.work.take();
        let row = codec::encode(&self.head);
        writes.push((keys::HEAD.to_vec(), Some(row.into())));
        {
            // A poisoned lock means that a reader panicked; the cubes are only ever added to here.
            let mut cubes = self.cubes.write().unwrap_or_else(std::sync::PoisonError::into_inner);
            if self.head.block > self.counted_to {
                cubes.fold(&*self.state, fold, &events)?;
            }
            if cut {
                cubes.cut(self.head.time, &mut writes);
            }
            // Published under the lock: a page that leaves memory is already among the rows.
            self.state.publish(Change { marker: self.last(), writes, cut })?;
        }
        Ok(())
    }

    /// Takes over a block that the journal has: its decisions, without judging again. Replaying
    /// blocks that the state already has changes nothing once the last one is replayed.
    ///
    /// # Errors
    /// [`EngineError`] when a row or payload cannot be read, or an entry holds a decision that its
    /// command cannot have.
    pub fn replay(&mut self, sealed: &SealedBlock) -> Result<(), EngineError> {
        let block = &sealed.block;
        self.head.time = block.time;
        self.work.begin(block.number);
        for entry in &block.entries {
            self.apply(entry)?;
            self.work.count_entry();
        }
        self.head.block = sealed.marker.block;
        self.head.hash = sealed.marker.hash;
        self.commit()
    }

    fn count(&mut self, event: Event) {
        self.work.events.push(event);
    }
}

fn load_directory(tables: &dyn Tables) -> Result<Directory, EngineError> {
    let mut directory = Directory::default();
    load(tables, keys::AGENCIES, "agency", |record: AgencyRecord| {
        directory.restore(record);
        Ok(())
    })?;
    Ok(directory)
}

fn load_trust(tables: &dyn Tables, payloads: &dyn Payloads) -> Result<TrustStore, EngineError> {
    let mut trust = TrustStore::default();
    load(tables, keys::AUTHORITIES, "authority", |row: AuthorityRow| {
        let certificate = apply::parse_authority(&row.certificate)?;
        trust.add_authority(Arc::new(certificate), row.trusted_from);
        Ok(())
    })?;
    let authorities: Vec<Arc<Certificate>> = trust.authorities().to_vec();
    load(tables, keys::LISTS, "revocation list", |row: RevocationRow| {
        let list = load_list(payloads, &row.payload, &authorities)?;
        trust.add_list(Arc::new(list));
        Ok(())
    })?;
    Ok(trust)
}

fn load_list(
    payloads: &dyn Payloads,
    payload: &lienthong_model::Digest,
    authorities: &[Arc<Certificate>],
) -> Result<RevocationList, EngineError> {
    let der = apply::payload(payloads, payload)?;
    RevocationList::parse(&der, authorities).map_err(|error| EngineError::Damaged {
        what: format!("revocation list {payload}"),
        why: error.to_string(),
    })
}

fn load<T: for<'b> minicbor::Decode<'b, ()>>(
    tables: &dyn Tables,
    prefix: &[u8],
    what: &str,
    mut take: impl FnMut(T) -> Result<(), EngineError>,
) -> Result<(), EngineError> {
    let mut outcome = Ok(());
    tables.scan(prefix, prefix, &mut |_, row| {
        outcome = codec::decode(row, what).and_then(&mut take);
        outcome.is_ok()
    })?;
    outcome
}
