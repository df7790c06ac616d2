//! A scenario played live: the laws hold, what is expected is read from the hub, and every fault
//! that the live world has really happens and is noticed; a hub that is killed is a process of its
//! own, and played with the binary.

use lienthong_simulator::scenario::Scenario;
use lienthong_simulator::verdict::Verdict;

use crate::ground::{Run, play};

/// Two days pass in some seconds.
const RATE: f64 = 14_400.0;

/// A day of a small province, with a fault and what is expected of it.
fn scenario(rest: &str) -> Scenario {
    let text = format!(
        "[scenario]\nname = \"live\"\ntitle = \"X\"\nfrom = 2020-11-16\nuntil = 2020-11-16\n\
         [[agencies]]\nprovinces = [\"H36\"]\ntake = 2\n\
         [[traffic]]\nprovinces = [\"H36\"]\ndocuments-per-day = 40\nfan-out = [1, 2]\n\
         [[answers]]\nprocessed-share = 0.5\nfinished-share = 0.3\n\
         accepted-hours = [0.1, 1]\nprocessed-hours = [0.1, 1]\nfinished-hours = [0.1, 1]\n{rest}"
    );
    Scenario::parse("live.toml", &text).unwrap()
}

/// Some documents between ten and two, on which nobody reports: it is over in seconds. A fault and
/// what is expected of it follow.
fn morning(documents: u32, rest: &str) -> Scenario {
    let text = format!(
        "[scenario]\nname = \"live\"\ntitle = \"X\"\nfrom = 2020-11-16\nuntil = 2020-11-16\n\
         [calendar]\nhours = [\"10:00-14:00\"]\n\
         [[agencies]]\nprovinces = [\"H36\"]\ntake = 2\n\
         [[traffic]]\nprovinces = [\"H36\"]\ndocuments-per-day = {documents}\n{rest}"
    );
    Scenario::parse("live.toml", &text).unwrap()
}

fn failures(verdict: &Verdict) -> Vec<String> {
    let failed = verdict.checks().filter(|check| !check.passed);
    failed.map(|one| format!("{}: found {} {:?}", one.name, one.found, one.documents)).collect()
}

async fn comes_out(scenario: &Scenario) {
    let verdict = play(scenario, RATE).await;
    assert_eq!(failures(&verdict), Vec::<String>::new(), "{verdict:#?}");
    assert!(verdict.laws.len() >= 4, "{:?}", verdict.laws);
}

/// With its fault a scenario comes out as it says; without it, it must not.
async fn comes_out_only_with(fault: &str, expects: &str) {
    comes_out_only_with_on(scenario, fault, expects).await;
}

async fn comes_out_only_with_on(base: impl Fn(&str) -> Scenario, fault: &str, expects: &str) {
    comes_out(&base(&format!("{fault}{expects}"))).await;
    let verdict = play(&base(expects), RATE).await;
    assert!(verdict.laws.iter().all(|law| law.passed), "{:#?}", verdict.laws);
    assert!(!verdict.passed(), "it passes without its fault");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_day_of_a_province_goes_through_a_real_hub_and_is_judged_by_its_records() {
    comes_out(&scenario(
        "[[expect]]\nmeasure = \"sent\"\nequals = 40\n\
         [[expect]]\nmeasure = \"waiting\"\nequals = 0\n\
         [[expect]]\nmeasure = \"reported-share\"\nstatus = \"03\"\nequals = 1\n\
         [[expect]]\nmeasure = \"personal-signature-share\"\nequals = 1\n\
         [[expect]]\nmeasure = \"levels-connected\"\nprovince = \"H36\"\nequals = 3\n",
    ))
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_lost_acknowledgement_is_delivered_again() {
    comes_out_only_with(
        "[[fault]]\nkind = \"acknowledgement-lost\"\nshare = 0.5\n",
        "[[expect]]\nmeasure = \"redelivered\"\nat-least = 3\n\
         [[expect]]\nmeasure = \"waiting\"\nequals = 0\n",
    )
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn changed_content_is_refused_by_the_hub_and_the_right_bytes_are_taken() {
    comes_out_only_with(
        "[[fault]]\nkind = \"content-changed\"\nshare = 0.3\n",
        "[[expect]]\nmeasure = \"refusals\"\nreason = \"SIGNATURE_INVALID\"\nat-least = 3\n\
         [[expect]]\nmeasure = \"sent\"\nequals = 40\n",
    )
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_duplicate_submission_gets_the_first_receipt_again() {
    comes_out_only_with(
        "[[fault]]\nkind = \"duplicate-submission\"\nshare = 0.5\n",
        "[[expect]]\nmeasure = \"repeated-receipts\"\nat-least = 5\n\
         [[expect]]\nmeasure = \"sent\"\nequals = 40\n",
    )
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_expired_certificate_is_refused_by_code() {
    comes_out_only_with(
        "[[fault]]\nkind = \"certificate-expired\"\nshare = 0.3\n",
        "[[expect]]\nmeasure = \"refusals\"\nreason = \"CERTIFICATE_EXPIRED\"\nat-least = 3\n",
    )
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_revoked_certificate_is_refused_once_the_hub_has_the_list() {
    comes_out_only_with(
        "[[fault]]\nkind = \"certificate-revoked\"\n\
         from = 2020-11-16T09:00:00\nuntil = 2020-11-16T15:00:00\n",
        "[[expect]]\nmeasure = \"refusals\"\nreason = \"CERTIFICATE_REVOKED\"\nat-least = 3\n",
    )
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hub_whose_disk_is_nearly_full_takes_nothing_new_until_there_is_room_and_loses_nothing() {
    comes_out_only_with(
        "[[fault]]\nkind = \"disk-full\"\n\
         from = 2020-11-16T08:30:00\nuntil = 2020-11-16T15:00:00\n",
        "[[expect]]\nmeasure = \"refusals\"\nreason = \"STORAGE_LOW\"\nat-least = 1\n\
         [[expect]]\nmeasure = \"sent\"\nequals = 40\n\
         [[expect]]\nmeasure = \"waiting\"\nequals = 0\n",
    )
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_a_list_in_date_documents_are_accepted_and_marked() {
    comes_out_only_with(
        "[[fault]]\nkind = \"revocation-list-late\"\n\
         from = 2020-11-16T09:00:00\nuntil = 2020-11-16T15:00:00\n",
        "[[expect]]\nmeasure = \"unproven\"\nat-least = 3\n\
         [[expect]]\nmeasure = \"sent\"\nequals = 40\n",
    )
    .await;
}

/// On a clock this fast a hub allows twenty hours.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_clock_that_is_ahead_is_refused_and_one_that_is_behind_is_not() {
    comes_out_only_with(
        "[[fault]]\nkind = \"clock-off\"\nlevels = [\"district\"]\nclock-minutes = 1800\n\
         [[fault]]\nkind = \"clock-off\"\nlevels = [\"province\"]\nclock-minutes = -60\n",
        "[[expect]]\nmeasure = \"refusals\"\nreason = \"ID_TIME_OUT_OF_RANGE\"\nat-least = 3\n\
         [[expect]]\nmeasure = \"sent\"\nlevel = \"district\"\nequals = 0\n\
         [[expect]]\nmeasure = \"sent\"\nlevel = \"province\"\nat-least = 3\n\
         [[expect]]\nmeasure = \"waiting\"\nequals = 0\n",
    )
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_sent_to_a_node_that_is_off_waits_and_is_there_when_it_is_back() {
    comes_out_only_with(
        "[[fault]]\nkind = \"node-off\"\nlevels = [\"district\"]\n\
         from = 2020-11-16T07:30:00\nuntil = 2020-11-16T20:00:00\n",
        "[[expect]]\nmeasure = \"late\"\nlevel = \"district\"\nat-least = 3\n\
         [[expect]]\nmeasure = \"waiting\"\nequals = 0\n",
    )
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_certificate_of_another_agency_is_refused_by_code() {
    comes_out_only_with(
        "[[fault]]\nkind = \"certificate-wrong\"\nshare = 0.3\n",
        "[[expect]]\nmeasure = \"refusals\"\nreason = \"SIGNER_OF_OTHER_AGENCY\"\nat-least = 3\n",
    )
    .await;
}

/// Four hours are a second; without a slow reader they are milliseconds.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_slow_reader_acknowledges_hours_later() {
    comes_out_only_with_on(
        |rest| morning(20, rest),
        "[[fault]]\nkind = \"slow-reader\"\ndelay-seconds = [14400, 18000]\n\
         until = 2020-11-16T16:00:00\n",
        "[[expect]]\nmeasure = \"delivery-minutes\"\nat-least = 240\n\
         [[expect]]\nmeasure = \"sent\"\nequals = 20\n\
         [[expect]]\nmeasure = \"waiting\"\nequals = 0\n",
    )
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_delay_keeps_what_is_sent_and_what_is_delivered_under_way_for_hours() {
    comes_out_only_with_on(
        |rest| morning(20, rest),
        "[[fault]]\nkind = \"delay\"\ndelay-seconds = [7200, 9000]\n\
         until = 2020-11-16T20:00:00\n",
        // What is delivered is late, and so is the word that it has come.
        "[[expect]]\nmeasure = \"delivery-minutes\"\nat-least = 240\n\
         [[expect]]\nmeasure = \"sent\"\nequals = 20\n\
         [[expect]]\nmeasure = \"waiting\"\nequals = 0\n",
    )
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn reordered_documents_are_accepted_after_later_ones_of_their_senders() {
    comes_out_only_with_on(
        |rest| morning(60, rest),
        "[[fault]]\nkind = \"reorder\"\nuntil = 2020-11-16T15:00:00\n",
        "[[expect]]\nmeasure = \"overtaken\"\nat-least = 8\n\
         [[expect]]\nmeasure = \"sent\"\nequals = 60\n\
         [[expect]]\nmeasure = \"waiting\"\nequals = 0\n",
    )
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_document_that_the_hub_no_longer_has_breaks_the_law_of_receipts_and_is_named() {
    let scenario = morning(1, "");
    let verdict = Run::of(&scenario, RATE).await.on_an_empty_hub().await.judge();
    let broken: Vec<_> = verdict.checks().filter(|check| !check.passed).collect();
    let [law] = &broken[..] else { panic!("{verdict:#?}") };
    assert!(law.name.contains("a receipt's document is there"), "{law:#?}");
    assert_eq!(law.documents, ["position 0"], "{law:#?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn recalls_slow_nodes_late_messages_and_cut_uploads_lose_nothing() {
    let text = "[scenario]\nname = \"live\"\ntitle = \"X\"\nfrom = 2020-11-16\n\
        until = 2020-11-16\n[[agencies]]\nprovinces = [\"H36\"]\ntake = 2\n\
        [[traffic]]\nprovinces = [\"H36\"]\ndocuments-per-day = 20\nattachment-kib = [10, 3000]\n\
        recall-share = 0.5\nchange-hours = [0.2, 1]\n\
        [[answers]]\naccepted-hours = [0.1, 3]\n\
        [[fault]]\nkind = \"delay\"\nshare = 0.5\ndelay-seconds = [60, 3600]\n\
        [[fault]]\nkind = \"slow-reader\"\nshare = 0.5\ndelay-seconds = [60, 3600]\n\
        [[fault]]\nkind = \"reorder\"\nshare = 0.3\n\
        [[fault]]\nkind = \"upload-cut\"\nlevels = [\"province\", \"district\"]\n\
        from = 2020-11-16T08:00:00\nuntil = 2020-11-16T18:00:00\n\
        [[expect]]\nmeasure = \"sent\"\nequals = 20\n\
        [[expect]]\nmeasure = \"waiting\"\nequals = 0\n\
        [[expect]]\nmeasure = \"taken-back\"\nat-least = 2\n";
    let scenario = Scenario::parse("live.toml", text).unwrap();
    let run = Run::of(&scenario, RATE).await;
    let verdict = run.judge();
    assert_eq!(failures(&verdict), Vec::<String>::new(), "{verdict:#?}");
    assert!(run.played.cut_connections() > 0, "no upload was cut");
}
