//! A payload file as an audit reads it: nothing is opened for writing, made or cleared up, and its
//! name is not believed.

use std::fs::File;
use std::io::{self, Read as _};
use std::path::Path;

use lienthong_core::engine::EngineError;
use lienthong_model::Digest;
use sha2::{Digest as _, Sha256};

use crate::disk::io_error;

/// Bytes that are in memory at a time.
pub(super) const PIECE_BYTES: usize = 1 << 20;

/// A payload file as it is found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExaminedPayload {
    /// Where it lies below the folder of payloads.
    pub name: String,
    /// How many bytes it has.
    pub bytes: u64,
    /// Their SHA-256.
    pub digest: Digest,
}

impl ExaminedPayload {
    /// Reads the file that a payload has in a folder of payloads; `None` when it has none. A
    /// mebibyte is in memory at a time.
    ///
    /// # Errors
    /// [`EngineError::Io`].
    pub fn read(folder: &Path, digest: &Digest) -> Result<Option<Self>, EngineError> {
        for name in Self::names(digest) {
            let path = folder.join(&name);
            let mut file = match File::open(&path) {
                Ok(file) => file,
                Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
                Err(error) => return Err(io_error("open", &path)(error)),
            };
            let (mut hash, mut bytes, mut buffer) = (Sha256::new(), 0, vec![0; PIECE_BYTES]);
            loop {
                let count = file.read(&mut buffer).map_err(io_error("read", &path))?;
                let Some(read) = buffer.get(..count).filter(|read| !read.is_empty()) else { break };
                hash.update(read);
                bytes += read.len() as u64;
            }
            return Ok(Some(Self { name, bytes, digest: Digest(hash.finalize().into()) }));
        }
        Ok(None)
    }

    /// Returns where a payload may lie below the folder of payloads: on its shelf, or, when a hub
    /// was killed before it could move it there, among what was proposed.
    pub fn names(digest: &Digest) -> [String; 2] {
        let hex = digest.to_string();
        let (shelf, name) = hex.split_at_checked(2).unwrap_or((&hex, ""));
        [format!("{shelf}/{name}"), format!("proposed/{hex}")]
    }
}
