//! A running connector: its parts put together, started and stopped.

use std::fs::{File, TryLockError};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use lienthong_client::{DocumentCheckError, EndpointError};
use lienthong_model::AgencyCode;
use parking_lot::{Mutex, RwLock};
use tokio::sync::{Notify, watch};
use tokio::task::JoinSet;

use crate::directory::DirectoryCopy;
use crate::disk::DiskError;
use crate::events::Events;
use crate::intake::Intake;
use crate::judge::Judge;
use crate::keys::Keyring;
use crate::link::Link;
use crate::outgoing::Kind;
use crate::outgoing::turns::Turns;
use crate::places::Places;
use crate::secret::SecretError;
use crate::settings::{Point, Settings};
use crate::webhook::{Webhook, WebhookError};
use crate::{http, incoming, notices, outgoing, refresh, webhook};

/// What the parts share.
#[derive(Debug)]
pub(crate) struct Shared {
    pub places: Places,
    pub mailboxes: Vec<AgencyCode>,
    pub link: Link,
    pub keyring: Keyring,
    pub judge: Judge,
    pub events: Events,
    pub intake: Intake,
    pub turns: Turns,
    pub poll: Duration,
    point: Point,
    directory: RwLock<Known>,
    /// The mailboxes that the hub said it serves here.
    pub serving: Mutex<Vec<AgencyCode>>,
    /// Something was put into a folder by ourselves: no need to wait for the next look.
    pub nudge: [Notify; 2],
    stopping: watch::Receiver<bool>,
}

/// The copy of the directory, and whether the hub has said that it is the newest.
#[derive(Debug)]
struct Known {
    copy: Arc<DirectoryCopy>,
    is_newest: bool,
}

impl Shared {
    /// Passes a named point.
    pub(crate) fn point(&self, name: &'static str) {
        (self.point)(name);
    }

    /// The copy of the directory.
    pub(crate) fn directory(&self) -> Arc<DirectoryCopy> {
        self.directory.read().copy.clone()
    }

    /// The copy of the directory, as long as the hub has said that it is the newest.
    pub(crate) fn newest_directory(&self) -> Option<Arc<DirectoryCopy>> {
        let known = self.directory.read();
        (known.is_newest && !known.copy.is_empty()).then(|| known.copy.clone())
    }

    /// Takes what the hub said: another copy, that this is the newest, or nothing.
    pub(crate) fn learn(&self, copy: Option<DirectoryCopy>, is_newest: bool) {
        let mut known = self.directory.write();
        if let Some(copy) = copy {
            known.copy = Arc::new(copy);
        }
        known.is_newest = is_newest;
    }

    /// The mailboxes to ask the hub for; none: all that the node serves.
    pub(crate) fn wanted(&self) -> Vec<AgencyCode> {
        match self.mailboxes.as_slice() {
            [] if !self.places.is_gateway() => vec![self.places.own().clone()],
            wanted => wanted.to_vec(),
        }
    }

    /// Whether the connector is to end.
    pub(crate) fn is_stopping(&self) -> bool {
        *self.stopping.borrow()
    }

    /// Waits until the connector is to end.
    pub(crate) async fn stopped(&self) {
        let mut stopping = self.stopping.clone();
        // The sender gone is a connector gone.
        let _ = stopping.wait_for(|stopping| *stopping).await;
    }

    /// Waits, at most until the connector is to end; says whether it is.
    pub(crate) async fn pause(&self, span: Duration) -> bool {
        tokio::select! {
            () = tokio::time::sleep(span) => self.is_stopping(),
            () = self.stopped() => true,
        }
    }
}

/// Why a connector does not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// Another connector works in the folder.
    #[error("another connector works in `{}`", .0.display())]
    InUse(PathBuf),
    /// A folder or note cannot be made or read.
    #[error(transparent)]
    Disk(#[from] DiskError),
    /// Key and certificate do not fit, or a root cannot be used.
    #[error(transparent)]
    Endpoint(#[from] EndpointError),
    /// A revocation list cannot be relied on.
    #[error(transparent)]
    Roots(#[from] DocumentCheckError),
    /// The token or secret cannot be made or read.
    #[error(transparent)]
    Secret(#[from] SecretError),
    /// The webhook's address or roots cannot be used.
    #[error(transparent)]
    Webhook(#[from] WebhookError),
    /// The address of the HTTP API cannot be listened on.
    #[error("cannot listen on {address}: {source}")]
    Listen {
        /// Which.
        address: SocketAddr,
        /// What the system said.
        source: std::io::Error,
    },
}

/// A running connector. Its tasks end with it.
#[derive(Debug)]
pub struct Connector {
    shared: Arc<Shared>,
    stop: watch::Sender<bool>,
    tasks: JoinSet<()>,
    http: Option<SocketAddr>,
    _lock: File,
}

impl Connector {
    /// Starts a connector: makes its folders, tries the hub once, and works from then on whether the
    /// hub answers or not. Whatever was under way when it last ended goes on.
    ///
    /// # Errors
    /// [`StartError`].
    pub async fn start(settings: Settings) -> Result<Self, StartError> {
        let places = Places::new(&settings.root, settings.agency.clone(), settings.gateway);
        places.make()?;
        let lock = lock(&places)?;
        if let Err(error) = http::sweep(&places) {
            tracing::warn!(%error, "unfinished submissions are left behind");
        }
        let webhook = settings.webhook.as_ref().map(Webhook::new).transpose()?;
        let (stop, stopping) = watch::channel(false);
        let shared = Arc::new(Shared {
            mailboxes: settings.mailboxes,
            link: Link::new(settings.endpoint, settings.clock),
            keyring: settings.keyring,
            judge: Judge::new(&settings.roots)?,
            events: Events::new(places.note("webhook"), webhook.is_some())?,
            intake: Intake::new(&places.note("received"), settings.point)?,
            turns: Turns::default(),
            poll: settings.poll,
            point: settings.point,
            directory: RwLock::new(Known {
                copy: Arc::new(DirectoryCopy::read(&places.note("directory.json"))),
                is_newest: false,
            }),
            serving: Mutex::default(),
            nudge: [Notify::new(), Notify::new()],
            stopping,
            places,
        });
        shared.link.try_first().await?;
        let mut tasks = JoinSet::new();
        let http = match &settings.http {
            Some(http) => Some(http::start(http, shared.clone(), &mut tasks).await?),
            None => None,
        };
        tasks.spawn(outgoing::run(shared.clone(), Kind::Document));
        tasks.spawn(outgoing::run(shared.clone(), Kind::Report));
        tasks.spawn(incoming::run(shared.clone()));
        tasks.spawn(notices::run(shared.clone()));
        tasks.spawn(refresh::run(shared.clone()));
        if let Some(webhook) = webhook {
            tasks.spawn(webhook::run(webhook, shared.clone()));
        }
        Ok(Self { shared, stop, tasks, http, _lock: lock })
    }

    /// Returns the address of the HTTP API.
    pub fn http(&self) -> Option<SocketAddr> {
        self.http
    }

    /// Returns whether the hub answers.
    pub fn is_connected(&self) -> bool {
        self.shared.link.away().is_none()
    }

    /// Waits until a task ends that never should; it has panicked then.
    pub async fn failed(&mut self) {
        // Every task runs until the connector is stopped.
        let _ = self.tasks.join_next().await;
    }

    /// Ends the connector: takes nothing new, lets what is under way come to its end for at most
    /// `patience`. Whatever has none by then goes on at the next start.
    pub async fn stop(mut self, patience: Duration) {
        // Nobody listening is a connector that has ended already.
        let _ = self.stop.send(true);
        let ended = async { while self.tasks.join_next().await.is_some() {} };
        if tokio::time::timeout(patience, ended).await.is_err() {
            tracing::info!("what is under way goes on at the next start");
        }
    }
}

/// One connector at a time works in a folder. The lock ends with the process.
fn lock(places: &Places) -> Result<File, StartError> {
    let path = places.note("lock");
    let file = File::create(&path).map_err(DiskError::of("make", &path))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(StartError::InUse(places.root().to_owned())),
        Err(TryLockError::Error(error)) => Err(DiskError::of("lock", &path)(error).into()),
    }
}
