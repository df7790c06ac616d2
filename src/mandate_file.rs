//! The file of mandates: TOML, one `[[mandate]]` after the other.
//!
//! ```toml
//! [[mandate]]
//! agency = "H36"
//! person = "H36/deputy"
//! capacity = "deputy"
//! delegated-by = "H36/chair"
//! types = ["QĐ", "TB"]
//! from = 2020-11-01
//! basis = "Quyết định số 12/QĐ-UBND ngày 28/10/2020"
//! ```

use std::path::Path;

use lienthong_model::limits::{ACT_ENTRIES_MAX, LIST_ENTRIES_MAX, TEXT_CHARS_MAX};
use lienthong_model::{AgencyCode, Mandate};

use crate::config::file::text_of;
use crate::routes;
use crate::say::Usage;
use crate::toml_tables::{self, Field, Row};
use crate::values;

/// The keys of a mandate.
const KEYS: [&str; 8] =
    ["agency", "person", "capacity", "delegated-by", "types", "from", "until", "basis"];

/// Reads a file of mandates.
///
/// # Errors
/// [`Usage`] with file, line, key and remedy.
pub(crate) fn read(path: &Path) -> Result<Vec<Mandate>, Usage> {
    parse(&path.display().to_string(), &text_of(path)?)
}

fn parse(shown: &str, text: &str) -> Result<Vec<Mandate>, Usage> {
    let rows = toml_tables::read((shown, text), "mandate", ACT_ENTRIES_MAX)?;
    rows.iter().map(mandate).collect()
}

fn mandate(row: &Row<'_>) -> Result<Mandate, Usage> {
    let (mut agency, mut signatory, mut capacity, mut from) = (None, None, None, None);
    let (mut delegated_by, mut until) = (None, None);
    let (mut document_types, mut basis) = (Vec::new(), String::new());
    for field in &row.fields {
        match field.key.as_str() {
            "agency" => agency = Some(code(field)?),
            "person" => signatory = Some(read_by(field, values::person, values::PERSON_VI)?),
            "capacity" => capacity = Some(read_by(field, values::capacity, values::CAPACITY_VI)?),
            "delegated-by" => {
                delegated_by = Some(read_by(field, values::person, values::PERSON_VI)?);
            }
            "types" => document_types = types(field)?,
            "from" => from = Some(field.day()?),
            "until" => until = Some(field.day()?),
            "basis" => basis = text(field)?,
            _ => return Err(field.unknown("mandate", &KEYS)),
        }
    }
    let lacks = |key: &str| {
        let vi = format!("thẩm quyền ký không có `{key}`");
        row.wrong(&vi, &format!("the mandate has no `{key}`"))
    };
    Ok(Mandate {
        agency: agency.ok_or_else(|| {
            lacks("agency").remedy("ghi agency = \"H36\"", "write agency = \"H36\"")
        })?,
        signatory: signatory
            .ok_or_else(|| lacks("person").remedy(values::PERSON_VI, values::PERSON))?,
        capacity: capacity
            .ok_or_else(|| lacks("capacity").remedy(values::CAPACITY_VI, values::CAPACITY))?,
        delegated_by,
        document_types,
        from: from.ok_or_else(|| lacks("from").remedy(values::DAY_VI, values::DAY))?,
        until,
        basis,
    })
}

/// Reads one text; the reader says in English what may be written.
fn read_by<T>(
    field: &Field<'_>,
    read: impl Fn(&str) -> Result<T, String>,
    remedy_vi: &str,
) -> Result<T, Usage> {
    read(field.text()?).map_err(|remedy| field.wrong().remedy(remedy_vi, remedy))
}

fn code(field: &Field<'_>) -> Result<AgencyCode, Usage> {
    let read = |text: &str| AgencyCode::parse(text).map_err(|error| error.to_string());
    read_by(field, read, "ghi mã định danh của cơ quan, như H36 hoặc H36.05")
}

fn types(field: &Field<'_>) -> Result<Vec<lienthong_model::DocumentType>, Usage> {
    if field.list().len() > LIST_ENTRIES_MAX {
        return Err(field.wrong().remedy(
            "bỏ khóa này nếu được ký mọi loại văn bản",
            "leave it out where every type may be signed",
        ));
    }
    let read = field.list().iter().map(|text| values::document_type(text));
    read.collect::<Result<_, _>>().map_err(|remedy| field.wrong().remedy(routes::TYPES_VI, remedy))
}

fn text(field: &Field<'_>) -> Result<String, Usage> {
    let text = field.text()?;
    if text.chars().count() > TEXT_CHARS_MAX {
        return Err(field.wrong().remedy(
            format!("ghi tối đa {TEXT_CHARS_MAX} ký tự"),
            format!("write at most {TEXT_CHARS_MAX} characters"),
        ));
    }
    Ok(text.to_owned())
}

#[cfg(test)]
mod tests {
    use lienthong_model::{Capacity, DocumentType};

    use super::*;

    #[test]
    fn a_mandate_is_read_with_everything_that_it_says() {
        let text = "[[mandate]]\nagency = \"H36\"\nperson = \"H36/deputy\"\n\
                    capacity = \"KT.\"\ndelegated-by = \"H36/chair\"\ntypes = [\"QĐ\", \"CV\"]\n\
                    from = 2020-11-01\nuntil = \"2021-11-01\"\nbasis = \"Quyết định 12\"\n\
                    [[mandate]]\nagency = \"H36\"\nperson = \"H36/chair\"\ncapacity = \"head\"\n\
                    from = 2020-11-01\n";
        let mandates = parse("m.toml", text).unwrap();
        let [deputy, head] = mandates.as_slice() else { panic!("{mandates:?}") };
        assert_eq!(deputy.capacity, Capacity::Deputy);
        assert_eq!(deputy.delegated_by.as_ref().unwrap().person, "chair");
        let types = [DocumentType::DECISION, DocumentType::OFFICIAL_LETTER];
        assert_eq!(deputy.document_types, types);
        assert_eq!(deputy.until.unwrap().to_string(), "2021-11-01");
        assert_eq!((head.capacity, head.until), (Capacity::Head, None));
        assert!(head.document_types.is_empty());
    }

    #[test]
    fn an_error_names_line_key_and_remedy() {
        let good = "[[mandate]]\nagency = \"H36\"\nperson = \"H36/chair\"\n";
        for (more, parts) in [
            ("capasity = \"head\"", ["line 4", "`capasity`", "`capacity`"]),
            ("capacity = \"boss\"", ["line 4", "`boss`", "deputy"]),
            ("capacity = [\"head\"]", ["line 4", "array", "quotes"]),
            ("types = [\"QĐ\", 7]", ["line 4", "`types`", "quotes"]),
            ("types = [\"XX\"]", ["line 4", "`XX`", "Decree 30/2020/NĐ-CP"]),
            ("from = \"soon\"", ["line 4", "`soon`", "2020-11-16"]),
            ("delegated-by = \"chair\"", ["line 4", "`chair`", "AGENCY/ID"]),
            ("capacity = \"head\"", ["line 1", "`from`", "2020-11-16"]),
            ("from = 2020-11-01", ["line 1", "`capacity`", "by-order"]),
        ] {
            let error = parse("m.toml", &format!("{good}{more}")).unwrap_err().to_string();
            for part in parts {
                assert!(error.contains(part), "{part} in {error}");
            }
        }
    }
}
