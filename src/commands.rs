//! The commands, one a file.

pub(crate) mod account;
pub(crate) mod admin;
pub(crate) mod backup;
pub(crate) mod bench;
pub(crate) mod completions;
pub(crate) mod config;
pub(crate) mod conformance;
pub(crate) mod demo;
pub(crate) mod directory;
pub(crate) mod evidence;
pub(crate) mod explain;
pub(crate) mod hub;
pub(crate) mod inbox;
pub(crate) mod list;
pub(crate) mod node;
pub(crate) mod notices;
pub(crate) mod pki;
pub(crate) mod progress;
pub(crate) mod recall;
pub(crate) mod refusals;
pub(crate) mod report;
pub(crate) mod restore;
pub(crate) mod route;
pub(crate) mod sandbox;
pub(crate) mod selftest;
pub(crate) mod send;
pub(crate) mod sim;
pub(crate) mod stats;
pub(crate) mod thread;
pub(crate) mod track;
pub(crate) mod trust;
pub(crate) mod verify;

use std::process::ExitCode;

use crate::cli::{Cli, Command};

/// Runs the command that was asked for.
///
/// # Errors
/// Whatever went wrong; [`crate::say`] knows how to say it.
pub(crate) async fn run(cli: Cli) -> anyhow::Result<ExitCode> {
    let output = cli.global.output;
    match cli.command {
        Command::Demo(args) => demo::run(args, output).await,
        Command::Hub(args) => hub::run(*args, output).await,
        Command::Node(args) => node::run(*args, output).await,
        Command::Config(args) => config::run(args, output),
        Command::Pki(args) => pki::run(args, output),
        Command::Directory(args) => directory::run(args, output).await,
        Command::Route(args) => route::run(args, output).await,
        Command::Send(args) => send::run(*args, output).await,
        Command::Inbox(args) => inbox::run(*args, output).await,
        Command::Recall(args) => recall::run(args, output).await,
        Command::Notices(args) => notices::run(args, output).await,
        Command::Track(args) => track::run(args, output).await,
        Command::Explain(args) => explain::run(*args, output).await,
        Command::Stuck(args) => explain::stuck(*args, output).await,
        Command::Progress(args) => progress::run(*args, output).await,
        Command::Remind(args) => progress::remind(*args, output).await,
        Command::Thread(args) => thread::run(*args, output).await,
        Command::List(args) => list::run(*args, output).await,
        Command::Evidence(args) => evidence::run(args, output).await,
        Command::Verify(args) => verify::run(&args, output),
        Command::Trust(args) => trust::run(*args, output).await,
        Command::Admin(args) => admin::run(args, output).await,
        Command::Account(args) => account::run(*args, output).await,
        Command::Stats(args) => stats::run(*args, output).await,
        Command::Refusals(args) => refusals::run(*args, output).await,
        Command::Report(args) => report::run(*args, output).await,
        Command::Sandbox(args) => sandbox::run(*args, output).await,
        Command::Sim(args) => sim::run(args, output),
        Command::Conformance(args) => conformance::run(args, output).await,
        Command::Bench(args) => bench::run(args, output).await,
        Command::Selftest(args) => selftest::run(args, output).await,
        Command::Backup(args) => backup::run(args, output),
        Command::Restore(args) => restore::run(&args, output),
        Command::Completions(args) => completions::run(args),
    }
}
