//! The counters, as Prometheus' own tool reads them, and the rules over them.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::harness::World;
use crate::harness::raw::{exchange, refusal, request};
use crate::harness::web::page;
use lienthong_hub::Rates;
use lienthong_model::Reason;
use lienthong_wire::proto;

fn rules() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../deploy/prometheus")
}

/// Runs Prometheus' tool (Debian: `prometheus`), which must be content.
fn promtool(arguments: &[&str], stdin: &str) -> String {
    let mut command = Command::new("promtool");
    command.args(arguments).current_dir(rules()).stdin(Stdio::piped());
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut running = command.spawn().expect("the test needs `promtool`");
    running.stdin.take().unwrap().write_all(stdin.as_bytes()).unwrap();
    let output = running.wait_with_output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout) + String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{arguments:?}:\n{said}");
    said.into_owned()
}

/// The names of measures in a text of Prometheus.
fn names(text: &str) -> Vec<&str> {
    let types = text.lines().filter_map(|line| line.strip_prefix("# TYPE "));
    types.filter_map(|line| line.split(' ').next()).collect()
}

#[tokio::test]
async fn prometheus_own_tool_finds_nothing_wrong_with_the_metrics() {
    let world = World::start().await;
    let client = world.client("H36").await;
    client.submit(world.letter("H36", &["H36.12", "G22"])).await.unwrap();
    client.submit(world.letter("H36", &["nowhere"])).await.unwrap_err();
    // As if a journal file had been archived.
    let archive = world.data().join("journal/00000000000000000001.archive");
    std::fs::write(archive, [0_u8; 1_000]).unwrap();
    let shown = page(&world, "/metrics").await;
    let text = shown.text();
    promtool(&["check", "metrics"], text);
    for line in [
        "lienthong_mailbox_documents{province=\"H36\",level=\"province\"} 1",
        "lienthong_mailbox_documents{province=\"centre\",level=\"ministry\"} 1",
        "lienthong_submit_to_durable_seconds_count 2",
        "lienthong_verification_seconds_count 2",
        "lienthong_disk_level 0",
        "lienthong_disk_bytes{part=\"archives\"} 1000",
    ] {
        assert!(text.lines().any(|found| found == line), "{line} in:\n{text}");
    }
    for part in ["journal", "state"] {
        let line = format!("lienthong_disk_bytes{{part=\"{part}\"}} ");
        let bytes = text.lines().find_map(|found| found.strip_prefix(&line)).unwrap();
        assert!(bytes.parse::<u64>().unwrap() > 0, "{part}: {bytes}");
    }
}

#[tokio::test]
async fn documents_that_come_too_fast_are_counted_as_refused_and_other_calls_are_not() {
    let rates = Rates { requests_per_second: 1, ..Rates::default() };
    let world = World::start_with(|settings| settings.rates = rates).await;
    let mut raw = exchange(&world, "H36").await;
    let counts = async |count: u64| {
        let line = format!("lienthong_refusals_total{{code=\"RATE_LIMITED\"}} {count}");
        let shown = page(&world, "/metrics").await;
        let text = shown.text();
        assert!(text.lines().any(|found| found == line), "{line} in:\n{text}");
    };
    let status = loop {
        let letter = request(world.letter("H36", &["H36.12"]));
        if let Err(status) = raw.submit_document(letter).await {
            break status;
        }
    };
    assert_eq!(refusal(&status).reason, Reason::RateLimited);
    counts(1).await;
    while raw.get_clock(proto::GetClockRequest {}).await.is_ok() {}
    counts(1).await;
}

#[tokio::test]
async fn every_measure_that_a_rule_reads_is_one_that_the_hub_shows() {
    let world = World::start_revoking(&[]).await;
    let shown = page(&world, "/metrics").await;
    let known = names(shown.text());
    let rules = std::fs::read_to_string(rules().join("rules.yml")).unwrap();
    let is_name = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let words = rules.split(|c| !is_name(c)).filter(|word| word.starts_with("lienthong_"));
    let mut found = 0;
    for word in words {
        let measure = word.strip_suffix("_bucket").unwrap_or(word);
        assert!(known.contains(&measure), "`{word}` is no measure of the hub");
        found += 1;
    }
    assert!(found >= 10, "{found} measures are read");
}

#[test]
fn the_rules_hold_and_every_alert_says_what_to_do_in_both_languages() {
    promtool(&["check", "rules", "rules.yml"], "");
    promtool(&["test", "rules", "rules_test.yml"], "");
    let rules = std::fs::read_to_string(rules().join("rules.yml")).unwrap();
    let alerts: Vec<&str> = rules.split("- alert: ").skip(1).collect();
    assert!(alerts.len() >= 10, "{}", alerts.len());
    for alert in alerts {
        for key in ["summary:", "summary_vi:", "action:", "action_vi:"] {
            let said = alert.lines().find_map(|line| line.trim().strip_prefix(key));
            assert!(said.is_some_and(|said| said.trim().len() > 20), "{key} of {alert}");
        }
    }
}
