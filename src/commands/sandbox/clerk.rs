//! The agency of a sandbox that works through the connector: a clerk who reads the inbox and writes
//! reports and answers into folders, as an agency's own software would.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::Context as _;
use lienthong_connector::Connector;
use tokio::task::JoinHandle;

use super::folder::Sandbox;
use super::life::Cast;
use crate::commands::node::{self, init};

/// How often the clerk looks, and how long each step of the work takes.
const LOOK: Duration = Duration::from_secs(2);
/// How long what is under way may take to end.
const DRAIN_MAX: Duration = Duration::from_secs(10);
/// Every which document is answered with one of its own.
const ANSWERED_ONE_IN: usize = 3;
/// The steps of the work on a document.
const STEPS: [&str; 4] = ["03", "04", "05", "06"];

/// A running connector and its clerk.
pub(super) struct Clerk {
    connector: Connector,
    working: JoinHandle<()>,
}

impl Clerk {
    /// Starts both.
    pub async fn start(sandbox: &Sandbox, cast: &Cast) -> anyhow::Result<Self> {
        let folder = sandbox.folder().join("connector");
        let config = folder.join("node.toml");
        // The hub may listen elsewhere than the last time.
        if config.is_file() {
            std::fs::remove_file(&config).context("cannot replace the connector's configuration")?;
        }
        let clock = sandbox.time().text();
        let keys = sandbox.pki()?.agency_path(&cast.connector);
        init::write_folder(&init::Wanted {
            dir: &folder,
            keys: &keys,
            hub: Some(sandbox.hub()),
            http: None,
            clock: Some(&clock),
            gateway: false,
        })?;
        let connector = Connector::start(node::settings_of(&config)?).await?;
        let working = tokio::spawn(work(folder));
        Ok(Self { connector, working })
    }

    /// Ends both.
    pub async fn stop(self) {
        self.working.abort();
        self.connector.stop(DRAIN_MAX).await;
    }
}

/// Looks into the inbox again and again; what cannot be done now is done at the next look.
async fn work(folder: PathBuf) {
    let mut seen = 0;
    loop {
        tokio::time::sleep(LOOK).await;
        for name in names(&folder.join("inbox")) {
            if let Err(error) = step(&folder, &name, &mut seen) {
                tracing::warn!(%error, document = name, "the clerk cannot go on with it");
            }
        }
    }
}

/// Does the next step on a document; after the last one it is read.
fn step(folder: &Path, name: &str, seen: &mut usize) -> anyhow::Result<()> {
    let reported: BTreeSet<String> = ["sent", "sending", "refused", "out"]
        .iter()
        .flat_map(|room| names(&folder.join("status").join(room)))
        .map(|report| report.trim_end_matches(".toml").to_owned())
        .collect();
    let done = |status: &&str| reported.contains(&format!("{name}-{status}"));
    let Some(status) = STEPS.iter().find(|status| !done(status)) else {
        *seen += 1;
        if seen.is_multiple_of(ANSWERED_ONE_IN) {
            answer(folder, name)?;
        }
        std::fs::rename(folder.join("inbox").join(name), folder.join("inbox-read").join(name))?;
        return Ok(());
    };
    let text = format!("document = \"{name}\"\nstatus = \"{status}\"\n");
    let unfinished = folder.join("status/out").join(format!(".{name}-{status}"));
    std::fs::write(&unfinished, text)?;
    std::fs::rename(unfinished, folder.join("status/out").join(format!("{name}-{status}.toml")))?;
    Ok(())
}

/// Answers a document with one of its own.
fn answer(folder: &Path, name: &str) -> anyhow::Result<()> {
    let record = std::fs::read(folder.join("inbox").join(name).join("document.json"))?;
    let record: serde_json::Value = serde_json::from_slice(&record)?;
    let text = |key: &str| record.get(key).and_then(|v| v.as_str()).unwrap_or_default().to_owned();
    let header = serde_json::json!({
        "to": [text("sender")],
        "subject": format!("Trả lời: {}", text("subject").chars().take(400).collect::<String>()),
        "answers": [{ "agency": text("sender"), "document": text("document_code") }],
    });
    let unfinished = folder.join("outbox").join(format!(".{name}"));
    std::fs::create_dir_all(&unfinished)?;
    std::fs::write(unfinished.join("document.json"), serde_json::to_vec_pretty(&header)?)?;
    std::fs::write(unfinished.join("tra-loi.txt"), "Đã xử lý văn bản nêu trên.\n")?;
    std::fs::rename(unfinished, folder.join("outbox").join(name))?;
    Ok(())
}

/// The names of what is complete in a folder, in order.
fn names(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let names = entries.map(|entry| entry.file_name().to_string_lossy().into_owned());
    let mut names: Vec<String> = names.filter(|name| !name.starts_with('.')).collect();
    names.sort();
    names
}
