//! Every text of the pages is in one file, in Vietnamese and in English, and every one is used.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

fn source() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("pages/src")
}

fn read(folder: &Path, found: &mut Vec<(String, String)>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            read(&path, found);
        } else {
            let text = std::fs::read_to_string(&path).unwrap();
            found.push((path.display().to_string(), text));
        }
    }
}

/// The text after `language: "` in an entry.
fn of_language<'e>(entry: &'e str, language: &str) -> Option<&'e str> {
    let (_, rest) = entry.split_once(&format!("{language}: \""))?;
    rest.split_once('"').map(|(text, _)| text)
}

/// The texts by key: Vietnamese and English.
fn texts() -> BTreeMap<String, (String, String)> {
    let file = std::fs::read_to_string(source().join("texts.ts")).unwrap();
    let (_, table) = file.split_once("export const texts = {").unwrap();
    let (table, _) = table.split_once("} as const").unwrap();
    // An entry may take several lines.
    let entries = table.split("},").filter_map(|entry| {
        let (before, words) = entry.split_once('{')?;
        let key = before.lines().last()?.trim().strip_suffix(':')?;
        let text = |language| of_language(words, language).unwrap_or_default().to_owned();
        Some((key.to_owned(), (text("vi"), text("en"))))
    });
    entries.collect()
}

#[test]
fn every_text_is_there_in_both_languages() {
    let texts = texts();
    assert!(texts.len() > 150, "{} texts were read", texts.len());
    let is_vietnamese = |text: &str| text.chars().any(|c| !c.is_ascii() && c.is_alphabetic());
    for (key, (vi, en)) in &texts {
        assert!(!vi.trim().is_empty(), "`{key}` has no Vietnamese");
        assert!(!en.trim().is_empty(), "`{key}` has no English");
        let names = ["hoangSa", "truongSa", "otherLanguage"];
        let is_name = names.contains(&key.as_str());
        assert!(is_name || !is_vietnamese(en), "`{key}` is not English: {en}");
    }
    let of_vietnamese = texts.values().filter(|(vi, _)| is_vietnamese(vi)).count();
    assert!(of_vietnamese * 100 > texts.len() * 95, "{of_vietnamese} of {}", texts.len());
}

#[test]
fn every_text_is_used_and_every_used_one_is_there() {
    let texts = texts();
    let mut files = Vec::new();
    read(&source(), &mut files);
    let others = files.iter().filter(|(name, _)| !name.ends_with("texts.ts"));
    let code: String = others.map(|(_, text)| text.as_str()).collect();
    // Levels are named as the API names them.
    let by_name = ["ministry", "province", "district", "commune"];
    for key in texts.keys() {
        let used = code.contains(&format!("\"{key}\"")) || by_name.contains(&key.as_str());
        assert!(used, "`{key}` is used nowhere");
    }
    let called: BTreeSet<&str> = code
        .match_indices("t(\"")
        .filter(|(at, _)| !code[..*at].ends_with(|c: char| c.is_alphanumeric()))
        .filter_map(|(at, _)| code[at + 3..].split_once('"').map(|(key, _)| key))
        .collect();
    for key in called {
        assert!(texts.contains_key(key), "`{key}` is no text");
    }
}

#[test]
fn no_page_has_a_text_of_its_own() {
    let mut files = Vec::new();
    read(&source(), &mut files);
    for (name, text) in files.iter().filter(|(name, _)| !name.ends_with("texts.ts")) {
        for line in text.lines().map(str::trim).filter(|line| !is_comment(line)) {
            // Names of places that the directory has, cut to be short.
            let line = line.replace("Ủy ban nhân dân (tỉnh|thành phố)", "");
            let own = line.chars().find(|c| c.is_alphabetic() && !c.is_ascii());
            assert_eq!(own, None, "{name}: {line}");
        }
    }
}

fn is_comment(line: &str) -> bool {
    ["//", "/*", "*"].iter().any(|begin| line.starts_with(begin))
}
