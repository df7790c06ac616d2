//! `lienthong inbox`: receives documents, verifies them, keeps them, acknowledges, reports.
//!
//! A document is acknowledged only when it is on this machine's disk, synced. What does not verify
//! is neither kept nor acknowledged.

mod report;
mod taking;
mod view;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Subcommand};
use lienthong_client::Subscription;
use lienthong_model::{AgencyCode, StatusCode};

pub(crate) use self::taking::no_seal;
use self::taking::{Outcome, Taker};
use self::view::DocumentView;
use crate::cli::Output;
use crate::connect::ConnectArgs;
use crate::output;
use crate::say;
use crate::stop::Stop;

/// Deliveries that may wait here for their acknowledgement.
const CREDIT: u32 = 64;
/// How long the last acknowledgements are waited for.
const CLOSE_MAX: std::time::Duration = std::time::Duration::from_secs(5);

/// Receive, verify, keep and acknowledge documents, report statuses / nhận văn bản
#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(crate) struct InboxArgs {
    #[command(subcommand)]
    command: Option<InboxCommand>,
    /// Go on receiving until SIGINT or SIGTERM
    #[arg(long)]
    follow: bool,
    /// Stop after so many documents; default: all that waits, with --follow none
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    limit: Option<u64>,
    /// Folder in which documents are kept, one folder a document
    #[arg(long, value_name = "DIR", default_value = "inbox", env = "LIENTHONG_INBOX")]
    save: PathBuf,
    /// Only show: neither keep, nor acknowledge, nor report; what was shown comes again after 60 s
    #[arg(long, conflicts_with_all = ["report", "follow"])]
    peek: bool,
    /// Statuses to report on every document, in order: 01,03 (signed with the seal)
    #[arg(long, value_name = "CODES", value_delimiter = ',', value_parser = report::without_reason)]
    report: Vec<StatusCode>,
    /// Mailboxes wanted; default: the agency's own, with --follow all that its node serves
    #[arg(long, value_name = "CODE", value_delimiter = ',')]
    agency: Vec<AgencyCode>,
    #[command(flatten)]
    connect: ConnectArgs,
}

#[derive(Debug, Subcommand)]
enum InboxCommand {
    /// Report one status on one document / báo trạng thái
    Report(Box<report::ReportArgs>),
}

/// Runs the command; exit code 1 when a document did not verify or a report was refused.
///
/// # Errors
/// When the hub cannot be reached or a document cannot be kept.
pub(crate) async fn run(args: InboxArgs, output: Output) -> anyhow::Result<ExitCode> {
    if let Some(InboxCommand::Report(args)) = args.command {
        return report::run(&args, output).await;
    }
    let taker = Taker::new(args.connect.connect().await?, &args.report, keep_in(&args))?;
    let mut printer = Printer { output, follow: args.follow, collected: Vec::new(), bad: false };
    if args.follow {
        follow(&args, &taker, &mut printer).await?;
    } else {
        pull(&args, &taker, &mut printer).await?;
    }
    printer.finish()
}

fn keep_in(args: &InboxArgs) -> Option<PathBuf> {
    (!args.peek).then(|| args.save.clone())
}

/// Takes what waits in the mailboxes.
async fn pull(args: &InboxArgs, taker: &Taker, printer: &mut Printer) -> anyhow::Result<()> {
    let mailboxes = match args.agency.as_slice() {
        [] => vec![taker.own_code()?],
        named => named.to_vec(),
    };
    let mut left = args.limit.unwrap_or(u64::MAX);
    for mailbox in mailboxes {
        while left > 0 {
            let max = usize::try_from(left.min(u64::from(CREDIT))).unwrap_or(1);
            let deliveries = taker.client().pull(&mailbox, max).await?;
            let empty = deliveries.is_empty();
            for delivery in deliveries {
                let mut outcome = taker.take(&delivery).await?;
                if outcome.kept() {
                    let refused =
                        taker.client().acknowledge(std::slice::from_ref(&delivery.key)).await?;
                    outcome.acknowledged(refused.into_iter().next().map(|(_, refusal)| refusal));
                    taker.report(&delivery, &mut outcome).await?;
                }
                printer.print(outcome)?;
                left = left.saturating_sub(1);
            }
            // What is only looked at stays where it is: a second look would show the same again.
            if empty || args.peek {
                break;
            }
        }
    }
    Ok(())
}

/// Receives until a signal, or until the limit.
async fn follow(args: &InboxArgs, taker: &Taker, printer: &mut Printer) -> anyhow::Result<()> {
    let mut stop = Stop::new()?;
    let mut subscription = taker.client().subscribe(&args.agency, CREDIT).await?;
    let codes: Vec<String> = subscription.agencies().iter().map(ToString::to_string).collect();
    anstream::eprintln!("đang nhận cho / receiving for: {}", shortened(&codes));
    let mut left = args.limit.unwrap_or(u64::MAX);
    while left > 0 {
        let next = tokio::select! {
            next = subscription.next() => next,
            () = stop.asked() => break,
        };
        let delivery = match next {
            None => break,
            Some(Ok(delivery)) => delivery,
            Some(Err(error @ lienthong_client::CallError::Answer { .. })) => {
                anstream::eprintln!("lỗi / error: {error}");
                printer.bad = true;
                continue;
            }
            Some(Err(error)) => return Err(error.into()),
        };
        let outcome = one(taker, &subscription, &delivery).await?;
        printer.print(outcome)?;
        left -= 1;
    }
    subscription.close(CLOSE_MAX).await;
    Ok(())
}

async fn one(
    taker: &Taker,
    subscription: &Subscription,
    delivery: &lienthong_client::Delivery,
) -> anyhow::Result<Outcome> {
    let mut outcome = taker.take(delivery).await?;
    if !outcome.kept() {
        let negative = outcome.negative(delivery.key.clone());
        subscription.negative_acknowledge(negative).await?;
        return Ok(outcome);
    }
    match subscription.acknowledge(std::slice::from_ref(&delivery.key)).await {
        Ok(()) => outcome.acknowledged(None),
        Err(lienthong_client::CallError::Refused(refusal)) => outcome.acknowledged(Some(refusal)),
        Err(error) => return Err(error.into()),
    }
    taker.report(delivery, &mut outcome).await?;
    Ok(outcome)
}

fn shortened(codes: &[String]) -> String {
    match codes.get(..8) {
        Some(first) if codes.len() > 8 => format!("{} … ({})", first.join(", "), codes.len()),
        _ => codes.join(", "),
    }
}

/// Prints documents as they come; a JSON array at the end where one was asked for.
struct Printer {
    output: Output,
    follow: bool,
    collected: Vec<DocumentView>,
    bad: bool,
}

impl Printer {
    fn print(&mut self, outcome: Outcome) -> anyhow::Result<()> {
        for refusal in outcome.refusals() {
            self.bad = true;
            if self.output == Output::Table {
                anstream::eprintln!("{}", say::refused(refusal).trim_end());
            }
        }
        let view = outcome.into_view();
        match self.output {
            Output::Table => output::print(&(view.text() + "\n")),
            Output::Json if !self.follow => {
                self.collected.push(view);
                Ok(())
            }
            Output::Json | Output::Jsonl | Output::Csv => {
                output::print(&(serde_json::to_string(&view)? + "\n"))
            }
        }
    }

    fn finish(self) -> anyhow::Result<ExitCode> {
        if self.output == Output::Json && !self.follow {
            output::many(self.output, &self.collected, |_| String::new())?;
        }
        Ok(ExitCode::from(u8::from(self.bad)))
    }
}
