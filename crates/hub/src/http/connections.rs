//! Connections of the HTTP port: bounded in number, in the size and time of their heads, in age.

use std::net::SocketAddr;
use std::time::Duration;

use axum::{Extension, Router};
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use lienthong_model::limits::{
    HANDSHAKE_MAX, HTTP_CONNECTION_AGE_MAX, HTTP_HEAD_BYTES_MAX, HTTP_HEAD_MAX, HTTP_REQUEST_MAX,
};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;

use super::HttpDoor;
use super::visitor::Caller;
use crate::peer::PeerJudge;
use crate::places::Places;

/// Accepts and serves connections until `stop` becomes true or its sender is gone.
pub(super) async fn serve(
    door: HttpDoor,
    router: Router,
    places: Places,
    stop: watch::Receiver<bool>,
) {
    let HttpDoor { socket: listener, tls, judge } = door;
    let guest = Guest { tls: tls.map(TlsAcceptor::from), judge };
    let mut connections = JoinSet::new();
    let mut stopping = stop.clone();
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            // What has ended is let go.
            Some(_) = connections.join_next() => continue,
            _ = stopping.wait_for(|stop| *stop) => break,
        };
        match accepted {
            Ok((stream, address)) => match places.take() {
                Some(place) => {
                    let (router, stop, guest) = (router.clone(), stop.clone(), guest.clone());
                    connections.spawn(async move {
                        guest.receive(stream, address, router, stop).await;
                        drop(place);
                    });
                }
                None => {
                    let max = places.max();
                    tracing::warn!(%address, "an HTTP connection is closed: {max} are open");
                }
            },
            Err(error) => {
                // Out of file descriptors, most likely: wait for some to come back.
                tracing::warn!(%error, "cannot accept an HTTP connection");
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
        }
    }
    drop(listener);
    while connections.join_next().await.is_some() {}
}

/// How whoever connects is received.
#[derive(Clone)]
struct Guest {
    tls: Option<TlsAcceptor>,
    judge: PeerJudge,
}

impl Guest {
    /// Serves one connection, after its handshake where TLS is spoken.
    async fn receive(
        self,
        stream: TcpStream,
        address: SocketAddr,
        router: Router,
        stop: watch::Receiver<bool>,
    ) {
        let Some(tls) = self.tls else {
            let caller = Caller { address, is_tls: false, proven: None };
            return connection(stream, router.layer(Extension(caller)), stop).await;
        };
        // Whoever does not manage a handshake in time is not told why, either.
        let shaken = tokio::time::timeout(HANDSHAKE_MAX, tls.accept(stream)).await;
        let Ok(Ok(stream)) = shaken else { return };
        let shown = stream.get_ref().1.peer_certificates();
        let proven = shown.and_then(|certificates| self.judge.prove(certificates).ok());
        let caller = Caller { address, is_tls: true, proven };
        connection(stream, router.layer(Extension(caller)), stop).await;
    }
}

/// Serves one connection, at most for its age; a request under way is answered.
async fn connection<S>(stream: S, router: Router, mut stop: watch::Receiver<bool>)
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new());
    http.header_read_timeout(HTTP_HEAD_MAX).max_buf_size(HTTP_HEAD_BYTES_MAX);
    let served = http.serve_connection(TokioIo::new(stream), TowerToHyperService::new(router));
    tokio::pin!(served);
    tokio::select! {
        // However it ended, there is nobody left to tell.
        _ = served.as_mut() => return,
        () = tokio::time::sleep(HTTP_CONNECTION_AGE_MAX) => {}
        _ = stop.wait_for(|stop| *stop) => {}
    }
    served.as_mut().graceful_shutdown();
    let _ = tokio::time::timeout(HTTP_REQUEST_MAX, served).await;
}
