//! What takes a look at many rows or files, kept for a moment and shared by all who ask: however
//! many pages are open, it is worked out once in a while, by one at a time. What takes long is worked
//! out behind those who ask: they get the answer before.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use lienthong_core::engine::EngineError;
use lienthong_core::statistics::{AgencyBacklog, Figure};
use lienthong_model::limits::SURVEY_AGE_MAX;
use lienthong_model::{Level, Reason, Refusal};
use parking_lot::RwLock;
use tokio::sync::Mutex;

use crate::certificates::{self, ExpiringCertificate};
use crate::connections::Connections;
use crate::present::unreadable;
use crate::reader::Reader;

/// Answers that are kept for a moment.
#[derive(Default)]
pub(crate) struct Survey {
    backlogs: Kept<Vec<AgencyBacklog>>,
    certificates: Arc<Kept<Vec<ExpiringCertificate>>>,
    sizes: Kept<Vec<(&'static str, u64)>>,
    arrivals: Kept<BTreeMap<(Level, Figure), u64>>,
}

/// An answer.
struct Kept<T> {
    answer: RwLock<Option<Answer<T>>>,
    /// Held by whoever works it out.
    working: Mutex<()>,
}

/// When it was worked out, and what it is.
type Answer<T> = (Instant, Arc<T>);

impl<T> Default for Kept<T> {
    fn default() -> Self {
        Self { answer: RwLock::new(None), working: Mutex::new(()) }
    }
}

/// Certificates change slowly, and there are many.
const CERTIFICATES_AGE_MAX: Duration = Duration::from_secs(60);

/// How the name of an archive in the journal's folder ends.
const ARCHIVE: &str = "archive";
const ARRIVALS_AGE_MAX: Duration = Duration::from_secs(10);
const SIZES_AGE_MAX: Duration = Duration::from_secs(60);

impl Survey {
    /// What lies in mailboxes, by ordinal; at most [`SURVEY_AGE_MAX`] old.
    pub async fn backlogs(&self, reader: &Reader) -> Result<Arc<Vec<AgencyBacklog>>, Refusal> {
        let reader = reader.clone();
        let count = move || {
            let all = reader.with_statistics(|source| source.mailboxes(&|_| true))?;
            Ok(all.agencies)
        };
        self.backlogs.get(SURVEY_AGE_MAX, count).await
    }

    /// The certificates that are in use, first to expire first; as of the first look in the last
    /// minute, or of the one before while that is under way. In a country there are some ten thousand.
    pub async fn certificates(
        &self,
        reader: &Reader,
        connections: &Connections,
    ) -> Result<Arc<Vec<ExpiringCertificate>>, Refusal> {
        let (reader, connected) = (reader.clone(), connections.chains());
        let work = move || certificates::in_use(&reader, connected);
        self.certificates.clone().get_at_once(CERTIFICATES_AGE_MAX, work).await
    }
}

impl Survey {
    /// Bytes of the parts of a data folder whose files are few, which those of payloads are not; at
    /// most a minute old. What is gone while it is counted counts nothing.
    pub async fn sizes(&self, folder: &Path) -> Result<Arc<Vec<(&'static str, u64)>>, Refusal> {
        let (journal, state) = (folder.join("journal"), folder.join("state"));
        let count = move || {
            let is_archive = |file: &Path| file.extension().is_some_and(|end| end == ARCHIVE);
            Ok(vec![
                ("journal", bytes_in(&journal, &|file: &Path| !is_archive(file))),
                ("archives", bytes_in(&journal, &is_archive)),
                ("state", bytes_in(&state, &|_: &Path| true)),
            ])
        };
        self.sizes.get(SIZES_AGE_MAX, count).await
    }
}

impl Survey {
    /// Deliveries that arrived by level and by how long it took; at most some seconds old.
    pub async fn arrivals(
        &self,
        reader: &Reader,
    ) -> Result<Arc<BTreeMap<(Level, Figure), u64>>, Refusal> {
        let reader = reader.clone();
        self.arrivals.get(ARRIVALS_AGE_MAX, move || reader.arrivals()).await
    }
}

/// Bytes of the files below a folder that count.
fn bytes_in(folder: &Path, counts: &impl Fn(&Path) -> bool) -> u64 {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let size = |entry: std::fs::DirEntry| match entry.file_type() {
        Ok(kind) if kind.is_dir() => bytes_in(&entry.path(), counts),
        _ if !counts(&entry.path()) => 0,
        _ => entry.metadata().map_or(0, |found| found.len()),
    };
    entries.map(size).sum()
}

impl<T: Send + Sync + 'static> Kept<T> {
    /// The answer, not older than said.
    async fn get(
        &self,
        age_max: Duration,
        work: impl FnOnce() -> Result<T, EngineError> + Send + 'static,
    ) -> Result<Arc<T>, Refusal> {
        let _working = self.working.lock().await;
        if let Some((at, answer)) = self.known()
            && at.elapsed() < age_max
        {
            return Ok(answer);
        }
        let worked = tokio::task::spawn_blocking(work).await;
        let worked = worked.map_err(|_| Refusal::new(Reason::Stopped))?;
        let answer = Arc::new(worked.map_err(|error| unreadable(&error))?);
        *self.answer.write() = Some((Instant::now(), answer.clone()));
        Ok(answer)
    }

    /// The answer; where it is older than said, it is worked out anew for whoever asks next.
    async fn get_at_once(
        self: Arc<Self>,
        age_max: Duration,
        work: impl FnOnce() -> Result<T, EngineError> + Send + 'static,
    ) -> Result<Arc<T>, Refusal> {
        let Some((at, answer)) = self.known() else { return self.get(age_max, work).await };
        if at.elapsed() >= age_max && self.working.try_lock().is_ok() {
            // Whoever asks next is told of a failure.
            tokio::spawn(async move { self.get(age_max, work).await.is_ok() });
        }
        Ok(answer)
    }

    fn known(&self) -> Option<Answer<T>> {
        self.answer.read().clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Duration = Duration::ZERO;

    #[tokio::test]
    async fn whoever_asks_again_gets_the_answer_before_at_once_and_the_next_the_new_one() {
        let kept = Arc::new(Kept::default());
        assert_eq!(*kept.clone().get_at_once(NOW, || Ok(1)).await.unwrap(), 1);
        let (go_on, wait) = std::sync::mpsc::channel::<()>();
        let slow = move || {
            // Ends when the test has its answer.
            let _ = wait.recv();
            Ok(2)
        };
        assert_eq!(*kept.clone().get_at_once(NOW, slow).await.unwrap(), 1);
        go_on.send(()).unwrap();
        let age_max = Duration::from_secs(3600);
        while *kept.clone().get_at_once(age_max, || Ok(3)).await.unwrap() == 1 {
            tokio::task::yield_now().await;
        }
        assert_eq!(*kept.get(age_max, || Ok(3)).await.unwrap(), 2);
    }
}
