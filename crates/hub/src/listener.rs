//! Accepting connections: bounded in number, bounded in the time of their handshake.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use lienthong_model::limits::{CONNECTIONS_MAX, HANDSHAKE_MAX};
use rustls::ServerConfig;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;
use tonic::transport::server::Connected;

use crate::caller::Peer;
use crate::tls;

/// Connections whose handshake is done and that wait to be served.
const READY_MAX: usize = 64;

/// A connection of a proven peer.
pub(crate) struct Connection {
    stream: TlsStream<TcpStream>,
    peer: Option<Peer>,
    _place: OwnedSemaphorePermit,
}

/// Accepts connections until the receiver is dropped.
pub(crate) fn accept(
    listener: TcpListener,
    config: Arc<ServerConfig>,
) -> mpsc::Receiver<io::Result<Connection>> {
    let (ready, connections) = mpsc::channel(READY_MAX);
    let places = Arc::new(Semaphore::new(CONNECTIONS_MAX));
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
            let Ok(place) = places.clone().try_acquire_owned() else {
                tracing::warn!(%address, "a connection is closed: {CONNECTIONS_MAX} are open");
                continue;
            };
            let (acceptor, ready) = (acceptor.clone(), ready.clone());
            tokio::spawn(async move {
                match handshake(acceptor, stream, place).await {
                    // Nobody takes it when the hub is stopping.
                    Ok(connection) => drop(ready.send(Ok(connection)).await),
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
    place: OwnedSemaphorePermit,
) -> io::Result<Connection> {
    stream.set_nodelay(true)?;
    let late = |_| io::Error::new(io::ErrorKind::TimedOut, "the handshake took too long");
    let accepted = tokio::time::timeout(HANDSHAKE_MAX, acceptor.accept(stream)).await;
    let stream = accepted.map_err(late)??;
    let certificates = stream.get_ref().1.peer_certificates();
    let peer = certificates.and_then(|chain| chain.first()).and_then(tls::peer);
    Ok(Connection { stream, peer, _place: place })
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
