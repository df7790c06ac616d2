use std::fs;
use std::path::PathBuf;

use lienthong_core::engine::Journal as _;
use lienthong_core::engine_suite::block_after;
use tempfile::TempDir;

use super::*;
use crate::journal::{JournalFiles, JournalLimits};

/// A journal of some blocks, `batch` of them to a sync.
fn journal(blocks: usize, batch: usize, file_bytes: u64) -> (TempDir, Vec<SealedBlock>) {
    let folder = tempfile::tempdir().unwrap();
    let limits = JournalLimits { file_bytes, recent_blocks: 3, ..JournalLimits::default() };
    let mut journal = JournalFiles::open(folder.path(), limits).unwrap().journal;
    let mut all = Vec::new();
    for number in 0..blocks {
        let block = block_after(journal.last_proposed());
        journal.propose(&block).unwrap();
        all.push(block);
        if number % batch == batch - 1 {
            while journal.read_ordered().unwrap().is_some() {}
        }
    }
    while journal.read_ordered().unwrap().is_some() {}
    (folder, all)
}

fn files(folder: &TempDir) -> Vec<PathBuf> {
    list(folder.path()).unwrap().into_iter().map(|found| found.path).collect()
}

fn audit(folder: &TempDir) -> (Vec<u64>, Vec<Damage>) {
    let (mut blocks, mut damage) = (Vec::new(), Vec::new());
    let mut audit = JournalAudit::open(folder.path()).unwrap();
    for step in &mut audit {
        match step.unwrap() {
            Step::Block(found) => blocks.push(found.block.marker.block),
            Step::Damage(found) => damage.push(found),
        }
    }
    assert_eq!(audit.bytes_read(), audit.bytes());
    (blocks, damage)
}

fn numbers(count: u64) -> Vec<u64> {
    (1..=count).collect()
}

#[test]
fn a_whole_journal_is_read_whole_and_left_as_it_is() {
    let (folder, blocks) = journal(12, 1, 400);
    let before: Vec<_> = files(&folder).iter().map(|path| fs::read(path).unwrap()).collect();
    assert!(before.len() > 2, "several files");
    assert_eq!(audit(&folder), (numbers(blocks.len() as u64), Vec::new()));
    let after: Vec<_> = files(&folder).iter().map(|path| fs::read(path).unwrap()).collect();
    assert_eq!(before, after);
}

#[test]
fn a_folder_without_a_journal_has_nothing_wrong() {
    let folder = tempfile::tempdir().unwrap();
    assert_eq!(audit(&folder), (Vec::new(), Vec::new()));
}

/// Every byte of every file, each flipped in turn: the byte itself is named, and no block is lost.
#[test]
fn every_changed_byte_of_a_journal_is_named_with_what_it_was() {
    let (folder, blocks) = journal(8, 2, 400);
    for path in files(&folder) {
        let whole = fs::read(&path).unwrap();
        for at in 0..whole.len() {
            let bits = 1 << (at % 8) | u8::from(at % 3 == 0);
            let mut changed = whole.clone();
            changed[at] ^= bits;
            fs::write(&path, &changed).unwrap();
            let (found, damage) = audit(&folder);
            let name = path.file_name().unwrap().to_str().unwrap();
            let [one] = damage.as_slice() else { panic!("{name}, byte {at}: {damage:?}") };
            let said = one.changed.unwrap_or_else(|| panic!("{name}, byte {at}: {one:?}"));
            assert_eq!((one.file.as_str(), said.offset), (name, at as u64), "{one:?}");
            assert_eq!((said.is, said.was), (changed[at], whole[at]), "{one:?}");
            assert!(one.offset <= said.offset && said.offset < one.offset + one.bytes, "{one:?}");
            assert_eq!(found, numbers(blocks.len() as u64), "{name}, byte {at}");
        }
        fs::write(&path, &whole).unwrap();
    }
    assert!(audit(&folder).1.is_empty());
}

#[test]
fn a_block_of_the_last_batch_whose_byte_was_changed_is_no_torn_end_but_would_be_cut() {
    let (folder, _) = journal(6, 3, 1 << 30);
    let path = &files(&folder)[0];
    let mut bytes = fs::read(path).unwrap();
    let at = bytes.len() - 5;
    bytes[at] ^= 0x10;
    fs::write(path, bytes).unwrap();
    let (_, damage) = audit(&folder);
    let [one] = damage.as_slice() else { panic!("{damage:?}") };
    assert_eq!((one.kind, one.block, one.cut), (DamageKind::Frame, 6, true));
    assert!(!one.changed.unwrap().certain, "nothing after it confirms it");
}

#[test]
fn what_was_cut_short_at_the_end_is_a_torn_tail_and_in_the_middle_damage() {
    let (folder, blocks) = journal(6, 1, 1 << 30);
    let path = &files(&folder)[0];
    let whole = fs::read(path).unwrap();
    fs::write(path, &whole[..whole.len() - 7]).unwrap();
    let (found, damage) = audit(&folder);
    let [one] = damage.as_slice() else { panic!("{damage:?}") };
    assert_eq!((one.kind, one.block, one.cut), (DamageKind::TornTail, 6, true));
    assert_eq!(found, numbers(5));
    // A write of which the disk has only a part: the middle is zeros.
    let frame = blocks[2].bytes.len() + 34;
    let at = whole.windows(32).position(|bytes| bytes == &blocks[2].bytes[..32]).unwrap();
    let mut holed = whole.clone();
    holed[at + 8..at + 40].fill(0);
    fs::write(path, &holed).unwrap();
    let (found, damage) = audit(&folder);
    let [one] = damage.as_slice() else { panic!("{damage:?}") };
    assert_eq!((one.kind, one.block, one.cut), (DamageKind::Frame, 3, false));
    assert_eq!((one.offset, one.bytes), (at as u64 - 34, frame as u64));
    assert_eq!(found, [1, 2, 4, 5, 6]);
}

#[test]
fn bytes_that_are_no_frame_are_passed_over_and_everything_damaged_is_listed() {
    let (folder, blocks) = journal(9, 1, 1 << 30);
    let path = &files(&folder)[0];
    let mut bytes = fs::read(path).unwrap();
    let mut begins = Vec::new();
    let mut at = HEADER_BYTES;
    for block in &blocks {
        begins.push(at);
        at += block.bytes.len() + 34;
    }
    bytes[begins[1]..begins[1] + 34].fill(0xaa); // the head of block 2
    bytes[begins[4] + 40..begins[4] + 60].fill(0xbb); // the inside of block 5
    bytes[begins[7] + 3] ^= 1; // one byte of block 8's head
    fs::write(path, bytes).unwrap();
    let (found, damage) = audit(&folder);
    assert_eq!(found, [1, 3, 4, 6, 7, 8, 9]);
    let places: Vec<_> = damage.iter().map(|one| (one.offset, one.block)).collect();
    let at = |block: usize| (begins[block - 1] as u64, block as u64);
    assert_eq!(places, [at(2), at(5), at(8)]);
    assert!(damage.iter().all(|one| one.kind == DamageKind::Frame && !one.cut));
}

#[test]
fn a_missing_file_a_doubled_block_and_another_journals_block_are_found() {
    let (folder, _) = journal(12, 1, 400);
    let paths = files(&folder);
    let second = fs::read(&paths[1]).unwrap();
    fs::remove_file(&paths[1]).unwrap();
    let (_, damage) = audit(&folder);
    assert_eq!(damage[0].kind, DamageKind::Missing);
    assert_eq!(damage[0].file, paths[2].file_name().unwrap().to_str().unwrap());
    fs::write(&paths[1], [&second[..], &second[HEADER_BYTES..]].concat()).unwrap();
    let (_, damage) = audit(&folder);
    assert!(damage.iter().all(|one| one.kind == DamageKind::Chain && one.offset > 0), "{damage:?}");
    assert!(!damage.is_empty());
}

#[test]
fn a_last_file_whose_header_was_never_whole_is_a_torn_tail() {
    let (folder, blocks) = journal(4, 1, 1 << 30);
    let name = format!("{:020}.blocks", blocks.len() + 1);
    fs::write(folder.path().join(name), b"LTJOURNL").unwrap();
    let (found, damage) = audit(&folder);
    assert_eq!(found, numbers(4));
    let [one] = damage.as_slice() else { panic!("{damage:?}") };
    assert_eq!((one.kind, one.offset, one.cut), (DamageKind::TornTail, 0, true));
}
