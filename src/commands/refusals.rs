//! `lienthong refusals`: what the hub refuses, by reason, with examples.

use std::process::ExitCode;

use clap::Args;
use lienthong_client as client;
use lienthong_core::statistics::{Dimension, Question, RefusalExample, Value};
use lienthong_model::{Reason, Timestamp};
use serde::Serialize;

use super::stats::unanswerable;
use crate::cli::Output;
use crate::output::{self, thousands};
use crate::say::Usage;
use crate::source::{self, Source, SourceArgs};

/// Show what is refused, by reason, with examples / lượt bị từ chối, theo lý do
///
/// Counts are of the whole period; examples are the last refusals of ids that are kept (256 an
/// agency). Single callers are shown to nodes of their province, and to persons for their territory.
#[derive(Debug, Args)]
pub(crate) struct RefusalsArgs {
    /// One reason only, by its code
    #[arg(long, value_name = "CODE")]
    reason: Option<String>,
    /// One province only, by its code; `TW` for the centre
    #[arg(long, value_name = "CODE")]
    province: Option<String>,
    /// The first moment of the period; default: since the beginning
    #[arg(long, value_name = "TIME", value_parser = source::moment)]
    from: Option<Timestamp>,
    /// The first moment after the period; default: until now
    #[arg(long, visible_alias = "until", value_name = "TIME", value_parser = source::moment)]
    to: Option<Timestamp>,
    /// Examples of each reason
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u16).range(0..=100))]
    examples: u16,
    #[command(flatten)]
    source: SourceArgs,
}

#[derive(Debug, Serialize)]
struct ReasonView {
    code: String,
    count: u64,
    meaning_vi: &'static str,
    meaning: &'static str,
    remedy_vi: &'static str,
    remedy: &'static str,
    examples: Vec<ExampleView>,
}

#[derive(Debug, Clone, Serialize)]
struct ExampleView {
    caller: String,
    id: String,
    at: String,
    field: String,
    value: String,
}

/// Runs the command.
///
/// # Errors
/// When the source cannot be read.
pub(crate) async fn run(args: RefusalsArgs, output: Output) -> anyhow::Result<ExitCode> {
    let source = args.source.open().await?;
    let mut reasons = Vec::new();
    for (code, count) in counts(&args, &source).await? {
        let Some(reason) = Reason::ALL.iter().find(|reason| reason.code() == code) else {
            continue;
        };
        reasons.push(ReasonView {
            examples: examples(&args, &source, *reason).await?,
            code,
            count,
            meaning_vi: reason.meaning_vi(),
            meaning: reason.meaning(),
            remedy_vi: reason.remedy_vi(),
            remedy: reason.remedy(),
        });
    }
    output::many(output, &reasons, table)?;
    Ok(ExitCode::SUCCESS)
}

/// Refusals by code, the most first.
async fn counts(args: &RefusalsArgs, source: &Source) -> anyhow::Result<Vec<(String, u64)>> {
    let mut only = Vec::new();
    only.extend(args.reason.clone().map(|code| (Dimension::Reason, code)));
    only.extend(args.province.clone().map(|code| (Dimension::Province, code)));
    let measure = lienthong_core::statistics::Measure::Refusals;
    Ok(match source {
        Source::Hub(hub) => {
            let filter = only.into_iter().map(|(dimension, text)| {
                let number = i32::from(dimension.number());
                (client::Dimension::try_from(number).unwrap_or_default(), vec![text])
            });
            let question = client::Question {
                period: client::Period { from: args.from, to: args.to },
                group_by: vec![client::Dimension::Reason],
                filter: filter.collect(),
                measures: vec![client::Measure::Refusals],
                top: Some(client::Measure::Refusals),
                ..client::Question::default()
            };
            let rows = hub.ask(&question).await?.rows.into_iter();
            rows.filter_map(|row| Some((row.group.first()?.value.clone(), row.figure(0)))).collect()
        }
        Source::Folder(folder) => {
            let reader = folder.reader();
            let directory = reader.directory();
            let all = lienthong_core::statistics::Period::ALL;
            let period = lienthong_core::statistics::Period {
                from: args.from.unwrap_or(all.from),
                until: args.to.unwrap_or(all.until),
            };
            let mut question = Question::of(period, &[measure]).by(&[Dimension::Reason]);
            question.top = Some(measure);
            for (dimension, text) in only {
                let value = Value::parse(dimension, &text, &directory).ok_or_else(|| {
                    let vi = format!("`{text}` không phải giá trị của {dimension}");
                    Usage::new(vi, format!("`{text}` is no {dimension}")).remedy(
                        "docs/REFUSALS.md liệt kê các mã lý do",
                        "docs/REFUSALS.md lists the codes of reasons",
                    )
                })?;
                question = question.only(dimension, &[value]);
            }
            let answer = reader.ask(&question)?.map_err(|why| unanswerable(&why))?;
            let at = folder.last_time().unwrap_or_else(source::machine_now);
            let rows = answer.rows.iter();
            rows.filter_map(|row| {
                Some((row.group.first()?.text(&directory, at), row.values[0].unwrap_or(0)))
            })
            .collect()
        }
    })
}

async fn examples(
    args: &RefusalsArgs,
    source: &Source,
    reason: Reason,
) -> anyhow::Result<Vec<ExampleView>> {
    if args.examples == 0 {
        return Ok(Vec::new());
    }
    let province = args.province.as_deref().unwrap_or_default();
    Ok(match source {
        Source::Hub(hub) => {
            let found = hub.refusal_examples(reason.code(), province, args.examples).await?;
            let view = |one: client::RefusalExample| ExampleView {
                caller: one.caller,
                id: one.id.to_string(),
                at: one.at.to_string(),
                field: one.field,
                value: one.value,
            };
            found.into_iter().map(view).collect()
        }
        Source::Folder(folder) => {
            let at = folder.last_time().unwrap_or_else(source::machine_now);
            let reader = folder.reader();
            let directory = reader.directory();
            let here = Value::parse(Dimension::Province, province, &directory);
            let wanted = |caller| {
                let agency = directory.agency(caller);
                province.is_empty()
                    || agency.is_some_and(|agency| {
                        here == Some(Value::Province(directory.place(agency, at).province))
                    })
            };
            let limit = usize::from(args.examples);
            let found = reader
                .with_statistics(|source| source.refusal_examples(Some(reason), &wanted, limit))?;
            let view = |one: &RefusalExample| {
                let first = one.refusal.violations.first();
                ExampleView {
                    caller: directory.code(one.caller, at),
                    id: one.id.to_string(),
                    at: one.at.to_string(),
                    field: first.map(|first| first.field.clone()).unwrap_or_default(),
                    value: first.map(|first| first.value.clone()).unwrap_or_default(),
                }
            };
            found.iter().map(view).collect()
        }
    })
}

fn table(reasons: &[ReasonView]) -> String {
    let mut table = output::table([
        "Mã / code",
        "Số lần\ncount",
        "Nghĩa, cách xử lý, ví dụ / meaning, remedy, examples",
    ]);
    output::right(&mut table, [1]);
    output::narrow(&mut table);
    for reason in reasons {
        let mut text = format!("{}\n{}\n", reason.meaning_vi, reason.meaning);
        text += &format!("→ {}\n→ {}", reason.remedy_vi, reason.remedy);
        for one in &reason.examples {
            text +=
                &format!("\n· {} {} {}: {} {}", one.at, one.caller, one.id, one.field, one.value);
        }
        table.add_row([reason.code.clone(), thousands(reason.count), text]);
    }
    let sum = reasons.iter().map(|reason| reason.count).sum();
    table.add_row(["Cộng / total".to_owned(), thousands(sum), String::new()]);
    output::text_of(&table)
}
