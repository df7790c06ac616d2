//! Hubs that something has befallen, and what they say then.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use bytes::Bytes;
use lienthong_core::{AddRevocationList, Command, RevocationPolicy};
use lienthong_hub::{Rates, SpaceMarks, StorageSettings};
use lienthong_ledger::{Free, UploadLimits};
use lienthong_model::limits::CONSUMERS_PER_AGENCY_MAX;
use lienthong_model::{Digest, Quota, Reason, Refusal};
use lienthong_wire::proto;
use lienthong_wire::proto::exchange_service_client::ExchangeServiceClient;
use lienthong_wire::proto::submit_documents_response::Outcome;
use lienthong_wire::proto::transfer_service_client::TransferServiceClient;
use lienthong_wire::proto::upload_request as asked;
use serde_json::json;
use tokio_stream::StreamExt as _;
use tokio_stream::wrappers::ReceiverStream;
use tonic::Status;

use super::scene::Scene;
use crate::harness::raw::{Line, channel, exchange, refusal, request};
use crate::harness::web::Browser;
use crate::harness::{
    World, code, days, document, noise, now, settled, until, with_attachment, within,
};

const ENOUGH: u64 = 100_000_000;
/// Space below the soft mark.
pub const LOW: u64 = 5_000_000;
/// Space below the hard mark.
pub const NONE: u64 = 50_000;

/// The refusal of a letter of H36.
async fn refused(world: &World) -> Status {
    let mut raw = exchange(world, "H36").await;
    raw.submit_document(request(world.letter("H36", &["H36.12"]))).await.expect_err("refused")
}

pub async fn too_fast() -> Status {
    let rates = Rates { requests_per_second: 1, ..Rates::default() };
    let world = World::start_with(|settings| settings.rates = rates).await;
    let mut raw = exchange(&world, "H36").await;
    loop {
        if let Err(status) = raw.get_clock(proto::GetClockRequest {}).await {
            return status;
        }
    }
}

/// Uploads what is not the bytes, or not where they belong.
pub async fn upload(scene: &Scene, offset: u64, content: &'static [u8]) -> Status {
    let mut raw = TransferServiceClient::new(channel(&scene.world, "H36").await);
    announced(&mut raw, b"bytes", offset, content).await
}

/// Announces `whole`, sends `content`, and waits for the status that ends it.
async fn announced(
    raw: &mut TransferServiceClient<tonic::transport::Channel>,
    whole: &'static [u8],
    offset: u64,
    content: &'static [u8],
) -> Status {
    let sha256 = Bytes::copy_from_slice(Digest::of(whole).as_bytes());
    let open = asked::Request::Open(asked::Open { sha256, size: whole.len() as u64 });
    let chunk = proto::AttachmentChunk { offset, content: Bytes::from_static(content) };
    let said = [open, asked::Request::Chunk(chunk)];
    let said = said.map(|request| proto::UploadRequest { request: Some(request) });
    let said = tokio_stream::iter(said).chain(tokio_stream::pending());
    let mut answers = match raw.upload(said).await {
        Ok(answers) => answers.into_inner(),
        Err(status) => return status,
    };
    loop {
        match within("the end of the upload", answers.message()).await {
            Ok(Some(answer)) => assert!(!answer.complete),
            Ok(None) => panic!("it ends without a status"),
            Err(status) => return status,
        }
    }
}

pub async fn second_upload() -> Status {
    let uploads = UploadLimits { of_one: 1, ..UploadLimits::default() };
    let storage = StorageSettings { uploads, ..StorageSettings::short_lived() };
    let world = World::start_on(storage).await;
    let mut raw = TransferServiceClient::new(channel(&world, "H36").await);
    let first = Bytes::copy_from_slice(Digest::of(b"first").as_bytes());
    let open = asked::Request::Open(asked::Open { sha256: first, size: 5 });
    let said = tokio_stream::once(proto::UploadRequest { request: Some(open) });
    let said = said.chain(tokio_stream::pending());
    let mut answers = raw.upload(said).await.unwrap().into_inner();
    within("a word", answers.message()).await.unwrap().unwrap();
    announced(&mut raw, b"second", 0, b"second").await
}

pub async fn list_overdue() -> Status {
    let world = World::start_with(|_| ()).await;
    let (this, next) = (now().minus(days(9)), now().minus(days(2)));
    let list = world.pki.issuing().revocation_list(1, this, next, &[]).unwrap();
    world.hub().add_revocation_list(list).await.unwrap();
    let policy = RevocationPolicy { grace_ms: Some(0) };
    world.hub().administer(Command::SetRevocationPolicy(policy)).await.unwrap();
    refused(&world).await
}

pub async fn quota_used_up() -> Status {
    let world = World::start().await;
    let quota = Quota { agency: Some(code("H36")), documents_per_day: Some(1), ..Quota::default() };
    world.hub().administer(Command::ChangeQuotas(vec![quota])).await.unwrap();
    world.client("H36").await.submit(world.letter("H36", &["H36.12"])).await.unwrap();
    refused(&world).await
}

/// The refusal of a letter while the disk has so much space.
pub async fn disk_with(space: u64) -> Status {
    let left = Arc::new(AtomicU64::new(ENOUGH));
    let shared = left.clone();
    let probe = Arc::new(move |_: &std::path::Path| {
        Ok(Free { available: shared.load(Ordering::Relaxed), total: 1 << 40 })
    });
    let marks = SpaceMarks { soft_bytes: 10_000_000, soft_share: 20, hard_bytes: 100_000 };
    let world =
        World::start_on(StorageSettings { marks, probe, ..StorageSettings::default() }).await;
    left.store(space, Ordering::Relaxed);
    let mut raw = exchange(&world, "H36").await;
    let mut status = None;
    until("the mark", async || {
        let letter = request(world.letter("H36", &["H36.12"]));
        status = raw.submit_document(letter).await.err();
        status.is_some()
    })
    .await;
    status.expect("it is refused")
}

pub async fn too_many_consumers() -> Status {
    let world = World::start().await;
    let mut lines = Vec::new();
    loop {
        assert!(lines.len() <= CONSUMERS_PER_AGENCY_MAX);
        let mut raw = ExchangeServiceClient::new(channel(&world, "H36").await);
        for _ in 0..250 {
            match Line::open(&mut raw, &[], 0).await {
                Ok(line) => lines.push(line),
                Err(status) => return status,
            }
        }
    }
}

pub async fn draining() -> Status {
    let mut world = World::start().await;
    let mut raw = exchange(&world, "H36").await;
    let mut line = Line::open(&mut raw, &[], 1).await.unwrap();
    let stopping = tokio::spawn(world.take_hub().stop());
    let status = line.next().await.expect_err("it ends");
    // Its connection keeps the hub as long as it is there.
    drop((line, raw));
    stopping.await.unwrap().unwrap();
    status
}

pub async fn damaged_payload() -> Status {
    let world = World::start().await;
    let bytes = noise(100_000);
    let (named, attachment) = with_attachment(document("H36", &["H36.12"]), bytes.clone());
    let content_id = attachment.content_id.clone();
    let signed = world.sealed_with(&named, vec![attachment]);
    world.client("H36").await.submit(signed).await.unwrap();
    settled(&world).await;
    let hex = Digest::of(&bytes).to_string();
    let shelved = world.data().join("payloads").join(&hex[..2]).join(&hex[2..]);
    let mut other = bytes.to_vec();
    other[50_000] ^= 1;
    std::fs::write(shelved, other).unwrap();
    let mut raw = TransferServiceClient::new(channel(&world, "H36").await);
    let id = Bytes::copy_from_slice(named.id.as_bytes());
    let download = proto::DownloadRequest { sender: "H36".to_owned(), id, content_id, offset: 0 };
    let mut pieces = match raw.download(download).await {
        Ok(pieces) => pieces.into_inner(),
        Err(status) => return status,
    };
    loop {
        match within("the end of the download", pieces.message()).await {
            Ok(Some(_)) => {}
            Ok(None) => panic!("it ends as if all were well"),
            Err(status) => return status,
        }
    }
}

/// A hub that could not read what it must: the answer to a message of a stream that goes on.
pub async fn failed_read() -> Refusal {
    let mut world = World::start().await;
    let mut raw = exchange(&world, "H36").await;
    let (say, saying) = tokio::sync::mpsc::channel(4);
    let letter = |correlation| {
        let proto::SubmitDocumentRequest { document, attachments } =
            request(world.letter("H36", &["H36.12"]));
        proto::SubmitDocumentsRequest { correlation, document, attachments }
    };
    let (first, second) = (letter(1), letter(2));
    say.send(first).await.unwrap();
    let answers = raw.submit_documents(ReceiverStream::new(saying)).await;
    let mut answers = answers.unwrap().into_inner();
    let answer = within("a receipt", answers.message()).await.unwrap().unwrap();
    assert!(matches!(answer.outcome, Some(Outcome::Receipt(_))), "{answer:?}");

    // Where a payload should be stands a folder, which no read survives.
    let payload = Digest::of(b"a revocation list");
    let hex = payload.to_string();
    let place = world.data().join("payloads").join(&hex[..2]).join(&hex[2..]);
    std::fs::create_dir_all(place).unwrap();
    let issuer = *world.pki.issuing().certificate().fingerprint();
    let act = Command::AddRevocationList(AddRevocationList { payload, issuer });
    let refusal_of_act = world.hub().administer(act).await.expect_err("it fails");
    assert_eq!(refusal_of_act.reason, Reason::Stopped);

    say.send(second).await.unwrap();
    let answer = within("an answer", answers.message()).await;
    let found = match answer {
        Ok(Some(answer)) => match answer.outcome {
            Some(Outcome::Refusal(refused)) => {
                lienthong_wire::refusal::from_proto(refused).expect("a known code")
            }
            other => panic!("not refused: {other:?}"),
        },
        Ok(None) => panic!("the stream ends without a word"),
        Err(status) => refusal(&status),
    };
    drop((say, answers, raw));
    world.take_hub().stop().await.expect_err("it has failed");
    found
}

/// What the API of the operators' pages answers.
pub async fn of_the_pages(reason: Reason) -> (u16, String) {
    let world = World::start().await;
    let mut browser = Browser::at(&world);
    let answer = match reason {
        Reason::SignInRequired => {
            browser.change("DELETE", "accounts?person=H36/an", json!({})).await
        }
        Reason::RequestForeign => {
            let other = [("origin", "https://example.vn")];
            browser.ask("POST", "session", &other, "{}").await
        }
        _ => loop {
            let answer = browser.sign_in("H36/an", "a guess at a password").await;
            if answer.code() == reason.code() {
                break answer;
            }
        },
    };
    (answer.status, answer.code())
}
