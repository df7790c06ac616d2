//! What leaves the databases for runs, and is found there.

use super::*;

#[test]
fn rows_are_found_wherever_they_lie() {
    let folder = tempfile::tempdir().unwrap();
    let (_journal, blocks) = spread(&folder);
    let opened = open_or_rebuild_with(&folder.path().join("state"), &blocks, tiny()).unwrap();
    assert_eq!((opened.rebuilt, opened.state.marker()), (None, blocks.end()));
    assert_eq!(rows(&opened.state), expected_at(40));
    for (key, value) in expected_at(40) {
        assert_eq!(opened.state.read(&key).unwrap().map(|row| row.to_vec()), Some(value));
    }
}

#[test]
fn what_is_settled_and_written_anew_is_at_hand_again() {
    let folder = tempfile::tempdir().unwrap();
    let (_journal, blocks) = journal(&folder, 40);
    let state = open(&folder, tiny());
    publish_blocks(&state, &blocks, 1..20);
    let (key, _) = of_block(3).swap_remove(1);
    let again = |block: u64, value: Option<&'static [u8]>| {
        let writes = vec![(key.clone(), value.map(Bytes::from_static))];
        let marker = marker_at(&blocks, block);
        state.publish(Change { marker, writes, cut: true }).unwrap();
        assert_eq!(state.read(&key).unwrap().as_deref(), value);
    };
    again(20, Some(b"late"));
    publish_blocks(&state, &blocks, 21..30);
    assert_eq!(state.read(&key).unwrap().as_deref(), Some(&b"late"[..]));
    again(30, None);
    publish_blocks(&state, &blocks, 31..41);
    assert_eq!(state.read(&key).unwrap(), None, "a deletion hides what was settled");
    assert!(!rows(&state).iter().any(|row| row.0 == key));
}

#[test]
fn without_room_on_the_disk_nothing_is_moved_and_everything_is_found() {
    let folder = tempfile::tempdir().unwrap();
    let (_journal, blocks) = journal(&folder, 40);
    let state = open(&folder, StateLimits { stays_free_bytes: Some(u64::MAX), ..tiny() });
    publish_blocks(&state, &blocks, 1..41);
    let size = state.size();
    assert!(state.waits_for_room() && size.settled_runs == 0 && size.open_runs > 5, "{size:?}");
    assert_eq!(rows(&state), expected_at(40));
    state.close().unwrap();
    let state = open(&folder, tiny());
    state.settled().unwrap();
    assert!(!state.waits_for_room() && state.size().settled_runs > 0, "{:?}", state.size());
    assert_eq!(rows(&state), expected_at(40));
}
