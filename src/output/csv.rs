//! Results as CSV (RFC 4180): a header, then one line a value. Fields of objects within a value have
//! their path as the column's name; lists within a value are joined by blanks, or written as JSON
//! when their entries are no plain values.

use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde::{Serialize, de};

/// Writes values as CSV. Columns are those of all values, in the order in which they occur.
///
/// # Errors
/// When a value cannot be written as JSON.
pub(crate) fn of<T: Serialize>(values: &[T]) -> anyhow::Result<String> {
    let mut columns: Vec<String> = Vec::new();
    let mut lines = Vec::with_capacity(values.len());
    for value in values {
        let ordered: Ordered = serde_json::from_str(&serde_json::to_string(value)?)?;
        let mut fields = Vec::new();
        ordered.flatten("", &mut fields);
        for (name, _) in &fields {
            if !columns.contains(name) {
                columns.push(name.clone());
            }
        }
        lines.push(fields);
    }
    let mut text = line(columns.iter().map(String::as_str));
    for fields in lines {
        let cells = columns.iter().map(|column| {
            let found = fields.iter().find(|(name, _)| name == column);
            found.map_or("", |(_, cell)| cell.as_str())
        });
        text += &line(cells);
    }
    Ok(text)
}

fn line<'c>(cells: impl Iterator<Item = &'c str>) -> String {
    let quoted = cells.map(|cell| match cell.contains([',', '"', '\n', '\r']) {
        true => format!("\"{}\"", cell.replace('"', "\"\"")),
        false => cell.to_owned(),
    });
    quoted.collect::<Vec<_>>().join(",") + "\r\n"
}

/// A JSON value that keeps the order of fields.
enum Ordered {
    Plain(serde_json::Value),
    List(Vec<Ordered>),
    Object(Vec<(String, Ordered)>),
}

impl Ordered {
    fn flatten(self, path: &str, into: &mut Vec<(String, String)>) {
        match self {
            Self::Object(fields) => {
                for (name, value) in fields {
                    let path = match path {
                        "" => name,
                        path => format!("{path}.{name}"),
                    };
                    value.flatten(&path, into);
                }
            }
            Self::List(entries) => {
                let cells: Vec<String> = entries.iter().map(Self::text).collect();
                into.push((named(path), cells.join(" ")));
            }
            Self::Plain(_) => into.push((named(path), self.text())),
        }
    }

    fn text(&self) -> String {
        match self {
            Self::Plain(serde_json::Value::Null) => String::new(),
            Self::Plain(serde_json::Value::String(text)) => text.clone(),
            Self::Plain(value) => value.to_string(),
            Self::List(entries) => {
                let entries: Vec<String> = entries.iter().map(Self::text).collect();
                format!("[{}]", entries.join(","))
            }
            Self::Object(fields) => {
                let text = |value: &Self| serde_json::Value::from(value.text()).to_string();
                let fields =
                    fields.iter().map(|(name, value)| format!("\"{name}\":{}", text(value)));
                format!("{{{}}}", fields.collect::<Vec<_>>().join(","))
            }
        }
    }
}

/// A plain value by itself has no field.
fn named(path: &str) -> String {
    if path.is_empty() { "value".to_owned() } else { path.to_owned() }
}

impl<'de> Deserialize<'de> for Ordered {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(OrderedVisitor)
    }
}

struct OrderedVisitor;

macro_rules! plain {
    ($($visit:ident: $type:ty),+) => {$(
        fn $visit<E: de::Error>(self, value: $type) -> Result<Ordered, E> {
            Ok(Ordered::Plain(value.into()))
        }
    )+};
}

impl<'de> Visitor<'de> for OrderedVisitor {
    type Value = Ordered;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    plain!(visit_bool: bool, visit_i64: i64, visit_u64: u64, visit_f64: f64, visit_str: &str);

    fn visit_unit<E: de::Error>(self) -> Result<Ordered, E> {
        Ok(Ordered::Plain(serde_json::Value::Null))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut entries: A) -> Result<Ordered, A::Error> {
        let mut list = Vec::new();
        while let Some(entry) = entries.next_element()? {
            list.push(entry);
        }
        Ok(Ordered::List(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut fields: A) -> Result<Ordered, A::Error> {
        let mut object = Vec::new();
        while let Some(field) = fields.next_entry()? {
            object.push(field);
        }
        Ok(Ordered::Object(object))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Serialize)]
    struct Place {
        code: &'static str,
        name: &'static str,
    }

    #[derive(Serialize)]
    struct Line {
        place: Option<Place>,
        count: Option<u64>,
        tags: Vec<&'static str>,
    }

    #[test]
    fn fields_keep_their_order_and_what_needs_quotes_has_them() {
        let lines = [
            Line { place: None, count: Some(7), tags: vec!["a", "b"] },
            Line {
                place: Some(Place { code: "H36", name: "Lâm Đồng, \"tỉnh\"" }),
                count: None,
                tags: vec![],
            },
        ];
        let text = of(&lines).unwrap();
        assert_eq!(
            text,
            "place,count,tags,place.code,place.name\r\n,7,a b,,\r\n,,,H36,\"Lâm Đồng, \"\"tỉnh\"\"\"\r\n"
        );
        assert_eq!(of::<Line>(&[]).unwrap(), "\r\n");
    }
}
