//! The memory of a hub while an attachment of a gibibyte goes up and comes down.
//!
//! Ignored, since it writes a few gibibytes: `cargo nextest run --release --test crash --run-ignored
//! only gibibyte`. `LIENTHONG_TRANSFER_MIB` sets another size.

use std::io::Write as _;
use std::path::Path;
use std::time::{Duration, Instant};

use lienthong_client::{AttachmentPlace, FileDigest, sign_document};
use lienthong_model::{AttachmentEntry, Document, MessageId};
use lienthong_simulator::crash::{Child, PATIENCE, code, directory, now};

const MIB: u64 = 1 << 20;
/// How much more memory than when idle the hub may take.
const MORE_MAX: u64 = 64 * MIB;

/// A figure of `/proc/<id>/status`, in bytes.
fn status(id: u32, name: &str) -> u64 {
    let text = std::fs::read_to_string(format!("/proc/{id}/status")).unwrap();
    let line = text.lines().find_map(|line| line.strip_prefix(name)).unwrap();
    let kib: u64 = line.trim_start_matches(':').trim().trim_end_matches(" kB").parse().unwrap();
    kib * 1024
}

/// Lets the peak of a process begin anew from what it has now.
fn forget_peak(id: u32) {
    std::fs::write(format!("/proc/{id}/clear_refs"), "5").unwrap();
}

fn make(path: &Path, mib: u64) {
    let mut file = std::fs::File::create(path).unwrap();
    let mut piece = vec![0_u8; MIB as usize];
    for number in 0..mib {
        piece[..8].copy_from_slice(&number.to_be_bytes());
        file.write_all(&piece).unwrap();
    }
}

fn rate(mib: u64, took: Duration) -> String {
    format!("{mib} MiB in {took:.1?}, {:.0} MiB/s", mib as f64 / took.as_secs_f64())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "writes a few gibibytes"]
async fn the_hubs_memory_stays_flat_while_a_gibibyte_goes_up_and_comes_down() {
    let mib = crate::number("LIENTHONG_TRANSFER_MIB").unwrap_or(1024);
    let (_folder, ground) = crate::ground(&directory());
    let mut child = Child::start(&ground, None).unwrap();
    assert!(child.ready(PATIENCE).await, "{}", child.said());
    let (sender, recipient) = (
        ground.client("H36", PATIENCE).await.unwrap(),
        ground.client("H34", PATIENCE).await.unwrap(),
    );
    let (sent, received) = (ground.beside("sent"), ground.beside("received"));
    make(&sent, mib);
    let whole = FileDigest::of(&sent, |_| ()).await.unwrap();
    let idle = status(child.id(), "VmRSS");
    forget_peak(child.id());

    let began = Instant::now();
    sender.upload(&sent, &whole, |_| ()).await.unwrap();
    let (up, peak_up) = (began.elapsed(), status(child.id(), "VmHWM"));
    let id = MessageId::new(now(), rand::random());
    let mut document = Document::new(id, code("H36"), vec![code("H34")], "Bản đồ", id.time());
    let FileDigest { size, sha256 } = whole;
    let entry = AttachmentEntry::of("cid:ban-do", "ban-do.zip", b"");
    document.attachments = vec![AttachmentEntry { size, sha256, ..entry }];
    sender
        .submit(sign_document(&document, Vec::new(), &[&ground.seal("H36").unwrap()]))
        .await
        .unwrap();

    let began = Instant::now();
    let place =
        AttachmentPlace { sender: code("H36"), document: id, content_id: "cid:ban-do".to_owned() };
    recipient.download(&place, &whole, &received, |_| ()).await.unwrap();
    let (down, peak) = (began.elapsed(), status(child.id(), "VmHWM"));
    child.kill().unwrap();

    let more = |peak: u64| peak.saturating_sub(idle) as f64 / MIB as f64;
    println!("up {}, down {}", rate(mib, up), rate(mib, down));
    println!(
        "hub idle {} MiB; above idle at most {:.1} MiB after the upload, {:.1} MiB at the end",
        idle / MIB,
        more(peak_up),
        more(peak)
    );
    assert!(peak <= idle + MORE_MAX, "{:.1} MiB above idle", more(peak));
}
