//! Where the hub is and how it is spoken to.

use std::net::SocketAddr;
use std::time::Duration;

use http::Uri;
use lienthong_model::limits::CALL_MAX;
use lienthong_wire::Language;
use rustls_pki_types::ServerName;

use crate::clock::ClockSource;
use crate::identity::{Identity, Roots};
use crate::retry::Retry;

/// A hub's address, our identity, whom we trust, and the times allowed.
#[derive(Debug, Clone)]
pub struct Endpoint {
    pub(crate) host: String,
    pub(crate) port: u16,
    pub(crate) server_name: ServerName<'static>,
    pub(crate) identity: Identity,
    pub(crate) roots: Roots,
    pub(crate) clock: ClockSource,
    pub(crate) connect_max: Duration,
    pub(crate) call_max: Duration,
    pub(crate) keep_alive: Duration,
    pub(crate) wait_for_hub: Duration,
    pub(crate) retry: Retry,
    pub(crate) language: Language,
}

/// Why an endpoint cannot be used.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum EndpointError {
    /// The address is not of the form `https://host:port`.
    #[error("an address is `https://host:port`, this is `{0}`")]
    Address(String),
    /// The name is neither a DNS name nor an IP address.
    #[error("`{0}` is neither a DNS name nor an IP address")]
    ServerName(String),
    /// A root, certificate or key cannot be used for TLS, or certificate and key differ.
    #[error("the certificates and key cannot be used: {0}")]
    Tls(#[from] rustls::Error),
    /// A revocation list cannot be used for TLS.
    #[error("a revocation list cannot be used: {0}")]
    RevocationList(String),
}

impl Endpoint {
    /// An endpoint with the defaults named at each setting. `address` is `https://host:port`; the
    /// port may be left out for 443.
    ///
    /// # Errors
    /// [`EndpointError::Address`] and [`EndpointError::ServerName`] when it has another form.
    pub fn new(address: &str, identity: Identity, roots: Roots) -> Result<Self, EndpointError> {
        let wrong = || EndpointError::Address(address.to_owned());
        let uri: Uri = address.parse().map_err(|_| wrong())?;
        if uri.scheme_str() != Some("https") || !matches!(uri.path(), "" | "/") {
            return Err(wrong());
        }
        let host = uri.host().filter(|host| !host.is_empty()).ok_or_else(wrong)?.to_owned();
        Ok(Self {
            server_name: name(host.trim_start_matches('[').trim_end_matches(']'))?,
            host,
            port: uri.port_u16().unwrap_or(443),
            identity,
            roots,
            clock: ClockSource::Real,
            connect_max: Duration::from_secs(10),
            call_max: CALL_MAX,
            keep_alive: Duration::from_secs(30),
            wait_for_hub: Duration::ZERO,
            retry: Retry::default(),
            language: Language::default(),
        })
    }

    /// Sets the language in which the hub is asked for texts for people
    /// (`google.rpc.LocalizedMessage`). Default: Vietnamese. Refusals read by this crate have both
    /// languages in any case.
    pub fn language(mut self, language: Language) -> Self {
        self.language = language;
        self
    }

    /// Sets the name that the hub's certificate must have. Default: the host of the address. Set
    /// it where the address is an IP address or a tunnel that the certificate does not name.
    ///
    /// # Errors
    /// [`EndpointError::ServerName`] when it is neither a DNS name nor an IP address.
    pub fn server_name(mut self, text: &str) -> Result<Self, EndpointError> {
        self.server_name = name(text)?;
        Ok(self)
    }

    /// Sets the clock by which the hub's certificate is judged. Default: this machine's. A hub on
    /// a scenario's clock has certificates of the scenario's time: give its clock here.
    pub fn clock(mut self, clock: ClockSource) -> Self {
        self.clock = clock;
        self
    }

    /// Leads through another address, a tunnel or a proxy; the hub's certificate must still have the
    /// name that it had to have.
    pub fn through(mut self, address: SocketAddr) -> Self {
        self.host = address.ip().to_string();
        self.port = address.port();
        self
    }

    /// Returns where it connects to, as `host:port`.
    pub fn host_and_port(&self) -> String {
        format!("{}:{}", self.host, self.port)
    }

    /// Sets how long looking the host up, connecting, and the TLS handshake may take, each.
    /// Default 10 s, which is also the most for the handshake. Too low fails on slow lines; too
    /// high finds out late that nobody is there.
    pub fn connect_max(mut self, span: Duration) -> Self {
        self.connect_max = span;
        self
    }

    /// Sets how long one attempt of a call may take. Default 30 s. Too low repeats calls that the
    /// hub is still working on; too high finds out late that an answer was lost.
    pub fn call_max(mut self, span: Duration) -> Self {
        self.call_max = span;
        self
    }

    /// Sets how often a silent connection is tried (HTTP/2 ping, answer expected within 20 s).
    /// Default 30 s. Too low costs traffic with many agencies; too high finds out late that a
    /// connection is dead.
    pub fn keep_alive(mut self, span: Duration) -> Self {
        self.keep_alive = span;
        self
    }

    /// Sets how long [`Client::connect`](crate::Client::connect) waits for a hub that cannot be
    /// reached yet. Default 0: the first failure is returned. A TLS refusal is never waited for.
    pub fn wait_for_hub(mut self, span: Duration) -> Self {
        self.wait_for_hub = span;
        self
    }

    /// Sets the rule for repeating calls. Default: [`Retry::default`].
    pub fn retry(mut self, retry: Retry) -> Self {
        self.retry = retry;
        self
    }

    pub(crate) fn address(&self) -> String {
        format!("https://{}:{}", self.host, self.port)
    }
}

fn name(text: &str) -> Result<ServerName<'static>, EndpointError> {
    ServerName::try_from(text.to_owned()).map_err(|_| EndpointError::ServerName(text.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(text: &str) -> Result<String, EndpointError> {
        let identity = Identity::new(vec![bytes::Bytes::new()], &[]).unwrap();
        Endpoint::new(text, identity, Roots::default()).map(|endpoint| endpoint.address())
    }

    #[test]
    fn only_https_addresses_of_a_host_are_taken() {
        assert_eq!(address("https://hub.example:7443").unwrap(), "https://hub.example:7443");
        assert_eq!(address("https://127.0.0.1").unwrap(), "https://127.0.0.1:443");
        assert_eq!(address("https://[::1]:7443/").unwrap(), "https://[::1]:7443");
        for wrong in ["http://hub:1", "hub:1", "https://hub/path", "https://", ""] {
            assert_eq!(address(wrong), Err(EndpointError::Address(wrong.into())), "{wrong}");
        }
    }
}
