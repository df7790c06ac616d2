//! Signing in to the operators' pages by a client's certificate, over TLS as it goes over the wire.

use std::io;
use std::net::SocketAddr;

use lienthong_hub::HttpAddress;
use lienthong_model::{Role, Territory};
use lienthong_pki::{Identity, Profile, TestPki};
use serde_json::{Value, json};

use crate::harness::raw::{connect, tls_for};
use crate::harness::web::{Answer, ask_over};
use crate::harness::{World, code, list, operator, server_identity, validity};
use crate::pages::{PASSWORD, appoint, office, person, province};

/// A browser on TLS that may have a client's certificate.
struct Secure<'w> {
    world: &'w World,
    address: SocketAddr,
    identity: Option<&'w Identity>,
    cookie: Option<String>,
    token: Option<String>,
}

/// A hub whose pages are on TLS.
async fn world() -> World {
    World::start_with(|settings| {
        let identity = server_identity(&crate::harness::test_pki());
        settings.http = Some(HttpAddress::with_tls("127.0.0.1:0".parse().unwrap(), identity));
        settings.revocation_lists = vec![list(&crate::harness::test_pki(), 1, &[])];
    })
    .await
}

impl<'w> Secure<'w> {
    fn with(world: &'w World, identity: Option<&'w Identity>) -> Self {
        let address = world.hub().http_address().unwrap();
        Self { world, address, identity, cookie: None, token: None }
    }

    async fn ask(&self, method: &str, path: &str, body: &str) -> io::Result<Answer> {
        let tls = tls_for(&self.world.pki, self.identity, b"http/1.1");
        let stream = connect(tls, self.address).await?;
        let host = format!("localhost:{}", self.address.port());
        let mut request = format!("{method} /api/v1/{path} HTTP/1.1\r\nhost: {host}\r\n");
        if let Some(cookie) = &self.cookie {
            request += &format!("cookie: {cookie}\r\n");
        }
        if method != "GET" {
            let token = self.token.as_deref().unwrap_or_default();
            request += &format!("origin: https://{host}\r\nsec-fetch-site: same-origin\r\n");
            request += &format!("x-csrf-token: {token}\r\n");
            request += "content-type: application/json\r\n";
            request += &format!("content-length: {}\r\n", body.len());
        }
        ask_over(stream, &format!("{request}connection: close\r\n\r\n{body}")).await
    }

    async fn get(&self, path: &str) -> Answer {
        self.ask("GET", path, "").await.unwrap()
    }

    async fn json(&self, path: &str) -> Value {
        let answer = self.get(path).await;
        assert_eq!(answer.status, 200, "{path}: {}", answer.text());
        serde_json::from_slice(&answer.body).unwrap()
    }

    /// Signs in by the certificate.
    async fn sign_in(&mut self) -> Answer {
        let answer = self.ask("POST", "session/certificate", "").await.unwrap();
        if answer.status == 200 {
            let cookie = answer.header("set-cookie").unwrap();
            self.cookie = Some(cookie.split(';').next().unwrap().to_owned());
            let begun: Value = serde_json::from_slice(&answer.body).unwrap();
            self.token = Some(begun["token"].as_str().unwrap().to_owned());
        }
        answer
    }
}

#[tokio::test]
async fn an_operator_signs_in_by_its_certificate_and_is_who_the_certificate_names() {
    let world = world().await;
    let identity = world.pki.identity(&operator("H36")).unwrap();
    appoint(&world, person("H36", "binh.tran"), Role::Administrator, province("H36")).await;
    let mut browser = Secure::with(&world, Some(&identity));
    let shown = browser.json("session").await;
    assert_eq!(
        (&shown["certificate"], &shown["admitted"]),
        (&json!("H36/binh.tran"), &json!(true))
    );
    assert_eq!(shown["appointments"][0]["territory"]["code"], "H36");

    // The certificate alone changes nothing: a browser shows it whoever made the request.
    let account = json!({ "person": "H36.12/an", "password": PASSWORD }).to_string();
    let refused = browser.ask("PUT", "accounts", &account).await.unwrap();
    assert_eq!((refused.status, refused.code()), (401, "SIGN_IN_REQUIRED".to_owned()));
    let begun = browser.sign_in().await;
    assert_eq!(begun.status, 200, "{}", begun.text());
    let cookie = begun.header("set-cookie").unwrap();
    for word in ["__Host-lienthong=", "Secure", "HttpOnly", "SameSite=Strict"] {
        assert!(cookie.contains(word), "{word} in {cookie}");
    }
    assert!(begun.header("strict-transport-security").is_some());
    assert_eq!(browser.ask("PUT", "accounts", &account).await.unwrap().status, 200);
    // It is bound to the certificate's own person: nobody else's province is its to see.
    assert_eq!(browser.get("provinces/H34").await.status, 404);
    let overview = browser.json("overview").await;
    assert_eq!(overview["agencies"]["all"], 4);
    // The session goes on where the certificate is not shown.
    let elsewhere = Secure { identity: None, ..browser };
    assert_eq!(elsewhere.json("session").await["person"], "H36/binh.tran");
}

#[tokio::test]
async fn a_certificate_without_an_appointment_opens_no_session_and_shows_nothing() {
    let world = world().await;
    office(&world).await.set_password(&person("G22", "binh.tran"), PASSWORD).await.unwrap();
    let unappointed = world.pki.identity(&operator("H36")).unwrap();
    // A node is nobody who could sign in, whoever operates its agency.
    appoint(&world, person("H34", "binh.tran"), Role::Viewer, province("H34")).await;
    let node = world.node("H34");
    for identity in [Some(&unappointed), Some(&node), None] {
        let mut browser = Secure::with(&world, identity);
        assert_eq!(browser.get("overview").await.code(), "SIGN_IN_REQUIRED");
        let refused = browser.sign_in().await;
        assert_eq!((refused.status, refused.code()), (401, "SIGN_IN_FAILED".to_owned()));
        assert!(refused.header("set-cookie").is_none());
    }
    appoint(&world, person("H36", "binh.tran"), Role::Viewer, Territory::Country).await;
    let mut browser = Secure::with(&world, Some(&unappointed));
    assert_eq!(browser.sign_in().await.status, 200, "once it is appointed");
}

#[tokio::test]
async fn a_certificate_of_another_root_or_for_signing_does_not_even_get_a_connection() {
    let world = world().await;
    appoint(&world, person("H36", "binh.tran"), Role::Viewer, Territory::Country).await;
    let stranger = TestPki::new([12; 32], validity()).unwrap();
    let unknown = stranger.identity(&operator("H36")).unwrap();
    let signs = Profile::Person {
        agency: code("H36"),
        person: "binh.tran".to_owned(),
        name: "Trần Thị Bình".to_owned(),
        title: "Chánh văn phòng".to_owned(),
    };
    let signer = world.pki.identity(&signs).unwrap();
    for identity in [&unknown, &signer] {
        let browser = Secure::with(&world, Some(identity));
        let broken = browser.ask("POST", "session/certificate", "").await;
        let alert = broken.expect_err("the handshake is broken off").to_string();
        assert!(alert.contains("alert"), "{alert}");
    }
    // The same pages without that certificate are there.
    assert_eq!(Secure::with(&world, None).get("session").await.status, 200);
}

#[tokio::test]
async fn what_a_revoked_certificate_began_ends_with_it_and_it_begins_nothing_more() {
    let world = world().await;
    let identity = world.pki.identity(&operator("H36")).unwrap();
    appoint(&world, person("H36", "binh.tran"), Role::Viewer, province("H36")).await;
    let mut browser = Secure::with(&world, Some(&identity));
    assert_eq!(browser.sign_in().await.status, 200);
    assert_eq!(browser.get("overview").await.status, 200);
    // A connection that was there before the revocation.
    let tls = tls_for(&world.pki, Some(&identity), b"http/1.1");
    let before = connect(tls, browser.address).await.unwrap();

    let revoked = list(&world.pki, 2, &[&identity]);
    office(&world).await.add_revocation_list(revoked).await.unwrap();
    let request = format!(
        "GET /api/v1/overview HTTP/1.1\r\nhost: localhost:{}\r\nconnection: close\r\n\r\n",
        browser.address.port()
    );
    let answered = ask_over(before, &request).await.unwrap();
    assert_eq!((answered.status, answered.code()), (401, "SIGN_IN_REQUIRED".to_owned()));
    let again = browser.ask("POST", "session/certificate", "").await;
    assert!(again.is_err(), "no connection: {again:?}");
    let session = Secure { identity: None, ..browser };
    assert_eq!(session.get("overview").await.code(), "SIGN_IN_REQUIRED");
}
