//! Files of tables of one kind in TOML (`[[rule]]`, `[[mandate]]`): each value with its line, each
//! error with file, line, key and remedy. What the keys mean is the reader's.

use lienthong_model::{Day, Timestamp};
use toml::de::{DeTable, DeValue};

use crate::config::file::line_of;
use crate::say::Usage;
use crate::values;

/// One table of a file.
pub(crate) struct Row<'f> {
    file: File<'f>,
    /// Where it begins, in bytes.
    at: usize,
    /// Its values in the order of their keys' names.
    pub fields: Vec<Field<'f>>,
}

/// A key of a table with its value.
pub(crate) struct Field<'f> {
    file: File<'f>,
    at: usize,
    /// The key.
    pub key: String,
    /// Its texts: one, unless it is a list.
    texts: Vec<String>,
    is_list: bool,
}

/// A file and its name, for errors.
#[derive(Clone, Copy)]
struct File<'f> {
    shown: &'f str,
    text: &'f str,
}

/// Reads the tables of a text that are called `name`, at most `max`; `shown` names the file in
/// errors.
///
/// # Errors
/// [`Usage`] when the text is no TOML, has anything else, or has too much.
pub(crate) fn read<'f>(
    (shown, text): (&'f str, &'f str),
    name: &str,
    max: usize,
) -> Result<Vec<Row<'f>>, Usage> {
    let file = File { shown, text };
    let table = DeTable::parse(text).map_err(|error| {
        let at = error.span().map_or(0, |span| span.start);
        file.wrong(at, "không phải TOML đúng cú pháp", error.message()).remedy(
            format!("ghi các bảng [[{name}]] bằng TOML"),
            format!("write [[{name}]] tables of TOML"),
        )
    })?;
    let mut rows = Vec::new();
    for (key, value) in table.get_ref() {
        let at = key.span().start;
        let key = key.get_ref();
        if key != name {
            let (vi, en) = (format!("không có khóa `{key}`"), format!("there is no key `{key}`"));
            return Err(file.wrong(at, &vi, &en).remedy(
                format!("chỉ ghi các bảng, mỗi bảng mở đầu bằng [[{name}]]"),
                format!("write {name}s only, each begun with [[{name}]]"),
            ));
        }
        let unlike = |at: usize, vi: &str, en: &str| {
            file.wrong(at, vi, en).remedy(
                format!("mở đầu mỗi bảng bằng [[{name}]]"),
                format!("begin each {name} with [[{name}]]"),
            )
        };
        let array = value.get_ref().as_array().ok_or_else(|| {
            let vi = format!("`{name}` không phải danh sách bảng");
            unlike(at, &vi, &format!("`{name}` is no list of tables"))
        })?;
        for row in array.iter() {
            let at = row.span().start;
            let table = row.get_ref().as_table().ok_or_else(|| {
                let vi = format!("một mục của `{name}` không phải bảng");
                unlike(at, &vi, &format!("a {name} is no table"))
            })?;
            rows.push(Row { file, at, fields: file.fields(table)? });
        }
    }
    if rows.len() > max {
        let vi = format!("có {} bảng [[{name}]], tối đa {max}", rows.len());
        let en = format!("{} {name}s, at most {max}", rows.len());
        return Err(file.wrong(0, &vi, &en).remedy(
            "bỏ những gì trùng lặp, hoặc ghi thành nhiều tệp",
            "leave out what repeats, or write several files",
        ));
    }
    Ok(rows)
}

impl<'f> File<'f> {
    /// Returns what is wrong at a byte, in Vietnamese and in English.
    fn wrong(self, byte: usize, vi: &str, en: &str) -> Usage {
        let (shown, line) = (self.shown, line_of(self.text, byte));
        Usage::new(format!("`{shown}`, dòng {line}: {vi}"), format!("`{shown}`, line {line}: {en}"))
    }

    /// Returns that a value is of another type.
    fn no_text(self, byte: usize, key: &str, found: &str) -> Usage {
        let vi = format!("`{key}` không nhận giá trị kiểu {found}");
        self.wrong(byte, &vi, &format!("`{key}` cannot be this {found}"))
            .remedy("ghi một chuỗi trong ngoặc kép", "write a text in quotes")
    }

    fn fields(self, table: &DeTable<'_>) -> Result<Vec<Field<'f>>, Usage> {
        let field = |(key, value): (&toml::Spanned<_>, &toml::Spanned<DeValue<'_>>)| {
            let (at, key): (usize, &std::borrow::Cow<'_, str>) = (key.span().start, key.get_ref());
            let texts = match value.get_ref() {
                DeValue::Array(all) => all.iter().map(|one| text_of(one.get_ref())).collect(),
                one => text_of(one).map(|text| vec![text]),
            };
            let texts = texts.ok_or_else(|| self.no_text(at, key, value.get_ref().type_str()))?;
            let is_list = value.get_ref().is_array();
            Ok(Field { file: self, at, key: key.to_string(), texts, is_list })
        };
        table.iter().map(field).collect()
    }
}

fn text_of(value: &DeValue<'_>) -> Option<String> {
    match value {
        DeValue::Datetime(day) => Some(day.to_string()),
        value => value.as_str().map(ToOwned::to_owned),
    }
}

impl Row<'_> {
    /// Returns what is wrong with the table as a whole, in Vietnamese and in English.
    pub(crate) fn wrong(&self, vi: &str, en: &str) -> Usage {
        self.file.wrong(self.at, vi, en)
    }
}

impl Field<'_> {
    /// Returns the one text.
    ///
    /// # Errors
    /// [`Usage`] when it is a list.
    pub(crate) fn text(&self) -> Result<&str, Usage> {
        match (self.texts.as_slice(), self.is_list) {
            ([text], false) => Ok(text),
            _ => Err(self.file.no_text(self.at, &self.key, "array")),
        }
    }

    /// Returns the texts of a list; one text is a list too.
    pub(crate) fn list(&self) -> &[String] {
        &self.texts
    }

    /// Returns that the value does not do; what does, is its remedy.
    pub(crate) fn wrong(&self) -> Usage {
        let (key, found) = (&self.key, self.texts.join(", "));
        let vi = format!("`{key}` không nhận `{found}`");
        self.file.wrong(self.at, &vi, &format!("`{key}` cannot be `{found}`"))
    }

    /// Returns that there is no such key, with the nearest of those that there are.
    pub(crate) fn unknown(&self, name: &str, keys: &[&str]) -> Usage {
        let nearest = keys.iter().min_by_key(|key| strsim::damerau_levenshtein(key, &self.key));
        let nearest = nearest.copied().unwrap_or_default();
        let (key, keys) = (&self.key, keys.join(", "));
        let vi = format!("[[{name}]] không có khóa `{key}`");
        self.file.wrong(self.at, &vi, &format!("a {name} has no key `{key}`")).remedy(
            format!("có phải `{nearest}`? [[{name}]] có các khóa {keys}"),
            format!("did you mean `{nearest}`? a {name} has {keys}"),
        )
    }

    /// Returns the day.
    ///
    /// # Errors
    /// [`Usage`] when it is none.
    pub(crate) fn day(&self) -> Result<Day, Usage> {
        day(self.text()?).ok_or_else(|| self.wrong().remedy(values::DAY_VI, values::DAY))
    }
}

/// Returns the day that a text names, as `yyyy-MM-dd`.
pub(crate) fn day(text: &str) -> Option<Day> {
    (text.len() == 10).then(|| Timestamp::parse(text)).flatten().map(Timestamp::day)
}
