use super::*;
use crate::payload::PayloadFiles;

const BYTES: &[u8] = &[7; 300_000];

fn key(agency: u32, bytes: &[u8]) -> UploadKey {
    let size = bytes.len() as u64;
    UploadKey { agency: Ordinal(agency), sha256: Digest::of(bytes), size }
}

fn open(folder: &Path) -> Arc<Uploads> {
    Arc::new(Uploads::open(folder).unwrap())
}

fn begin(uploads: &Arc<Uploads>, key: UploadKey) -> Upload {
    uploads.begin(key, &UploadLimits::default()).unwrap()
}

/// Brings the rest in pieces that do not divide it.
fn bring(upload: &Upload, bytes: &[u8]) {
    let mut offset = usize::try_from(upload.stored()).unwrap();
    for piece in bytes[offset..].chunks(70_001) {
        upload.append(offset as u64, piece).unwrap();
        offset += piece.len();
    }
}

fn names(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).unwrap();
    entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
}

#[test]
fn an_upload_that_is_cut_goes_on_where_it_was_in_this_process_and_in_the_next() {
    let folder = tempfile::tempdir().unwrap();
    let key = key(3, BYTES);
    let uploads = open(folder.path());
    let upload = begin(&uploads, key);
    upload.append(0, &BYTES[..100]).unwrap();
    drop(upload);
    let upload = begin(&uploads, key);
    assert_eq!((upload.stored(), upload.is_complete()), (100, false));
    upload.append(100, &BYTES[100..1_000]).unwrap();
    assert!(!upload.finish().unwrap());
    drop((upload, uploads));
    let uploads = open(folder.path());
    assert_eq!(uploads.progress(&key), Some(Progress { stored: 1_000, complete: false }));
    let upload = begin(&uploads, key);
    bring(&upload, BYTES);
    assert!(upload.finish().unwrap() && upload.finish().unwrap());
    assert_eq!(names(folder.path()), [key.name(true)]);
    drop((upload, uploads));
    let uploads = open(folder.path());
    assert_eq!(uploads.progress(&key), Some(Progress { stored: key.size, complete: true }));
    assert!(begin(&uploads, key).is_complete());
}

#[test]
fn bytes_with_another_digest_are_refused_and_deleted_and_may_be_brought_again() {
    let folder = tempfile::tempdir().unwrap();
    let (key, uploads) = (key(3, BYTES), open(folder.path()));
    let upload = begin(&uploads, key);
    let mut changed = BYTES.to_vec();
    changed[5] ^= 1;
    bring(&upload, &changed);
    let error = upload.finish().unwrap_err();
    let found = Digest::of(&changed);
    assert!(matches!(error, UploadError::DigestWrong { found: f } if f == found), "{error}");
    assert!(names(folder.path()).is_empty());
    assert_eq!(uploads.progress(&key), None);
    assert!(matches!(upload.append(0, b"x"), Err(UploadError::TakenOver)));
    let upload = begin(&uploads, key);
    bring(&upload, BYTES);
    assert!(upload.finish().unwrap());
}

#[test]
fn a_piece_elsewhere_or_beyond_the_size_is_refused_and_changes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let (key, uploads) = (key(3, BYTES), open(folder.path()));
    let upload = begin(&uploads, key);
    upload.append(0, &BYTES[..10]).unwrap();
    for (offset, piece) in [(0, &BYTES[..1]), (11, &BYTES[..1]), (u64::MAX, b"x"), (10, BYTES)] {
        let error = upload.append(offset, piece).unwrap_err();
        assert!(matches!(error, UploadError::Misplaced { expected: 10, .. }), "{error}");
    }
    bring(&upload, BYTES);
    assert!(upload.finish().unwrap());
}

#[test]
fn the_newest_session_takes_the_upload_over() {
    let folder = tempfile::tempdir().unwrap();
    let (key, uploads) = (key(3, BYTES), open(folder.path()));
    let first = begin(&uploads, key);
    first.append(0, &BYTES[..10]).unwrap();
    let second = begin(&uploads, key);
    assert_eq!(second.stored(), 10);
    assert!(matches!(first.append(10, &BYTES[10..20]), Err(UploadError::TakenOver)));
    assert!(matches!(first.sync(), Err(UploadError::TakenOver)));
    drop(first);
    bring(&second, BYTES);
    assert!(second.finish().unwrap());
}

#[test]
fn an_upload_expires_when_nobody_is_at_it_and_not_before() {
    let folder = tempfile::tempdir().unwrap();
    let (key, uploads) = (key(3, BYTES), open(folder.path()));
    let upload = begin(&uploads, key);
    upload.append(0, &BYTES[..10]).unwrap();
    assert_eq!(uploads.expire(Duration::ZERO).unwrap(), 0);
    drop(upload);
    assert_eq!(uploads.expire(UPLOAD_KEPT).unwrap(), 0);
    while uploads.expire(Duration::ZERO).unwrap() == 0 {
        std::thread::yield_now();
    }
    assert!(names(folder.path()).is_empty());
    assert_eq!(begin(&uploads, key).stored(), 0);
}

#[test]
fn what_an_earlier_process_left_is_as_old_as_its_file() {
    let folder = tempfile::tempdir().unwrap();
    let key = key(3, BYTES);
    drop(begin(&open(folder.path()), key));
    let file = std::fs::File::options().append(true).open(folder.path().join(key.name(false)));
    let yesterday = SystemTime::now() - Duration::from_secs(25 * 3600);
    file.unwrap().set_modified(yesterday).unwrap();
    let uploads = open(folder.path());
    assert_eq!(uploads.expire(Duration::from_secs(26 * 3600)).unwrap(), 0);
    assert_eq!(uploads.expire(UPLOAD_KEPT).unwrap(), 1);
}

#[test]
fn an_agency_has_no_more_uploads_than_its_bounds_and_takes_no_room_from_others() {
    let folder = tempfile::tempdir().unwrap();
    let uploads = open(folder.path());
    let limits =
        UploadLimits { of_one: 2, bytes_of_one: 1_000, of_all: 3, ..UploadLimits::default() };
    let sized = |agency, size, name: &[u8]| UploadKey { size, ..key(agency, name) };
    let quota = |begun: Result<Upload, UploadError>, of: &str| match begun {
        Err(UploadError::Quota { what, .. }) => assert_eq!(what, of),
        other => panic!("{of}: {other:?}"),
    };
    let first = uploads.begin(sized(1, 600, b"a"), &limits).unwrap();
    quota(uploads.begin(sized(1, 401, b"b"), &limits), "bytes announced");
    drop(uploads.begin(sized(1, 400, b"b"), &limits).unwrap());
    quota(uploads.begin(sized(1, 0, b"c"), &limits), "uploads");
    drop(uploads.begin(sized(1, 600, b"a"), &limits).unwrap());
    drop(uploads.begin(sized(2, 1_000, b"a"), &limits).unwrap());
    quota(uploads.begin(sized(3, 1, b"a"), &limits), "uploads of all agencies");
    drop(first);
}

#[test]
fn what_cannot_be_gone_on_with_is_removed_on_opening() {
    let folder = tempfile::tempdir().unwrap();
    let good = key(3, BYTES);
    drop(begin(&open(folder.path()), good));
    let short = UploadKey { size: 4, ..good };
    for (name, bytes) in [
        ("notes.txt", &b"x"[..]),
        (&short.name(false), b"longer"),
        (&short.name(true), b"not"),
        (&good.name(false).replace("3-", "03-"), b""),
    ] {
        std::fs::write(folder.path().join(name), bytes).unwrap();
    }
    open(folder.path());
    assert_eq!(names(folder.path()), [good.name(false)]);
}

#[test]
fn an_upload_without_bytes_is_complete_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let (key, uploads) = (key(3, b""), open(folder.path()));
    assert!(begin(&uploads, key).finish().unwrap());
    assert!(uploads.progress(&key).unwrap().complete);
}

#[test]
fn names_of_files_are_read_as_they_are_written() {
    for (agency, size) in [(0, 0), (u32::MAX, u64::MAX)] {
        let key = UploadKey { agency: Ordinal(agency), sha256: Digest::of(b"x"), size };
        for complete in [false, true] {
            assert_eq!(UploadKey::parse(&key.name(complete)), Some((key, complete)));
        }
    }
    for name in ["", "1-2-3", "1--3.part", &format!("1-{}-1-", Digest::of(b""))] {
        assert_eq!(UploadKey::parse(name), None, "{name}");
    }
}

#[test]
fn what_a_document_names_outlives_its_upload() {
    let folder = tempfile::tempdir().unwrap();
    let payloads = PayloadFiles::open(folder.path()).unwrap();
    let key = key(3, BYTES);
    assert!(payloads.propose_upload(&key).unwrap().is_none());
    let upload = begin(payloads.uploads(), key);
    assert!(payloads.propose_upload(&key).unwrap().is_none(), "it is not complete");
    bring(&upload, BYTES);
    upload.finish().unwrap();
    drop(upload);
    let of_another = UploadKey { agency: Ordinal(4), ..key };
    assert!(payloads.propose_upload(&of_another).unwrap().is_none());
    let claim = payloads.propose_upload(&key).unwrap().unwrap();
    payloads.uploads().served(&[key]).unwrap();
    assert!(payloads.propose_upload(&key).unwrap().is_none());
    assert_eq!(payloads.file(&key.sha256).unwrap().unwrap().size, key.size);
    drop(claim);
    payloads.settle(|_| Ok(true)).unwrap();
    assert_eq!(payloads.file(&key.sha256).unwrap().unwrap().size, key.size);
}
