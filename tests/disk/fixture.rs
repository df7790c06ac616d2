//! A hub's surroundings in a folder of their own: the ground of a crash campaign.

use std::path::{Path, PathBuf};
use std::time::Duration;

use lienthong_client::{Client, Signer};
pub use lienthong_simulator::crash::{AGENCIES, code, now};
use lienthong_simulator::crash::{Ground, directory};
use tempfile::TempDir;

/// Everything outside of the hub's process.
pub struct Fixture {
    ground: Ground,
    _folder: TempDir,
}

impl Fixture {
    pub fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let program = Path::new(env!("CARGO_BIN_EXE_lienthong"));
        let ground = Ground::new(folder.path(), program, &directory()).unwrap();
        Self { ground, _folder: folder }
    }

    /// Where the hub listens.
    pub fn address(&self) -> String {
        self.ground.address().to_string()
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
