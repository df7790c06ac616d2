//! What a connector is started with.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use lienthong_client::{ClockSource, Endpoint, Roots};
use lienthong_model::AgencyCode;

use crate::keys::Keyring;

/// A place in the work that a test may want to know of; called with its name.
pub type Point = fn(&'static str);

/// What a connector is started with. Files that are named here are read by whoever starts it.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The folder that holds all others.
    pub root: PathBuf,
    /// The agency that the node's certificate names.
    pub agency: AgencyCode,
    /// Whether it serves other agencies too: each has folders of its own then.
    pub gateway: bool,
    /// The mailboxes wanted; none: the agency's own, for a gateway all that its node serves.
    pub mailboxes: Vec<AgencyCode>,
    /// How the hub is reached.
    pub endpoint: Endpoint,
    /// The clock before the hub was reached.
    pub clock: ClockSource,
    /// Whom received documents are verified against.
    pub roots: Roots,
    /// With which keys documents and reports are signed.
    pub keyring: Keyring,
    /// The local HTTP API; `None`: there is none.
    pub http: Option<HttpSettings>,
    /// Whom to tell what arrives; `None`: nobody.
    pub webhook: Option<WebhookSettings>,
    /// How often the folders are looked into. Default 1 s. Too low keeps a network share busy; too
    /// high delays what is sent.
    pub poll: Duration,
    /// Called at named points of the work, for tests that kill the process there.
    pub point: Point,
}

/// The local HTTP API.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HttpSettings {
    /// Where it listens; port 0 takes a free one.
    pub listen: SocketAddr,
    /// The file of the bearer token; made at the first start.
    pub token: PathBuf,
}

/// Whom to tell what arrives.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WebhookSettings {
    /// `http://` or `https://`.
    pub url: String,
    /// The file of the secret with which the body is authenticated; made at the first start.
    pub secret: PathBuf,
    /// Root certificates for an `https` address, in PEM.
    pub roots: String,
}
