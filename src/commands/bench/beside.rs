//! `bench beside`: how the others fare beside dead consumers, and beside submissions to thousands,
//! in turn with how they fare alone; and what an idle mailbox costs.

use std::sync::Arc;
use std::time::Duration;

use clap::{Args, ValueEnum};
use lienthong_bench::{
    Cast, DeadConsumers, HubProcess, Large, Latency, Load, Pace, Program, Scene, Stage, Target,
    Way, Work, idle, measure, median,
};
use serde::Serialize;

use super::args::within;
use super::series::temporary;
use super::view::millis;
use crate::cli::Output;
use crate::output;
use crate::terminal::Progress;

/// Recipients of one of the large submissions.
const LARGE: usize = 12_000;
/// How often one comes, so that one at a time is fanned out.
const LARGE_EVERY: Duration = Duration::from_secs(1);
/// Documents in each dead consumer's mailbox.
const WAITING: usize = 300;
/// Idle mailboxes that are opened before it is measured.
const WARM: usize = 50;
const COUNT_MAX: u64 = 5_000;
const ROUNDS_MAX: u64 = 100;
const DOCUMENTS_MAX: u64 = 1_000_000;

/// Beside whom.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Whom {
    /// Consumers of full mailboxes that take nothing
    Dead,
    /// Submissions to 12,000 recipients, one after the other
    Large,
    /// Mailboxes that are open and have nothing: how much memory each costs
    Idle,
}

/// Measure others beside somebody who is a burden, in turn with without.
#[derive(Debug, Args)]
pub(crate) struct BesideArgs {
    /// Beside whom
    #[arg(value_enum)]
    whom: Whom,
    /// How many dead consumers or idle mailboxes; default 100, or 1,000 idle ones
    #[arg(long, value_name = "N")]
    count: Option<usize>,
    /// Rounds, each without and with / số vòng
    #[arg(long, value_name = "N", default_value_t = 5)]
    rounds: usize,
    /// Documents of the others in one turn
    #[arg(long, value_name = "N", default_value_t = 2_000)]
    documents: usize,
    /// Their rate a second
    #[arg(long, value_name = "N", default_value_t = 200.0)]
    rate: f64,
    /// A folder on the disk that is to be measured; default: the system's temporary folder
    #[arg(long, value_name = "DIR")]
    data: Option<std::path::PathBuf>,
}

/// What the others took, alone and beside.
#[derive(Debug, Serialize)]
struct Fared {
    alone: Vec<Latency>,
    beside: Vec<Latency>,
    /// The 99th of 100 beside, divided by alone of the same round; the median.
    p99_ratio: f64,
    /// Submissions to thousands that were fanned out meanwhile.
    large: usize,
}

/// What an idle mailbox costs.
#[derive(Debug, Serialize)]
struct Idle {
    mailboxes: usize,
    bytes_each: f64,
}

/// Carries it out and prints what it showed.
///
/// # Errors
/// When the hub cannot be started, or does not take what it is asked to.
pub(super) async fn run(args: BesideArgs, output: Output) -> anyhow::Result<()> {
    let usual = if args.whom == Whom::Idle { 1_000 } else { 100 };
    let count = args.count.unwrap_or(usual);
    within("--count", count as u64, COUNT_MAX)?;
    within("--rounds", args.rounds as u64, ROUNDS_MAX)?;
    within("--documents", args.documents as u64, DOCUMENTS_MAX)?;
    let folder = temporary(args.data.as_deref())?;
    let more = if args.whom == Whom::Large { LARGE } else { 0 };
    // The first recipient is the others', the rest are the burden.
    let cast = Cast::numbered(2, 1 + WARM + count)?;
    let stage = Stage::write(folder.path(), cast, more)?;
    let hub = HubProcess::start(&Program::this()?, &stage, &folder.path().join("hub")).await?;
    let target = Target::of(&hub, folder.path().to_owned());
    let burden = stage.cast.recipients.get(1..).unwrap_or_default();
    let shown = match args.whom {
        Whom::Idle => {
            let bytes_each = idle(&target, &stage.keys, burden, WARM).await?;
            let idle = Idle { mailboxes: count, bytes_each };
            output::one(output, &idle, |idle| {
                let kib = idle.bytes_each / 1024.0;
                format!("{} hộp thư / mailboxes: {kib:.1} KiB mỗi hộp / each\n", idle.mailboxes)
            })
        }
        Whom::Dead | Whom::Large => {
            let dead = burden.get(..count).unwrap_or_default();
            let fared = Rounds { args: &args, target: &target, stage: &stage }.run(dead).await?;
            output::one(output, &fared, view)
        }
    };
    anyhow::ensure!(hub.stop().await, "the hub did not end well");
    shown
}

struct Rounds<'a> {
    args: &'a BesideArgs,
    target: &'a Target,
    stage: &'a Stage,
}

impl Rounds<'_> {
    async fn run(&self, dead: &[lienthong_model::AgencyCode]) -> anyhow::Result<Fared> {
        let (keys, cast) = (&self.stage.keys, &self.stage.cast);
        let [burden, other] = cast.senders.as_slice() else { anyhow::bail!("two senders") };
        if self.args.whom == Whom::Dead {
            DeadConsumers::fill(self.target, keys, burden, dead, WAITING).await?;
        }
        let others = Cast { senders: vec![other.clone()], recipients: cast.recipients.clone() };
        let scene = Arc::new(Scene::connect(self.target.clone(), keys, &others, 1).await?);
        let load = Load {
            work: Work::Deliver,
            way: Way::Unary,
            fan_out: 1,
            payload: 0,
            documents: self.args.documents,
            pace: Pace::PerSecond(self.args.rate),
        };
        let mut fared = Fared { alone: vec![], beside: vec![], p99_ratio: 0.0, large: 0 };
        let mut bar = Progress::of("lượt đo / turns");
        for round in 0..self.args.rounds {
            for turn in 0..2 {
                match (round + turn) % 2 {
                    0 => fared.alone.push(measure(&scene, &load).await?.done),
                    _ if self.args.whom == Whom::Dead => {
                        let dead = DeadConsumers::open(self.target, keys, dead).await?;
                        fared.beside.push(measure(&scene, &load).await?.done);
                        drop(dead);
                    }
                    _ => {
                        let large =
                            Large::start(self.target, keys, burden, LARGE, LARGE_EVERY).await?;
                        fared.beside.push(measure(&scene, &load).await?.done);
                        fared.large += large.end().await?;
                    }
                }
                bar.reached((2 * round + turn + 1) as u64, 2 * self.args.rounds as u64);
            }
        }
        bar.finish();
        let pairs = fared.alone.iter().zip(&fared.beside);
        fared.p99_ratio =
            median(pairs.map(|(alone, beside)| beside.p99_us as f64 / alone.p99_us as f64));
        Ok(fared)
    }
}

fn view(fared: &Fared) -> String {
    let middle = |of: &[Latency], figure: fn(&Latency) -> u64| {
        millis(median(of.iter().map(|latency| figure(latency) as f64)) as u64)
    };
    let mut table = output::table(["Độ trễ / latency, ms", "p50", "p99", "p99.9"]);
    output::right(&mut table, 1..4);
    for (name, of) in [("một mình / alone", &fared.alone), ("bên cạnh / beside", &fared.beside)]
    {
        table.add_row([
            name.to_owned(),
            middle(of, |latency| latency.p50_us),
            middle(of, |latency| latency.p99_us),
            middle(of, |latency| latency.p999_us),
        ]);
    }
    let large = match fared.large {
        0 => String::new(),
        sent => format!("; {sent} văn bản tới 12.000 nơi / documents to 12,000 recipients"),
    };
    format!(
        "{}\n{} vòng, số trung vị / rounds, medians; p99 × {:.2}{large}\n",
        output::text_of(&table),
        fared.alone.len(),
        fared.p99_ratio
    )
}
