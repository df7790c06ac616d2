//! The hub as a process that may die.

use std::io::{BufRead as _, BufReader};
use std::os::unix::process::ExitStatusExt as _;
use std::process::{Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use lienthong_ledger::crash;
use tokio::sync::oneshot;

use crate::fixture::Fixture;

/// How often a process is asked whether it has ended.
const ASK_EVERY: Duration = Duration::from_millis(5);
const SIGABRT: i32 = 6;
const SIGKILL: i32 = 9;

/// How a process died.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Death {
    /// By the test.
    Killed,
    /// At a named point.
    Aborted,
    /// Otherwise.
    Other(ExitStatus),
}

/// A process of the hub. It is killed when it is dropped.
pub struct Child {
    process: std::process::Child,
    ready: Option<oneshot::Receiver<()>>,
    log: std::path::PathBuf,
}

impl Child {
    /// Starts the hub, armed to die at a point when there is a plan.
    pub fn start(fixture: &Fixture, plan: Option<&str>) -> Self {
        let log = fixture.beside("stderr");
        let mut command = Command::new(env!("CARGO_BIN_EXE_lienthong"));
        for (name, _) in std::env::vars_os() {
            if name.to_string_lossy().starts_with("LIENTHONG_") {
                command.env_remove(name);
            }
        }
        if let Some(plan) = plan {
            command.env(crash::VARIABLE, plan);
        }
        command
            .arg("hub")
            .args(["--listen", &fixture.address.to_string(), "--clock", "real"])
            .arg("--data")
            .arg(fixture.data())
            .arg("--pki")
            .arg(fixture.beside("pki"))
            .arg("--directory")
            .arg(fixture.beside("agencies.csv"))
            .env("LIENTHONG_LOG", "warn")
            .env("LIENTHONG_HTTP", "off")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(std::fs::File::create(&log).unwrap());
        let mut process = command.spawn().unwrap();
        let stdout = process.stdout.take().unwrap();
        let (say, ready) = oneshot::channel();
        std::thread::spawn(move || {
            let mut lines = BufReader::new(stdout).lines();
            if let Some(Ok(_)) = lines.next() {
                let _ = say.send(());
            }
            // Read on, so that the process never waits for a reader.
            lines.for_each(drop);
        });
        Self { process, ready: Some(ready), log }
    }

    /// Returns the process's id.
    pub fn id(&self) -> u32 {
        self.process.id()
    }

    /// Waits until the hub says that it is ready; `false` when it dies before.
    pub async fn ready(&mut self, patience: Duration) -> bool {
        let Some(ready) = self.ready.take() else { return true };
        tokio::time::timeout(patience, ready).await.is_ok_and(|ready| ready.is_ok())
    }

    /// Waits until the process has died by itself; `None` when it has not.
    pub async fn died(&mut self, patience: Duration) -> Option<Death> {
        let begun = Instant::now();
        while begun.elapsed() < patience {
            if let Some(status) = self.process.try_wait().unwrap() {
                return Some(Self::death(status));
            }
            tokio::time::sleep(ASK_EVERY).await;
        }
        None
    }

    /// Kills the process without a warning.
    pub fn kill(&mut self) -> Death {
        self.process.kill().unwrap();
        Self::death(self.process.wait().unwrap())
    }

    /// What it said on stderr.
    pub fn said(&self) -> String {
        std::fs::read_to_string(&self.log).unwrap_or_default()
    }

    fn death(status: ExitStatus) -> Death {
        match status.signal() {
            Some(SIGKILL) => Death::Killed,
            Some(SIGABRT) => Death::Aborted,
            _ => Death::Other(status),
        }
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        // It may have died already.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
