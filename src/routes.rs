//! The file of routing rules: TOML, one `[[rule]]` after the other, the first that matches decides.
//!
//! ```toml
//! [[rule]]
//! name = "communes write through their district"
//! from-level = "commune"
//! to-level = "province"
//! effect = "through-superior"
//! ```

use std::path::Path;

use lienthong_core::{Effect, RoutingRules, Rule, Span};
use lienthong_model::limits::LIST_ENTRIES_MAX;
use lienthong_model::{DocumentType, Level};

use crate::config::file::text_of;
use crate::say::Usage;
use crate::toml_tables::{self, Field, Row};

/// The keys of a rule.
const KEYS: [&str; 8] =
    ["name", "from", "until", "from-level", "to-level", "span", "type", "effect"];

/// Reads a file of rules.
///
/// # Errors
/// [`Usage`] with file, line, key and remedy.
pub(crate) fn read(path: &Path) -> Result<RoutingRules, Usage> {
    parse(&path.display().to_string(), &text_of(path)?)
}

/// Reads the text of a file of rules; `shown` names it in errors.
pub(crate) fn parse(shown: &str, text: &str) -> Result<RoutingRules, Usage> {
    let rows = toml_tables::read((shown, text), "rule", LIST_ENTRIES_MAX)?;
    let rules = rows.iter().map(rule).collect::<Result<_, _>>()?;
    Ok(RoutingRules { rules })
}

fn rule(row: &Row<'_>) -> Result<Rule, Usage> {
    let mut rule = Rule {
        name: String::new(),
        from: None,
        until: None,
        from_level: None,
        to_level: None,
        span: Span::Any,
        document_type: None,
        effect: Effect::Allow,
    };
    let mut effect = None;
    for field in &row.fields {
        match field.key.as_str() {
            "name" => rule.name = name(field)?,
            "from" => rule.from = Some(field.day()?),
            "until" => rule.until = Some(field.day()?),
            "from-level" => rule.from_level = level(field)?,
            "to-level" => rule.to_level = level(field)?,
            "span" => rule.span = span(field)?,
            "type" => rule.document_type = Some(type_of(field)?),
            "effect" => effect = Some(effect_of(field)?),
            _ => return Err(field.unknown("rule", &KEYS)),
        }
    }
    rule.effect = effect.ok_or_else(|| {
        row.wrong("quy tắc không có `effect`", "the rule has no `effect`").remedy(
            "ghi effect = \"allow\", \"refuse\" hoặc \"through-superior\"",
            "write effect = \"allow\", \"refuse\" or \"through-superior\"",
        )
    })?;
    if rule.name.is_empty() {
        return Err(row.wrong("quy tắc không có `name`", "the rule has no `name`").remedy(
            "ghi name = \"…\": tên này hiện ở mọi nơi quy tắc được áp dụng",
            "write name = \"…\": it is shown wherever the rule decides",
        ));
    }
    Ok(rule)
}

fn name(field: &Field<'_>) -> Result<String, Usage> {
    let text = field.text()?;
    if text.chars().count() > RoutingRules::NAME_CHARS_MAX {
        return Err(field.wrong().remedy("ghi tối đa 100 ký tự", "write at most 100 characters"));
    }
    Ok(text.to_owned())
}

fn level(field: &Field<'_>) -> Result<Option<Level>, Usage> {
    match field.text()? {
        "any" => Ok(None),
        text => {
            let level = text.parse().map(Some);
            level.map_err(|_| {
                field.wrong().remedy(
                    "ghi ministry, province, district, commune hoặc any",
                    "write ministry, province, district, commune or any",
                )
            })
        }
    }
}

fn span(field: &Field<'_>) -> Result<Span, Usage> {
    Ok(match field.text()? {
        "any" => Span::Any,
        "inside" => Span::Inside,
        "between" => Span::Between,
        "centre" => Span::Centre,
        _ => {
            return Err(field.wrong().remedy(
                "ghi any, inside (trong tỉnh), between (giữa các tỉnh) hoặc centre (trung ương)",
                "write any, inside, between (provinces) or centre",
            ));
        }
    })
}

fn type_of(field: &Field<'_>) -> Result<DocumentType, Usage> {
    document_type(field.text()?).ok_or_else(|| field.wrong().remedy(TYPES_VI, TYPES))
}

fn effect_of(field: &Field<'_>) -> Result<Effect, Usage> {
    Ok(match field.text()? {
        "allow" => Effect::Allow,
        "refuse" => Effect::Refuse,
        "through-superior" => Effect::ThroughSuperior,
        _ => {
            return Err(field.wrong().remedy(
                "ghi allow, refuse hoặc through-superior",
                "write allow, refuse or through-superior",
            ));
        }
    })
}

/// What a type of documents may be written as.
pub(crate) const TYPES: &str =
    "write an abbreviation of Decree 30/2020/NĐ-CP (QĐ, TB, CV …) or a name";
/// The same in Vietnamese.
pub(crate) const TYPES_VI: &str =
    "ghi chữ viết tắt theo Nghị định 30/2020/NĐ-CP (QĐ, TB, CV …) hoặc tên loại";

pub(crate) use lienthong_connector::read_type as document_type;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rule_is_read_with_all_its_conditions() {
        let text = "[[rule]]\nname = \"r\"\nfrom = 2020-01-01\nuntil = \"2021-01-01\"\n\
                    from-level = \"commune\"\nto-level = \"any\"\nspan = \"between\"\n\
                    type = \"QĐ\"\neffect = \"refuse\"\n";
        let rules = parse("r.toml", text).unwrap().rules;
        let [rule] = rules.as_slice() else { panic!("{rules:?}") };
        assert_eq!(rule.from.unwrap().to_string(), "2020-01-01");
        assert_eq!(rule.until.unwrap().to_string(), "2021-01-01");
        assert_eq!((rule.from_level, rule.to_level), (Some(Level::Commune), None));
        assert_eq!((rule.span, rule.effect), (Span::Between, Effect::Refuse));
        assert_eq!(rule.document_type, Some(DocumentType::DECISION));
    }

    #[test]
    fn an_error_names_line_key_and_remedy() {
        for (text, parts) in [
            ("[[rule]]\nname = \"r\"\neffekt = \"allow\"", ["line 3", "`effekt`", "`effect`"]),
            ("[[rule]]\nname = \"r\"\neffect = \"deny\"", ["line 3", "`deny`", "refuse"]),
            ("[[rule]]\nname = \"r\"\nfrom = 2020", ["line 3", "integer", "quotes"]),
            ("[[rule]]\nname = \"r\"\nfrom = \"soon\"", ["line 3", "`soon`", "2020-11-16"]),
            ("[[rule]]\nname = \"r\"", ["line 1", "`effect`", "through-superior"]),
            ("\n[[rules]]\n", ["line 2", "`rules`", "[[rule]]"]),
            ("[[rule]", ["line 1", "r.toml", "TOML"]),
        ] {
            let error = parse("r.toml", text).unwrap_err().to_string();
            for part in parts {
                assert!(error.contains(part), "{part} in {error}");
            }
        }
    }
}
