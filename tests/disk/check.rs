//! What must hold of the disk that a cut left: everything that was told is there, once; the log
//! goes on from every checkpoint; counters equal a recount; the state is what the journal makes.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use lienthong_core::engine::{EngineError, Tables};
use lienthong_core::statistics::Period;
use lienthong_core::{Command, Decision, Machine, Opening, Query};
use lienthong_hub::{Audit, OpenFolder, Reader};
use lienthong_ledger::{ExaminedPayload, JournalAudit, MemoryState, PayloadFiles, Step};
use lienthong_model::{AgencyCode, Digest, MessageId, Ordinal, Position};
use lienthong_trust::{Checkpoint, NoteKey};

use crate::fixture::now;
use crate::run::{Fact, Run};

/// What opening a disk had to do, for the figures that a run prints.
#[derive(Debug, Default, Clone, Copy)]
pub struct Opened {
    pub rebuilt: bool,
    pub torn: bool,
}

/// Opens what a cut left as a hub would, and returns everything that is wrong with it.
pub fn wrong(data: &Path, run: &Run, cut: usize) -> (Vec<String>, Opened) {
    let mut found = Vec::new();
    let folder = match OpenFolder::open(data, |_, _| {}) {
        Ok(folder) => folder,
        Err(error) => return (vec![format!("it does not open: {error}")], Opened::default()),
    };
    let recovery = folder.recovery();
    let opened = Opened { rebuilt: recovery.rebuilt.is_some(), torn: recovery.torn_bytes > 0 };
    let reader = folder.reader();
    for fact in run.told(cut) {
        match served(data, &reader, fact) {
            Ok(missing) => found.extend(missing),
            Err(error) => found.push(format!("{fact}: {error}")),
        }
    }
    let journal = Journal::read(data);
    found.extend(journal.twice());
    counters(&reader, &journal, &mut found);
    match other_rows(data, &reader) {
        Ok(differing) => found.extend(differing),
        Err(error) => found.push(format!("rows: {error}")),
    }
    drop((reader, folder));
    audit(data, run, cut, &mut found);
    (found, opened)
}

/// How something that was told is not as it was.
///
/// # Errors
/// When the hub says that it cannot tell.
pub fn served(data: &Path, reader: &Reader, fact: &Fact) -> Result<Option<String>, EngineError> {
    let directory = reader.directory();
    let query = reader.query();
    let missing = |found: &dyn std::fmt::Debug| Ok(Some(format!("{fact}: found {found:?}")));
    let ordinal = |code: &AgencyCode| directory.find(code).map(|agency| agency.ordinal);
    match fact {
        Fact::Accepted { signed, sender, id, position } => {
            let Some(sender) = ordinal(sender) else { return missing(&"no sender") };
            let place = query.position(sender, id)?;
            if place != Some(*position) {
                return missing(&place);
            }
            match reader.content(*position)? {
                Some(kept)
                    if kept.content.content == signed.content
                        && kept.content.attachments == signed.attachments
                        && kept.row.id == *id =>
                {
                    Ok(None)
                }
                other => missing(&other.map(|kept| kept.row.id)),
            }
        }
        Fact::Acknowledged { recipient, position } => {
            let Some(recipient) = ordinal(recipient) else { return missing(&"no recipient") };
            match query.delivery(*position, recipient)? {
                Some(row) if row.acknowledged_at.is_some() => Ok(None),
                other => missing(&other),
            }
        }
        Fact::Reported { recipient, on, position } => {
            let Some(recipient) = ordinal(recipient) else { return missing(&"no recipient") };
            let row = query.delivery(*on, recipient)?;
            let lines = row.iter().flat_map(|row| &row.statuses);
            match lines.filter(|line| line.position == *position).count() {
                1 => Ok(None),
                other => missing(&other),
            }
        }
        Fact::Uploaded { sha256 } => match upload(&data.join("payloads"), sha256) {
            Some(digest) if digest == *sha256 => Ok(None),
            Some(other) => Err(EngineError::Damaged {
                what: format!("upload {sha256}"),
                why: format!("its bytes have the SHA-256 {other}"),
            }),
            None => missing(&"nothing"),
        },
        Fact::Checkpoint { .. } => Ok(None),
    }
}

/// The digest of the bytes that an upload has: by itself, or as the payload of a document. Whoever
/// fetches it compares.
fn upload(payloads: &Path, sha256: &Digest) -> Option<Digest> {
    let hex = sha256.to_string();
    let names = ExaminedPayload::names(sha256).into_iter().map(|name| payloads.join(name));
    let uploads = std::fs::read_dir(payloads.join("uploads")).unwrap();
    let uploads = uploads.map(|entry| entry.unwrap().path()).filter(|path| {
        let name = path.file_name().unwrap().to_string_lossy();
        name.contains(&hex) && !name.ends_with(".part")
    });
    names.chain(uploads).find_map(|path| Some(Digest::of(&std::fs::read(path).ok()?)))
}

/// What the journal has, counted anew from its entries.
#[derive(Default)]
struct Journal {
    documents: BTreeMap<(Ordinal, MessageId), Vec<Position>>,
    deliveries: u64,
}

impl Journal {
    fn read(data: &Path) -> Self {
        let mut counted = Self::default();
        for step in JournalAudit::open(&data.join("journal")).unwrap() {
            let Step::Block(found) = step.unwrap() else { continue };
            for entry in &found.block.block.entries {
                if let (Command::Submit(submit), Decision::Accepted(accepted)) =
                    (&entry.command, &entry.decision)
                {
                    let name = (accepted.sender, submit.header.id);
                    counted.documents.entry(name).or_default().push(accepted.position);
                    counted.deliveries += accepted.deliveries.len() as u64;
                }
            }
        }
        counted
    }

    fn twice(&self) -> impl Iterator<Item = String> {
        let twice = self.documents.iter().filter(|(_, positions)| positions.len() > 1);
        twice.map(|(name, positions)| format!("{name:?} was accepted at {positions:?}"))
    }
}

fn counters(reader: &Reader, journal: &Journal, found: &mut Vec<String>) {
    let days = Duration::from_secs(3 * 24 * 3600);
    let period = Period { from: now().minus(days), until: now().plus(days) };
    let (volumes, flows) = (reader.volumes(period).unwrap(), reader.flows(period).unwrap());
    let said = (volumes.totals.sent, volumes.totals.received);
    let counted = (journal.documents.len() as u64, journal.deliveries);
    let flowed = flows.iter().map(|flow| flow.deliveries).sum::<u64>();
    if said != counted || flowed != counted.1 {
        found.push(format!("counters: {said:?}, flows {flowed}, counted anew {counted:?}"));
    }
    let provinces = volumes.provinces.values().chain([&volumes.centre]);
    let sums = provinces.fold((0, 0), |sum, one| (sum.0 + one.sent, sum.1 + one.received));
    if sums != said {
        found.push(format!("provinces and centre have {sums:?}, the totals are {said:?}"));
    }
}

type Rows = BTreeMap<Vec<u8>, Bytes>;

fn rows(tables: &dyn Tables) -> Result<Rows, EngineError> {
    let mut rows = Rows::new();
    let visit = &mut |key: &[u8], value: &[u8]| {
        rows.insert(key.to_vec(), Bytes::copy_from_slice(value));
        true
    };
    tables.scan(b"", b"", visit)?;
    Ok(rows)
}

/// Rows that are not what the whole journal makes, applied to an empty state.
///
/// # Errors
/// When the hub says that it cannot tell.
pub fn other_rows(data: &Path, reader: &Reader) -> Result<Option<String>, EngineError> {
    let Query(tables) = reader.query();
    let kept = rows(tables)?;
    let state = Arc::new(MemoryState::new());
    let payloads = Arc::new(PayloadFiles::open(&data.join("payloads"))?);
    let mut machine = Machine::open(Opening { state: state.clone(), payloads })?;
    for step in JournalAudit::open(&data.join("journal"))? {
        let Step::Block(found) = step? else { continue };
        machine.replay(&found.block)?;
    }
    machine.cut()?;
    let made = rows(&*state)?;
    let differing: Vec<_> = made
        .keys()
        .chain(kept.keys())
        .filter(|key| made.get(*key) != kept.get(*key))
        .map(hex::encode)
        .collect();
    Ok((!differing.is_empty()).then(|| {
        let some = &differing[..differing.len().min(4)];
        format!("{} rows are not what the journal makes: {some:?}", differing.len())
    }))
}

/// The audit finds nothing; every checkpoint that was given out holds.
fn audit(data: &Path, run: &Run, cut: usize, found: &mut Vec<String>) {
    let checkpoints = run.told(cut).filter_map(|fact| match fact {
        Fact::Checkpoint { note, key } => {
            let key = NoteKey::parse(key).unwrap();
            Some(("told".to_owned(), Checkpoint::open(note, &key).unwrap()))
        }
        _ => None,
    });
    let scratch = tempfile::tempdir().unwrap();
    let audit = Audit {
        data,
        scratch: Some(scratch.path()),
        checkpoints: checkpoints.collect(),
        redecide: false,
    };
    match audit.run(|_, _| {}) {
        Ok(report) => found.extend(report.findings.iter().map(|one| format!("audit: {one:?}"))),
        Err(error) => found.push(format!("the audit ends: {error}")),
    }
}
