//! What is wrong with a CSV file, where, and what to do about it.

use std::fmt;

use lienthong_model::limits::{AGENCIES_MAX, TEXT_CHARS_MAX};
use lienthong_model::{CodeError, Day};

use super::FILE_BYTES_MAX;

/// The first thing that is wrong with a CSV file.
#[derive(Debug)]
pub struct CsvError {
    /// The line on which the entry begins, from 1, as an editor counts; 0 when the file as a whole
    /// is meant.
    pub line: u64,
    /// The column's name; empty when the line as a whole is meant.
    pub column: String,
    /// What is wrong, and the remedy.
    pub why: CsvFault,
}

/// What can be wrong with a CSV file.
#[derive(Debug, thiserror::Error)]
pub enum CsvFault {
    /// The input reports an error.
    #[error("cannot be read: {0}")]
    Unreadable(std::io::Error),
    /// The file is larger than this reader takes.
    #[error("more than {FILE_BYTES_MAX} bytes: split the file")]
    TooLarge,
    /// The file has more entries than a directory.
    #[error("more than {AGENCIES_MAX} entries, the most that a directory has: leave some out")]
    TooMany,
    /// The file has no line.
    #[error("the file is empty: its first line must be `{HEADER}`")]
    Empty,
    /// The first line names a column that there is not.
    #[error("there is no such column: the first line must be `{HEADER}`, with commas between")]
    UnknownColumn,
    /// The first line names a column twice.
    #[error("the column is named twice: remove one")]
    RepeatedColumn,
    /// The first line lacks a column.
    #[error("the column is missing: the first line must be `{HEADER}`")]
    MissingColumn,
    /// A line has more or fewer fields than the first line.
    #[error("{found} fields instead of 10: put a text that has a comma in double quotes")]
    Fields {
        /// The fields found.
        found: usize,
    },
    /// A field is not UTF-8.
    #[error("not UTF-8: save the file as `CSV UTF-8`")]
    NotUtf8,
    /// A field is not an agency code.
    #[error("{0}: write it like `H36.12`")]
    Code(CodeError),
    /// The name is empty.
    #[error("an agency needs a name: write one")]
    NoName,
    /// The name is too long.
    #[error("a name has at most {TEXT_CHARS_MAX} characters, this has {chars}: shorten it")]
    NameTooLong {
        /// The characters found.
        chars: usize,
    },
    /// The name has a character that is not shown, such as a line break.
    #[error("a name has no control characters, this has {0:?}: check that every quote is closed")]
    Control(char),
    /// A field is not a level.
    #[error("`{0}` is no level: write ministry, province, district or commune")]
    Level(String),
    /// A field is not a state.
    #[error("`{0}` is no state: write connected, held or suspended")]
    State(String),
    /// A field is not a signature policy.
    #[error("`{0}` is no signature policy: write required, transition or information")]
    Policy(String),
    /// A field is not a day.
    #[error("`{0}` is no day: write it like `2019-03-12`")]
    Day(String),
    /// The entry ends before it begins.
    #[error("`{until}` is not after `{from}`: name the first day no longer in force, or none")]
    Span {
        /// The first day in force.
        from: Day,
        /// The first day no longer in force.
        until: Day,
    },
    /// An earlier line is about the same agency from the same day.
    #[error("line {line} has the same agency from the same day: remove one")]
    Repeated {
        /// The earlier line.
        line: u64,
    },
}

/// [`super::COLUMNS`] as one line; a test holds them together.
pub(super) const HEADER: &str = "code,name,level,parent,province,from,until,state,policy,gateway";

/// Most characters of a file that a message repeats.
const EXCERPT_CHARS_MAX: usize = 60;

impl CsvError {
    pub(super) fn line(line: u64, why: CsvFault) -> Self {
        Self { line, column: String::new(), why }
    }

    pub(super) fn at(line: u64, column: &str, why: CsvFault) -> Self {
        Self { line, column: excerpt(column), why }
    }
}

/// Returns the beginning of a text, with control characters spelt out.
pub(super) fn excerpt(text: &str) -> String {
    let mut shown: String = text.chars().take(EXCERPT_CHARS_MAX).flat_map(shown).collect();
    if text.chars().nth(EXCERPT_CHARS_MAX).is_some() {
        shown.push('…');
    }
    shown
}

fn shown(c: char) -> impl Iterator<Item = char> {
    let spelt = c.is_control().then(|| c.escape_default());
    let plain = (!c.is_control()).then_some(c);
    spelt.into_iter().flatten().chain(plain)
}

impl fmt::Display for CsvError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.line, self.column.as_str()) {
            (0, _) => write!(f, "{}", self.why),
            (line, "") => write!(f, "line {line}: {}", self.why),
            (line, column) => write!(f, "line {line}, column `{column}`: {}", self.why),
        }
    }
}

impl std::error::Error for CsvError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match &self.why {
            CsvFault::Unreadable(error) => Some(error),
            _ => None,
        }
    }
}
