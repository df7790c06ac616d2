//! What changes the hub while it runs: acts of administration, and lists that are read again.

use std::sync::Arc;

use tokio::sync::{Mutex, watch};

use crate::administration::Administration;
use crate::list_files::{ListFiles, ListReader};

/// What changes the hub while it runs. Holds the sequencer: a hub that stops lets it go first.
pub(super) struct Office {
    pub(super) administration: Administration,
    pub(super) lists: Arc<Mutex<ListReader>>,
}

impl Office {
    /// Makes the office; the files of lists are read again until the hub stops.
    pub(super) fn open(
        administration: Administration,
        files: ListFiles,
        stopping: watch::Receiver<bool>,
    ) -> Self {
        let are_there = !files.paths.is_empty();
        let lists = ListReader::new(files, administration.clone());
        let lists = Arc::new(Mutex::new(lists));
        if are_there {
            tokio::spawn(read_again(lists.clone(), stopping));
        }
        Self { administration, lists }
    }
}

async fn read_again(lists: Arc<Mutex<ListReader>>, mut stopping: watch::Receiver<bool>) {
    let every = lists.lock().await.every();
    loop {
        tokio::select! {
            () = tokio::time::sleep(every) => {}
            // The sender gone is a hub gone.
            _ = stopping.wait_for(|stopping| *stopping) => return,
        }
        lists.lock().await.read().await;
    }
}
