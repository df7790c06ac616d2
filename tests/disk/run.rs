//! A recorded run: a hub in a process of its own, clients that work with it over the network, and
//! what they were told, each with the point in the order of the disk's changes at which it had
//! been said.
//!
//! The point is taken when a client has the answer, so a cut from there on must keep what it says.

use std::fmt;
use std::io::{BufRead as _, BufReader};
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use lienthong_client::{Client, FileDigest, ListToSave, sign_document, sign_report};
use lienthong_model::limits::REPLAY_MARGIN_BLOCKS;
use lienthong_model::{
    AgencyCode, Attachment, AttachmentEntry, Digest, Document, Extension, MessageId, Position,
    SignedContent, StatusCode, StatusReport,
};
use lienthong_wire::decode_document;
use rand::{RngExt as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;

use crate::PATIENCE;
use crate::fixture::{AGENCIES, Fixture, code, now};
use crate::record::{Event, Recorder};

/// Documents that each agency sends in one of the hub's lives.
const DOCUMENTS: usize = 40;
/// Documents of one agency under way at a time.
const UNDER_WAY: usize = 4;
/// Files that are uploaded in each life.
const UPLOADS: usize = 3;
const UPLOAD_BYTES: usize = 700_000;

/// What a client was told.
#[derive(Debug, Clone)]
pub enum Fact {
    Accepted { signed: Box<SignedContent>, sender: AgencyCode, id: MessageId, position: Position },
    Acknowledged { recipient: AgencyCode, position: Position },
    Reported { recipient: AgencyCode, on: Position, position: Position },
    Uploaded { sha256: Digest },
    Checkpoint { note: String, key: String },
}

impl fmt::Display for Fact {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Accepted { sender, id, position, .. } => {
                write!(f, "document {id} of {sender} accepted at {position}")
            }
            Self::Acknowledged { recipient, position } => {
                write!(f, "acknowledgement of {position} by {recipient}")
            }
            Self::Reported { recipient, on, position } => {
                write!(f, "report of {recipient} on {on} at {position}")
            }
            Self::Uploaded { sha256 } => write!(f, "upload {sha256}"),
            Self::Checkpoint { note, .. } => write!(f, "checkpoint {note}"),
        }
    }
}

/// A run that is over.
pub struct Run {
    pub fixture: Fixture,
    pub recorder: Recorder,
    pub events: Vec<Event>,
    /// With the point from which on they hold, rising.
    pub facts: Vec<(u64, Fact)>,
    /// Everything that was handed over, told or not.
    pub sent: Vec<SignedContent>,
}

/// The facts so far.
#[derive(Clone)]
struct Notes {
    recorder: Recorder,
    facts: Arc<Mutex<Vec<(u64, Fact)>>>,
    sent: Arc<Mutex<Vec<SignedContent>>>,
}

impl Notes {
    fn told(&self, fact: Fact) {
        let mut facts = self.facts.lock().unwrap();
        facts.push((self.recorder.point(), fact));
    }
}

/// The hub's process; killed when it is dropped.
pub struct Process {
    process: std::process::Child,
    log: PathBuf,
}

impl Process {
    /// Starts a hub on the fixture's data folder with a recorder attached.
    pub fn command(fixture: &Fixture) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_lienthong"));
        for (name, _) in std::env::vars_os() {
            if name.to_string_lossy().starts_with("LIENTHONG_") {
                command.env_remove(name);
            }
        }
        command
            .arg("hub")
            .args(["--listen", &fixture.address.to_string(), "--clock", "real"])
            .arg("--data")
            .arg(fixture.data())
            .arg("--pki")
            .arg(fixture.beside("pki"))
            .arg("--directory")
            .arg(fixture.beside("agencies.csv"))
            .env("LIENTHONG_LOG", "warn")
            .env("LIENTHONG_HTTP", "off");
        command
    }

    /// Starts it and waits until it is ready.
    ///
    /// # Errors
    /// What it said before it ended.
    pub fn start(mut command: Command, fixture: &Fixture) -> Result<Self, String> {
        let log = fixture.beside("stderr");
        let mut process = command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(std::fs::File::create(&log).unwrap())
            .spawn()
            .unwrap();
        let mut said = BufReader::new(process.stdout.take().unwrap());
        let mut line = String::new();
        let ready = said.read_line(&mut line).is_ok_and(|bytes| bytes > 0);
        // Read on, so that the process never waits for a reader.
        std::thread::spawn(move || said.lines().for_each(drop));
        let mut started = Self { process, log };
        if ready { Ok(started) } else { Err(started.ended()) }
    }

    /// Waits until it has ended by itself, and returns what it said.
    pub fn ended(&mut self) -> String {
        self.process.wait().unwrap();
        self.said()
    }

    /// Whether it runs.
    pub fn alive(&mut self) -> bool {
        self.process.try_wait().unwrap().is_none()
    }

    /// What it said on stderr so far.
    pub fn said(&self) -> String {
        std::fs::read_to_string(&self.log).unwrap_or_default()
    }

    /// Kills it without a warning.
    pub fn kill(&mut self) {
        let _ = self.process.kill();
        self.process.wait().unwrap();
    }

    /// Asks it to drain, and waits until it has.
    pub fn drain(&mut self) {
        let id = self.process.id().to_string();
        let told = Command::new("kill").args(["-TERM", &id]).status().unwrap();
        assert!(told.success() && self.process.wait().unwrap().success(), "{}", self.said());
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.kill();
    }
}

impl Run {
    /// Runs a hub from an empty folder: a first life that is killed under load, a second one that
    /// recovers, works, makes many blocks and drains.
    pub async fn record(seed: u64) -> Self {
        let fixture = Fixture::new();
        std::fs::create_dir(fixture.data()).unwrap();
        let recorder = Recorder::of(&fixture.data(), &fixture.beside(""));
        let notes =
            Notes { recorder: recorder.clone(), facts: Arc::default(), sent: Arc::default() };
        for life in 0..2_u64 {
            let mut command = Process::command(&fixture);
            recorder.attach(&mut command);
            let mut process = Process::start(command, &fixture).unwrap();
            let load = load(&fixture, &notes, seed ^ (life << 32));
            tokio::time::timeout(PATIENCE * 4, load).await.expect("the load comes to its end");
            if life == 0 {
                process.kill();
                continue;
            }
            more_blocks(&fixture).await;
            process.drain();
        }
        let facts = std::mem::take(&mut *notes.facts.lock().unwrap());
        let sent = std::mem::take(&mut *notes.sent.lock().unwrap());
        Self { events: recorder.events(), fixture, recorder, facts, sent }
    }

    /// What must hold after a cut before an event.
    pub fn told(&self, cut: usize) -> impl Iterator<Item = &Fact> {
        let point = cut.checked_sub(1).map_or(0, |last| self.events[last].end);
        self.facts.iter().take_while(move |(from, _)| *from <= point).map(|(_, fact)| fact)
    }

    /// The first cut at which a fact must hold.
    pub fn cut_after(&self, fact: usize) -> usize {
        let (point, _) = self.facts[fact];
        self.events.partition_point(|event| event.end < point) + 1
    }
}

/// Makes more blocks than a start replays: what lies before them only the state has.
async fn more_blocks(fixture: &Fixture) {
    let client = fixture.client(AGENCIES[0], PATIENCE).await;
    let list = ListToSave {
        owner: code(AGENCIES[0]),
        name: "khac".to_owned(),
        title: "Danh sách".to_owned(),
        members: vec![code(AGENCIES[1])],
    };
    for _ in 0..REPLAY_MARGIN_BLOCKS + 64 {
        client.save_list(list.clone()).await.unwrap();
    }
}

/// Everybody works until they have done their share.
async fn load(fixture: &Fixture, notes: &Notes, seed: u64) {
    let mut tasks = tokio::task::JoinSet::new();
    let mut receivers = tokio::task::JoinSet::new();
    for (number, agency) in AGENCIES.into_iter().enumerate() {
        let client = fixture.client(agency, PATIENCE).await;
        receivers.spawn(receive(client.clone(), agency, fixture.seal(agency), notes.clone()));
        for lane in 0..UNDER_WAY {
            let rng = ChaCha8Rng::seed_from_u64(seed ^ ((number * UNDER_WAY + lane) as u64 + 1));
            let writer = Writer {
                client: client.clone(),
                agency,
                seal: fixture.seal(agency),
                notes: notes.clone(),
                rng,
            };
            tasks.spawn(writer.write(DOCUMENTS / UNDER_WAY));
        }
    }
    let client = fixture.client(AGENCIES[2], PATIENCE).await;
    let rng = ChaCha8Rng::seed_from_u64(seed);
    let seal = fixture.seal(AGENCIES[2]);
    let writer = Writer { client, agency: AGENCIES[2], seal, notes: notes.clone(), rng };
    tasks.spawn(writer.upload(fixture.beside("upload")));
    while let Some(ended) = tasks.join_next().await {
        ended.unwrap();
    }
}

struct Writer {
    client: Client,
    agency: &'static str,
    seal: lienthong_client::Signer,
    notes: Notes,
    rng: ChaCha8Rng,
}

impl Writer {
    async fn write(mut self, count: usize) {
        for number in 0..count {
            let mut document = self.document();
            let mut attachments = Vec::new();
            // Some contents, and some attachments, are too large for a record.
            let long = if number % 8 == 3 { 20_000 } else { self.rng.random_range(1..1_500) };
            document.extensions = (0..long / 1_000 + 1)
                .map(|part| Extension { path: format!("phan/{part}"), text: "x".repeat(1_000) })
                .collect();
            if number % 8 == 5 {
                let bytes: Vec<u8> = (0..30_000).map(|_| self.rng.random()).collect();
                let bytes = Bytes::from(bytes);
                let entry = AttachmentEntry::of("cid:toan-van", "toan-van.pdf", &bytes);
                document.attachments.push(entry);
                attachments.push(Attachment { content_id: "cid:toan-van".to_owned(), bytes });
            }
            self.submit(document, attachments).await;
            if number % 4 == 0 {
                let newest = self.client.checkpoint().await.unwrap();
                self.notes.told(Fact::Checkpoint { note: newest.checkpoint, key: newest.key });
            }
        }
    }

    /// Uploads files, and names them.
    async fn upload(mut self, path: PathBuf) {
        for _ in 0..UPLOADS {
            let bytes: Vec<u8> = (0..UPLOAD_BYTES).map(|_| self.rng.random()).collect();
            std::fs::write(&path, &bytes).unwrap();
            let whole = FileDigest::of(&path, |_| ()).await.unwrap();
            self.client.upload(&path, &whole, |_| ()).await.unwrap();
            self.notes.told(Fact::Uploaded { sha256: whole.sha256 });
            let mut document = self.document();
            let entry = AttachmentEntry::of("cid:ban-do", "ban-do.zip", b"");
            let FileDigest { size, sha256 } = whole;
            document.attachments = vec![AttachmentEntry { size, sha256, ..entry }];
            self.submit(document, Vec::new()).await;
        }
    }

    fn document(&mut self) -> Document {
        let id = MessageId::new(now(), self.rng.random());
        let others = AGENCIES.iter().filter(|other| **other != self.agency);
        let count = self.rng.random_range(1..AGENCIES.len());
        let to: Vec<_> = others.take(count).map(|other| code(other)).collect();
        Document::new(id, code(self.agency), to, "Về việc thử đĩa", id.time())
    }

    async fn submit(&mut self, document: Document, attachments: Vec<Attachment>) {
        let signed = sign_document(&document, attachments, &[&self.seal]);
        self.notes.sent.lock().unwrap().push(signed.clone());
        let receipt = self.client.submit(signed.clone()).await.unwrap();
        self.notes.told(Fact::Accepted {
            signed: Box::new(signed),
            sender: code(self.agency),
            id: document.id,
            position: receipt.position,
        });
    }
}

/// Takes what comes, acknowledges it, and reports on some of it.
async fn receive(
    client: Client,
    agency: &'static str,
    seal: lienthong_client::Signer,
    notes: Notes,
) {
    let mut subscription = client.subscribe(&[], 16).await.unwrap();
    let acknowledger = subscription.acknowledger();
    while let Some(Ok(delivery)) = subscription.next().await {
        let key = delivery.key.clone();
        if acknowledger.acknowledge(std::slice::from_ref(&key)).await.is_err() {
            return;
        }
        let (recipient, position) = (key.recipient.clone(), key.position);
        notes.told(Fact::Acknowledged { recipient, position });
        if position.0 % 3 != 0 {
            continue;
        }
        let document = decode_document(&delivery.signed.content).unwrap();
        let id = MessageId::new(now(), rand::random());
        let on = (document.from.code.clone(), document.id);
        let report = StatusReport::new(id, code(agency), on, StatusCode::Accepted);
        let Ok(receipt) = client.report(sign_report(&report, &[&seal])).await else { return };
        notes.told(Fact::Reported {
            recipient: key.recipient,
            on: position,
            position: receipt.position,
        });
    }
}
