//! One connector for many agencies.

use lienthong_connector::{Settings, read_received_name};

use crate::harness::{World, code, until};
use crate::stage::{Desk, entries, json};

async fn gateway(world: &World) -> Desk {
    let mut desk = Desk::prepare(world, "H34");
    desk.settings = Settings { gateway: true, ..desk.settings };
    desk.start().await;
    desk
}

#[tokio::test]
async fn a_gateway_sends_and_receives_for_each_agency_in_a_folder_of_its_own() {
    let world = World::start().await;
    let desk = gateway(&world).await;
    desk.appears("outbox/H34.40.01").await;
    desk.put("outbox/H34.05/a", "to = [\"H36\"]\nsubject = \"Sở gửi\"\n", &[]);
    desk.put("outbox/H34/a", "to = [\"H36\"]\nsubject = \"Tỉnh gửi\"\n", &[]);
    let of_department = desk.note("sent/H34.05/a", "receipt.json").await;
    assert_eq!(of_department["sender"], "H34.05");
    assert_eq!(desk.note("sent/H34/a", "receipt.json").await["sender"], "H34");

    let client = world.client("H36").await;
    client.submit(world.letter("H36", &["H34.40", "H34.40.01"])).await.unwrap();
    let district = desk.first("inbox/H34.40").await;
    let commune = desk.first("inbox/H34.40.01").await;
    assert_eq!(json(&commune.join("document.json"))["recipient"], "H34.40.01");
    assert_eq!(district.file_name(), commune.file_name(), "one document, two mailboxes");

    let name = commune.file_name().unwrap().to_str().unwrap();
    let (_, id) = read_received_name(name).unwrap();
    let report = format!("document = \"{name}\"\nstatus = 3\n");
    std::fs::write(desk.path("status/out/H34.40.01/r.toml"), report).unwrap();
    desk.note("status/sent/H34.40.01/r", "receipt.json").await;
    let tracked = client.track(&code("H36"), id).await.unwrap();
    let reported: Vec<usize> =
        tracked.deliveries.iter().map(|delivery| delivery.statuses.len()).collect();
    assert_eq!(reported, [0, 1], "the commune has reported, the district has not");
}

#[tokio::test]
async fn an_agency_that_it_does_not_serve_is_refused_by_the_hub() {
    let world = World::start().await;
    let desk = gateway(&world).await;
    std::fs::create_dir_all(desk.path("outbox/H36.12")).unwrap();
    desk.put("outbox/H36.12/a", "to = [\"H36\"]\nsubject = \"x\"\n", &[]);
    let refusal = desk.note("refused/H36.12/a", "refusal.json").await;
    assert_eq!(refusal["code"], "SENDER_NOT_ENTITLED");
    until("nothing is left", async || entries(&desk.path("sending/H36.12")).is_empty()).await;
}
