//! Attachments on their way: uploads before a document, downloads after it.
//!
//! A transfer has a task of its own that moves one piece at a time between the stream and the disk,
//! so its memory does not grow with the attachment. Places are bounded for the hub and for each
//! caller; what is taken up is promised room above the soft mark of the disk.

mod download;
mod upload;

use std::sync::Arc;
use std::time::Duration;

use lienthong_ledger::{PayloadFiles, UploadLimits};
use lienthong_model::limits::{TRANSFERS_MAX, TRANSFERS_PER_CALLER_MAX};
use lienthong_model::{Reason, Refusal};
use parking_lot::Mutex;
use tokio_stream::wrappers::ReceiverStream;

pub(crate) use self::download::Wanted;
pub(crate) use self::upload::Piece;
use crate::places::SharedPlaces;
use crate::reader::Reader;
use crate::space::Space;

/// Transfers under way, and one caller's share of them.
const TRANSFERS: (usize, usize) = (TRANSFERS_MAX, TRANSFERS_PER_CALLER_MAX);
/// When somebody who found no place may try again.
const PLACE_AGAIN: Duration = Duration::from_secs(1);
/// Pieces or words that wait for a slow other side.
const WAITING_MAX: usize = 2;

/// What a transfer says, piece by piece; a refusal ends it.
pub(crate) type Told<T> = ReceiverStream<Result<T, Refusal>>;

/// Moves attachments; cheap to clone.
#[derive(Clone)]
pub(crate) struct Transfers {
    reader: Reader,
    payloads: Arc<PayloadFiles>,
    space: Space,
    limits: UploadLimits,
    places: Arc<SharedPlaces>,
    promises: Promises,
}

/// How many bytes uploads under way may still bring; clones share it.
#[derive(Debug, Clone, Default)]
struct Promises(Arc<Mutex<u64>>);

/// What an upload may still bring; dropping it gives back what was not used.
#[derive(Debug)]
struct Promise {
    all: Promises,
    bytes: u64,
}

impl Transfers {
    pub fn new(
        reader: Reader,
        payloads: Arc<PayloadFiles>,
        space: Space,
        limits: UploadLimits,
    ) -> Self {
        let places = SharedPlaces::new(TRANSFERS, "", PLACE_AGAIN);
        Self { reader, payloads, space, limits, places, promises: Promises::default() }
    }
}

impl Promises {
    /// Promises room for bytes to come, out of what there is; none when there is not so much.
    fn promise(&self, bytes: u64, room: u64) -> Option<Promise> {
        let mut all = self.0.lock();
        let promised = all.checked_add(bytes).filter(|promised| *promised <= room)?;
        *all = promised;
        Some(Promise { all: self.clone(), bytes })
    }
}

impl Promise {
    /// Notes that so many bytes may still come: the rest is used.
    fn left(&mut self, bytes: u64) {
        let used = self.bytes.saturating_sub(bytes);
        let mut all = self.all.0.lock();
        *all = all.saturating_sub(used);
        self.bytes -= used;
    }
}

impl Drop for Promise {
    fn drop(&mut self) {
        self.left(0);
    }
}

/// A refusal because the other side of a transfer is silent.
pub(crate) fn silent() -> Refusal {
    Refusal::at(Reason::Overloaded, "", "nothing was sent or taken for too long")
        .retry_after(PLACE_AGAIN)
}

/// A task that ended without a word.
fn failed(error: &dyn std::fmt::Display) -> Refusal {
    tracing::error!(%error, "a transfer of an attachment broke off");
    Refusal::new(Reason::Stopped)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn room_is_promised_once_and_given_back_as_it_is_used() {
        let promises = Promises::default();
        let mut first = promises.promise(60, 100).unwrap();
        assert!(promises.promise(41, 100).is_none());
        first.left(50);
        let second = promises.promise(50, 100).unwrap();
        assert!(promises.promise(1, 100).is_none());
        drop(first);
        let third = promises.promise(50, 100).unwrap();
        assert!(promises.promise(u64::MAX, u64::MAX).is_none());
        drop((second, third));
        assert_eq!(*promises.0.lock(), 0);
    }
}
