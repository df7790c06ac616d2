//! What a process takes: memory, CPU, bytes on the disk.

use std::path::{Path, PathBuf};
use std::time::Duration;

/// Memory of this process.
pub struct Memory {
    pub resident: u64,
    pub peak: u64,
}

impl Memory {
    pub fn now() -> Self {
        let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
        let field = |name: &str| {
            let line = status.lines().find_map(|line| line.strip_prefix(name))?;
            Some(line.trim().trim_end_matches(" kB").trim().parse::<u64>().ok()? * 1024)
        };
        Self {
            resident: field("VmRSS:").unwrap_or_default(),
            peak: field("VmHWM:").unwrap_or_default(),
        }
    }
}

impl std::fmt::Display for Memory {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} MiB resident, {} MiB at most", self.resident >> 20, self.peak >> 20)
    }
}

/// CPU of all threads.
pub fn cpu_time() -> Duration {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let fields = stat.rsplit_once(") ").map_or("", |(_, rest)| rest);
    let ticks = |at: usize| fields.split(' ').nth(at).and_then(|one| one.parse::<u64>().ok());
    Duration::from_millis((ticks(11).unwrap_or(0) + ticks(12).unwrap_or(0)) * 10)
}

/// Bytes on the disk below a folder.
pub fn bytes_in(folder: &Path) -> u64 {
    use std::os::unix::fs::MetadataExt as _;
    let mut folders = vec![PathBuf::from(folder)];
    let mut bytes = 0;
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).into_iter().flatten().flatten() {
            match entry.metadata() {
                Ok(found) if found.is_dir() => folders.push(entry.path()),
                Ok(found) => bytes += found.blocks() * 512,
                Err(_) => {}
            }
        }
    }
    bytes
}
