//! Accepting connections: bounded in number, bounded in the time of their handshake.

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use lienthong_model::limits::{CONNECTIONS_MAX, HANDSHAKE_MAX};
use rustls::ServerConfig;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc, watch};
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
    /// Ends when the connection is to be closed, whatever is under way on it.
    cut: Option<Pin<Box<dyn Future<Output = ()> + Send + Sync>>>,
    _place: OwnedSemaphorePermit,
}

/// Accepts connections until the receiver is dropped; handshakes under way end then too. When
/// `cut` becomes true, every connection is closed.
pub(crate) fn accept(
    listener: TcpListener,
    config: Arc<ServerConfig>,
    cut: watch::Receiver<bool>,
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
            let (acceptor, ready, cut) = (acceptor.clone(), ready.clone(), cut.clone());
            tokio::spawn(async move {
                let shaken = tokio::select! {
                    shaken = handshake(acceptor, stream, place, cut) => shaken,
                    () = ready.closed() => return,
                };
                match shaken {
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
    mut cut: watch::Receiver<bool>,
) -> io::Result<Connection> {
    stream.set_nodelay(true)?;
    let late = |_| io::Error::new(io::ErrorKind::TimedOut, "the handshake took too long");
    let accepted = tokio::time::timeout(HANDSHAKE_MAX, acceptor.accept(stream)).await;
    let stream = accepted.map_err(late)??;
    let certificates = stream.get_ref().1.peer_certificates();
    let peer = certificates.and_then(|chain| chain.first()).and_then(tls::peer);
    let cut = async move {
        // A hub that is gone has nobody to serve the connection either.
        let _ = cut.wait_for(|cut| *cut).await;
    };
    Ok(Connection { stream, peer, cut: Some(Box::pin(cut)), _place: place })
}

impl Connection {
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
