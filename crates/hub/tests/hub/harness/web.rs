//! HTTP as it goes over the wire: one request a connection.

use std::net::SocketAddr;

use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::TcpStream;

use super::{World, within};

/// What came back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    pub status: u16,
    pub head: String,
    pub body: Vec<u8>,
}

impl Answer {
    /// The value of a header.
    pub fn header(&self, name: &str) -> Option<&str> {
        let named = |line: &&str| {
            line.split_once(": ").is_some_and(|(found, _)| found.eq_ignore_ascii_case(name))
        };
        self.head.lines().find(named).and_then(|line| Some(line.split_once(": ")?.1))
    }

    /// The body as a text.
    pub fn text(&self) -> &str {
        std::str::from_utf8(&self.body).unwrap()
    }
}

/// Gets a page of a world's hub.
pub async fn page(world: &World, path: &str) -> Answer {
    at(world.hub().http_address().unwrap(), path).await
}

/// Gets a page.
pub async fn at(address: SocketAddr, path: &str) -> Answer {
    ask(address, &format!("GET {path} HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n\r\n"))
        .await
}

/// Sends bytes and reads the answer to its end.
pub async fn ask(address: SocketAddr, request: &str) -> Answer {
    ask_over(TcpStream::connect(address).await.unwrap(), request).await.unwrap()
}

/// Sends bytes and reads the answer to its end, over any connection.
///
/// # Errors
/// When the connection is broken off.
pub async fn ask_over(
    mut stream: impl AsyncRead + AsyncWrite + Unpin,
    request: &str,
) -> std::io::Result<Answer> {
    stream.write_all(request.as_bytes()).await?;
    let mut bytes = Vec::new();
    within("an answer", stream.read_to_end(&mut bytes)).await?;
    Ok(answer(&bytes))
}

fn answer(bytes: &[u8]) -> Answer {
    let end = bytes.windows(4).position(|four| four == b"\r\n\r\n").expect("a head");
    let head = String::from_utf8(bytes[..end].to_vec()).unwrap();
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    Answer { status, head, body: bytes[end + 4..].to_vec() }
}

/// A browser of the pages: it keeps the session's cookie and token.
pub struct Browser {
    pub address: SocketAddr,
    pub cookie: Option<String>,
    pub token: Option<String>,
}

impl Browser {
    /// One that has not signed in.
    pub fn at(world: &World) -> Self {
        let address = world.hub().http_address().unwrap();
        Self { address, cookie: None, token: None }
    }

    /// Gets something of the API.
    pub async fn get(&self, path: &str) -> Answer {
        self.ask("GET", path, &[], "").await
    }

    /// Gets a JSON that must be there.
    pub async fn json(&self, path: &str) -> serde_json::Value {
        let answer = self.get(path).await;
        assert_eq!(answer.status, 200, "{path}: {}", String::from_utf8_lossy(&answer.body));
        serde_json::from_slice(&answer.body).unwrap()
    }

    /// Sends a change as the hub's own page would.
    pub async fn change(&self, method: &str, path: &str, body: serde_json::Value) -> Answer {
        let origin = format!("http://{}", self.address);
        let token = self.token.clone().unwrap_or_default();
        let own = [
            ("origin", origin.as_str()),
            ("sec-fetch-site", "same-origin"),
            ("x-csrf-token", token.as_str()),
        ];
        self.ask(method, path, &own, &body.to_string()).await
    }

    /// Signs in; the status of the answer.
    pub async fn sign_in(&mut self, person: &str, password: &str) -> Answer {
        let given = serde_json::json!({ "person": person, "password": password });
        let answer = self.change("POST", "session", given).await;
        if answer.status == 200 {
            let cookie = answer.header("set-cookie").unwrap();
            self.cookie = Some(cookie.split(';').next().unwrap().to_owned());
            let begun: serde_json::Value = serde_json::from_slice(&answer.body).unwrap();
            self.token = Some(begun["token"].as_str().unwrap().to_owned());
        }
        answer
    }

    /// Sends a request with headers of the test's own.
    pub async fn ask(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: &str,
    ) -> Answer {
        let mut request = format!("{method} /api/v1/{path} HTTP/1.1\r\nhost: {}\r\n", self.address);
        for (name, value) in headers {
            request += &format!("{name}: {value}\r\n");
        }
        if let Some(cookie) = &self.cookie {
            request += &format!("cookie: {cookie}\r\n");
        }
        if !body.is_empty() {
            request +=
                &format!("content-type: application/json\r\ncontent-length: {}\r\n", body.len());
        }
        ask(self.address, &format!("{request}connection: close\r\n\r\n{body}")).await
    }
}

impl Answer {
    /// The code of a refusal.
    pub fn code(&self) -> String {
        let body: serde_json::Value = serde_json::from_slice(&self.body).unwrap();
        body["error"]["code"].as_str().unwrap_or_default().to_owned()
    }
}
