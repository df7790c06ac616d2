//! Saying what a certificate, a request or a revocation list contains.

use std::path::PathBuf;
use std::sync::Arc;

use anyhow::Context as _;
use bytes::Bytes;
use clap::Args;
use lienthong_pki::{Profile, Request, pem};
use lienthong_trust::{Certificate, Holder, RevocationList};
use serde::Serialize;

use super::revoke::hexadecimal;
use crate::agency;
use crate::cli::Output;
use crate::output;
use crate::say::Usage;

#[derive(Debug, Args)]
pub(super) struct ShowArgs {
    /// The file (PEM)
    file: PathBuf,
    /// For a revocation list: the certificate of the authority that signed it; default: root.pem
    /// and issuing.pem in the folder above
    #[arg(long, value_name = "FILE")]
    authority: Option<PathBuf>,
}

/// One thing in the file: names and values.
#[derive(Debug, Serialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
enum Shown {
    Certificate {
        holder: &'static str,
        agency: Option<String>,
        person: Option<String>,
        names: Vec<String>,
        subject: String,
        issuer: String,
        serial: String,
        not_before: String,
        not_after: String,
        fingerprint: String,
    },
    Request {
        profile: String,
        agency: String,
        names: Vec<String>,
    },
    RevocationList {
        issuer: String,
        number: u64,
        this_update: String,
        next_update: Option<String>,
        revoked: Vec<RevokedView>,
    },
}

#[derive(Debug, Serialize)]
struct RevokedView {
    serial: String,
    at: String,
    reason: u8,
}

/// Shows a file.
pub(super) fn show(args: &ShowArgs, output: Output) -> anyhow::Result<()> {
    let text = agency::read(&args.file)?;
    let shown = if text.contains("CERTIFICATE REQUEST") {
        vec![of_request(&text)?]
    } else if text.contains(pem::REVOCATION_LIST) {
        vec![of_list(args)?]
    } else if text.contains("PRIVATE KEY") && !text.contains("BEGIN CERTIFICATE") {
        return Err(Usage::new(
            "tệp chứa khóa bí mật, thứ không bao giờ được hiển thị",
            "the file holds a secret key, which is never shown",
        )
        .remedy(
            "chỉ chứng thư bên cạnh, có đuôi .pem",
            "give the certificate beside it, with the ending .pem",
        )
        .into());
    } else {
        let certificates = agency::certificates(&args.file)?.into_iter().map(of_certificate);
        certificates.collect::<anyhow::Result<_>>()?
    };
    output::many(output, &shown, |shown| {
        let texts: Vec<String> = shown.iter().map(Shown::text).collect();
        texts.join("\n")
    })
}

fn of_certificate(der: Bytes) -> anyhow::Result<Shown> {
    let certificate = Certificate::parse(der).context("the certificate breaks the profile")?;
    let (person, names) = match certificate.holder() {
        Holder::Person { person, name, title, .. }
        | Holder::Operator { person, name, title, .. } => {
            (Some(person.clone()), vec![name.clone(), title.clone()])
        }
        Holder::Authority { .. }
        | Holder::Seal { .. }
        | Holder::Node { .. }
        | Holder::Hub { .. } => (None, Vec::new()),
    };
    Ok(Shown::Certificate {
        holder: certificate.holder().kind(),
        agency: certificate.agency().map(ToString::to_string),
        person,
        names,
        subject: certificate.subject().to_string(),
        issuer: certificate.issuer().to_string(),
        serial: hexadecimal(certificate.serial()),
        not_before: certificate.not_before().to_string(),
        not_after: certificate.not_after().to_string(),
        fingerprint: certificate.fingerprint().to_string(),
    })
}

fn of_request(text: &str) -> anyhow::Result<Shown> {
    let request = Request::parse(text)?;
    let names = match request.profile() {
        Profile::Hub { names, .. } => names.clone(),
        Profile::Person { name, title, .. } | Profile::Operator { name, title, .. } => {
            vec![name.clone(), title.clone()]
        }
        Profile::Seal { .. } | Profile::Node { .. } => Vec::new(),
    };
    Ok(Shown::Request {
        profile: request.profile().stem(),
        agency: request.profile().agency().to_string(),
        names,
    })
}

fn of_list(args: &ShowArgs) -> anyhow::Result<Shown> {
    let beside = || {
        let above = args.file.parent().map(|folder| folder.join("..")).unwrap_or_default();
        ["root.pem", "issuing.pem"].map(|name| above.join(name)).to_vec()
    };
    let files = args.authority.clone().map_or_else(beside, |file| vec![file]);
    let mut issuers = Vec::new();
    for file in files.iter().filter(|file| file.is_file()) {
        issuers.push(Arc::new(agency::first_certificate(file)?));
    }
    let list = RevocationList::parse(&agency::revocation_list(&args.file)?, &issuers)
        .context("give the authority that signed the list with --authority FILE")?;
    let issuer = issuers.iter().find(|issuer| *issuer.fingerprint() == list.issuer);
    let revoked = list.revoked.iter().map(|entry| RevokedView {
        serial: hexadecimal(&entry.serial),
        at: entry.at.to_string(),
        reason: entry.reason,
    });
    Ok(Shown::RevocationList {
        issuer: issuer.map(|issuer| issuer.subject().to_string()).unwrap_or_default(),
        number: list.number,
        this_update: list.this_update.to_string(),
        next_update: list.next_update.map(|at| at.to_string()),
        revoked: revoked.collect(),
    })
}

impl Shown {
    fn text(&self) -> String {
        let given = |text: &Option<String>| text.clone().unwrap_or_else(|| "–".to_owned());
        match self {
            Self::Certificate {
                holder, agency, person, names, subject, issuer, serial, ..
            } => {
                let mut lines = vec![
                    ("chứng thư / certificate", (*holder).to_owned()),
                    ("cơ quan / agency", given(agency)),
                ];
                lines.extend(person.iter().map(|id| ("người / person", id.clone())));
                if !names.is_empty() {
                    lines.push(("tên / names", names.join(", ")));
                }
                lines.push(("chủ thể / subject", subject.clone()));
                lines.push(("nơi cấp / issuer", issuer.clone()));
                lines.push(("sê-ri / serial", serial.clone()));
                if let Self::Certificate { not_before, not_after, fingerprint, .. } = self {
                    lines.push(("hiệu lực / valid", format!("{not_before} → {not_after}")));
                    lines.push(("SHA-256", fingerprint.clone()));
                }
                output::pairs(&lines)
            }
            Self::Request { profile, agency, names } => output::pairs(&[
                ("yêu cầu / request", profile.clone()),
                ("cơ quan / agency", agency.clone()),
                ("tên / names", names.join(", ")),
            ]),
            Self::RevocationList { issuer, number, this_update, next_update, revoked } => {
                let lines = [
                    ("danh sách thu hồi / revocation list", number.to_string()),
                    ("nơi cấp / issuer", issuer.clone()),
                    ("hiệu lực / valid", format!("{this_update} → {}", given(next_update))),
                    ("số lượng / revoked", revoked.len().to_string()),
                ];
                let entry = |entry: &RevokedView| {
                    format!("  {}  {}  {}\n", entry.serial, entry.at, entry.reason)
                };
                output::pairs(&lines) + &revoked.iter().map(entry).collect::<String>()
            }
        }
    }
}
