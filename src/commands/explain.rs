//! `lienthong explain` and `lienthong stuck`: why a document is where it is, and what waits longest.

use std::fmt::Write as _;
use std::process::ExitCode;

use clap::Args;
use lienthong_client::{
    ExplainedEvent, Explanation, Text, Wait, WaitingDocument, WaitingDocuments,
};
use lienthong_model::{AgencyCode, MessageId};
use serde::Serialize;

use crate::cli::Output;
use crate::commands::progress::{CountsView, counts_text};
use crate::connect::ConnectArgs;
use crate::output;

/// Explain where a document is and why / giải thích văn bản đang ở đâu, vì sao
///
/// Everything that happened to it, in order, and what it waits for now: since when, why, who has to
/// act, and how. The sender sees all recipients, a recipient its own part. For an id that was only
/// ever refused: why it was refused last.
#[derive(Debug, Args)]
pub(crate) struct ExplainArgs {
    /// The sender's code
    sender: AgencyCode,
    /// The message's id, as `lienthong send` printed it
    id: MessageId,
    /// One recipient only
    #[arg(long, value_name = "CODE")]
    recipient: Option<AgencyCode>,
    #[command(flatten)]
    connect: ConnectArgs,
}

/// Show what waits longest / văn bản chờ lâu nhất
///
/// Documents in the agency's own mailbox, and those that it sent and others have not picked up,
/// longest first, with the cause and who has to act.
#[derive(Debug, Args)]
pub(crate) struct StuckArgs {
    /// Most documents of each kind
    #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u32).range(1..=1000))]
    limit: u32,
    #[command(flatten)]
    connect: ConnectArgs,
}

#[derive(Debug, Serialize)]
struct ExplainView {
    sender: String,
    id: String,
    subject: String,
    position: Option<u64>,
    progress: Option<CountsView>,
    events: Vec<EventView>,
    events_left_out: u32,
    waits: Vec<WaitView>,
}

/// An event, or what is waited for, on a line of its own.
#[derive(Debug, Serialize)]
struct ExplainLine<'v> {
    /// Which of the two it is: event, wait.
    part: &'static str,
    /// When it happened; since when.
    at: &'v str,
    /// What happened; the cause.
    kind: &'v str,
    recipient: Option<&'v str>,
    what: &'v TextView,
    why: &'v TextView,
    actor: Option<&'v str>,
    remedy: &'v TextView,
}

#[derive(Debug, Serialize)]
struct EventView {
    at: String,
    kind: String,
    recipient: Option<String>,
    what: TextView,
    why: TextView,
}

#[derive(Debug, Serialize)]
struct WaitView {
    recipient: Option<String>,
    since: String,
    cause: String,
    why: TextView,
    actor: Option<String>,
    remedy: TextView,
}

#[derive(Debug, Serialize)]
struct TextView {
    vi: String,
    en: String,
}

/// What a line has nothing to say of.
static NOTHING: TextView = TextView { vi: String::new(), en: String::new() };

#[derive(Debug, Serialize)]
struct StuckView {
    received: Vec<WaitingView>,
    sent: Vec<WaitingView>,
    truncated: bool,
}

/// A document that waits, on a line of its own.
#[derive(Debug, Serialize)]
struct StuckLine<'v> {
    /// Whether the agency has to pick it up, or sent it: received, sent.
    side: &'static str,
    #[serde(flatten)]
    document: &'v WaitingView,
}

#[derive(Debug, Serialize)]
struct WaitingView {
    sender: String,
    id: String,
    subject: String,
    recipients: u32,
    wait: Option<WaitView>,
}

/// Explains a document.
///
/// # Errors
/// When the hub cannot be reached, or there is no such document that the caller may see.
pub(crate) async fn run(args: ExplainArgs, output: Output) -> anyhow::Result<ExitCode> {
    let connected = args.connect.connect().await?;
    let recipient = args.recipient.as_ref();
    let explained = connected.client.explain(&args.sender, args.id, recipient).await?;
    let view = ExplainView::of(&args, &explained);
    let lines: Vec<ExplainLine<'_>> = view.lines().collect();
    output::sheet(output, &view, &lines, text)?;
    Ok(ExitCode::SUCCESS)
}

/// Shows what waits longest.
///
/// # Errors
/// When the hub cannot be reached.
pub(crate) async fn stuck(args: StuckArgs, output: Output) -> anyhow::Result<ExitCode> {
    let connected = args.connect.connect().await?;
    let waiting = connected.client.waiting(&connected.agency.code()?, args.limit).await?;
    let view = StuckView::from(&waiting);
    let lines: Vec<StuckLine<'_>> = view.lines().collect();
    output::sheet(output, &view, &lines, stuck_text)?;
    Ok(ExitCode::SUCCESS)
}

impl StuckView {
    fn lines(&self) -> impl Iterator<Item = StuckLine<'_>> {
        let received = self.received.iter().map(|document| ("received", document));
        let sent = self.sent.iter().map(|document| ("sent", document));
        received.chain(sent).map(|(side, document)| StuckLine { side, document })
    }
}

impl ExplainView {
    fn of(args: &ExplainArgs, explained: &Explanation) -> Self {
        Self {
            sender: args.sender.to_string(),
            id: args.id.to_string(),
            subject: explained.subject.clone(),
            position: explained.position.map(|position| position.0),
            progress: explained.progress.map(CountsView::from),
            events: explained.events.iter().map(EventView::from).collect(),
            events_left_out: explained.events_left_out,
            waits: explained.waits.iter().map(WaitView::from).collect(),
        }
    }

    fn lines(&self) -> impl Iterator<Item = ExplainLine<'_>> {
        let events = self.events.iter().map(|event| ExplainLine {
            part: "event",
            at: &event.at,
            kind: &event.kind,
            recipient: event.recipient.as_deref(),
            what: &event.what,
            why: &event.why,
            actor: None,
            remedy: &NOTHING,
        });
        let waits = self.waits.iter().map(|wait| ExplainLine {
            part: "wait",
            at: &wait.since,
            kind: &wait.cause,
            recipient: wait.recipient.as_deref(),
            what: &NOTHING,
            why: &wait.why,
            actor: wait.actor.as_deref(),
            remedy: &wait.remedy,
        });
        events.chain(waits)
    }
}

impl From<&ExplainedEvent> for EventView {
    fn from(event: &ExplainedEvent) -> Self {
        Self {
            at: event.at.to_string(),
            kind: event.kind.clone(),
            recipient: event.recipient.as_ref().map(ToString::to_string),
            what: TextView::from(&event.what),
            why: TextView::from(&event.why),
        }
    }
}

impl From<&Wait> for WaitView {
    fn from(wait: &Wait) -> Self {
        Self {
            recipient: wait.recipient.as_ref().map(ToString::to_string),
            since: wait.since.to_string(),
            cause: wait.cause.clone(),
            why: TextView::from(&wait.why),
            actor: wait.actor.as_ref().map(ToString::to_string),
            remedy: TextView::from(&wait.remedy),
        }
    }
}

impl From<&Text> for TextView {
    fn from(text: &Text) -> Self {
        Self { vi: text.vi.clone(), en: text.en.clone() }
    }
}

impl From<&WaitingDocuments> for StuckView {
    fn from(waiting: &WaitingDocuments) -> Self {
        let views = |documents: &[WaitingDocument]| {
            documents.iter().map(WaitingView::from).collect::<Vec<_>>()
        };
        Self {
            received: views(&waiting.received),
            sent: views(&waiting.sent),
            truncated: waiting.truncated,
        }
    }
}

impl From<&WaitingDocument> for WaitingView {
    fn from(document: &WaitingDocument) -> Self {
        Self {
            sender: document.sender.to_string(),
            id: document.id.to_string(),
            subject: document.subject.clone(),
            recipients: document.recipients,
            wait: document.wait.as_ref().map(WaitView::from),
        }
    }
}

impl TextView {
    /// Both languages on one line; once where they are the same.
    fn line(&self) -> String {
        match self.vi == self.en {
            true => self.vi.clone(),
            false => format!("{} / {}", self.vi, self.en),
        }
    }
}

fn text(view: &ExplainView) -> String {
    let mut head = vec![("văn bản / document", format!("{} {}", view.sender, view.id))];
    if !view.subject.is_empty() {
        head.push(("trích yếu / subject", view.subject.clone()));
    }
    let mut text = output::pairs(&head);
    if let Some(counts) = &view.progress {
        let _ = write!(text, "\n{}", counts_text(counts));
    }
    text.push_str("\nDiễn biến / what happened\n");
    if view.events_left_out > 0 {
        let _ = writeln!(text, "  … {} việc trước đó / events before", view.events_left_out);
    }
    for event in &view.events {
        let recipient = event.recipient.as_ref().map(|code| format!("→ {code}  "));
        let recipient = recipient.unwrap_or_default();
        let _ = writeln!(text, "  {}  {recipient}{}", event.at, event.what.line());
        let why = event.why.line();
        if !why.is_empty() {
            let _ = writeln!(text, "      {why}");
        }
    }
    text.push_str(&waits_text(&view.waits));
    text
}

fn waits_text(waits: &[WaitView]) -> String {
    if waits.is_empty() {
        return "\nKhông chờ gì nữa / waits for nothing\n".to_owned();
    }
    let mut text = "\nĐang chờ / what it waits for\n".to_owned();
    for wait in waits {
        let recipient = wait.recipient.as_ref().map(|code| format!("→ {code}  "));
        let recipient = recipient.unwrap_or_default();
        let since = &wait.since;
        let _ = writeln!(text, "  từ / since {since}  {recipient}{}", wait.why.line());
        let actor = wait.actor.as_deref().unwrap_or("–");
        let _ = writeln!(text, "      ai / who: {actor}; {}", wait.remedy.line());
    }
    text
}

fn stuck_text(view: &StuckView) -> String {
    let mut text = String::new();
    for (title, documents) in
        [("Cần nhận / to pick up", &view.received), ("Đã gửi, chưa được nhận / sent", &view.sent)]
    {
        let _ = writeln!(text, "{title}: {}", documents.len());
        for document in documents {
            let _ = writeln!(text, "  {} {}  {}", document.sender, document.id, document.subject);
            let Some(wait) = &document.wait else { continue };
            let others = match document.recipients {
                0 | 1 => String::new(),
                count => format!(" (+{})", count - 1),
            };
            let recipient = wait.recipient.as_deref().unwrap_or("–");
            let _ = writeln!(
                text,
                "      từ / since {}  → {recipient}{others}: {}",
                wait.since,
                wait.why.line()
            );
            let actor = wait.actor.as_deref().unwrap_or("–");
            let _ = writeln!(text, "      ai / who: {actor}; {}", wait.remedy.line());
        }
    }
    if view.truncated {
        text.push_str("… còn nữa / there are more\n");
    }
    text
}
