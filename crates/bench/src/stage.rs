//! What a hub that is to be measured is started with: a directory, a PKI grown from a seed, and the
//! folder that has both.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use lienthong_client::{Client, Endpoint, Identity, Retry, Roots, Signer};
use lienthong_model::{
    AgencyCode, AgencyEntry, AgencyState, Day, Level, SignaturePolicy, Timestamp,
};
use lienthong_pki::{
    Authority, Folder, Identity as Issued, KeyError, Profile, SecretKey, Serial, TestPki, Validity,
};

use crate::error::BenchError;

/// The body that runs the hub.
const HUB: &str = "G22";
const DAY: Duration = Duration::from_secs(24 * 3600);
/// How long a client waits for the hub.
const PATIENCE: Duration = Duration::from_secs(30);

/// Who writes to whom.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cast {
    /// Who sends.
    pub senders: Vec<AgencyCode>,
    /// Who receives, each by its own node. A document goes to the first ones.
    pub recipients: Vec<AgencyCode>,
}

/// Makes identities that a hub trusts, by the key of its issuing authority.
#[derive(Debug, Clone)]
pub struct Keyring {
    root: bytes::Bytes,
    issuing: Authority,
    seed: [u8; 32],
    validity: Validity,
}

/// A folder from which a hub can be started.
#[derive(Debug)]
pub struct Stage {
    /// Who writes to whom.
    pub cast: Cast,
    /// Their keys.
    pub keys: Keyring,
    folder: PathBuf,
}

impl Cast {
    /// Senders `H01`, `H02` …, and recipients `H01.R1`, `H01.R2` …
    ///
    /// # Errors
    /// [`BenchError::Code`], not seen for numbers of up to six digits.
    pub fn numbered(senders: usize, recipients: usize) -> Result<Self, BenchError> {
        let senders = (1..=senders).map(|n| code(&format!("H{n:02}")));
        let recipients = (1..=recipients).map(|n| code(&format!("H01.R{n}")));
        let senders = senders.collect::<Result<_, _>>()?;
        Ok(Self { senders, recipients: recipients.collect::<Result<_, _>>()? })
    }
}

impl Keyring {
    /// Reads the authorities of a folder that `lienthong pki` made.
    ///
    /// # Errors
    /// [`BenchError::Pki`] when there is none.
    pub fn of_folder(path: &Path) -> Result<Self, BenchError> {
        let folder = Folder::open(path)?;
        let root = folder.root().certificate().der().clone();
        let validity = Validity { not_before: now().minus(DAY), not_after: now().plus(2 * DAY) };
        Ok(Self { root, issuing: folder.issuing().clone(), seed: rand::random(), validity })
    }

    /// Connects as an agency's node.
    ///
    /// # Errors
    /// [`BenchError::Connect`], or what is wrong with the address.
    pub async fn connect(&self, url: &str, agency: &AgencyCode) -> Result<Client, BenchError> {
        let retry = Retry { total: PATIENCE, ..Retry::default() };
        self.connect_by(url, agency, retry).await
    }

    /// The same; calls are not tried again.
    ///
    /// # Errors
    /// As there.
    pub async fn connect_once(&self, url: &str, agency: &AgencyCode) -> Result<Client, BenchError> {
        let retry = Retry { total: Duration::ZERO, ..Retry::default() };
        self.connect_by(url, agency, retry).await
    }

    async fn connect_by(
        &self,
        url: &str,
        agency: &AgencyCode,
        retry: Retry,
    ) -> Result<Client, BenchError> {
        let endpoint = self.endpoint(url, agency)?.retry(retry);
        let connected = Client::connect(endpoint).await;
        connected.map_err(|source| BenchError::Connect { agency: agency.to_string(), source })
    }

    /// How an agency's node reaches a hub.
    fn endpoint(&self, url: &str, agency: &AgencyCode) -> Result<Endpoint, BenchError> {
        let node = self.issue(&Profile::Node { agency: agency.clone() })?;
        let chain = vec![node.certificate.der().clone(), self.issuing.certificate().der().clone()];
        let identity = Identity::new(chain, &node.key.to_pkcs8_der())?;
        let roots = Roots::new([self.root.clone()])?;
        Ok(Endpoint::new(url, identity, roots)?.wait_for_hub(PATIENCE))
    }

    /// The seal of an agency.
    ///
    /// # Errors
    /// [`BenchError::Issue`], not seen for a code that parsed.
    pub fn seal(&self, agency: &AgencyCode) -> Result<Signer, BenchError> {
        let seal = self.issue(&Profile::Seal { agency: agency.clone() })?;
        let issuers = vec![self.issuing.certificate().der().clone()];
        Ok(Signer::new(seal.certificate, issuers, seal.key.to_signing_key())?)
    }

    fn issue(&self, profile: &Profile) -> Result<Issued, BenchError> {
        let key = SecretKey::derive(&self.seed, &profile.key_label());
        // A derived key is never a weak one.
        let public = key.public_key().map_err(KeyError::from)?;
        let certificate = self.issuing.issue(profile, &public, self.validity, Serial::Derived)?;
        Ok(Issued { certificate: Arc::new(certificate), key })
    }
}

impl Stage {
    /// Writes a PKI and a directory into a folder: the cast, and `more` communes that have no node
    /// and only receive, `H01.C1` and on.
    ///
    /// # Errors
    /// [`BenchError`] when a file cannot be written.
    pub fn write(folder: &Path, cast: Cast, more: usize) -> Result<Self, BenchError> {
        let validity = Validity { not_before: now().minus(DAY), not_after: now().plus(10 * DAY) };
        let seed = [42; 32];
        let pki = TestPki::new(seed, validity)?;
        let (root, issuing) = (pki.root().clone(), pki.issuing().clone());
        let keys = Keyring {
            root: root.certificate().der().clone(),
            issuing: issuing.clone(),
            seed,
            validity,
        };
        let path = folder.join("pki");
        let kept = Folder::adopt(&path, root, issuing, now().minus(DAY), now().plus(DAY))?;
        let hub = Profile::Hub { agency: code(HUB)?, names: vec!["127.0.0.1".to_owned()] };
        kept.keep_identity(&hub, &pki.identity(&hub)?)?;
        let path = folder.join("agencies.csv");
        let file = File::create(&path).map_err(BenchError::file(&path))?;
        let entries = entries(&cast, more)?;
        lienthong_country::write_csv(file, &entries).map_err(|error| BenchError::File {
            path,
            source: std::io::Error::other(error.to_string()),
        })?;
        Ok(Self { cast, keys, folder: folder.to_owned() })
    }

    /// The PKI's folder.
    pub fn pki(&self) -> PathBuf {
        self.folder.join("pki")
    }

    /// The directory's file.
    pub fn directory(&self) -> PathBuf {
        self.folder.join("agencies.csv")
    }
}

/// The communes that only receive.
pub(crate) fn communes(count: usize) -> Result<Vec<AgencyCode>, BenchError> {
    (1..=count).map(|n| code(&format!("H01.C{n}"))).collect()
}

fn entries(cast: &Cast, more: usize) -> Result<Vec<AgencyEntry>, BenchError> {
    let entry = |code: &AgencyCode, level: Level, above: Option<&AgencyCode>| AgencyEntry {
        code: code.clone(),
        name: format!("Cơ quan {code}"),
        level,
        parent: above.cloned(),
        province: match level {
            Level::Ministry => None,
            _ => Some(above.unwrap_or(code).clone()),
        },
        from: Day(0),
        until: None,
        state: AgencyState::Connected,
        policy: SignaturePolicy::Transition,
        gateway: None,
    };
    let first = cast.senders.first();
    let mut entries = vec![entry(&code(HUB)?, Level::Ministry, None)];
    entries.extend(cast.senders.iter().map(|code| entry(code, Level::Province, None)));
    entries.extend(cast.recipients.iter().map(|code| entry(code, Level::Commune, first)));
    entries.extend(communes(more)?.iter().map(|code| entry(code, Level::Commune, first)));
    Ok(entries)
}

fn code(text: &str) -> Result<AgencyCode, BenchError> {
    AgencyCode::parse(text).map_err(|_| BenchError::Code(text.to_owned()))
}

/// The machine's time.
fn now() -> Timestamp {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Timestamp::from_millis(0).plus(since)
}
