//! `lienthong progress`: how far a document's recipients are, and waiting for them.

use std::fmt::Write as _;
use std::process::ExitCode;
use std::time::Duration;

use clap::Args;
use lienthong_client::{Enough, ProgressCounts, ProgressGoal, RecipientProgress, Stage};
use lienthong_model::{AgencyCode, MessageId};
use serde::Serialize;

use crate::cli::Output;
use crate::connect::{ConnectArgs, span};
use crate::output::{self, thousands};

/// Show how far a document's recipients are / tiến độ xử lý của các nơi nhận
///
/// Counts, and the recipients that have not come as far as asked. For the sender. With --wait-for
/// the command ends when enough of them have, with exit code 1 when the time is over before.
#[derive(Debug, Args)]
pub(crate) struct ProgressArgs {
    /// The sender's code
    sender: AgencyCode,
    /// The message's id, as `lienthong send` printed it
    id: MessageId,
    /// List the recipients that are so far; repeatable or separated by commas
    #[arg(long, value_name = "STAGE", value_delimiter = ',', value_enum)]
    list: Vec<StageArg>,
    /// Wait until this share (0.9) or number (34) of the recipients has reached --stage
    #[arg(long = "wait-for", value_name = "SHARE", value_parser = enough)]
    wait_for: Option<EnoughArg>,
    /// The stage to wait for
    #[arg(long, value_enum, default_value = "acknowledged", requires = "wait_for")]
    stage: StageArg,
    /// How long to wait, at most 10min
    #[arg(long, value_name = "SPAN", default_value = "10min", value_parser = span)]
    timeout: Duration,
    #[command(flatten)]
    connect: ConnectArgs,
}

/// How far a recipient is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum StageArg {
    /// In the mailbox, not picked up
    Waiting,
    /// On the recipient's disk, nothing reported
    Acknowledged,
    /// 01
    Arrived,
    /// 03, 04 or 05
    Accepted,
    /// 06
    Finished,
    /// 02
    Refused,
    /// Taken back, or replaced
    Withdrawn,
}

/// Remind the recipients that lag / nhắc các nơi nhận chậm
///
/// Every recipient that has not reached the stage gets a notice; at most once a day for each
/// document. For the sender.
#[derive(Debug, Args)]
pub(crate) struct RemindArgs {
    /// The sender's code
    sender: AgencyCode,
    /// The message's id, as `lienthong send` printed it
    id: MessageId,
    /// What they should have done: acknowledged, accepted or finished
    #[arg(long, value_enum, default_value = "finished")]
    stage: StageArg,
    #[command(flatten)]
    connect: ConnectArgs,
}

#[derive(Debug, Serialize)]
struct RemindedView {
    reminded: u32,
}

#[derive(Debug, Clone, Copy)]
struct EnoughArg(Enough);

/// Reads a share or a number.
fn enough(text: &str) -> Result<EnoughArg, String> {
    if let Ok(count) = text.parse::<u32>()
        && count > 1
    {
        return Ok(EnoughArg(Enough::Count(count)));
    }
    match text.parse::<f64>() {
        Ok(share) if share > 0.0 && share <= 1.0 => Ok(EnoughArg(Enough::Share(share))),
        _ => Err("write a share above 0 and at most 1 (`0.9`), or a number from 2".to_owned()),
    }
}

/// Counts as JSON shows them.
#[derive(Debug, Serialize)]
pub(crate) struct CountsView {
    recipients: u32,
    pending: u32,
    waiting: u32,
    acknowledged: u32,
    arrived: u32,
    accepted: u32,
    finished: u32,
    refused: u32,
    withdrawn: u32,
    overdue: u32,
}

#[derive(Debug, Serialize)]
struct ProgressView {
    sender: String,
    id: String,
    #[serde(flatten)]
    counts: CountsView,
    /// Whether the goal was reached; none when nothing was waited for.
    reached: Option<bool>,
    recipients_listed: Vec<RecipientView>,
}

#[derive(Debug, Serialize)]
struct RecipientView {
    code: String,
    stage: &'static str,
    since: String,
    reason: String,
}

/// Shows progress, and waits for it.
///
/// # Errors
/// When the hub cannot be reached, or the document is not the caller's.
pub(crate) async fn run(args: ProgressArgs, output: Output) -> anyhow::Result<ExitCode> {
    let connected = args.connect.connect().await?;
    let client = &connected.client;
    let mut reached = None;
    if let Some(EnoughArg(enough)) = args.wait_for {
        let goal = ProgressGoal { stage: args.stage.stage(), enough, timeout: args.timeout };
        let told = |counts: ProgressCounts| {
            let done = counts.recipients - counts.pending - counts.waiting;
            anstream::eprintln!("{done}/{}", counts.recipients);
        };
        reached = Some(client.wait_for_progress(&args.sender, args.id, goal, told).await?.reached);
    }
    let stages: Vec<Stage> = args.list.iter().map(|stage| stage.stage()).collect();
    let (counts, recipients) = client.progress(&args.sender, args.id, &stages).await?;
    let view = ProgressView {
        sender: args.sender.to_string(),
        id: args.id.to_string(),
        counts: CountsView::from(counts),
        reached,
        recipients_listed: recipients.iter().map(RecipientView::from).collect(),
    };
    output::one(output, &view, text)?;
    Ok(if reached == Some(false) { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

/// Reminds laggards.
///
/// # Errors
/// When the hub cannot be reached, or refuses.
pub(crate) async fn remind(args: RemindArgs, output: Output) -> anyhow::Result<ExitCode> {
    let connected = args.connect.connect().await?;
    let stage = args.stage.stage();
    let reminded = connected.client.remind(&args.sender, args.id, stage).await?;
    output::one(output, &RemindedView { reminded }, |view| {
        format!("đã nhắc / reminded: {}\n", thousands(view.reminded.into()))
    })?;
    Ok(ExitCode::SUCCESS)
}

impl StageArg {
    fn stage(self) -> Stage {
        match self {
            Self::Waiting => Stage::Waiting,
            Self::Acknowledged => Stage::Acknowledged,
            Self::Arrived => Stage::Arrived,
            Self::Accepted => Stage::Accepted,
            Self::Finished => Stage::Finished,
            Self::Refused => Stage::Refused,
            Self::Withdrawn => Stage::Withdrawn,
        }
    }
}

fn stage_name(stage: Stage) -> &'static str {
    match stage {
        Stage::Waiting => "waiting",
        Stage::Acknowledged => "acknowledged",
        Stage::Arrived => "arrived",
        Stage::Accepted => "accepted",
        Stage::Finished => "finished",
        Stage::Refused => "refused",
        Stage::Withdrawn => "withdrawn",
    }
}

impl From<ProgressCounts> for CountsView {
    fn from(counts: ProgressCounts) -> Self {
        Self {
            recipients: counts.recipients,
            pending: counts.pending,
            waiting: counts.waiting,
            acknowledged: counts.acknowledged,
            arrived: counts.arrived,
            accepted: counts.accepted,
            finished: counts.finished,
            refused: counts.refused,
            withdrawn: counts.withdrawn,
            overdue: counts.overdue,
        }
    }
}

impl From<&RecipientProgress> for RecipientView {
    fn from(recipient: &RecipientProgress) -> Self {
        Self {
            code: recipient.code.to_string(),
            stage: stage_name(recipient.stage),
            since: recipient.since.to_string(),
            reason: recipient.reason.clone(),
        }
    }
}

/// Writes counts, a line each; those that are 0 are left out.
pub(crate) fn counts_text(counts: &CountsView) -> String {
    let lines = [
        ("nơi nhận / recipients", counts.recipients),
        ("đang chuyển / fan-out under way", counts.pending),
        ("chờ nhận / waiting", counts.waiting),
        ("đã nhận / acknowledged", counts.acknowledged),
        ("đã đến / arrived (01)", counts.arrived),
        ("đang xử lý / accepted (03-05)", counts.accepted),
        ("hoàn thành / finished (06)", counts.finished),
        ("từ chối / refused (02)", counts.refused),
        ("hết hiệu lực / withdrawn", counts.withdrawn),
        ("quá hạn / overdue", counts.overdue),
    ];
    let shown =
        lines.into_iter().enumerate().filter(|(place, (_, count))| *place == 0 || *count > 0);
    let shown: Vec<(&str, String)> =
        shown.map(|(_, (name, count))| (name, thousands(count.into()))).collect();
    output::pairs(&shown)
}

fn text(view: &ProgressView) -> String {
    let mut text = counts_text(&view.counts);
    match view.reached {
        Some(true) => text.push_str("\nđã đủ / reached\n"),
        Some(false) => text.push_str("\nhết thời gian chờ / the time is over\n"),
        None => {}
    }
    if view.recipients_listed.is_empty() {
        return text;
    }
    let mut table = output::table(["Mã\ncode", "Mức\nstage", "Từ\nsince", "Lý do\nreason"]);
    for recipient in &view.recipients_listed {
        let RecipientView { code, stage, since, reason } = recipient;
        table.add_row([code.as_str(), stage, since, reason]);
    }
    let _ = write!(text, "\n{}", output::text_of(&table));
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn enough_is_a_share_or_a_number() {
        assert!(matches!(enough("0.9").unwrap().0, Enough::Share(share) if share == 0.9));
        assert!(matches!(enough("1").unwrap().0, Enough::Share(share) if share == 1.0));
        assert!(matches!(enough("34").unwrap().0, Enough::Count(34)));
        for text in ["0", "-1", "1.5", "x", ""] {
            assert!(enough(text).is_err(), "{text}");
        }
    }
}
