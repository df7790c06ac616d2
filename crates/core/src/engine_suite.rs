//! The behaviours that every engine must show, as functions that an engine's tests call.
//!
//! Each takes a closure that opens the engine, and calls it again to open it anew, after what it
//! gave before was dropped. The closure must then give an engine over the same store, in order:
//! nothing here kills it.
//!
//! # Panics
//! Every function panics when a behaviour is not shown, as an assertion does.

// A behaviour that fails must stop the test that asked for it.
#![allow(clippy::expect_used)]

use std::sync::Arc;

use bytes::Bytes;
use lienthong_model::limits::CHUNK_BLOCKS;
use lienthong_model::{
    AgencyCode, DOCUMENT_V1, Digest, Document, Level, MessageId, Ordinal, Position, Timestamp,
};
use lienthong_trust::SignatureKind;

use crate::block::{Block, SealedBlock};
use crate::command::{
    Accepted, Command, Decision, Entry, SignedRecord, Stored, StoredAttachment, Submit,
};
use crate::directory::Place;
use crate::engine::{Blocks, Change, Journal, Marker, Payloads, State, Tables, Writes};

/// Makes the empty block that follows another, for tests of engines; `None` for the first.
pub fn block_after(last: Option<Marker>) -> SealedBlock {
    let last = last.unwrap_or(Marker { block: 0, hash: Digest([0; 32]) });
    let number = last.block + 1;
    let time = Timestamp::from_millis(1_605_488_400_000 + i64::try_from(number).unwrap_or(0));
    let (entries, clock_ahead_ms) = (Vec::new(), 300_000);
    Block { number, time, previous: last.hash, rules: 1, entries, clock_ahead_ms }.seal()
}

/// Makes the block with one document that follows another, for tests of engines; `None` for the first.
/// The document's position is the block's number; it has a content and an attachment beside it, and was
/// never signed.
pub fn document_after(last: Option<Marker>, time: Timestamp, contents: [Bytes; 2]) -> SealedBlock {
    let block = block_after(last).block;
    let code = |text| AgencyCode::parse(text).expect("a code");
    let id = MessageId::new(time, [7; 10]);
    let header = Document::new(id, code("G22"), [code("H36.01")], "Về việc thử", time).header();
    let [content, attachment] = contents.map(Stored::Inline);
    let signed = SignedRecord {
        content_type: DOCUMENT_V1.to_owned(),
        content,
        attachments: vec![StoredAttachment { content_id: "cid:1".to_owned(), bytes: attachment }],
        digest: Digest([5; 32]),
        signatures_digest: Digest([6; 32]),
        signatures: Vec::new(),
        new_certificates: Vec::new(),
    };
    let accepted = Accepted {
        position: Position(block.number),
        sender: Ordinal(1),
        signature: SignatureKind::Seal,
        deliveries: Vec::new(),
        place: Place { province: None, level: Level::Ministry },
        resolution: None,
        terms: None,
        unproven: Vec::new(),
        used: None,
        change: None,
        notices: None,
        same_reference: None,
    };
    let submit = Submit { caller: Ordinal(1), header, signed };
    let entry = Entry {
        command: Command::Submit(Box::new(submit)),
        decision: Decision::Accepted(accepted),
    };
    Block { time, entries: vec![entry], ..Block::clone(&block) }.seal()
}

/// Returns the contents of the documents of a block, in order; `None` for each that is not at hand: it
/// was taken out.
pub fn contents_of(block: &Block) -> Vec<Option<Bytes>> {
    let signed = block.entries.iter().filter_map(|entry| match &entry.command {
        Command::Submit(submit) => Some(&submit.signed),
        _ => None,
    });
    let at_hand = |stored: &Stored| match stored {
        Stored::Inline(bytes) => Some(bytes.clone()),
        Stored::Payload { .. } | Stored::Apart { .. } => None,
    };
    signed.flat_map(SignedRecord::stored).map(at_hand).collect()
}

/// Makes the block of a sample that follows another, for tests that kill a process or cut its power while
/// contents are taken out: one document a block, and those of every second block have expired.
pub fn sample_after(last: Option<Marker>) -> SealedBlock {
    let number = last.map_or(1, |last| last.block + 1);
    document_after(last, Timestamp::from_millis(1_605_488_400_000), sample_contents(number))
}

/// Whether the document of a sample's block has expired.
pub fn sample_has_expired(block: u64) -> bool {
    block.is_multiple_of(2)
}

/// Returns whether a sample's block has lost its contents as it may.
///
/// # Errors
/// What is wrong: it has other contents or half of them, or has lost them before they expired.
pub fn sample_is_empty(block: &Block) -> Result<bool, String> {
    let found = contents_of(block);
    let is_empty = found == [None, None];
    match is_empty {
        true if sample_has_expired(block.number) => Ok(true),
        false if found == sample_contents(block.number).map(Some) => Ok(false),
        _ => Err(format!("block {} has {found:?}", block.number)),
    }
}

fn sample_contents(block: u64) -> [Bytes; 2] {
    ["content", "attachment"].map(|what| Bytes::from(format!("{what} {block}")))
}

/// Shows what a [`Journal`] and its [`Blocks`] must do.
pub fn journal<J: Journal, B: Blocks>(mut open: impl FnMut() -> (J, B)) {
    an_empty_journal_has_no_blocks(open());
    let end = a_block_is_seen_once_it_is_ordered(open());
    let (_journal, blocks) = open();
    assert_eq!(blocks.end(), Some(end), "what was ordered is there after opening anew");
    drop((_journal, blocks));
    let end = many_blocks_are_ordered_in_turn(open(), end);
    what_does_not_follow_is_refused_and_poisons(open(), end);
    let (mut journal, blocks) = open();
    assert_eq!(blocks.end(), Some(end), "a refused block leaves no trace");
    let next = block_after(Some(end));
    journal.propose(&next).expect("a journal opened anew goes on");
    assert_eq!(journal.read_ordered().expect("ordered"), Some(next.marker.block));
}

fn an_empty_journal_has_no_blocks<J: Journal, B: Blocks>((mut journal, blocks): (J, B)) {
    assert_eq!(blocks.end(), None);
    assert!(blocks.block(0).expect("read").is_none());
    assert!(blocks.block(1).expect("read").is_none());
    assert_eq!(journal.read_ordered().expect("nothing is ordered"), None);
}

fn a_block_is_seen_once_it_is_ordered<J: Journal, B: Blocks>(
    (mut journal, blocks): (J, B),
) -> Marker {
    let first = block_after(None);
    let second = block_after(Some(first.marker));
    journal.propose(&first).expect("propose");
    journal.propose(&second).expect("propose");
    assert_eq!(blocks.end(), None, "what is proposed is not seen");
    assert!(blocks.block(1).expect("read").is_none());
    assert_eq!(journal.read_ordered().expect("ordered"), Some(1));
    assert_eq!(blocks.end(), Some(first.marker));
    assert_eq!(blocks.block(1).expect("read"), Some(Arc::clone(&first.block)));
    assert!(blocks.block(2).expect("read").is_none(), "it was not returned yet");
    assert_eq!(journal.read_ordered().expect("ordered"), Some(2));
    assert_eq!(blocks.end(), Some(second.marker));
    assert_eq!(journal.read_ordered().expect("nothing is left"), None);
    second.marker
}

fn many_blocks_are_ordered_in_turn<J: Journal, B: Blocks>(
    (mut journal, blocks): (J, B),
    end: Marker,
) -> Marker {
    const BLOCKS: u64 = 300;
    let mut last = end;
    let mut written = Vec::new();
    for at in 0..BLOCKS {
        let block = block_after(Some(last));
        last = block.marker;
        journal.propose(&block).expect("propose");
        written.push(block);
        if at % 7 == 0 {
            while journal.read_ordered().expect("ordered").is_some() {}
        }
    }
    while journal.read_ordered().expect("ordered").is_some() {}
    assert_eq!(blocks.end(), Some(last));
    for block in &written {
        let found = blocks.block(block.marker.block).expect("read");
        assert_eq!(found.as_deref(), Some(&*block.block), "block {}", block.marker.block);
    }
    assert!(blocks.block(last.block + 1).expect("read").is_none());
    assert!(blocks.block(u64::MAX).expect("read").is_none());
    last
}

fn what_does_not_follow_is_refused_and_poisons<J: Journal, B: Blocks>(
    (mut journal, _blocks): (J, B),
    end: Marker,
) {
    let stranger = block_after(Some(Marker { block: end.block, hash: Digest([7; 32]) }));
    journal.propose(&stranger).expect_err("it follows another block");
    journal.propose(&block_after(Some(end))).expect_err("the journal is poisoned");
    journal.read_ordered().expect_err("the journal is poisoned");
}

/// Shows what a [`State`] must do. The engine must reach 200 blocks without a cut.
pub fn state<S: State>(mut open: impl FnMut() -> S) {
    an_empty_state_has_no_rows(&open());
    what_is_published_is_seen_at_once(&open());
    let end = a_flushed_cut_is_the_marker(&open());
    let state = open();
    assert_eq!(state.marker(), Some(end), "the marker is there after opening anew");
    assert_eq!(value(&state, b"kept"), Some(b"2".to_vec()));
    assert_eq!(value(&state, b"gone"), None);
    drop(state);
    rows_are_scanned_in_key_order(&open());
    what_is_out_of_bounds_is_refused_whole(&open());
    a_cut_is_due_after_enough_blocks(&open());
}

/// Makes the change of a block: the rows given as (key, value), with `None` to delete.
pub fn change(block: u64, cut: bool, rows: &[(&[u8], Option<&[u8]>)]) -> Change {
    let writes: Writes =
        rows.iter().map(|(key, value)| (key.to_vec(), value.map(Bytes::copy_from_slice))).collect();
    Change { marker: Marker { block, hash: Digest::of(&block.to_be_bytes()) }, writes, cut }
}

fn value(tables: &impl Tables, key: &[u8]) -> Option<Vec<u8>> {
    tables.read(key).expect("read").map(|value| value.to_vec())
}

fn keys(tables: &impl Tables, prefix: &[u8], from: &[u8]) -> Vec<Vec<u8>> {
    let mut keys = Vec::new();
    let visit = &mut |key: &[u8], _: &[u8]| {
        keys.push(key.to_vec());
        true
    };
    tables.scan(prefix, from, visit).expect("scan");
    keys
}

fn an_empty_state_has_no_rows(state: &impl State) {
    assert_eq!(state.marker(), None);
    assert_eq!(value(state, b"key"), None);
    assert!(keys(state, b"", b"").is_empty());
    state.flush().expect("nothing to write");
    assert_eq!(state.marker(), None, "no block, no marker");
}

fn what_is_published_is_seen_at_once(state: &impl State) {
    for (block, cut) in [(1, false), (2, true), (3, false)] {
        let text = block.to_string();
        let rows: &[(&[u8], Option<&[u8]>)] =
            &[(b"kept", Some(text.as_bytes())), (b"empty", Some(b""))];
        state.publish(change(block, cut, rows)).expect("publish");
        assert_eq!(value(state, b"kept"), Some(text.into_bytes()));
        assert_eq!(value(state, b"empty"), Some(Vec::new()), "an empty value is a value");
    }
    state.publish(change(4, false, &[(b"empty", None)])).expect("publish");
    assert_eq!(value(state, b"empty"), None);
    assert_eq!(keys(state, b"", b""), [b"kept".to_vec()]);
}

fn a_flushed_cut_is_the_marker(state: &impl State) -> Marker {
    let rows: &[(&[u8], Option<&[u8]>)] = &[(b"kept", Some(b"1")), (b"gone", Some(b"1"))];
    state.publish(change(5, true, rows)).expect("publish");
    state.flush().expect("flush");
    let last = change(6, true, &[(b"kept", Some(b"2")), (b"gone", None)]);
    let end = last.marker;
    state.publish(last).expect("publish");
    state.flush().expect("flush");
    assert_eq!(state.marker(), Some(end));
    assert_eq!((value(state, b"kept"), value(state, b"gone")), (Some(b"2".to_vec()), None));
    end
}

fn rows_are_scanned_in_key_order(state: &impl State) {
    let mut written = Vec::new();
    for at in 0..700u16 {
        let key = [b"row".as_slice(), &at.to_be_bytes()].concat();
        // Half of the rows are with the writer, half are newer.
        let block = 7 + u64::from(at / 350);
        let rows: &[(&[u8], Option<&[u8]>)] = &[(&key, Some(&at.to_be_bytes()))];
        state.publish(change(block, at == 349, rows)).expect("publish");
        written.push(key);
        if at == 349 {
            state.flush().expect("flush");
        }
        if at % 100 == 99 {
            state.publish(change(block, true, &[])).expect("publish");
        }
    }
    state.publish(change(9, false, &[(b"rov", Some(b"")), (b"rox", Some(b""))])).expect("publish");
    assert_eq!(keys(state, b"row", b""), written, "only the prefix");
    assert_eq!(keys(state, b"row", &written[500]), written[500..], "from a key that is there");
    let between = [written[500].as_slice(), b"\0"].concat();
    assert_eq!(keys(state, b"row", &between), written[501..], "from a key that is not");
    assert!(keys(state, b"row", b"rox").is_empty(), "from behind the prefix");
    assert_eq!(keys(state, b"row", b"a"), written, "from before the prefix");
    let mut seen = 0;
    let visit = &mut |_: &[u8], _: &[u8]| {
        seen += 1;
        seen < 3
    };
    state.scan(b"row", b"", visit).expect("scan");
    assert_eq!(seen, 3, "the visitor ends the scan");
}

fn what_is_out_of_bounds_is_refused_whole(state: &impl State) {
    let large = vec![1; 128 * 1024];
    state.publish(change(10, false, &[(b"large", Some(&large))])).expect("128 KiB are kept");
    assert_eq!(value(state, b"large"), Some(large));
    let too_large = vec![1; 128 * 1024 + 1];
    let long = vec![1; 513];
    let refused: [&[u8]; 3] = [b"", b"\xffmine", &long];
    for key in refused {
        let rows: &[(&[u8], Option<&[u8]>)] = &[(b"fine", Some(b"")), (key, Some(b""))];
        state.publish(change(11, false, rows)).expect_err("the key is out of bounds");
    }
    let rows: &[(&[u8], Option<&[u8]>)] = &[(b"fine", Some(b"")), (b"big", Some(&too_large))];
    state.publish(change(11, false, rows)).expect_err("the value is out of bounds");
    assert_eq!(value(state, b"fine"), None, "nothing of a refused change is seen");
}

fn a_cut_is_due_after_enough_blocks(state: &impl State) {
    state.publish(change(12, true, &[])).expect("publish");
    // An engine whose cuts are for no disk may take its time.
    let blocks = 16 * CHUNK_BLOCKS;
    let end = 13 + blocks;
    let due = (13..end).find(|block| {
        state.publish(change(*block, false, &[(b"n", Some(b"1"))])).expect("publish");
        state.cut_due()
    });
    assert!(due.is_some(), "{blocks} blocks without a cut");
    state.publish(change(end, true, &[])).expect("publish");
    state.flush().expect("flush");
    assert_eq!(state.marker().map(|marker| marker.block), Some(end));
}

/// Shows what [`Payloads`] must do.
pub fn payloads<P: Payloads>(mut open: impl FnMut() -> P) {
    let contents: [&[u8]; 3] = [b"", b"content", &[7; 300_000]];
    let payloads = open();
    assert!(payloads.get(&Digest::of(b"content")).expect("get").is_none());
    for content in contents {
        let digest = payloads.put(content).expect("put");
        assert_eq!(digest, Digest::of(content));
        assert_eq!(payloads.put(content).expect("put again"), digest);
    }
    drop(payloads);
    let payloads = open();
    for content in contents {
        let found = payloads.get(&Digest::of(content)).expect("get");
        assert_eq!(found.as_deref(), Some(content));
    }
    assert!(payloads.get(&Digest::of(b"other")).expect("get").is_none());
}
