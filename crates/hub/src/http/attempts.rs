//! Failed attempts to sign in: counted for each name and each address, which then have to wait,
//! twice as long each time. A name that nobody has is treated like any other.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use lienthong_model::limits::{
    SIGN_IN_FAILURES_FREE, SIGN_IN_REMEMBERED_MAX, SIGN_IN_WAIT_MAX, SIGN_IN_WAIT_MIN,
};
use parking_lot::Mutex;

/// Who failed lately.
#[derive(Default)]
pub(super) struct Attempts(Mutex<HashMap<String, Failed>>);

#[derive(Debug, Clone, Copy)]
struct Failed {
    times: u32,
    last: Instant,
}

impl Attempts {
    /// Counts an attempt of all these (a name, an address) as failed before it is looked at, so that
    /// attempts at the same time do not pass together; returns how long to wait instead when one of
    /// them has to.
    pub fn begin(&self, of: &[String], now: Instant) -> Result<(), Duration> {
        let mut all = self.0.lock();
        let wait = of.iter().filter_map(|one| all.get(one)?.waits(now)).max();
        if let Some(wait) = wait {
            return Err(wait);
        }
        for one in of {
            if all.len() >= SIGN_IN_REMEMBERED_MAX && !all.contains_key(one) {
                forget_old(&mut all, now);
            }
            let failed = all.entry(one.clone()).or_insert(Failed { times: 0, last: now });
            *failed = Failed { times: failed.times.saturating_add(1), last: now };
        }
        Ok(())
    }

    /// Forgets the failures of all these: somebody has signed in.
    pub fn succeeded(&self, of: &[String]) {
        let mut all = self.0.lock();
        all.retain(|one, _| !of.contains(one));
    }
}

impl Failed {
    /// How long to wait yet; none when another attempt may be made.
    fn waits(&self, now: Instant) -> Option<Duration> {
        let over = self.times.checked_sub(SIGN_IN_FAILURES_FREE)?;
        let wait = SIGN_IN_WAIT_MIN.saturating_mul(1 << over.min(20)).min(SIGN_IN_WAIT_MAX);
        let wait = wait.checked_sub(now.saturating_duration_since(self.last))?;
        (!wait.is_zero()).then_some(wait)
    }
}

/// Forgets those who may try again anyway, or else the oldest.
fn forget_old(all: &mut HashMap<String, Failed>, now: Instant) {
    let before = all.len();
    all.retain(|_, failed| now.saturating_duration_since(failed.last) < SIGN_IN_WAIT_MAX);
    if all.len() < before {
        return;
    }
    let oldest = all.iter().min_by_key(|(_, failed)| failed.last).map(|(one, _)| one.clone());
    if let Some(oldest) = oldest {
        all.remove(&oldest);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(name: &str, address: &str) -> [String; 2] {
        [name.to_owned(), address.to_owned()]
    }

    #[test]
    fn after_some_failures_each_further_one_doubles_the_wait_up_to_the_bound() {
        let (attempts, mut now) = (Attempts::default(), Instant::now());
        let of = names("H36/an", "10.0.0.1");
        for _ in 0..SIGN_IN_FAILURES_FREE {
            attempts.begin(&of, now).unwrap();
        }
        let mut waits = Vec::new();
        for _ in 0..14 {
            let wait = attempts.begin(&of, now).unwrap_err();
            waits.push(wait);
            now += wait;
            attempts.begin(&of, now).unwrap();
        }
        assert_eq!(waits[..3], [1, 2, 4].map(Duration::from_secs));
        assert_eq!(waits.last(), Some(&SIGN_IN_WAIT_MAX));
    }

    #[test]
    fn an_address_that_guesses_at_many_names_has_to_wait_and_others_do_not() {
        let (attempts, now) = (Attempts::default(), Instant::now());
        for guess in 0..SIGN_IN_FAILURES_FREE {
            attempts.begin(&names(&format!("H36/{guess}"), "10.0.0.1"), now).unwrap();
        }
        assert!(attempts.begin(&names("H36/another", "10.0.0.1"), now).is_err());
        assert!(attempts.begin(&names("H36/another", "10.0.0.2"), now).is_ok());
    }

    #[test]
    fn whoever_signs_in_begins_anew() {
        let (attempts, now) = (Attempts::default(), Instant::now());
        let of = names("H36/an", "10.0.0.1");
        for _ in 0..20 {
            attempts.begin(&of, now).unwrap();
            attempts.succeeded(&of);
        }
    }

    #[test]
    fn what_is_remembered_is_bounded() {
        let (attempts, now) = (Attempts::default(), Instant::now());
        for guess in 0..SIGN_IN_REMEMBERED_MAX + 10 {
            attempts.begin(&[format!("H36/{guess}")], now).unwrap();
        }
        assert_eq!(attempts.0.lock().len(), SIGN_IN_REMEMBERED_MAX);
    }
}
