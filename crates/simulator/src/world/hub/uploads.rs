//! Attachments that nodes bring piece by piece. What came of one that is not complete is in memory:
//! a hub that is killed has it no more.

use std::collections::BTreeMap;

use bytes::Bytes;
use lienthong_core::engine::{EngineError, Payloads};
use lienthong_model::{Digest, Ordinal};

/// Uploads by whose they are: nobody uses another agency's.
#[derive(Default)]
pub(super) struct Uploads(BTreeMap<(Ordinal, Digest), Upload>);

#[derive(Default)]
struct Upload {
    stored: Vec<u8>,
    complete: Option<u64>,
}

/// A piece of an attachment.
#[derive(Debug, Clone)]
pub(crate) struct Piece {
    /// SHA-256 of the whole.
    pub digest: Digest,
    /// Bytes of the whole.
    pub size: u64,
    /// Where the piece begins.
    pub offset: u64,
    /// Empty when the node only asks how much is there.
    pub bytes: Bytes,
}

impl Uploads {
    /// Takes a piece that follows what is there; another one changes nothing. Returns how many
    /// bytes are there.
    pub fn take(
        &mut self,
        caller: Ordinal,
        piece: &Piece,
        payloads: &impl Payloads,
    ) -> Result<u64, EngineError> {
        let upload = self.0.entry((caller, piece.digest)).or_default();
        if let Some(size) = upload.complete {
            return Ok(size);
        }
        if upload.stored.len() as u64 == piece.offset {
            upload.stored.extend_from_slice(&piece.bytes);
        }
        let stored = upload.stored.len() as u64;
        if stored == piece.size && payloads.put(&upload.stored)? == piece.digest {
            *upload = Upload { stored: Vec::new(), complete: Some(stored) };
        }
        Ok(stored)
    }

    /// Returns whether an attachment is there as a whole.
    pub fn has(&self, caller: Ordinal, digest: &Digest) -> bool {
        self.0.get(&(caller, *digest)).is_some_and(|upload| upload.complete.is_some())
    }

    /// Everything in memory is gone; what was complete is a payload, and is asked for again.
    pub fn forget(&mut self) {
        self.0.clear();
    }
}
