//! A clerk at a connector's folders: reads the inbox, writes reports and answers, agrees to recalls,
//! as an agency's own software would. One works for the sandbox's agency that has a connector;
//! `lienthong sandbox clerk` lets one work in any other connector's folder.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use anyhow::Context as _;
use lienthong_connector::Connector;
use tokio::task::JoinHandle;

use super::folder::Sandbox;
use super::life::Cast;
use crate::commands::node::{self, init};
use crate::say::Usage;
use crate::stop::Stop;

/// How often the clerk looks, and how long each step of the work takes.
const LOOK: Duration = Duration::from_secs(2);
/// How long what is under way may take to end.
const DRAIN_MAX: Duration = Duration::from_secs(10);
/// Every which document is answered with one of its own.
const ANSWERED_ONE_IN: usize = 3;
/// The steps of the work on a document.
const STEPS: [&str; 4] = ["03", "04", "05", "06"];

#[derive(Debug, clap::Args)]
pub(super) struct ClerkArgs {
    /// The connector's folder, with inbox, outbox and status
    #[arg(value_name = "DIR")]
    folder: PathBuf,
}

/// Runs `lienthong sandbox clerk` until it is asked to stop.
///
/// # Errors
/// [`Usage`] when the folder is no connector's.
pub(super) async fn run(args: ClerkArgs) -> anyhow::Result<ExitCode> {
    if !args.folder.join("status/out").is_dir() {
        let shown = args.folder.display();
        return Err(Usage::new(
            format!("`{shown}` không phải thư mục của bộ kết nối"),
            format!("`{shown}` is no connector's folder"),
        )
        .remedy(
            "chỉ thư mục của `lienthong sandbox invite` hoặc `lienthong node init`",
            "give the folder of `lienthong sandbox invite` or `lienthong node init`",
        )
        .into());
    }
    let mut stop = Stop::new()?;
    tokio::select! {
        () = work(args.folder) => {}
        () = stop.asked() => {}
    }
    Ok(ExitCode::SUCCESS)
}

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
            std::fs::remove_file(&config)
                .context("cannot replace the connector's configuration")?;
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
        for file in names(&folder.join("status/in")) {
            if let Err(error) = notice(&folder, &file) {
                tracing::warn!(%error, file, "the clerk cannot answer it");
            }
        }
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
    put(folder, &format!("{name}-{status}"), &text)
}

/// Reads a notice: what the sender asks to take back is given back, and no longer worked on.
fn notice(folder: &Path, file: &str) -> anyhow::Result<()> {
    let path = folder.join("status/in").join(file);
    let notice: serde_json::Value = serde_json::from_slice(&std::fs::read(&path)?)?;
    let text = |key: &str| notice.get(key).and_then(|v| v.as_str()).unwrap_or_default().to_owned();
    if text("status") == "13" {
        let (sender, id) = (text("sender"), text("id"));
        put(
            folder,
            &format!("recall-{id}"),
            &format!("sender = \"{sender}\"\nid = \"{id}\"\nstatus = \"15\"\n"),
        )?;
        for name in names(&folder.join("inbox")).iter().filter(|name| name.ends_with(&id)) {
            std::fs::rename(folder.join("inbox").join(name), folder.join("inbox-read").join(name))?;
        }
    }
    Ok(std::fs::remove_file(path)?)
}

/// Puts a report where the connector takes it: written under another name, then renamed.
fn put(folder: &Path, name: &str, text: &str) -> anyhow::Result<()> {
    let out = folder.join("status/out");
    let unfinished = out.join(format!(".{name}"));
    std::fs::write(&unfinished, text)?;
    Ok(std::fs::rename(unfinished, out.join(format!("{name}.toml")))?)
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
