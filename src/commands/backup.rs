//! `lienthong backup`: copies what a hub cannot lose, while it runs, and checks such a copy.

mod view;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Subcommand};
use lienthong_hub::{Backup, BackupError, BusinessClock, Clock, check_backup};

use super::evidence::key_of;
use crate::cli::Output;
use crate::output;
use crate::say::Usage;
use crate::terminal::Progress;
pub(super) use view::StandsFor;
use view::{CheckView, TakenView};

/// Copy a hub's data while it runs, check a copy / sao lưu
///
/// Into a new or empty folder everything is copied, into an earlier backup of the same hub what is
/// new. The hub may run meanwhile. `lienthong backup verify DIR` reads a backup whole; `lienthong
/// restore` makes a data folder of it. docs/BACKUP.md says what is in a backup and what is not.
#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true, subcommand_negates_reqs = true)]
pub(crate) struct BackupArgs {
    #[command(flatten)]
    take: Option<TakeArgs>,
    #[command(subcommand)]
    command: Option<BackupCommand>,
}

#[derive(Debug, Args)]
struct TakeArgs {
    /// The hub's data folder / thư mục dữ liệu của trục
    #[arg(long, value_name = "DIR", env = "LIENTHONG_DATA")]
    data: PathBuf,
    /// Where the backup is, or is to be / nơi lưu bản sao
    #[arg(long, value_name = "DIR")]
    to: PathBuf,
    /// Leave out the secret key of the hub's log: keep it yourself, a restored hub needs it / không
    /// sao khóa của trục
    #[arg(long)]
    without_key: bool,
}

#[derive(Debug, Subcommand)]
enum BackupCommand {
    /// Read a backup whole and check it / kiểm tra bản sao
    ///
    /// Nothing is changed. Every block, every payload file and the log are checked against each other
    /// and against the manifest. Exit code 1 when anything is damaged or missing; it is named.
    Verify(VerifyArgs),
}

#[derive(Debug, Args)]
struct VerifyArgs {
    /// The backup / bản sao
    #[arg(value_name = "DIR")]
    backup: PathBuf,
    /// The key of the hub's log, from elsewhere than the backup: name+id+key
    #[arg(long, value_name = "KEY")]
    key: Option<String>,
}

/// Runs the command.
///
/// # Errors
/// When the backup cannot be taken or read.
pub(crate) fn run(args: BackupArgs, output: Output) -> anyhow::Result<ExitCode> {
    match (args.command, args.take) {
        (Some(BackupCommand::Verify(args)), _) => verify(&args, output),
        (None, Some(args)) => take(&args, output),
        (None, None) => {
            Err(Usage::new("thiếu `--data` và `--to`", "`--data` and `--to` are missing")
                .remedy(
                    "nêu cả hai, hoặc dùng `lienthong backup verify BẢN_SAO_LƯU`",
                    "give both, or use `lienthong backup verify BACKUP`",
                )
                .into())
        }
    }
}

fn take(args: &TakeArgs, output: Output) -> anyhow::Result<ExitCode> {
    let backup = Backup {
        data: &args.data,
        to: &args.to,
        with_key: !args.without_key,
        now: BusinessClock::start(Clock::Real).now(),
    };
    let mut progress = Progress::of_bytes("sao lưu / backing up");
    let taken = backup.take(|done, all| progress.reached(done, all));
    progress.finish();
    let view = TakenView::from(taken.map_err(explained)?);
    output::one(output, &view, TakenView::text)?;
    Ok(ExitCode::SUCCESS)
}

fn verify(args: &VerifyArgs, output: Output) -> anyhow::Result<ExitCode> {
    let key = args.key.as_deref().map(key_of).transpose()?;
    let mut progress = Progress::of_bytes("kiểm tra / checking");
    let check = check_backup(&args.backup, key.as_ref(), |done, all| progress.reached(done, all));
    progress.finish();
    let view = CheckView::from(check.map_err(explained)?);
    output::one(output, &view, CheckView::text)?;
    Ok(if view.is_whole() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Says what to do where the library only says what is wrong.
pub(super) fn explained(error: BackupError) -> anyhow::Error {
    if error.is_disk_full() {
        return anyhow::anyhow!(
            "{error}\n  xử lý / remedy: đĩa đầy: dọn chỗ rồi chạy lại lệnh này, sao lưu sẽ tiếp tục \
             / the disk is full: make room and run the same command, a backup goes on"
        );
    }
    let (vi, remedy_vi, remedy) = match &error {
        BackupError::NoDataFolder(folder) => (
            format!("`{}` không phải thư mục dữ liệu", folder.display()),
            "chỉ thư mục mà `lienthong hub --data` dùng",
            "give the folder that `lienthong hub --data` was started with",
        ),
        BackupError::NoBackup(folder) => (
            format!("`{}` không phải bản sao lưu: không có `MANIFEST`", folder.display()),
            "chỉ thư mục mà `lienthong backup --to` đã ghi",
            "give a folder that `lienthong backup --to` wrote",
        ),
        BackupError::NotEmpty { folder, entry } => (
            format!("`{}` không rỗng: có `{entry}`", folder.display()),
            "chọn thư mục mới hoặc rỗng",
            "take a new or an empty folder",
        ),
        BackupError::Nested(folder) => (
            format!("`{}` nằm trong thư mục được sao lưu, hoặc chứa nó", folder.display()),
            "chọn thư mục ở nơi khác, tốt nhất trên đĩa khác",
            "take a folder elsewhere, best on another disk",
        ),
        BackupError::OtherHub { folder, backup, data } => (
            format!(
                "bản sao lưu trong `{}` là của nhật ký băm `{backup}`, thư mục dữ liệu có \
                 `{data}`",
                folder.display()
            ),
            "mỗi trục một nơi sao lưu",
            "take a folder of its own for each hub's backup",
        ),
        BackupError::WithoutKey => (
            "bản sao lưu không có khóa của nhật ký băm".to_owned(),
            "chỉ tệp `log.key` của trục đó bằng --key",
            "give the file `log.key` of that hub with --key",
        ),
        BackupError::OtherKey { found, expected } => (
            format!("khóa đã cho là của nhật ký băm `{found}`, bản sao lưu là của `{expected}`"),
            "chỉ tệp `log.key` của trục đó bằng --key",
            "give the file `log.key` of that hub with --key",
        ),
        BackupError::Diverged { .. } => {
            return anyhow::anyhow!(
                "{error}\n  xử lý / remedy: bản sao có những khối mà trục không còn: giữ bản sao này, \
                 chạy `lienthong evidence audit`, sao lưu tiếp vào thư mục mới / the backup has blocks \
                 that the hub does not have: keep it, run `lienthong evidence audit`, and take the \
                 next backup into a new folder"
            );
        }
        BackupError::Engine(lienthong_core::engine::EngineError::Damaged { .. }) => {
            return anyhow::anyhow!(
                "{error}\n  xử lý / remedy: xem `lienthong evidence audit` (dữ liệu) hoặc `lienthong \
                 backup verify` (bản sao) / see `lienthong evidence audit` for a data folder, \
                 `lienthong backup verify` for a backup"
            );
        }
        BackupError::Manifest { .. }
        | BackupError::TooNew(_)
        | BackupError::Unlike { .. }
        | BackupError::LogKey(_)
        | BackupError::Io { .. }
        | BackupError::Engine(_) => return error.into(),
    };
    Usage::new(vi, error.to_string()).remedy(remedy_vi, remedy).into()
}
