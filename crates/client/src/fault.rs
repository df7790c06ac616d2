//! Remembers why a connection broke.
//!
//! In TLS 1.3 a hub that does not accept our certificate says so only after our side of the
//! handshake is over; by then the error passes through HTTP/2, which drops its cause. So the bytes
//! are watched where they enter.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use parking_lot::Mutex;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use crate::unreachable::Cause;

/// Where the cause of the last break is kept; shared by a client and its connections.
#[derive(Debug, Clone, Default)]
pub(crate) struct Fault(Arc<Mutex<Option<Cause>>>);

impl Fault {
    pub(crate) fn cause(&self) -> Option<Cause> {
        self.0.lock().clone()
    }

    pub(crate) fn clear(&self) {
        *self.0.lock() = None;
    }

    fn note(&self, cause: Cause) {
        self.0.lock().get_or_insert(cause);
    }
}

/// A connection whose errors are noted.
pub(crate) struct Watched<S> {
    inner: S,
    fault: Fault,
    /// Whether the hub has sent anything yet.
    heard: bool,
}

impl<S> Watched<S> {
    pub(crate) fn new(inner: S, fault: Fault) -> Self {
        Self { inner, fault, heard: false }
    }

    fn note(&self, error: &io::Error) {
        match Cause::of_tls_in(error) {
            Some(cause) => self.fault.note(cause),
            None if !self.heard => self.fault.note(Cause::ClosedEarly),
            None => {}
        }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Watched<S> {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let before = buf.filled().len();
        let result = ready!(Pin::new(&mut this.inner).poll_read(cx, buf));
        match &result {
            Ok(()) if buf.filled().len() > before => this.heard = true,
            Ok(()) if !this.heard => this.fault.note(Cause::ClosedEarly),
            Ok(()) => {}
            Err(error) => this.note(error),
        }
        Poll::Ready(result)
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Watched<S> {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        // What is wrong shows when reading: an alert waits there even when writing fails first.
        Pin::new(&mut self.get_mut().inner).poll_write(cx, buf)
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().inner).poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().inner).poll_shutdown(cx)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.get_mut().inner).poll_write_vectored(cx, bufs)
    }

    fn is_write_vectored(&self) -> bool {
        self.inner.is_write_vectored()
    }
}
