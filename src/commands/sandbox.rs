//! `lienthong sandbox`: a hub and a province that lives, to test one's own system against.
//!
//! The province's agencies are those of a scenario without an end, played live: they write, receive,
//! register, assign, process and finish. One of them works through the connector. Agencies *under
//! test* are left to whoever tests: their mail comes by itself.

mod clerk;
mod folder;
mod invite;
mod life;
mod line;

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use clap::{Args, Subcommand};
use lienthong_client::ClockSource;
use lienthong_model::AgencyCode;
use lienthong_simulator::live::{Ground, Live, Remembers};
use lienthong_simulator::scenario::Scenario;
use lienthong_simulator::world::Played;
use serde::Serialize;

use crate::cli::Output;
use crate::output;
use crate::own_hub::OwnHub;
use crate::say::Usage;
use crate::stop::Stop;
use folder::CLOCK_NOTED_EVERY;
pub(crate) use folder::Sandbox;
pub(crate) use line::wish;

/// Where a sandbox is kept when nobody says.
pub(crate) const FOLDER: &str = "lienthong-sandbox";

/// Run a hub and a living province to test a system against / sân tập cho hệ thống của mình
///
/// Runs until Ctrl-C. `lienthong sandbox invite` makes certificates and a configuration for an
/// agency under test; docs/SANDBOX.md walks through it.
#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(crate) struct SandboxArgs {
    #[command(subcommand)]
    command: Option<SandboxCommand>,
    #[command(flatten)]
    run: RunArgs,
}

#[derive(Debug, Subcommand)]
enum SandboxCommand {
    /// Make certificates and a configuration for an agency under test / mời một cơ quan
    Invite(invite::InviteArgs),
    /// Let a clerk work in a connector's folder: register, process, answer / cán bộ mô phỏng
    Clerk(clerk::ClerkArgs),
}

#[derive(Debug, Args)]
struct RunArgs {
    /// The province that lives / tỉnh
    #[arg(long, value_name = "CODE", default_value = "H36")]
    province: AgencyCode,
    /// An agency under test, repeatable; default: the last department, district and commune
    #[arg(long, value_name = "CODE")]
    agency: Vec<AgencyCode>,
    /// How many agencies of the province live / số cơ quan
    #[arg(long, value_name = "N", default_value_t = 12, value_parser = clap::value_parser!(u16).range(3..=500))]
    agencies: u16,
    /// Documents that they write in a minute / số văn bản mỗi phút
    #[arg(long, value_name = "N", default_value_t = 6, value_parser = clap::value_parser!(u16).range(1..=600))]
    pace: u16,
    /// How many times faster than life business time runs; 1 is this machine's clock / tốc độ đồng hồ
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=3_600))]
    rate: u32,
    /// Address and port of the hub; port 0 takes a free one
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:7443")]
    listen: String,
    /// The folder in which it is kept; its hub goes on where it stopped
    #[arg(long, value_name = "DIR", default_value = FOLDER)]
    folder: PathBuf,
}

/// What is printed when it lives.
#[derive(Debug, Serialize)]
struct Ready {
    ready: bool,
    hub: String,
    clock: String,
    province: String,
    folder: String,
    /// Agencies that live as clients.
    living: Vec<String>,
    /// The agency that works through the connector.
    connector: String,
    /// Agencies under test.
    under_test: Vec<String>,
}

/// Runs the command.
///
/// # Errors
/// When it cannot start.
pub(crate) async fn run(args: SandboxArgs, output: Output) -> anyhow::Result<ExitCode> {
    match args.command {
        Some(SandboxCommand::Invite(args)) => invite::run(&args, output),
        Some(SandboxCommand::Clerk(args)) => clerk::run(args).await,
        None => live(args.run, output).await,
    }
}

async fn live(args: RunArgs, output: Output) -> anyhow::Result<ExitCode> {
    let mut stop = Stop::new()?;
    let country = super::sim::country()?;
    let cast = life::Cast::choose(&country, &args.province, args.agencies, &args.agency)?;
    let mut sandbox = Sandbox::prepare(&args.folder, args.rate, &cast)?;
    let life = life::Life { pace: args.pace, rate: args.rate };
    let scenario = life.scenario(&cast, sandbox.begin())?;
    if sandbox.time().source().now() >= scenario.end() {
        let shown = args.folder.display();
        return Err(Usage::new(
            format!("sân tập `{shown}` đã hết một năm nghiệp vụ"),
            format!("the year of business time of `{shown}` is over"),
        )
        .remedy(
            "bắt đầu sân tập khác bằng --folder THƯ_MỤC",
            "begin another sandbox with --folder DIR",
        )
        .into());
    }
    let population = cast.population(&scenario, &country)?;
    let keys = sandbox.keys(&scenario)?;
    sandbox.write(&keys, &population.directory(&country), &cast)?;
    // Begun before the hub's, so never behind it.
    let clock = sandbox.time().source();
    sandbox.note_clock(clock.now())?;
    let hub = OwnHub::start(&args.folder, &args.listen, sandbox.time())?;
    let lines = line::Lines::open(&sandbox, &hub.url()).await?;
    sandbox.note_clock(clock.now())?;
    sandbox.opened(&hub.url(), lines.addresses())?;
    let clerk = clerk::Clerk::start(&sandbox, &cast).await?;
    announce(output, &sandbox, &cast)?;
    let ended = Arc::new(AtomicBool::new(false));
    let wish = ended.clone();
    tokio::spawn(async move {
        stop.asked().await;
        wish.store(true, Ordering::Relaxed);
    });
    let ground =
        Ground { url: hub.url(), clock: sandbox.time().source(), control: Some(Box::new(hub)) };
    let (seed, from) = (sandbox.seed(), sandbox.time().source().now());
    let (stop, remembers) = (ended.clone(), Remembers::WhatIsOpen);
    let live = Live { country: &country, population, keys, seed, ground, from, stop, remembers };
    let played = play(&mut sandbox, &clock, &scenario, live);
    clerk.stop().await;
    drop(lines);
    let mut played = played?;
    played.stop_hub()?;
    sandbox.ended(clock.now())?;
    if !ended.load(Ordering::Relaxed) {
        anstream::eprintln!(
            "sân tập đã hết một năm nghiệp vụ; hãy bắt đầu ở thư mục khác / the sandbox's year of \
             business time is over; begin another one with --folder"
        );
    }
    Ok(ExitCode::SUCCESS)
}

/// Plays until it is stopped or its year is over; meanwhile it is noted where its clock stands.
fn play(
    sandbox: &mut Sandbox,
    clock: &ClockSource,
    scenario: &Scenario,
    live: Live<'_>,
) -> anyhow::Result<Played> {
    let (mut noted, mut noting) = (Instant::now(), Ok(()));
    let told = |_| {
        if noted.elapsed() >= CLOCK_NOTED_EVERY && noting.is_ok() {
            noted = Instant::now();
            noting = sandbox.note_clock(clock.now());
        }
    };
    let played = tokio::task::block_in_place(|| {
        lienthong_simulator::live::play(scenario, live, None, told)
    })?;
    noting.map(|()| played)
}

/// Says that it lives, and what to do next.
fn announce(output: Output, sandbox: &Sandbox, cast: &life::Cast) -> anyhow::Result<()> {
    let codes = |codes: &[AgencyCode]| codes.iter().map(ToString::to_string).collect();
    let ready = Ready {
        ready: true,
        hub: sandbox.hub().to_owned(),
        clock: sandbox.time().text(),
        province: cast.province.to_string(),
        folder: sandbox.folder().display().to_string(),
        living: codes(&cast.living),
        connector: cast.connector.to_string(),
        under_test: codes(&cast.under_test),
    };
    let text = match output {
        Output::Json | Output::Jsonl | Output::Csv => serde_json::to_string(&ready)? + "\n",
        Output::Table => text(&ready),
    };
    output::print(&text)
}

fn text(ready: &Ready) -> String {
    let clock = match ready.clock.as_str() {
        "real" => "thực / real".to_owned(),
        clock => format!("{clock}: thời gian nghiệp vụ tăng tốc / accelerated business time"),
    };
    let folder = match ready.folder.as_str() {
        FOLDER => String::new(),
        other => format!(" --sandbox {}", output::shell_word(other)),
    };
    let first = ready.under_test.first().cloned().unwrap_or_default();
    let mut text = output::pairs(&[
        ("lienthong sandbox ready", ready.hub.clone()),
        ("đồng hồ / clock", clock),
        ("đang hoạt động / living", ready.living.join(", ")),
        ("qua bộ kết nối / by connector", ready.connector.clone()),
        ("để thử / under test", ready.under_test.join(", ")),
    ]);
    text += &format!(
        "\nMời cơ quan của mình / invite your agency (another terminal):\n\
         \x20 lienthong sandbox invite --agency {first} --to my-agency{folder}\n\
         Kiểm tra / test it:\n\
         \x20 lienthong conformance run --agency {first}{folder}\n\
         Ctrl-C để dừng / to stop.\n"
    );
    text
}
