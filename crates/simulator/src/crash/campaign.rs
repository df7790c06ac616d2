//! A campaign: rounds on one folder, each a death of the hub and a check of what is left.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use lienthong_client::Client;
use lienthong_model::{AgencyCode, Level};
use rand::seq::IteratorRandom as _;
use rand::{RngExt as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;

use super::PATIENCE;
use super::books::{Books, Name};
use super::checking::Check;
use super::child::{Child, Death};
use super::error::CrashError;
use super::ground::{Ground, directory_with_communes};
use super::proofs::Line;
use super::traffic::Traffic;

/// Where the process can be made to die.
pub const POINTS: [&str; 8] = [
    "block-appended",
    "block-synced",
    "state-half-written",
    "state-written",
    "reply-sent",
    "upload-appended",
    "upload-synced",
    "payloads-shelved",
];
/// Answers that a hub must give before what it says is checked.
const CHECK_AFTER: u64 = 20;
/// Documents of earlier rounds that a round checks again, beside what is new.
const CHECKED_AGAIN: usize = 128;
/// How long a point is waited for: some are passed rarely.
const POINT_MAX: Duration = Duration::from_secs(20);
/// Differences that are kept of a round.
const FOUND_MAX: usize = 1_000;

/// How one process dies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// Killed when the clients have had this many answers.
    Answers(u64),
    /// Dies by itself when it passes a named point for the n-th time.
    At(&'static str, u32),
}

/// What a round came to.
#[derive(Debug, Clone)]
pub struct Round {
    /// Which one, from 1.
    pub number: u64,
    /// How the hub was to die.
    pub end: End,
    /// How it died: it is killed by force where it does not pass the point in time.
    pub death: Death,
    /// From the start of the next process to its readiness.
    pub ready_after: Duration,
    /// Documents that were asked for.
    pub checked: usize,
    /// Everything in which the clients' books and the hub differ; at most 1,000.
    pub found: Vec<String>,
}

/// What all rounds came to.
#[derive(Debug, Clone, Default)]
pub struct Outcome {
    /// Deaths by what brought them about.
    pub deaths: BTreeMap<&'static str, u64>,
    /// Processes that were started.
    pub lives: usize,
    /// Documents accepted.
    pub documents: usize,
    /// Of them, to a list of communes.
    pub fan_outs: u64,
    /// Deliveries that came.
    pub deliveries: usize,
    /// How often one came again.
    pub delivered_again: usize,
    /// Deliveries acknowledged.
    pub acknowledged: usize,
    /// Status reports accepted.
    pub reports: usize,
    /// Requests to take back accepted.
    pub recalls: usize,
    /// Notices that came.
    pub notices: usize,
    /// Attachments uploaded.
    pub uploads: u64,
    /// Attachments that recipients fetched.
    pub downloads: u64,
    /// Documents whose outcome was in doubt and that were handed over again.
    pub doubts: u64,
    /// First receipts that were given again.
    pub repeated: u64,
    /// Different checkpoints that were given out.
    pub checkpoints: usize,
    /// Proofs that one was the beginning of a later one.
    pub proofs: u64,
}

/// A run on one folder.
pub struct Campaign {
    ground: Ground,
    traffic: Traffic,
    rng: ChaCha8Rng,
    line: Line,
    rounds: u64,
    deaths: BTreeMap<&'static str, u64>,
}

impl End {
    /// The end of a round: every second one is at a point, each point in its turn.
    fn choose(round: u64, rng: &mut ChaCha8Rng) -> Self {
        if round.is_multiple_of(2) {
            return Self::Answers(rng.random_range(1..120));
        }
        let point = POINTS[(round / 2 % POINTS.len() as u64) as usize];
        let passings = match point {
            "block-appended" | "block-synced" | "reply-sent" => 1..80,
            _ => 1..4,
        };
        Self::At(point, rng.random_range(passings))
    }

    fn plan(self) -> Option<String> {
        match self {
            Self::Answers(_) => None,
            Self::At(point, passing) => Some(format!("{point}:{passing}")),
        }
    }

    /// Returns its name: the point's, or that it comes by force.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Answers(_) => "SIGKILL",
            Self::At(point, _) => point,
        }
    }
}

impl Campaign {
    /// Prepares a campaign in an existing, empty folder: `program` is the hub, H34 has so many
    /// communes. Everything random follows from the seed, but for what depends on who comes first.
    ///
    /// # Errors
    /// [`CrashError`] when the folder cannot be written.
    pub fn new(
        folder: &std::path::Path,
        program: &std::path::Path,
        seed: u64,
        communes: usize,
    ) -> Result<Self, CrashError> {
        let directory = directory_with_communes(communes);
        let ground = Ground::new(folder, program, &directory)?;
        let all = directory.into_iter().filter(|entry| entry.level == Level::Commune);
        let communes: Vec<AgencyCode> = all.map(|entry| entry.code).collect();
        let traffic = Traffic::new(&ground, seed, communes)?;
        let (line, deaths) = (Line::default(), BTreeMap::new());
        let rng = ChaCha8Rng::seed_from_u64(seed);
        Ok(Self { ground, traffic, rng, line, rounds: 0, deaths })
    }

    /// Returns what stays the same from one process to the next.
    pub fn ground(&self) -> &Ground {
        &self.ground
    }

    /// Returns the last document that the hub has receipted.
    pub fn last_document(&self) -> Option<Name> {
        self.traffic.last_document()
    }

    /// Plays the next round with an end that follows from the seed.
    ///
    /// # Errors
    /// As [`Campaign::round_with`].
    pub async fn round(&mut self) -> Result<Round, CrashError> {
        let end = End::choose(self.rounds, &mut self.rng);
        self.round_with(end).await
    }

    /// Plays the next round: starts a hub, lets it die, starts another one, lets everything under
    /// way come to its end, checks, and kills that one too.
    ///
    /// # Errors
    /// [`CrashError`] when a hub does not start or dies where nobody killed it.
    pub async fn round_with(&mut self, end: End) -> Result<Round, CrashError> {
        self.rounds += 1;
        let number = self.rounds;
        let death = self.die(number, end).await?;
        let mut found = Vec::new();
        let started = Instant::now();
        let mut child = self.start(&format!("round {number}, after {}", end.name())).await?;
        let ready_after = started.elapsed();
        self.traffic.begin(&self.ground).await?;
        let answers = self.traffic.answers() + CHECK_AFTER;
        if !self.traffic.answered(answers, PATIENCE).await {
            found.push(format!("nothing moves; the hub said: {}", child.said()));
        } else if let Err(open) = self.traffic.quiet(PATIENCE).await {
            found.push(open);
        }
        let documents = self.names_due();
        found.extend(self.check(&documents).await);
        found.truncate(FOUND_MAX);
        self.traffic.go_on();
        child.kill()?;
        self.count("SIGKILL");
        Ok(Round { number, end, death, ready_after, checked: documents.len(), found })
    }

    /// Starts a hub and lets it die.
    async fn die(&mut self, number: u64, end: End) -> Result<Death, CrashError> {
        self.traffic.another_life();
        let mut child = Child::start(&self.ground, end.plan().as_deref())?;
        // A point may be passed before the hub is ready: it dies in its recovery then.
        let ready = child.ready(PATIENCE).await;
        let answers = self.traffic.answers();
        if ready {
            tokio::select! {
                begun = self.traffic.begin(&self.ground) => begun?,
                // Nobody is connected to it any more: next time.
                died = child.died(PATIENCE) => drop(died?),
            }
        }
        let when = || format!("round {number}, {end:?}");
        let death = match end {
            End::Answers(_) if !ready => {
                return Err(CrashError::Hub { when: when(), said: child.said() });
            }
            End::Answers(count) => {
                self.traffic.answered(answers + count, PATIENCE).await;
                child.kill()?
            }
            End::At(..) => match child.died(POINT_MAX).await? {
                Some(death) => death,
                None => child.kill()?,
            },
        };
        match death {
            Death::Killed => self.count("SIGKILL"),
            Death::Aborted => self.count(end.name()),
            Death::Other(_) => {
                return Err(CrashError::Hub { when: when(), said: child.said() });
            }
        }
        Ok(death)
    }

    /// Starts a hub that is not to die.
    async fn start(&mut self, when: &str) -> Result<Child, CrashError> {
        self.traffic.another_life();
        let mut child = Child::start(&self.ground, None)?;
        if child.ready(PATIENCE).await {
            return Ok(child);
        }
        Err(CrashError::Hub { when: when.to_owned(), said: child.said() })
    }

    /// Starts a hub, lets everything under way come to its end, ends the traffic, and kills the hub;
    /// returns what is not at its end.
    ///
    /// # Errors
    /// [`CrashError`] when the hub does not start.
    pub async fn rest(&mut self) -> Result<Vec<String>, CrashError> {
        let mut child = self.start("the end").await?;
        let open = self.traffic.quiet(PATIENCE).await.err();
        self.traffic.end();
        child.kill()?;
        Ok(open.into_iter().collect())
    }

    /// Lets the traffic rest, starts a hub and checks all that
    /// the clients were ever told, each document, report and checkpoint, with new connections; returns
    /// what differs, at most 1,000.
    ///
    /// # Errors
    /// [`CrashError`] when the hub does not start or cannot be reached.
    pub async fn check_everything(&mut self) -> Result<Vec<String>, CrashError> {
        let mut found = match self.traffic.clients().is_empty() {
            true => Vec::new(),
            false => self.rest().await?,
        };
        let mut child = self.start("the last check").await?;
        let clients = self.ground.clients().await?;
        let documents: Vec<Name> = self.traffic.read(|books| books.sent.keys().cloned().collect());
        self.line.begin_anew();
        found.extend(self.check_with(&documents, &clients).await);
        found.truncate(FOUND_MAX);
        drop(clients);
        child.kill()?;
        Ok(found)
    }

    /// Returns what there was so far.
    pub fn outcome(&self) -> Outcome {
        self.traffic.read(|books| Outcome {
            deaths: self.deaths.clone(),
            lives: books.life,
            documents: books.sent.values().filter(|sent| sent.receipt.is_some()).count(),
            fan_outs: books.figures.fan_outs,
            deliveries: books.received.len(),
            delivered_again: books.received.values().map(|times| times - 1).sum(),
            acknowledged: books.acknowledged.len(),
            reports: books.reported.values().map(Vec::len).sum(),
            recalls: books.recalled.len(),
            notices: books.notices.len(),
            uploads: books.figures.uploads,
            downloads: books.figures.downloads,
            doubts: books.figures.doubts,
            repeated: books.figures.repeated,
            checkpoints: books.checkpoints.len(),
            proofs: self.line.proven,
        })
    }

    fn count(&mut self, death: &'static str) {
        *self.deaths.entry(death).or_default() += 1;
    }

    /// What is new since the last check, and some of what is older.
    fn names_due(&mut self) -> Vec<Name> {
        let rng = &mut self.rng;
        self.traffic.read(|books| {
            let mut names = std::mem::take(&mut books.touched);
            names.extend(books.sent.keys().cloned().sample(rng, CHECKED_AGAIN));
            names.into_iter().collect()
        })
    }

    async fn check(&mut self, documents: &[Name]) -> Vec<String> {
        let clients = self.traffic.clients().to_vec();
        self.check_with(documents, &clients).await
    }

    async fn check_with(&mut self, documents: &[Name], clients: &[Client]) -> Vec<String> {
        let books: Books = self.traffic.read(|books| books.clone());
        // First, since what is handed over once more makes a log that lost something grow again.
        let mut found = match (self.traffic.key(), clients.first()) {
            (Some(key), Some(client)) => self.line.prove(&books.checkpoints, &key, client).await,
            _ => vec!["no client could connect".to_owned()],
        };
        found.extend(Check { books: &books, clients, documents }.differences().await);
        found
    }
}
