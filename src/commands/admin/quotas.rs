//! Quotas: the list, and setting one.

use clap::Args;
use lienthong_model::limits::MAILBOX_WAITING_MAX;
use lienthong_model::{AgencyCode, Quota};
use serde::Serialize;

use crate::cli::Output;
use crate::office::{ActArgs, Office};
use crate::output::{self, thousands};
use crate::source::{Source, SourceArgs};
use crate::values::{self, bytes_text};

/// Stands for every agency without a quota of its own.
const OTHERS: &str = "others";

/// Whose quota it is.
#[derive(Debug, Clone)]
struct Whose(Option<AgencyCode>);

/// The bounds; what is not named has none.
#[derive(Debug, Args)]
#[group(required = true, multiple = true)]
struct Bounds {
    /// Documents in a day (UTC+07:00)
    #[arg(long, value_name = "N")]
    documents_per_day: Option<u64>,
    /// Bytes of contents and attachments in a day (`10GiB`)
    #[arg(long, value_name = "BYTES", value_parser = values::bytes)]
    bytes_per_day: Option<u64>,
    /// Bytes of one document with its attachments (`50MiB`)
    #[arg(long, value_name = "BYTES", value_parser = values::bytes)]
    document_bytes_max: Option<u64>,
    /// Documents that may wait in its mailbox; without it 1,000,000
    #[arg(long, value_name = "N")]
    waiting_max: Option<u64>,
    /// Take the quota away
    #[arg(long, conflicts_with_all = [
        "documents_per_day", "bytes_per_day", "document_bytes_max", "waiting_max",
    ])]
    remove: bool,
}

#[derive(Debug, Args)]
pub(super) struct QuotaArgs {
    /// The agency, or `others` for every agency without a quota of its own
    #[arg(long, value_name = "CODE|others", value_parser = whose)]
    agency: Whose,
    #[command(flatten)]
    bounds: Bounds,
    #[command(flatten)]
    act: ActArgs,
}

/// A quota for programs.
#[derive(Debug, Serialize)]
struct QuotaView {
    agency: String,
    documents_per_day: Option<u64>,
    bytes_per_day: Option<u64>,
    document_bytes_max: Option<u64>,
    waiting_max: Option<u64>,
}

fn whose(text: &str) -> Result<Whose, String> {
    if text == OTHERS {
        return Ok(Whose(None));
    }
    let code = AgencyCode::parse(text).map_err(|error| format!("{error}; or write `others`"))?;
    Ok(Whose(Some(code)))
}

/// Sets a quota; it takes the place of the one that was.
pub(super) async fn set(args: &QuotaArgs, output: Output) -> anyhow::Result<()> {
    let Whose(agency) = args.agency.clone();
    let Bounds { documents_per_day, bytes_per_day, document_bytes_max, waiting_max, remove: _ } =
        args.bounds;
    let quota = Quota { agency, documents_per_day, bytes_per_day, document_bytes_max, waiting_max };
    Office::open(&args.act).await?.set_quota(quota.clone()).await?;
    output::many(output, &[QuotaView::from(&quota)], table)
}

/// Prints every quota.
pub(super) async fn list(source: &SourceArgs, output: Output) -> anyhow::Result<()> {
    let quotas = match source.open().await? {
        Source::Hub(client) => client.administration().quotas().await?,
        Source::Folder(folder) => {
            let mut all: Vec<_> = folder.reader().policy().quotas.all().cloned().collect();
            all.sort_by_key(|quota| (quota.agency.is_none(), quota.agency.clone()));
            all
        }
    };
    let views: Vec<QuotaView> = quotas.iter().map(QuotaView::from).collect();
    output::many(output, &views, table)
}

fn table(views: &[QuotaView]) -> String {
    if views.is_empty() {
        return "không có hạn mức / no quotas\n".to_owned();
    }
    let mut table = output::table([
        "Cơ quan\nagency",
        "Văn bản/ngày\ndocuments/day",
        "Dung lượng/ngày\nbytes/day",
        "Một văn bản\none document",
        "Chờ nhận\nwaiting",
    ]);
    output::right(&mut table, 1..5);
    let shown = |bound: Option<u64>, text: fn(u64) -> String| {
        bound.map_or_else(|| "không giới hạn / no bound".to_owned(), text)
    };
    for view in views {
        table.add_row([
            view.agency.clone(),
            shown(view.documents_per_day, thousands),
            shown(view.bytes_per_day, bytes_text),
            shown(view.document_bytes_max, bytes_text),
            thousands(view.waiting_max.unwrap_or(u64::from(MAILBOX_WAITING_MAX))),
        ]);
    }
    output::text_of(&table)
}

impl From<&Quota> for QuotaView {
    fn from(quota: &Quota) -> Self {
        let agency = quota.agency.as_ref().map(ToString::to_string);
        Self {
            agency: agency.unwrap_or_else(|| OTHERS.to_owned()),
            documents_per_day: quota.documents_per_day,
            bytes_per_day: quota.bytes_per_day,
            document_bytes_max: quota.document_bytes_max,
            waiting_max: quota.waiting_max,
        }
    }
}
