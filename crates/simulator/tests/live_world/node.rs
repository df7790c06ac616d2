//! A stage with a hub and agencies, and a small system under test that can be broken on purpose.

use std::collections::HashSet;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use lienthong_client::{
    Acknowledger, Client, Delivery, DocumentCheck, Endpoint, Identity, NoticeKind, Retry, Roots,
    SenderPolicy, Signer, Subscription, SubscriptionOptions, sign_report,
};
use lienthong_hub::Hub;
use lienthong_model::{
    AgencyCode, Document, MessageId, SignaturePolicy, StatusCode, StatusReport, Timestamp,
};
use lienthong_pki::{Folder, KeySource, Profile, Validity};
use lienthong_simulator::live::Proxy;
use lienthong_simulator::world::Keys;
use parking_lot::Mutex;
use unicode_normalization::is_nfc;

use crate::ground::{SEED, Site, code};

/// Between two steps of the work on a document.
const STEP: Duration = Duration::from_millis(700);

/// Waits until a condition holds.
pub(crate) async fn until(what: &str, holds: impl AsyncFn() -> bool) {
    let began = Instant::now();
    while !holds().await {
        assert!(began.elapsed() < Duration::from_secs(60), "{what} did not come");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// A hub, and below a second root, which it relies on, somebody whom nobody knows.
pub(crate) struct Stage {
    pub site: Site,
    pub hub: Hub,
    pub stranger: Folder,
    validity: Validity,
}

impl Stage {
    pub(crate) async fn set() -> Self {
        let start = Timestamp::parse("2020-11-16T08:00+07:00").unwrap();
        let day = Duration::from_secs(24 * 3_600);
        let validity = Validity { not_before: start.minus(day), not_after: start.plus(day * 300) };
        let keys = Keys::new(SEED, start, start.plus(day)).unwrap();
        let site = Site::new(&keys, start, 1.0);
        let stranger = Folder::create(
            &site.folder.path().join("stranger"),
            &KeySource::Seed([9; 32]),
            validity,
            validity.not_after,
        );
        let entries = lienthong_country::entries().unwrap();
        let hub = site.hub(entries, &["stranger"]).await;
        Self { site, hub, stranger: stranger.unwrap(), validity }
    }

    fn issued(&self, pki: &Folder, profile: &Profile) -> (String, String) {
        let path = pki.certificate_path(profile);
        if !path.is_file() {
            pki.enrol(profile, &KeySource::System, self.validity).unwrap();
        }
        let read = |path: &std::path::Path| std::fs::read_to_string(path).unwrap();
        (read(&path), read(&path.with_extension("key")))
    }

    fn signer(&self, pki: &Folder, profile: &Profile) -> Signer {
        let (chain, key) = self.issued(pki, profile);
        Signer::from_pem(&chain, &key).unwrap()
    }

    fn profile_of_person(agency: &str) -> Profile {
        Profile::Person {
            agency: code(agency),
            person: format!("{agency}-01"),
            name: "Nguyễn Văn An".to_owned(),
            title: "Chủ tịch".to_owned(),
        }
    }

    pub(crate) fn person(&self, agency: &str) -> Signer {
        self.signer(&self.site.pki, &Self::profile_of_person(agency))
    }

    pub(crate) fn seal(&self, agency: &str) -> Signer {
        self.signer(&self.site.pki, &Profile::Seal { agency: code(agency) })
    }

    pub(crate) fn stranger(&self, agency: &str) -> Signer {
        self.signer(&self.stranger, &Self::profile_of_person(agency))
    }

    pub(crate) fn roots(&self) -> Roots {
        let roots = Roots::new([self.site.pki.root().certificate().der().clone()]).unwrap();
        roots.with_authority(self.site.pki.issuing().certificate().der().clone()).unwrap()
    }

    pub(crate) fn endpoint(&self, agency: &str) -> Endpoint {
        let node = self.issued(&self.site.pki, &Profile::Node { agency: code(agency) });
        let identity = Identity::from_pem(&node.0, &node.1).unwrap();
        let url = format!("https://localhost:{}", self.hub.address().port());
        Endpoint::new(&url, identity, self.roots()).unwrap().clock(self.site.clock())
    }

    pub(crate) async fn client(&self, agency: &str) -> Client {
        Client::connect(self.endpoint(agency)).await.unwrap()
    }

    pub(crate) async fn subscribed(&self, agency: &str) -> (Client, Subscription) {
        let client = self.client(agency).await;
        let subscription = client.subscribe(&[], 16).await.unwrap();
        (client, subscription)
    }

    pub(crate) async fn subscribe_through(&self, agency: &str, proxy: &Proxy) -> Subscription {
        let endpoint = self.endpoint(agency).through(proxy.address());
        Client::connect(endpoint).await.unwrap().subscribe(&[], 16).await.unwrap()
    }
}

/// What is wrong with a system.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Flaw {
    /// Nothing.
    None,
    /// It takes no spreadsheets.
    DropsSpreadsheets,
    /// It refuses what bears two signatures.
    RefusesTwoSignatures,
    /// It verifies nothing.
    TrustsEverybody,
    /// It acknowledges before it has stored, and has room for a few only.
    AcknowledgesWithoutStoring,
    /// It reports 06 before 03.
    FinishesFirst,
    /// It refuses what comes a second time.
    RefusesDuplicates,
    /// It does not answer when it is asked to give something back.
    IgnoresRecalls,
    /// It refuses what has no number.
    NeedsNumber,
    /// It drops what is not in the composed form.
    DropsDecomposed,
    /// It reports nothing at all.
    ReportsNothing,
}

/// A system under test.
pub(crate) struct System {
    client: Client,
    agency: AgencyCode,
    seal: Signer,
    check: DocumentCheck,
    flaw: Flaw,
    seen: Mutex<HashSet<u64>>,
    at_work: AtomicUsize,
}

impl System {
    /// Starts a system of an agency; it reaches the hub through an address.
    pub(crate) async fn start(stage: &Stage, agency: &str, line: SocketAddr, flaw: Flaw) {
        let patient = Retry { total: Duration::from_secs(60), ..Retry::default() };
        let endpoint = stage.endpoint(agency).through(line).retry(patient);
        let client = Client::connect(endpoint.call_max(Duration::from_secs(5))).await.unwrap();
        let system = Arc::new(Self {
            client,
            agency: code(agency),
            seal: stage.seal(agency),
            check: DocumentCheck::new(&stage.roots()).unwrap(),
            flaw,
            seen: Mutex::default(),
            at_work: AtomicUsize::new(0),
        });
        tokio::spawn(system.clone().receive());
        tokio::spawn(system.answer_recalls());
    }

    async fn receive(self: Arc<Self>) {
        let options = SubscriptionOptions { reconnect: false, ..SubscriptionOptions::default() };
        loop {
            if let Ok(mut subscription) = self.client.subscribe_with(&[], options).await {
                let acknowledger = subscription.acknowledger();
                while let Some(Ok(delivery)) = subscription.next().await {
                    tokio::spawn(self.clone().take(acknowledger.clone(), delivery));
                }
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }

    async fn take(self: Arc<Self>, acknowledger: Acknowledger, delivery: Delivery) {
        let policy = SenderPolicy { policy: SignaturePolicy::Required, ..SenderPolicy::default() };
        let document = match self.check.check(&delivery, &policy) {
            Ok(checked) => checked.document,
            Err(_) if self.flaw == Flaw::TrustsEverybody => read(&delivery),
            Err(_) => return,
        };
        let names: Vec<&str> = document.attachments.iter().map(|one| one.name.as_str()).collect();
        let composed = is_nfc(&document.subject) && names.iter().all(|name| is_nfc(name));
        let dropped = match self.flaw {
            Flaw::DropsSpreadsheets => names.iter().any(|name| name.ends_with(".xlsx")),
            Flaw::DropsDecomposed => !composed,
            _ => false,
        };
        if dropped {
            return;
        }
        let first = self.seen.lock().insert(delivery.key.position.0);
        let about = (document.from.code.clone(), document.id);
        let refused = match self.flaw {
            Flaw::RefusesTwoSignatures => delivery.signed.signatures.len() > 1,
            Flaw::NeedsNumber => document.number.is_empty(),
            Flaw::RefusesDuplicates => !first,
            _ => false,
        };
        if acknowledger.acknowledge(&[delivery.key]).await.is_err() {
            return;
        }
        if refused {
            self.report(about, StatusCode::Refused).await;
            return;
        }
        let under_way = self.at_work.fetch_add(1, Ordering::SeqCst);
        if self.flaw == Flaw::AcknowledgesWithoutStoring && under_way >= 8 {
            self.at_work.fetch_sub(1, Ordering::SeqCst);
            return;
        }
        self.work(about).await;
        self.at_work.fetch_sub(1, Ordering::SeqCst);
    }

    async fn work(&self, about: (AgencyCode, MessageId)) {
        use StatusCode::{Accepted, Finished, Processing};
        let steps: &[StatusCode] = match self.flaw {
            Flaw::ReportsNothing => &[],
            Flaw::FinishesFirst => &[Finished, Accepted],
            _ => &[Accepted, Processing, Finished],
        };
        for step in steps {
            tokio::time::sleep(STEP).await;
            self.report(about.clone(), *step).await;
        }
    }

    async fn report(&self, about: (AgencyCode, MessageId), code: StatusCode) {
        let id = self.client.new_id();
        let report = StatusReport::new(id, self.agency.clone(), about, code).because("kiểm thử");
        // What the hub does not take is not for this small system to mend.
        let _ = self.client.report(sign_report(&report, &[&self.seal])).await;
    }

    async fn answer_recalls(self: Arc<Self>) {
        let Ok(mut notices) = self.client.subscribe_to_notices(&[], 16).await else { return };
        while let Some(Ok(notice)) = notices.next().await {
            let _ = notices.acknowledge(std::slice::from_ref(&notice.key)).await;
            let asked = notice.kind == NoticeKind::RecallRequested;
            if asked && !matches!(self.flaw, Flaw::IgnoresRecalls | Flaw::ReportsNothing) {
                self.report((notice.sender, notice.document), StatusCode::ChangeAgreed).await;
            }
        }
    }
}

/// What a delivery says, whoever signed it.
fn read(delivery: &Delivery) -> Document {
    lienthong_wire::decode_document(&delivery.signed.content).unwrap()
}
