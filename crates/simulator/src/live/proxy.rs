//! A TCP proxy on loopback before a real hub or node, which can lose answers, delay, cut, stall and
//! close. It sees encrypted bytes only: it disturbs, it changes nothing.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::{AbortHandle, JoinSet};

/// Bytes that are carried at a time.
const CHUNK: usize = 16 * 1024;
/// How long a connection lives on after its answers began to be lost: what was asked meanwhile is
/// done, and whoever asked does not hear of it.
const DEAF: Duration = Duration::from_millis(1_500);
/// How long a new connection is left alone, so that it comes to ask something.
const GRACE: Duration = Duration::from_millis(700);

/// How the network is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// As it should be.
    Open,
    /// Every chunk is late, both ways.
    Delay(Duration),
    /// What the node sends arrives; what the hub answers is lost, and the connection is cut after
    /// it.
    LoseAnswers,
    /// What the hub sends arrives; what the node says to it is lost, and the connection is cut after
    /// it.
    LoseRequests,
    /// The connection is cut when the node has sent so many bytes in this mode.
    CutAfter(u64),
    /// The node reads nothing.
    Stall,
    /// Nobody is there: connections are closed, and new ones at once.
    Closed,
}

impl Mode {
    /// Returns the name of a mode that a sandbox's line can be in; others have none.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::LoseAnswers => "lose-answers",
            Self::LoseRequests => "lose-requests",
            Self::Stall => "stall",
            Self::Closed => "closed",
            Self::Delay(_) | Self::CutAfter(_) => "",
        }
    }

    /// Returns the mode with a name.
    pub fn named(name: &str) -> Option<Self> {
        let all = [Self::Open, Self::LoseAnswers, Self::LoseRequests, Self::Stall, Self::Closed];
        all.into_iter().find(|mode| mode.name() == name)
    }
}

/// What a proxy has done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Done {
    /// Connections that were taken.
    pub connections: u64,
    /// Connections that it cut.
    pub cut: u64,
    /// Bytes that were lost.
    pub lost_bytes: u64,
}

#[derive(Default)]
struct Counters {
    connections: AtomicU64,
    cut: AtomicU64,
    lost_bytes: AtomicU64,
}

/// A running proxy; it ends when it is dropped.
pub struct Proxy {
    address: SocketAddr,
    mode: watch::Sender<Mode>,
    counters: Arc<Counters>,
    listening: AbortHandle,
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.listening.abort();
    }
}

impl Proxy {
    /// Starts one on a free port of loopback before an address (`host:port`).
    ///
    /// # Errors
    /// When it cannot listen.
    pub async fn before(target: String) -> std::io::Result<Self> {
        Self::between(SocketAddr::from(([127, 0, 0, 1], 0)), target).await
    }

    /// Starts one at an address before another (`host:port`).
    ///
    /// # Errors
    /// When it cannot listen.
    pub async fn between(listen: SocketAddr, target: String) -> std::io::Result<Self> {
        let listener = TcpListener::bind(listen).await?;
        let address = listener.local_addr()?;
        let (mode, modes) = watch::channel(Mode::Open);
        let counters = Arc::new(Counters::default());
        let listening = tokio::spawn(serve(listener, target, modes, counters.clone()));
        Ok(Self { address, mode, counters, listening: listening.abort_handle() })
    }

    /// Returns where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Sets how the network is from now on, for connections that there are and new ones.
    pub fn set(&self, mode: Mode) {
        self.mode.send_replace(mode);
    }

    /// Returns what it has done.
    pub fn done(&self) -> Done {
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        Done {
            connections: read(&self.counters.connections),
            cut: read(&self.counters.cut),
            lost_bytes: read(&self.counters.lost_bytes),
        }
    }
}

async fn serve(
    listener: TcpListener,
    target: String,
    modes: watch::Receiver<Mode>,
    counters: Arc<Counters>,
) {
    // The connections end with the listener.
    let mut connections = JoinSet::new();
    loop {
        let Ok((node, _)) = listener.accept().await else { continue };
        counters.connections.fetch_add(1, Ordering::Relaxed);
        let (target, modes, counters) = (target.clone(), modes.clone(), counters.clone());
        connections.spawn(async move {
            if *modes.borrow() == Mode::Closed {
                counters.cut.fetch_add(1, Ordering::Relaxed);
                return;
            }
            let Ok(hub) = TcpStream::connect(target).await else { return };
            // Without it small messages wait; failing costs time only.
            let _ = (node.set_nodelay(true), hub.set_nodelay(true));
            if carry(node, hub, modes, &counters).await == End::Cut {
                counters.cut.fetch_add(1, Ordering::Relaxed);
            }
        });
        while connections.try_join_next().is_some() {}
    }
}

/// How a connection ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum End {
    /// One of both ended it.
    Theirs,
    /// The proxy did.
    Cut,
}

async fn carry(
    node: TcpStream,
    hub: TcpStream,
    modes: watch::Receiver<Mode>,
    counters: &Counters,
) -> End {
    let (node_in, node_out) = node.into_split();
    let (hub_in, hub_out) = hub.into_split();
    let cut = cut(modes.clone());
    tokio::select! {
        end = up(node_in, hub_out, modes.clone(), counters) => end,
        end = down(hub_in, node_out, modes, counters) => end,
        () = cut => End::Cut,
    }
}

/// Ends when the connection is to be cut for the mode alone.
async fn cut(mut modes: watch::Receiver<Mode>) {
    loop {
        let mode = *modes.borrow_and_update();
        let changed = modes.changed();
        match mode {
            Mode::Closed => return,
            Mode::LoseAnswers | Mode::LoseRequests => {
                tokio::time::sleep(GRACE + DEAF).await;
                return;
            }
            Mode::Open | Mode::Delay(_) | Mode::CutAfter(_) | Mode::Stall => {
                if changed.await.is_err() {
                    return;
                }
            }
        }
    }
}

/// From the node to the hub.
async fn up(
    mut from: impl AsyncRead + Unpin,
    mut to: impl AsyncWrite + Unpin,
    modes: watch::Receiver<Mode>,
    counters: &Counters,
) -> End {
    let (mut buffer, mut sent) = (vec![0; CHUNK], 0);
    let began = tokio::time::Instant::now();
    loop {
        let Ok(read @ 1..) = from.read(&mut buffer).await else { return End::Theirs };
        let mode = *modes.borrow();
        match mode {
            Mode::Delay(late) => tokio::time::sleep(late).await,
            Mode::CutAfter(bytes) => {
                sent += read as u64;
                if sent >= bytes {
                    return End::Cut;
                }
            }
            Mode::LoseRequests if began.elapsed() >= GRACE => {
                counters.lost_bytes.fetch_add(read as u64, Ordering::Relaxed);
                continue;
            }
            // It came before anybody saw that the line is closed.
            Mode::Closed => return End::Cut,
            Mode::Open | Mode::LoseAnswers | Mode::LoseRequests | Mode::Stall => sent = 0,
        }
        if to.write_all(&buffer[..read]).await.is_err() {
            return End::Theirs;
        }
    }
}

/// From the hub to the node.
async fn down(
    mut from: impl AsyncRead + Unpin,
    mut to: impl AsyncWrite + Unpin,
    mut modes: watch::Receiver<Mode>,
    counters: &Counters,
) -> End {
    let (mut buffer, began) = (vec![0; CHUNK], tokio::time::Instant::now());
    loop {
        if modes.wait_for(|mode| *mode != Mode::Stall).await.is_err() {
            return End::Theirs;
        }
        let Ok(read @ 1..) = from.read(&mut buffer).await else { return End::Theirs };
        let mode = *modes.borrow();
        match mode {
            Mode::Delay(late) => tokio::time::sleep(late).await,
            Mode::LoseAnswers if began.elapsed() >= GRACE => {
                counters.lost_bytes.fetch_add(read as u64, Ordering::Relaxed);
                continue;
            }
            Mode::Stall => {
                // It came before the node stopped to read: it waits.
                if modes.wait_for(|mode| *mode != Mode::Stall).await.is_err() {
                    return End::Theirs;
                }
            }
            Mode::Closed => return End::Cut,
            Mode::Open | Mode::LoseAnswers | Mode::LoseRequests | Mode::CutAfter(_) => {}
        }
        if to.write_all(&buffer[..read]).await.is_err() {
            return End::Theirs;
        }
    }
}
