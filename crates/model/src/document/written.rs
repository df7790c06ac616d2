//! A value as somebody wrote it, beside what it was read as.

use crate::code::AgencyCode;
use crate::time::{Day, Timestamp};

/// A text as written and, where it can be read, its value. The text is empty when none was given;
/// a value may stand without a text when the producer had only the value.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Written<T> {
    /// Exactly what was written.
    pub text: String,
    /// What it was read as.
    pub value: Option<T>,
}

impl<T> Default for Written<T> {
    fn default() -> Self {
        Self { text: String::new(), value: None }
    }
}

impl<T> Written<T> {
    /// Whether nothing was given at all.
    pub fn is_empty(&self) -> bool {
        self.text.is_empty() && self.value.is_none()
    }
}

impl Written<AgencyCode> {
    /// Keeps a code as written and reads it, white space around it aside.
    pub fn code(text: impl Into<String>) -> Self {
        let text = text.into();
        let value = AgencyCode::parse(text.trim()).ok();
        Self { text, value }
    }
}

impl Written<Timestamp> {
    /// Keeps a date as written and reads it as its first moment in UTC+07:00, or a date with a
    /// time of day as that moment.
    ///
    /// Read are `yyyy/MM/dd`, `yyyy-MM-dd` and `dd/MM/yyyy`, each alone or followed by a space and
    /// `HH:mm:ss` or `HH:mm`, and RFC 3339.
    pub fn date(text: impl Into<String>) -> Self {
        let text = text.into();
        let value = read_moment(text.trim());
        Self { text, value }
    }

    /// Keeps a deadline as written; a plain date is read as its end, the first moment of the next
    /// day in UTC+07:00, since an answer on that day is in time.
    pub fn deadline(text: impl Into<String>) -> Self {
        let mut deadline = Self::date(text);
        if deadline.text.trim().len() == 10 {
            deadline.value = deadline.value.map(|start| Day(start.day().0 + 1).start());
        }
        deadline
    }

    /// A moment, written as edXML writes it: `yyyy/MM/dd HH:mm:ss` in UTC+07:00.
    pub fn moment(at: Timestamp) -> Self {
        let shown = at.to_string();
        let text = match (shown.get(..10), shown.get(11..19)) {
            (Some(date), Some(time)) => format!("{} {time}", date.replace('-', "/")),
            _ => shown,
        };
        Self { text, value: Some(at) }
    }
}

fn read_moment(text: &str) -> Option<Timestamp> {
    let (date, time) = match text.split_once(' ') {
        Some((date, time)) => (date, Some(time.trim())),
        None => (text, None),
    };
    let Some(date) = iso_date(date) else { return Timestamp::parse(text) };
    match time {
        None => Timestamp::parse(&date),
        Some(time) => Timestamp::parse(&format!("{date}T{time}+07:00")),
    }
}

/// `yyyy-MM-dd` of a date written with slashes or dashes, year first or day first.
fn iso_date(text: &str) -> Option<String> {
    let mut parts = text.split(['/', '-']);
    let (first, month, last) = (parts.next()?, parts.next()?, parts.next()?);
    let digits = |part: &str| part.bytes().all(|b| b.is_ascii_digit());
    if parts.next().is_some() || ![first, month, last].into_iter().all(digits) {
        return None;
    }
    let (year, day) = if first.len() == 4 { (first, last) } else { (last, first) };
    (year.len() == 4 && (1..=2).contains(&month.len()) && (1..=2).contains(&day.len()))
        .then(|| format!("{year}-{month:0>2}-{day:0>2}"))
}
