//! What the demo reports: one object for programs, tables for people.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;
use std::time::Duration;

use anyhow::Context as _;
use indicatif::{ProgressBar, ProgressStyle};
use lienthong_core::Directory;
use lienthong_core::statistics::{Volume, Volumes};
use lienthong_country::provinces;
use lienthong_model::{AgencyCode, Level, Reason};
use lienthong_simulator::Tally;
use serde::Serialize;

use super::connectors::ByConnectors;
use crate::output;
use crate::tables::{self, Counts, LevelLine, VolumeLine, VolumeSheet};

/// The report. Provinces, centre and totals are the hub's statistics; the rest the clients' counts.
#[derive(Debug, Serialize)]
pub(super) struct Report {
    seed: u64,
    submitted: u64,
    accepted: u64,
    deduplicated: u64,
    refused: BTreeMap<&'static str, u64>,
    deliveries: u64,
    delivered: u64,
    acknowledged: u64,
    statuses: BTreeMap<String, u64>,
    elapsed_seconds: f64,
    provinces: Vec<Province>,
    centre: Figures,
    totals: Sums,
    connectors: ByConnectors,
}

#[derive(Debug, Serialize)]
struct Province {
    code: String,
    name: String,
    #[serde(flatten)]
    figures: Figures,
}

#[derive(Debug, Clone, Serialize)]
struct Figures {
    sent: u64,
    received: u64,
    personally_signed: u64,
    by_level: BTreeMap<&'static str, Sums>,
}

#[derive(Debug, Clone, Copy, Serialize)]
struct Sums {
    sent: u64,
    received: u64,
}

/// Who takes part.
pub(super) struct Participants<'a> {
    pub provinces: &'a [AgencyCode],
    pub directory: &'a Directory,
}

impl Report {
    /// Puts the clients' counts and the hub's statistics together.
    ///
    /// # Errors
    /// When a province that takes part is not in the directory.
    pub(super) fn new(
        seed: u64,
        (tally, connectors): (&Tally, ByConnectors),
        volumes: &Volumes,
        taking_part: Participants<'_>,
        elapsed: Duration,
    ) -> anyhow::Result<Self> {
        let names = provinces()?;
        let province = |code: &AgencyCode| {
            let record = taking_part.directory.find(code).context("a province without an entry")?;
            let volume = volumes.provinces.get(&record.ordinal).cloned().unwrap_or_default();
            let known = names.iter().find(|province| province.code.key() == code.key());
            let name = known.map_or_else(|| code.to_string(), |province| province.name.clone());
            Ok(Province { code: code.to_string(), name, figures: Figures::of(&volume) })
        };
        Ok(Self {
            seed,
            submitted: tally.submitted,
            accepted: tally.accepted,
            deduplicated: tally.deduplicated,
            refused: tally.refused.iter().map(|(reason, count)| (reason.code(), *count)).collect(),
            deliveries: tally.deliveries,
            delivered: tally.delivered,
            acknowledged: tally.acknowledged,
            statuses: tally.statuses.iter().map(|(code, n)| (code.to_string(), *n)).collect(),
            elapsed_seconds: (elapsed.as_secs_f64() * 1000.0).round() / 1000.0,
            provinces: taking_part.provinces.iter().map(province).collect::<anyhow::Result<_>>()?,
            centre: Figures::of(&volumes.centre),
            totals: Sums { sent: volumes.totals.sent, received: volumes.totals.received },
            connectors,
        })
    }

    /// Writes the report for a person; `kept` is where the data was kept.
    pub(super) fn to_table(&self, kept: Option<&Path>) -> String {
        let n = output::thousands;
        let mut text = String::from("\n");
        text += &self.volumes();
        text += "\n";
        text += &self.refusals();
        let statuses: Vec<String> =
            self.statuses.iter().map(|(code, count)| format!("{code}: {}", n(*count))).collect();
        // Writing into a string cannot fail.
        let _ = write!(
            text,
            "\n{} lượt gửi / submissions = {} nhận / accepted + {} trùng / repeated + {} từ chối / refused\n\
             {} lượt phát / deliveries = {} đã chuyển / delivered = {} đã nhận / acknowledged\n\
             Trạng thái / statuses  {}\n\
             Rồi qua hai bộ kết nối / then by two connectors  {} → {}, {} sau / after {:.1} s\n\
             {:.1} s, seed {}\n\n",
            n(self.submitted),
            n(self.accepted),
            n(self.deduplicated),
            n(self.refused.values().sum()),
            n(self.deliveries),
            n(self.delivered),
            n(self.acknowledged),
            statuses.join("  "),
            self.connectors.from,
            self.connectors.to,
            self.connectors.reported,
            self.connectors.seconds,
            self.elapsed_seconds,
            self.seed,
        );
        text + &next_steps(kept)
    }

    fn volumes(&self) -> String {
        let line = |code: &str, name: &str, figures: &Figures| VolumeLine {
            code: code.to_owned(),
            name: name.to_owned(),
            counts: Counts {
                sent: figures.sent,
                received: figures.received,
                personally_signed: figures.personally_signed,
            },
            levels: Level::ALL
                .into_iter()
                .filter_map(|level| {
                    let Sums { sent, received } = *figures.by_level.get(level.name())?;
                    (sent + received > 0).then_some(LevelLine { level, sent, received })
                })
                .collect(),
        };
        let provinces = self.provinces.iter().map(|p| line(&p.code, &p.name, &p.figures)).collect();
        tables::volume_table(&VolumeSheet::add_up(provinces, line("", "", &self.centre)))
    }

    fn refusals(&self) -> String {
        let mut table = output::table(["Từ chối / refused", "", "Vì sao / why"]);
        output::right(&mut table, [1]);
        for reason in Reason::ALL {
            if let Some(count) = self.refused.get(reason.code()) {
                let why = format!("{}\n{}", reason.meaning_vi(), reason.meaning());
                table.add_row([reason.code().to_owned(), output::thousands(*count), why]);
            }
        }
        output::text_of(&table)
    }
}

impl Figures {
    fn of(volume: &Volume) -> Self {
        let level = |level: Level| {
            let volume = volume.by_level.get(&level).copied().unwrap_or_default();
            (level.name(), Sums { sent: volume.sent, received: volume.received })
        };
        Self {
            sent: volume.sent,
            received: volume.received,
            personally_signed: volume.personally_signed,
            by_level: Level::ALL.into_iter().map(level).collect(),
        }
    }
}

fn next_steps(kept: Option<&Path>) -> String {
    match kept {
        Some(data) => {
            let data = data.display();
            format!(
                "Tiếp theo / what to try next:\n  \
                 lienthong stats --data {data} flows             who sends to whom\n  \
                 lienthong directory search \"da lat\" --data {data}\n  \
                 lienthong hub --data {data}                     run this hub again\n"
            )
        }
        None => "Tiếp theo / what to try next:\n  \
             lienthong demo --data demo-data                 keep the data folder\n  \
             lienthong demo --provinces H36,H49 --seed 7     other provinces, other traffic\n  \
             lienthong directory search \"da lat\"             12,466 agencies, no diacritics needed\n"
            .to_owned(),
    }
}

/// Returns the bar of the demo; hidden off a terminal.
pub(super) fn bar() -> ProgressBar {
    let template = "{msg:34} {wide_bar} {human_pos}/{human_len} {elapsed}";
    let bar = ProgressBar::new(0);
    match ProgressStyle::with_template(template) {
        Ok(style) => bar.with_style(style),
        Err(_) => bar,
    }
}
