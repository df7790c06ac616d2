//! A whole case between two connectors, as `docs/CONNECTOR.md` walks through it: a document with a
//! large attachment is refused, replaced, finished, and explained.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::node::{Stage, names, until};
use crate::process::{json, text};

/// Above what travels beside a document, and more than one piece of an upload.
const MAP_BYTES: usize = 12 * 1024 * 1024 + 7;

/// Puts a document with these files into the outbox of H36.
fn send(stage: &Stage, name: &str, header: &str, files: &[(&str, &[u8])]) {
    let outbox = stage.desk("H36").join("outbox");
    let unfinished = outbox.join(format!(".{name}"));
    fs::create_dir(&unfinished).unwrap();
    fs::write(unfinished.join("document.toml"), header).unwrap();
    for (file, bytes) in files {
        fs::write(unfinished.join(file), bytes).unwrap();
    }
    fs::rename(unfinished, outbox.join(name)).unwrap();
}

/// Waits for the `count`th document of H35's inbox; returns its folder.
fn arrived(stage: &Stage, count: usize) -> PathBuf {
    let inbox = stage.desk("H35").join("inbox");
    until("the document", || names(&inbox).len() == count);
    inbox.join(names(&inbox).last().unwrap())
}

/// Reports as H35; returns when the hub has the report.
fn report(stage: &Stage, name: &str, document: &Path, status: &str, reason: &str) {
    let out = stage.desk("H35").join("status/out");
    let document = document.file_name().unwrap().to_str().unwrap();
    let reason = if reason.is_empty() { String::new() } else { format!("reason = \"{reason}\"\n") };
    let report = format!("document = \"{document}\"\nstatus = \"{status}\"\n{reason}");
    fs::write(out.join(format!(".{name}")), report).unwrap();
    fs::rename(out.join(format!(".{name}")), out.join(format!("{name}.toml"))).unwrap();
    let sent = stage.desk("H35").join("status/sent").join(name);
    until(&format!("report {status}"), || sent.is_dir());
}

fn read(path: &Path) -> Value {
    serde_json::from_slice(&fs::read(path).unwrap()).unwrap()
}

/// The id that the hub's receipt names.
fn id_of(stage: &Stage, name: &str) -> String {
    let receipt = stage.desk("H36").join("sent").join(name).join("_lienthong/receipt.json");
    until("the receipt", || receipt.is_file());
    read(&receipt)["id"].as_str().unwrap().to_owned()
}

/// What H36 finds in `status/in`, in the order in which it came.
fn told(stage: &Stage) -> Vec<Value> {
    let notices = stage.desk("H36").join("status/in");
    names(&notices).iter().map(|name| read(&notices.join(name))).collect()
}

fn explain(stage: &Stage, agency: &str, id: &str) -> Value {
    let keys = stage.folder.path().join("pki/agencies").join(agency);
    json(&["explain", "H36", id, "--hub", &stage.address, "--as", text(&keys)])
}

fn kinds(explained: &Value) -> Vec<&str> {
    let events = explained["events"].as_array().unwrap();
    events.iter().map(|event| event["kind"].as_str().unwrap()).collect()
}

#[test]
fn a_document_is_refused_replaced_finished_and_explained_between_two_connectors() {
    let stage = Stage::set();
    let (sender, recipient) = (stage.start("H36"), stage.start("H35"));
    let map: Vec<u8> = (0..MAP_BYTES).map(|byte| (byte % 251) as u8).collect();

    let header = "to = [\"H35\"]\nsubject = \"Về việc phối hợp bảo vệ rừng\"\nnumber = 15\n\
                  unit = \"UBND\"\n";
    send(&stage, "cv-15", header, &[("ban-do.tif", &map)]);
    let first = id_of(&stage, "cv-15");
    let folder = arrived(&stage, 1);
    assert!(fs::read(folder.join("attachments/ban-do.tif")).unwrap() == map, "every byte arrives");
    report(&stage, "tu-choi", &folder, "02", "Thiếu phụ lục");
    until("the refusal", || told(&stage).len() == 1);
    assert_eq!(told(&stage)[0]["status"], "02");

    let header = format!(
        "to = [\"H35\"]\nsubject = \"Về việc phối hợp bảo vệ rừng\"\nnumber = 16\nunit = \"UBND\"\n\
         kind = \"replace\"\nacts-on = \"{first}\"\nreason = \"Bổ sung phụ lục\"\n"
    );
    send(&stage, "cv-16", &header, &[("ban-do.tif", &map), ("phu-luc.txt", "Phụ lục".as_bytes())]);
    let second = id_of(&stage, "cv-16");
    let folder = arrived(&stage, 2);
    assert_eq!(read(&folder.join("document.json"))["acts_on"]["id"], first.as_str());
    for (name, status) in [("tiep-nhan", "03"), ("xu-ly", "05"), ("hoan-thanh", "06")] {
        report(&stage, name, &folder, status, "");
    }
    until("the end", || told(&stage).iter().any(|notice| notice["status"] == "06"));

    for agency in ["H36", "H35"] {
        let refused = explain(&stage, agency, &first);
        let why = refused["events"].as_array().unwrap().iter().map(Value::to_string);
        assert!(why.into_iter().any(|event| event.contains("Thiếu phụ lục")), "{refused:#}");
        let finished = explain(&stage, agency, &second);
        assert_eq!(finished["waits"].as_array().unwrap().len(), 0, "{finished:#}");
        assert!(kinds(&finished).len() >= 5, "{finished:#}");
    }
    assert_eq!(sender.terminate(), Some(0));
    assert_eq!(recipient.terminate(), Some(0));
}
