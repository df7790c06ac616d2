//! Connectors of a world's agencies, each in a folder of its own.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Condvar, Mutex};
use std::time::Duration;

use lienthong_client::{ClockSource, Retry, Roots};
use lienthong_connector::{Connector, HttpSettings, Keyring, Settings, SigningKeys};
use lienthong_pki::TestPki;
use serde_json::Value;
use tempfile::TempDir;

use crate::harness::{PATIENCE, World, code, until};

/// Holds whoever passes it first until it is opened. A point is a plain function, so every test that
/// holds somebody has a gate of its own.
pub(crate) struct Gate {
    state: Mutex<Passed>,
    opened: Condvar,
}

struct Passed {
    count: usize,
    open: bool,
}

impl Gate {
    pub(crate) const fn new() -> Self {
        let state = Mutex::new(Passed { count: 0, open: false });
        Self { state, opened: Condvar::new() }
    }

    /// Passes, on a thread that may wait; for longer than any test does, nobody waits.
    pub(crate) fn pass(&self) {
        let mut state = self.state.lock().unwrap();
        state.count += 1;
        if state.count == 1 {
            let held = |state: &mut Passed| !state.open;
            drop(self.opened.wait_timeout_while(state, 2 * PATIENCE, held).unwrap());
        }
    }

    pub(crate) fn open(&self) {
        self.state.lock().unwrap().open = true;
        self.opened.notify_all();
    }

    /// How often it was passed.
    pub(crate) fn passed(&self) -> usize {
        self.state.lock().unwrap().count
    }
}

/// A connector and its folder.
pub(crate) struct Desk {
    pub folder: TempDir,
    pub settings: Settings,
    pub connector: Option<Connector>,
}

/// The roots that a PKI's holders trust.
pub(crate) fn roots(pki: &TestPki) -> Roots {
    let roots = Roots::new([pki.root().certificate().der().clone()]).unwrap();
    roots.with_authority(pki.issuing().certificate().der().clone()).unwrap()
}

fn nowhere(_: &'static str) {}

impl Desk {
    /// Prepares a connector of an agency with its seal.
    pub(crate) fn prepare(world: &World, agency: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let node = world.node(agency);
        let quick = Retry {
            total: Duration::from_millis(300),
            first: Duration::from_millis(20),
            pause_max: Duration::from_millis(100),
        };
        let settings = Settings {
            root: folder.path().to_owned(),
            agency: code(agency),
            gateway: false,
            mailboxes: Vec::new(),
            endpoint: world.endpoint(&node).retry(quick),
            clock: ClockSource::Real,
            roots: roots(&world.pki),
            keyring: Keyring {
                own: SigningKeys { seal: Some(world.seal(agency)), persons: Vec::new() },
                ..Keyring::default()
            },
            http: None,
            webhook: None,
            poll: Duration::from_millis(50),
            point: nowhere,
        };
        Self { folder, settings, connector: None }
    }

    /// A running connector of an agency with its seal.
    pub(crate) async fn of(world: &World, agency: &str) -> Self {
        let mut desk = Self::prepare(world, agency);
        desk.start().await;
        desk
    }

    /// A running connector with an HTTP API; its address and token.
    pub(crate) async fn with_http(world: &World, agency: &str) -> (Self, crate::client::Http) {
        let mut desk = Self::prepare(world, agency);
        let token = desk.path("http.token");
        let listen = "127.0.0.1:0".parse().unwrap();
        desk.settings.http = Some(HttpSettings { listen, token: token.clone() });
        desk.start().await;
        let address = desk.connector.as_ref().unwrap().http().unwrap();
        let token = fs::read_to_string(token).unwrap().trim().to_owned();
        (desk, crate::client::Http { address, token })
    }

    pub(crate) async fn start(&mut self) {
        self.connector = Some(Connector::start(self.settings.clone()).await.unwrap());
    }

    pub(crate) async fn stop(&mut self) {
        self.connector.take().unwrap().stop(Duration::from_secs(10)).await;
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Puts a document's folder into a folder: written under another name, then renamed.
    pub(crate) fn put(&self, place: &str, header: &str, files: &[(&str, &[u8])]) {
        let place = self.path(place);
        let unfinished = place.with_file_name(".unfinished");
        fs::create_dir_all(&unfinished).unwrap();
        fs::write(unfinished.join("document.toml"), header).unwrap();
        for (name, bytes) in files {
            fs::write(unfinished.join(name), bytes).unwrap();
        }
        fs::rename(unfinished, place).unwrap();
    }

    /// Waits until there is something at a path.
    pub(crate) async fn appears(&self, name: &str) -> PathBuf {
        let path = self.path(name);
        until(name, async || path.exists()).await;
        path
    }

    /// Waits until a folder has an entry; returns it.
    pub(crate) async fn first(&self, folder: &str) -> PathBuf {
        let folder = self.path(folder);
        until(&folder.display().to_string(), async || !entries(&folder).is_empty()).await;
        entries(&folder).remove(0)
    }

    /// Waits for a note of the connector in a document's folder.
    pub(crate) async fn note(&self, folder: &str, name: &str) -> Value {
        json(&self.appears(&format!("{folder}/_lienthong/{name}")).await)
    }
}

/// What is complete in a folder, by name.
pub(crate) fn entries(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.path()).collect();
    paths.retain(|path| !path.file_name().unwrap().to_string_lossy().starts_with('.'));
    paths.sort();
    paths
}

/// Reads a JSON file.
pub(crate) fn json(path: &Path) -> Value {
    serde_json::from_slice(&fs::read(path).unwrap()).unwrap()
}
