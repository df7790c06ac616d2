//! `lienthong sim`: list, check, describe, run, diff, explore.

use std::path::{Path, PathBuf};
use std::process::Output;

use serde_json::Value;

use crate::process::{fail, json, lienthong, run, succeed, text};

const SMALL: &str = "[scenario]\nname = \"lam-dong\"\ntitle = \"Lâm Đồng\"\n\
    from = 2020-11-16\nuntil = 2020-11-16\n\
    [[agencies]]\nprovinces = [\"H36\"]\ntake = 2\n\
    [[traffic]]\nprovinces = [\"H36\"]\ndocuments-per-day = 20\n\
    [[expect]]\nmeasure = \"sent\"\nequals = 20\n";

fn file(content: &str) -> (tempfile::TempDir, std::path::PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("lam-dong.toml");
    std::fs::write(&path, content).unwrap();
    (folder, path)
}

#[test]
fn the_list_has_one_object_a_scenario_with_its_name_first() {
    let lines = succeed(&["sim", "list", "--output", "jsonl"]);
    assert!(lines.lines().count() >= 10, "{lines}");
    for line in lines.lines() {
        assert!(line.starts_with("{\"name\":\""), "{line}");
        serde_json::from_str::<serde_json::Value>(line).unwrap();
    }
    assert!(succeed(&["sim", "list"]).contains("central-highlands-2020-11"));
}

#[test]
fn a_wrong_file_names_file_line_key_and_remedy() {
    let (_folder, path) = file(&SMALL.replace("take", "tkae"));
    for command in ["check", "describe", "run"] {
        let said = fail(2, &["sim", command, text(&path)]);
        for part in ["lam-dong.toml", "line 8", "`tkae`", "did you mean `take`"] {
            assert!(said.contains(part), "{part} in {said}");
        }
    }
    let (_folder, path) = file(&SMALL.replace("H36", "H99"));
    let said = fail(2, &["sim", "check", text(&path)]);
    for part in ["lam-dong.toml", "line 7", "`H99`", "did you mean `H", "dòng 7", "có phải `H"]
    {
        assert!(said.contains(part), "{part} in {said}");
    }
    let nobody = "[[fault]]\nkind = \"node-off\"\nlevels = [\"ministry\"]\n";
    let (_folder, path) = file(&format!("{SMALL}{nobody}"));
    let said = fail(2, &["sim", "check", text(&path)]);
    for part in ["lam-dong.toml", "line 15", "nobody to hit", "dòng 15", "take the [[fault]] out"]
    {
        assert!(said.contains(part), "{part} in {said}");
    }
    let said = fail(2, &["sim", "run", "central-highland"]);
    assert!(said.contains("central-highlands-2020-11"), "{said}");
}

#[test]
fn a_scenario_is_described_before_it_runs() {
    let said = succeed(&["sim", "describe", "central-highlands-2020-11"]);
    for part in ["Tây Nguyên", "Central Highlands", "H15", "growth", "2020-11-30"] {
        assert!(said.contains(part), "{part} in {said}");
    }
}

#[test]
fn a_run_writes_trace_json_and_junit_and_ends_with_its_verdict() {
    let (folder, path) = file(SMALL);
    let at = |name: &str| folder.path().join(name);
    let (trace, report, junit) = (at("trace.txt"), at("report.json"), at("junit.xml"));
    let page = at("report.html");
    let said = json(&[
        "sim",
        "run",
        text(&path),
        "--seed",
        "5",
        "--trace",
        text(&trace),
        "--json",
        text(&report),
        "--junit",
        text(&junit),
        "--html",
        text(&page),
    ]);
    assert_eq!(said["passed"], true, "{said}");
    assert_eq!(said["documents"], 20);
    let kept: serde_json::Value =
        serde_json::from_str(&std::fs::read_to_string(report).unwrap()).unwrap();
    assert_eq!(kept, said);
    let lines = std::fs::read(trace).unwrap();
    let digest = lienthong_model::Digest::of(&lines).to_string();
    assert_eq!(said["trace_sha256"], digest.as_str());
    assert!(std::fs::read_to_string(junit).unwrap().contains("failures=\"0\""));
    let page = std::fs::read_to_string(page).unwrap();
    assert!(page.contains("<svg") && page.contains("--seed 5"), "{page}");

    let (_folder, wrong) = file(&SMALL.replace("equals = 20", "equals = 21"));
    let output = run(&["sim", "run", text(&wrong)]);
    assert_eq!(output.status.code(), Some(1));
    let said = String::from_utf8(output.stdout).unwrap();
    assert!(said.contains("sim run") && said.contains("--seed 1"), "{said}");
    assert!(said.contains("(H36"), "documents are named: {said}");
}

#[test]
fn a_file_that_cannot_be_written_is_known_before_anything_is_played() {
    let (folder, path) = file(SMALL);
    let nowhere = folder.path().join("none").join("report");
    for option in ["--json", "--junit", "--html", "--trace"] {
        let said = fail(2, &["sim", "run", text(&path), option, text(&nowhere)]);
        assert!(said.contains(text(&nowhere)) && said.contains("cannot write"), "{said}");
    }
    let said = fail(2, &["sim", "explore", "--seeds", "1", "--save", text(&nowhere)]);
    assert!(said.contains(text(&nowhere)) && said.contains("cannot write"), "{said}");
}

#[cfg(target_os = "linux")]
#[test]
fn a_report_that_cannot_be_written_in_the_end_loses_neither_the_verdict_nor_the_others() {
    let (folder, path) = file(SMALL);
    let page = folder.path().join("report.html");
    let full = "/dev/full";
    let output =
        run(&["sim", "run", text(&path), "--json", full, "--junit", full, "--html", text(&page)]);
    assert_eq!(output.status.code(), Some(1));
    let (said, errors) = (String::from_utf8(output.stdout), String::from_utf8(output.stderr));
    assert!(said.unwrap().contains("đạt / passed"));
    assert_eq!(errors.unwrap().matches(full).count(), 2);
    assert!(std::fs::read_to_string(page).unwrap().contains("<svg"));
}

#[test]
fn the_command_that_plays_it_again_has_every_option_and_can_be_copied() {
    let folder = tempfile::Builder::new().prefix("kịch bản ").tempdir().unwrap();
    let path = folder.path().join("lam-dong.toml");
    std::fs::write(&path, SMALL).unwrap();
    let report = json(&["sim", "run", text(&path), "--signatures", "0.25"]);
    let replay = report["replay"].as_str().unwrap();
    let words = shlex::split(replay).unwrap();
    assert_eq!(words[3..], [text(&path), "--seed", "1", "--signatures", "0.25"], "{replay}");
}

#[test]
fn an_option_that_the_chosen_world_does_not_heed_is_refused() {
    let (_folder, path) = file(SMALL);
    for option in [["--agencies", "8"], ["--rate", "60"]] {
        let said = fail(2, &["sim", "run", text(&path), option[0], option[1]]);
        assert!(said.contains(option[0]) && said.contains("--world live"), "{said}");
    }
    let live = ["sim", "run", text(&path), "--world", "live", "--signatures", "0"];
    assert!(fail(2, &live).contains("leave --signatures out"));
}

/// What only a hub that was killed and started again shows.
const RESTARTED: &str = "[[expect]]\nmeasure = \"hub-restarts\"\nequals = 1\n";

/// Plays a file live, with JSON; what is left of the hub goes to a folder of one's own.
fn play_live(path: &Path, temporary: &Path, more: &[&str]) -> Output {
    let mut command = lienthong();
    command.args(["sim", "run", text(path), "--world", "live", "--output", "json"]).args(more);
    command.env("TMPDIR", temporary).output().unwrap()
}

/// The folders of hubs that were kept.
fn kept_in(temporary: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(temporary).unwrap().map(|entry| entry.unwrap().path());
    entries.filter(|path| path.join("data").is_dir()).collect()
}

#[test]
fn a_live_hub_that_is_killed_comes_back_and_the_scenario_still_comes_out() {
    let killed = "[[answers]]\naccepted-hours = [0.1, 1]\n\
        [[fault]]\nkind = \"hub-killed\"\nfrom = 2020-11-16T09:00:00\nuntil = 2020-11-16T10:00:00\n\
        [[expect]]\nmeasure = \"waiting\"\nequals = 0\n";
    let (folder, path) = file(&format!("{SMALL}{killed}{RESTARTED}"));
    let (xml, temporary) = (folder.path().join("report.xml"), folder.path().join("tmp"));
    std::fs::create_dir(&temporary).unwrap();
    let output = play_live(&path, &temporary, &["--rate", "7200", "--junit", text(&xml)]);
    let report: Value = serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|_| panic!("{}", String::from_utf8_lossy(&output.stderr)));
    assert_eq!(report["passed"], true, "{report:#}");
    let laws = report["checks"].as_array().unwrap().iter().filter(|one| one["kind"] == "law");
    assert!(laws.count() >= 5, "a replay of the hub's folder is one of them: {report:#}");
    assert!(report["replay"].as_str().unwrap().contains("--world live"), "{report:#}");
    assert!(std::fs::read_to_string(xml).unwrap().contains("failures=\"0\""));
    assert_eq!(kept_in(&temporary), Vec::<PathBuf>::new(), "nobody needs to look at it");
}

#[test]
fn a_live_hub_that_nobody_kills_has_not_restarted_and_what_fails_keeps_its_folder() {
    let (folder, path) = file(&format!("{SMALL}{RESTARTED}"));
    let temporary = folder.path().join("tmp");
    std::fs::create_dir(&temporary).unwrap();
    let output = play_live(&path, &temporary, &["--rate", "28800"]);
    let said = String::from_utf8(output.stderr).unwrap();
    let report: Value = serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{said}"));
    assert_eq!(output.status.code(), Some(1), "{report:#}");
    let checks = report["checks"].as_array().unwrap().iter();
    let broken: Vec<&Value> = checks.filter(|one| one["passed"] == false).collect();
    let [restarts] = &broken[..] else { panic!("{report:#}") };
    assert!(restarts["name"].as_str().unwrap().contains("hub-restarts"), "{restarts}");
    assert_eq!(restarts["found"], "0");
    let kept = kept_in(&temporary);
    let [kept] = &kept[..] else { panic!("{kept:?}: {said}") };
    for part in ["thư mục của trục được giữ lại", "the hub's folder is kept", text(kept)]
    {
        assert!(said.contains(part), "{part} in {said}");
    }
}

#[test]
fn a_live_hub_of_its_own_has_a_full_disk_and_a_late_list() {
    let faults = "[[answers]]\naccepted-hours = [0.1, 1]\n\
        [[fault]]\nkind = \"disk-full\"\n\
        from = 2020-11-16T09:00:00\nuntil = 2020-11-16T11:00:00\n\
        [[fault]]\nkind = \"revocation-list-late\"\n\
        from = 2020-11-16T13:00:00\nuntil = 2020-11-16T20:00:00\n\
        [[expect]]\nmeasure = \"refusals\"\nreason = \"STORAGE_LOW\"\nat-least = 1\n\
        [[expect]]\nmeasure = \"unproven\"\nat-least = 1\n\
        [[expect]]\nmeasure = \"waiting\"\nequals = 0\n";
    let (_folder, path) = file(&format!("{SMALL}{faults}"));
    let report = json(&["sim", "run", text(&path), "--world", "live", "--rate", "7200"]);
    assert_eq!(report["passed"], true, "{report:#}");
}

#[test]
fn what_the_live_world_does_not_have_is_refused_with_line_and_remedy() {
    let unknown = "[[expect]]\nmeasure = \"replies\"\nat-least = 1\n";
    let (_folder, path) = file(&format!("{SMALL}{unknown}"));
    succeed(&["sim", "check", text(&path)]);
    for command in [&["check", text(&path)], &["run", text(&path)]] {
        let said = fail(2, &["sim", command[0], command[1], "--world", "live"]);
        for part in ["line 15", "replies", "--world virtual"] {
            assert!(said.contains(part), "{part} in {said}");
        }
    }
}

#[test]
fn two_traces_are_compared_and_the_first_difference_is_told_in_words() {
    let (folder, path) = file(SMALL);
    let trace = |name: &str, seed: &str| {
        let trace = folder.path().join(name);
        succeed(&["sim", "run", text(&path), "--seed", seed, "--trace", text(&trace)]);
        trace
    };
    let (one, again, other) = (trace("1.txt", "1"), trace("2.txt", "1"), trace("3.txt", "2"));
    assert!(succeed(&["sim", "diff", text(&one), text(&again)]).contains("the same"));
    let output = run(&["sim", "diff", text(&one), text(&other)]);
    assert_eq!(output.status.code(), Some(1));
    let said = String::from_utf8(output.stdout).unwrap();
    for part in ["they differ from line", "1.txt", "3.txt", "before it"] {
        assert!(said.contains(part), "{part} in {said}");
    }
}

#[test]
fn a_few_seeds_are_explored_and_told() {
    let said = json(&["sim", "explore", "--seeds", "3", "--from", "40"]);
    assert_eq!((said["seeds"].as_u64(), said["failure"].is_null()), (Some(3), true), "{said}");
    assert!(said["events"].as_u64() > Some(0), "{said}");
}

#[test]
fn without_a_failure_nothing_is_saved() {
    let (folder, former) = file("# of a former failure\n");
    let new = folder.path().join("new.toml");
    for path in [&former, &new] {
        succeed(&["sim", "explore", "--seeds", "1", "--from", "40", "--save", text(path)]);
    }
    assert_eq!(std::fs::read_to_string(former).unwrap(), "# of a former failure\n");
    assert!(!new.exists());
}
