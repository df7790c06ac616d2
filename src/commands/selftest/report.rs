//! What a campaign came to, for people and for programs. Names are stable.

use std::collections::BTreeMap;
use std::time::Duration;

use lienthong_simulator::crash::{Death, Outcome, Round};
use serde::Serialize;

use crate::output::{self, thousands};

/// Findings that are listed for people.
const LISTED_MAX: usize = 20;

/// The outcome of `selftest crash`.
#[derive(Debug, Serialize)]
pub(super) struct Report {
    passed: bool,
    seed: u64,
    rounds: u64,
    replay: String,
    seconds: f64,
    /// Deaths by what brought them about.
    deaths: BTreeMap<&'static str, u64>,
    /// Rounds in which the named point was not passed in time, so that it was SIGKILL.
    points_not_passed: u64,
    starts: usize,
    ready_ms_median: u64,
    ready_ms_max: u64,
    documents: usize,
    fan_outs: u64,
    deliveries: usize,
    delivered_again: usize,
    acknowledged: usize,
    reports: usize,
    recalls: usize,
    notices: usize,
    uploads: u64,
    downloads: u64,
    doubts: u64,
    first_receipts_again: u64,
    documents_checked: u64,
    checkpoints: usize,
    proofs: u64,
    findings: Vec<Finding>,
    #[serde(skip)]
    ready: Vec<Duration>,
}

/// Something that is not as the hub had said.
#[derive(Debug, Serialize)]
struct Finding {
    /// The round; `None` for the last check.
    round: Option<u64>,
    /// What the hub had died of.
    after: Option<&'static str>,
    what: String,
}

impl Report {
    /// A report of nothing yet.
    pub(super) fn new(seed: u64, replay: String) -> Self {
        Self {
            passed: false,
            seed,
            rounds: 0,
            replay,
            seconds: 0.0,
            deaths: BTreeMap::new(),
            points_not_passed: 0,
            starts: 0,
            ready_ms_median: 0,
            ready_ms_max: 0,
            documents: 0,
            fan_outs: 0,
            deliveries: 0,
            delivered_again: 0,
            acknowledged: 0,
            reports: 0,
            recalls: 0,
            notices: 0,
            uploads: 0,
            downloads: 0,
            doubts: 0,
            first_receipts_again: 0,
            documents_checked: 0,
            checkpoints: 0,
            proofs: 0,
            findings: Vec::new(),
            ready: Vec::new(),
        }
    }

    /// Enters a round.
    pub(super) fn round(&mut self, round: Round) {
        self.rounds += 1;
        self.ready.push(round.ready_after);
        self.documents_checked += round.checked as u64;
        let by_force = round.death == Death::Killed && round.end.name() != "SIGKILL";
        self.points_not_passed += u64::from(by_force);
        let (number, after) = (Some(round.number), Some(round.end.name()));
        let found = round.found.into_iter().map(|what| Finding { round: number, after, what });
        self.findings.extend(found);
    }

    /// Enters the check of everything at the end; without it nothing has passed.
    pub(super) fn last_check(&mut self, found: Vec<String>) {
        let found = found.into_iter().map(|what| Finding { round: None, after: None, what });
        self.findings.extend(found);
        self.passed = self.findings.is_empty();
    }

    /// Enters what there was in all.
    pub(super) fn close(&mut self, outcome: Outcome, took: Duration) {
        self.seconds = took.as_secs_f64();
        self.ready.sort();
        let ms = |at: Option<&Duration>| {
            at.map_or(0, |ready| u64::try_from(ready.as_millis()).unwrap_or(u64::MAX))
        };
        self.ready_ms_median = ms(self.ready.get(self.ready.len() / 2));
        self.ready_ms_max = ms(self.ready.last());
        self.deaths = outcome.deaths;
        self.starts = outcome.lives;
        self.documents = outcome.documents;
        self.fan_outs = outcome.fan_outs;
        self.deliveries = outcome.deliveries;
        self.delivered_again = outcome.delivered_again;
        self.acknowledged = outcome.acknowledged;
        self.reports = outcome.reports;
        self.recalls = outcome.recalls;
        self.notices = outcome.notices;
        self.uploads = outcome.uploads;
        self.downloads = outcome.downloads;
        self.doubts = outcome.doubts;
        self.first_receipts_again = outcome.repeated;
        self.checkpoints = outcome.checkpoints;
        self.proofs = outcome.proofs;
    }

    /// Whether everything was there, once.
    pub(super) fn passed(&self) -> bool {
        self.passed
    }

    /// Writes it for people.
    pub(super) fn text(&self) -> String {
        let mut text = output::pairs(&self.lines());
        let mut table = output::table(["Chết vì / killed by", "Lần / times"]);
        output::right(&mut table, 1..2);
        for (death, times) in &self.deaths {
            table.add_row([(*death).to_owned(), thousands(*times)]);
        }
        text.push('\n');
        text.push_str(&output::text_of(&table));
        text.push('\n');
        for finding in self.findings.iter().take(LISTED_MAX) {
            let round = finding.round.map_or("cuối / last".to_owned(), |round| round.to_string());
            let after = finding.after.unwrap_or("–");
            text.push_str(&format!("lượt / round {round} ({after}): {}\n", finding.what));
        }
        if self.findings.len() > LISTED_MAX {
            text.push_str(&format!("… {} / in all\n", thousands(self.findings.len() as u64)));
        }
        text.push_str(match self.passed {
            true => "ĐẠT: mọi thứ trục đã nhận đều còn, đúng một lần\nPASSED: whatever the hub had acknowledged is there, once\n",
            false => "KHÔNG ĐẠT: có thứ không đúng như trục đã nói\nFAILED: something is not as the hub had said\n",
        });
        if !self.passed {
            text.push_str(&format!("chạy lại / replay: {}\n", self.replay));
        }
        text
    }

    fn lines(&self) -> Vec<(&'static str, String)> {
        let number = |number: usize| thousands(number as u64);
        vec![
            (
                "lượt / rounds",
                format!(
                    "{} trong / in {:.0} s, số hạt giống / seed {}",
                    thousands(self.rounds),
                    self.seconds,
                    self.seed
                ),
            ),
            (
                "khởi động / starts",
                format!(
                    "{}, sẵn sàng sau / ready after {} ms (trung vị / median), \
                     {} ms (lâu nhất / worst)",
                    number(self.starts),
                    thousands(self.ready_ms_median),
                    thousands(self.ready_ms_max)
                ),
            ),
            (
                "văn bản / documents",
                format!(
                    "{} tiếp nhận / accepted, {} tới danh sách xã / to a list of communes; \
                     {} gửi lại do chưa rõ / in doubt and sent again",
                    number(self.documents),
                    thousands(self.fan_outs),
                    thousands(self.doubts)
                ),
            ),
            (
                "lượt phát / deliveries",
                format!(
                    "{}, {} đã nhận / acknowledged; {} phát lại / came again",
                    number(self.deliveries),
                    number(self.acknowledged),
                    number(self.delivered_again)
                ),
            ),
            (
                "trạng thái / statuses",
                format!("{}, {} thu hồi / recalls", number(self.reports), number(self.recalls)),
            ),
            ("thông báo / notices", number(self.notices)),
            (
                "tệp / attachments",
                format!(
                    "{} tải lên / uploaded, {} tải về / fetched",
                    thousands(self.uploads),
                    thousands(self.downloads)
                ),
            ),
            (
                "đã kiểm tra / checked",
                format!(
                    "{} văn bản đã theo dõi và gửi lại / documents tracked and sent again, \
                     {} mốc đã ký / checkpoints, {} chứng minh / proofs",
                    thousands(self.documents_checked),
                    number(self.checkpoints),
                    thousands(self.proofs)
                ),
            ),
        ]
    }
}
