//! Targets of indicators: the list, and setting one.

use clap::Args;
use lienthong_model::{AgencyCode, Day, Indicator, IndicatorUnit, Level, Target, Territory};
use serde::Serialize;

use crate::cli::Output;
use crate::office::{ActArgs, Office};
use crate::output;
use crate::source::{Source, SourceArgs};
use crate::values;

#[derive(Debug, Args)]
pub(super) struct TargetArgs {
    /// The indicator: electronic-inside, personal-signature, levels-connected, agencies-connected,
    /// processed, finished, on-time, growth, paper-saved
    #[arg(value_parser = indicator)]
    indicator: Indicator,
    /// The province; default: the country
    #[arg(long, value_name = "CODE")]
    province: Option<AgencyCode>,
    /// Only agencies of a level
    #[arg(long, value_name = "LEVEL")]
    level: Option<Level>,
    /// The last day before it counts (`2020-11-30`)
    #[arg(long, value_name = "DAY", value_parser = values::day)]
    by: Day,
    /// At least this: per cent (`90`, `99.5`), a number of levels, or đồng
    #[arg(long, value_name = "VALUE", required_unless_present = "remove")]
    value: Option<String>,
    /// Take the target away
    #[arg(long, conflicts_with = "value")]
    remove: bool,
    #[command(flatten)]
    act: ActArgs,
}

/// A target for programs.
#[derive(Debug, Serialize)]
struct TargetView {
    indicator: &'static str,
    /// None for the country.
    province: Option<String>,
    level: Option<&'static str>,
    by: String,
    /// Tenths of a per cent, levels, or đồng; none: taken away.
    value: Option<u64>,
}

fn indicator(text: &str) -> Result<Indicator, String> {
    let names = || Indicator::ALL.map(Indicator::name).join(", ");
    Indicator::from_name(text).ok_or_else(|| format!("one of {}", names()))
}

/// Reads a value in the indicator's unit: per cent with one decimal, or a number.
fn value(indicator: Indicator, text: &str) -> anyhow::Result<u64> {
    let wrong = || {
        let vi = format!("`--value {text}` không phải giá trị của `{indicator}`");
        let en = format!("`--value {text}` is no value of `{indicator}`");
        crate::say::Usage::new(vi, en).remedy(
            "ghi phần trăm với tối đa một chữ số thập phân (`99.5`), số cấp, hoặc số đồng",
            "write per cent with at most one decimal (`99.5`), a number of levels, or đồng",
        )
    };
    match indicator.unit() {
        IndicatorUnit::Count | IndicatorUnit::Dong => Ok(text.parse().map_err(|_| wrong())?),
        IndicatorUnit::PerMille => {
            let (whole, tenth) = text.split_once('.').unwrap_or((text, "0"));
            let whole: u64 = whole.parse().map_err(|_| wrong())?;
            let tenth: u64 = tenth.parse().map_err(|_| wrong())?;
            let per_mille = whole.checked_mul(10).and_then(|whole| whole.checked_add(tenth));
            Ok(per_mille.filter(|_| tenth < 10).ok_or_else(wrong)?)
        }
    }
}

/// Enters or takes a target away.
pub(super) async fn set(args: &TargetArgs, output: Output) -> anyhow::Result<()> {
    let value = args.value.as_deref().map(|text| value(args.indicator, text)).transpose()?;
    let target = Target {
        indicator: args.indicator,
        territory: match &args.province {
            Some(code) => Territory::Province(code.clone()),
            None => Territory::Country,
        },
        level: args.level,
        by: args.by,
        value: value.filter(|_| !args.remove),
    };
    let mut office = Office::open(&args.act).await?;
    office.set_target(target.clone()).await?;
    output::one(output, &view(&target), |_| table(&[view(&target)]))
}

/// Lists every target.
pub(super) async fn list(source: &SourceArgs, output: Output) -> anyhow::Result<()> {
    let targets: Vec<Target> = match source.open().await? {
        Source::Hub(client) => client.administration().targets().await?,
        Source::Folder(folder) => folder.reader().policy().targets.all().cloned().collect(),
    };
    let views: Vec<_> = targets.iter().map(view).collect();
    output::many(output, &views, table)
}

fn view(target: &Target) -> TargetView {
    TargetView {
        indicator: target.indicator.name(),
        province: target.territory.agency().map(ToString::to_string),
        level: target.level.map(Level::name),
        by: target.by.to_string(),
        value: target.value,
    }
}

fn table(targets: &[TargetView]) -> String {
    let mut table = output::table([
        "Chỉ tiêu / indicator",
        "Địa phương / place",
        "Cấp / level",
        "Đến ngày / by",
        "Giá trị / value",
    ]);
    output::right(&mut table, [4]);
    for target in targets {
        let known = Indicator::from_name(target.indicator);
        let name = known.map_or(target.indicator, Indicator::name_vi);
        let shown = match (known.map(Indicator::unit), target.value) {
            (_, None) => "bỏ / taken away".to_owned(),
            (Some(IndicatorUnit::PerMille), Some(value)) => {
                format!("{}.{} %", value / 10, value % 10)
            }
            (_, Some(value)) => output::thousands(value),
        };
        table.add_row([
            format!("{name}\n{}", target.indicator),
            target.province.clone().unwrap_or_else(|| "cả nước / country".to_owned()),
            target.level.unwrap_or("–").to_owned(),
            target.by.clone(),
            shown,
        ]);
    }
    output::text_of(&table)
}
