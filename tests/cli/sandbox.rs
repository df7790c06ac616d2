//! `lienthong sandbox` and `conformance`: as a new user would try them.

use std::fs;
use std::path::Path;
use std::process::Stdio;
use std::time::{Duration, Instant};

use lienthong_model::Timestamp;
use serde_json::Value;

use crate::process::{Running, fail, json, lienthong, run, text};

/// How long anything may take here.
const PATIENCE: Duration = Duration::from_secs(120);

fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let began = Instant::now();
    while !holds() {
        assert!(began.elapsed() < PATIENCE, "{what} did not come within {PATIENCE:?}");
        std::thread::sleep(Duration::from_millis(100));
    }
}

/// What is complete in a folder.
fn entries(folder: &Path) -> Vec<std::path::PathBuf> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path());
    entries.filter(|path| !path.file_name().unwrap().to_string_lossy().starts_with('.')).collect()
}

/// Everything that is said of a report in `status/in`.
fn statuses(folder: &Path) -> Vec<String> {
    let read = |path: std::path::PathBuf| {
        let notice: Value = serde_json::from_slice(&fs::read(path).ok()?).ok()?;
        Some(notice["status"].as_str()?.to_owned())
    };
    entries(&folder.join("status/in")).into_iter().filter_map(read).collect()
}

/// A sandbox, and its agency under test with the connector.
struct Sandbox {
    folder: tempfile::TempDir,
    sandbox: Running,
    /// `https://host:port` of its hub.
    address: String,
    agency: String,
}

impl Sandbox {
    fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut command = lienthong();
        command.current_dir(folder.path());
        command.args(["sandbox", "--province", "H36", "--listen", "127.0.0.1:0"]);
        command.args(["--agencies", "6", "--pace", "30", "--output", "json"]);
        let mut sandbox = Running::start(command);
        let ready: Value = serde_json::from_str(&sandbox.line_with("ready")).unwrap();
        assert_eq!(ready["clock"], "real");
        assert_eq!(ready["living"].as_array().unwrap().len(), 6, "{ready}");
        let agency = ready["under_test"][1].as_str().unwrap().to_owned();
        let address = ready["hub"].as_str().unwrap().to_owned();
        Self { folder, sandbox, address, agency }
    }

    fn kept(&self) -> std::path::PathBuf {
        self.folder.path().join("lienthong-sandbox")
    }

    fn mine(&self) -> std::path::PathBuf {
        self.folder.path().join("mine")
    }

    fn invite(&self) -> Value {
        let (kept, mine) = (self.kept(), self.mine());
        json(&[
            "sandbox",
            "invite",
            "--agency",
            &self.agency,
            "--to",
            text(&mine),
            "--sandbox",
            text(&kept),
        ])
    }

    fn node(&self) -> Running {
        let mut command = lienthong();
        let config = self.mine().join("node.toml");
        command.args(["node", "--config", text(&config), "--output", "json", "--log", "error"]);
        command.args(["--poll", "100ms"]);
        let mut node = Running::start(command);
        node.line_with("ready");
        node
    }
}

#[test]
fn a_sandbox_that_is_killed_leaves_no_hub_behind() {
    let Sandbox { folder: _folder, sandbox, address, .. } = Sandbox::start();
    let reached = || std::net::TcpStream::connect(address.trim_start_matches("https://")).is_ok();
    assert!(reached(), "{address}");
    // Killed, not asked to stop.
    drop(sandbox);
    until("the hub's end", || !reached());
}

#[test]
fn the_clock_of_a_sandbox_that_was_killed_does_not_go_back() {
    const RATE: u32 = 3_600;
    let folder = tempfile::tempdir().unwrap();
    let kept = folder.path().join("kept");
    let live = || {
        let mut command = lienthong();
        command.args(["sandbox", "--agencies", "3", "--listen", "127.0.0.1:0", "--output", "json"]);
        // Hardly anything happens.
        command.args(["--pace", "1", "--folder", text(&kept), "--rate", &RATE.to_string()]);
        let mut sandbox = Running::start(command);
        let ready: Value = serde_json::from_str(&sandbox.line_with("ready")).unwrap();
        let clock = ready["clock"].as_str().unwrap().to_owned();
        let start = clock.trim_start_matches("start=").split(',').next().unwrap().to_owned();
        let address = ready["hub"].as_str().unwrap().trim_start_matches("https://").to_owned();
        (sandbox, address, Timestamp::parse(&start).unwrap_or_else(|| panic!("{clock}")))
    };
    let noted = || {
        let noted: toml::Table =
            fs::read_to_string(kept.join("sandbox.toml")).unwrap().parse().unwrap();
        noted["ended"].as_str().unwrap().to_owned()
    };
    let (sandbox, address, start) = live();
    let began = Instant::now();
    // Longer than a note lasts.
    for _ in 0..3 {
        let last = noted();
        until("another note of its clock", || noted() != last);
    }
    let stood = start.plus(began.elapsed() * RATE);
    drop(sandbox);
    until("the hub's end", || std::net::TcpStream::connect(&address).is_err());
    let (_sandbox, _, again) = live();
    assert!(again >= stood, "{stood}, then {again}");
}

#[test]
fn a_sandbox_whose_port_was_taken_starts_once_it_has_another() {
    let folder = tempfile::tempdir().unwrap();
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().to_string();
    let kept = folder.path().join("kept");
    let start = ["sandbox", "--folder", text(&kept), "--agencies", "3", "--listen"];
    let said = fail(1, &[&start[..], &[&port]].concat());
    assert!(said.contains(&port), "{said}");
    let noted = || fs::read_to_string(kept.join("sandbox.toml")).unwrap();
    let seed =
        |noted: String| noted.lines().find(|line| line.starts_with("seed")).map(str::to_owned);
    let first = seed(noted());
    let mut command = lienthong();
    command.args(start).args(["127.0.0.1:0", "--output", "json"]);
    let mut sandbox = Running::start(command);
    sandbox.line_with("ready");
    // Every key of an agency that lives follows from it, and the PKI is that of the first start.
    assert!(first.is_some() && first == seed(noted()), "{first:?}, then {}", noted());
}

#[test]
fn a_province_lives_and_examines_our_own_connector_which_passes_all_ten() {
    let stage = Sandbox::start();
    let invited = stage.invite();
    assert_eq!(invited["agency"], stage.agency.as_str());
    let mine = stage.mine();
    let config = mine.join("node.toml");
    let doctor = json(&["node", "doctor", "--config", text(&config)]);
    let problems = doctor.as_array().unwrap().iter().filter(|one| one["grade"] == "problem");
    assert_eq!(problems.count(), 0, "{doctor:#}");
    let node = stage.node();

    // Documents come in by themselves.
    until("a document by itself", || !entries(&mine.join("inbox")).is_empty());

    // What is sent is registered and answered.
    let unfinished = mine.join("outbox/.hello");
    fs::create_dir(&unfinished).unwrap();
    let header = "to = [\"H36\"]\nsubject = \"Về việc kiểm thử\"\nnumber = 1\nunit = \"UBND\"\n";
    fs::write(unfinished.join("document.toml"), header).unwrap();
    fs::rename(unfinished, mine.join("outbox/hello")).unwrap();
    until("a report on it", || {
        statuses(&mine).iter().any(|status| ["02", "03"].contains(&status.as_str()))
    });

    // With somebody at work in its folders, it is examined.
    let mut clerk = lienthong();
    clerk.args(["sandbox", "clerk", text(&mine)]).stdout(Stdio::null());
    let clerk = Running::start(clerk);
    let (kept, xml) = (stage.kept(), stage.folder.path().join("statement.xml"));
    let html = stage.folder.path().join("statement.html");
    // Where nothing can be written is found out before anything is sent.
    let nowhere = stage.folder.path().join("nowhere/statement.html");
    let examine = ["conformance", "run", "--agency", &stage.agency, "--sandbox", text(&kept)];
    let said = fail(2, &[&examine[..], &["--html", text(&nowhere)]].concat());
    assert!(said.contains("nowhere/statement.html") && !said.contains("… receive"), "{said}");
    let files = ["--junit", text(&xml), "--html", text(&html), "--output", "json"];
    let output = run(&[&examine[..], &files].concat());
    let statement: Value = serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|_| panic!("{}", String::from_utf8_lossy(&output.stderr)));
    let cases = statement["cases"].as_array().unwrap();
    assert_eq!(cases.len(), 10);
    assert!(cases.iter().all(|case| case["passed"] == true), "{statement:#}");
    assert_eq!(output.status.code(), Some(0));
    assert!(fs::read_to_string(xml).unwrap().contains("tests=\"10\" failures=\"0\""));
    assert!(fs::read_to_string(html).unwrap().contains("conforms"));
    assert_eq!(node.terminate(), Some(0));
    drop(clerk);

    // The agency that works through a connector has worked.
    let connector = kept.join("connector");
    until("a report of the agency at the connector", || {
        !entries(&connector.join("status/sent")).is_empty()
    });
    assert_eq!(stage.sandbox.terminate(), Some(0), "SIGTERM stops province and hub in order");
}

#[test]
fn who_is_not_under_test_is_not_invited_and_no_sandbox_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let none = folder.path().join("none");
    let said = fail(
        2,
        &["sandbox", "invite", "--agency", "H36.29", "--to", "x", "--sandbox", text(&none)],
    );
    assert!(said.contains("lienthong sandbox"), "{said}");
    let said = fail(2, &["conformance", "run", "--agency", "H36.29", "--sandbox", text(&none)]);
    assert!(said.contains("lienthong sandbox"), "{said}");
    let said = fail(2, &["sandbox", "--province", "H99", "--folder", text(&none)]);
    assert!(said.contains("H99") && said.contains("directory list"), "{said}");
    assert_eq!(json(&["conformance", "list"]).as_array().unwrap().len(), 10);
}
