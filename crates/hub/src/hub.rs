//! A running hub: the parts put together, started and stopped.

use std::fmt;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use lienthong_core::engine::EngineError;
use lienthong_core::{
    AddAuthority, AddRevocationList, CertificateBytes, Command, ImportDirectory, PushMarks, codec,
};
use lienthong_model::limits::{
    CALL_MAX, CLOCK_AHEAD_MAX, CONNECTION_AGE_GRACE, CONNECTION_AGE_MAX, CONNECTIONS_JUDGED_EVERY,
    HANDSHAKE_MAX, HTTP_CONNECTIONS_MAX, MESSAGE_BYTES_MAX, STREAMS_PER_CONNECTION_MAX,
    WAITS_FOR_PROGRESS_MAX,
};
use lienthong_model::{AgencyEntry, Reason, Refusal, Timestamp};
use lienthong_trust::{Anchors as _, Certificate, RevocationList};
use lienthong_wire::proto::admin_service_server::AdminServiceServer;
use lienthong_wire::proto::directory_service_server::DirectoryServiceServer;
use lienthong_wire::proto::evidence_service_server::EvidenceServiceServer;
use lienthong_wire::proto::exchange_service_server::ExchangeServiceServer;
use lienthong_wire::proto::notice_service_server::NoticeServiceServer;
use lienthong_wire::proto::recipient_list_service_server::RecipientListServiceServer;
use lienthong_wire::proto::statistics_service_server::StatisticsServiceServer;
use lienthong_wire::proto::tracking_service_server::TrackingServiceServer;
use lienthong_wire::proto::transfer_service_server::TransferServiceServer;
use lienthong_wire::proto::trust_service_server::TrustServiceServer;
use lienthong_wire::proto::verdict_service_server::VerdictServiceServer;
use tokio::net::TcpListener;
use tokio::sync::{Mutex, Semaphore, watch};
use tokio::task::JoinHandle;
use tokio_stream::wrappers::ReceiverStream;
use tonic::server::NamedService;
use tonic::transport::Server;
use tonic::transport::server::Router;
use tonic_health::server::HealthReporter;
use tower::layer::util::{Identity, Stack};

use crate::administration::{Administration, ListOutcome};
use crate::clock::{BusinessClock, Clock};
use crate::connections::{Connections, Shares};
use crate::egress::{Egress, Source};
use crate::evidence::Evidence;
use crate::http::{Http, Pages};
use crate::ingress::Ingress;
use crate::language::SpeakLayer;
use crate::list_files::{ListFiles, ListReader, ListsRead};
use crate::listener::{self, Listener};
use crate::log_key::{LogKey, LogKeyError};
use crate::meters::Meters;
use crate::open_folder::{AdministerError, OpenFolder, Recovery};
use crate::peer::PeerJudge;
use crate::places::Places;
use crate::rate::RateGate;
use crate::reader::Reader;
use crate::sequencer::{Couriers, Running, Sequencer};
use crate::services::{Room, Rooms, Services};
use crate::settings::{DirectoryImport, Settings};
use crate::space::{Level, Space};
use crate::tls;
use crate::transfer::Transfers;
use crate::upkeep::Upkeep;

/// How long a drain waits for calls under way before connections are closed.
const DRAIN_MAX: Duration = Duration::from_secs(10);
/// How long the last writes to the state may take; nothing that was answered depends on them.
const WRITTEN_MAX: Duration = Duration::from_secs(60);
/// How often an idle connection is asked whether it still lives, and how long it may take.
const KEEPALIVE: Duration = Duration::from_secs(30);

/// A running hub. Dropping it without [`Hub::stop`] leaves its tasks to the runtime.
pub struct Hub {
    address: SocketAddr,
    reader: Reader,
    clock: BusinessClock,
    stop: watch::Sender<bool>,
    connections: Connections,
    office: Option<Office>,
    server: JoinHandle<Result<(), tonic::transport::Error>>,
    http: Option<Http>,
    running: watch::Receiver<Running>,
    health: HealthReporter,
    recovery: Recovery,
}

/// What changes the hub while it runs. Holds the sequencer: a hub that stops lets it go first.
struct Office {
    administration: Administration,
    lists: Arc<Mutex<ListReader>>,
}

/// Why a hub does not start, or has stopped.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The data folder cannot be used.
    #[error(transparent)]
    Engine(#[from] EngineError),
    /// Something that the hub was started with is refused.
    #[error(transparent)]
    Administer(#[from] AdministerError),
    /// The machine's clock is behind the journal.
    #[error(
        "the clock says {now}, but the last block is from {last}: set the clock right, \
         or start with the clock of the scenario that this folder belongs to"
    )]
    ClockBehind {
        /// What the clock says.
        now: Timestamp,
        /// The last block's time.
        last: Timestamp,
    },
    /// The address cannot be listened on.
    #[error("cannot listen on {address}: {source}")]
    Listen {
        /// Where.
        address: SocketAddr,
        /// Why not.
        source: std::io::Error,
    },
    /// The key that signs the log's checkpoints cannot be had.
    #[error(transparent)]
    LogKey(#[from] LogKeyError),
    /// The hub's own certificate or key does not do.
    #[error("the hub's certificate or key: {0}")]
    Identity(#[from] rustls::Error),
    /// A certificate or revocation list among the settings does not do.
    #[error("{what}: {why}")]
    Trust {
        /// Which.
        what: &'static str,
        /// Why not.
        why: String,
    },
    /// The server ended by itself.
    #[error("the server ended: {0}")]
    Server(String),
    /// A read or write failed while the hub ran.
    #[error("the hub stopped after a failed read or write: {0}")]
    Failed(String),
}

impl StartError {
    fn of_list(named: impl fmt::Display, why: impl fmt::Display) -> Self {
        Self::Trust { what: "a revocation list", why: format!("`{named}`: {why}") }
    }
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
        Self::start_on(folder, settings, |_| {}).await
    }

    /// Starts a hub that keeps no log and proves nothing, so that the cost of both can be measured.
    ///
    /// # Errors
    /// As [`Hub::start`].
    #[cfg(feature = "measure")]
    pub async fn start_without_evidence(settings: Settings) -> Result<Self, StartError> {
        let mut folder = OpenFolder::open(&settings.data, |_, _| {})?;
        folder.machine.keep_no_log();
        Self::start_on(folder, settings, Evidence::prove_nothing).await
    }

    async fn start_on(
        mut folder: OpenFolder,
        settings: Settings,
        evidence_as: impl FnOnce(&mut Evidence),
    ) -> Result<Self, StartError> {
        let clock = BusinessClock::start(settings.clock);
        check_clock(&settings.clock, &clock, &folder)?;
        let log_key = LogKey::of_folder(&settings.data, folder.machine.log_size())?;
        folder.machine.allow_clock_ahead(clock.ahead());
        let (data, storage) = (settings.data.clone(), settings.storage.clone());
        let (list_files, http) = (settings.list_files.clone(), settings.http);
        let rates = settings.rates;
        let (identity, listen) = enter(&mut folder, settings, clock.now())?;
        let (reader, recovery) = (folder.reader(), folder.recovery().clone());
        let judge = PeerJudge { reader: reader.clone(), clock };
        let tls = Arc::new(tls::server_config(identity, judge.clone())?);
        let socket = bind(listen).await?;
        let failed = |source| StartError::Listen { address: listen, source };
        let address = socket.local_addr().map_err(failed)?;
        let http_socket = match http {
            Some(http) => Some(bind(http.address()).await?),
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
        let mut evidence = Evidence::of_folder(&folder, log_key)?;
        evidence_as(&mut evidence);
        let evidence = Arc::new(evidence);
        let connections = Connections::new(Shares::default());
        let meters = Arc::new(Meters::new(connections.clone(), Places::new(HTTP_CONNECTIONS_MAX)));
        let (sequencer, running) = Sequencer::start(
            folder,
            reader.clone(),
            egress.clone(),
            evidence.clone(),
            meters.clone(),
            (clock, space.clone()),
        )
        .map_err(failed)?;
        let ingress =
            Ingress::new(reader.clone(), payloads.clone(), sequencer.clone(), space.clone());
        let (stop, stopping) = watch::channel(false);
        let levels = space.levels();
        let pages =
            Pages::new(reader.clone(), evidence.clone(), meters, running.clone(), stopping.clone());
        let http = http_socket.map(|socket| Http::serve(socket, pages)).transpose();
        let http = http.map_err(failed)?;
        let upkeep = Upkeep {
            reader: reader.clone(),
            payloads: payloads.clone(),
            space: space.clone(),
            uploads_kept: storage.uploads.kept,
        };
        upkeep.start(stopping.clone());
        let transfers = Transfers::new(reader.clone(), payloads.clone(), space, storage.uploads);
        let administration =
            Administration { reader: reader.clone(), payloads, sequencer: sequencer.clone() };
        let office = Office::open(administration.clone(), list_files, stopping.clone());
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
            room: Room::new(),
            waits: Arc::new(Semaphore::new(WAITS_FOR_PROGRESS_MAX)),
            stopping: stopping.clone(),
        };
        let services = Services(Arc::new(rooms));
        let (health, health_service) = tonic_health::server::health_reporter();
        let ready = *levels.borrow() != Level::ReadOnly;
        set_health(&health, ready).await;
        tokio::spawn(follow_space(health.clone(), levels, stopping.clone()));
        let router = router(services, health_service)?;
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

    /// Waits until the hub fails by itself; pending while it runs.
    pub async fn failed(&mut self) -> StartError {
        match self.running.wait_for(|running| matches!(running, Running::Failed(_))).await {
            Ok(running) => match &*running {
                Running::Failed(why) => StartError::Failed(why.clone()),
                Running::Yes | Running::Ended => std::future::pending().await,
            },
            Err(_) => std::future::pending().await,
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
        set_health(&self.health, false).await;
        self.stop.send_replace(true);
        self.office = None;
        clear_health(&mut self.health).await;
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
        for cut in [false, true] {
            if cut {
                self.connections.cut_all();
            }
            let patience = if cut { DRAIN_MAX } else { grace };
            match tokio::time::timeout(patience, &mut self.server).await {
                Ok(Ok(Ok(()))) => return Ok(()),
                Ok(Ok(Err(error))) => return Err(StartError::Server(error.to_string())),
                Ok(Err(error)) => return Err(StartError::Server(error.to_string())),
                Err(_) => {}
            }
        }
        self.server.abort();
        Ok(())
    }
}

/// Keeps the health with the disk space: a hub that is read only is not ready.
async fn follow_space(
    health: HealthReporter,
    mut levels: watch::Receiver<Level>,
    mut stopping: watch::Receiver<bool>,
) {
    loop {
        tokio::select! {
            biased;
            _ = stopping.wait_for(|stopping| *stopping) => return,
            changed = levels.changed() => if changed.is_err() { return },
        }
        let ready = *levels.borrow_and_update() != Level::ReadOnly;
        set_health(&health, ready).await;
    }
}

impl Office {
    /// Makes the office; the files of lists are read again until the hub stops.
    fn open(
        administration: Administration,
        files: ListFiles,
        stopping: watch::Receiver<bool>,
    ) -> Self {
        let are_there = !files.paths.is_empty();
        let lists = ListReader::new(files, administration.clone());
        let lists = Arc::new(Mutex::new(lists));
        if are_there {
            tokio::spawn(read_again(lists.clone(), stopping));
        }
        Self { administration, lists }
    }
}

async fn read_again(lists: Arc<Mutex<ListReader>>, mut stopping: watch::Receiver<bool>) {
    let every = lists.lock().await.every();
    loop {
        tokio::select! {
            () = tokio::time::sleep(every) => {}
            // The sender gone is a hub gone.
            _ = stopping.wait_for(|stopping| *stopping) => return,
        }
        lists.lock().await.read().await;
    }
}

/// Every service, as the health service names it.
const SERVICES: [&str; 11] = [
    <ExchangeServiceServer<Services> as NamedService>::NAME,
    <DirectoryServiceServer<Services> as NamedService>::NAME,
    <StatisticsServiceServer<Services> as NamedService>::NAME,
    <EvidenceServiceServer<Services> as NamedService>::NAME,
    <TransferServiceServer<Services> as NamedService>::NAME,
    <TrustServiceServer<Services> as NamedService>::NAME,
    <AdminServiceServer<Services> as NamedService>::NAME,
    <VerdictServiceServer<Services> as NamedService>::NAME,
    <RecipientListServiceServer<Services> as NamedService>::NAME,
    <TrackingServiceServer<Services> as NamedService>::NAME,
    <NoticeServiceServer<Services> as NamedService>::NAME,
];

/// Ends the streams of whoever watches the health, after what was set last.
async fn clear_health(health: &mut HealthReporter) {
    for service in SERVICES.into_iter().chain([""]) {
        health.clear_service_status(service).await;
    }
}

async fn set_health(health: &HealthReporter, serving: bool) {
    use tonic_health::ServingStatus::{NotServing, Serving};
    let status = if serving { Serving } else { NotServing };
    for service in SERVICES.into_iter().chain([""]) {
        health.set_service_status(service, status).await;
    }
}

fn router<H>(
    services: Services,
    health: H,
) -> Result<Router<Stack<SpeakLayer, Identity>>, StartError>
where
    H: tonic::codegen::Service<
            tonic::codegen::http::Request<tonic::body::Body>,
            Response = tonic::codegen::http::Response<tonic::body::Body>,
            Error = std::convert::Infallible,
        > + tonic::server::NamedService
        + Clone
        + Send
        + Sync
        + 'static,
    H::Future: Send + 'static,
{
    let reflection = tonic_reflection::server::Builder::configure()
        .register_encoded_file_descriptor_set(lienthong_wire::FILE_DESCRIPTOR_SET)
        .register_encoded_file_descriptor_set(tonic_health::pb::FILE_DESCRIPTOR_SET)
        .build_v1()
        .map_err(|error| StartError::Server(error.to_string()))?;
    let exchange = ExchangeServiceServer::new(services.clone())
        .max_decoding_message_size(MESSAGE_BYTES_MAX)
        .max_encoding_message_size(MESSAGE_BYTES_MAX);
    let directory = DirectoryServiceServer::new(services.clone())
        .max_decoding_message_size(MESSAGE_BYTES_MAX)
        .max_encoding_message_size(MESSAGE_BYTES_MAX);
    let evidence = EvidenceServiceServer::new(services.clone())
        .max_decoding_message_size(MESSAGE_BYTES_MAX)
        .max_encoding_message_size(MESSAGE_BYTES_MAX);
    let lists = RecipientListServiceServer::new(services.clone())
        .max_decoding_message_size(MESSAGE_BYTES_MAX)
        .max_encoding_message_size(MESSAGE_BYTES_MAX);
    let tracking = TrackingServiceServer::new(services.clone())
        .max_decoding_message_size(MESSAGE_BYTES_MAX)
        .max_encoding_message_size(MESSAGE_BYTES_MAX);
    let trust = TrustServiceServer::new(services.clone())
        .max_decoding_message_size(MESSAGE_BYTES_MAX)
        .max_encoding_message_size(MESSAGE_BYTES_MAX);
    let admin = AdminServiceServer::new(services.clone())
        .max_decoding_message_size(MESSAGE_BYTES_MAX)
        .max_encoding_message_size(MESSAGE_BYTES_MAX);
    let transfer = TransferServiceServer::new(services.clone())
        .max_decoding_message_size(MESSAGE_BYTES_MAX)
        .max_encoding_message_size(MESSAGE_BYTES_MAX);
    let verdict = VerdictServiceServer::new(services.clone())
        .max_decoding_message_size(MESSAGE_BYTES_MAX)
        .max_encoding_message_size(MESSAGE_BYTES_MAX);
    let notices = NoticeServiceServer::new(services.clone())
        .max_decoding_message_size(MESSAGE_BYTES_MAX)
        .max_encoding_message_size(MESSAGE_BYTES_MAX);
    let statistics = StatisticsServiceServer::new(services)
        .max_decoding_message_size(MESSAGE_BYTES_MAX)
        .max_encoding_message_size(MESSAGE_BYTES_MAX);
    Ok(Server::builder()
        .layer(SpeakLayer)
        .timeout(CALL_MAX)
        .max_concurrent_streams(STREAMS_PER_CONNECTION_MAX)
        .max_connection_age(CONNECTION_AGE_MAX)
        .max_connection_age_grace(CONNECTION_AGE_GRACE)
        .http2_keepalive_interval(Some(KEEPALIVE))
        .http2_keepalive_timeout(Some(KEEPALIVE))
        .add_service(health)
        .add_service(reflection)
        .add_service(exchange)
        .add_service(directory)
        .add_service(statistics)
        .add_service(evidence)
        .add_service(lists)
        .add_service(tracking)
        .add_service(transfer)
        .add_service(trust)
        .add_service(admin)
        .add_service(verdict)
        .add_service(notices))
}

async fn bind(address: SocketAddr) -> Result<TcpListener, StartError> {
    let failed = |source| StartError::Listen { address, source };
    TcpListener::bind(address).await.map_err(failed)
}

fn check_clock(
    clock: &Clock,
    business: &BusinessClock,
    folder: &OpenFolder,
) -> Result<(), StartError> {
    let (now, Some(last)) = (business.now(), folder.last_time()) else { return Ok(()) };
    match clock {
        Clock::Real if now.plus(CLOCK_AHEAD_MAX) < last => {
            Err(StartError::ClockBehind { now, last })
        }
        Clock::Real | Clock::Scenario { .. } => Ok(()),
    }
}

/// Enters what is new in the settings into the journal; returns what is left of them.
fn enter(
    folder: &mut OpenFolder,
    settings: Settings,
    now: Timestamp,
) -> Result<(tls::ServerIdentity, SocketAddr), StartError> {
    for (certificates, trusted) in [(settings.roots, true), (settings.authorities, false)] {
        for der in certificates {
            enter_authority(folder, der, trusted, now)?;
        }
    }
    for der in settings.revocation_lists {
        enter_list(folder, &der, "given", now)?;
    }
    let unread = |(path, why): (PathBuf, String)| StartError::of_list(path.display(), why);
    for (path, der) in settings.list_files.read_all().map_err(unread)? {
        enter_list(folder, &der, path.display(), now)?;
    }
    if let Some(import) = settings.directory
        && folder.machine.policy().directory.is_empty()
    {
        import_directory(folder, import, now)?;
    }
    if let Some(rules) = settings.rules
        && *folder.machine.policy().rules != rules
    {
        folder.administer(now, Command::SetRoutingRules(rules))?;
    }
    Ok((settings.identity, settings.listen))
}

fn enter_authority(
    folder: &mut OpenFolder,
    der: Bytes,
    trusted: bool,
    now: Timestamp,
) -> Result<(), StartError> {
    let certificate = Certificate::parse(der.clone()).map_err(|error| StartError::Trust {
        what: "an authority's certificate",
        why: error.to_string(),
    })?;
    let trust = folder.machine.policy().trust.clone();
    let fingerprint = certificate.fingerprint();
    let known = match trusted {
        true => trust.trusts(fingerprint, Timestamp::from_millis(i64::MAX)),
        false => trust.authorities().iter().any(|known| known.fingerprint() == fingerprint),
    };
    if known {
        return Ok(());
    }
    let certificate = CertificateBytes(der);
    Ok(folder.administer(now, Command::AddAuthority(AddAuthority { certificate, trusted }))?)
}

fn enter_list(
    folder: &mut OpenFolder,
    der: &[u8],
    named: impl fmt::Display,
    now: Timestamp,
) -> Result<(), StartError> {
    let trust = folder.machine.policy().trust.clone();
    let list = RevocationList::parse(der, trust.authorities())
        .map_err(|error| StartError::of_list(named, error))?;
    if !trust.admits(&list) {
        return Ok(());
    }
    let payload = folder.payload(der)?;
    let command = Command::AddRevocationList(AddRevocationList { payload, issuer: list.issuer });
    Ok(folder.administer(now, command)?)
}

/// Imports a directory by one command that names the hash of its entries.
fn import_directory(
    folder: &mut OpenFolder,
    import: DirectoryImport,
    now: Timestamp,
) -> Result<(), StartError> {
    let DirectoryImport { source, entries } = import;
    let payload = folder.payload(&codec::encode::<Vec<AgencyEntry>>(&entries))?;
    let command = Command::ImportDirectory(ImportDirectory { source, payload });
    Ok(folder.administer(now, command)?)
}
