//! Reading a journal from any block on while its hub may be writing it: what a backup copies.
//!
//! Nothing is cut or opened for writing. The journal's end is where it was when the reading began,
//! less what was not whole then: so reading ends, however fast the hub writes. A frame that is not
//! whole is the one being written, unless a later frame calls its block synced: then it is damage.

use std::path::{Path, PathBuf};

use lienthong_core::block::SealedBlock;
use lienthong_core::engine::{EngineError, Marker};
use lienthong_model::Digest;

use super::frame::{Bad, FileHeader, HEADER_BYTES, Head};
use super::image::{ARCHIVED, Image, failed};
use super::recover::{Frame, bad_header, follows, place, read_frame, synced_later, too_new};
use super::writer::{Found, list};
use crate::disk::{damaged, io_error};

/// Where in a journal a reader stands: behind a block.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct JournalPlace {
    /// The first block of the file.
    pub first: u64,
    /// Where the block's frame begins.
    pub frame: u64,
    /// Where the next one begins.
    pub offset: u64,
    /// The block.
    pub marker: Marker,
}

/// What a reader comes upon.
#[derive(Debug)]
pub enum Followed {
    /// A file begins.
    File {
        /// Its name.
        name: String,
        /// Number of its first block.
        first: u64,
        /// Its header, as it stands there.
        header: Vec<u8>,
    },
    /// The next block.
    Block {
        /// Where it lies.
        place: JournalPlace,
        /// Its frame, as it stands there.
        frame: Vec<u8>,
        /// What it holds.
        block: SealedBlock,
    },
}

/// Reads block after block. One is in memory at a time.
#[derive(Debug)]
pub struct JournalFollower {
    folder: PathBuf,
    reading: Option<Reading>,
    last: Marker,
    /// First block and length of the last file, when the reading began.
    end: (u64, u64),
}

#[derive(Debug)]
struct Reading {
    file: Image,
    path: PathBuf,
    first: u64,
    offset: u64,
    length: u64,
}

impl JournalFollower {
    /// Begins behind a place, or with block 1. The block at the place must be the one that the place
    /// names.
    ///
    /// # Errors
    /// [`EngineError::Damaged`] when there is no journal, or another block at the place;
    /// [`EngineError::TooNew`]; [`EngineError::Io`].
    pub fn open(folder: &Path, from: Option<JournalPlace>) -> Result<Self, EngineError> {
        let found = list(folder)?;
        let Some(Found { first, path }) = found.last() else {
            return Err(damaged(format!("journal `{}`", folder.display()), "it has no files"));
        };
        let length = Image::open(path)?.len().map_err(io_error("measure", path))?;
        let nothing = Marker { block: 0, hash: Digest([0; 32]) };
        let mut follower = Self {
            folder: folder.to_owned(),
            reading: None,
            last: from.map_or(nothing, |place| place.marker),
            end: (*first, length),
        };
        if let Some(from) = from {
            follower.seek(from)?;
        }
        Ok(follower)
    }

    /// Returns the last block read.
    pub fn last(&self) -> Marker {
        self.last
    }

    /// Returns how many bytes behind the last block read the journal had when the reading began.
    pub fn left_out(&self) -> u64 {
        let behind = self.reading.as_ref().filter(|reading| self.is_last(reading.first));
        behind.map_or(0, |reading| self.end.1.saturating_sub(reading.offset))
    }

    /// Waits until every block read so far is on the journal's own disk: what was copied the hub
    /// cannot lose any more. A file before the last one is synced already.
    ///
    /// # Errors
    /// [`EngineError::Io`].
    pub fn sync(&self) -> Result<(), EngineError> {
        let Some(reading) = &self.reading else { return Ok(()) };
        match &reading.file {
            Image::Plain(file) => file.sync_data().map_err(io_error("sync", &reading.path)),
            Image::Archive(_) => Ok(()),
        }
    }

    /// Reads on; `None` at the end.
    ///
    /// # Errors
    /// [`EngineError::Damaged`] naming file, byte and block; [`EngineError::TooNew`];
    /// [`EngineError::Io`].
    pub fn read(&mut self) -> Result<Option<Followed>, EngineError> {
        let Some(reading) = &mut self.reading else { return self.begin(1) };
        if (reading.first, reading.offset) >= self.end {
            return Ok(None);
        }
        if reading.offset >= reading.length {
            reading.measure()?;
        }
        if reading.offset < reading.length { self.frame() } else { self.begin(self.last.block + 1) }
    }

    fn is_last(&self, first: u64) -> bool {
        first >= self.end.0
    }

    /// Opens the file that begins with a block.
    fn begin(&mut self, first: u64) -> Result<Option<Followed>, EngineError> {
        // What an archive gives back is copied under the name that the file had.
        let name = super::writer::name(first);
        let reading = match Reading::open(&self.folder, first) {
            Ok(reading) => reading,
            Err(EngineError::Io { source, .. })
                if source.kind() == std::io::ErrorKind::NotFound =>
            {
                let why = format!("block {first} follows, and no file begins with it");
                return Err(damaged(format!("journal `{}`", self.folder.display()), why));
            }
            Err(error) => return Err(error),
        };
        let header = match reading.header()? {
            Ok(header) => header,
            // It was just being made.
            Err(Bad::Short) if self.is_last(first) => return Ok(None),
            Err(bad) => return Err(bad_header(&reading.path, bad)),
        };
        if header.first != first || header.previous != self.last.hash {
            let what = format!("header of journal file `{name}`");
            return Err(damaged(what, "it does not follow the block before it"));
        }
        let header = reading.read_at(0, HEADER_BYTES as u64)?;
        self.reading = Some(Reading { offset: HEADER_BYTES as u64, ..reading });
        Ok(Some(Followed::File { name, first, header }))
    }

    /// Reads the frame at hand.
    fn frame(&mut self) -> Result<Option<Followed>, EngineError> {
        let number = self.last.block + 1;
        let Some(reading) = &mut self.reading else { return Ok(None) };
        let (head, payload) = match reading.frame(number)? {
            Frame::Good(head, payload) => (head, payload),
            Frame::Bad { why, resume } => {
                let last = reading.first >= self.end.0;
                match reading.whole_by_now(last, number, why, resume)? {
                    Some(whole) => whole,
                    None => return Ok(None),
                }
            }
        };
        let frame = reading.bytes(&head)?;
        let block = SealedBlock::open(payload)
            .map_err(|error| damaged(reading.place(number), error.to_string()))?;
        follows(&reading.path, reading.offset, self.last, &block)?;
        let at = reading.offset;
        reading.offset += head.frame_bytes();
        self.last = block.marker;
        let place = JournalPlace {
            first: reading.first,
            frame: at,
            offset: reading.offset,
            marker: block.marker,
        };
        Ok(Some(Followed::Block { place, frame, block }))
    }

    fn seek(&mut self, from: JournalPlace) -> Result<(), EngineError> {
        let mut reading = Reading::open(&self.folder, from.first)?;
        reading.header()?.map_err(|bad| bad_header(&reading.path, bad))?;
        reading.offset = from.frame;
        let other = |why: String| damaged(reading.place(from.marker.block), why);
        let Frame::Good(head, payload) = reading.frame(from.marker.block)? else {
            return Err(other("it is not there".to_owned()));
        };
        let found = SealedBlock::open(payload).map_err(|error| other(error.to_string()))?;
        let found = found.marker.hash;
        if found != from.marker.hash || from.frame + head.frame_bytes() != from.offset {
            return Err(other(format!("it has the hash {found}, not {}", from.marker.hash)));
        }
        reading.offset = from.offset;
        self.reading = Some(reading);
        Ok(())
    }
}

impl Reading {
    /// Opens the file that begins with a block, or its archive.
    fn open(folder: &Path, first: u64) -> Result<Self, EngineError> {
        let plain = folder.join(super::writer::name(first));
        let archive = folder.join(format!("{first:020}{ARCHIVED}"));
        let (file, path) = match Image::open(&plain) {
            Err(EngineError::Io { source, .. })
                if source.kind() == std::io::ErrorKind::NotFound && archive.exists() =>
            {
                (Image::open(&archive)?, archive)
            }
            opened => (opened?, plain),
        };
        let mut reading = Self { file, path, first, offset: 0, length: 0 };
        reading.measure()?;
        Ok(reading)
    }

    fn measure(&mut self) -> Result<(), EngineError> {
        self.length = self.file.len().map_err(io_error("measure", &self.path))?;
        Ok(())
    }

    fn header(&self) -> Result<Result<FileHeader, Bad>, EngineError> {
        FileHeader::read(&self.file).map_err(failed("read", &self.path))
    }

    fn frame(&self, number: u64) -> Result<Frame, EngineError> {
        let frame = read_frame(&self.file, self.offset, number);
        match frame.map_err(failed("read", &self.path))? {
            Frame::Bad { why: Bad::TooNew(format), .. } => Err(too_new(&self.path, format)),
            frame => Ok(frame),
        }
    }

    /// Decides about a frame that is not whole: `None` when it is the one being written.
    fn whole_by_now(
        &mut self,
        last: bool,
        number: u64,
        why: Bad,
        resume: Option<u64>,
    ) -> Result<Option<(Head, bytes::Bytes)>, EngineError> {
        self.measure()?;
        let from = resume.unwrap_or(self.offset + 1);
        let later = synced_later(&self.file, from, self.length, number)
            .map_err(failed("read", &self.path))?;
        if last && later.is_none() {
            return Ok(None);
        }
        // It may have been finished while the later one was looked for.
        match self.frame(number)? {
            Frame::Good(head, payload) => Ok(Some((head, payload))),
            Frame::Bad { .. } => Err(damaged(self.place(number), why.to_string())),
        }
    }

    /// The bytes of the frame at hand.
    fn bytes(&self, head: &Head) -> Result<Vec<u8>, EngineError> {
        self.read_at(self.offset, head.frame_bytes())
    }

    fn read_at(&self, offset: u64, count: u64) -> Result<Vec<u8>, EngineError> {
        let mut bytes = vec![0; usize::try_from(count).unwrap_or(0)];
        self.file.read_exact_at(&mut bytes, offset).map_err(failed("read", &self.path))?;
        Ok(bytes)
    }

    fn place(&self, number: u64) -> String {
        place(&self.path, self.offset, number)
    }
}

#[cfg(test)]
mod tests {
    use std::fs::OpenOptions;
    use std::os::unix::fs::FileExt as _;

    use lienthong_core::engine::Journal as _;
    use lienthong_core::engine_suite::block_after;

    use super::*;
    use crate::journal::{JournalFiles, JournalLimits};

    /// A journal of small files, and its writer.
    fn journal(folder: &Path) -> JournalFiles {
        let limits = JournalLimits { file_bytes: 1_000, ..JournalLimits::default() };
        JournalFiles::open(folder, limits).unwrap().journal
    }

    fn write(journal: &mut JournalFiles, blocks: usize) {
        for _ in 0..blocks {
            let block = block_after(journal.last_proposed());
            journal.propose(&block).unwrap();
            journal.read_ordered().unwrap();
        }
    }

    /// The bytes of the files as they are read, and the last place.
    fn read(follower: &mut JournalFollower) -> (Vec<u8>, Option<JournalPlace>) {
        let (mut bytes, mut last) = (Vec::new(), None);
        while let Some(followed) = follower.read().unwrap() {
            match followed {
                Followed::File { header, .. } => bytes.extend(header),
                Followed::Block { place, frame, .. } => {
                    bytes.extend(frame);
                    last = Some(place);
                }
            }
        }
        (bytes, last)
    }

    fn files(folder: &Path) -> Vec<PathBuf> {
        list(folder).unwrap().into_iter().map(|found| found.path).collect()
    }

    fn all(folder: &Path) -> Vec<u8> {
        files(folder).iter().flat_map(|path| std::fs::read(path).unwrap()).collect()
    }

    #[test]
    fn every_byte_is_read_once_though_the_journal_grows_meanwhile_and_is_taken_up_again() {
        let folder = tempfile::tempdir().unwrap();
        let mut journal = journal(folder.path());
        write(&mut journal, 40);
        assert!(files(folder.path()).len() > 3);
        let mut follower = JournalFollower::open(folder.path(), None).unwrap();
        let before = all(folder.path());
        write(&mut journal, 40);
        let (read_first, place) = read(&mut follower);
        assert_eq!(read_first, before, "up to the end that it had when the reading began");
        assert_eq!(follower.last().block, 40);
        let mut follower = JournalFollower::open(folder.path(), place).unwrap();
        let (rest, _) = read(&mut follower);
        assert_eq!([read_first, rest].concat(), all(folder.path()));
        assert_eq!((follower.last().block, follower.left_out()), (80, 0));
    }

    #[test]
    fn an_archive_is_read_like_the_file_that_it_was() {
        let folder = tempfile::tempdir().unwrap();
        let limits = JournalLimits { file_bytes: 1_000, ..JournalLimits::default() };
        let mut opened = JournalFiles::open(folder.path(), limits).unwrap();
        write(&mut opened.journal, 40);
        let before = all(folder.path());
        let mut follower = JournalFollower::open(folder.path(), None).unwrap();
        let place = loop {
            match follower.read().unwrap().unwrap() {
                Followed::Block { place, .. } if place.marker.block == 12 => break place,
                _ => {}
            }
        };
        while opened.blocks.archive_oldest(1).unwrap().is_some() {}
        let mut whole = JournalFollower::open(folder.path(), None).unwrap();
        assert_eq!(read(&mut whole).0, before);
        // One that is taken up again in the middle of an archive.
        let mut rest = JournalFollower::open(folder.path(), Some(place)).unwrap();
        assert!(before.ends_with(&read(&mut rest).0));
        assert_eq!((rest.last().block, rest.left_out()), (40, 0));
    }

    #[test]
    fn a_frame_that_is_being_written_is_left_out_and_a_damaged_one_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let mut journal = journal(folder.path());
        write(&mut journal, 30);
        let files = files(folder.path());
        let open = |path| OpenOptions::new().write(true).open(path).unwrap();
        let last = open(files.last().unwrap());
        last.set_len(last.metadata().unwrap().len() - 1).unwrap();
        let mut follower = JournalFollower::open(folder.path(), None).unwrap();
        read(&mut follower);
        assert_eq!(follower.last().block, 29);
        assert!(follower.left_out() > 0);
        let middle = open(&files[1]);
        middle.write_all_at(&[0xff], 200).unwrap();
        let mut follower = JournalFollower::open(folder.path(), None).unwrap();
        let error = loop {
            match follower.read() {
                Ok(followed) => assert!(followed.is_some(), "the damage is passed over"),
                Err(error) => break error.to_string(),
            }
        };
        let name = files[1].file_name().unwrap().to_str().unwrap();
        assert!(error.contains(name) && error.contains("block"), "{error}");
    }

    #[test]
    fn a_missing_file_and_another_block_at_a_place_are_damage() {
        let folder = tempfile::tempdir().unwrap();
        let mut journal = journal(folder.path());
        write(&mut journal, 30);
        let (_, place) = read(&mut JournalFollower::open(folder.path(), None).unwrap());
        let place = place.unwrap();
        let other = Marker { hash: Digest([7; 32]), ..place.marker };
        let wrong = JournalPlace { marker: other, ..place };
        let error = JournalFollower::open(folder.path(), Some(wrong)).unwrap_err();
        assert!(matches!(error, EngineError::Damaged { .. }), "{error}");
        std::fs::remove_file(&files(folder.path())[1]).unwrap();
        let mut follower = JournalFollower::open(folder.path(), None).unwrap();
        let error = loop {
            match follower.read() {
                Ok(followed) => assert!(followed.is_some(), "the gap is passed over"),
                Err(error) => break error.to_string(),
            }
        };
        assert!(error.contains("no file begins with it"), "{error}");
    }
}
