//! `lienthong report`: indicators of a period with their targets, as an inspection reads them.

mod html;
mod view;

use std::process::ExitCode;

use clap::{Args, ValueEnum};
use lienthong_client as client;
use lienthong_core::statistics::{IndicatorQuestion, PAGE_PRICE, Period};
use lienthong_model::{AgencyCode, Timestamp};

use crate::cli::Output;
use crate::output;
use crate::say::Usage;
use crate::source::{self, Source, SourceArgs};
use view::{Lines, ReportView};

/// Report indicators and targets of a period / báo cáo chỉ tiêu
///
/// Of the country, its provinces and the centre, or of one province and its levels: each figure, its
/// target and date, whether it is met, on course or late, and who holds it back.
/// docs/STATISTICS.md defines the indicators; `lienthong admin target` sets targets.
#[derive(Debug, Args)]
pub(crate) struct ReportArgs {
    /// One province, by its code
    #[arg(long, value_name = "CODE")]
    province: Option<AgencyCode>,
    /// The first moment of the period
    #[arg(long, value_name = "TIME", value_parser = source::moment)]
    from: Timestamp,
    /// The first moment after the period
    #[arg(long, visible_alias = "to", value_name = "TIME", value_parser = source::moment)]
    until: Timestamp,
    /// How the report is written; default: as --output says
    #[arg(long, value_enum)]
    format: Option<Format>,
    /// What a page of paper costs, in đồng
    #[arg(long, value_name = "DONG", default_value_t = PAGE_PRICE)]
    page_price: u64,
    #[command(flatten)]
    source: SourceArgs,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    /// One page that prints well and needs nothing else
    Html,
    /// Comma-separated values, a line an indicator and target
    Csv,
    /// One JSON document
    Json,
}

/// Runs the command.
///
/// # Errors
/// When the source cannot be read, or the province is unknown.
pub(crate) async fn run(args: ReportArgs, output: Output) -> anyhow::Result<ExitCode> {
    if args.from >= args.until {
        let (from, until) = (args.from, args.until);
        return Err(Usage::new(
            format!("kỳ kết thúc lúc {until}, trước khi bắt đầu lúc {from}"),
            format!("the period ends at {until}, before it begins at {from}"),
        )
        .remedy("nêu --from sớm hơn --until", "give --from an earlier moment than --until")
        .into());
    }
    let view = report(&args).await?;
    let lines = Lines::of(&view);
    match args.format {
        Some(Format::Html) => output::print(&html::page(&view))?,
        Some(Format::Csv) => output::sheet(Output::Csv, &view, &lines.0, |_| String::new())?,
        Some(Format::Json) => output::one(Output::Json, &view, |_| String::new())?,
        None => output::sheet(output, &view, &lines.0, |_| lines.table())?,
    }
    Ok(ExitCode::SUCCESS)
}

async fn report(args: &ReportArgs) -> anyhow::Result<ReportView> {
    let ReportArgs { from, until, page_price, .. } = *args;
    let (places, made_at) = match args.source.open().await? {
        Source::Hub(hub) => {
            let period = client::Period { from: Some(from), to: Some(until) };
            let found = hub.indicators(period, args.province.as_ref(), page_price).await?;
            (found.into_iter().map(view::PlaceView::from).collect(), hub.now())
        }
        Source::Folder(folder) => {
            let now = folder.last_time().unwrap_or_else(source::machine_now);
            let reader = folder.reader();
            let (directory, targets) = (reader.directory(), reader.policy().targets);
            let province = match &args.province {
                None => None,
                Some(code) => {
                    Some(directory.find(code).map(|found| found.ordinal).ok_or_else(|| {
                        let vi = format!("`{code}` không có trong danh bạ");
                        Usage::new(vi, format!("`{code}` is not in the directory")).remedy(
                            "nêu tỉnh bằng mã định danh, như H36",
                            "name a province by its code, such as H36",
                        )
                    })?)
                }
            };
            let period = Period { from, until };
            let question = IndicatorQuestion { period, province, now, page_price };
            let found = reader.with_statistics(|source| source.indicators(&question, &targets))?;
            let place = |place| view::PlaceView::of_core(place, &directory, now);
            (found.iter().map(place).collect(), now)
        }
    };
    Ok(ReportView::new(args.province.as_ref(), (from, until), made_at, page_price, places))
}
