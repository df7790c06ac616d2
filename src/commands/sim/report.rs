//! What came of a run, as people and programs read it.

use std::fmt::Write as _;

use lienthong_simulator::scenario::Scenario;
use lienthong_simulator::verdict::{Check, Frame, Verdict};
use lienthong_simulator::world::Played;
use serde::Serialize;

use crate::output::{self, thousands};

/// The report of a run.
#[derive(Debug, Serialize)]
pub(super) struct Report {
    scenario: String,
    seed: u64,
    passed: bool,
    agencies: usize,
    documents: u64,
    deliveries: u64,
    acknowledged: u64,
    reports: u64,
    refusals: u64,
    blocks: u64,
    events: u64,
    /// Virtual time at the end.
    ended: String,
    /// Seconds that playing took.
    seconds: f64,
    /// Virtual time played / time that playing took.
    faster_than_life: f64,
    trace_sha256: String,
    checks: Vec<CheckView>,
    /// The command that plays it again.
    pub replay: String,
}

#[derive(Debug, Serialize)]
struct CheckView {
    kind: &'static str,
    name: String,
    passed: bool,
    wanted: String,
    found: String,
    /// Documents that broke it, the first ten.
    documents: Vec<String>,
}

impl CheckView {
    fn of(kind: &'static str, check: &Check) -> Self {
        Self {
            kind,
            name: check.name.clone(),
            passed: check.passed,
            wanted: check.wanted.clone(),
            found: check.found.clone(),
            documents: check.documents.clone(),
        }
    }
}

impl Report {
    /// Makes the report; `replay` is the command that plays it again.
    pub fn new(
        (replay, scenario): (String, &Scenario),
        verdict: &Verdict,
        played: &Played,
        seconds: f64,
    ) -> Self {
        let lasted = played.ended.millis() - scenario.begin().millis();
        let laws = verdict.laws.iter().map(|check| CheckView::of("law", check));
        let expects = verdict.expects.iter().map(|check| CheckView::of("expect", check));
        Self {
            scenario: verdict.scenario.clone(),
            seed: verdict.seed,
            passed: verdict.passed(),
            agencies: played.agencies,
            documents: verdict.documents,
            deliveries: verdict.deliveries,
            acknowledged: verdict.acknowledged,
            reports: verdict.reports,
            refusals: verdict.refusals,
            blocks: verdict.blocks,
            events: played.events,
            ended: played.ended.to_string(),
            seconds,
            #[allow(clippy::cast_precision_loss)] // A ratio for people.
            faster_than_life: lasted as f64 / 1_000.0 / seconds.max(0.001),
            trace_sha256: played.trace.to_string(),
            checks: laws.chain(expects).collect(),
            replay,
        }
    }

    /// Its figures, with what they are.
    fn figures(&self) -> Vec<(&'static str, String)> {
        #[allow(clippy::cast_precision_loss)] // Events, for a rate.
        let rate = self.events as f64 / self.seconds.max(0.001);
        vec![
            ("kịch bản / scenario", format!("{}, seed {}", self.scenario, self.seed)),
            ("cơ quan / agencies", thousands(self.agencies as u64)),
            ("văn bản / documents", thousands(self.documents)),
            (
                "lượt phát / deliveries",
                format!(
                    "{}, {} đã nhận / acknowledged",
                    thousands(self.deliveries),
                    thousands(self.acknowledged)
                ),
            ),
            ("báo cáo / reports", thousands(self.reports)),
            ("từ chối / refusals", thousands(self.refusals)),
            (
                "khối / blocks",
                if self.blocks == 0 { "–".to_owned() } else { thousands(self.blocks) },
            ),
            (
                "sự kiện / events",
                format!("{} trong / in {:.1} s: {rate:.0}/s", thousands(self.events), self.seconds),
            ),
            (
                "thời gian / time",
                format!("nhanh hơn thực tế / faster than life ×{:.0}", self.faster_than_life),
            ),
            ("dấu vết / trace", format!("SHA-256 {}", self.trace_sha256)),
        ]
    }

    /// Writes it as a page of HTML.
    pub fn to_html(&self, scenario: &Scenario, verdict: &Verdict) -> String {
        verdict.html(&Frame {
            titles: (&scenario.title, &scenario.title_en),
            about: &scenario.about,
            replay: &self.replay,
            figures: &self.figures(),
        })
    }

    /// Writes it for people.
    pub fn to_table(&self) -> String {
        let mut text = output::pairs(&self.figures());
        text.push('\n');
        let mut table = output::table(["", "Kiểm tra\ncheck", "Phải là\nwanted", "Thấy\nfound"]);
        for check in &self.checks {
            let sign = if check.passed { "✓" } else { "✗" };
            table.add_row([sign, &check.name, &check.wanted, &check.found]);
        }
        text.push_str(&output::text_of(&table));
        for check in self.checks.iter().filter(|check| !check.passed) {
            // Writing to a text does not fail.
            let _ = writeln!(text, "\n✗ {}", check.name);
            for document in &check.documents {
                let _ = writeln!(text, "    {document}");
            }
        }
        let end = match self.passed {
            true => "\nđạt / passed\n".to_owned(),
            false => format!("\nkhông đạt / failed; chạy lại / replay: {}\n", self.replay),
        };
        text + &end
    }
}
