//! Handing over: receipts, repetition, refusals, payloads, and what is counted.

use crate::harness::raw::{exchange, refusal, request};
use crate::harness::{
    World, code, document, next, noise, now, reason, until, with_attachment, within,
};
use bytes::Bytes;
use lienthong_client::{Period, Route};
use lienthong_model::{AgencyCode, Reason, SignedContent};
use lienthong_wire::proto::{self, submit_documents_response::Outcome};
use tokio_stream::wrappers::ReceiverStream;
use tonic::Code;

#[tokio::test]
async fn the_receipt_says_where_the_document_is_and_how_each_recipient_is_reached() {
    let world = World::start().await;
    let document = document("H36", &["H36.12", "H34.40", "H01"]);
    let signed = world.sealed(&document);
    let before = now();
    let receipt = world.client("H36").await.submit(signed.clone()).await.unwrap();
    assert_eq!((receipt.sender, receipt.id), (code("H36"), document.id));
    assert!(!receipt.repeated && receipt.left_out.is_empty());
    assert!(before <= receipt.received_at && receipt.received_at <= now());
    let digest = lienthong_trust::dsse::content_digest(&signed.content_type, &signed.content);
    assert_eq!(receipt.sha256, digest);
    let mut routes: Vec<(AgencyCode, Route)> =
        receipt.routes.into_iter().map(|route| (route.code, route.route)).collect();
    routes.sort_by(|a, b| a.0.as_str().cmp(b.0.as_str()));
    let expected = [
        (code("H01"), Route::Held),
        (code("H34.40"), Route::Gateway(code("H34"))),
        (code("H36.12"), Route::OwnNode),
    ];
    assert_eq!(routes, expected);
}

#[tokio::test]
async fn the_same_document_again_brings_the_first_receipt_again_even_from_a_hub_started_anew() {
    let mut world = World::start().await;
    let client = world.client("H36").await;
    let (signed, other) = (world.letter("H36", &["H36.12"]), world.letter("H36", &["H36.12"]));
    let first = client.submit(signed.clone()).await.unwrap();
    client.submit(other).await.unwrap();
    let unary = client.submit(signed.clone()).await.unwrap();
    let streamed = client.submissions(4).submit(signed.clone()).await.unwrap();
    world.restart().await;
    let later = client.submit(signed.clone()).await.unwrap();
    world.stop().await.unwrap();
    std::fs::remove_dir_all(world.data().join("state")).unwrap();
    world.start_again().await;
    let rebuilt = client.submit(signed).await.unwrap();
    for again in [unary, streamed, later, rebuilt] {
        // The proof is made anew: by a later checkpoint.
        assert!(again.proof.is_some());
        let again = lienthong_client::Receipt { proof: first.proof.clone(), ..again };
        let expected = lienthong_client::Receipt { repeated: true, ..first.clone() };
        assert_eq!(again, expected);
    }
}

#[tokio::test]
async fn an_id_used_again_for_other_content_is_refused_for_ever() {
    let mut world = World::start().await;
    let client = world.client("H36").await;
    let mut document = document("H36", &["H36.12"]);
    let first = client.submit(world.sealed(&document)).await.unwrap();
    document.subject.push_str(" (sửa đổi)");
    let changed = world.sealed(&document);
    let status = exchange(&world, "H36").await.submit_document(request(changed.clone())).await;
    let status = status.unwrap_err();
    assert_eq!((status.code(), refusal(&status).reason), (Code::AlreadyExists, Reason::IdReused));
    world.restart().await;
    assert_eq!(reason(client.submit(changed).await), Reason::IdReused);
    let tracked = client.track(&code("H36"), document.id).await.unwrap();
    assert_eq!((tracked.position, tracked.sha256), (first.position, first.sha256));
    // Another sender's id is its own.
    let mut theirs = crate::harness::document("H34", &["H36"]);
    theirs.id = document.id;
    world.client("H34").await.submit(world.sealed(&theirs)).await.unwrap();
}

#[tokio::test]
async fn a_refused_document_does_not_use_up_its_id_and_the_refusal_names_it() {
    let world = World::start().await;
    let mut document = document("H36", &["H36.12", "H63"]);
    let mut raw = exchange(&world, "H36").await;
    let status = raw.submit_document(request(world.sealed(&document))).await.unwrap_err();
    let refusal = refusal(&status);
    assert_eq!((status.code(), refusal.reason), (Code::NotFound, Reason::RecipientUnknown));
    assert_eq!(refusal.violations[0].field, "recipients[1].code");
    assert_eq!(lienthong_wire::refusal::document_id(&status), Some(document.id));
    document.recipients.pop();
    let receipt = raw.submit_document(request(world.sealed(&document))).await.unwrap();
    assert!(!receipt.into_inner().receipt.unwrap().repeated);
}

#[tokio::test]
async fn mail_for_a_held_agency_waits_until_somebody_reads_it() {
    let mut world = World::start().await;
    let client = world.client("H36").await;
    let mut positions = Vec::new();
    for _ in 0..3 {
        let receipt = client.submit(world.letter("H36", &["H01"])).await.unwrap();
        assert_eq!(receipt.routes[0].route, Route::Held);
        positions.push(receipt.position);
    }
    world.restart().await;
    let mut subscription = world.client("H01").await.subscribe(&[], 8).await.unwrap();
    for position in positions {
        assert_eq!(next(&mut subscription).await.key.position, position);
    }
}

/// Submits a document and returns it as its recipient gets it.
async fn through(world: &World, signed: SignedContent) -> SignedContent {
    world.client("H36").await.submit(signed).await.unwrap();
    let mut subscription = world.client("H36.12").await.subscribe(&[], 1).await.unwrap();
    next(&mut subscription).await.signed
}

#[tokio::test]
async fn content_and_attachments_of_a_mebibyte_each_come_back_byte_for_byte() {
    let mut world = World::start().await;
    let (mut document, attachment) = with_attachment(document("H36", &["H36.12"]), noise(1 << 20));
    // As much as fits beside the other fields.
    document.extensions = (0..256)
        .map(|n| lienthong_model::Extension { path: format!("x/{n}"), text: "ữ".repeat(1_300) })
        .collect();
    let sent = world.sealed_with(&document, vec![attachment]);
    assert!(
        sent.content.len() > 990_000 && sent.content.len() <= 1 << 20,
        "{}",
        sent.content.len()
    );
    let received = through(&world, sent.clone()).await;
    assert_eq!(received.content, sent.content);
    assert_eq!(received.attachments, sent.attachments);
    assert_eq!(received.signatures, sent.signatures);
    let payloads = walk(&world.data().join("payloads"));
    assert!(payloads >= 2, "{payloads} payload files");
    // And from the disk alone.
    world.restart().await;
    let mut subscription = world.client("H36.12").await.subscribe(&[], 1).await.unwrap();
    assert_eq!(next(&mut subscription).await.signed, received);
}

fn walk(folder: &std::path::Path) -> usize {
    let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    entries.map(|path| if path.is_dir() { walk(&path) } else { 1 }).sum()
}

#[tokio::test]
async fn what_is_too_large_is_refused_with_the_bound() {
    let world = World::start().await;
    let client = world.client("H36").await;
    let (plain, attachment) = with_attachment(document("H36", &["H36.12"]), noise(2 << 20));
    let refused = client.submit(world.sealed_with(&plain, vec![attachment])).await.unwrap_err();
    let refusal = refused.refusal().unwrap();
    assert_eq!(refusal.reason, Reason::ContentTooLarge);
    assert!(refusal.violations[0].value.contains("1048576"), "{refusal}");
    let content = Bytes::from(vec![0; 2 << 20]);
    let seal = world.seal("H36");
    let large = lienthong_client::sign(lienthong_model::DOCUMENT_V1, content, vec![], &[&seal]);
    let refused = client.submit(large).await.unwrap_err();
    let refusal = refused.refusal().unwrap();
    assert_eq!(refusal.reason, Reason::ContentTooLarge);
    assert!(refusal.violations[0].value.contains("1048576"), "{refusal}");
}

#[tokio::test]
async fn a_changed_or_missing_attachment_is_refused_and_an_unsigned_change_too() {
    let world = World::start().await;
    let client = world.client("H36").await;
    let (document, attachment) = with_attachment(document("H36", &["H36.12"]), noise(100));
    let missing = world.sealed(&document);
    assert_eq!(reason(client.submit(missing).await), Reason::AttachmentNotUploaded);
    let mut changed = attachment.clone();
    changed.bytes = noise(100);
    let changed = world.sealed_with(&document, vec![changed]);
    assert_eq!(reason(client.submit(changed).await), Reason::AttachmentMismatch);
    let mut tampered = world.sealed_with(&document, vec![attachment.clone()]);
    let mut other = document.clone();
    other.subject.push('.');
    tampered.content = lienthong_wire::encode_document(&other);
    assert_eq!(reason(client.submit(tampered).await), Reason::SignatureInvalid);
    client.submit(world.sealed_with(&document, vec![attachment])).await.unwrap();
}

#[tokio::test]
async fn a_refusal_on_a_stream_is_an_answer_and_the_stream_goes_on() {
    let world = World::start().await;
    let mut raw = exchange(&world, "H36").await;
    let (send, sending) = tokio::sync::mpsc::channel(8);
    let mut answers =
        raw.submit_documents(ReceiverStream::new(sending)).await.unwrap().into_inner();
    for (correlation, to) in [(1, "H36.12"), (2, "H63"), (3, "H34")] {
        let proto::SubmitDocumentRequest { document, attachments } =
            request(world.letter("H36", &[to]));
        let request = proto::SubmitDocumentsRequest { correlation, document, attachments };
        send.send(request).await.unwrap();
        let answer = within("an answer", answers.message()).await.unwrap().unwrap();
        assert_eq!(answer.correlation, correlation);
        match (correlation, answer.outcome.unwrap()) {
            (2, Outcome::Refusal(refusal)) => assert_eq!(refusal.code, "RECIPIENT_UNKNOWN"),
            (1 | 3, Outcome::Receipt(receipt)) => assert!(!receipt.repeated),
            (_, other) => panic!("{other:?}"),
        }
    }
    let nonsense = proto::SubmitDocumentsRequest { correlation: 4, ..Default::default() };
    send.send(nonsense).await.unwrap();
    let answer = within("an answer", answers.message()).await.unwrap().unwrap();
    assert!(matches!(answer.outcome, Some(Outcome::Refusal(_))), "{answer:?}");
    drop(send);
    assert_eq!(within("the end", answers.message()).await.unwrap(), None);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn refusals_are_counted_to_the_last_one_however_many_come_in_a_second() {
    const EACH: usize = 300;
    let mut world = World::start().await;
    let (h36, h34) = (world.client("H36").await, world.client("H34").await);
    let (stream, other) = (h36.submissions(512), h34.submissions(512));
    let mut tampered = Vec::new();
    for number in 0..EACH {
        let mut signed = world.letter("H36", &["H36.12"]);
        signed.content = world.letter("H36", &["H36.12"]).content;
        tampered.push(stream.submit(signed));
        if number % 3 == 0 {
            tampered.push(stream.submit(world.letter("H36", &["H63"])));
        }
        tampered.push(other.submit(world.letter("H34.05", &["H36", "H63"])));
    }
    for outcome in futures_util::future::join_all(tampered).await {
        assert!(matches!(reason(outcome), Reason::SignatureInvalid | Reason::RecipientUnknown));
    }
    let expected = [("RECIPIENT_UNKNOWN", EACH / 3 + EACH), ("SIGNATURE_INVALID", EACH)];
    let counted = async || {
        let refusals = h36.refusals(Period::default()).await.unwrap();
        let by_province: u64 =
            refusals.provinces.iter().flat_map(|p| &p.refusals).map(|one| one.count).sum();
        let total: u64 = refusals.total.iter().map(|one| one.count).sum();
        assert_eq!(by_province, total, "provinces and total agree at every moment");
        let mut found: Vec<(String, usize)> =
            refusals.total.into_iter().map(|one| (one.code, one.count as usize)).collect();
        found.sort();
        found
    };
    let expected: Vec<_> = expected.map(|(code, count)| (code.to_owned(), count)).into();
    until("every refusal in the statistics", async || counted().await == expected).await;
    world.restart().await;
    assert_eq!(counted().await, expected);
    assert_eq!(h36.volumes(Period::default()).await.unwrap().totals.sent, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn refusals_are_counted_within_seconds_although_the_hub_is_never_idle() {
    const REFUSED: u64 = 60;
    let world = World::start().await;
    let (busy, refused) = (world.client("H34").await, world.client("H36").await);
    let letters: Vec<_> = (0..REFUSED).map(|_| world.letter("H36", &["H63"])).collect();
    let submitted = letters.into_iter().map(|letter| refused.submit(letter));
    for outcome in futures_util::future::join_all(submitted).await {
        assert_eq!(reason(outcome), Reason::RecipientUnknown);
    }
    // From here on nobody is refused, and there is a document in every moment.
    until("every refusal in the statistics", async || {
        busy.submit(world.letter("H34", &["H36"])).await.unwrap();
        let refusals = busy.refusals(Period::default()).await.unwrap();
        let counted = refusals.total.iter().map(|one| one.count).sum::<u64>();
        assert!(counted <= REFUSED);
        counted == REFUSED
    })
    .await;
}
