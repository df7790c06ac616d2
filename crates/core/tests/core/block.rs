//! The encoding of blocks: what was written is read back, and the format does not change unseen.

use crate::harness::traffic::{Traffic, steps};
use crate::harness::{BEGIN, code};
use lienthong_core::block::{BLOCK_FORMAT, Block, SealedBlock, TakenOut, entry_at, take_out};
use lienthong_core::{
    Accepted, Acknowledge, AcknowledgeOutcome, Acknowledged, AcknowledgedDelivery,
    CertificateBytes, Command, Decision, Delivery, DeliveryKey, Entry, Place, RefusalCount,
    RefusedRequests, Route, SignatureRecord, SignedRecord, Stored, StoredAttachment, Submit,
};
use lienthong_model::{Digest, Fingerprint, Level, MessageId, Ordinal, Position, Reason, Refusal};
use lienthong_trust::SignatureKind;
use lienthong_wire::strategies;
use proptest::prelude::*;

fn sealed_again(sealed: &SealedBlock) -> SealedBlock {
    SealedBlock::open(sealed.bytes.clone()).unwrap()
}

fn block(entries: Vec<Entry>) -> Block {
    Block {
        number: 7,
        time: BEGIN,
        previous: Digest([3; 32]),
        rules: 1,
        entries,
        clock_ahead_ms: 300_000,
    }
}

fn signed(content: Stored) -> SignedRecord {
    SignedRecord {
        content_type: lienthong_model::DOCUMENT_V1.to_owned(),
        content,
        attachments: vec![StoredAttachment {
            content_id: "cid:1".to_owned(),
            bytes: Stored::Payload { digest: Digest([4; 32]), size: 20_000 },
        }],
        digest: Digest([5; 32]),
        signatures_digest: Digest([6; 32]),
        signatures: vec![SignatureRecord {
            chain: vec![Fingerprint([7; 32])],
            value: vec![8; 4].into(),
        }],
        new_certificates: vec![CertificateBytes(vec![9, 10].into())],
    }
}

fn entry_of(header: lienthong_model::Header) -> Entry {
    let signed = signed(Stored::Inline(vec![1, 2, 3].into()));
    let province = Some(Ordinal(2));
    let accepted = Accepted {
        position: Position(41),
        sender: Ordinal(1),
        signature: SignatureKind::PersonalAndSeal,
        deliveries: vec![Delivery {
            recipient: Ordinal(3),
            route: Route::Gateway(Ordinal(2)),
            place: Place { province, level: Level::District },
        }],
        place: Place { province: None, level: Level::Ministry },
        resolution: None,
        terms: None,
        unproven: Vec::new(),
        used: None,
        change: None,
        notices: None,
        same_reference: None,
    };
    Entry {
        command: Command::Submit(Box::new(Submit { caller: Ordinal(1), header, signed })),
        decision: Decision::Accepted(accepted),
    }
}

/// A block without the contents of some documents, and how many went and stayed.
fn without(sealed: &SealedBlock, expired: impl Fn(Position) -> bool) -> (SealedBlock, TakenOut) {
    let mut bytes = sealed.bytes.to_vec();
    let taken = take_out(&mut bytes, &mut |document| Ok(expired(document))).unwrap();
    (SealedBlock::open(bytes.into()).unwrap(), taken)
}

/// How many contents of documents a block holds, and of those with an even position how many.
fn contents(block: &Block) -> (u64, u64) {
    let (mut all, mut even) = (0, 0);
    for entry in &block.entries {
        let (Command::Submit(submit), Decision::Accepted(accepted)) =
            (&entry.command, &entry.decision)
        else {
            continue;
        };
        let held = 1 + submit.signed.attachments.len() as u64;
        all += held;
        even += if accepted.position.0.is_multiple_of(2) { held } else { 0 };
    }
    (all, even)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn what_has_expired_goes_from_a_block_and_nothing_else(steps in steps(1..80)) {
        let even = |document: Position| document.0.is_multiple_of(2);
        for sealed in Traffic::run(&steps).hub.sealed() {
            let (all, gone) = contents(&sealed.block);
            let (less, taken) = without(&sealed, even);
            prop_assert_eq!(taken, TakenOut { gone, left: all - gone });
            prop_assert_eq!((less.marker, less.bytes.len()), (sealed.marker, sealed.bytes.len()));
            for (left, before) in less.block.entries.iter().zip(&sealed.block.entries) {
                prop_assert_eq!(&left.decision, &before.decision);
                match (&left.command, &left.decision) {
                    (Command::Submit(submit), Decision::Accepted(accepted))
                        if even(accepted.position) =>
                    {
                        prop_assert!(submit.signed.is_taken_out());
                    }
                    _ => prop_assert_eq!(left, before),
                }
            }
            prop_assert_eq!(&less.block.as_ref().clone().seal().bytes, &less.bytes);
            let (_, rest) = without(&less, |_| true);
            prop_assert_eq!(rest, TakenOut { gone: all - gone, left: 0 });
            prop_assert_eq!(without(&less, even).1, TakenOut { gone: 0, left: all - gone });
        }
    }

    #[test]
    fn any_header_is_read_back_from_a_block(document in strategies::document()) {
        let sealed = block(vec![entry_of(document.header())]).seal();
        let read = sealed_again(&sealed);
        prop_assert_eq!(read.marker, sealed.marker);
        prop_assert_eq!(&*read.block, &*sealed.block);
    }

    #[test]
    fn any_block_of_traffic_is_read_back_and_written_again_the_same(steps in steps(1..80)) {
        for sealed in Traffic::run(&steps).hub.sealed() {
            let read = sealed_again(&sealed);
            prop_assert_eq!(&*read.block, &*sealed.block);
            prop_assert_eq!(&read.block.as_ref().clone().seal().bytes, &sealed.bytes);
        }
    }

    #[test]
    fn bytes_that_are_not_a_block_are_refused_without_a_panic(
        steps in steps(1..20),
        at: prop::sample::Index,
        flip in 1..=255u8,
        cut: prop::sample::Index,
    ) {
        let sealed = Traffic::run(&steps).hub.sealed().pop().unwrap();
        let mut bytes = sealed.bytes.to_vec();
        let at = at.index(bytes.len());
        bytes[at] ^= flip;
        if let Ok(read) = SealedBlock::open(bytes.clone().into()) {
            prop_assert_ne!(read.marker.hash, sealed.marker.hash);
        }
        bytes.truncate(cut.index(bytes.len()));
        prop_assert!(SealedBlock::open(bytes.into()).is_err());
    }
}

/// A block with one entry of each kind that traffic makes, in the bytes of format 1: contents stand in
/// the record.
const FORMAT_1: &str = "
    86071b00000175ce90d680582003030303030303030303030303030303030303030303030303030303030303
    03018382820181830190500175ce90d6807b0b8b0b0b0b0b0b0b0b6347323281820081664833362e30318160
    7156e1bb81207669e1bb8763207468e1bbad0000f61b00000175ce90d680f602f400f6808087782e6170706c
    69636174696f6e2f766e642e6c69656e74686f6e672e646f63756d656e742e76312b70726f746f6275668200
    81430102038182656369643a3182018258200404040404040404040404040404040404040404040404040404
    040404040404194e205820050505050505050505050505050505050505050505050505050505050505050558
    2006060606060606060606060606060606060606060606060606060606060606068182815820070707070707
    070707070707070707070707070707070707070707070707070744080808088142090a820181851829010381
    83038202810282020382f60182820381820281828203182901820581818101828204828502500175ce90d680
    7b0b8b0b0b0b0b0b0b0b58200c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c
    18638182181e030282038182183c8183183c62746f634839391a000493e0
";

/// The same in those of format 2: the content stands behind the record.
const FORMAT_2: &str = "
    86071b00000175ce90d6805820030303030303030303030303030303030303030303030303030303030303
    0303018382820181830190500175ce90d6807b0b8b0b0b0b0b0b0b0b6347323281820081664833362e3031
    81607156e1bb81207669e1bb8763207468e1bbad0000f61b00000175ce90d680f602f400f6808087782e61
    70706c69636174696f6e2f766e642e6c69656e74686f6e672e646f63756d656e742e76312b70726f746f62
    75668202825820039058c6f2c0cb492c533b0a4d14ef77cc0f78abccced5287d84a1a2011cfb8103818265
    6369643a318201825820040404040404040404040404040404040404040404040404040404040404040419
    4e205820050505050505050505050505050505050505050505050505050505050505050558200606060606
    06060606060606060606060606060606060606060606060606060681828158200707070707070707070707
    07070707070707070707070707070707070707070744080808088142090a82018185182901038183038202
    810282020382f60182820381820281828203182901820581818101828204828502500175ce90d6807b0b8b
    0b0b0b0b0b0b0b58200c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c1863
    8182181e030282038182183c8183183c62746f634839391a000493e001010203
";

fn golden() -> Block {
    let id = MessageId::new(BEGIN, [11; 10]);
    let to = [code("H36.01")];
    let mut document = lienthong_model::Document::new(id, code("G22"), to, "Về việc thử", BEGIN);
    document.pages = 2;
    let key = DeliveryKey { recipient: Ordinal(3), position: Position(41) };
    let acknowledge = Acknowledge {
        caller: Ordinal(2),
        deliveries: vec![AcknowledgedDelivery { key, attempts: 1 }],
    };
    let requests = RefusedRequests {
        caller: Ordinal(2),
        id: Some(id),
        digest: Digest([12; 32]),
        size: 99,
        added_up: vec![RefusalCount { reason: Reason::IdReused, count: 3 }],
    };
    let entries = vec![
        entry_of(document.header()),
        Entry {
            command: Command::Acknowledge(acknowledge),
            decision: Decision::Acknowledged(Acknowledged {
                outcomes: vec![AcknowledgeOutcome::Counted],
            }),
        },
        Entry {
            command: Command::Refused { requests, province: Some(Ordinal(2)) },
            decision: Decision::Refused(Refusal::at(Reason::RecipientUnknown, "to", "H99")),
        },
    ];
    block(entries)
}

fn bytes_of(golden: &str) -> Vec<u8> {
    hex::decode(golden.replace(char::is_whitespace, "")).unwrap()
}

#[test]
fn the_bytes_of_a_block_are_those_of_format_2() {
    let sealed = golden().seal();
    assert_eq!(BLOCK_FORMAT, 2, "a new format keeps this test for the old one");
    assert_eq!(hex::encode(&sealed.bytes), hex::encode(bytes_of(FORMAT_2)));
    assert_eq!(*SealedBlock::open(sealed.bytes.clone()).unwrap().block, *sealed.block);
    // A flag and the three bytes of the content stand behind the record.
    let (record, behind) = sealed.bytes.split_at(sealed.bytes.len() - 4);
    assert_eq!((sealed.marker.hash, behind), (Digest::of(record), &[1, 1, 2, 3][..]));
}

#[test]
fn a_block_of_format_1_is_read_and_keeps_its_contents() {
    let bytes = bytes_of(FORMAT_1);
    let mut read = SealedBlock::open(bytes.clone().into()).unwrap();
    assert_eq!(*read.block, golden());
    assert_eq!(read.marker.hash, Digest::of(&bytes));
    let taken;
    (read, taken) = without(&read, |_| true);
    assert_eq!((taken, &read.bytes[..]), (TakenOut::default(), &bytes[..]));
}

#[test]
fn a_content_that_is_not_the_one_that_the_record_names_is_refused() {
    let bytes = golden().seal().bytes.to_vec();
    let flag = bytes.len() - 4;
    let refused = |change: &dyn Fn(&mut Vec<u8>)| {
        let mut changed = bytes.clone();
        change(&mut changed);
        SealedBlock::open(changed.into()).unwrap_err().to_string()
    };
    let other = "a content is not the one that its record names";
    assert!(refused(&|bytes| bytes[flag + 2] ^= 1).contains(other));
    assert!(refused(&|bytes| bytes[flag] = 0).contains(other), "taken out, and still there");
    assert!(refused(&|bytes| bytes[flag] = 7).contains(other));
    assert!(refused(&|bytes| bytes.truncate(flag + 3)).contains("it ends within a content"));
    assert!(refused(&|bytes| bytes.push(0)).contains("something follows its last content"));
}

#[test]
fn the_entry_of_a_byte_is_found_in_the_record_and_behind_it() {
    let bytes = golden().seal().bytes;
    let record = bytes.len() - 4;
    for behind in record..bytes.len() {
        assert_eq!(entry_at(&bytes, behind), Some(0), "of the document whose content it is");
    }
    assert_eq!(entry_at(&bytes, bytes.len()), None);
    assert_eq!(entry_at(&bytes, record - 1), None, "the block's last field");
    assert_eq!(entry_at(&bytes, record - 8), Some(2), "the refusal, which is the last entry");
}
