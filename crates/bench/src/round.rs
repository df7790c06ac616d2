//! One round: a load carried out once, and its figures.

use std::sync::Arc;

use lienthong_model::limits::TRANSFERS_PER_CALLER_MAX;
use serde::Serialize;
use tokio::time::Instant;

use crate::disk::{Disk, DiskFigures};
use crate::documents::Batch;
use crate::error::BenchError;
use crate::latency::{Latencies, Latency};
use crate::load::{Load, Way, Work};
use crate::meters::Counted;
use crate::pace::Pace;
use crate::process::Spent;
use crate::receiving::{Receiving, Track};
use crate::scene::{Scene, Target};

/// What one round showed.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Round {
    /// What was asked.
    pub load: Load,
    /// From the first document to the last one done, in seconds.
    pub seconds: f64,
    /// Documents done a second.
    pub documents_per_second: f64,
    /// Bytes of attachments a second.
    pub payload_bytes_per_second: f64,
    /// Until the sender has the receipt.
    pub submitted: Latency,
    /// Until a recipient has the document.
    pub delivered: Latency,
    /// Until the document is done.
    pub done: Latency,
    /// What the hub's process spent; `None` where it is not known.
    pub hub: Option<HubFigures>,
    /// Processor time of this process, the generator's, for a document, in microseconds.
    pub generator_cpu_us: f64,
    /// What the hub's journal did; `None` where its counters cannot be read.
    pub journal: Option<JournalFigures>,
    /// What the disk did without the hub, right before and after.
    pub disk: DiskFigures,
}

/// What the hub's process spent.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct HubFigures {
    /// Processor time for a document, in microseconds.
    pub cpu_us: f64,
    /// Resident memory at the end, in bytes.
    pub resident_bytes: u64,
    /// The most that was resident, in bytes.
    pub resident_bytes_max: u64,
}

/// What the hub's journal did.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct JournalFigures {
    /// Entries in a block, on average.
    pub entries_per_block: f64,
    /// Syncs a second.
    pub syncs_per_second: f64,
    /// How long writing and syncing a block took, on average, in microseconds.
    pub sync_us: f64,
    /// Bytes in the journal for a document.
    pub bytes_per_document: f64,
}

/// What a round needs while it runs.
struct Run {
    scene: Arc<Scene>,
    load: Load,
    batch: Arc<Batch>,
    track: Arc<Track>,
    submitted: parking_lot::Mutex<Latencies>,
    first: usize,
}

/// Carries a load out once: signs, warms up, measures.
///
/// # Errors
/// [`BenchError`] when a document is refused, a mailbox is not empty at the start, or nothing moves
/// for a minute.
pub async fn measure(scene: &Arc<Scene>, load: &Load) -> Result<Round, BenchError> {
    let mut disk = Disk::of(&scene.target.folder);
    let warm_up = load.warm_up();
    let batch = Arc::new(Batch::sign(scene, load, warm_up + load.documents)?);
    let track = Arc::new(Track::new(batch.documents.len(), load.fan_out, warm_up));
    let receiving = Receiving::open(scene, load, &batch, &track).await?;
    let submitted = parking_lot::Mutex::new(Latencies::new());
    let run = Arc::new(Run {
        scene: scene.clone(),
        load: *load,
        batch,
        track,
        submitted,
        first: warm_up,
    });
    let outcome = run.clone().carry_out(&mut disk).await;
    receiving.end().await;
    outcome.map_err(|error| run.track.failure().unwrap_or(error))
}

impl Run {
    async fn carry_out(self: Arc<Self>, disk: &mut Disk) -> Result<Round, BenchError> {
        let room = match self.load.pace {
            Pace::InFlight(room) => room,
            Pace::PerSecond(_) => 64,
        };
        let one = |number, since| self.clone().one(number, since);
        self.bounded(Pace::InFlight(room)).drive(self.first, one).await?;
        disk.probe()?;
        let before = Snapshot::of(&self.scene.target).await?;
        let one = |number: usize, since| self.clone().one(self.first + number, since);
        let paced = self.bounded(self.load.pace).drive(self.load.documents, one).await?;
        let after = Snapshot::of(&self.scene.target).await?;
        disk.probe()?;
        let (seconds, documents) = (paced.took.as_secs_f64(), self.load.documents as f64);
        let journal = after
            .counted
            .zip(before.counted)
            .map(|(after, before)| JournalFigures::of(&after.since(&before), seconds, documents));
        Ok(Round {
            load: self.load,
            seconds,
            documents_per_second: documents / seconds,
            payload_bytes_per_second: self.load.payload as f64 * documents / seconds,
            submitted: self.submitted.lock().summary(),
            delivered: self.track.delivered().summary(),
            done: paced.latencies.summary(),
            hub: after.hub.zip(before.hub).map(|(after, before)| HubFigures {
                cpu_us: (after.cpu_seconds - before.cpu_seconds) * 1e6 / documents,
                resident_bytes: after.resident_bytes,
                resident_bytes_max: after.resident_bytes_max,
            }),
            generator_cpu_us: (after.here.cpu_seconds - before.here.cpu_seconds) * 1e6 / documents,
            journal,
            disk: disk.figures(),
        })
    }

    /// A pace within what one caller may upload at a time.
    fn bounded(&self, pace: Pace) -> Pace {
        let uploads = self.batch.documents.iter().any(|document| document.upload.is_some());
        match pace {
            Pace::InFlight(room) if uploads => Pace::InFlight(room.min(TRANSFERS_PER_CALLER_MAX)),
            pace => pace,
        }
    }

    /// Takes one document as far as the load says.
    async fn one(self: Arc<Self>, number: usize, since: Instant) -> Result<(), BenchError> {
        let prepared = self.batch.documents.get(number);
        let sender = prepared.and_then(|document| self.scene.senders.get(document.sender));
        let (Some(prepared), Some(sender)) = (prepared, sender) else { return Ok(()) };
        let done = self.track.start(number, since);
        if let Some(upload) = &prepared.upload {
            sender.client.upload(&upload.path, &upload.whole, |_| ()).await?;
        }
        let signed = prepared.signed.clone();
        match self.load.way {
            Way::Streaming => sender.stream.submit(signed).await?,
            Way::Unary => sender.client.submit(signed).await?,
        };
        if number >= self.first {
            self.submitted.lock().note(since.elapsed());
        }
        if self.load.work != Work::Submit {
            // It is dropped only when receiving has failed, which says why.
            done.await.map_err(|_| BenchError::Call(lienthong_client::CallError::Closed))?;
        }
        Ok(())
    }
}

impl JournalFigures {
    fn of(counted: &Counted, seconds: f64, documents: f64) -> Self {
        let each = |of: f64, many: f64| if many > 0.0 { of / many } else { 0.0 };
        Self {
            entries_per_block: each(counted.entries, counted.blocks),
            syncs_per_second: counted.syncs / seconds,
            sync_us: each(counted.sync_seconds * 1e6, counted.syncs),
            bytes_per_document: counted.bytes / documents,
        }
    }
}

/// What was spent and counted up to a moment.
struct Snapshot {
    counted: Option<Counted>,
    hub: Option<Spent>,
    here: Spent,
}

impl Snapshot {
    async fn of(target: &Target) -> Result<Self, BenchError> {
        let counted = match target.http {
            Some(http) => Some(Counted::read(http).await?),
            None => None,
        };
        Ok(Self { counted, hub: target.process.map(Spent::by), here: Spent::here() })
    }
}
