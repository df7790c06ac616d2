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
const EVERY_COMMAND: &str = "Every command / mọi lệnh";

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
    /// default `info` for hub and node, `error` for selftest, `warn` for everything else
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

/// The commands. What each is for is said above its flags: a comment here would take its place.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    Demo(commands::demo::Args),
    Hub(Box<commands::hub::HubArgs>),
    Node(Box<commands::node::NodeArgs>),
    Config(commands::config::ConfigArgs),
    Pki(commands::pki::PkiArgs),
    Directory(commands::directory::DirectoryArgs),
    Route(commands::route::RouteArgs),
    Send(Box<commands::send::SendArgs>),
    Inbox(Box<commands::inbox::InboxArgs>),
    Recall(commands::recall::RecallArgs),
    Notices(commands::notices::NoticesArgs),
    Track(commands::track::TrackArgs),
    Explain(Box<commands::explain::ExplainArgs>),
    Stuck(Box<commands::explain::StuckArgs>),
    Progress(Box<commands::progress::ProgressArgs>),
    Remind(Box<commands::progress::RemindArgs>),
    Thread(Box<commands::thread::ThreadArgs>),
    List(Box<commands::list::ListArgs>),
    Evidence(commands::evidence::EvidenceArgs),
    Verify(commands::verify::VerifyArgs),
    Trust(Box<commands::trust::TrustArgs>),
    Admin(commands::admin::AdminArgs),
    Account(Box<commands::account::AccountArgs>),
    Stats(Box<commands::stats::StatsArgs>),
    Refusals(Box<commands::refusals::RefusalsArgs>),
    Report(Box<commands::report::ReportArgs>),
    Sim(commands::sim::SimArgs),
    Sandbox(Box<commands::sandbox::SandboxArgs>),
    Conformance(commands::conformance::ConformanceArgs),
    Bench(commands::bench::BenchArgs),
    Selftest(commands::selftest::SelftestArgs),
    Backup(commands::backup::BackupArgs),
    Restore(commands::restore::RestoreArgs),
    Completions(commands::completions::CompletionsArgs),
}
