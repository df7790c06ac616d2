//! `lienthong bench`: every kind of load, tiny. Figures are looked at only where they are counts.

use crate::process::{fail, json};

/// The figures of a run, which must have every document done.
fn measured(arguments: &[&str]) -> serde_json::Value {
    let all: Vec<&str> =
        ["bench", "run", "--rounds", "1"].iter().chain(arguments).copied().collect();
    json(&all)[0]["median"].clone()
}

#[test]
fn a_run_has_every_document_done_and_says_what_the_hub_and_the_disk_spent() {
    let round = measured(&["--documents", "40", "--in-flight", "8"]);
    assert_eq!(round["done"]["count"], 40, "{round}");
    assert_eq!(round["submitted"]["count"], 40);
    assert_eq!(round["delivered"]["count"], 0);
    assert!(round["hub"]["resident_bytes"].as_u64().unwrap() > 1 << 20, "{round}");
    assert!(round["journal"]["entries_per_block"].as_f64().unwrap() >= 1.0, "{round}");
    assert!(round["journal"]["syncs_per_second"].as_f64().unwrap() > 0.0, "{round}");
    assert!(round["disk"]["sync"]["count"].as_u64().unwrap() > 0, "{round}");
}

#[test]
fn documents_go_to_every_recipient_and_statuses_come_back() {
    let load = ["--work", "statuses", "--fan-out", "3", "--documents", "20"];
    let round = measured(&load);
    assert_eq!(round["delivered"]["count"], 60, "{round}");
    assert_eq!(round["done"]["count"], 20);
    // Six reports take more than the document, which has less than 2 KB.
    assert!(round["journal"]["bytes_per_document"].as_f64().unwrap() > 3_000.0, "{round}");
}

#[test]
fn an_open_rate_and_attachments_beside_and_uploaded_are_measured() {
    let round = measured(&["--way", "unary", "--rate", "200", "--documents", "40"]);
    assert_eq!(round["done"]["count"], 40, "{round}");
    for payload in ["1KiB", "2MiB"] {
        let round = measured(&["--work", "deliver", "--payload", payload, "--documents", "4"]);
        assert_eq!(round["delivered"]["count"], 4, "{payload}: {round}");
    }
}

#[test]
fn two_hubs_are_compared_in_turn() {
    let found = json(&["bench", "compare", "--rounds", "1", "--documents", "20"]);
    assert_eq!(found["hubs"].as_array().unwrap().len(), 2, "{found}");
    assert!(found["ratios"]["documents_per_second"].as_f64().unwrap() > 0.0, "{found}");
}

#[test]
fn a_flood_is_measured_and_the_others_beside_a_burden() {
    let flood = ["bench", "overload", "--seconds", "1", "--seconds-before", "1", "--window", "16"];
    let flooded = json(&flood);
    assert!(flooded["capacity"].as_f64().unwrap() > 0.0, "{flooded}");
    assert_eq!(flooded["declined"], flooded["told_when"], "{flooded}");
    for whom in ["dead", "large"] {
        let few = ["--count", "3", "--rounds", "1", "--documents", "20"];
        let fared = json(&[&["bench", "beside", whom][..], &few].concat());
        assert_eq!(fared["beside"][0]["count"], 20, "{whom}: {fared}");
    }
    let idle = json(&["bench", "beside", "idle", "--count", "10"]);
    assert_eq!(idle["mailboxes"], 10, "{idle}");
}

#[test]
fn what_is_out_of_bounds_is_refused_before_anything_starts() {
    for wrong in [["--documents", "0"], ["--fan-out", "1000"], ["--payload", "20GiB"]] {
        let said = fail(2, &["bench", "run", wrong[0], wrong[1]]);
        assert!(said.contains(wrong[0]), "{said}");
    }
    assert!(fail(2, &["bench", "run", "--hub", "https://127.0.0.1:1"]).contains("--hub-pki"));
    assert!(fail(2, &["bench", "compare", "--against-env", "x"]).contains("NAME=VALUE"));
}
