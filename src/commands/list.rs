//! `lienthong list`: lists of recipients.

use std::fmt::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context as _;
use clap::{Args, Subcommand};
use lienthong_client::{ListToSave, RecipientList, ResolvedList};
use lienthong_model::{AgencyCode, DocumentType};
use serde::Serialize;

use crate::cli::Output;
use crate::commands::route::{route_name, route_text};
use crate::connect::ConnectArgs;
use crate::output::{self, thousands};
use crate::say::Usage;

/// Show, resolve and keep lists of recipients / danh sách nơi nhận
///
/// A document names a list with `lienthong send --to-list NAME`. Built-in lists follow from the
/// directory; saved lists (`saved:NAME`) are an agency's own, for itself and those below it.
#[derive(Debug, Args)]
pub(crate) struct ListArgs {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Show the lists that the agency may name / xem các danh sách
    Show {
        #[command(flatten)]
        connect: ConnectArgs,
    },
    /// Show who of a list would get a document now, and who would be left out and why / xem nơi
    /// nhận
    Resolve {
        /// The list's name
        name: String,
        /// The document's type: an abbreviation (QĐ, TB, CV …) or a name
        #[arg(long = "type", value_name = "TYPE", default_value = "CV", value_parser = crate::values::document_type)]
        document_type: DocumentType,
        #[command(flatten)]
        connect: ConnectArgs,
    },
    /// Save a list, anew or instead of the one before / lưu danh sách
    Save(Box<SaveArgs>),
    /// Remove a saved list; documents that named it keep their recipients / xóa danh sách
    Remove {
        /// Its name, without `saved:`
        name: String,
        /// Whose list it is, for a gateway; default: the agency's own
        #[arg(long, value_name = "CODE")]
        owner: Option<AgencyCode>,
        #[command(flatten)]
        connect: ConnectArgs,
    },
}

#[derive(Debug, Args)]
struct SaveArgs {
    /// Its name: 1 to 64 of a-z, 0-9 and -
    name: String,
    /// Members' codes, separated by commas or repeated
    #[arg(long = "member", value_name = "CODE", value_delimiter = ',')]
    members: Vec<AgencyCode>,
    /// A file of members' codes, one a line; what follows a `#` is left out
    #[arg(long, value_name = "FILE")]
    file: Option<PathBuf>,
    /// What it is for
    #[arg(long, value_name = "TEXT", default_value = "")]
    title: String,
    /// Whose list it is, for a gateway; default: the agency's own
    #[arg(long, value_name = "CODE")]
    owner: Option<AgencyCode>,
    #[command(flatten)]
    connect: ConnectArgs,
}

#[derive(Debug, Serialize)]
struct ListView {
    name: String,
    title_vi: String,
    title: String,
    members: u32,
    owner: Option<String>,
    version: Option<u64>,
    saved_at: Option<String>,
}

#[derive(Debug, Serialize)]
struct ResolvedView {
    name: String,
    recipients: Vec<MemberView>,
    left_out: Vec<LeftOutView>,
    left_out_total: u32,
}

#[derive(Debug, Serialize)]
struct MemberView {
    code: String,
    route: &'static str,
    gateway: Option<String>,
}

#[derive(Debug, Serialize)]
struct LeftOutView {
    code: String,
    reason: String,
}

/// Runs the command.
///
/// # Errors
/// When a file cannot be read, the hub cannot be reached, or it refuses.
pub(crate) async fn run(args: ListArgs, output: Output) -> anyhow::Result<ExitCode> {
    match args.what {
        What::Show { connect } => {
            let connected = connect.connect().await?;
            let lists = connected.client.recipient_lists(&connected.agency.code()?).await?;
            let views: Vec<ListView> = lists.iter().map(ListView::from).collect();
            output::many(output, &views, table)?;
        }
        What::Resolve { name, document_type, connect } => {
            let connected = connect.connect().await?;
            let sender = connected.agency.code()?;
            let resolved = connected.client.resolve_list(&sender, &name, document_type).await?;
            output::one(output, &ResolvedView::of(name, &resolved), resolved_text)?;
        }
        What::Save(args) => {
            let members = members(&args)?;
            let connected = args.connect.connect().await?;
            let owner = match args.owner {
                Some(owner) => owner,
                None => connected.agency.code()?,
            };
            let list = ListToSave { owner, name: args.name, title: args.title, members };
            let saved = connected.client.save_list(list).await?;
            output::many(output, &[ListView::from(&saved)], table)?;
        }
        What::Remove { name, owner, connect } => {
            let connected = connect.connect().await?;
            let owner = match owner {
                Some(owner) => owner,
                None => connected.agency.code()?,
            };
            connected.client.remove_list(&owner, &name).await?;
            if output == Output::Table {
                output::print(&format!("đã xóa / removed: {owner}/{name}\n"))?;
            }
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// The members of the flags, then those of the file.
fn members(args: &SaveArgs) -> anyhow::Result<Vec<AgencyCode>> {
    let mut members = args.members.clone();
    if let Some(path) = &args.file {
        let text = std::fs::read_to_string(path)
            .with_context(|| format!("cannot read `{}`", path.display()))?;
        for (number, line) in (1..).zip(text.lines()) {
            let code = line.split('#').next().unwrap_or_default().trim();
            if code.is_empty() {
                continue;
            }
            let wrong = |error: lienthong_model::CodeError| {
                let shown = path.display();
                Usage::new(
                    format!("dòng {number} của `{shown}`: `{code}` không phải mã định danh"),
                    format!("line {number} of `{shown}`: {error}"),
                )
                .remedy(
                    "ghi mỗi dòng một mã định danh trong danh bạ",
                    "write one code of the directory a line",
                )
            };
            members.push(AgencyCode::parse(code).map_err(wrong)?);
        }
    }
    if members.is_empty() {
        return Err(Usage::new("danh sách không có thành viên", "the list has no members")
            .remedy(
                "nêu thành viên bằng --member MÃ hoặc --file TỆP",
                "name them with --member CODE or --file FILE",
            )
            .into());
    }
    Ok(members)
}

impl From<&RecipientList> for ListView {
    fn from(list: &RecipientList) -> Self {
        let saved = list.saved.as_ref();
        Self {
            name: list.name.clone(),
            title_vi: list.title_vi.clone(),
            title: list.title.clone(),
            members: list.members,
            owner: saved.map(|saved| saved.owner.to_string()),
            version: saved.map(|saved| saved.version),
            saved_at: saved.map(|saved| saved.at.to_string()),
        }
    }
}

impl ResolvedView {
    fn of(name: String, resolved: &ResolvedList) -> Self {
        let member = |route: &lienthong_client::RecipientRoute| {
            let (name, gateway) = route_name(&route.route);
            MemberView { code: route.code.to_string(), route: name, gateway }
        };
        let left_out = |left: &lienthong_client::LeftOut| LeftOutView {
            code: left.code.to_string(),
            reason: left.reason.clone(),
        };
        Self {
            name,
            recipients: resolved.recipients.iter().map(member).collect(),
            left_out: resolved.left_out.iter().map(left_out).collect(),
            left_out_total: resolved.left_out_total,
        }
    }
}

fn table(lists: &[ListView]) -> String {
    let mut table = output::table(["Tên\nname", "Nội dung\nwhat it is", "Số\ncount"]);
    output::right(&mut table, [2]);
    for list in lists {
        let title = match list.title_vi == list.title {
            true => list.title.clone(),
            false => format!("{} / {}", list.title_vi, list.title),
        };
        table.add_row([list.name.clone(), title, thousands(list.members.into())]);
    }
    output::text_of(&table)
}

fn resolved_text(view: &ResolvedView) -> String {
    let count = thousands(view.recipients.len() as u64);
    let mut text = format!("{}: {count} nơi nhận / recipients\n", view.name);
    for member in &view.recipients {
        let how = route_text(member.route, member.gateway.as_deref());
        let _ = writeln!(text, "  → {}  {how}", member.code);
    }
    for left in &view.left_out {
        let _ = writeln!(text, "  bỏ qua / left out: {}  {}", left.code, left.reason);
    }
    let more = view.left_out_total.saturating_sub(view.left_out.len() as u32);
    if more > 0 {
        let _ = writeln!(text, "  … {more} cơ quan nữa / more left out");
    }
    text
}
