//! A table of the file with its lines, and errors that name them.

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::VOCABULARY;
use crate::scenario::{ScenarioError, Words};

/// A file and its name, for errors.
#[derive(Clone, Copy)]
pub(super) struct File<'f> {
    pub shown: &'f str,
    pub text: &'f str,
}

/// One table of the file; its keys are all known.
pub(super) struct Section<'f> {
    pub file: File<'f>,
    /// The first byte of its header.
    at: usize,
    name: &'static str,
    table: &'f DeTable<'f>,
}

/// A key with its value.
#[derive(Clone, Copy)]
pub(super) struct Field<'f> {
    pub file: File<'f>,
    pub at: usize,
    pub key: &'f str,
    pub value: &'f DeValue<'f>,
}

/// Returns a remedy that names the nearest of some words, and all of them.
pub(super) fn did_you_mean(word: &str, words: &[&str]) -> Words {
    let nearest = words.iter().min_by_key(|known| strsim::damerau_levenshtein(known, word));
    let (nearest, all) = (nearest.copied().unwrap_or_default(), words.join(", "));
    let vi = format!("có phải `{nearest}`? có thể dùng {all}");
    Words::from((vi, format!("did you mean `{nearest}`? known are {all}")))
}

impl<'f> File<'f> {
    /// Says what is wrong at a byte.
    pub fn wrong(
        &self,
        byte: usize,
        key: &str,
        what: impl Into<Words>,
        remedy: impl Into<Words>,
    ) -> ScenarioError {
        self.wrong_on(self.line(byte), key, what, remedy)
    }

    /// Says what is wrong on a line.
    pub fn wrong_on(
        &self,
        line: usize,
        key: &str,
        what: impl Into<Words>,
        remedy: impl Into<Words>,
    ) -> ScenarioError {
        let (file, key) = (self.shown.to_owned(), key.to_owned());
        ScenarioError { file, line, key, what: what.into(), remedy: remedy.into() }
    }

    fn line(&self, byte: usize) -> usize {
        self.text.bytes().take(byte).filter(|b| *b == b'\n').count() + 1
    }

    /// Returns the tables with a name, in order; their keys are checked.
    pub fn sections(
        &self,
        table: &'f DeTable<'f>,
        name: &str,
    ) -> Result<Vec<Section<'f>>, ScenarioError> {
        let found = table.iter().find(|(key, _)| key.get_ref().as_ref() == name);
        let Some((key, value)) = found else { return Ok(Vec::new()) };
        let tables: Vec<(usize, &DeValue<'f>)> = match value.get_ref() {
            DeValue::Array(array) => {
                array.iter().map(|item| (item.span().start, item.get_ref())).collect()
            }
            one => vec![(key.span().start, one)],
        };
        tables.into_iter().map(|(at, value)| self.section(at, name, value)).collect()
    }

    fn section(
        &self,
        at: usize,
        name: &str,
        value: &'f DeValue<'f>,
    ) -> Result<Section<'f>, ScenarioError> {
        let known = VOCABULARY.iter().find(|(known, _)| *known == name);
        let (Some((name, keys)), Some(table)) = (known, value.as_table()) else {
            let what = (format!("có `{name}` không phải bảng"), format!("a `{name}` is no table"));
            let remedy = (
                format!("bắt đầu mỗi bảng bằng [[{name}]]"),
                format!("begin each with [[{name}]]"),
            );
            return Err(self.wrong(at, name, what, remedy));
        };
        for key in table.keys() {
            let (at, key) = (key.span().start, key.get_ref().as_ref());
            if !keys.contains(&key) {
                let what = (
                    format!("`{name}` không có khóa `{key}`"),
                    format!("`{name}` has no key `{key}`"),
                );
                return Err(self.wrong(at, key, what, did_you_mean(key, keys)));
            }
        }
        Ok(Section { file: *self, at, name, table })
    }
}

impl<'f> Section<'f> {
    /// Returns the line of its header.
    pub fn line(&self) -> usize {
        self.file.line(self.at)
    }

    /// Says what is wrong with the whole of it.
    pub fn wrong(
        &self,
        key: &str,
        what: impl Into<Words>,
        remedy: impl Into<Words>,
    ) -> ScenarioError {
        self.file.wrong(self.at, key, what, remedy)
    }

    /// Returns the field with a key; none when it is not written.
    pub fn get(&self, key: &'static str) -> Option<Field<'f>> {
        let found = self.table.iter().find(|(known, _)| known.get_ref().as_ref() == key);
        found.map(|(name, value)| self.field(name.span().start, key, value))
    }

    fn field(&self, at: usize, key: &'static str, value: &'f Spanned<DeValue<'f>>) -> Field<'f> {
        Field { file: self.file, at, key, value: value.get_ref() }
    }

    /// Returns the field with a key that must be there.
    pub fn need(&self, key: &'static str, example: &str) -> Result<Field<'f>, ScenarioError> {
        self.get(key).ok_or_else(|| {
            let name = self.name;
            let what = (format!("`{name}` thiếu `{key}`"), format!("`{name}` has no `{key}`"));
            let remedy = (format!("ghi {key} = {example}"), format!("write {key} = {example}"));
            self.wrong(key, what, remedy)
        })
    }

    /// Reads the field with a key; `otherwise` when it is not written.
    pub fn or<T>(
        &self,
        key: &'static str,
        otherwise: T,
        read: impl Fn(Field<'f>) -> Result<T, ScenarioError>,
    ) -> Result<T, ScenarioError> {
        self.get(key).map_or(Ok(otherwise), read)
    }

    /// Reads the field with a key; none when it is not written.
    pub fn maybe<T>(
        &self,
        key: &'static str,
        read: impl Fn(Field<'f>) -> Result<T, ScenarioError>,
    ) -> Result<Option<T>, ScenarioError> {
        self.get(key).map(read).transpose()
    }
}
