//! Sending: writes, signs and submits what the plan says, and compares the outcome with it.

use std::sync::Arc;
use std::time::Duration;

use lienthong_client::{CallError, Receipt, Signer, sign_document};
use lienthong_model::{
    AgencyCode, Correspondent, Document, MessageId, Recipient, SignedContent, Written,
};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use super::Round;
use crate::draft;
use crate::plan::{Job, Trouble};
use crate::tally::Mismatch;

/// Submissions under way at a time, by all agencies together.
const UNDER_WAY: usize = 192;

/// Carries out every job of the plan.
pub(super) async fn send_all(round: Arc<Round>) {
    let places = Arc::new(Semaphore::new(UNDER_WAY));
    let mut jobs = JoinSet::new();
    for number in 0..round.plan.jobs.len() {
        let Ok(place) = places.clone().acquire_owned().await else { break };
        let round = round.clone();
        jobs.spawn(async move {
            carry_out(&round, &round.plan.jobs[number]).await;
            drop(place);
        });
        while jobs.try_join_next().is_some() {}
    }
    while jobs.join_next().await.is_some() {}
}

async fn carry_out(round: &Round, job: &Job) {
    let station = round.crew.station(job.sender);
    let id = station.client.new_id();
    let signed = written(round, job, id, job.trouble);
    let outcome = submit(round, job, signed.clone()).await;
    let Some(receipt) = compare(round, job, job.trouble, outcome, None) else { return };
    for trouble in &job.followed_by {
        let again = match trouble {
            Trouble::SubmittedAgain => signed.clone(),
            _ => written(round, job, id, Some(*trouble)),
        };
        let outcome = submit(round, job, again).await;
        compare(round, job, Some(*trouble), outcome, Some(&receipt));
    }
}

/// A gateway, which has volume, submits on a stream; an agency's own node one at a time.
async fn submit(round: &Round, job: &Job, signed: SignedContent) -> Result<Receipt, CallError> {
    round.count(|tally| tally.submitted += 1);
    let station = round.crew.station(job.sender);
    if round.crew.cast.members[job.sender].served_by == job.sender {
        station.client.submit(signed).await
    } else {
        station.submissions.submit(signed).await
    }
}

/// Writes and signs the document of a job, with what goes wrong in it.
fn written(round: &Round, job: &Job, id: MessageId, trouble: Option<Trouble>) -> SignedContent {
    let crew = &round.crew;
    let mut document = document(round, job, id);
    match trouble {
        Some(Trouble::UnknownRecipient) => {
            // There are 63 provinces.
            if let Ok(nobody) = AgencyCode::parse(&format!("H64.{:02}", job.number % 100)) {
                document.recipients.push(Recipient::from(nobody));
            }
        }
        Some(Trouble::IdUsedAgain) => document.subject.push_str(" (sửa đổi)"),
        _ => {}
    }
    let signers: Vec<&Signer> = crew.signers(job.sender, job.signing);
    let mut signed = sign_document(&document, Vec::new(), &signers);
    if trouble == Some(Trouble::ContentChanged) {
        document.subject.push_str(" (đã sửa)");
        let signatures = signed.signatures;
        signed = SignedContent { signatures, ..sign_document(&document, Vec::new(), &signers) };
    }
    signed
}

fn document(round: &Round, job: &Job, id: MessageId) -> Document {
    let cast = &round.crew.cast;
    let correspondent = |member: usize| {
        let entry = &cast.members[member].entry;
        Correspondent::new(entry.code.clone()).named(entry.name.clone())
    };
    let sender = &cast.members[job.sender];
    let recipients = job.recipients.iter().map(|member| correspondent(*member));
    let recipients = recipients.map(|correspondent| Recipient::Agency(Box::new(correspondent)));
    let number = u32::try_from(job.number + 1).unwrap_or(u32::MAX);
    let mut document = Document::new(
        id,
        correspondent(job.sender),
        recipients,
        draft::subject(job.number.wrapping_mul(7) + round.plan.seed),
        id.time(),
    )
    .issued(number, draft::document_type(job.number.wrapping_mul(31)), "UBND");
    document.place_of_issue = place(&sender.entry.name);
    document.urgency = draft::urgency(job.number);
    document.pages = u32::try_from(1 + job.number % 9).unwrap_or(1);
    document.business.paper_copy = job.number.is_multiple_of(13);
    if job.number.is_multiple_of(4) {
        document.due = Written::moment(id.time().plus(Duration::from_secs(5 * 86_400)));
    }
    document
}

fn place(agency: &str) -> String {
    agency.rsplit_once("tỉnh ").map_or("Hà Nội", |(_, province)| province).to_owned()
}

/// Compares an outcome with what was provoked, and counts it. Returns the receipt of a document
/// that was accepted now.
fn compare(
    round: &Round,
    job: &Job,
    trouble: Option<Trouble>,
    outcome: Result<Receipt, CallError>,
    first: Option<&Receipt>,
) -> Option<Receipt> {
    let expected = match trouble {
        None => "accepted".to_owned(),
        Some(trouble) => trouble.refusal().map_or_else(
            || format!("the first receipt again, {}", first.map_or(0, |first| first.position.0)),
            |reason| format!("refused with {reason}"),
        ),
    };
    let found = match &outcome {
        Ok(receipt) if receipt.repeated => {
            format!("the first receipt again, {}", receipt.position.0)
        }
        Ok(_) => "accepted".to_owned(),
        Err(CallError::Refused(refusal)) => format!("refused with {}", refusal.reason),
        Err(error) => error.to_string(),
    };
    round.count(|tally| {
        match &outcome {
            Ok(receipt) if receipt.repeated => tally.deduplicated += 1,
            Ok(receipt) => {
                tally.accepted += 1;
                tally.deliveries += receipt.routes.len() as u64;
            }
            Err(CallError::Refused(refusal)) => {
                *tally.refused.entry(refusal.reason).or_default() += 1;
            }
            Err(_) => {}
        }
        if expected != found {
            let what = format!("submission {} ({trouble:?})", job.number);
            tally.mismatch(Mismatch { what, expected, found });
        }
    });
    outcome.ok().filter(|receipt| !receipt.repeated)
}
