//! `lienthong node`: the connector beside an agency's own software, until SIGTERM or SIGINT.

mod doctor;
pub(crate) mod init;
mod keys;
mod settings;

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::Context as _;
use clap::{Args, Subcommand};
use lienthong_connector::{Connector, StartError};
use serde::Serialize;
use tokio::signal::unix::{SignalKind, signal};

use crate::cli::Output;
use crate::output;
use crate::say::Usage;

/// How long what is under way may take to end.
const DRAIN_MAX: Duration = Duration::from_secs(15);

/// Run the connector beside an agency's own software / chạy bộ kết nối
///
/// Signs and sends what is put into `outbox/`, receives into `inbox/`, reports statuses, and offers
/// the same on a local HTTP port. Prints one line on stdout when it is ready; SIGTERM and SIGINT
/// drain it. `lienthong node init DIR` makes a configuration; docs/CONNECTOR.md walks through it.
#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(crate) struct NodeArgs {
    #[command(subcommand)]
    command: Option<NodeCommand>,
    #[command(flatten)]
    flags: NodeFlags,
}

#[derive(Debug, Subcommand)]
enum NodeCommand {
    /// Make a connector's folders and a commented configuration / tạo cấu hình
    Init(init::InitArgs),
    /// Say what is wrong with clock, certificates, network, folders / kiểm tra
    Doctor(Box<doctor::DoctorArgs>),
}

/// The flags of a connector; each is a key of the configuration too.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Connector / bộ kết nối")]
pub(crate) struct NodeFlags {
    /// Configuration file (TOML); default: node.toml here, when there is one
    /// [env: LIENTHONG_NODE_CONFIG]
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// The folder with outbox, inbox, status …; default: the one of the configuration file
    #[arg(long, value_name = "DIR")]
    folder: Option<String>,
    /// The hub's address [env: LIENTHONG_HUB] [default: https://localhost:7443]
    #[arg(long, value_name = "URL")]
    hub: Option<String>,
    /// The agency's folder with node.*, seal.*, person-*.* [env: LIENTHONG_AS]
    #[arg(long = "as", value_name = "FOLDER")]
    as_folder: Option<String>,
    /// Serve other agencies too: each has folders of its own
    #[arg(long)]
    gateway: bool,
    /// Mailboxes wanted; default: the agency's own, for a gateway all that its node serves
    #[arg(long, value_name = "CODE", value_delimiter = ',')]
    mailboxes: Vec<String>,
    /// For a gateway: a folder with one agency's folder each, for their own keys
    #[arg(long, value_name = "DIR")]
    keys: Option<String>,
    /// Who signs where a document names nobody
    #[arg(long, value_name = "ID")]
    person: Option<String>,
    /// Root certificate to trust (PEM), repeatable; default: found beside the agency's folder
    #[arg(long, value_name = "FILE")]
    root: Vec<String>,
    /// Revocation list to honour, repeatable; with --root only
    #[arg(long, value_name = "FILE")]
    revocation_list: Vec<String>,
    /// The hub's clock: `real`, or its scenario's [env: LIENTHONG_CLOCK] [default: real]
    #[arg(long, value_name = "CLOCK")]
    clock: Option<String>,
    /// Name that the hub's certificate must have, when it is not the host of the address
    #[arg(long, value_name = "NAME")]
    server_name: Option<String>,
    /// Where the local HTTP API listens; default: there is none
    #[arg(long, value_name = "ADDR")]
    http: Option<String>,
    /// Let the HTTP API listen beyond this machine
    #[arg(long)]
    http_beyond_loopback: bool,
    /// Address to which arrivals are posted
    #[arg(long, value_name = "URL")]
    webhook: Option<String>,
    /// Root certificates of an https webhook (PEM)
    #[arg(long, value_name = "FILE")]
    webhook_root: Option<String>,
    /// How often the folders are looked into, at least 50ms [default: 1s]
    #[arg(long, value_name = "SPAN")]
    poll: Option<String>,
}

/// What is printed when the connector is ready.
#[derive(Debug, Serialize)]
struct Ready {
    ready: bool,
    agency: String,
    gateway: bool,
    folder: String,
    hub: String,
    connected: bool,
    http: Option<String>,
}

/// Runs the command.
///
/// # Errors
/// When the configuration does not do, or the connector cannot start.
pub(crate) async fn run(args: NodeArgs, output: Output) -> anyhow::Result<ExitCode> {
    match args.command {
        Some(NodeCommand::Init(args)) => return init::run(&args, output),
        Some(NodeCommand::Doctor(args)) => return doctor::run(&args, output).await,
        None => {}
    }
    lienthong_ledger::crash::arm_from_env()?;
    let effective = args.flags.effective(|name| std::env::var(name).ok())?;
    let settings = settings::settings(&effective)?;
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut ready = Ready {
        ready: true,
        agency: settings.agency.to_string(),
        gateway: settings.gateway,
        folder: settings.root.display().to_string(),
        hub: effective.one("hub").unwrap_or_default().to_owned(),
        connected: false,
        http: None,
    };
    let mut connector = Connector::start(settings).await.map_err(explained)?;
    ready.connected = connector.is_connected();
    ready.http = connector.http().map(|address| format!("http://{address}"));
    announce(output, &ready)?;
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
        () = connector.failed() => {
            return Err(anyhow::anyhow!("a part of the connector has ended; nothing is lost"))
                .context("start it again; its log says more");
        }
    }
    tracing::info!("draining");
    connector.stop(DRAIN_MAX).await;
    tracing::info!("stopped");
    Ok(ExitCode::SUCCESS)
}

/// Returns what a connector is started with by its configuration file alone.
///
/// # Errors
/// [`Usage`] or an error that names the key.
pub(crate) fn settings_of(
    config: &std::path::Path,
) -> anyhow::Result<lienthong_connector::Settings> {
    let flags = NodeFlags { config: Some(config.to_owned()), ..NodeFlags::default() };
    settings::settings(&flags.effective(|_| None)?)
}

/// Says that the connector is ready: one line in every form.
fn announce(output: Output, ready: &Ready) -> anyhow::Result<()> {
    let line = match output {
        Output::Json | Output::Jsonl | Output::Csv => serde_json::to_string(ready)?,
        Output::Table => {
            let hub = match ready.connected {
                true => format!("trục / hub {}", ready.hub),
                false => format!("trục / hub {} (chưa kết nối được / away)", ready.hub),
            };
            let http = ready.http.as_ref().map(|http| format!(" · {http}")).unwrap_or_default();
            let Ready { agency, folder, .. } = ready;
            format!("nút sẵn sàng / lienthong node ready: {agency} · {folder} · {hub}{http}")
        }
    };
    output::print(&(line + "\n"))
}

/// Says what to do where the library only says what is wrong.
fn explained(error: StartError) -> anyhow::Error {
    let (vi, remedy_vi, remedy) = match &error {
        StartError::InUse(folder) => (
            format!("bộ kết nối khác đang dùng `{}`", folder.display()),
            "dừng bộ kết nối kia, hoặc chọn thư mục khác bằng --folder",
            "stop the other one, or give another folder with --folder",
        ),
        StartError::Listen { address, .. } => (
            format!("không lắng nghe được tại {address}"),
            "có thể tiến trình khác đang dùng cổng: dừng nó, hoặc chọn cổng khác bằng --http",
            "another process may use the port: stop it, or take another one with --http",
        ),
        StartError::Endpoint(_) | StartError::Roots(_) => (
            "không dùng được chứng thư, khóa, gốc tin cậy hoặc danh sách thu hồi".to_owned(),
            "`lienthong node doctor` cho biết đó là chứng thư, khóa hay danh sách nào",
            "`lienthong node doctor` says which certificate, key or list it is",
        ),
        StartError::Secret(_) => (
            "không tạo hoặc không dùng được tệp mã bí mật".to_owned(),
            "xóa tệp để tạo mã mới, hoặc tự ghi một mã có ít nhất 16 ký tự",
            "remove the file to have a new one made, or write one of at least 16 characters",
        ),
        StartError::Webhook(_) => (
            "không dùng được `webhook` như đã khai".to_owned(),
            "khai `webhook` dạng http://máy:cổng/đường-dẫn, hoặc https kèm `webhook-root`",
            "give `webhook` as http://host:port/path, or as https with `webhook-root`",
        ),
        StartError::Disk(_) => return error.into(),
    };
    Usage::new(vi, error.to_string()).remedy(remedy_vi, remedy).into()
}
