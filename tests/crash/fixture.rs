//! What stays the same from one process of the hub to the next: folder, address, keys, directory.

use std::net::{SocketAddr, TcpListener};
use std::path::PathBuf;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use lienthong_client::{Client, Endpoint, Retry, Roots, Signer};
use lienthong_model::{
    AgencyCode, AgencyEntry, AgencyState, Day, Level, SignaturePolicy, Timestamp,
};
use lienthong_pki::{Folder, Identity, Profile, TestPki, Validity};
use tempfile::TempDir;

use crate::PATIENCE;

/// The agencies, each with a node of its own.
pub const AGENCIES: [&str; 4] = ["G22", "H34", "H36", "H36.12"];

/// Everything outside of the process.
pub struct Fixture {
    pub pki: TestPki,
    pub address: SocketAddr,
    folder: TempDir,
}

/// Parses a code.
pub fn code(text: &str) -> AgencyCode {
    AgencyCode::parse(text).unwrap()
}

/// The machine's time.
pub fn now() -> Timestamp {
    Timestamp::from_millis(0).plus(SystemTime::now().duration_since(UNIX_EPOCH).unwrap())
}

/// The province of an agency; none for the centre.
pub fn province(agency: &str) -> Option<AgencyCode> {
    (!agency.starts_with('G')).then(|| code(&agency[..3]))
}

/// The directory.
pub fn directory() -> Vec<AgencyEntry> {
    let entry = |text: &&str| AgencyEntry {
        code: code(text),
        name: format!("Cơ quan {text}"),
        level: if text.starts_with('G') { Level::Ministry } else { Level::Province },
        parent: text.contains('.').then(|| code(&text[..3])),
        province: province(text),
        from: Day(0),
        until: None,
        state: AgencyState::Connected,
        policy: SignaturePolicy::Transition,
        gateway: None,
    };
    AGENCIES.iter().map(entry).collect()
}

/// The directory, and so many communes of H34, `H34.C0` and on, that H34 serves.
pub fn directory_with_communes(count: usize) -> Vec<AgencyEntry> {
    let mut all = directory();
    let like = all.iter().find(|entry| entry.code == code("H34")).cloned().unwrap();
    all.extend((0..count).map(|n| AgencyEntry {
        code: code(&format!("H34.C{n}")),
        name: format!("Ủy ban nhân dân xã {n}"),
        level: Level::Commune,
        parent: Some(code("H34")),
        gateway: Some(code("H34")),
        ..like.clone()
    }));
    all
}

fn hub_profile() -> Profile {
    Profile::Hub { agency: code("G22"), names: vec!["127.0.0.1".to_owned()] }
}

impl Fixture {
    /// Makes a folder with a PKI and a directory for the binary, and finds a free port.
    pub fn new() -> Self {
        Self::with(directory())
    }

    /// The same with another directory.
    pub fn with(directory: Vec<AgencyEntry>) -> Self {
        let day = Duration::from_secs(24 * 3600);
        let validity = Validity { not_before: now().minus(day), not_after: now().plus(10 * day) };
        let pki = TestPki::new([21; 32], validity).unwrap();
        let folder = tempfile::tempdir().unwrap();
        let (root, issuing) = (pki.root().clone(), pki.issuing().clone());
        let path = folder.path().join("pki");
        let kept = Folder::adopt(&path, root, issuing, now().minus(day), now().plus(day)).unwrap();
        kept.keep_identity(&hub_profile(), &pki.identity(&hub_profile()).unwrap()).unwrap();
        let file = std::fs::File::create(folder.path().join("agencies.csv")).unwrap();
        lienthong_country::write_csv(file, &directory).unwrap();
        let free = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = free.local_addr().unwrap();
        Self { pki, address, folder }
    }

    /// The data folder.
    pub fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    /// A file or folder beside it.
    pub fn beside(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// The hub's identity.
    pub fn hub(&self) -> Identity {
        self.pki.identity(&hub_profile()).unwrap()
    }

    /// The seal of an agency.
    pub fn seal(&self, agency: &str) -> Signer {
        let seal = self.pki.seal(&code(agency)).unwrap();
        let issuers = vec![self.pki.issuing().certificate().der().clone()];
        Signer::new(seal.certificate.clone(), issuers, seal.key.to_signing_key()).unwrap()
    }

    /// Connects as an agency; calls are tried again for as long as `total` says.
    pub async fn client(&self, agency: &str, total: Duration) -> Client {
        let node = self.pki.node(&code(agency)).unwrap();
        let issuing = self.pki.issuing().certificate().der().clone();
        let chain = vec![node.certificate.der().clone(), issuing];
        let key = node.key.to_pkcs8_der();
        let identity = lienthong_client::Identity::new(chain, &key).unwrap();
        let roots = Roots::new([self.pki.root().certificate().der().clone()]).unwrap();
        let (first, pause_max) = (Duration::from_millis(5), Duration::from_millis(50));
        let endpoint = Endpoint::new(&format!("https://{}", self.address), identity, roots)
            .unwrap()
            .retry(Retry { total, first, pause_max })
            .wait_for_hub(PATIENCE);
        Client::connect(endpoint).await.unwrap()
    }

    /// Connects as every agency, in the order of [`AGENCIES`].
    pub async fn clients(&self) -> Vec<Client> {
        let mut clients = Vec::new();
        for agency in AGENCIES {
            clients.push(self.client(agency, PATIENCE).await);
        }
        clients
    }
}
