//! Playing at the pace of a clock that runs: the live world.
//!
//! The same agencies and events as in virtual time; only the hub answers when it answers.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use lienthong_client::HubClock;
use lienthong_model::Timestamp;
use parking_lot::{Condvar, Mutex};

use super::{Played, Progress, World, WorldError};

/// How long nothing may happen at the end before a run is over: what is missing is found by the
/// verdict then.
const STILL_MAX: Duration = Duration::from_secs(60);
/// How long a wait lasts at most, so that a wish to stop is heard.
const WAIT_MAX: Duration = Duration::from_millis(100);

/// The clock, and what is heard meanwhile.
#[derive(Clone)]
pub(crate) struct Pace {
    /// The hub's clock.
    pub clock: HubClock,
    /// Rung when something came from the hub.
    pub bell: Bell,
    /// Whether to stop.
    pub stop: Arc<AtomicBool>,
}

/// Something that is rung by many and heard by one.
#[derive(Clone, Default)]
pub(crate) struct Bell(Arc<(Mutex<bool>, Condvar)>);

impl Bell {
    /// Rings.
    pub fn ring(&self) {
        *self.0.0.lock() = true;
        self.0.1.notify_one();
    }

    /// Waits until it has rung; returns whether it has.
    fn heard(&self, patience: Duration) -> bool {
        let mut rung = self.0.0.lock();
        if !*rung {
            self.0.1.wait_for(&mut rung, patience);
        }
        std::mem::take(&mut *rung)
    }
}

impl Pace {
    /// Waits until a moment of business time, or until something is heard.
    fn wait(&self, until: Option<Timestamp>) -> bool {
        let left = until.map_or(WAIT_MAX, |at| {
            let business = u64::try_from(at.millis() - self.clock.now().millis()).unwrap_or(0);
            Duration::from_millis(business).div_f64(self.clock.rate().max(f64::MIN_POSITIVE))
        });
        self.bell.heard(left.clamp(Duration::from_millis(1), WAIT_MAX))
    }
}

impl World<'_> {
    /// Plays it to its end, or until it is stopped.
    ///
    /// # Errors
    /// [`WorldError`] when the hub cannot be reached or the trace cannot be written.
    pub(crate) fn play_paced(
        mut self,
        pace: &Pace,
        mut told: impl FnMut(Progress),
    ) -> Result<Played, WorldError> {
        self.let_lists_go_out_of_date()?;
        let (mut events, mut moved) = (0, Instant::now());
        while !pace.stop.load(Ordering::Relaxed) {
            self.send_again(pace)?;
            while self.queue.next_at().is_some_and(|at| at <= pace.clock.now()) {
                let Some((_, event)) = self.queue.take() else { break };
                self.now = self.now.max(pace.clock.now());
                self.happens(event)?;
                (events, moved) = (events + 1, Instant::now());
            }
            told(self.progress(events));
            let next = self.queue.next_at();
            if next.is_none() {
                let settled = self.pending.is_empty() && self.hub.is_idle();
                if settled || moved.elapsed() > STILL_MAX {
                    break;
                }
            }
            if pace.wait(next) {
                self.now = self.now.max(pace.clock.now());
                self.commit()?;
                moved = Instant::now();
            }
        }
        self.end(events)
    }

    /// Calls whose patience is over are sent again.
    fn send_again(&mut self, pace: &Pace) -> Result<(), WorldError> {
        while let Some((at, number)) = self.patience.front().copied() {
            if at > pace.clock.now() {
                break;
            }
            self.patience.pop_front();
            self.now = self.now.max(pace.clock.now());
            if self.pending.contains_key(&number) {
                self.overdue_by(number, at)?;
            }
        }
        Ok(())
    }
}
