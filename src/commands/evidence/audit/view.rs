//! What an audit found, for people and for programs.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use lienthong_hub::{AuditReport, CheckpointOutcome, Finding, Redecided, StateOutcome, Verdict};
use serde::Serialize;

use crate::output::{self, thousands};

/// An audit's outcome. Names and codes are stable.
#[derive(Debug, Serialize)]
pub(crate) struct AuditView {
    journal_bytes: u64,
    blocks: u64,
    last_block: u64,
    entries: u64,
    leaves: u64,
    /// Leaves whose blocks cannot be read, taken from the state's tiles.
    leaves_from_state: u64,
    /// The log's root in hex, when every leaf is known.
    root: Option<String>,
    certificates: u64,
    payloads: u64,
    payload_bytes: u64,
    contents_expired: u64,
    state: StateView,
    checkpoints: Vec<CheckpointView>,
    redecided: Option<RedecidedView>,
    pub findings_total: u64,
    findings: Vec<FindingView>,
}

#[derive(Debug, Serialize)]
struct StateView {
    outcome: &'static str,
    block: Option<u64>,
    leaves: Option<u64>,
}

#[derive(Debug, Serialize)]
struct CheckpointView {
    name: String,
    size: u64,
    verdict: &'static str,
}

#[derive(Debug, Serialize)]
struct RedecidedView {
    outcome: &'static str,
    blocks: Option<u64>,
    signatures: Option<u64>,
    taken_over: Option<u64>,
    other_rules_from: Option<u64>,
}

#[derive(Debug, Serialize)]
struct FindingView {
    kind: &'static str,
    file: Option<String>,
    /// Where in the file the frame or the header begins.
    offset: Option<u64>,
    bytes: Option<u64>,
    block: Option<u64>,
    entry: Option<u32>,
    why: String,
    changed: Option<ChangedView>,
    /// Whether the next start of a hub would cut the journal here.
    cut: bool,
}

/// The one byte whose change explains it.
#[derive(Debug, Serialize)]
struct ChangedView {
    offset: u64,
    is: u8,
    was: u8,
    certain: bool,
}

impl From<AuditReport> for AuditView {
    fn from(report: AuditReport) -> Self {
        Self {
            journal_bytes: report.journal_bytes,
            blocks: report.blocks,
            last_block: report.last_block,
            entries: report.entries,
            leaves: report.leaves,
            leaves_from_state: report.leaves_from_state,
            root: report.root.map(|root| root.to_string()),
            certificates: report.certificates,
            payloads: report.payloads,
            payload_bytes: report.payload_bytes,
            contents_expired: report.contents_expired,
            state: report.state.into(),
            checkpoints: report.checkpoints.into_iter().map(CheckpointView::from).collect(),
            redecided: report.redecided.map(RedecidedView::from),
            findings_total: report.findings_total,
            findings: report.findings.into_iter().map(FindingView::from).collect(),
        }
    }
}

impl From<StateOutcome> for StateView {
    fn from(outcome: StateOutcome) -> Self {
        let (outcome, block, leaves) = match outcome {
            StateOutcome::LeftOut => ("left out", None, None),
            StateOutcome::Missing => ("missing", None, None),
            StateOutcome::Unusable => ("unusable", None, None),
            StateOutcome::Compared { block, leaves } => ("compared", Some(block), Some(leaves)),
        };
        Self { outcome, block, leaves }
    }
}

impl From<CheckpointOutcome> for CheckpointView {
    fn from(outcome: CheckpointOutcome) -> Self {
        let verdict = match outcome.verdict {
            Verdict::Holds => "holds",
            Verdict::Differs => "differs",
            Verdict::Unknown => "unknown",
        };
        Self { name: outcome.name, size: outcome.size, verdict }
    }
}

impl From<Redecided> for RedecidedView {
    fn from(redecided: Redecided) -> Self {
        let none = Self {
            outcome: "",
            blocks: None,
            signatures: None,
            taken_over: None,
            other_rules_from: None,
        };
        match redecided {
            Redecided::Damaged => Self { outcome: "not done, for damage", ..none },
            Redecided::Differs { .. } => Self { outcome: "differs", ..none },
            Redecided::Same { blocks, signatures, taken_over, other_rules_from } => Self {
                outcome: "same",
                blocks: Some(blocks),
                signatures: Some(signatures),
                taken_over: Some(taken_over),
                other_rules_from,
            },
        }
    }
}

impl From<Finding> for FindingView {
    fn from(finding: Finding) -> Self {
        let changed = finding.changed.map(|byte| ChangedView {
            offset: byte.offset,
            is: byte.is,
            was: byte.was,
            certain: byte.certain,
        });
        Self {
            kind: finding.kind.name(),
            file: finding.file,
            offset: finding.offset,
            bytes: finding.bytes,
            block: finding.block,
            entry: finding.entry,
            why: finding.why,
            changed,
            cut: finding.cut,
        }
    }
}

/// Writes an audit for people.
pub(crate) fn text(view: &AuditView) -> String {
    let mut text = output::pairs(&summary(view));
    for checkpoint in &view.checkpoints {
        let CheckpointView { name, size, verdict } = checkpoint;
        let _ = writeln!(text, "mốc đã ký / checkpoint, {size} lá / leaves, {name}: {verdict}");
    }
    if view.findings.is_empty() {
        text.push_str("\nkhông có gì sai / nothing is wrong\n");
        return text;
    }
    let _ = writeln!(text, "\nsai / wrong: {}\n", thousands(view.findings_total));
    text.push_str(&table(&view.findings));
    let kinds: BTreeSet<&'static str> = view.findings.iter().map(|found| found.kind).collect();
    for kind in kinds {
        let _ = writeln!(text, "{kind}: {}", meaning(kind));
    }
    if view.findings.iter().any(|finding| finding.cut) {
        text.push_str(
            "chép thư mục này trước khi khởi động trục / copy the folder before a hub is started: \
             the start would cut the journal at the first place marked so\n",
        );
    }
    text
}

fn summary(view: &AuditView) -> Vec<(&'static str, String)> {
    let state = match (view.state.block, view.state.leaves) {
        (Some(block), Some(leaves)) => {
            format!("tới khối / to block {block}, {} lá / leaves", thousands(leaves))
        }
        _ => view.state.outcome.to_owned(),
    };
    let mut lines = vec![
        (
            "nhật ký giao dịch / journal",
            format!(
                "{} khối tới / blocks to {}, {} mục / entries, {} byte / bytes",
                thousands(view.blocks),
                view.last_block,
                thousands(view.entries),
                thousands(view.journal_bytes)
            ),
        ),
        (
            "tệp nội dung / payloads",
            format!(
                "{} tệp / files, {} byte / bytes",
                thousands(view.payloads),
                thousands(view.payload_bytes)
            ),
        ),
        ("lá / leaves", thousands(view.leaves)),
        ("gốc / root", view.root.clone().unwrap_or_else(|| "không rõ / unknown".to_owned())),
        ("trạng thái / state", state),
    ];
    if view.contents_expired > 0 {
        let contents = format!("{} nội dung / contents", thousands(view.contents_expired));
        lines.push(("hết hạn lưu / kept no longer", contents));
    }
    if view.leaves_from_state > 0 {
        let leaves = thousands(view.leaves_from_state);
        lines.push(("từ trạng thái / from the state", format!("{leaves} lá / leaves")));
    }
    if let Some(redecided) = &view.redecided {
        let blocks = redecided.blocks.map_or(String::new(), |blocks| {
            let signatures = redecided.signatures.unwrap_or_default();
            format!(", {} blocks, {} signatures", thousands(blocks), thousands(signatures))
        });
        let taken_over = redecided.taken_over.filter(|blocks| *blocks > 0);
        let taken_over = taken_over.map_or(String::new(), |blocks| {
            format!("; {} blocks as they are, contents are kept no longer", thousands(blocks))
        });
        let rules = redecided
            .other_rules_from
            .map_or(String::new(), |block| format!("; from block {block} on other rules held"));
        let outcome = format!("{}{blocks}{taken_over}{rules}", redecided.outcome);
        lines.push(("xét lại / judged again", outcome));
    }
    lines
}

fn table(findings: &[FindingView]) -> String {
    let mut table = output::table([
        "Loại\nkind",
        "Tệp\nfile",
        "Byte",
        "Khối\nblock",
        "Mục\nentry",
        "Cách thấy\nhow it shows",
    ]);
    output::right(&mut table, 2..5);
    let number = |number: Option<u64>| number.map_or("–".to_owned(), |number| number.to_string());
    for finding in findings {
        table.add_row([
            finding.kind.to_owned(),
            finding.file.clone().unwrap_or_else(|| "–".to_owned()),
            number(finding.changed.as_ref().map(|byte| byte.offset).or(finding.offset)),
            number(finding.block),
            number(finding.entry.map(u64::from)),
            shown(finding),
        ]);
    }
    output::text_of(&table)
}

fn shown(finding: &FindingView) -> String {
    let mut text = finding.why.clone();
    if let Some(byte) = &finding.changed {
        let likely = if byte.certain { "" } else { " (most likely)" };
        let _ = write!(text, "; this byte is {:#04x}, was {:#04x}{likely}", byte.is, byte.was);
    } else if let Some(bytes) = finding.bytes.filter(|bytes| *bytes > 0) {
        let _ = write!(text, "; {} bytes", thousands(bytes));
    }
    if finding.cut {
        text.push_str("; a start would cut here");
    }
    text
}

/// What a kind of finding means.
fn meaning(kind: &str) -> &'static str {
    match kind {
        "FORMAT" => "tệp FORMAT không đúng / the folder's FORMAT is not right",
        "HEADER" => "phần đầu tệp nhật ký giao dịch hỏng / a journal file's header is damaged",
        "FRAME" => "khung của khối hỏng / the frame of a block is damaged",
        "CHAIN" => "khối không nối với khối trước / a block does not follow the one before it",
        "MISSING" => "thiếu khối / blocks are missing",
        "TORN_TAIL" => {
            "cuối tệp ghi dở, hoặc lô cuối bị sửa / the end was cut short while it was written, \
             before anybody was answered, or the last batch was changed"
        }
        "DECISION" => "quyết định không hợp với lệnh / a decision that the command cannot have",
        "POSITION" => "vị trí không liên tiếp / a position that does not follow",
        "TIME" => "thời gian lùi / time goes back",
        "DIGEST" => "mã băm không khớp nội dung / a digest is not that of the bytes",
        "CERTIFICATE" => "thiếu chứng thư số / a certificate is missing",
        "PAYLOAD_MISSING" => "thiếu tệp nội dung / a payload file is missing",
        "PAYLOAD_CHANGED" => "tệp nội dung bị sửa / a payload file was changed",
        "STATE" => "trạng thái hỏng, sẽ được dựng lại / the state is damaged and will be rebuilt",
        "MARKER" => {
            "trạng thái và nhật ký giao dịch không khớp / state and journal do not belong together"
        }
        "LOG" => "nhật ký băm không khớp / the log's hashes do not agree",
        "CHECKPOINT" => "mốc đã ký không khớp / a signed checkpoint does not hold",
        "REDECIDED" => "xét lại ra kết quả khác / judged again it comes out differently",
        "BACKUP" => "tệp không như bản kê / a file is not as the backup's manifest says",
        _ => "",
    }
}
