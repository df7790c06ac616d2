//! What becomes of documents of long ago: they are found, their receipts are proven, what was
//! signed is read back, and a late status is filed.

use std::time::Instant;

use lienthong_core::engine::Blocks as _;
use lienthong_core::*;
use lienthong_model::{Digest, Ordinal, Position, StatusCode, Timestamp};
use lienthong_trust::merkle::entry::{LeafEntry, LeafKind};
use lienthong_trust::merkle::verify_inclusion;

use super::hub::Hub;
use super::traffic::{Year, mixed};

/// Documents that are looked up.
const LOOKED_UP: u64 = 1_000;
/// Documents that a late status is filed on.
const LATE: u64 = 100;

/// One that was found, by its place.
struct Found {
    position: Position,
    document: DocumentRow,
}

/// Looks at old documents, by chance, and says how long it took.
pub fn examine(hub: &mut Hub, founded: Timestamp) {
    let began = Instant::now();
    let found = find(hub);
    let each = began.elapsed() / LOOKED_UP as u32;
    println!(
        "{LOOKED_UP} places looked up, {} documents with deliveries: {each:.0?} each",
        found.len()
    );

    let size = hub.machine.log_size();
    let root = Query(&*hub.state).log_root(size).unwrap().expect("the log as it is");
    let began = Instant::now();
    found.iter().for_each(|found| prove_and_export(hub, found, size, &root));
    let each = began.elapsed() / found.len().max(1) as u32;
    println!(
        "{} proven against the log's root and read back from the journal: {each:.0?} each",
        found.len()
    );

    let directory = &hub.machine.policy().directory;
    let codes = (0..).map_while(|at| directory.agency(Ordinal(at)));
    let mut year = Year::of(codes.map(|agency| agency.entries[0].code.clone()).collect(), founded);
    // A notice's number is never used twice, and there are fewer than places in the log.
    year.last_notice = size;
    let late = file_late(hub, &mut year, &found);
    println!("{late} late statuses filed on settled documents, and found there");
}

/// The documents at places chosen by chance, each with all its deliveries, and by its id, too.
fn find(hub: &Hub) -> Vec<Found> {
    let query = Query(&*hub.state);
    let mut found = Vec::new();
    for number in 0..LOOKED_UP {
        let position = Position(mixed(number) % hub.machine.log_size());
        let Some(view) = query.track(position).unwrap() else { continue };
        assert_eq!(view.deliveries.len(), 3);
        let by_id = query.position(view.document.sender, &view.document.id).unwrap();
        assert_eq!(by_id, Some(position));
        found.push(Found { position, document: view.document });
    }
    found
}

/// Reads a document's record from the journal, and checks that it is in the log.
fn prove_and_export(hub: &Hub, found: &Found, size: u64, root: &Digest) {
    let Found { position, document } = found;
    let block = hub.blocks.block(document.block).unwrap().expect("its block");
    let entry = &block.entries[document.entry as usize];
    let Command::Submit(submit) = &entry.command else { panic!("not a submission") };
    assert_eq!((submit.header.id, submit.signed.digest), (document.id, document.digest));
    assert!(matches!(&submit.signed.content, Stored::Inline(content) if content.len() == 1_450));
    let leaf = LeafEntry {
        kind: LeafKind::Document,
        time: block.time,
        content: submit.signed.digest,
        signatures: submit.signed.signatures_digest,
    };
    let proof = Query(&*hub.state).inclusion(position.0, size).unwrap().expect("a proof");
    verify_inclusion(&leaf.hash(), position.0, &proof, size, root).expect("the leaf is in the log");
}

/// Files a status on documents that every recipient had finished.
fn file_late(hub: &mut Hub, year: &mut Year, found: &[Found]) -> u64 {
    let now = hub.machine.last_time().expect("there are blocks");
    let mut filed = 0;
    for Found { position, document } in found {
        let number = year.number(&document.id);
        let recipient = Ordinal(year.recipients(number)[0] as u32);
        let view = Query(&*hub.state).track(*position).unwrap().expect("it was found before");
        let finished = |line: &StatusLine| line.code == StatusCode::Finished;
        if filed == LATE
            || !view.deliveries.iter().all(|one| one.delivery.statuses.iter().any(finished))
        {
            continue;
        }
        let place = Position(hub.machine.log_size());
        let entry = year.report(hub, number, 0, StatusCode::Processing, now, place);
        hub.order(now, vec![entry]);
        let row = Query(&*hub.state).delivery(*position, recipient).unwrap().expect("a delivery");
        let late = row.statuses.last().expect("a status");
        assert_eq!((late.code, late.position), (StatusCode::Processing, place));
        filed += 1;
    }
    filed
}
