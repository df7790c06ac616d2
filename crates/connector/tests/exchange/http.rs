//! The local HTTP API.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hyper::{Method, StatusCode};
use lienthong_model::limits::HTTP_JSON_BYTES_MAX;
use serde_json::json;

use crate::client::Http;
use crate::harness::{World, code, document, until};
use crate::stage::{Desk, entries};

#[tokio::test]
async fn nothing_is_answered_without_the_token() {
    let world = World::start().await;
    let (_desk, http) = Desk::with_http(&world, "H36").await;
    for token in ["", "wrong", &http.token[1..]] {
        let http = Http { token: token.to_owned(), ..http.clone() };
        for path in ["/v1/status", "/v1/inbox", "/v1/documents/a", "/v1/nothing"] {
            let answer = http.get(path).await;
            assert_eq!(answer.status, StatusCode::UNAUTHORIZED, "{path}");
            assert_eq!(answer.json()["refusal"]["code"], "NOT_AUTHENTICATED");
        }
        assert_eq!(http.post("/v1/documents", "{}").await.status, StatusCode::UNAUTHORIZED);
        assert_eq!(http.get("/healthz").await.status, StatusCode::OK);
    }
    assert_eq!(http.get("/v1/nothing").await.json()["refusal"]["code"], "NO_SUCH_PATH");
}

#[tokio::test]
async fn a_document_is_submitted_once_under_its_name_and_its_outcome_is_told() {
    let world = World::start().await;
    let (desk, http) = Desk::with_http(&world, "H36").await;
    let body = |subject: &str| {
        json!({
            "header": { "to": ["H34"], "subject": subject },
            "files": [{ "name": "a.txt", "base64": STANDARD.encode("Điều 1") }],
        })
        .to_string()
    };
    let path = "/v1/documents?name=cv-1&wait=20";
    let first = http.post(path, body("một")).await;
    assert_eq!(first.status, StatusCode::CREATED, "{:?}", first.json());
    let again = http.post(path, body("một")).await;
    assert_eq!((again.status, again.json()), (StatusCode::CREATED, first.json()));
    let other = http.post(path, body("hai")).await;
    assert_eq!(other.status, StatusCode::CONFLICT);
    assert_eq!(other.json()["refusal"]["code"], "NAME_TAKEN");
    let shown = http.get("/v1/documents/cv-1?deliveries=true").await.json();
    assert_eq!((&shown["state"], &shown["receipt"]), (&"sent".into(), &first.json()["receipt"]));
    assert_eq!(shown["deliveries"][0]["recipient_name"], "Ủy ban nhân dân tỉnh Kon Tum");
    let delivered = world.client("H34").await.pull(&code("H34"), 10).await.unwrap();
    assert_eq!(delivered.len(), 1);
    assert_eq!(delivered[0].signed.attachments[0].bytes, "Điều 1");
    assert_eq!(entries(&desk.path("outbox")), [] as [std::path::PathBuf; 0]);
}

#[tokio::test]
async fn a_multipart_submission_is_written_as_it_comes() {
    let world = World::start().await;
    let (_desk, http) = Desk::with_http(&world, "H36").await;
    let part = |disposition: &str, body: &str| {
        format!("--X\r\ncontent-disposition: form-data; {disposition}\r\n\r\n{body}\r\n")
    };
    let header = json!({ "to": ["H34"], "subject": "Nhiều phần", "body": "qd.pdf" }).to_string();
    let body = [
        part("name=\"header\"", &header),
        part("name=\"file\"; filename=\"qd.pdf\"", "%PDF"),
        part("name=\"file\"; filename=\"lon.bin\"", &"x".repeat(5 << 20)),
        "--X--\r\n".to_owned(),
    ]
    .concat();
    let kind = "multipart/form-data; boundary=X";
    let answer = http.call(Method::POST, "/v1/documents?wait=20", kind, body).await;
    assert_eq!(answer.status, StatusCode::CREATED, "{:?}", answer.json());
    assert_eq!(answer.json()["receipt"]["routes"][0]["code"], "H34");
    let file = |name: &str| part(&format!("name=\"file\"; filename=\"{name}\""), "x");
    let headers = part("name=\"header\"", &header).repeat(2);
    for parts in [file("../a"), file("a").repeat(2), headers] {
        let body = parts + "--X--\r\n";
        let answer = http.call(Method::POST, "/v1/documents", kind, body).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST);
        assert_eq!(answer.json()["refusal"]["code"], "MALFORMED");
    }
    let twice = json!({
        "header": { "to": ["H34"], "subject": "x" },
        "files": [{ "name": "a", "base64": "" }, { "name": "a", "base64": "eA==" }],
    });
    let answer = http.post("/v1/documents", twice.to_string()).await;
    assert_eq!(answer.json()["refusal"]["code"], "MALFORMED");
}

#[tokio::test]
async fn what_cannot_be_read_is_refused_in_the_same_form_as_everything_else() {
    let world = World::start().await;
    let (_desk, http) = Desk::with_http(&world, "H36").await;
    let large = "x".repeat(HTTP_JSON_BYTES_MAX + 1);
    let large = large.as_str();
    for (method, path, body, status, code) in [
        (Method::GET, "/v1/inbox?limit=many", "", StatusCode::BAD_REQUEST, "MALFORMED"),
        (Method::GET, "/v1/inbox?nothing=1", "", StatusCode::BAD_REQUEST, "MALFORMED"),
        (Method::GET, "/v1/documents/a?deliveries=2", "", StatusCode::BAD_REQUEST, "MALFORMED"),
        (Method::GET, "/v1/documents/%ff", "", StatusCode::BAD_REQUEST, "MALFORMED"),
        (Method::POST, "/v1/documents?wait=abc", "{}", StatusCode::BAD_REQUEST, "MALFORMED"),
        (Method::POST, "/v1/reports?wait=-1", "{}", StatusCode::BAD_REQUEST, "MALFORMED"),
        (Method::POST, "/v1/reports", large, StatusCode::PAYLOAD_TOO_LARGE, "TOO_LARGE"),
        (Method::POST, "/v1/documents", large, StatusCode::PAYLOAD_TOO_LARGE, "TOO_LARGE"),
        (Method::POST, "/v1/inbox", "", StatusCode::METHOD_NOT_ALLOWED, "METHOD_NOT_ALLOWED"),
        (Method::POST, "/healthz", "", StatusCode::METHOD_NOT_ALLOWED, "METHOD_NOT_ALLOWED"),
        (Method::GET, "/nothing", "", StatusCode::NOT_FOUND, "NO_SUCH_PATH"),
    ] {
        let body = bytes::Bytes::from(body.to_owned());
        let answer = http.call(method, path, "application/json", body).await;
        let refusal = &answer.json()["refusal"];
        assert_eq!((answer.status, &refusal["code"]), (status, &code.into()), "{path}");
        assert!(!refusal["meaning_vi"].as_str().unwrap().is_empty(), "{path}");
    }
}

#[tokio::test]
async fn a_wrong_header_is_answered_at_once_and_a_refusal_of_the_hub_with_its_remedy() {
    let world = World::start().await;
    let (desk, http) = Desk::with_http(&world, "H36").await;
    let answer = http.post("/v1/documents", "{\"header\": {\n\"to\": [\"H34\"],\n\"x\": 1}}").await;
    assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY);
    let refusal = &answer.json()["refusal"];
    assert_eq!(refusal["code"], "HEADER_VALUE_MISSING");
    assert!(entries(&desk.path("outbox")).is_empty() && entries(&desk.path("refused")).is_empty());
    let wrong = json!({ "header": { "to": ["H99"], "subject": "x" } }).to_string();
    let answer = http.post("/v1/documents?name=a&wait=20", wrong).await;
    assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(answer.json()["refusal"]["code"], "RECIPIENT_UNKNOWN");
    let right = json!({ "header": { "to": ["H34"], "subject": "x" } }).to_string();
    let answer = http.post("/v1/documents?name=a&wait=20", right).await;
    assert_eq!(answer.json()["state"], "sent", "a name that was refused may be used again");
    for (code, count) in [("H98", 2), ("H97", 3), ("H97", 4)] {
        let wrong = json!({ "header": { "to": [code], "subject": "x" } }).to_string();
        let answer = http.post("/v1/documents?name=b&wait=20", wrong).await.json();
        assert_eq!(answer["refusal"]["violations"][0]["value"], code, "the newest refusal");
        assert_eq!(http.get("/v1/documents/b").await.json()["refusal"], answer["refusal"]);
        assert_eq!(entries(&desk.path("refused")).len(), count, "the same is tried again, too");
    }
    for body in ["", "[]", "{\"header\": 1}", "{\"header\": {}, \"more\": 1}"] {
        assert!(http.post("/v1/documents", body).await.status.is_client_error(), "{body}");
    }
}

#[tokio::test]
async fn a_reports_name_stands_for_one_content() {
    let mut world = World::start().await;
    let (desk, http) = Desk::with_http(&world, "H36").await;
    world.stop().await.unwrap();
    let id = crate::harness::new_id().to_string();
    let report = |status: &str| json!({ "sender": "H34", "id": id, "status": status }).to_string();
    let post = async |body: String| http.post("/v1/reports?name=r", body).await;
    assert_eq!(post(report("03")).await.status, StatusCode::ACCEPTED);
    desk.appears("status/sending/r/report.json").await;
    let spelled_otherwise = json!({ "status": 3, "id": id, "sender": "H34" }).to_string();
    for same in [report("03"), spelled_otherwise] {
        assert_eq!(post(same).await.status, StatusCode::ACCEPTED);
    }
    let other = post(report("06")).await;
    assert_eq!(other.status, StatusCode::CONFLICT);
    assert_eq!(other.json()["refusal"]["code"], "NAME_TAKEN");
    world.start_again().await;
    // The hub does not know the document: what was refused is tried again.
    desk.note("status/refused/r", "refusal.json").await;
    let again = http.post("/v1/reports?name=r&wait=20", report("06")).await;
    assert_eq!(again.json()["refusal"]["code"], "DOCUMENT_UNKNOWN");
    assert_eq!(entries(&desk.path("status/refused")).len(), 2);
}

#[tokio::test]
async fn the_inbox_is_listed_read_and_reported_and_the_sender_is_told() {
    let world = World::start().await;
    let (_sender, theirs) = Desk::with_http(&world, "H34").await;
    let (desk, http) = Desk::with_http(&world, "H36").await;
    let file = STANDARD.encode("Điều 1");
    let letter = json!({
        "header": { "to": ["H36"], "subject": "Hỏi" },
        "files": [{ "name": "hỏi.txt", "base64": file }],
    });
    theirs.post("/v1/documents?name=hoi&wait=20", letter.to_string()).await;
    desk.first("inbox").await;
    let listed = http.get("/v1/inbox").await.json();
    let name = listed["documents"][0]["name"].as_str().unwrap().to_owned();
    assert_eq!(listed["documents"][0]["subject"], "Hỏi");
    assert_eq!(http.get(&format!("/v1/inbox?after={name}")).await.json()["documents"], json!([]));
    assert_eq!(http.get(&format!("/v1/inbox/{name}")).await.json()["sender"], "H34");
    let path = format!("/v1/inbox/{name}/attachments/h%E1%BB%8Fi.txt");
    assert_eq!(http.get(&path).await.body, "Điều 1");
    for _ in 0..2 {
        let read = http.post(&format!("/v1/inbox/{name}/read"), "").await;
        assert_eq!(read.status, StatusCode::OK, "{:?}", read.json());
    }
    assert_eq!(http.get("/v1/inbox").await.json()["documents"], json!([]));
    let report = json!({ "document": name, "status": "03" }).to_string();
    let answer = http.post("/v1/reports?name=r1&wait=20", report).await;
    assert_eq!(answer.status, StatusCode::CREATED, "{:?}", answer.json());
    assert_eq!(http.get("/v1/reports/r1").await.json()["state"], "sent");
    let notices = async || theirs.get("/v1/notices").await.json()["notices"].clone();
    until("two notices", async || notices().await.as_array().unwrap().len() >= 2).await;
    let told = notices().await;
    assert_eq!((&told[0]["status"], &told[1]["status"]), (&"01".into(), &"03".into()), "{told}");
    let file = told[0]["file"].as_str().unwrap();
    assert_eq!(theirs.post(&format!("/v1/notices/{file}/read"), "").await.status, StatusCode::OK);
    assert_eq!(notices().await.as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn a_name_from_outside_leads_nowhere() {
    let world = World::start().await;
    let (desk, http) = Desk::with_http(&world, "H36").await;
    world.client("H34").await.submit(world.sealed(&document("H34", &["H36"]))).await.unwrap();
    let folder = desk.first("inbox").await;
    let name = folder.file_name().unwrap().to_str().unwrap();
    for path in [
        "/v1/inbox/..%2F..%2Fetc".to_owned(),
        "/v1/inbox/.node".to_owned(),
        "/v1/documents/..%2Fsent".to_owned(),
        "/v1/reports/..%2F..".to_owned(),
        format!("/v1/inbox/{name}/attachments/..%2Fdocument.json"),
        format!("/v1/inbox/{name}?agency=H34"),
        "/v1/inbox?agency=..%2F".to_owned(),
    ] {
        assert_eq!(http.get(&path).await.status, StatusCode::NOT_FOUND, "{path}");
    }
    let answer = http.post("/v1/notices/..%2F..%2Fhttp.token/read", "").await;
    assert_eq!(answer.status, StatusCode::NOT_FOUND);
    assert!(desk.path("http.token").exists());
    let body = json!({ "header": { "to": ["H34"], "subject": "x" } }).to_string();
    let answer = http.post("/v1/documents?name=..%2Fa", body).await;
    assert_eq!(answer.status, StatusCode::BAD_REQUEST);
}

#[tokio::test]
async fn the_directory_and_what_waits_are_shown_while_the_hub_is_away() {
    let mut world = World::start().await;
    let (desk, http) = Desk::with_http(&world, "H36").await;
    desk.appears(".node/directory.json").await;
    until("the copy", async || http.get("/v1/agencies/H34").await.status == StatusCode::OK).await;
    world.stop().await.unwrap();
    let found = http.get("/v1/agencies?text=kon%20tum").await.json();
    assert!(found["agencies"].as_array().unwrap().iter().any(|one| one["code"] == "H34"));
    let body = json!({ "header": { "to": ["H34"], "subject": "x" } }).to_string();
    let answer = http.post("/v1/documents?name=a", body).await;
    assert_eq!(answer.status, StatusCode::ACCEPTED);
    until("it is known that the hub is away", async || {
        http.get("/v1/status").await.json()["connected"] == false
    })
    .await;
    let status = http.get("/v1/status").await.json();
    assert!(!status["away"]["remedy_vi"].as_str().unwrap().is_empty());
    until("it waits", async || !http.get("/v1/documents/a").await.json()["waits_for"].is_null())
        .await;
    assert_eq!(http.get("/v1/status").await.json()["folders"]["sending"], 1);
}
