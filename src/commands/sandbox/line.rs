//! The lines between agencies under test and the hub: a proxy each, disturbed by whoever examines the
//! agency from another terminal.
//!
//! `lines/CODE` says how a line shall be, `lines/CODE.now` how it is.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::Context as _;
use lienthong_simulator::live::{Mode, Proxy};
use tokio::task::JoinSet;

use super::folder::Sandbox;

/// How often it is looked how a line shall be.
const LOOK: Duration = Duration::from_millis(100);
/// How long a running sandbox may take to do it.
const PATIENCE: Duration = Duration::from_secs(10);

/// The lines of a running sandbox; they end when this is dropped.
pub(super) struct Lines {
    addresses: BTreeMap<String, SocketAddr>,
    _watching: JoinSet<()>,
}

impl Lines {
    /// Opens one for each agency under test, at the address that it had.
    pub async fn open(sandbox: &Sandbox, hub: &str) -> anyhow::Result<Self> {
        let target = hub.trim_start_matches("https://").to_owned();
        let folder = sandbox.folder().join("lines");
        std::fs::create_dir_all(&folder).context("cannot make the folder of the lines")?;
        let (mut addresses, mut watching) = (BTreeMap::new(), JoinSet::new());
        for agency in sandbox.under_test() {
            let free = SocketAddr::from(([127, 0, 0, 1], 0));
            let listen = sandbox.line(agency).unwrap_or(free);
            let proxy = Proxy::between(listen, target.clone()).await;
            let proxy = proxy.with_context(|| format!("cannot listen on {listen}"))?;
            addresses.insert(agency.clone(), proxy.address());
            let wish = folder.join(agency);
            set(&wish, Mode::Open)?;
            watching.spawn(watch(proxy, wish));
        }
        Ok(Self { addresses, _watching: watching })
    }

    /// Where each is reached.
    pub fn addresses(&self) -> BTreeMap<String, SocketAddr> {
        self.addresses.clone()
    }
}

async fn watch(proxy: Proxy, wish: PathBuf) {
    let mut now = String::new();
    loop {
        let wanted = std::fs::read_to_string(&wish).unwrap_or_default();
        if let Some(mode) = Mode::named(wanted.trim()).filter(|_| wanted != now) {
            proxy.set(mode);
            // Whoever wished it finds out that nothing happened.
            let _ = std::fs::write(beside(&wish), &wanted);
            now = wanted;
        }
        tokio::time::sleep(LOOK).await;
    }
}

fn beside(wish: &Path) -> PathBuf {
    let mut name = wish.as_os_str().to_owned();
    name.push(".now");
    name.into()
}

fn set(wish: &Path, mode: Mode) -> std::io::Result<()> {
    let unfinished = wish.with_extension("new");
    std::fs::write(&unfinished, mode.name())?;
    std::fs::rename(unfinished, wish)
}

/// Wishes a line to be in a mode, and waits until the running sandbox has done it.
///
/// # Errors
/// When the sandbox does not.
pub(crate) fn wish(sandbox: &Path, agency: &str, mode: Mode) -> std::io::Result<()> {
    let wish = sandbox.join("lines").join(agency);
    set(&wish, mode)?;
    let began = Instant::now();
    while std::fs::read_to_string(beside(&wish)).unwrap_or_default() != mode.name() {
        if began.elapsed() > PATIENCE {
            return Err(std::io::Error::other(
                "the sandbox does not run, or was not started here: start it with `lienthong sandbox \
                 --folder DIR`, or name its folder with --sandbox",
            ));
        }
        std::thread::sleep(LOOK / 2);
    }
    Ok(())
}
