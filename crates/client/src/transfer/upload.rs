//! Bringing an attachment to the hub.

use std::io::SeekFrom;
use std::path::Path;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use lienthong_model::Reason;
use lienthong_model::limits::TRANSFER_CHUNK_BYTES;
use lienthong_wire::proto::{self, upload_request as asked};
use tokio::fs::File;
use tokio::io::{AsyncReadExt as _, AsyncSeekExt as _};
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep_until};
use tokio_stream::wrappers::ReceiverStream;
use tonic::Streaming;

use super::{Attempts, Broken, FileDigest, TransferError, in_file};
use crate::client::{Client, Shared};
use crate::error::CallError;
use crate::unreachable::{Cause, Step};

/// How long the hub may read what it has before it says where to go on: ten gibibytes from a slow
/// disk take minutes.
const BEGIN_MAX: Duration = Duration::from_secs(300);
/// Pieces read ahead.
const AHEAD: usize = 2;

/// An open upload.
struct Line {
    pieces: mpsc::Sender<proto::UploadRequest>,
    answers: Streaming<proto::UploadResponse>,
}

impl Client {
    /// Brings a file to the hub, so that a document may name it as an attachment; on return it is
    /// on the hub's disk. What was brought before, by whatever process of this agency's node, is
    /// not sent again. `progress` is told how many bytes were sent.
    ///
    /// The upload serves one accepted document, for all of its recipients, and expires when none
    /// names it for a day.
    ///
    /// # Errors
    /// [`TransferError`]; while nothing moves it gives up after [`Retry::total`](crate::Retry).
    pub async fn upload(
        &self,
        path: &Path,
        whole: &FileDigest,
        mut progress: impl FnMut(u64),
    ) -> Result<(), TransferError> {
        let mut attempts = Attempts::new(&self.shared);
        let mut may_begin_anew = true;
        loop {
            let attempt = Attempt { shared: &self.shared, path, whole };
            let broken = match attempt.make(&mut attempts, &mut progress).await {
                Ok(()) => return Ok(()),
                Err(broken) => broken,
            };
            if let Broken::Again(crate::error::Verdict::Final(CallError::Refused(refusal))) =
                &broken
                && refusal.reason == Reason::UploadDigestWrong
            {
                // What an earlier attempt left may have been damaged on the hub's disk, which has
                // deleted it; a file that was changed is one that has another SHA-256 now.
                if FileDigest::of(path, |_| ()).await? != *whole {
                    return Err(TransferError::Changed(path.to_owned()));
                }
                if std::mem::take(&mut may_begin_anew) {
                    continue;
                }
            }
            attempts.again(broken).await?;
        }
    }
}

/// One attempt to bring the rest.
struct Attempt<'a> {
    shared: &'a Shared,
    path: &'a Path,
    whole: &'a FileDigest,
}

impl Attempt<'_> {
    async fn make(
        &self,
        attempts: &mut Attempts<'_>,
        progress: &mut impl FnMut(u64),
    ) -> Result<(), Broken> {
        let mut line = self.open().await?;
        let Some(first) = self.answer(&mut line, Instant::now() + BEGIN_MAX).await? else {
            return Err(self.silent());
        };
        attempts.reached(first.stored);
        if first.complete {
            progress(self.whole.size);
            return Ok(());
        }
        let mut file = File::open(self.path).await.map_err(in_file(self.path))?;
        let from = SeekFrom::Start(first.stored);
        file.seek(from).await.map_err(in_file(self.path))?;
        self.bring(line, file, first.stored, attempts, progress).await
    }

    /// Sends pieces and listens, whichever comes first.
    async fn bring(
        &self,
        mut line: Line,
        mut file: File,
        mut sent: u64,
        attempts: &mut Attempts<'_>,
        progress: &mut impl FnMut(u64),
    ) -> Result<(), Broken> {
        let size = self.whole.size;
        let mut until = Instant::now() + self.shared.call_max;
        loop {
            tokio::select! {
                place = line.pieces.reserve(), if sent < size => {
                    // The hub has ended the stream: its answer says why.
                    let Ok(place) = place else { sent = size; continue };
                    let content = self.piece(&mut file, size - sent).await?;
                    let count = content.len() as u64;
                    let chunk = proto::AttachmentChunk { offset: sent, content };
                    place.send(request(asked::Request::Chunk(chunk)));
                    sent += count;
                    progress(sent);
                }
                answer = line.answers.message() => match answer {
                    Ok(Some(answer)) if answer.complete => return Ok(()),
                    Ok(Some(answer)) => attempts.reached(answer.stored),
                    Ok(None) => return Err(self.silent()),
                    Err(status) => return Err(Broken::Again(self.shared.reader.verdict(&status))),
                },
                () = sleep_until(until) => return Err(self.silent()),
            }
            until = Instant::now() + self.shared.call_max;
        }
    }

    async fn open(&self) -> Result<Line, Broken> {
        let (pieces, sending) = mpsc::channel(AHEAD);
        let FileDigest { size, sha256 } = *self.whole;
        let sha256 = Bytes::copy_from_slice(sha256.as_bytes());
        let open = request(asked::Request::Open(asked::Open { sha256, size }));
        // There is room: nothing was sent yet.
        let _ = pieces.try_send(open);
        let mut transfer = self.shared.transfer();
        let opening = transfer.upload(ReceiverStream::new(sending));
        match tokio::time::timeout(self.shared.call_max, opening).await {
            Ok(Ok(answers)) => Ok(Line { pieces, answers: answers.into_inner() }),
            Ok(Err(status)) => Err(Broken::Again(self.shared.reader.verdict(&status))),
            Err(_) => Err(self.silent()),
        }
    }

    /// The next answer; `None` when the hub has ended the stream or says nothing for too long.
    async fn answer(
        &self,
        line: &mut Line,
        until: Instant,
    ) -> Result<Option<proto::UploadResponse>, Broken> {
        match tokio::time::timeout_at(until, line.answers.message()).await {
            Ok(Ok(answer)) => Ok(answer),
            Ok(Err(status)) => Err(Broken::Again(self.shared.reader.verdict(&status))),
            Err(_) => Ok(None),
        }
    }

    async fn piece(&self, file: &mut File, left: u64) -> Result<Bytes, TransferError> {
        let count = usize::try_from(left).unwrap_or(usize::MAX).min(TRANSFER_CHUNK_BYTES);
        let mut piece = BytesMut::zeroed(count);
        match file.read_exact(&mut piece).await {
            Ok(_) => Ok(piece.freeze()),
            Err(error) if error.kind() == std::io::ErrorKind::UnexpectedEof => {
                Err(TransferError::Changed(self.path.to_owned()))
            }
            Err(error) => Err(in_file(self.path)(error)),
        }
    }

    fn silent(&self) -> Broken {
        Broken::Again(self.shared.reader.unreachable(Cause::TimedOut(Step::Answer)))
    }
}

fn request(request: asked::Request) -> proto::UploadRequest {
    proto::UploadRequest { request: Some(request) }
}
