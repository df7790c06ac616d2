//! Files that the command line names for what comes of a command.

use std::fs::{File, OpenOptions};
use std::io::Write as _;
use std::path::{Path, PathBuf};

use anyhow::Context as _;

use crate::say::Usage;

/// A file for what comes of a long command, opened before it begins: one that cannot be written is
/// found out at once.
pub(crate) struct ResultFile(Option<Opened>);

struct Opened {
    path: PathBuf,
    file: File,
    /// Whether it was made here and nothing was written: then it goes.
    is_unwritten: bool,
}

impl ResultFile {
    /// Opens a file that may have been named, and makes it where there is none. What is in it stays
    /// until it is written; one that is not written in the end is as it was, or not there.
    ///
    /// # Errors
    /// [`Usage`] when it cannot be written.
    pub(crate) fn open(path: Option<&Path>) -> Result<Self, Usage> {
        let Some(path) = path else { return Ok(Self(None)) };
        let is_unwritten = !path.exists();
        let file = OpenOptions::new().append(true).create(true).open(path);
        let file = file.map_err(|error| cannot_write(path, &error))?;
        Ok(Self(Some(Opened { path: path.to_owned(), file, is_unwritten })))
    }

    /// Writes it: then nothing else is in it. Does nothing where no file was named.
    ///
    /// # Errors
    /// When it cannot be written.
    pub(crate) fn write(self, text: impl FnOnce() -> String) -> anyhow::Result<()> {
        let Some(mut opened) = self.0 else { return Ok(()) };
        opened.is_unwritten = false;
        let written = opened.file.metadata().and_then(|is| {
            // A pipe has no length.
            if is.is_file() {
                opened.file.set_len(0)?;
            }
            opened.file.write_all(text().as_bytes())
        });
        written
            .with_context(|| format!("không ghi được / cannot write `{}`", opened.path.display()))
    }
}

impl Drop for Opened {
    fn drop(&mut self) {
        if self.is_unwritten {
            // It is empty, and whoever named it is told of what went wrong.
            let _ = std::fs::remove_file(&self.path);
        }
    }
}

/// Says that a file which was named cannot be written.
pub(crate) fn cannot_write(path: &Path, error: &std::io::Error) -> Usage {
    let path = path.display();
    Usage::new(
        format!("không ghi được `{path}`: {error}"),
        format!("cannot write `{path}`: {error}"),
    )
    .remedy(
        "nêu một tệp trong thư mục mà người dùng này được ghi",
        "name a file in a folder that this user may write in",
    )
}

/// Returns every failure among outcomes as one, a line each.
///
/// # Errors
/// When one is a failure.
pub(crate) fn all_of<const N: usize>(outcomes: [anyhow::Result<()>; N]) -> anyhow::Result<()> {
    let failures = outcomes.into_iter().filter_map(Result::err);
    let failures: Vec<String> = failures.map(|error| format!("{error:#}")).collect();
    match failures.is_empty() {
        true => Ok(()),
        false => Err(anyhow::anyhow!(failures.join("\n  "))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn open(path: &Path) -> ResultFile {
        ResultFile::open(Some(path)).unwrap()
    }

    #[test]
    fn a_file_that_cannot_be_written_is_found_out_when_it_is_opened() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("none/statement.html");
        let said = ResultFile::open(Some(&path)).err().unwrap().to_string();
        for part in ["không ghi được", "cannot write", "none/statement.html"] {
            assert!(said.contains(part), "{part} in {said}");
        }
    }

    #[test]
    fn what_a_file_held_stays_until_it_is_written_and_then_it_holds_that_alone() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("statement.json");
        std::fs::write(&path, "the statement of yesterday, which was longer").unwrap();
        drop(open(&path));
        assert!(std::fs::read_to_string(&path).unwrap().starts_with("the statement"));
        open(&path).write(|| "{}\n".to_owned()).unwrap();
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "{}\n");
        ResultFile::open(None).unwrap().write(|| unreachable!("nobody named a file")).unwrap();
    }

    #[test]
    fn where_nothing_is_written_a_file_is_as_it_was_or_not_there() {
        let folder = tempfile::tempdir().unwrap();
        let (former, new) = (folder.path().join("former.toml"), folder.path().join("new.toml"));
        std::fs::write(&former, "of a former failure").unwrap();
        for path in [&former, &new] {
            drop(open(path));
        }
        assert_eq!(std::fs::read_to_string(former).unwrap(), "of a former failure");
        assert!(!new.exists());
    }

    #[test]
    fn each_file_that_fails_is_told_and_the_others_are_written() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("statement.xml");
        let text = || "x".to_owned();
        // A disk without room.
        let full = Path::new("/dev/full");
        let outcomes = [open(full).write(text), open(&path).write(text), open(full).write(text)];
        let said = all_of(outcomes).unwrap_err().to_string();
        assert_eq!(said.matches("cannot write `/dev/full`").count(), 2, "{said}");
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "x");
        assert!(all_of([Ok(()), Ok(())]).is_ok());
    }
}
