//! `lienthong config` and how a hub reads its configuration.

use std::process::Command;

use lienthong_model::limits::{CONNECTIONS_MAX, DESCRIPTORS_KEPT, HANDSHAKES_MAX};

use crate::process::{Running, fail, json, lienthong, run, succeed, text};

/// A folder with a PKI that has a hub's certificate.
fn pki() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let dir = text(folder.path());
    succeed(&["pki", "init", dir]);
    succeed(&["pki", "issue", dir, "--agency", "G22", "--hub", "localhost"]);
    folder
}

fn setting<'s>(settings: &'s serde_json::Value, key: &str) -> &'s serde_json::Value {
    let of = |setting: &&serde_json::Value| setting["key"] == key;
    settings.as_array().unwrap().iter().find(of).unwrap()
}

#[test]
fn check_prints_values_in_force_and_where_they_come_from() {
    let pki = pki();
    let file = pki.path().join("hub.toml");
    std::fs::write(&file, "pki = \".\"\nlisten = \"127.0.0.1:1\"\ndata = \"d\"\n").unwrap();
    let mut command = lienthong();
    command.args(["config", "check", "--listen", "127.0.0.1:3", "--output", "json"]);
    command.args(["--config", text(&file)]).env("LIENTHONG_DATA", "from-environment");
    let output = command.output().unwrap();
    let settings: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(setting(&settings, "listen")["values"][0], "127.0.0.1:3");
    assert_eq!(setting(&settings, "listen")["origin"], "flag");
    assert_eq!(setting(&settings, "data")["values"][0], "from-environment");
    assert_eq!(setting(&settings, "data")["origin"], "environment LIENTHONG_DATA");
    assert!(setting(&settings, "pki")["origin"].as_str().unwrap().ends_with("hub.toml, line 1"));
    assert_eq!(setting(&settings, "certificate")["origin"], "pki");
    assert_eq!(setting(&settings, "clock")["origin"], "default");
    assert!(output.status.success());
}

#[test]
fn an_unknown_key_is_wrong_usage_and_names_the_nearest() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("hub.toml");
    std::fs::write(&file, "lisen = \"127.0.0.1:0\"\n").unwrap();
    for command in [&["config", "check"][..], &["hub"]] {
        let said = fail(2, &[command, &["--config", text(&file)]].concat());
        for part in ["hub.toml", "line 1", "`lisen`", "did you mean `listen`", "có phải `listen`"]
        {
            assert!(said.contains(part), "{part} in {said}");
        }
    }
    let output = run(&["config", "check", "--config", text(&file), "--output", "json"]);
    let said: serde_json::Value = serde_json::from_slice(&output.stderr).unwrap();
    for (member, part) in [
        ("usage", "line 1: there is no key `lisen`"),
        ("usage_vi", "dòng 1: không có khóa `lisen`"),
        ("remedy", "did you mean `listen`?"),
        ("remedy_vi", "có phải `listen`?"),
    ] {
        assert!(said[member].as_str().unwrap().contains(part), "{member}: {said}");
    }
}

#[test]
fn a_hub_without_certificates_says_what_to_set() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let said = fail(2, &["hub", "--data", text(&data)]);
    assert!(said.contains("lienthong pki init"), "{said}");
    assert!(said.contains("trục chưa tin cậy gốc nào"), "{said}");
    let said = fail(2, &["hub", "--data", text(&data), "--pki", text(folder.path())]);
    assert!(said.contains("lienthong pki issue"), "{said}");
    assert!(!data.exists(), "nothing is made for a hub that cannot start");
}

#[test]
fn a_scenario_clock_needs_a_test_pki() {
    let pki = pki();
    let check = ["config", "check", "--clock", "start=2020-11-16T08:00+07:00,rate=600", "--pki"];
    let check = [&check[..], &[text(pki.path())]].concat();
    let said = fail(2, &check);
    assert!(said.contains("--test-pki"), "{said}");
    succeed(&[&check[..], &["--test-pki"]].concat());
    let said = fail(2, &["config", "check", "--clock", "soon", "--pki", text(pki.path())]);
    assert!(said.contains("rate=600"), "{said}");
}

#[test]
fn every_key_is_listed_and_documented() {
    let page = include_str!("../../docs/CONFIGURATION.md");
    let keys = json(&["config", "keys"]);
    for key in keys.as_array().unwrap() {
        for part in ["key", "variable"] {
            let part = key[part].as_str().unwrap();
            assert!(page.contains(&format!("`{part}`")), "{part} is not in docs/CONFIGURATION.md");
        }
        let default = key["default"].as_str().unwrap_or("none");
        let row = page
            .lines()
            .find(|line| line.starts_with(&format!("| `{}`", key["key"].as_str().unwrap())));
        assert!(row.unwrap().contains(default), "{key}: {row:?}");
    }
    assert!(keys.as_array().unwrap().len() >= 12);
}

#[test]
fn a_hub_raises_its_own_limit_of_open_files_as_far_as_it_needs_and_may() {
    let pki = pki();
    let hub = lienthong();
    let mut command = Command::new("sh");
    for (name, value) in hub.get_envs() {
        match value {
            Some(value) => command.env(name, value),
            None => command.env_remove(name),
        };
    }
    command.args(["-c", "ulimit -Sn 256 && exec \"$0\" \"$@\""]).arg(hub.get_program());
    command.args(["hub", "--listen", "127.0.0.1:0", "--log", "warn", "--output", "json"]);
    command.args(["--pki", text(pki.path()), "--data", text(&pki.path().join("data"))]);
    let mut hub = Running::start(command);
    hub.line_with("ready");
    let limits = std::fs::read_to_string(format!("/proc/{}/limits", hub.id())).unwrap();
    let line = limits.lines().find(|line| line.starts_with("Max open files")).unwrap();
    let [soft, hard] = [3, 4].map(|at| {
        let limit = line.split_whitespace().nth(at).unwrap();
        // Else it is `unlimited`.
        limit.parse().unwrap_or(usize::MAX)
    });
    assert_eq!(soft, hard.min(CONNECTIONS_MAX + HANDSHAKES_MAX + DESCRIPTORS_KEPT), "{line}");
    assert_eq!(hub.terminate(), Some(0));
}
