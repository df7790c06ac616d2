//! How fast documents come: as soon as there is room, or at a rate of their own.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use futures_util::{StreamExt as _, stream};
use serde::Serialize;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio::time::Instant;

use crate::error::BenchError;
use crate::latency::Latencies;

/// How long nothing may move before a round is given up.
const STILL_MAX: Duration = Duration::from_secs(60);
/// Documents that may be under way at an open rate; further ones wait, and their time counts.
const UNDER_WAY_MAX: usize = 65_536;

/// How fast documents come.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Pace {
    /// A closed loop: so many are under way, the next comes when one is done.
    InFlight(usize),
    /// An open rate a second: each is due at its moment, whatever became of those before it, and
    /// its latency counts from there (no coordinated omission).
    PerSecond(f64),
}

/// What came of a paced series.
pub(crate) struct Paced {
    pub took: Duration,
    pub latencies: Latencies,
}

impl Pace {
    /// Carries out numbers `0..count`; `one` is told the moment from which its latency counts.
    ///
    /// # Errors
    /// The first error, or [`BenchError::Still`].
    pub(crate) async fn drive<F>(
        self,
        count: usize,
        one: impl Fn(usize, Instant) -> F,
    ) -> Result<Paced, BenchError>
    where
        F: Future<Output = Result<(), BenchError>> + Send + 'static,
    {
        match self {
            Self::InFlight(room) => closed(room.max(1), count, one).await,
            Self::PerSecond(rate) => open(rate, count, one).await,
        }
    }
}

async fn closed<F>(
    room: usize,
    count: usize,
    one: impl Fn(usize, Instant) -> F,
) -> Result<Paced, BenchError>
where
    F: Future<Output = Result<(), BenchError>> + Send + 'static,
{
    let began = Instant::now();
    let timed = (0..count).map(|number| {
        let start = Instant::now();
        let one = one(number, start);
        async move { one.await.map(|()| start.elapsed()) }
    });
    let mut under_way = stream::iter(timed).buffer_unordered(room);
    let mut latencies = Latencies::new();
    let mut done = 0;
    loop {
        let next = tokio::time::timeout(STILL_MAX, under_way.next()).await;
        match next.map_err(|_| still(done, count))? {
            Some(took) => latencies.note(took?),
            None => return Ok(Paced { took: began.elapsed(), latencies }),
        }
        done += 1;
    }
}

async fn open<F>(
    rate: f64,
    count: usize,
    one: impl Fn(usize, Instant) -> F,
) -> Result<Paced, BenchError>
where
    F: Future<Output = Result<(), BenchError>> + Send + 'static,
{
    let room = Arc::new(Semaphore::new(UNDER_WAY_MAX));
    let mut latencies = Latencies::new();
    let mut under_way = JoinSet::new();
    let began = Instant::now();
    for number in 0..count {
        let due = began + Duration::from_secs_f64(number as f64 / rate.max(0.001));
        if due > Instant::now() {
            tokio::time::sleep_until(due).await;
        }
        let waited = tokio::time::timeout(STILL_MAX, room.clone().acquire_owned()).await;
        let place = waited.map_err(|_| still(number, count))?;
        let one = one(number, due);
        under_way.spawn(async move {
            let done = one.await;
            drop(place);
            done.map(|()| due.elapsed())
        });
        while let Some(joined) = under_way.try_join_next() {
            note(&mut latencies, joined)?;
        }
    }
    loop {
        let next = tokio::time::timeout(STILL_MAX, under_way.join_next()).await;
        match next.map_err(|_| still(count - under_way.len(), count))? {
            Some(joined) => note(&mut latencies, joined)?,
            None => return Ok(Paced { took: began.elapsed(), latencies }),
        }
    }
}

fn note(
    latencies: &mut Latencies,
    joined: Result<Result<Duration, BenchError>, tokio::task::JoinError>,
) -> Result<(), BenchError> {
    // A task that panicked is a fault of this program: it is shown as one.
    match joined {
        Ok(took) => latencies.note(took?),
        Err(error) => std::panic::resume_unwind(error.into_panic()),
    }
    Ok(())
}

fn still(done: usize, total: usize) -> BenchError {
    BenchError::Still { seconds: STILL_MAX.as_secs(), done, total }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn at_an_open_rate_whoever_waits_for_room_is_counted_from_the_moment_it_was_due() {
        // One at a time takes 10 ms; one every 5 ms is due, so the last of 20 waits for 9 others.
        let turn = Arc::new(Semaphore::new(1));
        let one = |_, _| {
            let turn = turn.clone();
            async move {
                let _place = turn.acquire().await;
                tokio::time::sleep(Duration::from_millis(10)).await;
                Ok(())
            }
        };
        let paced = Pace::PerSecond(200.0).drive(20, one).await.unwrap();
        let latency = paced.latencies.summary();
        assert_eq!(latency.count, 20);
        assert!((100_000..120_000).contains(&latency.max_us), "{latency:?}");
    }

    #[tokio::test]
    async fn a_closed_loop_has_as_many_under_way_as_it_says() {
        let under_way = Arc::new(std::sync::atomic::AtomicUsize::new(0));
        let one = |_, _| {
            let under_way = under_way.clone();
            async move {
                use std::sync::atomic::Ordering::SeqCst;
                assert!(under_way.fetch_add(1, SeqCst) < 3);
                tokio::task::yield_now().await;
                under_way.fetch_sub(1, SeqCst);
                Ok(())
            }
        };
        let paced = Pace::InFlight(3).drive(50, one).await.unwrap();
        assert_eq!(paced.latencies.summary().count, 50);
    }

    #[tokio::test]
    async fn the_first_error_ends_the_series() {
        let one = |number, _| async move {
            if number == 7 { Err(BenchError::Code("x".to_owned())) } else { Ok(()) }
        };
        for pace in [Pace::InFlight(2), Pace::PerSecond(1e6)] {
            assert!(pace.drive(20, one).await.is_err());
        }
    }
}
