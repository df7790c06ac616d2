//! Terms: how long recipients may take, and for how long contents are kept.

use std::time::Duration;

use minicbor::{Decode, Encode};

use crate::limits::{CONTENT_KEPT_MAX, CONTENT_KEPT_MIN, PICK_UP_WITHIN, SILENT_AFTER};

/// How long recipients may take, and contents are kept. An act of administration; field numbers are
/// stable.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
pub struct Terms {
    /// To pick a document up, in milliseconds.
    #[n(0)]
    pub pick_up_ms: u64,
    /// To accept or refuse it, in milliseconds; none: no such deadline.
    #[n(1)]
    pub answer_ms: Option<u64>,
    /// After how long a recipient of which nothing is heard is no longer waited for, in
    /// milliseconds; none: 90 days. Its delivery stays as it is.
    #[n(2)]
    pub silent_ms: Option<u64>,
    /// For how long after acceptance contents are kept, in milliseconds; none: for ever. See
    /// `lienthong_core::Retention`.
    #[n(3)]
    pub keep_content_ms: Option<u64>,
}

impl Default for Terms {
    /// Never changes: a decision without terms was made with these.
    fn default() -> Self {
        let pick_up_ms = millis(PICK_UP_WITHIN);
        Self { pick_up_ms, answer_ms: None, silent_ms: None, keep_content_ms: None }
    }
}

impl Terms {
    /// The least and the most that a term may be.
    const WITHIN: std::ops::RangeInclusive<u64> = 60_000..=366 * 24 * 3_600_000;

    /// Checks that recipients have between a minute and a year, and that contents are kept for
    /// longer than recipients are waited for.
    ///
    /// # Errors
    /// What is wrong, in words.
    pub fn check(&self) -> Result<(), String> {
        let terms = std::iter::once(self.pick_up_ms).chain(self.answer_ms).chain(self.silent_ms);
        match terms.into_iter().find(|term| !Self::WITHIN.contains(term)) {
            Some(term) => Err(format!("{term} ms, a term is a minute to 366 days")),
            None => self.check_kept(),
        }
    }

    fn check_kept(&self) -> Result<(), String> {
        let Some(kept) = self.keep_content_ms else { return Ok(()) };
        if !(millis(CONTENT_KEPT_MIN)..=millis(CONTENT_KEPT_MAX)).contains(&kept) {
            return Err(format!("{kept} ms, contents are kept for 120 days to 100 years"));
        }
        match self.silent_ms.filter(|silent| *silent >= kept) {
            Some(silent) => Err(format!("{kept} ms, recipients are waited for {silent} ms")),
            None => Ok(()),
        }
    }

    /// Returns how long recipients may take to pick a document up.
    pub fn pick_up(&self) -> Duration {
        Duration::from_millis(self.pick_up_ms)
    }

    /// Returns how long recipients may take to accept or refuse it.
    pub fn answer(&self) -> Option<Duration> {
        self.answer_ms.map(Duration::from_millis)
    }

    /// Returns after how long a recipient of which nothing is heard is no longer waited for.
    pub fn silent(&self) -> Duration {
        self.silent_ms.map_or(SILENT_AFTER, Duration::from_millis)
    }
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
