//! Revoking, renewing the lists, and the register of what was issued.

use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};
use lienthong_model::{Fingerprint, Timestamp};
use lienthong_pki::{Entry, Folder, Withdrawal};
use serde::Serialize;

use super::issue::open;
use super::{ListArgs, Written, whole_seconds, written};
use crate::agency;
use crate::cli::Output;
use crate::output;
use crate::say::Usage;
use crate::source::{machine_now, moment};

#[derive(Debug, Args)]
pub(super) struct RevokeArgs {
    /// The PKI's folder
    dir: PathBuf,
    /// Which certificate: its file, its serial number or its fingerprint (both in hexadecimal)
    certificate: String,
    /// Why
    #[arg(long, value_enum, default_value_t)]
    reason: ReasonArg,
    /// From when on; default: now
    #[arg(long, value_name = "TIME", value_parser = moment)]
    at: Option<Timestamp>,
    #[command(flatten)]
    lists: ListArgs,
}

#[derive(Debug, Args)]
pub(super) struct ListsArgs {
    /// The PKI's folder
    dir: PathBuf,
    /// When the lists are made; default: now
    #[arg(long, value_name = "TIME", value_parser = moment)]
    at: Option<Timestamp>,
    #[command(flatten)]
    lists: ListArgs,
}

/// Reasons of RFC 5280, section 5.3.1.
#[derive(Debug, Clone, Copy, Default, ValueEnum)]
enum ReasonArg {
    #[default]
    Unspecified,
    KeyCompromise,
    CaCompromise,
    AffiliationChanged,
    Superseded,
    CessationOfOperation,
    CertificateHold,
    PrivilegeWithdrawn,
}

impl ReasonArg {
    const fn number(self) -> u8 {
        match self {
            Self::Unspecified => 0,
            Self::KeyCompromise => 1,
            Self::CaCompromise => 2,
            Self::AffiliationChanged => 3,
            Self::Superseded => 4,
            Self::CessationOfOperation => 5,
            Self::CertificateHold => 6,
            Self::PrivilegeWithdrawn => 9,
        }
    }
}

#[derive(Debug, Serialize)]
struct EntryView {
    serial: String,
    fingerprint: String,
    profile: String,
    agency: Option<String>,
    not_after: String,
    revoked_at: Option<String>,
    reason: Option<u8>,
}

/// Revokes a certificate.
pub(super) fn revoke(args: &RevokeArgs, output: Output) -> anyhow::Result<()> {
    let folder = open(&args.dir)?;
    let fingerprint = find(&folder, &args.certificate)?;
    let now = whole_seconds(args.at.unwrap_or_else(machine_now));
    let withdrawal = Withdrawal { at: now, reason: args.reason.number() };
    folder.revoke(&fingerprint, withdrawal, now, args.lists.next_update(now))?;
    output::many(output, &lists(&args.dir), |files| {
        let next = "trục tự đọc lại danh sách / a hub that was started with --pki or \
                    --revocation-list takes the new lists over by itself (SIGHUP: at once);\n\
                    any other hub: lienthong trust add-list FILE\n";
        format!("đã thu hồi chứng thư / revoked: {fingerprint}\n{}{next}", written(files))
    })
}

/// Renews the lists.
pub(super) fn renew(args: &ListsArgs, output: Output) -> anyhow::Result<()> {
    let now = whole_seconds(args.at.unwrap_or_else(machine_now));
    open(&args.dir)?.renew_lists(now, args.lists.next_update(now))?;
    output::many(output, &lists(&args.dir), written)
}

/// Prints the register.
pub(super) fn register(dir: &Path, output: Output) -> anyhow::Result<()> {
    let register = open(dir)?.register()?;
    let views: Vec<EntryView> = register.entries().iter().map(EntryView::from).collect();
    output::many(output, &views, |views| {
        let mut table = output::table([
            "Số sê-ri\nserial",
            "Loại\nprofile",
            "Cơ quan\nagency",
            "Hết hạn\nuntil",
            "Thu hồi\nrevoked",
        ]);
        for view in views {
            table.add_row([
                view.serial.clone(),
                view.profile.clone(),
                view.agency.clone().unwrap_or_default(),
                day(&view.not_after),
                view.revoked_at.as_deref().map(day).unwrap_or_default(),
            ]);
        }
        output::text_of(&table)
    })
}

/// The day of a moment as it is written.
fn day(moment: &str) -> String {
    moment.get(..10).unwrap_or(moment).to_owned()
}

fn lists(dir: &Path) -> Vec<Written> {
    let list = |name: &str| Written {
        what: "danh sách thu hồi / revocation list".to_owned(),
        file: dir.join(name).display().to_string(),
    };
    ["crl/root.crl", "crl/issuing.crl"].map(list).into()
}

/// The certificate that a file, a serial number or a fingerprint names.
fn find(folder: &Folder, named: &str) -> anyhow::Result<Fingerprint> {
    if Path::new(named).is_file() {
        return Ok(*agency::first_certificate(Path::new(named))?.fingerprint());
    }
    let wanted = named.to_lowercase().replace(':', "");
    let register = folder.register()?;
    let same = |entry: &&Entry| {
        hexadecimal(&entry.serial) == wanted || entry.fingerprint.to_string() == wanted
    };
    let unknown = || {
        Usage::new(
            format!("không chứng thư nào có tệp, số sê-ri hoặc dấu vân tay `{named}`"),
            format!("no certificate has the file, serial number or fingerprint `{named}`"),
        )
        .remedy(
            "liệt kê những gì đã cấp bằng `lienthong pki register THƯ_MỤC`",
            "list what was issued with `lienthong pki register DIR`",
        )
    };
    let found = register.entries().iter().find(same).ok_or_else(unknown)?;
    Ok(found.fingerprint)
}

/// Writes bytes in hexadecimal.
pub(super) fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

impl From<&Entry> for EntryView {
    fn from(entry: &Entry) -> Self {
        Self {
            serial: hexadecimal(&entry.serial),
            fingerprint: entry.fingerprint.to_string(),
            profile: entry.profile.clone(),
            agency: entry.agency.as_ref().map(ToString::to_string),
            not_after: entry.not_after.to_string(),
            revoked_at: entry.withdrawn.map(|withdrawal| withdrawal.at.to_string()),
            reason: entry.withdrawn.map(|withdrawal| withdrawal.reason),
        }
    }
}
