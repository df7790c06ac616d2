//! Four clients that never give up: they submit, acknowledge what they receive, report on it, take
//! back and answer, over every death of the hub.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use lienthong_client::{Client, DeliveryKey, DocumentCheck, Signer};
use lienthong_model::AgencyCode;
use lienthong_trust::NoteKey;
use parking_lot::Mutex;
use rand::SeedableRng as _;
use rand_chacha::ChaCha8Rng;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use super::books::{Books, Name};
use super::error::CrashError;
use super::ground::{AGENCIES, Ground};
use super::receiving::{self, Recipient};
use super::writing::{self, Streams, Writer};
use super::{FOR_EVER, PATIENCE};

/// Documents of one client under way at a time.
const UNDER_WAY: usize = 4;
/// Deliveries that are named of those that are undone.
const NAMED_MAX: usize = 3;
/// The shortest time between two looks at whether everything is at its end.
const LOOK_PAUSE: Duration = Duration::from_millis(10);
/// Deliveries and notices that a client has unacknowledged.
const CREDIT: u32 = 64;

/// The clients and what they share.
pub(super) struct Traffic {
    shared: Arc<Shared>,
    clients: Vec<Client>,
    tasks: Vec<JoinHandle<()>>,
}

/// What all tasks of the clients share.
pub(super) struct Shared {
    pub seed: u64,
    books: Mutex<Books>,
    /// Answers of the hub so far.
    answers: watch::Sender<u64>,
    /// Whether new documents are written.
    pub writing: watch::Sender<bool>,
    pub seals: BTreeMap<&'static str, Signer>,
    pub check: DocumentCheck,
    /// The key of the hub's log, once it is known; it never changes.
    pub key: Mutex<Option<NoteKey>>,
    /// The communes that the list of communes has.
    pub communes: Vec<AgencyCode>,
    /// Where attachments are written and received.
    pub folder: PathBuf,
}

impl Shared {
    /// Enters an answer of the hub into the books.
    pub fn enter<T>(&self, enter: impl FnOnce(&mut Books) -> T) -> T {
        let entered = enter(&mut self.books.lock());
        self.answers.send_modify(|answers| *answers += 1);
        entered
    }

    /// Notes something that is no answer.
    pub fn note<T>(&self, note: impl FnOnce(&mut Books) -> T) -> T {
        note(&mut self.books.lock())
    }

    pub fn wrong(&self, what: String) {
        self.enter(|books| books.wrong.push(what));
    }

    /// Begins a step that has to come to its end; `false` when nothing new is to begin.
    pub fn begin(&self) -> bool {
        let mut books = self.books.lock();
        let writing = *self.writing.borrow();
        books.busy += usize::from(writing);
        writing
    }

    /// Ends a step.
    pub fn end(&self) {
        self.enter(|books| books.busy = books.busy.saturating_sub(1));
    }
}

impl Traffic {
    /// Makes the clients' side; nobody is connected yet.
    pub fn new(ground: &Ground, seed: u64, communes: Vec<AgencyCode>) -> Result<Self, CrashError> {
        let mut seals = BTreeMap::new();
        for agency in AGENCIES {
            seals.insert(agency, ground.seal(agency)?);
        }
        let shared = Shared {
            seed,
            books: Mutex::default(),
            answers: watch::Sender::new(0),
            writing: watch::Sender::new(true),
            seals,
            check: ground.check()?,
            key: Mutex::new(None),
            communes,
            folder: ground.beside("transfers"),
        };
        std::fs::create_dir_all(&shared.folder)
            .map_err(super::error::io_error("create", &shared.folder))?;
        Ok(Self { shared: Arc::new(shared), clients: Vec::new(), tasks: Vec::new() })
    }

    /// Connects everybody and lets them work; later calls change nothing, since they never stop.
    /// A hub may die meanwhile: whoever is not connected is next time.
    pub async fn begin(&mut self, ground: &Ground) -> Result<(), CrashError> {
        if !self.tasks.is_empty() {
            return Ok(());
        }
        let connected = tokio::time::timeout(PATIENCE, connect(ground, &self.shared)).await;
        // Not in time, or not any more.
        let Ok(Ok(connected)) = connected else { return Ok(()) };
        for (index, one) in connected.into_iter().enumerate() {
            let Connected { agency, patient, impatient, documents, notices } = one;
            let recipient = Recipient {
                shared: self.shared.clone(),
                agency,
                client: patient.clone(),
                reports: patient.reports(8),
            };
            self.tasks.push(tokio::spawn(receiving::receive(recipient.clone(), documents)));
            self.tasks.push(tokio::spawn(receiving::read_notices(recipient, notices)));
            let streams = Streams {
                stream: patient.submissions(8),
                reports: patient.reports(8),
                patient: patient.clone(),
                impatient,
            };
            for lane in 0..UNDER_WAY {
                let number = (index * UNDER_WAY + lane + 1) as u64;
                let rng = ChaCha8Rng::seed_from_u64(self.shared.seed ^ (number * 0x9E37_79B9));
                let (shared, streams) = (self.shared.clone(), streams.clone());
                let writer = Writer { shared, agency, lane, streams, rng };
                self.tasks.push(tokio::spawn(writing::write(writer)));
            }
            self.clients.push(patient);
        }
        Ok(())
    }

    /// Notes that the hub is started.
    pub fn another_life(&self) {
        self.shared.note(|books| books.life += 1);
    }

    /// The clients, in the order of [`AGENCIES`]; empty before they began and after they ended.
    pub fn clients(&self) -> &[Client] {
        &self.clients
    }

    /// The books as they stand.
    pub fn read<T>(&self, read: impl FnOnce(&mut Books) -> T) -> T {
        self.shared.note(read)
    }

    /// The key of the hub's log, once it is known.
    pub fn key(&self) -> Option<NoteKey> {
        self.shared.key.lock().clone()
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
        self.shared.note(|_| self.shared.writing.send_replace(false));
        let open = || self.shared.note(|books| books.open());
        let ended = async {
            loop {
                let began = Instant::now();
                if open() == [0; 4] {
                    return;
                }
                // Nobody enters anything during a look: most of the time is theirs, however long it takes.
                tokio::time::sleep((began.elapsed() * 8).max(LOOK_PAUSE)).await;
            }
        };
        if tokio::time::timeout(patience, ended).await.is_ok() {
            return Ok(());
        }
        let [doubtful, undone, untold, busy] = open();
        let named: Vec<DeliveryKey> = self.shared.note(|books| {
            books.touched.iter().flat_map(|name| books.undone(name)).take(NAMED_MAX).collect()
        });
        Err(format!(
            "not at its end after {} s: {doubtful} documents in doubt, {undone} deliveries undone \
             {named:?}, {untold} notices missing, {busy} steps under way",
            patience.as_secs()
        ))
    }

    /// Lets them write again.
    pub fn go_on(&self) {
        self.shared.writing.send_replace(true);
    }

    /// Ends everybody.
    pub fn end(&mut self) {
        self.tasks.drain(..).for_each(|task| task.abort());
        self.clients.clear();
    }

    /// The documents that have receipts, by their place.
    pub fn last_document(&self) -> Option<Name> {
        self.shared.note(|books| {
            let placed = books
                .sent
                .iter()
                .filter_map(|(name, sent)| Some((sent.receipt.as_ref()?.position, name.clone())));
            placed.max().map(|(_, name)| name)
        })
    }
}

impl Drop for Traffic {
    fn drop(&mut self) {
        self.end();
    }
}

/// A client with its subscriptions.
struct Connected {
    agency: &'static str,
    patient: Client,
    /// Tries once: what fails is in doubt.
    impatient: Client,
    documents: lienthong_client::Subscription,
    notices: lienthong_client::NoticeSubscription,
}

async fn connect(ground: &Ground, shared: &Shared) -> Result<Vec<Connected>, CrashError> {
    let mut all = Vec::new();
    for agency in AGENCIES {
        let patient = ground.client(agency, FOR_EVER).await?;
        let impatient = ground.client(agency, Duration::ZERO).await?;
        let documents = patient.subscribe(&[], CREDIT).await?;
        let notices = patient.subscribe_to_notices(&[], CREDIT).await?;
        if shared.key.lock().is_none() {
            let said = patient.checkpoint().await?;
            *shared.key.lock() = NoteKey::parse(&said.key).ok();
        }
        all.push(Connected { agency, patient, impatient, documents, notices });
    }
    Ok(all)
}
