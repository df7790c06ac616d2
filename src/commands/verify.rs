//! `lienthong verify`: derives the verdict on a document again from an evidence bundle alone.

mod basis;
mod derive;
mod view;

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context as _;
use clap::Args;
use lienthong_model::Fingerprint;
use lienthong_model::limits::EVIDENCE_BUNDLE_BYTES_MAX;
use lienthong_trust::NoteKey;
use lienthong_wire::{decode_message, proto};

use crate::agency;
use crate::cli::Output;
use crate::output;
use crate::say::Usage;

/// Derive the verdict on a document again, offline / kiểm chứng kết luận
///
/// An evidence bundle (`lienthong evidence bundle`) holds the signed document and everything that
/// the hub's verdict rested on: certificates, revocation lists, directory entries, mandates,
/// policy, times. Signatures are verified and the verdict is judged anew; nothing that the hub
/// concluded is believed. Exit code 1 when anything does not hold.
#[derive(Debug, Args)]
pub(crate) struct VerifyArgs {
    /// The bundle that `lienthong evidence bundle` wrote
    file: PathBuf,
    /// The key of the hub's log, from elsewhere than the hub: name+id+key. With it the hub's
    /// statement and the log's proof are checked too
    #[arg(long, value_name = "KEY")]
    key: Option<String>,
    /// A root to trust (PEM), repeatable; without it the roots that the hub trusted
    #[arg(long, value_name = "FILE")]
    root: Vec<PathBuf>,
}

/// What a verdict is derived with, beside the bundle.
struct Reliance {
    /// The key of the hub's log.
    key: Option<NoteKey>,
    /// Roots that are trusted; none: the hub's.
    roots: Option<Vec<Fingerprint>>,
}

/// Runs the command.
///
/// # Errors
/// When the file is no bundle.
pub(crate) fn run(args: &VerifyArgs, output: Output) -> anyhow::Result<ExitCode> {
    let reliance = Reliance { key: key(args)?, roots: roots(args)? };
    let derived = derive::verdict(&read(args)?, &reliance)?;
    output::one(output, &derived, view::text)?;
    Ok(ExitCode::from(u8::from(!derived.holds)))
}

fn read(args: &VerifyArgs) -> anyhow::Result<proto::EvidenceBundle> {
    let path = args.file.display();
    let failed = || format!("cannot read `{path}`");
    let length = std::fs::metadata(&args.file).with_context(failed)?.len();
    let max = EVIDENCE_BUNDLE_BYTES_MAX as u64;
    if length > max {
        let vi = format!("`{path}` có {length} byte, một gói bằng chứng tối đa {max}");
        let en = format!("`{path}` has {length} bytes, a bundle at most {max}");
        return Err(malformed(vi, en).into());
    }
    let bytes = std::fs::read(&args.file).with_context(failed)?;
    decode_message(bytes.into()).map_err(|error| {
        let vi = format!("`{path}` không phải gói bằng chứng");
        malformed(vi, format!("`{path}` is no evidence bundle: {error}")).into()
    })
}

fn malformed(vi: String, en: String) -> Usage {
    Usage::new(vi, en).remedy(
        "chỉ tệp mà `lienthong evidence bundle --write` đã ghi",
        "give the file that `lienthong evidence bundle --write` wrote",
    )
}

fn key(args: &VerifyArgs) -> anyhow::Result<Option<NoteKey>> {
    let parse = |text: &String| {
        NoteKey::parse(text).map_err(|error| {
            let vi = format!("`{text}` không phải khóa của nhật ký băm");
            Usage::new(vi, format!("`{text}` is no key of a log: {error}")).remedy(
                "hỏi đơn vị vận hành trục khóa của nhật ký băm",
                "ask the hub's operator for the key of the log",
            )
        })
    };
    Ok(args.key.as_ref().map(parse).transpose()?)
}

fn roots(args: &VerifyArgs) -> anyhow::Result<Option<Vec<Fingerprint>>> {
    if args.root.is_empty() {
        return Ok(None);
    }
    let mut roots = Vec::new();
    for path in &args.root {
        let read = agency::certificates(path)?;
        roots.extend(read.iter().map(|der| Fingerprint::of(der)));
    }
    Ok(Some(roots))
}
