//! Backups: taken under load they restore to what the hub was at their block, a further one copies
//! what is new, whatever is changed in one is named, and what is none is refused.

use std::os::unix::fs::PermissionsExt as _;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use lienthong_client::Receipt;
use lienthong_core::engine::{Journal as _, rows_digest};
use lienthong_core::{Machine, Opening};
use lienthong_hub::{
    Backup, BackupCheck, BackupError, BackupReport, Hub, Manifest, Restore, Restored, check_backup,
};
use lienthong_ledger::{
    JournalAudit, JournalFiles, JournalLimits, MemoryState, PayloadFiles, Step,
};
use lienthong_model::{Digest, SignedContent};
use lienthong_trust::{Checkpoint, NoteKey};
use rand::{RngExt as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;

use crate::harness::{World, document, noise, now, settled, until, with_attachment};

/// What was sent and what the hub said.
type Sent = Vec<(SignedContent, Receipt)>;

fn take(world: &World, to: &Path) -> Result<BackupReport, BackupError> {
    Backup { data: &world.data(), to, with_key: true, now: now() }.take(|_, _| {})
}

fn restore(from: &Path, to: &Path) -> Result<Restored, BackupError> {
    Restore { from, to, key: None }.run(|_| {})
}

fn check(backup: &Path) -> BackupCheck {
    check_backup(backup, None, |_, _| {}).unwrap()
}

/// Sends documents until it is told to stop: in records, in payload files, with attachments.
async fn load(world: &World, stop: Arc<AtomicBool>) -> tokio::task::JoinHandle<Sent> {
    let client = world.client("H36").await;
    let seal = world.seal("H36");
    tokio::spawn(async move {
        let mut sent = Vec::new();
        while !stop.load(Ordering::Relaxed) {
            let letter = document("H36", &["H36.12", "G22"]);
            let (letter, attachments) = match sent.len() % 5 {
                0 => {
                    let (letter, attachment) = with_attachment(letter, noise(20_000));
                    (letter, vec![attachment])
                }
                _ => (letter, Vec::new()),
            };
            let signed = lienthong_client::sign_document(&letter, attachments, &[&seal]);
            let receipt = client.submit(signed.clone()).await.unwrap();
            sent.push((signed, receipt));
        }
        sent
    })
}

/// The rows that a replay of a journal up to a block gives, in memory.
fn replayed(data: &Path, until: u64) -> Digest {
    let state = Arc::new(MemoryState::new());
    let payloads = Arc::new(PayloadFiles::open(&data.join("payloads")).unwrap());
    let mut machine = Machine::open(Opening { state: state.clone(), payloads }).unwrap();
    for step in JournalAudit::open(&data.join("journal")).unwrap() {
        let Step::Block(found) = step.unwrap() else { panic!("the journal is damaged") };
        if found.block.marker.block <= until {
            machine.replay(&found.block).unwrap();
        }
    }
    machine.cut().unwrap();
    rows_digest(&*state).unwrap()
}

/// A hub at rest with documents in records and in payload files, and a backup of it.
struct AtRest {
    world: World,
    backup: PathBuf,
    sent: Sent,
}

impl AtRest {
    async fn new() -> Self {
        let mut world = World::start().await;
        let stop = Arc::new(AtomicBool::new(false));
        let load = load(&world, stop.clone()).await;
        let reader = world.hub().reader().clone();
        until("blocks", async || reader.last_block() > 30).await;
        stop.store(true, Ordering::Relaxed);
        let sent = load.await.unwrap();
        settled(&world).await;
        world.stop().await.unwrap();
        let backup = world.folder.path().join("backup");
        take(&world, &backup).unwrap();
        Self { world, backup, sent }
    }

    fn beside(&self, name: &str) -> PathBuf {
        self.world.folder.path().join(name)
    }

    /// Writes the journal anew in many small files.
    fn split_journal(&self) -> usize {
        let journal = self.world.data().join("journal");
        let steps = JournalAudit::open(&journal).unwrap();
        let blocks: Vec<_> = steps.map(|step| step.unwrap()).collect();
        std::fs::remove_dir_all(&journal).unwrap();
        let limits = JournalLimits { file_bytes: 4_000, ..JournalLimits::default() };
        let mut written = JournalFiles::open(&journal, limits).unwrap().journal;
        for step in blocks {
            let Step::Block(found) = step else { panic!("the journal is damaged") };
            written.propose(&found.block).unwrap();
            written.read_ordered().unwrap();
        }
        std::fs::read_dir(&journal).unwrap().count() - 1
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_backup_taken_under_load_restores_to_the_state_that_the_hub_had_at_its_block() {
    let mut world = World::start().await;
    let stop = Arc::new(AtomicBool::new(false));
    let load = load(&world, stop.clone()).await;
    let reader = world.hub().reader().clone();
    until("blocks", async || reader.last_block() > 20).await;
    let backup = world.folder.path().join("backup");
    let first = tokio::task::block_in_place(|| take(&world, &backup)).unwrap();
    assert!(first.manifest.block > 20 && first.payloads > 0, "{first:?}");
    let reached = reader.last_block();
    until("more blocks", async || reader.last_block() > reached + 20).await;
    let client = world.client("H36").await;
    let kept = async || {
        let note = client.checkpoint().await.unwrap().checkpoint;
        note.lines().nth(1).unwrap().parse::<u64>().unwrap()
    };
    until("documents", async || kept().await > 50).await;
    let second = tokio::task::block_in_place(|| take(&world, &backup)).unwrap();
    let (from, to) = (first.manifest.block, second.manifest.block);
    assert!(to > from + 20, "{from} to {to}");
    assert_eq!(second.blocks, to - from, "only what is new is copied");
    until("a document that is not in the backup", async || reader.last_block() > to + 5).await;
    stop.store(true, Ordering::Relaxed);
    let sent = load.await.unwrap();
    world.stop().await.unwrap();

    let found = check(&backup);
    assert_eq!(found.audit.findings, [], "{:?}", found.manifest);
    let restored_to = world.folder.path().join("restored");
    let restored = restore(&backup, &restored_to).unwrap();
    assert_eq!(restored.state, replayed(&world.data(), to), "the rows at block {to}");
    assert_ne!(restored.state, replayed(&world.data(), to - 1), "another block, another state");

    // The restored hub goes on with the same log, and knows what it said.
    let mut settings = world.settings();
    settings.data = restored_to;
    let hub = Hub::start(settings, |_, _| {}).await.unwrap();
    world.address = hub.address();
    let client = world.client("H36").await;
    let newest = client.checkpoint().await.unwrap();
    let Manifest { checkpoint, log_key, log_size, .. } = restored.manifest;
    assert_eq!((newest.checkpoint, newest.key), (checkpoint, log_key.clone()));
    let key = NoteKey::parse(&log_key).unwrap();
    let held: Vec<_> = sent.iter().filter(|(_, told)| told.position.0 < log_size).collect();
    assert!(held.len() > 40 && held.len() < sent.len(), "{} of {}", held.len(), sent.len());
    for (signed, told) in held {
        let again = client.submit(signed.clone()).await.unwrap();
        assert!(again.repeated && again.position == told.position, "{again:?}");
        let Checkpoint { size, .. } = again.prove(signed, &key).unwrap();
        assert_eq!(size, log_size);
    }
    hub.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_byte_that_is_changed_in_a_backup_is_named_with_its_file() {
    let at_rest = AtRest::new().await;
    let seed = rand::random_range(0..1_000_000_u64);
    println!("seed {seed}");
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let data = at_rest.backup.join("data");
    let journal = "journal/00000000000000000001.blocks";
    let payload = payload_of(&data);
    for name in [journal, journal, journal, &payload, &payload, "FORMAT", "log.key"] {
        let path = data.join(name);
        let whole = std::fs::read(&path).unwrap();
        let mut changed = whole.clone();
        // A line's end is not looked at.
        let at = rng.random_range(0..whole.len() - 1);
        changed[at] ^= 1 << rng.random_range(0..8);
        std::fs::write(&path, &changed).unwrap();
        let found = check(&at_rest.backup).audit.findings;
        let named = found.iter().any(|one| {
            let words = format!("{} {}", one.file.as_deref().unwrap_or_default(), one.why);
            words.contains(name)
        });
        assert!(named, "byte {at} of `{name}`: {found:#?}");
        let refused = restore(&at_rest.backup, &at_rest.beside("restored"));
        let restorable = name == "FORMAT";
        assert!(restorable || refused.is_err(), "byte {at} of `{name}`");
        let _ = std::fs::remove_dir_all(at_rest.beside("restored"));
        std::fs::write(&path, &whole).unwrap();
    }
    let manifest = at_rest.backup.join("MANIFEST");
    let whole = std::fs::read(&manifest).unwrap();
    for _ in 0..50 {
        let at = rng.random_range(0..whole.len());
        let mut changed = whole.clone();
        changed[at] ^= 1 << rng.random_range(0..8);
        std::fs::write(&manifest, &changed).unwrap();
        let refused = check_backup(&at_rest.backup, None, |_, _| {}).unwrap_err();
        assert!(refused.to_string().contains("format") || refused.to_string().contains("MANIFEST"));
    }
    std::fs::write(&manifest, &whole).unwrap();
    assert_eq!(check(&at_rest.backup).audit.findings, []);
}

/// The name of some payload file.
fn payload_of(data: &Path) -> String {
    let shelves = std::fs::read_dir(data.join("payloads")).unwrap().map(|shelf| shelf.unwrap());
    let mut files = shelves.flat_map(|shelf| std::fs::read_dir(shelf.path()).unwrap());
    let path = files.next().expect("there is a payload").unwrap().path();
    path.strip_prefix(data).unwrap().to_str().unwrap().to_owned()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_missing_from_a_backup_is_named() {
    let at_rest = AtRest::new().await;
    let data = at_rest.backup.join("data");
    let payload = payload_of(&data);
    for name in ["journal/00000000000000000001.blocks", &payload, "log.key"] {
        let (path, aside) = (data.join(name), at_rest.beside("aside"));
        std::fs::rename(&path, &aside).unwrap();
        let found = check(&at_rest.backup).audit.findings;
        let named =
            found.iter().any(|one| one.file.as_ref().is_some_and(|file| file.contains(name)));
        assert!(named, "`{name}`: {found:#?}");
        std::fs::rename(&aside, &path).unwrap();
    }
    // The last block is cut by a byte.
    let path = data.join("journal/00000000000000000001.blocks");
    let file = std::fs::OpenOptions::new().write(true).open(&path).unwrap();
    file.set_len(file.metadata().unwrap().len() - 1).unwrap();
    let found = check(&at_rest.backup).audit.findings;
    assert!(found.iter().any(|one| one.why.contains("bytes, not")), "{found:#?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_interrupted_backup_goes_on_and_ends_as_one_that_was_not() {
    let at_rest = AtRest::new().await;
    let files = at_rest.split_journal();
    assert!(files > 5, "{files} files");
    let (whole, broken) = (at_rest.beside("whole"), at_rest.beside("broken"));
    take(&at_rest.world, &whole).unwrap();
    let data = at_rest.world.data();
    let backup = Backup { data: &data, to: &broken, with_key: true, now: now() };
    let journal = std::fs::read_dir(data.join("journal")).unwrap();
    let bytes: u64 = journal.map(|file| file.unwrap().metadata().unwrap().len()).sum();
    let mut stood_for = 0;
    for percent in [2, 40, 41, 90] {
        let stop_at = bytes * percent / 100;
        let interrupted = catch_unwind(AssertUnwindSafe(|| {
            backup.take(|done, _| assert!(done < stop_at, "interrupted"))
        }));
        assert!(interrupted.is_err(), "it was to be interrupted at byte {stop_at}");
        let found = check(&broken);
        assert_eq!(found.audit.findings, [], "what an interruption leaves is no damage");
        assert!(found.manifest.block >= stood_for);
        stood_for = found.manifest.block;
    }
    assert!(stood_for > 5, "whole files are kept");
    let rest = backup.take(|_, _| {}).unwrap();
    assert!(rest.blocks < rest.manifest.block, "it went on");
    let [one, other] = [&whole, &broken].map(|backup| Manifest::read(backup).unwrap());
    assert_eq!((one.files, one.log_root), (other.files, other.log_root));
    assert_eq!(check(&broken).audit.findings, []);
    let restored = restore(&broken, &at_rest.beside("restored")).unwrap();
    assert_eq!(restored.state, replayed(&data, restored.manifest.block));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_backup_shows_itself_to_its_owner_only_and_leaves_the_key_out_when_asked() {
    let at_rest = AtRest::new().await;
    let mode = |path: PathBuf| path.metadata().unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(at_rest.backup.clone()), 0o700);
    for name in ["MANIFEST", "data/log.key", "data/journal/00000000000000000001.blocks"] {
        assert_eq!(mode(at_rest.backup.join(name)), 0o600, "{name}");
    }
    let data = at_rest.world.data();
    let kept = at_rest.beside("kept.key");
    std::fs::copy(data.join("log.key"), &kept).unwrap();
    let backup = Backup { data: &data, to: &at_rest.backup, with_key: false, now: now() };
    backup.take(|_, _| {}).unwrap();
    assert!(!at_rest.backup.join("data/log.key").exists());
    assert_eq!(check(&at_rest.backup).audit.findings, []);
    let to = at_rest.beside("restored");
    assert!(matches!(restore(&at_rest.backup, &to), Err(BackupError::WithoutKey)));
    Restore { from: &at_rest.backup, to: &to, key: Some(&kept) }.run(|_| {}).unwrap();
    assert_eq!(mode(to.join("log.key")), 0o600);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_target_or_source_that_does_not_do_is_refused_and_left_alone() {
    let at_rest = AtRest::new().await;
    let (data, world) = (at_rest.world.data(), &at_rest.world);
    let foreign = at_rest.beside("foreign");
    std::fs::create_dir(&foreign).unwrap();
    std::fs::write(foreign.join("photos"), "").unwrap();
    assert!(matches!(take(world, &foreign), Err(BackupError::NotEmpty { .. })));
    assert!(matches!(restore(&at_rest.backup, &foreign), Err(BackupError::NotEmpty { .. })));
    assert!(matches!(restore(&at_rest.backup, &data), Err(BackupError::NotEmpty { .. })));
    assert!(matches!(take(world, &data.join("backup")), Err(BackupError::Nested(_))));
    let none = Backup { data: &foreign, to: &at_rest.beside("new"), with_key: true, now: now() };
    assert!(matches!(none.take(|_, _| {}), Err(BackupError::NoDataFolder(_))));
    assert!(matches!(restore(&foreign, &at_rest.beside("new")), Err(BackupError::NoBackup(_))));
    let other = World::start().await;
    assert!(matches!(take(&other, &at_rest.backup), Err(BackupError::OtherHub { .. })));
    // The hub forgets its last block: what the backup has, it does not.
    let path = data.join("journal/00000000000000000001.blocks");
    let file = std::fs::OpenOptions::new().write(true).open(&path).unwrap();
    file.set_len(file.metadata().unwrap().len() - 1).unwrap();
    assert!(matches!(take(world, &at_rest.backup), Err(BackupError::Diverged { .. })));
    assert_eq!(check(&at_rest.backup).audit.findings, [], "the backup is as it was");
    assert_eq!(at_rest.sent.len() as u64, check(&at_rest.backup).manifest.log_size);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_full_disk_and_a_damaged_journal_end_a_backup_with_a_clear_word() {
    let at_rest = AtRest::new().await;
    let full = at_rest.beside("full");
    let journal = full.join("data/journal");
    std::fs::create_dir_all(&journal).unwrap();
    let first = take(&at_rest.world, &full).unwrap_err();
    assert!(matches!(first, BackupError::NotEmpty { .. }), "{first}");
    // A backup whose next journal file lies on a disk that takes nothing.
    std::fs::remove_dir_all(full.join("data")).unwrap();
    let data = at_rest.world.data();
    let backup = Backup { data: &data, to: &full, with_key: true, now: now() };
    let interrupted = catch_unwind(AssertUnwindSafe(|| backup.take(|_, _| panic!("interrupted"))));
    assert!(interrupted.is_err());
    let file = journal.join("00000000000000000001.blocks");
    std::fs::remove_file(&file).unwrap();
    std::os::unix::fs::symlink("/dev/full", &file).unwrap();
    let refused = backup.take(|_, _| {}).unwrap_err();
    assert!(refused.is_disk_full(), "{refused}");
    std::fs::remove_file(&file).unwrap();
    backup.take(|_, _| {}).unwrap();
    assert_eq!(check(&full).audit.findings, [], "with room it goes on");

    let path = data.join("journal/00000000000000000001.blocks");
    let mut bytes = std::fs::read(&path).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    std::fs::write(&path, bytes).unwrap();
    let refused = take(&at_rest.world, &at_rest.beside("new")).unwrap_err().to_string();
    assert!(
        refused.contains("00000000000000000001.blocks") && refused.contains("block"),
        "{refused}"
    );
}
