//! A hub that is ended by its operator while it works.

use std::path::PathBuf;
use std::time::Duration;

use lienthong_bench::{Cast, HubProcess, Program, Stage};
use lienthong_client::{CallError, sign_document};
use lienthong_model::Document;

/// How long something that must come may take.
const PATIENCE: Duration = Duration::from_secs(60);
const DOCUMENTS: u32 = 600;
/// Answers after which the hub is told to end.
const ANSWERS: u32 = 50;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hub_that_is_told_to_end_under_load_ends_well_and_keeps_what_it_has_answered() {
    let folder = tempfile::tempdir().unwrap();
    let stage = Stage::write(folder.path(), Cast::numbered(1, 1).unwrap(), 0).unwrap();
    let path = PathBuf::from(env!("CARGO_BIN_EXE_lienthong"));
    let program = Program { path, environment: Vec::new(), flags: Vec::new() };
    let data = folder.path().join("hub");
    let hub = HubProcess::start(&program, &stage, &data).await.unwrap();
    let (sender, to) = (&stage.cast.senders[0], &stage.cast.recipients[0]);
    let client = stage.keys.connect_once(hub.url(), sender).await.unwrap();
    let (seal, stream) = (stage.keys.seal(sender).unwrap(), client.submissions(256));
    let (told, mut telling) = tokio::sync::mpsc::unbounded_channel();
    let under_way: Vec<_> = (0..DOCUMENTS)
        .map(|number| {
            let id = client.new_id();
            let subject = format!("Về việc số {number}");
            let letter = Document::new(id, sender.clone(), [to.clone()], subject, id.time())
                .issued(number + 1, lienthong_model::DocumentType::OFFICIAL_LETTER, "UBND");
            let signed = sign_document(&letter, Vec::new(), &[&seal]);
            let (stream, told) = (stream.clone(), told.clone());
            tokio::spawn(async move {
                let outcome = stream.submit(signed).await;
                // The test may have stopped listening.
                let _ = told.send(());
                (id, outcome)
            })
        })
        .collect();
    for _ in 0..ANSWERS {
        tokio::time::timeout(PATIENCE, telling.recv()).await.expect("an answer");
    }
    assert!(hub.stop().await, "exit code 0 after SIGTERM");
    let mut accepted = Vec::new();
    for one in under_way {
        match tokio::time::timeout(PATIENCE, one).await.expect("an outcome").unwrap() {
            (id, Ok(receipt)) => accepted.push((id, receipt)),
            (_, Err(CallError::GaveUp { .. } | CallError::Unreachable(_))) => {}
            (_, Err(error)) => panic!("{error}"),
        }
    }
    assert!(accepted.len() >= ANSWERS as usize);
    let hub = HubProcess::start(&program, &stage, &data).await.unwrap();
    let client = stage.keys.connect(hub.url(), sender).await.unwrap();
    for (id, receipt) in &accepted {
        let tracked = client.track(sender, *id).await.unwrap();
        assert_eq!((tracked.position, tracked.sha256), (receipt.position, receipt.sha256));
    }
    let sent = client.volumes(lienthong_client::Period::default()).await.unwrap().totals.sent;
    assert_eq!(sent, accepted.len() as u64, "what was read is answered: nothing is in doubt");
}
