//! `lienthong stats`: volumes per province, flows, refusals.

use std::process::ExitCode;

use clap::{Args, ValueEnum};
use lienthong_client::Period;
use lienthong_core::{Directory, statistics};
use lienthong_model::{Ordinal, Reason, Timestamp};
use serde::Serialize;

use crate::cli::Output;
use crate::output::{self, thousands};
use crate::say::Usage;
use crate::source::{self, Source, SourceArgs};
use crate::tables::{VolumeSheet, volume_table};

/// Show how much flows where / thống kê
///
/// Reads from the hub (--hub) or from a data folder that no hub uses (--data). Volumes are counted
/// in whole days, flows and refusals in whole hours, of UTC+07:00.
#[derive(Debug, Args)]
pub(crate) struct StatsArgs {
    /// What to show
    #[arg(value_enum, default_value_t)]
    what: What,
    /// The first moment of the period; default: since the beginning
    #[arg(long, value_name = "TIME", value_parser = source::moment)]
    from: Option<Timestamp>,
    /// The first moment after the period; default: until now
    #[arg(long, value_name = "TIME", value_parser = source::moment)]
    to: Option<Timestamp>,
    #[command(flatten)]
    source: SourceArgs,
}

#[derive(Debug, Clone, Copy, Default, ValueEnum)]
enum What {
    /// Documents sent and received, by province and level
    #[default]
    Volumes,
    /// Deliveries from each province and level to each, largest first
    Flows,
    /// Refusals by code and province
    Refusals,
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
/// When the source cannot be read.
pub(crate) async fn run(args: StatsArgs, output: Output) -> anyhow::Result<ExitCode> {
    if let (Some(from), Some(to)) = (args.from, args.to)
        && from >= to
    {
        return Err(Usage::new(format!("the period ends at {to}, before it begins at {from}"))
            .remedy("give --from an earlier moment than --to")
            .into());
    }
    let source = args.source.open().await?;
    match args.what {
        What::Volumes => output::one(output, &volumes(&args, &source).await?, volume_table)?,
        What::Flows => output::many(output, &flows(&args, &source).await?, flow_table)?,
        What::Refusals => output::many(output, &refusals(&args, &source).await?, refusal_table)?,
    }
    Ok(ExitCode::SUCCESS)
}

impl StatsArgs {
    fn asked(&self) -> Period {
        Period { from: self.from, to: self.to }
    }

    fn here(&self) -> statistics::Period {
        let all = statistics::Period::ALL;
        statistics::Period {
            from: self.from.unwrap_or(all.from),
            until: self.to.unwrap_or(all.until),
        }
    }
}

async fn volumes(args: &StatsArgs, source: &Source) -> anyhow::Result<VolumeSheet> {
    Ok(match source {
        Source::Hub(client) => client.volumes(args.asked()).await?.into(),
        Source::Folder(folder) => {
            let at = folder.last_time().unwrap_or_else(source::machine_now);
            let reader = folder.reader();
            VolumeSheet::of_reader(&reader.volumes(args.here())?, &reader.directory(), at)
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
            client.flows(args.asked()).await?.into_iter().map(view).collect()
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
            reader.flows(args.here())?.into_iter().map(view).collect()
        }
    };
    flows.sort_by_key(|flow| std::cmp::Reverse(flow.deliveries));
    Ok(flows)
}

async fn refusals(args: &StatsArgs, source: &Source) -> anyhow::Result<Vec<RefusalView>> {
    Ok(match source {
        Source::Hub(client) => {
            let refusals = client.refusals(args.asked()).await?;
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
            let found = reader.refusals(args.here())?;
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
        "Lượt gửi / deliveries",
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
