//! Accepting connections: bounded in number, bounded in the time of their handshake.

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use lienthong_model::limits::{CONNECTIONS_MAX, HANDSHAKE_MAX};
use rustls::ServerConfig;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, mpsc, watch};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;
use tonic::transport::server::Connected;

use crate::caller::Peer;
use crate::places::Places;
use crate::tls;

/// Connections whose handshake is done and that wait to be served.
const READY_MAX: usize = 64;

/// What bounds connections.
#[derive(Debug, Clone)]
pub(crate) struct Bounds {
    /// Connections at a time, those in their handshake among them.
    pub places: Places,
    /// How long a handshake may take.
    pub handshake_max: Duration,
}

impl Default for Bounds {
    fn default() -> Self {
        Self { places: Places::new(CONNECTIONS_MAX), handshake_max: HANDSHAKE_MAX }
    }
}

/// A connection of a proven peer.
pub(crate) struct Connection {
    stream: TlsStream<TcpStream>,
    peer: Option<Peer>,
    /// Ends when the connection is to be closed, whatever is under way on it.
    cut: Option<Pin<Box<dyn Future<Output = ()> + Send + Sync>>>,
    _place: OwnedSemaphorePermit,
}

/// Accepts connections until the receiver is dropped; handshakes under way end then too. When
/// `cut` becomes true, every connection is closed.
pub(crate) fn accept(
    listener: TcpListener,
    config: Arc<ServerConfig>,
    bounds: Bounds,
    cut: watch::Receiver<bool>,
) -> mpsc::Receiver<io::Result<Connection>> {
    let (ready, connections) = mpsc::channel(READY_MAX);
    let acceptor = TlsAcceptor::from(config);
    tokio::spawn(async move {
        loop {
            let accepted = tokio::select! {
                accepted = listener.accept() => accepted,
                () = ready.closed() => return,
            };
            let (stream, address) = match accepted {
                Ok(accepted) => accepted,
                Err(error) => {
                    // Out of file descriptors, most likely: wait for some to come back.
                    tracing::warn!(%error, "cannot accept a connection");
                    tokio::time::sleep(std::time::Duration::from_millis(100)).await;
                    continue;
                }
            };
            let Some(place) = bounds.places.take() else {
                let max = bounds.places.max();
                tracing::warn!(%address, "a connection is closed: {max} are open");
                continue;
            };
            let (acceptor, ready, cut) = (acceptor.clone(), ready.clone(), cut.clone());
            tokio::spawn(async move {
                let shaken = tokio::select! {
                    shaken = handshake(acceptor, stream, bounds.handshake_max) => shaken,
                    () = ready.closed() => return,
                };
                match shaken {
                    Ok(stream) => {
                        let connection = Connection::new(stream, place, cut);
                        // Nobody takes it when the hub is stopping.
                        drop(ready.send(Ok(connection)).await);
                    }
                    Err(error) => tracing::info!(%address, %error, "a TLS handshake failed"),
                }
            });
        }
    });
    connections
}

async fn handshake(
    acceptor: TlsAcceptor,
    stream: TcpStream,
    max: Duration,
) -> io::Result<TlsStream<TcpStream>> {
    stream.set_nodelay(true)?;
    let late = |_| io::Error::new(io::ErrorKind::TimedOut, "the handshake took too long");
    tokio::time::timeout(max, acceptor.accept(stream)).await.map_err(late)?
}

impl Connection {
    fn new(
        stream: TlsStream<TcpStream>,
        place: OwnedSemaphorePermit,
        mut cut: watch::Receiver<bool>,
    ) -> Self {
        let certificates = stream.get_ref().1.peer_certificates();
        let peer = certificates.and_then(|chain| chain.first()).and_then(tls::peer);
        let cut = async move {
            // A hub that is gone has nobody to serve the connection either.
            let _ = cut.wait_for(|cut| *cut).await;
        };
        Self { stream, peer, cut: Some(Box::pin(cut)), _place: place }
    }

    /// Whether the connection is to be closed. HTTP/2 reads all the time, so it learns of it there.
    fn poll_cut(&mut self, cx: &mut Context<'_>) -> io::Result<()> {
        let is_cut = self.cut.as_mut().is_none_or(|cut| cut.as_mut().poll(cx).is_ready());
        if is_cut {
            self.cut = None;
            return Err(io::Error::new(io::ErrorKind::ConnectionAborted, "the hub stops"));
        }
        Ok(())
    }
}

impl Connected for Connection {
    type ConnectInfo = Option<Peer>;
    fn connect_info(&self) -> Option<Peer> {
        self.peer.clone()
    }
}

impl AsyncRead for Connection {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        self.poll_cut(cx)?;
        Pin::new(&mut self.stream).poll_read(cx, buf)
    }
}

impl AsyncWrite for Connection {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, buf)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use lienthong_model::{AgencyCode, Timestamp};
    use lienthong_pki::{Profile, TestPki, Validity};
    use rustls::pki_types::PrivateKeyDer;
    use tokio::io::AsyncReadExt as _;

    use super::*;

    /// A listener that asks for no certificate, and what it accepted.
    async fn listening(
        bounds: Bounds,
    ) -> (std::net::SocketAddr, mpsc::Receiver<io::Result<Connection>>, watch::Sender<bool>) {
        let validity = Validity {
            not_before: Timestamp::from_millis(0),
            not_after: Timestamp::from_millis(4_000_000_000_000),
        };
        let pki = TestPki::new([3; 32], validity).unwrap();
        let agency = AgencyCode::parse("G22").unwrap();
        let hub = Profile::Hub { agency, names: vec!["localhost".to_owned()] };
        let hub = pki.identity(&hub).unwrap();
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let chain = vec![hub.certificate.der().to_vec().into()];
        let config = ServerConfig::builder_with_provider(provider)
            .with_protocol_versions(&[&rustls::version::TLS13])
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(chain, PrivateKeyDer::Pkcs8(hub.key.to_pkcs8_der().into()))
            .unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (cut, cutting) = watch::channel(false);
        (address, accept(listener, Arc::new(config), bounds, cutting), cut)
    }

    async fn closed(mut stream: TcpStream) {
        let read = tokio::time::timeout(Duration::from_secs(20), stream.read(&mut [0])).await;
        assert_eq!(read.expect("it is closed").unwrap_or(0), 0);
    }

    #[tokio::test]
    async fn a_handshake_that_takes_too_long_is_closed() {
        let bounds = Bounds { handshake_max: Duration::from_millis(20), ..Bounds::default() };
        let (address, _connections, _cut) = listening(bounds).await;
        closed(TcpStream::connect(address).await.unwrap()).await;
    }

    #[tokio::test]
    async fn a_connection_over_the_bound_is_closed_at_once_and_those_before_it_stay() {
        let bounds = Bounds { places: Places::new(1), ..Bounds::default() };
        let (address, connections, _cut) = listening(bounds).await;
        let first = TcpStream::connect(address).await.unwrap();
        closed(TcpStream::connect(address).await.unwrap()).await;
        let nothing = first.try_read(&mut [0]).unwrap_err();
        assert_eq!(nothing.kind(), io::ErrorKind::WouldBlock);
        // Handshakes under way end with the hub.
        drop(connections);
        closed(first).await;
    }
}
