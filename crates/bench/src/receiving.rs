//! Receiving what is sent, and telling when a document is done.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use futures_util::StreamExt as _;
use futures_util::stream::FuturesUnordered;
use lienthong_client::{Acknowledger, Delivery, NoticeSubscription, Subscription};
use lienthong_model::limits::CONSUMER_CREDIT_MAX;
use parking_lot::Mutex;
use tokio::sync::oneshot;
use tokio::task::JoinSet;
use tokio::time::Instant;

use crate::documents::Batch;
use crate::error::BenchError;
use crate::latency::Latencies;
use crate::load::{Load, Work};
use crate::scene::{Recipient, Scene};

/// Where each document of a batch is.
pub(crate) struct Track {
    marks: Vec<Mutex<Mark>>,
    /// The first that is measured; those before it warm up.
    first: usize,
    delivered: Mutex<Latencies>,
    failed: Mutex<Option<BenchError>>,
    /// Deliveries that are done.
    pub done: AtomicUsize,
}

struct Mark {
    since: Instant,
    left: usize,
    waiting: Option<oneshot::Sender<()>>,
}

impl Track {
    /// Expects every document at `recipients`; those before `first` warm up.
    pub fn new(documents: usize, recipients: usize, first: usize) -> Self {
        let mark = || Mark { since: Instant::now(), left: recipients, waiting: None };
        Self {
            marks: (0..documents).map(|_| Mutex::new(mark())).collect(),
            first,
            delivered: Mutex::new(Latencies::new()),
            failed: Mutex::new(None),
            done: AtomicUsize::new(0),
        }
    }

    /// Notes the moment from which a document's time counts; what comes back ends when every
    /// recipient is done with it.
    pub fn start(&self, document: usize, since: Instant) -> oneshot::Receiver<()> {
        let (done, waiting) = oneshot::channel();
        if let Some(mark) = self.marks.get(document) {
            let mut mark = mark.lock();
            (mark.since, mark.waiting) = (since, Some(done));
        }
        waiting
    }

    /// How long deliveries took to come, from the moment at which their document was due.
    pub fn delivered(&self) -> Latencies {
        self.delivered.lock().clone()
    }

    /// Why receiving ended, if it did.
    pub fn failure(&self) -> Option<BenchError> {
        self.failed.lock().take()
    }

    fn came(&self, document: usize) {
        let Some(mark) = self.marks.get(document) else { return };
        let took = mark.lock().since.elapsed();
        if document >= self.first {
            self.delivered.lock().note(took);
        }
    }

    fn done(&self, document: usize) {
        self.done.fetch_add(1, Ordering::Relaxed);
        let Some(mark) = self.marks.get(document) else { return };
        let mut mark = mark.lock();
        mark.left = mark.left.saturating_sub(1);
        if mark.left == 0
            && let Some(waiting) = mark.waiting.take()
        {
            // Whoever has given up does not wait.
            let _ = waiting.send(());
        }
    }

    /// Receiving has ended: nobody waits any longer.
    fn fail(&self, error: BenchError) {
        self.failed.lock().get_or_insert(error);
        self.marks.iter().for_each(|mark| mark.lock().waiting = None);
    }
}

/// The recipients at work; dropping it ends them.
pub(crate) struct Receiving(JoinSet<()>);

impl Receiving {
    /// Opens the mailboxes of everybody who receives, and the senders' notices where somebody
    /// reports.
    ///
    /// # Errors
    /// [`BenchError::Call`] when one cannot be opened.
    pub async fn open(
        scene: &Arc<Scene>,
        load: &Load,
        batch: &Arc<Batch>,
        track: &Arc<Track>,
    ) -> Result<Self, BenchError> {
        let mut tasks = JoinSet::new();
        if load.work == Work::Submit {
            return Ok(Self(tasks));
        }
        for (index, recipient) in scene.recipients.iter().take(load.fan_out).enumerate() {
            let subscription = recipient.client.subscribe(&[], CONSUMER_CREDIT_MAX).await?;
            let desk = Desk {
                scene: scene.clone(),
                index,
                batch: batch.clone(),
                track: track.clone(),
                seen: Mutex::new(vec![false; batch.documents.len()]),
            };
            tasks.spawn(receive(Arc::new(desk), subscription));
        }
        if load.work == Work::Statuses {
            for sender in &scene.senders {
                let notices = sender.client.subscribe_to_notices(&[], CONSUMER_CREDIT_MAX).await?;
                tasks.spawn(take_notices(notices));
            }
        }
        Ok(Self(tasks))
    }

    /// Ends everybody.
    pub async fn end(mut self) {
        self.0.shutdown().await;
    }
}

/// Where one recipient works.
struct Desk {
    scene: Arc<Scene>,
    index: usize,
    batch: Arc<Batch>,
    track: Arc<Track>,
    /// Documents that have come: what comes again is acknowledged and not counted.
    seen: Mutex<Vec<bool>>,
}

async fn receive(desk: Arc<Desk>, mut subscription: Subscription) {
    let acknowledger = subscription.acknowledger();
    // Bounded by the subscription's credit.
    let mut at_work = FuturesUnordered::new();
    loop {
        let worked = tokio::select! {
            Some(worked) = at_work.next(), if !at_work.is_empty() => worked,
            next = subscription.next() => match next {
                Some(Ok(delivery)) => {
                    at_work.push(work_on(desk.clone(), acknowledger.clone(), delivery));
                    Ok(())
                }
                Some(Err(error)) => Err(error.into()),
                None => return,
            },
        };
        if let Err(error) = worked {
            desk.track.fail(error);
            return;
        }
    }
}

async fn work_on(
    desk: Arc<Desk>,
    acknowledger: Acknowledger,
    delivery: Delivery,
) -> Result<(), BenchError> {
    let Some(document) = desk.batch.index(&delivery.signed) else {
        // Somebody's real mail, or what an earlier series left: it is not ours to acknowledge.
        return Err(BenchError::NotEmpty(delivery.key.recipient.to_string()));
    };
    let first =
        desk.seen.lock().get_mut(document).is_some_and(|seen| !std::mem::replace(seen, true));
    if first {
        desk.track.came(document);
    }
    acknowledger.acknowledge(std::slice::from_ref(&delivery.key)).await?;
    if first {
        desk.report(document).await?;
        desk.track.done(document);
    }
    Ok(())
}

impl Desk {
    async fn report(&self, document: usize) -> Result<(), BenchError> {
        let prepared = self.batch.documents.get(document);
        let Some(reports) = prepared.and_then(|one| one.reports.get(self.index)) else {
            return Ok(());
        };
        let Some(Recipient { reports: stream, .. }) = self.scene.recipients.get(self.index) else {
            return Ok(());
        };
        for report in reports {
            stream.report(report.clone()).await?;
        }
        Ok(())
    }
}

/// Acknowledges what senders are told. Should it break off, notices wait; documents are not held up.
async fn take_notices(mut notices: NoticeSubscription) {
    while let Some(notice) = notices.next().await {
        let Ok(notice) = notice else { continue };
        if notices.post(&[notice.key]).await.is_err() {
            return;
        }
    }
}
