//! `bench compare`: one load on two hubs in turn.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::Args;
use lienthong_bench::{Program, Round, median};
use serde::Serialize;

use super::args::{GroundArgs, LoadArgs};
use super::series::{Row, Series, Variant};
use super::view;
use crate::cli::Output;
use crate::output;
use crate::say::Usage;

/// Carry out one load on two hubs in turn, and show the ratios / so sánh hai bản
///
/// One hub is this program's, the other another program's or one that is started otherwise.
#[derive(Debug, Args)]
pub(crate) struct CompareArgs {
    #[command(flatten)]
    load: LoadArgs,
    #[command(flatten)]
    ground: GroundArgs,
    /// The program of the other hub; default: this one
    #[arg(long, value_name = "FILE")]
    against: Option<PathBuf>,
    /// A variable of the other hub's environment, repeatable
    #[arg(long, value_name = "NAME=VALUE", value_parser = variable)]
    against_env: Vec<(OsString, OsString)>,
    /// A flag of the other hub (`--against-flag=--gateway-factor=1`), repeatable
    #[arg(long, value_name = "FLAG", allow_hyphen_values = true)]
    against_flag: Vec<OsString>,
}

/// What both hubs showed.
#[derive(Debug, Serialize)]
pub(super) struct Comparison {
    pub hubs: Vec<Row>,
    /// This hub's figures divided by the other's of the same round; medians.
    pub ratios: Ratios,
}

/// This hub's figures divided by the other's.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub(super) struct Ratios {
    pub documents_per_second: f64,
    /// `None` where the processor time of a hub is not known.
    pub hub_cpu: Option<f64>,
    pub done_p99: f64,
}

/// Carries it out and prints both hubs and the ratios.
///
/// # Errors
/// When a hub cannot be started, or does not take what it is asked to.
pub(super) async fn run(args: CompareArgs, output: Output) -> anyhow::Result<()> {
    if args.ground.running.hub.is_some() {
        return Err(Usage::new(
            "`bench compare` tự khởi động cả hai trục",
            "`bench compare` starts both hubs itself",
        )
        .remedy(
            "bỏ `--hub`; nêu chương trình kia bằng `--against`",
            "leave `--hub` out; name the other program with `--against`",
        )
        .into());
    }
    let mut series = Series::new(args.ground, vec![args.load.load()?])?;
    let this = Program::this()?;
    let other = Program {
        path: args.against.unwrap_or_else(|| this.path.clone()),
        environment: args.against_env,
        flags: args.against_flag,
    };
    series.variants = vec![
        Variant { name: "A · bản này / this".to_owned(), program: this },
        Variant { name: "B · bản kia / other".to_owned(), program: other },
    ];
    let hubs = series.carry_out().await?;
    let ratios = Ratios::of(&hubs);
    output::one(output, &Comparison { hubs, ratios }, |comparison| {
        view::table(&comparison.hubs) + &view::ratios(&comparison.ratios)
    })
}

fn variable(text: &str) -> Result<(OsString, OsString), String> {
    let (name, value) = text.split_once('=').ok_or("write NAME=VALUE")?;
    Ok((name.into(), value.into()))
}

impl Ratios {
    fn of(hubs: &[Row]) -> Self {
        let rounds = |at: usize| hubs.get(at).map(|row| row.rounds.as_slice()).unwrap_or_default();
        let ratio = |figure: &dyn Fn(&Round) -> f64| {
            let pairs = rounds(0).iter().zip(rounds(1));
            median(pairs.map(|(this, other)| figure(this) / figure(other)))
        };
        let known = hubs.iter().all(|row| row.rounds.iter().all(|round| round.hub.is_some()));
        Self {
            documents_per_second: ratio(&|round| round.documents_per_second),
            hub_cpu: known.then(|| ratio(&|round| round.hub.map_or(0.0, |hub| hub.cpu_us))),
            done_p99: ratio(&|round| round.done.p99_us as f64),
        }
    }
}
