//! `lienthong stats`: volumes per province, flows, refusals, and any other question.

mod asking;
mod backlog;
mod sheet;
mod verify;

use std::process::ExitCode;

use clap::{Args, ValueEnum};
use lienthong_client::Client;
use lienthong_core::statistics::{Dimension, Family, Measure, Unanswerable};
use lienthong_core::{Directory, statistics};
use lienthong_model::{Ordinal, Reason, Timestamp};
use serde::Serialize;

use crate::cli::Output;
use crate::output::{self, thousands};
use crate::say::Usage;
use crate::source::{self, Source, SourceArgs};
use crate::tables::{VolumeSheet, volume_table};
use asking::AskArgs;
use sheet::Sheet;

/// Show how much flows where, and what becomes of it / thống kê
///
/// Reads from the hub (--hub) or from a data folder that no hub uses (--data). Without anything but
/// a period: documents sent and received by province and level. Days, months and years are those of
/// UTC+07:00; docs/STATISTICS.md defines every figure.
#[derive(Debug, Args)]
pub(crate) struct StatsArgs {
    /// What to show
    #[arg(value_enum, default_value_t)]
    what: What,
    #[command(flatten)]
    ask: AskArgs,
    /// Show again whenever the figures change, at most once a second
    #[arg(long, conflicts_with = "data")]
    watch: bool,
    #[command(flatten)]
    source: SourceArgs,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
enum What {
    /// Documents sent and received, by province and level; or the question that the flags make
    #[default]
    Volumes,
    /// Deliveries from each province and level to each, largest first
    Flows,
    /// Refusals by code and province
    Refusals,
    /// Who exchanges with whom: provinces, or `--by level,to-level`
    Matrix,
    /// How far deliveries came
    Progress,
    /// How long it takes to arrive, to be accepted, to be finished
    Times,
    /// Agencies that send and receive most
    Top,
    /// What waits in mailboxes, agency by agency
    Backlog,
    /// Every figure counted anew from the journal and compared: of a folder, or by a running hub
    /// while it goes on (for those who operate the country)
    Verify,
}

#[derive(Debug, Serialize)]
struct FlowView {
    from_province: Option<String>,
    from_level: &'static str,
    to_province: Option<String>,
    to_level: &'static str,
    deliveries: u64,
    bytes: u64,
}

#[derive(Debug, Serialize)]
struct RefusalView {
    /// The province; none for the centre.
    province: Option<String>,
    code: String,
    count: u64,
}

/// Runs the command.
///
/// # Errors
/// When the source cannot be read, or the question has no answer.
pub(crate) async fn run(mut args: StatsArgs, output: Output) -> anyhow::Result<ExitCode> {
    args.ask.check()?;
    if args.what == What::Verify {
        return verify::run(&args.source, output).await;
    }
    let source = args.source.open().await?;
    match args.what {
        What::Volumes if !args.ask.is_own_question() && !args.watch => {
            let sheet = volumes(&args, &source).await?;
            let lines: Vec<_> = sheet.provinces.iter().chain([&sheet.centre]).collect();
            output::sheet(output, &sheet, &lines, volume_table)?;
        }
        What::Flows => output::many(output, &flows(&args, &source).await?, flow_table)?,
        What::Refusals => output::many(output, &refusals(&args, &source).await?, refusal_table)?,
        What::Backlog => backlog::show(&args.ask, &source, output).await?,
        _ => {
            complete(args.what, &mut args.ask);
            match (&source, args.watch) {
                (Source::Hub(client), true) => return watch(&args, client, output).await,
                _ => show(&args, &answer(&args.ask, &source).await?, output)?,
            }
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// Fills in what a preset asks for and the flags do not say.
fn complete(what: What, ask: &mut AskArgs) {
    use Dimension as D;
    use Measure as M;
    let (measures, by): (&[Measure], &[Dimension]) = match what {
        What::Matrix => (&[M::Deliveries], &[D::Province, D::PartnerProvince]),
        What::Progress => (
            &[M::Delivered, M::Acknowledged, M::Accepted, M::Refused, M::Finished, M::Overdue],
            &[D::Province],
        ),
        What::Times => (
            &[
                M::ArriveHalf,
                M::ArriveMost,
                M::AcceptHalf,
                M::AcceptMost,
                M::FinishHalf,
                M::FinishMost,
            ],
            &[D::Level],
        ),
        What::Top => (&[M::Documents], &[D::Agency, D::Direction]),
        What::Volumes | What::Flows | What::Refusals | What::Backlog | What::Verify => {
            let of_documents = ask.measure.iter().all(|one| one.family() == Family::Documents);
            (&[M::Documents], if of_documents { &[D::Direction] } else { &[] })
        }
    };
    if ask.measure.is_empty() {
        ask.measure = measures.to_vec();
    }
    if ask.by.is_empty() {
        ask.by = by.to_vec();
    }
    if what == What::Top && ask.top.is_none() {
        ask.top = Some(20);
    }
}

async fn answer(ask: &AskArgs, source: &Source) -> anyhow::Result<Sheet> {
    match source {
        Source::Hub(client) => Ok(Sheet::of_client(ask, client.ask(&ask.client_question()).await?)),
        Source::Folder(folder) => {
            let at = folder.last_time().unwrap_or_else(source::machine_now);
            let reader = folder.reader();
            let directory = reader.directory();
            let answer = reader.ask(&ask.question(&directory)?)?;
            let answer = answer.map_err(|why| unanswerable(&why))?;
            Ok(Sheet::of_core(ask, &answer, &directory, at))
        }
    }
}

/// Says why a question to a folder has no answer.
pub(super) fn unanswerable(why: &Unanswerable) -> Usage {
    let vi = match why {
        Unanswerable::Count { what, found, least, most } => {
            format!("câu hỏi nêu {found} {what}, chỉ được từ {least} đến {most}")
        }
        Unanswerable::Mixed(one, other) => {
            format!("`{one}` và `{other}` được đếm riêng: hỏi lần lượt từng số liệu")
        }
        Unanswerable::NotCountedBy { measure, dimension, known } => {
            format!("`{measure}` không được đếm theo `{dimension}`, chỉ theo {known}")
        }
        Unanswerable::NotByHour(measure) => {
            format!("`{measure}` được đếm theo ngày, tháng và năm, không theo giờ")
        }
        Unanswerable::HoursGone(since) => {
            format!("số liệu theo giờ chỉ còn từ {since}: hỏi kỳ muộn hơn, hoặc hỏi theo ngày")
        }
        Unanswerable::OtherDimension(dimension) => {
            format!("một giá trị của `{dimension}` thuộc chiều thống kê khác")
        }
        Unanswerable::Period => "kỳ kết thúc trước khi bắt đầu".to_owned(),
        Unanswerable::TooManyRows(most) => {
            format!("câu trả lời có hơn {most} dòng: hỏi kỳ ngắn hơn, hoặc theo ít chiều hơn")
        }
    };
    Usage::new(vi, why.to_string())
}

fn show(args: &StatsArgs, sheet: &Sheet, output: Output) -> anyhow::Result<()> {
    output::sheet(output, sheet, &sheet.rows, |found| match args.what {
        What::Matrix => sheet::matrix(&args.ask, found),
        _ => sheet::table(&args.ask, found),
    })
}

/// Shows answers as they change, until the hub goes or somebody stops it.
async fn watch(args: &StatsArgs, client: &Client, output: Output) -> anyhow::Result<ExitCode> {
    let rows_max = args.ask.top.map_or(0, |top| u16::try_from(top).unwrap_or(u16::MAX));
    let mut answers = client.watch(&args.ask.client_question(), rows_max).await?;
    loop {
        let answer = tokio::select! {
            answer = answers.next() => answer?,
            _ = tokio::signal::ctrl_c() => return Ok(ExitCode::SUCCESS),
        };
        let sheet = Sheet::of_client(&args.ask, answer);
        match output {
            Output::Table => {
                let at = sheet.at.as_deref().unwrap_or_default();
                output::print(&format!("\n{at}\n"))?;
                show(args, &sheet, output)?;
            }
            Output::Json | Output::Jsonl | Output::Csv => {
                output::print(&(serde_json::to_string(&sheet)? + "\n"))?;
            }
        }
    }
}

async fn volumes(args: &StatsArgs, source: &Source) -> anyhow::Result<VolumeSheet> {
    Ok(match source {
        Source::Hub(client) => client.volumes(args.ask.asked()).await?.into(),
        Source::Folder(folder) => {
            let at = folder.last_time().unwrap_or_else(source::machine_now);
            let reader = folder.reader();
            VolumeSheet::of_reader(&reader.volumes(args.ask.here())?, &reader.directory(), at)
        }
    })
}

async fn flows(args: &StatsArgs, source: &Source) -> anyhow::Result<Vec<FlowView>> {
    let mut flows: Vec<FlowView> = match source {
        Source::Hub(client) => {
            let view = |cell: lienthong_client::FlowCell| FlowView {
                from_province: cell.sender_province.map(|code| code.to_string()),
                from_level: cell.sender_level.name(),
                to_province: cell.recipient_province.map(|code| code.to_string()),
                to_level: cell.recipient_level.name(),
                deliveries: cell.deliveries,
                bytes: cell.content_bytes,
            };
            client.flows(args.ask.asked()).await?.into_iter().map(view).collect()
        }
        Source::Folder(folder) => {
            let at = folder.last_time().unwrap_or_else(source::machine_now);
            let reader = folder.reader();
            let directory = reader.directory();
            let view = |flow: statistics::Flow| FlowView {
                from_province: code(&directory, flow.from_province, at),
                from_level: flow.from_level.name(),
                to_province: code(&directory, flow.to_province, at),
                to_level: flow.to_level.name(),
                deliveries: flow.deliveries,
                bytes: flow.bytes,
            };
            reader.flows(args.ask.here())?.into_iter().map(view).collect()
        }
    };
    flows.sort_by_key(|flow| std::cmp::Reverse(flow.deliveries));
    Ok(flows)
}

async fn refusals(args: &StatsArgs, source: &Source) -> anyhow::Result<Vec<RefusalView>> {
    Ok(match source {
        Source::Hub(client) => {
            let refusals = client.refusals(args.ask.asked()).await?;
            let places = refusals.provinces.into_iter().chain([refusals.centre]);
            let views = places.flat_map(|place| {
                let province = place.code.map(|code| code.to_string());
                place.refusals.into_iter().map(move |count| RefusalView {
                    province: province.clone(),
                    code: count.code,
                    count: count.count,
                })
            });
            views.collect()
        }
        Source::Folder(folder) => {
            let at = folder.last_time().unwrap_or_else(source::machine_now);
            let reader = folder.reader();
            let directory = reader.directory();
            let found = reader.refusals(args.ask.here())?;
            let view =
                |((province, reason), count): (&(Option<Ordinal>, Reason), &u64)| RefusalView {
                    province: code(&directory, *province, at),
                    code: reason.code().to_owned(),
                    count: *count,
                };
            found.by_province.iter().map(view).collect()
        }
    })
}

fn code(directory: &Directory, province: Option<Ordinal>, at: Timestamp) -> Option<String> {
    province.map(|province| directory.code(province, at))
}

fn place(code: &Option<String>) -> String {
    code.clone().unwrap_or_else(|| "TW".to_owned())
}

fn flow_table(flows: &[FlowView]) -> String {
    let mut table = output::table([
        "Từ / from",
        "Cấp / level",
        "Đến / to",
        "Cấp / level",
        "Lượt phát / deliveries",
        "Byte / bytes",
    ]);
    output::right(&mut table, 4..6);
    for flow in flows {
        table.add_row([
            place(&flow.from_province),
            flow.from_level.to_owned(),
            place(&flow.to_province),
            flow.to_level.to_owned(),
            thousands(flow.deliveries),
            thousands(flow.bytes),
        ]);
    }
    output::text_of(&table) + "TW: trung ương / the centre\n"
}

fn refusal_table(refusals: &[RefusalView]) -> String {
    let mut table =
        output::table(["Địa phương / place", "Mã / code", "Số lần / count", "Nghĩa / meaning"]);
    output::right(&mut table, [2]);
    for refusal in refusals {
        let known = Reason::ALL.iter().find(|reason| reason.code() == refusal.code);
        let meaning = known.map_or_else(String::new, |reason| {
            format!("{} / {}", reason.meaning_vi(), reason.meaning())
        });
        table.add_row([
            place(&refusal.province),
            refusal.code.clone(),
            thousands(refusal.count),
            meaning,
        ]);
    }
    let sum = refusals.iter().map(|refusal| refusal.count).sum();
    table.add_row([String::new(), "Cộng / total".to_owned(), thousands(sum), String::new()]);
    output::text_of(&table) + "TW: trung ương / the centre\n"
}
