//! Explaining, counting, waiting, reminding, cases and lists, from the command line.

use crate::exchange::Stage;
use crate::process::{fail, succeed};

#[test]
fn a_document_is_explained_and_counted_and_its_laggards_reminded() {
    let stage = Stage::set();
    let id = stage.send("H35,H34", "Về việc thử", &[]);
    let explained = stage.json("H36", &["explain", "H36", &id]);
    let events = explained["events"].as_array().unwrap();
    let kinds: Vec<_> = events.iter().map(|event| event["kind"].as_str().unwrap()).collect();
    assert_eq!(kinds[..2], ["signed", "accepted"], "{explained}");
    assert!(events[0]["why"]["vi"].as_str().unwrap().contains("Nguyễn Văn An"), "{explained}");
    assert_eq!(explained["waits"].as_array().unwrap().len(), 2);
    assert_eq!(explained["waits"][0]["cause"], "not_picked_up");

    let agency = stage.agency("H36");
    let text = succeed(&stage.arguments(&agency, &["explain", "H36", &id]));
    for part in
        ["Diễn biến / what happened", "ai / who: H35", "trục tiếp nhận / accepted by the hub"]
    {
        assert!(text.contains(part), "{part} in {text}");
    }
    let csv = succeed(&stage.arguments(&agency, &["explain", "H36", &id, "--output", "csv"]));
    let lines: Vec<_> = csv.lines().collect();
    let heads = "part,at,kind,recipient,what.vi,what.en,why.vi,why.en,actor,remedy.vi,remedy.en";
    assert_eq!(lines[0], heads);
    assert_eq!(lines.len(), 1 + events.len() + 2, "{csv}");
    let waits = lines.iter().filter(|line| line.starts_with("wait,"));
    assert!(waits.clone().all(|line| line.contains(",not_picked_up,H3")), "{csv}");
    assert_eq!(waits.count(), 2);
    let progress = stage.json("H36", &["progress", "H36", &id, "--list", "waiting"]);
    assert_eq!((&progress["recipients"], &progress["waiting"]), (&2.into(), &2.into()));
    assert_eq!(progress["recipients_listed"].as_array().unwrap().len(), 2);
    let wait = ["progress", "H36", &id, "--wait-for", "0.5", "--timeout", "50ms"];
    fail(1, &stage.arguments(&agency, &wait));
    let reminded = stage.json("H36", &["remind", "H36", &id]);
    assert_eq!(reminded["reminded"], 2);
    let said = fail(1, &stage.arguments(&agency, &["remind", "H36", &id]));
    assert!(said.contains("REMINDER_TOO_SOON"), "{said}");
    let stuck = stage.json("H35", &["stuck"]);
    assert_eq!(stuck["received"][0]["id"], id.as_str());
    let other = stage.agency("H35");
    let stuck = |form| succeed(&stage.arguments(&other, &["stuck", "--output", form]));
    let csv = stuck("csv");
    let (heads, lines) = csv.split_once("\r\n").unwrap();
    assert!(
        heads.starts_with("side,sender,id,subject,recipients,wait.recipient,wait.since,wait.cause"),
        "{heads}"
    );
    assert!(lines.starts_with(&format!("received,H36,{id},")), "{lines}");
    assert_eq!(lines.lines().count(), stuck("jsonl").lines().count());
    let thread = stage.json("H36", &["thread", "H36", &id]);
    assert_eq!(thread["documents"][0]["id"], id.as_str());
}

#[test]
fn a_list_is_saved_resolved_named_by_a_document_and_removed() {
    let stage = Stage::set();
    let save = ["list", "save", "phoi-hop", "--member", "H35,H34", "--title", "Phối hợp"];
    let saved = stage.json("H36", &save);
    assert_eq!(
        (&saved[0]["name"], &saved[0]["members"]),
        (&"saved:H36/phoi-hop".into(), &2.into())
    );
    let resolved = stage.json("H36", &["list", "resolve", "saved:phoi-hop"]);
    assert_eq!(resolved["recipients"].as_array().unwrap().len(), 2);
    let agency = stage.agency("H36");
    let shown = succeed(&stage.arguments(&agency, &["list", "show"]));
    for part in ["provinces", "communes-of:H36", "saved:H36/phoi-hop", "Phối hợp"] {
        assert!(shown.contains(part), "{part} in {shown}");
    }
    for line in shown.lines() {
        assert!(line.chars().count() <= 100, "{line}");
    }
    let send = ["send", "--to-list", "saved:phoi-hop", "--subject", "Về việc thử"];
    let receipt = stage.json("H36", &send);
    assert_eq!(receipt["recipients"], 2);
    assert_eq!(receipt["routes"].as_array().unwrap().len(), 2);
    succeed(&stage.arguments(&agency, &["list", "remove", "phoi-hop"]));
    let said = fail(1, &stage.arguments(&agency, &send));
    assert!(said.contains("RECIPIENT_LIST_UNKNOWN"), "{said}");
}
