//! `lienthong hub`: runs a hub until SIGTERM or SIGINT.

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::Context as _;
use clap::Args;
use lienthong_hub::{Hub, Settings, StartError};
use lienthong_ledger::{Free, free_space};
use serde::Serialize;
use tokio::signal::unix::{SignalKind, signal};

use crate::cli::Output;
use crate::config::{self, HubFlags};
use crate::output;
use crate::say::Usage;
use crate::terminal::Progress;
use crate::trouble::Trouble;

/// Run a hub / chạy trục
///
/// Prints one line on stdout when it is ready. SIGTERM and SIGINT drain it: calls under way are
/// answered, everything is written, exit code 0. SIGHUP reads the revocation lists again at once.
#[derive(Debug, Args)]
pub(crate) struct HubArgs {
    #[command(flatten)]
    flags: HubFlags,
    /// Stop when standard input ends: whoever started it is gone
    #[arg(long, hide = true)]
    while_input: bool,
    /// Take no more of the disk for free than this file says, in bytes, while there is one
    #[arg(long, hide = true, value_name = "FILE")]
    free_space: Option<PathBuf>,
}

/// What is printed when the hub is ready.
#[derive(Debug, Serialize)]
struct Ready {
    ready: bool,
    address: String,
    /// Where HTTP is answered.
    http: Option<String>,
    data: String,
    agencies: usize,
    /// The last block on disk.
    block: u64,
    /// Blocks that were applied again.
    replayed: u64,
    /// Why the state was made anew from the journal, if it was.
    rebuilt: Option<String>,
    /// Bytes of an unfinished block cut off the journal's end.
    torn_bytes: u64,
    now: String,
    clock: String,
}

/// Runs the hub.
///
/// # Errors
/// When it cannot start, or stops by itself.
pub(crate) async fn run(args: HubArgs, output: Output) -> anyhow::Result<ExitCode> {
    lienthong_ledger::crash::arm_from_env()?;
    let effective = args.flags.effective(|name| std::env::var(name).ok())?;
    let mut settings = config::settings(&effective)?;
    if let Some(file) = args.free_space {
        settings.storage.probe = Arc::new(move |folder| told_space(&file, folder));
    }
    // A signal that comes while the journal is replayed is answered when that is over.
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut hangup = signal(SignalKind::hangup())?;
    let input_ended = input_ended(args.while_input);
    tokio::pin!(input_ended);
    let data = settings.data.display().to_string();
    let mut progress = Progress::of("chạy lại nhật ký giao dịch / replaying the journal");
    let started = start(settings, |block, end| progress.reached(block, end)).await;
    progress.finish();
    let mut hub = started.map_err(explained).with_context(|| format!("the hub on `{data}`"))?;
    let ready = Ready {
        ready: true,
        address: format!("https://{}", hub.address()),
        http: hub.http_address().map(|address| {
            let scheme = if hub.http_is_tls() { "https" } else { "http" };
            format!("{scheme}://{address}")
        }),
        agencies: hub.reader().directory().len(),
        block: hub.reader().last_block(),
        replayed: hub.recovery().replayed,
        rebuilt: hub.recovery().rebuilt.clone(),
        torn_bytes: hub.recovery().torn_bytes,
        now: hub.now().to_string(),
        clock: effective.one("clock").unwrap_or("real").to_owned(),
        data,
    };
    announce(output, &ready)?;
    let failed = loop {
        tokio::select! {
            _ = terminate.recv() => break None,
            _ = interrupt.recv() => break None,
            () = &mut input_ended => break None,
            _ = hangup.recv() => read_lists(&hub).await,
            error = hub.failed() => break Some(error),
        }
    };
    if let Some(error) = failed {
        return Err(explained(error));
    }
    tracing::info!("draining");
    hub.stop().await?;
    tracing::info!("stopped");
    Ok(ExitCode::SUCCESS)
}

#[cfg(not(feature = "measure"))]
async fn start(settings: Settings, progress: impl FnMut(u64, u64)) -> Result<Hub, StartError> {
    Hub::start(settings, progress).await
}

/// Leaves out what `LIENTHONG_MEASURE` says: `journal` or `evidence`.
#[cfg(feature = "measure")]
async fn start(settings: Settings, progress: impl FnMut(u64, u64)) -> Result<Hub, StartError> {
    use lienthong_hub::LeftOut;
    let left_out = match std::env::var("LIENTHONG_MEASURE").as_deref() {
        Ok("journal") => LeftOut::Journal,
        Ok("evidence") => LeftOut::Evidence,
        Ok(_) | Err(_) => LeftOut::Nothing,
    };
    Hub::start_without(settings, left_out, progress).await
}

/// Waits for the end of standard input, where it is heeded.
async fn input_ended(heeded: bool) {
    if !heeded {
        return std::future::pending().await;
    }
    let (ended, heard) = tokio::sync::oneshot::channel();
    // Not a task of the runtime, which would wait for it when it ends.
    std::thread::spawn(move || {
        // An input that cannot be read has ended, too.
        let _ = std::io::copy(&mut std::io::stdin().lock(), &mut std::io::sink());
        ended.send(())
    });
    let _ = heard.await;
}

/// The space of the disk, but no more than a file says.
fn told_space(file: &Path, folder: &Path) -> std::io::Result<Free> {
    let free = free_space(folder)?;
    let told = std::fs::read_to_string(file).ok().and_then(|text| text.trim().parse().ok());
    Ok(Free { available: free.available.min(told.unwrap_or(u64::MAX)), ..free })
}

/// Reads the revocation lists at once. What cannot be used the hub logs itself.
async fn read_lists(hub: &Hub) {
    let read = hub.read_revocation_lists().await;
    let (entered, unchanged, failed) = (read.entered.len(), read.unchanged, read.failed.len());
    tracing::info!(entered, unchanged, failed, "SIGHUP: revocation lists read");
}

/// Says that the hub is ready: one line in every form.
fn announce(output: Output, ready: &Ready) -> anyhow::Result<()> {
    let line = match output {
        Output::Json | Output::Jsonl | Output::Csv => serde_json::to_string(ready)?,
        Output::Table => format!(
            "trục sẵn sàng / lienthong hub ready: {}{} · dữ liệu / data {} · {} cơ quan / agencies \
             · khối / block {} (chạy lại / replayed: {}) · {} ({})",
            ready.address,
            ready.http.as_ref().map_or(String::new(), |http| format!(" · {http}")),
            ready.data,
            output::thousands(ready.agencies as u64),
            ready.block,
            ready.replayed,
            ready.now,
            ready.clock,
        ),
    };
    if let Some(why) = &ready.rebuilt {
        tracing::warn!(%why, "the state was made anew from the journal");
    }
    if ready.torn_bytes > 0 {
        let bytes = ready.torn_bytes;
        tracing::warn!(bytes, "an unfinished block was cut off the journal's end");
    }
    output::print(&(line + "\n"))
}

/// Says what to do where the library only says what is wrong.
fn explained(error: StartError) -> anyhow::Error {
    let (vi, remedy_vi, remedy) = match &error {
        StartError::Listen { address, .. } => (
            format!("không lắng nghe được tại {address}"),
            "có thể tiến trình khác đang dùng cổng: dừng nó, hoặc chọn cổng khác bằng --listen \
             hoặc --http",
            "another process may use the port: stop it, or take another one with --listen or \
             --http",
        ),
        StartError::Identity(_) => (
            "không dùng được chứng thư hoặc khóa của trục".to_owned(),
            "chứng thư và khóa phải là một cặp; `lienthong pki show TỆP` cho biết chứng thư dùng \
             vào việc gì",
            "certificate and key must belong together; `lienthong pki show FILE` says what a \
             certificate is for",
        ),
        StartError::NoAccounts(address) => (
            format!(
                "chưa ai có tài khoản, nên cổng HTTP chỉ trả lời trên loopback, không trên \
                 {address}"
            ),
            "tạo tài khoản trước: `lienthong account set MÃ_CƠ_QUAN/ID --role administrator \
             --territory country --data THƯ_MỤC`; hoặc dùng 127.0.0.1",
            "make one first: `lienthong account set AGENCY/ID --role administrator --territory \
             country --data DIR`; or take 127.0.0.1",
        ),
        StartError::Accounts(_) => (
            "không đọc được tệp tài khoản".to_owned(),
            "lấy tệp từ bản sao lưu, hoặc xóa tệp và đặt lại mật khẩu bằng `lienthong account set`",
            "take the file from a backup, or delete it and set passwords anew with `lienthong \
             account set`",
        ),
        StartError::Trust { .. } => (
            "không dùng được gốc, nơi cấp hoặc danh sách thu hồi".to_owned(),
            "danh sách thu hồi cần nơi cấp của nó qua --authority hoặc --root; `lienthong pki \
             lists THƯ_MỤC` làm mới các danh sách của PKI thử nghiệm",
            "a revocation list needs its issuer with --authority or --root; `lienthong pki lists \
             DIR` renews the lists of a test PKI",
        ),
        StartError::Engine(_)
        | StartError::Administer(_)
        | StartError::ClockBehind { .. }
        | StartError::LogKey(_)
        | StartError::Server(_)
        | StartError::Failed(_) => {
            return match Trouble::of_start(&error) {
                Some(trouble) => trouble.explained(&error),
                None => error.into(),
            };
        }
    };
    Usage::new(vi, error.to_string()).remedy(remedy_vi, remedy).into()
}
