//! What `lienthong verify` prints.

use std::fmt::Write as _;

use lienthong_trust::Submission;
use serde::Serialize;

use super::basis::Basis;
use crate::output;

/// What is checked, in the order in which it is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Check {
    /// The hub has signed the bundle.
    Statement,
    /// The signatures hold, up to a root.
    Facts,
    /// The verdict follows from the policy, and is the hub's.
    Verdict,
    /// The log has the document.
    Log,
}

/// A check and its outcome.
#[derive(Debug, Serialize)]
pub(super) struct Outcome {
    what: Check,
    holds: bool,
    /// What was found, or what does not hold.
    found: String,
}

/// A verdict that was derived again.
#[derive(Debug, Serialize)]
pub(super) struct Derived {
    /// Whether everything holds.
    pub holds: bool,
    sender: Option<String>,
    id: Option<String>,
    subject: Option<String>,
    signed_at: Option<String>,
    sha256: Option<String>,
    received_at: String,
    rules: u32,
    /// Trusted roots, by fingerprint.
    roots: Vec<String>,
    revocation_lists: Vec<List>,
    mandates: usize,
    checks: Vec<Outcome>,
}

#[derive(Debug, Serialize)]
struct List {
    number: u64,
    this_update: String,
    next_update: Option<String>,
    revoked: usize,
    sha256: String,
}

impl Check {
    const fn name(self) -> &'static str {
        match self {
            Self::Statement => "trục xác nhận / stated by the hub",
            Self::Facts => "chữ ký đúng / signatures hold",
            Self::Verdict => "kết luận / verdict",
            Self::Log => "trong nhật ký băm / in the log",
        }
    }
}

impl Derived {
    pub(super) fn of(basis: &Basis) -> Self {
        let trusted = basis.excerpt.authorities.iter().filter(|(_, trusted, _)| trusted.is_some());
        let lists = basis.excerpt.lists.iter().map(|list| List {
            number: list.number,
            this_update: list.this_update.to_string(),
            next_update: list.next_update.map(|next| next.to_string()),
            revoked: list.revoked.len(),
            sha256: list.digest.to_string(),
        });
        Self {
            holds: true,
            sender: None,
            id: None,
            subject: None,
            signed_at: None,
            sha256: None,
            received_at: basis.received_at.to_string(),
            rules: basis.rules,
            roots: trusted.map(|(root, ..)| root.fingerprint().to_string()).collect(),
            revocation_lists: lists.collect(),
            mandates: basis.excerpt.mandates.len(),
            checks: Vec::new(),
        }
    }

    pub(super) fn document(&mut self, submission: &Submission) {
        let Submission { header, signed } = submission;
        self.sender = Some(header.sender.to_string());
        self.id = Some(header.id.to_string());
        self.subject = Some(header.subject.clone());
        self.signed_at = Some(header.signed_at.to_string());
        self.sha256 = Some(signed.digest.to_string());
    }

    pub(super) fn check(&mut self, what: Check, outcome: Result<String, String>) {
        let (holds, found) = match outcome {
            Ok(found) => (true, found),
            Err(why) => (false, why),
        };
        self.holds &= holds;
        self.checks.push(Outcome { what, holds, found });
    }
}

pub(super) fn text(derived: &Derived) -> String {
    let mut lines = vec![("lúc nhận / received", derived.received_at.clone())];
    let known = [
        ("bên gửi / sender", &derived.sender),
        ("mã / id", &derived.id),
        ("trích yếu / subject", &derived.subject),
        ("lúc ký / signed at", &derived.signed_at),
        ("SHA-256", &derived.sha256),
    ];
    lines.extend(known.into_iter().filter_map(|(name, value)| Some((name, value.clone()?))));
    lines.extend(derived.roots.iter().map(|root| ("gốc tin cậy / root", root.clone())));
    for list in &derived.revocation_lists {
        let next = list.next_update.as_deref().unwrap_or("-");
        let List { number, this_update, revoked, .. } = list;
        let text = format!("#{number}, {this_update} → {next}, {revoked} thu hồi / revoked");
        lines.push(("danh sách thu hồi / list", text));
    }
    let mut text = output::pairs(&lines);
    text.push('\n');
    for Outcome { what, holds, found } in &derived.checks {
        let mark = if *holds { "✓" } else { "✗" };
        // Writing into a string cannot fail.
        let _ = writeln!(text, "{mark} {}: {found}", what.name());
    }
    let verdict = match derived.holds {
        true => "ĐÚNG: kết luận được suy ra lại từ gói bằng chứng / HOLDS: the verdict follows",
        false => "KHÔNG ĐÚNG / DOES NOT HOLD",
    };
    let _ = writeln!(text, "\n{verdict}");
    text
}
