use std::fs::OpenOptions;
use std::io::Write as _;
use std::path::PathBuf;

use lienthong_core::engine::{Blocks as _, Journal as _};
use lienthong_core::engine_suite::{self, block_after};
use tempfile::TempDir;

use super::frame::{FRAME_MAGIC, HEAD_BYTES, Head};
use super::*;
use crate::disk::FolderLock;
use lienthong_core::block::{BLOCK_FORMAT, SealedBlock};
use lienthong_core::engine::{EngineError, Marker};

/// Small enough for several files and for reading from files instead of memory.
const SMALL: JournalLimits = JournalLimits { file_bytes: 1_500, ..ONE_FILE };
/// One file.
const ONE_FILE: JournalLimits = JournalLimits {
    file_bytes: 1 << 30,
    recent_blocks: 3,
    recent_bytes: 1_000_000,
    file_span: limits::JOURNAL_FILE_SPAN,
};

/// Appends blocks, each synced for itself.
fn append(opened: &mut JournalOpened, count: u64) -> Vec<SealedBlock> {
    (0..count)
        .map(|_| {
            let block = block_after(opened.journal.last_proposed());
            opened.journal.propose(&block).unwrap();
            assert_eq!(opened.journal.read_ordered().unwrap(), Some(block.marker.block));
            block
        })
        .collect()
}

fn journal_of(blocks: u64, limits: JournalLimits) -> (TempDir, Vec<SealedBlock>) {
    let folder = tempfile::tempdir().unwrap();
    let mut opened = JournalFiles::open(folder.path(), limits).unwrap();
    let blocks = append(&mut opened, blocks);
    (folder, blocks)
}

fn files(folder: &TempDir) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder.path()).unwrap();
    let mut files: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
    files.retain(|path| path.extension().is_some_and(|extension| extension == "blocks"));
    files.sort();
    files
}

fn open(folder: &TempDir, limits: JournalLimits) -> Result<JournalOpened, EngineError> {
    JournalFiles::open(folder.path(), limits)
}

fn numbers(blocks: &JournalBlocks, from: u64) -> Vec<u64> {
    blocks.replay(from).map(|block| block.unwrap().marker.block).collect()
}

#[test]
fn journal_files_do_what_every_journal_does() {
    for limits in [SMALL, ONE_FILE, JournalLimits::default()] {
        let folder = tempfile::tempdir().unwrap();
        engine_suite::journal(|| {
            let opened = JournalFiles::open(folder.path(), limits).unwrap();
            assert_eq!(opened.torn, []);
            (opened.journal, opened.blocks)
        });
    }
}

#[test]
fn one_sync_serves_all_that_were_proposed() {
    let folder = tempfile::tempdir().unwrap();
    let mut opened = open(&folder, ONE_FILE).unwrap();
    for _ in 0..5 {
        let block = block_after(opened.journal.last_proposed());
        opened.journal.propose(&block).unwrap();
    }
    assert_eq!(opened.journal.read_ordered().unwrap(), Some(1));
    // Without a file that can be synced or written, the rest is still served.
    opened.journal.file = std::fs::File::open(files(&folder).remove(0)).unwrap();
    for number in 2..=5 {
        assert_eq!(opened.journal.read_ordered().unwrap(), Some(number));
    }
}

#[test]
fn a_journal_over_several_files_is_read_and_continued() {
    let (folder, written) = journal_of(100, SMALL);
    assert!(files(&folder).len() > 5);
    let mut opened = open(&folder, SMALL).unwrap();
    assert_eq!(opened.blocks.end(), Some(written[99].marker));
    // Backwards, so that every file is indexed without the one before.
    for block in written.iter().rev() {
        let found = opened.blocks.sealed(block.marker.block).unwrap().unwrap();
        assert_eq!((found.marker, &found.bytes), (block.marker, &block.bytes));
        assert_eq!(opened.blocks.hash(block.marker.block).unwrap(), Some(block.marker.hash));
    }
    assert_eq!(opened.blocks.hash(101).unwrap(), None);
    append(&mut opened, 20);
    assert_eq!(numbers(&opened.blocks, 0), (1..=120).collect::<Vec<_>>());
    assert_eq!(numbers(&opened.blocks, 57), (57..=120).collect::<Vec<_>>());
    assert!(numbers(&opened.blocks, 121).is_empty());
}

#[test]
fn a_torn_tail_is_cut_at_every_byte_of_the_last_frame_and_the_rest_kept() {
    let (folder, written) = journal_of(4, ONE_FILE);
    let path = files(&folder).remove(0);
    let whole = std::fs::read(&path).unwrap();
    let start = whole.len() - HEAD_BYTES - written[3].bytes.len();
    for length in start..whole.len() {
        std::fs::write(&path, &whole[..length]).unwrap();
        let mut opened = open(&folder, ONE_FILE).unwrap();
        assert_eq!(opened.blocks.end(), Some(written[2].marker), "cut to {length} bytes");
        let cut: u64 = opened.torn.iter().map(|tail| tail.bytes).sum();
        assert_eq!(cut, (length - start) as u64);
        let bytes = || std::fs::metadata(&path).unwrap().len();
        assert_eq!(bytes(), length as u64, "opening alone cuts nothing");
        opened.journal.cut_torn_end().unwrap();
        assert_eq!(bytes(), start as u64);
        append(&mut opened, 1);
        assert_eq!(numbers(&opened.blocks, 1), [1, 2, 3, 4]);
    }
}

#[test]
fn a_last_frame_of_other_bytes_is_cut() {
    let (folder, written) = journal_of(4, ONE_FILE);
    let path = files(&folder).remove(0);
    let whole = std::fs::read(&path).unwrap();
    let start = whole.len() - HEAD_BYTES - written[3].bytes.len();
    for at in start..whole.len() {
        let mut bytes = whole.clone();
        bytes[at] ^= 0x10;
        std::fs::write(&path, &bytes).unwrap();
        let opened = open(&folder, ONE_FILE).unwrap();
        assert_eq!(opened.blocks.end(), Some(written[2].marker), "byte {at}");
        assert_eq!(opened.torn[0].offset, start as u64);
    }
    let mut zeros = whole[..start].to_vec();
    zeros.resize(start + 100_000, 0);
    std::fs::write(&path, &zeros).unwrap();
    assert_eq!(open(&folder, ONE_FILE).unwrap().torn[0].bytes, 100_000);
}

#[test]
fn a_flipped_byte_before_the_last_frame_is_found_and_named() {
    let (folder, written) = journal_of(4, ONE_FILE);
    let path = files(&folder).remove(0);
    let whole = std::fs::read(&path).unwrap();
    let frame = HEAD_BYTES + written[1].bytes.len();
    let start = whole.len()
        - written[1..].iter().map(|block| HEAD_BYTES + block.bytes.len()).sum::<usize>();
    for at in start..start + frame {
        let mut bytes = whole.clone();
        bytes[at] ^= 0x01;
        std::fs::write(&path, &bytes).unwrap();
        let error = open(&folder, ONE_FILE).unwrap_err();
        assert!(matches!(&error, EngineError::Damaged { .. }), "{error}");
        let text = error.to_string();
        assert!(text.contains("00000000000000000001.blocks"), "{text}");
        assert!(text.contains(&format!("at byte {start}, block 2")), "{text}");
        assert_eq!(std::fs::read(&path).unwrap(), bytes, "damage is left as it is");
    }
}

#[test]
fn a_bad_frame_is_cut_with_whole_ones_after_it_when_none_of_them_was_synced() {
    let folder = tempfile::tempdir().unwrap();
    let mut opened = open(&folder, ONE_FILE).unwrap();
    append(&mut opened, 2);
    let start = std::fs::metadata(&files(&folder)[0]).unwrap().len();
    for _ in 0..3 {
        let block = block_after(opened.journal.last_proposed());
        opened.journal.propose(&block).unwrap();
    }
    drop(opened);
    // As a power cut does that lets the third block's bytes go and keeps the fourth's.
    let path = files(&folder).remove(0);
    let mut bytes = std::fs::read(&path).unwrap();
    bytes[start as usize..][..HEAD_BYTES + 5].fill(0);
    std::fs::write(&path, &bytes).unwrap();
    let opened = open(&folder, ONE_FILE).unwrap();
    assert_eq!(opened.torn[0].offset, start);
    assert_eq!(numbers(&opened.blocks, 1), [1, 2]);
}

#[test]
fn whole_frames_that_were_not_synced_are_kept() {
    let folder = tempfile::tempdir().unwrap();
    let mut opened = open(&folder, ONE_FILE).unwrap();
    opened.journal.propose(&block_after(None)).unwrap();
    drop(opened);
    let opened = open(&folder, ONE_FILE).unwrap();
    assert_eq!(numbers(&opened.blocks, 1), [1]);
    assert_eq!(opened.torn, []);
}

#[test]
fn a_new_file_without_a_whole_header_is_removed_and_reported() {
    let (folder, written) = journal_of(5, ONE_FILE);
    for length in [0, 1, 71, 72] {
        std::fs::write(folder.path().join("00000000000000000006.blocks"), vec![0; length]).unwrap();
        let mut opened = open(&folder, ONE_FILE).unwrap();
        assert_eq!(opened.blocks.end(), Some(written[4].marker));
        assert_eq!((opened.torn[0].offset, opened.torn[0].bytes), (0, length as u64));
        assert_eq!(files(&folder).len(), 1);
        append(&mut opened, 0);
    }
}

#[test]
fn a_torn_frame_before_a_later_file_is_damage() {
    let (folder, _) = journal_of(100, SMALL);
    let path = files(&folder).remove(2);
    let length = std::fs::metadata(&path).unwrap().len();
    let file = OpenOptions::new().write(true).open(&path).unwrap();
    file.set_len(length - 3).unwrap();
    let blocks = open(&folder, SMALL).unwrap().blocks;
    let error = blocks.replay(1).find_map(Result::err).unwrap();
    assert!(error.to_string().contains(path.file_name().unwrap().to_str().unwrap()), "{error}");
    assert!(matches!(error, EngineError::Damaged { .. }));
    assert_eq!(blocks.replay(1).filter(Result::is_err).count(), 1, "it ends after an error");
}

#[test]
fn a_missing_file_is_damage() {
    let (folder, _) = journal_of(100, SMALL);
    let all = files(&folder);
    let kept = std::fs::read(&all[2]).unwrap();
    std::fs::remove_file(&all[2]).unwrap();
    let blocks = open(&folder, SMALL).unwrap().blocks;
    let error = blocks.replay(1).find_map(Result::err).unwrap();
    assert!(matches!(&error, EngineError::Damaged { .. }), "{error}");
    assert!(error.to_string().contains("the next one begins with block"), "{error}");
    drop(blocks);
    std::fs::write(&all[2], kept).unwrap();
    std::fs::remove_file(&all[0]).unwrap();
    let error = open(&folder, SMALL).unwrap_err();
    assert!(error.to_string().contains("block 1"), "{error}");
}

#[test]
fn a_file_of_another_journal_is_damage() {
    let (folder, _) = journal_of(100, SMALL);
    let other = tempfile::tempdir().unwrap();
    let mut opened = open(&other, SMALL).unwrap();
    for number in 1..=100 {
        let mut block = (*block_after(opened.journal.last_proposed()).block).clone();
        block.rules = 2;
        opened.journal.propose(&block.seal()).unwrap();
        assert_eq!(opened.journal.read_ordered().unwrap(), Some(number));
    }
    drop(opened);
    std::fs::copy(&files(&other)[2], &files(&folder)[2]).unwrap();
    let blocks = open(&folder, SMALL).unwrap().blocks;
    let error = blocks.replay(1).find_map(Result::err).unwrap();
    assert!(matches!(&error, EngineError::Damaged { .. }), "{error}");
}

#[test]
fn a_newer_format_of_file_or_block_is_refused() {
    let (folder, written) = journal_of(2, ONE_FILE);
    let path = files(&folder).remove(0);
    let whole = std::fs::read(&path).unwrap();
    let mut newer = whole.clone();
    newer[8] = 2;
    std::fs::write(&path, &newer).unwrap();
    let error = open(&folder, ONE_FILE).unwrap_err();
    assert!(matches!(error, EngineError::TooNew { found: 2, .. }), "{error}");
    let mut newer = whole.clone();
    let start = whole.len() - HEAD_BYTES - written[1].bytes.len();
    newer[start + 4..start + 6].copy_from_slice(&(BLOCK_FORMAT + 1).to_le_bytes());
    let crc = crc32c::crc32c(&newer[start..start + 26]);
    newer[start + 26..start + 30].copy_from_slice(&crc.to_le_bytes());
    std::fs::write(&path, &newer).unwrap();
    let error = open(&folder, ONE_FILE).unwrap_err();
    assert!(matches!(error, EngineError::TooNew { .. }), "{error}");
    assert_eq!(std::fs::read(&path).unwrap(), newer, "nothing was cut");
}

#[test]
fn a_flipped_byte_in_the_header_is_damage() {
    let (folder, _) = journal_of(2, ONE_FILE);
    let path = files(&folder).remove(0);
    let whole = std::fs::read(&path).unwrap();
    for at in 0..72 {
        let mut bytes = whole.clone();
        bytes[at] ^= 0x40;
        std::fs::write(&path, &bytes).unwrap();
        let error = open(&folder, ONE_FILE).unwrap_err();
        let refused = matches!(error, EngineError::Damaged { .. } | EngineError::TooNew { .. });
        assert!(refused, "byte {at}: {error}");
    }
}

#[test]
fn a_failed_write_poisons() {
    let folder = tempfile::tempdir().unwrap();
    let mut opened = open(&folder, ONE_FILE).unwrap();
    append(&mut opened, 3);
    let next = block_after(opened.journal.last_proposed());
    let writable = std::mem::replace(
        &mut opened.journal.file,
        std::fs::File::open(files(&folder).remove(0)).unwrap(),
    );
    let error = opened.journal.propose(&next).unwrap_err();
    assert!(matches!(error, EngineError::Io { doing: "write", .. }), "{error}");
    opened.journal.file = writable;
    opened.journal.propose(&next).unwrap_err();
    opened.journal.read_ordered().unwrap_err();
    let blocks = opened.blocks.clone();
    assert_eq!(numbers(&blocks, 1), [1, 2, 3], "readers go on");
    drop(opened);
    append(&mut open(&folder, ONE_FILE).unwrap(), 1);
}

#[test]
fn a_journal_in_use_is_refused() {
    let (folder, _) = journal_of(1, ONE_FILE);
    let lock = FolderLock::take(folder.path()).unwrap();
    let error = open(&folder, ONE_FILE).unwrap_err();
    assert!(matches!(error, EngineError::InUse(_)), "{error}");
    drop(lock);
    open(&folder, ONE_FILE).unwrap();
}

#[test]
fn other_files_in_the_folder_are_left_alone() {
    let (folder, written) = journal_of(2, ONE_FILE);
    for name in ["notes.txt", "1.blocks", "0000000000000000000x.blocks"] {
        std::fs::File::create(folder.path().join(name)).unwrap().write_all(b"mine").unwrap();
    }
    assert_eq!(open(&folder, ONE_FILE).unwrap().blocks.end(), Some(written[1].marker));
    assert!(folder.path().join("1.blocks").exists());
}

#[test]
fn the_layout_of_header_and_frame_is_as_documented() {
    let (folder, written) = journal_of(2, ONE_FILE);
    let bytes = std::fs::read(files(&folder).remove(0)).unwrap();
    assert_eq!(&bytes[..10], b"LTJOURNL\x01\x00");
    assert_eq!(bytes[28..36], 1u64.to_le_bytes());
    assert_eq!(bytes[36..68], [0; 32]);
    assert_eq!(bytes[68..72], crc32c::crc32c(&bytes[..68]).to_le_bytes());
    let second = 72 + 34 + written[0].bytes.len();
    let frame = &bytes[second..];
    assert_eq!(frame[..4], FRAME_MAGIC);
    assert_eq!(frame[4..6], BLOCK_FORMAT.to_le_bytes());
    assert_eq!(frame[6..10], (written[1].bytes.len() as u32).to_le_bytes());
    assert_eq!(frame[10..18], 2u64.to_le_bytes());
    assert_eq!(frame[18..26], 1u64.to_le_bytes());
    assert_eq!(frame[26..30], crc32c::crc32c(&frame[..26]).to_le_bytes());
    let checked = [&frame[..26], &frame[34..]].concat();
    assert_eq!(frame[30..34], crc32c::crc32c(&checked).to_le_bytes());
    assert_eq!(frame[34..], written[1].bytes[..]);
    let head = Head::decode(frame[..34].try_into().unwrap()).unwrap();
    assert_eq!((head.number, head.synced, head.frame_bytes()), (2, 1, frame.len() as u64));
}

#[test]
fn an_empty_last_file_takes_its_end_from_its_header() {
    let (folder, written) = journal_of(5, ONE_FILE);
    let marker: Marker = written[4].marker;
    let header = super::frame::FileHeader { first: 6, previous: marker.hash };
    let path = folder.path().join("00000000000000000006.blocks");
    std::fs::write(path, header.encode()).unwrap();
    let mut opened = open(&folder, ONE_FILE).unwrap();
    assert_eq!(opened.blocks.end(), Some(marker));
    assert_eq!(opened.blocks.block(5).unwrap(), Some(written[4].block.clone()));
    append(&mut opened, 1);
    assert_eq!(numbers(&opened.blocks, 1), [1, 2, 3, 4, 5, 6]);
}

// --- Archives -------------------------------------------------------------------------

/// A journal whose closed files are archives but the newest.
fn archived(blocks: u64) -> (TempDir, Vec<SealedBlock>) {
    let (folder, written) = journal_of(blocks, SMALL);
    let plain = files(&folder).len();
    let opened = open(&folder, SMALL).unwrap();
    let mut made = 0;
    while let Some(archived) = opened.blocks.archive_oldest(2).unwrap() {
        assert!(archived.plain_bytes > 0 && archived.archive_bytes > 0);
        made += 1;
    }
    assert_eq!((made, files(&folder).len()), (plain - 2, 2));
    (folder, written)
}

#[test]
fn a_journal_whose_oldest_files_are_archives_is_read_audited_and_continued() {
    let (folder, written) = archived(100);
    let mut opened = open(&folder, SMALL).unwrap();
    for block in written.iter().rev() {
        let found = opened.blocks.sealed(block.marker.block).unwrap().unwrap();
        assert_eq!((found.marker, &found.bytes), (block.marker, &block.bytes));
    }
    append(&mut opened, 30);
    assert_eq!(numbers(&opened.blocks, 0), (1..=130).collect::<Vec<_>>());
    assert!(opened.blocks.archive_oldest(2).unwrap().is_some(), "later files follow");
    drop(opened);
    let mut audited = Vec::new();
    for step in JournalAudit::open(folder.path()).unwrap() {
        match step.unwrap() {
            Step::Block(found) => audited.push(found.block.marker.block),
            Step::Damage(damage) => panic!("{damage:?}"),
        }
    }
    assert_eq!(audited, (1..=130).collect::<Vec<_>>());
}

#[test]
fn readers_go_on_while_files_are_archived_under_them() {
    let (folder, written) = journal_of(100, SMALL);
    let opened = open(&folder, SMALL).unwrap();
    let mut replay = opened.blocks.replay(1);
    for block in &written {
        assert_eq!(replay.next().unwrap().unwrap().marker, block.marker);
        opened.blocks.archive_oldest(1).unwrap();
    }
    assert_eq!(files(&folder).len(), 1);
}

#[test]
fn whoever_looked_a_file_up_before_it_was_archived_reads_its_archive() {
    let (folder, written) = journal_of(100, SMALL);
    let opened = open(&folder, SMALL).unwrap();
    let shared = &opened.blocks.shared;
    let (before, next) = shared.file_of(1).unwrap();
    opened.blocks.archive_oldest(1).unwrap().expect("the first file is archived");
    assert!(!before.path.exists());
    let image = shared.open(&before).unwrap();
    let offset = shared.offset_of(1, &before, next, &image).unwrap();
    let (block, _) = before.block(&image, offset, 1).unwrap();
    assert_eq!(block.bytes, written[0].bytes);
    // One that is gone without an archive is missed by its name.
    let (lost, _) = shared.file_of(50).unwrap();
    std::fs::remove_file(&lost.path).unwrap();
    let error = shared.open(&lost).unwrap_err().to_string();
    assert!(error.contains(lost.path.to_str().unwrap()), "{error}");
}

#[test]
fn a_flipped_byte_in_an_archive_costs_its_blocks_and_no_others() {
    let (folder, written) = archived(60);
    let path = folder.path().join("00000000000000000001.archive");
    let whole = std::fs::read(&path).unwrap();
    for at in 0..whole.len() {
        let mut bytes = whole.clone();
        bytes[at] ^= 4;
        std::fs::write(&path, bytes).unwrap();
        let harmless = (10..16).contains(&at);
        match open(&folder, SMALL) {
            Ok(opened) => {
                for block in &written {
                    match opened.blocks.sealed(block.marker.block) {
                        Ok(found) => assert_eq!(found.unwrap().bytes, block.bytes, "byte {at}"),
                        Err(error) => {
                            assert!(!harmless && block.marker.block < 20, "byte {at}: {error}");
                            assert!(matches!(error, EngineError::Damaged { .. }), "{error}");
                        }
                    }
                }
            }
            Err(error) => {
                assert!(matches!(error, EngineError::Damaged { .. }), "byte {at}: {error}");
                assert!(error.to_string().contains("00001.archive"), "{error}");
            }
        }
    }
    // An audit goes on behind it.
    let mut bytes = whole;
    bytes[40] ^= 4;
    std::fs::write(&path, bytes).unwrap();
    let (mut blocks, mut damages) = (Vec::new(), 0);
    for step in JournalAudit::open(folder.path()).unwrap() {
        match step.unwrap() {
            Step::Block(found) => blocks.push(found.block.marker.block),
            Step::Damage(damage) => damages += usize::from(damage.file.ends_with(".archive")),
        }
    }
    assert!(damages > 0 && blocks.contains(&60) && !blocks.contains(&1), "{blocks:?}");
}

#[test]
fn a_file_beside_its_archive_counts_and_is_archived_again() {
    let (folder, written) = journal_of(100, SMALL);
    let first = files(&folder).remove(0);
    let plain = std::fs::read(&first).unwrap();
    let opened = open(&folder, SMALL).unwrap();
    assert_eq!(opened.blocks.archive_oldest(2).unwrap().unwrap().first, 1);
    drop(opened);
    // As a kill leaves it before the file is removed, and an archive that is not whole.
    std::fs::write(&first, plain).unwrap();
    let archive = folder.path().join("00000000000000000001.archive");
    std::fs::write(&archive, "half").unwrap();
    let opened = open(&folder, SMALL).unwrap();
    assert_eq!(numbers(&opened.blocks, 1).len(), written.len());
    assert_eq!(opened.blocks.archive_oldest(2).unwrap().unwrap().first, 1);
    assert!(!first.exists() && std::fs::metadata(&archive).unwrap().len() > 100);
    assert_eq!(numbers(&opened.blocks, 1).len(), written.len());
}

#[test]
fn a_journal_that_ends_with_an_archive_has_lost_files() {
    let (folder, _) = archived(100);
    files(&folder).into_iter().for_each(|file| std::fs::remove_file(file).unwrap());
    let error = open(&folder, SMALL).unwrap_err();
    assert!(error.to_string().contains("missing"), "{error}");
}
