//! The agency that examines: what it can sign with, and what it asks the hub afterwards.

use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use lienthong_client::{Client, Signer, TrackedDelivery, sign_document, sign_report};
use lienthong_model::{AgencyCode, Attachment, Document, MessageId, StatusCode, StatusReport};

use super::{ConformanceError, Examination};

/// How often the hub is asked what became of something.
const LOOK: Duration = Duration::from_millis(300);

/// An agency with its connection and its keys.
pub struct Examiner {
    /// Its connection.
    pub client: Client,
    /// Its code.
    pub agency: AgencyCode,
    /// A person of it.
    pub person: Signer,
    /// Its seal.
    pub seal: Signer,
    /// A person of it with a certificate below a root that the hub relies on and the system under
    /// test was not given.
    pub stranger: Signer,
    /// Documents written so far.
    pub written: AtomicU32,
}

/// A document that the hub accepted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Sent {
    pub id: MessageId,
}

impl Examiner {
    /// The number of the next document.
    pub(super) fn next_number(&self) -> u32 {
        self.written.fetch_add(1, Ordering::Relaxed) + 1
    }
}

impl Examination {
    /// Signs and hands over.
    pub(super) async fn send(
        &self,
        (document, attachments): (Document, Vec<Attachment>),
        signers: &[&Signer],
    ) -> Result<Sent, ConformanceError> {
        let signed = sign_document(&document, attachments, signers);
        self.examiner.client.submit(signed).await?;
        Ok(Sent { id: document.id })
    }

    /// Asks to take a document back.
    pub(super) async fn recall(&self, sent: &Sent) -> Result<(), ConformanceError> {
        let Self { examiner, .. } = self;
        let about = (examiner.agency.clone(), sent.id);
        let code = StatusCode::RecallRequested;
        let report =
            StatusReport::new(examiner.client.new_id(), examiner.agency.clone(), about, code);
        let report = report.because("Gửi nhầm nơi nhận");
        examiner.client.report(sign_report(&report, &[&examiner.seal])).await?;
        Ok(())
    }

    /// What the hub has on a document's delivery.
    pub(super) async fn delivery(&self, sent: &Sent) -> Result<TrackedDelivery, ConformanceError> {
        let tracked = self.examiner.client.track(&self.examiner.agency, sent.id).await?;
        let mine = |one: &TrackedDelivery| one.recipient.key() == self.agency.key();
        tracked.deliveries.into_iter().find(mine).ok_or_else(|| ConformanceError::NoDelivery {
            id: sent.id.to_string(),
            agency: self.agency.clone(),
        })
    }

    /// Waits until the hub's record of a delivery is as asked, as long as there is patience; returns
    /// the record as it stands then, and whether it is so.
    pub(super) async fn until(
        &self,
        sent: &Sent,
        holds: impl Fn(&TrackedDelivery) -> bool,
    ) -> Result<(TrackedDelivery, bool), ConformanceError> {
        let began = Instant::now();
        loop {
            let delivery = self.delivery(sent).await?;
            if holds(&delivery) {
                return Ok((delivery, true));
            }
            if began.elapsed() > self.patience {
                return Ok((delivery, false));
            }
            tokio::time::sleep(LOOK).await;
        }
    }
}
