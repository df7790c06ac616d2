//! `lienthong send`: makes a Document v1, signs it, hands it over, prints the receipt.

mod acts;
mod files;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;
use lienthong_client::{Receipt, Signer, sign_document};
use lienthong_model::{AgencyCode, Document, DocumentType, Recipient, Timestamp, Urgency, Written};
use lienthong_trust::Holder;
use serde::Serialize;

use self::files::Files;
use crate::agency::AgencyFolder;
use crate::change_view::{MentionView, OutcomeView};
use crate::cli::Output;
use crate::commands::evidence::Evidence;
use crate::commands::route::{document_type, route_name, route_text};
use crate::connect::ConnectArgs;
use crate::output::{self, thousands};
use crate::say::Usage;
use crate::source::moment;

/// Sign and send a document / ký và gửi văn bản
///
/// Signed with the person's key and the seal found in the agency's folder. The receipt is printed
/// when the document is on the hub's disk. Large files are uploaded before it: when that is
/// interrupted, the same command again goes on where it was.
#[derive(Debug, Args)]
pub(crate) struct SendArgs {
    /// Recipients' codes, separated by commas or repeated
    #[arg(long, value_name = "CODE", required_unless_present = "to_list", value_delimiter = ',')]
    to: Vec<AgencyCode>,
    /// Lists of recipients (`communes-of:H36`, `saved:NAME`), separated by commas or repeated; see
    /// `lienthong list show`
    #[arg(long = "to-list", value_name = "NAME", value_delimiter = ',')]
    to_list: Vec<String>,
    /// What the document is about / trích yếu
    #[arg(long, value_name = "TEXT")]
    subject: String,
    /// Type: an abbreviation (QĐ, TB …; CV for an official letter) or a name
    #[arg(long = "type", value_name = "TYPE", default_value = "CV", value_parser = document_type)]
    document_type: DocumentType,
    /// Number of the document
    #[arg(long, value_name = "N", requires = "unit")]
    number: Option<u32>,
    /// Issuing unit in the notation: the UBND of 15/QĐ-UBND
    #[arg(long, value_name = "UNIT", requires = "number")]
    unit: Option<String>,
    /// Urgency, 0 thường to 4 hỏa tốc hẹn giờ
    #[arg(long, value_name = "0-4", default_value_t = 0, value_parser = clap::value_parser!(u8).range(0..=4))]
    urgency: u8,
    /// For urgency 4: when it must have been delivered
    #[arg(long, value_name = "TIME", required_if_eq("urgency", "4"), value_parser = moment)]
    deliver_by: Option<Timestamp>,
    /// Day on which an answer is due (`2020-11-30`)
    #[arg(long, value_name = "DATE", value_parser = deadline)]
    due: Option<Written<Timestamp>>,
    /// The file that is the document itself
    #[arg(long, value_name = "FILE")]
    body: Option<PathBuf>,
    /// Attachments, at most 10 GiB each; what goes beyond 1 MiB in all is uploaded first
    #[arg(value_name = "FILES")]
    files: Vec<PathBuf>,
    #[command(flatten)]
    acts: acts::ActsArgs,
    /// Demand the agency's seal; default: when the folder has it
    #[arg(long, conflicts_with = "no_seal")]
    seal: bool,
    /// Leave the seal out
    #[arg(long)]
    no_seal: bool,
    /// Who signs, by id; default: the only person of the folder
    #[arg(long, value_name = "ID", conflicts_with = "no_person")]
    person: Option<String>,
    /// Leave the person's signature out
    #[arg(long)]
    no_person: bool,
    /// Write what proves that the hub accepted it into a new file
    #[arg(long, value_name = "FILE")]
    evidence: Option<PathBuf>,
    #[command(flatten)]
    connect: ConnectArgs,
}

#[derive(Debug, Serialize)]
struct ReceiptView {
    sender: String,
    id: String,
    position: u64,
    received_at: String,
    sha256: String,
    repeated: bool,
    signature: &'static str,
    recipients: u32,
    routes: Vec<RouteView>,
    left_out: Vec<LeftOutView>,
    left_out_total: u32,
    /// The first document of the sender with the same reference.
    same_reference: Option<MentionView>,
    /// What it means for the recipients of the document acted on.
    changes: Vec<OutcomeView>,
    /// What `lienthong evidence verify` and others check; none from an older hub.
    evidence: Option<Evidence>,
}

#[derive(Debug, Serialize)]
struct RouteView {
    code: String,
    route: &'static str,
    gateway: Option<String>,
}

#[derive(Debug, Serialize)]
struct LeftOutView {
    code: String,
    reason: String,
}

/// Sends a document.
///
/// # Errors
/// When a file or key cannot be read, the hub cannot be reached, or it refuses.
pub(crate) async fn run(args: SendArgs, output: Output) -> anyhow::Result<ExitCode> {
    // What is wrong here is said before anybody is asked.
    let files = Files::read(args.body.as_deref(), &args.files).await?;
    let connected = args.connect.connect().await?;
    let sender = connected.agency.code()?;
    let signers = signers(&args, &connected.agency)?;
    files.upload(&connected.client).await?;
    let id = connected.client.new_id();
    let mut document = document(&args, sender, id);
    document.attachments = files.entries;
    if let Some(Holder::Person { name, title, .. }) =
        signers.first().map(|signer| signer.certificate().holder())
    {
        document.signer.full_name = name.clone();
        document.signer.position = title.clone();
    }
    let signers: Vec<&Signer> = signers.iter().collect();
    let signed = sign_document(&document, files.beside, &signers);
    let receipt = connected.client.submit(signed.clone()).await?;
    let evidence = Evidence::of(&receipt, &signed)?;
    if let (Some(path), Some(evidence)) = (&args.evidence, &evidence) {
        evidence.write(path)?;
    }
    output::one(output, &ReceiptView { evidence, ..ReceiptView::from(&receipt) }, text)?;
    Ok(ExitCode::SUCCESS)
}

fn document(args: &SendArgs, sender: AgencyCode, id: lienthong_model::MessageId) -> Document {
    let agencies = args.to.iter().cloned().map(Recipient::from);
    let lists = args.to_list.iter().cloned().map(Recipient::List);
    let recipients: Vec<Recipient> = agencies.chain(lists).collect();
    let mut document = Document::new(id, sender, recipients, &args.subject, id.time());
    if let (Some(number), Some(unit)) = (args.number, &args.unit) {
        document = document.issued(number, args.document_type, unit);
    }
    document.type_name = args.document_type.name_vi().to_owned();
    document.urgency = Urgency::from_number(args.urgency.into()).unwrap_or_default();
    document.deliver_by = args.deliver_by.map(Written::moment).unwrap_or_default();
    document.due = args.due.clone().unwrap_or_default();
    document.business = args.acts.business();
    document
}

/// Reads a due date for clap: the whole day is in time.
fn deadline(text: &str) -> Result<Written<Timestamp>, String> {
    let due = Written::deadline(text);
    if due.value.is_none() {
        return Err("write a day (`2020-11-30`) or a moment".to_owned());
    }
    Ok(due)
}

/// The person first, then the seal.
fn signers(args: &SendArgs, agency: &AgencyFolder) -> anyhow::Result<Vec<Signer>> {
    let mut signers = Vec::new();
    if !args.no_person {
        signers.extend(person(args, agency)?);
    }
    if !args.no_seal {
        let seal = agency.seal()?;
        if args.seal && seal.is_none() {
            return Err(Usage::new("the agency's folder has no seal")
                .remedy("issue one with `lienthong pki issue DIR --agency CODE --seal`")
                .into());
        }
        signers.extend(seal);
    }
    Ok(signers)
}

fn person(args: &SendArgs, agency: &AgencyFolder) -> anyhow::Result<Option<Signer>> {
    let mut persons = agency.persons()?;
    let ids: Vec<String> = persons.iter().map(|person| person.id.clone()).collect();
    if let Some(wanted) = &args.person {
        persons.retain(|person| person.id == *wanted);
        let unknown = || {
            let known = if ids.is_empty() { "nobody".to_owned() } else { ids.join(", ") };
            Usage::new(format!("the agency's folder has no person `{wanted}`; it has {known}"))
                .remedy(
                    "issue a certificate with `lienthong pki issue DIR --agency CODE --person ID`",
                )
        };
        return Ok(Some(persons.pop().ok_or_else(unknown)?.signer));
    }
    if persons.len() > 1 {
        return Err(Usage::new(format!("several persons may sign: {}", ids.join(", ")))
            .remedy("say who signs with --person ID")
            .into());
    }
    Ok(persons.pop().map(|person| person.signer))
}

impl From<&Receipt> for ReceiptView {
    fn from(receipt: &Receipt) -> Self {
        let route = |route: &lienthong_client::RecipientRoute| {
            let (name, gateway) = route_name(&route.route);
            RouteView { code: route.code.to_string(), route: name, gateway }
        };
        let left_out = |left: &lienthong_client::LeftOut| LeftOutView {
            code: left.code.to_string(),
            reason: left.reason.clone(),
        };
        Self {
            sender: receipt.sender.to_string(),
            id: receipt.id.to_string(),
            position: receipt.position.0,
            received_at: receipt.received_at.to_string(),
            sha256: receipt.sha256.to_string(),
            repeated: receipt.repeated,
            signature: receipt.signature.name(),
            recipients: receipt.recipients,
            routes: receipt.routes.iter().map(route).collect(),
            left_out: receipt.left_out.iter().map(left_out).collect(),
            left_out_total: receipt.left_out_total,
            same_reference: receipt.same_reference.as_ref().map(MentionView::from),
            changes: receipt.changes.iter().map(OutcomeView::from).collect(),
            evidence: None,
        }
    }
}

fn text(receipt: &ReceiptView) -> String {
    let again = if receipt.repeated { " (lần đầu / the first receipt again)" } else { "" };
    let mut lines = vec![
        ("đã nhận / accepted", format!("#{}{again}", receipt.position)),
        ("gửi / sender", receipt.sender.clone()),
        ("mã / id", receipt.id.clone()),
        ("lúc / at", receipt.received_at.clone()),
        ("chữ ký / signatures", receipt.signature.to_owned()),
        ("SHA-256", receipt.sha256.clone()),
    ];
    for route in &receipt.routes {
        let how = route_text(route.route, route.gateway.as_deref());
        lines.push(("→ nơi nhận / recipient", format!("{}  {how}", route.code)));
    }
    if receipt.routes.is_empty() {
        let count = thousands(receipt.recipients.into());
        let how = "chuyển theo đợt / by slices; `lienthong progress`";
        lines.push(("→ nơi nhận / recipients", format!("{count}  {how}")));
    }
    for left in &receipt.left_out {
        lines.push(("bỏ qua / left out", format!("{}  {}", left.code, left.reason)));
    }
    let more = u64::from(receipt.left_out_total).saturating_sub(receipt.left_out.len() as u64);
    if more > 0 {
        lines.push(("bỏ qua / left out", format!("… {} nữa / more", thousands(more))));
    }
    if let Some(first) = &receipt.same_reference {
        lines.push(("trùng số hiệu / same reference as", first.text()));
    }
    lines.extend(receipt.changes.iter().map(|one| ("văn bản cũ / old document", one.text())));
    output::pairs(&lines)
}
