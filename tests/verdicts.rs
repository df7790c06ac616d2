//! A second opinion on hostile submissions: a thousand mutated ones, drawn at random, are judged by
//! the checker in Python (`examples/python`, on the library `cryptography`), which was written from
//! the documentation alone. It must come to the same verdict.
//!
//! Compared are the envelope, the fields that both read, signatures, certificates, chains, and what
//! follows from root, dates and holders. Where this hub refuses a field that Python does not look
//! at, the fields are left out on both sides, and the rest is still compared.
//!
//! ```text
//! LIENTHONG_VERDICT_SEED=7 LIENTHONG_VERDICTS=20000 cargo test --test verdicts -- --nocapture
//! ```

#![allow(dead_code, reason = "the hostile tests of `trust` use more of the modules")]

#[path = "../crates/trust/tests/hostile/bytes.rs"]
mod bytes_of;
#[path = "../crates/trust/tests/hostile/changes.rs"]
mod changes;
#[path = "../crates/trust/tests/hostile/corpus.rs"]
mod corpus;
mod python;
#[path = "../crates/trust/tests/hostile/stage.rs"]
mod stage;
#[path = "../crates/trust/tests/hostile/tree.rs"]
mod tree;

use std::collections::BTreeMap;
use std::io::Write as _;
use std::process::Stdio;
use std::sync::Arc;

use bytes::Bytes;
use lienthong_model::{
    Contents, Fingerprint, Header, Refusal, SignaturePolicy, SignedContent, StatusHeader, Timestamp,
};
use lienthong_trust::judge::{self, Anchors, Dates};
use lienthong_trust::{
    Authorities, AuthorityId, Certificate, Known, Rejected, Submission, Verified, Verifier,
};
use lienthong_wire::{DocumentContents, decode_message, proto, signed};
use python::{command, example, python};
use rand::SeedableRng as _;
use rand_chacha::ChaCha8Rng;
use serde_json::{Value, json};
use stage::{Case, Stage};

const SUBMISSIONS: usize = 1_000;

/// What the hub is known to trust.
struct Root(Arc<Certificate>);

impl Known for Root {
    fn certificate(&self, named: &Fingerprint) -> Option<Bytes> {
        (named == self.0.fingerprint()).then(|| self.0.der().clone())
    }

    fn authorities(&self) -> Arc<Authorities> {
        Arc::new(Authorities::new([self.0.clone()], |_| true))
    }
}

impl Anchors for Root {
    fn trusts(&self, root: &Fingerprint, _: Timestamp) -> bool {
        root == self.0.fingerprint()
    }

    fn revoked_at(&self, _: &AuthorityId, _: &[u8]) -> Option<Timestamp> {
        None
    }
}

/// Reads every content as one that was read before: what remains are the facts of its signatures.
struct Unread(Header);

impl Contents for Unread {
    fn document(&self, _: &str, _: &[u8]) -> Result<Header, Refusal> {
        Ok(self.0.clone())
    }

    fn status(&self, _: &str, _: &[u8]) -> Result<StatusHeader, Refusal> {
        unreachable!("only documents are judged")
    }
}

/// Our verdict, and whether the fields of the content are part of it.
fn verdict(request: &Bytes, root: &Arc<Certificate>, unread: &Header) -> (&'static str, bool) {
    let told = |refusal: Refusal, fields| (refusal.reason.code(), fields);
    let request: proto::SubmitDocumentRequest = match decode_message(request.clone()) {
        Ok(request) => request,
        Err(refusal) => return told(refusal, true),
    };
    let content = match signed::document_from_proto(request.document, request.attachments) {
        Ok(content) => content,
        Err(refusal) => return told(refusal, true),
    };
    if DocumentContents.document(&content.content_type, &content.content).is_err() {
        let content = SignedContent { attachments: Vec::new(), ..content };
        let unread = Verifier::new(Unread(unread.clone()), Root(root.clone()));
        return match unread.document(content) {
            Err(Rejected { refusal, .. }) => told(refusal, false),
            Ok(_) => ("FACTS HOLD", false),
        };
    }
    let facts = Verifier::new(DocumentContents, Root(root.clone())).document(content);
    let facts = match facts {
        Ok(facts) => Verified::into_inner(facts),
        Err(Rejected { refusal, .. }) => return told(refusal, true),
    };
    let Submission { header, signed } = facts;
    let dates = Dates { signed_at: header.signed_at, received_at: corpus::NOW };
    let trusted = Root(root.clone());
    let judged = judge::certificates(&signed.signers, &trusted, dates).and_then(|()| {
        let (agency, policy) = (header.sender.key(), SignaturePolicy::Required);
        let sender = judge::Sender { agency: &agency, gateway: None, policy, mandates: &[] };
        judge::holders(&signed.signers, sender, header.document_type, dates)
    });
    match judged {
        Ok(_) => ("ACCEPTED", true),
        Err(refusal) => told(refusal, true),
    }
}

/// What Python says of each.
fn second_opinions(lines: &str) -> Vec<String> {
    let mut opinion = command(python());
    opinion.arg(example().join("second_opinion.py")).stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut opinion = opinion.spawn().unwrap();
    let mut stdin = opinion.stdin.take().unwrap();
    let output = std::thread::scope(|scope| {
        scope.spawn(move || stdin.write_all(lines.as_bytes()).unwrap());
        opinion.wait_with_output().unwrap()
    });
    assert!(output.status.success(), "{}", output.status);
    String::from_utf8(output.stdout).unwrap().lines().map(ToOwned::to_owned).collect()
}

#[test]
fn an_independent_checker_comes_to_the_same_verdict_on_hostile_submissions() {
    let from = |name: &str| std::env::var(name).ok().map(|value| value.parse::<u64>().unwrap());
    let seed = from("LIENTHONG_VERDICT_SEED").unwrap_or_else(rand::random);
    let wanted = from("LIENTHONG_VERDICTS").map_or(SUBMISSIONS, |count| count as usize);
    println!("LIENTHONG_VERDICT_SEED={seed} LIENTHONG_VERDICTS={wanted}");
    let stage = Stage::new();
    let corpus = corpus::Corpus::new();
    let root = corpus.pki.root().certificate().clone();
    let original = &corpus.documents[0].signed;
    let unread = DocumentContents.document(&original.content_type, &original.content).unwrap();

    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let first = json!({ "root": hex::encode(root.der()), "received_ms": corpus::NOW.millis() });
    let (mut lines, mut ours) = (format!("{first}\n"), Vec::new());
    while ours.len() < wanted {
        let Case::Submission(request) = stage.case(&mut rng) else { continue };
        let (said, fields) = verdict(&request, &root, &unread);
        let line = json!({ "request": hex::encode(&request), "fields": fields });
        lines.push_str(&format!("{line}\n"));
        ours.push((said, request));
    }
    let theirs = second_opinions(&lines);
    assert_eq!(theirs.len(), ours.len());
    let mut tally: BTreeMap<&str, u64> = BTreeMap::new();
    let mut disagreements = Vec::new();
    for (number, ((said, request), answer)) in ours.iter().zip(&theirs).enumerate() {
        let answer: Value = serde_json::from_str(answer).unwrap();
        *tally.entry(said).or_default() += 1;
        if answer["verdict"] != *said {
            disagreements
                .push(format!("{number}: {said}, Python {answer}: {}", hex::encode(request)));
        }
    }
    for (verdict, count) in &tally {
        println!("{verdict:28} {count:6}");
    }
    println!("{} of {} verdicts differ", disagreements.len(), ours.len());
    let shown = disagreements.iter().take(20).cloned().collect::<Vec<_>>().join("\n");
    assert!(disagreements.is_empty(), "seed {seed}:\n{shown}");
}
