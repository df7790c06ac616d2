//! `lienthong account`: who signs in to the operators' pages with a password.

use std::io::{BufRead as _, IsTerminal as _, Read as _};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context as _;
use clap::{Args, Subcommand};
use lienthong_model::limits::PASSWORD_BYTES_MAX;
use lienthong_model::{Appointment, Role, Signatory, Territory};
use serde::Serialize;

use crate::cli::Output;
use crate::office::{ActArgs, Office};
use crate::output;
use crate::say::Usage;
use crate::source::{Source, SourceArgs};
use crate::values::{self, person_text};

/// Keep the accounts of those who operate the hub / tài khoản
///
/// An account is for signing in to the hub's pages with a password; what a person may see and do
/// there is its appointment (`lienthong admin appoint`). There is no default account: the first is
/// made in the data folder (--data) while no hub uses it, every other by an administrator.
#[derive(Debug, Args)]
pub(crate) struct AccountArgs {
    #[command(subcommand)]
    command: AccountCommand,
}

#[derive(Debug, Subcommand)]
enum AccountCommand {
    /// Make an account, or set another password / đặt mật khẩu
    Set(Box<SetArgs>),
    /// Remove an account / xóa tài khoản
    Remove(Box<RemoveArgs>),
    /// List the accounts / danh sách tài khoản
    List(SourceArgs),
}

#[derive(Debug, Args)]
struct SetArgs {
    /// Whose: the agency and the person's id
    #[arg(value_name = "AGENCY/ID", value_parser = values::person)]
    person: Signatory,
    /// The password's file, its first line; `-` for stdin. Without it, it is asked for
    #[arg(long, value_name = "FILE")]
    password_file: Option<PathBuf>,
    /// Appoint the person, too: viewer, operator or administrator
    #[arg(long, value_parser = values::role, requires = "territory")]
    role: Option<Role>,
    /// For which agencies: country, province:CODE or agency:CODE
    #[arg(long, value_parser = values::territory, requires = "role")]
    territory: Option<Territory>,
    #[command(flatten)]
    act: ActArgs,
}

#[derive(Debug, Args)]
struct RemoveArgs {
    /// Whose
    #[arg(value_name = "AGENCY/ID", value_parser = values::person)]
    person: Signatory,
    #[command(flatten)]
    act: ActArgs,
}

/// An account for programs.
#[derive(Debug, Serialize)]
struct AccountView {
    person: String,
    /// Whether it is there.
    account: bool,
}

/// Runs the command.
///
/// # Errors
/// When the source cannot be read, the password does not do, or the act is refused.
pub(crate) async fn run(args: AccountArgs, output: Output) -> anyhow::Result<ExitCode> {
    match args.command {
        AccountCommand::Set(args) => set(&args, output).await?,
        AccountCommand::Remove(args) => remove(&args, output).await?,
        AccountCommand::List(source) => list(&source, output).await?,
    }
    Ok(ExitCode::SUCCESS)
}

async fn set(args: &SetArgs, output: Output) -> anyhow::Result<()> {
    let password = password(args.password_file.as_deref())?;
    let mut office = Office::open(&args.act).await?;
    if let (Some(role), Some(territory)) = (args.role, &args.territory) {
        let appointment = Appointment {
            holder: args.person.clone(),
            role,
            territory: territory.clone(),
            from: office.today(),
            until: None,
        };
        office.appoint(appointment).await?;
    }
    office.set_password(&args.person, &password).await?;
    shown(output, &[AccountView { person: person_text(&args.person), account: true }])
}

async fn remove(args: &RemoveArgs, output: Output) -> anyhow::Result<()> {
    let mut office = Office::open(&args.act).await?;
    office.remove_account(&args.person).await?;
    shown(output, &[AccountView { person: person_text(&args.person), account: false }])
}

async fn list(source: &SourceArgs, output: Output) -> anyhow::Result<()> {
    let holders = match source.open().await? {
        Source::Hub(client) => client.administration().accounts().await?,
        Source::Folder(folder) => folder.accounts()?.holders(),
    };
    let view = |holder| AccountView { person: person_text(holder), account: true };
    shown(output, &holders.iter().map(view).collect::<Vec<_>>())
}

fn shown(output: Output, views: &[AccountView]) -> anyhow::Result<()> {
    output::many(output, views, |views| {
        if views.is_empty() {
            return "chưa có tài khoản nào / there are no accounts\n".to_owned();
        }
        let mut table = output::table(["Người\nperson", "Tài khoản\naccount"]);
        for view in views {
            let is_there = if view.account { "có / yes" } else { "đã xóa / removed" };
            table.add_row([view.person.clone(), is_there.to_owned()]);
        }
        output::text_of(&table)
    })
}

/// The password: the first line of a file or of stdin, or asked for on the terminal.
fn password(file: Option<&Path>) -> anyhow::Result<String> {
    let stdin = std::io::stdin();
    let text = match file {
        Some(path) if path != Path::new("-") => {
            std::fs::read_to_string(path).with_context(|| format!("`{}`", path.display()))?
        }
        None if stdin.is_terminal() => return asked(),
        Some(_) | None => {
            let mut text = String::new();
            let at_most = PASSWORD_BYTES_MAX as u64 * 2;
            stdin.lock().take(at_most).read_to_string(&mut text).context("stdin")?;
            text
        }
    };
    let line = text.lines().next().unwrap_or_default();
    if line.is_empty() {
        return Err(Usage::new("chưa có mật khẩu", "there is no password")
            .remedy(
                "ghi mật khẩu vào dòng đầu của tệp, hoặc vào stdin",
                "write it into the first line of a file, or into stdin",
            )
            .into());
    }
    Ok(line.to_owned())
}

/// Asks twice on the terminal, without showing what is typed.
fn asked() -> anyhow::Result<String> {
    let silence = Silence::begin().context("the terminal")?;
    let mut lines = Vec::new();
    for prompt in ["Mật khẩu / password: ", "Nhập lại / again: "] {
        eprint!("{prompt}");
        let mut line = String::new();
        std::io::stdin().lock().read_line(&mut line).context("the terminal")?;
        eprintln!();
        lines.push(line.trim_end_matches(['\r', '\n']).to_owned());
    }
    drop(silence);
    match lines.as_slice() {
        [first, second] if first == second => Ok(first.clone()),
        _ => Err(Usage::new("hai lần nhập mật khẩu không giống nhau", "the passwords differ")
            .remedy("nhập cùng một mật khẩu hai lần", "type the same one twice")
            .into()),
    }
}

/// A terminal that does not show what is typed, until it is dropped.
struct Silence(rustix::termios::Termios);

impl Silence {
    fn begin() -> std::io::Result<Self> {
        use rustix::termios::{LocalModes, OptionalActions, tcgetattr, tcsetattr};
        let stdin = std::io::stdin();
        let before = tcgetattr(&stdin)?;
        let mut silent = before.clone();
        silent.local_modes.remove(LocalModes::ECHO);
        tcsetattr(&stdin, OptionalActions::Now, &silent)?;
        Ok(Self(before))
    }
}

impl Drop for Silence {
    fn drop(&mut self) {
        let now = rustix::termios::OptionalActions::Now;
        // The terminal is gone, then.
        let _ = rustix::termios::tcsetattr(std::io::stdin(), now, &self.0);
    }
}
