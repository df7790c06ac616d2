//! What a hub is started with, in the form in which it is used. Reading it from flags, environment
//! and files is the binary's business.

use std::net::SocketAddr;
use std::path::PathBuf;

use bytes::Bytes;
use lienthong_core::RoutingRules;
use lienthong_model::AgencyEntry;

use crate::clock::Clock;
use crate::list_files::ListFiles;
use crate::tls::ServerIdentity;

/// What a hub is started with. Everything that judgement reads becomes commands in the journal;
/// what the journal has already is not entered again.
#[derive(Debug)]
pub struct Settings {
    /// The data folder; made when it is not there.
    pub data: PathBuf,
    /// Where to listen; port 0 takes a free one.
    pub listen: SocketAddr,
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
    /// The directory to begin with; passed over when there is one already.
    pub directory: Option<DirectoryImport>,
    /// Routing rules; `None` leaves those in force.
    pub rules: Option<RoutingRules>,
}

/// A directory to begin with.
#[derive(Debug, Clone)]
pub struct DirectoryImport {
    /// What it is called in the journal.
    pub source: String,
    /// Its entries.
    pub entries: Vec<AgencyEntry>,
}
