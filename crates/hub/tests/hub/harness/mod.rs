//! A hub in this process on a temporary folder, with real TLS, and the agencies that speak to it.
//!
//! ```text
//!  G22   centre, own node            H34        province, own node, gateway of those below
//!  H36   province, own node          H34.05     its department      ┐
//!  H36.12     its department         H34.40     a district          │ served by H34
//!  H36.30     a district             H34.40.01  a commune           ┘
//!  H36.30.05  a commune              H01 held    H02 suspended
//! ```
//! Every agency's seal is enough, but for G22, which needs a person's signature.

#![allow(dead_code, reason = "every test file uses another part of the harness")]

pub mod raw;
pub mod web;

use std::net::SocketAddr;
use std::path::Path;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use lienthong_client::{Client, Delivery, Endpoint, Retry, Roots, Signer, Subscription};
use lienthong_client::{sign_document, sign_report};
use lienthong_hub::{
    Clock, DirectoryImport, HttpAddress, Hub, ListFiles, Rates, ServerIdentity, Settings,
    StartError, StorageSettings,
};
use lienthong_model::{
    AgencyCode, AgencyEntry, AgencyState, Attachment, AttachmentEntry, Day, Document, Level,
    MessageId, Reason, SignaturePolicy, SignedContent, StatusCode, StatusReport, Timestamp,
};
use lienthong_pki::{Identity, Profile, TestPki, Validity};
use lienthong_trust::Revoked;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tempfile::TempDir;

/// How long a test waits for something that must come.
pub const PATIENCE: Duration = Duration::from_secs(20);

/// A hub, its folder, and whoever can make certificates that it trusts.
pub struct World {
    pub pki: TestPki,
    pub folder: TempDir,
    pub address: SocketAddr,
    hub: Option<Hub>,
}

/// Parses a code.
pub fn code(text: &str) -> AgencyCode {
    AgencyCode::parse(text).unwrap()
}

/// The machine's time.
pub fn now() -> Timestamp {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    Timestamp::from_millis(0).plus(since)
}

/// A span of days.
pub fn days(days: u64) -> Duration {
    Duration::from_secs(days * 24 * 3600)
}

/// A validity around now.
pub fn validity() -> Validity {
    Validity { not_before: now().minus(days(400)), not_after: now().plus(days(3650)) }
}

/// The small directory.
pub fn directory() -> Vec<AgencyEntry> {
    let entry = |text: &str, name: &str, level: Level, parent: Option<&str>| AgencyEntry {
        code: code(text),
        name: name.to_owned(),
        level,
        parent: parent.map(code),
        province: (!text.starts_with('G')).then(|| code(&text[..3])),
        from: Day(0),
        until: None,
        state: match text {
            "H01" => AgencyState::Held,
            "H02" => AgencyState::Suspended,
            _ => AgencyState::Connected,
        },
        policy: match text {
            "G22" => SignaturePolicy::Required,
            _ => SignaturePolicy::Transition,
        },
        gateway: (text.starts_with("H34.")).then(|| code("H34")),
    };
    vec![
        entry("G22", "Văn phòng Chính phủ", Level::Ministry, None),
        entry("H36", "Ủy ban nhân dân tỉnh Lâm Đồng", Level::Province, None),
        entry("H36.12", "Sở Thông tin và Truyền thông Lâm Đồng", Level::Province, Some("H36")),
        entry("H36.30", "Ủy ban nhân dân huyện Đức Trọng", Level::District, Some("H36")),
        entry("H36.30.05", "Ủy ban nhân dân xã Phú Hội", Level::Commune, Some("H36.30")),
        entry("H34", "Ủy ban nhân dân tỉnh Kon Tum", Level::Province, None),
        entry("H34.05", "Sở Nội vụ Kon Tum", Level::Province, Some("H34")),
        entry("H34.40", "Ủy ban nhân dân huyện Đắk Hà", Level::District, Some("H34")),
        entry("H34.40.01", "Ủy ban nhân dân xã Đắk Mar", Level::Commune, Some("H34.40")),
        entry("H01", "Ủy ban nhân dân tỉnh An Giang", Level::Province, None),
        entry("H02", "Ủy ban nhân dân tỉnh Bà Rịa - Vũng Tàu", Level::Province, None),
    ]
}

/// Communes of H34, `H34.C0` and on, served by H34: many recipients.
pub fn communes(count: usize) -> Vec<AgencyEntry> {
    let like = directory().into_iter().find(|entry| entry.code == code("H34.40.01")).unwrap();
    let commune = |n| AgencyEntry { code: code(&format!("H34.C{n}")), ..like.clone() };
    (0..count).map(commune).collect()
}

/// A person of an agency who may sign.
pub fn person(agency: &str) -> Profile {
    Profile::Person {
        agency: code(agency),
        person: "an.nguyen".to_owned(),
        name: "Nguyễn Văn An".to_owned(),
        title: "Chủ nhiệm".to_owned(),
    }
}

/// The list of a number, made yesterday or as many seconds later as its number says, on which
/// certificates are revoked since yesterday.
pub fn list(pki: &TestPki, number: u64, revoked: &[&Identity]) -> Bytes {
    let at = now().minus(days(1));
    let serial = |identity: &&Identity| identity.certificate.serial().to_vec();
    let revoked: Vec<Revoked> = revoked
        .iter()
        .map(|identity| Revoked { serial: serial(identity), at, reason: 1 })
        .collect();
    let this = at.plus(Duration::from_secs(number));
    pki.issuing().revocation_list(number, this, now().plus(days(30)), &revoked).unwrap()
}

/// A person who operates the hub for an agency.
pub fn operator(agency: &str) -> Profile {
    Profile::Operator {
        agency: code(agency),
        person: "binh.tran".to_owned(),
        name: "Trần Thị Bình".to_owned(),
        title: "Quản trị viên".to_owned(),
    }
}

/// The PKI that every world trusts.
pub fn test_pki() -> TestPki {
    TestPki::new([11; 32], validity()).unwrap()
}

impl World {
    /// Starts a hub with the small directory on the real clock.
    pub async fn start() -> Self {
        Self::start_revoking(&[]).await
    }

    /// Starts a hub that is told of a list on which these certificates are revoked since yesterday.
    pub async fn start_revoking(revoked: &[&Identity]) -> Self {
        let lists = vec![list(&test_pki(), 1, revoked)];
        Self::start_with(|settings| settings.revocation_lists = lists).await
    }

    /// Starts a hub with settings of the test's own.
    pub async fn start_with(change: impl FnOnce(&mut Settings)) -> Self {
        let (pki, folder) = (test_pki(), tempfile::tempdir().unwrap());
        let mut settings = settings(&pki, &folder.path().join("data"), Clock::Real);
        change(&mut settings);
        let hub = Hub::start(settings, |_, _| {}).await.unwrap();
        Self { pki, folder, address: hub.address(), hub: Some(hub) }
    }

    /// Starts a hub on the small directory and more entries.
    pub async fn start_among(more: Vec<AgencyEntry>) -> Self {
        let change = |settings: &mut Settings| {
            settings.directory.as_mut().unwrap().entries.extend(more);
        };
        Self::start_with(change).await
    }

    /// Starts a hub with other bounds of what is on the disk.
    pub async fn start_on(storage: StorageSettings) -> Self {
        let (pki, folder) = (test_pki(), tempfile::tempdir().unwrap());
        let settings =
            Settings { storage, ..settings(&pki, &folder.path().join("data"), Clock::Real) };
        let hub = Hub::start(settings, |_, _| {}).await.unwrap();
        Self { pki, folder, address: hub.address(), hub: Some(hub) }
    }

    /// The running hub.
    pub fn hub(&self) -> &Hub {
        self.hub.as_ref().expect("the hub runs")
    }

    /// Stops the hub.
    pub async fn stop(&mut self) -> Result<(), StartError> {
        self.hub.take().expect("the hub runs").stop().await
    }

    /// Takes the hub out, to be stopped by the caller.
    pub fn take_hub(&mut self) -> Hub {
        self.hub.take().expect("the hub runs")
    }

    /// Starts the hub again on the same folder and address.
    pub async fn start_again(&mut self) {
        self.start_again_with(|_| ()).await;
    }

    /// Starts the hub again on the same folder and address, with settings of the test's own.
    pub async fn start_again_with(&mut self, change: impl FnOnce(&mut Settings)) {
        let mut settings = self.settings();
        settings.listen = self.address;
        change(&mut settings);
        self.hub = Some(Hub::start(settings, |_, _| {}).await.unwrap());
    }

    /// Stops the hub and starts it again on the same folder and address.
    pub async fn restart(&mut self) {
        self.stop().await.unwrap();
        self.start_again().await;
    }

    /// What a hub on this folder is started with.
    pub fn settings(&self) -> Settings {
        settings(&self.pki, &self.data(), Clock::Real)
    }

    /// The data folder.
    pub fn data(&self) -> std::path::PathBuf {
        self.folder.path().join("data")
    }

    /// The node of an agency.
    pub fn node(&self, agency: &str) -> Identity {
        self.pki.node(&code(agency)).unwrap()
    }

    /// How a holder of a certificate reaches the hub.
    pub fn endpoint(&self, identity: &Identity) -> Endpoint {
        endpoint(&self.pki, self.address, identity)
    }

    /// Connects as an agency.
    pub async fn client(&self, agency: &str) -> Client {
        Client::connect(self.endpoint(&self.node(agency))).await.unwrap()
    }

    /// The seal of an agency.
    pub fn seal(&self, agency: &str) -> Signer {
        self.signer(&self.pki.seal(&code(agency)).unwrap())
    }

    /// A signer with a certificate.
    pub fn signer(&self, identity: &Identity) -> Signer {
        let issuers = vec![self.pki.issuing().certificate().der().clone()];
        let key = identity.key.to_signing_key();
        Signer::new(identity.certificate.clone(), issuers, key).unwrap()
    }

    /// A document sealed by its sender.
    pub fn sealed(&self, document: &Document) -> SignedContent {
        self.sealed_with(document, Vec::new())
    }

    /// A document with attachments, sealed by its sender.
    pub fn sealed_with(&self, document: &Document, attachments: Vec<Attachment>) -> SignedContent {
        let seal = self.seal(document.from.code.as_str());
        sign_document(document, attachments, &[&seal])
    }

    /// A new document, sealed.
    pub fn letter(&self, from: &str, to: &[&str]) -> SignedContent {
        self.sealed(&document(from, to))
    }

    /// A status report, sealed by its reporter.
    pub fn report(
        &self,
        from: &str,
        on: (&str, MessageId),
        code_of: StatusCode,
        reason: &str,
    ) -> SignedContent {
        let on = (code(on.0), on.1);
        let report = StatusReport::new(new_id(), code(from), on, code_of).because(reason);
        sign_report(&report, &[&self.seal(from)])
    }
}

/// What a hub is started with.
pub fn settings(pki: &TestPki, data: &Path, clock: Clock) -> Settings {
    let names = vec!["localhost".to_owned(), "127.0.0.1".to_owned()];
    let hub = pki.identity(&Profile::Hub { agency: code("G22"), names }).unwrap();
    let issuing = pki.issuing().certificate().der();
    Settings {
        data: data.to_owned(),
        listen: "127.0.0.1:0".parse().unwrap(),
        http: Some(HttpAddress::new("127.0.0.1:0".parse().unwrap()).unwrap()),
        clock,
        identity: ServerIdentity {
            chain: vec![der(hub.certificate.der()), der(issuing)],
            key: PrivateKeyDer::Pkcs8(hub.key.to_pkcs8_der().into()),
        },
        roots: vec![pki.root().certificate().der().clone()],
        authorities: vec![issuing.clone()],
        revocation_lists: Vec::new(),
        list_files: ListFiles::default(),
        rates: Rates::default(),
        directory: Some(DirectoryImport { source: "test".to_owned(), entries: directory() }),
        rules: None,
        storage: StorageSettings::short_lived(),
    }
}

/// How a holder of a certificate reaches a hub of `pki`.
pub fn endpoint(pki: &TestPki, address: SocketAddr, identity: &Identity) -> Endpoint {
    let chain = vec![identity.certificate.der().clone(), pki.issuing().certificate().der().clone()];
    let roots = Roots::new([pki.root().certificate().der().clone()]).unwrap();
    let identity = lienthong_client::Identity::new(chain, &identity.key.to_pkcs8_der()).unwrap();
    let retry = Retry {
        total: PATIENCE,
        first: Duration::from_millis(20),
        pause_max: Duration::from_millis(200),
    };
    Endpoint::new(&format!("https://{address}"), identity, roots).unwrap().retry(retry)
}

/// A certificate in the form of rustls.
pub fn der(bytes: &Bytes) -> CertificateDer<'static> {
    CertificateDer::from(bytes.to_vec())
}

/// A new id.
pub fn new_id() -> MessageId {
    MessageId::new(now(), rand::random())
}

/// A new document.
pub fn document(from: &str, to: &[&str]) -> Document {
    static NUMBER: AtomicU32 = AtomicU32::new(1);
    let to: Vec<AgencyCode> = to.iter().map(|text| code(text)).collect();
    let id = new_id();
    let number = NUMBER.fetch_add(1, Ordering::Relaxed);
    Document::new(id, code(from), to, format!("Về việc số {number}"), id.time()).issued(
        number,
        lienthong_model::DocumentType::OFFICIAL_LETTER,
        "UBND",
    )
}

/// A document that names one attachment, and the attachment.
pub fn with_attachment(mut document: Document, bytes: Bytes) -> (Document, Attachment) {
    let content_id = "cid:toan-van".to_owned();
    document.attachments.push(AttachmentEntry::of(content_id.clone(), "toan-van.pdf", &bytes));
    (document, Attachment { content_id, bytes })
}

/// Files below a folder of the payloads, folders below it not counted.
pub fn payload_files(world: &World, folder: &str) -> Vec<std::path::PathBuf> {
    let entries = std::fs::read_dir(world.data().join("payloads").join(folder)).unwrap();
    entries.map(|entry| entry.unwrap().path()).filter(|path| path.is_file()).collect()
}

/// Waits until nothing that was proposed is unsettled.
pub async fn settled(world: &World) {
    until("settling", async || payload_files(world, "proposed").is_empty()).await;
}

/// Bytes that no compression makes smaller.
pub fn noise(size: usize) -> Bytes {
    (0..size).map(|_| rand::random::<u8>()).collect()
}

/// Waits for something that must come.
pub async fn within<T>(what: &str, future: impl Future<Output = T>) -> T {
    let waited = tokio::time::timeout(PATIENCE, future).await;
    waited.unwrap_or_else(|_| panic!("{what} did not come within {PATIENCE:?}"))
}

/// The next delivery of a subscription.
pub async fn next(subscription: &mut Subscription) -> Delivery {
    within("a delivery", subscription.next()).await.expect("it is open").unwrap()
}

/// Waits until a condition holds; it is asked for again and again.
pub async fn until(what: &str, mut holds: impl AsyncFnMut() -> bool) {
    let asking = async {
        while !holds().await {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    within(what, asking).await;
}

/// The refusal of a call.
pub fn reason<T: std::fmt::Debug>(outcome: Result<T, lienthong_client::CallError>) -> Reason {
    match outcome {
        Err(lienthong_client::CallError::Refused(refusal)) => refusal.reason,
        other => panic!("not refused: {other:?}"),
    }
}
