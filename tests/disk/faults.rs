//! A disk that refuses: operations of a running hub fail, each kind of file in turn. The call in
//! flight is not acknowledged; the hub stops, or refuses and goes on; it says why and what to do;
//! started again on a disk that works it has everything that it had acknowledged.

use std::time::Duration;

use lienthong_client::{Client, FileDigest, sign_document};
use lienthong_model::{Document, Extension, MessageId, SignedContent};

use crate::fixture::{Fixture, code, now};
use crate::record::{Fault, Recorder};
use crate::run::Process;

const EIO: i32 = 5;
const ENOSPC: i32 = 28;
const EROFS: i32 = 30;

/// What is asked of the hub when its disk refuses.
#[derive(Debug, Clone, Copy)]
enum Work {
    /// A document that goes into a record.
    Small,
    /// One that goes through a payload file.
    Large,
    Upload,
    /// Documents until one is not acknowledged: the state is written now and then only.
    Many,
}

/// What the hub does then.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Does {
    /// It ends, and says what failed.
    Stops,
    /// It answers with a code, and goes on.
    Refuses(&'static str),
}

struct Case {
    faults: &'static [Fault],
    work: Work,
    does: Does,
    /// What it says, among other words.
    says: &'static str,
}

const CASES: [Case; 12] = [
    case(&[Fault("sync", EIO, "journal/")], Work::Small, Does::Stops, "cannot sync"),
    case(&[Fault("write", EIO, "journal/")], Work::Small, Does::Stops, "cannot write"),
    case(&[Fault("write", ENOSPC, "journal/")], Work::Small, Does::Stops, "No space left"),
    case(&[Fault("write", EIO, "payloads/tmp/")], Work::Large, Does::Stops, "cannot write"),
    case(&[Fault("sync", EIO, "payloads/")], Work::Large, Does::Stops, "cannot sync"),
    case(&[Fault("name", EIO, "payloads/tmp/")], Work::Large, Does::Stops, "cannot create"),
    case(
        &[Fault("write", ENOSPC, "payloads/tmp/")],
        Work::Large,
        Does::Refuses("STORAGE_LOW"),
        "No space left",
    ),
    case(&[Fault("write", EIO, "payloads/uploads/")], Work::Upload, Does::Stops, "cannot write"),
    case(&[Fault("sync", EIO, "payloads/uploads/")], Work::Upload, Does::Stops, "cannot sync"),
    case(&[Fault("write", EIO, "state/")], Work::Many, Does::Stops, "state"),
    case(&[Fault("sync", EIO, "state/")], Work::Many, Does::Stops, "state"),
    case(
        &[Fault("write", EROFS, "*"), Fault("sync", EROFS, "*"), Fault("name", EROFS, "*")],
        Work::Small,
        Does::Stops,
        "Read-only file system",
    ),
];

const fn case(faults: &'static [Fault], work: Work, does: Does, says: &'static str) -> Case {
    Case { faults, work, does, says }
}

fn document(fixture: &Fixture, long: usize) -> (MessageId, SignedContent) {
    let id = MessageId::new(now(), rand::random());
    let mut document =
        Document::new(id, code("H36"), vec![code("H34")], "Về việc thử đĩa", id.time());
    let extension = |part| Extension { path: format!("phan/{part}"), text: "x".repeat(1_000) };
    document.extensions = (0..long / 1_000).map(extension).collect();
    (id, sign_document(&document, Vec::new(), &[&fixture.seal("H36")]))
}

impl Work {
    /// Does it; what the hub says when it does not take it.
    async fn done(self, fixture: &Fixture, client: &Client) -> Result<(), String> {
        let submit = async |long| {
            let outcome = client.submit(document(fixture, long).1).await;
            outcome.map(drop).map_err(|error| error.to_string())
        };
        match self {
            Self::Small => submit(1_000).await,
            Self::Large => submit(30_000).await,
            Self::Upload => {
                let path = fixture.beside("upload");
                let piece: [u8; 32] = rand::random();
                std::fs::write(&path, piece.repeat(20_000)).unwrap();
                let whole = FileDigest::of(&path, |_| ()).await.unwrap();
                let outcome = client.upload(&path, &whole, |_| ()).await;
                outcome.map_err(|error| error.to_string())
            }
            Self::Many => loop {
                submit(1_000).await?;
            },
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hub_whose_disk_refuses_acknowledges_nothing_says_so_and_loses_nothing() {
    let fixture = Fixture::new();
    std::fs::create_dir(fixture.data()).unwrap();
    let recorder = Recorder::of(&fixture.data(), &fixture.beside(""));
    let mut kept = Vec::new();
    for Case { faults, work, does, says } in &CASES {
        let mut command = Process::command(&fixture);
        recorder.attach_faults(&mut command);
        let mut process = Process::start(command, &fixture).unwrap();
        let client = fixture.client("H36", Duration::ZERO).await;
        // One in a record, one in a payload file, acknowledged before the disk refuses.
        for long in [1_000, 30_000] {
            let (id, signed) = document(&fixture, long);
            kept.push((id, client.submit(signed).await.unwrap().position));
        }
        recorder.fail(faults);
        let name = format!("{faults:?}, {work:?}");
        let word = work.done(&fixture, &client).await.expect_err(&name);
        match does {
            Does::Stops => {
                let said = process.ended();
                assert!(said.contains(says) && said.contains("xử lý / remedy"), "{name}: {said}");
                assert!(!said.contains("panicked"), "{name}: {said}");
            }
            Does::Refuses(code) => {
                assert!(word.contains(code), "{name}: {word}");
                assert!(process.alive(), "{name}: {}", process.said());
                recorder.mend();
                work.done(&fixture, &client).await.unwrap();
                process.kill();
                continue;
            }
        }
        recorder.mend();
        let mut process = Process::start(Process::command(&fixture), &fixture).unwrap();
        for (id, position) in &kept {
            let found = client.track(&code("H36"), *id).await.unwrap();
            assert_eq!(found.position, *position, "{name}");
        }
        work_again(&fixture, &client, *work).await;
        process.kill();
    }
}

/// What was not acknowledged can be done on a disk that works.
async fn work_again(fixture: &Fixture, client: &Client, work: Work) {
    match work {
        Work::Many => Work::Small.done(fixture, client).await.unwrap(),
        work => work.done(fixture, client).await.unwrap(),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hub_that_cannot_read_or_write_its_folder_does_not_start_and_says_what_to_do() {
    let fixture = Fixture::new();
    std::fs::create_dir(fixture.data()).unwrap();
    let recorder = Recorder::of(&fixture.data(), &fixture.beside(""));
    let mut process = Process::start(Process::command(&fixture), &fixture).unwrap();
    process.drain();
    let cases = [
        (Fault("read", EIO, "journal/"), "Input/output error"),
        (Fault("read", EIO, "FORMAT"), "Input/output error"),
        (Fault("read", EIO, "log.key"), "Input/output error"),
        (Fault("read", EIO, "state/"), "Input/output error"),
        (Fault("write", EROFS, "*"), "Read-only file system"),
    ];
    for (fault, says) in cases {
        recorder.fail(&[fault]);
        let mut command = Process::command(&fixture);
        recorder.attach_faults(&mut command);
        let said = Process::start(command, &fixture).err();
        let said = said.unwrap_or_else(|| panic!("{fault:?}: it starts"));
        assert!(said.contains(says) && said.contains("xử lý / remedy"), "{fault:?}: {said}");
        assert!(!said.contains("panicked"), "{fault:?}: {said}");
        recorder.mend();
    }
    // A key with a changed byte is no key: what it signed would be another log's.
    let path = fixture.data().join("log.key");
    let key = std::fs::read(&path).unwrap();
    for at in (0..key.len() - 1).step_by(key.len() / 6) {
        let mut changed = key.clone();
        changed[at] ^= 1;
        std::fs::write(&path, changed).unwrap();
        let said = Process::start(Process::command(&fixture), &fixture).err();
        let said = said.unwrap_or_else(|| panic!("byte {at} of the key: it starts"));
        assert!(said.contains("log.key") && said.contains("xử lý / remedy"), "{at}: {said}");
    }
    std::fs::write(&path, key).unwrap();
    Process::start(Process::command(&fixture), &fixture).unwrap().drain();
}
