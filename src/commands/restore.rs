//! `lienthong restore`: makes a data folder of a backup.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;
use lienthong_hub::{Restore, Restored, Restoring};
use serde::Serialize;

use super::backup::{StandsFor, explained};
use crate::cli::Output;
use crate::output::{self, thousands};
use crate::terminal::Progress;

/// Make a data folder of a backup / khôi phục
///
/// Every byte is checked on the way, the state is made from the journal, and the log must have the
/// root that the backup's checkpoint states. The hub that it was taken from must not run again: two
/// hubs with one log would contradict each other.
#[derive(Debug, Args)]
pub(crate) struct RestoreArgs {
    /// The backup / bản sao
    #[arg(long, value_name = "DIR")]
    from: PathBuf,
    /// The data folder to be made: new, or with `hub.toml` and `pki` alone / thư mục dữ liệu mới
    #[arg(long, value_name = "DIR")]
    to: PathBuf,
    /// The file `log.key`, when the backup is without it
    #[arg(long, value_name = "FILE")]
    key: Option<PathBuf>,
}

/// What was restored. Names are stable.
#[derive(Debug, Serialize)]
struct RestoredView {
    #[serde(flatten)]
    stands_for: StandsFor,
    data: String,
    payloads: u64,
    payload_bytes: u64,
    state_sha256: String,
}

/// Runs the command.
///
/// # Errors
/// When the backup is damaged, the target is not empty, or it cannot be written.
pub(crate) fn run(args: &RestoreArgs, output: Output) -> anyhow::Result<ExitCode> {
    let restore = Restore { from: &args.from, to: &args.to, key: args.key.as_deref() };
    let mut copying = Progress::of_bytes("chép / copying");
    let mut replaying = Progress::of("dựng trạng thái / making the state");
    let restored = restore.run(|step| match step {
        Restoring::Copying(done, all) => copying.reached(done, all),
        Restoring::Replaying(block, end) => replaying.reached(block, end),
    });
    copying.finish();
    replaying.finish();
    let Restored { manifest, payloads, payload_bytes, state } = restored.map_err(explained)?;
    let view = RestoredView {
        stands_for: manifest.into(),
        data: args.to.display().to_string(),
        payloads,
        payload_bytes,
        state_sha256: state.to_string(),
    };
    output::one(output, &view, RestoredView::text)?;
    Ok(ExitCode::SUCCESS)
}

impl RestoredView {
    fn text(&self) -> String {
        let mut lines = self.stands_for.lines();
        let (files, bytes) = (thousands(self.payloads), thousands(self.payload_bytes));
        lines.push(("tệp / payloads", format!("{files} files, {bytes} bytes")));
        lines.push(("trạng thái / state, SHA-256", self.state_sha256.clone()));
        let next = format!(
            "\nđã khôi phục; trục cũ không được chạy nữa\n\
             restored; the old hub must not run any more\n\
             lienthong hub --data {}\n",
            self.data
        );
        output::pairs(&lines) + &next
    }
}
