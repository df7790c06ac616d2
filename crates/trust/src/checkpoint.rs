//! Checkpoints of the log (c2sp.org/tlog-checkpoint): the hub's statement, in a signed note, that
//! the log of a size has a root.
//!
//! ```text
//! hub.example.vn/log                               origin, the name of the key too
//! 1027                                             size: how many leaves
//! 47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=     root, base64
//!
//! — hub.example.vn/log AbCdEf...                   key id and signature, base64
//! ```

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use lienthong_model::Digest;

use crate::note::{NoteError, NoteKey};

/// What a checkpoint states.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checkpoint {
    /// Which log, and the name of the key that signs it.
    pub origin: String,
    /// How many leaves it has.
    pub size: u64,
    /// The root over them.
    pub root: Digest,
}

/// Why a note is not a checkpoint of a key.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CheckpointError {
    /// The note is malformed or not signed.
    #[error(transparent)]
    Note(#[from] NoteError),
    /// The signed text is not an origin, a size and a root.
    #[error("the signed text is not an origin, a size and a root")]
    Text,
    /// The origin is not the key's name.
    #[error("the checkpoint is of the log `{0}`, not of the key's")]
    Origin(String),
}

impl Checkpoint {
    /// Returns the text that is signed.
    pub fn text(&self) -> String {
        format!("{}\n{}\n{}\n", self.origin, self.size, STANDARD.encode(self.root.as_bytes()))
    }

    /// Checks a note with a key, and returns what it states. Lines after the root, which other
    /// logs may have, are signed too and say nothing here.
    ///
    /// # Errors
    /// [`CheckpointError`].
    pub fn open(note: &str, key: &NoteKey) -> Result<Self, CheckpointError> {
        let checkpoint = Self::read(key.open(note)?).ok_or(CheckpointError::Text)?;
        if checkpoint.origin != key.name() {
            return Err(CheckpointError::Origin(checkpoint.origin));
        }
        Ok(checkpoint)
    }

    fn read(text: &str) -> Option<Self> {
        let mut lines = text.split('\n');
        let (origin, size, root) = (lines.next()?, lines.next()?, lines.next()?);
        // Decimal without sign and leading zeros: one spelling of a number.
        let number: u64 = size.parse().ok()?;
        if origin.is_empty() || number.to_string() != size {
            return None;
        }
        let root: [u8; 32] = STANDARD.decode(root).ok()?.try_into().ok()?;
        Some(Self { origin: origin.to_owned(), size: number, root: Digest(root) })
    }
}

/// Returns the text by which a hub states an evidence bundle, over the SHA-256 of its basis. Stable.
/// It cannot be taken for a checkpoint, whose second line is a decimal number.
pub fn bundle_statement(basis: &Digest) -> String {
    format!("lienthong evidence bundle v1\n{basis}\n")
}

#[cfg(test)]
mod tests;
