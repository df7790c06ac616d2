//! `lienthong sim run --world live`: the same scenario with real clients against a running hub.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use anyhow::Context as _;
use lienthong_hub::Audit;
use lienthong_model::AgencyCode;
use lienthong_pki::{Folder, Profile};
use lienthong_simulator::live::{Ground, Live, Remembers};
use lienthong_simulator::scenario::{Country, Scenario};
use lienthong_simulator::verdict::{Check, REPLAY, Verdict};
use lienthong_simulator::world::{Keys, Played, Population, Progress, WorldError};
use tempfile::TempDir;

use crate::output;
use crate::own_hub::{OwnHub, Time};
use crate::say::Usage;

/// How a scenario is played live.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Live world / trục thật")]
pub(super) struct LiveArgs {
    /// At most so many agencies take part, of every province and level some; default 200 / số cơ quan
    #[arg(long, value_name = "N")]
    agencies: Option<usize>,
    /// How many times faster than life a hub of its own runs; default 3600 / tốc độ đồng hồ
    #[arg(long, value_name = "N", conflicts_with = "hub")]
    rate: Option<f64>,
    /// A hub that runs already; without it one of its own, in a temporary folder
    #[arg(long, value_name = "URL", requires = "pki")]
    hub: Option<String>,
    /// The folder of the test PKI that this hub trusts, to issue the agencies' certificates from
    #[arg(long, value_name = "DIR", requires = "hub")]
    pki: Option<PathBuf>,
}

/// What a hub that runs already must be like.
const NEEDS_OF_A_HUB: (&str, &str) = (
    "trục phải đang chạy, tin cậy PKI của `--pki`, có chứng thư và đồng hồ trong những ngày của \
     kịch bản: docs/SCENARIOS.md chỉ cách khởi động",
    "the hub must run, trust the PKI of `--pki`, and have a certificate and a clock within the \
     scenario's days: docs/SCENARIOS.md says how to start one",
);
/// Agencies that take part when nobody says how many.
const AGENCIES: usize = 200;
/// An hour in a second.
const RATE: f64 = 3_600.0;

impl LiveArgs {
    /// What to add to the command that plays it again.
    pub fn replay(&self) -> String {
        let mut text = format!(" --world live --agencies {}", self.agencies());
        match (&self.hub, &self.pki) {
            (Some(hub), Some(pki)) => {
                let (hub, pki) = (output::shell_word(hub), pki.display().to_string());
                text += &format!(" --hub {hub} --pki {}", output::shell_word(&pki));
            }
            _ => text += &format!(" --rate {}", self.rate()),
        }
        text
    }

    /// An option that only the live world heeds and that was given.
    pub fn given(&self) -> Option<&'static str> {
        let options = [
            ("--hub", self.hub.is_some()),
            ("--agencies", self.agencies.is_some()),
            ("--rate", self.rate.is_some()),
        ];
        options.into_iter().find_map(|(name, given)| given.then_some(name))
    }

    fn agencies(&self) -> usize {
        self.agencies.unwrap_or(AGENCIES)
    }

    fn rate(&self) -> f64 {
        self.rate.unwrap_or(RATE)
    }

    /// Whether the hub is one that runs already.
    pub fn is_on_a_running_hub(&self) -> bool {
        self.hub.is_some()
    }

    /// Plays a scenario, called `asked`, and judges it.
    pub fn run<'s>(
        &self,
        asked: &str,
        (scenario, country, seed): (&'s Scenario, &Country, u64),
        trace: Option<&'s mut dyn std::io::Write>,
        told: impl FnMut(Progress),
    ) -> anyhow::Result<(Played, Verdict)> {
        let wrong = |error: WorldError| match (&error, &self.hub) {
            (WorldError::Live(error), Some(_)) => {
                let (needs_vi, needs) = NEEDS_OF_A_HUB;
                Usage::new(
                    format!("`{asked}`: không chạy được trên trục này: {error}"),
                    format!("`{asked}`: {error}"),
                )
                .remedy(needs_vi, needs)
                .into()
            }
            _ => super::not_played(asked, error, country),
        };
        let mut population = Population::of(scenario, country).map_err(wrong)?;
        population.keep(self.agencies());
        let (keys, ground, folder) = match (&self.hub, &self.pki) {
            (Some(hub), Some(pki)) => {
                let folder = Folder::open(pki).with_context(|| format!("`{}`", pki.display()))?;
                let keys = Keys::below(&folder, seed, scenario.begin(), scenario.end());
                let time = Time::Scenario { start: scenario.begin(), rate: 1.0 };
                (keys, Ground { url: hub.clone(), clock: time.source(), control: None }, None)
            }
            _ => {
                let folder = tempfile::tempdir().context("cannot make a temporary folder")?;
                let keys = Keys::new(seed, scenario.begin(), scenario.end())?;
                let hub =
                    self.own_hub(folder.path(), &keys, &population.directory(country), scenario)?;
                (keys, hub, Some(folder))
            }
        };
        let stop = Arc::new(AtomicBool::new(false));
        let (from, remembers) = (scenario.begin(), Remembers::Everything);
        let live = Live { country, population, keys, seed, ground, from, stop, remembers };
        let judged: anyhow::Result<_> = tokio::task::block_in_place(|| {
            let played = lienthong_simulator::live::play(scenario, live, trace, told);
            let mut played = played.map_err(wrong)?;
            let mut verdict = Verdict::of(scenario, seed, &played)?;
            played.stop_hub()?;
            if let Some(folder) = &folder {
                verdict.laws.push(replayed(&folder.path().join("data"))?);
            }
            Ok((played, verdict))
        });
        if let Some(folder) = folder {
            keep_unless_passed(folder, &judged);
        }
        judged
    }

    fn own_hub(
        &self,
        folder: &Path,
        keys: &Keys,
        entries: &[lienthong_model::AgencyEntry],
        scenario: &Scenario,
    ) -> anyhow::Result<Ground> {
        let rate = self.rate();
        if !(rate.is_finite() && rate >= 1.0) {
            return Err(Usage::new(
                format!("`--rate {rate}` không phải tốc độ hợp lệ"),
                format!("`--rate {rate}` is no rate"),
            )
            .remedy(
                "ghi một số từ 1, ví dụ 3600: mỗi giây một giờ",
                "write a number from 1, such as 3600: an hour in a second",
            )
            .into());
        }
        keys.write(&folder.join("pki"), &hub_profile()?)?;
        OwnHub::write_directory(folder, entries)?;
        let time = Time::Scenario { start: scenario.begin(), rate };
        let hub = OwnHub::start(folder, "127.0.0.1:0", time)?;
        Ok(Ground { url: hub.url(), clock: time.source(), control: Some(Box::new(hub)) })
    }
}

/// Keeps the folder of a hub of its own, and says where it is, when something does not hold or
/// cannot be judged: what happened stands in its journal. A mistake in the scenario's file needs no
/// hub.
fn keep_unless_passed(folder: TempDir, judged: &anyhow::Result<(Played, Verdict)>) {
    let is_wanted = match judged {
        Ok((_, verdict)) => !verdict.passed(),
        Err(error) => !error.is::<Usage>(),
    };
    if is_wanted {
        let kept = folder.keep();
        anstream::eprintln!(
            "thư mục của trục được giữ lại / the hub's folder is kept: {}",
            kept.display()
        );
    }
}

/// The certificate of a hub of one's own: of the body that runs the axis.
pub(crate) fn hub_profile() -> anyhow::Result<Profile> {
    let agency = AgencyCode::parse("G22").context("the Office of the Government")?;
    let names = vec!["localhost".to_owned(), "127.0.0.1".to_owned()];
    Ok(Profile::Hub { agency, names })
}

/// The law of replay, from the folder of a hub that has ended: every signature is verified and
/// every decision made again.
fn replayed(data: &Path) -> anyhow::Result<Check> {
    let scratch = tempfile::tempdir().context("a temporary folder for the state")?;
    let audit =
        Audit { data, scratch: Some(scratch.path()), checkpoints: Vec::new(), redecide: true };
    let report = audit.run(|_, _| {})?;
    let documents: Vec<String> =
        report.findings.iter().take(10).map(|finding| format!("{finding:?}")).collect();
    Ok(Check {
        name: REPLAY.to_owned(),
        passed: report.findings_total == 0,
        wanted: "0".to_owned(),
        found: report.findings_total.to_string(),
        documents,
    })
}
