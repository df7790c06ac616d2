//! The built files are those of the source, and hold nothing that a browser may not run.

use std::path::{Path, PathBuf};

use sha2::{Digest as _, Sha256};

fn pages() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("pages")
}

fn below(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() { below(&path, found) } else { found.push(path) }
    }
}

/// SHA-256 over the names and bytes of all source files, as `pages/tools/build.mjs` makes it.
fn source() -> String {
    let root = pages();
    let own = ["console.css", "index.html", "mark.svg", "package.json", "package-lock.json"];
    let mut files: Vec<PathBuf> = own.iter().map(|name| root.join(name)).collect();
    files.push(root.join("tsconfig.json"));
    below(&root.join("src"), &mut files);
    below(&root.join("tools"), &mut files);
    let name = |path: &PathBuf| path.strip_prefix(&root).unwrap().to_str().unwrap().to_owned();
    let mut named: Vec<(String, PathBuf)> = files.iter().map(|p| (name(p), p.clone())).collect();
    named.sort();
    let mut hash = Sha256::new();
    for (name, path) in named {
        let bytes = std::fs::read(path).unwrap();
        hash.update(format!("{name}\n{}\n", bytes.len()));
        hash.update(bytes);
    }
    hex::encode(hash.finalize())
}

#[test]
fn the_built_files_are_those_of_the_source() {
    let built = std::fs::read_to_string(pages().join("../dist/source.sha256")).unwrap();
    let remedy = "run `npm ci && npm run build` in crates/console/pages";
    assert_eq!(built.trim(), source(), "the pages were changed and not built: {remedy}");
}

#[test]
fn every_built_file_is_embedded() {
    for entry in std::fs::read_dir(pages().join("../dist")).unwrap() {
        let entry = entry.unwrap();
        let name = entry.file_name().into_string().unwrap();
        if name == "source.sha256" {
            continue;
        }
        let file = lienthong_console::file(&name);
        let bytes = file.unwrap_or_else(|| panic!("`{name}` is not embedded")).bytes;
        assert_eq!(bytes, std::fs::read(entry.path()).unwrap(), "{name}");
    }
    assert!(lienthong_console::file("../Cargo.toml").is_none());
}

#[test]
fn the_pages_ask_no_other_machine_and_hold_nothing_inline() {
    for name in ["index.html", "console.js", "console.css"] {
        let text = std::str::from_utf8(lienthong_console::file(name).unwrap().bytes).unwrap();
        let links = text.match_indices("http").map(|(at, _)| &text[at..(at + 40).min(text.len())]);
        // The namespace of SVG is a name, nothing that is asked for.
        let asked = |link: &&str| link.starts_with("http://") || link.starts_with("https://");
        let others = links.filter(asked).filter(|link| !link.starts_with("http://www.w3.org/"));
        assert_eq!(others.collect::<Vec<_>>(), Vec::<&str>::new(), "{name}");
    }
    let html = std::str::from_utf8(lienthong_console::file("index.html").unwrap().bytes).unwrap();
    assert!(!html.contains("style=") && !html.contains("<style") && !html.contains("onload="));
    assert!(html.matches("<script").count() == html.matches("src=\"/assets/console.js\"").count());
}
