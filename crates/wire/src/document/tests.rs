use proptest::prelude::*;

use super::*;
use crate::strategies;

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn every_field_of_a_document_comes_back(document in strategies::document()) {
        let bytes = encode_document(&document);
        prop_assert_eq!(decode_document(&bytes), Ok(document.clone()));
        prop_assert_eq!(encode_document(&document), bytes);
    }
}

#[test]
fn what_a_plain_producer_leaves_out_is_read_as_empty() {
    let code = |text: &str| lienthong_model::AgencyCode::parse(text).unwrap();
    let at = Timestamp::parse("2020-11-16T08:00:00+07:00").unwrap();
    let id = lienthong_model::MessageId::new(at, [3; 10]);
    let plain = proto::Document {
        id: Bytes::copy_from_slice(id.as_bytes()),
        from: Some(proto::Correspondent { code: "H36".into(), ..Default::default() }),
        recipients: vec![proto::Recipient { code: "H40".into(), ..Default::default() }],
        subject: "Về việc họp".into(),
        signed_at: Some(moment::to_proto(at)),
        ..Default::default()
    };
    let read = decode_document(&plain.encode_to_vec()).unwrap();
    assert_eq!(read, Document::new(id, code("H36"), [code("H40")], "Về việc họp", at));
}

#[test]
fn fields_of_a_newer_minor_version_are_passed_over() {
    let code = |text: &str| lienthong_model::AgencyCode::parse(text).unwrap();
    let at = Timestamp::parse("2020-11-16").unwrap();
    let id = lienthong_model::MessageId::new(at, [3; 10]);
    let document = Document::new(id, code("H36"), [code("H40")], "họp", at);
    let mut bytes = encode_document(&document).to_vec();
    prost::encoding::string::encode(900, &"later".to_owned(), &mut bytes);
    assert_eq!(decode_document(&bytes), Ok(document));
}
