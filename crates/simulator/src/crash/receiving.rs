//! Receiving: takes what comes, verifies it, acknowledges, reports, answers, and reads notices.

use std::sync::Arc;
use std::time::Duration;

use lienthong_client::{
    Acknowledger, AttachmentPlace, CallError, Checked, Client, Delivery, DeliveryKey, FileDigest,
    NegativeAcknowledgement, Notice, NoticeKind, NoticeSubscription, Reports, SenderPolicy,
    Subscription, sign_report,
};
use lienthong_model::{MessageId, Reason, SignedContent, StatusCode, StatusReport};

use super::books::{Name, Reported};
use super::ground::{code, now};
use super::traffic::Shared;

/// What recipients report, one of these a delivery.
const ANSWERS: [&[StatusCode]; 4] = [
    &[],
    &[StatusCode::Arrived],
    &[StatusCode::Refused],
    &[StatusCode::Accepted, StatusCode::Processing, StatusCode::Processing, StatusCode::Finished],
];

/// An agency that receives.
#[derive(Clone)]
pub(super) struct Recipient {
    pub shared: Arc<Shared>,
    pub agency: &'static str,
    pub client: Client,
    pub reports: Reports,
}

/// Takes what comes.
pub(super) async fn receive(recipient: Recipient, mut subscription: Subscription) {
    let acknowledger = subscription.acknowledger();
    while let Some(next) = subscription.next().await {
        match next {
            Ok(delivery) => {
                let (recipient, acknowledger) = (recipient.clone(), acknowledger.clone());
                tokio::spawn(async move {
                    if let Err(why) = recipient.take(delivery, acknowledger).await {
                        recipient.shared.wrong(why);
                    }
                });
            }
            Err(error) => {
                let agency = recipient.agency;
                recipient.shared.wrong(format!("the subscription of {agency}: {error}"));
            }
        }
    }
}

/// Reads notices; a request to give a document back is agreed to.
pub(super) async fn read_notices(recipient: Recipient, mut subscription: NoticeSubscription) {
    let acknowledger = subscription.acknowledger();
    while let Some(next) = subscription.next().await {
        match next {
            Ok(notice) => {
                let (recipient, acknowledger) = (recipient.clone(), acknowledger.clone());
                tokio::spawn(async move {
                    if let Err(why) = recipient.read(notice, acknowledger).await {
                        recipient.shared.wrong(why);
                    }
                });
            }
            Err(error) => {
                let agency = recipient.agency;
                recipient.shared.wrong(format!("the notices of {agency}: {error}"));
            }
        }
    }
}

impl Recipient {
    async fn take(&self, delivery: Delivery, acknowledger: Acknowledger) -> Result<(), String> {
        let (shared, key) = (&self.shared, delivery.key.clone());
        let times = shared.enter(|books| books.came(&key));
        // Some recipients cannot take it the first time.
        if times == 1 && (shared.seed ^ key.position.0).is_multiple_of(8) {
            let (reason, delay) = ("Ổ đĩa đầy".to_owned(), Some(Duration::ZERO));
            let later = NegativeAcknowledgement { key: key.clone(), reason, delay };
            let put_off = acknowledger.negative_acknowledge(later).await;
            return put_off.map_err(|error| format!("putting {key:?} off: {error}"));
        }
        let checked = shared.check.check(&delivery, &SenderPolicy::default());
        let checked = checked.map_err(|refusal| format!("the delivery {key:?}: {refusal}"))?;
        if times == 1 {
            self.download(&key, &checked).await;
        }
        let acknowledged = acknowledger.acknowledge(std::slice::from_ref(&key)).await;
        match acknowledged {
            Ok(()) => {}
            // An acknowledgement may be on the hub's disk without an answer, and be given again when
            // the recipient has agreed to give the document back.
            Err(error) if taken_back(&error) => {
                shared.enter(|books| {
                    books.closed.insert(key.clone());
                    books.done.insert(key);
                });
                return Ok(());
            }
            Err(error) => return Err(format!("acknowledging {key:?}: {error}")),
        }
        let first = shared.enter(|books| {
            books.acknowledged.insert(key.clone(), books.life);
            books.taken.insert(key.clone())
        });
        if first {
            let document = (checked.document.from.code, checked.document.id);
            // A gateway keeps for its communes; what they do is their own.
            if key.recipient == code(self.agency) {
                self.report_on(&key, &document).await?;
            }
            shared.enter(|books| books.done.insert(key));
        }
        Ok(())
    }

    /// Fetches what did not come with the document; the client checks its SHA-256.
    async fn download(&self, key: &DeliveryKey, checked: &Checked) {
        let entries = &checked.document.attachments;
        for entry in entries.iter().filter(|entry| entry.size > 0) {
            let place = AttachmentPlace {
                sender: checked.document.from.code.clone(),
                document: checked.document.id,
                content_id: entry.content_id.clone(),
            };
            let whole = FileDigest { size: entry.size, sha256: entry.sha256 };
            let name = format!("received-{}-{}", key.recipient, key.position.0);
            let path = self.shared.folder.join(name);
            let came = self.client.download(&place, &whole, &path, |_| ()).await;
            self.shared.enter(|books| match came {
                Ok(()) => books.figures.downloads += 1,
                Err(error) => {
                    books.without.insert(key.clone(), error.to_string());
                }
            });
            let _ = tokio::fs::remove_file(&path).await;
        }
    }

    async fn report_on(&self, key: &DeliveryKey, document: &Name) -> Result<(), String> {
        let answer = ANSWERS[((self.shared.seed ^ key.position.0) % 4) as usize];
        for status in answer {
            match self.report(key, document, *status).await {
                Ok(()) => {}
                Err(error) if taken_back(&error) => {
                    self.shared.enter(|books| books.closed.insert(key.clone()));
                    return Ok(());
                }
                Err(error) => return Err(format!("{status} on {key:?}: {error}")),
            }
        }
        Ok(())
    }

    /// Reports and enters the receipt, whose proof is checked.
    async fn report(
        &self,
        key: &DeliveryKey,
        document: &Name,
        status: StatusCode,
    ) -> Result<(), CallError> {
        let shared = &self.shared;
        let id = MessageId::new(now(), rand::random());
        let report =
            StatusReport::new(id, code(self.agency), document.clone(), status).because("Gửi nhầm");
        let signed: SignedContent = sign_report(&report, &[&shared.seals[self.agency]]);
        let receipt = self.reports.report(signed.clone()).await?;
        let log = shared.key.lock().clone();
        let stated = log.map(|log| receipt.prove(&signed, &log));
        shared.enter(|books| {
            match stated {
                Some(Ok(stated)) => books.stated(stated.size, stated.root),
                Some(Err(why)) => books.wrong.push(format!("the receipt of {id}: {why}")),
                None => books.wrong.push("the log's key is unknown".to_owned()),
            }
            books.touched.insert(document.clone());
            let reported = Reported { code: status, signed, receipt };
            books.reported.entry(key.clone()).or_default().push(reported);
        });
        Ok(())
    }

    async fn read(&self, notice: Notice, acknowledger: Acknowledger<Notice>) -> Result<(), String> {
        let first = self.shared.enter(|books| books.noticed(&notice));
        if first && notice.kind == NoticeKind::RecallRequested {
            self.agree(&notice).await?;
        }
        let key = notice.key.clone();
        let acknowledged = acknowledger.acknowledge(std::slice::from_ref(&key)).await;
        acknowledged.map_err(|error| format!("acknowledging {key:?}: {error}"))?;
        self.shared.enter(|books| {
            let life = books.life;
            if let Some(noticed) = books.notices.get_mut(&key) {
                noticed.acknowledged = Some(life);
            }
        });
        Ok(())
    }

    /// Agrees to give a document back; it may have been finished or refused meanwhile.
    async fn agree(&self, notice: &Notice) -> Result<(), String> {
        let recipient = notice.recipient.clone();
        let key = DeliveryKey { recipient, position: notice.position };
        let document = (notice.sender.clone(), notice.document);
        self.shared.note(|books| books.busy += 1);
        let outcome = self.report(&key, &document, StatusCode::ChangeAgreed).await;
        self.shared.end();
        match outcome {
            Ok(()) | Err(CallError::Refused(_)) => Ok(()),
            Err(error) => Err(format!("agreeing on {key:?}: {error}")),
        }
    }
}

/// Whether a document is no longer to be had, since its sender took it back.
fn taken_back(error: &CallError) -> bool {
    matches!(error, CallError::Refused(refusal) if refusal.reason == Reason::DocumentTakenBack)
}
