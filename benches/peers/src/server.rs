//! A server as a group of processes of its own, ended when it is dropped: some are started by a script.

use std::net::TcpListener;
use std::path::Path;
use std::process::Stdio;
use std::time::{Duration, Instant};

use anyhow::Context as _;
use tokio::net::TcpStream;
use tokio::process::{Child, Command};

/// How long a server may take to listen.
const READY_MAX: Duration = Duration::from_secs(90);
const ASK_EVERY: Duration = Duration::from_millis(50);

/// A server.
pub struct Server(Child);

impl Server {
    /// Starts a server that is to listen on a port of loopback, and waits until it does.
    pub async fn start(mut command: Command, port: u16, log: &Path) -> anyhow::Result<Self> {
        let said = std::fs::File::create(log)?;
        let shown = format!("{:?}", command.as_std().get_program());
        let child = command
            // What it leaves behind, it leaves in its own folder.
            .current_dir(log.parent().unwrap_or(Path::new("/")))
            .process_group(0)
            .stdin(Stdio::null())
            .stdout(said.try_clone()?)
            .stderr(said)
            .spawn()
            .with_context(|| format!("cannot start {shown}"))?;
        let mut server = Self(child);
        let began = Instant::now();
        while TcpStream::connect(("127.0.0.1", port)).await.is_err() {
            let ended = server.0.try_wait()?;
            let said = || std::fs::read_to_string(log).unwrap_or_default();
            anyhow::ensure!(ended.is_none(), "{shown} ended: {}", said());
            anyhow::ensure!(began.elapsed() < READY_MAX, "{shown} does not listen: {}", said());
            tokio::time::sleep(ASK_EVERY).await;
        }
        Ok(server)
    }

    fn kill(&self) {
        if let Some(leader) = self.0.id() {
            let group = format!("-{leader}");
            // The group may be gone already.
            let _ = std::process::Command::new("kill").args(["-KILL", "--", &group]).status();
        }
    }

    /// Ends it, and waits.
    pub async fn stop(mut self) {
        self.kill();
        // It may have ended already.
        let _ = self.0.wait().await;
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.kill();
    }
}

/// A port that nobody uses now.
pub fn free_port() -> anyhow::Result<u16> {
    Ok(TcpListener::bind("127.0.0.1:0")?.local_addr()?.port())
}
