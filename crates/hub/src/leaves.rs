//! The entries of the log's leaves, read from the journal.

use std::ops::Range;

use lienthong_core::engine::EngineError;
use lienthong_model::Position;
use lienthong_trust::merkle::entry::LeafEntry;

use crate::reader::Reader;

impl Reader {
    /// Returns the entries of leaves that the log has, in order. Reads the blocks that hold them.
    ///
    /// # Errors
    /// [`EngineError`] when a block cannot be read, or the journal does not have them all.
    pub(crate) fn leaves(&self, positions: Range<u64>) -> Result<Vec<LeafEntry>, EngineError> {
        let mut found = Vec::new();
        let mut missing = positions.start;
        let last = self.last_block();
        let mut number = self.block_of_leaf(missing)?;
        while missing < positions.end && number <= last {
            for (position, leaf) in self.block(number)?.leaves() {
                if position.0 == missing && missing < positions.end {
                    found.push(leaf);
                    missing += 1;
                }
            }
            number += 1;
        }
        if missing == positions.end {
            return Ok(found);
        }
        Err(EngineError::Damaged {
            what: format!("leaf {missing} of the log"),
            why: "no block of the journal has it".to_owned(),
        })
    }

    /// The block of a leaf, or one before it with no leaves between: from the row of the document
    /// where there is one, else by halving, since positions rise with blocks.
    fn block_of_leaf(&self, position: u64) -> Result<u64, EngineError> {
        if let Some(document) = self.query().document(Position(position))? {
            return Ok(document.block);
        }
        let (mut low, mut high) = (1, self.last_block() + 1);
        while low + 1 < high {
            let middle = low + (high - low) / 2;
            match self.first_leaf(middle..high)? {
                Some((block, first)) if first <= position => low = block,
                Some(_) | None => high = middle,
            }
        }
        Ok(low)
    }

    /// The first block of some that has a leaf, and the position of its first.
    fn first_leaf(&self, blocks: Range<u64>) -> Result<Option<(u64, u64)>, EngineError> {
        for number in blocks {
            let first = self.block(number)?.leaves().next();
            if let Some((position, _)) = first {
                return Ok(Some((number, position.0)));
            }
        }
        Ok(None)
    }
}
