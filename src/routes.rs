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
use lienthong_model::{Day, DocumentType, Level, Timestamp};
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::config::file::{line_of, text_of};
use crate::say::Usage;

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
    let file = File { shown, text };
    let table = DeTable::parse(text).map_err(|error| {
        let at = error.span().map_or(0, |span| span.start);
        file.wrong(at, error.message(), "write [[rule]] tables of TOML")
    })?;
    let mut rules = Vec::new();
    for (name, value) in table.get_ref() {
        let at = name.span().start;
        if name.get_ref() != "rule" {
            let what = format!("there is no key `{}`", name.get_ref());
            return Err(file.wrong(at, &what, "write rules only, each begun with [[rule]]"));
        }
        let array = value.get_ref().as_array().ok_or_else(|| {
            file.wrong(at, "`rule` is no list of tables", "begin each rule with [[rule]]")
        })?;
        for rule in array.iter() {
            rules.push(file.rule(rule)?);
        }
    }
    if rules.len() > LIST_ENTRIES_MAX {
        let what = format!("{} rules, at most {LIST_ENTRIES_MAX}", rules.len());
        return Err(file.wrong(0, &what, "merge rules, or leave out what a later one repeats"));
    }
    Ok(RoutingRules { rules })
}

/// A file and its name, for errors.
struct File<'f> {
    shown: &'f str,
    text: &'f str,
}

impl File<'_> {
    fn wrong(&self, byte: usize, what: &str, remedy: &str) -> Usage {
        let line = line_of(self.text, byte);
        Usage::new(format!("`{}`, line {line}: {what}", self.shown)).remedy(remedy)
    }

    fn rule(&self, value: &Spanned<DeValue<'_>>) -> Result<Rule, Usage> {
        let begin = value.span().start;
        let Some(table) = value.get_ref().as_table() else {
            return Err(self.wrong(begin, "a rule is no table", "begin each rule with [[rule]]"));
        };
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
        for (key, value) in table {
            let at = key.span().start;
            let key = key.get_ref().as_ref();
            let text = match value.get_ref() {
                DeValue::Datetime(day) => day.to_string(),
                value => value.as_str().map(ToOwned::to_owned).ok_or_else(|| {
                    let what = format!("`{key}` cannot be this {}", value.type_str());
                    self.wrong(at, &what, "write a text in quotes")
                })?,
            };
            let field = Field { file: self, at, key, text: &text };
            match key {
                "name" => rule.name = field.name()?,
                "from" => rule.from = Some(field.day()?),
                "until" => rule.until = Some(field.day()?),
                "from-level" => rule.from_level = field.level()?,
                "to-level" => rule.to_level = field.level()?,
                "span" => rule.span = field.span()?,
                "type" => rule.document_type = Some(field.document_type()?),
                "effect" => effect = Some(field.effect()?),
                _ => return Err(field.unknown()),
            }
        }
        rule.effect = effect.ok_or_else(|| {
            let remedy = "write effect = \"allow\", \"refuse\" or \"through-superior\"";
            self.wrong(begin, "the rule has no `effect`", remedy)
        })?;
        if rule.name.is_empty() {
            let remedy = "write name = \"…\": it is shown wherever the rule decides";
            return Err(self.wrong(begin, "the rule has no `name`", remedy));
        }
        Ok(rule)
    }
}

/// A key of a rule with its value.
struct Field<'f> {
    file: &'f File<'f>,
    at: usize,
    key: &'f str,
    text: &'f str,
}

impl Field<'_> {
    fn wrong(&self, remedy: &str) -> Usage {
        let what = format!("`{}` cannot be `{}`", self.key, self.text);
        self.file.wrong(self.at, &what, remedy)
    }

    fn unknown(&self) -> Usage {
        let nearest = KEYS.iter().min_by_key(|key| strsim::damerau_levenshtein(key, self.key));
        let remedy = format!(
            "did you mean `{}`? a rule has {}",
            nearest.copied().unwrap_or("name"),
            KEYS.join(", ")
        );
        self.file.wrong(self.at, &format!("a rule has no key `{}`", self.key), &remedy)
    }

    fn name(&self) -> Result<String, Usage> {
        if self.text.chars().count() > RoutingRules::NAME_CHARS_MAX {
            return Err(self.wrong("write at most 100 characters"));
        }
        Ok(self.text.to_owned())
    }

    fn day(&self) -> Result<Day, Usage> {
        let day = (self.text.len() == 10).then(|| Timestamp::parse(self.text)).flatten();
        day.map(Timestamp::day).ok_or_else(|| self.wrong("write a day, such as 2020-11-16"))
    }

    fn level(&self) -> Result<Option<Level>, Usage> {
        if self.text == "any" {
            return Ok(None);
        }
        let level = self.text.parse().map(Some);
        level.map_err(|_| self.wrong("write ministry, province, district, commune or any"))
    }

    fn span(&self) -> Result<Span, Usage> {
        Ok(match self.text {
            "any" => Span::Any,
            "inside" => Span::Inside,
            "between" => Span::Between,
            "centre" => Span::Centre,
            _ => return Err(self.wrong("write any, inside, between (provinces) or centre")),
        })
    }

    fn document_type(&self) -> Result<DocumentType, Usage> {
        document_type(self.text).ok_or_else(|| {
            self.wrong("write an abbreviation of Decree 30/2020/NĐ-CP (QĐ, TB, CV …) or a name")
        })
    }

    fn effect(&self) -> Result<Effect, Usage> {
        Ok(match self.text {
            "allow" => Effect::Allow,
            "refuse" => Effect::Refuse,
            "through-superior" => Effect::ThroughSuperior,
            _ => return Err(self.wrong("write allow, refuse or through-superior")),
        })
    }
}

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
