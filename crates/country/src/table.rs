//! Directory entries as CSV (RFC 4180, UTF-8), for users to bring and to take.
//!
//! The first line names the ten columns of [`COLUMNS`], in any order; each further line is one
//! entry. `parent`, `province`, `until` and `gateway` may be empty. Values are those of JSON and
//! configuration, days are `yyyy-MM-dd`, `until` is the first day no longer in force. A byte
//! order mark is skipped, so are empty lines. Whether a superior exists is not looked at: a file
//! may hold a part of a directory.

mod error;

#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::io::{Read, Write};

use csv::ByteRecord;
use lienthong_model::limits::{AGENCIES_MAX, TEXT_CHARS_MAX};
use lienthong_model::{
    AgencyCode, AgencyEntry, AgencyState, CodeKey, Day, Level, SignaturePolicy, Timestamp,
};

pub use error::{CsvError, CsvFault};

/// The columns, in the order in which [`write_csv`] writes them.
pub const COLUMNS: [&str; 10] =
    ["code", "name", "level", "parent", "province", "from", "until", "state", "policy", "gateway"];

/// Largest file that [`read_csv`] takes, in bytes: 1 KiB for each of the most entries.
pub const FILE_BYTES_MAX: usize = AGENCIES_MAX * 1024;

/// Reads directory entries, in the order of the file. Nothing is returned unless every line is
/// right. A file with the first line alone holds no entries.
///
/// Memory is bounded by [`FILE_BYTES_MAX`] and [`AGENCIES_MAX`].
///
/// # Errors
/// [`CsvError`] with the first line and column that are wrong.
pub fn read_csv(input: impl Read) -> Result<Vec<AgencyEntry>, CsvError> {
    let bytes = bounded(input)?;
    let mut lines =
        csv::ReaderBuilder::new().has_headers(false).flexible(true).from_reader(bytes.as_slice());
    let mut record = ByteRecord::new();
    let columns = match lines.read_byte_record(&mut record) {
        Ok(true) => columns(&record, line_of(&record, &bytes))?,
        Ok(false) => return Err(CsvError::line(1, CsvFault::Empty)),
        Err(error) => return Err(CsvError::line(0, CsvFault::Unreadable(error.into()))),
    };
    let mut entries = Vec::new();
    let mut spans: HashMap<(CodeKey, Day), u64> = HashMap::new();
    while lines
        .read_byte_record(&mut record)
        .map_err(|error| CsvError::line(0, CsvFault::Unreadable(error.into())))?
    {
        let row = Row { record: &record, columns: &columns, line: line_of(&record, &bytes) };
        if entries.len() == AGENCIES_MAX {
            return Err(CsvError::line(row.line, CsvFault::TooMany));
        }
        let entry = row.entry()?;
        if let Some(first) = spans.insert((entry.code.key(), entry.from), row.line) {
            return Err(CsvError::at(row.line, "code", CsvFault::Repeated { line: first }));
        }
        entries.push(entry);
    }
    Ok(entries)
}

/// Writes the first line and one line an entry, in the order given: the same entries are the
/// same bytes. Lines end with a line feed. Entries that [`read_csv`] returned come back equal.
///
/// # Errors
/// What `output` reports; a part may have been written by then.
pub fn write_csv(output: impl Write, entries: &[AgencyEntry]) -> std::io::Result<()> {
    let mut lines = csv::Writer::from_writer(output);
    lines.write_record(COLUMNS)?;
    for entry in entries {
        lines.write_record([
            entry.code.as_str(),
            &entry.name,
            entry.level.name(),
            text(&entry.parent),
            text(&entry.province),
            &entry.from.to_string(),
            &entry.until.map(|until| until.to_string()).unwrap_or_default(),
            entry.state.name(),
            entry.policy.name(),
            text(&entry.gateway),
        ])?;
    }
    lines.flush()
}

fn text(code: &Option<AgencyCode>) -> &str {
    code.as_ref().map_or("", AgencyCode::as_str)
}

fn bounded(input: impl Read) -> Result<Vec<u8>, CsvError> {
    let mut bytes = Vec::new();
    input
        .take(FILE_BYTES_MAX as u64 + 1)
        .read_to_end(&mut bytes)
        .map_err(|error| CsvError::line(0, CsvFault::Unreadable(error)))?;
    if bytes.len() > FILE_BYTES_MAX {
        return Err(CsvError::line(0, CsvFault::TooLarge));
    }
    Ok(bytes)
}

/// The line on which a record begins. The reader's position is before the empty lines that it
/// skipped, so those are counted here.
fn line_of(record: &ByteRecord, bytes: &[u8]) -> u64 {
    let Some(position) = record.position() else { return 0 };
    let start = usize::try_from(position.byte()).unwrap_or(usize::MAX);
    let skipped = bytes.get(start..).unwrap_or_default();
    let empty = skipped.iter().take_while(|byte| matches!(byte, b'\r' | b'\n'));
    position.line() + empty.filter(|byte| **byte == b'\n').count() as u64
}

/// Returns where each of [`COLUMNS`] stands in the lines.
fn columns(header: &ByteRecord, line: u64) -> Result<[usize; COLUMNS.len()], CsvError> {
    let mut found = [None; COLUMNS.len()];
    for (place, field) in header.iter().enumerate() {
        let name = String::from_utf8_lossy(field);
        let known = COLUMNS.iter().zip(&mut found).find(|(column, _)| **column == name);
        let Some((_, slot)) = known else {
            return Err(CsvError::at(line, &name, CsvFault::UnknownColumn));
        };
        if slot.replace(place).is_some() {
            return Err(CsvError::at(line, &name, CsvFault::RepeatedColumn));
        }
    }
    let mut places = [0; COLUMNS.len()];
    for ((place, slot), column) in found.into_iter().zip(&mut places).zip(COLUMNS) {
        *slot = place.ok_or_else(|| CsvError::at(line, column, CsvFault::MissingColumn))?;
    }
    Ok(places)
}

/// One line below the first.
struct Row<'a> {
    record: &'a ByteRecord,
    columns: &'a [usize; COLUMNS.len()],
    line: u64,
}

impl Row<'_> {
    fn entry(&self) -> Result<AgencyEntry, CsvError> {
        if self.record.len() != COLUMNS.len() {
            return Err(CsvError::line(self.line, CsvFault::Fields { found: self.record.len() }));
        }
        let from = self.value("from", day)?;
        let until = self.optional("until", day)?;
        if let Some(until) = until.filter(|until| *until <= from) {
            return Err(CsvError::at(self.line, "until", CsvFault::Span { from, until }));
        }
        Ok(AgencyEntry {
            code: self.value("code", code)?,
            name: self.value("name", name)?,
            level: self.value("level", level)?,
            parent: self.optional("parent", code)?,
            province: self.optional("province", code)?,
            from,
            until,
            state: self.value("state", state)?,
            policy: self.value("policy", policy)?,
            gateway: self.optional("gateway", code)?,
        })
    }

    fn value<T>(
        &self,
        column: &'static str,
        parse: impl Fn(&str) -> Result<T, CsvFault>,
    ) -> Result<T, CsvError> {
        self.text(column).and_then(parse).map_err(|why| CsvError::at(self.line, column, why))
    }

    fn optional<T>(
        &self,
        column: &'static str,
        parse: impl Fn(&str) -> Result<T, CsvFault>,
    ) -> Result<Option<T>, CsvError> {
        self.value(column, |text| if text.is_empty() { Ok(None) } else { parse(text).map(Some) })
    }

    fn text(&self, column: &'static str) -> Result<&str, CsvFault> {
        let mut places = COLUMNS.iter().zip(self.columns);
        let place = places.find(|(name, _)| **name == column).map(|(_, place)| *place);
        let field = place.and_then(|place| self.record.get(place)).unwrap_or_default();
        std::str::from_utf8(field).map_err(|_| CsvFault::NotUtf8)
    }
}

fn code(text: &str) -> Result<AgencyCode, CsvFault> {
    AgencyCode::parse(text).map_err(CsvFault::Code)
}

fn name(text: &str) -> Result<String, CsvFault> {
    let chars = text.chars().count();
    match text.chars().find(|c| c.is_control()) {
        _ if text.trim().is_empty() => Err(CsvFault::NoName),
        _ if chars > TEXT_CHARS_MAX => Err(CsvFault::NameTooLong { chars }),
        Some(control) => Err(CsvFault::Control(control)),
        None => Ok(text.to_owned()),
    }
}

fn level(text: &str) -> Result<Level, CsvFault> {
    text.parse().map_err(|_| CsvFault::Level(error::excerpt(text)))
}

fn state(text: &str) -> Result<AgencyState, CsvFault> {
    AgencyState::from_name(text).ok_or_else(|| CsvFault::State(error::excerpt(text)))
}

fn policy(text: &str) -> Result<SignaturePolicy, CsvFault> {
    SignaturePolicy::from_name(text).ok_or_else(|| CsvFault::Policy(error::excerpt(text)))
}

fn day(text: &str) -> Result<Day, CsvFault> {
    let day = Timestamp::parse(text).map(Timestamp::day);
    day.filter(|day| day.to_string() == text).ok_or_else(|| CsvFault::Day(error::excerpt(text)))
}
