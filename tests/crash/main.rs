//! The hub in a process of its own that is killed again and again, and what is found afterwards.
//!
//! ```text
//!  books (what the clients were told) ──┐
//!     ▲                                 ├─▶ differences: none
//!  traffic: four clients ◀─TLS─▶ hub ───┘
//!                                 ▲
//!  rounds: start ▸ kill, after a number of answers or at a named point ▸ start again
//! ```
//! `LIENTHONG_CRASH_SEED` and `LIENTHONG_CRASH_ROUNDS` replay a run; both are printed.

mod attachments;
mod books;
mod child;
mod compare;
mod fan_out;
mod fixture;
mod memory;
mod traffic;

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use lienthong_hub::{
    Clock, DirectoryImport, Hub, ListFiles, Rates, ServerIdentity, Settings, StorageSettings,
};
use lienthong_ledger::crash;
use rand::{RngExt as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};

use child::{Child, Death};
use compare::differences;
use fixture::Fixture;
use traffic::Traffic;

/// Kills on the one folder that lives through all of them.
const ROUNDS: usize = 60;
/// Rounds between two comparisons.
const COMPARE_EVERY: usize = 10;
/// Answers that a hub must give before what it says is compared.
const COMPARE_AFTER: u64 = 50;
/// Kills on each of the folders that begin anew.
const FRESH_ROUNDS: usize = 3;
/// Where the process can be made to die.
const POINTS: [&str; 5] =
    ["block-appended", "block-synced", "state-half-written", "state-written", "reply-sent"];
/// How long anything that must happen may take.
const PATIENCE: Duration = Duration::from_secs(30);

fn number(variable: &str) -> Option<u64> {
    let text = std::env::var(variable).ok()?;
    Some(text.parse().unwrap_or_else(|_| panic!("`{variable}` is no number: `{text}`")))
}

/// How one process dies.
#[derive(Debug)]
enum End {
    /// Killed when the clients have had this many answers.
    Answers(u64),
    /// Dies by itself at a named point.
    At(&'static str, u32),
}

impl End {
    /// Every second one is at a point, each point in its turn.
    fn choose(round: usize, rng: &mut ChaCha8Rng) -> Self {
        if round.is_multiple_of(2) {
            return Self::Answers(rng.random_range(1..120));
        }
        let point = POINTS[round / 2 % POINTS.len()];
        let passings = if point.starts_with("state") { 1..4 } else { 1..80 };
        Self::At(point, rng.random_range(passings))
    }

    fn plan(&self) -> Option<String> {
        match self {
            Self::Answers(_) => None,
            Self::At(point, passing) => Some(format!("{point}:{passing}")),
        }
    }

    fn name(&self) -> &'static str {
        match self {
            Self::Answers(_) => "after a number of answers",
            Self::At(point, _) => point,
        }
    }

    fn death(&self) -> Death {
        match self {
            Self::Answers(_) => Death::Killed,
            Self::At(..) => Death::Aborted,
        }
    }
}

/// A run on one folder.
struct Campaign {
    fixture: Fixture,
    traffic: Traffic,
    rng: ChaCha8Rng,
    kills: BTreeMap<&'static str, usize>,
}

impl Campaign {
    fn new(seed: u64) -> Self {
        let fixture = Fixture::new();
        let traffic = Traffic::new(&fixture, seed);
        Self { fixture, traffic, rng: ChaCha8Rng::seed_from_u64(seed), kills: BTreeMap::new() }
    }

    fn start(&self, plan: Option<&str>) -> Child {
        self.traffic.another_life();
        Child::start(&self.fixture, plan)
    }

    /// Starts a hub and lets it die.
    async fn round(&mut self, round: usize) {
        let end = End::choose(round, &mut self.rng);
        let mut child = self.start(end.plan().as_deref());
        let answers = self.traffic.answers();
        // A point may be passed before the hub is ready: it dies in its recovery then.
        let ready = child.ready(PATIENCE).await;
        if ready {
            self.traffic.begin(&self.fixture).await;
        }
        let death = match end {
            End::Answers(count) => {
                assert!(ready, "round {round}: the hub did not start: {}", child.said());
                let answered = self.traffic.answered(answers + count, PATIENCE).await;
                assert!(answered, "round {round}: nothing moves: {}", child.said());
                child.kill()
            }
            End::At(..) => match child.died(PATIENCE).await {
                Some(death) => death,
                None => panic!("round {round}: {end:?} is not passed: {}", child.said()),
            },
        };
        assert_eq!(death, end.death(), "round {round}, {end:?}: {}", child.said());
        *self.kills.entry(end.name()).or_default() += 1;
    }

    /// Starts a hub, lets everything under way come to its end, and compares what the clients were
    /// told with what the hub says.
    async fn compare(&mut self, when: &str) {
        let mut child = self.start(None);
        assert!(child.ready(PATIENCE).await, "{when}: the hub does not start: {}", child.said());
        self.traffic.begin(&self.fixture).await;
        let answers = self.traffic.answers() + COMPARE_AFTER;
        let answered = self.traffic.answered(answers, PATIENCE).await;
        assert!(answered, "{when}: nothing moves: {}", child.said());
        let quiet = self.traffic.quiet(PATIENCE).await;
        assert_eq!(quiet, Ok(()), "{when}: {}", child.said());
        let clients = self.traffic.clients();
        let found = differences(&self.traffic.books(), &clients).await;
        assert!(found.is_empty(), "{when}: {found:#?}");
        self.traffic.go_on();
        child.kill();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_that_a_client_was_told_is_lost_or_there_twice_however_the_hub_dies() {
    let began = Instant::now();
    let seed = number("LIENTHONG_CRASH_SEED").unwrap_or_else(|| rand::random_range(0..1_000_000));
    let rounds = number("LIENTHONG_CRASH_ROUNDS").map_or(ROUNDS, |rounds| rounds as usize);
    println!("replay: LIENTHONG_CRASH_SEED={seed} LIENTHONG_CRASH_ROUNDS={rounds}");
    let mut campaign = Campaign::new(seed);
    for round in 0..rounds {
        campaign.round(round).await;
        if round == rounds / 2 {
            // The state follows from the journal: without it nothing is missing.
            std::fs::remove_dir_all(campaign.fixture.data().join("state")).unwrap();
            campaign.compare("without the state").await;
        } else if (round + 1).is_multiple_of(COMPARE_EVERY) {
            campaign.compare(&format!("after round {round}")).await;
        }
    }
    campaign.compare("at the end").await;
    println!("{}, kills {:?}, {:?}", campaign.traffic.books(), campaign.kills, began.elapsed());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hub_that_dies_in_its_first_moments_begins_again() {
    let began = Instant::now();
    let seed = number("LIENTHONG_CRASH_SEED").unwrap_or_else(|| rand::random_range(0..1_000_000));
    println!("replay: LIENTHONG_CRASH_SEED={seed}");
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    for point in POINTS {
        let mut campaign = Campaign::new(rng.random());
        for _ in 0..FRESH_ROUNDS {
            let passing = rng.random_range(1..4);
            let mut child = campaign.start(Some(&format!("{point}:{passing}")));
            if child.ready(PATIENCE).await {
                campaign.traffic.begin(&campaign.fixture).await;
            }
            let death = child.died(PATIENCE).await;
            assert_eq!(death, Some(Death::Aborted), "{point}:{passing}: {}", child.said());
        }
        campaign.compare(point).await;
        println!("{point}: {}, {:?}", campaign.traffic.books(), began.elapsed());
    }
}

/// What a hub in this process is started with.
fn settings(fixture: &Fixture) -> Settings {
    let der = |der: &bytes::Bytes| CertificateDer::from(der.to_vec());
    let (hub, issuing) = (fixture.hub(), fixture.pki.issuing().certificate().der());
    Settings {
        data: fixture.data(),
        listen: fixture.address,
        http: None,
        clock: Clock::Real,
        identity: ServerIdentity {
            chain: vec![der(hub.certificate.der()), der(issuing)],
            key: PrivateKeyDer::Pkcs8(hub.key.to_pkcs8_der().into()),
        },
        roots: vec![fixture.pki.root().certificate().der().clone()],
        authorities: vec![issuing.clone()],
        revocation_lists: Vec::new(),
        list_files: ListFiles::default(),
        rates: Rates::default(),
        directory: Some(DirectoryImport {
            source: "test".to_owned(),
            entries: fixture::directory(),
        }),
        rules: None,
        storage: StorageSettings::short_lived(),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_comparison_notices_a_document_that_is_lost_with_the_last_block() {
    assert!(std::env::var_os(crash::VARIABLE).is_none());
    let mut campaign = Campaign::new(1);
    let hub = Hub::start(settings(&campaign.fixture), |_, _| {}).await.unwrap();
    campaign.traffic.begin(&campaign.fixture).await;
    assert!(campaign.traffic.answered(100, PATIENCE).await);
    assert_eq!(campaign.traffic.quiet(PATIENCE).await, Ok(()));
    let clients = campaign.traffic.clients();
    assert_eq!(differences(&campaign.traffic.books(), &clients).await, Vec::<String>::new());
    campaign.traffic.end();
    // Nobody is there to acknowledge it: the document is all that its block holds.
    let (_, id) = campaign.traffic.submit_one(&clients[0]).await;
    let books = campaign.traffic.books();
    drop(clients);
    hub.stop().await.unwrap();
    // The last block is cut by a byte: it is torn, and a start drops it.
    let journal = campaign.fixture.data().join("journal");
    let files = std::fs::read_dir(journal).unwrap().map(|entry| entry.unwrap());
    let last = files.filter(|file| file.metadata().unwrap().len() > 0).map(|file| file.path());
    let file = std::fs::OpenOptions::new().write(true).open(last.max().unwrap()).unwrap();
    file.set_len(file.metadata().unwrap().len() - 1).unwrap();
    drop(file);
    let hub = Hub::start(settings(&campaign.fixture), |_, _| {}).await.unwrap();
    let clients = campaign.fixture.clients().await;
    let found = differences(&books, &clients).await;
    let lost = format!("{id}");
    let missed = found.iter().any(|one| one.contains(&lost) && one.contains("DOCUMENT_UNKNOWN"));
    assert!(missed, "{id} was lost: {found:#?}");
    assert!(found.iter().any(|one| one.starts_with("totals")), "the sums differ: {found:#?}");
    drop(clients);
    hub.stop().await.unwrap();
}
