//! What can still be read of a damaged data folder: every accepted document whose block is whole, in
//! order, before and behind whatever is damaged. Nothing in the folder is changed.
//!
//! A certificate stands in the journal once, where it came first. When that block cannot be read, the
//! documents that it signed are given without it, and say so.

use std::collections::HashMap;
use std::path::Path;

use bytes::Bytes;
use lienthong_core::engine::{EngineError, Payloads as _};
use lienthong_core::{Command, Decision, SignedRecord, Submit};
use lienthong_ledger::{FolderLock, JournalAudit, Step};
use lienthong_model::{
    AgencyCode, Attachment, AttachmentHeader, Digest, Fingerprint, MessageId, Position,
    SignatureEntry, SignedContent, Timestamp,
};

use super::at_rest::AtRest;
use super::findings::Finding;

/// What is read from.
#[derive(Debug)]
pub struct Salvage<'a> {
    /// The data folder. No hub may use it meanwhile.
    pub data: &'a Path,
}

/// A document that can be read.
#[derive(Debug)]
pub struct SalvagedDocument {
    /// Its place in the log.
    pub position: Position,
    /// The block that holds it.
    pub block: u64,
    /// When that block was made.
    pub received_at: Timestamp,
    /// The sender, as written.
    pub sender: AgencyCode,
    /// Its id.
    pub id: MessageId,
    /// What was signed and by whom, with every attachment that can be read.
    pub signed: SignedContent,
    /// Every attachment that it names, with what is known of it.
    pub attachments: Vec<AttachmentHeader>,
    /// What of it cannot be read.
    pub missing: Vec<String>,
}

/// What came of it.
#[derive(Debug, Default)]
pub struct Salvaged {
    /// Documents that were read whole.
    pub whole: u64,
    /// Documents of which something is missing.
    pub incomplete: u64,
    /// Accepted documents whose content cannot be read: what they are, and why.
    pub lost: Vec<String>,
    /// Damaged places of the journal. Documents that were in them are not known.
    pub damage: Vec<Finding>,
}

impl Salvage<'_> {
    /// Reads, and hands on every document; `progress` is told the bytes read and how many there are.
    ///
    /// # Errors
    /// [`EngineError`] when the folder is in use, was written by a newer version, or the operating
    /// system does not give its bytes; what `take` returns.
    pub fn run<E: From<EngineError>>(
        self,
        mut take: impl FnMut(SalvagedDocument) -> Result<(), E>,
        mut progress: impl FnMut(u64, u64),
    ) -> Result<Salvaged, E> {
        let _lock = FolderLock::take_existing(self.data)?;
        let mut journal = JournalAudit::open(&self.data.join("journal"))?;
        let mut reading = Reading { payloads: AtRest::of(self.data), certificates: HashMap::new() };
        let mut salvaged = Salvaged::default();
        while let Some(step) = journal.next() {
            let found = match step? {
                Step::Block(found) => found.block,
                Step::Damage(damage) => {
                    salvaged.damage.push(Finding::of_damage(damage));
                    continue;
                }
            };
            let at = (found.marker.block, found.block.time);
            for entry in &found.block.entries {
                reading.note_certificates(&entry.command);
                let (Command::Submit(submit), Decision::Accepted(accepted)) =
                    (&entry.command, &entry.decision)
                else {
                    continue;
                };
                match reading.document(submit, accepted.position, at) {
                    Ok(document) => {
                        let whole = document.missing.is_empty();
                        salvaged.whole += u64::from(whole);
                        salvaged.incomplete += u64::from(!whole);
                        take(document)?;
                    }
                    Err(error @ (EngineError::Damaged { .. } | EngineError::Expired(_))) => {
                        let (sender, id) = (&submit.header.sender, submit.header.id);
                        salvaged.lost.push(format!("{id} of {sender}: {error}"));
                    }
                    Err(error) => return Err(error.into()),
                }
            }
            progress(journal.bytes_read(), journal.bytes());
        }
        Ok(salvaged)
    }
}

struct Reading {
    payloads: AtRest,
    certificates: HashMap<Fingerprint, Bytes>,
}

impl Reading {
    fn note_certificates(&mut self, command: &Command) {
        let new = match command {
            Command::Submit(submit) => &submit.signed.new_certificates[..],
            Command::Report(report) => &report.signed.new_certificates,
            Command::AddAuthority(added) => std::slice::from_ref(&added.certificate),
            _ => return,
        };
        for der in new {
            self.certificates.insert(Fingerprint::of(&der.0), der.0.clone());
        }
    }

    fn document(
        &self,
        submit: &Submit,
        position: Position,
        (block, received_at): (u64, Timestamp),
    ) -> Result<SalvagedDocument, EngineError> {
        let mut missing = Vec::new();
        let record = &submit.signed;
        let signed = SignedContent {
            content_type: record.content_type.clone(),
            content: self.payloads.stored(&record.content)?,
            signatures: signatures(record),
            certificates: self.chains(record, &mut missing),
            attachments: self.attachments(submit, &mut missing)?,
        };
        let header = &submit.header;
        Ok(SalvagedDocument {
            position,
            block,
            received_at,
            sender: header.sender.clone(),
            id: header.id,
            signed,
            attachments: header.attachments.clone(),
            missing,
        })
    }

    /// The certificates of a record's chains, without the roots.
    fn chains(&self, record: &SignedRecord, missing: &mut Vec<String>) -> Vec<Bytes> {
        let mut chains: Vec<Bytes> = Vec::new();
        for signature in &record.signatures {
            let without_root = signature.chain.len().saturating_sub(1);
            for fingerprint in signature.chain.iter().take(without_root) {
                match self.certificates.get(fingerprint) {
                    Some(der) if chains.contains(der) => {}
                    Some(der) => chains.push(der.clone()),
                    None => missing.push(format!("certificate {fingerprint}")),
                }
            }
        }
        chains
    }

    /// Attachments that travelled beside the content, and those that were uploaded.
    fn attachments(
        &self,
        submit: &Submit,
        missing: &mut Vec<String>,
    ) -> Result<Vec<Attachment>, EngineError> {
        let beside = submit.signed.attachments.iter();
        let beside = beside.map(|one| (&one.content_id, self.payloads.stored(&one.bytes)));
        let uploaded = submit.uploaded().map(|one| (&one.content_id, self.uploaded(&one.sha256)));
        let mut attachments = Vec::new();
        for (content_id, bytes) in beside.chain(uploaded) {
            match bytes {
                Ok(bytes) => {
                    attachments.push(Attachment { content_id: content_id.clone(), bytes });
                }
                Err(error @ (EngineError::Damaged { .. } | EngineError::Expired(_))) => {
                    missing.push(format!("attachment `{content_id}`: {error}"));
                }
                Err(error) => return Err(error),
            }
        }
        Ok(attachments)
    }

    fn uploaded(&self, sha256: &Digest) -> Result<Bytes, EngineError> {
        self.payloads.get(sha256)?.ok_or_else(|| EngineError::Damaged {
            what: format!("payload {sha256}"),
            why: "the file is missing".to_owned(),
        })
    }
}

fn signatures(record: &SignedRecord) -> Vec<SignatureEntry> {
    let entry = |signature: &lienthong_core::SignatureRecord| {
        let certificate = *signature.chain.first()?;
        Some(SignatureEntry { certificate, value: signature.value.clone() })
    };
    record.signatures.iter().filter_map(entry).collect()
}
