//! Disk space: two marks, a ballast, and what the hub still takes at which level.
//!
//! ```text
//!   Enough ──below soft──▶ Low ──below hard──▶ ReadOnly: the ballast is given up
//!     ▲                     │ ▲                    │
//!     └─────────────────────┘ └── room for ballast and hard mark: it is made again
//! ```
//! *Low*: no submission and no upload is taken; acknowledgements, statuses and reads go on.
//! *ReadOnly*: nothing is taken in, and the hub is not ready. Nobody has to start it again.
//!
//! A write that fails for another reason than want of room, or of file descriptors, stops the hub:
//! nobody knows any more what is on the disk.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use lienthong_core::engine::EngineError;
use lienthong_ledger::{Ballast, Free};
use lienthong_model::limits::DESCRIPTORS_AGAIN;
use lienthong_model::{Reason, Refusal};
use parking_lot::Mutex;
use rustix::io::Errno;
use tokio::sync::watch;

/// When somebody who is refused for want of space may try again.
const SPACE_AGAIN: Duration = Duration::from_secs(10);

/// Says how much space there is at a path; [`lienthong_ledger::free_space`], but in tests.
pub type Probe = Arc<dyn Fn(&Path) -> io::Result<Free> + Send + Sync>;

/// The marks below which the hub takes less.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SpaceMarks {
    /// Free bytes below which no submission and no upload is taken.
    pub soft_bytes: u64,
    /// The same as a share of the disk, one part in so many; the lesser one counts, but never less
    /// than twice the hard mark.
    pub soft_share: u64,
    /// Free bytes below which nothing is taken in; the ballast has as many.
    pub hard_bytes: u64,
}

/// What the hub still takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Level {
    Enough,
    Low,
    ReadOnly,
}

/// Watches the space of the data folder; cheap to clone.
#[derive(Clone)]
pub(crate) struct Space(Arc<Watched>);

struct Watched {
    folder: PathBuf,
    marks: SpaceMarks,
    probe: Probe,
    ballast: Ballast,
    level: watch::Sender<Level>,
    /// Taken while the level changes, so that one task does it.
    changing: Mutex<()>,
    /// The write that failed, until the sequencer stops for it.
    broken: Mutex<Option<EngineError>>,
}

impl SpaceMarks {
    /// The soft mark on a disk of a size.
    fn soft(&self, total: u64) -> u64 {
        let share = total.checked_div(self.soft_share).unwrap_or(u64::MAX);
        self.soft_bytes.min(share).max(self.hard_bytes.saturating_mul(2))
    }

    /// The level at which the hub is with so much space; `held`: the ballast is made.
    fn level(&self, free: Free, held: bool) -> Level {
        // Without its ballast the hub needs room for it first.
        let room = if held { self.hard_bytes } else { self.hard_bytes.saturating_mul(2) };
        match free.available {
            available if available < room => Level::ReadOnly,
            available if available < self.soft(free.total) => Level::Low,
            _ => Level::Enough,
        }
    }
}

impl Space {
    /// Begins to watch the space of a data folder that is there, and makes the ballast.
    pub fn watch(folder: &Path, marks: SpaceMarks, probe: Probe) -> Self {
        let space = Self(Arc::new(Watched {
            folder: folder.to_owned(),
            marks,
            probe,
            ballast: Ballast::new(folder, marks.hard_bytes),
            level: watch::Sender::new(Level::Enough),
            changing: Mutex::default(),
            broken: Mutex::default(),
        }));
        space.check();
        space
    }

    /// Returns the level as it was last found.
    pub fn level(&self) -> Level {
        *self.0.level.borrow()
    }

    /// Returns the level and every change of it.
    pub fn levels(&self) -> watch::Receiver<Level> {
        self.0.level.subscribe()
    }

    /// Looks how much space there is, and returns the level; a few microseconds while it stays.
    /// What cannot be found out changes nothing.
    pub fn check(&self) -> Level {
        let watched = &*self.0;
        let free = match (watched.probe)(&watched.folder) {
            Ok(free) => free,
            Err(error) => {
                tracing::warn!(%error, "cannot find out how much disk space is free");
                return self.level();
            }
        };
        let (held, was) = (watched.ballast.is_held(), self.level());
        let found = watched.marks.level(free, held);
        if found == was && (held || found == Level::ReadOnly) {
            return was;
        }
        let _changing = watched.changing.lock();
        let now = self.change(found, free);
        watched.level.send_if_modified(|level| std::mem::replace(level, now) != now);
        now
    }

    /// Returns how many bytes may still be written above the soft mark.
    pub fn above_soft(&self) -> u64 {
        let watched = &*self.0;
        match (watched.probe)(&watched.folder) {
            Ok(free) => free.available.saturating_sub(watched.marks.soft(free.total)),
            Err(_) => u64::MAX,
        }
    }

    /// A refusal while no new document and no upload is taken.
    ///
    /// # Errors
    /// STORAGE_LOW or READ_ONLY, with a time to retry.
    pub fn takes_new(&self) -> Result<(), Refusal> {
        match self.level() {
            Level::Enough => Ok(()),
            Level::Low => Err(storage_low()),
            Level::ReadOnly => Err(read_only()),
        }
    }

    /// What a write outside of the journal that failed is answered with: for want of room
    /// STORAGE_LOW, for want of file descriptors OVERLOADED, and the hub goes on; else STOPPED, and
    /// the hub stops.
    pub fn write_failed(&self, error: EngineError) -> Refusal {
        tracing::error!(%error, "a write failed");
        if is_for_want_of_room(&error) {
            return storage_low();
        }
        if is_for_want_of_descriptors(&error) {
            return Refusal::new(Reason::Overloaded).retry_after(DESCRIPTORS_AGAIN);
        }
        self.0.broken.lock().get_or_insert(error);
        Refusal::new(Reason::Stopped)
    }

    /// Fails when the hub has to stop for a write that failed.
    ///
    /// # Errors
    /// The write's error, once.
    pub fn broken(&self) -> Result<(), EngineError> {
        self.0.broken.lock().take().map_or(Ok(()), Err)
    }

    /// Gives the ballast up or makes it again, and says so; returns the level that then holds.
    fn change(&self, found: Level, free: Free) -> Level {
        let ballast = &self.0.ballast;
        let was = self.level();
        let settled = match found {
            Level::ReadOnly => ballast.give_up(),
            Level::Low | Level::Enough => ballast.hold(),
        };
        let now = match (found, settled) {
            (_, Ok(())) => found,
            (Level::ReadOnly, Err(error)) => {
                tracing::error!(%error, "cannot give the ballast up");
                found
            }
            (_, Err(error)) => {
                tracing::error!(%error, "cannot make the ballast");
                Level::ReadOnly
            }
        };
        if now != was {
            self.say(now, free);
        }
        now
    }

    fn say(&self, now: Level, free: Free) {
        let (folder, available) = (self.0.folder.display(), free.available);
        match now {
            Level::Enough => tracing::info!(%folder, available, "there is enough disk space again"),
            Level::Low => tracing::warn!(
                %folder, available,
                "disk space is low: no document and no upload is taken; acknowledgements, statuses \
                 and reads go on. Make space; the hub goes on by itself / \
                 sắp hết dung lượng đĩa: không nhận văn bản và tệp tải lên"
            ),
            Level::ReadOnly => tracing::error!(
                %folder, available,
                "out of disk space: READ ONLY, nothing is taken in. Make space; the hub goes on by \
                 itself / hết dung lượng đĩa: CHỈ ĐỌC, trục không nhận gì thêm"
            ),
        }
    }
}

/// The refusal of what is new while space is low.
pub(crate) fn storage_low() -> Refusal {
    Refusal::new(Reason::StorageLow).retry_after(SPACE_AGAIN)
}

/// The refusal of everything that would be written.
pub(crate) fn read_only() -> Refusal {
    Refusal::new(Reason::ReadOnly).retry_after(SPACE_AGAIN)
}

fn is_for_want_of_room(error: &EngineError) -> bool {
    let EngineError::Io { source, .. } = error else { return false };
    matches!(source.kind(), io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded)
}

/// Whether the process, or the machine, has no file descriptor left: nothing was opened, and the disk
/// has not failed.
fn is_for_want_of_descriptors(error: &EngineError) -> bool {
    let EngineError::Io { source, .. } = error else { return false };
    let errno = Errno::from_io_error(source);
    errno.is_some_and(|errno| errno == Errno::MFILE || errno == Errno::NFILE)
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU64, Ordering};

    use super::*;

    const MARKS: SpaceMarks = SpaceMarks { soft_bytes: 1_000, soft_share: 20, hard_bytes: 100 };

    /// A disk that a test fills.
    fn disk(available: u64) -> (tempfile::TempDir, Arc<AtomicU64>, Space) {
        let folder = tempfile::tempdir().unwrap();
        let left = Arc::new(AtomicU64::new(available));
        let shared = left.clone();
        let probe: Probe = Arc::new(move |_: &Path| {
            Ok(Free { available: shared.load(Ordering::Relaxed), total: 1_000_000 })
        });
        let space = Space::watch(folder.path(), MARKS, probe);
        (folder, left, space)
    }

    fn at(left: &AtomicU64, space: &Space, available: u64) -> Level {
        left.store(available, Ordering::Relaxed);
        space.check()
    }

    #[test]
    fn the_level_falls_with_the_space_and_rises_with_it() {
        let (folder, left, space) = disk(1_000);
        let ballast = folder.path().join("BALLAST");
        assert!(space.level() == Level::Enough && ballast.exists());
        assert_eq!(at(&left, &space, 999), Level::Low);
        assert_eq!(space.takes_new().unwrap_err().reason, Reason::StorageLow);
        assert_eq!(at(&left, &space, 100), Level::Low);
        assert!(ballast.exists());
        assert_eq!(at(&left, &space, 99), Level::ReadOnly);
        assert!(!ballast.exists(), "the ballast is given up");
        assert_eq!(space.takes_new().unwrap_err().reason, Reason::ReadOnly);
        assert_eq!(at(&left, &space, 199), Level::ReadOnly, "there is no room for the ballast yet");
        assert_eq!(at(&left, &space, 200), Level::Low);
        assert!(ballast.exists());
        assert_eq!(at(&left, &space, 1_000), Level::Enough);
        assert!(space.takes_new().is_ok());
    }

    #[test]
    fn a_folder_on_a_full_disk_is_read_only_from_the_start() {
        let (folder, _left, space) = disk(150);
        assert_eq!(space.level(), Level::ReadOnly);
        assert!(!folder.path().join("BALLAST").exists());
    }

    #[test]
    fn the_soft_mark_is_the_lesser_of_bytes_and_share_and_leaves_room_for_the_hard_one() {
        assert_eq!(MARKS.soft(10_000), 500);
        assert_eq!(MARKS.soft(1_000_000), 1_000);
        assert_eq!(MARKS.soft(1_000), 200);
    }

    #[test]
    fn a_write_without_room_or_descriptors_is_refused_and_any_other_that_fails_stops_the_hub() {
        let (_folder, _left, space) = disk(1_000);
        let failed = |errno| EngineError::Io {
            doing: "write",
            path: "payloads/tmp/1".to_owned(),
            source: io::Error::from_raw_os_error(errno),
        };
        for no_room in [28, 122] {
            assert_eq!(space.write_failed(failed(no_room)).reason, Reason::StorageLow);
            assert!(space.broken().is_ok());
        }
        for no_descriptor in [23, 24] {
            let refusal = space.write_failed(failed(no_descriptor));
            assert_eq!(refusal.reason, Reason::Overloaded);
            assert!(refusal.retry_after_ms.is_some() && space.broken().is_ok());
        }
        for broken in [5, 30] {
            assert_eq!(space.write_failed(failed(broken)).reason, Reason::Stopped);
            assert!(space.broken().is_err());
        }
    }

    #[test]
    fn a_probe_that_fails_changes_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let failing: Probe = Arc::new(|_: &Path| Err(io::Error::other("no such disk")));
        let space = Space::watch(folder.path(), MARKS, failing);
        assert_eq!((space.check(), space.above_soft()), (Level::Enough, u64::MAX));
    }
}
