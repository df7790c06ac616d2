//! A recount of the statistics beside whoever writes: the journal is read to its end, and what went on
//! meanwhile is read after. Nobody waits for it.

use std::ops::ControlFlow;

use lienthong_core::engine::EngineError;
use lienthong_core::statistics::{Comparing, Recount, Recounted};

use crate::reader::Reader;

/// Told the block reached and the last one; breaks off the recount.
pub type Told<'t> = dyn FnMut(u64, u64) -> ControlFlow<()> + 't;

impl Reader {
    /// Counts the statistics anew from the journal, and compares. In memory are every cell and the
    /// deliveries that are not ended. `None` when it was broken off.
    ///
    /// # Errors
    /// [`EngineError`] when a block or page cannot be read.
    pub fn recount_statistics(
        &self,
        told: &mut Told<'_>,
    ) -> Result<Option<Recounted>, EngineError> {
        let mut recount = Recount::default();
        // What is on disk may not be folded yet; up to here it is.
        let folded = *self.blocks_ordered().borrow();
        if self.count_on(&mut recount, (1, folded), None, told)?.is_break() {
            return Ok(None);
        }
        let mut comparing = self.with_statistics(|source| recount.compare(source))?;
        if let Some(end) = comparing.ahead() {
            let rest = (folded + 1, end);
            if self.count_on(&mut recount, rest, Some(&mut comparing), told)?.is_break() {
                return Ok(None);
            }
        }
        Ok(Some(comparing.finish(&recount, &self.directory())))
    }

    /// Counts blocks from one to another.
    fn count_on(
        &self,
        recount: &mut Recount,
        (first, last): (u64, u64),
        mut comparing: Option<&mut Comparing>,
        told: &mut Told<'_>,
    ) -> Result<ControlFlow<()>, EngineError> {
        let directory = self.directory();
        for sealed in self.blocks().replay(first) {
            let sealed = sealed?;
            let number = sealed.marker.block;
            if number > last {
                break;
            }
            recount.count(number, &sealed.block, self.blocks())?;
            if let Some(comparing) = comparing.as_deref_mut() {
                comparing.reached(recount, &directory);
            }
            if told(number, last).is_break() {
                return Ok(ControlFlow::Break(()));
            }
        }
        Ok(ControlFlow::Continue(()))
    }
}
