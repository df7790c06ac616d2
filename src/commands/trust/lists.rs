//! Entering revocation lists and authorities, and the grace.

use std::path::PathBuf;

use clap::Args;
use lienthong_model::limits::REVOCATION_LIST_BYTES_MAX;
use lienthong_trust::Certificate;
use serde::Serialize;

use super::status::ListView;
use crate::agency;
use crate::cli::Output;
use crate::office::{ActArgs, Office};
use crate::output;
use crate::say::Usage;
use crate::values::{self, Grace, grace_text};

#[derive(Debug, Args)]
pub(super) struct AddListArgs {
    /// The lists (PEM or DER), such as crl/root.crl and crl/issuing.crl
    #[arg(value_name = "FILE", required = true)]
    files: Vec<PathBuf>,
    #[command(flatten)]
    act: ActArgs,
}

#[derive(Debug, Args)]
pub(super) struct AddAuthorityArgs {
    /// The authority's certificate (PEM)
    file: PathBuf,
    /// Trust it as a root; without it, its certificates count only below a trusted root
    #[arg(long)]
    trusted: bool,
    #[command(flatten)]
    act: ActArgs,
}

#[derive(Debug, Args)]
pub(super) struct GraceArgs {
    /// How long after a list was due signatures are accepted and marked (`72h`), or `forever`. Too
    /// short refuses documents when a list is late by a little; too long accepts what may have been
    /// revoked
    #[arg(value_parser = values::grace)]
    grace: Grace,
    #[command(flatten)]
    act: ActArgs,
}

#[derive(Debug, Serialize)]
struct Entered {
    file: String,
    /// Whether the list in force is the one of the file.
    in_force: bool,
    list: ListView,
}

#[derive(Debug, Serialize)]
struct Authority {
    subject: String,
    fingerprint: String,
    trusted: bool,
}

#[derive(Debug, Serialize)]
struct GraceView {
    grace_seconds: Option<u64>,
    grace: String,
}

/// Enters revocation lists, one act each.
pub(super) async fn add_list(args: &AddListArgs, output: Output) -> anyhow::Result<()> {
    // What is wrong here is said before anything is changed.
    let read = args.files.iter().map(|file| Ok((file, agency::revocation_list(file)?)));
    let lists: Vec<_> = read.collect::<anyhow::Result<_>>()?;
    for (file, der) in &lists {
        if der.is_empty() || der.len() > REVOCATION_LIST_BYTES_MAX {
            let (shown, found) = (file.display(), der.len());
            return Err(Usage::new(
                format!("`{shown}` có {found} byte"),
                format!("`{shown}` has {found} bytes"),
            )
            .remedy(
                format!("chỉ một danh sách thu hồi từ 1 đến {REVOCATION_LIST_BYTES_MAX} byte"),
                format!("give a revocation list of 1 to {REVOCATION_LIST_BYTES_MAX} bytes"),
            )
            .into());
        }
    }
    let mut office = Office::open(&args.act).await?;
    let mut entered = Vec::new();
    for (file, der) in lists {
        let given = lienthong_model::Digest::of(&der);
        let list = office.add_list(der).await?;
        let in_force = list.sha256 == given;
        entered.push(Entered { file: file.display().to_string(), in_force, list: (&list).into() });
    }
    output::many(output, &entered, |entered| entered.iter().map(entered_text).collect())
}

fn entered_text(entered: &Entered) -> String {
    let Entered { file, in_force, list } = entered;
    let state = match in_force {
        true => "có hiệu lực / in force",
        false => "danh sách mới hơn đang có hiệu lực / one as new or newer was in force already",
    };
    output::pairs(&[
        ("tệp / file", file.clone()),
        ("tình trạng / state", state.to_owned()),
        ("số / number", format!("#{}", list.number)),
        ("thu hồi / revoked", list.revoked.to_string()),
        ("SHA-256", list.sha256.clone()),
    ])
}

/// Makes an authority known.
pub(super) async fn add_authority(args: &AddAuthorityArgs, output: Output) -> anyhow::Result<()> {
    let certificate: Certificate = agency::first_certificate(&args.file)?;
    let mut office = Office::open(&args.act).await?;
    office.add_authority(certificate.der().clone(), args.trusted).await?;
    let entered = Authority {
        subject: certificate.subject().to_string(),
        fingerprint: certificate.fingerprint().to_string(),
        trusted: args.trusted,
    };
    output::one(output, &entered, |entered| {
        let trusted =
            if entered.trusted { "gốc tin cậy / trusted root" } else { "đã biết / known" };
        output::pairs(&[
            ("nơi cấp / authority", entered.subject.clone()),
            ("SHA-256", entered.fingerprint.clone()),
            ("tình trạng / state", trusted.to_owned()),
        ])
    })
}

/// Sets the grace.
pub(super) async fn grace(args: &GraceArgs, output: Output) -> anyhow::Result<()> {
    Office::open(&args.act).await?.set_grace(args.grace).await?;
    let Grace(grace) = args.grace;
    let grace_seconds = grace.map(|grace| grace.as_secs());
    let view = GraceView { grace_seconds, grace: grace_text(grace) };
    output::one(output, &view, |view| {
        output::pairs(&[("thời gian chờ / grace", view.grace.clone())])
    })
}
