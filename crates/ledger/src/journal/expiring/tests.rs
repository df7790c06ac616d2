use std::path::PathBuf;

use bytes::Bytes;
use lienthong_core::block::SealedBlock;
use lienthong_core::engine::Journal as _;
use lienthong_core::engine_suite::{contents_of, document_after};
use lienthong_model::{Timestamp, limits};
use tempfile::TempDir;

use super::*;
use crate::journal::{JournalAudit, JournalFiles, JournalLimits, JournalOpened, Step};

const DAY: std::time::Duration = std::time::Duration::from_secs(24 * 3600);
/// Three or four blocks a file.
const SMALL: JournalLimits = JournalLimits {
    file_bytes: 4_000,
    recent_blocks: 1,
    recent_bytes: 1_000_000,
    file_span: limits::JOURNAL_FILE_SPAN,
};

/// What the document at a position says, and its attachment.
fn contents(position: u64) -> [Bytes; 2] {
    ["content", "attachment"].map(|what| Bytes::from(format!("{what} {position} ").repeat(20)))
}

/// Appends a block of a moment with one document, whose position is the block's number.
fn append(opened: &mut JournalOpened, at: Timestamp) -> SealedBlock {
    let last = opened.journal.last_proposed();
    let number = last.map_or(1, |last| last.block + 1);
    let sealed = document_after(last, at, contents(number));
    opened.journal.propose(&sealed).unwrap();
    opened.journal.read_ordered().unwrap();
    sealed
}

fn begin() -> Timestamp {
    Timestamp::parse("2020-01-01").unwrap()
}

/// A journal of so many documents over several files.
fn journal(documents: u64) -> (TempDir, JournalOpened, Vec<SealedBlock>) {
    let folder = tempfile::tempdir().unwrap();
    let mut opened = JournalFiles::open(folder.path(), SMALL).unwrap();
    let blocks = (0..documents).map(|_| append(&mut opened, begin())).collect();
    (folder, opened, blocks)
}

/// Whether anything of a document's content stands in any file of a folder.
fn is_on_disk(folder: &TempDir, position: u64) -> bool {
    let [content, _] = contents(position);
    names(folder).iter().any(|path| {
        let image = Image::open(path).unwrap();
        let mut bytes = vec![0; usize::try_from(image.len().unwrap()).unwrap()];
        image.read_exact_at(&mut bytes, 0).unwrap();
        bytes.windows(content.len()).any(|window| window == content)
    })
}

fn names(folder: &TempDir) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder.path()).unwrap();
    let mut names: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
    names.retain(|path| path.extension().is_some());
    names.sort();
    names
}

/// Takes documents out of every closed file; returns how many contents went and were left.
fn expire(opened: &JournalOpened, expired: impl Fn(u64) -> bool) -> TakenOut {
    let (mut taken, mut block) = (TakenOut::default(), 1);
    while let Some(file) = opened.blocks.closed_file(block) {
        let mut expired = |document: Position| Ok(expired(document.0));
        taken += done(opened.blocks.take_out(file.first, &mut expired).unwrap());
        block = file.last + 1;
    }
    taken
}

fn done(taking: Taking) -> TakenOut {
    let Taking::Done(taken) = taking else { panic!("{taking:?}") };
    taken
}

/// The number of the first block that is in a file that is still written to.
fn open_from(opened: &JournalOpened) -> u64 {
    let mut block = 1;
    while let Some(file) = opened.blocks.closed_file(block) {
        block = file.last + 1;
    }
    block
}

#[test]
fn what_has_expired_leaves_the_disk_and_blocks_keep_their_places_and_hashes() {
    let (folder, opened, written) = journal(40);
    let open_from = open_from(&opened);
    assert!(open_from > 20, "several files are closed");
    let expired = |document| document % 3 == 0;
    let taken = expire(&opened, expired);
    let closed = open_from - 1;
    assert_eq!(taken, TakenOut { gone: closed / 3 * 2, left: (closed - closed / 3) * 2 });
    drop(opened);
    let opened = JournalFiles::open(folder.path(), SMALL).unwrap();
    for block in written.iter().rev() {
        let number = block.marker.block;
        let found = opened.blocks.sealed(number).unwrap().unwrap();
        assert_eq!((found.marker, found.bytes.len()), (block.marker, block.bytes.len()));
        let gone = expired(number) && number < open_from;
        let left = contents(number).map(|content| Some(content).filter(|_| !gone));
        assert_eq!(contents_of(&found.block), left, "block {number}");
        assert_eq!(is_on_disk(&folder, number), !gone, "block {number}");
    }
    let replayed = opened.blocks.replay(1).map(|block| block.unwrap().marker.block);
    assert_eq!(replayed.collect::<Vec<_>>(), (1..=40).collect::<Vec<_>>());
    drop(opened);
    for step in JournalAudit::open(folder.path()).unwrap() {
        let Step::Damage(damage) = step.unwrap() else { continue };
        panic!("{damage:?}");
    }
}

#[test]
fn a_file_without_contents_is_known_as_empty_and_one_with_some_is_looked_at_again() {
    let (folder, opened, _) = journal(20);
    let file = opened.blocks.closed_file(1).unwrap();
    let is_empty = || Image::open(&names(&folder)[0]).unwrap().is_empty();
    let mut nothing = |_| Ok(false);
    let whole = done(opened.blocks.take_out(1, &mut nothing).unwrap());
    assert_eq!(whole, TakenOut { gone: 0, left: file.last * 2 });
    assert!(names(&folder)[0].ends_with("00000000000000000001.blocks"), "it is as it was");
    let mut first = |document: Position| Ok(document.0 == 1);
    opened.blocks.take_out(1, &mut first).unwrap();
    assert!(names(&folder)[0].ends_with("00000000000000000001.archive"));
    assert!(!is_empty(), "documents wait in it");
    let rest = done(opened.blocks.take_out(1, &mut |_| Ok(true)).unwrap());
    assert_eq!(rest, TakenOut { gone: file.last * 2 - 2, left: 0 });
    assert!(is_empty());
    let again = opened.blocks.take_out(1, &mut |_| Ok(true)).unwrap();
    assert_eq!(again, Taking::Empty);
}

#[test]
fn a_changed_byte_never_makes_an_archive_with_contents_look_empty() {
    let (folder, opened, _) = journal(20);
    opened.blocks.take_out(1, &mut |document| Ok(document.0 == 1)).unwrap();
    let path = folder.path().join("00000000000000000001.archive");
    let whole = std::fs::read(&path).unwrap();
    for at in 0..16 {
        for bit in 0..8 {
            let mut changed = whole.clone();
            changed[at] ^= 1 << bit;
            std::fs::write(&path, changed).unwrap();
            let error = opened.blocks.take_out(1, &mut |_| Ok(false)).unwrap_err();
            assert!(error.to_string().contains("does not begin as one"), "{error}");
        }
    }
}

#[test]
fn nothing_is_taken_out_of_the_file_that_is_written_to() {
    let (folder, opened, _) = journal(10);
    let last = open_from(&opened);
    assert_eq!(opened.blocks.take_out(last, &mut |_| Ok(true)).unwrap(), Taking::NotNow);
    assert!(is_on_disk(&folder, last));
}

#[test]
fn whoever_cannot_say_what_has_expired_changes_nothing() {
    let (folder, opened, _) = journal(10);
    let before = names(&folder);
    let damaged = || crate::disk::damaged("row", "for a test");
    let error = opened.blocks.take_out(1, &mut |_| Err(damaged())).unwrap_err();
    assert!(error.to_string().contains("for a test"), "{error}");
    assert_eq!(names(&folder), before);
}

#[test]
fn a_file_is_closed_some_time_after_it_was_begun_however_small_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let mut opened = JournalFiles::open(folder.path(), JournalLimits::default()).unwrap();
    append(&mut opened, begin());
    append(&mut opened, begin().plus(DAY * 29));
    assert_eq!(opened.blocks.closed_file(1), None);
    drop(opened);
    // Whoever opens it anew knows when it was begun.
    let mut opened = JournalFiles::open(folder.path(), JournalLimits::default()).unwrap();
    append(&mut opened, begin().plus(DAY * 30));
    append(&mut opened, begin().plus(DAY * 59));
    assert_eq!(opened.blocks.closed_file(1), Some(ClosedFile { first: 1, last: 2 }));
    assert_eq!(opened.blocks.closed_file(3), None);
    append(&mut opened, begin().plus(DAY * 60));
    assert_eq!(opened.blocks.closed_file(3), Some(ClosedFile { first: 3, last: 4 }));
}

#[test]
fn what_a_kill_left_of_an_archive_is_removed() {
    let (folder, opened, _) = journal(10);
    drop(opened);
    let left = ["00000000000000000001.archive.new", "00000000000000000001.expired.new"];
    for name in left {
        std::fs::write(folder.path().join(name), "half").unwrap();
    }
    let opened = JournalFiles::open(folder.path(), SMALL).unwrap();
    assert!(left.iter().all(|name| !folder.path().join(name).exists()));
    assert_eq!(opened.blocks.replay(1).count(), 10);
}
