//! Documents and reports as they were signed, from the journal and from payload files.

use bytes::Bytes;
use lienthong_core::engine::{EngineError, Payloads};
use lienthong_core::{Accepted, Command, DocumentRow, NoticeCause, SignedRecord, Stored, Submit};
use lienthong_model::{
    Attachment, AttachmentHeader, Digest, MessageId, Position, SignatureEntry, SignedContent,
    Timestamp,
};

use super::{Reader, entry};

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

impl Reader {
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
}
