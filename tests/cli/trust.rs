//! Trust and administration: the first administrator offline, everything else through the hub.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::process::{Running, fail, json, lienthong, succeed, text};

/// How long a test waits for something that must come.
const PATIENCE: Duration = Duration::from_secs(20);

/// A PKI, a data folder with a directory, and an administrator in it.
struct Stage {
    folder: tempfile::TempDir,
}

/// A hub on the stage.
struct Hub {
    _process: Running,
    address: String,
    agencies: PathBuf,
}

impl Stage {
    /// `init` are more flags of `pki init`.
    fn set(init: &[&str]) -> Self {
        let stage = Self { folder: tempfile::tempdir().unwrap() };
        let pki = stage.path("pki");
        succeed(&[&["pki", "init", text(&pki)], init].concat());
        let issue = |agency: &str, more: &[&str]| {
            let issue = ["pki", "issue", text(&pki), "--agency", agency];
            succeed(&[&issue[..], more].concat());
        };
        let operator = ["--operator", "binh", "--name", "Trần Thị Bình", "--title", "Quản trị"];
        issue("G22", &[&["--hub", "localhost,127.0.0.1"][..], &operator].concat());
        let person = ["--person", "chair", "--name", "Nguyễn Văn An", "--title", "Chủ tịch"];
        issue("H36", &[&["--node", "--seal"][..], &person].concat());
        issue("H36", &operator);
        issue("H35", &["--node", "--seal"]);
        let directory = stage.path("directory.csv");
        succeed(&["directory", "export", text(&directory)]);
        succeed(&["directory", "apply", text(&directory), "--data", text(&stage.path("data"))]);
        stage
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Appoints an administrator while no hub uses the folder.
    fn appoint(&self, person: &str, territory: &str) -> Value {
        let data = self.path("data");
        let appoint = ["admin", "appoint", "--person", person, "--role", "administrator"];
        let rest = ["--territory", territory, "--from", "2020-01-01", "--data", text(&data)];
        json(&[&appoint[..], &rest].concat())
    }

    fn start(&self) -> Hub {
        let mut command = lienthong();
        command.args(["hub", "--listen", "127.0.0.1:0", "--output", "json", "--log", "warn"]);
        command.args(["--pki", text(&self.path("pki")), "--data", text(&self.path("data"))]);
        let mut process = Running::start(command);
        let ready: Value = serde_json::from_str(&process.line_with("ready")).unwrap();
        let address = ready["address"].as_str().unwrap().to_owned();
        Hub { _process: process, address, agencies: self.path("pki/agencies") }
    }
}

impl Hub {
    /// The arguments of a command, by an agency's node or, `agency/id`, by an operator.
    fn arguments(&self, who: &str, command: &[&str]) -> Vec<String> {
        let (agency, operator) = who.split_once('/').map_or((who, None), |(a, id)| (a, Some(id)));
        let folder = text(&self.agencies.join(agency)).to_owned();
        let mut all: Vec<String> = command.iter().map(ToString::to_string).collect();
        all.extend(["--hub".to_owned(), self.address.clone(), "--as".to_owned(), folder]);
        all.extend(operator.into_iter().flat_map(|id| ["--operator".to_owned(), id.to_owned()]));
        all
    }

    fn json(&self, who: &str, command: &[&str]) -> Value {
        let all = self.arguments(who, command);
        json(&all.iter().map(String::as_str).collect::<Vec<_>>())
    }

    fn succeed(&self, who: &str, command: &[&str]) -> String {
        let all = self.arguments(who, command);
        succeed(&all.iter().map(String::as_str).collect::<Vec<_>>())
    }

    fn fail(&self, code: i32, who: &str, command: &[&str]) -> String {
        let all = self.arguments(who, command);
        fail(code, &all.iter().map(String::as_str).collect::<Vec<_>>())
    }

    /// The authorities, the root first.
    fn authorities(&self) -> [Value; 2] {
        let trust = self.json("G22/binh", &["trust"]);
        let authorities = trust["authorities"].as_array().unwrap().clone();
        authorities.try_into().unwrap_or_else(|other| panic!("{other:?}"))
    }
}

/// Sends from H36 to H35.
const SEND: [&str; 5] = ["send", "--to", "H35", "--subject", "Về việc thử"];

fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !holds() {
        assert!(begun.elapsed() < PATIENCE, "{what} did not come within {PATIENCE:?}");
        std::thread::sleep(Duration::from_millis(50));
    }
}

#[test]
fn the_first_administrator_is_appointed_offline_and_then_adds_a_list_online() {
    let stage = Stage::set(&[]);
    let appointed = stage.appoint("G22/binh", "country");
    assert_eq!(
        (&appointed[0]["person"], &appointed[0]["in_force"]),
        (&"G22/binh".into(), &true.into())
    );
    let hub = stage.start();
    let appointments = hub.json("G22/binh", &["admin", "appointments"]);
    assert_eq!(appointments, appointed);
    let [root, issuing] = hub.authorities();
    assert!(root["trusted_from"].is_string() && issuing["trusted_from"].is_null());
    assert_eq!((&issuing["state"], &issuing["list"]["number"]), (&"in-date".into(), &1.into()));
    assert_eq!(hub.json("H36", &SEND)["revocation"], "proven");

    let pki = stage.path("pki");
    let said = succeed(&["pki", "revoke", text(&pki), text(&pki.join("agencies/H36/seal.pem"))]);
    assert!(said.contains("lienthong trust add-list"), "{said}");
    let list = pki.join("crl/issuing.crl");
    let entered = hub.json("G22/binh", &["trust", "add-list", text(&list)]);
    assert_eq!(
        (&entered[0]["in_force"], &entered[0]["list"]["revoked"]),
        (&true.into(), &1.into())
    );
    let [_, issuing] = hub.authorities();
    assert_eq!(issuing["list"], entered[0]["list"]);
    let refused = hub.fail(1, "H36", &SEND);
    assert!(refused.contains("CERTIFICATE_REVOKED"), "{refused}");
    let table = hub.succeed("G22/binh", &["trust"]);
    assert!(table.contains("còn hạn") && !table.contains("LATE"), "{table}");

    let refused = hub.fail(1, "H36", &["trust", "add-list", text(&list)]);
    assert!(refused.contains("CALLER_NOT_ENTITLED"), "a node administers nothing: {refused}");
    let refused = hub.fail(1, "H36/binh", &["trust", "grace", "1h"]);
    assert!(refused.contains("CALLER_NOT_ENTITLED"), "nobody appointed this one: {refused}");
    let busy = fail(2, &["admin", "appointments", "--data", text(&stage.path("data"))]);
    assert!(busy.contains("--hub"), "{busy}");
}

#[test]
fn a_late_list_is_shown_loudly_and_what_waits_for_it_is_marked_until_it_comes() {
    // Lists that were due in 2020.
    let dates = ["--from", "2020-01-01", "--days", "36500", "--at", "2020-11-14"];
    let stage = Stage::set(&[&dates[..], &["--list-days", "1"]].concat());
    stage.appoint("G22/binh", "country");
    let hub = stage.start();
    let refused = hub.fail(1, "H36", &SEND);
    assert!(refused.contains("REVOCATION_NOT_PROVEN"), "{refused}");
    let table = hub.succeed("G22/binh", &["trust"]);
    assert!(table.contains("TỪ CHỐI / REFUSING") && table.contains("add-list"), "{table}");
    let grace = hub.json("G22/binh", &["trust", "grace", "forever"]);
    assert!(grace["grace_seconds"].is_null());

    let receipt = hub.json("H36", &SEND);
    assert_eq!(receipt["revocation"], "not-proven");
    let shown = hub.succeed("H36", &SEND);
    assert!(shown.contains("CHƯA CHỨNG MINH / NOT PROVEN"), "{shown}");
    let id = receipt["id"].as_str().unwrap();
    let track = ["track", "H36", id];
    assert!(hub.succeed("H36", &track).contains("NOT PROVEN"));
    let peeked = hub.succeed("H35", &["inbox", "--peek", "--limit", "1"]);
    assert!(peeked.contains("NOT PROVEN"), "{peeked}");
    let [_, issuing] = hub.authorities();
    assert_eq!((&issuing["state"], &issuing["unproven"]), (&"late".into(), &2.into()));
    assert!(issuing["refused_from"].is_null());
    let table = hub.succeed("G22/binh", &["trust"]);
    assert!(table.contains("QUÁ HẠN / LATE"), "{table}");
    for line in table.lines() {
        assert!(line.chars().count() <= 100, "{} columns: {line}", line.chars().count());
    }

    let pki = stage.path("pki");
    succeed(&["pki", "lists", text(&pki)]);
    let (root, issuing) = (pki.join("crl/root.crl"), pki.join("crl/issuing.crl"));
    let entered = hub.json("G22/binh", &["trust", "add-list", text(&root), text(&issuing)]);
    assert_eq!((&entered[0]["in_force"], &entered[1]["in_force"]), (&true.into(), &true.into()));
    until("the settlement", || hub.json("H36", &track)["revocation"] == "proven");
    let [_, issuing] = hub.authorities();
    assert_eq!((&issuing["state"], &issuing["unproven"]), (&"in-date".into(), &0.into()));
}

#[test]
fn mandates_are_entered_from_a_file_and_by_flags_and_a_delegates_document_is_received() {
    let stage = Stage::set(&[]);
    stage.appoint("G22/binh", "country");
    let hub = stage.start();
    let file = stage.path("mandates.toml");
    std::fs::write(&file, "[[mandate]]\nagency = \"H36\"\nperson = \"chair\"\n").unwrap();
    let enter = ["trust", "mandate", text(&file)];
    let said = hub.fail(2, "G22/binh", &enter);
    for part in ["line 3", "`person`", "AGENCY/ID"] {
        assert!(said.contains(part), "{part} in {said}");
    }
    let mandates = "[[mandate]]\nagency = \"H36\"\nperson = \"H36/chair\"\ncapacity = \"head\"\n\
                    from = 2020-11-01\nbasis = \"Nghị quyết số 1/NQ-HĐND\"\n";
    std::fs::write(&file, mandates).unwrap();
    hub.succeed("G22/binh", &enter);
    let delegate = ["trust", "mandate", "--agency", "H36", "--person", "H36.11/director"];
    let how = ["--capacity", "TUQ.", "--delegated-by", "H36/chair", "--types", "QĐ,CV"];
    hub.succeed("G22/binh", &[&delegate[..], &how, &["--from", "2020-11-01"]].concat());
    let listed = hub.json("H35", &["trust", "mandates", "H36"]);
    assert_eq!(listed[0]["capacity"], "head");
    assert_eq!(listed[1]["types"], serde_json::json!(["QĐ", "CV"]));
    let table = hub.succeed("H35", &["trust", "mandates", "H36"]);
    assert!(table.contains("TUQ.") && table.contains("H36.11/director"), "{table}");

    // The director of another agency signs for H36, as the chair has authorized.
    let pki = stage.path("pki");
    let person = ["--person", "director", "--name", "Lê Thị Cúc", "--title", "Giám đốc"];
    succeed(&[&["pki", "issue", text(&pki), "--agency", "H36.11"][..], &person].concat());
    for kind in ["pem", "key"] {
        let name = format!("person-director.{kind}");
        std::fs::copy(
            hub.agencies.join("H36.11").join(&name),
            hub.agencies.join("H36").join(&name),
        )
        .unwrap();
    }
    let signed = ["--person", "director", "--no-seal"];
    hub.json("H36", &[&SEND[..], &signed].concat());
    let inbox = stage.path("inbox");
    let received = hub.json("H35", &["inbox", "--save", text(&inbox)]);
    assert_eq!(
        (&received[0]["verified"], &received[0]["acknowledged"]),
        (&true.into(), &true.into())
    );
    assert_eq!(received[0]["signers"][0]["agency"], "H36.11");
    let other = hub.fail(1, "H36", &[&SEND[..], &signed, &["--type", "TB"]].concat());
    assert!(other.contains("SIGNER_OF_OTHER_AGENCY"), "not for that type: {other}");
    // Ended: the same person, capacity and first day.
    let ends = ["--from", "2020-11-01", "--until", "2020-11-02"];
    hub.succeed("G22/binh", &[&delegate[..], &how, &ends].concat());
    let ended = hub.fail(1, "H36", &[&SEND[..], &signed].concat());
    assert!(ended.contains("SIGNER_OF_OTHER_AGENCY"), "{ended}");
}

#[test]
fn quotas_are_set_shown_and_said_in_the_refusal_with_a_time_to_come_again() {
    let stage = Stage::set(&[]);
    stage.appoint("G22/binh", "country");
    let hub = stage.start();
    let quota = ["admin", "quota", "--agency", "H36"];
    hub.succeed("G22/binh", &[&quota[..], &["--documents-per-day", "1"]].concat());
    let others = ["admin", "quota", "--agency", "others", "--document-bytes-max", "50MiB"];
    hub.succeed("G22/binh", &others);
    let quotas = hub.json("G22/binh", &["admin", "quotas"]);
    assert_eq!((&quotas[0]["agency"], &quotas[0]["documents_per_day"]), (&"H36".into(), &1.into()));
    assert_eq!(quotas[1]["document_bytes_max"], 50 * 1024 * 1024);
    assert!(hub.succeed("G22/binh", &["admin", "quotas"]).contains("50MiB"));
    hub.json("H36", &SEND);
    let refused = hub.fail(1, "H36", &SEND);
    assert!(refused.contains("QUOTA_EXCEEDED") && refused.contains("thử lại / retry"), "{refused}");
    hub.succeed("G22/binh", &[&quota[..], &["--remove"]].concat());
    hub.json("H36", &SEND);
    let said = hub.fail(2, "G22/binh", &quota);
    assert!(said.contains("--remove"), "a quota needs a bound: {said}");
}

#[test]
fn terms_are_shown_and_changed_one_by_one() {
    let stage = Stage::set(&[]);
    stage.appoint("G22/binh", "country");
    stage.appoint("H36/binh", "province:H36");
    let hub = stage.start();
    let day = 24 * 3_600_000_u64;
    let shown = hub.json("G22/binh", &["admin", "terms"]);
    assert_eq!(shown["pick_up_ms"], 3 * day);
    assert_eq!(shown["keep_content_ms"], serde_json::Value::Null);
    hub.succeed("G22/binh", &["admin", "terms", "--keep-content", "730days"]);
    let shown = hub.json("G22/binh", &["admin", "terms", "--pick-up", "48h"]);
    assert_eq!(
        (&shown["pick_up_ms"], &shown["silent_ms"]),
        (&(2 * day).into(), &(90 * day).into())
    );
    assert_eq!(shown["keep_content_ms"], 730 * day, "what is not named stays");
    let short = hub.fail(1, "G22/binh", &["admin", "terms", "--keep-content", "30days"]);
    assert!(short.contains("FIELD_INVALID") && short.contains("120 days"), "{short}");
    let provinces = hub.fail(1, "H36/binh", &["admin", "terms", "--keep-content", "forever"]);
    assert!(provinces.contains("CALLER_NOT_ENTITLED"), "{provinces}");
    assert!(hub.succeed("H36/binh", &["admin", "terms"]).contains("1year 11months 29days"));
}

#[test]
fn a_provinces_administrator_enters_agencies_of_its_province_through_the_hub() {
    let stage = Stage::set(&[]);
    stage.appoint("H36/binh", "province:H36");
    let hub = stage.start();
    let header = "code,name,level,parent,province,from,until,state,policy,gateway\n";
    let file = stage.path("new.csv");
    let write = |line: &str| std::fs::write(&file, format!("{header}{line}\n")).unwrap();
    write("H36.99,Ban quản lý mới,province,H36,H36,2020-01-01,,connected,transition,");
    let apply = ["directory", "apply", text(&file)];
    assert_eq!(hub.json("H36/binh", &apply)["entries"], 1);
    assert_eq!(hub.json("H35", &["directory", "show", "H36.99"])["name"], "Ban quản lý mới");
    write("H35.99,Ban khác,province,H35,H35,2020-01-01,,connected,transition,");
    let refused = hub.fail(1, "H36/binh", &apply);
    assert!(refused.contains("CALLER_NOT_ENTITLED"), "{refused}");
}

#[test]
fn appointing_offline_says_what_is_missing_and_keeps_the_last_administrator() {
    let folder = tempfile::tempdir().unwrap();
    let appoint = |data: &Path, more: &[&str]| {
        let appoint = ["admin", "appoint", "--person", "G22/binh", "--role", "administrator"];
        let rest = ["--territory", "country", "--from", "2020-01-01", "--data"];
        [&appoint[..], &rest, &[text(data)], more].concat().into_iter().map(str::to_owned).collect()
    };
    let said = |code, arguments: Vec<String>| {
        fail(code, &arguments.iter().map(String::as_str).collect::<Vec<_>>())
    };
    let nowhere = folder.path().join("nowhere");
    assert!(said(2, appoint(&nowhere, &[])).contains("no data folder"));
    assert!(!nowhere.exists());
    let stage = Stage::set(&[]);
    stage.appoint("G22/binh", "country");
    let last = said(1, appoint(&stage.path("data"), &["--until", "2020-02-01"]));
    assert!(last.contains("no administrator of the country would be left"), "{last}");
    let role =
        ["admin", "appoint", "--person", "G22/an", "--role", "root", "--territory", "country"];
    assert!(fail(2, &role).contains("administrator"));
}

#[test]
fn a_folder_at_rest_takes_every_act_and_shows_what_it_has() {
    let stage = Stage::set(&[]);
    let (pki, data) = (stage.path("pki"), stage.path("data"));
    let act = |command: &[&str]| json(&[command, &["--data", text(&data)]].concat());
    let at = |name: &str| text(&pki.join(name)).to_owned();
    act(&["trust", "add-authority", &at("root.pem"), "--trusted"]);
    let late = act(&["trust"]);
    assert_eq!(late["authorities"][0]["state"], "late", "no list was entered yet");
    act(&["trust", "add-authority", &at("issuing.pem")]);
    let lists = ["trust", "add-list", &at("crl/root.crl"), &at("crl/issuing.crl")];
    let entered = act(&lists);
    assert_eq!(entered[1]["in_force"], true);
    assert_eq!(act(&lists), entered, "to repeat it changes nothing");
    act(&["trust", "grace", "24h"]);
    let trust = act(&["trust"]);
    assert_eq!(trust["grace_seconds"], 24 * 3600);
    let states = trust["authorities"].as_array().unwrap().iter().map(|one| &one["state"]);
    assert!(states.clone().all(|state| state == "in-date"), "{trust}");
    let head = ["trust", "mandate", "--agency", "H36", "--person", "H36/chair"];
    act(&[&head[..], &["--capacity", "head", "--from", "2020-01-01"]].concat());
    assert_eq!(act(&["trust", "mandates", "H36"])[0]["person"], "H36/chair");
    act(&["admin", "quota", "--agency", "H36", "--bytes-per-day", "10GiB"]);
    assert_eq!(act(&["admin", "quotas"])[0]["bytes_per_day"], 10u64 << 30);
    // The hub that is started on it then has all of it.
    stage.appoint("G22/binh", "country");
    let hub = stage.start();
    assert_eq!(hub.json("G22/binh", &["trust"])["grace"], "1day");
    assert_eq!(hub.json("G22/binh", &["admin", "quotas"]).as_array().unwrap().len(), 1);
}
