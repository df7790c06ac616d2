//! What every reader shares: rows, blocks, payloads, statistics, and the directory, trust and rules
//! of the last block on disk. Who has to act when these change watches them here.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::sync::{Arc, RwLock};

use bytes::Bytes;
use lienthong_core::engine::{Blocks, EngineError, Payloads};
use lienthong_core::statistics::{
    self, Answer, Cubes, Figure, Flow, Period, ProgressCell, Question, Refusals, Unanswerable,
    Until, Volumes,
};
use lienthong_core::{
    Accepted, Block, ChangeMade, Command, Decision, Directory, DocumentRow, Entry, NoticeCause,
    NoticeMailbox, Policy, Query, RoutingRules, SignedRecord, Stored, Submit, TrustStore,
};
use lienthong_ledger::{Archived, JournalBlocks, PayloadFiles, SledState};
use lienthong_model::limits::JOURNAL_FILES_PLAIN;
use lienthong_model::{
    Attachment, AttachmentHeader, Digest, Fingerprint, Level, MessageId, Ordinal, Position,
    SignatureEntry, SignedContent, Timestamp,
};
use lienthong_trust::{Anchors as _, Authorities, Certificate, Known};
use quick_cache::sync::Cache;
use tokio::sync::watch;

use crate::open_folder::OpenFolder;

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

/// What a notice follows from.
pub(crate) struct CauseContent {
    /// The id of the report or document.
    pub id: MessageId,
    /// The report as it was signed; none of a document, which is delivered by itself.
    pub report: Option<SignedContent>,
}

/// A document as it was sent.
#[derive(Debug, Clone, PartialEq)]
pub struct KeptDocument {
    /// What is known of it.
    pub row: DocumentRow,
    /// The signed bytes, and the attachments that travelled beside them.
    pub content: SignedContent,
    /// The attachments that did not.
    pub uploaded: Vec<AttachmentHeader>,
}

/// An attachment of an accepted document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeptAttachment {
    /// What the document says of it.
    pub header: AttachmentHeader,
    /// Where it is.
    pub bytes: AttachmentBytes,
}

/// Where the bytes of an attachment are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AttachmentBytes {
    /// In the journal.
    Here(Bytes),
    /// In the payload file of its digest.
    Payload,
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

    /// Returns the report or document that a notice follows from.
    ///
    /// # Errors
    /// [`EngineError`] when a block or payload is missing or damaged.
    pub(crate) fn cause(&self, cause: &NoticeCause) -> Result<CauseContent, EngineError> {
        let block = self.block(cause.block)?;
        match block.entries.get(cause.entry as usize).map(|entry| &entry.command) {
            Some(Command::Report(report)) => {
                let signed = self.assemble(&report.signed)?;
                Ok(CauseContent { id: report.header.id, report: Some(signed) })
            }
            Some(Command::Submit(submit)) => {
                Ok(CauseContent { id: submit.header.id, report: None })
            }
            _ => Err(EngineError::Damaged {
                what: format!("what is at {}", cause.position),
                why: format!("entry {} of block {} takes in nothing", cause.entry, cause.block),
            }),
        }
    }

    /// Returns documents by province and level.
    ///
    /// # Errors
    /// [`EngineError`] when a page cannot be read.
    pub fn volumes(&self, period: Period) -> Result<Volumes, EngineError> {
        statistics::volumes(&self.cubes, &*self.state, period)
    }

    /// Returns deliveries between places.
    ///
    /// # Errors
    /// [`EngineError`] when a page cannot be read.
    pub fn flows(&self, period: Period) -> Result<Vec<Flow>, EngineError> {
        statistics::flows(&self.cubes, &*self.state, period)
    }

    /// Returns refusals by province and reason.
    ///
    /// # Errors
    /// [`EngineError`] when a page cannot be read.
    pub fn refusals(&self, period: Period) -> Result<Refusals, EngineError> {
        statistics::refusals(&self.cubes, &*self.state, period)
    }

    /// Counts the deliveries that arrived by level and by how long it took, in business time.
    ///
    /// # Errors
    /// [`EngineError`] when a page cannot be read.
    pub(crate) fn arrivals(&self) -> Result<BTreeMap<(Level, Figure), u64>, EngineError> {
        let buckets: BTreeSet<Figure> = Figure::buckets(Until::Arrived).collect();
        let mut counts = BTreeMap::new();
        statistics::visit_progress(&self.cubes, &*self.state, Period::ALL, &mut |found| {
            let ProgressCell { level, figure } = found.key;
            if buckets.contains(&figure) {
                *counts.entry((level, figure)).or_default() += found.cell.count;
            }
        })?;
        Ok(counts)
    }

    /// Answers a question to the statistics.
    ///
    /// # Errors
    /// [`EngineError`] when a page cannot be read; within, why there is no answer.
    pub fn ask(&self, question: &Question) -> Result<Result<Answer, Unanswerable>, EngineError> {
        self.with_statistics(|source| source.ask(question))
    }

    /// Answers a question with some of its rows.
    ///
    /// # Errors
    /// [`EngineError`] when a page cannot be read; within, why there is no answer.
    pub(crate) fn ask_rows(
        &self,
        question: &Question,
        rows: Range<usize>,
    ) -> Result<Result<Answer, Unanswerable>, EngineError> {
        self.with_statistics(|source| source.ask_rows(question, rows))
    }

    /// Asks the statistics, with the directory of the last block on disk.
    pub fn with_statistics<T>(&self, ask: impl FnOnce(&statistics::Source<'_>) -> T) -> T {
        let directory = self.directory();
        ask(&statistics::Source { cubes: &self.cubes, tables: &*self.state, directory: &directory })
    }

    /// Returns a document as it was sent, with its row; `None` when there is none at that place.
    ///
    /// # Errors
    /// [`EngineError`] when a row, block or payload is missing or damaged.
    pub fn content(&self, position: Position) -> Result<Option<KeptDocument>, EngineError> {
        let Some(row) = self.query().document(position)? else { return Ok(None) };
        let block = self.block(row.block)?;
        let (submit, _) = entry(&block, position, &row)?;
        let content = self.assemble(&submit.signed)?;
        let uploaded = submit.uploaded().cloned().collect();
        Ok(Some(KeptDocument { row, content, uploaded }))
    }

    /// Returns where the bytes of an attachment are; `None` when there is no document at that place,
    /// or it names no such attachment.
    ///
    /// # Errors
    /// [`EngineError`] when a row or block is missing or damaged.
    pub fn attachment(
        &self,
        position: Position,
        content_id: &str,
    ) -> Result<Option<KeptAttachment>, EngineError> {
        let Some(row) = self.query().document(position)? else { return Ok(None) };
        let block = self.block(row.block)?;
        let (submit, _) = entry(&block, position, &row)?;
        let named = submit.header.attachments.iter().find(|named| named.content_id == content_id);
        let Some(header) = named.cloned() else { return Ok(None) };
        let beside = submit.signed.attachments.iter().find(|one| one.content_id == content_id);
        let bytes = match beside.map(|beside| &beside.bytes) {
            Some(Stored::Inline(bytes)) => AttachmentBytes::Here(bytes.clone()),
            Some(Stored::Payload { .. }) | None => AttachmentBytes::Payload,
            Some(Stored::Apart { digest, .. }) => return Err(EngineError::Expired(*digest)),
        };
        Ok(Some(KeptAttachment { header, bytes }))
    }

    /// Returns when and how a document was accepted; `None` when there is none at that place.
    ///
    /// # Errors
    /// [`EngineError`] when a row or block is missing or damaged.
    pub fn accepted(
        &self,
        position: Position,
    ) -> Result<Option<(Timestamp, Accepted)>, EngineError> {
        let Some(row) = self.query().document(position)? else { return Ok(None) };
        let block = self.block(row.block)?;
        let (_, accepted) = entry(&block, position, &row)?;
        Ok(Some((row.received_at, accepted.clone())))
    }

    /// Returns what the journal has of a document's acceptance.
    ///
    /// # Errors
    /// [`EngineError`] when the block is missing or damaged.
    pub(crate) fn entry_of(
        &self,
        position: Position,
        row: &DocumentRow,
    ) -> Result<(Submit, Accepted), EngineError> {
        let block = self.block(row.block)?;
        let (submit, accepted) = entry(&block, position, row)?;
        Ok((submit.clone(), accepted.clone()))
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

    fn assemble(&self, signed: &SignedRecord) -> Result<SignedContent, EngineError> {
        let mut certificates = Vec::new();
        for signature in &signed.signatures {
            // Whoever receives it has roots of its own.
            let without_root = signature.chain.len().saturating_sub(1);
            for fingerprint in signature.chain.iter().take(without_root) {
                let der = self.known_certificate(fingerprint)?;
                if !certificates.contains(&der) {
                    certificates.push(der);
                }
            }
        }
        let attachments = signed.attachments.iter().map(|attachment| {
            let bytes = self.stored(&attachment.bytes)?;
            Ok(Attachment { content_id: attachment.content_id.clone(), bytes })
        });
        let signatures = signed.signatures.iter().filter_map(|signature| {
            let certificate = *signature.chain.first()?;
            Some(SignatureEntry { certificate, value: signature.value.clone() })
        });
        Ok(SignedContent {
            content_type: signed.content_type.clone(),
            content: self.stored(&signed.content)?,
            signatures: signatures.collect(),
            certificates,
            attachments: attachments.collect::<Result<_, EngineError>>()?,
        })
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

    fn stored(&self, stored: &Stored) -> Result<Bytes, EngineError> {
        match stored {
            Stored::Inline(bytes) => Ok(bytes.clone()),
            Stored::Apart { digest, .. } => Err(EngineError::Expired(*digest)),
            Stored::Payload { digest, .. } => {
                let found = self.payloads.get(digest)?;
                found.map_or_else(|| Err(self.missing(digest)?), Ok)
            }
        }
    }

    /// Why a payload file is not there.
    pub(crate) fn missing(&self, digest: &Digest) -> Result<EngineError, EngineError> {
        Ok(match self.content_expired(digest)? {
            true => EngineError::Expired(*digest),
            false => EngineError::Damaged {
                what: format!("payload {digest}"),
                why: "the file is missing".to_owned(),
            },
        })
    }

    fn content_expired(&self, digest: &Digest) -> Result<bool, EngineError> {
        match self.contents_kept_from()? {
            Some(kept_from) => self.query().content_expired(digest, kept_from),
            None => Ok(false),
        }
    }

    /// The moment from which on contents are kept, as of the last block; none: all are.
    pub(crate) fn contents_kept_from(&self) -> Result<Option<Timestamp>, EngineError> {
        let retention = self.policy().retention;
        Ok(self.query().last_block_time()?.and_then(|now| retention.kept_from(now)))
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
