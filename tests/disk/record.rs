//! The record of what a process did to its disk, and the library that takes it.
//!
//! `recorder.c` is compiled by the test and loaded into the process; its head says what a record
//! is. The point at which something happened is the length that the record had then.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

/// Where a process is recorded, and where it is told what is to fail.
#[derive(Debug, Clone)]
pub struct Recorder {
    root: PathBuf,
    record: PathBuf,
    faults: PathBuf,
}

/// An operation (`read`, `write`, `sync`, `name`) that fails with an error number on paths that have a
/// text in them; `*` is every path.
#[derive(Debug, Clone, Copy)]
pub struct Fault(pub &'static str, pub i32, pub &'static str);

/// One change of files or folders, or one sync.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    pub what: What,
    /// The length of the record with it.
    pub end: u64,
}

/// What was done. Paths are below the folder that is recorded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum What {
    Create(String),
    Write {
        path: String,
        offset: u64,
        bytes: Vec<u8>,
    },
    Length {
        path: String,
        bytes: u64,
    },
    /// A sync began; what was done to its file before is on disk when it has ended.
    Sync {
        path: String,
        token: u64,
    },
    /// It has ended, or failed.
    Synced {
        token: u64,
        failed: bool,
    },
    Rename {
        from: String,
        to: String,
    },
    Link {
        from: String,
        to: String,
    },
    Unlink(String),
    MakeFolder(String),
    RemoveFolder(String),
    /// `sync_file_range`, by which nothing is promised.
    Range(String),
}

/// Compiles the library once a process.
fn library() -> &'static Path {
    static LIBRARY: OnceLock<PathBuf> = OnceLock::new();
    LIBRARY.get_or_init(|| {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR"));
        let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/disk/recorder.c");
        let unfinished = folder.join(format!("recorder.{}.so", std::process::id()));
        let mut compiler = Command::new(std::env::var_os("CC").unwrap_or_else(|| "cc".into()));
        compiler.args(["-shared", "-fPIC", "-O2", "-Wall", "-Werror", "-o"]);
        compiler.arg(&unfinished).arg(source).args(["-ldl", "-lpthread"]);
        let compiled = compiler.status().expect("a C compiler is needed");
        assert!(compiled.success(), "recorder.c does not compile");
        unfinished
    })
}

impl Recorder {
    /// Records what happens below a folder that is there.
    pub fn of(root: &Path, beside: &Path) -> Self {
        let root = root.canonicalize().unwrap();
        Self { root, record: beside.join("record"), faults: beside.join("faults") }
    }

    /// Lets a process be recorded.
    pub fn attach(&self, command: &mut Command) {
        self.attach_faults(command);
        command.env("LIENTHONG_DISK_RECORD", &self.record);
    }

    /// Lets operations of a process be made to fail, without a record.
    pub fn attach_faults(&self, command: &mut Command) {
        command
            .env("LD_PRELOAD", library())
            .env("LIENTHONG_DISK_ROOT", &self.root)
            .env("LIENTHONG_DISK_FAULT", &self.faults);
    }

    /// From now on operations fail.
    pub fn fail(&self, faults: &[Fault]) {
        let unfinished = self.faults.with_extension("new");
        let line = |Fault(operation, errno, text): &Fault| format!("{operation} {errno} {text}\n");
        std::fs::write(&unfinished, faults.iter().map(line).collect::<String>()).unwrap();
        std::fs::rename(unfinished, &self.faults).unwrap();
    }

    /// Nothing fails any more.
    pub fn mend(&self) {
        std::fs::remove_file(&self.faults).unwrap();
    }

    /// The point in the order that has been reached.
    pub fn point(&self) -> u64 {
        std::fs::metadata(&self.record).map_or(0, |record| record.len())
    }

    /// The folder that is recorded.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// Everything that was recorded. The last one may be unfinished when the process was killed.
    pub fn events(&self) -> Vec<Event> {
        let bytes = std::fs::read(&self.record).unwrap();
        let (mut rest, mut events) = (&bytes[..], Vec::new());
        while let Some((length, after)) = rest.split_first_chunk() {
            let length = u32::from_ne_bytes(*length) as usize;
            let Some((one, after)) = after.split_at_checked(length) else { break };
            rest = after;
            events.push(Event { what: decode(one), end: (bytes.len() - rest.len()) as u64 });
        }
        events
    }
}

fn decode(mut bytes: &[u8]) -> What {
    let kind = take::<1>(&mut bytes)[0];
    let (a, b) = (u64::from_ne_bytes(take(&mut bytes)), u64::from_ne_bytes(take(&mut bytes)));
    let (one, two) = (text(&mut bytes), text(&mut bytes));
    match kind {
        1 => What::Create(one),
        2 => What::Write { path: one, offset: a, bytes: bytes.to_vec() },
        3 => What::Length { path: one, bytes: a },
        4 => What::Sync { path: one, token: a },
        5 => What::Synced { token: a, failed: b != 0 },
        6 => What::Rename { from: one, to: two },
        7 => What::Link { from: one, to: two },
        8 => What::Unlink(one),
        9 => What::MakeFolder(one),
        10 => What::RemoveFolder(one),
        11 => What::Range(one),
        other => panic!("event {other} is not known"),
    }
}

fn take<const N: usize>(bytes: &mut &[u8]) -> [u8; N] {
    let (field, rest) = bytes.split_first_chunk().unwrap();
    *bytes = rest;
    *field
}

fn text(bytes: &mut &[u8]) -> String {
    let length = u16::from_ne_bytes(take(bytes)) as usize;
    let (text, rest) = bytes.split_at(length);
    *bytes = rest;
    String::from_utf8(text.to_vec()).unwrap()
}
