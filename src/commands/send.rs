//! `lienthong send`: makes a Document v1, signs it, hands it over, prints the receipt.

mod acts;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Args;
use lienthong_client::{Signer, sign_document};
use lienthong_connector::compose::{self, ComposeError};
use lienthong_connector::files::{AttachedFile, Files};
use lienthong_connector::{Choice, Evidence, Header, ReceiptRecord, SignerMissing};
use lienthong_model::{AgencyCode, DocumentType, Timestamp, Urgency, Written};
use serde::Serialize;

use crate::agency::AgencyFolder;
use crate::change_view::{MentionView, OutcomeView};
use crate::cli::Output;
use crate::commands::evidence;
use crate::commands::route::route_text;
use crate::connect::ConnectArgs;
use crate::output::{self, thousands};
use crate::say::Usage;
use crate::source::moment;
use crate::terminal::Bars;
use crate::{revocation, values};

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
    #[arg(long = "type", value_name = "TYPE", default_value = "CV", value_parser = values::document_type)]
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
    #[serde(flatten)]
    record: ReceiptRecord,
    /// The first document of the sender with the same reference.
    same_reference: Option<MentionView>,
    /// What it means for the recipients of the document acted on.
    changes: Vec<OutcomeView>,
}

/// Sends a document.
///
/// # Errors
/// When a file or key cannot be read, the hub cannot be reached, or it refuses.
pub(crate) async fn run(args: SendArgs, output: Output) -> anyhow::Result<ExitCode> {
    // What is wrong here is said before anybody is asked.
    let mut bars = Bars::of("đọc / reading");
    let files = files(&args);
    let files = Files::read(&files, |path: &Path, at, of| bars.reached(path, at, of)).await;
    let files = files.map_err(wrong_files)?;
    let connected = args.connect.connect().await?;
    let sender = connected.agency.code()?;
    let signers = signers(&args, &connected.agency)?;
    let mut bars = Bars::of("tải lên / uploading");
    files.upload(&connected.client, |path: &Path, at, of| bars.reached(path, at, of)).await?;
    drop(bars);
    let id = connected.client.new_id();
    let mut document = compose::document(&header(&args), &sender, id, |_| None);
    document.attachments = files.entries;
    compose::print_signer(&mut document, &signers);
    let signers: Vec<&Signer> = signers.iter().collect();
    let signed = sign_document(&document, files.beside, &signers);
    let receipt = connected.client.submit(signed.clone()).await?;
    let evidence = Evidence::of(&receipt, &signed)?;
    if let (Some(path), Some(proof)) = (&args.evidence, &evidence) {
        evidence::write(proof, path)?;
    }
    let view = ReceiptView {
        record: ReceiptRecord { evidence, ..ReceiptRecord::of(&receipt) },
        same_reference: receipt.same_reference.as_ref().map(MentionView::from),
        changes: receipt.changes.iter().map(OutcomeView::from).collect(),
    };
    output::one(output, &view, text)?;
    Ok(ExitCode::SUCCESS)
}

fn header(args: &SendArgs) -> Header {
    Header {
        to: args.to.clone(),
        lists: args.to_list.clone(),
        subject: args.subject.clone(),
        document_type: args.document_type,
        number: args.number,
        unit: args.unit.clone().unwrap_or_default(),
        urgency: Urgency::from_number(args.urgency.into()).unwrap_or_default(),
        deliver_by: args.deliver_by.map(Written::moment).unwrap_or_default(),
        due: args.due.clone().unwrap_or_default(),
        business: args.acts.business(),
        ..Header::default()
    }
}

/// The body first, then the others.
fn files(args: &SendArgs) -> Vec<AttachedFile> {
    let file = |is_document| move |path: &PathBuf| AttachedFile { path: path.clone(), is_document };
    args.body.iter().map(file(true)).chain(args.files.iter().map(file(false))).collect()
}

fn wrong_files(error: ComposeError) -> anyhow::Error {
    match error {
        ComposeError::Fault(fault) => {
            let (reason, value) = (fault.reason, fault.value);
            Usage::new(
                format!("{}: {value}", reason.meaning_vi()),
                format!("{}: {value}", reason.meaning()),
            )
            .remedy(reason.remedy_vi(), reason.remedy())
            .into()
        }
        ComposeError::Disk(error) => error.into(),
    }
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
    let named = args.person.clone().map(|id| vec![id]);
    let choice = Choice {
        persons: if args.no_person { Some(Vec::new()) } else { named },
        seal: match (args.seal, args.no_seal) {
            (true, _) => Some(true),
            (false, true) => Some(false),
            (false, false) => None,
        },
    };
    agency.signing_keys()?.choose(&choice).map_err(|missing| no_signer(&missing).into())
}

/// Says whose key is missing, and where it comes from.
fn no_signer(missing: &SignerMissing) -> Usage {
    let (vi, remedy_vi, remedy) = match missing {
        SignerMissing::Seal => (
            "không có con dấu".to_owned(),
            "cấp bằng `lienthong pki issue THƯ_MỤC --agency MÃ --seal`",
            "issue one with `lienthong pki issue DIR --agency CODE --seal`",
        ),
        SignerMissing::Person { wanted, .. } => (
            format!("không có khóa của người `{wanted}`"),
            "cấp chứng thư bằng `lienthong pki issue THƯ_MỤC --agency MÃ --person ID`",
            "issue a certificate with `lienthong pki issue DIR --agency CODE --person ID`",
        ),
        SignerMissing::Several(persons) => (
            format!("có nhiều người ký được: {persons}"),
            "nêu người ký bằng --person ID",
            "say who signs with --person ID",
        ),
    };
    let vi = format!("thư mục của cơ quan: {vi}");
    Usage::new(vi, format!("the agency's folder: {missing}")).remedy(remedy_vi, remedy)
}

fn text(view: &ReceiptView) -> String {
    let receipt = &view.record;
    let again = if receipt.repeated { " (lần đầu / the first receipt again)" } else { "" };
    let mut lines = vec![
        ("trục nhận / accepted", format!("#{}{again}", receipt.position)),
        ("gửi / sender", receipt.sender.clone()),
        ("mã / id", receipt.id.clone()),
        ("lúc / at", receipt.received_at.clone()),
        ("chữ ký / signatures", receipt.signature.to_owned()),
        ("SHA-256", receipt.sha256.clone()),
    ];
    let mark = revocation::mark(receipt.revocation);
    lines.extend(mark.map(|mark| (revocation::LINE, mark.to_owned())));
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
    if let Some(first) = &view.same_reference {
        lines.push(("trùng số hiệu / same reference as", first.text()));
    }
    lines.extend(view.changes.iter().map(|one| ("văn bản cũ / old document", one.text())));
    output::pairs(&lines)
}
