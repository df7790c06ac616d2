//! A hub's surroundings in a temporary folder: what cannot be made fails the test.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use lienthong_client::{Client, Signer};
use lienthong_simulator::crash::Ground;
pub use lienthong_simulator::crash::{AGENCIES, code, now};
use tempfile::TempDir;

/// A [`Ground`] with the directory of [`AGENCIES`].
pub struct Fixture {
    pub address: SocketAddr,
    ground: Ground,
    _folder: TempDir,
}

impl Fixture {
    /// Makes the folder, the PKI and the directory, and finds a free port.
    pub fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let program = Path::new(env!("CARGO_BIN_EXE_lienthong"));
        let directory = lienthong_simulator::crash::directory();
        let ground = Ground::new(folder.path(), program, &directory).unwrap();
        Self { address: ground.address(), ground, _folder: folder }
    }

    /// The data folder.
    pub fn data(&self) -> PathBuf {
        self.ground.data()
    }

    /// A file or folder beside it.
    pub fn beside(&self, name: &str) -> PathBuf {
        self.ground.beside(name)
    }

    /// The seal of an agency.
    pub fn seal(&self, agency: &str) -> Signer {
        self.ground.seal(agency).unwrap()
    }

    /// Connects as an agency; calls are tried again for as long as `total` says.
    pub async fn client(&self, agency: &str, total: Duration) -> Client {
        self.ground.client(agency, total).await.unwrap()
    }
}
