//! The demo's last act: a document by way of two connectors, as agencies with software of their own
//! exchange one. Each reads and writes folders; the demo is the clerk at both.

use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};
use lienthong_connector::Connector;
use lienthong_model::AgencyCode;
use serde::Serialize;

use crate::commands::node::{self, init};

/// How long the document or the report on it may take.
const PATIENCE: Duration = Duration::from_secs(60);
/// How often folders are looked at.
const LOOK: Duration = Duration::from_millis(50);
/// How long a connector may take to end.
const DRAIN_MAX: Duration = Duration::from_secs(10);
/// Accepted and registered.
const ACCEPTED: &str = "03";
const SUBJECT: &str = "Về việc thử nghiệm liên thông qua bộ kết nối";
const ATTACHMENT: &str = "Văn bản này đi qua hai bộ kết nối.\n";

/// What the connectors did.
#[derive(Debug, Serialize)]
pub(super) struct ByConnectors {
    /// Who sent.
    pub from: String,
    /// Who received and reported.
    pub to: String,
    /// The folder in which the recipient found the document.
    pub document: String,
    /// What the sender found reported on it.
    pub reported: String,
    /// From the outbox until the report was there.
    pub seconds: f64,
}

/// Where the hub and the keys are.
pub(super) struct Ground<'a> {
    /// A folder of the demo's own.
    pub folder: &'a Path,
    /// The PKI with the keys of both agencies.
    pub pki: &'a Path,
    /// The hub's address.
    pub url: &'a str,
    /// The hub's clock, as a configuration writes it.
    pub clock: &'a str,
}

/// Sends a document from one agency's outbox into the other's inbox, and a report back.
///
/// # Errors
/// When a connector does not start, or nothing arrives in time.
pub(super) async fn exchange(
    ground: &Ground<'_>,
    from: &AgencyCode,
    to: &AgencyCode,
) -> anyhow::Result<ByConnectors> {
    let (desk, other) = (ground.folder.join("from"), ground.folder.join("to"));
    let sender = start(ground, &desk, from).await?;
    let recipient = start(ground, &other, to).await?;
    let began = Instant::now();
    let header = serde_json::json!({ "to": [to.to_string()], "subject": SUBJECT });
    put(&desk.join("outbox"), "thu-nghiem", |folder| {
        std::fs::create_dir(folder)?;
        std::fs::write(folder.join("document.json"), header.to_string())?;
        std::fs::write(folder.join("noi-dung.txt"), ATTACHMENT)
    })?;
    let document = find(&other.join("inbox"), "the document", |_| true).await?;
    let report = format!("document = \"{document}\"\nstatus = \"{ACCEPTED}\"\n");
    put(&other.join("status/out"), "tiep-nhan.toml", |file| std::fs::write(file, &report))?;
    let accepted = |notice: &Path| status_of(notice).as_deref() == Some(ACCEPTED);
    let notice = find(&desk.join("status/in"), "the report", accepted).await?;
    let seconds = began.elapsed().as_secs_f64();
    let reported = status_of(&desk.join("status/in").join(notice)).unwrap_or_default();
    sender.stop(DRAIN_MAX).await;
    recipient.stop(DRAIN_MAX).await;
    let (from, to) = (from.to_string(), to.to_string());
    Ok(ByConnectors { from, to, document, reported, seconds })
}

async fn start(
    ground: &Ground<'_>,
    folder: &Path,
    agency: &AgencyCode,
) -> anyhow::Result<Connector> {
    let config = init::write_folder(&init::Wanted {
        dir: folder,
        keys: &ground.pki.join("agencies").join(agency.to_string()),
        hub: Some(ground.url),
        http: None,
        clock: Some(ground.clock),
        gateway: false,
    })?;
    Ok(Connector::start(node::settings_of(&config)?).await?)
}

/// Makes something under another name and renames it: a connector takes what is complete.
fn put(
    folder: &Path,
    name: &str,
    make: impl FnOnce(&Path) -> std::io::Result<()>,
) -> anyhow::Result<()> {
    let unfinished = folder.join(format!(".{name}"));
    make(&unfinished)
        .and_then(|()| std::fs::rename(&unfinished, folder.join(name)))
        .with_context(|| format!("cannot write `{}`", folder.display()))
}

/// The status that a notice tells of.
fn status_of(notice: &Path) -> Option<String> {
    let notice: serde_json::Value = serde_json::from_slice(&std::fs::read(notice).ok()?).ok()?;
    notice["status"].as_str().map(ToOwned::to_owned)
}

/// Waits until something complete that is wanted is in a folder; returns its name.
async fn find(folder: &Path, what: &str, wanted: impl Fn(&Path) -> bool) -> anyhow::Result<String> {
    let began = Instant::now();
    while began.elapsed() < PATIENCE {
        let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
        let mut names = entries.map(|entry| entry.file_name().to_string_lossy().into_owned());
        if let Some(name) = names.find(|name| !name.starts_with('.') && wanted(&folder.join(name)))
        {
            return Ok(name);
        }
        tokio::time::sleep(LOOK).await;
    }
    bail!("{what} did not come within {} s into `{}`", PATIENCE.as_secs(), folder.display())
}
