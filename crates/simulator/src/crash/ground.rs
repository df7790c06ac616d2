//! What stays the same from one process of the hub to the next: folder, address, keys, directory.

use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use lienthong_client::{Client, DocumentCheck, Endpoint, Identity, Retry, Roots, Signer};
use lienthong_model::{
    AgencyCode, AgencyEntry, AgencyState, Day, Level, SignaturePolicy, Timestamp,
};
use lienthong_pki::{Folder, Profile, TestPki, Validity};

use super::PATIENCE;
use super::error::{CrashError, io_error};

/// Who takes part: the centre, two provinces, a department.
pub const AGENCIES: [&str; 4] = ["G22", "H36", "H36.12", "H34"];
const DAY: Duration = Duration::from_secs(24 * 3600);

/// The folder of a campaign, and whoever can make certificates that its hub trusts.
pub struct Ground {
    pki: TestPki,
    address: SocketAddr,
    folder: PathBuf,
    program: PathBuf,
}

/// Parses a code that is written here.
#[allow(clippy::expect_used, reason = "codes of the ground's own")]
pub fn code(text: &str) -> AgencyCode {
    AgencyCode::parse(text).expect("a code of the ground's own")
}

/// The machine's time.
pub fn now() -> Timestamp {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Timestamp::from_millis(0).plus(since)
}

/// The province of an agency; none for the centre.
pub(super) fn province(agency: &str) -> Option<AgencyCode> {
    let province = agency.split('.').next().unwrap_or(agency);
    (!agency.starts_with('G')).then(|| code(province))
}

fn entry(text: &str) -> AgencyEntry {
    AgencyEntry {
        code: code(text),
        name: format!("Cơ quan {text}"),
        level: if text.starts_with('G') { Level::Ministry } else { Level::Province },
        parent: if text.contains('.') { province(text) } else { None },
        province: province(text),
        from: Day(0),
        until: None,
        state: AgencyState::Connected,
        policy: SignaturePolicy::Transition,
        gateway: None,
    }
}

/// The directory of [`AGENCIES`].
pub fn directory() -> Vec<AgencyEntry> {
    AGENCIES.iter().map(|text| entry(text)).collect()
}

/// The directory, and so many communes of H34, `H34.C0` and on, that H34 serves.
pub fn directory_with_communes(count: usize) -> Vec<AgencyEntry> {
    let commune = |n| AgencyEntry {
        name: format!("Ủy ban nhân dân xã {n}"),
        level: Level::Commune,
        gateway: Some(code("H34")),
        ..entry(&format!("H34.C{n}"))
    };
    directory().into_iter().chain((0..count).map(commune)).collect()
}

impl Ground {
    /// Makes a PKI and a directory for the program in an existing folder, and finds a free port.
    ///
    /// # Errors
    /// [`CrashError`] when the folder cannot be written.
    pub fn new(
        folder: &Path,
        program: &Path,
        directory: &[AgencyEntry],
    ) -> Result<Self, CrashError> {
        let validity = Validity { not_before: now().minus(DAY), not_after: now().plus(10 * DAY) };
        let pki = TestPki::new([21; 32], validity)?;
        let (root, issuing) = (pki.root().clone(), pki.issuing().clone());
        let (from, until) = (now().minus(DAY), now().plus(10 * DAY));
        let kept = Folder::adopt(&folder.join("pki"), root, issuing, from, until)?;
        let names = vec!["127.0.0.1".to_owned()];
        let hub = Profile::Hub { agency: code("G22"), names };
        kept.keep_identity(&hub, &pki.identity(&hub)?)?;
        let path = folder.join("agencies.csv");
        let write = || lienthong_country::write_csv(std::fs::File::create(&path)?, directory);
        write().map_err(io_error("write", &path))?;
        let free = TcpListener::bind("127.0.0.1:0").and_then(|free| free.local_addr());
        let address = free.map_err(io_error("find a port beside", folder))?;
        Ok(Self { pki, address, folder: folder.to_owned(), program: program.to_owned() })
    }

    /// Returns the program that is the hub.
    pub fn program(&self) -> &Path {
        &self.program
    }

    /// Returns where the hub listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Returns the data folder.
    pub fn data(&self) -> PathBuf {
        self.folder.join("data")
    }

    /// Returns a file or folder beside it.
    pub fn beside(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    /// Returns the seal of an agency.
    ///
    /// # Errors
    /// [`CrashError`] when its certificate cannot be made.
    pub fn seal(&self, agency: &str) -> Result<Signer, CrashError> {
        let seal = self.pki.seal(&code(agency))?;
        let issuers = vec![self.pki.issuing().certificate().der().clone()];
        Ok(Signer::new(seal.certificate.clone(), issuers, seal.key.to_signing_key())?)
    }

    /// Returns the check that recipients make of what they receive.
    ///
    /// # Errors
    /// [`CrashError`] when it cannot be made.
    pub fn check(&self) -> Result<DocumentCheck, CrashError> {
        let issuing = self.pki.issuing().certificate().der().clone();
        Ok(DocumentCheck::new(&self.roots()?.with_authority(issuing)?)?)
    }

    fn roots(&self) -> Result<Roots, CrashError> {
        Ok(Roots::new([self.pki.root().certificate().der().clone()])?)
    }

    /// Connects as an agency; calls are tried again for as long as `total` says.
    ///
    /// # Errors
    /// [`CrashError`] when the hub cannot be reached within [`PATIENCE`].
    pub async fn client(&self, agency: &str, total: Duration) -> Result<Client, CrashError> {
        let node = self.pki.node(&code(agency))?;
        let issuing = self.pki.issuing().certificate().der().clone();
        let chain = vec![node.certificate.der().clone(), issuing];
        let identity = Identity::new(chain, &node.key.to_pkcs8_der())?;
        let (first, pause_max) = (Duration::from_millis(5), Duration::from_millis(50));
        let endpoint =
            Endpoint::new(&format!("https://{}", self.address), identity, self.roots()?)?
                .retry(Retry { total, first, pause_max })
                .wait_for_hub(PATIENCE);
        Ok(Client::connect(endpoint).await?)
    }

    /// Connects as every agency, in the order of [`AGENCIES`].
    ///
    /// # Errors
    /// As [`Ground::client`].
    pub async fn clients(&self) -> Result<Vec<Client>, CrashError> {
        let mut clients = Vec::new();
        for agency in AGENCIES {
            clients.push(self.client(agency, PATIENCE).await?);
        }
        Ok(clients)
    }
}
