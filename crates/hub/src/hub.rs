//! A running hub: the parts put together, started and stopped.

mod enter;
mod error;
mod office;
mod server;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use lienthong_core::{Command, PushMarks};
use lienthong_model::limits::{
    CONNECTIONS_JUDGED_EVERY, EVIDENCE_BUNDLES_MAX, EVIDENCE_BUNDLES_PER_AGENCY_MAX, HANDSHAKE_MAX,
    HTTP_CONNECTIONS_MAX, RECOUNTS_MAX, STATISTICS_LIVE_MAX, STATISTICS_LIVE_PER_AGENCY_MAX,
    WAITS_FOR_PROGRESS_MAX, WAITS_FOR_PROGRESS_PER_AGENCY_MAX,
};
use lienthong_model::{Reason, Refusal, Timestamp};
use parking_lot::Mutex;
use tokio::sync::{Semaphore, watch};
use tokio::task::{JoinError, JoinHandle};
use tokio_stream::wrappers::ReceiverStream;
use tonic_health::server::HealthReporter;

pub use self::error::StartError;
use self::office::Office;
use crate::accounts::Accounts;
use crate::administration::{Administration, ListOutcome};
use crate::admission::Admission;
use crate::clock::BusinessClock;
use crate::connections::Connections;
use crate::descriptors;
use crate::egress::{Egress, Source};
use crate::evidence::Evidence;
use crate::http::{Http, HttpDoor, Pages, Sources};
use crate::ingress::Ingress;
use crate::list_files::ListsRead;
use crate::listener::{self, Listener};
use crate::log_key::LogKey;
use crate::meters::Meters;
use crate::open_folder::{OpenFolder, Recovery};
use crate::peer::PeerJudge;
use crate::places::{Places, SharedPlaces};
use crate::rate::RateGate;
use crate::reader::Reader;
use crate::sequencer::{Couriers, Running, Sequencer, Surroundings};
use crate::services::{Room, Rooms, Services};
use crate::settings::Settings;
use crate::space::{Level, Space};
use crate::tls;
use crate::transfer::Transfers;
use crate::upkeep::Upkeep;

/// Places of what goes on beside calls, and one agency's share of them.
const WAITS: (usize, usize) = (WAITS_FOR_PROGRESS_MAX, WAITS_FOR_PROGRESS_PER_AGENCY_MAX);
const LIVE: (usize, usize) = (STATISTICS_LIVE_MAX, STATISTICS_LIVE_PER_AGENCY_MAX);
const BUNDLES: (usize, usize) = (EVIDENCE_BUNDLES_MAX, EVIDENCE_BUNDLES_PER_AGENCY_MAX);
/// How long a drain waits for calls under way before connections are closed.
const DRAIN_MAX: Duration = Duration::from_secs(10);
/// How long the last writes to the state may take; nothing that was answered depends on them.
const WRITTEN_MAX: Duration = Duration::from_secs(60);

/// What the server's task comes to.
type Served = Result<(), tonic::transport::Error>;

/// What a hub leaves out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LeftOut {
    /// As every hub that is in use.
    Nothing,
    /// The Merkle log, checkpoints and proofs. Only with the feature `measure`.
    #[cfg(feature = "measure")]
    Evidence,
    /// Everything behind verification: what is submitted is verified and answered, and goes nowhere.
    /// Only with the feature `measure`.
    #[cfg(feature = "measure")]
    Journal,
}

impl LeftOut {
    fn of_evidence(self, evidence: Evidence) -> Evidence {
        match self {
            Self::Nothing => evidence,
            #[cfg(feature = "measure")]
            Self::Evidence => evidence.proving_nothing(),
            #[cfg(feature = "measure")]
            Self::Journal => evidence,
        }
    }

    fn of_ingress(self, ingress: Ingress) -> Ingress {
        match self {
            Self::Nothing => ingress,
            #[cfg(feature = "measure")]
            Self::Evidence => ingress,
            #[cfg(feature = "measure")]
            Self::Journal => ingress.verifying_only(),
        }
    }
}

/// A running hub. Dropping it without [`Hub::stop`] leaves its tasks to the runtime.
pub struct Hub {
    address: SocketAddr,
    reader: Reader,
    clock: BusinessClock,
    stop: watch::Sender<bool>,
    connections: Connections,
    office: Option<Office>,
    server: JoinHandle<Served>,
    /// How the server ended, once that was found.
    served: Option<Result<(), StartError>>,
    /// To know when they end.
    couriers: Couriers,
    http: Option<Http>,
    running: watch::Receiver<Running>,
    health: HealthReporter,
    recovery: Recovery,
}

impl Hub {
    /// Opens the data folder, enters what is new in the settings, and serves.
    ///
    /// # Errors
    /// [`StartError`] says what stands in the way.
    pub async fn start(
        settings: Settings,
        progress: impl FnMut(u64, u64),
    ) -> Result<Self, StartError> {
        let folder = OpenFolder::open(&settings.data, progress)?;
        Self::start_on(folder, settings, LeftOut::Nothing).await
    }

    /// Starts a hub that leaves something out, so that the cost of it can be measured.
    ///
    /// # Errors
    /// As [`Hub::start`].
    #[cfg(feature = "measure")]
    pub async fn start_without(
        settings: Settings,
        left_out: LeftOut,
        progress: impl FnMut(u64, u64),
    ) -> Result<Self, StartError> {
        let mut folder = OpenFolder::open(&settings.data, progress)?;
        if left_out == LeftOut::Evidence {
            folder.machine.keep_no_log();
        }
        Self::start_on(folder, settings, left_out).await
    }

    async fn start_on(
        mut folder: OpenFolder,
        settings: Settings,
        left_out: LeftOut,
    ) -> Result<Self, StartError> {
        let clock = BusinessClock::start(settings.clock);
        enter::check_clock(&settings.clock, &clock, &folder)?;
        let log_key = LogKey::of_folder(&settings.data, folder.machine.log_size())?;
        folder.machine.allow_clock_ahead(clock.ahead());
        let (data, storage) = (settings.data.clone(), settings.storage.clone());
        let list_files = settings.list_files.clone();
        let (http, settings) = (settings.http, Settings { http: None, ..settings });
        let accounts = Arc::new(Accounts::open(&data)?);
        let rates = settings.rates;
        let (identity, listen) = enter::enter(&mut folder, settings, clock.now())?;
        let (reader, recovery) = (folder.reader(), folder.recovery().clone());
        let judge = PeerJudge { reader: reader.clone(), clock };
        let tls = Arc::new(tls::server_config(identity, judge.clone())?);
        let socket = server::bind(listen).await?;
        let failed = |source| StartError::Listen { address: listen, source };
        let address = socket.local_addr().map_err(failed)?;
        let http_door = match http {
            Some(http) => Some(HttpDoor::open(http, &accounts, judge.clone()).await?),
            None => None,
        };

        let payloads = folder.payloads.clone();
        let space = Space::watch(&data, storage.marks, storage.probe);
        let pushes = Arc::new(PushMarks::since(folder.machine.log_size()));
        folder.machine.attend(pushes.clone());
        let egress = Couriers {
            documents: Egress::start(Source::Documents, Some(pushes), reader.clone()),
            notices: Egress::start(Source::Notices, None, reader.clone()),
        };
        let evidence = Evidence::of_folder(&folder, log_key)?;
        let evidence = left_out.of_evidence(evidence);
        let evidence = Arc::new(evidence);
        let connections = Connections::new(descriptors::shares());
        let meters = Arc::new(Meters::new(connections.clone(), Places::new(HTTP_CONNECTIONS_MAX)));
        let admission = Arc::new(Admission::new());
        let around = Surroundings {
            reader: reader.clone(),
            couriers: egress.clone(),
            evidence: evidence.clone(),
            meters: meters.clone(),
            clock,
            space: space.clone(),
            admission: admission.clone(),
        };
        let (sequencer, running) = Sequencer::start(folder, around).map_err(failed)?;
        let ingress = Ingress::new(
            reader.clone(),
            payloads.clone(),
            sequencer.clone(),
            space.clone(),
            meters.clone(),
        );
        let ingress = left_out.of_ingress(ingress);
        let (stop, stopping) = watch::channel(false);
        let levels = space.levels();
        let upkeep = Upkeep {
            reader: reader.clone(),
            payloads: payloads.clone(),
            space: space.clone(),
            uploads_kept: storage.uploads.kept,
            sweep: Mutex::default(),
        };
        upkeep.start(stopping.clone());
        let transfers =
            Transfers::new(reader.clone(), payloads.clone(), space.clone(), storage.uploads);
        let administration = Administration {
            reader: reader.clone(),
            payloads,
            sequencer: sequencer.clone(),
            accounts: accounts.clone(),
            space: space.clone(),
        };
        let pages = Pages::new(Sources {
            reader: reader.clone(),
            evidence: evidence.clone(),
            meters: meters.clone(),
            running: running.clone(),
            stopping: stopping.clone(),
            clock,
            space,
            accounts,
            administration: administration.clone(),
            folder: data.clone(),
        });
        let http = http_door.map(|door| Http::serve(door, pages)).transpose();
        let http = http.map_err(failed)?;
        let office = Office::open(administration.clone(), list_files, stopping.clone());
        let couriers = egress.clone();
        let rooms = Rooms {
            reader: reader.clone(),
            ingress,
            egress: egress.documents,
            notices: egress.notices,
            sequencer,
            administration,
            evidence,
            clock,
            rates: RateGate::new(rates),
            transfers,
            admission,
            room: Room::new(),
            waits: SharedPlaces::new(WAITS, "wait", Duration::from_secs(5)),
            live: SharedPlaces::new(LIVE, "question", Duration::from_secs(5)),
            recounts: Arc::new(Semaphore::new(RECOUNTS_MAX)),
            bundles: SharedPlaces::new(BUNDLES, "bundle", Duration::from_secs(1)),
            meters,
            stopping: stopping.clone(),
        };
        let services = Services(Arc::new(rooms));
        let (health, health_service) = tonic_health::server::health_reporter();
        let ready = *levels.borrow() != Level::ReadOnly;
        server::set_health(&health, ready).await;
        tokio::spawn(server::follow_space(health.clone(), levels, stopping.clone()));
        let router = server::router(services, health_service)?;
        tokio::spawn(connections.clone().guard(
            judge.clone(),
            CONNECTIONS_JUDGED_EVERY,
            stopping.clone(),
        ));
        let (of_listener, handshake_max) = (connections.clone(), HANDSHAKE_MAX);
        let listener = Listener { socket, tls, judge, connections: of_listener, handshake_max };
        let accepted = ReceiverStream::new(listener::accept(listener));
        let mut failed = running.clone();
        let mut stopping = stopping;
        let until = async move {
            tokio::select! {
                _ = stopping.wait_for(|stopping| *stopping) => {}
                _ = failed.wait_for(|running| *running != Running::Yes) => {}
            }
        };
        let server = tokio::spawn(router.serve_with_incoming_shutdown(accepted, until));
        let office = Some(office);
        Ok(Self {
            address,
            reader,
            clock,
            stop,
            connections,
            office,
            server,
            served: None,
            couriers,
            http,
            running,
            health,
            recovery,
        })
    }

    /// Returns where the hub listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Returns where the hub answers HTTP.
    pub fn http_address(&self) -> Option<SocketAddr> {
        self.http.as_ref().map(|http| http.address)
    }

    /// Returns whether it answers HTTP over TLS.
    pub fn http_is_tls(&self) -> bool {
        self.http.as_ref().is_some_and(|http| http.is_tls)
    }

    /// Returns what readers see.
    pub fn reader(&self) -> &Reader {
        &self.reader
    }

    /// Returns what opening the data folder had to do.
    pub fn recovery(&self) -> &Recovery {
        &self.recovery
    }

    /// Returns the business time.
    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// Carries an act of administration out; on return it is on disk and in force. Returns the time
    /// of its block. Nobody is asked whether they may: that is the caller's to know.
    ///
    /// # Errors
    /// A [`Refusal`] when the act is refused, or the hub has failed.
    pub async fn administer(&self, command: Command) -> Result<Timestamp, Refusal> {
        match &self.office {
            Some(office) => office.administration.administer(command).await,
            None => Err(Refusal::new(Reason::Draining)),
        }
    }

    /// Puts a revocation list in DER in force unless the one in force is as new. Connections of
    /// whom it revokes end within
    /// [`REVOKED_CONNECTION_MAX`](lienthong_model::limits::REVOKED_CONNECTION_MAX).
    ///
    /// # Errors
    /// A [`Refusal`] when it cannot be read or its issuer is not known, or the hub has failed.
    pub async fn add_revocation_list(&self, der: Bytes) -> Result<ListOutcome, Refusal> {
        match &self.office {
            Some(office) => office.administration.add_revocation_list(None, der).await,
            None => Err(Refusal::new(Reason::Draining)),
        }
    }

    /// Reads the files of revocation lists now, as the hub does by itself from time to time, and
    /// puts what is newer in force.
    pub async fn read_revocation_lists(&self) -> ListsRead {
        match &self.office {
            Some(office) => office.lists.lock().await.read().await,
            None => ListsRead::default(),
        }
    }

    /// Waits until the hub fails by itself, whichever part of it ends; pending while it runs.
    pub async fn failed(&mut self) -> StartError {
        let part = tokio::select! {
            biased;
            _ = self.running.wait_for(|running| *running != Running::Yes) => "the sequencer",
            ended = &mut self.server, if self.served.is_none() => {
                self.served = Some(served(ended));
                "the server"
            }
            () = self.couriers.documents.ended() => "the delivery of documents",
            () = self.couriers.notices.ended() => "the delivery of notices",
        };
        match &*self.running.borrow() {
            Running::Failed(why) => StartError::Failed(why.clone()),
            Running::Yes | Running::Ended => StartError::Server(format!("{part} ended by itself")),
        }
    }

    /// Drains: not ready, calls under way are answered, streams end with DRAINING, everything is
    /// written, the folder let go. Whoever does not take its answers is cut off after 10 s.
    ///
    /// # Errors
    /// [`StartError`] when the hub had failed or the last writes fail.
    pub async fn stop(self) -> Result<(), StartError> {
        self.stop_within(DRAIN_MAX).await
    }

    /// Drains as [`Hub::stop`] does, and waits for clients at most for `grace`.
    ///
    /// # Errors
    /// As there.
    pub async fn stop_within(mut self, grace: Duration) -> Result<(), StartError> {
        server::set_health(&self.health, false).await;
        self.stop.send_replace(true);
        self.office = None;
        server::clear_health(&mut self.health).await;
        let served = self.end_server(grace).await;
        // It tells that the hub drains for as long as it does.
        if let Some(http) = self.http.take() {
            http.stop().await;
        }
        served?;
        let ended = self.running.wait_for(|running| *running != Running::Yes);
        let outcome = match tokio::time::timeout(WRITTEN_MAX, ended).await {
            Ok(Ok(running)) => match &*running {
                Running::Failed(why) => Err(StartError::Failed(why.clone())),
                Running::Yes | Running::Ended => Ok(()),
            },
            Ok(Err(_)) => Err(StartError::Server("the sequencer ended without a word".into())),
            Err(_) => Err(StartError::Server("the sequencer did not end in time".into())),
        };
        let released = self.reader.released();
        drop(self);
        if tokio::time::timeout(DRAIN_MAX, released).await.is_err() {
            tracing::warn!("the data folder stays in use: somebody keeps a reader");
        }
        outcome
    }

    /// Waits for the connections; after the grace they are closed.
    async fn end_server(&mut self, grace: Duration) -> Result<(), StartError> {
        if let Some(served) = self.served.take() {
            return served;
        }
        for cut in [false, true] {
            if cut {
                self.connections.cut_all();
            }
            let patience = if cut { DRAIN_MAX } else { grace };
            if let Ok(ended) = tokio::time::timeout(patience, &mut self.server).await {
                return served(ended);
            }
        }
        self.server.abort();
        Ok(())
    }
}

/// What the end of the server's task says of the hub.
fn served(ended: Result<Served, JoinError>) -> Result<(), StartError> {
    match ended {
        Ok(Ok(())) => Ok(()),
        Ok(Err(error)) => Err(StartError::Server(error.to_string())),
        Err(error) => Err(StartError::Server(error.to_string())),
    }
}
