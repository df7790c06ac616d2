//! The bytes of a journal file, wherever they are: in the file itself or in its archive.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt as _;
use std::path::Path;

use lienthong_core::engine::EngineError;

use super::archive::Archive;
use crate::disk::{damaged, io_error};

/// How the name of a journal file ends.
pub(super) const PLAIN: &str = ".blocks";
/// How the name of an archive ends.
pub(super) const ARCHIVED: &str = ".archive";
/// How the name of what is being made ends.
pub(super) const UNFINISHED: &str = ".new";

/// A journal file or its archive, open for reading.
#[derive(Debug)]
pub(super) enum Image {
    Plain(File),
    Archive(Box<Archive>),
}

impl Image {
    /// Opens a file by its name.
    pub fn open(path: &Path) -> Result<Self, EngineError> {
        let opened = match is_archive(path) {
            true => Archive::open(path).map(|archive| Self::Archive(Box::new(archive))),
            false => File::open(path).map(Self::Plain),
        };
        opened.map_err(failed("open", path))
    }

    /// Opens a file to look for what can still be read: what is damaged in an archive is zeros.
    pub fn open_passing_damage(path: &Path) -> Result<Self, EngineError> {
        Ok(match Self::open(path)? {
            Self::Archive(archive) => Self::Archive(Box::new(archive.passing_damage())),
            plain @ Self::Plain(_) => plain,
        })
    }

    /// Bytes of the journal file.
    pub fn len(&self) -> io::Result<u64> {
        match self {
            Self::Plain(file) => Ok(file.metadata()?.len()),
            Self::Archive(archive) => Ok(archive.len()),
        }
    }

    /// Whether it is known that no content of a document is left in it.
    pub fn is_empty(&self) -> bool {
        matches!(self, Self::Archive(archive) if archive.is_empty())
    }

    /// Reads from an offset of the journal file; none at the end.
    pub fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        match self {
            Self::Plain(file) => file.read_at(buffer, offset),
            Self::Archive(archive) => archive.read_at(buffer, offset),
        }
    }

    /// Fills a buffer from an offset of the journal file.
    pub fn read_exact_at(&self, mut buffer: &mut [u8], mut offset: u64) -> io::Result<()> {
        while !buffer.is_empty() {
            match self.read_at(buffer, offset) {
                Ok(0) => return Err(io::ErrorKind::UnexpectedEof.into()),
                Ok(count) => {
                    buffer = buffer.get_mut(count..).unwrap_or_default();
                    offset += count as u64;
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }
}

/// Whether a name is that of an archive.
pub(super) fn is_archive(path: &Path) -> bool {
    path.to_str().is_some_and(|path| path.ends_with(ARCHIVED))
}

/// What an error of reading is: damage, when an archive says so.
pub(super) fn failed<'p>(
    doing: &'static str,
    path: &'p Path,
) -> impl FnOnce(io::Error) -> EngineError + use<'p> {
    move |error| match error.kind() {
        io::ErrorKind::InvalidData => {
            let name = path.file_name().unwrap_or(path.as_os_str()).to_string_lossy();
            damaged(format!("journal file `{name}`"), error.to_string())
        }
        _ => io_error(doing, path)(error),
    }
}
