//! Signed content as files, the same for what is sent and what is received:
//!
//! ```text
//! content.bin        the bytes that were signed
//! signatures.json    content type, signatures, certificates
//! ```
//! Attachments are files of their own. `signatures.json` is written last: where it is, all is.

use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use der::pem::{LineEnding, decode_vec, encode_string};
use lienthong_model::limits::{CONTENT_BYTES_MAX, SIGNATURES_FILE_BYTES_MAX};
use lienthong_model::{Fingerprint, SignatureEntry, SignedContent};
use serde::{Deserialize, Serialize};

use crate::disk::{self, DiskError};

const CONTENT: &str = "content.bin";
const SIGNATURES: &str = "signatures.json";
const CERTIFICATE: &str = "CERTIFICATE";

#[derive(Debug, Serialize, Deserialize)]
struct Signatures {
    content_type: String,
    signatures: Vec<Signature>,
    certificates: Vec<String>,
}

#[derive(Debug, Serialize, Deserialize)]
struct Signature {
    certificate_sha256: String,
    ed25519: String,
}

/// Writes content, signatures and certificates into a folder; attachments are not written. On
/// return all of it is synced; a reader finds nothing or everything.
///
/// # Errors
/// [`DiskError`].
pub fn write(folder: &Path, signed: &SignedContent) -> Result<(), DiskError> {
    disk::write(&folder.join(CONTENT), &signed.content)?;
    let path = folder.join(SIGNATURES);
    let malformed = |why: String| DiskError::of("write", &path)(std::io::Error::other(why));
    let file = signatures(signed).map_err(malformed)?;
    let json = serde_json::to_vec_pretty(&file).map_err(|why| malformed(why.to_string()))?;
    disk::replace(&path, &json)
}

fn signatures(signed: &SignedContent) -> Result<Signatures, String> {
    let signature = |entry: &SignatureEntry| Signature {
        certificate_sha256: entry.certificate.to_string(),
        ed25519: hex::encode(&entry.value),
    };
    let pem = |der: &Bytes| {
        encode_string(CERTIFICATE, LineEnding::LF, der).map_err(|why| why.to_string())
    };
    Ok(Signatures {
        content_type: signed.content_type.clone(),
        signatures: signed.signatures.iter().map(signature).collect(),
        certificates: signed.certificates.iter().map(pem).collect::<Result<_, _>>()?,
    })
}

/// Returns content, signatures and certificates as one JSON: that of the file, with the content in
/// base64. `None` when a certificate cannot be written.
pub(crate) fn to_json(signed: &SignedContent) -> Option<serde_json::Value> {
    let mut whole = serde_json::to_value(signatures(signed).ok()?).ok()?;
    whole["content_base64"] = STANDARD.encode(&signed.content).into();
    Some(whole)
}

/// Reads what [`write()`] wrote, without attachments; `None` when it is not there.
///
/// # Errors
/// [`DiskError`] when it cannot be read, or is something else.
pub(crate) fn read(folder: &Path) -> Result<Option<SignedContent>, DiskError> {
    let path = folder.join(SIGNATURES);
    let Some(json) = disk::read(&path, SIGNATURES_FILE_BYTES_MAX as u64)? else {
        return Ok(None);
    };
    let malformed = |why: String| DiskError::of("read", &path)(std::io::Error::other(why));
    let file: Signatures =
        serde_json::from_slice(&json).map_err(|why| malformed(why.to_string()))?;
    let content = disk::read(&folder.join(CONTENT), CONTENT_BYTES_MAX as u64)?;
    let content = content.ok_or_else(|| malformed(format!("`{CONTENT}` is not beside it")))?;
    let signature = |one: &Signature| {
        let certificate = hex::decode(&one.certificate_sha256).ok()?;
        let value = hex::decode(&one.ed25519).ok()?;
        let certificate = Fingerprint::from_slice(&certificate)?;
        Some(SignatureEntry { certificate, value: value.into() })
    };
    let certificate = |pem: &String| {
        let (label, der) = decode_vec(pem.as_bytes()).ok()?;
        (label == CERTIFICATE).then(|| Bytes::from(der))
    };
    let signatures: Option<Vec<_>> = file.signatures.iter().map(signature).collect();
    let certificates: Option<Vec<_>> = file.certificates.iter().map(certificate).collect();
    Ok(Some(SignedContent {
        content_type: file.content_type,
        content: content.into(),
        signatures: signatures.ok_or_else(|| malformed("a signature is malformed".to_owned()))?,
        certificates: certificates
            .ok_or_else(|| malformed("a certificate is malformed".to_owned()))?,
        attachments: Vec::new(),
    }))
}

/// Removes what [`write()`] wrote; the folder is not synced.
///
/// # Errors
/// [`DiskError`].
pub(crate) fn remove(folder: &Path) -> Result<(), DiskError> {
    // First what says that the rest is there.
    disk::remove(&folder.join(SIGNATURES))?;
    disk::remove(&folder.join(CONTENT))
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::*;

    fn signed() -> impl Strategy<Value = SignedContent> {
        let signature = (any::<[u8; 32]>(), vec(any::<u8>(), 0..80)).prop_map(|(name, value)| {
            SignatureEntry { certificate: Fingerprint(name), value: value.into() }
        });
        let bytes = |most| vec(any::<u8>(), 0..most).prop_map(Bytes::from);
        // A certificate has bytes: PEM knows no empty one.
        let certificate = vec(any::<u8>(), 1..300).prop_map(Bytes::from);
        (".{0,60}", bytes(400), vec(signature, 0..4), vec(certificate, 0..4)).prop_map(
            |(content_type, content, signatures, certificates)| SignedContent {
                content_type,
                content,
                signatures,
                certificates,
                attachments: Vec::new(),
            },
        )
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(48))]
        #[test]
        fn what_is_written_is_read_again(signed in signed()) {
            let folder = tempfile::tempdir().unwrap();
            prop_assert_eq!(read(folder.path()).unwrap(), None);
            write(folder.path(), &signed).unwrap();
            prop_assert_eq!(read(folder.path()).unwrap(), Some(signed));
        }
    }

    #[test]
    fn something_else_under_the_name_is_an_error_not_a_panic() {
        let folder = tempfile::tempdir().unwrap();
        for text in
            ["", "{}", "[1]", "{\"content_type\":\"x\",\"signatures\":[],\"certificates\":[\"x\"]}"]
        {
            std::fs::write(folder.path().join(SIGNATURES), text).unwrap();
            assert_eq!(read(folder.path()).unwrap_err().what, "read", "{text}");
        }
    }
}
