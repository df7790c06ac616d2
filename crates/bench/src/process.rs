//! A hub as a process of its own, and what a process spends.

use std::ffi::OsString;
use std::fs;
use std::io::{BufRead as _, BufReader, Read as _};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

use crate::error::BenchError;
use crate::stage::Stage;

/// How long a hub may take to become ready.
const READY_MAX: Duration = Duration::from_secs(120);
/// How long a hub may take to drain.
const DRAIN_MAX: Duration = Duration::from_secs(90);
const ASK_EVERY: Duration = Duration::from_millis(5);
/// Bytes of its log that are shown of a hub that did not become ready.
const SAID_MAX: u64 = 4_096;
/// Of Linux's times in /proc.
const TICKS_PER_SECOND: f64 = 100.0;

/// The program that is measured.
#[derive(Debug, Clone)]
pub struct Program {
    /// An executable of `lienthong`.
    pub path: PathBuf,
    /// Variables of its environment, beside this one's.
    pub environment: Vec<(OsString, OsString)>,
    /// Further flags of `lienthong hub`.
    pub flags: Vec<OsString>,
}

/// A hub in a process of its own; it is killed when it is dropped.
#[derive(Debug)]
pub struct HubProcess {
    child: Child,
    url: String,
    http: Option<SocketAddr>,
}

/// What a process has spent so far, as Linux tells it; zero elsewhere.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize)]
pub struct Spent {
    /// Processor time, user and system, in seconds; told in steps of 10 ms.
    pub cpu_seconds: f64,
    /// Resident memory now, in bytes.
    pub resident_bytes: u64,
    /// The most that was resident, in bytes.
    pub resident_bytes_max: u64,
}

/// The line that a hub says when it is ready.
#[derive(Deserialize)]
struct Ready {
    address: String,
    http: Option<String>,
}

impl Program {
    /// This executable.
    ///
    /// # Errors
    /// [`BenchError::File`] when the operating system does not say where it is.
    pub fn this() -> Result<Self, BenchError> {
        let path = std::env::current_exe().map_err(BenchError::file("/proc/self/exe"))?;
        Ok(Self { path, environment: Vec::new(), flags: Vec::new() })
    }
}

impl HubProcess {
    /// Starts a hub on a new data folder and waits until it is ready.
    ///
    /// # Errors
    /// [`BenchError::Start`] and [`BenchError::NotReady`].
    pub async fn start(program: &Program, stage: &Stage, data: &Path) -> Result<Self, BenchError> {
        let log = data.with_extension("log");
        let said = fs::File::create(&log).map_err(BenchError::file(&log))?;
        let mut command = Command::new(&program.path);
        for (name, _) in std::env::vars_os() {
            // Settings of this machine are not those of the measurement.
            if name.to_string_lossy().starts_with("LIENTHONG_") {
                command.env_remove(name);
            }
        }
        command
            .args(["hub", "--output", "json", "--listen", "127.0.0.1:0", "--http", "127.0.0.1:0"])
            .args(["--requests-per-second", "0", "--bytes-per-second", "0"])
            .arg("--data")
            .arg(data)
            .arg("--pki")
            .arg(stage.pki())
            .arg("--directory")
            .arg(stage.directory())
            .args(&program.flags)
            .env("LIENTHONG_LOG", "warn")
            .envs(program.environment.iter().cloned())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(said);
        let start = |source| BenchError::Start { program: program.path.clone(), source };
        let mut child = command.spawn().map_err(start)?;
        let line = first_line(&mut child).await;
        let mut hub = Self { child, url: String::new(), http: None };
        let not_ready = || BenchError::NotReady(last_words(&log));
        let ready: Ready = serde_json::from_str(&line).map_err(|_| not_ready())?;
        hub.url = ready.address;
        hub.http = ready.http.and_then(|url| url.strip_prefix("http://")?.parse().ok());
        Ok(hub)
    }

    /// Where it listens: `https://…`.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Where it answers HTTP.
    pub fn http(&self) -> Option<SocketAddr> {
        self.http
    }

    /// The process's id.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Ends it with SIGTERM and waits until it has drained. Returns whether it ended well.
    pub async fn stop(mut self) -> bool {
        let pid = i32::try_from(self.child.id()).ok().and_then(rustix::process::Pid::from_raw);
        let told = pid.map(|pid| rustix::process::kill_process(pid, rustix::process::Signal::TERM));
        let began = Instant::now();
        while told == Some(Ok(())) && began.elapsed() < DRAIN_MAX {
            match self.child.try_wait() {
                Ok(Some(status)) => return status.success(),
                Ok(None) => tokio::time::sleep(ASK_EVERY).await,
                Err(_) => break,
            }
        }
        false
    }
}

impl Drop for HubProcess {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Spent {
    /// What a process has spent so far.
    pub fn by(process: u32) -> Self {
        let of = |what: &str| fs::read_to_string(format!("/proc/{process}/{what}"));
        let cpu = of("stat").ok().and_then(|stat| {
            // proc(5): fields 14 and 15, counted behind the name, which may hold anything.
            let fields: Vec<&str> = stat.rsplit_once(')')?.1.split_whitespace().collect();
            let ticks = |number: usize| fields.get(number - 3)?.parse::<f64>().ok();
            Some((ticks(14)? + ticks(15)?) / TICKS_PER_SECOND)
        });
        let status = of("status").unwrap_or_default();
        let bytes = |name: &str| {
            let line = status.lines().find_map(|line| line.strip_prefix(name))?;
            Some(line.split_whitespace().next()?.parse::<u64>().ok()? * 1024)
        };
        Self {
            cpu_seconds: cpu.unwrap_or_default(),
            resident_bytes: bytes("VmRSS:").unwrap_or_default(),
            resident_bytes_max: bytes("VmHWM:").unwrap_or_default(),
        }
    }

    /// What this process has spent so far.
    pub fn here() -> Self {
        Self::by(std::process::id())
    }
}

/// The first line that a process prints; empty when there is none in time. What follows is read and
/// dropped, so that the process never waits for a reader.
async fn first_line(child: &mut Child) -> String {
    let Some(stdout) = child.stdout.take() else { return String::new() };
    let (say, said) = tokio::sync::oneshot::channel();
    std::thread::spawn(move || {
        let mut lines = BufReader::new(stdout).lines();
        if let Some(Ok(line)) = lines.next() {
            // Nobody waits any more.
            let _ = say.send(line);
        }
        lines.for_each(drop);
    });
    match tokio::time::timeout(READY_MAX, said).await {
        Ok(Ok(line)) => line,
        Ok(Err(_)) | Err(_) => String::new(),
    }
}

fn last_words(log: &Path) -> String {
    let mut text = String::new();
    let read = fs::File::open(log).and_then(|file| file.take(SAID_MAX).read_to_string(&mut text));
    match read {
        Ok(_) => text.trim().to_owned(),
        Err(error) => error.to_string(),
    }
}
