//! Four clients that never give up: they submit, acknowledge what they receive, and report on it,
//! over every death of the hub.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use lienthong_client::{
    Acknowledger, CallError, Client, Delivery, DeliveryKey, NegativeAcknowledgement, Reports,
    Signer, Submissions, Subscription, sign_document, sign_report,
};
use lienthong_model::{Document, DocumentType, MessageId, StatusCode, StatusReport};
use lienthong_wire::decode_document;
use rand::{RngExt as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::books::{Books, Name, Reported, Sent};
use crate::fixture::{AGENCIES, Fixture, code, now};

/// Documents of one client under way at a time.
const UNDER_WAY: usize = 4;
/// How long the patient clients try: longer than any test.
const FOR_EVER: Duration = Duration::from_secs(600);
/// What recipients report, one of these a delivery.
const ANSWERS: [&[StatusCode]; 4] = [
    &[],
    &[StatusCode::Arrived],
    &[StatusCode::Refused],
    &[StatusCode::Accepted, StatusCode::Processing, StatusCode::Processing, StatusCode::Finished],
];

/// The clients and what they share.
pub struct Traffic {
    shared: Arc<Shared>,
    seed: u64,
    clients: Vec<Client>,
    tasks: Vec<JoinHandle<()>>,
}

struct Shared {
    books: Mutex<Books>,
    /// Answers of the hub so far.
    answers: watch::Sender<u64>,
    /// Whether new documents are written.
    writing: watch::Sender<bool>,
    seals: BTreeMap<&'static str, Signer>,
}

impl Shared {
    /// Enters an answer of the hub into the books.
    fn enter<T>(&self, enter: impl FnOnce(&mut Books) -> T) -> T {
        let entered = enter(&mut self.books.lock().unwrap());
        self.answers.send_modify(|answers| *answers += 1);
        entered
    }

    fn wrong(&self, what: String) {
        self.enter(|books| books.wrong.push(what));
    }
}

impl Traffic {
    /// Makes the clients' side; nobody is connected yet.
    pub fn new(fixture: &Fixture, seed: u64) -> Self {
        let shared = Shared {
            books: Mutex::default(),
            answers: watch::Sender::new(0),
            writing: watch::Sender::new(true),
            seals: AGENCIES.iter().map(|agency| (*agency, fixture.seal(agency))).collect(),
        };
        Self { shared: Arc::new(shared), seed, clients: Vec::new(), tasks: Vec::new() }
    }

    /// Connects everybody and lets them work; later calls change nothing, since they never stop.
    /// A hub may die meanwhile: whoever is not connected is next time.
    pub async fn begin(&mut self, fixture: &Fixture) {
        if !self.tasks.is_empty() {
            return;
        }
        let connected = async {
            let mut clients = Vec::new();
            for agency in AGENCIES {
                let patient = fixture.client(agency, FOR_EVER).await;
                let impatient = fixture.client(agency, Duration::ZERO).await;
                let subscription = patient.subscribe(&[], 16).await.unwrap();
                clients.push((agency, patient, impatient, subscription));
            }
            clients
        };
        let Ok(clients) = tokio::time::timeout(Duration::from_secs(2), connected).await else {
            return;
        };
        for (index, (agency, patient, impatient, subscription)) in clients.into_iter().enumerate() {
            let shared = self.shared.clone();
            let receiving =
                receive(shared.clone(), agency, subscription, patient.reports(8), self.seed);
            self.tasks.push(tokio::spawn(receiving));
            let streams = Streams { stream: patient.submissions(8), impatient };
            for lane in 0..UNDER_WAY {
                let number = (index * UNDER_WAY + lane + 1) as u64;
                let rng = ChaCha8Rng::seed_from_u64(self.seed ^ (number * 0x9E37_79B9));
                self.tasks.push(tokio::spawn(write(shared.clone(), agency, streams.clone(), rng)));
            }
            self.clients.push(patient);
        }
    }

    /// Notes that the hub is started.
    pub fn another_life(&self) {
        self.shared.books.lock().unwrap().life += 1;
    }

    /// The clients, in the order of [`AGENCIES`].
    pub fn clients(&self) -> Vec<Client> {
        self.clients.clone()
    }

    /// The books as they stand.
    pub fn books(&self) -> Books {
        self.shared.books.lock().unwrap().clone()
    }

    /// Answers of the hub so far.
    pub fn answers(&self) -> u64 {
        *self.shared.answers.borrow()
    }

    /// Waits until there have been so many answers.
    pub async fn answered(&self, count: u64, patience: Duration) -> bool {
        let mut answers = self.shared.answers.subscribe();
        let reached = answers.wait_for(|answers| *answers >= count);
        tokio::time::timeout(patience, reached).await.is_ok()
    }

    /// Stops writing and waits until everything under way has come to its end.
    ///
    /// # Errors
    /// What is open when the patience is over.
    pub async fn quiet(&self, patience: Duration) -> Result<(), String> {
        {
            // Under the lock nobody is between looking and entering.
            let _books = self.shared.books.lock().unwrap();
            self.shared.writing.send_replace(false);
        }
        let mut answers = self.shared.answers.subscribe();
        let open = |books: &Books| {
            let doubtful = books.sent.values().filter(|sent| sent.receipt.is_none()).count();
            let undone = books.promised().filter(|(key, _)| !books.done.contains(key)).count();
            (doubtful, undone)
        };
        let ended = answers.wait_for(|_| open(&self.shared.books.lock().unwrap()) == (0, 0));
        let ended = tokio::time::timeout(patience, ended).await.is_ok();
        if ended {
            return Ok(());
        }
        let books = self.books();
        let (doubtful, undone) = open(&books);
        Err(format!("{doubtful} documents in doubt, {undone} deliveries undone; {books}"))
    }

    /// Lets them write again.
    pub fn go_on(&self) {
        self.shared.writing.send_replace(true);
    }

    /// Submits one document of the first agency and enters it; returns its name.
    pub async fn submit_one(&self, client: &Client) -> Name {
        let mut rng = ChaCha8Rng::seed_from_u64(self.seed);
        let (name, sent) = letter(&self.shared, AGENCIES[0], &mut rng);
        let signed = sent.signed.clone();
        self.shared.books.lock().unwrap().sent.insert(name.clone(), sent);
        let receipt = client.submit(signed).await.unwrap();
        self.shared.enter(|books| books.accepted(&name, receipt));
        name
    }

    /// Ends everybody.
    pub fn end(&mut self) {
        for task in self.tasks.drain(..) {
            task.abort();
        }
        self.clients.clear();
    }
}

impl Drop for Traffic {
    fn drop(&mut self) {
        self.end();
    }
}

#[derive(Clone)]
struct Streams {
    stream: Submissions,
    /// Tries once: what fails is in doubt.
    impatient: Client,
}

/// Writes and submits documents, one after the other.
async fn write(shared: Arc<Shared>, agency: &'static str, streams: Streams, mut rng: ChaCha8Rng) {
    let mut writing = shared.writing.subscribe();
    while writing.wait_for(|writing| *writing).await.is_ok() {
        let (name, sent) = letter(&shared, agency, &mut rng);
        let signed = sent.signed.clone();
        {
            let mut books = shared.books.lock().unwrap();
            if !*shared.writing.borrow() {
                continue;
            }
            books.sent.insert(name.clone(), sent);
        }
        let outcome = if rng.random_ratio(1, 3) {
            match streams.impatient.submit(signed.clone()).await {
                Err(error) if passing(&error) => {
                    shared.books.lock().unwrap().doubts += 1;
                    streams.stream.submit(signed.clone()).await
                }
                outcome => outcome,
            }
        } else {
            streams.stream.submit(signed.clone()).await
        };
        match outcome {
            Ok(receipt) => shared.enter(|books| books.accepted(&name, receipt)),
            Err(error) => shared.wrong(format!("{name:?}: {error}")),
        }
        // Now and then it is handed over once more although there is a receipt.
        if rng.random_ratio(1, 16) {
            match streams.stream.submit(signed).await {
                Ok(receipt) => shared.enter(|books| books.accepted(&name, receipt)),
                Err(error) => shared.wrong(format!("{name:?} again: {error}")),
            }
        }
    }
}

fn passing(error: &CallError) -> bool {
    error.may_pass() || matches!(error, CallError::Unreachable(_))
}

fn letter(shared: &Shared, agency: &'static str, rng: &mut ChaCha8Rng) -> (Name, Sent) {
    let others: Vec<&str> = AGENCIES.into_iter().filter(|other| *other != agency).collect();
    let first = rng.random_range(0..others.len());
    let count = rng.random_range(1..=others.len());
    let to = others.iter().cycle().skip(first).take(count);
    let recipients: Vec<_> = to.map(|other| code(other)).collect();
    let id = MessageId::new(now(), rng.random());
    let number = rng.random_range(1..10_000);
    let mut document = Document::new(id, code(agency), recipients.clone(), "Về việc", id.time())
        .issued(number, DocumentType::OFFICIAL_LETTER, "UBND");
    // Some are too large for a record and go through payload files.
    let long = if rng.random_ratio(1, 24) { 20_000 } else { rng.random_range(1..1_500) };
    document.extensions = (0..long / 1_000 + 1)
        .map(|part| lienthong_model::Extension {
            path: format!("phan/{part}"),
            text: "x".repeat(long.min(1_000)),
        })
        .collect();
    let signed = sign_document(&document, Vec::new(), &[&shared.seals[agency]]);
    ((code(agency), id), Sent { signed, recipients, receipt: None })
}

/// Takes what comes; the first time it is also reported on.
async fn receive(
    shared: Arc<Shared>,
    agency: &'static str,
    mut subscription: Subscription,
    reports: Reports,
    seed: u64,
) {
    let acknowledger = subscription.acknowledger();
    while let Some(next) = subscription.next().await {
        match next {
            Ok(delivery) => {
                let (shared, acknowledger) = (shared.clone(), acknowledger.clone());
                tokio::spawn(take(shared, agency, delivery, acknowledger, reports.clone(), seed));
            }
            Err(error) => shared.wrong(format!("the subscription of {agency}: {error}")),
        }
    }
}

async fn take(
    shared: Arc<Shared>,
    agency: &'static str,
    delivery: Delivery,
    acknowledger: Acknowledger,
    reports: Reports,
    seed: u64,
) {
    let key = delivery.key.clone();
    let times = shared.enter(|books| books.came(&key));
    // Some recipients cannot take it the first time.
    if times == 1 && (seed ^ key.position.0).is_multiple_of(8) {
        let (reason, delay) = ("Ổ đĩa đầy".to_owned(), Some(Duration::ZERO));
        let later = NegativeAcknowledgement { key: key.clone(), reason, delay };
        if let Err(error) = acknowledger.negative_acknowledge(later).await {
            shared.wrong(format!("putting {key:?} off: {error}"));
        }
        return;
    }
    match acknowledger.acknowledge(std::slice::from_ref(&key)).await {
        Ok(()) => shared.enter(|books| books.acknowledged.insert(key.clone(), books.life)),
        Err(error) => return shared.wrong(format!("acknowledging {key:?}: {error}")),
    };
    let first = shared.enter(|books| books.taken.insert(key.clone()));
    if first {
        report(&shared, agency, &delivery, &reports, seed).await;
        shared.enter(|books| books.done.insert(key));
    }
}

async fn report(
    shared: &Shared,
    agency: &'static str,
    delivery: &Delivery,
    reports: &Reports,
    seed: u64,
) {
    let DeliveryKey { position, .. } = delivery.key;
    let document = match decode_document(&delivery.signed.content) {
        Ok(document) => document,
        Err(refusal) => return shared.wrong(format!("{:?}: {refusal}", delivery.key)),
    };
    let answer = ANSWERS[((seed ^ position.0) % 4) as usize];
    for status in answer {
        let id = MessageId::new(now(), rand::random());
        let on = (document.from.code.clone(), document.id);
        let report = StatusReport::new(id, code(agency), on, *status).because("Gửi nhầm");
        let signed = sign_report(&report, &[&shared.seals[agency]]);
        match reports.report(signed).await {
            Ok(receipt) => shared.enter(|books| {
                let reported = Reported { code: *status, receipt };
                books.reported.entry(delivery.key.clone()).or_default().push(reported);
            }),
            Err(error) => {
                return shared.wrong(format!("{status} on {:?}: {error}", delivery.key));
            }
        }
    }
}
