//! The live world: every agency a client of a real hub, over real TLS.
//!
//! A scenario's agencies are those of the virtual world ([`crate::world`]); here they meet a running
//! hub (`axis`) instead of `core`, each node through a connection of its own (`node`), through a
//! proxy where its network is to be disturbed (`link`), and what is judged in the end is asked
//! through the public API (`account`). A demonstration ([`run`]) carries out a plan as fast as it
//! goes instead.

mod account;
mod axis;
mod crew;
mod link;
mod node;
mod play;
mod proxy;
mod receiving;
mod remembered;
mod sending;
mod station;

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use lienthong_client::{
    CallError, ConnectError, DocumentCheckError, EndpointError, IdentityError, RootsError,
    SignerError,
};
use lienthong_model::Timestamp;
use parking_lot::Mutex;
use tokio::sync::watch;

pub use axis::Ground;
pub use play::{Live, play};
pub use proxy::{Mode, Proxy};
pub use remembered::Remembers;

use crate::cast::Cast;
use crate::plan::Plan;
use crate::tally::Tally;

/// How long nothing may move before a run is given up.
const STILL_MAX: Duration = Duration::from_secs(60);

/// Which part of a run is under way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    /// Nodes connect and open their mailboxes.
    Connecting,
    /// Documents are submitted, delivered, acknowledged and reported on.
    Exchanging,
}

/// How far a run is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress {
    /// The part.
    pub stage: Stage,
    /// Nodes connected, or deliveries acknowledged.
    pub done: u64,
    /// Nodes, or deliveries planned.
    pub total: u64,
}

/// Why a run cannot be made, or did not come to its end.
#[derive(Debug, thiserror::Error)]
pub enum LiveError {
    /// A node cannot connect.
    #[error("`{agency}` cannot connect: {error}")]
    Connect {
        /// Whose node.
        agency: String,
        /// Why not.
        error: ConnectError,
    },
    /// A call failed.
    #[error(transparent)]
    Call(#[from] CallError),
    /// The hub's address does not do.
    #[error(transparent)]
    Endpoint(#[from] EndpointError),
    /// An identity of the cast does not do.
    #[error(transparent)]
    Identity(#[from] IdentityError),
    /// A signer of the cast does not do.
    #[error(transparent)]
    Signer(#[from] SignerError),
    /// The roots do not do.
    #[error(transparent)]
    Roots(#[from] RootsError),
    /// The revocation lists do not do.
    #[error(transparent)]
    Check(#[from] DocumentCheckError),
    /// Nobody takes part whose node could be played.
    #[error("nobody takes part")]
    Nobody,
    /// A fault of the hub itself needs a hub of the scenario's own.
    #[error("the hub is not ours: it can be neither killed nor told of lists")]
    NotOurHub,
    /// The hub of the scenario's own cannot be killed, started or told of lists.
    #[error("the hub of the scenario's own: {0}")]
    Control(std::io::Error),
    /// A proxy cannot listen.
    #[error("a proxy cannot listen: {0}")]
    Proxy(std::io::Error),
    /// A certificate cannot be made.
    #[error("cannot make a certificate: {0}")]
    Issue(#[from] lienthong_pki::IssueError),
    /// Nothing moved for a minute.
    #[error("nothing moved for {} s: {done} of {total} deliveries were acknowledged", STILL_MAX.as_secs())]
    Still {
        /// Deliveries acknowledged.
        done: u64,
        /// Deliveries planned.
        total: u64,
    },
}

/// What can be done to a hub of the scenario's own.
pub trait HubControl: Send {
    /// Returns the process that said last that it is ready; none when it was killed since, or is no
    /// process of its own.
    fn process(&self) -> Option<u32>;
    /// Kills it, so that it has no chance to write anything.
    ///
    /// # Errors
    /// When it cannot be killed.
    fn kill(&mut self) -> std::io::Result<()>;
    /// Starts it again on its data, at the address that it had; on return it answers.
    ///
    /// # Errors
    /// When it does not start.
    fn start(&mut self, now: Timestamp) -> std::io::Result<()>;
    /// Ends it in order.
    ///
    /// # Errors
    /// When it does not end well.
    fn stop(&mut self) -> std::io::Result<()>;
    /// Lets its disk be nearly full, or not any more.
    ///
    /// # Errors
    /// When it cannot be told.
    fn set_low(&mut self, low: bool) -> std::io::Result<()>;
    /// Gives it a new revocation list of the issuing authority (DER).
    ///
    /// # Errors
    /// When it cannot be written.
    fn enter_list(&mut self, list: &Bytes) -> std::io::Result<()>;
}

/// Where the hub is, and its clock.
#[derive(Debug, Clone)]
pub struct Address {
    /// `https://127.0.0.1:port`.
    pub url: String,
    /// The business time at which its TLS is judged: when the run begins.
    pub now: Timestamp,
    /// How fast its clock runs.
    pub rate: f64,
}

/// Carries a plan out and returns the clients' counts. Ends when every delivery is acknowledged and
/// every report has its outcome.
///
/// # Errors
/// [`LiveError`] when a node cannot connect or nothing moves any more. What the hub decides
/// otherwise than planned is no error here but a mismatch in the tally.
pub async fn run(
    cast: Arc<Cast>,
    plan: Arc<Plan>,
    address: Address,
    progress: impl Fn(Progress) + Send + Sync + 'static,
) -> Result<Tally, LiveError> {
    let nodes = cast.members.iter().enumerate().filter(|(i, m)| m.served_by == *i).count() as u64;
    let connected = |done| progress(Progress { stage: Stage::Connecting, done, total: nodes });
    let crew = Arc::new(crew::Crew::connect(cast, &address, connected).await?);
    let total = plan.deliveries() as u64;
    let (moved, movement) = watch::channel(0u64);
    let round = Arc::new(Round { tally: Mutex::new(Tally::default()), moved, plan, crew });
    let (receivers, reporting) = receiving::open(&round).await?;
    let sender = tokio::spawn(sending::send_all(round.clone()));
    let told = |done| progress(Progress { stage: Stage::Exchanging, done, total });
    let ended = until_acknowledged(&round, movement, total, told, sender).await;
    for receiver in receivers {
        receiver.abort();
    }
    ended?;
    reporting.close();
    reporting.wait().await;
    let mut tally = std::mem::take(&mut *round.tally.lock());
    tally.close(total);
    Ok(tally)
}

/// What sending and receiving share.
struct Round {
    tally: Mutex<Tally>,
    moved: watch::Sender<u64>,
    plan: Arc<Plan>,
    crew: Arc<crew::Crew>,
}

impl Round {
    /// Counts something, and notes that the run moves.
    fn count<T>(&self, count: impl FnOnce(&mut Tally) -> T) -> T {
        let (counted, acknowledged) = {
            let mut tally = self.tally.lock();
            (count(&mut tally), tally.acknowledged)
        };
        self.moved.send_replace(acknowledged);
        counted
    }
}

async fn until_acknowledged(
    round: &Round,
    mut movement: watch::Receiver<u64>,
    total: u64,
    told: impl Fn(u64),
    mut sender: tokio::task::JoinHandle<()>,
) -> Result<(), LiveError> {
    let mut sent = false;
    loop {
        let done = *movement.borrow_and_update();
        told(done);
        // Whatever was refused against the plan will never be delivered.
        let lost = round.tally.lock().deliveries < total;
        if sent && (done >= total || lost) {
            return Ok(());
        }
        let still = tokio::time::sleep(STILL_MAX);
        tokio::select! {
            _ = &mut sender, if !sent => sent = true,
            changed = movement.changed() => if changed.is_err() { return Ok(()) },
            () = still => return Err(LiveError::Still { done, total }),
        }
    }
}
