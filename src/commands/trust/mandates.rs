//! Who may sign for an agency: the list, and entering it.

use std::path::PathBuf;

use clap::Args;
use lienthong_model::{AgencyCode, Capacity, Day, DocumentType, Mandate, Signatory};
use serde::Serialize;

use crate::cli::Output;
use crate::mandate_file;
use crate::office::{ActArgs, Office};
use crate::output;
use crate::say::Usage;
use crate::source::{self, Source, SourceArgs};
use crate::values::{self, person_text, type_text};

#[derive(Debug, Args)]
pub(super) struct ListArgs {
    /// The agency's code
    agency: AgencyCode,
    #[command(flatten)]
    source: SourceArgs,
}

#[derive(Debug, Args)]
pub(super) struct EnterArgs {
    /// A file of mandates (TOML, one `[[mandate]]` after the other); all are taken or none
    #[arg(conflicts_with_all = ["agency", "person", "capacity"])]
    file: Option<PathBuf>,
    /// The agency that is signed for
    #[arg(long, value_name = "CODE", required_unless_present = "file")]
    agency: Option<AgencyCode>,
    /// Who may sign: the agency and the id of the person's certificate
    #[arg(long, value_name = "AGENCY/ID", value_parser = values::person, required_unless_present = "file")]
    person: Option<Signatory>,
    /// head, on-behalf (TM.), deputy (KT.), by-order (TL.) or by-authorization (TUQ.)
    #[arg(long, value_parser = values::capacity, required_unless_present = "file")]
    capacity: Option<Capacity>,
    /// Who has delegated it; for KT., TL. and TUQ.
    #[arg(long, value_name = "AGENCY/ID", value_parser = values::person, conflicts_with = "file")]
    delegated_by: Option<Signatory>,
    /// Types that may be signed (QĐ,TB); default: all
    #[arg(long, value_name = "TYPES", value_delimiter = ',', value_parser = values::document_type)]
    #[arg(conflicts_with = "file")]
    types: Vec<DocumentType>,
    /// First day in force; default: today
    #[arg(long, value_name = "DAY", value_parser = values::day, conflicts_with = "file")]
    from: Option<Day>,
    /// First day no longer in force: ends the mandate with the same person, capacity and first day
    #[arg(long, value_name = "DAY", value_parser = values::day, conflicts_with = "file")]
    until: Option<Day>,
    /// The decision that it rests on
    #[arg(long, value_name = "TEXT", default_value = "", conflicts_with = "file")]
    basis: String,
    #[command(flatten)]
    act: ActArgs,
}

/// A mandate for programs.
#[derive(Debug, Serialize)]
struct MandateView {
    agency: String,
    person: String,
    capacity: &'static str,
    abbreviation: &'static str,
    delegated_by: Option<String>,
    types: Vec<&'static str>,
    from: String,
    until: Option<String>,
    basis: String,
}

/// Prints who may sign for an agency.
pub(super) async fn list(args: &ListArgs, output: Output) -> anyhow::Result<()> {
    let mandates = match args.source.open().await? {
        Source::Hub(client) => client.mandates(&args.agency).await?,
        Source::Folder(folder) => {
            let policy = folder.reader().policy();
            let agency = policy.directory.find(&args.agency);
            let agency = agency.ok_or_else(|| source::unknown_agency(&args.agency))?;
            policy.mandates.of(agency.ordinal).to_vec()
        }
    };
    print(output, &mandates)
}

/// Enters mandates.
pub(super) async fn enter(args: EnterArgs, output: Output) -> anyhow::Result<()> {
    let from_file = args.file.as_deref().map(mandate_file::read).transpose()?;
    let mut office = Office::open(&args.act).await?;
    let mandates = match from_file {
        Some(mandates) => mandates,
        None => vec![one(args, office.today())?],
    };
    office.change_mandates(&mandates).await?;
    print(output, &mandates)
}

/// The mandate of the flags.
fn one(args: EnterArgs, today: Day) -> anyhow::Result<Mandate> {
    let (Some(agency), Some(signatory), Some(capacity)) = (args.agency, args.person, args.capacity)
    else {
        return Err(Usage::new(
            "chưa nêu tệp, cũng chưa nêu đủ một thẩm quyền ký",
            "neither a file nor a whole mandate was given",
        )
        .remedy(
            "chỉ TỆP, hoặc nêu --agency, --person và --capacity",
            "give FILE, or --agency, --person and --capacity",
        )
        .into());
    };
    Ok(Mandate {
        agency,
        signatory,
        capacity,
        delegated_by: args.delegated_by,
        document_types: args.types,
        from: args.from.unwrap_or(today),
        until: args.until,
        basis: args.basis,
    })
}

fn print(output: Output, mandates: &[Mandate]) -> anyhow::Result<()> {
    let views: Vec<MandateView> = mandates.iter().map(MandateView::from).collect();
    output::many(output, &views, table)
}

fn table(views: &[MandateView]) -> String {
    if views.is_empty() {
        return "không có thẩm quyền ký riêng: mọi người ký có chứng thư của cơ quan đều được nhận\n\
                no mandates: every person with a certificate of the agency may sign\n"
            .to_owned();
    }
    let mut table = output::table([
        "Cơ quan\nagency",
        "Quyền hạn\ncapacity",
        "Người ký\nsignatory",
        "Người giao\ndelegated by",
        "Loại\ntypes",
        "Từ\nfrom",
        "Đến\nuntil",
        "Căn cứ\nbasis",
    ]);
    output::narrow(&mut table);
    for view in views {
        let all = || "tất cả\nall".to_owned();
        table.add_row([
            view.agency.clone(),
            if view.abbreviation.is_empty() { view.capacity } else { view.abbreviation }.to_owned(),
            view.person.clone(),
            view.delegated_by.clone().unwrap_or_default(),
            if view.types.is_empty() { all() } else { view.types.join(", ") },
            view.from.clone(),
            view.until.clone().unwrap_or_default(),
            view.basis.clone(),
        ]);
    }
    output::text_of(&table)
}

impl From<&Mandate> for MandateView {
    fn from(mandate: &Mandate) -> Self {
        Self {
            agency: mandate.agency.to_string(),
            person: person_text(&mandate.signatory),
            capacity: mandate.capacity.name(),
            abbreviation: mandate.capacity.abbreviation(),
            delegated_by: mandate.delegated_by.as_ref().map(person_text),
            types: mandate.document_types.iter().copied().map(type_text).collect(),
            from: mandate.from.to_string(),
            until: mandate.until.map(|day| day.to_string()),
            basis: mandate.basis.clone(),
        }
    }
}
