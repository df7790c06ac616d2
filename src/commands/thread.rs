//! `lienthong thread`: the case that a document belongs to.

use std::fmt::Write as _;
use std::process::ExitCode;

use clap::Args;
use lienthong_client::{Thread, ThreadDocument};
use lienthong_model::{AgencyCode, MessageId};
use serde::Serialize;

use crate::cli::Output;
use crate::connect::ConnectArgs;
use crate::output;

/// Show the case that a document belongs to / hồ sơ trao đổi của văn bản
///
/// What it answers, what answers it, and so on, as far as the agency is a party to each.
#[derive(Debug, Args)]
pub(crate) struct ThreadArgs {
    /// The sender's code
    sender: AgencyCode,
    /// The id of any document of the case
    id: MessageId,
    #[command(flatten)]
    connect: ConnectArgs,
}

#[derive(Debug, Serialize)]
struct ThreadView {
    documents: Vec<DocumentView>,
    truncated: bool,
}

#[derive(Debug, Serialize)]
struct DocumentView {
    position: u64,
    received_at: String,
    sender: String,
    id: String,
    reference: String,
    subject: String,
    answers: Vec<u64>,
    unresolved: Vec<String>,
}

/// Shows a case.
///
/// # Errors
/// When the hub cannot be reached, or there is no such document that the caller may see.
pub(crate) async fn run(args: ThreadArgs, output: Output) -> anyhow::Result<ExitCode> {
    let connected = args.connect.connect().await?;
    let thread = connected.client.thread(&args.sender, args.id).await?;
    output::one(output, &ThreadView::from(&thread), text)?;
    Ok(ExitCode::SUCCESS)
}

impl From<&Thread> for ThreadView {
    fn from(thread: &Thread) -> Self {
        let documents = thread.documents.iter().map(DocumentView::from).collect();
        Self { documents, truncated: thread.truncated }
    }
}

impl From<&ThreadDocument> for DocumentView {
    fn from(document: &ThreadDocument) -> Self {
        Self {
            position: document.position.0,
            received_at: document.received_at.to_string(),
            sender: document.sender.to_string(),
            id: document.id.to_string(),
            reference: document.reference.clone(),
            subject: document.subject.clone(),
            answers: document.answers.iter().map(|position| position.0).collect(),
            unresolved: document.unresolved.clone(),
        }
    }
}

fn text(view: &ThreadView) -> String {
    let mut text = String::new();
    for document in &view.documents {
        let DocumentView { position, received_at, sender, reference, subject, id, .. } = document;
        let _ = writeln!(text, "#{position}  {received_at}  {sender}  {reference}");
        let _ = writeln!(text, "    {subject}\n    {id}");
        for answered in &document.answers {
            let _ = writeln!(text, "    ↑ trả lời / answers #{answered}");
        }
        for reference in &document.unresolved {
            let _ = writeln!(text, "    ↑ trả lời / answers {reference} (không thấy / not seen)");
        }
    }
    if view.truncated {
        text.push_str("… còn nữa / there are more\n");
    }
    text
}
