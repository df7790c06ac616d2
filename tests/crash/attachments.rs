//! A hub that dies while an attachment comes, while the document that names it is decided, and while
//! its payload is put on its shelf.

use std::path::{Path, PathBuf};
use std::time::Duration;

use lienthong_client::{AttachmentPlace, Client, FileDigest, sign_document};
use lienthong_model::{AttachmentEntry, Document, MessageId};
use lienthong_simulator::crash::{Child, Death, Ground, PATIENCE, code, directory, now};
use rand::{RngExt as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;
use tokio::sync::watch;

/// Large enough for several syncs on the way.
const SIZE: usize = 20 << 20;
/// How long the client tries: longer than the test.
const FOR_EVER: Duration = Duration::from_secs(600);

/// A client with a file to send.
struct Sender {
    client: Client,
    path: PathBuf,
    whole: FileDigest,
}

impl Sender {
    async fn new(ground: &Ground, seed: u64) -> Self {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let bytes: Vec<u8> = (0..SIZE).map(|_| rng.random()).collect();
        let path = ground.beside("sent");
        std::fs::write(&path, &bytes).unwrap();
        let whole = FileDigest::of(&path, |_| ()).await.unwrap();
        Self { client: ground.client("H36", FOR_EVER).await.unwrap(), path, whole }
    }

    /// Uploads in a task; what it has sent is told.
    fn upload(&self) -> (tokio::task::JoinHandle<()>, watch::Receiver<u64>) {
        let (client, path, whole) = (self.client.clone(), self.path.clone(), self.whole);
        let (told, sent) = watch::channel(0);
        let upload = tokio::spawn(async move {
            client.upload(&path, &whole, |bytes| _ = told.send(bytes)).await.unwrap();
        });
        (upload, sent)
    }

    /// A document that names the file.
    fn document(&self) -> Document {
        let id = MessageId::new(now(), rand::random());
        let to = vec![code("H34"), code("H36.12")];
        let mut document = Document::new(id, code("H36"), to, "Về việc gửi bản đồ", id.time());
        let FileDigest { size, sha256 } = self.whole;
        let entry = AttachmentEntry::of("cid:ban-do", "ban-do.zip", b"");
        document.attachments = vec![AttachmentEntry { size, sha256, ..entry }];
        document
    }
}

async fn started(ground: &Ground, plan: Option<&str>) -> Child {
    let mut child = Child::start(ground, plan).unwrap();
    assert!(child.ready(PATIENCE).await, "{plan:?}: {}", child.said());
    child
}

/// Waits until the hub dies at the point that it was armed with.
async fn dies(child: &mut Child, at: &str) {
    let death = child.died(PATIENCE).await.unwrap();
    assert_eq!(death, Some(Death::Aborted), "{at}: {}", child.said());
}

fn files(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).unwrap();
    entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_upload_and_its_document_go_on_after_every_death_and_nothing_unfinished_stays() {
    let seed = crate::number("LIENTHONG_CRASH_SEED").unwrap_or_else(rand::random);
    println!("replay: LIENTHONG_CRASH_SEED={seed}");
    let (_folder, ground) = crate::ground(&directory());
    let payloads = ground.data().join("payloads");

    // In the middle of the upload: at a point, and by force.
    let mut child = started(&ground, Some("upload-appended:20")).await;
    let sender = Sender::new(&ground, seed).await;
    let (upload, mut sent) = sender.upload();
    dies(&mut child, "upload-appended").await;
    let part = files(&payloads.join("uploads")).remove(0);
    let there = payloads.join("uploads").join(&part).metadata().unwrap().len();
    assert!(part.ends_with(".part") && there >= 20 * (256 << 10), "{part}: {there}");
    let mut child = started(&ground, None).await;
    let half = sent.wait_for(|sent| *sent > SIZE as u64 / 2);
    tokio::time::timeout(PATIENCE, half).await.unwrap().unwrap();
    assert_eq!(child.kill().unwrap(), Death::Killed);

    // With all bytes there and not yet its name.
    let mut child = started(&ground, Some("upload-synced")).await;
    dies(&mut child, "upload-synced").await;
    let mut child = started(&ground, None).await;
    tokio::time::timeout(PATIENCE, upload).await.unwrap().unwrap();
    assert_eq!(child.kill().unwrap(), Death::Killed);

    // With the document in the journal and nobody told; then while its payload moves.
    let mut child = started(&ground, Some("block-synced")).await;
    let document = sender.document();
    let signed = sign_document(&document, Vec::new(), &[&ground.seal("H36").unwrap()]);
    let client = sender.client.clone();
    let submitted = tokio::spawn(async move { client.submit(signed).await });
    dies(&mut child, "block-synced").await;
    assert_eq!(files(&payloads.join("proposed")).len(), 1);
    let mut child = Child::start(&ground, Some("payloads-shelved")).unwrap();
    dies(&mut child, "payloads-shelved").await;
    let mut child = started(&ground, None).await;
    let receipt = tokio::time::timeout(PATIENCE, submitted).await.unwrap().unwrap().unwrap();
    assert!(receipt.repeated, "it was in the journal");

    // Everybody gets it whole, in spite of a death in the middle.
    let recipient = ground.client("H34", FOR_EVER).await.unwrap();
    let place = AttachmentPlace {
        sender: code("H36"),
        document: document.id,
        content_id: "cid:ban-do".to_owned(),
    };
    let (told, mut got) = watch::channel(0);
    let (target, whole) = (ground.beside("received"), sender.whole);
    let download = tokio::spawn({
        let target = target.clone();
        async move {
            let told = |bytes| _ = told.send(bytes);
            recipient.download(&place, &whole, &target, told).await.unwrap();
        }
    });
    let some = got.wait_for(|got| *got > 1 << 20);
    tokio::time::timeout(PATIENCE, some).await.unwrap().unwrap();
    assert_eq!(child.kill().unwrap(), Death::Killed);
    let mut child = started(&ground, None).await;
    tokio::time::timeout(PATIENCE, download).await.unwrap().unwrap();
    assert!(std::fs::read(&target).unwrap() == std::fs::read(&sender.path).unwrap());
    child.kill().unwrap();
    for folder in ["tmp", "proposed"] {
        assert_eq!(files(&payloads.join(folder)), Vec::<String>::new(), "{folder}");
    }
    // The upload was not told that it had served; it has no bytes of its own, and expires.
    let left = files(&payloads.join("uploads"));
    assert!(left.iter().all(|name| !name.ends_with(".part")), "{left:?}");
}
