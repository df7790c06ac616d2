//! How many refusals of one caller are journalled: ten a second one by one, the rest added up in
//! the next one, so that nobody fills the disk with what is declined.

use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

use lienthong_core::{RefusalCount, RefusedRequests};
use lienthong_model::limits::REFUSALS_JOURNALLED_PER_SECOND;
use lienthong_model::{Digest, MessageId, Ordinal, Reason, Refusal};

/// The second for which a caller's refusals are counted.
pub(crate) const WINDOW: Duration = Duration::from_secs(1);

/// A request that was declined, without its content.
#[derive(Debug, Clone)]
pub(crate) struct Declined {
    pub caller: Ordinal,
    pub id: Option<MessageId>,
    pub digest: Digest,
    pub size: u64,
    pub refusal: Refusal,
}

/// The callers that were refused something lately. Bounded by the number of agencies.
#[derive(Debug, Default)]
pub(crate) struct RefusalGate {
    callers: HashMap<Ordinal, Lately>,
}

#[derive(Debug)]
struct Lately {
    since: Duration,
    journalled: u32,
    held_back: BTreeMap<Reason, u32>,
    last: Declined,
}

impl RefusalGate {
    /// Returns what to journal now, if anything.
    pub fn admit(
        &mut self,
        declined: Declined,
        now: Duration,
    ) -> Option<(RefusedRequests, Refusal)> {
        let lately = self.callers.entry(declined.caller).or_insert_with(|| Lately {
            since: now,
            journalled: 0,
            held_back: BTreeMap::new(),
            last: declined.clone(),
        });
        if now >= lately.since + WINDOW {
            (lately.since, lately.journalled) = (now, 0);
        }
        if lately.journalled >= REFUSALS_JOURNALLED_PER_SECOND {
            *lately.held_back.entry(declined.refusal.reason).or_default() += 1;
            lately.last = declined;
            return None;
        }
        lately.journalled += 1;
        let added_up = std::mem::take(&mut lately.held_back);
        Some(request(declined, added_up))
    }

    /// Returns what was held back by callers whose second is over, and forgets those callers.
    /// With `now` at its largest: of all of them.
    pub fn release(&mut self, now: Duration) -> Vec<(RefusedRequests, Refusal)> {
        let over: Vec<Ordinal> = self
            .callers
            .iter()
            .filter(|(_, lately)| now >= lately.since.saturating_add(WINDOW))
            .map(|(caller, _)| *caller)
            .collect();
        over.into_iter().filter_map(|caller| self.callers.remove(&caller)?.released()).collect()
    }
}

impl Lately {
    fn released(mut self) -> Option<(RefusedRequests, Refusal)> {
        // The last one stands for itself: it is not added up as well.
        let reason = self.last.refusal.reason;
        let count = self.held_back.get_mut(&reason)?;
        *count -= 1;
        if *count == 0 {
            self.held_back.remove(&reason);
        }
        Some(request(self.last, self.held_back))
    }
}

fn request(declined: Declined, added_up: BTreeMap<Reason, u32>) -> (RefusedRequests, Refusal) {
    let Declined { caller, id, digest, size, refusal } = declined;
    let added_up =
        added_up.into_iter().map(|(reason, count)| RefusalCount { reason, count }).collect();
    (RefusedRequests { caller, id, digest, size, added_up }, refusal)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn declined(caller: u32, reason: Reason) -> Declined {
        Declined {
            caller: Ordinal(caller),
            id: None,
            digest: Digest([0; 32]),
            size: 1,
            refusal: Refusal::new(reason),
        }
    }

    fn counted(journalled: &[(RefusedRequests, Refusal)]) -> u32 {
        let added =
            |request: &RefusedRequests| request.added_up.iter().map(|a| a.count).sum::<u32>();
        journalled.iter().map(|(request, _)| 1 + added(request)).sum()
    }

    #[test]
    fn ten_a_second_are_journalled_and_every_other_one_is_counted_later() {
        let mut gate = RefusalGate::default();
        let mut journalled: Vec<_> = (0..1_000)
            .filter_map(|n| {
                let reason = if n % 3 == 0 { Reason::IdReused } else { Reason::SenderUnknown };
                gate.admit(declined(1, reason), Duration::ZERO)
            })
            .collect();
        assert_eq!(journalled.len(), 10);
        journalled.extend(gate.admit(declined(1, Reason::IdReused), Duration::from_secs(1)));
        assert_eq!(counted(&journalled), 1_001);
    }

    #[test]
    fn what_was_held_back_is_released_when_the_second_is_over() {
        let mut gate = RefusalGate::default();
        let mut journalled = Vec::new();
        for n in 0..50 {
            let reason = if n < 20 { Reason::IdReused } else { Reason::SenderUnknown };
            journalled.extend(gate.admit(declined(2, reason), Duration::ZERO));
        }
        assert!(gate.release(Duration::from_millis(999)).is_empty());
        journalled.extend(gate.release(Duration::from_secs(1)));
        assert_eq!(counted(&journalled), 50);
        assert!(gate.release(Duration::MAX).is_empty());
    }

    #[test]
    fn one_caller_does_not_use_up_anothers_share() {
        let mut gate = RefusalGate::default();
        for _ in 0..100 {
            gate.admit(declined(1, Reason::IdReused), Duration::ZERO);
        }
        assert!(gate.admit(declined(2, Reason::IdReused), Duration::ZERO).is_some());
    }
}
