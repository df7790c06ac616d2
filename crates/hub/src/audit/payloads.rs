//! The contents that the journal names: payload files, there and with the bytes that they must have,
//! and what was taken out of blocks. What is not there has expired, or is lost: that the end of the
//! journal says.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::path::PathBuf;

use lienthong_core::Retention;
use lienthong_core::audit::{FlawKind, NamedPayload, TakenOutContent};
use lienthong_core::block::Block;
use lienthong_core::engine::EngineError;
use lienthong_ledger::{ExaminedPayload, FoundBlock};
use lienthong_model::limits::CONTENT_BYTES_MAX;
use lienthong_model::{Digest, Timestamp};
use lienthong_trust::dsse;

use super::findings::{Finding, FindingKind, Findings, Place};
use crate::retention::Missing;

/// Checks payload files, each file once.
pub(super) struct PayloadCheck {
    folder: PathBuf,
    seen: HashSet<Digest>,
    bytes: u64,
    /// What was not there, with when it was named last, none for what is kept for
    /// ever, and what to say of it.
    missing: HashMap<Digest, (Option<Timestamp>, Finding)>,
    taken_out: Missing<Finding>,
    retention: Retention,
    time: Timestamp,
    expired: u64,
}

impl PayloadCheck {
    pub fn new(folder: PathBuf) -> Self {
        Self {
            folder,
            seen: HashSet::new(),
            bytes: 0,
            missing: HashMap::new(),
            taken_out: Missing::none(),
            retention: Retention::default(),
            time: Timestamp::MIN,
            expired: 0,
        }
    }

    /// How many files were named.
    pub fn files(&self) -> u64 {
        self.seen.len() as u64
    }

    /// How many bytes those have that are there.
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    /// How many have expired.
    pub fn expired(&self) -> u64 {
        self.expired
    }

    /// Takes over what a block says about how long contents are kept.
    pub fn end_block(&mut self, block: &Block) {
        for entry in &block.entries {
            self.retention.take_over(&entry.command, block.time);
        }
        self.time = block.time;
    }

    /// At the end of the journal: what was not there has expired, or is a finding.
    pub fn finish(&mut self, findings: &mut Findings) {
        let kept_from = self.retention.kept_from(self.time);
        let missing = std::mem::take(&mut self.missing);
        let mut lost = BTreeMap::new();
        for (digest, (named, finding)) in missing {
            match named.zip(kept_from) {
                Some((named, kept_from)) if named < kept_from => self.expired += 1,
                _ => drop(lost.insert(digest, finding)),
            }
        }
        match self.taken_out.lost(self.retention, self.time) {
            Some(finding) => findings.add(finding.clone()),
            None => self.expired += self.taken_out.contents,
        }
        lost.into_values().for_each(|finding| findings.add(finding));
    }

    /// Notes what was taken out of a block.
    pub fn taken_out(&mut self, taken_out: &[TakenOutContent], of: &FoundBlock) {
        for content in taken_out {
            let why = "its content was taken out, and its term has not passed".to_owned();
            let place = Place::of(of, Some(content.entry));
            let finding = Finding::at(FindingKind::PayloadMissing, place, why);
            self.taken_out.add(of.block.block.time, finding);
        }
    }

    /// Looks at a file that an entry names.
    pub fn look(
        &mut self,
        named: &NamedPayload,
        by: &FoundBlock,
        findings: &mut Findings,
    ) -> Result<(), EngineError> {
        let first = self.seen.insert(named.digest);
        let named_at = (!named.for_ever).then_some(by.block.block.time);
        if let Some((last, _)) = self.missing.get_mut(&named.digest) {
            *last = last.and(named_at);
        }
        if !first && named.signed.is_none() {
            return Ok(());
        }
        let [shelved, proposed] = ExaminedPayload::names(&named.digest);
        let mut add = |name: &str, kind, why: String| {
            let file = Some(format!("payloads/{name}"));
            let place = Place { file, offset: None, ..Place::of(by, Some(named.entry)) };
            findings.add(Finding::at(kind, place, why));
        };
        if first {
            let Some(file) = ExaminedPayload::read(&self.folder, &named.digest)? else {
                let file = Some(format!("payloads/{shelved}"));
                let place = Place { file, offset: None, ..Place::of(by, Some(named.entry)) };
                let why = "the file is missing".to_owned();
                let finding = Finding::at(FindingKind::PayloadMissing, place, why);
                self.missing.insert(named.digest, (named_at, finding));
                return Ok(());
            };
            self.bytes += file.bytes;
            if file.digest != named.digest {
                let why = format!("its {} bytes have the SHA-256 {}", file.bytes, file.digest);
                add(&file.name, FindingKind::PayloadChanged, why);
                return Ok(());
            }
            if let Some(size) = named.size.filter(|size| *size != file.bytes) {
                let why = format!("it has {} bytes, the entry says {size}", file.bytes);
                add(&file.name, FindingKind::PayloadChanged, why);
            }
        }
        for name in [&shelved, &proposed] {
            if let Some(why) = self.unlike_content(name, named)? {
                add(name, FindingKind::Block(FlawKind::Digest), why);
            }
        }
        Ok(())
    }

    /// Whether a signed content in a file has another digest than its entry says.
    fn unlike_content(
        &self,
        name: &str,
        named: &NamedPayload,
    ) -> Result<Option<String>, EngineError> {
        let Some((content_type, digest)) = &named.signed else { return Ok(None) };
        let path = self.folder.join(name);
        let small = std::fs::metadata(&path).is_ok_and(|m| m.len() <= CONTENT_BYTES_MAX as u64);
        if !small {
            return Ok(None);
        }
        let content = std::fs::read(&path).map_err(|source| EngineError::Io {
            doing: "read",
            path: path.display().to_string(),
            source,
        })?;
        let found = dsse::content_digest(content_type, &content);
        Ok((found != *digest)
            .then(|| format!("the content has the digest {found}, the entry says {digest}")))
    }
}
