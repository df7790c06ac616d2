//! Rounds in turn: every load on every hub, again and again, each time on a new data folder, so
//! that all of them meet the same machine.

use std::path::Path;
use std::sync::Arc;

use anyhow::Context as _;
use lienthong_bench::{
    Cast, HubProcess, Keyring, Load, Program, Round, Scene, Stage, Target, measure, median,
};
use serde::Serialize;
use tempfile::TempDir;

use super::args::{GroundArgs, RunningHubArgs};
use crate::terminal::Progress;

/// A hub that is measured.
#[derive(Debug, Clone)]
pub(super) struct Variant {
    /// What it is called in the table; empty where there is one only.
    pub name: String,
    pub program: Program,
}

/// Rounds in turn.
pub(super) struct Series {
    ground: GroundArgs,
    pub variants: Vec<Variant>,
    loads: Vec<Load>,
}

/// The rounds of one load on one hub, and their medians.
#[derive(Debug, Serialize)]
pub(super) struct Row {
    #[serde(skip_serializing_if = "String::is_empty")]
    pub hub: String,
    /// The median of each figure by itself.
    pub median: Round,
    pub rounds: Vec<Round>,
}

impl Series {
    /// Prepares rounds on hubs of this program.
    ///
    /// # Errors
    /// When the arguments are out of bounds.
    pub fn new(ground: GroundArgs, loads: Vec<Load>) -> anyhow::Result<Self> {
        ground.check()?;
        let variants = vec![Variant { name: String::new(), program: Program::this()? }];
        Ok(Self { ground, variants, loads })
    }

    /// Carries all rounds out; one row a load and hub, in this order.
    ///
    /// # Errors
    /// When a hub cannot be started or reached, or does not take what it is asked to.
    pub async fn carry_out(self) -> anyhow::Result<Vec<Row>> {
        if self.ground.running.hub.is_some() {
            return self.on_running_hub().await;
        }
        let folder = temporary(self.ground.data.as_deref())?;
        let recipients = self.loads.iter().map(|load| load.fan_out).max().unwrap_or(1);
        let stage = Stage::write(folder.path(), Cast::numbered(1, recipients)?, 0)?;
        let mut rounds = vec![Vec::new(); self.loads.len() * self.variants.len()];
        let mut turns = Turns::new(self.ground.rounds * rounds.len());
        for round in 0..self.ground.rounds {
            for (at, load) in self.loads.iter().enumerate() {
                for turn in 0..self.variants.len() {
                    // Whoever goes first changes, so that neither has the warmer machine.
                    let which = (turn + round) % self.variants.len();
                    let Some(variant) = self.variants.get(which) else { continue };
                    let measured = one_round(folder.path(), &stage, variant, load).await?;
                    if let Some(rounds) = rounds.get_mut(at * self.variants.len() + which) {
                        rounds.push(measured);
                    }
                    turns.done();
                }
            }
        }
        turns.end();
        let names = self.loads.iter().flat_map(|_| self.variants.iter().map(|one| &one.name));
        Ok(rounds
            .into_iter()
            .zip(names)
            .filter_map(|(rounds, name)| Row::of(name, rounds))
            .collect())
    }

    async fn on_running_hub(self) -> anyhow::Result<Vec<Row>> {
        let RunningHubArgs { hub, hub_pki, sender, recipients, hub_http, hub_pid } =
            self.ground.running;
        let (Some(url), Some(pki), Some(sender)) = (hub, hub_pki, sender) else {
            anyhow::bail!("`--hub` needs `--hub-pki` and `--sender`");
        };
        let folder = temporary(self.ground.data.as_deref())?;
        let keys = Keyring::of_folder(&pki)?;
        let cast = Cast { senders: vec![sender], recipients };
        let mut rounds = vec![Vec::new(); self.loads.len()];
        let mut turns = Turns::new(self.ground.rounds * self.loads.len());
        for _ in 0..self.ground.rounds {
            for (load, rounds) in self.loads.iter().zip(&mut rounds) {
                let folder = folder.path().to_owned();
                let (url, http, process) = (url.clone(), hub_http, hub_pid);
                let target = Target { url, http, process, folder };
                let scene = Scene::connect(target, &keys, &cast, load.fan_out).await?;
                rounds.push(measure(&Arc::new(scene), load).await?);
                turns.done();
            }
        }
        turns.end();
        Ok(rounds.into_iter().filter_map(|rounds| Row::of("", rounds)).collect())
    }
}

/// A new hub, one load, and its end.
async fn one_round(
    folder: &Path,
    stage: &Stage,
    variant: &Variant,
    load: &Load,
) -> anyhow::Result<Round> {
    let data = tempfile::tempdir_in(folder)?;
    let hub = HubProcess::start(&variant.program, stage, &data.path().join("hub")).await?;
    let target = Target::of(&hub, folder.to_owned());
    let scene = Arc::new(Scene::connect(target, &stage.keys, &stage.cast, load.fan_out).await?);
    let measured = measure(&scene, load).await;
    drop(scene);
    let ended = hub.stop().await;
    let measured = measured?;
    anyhow::ensure!(ended, "the hub did not end well after a round");
    Ok(measured)
}

/// A temporary folder, on the disk that was named.
pub(super) fn temporary(on: Option<&Path>) -> anyhow::Result<TempDir> {
    let made = match on {
        Some(on) => tempfile::tempdir_in(on),
        None => tempfile::tempdir(),
    };
    made.context("cannot make a temporary folder")
}

/// Shows how many turns are done.
struct Turns {
    bar: Progress,
    done: u64,
    total: u64,
}

impl Turns {
    fn new(total: usize) -> Self {
        Self { bar: Progress::of("lượt đo / turns"), done: 0, total: total as u64 }
    }

    fn done(&mut self) {
        self.done += 1;
        self.bar.reached(self.done, self.total);
    }

    fn end(self) {
        self.bar.finish();
    }
}

impl Row {
    fn of(hub: &str, rounds: Vec<Round>) -> Option<Self> {
        let median = median_round(&rounds)?;
        Some(Self { hub: hub.to_owned(), median, rounds })
    }
}

/// The median of each figure; `None` without rounds.
fn median_round(rounds: &[Round]) -> Option<Round> {
    let mut middle = *rounds.first()?;
    let of = |figure: &dyn Fn(&Round) -> f64| median(rounds.iter().map(figure));
    let whole = |figure: &dyn Fn(&Round) -> u64| of(&|round| figure(round) as f64) as u64;
    middle.seconds = of(&|round| round.seconds);
    middle.documents_per_second = of(&|round| round.documents_per_second);
    middle.payload_bytes_per_second = of(&|round| round.payload_bytes_per_second);
    middle.generator_cpu_us = of(&|round| round.generator_cpu_us);
    for latency in [
        (|round| &mut round.submitted) as fn(&mut Round) -> &mut lienthong_bench::Latency,
        |round| &mut round.delivered,
        |round| &mut round.done,
        |round| &mut round.disk.sync,
    ] {
        let read = |figure: fn(&lienthong_bench::Latency) -> u64| {
            whole(&|round| figure(latency(&mut round.clone())))
        };
        *latency(&mut middle) = lienthong_bench::Latency {
            count: read(|latency| latency.count),
            p50_us: read(|latency| latency.p50_us),
            p99_us: read(|latency| latency.p99_us),
            p999_us: read(|latency| latency.p999_us),
            max_us: read(|latency| latency.max_us),
        };
    }
    if let Some(hub) = &mut middle.hub {
        hub.cpu_us = of(&|round| round.hub.map_or(0.0, |hub| hub.cpu_us));
        hub.resident_bytes = whole(&|round| round.hub.map_or(0, |hub| hub.resident_bytes));
        hub.resident_bytes_max = whole(&|round| round.hub.map_or(0, |hub| hub.resident_bytes_max));
    }
    if let Some(journal) = &mut middle.journal {
        let of = |figure: fn(&lienthong_bench::JournalFigures) -> f64| {
            of(&|round| round.journal.as_ref().map_or(0.0, figure))
        };
        journal.entries_per_block = of(|journal| journal.entries_per_block);
        journal.syncs_per_second = of(|journal| journal.syncs_per_second);
        journal.sync_us = of(|journal| journal.sync_us);
        journal.bytes_per_document = of(|journal| journal.bytes_per_document);
    }
    Some(middle)
}
