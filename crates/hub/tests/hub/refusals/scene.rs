//! A hub with rules, mandates and an agency that has gone, and calls that it refuses.

use lienthong_core::{Command, Effect, RoutingRules, Rule, Span};
use lienthong_model::{AgencyEntry, Day, Level, MessageId, SignedContent, StatusCode};
use lienthong_wire::proto;
use tonic::Status;

use crate::harness::raw::{exchange, request};
use crate::harness::{World, code, directory, document, new_id};

/// The hub that most reasons are met at.
pub struct Scene {
    pub world: World,
}

/// An agency that was in force for one day.
fn gone() -> AgencyEntry {
    let like = directory().into_iter().find(|entry| entry.code == code("H01")).unwrap();
    AgencyEntry {
        code: code("H03"),
        province: Some(code("H03")),
        from: Day(0),
        until: Some(Day(1)),
        ..like
    }
}

fn rule(name: &str, from_level: Level, effect: Effect) -> Rule {
    Rule {
        name: name.to_owned(),
        from: None,
        until: None,
        from_level: Some(from_level),
        to_level: None,
        span: Span::Between,
        document_type: None,
        effect,
    }
}

impl Scene {
    pub async fn start() -> Self {
        let rules = vec![
            rule("districts write to no other province", Level::District, Effect::Refuse),
            rule("communes through their superior", Level::Commune, Effect::ThroughSuperior),
        ];
        let rules = Some(RoutingRules { rules });
        let world = World::start_with(|settings| settings.rules = rules).await;
        world.hub().administer(Command::ChangeDirectory(vec![gone()])).await.unwrap();
        Self { world }
    }

    /// The refusal of a document.
    pub async fn submit(&self, caller: &str, content: SignedContent) -> Status {
        let mut raw = exchange(&self.world, caller).await;
        raw.submit_document(request(content)).await.expect_err("it is refused")
    }

    /// A document that is accepted.
    pub async fn accepted(&self, caller: &str, content: SignedContent) {
        let mut raw = exchange(&self.world, caller).await;
        raw.submit_document(request(content)).await.unwrap();
    }

    pub async fn submit_nothing(&self, caller: &str) -> Status {
        let nothing = proto::SubmitDocumentRequest { document: None, attachments: Vec::new() };
        let mut raw = exchange(&self.world, caller).await;
        raw.submit_document(nothing).await.expect_err("it is refused")
    }

    pub async fn clock_as(&self, caller: &str) -> Status {
        let mut raw = exchange(&self.world, caller).await;
        raw.get_clock(proto::GetClockRequest {}).await.expect_err("it is refused")
    }

    pub async fn pull(&self, caller: &str, agency: &str) -> Status {
        let pull = proto::PullDocumentsRequest { agency: agency.to_owned(), deliveries_max: 1 };
        let mut raw = exchange(&self.world, caller).await;
        raw.pull_documents(pull).await.expect_err("it is refused")
    }

    pub async fn track_nothing(&self, caller: &str) -> Status {
        let id = bytes::Bytes::copy_from_slice(new_id().as_bytes());
        let track = proto::TrackDocumentRequest { sender: caller.to_owned(), id };
        let mut raw = exchange(&self.world, caller).await;
        raw.track_document(track).await.expect_err("it is refused")
    }

    pub async fn report_as_sender(&self) -> Status {
        let id = self.delivered().await;
        self.report(id, StatusCode::RecallRequested, "nhầm").await.expect_err("it is refused")
    }

    pub async fn refuse_without_reason(&self) -> Status {
        let id = self.delivered().await;
        self.report(id, StatusCode::Refused, "").await.expect_err("it is refused")
    }

    pub async fn accept_after_refusing(&self) -> Status {
        let id = self.delivered().await;
        self.report(id, StatusCode::Refused, "gửi nhầm nơi nhận").await.unwrap();
        self.report(id, StatusCode::Accepted, "").await.expect_err("it is refused")
    }

    pub async fn report_without_end(&self) -> Status {
        let id = self.delivered().await;
        self.report(id, StatusCode::Accepted, "").await.unwrap();
        loop {
            if let Err(status) = self.report(id, StatusCode::Processing, "").await {
                return status;
            }
        }
    }

    /// A document of H36 in the mailbox of H36.12.
    pub async fn delivered(&self) -> MessageId {
        let document = document("H36", &["H36.12"]);
        self.accepted("H36", self.world.sealed(&document)).await;
        document.id
    }

    /// A report of H36.12.
    pub async fn report(
        &self,
        on: MessageId,
        status: StatusCode,
        reason: &str,
    ) -> Result<(), Status> {
        let report = self.world.report("H36.12", ("H36", on), status, reason);
        let (report, _) = lienthong_wire::signed::to_proto(report);
        let mut raw = exchange(&self.world, "H36.12").await;
        let request = proto::ReportStatusRequest { report: Some(report) };
        raw.report_status(request).await.map(drop)
    }
}
