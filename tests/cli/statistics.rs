//! Statistics, refusals and reports of a folder, in every form that they can be written in.

use std::collections::BTreeSet;

use crate::process::{json, succeed, text};

/// What is asked of the demo's day.
const ASKED: [&[&str]; 13] = [
    &["stats"],
    &["stats", "--measure", "deliveries,bytes"],
    &["stats", "--measure", "documents,pages", "--by", "region,direction"],
    &[
        "stats",
        "--measure",
        "deliveries",
        "--by",
        "level",
        "--each",
        "hour",
        "--from",
        "2020-11-16",
    ],
    &["stats", "--measure", "documents", "--by", "signature,scope", "--compare", "before"],
    &["stats", "matrix"],
    &["stats", "progress"],
    &["stats", "times", "--by", "province"],
    &["stats", "top", "--where", "province=H36"],
    &["stats", "backlog"],
    &["refusals"],
    &["report", "--from", "2020-11-16", "--until", "2020-11-17"],
    &["report", "--province", "H36", "--from", "2020-11-16", "--until", "2020-11-17"],
];

/// Records of a CSV text: fields that hold a comma or a quote are quoted, as RFC 4180 says.
fn records(text: &str) -> Vec<Vec<String>> {
    let (mut records, mut record, mut field) = (Vec::new(), Vec::new(), String::new());
    let mut quoted = false;
    let mut letters = text.chars().peekable();
    while let Some(letter) = letters.next() {
        match letter {
            '"' if quoted && letters.peek() == Some(&'"') => field.extend(letters.next()),
            '"' => quoted = !quoted,
            ',' if !quoted => record.push(std::mem::take(&mut field)),
            '\r' if !quoted => {}
            '\n' if !quoted => {
                record.push(std::mem::take(&mut field));
                records.push(std::mem::take(&mut record));
            }
            other => field.push(other),
        }
    }
    assert!(field.is_empty() && record.is_empty(), "the last line ends");
    records
}

#[test]
fn what_is_asked_of_a_folder_is_the_same_in_every_form() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    json(&["demo", "--documents", "1000", "--data", text(&data)]);
    for asked in ASKED {
        let of =
            |form: &str| succeed(&[asked, &["--data", text(&data), "--output", form]].concat());
        let table = of("table");
        assert!(!table.trim().is_empty(), "{asked:?}");
        for line in table.lines() {
            assert!(line.chars().count() <= 100, "{asked:?}: {line}");
        }
        serde_json::from_str::<serde_json::Value>(&of("json")).unwrap();
        let jsonl = of("jsonl");
        let lines: Vec<serde_json::Map<String, serde_json::Value>> =
            jsonl.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        // Whoever has picked everything up leaves no backlog.
        assert!(!lines.is_empty() || asked.contains(&"backlog"), "{asked:?}");
        let records = records(&of("csv"));
        assert_eq!(records.len(), lines.len() + 1, "{asked:?}: a head, and a record a line");
        let widths: BTreeSet<usize> = records.iter().map(Vec::len).collect();
        assert_eq!(widths.len(), 1, "{asked:?}: {widths:?}");
        // Plain values stand under their names.
        for (record, line) in records[1..].iter().zip(&lines) {
            for (name, value) in line.iter().filter(|(_, value)| value.is_u64()) {
                let at = records[0].iter().position(|head| head == name).unwrap();
                assert_eq!(record[at], value.to_string(), "{asked:?}: {name}");
            }
        }
    }
}

#[test]
fn a_report_is_one_page_a_table_of_values_or_a_document_of_the_same_figures() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    json(&["demo", "--documents", "1000", "--data", text(&data)]);
    let day = ["--from", "2020-11-16", "--until", "2020-11-17", "--data", text(&data)];
    let of = |more: &[&str]| succeed(&[&["report"], more, &day].concat());
    let whole: serde_json::Value = serde_json::from_str(&of(&["--format", "json"])).unwrap();
    assert_eq!(whole["places"][0]["code"], "", "the country comes first");
    let figures = whole["places"][0]["figures"].as_array().unwrap();
    assert_eq!(figures.len(), 9);
    let csv = records(&of(&["--format", "csv"]));
    let signed = figures.iter().find(|one| one["indicator"] == "personal-signature").unwrap();
    let at = |name: &str| csv[0].iter().position(|head| head == name).unwrap();
    let line = csv[1..].iter().find(|one| one[at("indicator")] == "personal-signature").unwrap();
    assert_eq!(line[at("numerator")], signed["share"]["numerator"].to_string());
    assert_eq!(line[at("denominator")], signed["share"]["denominator"].to_string());
    for (more, title) in [(&[][..], "Cả nước"), (&["--province", "H36"], "Lâm Đồng")] {
        let page = of(&[more, &["--format", "html"]].concat());
        assert!(page.starts_with("<!doctype html>") && page.contains("@page"), "it prints");
        assert!(page.contains(title) && !page.contains("<script"), "{title}");
    }
}
