//! Tells another program what happened: one POST of a small JSON an event, in order, repeated with
//! growing pauses until it is answered with 2xx.
//!
//! The body is authenticated with HMAC-SHA256 (RFC 2104) under the secret of the file:
//!
//! ```text
//! X-Lienthong-Timestamp: <seconds since 1970>
//! X-Lienthong-Signature: sha256=<hex of HMAC-SHA256(secret, timestamp "." body)>
//! ```

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use hmac::{Hmac, KeyInit as _, Mac as _};
use http_body_util::Full;
use hyper::{Request, StatusCode, Uri};
use hyper_util::rt::TokioIo;
use lienthong_model::limits::{WEBHOOK_ANSWER_MAX, WEBHOOK_GIVEN_UP_AFTER, WEBHOOK_PAUSE_MAX};
use rustls_pki_types::pem::PemObject as _;
use rustls_pki_types::{CertificateDer, ServerName};
use sha2::Sha256;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

use crate::disk;
use crate::events::Waiting;
use crate::node::Shared;
use crate::secret::{self, SecretError};
use crate::settings::WebhookSettings;

/// Why the webhook cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum WebhookError {
    /// The address is not `http://` or `https://` with a host.
    #[error("the webhook's address is `http://host:port/path` or https, this is `{0}`")]
    Address(String),
    /// An `https` address without roots, or roots that cannot be used.
    #[error("the webhook's root certificates cannot be used: {0}")]
    Roots(String),
    /// The secret.
    #[error(transparent)]
    Secret(#[from] SecretError),
}

/// Whom to tell, and how.
pub(crate) struct Webhook {
    uri: Uri,
    host: String,
    port: u16,
    tls: Option<(TlsConnector, ServerName<'static>)>,
    secret: String,
}

impl fmt::Debug for Webhook {
    /// Never shows the secret.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Webhook").field("uri", &self.uri).finish_non_exhaustive()
    }
}

impl Webhook {
    pub(crate) fn new(settings: &WebhookSettings) -> Result<Self, WebhookError> {
        let wrong = || WebhookError::Address(settings.url.clone());
        let uri: Uri = settings.url.parse().map_err(|_| wrong())?;
        let host = uri.host().filter(|host| !host.is_empty()).ok_or_else(wrong)?.to_owned();
        let (default, is_tls) = match uri.scheme_str() {
            Some("http") => (80, false),
            Some("https") => (443, true),
            _ => return Err(wrong()),
        };
        let port = uri.port_u16().unwrap_or(default);
        let bare = host.trim_start_matches('[').trim_end_matches(']').to_owned();
        let tls = match is_tls {
            false => None,
            true => {
                let name = ServerName::try_from(bare.clone()).map_err(|_| wrong())?;
                Some((connector(&settings.roots)?, name))
            }
        };
        let secret = secret::read_or_make(&settings.secret)?;
        Ok(Self { uri, host: bare, port, tls, secret })
    }

    /// Posts one event.
    async fn post(&self, event: &Waiting) -> Result<(), Refusing> {
        let tcp = TcpStream::connect((self.host.as_str(), self.port)).await;
        let tcp = tcp.map_err(|error| Refusing::Connection(error.to_string()))?;
        let status = match &self.tls {
            None => self.exchange(tcp, event).await?,
            Some((connector, name)) => {
                let tls = connector.connect(name.clone(), tcp).await;
                let tls = tls.map_err(|error| Refusing::Connection(error.to_string()))?;
                self.exchange(tls, event).await?
            }
        };
        if status.is_success() { Ok(()) } else { Err(Refusing::Answered(status)) }
    }

    async fn exchange(
        &self,
        stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
        event: &Waiting,
    ) -> Result<StatusCode, Refusing> {
        let broke = |error: hyper::Error| Refusing::Connection(error.to_string());
        let (mut sender, connection) =
            hyper::client::conn::http1::handshake(TokioIo::new(stream)).await.map_err(broke)?;
        let driver = tokio::spawn(connection);
        let request = self.request(event).map_err(|why| Refusing::Connection(why.to_string()))?;
        let answer = sender.send_request(request).await.map_err(broke);
        driver.abort();
        Ok(answer?.status())
    }

    fn request(&self, event: &Waiting) -> Result<Request<Full<Bytes>>, hyper::http::Error> {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
        let path = self.uri.path_and_query().map_or("/", |path| path.as_str());
        let authority = self.uri.authority().map_or("", |authority| authority.as_str());
        Request::post(path)
            .header("host", authority)
            .header("content-type", "application/json")
            .header("user-agent", concat!("lienthong-node/", env!("CARGO_PKG_VERSION")))
            .header("x-lienthong-event", &event.id)
            .header("x-lienthong-timestamp", since)
            .header("x-lienthong-signature", signature(&self.secret, since, &event.body))
            .body(Full::new(Bytes::from(event.body.clone())))
    }
}

/// Returns the signature of a body at a moment (seconds since 1970), as it stands in the header.
pub fn signature(secret: &str, at: u64, body: &[u8]) -> String {
    // HMAC takes keys of every length.
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(secret.as_bytes()) else {
        return String::new();
    };
    mac.update(at.to_string().as_bytes());
    mac.update(b".");
    mac.update(body);
    format!("sha256={}", hex::encode(mac.finalize().into_bytes()))
}

/// Why an event was not taken.
#[derive(Debug, thiserror::Error)]
enum Refusing {
    #[error("no connection: {0}")]
    Connection(String),
    #[error("answered {0}")]
    Answered(StatusCode),
    #[error("no answer within {WEBHOOK_ANSWER_MAX:?}")]
    TooLate,
}

fn connector(roots: &str) -> Result<TlsConnector, WebhookError> {
    let unusable = |why: &dyn fmt::Display| WebhookError::Roots(why.to_string());
    let mut store = rustls::RootCertStore::empty();
    for der in CertificateDer::pem_slice_iter(roots.as_bytes()) {
        let der = der.map_err(|why| unusable(&why))?;
        store.add(der).map_err(|why| unusable(&why))?;
    }
    if store.is_empty() {
        return Err(unusable(&"an https address needs root certificates"));
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|why| unusable(&why))?
        .with_root_certificates(store)
        .with_no_client_auth();
    Ok(TlsConnector::from(Arc::new(config)))
}

/// Tells until the connector ends.
pub(crate) async fn run(webhook: Webhook, shared: Arc<Shared>) {
    let mut pause = FIRST_PAUSE;
    loop {
        let looked = round(&webhook, &shared).await;
        let wait = match looked {
            true => {
                pause = FIRST_PAUSE;
                WEBHOOK_PAUSE_MAX
            }
            false => {
                let now = pause;
                pause = (pause * 2).min(WEBHOOK_PAUSE_MAX);
                now
            }
        };
        tokio::select! {
            () = tokio::time::sleep(wait) => {}
            // A new event does not shorten the pause of one that was not taken.
            () = shared.events.arrived.notified(), if looked => {}
            () = shared.stopped() => return,
        }
    }
}

const FIRST_PAUSE: Duration = Duration::from_secs(1);

/// Tells everything that waits, the oldest first; says whether all of it was taken.
async fn round(webhook: &Webhook, shared: &Arc<Shared>) -> bool {
    let owner = shared.clone();
    let waiting = match disk::aside(move || owner.events.waiting()).await {
        Ok(waiting) => waiting,
        Err(error) => {
            tracing::error!(%error, "events cannot be read");
            return false;
        }
    };
    for event in waiting {
        if shared.is_stopping() {
            return true;
        }
        let posted = tokio::time::timeout(WEBHOOK_ANSWER_MAX, webhook.post(&event)).await;
        if let Err(error) = posted.unwrap_or(Err(Refusing::TooLate)) {
            let age = event.since.elapsed().unwrap_or_default();
            if age < WEBHOOK_GIVEN_UP_AFTER {
                tracing::warn!(event = %event.id, %error, "the webhook did not take an event");
                return false;
            }
            tracing::error!(event = %event.id, %error, ?age, "an event is given up");
        }
        let (owner, done) = (shared.clone(), event.clone());
        if let Err(error) = disk::aside(move || owner.events.done(&done)).await {
            tracing::error!(%error, "an event is told again");
            return false;
        }
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_signature_is_hmac_sha256_as_others_compute_it() {
        // printf '1600000000.{"a":1}' | openssl dgst -sha256 -hmac 0123456789abcdef
        let expected = "sha256=33bcdb09423a88ac836007e7326f1f005da24356bd04f68c0b34d0fce2ef09e4";
        assert_eq!(signature("0123456789abcdef", 1_600_000_000, b"{\"a\":1}"), expected);
    }

    #[test]
    fn only_http_and_https_addresses_with_roots_are_taken() {
        let folder = tempfile::tempdir().unwrap();
        let webhook = |url: &str| {
            let secret = folder.path().join("secret");
            Webhook::new(&WebhookSettings { url: url.to_owned(), secret, roots: String::new() })
        };
        assert_eq!(webhook("http://127.0.0.1:8080/hook?a=b").unwrap().port, 8080);
        for wrong in ["ftp://x", "127.0.0.1", ""] {
            assert!(matches!(webhook(wrong), Err(WebhookError::Address(_))), "{wrong}");
        }
        assert!(matches!(webhook("https://x"), Err(WebhookError::Roots(_))));
    }
}
