//! What came of a backup, for people and for programs. Names are stable.

use lienthong_hub::{BackupCheck, BackupReport, Manifest};
use serde::Serialize;

use crate::commands::evidence::{AuditView, audit_text};
use crate::output::{self, thousands};

/// What a backup stands for.
#[derive(Debug, Serialize)]
pub(in crate::commands) struct StandsFor {
    made_at: String,
    made_by: String,
    block: u64,
    block_hash: String,
    log_size: u64,
    log_root: String,
    log_key: String,
    with_key: bool,
    checkpoint: String,
}

impl From<Manifest> for StandsFor {
    fn from(manifest: Manifest) -> Self {
        Self {
            made_at: manifest.made_at,
            made_by: manifest.made_by,
            block: manifest.block,
            block_hash: manifest.block_hash,
            log_size: manifest.log_size,
            log_root: manifest.log_root,
            log_key: manifest.log_key,
            with_key: manifest.with_key,
            checkpoint: manifest.checkpoint,
        }
    }
}

impl StandsFor {
    /// Lines for people.
    pub(in crate::commands) fn lines(&self) -> Vec<(&'static str, String)> {
        let key = match self.with_key {
            true => "có trong bản sao / in the backup",
            false => "không có trong bản sao / not in the backup",
        };
        vec![
            ("lúc / made at", self.made_at.clone()),
            ("tới khối / up to block", thousands(self.block)),
            ("mã băm / its hash", self.block_hash.clone()),
            ("lá / leaves of the log", thousands(self.log_size)),
            ("gốc / root", self.log_root.clone()),
            ("khóa / key of the log", key.to_owned()),
        ]
    }
}

/// What a run of `backup` did.
#[derive(Debug, Serialize)]
pub(super) struct TakenView {
    #[serde(flatten)]
    stands_for: StandsFor,
    new_blocks: u64,
    new_journal_bytes: u64,
    new_payloads: u64,
    new_payload_bytes: u64,
    expired_contents: u64,
    unfinished_bytes: u64,
    not_in_it: Vec<String>,
}

impl From<BackupReport> for TakenView {
    fn from(report: BackupReport) -> Self {
        Self {
            stands_for: report.manifest.into(),
            new_blocks: report.blocks,
            new_journal_bytes: report.journal_bytes,
            new_payloads: report.payloads,
            new_payload_bytes: report.payload_bytes,
            expired_contents: report.contents_expired,
            unfinished_bytes: report.unfinished_bytes,
            not_in_it: report.beside,
        }
    }
}

impl TakenView {
    pub(super) fn text(&self) -> String {
        let mut lines = self.stands_for.lines();
        let (blocks, bytes) = (thousands(self.new_blocks), thousands(self.new_journal_bytes));
        let journal = format!("{blocks} khối / blocks, {bytes} byte / bytes");
        lines.push(("nhật ký giao dịch mới / new journal", journal));
        let (files, bytes) = (thousands(self.new_payloads), thousands(self.new_payload_bytes));
        let payloads = format!("{files} tệp / files, {bytes} byte / bytes");
        lines.push(("tệp nội dung mới / new payloads", payloads));
        if self.expired_contents > 0 {
            let contents = format!("{} nội dung / contents", thousands(self.expired_contents));
            lines.push(("hết hạn lưu / kept no longer", contents));
        }
        if !self.not_in_it.is_empty() {
            lines.push(("không sao / not in it", self.not_in_it.join(", ")));
        }
        let mut text = output::pairs(&lines);
        if self.unfinished_bytes > 0 {
            let bytes = thousands(self.unfinished_bytes);
            text.push_str(&format!(
                "\n{bytes} byte cuối nhật ký giao dịch chưa thành khối: trục đang ghi, hoặc bị\n\
                 ngắt khi đang ghi\n\
                 {bytes} bytes at the journal's end are no whole block: the hub was writing one, or was\n\
                 killed while it did; if no hub runs, look with `lienthong evidence audit`\n"
            ));
        }
        text.push_str("\nđã ghi xuống đĩa / on disk\n");
        text
    }
}

/// What a check of a backup found.
#[derive(Debug, Serialize)]
pub(super) struct CheckView {
    #[serde(flatten)]
    stands_for: StandsFor,
    audit: AuditView,
}

impl From<BackupCheck> for CheckView {
    fn from(check: BackupCheck) -> Self {
        Self { stands_for: check.manifest.into(), audit: check.audit.into() }
    }
}

impl CheckView {
    pub(super) fn is_whole(&self) -> bool {
        self.audit.findings_total == 0
    }

    pub(super) fn text(&self) -> String {
        output::pairs(&self.stands_for.lines()) + "\n" + &audit_text(&self.audit)
    }
}
