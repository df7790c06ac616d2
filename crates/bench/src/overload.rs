//! More than a hub can take: what it accepts, how soon, and how it is afterwards.
//!
//! ```text
//!  capacity ──▶ 0.8 of it ─▶ so many times as much ─▶ 0.8 of it again ─▶ capacity
//!  closed loop  the usual    the flood               how long until it    closed loop
//!  as long as                                        is as usual
//!  the flood
//! ```
//! The capacity is taken over as long as the flood lasts: a new hub is faster than one whose state has
//! begun to move rows, which it does for ever after, and does by turns.
//!
//! Documents come at an open rate over several connections. Each connection has a window of documents
//! under way, as any sender has: one that is due while the window is full was *kept back* (the
//! stream's flow control, or the sender's own bound of calls). One that the hub declines may be
//! offered again later.

use std::sync::Arc;
use std::time::Duration;

use lienthong_client::{CallError, Client, Setback, Signer, Submissions, sign_document};
use lienthong_model::{AgencyCode, Reason, SignedContent};
use parking_lot::Mutex;
use serde::Serialize;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio::time::Instant;

use crate::documents::letter;
use crate::error::BenchError;
use crate::latency::{Latencies, Latency};
use crate::load::Way;
use crate::process::Spent;
use crate::scene::Target;
use crate::stage::{Cast, Keyring};

/// The usual share of the capacity.
const USUAL: f64 = 0.8;
/// How long it is watched whether the hub is as usual again.
const AFTER: Duration = Duration::from_secs(5);
/// The spans in which that is looked at.
const SPAN: Duration = Duration::from_millis(250);
/// It is as usual when 99 of 100 take at most so many times what they usually do.
const AS_USUAL: f64 = 2.0;

/// Documents a second that are signed for before it is known how fast the hub is.
const PER_SECOND_AT_FIRST: f64 = 25_000.0;
/// How much more is signed than is expected to be accepted.
const MARGIN: f64 = 1.4;
/// Documents of a sender beside those.
const SPARE: usize = 1_000;

/// How a hub is flooded.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Flood {
    /// How documents are handed over.
    pub way: Way,
    /// Connections, a sender each.
    pub senders: usize,
    /// Documents that one sender has under way at most.
    pub window: usize,
    /// How many times the capacity is offered.
    pub factor: f64,
    /// How long the flood lasts.
    pub seconds: f64,
    /// How long the usual is measured, and the capacity at first and after the flood.
    pub seconds_before: f64,
}

/// What the flood showed.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Flooded {
    /// What was done.
    pub flood: Flood,
    /// Documents a second in a closed loop with all windows full, on a hub that is new.
    pub capacity_at_first: f64,
    /// The same over as long as the flood lasts: what the flood is compared with.
    pub capacity: f64,
    /// And after the flood.
    pub capacity_after: f64,
    /// At 0.8 of it.
    pub usual: Latency,
    /// Documents offered a second.
    pub offered_per_second: f64,
    /// Documents accepted a second.
    pub accepted_per_second: f64,
    /// Of those accepted.
    pub accepted: Latency,
    /// Declined by the hub.
    pub declined: u64,
    /// Of those, how many were told when to come again.
    pub told_when: u64,
    /// Due while the sender's window was full.
    pub kept_back: u64,
    /// After the flood, until 99 of 100 take at most twice as long as usual; `None` when that was not
    /// seen within 5 s.
    pub as_usual_after_ms: Option<u64>,
    /// The most memory that was resident, in bytes.
    pub resident_bytes_max: u64,
}

/// Senders with their windows, and the documents to hand over.
struct Crowd {
    senders: Vec<Sender>,
    way: Way,
}

struct Sender {
    code: AgencyCode,
    /// Whom it writes to. A mailbox has a bound, which a long flood would come to.
    to: AgencyCode,
    client: Client,
    stream: Submissions,
    seal: Signer,
    window: Arc<Semaphore>,
    /// Signed and not accepted yet.
    ready: Arc<Mutex<Vec<SignedContent>>>,
}

/// What became of what was offered.
#[derive(Default)]
struct Offered {
    offered: u64,
    kept_back: u64,
    declined: u64,
    told_when: u64,
    /// When it was due, from the start, and how long it took.
    accepted: Vec<(Duration, Duration)>,
}

impl Flood {
    /// Floods a hub.
    ///
    /// # Errors
    /// [`BenchError`] when somebody cannot connect, or the hub fails in another way than by asking
    /// for patience.
    pub async fn carry_out(
        self,
        target: &Target,
        keys: &Keyring,
        cast: &Cast,
    ) -> Result<Flooded, BenchError> {
        let mut crowd = Crowd::connect(self, target, keys, cast).await?;
        let first = crowd.fill_windows(Duration::from_secs(1), PER_SECOND_AT_FIRST).await?;
        let before = Duration::from_secs_f64(self.seconds_before);
        let span = Duration::from_secs_f64(self.seconds);
        let capacity_at_first = crowd.fill_windows(before, first).await?;
        let capacity = crowd.fill_windows(span, capacity_at_first).await?;
        let usual = crowd.offer(capacity * USUAL, before, capacity).await?;
        let usual = latencies(&usual.accepted).summary();
        let flood = crowd.offer(capacity * self.factor, span, capacity).await?;
        let after = crowd.offer(capacity * USUAL, AFTER, capacity).await?;
        let capacity_after = crowd.fill_windows(before, capacity).await?;
        Ok(Flooded {
            flood: self,
            capacity_at_first,
            capacity,
            capacity_after,
            usual,
            offered_per_second: flood.offered as f64 / self.seconds,
            accepted_per_second: flood.accepted.len() as f64 / self.seconds,
            accepted: latencies(&flood.accepted).summary(),
            declined: flood.declined,
            told_when: flood.told_when,
            kept_back: flood.kept_back,
            as_usual_after_ms: as_usual_after(&after.accepted, usual),
            resident_bytes_max: target
                .process
                .map_or(0, |process| Spent::by(process).resident_bytes_max),
        })
    }
}

/// After how many milliseconds every later span was as usual.
fn as_usual_after(accepted: &[(Duration, Duration)], usual: Latency) -> Option<u64> {
    let spans = AFTER.as_millis().div_ceil(SPAN.as_millis());
    let most = usual.p99_us as f64 * AS_USUAL;
    let mut since = None;
    for span in 0..u32::try_from(spans).unwrap_or(0) {
        let (from, until) = (SPAN * span, SPAN * (span + 1));
        let of = accepted.iter().filter(|(due, _)| (from..until).contains(due)).copied();
        let of: Vec<_> = of.collect();
        let found = latencies(&of).summary();
        let is_usual = found.count > 0 && found.p99_us as f64 <= most;
        since = if is_usual { since.or(Some(from)) } else { None };
    }
    since.and_then(|since| u64::try_from(since.as_millis()).ok())
}

fn latencies(accepted: &[(Duration, Duration)]) -> Latencies {
    let mut latencies = Latencies::new();
    accepted.iter().for_each(|(_, took)| latencies.note(*took));
    latencies
}

impl Crowd {
    async fn connect(
        flood: Flood,
        target: &Target,
        keys: &Keyring,
        cast: &Cast,
    ) -> Result<Self, BenchError> {
        let mut senders = Vec::new();
        let recipients = cast.recipients.iter().cycle();
        for (code, to) in cast.senders.iter().cycle().zip(recipients).take(flood.senders) {
            // Whoever is asked for patience is not to try again by itself: that is counted.
            let client = keys.connect_once(&target.url, code).await?;
            let stream = client.submissions(flood.window);
            senders.push(Sender {
                code: code.clone(),
                to: to.clone(),
                client,
                stream,
                seal: keys.seal(code)?,
                window: Arc::new(Semaphore::new(flood.window)),
                ready: Arc::default(),
            });
        }
        Ok(Self { senders, way: flood.way })
    }

    /// Signs until every sender has so many.
    fn sign(&mut self, each: usize) -> Result<(), BenchError> {
        for sender in &self.senders {
            let mut ready = sender.ready.lock();
            let to = std::slice::from_ref(&sender.to);
            for number in ready.len()..each {
                let letter = letter(&sender.client, &sender.code, to, number);
                ready.push(sign_document(&letter, Vec::new(), &[&sender.seal]));
            }
        }
        Ok(())
    }

    /// A closed loop with every window full; documents accepted a second.
    async fn fill_windows(&mut self, span: Duration, expected: f64) -> Result<f64, BenchError> {
        self.sign(enough(span, expected, self.senders.len()))?;
        let began = Instant::now();
        let mut under_way = JoinSet::new();
        for sender in &self.senders {
            for _ in 0..sender.window.available_permits() {
                let (sender, way) = (sender.share(), self.way);
                under_way.spawn(async move {
                    let mut accepted = 0_u64;
                    while began.elapsed() < span {
                        match sender.one(way).await {
                            Some(Ok(())) => accepted += 1,
                            Some(Err(declined)) => {
                                let (again, _) = patience(&declined).ok_or(declined)?;
                                tokio::time::sleep(again).await;
                            }
                            None => break,
                        }
                    }
                    Ok::<_, CallError>(accepted)
                });
            }
        }
        let mut accepted = 0;
        while let Some(joined) = under_way.join_next().await {
            match joined {
                Ok(count) => accepted += count?,
                Err(error) => std::panic::resume_unwind(error.into_panic()),
            }
        }
        Ok(accepted as f64 / began.elapsed().as_secs_f64())
    }

    /// An open rate for a span.
    async fn offer(
        &mut self,
        rate: f64,
        span: Duration,
        expected: f64,
    ) -> Result<Offered, BenchError> {
        self.sign(enough(span, expected.min(rate), self.senders.len()))?;
        let offered = Arc::new(Mutex::new(Offered::default()));
        let failed: Arc<Mutex<Option<CallError>>> = Arc::default();
        let began = Instant::now();
        let mut under_way = JoinSet::new();
        let mut number = 0_u64;
        loop {
            let due = Duration::from_secs_f64(number as f64 / rate);
            if due >= span || failed.lock().is_some() {
                break;
            }
            if began + due > Instant::now() {
                tokio::time::sleep_until(began + due).await;
            }
            let at = usize::try_from(number).unwrap_or(0) % self.senders.len().max(1);
            number += 1;
            let Some(sender) = self.senders.get(at) else { break };
            let Ok(place) = sender.window.clone().try_acquire_owned() else {
                let mut offered = offered.lock();
                (offered.offered, offered.kept_back) = (offered.offered + 1, offered.kept_back + 1);
                continue;
            };
            offered.lock().offered += 1;
            let (sender, way) = (sender.share(), self.way);
            let (offered, failed) = (offered.clone(), failed.clone());
            under_way.spawn(async move {
                let outcome = sender.one(way).await;
                drop(place);
                let took = (began + due).elapsed();
                let mut offered = offered.lock();
                match outcome {
                    Some(Ok(())) => offered.accepted.push((due, took)),
                    Some(Err(error)) => match patience(&error) {
                        Some((_, told)) => {
                            offered.declined += 1;
                            offered.told_when += u64::from(told);
                        }
                        None => *failed.lock() = Some(error),
                    },
                    None => offered.kept_back += 1,
                }
            });
            while under_way.try_join_next().is_some() {}
        }
        while under_way.join_next().await.is_some() {}
        if let Some(error) = failed.lock().take() {
            return Err(error.into());
        }
        let done = std::mem::take(&mut *offered.lock());
        Ok(done)
    }
}

/// Documents that a sender needs for a span in which so many a second are expected to be accepted.
fn enough(span: Duration, per_second: f64, senders: usize) -> usize {
    (span.as_secs_f64() * per_second * MARGIN) as usize / senders.max(1) + SPARE
}

/// When the hub asks for patience: for how long, and whether it said so itself.
fn patience(error: &CallError) -> Option<(Duration, bool)> {
    let CallError::GaveUp { last: Setback::Refused(refusal), .. } = error else { return None };
    let asked = matches!(refusal.reason, Reason::Overloaded | Reason::RateLimited);
    let told = refusal.retry_after_ms.map(Duration::from_millis);
    asked.then(|| (told.unwrap_or(SPAN), told.is_some()))
}

/// What a task needs of a sender.
struct Share {
    client: Client,
    stream: Submissions,
    ready: Arc<Mutex<Vec<SignedContent>>>,
}

impl Sender {
    fn share(&self) -> Share {
        let (client, stream, ready) =
            (self.client.clone(), self.stream.clone(), self.ready.clone());
        Share { client, stream, ready }
    }
}

impl Share {
    /// Hands over one document; one that is declined is ready again. `None` when there is none left.
    async fn one(&self, way: Way) -> Option<Result<(), CallError>> {
        let signed = self.ready.lock().pop()?;
        let again = signed.clone();
        let outcome = match way {
            Way::Streaming => self.stream.submit(signed).await,
            Way::Unary => self.client.submit(signed).await,
        };
        Some(match outcome {
            Ok(_) => Ok(()),
            Err(error) => {
                self.ready.lock().push(again);
                Err(error)
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_as_usual_from_the_first_span_after_which_none_is_worse() {
        let usual = Latency { p99_us: 1_000, ..Latency::default() };
        let millis = Duration::from_millis;
        let at = |due, took| (millis(due), Duration::from_micros(took));
        let all: Vec<_> = (0..5_000)
            .step_by(50)
            .map(|due| at(due, if due < 1_000 { 9_000 } else { 900 }))
            .collect();
        assert_eq!(as_usual_after(&all, usual), Some(1_000));
        assert_eq!(as_usual_after(&all[..30], usual), None, "nothing was seen to the end");
    }
}
