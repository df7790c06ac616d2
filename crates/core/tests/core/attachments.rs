//! Attachments that were uploaded before their document: what the rows say of them.

use crate::harness::{Hub, code, draft, reason};
use lienthong_core::Decision;
use lienthong_core::statistics::{self, Period};
use lienthong_model::{Digest, Reason};

const MAP: &[u8] = &[7; 70_000];

#[test]
fn a_payload_is_named_by_an_accepted_document_and_by_no_refused_one() {
    let mut hub = Hub::new();
    let mut to_nobody = draft("H36", &["X99"]);
    to_nobody.uploaded = vec![MAP];
    assert_eq!(reason(&hub.submit(&to_nobody)), Reason::RecipientUnknown);
    assert!(!hub.query().names_payload(&Digest::of(MAP)).unwrap());
    let mut draft = draft("H36", &["H34"]);
    draft.uploaded = vec![b"small", MAP];
    assert!(matches!(hub.submit(&draft), Decision::Accepted(_)));
    for bytes in [MAP, b"small"] {
        assert!(hub.query().names_payload(&Digest::of(bytes)).unwrap());
    }
    assert!(!hub.query().names_payload(&Digest::of(b"other")).unwrap());
}

#[test]
fn only_parties_find_the_place_of_a_document() {
    let mut hub = Hub::new();
    let (id, position) = hub.accepted(&draft("H36", &["H34"]));
    let (directory, now) = (hub.machine.policy().directory.clone(), hub.now);
    let place = |caller: &str, sender: &str, id| {
        let caller = hub.ordinal(caller);
        hub.query().position_as(&directory, caller, &code(sender), id, now).unwrap()
    };
    assert_eq!(place("H36", "H36", &id), Some(position));
    assert_eq!(place("H34", "H36", &id), Some(position));
    assert_eq!(place("G22", "H36", &id), None);
    assert_eq!(place("H34", "H34", &id), None);
    assert_eq!(place("H34", "X99", &id), None);
}

#[test]
fn uploaded_bytes_count_in_the_flow_like_those_beside_the_content() {
    let bytes = |uploaded: Vec<&'static [u8]>| {
        let mut hub = Hub::new();
        let mut draft = draft("H36", &["H34"]);
        draft.uploaded = uploaded;
        hub.accepted(&draft);
        hub.cut();
        let cubes = hub.machine.cubes();
        let flows = statistics::flows(&cubes, &hub.state, Period::ALL).unwrap();
        flows.iter().map(|flow| flow.bytes).sum::<u64>()
    };
    // The content is longer by the entries that name them.
    let more = bytes(vec![MAP, b"12345"]) - bytes(Vec::new());
    assert!((70_005..70_300).contains(&more), "{more}");
}
