//! `lienthong pki`: keys, certificates, requests and revocation lists in a folder.

mod issue;
mod revoke;
mod show;

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use clap::{Args, Subcommand};
use lienthong_model::{Digest, Timestamp};
use lienthong_pki::{Folder, KeySource, Validity};
use serde::Serialize;

use crate::cli::Output;
use crate::output;
use crate::source::{machine_now, moment};

/// Make keys, certificates and revocation lists / khóa, chứng thư số, danh sách thu hồi
///
/// DIR holds root.pem, issuing.pem, crl/, issued.csv and agencies/CODE/ with each agency's
/// certificates and keys. docs/CERTIFICATES.md has the profile.
#[derive(Debug, Args)]
pub(crate) struct PkiArgs {
    #[command(subcommand)]
    command: PkiCommand,
}

#[derive(Debug, Subcommand)]
enum PkiCommand {
    /// Make a root, an issuing authority and empty revocation lists / tạo nơi cấp chứng thư
    Init(InitArgs),
    /// Issue certificates, with their keys or for a request / cấp chứng thư
    Issue(Box<issue::IssueArgs>),
    /// Make a key and a request, at the agency: the key stays there / tạo khóa và yêu cầu
    Request(Box<issue::RequestArgs>),
    /// Revoke a certificate and write both revocation lists anew / thu hồi chứng thư
    Revoke(revoke::RevokeArgs),
    /// Write both revocation lists anew, so that they do not run out / làm mới danh sách thu hồi
    Lists(revoke::ListsArgs),
    /// List what was issued and what was revoked / danh mục chứng thư đã cấp
    Register {
        /// The PKI's folder
        dir: PathBuf,
    },
    /// Say what a certificate, a request or a revocation list contains / xem nội dung
    Show(show::ShowArgs),
}

#[derive(Debug, Args)]
struct InitArgs {
    /// The folder; made when it is not there
    dir: PathBuf,
    #[command(flatten)]
    seed: SeedArgs,
    #[command(flatten)]
    validity: ValidityArgs<3650>,
    #[command(flatten)]
    lists: ListArgs,
}

/// Where keys come from.
#[derive(Debug, Clone, Args)]
struct SeedArgs {
    /// Derive keys from a number: the same number gives the same keys; for tests only, since whoever
    /// knows the number has every key
    #[arg(long, value_name = "N")]
    seed: Option<u64>,
}

/// From when to when something is valid.
#[derive(Debug, Clone, Args)]
struct ValidityArgs<const DAYS: u32> {
    /// First moment of validity; default: now
    #[arg(long, value_name = "TIME", value_parser = moment)]
    from: Option<Timestamp>,
    /// Days of validity
    #[arg(long, value_name = "N", default_value_t = DAYS, value_parser = clap::value_parser!(u32).range(1..=36500))]
    days: u32,
    /// Take this as the present moment instead of the machine's
    #[arg(long, value_name = "TIME", value_parser = moment)]
    at: Option<Timestamp>,
}

/// How long revocation lists hold.
#[derive(Debug, Clone, Args)]
struct ListArgs {
    /// Days until the next revocation lists are due
    #[arg(long, value_name = "N", default_value_t = 90, value_parser = clap::value_parser!(u32).range(1..=3650))]
    list_days: u32,
}

/// A file that was written.
#[derive(Debug, Serialize)]
struct Written {
    what: String,
    file: String,
}

/// Runs the command.
///
/// # Errors
/// When a file is in the way, missing or damaged, or something breaks the profile.
pub(crate) fn run(args: PkiArgs, output: Output) -> anyhow::Result<ExitCode> {
    match args.command {
        PkiCommand::Init(args) => init(&args, output)?,
        PkiCommand::Issue(args) => issue::issue(&args, output)?,
        PkiCommand::Request(args) => issue::request(&args, output)?,
        PkiCommand::Revoke(args) => revoke::revoke(&args, output)?,
        PkiCommand::Lists(args) => revoke::renew(&args, output)?,
        PkiCommand::Register { dir } => revoke::register(&dir, output)?,
        PkiCommand::Show(args) => show::show(&args, output)?,
    }
    Ok(ExitCode::SUCCESS)
}

fn init(args: &InitArgs, output: Output) -> anyhow::Result<()> {
    let validity = args.validity.validity();
    let next_update = args.lists.next_update(args.validity.now().max(validity.not_before));
    Folder::create(&args.dir, &args.seed.keys(), validity, next_update)?;
    let file = |what: &str, name: &str| Written {
        what: what.to_owned(),
        file: args.dir.join(name).display().to_string(),
    };
    let files = [
        file("gốc / root", "root.pem"),
        file("nơi cấp / issuing authority", "issuing.pem"),
        file("danh sách thu hồi / revocation list", "crl/root.crl"),
        file("danh sách thu hồi / revocation list", "crl/issuing.crl"),
    ];
    output::many(output, &files, written)
}

/// Writes what was written.
fn written(files: &[Written]) -> String {
    let lines: Vec<(&str, String)> =
        files.iter().map(|file| (file.what.as_str(), file.file.clone())).collect();
    output::pairs(&lines)
}

impl SeedArgs {
    fn keys(&self) -> KeySource {
        match self.seed {
            Some(seed) => KeySource::Seed(Digest::of(format!("lienthong pki {seed}").as_bytes()).0),
            None => KeySource::System,
        }
    }
}

impl<const DAYS: u32> ValidityArgs<DAYS> {
    fn now(&self) -> Timestamp {
        self.at.unwrap_or_else(machine_now)
    }

    fn validity(&self) -> Validity {
        let not_before = whole_seconds(self.from.unwrap_or_else(|| self.now()));
        let not_after = not_before.plus(days(self.days)).minus(Duration::from_secs(1));
        Validity { not_before, not_after }
    }
}

impl ListArgs {
    fn next_update(&self, now: Timestamp) -> Timestamp {
        whole_seconds(now).plus(days(self.list_days))
    }
}

fn days(count: u32) -> Duration {
    Duration::from_secs(u64::from(count) * 24 * 3600)
}

fn whole_seconds(at: Timestamp) -> Timestamp {
    Timestamp::from_millis(at.seconds().saturating_mul(1000))
}
