//! Handing over many documents or reports on one stream, from any number of tasks.
//!
//! One task owns the stream ([`driver`]); the handles here only pass contents to it and wait for
//! their outcomes. What has no outcome when a stream breaks goes over a new one with the same
//! bytes; what has one does not.

mod driver;
mod lane;

use lienthong_model::SignedContent;
use lienthong_model::limits::STREAM_IN_FLIGHT_MAX;
use tokio::sync::{mpsc, oneshot};
use tokio::time::Instant;

use self::driver::{Driver, Job};
use self::lane::{Documents, Lane, StatusReports};
use crate::client::Client;
use crate::error::CallError;
use crate::receipt::{Receipt, StatusReceipt};

/// A stream of documents. Cheap to clone; the stream ends when every clone is gone and everything
/// has its outcome.
#[derive(Debug, Clone)]
pub struct Submissions(Handle<Receipt>);

/// A stream of status reports. Cheap to clone; the stream ends when every clone is gone and
/// everything has its outcome.
#[derive(Debug, Clone)]
pub struct Reports(Handle<StatusReceipt>);

#[derive(Debug)]
struct Handle<R> {
    jobs: mpsc::Sender<Job<R>>,
}

impl Client {
    /// Opens a stream of documents on which up to `in_flight` (1 to 512) wait for their outcome;
    /// whoever comes then waits. The hub is first spoken to with the first document.
    pub fn submissions(&self, in_flight: usize) -> Submissions {
        Submissions(self.stream::<Documents>(in_flight))
    }

    /// Opens a stream of status reports; see [`Client::submissions`].
    pub fn reports(&self, in_flight: usize) -> Reports {
        Reports(self.stream::<StatusReports>(in_flight))
    }

    fn stream<L: Lane>(&self, in_flight: usize) -> Handle<L::Receipt> {
        let in_flight = in_flight.clamp(1, STREAM_IN_FLIGHT_MAX);
        let (jobs, waiting) = mpsc::channel(in_flight);
        tokio::spawn(Driver::<L>::new(self.shared.clone(), waiting, in_flight).run());
        Handle { jobs }
    }
}

impl Submissions {
    /// Hands over a signed document; on return it is on the hub's disk. The rules are those of
    /// [`Client::submit`].
    ///
    /// When the future is dropped before its outcome the document may or may not be accepted.
    ///
    /// # Errors
    /// [`CallError`]: refused, unreachable, given up.
    pub async fn submit(&self, signed: SignedContent) -> Result<Receipt, CallError> {
        self.0.hand_over(signed).await
    }
}

impl Reports {
    /// Hands over a signed status report; on return it is on the hub's disk. The rules are those
    /// of [`Client::submit`].
    ///
    /// # Errors
    /// [`CallError`]: refused, unreachable, given up.
    pub async fn report(&self, signed: SignedContent) -> Result<StatusReceipt, CallError> {
        self.0.hand_over(signed).await
    }
}

impl<R> Handle<R> {
    async fn hand_over(&self, signed: SignedContent) -> Result<R, CallError> {
        let (reply, outcome) = oneshot::channel();
        let job = Job { signed, reply, since: Instant::now() };
        self.jobs.send(job).await.map_err(|_| CallError::Closed)?;
        outcome.await.unwrap_or(Err(CallError::Closed))
    }
}

impl<R> Clone for Handle<R> {
    fn clone(&self) -> Self {
        Self { jobs: self.jobs.clone() }
    }
}
