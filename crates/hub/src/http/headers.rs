//! What every answer says to a browser, and whom no browser may be led to ask.

use std::net::IpAddr;

use axum::extract::Request;
use axum::http::header::{self, HOST};
use axum::http::uri::Authority;
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use axum::middleware::Next;
use axum::response::Response;

use super::text;
use super::visitor::Caller;

/// Nothing from elsewhere, nothing inline, in nobody's frame.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; \
                      connect-src 'self'; font-src 'self'; form-action 'self'; base-uri 'none'; \
                      frame-ancestors 'none'";

/// What a browser is told with every answer.
const TOLD: [(HeaderName, &str); 6] = [
    (header::CONTENT_SECURITY_POLICY, POLICY),
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::X_FRAME_OPTIONS, "DENY"),
    (header::REFERRER_POLICY, "no-referrer"),
    (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
    (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
];

/// Adds the headers; without TLS, lets only requests pass that name a loopback host.
pub(super) async fn secured(request: Request, next: Next) -> Response {
    let is_tls = request.extensions().get::<Caller>().is_some_and(|caller| caller.is_tls);
    let named = request.headers().get(HOST).and_then(|host| host.to_str().ok());
    let mut response = match is_tls || named.is_some_and(is_loopback) {
        true => next.run(request).await,
        false => {
            let said = "this port answers to loopback hosts only, such as 127.0.0.1 or localhost\n";
            text(StatusCode::MISDIRECTED_REQUEST, said)
        }
    };
    tell(response.headers_mut(), is_tls);
    response
}

fn tell(headers: &mut HeaderMap, is_tls: bool) {
    for (name, value) in TOLD {
        headers.insert(name, HeaderValue::from_static(value));
    }
    if is_tls {
        let year = HeaderValue::from_static("max-age=31536000");
        headers.insert(header::STRICT_TRANSPORT_SECURITY, year);
    }
}

fn is_loopback(host: &str) -> bool {
    let Ok(authority) = host.parse::<Authority>() else { return false };
    let name = authority.host();
    let address = name.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>();
    name.eq_ignore_ascii_case("localhost") || address.is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_loopback_hosts_are_answered() {
        for host in ["127.0.0.1", "127.0.0.1:7480", "localhost:1", "LOCALHOST", "[::1]:7480"] {
            assert!(is_loopback(host), "{host}");
        }
        for host in
            ["", "example.vn", "127.0.0.1.example.vn", "localhost.example", "10.0.0.1", "[::2]"]
        {
            assert!(!is_loopback(host), "{host}");
        }
    }
}
