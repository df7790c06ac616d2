//! Attachments on their way: uploads before a document, downloads after it.
//!
//! A transfer has a task of its own that moves one piece at a time between the stream and the disk,
//! so its memory does not grow with the attachment. Places are bounded for the hub and for each
//! caller; what is taken up is promised room above the soft mark of the disk.

mod download;
mod upload;

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use lienthong_ledger::{PayloadFiles, UploadLimits};
use lienthong_model::limits::{TRANSFERS_MAX, TRANSFERS_PER_CALLER_MAX};
use lienthong_model::{Ordinal, Reason, Refusal};
use parking_lot::Mutex;
use tokio_stream::wrappers::ReceiverStream;

pub(crate) use self::download::Wanted;
pub(crate) use self::upload::Piece;
use crate::reader::Reader;
use crate::space::Space;

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
    places: Arc<Places>,
}

/// Who is at a transfer, and how many bytes uploads under way may still bring.
#[derive(Debug, Default)]
struct Places(Mutex<Taken>);

#[derive(Debug, Default)]
struct Taken {
    all: usize,
    of: HashMap<Ordinal, usize>,
    promised: u64,
}

/// A place of a transfer; dropping it gives it back, with what was promised and not used.
#[derive(Debug)]
struct Place {
    places: Arc<Places>,
    caller: Ordinal,
    promised: u64,
}

impl Transfers {
    pub fn new(
        reader: Reader,
        payloads: Arc<PayloadFiles>,
        space: Space,
        limits: UploadLimits,
    ) -> Self {
        Self { reader, payloads, space, limits, places: Arc::default() }
    }
}

impl Places {
    /// Takes a place for a caller.
    ///
    /// # Errors
    /// OVERLOADED when the hub or the caller has too many transfers under way.
    fn take(places: &Arc<Self>, caller: Ordinal) -> Result<Place, Refusal> {
        let mut taken = places.0.lock();
        let all = taken.all;
        let own = taken.of.entry(caller).or_default();
        let full = |found: usize, most: usize| {
            Refusal::at(Reason::Overloaded, "", format!("{found} transfers, at most {most}"))
                .retry_after(PLACE_AGAIN)
        };
        if *own >= TRANSFERS_PER_CALLER_MAX {
            return Err(full(*own, TRANSFERS_PER_CALLER_MAX));
        }
        if all >= TRANSFERS_MAX {
            return Err(full(all, TRANSFERS_MAX));
        }
        *own += 1;
        taken.all += 1;
        drop(taken);
        Ok(Place { places: places.clone(), caller, promised: 0 })
    }
}

impl Place {
    /// Promises room for bytes to come, out of what there is; `false` when there is not so much.
    fn promise(&mut self, bytes: u64, room: u64) -> bool {
        let mut taken = self.places.0.lock();
        let promised = taken.promised.saturating_add(bytes);
        if promised > room {
            return false;
        }
        taken.promised = promised;
        self.promised = self.promised.saturating_add(bytes);
        true
    }

    /// Notes that so many bytes may still come: the rest of the promise is used.
    fn left(&mut self, bytes: u64) {
        let used = self.promised.saturating_sub(bytes);
        let mut taken = self.places.0.lock();
        taken.promised = taken.promised.saturating_sub(used);
        self.promised -= used;
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut taken = self.places.0.lock();
        taken.all = taken.all.saturating_sub(1);
        taken.promised = taken.promised.saturating_sub(self.promised);
        if let Some(own) = taken.of.get_mut(&self.caller) {
            *own = own.saturating_sub(1);
            if *own == 0 {
                taken.of.remove(&self.caller);
            }
        }
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
    fn places_are_bounded_for_each_caller_and_for_all_and_come_back() {
        let places = Arc::<Places>::default();
        let of = |caller: u32| Places::take(&places, Ordinal(caller));
        let own: Vec<_> = (0..TRANSFERS_PER_CALLER_MAX).map(|_| of(1).unwrap()).collect();
        assert_eq!(of(1).unwrap_err().reason, Reason::Overloaded);
        let others: Vec<_> = (own.len()..TRANSFERS_MAX).map(|n| of(n as u32).unwrap()).collect();
        assert_eq!(of(9_999).unwrap_err().reason, Reason::Overloaded);
        drop(own);
        assert!(of(9_999).is_ok() && of(1).is_ok());
        drop(others);
        assert!(places.0.lock().of.is_empty() && places.0.lock().all == 0);
    }

    #[test]
    fn room_is_promised_once_and_given_back_as_it_is_used() {
        let places = Arc::<Places>::default();
        let mut first = Places::take(&places, Ordinal(1)).unwrap();
        let mut second = Places::take(&places, Ordinal(2)).unwrap();
        assert!(first.promise(60, 100));
        assert!(!second.promise(41, 100));
        first.left(50);
        assert!(second.promise(50, 100));
        drop(first);
        assert!(second.promise(50, 100));
        drop(second);
        assert_eq!(places.0.lock().promised, 0);
    }
}
