//! Why a hub does not start, or has stopped.

use std::fmt;
use std::net::SocketAddr;

use lienthong_core::engine::EngineError;
use lienthong_model::Timestamp;

use crate::accounts::AccountsError;
use crate::log_key::LogKeyError;
use crate::open_folder::AdministerError;

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
    /// The accounts cannot be read.
    #[error(transparent)]
    Accounts(#[from] AccountsError),
    /// The HTTP port would be open to a network, and nobody has an account.
    #[error("nobody has an account, so the HTTP port answers on loopback only, not on {0}")]
    NoAccounts(SocketAddr),
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
    /// The server, or another part of the hub, ended by itself.
    #[error("the server ended: {0}")]
    Server(String),
    /// The hub failed while it ran: in a read or write, or the sequencer ended without a word.
    #[error("the hub has failed: {0}")]
    Failed(String),
}

impl StartError {
    pub(super) fn of_list(named: impl fmt::Display, why: impl fmt::Display) -> Self {
        Self::Trust { what: "a revocation list", why: format!("`{named}`: {why}") }
    }
}
