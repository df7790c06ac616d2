//! How fast one agency may ask: requests and bytes a second, in machine time, before anything is
//! verified.
//!
//! Each of the two is a bucket (the generic cell rate algorithm: one moment a bucket, at which it
//! would be full again). A unary call that finds a bucket empty is refused with a time to retry; a
//! stream is slowed down, message by message, and what it brings in is refused only when that would
//! have to wait too long. What is refused here is not journalled: that would cost more than what is
//! refused.
//!
//! An agency that is a gateway asks for all those below it: its buckets are larger by a factor.

use std::collections::{HashMap, HashSet};
use std::time::{Duration, Instant};

use lienthong_core::Directory;
use lienthong_model::limits::{RATE_BURST, RATE_WAIT_MAX};
use lienthong_model::{Ordinal, Reason, Refusal};
use parking_lot::Mutex;

/// How often it is logged that an agency is limited.
const LOGGED_EVERY: Duration = Duration::from_secs(60);

/// How fast one agency may ask. What it has not used in two seconds it may use at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rates {
    /// Requests and messages of streams a second; 0 for any number. Default 50,000, which is more
    /// than a hub on two cores takes from all: too low slows honest agencies, too high lets one of
    /// them crowd out the others.
    pub requests_per_second: u32,
    /// Bytes of submissions and reports a second; 0 for any number. Default 512 MiB.
    pub bytes_per_second: u64,
    /// How many times as much a gateway may ask for. Default 16.
    pub gateway_factor: u32,
}

impl Default for Rates {
    fn default() -> Self {
        Self {
            requests_per_second: 50_000,
            bytes_per_second: 512 * 1024 * 1024,
            gateway_factor: 16,
        }
    }
}

/// What a caller asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Load {
    pub requests: u32,
    pub bytes: usize,
}

/// Every agency's buckets. Bounded by the number of agencies in the directory.
#[derive(Debug)]
pub(crate) struct RateGate {
    rates: Rates,
    began: Instant,
    callers: Mutex<Callers>,
}

#[derive(Debug, Default)]
struct Callers {
    buckets: HashMap<Ordinal, Buckets>,
    gateways: HashSet<Ordinal>,
    /// The version of the directory that the gateways are of.
    version: Option<u64>,
}

#[derive(Debug, Default)]
struct Buckets {
    requests: Bucket,
    bytes: Bucket,
    logged: Option<Duration>,
}

/// The moment at which the bucket would be full again.
#[derive(Debug, Default, Clone, Copy)]
struct Bucket(Duration);

impl Bucket {
    /// The bucket after something of a cost was taken, and how long to wait until it holds it.
    fn after(self, cost: Duration, now: Duration) -> (Self, Duration) {
        // What costs more than the bucket ever holds takes all of it.
        let full_at = self.0.max(now) + cost.min(RATE_BURST);
        (Self(full_at), full_at.saturating_sub(now + RATE_BURST))
    }
}

impl RateGate {
    pub fn new(rates: Rates) -> Self {
        Self { rates, began: Instant::now(), callers: Mutex::default() }
    }

    /// Takes what a unary call asks for out of its caller's buckets, or refuses it.
    pub fn pass(&self, caller: Ordinal, load: Load, directory: &Directory) -> Result<(), Refusal> {
        let now = self.began.elapsed();
        self.take(caller, load, Duration::ZERO, directory, now).map(drop)
    }

    /// Takes what a message of a stream asks for when the buckets hold it; whether they did.
    pub fn passes(&self, caller: Ordinal, load: Load, directory: &Directory) -> bool {
        let now = self.began.elapsed();
        self.ask(caller, load, Duration::ZERO, directory, now).is_ok()
    }

    /// Takes what a message of a stream asks for, and waits until the buckets hold it; refuses what
    /// would wait for longer than [`RATE_WAIT_MAX`].
    pub async fn wait(
        &self,
        caller: Ordinal,
        load: Load,
        directory: &Directory,
    ) -> Result<(), Refusal> {
        let now = self.began.elapsed();
        let wait = self.take(caller, load, RATE_WAIT_MAX, directory, now)?;
        if !wait.is_zero() {
            tokio::time::sleep(wait).await;
        }
        Ok(())
    }

    /// Takes what a caller asks for, unless it would have to wait for longer than `most`; how long
    /// it has to wait.
    fn take(
        &self,
        caller: Ordinal,
        load: Load,
        most: Duration,
        directory: &Directory,
        now: Duration,
    ) -> Result<Duration, Refusal> {
        let (requests, bytes) = match self.ask(caller, load, most, directory, now) {
            Ok(wait) => return Ok(wait),
            Err(waits) => waits,
        };
        if self.is_news(caller, now) {
            tracing::info!(caller = caller.0, "an agency asks faster than it may");
        }
        let value = match requests >= bytes {
            true => format!("{} requests a second", self.rates.requests_per_second),
            false => format!("{} bytes a second", self.rates.bytes_per_second),
        };
        Err(Refusal::at(Reason::RateLimited, "caller", value)
            .retry_after(requests.max(bytes) - most))
    }

    /// Takes what a caller asks for; how long it has to wait, or, when that is longer than `most`,
    /// how long it would have to for its requests and for its bytes.
    fn ask(
        &self,
        caller: Ordinal,
        load: Load,
        most: Duration,
        directory: &Directory,
        now: Duration,
    ) -> Result<Duration, (Duration, Duration)> {
        let mut callers = self.callers.lock();
        let factor = match callers.is_gateway(caller, directory) {
            true => self.rates.gateway_factor,
            false => 1,
        };
        let buckets = callers.buckets.entry(caller).or_default();
        let requests = cost(load.requests.into(), self.rates.requests_per_second.into(), factor);
        let bytes = cost(load.bytes as u64, self.rates.bytes_per_second, factor);
        let (requests, wait_for_requests) = buckets.requests.after(requests, now);
        let (bytes, wait_for_bytes) = buckets.bytes.after(bytes, now);
        let wait = wait_for_requests.max(wait_for_bytes);
        if wait <= most {
            (buckets.requests, buckets.bytes) = (requests, bytes);
            return Ok(wait);
        }
        Err((wait_for_requests, wait_for_bytes))
    }

    /// Whether it is to be logged that a caller is limited.
    fn is_news(&self, caller: Ordinal, now: Duration) -> bool {
        let mut callers = self.callers.lock();
        let logged = &mut callers.buckets.entry(caller).or_default().logged;
        let is_news = logged.is_none_or(|logged| now >= logged + LOGGED_EVERY);
        if is_news {
            *logged = Some(now);
        }
        is_news
    }
}

impl Callers {
    fn is_gateway(&mut self, caller: Ordinal, directory: &Directory) -> bool {
        if self.version != Some(directory.version()) {
            let entries = directory.agencies().iter().flat_map(|agency| &agency.entries);
            let gateways = entries.filter_map(|entry| directory.find(entry.gateway.as_ref()?));
            self.gateways = gateways.map(|gateway| gateway.ordinal).collect();
            self.version = Some(directory.version());
        }
        self.gateways.contains(&caller)
    }
}

/// What a number of things costs of a rate of so many a second.
fn cost(count: u64, per_second: u64, factor: u32) -> Duration {
    let nanoseconds = u128::from(count) * 1_000_000_000;
    let per_second = u128::from(per_second) * u128::from(factor.max(1));
    let cost = nanoseconds.checked_div(per_second).unwrap_or_default();
    Duration::from_nanos(u64::try_from(cost).unwrap_or(u64::MAX))
}

#[cfg(test)]
mod tests {
    use lienthong_model::{AgencyEntry, AgencyState, Day, Level, SignaturePolicy};

    use super::*;

    const ONE: Load = Load { requests: 1, bytes: 0 };
    const OWN: Ordinal = Ordinal(1);
    const SECOND: Duration = Duration::from_secs(1);

    /// The second agency serves itself, the first one is the gateway of the third.
    fn directory() -> Directory {
        let code = |text| lienthong_model::AgencyCode::parse(text).unwrap();
        let mut directory = Directory::default();
        for (text, gateway) in [("H34", None), ("H36", None), ("H34.05", Some("H34"))] {
            directory.put(AgencyEntry {
                code: code(text),
                name: text.to_owned(),
                level: Level::Province,
                parent: None,
                province: Some(code(&text[..3])),
                from: Day(0),
                until: None,
                state: AgencyState::Connected,
                policy: SignaturePolicy::Transition,
                gateway: gateway.map(code),
            });
        }
        directory
    }

    fn gate(requests_per_second: u32, bytes_per_second: u64) -> RateGate {
        RateGate::new(Rates { requests_per_second, bytes_per_second, gateway_factor: 4 })
    }

    /// How many requests of one kind pass at a moment.
    fn passing(gate: &RateGate, caller: Ordinal, load: Load, now: Duration) -> usize {
        let directory = directory();
        let passes = || gate.take(caller, load, Duration::ZERO, &directory, now).is_ok();
        (0..1000).take_while(|_| passes()).count()
    }

    #[test]
    fn a_full_bucket_holds_two_seconds_and_fills_at_its_rate() {
        let gate = gate(10, 0);
        assert_eq!(passing(&gate, OWN, ONE, SECOND), 20);
        assert_eq!(passing(&gate, OWN, ONE, SECOND), 0);
        assert_eq!(passing(&gate, OWN, ONE, SECOND * 3 / 2), 5);
        assert_eq!(passing(&gate, OWN, ONE, SECOND * 100), 20);
    }

    #[test]
    fn one_agencys_bucket_is_not_anothers_and_a_gateways_is_larger() {
        let gate = gate(10, 0);
        assert_eq!(passing(&gate, OWN, ONE, SECOND), 20);
        assert_eq!(passing(&gate, Ordinal(2), ONE, SECOND), 20);
        assert_eq!(passing(&gate, Ordinal(0), ONE, SECOND), 80);
    }

    #[test]
    fn bytes_are_counted_beside_requests_and_the_largest_message_passes_a_small_rate() {
        let load = |bytes| Load { requests: 1, bytes };
        assert_eq!(passing(&gate(0, 1000), OWN, load(500), SECOND), 4);
        assert_eq!(passing(&gate(0, 1000), OWN, load(4 << 20), SECOND), 1);
        assert_eq!(passing(&gate(1, 1000), OWN, load(500), SECOND), 2);
        assert_eq!(passing(&gate(0, 0), OWN, load(4 << 20), SECOND), 1000);
    }

    #[test]
    fn a_refusal_says_when_to_try_again_and_then_it_passes() {
        let (gate, directory) = (gate(10, 0), directory());
        passing(&gate, OWN, ONE, SECOND);
        let refused = gate.take(OWN, ONE, Duration::ZERO, &directory, SECOND).unwrap_err();
        assert_eq!(refused.reason, Reason::RateLimited);
        assert_eq!(refused.retry_after_ms, Some(100));
        let later = SECOND + Duration::from_millis(100);
        assert_eq!(gate.take(OWN, ONE, Duration::ZERO, &directory, later), Ok(Duration::ZERO));
    }

    #[test]
    fn a_stream_waits_its_turn_and_is_refused_when_that_is_too_far() {
        let (gate, directory) = (gate(10, 0), directory());
        passing(&gate, OWN, ONE, SECOND);
        let mut waits = Vec::new();
        let refused = loop {
            match gate.take(OWN, ONE, RATE_WAIT_MAX, &directory, SECOND) {
                Ok(wait) => waits.push(wait),
                Err(refused) => break refused,
            }
        };
        let tenth = Duration::from_millis(100);
        assert_eq!(waits.first(), Some(&tenth));
        assert!(waits.windows(2).all(|pair| pair[1] - pair[0] == tenth));
        assert_eq!(waits.last(), Some(&RATE_WAIT_MAX));
        assert_eq!(refused.retry_after_ms, Some(100));
    }
}
