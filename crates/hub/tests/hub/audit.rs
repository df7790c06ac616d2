//! The audit of a data folder: whole folders pass, and whatever is changed in one is found, with
//! its place.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use crate::harness::{World, document, noise, with_attachment};
use bytes::Bytes;
use lienthong_core::engine::{Change, EngineError, Journal as _, State as _, Tables as _};
use lienthong_core::{Block, Command, Decision, SealedBlock, Stored};
use lienthong_hub::{Audit, AuditReport, Finding, Redecided, StateOutcome, Verdict};
use lienthong_ledger::{JournalAudit, JournalFiles, JournalLimits, SledState, StateLimits, Step};
use lienthong_model::StatusCode;
use lienthong_trust::{Checkpoint, NoteKey, dsse};
use rand::{RngExt as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;

const SEED: u64 = 20_201_116;

/// A data folder at rest: documents in records and in payload files, a report, an
/// acknowledgement, refusals, over two runs of the hub; and a checkpoint that was signed after some
/// of them.
struct AtRest {
    world: World,
    checkpoint: Checkpoint,
}

impl AtRest {
    async fn new() -> Self {
        let mut world = World::start().await;
        let (client, recipient) = (world.client("H36").await, world.client("H36.12").await);
        let letter = document("H36", &["H36.12", "G22"]);
        client.submit(world.sealed(&letter)).await.unwrap();
        client.submit(world.letter("H36", &["H99"])).await.unwrap_err();
        let (large, attachment) = with_attachment(document("H36", &["H36.12"]), noise(20_000));
        client.submit(world.sealed_with(&large, vec![attachment])).await.unwrap();
        let report = world.report("H36.12", ("H36", letter.id), StatusCode::Accepted, "");
        recipient.report(report).await.unwrap();
        let said = client.checkpoint().await.unwrap();
        let key = NoteKey::parse(&said.key).unwrap();
        let checkpoint = Checkpoint::open(&said.checkpoint, &key).unwrap();
        assert_eq!(checkpoint.size, 3);
        world.restart().await;
        let client = world.client("H36").await;
        for _ in 0..4 {
            client.submit(world.letter("H36", &["H36.12"])).await.unwrap();
        }
        world.stop().await.unwrap();
        Self { world, checkpoint }
    }

    fn data(&self) -> PathBuf {
        self.world.data()
    }

    /// The journal's one file.
    fn journal(&self) -> PathBuf {
        self.data().join("journal/00000000000000000001.blocks")
    }

    fn audit(&self) -> AuditReport {
        let scratch = tempfile::tempdir().unwrap();
        self.audit_in(Some(scratch.path()), false).unwrap()
    }

    fn audit_in(&self, scratch: Option<&Path>, redecide: bool) -> Result<AuditReport, EngineError> {
        let checkpoints = vec![("kept".to_owned(), self.checkpoint.clone())];
        Audit { data: &self.data(), scratch, checkpoints, redecide }.run(|_, _| {})
    }

    fn redecided(&self) -> AuditReport {
        let scratch = tempfile::tempdir().unwrap();
        self.audit_in(Some(scratch.path()), true).unwrap()
    }

    /// Every block.
    fn blocks(&self) -> Vec<SealedBlock> {
        let steps = JournalAudit::open(&self.data().join("journal")).unwrap();
        steps
            .map(|step| match step.unwrap() {
                Step::Block(found) => found.block,
                Step::Damage(damage) => panic!("{damage:?}"),
            })
            .collect()
    }

    /// Writes the journal anew as somebody would who has the folder and this software: every
    /// check value and hash is right again.
    fn forge(&self, mut change: impl FnMut(&mut Block)) {
        let blocks = self.blocks();
        let journal = self.data().join("journal");
        std::fs::remove_dir_all(&journal).unwrap();
        let mut written = JournalFiles::open(&journal, JournalLimits::default()).unwrap().journal;
        for sealed in blocks {
            let mut block = Block::clone(&sealed.block);
            change(&mut block);
            if let Some(last) = written.last_proposed() {
                block.previous = last.hash;
            }
            written.propose(&block.seal()).unwrap();
            written.read_ordered().unwrap();
        }
    }
}

fn names(findings: &[Finding]) -> Vec<&'static str> {
    findings.iter().map(|finding| finding.kind.name()).collect()
}

/// Every file of a folder with its bytes.
fn files(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut all = BTreeMap::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        match path.is_dir() {
            true => all.extend(files(&path)),
            false => drop(all.insert(path.clone(), std::fs::read(&path).unwrap())),
        }
    }
    all
}

#[tokio::test]
async fn a_whole_folder_passes_is_judged_the_same_again_and_stays_as_it_is() {
    let rest = AtRest::new().await;
    let before = files(&rest.data());
    let report = rest.redecided();
    assert_eq!(report.findings, []);
    assert_eq!((report.leaves, report.leaves_from_state), (7, 0));
    assert_eq!(report.blocks, report.last_block);
    // The directory, a revocation list, a content and its attachment.
    assert_eq!(report.payloads, 4);
    let kept = &report.checkpoints[0];
    assert_eq!((kept.name.as_str(), kept.size, kept.verdict), ("kept", 3, Verdict::Holds));
    let compared = StateOutcome::Compared { block: report.last_block, leaves: 7 };
    assert_eq!(report.state, compared);
    let (blocks, other_rules_from) = (report.blocks, None);
    let same = Redecided::Same { blocks, signatures: 7, taken_over: 0, other_rules_from };
    assert_eq!(report.redecided, Some(same));
    assert!(report.root.is_some());
    assert!(files(&rest.data()) == before, "nothing was changed");
}

#[tokio::test]
async fn every_changed_byte_of_the_journal_is_found_with_its_place() {
    let rest = AtRest::new().await;
    let whole = std::fs::read(rest.journal()).unwrap();
    let blocks = rest.blocks();
    let mut rng = ChaCha8Rng::seed_from_u64(SEED);
    println!("seed {SEED}, {} bytes", whole.len());
    // The header and a stride through everything, at random from there.
    let places = (0..72).chain((0..2_000).map(|_| rng.random_range(72..whole.len())));
    for at in places.collect::<Vec<_>>() {
        let mut changed = whole.clone();
        changed[at] ^= rng.random_range(1..=255_u8);
        std::fs::write(rest.journal(), &changed).unwrap();
        let report = rest.audit_in(None, false).unwrap();
        let named: Vec<_> = report.findings.iter().filter_map(|finding| finding.changed).collect();
        let [byte] = named.as_slice() else { panic!("byte {at}: {:?}", report.findings) };
        assert_eq!((byte.offset, byte.is, byte.was), (at as u64, changed[at], whole[at]));
        let finding = &report.findings[0];
        assert_eq!(finding.file.as_deref(), Some("journal/00000000000000000001.blocks"));
        if let Some(entry) = finding.entry {
            let block = &blocks[finding.block.unwrap() as usize - 1];
            assert!((entry as usize) < block.block.entries.len());
        }
        assert_eq!(report.leaves, 7, "nothing is lost: the byte was put right");
        assert_eq!(report.checkpoints[0].verdict, Verdict::Holds);
    }
}

#[tokio::test]
async fn damage_of_many_bytes_costs_one_block_and_the_state_and_checkpoint_vouch_for_the_rest() {
    let rest = AtRest::new().await;
    let whole = std::fs::read(rest.journal()).unwrap();
    let blocks = rest.blocks();
    for block in blocks.iter().filter(|block| block.block.leaves().next().is_some()) {
        let at = whole.windows(block.bytes.len()).position(|bytes| bytes == block.bytes).unwrap();
        let mut changed = whole.clone();
        changed[at + 20..at + 60].fill(0xee);
        std::fs::write(rest.journal(), changed).unwrap();
        let report = rest.audit();
        let finding = &report.findings[0];
        assert_eq!((finding.kind.name(), finding.block), ("FRAME", Some(block.marker.block)));
        assert_eq!(finding.offset, Some(at as u64 - 34));
        let last = block.marker.block == blocks.len() as u64;
        let lost = block.block.leaves().count() as u64;
        // Leaves at the journal's end are not asked for by anything behind them.
        let (leaves, from_state) = if last { (7 - lost, 0) } else { (7, lost) };
        assert_eq!((report.leaves, report.leaves_from_state), (leaves, from_state));
        if !last {
            assert_eq!(report.checkpoints[0].verdict, Verdict::Holds);
        }
        let alone = rest.audit_in(None, false).unwrap();
        assert!(last || names(&alone.findings).contains(&"LOG"), "{:?}", alone.findings);
    }
}

#[tokio::test]
async fn every_changed_byte_of_a_payload_file_is_found_and_a_missing_one_too() {
    let rest = AtRest::new().await;
    let mut rng = ChaCha8Rng::seed_from_u64(SEED);
    for (path, whole) in files(&rest.data().join("payloads")) {
        let name = path.strip_prefix(rest.data()).unwrap().to_str().unwrap().to_owned();
        for _ in 0..300 {
            let at = rng.random_range(0..whole.len());
            let mut changed = whole.clone();
            changed[at] ^= rng.random_range(1..=255_u8);
            std::fs::write(&path, changed).unwrap();
            let report = rest.audit_in(None, false).unwrap();
            assert_eq!(names(&report.findings), ["PAYLOAD_CHANGED"], "seed {SEED}, byte {at}");
            let finding = &report.findings[0];
            assert_eq!(finding.file.as_deref(), Some(name.as_str()));
            assert!(finding.block.is_some() && finding.entry.is_some());
        }
        std::fs::remove_file(&path).unwrap();
        let report = rest.audit_in(None, false).unwrap();
        assert_eq!(names(&report.findings), ["PAYLOAD_MISSING"]);
        std::fs::write(&path, whole).unwrap();
    }
}

#[tokio::test]
async fn blocks_cut_off_the_end_are_missed_by_the_state_and_by_a_checkpoint() {
    let rest = AtRest::new().await;
    let blocks = rest.blocks();
    let whole = std::fs::read(rest.journal()).unwrap();
    let last = blocks.last().unwrap().bytes.len() + 34;
    std::fs::write(rest.journal(), &whole[..whole.len() - last]).unwrap();
    let report = rest.audit();
    assert_eq!(names(&report.findings), ["MARKER", "LOG"]);
    // Half a frame: the frames alone cannot tell, the state can.
    std::fs::write(rest.journal(), &whole[..whole.len() - last / 2]).unwrap();
    assert_eq!(names(&rest.audit_in(None, false).unwrap().findings), ["TORN_TAIL"]);
    let report = rest.audit();
    assert!(names(&report.findings).contains(&"FRAME"), "{:?}", report.findings);
    assert!(!names(&report.findings).contains(&"TORN_TAIL"));
    // Only the first block is left: the checkpoint says that documents are missing.
    std::fs::write(rest.journal(), &whole[..72 + 34 + blocks[0].bytes.len()]).unwrap();
    let report = rest.audit_in(None, false).unwrap();
    assert_eq!(names(&report.findings), ["CHECKPOINT"]);
    assert_eq!(report.checkpoints[0].verdict, Verdict::Differs);
}

#[tokio::test]
async fn a_tile_of_the_state_that_is_not_the_journals_is_found() {
    let rest = AtRest::new().await;
    let (state, marker) =
        SledState::open(&rest.data().join("state"), StateLimits::default()).unwrap();
    let key = [b"y".as_slice(), &[0], &0_u64.to_be_bytes()].concat();
    let mut tile = state.read(&key).unwrap().unwrap().to_vec();
    tile[5 * 32] ^= 1;
    let writes = vec![(key, Some(Bytes::from(tile)))];
    state.publish(Change { marker: marker.unwrap(), writes, cut: true }).unwrap();
    state.close().unwrap();
    let report = rest.audit();
    assert_eq!(names(&report.findings), ["LOG"]);
    assert!(report.findings[0].why.contains("hash 5"), "{}", report.findings[0].why);
}

#[tokio::test]
async fn a_journal_written_anew_with_another_content_differs_from_the_checkpoint() {
    let rest = AtRest::new().await;
    rest.forge(|block| {
        for entry in &mut block.entries {
            let Command::Submit(submit) = &mut entry.command else { continue };
            if let Stored::Inline(content) = &submit.signed.content {
                let mut content = content.to_vec();
                content.push(0);
                submit.signed.digest = dsse::content_digest(&submit.signed.content_type, &content);
                submit.signed.content = Stored::Inline(content.into());
            }
        }
    });
    let report = rest.audit_in(None, false).unwrap();
    assert_eq!(names(&report.findings), ["CHECKPOINT"]);
    let report = rest.audit();
    for name in ["CHECKPOINT", "LOG", "MARKER"] {
        assert!(names(&report.findings).contains(&name), "{name}: {:?}", report.findings);
    }
}

#[tokio::test]
async fn a_content_exchanged_without_its_digest_is_found() {
    let rest = AtRest::new().await;
    rest.forge(|block| {
        for entry in &mut block.entries {
            let Command::Submit(submit) = &mut entry.command else { continue };
            if let Stored::Inline(content) = &mut submit.signed.content {
                *content = Bytes::from_static(b"another");
            }
        }
    });
    let report = rest.audit_in(None, false).unwrap();
    assert!(names(&report.findings).iter().all(|name| *name == "DIGEST"), "{:?}", report.findings);
    assert!(!report.findings.is_empty());
}

#[tokio::test]
async fn what_neither_log_nor_digests_cover_is_found_by_judging_again() {
    let rest = AtRest::new().await;
    let mut forged = None;
    rest.forge(|block| {
        for (number, entry) in (0..).zip(&mut block.entries) {
            let Decision::Accepted(accepted) = &mut entry.decision else { continue };
            if accepted.deliveries.len() == 2 {
                accepted.deliveries.pop();
                forged = Some((block.number, number));
            }
        }
    });
    let report = rest.audit_in(None, false).unwrap();
    assert_eq!(report.findings, []);
    let report = rest.redecided();
    let (block, entry) = forged.unwrap();
    assert_eq!(report.redecided, Some(Redecided::Differs { block }));
    let found = report.findings.iter().find(|found| found.kind.name() == "REDECIDED").unwrap();
    assert_eq!((found.block, found.entry), (Some(block), Some(entry)));
}

#[tokio::test]
async fn a_decision_that_its_command_cannot_have_and_a_wrong_position_are_found() {
    let rest = AtRest::new().await;
    rest.forge(|block| {
        for entry in &mut block.entries {
            match &mut entry.decision {
                Decision::Reported(_) => entry.decision = Decision::Done,
                Decision::Accepted(accepted) if accepted.position.0 == 6 => {
                    accepted.position.0 = 9;
                }
                _ => {}
            }
        }
    });
    let report = rest.audit_in(None, false).unwrap();
    let found = names(&report.findings);
    for name in ["DECISION", "POSITION", "LOG"] {
        assert!(found.contains(&name), "{name}: {:?}", report.findings);
    }
}

#[tokio::test]
async fn a_folder_in_use_or_of_a_newer_version_is_not_audited_and_one_without_format_is_wrong() {
    let mut rest = AtRest::new().await;
    rest.world.start_again().await;
    assert!(matches!(rest.audit_in(None, false), Err(EngineError::InUse(_))));
    rest.world.stop().await.unwrap();
    let format = rest.data().join("FORMAT");
    std::fs::write(&format, "lienthong data folder, format 999\n").unwrap();
    assert!(matches!(rest.audit_in(None, false), Err(EngineError::TooNew { .. })));
    std::fs::remove_file(&format).unwrap();
    assert_eq!(names(&rest.audit_in(None, false).unwrap().findings), ["FORMAT"]);
    assert!(!format.exists());
}
