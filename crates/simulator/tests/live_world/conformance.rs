//! The ten cases against a small system: whole, it passes all; broken in one way, it fails in the
//! right case and in no other.

use std::sync::Arc;
use std::sync::atomic::AtomicU32;
use std::time::Duration;

use lienthong_client::Client;
use lienthong_simulator::conformance::{CASES, Examination, Examiner, Statement};
use lienthong_simulator::live::Proxy;

use crate::ground::code;
use crate::node::{Flaw, Stage, System};

const EXAMINER: &str = "H36";
const EXAMINED: &str = "H36.05";

async fn examine(flaw: Flaw) -> Statement {
    let stage = Stage::set().await;
    let target = format!("127.0.0.1:{}", stage.hub.address().port());
    let proxy = Arc::new(Proxy::before(target).await.unwrap());
    System::start(&stage, EXAMINED, proxy.address(), flaw).await;
    let client: Client = stage.client(EXAMINER).await;
    let line = proxy.clone();
    let examination = Examination {
        examiner: Examiner {
            client,
            agency: code(EXAMINER),
            person: stage.person(EXAMINER),
            seal: stage.seal(EXAMINER),
            stranger: stage.stranger(EXAMINER),
            written: AtomicU32::new(0),
        },
        agency: code(EXAMINED),
        line: Box::new(move |mode| {
            line.set(mode);
            Ok(())
        }),
        patience: Duration::from_secs(60),
    };
    examination.run(|_| {}).await.unwrap()
}

async fn fails_in(flaw: Flaw, wanted: &[&str]) {
    let statement = examine(flaw).await;
    let failed = statement.outcomes.iter().filter(|(_, check)| !check.passed);
    let failed: Vec<&str> = failed.map(|(case, _)| case.name).collect();
    assert_eq!(failed, wanted, "{statement:#?}");
    assert_eq!(statement.outcomes.len(), CASES.len());
    let xml = statement.junit("lienthong conformance run", 1.0);
    assert!(xml.contains("tests=\"10\""), "{xml}");
    assert!(xml.contains(&format!("failures=\"{}\"", wanted.len())), "{xml}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_sound_system_passes_all_ten() {
    fails_in(Flaw::None, &[]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_drops_attachments_does_not_receive() {
    fails_in(Flaw::DropsSpreadsheets, &["receive"]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_refuses_good_signatures_does_not_verify() {
    fails_in(Flaw::RefusesTwoSignatures, &["verify"]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_verifies_nothing_takes_a_bad_signature() {
    fails_in(Flaw::TrustsEverybody, &["refuse-bad-signature"]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_acknowledges_without_storing_is_found_out() {
    fails_in(Flaw::AcknowledgesWithoutStoring, &["acknowledge"]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_finishes_before_it_accepts_reports_in_the_wrong_order() {
    fails_in(Flaw::FinishesFirst, &["report-in-order"]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_refuses_what_comes_again_does_not_survive_a_duplicate() {
    fails_in(Flaw::RefusesDuplicates, &["duplicate"]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_ignores_a_recall_is_found_out() {
    fails_in(Flaw::IgnoresRecalls, &["recall-after-pick-up"]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_needs_a_number_does_not_take_the_mandatory_fields_alone() {
    fails_in(Flaw::NeedsNumber, &["fields"]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_drops_decomposed_names_does_not_take_every_normal_form() {
    fails_in(Flaw::DropsDecomposed, &["normal-forms"]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_reports_nothing_fails_wherever_a_report_is_asked_for() {
    let reports = ["acknowledge", "report-in-order", "duplicate", "recall-after-pick-up"];
    fails_in(Flaw::ReportsNothing, &reports).await;
}
