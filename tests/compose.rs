//! docker-compose.yml and the Dockerfile: they parse, every command and flag in them is one that
//! the binary knows, and the same processes exchange a document on loopback.
//!
//! No container is started here: what the containers would run is run as it stands, with the
//! folders and the hub's address of the test in place of theirs.

#[path = "cli/process.rs"]
#[allow(dead_code, reason = "shared with the tests of the command line, which use all of it")]
mod process;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::Command;

use process::{Running, json, lienthong, text};
use saphyr::{LoadableYamlNode as _, Yaml};

const COMPOSE: &str = include_str!("../docker-compose.yml");
const DOCKERFILE: &str = include_str!("../Dockerfile");
const MANIFEST: &str = include_str!("../Cargo.toml");
const PKI_SCRIPT: &str = include_str!("../deploy/pki.sh");
const LEFT_OUT: &str = include_str!("../.dockerignore");

/// A service as far as it matters here.
struct Service {
    entrypoint: Vec<String>,
    command: Vec<String>,
    environment: BTreeMap<String, String>,
}

impl Service {
    /// What the container runs.
    fn arguments(&self) -> Vec<String> {
        self.entrypoint.iter().chain(&self.command).cloned().collect()
    }
}

/// A member of a mapping, or of what is merged into it.
fn member<'y>(yaml: &'y Yaml<'y>, key: &str) -> Option<&'y Yaml<'y>> {
    let merged = || yaml.as_mapping_get("<<").and_then(|merged| merged.as_mapping_get(key));
    yaml.as_mapping_get(key).or_else(merged)
}

fn texts(yaml: Option<&Yaml<'_>>) -> Vec<String> {
    let Some(yaml) = yaml else { return Vec::new() };
    let items = yaml.as_sequence().expect("a list, not a shell's line");
    items.iter().map(|item| item.as_str().unwrap().to_owned()).collect()
}

fn services() -> BTreeMap<String, Service> {
    let documents = Yaml::load_from_str(COMPOSE).unwrap();
    let services = documents[0].as_mapping_get("services").unwrap().as_mapping().unwrap();
    let service = |(name, yaml): (&Yaml<'_>, &Yaml<'_>)| {
        let environment = member(yaml, "environment").and_then(Yaml::as_mapping);
        let variable = |(name, value): (&Yaml<'_>, &Yaml<'_>)| {
            (name.as_str().unwrap().to_owned(), value.as_str().unwrap().to_owned())
        };
        let entrypoint = match texts(member(yaml, "entrypoint")) {
            none if none.is_empty() => vec!["lienthong".to_owned()],
            given => given,
        };
        let service = Service {
            entrypoint,
            command: texts(member(yaml, "command")),
            environment: environment.into_iter().flatten().map(variable).collect(),
        };
        (name.as_str().unwrap().to_owned(), service)
    };
    services.iter().map(service).collect()
}

/// Every variable that a flag is read from.
fn variables(command: &clap::Command) -> BTreeSet<String> {
    let own = command.get_arguments().filter_map(|argument| argument.get_env());
    let own = own.map(|name| name.to_string_lossy().into_owned());
    own.chain(command.get_subcommands().flat_map(variables)).collect()
}

/// The commands of the script that makes the PKI, cut at blanks as a shell does.
fn script_commands() -> Vec<Vec<String>> {
    let lines = PKI_SCRIPT.lines().map(str::trim).filter(|line| line.starts_with("lienthong "));
    let words = |line: &str| {
        let mut words = vec![String::new()];
        let mut quoted = false;
        for c in line.chars() {
            match c {
                '"' => quoted = !quoted,
                ' ' if !quoted => words.push(String::new()),
                c => words.last_mut().unwrap().push(c),
            }
        }
        words
    };
    lines.map(words).collect()
}

#[test]
fn every_command_and_flag_is_one_that_the_binary_knows() {
    let mut commands = script_commands();
    assert_eq!(commands.len(), 5, "{commands:?}");
    let known = variables(&::lienthong::command());
    for (name, service) in services() {
        if service.entrypoint == ["lienthong"] {
            commands.push(service.arguments());
        }
        for variable in service.environment.keys() {
            assert!(known.contains(variable), "{name}: {variable} is not one of {known:?}");
        }
    }
    for arguments in commands {
        let parsed = ::lienthong::command().try_get_matches_from(&arguments);
        assert!(parsed.is_ok(), "{arguments:?}: {}", parsed.unwrap_err());
    }
}

#[test]
fn the_image_has_what_the_services_run_and_no_rights() {
    assert!(DOCKERFILE.contains("ENTRYPOINT [\"lienthong\"]"));
    let user = DOCKERFILE.lines().position(|line| line == "USER lienthong").unwrap();
    let entry = DOCKERFILE.lines().position(|line| line.starts_with("ENTRYPOINT")).unwrap();
    assert!(user < entry);
    for line in
        DOCKERFILE.lines().filter(|line| line.starts_with("COPY ") && !line.contains("--from"))
    {
        let source = line.split(' ').nth(1).unwrap();
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(source);
        assert!(path.exists(), "{source}");
    }
    let pki = &services()["pki"];
    let script = pki.entrypoint.last().unwrap();
    assert!(DOCKERFILE.contains(script.as_str()), "{script} is not in the image");
    let cargo = DOCKERFILE.lines().find(|line| line.contains("cargo build")).unwrap();
    assert!(cargo.contains("--locked"), "the image is built from the lock file");
    let mut words = cargo.split(' ').skip_while(|word| *word != "--profile");
    let profile = words.nth(1).expect("a profile is named");
    assert!(MANIFEST.contains(&format!("[profile.{profile}]")), "{profile}");
    assert!(DOCKERFILE.contains(&format!("/src/target/{profile}/lienthong ")), "{profile}");
}

/// Whether a pattern of .dockerignore names the path or a folder above it: `**` stands for any
/// number of folders, every other part for itself.
fn leaves_out(pattern: &[&str], path: &[&str]) -> bool {
    match (pattern, path) {
        ([], _) => true,
        (["**", rest @ ..], [_, below @ ..]) => {
            leaves_out(rest, path) || leaves_out(pattern, below)
        }
        ([part, rest @ ..], [name, below @ ..]) => part == name && leaves_out(rest, below),
        (_, []) => false,
    }
}

/// Every file below a folder, as paths from the root of the project.
fn files_below(folder: &Path, found: &mut Vec<String>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.ends_with("node_modules") {
            continue;
        }
        if path.is_dir() {
            files_below(&path, found);
        } else {
            let root = Path::new(env!("CARGO_MANIFEST_DIR"));
            found.push(text(path.strip_prefix(root).unwrap()).to_owned());
        }
    }
}

#[test]
fn the_image_is_built_from_every_source_and_from_nothing_that_running_leaves_behind() {
    let lines = LEFT_OUT.lines().filter(|line| !line.is_empty() && !line.starts_with('#'));
    let patterns: Vec<Vec<&str>> =
        lines.map(|line| line.trim_start_matches('/').split('/').collect()).collect();
    let left_out = |path: &str| {
        let path: Vec<&str> = path.split('/').collect();
        patterns.iter().any(|pattern| leaves_out(pattern, &path))
    };
    let mut sources = vec!["Cargo.toml".to_owned(), "Cargo.lock".to_owned()];
    for folder in ["src", "crates", "proto", "data", "deploy"] {
        files_below(&Path::new(env!("CARGO_MANIFEST_DIR")).join(folder), &mut sources);
    }
    assert!(sources.iter().any(|path| path == "src/commands/inbox/view.rs"), "{sources:?}");
    for source in sources {
        assert!(!left_out(&source), "{source} is not in the image's sources");
    }
    for path in ["target/release/lienthong", "try/pki/issuing.key", "inbox/H36", ".git/HEAD"] {
        assert!(left_out(path), "{path} is among the image's sources");
    }
}

/// A folder that stands for the containers' own.
struct Site {
    folder: tempfile::TempDir,
}

impl Site {
    /// A path of a container as a path here; the volume `shared` is one for all.
    fn here(&self, service: &str, argument: &str) -> String {
        let root = text(self.folder.path());
        argument
            .replace("/srv/lienthong/shared", &format!("{root}/shared"))
            .replace("/srv/lienthong/inbox", &format!("{root}/{service}"))
            .replace("/srv/lienthong", root)
            .replace("0.0.0.0:7443", "127.0.0.1:0")
    }

    /// Makes the PKI with the script, with the binary under test as `lienthong`.
    fn make_pki(&self) {
        let binaries = self.folder.path().join("bin");
        let shared = self.folder.path().join("shared");
        std::fs::create_dir_all(&binaries).unwrap();
        std::fs::create_dir_all(&shared).unwrap();
        let binary = Path::new(env!("CARGO_BIN_EXE_lienthong"));
        std::os::unix::fs::symlink(binary, binaries.join("lienthong")).unwrap();
        let mut path = binaries.into_os_string();
        path.push(":");
        path.push(std::env::var_os("PATH").unwrap_or_default());
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("deploy/pki.sh");
        for _ in 0..2 {
            // The second time it finds the PKI and leaves it.
            let mut shell = Command::new("sh");
            let output = shell.arg(&script).arg(&shared).env("PATH", &path).output().unwrap();
            assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        }
    }

    /// Starts a service; `hub` is the address that stands for `https://hub:7443`.
    fn start(&self, name: &str, service: &Service, hub: &str) -> Running {
        let mut command = lienthong();
        command.args(service.command.iter().map(|argument| self.here(name, argument)));
        command.args(["--output", "jsonl", "--log", "warn"]);
        for (variable, value) in &service.environment {
            let value =
                if value == "https://hub:7443" { hub.to_owned() } else { self.here(name, value) };
            command.env(variable, value);
        }
        Running::start(command)
    }
}

#[test]
fn a_hub_and_three_provinces_exchange_a_document_as_the_file_starts_them() {
    let services = services();
    let site = Site { folder: tempfile::tempdir().unwrap() };
    site.make_pki();
    let mut hub = site.start("hub", &services["hub"], "");
    let ready: serde_json::Value = serde_json::from_str(&hub.line_with("ready")).unwrap();
    let address = ready["address"].as_str().unwrap();
    let provinces = ["lam-dong", "kon-tum", "gia-lai"];
    let mut receiving: Vec<Running> =
        provinces.iter().map(|name| site.start(name, &services[*name], address)).collect();

    let agency = site.here("", &services["lam-dong"].environment["LIENTHONG_AS"]);
    let send = ["send", "--hub", address, "--as", &agency, "--to", "H34,H21,H36"];
    let receipt = json(&[&send[..], &["--subject", "gửi ba tỉnh"]].concat());
    assert_eq!(receipt["routes"].as_array().unwrap().len(), 3);
    for (province, name) in receiving.iter_mut().zip(provinces) {
        let line = province.line_with("gửi ba tỉnh");
        let document: serde_json::Value = serde_json::from_str(&line).unwrap();
        assert_eq!(document["acknowledged"], true, "{name}");
        assert_eq!(document["reported"][1]["code"], "03", "{name}");
        assert!(document["saved"].as_str().unwrap().contains(name), "each has its own folder");
    }
    for province in receiving {
        assert_eq!(province.terminate(), Some(0));
    }
    assert_eq!(hub.terminate(), Some(0));
}
