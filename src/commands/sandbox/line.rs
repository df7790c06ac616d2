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
            let _ = std::fs::write(now_of(&wish), &wanted);
            now = wanted;
        }
        tokio::time::sleep(LOOK).await;
    }
}

/// The file that says how a line is.
fn now_of(wish: &Path) -> PathBuf {
    beside(wish, ".now")
}

/// A file whose name has more at its end: codes have points, so what follows the last one is no
/// extension.
fn beside(wish: &Path, more: &str) -> PathBuf {
    let mut name = wish.as_os_str().to_owned();
    name.push(more);
    name.into()
}

fn set(wish: &Path, mode: Mode) -> std::io::Result<()> {
    let unfinished = beside(wish, ".new");
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
    while std::fs::read_to_string(now_of(&wish)).unwrap_or_default() != mode.name() {
        if began.elapsed() > PATIENCE {
            return Err(std::io::Error::other(
                "sân tập không chạy, hoặc không chạy ở thư mục này: khởi động bằng `lienthong \
                 sandbox --folder THƯ_MỤC`, hoặc chỉ thư mục của nó bằng --sandbox / the sandbox \
                 does not run, or was not started here: start it with `lienthong sandbox --folder \
                 DIR`, or name its folder with --sandbox",
            ));
        }
        std::thread::sleep(LOOK / 2);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn agencies_of_a_province_do_not_write_each_others_wishes() {
        let folder = tempfile::tempdir().unwrap();
        // If what follows the last point were an extension, all of them would write it.
        std::fs::create_dir(folder.path().join("H36.new")).unwrap();
        for (code, mode) in [("H36.17", Mode::Stall), ("H36.29", Mode::Closed)] {
            let wish = folder.path().join(code);
            set(&wish, mode).unwrap();
            assert_eq!(std::fs::read_to_string(&wish).unwrap(), mode.name());
            assert!(!beside(&wish, ".new").exists(), "{code}: what was unfinished is in its place");
        }
    }
}
