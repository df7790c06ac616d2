//! The disk's own speed, beside which the hub's is to be read.

use std::fs::{self, File};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use lienthong_model::Digester;
use rand::Rng as _;
use serde::Serialize;

use crate::error::BenchError;
use crate::latency::{Latencies, Latency};

/// Bytes appended before each sync.
const APPENDED: usize = 4096;
/// Syncs in one probe.
const SYNCS: usize = 200;
/// The longest that one probe takes.
const PROBE_MAX: Duration = Duration::from_secs(5);
/// Bytes of one piece of a large file.
const PIECE: usize = 256 * 1024;

/// Probes the disk of a folder; what it writes is removed.
#[derive(Debug)]
pub struct Disk {
    folder: PathBuf,
    syncs: Latencies,
}

/// What the disk does.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct DiskFigures {
    /// Appending 4 KiB to a file and `fdatasync`.
    pub sync: Latency,
}

impl Disk {
    /// Takes a folder on the disk in question.
    pub fn of(folder: &Path) -> Self {
        Self { folder: folder.to_owned(), syncs: Latencies::new() }
    }

    /// Appends and syncs 200 times, for at most 5 s. Call it before and after a load, not during it.
    ///
    /// # Errors
    /// [`BenchError::File`] when the file cannot be written.
    pub fn probe(&mut self) -> Result<(), BenchError> {
        let path = self.folder.join("probe");
        let (mut file, piece) = (create(&path)?, vec![0x5a; APPENDED]);
        let began = Instant::now();
        for _ in 0..SYNCS {
            let start = Instant::now();
            file.write_all(&piece).map_err(BenchError::file(&path))?;
            file.sync_data().map_err(BenchError::file(&path))?;
            self.syncs.note(start.elapsed());
            if began.elapsed() > PROBE_MAX {
                break;
            }
        }
        fs::remove_file(&path).map_err(BenchError::file(&path))
    }

    /// Returns what all probes found.
    pub fn figures(&self) -> DiskFigures {
        DiskFigures { sync: self.syncs.summary() }
    }

    /// Writes a file of a size, hashes what it writes, syncs it; returns bytes a second. This is the
    /// least that whoever keeps an attachment has to do.
    ///
    /// # Errors
    /// [`BenchError::File`] when the file cannot be written.
    pub fn write_hash_sync(&self, bytes: u64) -> Result<f64, BenchError> {
        let path = self.folder.join("probe");
        let mut piece = vec![0; PIECE];
        rand::rng().fill_bytes(&mut piece);
        let began = Instant::now();
        let (mut file, mut digester) = (create(&path)?, Digester::default());
        let mut left = bytes;
        while left > 0 {
            let now = usize::try_from(left).unwrap_or(PIECE).min(PIECE);
            let some = piece.get(..now).unwrap_or_default();
            digester.update(some);
            file.write_all(some).map_err(BenchError::file(&path))?;
            left -= now as u64;
        }
        file.sync_data().map_err(BenchError::file(&path))?;
        std::hint::black_box(digester.finish());
        let took = began.elapsed().as_secs_f64();
        fs::remove_file(&path).map_err(BenchError::file(&path))?;
        Ok(bytes as f64 / took)
    }
}

fn create(path: &Path) -> Result<File, BenchError> {
    File::create(path).map_err(BenchError::file(path))
}
