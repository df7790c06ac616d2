//! The connections that are open: how many, whose, and which have to end.
//!
//! ```text
//!   handshake ─▶ enter ─▶ served ─▶ gone
//!                  │         ▲
//!                  └── cut ──┘  its certificate no longer holds, or the hub stops
//! ```
//! Every connection keeps the chain that proved its peer. When what is trusted changes, and once a
//! minute for those whose validity ends, all chains are judged again; no signature is checked for
//! that.

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use lienthong_model::limits::{
    CONNECTIONS_MAX, CONNECTIONS_PER_AGENCY_MAX, DESCRIPTORS_KEPT, HANDSHAKES_MAX,
};
use lienthong_model::{CodeKey, Reason};
use lienthong_trust::Chain;
use parking_lot::Mutex;
use tokio::sync::{oneshot, watch};

use crate::peer::{Peer, PeerJudge, Proven};

/// Connections that are judged before others get their turn.
const JUDGED_AT_A_TIME: usize = 512;

/// How many connections there may be.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Shares {
    /// In all, those in their handshake apart.
    pub all: usize,
    /// Of one agency, its operators' among them.
    pub agency: usize,
    /// In their handshake.
    pub handshakes: usize,
}

impl Shares {
    /// As many as a process has room for that may have so many file descriptors.
    pub fn within(descriptors: u64) -> Self {
        let descriptors = usize::try_from(descriptors).unwrap_or(usize::MAX);
        // Of few, half: whoever cannot open its files serves nobody, either.
        let open = descriptors - DESCRIPTORS_KEPT.min(descriptors / 2);
        let handshakes = (open / 5).clamp(1, HANDSHAKES_MAX);
        let all = CONNECTIONS_MAX.min(open.saturating_sub(handshakes));
        Self { all, agency: CONNECTIONS_PER_AGENCY_MAX, handshakes }
    }
}

/// Why a connection is ended by the hub.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Cut {
    /// The hub stops.
    Stopping,
    /// The peer's certificate is no longer to be relied on.
    Certificate(Reason),
}

/// An agency has its share of connections.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct TooMany {
    pub max: usize,
}

/// All connections; cheap to clone.
#[derive(Clone)]
pub(crate) struct Connections {
    open: Arc<Mutex<Open>>,
    shares: Shares,
}

#[derive(Default)]
struct Open {
    next: u64,
    entries: HashMap<u64, Entry>,
    of_agency: HashMap<CodeKey, usize>,
    stopping: bool,
}

struct Entry {
    peer: Peer,
    chain: Arc<Chain>,
    cut: oneshot::Sender<Cut>,
}

/// A connection's place; dropping it gives it back.
pub(crate) struct Place {
    id: u64,
    connections: Connections,
}

impl Connections {
    pub fn new(shares: Shares) -> Self {
        Self { open: Arc::default(), shares }
    }

    pub const fn shares(&self) -> Shares {
        self.shares
    }

    /// How many are open.
    pub fn count(&self) -> usize {
        self.open.lock().entries.len()
    }

    /// How many each agency has.
    pub fn by_agency(&self) -> HashMap<CodeKey, usize> {
        self.open.lock().of_agency.clone()
    }

    /// The chains that open connections have shown.
    pub fn chains(&self) -> Vec<Arc<Chain>> {
        self.open.lock().entries.values().map(|entry| entry.chain.clone()).collect()
    }

    /// Enters a connection; the receiver is told when it has to end.
    pub fn enter(&self, proven: Proven) -> Result<(Place, oneshot::Receiver<Cut>), TooMany> {
        let Proven { peer, chain } = proven;
        let mut open = self.open.lock();
        let held = open.of_agency.entry(peer.agency.key()).or_default();
        if *held >= self.shares.agency {
            return Err(TooMany { max: self.shares.agency });
        }
        *held += 1;
        let id = open.next;
        open.next += 1;
        let (cut, told) = oneshot::channel();
        open.entries.insert(id, Entry { peer, chain, cut });
        drop(open);
        let place = Place { id, connections: self.clone() };
        if self.open.lock().stopping {
            place.cut(Cut::Stopping);
        }
        Ok((place, told))
    }

    /// Ends every connection, and those that enter from now on.
    pub fn cut_all(&self) {
        let mut open = self.open.lock();
        open.stopping = true;
        let ids: Vec<u64> = open.entries.keys().copied().collect();
        drop(open);
        ids.into_iter().for_each(|id| self.cut(id, Cut::Stopping));
    }

    /// Judges every connection whenever what is trusted has changed, and every so often, until the
    /// hub stops.
    pub async fn guard(
        self,
        judge: PeerJudge,
        every: Duration,
        mut stopping: watch::Receiver<bool>,
    ) {
        let mut changes = judge.reader.trust_changes();
        loop {
            tokio::select! {
                changed = changes.next() => if changed.is_none() { return },
                () = tokio::time::sleep(every) => {}
                // The sender gone is a hub gone.
                _ = stopping.wait_for(|stopping| *stopping) => return,
            }
            self.judge_all(&judge).await;
        }
    }

    async fn judge_all(&self, judge: &PeerJudge) {
        let entries: Vec<(u64, Arc<Chain>)> = {
            let open = self.open.lock();
            open.entries.iter().map(|(id, entry)| (*id, entry.chain.clone())).collect()
        };
        for some in entries.chunks(JUDGED_AT_A_TIME) {
            for (id, chain) in some {
                if let Err(reason) = judge.judge(chain) {
                    self.cut(*id, Cut::Certificate(reason));
                }
            }
            tokio::task::yield_now().await;
        }
    }

    fn cut(&self, id: u64, why: Cut) {
        if let Some(entry) = self.remove(id) {
            if let Cut::Certificate(reason) = why {
                tracing::info!(peer = %entry.peer, %reason, "a connection is ended");
            }
            // One that has ended by itself needs no telling.
            let _ = entry.cut.send(why);
        }
    }

    fn remove(&self, id: u64) -> Option<Entry> {
        let mut open = self.open.lock();
        let entry = open.entries.remove(&id)?;
        let key = entry.peer.agency.key();
        if let Some(held) = open.of_agency.get_mut(&key) {
            *held -= 1;
            if *held == 0 {
                open.of_agency.remove(&key);
            }
        }
        Some(entry)
    }
}

impl Place {
    /// Ends the connection.
    pub fn cut(&self, why: Cut) {
        self.connections.cut(self.id, why);
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.connections.remove(self.id);
    }
}

impl fmt::Display for Cut {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Stopping => f.write_str("the hub stops"),
            Self::Certificate(reason) => write!(f, "{reason}: {}", reason.meaning()),
        }
    }
}

impl fmt::Display for TooMany {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the agency has {} connections, as many as one may", self.max)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use lienthong_core::{AddAuthority, AddRevocationList, CertificateBytes, Command};
    use lienthong_model::limits::REVOKED_CONNECTION_MAX;
    use lienthong_model::{AgencyCode, Timestamp};
    use lienthong_pki::{TestPki, Validity};
    use lienthong_trust::{Authorities, Chain, Revoked};
    use tempfile::TempDir;

    use super::*;
    use crate::clock::{BusinessClock, Clock};
    use crate::open_folder::OpenFolder;

    const OFTEN: Duration = Duration::from_millis(5);
    const SELDOM: Duration = Duration::from_secs(3600);

    fn day(days: i64) -> Timestamp {
        Timestamp::from_millis(days * 24 * 3_600_000)
    }

    /// A folder that trusts a PKI whose certificates are valid until a day.
    struct Bench {
        pki: TestPki,
        folder: OpenFolder,
        judge: PeerJudge,
        _place: TempDir,
    }

    impl Bench {
        fn until(last_day: i64) -> Self {
            let validity = Validity { not_before: day(0), not_after: day(last_day) };
            let pki = TestPki::new([3; 32], validity).unwrap();
            let place = tempfile::tempdir().unwrap();
            let mut folder = OpenFolder::open(place.path(), |_, _| {}).unwrap();
            for (authority, trusted) in [(pki.root(), true), (pki.issuing(), false)] {
                let certificate = CertificateBytes(authority.certificate().der().clone());
                let authority = Command::AddAuthority(AddAuthority { certificate, trusted });
                folder.administer(day(1), authority).unwrap();
            }
            let judge =
                PeerJudge { reader: folder.reader(), clock: BusinessClock::start(Clock::Real) };
            Self { pki, folder, judge, _place: place }
        }

        fn proven(&self) -> Proven {
            let agency = AgencyCode::parse("H36").unwrap();
            let node = self.pki.node(&agency).unwrap();
            let certificate = *node.certificate.fingerprint();
            let known = [self.pki.issuing(), self.pki.root()].map(|one| one.certificate().clone());
            let chain = Chain::among(node.certificate, &Authorities::new(known, |_| true), &[]);
            let peer = Peer { agency, person: None, certificate };
            Proven { peer, chain: Arc::new(chain.unwrap()) }
        }

        /// Revokes the node for every reader.
        fn revoke(&mut self) {
            let serial = self.proven().chain.leaf().serial().to_vec();
            let revoked = [Revoked { serial, at: day(2), reason: 1 }];
            let list = self.pki.issuing().revocation_list(1, day(2), day(40_000), &revoked);
            let payload = self.folder.payload(&list.unwrap()).unwrap();
            let issuer = *self.pki.issuing().certificate().fingerprint();
            let list = Command::AddRevocationList(AddRevocationList { payload, issuer });
            self.folder.administer(day(3), list).unwrap();
            self.judge.reader.set_policy(self.folder.machine.policy());
        }
    }

    #[tokio::test]
    async fn a_connection_whose_certificate_has_run_out_ends_although_nothing_changed() {
        let bench = Bench::until(100);
        let connections = Connections::new(Shares::within(u64::MAX));
        let (_place, told) = connections.enter(bench.proven()).unwrap();
        let (stop, stopping) = watch::channel(false);
        let guard = tokio::spawn(connections.clone().guard(bench.judge, OFTEN, stopping));
        assert_eq!(told.await, Ok(Cut::Certificate(Reason::CertificateExpired)));
        stop.send_replace(true);
        guard.await.unwrap();
    }

    #[tokio::test]
    async fn as_many_connections_as_there_may_be_end_within_the_bound() {
        let mut bench = Bench::until(40_000);
        let shares = Shares { agency: CONNECTIONS_MAX, ..Shares::within(u64::MAX) };
        let connections = Connections::new(shares);
        let proven = bench.proven();
        let mut held: Vec<_> =
            (0..CONNECTIONS_MAX).map(|_| connections.enter(proven.clone()).unwrap()).collect();
        let (_stop, stopping) = watch::channel(false);
        let judge = bench.judge.clone();
        tokio::spawn(connections.clone().guard(judge, SELDOM, stopping));
        // The guard watches before anything changes.
        tokio::task::yield_now().await;
        bench.revoke();
        let revoked = Instant::now();
        for (_, told) in &mut held {
            assert_eq!(told.await, Ok(Cut::Certificate(Reason::CertificateRevoked)));
        }
        let took = revoked.elapsed();
        println!("{CONNECTIONS_MAX} connections judged and cut in {took:?}");
        assert!(took < REVOKED_CONNECTION_MAX, "{took:?}");
    }
}
