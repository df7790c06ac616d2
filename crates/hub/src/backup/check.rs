//! Checking a backup: every byte of it against the manifest and against each other.
//!
//! The backup's data folder is audited like any other, without a state; what an interrupted run
//! wrote behind the manifest's end is no part of it.

use std::path::Path;

use lienthong_core::engine::Marker;
use lienthong_ledger::JournalFollower;
use lienthong_trust::NoteKey;

use super::manifest::{self, Manifest};
use super::{BackupError, DATA, lock};
use crate::audit::{Audit, AuditReport, CheckpointOutcome, Finding, FindingKind};
use crate::log_key::{self, LogKey};

/// What a check found.
#[derive(Debug)]
pub struct BackupCheck {
    /// What the backup says that it stands for.
    pub manifest: Manifest,
    /// What its data folder is found to be, with what is wrong.
    pub audit: AuditReport,
}

/// Checks a backup, nothing of which is changed. With a key that was kept elsewhere its checkpoint
/// must be signed with that one, else with the one that the manifest names. `progress` is told the
/// bytes of the journal that are behind and how many there are.
///
/// # Errors
/// [`BackupError`] when there is no backup, the manifest is damaged, or something cannot be read.
/// What is wrong with the backup is in the audit's findings.
pub fn check_backup(
    backup: &Path,
    key: Option<&NoteKey>,
    progress: impl FnMut(u64, u64),
) -> Result<BackupCheck, BackupError> {
    let _lock = lock(backup)?;
    let manifest = Manifest::read(backup)?;
    let data = backup.join(DATA);
    let named = NoteKey::parse(&manifest.log_key).ok();
    let checkpoint = key.or(named.as_ref()).and_then(|key| manifest.checkpoint_by(key));
    let checkpoints = checkpoint.iter().map(|found| (manifest::FILE.to_owned(), found.clone()));
    let checkpoints = checkpoints.collect();
    let audit = Audit { data: &data, scratch: None, checkpoints, redecide: false };
    let mut audit = audit.run(progress)?;
    keep_what_is_of(&manifest, &mut audit);
    let mut add = |kind: FindingKind, file: &str, why: String| {
        audit.findings.push(Finding::of_file(kind, file, why));
        audit.findings_total += 1;
    };
    if checkpoint.is_none() && manifest.block > 0 {
        let why = "its checkpoint is not the log's own, or not signed with the key".to_owned();
        add(FindingKind::Checkpoint, manifest::FILE, why);
    }
    for (file, why) in files_unlike(&manifest, &data) {
        add(FindingKind::Backup, &file, why);
    }
    if let Some(why) = key_unlike(&manifest, &data) {
        add(FindingKind::Backup, &format!("{DATA}/{}", log_key::FILE), why);
    }
    Ok(BackupCheck { manifest, audit })
}

/// Leaves out what lies behind the backup's end, and names files from the backup's folder on.
fn keep_what_is_of(manifest: &Manifest, audit: &mut AuditReport) {
    let before = audit.findings.len();
    audit.findings.retain(|finding| is_of(manifest, finding));
    audit.findings_total -= (before - audit.findings.len()) as u64;
    for finding in &mut audit.findings {
        if let Some(file) = finding.file.as_mut().filter(|file| *file != manifest::FILE) {
            *file = format!("{DATA}/{file}");
        }
        finding.cut = false;
    }
    audit.checkpoints.iter_mut().for_each(|CheckpointOutcome { name, .. }| {
        *name = manifest::FILE.to_owned();
    });
}

fn is_of(manifest: &Manifest, finding: &Finding) -> bool {
    let Some(name) = finding.file.as_deref().and_then(|file| file.strip_prefix("journal/")) else {
        return finding.block.is_none_or(|block| block <= manifest.block);
    };
    let file = manifest.files.iter().find(|file| file.name == name);
    file.is_some_and(|file| finding.offset.is_none_or(|offset| offset < file.bytes))
}

/// Files of the journal that are missing, too short, or end with another block.
fn files_unlike(manifest: &Manifest, data: &Path) -> Vec<(String, String)> {
    let journal = data.join("journal");
    let unlike = |file: &super::ManifestFile| {
        let name = format!("{DATA}/journal/{}", file.name);
        let found = match std::fs::metadata(journal.join(&file.name)) {
            Ok(found) => found.len(),
            Err(_) => return Some((name, "the file is missing".to_owned())),
        };
        let is_last = file.last == manifest.block;
        if found < file.bytes || (found > file.bytes && !is_last) {
            return Some((name, format!("it has {found} bytes, not {}", file.bytes)));
        }
        None
    };
    let mut found: Vec<_> = manifest.files.iter().filter_map(unlike).collect();
    if let Some(place) = manifest.place().filter(|_| found.is_empty()) {
        let Marker { block, .. } = place.marker;
        if let Err(why) = JournalFollower::open(&journal, Some(place)) {
            found.push((
                format!("{DATA}/journal"),
                format!("it does not end with block {block}: {why}"),
            ));
        }
    }
    found
}

fn key_unlike(manifest: &Manifest, data: &Path) -> Option<String> {
    if !manifest.with_key {
        return None;
    }
    match LogKey::read(&data.join(log_key::FILE)) {
        Ok(key) if key.public().to_string() == manifest.log_key => None,
        Ok(key) => Some(format!("it is the key of `{}`", key.public().name())),
        Err(error) => Some(error.to_string()),
    }
}
