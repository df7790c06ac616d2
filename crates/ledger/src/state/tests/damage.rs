//! Files that are not what was written: nothing of them is served, and the state is put right.

use super::*;

/// The key and the value of a database's first piece.
fn first_piece(database: &sled::Db) -> (sled::IVec, Vec<u8>) {
    let (key, piece) = database.iter().next().unwrap().unwrap();
    assert_eq!(key[0], b'p');
    (key, piece.to_vec())
}

#[test]
fn a_changed_byte_anywhere_in_a_piece_is_damage_and_the_state_is_rebuilt() {
    let folder = tempfile::tempdir().unwrap();
    let (_journal, blocks) = journal(&folder, 1);
    let path = state_at(&folder, blocks.end().unwrap());
    let (key, whole) = first_piece(&open_sled(&database(&folder), 1 << 20).unwrap());
    for at in 0..whole.len() {
        let copy = tempfile::tempdir().unwrap();
        let state = copy.path().join("state");
        copy_folder(&path, &state);
        let raw = open_sled(&database(&copy), 1 << 20).unwrap();
        let mut piece = whole.clone();
        piece[at] ^= 1;
        raw.insert(&key, piece).unwrap();
        drop(raw);
        let opened = open_or_rebuild_with(&state, &blocks, limits()).unwrap();
        let why = opened.rebuilt.unwrap().to_string();
        assert!(why.contains("piece 0: its check value is wrong"), "byte {at}: {why}");
        assert_eq!((opened.replay_from, rows(&opened.state)), (1, vec![]));
    }
}

#[test]
fn a_piece_that_is_missing_or_of_another_time_is_damage() {
    let folder = tempfile::tempdir().unwrap();
    let (_journal, blocks) = journal(&folder, 10);
    let state = open(&folder, limits());
    publish_blocks(&state, &blocks, 1..3);
    state.close().unwrap();
    let copy = tempfile::tempdir().unwrap();
    copy_folder(&folder.path().join("state"), &copy.path().join("state"));
    let state = open(&folder, limits());
    publish_blocks(&state, &blocks, 3..11);
    state.close().unwrap();
    // A whole piece, but not the one that the marker stands for.
    let (key, piece) = {
        let raw = open_sled(&database(&folder), 1 << 20).unwrap();
        let (key, _) = raw
            .iter()
            .take_while(|row| row.as_ref().unwrap().0[0] == b'p')
            .last()
            .unwrap()
            .unwrap();
        let before = raw.remove(&key).unwrap().unwrap();
        (key, before)
    };
    let path = folder.path().join("state");
    let why = match SledState::open(&path, limits()) {
        Err(error @ EngineError::Damaged { .. }) => error.to_string(),
        other => panic!("{other:?}"),
    };
    assert!(why.contains("it is missing"), "{why}");
    // The state of before, with a piece of later in the place of one of its own.
    let raw = open_sled(&database(&copy), 1 << 20).unwrap();
    assert!(raw.get(&key).unwrap().is_none(), "it was written later");
    raw.insert(&key, piece).unwrap();
    drop(raw);
    let opened = open_or_rebuild_with(&copy.path().join("state"), &blocks, limits()).unwrap();
    assert_eq!(opened.rebuilt, None, "what comes after the marker is not looked at");
    assert_eq!(rows(&opened.state), expected_at(2));
}

#[test]
fn damage_that_a_reader_meets_is_noted_and_the_next_opening_rebuilds() {
    let folder = tempfile::tempdir().unwrap();
    let (_journal, blocks) = journal(&folder, 1);
    let path = state_at(&folder, blocks.end().unwrap());
    std::fs::write(damage_note(&path), "a row").unwrap();
    let opened = open_or_rebuild_with(&path, &blocks, limits()).unwrap();
    assert!(matches!(opened.rebuilt, Some(Why::Unusable { .. })));
    assert_eq!((opened.replay_from, rows(&opened.state)), (1, vec![]));
    assert!(!damage_note(&path).exists());
}

#[test]
fn large_rows_leave_no_page_set_aside() {
    let folder = tempfile::tempdir().unwrap();
    let state = open(&folder, limits());
    for block in 1..=40u64 {
        let value = vec![block as u8; VALUE_BYTES_MAX];
        let keys = [block, 1_000 - block].map(u64::to_be_bytes);
        let rows: Vec<(&[u8], Option<&[u8]>)> =
            keys.iter().map(|key| (&key[..], Some(&value[..]))).collect();
        state.publish(change(block, true, &rows)).unwrap();
        if block % 10 == 0 {
            state.flush().unwrap();
        }
    }
    state.close().unwrap();
    let blobs = database(&folder).join("blobs");
    assert_eq!(std::fs::read_dir(&blobs).unwrap().count(), 0);
    std::fs::write(blobs.join("17"), b"page").unwrap();
    let error = SledState::open(&folder.path().join("state"), limits()).unwrap_err();
    assert!(matches!(&error, EngineError::Damaged { .. }), "{error}");
}

#[test]
fn rows_without_a_marker_are_rebuilt() {
    let folder = tempfile::tempdir().unwrap();
    let (_journal, blocks) = journal(&folder, 10);
    let path = folder.path().join("state");
    let raw = open_sled(&database(&folder), 1 << 20).unwrap();
    raw.insert(b"p\0\0\0\0\0\0\0\0", b"half a chunk").unwrap();
    drop(raw);
    let opened = open_or_rebuild_with(&path, &blocks, limits()).unwrap();
    assert!(matches!(opened.rebuilt, Some(Why::Unusable { .. })));
    assert_eq!(rows(&opened.state), vec![]);
}

#[test]
fn a_damaged_marker_is_rebuilt() {
    let folder = tempfile::tempdir().unwrap();
    let (_journal, blocks) = journal(&folder, 10);
    let path = state_at(&folder, blocks.end().unwrap());
    let raw = open_sled(&database(&folder), 1 << 20).unwrap();
    raw.insert(b"\xffmarker", vec![1; 46]).unwrap();
    drop(raw);
    let opened = open_or_rebuild_with(&path, &blocks, limits()).unwrap();
    assert!(matches!(opened.rebuilt, Some(Why::Unusable { .. })));
}

#[test]
fn a_state_of_overwritten_files_is_rebuilt_or_never_read_wrongly() {
    let seed = 0x5eed_u64;
    for round in 0..8u64 {
        let folder = tempfile::tempdir().unwrap();
        let (_journal, blocks) = journal(&folder, 10);
        let state = open(&folder, limits());
        for block in 1..=10u64 {
            let keys: Vec<_> = (0..300u32).map(|at| [block as u32, at]).collect();
            let keys: Vec<_> = keys.iter().map(|key| key.map(u32::to_be_bytes).concat()).collect();
            let rows: Vec<(&[u8], Option<&[u8]>)> =
                keys.iter().map(|key| (&key[..], Some(&key[..]))).collect();
            let marker = marker_at(&blocks, block);
            state.publish(Change { marker, ..change(block, true, &rows) }).unwrap();
        }
        state.close().unwrap();
        let path = folder.path().join("state");
        let db = database(&folder).join("db");
        let mut bytes = std::fs::read(&db).unwrap();
        let used = bytes.iter().rposition(|byte| *byte != 0).unwrap();
        let mut random = seed.wrapping_add(round).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        for _ in 0..1 << (2 * round) {
            random = random.wrapping_mul(0x5851_f42d_4c95_7f2d).wrapping_add(1);
            bytes[(random >> 16) as usize % used] ^= (random >> 8) as u8 | 1;
        }
        std::fs::write(&db, &bytes).unwrap();
        let opened = open_or_rebuild_with(&path, &blocks, limits()).unwrap();
        let marker = opened.state.marker().map_or(0, |marker| marker.block);
        let mut up_to_marker = 0;
        let outcome = opened.state.scan(b"", b"", &mut |key, value| {
            assert_eq!(key, value, "round {round} of seed {seed:#x}");
            let block = key.first_chunk().map(|block| u32::from_be_bytes(*block)).unwrap();
            up_to_marker += u64::from(u64::from(block) <= marker);
            true
        });
        match outcome {
            Ok(()) => assert_eq!(up_to_marker, marker * 300, "round {round} of seed {seed:#x}"),
            Err(error) => {
                assert!(matches!(error, EngineError::Damaged { .. }), "round {round}: {error}");
            }
        }
    }
}

#[test]
fn a_state_of_garbage_is_rebuilt() {
    let folder = tempfile::tempdir().unwrap();
    let (_journal, blocks) = journal(&folder, 10);
    let path = state_at(&folder, blocks.end().unwrap());
    for file in ["db", "conf"] {
        let file_path = database(&folder).join(file);
        let length = std::fs::metadata(&file_path).unwrap().len() as usize;
        std::fs::write(file_path, vec![0xa5; length]).unwrap();
        let opened = open_or_rebuild_with(&path, &blocks, limits()).unwrap();
        assert_eq!(opened.replay_from, 1, "{file}");
        assert_eq!((opened.state.marker(), rows(&opened.state)), (None, vec![]), "{file}");
        let marker = blocks.end().unwrap();
        opened.state.publish(Change { marker, ..change(10, true, &[]) }).unwrap();
        opened.state.close().unwrap();
    }
}

#[test]
fn a_flipped_byte_in_a_run_is_never_served_and_costs_no_row() {
    let folder = tempfile::tempdir().unwrap();
    let (_journal, blocks) = spread(&folder);
    let path = folder.path().join("state");
    let names = |folder: &std::path::Path| {
        let names = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
        let mut runs: Vec<_> = names.filter(|path| path.extension().is_some()).collect();
        runs.sort();
        runs
    };
    for run in names(&path).into_iter().filter(|path| path.extension().unwrap() == "rows") {
        let whole = std::fs::read(&run).unwrap();
        for at in [30, whole.len() - 70] {
            let copy = tempfile::tempdir().unwrap();
            let state = copy.path().join("state");
            copy_folder(&path, &state);
            let mut bytes = whole.clone();
            bytes[at] ^= 0x20;
            std::fs::write(state.join(run.file_name().unwrap()), bytes).unwrap();
            let named = format!("byte {at} of {}", run.display());
            let mut rebuilt = false;
            // The first opening may not meet the damage; reading does, and the next one knows.
            for round in 0..3 {
                let opened = open_or_rebuild_with(&state, &blocks, limits()).unwrap();
                rebuilt |= opened.rebuilt.is_some();
                let after = opened.state.marker().map_or(0, |marker| marker.block);
                assert!(opened.replay_from <= after + 1, "{named}");
                publish_blocks(&opened.state, &blocks, after + 1..41);
                let mut found = Vec::new();
                let scanned = opened.state.scan(b"", b"", &mut |key, value| {
                    found.push((key.to_vec(), value.to_vec()));
                    true
                });
                match scanned {
                    Ok(()) => assert_eq!(found, expected_at(40), "{named}, round {round}"),
                    Err(error) => {
                        assert!(round < 2, "{named}: {error}");
                        assert!(matches!(error, EngineError::Damaged { .. }), "{named}: {error}");
                    }
                }
            }
            let unused = !names(&path).contains(&run);
            assert!(rebuilt || unused || is_kept_only(&path, &run), "{named}");
        }
    }
}

/// Whether a run is kept as what was before, and not in force.
fn is_kept_only(state: &std::path::Path, run: &std::path::Path) -> bool {
    let generation = generation::Generation::in_force(state).unwrap().unwrap();
    let mut numbers = generation.open.iter().chain(&generation.settled);
    !numbers.any(|number| generation::run_path(state, *number) == run)
}

#[test]
fn a_lost_database_takes_the_state_back_to_its_runs_and_not_to_the_beginning() {
    let folder = tempfile::tempdir().unwrap();
    let (_journal, blocks) = spread(&folder);
    let path = folder.path().join("state");
    let generation = generation::Generation::in_force(&path).unwrap().unwrap();
    let marker = generation.marker.unwrap();
    for number in generation.recent {
        let db = generation::recent_path(&path, number).join("db");
        let length = std::fs::metadata(&db).unwrap().len() as usize;
        std::fs::write(&db, vec![0xa5; length]).unwrap();
    }
    let opened = open_or_rebuild_with(&path, &blocks, limits()).unwrap();
    assert!(matches!(opened.rebuilt, Some(Why::Unusable { .. })));
    assert_eq!(opened.state.marker(), Some(marker));
    assert!(marker.block >= 30, "{marker:?}");
    assert_eq!(rows(&opened.state), expected_at(marker.block));
    opened.state.close().unwrap();
    // A journal that does not have what the runs reflect has lost it.
    let (_other, blocks) = journal(&tempfile::tempdir().unwrap(), 5);
    let error = open_or_rebuild_with(&path, &blocks, limits()).unwrap_err();
    assert!(error.to_string().contains("ends with block 5"), "{error}");
}

fn copy_folder(from: &std::path::Path, to: &std::path::Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        match entry.path().is_dir() {
            true => copy_folder(&entry.path(), &target),
            false => drop(std::fs::copy(entry.path(), target).unwrap()),
        }
    }
}
