//! Signed content between the model and its message form. Bytes are shared, not copied.

use lienthong_model::limits::{
    ATTACHMENTS_MAX, CERTIFICATE_BYTES_MAX, CERTIFICATES_MAX, CONTENT_BYTES_MAX,
    INLINE_ATTACHMENT_BYTES_MAX, SIGNATURES_MAX,
};
use lienthong_model::{Attachment, Fingerprint, Reason, Refusal, SignatureEntry, SignedContent};

use crate::check::Check;
use crate::proto;

/// Returns the message form of signed content: the envelope, and what travels beside it.
pub fn to_proto(signed: SignedContent) -> (proto::SignedDocument, Vec<proto::Attachment>) {
    let signature = |entry: SignatureEntry| proto::Signature {
        certificate_sha256: bytes::Bytes::copy_from_slice(entry.certificate.as_bytes()),
        value: entry.value,
    };
    let attachment = |attachment: Attachment| proto::Attachment {
        content_id: attachment.content_id,
        content: attachment.bytes,
    };
    let envelope = proto::SignedDocument {
        content_type: signed.content_type,
        content: signed.content,
        signatures: signed.signatures.into_iter().map(signature).collect(),
        certificates: signed.certificates,
    };
    (envelope, signed.attachments.into_iter().map(attachment).collect())
}

/// Returns the signed content of a submitted or delivered document.
///
/// # Errors
/// FIELD_MISSING for `document`, CONTENT_TOO_LARGE for whatever passes its bound,
/// SIGNATURE_MALFORMED when a certificate is not named by 32 bytes.
pub fn document_from_proto(
    document: Option<proto::SignedDocument>,
    attachments: Vec<proto::Attachment>,
) -> Result<SignedContent, Refusal> {
    from_proto("document", document, attachments)
}

/// Returns the signed content of a status report.
///
/// # Errors
/// FIELD_MISSING for `report`, CONTENT_TOO_LARGE for whatever passes its bound,
/// SIGNATURE_MALFORMED when a certificate is not named by 32 bytes.
pub fn report_from_proto(report: Option<proto::SignedDocument>) -> Result<SignedContent, Refusal> {
    from_proto("report", report, Vec::new())
}

fn from_proto(
    path: &'static str,
    envelope: Option<proto::SignedDocument>,
    attachments: Vec<proto::Attachment>,
) -> Result<SignedContent, Refusal> {
    let Some(envelope) = envelope else {
        return Err(Refusal::at(Reason::FieldMissing, path, ""));
    };
    let mut check = Check::default();
    check_sizes(&mut check, path, &envelope, &attachments);
    let mut signatures = Vec::with_capacity(envelope.signatures.len().min(SIGNATURES_MAX));
    for (index, signature) in envelope.signatures.into_iter().take(SIGNATURES_MAX).enumerate() {
        match Fingerprint::from_slice(&signature.certificate_sha256) {
            Some(certificate) => {
                signatures.push(SignatureEntry { certificate, value: signature.value });
            }
            None => check.note(
                Reason::SignatureMalformed,
                format_args!("{path}.signatures[{index}].certificate_sha256"),
                format_args!("{} bytes, not 32", signature.certificate_sha256.len()),
            ),
        }
    }
    let attachment = |attachment: proto::Attachment| Attachment {
        content_id: attachment.content_id,
        bytes: attachment.content,
    };
    check.finish(Some(SignedContent {
        content_type: envelope.content_type,
        content: envelope.content,
        signatures,
        certificates: envelope.certificates,
        attachments: attachments.into_iter().map(attachment).collect(),
    }))
}

fn check_sizes(
    check: &mut Check,
    path: &str,
    envelope: &proto::SignedDocument,
    attachments: &[proto::Attachment],
) {
    let mut at_most = |field: std::fmt::Arguments<'_>, found: usize, most: usize, unit: &str| {
        if found > most {
            let value = format_args!("{found} {unit}, at most {most}");
            check.note(Reason::ContentTooLarge, field, value);
        }
    };
    let proto::SignedDocument { content, signatures, certificates, .. } = envelope;
    at_most(format_args!("{path}.content"), content.len(), CONTENT_BYTES_MAX, "bytes");
    at_most(format_args!("{path}.signatures"), signatures.len(), SIGNATURES_MAX, "entries");
    at_most(format_args!("{path}.certificates"), certificates.len(), CERTIFICATES_MAX, "entries");
    for (index, certificate) in certificates.iter().take(CERTIFICATES_MAX).enumerate() {
        let field = format_args!("{path}.certificates[{index}]");
        at_most(field, certificate.len(), CERTIFICATE_BYTES_MAX, "bytes");
    }
    at_most(format_args!("attachments"), attachments.len(), ATTACHMENTS_MAX, "entries");
    let together = attachments.iter().map(|attachment| attachment.content.len()).sum();
    at_most(format_args!("attachments"), together, INLINE_ATTACHMENT_BYTES_MAX, "bytes in all");
}

#[cfg(test)]
mod tests;
