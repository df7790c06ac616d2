//! Fetching an attachment from the hub.

use std::io::SeekFrom;
use std::path::{Path, PathBuf};

use lienthong_model::{Digester, MessageId};
use lienthong_wire::proto;
use tokio::fs::{File, OpenOptions};
use tokio::io::{AsyncSeekExt as _, AsyncWriteExt as _};
use tokio::time::timeout;
use tonic::Streaming;

use super::{AttachmentPlace, Attempts, Broken, FileDigest, TransferError, in_file, read_all};
use crate::client::{Client, Shared};
use crate::error::CallError;
use crate::read;
use crate::unreachable::{Cause, Step};

/// What of a download is on our disk.
struct Partial {
    path: PathBuf,
    file: File,
    digester: Digester,
    written: u64,
}

impl Client {
    /// Fetches an attachment into a file; on return it is there, synced, with the SHA-256 that the
    /// document names. `whole` is what the signed document says of it. Until then the bytes are in
    /// a file beside it whose name ends in `.part`: a later call goes on with that. A file that is
    /// there already is checked and left, or replaced.
    ///
    /// `progress` is told how many bytes are there.
    ///
    /// # Errors
    /// [`TransferError`]; while nothing moves it gives up after [`Retry::total`](crate::Retry).
    pub async fn download(
        &self,
        place: &AttachmentPlace,
        whole: &FileDigest,
        path: &Path,
        mut progress: impl FnMut(u64),
    ) -> Result<(), TransferError> {
        if tokio::fs::metadata(path).await.is_ok_and(|there| there.len() == whole.size)
            && FileDigest::of(path, |_| ()).await? == *whole
        {
            return Ok(());
        }
        let attempt = Attempt { shared: &self.shared, place, whole };
        let mut partial = Partial::open(path, whole).await?;
        let resumed = partial.written > 0;
        attempt.fetch(&mut partial, &mut progress).await?;
        let mut found = partial.sha256();
        if found != whole.sha256 && resumed {
            // What an earlier process left was not the beginning of this.
            partial.begin_anew().await?;
            attempt.fetch(&mut partial, &mut progress).await?;
            found = partial.sha256();
        }
        if found != whole.sha256 {
            let (path, expected) = (path.to_owned(), whole.sha256);
            partial.begin_anew().await?;
            return Err(TransferError::Damaged { path, expected, found });
        }
        partial.keep(path).await
    }
}

/// Attempts to fetch the rest.
struct Attempt<'a> {
    shared: &'a Shared,
    place: &'a AttachmentPlace,
    whole: &'a FileDigest,
}

impl Attempt<'_> {
    async fn fetch(
        &self,
        partial: &mut Partial,
        progress: &mut impl FnMut(u64),
    ) -> Result<(), TransferError> {
        let mut attempts = Attempts::new(self.shared);
        while partial.written < self.whole.size {
            if let Err(broken) = self.make(partial, progress).await {
                attempts.reached(partial.written);
                attempts.again(broken).await?;
            }
        }
        Ok(())
    }

    async fn make(
        &self,
        partial: &mut Partial,
        progress: &mut impl FnMut(u64),
    ) -> Result<(), Broken> {
        let mut pieces = self.open(partial.written).await?;
        while partial.written < self.whole.size {
            let piece = match timeout(self.shared.call_max, pieces.message()).await {
                Ok(Ok(Some(answer))) => read::present("chunk", answer.chunk)?,
                Ok(Ok(None)) | Err(_) => return Err(self.silent()),
                Ok(Err(status)) => {
                    return Err(Broken::Again(self.shared.reader.verdict(&status)));
                }
            };
            let end = partial.written.saturating_add(piece.content.len() as u64);
            if piece.offset != partial.written || end > self.whole.size {
                let found = format!("{} bytes at {}", piece.content.len(), piece.offset);
                return Err(CallError::answer("chunk.offset", found).into());
            }
            partial.append(&piece.content).await?;
            progress(partial.written);
        }
        Ok(())
    }

    async fn open(&self, offset: u64) -> Result<Streaming<proto::DownloadResponse>, Broken> {
        let AttachmentPlace { sender, document, content_id } = self.place;
        let request = proto::DownloadRequest {
            sender: sender.to_string(),
            id: bytes::Bytes::copy_from_slice(MessageId::as_bytes(document)),
            content_id: content_id.clone(),
            offset,
        };
        let mut transfer = self.shared.transfer();
        match timeout(self.shared.call_max, transfer.download(request)).await {
            Ok(Ok(pieces)) => Ok(pieces.into_inner()),
            Ok(Err(status)) => Err(Broken::Again(self.shared.reader.verdict(&status))),
            Err(_) => Err(self.silent()),
        }
    }

    fn silent(&self) -> Broken {
        Broken::Again(self.shared.reader.unreachable(Cause::TimedOut(Step::Answer)))
    }
}

impl Partial {
    /// Opens what an earlier attempt left, or begins.
    async fn open(path: &Path, whole: &FileDigest) -> Result<Self, TransferError> {
        let mut name = path.as_os_str().to_owned();
        name.push(".part");
        let path = PathBuf::from(name);
        let mut options = OpenOptions::new();
        options.create(true).truncate(false).read(true).write(true);
        let mut file = options.open(&path).await.map_err(in_file(&path))?;
        let (digester, written) = read_all(&mut file, &mut |_| ()).await.map_err(in_file(&path))?;
        let mut partial = Self { path, file, digester, written };
        if partial.written > whole.size {
            partial.begin_anew().await?;
        }
        Ok(partial)
    }

    async fn append(&mut self, piece: &[u8]) -> Result<(), TransferError> {
        self.file.write_all(piece).await.map_err(in_file(&self.path))?;
        self.digester.update(piece);
        self.written += piece.len() as u64;
        Ok(())
    }

    async fn begin_anew(&mut self) -> Result<(), TransferError> {
        self.file.set_len(0).await.map_err(in_file(&self.path))?;
        self.file.seek(SeekFrom::Start(0)).await.map_err(in_file(&self.path))?;
        (self.digester, self.written) = (Digester::default(), 0);
        Ok(())
    }

    fn sha256(&self) -> lienthong_model::Digest {
        self.digester.clone().finish()
    }

    /// Syncs it and gives it its name.
    async fn keep(mut self, path: &Path) -> Result<(), TransferError> {
        self.file.flush().await.map_err(in_file(&self.path))?;
        self.file.sync_all().await.map_err(in_file(&self.path))?;
        tokio::fs::rename(&self.path, path).await.map_err(in_file(path))?;
        let folder = match path.parent() {
            Some(parent) if !parent.as_os_str().is_empty() => parent,
            _ => Path::new("."),
        };
        let folder_file = File::open(folder).await.map_err(in_file(folder))?;
        folder_file.sync_all().await.map_err(in_file(folder))
    }
}
