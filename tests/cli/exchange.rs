//! A real hub on loopback with real TLS: a document goes out, is received, reported, tracked and
//! counted.

use std::path::{Path, PathBuf};

use crate::process::{Running, fail, json, lienthong, run, succeed, text};

/// A hub with its PKI, in a folder that is removed at the end.
pub(crate) struct Stage {
    folder: tempfile::TempDir,
    hub: Running,
    address: String,
}

impl Stage {
    pub(crate) fn set() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let pki = folder.path().join("pki");
        succeed(&["pki", "init", text(&pki)]);
        succeed(&["pki", "issue", text(&pki), "--agency", "G22", "--hub", "localhost,127.0.0.1"]);
        let person = ["--person", "an.nguyen", "--name", "Nguyễn Văn An", "--title", "Chủ tịch"];
        let of =
            |code: &'static str| ["pki", "issue", text(&pki), "--agency", code, "--node", "--seal"];
        succeed(&[&of("H36")[..], &person].concat());
        succeed(&of("H35"));
        succeed(&of("H34"));
        let (hub, address) = start(folder.path());
        Self { folder, hub, address }
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Flags of an agency's commands.
    pub(crate) fn agency(&self, code: &str) -> [String; 4] {
        let folder = self.path("pki/agencies").join(code);
        ["--hub".into(), self.address.clone(), "--as".into(), text(&folder).into()]
    }

    pub(crate) fn arguments<'a>(
        &'a self,
        agency: &'a [String; 4],
        more: &[&'a str],
    ) -> Vec<&'a str> {
        more.iter().copied().chain(agency.iter().map(String::as_str)).collect()
    }

    pub(crate) fn json(&self, code: &str, arguments: &[&str]) -> serde_json::Value {
        let agency = self.agency(code);
        json(&self.arguments(&agency, arguments))
    }

    /// Hands a document of H36 over; returns its id.
    pub(crate) fn send(&self, to: &str, subject: &str, more: &[&str]) -> String {
        let send = ["send", "--to", to, "--subject", subject];
        let receipt = self.json("H36", &[&send[..], more].concat());
        receipt["id"].as_str().unwrap().to_owned()
    }
}

/// Starts a hub on the folder; returns it with its address.
fn start(folder: &Path) -> (Running, String) {
    let mut command = lienthong();
    command.args(["hub", "--listen", "127.0.0.1:0", "--output", "json", "--log", "warn"]);
    command.args(["--pki", text(&folder.join("pki")), "--data", text(&folder.join("data"))]);
    let mut hub = Running::start(command);
    let ready: serde_json::Value = serde_json::from_str(&hub.line_with("ready")).unwrap();
    let address = ready["address"].as_str().unwrap().to_owned();
    (hub, address)
}

#[test]
fn evidence_of_a_document_is_kept_and_checked_without_the_hub() {
    let stage = Stage::set();
    let checkpoint = stage.json("H36", &["evidence", "checkpoint"]);
    let key = checkpoint["key"].as_str().unwrap().to_owned();
    let earlier = stage.path("checkpoint");
    stage.json("H36", &["evidence", "checkpoint", "--write", text(&earlier)]);
    let file = stage.path("evidence.json");
    let id = stage.send("H35", "Về việc thử", &["--evidence", text(&file)]);
    stage.send("H35", "Về việc khác", &[]);
    let consistency = stage.path("consistency.json");
    let since = ["evidence", "checkpoint", "--since", text(&earlier), "--key", &key];
    let kept = [&since[..], &["--write", text(&consistency)]].concat();
    assert_eq!(stage.json("H36", &kept)["continues"], 0);
    // A file with a checkpoint in it does as an earlier one.
    let since = ["evidence", "checkpoint", "--since", text(&file), "--key", &key];
    let consistency = stage.path("consistency-2.json");
    let kept = [&since[..], &["--write", text(&consistency)]].concat();
    assert_eq!(stage.json("H36", &kept)["continues"], 1);
    // Whoever received it fetches the same evidence, by a newer checkpoint.
    let fetched = stage.path("fetched.json");
    let receipt = ["evidence", "receipt", "H36", &id, "--key", &key, "--write", text(&fetched)];
    assert_eq!(stage.json("H35", &receipt)["size"], 2);
    let agency = stage.agency("H34");
    let said = fail(1, &stage.arguments(&agency, &receipt[..6]));
    assert!(said.contains("DOCUMENT_UNKNOWN"), "{said}");

    assert_eq!(stage.hub.terminate(), Some(0));
    let proven = json(&["evidence", "verify", text(&file), "--key", &key]);
    assert_eq!((&proven["position"], &proven["kind"]), (&0.into(), &"document".into()));
    let again = json(&["evidence", "verify", text(&fetched), "--key", &key]);
    assert_eq!((&again["position"], &again["sha256"]), (&proven["position"], &proven["sha256"]));
    let continued = json(&["evidence", "verify", text(&consistency), "--key", &key]);
    assert_eq!((&continued["earlier_size"], &continued["size"]), (&1.into(), &2.into()));
    changed(&consistency, "\"proof\": [\n    \"", 0);
    let said = fail(1, &["evidence", "verify", text(&consistency), "--key", &key]);
    assert!(said.contains("does not go on"), "{said}");
    changed(&file, "\"entry\": \"0101", 22);
    let said = fail(1, &["evidence", "verify", text(&file), "--key", &key]);
    assert!(said.contains("the log does not have it"), "{said}");
    let said = fail(2, &["evidence", "verify", text(&file), "--key", "no key"]);
    assert!(said.contains("is no key of a log"), "{said}");
}

/// Changes a hexadecimal digit so far behind a text in a file.
fn changed(file: &Path, behind: &str, by: usize) {
    let kept = std::fs::read_to_string(file).unwrap();
    let at = kept.find(behind).unwrap() + behind.len() + by;
    let digit = if kept.as_bytes()[at] == b'0' { "1" } else { "0" };
    std::fs::write(file, [&kept[..at], digit, &kept[at + 1..]].concat()).unwrap();
}

#[test]
fn an_audit_passes_a_whole_folder_and_names_the_byte_that_was_changed_in_another() {
    let stage = Stage::set();
    let checkpoint = stage.json("H36", &["evidence", "checkpoint"]);
    let key = checkpoint["key"].as_str().unwrap().to_owned();
    let file = stage.path("evidence.json");
    stage.send("H35", "Về việc thử", &["--evidence", text(&file)]);
    let data = stage.path("data");
    let audit = ["evidence", "audit", "--data", text(&data), "--checkpoint", text(&file)];
    let audit = [&audit[..], &["--key", &key]].concat();
    let said = fail(2, &audit);
    assert!(said.contains("in use"), "{said}");
    let Stage { folder, hub, .. } = stage;
    assert_eq!(hub.terminate(), Some(0));

    let report = json(&[&audit[..], &["--redecide"]].concat());
    assert_eq!((&report["findings_total"], &report["leaves"]), (&0.into(), &1.into()));
    assert_eq!(report["checkpoints"][0]["verdict"], "holds");
    assert_eq!(report["state"]["outcome"], "compared");
    assert_eq!(report["redecided"]["outcome"], "same");
    assert!(succeed(&audit).contains("nothing is wrong"));

    let journal = folder.path().join("data/journal/00000000000000000001.blocks");
    let mut bytes = std::fs::read(&journal).unwrap();
    bytes[1_000] ^= 4;
    std::fs::write(&journal, &bytes).unwrap();
    let output = run(&[&audit[..], &["--output", "json"]].concat());
    assert_eq!(output.status.code(), Some(1));
    let report: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let finding = &report["findings"][0];
    assert_eq!((&finding["kind"], &finding["changed"]["offset"]), (&"FRAME".into(), &1_000.into()));
    assert_eq!(finding["file"], "journal/00000000000000000001.blocks");
    let output = run(&audit);
    let shown = String::from_utf8(output.stdout).unwrap();
    for part in ["FRAME", "1000", "0x", "khung của khối hỏng"] {
        assert!(shown.contains(part), "{part} in {shown}");
    }
    let said = fail(2, &["evidence", "audit", "--data", text(folder.path())]);
    assert!(said.contains("is no data folder"), "{said}");
}

#[test]
fn a_hub_answers_http_on_loopback_only() {
    let stage = Stage::set();
    let mut command = lienthong();
    command.args(["hub", "--listen", "127.0.0.1:0", "--http", "127.0.0.1:0", "--output", "json"]);
    command.args(["--log", "warn", "--pki", text(&stage.path("pki"))]);
    command.args(["--data", text(&stage.path("other"))]);
    let mut hub = Running::start(command);
    let ready: serde_json::Value = serde_json::from_str(&hub.line_with("ready")).unwrap();
    let http = ready["http"].as_str().unwrap().strip_prefix("http://").unwrap();
    let mut page = std::net::TcpStream::connect(http).unwrap();
    let request = format!("GET /readyz HTTP/1.1\r\nhost: {http}\r\nconnection: close\r\n\r\n");
    std::io::Write::write_all(&mut page, request.as_bytes()).unwrap();
    let answer = std::io::read_to_string(page).unwrap();
    assert!(answer.starts_with("HTTP/1.1 200 ") && answer.ends_with("ready\n"), "{answer}");
    assert_eq!(hub.terminate(), Some(0));
    for address in ["0.0.0.0:7480", "192.0.2.1:7480", "[::]:0"] {
        let pki = stage.path("pki");
        let said = fail(2, &["config", "check", "--http", address, "--pki", text(&pki)]);
        assert!(said.contains("loopback") && said.contains("`http` (flag)"), "{said}");
    }
}

#[test]
fn a_verdict_is_derived_again_from_its_bundle_alone_whatever_came_later() {
    let stage = Stage::set();
    let key = stage.json("H36", &["evidence", "checkpoint"])["key"].as_str().unwrap().to_owned();
    let id = stage.send("H35", "Về việc thử", &[]);
    // The signer is revoked afterwards: that changes nothing of what was accepted.
    let signer = stage.path("pki/agencies/H36/person-an.nguyen.pem");
    succeed(&["pki", "revoke", text(&stage.path("pki")), text(&signer)]);
    let (file, of_recipient) = (stage.path("bundle"), stage.path("bundle-2"));
    let bundle = ["evidence", "bundle", "H36", &id, "--write"];
    let of =
        |agency: &str, file: &PathBuf| stage.json(agency, &[&bundle, &[text(file)][..]].concat());
    of("H36", &file);
    of("H35", &of_recipient);
    let stranger = stage.agency("H34");
    let nowhere = stage.path("bundle-3");
    let asked = [&bundle[..], &[text(&nowhere)]].concat();
    let said = fail(1, &stage.arguments(&stranger, &asked));
    assert!(said.contains("DOCUMENT_UNKNOWN"), "{said}");
    assert!(!nowhere.exists());

    assert_eq!(stage.hub.terminate(), Some(0));
    let (pki, whole) = (stage.folder.path().join("pki"), std::fs::read(&file).unwrap());
    for file in [&file, &of_recipient] {
        let derived = json(&["verify", text(file), "--key", &key]);
        assert_eq!((&derived["holds"], &derived["id"]), (&true.into(), &id.as_str().into()));
        let checks = derived["checks"].as_array().unwrap();
        let names: Vec<_> = checks.iter().map(|check| check["what"].as_str().unwrap()).collect();
        assert_eq!(names, ["statement", "facts", "verdict", "log"]);
    }
    let root = pki.join("root.pem");
    succeed(&["verify", text(&file), "--root", text(&root)]);
    let other = stage.folder.path().join("other");
    succeed(&["pki", "init", text(&other)]);
    fail(1, &["verify", text(&file), "--root", text(&other.join("root.pem"))]);
    let step = whole.len() / 40;
    for at in (0..whole.len()).step_by(step) {
        let mut changed = whole.clone();
        changed[at] ^= 4;
        std::fs::write(&file, changed).unwrap();
        let run = run(&["verify", text(&file), "--key", &key]);
        assert!(!run.status.success(), "byte {at} of {}", whole.len());
    }
}

#[test]
fn a_document_is_sent_received_reported_tracked_and_counted() {
    let stage = Stage::set();
    let file = stage.path("quyết định.txt");
    std::fs::write(&file, "Điều 1").unwrap();
    let more = ["--type", "QĐ", "--number", "15", "--unit", "UBND", "--body", text(&file)];
    let id = stage.send("H35,H34", "Về việc thử", &more);

    let inbox = stage.path("inbox");
    let received = stage.json("H35", &["inbox", "--save", text(&inbox), "--report", "01,03"]);
    let document = &received[0];
    assert_eq!(document["subject"], "Về việc thử");
    assert_eq!(document["signature"], "personal-and-seal");
    assert_eq!(document["signers"][0]["name"], "Nguyễn Văn An");
    assert_eq!(document["acknowledged"], true);
    assert_eq!(document["reported"][1]["code"], "03");
    let kept = Path::new(document["saved"].as_str().unwrap());
    assert_eq!(std::fs::read_to_string(kept.join("attachments/quyết định.txt")).unwrap(), "Điều 1");
    assert!(kept.join("content.bin").is_file() && kept.join("signatures.json").is_file());
    assert_eq!(stage.json("H35", &["inbox", "--save", text(&inbox)]), serde_json::json!([]));

    let tracked = stage.json("H36", &["track", "H36", &id]);
    let of = |code: &str| {
        let deliveries = tracked["deliveries"].as_array().unwrap();
        deliveries.iter().find(|delivery| delivery["recipient"] == code).unwrap()
    };
    assert_eq!(of("H35")["statuses"][1]["code"], "03");
    assert!(of("H35")["acknowledged_at"].is_string());
    assert!(of("H34")["acknowledged_at"].is_null(), "queued is not delivered");

    let stats = stage.json("H36", &["stats"]);
    assert_eq!((&stats["totals"]["sent"], &stats["totals"]["received"]), (&1.into(), &2.into()));
    let flows = stage.json("H36", &["stats", "flows"]);
    assert_eq!(flows.as_array().unwrap().len(), 2);

    let Stage { folder, hub, .. } = stage;
    assert_eq!(hub.terminate(), Some(0), "SIGTERM drains");
    let data = folder.path().join("data");
    let offline = json(&["track", "H36", &id, "--data", text(&data)]);
    assert_eq!(offline, tracked, "the folder says what the hub said");
    assert_eq!(json(&["stats", "--data", text(&data)]), stats);
    let (hub, _) = start(folder.path());
    let said = fail(2, &["stats", "--data", text(&data)]);
    assert!(said.contains("--hub"), "{said}");
    drop(hub);
}

#[test]
fn a_follower_receives_what_is_sent_after_it_began_and_ends_cleanly() {
    let stage = Stage::set();
    let inbox = stage.path("inbox");
    let mut command = lienthong();
    let agency = stage.agency("H34");
    let follow = ["inbox", "--follow", "--output", "jsonl", "--save", text(&inbox)];
    command.args(stage.arguments(&agency, &follow));
    let mut follower = Running::start(command);
    stage.send("H34", "sau khi bắt đầu", &[]);
    let line = follower.line_with("sau khi bắt đầu");
    let document: serde_json::Value = serde_json::from_str(&line).unwrap();
    assert_eq!(document["acknowledged"], true);
    assert_eq!(follower.terminate(), Some(0));
}

#[test]
fn a_peek_takes_nothing_and_a_report_needs_its_reason() {
    let stage = Stage::set();
    let id = stage.send("H35", "xem trước", &[]);
    let seen = stage.json("H35", &["inbox", "--peek"]);
    assert_eq!((&seen[0]["verified"], &seen[0]["acknowledged"]), (&true.into(), &false.into()));
    let tracked = stage.json("H36", &["track", "H36", &id]);
    assert!(tracked["deliveries"][0]["acknowledged_at"].is_null());
    let report = ["inbox", "report", "--sender", "H36", "--id", &id, "--status", "02"];
    let agency = stage.agency("H35");
    let said = fail(2, &stage.arguments(&agency, &report));
    assert!(said.contains("--reason"), "{said}");
    let reason = [&report[..], &["--reason", "sai nơi nhận"]].concat();
    assert_eq!(stage.json("H35", &reason)["status"], "02");
    let said = fail(1, &stage.arguments(&agency, &reason));
    assert!(said.contains("xử lý / remedy"), "{said}");
}

#[test]
fn the_statuses_that_are_reported_are_named_in_both_languages() {
    let stage = Stage::set();
    let id = stage.send("H35", "tên trạng thái", &[]);
    let (agency, inbox) = (stage.agency("H35"), stage.path("inbox"));
    let take = ["inbox", "--save", text(&inbox), "--report", "01,03"];
    let said = succeed(&stage.arguments(&agency, &take));
    assert!(said.contains("01 đã đến / arrived"), "{said}");
    assert!(said.contains("03 đã tiếp nhận / accepted"), "{said}");
    let finish = ["inbox", "report", "--sender", "H36", "--id", &id, "--status", "06"];
    let said = succeed(&stage.arguments(&agency, &finish));
    assert!(said.contains("06 hoàn thành / finished"), "{said}");
}

#[test]
fn refusals_are_said_in_both_languages_with_code_field_and_remedy() {
    let stage = Stage::set();
    let agency = stage.agency("H36");
    let said = fail(1, &stage.arguments(&agency, &["send", "--to", "H99", "--subject", "x"]));
    for part in
        ["RECIPIENT_UNKNOWN", "recipients[0].code", "H99", "nghĩa / meaning", "xử lý / remedy"]
    {
        assert!(said.contains(part), "{part} in {said}");
    }
    let arguments = ["send", "--to", "H99", "--subject", "x", "--output", "json"];
    let output = run(&stage.arguments(&agency, &arguments));
    let refusal: serde_json::Value = serde_json::from_slice(&output.stderr).unwrap();
    assert_eq!(refusal["refusal"]["code"], "RECIPIENT_UNKNOWN");
    let agency = stage.agency("H35");
    let unsigned = fail(1, &stage.arguments(&agency, &["send", "--to", "H36", "--subject", "x"]));
    assert!(unsigned.contains("SIGNATURE"), "a person must sign: {unsigned}");
    let refusals = stage.json("H36", &["stats", "refusals"]);
    assert!(refusals.as_array().unwrap().iter().any(|row| row["code"] == "RECIPIENT_UNKNOWN"));
}

#[test]
fn what_is_wrong_before_the_hub_is_asked_says_what_to_do() {
    let folder = tempfile::tempdir().unwrap();
    let pki = folder.path().join("pki");
    succeed(&["pki", "init", text(&pki)]);
    succeed(&["pki", "issue", text(&pki), "--agency", "H36", "--node"]);
    let agency = pki.join("agencies/H36");
    let send = ["send", "--to", "H35", "--subject", "x"];
    let said = fail(2, &send);
    assert!(said.contains("--as FOLDER") && said.contains("--as THƯ_MỤC"), "{said}");
    let said = fail(2, &[&send[..], &["--as", text(&pki)]].concat());
    assert!(said.contains("node.pem"), "{said}");
    let missing = folder.path().join("missing.bin");
    let said = fail(1, &[&send[..], &["--as", text(&agency), text(&missing)]].concat());
    assert!(said.contains("missing.bin"), "{said}");
    let said = fail(2, &[&send[..], &["--as", text(&agency), "--hub", "hub:1"]].concat());
    assert!(said.contains("https://host:port"), "{said}");
    let unreachable = ["--as", text(&agency), "--hub", "https://127.0.0.1:1"];
    let said = fail(3, &[&send[..], &unreachable].concat());
    assert!(said.contains("127.0.0.1:1") && said.contains("xử lý / remedy"), "{said}");
}

#[test]
fn a_hub_of_another_pki_is_not_trusted_and_says_so() {
    let stage = Stage::set();
    let other = stage.path("other");
    succeed(&["pki", "init", text(&other)]);
    succeed(&["pki", "issue", text(&other), "--agency", "H36", "--node"]);
    let agency = other.join("agencies/H36");
    let said = fail(3, &["stats", "--hub", &stage.address, "--as", text(&agency)]);
    assert!(said.contains("root"), "{said}");
    // It trusts the hub, but the hub does not know who certified it.
    let root = stage.path("pki/root.pem");
    let arguments =
        ["stats", "--hub", &stage.address, "--as", text(&agency), "--root", text(&root)];
    let said = fail(3, &arguments);
    assert!(said.contains("xử lý / remedy"), "{said}");
}

#[test]
fn a_scenario_of_another_year_runs_with_certificates_of_that_year() {
    let folder = tempfile::tempdir().unwrap();
    let pki = folder.path().join("pki");
    let dates = ["--from", "2020-01-01", "--days", "700"];
    let issue = |more: &[&str]| {
        succeed(&[&["pki", "issue", text(&pki), "--agency"], more, &dates].concat());
    };
    succeed(&[&["pki", "init", text(&pki)], &dates[..]].concat());
    issue(&["G22", "--hub", "127.0.0.1"]);
    issue(&["H36", "--node", "--seal", "--person", "an", "--name", "An", "--title", "Chủ tịch"]);
    let clock = ["--clock", "start=2020-11-16T08:00+07:00,rate=60"];
    let mut command = lienthong();
    command.args(["hub", "--listen", "127.0.0.1:0", "--log", "warn", "--test-pki"]).args(clock);
    command.args(["--pki", text(&pki), "--data", text(&folder.path().join("data"))]);
    let mut hub = Running::start(command);
    let line = hub.line_with("ready");
    assert!(line.contains("2020-11-16T08:"), "the clock is shown: {line}");
    let address = line.split(' ').find(|word| word.starts_with("https://")).unwrap();
    let agency = pki.join("agencies/H36");
    let send = ["send", "--to", "H35", "--subject", "x", "--hub", address, "--as", text(&agency)];
    let receipt = json(&[&send[..], &clock].concat());
    assert!(receipt["received_at"].as_str().unwrap().starts_with("2020-11-16T"), "{receipt}");
    let said = fail(3, &send);
    assert!(said.contains("expired"), "without the scenario's clock: {said}");
}

#[test]
fn large_files_are_uploaded_and_downloaded_whole_beside_small_ones() {
    let stage = Stage::set();
    let (small, large) = (stage.path("công văn.txt"), stage.path("bản đồ.zip"));
    std::fs::write(&small, "Điều 1").unwrap();
    let mut bytes: Vec<u8> = (0..3_000_000_u32).flat_map(u32::to_le_bytes).collect();
    bytes.truncate(9 << 20);
    std::fs::write(&large, &bytes).unwrap();
    stage.send("H35,H34", "Về việc thử", &["--body", text(&small), text(&large), text(&large)]);
    let inbox = stage.path("inbox");
    for agency in ["H35", "H34"] {
        let received = stage.json(agency, &["inbox", "--save", text(&inbox)]);
        assert_eq!(received[0]["acknowledged"], true);
        let kept = Path::new(received[0]["saved"].as_str().unwrap()).join("attachments");
        assert_eq!(std::fs::read_to_string(kept.join("công văn.txt")).unwrap(), "Điều 1");
        for name in ["bản đồ.zip", "3-bản đồ.zip"] {
            assert!(std::fs::read(kept.join(name)).unwrap() == bytes, "{name}");
        }
        assert_eq!(std::fs::read_dir(&kept).unwrap().count(), 3);
    }
    std::fs::File::create(&large).unwrap().set_len((10 << 30) + 1).unwrap();
    let agency = stage.agency("H36");
    let send = ["send", "--to", "H35", "--subject", "Quá lớn", text(&large)];
    let said = fail(2, &stage.arguments(&agency, &send));
    assert!(said.contains("at most 10 GiB"), "{said}");
}

#[test]
fn a_document_is_taken_back_replaced_and_both_sides_are_told() {
    let stage = Stage::set();
    let id = stage.send("H35,H34", "Về việc thử", &[]);
    let inbox = stage.path("inbox");
    stage.json("H35", &["inbox", "--save", text(&inbox), "--report", "03"]);
    let notices = stage.json("H36", &["notices"]);
    assert_eq!((&notices[0]["status"], &notices[0]["verified"]), (&"03".into(), &true.into()));
    assert_eq!(stage.json("H36", &["notices"]), serde_json::json!([]), "it was acknowledged");

    let agency = stage.agency("H36");
    let said = fail(2, &stage.arguments(&agency, &["recall", "H36", &id]));
    assert!(said.contains("--reason"), "{said}");
    let recall = ["recall", "H36", &id, "--reason", "Gửi nhầm", "--recipients", "H34"];
    let recalled = stage.json("H36", &recall);
    assert_eq!(recalled["changes"][0]["effect"], "at once");
    assert_eq!(stage.json("H34", &["inbox", "--save", text(&inbox)]), serde_json::json!([]));

    let more = ["--replaces", &id, "--reason", "Sai số liệu"];
    let new = stage.send("H35", "Về việc thử (thay thế)", &more);
    let asked = stage.json("H35", &["notices"]);
    assert_eq!(
        (&asked[0]["kind"], &asked[0]["cause"]),
        (&"replacement requested".into(), &new.as_str().into(),)
    );
    let received = stage.json("H35", &["inbox", "--save", text(&inbox)]);
    assert_eq!(received[0]["acts_on"]["id"], id.as_str());
    let agree = ["inbox", "report", "--sender", "H36", "--id", &id, "--status", "15"];
    stage.json("H35", &agree);
    let tracked = stage.json("H36", &["track", "H36", &id]);
    let of = |code: &str| {
        let deliveries = tracked["deliveries"].as_array().unwrap();
        deliveries.iter().find(|delivery| delivery["recipient"] == code).unwrap().clone()
    };
    assert_eq!(of("H34")["mark"]["standing"], "withdrawn");
    assert_eq!(of("H35")["mark"]["by"]["id"], new.as_str());
    assert_eq!(of("H35")["open"], serde_json::json!([]));
    let shown = succeed(&stage.arguments(&agency, &["track", "H36", &id]));
    for part in ["ĐÃ RÚT / WITHDRAWN", "ĐÃ THAY THẾ / REPLACED", "Sai số liệu"] {
        assert!(shown.contains(part), "{part} in {shown}");
    }
    let finish = ["inbox", "report", "--sender", "H36", "--id", &id, "--status", "06"];
    let recipient = stage.agency("H35");
    let said = fail(1, &stage.arguments(&recipient, &finish));
    assert!(said.contains("DOCUMENT_REPLACED") && said.contains(&new), "{said}");
    let Stage { folder, hub, .. } = stage;
    assert_eq!(hub.terminate(), Some(0));
    let data = folder.path().join("data");
    assert_eq!(json(&["track", "H36", &id, "--data", text(&data)]), tracked);
}
