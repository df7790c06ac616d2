//! Large attachments: uploaded before the document that names them, downloaded after it.
//!
//! Both go from file to file, one piece at a time, so that memory does not grow with the attachment;
//! both go on where the last attempt ended, in this process or another, and check the SHA-256.

mod download;
mod upload;

use std::io;
use std::path::{Path, PathBuf};
use std::time::Instant;

use lienthong_model::limits::TRANSFER_CHUNK_BYTES;
use lienthong_model::{AgencyCode, Digest, Digester, MessageId};
use tokio::io::AsyncReadExt as _;

use crate::client::Shared;
use crate::error::{CallError, Setback, Verdict};
use crate::retry::Backoff;

/// How many bytes a file has, and their SHA-256.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FileDigest {
    /// Bytes.
    pub size: u64,
    /// SHA-256.
    pub sha256: Digest,
}

/// Where an attachment is: the document that names it, and by which name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AttachmentPlace {
    /// The document's sender.
    pub sender: AgencyCode,
    /// The document's id.
    pub document: MessageId,
    /// The content id by which the document names it.
    pub content_id: String,
}

/// Why an attachment did not get through.
#[derive(Debug, thiserror::Error)]
pub enum TransferError {
    /// The hub declined, or could not be reached for too long.
    #[error(transparent)]
    Call(#[from] CallError),
    /// A file cannot be read or written.
    #[error("`{path}`: {source}")]
    File {
        /// Which.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The file does not have the bytes that it had when its SHA-256 was worked out.
    #[error("`{0}` was changed while it was sent")]
    Changed(PathBuf),
    /// What the hub sends does not have the SHA-256 that the document names.
    #[error("what came for `{path}` has the SHA-256 {found}, the document names {expected}")]
    Damaged {
        /// Where it was to be.
        path: PathBuf,
        /// The SHA-256 named.
        expected: Digest,
        /// The SHA-256 found.
        found: Digest,
    },
}

impl FileDigest {
    /// Reads a file; `progress` is told how many bytes were read.
    ///
    /// # Errors
    /// [`TransferError::File`].
    pub async fn of(path: &Path, mut progress: impl FnMut(u64)) -> Result<Self, TransferError> {
        let mut file = tokio::fs::File::open(path).await.map_err(in_file(path))?;
        let (digester, size) = read_all(&mut file, &mut progress).await.map_err(in_file(path))?;
        Ok(Self { size, sha256: digester.finish() })
    }
}

/// Reads on to a file's end; returns the SHA-256 so far and how many bytes it is of.
async fn read_all(
    file: &mut tokio::fs::File,
    progress: &mut impl FnMut(u64),
) -> io::Result<(Digester, u64)> {
    let (mut digester, mut read) = (Digester::default(), 0);
    let mut buffer = vec![0; TRANSFER_CHUNK_BYTES];
    loop {
        let count = file.read(&mut buffer).await?;
        if count == 0 {
            return Ok((digester, read));
        }
        digester.update(buffer.get(..count).unwrap_or_default());
        read += count as u64;
        progress(read);
    }
}

fn in_file(path: &Path) -> impl FnOnce(io::Error) -> TransferError + use<> {
    let path = path.to_owned();
    move |source| TransferError::File { path, source }
}

/// Why one attempt ended.
enum Broken {
    /// It is over.
    Final(TransferError),
    /// It may be tried again.
    Again(Verdict),
}

impl<E: Into<TransferError>> From<E> for Broken {
    fn from(error: E) -> Self {
        Self::Final(error.into())
    }
}

/// Attempts that go on where the one before ended: patience begins anew whenever something moved.
struct Attempts<'s> {
    shared: &'s Shared,
    backoff: Backoff,
    moved_at: Instant,
    count: u32,
    /// How far the transfer has come.
    reached: u64,
}

impl<'s> Attempts<'s> {
    fn new(shared: &'s Shared) -> Self {
        let backoff = Backoff::new(shared.retry);
        Self { shared, backoff, moved_at: Instant::now(), count: 0, reached: 0 }
    }

    /// Notes how far it has come.
    fn reached(&mut self, bytes: u64) {
        if bytes > self.reached {
            (self.reached, self.moved_at) = (bytes, Instant::now());
            self.backoff.reset();
        }
    }

    /// Waits before the next attempt.
    ///
    /// # Errors
    /// The error for good, or [`CallError::GaveUp`] when nothing has moved for too long.
    async fn again(&mut self, broken: Broken) -> Result<(), TransferError> {
        self.count += 1;
        let (last, told): (Setback, _) = match broken {
            Broken::Final(error) => return Err(error),
            Broken::Again(Verdict::Final(error)) => return Err(error.into()),
            Broken::Again(Verdict::Again(last, told)) => (last, told),
        };
        let pause = self.backoff.pause(told);
        let after = self.moved_at.elapsed();
        if after + pause > self.shared.retry.total {
            return Err(CallError::GaveUp { attempts: self.count, after, last }.into());
        }
        tracing::debug!(attempts = self.count, ?pause, %last, "going on with a transfer");
        tokio::time::sleep(pause).await;
        Ok(())
    }
}
