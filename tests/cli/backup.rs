//! Backups and the self-test as users meet them.

use crate::exchange::Stage;
use crate::process::{fail, json, run, succeed, text};

#[test]
fn a_backup_of_a_running_hub_is_gone_on_with_checked_and_restored() {
    let stage = Stage::set();
    stage.send("H35", "Về việc một", &[]);
    let checkpoint = stage.json("H36", &["evidence", "checkpoint"]);
    let (data, backup, restored) =
        (stage.path("data"), stage.path("backup"), stage.path("restored"));
    let take = ["backup", "--data", text(&data), "--to", text(&backup)];
    let first = json(&take);
    assert_eq!(first["checkpoint"], checkpoint["checkpoint"], "the hub's own, to the letter");
    assert_eq!(first["new_blocks"], first["block"]);
    stage.send("H35", "Về việc hai", &[]);
    let second = json(&take);
    assert_eq!((&first["log_size"], &second["log_size"]), (&1.into(), &2.into()));
    assert!(second["new_blocks"].as_u64() < first["new_blocks"].as_u64(), "{second}");

    let key = checkpoint["key"].as_str().unwrap();
    let checked = json(&["backup", "verify", text(&backup), "--key", key]);
    assert_eq!(checked["audit"]["findings_total"], 0, "{checked}");
    let said = succeed(&["backup", "verify", text(&backup)]);
    assert!(said.contains("không có gì sai / nothing is wrong"), "{said}");
    assert!(said.lines().all(|line| line.chars().count() <= 100), "{said}");
    let made = json(&["restore", "--from", text(&backup), "--to", text(&restored)]);
    assert_eq!((&made["log_root"], &made["block"]), (&second["log_root"], &second["block"]));
    let audit = json(&["evidence", "audit", "--data", text(&restored)]);
    assert_eq!((&audit["findings_total"], &audit["root"]), (&0.into(), &made["log_root"]));

    for (arguments, says) in [
        (&["restore", "--from", text(&backup), "--to", text(&data)][..], "is not empty"),
        (&["restore", "--from", text(&backup), "--to", text(&data)], "không rỗng"),
        (&["restore", "--from", text(&data), "--to", text(&backup)], "is no backup"),
        (&["backup", "--data", text(&backup), "--to", text(&restored)], "is no data folder"),
        (&["backup", "verify", text(&data)], "is no backup"),
    ] {
        let said = fail(2, arguments);
        assert!(said.contains(says) && said.contains("xử lý / remedy"), "{arguments:?}: {said}");
    }
    let file = backup.join("data/journal/00000000000000000001.blocks");
    let mut bytes = std::fs::read(&file).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 4;
    std::fs::write(&file, bytes).unwrap();
    let output = run(&["backup", "verify", text(&backup)]);
    let said = String::from_utf8(output.stdout).unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(said.contains("FRAME") && said.contains(&middle.to_string()), "{said}");
}

#[test]
fn the_crash_test_that_users_have_passes_and_says_how_it_is_replayed() {
    let report = json(&["selftest", "crash", "--rounds", "1", "--seed", "7"]);
    assert_eq!(report["passed"], true, "{report}");
    assert_eq!(report["replay"], "lienthong selftest crash --rounds 1 --seed 7");
    assert!(report["documents"].as_u64() > Some(10), "{report}");
    let occupied = tempfile::tempdir().unwrap();
    std::fs::write(occupied.path().join("photos"), "").unwrap();
    let said = fail(2, &["selftest", "crash", "--dir", text(occupied.path())]);
    assert!(said.contains("is not empty"), "{said}");
}
