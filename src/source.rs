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
use lienthong_model::{AgencyCode, AgencyEntry, Timestamp};

use crate::connect::{HUB_DEFAULT, WhoArgs};
use crate::say::Usage;
use crate::terminal::Progress;

/// Flags of a command that reads.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Source / nguồn")]
pub(crate) struct SourceArgs {
    /// The hub to ask; default https://localhost:7443 (`directory`, `route explain`: the country
    /// built in)
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
    require_data_folder(path)?;
    open(path)
}

/// Checks that a data folder is there.
///
/// # Errors
/// [`Usage`] with what to do when it is not.
pub(crate) fn require_data_folder(path: &Path) -> Result<(), Usage> {
    if path.join("journal").is_dir() {
        return Ok(());
    }
    let shown = path.display();
    Err(Usage::new(
        format!("`{shown}` không phải thư mục dữ liệu"),
        format!("`{shown}` is no data folder"),
    )
    .remedy(
        "chỉ thư mục mà `lienthong hub --data` dùng",
        "give the folder that `lienthong hub --data DIR` was started with",
    ))
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
    let mut progress = Progress::of("đọc nhật ký giao dịch / reading the journal");
    let opened = OpenFolder::open(path, |block, end| progress.reached(block, end));
    progress.finish();
    match opened {
        Err(EngineError::InUse(folder)) => {
            let vi = format!("trục đang dùng `{folder}`");
            Err(Usage::new(vi, format!("a hub uses `{folder}`"))
                .remedy(
                    "hỏi trục bằng --hub URL, hoặc dừng trục trước",
                    "ask the hub with --hub URL, or stop it first",
                )
                .into())
        }
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

/// Reads a directory's entries from the CSV of a file; `shown` names it in errors.
///
/// # Errors
/// [`Usage`] with the first line and column that are wrong.
pub(crate) fn entries(shown: &str, csv: &[u8]) -> Result<Vec<AgencyEntry>, Usage> {
    lienthong_country::read_csv(csv).map_err(|error| {
        let place = match (error.line, error.column.as_str()) {
            (0, _) => String::new(),
            (line, "") => format!(", dòng {line}"),
            (line, column) => format!(", dòng {line}, cột `{column}`"),
        };
        let vi = format!("`{shown}`{place}: không phải danh bạ CSV đúng mẫu");
        Usage::new(vi, format!("`{shown}`: {error}")).remedy(
            "sửa chỗ đó; `lienthong directory export TỆP` ghi một tệp đúng mẫu",
            "correct it there; `lienthong directory export FILE` writes a file of the right form",
        )
    })
}

/// Says that the directory does not have an agency.
pub(crate) fn unknown_agency(code: &AgencyCode) -> Usage {
    let vi = format!("danh bạ không có cơ quan `{code}`");
    Usage::new(vi, format!("the directory has no agency `{code}`")).remedy(
        "tra theo tên: lienthong directory search TÊN",
        "find it by its name: lienthong directory search TEXT",
    )
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
