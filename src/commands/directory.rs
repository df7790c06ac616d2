//! `lienthong directory`: looking agencies up, exporting the directory, changing it.

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::Context as _;
use clap::{Args, Subcommand};
use futures_util::TryStreamExt as _;
use lienthong_client::AgencyFilter;
use lienthong_core::{Command, Directory, ImportDirectory, codec};
use lienthong_model::limits::{ACT_ENTRIES_MAX, PAGE_SIZE_MAX};
use lienthong_model::{AgencyCode, AgencyEntry, Digest, Timestamp};
use serde::Serialize;

use crate::cli::Output;
use crate::directory_view::{self as view, EntryView, FilterArgs};
use crate::office::{ActArgs, Office};
use crate::output;
use crate::source::{self, Source, SourceArgs};

/// Look up and change the directory of agencies / danh bạ cơ quan
///
/// Reads from the hub (--hub), from a data folder that no hub uses (--data), or, with neither, from
/// the country that is built in.
#[derive(Debug, Args)]
pub(crate) struct DirectoryArgs {
    #[command(subcommand)]
    command: DirectoryCommand,
}

#[derive(Debug, Subcommand)]
enum DirectoryCommand {
    /// Find agencies by name or code; diacritics and case do not matter / tìm cơ quan
    Search {
        /// What to look for
        text: String,
        /// Most entries wanted
        #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u16).range(1..=1000))]
        limit: u16,
        #[command(flatten)]
        source: SourceArgs,
    },
    /// Show everything of one agency / xem một cơ quan
    Show {
        /// The code, in either order of writing
        code: AgencyCode,
        #[command(flatten)]
        source: SourceArgs,
    },
    /// List agencies / liệt kê cơ quan
    List {
        #[command(flatten)]
        filter: FilterArgs,
        #[command(flatten)]
        source: SourceArgs,
    },
    /// Write the directory as CSV, to a file or to stdout / xuất danh bạ
    Export {
        /// The file; it is written over
        file: Option<PathBuf>,
        #[command(flatten)]
        source: SourceArgs,
    },
    /// Enter a CSV file's entries: through the hub as an administrator (--operator), or into a data
    /// folder that no hub uses (--data; made when nothing is there) / nạp danh bạ
    ///
    /// A folder takes the file as one act; a hub takes 1,024 entries an act, in the order of the
    /// file: superiors stand before those below them.
    Apply {
        /// The file
        file: PathBuf,
        #[command(flatten)]
        act: Box<ActArgs>,
    },
}

#[derive(Debug, Serialize)]
struct Applied {
    entries: usize,
    /// What a folder had before and has now; a hub is not asked.
    agencies_before: Option<usize>,
    agencies: Option<usize>,
}

/// Where the directory is read from.
enum Known {
    Hub(lienthong_client::Client),
    Here(Arc<Directory>, Timestamp),
}

/// Runs the command.
///
/// # Errors
/// When the source cannot be read, or what was asked for is not there.
pub(crate) async fn run(args: DirectoryArgs, output: Output) -> anyhow::Result<ExitCode> {
    match args.command {
        DirectoryCommand::Search { text, limit, source } => {
            let found = Known::open(&source).await?.search(&text, limit.into()).await?;
            print(output, &found)?;
        }
        DirectoryCommand::Show { code, source } => {
            let found = Known::open(&source).await?.show(&code).await?;
            output::one(output, &EntryView::from(&found), view::whole)?;
        }
        DirectoryCommand::List { filter, source } => {
            print(output, &Known::open(&source).await?.list(&filter).await?)?;
        }
        DirectoryCommand::Export { file, source } => {
            let everything = FilterArgs { parent: None, province: None, level: None };
            let known = Known::open(&source).await?;
            export(file.as_deref(), &known.every_entry(&everything).await?)?;
        }
        DirectoryCommand::Apply { file, act } => {
            let read = entries_of(&file)?;
            let applied = match &act.source.data {
                Some(data) => {
                    let now = act.at.unwrap_or_else(source::machine_now);
                    apply_offline(read, data, now)?
                }
                None => apply_online(&read.0, &act).await?,
            };
            output::one(output, &applied, applied_text)?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

impl Known {
    async fn open(source: &SourceArgs) -> anyhow::Result<Self> {
        if source.is_unnamed() {
            return Ok(Self::Here(Arc::new(source::builtin()?), source::machine_now()));
        }
        Ok(match source.open().await? {
            Source::Hub(client) => Self::Hub(client),
            Source::Folder(folder) => {
                let at = folder.last_time().unwrap_or_else(source::machine_now);
                Self::Here(folder.reader().directory(), at)
            }
        })
    }

    async fn search(&self, text: &str, limit: usize) -> anyhow::Result<Vec<AgencyEntry>> {
        Ok(match self {
            Self::Hub(client) => client.search(text, limit.min(PAGE_SIZE_MAX)).await?,
            Self::Here(directory, at) => {
                let found = directory.search(text, limit);
                found.into_iter().map(|agency| agency.entry(*at).clone()).collect()
            }
        })
    }

    async fn show(&self, code: &AgencyCode) -> anyhow::Result<AgencyEntry> {
        let found = match self {
            Self::Hub(client) => client.agency(code).await?,
            Self::Here(directory, at) => {
                directory.find(code).map(|agency| agency.entry(*at).clone())
            }
        };
        Ok(found.ok_or_else(|| source::unknown_agency(code))?)
    }

    async fn list(&self, filter: &FilterArgs) -> anyhow::Result<Vec<AgencyEntry>> {
        match self {
            Self::Hub(client) => {
                let filter = AgencyFilter {
                    parent: filter.parent.clone(),
                    province: filter.province.clone(),
                    level: filter.level,
                };
                Ok(client.agencies(filter).try_collect().await?)
            }
            Self::Here(directory, at) => {
                Ok(filter.of(directory, *at).into_iter().cloned().collect())
            }
        }
    }

    /// Every entry, those of other dates too where the source has them.
    async fn every_entry(&self, everything: &FilterArgs) -> anyhow::Result<Vec<AgencyEntry>> {
        match self {
            Self::Hub(_) => self.list(everything).await,
            Self::Here(directory, _) => {
                let agencies = directory.agencies().iter();
                Ok(agencies.flat_map(|agency| agency.entries.iter().cloned()).collect())
            }
        }
    }
}

fn print(output: Output, entries: &[AgencyEntry]) -> anyhow::Result<()> {
    let views: Vec<EntryView> = entries.iter().map(EntryView::from).collect();
    output::many(output, &views, view::table)
}

fn export(file: Option<&Path>, entries: &[AgencyEntry]) -> anyhow::Result<()> {
    let mut csv = Vec::new();
    lienthong_country::write_csv(&mut csv, entries)?;
    match file {
        None => output::print(&String::from_utf8(csv)?),
        Some(path) => {
            std::fs::write(path, csv)
                .with_context(|| format!("cannot write `{}`", path.display()))?;
            anstream::eprintln!("{}: {} entries", path.display(), entries.len());
            Ok(())
        }
    }
}

/// The entries of a file, and what names it in the journal.
fn entries_of(file: &Path) -> anyhow::Result<(Vec<AgencyEntry>, String)> {
    let shown = file.display().to_string();
    let bytes = std::fs::read(file).with_context(|| format!("cannot read `{shown}`"))?;
    let entries = source::entries(&shown, &bytes)?;
    let name = file.file_name().unwrap_or_default().to_string_lossy();
    Ok((entries, format!("{name} sha256:{}", Digest::of(&bytes))))
}

/// Enters entries into a folder as one act.
fn apply_offline(
    (entries, source): (Vec<AgencyEntry>, String),
    data: &Path,
    now: Timestamp,
) -> anyhow::Result<Applied> {
    let mut folder = source::open_or_make_folder(data)?;
    let agencies_before = Some(folder.reader().directory().len());
    let payload = folder.payload(&codec::encode::<Vec<AgencyEntry>>(&entries))?;
    folder.administer(now, Command::ImportDirectory(ImportDirectory { source, payload }))?;
    folder.flush()?;
    let agencies = Some(folder.reader().directory().len());
    Ok(Applied { entries: entries.len(), agencies_before, agencies })
}

/// Enters entries through a hub, as many acts as it takes.
async fn apply_online(entries: &[AgencyEntry], act: &ActArgs) -> anyhow::Result<Applied> {
    let mut office = Office::open(act).await?;
    for (done, some) in entries.chunks(ACT_ENTRIES_MAX).enumerate() {
        let entered = office.change_directory(some).await;
        entered.with_context(|| format!("after {} entries", done * ACT_ENTRIES_MAX))?;
    }
    Ok(Applied { entries: entries.len(), agencies_before: None, agencies: None })
}

fn applied_text(applied: &Applied) -> String {
    let counts = applied.agencies_before.zip(applied.agencies);
    let counts = counts.map(|(before, after)| format!("; agencies {before} → {after}"));
    format!("đã ghi / applied: {} entries{}", applied.entries, counts.unwrap_or_default())
}
