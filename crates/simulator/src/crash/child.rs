//! The hub as a process that may die.

use std::io::{BufRead as _, BufReader};
use std::os::unix::process::ExitStatusExt as _;
use std::path::PathBuf;
use std::process::{Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use lienthong_ledger::crash;
use tokio::sync::oneshot;

use super::error::{CrashError, io_error};
use super::ground::Ground;

/// How often a process is asked whether it has ended.
const ASK_EVERY: Duration = Duration::from_millis(5);
const SIGABRT: i32 = 6;
const SIGKILL: i32 = 9;

/// How a process died.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Death {
    /// By force.
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
    log: PathBuf,
}

impl Child {
    /// Starts the hub, armed to die at a point when there is a plan (see [`crash`]).
    ///
    /// # Errors
    /// [`CrashError::Io`] when the program cannot be started.
    pub fn start(ground: &Ground, plan: Option<&str>) -> Result<Self, CrashError> {
        let log = ground.beside("stderr");
        let stderr = std::fs::File::create(&log).map_err(io_error("create", &log))?;
        let mut command = Command::new(ground.program());
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
            .args(["--listen", &ground.address().to_string(), "--clock", "real"])
            .arg("--data")
            .arg(ground.data())
            .arg("--pki")
            .arg(ground.beside("pki"))
            .arg("--directory")
            .arg(ground.beside("agencies.csv"))
            .env("LIENTHONG_LOG", "warn")
            .env("LIENTHONG_HTTP", "off")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(stderr);
        let mut process = command.spawn().map_err(io_error("start", ground.program()))?;
        let stdout = process.stdout.take();
        let (say, ready) = oneshot::channel();
        std::thread::spawn(move || {
            let Some(stdout) = stdout else { return };
            let mut lines = BufReader::new(stdout).lines();
            if let Some(Ok(_)) = lines.next() {
                let _ = say.send(());
            }
            // Read on, so that the process never waits for a reader.
            lines.for_each(drop);
        });
        Ok(Self { process, ready: Some(ready), log })
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
    ///
    /// # Errors
    /// [`CrashError::Io`] when the operating system does not say.
    pub async fn died(&mut self, patience: Duration) -> Result<Option<Death>, CrashError> {
        let begun = Instant::now();
        while begun.elapsed() < patience {
            let ended = self.process.try_wait().map_err(io_error("wait for", &self.log))?;
            if let Some(status) = ended {
                return Ok(Some(Self::death(status)));
            }
            tokio::time::sleep(ASK_EVERY).await;
        }
        Ok(None)
    }

    /// Kills the process without a warning; says how it died, which may have been before.
    ///
    /// # Errors
    /// [`CrashError::Io`] when it cannot be killed.
    pub fn kill(&mut self) -> Result<Death, CrashError> {
        self.process.kill().map_err(io_error("kill", &self.log))?;
        Ok(Self::death(self.process.wait().map_err(io_error("wait for", &self.log))?))
    }

    /// Returns what it said on stderr.
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
