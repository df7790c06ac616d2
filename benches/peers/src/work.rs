//! The work that everybody does: so many messages of the size of a signed document, so many under
//! way at a time.

use std::future::Future;
use std::time::Instant;

use bytes::Bytes;
use futures_util::{StreamExt as _, stream};
use rand::Rng as _;

/// Bytes of a signed document: 1,500 of content, the signature, and the names of certificates.
pub const MESSAGE_BYTES: usize = 1_600;
/// Messages under way at a time.
pub const IN_FLIGHT: usize = 512;

/// How much one turn does.
#[derive(Debug, Clone, Copy)]
pub struct Size {
    pub documents: usize,
}

/// One figure of one turn.
#[derive(Debug, Clone)]
pub struct Figure {
    /// Whose, and of what.
    pub name: &'static str,
    /// What is promised when it counts as done.
    pub promise: &'static str,
    pub group: Group,
    pub per_second: f64,
}

/// What a figure is to be compared with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Group {
    /// Handed over and confirmed.
    Submit,
    /// Handed over, received, and the acknowledgement sent or confirmed.
    Deliver,
    /// Handed over for three recipients.
    Three,
}

/// A message of which no two are the same.
pub fn message() -> Bytes {
    let mut bytes = vec![0; MESSAGE_BYTES];
    rand::rng().fill_bytes(&mut bytes);
    bytes.into()
}

/// Messages made before the clock starts.
pub fn messages(count: usize) -> Vec<Bytes> {
    (0..count).map(|_| message()).collect()
}

/// Carries out all with so many under way; returns how many were done a second.
pub async fn pace<F>(
    all: Vec<Bytes>,
    under_way: usize,
    one: impl Fn(Bytes) -> F,
) -> anyhow::Result<f64>
where
    F: Future<Output = anyhow::Result<()>>,
{
    let (count, began) = (all.len(), Instant::now());
    let mut done = stream::iter(all.into_iter().map(one)).buffer_unordered(under_way);
    while let Some(outcome) = done.next().await {
        outcome?;
    }
    Ok(count as f64 / began.elapsed().as_secs_f64())
}
