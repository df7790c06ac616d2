//! `lienthong evidence audit`: a data folder at rest, read whole and checked against itself.

pub(super) mod view;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context as _;
use clap::Args;
use lienthong_core::engine::EngineError;
use lienthong_hub::Audit;
use lienthong_trust::Checkpoint;

use super::file::{key_of, read_checkpoint};
use crate::cli::Output;
use crate::output;
use crate::say::Usage;
use crate::source::require_data_folder;
use crate::terminal::Progress;
use view::{AuditView, text};

/// Read a data folder at rest whole, and list every place that is not what was written / kiểm tra
/// dữ liệu
///
/// Nothing in the folder is changed, and no hub may use it meanwhile. Every file of the journal is
/// read, every payload file that it names; the log is made anew and compared with the state and
/// with the checkpoints given. Exit code 1 when anything is wrong.
#[derive(Debug, Args)]
pub(super) struct AuditArgs {
    /// The data folder
    #[arg(long, value_name = "DIR", env = "LIENTHONG_DATA")]
    data: PathBuf,
    /// A checkpoint that was kept elsewhere, or a file of evidence with one, repeatable
    #[arg(long, value_name = "FILE", requires = "key")]
    checkpoint: Vec<PathBuf>,
    /// The key of the folder's log, from elsewhere than the folder: name+id+key
    #[arg(long, value_name = "KEY")]
    key: Option<String>,
    /// Leave the state out, which is otherwise copied into a temporary folder
    #[arg(long, conflicts_with = "redecide")]
    no_state: bool,
    /// Verify every signature and make every decision again, in a temporary folder: the same blocks
    /// must come out
    #[arg(long)]
    redecide: bool,
}

/// Runs the command.
pub(super) fn run(args: AuditArgs, output: Output) -> anyhow::Result<ExitCode> {
    require_data_folder(&args.data)?;
    let checkpoints = checkpoints(&args)?;
    let scratch = tempfile::tempdir().context("a temporary folder for the state")?;
    let mut progress = Progress::of("kiểm tra / auditing");
    let audit = Audit {
        data: &args.data,
        scratch: (!args.no_state).then_some(scratch.path()),
        checkpoints,
        redecide: args.redecide,
    };
    let report = audit.run(|done, all| progress.reached(done, all));
    progress.finish();
    let view = AuditView::from(report.map_err(explained)?);
    output::one(output, &view, text)?;
    Ok(if view.findings_total == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// The checkpoints given, their signatures checked.
fn checkpoints(args: &AuditArgs) -> anyhow::Result<Vec<(String, Checkpoint)>> {
    let Some(key) = args.key.as_deref().map(key_of).transpose()? else { return Ok(Vec::new()) };
    let read = |path: &PathBuf| {
        let name = name(path);
        let checkpoint = Checkpoint::open(&read_checkpoint(path)?, &key)
            .with_context(|| format!("the checkpoint in `{name}`"))?;
        Ok((name, checkpoint))
    };
    args.checkpoint.iter().map(read).collect()
}

fn name(path: &Path) -> String {
    path.display().to_string()
}

fn explained(error: EngineError) -> anyhow::Error {
    match error {
        EngineError::InUse(ref folder) => {
            let vi = format!("tiến trình khác đang dùng thư mục dữ liệu `{folder}`");
            Usage::new(vi, error.to_string())
                .remedy(
                    "dừng trục, hoặc kiểm tra một bản sao của thư mục",
                    "stop the hub, or audit a copy of the folder",
                )
                .into()
        }
        other => other.into(),
    }
}
