//! A hub that runs, and everybody connected to it.

use std::net::SocketAddr;
use std::path::PathBuf;

use lienthong_client::{Client, Reports, Signer, Submissions};
use lienthong_model::AgencyCode;
use lienthong_model::limits::STREAM_IN_FLIGHT_MAX;

use crate::error::BenchError;
use crate::process::HubProcess;
use crate::stage::{Cast, Keyring};

/// A hub that runs, and what may be asked about it.
#[derive(Debug, Clone)]
pub struct Target {
    /// `https://…`.
    pub url: String,
    /// Where it answers HTTP, for its counters.
    pub http: Option<SocketAddr>,
    /// Its process, on this machine.
    pub process: Option<u32>,
    /// A folder on the disk beside whose speed its own is read, and for files to upload.
    pub folder: PathBuf,
}

/// Everybody connected.
pub struct Scene {
    pub(crate) target: Target,
    pub(crate) senders: Vec<Sender>,
    pub(crate) recipients: Vec<Recipient>,
}

/// Somebody who sends.
pub(crate) struct Sender {
    pub code: AgencyCode,
    pub client: Client,
    pub stream: Submissions,
    pub seal: Signer,
}

/// Somebody who receives.
pub(crate) struct Recipient {
    pub code: AgencyCode,
    pub client: Client,
    pub reports: Reports,
    pub seal: Signer,
}

impl Target {
    /// A hub in a child process.
    pub fn of(hub: &HubProcess, folder: PathBuf) -> Self {
        Self { url: hub.url().to_owned(), http: hub.http(), process: Some(hub.id()), folder }
    }
}

impl Scene {
    /// Connects the senders and the first `recipients` of a cast, each by its own node.
    ///
    /// # Errors
    /// [`BenchError`] when somebody cannot connect, or the cast has fewer recipients.
    pub async fn connect(
        target: Target,
        keys: &Keyring,
        cast: &Cast,
        recipients: usize,
    ) -> Result<Self, BenchError> {
        let found = cast.recipients.len();
        let Some(named) = cast.recipients.get(..recipients) else {
            return Err(BenchError::TooFewRecipients { wanted: recipients, found });
        };
        let mut scene = Self { target, senders: Vec::new(), recipients: Vec::new() };
        for code in &cast.senders {
            let client = keys.connect(&scene.target.url, code).await?;
            let stream = client.submissions(STREAM_IN_FLIGHT_MAX);
            scene.senders.push(Sender {
                code: code.clone(),
                client,
                stream,
                seal: keys.seal(code)?,
            });
        }
        for code in named {
            let client = keys.connect(&scene.target.url, code).await?;
            let reports = client.reports(STREAM_IN_FLIGHT_MAX);
            scene.recipients.push(Recipient {
                code: code.clone(),
                client,
                reports,
                seal: keys.seal(code)?,
            });
        }
        Ok(scene)
    }

    /// The hub that it is connected to.
    pub fn target(&self) -> &Target {
        &self.target
    }
}
