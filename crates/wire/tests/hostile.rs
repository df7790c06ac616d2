//! Hostile bytes against the readers of content: what they take in memory at most, and that the
//! reader of headers and the reader of whole documents never disagree.

use std::sync::{Mutex, MutexGuard, PoisonError};

use lienthong_model::limits::{
    AGENCIES_MAX, CONTENT_BYTES_MAX, MESSAGE_BYTES_MAX, RECIPIENTS_MAX, STATISTICS_VALUES_MAX,
};
use lienthong_model::{Contents as _, DOCUMENT_V1, Reason, STATUS_V1};
use lienthong_wire::{
    DocumentContents, decode_document, decode_message, decode_status, encode_document,
    encode_status, proto, signed, strategies,
};
use peak_alloc::PeakAlloc;
use proptest::prelude::*;

#[global_allocator]
static MEMORY: PeakAlloc = PeakAlloc;

/// One test at a time: the allocator counts for all threads.
static ALONE: Mutex<()> = Mutex::new(());

fn alone() -> MutexGuard<'static, ()> {
    ALONE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Bytes that `read` takes at its peak.
fn peak(read: impl FnOnce()) -> usize {
    MEMORY.reset_peak_usage();
    let before = MEMORY.current_usage();
    read();
    MEMORY.peak_usage().saturating_sub(before)
}

/// A field delimited by its length.
fn field(number: u32, inside: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    prost::encoding::encode_key(number, prost::encoding::WireType::LengthDelimited, &mut out);
    prost::encoding::encode_varint(inside.len() as u64, &mut out);
    out.extend_from_slice(inside);
    out
}

/// A content filled with one entry, as often as it fits or `count` says.
fn filled(entry: &[u8], count: usize) -> Vec<u8> {
    entry.repeat(count.min(CONTENT_BYTES_MAX / entry.len()))
}

fn hostile_contents() -> Vec<(&'static str, Vec<u8>)> {
    let one = |number| field(number, b"1");
    // Eight texts beside a list: each is a violation.
    let list: Vec<u8> = (1..=10).flat_map(one).collect();
    let bad = field(1, b"!");
    let staff = field(10, &filled(&field(5, b""), 256));
    let replacement = field(9, &filled(&field(3, b""), 256));
    vec![
        ("empty recipients", filled(&field(4, b""), RECIPIENTS_MAX)),
        ("too many recipients", filled(&field(4, b""), usize::MAX)),
        ("recipients with a bad code", filled(&field(4, &bad), RECIPIENTS_MAX)),
        ("recipients wrong in nine ways", filled(&field(4, &list), RECIPIENTS_MAX)),
        ("empty attachments", filled(&field(34, b""), 64)),
        ("too many places", filled(&field(19, b""), usize::MAX)),
        ("answers", filled(&field(20, &bad), 256)),
        ("mentions in replacements", field(32, &filled(&replacement, 256))),
        ("staff", field(32, &staff)),
        ("staff twice", field(32, &filled(&staff, 1_000))),
        ("business twice", filled(&field(32, &staff), usize::MAX)),
        ("the same text again and again", filled(&field(13, b"1"), usize::MAX)),
        ("from again and again", filled(&field(3, &one(1)), usize::MAX)),
        ("unknown fields", filled(&field(1_000, b""), usize::MAX)),
        ("one long subject", field(13, &vec![b'a'; CONTENT_BYTES_MAX - 8])),
        ("one long code", field(3, &field(1, &vec![b'1'; CONTENT_BYTES_MAX - 16]))),
        ("groups in groups", vec![0x0b; CONTENT_BYTES_MAX]),
        ("messages in messages", {
            let mut inside = Vec::new();
            for _ in 0..200 {
                inside = field(32, &field(10, &inside));
            }
            inside
        }),
    ]
}

#[test]
fn no_content_takes_more_than_24_mib_to_read() {
    let _alone = alone();
    for (what, content) in hostile_contents() {
        assert!(content.len() <= CONTENT_BYTES_MAX, "{what}");
        let read = [
            ("document", peak(|| drop(DocumentContents.document(DOCUMENT_V1, &content)))),
            ("whole document", peak(|| drop(decode_document(&content)))),
            ("report", peak(|| drop(DocumentContents.status(STATUS_V1, &content)))),
            ("whole report", peak(|| drop(decode_status(&content)))),
        ];
        for (reader, bytes) in read {
            println!("{what:32} {reader:16} {:6} KiB", bytes >> 10);
            assert!(bytes < 24 << 20, "{what}, read as a {reader}, takes {bytes} bytes");
        }
    }
}

#[test]
fn no_message_takes_more_than_six_times_the_greatest_size_to_decode() {
    let _alone = alone();
    let message = |entry: &[u8]| entry.repeat(MESSAGE_BYTES_MAX / entry.len());
    let envelope = |entry: &[u8]| field(1, &entry.repeat((MESSAGE_BYTES_MAX - 8) / entry.len()));
    // As many as are let in, and behind a group, which the decoder steps over.
    let allowed = |entry: &[u8]| field(1, &entry.repeat(2 * AGENCIES_MAX - 1));
    let hidden = [vec![0x0b, 0x0c], message(&field(2, b""))[4..].to_vec()].concat();
    let cases = [
        ("empty attachments", message(&field(2, b""))),
        ("empty attachments behind a group", hidden),
        ("empty signatures", envelope(&field(3, b""))),
        ("empty certificates", envelope(&field(4, b""))),
        ("documents again and again", message(&field(1, b""))),
        ("as many signatures as fields", allowed(&field(3, b""))),
        ("as many certificates as fields", allowed(&field(4, b""))),
    ];
    for (what, bytes) in cases {
        assert!(bytes.len() <= MESSAGE_BYTES_MAX, "{what}");
        let bytes = bytes::Bytes::from(bytes);
        let taken = peak(|| {
            let refused = decode_message::<proto::SubmitDocumentRequest>(bytes)
                .and_then(|message| {
                    signed::document_from_proto(message.document, message.attachments)
                })
                .expect_err(what);
            assert!(matches!(refused.reason, Reason::ContentTooLarge), "{what}: {refused}");
        });
        println!("{what:32} {:6} KiB", taken >> 10);
        assert!(taken <= 24 << 20, "{what} take {taken} bytes");
    }
}

#[test]
fn the_values_of_a_question_to_the_statistics_are_counted_before_they_are_decoded() {
    let _alone = alone();
    // As many empty values as a message holds, three levels down: two bytes each, and a text of 24
    // bytes once they are decoded.
    let asked = |values: &[u8]| field(1, &field(5, values));
    let values = |count: usize| field(2, b"").repeat(count);
    let greatest = asked(&values((MESSAGE_BYTES_MAX - 16) / 2));
    assert!(greatest.len() <= MESSAGE_BYTES_MAX);
    let in_two_parts = [asked(&values(1)), asked(&values(1))].concat();
    let conditions = field(1, &field(5, &values(1)).repeat(257));
    for (what, bytes) in [
        ("two million values", greatest),
        ("one value too many", asked(&values(STATISTICS_VALUES_MAX + 1))),
        ("two questions", in_two_parts),
        ("too many conditions", conditions),
    ] {
        let bytes = bytes::Bytes::from(bytes);
        let taken = peak(|| {
            let query = decode_message::<proto::QueryStatisticsRequest>(bytes.clone());
            let watch = decode_message::<proto::WatchStatisticsRequest>(bytes);
            for refused in [query.expect_err(what), watch.expect_err(what)] {
                assert!(matches!(refused.reason, Reason::ContentTooLarge), "{what}: {refused}");
            }
        });
        assert!(taken <= 1 << 20, "{what} take {taken} bytes");
    }
    let honest = bytes::Bytes::from(asked(&values(STATISTICS_VALUES_MAX)));
    let read = decode_message::<proto::QueryStatisticsRequest>(honest).unwrap();
    assert_eq!(read.question.unwrap().filter[0].values.len(), STATISTICS_VALUES_MAX);
}

/// Changes bytes at some places.
fn changed(mut bytes: Vec<u8>, changes: &[(prop::sample::Index, u8)]) -> Vec<u8> {
    for (at, byte) in changes {
        if !bytes.is_empty() {
            let at = at.index(bytes.len());
            bytes[at] = *byte;
        }
    }
    bytes
}

fn changes() -> impl Strategy<Value = Vec<(prop::sample::Index, u8)>> {
    prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..4)
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(1_000) })]

    #[test]
    fn the_header_of_a_changed_document_is_that_of_the_whole_document(
        document in strategies::document(),
        changes in changes(),
    ) {
        let _alone = alone();
        let content = changed(encode_document(&document).to_vec(), &changes);
        let header = DocumentContents.document(DOCUMENT_V1, &content);
        let whole = decode_document(&content);
        prop_assert_eq!(&header, &whole.as_ref().map(|whole| whole.header()).map_err(Clone::clone));
        if let Ok(whole) = whole {
            // What was read can be written, and is the same when it is read again.
            prop_assert_eq!(decode_document(&encode_document(&whole)), Ok(whole));
        }
    }

    #[test]
    fn the_header_of_a_changed_report_is_that_of_the_whole_report(
        report in strategies::status_report(),
        changes in changes(),
    ) {
        let _alone = alone();
        let content = changed(encode_status(&report).to_vec(), &changes);
        let header = DocumentContents.status(STATUS_V1, &content);
        let whole = decode_status(&content);
        prop_assert_eq!(&header, &whole.as_ref().map(|whole| whole.header()).map_err(Clone::clone));
        if let Ok(whole) = whole {
            prop_assert_eq!(decode_status(&encode_status(&whole)), Ok(whole));
        }
    }
}
