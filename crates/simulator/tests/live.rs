//! The whole axis with every part real but the agencies: TLS, journal, sled, statistics.

use std::sync::Arc;

use lienthong_core::statistics::Period;
use lienthong_hub::{
    Clock, DirectoryImport, Hub, ListFiles, Rates, ServerIdentity, Settings, StorageSettings,
};
use lienthong_model::{AgencyCode, Timestamp};
use lienthong_simulator::{Address, Cast, Plan, Scenario, Tally};
use rustls_pki_types::{CertificateDer, PrivateKeyDer};

const RATE: f64 = 60.0;

fn code(text: &str) -> AgencyCode {
    AgencyCode::parse(text).unwrap()
}

fn scenario(seed: u64) -> Scenario {
    Scenario {
        seed,
        provinces: vec![code("H34"), code("H16")],
        transition: vec![code("H16")],
        gateway: Some(code("H34")),
        start: Timestamp::parse("2020-11-16T08:00+07:00").unwrap(),
    }
}

fn settings(cast: &Cast, data: &std::path::Path, start: Timestamp) -> Settings {
    let der = |der: &bytes::Bytes| CertificateDer::from(der.to_vec());
    Settings {
        data: data.to_owned(),
        listen: "127.0.0.1:0".parse().unwrap(),
        http: None,
        clock: Clock::Scenario { start, rate: RATE },
        identity: ServerIdentity {
            chain: vec![der(cast.hub.certificate.der()), der(&cast.issuing)],
            key: PrivateKeyDer::Pkcs8(cast.hub.key.to_pkcs8_der().into()),
        },
        roots: vec![cast.root.clone()],
        authorities: vec![cast.issuing.clone()],
        revocation_lists: cast.revocation_lists.clone(),
        list_files: ListFiles::default(),
        rates: Rates::default(),
        directory: Some(DirectoryImport {
            source: "test".to_owned(),
            entries: cast.directory.clone(),
        }),
        rules: None,
        storage: StorageSettings::short_lived(),
    }
}

async fn run(seed: u64, documents: usize, data: &std::path::Path) -> (Plan, Tally) {
    let scenario = scenario(seed);
    let cast = Cast::new(&scenario, lienthong_country::entries().unwrap()).unwrap();
    let plan = Plan::new(&cast, documents, seed);
    let hub = Hub::start(settings(&cast, data, scenario.start), |_, _| {}).await.unwrap();
    let address =
        Address { url: format!("https://{}", hub.address()), now: scenario.start, rate: RATE };
    let (cast, shared) = (Arc::new(cast), Arc::new(plan.clone()));
    let tally = lienthong_simulator::run(cast, shared, address, |_| {}).await.unwrap();
    let volumes = hub.reader().volumes(Period::ALL).unwrap();
    assert_eq!(volumes.totals.sent, tally.accepted);
    assert_eq!(volumes.totals.received, tally.deliveries);
    let provinces = volumes.provinces.values();
    assert_eq!(volumes.centre.sent + provinces.map(|v| v.sent).sum::<u64>(), tally.accepted);
    hub.stop().await.unwrap();
    (plan, tally)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_document_is_delivered_acknowledged_and_counted_and_every_wrong_one_refused() {
    let folder = tempfile::tempdir().unwrap();
    let (plan, tally) = run(7, 1_000, folder.path()).await;
    assert_eq!(tally.mismatches, []);
    assert_eq!(plan.submissions(), 1_000);
    assert_eq!(tally.submitted, 1_000);
    assert_eq!(tally.deliveries, plan.deliveries() as u64);
    assert_eq!(tally.acknowledged, tally.deliveries);
    let refused: Vec<_> = plan.refusals().into_iter().map(|(r, n)| (r, n as u64)).collect();
    assert_eq!(tally.refused.into_iter().collect::<Vec<_>>(), refused);
}

/// What the virtual world passes, no hub does.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_signature_that_was_not_made_is_refused_by_a_live_hub() {
    use lienthong_client::{Client, ClockSource, Endpoint, Identity, Roots, sign_document};
    use lienthong_model::{Document, Reason, SignatureEntry};

    let folder = tempfile::tempdir().unwrap();
    let scenario = scenario(11);
    let cast = Cast::new(&scenario, lienthong_country::entries().unwrap()).unwrap();
    let hub = Hub::start(settings(&cast, folder.path(), scenario.start), |_, _| {}).await.unwrap();
    let (from, to) = (&cast.members[0], &cast.members[1]);
    let chain = vec![from.node.certificate.der().clone(), cast.issuing.clone()];
    let identity = Identity::new(chain, &from.node.key.to_pkcs8_der()).unwrap();
    let mut roots = Roots::new([cast.root.clone()]).unwrap();
    roots = roots.with_authority(cast.issuing.clone()).unwrap();
    for list in &cast.revocation_lists {
        roots = roots.with_revocation_list(list.clone());
    }
    let endpoint = Endpoint::new(&format!("https://{}", hub.address()), identity, roots).unwrap();
    let client = Client::connect(endpoint.clock(ClockSource::scenario(scenario.start, RATE)));
    let client = client.await.unwrap();

    let recipient = to.entry.code.clone();
    let sender = from.entry.code.clone();
    let document = Document::new(client.new_id(), sender, [recipient], "V/v", client.now());
    let leader = &from.leader.certificate;
    let mut content = sign_document(&document, Vec::new(), &[]);
    content.certificates = vec![leader.der().clone(), cast.issuing.clone()];
    content.signatures = vec![SignatureEntry {
        certificate: *leader.fingerprint(),
        value: bytes::Bytes::from_static(&lienthong_trust::REHEARSED),
    }];
    let error = client.submit(content).await.unwrap_err();
    let reason = error.refusal().map(|refusal| refusal.reason);
    assert_eq!(reason, Some(Reason::SignatureInvalid), "{error}");
    assert_eq!(hub.reader().volumes(Period::ALL).unwrap().totals.sent, 0);
    hub.stop().await.unwrap();
}
