//! PEM (RFC 7468): the text form in which keys, certificates, requests and lists are kept.

use der::pem::{LineEnding, decode_vec, encode_string};

/// Label of a certificate.
pub const CERTIFICATE: &str = "CERTIFICATE";
/// Label of a certification request.
pub const REQUEST: &str = "CERTIFICATE REQUEST";
/// Label of a revocation list.
pub const REVOCATION_LIST: &str = "X509 CRL";
/// Label of a secret key in PKCS#8.
pub const SECRET_KEY: &str = "PRIVATE KEY";

/// Largest text that is read, in bytes: a revocation list of the greatest size.
const TEXT_BYTES_MAX: usize = 24 * 1024 * 1024;

/// Why a text does not hold what is looked for.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PemError {
    /// The text is longer than the bound.
    #[error("the text has {0} bytes, more than {TEXT_BYTES_MAX}")]
    TooLarge(usize),
    /// There is no block with the label.
    #[error("there is no `{0}` in the text")]
    Missing(&'static str),
    /// A block breaks the rules of RFC 7468.
    #[error("a `{label}` cannot be decoded: {why}")]
    Malformed {
        /// The label looked for.
        label: &'static str,
        /// What is wrong.
        why: der::pem::Error,
    },
}

/// Writes bytes under a label, with a line feed at the end.
///
/// # Errors
/// [`PemError::Malformed`] when the bytes are too long to be written.
pub fn encode(label: &'static str, der: &[u8]) -> Result<String, PemError> {
    encode_string(label, LineEnding::LF, der).map_err(|why| PemError::Malformed { label, why })
}

/// Reads every block with a label, in order; text around and blocks with other labels are skipped.
///
/// # Errors
/// [`PemError`] when there is none or one cannot be decoded.
pub fn decode_all(label: &'static str, text: &str) -> Result<Vec<Vec<u8>>, PemError> {
    if text.len() > TEXT_BYTES_MAX {
        return Err(PemError::TooLarge(text.len()));
    }
    let (begin, end) = (format!("-----BEGIN {label}-----"), format!("-----END {label}-----"));
    let mut found = Vec::new();
    let mut rest = text;
    while let Some((_, after)) = rest.split_once(&begin) {
        let (body, after) = after.split_once(&end).unwrap_or((after, ""));
        let block = format!("{begin}{body}{end}");
        let (_, bytes) =
            decode_vec(block.as_bytes()).map_err(|why| PemError::Malformed { label, why })?;
        found.push(bytes);
        rest = after;
    }
    if found.is_empty() { Err(PemError::Missing(label)) } else { Ok(found) }
}

/// Reads the first block with a label.
///
/// # Errors
/// [`PemError`] when there is none or one cannot be decoded.
pub fn decode(label: &'static str, text: &str) -> Result<Vec<u8>, PemError> {
    decode_all(label, text)?.into_iter().next().ok_or(PemError::Missing(label))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_of_one_label_are_found_among_text_and_others() {
        let text = format!(
            "subject=CN = A\n{}between\n{}{}",
            encode(CERTIFICATE, &[1; 100]).unwrap(),
            encode(REVOCATION_LIST, &[2]).unwrap(),
            encode(CERTIFICATE, &[3, 4]).unwrap(),
        );
        assert_eq!(decode_all(CERTIFICATE, &text).unwrap(), vec![vec![1; 100], vec![3, 4]]);
        assert_eq!(decode(REVOCATION_LIST, &text).unwrap(), vec![2]);
        assert_eq!(decode(REQUEST, &text), Err(PemError::Missing(REQUEST)));
    }

    #[test]
    fn a_block_that_is_cut_is_refused() {
        let text = encode(CERTIFICATE, &[1; 100]).unwrap();
        let cut = text.get(..text.len() - 40).unwrap();
        assert!(matches!(decode(CERTIFICATE, cut), Err(PemError::Malformed { .. })));
    }
}
