//! Puts what comes from the hub into a folder once, whatever happens in between.
//!
//! The agency's software may take a folder out of the inbox as soon as it is there, and the hub
//! sends again what it has no acknowledgement for. So a mark is on the disk before the folder is:
//!
//! ```text
//!  write aside, sync ─▶ mark, sync ─▶ rename into place, sync ─▶ acknowledge ─▶ remove the mark
//! ```
//! | found when it comes again | what happened | what follows |
//! |---|---|---|
//! | no mark | it never came, or was acknowledged | write it, unless it stands in its place |
//! | a mark, and what was written aside | cut between the two | rename |
//! | a mark alone | it was in its place, and may have been taken out | acknowledge only |

use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::disk::{self, DiskError};
use crate::settings::Point;

/// How long something written aside is kept for which there is no mark: its download may go on.
const ASIDE_KEPT_FOR: Duration = Duration::from_secs(7 * 24 * 3600);

/// Where things are written aside, and marks.
#[derive(Debug, Clone)]
pub(crate) struct Intake {
    aside: PathBuf,
    marks: PathBuf,
    point: Point,
}

/// What became of something that came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Taken {
    /// It is in its place now.
    Now,
    /// It was in its place before.
    Before,
}

impl Intake {
    /// Takes the folder for both.
    pub(crate) fn new(folder: &Path, point: Point) -> Result<Self, DiskError> {
        let (aside, marks) = (folder.join("aside"), folder.join("marks"));
        disk::make_folder(&aside)?;
        disk::make_folder(&marks)?;
        let intake = Self { aside, marks, point };
        if let Err(error) = intake.sweep() {
            tracing::warn!(%error, "what was written aside long ago is not removed");
        }
        Ok(intake)
    }

    /// Removes what was written aside long ago and never came again: somebody else took it.
    fn sweep(&self) -> Result<(), DiskError> {
        for found in disk::complete(&self.aside)? {
            let changed = std::fs::metadata(&found.path).and_then(|data| data.modified());
            let changed = changed.map_err(DiskError::of("read", &found.path))?;
            let is_old = changed.elapsed().is_ok_and(|age| age > ASIDE_KEPT_FOR);
            if is_old && !self.marks.join(&found.name).exists() {
                disk::remove(&found.path)?;
            }
        }
        Ok(())
    }

    /// Returns where something that comes is to be written, when it is still to be.
    pub(crate) fn wanted(&self, key: &str, place: &Path) -> Option<PathBuf> {
        let is_there = self.marks.join(key).exists() || place.exists();
        (!is_there).then(|| self.aside.join(key))
    }

    /// Puts something into its place unless it was there before; `write` writes it, synced, to the
    /// path that it is given. On return it may be acknowledged. `key` names it among all that
    /// come, and is a harmless file name.
    pub(crate) fn take(
        &self,
        key: &str,
        place: &Path,
        write: impl FnOnce(&Path) -> Result<(), DiskError>,
    ) -> Result<Taken, DiskError> {
        let (aside, mark) = (self.aside.join(key), self.marks.join(key));
        let is_marked = mark.exists();
        if is_marked && !aside.exists() || !is_marked && place.exists() {
            return Ok(Taken::Before);
        }
        if !is_marked {
            write(&aside)?;
            (self.point)("received-aside");
            // Its name, too: a mark alone would say that it was put into its place.
            disk::sync_folder(&self.aside)?;
            disk::write(&mark, b"")?;
            disk::sync_folder(&self.marks)?;
            (self.point)("received-marked");
        }
        if let Some(folder) = place.parent() {
            disk::make_folder(folder)?;
        }
        disk::rename(&aside, place)?;
        (self.point)("received");
        Ok(Taken::Now)
    }

    /// Forgets what the hub has an acknowledgement for: it does not come again.
    pub(crate) fn settle(&self, key: &str) -> Result<(), DiskError> {
        disk::remove(&self.marks.join(key))
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn nowhere(_: &'static str) {}

    fn write(path: &Path) -> Result<(), DiskError> {
        disk::write(path, b"x")
    }

    fn never(_: &Path) -> Result<(), DiskError> {
        panic!("written twice")
    }

    #[test]
    fn what_was_taken_out_before_it_was_acknowledged_is_not_put_there_again() {
        let folder = tempfile::tempdir().unwrap();
        let intake = Intake::new(&folder.path().join("notes"), nowhere).unwrap();
        let place = folder.path().join("inbox/a");
        assert_eq!(intake.take("a", &place, write).unwrap(), Taken::Now);
        assert_eq!(intake.take("a", &place, never).unwrap(), Taken::Before);
        fs::remove_file(&place).unwrap();
        let again = Intake::new(&folder.path().join("notes"), nowhere).unwrap();
        assert_eq!(again.take("a", &place, never).unwrap(), Taken::Before);
        assert!(!place.exists());
        again.settle("a").unwrap();
        assert_eq!(again.take("a", &place, write).unwrap(), Taken::Now);
    }

    #[test]
    fn what_was_written_aside_and_marked_is_put_into_its_place() {
        let folder = tempfile::tempdir().unwrap();
        let notes = folder.path().join("notes");
        let intake = Intake::new(&notes, nowhere).unwrap();
        fs::write(notes.join("aside/a"), "whole").unwrap();
        fs::write(notes.join("marks/a"), "").unwrap();
        let place = folder.path().join("a");
        assert_eq!(intake.take("a", &place, never).unwrap(), Taken::Now);
        assert_eq!(fs::read(&place).unwrap(), b"whole");
    }

    #[test]
    fn what_was_written_aside_long_ago_is_removed_at_the_start_unless_it_is_marked() {
        let folder = tempfile::tempdir().unwrap();
        let notes = folder.path().join("notes");
        Intake::new(&notes, nowhere).unwrap();
        let long_ago = std::time::SystemTime::now() - ASIDE_KEPT_FOR * 2;
        for name in ["old", "marked", "new"] {
            let aside = notes.join("aside").join(name);
            fs::create_dir(&aside).unwrap();
            if name != "new" {
                fs::File::open(&aside).unwrap().set_modified(long_ago).unwrap();
            }
        }
        fs::write(notes.join("marks/marked"), "").unwrap();
        Intake::new(&notes, nowhere).unwrap();
        let left = disk::complete(&notes.join("aside")).unwrap();
        let left: Vec<&str> = left.iter().map(|found| found.name.as_str()).collect();
        assert_eq!(left, ["marked", "new"]);
    }

    #[test]
    fn what_was_written_aside_without_a_mark_is_written_anew() {
        let folder = tempfile::tempdir().unwrap();
        let notes = folder.path().join("notes");
        let intake = Intake::new(&notes, nowhere).unwrap();
        fs::write(notes.join("aside/a"), "half").unwrap();
        let place = folder.path().join("a");
        assert_eq!(intake.take("a", &place, write).unwrap(), Taken::Now);
        assert_eq!(fs::read(&place).unwrap(), b"x");
    }
}
