//! Large attachments over the real wire: uploaded, named, delivered by reference, downloaded.

use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use crate::harness::raw::{channel, refusal};
use crate::harness::{
    World, code, document, noise, payload_files, reason, settled, until, with_attachment, within,
};
use bytes::Bytes;
use lienthong_client::{
    AttachmentPlace, CallError, Client, DocumentCheck, FileDigest, Roots, SenderPolicy,
    TransferError,
};
use lienthong_hub::{Audit, StorageSettings};
use lienthong_ledger::UploadLimits;
use lienthong_model::limits::TRANSFER_CHUNK_BYTES_MAX;
use lienthong_model::{AttachmentEntry, Digest, Document, Reason};
use lienthong_wire::proto::transfer_service_client::TransferServiceClient;
use lienthong_wire::proto::{self, upload_request as asked};
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tonic::transport::Channel;
use tonic::{Code, Status, Streaming};

mod keeping;

const CHUNK: usize = 64 << 10;

/// A file on the client's side.
struct Source {
    _folder: tempfile::TempDir,
    path: PathBuf,
    bytes: Bytes,
    whole: FileDigest,
}

impl Source {
    fn of(bytes: Bytes) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("ban-do.pdf");
        std::fs::write(&path, &bytes).unwrap();
        let whole = FileDigest { size: bytes.len() as u64, sha256: Digest::of(&bytes) };
        Self { _folder: folder, path, bytes, whole }
    }

    /// A document that names it.
    fn named(&self, mut document: Document) -> Document {
        document.attachments.push(AttachmentEntry::of("cid:ban-do", "ban-do.pdf", &self.bytes));
        document
    }

    async fn upload(&self, client: &Client) {
        client.upload(&self.path, &self.whole, |_| ()).await.unwrap();
    }
}

async fn transfer(world: &World, agency: &str) -> TransferServiceClient<Channel> {
    TransferServiceClient::new(channel(world, agency).await)
}

fn place(document: &Document) -> AttachmentPlace {
    let content_id = document.attachments[0].content_id.clone();
    AttachmentPlace { sender: document.from.code.clone(), document: document.id, content_id }
}

fn refused(outcome: Result<(), TransferError>) -> Reason {
    match outcome {
        Err(TransferError::Call(error)) => error.refusal().expect("it is refused").reason,
        other => panic!("not refused: {other:?}"),
    }
}

/// An upload in the hands of the test.
struct Line {
    ask: mpsc::Sender<proto::UploadRequest>,
    answers: Streaming<proto::UploadResponse>,
}

impl Line {
    async fn open(raw: &mut TransferServiceClient<Channel>, whole: FileDigest) -> Self {
        let (ask, asking) = mpsc::channel(4);
        let sha256 = Bytes::copy_from_slice(whole.sha256.as_bytes());
        let open = asked::Request::Open(asked::Open { sha256, size: whole.size });
        ask.send(proto::UploadRequest { request: Some(open) }).await.unwrap();
        let answers = raw.upload(ReceiverStream::new(asking)).await.unwrap().into_inner();
        Self { ask, answers }
    }

    /// What the hub says next: bytes stored, complete.
    async fn next(&mut self) -> Result<(u64, bool), Status> {
        let answer = within("an answer", self.answers.message()).await?.expect("it says something");
        Ok((answer.stored, answer.complete))
    }

    /// The refusal that ends it, after whatever else is said.
    async fn end(&mut self) -> Reason {
        loop {
            match self.next().await {
                Ok((_, complete)) => assert!(!complete),
                Err(status) => return refusal(&status).reason,
            }
        }
    }

    async fn send(&self, offset: usize, bytes: Bytes) {
        let chunk = proto::AttachmentChunk { offset: offset as u64, content: bytes };
        let request = Some(asked::Request::Chunk(chunk));
        // A hub that has ended it takes nothing more.
        let _ = self.ask.send(proto::UploadRequest { request }).await;
    }

    async fn send_all(&self, bytes: &Bytes, from: usize) {
        for offset in (from..bytes.len()).step_by(CHUNK) {
            let end = (offset + CHUNK).min(bytes.len());
            self.send(offset, bytes.slice(offset..end)).await;
        }
    }
}

async fn stored(raw: &mut TransferServiceClient<Channel>, whole: FileDigest) -> (u64, bool) {
    let sha256 = Bytes::copy_from_slice(whole.sha256.as_bytes());
    let request = proto::GetUploadRequest { sha256, size: whole.size };
    let answer = raw.get_upload(request).await.unwrap().into_inner();
    (answer.stored, answer.complete)
}

#[tokio::test]
async fn an_attachment_of_many_pieces_reaches_every_recipient_byte_for_byte_from_one_copy() {
    let mut world = World::start().await;
    let source = Source::of(noise((5 << 20) + 3));
    let (sender, mut sent) = (world.client("H36").await, Vec::new());
    sender.upload(&source.path, &source.whole, |bytes| sent.push(bytes)).await.unwrap();
    assert!(sent.is_sorted() && sent.last() == Some(&source.whole.size), "{sent:?}");
    let recipients = ["H36.12", "H36.30", "H34.40"];
    let document = source.named(document("H36", &recipients));
    let (document, small) = with_attachment(document, noise(1_000));
    sender.submit(world.sealed_with(&document, vec![small.clone()])).await.unwrap();
    let check = check(&world);
    for (agency, node) in [("H36.12", "H36.12"), ("H36.30", "H36.30"), ("H34.40", "H34")] {
        let client = world.client(node).await;
        let delivery = client.pull(&code(agency), 1).await.unwrap().remove(0);
        assert_eq!(delivery.signed.attachments, std::slice::from_ref(&small));
        let checked = check.check(&delivery, &SenderPolicy::default()).unwrap();
        let [wanted] = checked.to_download.as_slice() else { panic!("{checked:?}") };
        assert_eq!((wanted.size, wanted.sha256), (source.whole.size, source.whole.sha256));
        let target = world.folder.path().join(agency);
        client.download(&place(&document), &source.whole, &target, |_| ()).await.unwrap();
        assert!(std::fs::read(&target).unwrap() == source.bytes);
        assert!(!world.folder.path().join(format!("{agency}.part")).exists());
    }
    settled(&world).await;
    let copies = |world: &World| {
        let shelves = (0..=u8::MAX).map(|shelf| format!("{shelf:02x}"));
        let all = shelves.flat_map(|shelf| payload_files(world, &shelf));
        let large = |path: &PathBuf| path.metadata().unwrap().len() == source.whole.size;
        all.filter(large).count()
    };
    assert_eq!(copies(&world), 1);
    assert_eq!(payload_files(&world, "uploads"), Vec::<PathBuf>::new(), "it has served");
    assert_eq!(payload_files(&world, "tmp"), Vec::<PathBuf>::new());
    // From a hub started anew, without its state, into a file that is there in part.
    world.stop().await.unwrap();
    std::fs::remove_dir_all(world.data().join("state")).unwrap();
    world.start_again().await;
    let target = world.folder.path().join("again");
    std::fs::write(world.folder.path().join("again.part"), &source.bytes[..1_000_000]).unwrap();
    let mut first = 0;
    let progress = |bytes: u64| first = if first == 0 { bytes } else { first };
    let client = world.client("H36.12").await;
    client.download(&place(&document), &source.whole, &target, progress).await.unwrap();
    assert!(first > 1_000_000, "the first piece ends at {first}");
    assert!(std::fs::read(&target).unwrap() == source.bytes);
}

fn check(world: &World) -> DocumentCheck {
    let roots = Roots::new([world.pki.root().certificate().der().clone()]).unwrap();
    DocumentCheck::new(&roots).unwrap()
}

#[tokio::test]
async fn an_upload_that_is_cut_goes_on_where_it_was_also_after_a_restart() {
    let mut world = World::start().await;
    let source = Source::of(noise(1 << 20));
    let mut raw = transfer(&world, "H36").await;
    let mut line = Line::open(&mut raw, source.whole).await;
    assert_eq!(line.next().await.unwrap(), (0, false));
    line.send(0, source.bytes.slice(..CHUNK)).await;
    line.send(CHUNK, source.bytes.slice(CHUNK..2 * CHUNK)).await;
    let half = 2 * CHUNK as u64;
    until("two pieces", async || stored(&mut raw.clone(), source.whole).await.0 == half).await;
    drop(line);
    let mut line = Line::open(&mut raw, source.whole).await;
    assert_eq!(line.next().await.unwrap(), (half, false));
    drop((line, raw));
    world.restart().await;
    let mut raw = transfer(&world, "H36").await;
    assert_eq!(stored(&mut raw, source.whole).await, (half, false));
    let mut sent = Vec::new();
    let client = world.client("H36").await;
    client.upload(&source.path, &source.whole, |bytes| sent.push(bytes)).await.unwrap();
    assert!(sent[0] > half, "{sent:?}");
    assert_eq!(stored(&mut raw, source.whole).await, (source.whole.size, true));
    // Once more: there is nothing left to send, and it may be named.
    source.upload(&client).await;
    let document = source.named(document("H36", &["H36.12"]));
    client.submit(world.sealed(&document)).await.unwrap();
}

#[tokio::test]
async fn bytes_with_another_digest_are_refused_and_nothing_of_them_stays() {
    let world = World::start().await;
    let source = Source::of(noise(300_000));
    let mut raw = transfer(&world, "H36").await;
    let mut line = Line::open(&mut raw, source.whole).await;
    line.send_all(&noise(300_000), 0).await;
    assert_eq!(line.end().await, Reason::UploadDigestWrong);
    assert_eq!(stored(&mut raw, source.whole).await, (0, false));
    assert_eq!(payload_files(&world, "uploads"), Vec::<PathBuf>::new());
    source.upload(&world.client("H36").await).await;
}

#[tokio::test]
async fn a_beginning_that_was_damaged_is_brought_anew_by_the_client_itself() {
    let world = World::start().await;
    let source = Source::of(noise(300_000));
    let mut raw = transfer(&world, "H36").await;
    let line = Line::open(&mut raw, source.whole).await;
    line.send(0, noise(CHUNK)).await;
    let there = (CHUNK as u64, false);
    until("a piece", async || stored(&mut raw.clone(), source.whole).await == there).await;
    drop(line);
    source.upload(&world.client("H36").await).await;
    assert_eq!(stored(&mut raw, source.whole).await, (source.whole.size, true));
    // A file that is not what it was said to be is the client's own fault.
    std::fs::write(&source.path, noise(300_000)).unwrap();
    let other = FileDigest { sha256: Digest::of(b"other"), ..source.whole };
    let outcome = world.client("H36").await.upload(&source.path, &other, |_| ()).await;
    assert!(matches!(outcome, Err(TransferError::Changed(_))), "{outcome:?}");
}

#[tokio::test]
async fn pieces_that_are_too_many_misplaced_or_too_large_are_refused_with_their_field() {
    let world = World::start().await;
    let bytes = noise(CHUNK);
    let whole = FileDigest { size: CHUNK as u64, sha256: Digest::of(&bytes) };
    let mut raw = transfer(&world, "H36").await;
    for (offset, piece, expected) in [
        (0, noise(CHUNK + 1), Reason::UploadMisplaced),
        (1, bytes.slice(1..), Reason::UploadMisplaced),
        (0, noise(TRANSFER_CHUNK_BYTES_MAX + 1), Reason::ContentTooLarge),
    ] {
        let mut line = Line::open(&mut raw, whole).await;
        line.send(offset, piece).await;
        assert_eq!(line.end().await, expected);
    }
    let open = |sha256: Bytes, size| {
        let open = asked::Request::Open(asked::Open { sha256, size });
        tokio_stream::once(proto::UploadRequest { request: Some(open) })
    };
    let digest = Bytes::copy_from_slice(&[7; 32]);
    let status = raw.upload(open(digest, (10 << 30) + 1)).await.unwrap_err();
    assert_eq!(refusal(&status).reason, Reason::ContentTooLarge);
    let status = raw.upload(open(Bytes::from_static(b"short"), 1)).await.unwrap_err();
    assert_eq!(refusal(&status).violations[0].field, "open.sha256");
}

#[tokio::test]
async fn a_newer_call_takes_an_upload_over_and_the_older_one_is_told() {
    let world = World::start().await;
    let source = Source::of(noise(300_000));
    let mut raw = transfer(&world, "H36").await;
    let mut first = Line::open(&mut raw, source.whole).await;
    assert_eq!(first.next().await.unwrap(), (0, false));
    let mut second = Line::open(&mut raw, source.whole).await;
    assert_eq!(second.next().await.unwrap(), (0, false));
    first.send(0, source.bytes.slice(..CHUNK)).await;
    assert_eq!(first.end().await, Reason::UploadMisplaced);
    second.send_all(&source.bytes, 0).await;
    loop {
        if second.next().await.unwrap().1 {
            break;
        }
    }
}

#[tokio::test]
async fn what_was_not_uploaded_by_the_caller_itself_cannot_be_named_and_nobody_learns_of_it() {
    let world = World::start().await;
    let source = Source::of(noise(300_000));
    let (owner, other) = (world.client("H36").await, world.client("H34").await);
    source.upload(&owner).await;
    let mut raw = transfer(&world, "H34").await;
    assert_eq!(stored(&mut raw, source.whole).await, (0, false));
    let theirs = source.named(document("H34", &["H34.05"]));
    let sealed = world.sealed(&theirs);
    let outcome = other.submit(sealed.clone()).await;
    let Err(CallError::Refused(refusal)) = outcome else { panic!("{outcome:?}") };
    assert_eq!(refusal.reason, Reason::AttachmentNotUploaded);
    let violation = &refusal.violations[0];
    assert_eq!((&*violation.field, &*violation.value), ("attachments[0]", "cid:ban-do"));
    let own = source.named(document("H36", &["H36.12"]));
    owner.submit(world.sealed(&own)).await.unwrap();
    settled(&world).await;
    assert_eq!(stored(&mut raw, source.whole).await, (0, false));
    assert_eq!(reason(other.submit(sealed.clone()).await), Reason::AttachmentNotUploaded);
    // The size is part of what is named.
    let mut wrong = source.named(document("H36", &["H36.12"]));
    source.upload(&owner).await;
    wrong.attachments[0].size += 1;
    assert_eq!(reason(owner.submit(world.sealed(&wrong)).await), Reason::AttachmentNotUploaded);
    // Whoever has the bytes brings them, and the refused document's id is not used up.
    source.upload(&other).await;
    other.submit(sealed).await.unwrap();
}

#[tokio::test]
async fn nobody_but_sender_and_recipients_downloads_and_the_others_learn_nothing() {
    let world = World::start().await;
    let source = Source::of(noise(300_000));
    let sender = world.client("H36").await;
    source.upload(&sender).await;
    let document = source.named(document("H36", &["H36.12", "H34.40"]));
    sender.submit(world.sealed(&document)).await.unwrap();
    let target = world.folder.path().join("target");
    // The district's gateway stands for it.
    for party in ["H36", "H36.12", "H34"] {
        let client = world.client(party).await;
        client.download(&place(&document), &source.whole, &target, |_| ()).await.unwrap();
        std::fs::remove_file(&target).unwrap();
    }
    let unknown = AttachmentPlace { document: crate::harness::new_id(), ..place(&document) };
    for (stranger, place) in [("H36.30", place(&document)), ("H36.12", unknown)] {
        let client = world.client(stranger).await;
        let outcome = client.download(&place, &source.whole, &target, |_| ()).await;
        assert_eq!(refused(outcome), Reason::DocumentUnknown, "{stranger}");
    }
    let mut raw = transfer(&world, "H36.12").await;
    let mut request = proto::DownloadRequest {
        sender: "H36".to_owned(),
        id: Bytes::copy_from_slice(document.id.as_bytes()),
        content_id: "cid:other".to_owned(),
        offset: 0,
    };
    let status = raw.download(request.clone()).await.unwrap_err();
    assert_eq!((status.code(), refusal(&status).reason), (Code::NotFound, Reason::DocumentUnknown));
    request.content_id = "cid:ban-do".to_owned();
    request.offset = source.whole.size + 1;
    let status = raw.download(request.clone()).await.unwrap_err();
    assert_eq!(refusal(&status).reason, Reason::FieldInvalid);
    request.offset = source.whole.size - 10;
    let mut pieces = raw.download(request).await.unwrap().into_inner();
    let piece = pieces.message().await.unwrap().unwrap().chunk.unwrap();
    assert_eq!(
        (piece.offset, piece.content),
        (source.whole.size - 10, source.bytes.slice(299_990..))
    );
    assert!(pieces.message().await.unwrap().is_none());
}

#[tokio::test]
async fn bytes_of_any_sort_pass_also_such_as_look_like_many_fields_of_a_message() {
    let world = World::start().await;
    let (sender, recipient) = (world.client("H36").await, world.client("H36.12").await);
    for byte in [0, 0x0a, 0xff] {
        let source = Source::of(vec![byte; 2 << 20].into());
        source.upload(&sender).await;
        let document = source.named(document("H36", &["H36.12"]));
        sender.submit(world.sealed(&document)).await.unwrap();
        let target = world.folder.path().join(byte.to_string());
        recipient.download(&place(&document), &source.whole, &target, |_| ()).await.unwrap();
        assert!(std::fs::read(&target).unwrap() == source.bytes);
    }
}

#[tokio::test]
async fn an_attachment_that_travelled_beside_its_document_can_be_downloaded_too() {
    let world = World::start().await;
    for size in [100, 500_000] {
        let (document, attachment) = with_attachment(document("H36", &["H36.12"]), noise(size));
        let sent = attachment.bytes.clone();
        let sealed = world.sealed_with(&document, vec![attachment]);
        world.client("H36").await.submit(sealed).await.unwrap();
        let whole = FileDigest { size: size as u64, sha256: Digest::of(&sent) };
        let target = world.folder.path().join(size.to_string());
        let client = world.client("H36.12").await;
        client.download(&place(&document), &whole, &target, |_| ()).await.unwrap();
        assert!(std::fs::read(&target).unwrap() == sent);
    }
}

#[tokio::test]
async fn a_payload_that_was_damaged_on_the_hubs_disk_is_told_and_never_taken() {
    let world = World::start().await;
    let source = Source::of(noise(600_000));
    let client = world.client("H36").await;
    source.upload(&client).await;
    let document = source.named(document("H36", &["H36.12"]));
    client.submit(world.sealed(&document)).await.unwrap();
    settled(&world).await;
    let hex = source.whole.sha256.to_string();
    let shelved = world.data().join("payloads").join(&hex[..2]).join(&hex[2..]);
    let mut bytes = source.bytes.to_vec();
    bytes[599_999] ^= 1;
    std::fs::write(&shelved, bytes).unwrap();
    let target = world.folder.path().join("target");
    let outcome = client.download(&place(&document), &source.whole, &target, |_| ()).await;
    assert_eq!(refused(outcome), Reason::StorageDamaged);
    // From the middle on the hub cannot tell; the recipient can.
    std::fs::write(target.with_extension("part"), &source.bytes[..300_000]).unwrap();
    let outcome = client.download(&place(&document), &source.whole, &target, |_| ()).await;
    assert!(outcome.is_err() && !target.exists(), "{outcome:?}");
}

#[tokio::test]
async fn an_upload_is_kept_after_a_refusal_and_a_repeated_document_needs_none() {
    let world = World::start().await;
    let source = Source::of(noise(300_000));
    let client = world.client("H36").await;
    source.upload(&client).await;
    let nowhere = source.named(document("H36", &["X99"]));
    assert_eq!(reason(client.submit(world.sealed(&nowhere)).await), Reason::RecipientUnknown);
    settled(&world).await;
    let document = source.named(document("H36", &["H36.12"]));
    let sealed = world.sealed(&document);
    let first = client.submit(sealed.clone()).await.unwrap();
    settled(&world).await;
    assert_eq!(payload_files(&world, "uploads"), Vec::<PathBuf>::new());
    let again = client.submit(sealed).await.unwrap();
    assert!(again.repeated && again.position == first.position);
}

#[tokio::test]
async fn payload_files_that_only_a_refused_document_named_are_removed() {
    let world = World::start().await;
    let client = world.client("H36").await;
    let bytes = noise(400_000);
    let (refused, attachment) = with_attachment(document("H36", &["X99"]), bytes.clone());
    let sealed = world.sealed_with(&refused, vec![attachment.clone()]);
    assert_eq!(reason(client.submit(sealed).await), Reason::RecipientUnknown);
    settled(&world).await;
    let hex = Digest::of(&bytes).to_string();
    let shelved = world.data().join("payloads").join(&hex[..2]).join(&hex[2..]);
    assert!(!shelved.exists());
    let (accepted, _) = with_attachment(document("H36", &["H36.12"]), bytes.clone());
    client.submit(world.sealed_with(&accepted, vec![attachment.clone()])).await.unwrap();
    settled(&world).await;
    assert!(std::fs::read(&shelved).unwrap() == bytes);
    // Refused again: what the accepted one names stays.
    let (refused, _) = with_attachment(document("H36", &["X99"]), bytes.clone());
    let sealed = world.sealed_with(&refused, vec![attachment]);
    assert_eq!(reason(client.submit(sealed).await), Reason::RecipientUnknown);
    settled(&world).await;
    assert!(shelved.exists());
}

#[tokio::test]
async fn an_audit_misses_an_uploaded_attachment_that_is_gone() {
    let mut world = World::start().await;
    let source = Source::of(noise(300_000));
    let client = world.client("H36").await;
    source.upload(&client).await;
    let document = source.named(document("H36", &["H36.12"]));
    client.submit(world.sealed(&document)).await.unwrap();
    settled(&world).await;
    world.stop().await.unwrap();
    let data = world.data();
    let found = || {
        let audit = Audit { data: &data, scratch: None, checkpoints: Vec::new(), redecide: false };
        let report = audit.run(|_, _| {}).unwrap();
        report.findings.iter().map(|finding| finding.kind.name()).collect::<Vec<_>>()
    };
    assert_eq!(found(), Vec::<&str>::new());
    let hex = source.whole.sha256.to_string();
    std::fs::remove_file(data.join("payloads").join(&hex[..2]).join(&hex[2..])).unwrap();
    assert_eq!(found(), ["PAYLOAD_MISSING"]);
}
