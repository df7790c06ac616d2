//! Collects what is wrong with a message while its parts are read.

use std::fmt::{Arguments, Display};

use lienthong_model::limits::{OTHER_TEXT_CHARS_MAX, TEXT_CHARS_MAX};
use lienthong_model::{AgencyCode, MessageId, Reason, Refusal, Timestamp, Violation};

use crate::kind::Read;
use crate::moment;

/// What was found wrong so far. Field paths are formatted only when something is.
#[derive(Default)]
pub(crate) struct Check {
    violations: Vec<Violation>,
}

impl Check {
    pub(crate) fn missing(&mut self, field: Arguments<'_>) {
        self.note(Reason::FieldMissing, field, "");
    }

    pub(crate) fn invalid(&mut self, field: Arguments<'_>, value: impl Display) {
        self.note(Reason::FieldInvalid, field, value);
    }

    pub(crate) fn note(&mut self, reason: Reason, field: Arguments<'_>, value: impl Display) {
        self.violations.push(Violation::new(reason, field.to_string(), value));
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
        match (Refusal::of(self.violations), value) {
            (None, Some(value)) => Ok(value),
            (Some(refusal), _) => Err(refusal),
            (None, None) => Err(Refusal::new(Reason::ContentMalformed)),
        }
    }
}
