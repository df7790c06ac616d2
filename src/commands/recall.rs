//! `lienthong recall`: asks to take a document back (status 13).

use std::process::ExitCode;

use clap::Args;
use lienthong_client::{StatusReceipt, sign_report};
use lienthong_model::{AgencyCode, MessageId, StatusCode, StatusReport};
use serde::Serialize;

use crate::change_view::OutcomeView;
use crate::cli::Output;
use crate::commands::inbox::no_seal;
use crate::connect::ConnectArgs;
use crate::output;

/// Take a document back / thu hồi văn bản
///
/// Where the document was not picked up it is withdrawn at once; where it was, the recipient must
/// agree (15) or refuse (16); where it was finished or refused it is too late. Signed with the seal
/// of the agency's folder. To take a document back by another document: `lienthong send --recalls`.
#[derive(Debug, Args)]
pub(crate) struct RecallArgs {
    /// The sender's code
    sender: AgencyCode,
    /// The message's id, as `lienthong send` printed it
    id: MessageId,
    /// Why
    #[arg(long, value_name = "TEXT")]
    reason: String,
    /// Recipients meant, separated by commas or repeated; default: all
    #[arg(long, value_name = "CODE", value_delimiter = ',')]
    recipients: Vec<AgencyCode>,
    #[command(flatten)]
    connect: ConnectArgs,
}

#[derive(Debug, Serialize)]
struct RecallView {
    id: String,
    position: u64,
    received_at: String,
    repeated: bool,
    changes: Vec<OutcomeView>,
}

/// Runs the command.
///
/// # Errors
/// When the folder has no seal, the hub cannot be reached, or it refuses.
pub(crate) async fn run(args: RecallArgs, output: Output) -> anyhow::Result<ExitCode> {
    let connected = args.connect.connect().await?;
    let seal = connected.agency.seal()?.ok_or_else(no_seal)?;
    let id = connected.client.new_id();
    let about = (args.sender.clone(), args.id);
    let report = StatusReport::new(id, args.sender, about, StatusCode::RecallRequested);
    let report = StatusReport { recipients: args.recipients, ..report.because(args.reason) };
    let receipt = connected.client.report(sign_report(&report, &[&seal])).await?;
    output::one(output, &RecallView::from(&receipt), text)?;
    Ok(ExitCode::SUCCESS)
}

impl From<&StatusReceipt> for RecallView {
    fn from(receipt: &StatusReceipt) -> Self {
        Self {
            id: receipt.id.to_string(),
            position: receipt.position.0,
            received_at: receipt.received_at.to_string(),
            repeated: receipt.repeated,
            changes: receipt.changes.iter().map(OutcomeView::from).collect(),
        }
    }
}

fn text(view: &RecallView) -> String {
    let mut lines = vec![
        ("trục nhận / accepted", format!("#{}  {}", view.position, view.received_at)),
        ("mã / id", view.id.clone()),
    ];
    lines.extend(view.changes.iter().map(|one| ("→ nơi nhận / recipient", one.text())));
    output::pairs(&lines)
}
