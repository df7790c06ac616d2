//! Where a reading command reads: a running hub, a data folder that no hub uses, or the country
//! that is compiled in.

use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::Context as _;
use clap::Args;
use lienthong_client::Client;
use lienthong_core::Directory;
use lienthong_core::engine::EngineError;
use lienthong_hub::OpenFolder;
use lienthong_model::Timestamp;

use crate::connect::{HUB_DEFAULT, WhoArgs};
use crate::say::Usage;
use crate::terminal::Progress;

/// Flags of a command that reads.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Source / nguồn")]
pub(crate) struct SourceArgs {
    /// The hub to ask
    #[arg(long, value_name = "URL", env = "LIENTHONG_HUB")]
    pub hub: Option<String>,
    /// The data folder to read instead, while no hub uses it
    #[arg(long, value_name = "DIR")]
    pub data: Option<PathBuf>,
    #[command(flatten)]
    pub who: WhoArgs,
}

/// Where to read.
pub(crate) enum Source {
    /// A running hub.
    Hub(Client),
    /// A data folder.
    Folder(Box<OpenFolder>),
}

impl SourceArgs {
    /// Returns whether neither a hub nor a folder is named.
    pub(crate) fn is_unnamed(&self) -> bool {
        self.hub.is_none() && self.data.is_none() && self.who.folder.is_none()
    }

    /// Opens the source: the folder when one is named, else the hub.
    ///
    /// # Errors
    /// When it cannot be opened or reached.
    pub(crate) async fn open(&self) -> anyhow::Result<Source> {
        if let Some(data) = &self.data {
            return Ok(Source::Folder(Box::new(open_folder(data)?)));
        }
        let hub = self.hub.as_deref().unwrap_or(HUB_DEFAULT);
        Ok(Source::Hub(self.who.connect(hub).await?.client))
    }
}

/// Opens a data folder that is there and that no hub uses.
///
/// # Errors
/// [`Usage`] with what to do when it is not there or in use.
pub(crate) fn open_folder(path: &Path) -> anyhow::Result<OpenFolder> {
    // Opening would make one: a wrong path must not leave a data folder behind.
    if !path.join("journal").is_dir() {
        return Err(Usage::new(format!("`{}` is no data folder", path.display()))
            .remedy("give the folder that `lienthong hub --data DIR` was started with")
            .into());
    }
    open(path)
}

/// Opens a data folder that no hub uses; makes it where nothing is yet.
///
/// # Errors
/// [`Usage`] with what to do when something else is there, or it is in use.
pub(crate) fn open_or_make_folder(path: &Path) -> anyhow::Result<OpenFolder> {
    let is_empty = std::fs::read_dir(path).map_or(true, |mut entries| entries.next().is_none());
    if is_empty { open(path) } else { open_folder(path) }
}

fn open(path: &Path) -> anyhow::Result<OpenFolder> {
    let mut progress = Progress::of("reading the journal");
    let opened = OpenFolder::open(path, |block, end| progress.reached(block, end));
    progress.finish();
    match opened {
        Err(EngineError::InUse(folder)) => Err(Usage::new(format!("a hub uses `{folder}`"))
            .remedy("ask the hub with --hub URL, or stop it first")
            .into()),
        opened => opened.with_context(|| format!("the data folder `{}`", path.display())),
    }
}

/// Returns the directory that is compiled in, and says so on stderr.
///
/// # Errors
/// Only when the compiled-in lists were changed to something that is none.
pub(crate) fn builtin() -> anyhow::Result<Directory> {
    anstream::eprintln!(
        "danh bạ dựng sẵn / the directory is the one built in; --hub or --data reads another"
    );
    let mut directory = Directory::default();
    for entry in lienthong_country::entries()? {
        directory.put(entry);
    }
    Ok(directory)
}

/// Returns the machine's time.
pub(crate) fn machine_now() -> Timestamp {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Timestamp::from_millis(0).plus(since)
}

/// Reads a moment: RFC 3339, or a plain date for its first moment in UTC+07:00.
pub(crate) fn moment(text: &str) -> Result<Timestamp, String> {
    Timestamp::parse(text).ok_or_else(|| {
        "write a date (`2020-11-16`) or a moment with its zone (`2020-11-16T08:00+07:00`)"
            .to_owned()
    })
}
