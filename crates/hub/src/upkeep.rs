//! What has to be done from time to time whether anybody calls or not: looking at the disk space,
//! clearing up after submissions, letting uploads and contents expire, and archiving closed journal
//! files and taking out of them what has expired.

use std::sync::Arc;
use std::time::Duration;

use lienthong_core::engine::EngineError;
use lienthong_ledger::PayloadFiles;
use parking_lot::Mutex;
use tokio::sync::watch;
use tokio::time::{Instant, MissedTickBehavior, interval};

use crate::reader::Reader;
use crate::retention::{JournalSweep, Sweep};
use crate::space::Space;

/// How often space is looked at and payloads are settled.
const ROUND: Duration = Duration::from_secs(1);
/// How often what has expired is looked for, at most; more often where uploads are kept shorter.
const EXPIRY_ROUND: Duration = Duration::from_secs(60);

/// How often closed journal files are looked for; more often where uploads are kept shorter.
const ARCHIVING_ROUND: Duration = Duration::from_secs(10);

/// Everything that is looked after.
pub(crate) struct Upkeep {
    pub reader: Reader,
    pub payloads: Arc<PayloadFiles>,
    pub space: Space,
    /// How long an upload is kept that nobody goes on with.
    pub uploads_kept: Duration,
    pub sweep: Mutex<Sweep>,
}

impl Upkeep {
    /// Starts the tasks; they end when the hub drains.
    pub fn start(self, mut stopping: watch::Receiver<bool>) {
        let rounds = ARCHIVING_ROUND.min(self.uploads_kept.max(Duration::from_millis(10)));
        tokio::spawn(closed_files(self.reader.clone(), rounds, stopping.clone()));
        let keeper = Arc::new(self);
        tokio::spawn(async move {
            let mut rounds =
                interval(ROUND.min(keeper.uploads_kept.max(Duration::from_millis(10))));
            rounds.set_missed_tick_behavior(MissedTickBehavior::Delay);
            let mut expired_at = Instant::now();
            loop {
                tokio::select! {
                    _ = rounds.tick() => {}
                    _ = stopping.wait_for(|stopping| *stopping) => return,
                }
                let expiry = expired_at.elapsed() >= EXPIRY_ROUND.min(keeper.uploads_kept);
                if expiry {
                    expired_at = Instant::now();
                }
                let keeper = keeper.clone();
                // One that panics says so itself; the next round tries again.
                let _ = tokio::task::spawn_blocking(move || keeper.round(expiry)).await;
            }
        });
    }

    fn round(&self, expiry: bool) {
        self.space.check();
        let settled = self.payloads.settle(|digest| self.reader.query().names_payload(digest));
        self.said(settled.map(|_| 0));
        if expiry {
            let expired = self.payloads.uploads().expire(self.uploads_kept);
            self.said(expired);
            match self.sweep.lock().look(&self.reader, &self.payloads) {
                Ok(0) => {}
                Ok(count) => tracing::info!(count, "contents whose term has passed are removed"),
                // The next look tries again.
                Err(error) => tracing::error!(%error, "contents cannot be let expire"),
            }
        }
    }

    fn said(&self, outcome: Result<usize, EngineError>) {
        match outcome {
            Ok(0) => {}
            Ok(count) => tracing::info!(count, "uploads that nobody named have expired"),
            // Said there, and stops the hub unless room is all that is missing.
            Err(error) => drop(self.space.write_failed(error)),
        }
    }
}

/// Archives one closed journal file after the other, and takes out of one after the other what has
/// expired.
async fn closed_files(reader: Reader, round: Duration, mut stopping: watch::Receiver<bool>) {
    let mut rounds = interval(round);
    rounds.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let sweep = Arc::new(Mutex::new(JournalSweep::begin()));
    loop {
        tokio::select! {
            _ = rounds.tick() => {}
            _ = stopping.wait_for(|stopping| *stopping) => return,
        }
        let (reader, sweep) = (reader.clone(), sweep.clone());
        // One that panics says so itself; the next round tries again.
        let _ = tokio::task::spawn_blocking(move || {
            archive(&reader);
            expire(&reader, &mut sweep.lock());
        })
        .await;
    }
}

fn archive(reader: &Reader) {
    match reader.archive_oldest() {
        Ok(Some(archived)) => tracing::info!(
            first_block = archived.first,
            bytes = archived.plain_bytes,
            archive_bytes = archived.archive_bytes,
            "archived a journal file"
        ),
        Ok(None) => {}
        Err(error) => tracing::error!(%error, "a journal file cannot be archived"),
    }
}

fn expire(reader: &Reader, sweep: &mut JournalSweep) {
    match sweep.look(reader) {
        Ok(0) => {}
        Ok(count) => tracing::info!(count, "contents whose term has passed are taken out"),
        Err(error) => tracing::error!(%error, "contents cannot be taken out of the journal"),
    }
}
