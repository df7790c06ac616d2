//! What every reader shares: rows, blocks, payloads, statistics, and the directory, trust and rules
//! of the last block on disk. Who has to act when these change watches them here.

use std::sync::{Arc, RwLock};

use bytes::Bytes;
use lienthong_core::engine::{Blocks, EngineError};
use lienthong_core::statistics::Cubes;
use lienthong_core::{
    Accepted, Block, ChangeMade, Command, Decision, Directory, DocumentRow, Entry, NoticeMailbox,
    Policy, Query, RoutingRules, Submit, TrustStore,
};
use lienthong_ledger::{Archived, JournalBlocks, PayloadFiles, SledState};
use lienthong_model::limits::JOURNAL_FILES_PLAIN;
use lienthong_model::{Fingerprint, MessageId, Ordinal, Position, Timestamp};
use lienthong_trust::{Anchors as _, Authorities, Certificate, Known};
use quick_cache::sync::Cache;
use tokio::sync::watch;

use crate::open_folder::OpenFolder;

mod contents;
mod questions;

pub use contents::{AttachmentBytes, KeptAttachment, KeptDocument};

/// Decoded blocks from before the recent ones that are kept for readers of a backlog.
const OLD_BLOCKS: usize = 32;
/// Policies as of earlier blocks that are kept for evidence; some megabytes each.
const OLD_POLICIES: usize = 4;
/// Certificates kept for deliveries.
const CERTIFICATES: usize = 16_384;

/// Reads what the hub knows; cheap to clone. The data folder is in use until the last clone is
/// dropped.
#[derive(Clone)]
pub struct Reader {
    state: Arc<SledState>,
    blocks: JournalBlocks,
    payloads: Arc<PayloadFiles>,
    cubes: Arc<RwLock<Cubes>>,
    published: Arc<watch::Sender<Published>>,
    caches: Arc<Caches>,
}

/// What judgement reads, as of the last block on disk.
struct Published {
    policy: Policy,
    /// The authorities of its trust.
    authorities: Arc<Authorities>,
}

struct Caches {
    /// Dropped with the last clone, after its share of the state.
    held: watch::Sender<()>,
    /// The last block that readers see.
    ordered: watch::Sender<u64>,
    blocks: Cache<u64, Arc<Block>>,
    certificates: Cache<Fingerprint, Bytes>,
    /// Policies as of earlier blocks, by the block of the last act that made them.
    policies: Cache<u64, Arc<Policy>>,
}

impl Reader {
    pub(crate) fn new(folder: &OpenFolder) -> Self {
        Self {
            state: folder.state.clone(),
            blocks: folder.blocks.clone(),
            payloads: folder.payloads.clone(),
            cubes: folder.machine.cubes(),
            published: Arc::new(watch::Sender::new(Published::of(folder.machine.policy()))),
            caches: Arc::new(Caches {
                held: watch::Sender::new(()),
                ordered: watch::Sender::new(last_of(&folder.blocks)),
                blocks: Cache::new(OLD_BLOCKS),
                certificates: Cache::new(CERTIFICATES),
                policies: Cache::new(OLD_POLICIES),
            }),
        }
    }

    /// Waits until every clone is dropped. Does not hold it itself.
    pub(crate) fn released(&self) -> impl Future<Output = ()> + Send + 'static {
        let mut held = self.caches.held.subscribe();
        async move { while held.changed().await.is_ok() {} }
    }

    /// Returns the directory.
    pub fn directory(&self) -> Arc<Directory> {
        self.published.borrow().policy.directory.clone()
    }

    /// Returns what is trusted.
    pub fn trust(&self) -> Arc<TrustStore> {
        self.published.borrow().policy.trust.clone()
    }

    /// Returns the routing rules.
    pub fn rules(&self) -> Arc<RoutingRules> {
        self.published.borrow().policy.rules.clone()
    }

    /// Returns what judgement reads, as of the last block on disk.
    pub fn policy(&self) -> Policy {
        self.published.borrow().policy.clone()
    }

    /// Publishes what judgement reads after a block that is on disk.
    pub(crate) fn set_policy(&self, policy: &Policy) {
        self.published.send_modify(|published| published.advance(policy));
    }

    /// Returns what completes each time that what is trusted has changed, with the newest.
    pub(crate) fn trust_changes(&self) -> TrustChanges {
        TrustChanges { seen: self.trust(), published: self.published.subscribe() }
    }

    /// Returns the number of the last block on disk; 0 when there is none.
    pub fn last_block(&self) -> u64 {
        last_of(&self.blocks)
    }

    pub(crate) fn blocks(&self) -> &JournalBlocks {
        &self.blocks
    }

    /// Returns the rows.
    pub fn query(&self) -> Query<'_, SledState> {
        Query(&*self.state)
    }

    /// Returns the mailboxes of notices.
    pub(crate) fn notice_mailbox(&self) -> NoticeMailbox<'_, SledState> {
        NoticeMailbox(&*self.state)
    }

    /// Tells when a block was ordered that readers see.
    pub(crate) fn blocks_ordered(&self) -> watch::Receiver<u64> {
        self.caches.ordered.subscribe()
    }

    /// Notes that readers see a block.
    pub(crate) fn note_ordered(&self, block: u64) {
        self.caches.ordered.send_replace(block);
    }

    /// Returns when a report was accepted, and what it does when it asks to take a document back.
    ///
    /// # Errors
    /// [`EngineError`] when a row or block is missing or damaged.
    pub(crate) fn first_report(
        &self,
        reporter: Ordinal,
        id: &MessageId,
    ) -> Result<(Option<Timestamp>, Option<Box<ChangeMade>>), EngineError> {
        let Some(place) = self.query().report_place(reporter, id)? else {
            return Ok((self.query().reported_at(reporter, id)?, None));
        };
        let block = self.block(place.block)?;
        let decision = block.entries.get(place.entry as usize).map(|entry| &entry.decision);
        match decision {
            Some(Decision::Reported(reported)) => Ok((Some(place.at), reported.change.clone())),
            _ => Err(EngineError::Damaged {
                what: format!("report {id}"),
                why: format!("entry {} of block {} accepts no report", place.entry, place.block),
            }),
        }
    }

    /// Archives the oldest journal file that was closed some time ago and is no archive yet.
    pub(crate) fn archive_oldest(&self) -> Result<Option<Archived>, EngineError> {
        self.blocks.archive_oldest(JOURNAL_FILES_PLAIN)
    }

    pub(crate) fn payloads(&self) -> &PayloadFiles {
        &self.payloads
    }

    pub(crate) fn policies(&self) -> &Cache<u64, Arc<Policy>> {
        &self.caches.policies
    }

    pub(crate) fn block(&self, number: u64) -> Result<Arc<Block>, EngineError> {
        if let Some(block) = self.caches.blocks.get(&number) {
            return Ok(block);
        }
        let block = self.blocks.block(number)?.ok_or_else(|| EngineError::Damaged {
            what: format!("block {number}"),
            why: "the journal ends before it".to_owned(),
        })?;
        self.caches.blocks.insert(number, block.clone());
        Ok(block)
    }

    fn known_certificate(&self, fingerprint: &Fingerprint) -> Result<Bytes, EngineError> {
        if let Some(der) = self.caches.certificates.get(fingerprint) {
            return Ok(der);
        }
        let der = self.query().certificate(fingerprint)?.ok_or_else(|| EngineError::Damaged {
            what: format!("certificate {fingerprint}"),
            why: "the state does not have it".to_owned(),
        })?;
        self.caches.certificates.insert(*fingerprint, der.clone());
        Ok(der)
    }
}

impl Known for Reader {
    fn certificate(&self, fingerprint: &Fingerprint) -> Option<Bytes> {
        match self.query().certificate(fingerprint) {
            Ok(der) => der,
            Err(error) => {
                tracing::error!(%error, %fingerprint, "cannot look a certificate up");
                None
            }
        }
    }

    fn authorities(&self) -> Arc<Authorities> {
        self.published.borrow().authorities.clone()
    }
}

impl Published {
    fn of(policy: &Policy) -> Self {
        Self { policy: policy.clone(), authorities: authorities(&policy.trust) }
    }

    fn advance(&mut self, policy: &Policy) {
        if !Arc::ptr_eq(&self.policy.trust, &policy.trust) {
            let authorities = authorities(&policy.trust);
            if authorities.digest() != self.authorities.digest() {
                self.authorities = authorities;
            }
        }
        self.policy = policy.clone();
    }
}

/// The last block of a journal; 0 when there is none.
fn last_of(blocks: &JournalBlocks) -> u64 {
    blocks.end().map_or(0, |end| end.block)
}

/// The authorities that a store of trust knows.
pub(crate) fn authorities(trust: &TrustStore) -> Arc<Authorities> {
    // A root is relied on from the block on that made it one; there is no other date.
    let ever = Timestamp::from_millis(i64::MAX);
    let is_root = |known: &Certificate| trust.trusts(known.fingerprint(), ever);
    Arc::new(Authorities::new(trust.authorities().iter().cloned(), is_root))
}

/// Watches what is trusted.
pub(crate) struct TrustChanges {
    seen: Arc<TrustStore>,
    published: watch::Receiver<Published>,
}

impl TrustChanges {
    /// Waits until what is trusted is another than at the call before; `None` when no reader is
    /// left.
    pub async fn next(&mut self) -> Option<Arc<TrustStore>> {
        let seen = &self.seen;
        let changed = |now: &Published| !Arc::ptr_eq(&now.policy.trust, seen);
        let trust = self.published.wait_for(changed).await.ok()?.policy.trust.clone();
        self.seen = trust.clone();
        Some(trust)
    }
}

/// The entry that a document's row names.
pub(crate) fn entry<'b>(
    block: &'b Block,
    position: Position,
    row: &DocumentRow,
) -> Result<(&'b Submit, &'b Accepted), EngineError> {
    match block.entries.get(row.entry as usize) {
        Some(Entry {
            command: Command::Submit(submit),
            decision: Decision::Accepted(accepted),
        }) => Ok((submit, accepted)),
        _ => Err(EngineError::Damaged {
            what: format!("document {position}"),
            why: format!("entry {} of block {} accepts no document", row.entry, row.block),
        }),
    }
}
