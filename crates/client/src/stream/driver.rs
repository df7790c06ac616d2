//! The task that owns a stream and everything on it that has no outcome yet.
//!
//! ```text
//!   job ─▶ pending ──sent──▶ hub ──outcome──▶ reply
//!             ▲                │
//!             └─ asked for patience, certificates wanted, stream broken: sent again
//! ```

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use lienthong_model::SignedContent;
use tokio::sync::{mpsc, oneshot};
use tokio::time::{Instant, sleep_until, timeout};
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Status, Streaming};

use super::lane::Lane;
use crate::client::Shared;
use crate::error::{CallError, Setback, Verdict, of_refusal};
use crate::receipt;
use crate::retry::Backoff;
use crate::shown::misses_certificates;
use crate::unreachable::{Cause, Step, Unreachable};

/// Something to hand over.
pub(super) struct Job<R> {
    pub signed: SignedContent,
    pub reply: oneshot::Sender<Result<R, CallError>>,
    pub since: Instant,
}

/// A job without an outcome.
struct Pending<R> {
    job: Job<R>,
    /// Whether it was last sent with its certificates.
    whole: bool,
    attempts: u32,
    backoff: Backoff,
    /// When it is sent again; `None` while an outcome is waited for.
    again: Option<Instant>,
    last: Option<Setback>,
}

/// The owner of a stream.
pub(super) struct Driver<L: Lane> {
    shared: Arc<Shared>,
    jobs: mpsc::Receiver<Job<L::Receipt>>,
    in_flight: usize,
    pending: BTreeMap<u64, Pending<L::Receipt>>,
    next: u64,
    /// When a pending job must be looked at; may be too early.
    look: Option<Instant>,
    closed: bool,
    backoff: Backoff,
}

/// An open stream.
struct Line<L: Lane> {
    requests: mpsc::Sender<L::Request>,
    answers: Streaming<L::Answer>,
}

impl<L: Lane> Driver<L> {
    pub(super) fn new(
        shared: Arc<Shared>,
        jobs: mpsc::Receiver<Job<L::Receipt>>,
        in_flight: usize,
    ) -> Self {
        let backoff = Backoff::new(shared.retry);
        let (pending, next, look, closed) = (BTreeMap::new(), 0, None, false);
        Self { shared, jobs, in_flight, pending, next, look, closed, backoff }
    }

    /// Runs until every handle is gone and everything has its outcome.
    pub(super) async fn run(mut self) {
        while self.wait_for_work().await {
            let broken = match self.open().await {
                Ok(line) => match self.serve(line).await {
                    Some(broken) => broken,
                    None => return,
                },
                Err(broken) => broken,
            };
            self.stand_by(broken).await;
        }
    }

    /// Waits until something is pending; `false` when nothing will ever be.
    async fn wait_for_work(&mut self) -> bool {
        if self.pending.is_empty() {
            match self.jobs.recv().await {
                Some(job) => {
                    self.take(job);
                }
                None => return false,
            }
        }
        true
    }

    /// Opens a stream with everything pending already on its way.
    async fn open(&mut self) -> Result<Line<L>, Verdict> {
        let (requests, outgoing) = mpsc::channel(self.in_flight);
        self.pending.retain(|_, pending| !pending.job.reply.is_closed());
        let now = Instant::now();
        let waits = |pending: &Pending<_>| pending.again.is_some_and(|again| again > now);
        let due = self.pending.iter().filter(|(_, pending)| !waits(pending));
        for number in due.map(|(number, _)| *number).collect::<Vec<_>>() {
            self.send(number, &requests);
        }
        self.look = Some(now);
        let opening = L::open(self.shared.exchange(), ReceiverStream::new(outgoing));
        match timeout(self.shared.call_max, opening).await {
            Ok(Ok(answers)) => Ok(Line { requests, answers }),
            Ok(Err(status)) => Err(self.shared.reader.verdict(&status)),
            Err(_) => Err(self.shared.reader.unreachable(Cause::TimedOut(Step::Answer))),
        }
    }

    /// Serves an open stream; why it broke, or `None` when all is done.
    async fn serve(&mut self, mut line: Line<L>) -> Option<Verdict> {
        loop {
            if self.closed && self.pending.is_empty() {
                return None;
            }
            let room = !self.closed && self.pending.len() < self.in_flight;
            let look = self.look;
            tokio::select! {
                answer = line.answers.message() => match answer {
                    Ok(Some(answer)) => {
                        self.backoff.reset();
                        self.settle(answer, &line.requests);
                    }
                    Ok(None) => return Some(self.broken_by("the hub ended the stream")),
                    Err(status) => return Some(self.verdict(&status)),
                },
                job = self.jobs.recv(), if room => match job {
                    Some(job) => {
                        let number = self.take(job);
                        self.send(number, &line.requests);
                    }
                    None => self.closed = true,
                },
                () = sleep_until(look.unwrap_or_else(Instant::now)), if look.is_some() => {
                    self.look_after(Some(&line.requests));
                }
            }
        }
    }

    /// Waits before the next stream; a cause that lasts ends everything pending.
    async fn stand_by(&mut self, broken: Verdict) {
        let (last, told) = match broken {
            Verdict::Final(error) => {
                for (_, pending) in std::mem::take(&mut self.pending) {
                    // Whoever went away does not wait for it.
                    let _ = pending.job.reply.send(Err(error.clone()));
                }
                return;
            }
            Verdict::Again(last, told) => (last, told),
        };
        tracing::debug!(pending = self.pending.len(), %last, "stream broken");
        for pending in self.pending.values_mut() {
            pending.last = Some(last.clone());
        }
        let until = Instant::now() + self.backoff.pause(told);
        self.look_after(None);
        loop {
            let now = Instant::now();
            if now >= until || self.pending.is_empty() {
                return;
            }
            sleep_until(self.look.map_or(until, |look| look.min(until)).max(now)).await;
            self.look_after(None);
        }
    }

    fn take(&mut self, job: Job<L::Receipt>) -> u64 {
        let number = self.next;
        self.next += 1;
        self.look_at(job.since + self.answer_max());
        let backoff = Backoff::new(self.shared.retry);
        let pending = Pending { job, whole: true, attempts: 0, backoff, again: None, last: None };
        self.pending.insert(number, pending);
        number
    }

    /// Puts one on its way. The queue has room: each pending job is in it at most once.
    fn send(&mut self, number: u64, requests: &mpsc::Sender<L::Request>) {
        let Some(pending) = self.pending.get_mut(&number) else { return };
        let lean = self.shared.shown.lean(&pending.job.signed);
        pending.whole = lean.is_none();
        pending.attempts += 1;
        pending.again = None;
        let content = lean.unwrap_or_else(|| pending.job.signed.clone());
        // A stream that is broken says so where its answers are read.
        let _ = requests.try_send(L::request(number, content));
    }

    fn settle(&mut self, answer: L::Answer, requests: &mpsc::Sender<L::Request>) {
        let (number, outcome) = L::outcome(answer);
        let Some(pending) = self.pending.get_mut(&number) else { return };
        let signed = &pending.job.signed;
        let outcome = match outcome {
            Err(CallError::Refused(refusal)) => {
                if !pending.whole && misses_certificates(&refusal) {
                    self.shared.shown.forget(signed);
                    return self.send(number, requests);
                }
                match of_refusal(refusal) {
                    Verdict::Again(last, told) => {
                        let again = Instant::now() + pending.backoff.pause(told);
                        pending.again = Some(again);
                        pending.last = Some(last);
                        if again > pending.job.since + self.shared.retry.total {
                            return self.give_up(number);
                        }
                        return self.look_at(again);
                    }
                    Verdict::Final(error) => Err(error),
                }
            }
            Ok(receipt) => receipt::matches(L::sha256(&receipt), signed).map(|()| receipt),
            Err(error) => Err(error),
        };
        if outcome.is_ok() && pending.whole {
            self.shared.shown.accepted(signed);
        }
        if let Some(pending) = self.pending.remove(&number) {
            // Whoever went away does not wait for it.
            let _ = pending.job.reply.send(outcome);
        }
    }

    /// Sends again what is due, gives up what is over, and sets the next look.
    fn look_after(&mut self, requests: Option<&mpsc::Sender<L::Request>>) {
        let (now, answer_max) = (Instant::now(), self.answer_max());
        let (mut due, mut over) = (Vec::new(), Vec::new());
        let mut next: Option<Instant> = None;
        for (number, pending) in &self.pending {
            // Without a stream no outcome can come: only the time for trying again is left.
            let span = if requests.is_some() { answer_max } else { self.shared.retry.total };
            let end = pending.job.since + span;
            let look = match pending.again {
                _ if now >= end => {
                    over.push(*number);
                    continue;
                }
                Some(again) if again <= now => {
                    due.push(*number);
                    end
                }
                Some(again) => again.min(end),
                None => end,
            };
            next = Some(next.map_or(look, |next| next.min(look)));
        }
        self.look = next;
        for number in over {
            self.give_up(number);
        }
        if let Some(requests) = requests {
            for number in due {
                self.send(number, requests);
            }
        }
    }

    /// How long an outcome is waited for: at least one attempt may take its time.
    fn answer_max(&self) -> Duration {
        self.shared.retry.total.max(self.shared.call_max)
    }

    fn give_up(&mut self, number: u64) {
        let Some(pending) = self.pending.remove(&number) else { return };
        let last = pending.last.unwrap_or_else(|| {
            let address = self.shared.reader.address.clone();
            Setback::Unreachable(Unreachable { address, cause: Cause::TimedOut(Step::Answer) })
        });
        let after = pending.job.since.elapsed();
        let error = CallError::GaveUp { attempts: pending.attempts, after, last };
        // Whoever went away does not wait for it.
        let _ = pending.job.reply.send(Err(error));
    }

    fn look_at(&mut self, at: Instant) {
        self.look = Some(self.look.map_or(at, |look| look.min(at)));
    }

    fn verdict(&self, status: &Status) -> Verdict {
        self.shared.reader.verdict(status)
    }

    fn broken_by(&self, why: &str) -> Verdict {
        self.shared.reader.unreachable(Cause::Interrupted(why.to_owned()))
    }
}
