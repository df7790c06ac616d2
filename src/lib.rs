//! The command line `lienthong`: its commands, and the composition of the parts. No logic of the
//! exchange is here: that is in `core`, reached through `hub` and `client`.
//!
//! A library beside a thin `main` so that tests can ask [`command`] which commands and flags exist.

// Bytes from outside must never lead to a panic: whoever wants one writes why it cannot happen.
#![cfg_attr(not(test), warn(clippy::unwrap_used, clippy::expect_used, clippy::panic))]

mod agency;
mod change_view;
mod cli;
mod commands;
mod config;
mod connect;
mod directory_view;
mod mandate_file;
mod office;
mod output;
mod own_hub;
mod revocation;
mod routes;
mod say;
mod source;
mod stop;
pub mod tables;
mod terminal;
mod toml_tables;
mod trouble;
mod values;

use std::process::ExitCode;

use clap::{CommandFactory as _, FromArgMatches as _};

use crate::cli::Cli;

/// Returns the command line as clap knows it: every command, flag and help text.
pub fn command() -> clap::Command {
    Cli::command()
}

/// Runs the command line of this process and returns its exit code.
///
/// Exit codes: 0 done, 1 refused or failed, 2 wrong usage or configuration, 3 the hub cannot be
/// reached.
pub fn main() -> ExitCode {
    touch_small_pages();
    let matches = match command().try_get_matches() {
        Ok(matches) => matches,
        Err(error) => {
            // What cannot be printed cannot be said either.
            let _ = error.print();
            return ExitCode::from(u8::try_from(error.exit_code()).unwrap_or(2));
        }
    };
    let cli = match Cli::from_arg_matches(&matches) {
        Ok(cli) => cli,
        Err(error) => error.exit(),
    };
    let output = cli.global.output;
    match start(cli) {
        Ok(code) => code,
        Err(error) => say::failure(&error, output),
    }
}

/// Memory that is touched comes in pages of 4 KiB, not of 2 MiB: clearing large ones of which little
/// is used took a twelfth of a hub's time and a quarter more memory.
fn touch_small_pages() {
    // A system that cannot do so is slower by that.
    #[cfg(target_os = "linux")]
    let _ = rustix::thread::disable_transparent_huge_pages(true);
}

fn start(cli: Cli) -> anyhow::Result<ExitCode> {
    terminal::log(&cli)?;
    // Two providers may be compiled in; without one installed rustls would panic.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(commands::run(cli))
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_command_line_holds_together() {
        super::command().debug_assert();
    }
}
