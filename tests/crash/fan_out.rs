//! A hub that dies in the middle of a fan-out, at each of its points, goes on where it stopped: every
//! recipient has the document once, and it is counted once.

use std::collections::BTreeSet;
use std::time::Duration;

use lienthong_client::{Client, ListToSave, Period, ProgressCounts, sign_document};
use lienthong_model::{Document, MessageId, Recipient};
use lienthong_simulator::crash::{
    Child, Death, Ground, PATIENCE, POINTS, code, directory_with_communes, now,
};

/// Recipients: more than ten slices, of which two go in one block.
const COMMUNES: usize = 2_700;

async fn progress(client: &Client, id: MessageId) -> ProgressCounts {
    client.progress(&code("G22"), id, &[]).await.unwrap().0
}

/// Waits until all have it in their mailboxes.
async fn delivered(client: &Client, id: MessageId) -> ProgressCounts {
    let asking = async {
        loop {
            let found = progress(client, id).await;
            if found.pending == 0 {
                return found;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(PATIENCE, asking).await.expect("the fan-out comes to its end")
}

/// Makes blocks that no statistics count, so that a point that is passed with a block, or with what
/// follows it, is passed again and again.
async fn more_blocks(client: Client) {
    let list = ListToSave {
        owner: code("G22"),
        name: "khac".to_owned(),
        title: "Danh sách".to_owned(),
        members: vec![code("H34")],
    };
    while client.save_list(list.clone()).await.is_ok() {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_fan_out_under_which_the_hub_dies_reaches_everybody_once() {
    // Those that a hub passes without an attachment.
    for (index, point) in POINTS.into_iter().take(5).enumerate() {
        // The document and its slices take few blocks: five and six are in the middle of them, and
        // the first reply is before them. The state is brought to disk less often.
        let passings = match point {
            "reply-sent" => 1,
            _ if point.starts_with("state") => 2,
            _ => 5 + index as u32,
        };
        let (_folder, ground) = crate::ground(&directory_with_communes(COMMUNES));
        die_and_go_on(&ground, point, passings).await;
    }
}

async fn die_and_go_on(ground: &Ground, point: &str, passings: u32) {
    let when = format!("{point}:{passings}");
    // The first life imports the directory and ends in order, so that passings are of slices.
    let mut first = Child::start(ground, None).unwrap();
    assert!(first.ready(PATIENCE).await, "{when}: {}", first.said());
    first.kill().unwrap();
    let mut child = Child::start(ground, Some(&when)).unwrap();
    let id = MessageId::new(now(), rand::random());
    let lists = vec![Recipient::List("communes-of:H34".to_owned())];
    let document = Document::new(id, code("G22"), lists, "Về việc gửi mọi xã", id.time());
    let signed = sign_document(&document, Vec::new(), &[&ground.seal("G22").unwrap()]);
    // A point may be passed before the hub is ready: then nobody was told anything.
    let mut submitting = None;
    let mut more = None;
    if child.ready(PATIENCE).await {
        let client = ground.client("G22", PATIENCE).await.unwrap();
        let (signed, other) = (signed.clone(), client.clone());
        submitting = Some(tokio::spawn(async move { client.submit(signed).await }));
        more = Some(tokio::spawn(more_blocks(other)));
    }
    let death = child.died(PATIENCE).await.unwrap();
    more.iter().for_each(tokio::task::JoinHandle::abort);
    assert_eq!(death, Some(Death::Aborted), "{when}: {}", child.said());
    let mut child = Child::start(ground, None).unwrap();
    assert!(child.ready(PATIENCE).await, "{when}: {}", child.said());
    // Whether it was told before the hub died or not: the same bytes again bring the receipt.
    let client = ground.client("G22", PATIENCE).await.unwrap();
    if let Some(submitting) = submitting {
        submitting.await.unwrap().unwrap();
    }
    let receipt = client.submit(signed).await.unwrap();
    assert_eq!(receipt.recipients as usize, COMMUNES, "{when}");
    let found = delivered(&client, id).await;
    assert_eq!((found.recipients, found.waiting), (2_700, 2_700), "{when}");
    let totals = client.volumes(Period::default()).await.unwrap().totals;
    assert_eq!((totals.sent, totals.received), (1, COMMUNES as u64), "{when}");
    let gateway = ground.client("H34", PATIENCE).await.unwrap();
    let mut subscription = gateway.subscribe(&[], 1_024).await.unwrap();
    let acknowledger = subscription.acknowledger();
    let mut came = BTreeSet::new();
    while came.len() < COMMUNES {
        let next = tokio::time::timeout(PATIENCE, subscription.next()).await;
        let delivery = next.expect("a delivery comes").expect("it is open").unwrap();
        let recipient = delivery.key.recipient.to_string();
        assert!(came.insert(recipient.clone()), "{when}: {recipient} twice");
        acknowledger.acknowledge(&[delivery.key]).await.unwrap();
    }
    assert_eq!(progress(&client, id).await.acknowledged as usize, COMMUNES, "{when}");
    child.kill().unwrap();
}
