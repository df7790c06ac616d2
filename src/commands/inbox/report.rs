//! `lienthong inbox report`: one status on one document.

use std::process::ExitCode;

use clap::Args;
use lienthong_client::{StatusReceipt, sign_report};
use lienthong_model::{AgencyCode, MessageId, StatusCode, StatusReport};
use serde::Serialize;

use super::taking::no_seal;
use crate::cli::Output;
use crate::connect::ConnectArgs;
use crate::output;
use crate::say::Usage;

#[derive(Debug, Args)]
pub(super) struct ReportArgs {
    /// The sender of the document
    #[arg(long, value_name = "CODE")]
    sender: AgencyCode,
    /// The message's id
    #[arg(long)]
    id: MessageId,
    /// What is reported: 01 arrived, 02 refused, 03 accepted, 04 assigned, 05 being processed,
    /// 06 finished, 13 recall requested (by the sender), 15 change agreed, 16 change refused
    #[arg(long, value_name = "CODE", value_parser = status)]
    status: StatusCode,
    /// Why, or what is being done; needed for 02, 13 and 16
    #[arg(long, value_name = "TEXT", default_value = "")]
    reason: String,
    /// The agency that reports; default: the one of the folder
    #[arg(long, value_name = "CODE")]
    agency: Option<AgencyCode>,
    #[command(flatten)]
    connect: ConnectArgs,
}

#[derive(Debug, Serialize)]
struct ReceiptView {
    reporter: String,
    id: String,
    status: String,
    position: u64,
    received_at: String,
    sha256: String,
    repeated: bool,
}

/// Reads a status for clap.
fn status(text: &str) -> Result<StatusCode, String> {
    text.parse().ok().and_then(StatusCode::from_number).ok_or_else(|| {
        let codes: Vec<String> =
            StatusCode::ALL.iter().map(|code| format!("{code} {}", code.name_en())).collect();
        format!("there is no such status; write one of {}", codes.join(", "))
    })
}

/// Reads a status that may be reported on every document: without a reason, by the recipient.
pub(super) fn without_reason(text: &str) -> Result<StatusCode, String> {
    let code = status(text)?;
    if code.needs_reason() || !code.by_recipient() {
        return Err(format!(
            "{code} ({}) is reported on one document, with a reason: lienthong inbox report",
            code.name_en()
        ));
    }
    Ok(code)
}

/// Reports.
///
/// # Errors
/// When there is no seal, the hub cannot be reached, or it refuses.
pub(super) async fn run(args: &ReportArgs, output: Output) -> anyhow::Result<ExitCode> {
    if args.status.needs_reason() && args.reason.trim().is_empty() {
        let vi = format!("trạng thái {} phải kèm lý do", args.status);
        return Err(Usage::new(vi, format!("status {} needs a reason", args.status))
            .remedy("nêu lý do bằng --reason NỘI_DUNG", "give it with --reason TEXT")
            .into());
    }
    let connected = args.connect.connect().await?;
    let seal = connected.agency.seal()?.ok_or_else(no_seal)?;
    let from = match &args.agency {
        Some(code) => code.clone(),
        None => connected.agency.code()?,
    };
    let about = (args.sender.clone(), args.id);
    let report = StatusReport::new(connected.client.new_id(), from, about, args.status)
        .because(&args.reason);
    let receipt = connected.client.report(sign_report(&report, &[&seal])).await?;
    output::one(output, &ReceiptView::of(&receipt, args.status), |view| {
        output::pairs(&[
            ("trục nhận / accepted", format!("#{}", view.position)),
            (
                "trạng thái / status",
                format!("{} {} / {}", view.status, args.status.name_vi(), args.status.name_en()),
            ),
            ("mã / id", view.id.clone()),
            ("lúc / at", view.received_at.clone()),
        ])
    })?;
    Ok(ExitCode::SUCCESS)
}

impl ReceiptView {
    fn of(receipt: &StatusReceipt, status: StatusCode) -> Self {
        Self {
            reporter: receipt.reporter.to_string(),
            id: receipt.id.to_string(),
            status: status.to_string(),
            position: receipt.position.0,
            received_at: receipt.received_at.to_string(),
            sha256: receipt.sha256.to_string(),
            repeated: receipt.repeated,
        }
    }
}
