//! What is refused of messages and reports that act on a document, of lists, and of reminders.

use lienthong_client::sign_report;
use lienthong_model::{
    Business, BusinessKind, Change, Document, MessageId, Recipient, RecipientChange, StatusCode,
    StatusReport, Written,
};
use lienthong_wire::proto;
use lienthong_wire::proto::recipient_list_service_client::RecipientListServiceClient;
use lienthong_wire::proto::tracking_service_client::TrackingServiceClient;
use tonic::Status;

use super::scene::Scene;
use crate::harness::raw::{channel, exchange};
use crate::harness::{World, code, communes, document, new_id};

const NEEDED: &str = "it is refused";

/// A document of H36 for H36.12 that acts on another of its own.
fn acting(kind: BusinessKind, on: MessageId) -> Document {
    let mut acting = document("H36", &["H36.12"]);
    let reason = "Có sai sót".to_owned();
    acting.business = Business { kind, acts_on: Some(on), reason, ..Business::default() };
    acting
}

/// Hands in a request of H36 to take a document back from some of its recipients, or from all.
async fn recall(world: &World, on: MessageId, recipients: &[&str]) -> Result<(), Status> {
    let about = (code("H36"), on);
    let report = StatusReport::new(new_id(), code("H36"), about, StatusCode::RecallRequested);
    let mut report = report.because("Gửi nhầm");
    report.recipients = recipients.iter().map(|text| code(text)).collect();
    let (report, _) = lienthong_wire::signed::to_proto(sign_report(&report, &[&world.seal("H36")]));
    let request = proto::ReportStatusRequest { report: Some(report) };
    exchange(world, "H36").await.report_status(request).await.map(drop)
}

/// A document to districts of a province that has none.
pub async fn to_nobody(scene: &Scene) -> Status {
    let mut document = document("H36", &[]);
    document.recipients = vec![Recipient::List("districts-of:H01".to_owned())];
    scene.submit("H36", scene.world.sealed(&document)).await
}

/// One list more than an agency may save.
pub async fn lists_without_end(scene: &Scene) -> Status {
    let channel = channel(&scene.world, "H36.30").await;
    let mut lists = RecipientListServiceClient::new(channel);
    for number in 0.. {
        let list = proto::SaveRecipientListRequest {
            owner: "H36.30".to_owned(),
            name: format!("so-{number}"),
            title: "Danh sách".to_owned(),
            members: vec!["H36".to_owned()],
        };
        if let Err(status) = lists.save_recipient_list(list).await {
            return status;
        }
    }
    unreachable!("the bound comes first")
}

/// A recall from an agency that never had the document.
pub async fn recall_from_others(scene: &Scene) -> Status {
    let id = scene.delivered().await;
    recall(&scene.world, id, &["G22"]).await.expect_err(NEEDED)
}

/// An update that adds a recipient that has the document.
pub async fn add_a_recipient_again(scene: &Scene) -> Status {
    let mut update = acting(BusinessKind::Update, scene.delivered().await);
    let again = RecipientChange { code: Written::code("H36.12"), change: Change::Added };
    update.business.recipient_changes = vec![again];
    scene.submit("H36", scene.world.sealed(&update)).await
}

/// A report on a document that was taken back.
pub async fn report_on_a_recalled(scene: &Scene) -> Status {
    let id = scene.delivered().await;
    recall(&scene.world, id, &[]).await.unwrap();
    scene.report(id, StatusCode::Arrived, "").await.expect_err(NEEDED)
}

/// A report on a document that was replaced.
pub async fn report_on_a_replaced(scene: &Scene) -> Status {
    let id = scene.delivered().await;
    let replacement = scene.world.sealed(&acting(BusinessKind::Replace, id));
    scene.accepted("H36", replacement).await;
    scene.report(id, StatusCode::Arrived, "").await.expect_err(NEEDED)
}

/// A recall of what its only recipient has refused.
pub async fn recall_too_late(scene: &Scene) -> Status {
    let id = scene.delivered().await;
    scene.report(id, StatusCode::Refused, "Không thuộc thẩm quyền").await.unwrap();
    recall(&scene.world, id, &[]).await.expect_err(NEEDED)
}

/// One update more than a document may have.
pub async fn updates_without_end(scene: &Scene) -> Status {
    let id = scene.delivered().await;
    let mut raw = exchange(&scene.world, "H36").await;
    loop {
        let update = scene.world.sealed(&acting(BusinessKind::Update, id));
        if let Err(status) = raw.submit_document(crate::harness::raw::request(update)).await {
            return status;
        }
    }
}

/// A recall of a document that is on its way to thousands.
pub async fn recall_under_way() -> Status {
    let world = World::start_among(communes(12_000)).await;
    // The recall may come too late to meet it on its way.
    for _ in 0..50 {
        let mut document = document("H36", &[]);
        document.recipients = vec![Recipient::List("communes-of:H34".to_owned())];
        let mut raw = exchange(&world, "H36").await;
        let request = crate::harness::raw::request(world.sealed(&document));
        raw.submit_document(request).await.unwrap();
        if let Err(status) = recall(&world, document.id, &[]).await {
            return status;
        }
    }
    panic!("every recall came when the document had arrived everywhere")
}

/// A second reminder in a day.
pub async fn remind_twice(scene: &Scene) -> Status {
    let id = bytes::Bytes::copy_from_slice(scene.delivered().await.as_bytes());
    let document = Some(proto::DocumentName { sender: "H36".to_owned(), id });
    let stage = proto::Stage::Finished.into();
    let request = proto::RemindRecipientsRequest { document, stage };
    let mut tracking = TrackingServiceClient::new(channel(&scene.world, "H36").await);
    tracking.remind_recipients(request.clone()).await.unwrap();
    tracking.remind_recipients(request).await.expect_err(NEEDED)
}
