//! Makes connections: TCP, then TLS 1.3 with both sides' certificates.

use std::sync::Arc;
use std::time::Duration;

use hyper_util::rt::TokioIo;
use lienthong_model::limits::HANDSHAKE_MAX;
use rustls::client::WebPkiServerVerifier;
use rustls::{ClientConfig, RootCertStore};
use rustls_pki_types::ServerName;
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use crate::endpoint::{Endpoint, EndpointError};
use crate::fault::{Fault, Watched};
use crate::unreachable::{Cause, Step, Unreachable};

/// A connection as HTTP/2 takes it.
pub(crate) type Connection = TokioIo<Watched<TlsStream<TcpStream>>>;

/// Connects to one hub, again and again.
#[derive(Clone)]
pub(crate) struct Dialer {
    address: String,
    host: String,
    port: u16,
    name: ServerName<'static>,
    tls: TlsConnector,
    connect_max: Duration,
    fault: Fault,
}

impl Dialer {
    pub(crate) fn new(endpoint: &Endpoint, fault: Fault) -> Result<Self, EndpointError> {
        Ok(Self {
            address: endpoint.address(),
            host: endpoint.host.clone(),
            port: endpoint.port,
            name: endpoint.server_name.clone(),
            tls: TlsConnector::from(Arc::new(configuration(endpoint)?)),
            connect_max: endpoint.connect_max,
            fault,
        })
    }

    pub(crate) async fn dial(self) -> Result<Connection, Unreachable> {
        let failed = |cause| Unreachable { address: self.address.clone(), cause };
        let tcp = self.tcp().await.map_err(failed)?;
        let handshake = self.tls.connect(self.name.clone(), tcp);
        let tls = match timeout(HANDSHAKE_MAX.min(self.connect_max), handshake).await {
            Ok(Ok(tls)) => tls,
            Ok(Err(error)) => return Err(failed(Cause::of_handshake(&error))),
            Err(_) => return Err(failed(Cause::TimedOut(Step::Handshake))),
        };
        Ok(TokioIo::new(Watched::new(tls, self.fault.clone())))
    }

    async fn tcp(&self) -> Result<TcpStream, Cause> {
        let host = self.host.trim_start_matches('[').trim_end_matches(']');
        let found = tokio::net::lookup_host((host, self.port));
        let addresses = match timeout(self.connect_max, found).await {
            Ok(Ok(addresses)) => addresses,
            Ok(Err(_)) => return Err(Cause::HostUnknown(self.host.clone())),
            Err(_) => return Err(Cause::TimedOut(Step::Lookup)),
        };
        let mut last = Cause::HostUnknown(self.host.clone());
        for address in addresses {
            match timeout(self.connect_max, TcpStream::connect(address)).await {
                Ok(Ok(tcp)) => {
                    // Without it small messages wait; failing costs time only.
                    let _ = tcp.set_nodelay(true);
                    return Ok(tcp);
                }
                Ok(Err(error)) => last = Cause::of_connect(&error),
                Err(_) => last = Cause::TimedOut(Step::Connect),
            }
        }
        Err(last)
    }
}

/// TLS 1.3 only, HTTP/2 only, our certificate, the roots, the clock of the endpoint. The provider
/// of the cryptography is named, so that none needs to be installed in the process.
fn configuration(endpoint: &Endpoint) -> Result<ClientConfig, EndpointError> {
    let mut roots = RootCertStore::empty();
    for anchor in endpoint.roots.anchors() {
        roots.add(anchor)?;
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let verifier = WebPkiServerVerifier::builder_with_provider(Arc::new(roots), provider.clone())
        .with_crls(endpoint.roots.tls_revocation_lists())
        .only_check_end_entity_revocation()
        .allow_unknown_revocation_status()
        .build()
        .map_err(|error| EndpointError::RevocationList(error.to_string()))?;
    let clock = Arc::new(endpoint.clock);
    let mut config = ClientConfig::builder_with_details(provider, clock)
        .with_protocol_versions(&[&rustls::version::TLS13])?
        .with_webpki_verifier(verifier)
        .with_client_auth_cert(endpoint.identity.chain(), endpoint.identity.key().into())?;
    config.alpn_protocols = vec![b"h2".to_vec()];
    Ok(config)
}
