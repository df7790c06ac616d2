//! Places: a bounded number, counted.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use lienthong_model::{Ordinal, Reason, Refusal};
use parking_lot::Mutex;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Places for connections; clones share them.
#[derive(Debug, Clone)]
pub(crate) struct Places {
    free: Arc<Semaphore>,
    max: usize,
}

impl Places {
    /// Makes so many places.
    pub fn new(max: usize) -> Self {
        Self { free: Arc::new(Semaphore::new(max)), max }
    }

    /// Takes a place, when one is free; dropping it gives it back.
    pub fn take(&self) -> Option<OwnedSemaphorePermit> {
        self.free.clone().try_acquire_owned().ok()
    }

    /// How many are taken.
    pub fn taken(&self) -> usize {
        self.max.saturating_sub(self.free.available_permits())
    }

    /// How many there are.
    pub fn max(&self) -> usize {
        self.max
    }
}

/// Places for what calls begin and what goes on beside them. One agency has its share at most, so that
/// nobody keeps all others out.
#[derive(Debug)]
pub(crate) struct SharedPlaces {
    max: usize,
    share: usize,
    /// What a refusal names.
    field: &'static str,
    /// When whoever found no place may try again.
    again: Duration,
    taken: Mutex<Taken>,
}

#[derive(Debug, Default)]
struct Taken {
    all: usize,
    /// Only of those who have any.
    of_agency: HashMap<Ordinal, usize>,
}

/// A place; dropping it gives it back.
#[derive(Debug)]
pub(crate) struct SharedPlace {
    places: Arc<SharedPlaces>,
    agency: Ordinal,
}

impl SharedPlaces {
    /// Makes so many places, of which one agency may have a share; a refusal names the field and when
    /// to come again.
    pub fn new((max, share): (usize, usize), field: &'static str, again: Duration) -> Arc<Self> {
        Arc::new(Self { max, share, field, again, taken: Mutex::default() })
    }

    /// Takes a place for an agency.
    pub fn take(self: &Arc<Self>, agency: Ordinal) -> Result<SharedPlace, Refusal> {
        let mut taken = self.taken.lock();
        let held = taken.of_agency.get(&agency).copied().unwrap_or_default();
        let value = if held >= self.share {
            format!("the agency has {held} under way, as many as one may")
        } else if taken.all >= self.max {
            format!("{} are under way, as many as may be", taken.all)
        } else {
            taken.all += 1;
            taken.of_agency.insert(agency, held + 1);
            return Ok(SharedPlace { places: self.clone(), agency });
        };
        Err(Refusal::at(Reason::Overloaded, self.field, value).retry_after(self.again))
    }
}

impl Drop for SharedPlace {
    fn drop(&mut self) {
        let mut taken = self.places.taken.lock();
        taken.all = taken.all.saturating_sub(1);
        if let Some(held) = taken.of_agency.get_mut(&self.agency) {
            *held = held.saturating_sub(1);
            if *held == 0 {
                taken.of_agency.remove(&self.agency);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const AGAIN: Duration = Duration::from_secs(5);

    #[test]
    fn an_agency_has_its_share_and_leaves_the_others_theirs() {
        let places = SharedPlaces::new((3, 2), "wait", AGAIN);
        let (one, other) = (Ordinal(1), Ordinal(2));
        let held = [places.take(one).unwrap(), places.take(one).unwrap()];
        let refusal = places.take(one).unwrap_err();
        assert_eq!((refusal.reason, refusal.retry_after_ms), (Reason::Overloaded, Some(5_000)));
        assert_eq!(refusal.violations[0].field, "wait");
        let last = places.take(other).unwrap();
        let refusal = places.take(other).unwrap_err();
        assert!(refusal.violations[0].value.starts_with("3 are"), "{refusal}");
        drop(held);
        places.take(one).unwrap();
        drop(last);
        let taken = places.taken.lock();
        assert!(taken.all == 0 && taken.of_agency.is_empty(), "{taken:?}");
    }
}
