//! The data folder: everything a hub keeps, opened together.
//!
//! | entry | is |
//! |---|---|
//! | `FORMAT` | text, one line: `lienthong data folder, format 1`. **Stable** in every format |
//! | `LOCK` | empty; locked while a process uses the folder |
//! | `journal/` | the journal, the truth |
//! | `payloads/` | payload files, as much the truth as the journal that names them |
//! | `BALLAST` | [`crate::Ballast`]: room that is given up when the disk is full; may be missing |
//! | `state/` | the state; may be deleted while no process runs, the next start rebuilds it |

use std::io::{self, Write as _};
use std::path::Path;

use lienthong_core::engine::EngineError;

use crate::disk::{FolderLock, create_file, create_folder, damaged, io_error, sync_folder};
use crate::journal::{JournalBlocks, JournalFiles, JournalLimits, JournalOpened, TornTail};
use crate::payload::PayloadFiles;
use crate::state::{Opened, SledState, StateLimits, Why, damage_note, open_or_rebuild_with};

/// The version of the layout of the data folder. Stable: a newer one is refused.
pub const DATA_FORMAT: u16 = 1;

const FORMAT_WORDS: &str = "lienthong data folder, format ";

/// Everything in a data folder, opened. Take it apart; keep [`DataFolder::lock`] as long as any
/// part is used.
#[derive(Debug)]
pub struct DataFolder {
    /// The journal's writer.
    pub journal: JournalFiles,
    /// The journal's readers.
    pub blocks: JournalBlocks,
    /// The state, into which the journal is to be replayed from `replay_from` on.
    pub state: SledState,
    /// The payloads.
    pub payloads: PayloadFiles,
    /// The first block to replay, from 1.
    pub replay_from: u64,
    /// Why the state could not be used as found; `None` when it was used as found, or was not there.
    pub rebuilt: Option<Why>,
    /// What was cut from the journal's end.
    pub torn: Vec<TornTail>,
    /// Keeps other processes out.
    pub lock: FolderLock,
}

impl DataFolder {
    /// Opens a data folder; one that is not there, or is empty, is begun.
    ///
    /// # Errors
    /// [`EngineError::InUse`] when another process has it; [`EngineError::TooNew`] when a newer
    /// version wrote it; [`EngineError::Damaged`] when the journal is damaged;
    /// [`EngineError::Io`].
    pub fn open(path: &Path) -> Result<Self, EngineError> {
        Self::open_with(path, JournalLimits::default(), StateLimits::default())
    }

    /// [`DataFolder::open`] with bounds of one's own.
    ///
    /// # Errors
    /// As there.
    pub fn open_with(
        path: &Path,
        journal_limits: JournalLimits,
        state_limits: StateLimits,
    ) -> Result<Self, EngineError> {
        create_folder(path)?;
        let lock = FolderLock::take(path)?;
        check_format(path)?;
        let JournalOpened { mut journal, blocks, torn } =
            JournalFiles::open(&path.join("journal"), journal_limits)?;
        let payloads = PayloadFiles::open(&path.join("payloads"))?;
        let Opened { state, replay_from, rebuilt } =
            open_or_rebuild_with(&path.join("state"), &blocks, state_limits)?;
        // Not before: a state that knows blocks of it says that it was whole once.
        journal.cut_torn_end()?;
        Ok(Self { journal, blocks, state, payloads, replay_from, rebuilt, torn, lock })
    }
}

/// Checks that a folder is a data folder that this version reads. Nothing in it is changed.
///
/// # Errors
/// [`EngineError::TooNew`]; [`EngineError::Damaged`] when it is none; [`EngineError::Io`].
pub fn check_data_folder(folder: &Path) -> Result<(), EngineError> {
    let path = folder.join("FORMAT");
    match read_format(&path)? {
        Some(text) => judge_format(folder, &path, &text),
        None => Err(damaged(format!("`{}`", path.display()), "it is missing")),
    }
}

/// Returns whether a row of the state in a data folder was found damaged, so that the next opening
/// makes it anew.
pub fn is_state_damaged(folder: &Path) -> bool {
    damage_note(&folder.join("state")).exists()
}

/// Something in a folder without a format that no data folder begins with.
fn foreign_entry(folder: &Path) -> Result<Option<String>, EngineError> {
    const OURS: [&str; 4] = ["LOCK", "FORMAT.new", "BALLAST", "lost+found"];
    let entries = std::fs::read_dir(folder).map_err(io_error("read", folder))?;
    for entry in entries {
        let name = entry.map_err(io_error("read", folder))?.file_name();
        let name = name.to_string_lossy();
        // What a person puts beside the data before the first start.
        if !OURS.contains(&&*name) && !matches!(&*name, "pki" | "hub.toml" | "log.key") {
            return Ok(Some(name.into_owned()));
        }
    }
    Ok(None)
}

/// Checks the format, or notes it where nothing was stored yet.
fn check_format(folder: &Path) -> Result<(), EngineError> {
    let path = folder.join("FORMAT");
    match read_format(&path)? {
        Some(text) => judge_format(folder, &path, &text),
        None => begin(folder, &path),
    }
}

fn read_format(path: &Path) -> Result<Option<String>, EngineError> {
    match std::fs::read(path) {
        Ok(bytes) => Ok(Some(String::from_utf8_lossy(&bytes).into_owned())),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(io_error("read", path)(error)),
    }
}

fn judge_format(folder: &Path, path: &Path, text: &str) -> Result<(), EngineError> {
    let format = text.trim_end().strip_prefix(FORMAT_WORDS).and_then(|number| number.parse().ok());
    match format {
        Some(DATA_FORMAT) => Ok(()),
        Some(found) if found > DATA_FORMAT => {
            let what = format!("data folder `{}`", folder.display());
            Err(EngineError::TooNew { what, found, reads: DATA_FORMAT })
        }
        _ => Err(damaged(format!("`{}`", path.display()), format!("it reads `{}`", text.trim()))),
    }
}

/// Writes the format, whole or not at all, into a folder that has no journal.
fn begin(folder: &Path, path: &Path) -> Result<(), EngineError> {
    if folder.join("journal").exists() {
        return Err(damaged(format!("`{}`", path.display()), "it is missing beside a journal"));
    }
    if let Some(foreign) = foreign_entry(folder)? {
        return Err(damaged(
            format!("`{}`", folder.display()),
            format!("it is no data folder, but has `{foreign}`: take a new or an empty folder"),
        ));
    }
    let unfinished = folder.join("FORMAT.new");
    let write = || {
        let mut file = create_file(&unfinished)?;
        writeln!(file, "{FORMAT_WORDS}{DATA_FORMAT}")?;
        file.sync_all()?;
        std::fs::rename(&unfinished, path)
    };
    write().map_err(io_error("write", path))?;
    sync_folder(folder)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;
    use crate::space::Ballast;
    use lienthong_core::engine::{Blocks as _, Payloads as _};

    #[test]
    fn a_new_folder_is_begun_and_opens_again() {
        let folder = tempfile::tempdir().unwrap();
        let data = folder.path().join("data");
        let opened = DataFolder::open(&data).unwrap();
        assert_eq!((opened.replay_from, opened.blocks.end()), (1, None));
        drop(opened);
        let text = std::fs::read_to_string(data.join("FORMAT")).unwrap();
        assert_eq!(text, "lienthong data folder, format 1\n");
        let opened = DataFolder::open(&data).unwrap();
        assert!(opened.rebuilt.is_none() && opened.torn.is_empty());
    }

    #[test]
    fn nobody_but_its_owner_may_read_a_data_folder_or_anything_in_it() {
        let place = tempfile::tempdir().unwrap();
        let data = place.path().join("data");
        let opened = DataFolder::open(&data).unwrap();
        opened.payloads.put(b"what agencies write to each other").unwrap();
        opened.payloads.propose(b"and what is on its way").unwrap();
        Ballast::new(&data, 1).hold().unwrap();
        let (mut left, mut files) = (vec![data], 0);
        while let Some(path) = left.pop() {
            let mode = path.metadata().unwrap().permissions().mode();
            assert_eq!(mode & 0o077, 0, "{} has the mode {mode:o}", path.display());
            // What sled makes is behind the folder of the state.
            if path.is_dir() && !path.ends_with("state") {
                let entries = std::fs::read_dir(&path).unwrap();
                left.extend(entries.map(|entry| entry.unwrap().path()));
            }
            files += usize::from(path.is_file());
        }
        // The format, two locks, the ballast, a journal file and two payloads.
        assert!(files >= 7, "{files} files");
    }

    #[test]
    fn a_folder_in_use_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let first = DataFolder::open(folder.path()).unwrap();
        let error = DataFolder::open(folder.path()).unwrap_err();
        assert!(matches!(error, EngineError::InUse(_)), "{error}");
        drop(first);
        DataFolder::open(folder.path()).unwrap();
    }

    #[test]
    fn a_newer_format_is_refused_and_nonsense_is_damage() {
        let folder = tempfile::tempdir().unwrap();
        let format = folder.path().join("FORMAT");
        std::fs::write(&format, "lienthong data folder, format 2\n").unwrap();
        let error = DataFolder::open(folder.path()).unwrap_err();
        assert!(matches!(error, EngineError::TooNew { found: 2, reads: 1, .. }), "{error}");
        std::fs::write(&format, "format two").unwrap();
        let error = DataFolder::open(folder.path()).unwrap_err();
        assert!(matches!(error, EngineError::Damaged { .. }), "{error}");
        assert!(!folder.path().join("journal").exists(), "nothing was begun");
    }

    #[test]
    fn a_folder_with_somebody_elses_files_is_refused_and_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("communes.csv"), "code,name\n").unwrap();
        let error = DataFolder::open(folder.path()).unwrap_err();
        assert!(error.to_string().contains("communes.csv"), "{error}");
        assert!(!folder.path().join("FORMAT").exists());
        let prepared = tempfile::tempdir().unwrap();
        std::fs::write(prepared.path().join("hub.toml"), "").unwrap();
        DataFolder::open(prepared.path()).unwrap();
    }

    #[test]
    fn a_journal_without_its_format_is_damage() {
        let folder = tempfile::tempdir().unwrap();
        drop(DataFolder::open(folder.path()).unwrap());
        std::fs::remove_file(folder.path().join("FORMAT")).unwrap();
        let error = DataFolder::open(folder.path()).unwrap_err();
        assert!(matches!(error, EngineError::Damaged { .. }), "{error}");
    }
}
