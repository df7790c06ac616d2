//! `lienthong sim`: scenarios, in the virtual world and live.

mod diff;
mod explore;
pub(crate) mod live;
mod report;
mod run;
mod telling;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Args, Subcommand};
use lienthong_simulator::scenario::{
    Country, Missing, Place, Scenario, ScenarioError, builtin, names,
};
use lienthong_simulator::world::{World, WorldError};
use serde::Serialize;

use crate::cli::Output;
use crate::config::file::text_of;
use crate::output::{self, thousands};
use crate::say::Usage;

/// Play scenarios: what a country of agencies does, and what the hub must show / kịch bản
///
/// A scenario is the name of one that comes with it, or a file of TOML (docs/SCENARIOS.md). It is
/// played in virtual time on the hub's own core: the same scenario and seed give the same bytes.
#[derive(Debug, Args)]
pub(crate) struct SimArgs {
    #[command(subcommand)]
    command: SimCommand,
}

#[derive(Debug, Subcommand)]
enum SimCommand {
    /// List the scenarios that come with it / danh sách kịch bản
    List,
    /// Check a scenario's file / kiểm tra tệp kịch bản
    Check {
        /// The file
        file: PathBuf,
        /// The world that it shall be played in / môi trường
        #[arg(long, value_enum, default_value_t)]
        world: run::WorldKind,
    },
    /// Say in words and figures what a scenario will do / mô tả
    Describe {
        /// A name or a file
        #[arg(value_name = "NAME|FILE")]
        scenario: String,
    },
    Run(run::RunArgs),
    Diff(diff::DiffArgs),
    Explore(explore::ExploreArgs),
}

#[derive(Debug, Serialize)]
struct Listed {
    name: String,
    title: String,
    title_en: String,
    from: String,
    until: String,
    documents: u64,
    faults: usize,
    expects: usize,
    seed: u64,
}

/// Runs the command.
///
/// # Errors
/// When there is no such scenario, or its file is wrong.
pub(crate) fn run(args: SimArgs, output: Output) -> anyhow::Result<ExitCode> {
    match args.command {
        SimCommand::List => list(output),
        SimCommand::Check { file, world } => check(&file, world, output),
        SimCommand::Describe { scenario } => {
            let text = load(&scenario)?.describe(&country()?);
            output::one(output, &text, Clone::clone)?;
            Ok(ExitCode::SUCCESS)
        }
        SimCommand::Run(args) => run::run(&args, output),
        SimCommand::Diff(args) => diff::run(&args, output),
        SimCommand::Explore(args) => explore::run(&args, output),
    }
}

fn list(output: Output) -> anyhow::Result<ExitCode> {
    let listed: Vec<Listed> = names().filter_map(builtin).map(Listed::of).collect();
    output::many(output, &listed, |listed| {
        let mut table = output::table([
            "Tên\nname",
            "Kịch bản\nscenario",
            "Từ\nfrom",
            "Văn bản\ndocuments",
            "Sự cố\nfaults",
            "Kỳ vọng\nexpected",
        ]);
        output::right(&mut table, 3..6);
        if let Some(name) = table.column_mut(0) {
            // A name is copied: it never breaks.
            name.set_constraint(comfy_table::ColumnConstraint::ContentWidth);
        }
        for one in listed {
            table.add_row([
                one.name.clone(),
                format!("{}\n{}", one.title, one.title_en),
                one.from.clone(),
                thousands(one.documents),
                one.faults.to_string(),
                one.expects.to_string(),
            ]);
        }
        output::text_of(&table)
    })?;
    Ok(ExitCode::SUCCESS)
}

impl Listed {
    fn of(scenario: Scenario) -> Self {
        Self {
            from: scenario.days.first.to_string(),
            until: scenario.days.last.to_string(),
            documents: scenario.documents(),
            faults: scenario.faults.len(),
            expects: scenario.expects.len(),
            seed: scenario.seed,
            name: scenario.name,
            title: scenario.title,
            title_en: scenario.title_en,
        }
    }
}

/// Reads the file, and sets it up: who is named is in the directory, and somebody can write.
fn check(file: &Path, world: run::WorldKind, output: Output) -> anyhow::Result<ExitCode> {
    let (scenario, country, shown) = (read(file)?, country()?, file.display().to_string());
    has_all(&scenario, &shown, world.place(false))?;
    World::new(&scenario, &country, None, None)
        .map_err(|error| not_played(&shown, error, &country))?;
    output::one(output, &Listed::of(scenario), |listed| {
        format!("đúng / right: {}, ≈ {} văn bản / documents", listed.name, listed.documents)
    })?;
    Ok(ExitCode::SUCCESS)
}

/// Refuses what the world does not have.
fn has_all(scenario: &Scenario, shown: &str, place: Place) -> Result<(), Usage> {
    match scenario.missing_in(place).into_iter().next() {
        None => Ok(()),
        Some(Missing { line, what, remedy }) => Err(Usage::new(
            format!("`{shown}`, dòng {line}: {}", what.vi),
            format!("`{shown}`, line {line}: {}", what.en),
        )
        .remedy(remedy.vi, remedy.en)),
    }
}

/// A scenario is not played to its end: says on which line of its file the reason is, and what is
/// near it, when the scenario is the reason.
fn not_played(asked: &str, error: WorldError, country: &Country) -> anyhow::Error {
    if let WorldError::Unknown(unknown) = &error {
        let unknown = unknown.first().map_or("", String::as_str);
        return unknown_in(asked, unknown, country).into();
    }
    match error.words() {
        Some((what, remedy)) => {
            Usage::new(format!("`{asked}`: {}", what.vi), format!("`{asked}`: {}", what.en))
                .remedy(remedy.vi, remedy.en)
                .into()
        }
        None => anyhow::Error::new(error).context(format!("`{asked}`")),
    }
}

/// The directory does not have what a scenario names.
fn unknown_in(asked: &str, unknown: &str, country: &Country) -> Usage {
    let text = std::fs::read_to_string(asked).unwrap_or_default();
    let quoted = format!("\"{unknown}\"");
    let line = text.lines().position(|line| line.contains(&quoted)).map(|index| index + 1);
    let place = |word: &str| line.map_or_else(String::new, |line| format!(", {word} {line}"));
    let codes = country.entries.iter().map(|entry| entry.code.as_str());
    let known = country.regions.keys().map(String::as_str).chain(codes);
    let nearest = known.min_by_key(|known| strsim::damerau_levenshtein(known, unknown));
    let nearest = nearest.unwrap_or_default();
    Usage::new(
        format!("`{asked}`{}: danh bạ không có `{unknown}`", place("dòng")),
        format!("`{asked}`{}: the directory does not have `{unknown}`", place("line")),
    )
    .remedy(
        format!("có phải `{nearest}`? xem `lienthong directory list`"),
        format!("did you mean `{nearest}`? see `lienthong directory list`"),
    )
}

/// Returns the scenario with a name, or of a file.
fn load(what: &str) -> Result<Scenario, Usage> {
    if let Some(scenario) = builtin(what) {
        return Ok(scenario);
    }
    let path = Path::new(what);
    if path.exists() {
        return read(path);
    }
    let nearest = names().min_by_key(|name| strsim::damerau_levenshtein(name, what));
    let nearest = nearest.unwrap_or_default();
    Err(Usage::new(
        format!("không có kịch bản hoặc tệp `{what}`"),
        format!("there is no scenario and no file `{what}`"),
    )
    .remedy(
        format!("có phải `{nearest}`? `lienthong sim list` liệt kê tất cả"),
        format!("did you mean `{nearest}`? `lienthong sim list` lists them all"),
    ))
}

fn read(path: &Path) -> Result<Scenario, Usage> {
    let wrong = |error: ScenarioError| {
        Usage::new(error.shown_vi(), error.to_string()).remedy(error.remedy.vi, error.remedy.en)
    };
    Scenario::parse(&path.display().to_string(), &text_of(path)?).map_err(wrong)
}

/// The built-in directory of Viet Nam.
pub(crate) fn country() -> anyhow::Result<Country> {
    let mut regions: BTreeMap<String, Vec<_>> = BTreeMap::new();
    for province in lienthong_country::provinces()? {
        regions.entry(province.region.name().to_owned()).or_default().push(province.code);
    }
    Ok(Country { entries: lienthong_country::entries()?, regions })
}
