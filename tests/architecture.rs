//! The arrows between the crates: who may import whom, and what a crate must never touch.

use std::collections::{BTreeMap, BTreeSet};

use cargo_metadata::{DependencyKind, Metadata, MetadataCommand};

/// Our crates that a crate may import. Dependencies of tests are free.
const ARROWS: [(&str, &[&str]); 14] = [
    ("model", &[]),
    ("trust", &["model"]),
    ("pki", &["model", "trust"]),
    ("country", &["model"]),
    ("core", &["model", "trust"]),
    ("wire", &["model"]),
    ("ledger", &["core", "trust", "model"]),
    ("console", &[]),
    ("hub", &["console", "core", "trust", "wire", "model", "ledger"]),
    ("client", &["wire", "trust", "model"]),
    ("connector", &["client", "wire", "trust", "model"]),
    ("bench", &["client", "pki", "country", "model"]),
    ("simulator", &["core", "ledger", "client", "country", "pki", "trust", "model"]),
    // The binary composes the parts.
    (
        "",
        &[
            "bench",
            "client",
            "connector",
            "core",
            "country",
            "hub",
            "ledger",
            "model",
            "pki",
            "simulator",
            "trust",
            "wire",
        ],
    ),
];

/// What a crate must never depend on.
const NEVER: [(&str, &[&str]); 7] = [
    ("model", &["tokio", "tonic", "prost", "sled"]),
    ("trust", &["tokio", "tonic", "sled", "rcgen", "rand"]),
    ("core", &["tokio", "tonic", "prost", "sled", "rand", "uuid", "jiff"]),
    ("wire", &["sled", "tokio"]),
    ("ledger", &["tonic", "tokio"]),
    ("client", &["sled"]),
    ("connector", &["sled", "tonic", "prost"]),
];

fn metadata() -> Metadata {
    MetadataCommand::new().no_deps().exec().unwrap()
}

fn short(name: &str) -> Option<&str> {
    if name == "lienthong" { Some("") } else { name.strip_prefix("lienthong-") }
}

fn dependencies(metadata: &Metadata) -> BTreeMap<String, BTreeSet<String>> {
    let packages = metadata.packages.iter().filter_map(|package| {
        let name = short(package.name.as_str())?;
        let of_tests = |kind: &DependencyKind| *kind == DependencyKind::Development;
        let dependencies = package.dependencies.iter().filter(|one| !of_tests(&one.kind));
        Some((name.to_owned(), dependencies.map(|one| one.name.clone()).collect()))
    });
    packages.collect()
}

#[test]
fn every_arrow_between_crates_is_in_the_table() {
    let found = dependencies(&metadata());
    let table: BTreeMap<&str, &[&str]> = ARROWS.into_iter().collect();
    assert_eq!(
        found.keys().map(String::as_str).collect::<BTreeSet<_>>(),
        table.keys().copied().collect::<BTreeSet<_>>(),
        "a crate without a row in the table, or a row without a crate"
    );
    for (name, dependencies) in &found {
        for dependency in dependencies.iter().filter_map(|name| short(name)) {
            assert!(
                table[name.as_str()].contains(&dependency),
                "`{name}` must not import `{dependency}`"
            );
        }
    }
}

#[test]
fn no_crate_depends_on_what_it_must_never_touch() {
    let found = dependencies(&metadata());
    for (name, never) in NEVER {
        for dependency in never {
            assert!(
                !found[name].contains(*dependency),
                "`{name}` must not depend on `{dependency}`"
            );
        }
    }
}

/// The door that a simulation in virtual time needs: signatures that were not made.
#[test]
fn only_the_simulator_can_pass_signatures_that_were_not_made() {
    let metadata = metadata();
    for package in &metadata.packages {
        for dependency in package.dependencies.iter().filter(|one| one.name == "lienthong-trust") {
            let asks = dependency.features.iter().any(|feature| feature == "rehearsal");
            let may = package.name.as_str() == "lienthong-simulator";
            assert_eq!(asks, may, "`{}` and the feature `rehearsal`", package.name);
        }
    }
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
    let allowed = ["trust", "simulator"].map(|name| root.join("crates").join(name));
    let mut folders = vec![root.join("src"), root.join("crates")];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if allowed.contains(&path) {
                continue;
            }
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let text = std::fs::read_to_string(&path).unwrap();
                assert!(!text.contains("Rehearsal"), "{} names it", path.display());
            }
        }
    }
}

#[test]
fn the_core_asks_for_no_time_randomness_disk_or_network() {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut folders = vec![root.join("crates/core/src"), root.join("crates/model/src")];
    let mut read = 0;
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            let text = std::fs::read_to_string(&path).unwrap();
            read += 1;
            for banned in
                ["Instant::now", "SystemTime", "std::fs", "std::net", "std::thread", "rand::"]
            {
                assert!(!text.contains(banned), "{} has `{banned}`", path.display());
            }
        }
    }
    assert!(read > 20, "only {read} files were read");
}
