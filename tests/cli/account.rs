//! Accounts: the first administrator in a folder at rest, everybody else through the hub, and the
//! pages that they open.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;

use serde_json::{Value, json};

use crate::process::{fail, json as run_json, succeed, text};
use crate::trust::Stage;

const FIRST: &str = "mật khẩu đầu tiên rất dài";
const OTHER: &str = "another password, as long";

/// Writes a password into a file; its path.
fn password(stage: &Stage, name: &str, password: &str) -> String {
    let path = stage.path(name);
    std::fs::write(&path, format!("{password}\nnothing of this line\n")).unwrap();
    text(&path).to_owned()
}

/// The status with which the pages answer a password.
fn sign_in(http: &str, person: &str, password: &str) -> u16 {
    let address = http.strip_prefix("http://").unwrap();
    let body = json!({ "person": person, "password": password }).to_string();
    let request = format!(
        "POST /api/v1/session HTTP/1.1\r\nhost: {address}\r\norigin: {http}\r\n\
         sec-fetch-site: same-origin\r\ncontent-type: application/json\r\n\
         content-length: {}\r\nconnection: close\r\n\r\n{body}",
        body.len()
    );
    let mut stream = TcpStream::connect(address).unwrap();
    stream.write_all(request.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer.split(' ').nth(1).unwrap().parse().unwrap()
}

fn people(accounts: &Value) -> Vec<&str> {
    let accounts = accounts.as_array().unwrap().iter();
    accounts.map(|one| one["person"].as_str().unwrap()).collect()
}

/// Whether a text says something in Vietnamese and something in English.
fn is_in_both_languages(said: &str) -> bool {
    let is_vietnamese = |c: char| c.is_alphabetic() && !c.is_ascii();
    said.contains(is_vietnamese) && said.split(' ').any(|word| ["the", "a", "is"].contains(&word))
}

#[test]
fn the_first_administrator_is_made_at_rest_and_makes_the_others_through_the_hub() {
    let stage = Stage::set(&[]);
    let data = stage.path("data");
    let (first, other) = (password(&stage, "first", FIRST), password(&stage, "other", OTHER));
    let none = succeed(&["account", "list", "--data", text(&data)]);
    assert!(none.contains("chưa có tài khoản") && none.contains("no accounts"), "{none}");
    let of_the_country = ["--role", "administrator", "--territory", "country"];
    let set = ["account", "set", "G22/binh", "--password-file", &first, "--data", text(&data)];
    let made = run_json(&[&set[..], &of_the_country].concat());
    assert_eq!(made, json!([{ "person": "G22/binh", "account": true }]));
    assert_eq!(people(&run_json(&["account", "list", "--data", text(&data)])), ["G22/binh"]);
    let appointed = run_json(&["admin", "appointments", "--data", text(&data)]);
    assert_eq!(appointed[0]["role"], "administrator");

    let hub = stage.start_with(&["--http", "127.0.0.1:0"]);
    let http = hub.http.clone().unwrap();
    assert_eq!(sign_in(&http, "G22/binh", FIRST), 200);
    let of_h36 = ["--role", "administrator", "--territory", "province:H36"];
    let set = ["account", "set", "H36/binh", "--password-file", &other];
    hub.json("G22/binh", &[&set[..], &of_h36].concat());
    assert_eq!(people(&hub.json("G22/binh", &["account", "list"])), ["G22/binh", "H36/binh"]);
    let table = hub.succeed("G22/binh", &["account", "list"]);
    assert!(table.contains("H36/binh") && table.contains("có / yes"), "{table}");
    assert_eq!(sign_in(&http, "H36/binh", OTHER), 200);

    // A province's administrator: its own people, and nobody of another or above.
    let viewer = ["--role", "viewer", "--territory", "agency:H36.12"];
    let set = ["account", "set", "H36.12/an", "--password-file", &first];
    hub.json("H36/binh", &[&set[..], &viewer].concat());
    // The list of all is for the country's administrators.
    let all = ["G22/binh", "H36/binh", "H36.12/an"];
    assert_eq!(people(&hub.json("G22/binh", &["account", "list"])), all);
    assert!(hub.fail(1, "H36/binh", &["account", "list"]).contains("CALLER_NOT_ENTITLED"));
    for (person, territory) in [("H35/an", "province:H35"), ("H36/an", "country")] {
        let set = ["account", "set", person, "--password-file", &first];
        let beyond = ["--role", "viewer", "--territory", territory];
        let refused = hub.fail(1, "H36/binh", &[&set[..], &beyond].concat());
        assert!(refused.contains("CALLER_NOT_ENTITLED"), "{refused}");
        assert!(is_in_both_languages(&refused), "{refused}");
        assert_ne!(sign_in(&http, person, FIRST), 200);
    }
    let takeover = ["account", "set", "G22/binh", "--password-file", &other];
    assert!(hub.fail(1, "H36/binh", &takeover).contains("CALLER_NOT_ENTITLED"));
    let node = hub.fail(1, "H36", &["account", "set", "H36/x", "--password-file", &first]);
    assert!(node.contains("CALLER_NOT_ENTITLED"), "a node administers nothing: {node}");
}

#[test]
fn a_password_is_changed_an_account_ends_and_so_does_what_it_opened() {
    let stage = Stage::set(&[]);
    stage.appoint("G22/binh", "country");
    let (first, other) = (password(&stage, "first", FIRST), password(&stage, "other", OTHER));
    let hub = stage.start_with(&["--http", "127.0.0.1:0"]);
    let http = hub.http.clone().unwrap();
    let viewer = ["--role", "viewer", "--territory", "province:H36"];
    let set = ["account", "set", "H36/an", "--password-file", &first];
    hub.json("G22/binh", &[&set[..], &viewer].concat());
    assert_eq!(sign_in(&http, "H36/an", FIRST), 200);
    hub.json("G22/binh", &["account", "set", "H36/an", "--password-file", &other]);
    assert_eq!((sign_in(&http, "H36/an", FIRST), sign_in(&http, "H36/an", OTHER)), (401, 200));
    // Its appointment ends: the password is right, and opens nothing.
    let appoint = ["admin", "appoint", "--person", "H36/an", "--from", "2020-01-01"];
    let ended = [&appoint[..], &viewer, &["--until", "2020-01-02"]].concat();
    hub.succeed("G22/binh", &ended);
    let begun = hub.json("G22/binh", &["admin", "appointments"]);
    let others = begun.as_array().unwrap().iter().filter(|one| one["person"] == "H36/an");
    assert!(others.count() >= 1);
    let removed = hub.json("G22/binh", &["account", "remove", "H36/an"]);
    assert_eq!(removed, json!([{ "person": "H36/an", "account": false }]));
    assert_eq!(sign_in(&http, "H36/an", OTHER), 401);
    assert_eq!(hub.json("G22/binh", &["account", "list"]), json!([]));
    // To repeat it changes nothing.
    hub.json("G22/binh", &["account", "remove", "H36/an"]);
}

#[test]
fn what_does_not_do_is_refused_with_what_to_write_in_both_languages() {
    let stage = Stage::set(&[]);
    let data = stage.path("data");
    stage.appoint("G22/binh", "country");
    let data_flags = ["--data", text(&data)];
    let short = password(&stage, "short", "quá ngắn");
    let own_name = password(&stage, "own-name", "binh.tran-2026");
    let empty = password(&stage, "empty", "");
    let set = |person: &'static str, file: &str, code: i32| {
        let set = ["account", "set", person, "--password-file", file];
        fail(code, &[&set[..], &data_flags].concat())
    };
    for (person, file) in [("G22/binh", &short), ("G22/binh.tran", &own_name)] {
        let refused = set(person, file, 1);
        assert!(refused.contains("FIELD_INVALID"), "{refused}");
        assert!(is_in_both_languages(&refused), "{refused}");
    }
    assert!(set("G22/binh", &empty, 2).contains("there is no password"));
    assert!(set("binh", &short, 2).contains("AGENCY/ID"));
    let missing = text(&stage.path("nowhere")).to_owned();
    assert!(set("G22/binh", &missing, 1).contains("nowhere"));
    let good = password(&stage, "good", FIRST);
    let set = ["account", "set", "G22/binh", "--password-file", &good];
    let role_alone = fail(2, &[&set[..], &["--role", "viewer"], &data_flags].concat());
    assert!(role_alone.contains("--territory"), "{role_alone}");
    let unknown = ["--role", "root", "--territory", "country"];
    assert!(fail(2, &[&set[..], &unknown, &data_flags].concat()).contains("administrator"));
    let nowhere = ["--role", "viewer", "--territory", "planet"];
    assert!(fail(2, &[&set[..], &nowhere, &data_flags].concat()).contains("province:CODE"));
    assert_eq!(run_json(&["account", "list", "--data", text(&data)]), json!([]), "none was made");
    let hub = stage.start();
    let busy = fail(2, &[&set[..], &data_flags].concat());
    assert!(busy.contains("--hub"), "{busy}");
    let refused = hub.fail(1, "G22/binh", &["account", "set", "H36/an", "--password-file", &short]);
    assert!(refused.contains("FIELD_INVALID") && is_in_both_languages(&refused), "{refused}");
}

#[test]
fn the_statistics_of_a_running_hub_are_recounted_for_those_who_operate_the_country() {
    let stage = Stage::set(&[]);
    stage.appoint("G22/binh", "country");
    stage.appoint("H36/binh", "province:H36");
    let hub = stage.start();
    hub.json("H36", &["send", "--to", "H35", "--subject", "Về việc thử"]);
    let found = hub.json("G22/binh", &["stats", "verify"]);
    assert_eq!((&found["differences_total"], &found["differences"]), (&json!(0), &json!([])));
    assert!(found["cells"].as_u64().unwrap() > 10, "{found}");
    let said = hub.succeed("G22/binh", &["stats", "verify"]);
    assert!(said.contains("Khớp / every cell agrees"), "{said}");
    for who in ["H36/binh", "H36"] {
        let refused = hub.fail(1, who, &["stats", "verify"]);
        assert!(refused.contains("CALLER_NOT_ENTITLED"), "{who}: {refused}");
    }
}
