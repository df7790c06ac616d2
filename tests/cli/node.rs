//! `lienthong node`: the connector as a process, killed at every point of its work.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use rand::{RngExt as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;
use serde_json::Value;

use crate::process::{Running, fail, json, lienthong, run, succeed, text};

/// How long anything that must happen may take.
const PATIENCE: Duration = Duration::from_secs(90);
const LETTER: &str = "to = [\"H35\"]\nsubject = \"Về việc thử\"\n";

/// A hub, and the connectors of H36 and H35.
pub(crate) struct Stage {
    pub(crate) folder: tempfile::TempDir,
    hub: Option<Running>,
    pub(crate) address: String,
}

impl Stage {
    pub(crate) fn set() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let pki = folder.path().join("pki");
        succeed(&["pki", "init", text(&pki)]);
        succeed(&["pki", "issue", text(&pki), "--agency", "G22", "--hub", "localhost,127.0.0.1"]);
        for agency in ["H36", "H35"] {
            let person = format!("{agency}-01");
            succeed(&[
                "pki",
                "issue",
                text(&pki),
                "--agency",
                agency,
                "--node",
                "--seal",
                "--person",
                &person,
                "--name",
                "Nguyễn Văn An",
                "--title",
                "Chủ tịch",
            ]);
        }
        let mut stage = Self { folder, hub: None, address: String::new() };
        stage.start_hub("127.0.0.1:0");
        for agency in ["H36", "H35"] {
            let (dir, keys) = (stage.desk(agency), pki.join("agencies").join(agency));
            let hub = stage.address.clone();
            succeed(&["node", "init", text(&dir), "--as", text(&keys), "--hub", &hub]);
        }
        stage
    }

    fn start_hub(&mut self, listen: &str) {
        let mut command = lienthong();
        command.args(["hub", "--listen", listen, "--http", "off"]);
        command.args(["--output", "json", "--log", "warn"]);
        let (pki, data) = (self.folder.path().join("pki"), self.folder.path().join("data"));
        command.args(["--pki", text(&pki), "--data", text(&data)]);
        let mut hub = Running::start(command);
        let ready: Value = serde_json::from_str(&hub.line_with("ready")).unwrap();
        self.address = ready["address"].as_str().unwrap().to_owned();
        self.hub = Some(hub);
    }

    /// The folder of an agency's connector.
    pub(crate) fn desk(&self, agency: &str) -> PathBuf {
        self.folder.path().join(format!("desk-{agency}"))
    }

    fn command(&self, agency: &str) -> Command {
        let mut command = lienthong();
        let config = self.desk(agency).join("node.toml");
        command.args(["node", "--config", text(&config), "--output", "json", "--log", "error"]);
        command.args(["--poll", "50ms"]);
        command
    }

    pub(crate) fn start(&self, agency: &str) -> Running {
        let mut node = Running::start(self.command(agency));
        node.line_with("ready");
        node
    }

    /// Starts a connector that dies when it passes a point.
    fn start_to_die(&self, agency: &str, point: &str) -> Child {
        let mut command = self.command(agency);
        command.env("LIENTHONG_CRASH", point).stdout(Stdio::null()).stderr(Stdio::null());
        command.spawn().unwrap()
    }

    fn put(&self, name: &str) {
        let outbox = self.desk("H36").join("outbox");
        let unfinished = outbox.join(format!(".{name}"));
        fs::create_dir(&unfinished).unwrap();
        fs::write(unfinished.join("document.toml"), LETTER).unwrap();
        fs::write(unfinished.join("a.txt"), "Điều 1").unwrap();
        // Too large to travel beside the document.
        fs::write(unfinished.join("b.bin"), vec![7; 1_500_000]).unwrap();
        fs::rename(unfinished, outbox.join(name)).unwrap();
    }

    fn stats(&self) -> Value {
        let keys = self.folder.path().join("pki/agencies/H36");
        json(&["stats", "--hub", &self.address, "--as", text(&keys)])["totals"].clone()
    }
}

/// Waits until a condition holds.
pub(crate) fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let began = Instant::now();
    while !holds() {
        assert!(began.elapsed() < PATIENCE, "{what} did not come within {PATIENCE:?}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

fn dies(mut child: Child, point: &str) {
    until(&format!("the death at `{point}`"), || child.try_wait().unwrap().is_some());
    assert!(!child.wait().unwrap().success(), "`{point}` is not passed");
}

/// The names of what is complete in a folder.
pub(crate) fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let name = |entry: fs::DirEntry| entry.file_name().to_string_lossy().into_owned();
    let mut names: Vec<String> = entries.map(name).collect();
    names.retain(|name| !name.starts_with('.'));
    names.sort();
    names
}

#[test]
fn a_sender_killed_at_any_point_loses_nothing_and_sends_nothing_twice() {
    let stage = Stage::set();
    let sent = stage.desk("H36").join("sent");
    let points = [
        "taken",
        "composed",
        "signed",
        "uploading",
        "uploaded",
        "accepted",
        "receipt-kept",
        "moved",
    ];
    for (index, point) in points.into_iter().enumerate() {
        stage.put(point);
        dies(stage.start_to_die("H36", point), point);
        let node = stage.start("H36");
        let receipt = sent.join(point).join("_lienthong/receipt.json");
        until(point, || receipt.is_file());
        assert_eq!(node.terminate(), Some(0), "SIGTERM drains");
        assert_eq!(stage.stats()["sent"], index as u64 + 1, "after `{point}`");
    }
    assert_eq!(names(&sent).len(), points.len());
    assert_eq!(names(&stage.desk("H36").join("sending")), [] as [String; 0]);
}

#[test]
fn a_recipient_killed_at_any_point_loses_nothing_and_keeps_nothing_twice() {
    let stage = Stage::set();
    let sender = stage.start("H36");
    let (inbox, marks) =
        (stage.desk("H35").join("inbox"), stage.desk("H35").join(".node/received/marks"));
    let points = ["received-aside", "received-marked", "received", "acknowledging", "acknowledged"];
    for (index, point) in points.into_iter().enumerate() {
        stage.put(point);
        let receipt = stage.desk("H36").join("sent").join(point).join("_lienthong/receipt.json");
        until(point, || receipt.is_file());
        dies(stage.start_to_die("H35", point), point);
        if matches!(point, "received" | "acknowledging") {
            // Whole before anybody was told; and taken out before it was acknowledged.
            let name = names(&inbox).pop().unwrap();
            let attachments = inbox.join(&name).join("attachments");
            assert_eq!(fs::read_to_string(attachments.join("a.txt")).unwrap(), "Điều 1");
            assert_eq!(fs::metadata(attachments.join("b.bin")).unwrap().len(), 1_500_000);
            fs::rename(inbox.join(&name), stage.folder.path().join(format!("taken-{index}")))
                .unwrap();
        }
        let node = stage.start("H35");
        let tracked = || {
            let receipt: Value = serde_json::from_slice(&fs::read(&receipt).unwrap()).unwrap();
            let keys = stage.folder.path().join("pki/agencies/H36");
            let id = receipt["id"].as_str().unwrap().to_owned();
            json(&["track", "H36", &id, "--hub", &stage.address, "--as", text(&keys)])
        };
        until("the acknowledgement", || tracked()["deliveries"][0]["acknowledged_at"].is_string());
        if point != "acknowledged" {
            until("its mark is removed", || names(&marks).is_empty());
        }
        assert_eq!(node.terminate(), Some(0));
        for mark in names(&marks) {
            fs::remove_file(marks.join(mark)).unwrap();
        }
    }
    assert_eq!(names(&inbox).len(), points.len() - 2, "two were taken out and came no more");
    assert_eq!(sender.terminate(), Some(0));
}

#[test]
fn killed_at_random_again_and_again_both_sides_have_every_document_once() {
    let seed: u64 = std::env::var("LIENTHONG_CRASH_SEED")
        .map_or_else(|_| rand::random(), |text| text.parse().unwrap());
    println!("LIENTHONG_CRASH_SEED={seed}");
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let stage = Stage::set();
    let mut put = Vec::new();
    for round in 0..12 {
        let (sender, recipient) = (stage.start("H36"), stage.start("H35"));
        for document in 0..rng.random_range(1..4) {
            let name = format!("{round:02}-{document}");
            stage.put(&name);
            put.push(name);
        }
        std::thread::sleep(Duration::from_millis(rng.random_range(0..700)));
        // Both are killed: SIGKILL, wherever they are.
        drop((sender, recipient));
    }
    let (sender, recipient) = (stage.start("H36"), stage.start("H35"));
    let (sent, inbox) = (stage.desk("H36").join("sent"), stage.desk("H35").join("inbox"));
    let (mut reached, began) = ((0, 0), Instant::now());
    until("everything is sent and received", || {
        let now = (names(&sent).len(), names(&inbox).len());
        if now != reached {
            reached = now;
            println!("{:?}: {now:?} of {}", began.elapsed(), put.len());
        }
        now.0 >= put.len() && now.1 >= put.len()
    });
    assert_eq!(sender.terminate(), Some(0));
    assert_eq!(recipient.terminate(), Some(0));
    assert_eq!(names(&sent), put, "every document once");
    assert_eq!(stage.stats()["sent"], put.len() as u64);
    let id = |name: &String| name.rsplit('_').next().unwrap().to_owned();
    let received: BTreeSet<String> = names(&inbox).iter().map(id).collect();
    assert_eq!(received.len(), names(&inbox).len(), "none is kept twice");
    assert_eq!(received.len(), put.len());
    for room in ["outbox", "sending", "refused"] {
        assert_eq!(names(&stage.desk("H36").join(room)), [] as [String; 0]);
    }
}

#[test]
fn hours_without_the_hub_are_survived_and_a_report_finds_its_way_back() {
    let mut stage = Stage::set();
    let (sender, recipient) = (stage.start("H36"), stage.start("H35"));
    let hub = stage.hub.take().unwrap();
    assert_eq!(hub.terminate(), Some(0));
    for name in ["a", "b", "c"] {
        stage.put(name);
    }
    let sending = stage.desk("H36").join("sending");
    until("all wait", || {
        ["a", "b", "c"]
            .iter()
            .all(|name| sending.join(name).join("_lienthong/signatures.json").is_file())
    });
    drop(sender);
    let sender = stage.start("H36");
    let listen = stage.address.trim_start_matches("https://").to_owned();
    stage.start_hub(&listen);
    let inbox = stage.desk("H35").join("inbox");
    until("three documents", || names(&inbox).len() == 3);
    let name = names(&inbox).remove(0);
    let report = format!("document = \"{name}\"\nstatus = \"03\"\n");
    fs::write(stage.desk("H35").join("status/out/r.toml"), report).unwrap();
    let notices = stage.desk("H36").join("status/in");
    until("the report", || !names(&notices).is_empty());
    assert_eq!(stage.stats()["sent"], 3);
    assert_eq!(sender.terminate(), Some(0));
    assert_eq!(recipient.terminate(), Some(0));
}

#[test]
fn doctor_says_what_is_wrong_and_ends_with_1_only_then() {
    let stage = Stage::set();
    let config = stage.desk("H36").join("node.toml");
    let doctor = ["node", "doctor", "--config", text(&config)];
    let findings = json(&doctor);
    let grades: Vec<&str> =
        findings.as_array().unwrap().iter().map(|one| one["grade"].as_str().unwrap()).collect();
    assert!(grades.iter().all(|grade| *grade == "ok"), "{findings:#}");
    fs::remove_dir(stage.desk("H36").join("outbox")).unwrap();
    let pki = stage.folder.path().join("pki/agencies/H36");
    fs::copy(pki.join("node.key"), pki.join("seal.key")).unwrap();
    let output = run(&doctor);
    assert_eq!(output.status.code(), Some(1));
    let said = String::from_utf8(output.stdout).unwrap();
    for part in ["does not belong to the certificate", "not there", "xử lý / remedy", "LỖI"] {
        assert!(said.contains(part), "{part} in {said}");
    }
}

#[test]
fn init_writes_a_configuration_that_is_read_and_an_unknown_key_names_the_nearest() {
    let stage = Stage::set();
    let config = stage.desk("H36").join("node.toml");
    let written = fs::read_to_string(&config).unwrap();
    // Every key that is commented out is one that can be set.
    let all: String = written
        .lines()
        .map(|line| {
            line.strip_prefix("# ")
                .filter(|rest| rest.contains(" = ") && !rest.contains(". "))
                .unwrap_or(line)
        })
        .map(|line| line.to_owned() + "\n")
        .collect();
    let table: toml::Table = all.parse().unwrap_or_else(|error| panic!("{error}: {all}"));
    assert_eq!(table.len(), 18, "{table:?}");
    let page = include_str!("../../docs/CONNECTOR.md");
    for key in table.keys() {
        assert!(page.contains(&format!("`{key}`")), "`{key}` is not in docs/CONNECTOR.md");
    }
    let keys = stage.folder.path().join("pki/agencies/H36");
    let said = fail(2, &["node", "init", text(&stage.desk("H36")), "--as", text(&keys)]);
    assert!(said.contains("already"), "{said}");
    fs::write(&config, written.clone() + "\nwebhok = \"x\"\n").unwrap();
    let said = fail(2, &["node", "--config", text(&config)]);
    assert!(said.contains("`webhok`") && said.contains("`webhook`"), "{said}");
    fs::write(&config, written + "\nhttp = \"0.0.0.0:7490\"\n").unwrap();
    let said = fail(2, &["node", "--config", text(&config)]);
    assert!(said.contains("http-beyond-loopback"), "{said}");
}
