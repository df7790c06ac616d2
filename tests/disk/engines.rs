//! The engines under power cuts, without the hub: small journal files, so that many are begun, and
//! more rows a block than documents make, in small databases that become runs one after the other.
//!
//! The process that is recorded is this test's binary once more, with the one test
//! `a_process_that_is_recorded`, which does nothing unless it is told in which folder to work.

use std::path::Path;
use std::process::{Command, Stdio};

use bytes::Bytes;
use lienthong_core::engine::{
    Blocks as _, Change, Journal as _, Marker, Payloads as _, State as _, Tables as _,
};
use lienthong_core::engine_suite::{sample_after, sample_has_expired, sample_is_empty};
use lienthong_ledger::{
    JournalFiles, JournalLimits, JournalOpened, Opened, PayloadFiles, StateLimits,
    open_or_rebuild_with,
};
use lienthong_model::Digest;
use lienthong_model::limits::JOURNAL_FILE_SPAN;
use rand::{RngExt as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;

use crate::cut::{Disk, Memory};
use crate::flips::put;
use crate::record::{Event, Fault, Recorder};
use crate::{files, number};

const FOLDER: &str = "LIENTHONG_DISK_FOLDER";
const RECORD: &str = "LIENTHONG_DISK_RECORD";
const BLOCKS_ASKED: &str = "LIENTHONG_DISK_BLOCKS";
const BLOCKS: u64 = 700;
/// Every so many blocks closed journal files become archives, and what has expired leaves them.
const ARCHIVED_EVERY: u64 = 120;
/// Every so many blocks a payload is stored.
const PAYLOAD_EVERY: u64 = 16;
const PAYLOAD_BYTES: usize = 20_000;
/// Rows that only one block writes, and rows that every block writes anew.
const OWN_ROWS: u64 = 12;
const HOT_ROWS: u64 = 24;
const ROW_BYTES: usize = 600;
/// Cuts in a run of the tests that everybody makes.
const CUTS: usize = 30;
/// Changed bytes, likewise.
const FLIPS: usize = 12;

/// Some fifty blocks a file.
const SMALL_FILES: JournalLimits = JournalLimits {
    file_bytes: 24 * 1024,
    recent_blocks: 8,
    recent_bytes: 1 << 20,
    file_span: JOURNAL_FILE_SPAN,
};

fn limits() -> StateLimits {
    StateLimits {
        chunk_blocks: 16,
        cache_bytes: 8 << 20,
        recent_bytes: 1 << 20,
        open_runs_max: 2,
        ..StateLimits::default()
    }
}

fn payload(block: u64) -> Vec<u8> {
    let mut rng = ChaCha8Rng::seed_from_u64(block);
    (0..PAYLOAD_BYTES).map(|_| rng.random()).collect()
}

fn row(block: u64) -> Bytes {
    let mut rng = ChaCha8Rng::seed_from_u64(block);
    let mut value = block.to_be_bytes().to_vec();
    value.extend((0..ROW_BYTES).map(|_| rng.random::<u8>()));
    value.into()
}

fn own(block: u64, at: u64) -> Vec<u8> {
    [b"own".as_slice(), &block.to_be_bytes(), &at.to_be_bytes()].concat()
}

fn hot(at: u64) -> Vec<u8> {
    [b"hot".as_slice(), &at.to_be_bytes()].concat()
}

/// What a block changes.
fn change(marker: Marker, cut: bool) -> Change {
    let value = row(marker.block);
    let keys = (0..HOT_ROWS).map(hot).chain((0..OWN_ROWS).map(|at| own(marker.block, at)));
    let writes = keys.map(|key| (key, Some(value.clone()))).collect();
    Change { marker, writes, cut }
}

/// The engines in a folder.
struct Engines {
    journal: JournalOpened,
    payloads: PayloadFiles,
    state: Opened,
}

impl Engines {
    fn open(folder: &Path) -> Result<Self, String> {
        let journal = JournalFiles::open(&folder.join("journal"), SMALL_FILES);
        let journal = journal.map_err(|error| error.to_string())?;
        let payloads = PayloadFiles::open(&folder.join("payloads"));
        let payloads = payloads.map_err(|error| error.to_string())?;
        let state = open_or_rebuild_with(&folder.join("state"), &journal.blocks, limits());
        Ok(Self { journal, payloads, state: state.map_err(|error| error.to_string())? })
    }

    /// Brings the state to the journal's end.
    fn replay(&self) -> Result<u64, String> {
        let end = self.journal.blocks.end().map_or(0, |end| end.block);
        for block in self.journal.blocks.replay(self.state.replay_from) {
            let marker = block.map_err(|error| error.to_string())?.marker;
            let cut = marker.block == end || self.state.state.cut_due();
            self.publish(marker, cut)?;
        }
        self.state.state.flush().map_err(|error| error.to_string())?;
        Ok(end)
    }

    /// Archives closed journal files but the newest, then takes out of all what has expired.
    fn archive(&self) {
        let blocks = &self.journal.blocks;
        while blocks.archive_oldest(1).unwrap().is_some() {}
        let mut block = 1;
        while let Some(file) = blocks.closed_file(block) {
            blocks
                .take_out(file.first, &mut |document| Ok(sample_has_expired(document.0)))
                .unwrap();
            block = file.last + 1;
        }
    }

    fn publish(&self, marker: Marker, cut: bool) -> Result<(), String> {
        self.state.state.publish(change(marker, cut)).map_err(|error| error.to_string())
    }
}

#[test]
fn a_process_that_is_recorded() {
    let Some(folder) = std::env::var_os(FOLDER) else { return };
    let record = std::env::var_os(RECORD).unwrap();
    let count = std::env::var(BLOCKS_ASKED).map_or(BLOCKS, |count| count.parse().unwrap());
    let mut engines = Engines::open(Path::new(&folder)).unwrap();
    let ordered = |number: u64| {
        println!("ordered {number} {}", std::fs::metadata(&record).unwrap().len());
    };
    // Whoever starts again takes what the journal has for ordered.
    if let Some(end) = engines.journal.blocks.end() {
        ordered(end.block);
    }
    for at in 0..count {
        let block = sample_after(engines.journal.journal.last_proposed());
        let number = block.marker.block;
        if number.is_multiple_of(PAYLOAD_EVERY) {
            engines.payloads.put(&payload(number)).unwrap();
        }
        engines.journal.journal.propose(&block).unwrap();
        if at % ARCHIVED_EVERY == ARCHIVED_EVERY - 1 {
            engines.archive();
        }
        if at % 3 == 2 {
            continue;
        }
        while let Some(number) = engines.journal.journal.read_ordered().unwrap() {
            ordered(number);
            let hash = engines.journal.blocks.hash(number).unwrap().unwrap();
            let cut = engines.state.state.cut_due();
            engines.publish(Marker { block: number, hash }, cut).unwrap();
        }
    }
    engines.state.state.flush().unwrap();
}

/// A record, and which block was called ordered at which point.
struct Recorded {
    events: Vec<Event>,
    ordered: Vec<(u64, u64)>,
    folder: tempfile::TempDir,
}

/// Where a process is recorded.
struct Place {
    recorder: Recorder,
    folder: tempfile::TempDir,
}

impl Place {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let data = folder.path().join("data");
        std::fs::create_dir(&data).unwrap();
        Self { recorder: Recorder::of(&data, folder.path()), folder }
    }

    /// Lets a process make so many blocks; returns whether it ended well, and what it called ordered.
    fn run(&self, blocks: u64) -> (bool, Vec<(u64, u64)>) {
        let mut command = Command::new(std::env::current_exe().unwrap());
        command.args(["--exact", "engines::a_process_that_is_recorded", "--nocapture"]);
        command.env(FOLDER, self.recorder.root()).env(BLOCKS_ASKED, blocks.to_string());
        command.stderr(Stdio::null());
        self.recorder.attach(&mut command);
        let ended = command.output().unwrap();
        let said = String::from_utf8(ended.stdout).unwrap();
        let ordered = said.lines().filter_map(|line| {
            let (block, point) = line.strip_prefix("ordered ")?.split_once(' ')?;
            Some((point.parse().unwrap(), block.parse().unwrap()))
        });
        (ended.status.success(), ordered.collect())
    }

    fn ended(self, ordered: Vec<(u64, u64)>) -> Recorded {
        Recorded { events: self.recorder.events(), ordered, folder: self.folder }
    }
}

impl Recorded {
    fn new() -> Self {
        let place = Place::new();
        let (well, ordered) = place.run(BLOCKS);
        assert!(well && ordered.last().unwrap().1 + 3 > BLOCKS);
        place.ended(ordered)
    }

    /// The last block that was called ordered by a cut.
    fn told(&self, cut: usize) -> u64 {
        let point = cut.checked_sub(1).map_or(0, |last| self.events[last].end);
        let before = self.ordered.partition_point(|(from, _)| *from <= point);
        before.checked_sub(1).map_or(0, |last| self.ordered[last].1)
    }

    fn choose(&self, rng: &mut ChaCha8Rng) -> usize {
        if rng.random_ratio(1, 2) {
            let (point, _) = self.ordered[rng.random_range(0..self.ordered.len())];
            return self.events.partition_point(|event| event.end < point) + 1;
        }
        rng.random_range(0..=self.events.len())
    }

    /// What is wrong with the disks of so many cuts; stops at the first one when it is to.
    fn cut_often(&self, disk: &Disk<'_>, seed: u64, cuts: usize, first: bool) -> Vec<String> {
        let (mut wrong, mut rebuilt, mut torn) = (Vec::new(), 0, 0);
        for number in 0..cuts {
            if number > 0 && number.is_multiple_of(100) {
                println!("{number} cuts, {rebuilt} states rebuilt, {} wrong", wrong.len());
            }
            let seed = seed.wrapping_add(number as u64);
            let mut rng = ChaCha8Rng::seed_from_u64(seed);
            let (cut, memory) = (self.choose(&mut rng), Memory::choose(&mut rng));
            let folder = tempfile::tempdir().unwrap();
            disk.leave(cut, memory, &mut rng, folder.path());
            match check(folder.path(), self.told(cut)) {
                Ok(opened) => {
                    rebuilt += usize::from(opened.state.rebuilt.is_some());
                    torn += usize::from(!opened.journal.torn.is_empty());
                }
                Err(why) => wrong.push(format!("seed {seed}, cut {cut}, {memory:?}: {why}")),
            }
            if first && !wrong.is_empty() {
                break;
            }
        }
        println!(
            "{cuts} cuts in {} events: {rebuilt} states rebuilt, {torn} journals torn, {} wrong",
            self.events.len(),
            wrong.len()
        );
        wrong
    }
}

/// Opens what a cut left: everything that was called ordered is there, and the state has every row.
fn check(folder: &Path, told: u64) -> Result<Engines, String> {
    let engines = Engines::open(folder)?;
    let end = engines.replay()?;
    if end < told {
        return Err(format!("block {told} was called ordered, the journal ends with {end}"));
    }
    for (number, block) in (1..).zip(engines.journal.blocks.replay(1)) {
        let block = block.map_err(|error| error.to_string())?.block;
        if block.number != number {
            return Err(format!("the journal has {block:?} in the place of {number}"));
        }
        sample_is_empty(&block).map_err(|wrong| format!("the journal: {wrong}"))?;
    }
    for block in (PAYLOAD_EVERY..=told).step_by(PAYLOAD_EVERY as usize) {
        let found = engines.payloads.get(&Digest::of(&payload(block)));
        if !found.as_ref().is_ok_and(Option::is_some) {
            return Err(format!("the payload of block {block}: {found:?}"));
        }
    }
    let read = |key: Vec<u8>, block: u64| {
        let found = engines.state.state.read(&key).map_err(|error| error.to_string())?;
        let right = found.as_deref() == (block > 0).then(|| row(block)).as_deref();
        right.then_some(()).ok_or_else(|| {
            format!("row `{}` is not that of block {block}: {found:?}", hex::encode(key))
        })
    };
    (0..HOT_ROWS).try_for_each(|at| read(hot(at), end))?;
    for block in 1..=end {
        (0..OWN_ROWS).try_for_each(|at| read(own(block, at), block))?;
    }
    Ok(engines)
}

#[test]
fn what_was_called_ordered_survives_every_power_cut_over_many_journal_files() {
    let seed = number("LIENTHONG_DISK_SEED").unwrap_or_else(|| rand::random_range(0..1_000_000));
    let cuts = number("LIENTHONG_DISK_CUTS").map_or(CUTS, |cuts| cuts as usize);
    println!("replay: LIENTHONG_DISK_SEED={seed} LIENTHONG_DISK_CUTS={cuts}");
    let recorded = Recorded::new();
    let disk = Disk::of(&recorded.events, |_| false);
    let wrong = recorded.cut_often(&disk, seed, cuts, false);
    assert!(wrong.is_empty(), "{wrong:#?}");
    let whole = Engines::open(&recorded.folder.path().join("data")).unwrap();
    let mut blocks = whole.journal.blocks.replay(1);
    let any_empty = blocks.any(|block| sample_is_empty(&block.unwrap().block).unwrap());
    assert!(any_empty, "nothing was taken out");
}

#[test]
fn with_a_sync_taken_out_the_loss_is_found() {
    let recorded = Recorded::new();
    let lost = |name: &str, deaf: &dyn Fn(&str) -> bool, what: &str| {
        let disk = Disk::of(&recorded.events, deaf);
        let wrong = recorded.cut_often(&disk, 1, 60, true);
        assert!(wrong.iter().any(|why| why.contains(what)), "{name}: {wrong:?}");
    };
    let in_journal = |path: &str| path.starts_with("journal/");
    lost("the journal's file", &in_journal, "journal");
    lost("the journal's folder", &|path| path == "journal", "journal");
    lost("archives", &|path| path.ends_with(".archive.new"), ".archive");
    lost("payload files", &|path| path.starts_with("payloads/tmp/"), "the payload of block");
    let shelf = |path: &str| path.starts_with("payloads/") && path.len() == "payloads/ab".len();
    lost("payload folders", &shelf, "the payload of block");
}

#[test]
fn a_changed_byte_of_the_state_is_put_right_or_named_and_put_right_by_the_next_start() {
    let seed = number("LIENTHONG_DISK_SEED").unwrap_or_else(|| rand::random_range(0..1_000_000));
    let flips = number("LIENTHONG_DISK_FLIPS").map_or(FLIPS, |flips| flips as usize);
    println!("replay: LIENTHONG_DISK_SEED={seed} LIENTHONG_DISK_FLIPS={flips}");
    let recorded = Recorded::new();
    let whole = files(&recorded.folder.path().join("data"));
    let of_state = whole.iter().filter(|(name, _)| name.starts_with("state/"));
    // What is not written has nothing to change.
    let places: Vec<_> = of_state
        .flat_map(|(name, bytes)| {
            let written = bytes.iter().enumerate().filter(|(_, byte)| **byte != 0);
            written.map(move |(at, _)| (name, at))
        })
        .collect();
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let (mut at_once, mut rebuilt, mut later, mut wrong) = (0, 0, 0, Vec::new());
    for _ in 0..flips {
        let (name, at) = places[rng.random_range(0..places.len())];
        let mut changed = whole.clone();
        changed.get_mut(name).unwrap()[at] ^= 1 << rng.random_range(0..8);
        let folder = tempfile::tempdir().unwrap();
        put(&changed, folder.path());
        match check(folder.path(), BLOCKS - 2) {
            Ok(opened) if opened.state.rebuilt.is_some() => rebuilt += 1,
            Ok(_) => at_once += 1,
            Err(why) if why.contains("damaged: ") => match check(folder.path(), BLOCKS - 2) {
                Ok(_) => later += 1,
                Err(other) => wrong.push(format!("`{name}` byte {at}: {why}; then: {other}")),
            },
            Err(why) => wrong.push(format!("`{name}` byte {at}: {why}")),
        }
    }
    println!(
        "{flips} changed bytes of {} in the state: {at_once} change nothing, {rebuilt} found on \
         opening, {later} on reading, {} wrong",
        places.len(),
        wrong.len()
    );
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// After a failed sync the operating system takes the pages for clean: a later sync of the same
/// bytes alone does nothing.
#[test]
fn what_is_read_back_after_a_failed_sync_is_on_disk_before_it_is_called_ordered() {
    let place = Place::new();
    let (well, mut ordered) = place.run(30);
    assert!(well);
    place.recorder.fail(&[Fault("sync", 5, "journal/")]);
    let (well, none) = place.run(30);
    assert!(!well && none.len() <= 1, "{none:?}");
    place.recorder.mend();
    let (well, later) = place.run(0);
    assert!(well);
    ordered.extend(later);
    let recorded = place.ended(ordered);
    let disk = Disk::of(&recorded.events, |_| false);
    let folder = tempfile::tempdir().unwrap();
    let cut = recorded.events.len();
    disk.leave(cut, Memory::Nothing, &mut ChaCha8Rng::seed_from_u64(1), folder.path());
    check(folder.path(), recorded.told(cut)).map(drop).unwrap();
}
