//! A hub in this process, on an accelerated clock, with the PKI of a scenario.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Weak};

use lienthong_client::ClockSource;
use lienthong_hub::{
    Clock, DirectoryImport, Hub, ListFiles, Rates, ServerIdentity, Settings, StorageSettings,
};
use lienthong_model::{AgencyCode, AgencyEntry, Timestamp};
use lienthong_pki::{Folder, Profile, pem};
use lienthong_simulator::live::{Ground, HubControl, Live, Remembers};
use lienthong_simulator::scenario::{Country, Scenario};
use lienthong_simulator::verdict::Verdict;
use lienthong_simulator::world::{Keys, Played, Population};
use rustls_pki_types::{CertificateDer, PrivateKeyDer};

pub(crate) const SEED: u64 = 7;

pub(crate) fn code(text: &str) -> AgencyCode {
    AgencyCode::parse(text).unwrap()
}

pub(crate) fn country() -> Country {
    let mut regions: BTreeMap<String, Vec<_>> = BTreeMap::new();
    for province in lienthong_country::provinces().unwrap() {
        regions.entry(province.region.name().to_owned()).or_default().push(province.code);
    }
    Country { entries: lienthong_country::entries().unwrap(), regions }
}

/// Where everything of a hub lies; removed with it.
pub(crate) struct Site {
    pub folder: tempfile::TempDir,
    pub pki: Folder,
    pub start: Timestamp,
    pub rate: f64,
}

impl Site {
    /// A PKI of a scenario's keys with the certificate of a hub.
    pub(crate) fn new(keys: &Keys, start: Timestamp, rate: f64) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let names = vec!["localhost".to_owned(), "127.0.0.1".to_owned()];
        let hub = Profile::Hub { agency: code("G22"), names };
        let pki = keys.write(&folder.path().join("pki"), &hub).unwrap();
        Self { folder, pki, start, rate }
    }

    fn certificates(&self, path: &str) -> Vec<bytes::Bytes> {
        let text = std::fs::read_to_string(self.folder.path().join(path)).unwrap();
        let all = pem::decode_all(pem::CERTIFICATE, &text).unwrap();
        all.into_iter().map(Into::into).collect()
    }

    /// What a hub here is started with; `more` folders of PKIs that it relies on beside its own.
    pub(crate) fn settings(&self, entries: Vec<AgencyEntry>, more: &[&str]) -> Settings {
        let key = std::fs::read_to_string(self.folder.path().join("pki/agencies/G22/hub.key"));
        let key = pem::decode(pem::SECRET_KEY, &key.unwrap()).unwrap();
        let folders = [&["pki"], more].concat();
        let all = |name: &str| -> Vec<bytes::Bytes> {
            folders.iter().flat_map(|pki| self.certificates(&format!("{pki}/{name}.pem"))).collect()
        };
        let chain = self.certificates("pki/agencies/G22/hub.pem");
        Settings {
            data: self.folder.path().join("data"),
            listen: "127.0.0.1:0".parse().unwrap(),
            http: None,
            clock: Clock::Scenario { start: self.start, rate: self.rate },
            identity: ServerIdentity {
                chain: chain.iter().map(|der| CertificateDer::from(der.to_vec())).collect(),
                key: PrivateKeyDer::Pkcs8(key.into()),
            },
            roots: all("root"),
            authorities: all("issuing"),
            revocation_lists: Vec::new(),
            list_files: ListFiles {
                paths: folders.iter().map(|pki| self.folder.path().join(pki).join("crl")).collect(),
                ..ListFiles::default()
            },
            rates: Rates::default(),
            directory: Some(DirectoryImport { source: "test".to_owned(), entries }),
            rules: None,
            storage: StorageSettings::short_lived(),
        }
    }

    pub(crate) async fn hub(&self, entries: Vec<AgencyEntry>, more: &[&str]) -> Hub {
        Hub::start(self.settings(entries, more), |_, _| {}).await.unwrap()
    }

    pub(crate) fn clock(&self) -> ClockSource {
        ClockSource::scenario(self.start, self.rate)
    }
}

/// A hub of the scenario's own that can be told of lists; it lives in this process, which cannot be
/// killed: that is shown with the binary.
struct Told {
    low: Arc<AtomicBool>,
    crl: std::path::PathBuf,
    hub: Weak<Hub>,
    runtime: tokio::runtime::Handle,
}

impl HubControl for Told {
    fn process(&self) -> Option<u32> {
        None
    }

    fn kill(&mut self) -> std::io::Result<()> {
        Err(std::io::Error::other("it lives in this process"))
    }

    fn start(&mut self, _: Timestamp) -> std::io::Result<()> {
        Err(std::io::Error::other("it lives in this process"))
    }

    fn stop(&mut self) -> std::io::Result<()> {
        Ok(())
    }

    fn set_low(&mut self, low: bool) -> std::io::Result<()> {
        self.low.store(low, Ordering::Relaxed);
        Ok(())
    }

    fn enter_list(&mut self, list: &bytes::Bytes) -> std::io::Result<()> {
        let text = pem::encode(pem::REVOCATION_LIST, list).map_err(std::io::Error::other)?;
        std::fs::write(&self.crl, text)?;
        let hub = self.hub.upgrade().expect("it runs while it is played");
        let read = self.runtime.block_on(hub.read_revocation_lists());
        assert_eq!(read.failed.len(), 0, "{read:?}");
        Ok(())
    }
}

/// Plays a scenario live, on a hub of its own in this process; returns the verdict.
pub(crate) async fn play(scenario: &Scenario, rate: f64) -> Verdict {
    Run::of(scenario, rate).await.judge()
}

/// A scenario that was played live, and the hub of its own in this process, which still runs.
pub(crate) struct Run<'s> {
    scenario: &'s Scenario,
    pub played: Played,
    hub: Arc<Hub>,
    entries: Vec<AgencyEntry>,
    /// Goes last: the hub lies in it.
    site: Site,
}

impl<'s> Run<'s> {
    /// Plays a scenario.
    pub(crate) async fn of(scenario: &'s Scenario, rate: f64) -> Self {
        let country = country();
        let keys = Keys::new(SEED, scenario.begin(), scenario.end()).unwrap();
        // Offices open at half past seven.
        let start = scenario.begin().plus(std::time::Duration::from_secs(7 * 3_600));
        let site = Site::new(&keys, start, rate);
        let population = Population::of(scenario, &country).unwrap();
        let entries = population.directory(&country);
        let mut settings = site.settings(entries.clone(), &[]);
        let low = Arc::new(AtomicBool::new(false));
        let is_low = low.clone();
        let marks = settings.storage.marks;
        settings.storage.probe = Arc::new(move |_| {
            let available = match is_low.load(Ordering::Relaxed) {
                true => marks.hard_bytes * 3 / 2,
                false => u64::from(u32::MAX),
            };
            Ok(lienthong_ledger::Free { available, total: u64::from(u32::MAX) })
        });
        let hub = Arc::new(Hub::start(settings, |_, _| {}).await.unwrap());
        let control = Told {
            low,
            crl: site.folder.path().join("pki/crl/issuing.crl"),
            hub: Arc::downgrade(&hub),
            runtime: tokio::runtime::Handle::current(),
        };
        let url = format!("https://localhost:{}", hub.address().port());
        let ground = Ground { url, clock: site.clock(), control: Some(Box::new(control)) };
        let live = Live {
            country: &country,
            population,
            keys,
            seed: SEED,
            ground,
            from: scenario.begin(),
            stop: Arc::new(AtomicBool::new(false)),
            remembers: Remembers::Everything,
        };
        let played = tokio::task::block_in_place(|| {
            lienthong_simulator::live::play(scenario, live, None, |_| {}).unwrap()
        });
        Self { scenario, played, hub, entries, site }
    }

    /// The same, but at the hub's address there is one that has none of the documents.
    pub(crate) async fn on_an_empty_hub(self) -> Self {
        let Self { scenario, played, hub, entries, site } = self;
        let (listen, start) = (hub.address(), hub.now());
        Arc::into_inner(hub).expect("nobody else holds it").stop().await.unwrap();
        let settings = Settings {
            data: site.folder.path().join("empty"),
            listen,
            clock: Clock::Scenario { start, rate: site.rate },
            ..site.settings(entries.clone(), &[])
        };
        let hub = Arc::new(Hub::start(settings, |_, _| {}).await.unwrap());
        Self { scenario, played, hub, entries, site }
    }

    /// Judges it by what the hub says now.
    pub(crate) fn judge(&self) -> Verdict {
        tokio::task::block_in_place(|| Verdict::of(self.scenario, SEED, &self.played).unwrap())
    }
}
