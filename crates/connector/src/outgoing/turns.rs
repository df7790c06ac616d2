//! Whose turn it is to upload the same bytes.
//!
//! An upload serves one accepted document. Two documents with the same file must not use each
//! other's: whoever has such a file waits until nobody else is at it.

use std::collections::HashSet;

use lienthong_model::Digest;
use parking_lot::Mutex;
use tokio::sync::Notify;

/// The files that are being uploaded.
#[derive(Debug, Default)]
pub(crate) struct Turns {
    taken: Mutex<HashSet<Digest>>,
    left: Notify,
}

/// The turn for some files; it ends when it is dropped.
#[derive(Debug)]
pub(crate) struct Turn<'t> {
    turns: &'t Turns,
    files: HashSet<Digest>,
}

impl Turns {
    /// Waits until nobody is at any of the files. All are taken at once, so that two never wait
    /// for each other.
    pub(crate) async fn take(&self, files: HashSet<Digest>) -> Turn<'_> {
        loop {
            let left = self.left.notified();
            {
                let mut taken = self.taken.lock();
                if taken.is_disjoint(&files) {
                    taken.extend(&files);
                    return Turn { turns: self, files };
                }
            }
            left.await;
        }
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        self.turns.taken.lock().retain(|file| !self.files.contains(file));
        self.turns.left.notify_waiters();
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt as _;

    use super::*;

    #[tokio::test]
    async fn whoever_has_the_same_file_waits_and_others_do_not() {
        let turns = Turns::default();
        let files = |bytes: &[&[u8]]| bytes.iter().map(|bytes| Digest::of(bytes)).collect();
        let first = turns.take(files(&[b"a", b"b"])).await;
        let mut second = std::pin::pin!(turns.take(files(&[b"b", b"c"])));
        assert!(second.as_mut().now_or_never().is_none());
        assert!(turns.take(files(&[b"c"])).now_or_never().is_some());
        assert!(turns.take(files(&[])).now_or_never().is_some());
        drop(first);
        assert!(second.now_or_never().is_some());
    }
}
