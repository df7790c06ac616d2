//! Measures what a year of documents costs: memory, files, time to be ready after a kill.
//!
//! ```text
//! cargo run --release -p lienthong-ledger --example year -- run FOLDER 1000000
//! cargo run --release -p lienthong-ledger --example year -- open FOLDER
//! ```
//!
//! `run` lays a year of traffic into a folder, at full speed, and dies without closing anything, as
//! by a kill; `open` says how long the folder takes to be ready. The traffic: every document goes to
//! three agencies, each acknowledges it and reports 03 and 06, within ten days in 95 of 100 cases;
//! in the others one recipient reports 03 and is not heard of again. Every report tells the sender,
//! which acknowledges that.
//!
//! It is the way of a block from its decisions on: sealed, appended, synced, applied, settled,
//! archived; with the look-ups that judgement makes for ids. Left out are the network, signatures
//! and the rest of judgement: no `Verified` is made here, the decisions are written down as a
//! replayed journal's are. Content is of words drawn from a list of 400, so that it compresses like
//! text; signatures and digests are random bytes, and do not compress.

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use lienthong_core::engine::{Blocks as _, Journal as _};
use lienthong_core::*;
use lienthong_ledger::{DataFolder, JournalBlocks, JournalFiles, PayloadFiles, SledState};
use lienthong_model::limits::JOURNAL_FILES_PLAIN;
use lienthong_model::{
    Addressee, AgencyCode, AgencyEntry, AgencyState, BusinessKind, Digest, DocumentType,
    Fingerprint, Header, Level, MessageId, Ordinal, Position, Reference, SignaturePolicy,
    StatusCode, StatusHeader, Timestamp, Urgency,
};
use lienthong_trust::SignatureKind;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const YEAR_MS: u64 = 365 * 86_400_000;
const DAY_MS: u64 = 86_400_000;
/// Documents in one block, beside what is due of earlier ones.
const PER_BLOCK: u64 = 40;
/// Reports in one block, of one kind.
const REPORTS_MAX: u64 = 150;
const WINDOWS: u64 = 20;
/// Documents submitted alone, to see how fast that is.
const ALONE: u64 = 5_000;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match arguments.as_slice() {
        ["run", folder, documents] => match documents.parse() {
            Ok(documents) => run(Path::new(folder), documents),
            Err(_) => return ExitCode::from(2),
        },
        ["open", folder] => open(Path::new(folder)),
        _ => {
            eprintln!("year run FOLDER DOCUMENTS | year open FOLDER");
            return ExitCode::from(2);
        }
    }
    ExitCode::SUCCESS
}

struct Hub {
    machine: Machine<SledState, Arc<PayloadFiles>>,
    journal: JournalFiles,
    blocks: JournalBlocks,
    state: Arc<SledState>,
}

impl Hub {
    fn open(folder: &Path) -> Self {
        let opened = DataFolder::open(folder).unwrap();
        let (state, payloads) = (Arc::new(opened.state), Arc::new(opened.payloads));
        let opening = Opening { state: state.clone(), payloads };
        let mut machine = Machine::open(opening).unwrap();
        for sealed in opened.blocks.replay(opened.replay_from) {
            machine.replay(&sealed.unwrap()).unwrap();
        }
        machine.cut().unwrap();
        std::mem::forget(opened.lock);
        Self { machine, journal: opened.journal, blocks: opened.blocks, state }
    }

    /// What the hub owes itself, then entries, each in a block of its own.
    fn order(&mut self, now: Timestamp, entries: Vec<Entry>) {
        self.machine.begin(now);
        for _ in 0..64 {
            let Some(work) = self.machine.next_work() else { break };
            self.machine.decide(Proposal::Work(work)).unwrap();
        }
        if let Some(sealed) = self.machine.seal() {
            self.journal.propose(&sealed).unwrap();
            self.journal.read_ordered().unwrap();
            self.machine.commit().unwrap();
        }
        if entries.is_empty() {
            return;
        }
        let last = self.machine.last();
        let block = Block {
            number: last.block + 1,
            time: now,
            previous: last.hash,
            rules: RULES_VERSION,
            entries,
            clock_ahead_ms: 300_000,
        };
        let sealed = block.seal();
        self.journal.propose(&sealed).unwrap();
        self.journal.read_ordered().unwrap();
        self.machine.replay(&sealed).unwrap();
    }

    fn found_country(&mut self, now: Timestamp) -> Vec<AgencyCode> {
        let code = |text: String| AgencyCode::parse(&text).unwrap();
        let mut entries = Vec::new();
        let mut add = |text: String, level: Level, province: Option<AgencyCode>| {
            entries.push(AgencyEntry {
                parent: text.rsplit_once('.').map(|(above, _)| code(above.to_owned())),
                name: format!("Cơ quan {text}"),
                code: code(text),
                level,
                province,
                from: Timestamp::parse("2020-01-01").unwrap().day(),
                until: None,
                state: AgencyState::Connected,
                policy: SignaturePolicy::Required,
                gateway: None,
            });
        };
        for province in 1..=63 {
            let name = format!("H{province:02}");
            let own = Some(code(name.clone()));
            add(name.clone(), Level::Province, own.clone());
            for district in 1..=11 {
                add(format!("{name}.{district:02}"), Level::District, own.clone());
                for commune in 1..=15 {
                    let name = format!("{name}.{district:02}.{commune:02}");
                    add(name, Level::Commune, own.clone());
                }
            }
        }
        let codes = entries.iter().map(|entry| entry.code.clone()).collect();
        for some in entries.chunks(400) {
            self.machine.begin(now);
            let act = Command::ChangeDirectory(some.to_vec());
            assert_eq!(self.machine.decide(Proposal::Administer(act)).unwrap(), Decision::Done);
            let sealed = self.machine.seal().unwrap();
            self.journal.propose(&sealed).unwrap();
            self.journal.read_ordered().unwrap();
            self.machine.commit().unwrap();
        }
        codes
    }
}

/// Numbers that look like chance and can be had again.
fn mixed(of: u64) -> u64 {
    let mut number = of.wrapping_add(0x9e37_79b9_7f4a_7c15);
    number = (number ^ (number >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    number = (number ^ (number >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    number ^ (number >> 31)
}

fn random_bytes<const N: usize>(of: u64) -> [u8; N] {
    let mut bytes = [0; N];
    for (at, piece) in (0..).zip(bytes.chunks_mut(8)) {
        let random = mixed(of.wrapping_mul(31).wrapping_add(at)).to_le_bytes();
        piece.copy_from_slice(&random[..piece.len()]);
    }
    bytes
}

fn text(of: u64, bytes: usize) -> Vec<u8> {
    const SYLLABLES: [&str; 20] = [
        "văn", "bản", "ủy", "ban", "nhân", "dân", "tỉnh", "quyết", "định", "công", "tác", "báo",
        "cáo", "triển", "khai", "thực", "hiện", "kế", "hoạch", "ngày",
    ];
    let mut text = Vec::with_capacity(bytes + 16);
    let mut at = of;
    while text.len() < bytes {
        at = mixed(at);
        for word in [at as usize % 400, (at >> 32) as usize % 400] {
            text.extend_from_slice(SYLLABLES[word % 20].as_bytes());
            text.push(b' ');
            text.extend_from_slice(SYLLABLES[word / 20].as_bytes());
            text.push(b' ');
        }
    }
    text.truncate(bytes);
    text
}

/// The year.
struct Year {
    documents: u64,
    begin: u64,
    codes: Vec<AgencyCode>,
    /// Bytes that agencies signed and sent.
    sent_bytes: u64,
    last_notice: u64,
    notices: Vec<NoticeKey>,
    /// Documents submitted; acknowledged; and of each kind of report and delay, reported on.
    submitted: u64,
    acknowledged: u64,
    reported: [[u64; 4]; 2],
}

/// Delays of 03 and 06 in days, by the document's number modulo 4.
const DELAYS: [[u64; 4]; 2] = [[1, 2, 3, 4], [6, 7, 8, 9]];

impl Year {
    fn at(&self, document: u64) -> u64 {
        self.begin + YEAR_MS / self.documents * document
    }

    fn id(&self, document: u64) -> MessageId {
        let at = Timestamp::from_millis(i64::try_from(self.at(document)).unwrap());
        MessageId::new(at, random_bytes(document * 64))
    }

    fn sender(&self, document: u64) -> usize {
        mixed(document) as usize % self.codes.len()
    }

    fn recipients(&self, document: u64) -> [usize; 3] {
        let first = mixed(document + 1) as usize;
        [0, 1, 2].map(|at| (first + at * 977) % self.codes.len())
    }

    fn submit(&mut self, hub: &Hub, document: u64, position: Position) -> Entry {
        let (sender, recipients) = (self.sender(document), self.recipients(document));
        // What judgement asks of an id.
        let ordinal = Ordinal(sender as u32);
        let id = self.id(document);
        assert_eq!(Query(&*hub.state).position(ordinal, &id).unwrap(), None);
        let now = Timestamp::from_millis(self.at(document) as i64);
        let content = text(document, 1_450);
        self.sent_bytes += content.len() as u64 + 64;
        let day = now.day().to_string().replace('-', "/");
        let number = document / self.codes.len() as u64 + 1;
        let written = format!("{},{day},{number}/QĐ-UBND", self.codes[sender]);
        let header = Header {
            id,
            sender: self.codes[sender].clone(),
            recipients: recipients.map(|one| Addressee::Agency(self.codes[one].clone())).to_vec(),
            reference: Reference {
                text: written,
                code: Some(self.codes[sender].to_string()),
                date: Some(day),
                number: Some(number.to_string()),
                notation: Some("QĐ-UBND".to_owned()),
            },
            subject: String::from_utf8_lossy(&text(document + 7, 70)).into_owned(),
            document_type: DocumentType::DECISION,
            urgency: Urgency::Normal,
            deliver_by: None,
            signed_at: now,
            due: None,
            pages: 3,
            paper_copy: false,
            kind: BusinessKind::New,
            acts_on: None,
            attachments: Vec::new(),
            answers: Vec::new(),
            reason: String::new(),
            recipient_changes: Vec::new(),
        };
        let directory = &hub.machine.policy().directory;
        let place =
            |agency: usize| directory.place(directory.agency(Ordinal(agency as u32)).unwrap(), now);
        let deliveries = recipients.map(|one| Delivery {
            recipient: Ordinal(one as u32),
            route: Route::OwnNode,
            place: place(one),
        });
        let accepted = Accepted {
            position,
            sender: ordinal,
            signature: SignatureKind::Personal,
            deliveries: deliveries.to_vec(),
            place: place(sender),
            unproven: Vec::new(),
            used: None,
            change: None,
            notices: None,
            same_reference: None,
            resolution: None,
            terms: None,
        };
        let submit =
            Submit { caller: ordinal, header, signed: record(document * 8, content, sender) };
        Entry { command: Command::Submit(Box::new(submit)), decision: Decision::Accepted(accepted) }
    }

    fn report(
        &mut self,
        hub: &Hub,
        document: u64,
        at: usize,
        code: StatusCode,
        now: Timestamp,
        position: Position,
    ) -> Entry {
        let recipient = self.recipients(document)[at];
        let sender = Ordinal(self.sender(document) as u32);
        let number = document * 8 + 1 + at as u64 * 2 + u64::from(code == StatusCode::Finished);
        let id = MessageId::new(now, random_bytes(number * 64));
        let ordinal = Ordinal(recipient as u32);
        let query = Query(&*hub.state);
        assert_eq!(query.position(ordinal, &id).unwrap(), None);
        let of = query.position(sender, &self.id(document)).unwrap().expect("a known document");
        let delivery = DeliveryKey { recipient: ordinal, position: of };
        let content = text(number, 210);
        self.sent_bytes += content.len() as u64 + 64;
        let header = StatusHeader {
            id,
            from: self.codes[recipient].clone(),
            document_sender: self.codes[sender.0 as usize].clone(),
            document: self.id(document),
            code,
            reason: String::new(),
            recipients: Vec::new(),
            signed_at: now,
        };
        self.last_notice += 1;
        let first = NoticeNumber(self.last_notice);
        self.notices.push(NoticeKey { agency: sender, number: first });
        let told = vec![Told { to: sender, kind: NoticeKind::Reported, delivery }];
        let reported = Reported {
            position,
            delivery,
            notices: Some(Notices { first, told }),
            change: None,
            answered: None,
            unproven: Vec::new(),
        };
        let signed = record(number, content, recipient);
        Entry {
            command: Command::Report(Box::new(Report { caller: ordinal, header, signed })),
            decision: Decision::Reported(reported),
        }
    }

    /// Acknowledgements of what was submitted.
    fn acknowledge(&mut self, hub: &Hub, entries: &mut Vec<Entry>) {
        let until = self.submitted.min(self.acknowledged + PER_BLOCK * 2);
        for document in self.acknowledged..until {
            let sender = Ordinal(self.sender(document) as u32);
            let position = Query(&*hub.state).position(sender, &self.id(document)).unwrap();
            for recipient in self.recipients(document) {
                let recipient = Ordinal(recipient as u32);
                let key = DeliveryKey { recipient, position: position.unwrap() };
                let delivery = AcknowledgedDelivery { key, attempts: 1 };
                let deliveries = vec![delivery];
                let outcomes = vec![AcknowledgeOutcome::Counted];
                entries.push(Entry {
                    command: Command::Acknowledge(Acknowledge { caller: recipient, deliveries }),
                    decision: Decision::Acknowledged(Acknowledged { outcomes }),
                });
            }
        }
        self.acknowledged = until;
        let left = std::mem::take(&mut self.notices);
        if let Some(first) = left.first() {
            let caller = first.agency;
            entries.push(Entry {
                command: Command::AcknowledgeNotices(AcknowledgeNotices {
                    caller,
                    keys: left.clone(),
                    through: None,
                }),
                decision: Decision::NoticesAcknowledged(NoticesAcknowledged { left, more: false }),
            });
        }
    }

    /// One block; `false` when nothing is left to do.
    fn block(&mut self, hub: &mut Hub, until: u64, reports: bool) -> bool {
        let mut entries = Vec::new();
        let mut position = hub.machine.log_size();
        let due_at = self.at(self.submitted);
        let now = Timestamp::from_millis(i64::try_from(due_at).unwrap());
        if reports {
            self.acknowledge(hub, &mut entries);
            for (kind, code) in [(0, StatusCode::Accepted), (1, StatusCode::Finished)] {
                for (class, delay) in DELAYS[kind].iter().enumerate() {
                    let mut count = 0;
                    loop {
                        let document = self.reported[kind][class] * 4 + class as u64;
                        let due = self.at(document) + delay * DAY_MS;
                        if document >= self.acknowledged || due > due_at || count >= REPORTS_MAX {
                            break;
                        }
                        self.reported[kind][class] += 1;
                        let silent = mixed(document + 5) % 100 < 5;
                        let finishing = if kind == 1 && silent { 2 } else { 3 };
                        for at in 0..finishing {
                            let entry =
                                self.report(hub, document, at, code, now, Position(position));
                            entries.push(entry);
                            position += 1;
                            count += 1;
                        }
                    }
                }
            }
        }
        let last = until.min(self.submitted + PER_BLOCK);
        for document in self.submitted..last {
            let entry = self.submit(hub, document, Position(position));
            entries.push(entry);
            position += 1;
        }
        self.submitted = last;
        let any = !entries.is_empty();
        hub.order(now, entries);
        any
    }
}

fn record(of: u64, content: Vec<u8>, signer: usize) -> SignedRecord {
    let chain = [signer as u64, 1 << 40, 2 << 40];
    SignedRecord {
        content_type: "application/vnd.lienthong.document.v1+protobuf".to_owned(),
        content: Stored::Inline(content.into()),
        attachments: Vec::new(),
        digest: Digest(random_bytes(of ^ (1 << 50))),
        signatures_digest: Digest(random_bytes(of ^ (2 << 50))),
        signatures: vec![SignatureRecord {
            chain: chain.map(|of| Fingerprint::of(&of.to_le_bytes())).to_vec(),
            value: Bytes::copy_from_slice(&random_bytes::<64>(of ^ (3 << 50))),
        }],
        new_certificates: Vec::new(),
    }
}

fn run(folder: &Path, documents: u64) {
    let mut hub = Hub::open(folder);
    let begin = Timestamp::parse("2020-01-02T08:00:00+07:00").unwrap();
    let codes = hub.found_country(begin);
    println!("{} agencies, {documents} documents, {}", codes.len(), Memory::now());
    let archiving = archive_in_background(hub.blocks.clone());
    let mut year = Year {
        documents,
        begin: u64::try_from(begin.millis()).unwrap() + 60_000,
        codes,
        sent_bytes: 0,
        last_notice: 0,
        notices: Vec::new(),
        submitted: 0,
        acknowledged: 0,
        reported: [[0; 4]; 2],
    };
    println!(
        "{:>10} {:>8} {:>9} {:>8} {:>8} {:>8} {:>9} {:>9} {:>7}",
        "documents", "docs/s", "CPU us", "RSS MiB", "peak", "state", "settled", "journal", "ratio"
    );
    for window in 1..=WINDOWS {
        let until = documents * window / WINDOWS;
        let (from, began, cpu) = (year.submitted, Instant::now(), cpu_time());
        while year.submitted < until {
            year.block(&mut hub, until, true);
        }
        let count = (year.submitted - from) as f64;
        let rate = count / began.elapsed().as_secs_f64();
        let cpu_us = (cpu_time() - cpu).as_micros() as f64 / count;
        report(folder, &hub, &year, rate, cpu_us);
        if year.submitted >= 100_000 && from < 100_000 || window == WINDOWS {
            alone(&mut hub, &mut year);
        }
    }
    hub.machine.cut().unwrap();
    println!("open documents and runs: {:?}", hub.state.size());
    drop(archiving);
    println!("dies now");
    // No thread ends in order, nothing is flushed.
    std::process::abort();
}

/// Documents that are submitted with nothing beside them.
fn alone(hub: &mut Hub, year: &mut Year) {
    let (began, cpu) = (Instant::now(), cpu_time());
    let begin = year.submitted;
    while year.submitted < begin + ALONE {
        year.block(hub, begin + ALONE, false);
    }
    let rate = ALONE as f64 / began.elapsed().as_secs_f64();
    let cpu_us = (cpu_time() - cpu).as_micros() as f64 / ALONE as f64;
    println!("  submitted alone, {begin} behind them: {rate:.0} documents/s, {cpu_us:.0} us CPU");
}

fn archive_in_background(blocks: JournalBlocks) -> std::sync::mpsc::Sender<()> {
    let (stop, stopped) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        loop {
            match blocks.archive_oldest(JOURNAL_FILES_PLAIN) {
                Ok(Some(_)) => {}
                Ok(None) => std::thread::sleep(Duration::from_millis(200)),
                Err(error) => return eprintln!("{error}"),
            }
            if stopped.try_recv() == Err(std::sync::mpsc::TryRecvError::Disconnected) {
                return;
            }
        }
    });
    stop
}

fn report(folder: &Path, hub: &Hub, year: &Year, rate: f64, cpu_us: f64) {
    let memory = Memory::now();
    let (state, journal) = (bytes_in(&folder.join("state")), bytes_in(&folder.join("journal")));
    let size = hub.state.size();
    println!(
        "{:>10} {rate:>8.0} {cpu_us:>9.1} {:>8} {:>8} {:>8} {:>9} {:>9} {:>7.2}",
        year.submitted,
        memory.resident >> 20,
        memory.peak >> 20,
        state >> 20,
        size.settled_bytes >> 20,
        journal >> 20,
        (state + journal) as f64 / year.sent_bytes as f64
    );
}

fn open(folder: &Path) {
    let began = Instant::now();
    let cpu = cpu_time();
    let hub = Hub::open(folder);
    let (took, cpu) = (began.elapsed(), cpu_time() - cpu);
    println!("ready after {took:.1?} ({cpu:.1?} of CPU), {}", Memory::now());
    println!("{:?}, block {:?}", hub.state.size(), hub.blocks.end().map(|end| end.block));
    let query = Query(&*hub.state);
    let began = Instant::now();
    let mut found = 0;
    for number in 0..2_000 {
        let position = Position(mixed(number) % hub.machine.log_size());
        found += u64::from(query.track(position).unwrap().is_some());
    }
    let each = began.elapsed() / 2_000;
    println!(
        "2000 places looked up, {found} documents found with their deliveries: {each:.0?} each"
    );
}

/// Memory of this process.
struct Memory {
    resident: u64,
    peak: u64,
}

impl Memory {
    fn now() -> Self {
        let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
        let field = |name: &str| {
            let line = status.lines().find_map(|line| line.strip_prefix(name))?;
            Some(line.trim().trim_end_matches(" kB").trim().parse::<u64>().ok()? * 1024)
        };
        Self {
            resident: field("VmRSS:").unwrap_or_default(),
            peak: field("VmHWM:").unwrap_or_default(),
        }
    }
}

impl std::fmt::Display for Memory {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} MiB resident, {} MiB at most", self.resident >> 20, self.peak >> 20)
    }
}

/// CPU of all threads.
fn cpu_time() -> Duration {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let fields = stat.rsplit_once(") ").map_or("", |(_, rest)| rest);
    let ticks = |at: usize| fields.split(' ').nth(at).and_then(|one| one.parse::<u64>().ok());
    Duration::from_millis((ticks(11).unwrap_or(0) + ticks(12).unwrap_or(0)) * 10)
}

/// Bytes on the disk below a folder.
fn bytes_in(folder: &Path) -> u64 {
    use std::os::unix::fs::MetadataExt as _;
    let mut folders = vec![PathBuf::from(folder)];
    let mut bytes = 0;
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).into_iter().flatten().flatten() {
            match entry.metadata() {
                Ok(found) if found.is_dir() => folders.push(entry.path()),
                Ok(found) => bytes += found.blocks() * 512,
                Err(_) => {}
            }
        }
    }
    bytes
}
