//! How often it is journalled that a caller's nodes cannot take deliveries: a few entries a second,
//! what comes between travels in the next one.

use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

use lienthong_core::{DeliveryKey, NegativeAcknowledge, NegativeDelivery};
use lienthong_model::Ordinal;
use lienthong_model::limits::{NEGATIVES_JOURNALLED_PER_SECOND, NEGATIVES_WAITING_MAX};

use crate::gate::WINDOW;

/// Longest reason that is kept, in bytes: some 200 characters of Vietnamese.
const REASON_BYTES_MAX: usize = 300;

/// A delivery that could not be taken.
#[derive(Debug, Clone)]
pub(crate) struct NotTaken {
    caller: Ordinal,
    key: DeliveryKey,
    reason: String,
}

impl NotTaken {
    /// Says of a delivery that it could not be taken, and why. A long reason is cut at once: many
    /// of them may wait.
    pub fn new(caller: Ordinal, key: DeliveryKey, reason: &str) -> Self {
        Self { caller, key, reason: cut(reason).to_owned() }
    }
}

/// As much of a text as is kept, in whole characters.
fn cut(text: &str) -> &str {
    let longest = text.len().min(REASON_BYTES_MAX);
    (0..=longest).rev().find_map(|end| text.get(..end)).unwrap_or_default()
}

/// The callers whose nodes could not take something lately. Bounded by the number of agencies.
#[derive(Debug, Default)]
pub(crate) struct NegativeGate {
    callers: HashMap<Ordinal, Lately>,
}

#[derive(Debug)]
struct Lately {
    since: Duration,
    journalled: u32,
    /// How often and why, by delivery.
    waiting: BTreeMap<DeliveryKey, (u32, String)>,
}

impl NegativeGate {
    /// Returns what to journal now, if anything. When too many deliveries wait, a further one is
    /// not kept: it comes again, and so does what is said of it.
    pub fn admit(&mut self, not_taken: NotTaken, now: Duration) -> Option<NegativeAcknowledge> {
        let NotTaken { caller, key, reason } = not_taken;
        let lately = self.callers.entry(caller).or_insert_with(|| Lately {
            since: now,
            journalled: 0,
            waiting: BTreeMap::new(),
        });
        if now >= lately.since + WINDOW {
            (lately.since, lately.journalled) = (now, 0);
        }
        if lately.waiting.len() < NEGATIVES_WAITING_MAX || lately.waiting.contains_key(&key) {
            let said = lately.waiting.entry(key).or_default();
            said.0 = said.0.saturating_add(1);
            said.1 = reason;
        }
        if lately.journalled >= NEGATIVES_JOURNALLED_PER_SECOND {
            return None;
        }
        lately.journalled += 1;
        lately.take(caller)
    }

    /// Returns what waits of callers whose second is over, and forgets those callers. With `now` at
    /// its largest: of all of them.
    pub fn release(&mut self, now: Duration) -> Vec<NegativeAcknowledge> {
        let over = |lately: &Lately| now >= lately.since.saturating_add(WINDOW);
        let over: Vec<Ordinal> = self
            .callers
            .iter()
            .filter(|(_, lately)| over(lately))
            .map(|(caller, _)| *caller)
            .collect();
        over.into_iter().filter_map(|caller| self.callers.remove(&caller)?.take(caller)).collect()
    }
}

impl Lately {
    fn take(&mut self, caller: Ordinal) -> Option<NegativeAcknowledge> {
        let waiting = std::mem::take(&mut self.waiting).into_iter();
        let deliveries: Vec<_> =
            waiting.map(|(key, (times, reason))| NegativeDelivery { key, times, reason }).collect();
        (!deliveries.is_empty()).then_some(NegativeAcknowledge { caller, deliveries })
    }
}

#[cfg(test)]
mod tests {
    use lienthong_model::Position;

    use super::*;

    fn said(position: u64, reason: &str) -> NotTaken {
        let key = DeliveryKey { recipient: Ordinal(2), position: Position(position) };
        NotTaken::new(Ordinal(1), key, reason)
    }

    #[test]
    fn a_few_a_second_are_journalled_and_the_rest_travels_in_the_next() {
        let mut gate = NegativeGate::default();
        let mut journalled = Vec::new();
        for n in 0..90 {
            journalled.extend(gate.admit(said(n % 3, &format!("{n}")), Duration::ZERO));
        }
        assert_eq!(journalled.len(), NEGATIVES_JOURNALLED_PER_SECOND as usize);
        assert!(gate.release(Duration::from_millis(999)).is_empty());
        let rest = gate.release(Duration::from_secs(1)).pop().unwrap();
        assert_eq!(rest.deliveries.len(), 3);
        assert_eq!(rest.deliveries[2].reason, "89", "as it was said last");
        journalled.push(rest);
        let times = journalled.iter().flat_map(|one| &one.deliveries).map(|one| one.times);
        assert_eq!(times.sum::<u32>(), 90);
        assert!(gate.release(Duration::MAX).is_empty());
    }

    #[test]
    fn what_waits_is_bounded() {
        let mut gate = NegativeGate::default();
        for n in 0..3 * NEGATIVES_WAITING_MAX as u64 {
            gate.admit(said(n, "x".repeat(900).as_str()), Duration::ZERO);
        }
        let rest = gate.release(Duration::MAX).pop().unwrap();
        assert_eq!(rest.deliveries.len(), NEGATIVES_WAITING_MAX);
        assert_eq!(rest.deliveries[0].reason.len(), REASON_BYTES_MAX);
    }

    #[test]
    fn a_long_reason_is_cut_before_it_waits_and_never_within_a_character() {
        let kept = |reason: &str| said(1, reason).reason;
        assert_eq!(kept("Hết chỗ trên đĩa"), "Hết chỗ trên đĩa");
        assert_eq!(kept(""), "");
        for width in ["x", "đ", "ế", "𠊛"] {
            let long = width.repeat(REASON_BYTES_MAX);
            for shift in ["", "a", "aa", "aaa"] {
                let reason = format!("{shift}{long}");
                let kept = kept(&reason);
                assert!(reason.starts_with(&kept));
                assert!((REASON_BYTES_MAX - 3..=REASON_BYTES_MAX).contains(&kept.len()));
            }
        }
    }
}
