//! What a hub is started with, in the form in which it is used. Reading it from flags, environment
//! and files is the binary's business.

use std::fmt;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

use bytes::Bytes;
use lienthong_core::RoutingRules;
use lienthong_ledger::{UploadLimits, free_space};
use lienthong_model::AgencyEntry;
use lienthong_model::limits::{SPACE_HARD_BYTES, SPACE_SOFT_BYTES, SPACE_SOFT_SHARE};

use crate::clock::Clock;
use crate::list_files::ListFiles;
use crate::rate::Rates;
use crate::space::{Probe, SpaceMarks};
use crate::tls::ServerIdentity;

/// What a hub is started with. Everything that judgement reads becomes commands in the journal;
/// what the journal has already is not entered again.
#[derive(Debug)]
pub struct Settings {
    /// The data folder; made when it is not there.
    pub data: PathBuf,
    /// Where to listen; port 0 takes a free one.
    pub listen: SocketAddr,
    /// Where to answer HTTP; port 0 takes a free one, `None` answers nowhere.
    pub http: Option<HttpAddress>,
    /// Business time.
    pub clock: Clock,
    /// The hub's certificate and key.
    pub identity: ServerIdentity,
    /// Roots to trust, in DER.
    pub roots: Vec<Bytes>,
    /// Issuing authorities to know beside the roots, in DER.
    pub authorities: Vec<Bytes>,
    /// Revocation lists, in DER; one that is older than the list in force is passed over.
    pub revocation_lists: Vec<Bytes>,
    /// Files of revocation lists, read now and again while the hub runs.
    pub list_files: ListFiles,
    /// How fast one agency may ask.
    pub rates: Rates,
    /// The directory to begin with; passed over when there is one already.
    pub directory: Option<DirectoryImport>,
    /// Routing rules; `None` leaves those in force.
    pub rules: Option<RoutingRules>,
    /// Bounds of what is on the disk.
    pub storage: StorageSettings,
}

/// Bounds of what is on the disk.
#[derive(Clone)]
pub struct StorageSettings {
    /// When the hub takes less for want of disk space.
    pub marks: SpaceMarks,
    /// How disk space is found out. Tests play a full disk with it.
    pub probe: Probe,
    /// Bounds of uploads that no document has named yet.
    pub uploads: UploadLimits,
}

impl Default for StorageSettings {
    /// 2 GiB or 5 %, 256 MiB, the space of the file system, and the bounds of
    /// [`lienthong_model::limits`].
    fn default() -> Self {
        let marks = SpaceMarks {
            soft_bytes: SPACE_SOFT_BYTES,
            soft_share: SPACE_SOFT_SHARE,
            hard_bytes: SPACE_HARD_BYTES,
        };
        Self { marks, probe: Arc::new(free_space), uploads: UploadLimits::default() }
    }
}

impl StorageSettings {
    /// Marks for a folder that lives for one run only: a hub that is to make no large ballast.
    pub fn short_lived() -> Self {
        let marks =
            SpaceMarks { hard_bytes: 1 << 20, soft_bytes: 64 << 20, ..Self::default().marks };
        Self { marks, ..Self::default() }
    }
}

impl fmt::Debug for StorageSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { marks, uploads, probe: _ } = self;
        f.debug_struct("StorageSettings")
            .field("marks", marks)
            .field("uploads", uploads)
            .finish_non_exhaustive()
    }
}

/// Where the HTTP port listens: on loopback, or anywhere with TLS. Elsewhere than on loopback the
/// hub needs accounts, too.
#[derive(Debug)]
pub struct HttpAddress {
    address: SocketAddr,
    /// What browsers take: a certificate with an ECDSA P-256 key.
    identity: Option<ServerIdentity>,
}

/// An address that other machines could reach, without TLS.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not on loopback: what goes over a network needs TLS")]
pub struct NotLoopback(pub SocketAddr);

impl HttpAddress {
    /// Takes an address on loopback.
    ///
    /// # Errors
    /// [`NotLoopback`].
    pub fn new(address: SocketAddr) -> Result<Self, NotLoopback> {
        let ours = address.ip().is_loopback();
        if ours { Ok(Self { address, identity: None }) } else { Err(NotLoopback(address)) }
    }

    /// Takes any address, with a certificate for TLS.
    pub fn with_tls(address: SocketAddr, identity: ServerIdentity) -> Self {
        Self { address, identity: Some(identity) }
    }

    /// Returns the address.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Returns what TLS is spoken with.
    pub(crate) fn into_identity(self) -> Option<ServerIdentity> {
        self.identity
    }
}

/// A directory to begin with.
#[derive(Debug, Clone)]
pub struct DirectoryImport {
    /// What it is called in the journal.
    pub source: String,
    /// Its entries.
    pub entries: Vec<AgencyEntry>,
}
