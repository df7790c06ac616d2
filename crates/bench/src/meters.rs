//! The hub's counters, read from its HTTP port.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::error::BenchError;

const ANSWER_MAX: Duration = Duration::from_secs(10);
/// Largest page that is read.
const PAGE_BYTES_MAX: u64 = 4 << 20;

/// What the hub has counted of its journal since it started.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(crate) struct Counted {
    pub blocks: f64,
    pub entries: f64,
    pub syncs: f64,
    pub sync_seconds: f64,
    pub bytes: f64,
}

impl Counted {
    /// Reads the counters.
    ///
    /// # Errors
    /// [`BenchError::Meters`] when the port does not answer.
    pub(crate) async fn read(address: SocketAddr) -> Result<Self, BenchError> {
        let wrong = |why: String| BenchError::Meters { address: address.to_string(), why };
        let page = tokio::time::timeout(ANSWER_MAX, page(address)).await;
        let page = page.map_err(|_| wrong("no answer".to_owned()))?;
        let page = page.map_err(|error| wrong(error.to_string()))?;
        if !page.starts_with("HTTP/1.1 200") {
            return Err(wrong(page.lines().next().unwrap_or_default().to_owned()));
        }
        let values: BTreeMap<&str, f64> = page
            .lines()
            .filter_map(|line| line.split_once(' '))
            .filter_map(|(name, value)| Some((name, value.parse().ok()?)))
            .collect();
        let value = |name: &str| values.get(name).copied().unwrap_or_default();
        Ok(Self {
            blocks: value("lienthong_journal_blocks_total"),
            entries: value("lienthong_journal_entries_total"),
            syncs: value("lienthong_journal_syncs_total"),
            sync_seconds: value("lienthong_journal_sync_seconds_total"),
            bytes: value("lienthong_journal_bytes_total"),
        })
    }

    /// What was counted since an earlier reading.
    pub(crate) fn since(&self, before: &Self) -> Self {
        Self {
            blocks: self.blocks - before.blocks,
            entries: self.entries - before.entries,
            syncs: self.syncs - before.syncs,
            sync_seconds: self.sync_seconds - before.sync_seconds,
            bytes: self.bytes - before.bytes,
        }
    }
}

async fn page(address: SocketAddr) -> std::io::Result<String> {
    let mut stream = TcpStream::connect(address).await?;
    let request = format!("GET /metrics HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await?;
    let mut page = String::new();
    stream.take(PAGE_BYTES_MAX).read_to_string(&mut page).await?;
    Ok(page)
}
