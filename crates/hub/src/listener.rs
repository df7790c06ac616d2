//! Accepting connections: bounded in number, in one agency's share, and in the number and time of
//! their handshakes. Who is at a handshake is not known yet, so that it takes no place of those who
//! are through.

use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use rustls::ServerConfig;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc, oneshot};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;
use tonic::transport::server::Connected;

use crate::connections::{Connections, Cut, Place};
use crate::peer::{Peer, PeerFault, PeerJudge};

/// Connections whose handshake is done and that wait to be served.
const READY_MAX: usize = 64;

/// What a listener works with.
pub(crate) struct Listener {
    pub socket: TcpListener,
    pub tls: Arc<ServerConfig>,
    pub judge: PeerJudge,
    pub connections: Connections,
    /// How long a handshake may take.
    pub handshake_max: Duration,
}

/// A connection of a proven peer.
pub(crate) struct Connection {
    stream: TlsStream<TcpStream>,
    peer: Peer,
    /// Told when the connection is to be closed, whatever is under way on it.
    cut: oneshot::Receiver<Cut>,
    _place: Place,
    _one_of_all: OwnedSemaphorePermit,
}

/// Why a connection is not let in.
enum NotLetIn {
    /// As many are open as may be.
    Full { max: usize },
    /// Its handshake, its certificate or its agency's share.
    Faulty(io::Error),
}

impl From<io::Error> for NotLetIn {
    fn from(error: io::Error) -> Self {
        Self::Faulty(error)
    }
}

/// Accepts connections until the receiver is dropped; handshakes under way end then too.
pub(crate) fn accept(listener: Listener) -> mpsc::Receiver<io::Result<Connection>> {
    let (ready, taken) = mpsc::channel(READY_MAX);
    let Listener { socket, tls, judge, connections, handshake_max } = listener;
    let shares = connections.shares();
    let turns = Arc::new(Semaphore::new(shares.handshakes));
    let places = Arc::new(Semaphore::new(shares.all));
    let acceptor = TlsAcceptor::from(tls);
    let handshakes = Handshakes { acceptor, judge, connections, places, handshake_max };
    tokio::spawn(async move {
        loop {
            let (turn, accepted) = tokio::select! {
                next = in_turn(&socket, &turns) => next,
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
            let (handshakes, ready) = (handshakes.clone(), ready.clone());
            tokio::spawn(async move {
                let connected = tokio::select! {
                    connected = handshakes.connect(stream) => connected,
                    () = ready.closed() => return,
                };
                drop(turn);
                match connected {
                    // Nobody takes it when the hub is stopping.
                    Ok(connection) => drop(ready.send(Ok(connection)).await),
                    Err(NotLetIn::Full { max }) => {
                        tracing::warn!(%address, "a connection is closed: {max} are open");
                    }
                    Err(NotLetIn::Faulty(error)) => {
                        tracing::info!(%address, %error, "a connection is not let in");
                    }
                }
            });
        }
    });
    taken
}

/// The next connection, when there is a turn for its handshake; until then those who come wait where
/// the operating system keeps them.
async fn in_turn(
    socket: &TcpListener,
    turns: &Arc<Semaphore>,
) -> (Option<OwnedSemaphorePermit>, io::Result<(TcpStream, SocketAddr)>) {
    // The semaphore is never closed.
    let turn = turns.clone().acquire_owned().await.ok();
    (turn, socket.accept().await)
}

/// Makes connections of streams; cheap to clone.
#[derive(Clone)]
struct Handshakes {
    acceptor: TlsAcceptor,
    judge: PeerJudge,
    connections: Connections,
    /// One for every connection that is let in.
    places: Arc<Semaphore>,
    handshake_max: Duration,
}

impl Handshakes {
    async fn connect(self, stream: TcpStream) -> Result<Connection, NotLetIn> {
        let stream = handshake(self.acceptor, stream, self.handshake_max).await?;
        let max = self.connections.shares().all;
        let one_of_all = self.places.try_acquire_owned();
        let one_of_all = one_of_all.map_err(|_| NotLetIn::Full { max })?;
        let certificates = stream.get_ref().1.peer_certificates().unwrap_or_default();
        let refused = |fault: PeerFault| io::Error::other(fault.to_string());
        let proven = self.judge.prove(certificates).map_err(refused)?;
        let (peer, chain) = (proven.peer.clone(), proven.chain.clone());
        let entered = self.connections.enter(proven);
        let (place, cut) = entered.map_err(|many| io::Error::other(format!("{peer}: {many}")))?;
        // What is trusted may have changed before it was entered, where nobody judged it again.
        self.judge.judge(&chain).map_err(|reason| refused(PeerFault::Judged(reason)))?;
        Ok(Connection { stream, peer, cut, _place: place, _one_of_all: one_of_all })
    }
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
    /// Whether the connection is to be closed. HTTP/2 reads all the time, so it learns of it there.
    fn poll_cut(&mut self, cx: &mut Context<'_>) -> io::Result<()> {
        if self.cut.is_terminated() {
            return Err(io::ErrorKind::ConnectionAborted.into());
        }
        match Pin::new(&mut self.cut).poll(cx) {
            Poll::Pending => Ok(()),
            Poll::Ready(Ok(why)) => {
                Err(io::Error::new(io::ErrorKind::ConnectionAborted, why.to_string()))
            }
            // A hub that is gone has nobody to serve the connection either.
            Poll::Ready(Err(_)) => Err(io::ErrorKind::ConnectionAborted.into()),
        }
    }
}

impl Connected for Connection {
    type ConnectInfo = Peer;
    fn connect_info(&self) -> Peer {
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
mod tests;
