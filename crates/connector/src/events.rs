//! What happened, kept on the disk until the webhook has taken it.
//!
//! An event is written before the step that makes it true is finished: a kill tells it twice (under
//! the same id), never not at all. The folders stay the truth; an event only says where to look.

use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::SystemTime;

use lienthong_model::limits::WEBHOOK_EVENTS_WAITING_MAX;
use lienthong_model::{AgencyCode, Digest};
use serde::Serialize;
use tokio::sync::Notify;

use crate::disk::{self, DiskError};

/// Something that happened.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Event {
    /// The same for the same happening.
    event: String,
    /// `document.received`, `document.sent` …
    kind: String,
    #[serde(flatten)]
    about: serde_json::Value,
}

impl Event {
    /// Something of a kind that happened to what has a name among an agency's.
    pub(crate) fn new(
        kind: &str,
        agency: &AgencyCode,
        name: &str,
        about: serde_json::Value,
    ) -> Self {
        let digest = Digest::of(format!("{kind}\n{agency}\n{name}").as_bytes()).to_string();
        let event = digest.get(..32).unwrap_or(&digest).to_owned();
        Self { event, kind: kind.to_owned(), about }
    }
}

/// An event that waits.
#[derive(Debug, Clone)]
pub(crate) struct Waiting {
    pub id: String,
    pub path: PathBuf,
    pub body: Vec<u8>,
    pub since: SystemTime,
}

/// The events that wait.
#[derive(Debug)]
pub(crate) struct Events {
    /// `None`: nobody wants to hear of them.
    folder: Option<PathBuf>,
    count: AtomicUsize,
    pub arrived: Notify,
}

impl Events {
    /// Takes the folder in which events wait; nothing is kept when nobody wants them.
    pub(crate) fn new(folder: PathBuf, wanted: bool) -> Result<Self, DiskError> {
        let mut count = 0;
        if wanted {
            disk::make_folder(&folder)?;
            count = disk::complete(&folder)?.len();
        }
        let folder = wanted.then_some(folder);
        Ok(Self { folder, count: AtomicUsize::new(count), arrived: Notify::new() })
    }

    /// Keeps an event; on return it is on the disk. When too many wait, it is dropped with a word
    /// in the log: what it tells of is in its folder.
    pub(crate) fn tell(&self, event: &Event) -> Result<(), DiskError> {
        let Some(folder) = &self.folder else { return Ok(()) };
        if self.count.load(Ordering::Relaxed) >= WEBHOOK_EVENTS_WAITING_MAX {
            tracing::error!(kind = %event.kind, "an event is dropped: the webhook takes none");
            return Ok(());
        }
        let path = folder.join(format!("{}.json", event.event));
        let json = serde_json::to_vec(event)
            .map_err(|why| DiskError::of("write", &path)(std::io::Error::other(why)))?;
        if !path.exists() {
            self.count.fetch_add(1, Ordering::Relaxed);
        }
        disk::replace(&path, &json)?;
        self.arrived.notify_one();
        Ok(())
    }

    /// Returns the events that wait, the oldest first.
    pub(crate) fn waiting(&self) -> Result<Vec<Waiting>, DiskError> {
        let Some(folder) = &self.folder else { return Ok(Vec::new()) };
        let mut events = Vec::new();
        for found in disk::complete(folder)? {
            let failed = |error| DiskError::of("read", &found.path)(error);
            let since = std::fs::metadata(&found.path).and_then(|one| one.modified());
            let since = since.map_err(failed)?;
            let body = std::fs::read(&found.path)
                .map_err(|error| DiskError::of("read", &found.path)(error))?;
            let id = found.name.trim_end_matches(".json").to_owned();
            events.push(Waiting { id, path: found.path, body, since });
        }
        events.sort_by_key(|event| event.since);
        Ok(events)
    }

    /// Removes an event that was taken or given up.
    pub(crate) fn done(&self, event: &Waiting) -> Result<(), DiskError> {
        disk::remove(&event.path)?;
        // One that was counted at the start or when it was told.
        let less = |count: usize| Some(count.saturating_sub(1));
        let _ = self.count.fetch_update(Ordering::Relaxed, Ordering::Relaxed, less);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_same_happening_is_one_event_and_waits_until_it_was_taken() {
        let folder = tempfile::tempdir().unwrap();
        let events = Events::new(folder.path().join("webhook"), true).unwrap();
        let agency = AgencyCode::parse("H36").unwrap();
        let event = Event::new("document.sent", &agency, "a", json!({ "name": "a" }));
        events.tell(&event).unwrap();
        events.tell(&event).unwrap();
        events.tell(&Event::new("document.sent", &agency, "b", json!({}))).unwrap();
        let again = Events::new(folder.path().join("webhook"), true).unwrap();
        let waiting = again.waiting().unwrap();
        assert_eq!(waiting.len(), 2);
        let body: serde_json::Value = serde_json::from_slice(&waiting[0].body).unwrap();
        assert_eq!((&body["kind"], &body["name"]), (&json!("document.sent"), &json!("a")));
        again.done(&waiting[0]).unwrap();
        assert_eq!(again.waiting().unwrap().len(), 1);
        let silent = Events::new(folder.path().join("none"), false).unwrap();
        silent.tell(&event).unwrap();
        assert!(!folder.path().join("none").exists());
    }
}
