//! Compares the clients' books with what the hub says, over the wire.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use futures_util::StreamExt as _;
use lienthong_client::{Client, DeliveryKey, Period, TrackedDelivery, TrackedDocument};
use lienthong_model::{AgencyCode, StatusCode};

use super::books::{Books, Name, Reported, Sent};
use super::ground::{AGENCIES, code, province};

/// Questions under way at a time.
const ASKING: usize = 32;

/// What is asked, of which documents.
pub(super) struct Check<'c> {
    pub books: &'c Books,
    /// Those of [`AGENCIES`], in that order.
    pub clients: &'c [Client],
    pub documents: &'c [Name],
}

impl Check<'_> {
    /// Everything in which books and hub differ.
    pub async fn differences(&self) -> Vec<String> {
        let mut found = self.books.wrong.clone();
        positions(self.books, &mut found);
        told_once(self.books, &mut found);
        let by_code: HashMap<AgencyCode, &Client> =
            AGENCIES.iter().map(|agency| code(agency)).zip(self.clients).collect();
        mailboxes(&by_code, &mut found).await;
        if let Some(client) = self.clients.first() {
            statistics(self.books, client, &mut found).await;
        }
        let asked = self.documents.iter().filter_map(|name| {
            let (sent, client) = (self.books.sent.get(name)?, by_code.get(&name.0)?);
            Some(self.document(name, sent, client, &by_code))
        });
        let mut answers = futures_util::stream::iter(asked).buffer_unordered(ASKING);
        while let Some(differences) = answers.next().await {
            found.extend(differences);
        }
        found
    }

    /// One document: tracked, and with all its reports handed over once more.
    async fn document(
        &self,
        name: &Name,
        sent: &Sent,
        client: &Client,
        clients: &HashMap<AgencyCode, &Client>,
    ) -> Vec<String> {
        let mut found = Vec::new();
        match client.track(&name.0, name.1).await {
            Ok(tracked) => compare(self.books, name, sent, &tracked, &mut found),
            Err(error) => found.push(format!("{name:?}: {error}")),
        }
        match client.submit(sent.signed.clone()).await {
            Ok(again) => {
                let first = sent.receipt.as_ref();
                let same = first.is_some_and(|first| {
                    (first.position, first.received_at) == (again.position, again.received_at)
                });
                if !same || !again.repeated {
                    found.push(format!("{name:?} again: {again:?}, first {first:?}"));
                }
            }
            Err(error) => found.push(format!("{name:?} again: {error}")),
        }
        let keys = self.books.promised_by(name);
        let reports = keys.filter_map(|key| self.books.reported.get(&key)).flatten();
        for reported in reports.chain(self.books.recalled.get(name)) {
            if let Some(client) = clients.get(&reported.receipt.reporter) {
                found.extend(report_again(reported, client).await);
            }
        }
        found
    }
}

/// A report that is handed over once more brings its first receipt.
async fn report_again(reported: &Reported, client: &Client) -> Option<String> {
    let first = &reported.receipt;
    match client.report(reported.signed.clone()).await {
        Ok(again) if again.repeated && again.position == first.position => None,
        Ok(again) => Some(format!("report {} again: {again:?}, first {first:?}", first.id)),
        Err(error) => Some(format!("report {} again: {error}", first.id)),
    }
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

/// Nobody is told the same thing by two notices.
fn told_once(books: &Books, found: &mut Vec<String>) {
    for ((agency, position, recipient), times) in &books.told {
        if *times > 1 {
            found.push(format!("{agency} was told {times} times of {position}, {recipient}"));
        }
    }
}

fn compare(
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
        let (to, delivered) = (to.len(), tracked.deliveries.len());
        found.push(format!("{name:?}: sent to {to}, {delivered} deliveries, or to others"));
    }
    for delivery in &tracked.deliveries {
        compare_delivery(books, name, tracked, delivery, found);
    }
}

fn compare_delivery(
    books: &Books,
    name: &Name,
    tracked: &TrackedDocument,
    delivery: &TrackedDelivery,
    found: &mut Vec<String>,
) {
    let recipient = delivery.recipient.clone();
    let withdrawn = books.withdrawn(name, &recipient);
    let key = DeliveryKey { recipient, position: tracked.position };
    let acknowledged = books.acknowledged.contains_key(&key);
    if acknowledged && !withdrawn && delivery.acknowledged_at.is_none() {
        found.push(format!("{key:?} was acknowledged and is not"));
    }
    let reported = books.reported.get(&key).map_or(&[][..], Vec::as_slice);
    let agreed = reported.iter().any(|one| one.code == StatusCode::ChangeAgreed);
    if books.closed.contains(&key) && !withdrawn && !agreed {
        found.push(format!("{key:?} is closed, and was never taken back"));
    }
    if let Some(why) = books.without.get(&key).filter(|_| !books.recalled.contains_key(name)) {
        found.push(format!("the attachment of {key:?}: {why}"));
    }
    let place = |one: &Reported| (one.receipt.position, one.code, one.receipt.received_at);
    let mut told: Vec<_> = reported.iter().map(place).collect();
    told.sort();
    // The request to take it back may be filed with what was reported on it.
    let asked = books.recalled.get(name).map(|recall| recall.receipt.position);
    let said = delivery.statuses.iter().map(|one| (one.position, one.code, one.at));
    let said: Vec<_> = said.filter(|(position, ..)| Some(*position) != asked).collect();
    if told != said {
        found.push(format!("{key:?}: reported {told:?}, found {said:?}"));
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
        match client.pull_notices(agency, 256).await {
            Ok(waiting) => found.extend(
                waiting.into_iter().map(|one| format!("{:?} waits and was acknowledged", one.key)),
            ),
            Err(error) => found.push(format!("the notices of {agency}: {error}")),
        }
    }
}

/// The hub's sums are those of the receipts, and provinces and centre make up the total.
async fn statistics(books: &Books, client: &Client, found: &mut Vec<String>) {
    let mut counted: BTreeMap<Option<AgencyCode>, (u64, u64)> = BTreeMap::new();
    let mut bytes = 0;
    for ((sender, _), sent) in &books.sent {
        counted.entry(province(sender.as_str())).or_default().0 += 1;
        for recipient in &sent.recipients {
            counted.entry(province(recipient.as_str())).or_default().1 += 1;
            bytes += sent.bytes;
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
