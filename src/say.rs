//! What is said when something goes wrong: what it is, where it lies, what to do, in Vietnamese and
//! English side by side, and the exit code that goes with it.

use std::fmt::Write as _;
use std::process::ExitCode;

use lienthong_client::{CallError, ConnectError, Setback, TransferError, Unreachable};
use lienthong_connector::Refused;
use lienthong_model::Refusal;
use serde_json::json;

use crate::cli::Output;

/// Exit code: refused or failed.
const FAILED: u8 = 1;
/// Exit code: wrong usage or configuration.
const USAGE: u8 = 2;
/// Exit code: the hub cannot be reached.
const UNREACHABLE: u8 = 3;

/// Something is wrong with what the user typed or wrote into a file: said in both languages.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Usage {
    what_vi: String,
    what: String,
    /// Empty when there is none, as in English.
    remedy_vi: String,
    remedy: String,
}

impl Usage {
    /// Returns what is wrong, in Vietnamese and in English.
    pub(crate) fn new(vi: impl Into<String>, en: impl Into<String>) -> Self {
        let (what_vi, what) = (vi.into(), en.into());
        Self { what_vi, what, remedy_vi: String::new(), remedy: String::new() }
    }

    /// Says what to do about it, in Vietnamese and in English.
    pub(crate) fn remedy(mut self, vi: impl Into<String>, en: impl Into<String>) -> Self {
        (self.remedy_vi, self.remedy) = (vi.into(), en.into());
        self
    }
}

impl std::fmt::Display for Usage {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} / {}", self.what_vi, self.what)?;
        if self.remedy.is_empty() {
            Ok(())
        } else {
            write!(f, "\n  xử lý / remedy: {} / {}", self.remedy_vi, self.remedy)
        }
    }
}

impl std::error::Error for Usage {}

/// Says on stderr why a command failed; returns its exit code.
pub(crate) fn failure(error: &anyhow::Error, output: Output) -> ExitCode {
    let found = Found::in_chain(error);
    let text = match output {
        Output::Table | Output::Csv => found.text(error),
        Output::Json | Output::Jsonl => found.json(error).to_string(),
    };
    anstream::eprintln!("{}", text.trim_end());
    ExitCode::from(found.code())
}

/// What of an error's chain decides how it is said.
enum Found<'e> {
    Refusal(&'e Refusal),
    Unreachable(&'e Unreachable),
    Usage(&'e Usage),
    Other,
}

/// The failed call that an error is, or is about.
fn call_in<'e>(error: &'e (dyn std::error::Error + 'static)) -> Option<&'e CallError> {
    if let Some(ConnectError::Call(call)) = error.downcast_ref() {
        return Some(call);
    }
    if let Some(TransferError::Call(call)) = error.downcast_ref() {
        return Some(call);
    }
    error.downcast_ref()
}

impl<'e> Found<'e> {
    fn in_chain(error: &'e anyhow::Error) -> Self {
        for cause in error.chain() {
            if let Some(usage) = cause.downcast_ref::<Usage>() {
                return Self::Usage(usage);
            }
            if let Some(refusal) = cause.downcast_ref::<Refusal>() {
                return Self::Refusal(refusal);
            }
            let Some(call) = call_in(cause) else { continue };
            if let Some(unreachable) = call.unreachable() {
                return Self::Unreachable(unreachable);
            }
            if let Some(refusal) = call.refusal() {
                return Self::Refusal(refusal);
            }
            if matches!(call, CallError::GaveUp { last: Setback::Status { .. }, .. }) {
                return Self::Other;
            }
        }
        Self::Other
    }

    fn code(&self) -> u8 {
        match self {
            Self::Refusal(_) | Self::Other => FAILED,
            Self::Usage(_) => USAGE,
            Self::Unreachable(_) => UNREACHABLE,
        }
    }

    fn text(&self, error: &anyhow::Error) -> String {
        match self {
            Self::Refusal(refusal) => refused(refusal),
            Self::Unreachable(unreachable) => cannot_reach(unreachable),
            Self::Usage(usage) => wrong_usage(&doing(error), usage),
            Self::Other => format!("lỗi / error: {error:#}"),
        }
    }

    fn json(&self, error: &anyhow::Error) -> serde_json::Value {
        match self {
            Self::Refusal(refusal) => json!({ "refusal": refusal_json(refusal) }),
            Self::Unreachable(unreachable) => {
                let words = unreachable.cause.words();
                json!({ "unreachable": {
                    "address": unreachable.address, "meaning": words.meaning,
                    "meaning_vi": words.meaning_vi, "remedy": words.remedy,
                    "remedy_vi": words.remedy_vi,
                } })
            }
            Self::Usage(usage) => usage_json(&doing(error), usage),
            Self::Other => json!({ "error": format!("{error:#}") }),
        }
    }
}

/// What was being done when wrong usage was met: it goes before what is wrong, in either language.
fn doing(error: &anyhow::Error) -> String {
    let before = error.chain().take_while(|cause| !cause.is::<Usage>());
    before.map(|cause| format!("{cause}: ")).collect()
}

fn wrong_usage(doing: &str, usage: &Usage) -> String {
    let mut text = format!("lỗi / error: {doing}{}\n", usage.what_vi);
    let _ = writeln!(text, "{:<13}{doing}{}", "", usage.what);
    if !usage.remedy.is_empty() {
        both(&mut text, "xử lý / remedy", &usage.remedy_vi, &usage.remedy);
    }
    text
}

fn usage_json(doing: &str, usage: &Usage) -> serde_json::Value {
    let mut said = json!({
        "usage": format!("{doing}{}", usage.what),
        "usage_vi": format!("{doing}{}", usage.what_vi),
    });
    if !usage.remedy.is_empty() {
        said["remedy"] = usage.remedy.as_str().into();
        said["remedy_vi"] = usage.remedy_vi.as_str().into();
    }
    said
}

/// Writes a refusal for people: code, fields, meaning and remedy in both languages.
pub(crate) fn refused(refusal: &Refusal) -> String {
    let reason = refusal.reason;
    let mut text = format!("bị từ chối / refused: {}\n", reason.code());
    both(&mut text, "nghĩa / meaning", reason.meaning_vi(), reason.meaning());
    for violation in &refusal.violations {
        let place = match (violation.field.is_empty(), violation.value.is_empty()) {
            (true, _) => violation.value.clone(),
            (false, true) => format!("`{}`", violation.field),
            (false, false) => format!("`{}`: {}", violation.field, violation.value),
        };
        let code = if violation.reason == reason { "" } else { violation.reason.code() };
        let line = format!("  {:<20}{place} {code}", "trường / field");
        let _ = writeln!(text, "{}", line.trim_end());
    }
    both(&mut text, "xử lý / remedy", reason.remedy_vi(), reason.remedy());
    if let Some(ms) = refusal.retry_after_ms {
        let seconds = std::time::Duration::from_millis(ms).as_secs_f64();
        let _ = writeln!(text, "  {:<20}{seconds} s", "thử lại / retry");
    }
    text
}

/// Returns a refusal for programs.
pub(crate) fn refusal_json(refusal: &Refusal) -> serde_json::Value {
    json!(Refused::from(refusal))
}

fn cannot_reach(unreachable: &Unreachable) -> String {
    let words = unreachable.cause.words();
    let mut text = format!("không kết nối được / cannot reach the hub: {}\n", unreachable.address);
    both(&mut text, "nguyên nhân / cause", &words.meaning_vi, &words.meaning);
    both(&mut text, "xử lý / remedy", words.remedy_vi, words.remedy);
    text
}

fn both(text: &mut String, what: &str, vi: &str, en: &str) {
    let _ = writeln!(text, "  {what:<20}{vi}");
    let _ = writeln!(text, "  {:<20}{en}", "");
}

#[cfg(test)]
mod tests {
    use lienthong_model::Reason;

    use super::*;

    #[test]
    fn a_refusal_is_said_in_both_languages_with_field_and_remedy() {
        let refusal = Refusal::at(Reason::RecipientUnknown, "recipients[0].code", "H99");
        let text = refused(&refusal);
        for part in [
            "RECIPIENT_UNKNOWN",
            "`recipients[0].code`: H99",
            Reason::RecipientUnknown.meaning_vi(),
            Reason::RecipientUnknown.remedy(),
        ] {
            assert!(text.contains(part), "{part} in {text}");
        }
    }

    #[test]
    fn wrong_usage_is_said_in_both_languages_with_its_context_and_both_remedies() {
        let usage = Usage::new("không có khóa `x`", "there is no key `x`");
        let error = anyhow::Error::new(usage.clone().remedy("bỏ `x`", "take `x` out"));
        let error = error.context("node.toml");
        let found = Found::in_chain(&error);
        let lines = [
            "lỗi / error: node.toml: không có khóa `x`",
            "             node.toml: there is no key `x`",
            "  xử lý / remedy      bỏ `x`",
            "                      take `x` out",
        ];
        assert_eq!(found.text(&error).lines().collect::<Vec<_>>(), lines);
        let said = json!({
            "usage": "node.toml: there is no key `x`", "usage_vi": "node.toml: không có khóa `x`",
            "remedy": "take `x` out", "remedy_vi": "bỏ `x`",
        });
        assert_eq!(found.json(&error), said);
        let error = anyhow::Error::new(usage);
        let found = Found::in_chain(&error);
        assert_eq!(found.text(&error).lines().count(), 2, "nothing is said to be done");
        assert!(found.json(&error).get("remedy").is_none());
    }

    #[test]
    fn wrong_usage_and_refusals_have_their_own_exit_codes() {
        let usage = anyhow::Error::new(Usage::new("x", "y")).context("reading");
        assert_eq!(Found::in_chain(&usage).code(), USAGE);
        let refusal = anyhow::Error::new(Refusal::new(Reason::RouteRefused));
        assert_eq!(Found::in_chain(&refusal).code(), FAILED);
        assert_eq!(Found::in_chain(&anyhow::anyhow!("other")).code(), FAILED);
    }
}
