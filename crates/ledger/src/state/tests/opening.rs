//! Opening beside a journal: which state is used, from which block it is replayed, and which one is
//! made anew.

use lienthong_model::limits::REPLAY_MARGIN_BLOCKS;

use super::*;

#[test]
fn a_state_behind_its_journal_is_replayed_from_before_its_marker() {
    let folder = tempfile::tempdir().unwrap();
    let (_journal, blocks) = journal(&folder, 600);
    let path = state_at(&folder, marker_at(&blocks, 400));
    let opened = open_or_rebuild_with(&path, &blocks, limits()).unwrap();
    assert_eq!((opened.rebuilt, opened.replay_from), (None, 401 - REPLAY_MARGIN_BLOCKS));
    assert!(opened.state.read(b"block").unwrap().is_some());
}

#[test]
fn a_state_at_the_end_of_its_journal_is_used() {
    let folder = tempfile::tempdir().unwrap();
    let (_journal, blocks) = journal(&folder, 10);
    let path = state_at(&folder, blocks.end().unwrap());
    let opened = open_or_rebuild_with(&path, &blocks, limits()).unwrap();
    assert_eq!((opened.rebuilt, opened.replay_from), (None, 1));
    assert_eq!(opened.state.marker(), blocks.end());
}

#[test]
fn a_state_ahead_of_its_journal_is_damage_of_the_journal_and_both_stay_as_they_are() {
    let folder = tempfile::tempdir().unwrap();
    let (_journal, blocks) = journal(&folder, 10);
    let path = state_at(&folder, block_after(blocks.end()).marker);
    let error = open_or_rebuild_with(&path, &blocks, limits()).unwrap_err();
    assert!(matches!(error, EngineError::Damaged { .. }), "{error}");
    let text = error.to_string();
    assert!(text.contains("ends with block 10") && text.contains("knows block 11"), "{text}");
    let (state, marker) = SledState::open(&path, limits()).unwrap();
    assert_eq!((marker.map(|marker| marker.block), rows(&state).len()), (Some(11), 1));
}

#[test]
fn a_changed_byte_in_the_last_block_is_damage_when_the_state_knows_it_and_nothing_is_cut() {
    let folder = tempfile::tempdir().unwrap();
    let (journal_files, blocks) = journal(&folder, 10);
    let path = state_at(&folder, blocks.end().unwrap());
    drop((journal_files, blocks));
    let file = folder.path().join("journal/00000000000000000001.blocks");
    let whole = std::fs::read(&file).unwrap();
    // Any byte of the last frame.
    for back in [1, 20, 60] {
        let mut bytes = whole.clone();
        let at = bytes.len() - back;
        bytes[at] ^= 1;
        std::fs::write(&file, &bytes).unwrap();
        let opened = JournalFiles::open(&folder.path().join("journal"), JournalLimits::default());
        let JournalOpened { journal, blocks, torn } = opened.unwrap();
        let error = open_or_rebuild_with(&path, &blocks, limits()).unwrap_err();
        let text = error.to_string();
        let named = format!("`00000000000000000001.blocks` at byte {}, block 10", torn[0].offset);
        assert!(text.contains(&named) && text.contains("knows block 10"), "{text}");
        assert!(text.contains("from a backup"), "{text}");
        drop((journal, blocks));
        assert_eq!(std::fs::read(&file).unwrap(), bytes, "the journal is left as it was");
    }
    // Without the state it is a torn end like any other, which the next block cuts.
    std::fs::remove_dir_all(&path).unwrap();
    let opened = JournalFiles::open(&folder.path().join("journal"), JournalLimits::default());
    let JournalOpened { mut journal, blocks, torn } = opened.unwrap();
    assert_eq!(open_or_rebuild_with(&path, &blocks, limits()).unwrap().replay_from, 1);
    journal.cut_torn_end().unwrap();
    assert_eq!(std::fs::metadata(&file).unwrap().len(), torn[0].offset);
}

#[test]
fn an_empty_journal_beside_a_state_is_damage_and_nothing_is_begun_anew() {
    let folder = tempfile::tempdir().unwrap();
    let (_journal, blocks) = journal(&folder, 0);
    let path = state_at(&folder, block_after(None).marker);
    let error = open_or_rebuild_with(&path, &blocks, limits()).unwrap_err();
    assert!(matches!(error, EngineError::Damaged { .. }), "{error}");
    assert!(error.to_string().contains("block 1"), "{error}");
    let (state, marker) = SledState::open(&path, limits()).unwrap();
    assert_eq!(marker, Some(block_after(None).marker), "the state is as it was");
    drop(state);
}

#[test]
fn a_state_of_another_journal_is_rebuilt() {
    for block in [5, 10] {
        let folder = tempfile::tempdir().unwrap();
        let (_journal, blocks) = journal(&folder, 10);
        let path = state_at(&folder, change(block, true, &[]).marker);
        let opened = open_or_rebuild_with(&path, &blocks, limits()).unwrap();
        assert_eq!(opened.rebuilt, Some(Why::OtherHash { block }));
        assert_eq!((opened.state.marker(), rows(&opened.state)), (None, vec![]));
    }
}

#[test]
fn a_state_that_is_not_there_is_made_and_everything_replayed() {
    let folder = tempfile::tempdir().unwrap();
    let (_journal, blocks) = journal(&folder, 10);
    let opened = open_or_rebuild_with(&folder.path().join("state"), &blocks, limits()).unwrap();
    assert_eq!((opened.rebuilt, opened.replay_from), (None, 1));
}

#[test]
fn a_database_that_lost_its_end_is_found_though_a_newer_one_says_where_the_whole_ends() {
    let folder = tempfile::tempdir().unwrap();
    let (_journal, blocks) = journal(&folder, 600);
    let (ended, path) = (marker_at(&blocks, 400), state_at(&folder, marker_at(&blocks, 400)));
    let two = |rested| super::generation::Generation {
        recent: vec![2, 1],
        rested: Some(rested),
        ..Default::default()
    };
    two(ended).put_in_force(&path).unwrap();
    let opened = open_or_rebuild_with(&path, &blocks, limits()).unwrap();
    assert_eq!((opened.rebuilt, opened.replay_from), (None, 401 - REPLAY_MARGIN_BLOCKS));
    drop(opened.state);
    let folder = tempfile::tempdir().unwrap();
    let path = state_at(&folder, ended);
    two(marker_at(&blocks, 450)).put_in_force(&path).unwrap();
    let opened = open_or_rebuild_with(&path, &blocks, limits()).unwrap();
    let why = opened.rebuilt.unwrap().to_string();
    assert!(why.contains("database 1: it has lost the rows at its end"), "{why}");
    assert_eq!(opened.replay_from, 1);
}

#[test]
fn a_state_of_the_layout_before_is_rebuilt() {
    let folder = tempfile::tempdir().unwrap();
    let (_journal, blocks) = journal(&folder, 10);
    let path = folder.path().join("state");
    drop(open_sled(&path, 1 << 20).unwrap());
    let opened = open_or_rebuild_with(&path, &blocks, limits()).unwrap();
    assert!(matches!(opened.rebuilt, Some(Why::Unusable { .. })));
    assert!(!path.join("db").exists());
}

/// A marker's row as a version would write it whose state has a format.
fn marker_row(format: u16, marker: Marker) -> Vec<u8> {
    let block = marker.block.to_le_bytes();
    let nothing = [0; 12];
    let value = [&format.to_le_bytes()[..], &block, marker.hash.as_bytes(), &nothing].concat();
    let check = crc32c::crc32c_append(crc32c::crc32c(b"\xffmarker"), &value);
    [&check.to_le_bytes()[..], &value].concat()
}

#[test]
fn a_state_of_an_older_format_is_rebuilt_and_one_of_a_newer_format_refused() {
    let folder = tempfile::tempdir().unwrap();
    let (_journal, blocks) = journal(&folder, 10);
    let end = blocks.end().unwrap();
    let path = state_at(&folder, end);
    let write = |format| {
        let raw = open_sled(&database(&folder), 1 << 20).unwrap();
        raw.insert(b"\xffmarker", marker_row(format, end)).unwrap();
    };
    write(STATE_FORMAT + 1);
    let error = open_or_rebuild_with(&path, &blocks, limits()).unwrap_err();
    assert!(matches!(error, EngineError::TooNew { reads: STATE_FORMAT, .. }), "{error}");
    write(STATE_FORMAT);
    assert_eq!(open_or_rebuild_with(&path, &blocks, limits()).unwrap().rebuilt, None);
    write(STATE_FORMAT - 1);
    let opened = open_or_rebuild_with(&path, &blocks, limits()).unwrap();
    let named = format!("format {}", STATE_FORMAT - 1);
    assert!(matches!(&opened.rebuilt, Some(Why::Unusable { why }) if why.contains(&named)));
    assert_eq!((opened.replay_from, rows(&opened.state)), (1, vec![]));
}

#[test]
fn a_state_in_use_is_refused_and_not_deleted() {
    let folder = tempfile::tempdir().unwrap();
    let (_journal, blocks) = journal(&folder, 10);
    let path = state_at(&folder, blocks.end().unwrap());
    let first = open(&folder, limits());
    let error = open_or_rebuild_with(&path, &blocks, limits()).unwrap_err();
    assert!(matches!(error, EngineError::InUse(_)), "{error}");
    assert!(first.read(b"block").unwrap().is_some());
}

#[test]
fn an_interrupted_deletion_is_finished() {
    let folder = tempfile::tempdir().unwrap();
    let (_journal, blocks) = journal(&folder, 10);
    let path = state_at(&folder, blocks.end().unwrap());
    let discarded = folder.path().join("state.discarded");
    std::fs::rename(&path, &discarded).unwrap();
    let opened = open_or_rebuild_with(&path, &blocks, limits()).unwrap();
    assert!(!discarded.exists());
    assert_eq!(rows(&opened.state), vec![]);
}
