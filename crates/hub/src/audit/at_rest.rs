//! The payload files of a data folder at rest: each is checked against its digest when it is read,
//! and nothing is written.

use std::path::{Path, PathBuf};

use bytes::Bytes;
use lienthong_core::Stored;
use lienthong_core::engine::{EngineError, Payloads};
use lienthong_ledger::ExaminedPayload;
use lienthong_model::Digest;

/// Payload files of a folder at rest; nothing is ever written.
#[derive(Debug, Clone)]
pub(super) struct AtRest(PathBuf);

impl AtRest {
    /// The payloads of a data folder.
    pub fn of(data: &Path) -> Self {
        Self(data.join("payloads"))
    }

    /// Whether a payload file is there.
    pub fn is_there(&self, digest: &Digest) -> Result<bool, EngineError> {
        for name in ExaminedPayload::names(digest) {
            let path = self.0.join(name);
            if path.try_exists().map_err(|source| unreadable(&path, source))? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// The bytes that a record holds or names; [`EngineError::Expired`] when they were taken out.
    pub fn stored(&self, stored: &Stored) -> Result<Bytes, EngineError> {
        match stored {
            Stored::Inline(bytes) => Ok(bytes.clone()),
            Stored::Apart { digest, .. } => Err(EngineError::Expired(*digest)),
            Stored::Payload { digest, .. } => {
                self.get(digest)?.ok_or_else(|| EngineError::Damaged {
                    what: format!("payload {digest}"),
                    why: "the file is missing".to_owned(),
                })
            }
        }
    }
}

impl Payloads for AtRest {
    fn put(&self, _: &[u8]) -> Result<Digest, EngineError> {
        Err(EngineError::Io {
            doing: "write into",
            path: self.0.display().to_string(),
            source: std::io::Error::other("the folder is only read"),
        })
    }

    fn get(&self, digest: &Digest) -> Result<Option<Bytes>, EngineError> {
        for name in ExaminedPayload::names(digest) {
            let path = self.0.join(name);
            match std::fs::read(&path) {
                Ok(bytes) if Digest::of(&bytes) == *digest => return Ok(Some(bytes.into())),
                Ok(_) => {
                    return Err(EngineError::Damaged {
                        what: format!("payload {digest}"),
                        why: "its bytes have another SHA-256".to_owned(),
                    });
                }
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
                Err(source) => return Err(unreadable(&path, source)),
            }
        }
        Ok(None)
    }
}

fn unreadable(path: &Path, source: std::io::Error) -> EngineError {
    EngineError::Io { doing: "read", path: path.display().to_string(), source }
}
