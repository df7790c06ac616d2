//! Conformance: ten cases against one agency's system, judged by the hub's records.
//!
//! ```text
//!   examiner (an agency) ──documents──▶ hub ──▶ line ──▶ system under test
//!        ▲                               │                    │
//!        └──── what the hub recorded ◀───┴──── acknowledges, reports
//! ```
//! The examiner sees nothing of the system but what it says to the hub. The hub refuses at once what
//! is signed wrongly, so that a recipient never meets altered bytes through an honest one; what it can
//! meet is a signer below a root that the hub relies on and the recipient was not given. The *line*
//! between system and hub can be disturbed ([`crate::live::Proxy`]): that is how something comes
//! twice, and how something is taken back before it is picked up.

mod cases;
mod examiner;
mod papers;

use std::time::Duration;

use lienthong_client::CallError;
use lienthong_model::{AgencyCode, Timestamp};

use crate::live::Mode;
use crate::verdict::{Check, junit};
pub use examiner::Examiner;

/// Sets how the network between the system under test and the hub is.
pub type Line = Box<dyn Fn(Mode) -> std::io::Result<()> + Send + Sync>;

/// What is examined, and how patiently.
pub struct Examination {
    /// Who examines.
    pub examiner: Examiner,
    /// Whose system is examined.
    pub agency: AgencyCode,
    /// The way of that system to the hub.
    pub line: Line,
    /// How long the system may take for what is asked of it, in machine time.
    pub patience: Duration,
}

/// One of the ten.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Case {
    /// Its name, stable.
    pub name: &'static str,
    /// What it asks, in Vietnamese.
    pub vi: &'static str,
    /// What it asks, in English.
    pub en: &'static str,
}

/// All cases, in the order in which they are run.
pub const CASES: [Case; 10] = [
    Case {
        name: "receive",
        vi: "nhận văn bản có tệp kèm",
        en: "receives a document with attachments",
    },
    Case {
        name: "verify",
        vi: "chấp nhận văn bản có chữ ký số cá nhân và của cơ quan",
        en: "takes what a person and the seal signed",
    },
    Case {
        name: "refuse-bad-signature",
        vi: "không nhận văn bản ký bởi nơi cấp không được tin cậy",
        en: "does not take what is signed below a root that it does not trust",
    },
    Case {
        name: "acknowledge",
        vi: "xác nhận là đã giữ: 20 văn bản đến cùng lúc đều được tiếp nhận",
        en: "acknowledges what it keeps: of 20 that come at once each is registered",
    },
    Case {
        name: "report-in-order",
        vi: "báo trạng thái đúng thứ tự: 03, 04 hoặc 05, 06",
        en: "reports in the right order: 03, 04 or 05, 06",
    },
    Case {
        name: "duplicate",
        vi: "nhận hai lần nhưng chỉ xử lý một lần",
        en: "survives a document that comes twice: it is dealt with once",
    },
    Case {
        name: "recall-before-pick-up",
        vi: "văn bản bị lấy lại trước khi nhận thì không xử lý",
        en: "leaves alone what was taken back before it was picked up",
    },
    Case {
        name: "recall-after-pick-up",
        vi: "trả lời yêu cầu lấy lại sau khi đã nhận (15 hoặc 16)",
        en: "answers a recall of what it has picked up, with 15 or 16",
    },
    Case {
        name: "fields",
        vi: "nhận văn bản đủ mọi trường và văn bản chỉ có trường bắt buộc",
        en: "takes all fields, and only the mandatory ones",
    },
    Case {
        name: "normal-forms",
        vi: "nhận tiếng Việt ở mọi dạng chuẩn Unicode",
        en: "takes Vietnamese in every normal form of Unicode",
    },
];

/// What came of an examination.
#[derive(Debug, Clone, PartialEq)]
pub struct Statement {
    /// Whose system was examined.
    pub agency: AgencyCode,
    /// Which agency examined it.
    pub examiner: AgencyCode,
    /// When it began, in business time.
    pub began: Timestamp,
    /// When it ended.
    pub ended: Timestamp,
    /// What came of each case, in their order.
    pub outcomes: Vec<(Case, Check)>,
}

/// Why an examination cannot be made.
#[derive(Debug, thiserror::Error)]
pub enum ConformanceError {
    /// The hub did not answer, or refused what the examiner sent.
    #[error(transparent)]
    Call(#[from] CallError),
    /// The line to the system cannot be disturbed.
    #[error("the line to the system under test: {0}")]
    Line(#[from] std::io::Error),
    /// The hub does not say what became of a document for the agency.
    #[error("the hub has no delivery of `{id}` to `{agency}`")]
    NoDelivery {
        /// The document.
        id: String,
        /// The agency.
        agency: AgencyCode,
    },
}

impl Examination {
    /// Runs all cases, one after the other; `told` is told which one begins.
    ///
    /// # Errors
    /// [`ConformanceError`] when the hub fails the examiner; what the system does wrong is an
    /// outcome.
    pub async fn run(self, mut told: impl FnMut(Case)) -> Result<Statement, ConformanceError> {
        let began = self.examiner.client.now();
        let mut outcomes = Vec::new();
        for case in CASES {
            told(case);
            let check = self.examine(case).await;
            // Whatever came of it, the next case begins with a sound network.
            (self.line)(Mode::Open)?;
            outcomes.push((case, check?));
        }
        Ok(Statement {
            began,
            ended: self.examiner.client.now(),
            examiner: self.examiner.agency,
            agency: self.agency,
            outcomes,
        })
    }
}

impl Statement {
    /// Returns whether the system passed every case.
    pub fn passed(&self) -> bool {
        self.outcomes.iter().all(|(_, check)| check.passed)
    }

    /// Writes it as JUnit XML; `replay` is the command that examines again.
    pub fn junit(&self, replay: &str, seconds: f64) -> String {
        let name = format!("conformance {}", self.agency);
        let cases: Vec<_> = self.outcomes.iter().map(|(_, check)| ("case", check)).collect();
        junit::suite(&junit::Suite { name: &name, seed: None, cases: &cases, replay, seconds })
    }
}
