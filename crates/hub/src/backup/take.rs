//! Taking a backup, and going on with one.

use std::path::{Path, PathBuf};

use lienthong_ledger::{FolderLock, JournalFollower, check_data_folder};
use lienthong_model::Timestamp;

use super::copying::{Copying, Stop};
use super::manifest::{self, Manifest};
use super::{BackupError, DATA, create_folder, entry_besides, io_error, refuse_nested};
use crate::log_key::{self, LogKey, write_whole};

/// What a hub itself makes in its data folder.
const OF_THE_HUB: [&str; 8] =
    ["FORMAT", "LOCK", "BALLAST", "journal", "payloads", "state", "state.discarded", "log.key"];

/// A backup to be taken.
#[derive(Debug)]
pub struct Backup<'a> {
    /// The data folder; its hub may run.
    pub data: &'a Path,
    /// A new or empty folder, or an earlier backup of the same hub.
    pub to: &'a Path,
    /// Whether the secret half of the log's key is copied.
    pub with_key: bool,
    /// The time to be written down.
    pub now: Timestamp,
}

/// What a backup came to.
#[derive(Debug)]
pub struct BackupReport {
    /// What it stands for now.
    pub manifest: Manifest,
    /// Blocks copied by this run.
    pub blocks: u64,
    /// Bytes of journal copied by this run.
    pub journal_bytes: u64,
    /// Payload files copied by this run.
    pub payloads: u64,
    /// Their bytes.
    pub payload_bytes: u64,
    /// Contents that have expired and are not there: payload files, and what was taken out of blocks.
    pub contents_expired: u64,
    /// Bytes at the journal's end that were not a whole block: one was just being written, or a
    /// kill left them.
    pub unfinished_bytes: u64,
    /// Entries of the data folder that are the operator's own and not in the backup.
    pub beside: Vec<String>,
}

impl Backup<'_> {
    /// Takes the backup, up to where the journal is now; `progress` is told the bytes of the journal
    /// that are behind and how many there are. Everything is on disk on return. After an error the
    /// backup stands for what it stood for, or for whole files more; calling again goes on.
    ///
    /// # Errors
    /// [`BackupError`].
    pub fn take(&self, mut progress: impl FnMut(u64, u64)) -> Result<BackupReport, BackupError> {
        self.check_source()?;
        let key = LogKey::of_folder(self.data, 1)?;
        self.check_target()?;
        create_folder(self.to)?;
        refuse_nested(self.data, self.to)?;
        let _lock = FolderLock::take(self.to)?;
        let mut manifest = self.begun(&key)?;
        let data = self.to.join(DATA);
        create_folder(&data)?;
        self.copy_beside(&data, &key)?;
        let mut copying = self.go_on(&manifest, &data)?;
        let bytes = journal_bytes(self.data)?;
        loop {
            let stop = copying.run(u64::MAX, |behind| progress(behind, bytes))?;
            self.write_down(&mut manifest, &copying, &key, &stop)?;
            if stop == Stop::End {
                break;
            }
        }
        let counts = copying.counts;
        Ok(BackupReport {
            manifest,
            blocks: counts.blocks,
            journal_bytes: counts.journal_bytes,
            payloads: counts.payloads,
            payload_bytes: counts.payload_bytes,
            contents_expired: counts.contents_expired,
            unfinished_bytes: copying.journal.left_out(),
            beside: self.beside()?,
        })
    }

    fn check_source(&self) -> Result<(), BackupError> {
        if !self.data.join("journal").is_dir() {
            return Err(BackupError::NoDataFolder(self.data.to_owned()));
        }
        Ok(check_data_folder(self.data)?)
    }

    /// Refuses a folder that has something in it and is no backup.
    fn check_target(&self) -> Result<(), BackupError> {
        let (new, folder) = (format!("{}.new", manifest::FILE), self.to.to_owned());
        if self.to.join(manifest::FILE).is_file() {
            return Ok(());
        }
        match entry_besides(self.to, &["LOCK", &new, "lost+found"])? {
            Some(entry) => Err(BackupError::NotEmpty { folder, entry }),
            None => Ok(()),
        }
    }

    /// The manifest that is there, or a first one: from then on the folder is known to be a backup.
    fn begun(&self, key: &LogKey) -> Result<Manifest, BackupError> {
        let mut manifest = match Manifest::read(self.to) {
            Ok(manifest) => manifest,
            Err(BackupError::NoBackup(_)) => Manifest::begun(key.public(), self.with_key),
            Err(error) => return Err(error),
        };
        if manifest.log_key != key.public().to_string() {
            return Err(BackupError::OtherHub {
                folder: self.to.to_owned(),
                backup: manifest.log_key,
                data: key.public().to_string(),
            });
        }
        manifest.with_key = self.with_key;
        manifest.write(self.to, self.now)?;
        Ok(manifest)
    }

    /// Writes the small files that a data folder has.
    fn copy_beside(&self, data: &Path, key: &LogKey) -> Result<(), BackupError> {
        let format = self.data.join("FORMAT");
        let text = std::fs::read_to_string(&format).map_err(io_error("read", &format))?;
        let path = data.join("FORMAT");
        write_whole(data, &path, &text).map_err(io_error("write", &path))?;
        let path = data.join(log_key::FILE);
        if self.with_key {
            return write_whole(data, &path, &key.to_text()).map_err(io_error("write", &path));
        }
        match std::fs::remove_file(&path) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                Err(io_error("remove", &path)(error))
            }
            _ => Ok(()),
        }
    }

    /// Goes on where the manifest ends, when both sides have that block.
    fn go_on(&self, manifest: &Manifest, data: &Path) -> Result<Copying, BackupError> {
        let wrong = |why: &str| {
            let path = self.to.join(manifest::FILE);
            BackupError::Manifest { path, why: why.to_owned() }
        };
        let log =
            manifest.frontier().ok_or_else(|| wrong("the log's hashes do not fit its size"))?;
        let place = manifest.place();
        if place.is_some() {
            // What is there must be whole before it is built upon.
            JournalFollower::open(&data.join("journal"), place)?;
        }
        let sides = (self.data, data);
        let begun = Copying::begin(sides, place, log, manifest.files.clone(), &manifest.contents);
        match (begun, place) {
            (Err(BackupError::Engine(why)), Some(place)) => {
                Err(BackupError::Diverged { block: place.marker.block, why })
            }
            (begun, _) => begun,
        }
    }

    fn write_down(
        &self,
        manifest: &mut Manifest,
        copying: &Copying,
        key: &LogKey,
        stop: &Stop,
    ) -> Result<(), BackupError> {
        let mut files = copying.files.clone();
        if *stop == Stop::File {
            // It has no block yet.
            files.pop();
        }
        let Some(last) = files.last() else { return Ok(()) };
        (manifest.block, manifest.block_hash) = (last.last, last.hash.clone());
        manifest.files = files;
        let root = copying.log.root();
        (manifest.log_size, manifest.log_root) = (copying.log.size(), root.to_string());
        manifest.log_peaks = copying.log.peaks().iter().map(ToString::to_string).collect();
        manifest.checkpoint = key.checkpoint(manifest.log_size, root);
        manifest.contents = copying.known();
        manifest.write(self.to, self.now)
    }

    fn beside(&self) -> Result<Vec<String>, BackupError> {
        let entries = std::fs::read_dir(self.data).map_err(io_error("list", self.data))?;
        let names = entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok());
        let mut beside: Vec<String> =
            names.filter(|name| !OF_THE_HUB.contains(&name.as_str())).collect();
        beside.sort();
        Ok(beside)
    }
}

/// Bytes of all files of a journal.
pub(super) fn journal_bytes(data: &Path) -> Result<u64, BackupError> {
    let folder: PathBuf = data.join("journal");
    let entries = std::fs::read_dir(&folder).map_err(io_error("list", &folder))?;
    Ok(entries.filter_map(|entry| Some(entry.ok()?.metadata().ok()?.len())).sum())
}
