//! Copying a journal and the payloads that it names, block by block: into a backup, and out of one.

use std::fs::{File, OpenOptions};
use std::os::unix::fs::{FileExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use lienthong_core::Retention;
use lienthong_core::audit::JournalCheck;
use lienthong_core::block::SealedBlock;
use lienthong_core::engine::{EngineError, Marker};
use lienthong_ledger::{Copied, Followed, JournalFollower, JournalPlace, PayloadCopies};
use lienthong_model::{Digest, Timestamp};
use lienthong_trust::merkle::Frontier;

use super::manifest::{ManifestContents, ManifestFile};
use super::{BackupError, create_folder, io_error, sync_folder};
use crate::retention::Missing;

/// What was copied.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Counts {
    pub blocks: u64,
    pub journal_bytes: u64,
    pub payloads: u64,
    pub payload_bytes: u64,
    pub contents_expired: u64,
}

/// The truth of one data folder on its way into another.
pub(super) struct Copying {
    pub journal: JournalFollower,
    payloads: PayloadCopies,
    /// Names what a block needs; what is wrong with one an audit says.
    contents: JournalCheck,
    pub log: Frontier,
    folder: PathBuf,
    /// The file that is written to.
    file: Option<(File, PathBuf)>,
    /// The files so far, the last one growing.
    pub files: Vec<ManifestFile>,
    pub counts: Counts,
    /// For how long contents are kept, as far as the journal was read.
    retention: Retention,
    /// When the last block that was read was made.
    time: Timestamp,
    missing: Missing<Digest>,
}

/// Where a copy stops to be written down.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Stop {
    /// A file is about to begin: those before it are whole.
    File,
    /// The end.
    End,
}

impl Copying {
    /// Begins behind a place, at which both sides have the same block.
    pub fn begin(
        (from, to): (&Path, &Path),
        at: Option<JournalPlace>,
        log: Frontier,
        files: Vec<ManifestFile>,
        known: &ManifestContents,
    ) -> Result<Self, BackupError> {
        let folder = to.join("journal");
        create_folder(&folder)?;
        create_folder(&to.join("payloads"))?;
        let payloads = PayloadCopies::open(&from.join("payloads"), &to.join("payloads"))?;
        let journal = JournalFollower::open(&from.join("journal"), at)?;
        let file = match files.last() {
            Some(last) => Some(go_on(&folder.join(&last.name), last.bytes)?),
            None => None,
        };
        let (contents, counts) = (JournalCheck::default(), Counts::default());
        let (retention, missing) = known.read();
        let time = Timestamp::MIN;
        Ok(Self {
            journal,
            payloads,
            contents,
            log,
            folder,
            file,
            files,
            counts,
            retention,
            time,
            missing,
        })
    }

    /// Copies up to the end of a file, or to a block; `told` hears how many bytes of the journal are
    /// behind.
    pub fn run(&mut self, until: u64, mut told: impl FnMut(u64)) -> Result<Stop, BackupError> {
        while self.journal.last().block < until {
            match self.journal.read()? {
                None => break,
                Some(Followed::File { name, first, header }) => {
                    let whole = !self.files.is_empty();
                    if whole {
                        self.settle()?;
                    }
                    self.begin_file(name, first, &header)?;
                    if whole {
                        return Ok(Stop::File);
                    }
                }
                Some(Followed::Block { place, frame, block }) => {
                    self.block(&block)?;
                    self.append(&place, &frame)?;
                    told(self.files.iter().map(|file| file.bytes).sum());
                }
            }
        }
        self.settle()?;
        match self.missing.lost(self.retention, self.time) {
            Some(lost) => Err(missing(lost).into()),
            None => Ok(Stop::End),
        }
    }

    /// What is known of contents that are kept no longer.
    pub fn known(&self) -> ManifestContents {
        ManifestContents::of(self.retention, &self.missing)
    }

    /// Waits until everything copied is on disk, here and at the source.
    fn settle(&mut self) -> Result<(), BackupError> {
        self.payloads.settle()?;
        if let Some((file, path)) = &self.file {
            file.sync_all().map_err(io_error("sync", path))?;
        }
        sync_folder(&self.folder)?;
        Ok(self.journal.sync()?)
    }

    fn begin_file(&mut self, name: String, first: u64, header: &[u8]) -> Result<(), BackupError> {
        let path = self.folder.join(&name);
        let mut options = OpenOptions::new();
        // One that an interrupted run began is begun anew.
        options.write(true).create(true).truncate(true).mode(0o600);
        let file = options.open(&path).map_err(io_error("create", &path))?;
        file.write_all_at(header, 0).map_err(io_error("write", &path))?;
        self.file = Some((file, path));
        let before = self.journal.last();
        self.files.push(ManifestFile::begun(name, first, header.len() as u64, before));
        Ok(())
    }

    fn append(&mut self, place: &JournalPlace, frame: &[u8]) -> Result<(), BackupError> {
        let (Some((file, path)), Some(last)) = (&self.file, self.files.last_mut()) else {
            return Ok(());
        };
        file.write_all_at(frame, place.frame).map_err(io_error("write", path))?;
        last.goes_to(place);
        self.counts.blocks += 1;
        self.counts.journal_bytes += frame.len() as u64;
        Ok(())
    }

    /// Copies what a block names, and adds its leaves to the log.
    fn block(&mut self, block: &SealedBlock) -> Result<(), BackupError> {
        let Marker { block: number, .. } = block.marker;
        let checked = self.contents.block(&block.block);
        for named in &checked.payloads {
            match self.payloads.copy(&named.digest)? {
                Copied::New(bytes) => {
                    self.counts.payloads += 1;
                    self.counts.payload_bytes += bytes;
                }
                Copied::There => {}
                Copied::Missing if named.for_ever => return Err(missing(&named.digest).into()),
                Copied::Missing => {
                    self.missing.add(block.block.time, named.digest);
                    self.counts.contents_expired += 1;
                }
            }
        }
        for taken_out in &checked.taken_out {
            self.missing.add(block.block.time, taken_out.digest);
            self.counts.contents_expired += 1;
        }
        for entry in &block.block.entries {
            self.retention.take_over(&entry.command, block.block.time);
        }
        self.time = block.block.time;
        for leaf in &checked.leaves {
            if leaf.position.0 != self.log.size() {
                let what = format!("block {number} of the journal");
                let (found, follows) = (leaf.position, self.log.size());
                let why = format!("it has position {found}, where {follows} follows");
                return Err(EngineError::Damaged { what, why }.into());
            }
            self.log.push(leaf.leaf.hash());
        }
        Ok(())
    }
}

fn missing(digest: &Digest) -> EngineError {
    EngineError::Damaged { what: format!("payload {digest}"), why: "it is missing".to_owned() }
}

/// Opens a file that was begun, without what an interrupted run wrote behind its end.
fn go_on(path: &Path, bytes: u64) -> Result<(File, PathBuf), BackupError> {
    let file = OpenOptions::new().write(true).open(path).map_err(io_error("open", path))?;
    file.set_len(bytes).map_err(io_error("cut", path))?;
    Ok((file, path.to_owned()))
}
