//! A hub that goes on with the disk that a cut left: clients hand over everything once more, as they
//! do when in doubt, and take what waits for them.

use std::collections::{BTreeMap, BTreeSet};

use lienthong_client::{Client, Period};
use lienthong_model::{AgencyCode, MessageId, Position};
use lienthong_wire::decode_document;

use crate::PATIENCE;
use crate::fixture::{AGENCIES, code};
use crate::run::{Fact, Process, Run};

type Clients = BTreeMap<AgencyCode, Client>;
/// A sender, and the id of its document.
type Name = (AgencyCode, MessageId);
/// A recipient, and the place of a document.
type Delivery = (AgencyCode, Position);

/// Everything that is wrong with what a hub says on the run's data folder, which was left by a cut.
pub async fn wrong(run: &Run, cut: usize) -> Vec<String> {
    let mut process = Process::start(Process::command(&run.fixture), &run.fixture).unwrap();
    let mut clients = Clients::new();
    for agency in AGENCIES {
        clients.insert(code(agency), run.fixture.client(agency, PATIENCE).await);
    }
    let mut told: BTreeMap<Name, Position> = BTreeMap::new();
    let mut acknowledged = BTreeSet::new();
    for fact in run.told(cut) {
        match fact {
            Fact::Accepted { sender, id, position, .. } => {
                told.insert((sender.clone(), *id), *position);
            }
            Fact::Acknowledged { recipient, position } => {
                acknowledged.insert((recipient.clone(), *position));
            }
            Fact::Reported { .. } | Fact::Uploaded { .. } | Fact::Checkpoint { .. } => {}
        }
    }
    let mut found = Vec::new();
    let mut promised = BTreeMap::new();
    let accepted = submit_all(run, &clients, &told, &mut promised, &mut found).await;
    take_all(&clients, &acknowledged, promised, &mut found).await;
    let totals = clients[&code(AGENCIES[0])].volumes(Period::default()).await.unwrap().totals;
    if totals.sent != accepted {
        found.push(format!("{} documents are counted, {accepted} were accepted", totals.sent));
    }
    process.drain();
    found
}

/// Hands every document over again; returns how many the hub has.
async fn submit_all(
    run: &Run,
    clients: &Clients,
    told: &BTreeMap<Name, Position>,
    promised: &mut BTreeMap<Delivery, Name>,
    found: &mut Vec<String>,
) -> u64 {
    let mut accepted = 0;
    for signed in &run.sent {
        let document = decode_document(&signed.content).unwrap();
        let name = (document.from.code.clone(), document.id);
        let told = told.get(&name);
        match clients[&name.0].submit(signed.clone()).await {
            Ok(receipt) => {
                accepted += 1;
                if told.is_some_and(|told| *told != receipt.position || !receipt.repeated) {
                    found.push(format!("{name:?} was accepted at {told:?}, now: {receipt:?}"));
                }
                let deliveries = receipt.routes.into_iter().map(|to| (to.code, receipt.position));
                promised.extend(deliveries.map(|delivery| (delivery, name.clone())));
            }
            // Its upload was under way when the power failed.
            Err(error) if told.is_none() && error.to_string().contains("NOT_UPLOADED") => {}
            Err(error) => found.push(format!("{name:?}: {error}")),
        }
    }
    accepted
}

/// Empties every mailbox: what was promised comes once, but for what was acknowledged before.
async fn take_all(
    clients: &Clients,
    acknowledged: &BTreeSet<Delivery>,
    mut promised: BTreeMap<Delivery, Name>,
    found: &mut Vec<String>,
) {
    for (agency, client) in clients {
        loop {
            let some = client.pull(agency, 64).await.unwrap();
            let keys: Vec<_> = some.into_iter().map(|delivery| delivery.key).collect();
            if keys.is_empty() {
                break;
            }
            for key in &keys {
                let name = (key.recipient.clone(), key.position);
                if acknowledged.contains(&name) {
                    found.push(format!("{name:?} was acknowledged and comes again"));
                }
                if promised.remove(&name).is_none() {
                    found.push(format!("{name:?} comes, and nobody sent it or it came before"));
                }
            }
            client.acknowledge(&keys).await.unwrap();
        }
    }
    // What does not come was acknowledged, and the power failed before that was told.
    for ((recipient, position), (sender, id)) in promised {
        let tracked = clients[&sender].track(&sender, id).await.unwrap();
        let delivery = tracked.deliveries.iter().find(|one| one.recipient == recipient);
        if delivery.is_none_or(|delivery| delivery.acknowledged_at.is_none()) {
            found.push(format!("{recipient} never gets what is at {position}"));
        }
    }
}
