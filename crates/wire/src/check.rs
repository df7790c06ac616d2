//! Collects what is wrong with a message while its parts are read.

use std::fmt::{Arguments, Display};

use lienthong_model::limits::{OTHER_TEXT_CHARS_MAX, TEXT_CHARS_MAX};
use lienthong_model::{AgencyCode, Day, MessageId, Reason, Refusal, Timestamp, Violation};

use crate::kind::Read;
use crate::moment;

/// What was found wrong so far. Field paths are formatted only when something is, and only for as
/// many as a refusal names: a content of 1 MiB can be wrong in a hundred thousand places.
#[derive(Default)]
pub(crate) struct Check {
    violations: Vec<Violation>,
    /// Found wrong beyond those.
    more: usize,
    /// Of these, the first reason in the order of the list.
    more_first: Option<Reason>,
}

impl Check {
    pub(crate) fn missing(&mut self, field: Arguments<'_>) {
        self.note(Reason::FieldMissing, field, "");
    }

    pub(crate) fn invalid(&mut self, field: Arguments<'_>, value: impl Display) {
        self.note(Reason::FieldInvalid, field, value);
    }

    pub(crate) fn note(&mut self, reason: Reason, field: Arguments<'_>, value: impl Display) {
        if self.violations.len() < Refusal::VIOLATIONS_MAX {
            self.violations.push(Violation::new(reason, field.to_string(), value));
            return;
        }
        self.more += 1;
        self.more_first = Some(self.more_first.map_or(reason, |first| first.min(reason)));
    }

    /// The refusal for what was found wrong; the last violation counts those that are not named.
    fn refusal(mut self) -> Option<Refusal> {
        let Some(more_first) = self.more_first else { return Refusal::of(self.violations) };
        self.violations.truncate(Refusal::VIOLATIONS_MAX - 1);
        let mut refusal = Refusal::of(self.violations)?;
        refusal.reason = refusal.reason.min(more_first);
        let more = format_args!("and {} more", self.more + 1);
        refusal.violations.push(Violation::new(refusal.reason, "", more));
        Some(refusal)
    }

    /// A text of at most `chars_max` characters.
    pub(crate) fn text_within(&mut self, field: Arguments<'_>, text: &str, chars_max: usize) {
        // A character has at least one byte: only a long text is counted.
        if text.len() <= chars_max {
            return;
        }
        let chars = text.chars().count();
        if chars > chars_max {
            self.invalid(field, format_args!("{chars} characters, at most {chars_max}"));
        }
    }

    /// A subject, abstract or name.
    pub(crate) fn name(&mut self, field: Arguments<'_>, text: &str) {
        self.text_within(field, text, TEXT_CHARS_MAX);
    }

    /// Any other text.
    pub(crate) fn text(&mut self, field: Arguments<'_>, text: &str) {
        self.text_within(field, text, OTHER_TEXT_CHARS_MAX);
    }

    pub(crate) fn texts(&mut self, field: Arguments<'_>, texts: &[String]) {
        for (index, text) in texts.iter().enumerate() {
            self.text(format_args!("{field}[{index}]"), text);
        }
    }

    /// A mandatory code.
    pub(crate) fn code(&mut self, field: Arguments<'_>, text: &str) -> Option<AgencyCode> {
        if text.is_empty() {
            self.missing(field);
            return None;
        }
        match AgencyCode::parse(text) {
            Ok(code) => Some(code),
            Err(error) => {
                self.invalid(field, format_args!("`{text}`: {error}"));
                None
            }
        }
    }

    /// A code that was perhaps read, and its text as written.
    pub(crate) fn written_code(&mut self, field: Arguments<'_>, code: &str, as_written: &str) {
        if !code.is_empty() {
            self.code(format_args!("{field}.code"), code);
        }
        self.text(format_args!("{field}.code_as_written"), as_written);
    }

    /// A mandatory message id.
    pub(crate) fn id(&mut self, field: Arguments<'_>, bytes: &[u8]) -> Option<MessageId> {
        if bytes.is_empty() {
            self.missing(field);
            return None;
        }
        self.optional_id(field, bytes)
    }

    /// A message id; no bytes say that there is none.
    pub(crate) fn optional_id(&mut self, field: Arguments<'_>, bytes: &[u8]) -> Option<MessageId> {
        if bytes.is_empty() {
            return None;
        }
        match MessageId::from_bytes(bytes) {
            Ok(id) => Some(id),
            Err(error) => {
                self.invalid(field, error);
                None
            }
        }
    }

    /// A mandatory moment.
    pub(crate) fn moment(
        &mut self,
        field: Arguments<'_>,
        at: Option<&prost_types::Timestamp>,
    ) -> Option<Timestamp> {
        if at.is_none() {
            self.missing(field);
        }
        self.optional_moment(field, at)
    }

    /// A moment that may be absent, but not wrong.
    pub(crate) fn optional_moment(
        &mut self,
        field: Arguments<'_>,
        at: Option<&prost_types::Timestamp>,
    ) -> Option<Timestamp> {
        let at = at?;
        let read = moment::from_proto(at);
        if read.is_none() {
            self.invalid(field, format_args!("{} s {} ns", at.seconds, at.nanos));
        }
        read
    }

    /// A day as `yyyy-MM-dd`.
    pub(crate) fn day(&mut self, field: Arguments<'_>, text: &str) -> Option<Day> {
        if text.is_empty() {
            self.missing(field);
            return None;
        }
        self.optional_day(field, text)
    }

    /// A day as `yyyy-MM-dd`, or nothing.
    pub(crate) fn optional_day(&mut self, field: Arguments<'_>, text: &str) -> Option<Day> {
        if text.is_empty() {
            return None;
        }
        let day = Timestamp::parse(text).filter(|_| text.len() == 10).map(Timestamp::day);
        if day.is_none() {
            self.invalid(field, format_args!("`{text}` is not yyyy-MM-dd"));
        }
        day
    }

    /// A kind that may be left out.
    pub(crate) fn kind<T>(
        &mut self,
        field: Arguments<'_>,
        number: i32,
        read: fn(i32) -> Read<T>,
    ) -> Option<T> {
        match read(number) {
            Read::Known(kind) => Some(kind),
            Read::Unspecified => None,
            Read::Unknown => {
                self.invalid(field, number);
                None
            }
        }
    }

    /// A kind that must be said.
    pub(crate) fn mandatory_kind<T>(
        &mut self,
        field: Arguments<'_>,
        number: i32,
        read: fn(i32) -> Read<T>,
    ) -> Option<T> {
        if number == 0 {
            self.missing(field);
        }
        self.kind(field, number, read)
    }

    /// The value when nothing was found wrong, else the refusal.
    pub(crate) fn finish<T>(self, value: Option<T>) -> Result<T, Refusal> {
        match (self.refusal(), value) {
            (None, Some(value)) => Ok(value),
            (Some(refusal), _) => Err(refusal),
            (None, None) => Err(Refusal::new(Reason::ContentMalformed)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_for_more_than_it_can_name_counts_the_rest() {
        for found in [1, 99, 100, 101, 102, 5_000] {
            let mut check = Check::default();
            let mut all = Vec::new();
            for n in 0..found {
                // The gravest one comes last.
                let last = n + 1 == found;
                let reason = if last { Reason::FieldMissing } else { Reason::FieldInvalid };
                check.note(reason, format_args!("f[{n}]"), n);
                all.push(Violation::new(reason, format!("f[{n}]"), n));
            }
            assert_eq!(check.finish(Some(())).err(), Refusal::of(all), "{found}");
        }
    }
}
