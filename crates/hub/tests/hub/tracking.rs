//! Explanations, cases, and what waits, through the wire.

use std::time::Duration;

use crate::harness::{World, code, document, next, reason, until};
use lienthong_client::{Explanation, NegativeAcknowledgement};
use lienthong_model::{Answer, Document, Reason, StatusCode};

fn kinds(explained: &Explanation) -> Vec<&str> {
    explained.events.iter().map(|event| event.kind.as_str()).collect()
}

#[tokio::test]
async fn a_document_is_explained_from_its_signature_to_what_it_waits_for() {
    let world = World::start().await;
    let client = world.client("H36").await;
    let document = document("H36", &["H36.12", "H34.40", "H01"]);
    client.submit(world.sealed(&document)).await.unwrap();
    let sector = world.client("H36.12").await;
    let mut subscription = sector.subscribe(&[], 8).await.unwrap();
    let delivery = next(&mut subscription).await;
    let acknowledger = subscription.acknowledger();
    acknowledger.acknowledge(&[delivery.key]).await.unwrap();
    let report = world.report("H36.12", ("H36", document.id), StatusCode::Refused, "Gửi nhầm");
    sector.report(report).await.unwrap();

    let explained = client.explain(&code("H36"), document.id, None).await.unwrap();
    let found = kinds(&explained);
    assert_eq!(found[..2], ["signed", "accepted"], "{explained:#?}");
    for kind in ["queued", "delivered", "reported"] {
        assert!(found.contains(&kind), "{kind} in {found:?}");
    }
    let signed = &explained.events[0];
    assert!(signed.why.en.contains("H36"), "{signed:?}");
    let refused = explained.events.iter().find(|event| event.kind == "reported").unwrap();
    assert_eq!((refused.why.vi.as_str(), refused.what.en.as_str()), ("Gửi nhầm", "02 refused"));
    let causes: Vec<(&str, String)> = explained
        .waits
        .iter()
        .map(|wait| (wait.cause.as_str(), wait.actor.as_ref().unwrap().to_string()))
        .collect();
    let expected =
        [("not_picked_up_by_gateway", "H34".to_owned()), ("not_connected", "H01".to_owned())];
    assert_eq!(causes.len(), 2);
    assert!(expected.iter().all(|one| causes.contains(one)), "{causes:?}");
    for wait in &explained.waits {
        assert!(!wait.remedy.vi.is_empty() && !wait.remedy.en.is_empty());
    }
    let progress = explained.progress.unwrap();
    assert_eq!((progress.recipients, progress.refused, progress.waiting), (3, 1, 2));
}

#[tokio::test]
async fn a_recipient_is_explained_its_own_part_and_a_stranger_nothing() {
    let world = World::start().await;
    let client = world.client("H36").await;
    let document = document("H36", &["H36.12", "H34"]);
    client.submit(world.sealed(&document)).await.unwrap();
    let own = world.client("H34").await.explain(&code("H36"), document.id, None).await.unwrap();
    assert_eq!(own.progress, None);
    let recipients = own.events.iter().filter_map(|event| event.recipient.as_ref());
    assert!(recipients.clone().count() > 0);
    assert!(recipients.into_iter().all(|recipient| *recipient == code("H34")));
    let other = world.client("H36.30").await.explain(&code("H36"), document.id, None).await;
    assert_eq!(reason(other), Reason::DocumentUnknown);
    let theirs = world.client("H34").await;
    let theirs = theirs.explain(&code("H36"), document.id, Some(&code("H36.12"))).await;
    assert_eq!(reason(theirs), Reason::DocumentUnknown);
}

#[tokio::test]
async fn a_negative_acknowledgement_is_the_cause_that_is_named() {
    let mut world = World::start().await;
    let client = world.client("H36").await;
    let document = document("H36", &["H34"]);
    client.submit(world.sealed(&document)).await.unwrap();
    let recipient = world.client("H34").await;
    let mut subscription = recipient.subscribe(&[code("H34")], 1).await.unwrap();
    let key = next(&mut subscription).await.key;
    let put_off = NegativeAcknowledgement {
        key,
        reason: "Ổ đĩa đầy".to_owned(),
        delay: Some(Duration::from_secs(600)),
    };
    subscription.acknowledger().negative_acknowledge(put_off).await.unwrap();
    let cause = async || {
        let explained = client.explain(&code("H36"), document.id, None).await.unwrap();
        explained.waits.first().cloned()
    };
    until("it is known", async || cause().await.is_some_and(|wait| wait.cause == "put_off")).await;
    // It is in the journal.
    world.restart().await;
    let wait = cause().await.unwrap();
    assert_eq!(wait.cause, "put_off");
    assert!(wait.why.vi.contains("Ổ đĩa đầy"), "{wait:?}");
    assert_eq!(wait.actor, Some(code("H34")));
}

#[tokio::test]
async fn whoever_was_refused_is_told_why_as_long_as_the_hub_has_it() {
    let mut world = World::start().await;
    let client = world.client("H36").await;
    let document = document("H36", &["H63", "H36.12"]);
    let refused = client.submit(world.sealed(&document)).await;
    assert_eq!(reason(refused), Reason::RecipientUnknown);
    world.restart().await;
    let explained = client.explain(&code("H36"), document.id, None).await.unwrap();
    assert_eq!(kinds(&explained), ["refused"]);
    assert_eq!(explained.position, None);
    let why = &explained.events[0].why;
    assert!(why.en.contains("recipients[0].code") && why.en.contains("H63"), "{why:?}");
    assert!(why.vi.contains("Cách xử lý"), "{why:?}");
    let other = world.client("H34").await.explain(&code("H36"), document.id, None).await;
    assert_eq!(reason(other), Reason::DocumentUnknown);
}

fn answering(from: &str, to: &[&str], answered: &Document) -> Document {
    let mut answer = document(from, to);
    answer.answers.push(Answer {
        document_code: format!("{}/{}", answered.number, answered.notation),
        code: lienthong_model::Written::code(answered.from.code.as_str()),
        date: answered.issued_on.clone(),
        reference: String::new(),
    });
    answer
}

#[tokio::test]
async fn a_case_is_followed_in_both_directions_as_far_as_the_caller_is_a_party() {
    let world = World::start().await;
    let question = document("H36", &["H34", "H36.12"]);
    let answer = answering("H34", &["H36"], &question);
    let thanks = answering("H36", &["H34"], &answer);
    // Between others, about the same question: not for H34.
    let aside = answering("H36.12", &["H36"], &question);
    for one in [&question, &answer, &thanks, &aside] {
        let sender = one.from.code.as_str();
        world.client(sender).await.submit(world.sealed(one)).await.unwrap();
    }
    let all = world.client("H36").await.thread(&code("H36"), thanks.id).await.unwrap();
    let ids: Vec<_> = all.documents.iter().map(|one| one.id).collect();
    assert_eq!(ids, [question.id, answer.id, thanks.id, aside.id]);
    assert_eq!(all.documents[1].answers, [all.documents[0].position]);
    assert_eq!(all.documents[2].answers, [all.documents[1].position]);
    for first in [&question, &answer, &thanks] {
        let sender = &first.from.code;
        let theirs = world.client("H34").await.thread(sender, first.id).await.unwrap();
        let ids: Vec<_> = theirs.documents.iter().map(|one| one.id).collect();
        assert_eq!(ids, [question.id, answer.id, thanks.id]);
    }
    let stranger = world.client("H36.30").await.thread(&code("H36"), question.id).await;
    assert_eq!(reason(stranger), Reason::DocumentUnknown);
    let sector = world.client("H36.12").await.thread(&code("H36.12"), aside.id).await.unwrap();
    let ids: Vec<_> = sector.documents.iter().map(|one| one.id).collect();
    assert_eq!(ids, [question.id, aside.id]);
}

#[tokio::test]
async fn what_waits_longest_is_listed_first_with_its_cause() {
    let world = World::start().await;
    let client = world.client("H36").await;
    let first = document("H36", &["H36.12", "H34"]);
    let second = document("H36", &["H34"]);
    for one in [&first, &second] {
        client.submit(world.sealed(one)).await.unwrap();
    }
    let theirs = world.client("H34").await;
    let received = theirs.waiting(&code("H34"), 10).await.unwrap().received;
    let ids: Vec<_> = received.iter().map(|one| one.id).collect();
    assert_eq!(ids, [first.id, second.id]);
    assert_eq!(received[0].wait.as_ref().unwrap().cause, "not_picked_up");
    let mut subscription = theirs.subscribe(&[code("H34")], 8).await.unwrap();
    let acknowledger = subscription.acknowledger();
    for _ in 0..2 {
        let key = next(&mut subscription).await.key;
        acknowledger.acknowledge(&[key]).await.unwrap();
    }
    let sent = client.waiting(&code("H36"), 10).await.unwrap().sent;
    let found: Vec<_> = sent.iter().map(|one| (one.id, one.recipients)).collect();
    assert_eq!(found, [(first.id, 1)]);
    assert_eq!(sent[0].wait.as_ref().unwrap().actor, Some(code("H36.12")));
    let other = client.waiting(&code("H34"), 10).await;
    assert_eq!(reason(other), Reason::CallerNotEntitled);
}
