//! The root of the command line: global flags and the list of commands.

use clap::{Args, Parser, Subcommand, ValueEnum};

use crate::commands;

/// Ends the help of the root command.
const EXIT_CODES: &str = "\
Exit codes / mã thoát:
  0  done / đã xong
  1  refused or failed / bị từ chối hoặc lỗi
  2  wrong usage or configuration / sai cú pháp hoặc cấu hình
  3  the hub cannot be reached / không kết nối được tới trục

Results go to stdout, logs and errors to stderr. docs/CONFIGURATION.md lists every setting.";

/// Above the flags that every command takes, so that its own stand first.
const EVERY_COMMAND: &str = "Every command";

/// Document interlink hub simulator / mô phỏng trục liên thông văn bản
#[derive(Debug, Parser)]
#[command(name = "lienthong", version, after_help = EXIT_CODES, max_term_width = 100)]
pub(crate) struct Cli {
    /// What holds for every command.
    #[command(flatten)]
    pub global: Global,
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// Flags that every command takes.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Everywhere / chung")]
pub(crate) struct Global {
    /// How results are printed / dạng kết quả
    #[arg(long, global = true, value_enum, default_value_t, env = "LIENTHONG_OUTPUT")]
    #[arg(help_heading = EVERY_COMMAND)]
    pub output: Output,
    /// Which log lines are shown: a level, or targets with levels (`info,lienthong_hub=debug`);
    /// default `info` for hub and node, `warn` for everything else
    #[arg(long, global = true, value_name = "FILTER", env = "LIENTHONG_LOG")]
    #[arg(help_heading = EVERY_COMMAND)]
    pub log: Option<String>,
    /// How log lines are written
    #[arg(long, global = true, value_enum, default_value_t, env = "LIENTHONG_LOG_FORMAT")]
    #[arg(help_heading = EVERY_COMMAND)]
    pub log_format: LogFormat,
}

/// How results are printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub(crate) enum Output {
    /// For people
    #[default]
    Table,
    /// One JSON document, indented
    Json,
    /// One JSON document a line
    Jsonl,
    /// Comma-separated values with a header; what is printed as it comes is JSONL
    Csv,
}

/// How log lines are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub(crate) enum LogFormat {
    /// For people
    #[default]
    Text,
    /// One JSON object a line
    Json,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Run a country of simulated agencies through a hub / chạy thử cả nước
    Demo(commands::demo::Args),
    /// Run a hub / chạy trục
    Hub(Box<commands::hub::HubArgs>),
    /// Run the connector beside an agency's own software / chạy bộ kết nối
    Node(Box<commands::node::NodeArgs>),
    /// Show what a hub would be started with / xem cấu hình
    Config(commands::config::ConfigArgs),
    /// Make keys, certificates and revocation lists / khóa, chứng thư số, danh sách thu hồi
    Pki(commands::pki::PkiArgs),
    /// Look up and change the directory of agencies / danh bạ cơ quan
    Directory(commands::directory::DirectoryArgs),
    /// Explain and check routing rules / quy tắc định tuyến
    Route(commands::route::RouteArgs),
    /// Sign and send a document / ký và gửi văn bản
    Send(Box<commands::send::SendArgs>),
    /// Receive, verify and acknowledge documents, report statuses / nhận văn bản
    Inbox(Box<commands::inbox::InboxArgs>),
    /// Take a document back / thu hồi văn bản
    Recall(commands::recall::RecallArgs),
    /// Show what recipients reported and senders ask / thông báo
    Notices(commands::notices::NoticesArgs),
    /// Show what became of a document / theo dõi văn bản
    Track(commands::track::TrackArgs),
    /// Explain where a document is, why, and who has to act / giải thích
    Explain(Box<commands::explain::ExplainArgs>),
    /// Show what waits longest / văn bản chờ lâu nhất
    Stuck(Box<commands::explain::StuckArgs>),
    /// Show how far a document's recipients are, wait for them / tiến độ
    Progress(Box<commands::progress::ProgressArgs>),
    /// Remind the recipients that lag / nhắc
    Remind(Box<commands::progress::RemindArgs>),
    /// Show the case that a document belongs to / hồ sơ trao đổi
    Thread(Box<commands::thread::ThreadArgs>),
    /// Show, resolve and keep lists of recipients / danh sách nơi nhận
    List(Box<commands::list::ListArgs>),
    /// Ask for the log's checkpoints, check evidence offline / bằng chứng
    Evidence(commands::evidence::EvidenceArgs),
    /// Derive the verdict on a document again, offline / kiểm chứng kết luận
    Verify(commands::verify::VerifyArgs),
    /// Show and change what signatures are judged by / tin cậy, thu hồi, thẩm quyền ký
    Trust(Box<commands::trust::TrustArgs>),
    /// Appoint administrators, set quotas / quản trị
    Admin(commands::admin::AdminArgs),
    /// Keep the accounts of those who operate the hub / tài khoản
    Account(Box<commands::account::AccountArgs>),
    /// Show how much flows where, and what becomes of it / thống kê
    Stats(Box<commands::stats::StatsArgs>),
    /// Show what is refused, by reason, with examples / lượt bị từ chối
    Refusals(Box<commands::refusals::RefusalsArgs>),
    /// Report indicators and targets of a period / báo cáo chỉ tiêu
    Report(Box<commands::report::ReportArgs>),
    /// Play scenarios of a country of agencies in virtual time / chạy kịch bản
    Sim(commands::sim::SimArgs),
    /// Run a hub and a living province to test a system against / sân tập
    Sandbox(Box<commands::sandbox::SandboxArgs>),
    /// Examine a system that is connected to a sandbox / kiểm tra sự phù hợp
    Conformance(commands::conformance::ConformanceArgs),
    /// Measure a hub under load / đo tải
    Bench(commands::bench::BenchArgs),
    /// Try the program out on this machine and its disk / tự kiểm tra
    Selftest(commands::selftest::SelftestArgs),
    /// Copy a hub's data while it runs, check a copy / sao lưu
    Backup(commands::backup::BackupArgs),
    /// Make a data folder of a backup / khôi phục
    Restore(commands::restore::RestoreArgs),
    /// Print a script that completes commands in a shell
    Completions(commands::completions::CompletionsArgs),
}
