//! `lienthong track`: what became of a document, as a time line.

use std::fmt::Write as _;
use std::process::ExitCode;

use clap::Args;
use lienthong_client::{Route, TrackedDelivery, TrackedDocument, TrackedStatus};
use lienthong_core::{Directory, DocumentView};
use lienthong_hub::OpenFolder;
use lienthong_model::{AgencyCode, MessageId, Timestamp};
use serde::Serialize;

use crate::change_view::{
    ActsOnView, MarkView, MentionView, MessageView, NegativeView, open_codes, open_text,
};
use crate::cli::Output;
use crate::commands::route::{route_name, route_text};
use crate::output;
use crate::revocation;
use crate::say::Usage;
use crate::source::{Source, SourceArgs};

/// Show what became of a document / theo dõi văn bản
///
/// Through the hub, the sender sees every delivery, a recipient its own, nobody else anything. A
/// data folder (--data) shows everything.
#[derive(Debug, Args)]
pub(crate) struct TrackArgs {
    /// The sender's code
    sender: AgencyCode,
    /// The message's id, as `lienthong send` printed it
    id: MessageId,
    #[command(flatten)]
    source: SourceArgs,
}

#[derive(Debug, Serialize)]
struct TrackView {
    sender: String,
    id: String,
    position: u64,
    received_at: String,
    signed_at: String,
    due: Option<String>,
    sha256: String,
    signature: &'static str,
    subject: String,
    reference: String,
    document_type: &'static str,
    urgency: &'static str,
    /// `proven`, `not-proven` or `found-revoked`; none from an older hub.
    revocation: Option<&'static str>,
    same_reference: Option<MentionView>,
    acts_on: Option<ActsOnView>,
    changed: Option<MessageView>,
    /// How many recipients it has; 0 for whoever may not see all of them.
    recipients: u32,
    /// How many of them do not have it in their mailboxes yet.
    recipients_pending: u32,
    deliveries: Vec<DeliveryView>,
}

#[derive(Debug, Serialize)]
struct DeliveryView {
    recipient: String,
    route: &'static str,
    gateway: Option<String>,
    acknowledged_at: Option<String>,
    attempts: u32,
    statuses: Vec<StatusView>,
    mark: Option<MarkView>,
    asked: Option<MessageView>,
    open: Vec<String>,
    negative: Option<NegativeView>,
}

#[derive(Debug, Serialize)]
struct StatusView {
    code: String,
    name_vi: &'static str,
    name: &'static str,
    at: String,
    reason: String,
    position: u64,
}

/// Runs the command.
///
/// # Errors
/// When there is no such document that the caller may see.
pub(crate) async fn run(args: TrackArgs, output: Output) -> anyhow::Result<ExitCode> {
    let tracked = match args.source.open().await? {
        Source::Hub(client) => client.track(&args.sender, args.id).await?,
        Source::Folder(folder) => in_folder(&folder, &args)?,
    };
    output::one(output, &TrackView::from(&tracked), time_line)?;
    Ok(ExitCode::SUCCESS)
}

fn in_folder(folder: &OpenFolder, args: &TrackArgs) -> anyhow::Result<TrackedDocument> {
    let reader = folder.reader();
    let directory = reader.directory();
    let unknown = || {
        let (id, sender) = (&args.id, &args.sender);
        Usage::new(
            format!("thư mục dữ liệu không có văn bản {id} của {sender}"),
            format!("the data folder has no document {id} of {sender}"),
        )
        .remedy(
            "kiểm tra mã bên gửi và mã thông điệp mà `lienthong send` đã in",
            "check the sender's code and the id that `lienthong send` printed",
        )
    };
    let sender = directory.find(&args.sender).ok_or_else(unknown)?;
    let query = reader.query();
    let position = query.position(sender.ordinal, &args.id)?.ok_or_else(unknown)?;
    let view = query.track(position)?.ok_or_else(unknown)?;
    let progress = query.progress(position, &view.document)?;
    let tracked = of_view(view, &directory)?;
    Ok(TrackedDocument { recipients_pending: progress.pending, ..tracked })
}

fn of_view(view: DocumentView, directory: &Directory) -> anyhow::Result<TrackedDocument> {
    let row = view.document;
    let revocation = Some(row.revocation());
    let at = row.received_at;
    let code = |ordinal| AgencyCode::parse(&directory.code(ordinal, at));
    let delivery = |tracked: lienthong_core::TrackedDelivery| {
        let row = tracked.delivery;
        let status = |line: lienthong_core::StatusLine| TrackedStatus {
            code: line.code,
            at: line.at,
            reason: line.reason,
            position: line.position,
        };
        anyhow::Ok(TrackedDelivery {
            recipient: code(tracked.recipient)?,
            route: match row.route {
                lienthong_core::Route::OwnNode => Route::OwnNode,
                lienthong_core::Route::Gateway(gateway) => Route::Gateway(code(gateway)?),
                lienthong_core::Route::Held => Route::Held,
            },
            acknowledged_at: row.acknowledged_at,
            attempts: row.attempts,
            open: row.open_statuses(),
            mark: row.mark.as_ref().map(|mark| lienthong_client::DeliveryMark {
                standing: mark.standing,
                by: change_message(&mark.by),
            }),
            asked: row.asked.as_ref().map(change_message),
            negative: row.negative.as_ref().map(|said| {
                lienthong_client::NegativeAcknowledgements {
                    count: said.count,
                    last_at: said.at,
                    last_reason: said.reason.clone(),
                }
            }),
            statuses: row.statuses.into_iter().map(status).collect(),
        })
    };
    Ok(TrackedDocument {
        revocation,
        sender: code(row.sender)?,
        id: row.id,
        position: view.position,
        received_at: at,
        sha256: row.digest,
        signature: row.signature,
        subject: row.subject,
        reference: row.reference.text,
        urgency: row.urgency,
        document_type: row.document_type,
        signed_at: row.signed_at,
        due: row.due,
        recipients: row.recipients,
        recipients_pending: 0,
        deliveries: view.deliveries.into_iter().map(delivery).collect::<anyhow::Result<_>>()?,
        same_reference: view
            .same_reference
            .map(|(position, id)| lienthong_client::DocumentMention { id, position }),
        acts_on: row.acts_on.map(|acts| lienthong_client::ActsOn {
            kind: acts.kind,
            document: lienthong_client::DocumentMention { id: acts.id, position: acts.position },
            reason: acts.reason,
        }),
        changed: row.changed.as_ref().map(|last| change_message(&last.by)),
    })
}

fn change_message(message: &lienthong_core::ChangeMessage) -> lienthong_client::ChangeMessage {
    let lienthong_core::ChangeMessage { kind, position, id, at, reason } = message.clone();
    lienthong_client::ChangeMessage { kind, id, position, at, reason }
}

impl From<&TrackedDocument> for TrackView {
    fn from(tracked: &TrackedDocument) -> Self {
        Self {
            sender: tracked.sender.to_string(),
            id: tracked.id.to_string(),
            position: tracked.position.0,
            received_at: tracked.received_at.to_string(),
            signed_at: tracked.signed_at.to_string(),
            due: tracked.due.map(|due| due.to_string()),
            sha256: tracked.sha256.to_string(),
            signature: tracked.signature.name(),
            subject: tracked.subject.clone(),
            reference: tracked.reference.clone(),
            document_type: tracked.document_type.name_vi(),
            urgency: tracked.urgency.name_en(),
            revocation: revocation::name(tracked.revocation),
            same_reference: tracked.same_reference.as_ref().map(MentionView::from),
            acts_on: tracked.acts_on.as_ref().map(ActsOnView::from),
            changed: tracked.changed.as_ref().map(MessageView::from),
            recipients: tracked.recipients,
            recipients_pending: tracked.recipients_pending,
            deliveries: tracked.deliveries.iter().map(DeliveryView::from).collect(),
        }
    }
}

impl From<&TrackedDelivery> for DeliveryView {
    fn from(delivery: &TrackedDelivery) -> Self {
        let (route, gateway) = route_name(&delivery.route);
        let status = |status: &TrackedStatus| StatusView {
            code: status.code.to_string(),
            name_vi: status.code.name_vi(),
            name: status.code.name_en(),
            at: status.at.to_string(),
            reason: status.reason.clone(),
            position: status.position.0,
        };
        Self {
            recipient: delivery.recipient.to_string(),
            route,
            gateway,
            acknowledged_at: delivery.acknowledged_at.map(|at: Timestamp| at.to_string()),
            attempts: delivery.attempts,
            statuses: delivery.statuses.iter().map(status).collect(),
            mark: delivery.mark.as_ref().map(MarkView::from),
            asked: delivery.asked.as_ref().map(MessageView::from),
            open: open_codes(&delivery.open),
            negative: delivery.negative.as_ref().map(NegativeView::from),
        }
    }
}

fn time_line(view: &TrackView) -> String {
    let mut head = vec![
        ("văn bản / document", format!("{} {}", view.sender, view.id)),
        ("trích yếu / subject", view.subject.clone()),
        ("loại / type", format!("{} ({})", view.document_type, view.urgency)),
    ];
    if !view.reference.is_empty() {
        head.push(("số hiệu / reference", view.reference.clone()));
    }
    if let Some(first) = &view.same_reference {
        head.push(("trùng số hiệu / same reference as", first.text()));
    }
    if let Some(acts) = &view.acts_on {
        head.push(("tác động / acts on", acts.text()));
    }
    if let Some(changed) = &view.changed {
        head.push(("thay đổi cuối / last change", changed.text()));
    }
    head.push(("chữ ký / signatures", view.signature.to_owned()));
    let mark = revocation::mark(view.revocation);
    head.extend(mark.map(|mark| (revocation::LINE, mark.to_owned())));
    if let Some(due) = &view.due {
        head.push(("hạn / due", due.clone()));
    }
    head.push(("ký lúc / signed", view.signed_at.clone()));
    head.push(("trục nhận / accepted", format!("{}  #{}", view.received_at, view.position)));
    let mut text = output::pairs(&head);
    let shown = view.deliveries.len() as u64;
    if u64::from(view.recipients) > shown {
        let (all, pending) = (view.recipients, view.recipients_pending);
        let _ = writeln!(
            text,
            "\n{shown}/{all} nơi nhận / recipients, {pending} đang chuyển / under way; \
             `lienthong progress`"
        );
    }
    for delivery in &view.deliveries {
        let route = route_text(delivery.route, delivery.gateway.as_deref());
        let _ = writeln!(text, "\n→ {}  {route}", delivery.recipient);
        match &delivery.acknowledged_at {
            Some(at) => {
                let attempts = delivery.attempts;
                let _ = writeln!(
                    text,
                    "  {at}  đã nhận / acknowledged ({attempts} lần chuyển / attempts)"
                );
            }
            None if delivery.mark.as_ref().is_some_and(|mark| mark.is_withdrawn()) => {}
            None => {
                let _ = writeln!(text, "  đang chờ / queued, not acknowledged");
            }
        }
        if let Some(negative) = &delivery.negative {
            let _ = writeln!(text, "  {}", negative.text());
        }
        for status in &delivery.statuses {
            let _ = write!(
                text,
                "  {}  {} {} / {}",
                status.at, status.code, status.name_vi, status.name
            );
            let reason = if status.reason.is_empty() { "" } else { ": " };
            let _ = writeln!(text, "{reason}{}", status.reason);
        }
        if let Some(mark) = &delivery.mark {
            let _ = writeln!(text, "  {}", mark.text());
        }
        if let Some(asked) = &delivery.asked {
            let _ = writeln!(text, "  chờ trả lời / asked: {}", asked.text());
        }
        if !delivery.open.is_empty() {
            let _ = writeln!(text, "  {}", open_text(&delivery.open));
        }
    }
    text
}
