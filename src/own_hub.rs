//! A hub of one's own: a child process on loopback, with the data folder and PKI of a scenario or
//! sandbox. It can be killed and started again, and told of revocation lists; it is stopped when it
//! is dropped.

use std::io::{self, BufRead as _, BufReader};
use std::os::unix::process::ExitStatusExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use anyhow::Context as _;
use lienthong_client::ClockSource;
use lienthong_model::limits::SPACE_HARD_BYTES;
use lienthong_model::{AgencyEntry, Timestamp};
use lienthong_pki::pem;
use lienthong_simulator::live::HubControl;
use rustix::process::{Pid, Signal, kill_process};

/// Business time of a hub of one's own.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Time {
    /// This machine's.
    Real,
    /// From a moment on, so many times as fast.
    Scenario {
        /// Where it begins.
        start: Timestamp,
        /// How fast it runs.
        rate: f64,
    },
}

impl Time {
    /// Returns it as a configuration writes it.
    pub(crate) fn text(self) -> String {
        match self {
            Self::Real => "real".to_owned(),
            Self::Scenario { start, rate } => format!("start={start},rate={rate}"),
        }
    }

    /// Returns it as a client knows it before it asked.
    pub(crate) fn source(self) -> ClockSource {
        match self {
            Self::Real => ClockSource::Real,
            Self::Scenario { start, rate } => ClockSource::scenario(start, rate),
        }
    }
}

/// The hub.
pub(crate) struct OwnHub {
    /// Holds `data`, `pki` and `agencies.csv`.
    folder: PathBuf,
    listen: String,
    time: Time,
    child: Option<Child>,
}

impl OwnHub {
    /// Writes the directory that the hub begins with into a folder that holds its PKI already.
    ///
    /// # Errors
    /// When it cannot be written.
    pub(crate) fn write_directory(folder: &Path, entries: &[AgencyEntry]) -> anyhow::Result<()> {
        let path = folder.join("agencies.csv");
        let shown = || format!("cannot write `{}`", path.display());
        let file = std::fs::File::create(&path).with_context(shown)?;
        lienthong_country::write_csv(file, entries).with_context(shown)
    }

    /// Starts it on a folder with a PKI and a directory; on return it answers.
    ///
    /// # Errors
    /// When it does not start; it has said why on stderr.
    pub(crate) fn start(folder: &Path, listen: &str, time: Time) -> anyhow::Result<Self> {
        let mut hub =
            Self { folder: folder.to_owned(), listen: listen.to_owned(), time, child: None };
        hub.run(time).context("the hub of its own")?;
        Ok(hub)
    }

    /// Returns `https://host:port`.
    pub(crate) fn url(&self) -> String {
        format!("https://{}", self.listen)
    }

    /// Returns its data folder.
    pub(crate) fn data(&self) -> PathBuf {
        self.folder.join("data")
    }

    /// The file that says how much of its disk it may take for free.
    fn free_space(&self) -> PathBuf {
        self.folder.join("free-space")
    }

    fn run(&mut self, time: Time) -> io::Result<()> {
        let mut command = Command::new(std::env::current_exe()?);
        for (name, _) in std::env::vars_os() {
            // What is set for another hub is not meant for this one.
            if name.to_string_lossy().starts_with("LIENTHONG_") {
                command.env_remove(name);
            }
        }
        command.arg("hub").arg("--data").arg(self.data());
        command.arg("--pki").arg(self.folder.join("pki"));
        if self.folder.join("stranger").is_dir() {
            // A second PKI that the hub relies on.
            for pki in ["pki", "stranger"].map(|name| self.folder.join(name)) {
                command.arg("--root").arg(pki.join("root.pem"));
                command.arg("--authority").arg(pki.join("issuing.pem"));
                command.arg("--revocation-list").arg(pki.join("crl"));
            }
        }
        command.arg("--directory").arg(self.folder.join("agencies.csv"));
        command.args(["--listen", &self.listen, "--http", "off", "--clock", &time.text()]);
        command.args(["--output", "json", "--log", "warn"]);
        // It ends with whoever started it, however that ends; and its disk is as full as it is told.
        command.arg("--while-input").arg("--free-space").arg(self.free_space());
        // Its own group: Ctrl-C is for whoever started it, who stops it in order.
        std::os::unix::process::CommandExt::process_group(&mut command, 0);
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
        let address = child.stdout.take().map(ready).transpose();
        self.child = Some(child);
        let address = address?.flatten();
        self.listen = address.ok_or_else(|| io::Error::other("it did not become ready"))?;
        Ok(())
    }
}

/// Reads the line that a hub prints when it is ready; returns its address.
fn ready(stdout: impl io::Read) -> io::Result<Option<String>> {
    let mut line = String::new();
    BufReader::new(stdout).read_line(&mut line)?;
    let said: Option<serde_json::Value> = serde_json::from_str(&line).ok();
    let address = said.and_then(|said| said.get("address")?.as_str().map(ToOwned::to_owned));
    Ok(address.map(|address| address.trim_start_matches("https://").to_owned()))
}

fn signal(child: &Child, signal: Signal) -> io::Result<()> {
    let pid = i32::try_from(child.id()).ok().and_then(Pid::from_raw);
    let pid = pid.ok_or_else(|| io::Error::other("the hub has no process"))?;
    Ok(kill_process(pid, signal)?)
}

impl HubControl for OwnHub {
    fn process(&self) -> Option<u32> {
        self.child.as_ref().map(Child::id)
    }

    fn kill(&mut self) -> io::Result<()> {
        let Some(mut child) = self.child.take() else { return Ok(()) };
        child.kill()?;
        match child.wait()?.signal() {
            Some(signal) if signal == Signal::KILL.as_raw() => Ok(()),
            _ => Err(io::Error::other("the hub had ended before it was killed")),
        }
    }

    fn start(&mut self, now: Timestamp) -> io::Result<()> {
        let time = match self.time {
            Time::Real => Time::Real,
            Time::Scenario { rate, .. } => Time::Scenario { start: now, rate },
        };
        self.run(time)
    }

    fn stop(&mut self) -> io::Result<()> {
        let Some(mut child) = self.child.take() else { return Ok(()) };
        signal(&child, Signal::TERM)?;
        match child.wait()?.success() {
            true => Ok(()),
            false => Err(io::Error::other("the hub did not end well")),
        }
    }

    fn set_low(&mut self, low: bool) -> io::Result<()> {
        let path = self.free_space();
        if low {
            // Above the hard mark, and below every soft one.
            return std::fs::write(path, (SPACE_HARD_BYTES * 3 / 2).to_string());
        }
        match std::fs::remove_file(path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            Ok(()) | Err(_) => Ok(()),
        }
    }

    fn enter_list(&mut self, list: &bytes::Bytes) -> io::Result<()> {
        let path = self.folder.join("pki/crl/issuing.crl");
        let text = pem::encode(pem::REVOCATION_LIST, list).map_err(io::Error::other)?;
        let beside = path.with_extension("new");
        std::fs::write(&beside, text)?;
        std::fs::rename(beside, path)?;
        match &self.child {
            Some(child) => signal(child, Signal::HUP),
            // It reads it when it starts.
            None => Ok(()),
        }
    }
}

impl Drop for OwnHub {
    fn drop(&mut self) {
        if self.stop().is_err() {
            tracing::warn!("the hub of its own did not end well");
        }
    }
}
