//! The encoding of blocks: what was written is read back, and the format does not change unseen.

use crate::harness::traffic::{Traffic, steps};
use crate::harness::{BEGIN, code};
use lienthong_core::block::{BLOCK_FORMAT, Block, SealedBlock};
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

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

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

/// A block with one entry of each kind that traffic makes, in the bytes of format 1.
const GOLDEN: &str = "
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

#[test]
fn the_bytes_of_a_block_are_those_of_format_1() {
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
    let sealed = block(entries).seal();
    assert_eq!(BLOCK_FORMAT, 1, "a new format keeps this test for the old one");
    assert_eq!(hex::encode(&sealed.bytes), GOLDEN.replace(char::is_whitespace, ""));
    assert_eq!(*SealedBlock::open(sealed.bytes.clone()).unwrap().block, *sealed.block);
}
