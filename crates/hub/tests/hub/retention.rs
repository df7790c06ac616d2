//! Contents are kept for a term and records for ever: over the real wire, across restarts, in audits
//! and backups.

use std::path::PathBuf;
use std::time::Duration;

use bytes::Bytes;
use lienthong_client::Receipt;
use lienthong_core::{Command, RevocationPolicy};
use lienthong_hub::{
    Audit, AuditReport, Backup, Clock, Redecided, Restore, Settings, check_backup,
};
use lienthong_model::{Digest, Document, MessageId, Reason, SignedContent, Terms, Timestamp};
use lienthong_wire::proto;
use lienthong_wire::proto::transfer_service_client::TransferServiceClient;
use tonic::Status;

use crate::harness::raw::{channel, refusal};
use crate::harness::{
    World, code, days, document, next, noise, now, settled, until, with_attachment, within,
};

const KEPT_DAYS: u64 = 130;

/// A hub that keeps contents for a term, with a document that was picked up.
struct Archive {
    world: World,
    named: Document,
    signed: SignedContent,
    receipt: Receipt,
    file: PathBuf,
}

fn term() -> Command {
    let keep_content_ms = Some(KEPT_DAYS * 24 * 3_600_000);
    Command::SetTerms(Terms { keep_content_ms, ..Terms::default() })
}

/// Looks for what has expired all the time.
fn look_often(settings: &mut Settings) {
    settings.storage.uploads.kept = Duration::from_millis(20);
}

fn shelved(world: &World, bytes: &Bytes) -> PathBuf {
    let hex = Digest::of(bytes).to_string();
    world.data().join("payloads").join(&hex[..2]).join(&hex[2..])
}

/// The same document, written at another moment.
fn redated(document: Document, at: Timestamp) -> Document {
    Document { id: MessageId::new(at, rand::random()), signed_at: at, ..document }
}

/// Sends a document with a file of so many bytes from H36 to H36.12.
async fn send(world: &World, bytes: usize) -> (Document, SignedContent, Receipt, PathBuf) {
    let bytes = noise(bytes);
    let (named, attachment) = with_attachment(document("H36", &["H36.12"]), bytes.clone());
    let signed = world.sealed_with(&named, vec![attachment]);
    let receipt = world.client("H36").await.submit(signed.clone()).await.unwrap();
    settled(world).await;
    (named, signed, receipt, shelved(world, &bytes))
}

impl Archive {
    async fn start() -> Self {
        Self::start_with(100_000).await
    }

    async fn start_with(bytes: usize) -> Self {
        let world = World::start_with(look_often).await;
        world.hub().administer(term()).await.unwrap();
        // The test's lists are not published anew on the hub's later days.
        let marked = RevocationPolicy { grace_ms: None };
        world.hub().administer(Command::SetRevocationPolicy(marked)).await.unwrap();
        let (named, signed, receipt, file) = send(&world, bytes).await;
        let recipient = world.client("H36.12").await;
        let mut mailbox = recipient.subscribe(&[], 1).await.unwrap();
        let delivery = next(&mut mailbox).await;
        mailbox.acknowledge(std::slice::from_ref(&delivery.key)).await.unwrap();
        Self { world, named, signed, receipt, file }
    }

    /// The same hub, so many days later, with a block of that day.
    async fn later(&mut self, later: u64) {
        self.world.stop().await.unwrap();
        let change = |settings: &mut Settings| {
            look_often(settings);
            settings.clock = Clock::Scenario { start: now().plus(days(later)), rate: 1.0 };
        };
        self.world.start_again_with(change).await;
        self.world.hub().administer(term()).await.unwrap();
    }

    async fn expire(&mut self) {
        self.later(KEPT_DAYS + 2).await;
        until("the content to go", async || !self.file.exists()).await;
    }

    async fn download(&self) -> Result<usize, Status> {
        let mut raw = TransferServiceClient::new(channel(&self.world, "H36").await);
        let id = Bytes::copy_from_slice(self.named.id.as_bytes());
        let content_id = self.named.attachments[0].content_id.clone();
        let wanted = proto::DownloadRequest { sender: "H36".to_owned(), id, content_id, offset: 0 };
        let mut pieces = raw.download(wanted).await?.into_inner();
        let mut bytes = 0;
        while let Some(piece) = within("a piece", pieces.message()).await? {
            bytes += piece.chunk.unwrap_or_default().content.len();
        }
        Ok(bytes)
    }

    /// Sends a document of the hub's day; returns its file.
    async fn send_today(&self) -> PathBuf {
        let (bytes, client) = (noise(100_000), self.world.client("H36").await);
        let (named, attachment) = with_attachment(document("H36", &["H36.12"]), bytes.clone());
        let named = redated(named, client.now());
        client.submit(self.world.sealed_with(&named, vec![attachment])).await.unwrap();
        settled(&self.world).await;
        shelved(&self.world, &bytes)
    }

    /// Whether bytes stand in any file of the journal.
    fn journal_holds(&self, bytes: &[u8]) -> bool {
        let files = std::fs::read_dir(self.world.data().join("journal")).unwrap();
        files.map(|file| std::fs::read(file.unwrap().path()).unwrap()).any(|file| {
            // Nothing that is noise becomes smaller when it is archived.
            file.windows(bytes.len()).any(|window| window == bytes)
        })
    }

    fn audit(&self) -> AuditReport {
        let scratch = tempfile::tempdir().unwrap();
        let (data, scratch) = (&self.world.data(), Some(scratch.path()));
        Audit { data, scratch, checkpoints: Vec::new(), redecide: true }.run(|_, _| {}).unwrap()
    }
}

/// The answer to a download of a content that is kept no longer.
pub async fn expired_download() -> Status {
    let mut archive = Archive::start().await;
    archive.expire().await;
    archive.download().await.unwrap_err()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_content_goes_after_its_term_and_what_is_known_of_the_document_stays() {
    let mut archive = Archive::start().await;
    archive.later(KEPT_DAYS - 1).await;
    assert_eq!(archive.download().await.unwrap(), 100_000);
    archive.expire().await;
    let refused = refusal(&archive.download().await.unwrap_err());
    assert_eq!(refused.reason, Reason::ContentExpired, "{refused}");
    let client = archive.world.client("H36").await;
    let again = client.submit(archive.signed.clone()).await.unwrap();
    assert_eq!(again.position, archive.receipt.position, "the first receipt, for ever");
    let tracked = client.track(&code("H36"), archive.named.id).await.unwrap();
    assert_eq!(tracked.deliveries.len(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_lies_in_the_journal_goes_after_its_term_too() {
    let mut archive = Archive::start_with(5_000).await;
    let attachment = archive.signed.attachments[0].bytes.clone();
    assert!(!archive.file.exists(), "it lies in the journal");
    archive.later(KEPT_DAYS - 1).await;
    assert_eq!(archive.download().await.unwrap(), 5_000);
    assert!(archive.journal_holds(&attachment[..64]));
    archive.later(KEPT_DAYS + 2).await;
    until("the content to go", async || !archive.journal_holds(&attachment[..64])).await;
    let refused = refusal(&archive.download().await.unwrap_err());
    assert_eq!(refused.reason, Reason::ContentExpired, "{refused}");
    let client = archive.world.client("H36").await;
    let again = client.submit(archive.signed.clone()).await.unwrap();
    assert_eq!(again.position, archive.receipt.position, "the first receipt, for ever");
    archive.world.stop().await.unwrap();
    let report = archive.audit();
    assert_eq!((report.findings, report.contents_expired), (Vec::new(), 2));
    let Some(Redecided::Same { taken_over, .. }) = report.redecided else {
        panic!("{:?}", report.redecided)
    };
    assert_eq!(taken_over, 1, "the block whose content is gone");
    let backup = tempfile::tempdir().unwrap();
    let taking =
        Backup { data: &archive.world.data(), to: backup.path(), with_key: true, now: now() };
    assert_eq!(taking.take(|_, _| {}).unwrap().contents_expired, 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_content_that_waits_in_a_mailbox_is_kept_until_it_is_picked_up() {
    let mut archive = Archive::start().await;
    let (_, signed, _, waits) = send(&archive.world, 100_000).await;
    archive.expire().await;
    assert!(waits.exists());
    let recipient = archive.world.client("H36.12").await;
    let mut mailbox = recipient.subscribe(&[], 1).await.unwrap();
    let delivery = next(&mut mailbox).await;
    assert_eq!(delivery.signed.attachments, signed.attachments);
    mailbox.acknowledge(std::slice::from_ref(&delivery.key)).await.unwrap();
    until("the content to go", async || !waits.exists()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_file_is_back_when_a_new_document_names_it() {
    let mut archive = Archive::start().await;
    archive.expire().await;
    let attachments = archive.signed.attachments.clone();
    let client = archive.world.client("H36").await;
    let named = redated(archive.named.clone(), client.now());
    client.submit(archive.world.sealed_with(&named, attachments)).await.unwrap();
    assert_eq!(archive.download().await.unwrap(), 100_000, "the file is kept for the new one");
    settled(&archive.world).await;
    assert!(archive.file.exists());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn audits_and_backups_tell_what_has_expired_from_what_is_lost() {
    let mut archive = Archive::start().await;
    archive.expire().await;
    let young = archive.send_today().await;
    archive.world.stop().await.unwrap();
    let report = archive.audit();
    assert_eq!(report.findings, []);
    // The content and its attachment.
    assert_eq!(report.contents_expired, 2);
    let Some(Redecided::Same { taken_over, .. }) = report.redecided else {
        panic!("{:?}", report.redecided)
    };
    assert_eq!(taken_over, 1, "the block whose content is gone");

    let (backup, copy) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let data = &archive.world.data();
    let taking = |to| Backup { data, to, with_key: true, now: now() }.take(|_, _| {});
    let taken = taking(backup.path()).unwrap();
    assert_eq!(taken.contents_expired, 2);
    let checked = check_backup(backup.path(), None, |_, _| {}).unwrap();
    assert_eq!(checked.audit.findings, []);
    Restore { from: backup.path(), to: &copy.path().join("data"), key: None }.run(|_| {}).unwrap();

    std::fs::remove_file(young).unwrap();
    let report = archive.audit();
    assert_eq!(report.findings.len(), 1);
    assert_eq!(report.findings[0].kind.name(), "PAYLOAD_MISSING");
    let other = tempfile::tempdir().unwrap();
    let lost = taking(other.path()).unwrap_err().to_string();
    assert!(lost.contains("it is missing"), "{lost}");
}
