//! Which files make up the state: one small file, `GENERATION`, put in force by renaming it.
//!
//! **Stored, stable** (in the folder `state`). Files that neither names are rubbish of a kill:
//!
//! | entry | is |
//! |---|---|
//! | `GENERATION` | text: what is in force |
//! | `GENERATION.before` | text: what was before rows were last moved between runs; its runs are kept |
//! | `recent-`number | a sled database: rows written since the last run was made |
//! | number`.rows` | a run |
//!
//! ```text
//! lienthong state, format 5
//! recent 8                  the database that is written to
//! recent 7                  one that becomes a run; seldom there
//! rested 5012 1c04aa...     the block with which it ends, so that one that lost its end is found
//! open 6                    runs, the newest first: rows that are open or recent
//! settled 3                 runs, the newest first: rows that are settled
//! marker 4711 9f86d0...     the block that the runs reflect
//! check 1a2b3c4d            CRC-32C of the lines above
//! ```

use std::fmt::Write as _;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use lienthong_core::engine::{EngineError, Marker};
use lienthong_model::Digest;

use super::STATE_FORMAT;
use crate::disk::{create_file, damaged, io_error, sync_folder};

const WORDS: &str = "lienthong state, format ";
const IN_FORCE: &str = "GENERATION";
const BEFORE: &str = "GENERATION.before";
const UNFINISHED: &str = "GENERATION.new";

/// The files of a state by their numbers.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Generation {
    /// Databases, the one that is written to first; one or two.
    pub recent: Vec<u64>,
    /// Runs of what is open or recent, the newest first.
    pub open: Vec<u64>,
    /// Runs of what is settled, the newest first.
    pub settled: Vec<u64>,
    /// The block that the runs reflect; none while there are none.
    pub marker: Option<Marker>,
    /// The block with which the second database ends; none while there is but one.
    pub rested: Option<Marker>,
}

impl Generation {
    /// A state without anything.
    pub fn first() -> Self {
        Self { recent: vec![1], ..Self::default() }
    }

    /// What is in force in a folder; `None` when the folder has no state.
    ///
    /// # Errors
    /// [`EngineError::Damaged`] when the file is not whole, or a state of another layout is there.
    pub fn in_force(folder: &Path) -> Result<Option<Self>, EngineError> {
        if let Some(generation) = read(&folder.join(IN_FORCE))? {
            return Ok(Some(generation));
        }
        // Before format 3 the database lay here itself.
        match folder.join("db").exists() || folder.join("conf").exists() {
            true => Err(damaged("state", "its format is another")),
            false => Ok(None),
        }
    }

    /// What was in force before rows were last moved; `None` when nothing was, or it is not whole.
    pub fn before(folder: &Path) -> Option<Self> {
        read(&folder.join(BEFORE)).ok().flatten()
    }

    /// Puts this in force; on return it is, whatever happens.
    ///
    /// # Errors
    /// [`EngineError::Io`].
    pub fn put_in_force(&self, folder: &Path) -> Result<(), EngineError> {
        self.write(folder, IN_FORCE)
    }

    /// Keeps this as what was before.
    ///
    /// # Errors
    /// [`EngineError::Io`].
    pub fn keep_as_before(&self, folder: &Path) -> Result<(), EngineError> {
        // The databases go on: what was before begins at the marker of its runs.
        Self { recent: Vec::new(), rested: None, ..self.clone() }.write(folder, BEFORE)
    }

    fn write(&self, folder: &Path, name: &str) -> Result<(), EngineError> {
        let (unfinished, path) = (folder.join(UNFINISHED), folder.join(name));
        let write = || {
            let mut file = create_file(&unfinished)?;
            file.write_all(self.to_text().as_bytes())?;
            file.sync_all()?;
            std::fs::rename(&unfinished, &path)
        };
        write().map_err(io_error("write", &path))?;
        sync_folder(folder)
    }

    /// The next number that no file has.
    pub fn next_number(&self, folder: &Path) -> Result<u64, EngineError> {
        let mut highest = self.numbers().max().unwrap_or(0);
        for (number, _) in entries(folder)? {
            highest = highest.max(number);
        }
        Ok(highest + 1)
    }

    fn numbers(&self) -> impl Iterator<Item = u64> {
        [&self.recent, &self.open, &self.settled].into_iter().flatten().copied()
    }

    /// Removes what neither this nor what was before needs.
    ///
    /// # Errors
    /// [`EngineError::Io`].
    pub fn clear_up(&self, folder: &Path) -> Result<(), EngineError> {
        let before = Self::before(folder).unwrap_or_default();
        for (number, path) in entries(folder)? {
            if self.numbers().chain(before.numbers()).any(|needed| needed == number) {
                continue;
            }
            let removed = match path.is_dir() {
                true => std::fs::remove_dir_all(&path),
                false => std::fs::remove_file(&path),
            };
            match removed {
                Err(error) if error.kind() != io::ErrorKind::NotFound => {
                    return Err(io_error("remove", &path)(error));
                }
                _ => {}
            }
        }
        Ok(())
    }

    fn to_text(&self) -> String {
        let mut text = format!("{WORDS}{STATE_FORMAT}\n");
        let kinds = [("recent", &self.recent), ("open", &self.open), ("settled", &self.settled)];
        for (kind, numbers) in kinds {
            for number in numbers {
                let _ = writeln!(text, "{kind} {number}");
            }
        }
        for (kind, marker) in [("marker", &self.marker), ("rested", &self.rested)] {
            if let Some(Marker { block, hash }) = marker {
                let _ = writeln!(text, "{kind} {block} {}", hex::encode(hash.0));
            }
        }
        let check = crc32c::crc32c(text.as_bytes());
        let _ = writeln!(text, "check {check:08x}");
        text
    }

    fn parse(body: &str) -> Option<Self> {
        let lines = body.lines().skip(1);
        let mut generation = Self::default();
        for line in lines {
            let (kind, rest) = line.split_once(' ')?;
            match kind {
                "recent" => generation.recent.push(rest.parse().ok()?),
                "open" => generation.open.push(rest.parse().ok()?),
                "settled" => generation.settled.push(rest.parse().ok()?),
                "marker" => generation.marker = Some(marker_of(rest)?),
                "rested" => generation.rested = Some(marker_of(rest)?),
                _ => return None,
            }
        }
        Some(generation)
    }
}

/// A marker as it is written: block and hash.
fn marker_of(text: &str) -> Option<Marker> {
    let (block, hash) = text.split_once(' ')?;
    let hash = Digest::from_slice(&hex::decode(hash).ok()?)?;
    Some(Marker { block: block.parse().ok()?, hash })
}

/// The folder of a database.
pub(super) fn recent_path(folder: &Path, number: u64) -> PathBuf {
    folder.join(format!("recent-{number:08}"))
}

/// The file of a run.
pub(super) fn run_path(folder: &Path, number: u64) -> PathBuf {
    folder.join(format!("{number:08}.rows"))
}

fn read(path: &Path) -> Result<Option<Generation>, EngineError> {
    let bytes = match std::fs::read(path) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(io_error("read", path)(error)),
    };
    let text = String::from_utf8_lossy(&bytes);
    let what = || format!("state, `{}`", path.display());
    let generation = match checked(&text) {
        Some((found, _)) if found > STATE_FORMAT => {
            return Err(EngineError::TooNew { what: what(), found, reads: STATE_FORMAT });
        }
        Some((STATE_FORMAT, body)) => Generation::parse(body),
        Some(_) | None => None,
    };
    generation.map(Some).ok_or_else(|| damaged(what(), "it is not whole, or of an older format"))
}

/// The format that a whole file says, and its lines without the check value; first and last line are
/// **stable in every format**.
fn checked(text: &str) -> Option<(u16, &str)> {
    let (body, check) = text.split_at_checked(text.rfind("check ")?)?;
    let check = u32::from_str_radix(check.strip_prefix("check ")?.trim_end(), 16).ok()?;
    let format = body.lines().next()?.strip_prefix(WORDS)?.parse().ok()?;
    (crc32c::crc32c(body.as_bytes()) == check).then_some((format, body))
}

/// Databases and runs in a folder.
fn entries(folder: &Path) -> Result<Vec<(u64, PathBuf)>, EngineError> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(io_error("list", folder))? {
        let path = entry.map_err(io_error("list", folder))?.path();
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        let digits = name.strip_prefix("recent-").or_else(|| name.strip_suffix(".rows"));
        if let Some(number) = digits.and_then(|digits| digits.parse().ok()) {
            found.push((number, path));
        }
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_in_force_is_read_as_it_was_written_and_a_changed_letter_is_found() {
        let folder = tempfile::tempdir().unwrap();
        let marker = Some(Marker { block: 7, hash: Digest::of(b"seven") });
        let generation = Generation {
            recent: vec![9, 8],
            open: vec![6, 4],
            settled: vec![3],
            marker,
            rested: marker,
        };
        assert_eq!(Generation::in_force(folder.path()).unwrap(), None);
        generation.put_in_force(folder.path()).unwrap();
        assert_eq!(Generation::in_force(folder.path()).unwrap().unwrap(), generation);
        let path = folder.path().join(IN_FORCE);
        let text = std::fs::read_to_string(&path).unwrap();
        for at in 0..text.len() - 1 {
            let mut bytes = text.clone().into_bytes();
            bytes[at] ^= 1;
            std::fs::write(&path, &bytes).unwrap();
            assert!(Generation::in_force(folder.path()).is_err(), "byte {at}");
        }
    }

    #[test]
    fn a_newer_format_is_refused_and_an_older_one_is_as_good_as_damaged() {
        let folder = tempfile::tempdir().unwrap();
        let write = |format: u16| {
            let body = format!("{WORDS}{format}\nsomething else\n");
            let text = format!("{body}check {:08x}\n", crc32c::crc32c(body.as_bytes()));
            std::fs::write(folder.path().join(IN_FORCE), text).unwrap();
            Generation::in_force(folder.path()).unwrap_err()
        };
        let newer = write(STATE_FORMAT + 1);
        assert!(matches!(newer, EngineError::TooNew { reads: STATE_FORMAT, .. }), "{newer}");
        assert!(matches!(write(STATE_FORMAT - 1), EngineError::Damaged { .. }));
    }

    #[test]
    fn what_no_generation_needs_is_removed() {
        let folder = tempfile::tempdir().unwrap();
        for number in [1, 2, 3, 5] {
            std::fs::write(run_path(folder.path(), number), "rows").unwrap();
        }
        std::fs::create_dir(recent_path(folder.path(), 4)).unwrap();
        Generation { open: vec![1], ..Generation::default() }
            .keep_as_before(folder.path())
            .unwrap();
        let now = Generation { recent: vec![6], open: vec![3], ..Generation::default() };
        now.clear_up(folder.path()).unwrap();
        let mut left: Vec<_> = entries(folder.path()).unwrap().iter().map(|one| one.0).collect();
        left.sort_unstable();
        assert_eq!(left, [1, 3]);
        assert_eq!(now.next_number(folder.path()).unwrap(), 7);
    }
}
