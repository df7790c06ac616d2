//! Payload files: what stands where, and what is left after whatever happens.

use super::*;

fn one_file(folder: &Path, digest: &Digest) -> PathBuf {
    let hex = digest.to_string();
    folder.join(&hex[..2]).join(&hex[2..])
}

#[test]
fn payload_files_do_what_all_payloads_do() {
    let folder = tempfile::tempdir().unwrap();
    lienthong_core::engine_suite::payloads(|| PayloadFiles::open(folder.path()).unwrap());
}

#[test]
fn a_payload_stands_under_the_digits_of_its_digest_and_nothing_is_left_unfinished() {
    let folder = tempfile::tempdir().unwrap();
    let payloads = PayloadFiles::open(folder.path()).unwrap();
    let digest = payloads.put(b"content").unwrap();
    assert_eq!(std::fs::read(one_file(folder.path(), &digest)).unwrap(), b"content");
    assert_eq!(std::fs::read_dir(folder.path().join("tmp")).unwrap().count(), 0);
}

#[test]
fn a_payload_that_was_tampered_with_is_never_returned() {
    let folder = tempfile::tempdir().unwrap();
    let payloads = PayloadFiles::open(folder.path()).unwrap();
    let digest = payloads.put(b"content").unwrap();
    for bytes in [&b"contEnt"[..], b"conten", b"", b"content and more"] {
        std::fs::write(one_file(folder.path(), &digest), bytes).unwrap();
        let error = payloads.get(&digest).unwrap_err();
        assert!(matches!(&error, EngineError::Damaged { .. }), "{error}");
        assert!(error.to_string().contains(&digest.to_string()), "{error}");
    }
    payloads.put(b"content").unwrap();
    assert_eq!(payloads.get(&digest).unwrap().unwrap(), &b"content"[..]);
}

#[test]
fn what_was_never_finished_is_removed_on_opening() {
    let folder = tempfile::tempdir().unwrap();
    drop(PayloadFiles::open(folder.path()).unwrap());
    let unfinished = folder.path().join("tmp").join("half");
    std::fs::write(&unfinished, b"ha").unwrap();
    drop(PayloadFiles::open(folder.path()).unwrap());
    assert!(!unfinished.exists());
}

#[test]
fn the_same_payload_put_from_many_threads_is_one_file() {
    let folder = tempfile::tempdir().unwrap();
    let payloads = PayloadFiles::open(folder.path()).unwrap();
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| payloads.put(&[7; 100_000]).unwrap());
        }
    });
    let digest = Digest::of(&[7; 100_000]);
    assert_eq!(payloads.get(&digest).unwrap().unwrap().len(), 100_000);
    let shelf = one_file(folder.path(), &digest);
    assert_eq!(std::fs::read_dir(shelf.parent().unwrap()).unwrap().count(), 1);
}

use lienthong_core::engine::EngineError as Failure;

fn count(folder: &Path, name: &str) -> usize {
    std::fs::read_dir(folder.join(name)).unwrap().count()
}

#[test]
fn what_is_proposed_can_be_read_and_goes_to_its_shelf_when_it_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let payloads = PayloadFiles::open(folder.path()).unwrap();
    let claim = payloads.propose(b"content").unwrap();
    let digest = claim.digest();
    let named = |asked: &Digest| Ok::<_, Failure>(*asked == digest);
    assert_eq!(payloads.settle(named).unwrap(), Settled::default(), "it is claimed");
    assert_eq!(payloads.get(&digest).unwrap().unwrap(), &b"content"[..]);
    drop(claim);
    assert_eq!(payloads.settle(named).unwrap(), Settled { kept: 1, removed: 0 });
    assert_eq!(std::fs::read(one_file(folder.path(), &digest)).unwrap(), b"content");
    assert_eq!(payloads.get(&digest).unwrap().unwrap(), &b"content"[..]);
    assert_eq!(payloads.settle(named).unwrap(), Settled::default());
    // Again: it stands on its shelf already, and stays whatever is said now.
    drop(payloads.propose(b"content").unwrap());
    assert_eq!(count(folder.path(), "proposed"), 0);
    assert_eq!(payloads.settle(|_| Ok(false)).unwrap(), Settled::default());
    assert!(payloads.get(&digest).unwrap().is_some());
}

#[test]
fn what_nobody_names_is_removed_when_its_last_claim_is_dropped() {
    let folder = tempfile::tempdir().unwrap();
    let payloads = PayloadFiles::open(folder.path()).unwrap();
    let first = payloads.propose(b"content").unwrap();
    let second = payloads.propose(b"content").unwrap();
    let digest = first.digest();
    drop(first);
    assert_eq!(payloads.settle(|_| Ok(false)).unwrap(), Settled::default());
    assert!(payloads.get(&digest).unwrap().is_some());
    drop(second);
    let failed = payloads.settle(|_| Err(damaged("a row", "for the test")));
    assert!(failed.is_err() && payloads.get(&digest).unwrap().is_some());
    assert_eq!(payloads.settle(|_| Ok(false)).unwrap(), Settled { kept: 0, removed: 1 });
    assert!(payloads.get(&digest).unwrap().is_none());
}

#[test]
fn what_was_proposed_when_the_process_ended_is_settled_by_the_next() {
    let folder = tempfile::tempdir().unwrap();
    let payloads = PayloadFiles::open(folder.path()).unwrap();
    let (named, refused) = (payloads.propose(b"named").unwrap(), payloads.propose(b"no").unwrap());
    let (named, refused) = (named.digest(), refused.digest());
    drop(payloads);
    std::fs::write(folder.path().join("proposed").join("x"), b"y").unwrap();
    let payloads = PayloadFiles::open(folder.path()).unwrap();
    let settled = payloads.settle(|digest| Ok(*digest == named)).unwrap();
    assert_eq!(settled, Settled { kept: 1, removed: 1 });
    assert_eq!(count(folder.path(), "proposed"), 0);
    assert!(payloads.get(&named).unwrap().is_some() && payloads.get(&refused).unwrap().is_none());
}

#[test]
fn proposing_and_settling_side_by_side_never_lose_what_is_claimed() {
    let folder = tempfile::tempdir().unwrap();
    let payloads = PayloadFiles::open(folder.path()).unwrap();
    let done = std::sync::atomic::AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            while !done.load(Ordering::Relaxed) {
                payloads.settle(|_| Ok(false)).unwrap();
            }
        });
        let proposers: Vec<_> = (0..3)
            .map(|_| {
                scope.spawn(|| {
                    for _ in 0..60 {
                        let claim = payloads.propose(b"contested").unwrap();
                        assert!(payloads.get(&claim.digest()).unwrap().is_some());
                    }
                })
            })
            .collect();
        proposers.into_iter().for_each(|proposer| proposer.join().unwrap());
        done.store(true, Ordering::Relaxed);
    });
    payloads.settle(|_| Ok(false)).unwrap();
    assert_eq!(count(folder.path(), "proposed"), 0);
    assert_eq!(count(folder.path(), "tmp"), 0);
}
