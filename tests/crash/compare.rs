//! Compares the clients' books with what the hub says, over the wire.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use futures_util::StreamExt as _;
use lienthong_client::{Client, DeliveryKey, Period, TrackedDocument};
use lienthong_model::AgencyCode;

use crate::books::{Books, Name, Sent};
use crate::fixture::{AGENCIES, code, province};

/// Questions under way at a time.
const ASKING: usize = 32;

/// Everything in which books and hub differ; the clients are those of [`AGENCIES`], in that order.
pub async fn differences(books: &Books, clients: &[Client]) -> Vec<String> {
    let mut found = books.wrong.clone();
    positions(books, &mut found);
    let by_code: HashMap<AgencyCode, &Client> =
        AGENCIES.iter().map(|agency| code(agency)).zip(clients).collect();
    let asked = books.sent.iter().map(|(name, sent)| {
        let client = by_code[&name.0];
        async move { (name, sent, client.track(&name.0, name.1).await) }
    });
    let mut answers = futures_util::stream::iter(asked).buffer_unordered(ASKING);
    while let Some((name, sent, answer)) = answers.next().await {
        match answer {
            Ok(tracked) => document(books, name, sent, &tracked, &mut found),
            Err(error) => found.push(format!("{name:?}: {error}")),
        }
    }
    mailboxes(&by_code, &mut found).await;
    statistics(books, &clients[0], &mut found).await;
    found
}

/// No place in the log is two things.
fn positions(books: &Books, found: &mut Vec<String>) {
    let mut seen = BTreeMap::new();
    for (position, what) in books.positions() {
        if let Some(other) = seen.insert(position, what.clone()) {
            found.push(format!("at {position}: {what} and {other}"));
        }
    }
}

fn document(
    books: &Books,
    name: &Name,
    sent: &Sent,
    tracked: &TrackedDocument,
    found: &mut Vec<String>,
) {
    let Some(receipt) = &sent.receipt else {
        found.push(format!("{name:?} is still in doubt"));
        return;
    };
    let told = (receipt.position, receipt.sha256, receipt.received_at);
    let said = (tracked.position, tracked.sha256, tracked.received_at);
    if told != said {
        found.push(format!("{name:?}: told {told:?}, found {said:?}"));
    }
    let to: BTreeSet<&AgencyCode> = sent.recipients.iter().collect();
    let delivered: BTreeSet<&AgencyCode> =
        tracked.deliveries.iter().map(|d| &d.recipient).collect();
    if to != delivered || tracked.deliveries.len() != sent.recipients.len() {
        found.push(format!("{name:?}: sent to {to:?}, delivered to {delivered:?}"));
    }
    for delivery in &tracked.deliveries {
        let recipient = delivery.recipient.clone();
        let key = DeliveryKey { recipient, position: tracked.position };
        if books.acknowledged.contains_key(&key) && delivery.acknowledged_at.is_none() {
            found.push(format!("{key:?} was acknowledged and is not"));
        }
        let reported = books.reported.get(&key).map_or(&[][..], Vec::as_slice);
        let told: Vec<_> = reported
            .iter()
            .map(|one| (one.code, one.receipt.position, one.receipt.received_at))
            .collect();
        let said: Vec<_> =
            delivery.statuses.iter().map(|one| (one.code, one.position, one.at)).collect();
        if told != said {
            found.push(format!("{key:?}: reported {told:?}, found {said:?}"));
        }
    }
}

/// Everything is acknowledged: nothing waits.
async fn mailboxes(clients: &HashMap<AgencyCode, &Client>, found: &mut Vec<String>) {
    for (agency, client) in clients {
        match client.pull(agency, 256).await {
            Ok(waiting) => found.extend(
                waiting.into_iter().map(|one| format!("{:?} waits and was acknowledged", one.key)),
            ),
            Err(error) => found.push(format!("the mailbox of {agency}: {error}")),
        }
    }
}

/// The hub's sums are those of the receipts.
async fn statistics(books: &Books, client: &Client, found: &mut Vec<String>) {
    let mut counted: BTreeMap<Option<AgencyCode>, (u64, u64)> = BTreeMap::new();
    let mut bytes = 0;
    for ((sender, _), sent) in &books.sent {
        counted.entry(province(sender.as_str())).or_default().0 += 1;
        for recipient in &sent.recipients {
            counted.entry(province(recipient.as_str())).or_default().1 += 1;
            bytes += sent.signed.content.len() as u64;
        }
    }
    let (volumes, flows) =
        match (client.volumes(Period::default()).await, client.flows(Period::default()).await) {
            (Ok(volumes), Ok(flows)) => (volumes, flows),
            other => return found.push(format!("statistics: {other:?}")),
        };
    let places = volumes.provinces.iter().chain([&volumes.centre]);
    let said: BTreeMap<_, _> = places
        .map(|place| (place.code.clone(), (place.sent, place.received)))
        .filter(|(_, numbers)| *numbers != (0, 0))
        .collect();
    if said != counted {
        found.push(format!("volumes: counted {counted:?}, found {said:?}"));
    }
    let sums = counted.values().fold((0, 0), |sum, place| (sum.0 + place.0, sum.1 + place.1));
    let totals = (volumes.totals.sent, volumes.totals.received);
    if totals != sums {
        found.push(format!("totals: counted {sums:?}, found {totals:?}"));
    }
    let flowed = flows
        .iter()
        .fold((0, 0), |sum, cell| (sum.0 + cell.deliveries, sum.1 + cell.content_bytes));
    if flowed != (sums.1, bytes) {
        found.push(format!("flows: counted {:?}, found {flowed:?}", (sums.1, bytes)));
    }
}
