//! The operators' pages: what the API answers, to whom, and what it declines.

use crate::harness::web::{Answer, Browser, page};
use crate::harness::{World, code, document, next, operator, until};
use lienthong_client::{Administration, Client};
use lienthong_core::Command;
use lienthong_core::statistics::Period;
use lienthong_hub::{HttpAddress, Hub, ServerIdentity, StartError};
use lienthong_model::{Appointment, Day, Role, Signatory, StatusCode, Territory};
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use serde_json::{Value, json};

mod accounts;

pub(crate) const PASSWORD: &str = "một mật khẩu thật dài";

pub(crate) fn person(agency: &str, id: &str) -> Signatory {
    Signatory { agency: code(agency), person: id.to_owned() }
}

pub(crate) async fn appoint(world: &World, holder: Signatory, role: Role, territory: Territory) {
    let one = Appointment { holder, role, territory, from: Day(0), until: None };
    world.hub().administer(Command::ChangeAppointments(vec![one])).await.unwrap();
}

/// The country's administrator, through gRPC.
pub(crate) async fn office(world: &World) -> Administration {
    let holder = person("G22", "binh.tran");
    appoint(world, holder, Role::Administrator, Territory::Country).await;
    let identity = world.pki.identity(&operator("G22")).unwrap();
    Client::connect(world.endpoint(&identity)).await.unwrap().administration()
}

/// Somebody with an account, signed in.
pub(crate) async fn signed_in(
    world: &World,
    holder: Signatory,
    role: Role,
    territory: Territory,
) -> Browser {
    let office = office(world).await;
    appoint(world, holder.clone(), role, territory).await;
    office.set_password(&holder, PASSWORD).await.unwrap();
    let mut browser = Browser::at(world);
    let name = format!("{}/{}", holder.agency, holder.person);
    assert_eq!(browser.sign_in(&name, PASSWORD).await.status, 200);
    browser
}

pub(crate) fn province(text: &str) -> Territory {
    Territory::Province(code(text))
}

/// The codes of the places in an answer, the centre as none.
fn places(answer: &Value) -> Vec<Option<String>> {
    let places = answer["places"].as_array().unwrap().iter();
    places.map(|one| one["province"]["code"].as_str().map(ToOwned::to_owned)).collect()
}

// What is shown.

#[tokio::test]
async fn figures_are_those_of_the_statistics_and_add_up() {
    let world = World::start().await;
    let client = world.client("H36").await;
    for _ in 0..3 {
        client.submit(world.letter("H36", &["H36.12", "H34.05", "G22"])).await.unwrap();
    }
    client.submit(world.letter("H36", &["nowhere"])).await.unwrap_err();
    let browser = Browser::at(&world);
    let volumes = world.hub().reader().volumes(Period::ALL).unwrap();
    let seen = browser.json("provinces?from=2020-01-01").await;
    let sum = |field: &str| -> u64 {
        let places = seen["places"].as_array().unwrap().iter();
        places.map(|one| one[field].as_u64().unwrap()).sum()
    };
    assert_eq!(seen["totals"]["sent"], volumes.totals.sent);
    assert_eq!((sum("sent"), sum("received")), (volumes.totals.sent, volumes.totals.received));
    assert_eq!((sum("sent"), sum("received"), sum("undelivered")), (3, 9, 9));
    let overview = browser.json("overview").await;
    assert_eq!(overview["today"]["sent"], 3);
    assert_eq!(overview["undelivered"]["documents"], 9);
    assert_eq!(overview["undelivered"]["agencies"], 3);
    let matrix = browser.json("matrix").await;
    let cells = matrix["levels"].as_array().unwrap();
    assert_eq!(cells.iter().map(|one| one["deliveries"].as_u64().unwrap()).sum::<u64>(), 9);
    let steps = browser.json("timeline").await;
    let steps = steps["steps"].as_array().unwrap().clone();
    assert_eq!(steps.iter().map(|one| one["deliveries"].as_u64().unwrap()).sum::<u64>(), 9);
    let refusals = browser.json("refusals").await;
    assert_eq!(refusals["total"], 1);
    assert_eq!(refusals["reasons"][0]["code"], "RECIPIENT_UNKNOWN");
    let example = &refusals["reasons"][0]["examples"][0];
    assert_eq!(
        (&example["caller"]["code"], &example["violations"][0]["value"]),
        (&json!("H36"), &json!("nowhere"))
    );
}

#[tokio::test]
async fn a_document_is_found_by_its_id_and_by_its_subject_and_followed_to_its_end() {
    let world = World::start().await;
    let letter = document("H36", &["H36.12"]);
    world.client("H36").await.submit(world.sealed(&letter)).await.unwrap();
    let browser = Browser::at(&world);
    let words = letter.subject.replace("Về việc", "ve viec").replace(' ', "%20");
    for search in [letter.id.to_string(), words] {
        let found = browser.json(&format!("documents?q={search}")).await;
        assert_eq!(found[0]["id"], letter.id.to_string(), "{search}");
    }
    let path = format!("documents/H36/{}", letter.id);
    let told = browser.json(&path).await;
    assert_eq!(told["deliveries"][0]["stage"], "waiting");
    assert_eq!((&told["deliveries_total"], &told["explained"]), (&json!(1), &json!(1)));
    assert_eq!(told["waits"][0]["actor"]["code"], "H36.12");
    let stuck = browser.json("waiting").await;
    assert_eq!(stuck["mailboxes"][0]["oldest"]["id"], letter.id.to_string());

    let recipient = world.client("H36.12").await;
    let mut subscription = recipient.subscribe(&[], 8).await.unwrap();
    let delivery = next(&mut subscription).await;
    subscription.acknowledge(&[delivery.key]).await.unwrap();
    let stage = async || browser.json(&path).await["deliveries"][0]["stage"].clone();
    until("being picked up", async || stage().await == "acknowledged").await;
    for status in [StatusCode::Accepted, StatusCode::Assigned, StatusCode::Finished] {
        recipient.report(world.report("H36.12", ("H36", letter.id), status, "")).await.unwrap();
    }
    let told = browser.json(&path).await;
    assert_eq!(
        (&told["deliveries"][0]["stage"], &told["progress"]["finished"]),
        (&json!("finished"), &json!(1))
    );
    assert_eq!(told["waits"], json!([]));
    let events: Vec<&str> = told["events"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| one["kind"].as_str().unwrap())
        .collect();
    assert_eq!(events.last(), Some(&"reported"));
    assert!(events.contains(&"delivered"), "{events:?}");
}

#[tokio::test]
async fn the_pages_are_told_of_a_document_as_it_comes() {
    let world = World::start().await;
    let address = world.hub().http_address().unwrap();
    let mut stream = tokio::net::TcpStream::connect(address).await.unwrap();
    let request = format!("GET /api/v1/live HTTP/1.1\r\nhost: {address}\r\n\r\n");
    tokio::io::AsyncWriteExt::write_all(&mut stream, request.as_bytes()).await.unwrap();
    let mut heard = String::new();
    let mut hear = async |what: &str| {
        until(what, async || {
            let mut bytes = [0; 4096];
            let read = tokio::io::AsyncReadExt::read(&mut stream, &mut bytes).await.unwrap();
            heard.push_str(&String::from_utf8_lossy(&bytes[..read]));
            heard.contains(what)
        })
        .await;
    };
    hear("\"sent\":0").await;
    world.client("H36").await.submit(world.letter("H36", &["H34"])).await.unwrap();
    hear("\"sent\":1").await;
}

// Who may.

#[tokio::test]
async fn the_cookie_is_out_of_reach_of_scripts_and_of_other_sites_and_answers_are_armoured() {
    let world = World::start().await;
    office(&world).await.set_password(&person("G22", "binh.tran"), PASSWORD).await.unwrap();
    let mut browser = Browser::at(&world);
    let answer = browser.sign_in("G22/binh.tran", PASSWORD).await;
    let cookie = answer.header("set-cookie").unwrap();
    for word in ["HttpOnly", "SameSite=Strict", "Path=/", "Max-Age="] {
        assert!(cookie.contains(word), "{word} in {cookie}");
    }
    for answer in [page(&world, "/").await, answer, browser.get("overview").await] {
        let policy = answer.header("content-security-policy").unwrap();
        assert!(policy.contains("default-src 'none'") && policy.contains("frame-ancestors 'none'"));
        assert!(!policy.contains("unsafe"), "{policy}");
        assert_eq!(answer.header("x-content-type-options"), Some("nosniff"));
        assert_eq!(answer.header("referrer-policy"), Some("no-referrer"));
    }
}

#[tokio::test]
async fn what_does_not_come_from_the_hubs_own_pages_changes_nothing() {
    let world = World::start().await;
    let chief =
        signed_in(&world, person("H36", "chief"), Role::Administrator, province("H36")).await;
    let body = json!({ "person": "H36/an", "password": PASSWORD }).to_string();
    let own = format!("http://{}", chief.address);
    let token = chief.token.clone().unwrap();
    let foreign: [&[(&str, &str)]; 4] = [
        &[("origin", "https://example.vn"), ("x-csrf-token", &token)],
        &[("origin", &own), ("sec-fetch-site", "cross-site"), ("x-csrf-token", &token)],
        &[("origin", &own)],
        &[("origin", &own), ("x-csrf-token", "another")],
    ];
    for headers in foreign {
        let refused = chief.ask("PUT", "accounts", headers, &body).await;
        assert_eq!(
            (refused.status, refused.code()),
            (403, "REQUEST_FOREIGN".to_owned()),
            "{headers:?}"
        );
    }
    // A form of another site cannot send JSON.
    let plain = chief.ask("POST", "session", &[("content-type", "text/plain")], "").await;
    assert!((400..500).contains(&plain.status));
    let mut nobody = Browser::at(&world);
    assert_eq!(nobody.sign_in("H36/an", PASSWORD).await.code(), "SIGN_IN_FAILED", "none was made");
}

#[tokio::test]
async fn guessing_has_to_wait_whether_the_name_is_somebodys_or_not() {
    let world = World::start().await;
    office(&world).await.set_password(&person("G22", "binh.tran"), PASSWORD).await.unwrap();
    let mut browser = Browser::at(&world);
    let mut answers: Vec<Answer> = Vec::new();
    for guess in 0..8 {
        let name = if guess % 2 == 0 { "G22/binh.tran" } else { "H01/nobody" };
        answers.push(browser.sign_in(name, "a guess at a password").await);
    }
    let codes: Vec<String> = answers.iter().map(Answer::code).collect();
    assert!(codes[..5].iter().all(|code| code == "SIGN_IN_FAILED"), "{codes:?}");
    assert!(codes.contains(&"SIGN_IN_LIMITED".to_owned()), "{codes:?}");
    let limited = answers.iter().find(|answer| answer.status == 429).unwrap();
    assert!(limited.header("retry-after").unwrap().parse::<u64>().unwrap() >= 1);
    // Whoever knows the password waits as long.
    assert_eq!(browser.sign_in("G22/binh.tran", PASSWORD).await.status, 429);
    until("being let in again", async || {
        browser.sign_in("G22/binh.tran", PASSWORD).await.status == 200
    })
    .await;
}

#[tokio::test]
async fn a_request_that_cannot_be_read_is_refused_with_its_field() {
    let world = World::start().await;
    let browser = Browser::at(&world);
    for (path, field) in [
        ("provinces?from=yesterday", "from"),
        ("timeline?from=2020-02-02&until=2020-01-01", "until"),
        ("provinces/no%20code!", "province"),
        ("documents/H36/none", "document.id"),
        ("waiting?order=least", "order"),
        ("waiting?province=H99", "province"),
        ("indicators?province=H99", "province"),
        ("indicators?from=yesterday", "from"),
    ] {
        let answer = browser.get(path).await;
        assert!((400..500).contains(&answer.status), "{path}: {}", answer.status);
        let body: Value = serde_json::from_slice(&answer.body).unwrap();
        assert_eq!(body["error"]["violations"][0]["field"], field, "{path}");
        for words in ["meaning", "remedy"] {
            assert!(
                body["error"][words]["vi"].is_string() && body["error"][words]["en"].is_string()
            );
        }
    }
    let large = "x".repeat(100_000);
    let body = json!({ "person": "H36/an", "password": large });
    let answer = browser.change("POST", "session", body).await;
    assert_eq!((answer.status, answer.code().as_str()), (413, "FIELD_INVALID"));
}

#[tokio::test]
async fn a_word_that_a_path_does_not_know_is_refused_alike_everywhere() {
    let world = World::start().await;
    let browser = Browser::at(&world);
    let refused = |answer: Answer, field: &str, at: &str| {
        let body: Value = serde_json::from_slice(&answer.body).unwrap_or_default();
        assert_eq!(
            (answer.status, body["error"]["code"].as_str()),
            (400, Some("FIELD_INVALID")),
            "{at}"
        );
        assert_eq!(body["error"]["violations"][0]["field"], field, "{at}");
        for words in ["meaning", "remedy"] {
            let of = &body["error"][words];
            assert!(of["vi"].is_string() && of["en"].is_string(), "{at}");
        }
    };
    for path in [
        "provinces",
        "provinces/H36",
        "timeline",
        "matrix",
        "statistics",
        "indicators",
        "documents",
        "waiting",
        "refusals",
        "agencies",
        "certificates",
    ] {
        refused(browser.get(&format!("{path}?colour=red")).await, "colour", path);
    }
    refused(browser.get("certificates?skip=some").await, "skip", "not a number");
    refused(browser.get("certificates?days=1&days=2").await, "days", "twice");
    refused(browser.get("agencies?q=a&q=b").await, "q", "twice");
    refused(browser.get("provinces/%ff").await, "path", "no text");
    let body = json!({ "person": "H36/an", "password": "a password", "colour": "red" });
    refused(browser.change("POST", "session", body).await, "body", "a body");
}

#[tokio::test]
async fn elsewhere_than_on_loopback_the_port_wants_tls_and_an_account() {
    let open = "0.0.0.0:0".parse().unwrap();
    assert!(HttpAddress::new(open).is_err(), "without TLS it is not even asked for");
    let mut world = World::start().await;
    world.stop().await.unwrap();
    let mut settings = world.settings();
    settings.http = Some(HttpAddress::with_tls(open, p256()));
    let refused = Hub::start(settings, |_, _| {}).await.err().unwrap();
    assert!(matches!(refused, StartError::NoAccounts(_)), "{refused}");
    world.start_again().await;
    office(&world).await.set_password(&person("G22", "binh.tran"), PASSWORD).await.unwrap();
    world.stop().await.unwrap();
    let mut settings = world.settings();
    settings.http = Some(HttpAddress::with_tls(open, p256()));
    let hub = Hub::start(settings, |_, _| {}).await.unwrap();
    assert!(hub.http_is_tls());
    hub.stop().await.unwrap();
}

/// A certificate with an ECDSA P-256 key, as browsers take it.
fn p256() -> ServerIdentity {
    let folder = tempfile::tempdir().unwrap();
    let make = "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 30 \
                -subj /CN=localhost -addext subjectAltName=DNS:localhost,IP:127.0.0.1 \
                -outform DER -out certificate.der -keyout key.pem";
    let key = "pkcs8 -topk8 -nocrypt -in key.pem -outform DER -out key.der";
    for arguments in [make, key] {
        let mut openssl = std::process::Command::new("openssl");
        openssl.args(arguments.split_whitespace()).current_dir(folder.path());
        let output = openssl.output().expect("openssl is installed");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }
    let read = |name: &str| std::fs::read(folder.path().join(name)).unwrap();
    let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(read("key.der")));
    ServerIdentity { chain: vec![read("certificate.der").into()], key }
}

impl Browser {
    /// Tries to sign in with a password that nobody has.
    async fn sign_in_as(&self, person: &str) -> Answer {
        let mut other = Browser { address: self.address, cookie: None, token: None };
        other.sign_in(person, "a password of nobody").await
    }
}
