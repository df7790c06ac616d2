//! Reading a journal at rest without changing it: every block, and every place where the files are
//! not what was written. Reading goes on behind damage.
//!
//! [`super::JournalFiles::open`] cuts what may be a torn end; nothing is cut here. Whether a bad
//! frame is a torn end or damage the frames tell as far as they can: a block that a later frame
//! calls synced was whole on disk once; of the last batch nothing later speaks. A single changed
//! byte is told from a torn write by the check values, and named.

mod changed;
mod damage;
mod reading;
#[cfg(test)]
mod tests;

use std::collections::VecDeque;
use std::path::Path;

use bytes::Bytes;
use lienthong_core::block::SealedBlock;
use lienthong_core::engine::EngineError;
use lienthong_model::Digest;

use super::frame::{Bad, FileHeader, HEADER_BYTES, Head};
use super::image::Image;
use super::recover::too_new;
use super::writer::{Found, list};
use crate::disk::io_error;
pub use damage::{ChangedByte, Damage, DamageKind};
use reading::Reading;

/// Reads a journal's files in order; an iterator over what it finds. One block is in memory at a
/// time, and the damage of one file.
#[derive(Debug)]
pub struct JournalAudit {
    files: VecDeque<Found>,
    reading: Option<Reading>,
    /// The number of the block that comes next.
    next: u64,
    /// The hash of the block before it, where that is known.
    last: Option<Digest>,
    /// What was found and not yet given out.
    found: VecDeque<Step>,
    bytes_read: u64,
    bytes: u64,
}

/// Something that an audit of a journal comes upon.
#[derive(Debug)]
pub enum Step {
    /// A block, in order. After damage blocks may be left out.
    Block(FoundBlock),
    /// A place where the files are not what was written. It comes when its file is read to the end.
    Damage(Damage),
}

/// A block and where it lies.
#[derive(Debug)]
pub struct FoundBlock {
    /// The file's name.
    pub file: String,
    /// Where its frame begins.
    pub offset: u64,
    /// The block; with the one changed byte put right, where that is reported.
    pub block: SealedBlock,
}

impl JournalAudit {
    /// Begins to read the journal in a folder.
    ///
    /// # Errors
    /// [`EngineError::Io`] when the folder cannot be listed.
    pub fn open(folder: &Path) -> Result<Self, EngineError> {
        let files = list(folder)?;
        let mut bytes = 0;
        for Found { path, .. } in &files {
            bytes += match Image::open(path).map(|image| image.len()) {
                Ok(length) => length.map_err(io_error("measure", path))?,
                Err(_) => std::fs::metadata(path).map_err(io_error("measure", path))?.len(),
            };
        }
        Ok(Self {
            files: files.into(),
            reading: None,
            next: 1,
            last: Some(Digest([0; 32])),
            found: VecDeque::new(),
            bytes_read: 0,
            bytes,
        })
    }

    /// Returns how many bytes all files have, or had before they were archived.
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Returns how many bytes of them are behind.
    pub fn bytes_read(&self) -> u64 {
        self.bytes_read + self.reading.as_ref().map_or(0, |reading| reading.offset)
    }

    /// Returns the number of the last block, or the highest that damage hides; 0 when there is none.
    pub fn last_block(&self) -> u64 {
        self.next - 1
    }

    /// Reads on; `false` at the end.
    fn read_on(&mut self) -> Result<bool, EngineError> {
        match self.reading.take() {
            Some(mut reading) if reading.offset < reading.length => {
                self.frame(&mut reading)?;
                self.reading = Some(reading);
            }
            Some(reading) => self.close(reading),
            None => match self.files.pop_front() {
                Some(found) => match self.begin(&found) {
                    Ok(reading) => self.reading = Some(reading),
                    Err(EngineError::Damaged { why, .. }) => self.pass_over(&found, why),
                    Err(error) => return Err(error),
                },
                None => return Ok(false),
            },
        }
        Ok(true)
    }

    /// Notes an archive of which nothing can be read.
    fn pass_over(&mut self, found: &Found, why: String) {
        let file = found.path.file_name().unwrap_or(found.path.as_os_str());
        self.found.push_back(Step::Damage(Damage {
            kind: DamageKind::Header,
            file: file.to_string_lossy().into_owned(),
            offset: 0,
            bytes: std::fs::metadata(&found.path).map_or(0, |found| found.len()),
            block: found.first,
            entry: None,
            why,
            changed: None,
            cut: false,
        }));
        self.last = None;
    }

    /// Opens a file and checks its header against what came before.
    fn begin(&mut self, found: &Found) -> Result<Reading, EngineError> {
        let mut reading = Reading::open(found)?;
        let place = (0, reading.offset);
        if found.first != self.next {
            let why = format!("block {} follows, the file begins with {}", self.next, found.first);
            reading.note(DamageKind::Missing, place, self.next, why);
            self.last = None;
        }
        self.next = found.first.max(1);
        match reading.header()? {
            Ok(header) => self.continues(&header, &mut reading),
            Err(Bad::TooNew(format)) if reading.mended_header()?.is_none() => {
                return Err(too_new(&reading.path, format));
            }
            Err(bad) => {
                let mended = reading.mended_header()?;
                let noted = reading.note(DamageKind::Header, place, found.first, bad.to_string());
                if let Some((changed, header)) = mended {
                    noted.changed = Some(changed);
                    self.continues(&header, &mut reading);
                }
            }
        }
        Ok(reading)
    }

    fn continues(&mut self, header: &FileHeader, reading: &mut Reading) {
        let place = (0, HEADER_BYTES as u64);
        if header.first != self.next {
            let why = format!("it says that block {} is the first", header.first);
            reading.note(DamageKind::Header, place, self.next, why);
        }
        if self.last.is_some_and(|last| last != header.previous) {
            let why = "the file says that it follows a block of another hash";
            reading.note(DamageKind::Chain, place, self.next, why);
        }
        self.last = Some(header.previous);
    }

    /// Reads the frame at hand, or passes over what is none.
    fn frame(&mut self, reading: &mut Reading) -> Result<(), EngineError> {
        let offset = reading.offset;
        let head = match reading.head(offset)? {
            Ok(head) => head,
            Err(bad) => return self.bad_head(reading, bad),
        };
        match reading.payload(&head, offset)? {
            Ok(payload) => self.block(reading, &head, payload),
            Err(Bad::TooNew(format)) => return Err(too_new(&reading.path, format)),
            Err(Bad::Check) => self.bad_payload(reading, &head)?,
            Err(bad) => {
                // Its length can be believed: the file ends before it does.
                let rest = reading.length - offset;
                reading.note(DamageKind::Frame, (offset, rest), self.next, bad.to_string());
                reading.offset = reading.length;
            }
        }
        Ok(())
    }

    fn bad_head(&mut self, reading: &mut Reading, bad: Bad) -> Result<(), EngineError> {
        let offset = reading.offset;
        if let Some((changed, head, payload)) = reading.mended_head(offset)? {
            let place = (offset, head.frame_bytes());
            reading.note(DamageKind::Frame, place, head.number, bad.to_string()).changed =
                Some(changed);
            self.block(reading, &head, payload);
            return Ok(());
        }
        let next = reading.next_frame(offset)?.unwrap_or(reading.length);
        reading.note(DamageKind::Frame, (offset, next - offset), self.next, bad.to_string());
        (reading.offset, reading.lost, self.last) = (next, true, None);
        Ok(())
    }

    fn bad_payload(&mut self, reading: &mut Reading, head: &Head) -> Result<(), EngineError> {
        let (offset, bytes) = (reading.offset, head.frame_bytes());
        let follower = self.hash_named_at(reading, offset + bytes)?;
        let mended = reading.mended_payload(head, self.last, follower)?;
        let why = Bad::Check.to_string();
        let noted = reading.note(DamageKind::Frame, (offset, bytes), head.number, why);
        match mended {
            Some(mended) => {
                (noted.changed, noted.entry) = (Some(mended.changed), mended.entry);
                self.block(reading, head, mended.payload);
            }
            None => {
                reading.offset += bytes;
                (self.next, self.last) = (self.next.max(head.number + 1), follower);
            }
        }
        Ok(())
    }

    /// The hash of the block before the frame at an offset, as that frame has it, or the header of
    /// the next file.
    fn hash_named_at(&self, reading: &Reading, offset: u64) -> Result<Option<Digest>, EngineError> {
        if offset >= reading.length {
            let Some(next) = self.files.front() else { return Ok(None) };
            return match Reading::open(next) {
                Ok(next) => Ok(next.header()?.ok().map(|header| header.previous)),
                // It is noted when its turn comes.
                Err(EngineError::Damaged { .. }) => Ok(None),
                Err(error) => Err(error),
            };
        }
        let Ok(head) = reading.head(offset)? else { return Ok(None) };
        let Ok(payload) = reading.payload(&head, offset)? else { return Ok(None) };
        Ok(SealedBlock::open(payload).ok().map(|block| block.block.previous))
    }

    /// Takes a block whose bytes are right: does it follow?
    fn block(&mut self, reading: &mut Reading, head: &Head, payload: Bytes) {
        let (offset, bytes) = (reading.offset, head.frame_bytes());
        let place = (offset, bytes);
        reading.offset += bytes;
        reading.synced = reading.synced.max(head.synced);
        let opened = SealedBlock::open(payload);
        let hash = opened.as_ref().ok().map(|block| block.marker.hash);
        let block = match opened {
            Ok(block) if block.marker.block == head.number => block,
            unlike => {
                let why = match unlike {
                    Ok(block) => format!("it holds block {}", block.marker.block),
                    Err(error) => error.to_string(),
                };
                reading.note(DamageKind::Frame, place, head.number, why);
                (self.next, self.last) = (self.next.max(head.number + 1), hash);
                return;
            }
        };
        let number = head.number;
        if number < self.next {
            let why = format!("block {number} again, where {} follows", self.next);
            reading.note(DamageKind::Chain, place, number, why);
            return;
        }
        if number > self.next && !reading.lost {
            let why = format!("blocks {} to {} are missing before it", self.next, number - 1);
            reading.note(DamageKind::Missing, place, self.next, why);
        } else if number == self.next && self.last.is_some_and(|last| last != block.block.previous)
        {
            let why = format!("it follows a block of hash {}", block.block.previous);
            reading.note(DamageKind::Chain, place, number, why);
        }
        (self.next, self.last, reading.lost) = (number + 1, hash, false);
        let file = reading.name.clone();
        self.found.push_back(Step::Block(FoundBlock { file, offset, block }));
    }

    /// Says of the file's damage whether it may be a torn end, and gives it out.
    fn close(&mut self, reading: Reading) {
        self.bytes_read += reading.length;
        let is_last = self.files.is_empty();
        for mut damage in reading.damage {
            let headless = damage.kind == DamageKind::Header
                && reading.length <= HEADER_BYTES as u64
                && damage.changed.is_none();
            let unsynced = damage.kind == DamageKind::Frame && damage.block > reading.synced;
            damage.cut = is_last && (headless || unsynced);
            if damage.cut && damage.changed.is_none() {
                damage.kind = DamageKind::TornTail;
            }
            self.found.push_back(Step::Damage(damage));
        }
    }
}

impl Iterator for JournalAudit {
    type Item = Result<Step, EngineError>;

    /// Returns what comes next; after an error of the operating system nothing more.
    fn next(&mut self) -> Option<Self::Item> {
        loop {
            if let Some(step) = self.found.pop_front() {
                return Some(Ok(step));
            }
            match self.read_on() {
                Ok(true) => {}
                Ok(false) => return None,
                Err(error) => {
                    self.files.clear();
                    self.reading = None;
                    return Some(Err(error));
                }
            }
        }
    }
}
