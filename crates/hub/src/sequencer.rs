//! The sequencer: one thread that owns the machine and the journal.
//!
//! ```text
//!   take what waits ─▶ decide each ─▶ propose the block ─▶ read it ordered (fdatasync)
//!        ▲                                                        │
//!        └── tell egress ◀── release the replies ◀── publish ◀────┘
//! ```
//! A reply, a refusal too, leaves only after the block before which it was decided is on disk. A
//! failed write stops the hub, one of a payload too.

mod thread;

use std::sync::Arc;
use std::time::Duration;

use lienthong_core::{Decision, Proposal};
use lienthong_ledger::Claim;
use lienthong_model::limits::PROPOSALS_WAITING_MAX;
use lienthong_model::{Reason, Refusal, Timestamp};
use tokio::runtime::Handle;
use tokio::sync::{mpsc, oneshot, watch};

use self::thread::Thread;
use crate::admission::Admission;
use crate::clock::BusinessClock;
use crate::egress::Egress;
use crate::evidence::Evidence;
use crate::gate::Declined;
use crate::meters::Meters;
use crate::negatives::NotTaken;
use crate::open_folder::OpenFolder;
use crate::reader::Reader;
use crate::space::Space;

/// How long it may take a thread that has let go of what waits to say how it ended.
const LAST_WORD_MAX: Duration = Duration::from_secs(1);

/// A decision and the time of its block.
#[derive(Debug, Clone)]
pub(crate) struct Decided {
    pub decision: Decision,
    pub at: Timestamp,
}

/// Who is told of mail.
#[derive(Clone)]
pub(crate) struct Couriers {
    pub documents: Egress,
    pub notices: Egress,
}

/// What the sequencer works with, beside the folder.
pub(crate) struct Surroundings {
    pub reader: Reader,
    pub couriers: Couriers,
    pub evidence: Arc<Evidence>,
    pub meters: Arc<Meters>,
    pub clock: BusinessClock,
    pub space: Space,
    pub admission: Arc<Admission>,
}

enum Request {
    Propose(Proposed),
    Declined(Box<Declined>),
    NotTaken(Box<NotTaken>),
}

struct Proposed {
    proposal: Box<Proposal>,
    reply: oneshot::Sender<Decided>,
    /// Payloads that must stay until it is decided and its rows can be read.
    held: Vec<Claim>,
}

/// Proposes to the sequencer; cheap to clone.
#[derive(Clone)]
pub(crate) struct Sequencer {
    requests: mpsc::Sender<Request>,
    running: watch::Receiver<Running>,
}

/// Whether the sequencer runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Running {
    Yes,
    /// It has written everything and let the folder go.
    Ended,
    /// It failed.
    Failed(String),
}

/// Tells how the thread ended, whatever ends it.
struct LastWord(watch::Sender<Running>);

impl Drop for LastWord {
    fn drop(&mut self) {
        // A thread that panics has said nothing.
        self.0.send_if_modified(|running| {
            let is_silent = *running == Running::Yes;
            if is_silent {
                *running = Running::Failed("the sequencer ended without a word".to_owned());
            }
            is_silent
        });
    }
}

impl Sequencer {
    /// Starts the thread. It ends, with everything written, when every handle is dropped.
    pub fn start(
        folder: OpenFolder,
        around: Surroundings,
    ) -> std::io::Result<(Self, watch::Receiver<Running>)> {
        let (requests, waiting) = mpsc::channel(PROPOSALS_WAITING_MAX);
        let (told, running) = watch::channel(Running::Yes);
        let runtime = Handle::current();
        let thread = Thread::new(folder, around);
        std::thread::Builder::new().name("sequencer".to_owned()).spawn(move || {
            let told = LastWord(told);
            let ended = thread.run(&runtime, waiting);
            let running = match ended {
                Ok(()) => Running::Ended,
                Err(error) => {
                    tracing::error!(%error, "the hub stops: a write or read failed");
                    Running::Failed(error.to_string())
                }
            };
            told.0.send_replace(running);
        })?;
        Ok((Self { requests, running: running.clone() }, running))
    }

    /// Proposes, and waits until the decision is on disk.
    ///
    /// # Errors
    /// A [`Refusal`] when the hub is stopping, has failed, or is read only.
    pub async fn propose(&self, proposal: Proposal) -> Result<Decided, Refusal> {
        self.propose_holding(proposal, Vec::new()).await
    }

    /// Proposes what names payloads. They are held until the decision is on disk and its rows can
    /// be read, whether the caller waits for it or not.
    ///
    /// # Errors
    /// As for [`Sequencer::propose`].
    pub async fn propose_holding(
        &self,
        proposal: Proposal,
        held: Vec<Claim>,
    ) -> Result<Decided, Refusal> {
        let (reply, decided) = oneshot::channel();
        let request = Request::Propose(Proposed { proposal: Box::new(proposal), reply, held });
        if self.requests.send(request).await.is_err() {
            return Err(self.stopped().await);
        }
        let Ok(decided) = decided.await else { return Err(self.stopped().await) };
        match decided.decision {
            Decision::Refused(refusal) if refusal.reason == Reason::ReadOnly => Err(refusal),
            _ => Ok(decided),
        }
    }

    /// Notes what ingress declined, so that it is counted; waits in the same queue as proposals.
    pub async fn declined(&self, declined: Declined) {
        // A hub that has stopped counts nothing any more.
        let _ = self.requests.send(Request::Declined(Box::new(declined))).await;
    }

    /// Notes that a delivery could not be taken; waits in the same queue as proposals.
    pub async fn not_taken(&self, not_taken: NotTaken) {
        // A hub that has stopped notes nothing any more; the delivery comes again.
        let _ = self.requests.send(Request::NotTaken(Box::new(not_taken))).await;
    }

    /// How many proposals wait.
    pub fn waiting(&self) -> usize {
        self.requests.max_capacity() - self.requests.capacity()
    }

    /// Why nobody answers. A thread that ends lets go of what waits first and says then how it
    /// ended: that is waited for, so that a failure is not taken for a drain.
    async fn stopped(&self) -> Refusal {
        let mut running = self.running.clone();
        let ended = running.wait_for(|running| *running != Running::Yes);
        match tokio::time::timeout(LAST_WORD_MAX, ended).await {
            Ok(Ok(running)) if matches!(*running, Running::Failed(_)) => {
                Refusal::new(Reason::Stopped)
            }
            _ => Refusal::new(Reason::Draining).retry_after(Duration::from_secs(1)),
        }
    }
}
