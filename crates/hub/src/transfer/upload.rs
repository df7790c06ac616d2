//! An upload's task: pieces go to the disk, and what is there is told.

use bytes::Bytes;
use futures_util::{Stream, StreamExt as _};
use lienthong_ledger::{Progress, Upload, UploadError, UploadKey};
use lienthong_model::limits::{TRANSFER_SILENCE_MAX, UPLOAD_SYNC_BYTES, UPLOAD_SYNC_DELAY};
use lienthong_model::{Digest, Reason, Refusal};
use tokio::sync::mpsc;
use tokio::time::{Duration, Instant, timeout};
use tokio_stream::wrappers::ReceiverStream;

use super::{Promise, Told, Transfers, WAITING_MAX, failed, silent};
use crate::caller::MayExchange;
use crate::places::SharedPlace;
use crate::space::{Level, read_only, storage_low};

/// When somebody with too many uploads may try again.
const QUOTA_AGAIN: Duration = Duration::from_secs(60);

/// A piece of an attachment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Piece {
    pub offset: u64,
    pub bytes: Bytes,
}

/// A session that brings an upload.
struct Session {
    transfers: Transfers,
    key: UploadKey,
    say: mpsc::Sender<Result<Progress, Refusal>>,
    promise: Promise,
    _place: SharedPlace,
    /// What was told last, and when.
    told: u64,
    told_at: Instant,
}

/// How a session ends without a refusal.
struct Ended;

impl Transfers {
    /// Returns how much of an upload of the caller is there.
    pub fn progress(&self, permit: MayExchange, sha256: Digest, size: u64) -> Progress {
        let key = UploadKey { agency: permit.0.agency, sha256, size };
        let known = self.payloads.uploads().progress(&key);
        known.unwrap_or(Progress { stored: 0, complete: false })
    }

    /// Takes an upload up, or goes on with it. What is told begins with how much is there, and ends
    /// with `complete` or a refusal; a stream of pieces that ends before leaves what came where it
    /// is.
    ///
    /// # Errors
    /// A [`Refusal`] when there is no place or too little disk space.
    pub fn upload(
        &self,
        permit: MayExchange,
        (sha256, size): (Digest, u64),
        pieces: impl Stream<Item = Result<Piece, Refusal>> + Send + 'static,
        drained: impl Future<Output = ()> + Send + 'static,
    ) -> Result<Told<Progress>, Refusal> {
        self.space.takes_new()?;
        let key = UploadKey { agency: permit.0.agency, sha256, size };
        let place = self.places.take(key.agency)?;
        let there = self.progress(permit, sha256, size).stored;
        let room = self.space.above_soft();
        let promise = self.promises.promise(size.saturating_sub(there), room);
        let promise = promise.ok_or_else(storage_low)?;
        let (say, saying) = mpsc::channel(WAITING_MAX);
        let transfers = self.clone();
        let (told, told_at) = (0, Instant::now());
        let session = Session { transfers, key, say, promise, _place: place, told, told_at };
        tokio::spawn(session.run(pieces, drained));
        Ok(ReceiverStream::new(saying))
    }
}

impl Session {
    async fn run(
        mut self,
        pieces: impl Stream<Item = Result<Piece, Refusal>> + Send,
        drained: impl Future<Output = ()> + Send,
    ) {
        let say = self.say.clone();
        if let Err(refusal) = self.bring(pieces, drained).await {
            // Whoever has gone is not told.
            let _ = say.send(Err(refusal)).await;
        }
    }

    async fn bring(
        &mut self,
        pieces: impl Stream<Item = Result<Piece, Refusal>> + Send,
        drained: impl Future<Output = ()> + Send,
    ) -> Result<Ended, Refusal> {
        let mut pieces = std::pin::pin!(pieces);
        let mut drained = std::pin::pin!(drained);
        let (uploads, key) = (self.transfers.payloads.uploads().clone(), self.key);
        let limits = self.transfers.limits;
        let begun = blocking(move || uploads.begin(key, &limits)).await?;
        let mut upload = begun.map_err(|error| self.refusal(error))?;
        upload = self.sync(upload).await?;
        loop {
            if upload.stored() == self.key.size {
                return self.finish(upload).await;
            }
            let next = tokio::select! {
                piece = timeout(TRANSFER_SILENCE_MAX, pieces.next()) => piece,
                () = self.say.closed() => return Ok(Ended),
                () = &mut drained => return Err(Refusal::new(Reason::Draining)),
            };
            let piece = match next {
                Ok(Some(piece)) => piece?,
                Ok(None) => return Ok(Ended),
                Err(_) => return Err(silent()),
            };
            upload = self.append(upload, piece).await?;
            let since = upload.stored().saturating_sub(self.told);
            if since >= UPLOAD_SYNC_BYTES || self.told_at.elapsed() >= UPLOAD_SYNC_DELAY {
                upload = self.sync(upload).await?;
            }
        }
    }

    /// Syncs what came, and tells how much it is.
    async fn sync(&mut self, upload: Upload) -> Result<Upload, Refusal> {
        match self.transfers.space.check() {
            Level::Enough => {}
            Level::Low => return Err(storage_low()),
            Level::ReadOnly => return Err(read_only()),
        }
        let (upload, synced) = blocking(move || {
            let synced = upload.sync();
            (upload, synced)
        })
        .await?;
        let stored = synced.map_err(|error| self.refusal(error))?;
        self.promise.left(self.key.size.saturating_sub(stored));
        (self.told, self.told_at) = (stored, Instant::now());
        if stored < self.key.size {
            // A task that nobody listens to ends by itself.
            let _ = self.say.send(Ok(Progress { stored, complete: false })).await;
        }
        Ok(upload)
    }

    async fn finish(&mut self, upload: Upload) -> Result<Ended, Refusal> {
        let finished = blocking(move || upload.finish()).await?;
        let complete = finished.map_err(|error| self.refusal(error))?;
        let _ = self.say.send(Ok(Progress { stored: self.key.size, complete })).await;
        Ok(Ended)
    }

    async fn append(&self, upload: Upload, piece: Piece) -> Result<Upload, Refusal> {
        let (upload, appended) = blocking(move || {
            let appended = upload.append(piece.offset, &piece.bytes);
            (upload, appended)
        })
        .await?;
        appended.map_err(|error| self.refusal(error)).map(|()| upload)
    }

    /// What an upload that does not go on says.
    fn refusal(&self, error: UploadError) -> Refusal {
        match error {
            UploadError::Quota { .. } => {
                Refusal::at(Reason::UploadQuota, "open", error).retry_after(QUOTA_AGAIN)
            }
            UploadError::TakenOver | UploadError::Misplaced { .. } => {
                Refusal::at(Reason::UploadMisplaced, "chunk.offset", error)
            }
            UploadError::DigestWrong { .. } => {
                Refusal::at(Reason::UploadDigestWrong, "open.sha256", error)
            }
            UploadError::Engine(error) => self.transfers.space.write_failed(error),
        }
    }
}

async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, Refusal> {
    tokio::task::spawn_blocking(work).await.map_err(|error| failed(&error))
}
