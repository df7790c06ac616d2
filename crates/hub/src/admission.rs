//! Admission: how many submissions and reports are under way at a time, and who waits for a place.
//!
//! Places are given in the order of arrival, and whoever reads a stream waits for one message at a
//! time: a stream that brings more than there are places for is slowed down by its own flow control,
//! and has one turn among all the others. A unary call waits for a short time only, and is refused at
//! once when those before it will take longer than that, with the time after which they are through.
//!
//! Deliveries and acknowledgements need no place: what is accepted must be able to leave the hub
//! however much more is offered.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;

use lienthong_model::limits::{ADMISSION_WAIT_MAX, SUBMISSIONS_UNDER_WAY_MAX};
use lienthong_model::{Reason, Refusal};
use parking_lot::Mutex;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::Instant;

/// The span over which answers are counted.
const WINDOW: Duration = Duration::from_millis(100);
/// A span in which nobody had to wait tells nothing of how fast the hub can be.
const WINDOW_MAX: Duration = Duration::from_secs(1);
/// Answers a second of a hub that has not been busy yet.
const PER_SECOND_AT_FIRST: f64 = 1_000.0;
/// The shortest and longest time after which a refused call may come again.
const AGAIN: (Duration, Duration) = (Duration::from_millis(10), Duration::from_secs(5));

/// Gives places to submissions and reports.
pub(crate) struct Admission {
    places: Arc<Semaphore>,
    /// How many places there are.
    all: usize,
    waiting: AtomicUsize,
    answered: Arc<AtomicU64>,
    drain: Mutex<Drain>,
}

/// A place; dropping it, when there is an answer, gives it back.
pub(crate) struct Place {
    _permit: OwnedSemaphorePermit,
    answered: Arc<AtomicU64>,
}

/// How fast the hub answers while somebody waits.
struct Drain {
    since: Instant,
    answered: u64,
    per_second: f64,
}

impl Admission {
    pub fn new() -> Self {
        Self::with(SUBMISSIONS_UNDER_WAY_MAX)
    }

    fn with(places: usize) -> Self {
        let drain = Drain { since: Instant::now(), answered: 0, per_second: PER_SECOND_AT_FIRST };
        Self {
            places: Arc::new(Semaphore::new(places)),
            all: places,
            waiting: AtomicUsize::new(0),
            answered: Arc::default(),
            drain: Mutex::new(drain),
        }
    }

    /// Gives a unary call a place, or refuses it: OVERLOADED with the time after which those before
    /// it are through. It waits for at most [`ADMISSION_WAIT_MAX`].
    pub async fn enter(&self) -> Result<Place, Refusal> {
        if let Some(place) = self.at_once() {
            return Ok(place);
        }
        let waiting = Waiting::among(&self.waiting);
        let wait = Duration::from_secs_f64(waiting.before as f64 / self.per_second());
        if wait > ADMISSION_WAIT_MAX {
            return Err(overloaded(wait));
        }
        match tokio::time::timeout(ADMISSION_WAIT_MAX, self.permit()).await {
            Ok(Some(permit)) => Ok(self.place(permit)),
            Ok(None) | Err(_) => Err(overloaded(wait.max(ADMISSION_WAIT_MAX))),
        }
    }

    /// Gives a stream's next message a place when there is one.
    pub fn at_once(&self) -> Option<Place> {
        let permit = self.places.clone().try_acquire_owned().ok()?;
        Some(self.place(permit))
    }

    /// How many have a place.
    pub fn under_way(&self) -> usize {
        self.all.saturating_sub(self.places.available_permits())
    }

    /// Gives a stream's next message a place; waits for it. `None` never happens: places are not
    /// closed.
    pub async fn wait(&self) -> Option<Place> {
        if let Some(place) = self.at_once() {
            return Some(place);
        }
        let _waiting = Waiting::among(&self.waiting);
        self.permit().await.map(|permit| self.place(permit))
    }

    async fn permit(&self) -> Option<OwnedSemaphorePermit> {
        self.places.clone().acquire_owned().await.ok()
    }

    fn place(&self, permit: OwnedSemaphorePermit) -> Place {
        Place { _permit: permit, answered: self.answered.clone() }
    }

    /// Answers a second, by the windows in which somebody waited.
    fn per_second(&self) -> f64 {
        let (now, answered) = (Instant::now(), self.answered.load(Ordering::Relaxed));
        let mut drain = self.drain.lock();
        let span = now - drain.since;
        if span >= WINDOW {
            if span <= WINDOW_MAX {
                let newest = (answered - drain.answered) as f64 / span.as_secs_f64();
                drain.per_second = ((drain.per_second + newest) / 2.0).max(1.0);
            }
            (drain.since, drain.answered) = (now, answered);
        }
        drain.per_second
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.answered.fetch_add(1, Ordering::Relaxed);
    }
}

/// Somebody who waits.
struct Waiting<'a> {
    all: &'a AtomicUsize,
    /// How many waited already.
    before: usize,
}

impl<'a> Waiting<'a> {
    fn among(all: &'a AtomicUsize) -> Self {
        Self { all, before: all.fetch_add(1, Ordering::Relaxed) }
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.all.fetch_sub(1, Ordering::Relaxed);
    }
}

fn overloaded(wait: Duration) -> Refusal {
    let value = format!("{SUBMISSIONS_UNDER_WAY_MAX} submissions under way");
    Refusal::at(Reason::Overloaded, "submission", value).retry_after(wait.clamp(AGAIN.0, AGAIN.1))
}

#[cfg(test)]
mod tests {
    use super::*;

    const TENTH: Duration = Duration::from_millis(100);

    /// All places taken, and a hub that gives ten back every tenth of a second.
    async fn busy(places: usize) -> (Arc<Admission>, Vec<Place>) {
        let admission = Arc::new(Admission::with(places));
        let mut taken = Vec::new();
        for _ in 0..places {
            taken.push(admission.enter().await.unwrap());
        }
        (admission, taken)
    }

    #[test]
    fn whoever_has_a_place_is_under_way_until_it_is_given_back() {
        let admission = Admission::with(2);
        let (one, other) = (admission.at_once(), admission.at_once());
        assert!(one.is_some() && other.is_some() && admission.at_once().is_none());
        assert_eq!(admission.under_way(), 2);
        drop(one);
        assert_eq!(admission.under_way(), 1);
    }

    #[tokio::test(start_paused = true)]
    async fn a_call_without_a_place_is_refused_in_time_and_told_when_to_come_again() {
        let (admission, _taken) = busy(4).await;
        let began = Instant::now();
        let refused = admission.enter().await.err().unwrap();
        assert_eq!(refused.reason, Reason::Overloaded);
        assert!(refused.retry_after_ms.is_some_and(|again| again >= 100), "{refused}");
        assert_eq!(began.elapsed(), ADMISSION_WAIT_MAX);
    }

    #[tokio::test(start_paused = true)]
    async fn a_call_behind_more_than_will_be_through_in_time_is_refused_at_once() {
        let (admission, mut taken) = busy(64).await;
        // Ten answers in a tenth of a second, while somebody waits.
        for _ in 0..20 {
            admission.per_second();
            taken.truncate(taken.len().saturating_sub(10));
            while let Ok(permit) = admission.places.clone().try_acquire_owned() {
                taken.push(admission.place(permit));
            }
            tokio::time::sleep(TENTH).await;
        }
        let streams: Vec<_> = (0..50)
            .map(|_| {
                let admission = admission.clone();
                tokio::spawn(async move { admission.wait().await.map(std::mem::forget) })
            })
            .collect();
        tokio::task::yield_now().await;
        let began = Instant::now();
        let refused = admission.enter().await.err().unwrap();
        assert_eq!(began.elapsed(), Duration::ZERO);
        let again = refused.retry_after_ms.unwrap();
        assert!((400..=600).contains(&again), "50 before it at 100 a second: {again} ms");
        streams.iter().for_each(tokio::task::JoinHandle::abort);
    }

    #[tokio::test(start_paused = true)]
    async fn a_stream_waits_for_as_long_as_it_takes_and_a_call_has_its_turn_behind_it() {
        let (admission, mut taken) = busy(2).await;
        let stream = tokio::spawn({
            let admission = admission.clone();
            async move { admission.wait().await }
        });
        tokio::time::sleep(10 * ADMISSION_WAIT_MAX).await;
        assert!(!stream.is_finished());
        let call = tokio::spawn({
            let admission = admission.clone();
            async move { admission.enter().await }
        });
        tokio::task::yield_now().await;
        taken.pop();
        let first = stream.await.unwrap();
        assert!(first.is_some() && !call.is_finished());
        drop(first);
        assert!(call.await.unwrap().is_ok());
    }
}
