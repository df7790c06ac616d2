//! The traits that a storage engine implements: journal, state, payloads.
//!
//! `ledger` has two engines (files with sled, and memory); both pass the suite in
//! [`crate::engine_suite`]. Nothing above this file knows which one runs.

use std::sync::Arc;

use bytes::Bytes;
use lienthong_model::{Digest, Digester};

use crate::block::{Block, SealedBlock};

/// A failed read or write. It poisons: the hub stops and recovers by replay.
#[derive(Debug, thiserror::Error)]
pub enum EngineError {
    /// The operating system refused.
    #[error("cannot {doing} `{path}`: {source}")]
    Io {
        /// What was being done, as a verb.
        doing: &'static str,
        /// The file or folder.
        path: String,
        /// Why it failed.
        source: std::io::Error,
    },
    /// The store of the state reports an error.
    #[error("the state reports: {0}")]
    State(String),
    /// Bytes on disk are not what was written.
    #[error("damaged: {what}: {why}")]
    Damaged {
        /// Which file, block or row.
        what: String,
        /// How that shows.
        why: String,
    },
    /// A content that is kept no longer, see [`crate::Retention`].
    #[error("the content {0} is kept no longer")]
    Expired(Digest),
    /// The data folder was written by a newer version.
    #[error("format {found} of {what} is newer than this version reads ({reads}): use a newer one")]
    TooNew {
        /// Which file.
        what: String,
        /// The format found.
        found: u16,
        /// The newest that this version reads.
        reads: u16,
    },
    /// Another process uses the data folder.
    #[error("the data folder `{0}` is in use by another process")]
    InUse(String),
}

/// Rows under sorted keys, as the readers and the machine see them.
pub trait Tables: Send + Sync {
    /// The value under `key`; `None` when there is none.
    ///
    /// # Errors
    /// [`EngineError`] when the row cannot be read or its check value is wrong.
    fn read(&self, key: &[u8]) -> Result<Option<Bytes>, EngineError>;

    /// Visits the rows whose keys start with `prefix` and are not below `from`, in key order,
    /// until `visit` returns `false`.
    ///
    /// # Errors
    /// [`EngineError`] when a row cannot be read or its check value is wrong.
    fn scan(
        &self,
        prefix: &[u8],
        from: &[u8],
        visit: &mut dyn FnMut(&[u8], &[u8]) -> bool,
    ) -> Result<(), EngineError>;
}

/// Returns the SHA-256 over all rows in key order, each as the lengths of key and value (u32,
/// little-endian), key and value: two states are the same when theirs are. Open pages of statistics
/// are rows only after a cut.
///
/// # Errors
/// [`EngineError`] when a row cannot be read or its check value is wrong.
pub fn rows_digest(tables: &dyn Tables) -> Result<Digest, EngineError> {
    let mut hash = Digester::default();
    tables.scan(&[], &[], &mut |key, value| {
        for part in [key, value] {
            hash.update(&u32::try_from(part.len()).unwrap_or(u32::MAX).to_le_bytes());
        }
        hash.update(key);
        hash.update(value);
        true
    })?;
    Ok(hash.finish())
}

/// What one block changes in the state: absolute values, `None` deletes. Keys are distinct.
pub type Writes = Vec<(Vec<u8>, Option<Bytes>)>;

/// Which block the state reflects.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Marker {
    /// The last block whose changes are all in.
    pub block: u64,
    /// That block's hash.
    pub hash: Digest,
}

/// The changes of one block that the journal has on disk.
#[derive(Debug)]
pub struct Change {
    /// The block they belong to.
    pub marker: Marker,
    /// The rows.
    pub writes: Writes,
    /// Whether a chunk may end here: the rows include every page of open statistics.
    pub cut: bool,
}

/// The state: rows that are visible at once and reach the disk lazily.
pub trait State: Tables {
    /// Makes a change visible to readers. Returns at once unless the engine is too far behind;
    /// then it waits. Nothing is durable on return: the journal is.
    ///
    /// # Errors
    /// [`EngineError`] when an earlier chunk could not be written.
    fn publish(&self, change: Change) -> Result<(), EngineError>;

    /// Whether the engine would like the next change to be a cut (enough blocks, or time).
    fn cut_due(&self) -> bool;

    /// The last block whose changes the *engine's durable part* has; `None` when it is empty.
    fn marker(&self) -> Option<Marker>;

    /// Writes everything up to the last cut and waits for it.
    ///
    /// # Errors
    /// [`EngineError`] when it cannot be written.
    fn flush(&self) -> Result<(), EngineError>;
}

/// The journal's writing side. *Propose* and *read ordered* are apart, so that an order that is
/// agreed between several nodes fits the same trait; a reply is tied to the second.
pub trait Journal: Send {
    /// Hands over a block. Its number follows the last one proposed. Nothing is durable on return.
    ///
    /// # Errors
    /// [`EngineError`]; after one, every further call fails.
    fn propose(&mut self, block: &SealedBlock) -> Result<(), EngineError>;

    /// Waits until the oldest proposed block that was not yet returned stands in its order on
    /// disk, and returns its number; `None` when nothing is proposed. One sync serves all that
    /// were proposed before it.
    ///
    /// # Errors
    /// [`EngineError`]; after one, every further call fails.
    fn read_ordered(&mut self) -> Result<Option<u64>, EngineError>;
}

/// The journal's reading side, for replay, delivery and audit. Blocks are numbered from 1.
pub trait Blocks: Send + Sync {
    /// The block with a number; `None` past the end.
    ///
    /// # Errors
    /// [`EngineError`] when the block is damaged or cannot be read.
    fn block(&self, number: u64) -> Result<Option<Arc<Block>>, EngineError>;

    /// The last block on disk; `None` when the journal is empty.
    fn end(&self) -> Option<Marker>;
}

/// Content-addressed files: contents and attachments too large for a record, shipped directories.
pub trait Payloads: Send + Sync {
    /// Stores bytes; on return they are on disk, folder entry included. Storing the same bytes
    /// again changes nothing.
    ///
    /// # Errors
    /// [`EngineError`] when they cannot be written.
    fn put(&self, bytes: &[u8]) -> Result<Digest, EngineError>;

    /// The bytes with a digest, checked against it; `None` when there are none.
    ///
    /// # Errors
    /// [`EngineError`] when they cannot be read or differ from the digest.
    fn get(&self, digest: &Digest) -> Result<Option<Bytes>, EngineError>;
}

impl<T: Payloads + ?Sized> Payloads for Arc<T> {
    fn put(&self, bytes: &[u8]) -> Result<Digest, EngineError> {
        (**self).put(bytes)
    }

    fn get(&self, digest: &Digest) -> Result<Option<Bytes>, EngineError> {
        (**self).get(digest)
    }
}
