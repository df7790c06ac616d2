//! Evidence: what receipts, checkpoints and proofs show to whoever has the key of the log and
//! nothing else; also to Go's implementation of transparency logs, where it is installed.

use std::io::Write as _;
use std::process::{Command, Stdio};

use crate::harness::{World, code, document, reason};
use lienthong_client::{Client, LogProof, Receipt, Unproven};
use lienthong_model::{Digest, Reason, SignedContent, StatusCode};
use lienthong_trust::merkle::entry::{LeafEntry, LeafKind};
use lienthong_trust::merkle::{ProofError, verify_consistency};
use lienthong_trust::{Checkpoint, NoteKey, dsse};

async fn log_key(client: &Client) -> NoteKey {
    NoteKey::parse(&client.checkpoint().await.unwrap().key).unwrap()
}

async fn newest(client: &Client, key: &NoteKey) -> Checkpoint {
    Checkpoint::open(&client.checkpoint().await.unwrap().checkpoint, key).unwrap()
}

/// Submits documents and returns them with their receipts.
async fn submitted(world: &World, client: &Client, count: usize) -> Vec<(SignedContent, Receipt)> {
    let submissions = client.submissions(64);
    let mut all = Vec::new();
    for _ in 0..count {
        let letter = world.letter("H36", &["H36.12"]);
        all.push((letter.clone(), submissions.submit(letter).await.unwrap()));
    }
    all
}

#[tokio::test]
async fn every_receipt_proves_its_document_or_report() {
    let world = World::start().await;
    let client = world.client("H36").await;
    let key = log_key(&client).await;
    assert_eq!(newest(&client, &key).await.size, 0);
    for (sent, receipt) in submitted(&world, &client, 20).await {
        let checkpoint = receipt.prove(&sent, &key).unwrap();
        assert!(checkpoint.size > receipt.position.0);
        let again = client.submit(sent.clone()).await.unwrap();
        assert!(again.repeated);
        again.prove(&sent, &key).unwrap();
    }
    let letter = document("H36", &["H36.12"]);
    client.submit(world.sealed(&letter)).await.unwrap();
    let report = world.report("H36.12", ("H36", letter.id), StatusCode::Accepted, "");
    let recipient = world.client("H36.12").await;
    let receipt = recipient.report(report.clone()).await.unwrap();
    receipt.prove(&report, &key).unwrap();
    recipient.report(report.clone()).await.unwrap().prove(&report, &key).unwrap();
    assert_eq!(newest(&client, &key).await.size, 22);
}

#[tokio::test]
async fn a_receipt_with_a_changed_part_proves_nothing() {
    let world = World::start().await;
    let client = world.client("H36").await;
    let key = log_key(&client).await;
    let all = submitted(&world, &client, 3).await;
    let (sent, receipt) = all.last().unwrap();
    receipt.prove(sent, &key).unwrap();
    let mut later = receipt.clone();
    later.received_at = later.received_at.plus(std::time::Duration::from_millis(1));
    assert_eq!(later.prove(sent, &key), Err(Unproven::Proof(ProofError::Root)));
    let mut unsigned = sent.clone();
    unsigned.signatures.clear();
    assert_eq!(receipt.prove(&unsigned, &key), Err(Unproven::Proof(ProofError::Root)));
    let other = receipt.prove(&all[0].0, &key);
    assert!(matches!(other, Err(Unproven::Content { .. })), "{other:?}");
    let missing = Receipt { proof: None, ..receipt.clone() };
    assert_eq!(missing.prove(sent, &key), Err(Unproven::Missing));
    let forged = LogProof {
        checkpoint: receipt.proof.as_ref().unwrap().checkpoint.replace("\n3\n", "\n4\n"),
        ..receipt.proof.clone().unwrap()
    };
    let forged = Receipt { proof: Some(forged), ..receipt.clone() };
    assert!(matches!(forged.prove(sent, &key), Err(Unproven::Checkpoint(_))));
}

#[tokio::test]
async fn the_log_goes_on_after_a_restart_and_after_the_state_is_rebuilt() {
    let mut world = World::start().await;
    let client = world.client("H36").await;
    let key = log_key(&client).await;
    let first = submitted(&world, &client, 5).await;
    let before = client.checkpoint().await.unwrap();
    world.restart().await;
    assert_eq!(client.checkpoint().await.unwrap(), before);
    world.stop().await.unwrap();
    std::fs::remove_dir_all(world.data().join("state")).unwrap();
    world.start_again().await;
    assert_eq!(client.checkpoint().await.unwrap(), before);
    submitted(&world, &client, 300).await;
    let before = Checkpoint::open(&before.checkpoint, &key).unwrap();
    let proof = client.consistency(before.size, None).await.unwrap();
    let now = Checkpoint::open(&proof.checkpoint, &key).unwrap();
    assert_eq!((now.size, proof.second), (305, 305));
    let (old, new) = ((before.size, &before.root), (now.size, &now.root));
    assert_eq!(verify_consistency(old, new, &proof.hashes), Ok(()));
    for (sent, receipt) in first {
        receipt.prove(&sent, &key).unwrap();
        let proof = client.inclusion(receipt.position.0).await.unwrap();
        Receipt { proof: Some(proof), ..receipt }.prove(&sent, &key).unwrap();
    }
}

#[tokio::test]
async fn what_the_log_does_not_have_is_refused() {
    let world = World::start().await;
    let client = world.client("H36").await;
    submitted(&world, &client, 2).await;
    assert_eq!(reason(client.inclusion(2).await), Reason::FieldInvalid);
    assert_eq!(reason(client.consistency(1, Some(3)).await), Reason::FieldInvalid);
    assert_eq!(reason(client.consistency(3, None).await), Reason::FieldInvalid);
    assert!(client.consistency(0, Some(1)).await.unwrap().hashes.is_empty());
}

#[tokio::test]
async fn every_receipt_and_the_consistency_hold_for_gos_implementation() {
    let Some(checker) = GoChecker::build() else {
        assert!(std::env::var_os("CI").is_none(), "CI needs Go; scripts/test installs it");
        eprintln!("skipped: no Go with golang.org/x/mod/sumdb (Debian: golang-golang-x-mod-dev)");
        return;
    };
    let world = World::start().await;
    let client = world.client("H36").await;
    let key = log_key(&client).await;
    let mut earlier: Vec<String> = Vec::new();
    for (sent, receipt) in submitted(&world, &client, 9).await {
        let proof = receipt.proof.clone().unwrap();
        let entry = LeafEntry {
            kind: LeafKind::Document,
            time: receipt.received_at,
            content: receipt.sha256,
            signatures: dsse::signatures_digest(&sent.signatures),
        };
        let position = receipt.position.0;
        let mut entry = entry.to_bytes();
        let about = |entry: &[u8]| format!(r#""position":{position},"entry":"{}""#, hex(entry));
        assert_eq!(checker.ask(&key, &proof, &about(&entry)), "holds");
        entry[5] ^= 1;
        assert_ne!(checker.ask(&key, &proof, &about(&entry)), "holds");
        earlier.push(proof.checkpoint);
    }
    for (first, checkpoint) in (1..).zip(&earlier) {
        let proof = client.consistency(first, None).await.unwrap();
        let proof = LogProof { checkpoint: proof.checkpoint, hashes: proof.hashes };
        let about = format!(r#""earlier":{checkpoint:?}"#);
        assert_eq!(checker.ask(&key, &proof, &about), "holds", "{first}");
        let mut spoilt = proof.clone();
        spoilt.hashes.push(Digest([1; 32]));
        assert_ne!(checker.ask(&key, &spoilt, &about), "holds", "{first}");
    }
}

#[tokio::test]
async fn the_tiles_over_http_are_a_log_for_gos_implementation() {
    let Some(checker) = GoChecker::build() else {
        assert!(std::env::var_os("CI").is_none(), "CI needs Go; scripts/test installs it");
        eprintln!("skipped: no Go with golang.org/x/mod/sumdb (Debian: golang-golang-x-mod-dev)");
        return;
    };
    let world = World::start().await;
    let client = world.client("H36").await;
    let key = log_key(&client).await;
    submitted(&world, &client, 9).await;
    let earlier = client.checkpoint().await.unwrap().checkpoint;
    let stream = client.submissions(256);
    let letters: Vec<_> = (0..600).map(|_| world.letter("H36", &["H36.12"])).collect();
    let sending = letters.into_iter().map(|letter| stream.submit(letter));
    futures_util::future::join_all(sending).await.into_iter().for_each(|sent| drop(sent.unwrap()));
    let checkpoint = client.checkpoint().await.unwrap().checkpoint;
    let address = format!("http://{}", world.hub().http_address().unwrap());
    let input = format!(
        r#"{{"key":{:?},"checkpoint":{checkpoint:?},"earlier":{earlier:?},"tiles":{address:?}}}"#,
        key.to_string()
    );
    let checking = tokio::task::spawn_blocking(move || checker.say(&input));
    assert_eq!(checking.await.unwrap(), "holds");
}

#[tokio::test]
async fn a_leaf_is_found_by_its_id_for_those_who_may_track_it_and_for_nobody_else() {
    let world = World::start().await;
    let (sender, recipient) = (world.client("H36").await, world.client("H36.12").await);
    let key = log_key(&sender).await;
    let letter = document("H36", &["H36.12"]);
    let receipt = sender.submit(world.sealed(&letter)).await.unwrap();
    let report = world.report("H36.12", ("H36", letter.id), StatusCode::Accepted, "");
    let reported = recipient.report(report).await.unwrap();
    submitted(&world, &sender, 5).await;
    for client in [&sender, &recipient] {
        let leaf = client.leaf(&code("H36"), letter.id).await.unwrap();
        let checkpoint = leaf.proof.check(&leaf.entry.hash(), leaf.position, &key).unwrap();
        assert_eq!((leaf.position, checkpoint.size), (receipt.position.0, 7));
        let LeafEntry { kind, time, content, .. } = leaf.entry;
        assert_eq!(kind, LeafKind::Document);
        assert_eq!((time, content), (receipt.received_at, receipt.sha256));
    }
    let leaf = recipient.leaf(&code("H36.12"), reported.id).await.unwrap();
    assert_eq!((leaf.entry.kind, leaf.entry.time), (LeafKind::Report, reported.received_at));
    assert_eq!((leaf.position, leaf.entry.content), (reported.position.0, reported.sha256));
    let stranger = world.client("G22").await;
    for (client, from, id) in [
        (&stranger, "H36", letter.id),
        (&stranger, "H36.12", reported.id),
        (&sender, "H36.12", reported.id),
        (&sender, "H36", crate::harness::new_id()),
        (&sender, "H99", letter.id),
    ] {
        assert_eq!(reason(client.leaf(&code(from), id).await), Reason::DocumentUnknown);
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// `examples/go/check.go`, built.
struct GoChecker {
    folder: tempfile::TempDir,
}

impl GoChecker {
    /// `None` where Go or the package is not installed.
    fn build() -> Option<Self> {
        let folder = tempfile::tempdir().unwrap();
        let source = concat!(env!("CARGO_MANIFEST_DIR"), "/../../examples/go/check.go");
        let mut go = Command::new("go");
        go.args(["build", "-o"]).arg(folder.path().join("check")).arg(source);
        // Debian installs Go packages below this folder, for builds without modules.
        go.env("GO111MODULE", "off").env("GOPATH", "/usr/share/gocode");
        go.env("GOCACHE", folder.path().join("cache")).stdin(Stdio::null());
        let output = go.output().ok()?;
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success() || said.contains("cannot find package"), "{said}");
        output.status.success().then_some(Self { folder })
    }

    /// What it says of a proof.
    fn ask(&self, key: &NoteKey, proof: &LogProof, about: &str) -> String {
        let hashes: Vec<_> = proof.hashes.iter().map(|hash| hex(hash.as_bytes())).collect();
        let (key, checkpoint) = (key.to_string(), &proof.checkpoint);
        let input =
            format!(r#"{{"key":{key:?},"checkpoint":{checkpoint:?},{about},"proof":{hashes:?}}}"#);
        self.say(&input)
    }

    /// What it says of an input.
    fn say(&self, input: &str) -> String {
        let mut check = Command::new(self.folder.path().join("check"));
        let check = check.stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut check = check.spawn().unwrap();
        check.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
        let output = check.wait_with_output().unwrap();
        String::from_utf8(output.stdout).unwrap().trim_end().to_owned()
    }
}
