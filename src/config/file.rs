//! Reading the TOML file: only the keys that there are, each with its line.

use std::path::Path;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::keys::{self, Key, Shape};
use crate::say::Usage;

/// Largest file that is read, in bytes.
const FILE_BYTES_MAX: u64 = 1024 * 1024;

/// A key, its line from 1, and its values.
pub(super) type Line = (&'static Key, usize, Vec<String>);

/// Reads a file; relative paths in it become relative to its folder.
///
/// # Errors
/// [`Usage`] with file, line, key and remedy.
pub(super) fn read(path: &Path, keys: &'static [Key]) -> Result<Vec<Line>, Usage> {
    let text = text_of(path)?;
    let shown = path.display();
    let table = DeTable::parse(&text).map_err(|error| {
        let line = error.span().map_or(1, |span| line_of(&text, span.start));
        Usage::new(
            format!("`{shown}`, dòng {line}: không phải TOML đúng cú pháp"),
            format!("`{shown}`, line {line}: {}", error.message()),
        )
        .remedy(
            "ghi các dòng TOML dạng KHÓA = GIÁ_TRỊ; docs/CONFIGURATION.md liệt kê các khóa",
            "write KEY = VALUE lines of TOML; docs/CONFIGURATION.md lists the keys",
        )
    })?;
    let folder = path.parent().unwrap_or(Path::new(""));
    let mut lines = Vec::new();
    for (name, value) in table.get_ref() {
        let line = line_of(&text, name.span().start);
        let name = name.get_ref();
        let Some(key) = keys::key(keys, name) else {
            let nearest = keys::nearest(keys, name);
            return Err(Usage::new(
                format!("`{shown}`, dòng {line}: không có khóa `{name}`"),
                format!("`{shown}`, line {line}: there is no key `{name}`"),
            )
            .remedy(
                format!("có phải `{nearest}`? docs/CONFIGURATION.md liệt kê mọi khóa"),
                format!("did you mean `{nearest}`? docs/CONFIGURATION.md lists them all"),
            ));
        };
        let values = values(key, value).ok_or_else(|| {
            let found = value.get_ref().type_str();
            let (vi, en) = key.shape.example();
            Usage::new(
                format!("`{shown}`, dòng {line}: `{name}` không nhận giá trị kiểu {found}"),
                format!("`{shown}`, line {line}: `{name}` cannot be this {found}"),
            )
            .remedy(format!("ghi {vi}"), format!("write {en}"))
        })?;
        let values = values.into_iter().map(|value| placed(key.shape, folder, value)).collect();
        lines.push((key, line, values));
    }
    Ok(lines)
}

/// Reads a configuration's text.
///
/// # Errors
/// [`Usage`] when it cannot be read or is too large.
pub(crate) fn text_of(path: &Path) -> Result<String, Usage> {
    let shown = path.display();
    let cannot = |error: std::io::Error| {
        let vi = format!("không đọc được `{shown}`");
        Usage::new(vi, format!("cannot read `{shown}`: {error}")).remedy(
            "kiểm tra đường dẫn và quyền đọc tệp của người dùng này",
            "check the path and that this user may read the file",
        )
    };
    let size = std::fs::metadata(path).map_err(cannot)?.len();
    if size > FILE_BYTES_MAX {
        return Err(Usage::new(
            format!("`{shown}` có {size} byte, tối đa {FILE_BYTES_MAX}"),
            format!("`{shown}` has {size} bytes, at most {FILE_BYTES_MAX}"),
        )
        .remedy("chỉ một tệp cấu hình", "give a configuration file"));
    }
    std::fs::read_to_string(path).map_err(cannot)
}

/// Returns the line, from 1, that holds a byte.
pub(crate) fn line_of(text: &str, byte: usize) -> usize {
    text.bytes().take(byte).filter(|b| *b == b'\n').count() + 1
}

fn values(key: &Key, value: &Spanned<DeValue<'_>>) -> Option<Vec<String>> {
    let value = value.get_ref();
    match key.shape {
        Shape::Number => match value {
            DeValue::Integer(number) => Some(vec![number.to_string()]),
            _ => None,
        },
        Shape::Switch => value.as_bool().map(|on| vec![on.to_string()]),
        Shape::Text | Shape::Path | Shape::BuiltinOrPath => {
            value.as_str().map(|text| vec![text.to_owned()])
        }
        Shape::Paths | Shape::Texts => match value.as_array() {
            None => value.as_str().map(|text| vec![text.to_owned()]),
            Some(array) => array
                .iter()
                .map(|item| item.get_ref().as_str().map(ToOwned::to_owned))
                .collect::<Option<Vec<_>>>(),
        },
    }
}

fn placed(shape: Shape, folder: &Path, value: String) -> String {
    let is_path = match shape {
        Shape::Path | Shape::Paths => true,
        Shape::BuiltinOrPath => value != "builtin",
        Shape::Text | Shape::Texts | Shape::Switch | Shape::Number => false,
    };
    if is_path { folder.join(value).display().to_string() } else { value }
}
