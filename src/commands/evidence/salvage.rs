//! `lienthong evidence salvage`: writes out every document of a damaged data folder that can still
//! be read.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context as _;
use clap::Args;
use lienthong_core::engine::EngineError;
use lienthong_hub::{Salvage, Salvaged, SalvagedDocument};
use serde::Serialize;

use crate::cli::Output;
use crate::output::{self, thousands};
use crate::say::Usage;
use crate::source::require_data_folder;
use crate::terminal::Progress;
use crate::trouble::Trouble;

/// Write out every document of a damaged data folder that can still be read / cứu dữ liệu
///
/// Every accepted document whose block is whole is written into a folder of its own, before and
/// behind whatever is damaged: `content.bin`, `signatures.json`, its attachments, and `document.txt`
/// with its place, its sender and what of it is missing. Nothing in the data folder is changed, and
/// no hub may use it meanwhile. Exit code 1 when anything could not be read.
#[derive(Debug, Args)]
pub(super) struct SalvageArgs {
    /// The data folder
    #[arg(long, value_name = "DIR", env = "LIENTHONG_DATA")]
    data: PathBuf,
    /// A new or empty folder to write into
    #[arg(long, value_name = "DIR")]
    to: PathBuf,
}

/// What came of it. Names are stable.
#[derive(Debug, Serialize)]
struct SalvageView {
    to: String,
    whole: u64,
    incomplete: u64,
    lost: Vec<String>,
    damage: Vec<DamageView>,
}

#[derive(Debug, Serialize)]
struct DamageView {
    file: Option<String>,
    offset: Option<u64>,
    bytes: Option<u64>,
    block: Option<u64>,
    why: String,
}

/// Runs the command.
pub(super) fn run(args: &SalvageArgs, output: Output) -> anyhow::Result<ExitCode> {
    require_data_folder(&args.data)?;
    let mut there = args.to.read_dir().ok();
    if there.as_mut().is_some_and(|entries| entries.next().is_some()) {
        let shown = args.to.display();
        return Err(Usage::new(format!("`{shown}` không rỗng"), format!("`{shown}` is not empty"))
            .remedy("chọn thư mục mới hoặc rỗng bằng --to", "give a new or empty folder with --to")
            .into());
    }
    std::fs::create_dir_all(&args.to).context("the folder to write into")?;
    let mut progress = Progress::of("đọc / reading");
    let salvaged = Salvage { data: &args.data }
        .run(|document| write(&args.to, &document), |done, all| progress.reached(done, all));
    progress.finish();
    let view = SalvageView::of(&args.to, salvaged.map_err(explained)?);
    output::one(output, &view, text)?;
    let all = view.incomplete == 0 && view.lost.is_empty() && view.damage.is_empty();
    Ok(if all { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Writes `TO/<position>_<sender>_<id>/`. Codes and ids have letters, digits, dots and dashes only.
fn write(to: &Path, document: &SalvagedDocument) -> anyhow::Result<()> {
    let SalvagedDocument { position, sender, id, signed, .. } = document;
    let folder = to.join(format!("{:020}_{sender}_{id}", position.0));
    let in_folder = || format!("`{}`", folder.display());
    std::fs::create_dir(&folder).with_context(in_folder)?;
    let mut about = format!(
        "position {}\nblock {}\nreceived_at {}\nsender {sender}\nid {id}\n",
        position.0, document.block, document.received_at,
    );
    // Names are the sender's, and could lead anywhere: they are numbered here.
    for (number, attachment) in (1..).zip(&signed.attachments) {
        let name = format!("attachment-{number}");
        std::fs::write(folder.join(&name), &attachment.bytes).with_context(in_folder)?;
        let _ = writeln!(about, "{name} {:?}", attachment.content_id);
    }
    for missing in &document.missing {
        let _ = writeln!(about, "missing {missing}");
    }
    std::fs::write(folder.join("document.txt"), about).with_context(in_folder)?;
    lienthong_connector::write_signed(&folder, signed).with_context(in_folder)
}

impl SalvageView {
    fn of(to: &Path, salvaged: Salvaged) -> Self {
        let Salvaged { whole, incomplete, lost, damage } = salvaged;
        let damage = damage.into_iter().map(|found| DamageView {
            file: found.file,
            offset: found.offset,
            bytes: found.bytes,
            block: found.block,
            why: found.why,
        });
        let (to, damage) = (to.display().to_string(), damage.collect());
        Self { to, whole, incomplete, lost, damage }
    }
}

fn text(view: &SalvageView) -> String {
    let mut text = format!(
        "văn bản đọc được / documents read: {}, không đủ / incomplete: {}, mất / lost: {}\n\
         ghi vào / written into: {}\n",
        thousands(view.whole),
        thousands(view.incomplete),
        thousands(view.lost.len() as u64),
        view.to,
    );
    for lost in &view.lost {
        let _ = writeln!(text, "mất / lost: {lost}");
    }
    for damage in &view.damage {
        let _ = writeln!(
            text,
            "hỏng / damaged: {} @ {} ({} bytes), block {}: {}",
            damage.file.as_deref().unwrap_or("-"),
            damage.offset.unwrap_or(0),
            damage.bytes.unwrap_or(0),
            damage.block.unwrap_or(0),
            damage.why,
        );
    }
    text
}

fn explained(error: anyhow::Error) -> anyhow::Error {
    match error.downcast_ref::<EngineError>() {
        Some(engine) => Trouble::of(engine).explained(engine),
        None => error,
    }
}
