//! Payloads in memory.

use std::collections::HashMap;
use std::sync::Arc;

use bytes::Bytes;
use lienthong_core::engine::{EngineError, Payloads};
use lienthong_model::Digest;
use parking_lot::RwLock;

/// Payloads in memory; clones share them.
#[derive(Debug, Clone, Default)]
pub struct MemoryPayloads {
    payloads: Arc<RwLock<HashMap<Digest, Bytes>>>,
}

impl MemoryPayloads {
    /// No payloads.
    pub fn new() -> Self {
        Self::default()
    }
}

impl Payloads for MemoryPayloads {
    fn put(&self, bytes: &[u8]) -> Result<Digest, EngineError> {
        let digest = Digest::of(bytes);
        let mut payloads = self.payloads.write();
        payloads.entry(digest).or_insert_with(|| Bytes::copy_from_slice(bytes));
        Ok(digest)
    }

    fn get(&self, digest: &Digest) -> Result<Option<Bytes>, EngineError> {
        Ok(self.payloads.read().get(digest).cloned())
    }
}

#[cfg(test)]
mod tests {
    use lienthong_core::engine_suite;

    use super::*;

    #[test]
    fn memory_does_what_all_payloads_do() {
        let payloads = MemoryPayloads::new();
        engine_suite::payloads(|| payloads.clone());
    }
}
