//! `lienthong notices`: what the hub tells the agency beside documents.
//!
//! A notice is acknowledged when it was printed; `--peek` leaves it where it is.

use std::process::ExitCode;

use clap::Args;
use lienthong_client::{DocumentCheck, Notice};
use lienthong_model::AgencyCode;
use serde::Serialize;

use crate::cli::Output;
use crate::connect::{ConnectArgs, Connected};
use crate::output;
use crate::say;
use crate::stop::Stop;

/// Notices that may wait here for their acknowledgement.
const CREDIT: u32 = 64;
/// How long the last acknowledgements are waited for.
const CLOSE_MAX: std::time::Duration = std::time::Duration::from_secs(5);

/// Show what recipients reported and senders ask, acknowledge it / thông báo
///
/// A report is verified again from its signed bytes. What was printed is acknowledged and does not
/// come again.
#[derive(Debug, Args)]
pub(crate) struct NoticesArgs {
    /// Go on until SIGINT or SIGTERM
    #[arg(long)]
    follow: bool,
    /// Stop after so many notices
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    limit: Option<u64>,
    /// Only show; what was shown comes again after 60 s
    #[arg(long, conflicts_with = "follow")]
    peek: bool,
    /// Agencies whose notices are wanted; default: the agency's own, with --follow all that its
    /// node serves
    #[arg(long, value_name = "CODE", value_delimiter = ',')]
    agency: Vec<AgencyCode>,
    #[command(flatten)]
    connect: ConnectArgs,
}

#[derive(Debug, Serialize)]
struct NoticeView {
    agency: String,
    number: u64,
    kind: &'static str,
    at: String,
    sender: String,
    document: String,
    position: u64,
    recipient: String,
    status: Option<String>,
    reason: String,
    cause: Option<String>,
    /// Whether the signed report verifies; none when there is none.
    verified: Option<bool>,
    #[serde(skip)]
    text: String,
}

/// Runs the command; exit code 1 when a report did not verify.
///
/// # Errors
/// When the hub cannot be reached.
pub(crate) async fn run(args: NoticesArgs, output: Output) -> anyhow::Result<ExitCode> {
    let connected = args.connect.connect().await?;
    let check = DocumentCheck::new(&connected.roots)?;
    let mut printer = Printer { output, check, collected: Vec::new(), bad: false };
    match args.follow {
        true => follow(&args, &connected, &mut printer).await?,
        false => pull(&args, &connected, &mut printer).await?,
    }
    printer.finish(args.follow)
}

/// Takes what waits.
async fn pull(
    args: &NoticesArgs,
    connected: &Connected,
    printer: &mut Printer,
) -> anyhow::Result<()> {
    let agencies = match args.agency.as_slice() {
        [] => vec![connected.agency.code()?],
        named => named.to_vec(),
    };
    let mut left = args.limit.unwrap_or(u64::MAX);
    for agency in agencies {
        while left > 0 {
            let max = usize::try_from(left.min(u64::from(CREDIT))).unwrap_or(1);
            let notices = connected.client.pull_notices(&agency, max).await?;
            let numbers: Vec<u64> = notices.iter().map(|notice| notice.key.number).collect();
            for notice in &notices {
                printer.print(connected, notice, false).await?;
                left = left.saturating_sub(1);
            }
            if !args.peek {
                connected.client.acknowledge_notices(&agency, &numbers).await?;
            }
            if numbers.is_empty() || args.peek {
                break;
            }
        }
    }
    Ok(())
}

/// Receives until a signal, or until the limit.
async fn follow(
    args: &NoticesArgs,
    connected: &Connected,
    printer: &mut Printer,
) -> anyhow::Result<()> {
    let mut stop = Stop::new()?;
    let mut notices = connected.client.subscribe_to_notices(&args.agency, CREDIT).await?;
    let mut left = args.limit.unwrap_or(u64::MAX);
    while left > 0 {
        let next = tokio::select! {
            next = notices.next() => next,
            () = stop.asked() => break,
        };
        let Some(notice) = next.transpose()? else { break };
        printer.print(connected, &notice, true).await?;
        notices.acknowledge(&[notice.key]).await?;
        left -= 1;
    }
    notices.close(CLOSE_MAX).await;
    Ok(())
}

/// Prints notices as they come; a JSON array at the end where one was asked for.
struct Printer {
    output: Output,
    check: DocumentCheck,
    collected: Vec<NoticeView>,
    bad: bool,
}

impl Printer {
    async fn print(
        &mut self,
        connected: &Connected,
        notice: &Notice,
        at_once: bool,
    ) -> anyhow::Result<()> {
        let verified = self.verified(connected, notice).await?;
        self.bad |= verified == Some(false);
        let view = NoticeView::of(notice, verified);
        match self.output {
            Output::Table => output::print(&view.text),
            Output::Json if !at_once => {
                self.collected.push(view);
                Ok(())
            }
            Output::Json | Output::Jsonl | Output::Csv => {
                output::print(&(serde_json::to_string(&view)? + "\n"))
            }
        }
    }

    /// Whether the signed report holds; none when there is none.
    async fn verified(
        &self,
        connected: &Connected,
        notice: &Notice,
    ) -> anyhow::Result<Option<bool>> {
        let Some(report) = notice.cause.as_ref().and_then(|cause| cause.report.as_ref()) else {
            return Ok(None);
        };
        // The reporter is the recipient, or for a recall the sender; its gateway may have signed.
        let reporter = match report.code.by_recipient() {
            true => &notice.recipient,
            false => &notice.sender,
        };
        let entry = connected.client.agency_at(reporter, notice.at).await?;
        let gateway = entry.and_then(|entry| entry.gateway).map(|gateway| gateway.key());
        match self.check.check_report(report, notice.at, gateway.as_ref()) {
            Ok(_) => Ok(Some(true)),
            Err(refusal) => {
                anstream::eprintln!("{}", say::refused(&refusal).trim_end());
                Ok(Some(false))
            }
        }
    }

    fn finish(self, at_once: bool) -> anyhow::Result<ExitCode> {
        if self.output == Output::Json && !at_once {
            output::many(self.output, &self.collected, |_| String::new())?;
        }
        Ok(ExitCode::from(u8::from(self.bad)))
    }
}

impl NoticeView {
    fn of(notice: &Notice, verified: Option<bool>) -> Self {
        let cause = notice.cause.as_ref();
        let status = cause.and_then(|cause| cause.report.as_ref()).map(|report| report.code);
        let reason = cause.map(|cause| cause.reason.clone()).unwrap_or_default();
        let said = match status {
            Some(code) => format!("{code} {} / {}", code.name_vi(), code.name_en()),
            None => format!("{} / {}", notice.kind.name_vi(), notice.kind.name()),
        };
        let why = if reason.is_empty() { String::new() } else { format!(": {reason}") };
        let signed = match verified {
            Some(false) => "  CHỮ KÝ KHÔNG HỢP LỆ / SIGNATURE NOT VALID",
            Some(true) | None => "",
        };
        let text = format!(
            "{}  #{}  {} {}  → {}  {said}{why}{signed}\n",
            notice.at, notice.key.number, notice.sender, notice.document, notice.recipient
        );
        Self {
            agency: notice.key.agency.to_string(),
            number: notice.key.number,
            kind: notice.kind.name(),
            at: notice.at.to_string(),
            sender: notice.sender.to_string(),
            document: notice.document.to_string(),
            position: notice.position.0,
            recipient: notice.recipient.to_string(),
            status: status.map(|code| code.to_string()),
            reason,
            cause: cause.map(|cause| cause.id.to_string()),
            verified,
            text,
        }
    }
}
