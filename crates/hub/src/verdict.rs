//! What the verdict on an accepted document rested on, as it stood when it was decided: the policy
//! of that place in the journal is folded anew from the acts of administration before it.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use lienthong_core::engine::{EngineError, Payloads as _};
use lienthong_core::{Accepted, Block, DocumentRow, Policy};
use lienthong_model::{Fingerprint, Position, SignedContent, Timestamp};

use crate::reader::{KeptDocument, Reader, entry};

/// A verdict and what it rested on.
pub(crate) struct Verdict {
    /// The document as it was sent.
    pub content: SignedContent,
    pub received_at: Timestamp,
    pub accepted: Accepted,
    /// The certificates of all its chains, roots too.
    pub chains: Vec<Fingerprint>,
    /// The version of the rules of judgement.
    pub rules: u16,
    /// How far ahead of the hub's clock a sender's could be.
    pub clock_ahead: Duration,
    /// What judgement read.
    pub policy: Policy,
    /// The revocation lists of the chains' authorities in force, in DER.
    pub lists: Vec<Bytes>,
}

impl Reader {
    /// Returns what the verdict on a document rested on; `None` when there is none at that place.
    ///
    /// # Errors
    /// [`EngineError`] when a row, block or payload is missing or damaged.
    pub(crate) fn verdict(&self, position: Position) -> Result<Option<Verdict>, EngineError> {
        let Some(kept) = self.content(position)? else { return Ok(None) };
        let KeptDocument { row, content, .. } = kept;
        let block = self.block(row.block)?;
        let (submit, accepted) = entry(&block, position, &row)?;
        let policy = self.policy_at(&block, &row)?;
        let chains: Vec<Fingerprint> =
            submit.signed.signatures.iter().flat_map(|one| one.chain.iter().copied()).collect();
        let lists = self.lists_of(&policy, &chains)?;
        Ok(Some(Verdict {
            content,
            received_at: row.received_at,
            accepted: accepted.clone(),
            chains,
            rules: block.rules,
            clock_ahead: Duration::from_millis(block.clock_ahead_ms),
            policy,
            lists,
        }))
    }

    /// The policy by which the entry of a document was judged.
    fn policy_at(&self, block: &Block, row: &DocumentRow) -> Result<Policy, EngineError> {
        let mut policy = (*self.policy_before(block.number)?).clone();
        for before in block.entries.iter().take(row.entry as usize) {
            policy.take_over(&before.command, block.time, self.payloads())?;
        }
        Ok(policy)
    }

    /// The policy as of the block before one. Kept by the last act that made it.
    fn policy_before(&self, block: u64) -> Result<Arc<Policy>, EngineError> {
        let acts = self.query().acts_until(block.saturating_sub(1))?;
        let last = acts.last().copied().unwrap_or(0);
        self.policies().get_or_insert_with(&last, || {
            let mut policy = Policy::default();
            for number in acts {
                let block = self.block(number)?;
                for entry in &block.entries {
                    policy.take_over(&entry.command, block.time, self.payloads())?;
                }
            }
            Ok(Arc::new(policy))
        })
    }

    fn lists_of(&self, policy: &Policy, chains: &[Fingerprint]) -> Result<Vec<Bytes>, EngineError> {
        let authorities = policy.trust.authorities().iter();
        let mut digests: Vec<_> = authorities
            .filter(|known| chains.contains(known.fingerprint()))
            .filter_map(|known| policy.trust.list(known.authority()))
            .map(|list| list.digest)
            .collect();
        digests.sort_unstable();
        digests.dedup();
        let read = |digest| {
            self.payloads().get(&digest)?.ok_or_else(|| EngineError::Damaged {
                what: format!("revocation list {digest}"),
                why: "the file is missing".to_owned(),
            })
        };
        digests.into_iter().map(read).collect()
    }
}
