use bytes::Bytes;

use super::*;

fn signed() -> SignedContent {
    SignedContent {
        content_type: "text/plain".into(),
        content: Bytes::from_static(b"content"),
        signatures: vec![
            SignatureEntry { certificate: Fingerprint([1; 32]), value: Bytes::from(vec![2; 64]) },
            SignatureEntry { certificate: Fingerprint([3; 32]), value: Bytes::new() },
        ],
        certificates: vec![Bytes::from_static(b"der")],
        attachments: vec![Attachment {
            content_id: "cid:1".into(),
            bytes: Bytes::from_static(b"a"),
        }],
    }
}

fn refused(
    change: fn(&mut proto::SignedDocument, &mut Vec<proto::Attachment>),
) -> (Reason, String) {
    let (mut envelope, mut attachments) = to_proto(signed());
    change(&mut envelope, &mut attachments);
    let refusal = document_from_proto(Some(envelope), attachments).unwrap_err();
    let [violation] = refusal.violations.try_into().unwrap();
    (violation.reason, violation.field)
}

#[test]
fn signed_content_comes_back() {
    let (envelope, attachments) = to_proto(signed());
    assert_eq!(document_from_proto(Some(envelope.clone()), attachments), Ok(signed()));
    let report = SignedContent { attachments: vec![], ..signed() };
    assert_eq!(report_from_proto(Some(envelope)), Ok(report));
}

#[test]
fn an_absent_envelope_is_named() {
    let refusal = document_from_proto(None, vec![]).unwrap_err();
    assert_eq!(refusal, Refusal::at(Reason::FieldMissing, "document", ""));
    let refusal = report_from_proto(None).unwrap_err();
    assert_eq!(refusal, Refusal::at(Reason::FieldMissing, "report", ""));
}

#[test]
fn whatever_passes_its_bound_is_named() {
    use Reason::{ContentTooLarge, SignatureMalformed};
    let content = refused(|envelope, _| envelope.content = vec![0; CONTENT_BYTES_MAX + 1].into());
    assert_eq!(content, (ContentTooLarge, "document.content".into()));
    let signatures =
        refused(|envelope, _| envelope.signatures = vec![envelope.signatures[0].clone(); 17]);
    assert_eq!(signatures, (ContentTooLarge, "document.signatures".into()));
    let certificates = refused(|envelope, _| envelope.certificates = vec![Bytes::new(); 65]);
    assert_eq!(certificates, (ContentTooLarge, "document.certificates".into()));
    let certificate = refused(|envelope, _| envelope.certificates.push(vec![0; 8193].into()));
    assert_eq!(certificate, (ContentTooLarge, "document.certificates[1]".into()));
    let count = refused(|_, attachments| *attachments = vec![attachments[0].clone(); 65]);
    assert_eq!(count, (ContentTooLarge, "attachments".into()));
    let together = refused(|_, attachments| {
        attachments[0].content = vec![0; INLINE_ATTACHMENT_BYTES_MAX + 1].into();
    });
    assert_eq!(together, (ContentTooLarge, "attachments".into()));
    let name = refused(|envelope, _| envelope.signatures[1].certificate_sha256.clear());
    assert_eq!(name, (SignatureMalformed, "document.signatures[1].certificate_sha256".into()));
}
