//! The span of time that a question is about.

use lienthong_core::statistics::Period;
use lienthong_model::{Reason, Refusal, Timestamp};
use serde::{Deserialize, Serialize};

/// A span as a query names it: moments in RFC 3339 or days; without them, today.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Asked {
    from: Option<String>,
    until: Option<String>,
}

/// A span as an answer names it.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Span {
    from: String,
    until: String,
}

impl Asked {
    pub fn new(from: Option<String>, until: Option<String>) -> Self {
        Self { from, until }
    }

    /// The period, within the time that there is.
    pub fn period(&self, now: Timestamp) -> Result<Period, Refusal> {
        let read = |text: &Option<String>, field: &str, otherwise: Timestamp| match text {
            None => Ok(otherwise),
            Some(text) => moment(field, text),
        };
        let from = read(&self.from, "from", now.day().start())?;
        let until = read(&self.until, "until", now)?;
        if until < from {
            return Err(Refusal::at(Reason::FieldInvalid, "until", "before `from`"));
        }
        Ok(Period { from, until })
    }
}

impl Span {
    pub fn of(period: Period) -> Self {
        Self { from: period.from.to_string(), until: period.until.to_string() }
    }
}

/// Reads a moment in RFC 3339, or a day for its first moment.
pub(super) fn moment(field: &str, text: &str) -> Result<Timestamp, Refusal> {
    Timestamp::parse(text).ok_or_else(|| Refusal::at(Reason::FieldInvalid, field, text))
}
