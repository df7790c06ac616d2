//! A download's task: pieces come from the disk as fast as they are taken.

use std::fs::File;
use std::io::{self, Read as _, Seek as _, SeekFrom};

use bytes::{Bytes, BytesMut};
use lienthong_model::limits::{TRANSFER_CHUNK_BYTES, TRANSFER_SILENCE_MAX};
use lienthong_model::{AgencyCode, Digest, Digester, MessageId, Reason, Refusal, Timestamp};
use tokio::sync::mpsc;
use tokio::time::timeout;
use tokio_stream::wrappers::ReceiverStream;

use super::{Piece, Told, Transfers, WAITING_MAX, silent};
use crate::caller::MayExchange;
use crate::places::SharedPlace;
use crate::present::unreadable;
use crate::reader::{AttachmentBytes, KeptAttachment};

/// Which attachment is wanted, from which byte on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Wanted {
    pub sender: AgencyCode,
    pub id: MessageId,
    pub content_id: String,
    pub offset: u64,
}

/// An attachment that is being read.
struct Reading {
    source: Source,
    at: u64,
    size: u64,
    /// The SHA-256 so far, where it is read from its beginning, and what it must be.
    digester: Option<Digester>,
    sha256: Digest,
}

enum Source {
    Bytes(Bytes),
    File(File),
}

impl Transfers {
    /// Returns an attachment piece by piece, from an offset on. Read from its beginning it is
    /// checked on the way: bytes that are not what was uploaded end in STORAGE_DAMAGED.
    ///
    /// # Errors
    /// DOCUMENT_UNKNOWN for whoever is no party to the document, and when it names no such
    /// attachment; FIELD_INVALID for an offset beyond its end; OVERLOADED.
    pub fn download(
        &self,
        permit: MayExchange,
        wanted: &Wanted,
        now: Timestamp,
        drained: impl Future<Output = ()> + Send + 'static,
    ) -> Result<Told<Piece>, Refusal> {
        let kept = self.attachment(permit, wanted, now)?;
        let size = kept.header.size;
        if wanted.offset > size {
            let value = format!("{}, the attachment has {size} bytes", wanted.offset);
            return Err(Refusal::at(Reason::FieldInvalid, "offset", value));
        }
        let place = self.places.take(permit.0.agency)?;
        let reading = self.reading(kept, wanted.offset)?;
        let (say, saying) = mpsc::channel(WAITING_MAX);
        tokio::spawn(give(reading, say, place, drained));
        Ok(ReceiverStream::new(saying))
    }

    /// The attachment, when the caller is a party to its document.
    fn attachment(
        &self,
        permit: MayExchange,
        wanted: &Wanted,
        now: Timestamp,
    ) -> Result<KeptAttachment, Refusal> {
        let (directory, caller) = (self.reader.directory(), permit.0.agency);
        let position = self
            .reader
            .query()
            .position_as(&directory, caller, &wanted.sender, &wanted.id, now)
            .map_err(|error| unreadable(&error))?
            .ok_or_else(|| Refusal::at(Reason::DocumentUnknown, "id", wanted.id))?;
        self.reader
            .attachment(position, &wanted.content_id)
            .map_err(|error| unreadable(&error))?
            .ok_or_else(|| Refusal::at(Reason::DocumentUnknown, "content_id", &wanted.content_id))
    }

    fn reading(&self, kept: KeptAttachment, offset: u64) -> Result<Reading, Refusal> {
        let source = match kept.bytes {
            AttachmentBytes::Here(bytes) => Source::Bytes(bytes),
            AttachmentBytes::Payload => Source::File(self.open(&kept, offset)?),
        };
        Ok(Reading {
            source,
            at: offset,
            size: kept.header.size,
            digester: (offset == 0).then(Digester::default),
            sha256: kept.header.sha256,
        })
    }

    fn open(&self, kept: &KeptAttachment, offset: u64) -> Result<File, Refusal> {
        let damaged = |why: &dyn std::fmt::Display| {
            let (digest, content_id) = (kept.header.sha256, &kept.header.content_id);
            tracing::error!(%digest, %content_id, %why, "cannot read a payload file");
            Refusal::new(Reason::StorageDamaged)
        };
        let found = self.payloads.file(&kept.header.sha256).map_err(|error| damaged(&error))?;
        let Some(mut found) = found else {
            let missing = self.reader.missing(&kept.header.sha256);
            return Err(unreadable(&missing.unwrap_or_else(|error| error)));
        };
        if found.size != kept.header.size {
            return Err(damaged(&format_args!("it has {} bytes", found.size)));
        }
        found.file.seek(SeekFrom::Start(offset)).map_err(|error| damaged(&error))?;
        Ok(found.file)
    }
}

/// Reads and hands on until the end; whoever takes nothing for too long is left.
async fn give(
    mut reading: Reading,
    say: mpsc::Sender<Result<Piece, Refusal>>,
    _place: SharedPlace,
    drained: impl Future<Output = ()> + Send,
) {
    let mut drained = std::pin::pin!(drained);
    while reading.at < reading.size {
        let read = tokio::task::spawn_blocking(move || {
            let piece = reading.next();
            (reading, piece)
        });
        let Ok((back, piece)) = read.await else { return };
        reading = back;
        let piece = piece.map_err(|error| {
            tracing::error!(%error, digest = %reading.sha256, "cannot read a payload file");
            Refusal::new(Reason::StorageDamaged)
        });
        let last = piece.is_err();
        let sent = tokio::select! {
            sent = timeout(TRANSFER_SILENCE_MAX, say.send(piece)) => sent,
            () = &mut drained => {
                let _ = say.try_send(Err(Refusal::new(Reason::Draining)));
                return;
            }
        };
        match sent {
            Ok(Ok(())) if !last => {}
            Ok(_) => return,
            Err(_) => {
                let _ = say.try_send(Err(silent()));
                return;
            }
        }
    }
}

impl Reading {
    /// The next piece. The last one is not handed on when the whole has another SHA-256.
    fn next(&mut self) -> io::Result<Piece> {
        let (offset, left) = (self.at, self.size - self.at);
        let count = usize::try_from(left).unwrap_or(usize::MAX).min(TRANSFER_CHUNK_BYTES);
        let bytes = match &mut self.source {
            Source::Bytes(bytes) => {
                let from = usize::try_from(offset).unwrap_or(usize::MAX).min(bytes.len());
                bytes.slice(from..from.saturating_add(count).min(bytes.len()))
            }
            Source::File(file) => {
                let mut buffer = BytesMut::zeroed(count);
                file.read_exact(&mut buffer)?;
                buffer.freeze()
            }
        };
        if bytes.is_empty() {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        self.at += bytes.len() as u64;
        if let Some(digester) = &mut self.digester {
            digester.update(&bytes);
        }
        if self.at == self.size
            && let Some(found) = self.digester.take().map(Digester::finish)
            && found != self.sha256
        {
            return Err(io::Error::other(format!("its bytes have the SHA-256 {found}")));
        }
        Ok(Piece { offset, bytes })
    }
}
