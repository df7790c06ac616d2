//! Remembers why a connection broke.
//!
//! In TLS 1.3 a hub that does not accept our certificate says so only after our side of the
//! handshake is over; by then the error passes through HTTP/2, which drops its cause. So the bytes
//! are watched where they enter.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use parking_lot::Mutex;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Sleep, sleep};

use crate::unreachable::Cause;

/// How long an alert is waited for when writing has failed.
const ALERT_MAX: Duration = Duration::from_secs(1);

/// Where the cause of a break is kept until the hub is heard again; shared by a client and its
/// connections.
#[derive(Debug, Clone, Default)]
pub(crate) struct Fault(Arc<Mutex<Option<Cause>>>);

impl Fault {
    pub(crate) fn cause(&self) -> Option<Cause> {
        self.0.lock().clone()
    }

    fn clear(&self) {
        *self.0.lock() = None;
    }

    /// A word of the hub counts more than its silence.
    fn note(&self, cause: Cause) {
        let mut noted = self.0.lock();
        if cause != Cause::ClosedEarly || noted.is_none() {
            *noted = Some(cause);
        }
    }
}

/// A connection whose errors are noted.
pub(crate) struct Watched<S> {
    inner: S,
    fault: Fault,
    /// Whether the hub has sent anything yet.
    heard: bool,
    /// Why writing failed, and until when an alert that says more is waited for.
    failed: Option<(io::Error, Pin<Box<Sleep>>)>,
}

impl<S> Watched<S> {
    pub(crate) fn new(inner: S, fault: Fault) -> Self {
        Self { inner, fault, heard: false, failed: None }
    }

    fn note(&self, error: &io::Error) {
        match Cause::of_tls_in(error) {
            Some(cause) => self.fault.note(cause),
            None if !self.heard => self.fault.note(Cause::ClosedEarly),
            None => {}
        }
    }
}

impl<S: AsyncRead + Unpin> Watched<S> {
    /// Passes on what writing came to. When it failed before the hub was heard, an alert that says
    /// why may still be on its way to the reader: it is read first. What else is read is lost, as
    /// the connection is.
    fn written<T>(
        &mut self,
        cx: &mut Context<'_>,
        result: Poll<io::Result<T>>,
    ) -> Poll<io::Result<T>> {
        let (error, mut patience) = match self.failed.take() {
            Some(failed) => failed,
            None => match ready!(result) {
                Err(error) if !self.heard => (error, Box::pin(sleep(ALERT_MAX))),
                other => return Poll::Ready(other),
            },
        };
        let mut bytes = [0; 64];
        let mut buf = ReadBuf::new(&mut bytes);
        let read = match Pin::new(&mut self.inner).poll_read(cx, &mut buf) {
            Poll::Pending if patience.as_mut().poll(cx).is_pending() => {
                self.failed = Some((error, patience));
                return Poll::Pending;
            }
            Poll::Pending => Ok(()),
            Poll::Ready(read) => read,
        };
        self.note(read.as_ref().err().unwrap_or(&error));
        Poll::Ready(Err(error))
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
            Ok(()) if buf.filled().len() > before => {
                if !this.heard {
                    this.heard = true;
                    this.fault.clear();
                }
            }
            Ok(()) if !this.heard => this.fault.note(Cause::ClosedEarly),
            Ok(()) => {}
            Err(error) => this.note(error),
        }
        Poll::Ready(result)
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncWrite for Watched<S> {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let result = Pin::new(&mut this.inner).poll_write(cx, buf);
        this.written(cx, result)
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let result = Pin::new(&mut this.inner).poll_flush(cx);
        this.written(cx, result)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().inner).poll_shutdown(cx)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let result = Pin::new(&mut this.inner).poll_write_vectored(cx, bufs);
        this.written(cx, result)
    }

    fn is_write_vectored(&self) -> bool {
        self.inner.is_write_vectored()
    }
}
