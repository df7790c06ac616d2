//! The keys of a small TOML or JSON text, each with its line, so that whatever is wrong with one
//! can be shown where it stands. What a key means is not known here.
//!
//! Keys are taken one by one by whoever knows them; what is left at the end is unknown, and the
//! error names the nearest key that was asked for.

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde_json::value::RawValue;
use toml::de::{DeTable, DeValue};

use crate::refused::{Fault, LocalReason};

/// Deepest nesting that is read.
const DEPTH_MAX: usize = 8;

/// In which language a text is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// TOML.
    Toml,
    /// JSON.
    Json,
}

/// A value with its line.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Entry {
    line: usize,
    value: Value,
}

#[derive(Debug, Clone, PartialEq)]
enum Value {
    Text(String),
    Integer(i64),
    Switch(bool),
    List(Vec<Entry>),
    Table(BTreeMap<String, Entry>),
    Other(&'static str),
}

/// The keys of a text or of a table in it.
#[derive(Debug, Clone)]
pub(crate) struct Fields {
    file: String,
    /// What stands before a key of a table: `signer.`, `answers[0].`.
    prefix: String,
    line: usize,
    entries: BTreeMap<String, Entry>,
    asked: Vec<&'static str>,
}

impl Fields {
    /// Reads a text; `file` is how errors name it.
    ///
    /// # Errors
    /// A [`Fault`] with the line when it is not of the format, or not a table.
    pub(crate) fn read(file: &str, text: &str, format: Format) -> Result<Self, Fault> {
        let table = match format {
            Format::Toml => read_toml(text),
            Format::Json => read_json(text),
        };
        let entries = table.map_err(|(line, why)| {
            Fault::new(LocalReason::HeaderUnreadable, why).in_file(file).at_line(line)
        })?;
        Ok(Self { file: file.to_owned(), prefix: String::new(), line: 1, entries, asked: vec![] })
    }

    fn fault(&self, reason: LocalReason, key: &str, line: usize, value: impl ToString) -> Fault {
        let key = format!("{}{key}", self.prefix);
        Fault::new(reason, value).in_file(&self.file).at_line(line).at_key(key)
    }

    /// Says that the value of a key may not be what it is.
    pub(crate) fn invalid(&self, at: &At, value: impl ToString) -> Fault {
        self.fault(LocalReason::HeaderValueInvalid, &at.key, at.line, value)
    }

    /// Says what is wrong with a key that is not there.
    pub(crate) fn lacking(&self, reason: LocalReason, key: &str) -> Fault {
        self.fault(reason, key, self.line, "")
    }

    /// The keys that were asked for.
    #[cfg(test)]
    pub(crate) fn asked(&self) -> &[&'static str] {
        &self.asked
    }

    fn take(&mut self, key: &'static str) -> Option<Entry> {
        self.asked.push(key);
        self.entries.remove(key)
    }

    fn shape(&self, key: &str, entry: &Entry, wanted: &str) -> Fault {
        let value = format!("{}; write {wanted}", entry.value.shape());
        self.fault(LocalReason::HeaderValueInvalid, key, entry.line, value)
    }

    /// Takes a text that must be there and not be empty.
    pub(crate) fn mandatory(&mut self, key: &'static str) -> Result<(String, At), Fault> {
        match self.text(key)? {
            Some((text, at)) if !text.trim().is_empty() => Ok((text, at)),
            found => {
                let line = found.map_or(self.line, |(_, at)| at.line);
                Err(self.fault(LocalReason::HeaderValueMissing, key, line, ""))
            }
        }
    }

    /// Takes a text; a TOML date or a number is taken as it is written.
    pub(crate) fn text(&mut self, key: &'static str) -> Result<Option<(String, At)>, Fault> {
        let Some(entry) = self.take(key) else { return Ok(None) };
        let at = At { key: key.to_owned(), line: entry.line };
        match entry.value {
            Value::Text(text) => Ok(Some((text, at))),
            Value::Integer(number) => Ok(Some((number.to_string(), at))),
            _ => Err(self.shape(key, &entry, "a text in quotes")),
        }
    }

    /// Takes a text and reads it.
    pub(crate) fn parsed<T, E: ToString>(
        &mut self,
        key: &'static str,
        read: impl FnOnce(&str) -> Result<T, E>,
    ) -> Result<Option<T>, Fault> {
        let Some((text, at)) = self.text(key)? else { return Ok(None) };
        let why = |error: E| self.invalid(&at, format!("`{text}`: {}", error.to_string()));
        read(&text).map(Some).map_err(why)
    }

    /// Takes a text, empty when it is not there.
    pub(crate) fn plain(&mut self, key: &'static str) -> Result<String, Fault> {
        Ok(self.text(key)?.map(|(text, _)| text).unwrap_or_default())
    }

    /// Takes a whole number from 0.
    pub(crate) fn number(&mut self, key: &'static str) -> Result<Option<u32>, Fault> {
        self.parsed(key, |text| text.parse::<u32>().map_err(|_| "write a whole number"))
    }

    /// Takes `true` or `false`.
    pub(crate) fn switch(&mut self, key: &'static str) -> Result<Option<bool>, Fault> {
        let Some(entry) = self.take(key) else { return Ok(None) };
        match entry.value {
            Value::Switch(on) => Ok(Some(on)),
            _ => Err(self.shape(key, &entry, "true or false")),
        }
    }

    /// Takes a list of texts; one text alone is a list of one.
    pub(crate) fn texts(&mut self, key: &'static str) -> Result<Option<Vec<(String, At)>>, Fault> {
        let Some(entry) = self.take(key) else { return Ok(None) };
        let wanted = "a list of texts, such as [\"H34\", \"H35\"]";
        let list = match &entry.value {
            Value::Text(text) => {
                let at = At { key: key.to_owned(), line: entry.line };
                return Ok(Some(vec![(text.clone(), at)]));
            }
            Value::List(list) => list,
            _ => return Err(self.shape(key, &entry, wanted)),
        };
        let text = |(index, item): (usize, &Entry)| match &item.value {
            Value::Text(text) => {
                Ok((text.clone(), At { key: format!("{key}[{index}]"), line: item.line }))
            }
            _ => Err(self.shape(&format!("{key}[{index}]"), item, "a text in quotes")),
        };
        list.iter().enumerate().map(text).collect::<Result<Vec<_>, _>>().map(Some)
    }

    /// Takes a list of texts and reads each.
    pub(crate) fn all<T, E: ToString>(
        &mut self,
        key: &'static str,
        read: impl Fn(&str) -> Result<T, E>,
    ) -> Result<Vec<T>, Fault> {
        let texts = self.texts(key)?.unwrap_or_default();
        let one = |(text, at): &(String, At)| {
            read(text).map_err(|why| self.invalid(at, format!("`{text}`: {}", why.to_string())))
        };
        texts.iter().map(one).collect()
    }

    /// Takes a table.
    pub(crate) fn table(&mut self, key: &'static str) -> Result<Option<Fields>, Fault> {
        let Some(entry) = self.take(key) else { return Ok(None) };
        self.inner(key, entry).map(Some)
    }

    /// Takes a list of tables; one table alone is a list of one.
    pub(crate) fn tables(&mut self, key: &'static str) -> Result<Vec<Fields>, Fault> {
        let Some(entry) = self.take(key) else { return Ok(Vec::new()) };
        match entry.value {
            Value::List(list) => {
                let table = |(index, item)| self.inner(&format!("{key}[{index}]"), item);
                list.into_iter().enumerate().map(table).collect()
            }
            _ => Ok(vec![self.inner(key, entry)?]),
        }
    }

    fn inner(&self, key: &str, entry: Entry) -> Result<Fields, Fault> {
        let Value::Table(entries) = entry.value else {
            return Err(self.shape(key, &entry, "a table"));
        };
        Ok(Fields {
            file: self.file.clone(),
            prefix: format!("{}{key}.", self.prefix),
            line: entry.line,
            entries,
            asked: Vec::new(),
        })
    }

    /// Ends the reading: whatever nobody asked for is unknown.
    ///
    /// # Errors
    /// A [`Fault`] for the first key that is left, with the nearest that there is.
    pub(crate) fn finish(self) -> Result<(), Fault> {
        let Some((key, entry)) = self.entries.iter().min_by_key(|(_, entry)| entry.line) else {
            return Ok(());
        };
        let wanted = key.to_lowercase().replace('_', "-");
        let distance = |name: &&&str| strsim::damerau_levenshtein(name, &wanted);
        let nearest = self.asked.iter().min_by_key(distance).copied().unwrap_or_default();
        let value = format!("did you mean `{nearest}`? / có phải `{nearest}`?");
        Err(self.fault(LocalReason::HeaderKeyUnknown, key, entry.line, value))
    }
}

/// Where a value stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct At {
    key: String,
    line: usize,
}

impl Value {
    fn shape(&self) -> &'static str {
        match self {
            Self::Text(_) => "a text",
            Self::Integer(_) => "a number",
            Self::Switch(_) => "true or false",
            Self::List(_) => "a list",
            Self::Table(_) => "a table",
            Self::Other(shape) => shape,
        }
    }
}

type Read<T> = Result<T, (usize, String)>;

/// The line, from 1, that holds a byte.
fn line_of(text: &str, byte: usize) -> usize {
    text.bytes().take(byte).filter(|b| *b == b'\n').count() + 1
}

fn read_toml(text: &str) -> Read<BTreeMap<String, Entry>> {
    let parsed = DeTable::parse(text).map_err(|error| {
        let line = error.span().map_or(1, |span| line_of(text, span.start));
        (line, error.message().to_owned())
    })?;
    Ok(toml_table(text, parsed.get_ref()))
}

fn toml_table(text: &str, table: &DeTable<'_>) -> BTreeMap<String, Entry> {
    let entry = |(name, value): (&toml::Spanned<Cow<'_, str>>, &toml::Spanned<DeValue<'_>>)| {
        (name.get_ref().to_string(), toml_value(text, value, name.span().start))
    };
    table.iter().map(entry).collect()
}

fn toml_value(text: &str, value: &toml::Spanned<DeValue<'_>>, begins: usize) -> Entry {
    let line = line_of(text, begins);
    let value = match value.get_ref() {
        DeValue::String(text) => Value::Text(text.to_string()),
        DeValue::Integer(number) => match i64::from_str_radix(number.as_str(), number.radix()) {
            Ok(number) => Value::Integer(number),
            Err(_) => Value::Other("a number that is too large"),
        },
        DeValue::Boolean(on) => Value::Switch(*on),
        DeValue::Datetime(moment) => Value::Text(moment.to_string()),
        DeValue::Array(list) => {
            Value::List(list.iter().map(|item| toml_value(text, item, item.span().start)).collect())
        }
        DeValue::Table(table) => Value::Table(toml_table(text, table)),
        DeValue::Float(_) => Value::Other("a number with a fraction"),
    };
    Entry { line, value }
}

fn read_json(text: &str) -> Read<BTreeMap<String, Entry>> {
    let failed = |error: serde_json::Error| (error.line().max(1), error.to_string());
    let raw: &RawValue = serde_json::from_str(text).map_err(failed)?;
    let entry = json_value(text, raw, 0)?;
    match entry.value {
        Value::Table(table) => Ok(table),
        other => Err((entry.line, format!("{}, not an object", other.shape()))),
    }
}

/// A raw value is a part of the text it was read from: its address says where it stands.
fn json_value(text: &str, raw: &RawValue, depth: usize) -> Read<Entry> {
    let part = raw.get().trim_start();
    let line = line_of(text, (part.as_ptr() as usize).saturating_sub(text.as_ptr() as usize));
    let failed = |error: serde_json::Error| (line, error.to_string());
    if depth > DEPTH_MAX {
        return Err((line, format!("more than {DEPTH_MAX} levels")));
    }
    let value = match part.as_bytes().first() {
        Some(b'"') => Value::Text(serde_json::from_str(part).map_err(failed)?),
        Some(b't' | b'f') => Value::Switch(serde_json::from_str(part).map_err(failed)?),
        Some(b'n') => Value::Other("null"),
        Some(b'[') => {
            let list: Vec<&RawValue> = serde_json::from_str(part).map_err(failed)?;
            let items = list.into_iter().map(|item| json_value(text, item, depth + 1));
            Value::List(items.collect::<Read<_>>()?)
        }
        Some(b'{') => {
            let table: BTreeMap<String, &RawValue> = serde_json::from_str(part).map_err(failed)?;
            let entries = table
                .into_iter()
                .map(|(name, value)| Ok((name, json_value(text, value, depth + 1)?)));
            Value::Table(entries.collect::<Read<_>>()?)
        }
        _ => match part.parse() {
            Ok(number) => Value::Integer(number),
            Err(_) => Value::Other("a number with a fraction, or too large"),
        },
    };
    Ok(Entry { line, value })
}

#[cfg(test)]
mod tests;
